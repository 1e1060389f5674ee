-- Stock truth: buffers.

ALTER TABLE buffer DROP CONSTRAINT buffer_kind_check;
ALTER TABLE buffer
    ADD CHECK (kind IN ('units', 'percent', 'auto', 'most', 'least', 'fixed_pool')),
    ADD COLUMN until_stock integer CHECK (until_stock >= 0),    -- in force only while more than this is free
    ADD COLUMN cap integer CHECK (cap >= 0),                    -- the most that an automatic one holds back
    ADD COLUMN starts_at timestamptz,
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),   -- what a pool's channel sells from then on eats it
    ADD COLUMN turns_at timestamptz,                            -- begins, ends or is measured: slots are computed anew
    ADD CHECK (ends_at > starts_at),
    ADD FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE;
CREATE INDEX buffer_turns ON buffer (turns_at) WHERE turns_at IS NOT NULL;

GRANT SELECT (seller_id, turns_at) ON buffer TO balcao_dispatch;
CREATE POLICY due_read ON buffer FOR SELECT TO balcao_dispatch USING (true);

-- What an automatic buffer holds back now, and the numbers that it comes from.
CREATE TABLE buffer_measure (
    seller_id uuid NOT NULL,
    buffer_id uuid NOT NULL,
    account_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    units integer NOT NULL CHECK (units >= 0),
    per_hour double precision NOT NULL,         -- units sold in other channels
    lag_seconds double precision NOT NULL,      -- p95 until this channel was told
    pushes integer NOT NULL,                    -- over so many pushes
    measured_at timestamptz NOT NULL,
    PRIMARY KEY (seller_id, buffer_id, account_id, sku_id),
    FOREIGN KEY (seller_id, buffer_id) REFERENCES buffer ON DELETE CASCADE,
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku
);

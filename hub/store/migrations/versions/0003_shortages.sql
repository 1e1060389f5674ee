-- Stock truth: shortages.

-- A shortage from when it arose until it was filled or let go, and why it arose. It stays when the shortage is gone and
-- when the logs that it was worked out from are.
CREATE TABLE shortage_case (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    line_ref text NOT NULL,
    sku_id uuid NOT NULL,
    units integer NOT NULL CHECK (units > 0),       -- the most that was ever short
    opened_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    ended text CHECK (ended IN ('filled', 'released')),
    look_at timestamptz DEFAULT now(),              -- its cause is worked out (again) then; null: it is settled
    cause text,
    evidence jsonb,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku
);
CREATE UNIQUE INDEX shortage_case_open ON shortage_case (seller_id, order_id, line_ref, sku_id)
    WHERE closed_at IS NULL;
CREATE INDEX shortage_case_recent ON shortage_case (seller_id, opened_at DESC, id);
CREATE INDEX shortage_case_look ON shortage_case (look_at) WHERE look_at IS NOT NULL;

GRANT SELECT (seller_id, look_at) ON shortage_case TO balcao_dispatch;
CREATE POLICY due_read ON shortage_case FOR SELECT TO balcao_dispatch USING (true);

-- A write that got no answer for its rows (throttled, timed out, refused whole): the first of each run of failures, so
-- that a shortage can be laid to it. `fault`: one of the six.
CREATE TABLE push_failure (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    slot_id uuid NOT NULL,
    quantity integer NOT NULL,
    fault text NOT NULL,
    code text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, slot_id) REFERENCES stock_slot ON DELETE CASCADE
);
CREATE INDEX push_failure_slot ON push_failure (seller_id, slot_id, at);

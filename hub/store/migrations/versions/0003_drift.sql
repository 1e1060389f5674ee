-- Stock truth: drift.
-- One row is one episode: a slot's difference from when it was first seen until it went away.
ALTER TABLE drift RENAME COLUMN at TO first_seen_at;
ALTER TABLE drift
    DROP CONSTRAINT drift_class_check,
    DROP COLUMN repaired,
    ADD CONSTRAINT drift_class_check CHECK (class IN ('external_edit', 'lost_push', 'unknown_sale', 'wrong_link',
        'fulfilled_by_marketplace', 'paused', 'gone', 'unmanaged', 'in_doubt')),
    ADD COLUMN listing_id uuid,
    ADD COLUMN direction text CHECK (direction IN ('up', 'down')),
    ADD COLUMN why text,
    ADD COLUMN state text NOT NULL DEFAULT 'closed' CHECK (state IN ('waiting', 'repairing', 'proposed', 'dismissed',
        'noted', 'closed')),
    ADD COLUMN suggested_sku_id uuid,            -- what a wrong link should be
    ADD COLUMN last_seen_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN count integer NOT NULL DEFAULT 1, -- how many looks met it
    ADD COLUMN check_at timestamptz,             -- looked at again then
    ADD COLUMN decided_at timestamptz,
    ADD COLUMN decided_by text,
    ADD COLUMN closed_at timestamptz DEFAULT now(),  -- rows of before: one row a look, over
    ADD COLUMN ended text DEFAULT 'went_away';
ALTER TABLE drift
    ALTER COLUMN state DROP DEFAULT, ALTER COLUMN closed_at DROP DEFAULT, ALTER COLUMN ended DROP DEFAULT,
    ADD CONSTRAINT drift_is_open CHECK ((closed_at IS NULL) = (state <> 'closed'));
DROP INDEX drift_recent;
-- A slot may show another number and name another SKU at once: two questions.
CREATE UNIQUE INDEX drift_open ON drift (seller_id, slot_id, (class = 'wrong_link')) WHERE closed_at IS NULL;
CREATE INDEX drift_recent ON drift (seller_id, account_id, last_seen_at);
CREATE INDEX drift_history ON drift (seller_id, slot_id, first_seen_at);
CREATE INDEX drift_check ON drift (seller_id, account_id, check_at) WHERE check_at IS NOT NULL;

-- What a difference keeps from being written. asked: only a new and lower number goes out; left: any new number.
ALTER TABLE stock_slot
    ADD COLUMN held text CHECK (held IN ('asked', 'left')),
    ADD COLUMN held_desired integer,             -- what was wanted when it was held
    ADD COLUMN withheld boolean NOT NULL GENERATED ALWAYS AS (held IS NOT NULL AND (desired IS NOT DISTINCT FROM
        held_desired OR (held = 'asked' AND coalesce(desired >= expected, true)))) STORED;

ALTER TABLE task DROP CONSTRAINT task_kind_check, ADD CONSTRAINT task_kind_check
    CHECK (kind IN ('poll', 'missed', 'listings', 'reconcile', 'recheck', 'subscribe'));

ALTER TABLE invariant_check
    ADD COLUMN seconds real,
    ADD COLUMN pieces integer,
    ADD COLUMN late text[] NOT NULL DEFAULT '{}',  -- checks of which a piece was given up
    ADD COLUMN broken_count integer NOT NULL DEFAULT 0;

-- Metrics are of the whole installation: counted across sellers, without a word of any of them.
CREATE INDEX push_log_answered ON push_log (answered_at);
GRANT SELECT (withheld) ON stock_slot TO balcao_dispatch;
GRANT SELECT (seller_id, class, state, closed_at) ON drift TO balcao_dispatch;
CREATE POLICY across ON drift FOR SELECT TO balcao_dispatch USING (true);
GRANT SELECT (seller_id, outcome, dirty_at, answered_at) ON push_log TO balcao_dispatch;
CREATE POLICY across ON push_log FOR SELECT TO balcao_dispatch USING (true);
GRANT SELECT (seller_id, at, broken_count) ON invariant_check TO balcao_dispatch;
CREATE POLICY across ON invariant_check FOR SELECT TO balcao_dispatch USING (true);

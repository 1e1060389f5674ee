-- Stock truth: linking.
-- What a person approved, slot by slot: an unapproved slot is never written.

ALTER TABLE account ADD COLUMN approval text NOT NULL DEFAULT 'none' CHECK (approval IN ('none', 'chosen', 'whole'));
ALTER TABLE stock_slot ADD COLUMN approved_at timestamptz;
DROP INDEX stock_slot_due;
CREATE INDEX stock_slot_due ON stock_slot (seller_id, account_id, due_at)
    WHERE due_at IS NOT NULL AND approved_at IS NOT NULL;
GRANT SELECT (approved_at) ON stock_slot TO balcao_dispatch;

-- What was approved as a whole before stays so. The owner sees rows only while row-level security is not forced.
ALTER TABLE account NO FORCE ROW LEVEL SECURITY;
ALTER TABLE stock_slot NO FORCE ROW LEVEL SECURITY;
UPDATE account SET approval = 'whole' WHERE approved_at IS NOT NULL AND status <> 'preview';
UPDATE stock_slot s SET approved_at = a.approved_at FROM account a
WHERE a.seller_id = s.seller_id AND a.id = s.account_id AND a.approval = 'whole';
ALTER TABLE account FORCE ROW LEVEL SECURITY;
ALTER TABLE stock_slot FORCE ROW LEVEL SECURITY;

-- What had left and come back of a line, cumulative, when it was told first: a link, or a count's instant, that
-- comes to be known later tells from this what never moves the stock.
CREATE TABLE line_departure (
    seller_id uuid NOT NULL,
    order_id uuid NOT NULL,
    line_ref text NOT NULL,
    dispatched integer NOT NULL CHECK (dispatched >= 0),
    returned integer NOT NULL CHECK (returned >= 0),
    at timestamptz NOT NULL,
    PRIMARY KEY (seller_id, order_id, line_ref, dispatched, returned),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE
);

-- Orders of a listing, linked or not; codes and numbers in their other spellings.
DROP INDEX order_line_unlinked;
CREATE INDEX order_line_listing ON order_line (seller_id, listing_ref, variation_ref);
CREATE INDEX sku_code_lower ON sku (seller_id, lower(code));

-- A source of stock: its numbers move the ledger. adopt_since: a reading differs, or none was adopted yet; adopted_at:
-- from then on only differences count.
CREATE UNIQUE INDEX account_source ON account (seller_id) WHERE stock_role = 'source' AND status <> 'closed';
ALTER TABLE stock_slot ADD COLUMN adopt_since timestamptz, ADD COLUMN adopted_at timestamptz;
CREATE INDEX stock_slot_adopt ON stock_slot (seller_id, account_id) WHERE adopt_since IS NOT NULL;
ALTER TABLE task DROP CONSTRAINT task_kind_check, ADD CONSTRAINT task_kind_check
    CHECK (kind IN ('poll', 'missed', 'listings', 'reconcile', 'recheck', 'source', 'subscribe'));

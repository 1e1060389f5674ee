-- Listings on their pages. A list goes by slot, then listing: what is rare is found along indexes that hold it alone.
CREATE INDEX listing_by_slot ON listing (seller_id, slot_id, id) WHERE gone_at IS NULL;
CREATE INDEX listing_of_account ON listing (seller_id, account_id, slot_id, id) WHERE gone_at IS NULL;
CREATE INDEX listing_unlinked ON listing (seller_id, slot_id, id) WHERE sku_id IS NULL AND gone_at IS NULL;
CREATE INDEX listing_unlinked_id ON listing (seller_id, id) WHERE sku_id IS NULL AND gone_at IS NULL;
CREATE INDEX listing_paused ON listing (seller_id, slot_id, id) WHERE status = 'paused' AND gone_at IS NULL;
CREATE INDEX listing_theirs ON listing (seller_id, slot_id, id) WHERE managed_by = 'marketplace' AND gone_at IS NULL;
CREATE INDEX listing_channel_sku ON listing (seller_id, channel_sku) WHERE channel_sku IS NOT NULL;
CREATE INDEX listing_gtin ON listing (seller_id, gtin) WHERE gtin IS NOT NULL;
CREATE INDEX stock_slot_restless ON stock_slot (seller_id, id)
    WHERE sku_id IS NOT NULL AND (desired IS NULL OR doubt_until IS NOT NULL);
-- A column, so that the planner knows how rare it is: it takes IS DISTINCT FROM for true of nearly every row.
ALTER TABLE stock_slot ADD COLUMN unsettled boolean NOT NULL
    GENERATED ALWAYS AS (sku_id IS NOT NULL AND desired IS NOT NULL AND expected IS DISTINCT FROM desired) STORED;
CREATE INDEX stock_slot_unsettled ON stock_slot (seller_id, id) WHERE unsettled;
CREATE INDEX stock_slot_braked ON stock_slot (seller_id, id) WHERE braked;
CREATE INDEX drift_open_id ON drift (seller_id, id) WHERE closed_at IS NULL;
CREATE INDEX drift_open_state ON drift (seller_id, state, id) WHERE closed_at IS NULL;

-- Words of titles, found as ranges of whole words (see order_word).
CREATE TABLE listing_word (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    word text COLLATE "C" NOT NULL,
    listing_id uuid NOT NULL,       -- no reference: the trigger takes the row away with its listing
    PRIMARY KEY (seller_id, word, listing_id)
);
ALTER TABLE listing NO FORCE ROW LEVEL SECURITY;  -- the owner sees rows only while it is not forced
INSERT INTO listing_word SELECT seller_id, unnest(name_words(title)), id FROM listing WHERE title IS NOT NULL;

CREATE FUNCTION keep_listing_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM listing_word WHERE seller_id = OLD.seller_id AND word = ANY(name_words(OLD.title))
            AND listing_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO listing_word SELECT NEW.seller_id, unnest(name_words(NEW.title)), NEW.id ON CONFLICT DO NOTHING;
        RETURN NEW;
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER listing_words_added AFTER INSERT ON listing FOR EACH ROW
    WHEN (NEW.title IS NOT NULL) EXECUTE FUNCTION keep_listing_words();
CREATE TRIGGER listing_words_changed AFTER UPDATE ON listing FOR EACH ROW
    WHEN (OLD.title IS DISTINCT FROM NEW.title) EXECUTE FUNCTION keep_listing_words();
CREATE TRIGGER listing_words_gone AFTER DELETE ON listing FOR EACH ROW
    WHEN (OLD.title IS NOT NULL) EXECUTE FUNCTION keep_listing_words();

-- What a listing was linked to, and when it was not: one row each time that changed.
CREATE TABLE listing_link (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    listing_id uuid NOT NULL,
    sku_code text,                  -- as it was called then; null: unlinked
    multiplier integer NOT NULL CHECK (multiplier > 0),
    linked_by text CHECK (linked_by IN ('sku', 'gtin', 'person', 'file')),
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, listing_id) REFERENCES listing ON DELETE CASCADE
);
CREATE INDEX listing_link_of ON listing_link (seller_id, listing_id, id);
ALTER TABLE listing FORCE ROW LEVEL SECURITY;

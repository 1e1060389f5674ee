-- Estoque: what SKUs are listed, sorted and searched by, the ledger by whatever people ask of it, and files that are
-- looked at before they are written.

-- What stands in a seller's own warehouses of each SKU, for the list alone: a page of 40,000 SKUs must not add up all
-- shelves. Whoever moves stock holds the SKU's levels, so that these rows are locked in the same order.
CREATE TABLE sku_standing (
    seller_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    on_hand integer NOT NULL,
    reserved integer NOT NULL,
    free integer NOT NULL,          -- per warehouse at least 0
    PRIMARY KEY (seller_id, sku_id),
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku ON DELETE CASCADE
);
CREATE INDEX sku_standing_free ON sku_standing (seller_id, free, sku_id);
-- The owner sees rows only while row-level security is not forced.
ALTER TABLE stock_level NO FORCE ROW LEVEL SECURITY;
ALTER TABLE warehouse NO FORCE ROW LEVEL SECURITY;
ALTER TABLE sku NO FORCE ROW LEVEL SECURITY;
INSERT INTO sku_standing
    SELECT l.seller_id, l.sku_id, sum(l.on_hand), sum(l.reserved), sum(greatest(0, l.on_hand - l.reserved))
    FROM stock_level l JOIN warehouse w ON w.seller_id = l.seller_id AND w.id = l.warehouse_id AND w.kind = 'own'
    GROUP BY l.seller_id, l.sku_id;

CREATE FUNCTION add_sku_standing(seller uuid, sku uuid, units integer, held integer, left_over integer) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO sku_standing AS s VALUES (seller, sku, units, held, left_over)
    ON CONFLICT (seller_id, sku_id) DO UPDATE SET on_hand = s.on_hand + excluded.on_hand,
        reserved = s.reserved + excluded.reserved, free = s.free + excluded.free
$$;
CREATE FUNCTION keep_sku_standing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    level stock_level := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    units integer := 0; held integer := 0; left_over integer := 0;
BEGIN
    IF EXISTS (SELECT FROM warehouse w WHERE w.seller_id = level.seller_id AND w.id = level.warehouse_id
               AND w.kind = 'own') THEN
        IF TG_OP <> 'INSERT' THEN
            units := -OLD.on_hand; held := -OLD.reserved; left_over := -greatest(0, OLD.on_hand - OLD.reserved);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            units := units + NEW.on_hand; held := held + NEW.reserved;
            left_over := left_over + greatest(0, NEW.on_hand - NEW.reserved);
        END IF;
        PERFORM add_sku_standing(level.seller_id, level.sku_id, units, held, left_over);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sku_standing_made AFTER INSERT OR DELETE ON stock_level FOR EACH ROW
    EXECUTE FUNCTION keep_sku_standing();
CREATE TRIGGER sku_standing_moved AFTER UPDATE ON stock_level FOR EACH ROW
    WHEN ((OLD.on_hand, OLD.reserved) IS DISTINCT FROM (NEW.on_hand, NEW.reserved))
    EXECUTE FUNCTION keep_sku_standing();

CREATE FUNCTION keep_standings_of_warehouse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE WHEN NEW.kind = 'own' THEN 1 ELSE -1 END;
BEGIN
    PERFORM add_sku_standing(l.seller_id, l.sku_id, sign * l.on_hand, sign * l.reserved,
                             sign * greatest(0, l.on_hand - l.reserved))
    FROM stock_level l WHERE l.seller_id = NEW.seller_id AND l.warehouse_id = NEW.id ORDER BY l.sku_id;
    RETURN NULL;
END $$;
CREATE TRIGGER warehouse_kind_changed AFTER UPDATE OF kind ON warehouse FOR EACH ROW
    WHEN ((OLD.kind = 'own') <> (NEW.kind = 'own')) EXECUTE FUNCTION keep_standings_of_warehouse();

-- Not partial on what stands there: each sale would have to write the index.
CREATE INDEX stock_level_shelf ON stock_level (seller_id, warehouse_id, sku_id);
CREATE INDEX sku_category ON sku (seller_id, category, code) WHERE category IS NOT NULL;

-- Words of codes and titles: as order_word, because row-level security keeps LIKE out of an index.
CREATE TABLE sku_word (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    word text COLLATE "C" NOT NULL,
    sku_id uuid NOT NULL,           -- no reference: the trigger takes the row away with its SKU
    PRIMARY KEY (seller_id, word, sku_id)
);
INSERT INTO sku_word SELECT seller_id, unnest(name_words(code || ' ' || title)), id FROM sku;
ALTER TABLE stock_level FORCE ROW LEVEL SECURITY;
ALTER TABLE warehouse FORCE ROW LEVEL SECURITY;
ALTER TABLE sku FORCE ROW LEVEL SECURITY;
CREATE FUNCTION keep_sku_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM sku_word WHERE seller_id = OLD.seller_id AND word = ANY(name_words(OLD.code || ' ' || OLD.title))
            AND sku_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO sku_word SELECT NEW.seller_id, unnest(name_words(NEW.code || ' ' || NEW.title)), NEW.id
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sku_words_made AFTER INSERT OR DELETE ON sku FOR EACH ROW EXECUTE FUNCTION keep_sku_words();
CREATE TRIGGER sku_words_changed AFTER UPDATE ON sku FOR EACH ROW
    WHEN ((OLD.code, OLD.title) IS DISTINCT FROM (NEW.code, NEW.title)) EXECUTE FUNCTION keep_sku_words();

-- The ledger, newest first within each filter. Most entries are dispatches that a flow booked: those are found along
-- stock_movement_at.
CREATE INDEX stock_movement_shelf ON stock_movement (seller_id, warehouse_id, at DESC, id);
CREATE INDEX stock_movement_reason ON stock_movement (seller_id, reason, at DESC, id) WHERE reason <> 'dispatch';
CREATE INDEX stock_movement_person ON stock_movement (seller_id, made_by, at DESC, id) WHERE made_by <> 'flow';

-- A file that somebody looks at before it is written; gone with its writing, or after a day.
CREATE TABLE sheet_upload (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('stock', 'skus')),
    file_name text NOT NULL,
    body bytea NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',
    made_by text NOT NULL DEFAULT coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow'),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id)
);

-- A file of SKUs' facts that was written: each row with what stood there before (null: the SKU was made) and after.
CREATE TABLE sku_import (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    number integer NOT NULL,
    file_name text NOT NULL DEFAULT '',
    made integer NOT NULL,
    changed integer NOT NULL,
    made_by text NOT NULL DEFAULT coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow'),
    at timestamptz NOT NULL DEFAULT now(),
    undone_at timestamptz,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, number)
);
CREATE TABLE sku_import_row (
    seller_id uuid NOT NULL,
    import_id uuid NOT NULL,
    line integer NOT NULL,
    sku_id uuid NOT NULL,           -- no reference: undoing takes a SKU away that nobody uses
    before jsonb,
    after jsonb NOT NULL,
    PRIMARY KEY (seller_id, import_id, line),
    FOREIGN KEY (seller_id, import_id) REFERENCES sku_import ON DELETE CASCADE
);

-- Orders on the page: what they are filtered and searched by, what people do to them, and what they keep.

-- UF. Generated, so that whichever flow writes an order cannot leave it behind.
ALTER TABLE orders ADD COLUMN ship_state text GENERATED ALWAYS AS (told -> 'ship_to' ->> 'state') STORED;

-- Newest first within each filter. The values that most orders end in (delivered, paid) are found along orders_recent.
CREATE INDEX orders_status ON orders (seller_id, status, placed_at DESC, id) WHERE status <> 'delivered';
CREATE INDEX orders_payment ON orders (seller_id, payment, placed_at DESC, id) WHERE payment <> 'paid';
CREATE INDEX orders_fulfilment ON orders (seller_id, fulfilment, placed_at DESC, id) WHERE fulfilment <> 'delivered';
CREATE INDEX orders_held ON orders (seller_id, placed_at DESC, id) WHERE hold IS NOT NULL;
CREATE INDEX orders_ship_state ON orders (seller_id, ship_state, placed_at DESC, id);
CREATE INDEX orders_total ON orders (seller_id, total_cents);
CREATE INDEX orders_document ON orders (seller_id, buyer_document) WHERE buyer_document IS NOT NULL;

DROP INDEX order_line_sku;
CREATE INDEX order_line_sku ON order_line (seller_id, sku_id, order_id);
CREATE INDEX order_line_channel_sku ON order_line (seller_id, channel_sku, order_id) WHERE sku_id IS NULL;

-- Words of buyers' names. Row-level security keeps every operator that is not leakproof out of an index (LIKE, trigrams
-- and text search among them), so that parts of names are found as ranges of whole words.
CREATE FUNCTION name_words(name text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT left(word, 40)), '{}') FROM regexp_split_to_table(
        translate(lower(name), 'áàâãäåéèêëíìîïóòôõöúùûüçñ', 'aaaaaaeeeeiiiiooooouuuucn'), '[^a-z0-9]+') word
    WHERE word <> ''
$$;
CREATE TABLE order_word (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    word text COLLATE "C" NOT NULL,
    order_id uuid NOT NULL,         -- no reference: the trigger takes the row away with its order
    PRIMARY KEY (seller_id, word, order_id)
);
INSERT INTO order_word SELECT seller_id, unnest(name_words(buyer_name)), id FROM orders WHERE buyer_name IS NOT NULL;

CREATE FUNCTION keep_order_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM order_word WHERE seller_id = OLD.seller_id AND word = ANY(name_words(OLD.buyer_name))
            AND order_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO order_word SELECT NEW.seller_id, unnest(name_words(NEW.buyer_name)), NEW.id ON CONFLICT DO NOTHING;
        RETURN NEW;
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER order_words_added AFTER INSERT ON orders FOR EACH ROW
    WHEN (NEW.buyer_name IS NOT NULL) EXECUTE FUNCTION keep_order_words();
CREATE TRIGGER order_words_changed AFTER UPDATE ON orders FOR EACH ROW
    WHEN (OLD.buyer_name IS DISTINCT FROM NEW.buyer_name) EXECUTE FUNCTION keep_order_words();
CREATE TRIGGER order_words_gone AFTER DELETE ON orders FOR EACH ROW
    WHEN (OLD.buyer_name IS NOT NULL) EXECUTE FUNCTION keep_order_words();

-- What was done to an order by hand at the packing table.
CREATE TABLE order_handling (
    seller_id uuid NOT NULL,
    order_id uuid NOT NULL,
    packed_at timestamptz,
    packed_by text,
    printed_at timestamptz,
    printed_by text,
    PRIMARY KEY (seller_id, order_id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE
);

CREATE TABLE order_note (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    user_id uuid NOT NULL,
    author text NOT NULL,
    body text NOT NULL CHECK (body <> ''),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE
);
CREATE INDEX order_note_of ON order_note (seller_id, order_id, at);
CREATE INDEX message_order ON message (seller_id, order_id, at) WHERE order_id IS NOT NULL;

-- A way of looking at the list: its address's query, a person's own or everybody's.
CREATE TABLE order_view (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    query text NOT NULL,
    shared boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, user_id, name)
);

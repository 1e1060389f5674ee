-- Stock truth: ledger.

-- Who moved it: "cli:NAME", "web:USER-ID", or "flow" where a worker followed what a channel told. The transaction
-- says so once (balcao.actor), so that no statement can forget it.
ALTER TABLE stock_movement ADD COLUMN made_by text NOT NULL
    DEFAULT coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow');
-- The last time that somebody said how many stand there, whether or not that changed the number.
ALTER TABLE stock_level ADD COLUMN counted_at timestamptz;

-- A file of stock: staged whole, then written in chunks, each of them once.
CREATE TABLE stock_import (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    number integer NOT NULL,
    mode text NOT NULL CHECK (mode IN ('set', 'add')),
    file_name text NOT NULL DEFAULT '',
    rows integer NOT NULL CHECK (rows > 0),
    made_by text NOT NULL DEFAULT coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow'),
    at timestamptz NOT NULL DEFAULT now(),
    applied_at timestamptz,     -- null: some rows are still to be written
    undone_at timestamptz,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, number)
);
CREATE TABLE stock_import_row (
    seller_id uuid NOT NULL,
    import_id uuid NOT NULL,
    line integer NOT NULL,
    sku_id uuid NOT NULL,
    warehouse_id uuid NOT NULL,
    units integer NOT NULL,
    before integer,
    delta integer,
    opened boolean NOT NULL DEFAULT false,
    applied_at timestamptz,
    undone_at timestamptz,
    PRIMARY KEY (seller_id, import_id, line),
    UNIQUE (seller_id, import_id, sku_id, warehouse_id),
    FOREIGN KEY (seller_id, import_id) REFERENCES stock_import ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku,
    FOREIGN KEY (seller_id, warehouse_id) REFERENCES warehouse
);

-- A count (inventário) of one warehouse: its SKUs, and every time one of them was counted; the last time counts.
CREATE TABLE stock_count (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    number integer NOT NULL,
    warehouse_id uuid NOT NULL,
    scope text NOT NULL CHECK (scope IN ('all', 'category', 'list')),
    category text,
    blind boolean NOT NULL DEFAULT false,
    note text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'posted', 'cancelled')),
    made_by text NOT NULL DEFAULT coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow'),
    at timestamptz NOT NULL DEFAULT now(),
    closed_by text,
    closed_at timestamptz,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, number),
    FOREIGN KEY (seller_id, warehouse_id) REFERENCES warehouse
);
CREATE TABLE stock_count_line (
    seller_id uuid NOT NULL,
    count_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    posted integer,             -- units by which the book was corrected; null: not posted
    PRIMARY KEY (seller_id, count_id, sku_id),
    FOREIGN KEY (seller_id, count_id) REFERENCES stock_count ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku
);
CREATE TABLE stock_count_entry (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    count_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    units integer NOT NULL CHECK (units >= 0),
    counted_at timestamptz NOT NULL,
    made_by text NOT NULL DEFAULT coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow'),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, count_id, sku_id) REFERENCES stock_count_line ON DELETE CASCADE
);
CREATE INDEX stock_count_entry_of ON stock_count_entry (seller_id, count_id, sku_id, id);

-- What became of returned units, as somebody here decided: it goes before what the channel tells.
CREATE TABLE return_receipt (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    return_ref text NOT NULL,
    line_ref text NOT NULL,
    disposition text NOT NULL CHECK (disposition IN ('sellable', 'damaged', 'lost')),
    warehouse_id uuid,          -- null: the shelf it left from; damaged units: the warehouse of damaged goods
    quantity integer NOT NULL CHECK (quantity >= 0),
    made_by text NOT NULL DEFAULT coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow'),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    UNIQUE NULLS NOT DISTINCT (seller_id, order_id, return_ref, line_ref, disposition, warehouse_id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE,
    FOREIGN KEY (seller_id, warehouse_id) REFERENCES warehouse
);

-- Until when an unpaid order holds its units, where its account says for how long.
ALTER TABLE orders ADD COLUMN hold_until timestamptz;
CREATE INDEX orders_hold ON orders (seller_id, hold_until) WHERE hold_until IS NOT NULL;

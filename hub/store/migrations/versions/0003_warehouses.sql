-- Stock truth: warehouses, how orders are allocated among them, transfers, and the recipe that each line was sold by.

ALTER TABLE warehouse ADD COLUMN state text, ADD COLUMN closed_at timestamptz;
ALTER TABLE warehouse ADD CONSTRAINT warehouse_state CHECK (state ~ '^[A-Z]{2}$'),
    ADD CONSTRAINT warehouse_postal_code CHECK (postal_code ~ '^[0-9]{8}$');

-- How far an order may be divided among warehouses: the SKU's word, else the account's, else the seller's.
ALTER TABLE seller ADD COLUMN split text NOT NULL DEFAULT 'units' CHECK (split IN ('order', 'line', 'units'));
ALTER TABLE account ADD COLUMN split text CHECK (split IN ('order', 'line', 'units'));
ALTER TABLE sku ADD COLUMN split text CHECK (split IN ('order', 'line', 'units'));

-- Another rank for what goes to a state, or to a range of postal codes (CEP).
CREATE TABLE warehouse_area (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    warehouse_id uuid NOT NULL,
    rank integer NOT NULL,
    state text,
    cep_from text,
    cep_to text,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, warehouse_id) REFERENCES warehouse ON DELETE CASCADE,
    CONSTRAINT warehouse_area_range CHECK ((cep_from IS NULL) = (cep_to IS NULL) AND cep_from <= cep_to)
);
CREATE INDEX warehouse_area_of ON warehouse_area (seller_id, warehouse_id);

-- The recipe that a line's stock effect was reckoned by: `units` of a component in one unit of the line. A line that
-- has left keeps it, whatever becomes of the kit; only another link makes it another.
CREATE TABLE order_line_part (
    seller_id uuid NOT NULL,
    order_id uuid NOT NULL,
    line_ref text NOT NULL,
    sku_id uuid NOT NULL,
    units integer NOT NULL CHECK (units > 0),
    sold_sku_id uuid NOT NULL,
    multiplier integer NOT NULL CHECK (multiplier > 0),
    PRIMARY KEY (seller_id, order_id, line_ref, sku_id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku,
    FOREIGN KEY (seller_id, sold_sku_id) REFERENCES sku
);
CREATE INDEX order_line_part_sku ON order_line_part (seller_id, sku_id);

CREATE TABLE transfer (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    number integer NOT NULL,
    from_id uuid NOT NULL,
    to_id uuid NOT NULL,
    transit_id uuid NOT NULL,       -- where the units stand on the way
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'sent', 'received', 'cancelled')),
    with_orders boolean NOT NULL DEFAULT false,
    note text,
    receipts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    closed_at timestamptz,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, number),
    CONSTRAINT transfer_elsewhere CHECK (from_id <> to_id AND from_id <> transit_id AND to_id <> transit_id),
    FOREIGN KEY (seller_id, from_id) REFERENCES warehouse,
    FOREIGN KEY (seller_id, to_id) REFERENCES warehouse,
    FOREIGN KEY (seller_id, transit_id) REFERENCES warehouse
);
CREATE INDEX transfer_open ON transfer (seller_id, status) WHERE status IN ('open', 'sent');

-- What was sent is received, lost on the way, came back (a cancelled transfer) or is under way.
CREATE TABLE transfer_line (
    seller_id uuid NOT NULL,
    transfer_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    sent integer NOT NULL DEFAULT 0 CHECK (sent >= 0),
    received integer NOT NULL DEFAULT 0 CHECK (received >= 0),
    lost integer NOT NULL DEFAULT 0 CHECK (lost >= 0),
    returned integer NOT NULL DEFAULT 0 CHECK (returned >= 0),
    PRIMARY KEY (seller_id, transfer_id, sku_id),
    FOREIGN KEY (seller_id, transfer_id) REFERENCES transfer ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku,
    CONSTRAINT transfer_line_sums CHECK (received + lost + returned <= sent)
);

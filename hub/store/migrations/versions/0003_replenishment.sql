-- Stock truth: replenishment.

-- A supplier's lead time, in days from order to shelf, with its deviation; measured ones take their place.
ALTER TABLE supplier
    ADD COLUMN email text,
    ADD COLUMN lead_time_deviation double precision NOT NULL DEFAULT 0 CHECK (lead_time_deviation >= 0),
    ADD COLUMN archived_at timestamptz,
    ALTER COLUMN lead_time_days TYPE double precision,
    ADD CONSTRAINT supplier_name CHECK (name <> ''),
    ADD CONSTRAINT supplier_name_key UNIQUE (seller_id, name);

-- What people set for a SKU; null: the seller's default, or computed. Safety stock is what is kept for buying in
-- time; what is held back from a channel is a buffer, elsewhere.
CREATE TABLE sku_replenishment (
    seller_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    active boolean NOT NULL DEFAULT true,
    supplier_id uuid,
    supplier_code text,
    lead_time_days double precision CHECK (lead_time_days BETWEEN 0 AND 730),
    lead_time_deviation double precision CHECK (lead_time_deviation BETWEEN 0 AND 730),
    safety_stock integer CHECK (safety_stock >= 0),
    reorder_point integer CHECK (reorder_point >= 0),
    service_level double precision CHECK (service_level >= 0.5 AND service_level < 1),
    review_days integer CHECK (review_days BETWEEN 0 AND 365),
    cover_days integer CHECK (cover_days BETWEEN 1 AND 730),
    order_multiple integer NOT NULL DEFAULT 1 CHECK (order_multiple > 0),
    order_minimum integer NOT NULL DEFAULT 1 CHECK (order_minimum > 0),
    handling text CHECK (handling IN ('winsorised', 'median', 'mean')),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, sku_id),
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku ON DELETE CASCADE,
    FOREIGN KEY (seller_id, supplier_id) REFERENCES supplier
);
CREATE INDEX sku_replenishment_supplier ON sku_replenishment (seller_id, supplier_id) WHERE supplier_id IS NOT NULL;

-- A day (of São Paulo) of a SKU on which something was sold or on which, for some of it, nothing was available.
-- Days without a row, since the SKU was opened, had stock throughout and sold nothing.
CREATE TABLE stock_day (
    seller_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    day date NOT NULL,
    sold integer NOT NULL CHECK (sold >= 0),                -- from the seller's own stock, kits as their components
    returned integer NOT NULL CHECK (returned >= 0),        -- of those
    sold_elsewhere integer NOT NULL CHECK (sold_elsewhere >= 0),    -- from a marketplace's stock
    minutes_out integer NOT NULL CHECK (minutes_out BETWEEN 0 AND 1440),
    PRIMARY KEY (seller_id, sku_id, day),
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku ON DELETE CASCADE
);

-- What follows from those days, the lead time and the settings: computed daily, compared with positions all day.
CREATE TABLE replenishment_plan (
    seller_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    per_day double precision NOT NULL,
    deviation double precision NOT NULL,
    days double precision NOT NULL,
    known_days integer NOT NULL,
    units integer NOT NULL,
    units_elsewhere integer NOT NULL,
    handling text NOT NULL,
    fence double precision,
    cut double precision NOT NULL,
    doubt text,
    lead_days double precision NOT NULL,
    lead_deviation double precision NOT NULL,
    lead_source text NOT NULL,
    lead_receipts integer NOT NULL,
    safety integer NOT NULL,
    reorder integer NOT NULL,
    target integer NOT NULL,
    recovers_at integer NOT NULL,
    abc text,               -- by cost of what sells; null: no cost is known
    computed_at timestamptz NOT NULL,
    PRIMARY KEY (seller_id, sku_id),
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku ON DELETE CASCADE
);

CREATE TABLE replenishment_run (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    day date NOT NULL,      -- the last whole day that was read
    skus integer NOT NULL,
    ms integer NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (seller_id)
);

-- closed: closed short, what is missing will not come.
ALTER TABLE purchase_order
    DROP CONSTRAINT purchase_order_status_check,
    ADD CONSTRAINT purchase_order_status_check
        CHECK (status IN ('draft', 'sent', 'partial', 'received', 'closed', 'cancelled')),
    ADD COLUMN warehouse_id uuid,
    ADD COLUMN note text,
    ADD COLUMN sent_at timestamptz,
    ADD COLUMN closed_at timestamptz,
    ADD CONSTRAINT purchase_order_number UNIQUE (seller_id, number),
    ADD FOREIGN KEY (seller_id, warehouse_id) REFERENCES warehouse;
CREATE INDEX purchase_order_recent ON purchase_order (seller_id, created_at DESC, id);
CREATE INDEX purchase_order_incoming ON purchase_order (seller_id, status) WHERE status IN ('draft', 'sent', 'partial');
CREATE INDEX purchase_order_line_sku ON purchase_order_line (seller_id, sku_id);

-- What came, in parts. A reference is booked once: the same form sent twice moves stock once.
CREATE TABLE purchase_receipt (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    purchase_order_id uuid NOT NULL,
    ref text NOT NULL CHECK (ref <> ''),
    warehouse_id uuid NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, purchase_order_id, ref),
    FOREIGN KEY (seller_id, purchase_order_id) REFERENCES purchase_order ON DELETE CASCADE,
    FOREIGN KEY (seller_id, warehouse_id) REFERENCES warehouse
);

CREATE TABLE purchase_receipt_line (
    seller_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    cost_cents bigint CHECK (cost_cents >= 0),
    PRIMARY KEY (seller_id, receipt_id, sku_id),
    FOREIGN KEY (seller_id, receipt_id) REFERENCES purchase_receipt ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku
);

-- Sales are read by when they were placed.
CREATE INDEX stock_movement_at ON stock_movement (seller_id, at);

-- Freight: what units measure, offers of carriers, labels bought, and the manifests they leave with.

-- Millimetres: ten thin things in whole centimetres would be twice as high.
ALTER TABLE sku RENAME COLUMN length_cm TO length_mm;
ALTER TABLE sku RENAME COLUMN width_cm TO width_mm;
ALTER TABLE sku RENAME COLUMN height_cm TO height_mm;
UPDATE sku SET length_mm = length_mm * 10, width_mm = width_mm * 10, height_mm = height_mm * 10
    WHERE coalesce(length_mm, width_mm, height_mm) IS NOT NULL;

-- How freight is chosen and from where it leaves: the account's word, else the seller's (account_id null).
CREATE TABLE freight_policy (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    account_id uuid,
    rule text CHECK (rule IN ('cheapest', 'fastest', 'promise')),
    sender jsonb,                   -- a Party: name, document, phone, email, address
    declares boolean,               -- whether an order without NF-e leaves with a content declaration
    most_g integer CHECK (most_g > 0),
    side_mm integer CHECK (side_mm > 0),
    sum_mm integer CHECK (sum_mm > 0),
    tare_g integer CHECK (tare_g >= 0),
    PRIMARY KEY (seller_id, id),
    UNIQUE NULLS NOT DISTINCT (seller_id, account_id),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE
);

-- What carriers were asked about an order, and what each answered.
CREATE TABLE freight_quote (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    at timestamptz NOT NULL,
    asked jsonb NOT NULL,           -- postal codes, volumes, what was promised
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE
);
CREATE INDEX freight_quote_of ON freight_quote (seller_id, order_id, at DESC);

CREATE TABLE freight_offer (
    seller_id uuid NOT NULL,
    quote_id uuid NOT NULL,
    account_id uuid NOT NULL,
    service text NOT NULL,          -- '': the carrier as a whole did not answer
    name text,
    price_cents bigint,
    days integer,
    deliver_by timestamptz,
    home_delivery boolean,
    cubic_g integer,                -- what the volumes weigh by their size, where the carrier's divisor is known
    error_code text,
    error text,
    ms integer NOT NULL,
    PRIMARY KEY (seller_id, quote_id, account_id, service),
    FOREIGN KEY (seller_id, quote_id) REFERENCES freight_quote ON DELETE CASCADE,
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE,
    CONSTRAINT freight_offer_or_error CHECK ((error_code IS NULL) = (error IS NULL))
);

-- Parcels that left with a carrier on a day, signed off by a person.
CREATE TABLE freight_manifest (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    number integer NOT NULL,
    day date NOT NULL,
    signed_at timestamptz NOT NULL,
    signed_by text NOT NULL,        -- who is signed in, as in the audit
    signed_name text NOT NULL,      -- the name of whoever took the parcels
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, number),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE
);

-- A volume's label. `buying`: the carrier may have been asked (tried_at) and nobody knows what became of it; `paying`:
-- it is known there and its purchase goes on; `cancelling`: taking it back was asked for.
CREATE TABLE freight_label (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    account_id uuid NOT NULL,
    volume integer NOT NULL CHECK (volume > 0),
    volumes integer NOT NULL,
    reference text NOT NULL,
    service text NOT NULL,
    name text,
    quoted_cents bigint,
    price_cents bigint,
    posting jsonb NOT NULL,         -- parcel, document of the content; the people stand in the order
    status text NOT NULL DEFAULT 'buying'
        CHECK (status IN ('buying', 'doubt', 'paying', 'bought', 'refused', 'cancelling', 'cancelled')),
    ref text,
    tracking_code text,
    expires_at timestamptz,
    shipment_id uuid,
    error text,
    tried_at timestamptz,
    pdf bytea,                      -- sealed
    pdf_at timestamptz,
    printed_at timestamptz,
    manifest_id uuid,
    lease_until timestamptz,
    lease_token uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    bought_at timestamptz,
    cancelled_at timestamptz,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, reference),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE,
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE,
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipment,
    FOREIGN KEY (seller_id, manifest_id) REFERENCES freight_manifest,
    CONSTRAINT freight_label_bought CHECK (status NOT IN ('bought', 'paying', 'cancelling') OR ref IS NOT NULL)
);
-- Never two labels for one parcel.
CREATE UNIQUE INDEX freight_label_parcel ON freight_label (seller_id, order_id, volume)
    WHERE status NOT IN ('refused', 'cancelled');
CREATE INDEX freight_label_leaving ON freight_label (seller_id, account_id, bought_at)
    WHERE status = 'bought' AND manifest_id IS NULL;
CREATE INDEX freight_label_manifest ON freight_label (seller_id, manifest_id) WHERE manifest_id IS NOT NULL;
CREATE INDEX freight_label_under_way ON freight_label (lease_until) WHERE status IN ('buying', 'paying', 'cancelling');
CREATE INDEX freight_label_kept ON freight_label (seller_id, pdf_at) WHERE pdf IS NOT NULL;

GRANT SELECT (seller_id, id, status, lease_until) ON freight_label TO balcao_dispatch;
CREATE POLICY due_read ON freight_label FOR SELECT TO balcao_dispatch USING (true);

-- Labels asked to be printed together, in this order.
CREATE TABLE freight_print (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    labels uuid[] NOT NULL,
    layout text NOT NULL CHECK (layout IN ('10x15', 'a4')),
    failures jsonb NOT NULL DEFAULT '{}',   -- sentences by label
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id)
);

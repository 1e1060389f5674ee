-- Tracking: who has a parcel and what it is asked by, what could not be read yet, and how soon channels were told.
ALTER TABLE shipment
    ADD COLUMN not_found_since timestamptz,   -- the carrier was asked and does not know it (yet)
    ADD COLUMN heard_at timestamptz,          -- its carrier told of it by itself, and missed nothing since
    ADD COLUMN left_alone text CHECK (left_alone IN ('unnamed', 'no_account', 'ambiguous'));  -- why nobody follows it

-- Every carrier that has had a parcel, first to last, and the code that it is asked by there.
CREATE TABLE shipment_leg (
    seller_id uuid NOT NULL,
    shipment_id uuid NOT NULL,
    position integer NOT NULL,
    account_id uuid NOT NULL,                 -- the seller's account at that carrier
    carrier text NOT NULL,                    -- its channel
    code text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, shipment_id, position),
    UNIQUE (seller_id, shipment_id, carrier, code),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipment ON DELETE CASCADE,
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE
);
CREATE INDEX shipment_leg_code ON shipment_leg (seller_id, account_id, code);
CREATE INDEX freight_label_shipment ON freight_label (seller_id, shipment_id) WHERE shipment_id IS NOT NULL;
CREATE INDEX freight_label_ref ON freight_label (seller_id, account_id, ref) WHERE shipment_id IS NOT NULL;
CREATE INDEX shipment_followed ON shipment (seller_id, carrier_account_id) WHERE carrier_account_id IS NOT NULL;

ALTER TABLE tracking_event
    ADD COLUMN carrier text NOT NULL DEFAULT '',
    ADD COLUMN raw_at text,                   -- as the carrier told it
    ADD COLUMN zone text;                     -- assumed for it; null: it told an offset
UPDATE tracking_event e SET carrier = coalesce((SELECT a.channel FROM shipment s
    JOIN account a ON a.seller_id = s.seller_id AND a.id = s.carrier_account_id
    WHERE s.seller_id = e.seller_id AND s.id = e.shipment_id), 'correios');
ALTER TABLE tracking_event
    ALTER COLUMN carrier DROP DEFAULT,
    DROP CONSTRAINT tracking_event_seller_id_shipment_id_at_raw_code_place_stat_key,
    ADD CONSTRAINT tracking_event_once UNIQUE NULLS NOT DISTINCT (seller_id, shipment_id, carrier, at, raw_code, place,
        state);
CREATE INDEX tracking_event_unknown ON tracking_event (seller_id, carrier, raw_code) WHERE status = 'unknown';

-- What a carrier told that cannot be settled yet: codes in no table of ours, and parcels that nobody knows.
CREATE TABLE tracking_document (
    seller_id uuid NOT NULL,
    account_id uuid NOT NULL,
    digest text NOT NULL,
    raw bytea NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (seller_id, account_id, digest),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE
);
CREATE TABLE tracking_kept (
    seller_id uuid NOT NULL,
    account_id uuid NOT NULL,
    code text NOT NULL,                       -- the code asked by
    digest text NOT NULL,
    reason text NOT NULL CHECK (reason IN ('unknown_code', 'unknown_parcel')),
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, account_id, code, digest, reason),
    FOREIGN KEY (seller_id, account_id, digest) REFERENCES tracking_document ON DELETE CASCADE
);

-- One row for each thing that a channel was told of a parcel.
CREATE TABLE news_log (
    seller_id uuid NOT NULL,
    shipment_id uuid NOT NULL,
    news text NOT NULL,
    happened_at timestamptz,                  -- the carrier's last scan
    learnt_at timestamptz NOT NULL,           -- when the hub had it
    told_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, shipment_id, news),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipment ON DELETE CASCADE
);
CREATE INDEX news_log_told ON news_log (seller_id, told_at);

ALTER TABLE task DROP CONSTRAINT task_kind_check, ADD CONSTRAINT task_kind_check
    CHECK (kind IN ('poll', 'missed', 'listings', 'reconcile', 'recheck', 'source', 'subscribe', 'feed'));

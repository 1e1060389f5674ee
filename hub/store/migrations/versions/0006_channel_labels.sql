-- The label that a channel issues for a parcel that travels by it. It names a person and where they live: it is sealed,
-- and let go of with those of carriers.
CREATE TABLE channel_label (
    seller_id uuid NOT NULL,
    shipment_id uuid NOT NULL,
    pdf_sealed bytea,
    pdf_at timestamptz,
    printed_at timestamptz,
    PRIMARY KEY (seller_id, shipment_id),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipment ON DELETE CASCADE
);
CREATE INDEX channel_label_kept ON channel_label (seller_id, pdf_at) WHERE pdf_sealed IS NOT NULL;

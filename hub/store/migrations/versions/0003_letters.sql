-- What stands still until a person acts, listed newest first across accounts: each index holds those rows only.
CREATE INDEX inbox_parked_id ON inbox (seller_id, id) WHERE state = 'parked';
CREATE INDEX stock_slot_parked_id ON stock_slot (seller_id, id) WHERE parked_code IS NOT NULL;
CREATE INDEX shipment_untold ON shipment (seller_id, id) WHERE news_parked IS NOT NULL;
CREATE INDEX shipment_untracked ON shipment (seller_id, id)
    WHERE ended_at IS NULL AND (left_alone = 'ambiguous'
        OR (track_error IS NOT NULL AND (track_due_at IS NULL OR track_attempts >= 3)));
CREATE INDEX freight_label_doubt ON freight_label (seller_id, id) WHERE status = 'doubt';

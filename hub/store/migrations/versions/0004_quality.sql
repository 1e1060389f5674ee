-- What the pages look for among a million orders: each list along an index of its own.

-- Labels of an order, the refused ones too.
CREATE INDEX freight_label_order ON freight_label (seller_id, order_id);
-- Orders that wait for a label, the most urgent first.
CREATE INDEX orders_to_send ON orders (seller_id, coalesce(ship_by, placed_at, first_seen_at), id)
    WHERE status = 'paid';
-- Parcels, newest first, that are few among those delivered.
CREATE INDEX shipment_silent ON shipment (seller_id, id) WHERE status IS NULL;
CREATE INDEX shipment_moving ON shipment (seller_id, id) WHERE status IN ('label_created', 'accepted', 'in_transit',
    'out_for_delivery', 'awaiting_pickup', 'customs');
CREATE INDEX shipment_trouble ON shipment (seller_id, id) WHERE delayed OR news_parked IS NOT NULL
    OR left_alone = 'ambiguous' OR not_found_since IS NOT NULL
    OR status IN ('exception', 'failed_attempt', 'returning', 'lost', 'damaged');

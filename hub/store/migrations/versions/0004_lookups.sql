-- Where the soak of 100,000 orders went slower with every order: both were looked for through the whole table.
-- A transfer's own movements (I10, and the transfer's page).
CREATE INDEX stock_movement_transfer ON stock_movement (seller_id, line_ref, sku_id) WHERE reason = 'transfer';
-- The stock effects that an order holds: it gives up those of a key that it has no more, and goes with them.
CREATE INDEX stock_effect_order ON stock_effect (seller_id, order_id);

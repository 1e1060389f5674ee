-- == deeds: what people did beside the orders
-- Everything follows from a deed's number d, 1 being the newest, two a day; the newest are the same however many orders
-- there are. What moves units is booked, so that the ledger still tells what stands there.
INSERT INTO warehouse (seller_id, id, code, name, kind, rank, postal_code, state) VALUES
    (%(seller)s, gen_random_uuid(), 'galpao', 'Galpão Curitiba', 'own', 200, '80010000', 'PR'),
    (%(seller)s, gen_random_uuid(), 'transito', 'Em trânsito', 'transit', 900, NULL, NULL);

INSERT INTO supplier (seller_id, id, name, email, lead_time_days)
SELECT %(seller)s, gen_random_uuid(), 'Fornecedor ' || n, 'vendas' || n || '@example.com', 10 + n
FROM generate_series(1, 40) n;

CREATE TEMP TABLE deed AS
SELECT d, now() - d * interval '12 hours' AS at, uuidv7(- d * interval '12 hours') AS id FROM generate_series(1, %(deeds)s) d;

CREATE TEMP TABLE deed_line AS
SELECT d, at, deed.id, x, k.id AS sku_id, k.code FROM deed, generate_series(0, 7) x, shelf k WHERE k.i = (d * 17 + x * 251) %% %(skus)s;

-- The ten newest purchases are still to come.
INSERT INTO purchase_order (seller_id, id, supplier_id, number, status, created_at, sent_at, expected_at, closed_at,
    warehouse_id)
SELECT %(seller)s, d.id, s.id, %(deeds)s - d + 1, CASE WHEN d <= 10 THEN 'sent' ELSE 'received' END, at, at,
    at + interval '12 days', CASE WHEN d > 10 THEN at + interval '4 days' END, %(warehouse)s
FROM deed d JOIN supplier s ON s.name = 'Fornecedor ' || 1 + d %% 40;

INSERT INTO purchase_order_line (seller_id, purchase_order_id, sku_id, quantity, received_quantity, cost_cents)
SELECT %(seller)s, id, sku_id, 24, CASE WHEN d > 10 THEN 24 ELSE 0 END, 1450 FROM deed_line;

INSERT INTO purchase_receipt (seller_id, id, purchase_order_id, ref, warehouse_id, at)
SELECT %(seller)s, uuidv7(at + interval '4 days' - now()), id, 'nf-' || d, %(warehouse)s, at + interval '4 days'
FROM deed WHERE d > 10;

INSERT INTO purchase_receipt_line (seller_id, receipt_id, sku_id, quantity, cost_cents)
SELECT %(seller)s, r.id, l.sku_id, 24, 1450 FROM deed_line l JOIN purchase_receipt r ON r.purchase_order_id = l.id;

INSERT INTO stock_movement (seller_id, id, sku_id, warehouse_id, delta, reason, source_ref, at)
SELECT %(seller)s, gen_random_uuid(), sku_id, %(warehouse)s, 24, 'receipt', 'purchase:' || id || ':nf-' || d,
    at + interval '4 days'
FROM deed_line WHERE d > 10;

-- Every fourth deed a transfer that arrived.
INSERT INTO transfer (seller_id, id, number, from_id, to_id, transit_id, status, receipts, created_at, sent_at, closed_at)
SELECT %(seller)s, d.id, %(deeds)s - d + 1, %(warehouse)s, w.id, t.id, 'received', 1, at, at, at + interval '6 hours'
FROM deed d, warehouse w, warehouse t WHERE d %% 4 = 0 AND w.code = 'galpao' AND t.code = 'transito';

INSERT INTO transfer_line (seller_id, transfer_id, sku_id, quantity, sent, received)
SELECT %(seller)s, id, sku_id, 2, 2, 2 FROM deed_line WHERE d %% 4 = 0;

INSERT INTO stock_movement (seller_id, id, sku_id, warehouse_id, delta, reason, source_ref, line_ref, at)
SELECT %(seller)s, gen_random_uuid(), sku_id, CASE leg WHEN 1 THEN t.from_id WHEN 4 THEN t.to_id ELSE t.transit_id END,
    CASE WHEN leg IN (1, 3) THEN -2 ELSE 2 END, 'transfer',
    'transfer:' || t.id || CASE WHEN leg < 3 THEN ':send' ELSE ':receive:1' END, t.id,
    CASE WHEN leg < 3 THEN t.sent_at ELSE t.closed_at END
FROM deed_line l JOIN transfer t USING (id), generate_series(1, 4) leg;

-- Every fourth a sheet of stock that was written and found what it said.
INSERT INTO stock_import (seller_id, id, number, mode, file_name, rows, made_by, at, applied_at)
SELECT %(seller)s, id, %(deeds)s - d + 1, 'set', 'contagem-' || d || '.csv', 8, 'web:' || %(user)s, at, at FROM deed
WHERE d %% 4 = 1;

INSERT INTO stock_import_row (seller_id, import_id, line, sku_id, warehouse_id, units, before, delta, applied_at)
SELECT %(seller)s, id, x + 2, sku_id, %(warehouse)s, 40, 40, 0, at FROM deed_line WHERE d %% 4 = 1;

-- Every fourth a count of one category that was posted, and one of everything is open.
INSERT INTO stock_count (seller_id, id, number, warehouse_id, scope, state, made_by, at, closed_by, closed_at)
SELECT %(seller)s, id, CASE d WHEN 2 THEN 1 ELSE %(deeds)s - d + 2 END, %(warehouse)s,
    CASE d WHEN 2 THEN 'all' ELSE 'list' END, CASE d WHEN 2 THEN 'open' ELSE 'posted' END, 'web:' || %(user)s, at,
    CASE WHEN d > 2 THEN 'web:' || %(user)s END, CASE WHEN d > 2 THEN at + interval '2 hours' END
FROM deed WHERE d %% 4 = 2;

INSERT INTO stock_count_line (seller_id, count_id, sku_id, posted)
SELECT %(seller)s, id, sku_id, 0 FROM deed_line WHERE d %% 4 = 2 AND d > 2
UNION ALL SELECT %(seller)s, d.id, k.id, NULL FROM deed d, shelf k WHERE d = 2;

INSERT INTO stock_count_entry (seller_id, id, count_id, sku_id, units, counted_at, made_by, at)
SELECT %(seller)s, gen_random_uuid(), l.count_id, l.sku_id, 40 + k.i %% 3, c.at, c.made_by, c.at
FROM stock_count_line l JOIN stock_count c ON c.id = l.count_id JOIN shelf k ON k.id = l.sku_id WHERE k.i %% 2 = 0;

-- A sheet that somebody still looks at.
INSERT INTO sheet_upload (seller_id, id, kind, file_name, body, options, made_by)
SELECT %(seller)s, gen_random_uuid(), 'stock', 'contagem-loja.csv',
    convert_to(E'SKU;Quantidade\n' || string_agg(code || ';44', E'\n' ORDER BY i), 'UTF8'),
    '{"mode": "set", "create": true}', 'web:' || %(user)s
FROM shelf WHERE i < 200;

-- Labels printed together, forty each time.
INSERT INTO freight_print (seller_id, id, labels, layout, created_at)
SELECT %(seller)s, uuidv7(max(bought_at) - now()), array_agg(id), 'a4', max(bought_at)
FROM (SELECT id, bought_at, row_number() OVER (ORDER BY bought_at DESC) / 40 AS page FROM freight_label) l GROUP BY page;

-- Listings: one that nobody linked, and who linked the others.
INSERT INTO listing_link (seller_id, id, listing_id, sku_code, multiplier, linked_by, actor, at)
SELECT %(seller)s, gen_random_uuid(), id, channel_sku, 1, 'sku', 'flow', now() - interval '3 years' FROM listing;

INSERT INTO stock_slot (seller_id, id, account_id, ref, listing_ref, seen, seen_at, expected, approved_at)
SELECT %(seller)s, gen_random_uuid(), id, 'L-AVULSO', 'L-AVULSO', 2, now(), 2, now() FROM account WHERE name = 'Loja própria';

INSERT INTO listing (seller_id, id, account_id, ref, slot_id, channel_sku, title, status, quantity, price_cents, currency,
    managed_by, seen_at)
SELECT seller_id, gen_random_uuid(), account_id, ref, id, 'can 01', 'Kit 6 Produto 1', 'active', 2, 19990, 'BRL', 'seller',
    now()
FROM stock_slot WHERE ref = 'L-AVULSO';

-- Rules that keep units back, one for every fourth SKU.
INSERT INTO buffer (seller_id, id, scope, scope_ref, kind, value)
SELECT %(seller)s, gen_random_uuid(), 'sku', code, 'units', 2 FROM shelf WHERE i %% 4 = 0;

-- What each person did, and what was told of the orders of thirty days: by one chat, and to one program.
INSERT INTO audit_log (seller_id, id, user_id, action, subject, params, at)
SELECT %(seller)s, uuidv7(placed_at - now()), %(user)s, 'order_note', number, '{}', placed_at FROM orders
WHERE hashtext(number) %% 20 = 0;

INSERT INTO notice_message (seller_id, id, way_id, kind, state, headline, alerts, answer, at)
SELECT %(seller)s, uuidv7(opened_at - now()), w.id, 'alerts', 'sent', 'Bench · Urgente: prazo perdido', 1, '200', opened_at
FROM alert a, notice_way w WHERE a.kind = 'ship_late' AND a.opened_at > now() - interval '30 days';

INSERT INTO event (seller_id, id, number, kind, subject, at, facts, body)
SELECT %(seller)s, uuidv7(placed_at - now()), row_number() OVER (ORDER BY placed_at), 'order.created', id::text, placed_at,
    '{}', jsonb_build_object('type', 'order.created', 'timestamp', placed_at, 'data', told)::text
FROM orders WHERE placed_at > now() - interval '30 days';

UPDATE event_interest SET last_number = (SELECT count(*) FROM event);

INSERT INTO event_delivery (seller_id, id, endpoint_id, event_id, kind, subject, state, reason, attempts, created_at,
    finished_at)
SELECT %(seller)s, uuidv7(e.at - now() + interval '1 second'), p.id, e.id, kind, subject,
    CASE WHEN e.number %% 50 = 0 THEN 'failed' ELSE 'sent' END, CASE WHEN e.number %% 50 = 0 THEN 'attempts' END, 1, e.at,
    e.at + interval '1 second'
FROM event e, event_endpoint p;

INSERT INTO event_attempt (seller_id, id, delivery_id, at, ms, status, problem, answer)
SELECT %(seller)s, uuidv7(finished_at - now()), id, finished_at, 40, CASE state WHEN 'sent' THEN 200 ELSE 500 END,
    CASE state WHEN 'failed' THEN 'status' END, '' FROM event_delivery;

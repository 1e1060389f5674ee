-- == shelf: what is there however many orders there are
-- Everything follows from an order's number n, 1 being the newest, so that a run can be repeated.
-- pick(): a number below m that depends on the order's number and on what it is for.
CREATE FUNCTION pick(n bigint, what integer, m integer) RETURNS integer LANGUAGE sql IMMUTABLE AS
$$ SELECT (abs(hashint8(n * 101 + what)::bigint) % m)::integer $$;

INSERT INTO account (seller_id, id, channel, name, external_id, status, callback_hash, checked_at, approved_at)
SELECT %(seller)s, gen_random_uuid(), channel, name, 'bench-' || n, status, sha256(n::text::bytea), now(), now()
FROM (VALUES (0, 'magalu', 'Magalu antiga', 'closed'), (1, 'woocommerce', 'Loja própria', 'live'),
             (2, 'mercadolivre', 'Mercado Livre', 'live'),
             (3, 'shopee', 'Shopee', 'live'), (4, 'magalu', 'Magalu', 'live'),
             (5, 'correios', 'Correios contrato', 'live'), (6, 'woocommerce', 'Atacado', 'preview'),
             (7, 'vtex', 'VTEX', 'live'), (8, 'amazon', 'Amazon', 'live'), (9, 'nuvemshop', 'Nuvemshop', 'live'),
             (10, 'shopify', 'Shopify', 'live'))
     v(n, channel, name, status) WHERE n <= %(accounts)s;

INSERT INTO credential (seller_id, account_id, sealed) SELECT seller_id, id, %(sealed)s FROM account
WHERE status <> 'closed';

INSERT INTO task (seller_id, account_id, kind, due_at, succeeded_at)
SELECT seller_id, id, kind, now() + interval '1 hour', now() FROM account,
    unnest(ARRAY['poll', 'listings', 'reconcile']) kind WHERE channel <> 'correios' AND status <> 'closed';

INSERT INTO sku (seller_id, id, code, title, cost_cents, weight_g, opened_at, stock_since)
SELECT %(seller)s, gen_random_uuid(), CASE n WHEN 0 THEN 'CAN-01' ELSE 'SKU-' || n END, 'Produto ' || n,
    500 + pick(n, 1, 20000), 300, now() - interval '3 years', now() - interval '3 years'
FROM generate_series(0, %(skus)s - 1) n;

INSERT INTO stock_slot (seller_id, id, account_id, ref, listing_ref, sku_id, desired, pushed, expected, seen, seen_at,
    synced_from, synced_to, approved_at, last_pushed_at)
SELECT k.seller_id, gen_random_uuid(), a.id, 'L-' || k.code, 'L-' || k.code, k.id, 40, 40, 40, 40, now(),
    now(), now(), now(), now() - interval '1 hour'
FROM sku k JOIN account a USING (seller_id) WHERE a.name = ANY(%(listed)s);

INSERT INTO listing (seller_id, id, account_id, ref, slot_id, sku_id, linked_by, channel_sku, title, status, quantity,
    price_cents, currency, managed_by, seen_at)
SELECT s.seller_id, gen_random_uuid(), s.account_id, s.listing_ref, s.id, k.id, 'sku', k.code, k.title, 'active',
    40, 4990, 'BRL', 'seller', now()
FROM stock_slot s JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id;

INSERT INTO stock_day (seller_id, sku_id, day, sold, returned, sold_elsewhere, minutes_out)
SELECT seller_id, id, current_date - d, d %% 3, 0, 0, 0 FROM sku, generate_series(1, 60) d;

-- A manifest a day; today's parcels have not left yet.
INSERT INTO freight_manifest (seller_id, id, account_id, number, day, signed_at, signed_by, signed_name)
SELECT seller_id, gen_random_uuid(), id, 1000 - d, current_date - d, now() - d * interval '1 day', 'bench', 'Motorista'
FROM account, generate_series(1, %(days)s) d WHERE channel = 'correios';

-- The order's number -> what it draws from: tables of the session, for the batches.
CREATE TEMP TABLE shops AS SELECT id, row_number() OVER (ORDER BY name) - 1 AS i, name, channel FROM account
WHERE status = 'live' AND channel <> 'correios';

CREATE TEMP TABLE shelf AS SELECT id, code, title, row_number() OVER (ORDER BY code) - 1 AS i FROM sku;

CREATE UNIQUE INDEX ON shelf (i);

ANALYZE shelf;

-- == orders: a batch from %(first)s to %(last)s of %(count)s
CREATE TEMP TABLE made AS
SELECT n, uuidv7(placed - now()) AS id, s.id AS account_id, s.name AS account, s.channel,
    (2000000000 + %(count)s - n)::text AS ref, placed,
    status, CASE status WHEN 'placed' THEN 'pending' WHEN 'cancelled' THEN (ARRAY['voided', 'refunded'])[1 + n %% 2]
        ELSE CASE WHEN pick(n, 7, 100) = 0 THEN 'partially_refunded' ELSE 'paid' END END AS payment,
    CASE WHEN status IN ('dispatched', 'delivered') THEN
        CASE WHEN status = 'delivered' AND pick(n, 8, 120) = 0 THEN 'returned' ELSE status END ELSE 'none' END AS done,
    CASE WHEN status IN ('placed', 'paid') AND pick(n, 9, 30) = 0
        THEN (ARRAY['fraud', 'invoice_pending', 'cancel_requested'])[1 + pick(n, 10, 3)] END AS hold,
    CASE WHEN channel = 'woocommerce' AND pick(n, 19, 3) = 0 THEN NULL ELSE placed + interval '36 hours' END AS ship_by,
    (ARRAY['Ana', 'Bruno', 'Carla', 'Davi', 'Elisa', 'Fábio', 'Gabriela', 'Heitor', 'Inês', 'João', 'Karina', 'Lucas',
        'Marina', 'Nelson', 'Olívia', 'Paulo', 'Raquel', 'Sérgio', 'Tânia', 'Vítor'])[1 + pick(n, 11, 20)]
    || ' ' || (ARRAY['Almeida', 'Barbosa', 'Cardoso', 'Dias', 'Esteves', 'Ferreira', 'Gomes', 'Lima', 'Moreira', 'Nunes',
        'Oliveira', 'Pereira', 'Silva', 'Silva', 'Silva', 'Souza'])[1 + pick(n, 12, 16)]
    || ' ' || chr(65 + pick(n, 13, 26)) || (ARRAY['astro', 'orges', 'unha', 'uarte', 'onseca'])[1 + pick(n, 14, 5)]
        AS buyer,
    -- Who bought in the last nine days has bought nothing before: as many orders of that CPF in either hub.
    lpad(pick(n, 15, 400000)::text, 11, CASE WHEN n <= %(lately)s THEN '4' ELSE '3' END) AS document,
    (ARRAY['SP', 'SP', 'SP', 'SP', 'RJ', 'RJ', 'MG', 'MG', 'PR', 'RS', 'SC', 'BA', 'PE', 'CE', 'GO', 'DF', 'ES', 'PA',
        'AM', 'AC'])[1 + pick(n, 16, 20)] AS uf,
    1 + (pick(n, 17, 4) = 0)::int + (pick(n, 17, 16) = 0)::int AS lines
FROM (SELECT n, placed, CASE
          WHEN placed > now() - interval '2 days' THEN CASE WHEN r < 80 THEN 'placed' WHEN r < 800 THEN 'paid'
              WHEN r < 830 THEN 'cancelled' ELSE 'dispatched' END
          WHEN n <= %(lately)s THEN CASE WHEN r < 4 THEN 'paid' WHEN r < 50 THEN 'cancelled'
              WHEN r < 700 THEN 'dispatched' ELSE 'delivered' END
          ELSE CASE WHEN r < 60 THEN 'cancelled' ELSE 'delivered' END END AS status
      FROM (SELECT n, now() - CASE WHEN n <= %(lately)s THEN n * interval '9 days' / %(lately)s ELSE interval '9 days'
                   + (n - %(lately)s) * interval '1 day' * (%(days)s - 9) / (%(count)s - %(lately)s) END AS placed,
               pick(n, 6, 1000) AS r
            FROM generate_series(%(first)s::bigint, %(last)s) n) at) told
JOIN shops s ON s.i = pick(n, 5, %(shops)s);

CREATE INDEX ON made (id);

CREATE TEMP TABLE made_line AS
SELECT m.n, m.id, 'l' || x AS ref, k.id AS sku_id, k.code, k.title, 1 + pick(m.n, 20 + x, 3) / 2 AS units,
    1990 + pick(m.n, 30 + x, 30000) AS cents
FROM made m, generate_series(1, m.lines) x, shelf k
WHERE k.i = CASE WHEN pick(m.n, 90 + x, 20) > 0 THEN pick(m.n, 40 + x, %(skus)s) ELSE 0 END;

ANALYZE made;

ANALYZE made_line;

INSERT INTO orders (seller_id, id, account_id, ref, number, stock_key, status, payment, fulfilment, hold, fulfilled_by,
    total_cents, placed_at, changed_at, ship_by, deliver_by, buyer_name, buyer_document, told, versions, first_seen_at,
    updated_at, deadline_at, ship_stage)
SELECT %(seller)s, id, m.account_id, m.ref, m.ref, m.channel || ':' || m.ref, m.status, m.payment, m.done, m.hold,
    'seller', l.cents + 1500, m.placed, m.placed, m.ship_by, m.placed + interval '8 days', m.buyer, m.document,
    jsonb_build_object('ref', m.ref, 'number', m.ref, 'hold', m.hold, 'currency', 'BRL', 'payment', m.payment,
        'paid_at', m.placed, 'placed_at', m.placed, 'ship_by', m.ship_by, 'items_cents', l.cents,
        'shipping_cents', 1500, 'total_cents', l.cents + 1500, 'lines', l.lines, 'returns', '[]'::jsonb,
        'invoices', '[]'::jsonb, 'shipments', '[]'::jsonb, 'origin', NULL,
        'buyer', jsonb_build_object('ref', m.document, 'name', m.buyer, 'email', m.document || '@example.com',
            'phone', '+5511987654321', 'document', jsonb_build_object('kind', 'cpf', 'valid', true,
            'number', m.document)),
        'ship_to', jsonb_build_object('recipient', m.buyer, 'street', 'Rua das Acácias', 'number', m.n::text,
            'complement', NULL, 'district', 'Centro', 'city', 'Cidade ' || m.uf, 'state', m.uf, 'country', 'BR',
            'postal_code', lpad((m.n %% 99999999)::text, 8, '0'))),
    jsonb_build_object('lines', jsonb_build_array(m.placed, m.n), 'payment', jsonb_build_array(m.placed, m.n),
        'ship_to', jsonb_build_array(m.placed, m.n), 'total_cents', jsonb_build_array(m.placed, m.n)),
    m.placed, m.placed, CASE WHEN m.status = 'paid' AND m.ship_by > now() THEN m.ship_by - interval '4 hours' END,
    CASE WHEN m.status = 'paid' AND m.ship_by < now() THEN 3 ELSE 0 END
FROM made m JOIN (SELECT id, sum(cents) AS cents, jsonb_agg(jsonb_build_object('ref', ref, 'sku', code,
        'title', title, 'quantity', units, 'total_cents', cents, 'listing_ref', 'L-' || code, 'variation_ref', NULL,
        'fulfilled_by', 'seller', 'cancelled_quantity', 0, 'dispatched_quantity', 0, 'returned_quantity', 0)) AS lines
    FROM made_line GROUP BY id) l USING (id);

INSERT INTO order_line (seller_id, order_id, ref, listing_ref, channel_sku, sku_id, title, quantity, cancelled_quantity,
    dispatched_quantity, total_cents, fulfilled_by)
SELECT %(seller)s, l.id, l.ref, 'L-' || l.code, l.code, l.sku_id, l.title, l.units,
    CASE WHEN m.status = 'cancelled' THEN l.units ELSE 0 END,
    CASE WHEN m.status IN ('dispatched', 'delivered') THEN l.units ELSE 0 END, l.cents, 'seller'
FROM made_line l JOIN made m USING (id);

-- What the trigger of `orders` would write row by row.
INSERT INTO order_word SELECT %(seller)s, unnest(name_words(buyer)), id FROM made;

INSERT INTO stock_effect SELECT %(seller)s, channel || ':' || ref, id FROM made;

INSERT INTO order_part (seller_id, order_id, part, clock, fetch_seq, digest, raw, fetched_at)
SELECT %(seller)s, id, 'order', placed, n, md5(ref), convert_to(repeat('{"order":"' || ref || '"}', 20), 'UTF8'), placed
FROM made;

INSERT INTO order_event (seller_id, id, order_id, at, kind, params)
SELECT %(seller)s, gen_random_uuid(), id, placed + i * interval '1 day', CASE i WHEN 0 THEN 'created' ELSE 'status' END,
    jsonb_build_object('status', status, 'from', 'paid', 'to', status)
FROM made, generate_series(0, CASE WHEN status IN ('placed', 'paid') THEN 0 ELSE 1 END) i;

INSERT INTO stock_movement (seller_id, id, sku_id, warehouse_id, delta, reason, source_ref, line_ref, order_id, at)
SELECT %(seller)s, gen_random_uuid(), l.sku_id, %(warehouse)s, -l.units, 'dispatch', 'order:' || l.id, l.ref, l.id,
    m.placed + interval '1 day'
FROM made_line l JOIN made m USING (id) WHERE m.status IN ('dispatched', 'delivered');

INSERT INTO reservation (seller_id, order_id, line_ref, sku_id, warehouse_id, quantity, created_at)
SELECT %(seller)s, l.id, l.ref, l.sku_id, %(warehouse)s, l.units, m.placed
FROM made_line l JOIN made m USING (id) WHERE m.status = 'paid' AND pick(m.n, 50, 8) > 0;

INSERT INTO shortage (seller_id, order_id, line_ref, sku_id, quantity, created_at)
SELECT %(seller)s, l.id, l.ref, l.sku_id, l.units, m.placed
FROM made_line l JOIN made m USING (id) WHERE m.status = 'paid' AND pick(m.n, 50, 8) = 0;

INSERT INTO shortage_case (seller_id, id, order_id, line_ref, sku_id, units, opened_at, closed_at, ended, look_at, cause,
    evidence)
SELECT %(seller)s, gen_random_uuid(), l.id, l.ref, l.sku_id, l.units, m.placed,
    CASE WHEN m.status <> 'paid' THEN m.placed + interval '1 day' END, CASE WHEN m.status <> 'paid' THEN 'filled' END,
    NULL, NULL, NULL
FROM made_line l JOIN made m USING (id) WHERE (m.status = 'paid' AND pick(m.n, 50, 8) = 0) OR (m.status = 'delivered' AND pick(m.n, 51, 60) = 0);

CREATE TEMP TABLE made_parcel AS
SELECT m.n, m.id AS order_id, uuidv7(m.placed - now() + interval '1 day') AS id, m.account_id,
    'BC' || lpad(m.n::text, 9, '0') || 'BR' AS code, m.placed, m.ref,
    CASE m.status WHEN 'delivered' THEN 'delivered' ELSE
        (ARRAY['in_transit', 'in_transit', 'out_for_delivery', 'awaiting_pickup', 'exception'])[1 + pick(m.n, 60, 5)] END
        AS status
FROM made m WHERE m.status IN ('dispatched', 'delivered');

INSERT INTO shipment (seller_id, id, account_id, ref, carrier_account_id, carrier, service, tracking_code, status, source,
    deliver_by, last_event_at, track_due_at, news_told, created_at, look_at, ended_at)
SELECT %(seller)s, id, account_id, 'S' || ref, (SELECT id FROM account WHERE channel = 'correios'), 'Correios', 'PAC',
    code, status, 'channel', placed + interval '8 days', placed + interval '3 days',
    CASE WHEN status <> 'delivered' THEN now() + interval '3 hours' END, '{dispatched}', placed + interval '1 day',
    CASE WHEN status <> 'delivered' THEN now() + interval '3 hours' END,
    CASE WHEN status = 'delivered' THEN placed + interval '6 days' END
FROM made_parcel;

INSERT INTO shipment_line SELECT %(seller)s, id, order_id, '', NULL FROM made_parcel;

-- Paid orders of the marketplace whose label it has issued.
INSERT INTO shipment (seller_id, id, account_id, ref, carrier, service, tracking_code, status, source, created_at)
SELECT %(seller)s, md5('M' || id)::uuid, account_id, 'M' || ref, 'Mercado Envios', 'me2:drop_off',
    'MEL' || lpad(n::text, 9, '0') || 'LM', 'label_created', 'channel', placed
FROM made WHERE status = 'paid' AND channel = 'mercadolivre';

INSERT INTO shipment_line SELECT %(seller)s, md5('M' || id)::uuid, id, '', NULL FROM made
WHERE status = 'paid' AND channel = 'mercadolivre';

INSERT INTO tracking_event (seller_id, shipment_id, at, raw_code, place, state, status, description, carrier, noted_at)
SELECT %(seller)s, id, placed + i * interval '30 hours', 'BDE/' || i, 'Cajamar', 'SP',
    CASE i WHEN 1 THEN 'accepted' ELSE 'in_transit' END, 'Objeto em transferência', 'correios', placed
FROM made_parcel, generate_series(1, 2) i;

INSERT INTO freight_label (seller_id, id, order_id, account_id, volume, volumes, reference, service, name, price_cents,
    posting, status, ref, tracking_code, shipment_id, printed_at, manifest_id, created_at, bought_at)
SELECT %(seller)s, uuidv7(placed - now() + interval '1 day'), order_id,
    (SELECT id FROM account WHERE channel = 'correios'), 1, 1, 'r' || n, '03298', 'PAC', 1890, '{}', 'bought', 'p' || n,
    code, p.id, placed + interval '1 day',
    m.id, placed + interval '1 day', placed + interval '1 day'
FROM made_parcel p LEFT JOIN freight_manifest m ON m.day = (placed + interval '1 day')::date
WHERE pick(n, 70, 3) = 0;

INSERT INTO order_handling (seller_id, order_id, packed_at, packed_by)
SELECT %(seller)s, id, now(), 'Bia' FROM made WHERE status = 'paid' AND pick(n, 71, 3) = 0;

INSERT INTO push_log (seller_id, id, account_id, slot_id, sku_id, quantity, previous, outcome, dirty_at, sent_at,
    answered_at)
SELECT %(seller)s, gen_random_uuid(), s.account_id, s.id, s.sku_id, 39, 40, 'accepted', m.placed,
    m.placed + interval '90 ms', m.placed + interval '140 ms'
FROM made_line l JOIN made m USING (id) JOIN stock_slot s ON s.seller_id = %(seller)s AND s.sku_id = l.sku_id
WHERE m.placed > now() - interval '30 days';

INSERT INTO inbox (seller_id, id, account_id, source, topic, ref, dedupe_key, told_at, received_at, raw, state, due_at,
    done_at)
SELECT %(seller)s, uuidv7(placed - now()), account_id, 'webhook', 'order', ref, 'd' || ref, placed, placed,
    convert_to(repeat('{"order":"' || ref || '"}', 20), 'UTF8'), 'done', placed, placed + interval '1 second'
FROM made WHERE placed > now() - interval '7 days';

-- Alerts: late orders and parcels in trouble are open, one in fifty orders had one that is over.
INSERT INTO alert (seller_id, id, kind, subject, severity, params, due_at, opened_at, resolved_at, owner_role)
SELECT %(seller)s, uuidv7(placed - now() + interval '36 hours'), 'ship_late', id::text, 'urgent',
    jsonb_build_object('by', 'channel', 'order', ref, 'account', account, 'channel', channel, 'ship_by', ship_by::text),
    ship_by, ship_by, CASE WHEN status <> 'paid' THEN ship_by + interval '1 day' END, 'operator'
FROM made WHERE ship_by < now() AND (status = 'paid' OR pick(n, 80, 50) = 0);

INSERT INTO alert (seller_id, id, kind, subject, severity, params, due_at, opened_at, owner_role)
SELECT %(seller)s, gen_random_uuid(), CASE status WHEN 'exception' THEN 'parcel_stuck' ELSE 'parcel_pickup' END,
    id::text, 'warning', jsonb_build_object('code', code, 'carrier', 'Correios', 'hours', 90, 'order', ref),
    now() + interval '2 days', now() - interval '1 day', 'operator'
FROM made_parcel WHERE status IN ('exception', 'awaiting_pickup') AND pick(n, 81, 10) = 0;

INSERT INTO alert (seller_id, id, kind, subject, severity, params, due_at, opened_at, owner_role)
SELECT %(seller)s, gen_random_uuid(), 'shortage', s.order_id::text, 'urgent',
    jsonb_build_object('order', m.ref, 'units', 1), m.ship_by, m.placed, 'operator'
FROM shortage s JOIN made m ON m.id = s.order_id ON CONFLICT DO NOTHING;

DROP TABLE made_parcel, made_line, made;

-- == ended: what follows from all of them
INSERT INTO stock_level (seller_id, sku_id, warehouse_id, on_hand, reserved, counted_at)
SELECT k.seller_id, k.id, %(warehouse)s, 40 + coalesce(r.sum, 0), coalesce(r.sum, 0), now()
FROM sku k LEFT JOIN (SELECT sku_id, sum(quantity) FROM reservation GROUP BY sku_id) r ON r.sku_id = k.id;

INSERT INTO stock_movement (seller_id, id, sku_id, warehouse_id, delta, reason, source_ref, at)
SELECT seller_id, gen_random_uuid(), sku_id, warehouse_id, l.on_hand - coalesce(m.sum, 0), 'opening', 'count:bench',
    now() - interval '3 years'
FROM stock_level l LEFT JOIN (SELECT sku_id, warehouse_id, sum(delta) FROM stock_movement GROUP BY 1, 2) m
    USING (sku_id, warehouse_id) WHERE l.on_hand <> coalesce(m.sum, 0);

INSERT INTO stock_level (seller_id, sku_id, warehouse_id, on_hand)
SELECT seller_id, sku_id, warehouse_id, sum(delta) FROM stock_movement WHERE warehouse_id <> %(warehouse)s
GROUP BY seller_id, sku_id, warehouse_id;

-- Of an account that is no more some orders are still open.
UPDATE orders SET account_id = (SELECT id FROM account WHERE status = 'closed')
WHERE id IN (SELECT o.id FROM reservation r JOIN orders o ON o.id = r.order_id GROUP BY o.id, o.placed_at
             ORDER BY o.placed_at LIMIT 60);

-- What stands still: as many whatever the orders.
INSERT INTO inbox (seller_id, id, account_id, source, topic, ref, dedupe_key, raw, state, error, attempts, received_at)
SELECT o.seller_id, gen_random_uuid(), o.account_id, 'webhook', 'order', o.ref, 'parked' || o.ref, '{"status": "?"}',
    'parked', 'shape unreadable: status: não está na tabela de situações', 1, now() - interval '7 hours'
FROM (SELECT * FROM orders WHERE seller_id = %(seller)s ORDER BY placed_at DESC LIMIT 30) o;

UPDATE stock_slot SET parked_code = 'under_review', parked_reason = 'este produto está em revisão no canal'
WHERE id IN (SELECT id FROM stock_slot ORDER BY ref LIMIT 10);

INSERT INTO alert (seller_id, id, kind, subject, severity, params, opened_at, owner_role)
SELECT seller_id, gen_random_uuid(), 'slot_parked', id::text, 'warning',
    jsonb_build_object('account', 'Loja própria', 'ref', ref, 'detail', 'este produto está em revisão no canal'), now(),
    'operator'
FROM stock_slot WHERE parked_code IS NOT NULL;

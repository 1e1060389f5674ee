"""Rules, suppliers, warehouses and channels' labels by the thousand: a page looks at little more than it shows."""

import uuid
from typing import Any, cast

from hub.store import Database, Tx, buffers, channel_labels, suppliers, warehouses
from tests.store.watched import Watched, filled_by

SELLER, ACCOUNT = uuid.uuid4(), uuid.uuid4()
MANY, LIMIT = 5000, 51
GROW = (
    "buffer", "buffer_measure", "supplier", "purchase_order", "sku_replenishment", "warehouse", "stock_level",
    "orders", "shipment", "shipment_line", "channel_label",
)  # fmt: skip
FILL = (
    "INSERT INTO seller (seller_id, name) VALUES (%(seller)s, 'x')",
    "INSERT INTO account (seller_id, id, channel, name, callback_hash) VALUES (%(seller)s, %(account)s, 'x', 'x', 'x')",
    # Of each SKU a rule of all accounts and one of this one; of each rule a measure.
    """INSERT INTO buffer (seller_id, id, scope, scope_ref, account_id, kind, value)
       SELECT %(seller)s, gen_random_uuid(), 'sku', 'S' || lpad((n / 2)::text, 5, '0'),
              CASE WHEN n %% 2 = 0 THEN %(account)s::uuid END, 'auto', 1
       FROM generate_series(0, 2 * %(many)s - 1) n""",
    """INSERT INTO sku (seller_id, id, code)
       SELECT %(seller)s, gen_random_uuid(), 'S' || lpad(n::text, 5, '0') FROM generate_series(0, %(many)s - 1) n""",
    """INSERT INTO buffer_measure (seller_id, buffer_id, account_id, sku_id, units, per_hour, lag_seconds, pushes,
                                   measured_at)
       SELECT b.seller_id, b.id, %(account)s, k.id, 3, 1, 1, 1, now()
       FROM buffer b JOIN sku k ON k.code = b.scope_ref""",
    """INSERT INTO supplier (seller_id, id, name)
       SELECT %(seller)s, gen_random_uuid(), 'F' || lpad(n::text, 5, '0') FROM generate_series(0, %(many)s - 1) n""",
    """INSERT INTO sku_replenishment (seller_id, sku_id, supplier_id)
       SELECT k.seller_id, k.id, s.id FROM sku k JOIN supplier s ON substr(s.name, 2) = substr(k.code, 2)""",
    """INSERT INTO purchase_order (seller_id, id, supplier_id, number, status)
       SELECT seller_id, gen_random_uuid(), id, row_number() OVER (ORDER BY name),
              CASE WHEN name LIKE '%%9' THEN 'sent' ELSE 'received' END FROM supplier""",
    """INSERT INTO warehouse (seller_id, id, code, name, rank)
       SELECT %(seller)s, gen_random_uuid(), 'W' || lpad(n::text, 5, '0'), 'x', n %% 100
       FROM generate_series(0, %(many)s - 1) n""",
    """INSERT INTO stock_level (seller_id, sku_id, warehouse_id, on_hand, reserved)
       SELECT w.seller_id, k.id, w.id, 1, 0 FROM warehouse w JOIN sku k ON substr(w.code, 2) = substr(k.code, 2)""",
    # Each third parcel has left; of those that have not each two orders are one parcel.
    """INSERT INTO orders (seller_id, id, account_id, ref, stock_key, status, payment, fulfilment, told,
           versions, ship_by)
       SELECT %(seller)s, gen_random_uuid(), %(account)s, n, n, CASE WHEN n %% 3 = 2 THEN 'delivered' ELSE 'paid' END,
              'paid', 'none', '{}', '{}', '2026-01-01'::timestamptz + n * interval '1 minute'
       FROM generate_series(0, %(many)s - 1) n""",
    """INSERT INTO shipment (seller_id, id, account_id, ref, service, status)
       SELECT seller_id, id, account_id, ref, 'own', CASE WHEN status = 'paid' THEN 'label_created' ELSE 'delivered' END
       FROM orders WHERE ref::int %% 3 <> 1""",
    """INSERT INTO shipment_line (seller_id, shipment_id, order_id)
       SELECT s.seller_id, s.id, o.id FROM orders o JOIN shipment s
       ON s.ref = CASE WHEN o.ref::int %% 3 = 1 THEN (o.ref::int - 1)::text ELSE o.ref END""",
)


async def test_a_page_from_their_midst_is_read_along_an_index() -> None:
    with filled_by(FILL, {"seller": SELLER, "account": ACCOUNT, "many": MANY}) as url:
        async with Database(url) as db, db.seller(SELLER) as tx:
            watched = Watched(tx, GROW)
            like_tx = cast("Tx", watched)

            def looked() -> int:
                watched.looked, told = 0, watched.looked
                return told

            rules = await buffers.every(like_tx, after=("sku", "S02500", ACCOUNT, "auto"), limit=LIMIT)
            assert [(row["scope_ref"], row["account_id"], row["measured"]) for row in rules[:3]] == [
                ("S02500", None, 3), ("S02501", ACCOUNT, 3), ("S02501", None, 3)
            ]  # fmt: skip
            assert looked() <= 3 * LIMIT  # each rule, twice its measure's page
            names = await suppliers.every(like_tx, after="F02500", limit=LIMIT)
            told: list[Any] = [(row["name"], row["skus"], row["orders"]) for row in names]
            assert told == [(f"F0{n}", 1, int(n % 10 == 9)) for n in range(2501, 2501 + LIMIT)]
            assert looked() <= 3 * LIMIT + MANY / 10  # and the orders that are open
            houses = await warehouses.by_codes(like_tx, after="W02500", limit=LIMIT)
            assert [(row["code"], row["on_hand"]) for row in houses] == [
                (f"W0{n}", 1) for n in range(2501, 2501 + LIMIT)
            ]
            assert looked() <= 2 * LIMIT
            ranked = await warehouses.every(like_tx, after=(50, "W02500"), limit=LIMIT)
            assert (ranked[0]["rank"], ranked[0]["code"]) == (50, "W02550")
            assert looked() <= MANY + LIMIT, "what stands there is summed of those that are shown"
            rows = await channel_labels.queue(like_tx, [("x", "own")], limit=LIMIT)
            assert [row["number"] for row in rows] == [str(3 * n) for n in range(LIMIT)]
            place = (rows[-1]["due"], rows[-1]["id"])
            rows = await channel_labels.queue(like_tx, [("x", "own")], after=place, limit=LIMIT)
            assert [row["number"] for row in rows] == [str(3 * n) for n in range(LIMIT, 2 * LIMIT)]
            assert looked() <= 2 * 20 * LIMIT, "a parcel, its lines and its orders, of those shown"

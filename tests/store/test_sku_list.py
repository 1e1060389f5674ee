"""The list of SKUs and the ledger look at few rows, whatever they are filtered, searched or sorted by."""

import os
import uuid
from collections.abc import Iterator
from typing import Any, cast

import pytest

from hub.store import Database, Tx, movements, sku_list
from tests.store.watched import Watched, filled_by

SELLER, ACCOUNT, SHOP, SHED, ROAD, PERSON = (uuid.uuid4() for _ in range(6))
ROWS = int(os.environ.get("BALCAO_TEST_SKUS", "4000"))  # 40,000 for a look at times
MOVES = ROWS * 5
# The first ten SKUs are the rare ones: out of stock, of a category of their own, in the shed, moved by a person.
FILL = (
    "INSERT INTO seller (seller_id, name) VALUES (%(seller)s, 'x')",
    """INSERT INTO account (seller_id, id, channel, name, callback_hash, status)
       VALUES (%(seller)s, %(account)s, 'woocommerce', 'x', %(account)s::text::bytea, 'live')""",
    """INSERT INTO warehouse (seller_id, id, code, name, kind, rank)
       VALUES (%(seller)s, %(shop)s, 'loja', 'Loja', 'own', 1), (%(seller)s, %(shed)s, 'galpao', 'Galpão', 'own', 2),
              (%(seller)s, %(road)s, 'transito', 'Trânsito', 'transit', 3)""",
    """INSERT INTO sku (seller_id, id, code, title, category, opened_at, gtin)
       SELECT %(seller)s, gen_random_uuid(), 'S' || lpad(n::text, 6, '0'),
              CASE WHEN n <= 10 THEN 'Zabumba ' ELSE 'Caneca ' END || n, CASE WHEN n <= 10 THEN 'Rara' ELSE 'Comum' END,
              now(), lpad(n::text, 13, '0') FROM generate_series(1, %(rows)s) n""",
    """INSERT INTO stock_level (seller_id, sku_id, warehouse_id, on_hand, reserved)
       SELECT seller_id, id, %(shop)s, CASE WHEN category = 'Rara' THEN 0 ELSE 1 + right(code, 3)::int END, 0
       FROM sku""",
    """INSERT INTO stock_level (seller_id, sku_id, warehouse_id, on_hand, reserved)
       SELECT seller_id, id, %(shed)s, 1, CASE WHEN category = 'Rara' THEN 1 ELSE 0 END FROM sku
       WHERE category = 'Rara'""",
    "INSERT INTO stock_level (seller_id, sku_id, warehouse_id) SELECT seller_id, id, %(road)s FROM sku",
    """INSERT INTO stock_slot (seller_id, id, account_id, ref, listing_ref, sku_id)
       SELECT seller_id, id, %(account)s, code, code, id FROM sku""",
    """INSERT INTO listing (seller_id, id, account_id, ref, slot_id, sku_id, title, status, managed_by, seen_at)
       SELECT seller_id, id, %(account)s, code, id, id, title, 'active', 'seller', now() FROM sku""",
    """INSERT INTO replenishment_plan (seller_id, sku_id, per_day, deviation, days, known_days, units, units_elsewhere,
           handling, cut, lead_days, lead_deviation, lead_source, lead_receipts, safety, reorder, target, recovers_at,
           computed_at)
       SELECT seller_id, id, 1 + right(code, 2)::int, 0, 0, 0, 0, 0, 'mean', 0, 0, 0, 'default', 0, 0, 0, 0, 0, now()
       FROM sku""",
    """INSERT INTO stock_movement (seller_id, id, sku_id, warehouse_id, delta, reason, source_ref, made_by, at)
       SELECT k.seller_id, gen_random_uuid(), k.id, CASE WHEN n <= 20 THEN %(shed)s ELSE %(shop)s END::uuid, 1,
              CASE WHEN n <= 20 THEN 'adjustment' ELSE 'dispatch' END, n::text,
              CASE WHEN n <= 20 THEN 'web:' || %(person)s ELSE 'flow' END, now() - (%(moves)s - n) * interval '1 minute'
       FROM generate_series(1, %(moves)s) n
       JOIN (SELECT seller_id, id, row_number() OVER (ORDER BY code) AS i FROM sku) k ON k.i = 1 + n %% %(rows)s""",
    """INSERT INTO alert (seller_id, id, kind, subject, severity, params)
       SELECT seller_id, gen_random_uuid(), 'low_stock', id::text, 'warning', '{}' FROM sku WHERE category = 'Rara'""",
)  # fmt: skip
GROWING = ("stock_level", "stock_movement", "listing", "stock_slot", "sku_word")


@pytest.fixture(scope="module")
def filled() -> Iterator[str]:
    told = {"seller": SELLER, "account": ACCOUNT, "shop": SHOP, "shed": SHED, "road": ROAD, "person": str(PERSON),
            "rows": ROWS, "moves": MOVES}  # fmt: skip
    with filled_by(FILL, told) as url:
        yield url


SKUS: dict[str, tuple[dict[str, Any], int]] = {
    "all": ({}, 51),
    "out": ({"chosen": "out"}, 10),
    "low": ({"chosen": "low"}, 10),
    "kit": ({"chosen": "kit"}, 0),
    "uncounted": ({"chosen": "uncounted"}, 0),
    "category": ({"category": "Rara"}, 10),
    "warehouse": ({"warehouse_id": SHED}, 10),
    "words": ({"search": "zabu 10"}, 1),
    "code": ({"search": "s000077"}, 1),
    "gtin": ({"search": "0000000000017"}, 1),
    "free": ({"sort": "free"}, 51),
    "days": ({"sort": "days"}, 51),
    "free of a category": ({"sort": "free", "category": "Rara"}, 10),
}
LEDGER: dict[str, tuple[dict[str, Any], int]] = {
    "all": ({}, 51),
    "reason": ({"reason": "adjustment"}, 20),
    "warehouse": ({"warehouse_id": SHED}, 20),
    "person": ({"made_by": f"web:{PERSON}"}, 20),
    "hub": ({"made_by": movements.HUB}, 51),
}


async def test_each_filter_and_order_goes_along_an_index(filled: str):
    async with Database(filled) as db, db.seller(SELLER) as tx:
        for name, (wanted, count) in SKUS.items():
            watched = Watched(tx, GROWING)
            rows = await sku_list.page(cast("Tx", watched), sku_list.Wanted(**wanted), limit=51)
            print(f"skus {name}: {len(rows)} rows, {watched.looked} looked at, {watched.ms:.1f} ms")
            assert len(rows) == count, name
            assert watched.looked < 700, (name, watched.looked)
        for name, (told, count) in LEDGER.items():
            watched = Watched(tx, GROWING)
            rows = await movements.page(cast("Tx", watched), movements.Wanted(**told), limit=51)
            print(f"ledger {name}: {len(rows)} rows, {watched.looked} looked at, {watched.ms:.1f} ms")
            assert len(rows) == count, name
            assert watched.looked < 250, (name, watched.looked)
        assert await sku_list.categories(tx) == ["Comum", "Rara"]


async def test_pages_follow_one_another_without_a_gap_in_every_order(filled: str):
    async with Database(filled) as db, db.seller(SELLER) as tx:
        for sort in sku_list.SORTS:
            wanted, after, seen = sku_list.Wanted(sort=sort, category="Rara"), None, list[uuid.UUID]()
            while rows := await sku_list.page(tx, wanted, after=after, limit=4):
                seen += [row["id"] for row in rows]
                after = (rows[-1]["place"], rows[-1]["id"])
            assert len(seen) == len(set(seen)) == 10, sort

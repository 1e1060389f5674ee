"""The list of orders looks at few rows whatever it is filtered or searched by: each filter has its index."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import pytest

from hub.store import Database, Tx, order_list
from hub.store.order_list import Wanted
from tests.store.watched import Watched, filled_by

SELLER, ACCOUNT, RARE, SKU = uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
ROWS, MOST = 20_000, 2_500
NOW = datetime.now(UTC)
# The first rows, which are the oldest, are what filters look for: going through all by age would meet the rest first.
FILL = (
    "INSERT INTO seller (seller_id, name) VALUES (%(seller)s, 'x')",
    """INSERT INTO account (seller_id, id, channel, name, callback_hash, status)
       SELECT %(seller)s, id, 'woocommerce', 'x', id::text::bytea, 'live'
       FROM unnest(ARRAY[%(account)s, %(rare)s]::uuid[]) id""",
    "INSERT INTO sku (seller_id, id, code) VALUES (%(seller)s, %(sku)s, 'RARO')",
    """INSERT INTO orders (seller_id, id, account_id, ref, number, stock_key, status, payment, fulfilment, hold,
           total_cents, placed_at, ship_by, buyer_name, buyer_document, told, versions)
       SELECT %(seller)s, gen_random_uuid(), CASE WHEN n <= 20 THEN %(rare)s ELSE %(account)s END, 'R' || n, n::text,
           n::text, CASE WHEN n <= 20 THEN 'paid' WHEN n <= 40 THEN 'cancelled' WHEN n <= 60 THEN 'dispatched'
                         ELSE 'delivered' END,
           CASE WHEN n <= 20 THEN 'refunded' ELSE 'paid' END,
           CASE WHEN n <= 20 THEN 'partial' ELSE 'delivered' END, CASE WHEN n <= 20 THEN 'fraud' END,
           CASE WHEN n <= 20 THEN 9000000 ELSE 1000 + n END, now() - (%(rows)s - n) * interval '1 hour',
           CASE WHEN n <= 20 THEN now() - interval '1 hour' END,
           CASE WHEN n <= 20 THEN 'Zuleica Ávila' ELSE 'Maria da Silva' END, lpad(n::text, 11, '0'),
           jsonb_build_object('ship_to', jsonb_build_object('state', CASE WHEN n <= 20 THEN 'RR' ELSE 'SP' END)), '{}'
       FROM generate_series(1, %(rows)s) n""",
    """INSERT INTO order_line (seller_id, order_id, ref, sku_id, channel_sku, quantity)
       SELECT seller_id, id, '1', CASE WHEN number::int <= 20 THEN %(sku)s::uuid END,
              CASE WHEN number::int <= 40 THEN 'SOLTO' ELSE number END, 1 FROM orders""",
    """INSERT INTO shipment (seller_id, id, account_id, ref, tracking_code)
       SELECT seller_id, id, account_id, ref, 'BR' || number FROM orders""",
    "INSERT INTO shipment_line (seller_id, shipment_id, order_id) SELECT seller_id, id, id FROM shipment",
    """INSERT INTO shortage (seller_id, order_id, line_ref, sku_id, quantity) SELECT seller_id, order_id, '1', sku_id, 1
       FROM order_line WHERE sku_id IS NOT NULL""",
)


GROW = ("orders", "order_line", "order_word", "shipment", "shipment_line")


@pytest.fixture(scope="module")
def filled() -> Iterator[str]:
    told = {"seller": SELLER, "account": ACCOUNT, "rare": RARE, "sku": SKU, "rows": ROWS}
    with filled_by(FILL, told) as url:
        yield url


CASES: dict[str, tuple[Wanted, int]] = {
    "all": (Wanted(), 51),
    "open": (Wanted(status="open"), 20),
    "late": (Wanted(status="late"), 20),
    "short": (Wanted(status="short"), 20),
    "cancelled": (Wanted(status="cancelled"), 20),
    "dispatched": (Wanted(status="dispatched"), 20),
    "payment": (Wanted(payment="refunded"), 20),
    "fulfilment": (Wanted(fulfilment="partial"), 20),
    "hold": (Wanted(hold="fraud"), 20),
    "any hold": (Wanted(hold="any"), 20),
    "to pack": (Wanted(packing="todo"), 20),
    "packed": (Wanted(packing="done"), 0),
    "account": (Wanted(account_id=RARE), 20),
    "state": (Wanted(state="RR"), 20),
    "value": (Wanted(least_cents=8_000_000), 20),
    "narrow value": (Wanted(least_cents=2000, most_cents=2005), 6),
    "two": (Wanted(state="RR", account_id=RARE), 20),
    "until": (Wanted(until=datetime(2000, 1, 1, tzinfo=UTC)), 0),
    "number": (Wanted(search="77"), 1),
    "ref": (Wanted(search="R77"), 1),
    "document": (Wanted(search="000.000.000-77", by_document=True), 1),
    "document, not allowed": (Wanted(search="000.000.000-77"), 0),
    "code": (Wanted(search="br77"), 1),
    "sku": (Wanted(search="raro"), 20),
    "channel's sku": (Wanted(search="SOLTO"), 20),
    "name": (Wanted(search="zul"), 20),
    "two names": (Wanted(search="AVILA Zuleica"), 20),
    "one letter": (Wanted(search="z"), 0),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_filter_looks_at_few_rows(filled: str, name: str) -> None:
    wanted, found = CASES[name]
    async with Database(filled) as db, db.seller(SELLER) as tx:
        watched = Watched(tx, GROW)
        rows = await order_list.page(cast("Tx", watched), wanted, NOW, limit=51)
        assert len(rows) == found
        assert watched.looked < MOST, f"{name} looks at {watched.looked} rows of {ROWS}"


async def test_a_page_far_down_costs_what_the_first_does(filled: str) -> None:
    async with Database(filled) as db, db.seller(SELLER) as tx:
        row = await tx.one("SELECT placed_at, id FROM orders WHERE number = '5000'")
        assert row
        watched = Watched(tx, GROW)
        rows = await order_list.page(cast("Tx", watched), Wanted(), NOW, after=(row["placed_at"], row["id"]), limit=51)
        assert rows[0]["number"] == "4999"
        assert watched.looked < MOST


async def test_words_go_with_their_order(filled: str) -> None:
    async with Database(filled) as db, db.seller(SELLER) as tx:
        kept = "SELECT count(*) FROM order_word WHERE word IN ('zuleica', 'avila', 'nova')"
        assert await tx.value(kept) == 40
        async with tx.trial(dry=True):
            await tx.run("UPDATE orders SET buyer_name = 'Nova' WHERE number = '1'")
            assert await tx.value(kept) == 39
            await tx.run("DELETE FROM shortage")
            await tx.run("DELETE FROM orders WHERE number IN ('1', '2')")
            assert await tx.value(kept) == 36

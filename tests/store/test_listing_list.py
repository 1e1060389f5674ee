"""The list of listings looks at few rows whatever it is filtered or searched by: each filter has its index."""

import uuid
from collections.abc import Iterator
from typing import cast

import pytest

from hub.store import Database, Tx, listing_list
from hub.store.listing_list import Wanted
from tests.store.watched import Watched, filled_by

SELLER, ACCOUNT, RARE, SKU = uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
ROWS, MOST = 20_000, 2_500
# The last rows are what filters look for: going through all by slot would meet the rest first.
FILL = (
    "INSERT INTO seller (seller_id, name) VALUES (%(seller)s, 'x')",
    """INSERT INTO account (seller_id, id, channel, name, callback_hash, status)
       SELECT %(seller)s, id, 'woocommerce', 'x', id::text::bytea, 'live'
       FROM unnest(ARRAY[%(account)s, %(rare)s]::uuid[]) id""",
    """INSERT INTO sku (seller_id, id, code) SELECT %(seller)s, CASE WHEN n = 0 THEN %(sku)s::uuid
           ELSE lpad(to_hex(n), 32, '0')::uuid END, CASE WHEN n = 0 THEN 'RARO' ELSE 'S' || n END
       FROM generate_series(0, %(rows)s) n""",
    """INSERT INTO stock_slot (seller_id, id, account_id, ref, listing_ref, sku_id, desired, expected, seen, seen_at,
           approved_at, parked_code, braked, doubt_until, managed_by)
       SELECT %(seller)s, lpad(to_hex(n), 32, '0')::uuid,
           CASE WHEN n > %(rows)s - 20 THEN %(rare)s ELSE %(account)s END,
           'R' || n, 'R' || n, CASE WHEN k = 1 THEN NULL WHEN n > %(rows)s - 20 THEN %(sku)s
               ELSE lpad(to_hex(n), 32, '0')::uuid END,
           CASE WHEN k IN (1, 6) THEN NULL ELSE 5 END, CASE WHEN k = 4 THEN 6 ELSE 5 END, 5, now(), now(),
           CASE WHEN k = 2 THEN 'x' END, k = 3, CASE WHEN k = 5 THEN now() END,
           CASE WHEN k = 7 THEN 'marketplace' ELSE 'seller' END
       FROM (SELECT n, CASE WHEN n > %(rows)s - 200 THEN (%(rows)s - n) / 20 ELSE 9 END AS k
             FROM generate_series(1, %(rows)s) n) told""",
    """INSERT INTO listing (seller_id, id, account_id, ref, slot_id, sku_id, channel_sku, gtin, title, status,
           managed_by, seen_at)
       SELECT seller_id, id, account_id, ref, id, sku_id, 'C' || ref, CASE WHEN ref = 'R99' THEN '7891000315507' END,
           CASE WHEN account_id = %(rare)s THEN 'Zarabatana de caça' ELSE 'Caneca azul' END,
           CASE WHEN substr(ref, 2)::int BETWEEN %(rows)s - 179 AND %(rows)s - 160 THEN 'paused' ELSE 'active' END,
           managed_by, now() FROM stock_slot""",
    """INSERT INTO drift (seller_id, id, account_id, slot_id, class, state, desired, seen)
       SELECT seller_id, gen_random_uuid(), account_id, id, 'external_edit', 'proposed', 5, 4 FROM stock_slot
       WHERE substr(ref, 2)::int BETWEEN %(rows)s - 199 AND %(rows)s - 190""",
)  # fmt: skip


GROW = ("listing", "stock_slot", "sku", "listing_word")


@pytest.fixture(scope="module")
def filled() -> Iterator[str]:
    told = {"seller": SELLER, "account": ACCOUNT, "rare": RARE, "sku": SKU, "rows": ROWS}
    with filled_by(FILL, told) as url:
        yield url


CASES: dict[str, tuple[Wanted, int]] = {
    "all": (Wanted(), 51),
    "linked": (Wanted(state="linked"), 51),
    "even": (Wanted(state="even"), 51),
    "unlinked": (Wanted(state="unlinked"), 20),
    "parked": (Wanted(state="parked"), 20),
    "braked": (Wanted(state="braked"), 20),
    "pending": (Wanted(state="pending"), 20),
    "doubt": (Wanted(state="doubt"), 20),
    "uncounted": (Wanted(state="uncounted"), 20),
    "theirs": (Wanted(state="theirs"), 20),
    "different": (Wanted(state="different"), 10),
    "paused": (Wanted(state="paused"), 20),
    "account": (Wanted(account_id=RARE), 20),
    "account and state": (Wanted(account_id=RARE, state="parked"), 0),
    "ref": (Wanted(search="R77"), 1),
    "channel's sku": (Wanted(search="cr77"), 1),
    "sku": (Wanted(search="raro"), 20),
    "gtin": (Wanted(search="07891000315507"), 1),
    "words": (Wanted(search="CAÇA zarab"), 20),
    "one letter": (Wanted(search="z"), 0),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_filter_looks_at_few_rows(filled: str, name: str) -> None:
    wanted, found = CASES[name]
    async with Database(filled) as db, db.seller(SELLER) as tx:
        watched = Watched(tx, GROW)
        rows = await listing_list.page(cast("Tx", watched), wanted, limit=51)
        assert len(rows) == found
        assert watched.looked < MOST, f"{name} looks at {watched.looked} rows of {ROWS}"


async def test_a_page_far_down_costs_what_the_first_does(filled: str) -> None:
    place = uuid.UUID(int=18_000)
    async with Database(filled) as db, db.seller(SELLER) as tx:
        watched = Watched(tx, GROW)
        rows = await listing_list.page(cast("Tx", watched), Wanted(), after=(place, place), limit=51)
        assert rows[0]["id"] == uuid.UUID(int=18_001)
        assert watched.looked < MOST


async def test_words_go_with_their_listing(filled: str) -> None:
    async with Database(filled) as db, db.seller(SELLER) as tx:
        kept = "SELECT count(*) FROM listing_word WHERE word IN ('zarabatana', 'nova')"
        assert await tx.value(kept) == 20
        async with tx.trial(dry=True):
            await tx.run("UPDATE listing SET title = 'Nova' WHERE ref = 'R1'")
            assert await tx.value(kept) == 21
            await tx.run("DELETE FROM listing WHERE ref IN ('R1', 'R20000')")
            assert await tx.value(kept) == 19

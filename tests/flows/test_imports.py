"""Files of stock: staged whole, written in chunks while shops sell, resumed, and taken back."""

import asyncio
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from hub.sandbox import Product
from hub.stock_sheet import Row
from hub.store import imports as kept
from hub.store import ledger
from jobs import imports
from jobs.connect import Refused
from jobs.kits import set_kit
from jobs.ledger import adjust
from tests.world import World, world

SHELF = [Product(sku=f"P{n:02}", title=f"Produto {n}", quantity=20, price_cents=1000) for n in range(12)]


@pytest.fixture
def in_small_chunks() -> Iterator[None]:
    with patch.object(imports, "CHUNK", 3):
        yield


async def load(w: World, told: dict[str, int], mode: Any = "set", **more: Any) -> int:
    """Import these; answers the import's number."""
    rows = [Row(n, sku, units, None) for n, (sku, units) in enumerate(told.items(), start=2)]
    planned, troubles = await imports.plan(w.rt, w.seller_id, rows, mode, create=mode == "set")
    assert not troubles
    made = await imports.begin(w.rt, w.seller_id, planned, mode, **more)
    await imports.carry_on(w.rt, w.seller_id, made.number)
    return made.number


@pytest.mark.usefixtures("in_small_chunks")
async def test_a_file_opens_corrects_and_reaches_the_channels() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", SHELF, seed=1)
        await load(w, {p.sku: 20 for p in SHELF})
        await w.at_rest(**{p.sku: 20 for p in SHELF})
        await store.buy("P00", 5)
        await w.settle()
        await load(w, {p.sku: 30 for p in SHELF})
        await w.at_rest(P00=25, P01=30, P11=30)
        await load(w, {"P00": -3, "P01": 4}, "add")
        await w.at_rest(P00=22, P01=34)
        assert await w.level("P00") == (27, 5)


@pytest.mark.usefixtures("in_small_chunks")
async def test_an_import_that_stops_goes_on_where_it_was() -> None:
    async with world() as w:
        await w.connect("woocommerce", SHELF, seed=1)
        applied, calls = kept.applied, []

        async def dying(*args: Any) -> None:
            await applied(*args)
            calls.append(args)
            if len(calls) == 3:
                raise OSError("the power is gone")

        with patch.object(kept, "applied", dying), pytest.raises(OSError, match="power"):
            await load(w, {p.sku: 30 for p in SHELF})
        assert sum([(await w.level(p.sku))[0] for p in SHELF]) == 30 * 6  # the third chunk is taken back whole
        both = await asyncio.gather(*(imports.carry_on(w.rt, w.seller_id, 1) for _ in range(2)))
        assert {(did["written"], did["left"]) for did in both} == {(12, 0)}
        await w.at_rest(**{p.sku: 30 for p in SHELF})
        (moved,) = await w.rows("SELECT count(*)::int AS n FROM stock_movement")
        assert moved["n"] == 12
        (kept_rows,) = await w.rows("SELECT sum(delta)::int AS units, count(delta)::int AS n FROM stock_import_row")
        assert kept_rows == {"units": 360, "n": 12}  # what undoing goes by


@pytest.mark.usefixtures("in_small_chunks")
async def test_undoing_takes_back_what_the_file_did_and_not_what_happened_since() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", SHELF, seed=1)
        await load(w, {p.sku: 20 for p in SHELF})
        number = await load(w, {p.sku: 50 for p in SHELF})
        ref = await store.buy("P00", 4)
        await w.settle()
        await store.act("complete", order_ref=ref)
        await w.settle()
        done = await imports.undo(w.rt, w.seller_id, number)
        assert (done.lines, done.left, done.shut) == (12, [], 0)
        await w.at_rest(P00=16, P01=20)
        with pytest.raises(Refused, match="nothing to undo"):
            await imports.undo(w.rt, w.seller_id, number)


async def test_undoing_leaves_what_was_counted_since_and_what_is_not_there() -> None:
    async with world() as w:
        await w.connect("woocommerce", SHELF, seed=1)
        await load(w, {p.sku: 20 for p in SHELF})
        number = await load(w, {p.sku: 50 for p in SHELF})
        await w.count(P01=50)  # said again, though nothing moved
        await adjust(w.rt, w.seller_id, "P02", -40, "roubo")
        with pytest.raises(Refused, match="2 lines cannot be undone"):
            await imports.undo(w.rt, w.seller_id, number)
        assert await w.level("P00") == (50, 0)
        done = await imports.undo(w.rt, w.seller_id, number, rest=True)
        assert {row["sku"]: row["why"] for row in done.left} == {
            "P01": "was counted since", "P02": "fewer units stand there than would go",
        }  # fmt: skip
        await w.at_rest(P00=20, P01=50, P02=10)


async def test_undoing_an_opening_makes_stock_unknown_again_and_sends_no_zero() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", SHELF[:3], seed=1)
        number = await load(w, {"P00": 7, "P01": 7, "P02": 7})
        await w.at_rest(P00=7, P01=7, P02=7)
        await store.buy("P01", 1)
        await w.settle()
        done = await imports.undo(w.rt, w.seller_id, number, rest=True)
        assert [row["sku"] for row in done.left] == ["P01"]
        assert (done.lines, done.shut) == (2, 2)
        await w.at_rest(P00=7, P01=6, P02=7)
        await store.buy("P00", 2)  # not open: held by nobody
        await w.settle()
        assert await w.level("P00") == (0, 0)
        await load(w, {"P00": 9})
        await w.at_rest(P00=7, P01=6, P02=7)
        assert await w.level("P00") == (9, 2)


async def test_a_file_that_empties_the_shelves_asks_first() -> None:
    async with world() as w:
        await w.connect("woocommerce", SHELF, seed=1)
        await load(w, {p.sku: 20 for p in SHELF})
        with pytest.raises(Refused, match="12 of 12 counts that are not zero would become zero: --zeros"):
            await load(w, {p.sku: 0 for p in SHELF})
        await w.at_rest(P00=20, P11=20)
        await load(w, {p.sku: 0 for p in SHELF[:4]})  # a few are not worth asking about
        assert await w.level("P03") == (0, 0)


async def test_what_cannot_be_imported_is_told_line_by_line() -> None:
    async with world() as w:
        await set_kit(w.rt, w.seller_id, "KIT", {"A": 1}, create=True)
        await w.count(B=3)
        async with w.rt.db.seller(w.seller_id) as tx:
            await ledger.put_skus(tx, ["SHUT"])
        told = [("KIT", None), ("X", None), ("B", "RJ"), ("B", None), ("B", "principal"), ("A", "PRINCIPAL")]
        rows = [Row(line, sku, 1, house) for line, (sku, house) in enumerate(told, start=2)]
        good, bad = await imports.plan(w.rt, w.seller_id, rows, "set", create=False)
        assert [row.row.line for row in good] == [5, 7]
        assert [(each.line, each.message.split(":")[0]) for each in bad] == [
            (2, "sku"), (3, "sku"), (4, "warehouse"), (6, "sku"),
        ]  # fmt: skip
        _good, bad = await imports.plan(w.rt, w.seller_id, [Row(2, "SHUT", 1, None)], "add", create=True)
        assert "is not open" in bad[0].message

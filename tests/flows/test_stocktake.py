"""Counting while shops sell: the count is compared with the book at the moment when it was counted."""

import asyncio
from contextvars import Context
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from hub.sandbox import Product
from hub.stock_sheet import Row
from hub.stocktake import Flag, Limits, Line
from hub.store import ledger
from jobs import counts, stocktake
from jobs.connect import Refused
from jobs.kits import set_kit
from tests.world import World, world

SHELF = [
    Product(sku="CANECA", title="Caneca", quantity=10, price_cents=3990),
    Product(sku="PRATO", title="Prato", quantity=10, price_cents=2590),
]
WIDE = Limits(units=1000, value_cents=10**9)
NOW = timedelta(0)  # no window: in a test everything happens within seconds


async def enter(w: World, number: int, _at: Any = None, **units: int) -> list[Line]:
    rows = [Row(n, sku, told, None) for n, (sku, told) in enumerate(units.items(), start=1)]
    lines, wrong = await stocktake.enter(w.rt, w.seller_id, number, rows, counted_at=_at)
    assert not wrong
    return lines


async def post(w: World, number: int, **more: Any) -> stocktake.Posted:
    return await stocktake.post(w.rt, w.seller_id, number, **{"limits": WIDE, "window": NOW, **more})


async def flags(w: World, number: int, window: timedelta = NOW) -> dict[str, tuple[Flag, ...]]:
    _count, lines = await stocktake.report(w.rt, w.seller_id, number, window)
    return {line.sku: line.flags for line in lines if line.flags}


async def test_what_is_sold_and_dispatched_between_counting_and_posting_is_no_difference() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", SHELF, seed=1)
        await w.open_stock(CANECA=10, PRATO=10)
        number = await stocktake.open_count(w.rt, w.seller_id)
        (line,) = await enter(w, number, CANECA=9)
        assert (line.book, line.variance) == (10, -1)
        ref = await store.buy("CANECA", 3)
        await w.settle()
        await asyncio.sleep(1.1)  # the store's clock tells whole seconds: it left after the counting
        await store.act("complete", order_ref=ref)
        await w.settle()
        assert await w.level("CANECA") == (7, 0)
        done = await post(w, number)
        assert (done.counted, done.corrected, done.less, done.uncounted) == (1, 1, 1, 1)
        await w.at_rest(CANECA=6, PRATO=10)
        with pytest.raises(Refused, match="is posted"):
            await post(w, number)


async def test_a_number_typed_in_later_is_compared_with_the_book_of_its_own_moment() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", SHELF, seed=1)
        await w.open_stock(CANECA=10, PRATO=10)
        at = w.rt.now()
        await asyncio.sleep(1.1)
        await store.act("complete", order_ref=await store.buy("CANECA", 3))
        await w.settle()
        number = await stocktake.open_count(w.rt, w.seller_id, codes=["CANECA"])
        (line,) = await enter(w, number, at, CANECA=10)
        assert (line.book, line.variance) == (10, 0)
        assert (await post(w, number)).corrected == 0
        await w.at_rest(CANECA=7)
        number = await stocktake.open_count(w.rt, w.seller_id)
        with pytest.raises(Refused, match="has not come yet"):
            await enter(w, number, w.rt.now() + timedelta(hours=1), CANECA=10)


async def test_a_dispatch_that_is_told_after_the_count_asks_for_another_count() -> None:
    """The parcel left, was not on the shelf when it was counted, and is taken off once more when it is told."""
    async with world() as w:
        store = await w.connect("woocommerce", SHELF, seed=1)
        await w.open_stock(CANECA=10, PRATO=10)
        ref = await store.buy("CANECA", 3)
        await w.settle()
        store.turn(webhook_drop=1.0)
        await store.act("complete", order_ref=ref)
        await asyncio.sleep(1.1)
        number = await stocktake.open_count(w.rt, w.seller_id)
        await enter(w, number, CANECA=7)
        store.turn(webhook_drop=0.0)
        await w.hurry("poll")
        await w.settle()
        assert await w.level("CANECA") == (7, 0)
        assert await flags(w, number) == {"CANECA": (Flag.TOLD_LATE,)}
        with pytest.raises(Refused, match="CANECA should be counted again"):
            await post(w, number)
        await enter(w, number, CANECA=7)
        assert (await post(w, number)).corrected == 0
        await w.at_rest(CANECA=7)


async def test_units_on_their_way_out_ask_for_another_count() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", SHELF, seed=1)
        await w.open_stock(CANECA=10, PRATO=10)
        ref = await market.buy("CANECA", 2)
        await w.settle()
        number = await stocktake.open_count(w.rt, w.seller_id)
        await enter(w, number, CANECA=8)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE orders SET ship_by = now() + interval '3 days' WHERE ref = %s", [ref])
            await tx.run("UPDATE shipment SET tracking_code = NULL")
        assert Flag.LEAVING not in (await flags(w, number)).get("CANECA", ())
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE orders SET ship_by = now() - interval '1 hour' WHERE ref = %s", [ref])
        assert Flag.LEAVING in (await flags(w, number))["CANECA"]
        with pytest.raises(Refused, match="--accept-flagged"):
            await post(w, number)
        await post(w, number, accept_flagged=True)
        assert await w.level("CANECA") == (8, 2)


async def test_a_count_is_never_posted_over_a_later_one() -> None:
    async with world() as w:
        await w.connect("woocommerce", SHELF, seed=1)
        await w.open_stock(CANECA=10, PRATO=10)
        one = await stocktake.open_count(w.rt, w.seller_id)
        two = await stocktake.open_count(w.rt, w.seller_id, codes=["CANECA"])
        await enter(w, one, CANECA=8, PRATO=10)
        await enter(w, two, CANECA=8)
        await post(w, two)
        with pytest.raises(Refused, match="CANECA must be counted again"):
            await post(w, one, accept_flagged=True, yes=True)
        await w.at_rest(CANECA=8)
        await w.count(PRATO=10)  # said again without moving anything
        assert await flags(w, one) == {"CANECA": (Flag.COUNTED_SINCE,), "PRATO": (Flag.COUNTED_SINCE,)}
        await enter(w, one, CANECA=8, PRATO=9)
        assert (await post(w, one)).corrected == 1
        await w.at_rest(CANECA=8, PRATO=9)


async def test_a_count_that_comes_while_another_is_posted_is_seen() -> None:
    async with world() as w:
        await w.connect("woocommerce", SHELF, seed=1)
        await w.open_stock(CANECA=10, PRATO=10)
        number = await stocktake.open_count(w.rt, w.seller_id)
        await enter(w, number, CANECA=8)
        make = ledger.make_levels
        done: list[int] = []

        async def meanwhile(*args: Any) -> None:
            if not done:
                done.append(1)
                await asyncio.create_task(
                    counts.set_stock(w.rt, w.seller_id, [("CANECA", 8)]), context=Context()
                )  # fmt: skip
            await make(*args)

        with patch.object(ledger, "make_levels", meanwhile), pytest.raises(Refused, match="must be counted again"):
            await post(w, number, accept_flagged=True)
        await w.at_rest(CANECA=8)


async def test_big_differences_ask_first() -> None:
    async with world() as w:
        await w.connect("woocommerce", SHELF, seed=1)
        await w.open_stock(CANECA=10, PRATO=10)
        number = await stocktake.open_count(w.rt, w.seller_id)
        await enter(w, number, CANECA=1, PRATO=9)
        with pytest.raises(Refused, match="CANECA differ much from the book"):
            await post(w, number, limits=Limits())
        assert await w.level("CANECA") == (10, 0)
        await post(w, number, limits=Limits(), yes=True)
        await w.at_rest(CANECA=1, PRATO=9)


async def test_a_first_count_opens_the_stock() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", SHELF, seed=1)
        await set_kit(w.rt, w.seller_id, "KIT", {"CANECA": 1}, create=True)
        await store.buy("CANECA", 2)
        await w.settle()
        number = await stocktake.open_count(w.rt, w.seller_id)
        _lines, wrong = await stocktake.enter(
            w.rt, w.seller_id, number, [Row(1, "KIT", 1, None), Row(2, "NADA", 1, None), Row(3, "CANECA", 1, "RJ")]
        )
        assert [each.message.split(":")[0] for each in wrong] == ["sku", "sku", "warehouse"]
        await enter(w, number, CANECA=9)
        await post(w, number, yes=True)
        assert await w.level("CANECA") == (9, 2)
        await w.at_rest(CANECA=7)
        (moved,) = await w.rows("SELECT reason, delta FROM stock_movement")
        assert moved == {"reason": "opening", "delta": 9}


async def test_only_what_belongs_to_a_count_is_entered_and_nothing_after_it_is_closed() -> None:
    async with world() as w:
        await w.connect("woocommerce", SHELF, seed=1)
        await w.open_stock(CANECA=10, PRATO=10)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE sku SET category = 'louça' WHERE code = 'PRATO'")
        number = await stocktake.open_count(w.rt, w.seller_id, category="louça")
        _lines, wrong = await stocktake.enter(w.rt, w.seller_id, number, [Row(1, "CANECA", 1, None)])
        assert "is not in count 1" in wrong[0].message
        with pytest.raises(Refused, match="nothing was counted"):
            await post(w, number)
        await stocktake.cancel(w.rt, w.seller_id, number)
        with pytest.raises(Refused, match="is cancelled"):
            await enter(w, number, PRATO=1)
        with pytest.raises(Refused, match="no SKU has the category"):
            await stocktake.open_count(w.rt, w.seller_id, category="nada")
        await w.at_rest(CANECA=10, PRATO=10)

"""A channel that is told physical stock: it never shows more than there is, and its own sales count once."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hub.model import Listing
from hub.sandbox import Product
from hub.sandbox_store import Item
from jobs import counts, linking, opening
from tests import physical
from tests.physical import Physical
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    with physical.known():
        yield


async def fisico(w: World, *products: Product, drops: bool = False) -> tuple[Channel, Item]:
    sandbox = Physical(products or (CANECA,), drops=drops)
    server = TestServer(sandbox.app)
    await w.stack.enter_async_context(server)
    return await w.adopt(physical.NAME, sandbox, server), sandbox.by_sku["CANECA"]


async def both(w: World, *, drops: bool = False) -> tuple[Channel, Channel, Item]:
    """A store that is told availability and one that is told physical stock, ten mugs on the shelf."""
    store = await w.connect("woocommerce", [CANECA], seed=1)
    there, item = await fisico(w, drops=drops)
    await w.open_stock(CANECA=10)
    await w.pass_time()
    return store, there, item


async def heard(w: World) -> None:
    await w.hurry("poll")
    await w.settle()


async def test_what_another_channel_reserved_is_not_for_sale_there() -> None:
    async with world() as w:
        store, there, item = await both(w)
        with there.reading_writes() as told:
            await store.buy("CANECA", 4)
            await w.at_rest(CANECA=6)
        assert told == [6]  # on_hand 10 would have sold 10
        assert (item.units, item.reserved) == (6, 0)
        assert await w.level("CANECA") == (10, 4)


async def test_its_own_reservations_are_told_on_top_and_taken_off_once() -> None:
    async with world() as w:
        store, there, item = await both(w)
        await store.buy("CANECA", 4)
        await w.at_rest(CANECA=6)
        await w.pass_time()
        with there.reading_writes() as told:
            await there.buy("CANECA", 3)
            await heard(w)
            await w.at_rest(CANECA=3)
            assert told == []  # it took them off by itself
            await store.buy("CANECA", 1)
            await w.at_rest(CANECA=2)
        assert told == [5]  # 2 to be had, and the 3 that it will take off
        assert (item.units, item.reserved) == (5, 3)
        why = {slot["channel"]: answer for slot, answer in await counts.explain(w.rt, w.seller_id, "CANECA")}
        assert why["fisico"].quantity == 5
        assert "O canal desconta sozinho o que reservou, 3, que se soma: dá 5." in why["fisico"].explain()
        assert why["woocommerce"].quantity == 2
        row = await w.row("SELECT desired, expected, seen FROM stock_slot WHERE reserved_there = 3")
        assert row == {"desired": 2, "expected": 2, "seen": 2}


async def test_what_is_dispatched_there_changes_no_number() -> None:
    async with world() as w:
        store, there, item = await both(w)
        await store.buy("CANECA", 4)
        ref = await there.buy("CANECA", 3)
        await heard(w)
        await w.at_rest(CANECA=3)
        await w.pass_time()
        with there.reading_writes() as told, store.reading_writes() as here:
            await there.act("dispatch", order_ref=ref)
            await heard(w)
            await w.at_rest(CANECA=3)
        assert (told, here) == ([], [])
        assert (item.units - item.reserved, item.reserved) == (3, 0)
        assert await w.level("CANECA") == (7, 4)
        await store.buy("CANECA", 1)
        await w.at_rest(CANECA=2)
        assert (item.units, item.reserved) == (2, 0)


async def test_what_is_cancelled_there_comes_back_everywhere() -> None:
    async with world() as w:
        store, there, item = await both(w)
        ref = await there.buy("CANECA", 3)
        await heard(w)
        await w.at_rest(CANECA=7)
        await there.act("cancel", order_ref=ref)
        await heard(w)
        await w.at_rest(CANECA=10)
        assert (item.units, item.reserved) == (10, 0)
        assert store.shelf() == {"CANECA": 10}


async def test_a_sale_there_that_nobody_told_us_of_is_heard_before_the_number_is_told() -> None:
    async with world() as w:
        store, there, item = await both(w)
        await there.buy("CANECA", 2)  # no webhook, no poll yet
        with there.reading_writes() as told:
            await store.buy("CANECA", 3)
            await w.at_rest(CANECA=5)
        assert told == [7]
        assert (item.units, item.reserved) == (7, 2)


async def test_a_zero_to_be_had_is_told_as_what_it_will_take_off() -> None:
    async with world() as w:
        store, there, item = await both(w)
        await there.buy("CANECA", 2)  # nobody told us: it is in the number that is read right before
        with there.reading_writes() as told:
            await store.buy("CANECA", 10)
            await w.settle()
            assert there.shelf() == {"CANECA": 0}
        assert told == [2]
        await heard(w)
        await w.at_rest(CANECA=0)
        assert (item.units, item.reserved) == (2, 2)
        assert sum((await w.short()).values()) == 2


async def test_a_sale_there_while_the_number_is_on_its_way() -> None:
    async with world() as w:
        store, there, item = await both(w)

        async def sell(_request: web.Request) -> None:
            if not item.reserved:
                await there.buy("CANECA", 2)

        with there.meddling(before=sell):
            await store.buy("CANECA", 3)
            await w.settle()
            await heard(w)
            await w.at_rest(CANECA=5)
        assert (item.units, item.reserved) == (7, 2)


async def test_reservations_that_a_write_makes_it_forget_are_found_and_shown_no_longer() -> None:
    """VTEX drops the reservations of orders in handling when their stock is written: 2 + 3 told would show 5."""
    async with world() as w:
        store, there, item = await both(w, drops=True)
        await store.buy("CANECA", 4)
        await w.at_rest(CANECA=6)
        await there.buy("CANECA", 3)
        await heard(w)
        await w.pass_time()
        with there.reading_writes() as told:
            await store.buy("CANECA", 1)
            await w.at_rest(CANECA=2)
        assert told == [5, 2]
        assert (item.units, item.reserved) == (2, 0)


async def test_it_never_showed_more_than_there_was() -> None:
    async with world() as w:
        store, there, item = await both(w)
        sandbox = there.sandbox
        assert isinstance(sandbox, Physical)
        sandbox.most.clear()
        for n in range(4):
            ref = await there.buy("CANECA", 1)
            await store.buy("CANECA", 1)
            if n % 2:
                await heard(w)
                await there.act("dispatch", order_ref=ref)
            await w.settle()
        await heard(w)
        await w.at_rest(CANECA=2)
        assert max(sandbox.most.values()) <= 9
        assert item.free == 2


async def test_the_audit_compares_like_with_like() -> None:
    async with world() as w:
        _store, there, item = await both(w)
        await there.buy("CANECA", 3)
        await heard(w)
        await w.at_rest(CANECA=7)
        await w.pass_time()
        await w.hurry("listings", "reconcile")
        with there.reading_writes() as told:
            await w.at_rest(CANECA=7)
            assert told == []
            assert await w.rows("SELECT * FROM drift WHERE account_id = %s", there.account.id) == []
            item.units = 30  # somebody typed it in there
            await w.hurry("listings", "reconcile")
            await w.at_rest(CANECA=7)
        assert told == [10]
        rows = await w.rows("SELECT seen, expected, desired FROM drift WHERE account_id = %s", there.account.id)
        assert rows == [{"seen": 27, "expected": 7, "desired": 7}]


async def test_the_opening_counts_its_physical_number_once() -> None:
    async with world() as w:
        there, item = await fisico(w)
        await there.buy("CANECA", 3)
        await heard(w)
        await linking.autolink(w.rt, w.seller_id, create=True)
        await opening.open_from(w.rt, there.account)
        await w.settle()
        assert await w.level("CANECA") == (10, 3)
        assert (item.units, item.reserved) == (10, 3)


async def test_a_listing_that_does_not_tell_both_numbers_is_not_written_to() -> None:
    async with world() as w:
        store, there, _item = await both(w)
        sink = physical.ADAPTER.stock
        assert sink

        blind = replace(sink, look=lambda _api, writes: _half(len(writes)))
        with pytest.MonkeyPatch.context() as patch, there.reading_writes() as told:
            patch.setattr(physical, "ADAPTER", replace(physical.ADAPTER, stock=blind))
            await store.buy("CANECA", 3)
            await w.settle()
        assert told == []
        assert (await w.row("SELECT parked_code FROM stock_slot WHERE account_id = %s", there.account.id)) == {
            "parked_code": "unmanaged"
        }


async def _half(count: int) -> list[Listing | None]:
    row = {"id": 1, "sku": "CANECA", "title": "Caneca", "total": 10, "reserved": 0}
    return [physical._listing(row).model_copy(update={"quantity": None})] * count

"""Sold, and not there: named, alerted, and filled before anything shows as available."""

import asyncio

from hub.sandbox import Product
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


async def oversold(w: World) -> tuple[Channel, Channel, str, str]:
    """Both channels sell their last ten before either hears of the other; answers the store's and market's order."""
    store = await w.connect("woocommerce", [CANECA], seed=1)
    market = await w.connect("mercadolivre", [CANECA], seed=2)
    await w.open_stock(CANECA=10)
    here, there = await store.buy("CANECA", 10), await market.buy("CANECA", 10)
    await w.at_rest(CANECA=0)
    return store, market, here, there


async def test_units_sold_twice_are_named_and_alerted_once() -> None:
    async with world() as w:
        _store, _market, here, there = await oversold(w)
        short = await w.short()
        assert sum(short.values()) == 10
        assert set(short) < {here, there}
        assert await w.level("CANECA") == (10, 10)
        assert await w.alerts() == ["shortage"]
        (ref,) = short
        events = await w.rows(
            "SELECT e.params FROM order_event e JOIN orders o ON o.id = e.order_id "
            "WHERE e.kind = 'shortage' AND o.ref = %s",
            ref,
        )
        assert [event["params"] for event in events] == [{"units": 10}]


async def test_an_increase_fills_what_is_short_before_anything_is_for_sale() -> None:
    async with world() as w:
        await oversold(w)
        await w.open_stock(CANECA=15)
        await w.at_rest(CANECA=0)
        assert sum((await w.short()).values()) == 5
        assert await w.alerts() == ["shortage"]

        await w.open_stock(CANECA=22)
        await w.at_rest(CANECA=2)
        assert await w.short() == {}
        assert await w.alerts() == []
        assert await w.alerts(resolved=True) == ["shortage"]
        assert await w.level("CANECA") == (22, 20)


async def test_a_cancellation_fills_another_orders_shortage() -> None:
    async with world() as w:
        store, market, here, there = await oversold(w)
        (short,) = await w.short()
        channel, ref = (store, here) if short == there else (market, there)
        await channel.act("cancel", order_ref=ref)
        await w.at_rest(CANECA=0)
        assert await w.short() == {}
        assert await w.level("CANECA") == (10, 10)
        assert await w.alerts() == []


async def test_a_short_order_that_is_cancelled_is_short_no_more() -> None:
    async with world() as w:
        store, market, _here, there = await oversold(w)
        (short,) = await w.short()
        await (market if short == there else store).act("cancel", order_ref=short)
        await w.at_rest(CANECA=0)
        assert await w.short() == {}
        assert await w.alerts() == []


async def test_who_must_ship_first_is_filled_first_then_who_bought_first() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], name="Um", seed=1)
        other = await w.connect("woocommerce", [CANECA], name="Dois", seed=2)
        market = await w.connect("mercadolivre", [CANECA], seed=3)
        await w.open_stock(CANECA=10)
        await w.pass_time()
        for channel in w.channels:  # nobody hears of anybody: each sells what it shows
            channel.turn(webhook_drop=1.0)
        first = await store.buy("CANECA", 10)
        await asyncio.sleep(1.1)  # a store's clock tells whole seconds
        second = await other.buy("CANECA", 2)
        third = await market.buy("CANECA", 2)  # told by when to ship: the others never are
        await w.hurry("poll")
        await w.settle()
        async with w.rt.db.seller(w.seller_id) as tx:  # all wait, as if the shelf had been found empty
            await tx.run("UPDATE orders SET ship_by = NULL WHERE ref <> %s", [third])
        short = await w.short()
        assert sum(short.values()) == 4

        asked = [third, *(ref for ref in (first, second) if ref in short)]
        asked = [ref for ref in asked if ref in short]
        filled: list[str] = []
        for units in range(11, 15):
            before = await w.short()
            await w.open_stock(CANECA=units)
            after = await w.short()
            (ref,) = {ref for ref in before if after.get(ref, 0) < before[ref]}
            filled.append(ref)
        assert list(dict.fromkeys(filled)) == asked
        await w.at_rest(CANECA=0)

"""Channels that fail, refuse, throttle, vanish and forget to tell: nothing is lost, and one never stops another."""

import asyncio

from hub.sandbox import Product
from jobs import connect
from tests.knocks import tell
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
PRATO = Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590)


async def store_and_market(w: World, *products: Product) -> tuple[Channel, Channel]:
    shelf = products or (CANECA,)
    store = await w.connect("woocommerce", shelf, seed=1)
    market = await w.connect("mercadolivre", shelf, seed=2)
    await w.open_stock(**{product.sku: product.quantity for product in shelf})
    await w.pass_time()
    return store, market


async def drain_for(w: World, seconds: float) -> None:
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        await w.drain()
        await asyncio.sleep(0.05)


async def test_one_bad_listing_in_a_batch_parks_that_one_alone() -> None:
    async with world() as w:
        _store, _market = await store_and_market(w, CANECA, PRATO)
        other = await w.connect("woocommerce", [CANECA, PRATO], name="Outra", seed=3)
        gone = vars(other.sandbox)["by_sku"].pop("PRATO")
        del vars(other.sandbox)["items"][gone.id]

        await w.count(CANECA=8, PRATO=3)
        await w.at_rest(CANECA=8, PRATO=3)

        parked = await w.rows("SELECT ref, account_id, parked_reason FROM stock_slot WHERE parked_code IS NOT NULL")
        assert [(row["ref"], row["account_id"]) for row in parked] == [(str(gone.id), other.account.id)]
        assert parked[0]["parked_reason"]
        assert other.shelf() == {"CANECA": 8}


async def test_a_refused_listing_is_parked_with_an_alert_and_the_rest_goes_out() -> None:
    async with world() as w:
        store, market = await store_and_market(w, CANECA, PRATO)
        (item,) = vars(market.sandbox)["products"]["PRATO"].items
        item.status = "closed"

        await store.buy("PRATO", 2)
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=8)

        row = await w.row("SELECT parked_code, parked_reason FROM stock_slot WHERE parked_code IS NOT NULL")
        assert row["parked_code"] == "item.status.invalid"
        assert await w.alerts() == ["slot_parked"]

        item.status = "active"  # mended there, and resumed here
        await connect.resume(w.rt, market.account)
        await w.at_rest(CANECA=8, PRATO=2)
        assert await w.alerts() == []


async def test_a_storm_of_429_is_waited_out() -> None:
    async with world() as w:
        store, market = await store_and_market(w)
        market.turn(throttle=1.0)
        await store.buy("CANECA", 3)
        await drain_for(w, 1.0)
        assert market.shelf() == {"CANECA": 10}
        market.turn(throttle=0.0)
        await w.at_rest(CANECA=7)
        assert await w.alerts() == []
        assert (await w.account(market)).status == "live"


async def test_a_storm_of_errors_is_outlived() -> None:
    async with world() as w:
        store, market = await store_and_market(w, CANECA, PRATO)
        for channel in (store, market):
            channel.turn(fail=0.5)
        await store.buy("CANECA", 3)
        await market.buy("PRATO", 1)
        await market.buy("CANECA", 1)
        await drain_for(w, 1.0)
        for channel in (store, market):
            channel.turn(fail=0.0)
        await w.at_rest(CANECA=6, PRATO=3)
        assert await w.alerts() == []


async def test_a_channel_that_is_down_catches_up_when_it_is_back() -> None:
    async with world() as w:
        store, market = await store_and_market(w)
        market.turn(down=True)
        await store.buy("CANECA", 3)
        await market.buy("CANECA", 1)  # a sale whose order nobody can fetch yet
        await drain_for(w, 1.0)
        assert store.shelf() == {"CANECA": 7}
        assert await w.level("CANECA") == (10, 3)

        market.turn(down=False)
        await w.at_rest(CANECA=6)
        assert await w.alerts() == []


async def test_one_channel_down_does_not_hold_another_back() -> None:
    async with world() as w:
        store, market = await store_and_market(w)
        other = await w.connect("woocommerce", [CANECA], name="Outra", seed=3)
        market.turn(down=True)
        await store.buy("CANECA", 3)
        await drain_for(w, 0.7)
        assert (store.shelf(), other.shelf()) == ({"CANECA": 7}, {"CANECA": 7})
        assert market.shelf() == {"CANECA": 10}
        market.turn(down=False)
        await w.at_rest(CANECA=7)


async def test_what_webhooks_never_told_is_found_by_polling() -> None:
    async with world() as w:
        store, market = await store_and_market(w)
        for channel in (store, market):
            channel.turn(webhook_drop=1.0)
        sold = await store.buy("CANECA", 3)
        await market.buy("CANECA", 2)
        await w.settle()
        assert await w.rows("SELECT 1 FROM orders") == []

        await w.hurry("poll")
        await w.at_rest(CANECA=5)
        await store.act("cancel", order_ref=sold)
        await asyncio.sleep(0.01)
        await w.hurry("poll")
        await w.at_rest(CANECA=8)
        assert await w.level("CANECA") == (10, 2)


async def test_a_poll_that_finds_nothing_new_writes_nothing() -> None:
    async with world() as w:
        store, market = await store_and_market(w)
        await store.buy("CANECA", 3)
        await market.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        told = await w.rows("SELECT count(*) AS inbox FROM inbox")
        events = await w.rows("SELECT count(*) AS events FROM order_event")
        writes = (store.writes(), market.writes())
        for _ in range(2):
            await w.hurry("poll")
            await w.at_rest(CANECA=5)
        assert await w.rows("SELECT count(*) AS events FROM order_event") == events
        assert (store.writes(), market.writes()) == writes
        assert (await w.rows("SELECT count(*) AS inbox FROM inbox"))[0]["inbox"] <= told[0]["inbox"] + 2


async def test_a_switched_off_webhook_is_mended_and_caught_up() -> None:
    async with world() as w:
        store, _market = await store_and_market(w)
        for hook in vars(store.sandbox)["hooks"].values():
            hook.status = "disabled"
        await store.buy("CANECA", 3)
        await w.settle()
        assert await w.level("CANECA") == (10, 0)
        await w.hurry("subscribe")
        await w.at_rest(CANECA=7)
        assert {hook.status for hook in vars(store.sandbox)["hooks"].values()} == {"active"}


async def test_an_order_we_cannot_read_is_kept_with_an_alert_and_stops_nobody() -> None:
    async with world() as w:
        store, _market = await store_and_market(w)
        odd = {"id": 999, "status": "processing", "line_items": "teleported"}
        assert await tell(w, store, "order.created", odd) == 200
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=8)
        assert await w.level("CANECA") == (10, 2)
        assert await w.alerts() == ["inbox_parked"]
        kept = await w.row("SELECT raw, error FROM inbox WHERE state = 'parked'")
        assert b"teleported" in bytes(kept["raw"])
        assert "line_items" in kept["error"]


async def test_a_paused_account_keeps_its_work() -> None:
    async with world() as w:
        store, market = await store_and_market(w)
        await connect.pause(w.rt, market.account, "férias")
        await store.buy("CANECA", 3)
        sold = await market.buy("CANECA", 1)
        await w.settle()
        assert market.shelf() == {"CANECA": 9}
        assert store.shelf() == {"CANECA": 7}

        assert await connect.resume(w.rt, await w.account(market)) == "live"
        await w.at_rest(CANECA=6)
        assert (await w.order(sold))["status"] == "paid"

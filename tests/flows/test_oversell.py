"""Every shortage is laid to its cause, told at once, and stays on record when it is gone."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hub.backoffice import oversell
from hub.backoffice.oversell import Cause
from hub.backoffice.shortages import Way
from hub.faults import ChannelError, Fault
from hub.sandbox import Product
from hub.store import stock, warehouses
from jobs import connect, counts, linking, shortages, sweep
from jobs.shortages import Told
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


async def two_channels(w: World, units: int = 10) -> tuple[Channel, Channel]:
    store = await w.connect("woocommerce", [CANECA], seed=1)
    market = await w.connect("mercadolivre", [CANECA], seed=2)
    await w.open_stock(CANECA=units)
    await w.pass_time()
    return store, market


async def looked_into(w: World) -> Told:
    """The only case, looked into."""
    await shortages.look_into(w.rt)
    row = await w.row("SELECT id FROM shortage_case")
    told = await shortages.one(w.rt, w.seller_id, row["id"])
    assert told is not None
    return told


async def test_two_channels_that_sell_the_last_units_at_once_are_a_race() -> None:
    async with world() as w:
        store, market = await two_channels(w, 9)  # both were told
        await asyncio.sleep(1.1)  # channels tell whole seconds
        here, there = await store.buy("CANECA", 9), await market.buy("CANECA", 9)
        await w.at_rest(CANECA=0)
        told = await looked_into(w)
        assert told.case["cause"] == Cause.RACE
        (late,) = await w.short()
        numbers = {
            row["ref"]: row["number"] for row in await w.rows("SELECT ref, coalesce(number, ref) AS number FROM orders")
        }
        taker = told.evidence.taker
        assert taker is not None
        assert told.evidence.sold.order == numbers[late]
        assert taker.order == numbers[there if late == here else here]
        assert (told.evidence.shown, told.evidence.sold.units, taker.units) == (9, 9, 9)
        assert (oversell.seconds(told.evidence) or 0) < 5
        # The channel's own sale had emptied its shelf: nothing had to be told, and the cause is settled.
        assert (await w.row("SELECT look_at FROM shortage_case"))["look_at"] is None


@pytest.mark.parametrize(("here", "there"), [(10, 3), (7, 5)])  # a zero is written at once, else orders are asked for
async def test_a_channel_that_asked_to_wait_is_throttled(here: int, there: int) -> None:
    async with world() as w:
        store, market = await two_channels(w)
        market.turn(throttle=1.0)
        await store.buy("CANECA", here)
        await w.until("SELECT FROM push_failure WHERE fault = 'throttled'", seconds=20)
        await market.buy("CANECA", there)
        market.turn(throttle=0.0)
        await w.settle(40)
        await w.until("SELECT FROM shortage")
        told = await looked_into(w)
        assert told.case["cause"] == Cause.THROTTLED
        assert any("falhou" in line for line in oversell.explain(told.evidence))
        await w.at_rest(CANECA=0)


async def test_a_held_account_is_named() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        await w.rt.hold(await w.account(market), ChannelError(Fault.AUTH, "401", "o token foi recusado"))
        await store.buy("CANECA", 10)
        await w.settle()
        await market.buy("CANECA", 2)
        await connect.resume(w.rt, await w.account(market))
        await w.hurry("poll", "missed")
        await w.settle()
        await w.until("SELECT FROM shortage")
        told = await looked_into(w)
        assert told.case["cause"] == Cause.HELD_ACCOUNT
        assert oversell.explain(told.evidence)[-1] == "A conta não podia ser escrita: o token foi recusado."


async def test_a_count_below_what_is_promised_is_the_counts_doing() -> None:
    async with world() as w:
        store, _market = await two_channels(w)
        await store.buy("CANECA", 6)
        await w.settle()
        await w.open_stock(CANECA=4)
        told = await looked_into(w)
        assert (told.case["cause"], told.case["short"]) == (Cause.COUNT_LOWERED, 2)
        assert told.evidence.lowered is not None
        assert told.evidence.lowered.units == 6


async def test_a_listing_that_was_not_linked_is_named() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        odd = Product(sku="CAN-ML", title="Caneca", quantity=10, price_cents=3990)
        market = await w.connect("mercadolivre", [odd], seed=2)
        await w.open_stock(CANECA=10)
        await store.buy("CANECA", 10)
        await market.buy("CAN-ML", 1)
        await w.settle()
        listing = await w.row("SELECT id FROM listing WHERE account_id = %s", market.account.id)
        await linking.link(w.rt, w.seller_id, listing["id"], "CANECA")
        await w.settle()
        told = await looked_into(w)
        assert told.case["cause"] == Cause.UNLINKED


async def test_a_case_is_closed_with_its_shortage_and_stays_when_the_logs_are_gone() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        await store.buy("CANECA", 10)
        await market.buy("CANECA", 10)
        await w.at_rest(CANECA=0)
        first = await looked_into(w)
        await w.open_stock(CANECA=25)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("DELETE FROM push_log")
        told = await looked_into(w)
        assert (told.case["ended"], told.case["short"], told.case["units"]) == ("filled", 0, 10)
        assert told.remedies == []
        assert told.evidence == first.evidence
        assert await w.short() == {}


async def test_a_cancelled_order_lets_its_case_go() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        here, there = await store.buy("CANECA", 10), await market.buy("CANECA", 10)
        await w.at_rest(CANECA=0)
        (late,) = await w.short()
        await (store if late == here else market).act("cancel", order_ref=late)
        assert {here, there} > {late}
        await w.at_rest(CANECA=0)
        assert (await w.row("SELECT ended FROM shortage_case"))["ended"] == "released"


async def test_the_ways_out_are_told() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        async with w.rt.db.seller(w.seller_id) as tx:  # both channels draw from the first warehouse alone
            house = await warehouses.warehouse(tx, None)
            shed = await warehouses.warehouse_add(tx, "galpao", "Galpão", rank=50)
            sku = await stock.sku_id(tx, "CANECA")
            for channel in (store, market):
                await tx.run(
                    "INSERT INTO account_warehouse (seller_id, account_id, warehouse_id) VALUES (%s, %s, %s)",
                    [w.seller_id, channel.account.id, house],
                )
            supplier = await tx.value(
                "INSERT INTO supplier (seller_id, id, name) VALUES (%s, gen_random_uuid(), 'Louças') RETURNING id",
                [w.seller_id],
            )
            bought = await tx.value(
                "INSERT INTO purchase_order (seller_id, id, supplier_id, number, status, expected_at) "
                "VALUES (%s, gen_random_uuid(), %s, 'C-1', 'sent', %s) RETURNING id",
                [w.seller_id, supplier, datetime(2099, 1, 2, tzinfo=UTC)],
            )
            await tx.run(
                "INSERT INTO purchase_order_line (seller_id, purchase_order_id, sku_id, quantity, received_quantity) "
                "VALUES (%s, %s, %s, 20, 8)",
                [w.seller_id, bought, sku],
            )
        await counts.set_stock(w.rt, w.seller_id, [("CANECA", 7)], warehouse="galpao")
        assert shed is not None
        await store.buy("CANECA", 10)
        await market.buy("CANECA", 10)
        await w.at_rest(CANECA=0)
        told = await looked_into(w)
        by_way: dict[Way, Any] = {each.way: each.params for each in told.remedies}
        assert by_way[Way.TRANSFER] == {"warehouse": "Galpão", "units": 7, "free": 7}
        incoming = by_way.get(Way.INCOMING) or by_way[Way.INCOMING_LATE]
        assert (incoming["number"], incoming["units"]) == ("C-1", 12)
        assert by_way[Way.CANCEL]["account"] == store.account.name  # a marketplace counts it against the seller
        assert len(told.costs) == 2
        assert told.remedies[-1].way is Way.NO_SUBSTITUTE


async def test_a_shortage_is_alerted_within_a_second_of_its_notice() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        working = asyncio.create_task(_work(w))
        try:
            await asyncio.gather(store.buy("CANECA", 10), market.buy("CANECA", 10))
            async with asyncio.timeout(10):
                while not (  # noqa: ASYNC110 - the database rings for nobody
                    rows := await w.rows("SELECT opened_at FROM alert WHERE kind = 'shortage'")
                ):
                    await asyncio.sleep(0.01)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        notices = await w.rows("SELECT received_at FROM inbox WHERE source = 'webhook' AND topic = 'order'")
        waited = rows[0]["opened_at"] - min(notice["received_at"] for notice in notices)
        assert waited < timedelta(seconds=1), waited


async def _work(w: World) -> None:
    while True:
        await w.drain()
        await asyncio.sleep(0.02)


async def test_what_is_not_there_is_not_told() -> None:
    async with world() as w:
        assert await shortages.one(w.rt, w.seller_id, UUID(int=0)) is None


async def test_the_sweep_looks_into_what_is_due_and_drops_old_failures() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        await store.buy("CANECA", 10)
        await market.buy("CANECA", 10)
        await w.settle()
        stop = asyncio.Event()
        sweeping = asyncio.create_task(sweep.run(w.rt, w.pulse, stop, drains=False))
        try:
            await w.until("SELECT FROM shortage_case WHERE cause IS NOT NULL", seconds=10)
        finally:
            stop.set()
            await sweeping
        async with w.rt.db.seller(w.seller_id) as tx:
            for days in (1, 99):
                await tx.run(
                    "INSERT INTO push_failure (seller_id, id, slot_id, quantity, fault, code, at) "
                    "SELECT seller_id, gen_random_uuid(), id, 0, 'transient', %s, now() - %s * interval '1 day' "
                    "FROM stock_slot LIMIT 1",
                    [str(days), days],
                )
        await sweep.prune(w.rt)
        assert [row["code"] for row in await w.rows("SELECT code FROM push_failure")] == ["1"]

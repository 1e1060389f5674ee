"""Buffers in force: every channel shows the new number at once, and pools keep their units for one channel."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hub.buffers import BufferKind
from hub.sandbox import Product
from hub.store import stock
from hub.store.buffers import Rule
from jobs import availability, buffers, counts, sweep
from jobs.connect import Refused
from jobs.kits import set_kit
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=30, price_cents=3990)


def rule(scope: str, ref: object, kind: str, value: int, **told: Any) -> Rule:
    return Rule(
        scope=scope, scope_ref=str(ref), kind=BufferKind(kind), value=value, **{"account_id": None, **told}
    )  # fmt: skip


async def two_channels(w: World, units: int = 30) -> tuple[Channel, Channel]:
    store = await w.connect("woocommerce", [CANECA], seed=1)
    market = await w.connect("mercadolivre", [CANECA], seed=2)
    await w.open_stock(CANECA=units)
    await w.pass_time()
    return store, market


async def put(w: World, made: Rule, **told: Any) -> buffers.Changed:
    return await buffers.set_rule(w.rt, w.seller_id, made, **told)


def both(store: Channel, market: Channel) -> tuple[int, int]:
    return store.shelf()["CANECA"], market.shelf()["CANECA"]


async def why(w: World, channel: Channel) -> list[str]:
    """The steps that lead to a channel's number."""
    told = await counts.explain(w.rt, w.seller_id, "CANECA")
    (answer,) = [answer for slot, answer in told if slot["account"] == channel.account.name]
    return list(answer.explain())


async def test_the_most_particular_buffer_counts_and_a_removed_one_does_not() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        at_store = {"account_id": store.account.id}
        await put(w, rule("channel", store.account.id, "percent", 50, **at_store))
        await w.settle()
        assert both(store, market) == (15, 30)
        told = await put(w, rule("sku", "CANECA", "units", 4))
        await w.settle()
        assert both(store, market) == (26, 26)
        await put(w, rule("sku", "CANECA", "units", 1, **at_store))
        await w.settle()
        assert both(store, market) == (29, 26)
        assert "Margem de segurança (produto neste canal) de 1: resta 29." in await why(w, store)
        assert told.buffer_id is not None
        await buffers.remove_rule(w.rt, w.seller_id, told.buffer_id)
        await w.at_rest()
        assert both(store, market) == (29, 30)


async def test_a_preview_tells_what_would_change_and_writes_nothing() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        before = store.writes() + market.writes()
        told = await put(w, rule("sku", "CANECA", "most", 7), dry=True)
        assert {(c.account, c.before, c.after) for c in told.changes} == {
            (store.account.name, 30, 7), (market.account.name, 30, 7)
        }  # fmt: skip
        assert await w.rows("SELECT FROM buffer") == []
        await w.at_rest(CANECA=30)
        assert store.writes() + market.writes() == before


async def test_a_pool_is_kept_for_one_channel_until_it_is_eaten() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        pool = rule("sku", "CANECA", "fixed_pool", 20, account_id=market.account.id)
        await put(w, pool)
        await w.settle()
        assert both(store, market) == (10, 20)
        assert any("20 separadas para" in step for step in await why(w, store))

        ref = await market.buy("CANECA", 5)
        await w.settle()
        assert both(store, market) == (10, 15)  # sales there eat the pool, and nobody else's units
        assert any("cota de 20, já vendidas 5" in step for step in await why(w, store))
        await store.buy("CANECA", 3)
        await w.settle()
        assert both(store, market) == (7, 15)
        await market.act("cancel", order_ref=ref)
        await w.at_rest()
        assert both(store, market) == (7, 20)  # what is cancelled is the pool's again

        await w.open_stock(CANECA=13)  # 3 of them promised
        assert both(store, market) == (0, 10)
        await put(w, rule("sku", "CANECA", "fixed_pool", 4, account_id=market.account.id))
        await w.at_rest()
        assert both(store, market) == (6, 4)


async def test_a_dispatched_sale_stays_eaten() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        await put(w, rule("sku", "CANECA", "fixed_pool", 20, account_id=market.account.id))
        await w.settle()
        ref = await market.buy("CANECA", 5)
        await w.settle()
        await market.act("dispatch", order_ref=ref)
        await w.at_rest()
        assert await w.level("CANECA") == (25, 0)
        assert both(store, market) == (10, 15)


async def test_a_kit_elsewhere_does_not_draw_on_a_pool_either() -> None:
    async with world() as w:
        kit = Product(sku="KIT", title="Kit", quantity=1, price_cents=9990)
        store = await w.connect("woocommerce", [CANECA, kit], seed=1)
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        await w.open_stock(CANECA=30)
        await set_kit(w.rt, w.seller_id, "KIT", {"CANECA": 2})
        await put(w, rule("sku", "CANECA", "fixed_pool", 21, account_id=market.account.id))
        await w.at_rest()
        assert store.shelf() == {"CANECA": 9, "KIT": 4}
        with pytest.raises(Refused, match="KIT is a kit: set apart units of its components"):
            await put(w, rule("sku", "KIT", "fixed_pool", 1, account_id=market.account.id))


async def test_a_buffer_begins_and_ends_by_itself() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        now = w.rt.now()
        told = {"starts_at": now + timedelta(hours=1), "ends_at": now + timedelta(hours=2)}
        await put(w, rule("sku", "CANECA", "units", 4, **told))
        await w.settle()
        assert both(store, market) == (30, 30)
        assert await buffers.turn(w.rt) == 0

        clock = w.rt.now
        try:
            w.rt.now = lambda: clock() + timedelta(minutes=61)
            assert await buffers.turn(w.rt) == 1
            await w.settle()
            assert both(store, market) == (26, 26)
            w.rt.now = lambda: clock() + timedelta(minutes=121)
            assert await buffers.turn(w.rt) == 1
            await w.settle()
            assert both(store, market) == (30, 30)
            assert await buffers.turn(w.rt) == 0
        finally:
            w.rt.now = clock


async def test_the_sweep_turns_what_is_due_within_seconds() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        await put(w, rule("sku", "CANECA", "units", 4, starts_at=w.rt.now() + timedelta(seconds=1)))
        stop = asyncio.Event()
        sweeping = asyncio.create_task(sweep.run(w.rt, w.pulse, stop, drains=False))
        try:
            await w.until("SELECT FROM stock_slot WHERE desired = 26", seconds=10)
        finally:
            stop.set()
            await sweeping
        await w.at_rest()
        assert both(store, market) == (26, 26)


async def test_a_buffer_holds_only_while_there_is_more() -> None:
    async with world() as w:
        store, market = await two_channels(w, 12)
        await put(w, rule("channel", store.account.id, "units", 5, account_id=store.account.id, until_stock=10))
        await w.settle()
        assert both(store, market) == (7, 12)
        await market.buy("CANECA", 2)
        await w.at_rest()
        assert both(store, market) == (10, 10)


async def test_an_automatic_buffer_follows_sales_elsewhere_and_the_lag_here() -> None:
    async with world() as w:
        store, market = await two_channels(w)
        automatic = rule("channel", store.account.id, "auto", 100, account_id=store.account.id, cap=9)
        await put(w, automatic)
        assert any("ainda sem medição" in step for step in await why(w, store))
        await market.buy("CANECA", 6)
        await w.settle()
        async with w.rt.db.seller(w.seller_id) as tx:  # as slow as a channel on a bad day
            await tx.run("UPDATE push_log SET dirty_at = answered_at - interval '3 hours'")
            await tx.run("UPDATE buffer SET turns_at = now()")
        assert await buffers.turn(w.rt) == 1
        await w.at_rest()
        measured = await w.row("SELECT * FROM buffer_measure WHERE units > 0")
        # Six units within the hour weigh 6 · ln 2 / 6 h: 0.69 an hour, for three hours.
        assert measured["per_hour"] == pytest.approx(0.693, abs=0.01)
        assert measured["units"] == 3
        assert both(store, market) == (21, 24)
        assert any("outros canais vendem 0,69 por hora" in step for step in await why(w, store))
        assert await buffers.turn(w.rt) == 0  # not before its time
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE push_log SET dirty_at = answered_at - interval '3 days'")
            await tx.run("UPDATE buffer SET turns_at = now()")
        await buffers.turn(w.rt)
        await w.at_rest()
        assert both(store, market) == (15, 24)  # never more than its cap
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE buffer SET ends_at = now(), turns_at = now()")
        await buffers.turn(w.rt)
        await w.at_rest()
        assert both(store, market) == (24, 24)
        assert (await w.row("SELECT turns_at FROM buffer"))["turns_at"] is None  # what is over is measured no more


async def test_a_buffer_that_would_empty_the_shelves_stops_and_asks() -> None:
    async with world() as w:
        skus = [f"SKU-{n:02d}" for n in range(12)]
        store = await w.connect("woocommerce", [Product(sku=s, title=s, quantity=5, price_cents=100) for s in skus])
        await w.open_stock(**dict.fromkeys(skus, 5))
        emptying = rule("channel", store.account.id, "units", 5, account_id=store.account.id)
        told = await put(w, emptying, dry=True)
        assert told.zeros == ((store.account.name, 12, 12),)
        await put(w, emptying)
        await w.at_rest()
        assert set(store.shelf().values()) == {5}
        assert await w.alerts() == ["zero_brake"]


async def many(w: World, count: int) -> Channel:
    skus = [f"SKU-{n:02d}" for n in range(count)]
    store = await w.connect("woocommerce", [Product(sku=s, title=s, quantity=5, price_cents=100) for s in skus])
    await w.open_stock(**dict.fromkeys(skus, 5))
    await w.pass_time()
    return store


async def test_what_a_rule_changes_part_by_part_leaves_together_and_the_brake_sees_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world() as w:
        store = await many(w, 30)
        monkeypatch.setattr(buffers, "AT_ONCE", 1)
        emptying = rule("channel", store.account.id, "units", 5, account_id=store.account.id)
        keeping = asyncio.create_task(put(w, emptying))
        while not keeping.done():
            await w.drain()
        assert len((await keeping).changes) == 30
        await w.at_rest()
        assert set(store.shelf().values()) == {5}
        assert await w.alerts() == ["zero_brake"]


async def test_a_rule_that_broke_off_half_way_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world() as w:
        store = await many(w, 3)
        monkeypatch.setattr(buffers, "AT_ONCE", 1)
        numbers, asked = availability.numbers, []

        async def breaks_off(*args: Any, **told: Any) -> Any:
            asked.append(args)
            if len(asked) == 2:
                raise ConnectionError("gone")
            return await numbers(*args, **told)

        monkeypatch.setattr(buffers, "numbers", breaks_off)
        with pytest.raises(ConnectionError):
            await put(w, rule("channel", store.account.id, "units", 2, account_id=store.account.id))
        wanted = "SELECT count(*) AS n FROM stock_slot WHERE desired = 3"
        assert (await w.row(wanted))["n"] == 1
        assert await buffers.turn(w.rt) == 0, "whoever began may still be at it"
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE buffer SET turns_at = turns_at - %s", [buffers.UNFINISHED])
            await tx.run("UPDATE stock_slot SET due_at = due_at - %s", [buffers.UNFINISHED])
        assert await buffers.turn(w.rt) == 1
        await w.at_rest()
        assert set(store.shelf().values()) == {3}
        assert (await w.row("SELECT turns_at FROM buffer"))["turns_at"] is None


async def test_another_sellers_rules_are_out_of_reach() -> None:
    async with world() as w:
        _store, market = await two_channels(w)
        told = await put(w, rule("sku", "CANECA", "units", 4))
        assert told.buffer_id is not None
        other = await w.neighbour()
        with pytest.raises(Refused, match="there is no buffer"):
            await buffers.remove_rule(w.rt, other.seller_id, told.buffer_id)
        async with w.rt.db.seller(other.seller_id) as tx:
            assert await stock.sku_id(tx, "CANECA") is None
        with pytest.raises(Refused, match="there is no SKU"):
            await put(other, rule("sku", "CANECA", "fixed_pool", 4, account_id=market.account.id))


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"value": -1}, "value: -1 is not between"),
        ({"kind": "percent", "value": 101}, "value: 101 is more than 100 %"),
        ({"kind": "fixed_pool"}, "account: a pool is set apart for one channel"),
        ({"cap": 3}, "cap: only an automatic buffer"),
        ({"kind": "auto", "cap": -1}, "cap: -1 is below zero"),
        ({"until_stock": -1}, "until-stock: -1"),
        ({"ends_at": -1}, "ends: that time has passed"),
        ({"starts_at": 2, "ends_at": 1}, "ends: it must be later than starts"),
        ({"scope": "category", "scope_ref": "louça"}, "category: no SKU has the category 'louça'"),
        ({"scope_ref": "PRATO"}, "sku: there is no SKU 'PRATO'"),
    ],
)
async def test_what_makes_no_sense_is_refused(told: dict[str, Any], sentence: str) -> None:
    async with world() as w:
        hours = {
            name: w.rt.now() + timedelta(hours=value)
            for name, value in told.items()
            if name in ("starts_at", "ends_at")
        }
        asked = {"scope": "sku", "scope_ref": "CANECA", "kind": "units", "value": 1, **told, **hours}
        with pytest.raises(Refused, match=sentence):
            await put(
                w, rule(asked.pop("scope"), asked.pop("scope_ref"), asked.pop("kind"), asked.pop("value"), **asked)
            )
        assert await w.rows("SELECT FROM buffer") == []

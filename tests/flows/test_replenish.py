"""From days to plans, from positions to one alert, from an alert to a purchase order and back over the line."""

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest

from hub.sandbox import Product
from hub.store import StoreError, new_id, replenishment, suppliers
from jobs import purchase, replenish, sweep
from jobs.connect import Refused
from tests.flows.replenishing import History, history
from tests.world import Log, World, world


async def steady(h: History, code: str = "CANECA", *, units: int = 1000, each: int = 5) -> UUID:
    """A SKU that sells so many every day, from a supplier who takes ten days."""
    sku = await h.sku(code, units, cost_cents=1000)
    for ago in range(1, 91):
        await h.sale(sku, each, ago=ago)
    async with h.w.rt.db.seller(h.w.seller_id) as tx:
        known = await suppliers.named(tx, "Fornecedora")
        made = known["id"] if known else await suppliers.add(tx, "Fornecedora", lead_time_days=10)
    await replenish.set_settings(h.w.rt, h.w.seller_id, {code: {"supplier_id": made}})
    return sku


async def stand(h: History, sku: UUID, units: int) -> replenish.Checked:
    """So many units stand there, and the hub looks."""
    (row,) = await h.w.rows("SELECT sum(on_hand)::int AS n FROM stock_level WHERE sku_id = %s", sku)
    if row["n"] != units:
        await h.move(sku, units - row["n"], ago=0, hour=0)
    async with h.w.rt.db.seller(h.w.seller_id) as tx:
        return await replenish.check(tx, h.w.rt.now())


async def told(w: World) -> list[dict[str, Any]]:
    return await w.rows("SELECT severity, params, resolved_at FROM alert WHERE kind = 'low_stock' ORDER BY opened_at")


async def explained(w: World, sku: UUID) -> replenish.Explained:
    async with w.rt.db.seller(w.seller_id) as tx:
        found = await replenish.explain(tx, w.rt.now(), sku)
    assert found is not None
    return found


# ── Plans ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_steady_seller_is_planned_from_its_days() -> None:
    async with world() as w:
        h = await history(w)
        sku = await steady(h)
        await replenish.refresh(w.rt, w.seller_id)
        found = await explained(w, sku)
        assert found.plan.demand.per_day == 5
        assert found.plan.demand.deviation == 0
        assert (found.plan.reorder, found.plan.target) == (50, 85)
        assert found.plan.lead.source == "supplier"
        assert (found.row["abc"], found.row["doubt"]) == ("A", None)
        run = await w.row("SELECT skus, day FROM replenishment_run")
        assert run == {"skus": 1, "day": h.today.date() - timedelta(days=1)}


async def test_days_without_stock_do_not_lower_demand() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 100, ago=60)
        for ago in range(41, 61):
            await h.sale(sku, 5, ago=ago, hour=0)  # the last five of a hundred: nothing is left for forty days
        await replenish.refresh(w.rt, w.seller_id)
        found = await explained(w, sku)
        assert found.plan.demand.per_day == pytest.approx(5, rel=0.06)
        assert found.plan.demand.known_days == 60


async def test_the_daily_run_is_made_once_a_day_and_planned_again_the_next() -> None:
    async with world() as w:
        h = await history(w)
        sku = await steady(h)
        await replenish.keep(w.rt)
        first = await w.row("SELECT at, day FROM replenishment_run")
        await replenish.keep(w.rt)
        assert await w.row("SELECT at, day FROM replenishment_run") == first
        tomorrow = w.rt.now() + timedelta(days=1)
        w.rt.now = lambda: tomorrow
        await replenish.keep(w.rt)
        assert (await w.row("SELECT day FROM replenishment_run"))["day"] == first["day"] + timedelta(days=1)
        assert (await explained(w, sku)).plan.demand.per_day == pytest.approx(5 * 89 / 90)


async def test_a_lead_time_is_measured_once_three_orders_came() -> None:
    async with world() as w:
        h = await history(w)
        sku = await steady(h)
        for n, days in enumerate((6, 8, 10)):
            number = await purchase.create(w.rt, w.seller_id, "fornecedora", {"CANECA": (10, None)})
            row = await w.row("SELECT id FROM purchase_order WHERE number = %s", number)
            await purchase.send(w.rt, w.seller_id, row["id"])
            async with w.rt.db.seller(w.seller_id) as tx:
                await tx.run("UPDATE purchase_order SET sent_at = sent_at - %s WHERE id = %s",
                             [timedelta(days=days), row["id"]])  # fmt: skip
            await purchase.receive(w.rt, w.seller_id, row["id"], "1", {"CANECA": (10, None)})
            await replenish.refresh(w.rt, w.seller_id)
            source = (await explained(w, sku)).plan.lead.source
            assert source == ("measured_sku" if n == 2 else "supplier")
        lead = (await explained(w, sku)).plan.lead
        assert lead.days == pytest.approx(8, abs=0.01)
        assert lead.deviation == pytest.approx(2, abs=0.01)
        assert lead.receipts == 3


async def test_what_is_not_replenished_has_no_plan_and_no_alert() -> None:
    async with world() as w:
        h = await history(w)
        sku = await steady(h, units=450)
        await replenish.keep(w.rt)
        assert len(await told(w)) == 1
        await replenish.set_settings(w.rt, w.seller_id, {"CANECA": {"active": False}})
        assert await w.rows("SELECT FROM replenishment_plan") == []
        assert [row["resolved_at"] is None for row in await told(w)] == [False]
        await replenish.keep(w.rt)
        await replenish.refresh(w.rt, w.seller_id)
        assert await w.rows("SELECT FROM replenishment_plan") == []
        async with w.rt.db.seller(w.seller_id) as tx:
            assert await replenish.explain(tx, w.rt.now(), sku) is None


# ── Alerts ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_one_alert_when_crossed_none_again_until_over_the_line() -> None:
    async with world() as w:
        h = await history(w)
        sku = await steady(h)
        await replenish.keep(w.rt)
        assert await told(w) == []
        await stand(h, sku, 50)
        assert [row["severity"] for row in await told(w)] == ["warning"], "the supplier comes as it runs out"
        for units in (49, 51, 50, 52, 48, 54):  # hovering around fifty
            await stand(h, sku, units)
        assert [row["resolved_at"] is None for row in await told(w)] == [True]
        await stand(h, sku, 55)
        assert [row["resolved_at"] is None for row in await told(w)] == [False]
        await stand(h, sku, 52)
        assert len(await told(w)) == 1
        await stand(h, sku, 50)
        assert [row["resolved_at"] is None for row in await told(w)] == [False, True]


async def test_an_alert_grows_urgent_and_carries_its_evidence() -> None:
    async with world() as w:
        h = await history(w)
        sku = await steady(h)
        await replenish.keep(w.rt)
        await stand(h, sku, 50)
        await stand(h, sku, 20)
        (row,) = await told(w)
        assert row["severity"] == "urgent"
        runs_out = (w.rt.now() + timedelta(days=4)).astimezone(replenish.ZONE).date().isoformat()
        assert row["params"] == {
            "sku": "CANECA", "position": 20, "reorder": 50, "quantity": 65, "supplier": "Fornecedora",
            "stockout": runs_out, "doubt": None,
        }  # fmt: skip
        assert (await stand(h, sku, 20)).raised == 0


async def test_safety_stock_is_no_buffer_and_the_channels_show_all_there_is() -> None:
    async with world() as w:
        shop = await w.connect("woocommerce", [Product(sku="CANECA", title="Caneca", quantity=9, price_cents=3990)])
        await w.open_stock(CANECA=9)
        await replenish.set_settings(w.rt, w.seller_id, {"CANECA": {"safety_stock": 5, "reorder_point": 8}})
        await shop.buy("CANECA", 1)
        await w.at_rest(CANECA=8)
        await replenish.keep(w.rt)
        assert await w.alerts() == ["low_stock"]
        await w.at_rest(CANECA=8)


# ── The position ────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_ordered_counts_once_from_sending_to_receiving() -> None:
    async with world() as w:
        h = await history(w)
        sku = await steady(h)
        await replenish.refresh(w.rt, w.seller_id)
        await stand(h, sku, 40)

        async def position() -> tuple[int, int]:
            found = await explained(w, sku)
            return found.verdict.position, found.row["incoming"]

        (made,), left = await purchase.order_suggested(w.rt, w.seller_id)
        assert (made.lines, left) == (1, [])
        assert await position() == (40, 0), "a draft is not ordered"
        await purchase.send(w.rt, w.seller_id, made.id)
        assert await position() == (85, 45)
        assert await w.alerts() == [], "what comes is enough"
        await purchase.receive(w.rt, w.seller_id, made.id, "a", {"CANECA": (20, None)})
        assert await position() == (85, 25)
        await purchase.close_short(w.rt, w.seller_id, made.id)
        assert await position() == (60, 0)


async def test_ordering_again_does_not_buy_twice() -> None:
    async with world() as w:
        h = await history(w)
        sku = await steady(h)
        other = await h.sku("PRATO", 100)
        for ago in range(1, 91):
            await h.sale(other, 2, ago=ago)
        await replenish.refresh(w.rt, w.seller_id)
        await stand(h, sku, 40)
        await stand(h, other, 10)
        (made,), left = await purchase.order_suggested(w.rt, w.seller_id)
        assert left == [purchase.Left("PRATO", None)], "nobody sells it to us"
        again, left = await purchase.order_suggested(w.rt, w.seller_id)
        assert again == []
        assert purchase.Left("CANECA", made.number) in left
        assert (await w.row("SELECT sum(quantity)::int AS n FROM purchase_order_line"))["n"] == 45


async def test_the_list_goes_by_days_left_in_pages() -> None:
    async with world() as w:
        h = await history(w)
        skus = {code: await steady(h, code) for code in ("A", "B", "C", "D")}
        await replenish.refresh(w.rt, w.seller_id)
        for code, units in (("A", 30), ("B", 10), ("C", 0), ("D", 900)):
            await stand(h, skus[code], units)
        async with w.rt.db.seller(w.seller_id) as tx:
            rows = await replenishment.listed(tx, "low")
            assert [row["code"] for row in rows] == ["C", "B", "A"]
            first = await replenishment.listed(tx, "all", limit=2)
            rest = await replenishment.listed(tx, "all", after=(first[1]["days_left"], first[1]["sku_id"]))
            assert [row["code"] for row in first + rest] == ["C", "B", "A", "D"]
            for chosen in replenishment.FILTERS:
                await replenishment.listed(tx, chosen, search="a", abc="A")


async def test_settings_of_what_is_not_there_are_refused_whole() -> None:
    async with world() as w:
        h = await history(w)
        await h.sku("CANECA", 5)
        with pytest.raises(Refused, match="there is no SKU 'NADA'"):
            await replenish.set_settings(w.rt, w.seller_id, {"CANECA": {"safety_stock": 5}, "NADA": {}})
        assert await w.rows("SELECT FROM sku_replenishment") == []


async def test_the_sweep_keeps_replenishment_going() -> None:
    async with world() as w:
        h = await history(w)
        await steady(h, units=460)
        stop = asyncio.Event()
        sweeping = asyncio.create_task(sweep.run(w.rt, w.pulse, stop, drains=False))
        for _ in range(200):
            if await w.rows("SELECT FROM alert WHERE kind = 'low_stock'"):
                break
            await asyncio.sleep(0.05)
        stop.set()
        await sweeping
        assert [row["severity"] for row in await told(w)] == ["urgent"]
        assert len(await w.rows("SELECT FROM replenishment_run")) == 1


async def test_a_database_that_is_away_is_no_traceback(log: Log) -> None:
    async with world() as w:
        with patch.object(replenish, "keep", side_effect=StoreError("away")):
            await sweep.restock(w.rt)
        assert [event["reason"] for event in log.named("replenishment skipped")] == ["away"]


async def test_one_sellers_trouble_is_not_anothers(log: Log) -> None:
    async with world() as w:
        h = await history(w)
        await steady(h)
        other = await history(await w.neighbour())
        await steady(other)
        keep_seller = replenish.keep_seller

        async def trouble(rt: Any, seller_id: UUID) -> Any:
            if seller_id == w.seller_id:
                raise RuntimeError("broken")
            return await keep_seller(rt, seller_id)

        with patch.object(replenish, "keep_seller", trouble):
            await replenish.keep(w.rt)
        assert await w.rows("SELECT FROM replenishment_run") == []
        assert len(await other.w.rows("SELECT FROM replenishment_run")) == 1
        assert len(log.tracebacks) == 1
        log.tracebacks.clear()


async def test_units_in_transit_are_ours_and_damaged_ones_are_not() -> None:
    async with world() as w:
        h = await history(w)
        sku = await steady(h)
        await replenish.refresh(w.rt, w.seller_id)
        await stand(h, sku, 40)
        async with w.rt.db.seller(w.seller_id) as tx:
            for kind, units in (("transit", 7), ("damaged", 90), ("marketplace", 90)):
                shelf = new_id()
                await tx.run(
                    "INSERT INTO warehouse (seller_id, id, code, name, kind) VALUES (%s, %s, %s, %s, %s)",
                    [tx.seller, shelf, kind, kind, kind],
                )
                await tx.run(
                    "INSERT INTO stock_level (seller_id, sku_id, warehouse_id, on_hand) VALUES (%s, %s, %s, %s)",
                    [tx.seller, sku, shelf, units],
                )
        assert (await explained(w, sku)).verdict.position == 47

"""Deadlines: told before they pass, once each, at the cost of an index lookup; and parcels that need a person."""

from datetime import datetime, time, timedelta
from typing import Any

from hub.model import Shipment, TrackedObject, TrackingEvent, TrackingStatus
from hub.sandbox import Product
from hub.store import deadlines as store
from hub.store import shipments, tracking
from jobs import deadlines, roles
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
SHIP = ("ship_by_4h", "ship_by_1h", "ship_late")
S = TrackingStatus


async def sold(w: World) -> tuple[Channel, str]:
    """A paid order of a store that tells no ship-by."""
    store_ = await w.connect("woocommerce", [CANECA], seed=1)
    await w.open_stock(CANECA=10)
    ref = await store_.buy("CANECA")
    await w.settle()
    return store_, ref


async def due_in(w: World, ref: str, left: timedelta) -> None:
    """The channel tells that an order must leave in so long."""
    at = w.rt.now() + left
    async with w.rt.db.seller(w.seller_id) as tx:
        await tx.run(
            "UPDATE orders SET told = jsonb_set(told, '{ship_by}', to_jsonb(%s::text)), deadline_at = now() "
            "WHERE ref = %s", [at.isoformat(), ref],
        )  # fmt: skip
    while await deadlines.turn(w.rt):
        pass


async def open_(w: World, kinds: tuple[str, ...] = SHIP) -> list[str]:
    rows = await w.rows(
        "SELECT kind FROM alert WHERE resolved_at IS NULL AND kind = ANY(%s) ORDER BY kind", list(kinds)
    )
    return [row["kind"] for row in rows]


async def ever(w: World) -> list[str]:
    rows = await w.rows("SELECT kind FROM alert WHERE kind = ANY(%s) ORDER BY opened_at, id", list(SHIP))
    return [row["kind"] for row in rows]


def at(w: World, now: datetime) -> None:
    w.rt.now = lambda: now


async def test_each_threshold_is_alerted_once_and_in_place_of_the_one_before() -> None:
    async with world() as w:
        _store, ref = await sold(w)
        await due_in(w, ref, timedelta(hours=6))
        assert await open_(w) == []
        start = w.rt.now()
        row = await w.order(ref)
        assert abs(row["deadline_at"] - (row["ship_by"] - timedelta(hours=4))) < timedelta(seconds=1)
        for hours, kinds in ((1.9, []), (2.01, ["ship_by_4h"]), (5.01, ["ship_by_1h"]), (6.01, ["ship_late"])):
            at(w, start + timedelta(hours=hours))
            for _ in range(3):  # looking again finds nothing new
                await deadlines.turn(w.rt)
            assert await open_(w) == kinds, hours
        assert await ever(w) == list(SHIP)
        assert (await w.order(ref))["deadline_at"] is None
        (alert,) = await w.rows("SELECT * FROM alert WHERE resolved_at IS NULL AND kind = 'ship_late'")
        assert alert["severity"] == "urgent"
        assert alert["params"]["order"] == ref
        assert alert["params"]["by"] == "channel"
        assert alert["due_at"] == row["ship_by"]


async def test_a_dispatch_or_a_cancellation_ends_it() -> None:
    async with world() as w:
        store_, ref = await sold(w)
        other = await store_.buy("CANECA")
        await w.settle()
        for each in (ref, other):
            await due_in(w, each, timedelta(minutes=30))
        assert await open_(w) == ["ship_by_1h", "ship_by_1h"]
        await store_.act("complete", order_ref=ref)
        await w.settle()
        await deadlines.turn(w.rt)
        assert await open_(w) == ["ship_by_1h"]
        await store_.act("cancel", order_ref=other)
        await w.settle()
        await deadlines.turn(w.rt)
        assert await open_(w) == []
        assert await w.rows("SELECT FROM orders WHERE deadline_at IS NOT NULL OR ship_stage > 0") == []


async def test_a_parcel_that_a_carrier_scanned_has_left_whatever_the_channel_says() -> None:
    async with world() as w:
        _store, ref = await sold(w)
        await due_in(w, ref, timedelta(minutes=30))
        await parcel(w, ref, S.LABEL_CREATED, timedelta())
        assert await open_(w) == ["ship_by_1h"]
        await told(w, S.ACCEPTED, timedelta())
        assert await open_(w) == []


async def test_a_deadline_that_the_channel_moves_is_alerted_anew_when_it_nears_again() -> None:
    async with world() as w:
        _store, ref = await sold(w)
        await due_in(w, ref, timedelta(minutes=30))
        await due_in(w, ref, timedelta(minutes=31))
        assert await ever(w) == ["ship_by_1h"]
        await due_in(w, ref, timedelta(days=2))
        assert await open_(w) == []
        start = w.rt.now()
        at(w, start + timedelta(days=2))
        await deadlines.turn(w.rt)
        assert await open_(w) == ["ship_late"]


async def test_a_closed_account_has_no_deadlines() -> None:
    async with world() as w:
        store_, ref = await sold(w)
        await due_in(w, ref, timedelta(minutes=30))
        assert await open_(w) == ["ship_by_1h"]
        await roles.close(w.rt, await w.account(store_))
        await deadlines.turn(w.rt)
        assert await open_(w) == []


async def test_a_policy_gives_the_deadline_where_the_channel_does_not() -> None:
    async with world() as w:
        store_, ref = await sold(w)
        while await deadlines.turn(w.rt):
            pass
        assert (await w.order(ref))["ship_by"] is None
        account = await w.account(store_)
        policy, looked = await deadlines.set_policy(w.rt, account, handling_days=1, cutoff=time(12))
        assert policy is not None
        assert looked == 1
        await deadlines.turn(w.rt)
        row = await w.order(ref)
        assert row["ship_by"] == row["ship_by_policy"] is not None
        assert row["deadline_at"] is not None

        async with w.rt.db.seller(w.seller_id) as tx:  # another telling that tells no ship-by does not take it away
            from hub.store import orders

            stored = await orders.lock(tx, account.id, ref)
            assert stored is not None
            assert stored.known is not None
            await orders.put(tx, stored.id, stored.known)
        assert (await w.order(ref))["ship_by"] == row["ship_by"]
        await deadlines.set_policy(w.rt, account, none=True)
        await deadlines.turn(w.rt)
        assert (await w.order(ref))["ship_by"] is None


async def test_looking_for_what_is_due_is_an_index_lookup() -> None:
    async with world() as w:
        await sold(w)
        async with w.rt.db.dispatch() as tx:
            await tx.run("SET LOCAL enable_seqscan = off")
            rows = await tx.all(
                "EXPLAIN SELECT seller_id FROM orders WHERE deadline_at <= now() "
                "UNION SELECT seller_id FROM shipment WHERE look_at <= now()"
            )
            plan = "\n".join(row["QUERY PLAN"] for row in rows)
        assert "orders_deadline" in plan
        assert "shipment_look" in plan
        assert await store_is_quiet(w)


async def store_is_quiet(w: World) -> bool:
    """Once looked at, nothing is due."""
    while await deadlines.turn(w.rt):
        pass
    async with w.rt.db.dispatch() as tx:
        return await store.due_sellers(tx, w.rt.now()) == []


async def test_the_sweep_raises_it_by_itself() -> None:
    import asyncio

    from jobs import sweep

    async with world() as w:
        _store, ref = await sold(w)
        await due_in(w, ref, timedelta(hours=4, seconds=2))
        assert await open_(w) == []
        stop = asyncio.Event()
        task = asyncio.create_task(sweep.run(w.rt, w.pulse, stop))
        try:
            for _ in range(200):
                if await open_(w):
                    break
                await asyncio.sleep(0.1)
        finally:
            stop.set()
            await task
        (row,) = await w.rows("SELECT opened_at, due_at FROM alert WHERE kind = 'ship_by_4h'")
        assert row["opened_at"] - (row["due_at"] - timedelta(hours=4)) < timedelta(seconds=10)


# ── parcels ─────────────────────────────────────────────────────────────────────────────────────────────────


async def parcel(w: World, ref: str, status: TrackingStatus, ago: timedelta, **more: Any) -> None:
    """A parcel of an order, last scanned so long ago."""
    order = await w.order(ref)
    async with w.rt.db.seller(w.seller_id) as tx:
        made = Shipment(ref="AA123456785BR", carrier="Correios", tracking_code="AA123456785BR", status=status)
        await shipments.add(tx, order["account_id"], order["id"], made, None, w.rt.now())
    await told(w, status, ago, **more)


async def told(
    w: World, status: TrackingStatus, ago: timedelta, *, words: str = "Objeto em trânsito",
    deliver_by: datetime | None = None,
) -> None:  # fmt: skip
    """A carrier's scan, written as tracking writes it."""
    when = w.rt.now() - ago
    row = await w.row("SELECT id FROM shipment")
    event = TrackingEvent(
        at=when, status=status, raw_code=status.value, description=words, place="Curitiba", state="PR"
    )
    async with w.rt.db.seller(w.seller_id) as tx:
        await tracking.put_events(tx, [(row["id"], "correios", [event])])
        object_ = TrackedObject(code="AA123456785BR", carrier="correios", deliver_by=deliver_by)
        settled = tracking.Settled(
            id=row["id"], told=object_, status=status, last_event_at=when, next_at=None, news_at=None,
            not_found_since=None, heard_at=None, error=None,
        )  # fmt: skip
        await tracking.put(tx, [settled], None)
    while await deadlines.turn(w.rt):
        pass


PARCELS = ("parcel_late", "parcel_stuck", "parcel_lost", "parcel_pickup", "parcel_pickup_last", "parcel_returned")


async def test_a_parcel_that_stands_still_is_alerted_with_the_evidence_and_resolved_when_it_moves() -> None:
    async with world() as w:
        _store, ref = await sold(w)
        await parcel(w, ref, S.IN_TRANSIT, timedelta(days=4, hours=23))
        assert await open_(w, PARCELS) == []
        start = w.rt.now()
        at(w, start + timedelta(hours=2))
        await deadlines.turn(w.rt)
        assert await open_(w, PARCELS) == ["parcel_stuck"]
        row = await w.row("SELECT params FROM alert WHERE kind = 'parcel_stuck'")
        assert row["params"]["days"] == 5
        assert row["params"]["where"] == "Curitiba, PR"
        assert row["params"]["order"] == ref
        assert row["params"]["words"] == "Objeto em trânsito"
        at(w, start + timedelta(days=11))
        await deadlines.turn(w.rt)
        assert await open_(w, PARCELS) == ["parcel_lost"]
        at(w, start + timedelta(minutes=5))
        await told(w, S.OUT_FOR_DELIVERY, timedelta())
        assert await open_(w, PARCELS) == []


async def test_late_against_the_promise() -> None:
    async with world() as w:
        _store, ref = await sold(w)
        start = w.rt.now()
        await parcel(w, ref, S.IN_TRANSIT, timedelta(hours=3), deliver_by=start + timedelta(hours=1))
        assert await open_(w, PARCELS) == []
        at(w, start + timedelta(hours=1, minutes=1))
        await deadlines.turn(w.rt)
        assert await open_(w, PARCELS) == ["parcel_late"]
        await told(w, S.DELIVERED, timedelta())
        assert await open_(w, PARCELS) == []


async def test_waiting_for_pickup_with_its_last_day_and_returned() -> None:
    async with world() as w:
        _store, ref = await sold(w)
        start = w.rt.now()
        last = (start + timedelta(days=5)).strftime("%d/%m/%Y")
        await parcel(w, ref, S.AWAITING_PICKUP, timedelta(), words=f"Disponível para retirada até {last}")
        assert await open_(w, PARCELS) == ["parcel_pickup"]
        row = await w.row("SELECT params, due_at FROM alert WHERE kind = 'parcel_pickup'")
        assert row["params"]["assumed"] is False
        assert timedelta(days=4) < row["due_at"] - start < timedelta(days=7)
        at(w, start + timedelta(days=5))
        await deadlines.turn(w.rt)
        assert await open_(w, PARCELS) == ["parcel_pickup_last"]
        await told(w, S.RETURNED, timedelta())
        assert await open_(w, PARCELS) == ["parcel_returned"]
        at(w, start + timedelta(days=36))
        await deadlines.turn(w.rt)
        assert await open_(w, PARCELS) == []

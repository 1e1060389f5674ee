"""What leaves for a channel: the number as it is, in the right order, seldom, and never one bad row's hostage."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import psycopg
import pytest
from aiohttp import web

from hub.faults import ChannelError, Fault, Unreadable
from hub.http import AccountApi
from hub.model import Outcome, OutcomeKind, Reply, Request
from hub.sandbox import Product
from hub.store import slots
from jobs import ingest, poll, push_stock, sweep
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
PRATO = Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590)
MANY = tuple(Product(sku=f"SKU{n:02d}", title=f"Coisa {n}", quantity=9, price_cents=1000) for n in range(12))


async def stores(w: World, *products: Product, **options: Any) -> tuple[Channel, Channel]:
    one = await w.connect("woocommerce", products, name="Um", seed=1, **options)
    two = await w.connect("woocommerce", products, name="Dois", seed=2, **options)
    await w.open_stock(**{product.sku: product.quantity for product in products})
    await w.pass_time()
    return one, two


async def push(w: World, channel: Channel) -> int:
    """One account's due slots."""
    return await sweep.DRAINS["stock"](w.rt, channel.account)


def once(then: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    done: list[bool] = []

    async def run() -> None:
        if not done:
            done.append(True)
            await then()

    return run


def before(target: Any, name: str, then: Callable[[], Awaitable[object]]) -> Any:
    """Something happens once, right before this is called."""
    inner, run = getattr(target, name), once(then)

    async def called(*given: Any, **more: Any) -> Any:
        await run()
        return await inner(*given, **more)

    return patch.object(target, name, called)


async def slot_id(w: World, channel: Channel, sku: str) -> UUID:
    row = await w.row("SELECT slot_id FROM listing WHERE account_id = %s AND channel_sku = %s", channel.account.id, sku)
    found: UUID = row["slot_id"]
    return found


# ── the number of that moment ──────────────────────────────────────────────────────────────────────────────────


async def test_the_number_that_leaves_is_the_one_of_that_moment() -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA)
        await w.count(CANECA=8)
        with two.reading_writes() as told, before(AccountApi, "admit", lambda: w.count(CANECA=6)):
            await push(w, two)  # planned with 8, it waited for its turn
        assert told == [6]
        with two.reading_writes() as later:
            await w.at_rest(CANECA=6)
        assert later == []


async def test_a_number_that_came_back_while_it_waited_is_not_written_at_all() -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA)
        await w.count(CANECA=8)
        with two.reading_writes() as told, before(AccountApi, "admit", lambda: w.count(CANECA=10)):
            await push(w, two)
            await w.at_rest(CANECA=10)
        assert told == []


@pytest.mark.parametrize(("target", "name"), [(AccountApi, "admit"), (push_stock, "_again")])
async def test_a_zero_that_grew_meanwhile_looks_at_the_newest_orders_first(target: Any, name: str) -> None:
    """A write of 0 needs no look at them; as soon as it is another number, it does."""
    async with world() as w:
        _one, two = await stores(w, CANECA)

        async def grow() -> None:
            two.turn(webhook_drop=1.0)
            await two.buy("CANECA", 2)
            await w.count(CANECA=7)

        await w.count(CANECA=0)
        with two.reading_writes() as told, before(target, name, grow):
            await push(w, two)
            await w.at_rest(CANECA=5)
        assert told == [5]


async def test_a_number_that_became_zero_meanwhile_is_asked_about_first() -> None:
    async with world() as w:
        one, two = await stores(w, *MANY)
        await w.count(**{product.sku: 8 for product in MANY})
        with before(AccountApi, "admit", lambda: w.count(**{product.sku: 0 for product in MANY})):
            await push(w, two)
        await w.at_rest()
        assert 0 not in {*one.shelf().values(), *two.shelf().values()}
        assert await w.alerts() == ["zero_brake", "zero_brake"]


# ── which first, and how often ─────────────────────────────────────────────────────────────────────────────────


async def test_decreases_leave_first_then_the_lowest_availability() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", MANY, seed=1)
        await w.open_stock(**{product.sku: 9 for product in MANY})
        await w.pass_time()
        wanted = [20, 3, 15, 1, 7, 30, 5, 12, 8, 2, 11, 6]
        await w.count(**{product.sku: units for product, units in zip(MANY, wanted, strict=True)})
        left, call = [], AccountApi.call

        async def note(self: AccountApi, request: Request, **more: Any) -> Reply:
            if request.method == "PUT":
                left.append(request.json["available_quantity"])
            return await call(self, request, **more)

        with patch.object(AccountApi, "call", note):
            await push(w, market)
        assert left == [1, 2, 3, 5, 6, 7, 8, 11, 12, 15, 20, 30]


async def test_a_claim_takes_what_is_most_urgent() -> None:
    async with world() as w:
        _one, two = await stores(w, *MANY)
        wanted = [20, 3, 15, 1, 7, 30, 5, 12, 8, 2, 11, 6]
        await w.count(**{product.sku: units for product, units in zip(MANY, wanted, strict=True)})
        with patch.object(push_stock, "BATCH", 4), two.reading_writes() as told:
            await push(w, two)
        assert [sorted(told[n : n + 4]) for n in (0, 4, 8)] == [[1, 2, 3, 5], [6, 7, 8, 11], [12, 15, 20, 30]]


async def test_a_zero_goes_out_without_a_look_at_the_newest_orders() -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA)
        await w.count(CANECA=0)
        calls = two.calls()
        await push(w, two)
        assert two.shelf() == {"CANECA": 0}
        assert not [route for route in two.calls() - calls if "orders" in route]


async def test_what_sells_out_overtakes_what_still_waits_for_a_scarce_limit() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", MANY, seed=1)
        store = await w.connect("woocommerce", MANY, seed=2)
        await w.open_stock(**{product.sku: 9 for product in MANY})
        await w.pass_time()
        await w.count(**{product.sku: 20 + n for n, product in enumerate(MANY)})
        admit, waited = AccountApi.admit, []

        async def scarce(self: AccountApi, operation: str | None) -> None:
            await admit(self, operation)
            if self.channel == "mercadolivre":
                await asyncio.sleep(0.1)
                waited.append(True)
                if len(waited) == 2:
                    await w.count(SKU11=2)

        with (
            patch.object(push_stock, "ROUND", 0.3),
            patch.object(AccountApi, "admit", scarce),
            market.reading_writes() as told,
        ):
            await push(w, market)
        assert told.index(2) < 6, told
        assert len(told) == 12
        await w.at_rest(SKU11=2, SKU00=20)
        assert store.shelf()["SKU11"] == 2


@pytest.mark.slow
async def test_a_thousand_changes_in_ten_seconds_are_at_most_twelve_writes_and_the_last_is_right() -> None:
    async with world() as w:
        one, two = await stores(w, CANECA)
        stop, clock = asyncio.Event(), asyncio.get_running_loop().time

        async def work() -> None:
            while not stop.is_set():
                await sweep.drain(w.rt, "stock")
                await asyncio.sleep(0.005)

        with one.reading_writes() as here, two.reading_writes() as there:
            worker = asyncio.create_task(work())
            began = clock()
            for n in range(1000):
                await w.count(CANECA=1000 + n)
                if n == 20:
                    assert (here, there) != ([], [])  # the first goes out at once
                await asyncio.sleep(max(0.0, began + (n + 1) / 100 - clock()))
            seconds = clock() - began
            stop.set()
            await worker
            await w.at_rest(CANECA=1999)
        for told in (here, there):
            assert told[-1] == 1999
            assert len(told) <= 12 + max(0, round(seconds - 10)), (seconds, told)


async def test_our_own_write_told_back_causes_no_other_and_no_look() -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA)
        calls = two.calls()
        await w.count(CANECA=7)
        await w.at_rest(CANECA=7)
        assert await w.rows("SELECT 1 FROM inbox WHERE account_id = %s AND topic = 'listing'", two.account.id)
        made = two.calls() - calls
        assert sum(count for route, count in made.items() if route.startswith("POST")) == 1
        assert not [route for route in made if route.startswith("GET") and "products" in route]


# ── in doubt ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_worker_that_stood_still_does_not_send_what_it_read_before() -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA)
        begin = push_stock._begin

        async def late(*given: Any, **more: Any) -> Any:
            begun = await begin(*given, **more)
            if begun is None:
                return None
            request, covered, began, rest = begun
            return request, covered, began - timedelta(seconds=5), rest

        await w.count(CANECA=8)
        with two.reading_writes() as told, patch.object(push_stock, "_begin", late):
            await push(w, two)
        assert told == []
        row = await w.row("SELECT due_at, lease_token FROM stock_slot WHERE account_id = %s", two.account.id)
        assert row["due_at"] is not None
        assert row["lease_token"] is None
        await w.at_rest(CANECA=8)


async def test_a_write_that_a_channel_finishes_later_is_read_back_and_not_sent_again() -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA)
        adapter = w.rt.adapter("woocommerce")
        assert adapter.stock
        read = adapter.stock.read

        def later(writes: Any, reply: Reply) -> list[Outcome]:
            return [outcome.model_copy(update={"outcome": OutcomeKind.PENDING}) for outcome in read(writes, reply)]

        await w.count(CANECA=8)
        pending = replace(adapter, stock=replace(adapter.stock, read=later))
        with patch.object(type(w.rt), "adapter", lambda _rt, _name: pending), two.reading_writes() as told:
            await push(w, two)
            await push(w, two)  # not again, not before it should be asked about
            row = await w.row("SELECT pending, due_at, pushed FROM stock_slot WHERE account_id = %s", two.account.id)
            assert row["pending"] is not None
            assert row["pushed"] is None
            assert row["due_at"] > w.rt.now() + timedelta(seconds=20)
            await w.rows(
                "UPDATE stock_slot SET due_at = now(), doubt_until = now() WHERE account_id = %s RETURNING 1",
                two.account.id,
            )
            await push(w, two)
        assert told == [8]
        row = await w.row("SELECT pending, due_at, expected FROM stock_slot WHERE account_id = %s", two.account.id)
        assert row == {"pending": None, "due_at": None, "expected": 8}


async def test_what_another_worker_is_ingesting_is_waited_for_before_a_write() -> None:
    """The orders were looked at a moment ago; what that found is with another worker, and not in the stock yet."""
    async with world() as w:
        _one, two = await stores(w, CANECA)
        other, _pulse = await w.process()
        two.turn(webhook_drop=1.0)
        await two.buy("CANECA", 2)
        apply, held = ingest.apply, asyncio.Event()

        async def slow(rt: Any, *given: Any) -> bool:
            if rt is other:
                held.set()
                await asyncio.sleep(0.5)
            return await apply(rt, *given)

        await w.count(CANECA=8)
        with (
            patch.object(ingest, "apply", slow),
            patch.object(poll, "FRESH_SECONDS", 60.0),
            two.reading_writes() as told,
        ):
            await poll.newest(w.rt, two.account, await w.rt.api(two.account))
            ingesting = asyncio.create_task(ingest.drain(other, two.account))
            await held.wait()
            await push(w, two)
            await ingesting
            await w.settle()
        assert told[0] == 6
        await w.at_rest(CANECA=6)


# ── one bad row ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_slot_that_cannot_be_put_into_words_is_parked_and_blocks_nobody() -> None:
    async with world() as w:
        _one, two = await stores(w, *MANY)
        bad = await slot_id(w, two, "SKU03")
        await w.rows("UPDATE stock_slot SET ref = 'no such thing' WHERE id = %s RETURNING 1", bad)
        await w.count(**{product.sku: 5 for product in MANY})
        await push(w, two)
        row = await w.row("SELECT id, parked_reason FROM stock_slot WHERE parked_code IS NOT NULL")
        assert row["id"] == bad
        assert row["parked_reason"]
        assert two.shelf() == {product.sku: 9 if product.sku == "SKU03" else 5 for product in MANY}
        assert await w.alerts() == ["slot_parked"]


async def test_a_slot_that_cannot_be_read_back_is_parked_and_blocks_nobody() -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA, PRATO)
        bad = await slot_id(w, two, "PRATO")
        ref = (await w.row("SELECT ref FROM stock_slot WHERE id = %s", bad))["ref"]
        adapter = w.rt.adapter("woocommerce")
        assert adapter.stock
        look = adapter.stock.look

        async def torn(api: Any, writes: Any) -> Any:
            if any(write.slot_ref == ref for write in writes):
                raise Unreadable("stock_quantity", "half a number")
            return await look(api, writes)

        await w.count(CANECA=7, PRATO=3)
        await w.rows("UPDATE stock_slot SET doubt_until = now() RETURNING 1")
        blind = replace(adapter, stock=replace(adapter.stock, look=torn))
        with patch.object(type(w.rt), "adapter", lambda _rt, _name: blind):
            await push(w, two)
        row = await w.row("SELECT id, parked_reason FROM stock_slot WHERE parked_code IS NOT NULL")
        assert row["id"] == bad
        assert "half a number" in row["parked_reason"]
        assert two.shelf() == {"CANECA": 7, "PRATO": 4}


async def test_a_refused_batch_is_sent_by_halves_until_the_bad_row_stands_alone() -> None:
    async with world() as w:
        _one, two = await stores(w, *MANY)
        bad = vars(two.sandbox)["by_sku"]["SKU07"].id
        sizes: list[int] = []

        async def refuse(request: web.Request) -> None:
            rows = (await request.json())["update"]
            sizes.append(len(rows))
            if any(row["id"] == bad for row in rows):
                raise web.HTTPBadRequest(
                    text='{"code": "rest_invalid_param", "message": "Invalid parameter(s): update"}',
                    content_type="application/json",
                )

        await w.count(**{product.sku: 5 for product in MANY})
        with two.meddling(before=refuse):
            await push(w, two)
        assert two.shelf() == {product.sku: 9 if product.sku == "SKU07" else 5 for product in MANY}
        row = await w.row("SELECT ref, parked_code FROM stock_slot WHERE parked_code IS NOT NULL")
        assert row == {"ref": str(bad), "parked_code": "rest_invalid_param"}
        assert len(sizes) < len(MANY)
        assert await w.alerts() == ["slot_parked"]


async def test_what_must_be_done_first_and_fails_parks_nothing_and_sends_nothing() -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA, PRATO)

        async def refused(*_given: Any) -> None:
            raise ChannelError(Fault.REJECTED, "no_orders", "not allowed to read orders")

        await w.count(CANECA=7, PRATO=3)
        with patch.object(poll, "newest", refused), two.reading_writes() as told:
            await push(w, two)
        assert told == []
        rows = await w.rows("SELECT parked_code, due_at FROM stock_slot WHERE account_id = %s", two.account.id)
        assert [(row["parked_code"], row["due_at"] is not None) for row in rows] == [(None, True)] * 2
        await w.at_rest(CANECA=7, PRATO=3)


# ── what is never written to ───────────────────────────────────────────────────────────────────────────────────


async def test_a_listing_that_the_channel_never_confirmed_is_not_written_to_until_it_is() -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA)
        await w.rows(
            "UPDATE stock_slot SET seen_at = NULL, seen = NULL, expected = NULL WHERE account_id = %s RETURNING 1",
            two.account.id,
        )
        with two.reading_writes() as told:
            await w.count(CANECA=7)
            await w.at_rest()
            assert told == []
            await w.rows("UPDATE stock_slot SET due_at = now() WHERE account_id = %s RETURNING 1", two.account.id)
            await push(w, two)  # even if it were due
            assert told == []
            await w.hurry("listings", "reconcile")
            await w.at_rest(CANECA=7)
        assert told == [7]


@pytest.mark.parametrize("change", ["status = 'closed'", "managed_by = 'marketplace'", "desired = NULL"])
async def test_what_is_gone_not_ours_or_unknown_is_not_written_to(change: Any) -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA)
        await w.count(CANECA=7)
        await w.rows(f"UPDATE stock_slot SET {change} WHERE account_id = %s RETURNING 1", two.account.id)
        with two.reading_writes() as told:
            await push(w, two)
        assert told == []


async def test_a_slot_that_shows_anything_is_let_rest_by_another_worker_when_its_own_died() -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA)
        token = uuid4()
        (row,) = await w.rows(  # as an order of an unlinked listing leaves it: to be read back, and nothing to write
            "UPDATE stock_slot SET desired = NULL, due_at = now() - interval '1 second', doubt_until = NULL "
            "WHERE account_id = %s RETURNING id", two.account.id,
        )  # fmt: skip
        async with w.rt.db.seller(w.seller_id) as tx:
            assert await slots.claim(tx, two.account.id, token, 99, w.rt.now(), 9)
        async with w.rt.db.seller(w.seller_id) as tx:
            assert await slots.looked(tx, token, row["id"], 3, None, w.rt.now(), w.rt.now())
        await w.rows("UPDATE stock_slot SET lease_until = now() WHERE lease_by = 99 RETURNING 1")  # it died here
        await push(w, two)
        assert (await w.row("SELECT due_at, lease_token FROM stock_slot WHERE id = %s", row["id"])) == {
            "due_at": None, "lease_token": None,
        }  # fmt: skip


# ── locks ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def waiting(w: World) -> None:
    """Until somebody waits for a lock."""
    sql = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with await psycopg.AsyncConnection.connect(w.url, autocommit=True) as conn:
        for _ in range(200):
            if await (await conn.execute(sql)).fetchone():
                return
            await asyncio.sleep(0.02)
    raise AssertionError("nobody waits")


async def takes(w: World, first: UUID, then: UUID, other: Callable[[], Awaitable[object]]) -> None:
    """With the lower slot locked by us, `other` waits without holding the higher one."""
    async with w.rt.db.seller(w.seller_id) as tx:
        await tx.run("SELECT 1 FROM stock_slot WHERE id = %s FOR UPDATE", [first])
        task = asyncio.create_task(_run(other), context=contextvars.Context())  # outside of our transaction
        await waiting(w)
        try:
            await tx.run("SELECT 1 FROM stock_slot WHERE id = %s FOR UPDATE NOWAIT", [then])
        except psycopg.errors.LockNotAvailable:
            pytest.fail("it holds the higher slot and waits for the lower: a deadlock with whoever goes by id")
    await task


async def _run(other: Callable[[], Awaitable[object]]) -> None:
    await other()


async def test_a_channels_own_sales_lock_slots_in_id_order_whatever_order_they_are_told_in() -> None:
    async with world() as w:
        _one, two = await stores(w, CANECA, PRATO)
        told = {sku: (await slot_id(w, two, sku)) for sku in ("CANECA", "PRATO")}
        refs = {row["slot_id"]: row["ref"] for row in await w.rows("SELECT slot_id, ref FROM listing")}
        low, high = sorted(told.values())

        async def sales() -> None:
            async with w.rt.db.seller(w.seller_id) as tx:
                now = w.rt.now()
                changes = [(refs[id_], None, 1, now, now) for id_ in (high, low)]
                await slots.own_sales(tx, two.account.id, changes)

        await takes(w, low, high, sales)


async def test_an_order_locks_slots_of_linked_and_unlinked_lines_in_one_order() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", [PRATO, CANECA], seed=1)
        await w.open_stock(CANECA=10)  # nobody knows the other SKU
        await w.pass_time()
        low, high = await slot_id(w, one, "PRATO"), await slot_id(w, one, "CANECA")
        assert low < high
        await one.act("buy", lines=[{"sku": "CANECA", "quantity": 1}, {"sku": "PRATO", "quantity": 1}])
        for _ in range(200):
            if await w.rows("SELECT 1 FROM inbox WHERE topic = 'order' AND state = 'due'"):
                break
            await asyncio.sleep(0.01)
        await takes(w, low, high, lambda: sweep.DRAINS["intake"](w.rt, one.account))
        await w.settle()
        assert await w.level("CANECA") == (10, 1)

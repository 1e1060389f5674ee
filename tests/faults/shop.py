"""A seller with two stores and a carrier on real sockets, the hub's real web app, and a worker that can be hurried."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg
from aiohttp import ClientSession, ClientTimeout
from aiohttp.test_utils import TestServer
from psycopg.rows import dict_row

import adapters.correios.sandbox
import adapters.woocommerce.sandbox
from config.settings import Settings
from hub.model import Shipment, Topic, TrackingStatus
from hub.sandbox import Product
from hub.secrets import Vault, new_key
from hub.store import StoreError, inbox, invariants, people, shipments
from hub.store.accounts import Account
from hub.store.inbox import Arrival
from hub.store.pulse import Pulse
from hub.web import app as web_app
from hub.web.keys import RUNTIME
from jobs import approval, connect, counts, push_stock, sweep
from jobs.install import Installation, runtime
from jobs.runtime import Runtime
from tests.faults.place import Place

SKU, UNITS = "CANECA", 500
SHELF = [Product(sku=SKU, title="Caneca de porcelana", quantity=UNITS, price_cents=3990)]


@dataclass(slots=True)
class Store:
    """A sandbox with its account."""

    sandbox: Any
    account: Account


@dataclass(slots=True)
class Shop:
    """Everything of one test."""

    place: Place
    database: str
    installation: Installation
    web: TestServer
    rt: Runtime
    pulse: Pulse
    seller_id: UUID
    exits: AsyncExitStack
    one: Store
    two: Store
    carrier: Store
    key: str
    sold: int = 0
    statuses: list[int] = field(default_factory=list)  # what the web app answered to webhooks of orders
    skipped: float = 0.0
    worker: "asyncio.Task[None] | None" = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    # ── what people do ─────────────────────────────────────────────────────────────────────────────────────────

    async def buy(self, store: Store | None = None) -> str:
        """One more is sold there."""
        self.sold += 1
        told = await (store or self.one).sandbox.act("buy", {"lines": [{"sku": SKU, "quantity": 1}]})
        return str(told["order_ref"])

    async def quiet(self) -> None:
        """Wait until no webhook is under way."""
        while under_way := [*self.one.sandbox.courier.under_way, *self.two.sandbox.courier.under_way]:
            await asyncio.wait(under_way)

    async def name(self, ref: str) -> None:
        """A thin notice of an order: it has to be fetched."""
        account = self.one.account
        arrival = Arrival(
            seller_id=self.seller_id, account_id=account.id, source="webhook", topic=Topic.ORDER, ref=ref,
            dedupe_key=f"thin:{ref}", told_at=None, raw=None,
        )  # fmt: skip
        async with self.rt.db.intake() as tx:
            await inbox.add(tx, [arrival])

    async def post(self) -> str:
        """A parcel of the first order is posted and scanned once; the carrier is due to be asked. Its code."""
        made = await self.carrier.sandbox.act("post", {})
        await self.carrier.sandbox.act("advance", {"code": made["code"]})
        told = Shipment(
            ref=f"hub:{made['code']}", carrier="Correios", service="PAC", tracking_code=made["code"],
            status=TrackingStatus.LABEL_CREATED,
        )  # fmt: skip
        (order,) = self.rows("SELECT id FROM orders LIMIT 1")
        async with self.rt.db.seller(self.seller_id) as tx:
            await shipments.add(
                tx,
                self.one.account.id,
                order["id"],
                told,
                self.carrier.account.id,
                self.rt.now() - timedelta(seconds=120),
            )
        return str(made["code"])

    # ── what the database says, past the wire ──────────────────────────────────────────────────────────────────

    def rows(self, sql: Any, *params: object) -> list[dict[str, Any]]:
        """Rows as the database's owner sees them."""
        with psycopg.connect(self.place.url(self.database, wired=False), row_factory=dict_row) as conn:
            return conn.execute(sql, params or None).fetchall() if "SELECT" in sql else []

    def run(self, *statements: Any) -> None:
        """Statements as the database's owner; one whose rows are just being worked on is left for the next time."""
        with psycopg.connect(self.place.url(self.database, wired=False), autocommit=True) as conn:
            conn.execute("SET lock_timeout = '100ms'")  # who holds the lock may need this very event loop to go on
            for sql in statements:
                with contextlib.suppress(psycopg.errors.LockNotAvailable):
                    conn.execute(sql)

    # ── the worker ─────────────────────────────────────────────────────────────────────────────────────────────

    async def work(self, until: Callable[[], bool], seconds: float = 20.0, *, least: float = 0.0) -> bool:
        """Let the worker's own sweep run (at least so long) until something is so. Answers whether it came to be."""
        self.stop.clear()
        self.worker = asyncio.create_task(sweep.run(self.rt, self.pulse, self.stop))
        began = time.monotonic()
        deadline = began + seconds
        try:
            while time.monotonic() < deadline:
                await asyncio.sleep(0.1)
                assert not self.worker.done(), "the worker's sweep ended"
                if time.monotonic() - began >= least and until():
                    return True
            return False
        finally:
            self.stop.set()
            await self.worker

    def answer_rings(self) -> None:
        """Stand in for RQ: who rings is answered right here, as a worker process would."""

        async def ring_now(lane: str, shard: int) -> bool:
            if not await asyncio.get_running_loop().run_in_executor(None, self.rt.bell.answers):
                return False
            await sweep.drain(self.rt, lane, shard)
            return True

        self.rt.bell.ring_now = ring_now  # type: ignore[method-assign]  # RQ's place is taken

    def hurry(self) -> None:
        """The minutes until work that failed is due again pass at once; a write in doubt is waited for."""
        self.skipped += 61
        self.run(
            "UPDATE inbox SET due_at = now() WHERE state = 'due' AND due_at > now()",
            "UPDATE stock_slot SET due_at = greatest(now(), doubt_until) WHERE due_at > now()",
            "UPDATE shipment SET track_due_at = now() WHERE track_due_at > now() AND track_attempts > 0",
            "UPDATE shipment SET news_due_at = now() WHERE news_due_at > now()",
            "UPDATE task SET due_at = now() WHERE due_at > now() AND attempts > 0",
        )

    async def reconnected(self, seconds: float = 30.0) -> float:
        """Wait until worker and web have their database again; how long it took."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            try:
                for db in (self.rt.db, self.web.app[RUNTIME].db):  # each role has its own pool, and its own pauses
                    for begun in (db.dispatch(), db.seller(self.seller_id), db.intake()):
                        async with begun:
                            pass
                if (await self.get("/health"))[0] == 200:
                    return time.monotonic() - began
            except (StoreError, psycopg.Error):
                pass
            await asyncio.sleep(0.1)
        raise AssertionError(f"no connection {seconds:g} s after the database came back")

    async def rest(self) -> None:
        """After the fault: polls come round, held accounts are resumed, the worker goes on until nothing is due."""
        await self.quiet()
        for store in (self.one, self.two, self.carrier):
            account = await self.rt.account(self.seller_id, store.account.id)
            if account.status == "held":
                await connect.resume(self.rt, account)
        self.run("UPDATE task SET due_at = now() WHERE kind = 'poll'")

        def at_rest() -> bool:
            self.hurry()
            (row,) = self.rows(
                """SELECT (SELECT count(*) FROM inbox WHERE state = 'due')
                        + (SELECT count(*) FROM stock_slot WHERE due_at IS NOT NULL AND parked_code IS NULL)
                        + (SELECT count(*) FROM task WHERE kind = 'poll' AND due_at <= now())
                        + (SELECT count(*) FROM shipment WHERE track_due_at <= now() OR news_due_at IS NOT NULL)
                        AS left"""
            )
            return row["left"] == 0 and not self.one.sandbox.courier.under_way

        assert await self.work(at_rest, 40), f"it does not come to rest: {self.left()}"
        await self.quiet()

    def left(self) -> list[dict[str, Any]]:
        """What is still to be done, for people."""
        return [
            *self.rows("SELECT 'inbox' AS what, topic, ref, due_at, attempts, error FROM inbox WHERE state <> 'done'"),
            *self.rows(
                "SELECT 'slot' AS what, ref, due_at, attempts, doubt_until, desired, expected, lease_until "
                "FROM stock_slot WHERE due_at IS NOT NULL"
            ),
            *self.rows("SELECT 'parcel' AS what, track_due_at, news_due_at, track_error, news_error FROM shipment"),
            *self.rows("SELECT 'task' AS what, kind, due_at, attempts, error FROM task WHERE due_at <= now()"),
        ]

    async def check(self) -> None:
        """Nothing lost, nothing doubled, every shelf right, no invariant broken."""
        async with self.rt.db.seller(self.seller_id) as tx:
            broken = await invariants.broken(tx, at_rest=True)
        assert broken == {}
        kept = self.rows("SELECT ref FROM orders WHERE account_id = %s", self.one.account.id)
        assert sorted(row["ref"] for row in kept) == sorted(self.one.sandbox.orders())
        (level,) = self.rows("SELECT on_hand - reserved AS free FROM stock_level")
        assert level["free"] == UNITS - self.sold
        assert self.one.sandbox.shelf() == self.two.sandbox.shelf() == {SKU: UNITS - self.sold}
        told = self.rows(
            "SELECT shipment_id, at, raw_code, count(*) FROM tracking_event GROUP BY 1, 2, 3 HAVING count(*) > 1"
        )
        assert told == []

    # ── the web app ────────────────────────────────────────────────────────────────────────────────────────────

    async def get(self, path: str, seconds: float = 15.0) -> tuple[int, str]:
        """A page's status and text."""
        async with (
            ClientSession() as session,
            session.get(self.web.make_url(path), timeout=ClientTimeout(total=seconds), allow_redirects=False) as answer,
        ):
            return answer.status, await answer.text()


@contextlib.asynccontextmanager
async def shop(place: Place) -> AsyncIterator[Shop]:
    """A shop at rest: both stores live and counted, one order in the hub, the carrier connected."""
    async with AsyncExitStack() as exits:
        database, key = exits.enter_context(place.database()), new_key()
        settings = Settings(home=place.home, allow_private_hosts="*", workers=1, shards=1)
        installation = Installation(
            settings=settings, database_url=place.url(database, wired=True), redis_url=place.services.redis_url,
            home=place.home, vault=Vault([key]),
        )  # fmt: skip
        exits.enter_context(patch.object(sweep, "SWEEP_SECONDS", 0.1))
        exits.enter_context(patch.object(push_stock, "DEADLINE", timedelta(seconds=2)))
        app = web_app.create(installation)
        web = TestServer(app)
        await exits.enter_async_context(web)
        rt, pulse = await exits.enter_async_context(runtime(installation, pool=8))
        for each in (rt, app[RUNTIME]):
            for pool in each.db._pools.values():
                pool.timeout = 4.0  # 10 s in life; a new connection takes its time on a busy machine
        rt.policy = replace(rt.policy, public_url=str(web.make_url("")).rstrip("/"), poll_seconds=3600.0)
        seller_id = await connect.seller_add(rt, "Loja de Teste")
        async with rt.db.people() as tx:
            await people.user_put(tx, "ana@loja.example", "Ana Lima", "never signs in", "pt_BR")
        await counts.set_stock(rt, seller_id, [(SKU, UNITS)], create=True)
        one, two, carrier = [
            await _connected(exits, rt, seller_id, "woocommerce", adapters.woocommerce.sandbox.create(SHELF, seed=1)),
            await _connected(exits, rt, seller_id, "woocommerce", adapters.woocommerce.sandbox.create(SHELF, seed=2)),
            await _connected(exits, rt, seller_id, "correios", adapters.correios.sandbox.create([], seed=3)),
        ]
        made = Shop(place, database, installation, web, rt, pulse, seller_id, exits, one, two, carrier, key)
        rt.http.clock = lambda: time.monotonic() + made.skipped
        rt.http._deadline = 0.8  # 10 s in life
        made.answer_rings()
        _note_answers(made)
        assert await made.work(lambda: len(made.one.sandbox.hooks) + len(made.two.sandbox.hooks) > 4)
        await made.buy()
        await made.quiet()
        await made.rest()
        await made.check()
        made.statuses.clear()
        yield made
        place.wire.delay = 0.0


async def _connected(exits: AsyncExitStack, rt: Runtime, seller_id: UUID, channel: str, sandbox: Any) -> Store:
    server = await exits.enter_async_context(TestServer(sandbox.app))
    told = sandbox.credentials(str(server.make_url("")).rstrip("/"))
    made = await connect.account_add(rt, seller_id, channel, told, name=f"{channel} {server.port}")
    assert made.problem is None, made.problem
    while await sweep.drain(rt, "catalogue"):
        pass
    account = await rt.account(seller_id, made.account_id)
    if channel == "woocommerce":
        await approval.approve(rt, account)
    return Store(sandbox, account)


def _note_answers(made: Shop) -> None:
    """Remember the web app's answer to each webhook of an order."""
    courier = made.one.sandbox.courier
    attempt = type(courier)._attempt

    async def noted(self: Any, delivery: Any) -> int:
        status = await attempt(self, delivery)
        if delivery.headers.get("X-WC-Webhook-Resource") == "order":
            made.statuses.append(status)
        return int(status)

    made.exits.enter_context(patch.object(type(courier), "_attempt", noted))

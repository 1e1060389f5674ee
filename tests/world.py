"""A seller with channels on real sockets, for flow tests: sandboxes, webhooks into a real web app, real services.

The hub's patience is shortened (`brisk`), its rules are not: every order of steps is the real one.
"""

import asyncio
import importlib
import os
import random
import sys
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeAlias
from unittest.mock import patch
from uuid import UUID

import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer

from hub import drift, faults
from hub.breaker import Breaker
from hub.model import Limit
from hub.sandbox import Product, Sandbox, app_calls
from hub.secrets import Vault, new_key
from hub.store import invariants
from hub.store.accounts import Account
from hub.store.due import LANES
from hub.store.pulse import Pulse
from hub.throttle import Throttle
from hub.web import webhooks
from jobs import approval, connect, counts, ingest, poll, push_stock, sweep
from jobs.intake import Intake
from jobs.runtime import Policy, Runtime, running
from tests.services import database, stack

STOCK_WRITES = frozenset({
    "POST /wp-json/wc/v3/products/batch",
    "POST /wp-json/wc/v3/products/{id}/variations/batch",
    "PUT /items/{id}",
    "PUT /items/{id}/variations/{variation}",
    "PUT /user-products/{id}/stock/type/seller_warehouse",
})  # fmt: skip
SHORT = 20.0  # how much shorter the pauses between attempts are
SOON = 13  # seconds: what is due later than this belongs to another day


@dataclass
class Log:
    """What was logged: each event, and each traceback."""

    events: list[dict[str, Any]] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)

    def __call__(self, _logger: object, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        problem = sys.exc_info()[1]
        if event.get("exc_info") and problem is not None:
            self.tracebacks.append("".join(traceback.format_exception(problem)))
        self.events.append({**event, "level": level})
        raise structlog.DropEvent

    def named(self, event: str) -> list[dict[str, Any]]:
        """Events of that name."""
        return [told for told in self.events if told["event"] == event]


@contextmanager
def logged() -> Iterator[Log]:
    """Nothing is printed; what would have been is here."""
    before, told = structlog.get_config()["processors"], Log()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, told])
    try:
        yield told
    finally:
        structlog.configure(processors=before)


Meddle: TypeAlias = Callable[[web.Request], Awaitable[object]]


def _name(route: web.AbstractRoute) -> str:
    return f"{route.method} {route.resource.canonical if route.resource else ''}"


async def hang_up(request: web.Request) -> None:
    """The answer is lost: the connection closes."""
    if request.transport is not None:
        request.transport.close()


@contextmanager
def brisk() -> Iterator[None]:
    """The same rules with shorter pauses, and no limits of our own (a vendor's 429 holds all the same)."""
    policies = {
        fault: replace(policy, first_pause=policy.first_pause / SHORT, longest_pause=policy.longest_pause / 900)
        for fault, policy in faults.POLICIES.items()
    }
    take = Throttle.take

    async def unlimited(
        self: Throttle, limits: Sequence[Limit], names: Mapping[str, str], operation: str | None = None, **more: Any
    ) -> None:
        await take(self, (), names, operation, **more)

    with ExitStack() as exits:
        exits.enter_context(patch.dict(faults.POLICIES, policies))
        exits.enter_context(patch.dict(poll.CALM_SECONDS, dict.fromkeys(poll.CALM_SECONDS, 0.02)))
        exits.enter_context(patch.object(ingest, "DEBOUNCE", timedelta(seconds=0.2)))
        exits.enter_context(patch.object(drift, "GRACE", timedelta(seconds=0.3)))
        exits.enter_context(patch.object(push_stock, "DEADLINE", timedelta(seconds=1.5)))
        exits.enter_context(patch.object(push_stock, "LANDED", timedelta(seconds=2)))
        exits.enter_context(patch.object(Breaker, "FIRST_PAUSE", 0.3))
        exits.enter_context(patch.object(Breaker, "LONGEST_PAUSE", 1.0))
        exits.enter_context(patch.object(Throttle, "take", unlimited))
        yield


@dataclass
class Channel:
    """One connected sandbox."""

    sandbox: Sandbox
    server: TestServer
    account: Account

    async def act(self, verb: str, **wanted: Any) -> dict[str, Any]:
        """Do something there, as a buyer, seller or carrier."""
        return await self.sandbox.act(verb, wanted)

    async def buy(self, sku: str, quantity: int = 1, **more: Any) -> str:
        """Buy one thing; answers the order's ref."""
        told = await self.act("buy", lines=[{"sku": sku, "quantity": quantity}], **more)
        return str(told["order_ref"])

    def shelf(self) -> dict[str, int]:
        """What a buyer can buy right now."""
        return self.sandbox.shelf()

    def calls(self) -> Counter[str]:
        """How often each of its routes was called so far."""
        return Counter(app_calls(self.sandbox.app))

    def writes(self) -> int:
        """Stock writes it was sent so far."""
        return sum(count for route, count in self.calls().items() if route in STOCK_WRITES)

    def turn(self, **knobs: Any) -> None:
        """Make it behave badly, or well again."""
        self.sandbox.knobs.turn(knobs)

    @contextmanager
    def meddling(self, *, before: Meddle | None = None, after: Meddle | None = None) -> Iterator[None]:
        """Something happens right before a stock write is carried out there, or right after, before its answer."""
        routes = {route: route._handler for route in self.sandbox.app.router.routes() if _name(route) in STOCK_WRITES}

        def meddled(handler: Any) -> Any:
            async def handle(request: web.Request) -> web.StreamResponse:
                if before:
                    await before(request)
                answer: web.StreamResponse = await handler(request)
                if after:
                    await after(request)
                return answer

            return handle

        for route, handler in routes.items():
            route._handler = meddled(handler)
        try:
            yield
        finally:
            for route, handler in routes.items():
                route._handler = handler

    @contextmanager
    def reading_writes(self) -> Iterator[list[int]]:
        """Every quantity that it was told meanwhile, in the order in which the writes were carried out."""
        told: list[int] = []

        async def note(request: web.Request) -> None:
            body = await request.json()
            rows = body.get("update") or body.get("locations") or [body]
            told.extend(row.get("stock_quantity", row.get("available_quantity", row.get("quantity"))) for row in rows)

        with self.meddling(before=note):
            yield told


@dataclass
class World:
    """A runtime, a seller and its channels. Work is done only when a test says so (`settle`)."""

    rt: Runtime
    seller_id: UUID
    web: TestServer
    intake: Intake
    stack: AsyncExitStack
    pulse: Pulse
    url: str
    key: str
    channels: list[Channel] = field(default_factory=list)

    async def neighbour(self, name: str = "Outra Loja") -> "World":
        """Another seller of the same installation."""
        return replace(self, seller_id=await connect.seller_add(self.rt, name), channels=[])

    def environment(self) -> dict[str, str]:
        """What a real process needs to work for this installation."""
        return {
            **os.environ, "DATABASE_URL": self.url, "REDIS_URL": stack().redis_url, "BALCAO_SECRET_KEYS": self.key,
            "BALCAO_ALLOW_PRIVATE_HOSTS": "*", "BALCAO_PUBLIC_URL": str(self.rt.policy.public_url),
            "BALCAO_SHARDS": "1", "BALCAO_WORKERS": "1", "BALCAO_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1",
        }  # fmt: skip

    async def process(self) -> tuple[Runtime, Pulse]:
        """What another worker process would have: its own pool, clients, tokens and number."""
        return await _process(self.stack, self.url, self.rt.vault, self.rt.policy)

    async def connect(
        self, channel: str, products: Sequence[Product] = (), *, approve: bool = True, name: str | None = None,
        **options: Any,
    ) -> Channel:  # fmt: skip
        """Start a sandbox, connect it, import its listings; approve it unless told otherwise."""
        sandbox: Sandbox = importlib.import_module(f"adapters.{channel}.sandbox").create(products, **options)
        if channel == "woocommerce":  # so that a test may name orders of several stores by their refs
            vars(sandbox)["next_id"] += 1000 * len(self.channels)
        server = TestServer(sandbox.app)
        await self.stack.enter_async_context(server)
        return await self.adopt(channel, sandbox, server, approve=approve, name=name)

    async def adopt(
        self, channel: str, sandbox: Sandbox, server: TestServer, *, approve: bool = True, name: str | None = None
    ) -> Channel:
        """Connect a sandbox that runs already."""
        told = sandbox.credentials(str(server.make_url("")).rstrip("/"))
        made = await connect.account_add(self.rt, self.seller_id, channel, told, name=name)
        assert made.problem is None, made.problem
        if "/in/app/" in made.webhook_url:
            await sandbox.act("callback", {"url": made.webhook_url})
        account = await self.rt.account(self.seller_id, made.account_id)
        self.channels.append(Channel(sandbox, server, account))
        await self.settle()
        if approve and account.status == "preview":
            await approval.approve(self.rt, account)
            await self.settle()
        self.channels[-1].account = await self.rt.account(self.seller_id, made.account_id)
        return self.channels[-1]

    async def open_stock(self, **units: int) -> None:
        """Count SKUs in the main warehouse."""
        await self.count(**units)
        await self.settle()

    async def count(self, **units: int) -> None:
        """Count SKUs, without waiting for anything that follows from it."""
        await counts.set_stock(self.rt, self.seller_id, list(units.items()), create=True)

    async def drain(self) -> int:
        """Every lane once. Answers how much was done."""
        return sum([await sweep.drain(self.rt, lane) for lane in LANES])

    async def settle(self, seconds: float = 20.0) -> None:
        """Drain every lane until nothing is due and no webhook is under way."""
        quiet, until = 0, asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            done = await self.drain()
            under_way = sum(len(channel.sandbox.courier.under_way) for channel in self.channels)
            pending = await self.pending()
            quiet = 0 if done or under_way or pending else quiet + 1
            if quiet > 1:
                return await self._second_passes()
            await asyncio.sleep(0.01 if done else 0.03)
        raise AssertionError(f"the hub does not come to rest: {await self.waiting()}")

    async def until(self, sql: Any, *params: object, seconds: float = 10.0) -> dict[str, Any]:
        """Drain until this finds a row, and answer it; what follows from it may still be to do."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            if found := await self.rows(sql, *params):
                return found[0]
            if not await self.drain():
                await asyncio.sleep(0.01)
        raise AssertionError(f"never: {sql}")

    async def _second_passes(self) -> None:
        """So that the next change goes out at once: a slot is written at most once a second."""
        async with self.rt.db.seller(self.seller_id) as tx:
            await tx.run("UPDATE stock_slot SET last_pushed_at = last_pushed_at - interval '1 second'")

    async def pending(self) -> int:
        """Slots and inbox rows of accounts that are talked to, due within SOON."""
        rows = await self.waiting()
        return len(rows)

    async def waiting(self) -> list[dict[str, Any]]:
        """What will fall due soon."""
        return await self.rows(
            """SELECT 'slot' AS what, s.ref, s.due_at, s.desired, s.expected FROM stock_slot s
               JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
               WHERE a.status = 'live' AND s.due_at < now() + %s * interval '1 second' AND s.parked_code IS NULL
                 AND NOT s.braked AND NOT s.withheld AND s.managed_by = 'seller' AND s.status <> 'closed'
                 AND s.approved_at IS NOT NULL
               UNION ALL
               SELECT 'recheck', t.account_id::text, t.due_at, NULL, NULL FROM task t
               JOIN account a ON a.seller_id = t.seller_id AND a.id = t.account_id
               WHERE a.status IN ('preview', 'live') AND (t.kind = 'recheck' OR t.kind = 'source' AND EXISTS (
                   SELECT FROM stock_slot s WHERE s.account_id = a.id AND s.adopt_since IS NOT NULL))
                 AND t.due_at < now() + %s * interval '1 second'
               UNION ALL
               SELECT i.topic, i.ref, i.due_at, i.attempts, NULL FROM inbox i
               JOIN account a ON a.seller_id = i.seller_id AND a.id = i.account_id
               WHERE a.status IN ('preview', 'live') AND i.state = 'due' AND i.due_at < now() + %s * interval '1 second'
               UNION ALL
               SELECT 'news', h.ref, h.news_due_at, NULL, NULL FROM shipment h
               JOIN account a ON a.seller_id = h.seller_id AND a.id = h.account_id
               WHERE a.status = 'live' AND h.news_parked IS NULL
                 AND h.news_due_at < now() + %s * interval '1 second'""",
            SOON, SOON, SOON, SOON,
        )  # fmt: skip

    async def at_rest(self, **shelf: int) -> None:
        """Come to rest: every channel shows these numbers, and every promise is kept."""
        await self.settle()
        await self.kept(at_rest=True)
        for lane in LANES:
            assert not await sweep.due_accounts(self.rt, lane), f"{lane}: rung for ever, with nothing to do"
        for channel in self.channels:
            shown = channel.shelf()
            told = {sku: units for sku, units in shelf.items() if sku in shown}
            assert {sku: shown[sku] for sku in told} == told, channel.account.name

    async def kept(self, *, at_rest: bool = False) -> None:
        """No invariant is broken."""
        async with self.rt.db.seller(self.seller_id) as tx:
            broken = await invariants.broken(tx, at_rest=at_rest)
        assert not broken, broken

    async def pass_time(self, seconds: float = 60) -> None:
        """Our last writes and readings lie that much further back: what a channel tells from now on comes after."""
        async with self.rt.db.seller(self.seller_id) as tx:
            await tx.run(
                """UPDATE stock_slot SET synced_from = synced_from - %(by)s, synced_to = synced_to - %(by)s,
                     last_pushed_at = last_pushed_at - %(by)s""",
                {"by": timedelta(seconds=seconds)},
            )

    async def hurry(self, *kinds: str) -> None:
        """Recurring tasks of every account fall due now, and so does what the inbox put off."""
        async with self.rt.db.seller(self.seller_id) as tx:
            await tx.run("UPDATE task SET due_at = now() WHERE kind = ANY(%s)", [list(kinds)])
            await tx.run("UPDATE inbox SET due_at = now() WHERE state = 'due'")

    async def rows(self, sql: Any, *params: object) -> list[dict[str, Any]]:
        """What the seller's own rows say."""
        async with self.rt.db.seller(self.seller_id) as tx:
            return await tx.all(sql, list(params))

    async def row(self, sql: Any, *params: object) -> dict[str, Any]:
        """The only row."""
        (row,) = await self.rows(sql, *params)
        return row

    async def level(self, sku: str) -> tuple[int, int]:
        """(on_hand, reserved) of a SKU over all warehouses."""
        row = await self.row(
            "SELECT coalesce(sum(l.on_hand), 0)::int AS on_hand, coalesce(sum(l.reserved), 0)::int AS reserved "
            "FROM sku k LEFT JOIN stock_level l ON l.seller_id = k.seller_id AND l.sku_id = k.id WHERE k.code = %s",
            sku,
        )
        return row["on_hand"], row["reserved"]

    async def short(self) -> dict[str, int]:
        """Units that each order still lacks, by the order's ref."""
        rows = await self.rows(
            "SELECT o.ref, sum(s.quantity)::int AS units FROM shortage s "
            "JOIN orders o ON o.seller_id = s.seller_id AND o.id = s.order_id GROUP BY o.ref"
        )
        return {row["ref"]: row["units"] for row in rows}

    async def order(self, ref: str) -> dict[str, Any]:
        """An order's row."""
        return await self.row("SELECT * FROM orders WHERE ref = %s", ref)

    async def alerts(self, *, resolved: bool = False) -> list[str]:
        """Kinds of the open (or resolved) alerts, sorted."""
        rows = await self.rows("SELECT kind FROM alert WHERE (resolved_at IS NOT NULL) = %s ORDER BY kind", resolved)
        return [row["kind"] for row in rows]

    async def account(self, channel: Channel) -> Account:
        """A channel's account as it stands now."""
        channel.account = await self.rt.account(self.seller_id, channel.account.id)
        return channel.account


async def _process(exits: AsyncExitStack, url: str, vault: Vault, policy: Policy) -> tuple[Runtime, Pulse]:
    worker = random.randrange(1, 2**31 - 1)
    pulse = await exits.enter_async_context(Pulse(url, worker))
    rt = await exits.enter_async_context(
        running(
            database_url=url,
            redis_url=stack().redis_url,
            vault=vault,
            policy=policy,
            allow_private="*",
            shards=1,
            workers=1,
            worker=worker,
            pool=8,
        )
    )
    return rt, pulse


@asynccontextmanager
async def world(**policy: Any) -> AsyncIterator[World]:
    """A fresh seller on a fresh database; webhooks reach a real web app."""
    async with AsyncExitStack() as exits:
        exits.enter_context(brisk())
        url = exits.enter_context(database())
        key = new_key()
        rt, pulse = await _process(exits, url, Vault([key]), Policy())
        app = web.Application(client_max_size=2**20)
        app[webhooks.INTAKE] = intake = Intake(rt)
        app.add_routes(webhooks.routes)
        server = TestServer(app)
        await exits.enter_async_context(server)
        public = str(server.make_url("")).rstrip("/")
        rt.policy = replace(rt.policy, **{"public_url": public, "poll_seconds": 3600.0, **policy})
        await intake.start()
        exits.push_async_callback(intake.close)
        seller_id = await connect.seller_add(rt, "Loja de Teste")
        yield World(rt, seller_id, server, intake, exits, pulse, url, key)

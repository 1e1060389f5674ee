"""One run: a database, three shops, three workers, and the events of a story on a clock of its own."""

import asyncio
import math
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import psycopg

from hub import context
from hub.contract import Adapter, Kind
from hub.http import Client
from hub.model import Notice
from hub.secrets import Vault, new_key
from hub.store import Database, Tx, accounts, due, inbox, kits, stock, warehouses
from hub.store.accounts import Account
from hub.throttle import Throttle
from jobs import approval, connect, sweep
from jobs.poll import arrival_of
from jobs.runtime import Policy, Runtime
from tests.sim import acts, checks
from tests.sim.checks import Broken, Memory
from tests.sim.clock import VirtualLoop
from tests.sim.shops import TRAITS, Item, Shop, Traits, Weather, adapter
from tests.sim.story import CODES, KITS, SKUS, THEIRS, UNLINKED, WAREHOUSES, WORKERS, Event, Story
from tests.sim.wire import Wire

LANES = ("intake", "stock", "catalogue")
SWEEP_SECONDS = 5.0
FULL_EVERY = 1000  # steps between two looks at every invariant, of the orders of the last half hour
ALL_EVERY = 50_000  # steps between two looks at all orders there ever were
PLANNED_ANEW = (150, 1500, 15000)  # steps after which statements are planned for tables that are not empty any more
NOBODY_BUYS = 3000  # buyers after one another
PASSED_OVER = 300.0  # seconds that work may be due in bad weather
KEPT_SECONDS = 600  # what is accounted for is dropped from the inbox after so long, where production keeps it for days
REST_SECONDS = 3600.0  # the hub comes to rest within this time, once the weather is fine
ADAPTERS: Mapping[str, Adapter] = {traits.name: adapter(traits) for traits in TRAITS}
KEY = new_key()


class Stopped(BaseException):
    """A worker was killed here."""


@dataclass
class SimDatabase(Database):
    """One worker's way to the database: one transaction at a time in the whole world, at the world's time."""

    def __init__(self, world: "World", worker: int) -> None:
        self.world, self.worker, self.dead = world, worker, False
        self.stop_in: int | None = None
        self.stop_when = "before"
        self.stall_in: int | None = None
        self.stall_for = 0.0

    @asynccontextmanager
    async def _begin(self, role: str, seller_id: UUID | None) -> AsyncIterator[Tx]:
        if context.in_transaction.get():
            raise Broken("a transaction inside a transaction waits for itself")
        await self._before()
        async with self.world.gate:
            self._alive()
            stopping = self._counted()
            async with self.world.wires[role].begun(self.world.loop.utc(), seller_id) as wire:
                with context.inside_transaction():
                    yield Tx(cast("psycopg.AsyncConnection[Any]", wire), seller_id)
                if stopping and self.stop_when == "before":
                    self._die()
            self.world.commits += 1
            if stopping:
                self._die()

    async def _before(self) -> None:
        self._alive()
        if self is not self.world.hand.db:
            await self.world.thawed.wait()
        await asyncio.sleep(self.world.random.expovariate(1 / 0.004))
        if self.stall_in is not None:
            self.stall_in -= 1
            if self.stall_in < 0:
                self.stall_in = None
                self.world.faults["stalls"] += 1
                await asyncio.sleep(self.stall_for)

    def _counted(self) -> bool:
        if self.stop_in is None:
            return False
        self.stop_in -= 1
        return self.stop_in < 0

    def _alive(self) -> None:
        if self.dead:
            raise Stopped

    def _die(self) -> None:
        self.dead = True
        self.world.faults[f"stops {self.stop_when} a commit"] += 1
        raise Stopped


class SimRuntime(Runtime):
    """The runtime with our adapters, and bells that are heard in the world."""

    def adapter(self, channel: str) -> Adapter:
        return ADAPTERS[channel]

    def ring(self, lane: str, account_id: UUID) -> None:
        self.db.world.ring(lane)  # type: ignore[attr-defined]


class _Line(httpx.AsyncBaseTransport):
    """From a worker to the shops; a dead worker sends nothing more."""

    def __init__(self, world: "World", db: SimDatabase) -> None:
        self.world, self.db = world, db

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.db.dead:
            raise Stopped
        response = await self.world.shops[request.url.host.split(".")[0]].answer(request)
        if self.db.dead:
            raise Stopped
        response.request = request
        return response


class _NoThrottle(Throttle):
    def __init__(self) -> None:
        super().__init__(None)


@dataclass
class World:
    """Everything that there is in one run."""

    loop: VirtualLoop
    seed: int
    wires: Mapping[str, Wire]
    random: random.Random
    policy: Policy = field(default_factory=lambda: Policy(reconcile_seconds=1e7))
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)
    shops: dict[str, Shop] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    seller_id: UUID = field(default_factory=lambda: UUID(int=0))
    rung: set[str] = field(default_factory=set)
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    workers: dict[int, SimRuntime] = field(default_factory=dict)
    tasks: set["asyncio.Task[Any]"] = field(default_factory=set)
    faults: Counter[str] = field(default_factory=Counter)
    thawed: asyncio.Event = field(default_factory=asyncio.Event)
    storms: bool = True
    resting: bool = False
    start: float = 0.0
    commits: int = 0
    oversold: int = 0
    counted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SKUS, 0))
    bought: dict[int, tuple[Shop, str]] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)  # units on the shelves less what is owed, by SKU
    links: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)  # linked by hand: code, multiplier
    under_way: dict[int, tuple[int, str, int]] = field(default_factory=dict)  # transfers: number, code, units
    buffers: dict[str, tuple[int, UUID, str, int]] = field(default_factory=dict)  # by shop: event, id, kind, value
    problems: list[str] = field(default_factory=list)
    skus: dict[str, UUID] = field(default_factory=dict)
    told: deque[Event] = field(default_factory=deque)  # what happened
    memory: Memory = field(default_factory=Memory)
    steps: int = 0
    analyze: Callable[[], object] = lambda: None  # what autovacuum does, before it comes round
    resumed: float = 0.0  # when an account was connected again that had been held
    over: list[int] = field(default_factory=list)  # sales that nothing befalls any more
    ended: dict[int, float] = field(default_factory=dict)  # since when, of those that are still on the books
    _worker: int = 0
    _checked: int = 0

    # ── workers ────────────────────────────────────────────────────────────────────────────────────────────────

    def ring(self, lane: str) -> None:
        self.rung.add(lane)
        self.bell.set()

    def runtime(self) -> SimRuntime:
        """A new process."""
        self._worker += 1
        db = SimDatabase(self, self._worker)
        client = Client(_NoThrottle(), allow_private="*", transport=_Line(self, db), clock=self.loop.time)
        bell: Any = None
        return SimRuntime(
            db=db, http=client, vault=Vault([KEY]), bell=bell, policy=self.policy, worker=self._worker,
            now=self.loop.utc,
        )  # fmt: skip

    async def work(self, place: int) -> None:
        """A worker; when it is killed, another takes its place a little later and its leases are let go."""
        while True:
            rt = self.workers[place] = self.runtime()
            try:
                await self._process(rt)
            except Stopped:
                rt.db.dead = True  # type: ignore[attr-defined]
                await asyncio.sleep(self.random.uniform(0.1, 2))
                async with self.hand.db.dispatch() as tx:
                    await due.free_dead(tx, rt.worker)

    async def _process(self, rt: SimRuntime) -> None:
        while True:
            lane = next((lane for lane in LANES if lane in self.rung), None)
            if lane is not None:
                self.rung.discard(lane)
                await sweep.drain(rt, lane)
                continue
            self.bell.clear()
            try:
                async with asyncio.timeout(SWEEP_SECONDS * self.random.uniform(0.75, 1.25)):
                    await self.bell.wait()
            except TimeoutError:
                for each in LANES:
                    await sweep.drain(rt, each)

    # ── notices ────────────────────────────────────────────────────────────────────────────────────────────────

    def tell(self, shop: Shop, notice: Notice) -> None:
        task = asyncio.ensure_future(self._intake(shop, notice))
        shop.under_way.add(task)
        task.add_done_callback(shop.under_way.discard)

    async def _intake(self, shop: Shop, notice: Notice) -> None:
        account = self.accounts[shop.traits.name]
        async with self.hand.db.seller(self.seller_id) as tx:
            await inbox.add(tx, [arrival_of(account, notice, "webhook")])
        self.ring("intake")

    # ── the beginning ──────────────────────────────────────────────────────────────────────────────────────────

    async def begin(self) -> None:
        """A seller with stock, three live accounts, and listings that show what they should."""
        self.thawed.set()
        self.hand = self.runtime()  # the seller at the screen, who is never killed
        self.seller_id = await connect.seller_add(self.hand, "Loja")
        async with self.hand.db.seller(self.seller_id) as tx:
            second = await warehouses.warehouse_add(tx, "filial", "Filial", rank=20)
            for code in CODES:
                self.skus[code] = await stock.sku_put(tx, code)
            for code, parts in KITS.items():
                await kits.kit_put(tx, self.skus[code], {self.skus[part]: n for part, n in parts.items()})
        for traits in TRAITS:
            await self._connect(traits)
        async with self.hand.db.seller(self.seller_id) as tx:
            await tx.run(
                "INSERT INTO account_warehouse (seller_id, account_id, warehouse_id) VALUES (%s, %s, %s)",
                [self.seller_id, self.accounts["gama"].id, second],
            )
        for number in range(WORKERS):
            task = asyncio.ensure_future(self.work(number))
            self.tasks.add(task)
        for lane in LANES:
            self.ring(lane)
        await asyncio.sleep(3)
        for place in WAREHOUSES:
            await acts.count(self, [(code, self.random.choice((0, 8, 25, 50, 90))) for code in SKUS], place)
        for account in self.accounts.values():
            await approval.approve(self.hand, await self.hand.account(self.seller_id, account.id))
        await asyncio.sleep(12)
        for shop in self.shops.values():
            shop.weather = shop.usual

    async def _connect(self, traits: Traits) -> None:
        shop = self.shops[traits.name] = Shop(
            traits, random.Random(f"shop {self.seed} {traits.name}"), self.loop.utc, self.tell
        )
        shop.usual = self.climate() if self.storms else Weather()
        shop.tells_stock = traits.tells_stock and self.seed % 3 == 0
        listed = {code: Item(f"{traits.name[0]}{code}", code, 0) for code in CODES}
        listed[UNLINKED] = Item(f"{traits.name[0]}{UNLINKED}", UNLINKED, 60)
        if traits.kind is Kind.MARKETPLACE:
            listed[THEIRS] = Item(f"{traits.name[0]}{THEIRS}", "S03", 10**6, theirs=True)
        shop.items = {item.ref: item for item in listed.values()}
        async with self.hand.db.seller(self.seller_id) as tx:
            account_id = await accounts.add(
                tx, channel=traits.name, name=traits.name, callback_hash=traits.name.encode(), app_id=None,
                sealed=self._sealed(shop),
            )  # fmt: skip
            await accounts.identify(tx, account_id, traits.name, {})
            await accounts.settle_settings(tx, account_id, zero_brake="off")
            self.accounts[traits.name] = await accounts.get(tx, account_id)

    def climate(self) -> Weather:
        """How badly a shop behaves all the time in this run: often well, sometimes terribly."""
        chance = self.random.choice
        return Weather(
            refuse=chance((0, 0, 0.03)), fail=chance((0, 0.03, 0.15)), hang=chance((0, 0.02, 0.1)),
            cut=chance((0, 0, 0.05)), late=chance((0, 0.05, 0.25)), lose=chance((0, 0.1, 0.5)), double=chance((0, 0.2)),
            slow=chance((0.2, 0.5, 3.0)),
        )  # fmt: skip

    def _sealed(self, shop: Shop) -> bytes:
        credentials = ADAPTERS[shop.traits.name].credentials.model_validate(
            {"shop": shop.traits.name, "refresh": shop.refresh}
        )
        told = {"credentials": connect.sealable(credentials), "callback": "x", "hook_secret": "x"}
        return self.hand.vault.seal(told)

    # ── what the world knows ───────────────────────────────────────────────────────────────────────────────────

    def came(self, code: str, units: int) -> None:
        """So many more units of a plain SKU are there."""
        self.counted[code] += units
        self.left[code] += units

    def link(self, shop: Shop, ref: str) -> tuple[str, int] | None:
        """What a listing sells, and how many of it; None where nobody has said so."""
        sku = shop.items[ref].sku
        return self.links.get((shop.traits.name, ref), None if sku == UNLINKED else (sku, 1))

    def parts(self, shop: Shop, ref: str) -> dict[str, int]:
        """Plain units that leave the seller's shelves with one of a listing."""
        told = self.link(shop, ref)
        return {} if told is None or shop.items[ref].theirs else checks.parts_of(*told)

    def keep(self, task: "asyncio.Task[Any]") -> None:
        """Remember a task until it has ended well."""
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        if not task.cancelled() and task.exception() is None:
            self.tasks.discard(task)

    # ── running ────────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self, events: Iterable[Event], orders: int) -> None:
        """The story until so many orders are sold, then rest; raises Broken at the first promise that is not kept."""
        await self.begin()
        self.start = self.loop.time() - 20.0
        unsold = 0
        for event in events:
            if (wait := self.start + event.at - self.loop.time()) > 0:
                await asyncio.sleep(wait)
            if not await acts.happen(self, event):
                unsold += event.kind == "buy"
                if unsold > NOBODY_BUYS:
                    raise Broken(f"{unsold} buyers after one another found nothing to buy")
                continue
            unsold = 0 if event.kind == "buy" else unsold
            self.told.append(event)
            for shop in self.shops.values():
                shop.note(f"* {event}") if event.shop in ("", shop.traits.name) else None
            await self._check()
            if isinstance(events, Story) and event.kind == "buy" and self.sold >= orders:
                events.close()
        await self.rest()

    @property
    def sold(self) -> int:
        """Orders so far."""
        return sum(shop.counted["sales"] for shop in self.shops.values())

    def complain(self) -> None:
        """Raise what the flows logged as failed."""
        if self.problems:
            raise Broken("\n".join(self.problems[:3]))
        for task in self.tasks:
            if task.done() and not task.cancelled() and (problem := task.exception()):
                raise problem

    async def _check(self) -> None:
        self.complain()
        self.steps += 1
        if self.commits != self._checked:
            await checks.touched(self)
            self._checked = self.commits
        if self.steps in PLANNED_ANEW:
            self.analyze()
        if self.steps % FULL_EVERY == 0:
            await self._reconnect()
            await (checks.everything(self, at_rest=False) if self.steps % ALL_EVERY == 0 else checks.recent(self))
            await checks.forget(self, self.loop.utc() - timedelta(seconds=KEPT_SECONDS))

    async def rest(self) -> None:
        """Fine weather until nothing is to be done, then every promise."""
        self.resting = True
        for shop in self.shops.values():
            shop.weather = Weather()
        for rt in self.workers.values():
            rt.db.stop_in = rt.db.stall_in = None  # type: ignore[attr-defined]
        until = self.loop.time() + REST_SECONDS
        await asyncio.sleep(75)  # longer than a stalled worker sleeps
        quiet = 0
        while True:
            if self.loop.time() > until:
                raise Broken(f"the hub does not come to rest: {await checks.unfinished(self)}")
            await self._reconnect()
            await asyncio.sleep(20)  # longer than a poll takes to come round
            self.complain()
            self.thawed.clear()
            await asyncio.sleep(1)
            busy = await checks.unfinished(self) or any(shop.under_way for shop in self.shops.values())
            quiet = 0 if busy else quiet + 1
            if quiet > 1:
                break
            self.thawed.set()
        await checks.touched(self)
        await checks.everything(self, at_rest=True)
        await checks.truth(self)

    @property
    def patience(self) -> float:
        """Seconds that work may be due: what a held account was told waits for its seller, and is worked off then."""
        return PASSED_OVER if self.loop.time() - self.resumed > PASSED_OVER else math.inf

    async def _reconnect(self) -> None:
        """The seller connects again what the hub was refused at."""
        for name, account in self.accounts.items():
            now = await self.hand.account(self.seller_id, account.id)
            if now.status != "held":
                continue
            self.faults["reconnected"] += 1
            self.resumed = self.loop.time()
            async with self.hand.db.seller(self.seller_id) as tx:
                await accounts.reseal(tx, account.id, self._sealed(self.shops[name]))
            await connect.resume(self.hand, now)

    async def rows(self, sql: Any, *params: object) -> list[dict[str, Any]]:
        """What the seller's own rows say."""
        async with self.hand.db.seller(self.seller_id) as tx:
            return await tx.all(sql, list(params))

"""One run: a database, three shops, three workers, and the events of a story on a clock of its own."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import UUID

import httpx
import psycopg
import structlog
from psycopg.rows import dict_row

from hub import context
from hub.contract import Adapter
from hub.http import Client
from hub.model import Notice
from hub.secrets import Vault, new_key
from hub.store import ROLES, Database, Tx, accounts, due, inbox, kits, stock, url_as, warehouses
from hub.store.accounts import Account
from hub.throttle import Throttle
from jobs import connect, counts, linking, sweep
from jobs.connect import Refused
from jobs.poll import arrival_of
from jobs.runtime import Policy, Runtime
from tests.services import database
from tests.sim import checks
from tests.sim.clock import VirtualLoop, virtual
from tests.sim.shops import TRAITS, Item, Shop, Traits, Weather, adapter
from tests.sim.story import CODES, KITS, SKUS, WAREHOUSES, WORKERS, Event

LANES = ("intake", "stock", "catalogue")
SWEEP_SECONDS = 5.0
FULL_EVERY = 1000  # transactions between two looks at every invariant
REST_SECONDS = 3600.0  # the hub comes to rest within this time, once the weather is fine
ADAPTERS: Mapping[str, Adapter] = {traits.name: adapter(traits) for traits in TRAITS}
KEY = new_key()


class Broken(AssertionError):
    """A promise that was not kept."""


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
            conn = self.world.conns[role]
            stopping = self._counted()
            async with conn.transaction():
                await conn.execute(
                    "SELECT set_config('sim.now', %s, true), set_config('balcao.seller', %s, true)",
                    [self.world.loop.utc().isoformat(), str(seller_id or "")],
                )
                with context.inside_transaction():
                    yield Tx(conn, seller_id)
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
    conns: Mapping[str, Any]
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
    links: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    skus: dict[str, UUID] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
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
            await self.count([(code, self.random.choice((0, 8, 25, 50, 90))) for code in SKUS], place)
        await asyncio.sleep(12)
        for shop in self.shops.values():
            shop.weather = shop.usual

    async def _connect(self, traits: Traits) -> None:
        shop = self.shops[traits.name] = Shop(
            traits, random.Random(f"shop {self.seed} {traits.name}"), self.loop.utc, self.tell
        )
        shop.usual = self.climate() if self.storms else Weather()
        shop.tells_stock = traits.tells_stock and self.seed % 3 == 0
        shop.items = {f"{traits.name[0]}{code}": Item(f"{traits.name[0]}{code}", code, 0) for code in CODES}
        async with self.hand.db.seller(self.seller_id) as tx:
            account_id = await accounts.add(
                tx, channel=traits.name, name=traits.name, callback_hash=traits.name.encode(), app_id=None,
                sealed=self._sealed(shop), status="live",
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

    # ── what people do ─────────────────────────────────────────────────────────────────────────────────────────

    async def count(self, units: Sequence[tuple[str, int]], place: str) -> None:
        for told in await counts.set_stock(self.hand, self.seller_id, units, warehouse=place):
            self.counted[told.sku] += told.after - told.before

    async def happen(self, event: Event) -> bool:
        """Let an event happen; false when it has nothing to happen to."""
        match event.kind:
            case "buy":
                return self._buy(event)
            case "count":
                await self.count([(event.code, event.amount)], event.place)
            case "relink":
                return await self._relink(event)
            case "stop":
                return self._arm(event)
            case "stall":
                db = self._db(event)
                db.stall_in, db.stall_for = event.amount, event.seconds
            case "weather":
                self._weather(event)
            case "tokens":
                self.shops[event.shop].expire()
            case _:
                return self._order(event)
        return True

    def _buy(self, event: Event) -> bool:
        shop = self.shops[event.shop]
        parts = {part for code, _units in event.wanted for part in checks.parts_of(code)}
        before = checks.missing(self, parts)
        sale = shop.buy([(f"{event.shop[0]}{code}", units) for code, units in event.wanted])
        self.oversold += checks.missing(self, parts) - before
        if sale:
            self.bought[event.number] = (shop, sale.ref)
        return sale is not None

    def _order(self, event: Event) -> bool:
        if event.of not in self.bought:
            return False
        shop, ref = self.bought[event.of]
        sale = shop.sales[ref]
        match event.kind:
            case "pay":
                return shop.pay(sale)
            case "cancel":
                return shop.cancel(sale)
            case "edit":
                return shop.edit(sale, event.number, event.amount)
            case "part" | "dispatch":
                return bool(shop.dispatch(sale, part=event.kind == "part"))
            case "deliver":
                return shop.deliver(sale)
            case "give back":
                return shop.give_back(sale, event.amount)
        raise ValueError(event.kind)

    async def _relink(self, event: Event) -> bool:
        ref = f"{event.shop[0]}{event.code}"
        async with self.hand.db.seller(self.seller_id) as tx:
            listing_id = await tx.value(
                "SELECT id FROM listing WHERE account_id = %s AND ref = %s", [self.accounts[event.shop].id, ref]
            )
        if listing_id is None:
            return False
        try:
            await linking.link(self.hand, self.seller_id, listing_id, event.name)
        except Refused:
            return False
        self.links.setdefault((event.shop, ref), [event.code]).append(event.name)
        return True

    def _db(self, event: Event) -> SimDatabase:
        return cast("SimDatabase", self.workers[event.number % WORKERS].db)

    def _arm(self, event: Event) -> bool:
        db = self._db(event)
        if db.dead:
            return False
        db.stop_in, db.stop_when = event.amount, event.name
        return True

    def _weather(self, event: Event) -> None:
        shop = self.shops[event.shop]
        shop.weather = replace(shop.weather, **{event.name: event.amount / 100})

        async def clear() -> None:
            await asyncio.sleep(event.seconds)
            if not self.resting:
                shop.weather = replace(shop.weather, **{event.name: getattr(shop.usual, event.name)})

        self.tasks.add(asyncio.ensure_future(clear()))

    # ── running ────────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self, events: Sequence[Event]) -> None:
        """The story, then rest; raises Broken at the first promise that is not kept."""
        await self.begin()
        self.start = self.loop.time() - 20.0
        for event in events:
            await asyncio.sleep(max(0.0, self.start + event.at - self.loop.time()))
            if not await self.happen(event):
                continue
            self.told.append(str(event))
            for shop in self.shops.values():
                shop.note(f"* {event}") if event.shop in ("", shop.traits.name) else None
            await self._check(event)
        await self.rest()

    def complain(self) -> None:
        """Raise what the flows logged as failed."""
        if self.problems:
            raise Broken("\n".join(self.problems[:3]))
        for task in self.tasks:
            if task.done() and not task.cancelled() and (problem := task.exception()):
                raise problem

    async def _check(self, event: Event) -> None:
        self.complain()
        codes = {event.code} if event.code else {code for code, _ in event.wanted}
        if event.of in self.bought:
            shop, ref = self.bought[event.of]
            codes = {shop.items[line.item].sku for line in shop.sales[ref].lines}
        await checks.touched(self, {part for code in codes for part in checks.parts_of(code)})
        if self.commits - self._checked > FULL_EVERY:
            self._checked = self.commits
            if await self._reconnect():  # what a held account is told waits for its seller, and is not passed over
                await asyncio.sleep(20)
                self.start += 20
            await checks.everything(self, at_rest=False)

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
        await checks.everything(self, at_rest=True)
        await checks.truth(self)

    async def _reconnect(self) -> bool:
        """The seller connects again what the hub was refused at; whether there was such a thing."""
        found = False
        for name, account in self.accounts.items():
            now = await self.hand.account(self.seller_id, account.id)
            if now.status != "held":
                continue
            self.faults["reconnected"] += 1
            found = True
            async with self.hand.db.seller(self.seller_id) as tx:
                await accounts.reseal(tx, account.id, self._sealed(self.shops[name]))
            await connect.resume(self.hand, now)
        return found

    async def rows(self, sql: Any, *params: object) -> list[dict[str, Any]]:
        """What the seller's own rows say."""
        async with self.hand.db.seller(self.seller_id) as tx:
            return await tx.all(sql, list(params))


@dataclass(slots=True)
class Result:
    """What came of one run."""

    problem: str | None = None
    told: list[str] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)


def play(seed: int, events: Sequence[Event], *, calm: bool = False) -> Result:
    """Run a story on a fresh database; `calm`: in fine weather throughout."""
    result, began = Result(), time.perf_counter()
    with database() as url, virtual(seed) as loop:
        _prepare(url)
        loop.run_until_complete(_play(loop, url, seed, events, result, storms=not calm))
    result.figures["seconds"] = time.perf_counter() - began
    return result


async def _play(
    loop: VirtualLoop, url: str, seed: int, events: Sequence[Event], result: Result, *, storms: bool
) -> None:
    conns = {role: await _connection(url, role) for role in ROLES}
    world = World(loop, seed, conns, random.Random(f"world {seed}"), storms=storms)
    try:
        with _logged(world.problems):
            await world.run(events)
    except Broken as problem:
        result.problem = str(problem)
    except Exception as problem:  # noqa: BLE001 - whatever the flows raise is a finding
        import traceback

        result.problem = "".join(traceback.format_exception(problem)[-6:])
    finally:
        for rt in world.workers.values():
            rt.db.dead = True  # type: ignore[attr-defined]
        world.thawed.set()
        result.told, result.faults = world.told, world.faults
        result.journal = sorted(line for shop in world.shops.values() for line in shop.journal)
        result.figures.update(checks.figures(world))
        for shop in world.shops.values():
            result.faults.update({k: n for k, n in shop.counted.items() if k in checks.FAULTS})
        await asyncio.sleep(100)  # whoever is left meets a closed world
        for conn in conns.values():
            await conn.close()


async def _connection(url: str, role: str) -> "psycopg.AsyncConnection[dict[str, Any]]":
    return await psycopg.AsyncConnection.connect(url_as(url, role), autocommit=True, row_factory=dict_row)


def _prepare(url: str) -> None:
    """The database's own clock becomes the world's: `now()` of this database reads a setting."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, autocommit=True) as conn:
        run: Any = conn.execute
        run("CREATE SCHEMA sim")
        run(
            "CREATE FUNCTION sim.now() RETURNS timestamptz LANGUAGE sql STABLE AS "
            "$$ SELECT coalesce(nullif(current_setting('sim.now', true), '')::timestamptz, pg_catalog.now()) $$"
        )
        run("GRANT USAGE ON SCHEMA sim TO PUBLIC")
        run(f"ALTER DATABASE {name} SET search_path = sim, public, pg_catalog")
        run(f"ALTER DATABASE {name} SET synchronous_commit = off")
        for table, column, default in run(
            """SELECT c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
               JOIN pg_class c ON c.oid = d.adrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
               WHERE pg_get_expr(d.adbin, d.adrelid) LIKE '%now()%'"""
        ).fetchall():
            told = default.replace("now()", "sim.now()")
            run(f"ALTER TABLE public.{table} ALTER COLUMN {column} SET DEFAULT {told}")


@contextmanager
def _logged(problems: list[str]) -> Iterator[None]:
    """What a flow logs as an error is a finding; everything else is left unsaid."""

    def keep(_logger: Any, method: str, event: Any) -> Any:
        if method in ("error", "exception", "critical"):
            import traceback

            problems.append(f"{event.get('event')}: {traceback.format_exc()}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)

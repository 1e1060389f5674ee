"""One run: a database, three shops, three workers, and the events of a story on a clock of its own."""

import asyncio
import random
import time
import traceback
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import psycopg
import structlog

from hub import context
from hub.contract import Adapter
from hub.http import Client
from hub.model import Notice
from hub.secrets import Vault, new_key
from hub.store import ROLES, Database, Tx, accounts, due, inbox, kits, stock, warehouses
from hub.store.accounts import Account
from hub.throttle import Throttle
from jobs import approval, connect, counts, linking, sweep
from jobs.connect import Refused
from jobs.poll import arrival_of
from jobs.runtime import Policy, Runtime
from tests.services import database
from tests.sim import checks
from tests.sim.checks import Broken, Memory
from tests.sim.clock import VirtualLoop, virtual
from tests.sim.shops import TRAITS, Item, Shop, Traits, Weather, adapter
from tests.sim.story import CODES, KITS, SKUS, WAREHOUSES, WORKERS, Event, Story
from tests.sim.wire import Wire

LANES = ("intake", "stock", "catalogue")
SWEEP_SECONDS = 5.0
FULL_EVERY = 1000  # steps between two looks at every invariant
NOBODY_BUYS = 3000  # buyers after one another
BOOKS_EVERY = 100  # sales that are over, until they are taken off the books
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
    links: dict[tuple[str, str], str] = field(default_factory=dict)  # of listings that were linked by hand
    problems: list[str] = field(default_factory=list)
    skus: dict[str, UUID] = field(default_factory=dict)
    told: deque[Event] = field(default_factory=deque)  # what happened
    memory: Memory = field(default_factory=Memory)
    steps: int = 0
    over: list[int] = field(default_factory=list)  # sales that nothing befalls any more
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
        shop.items = {f"{traits.name[0]}{code}": Item(f"{traits.name[0]}{code}", code, 0) for code in CODES}
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

    # ── what people do ─────────────────────────────────────────────────────────────────────────────────────────

    async def count(self, units: Sequence[tuple[str, int]], place: str) -> None:
        for told in await counts.set_stock(self.hand, self.seller_id, units, warehouse=place):
            self.counted[told.sku] += told.after - told.before
            self.left[told.sku] += told.after - told.before

    async def receive(self, code: str, place: str, units: int) -> None:
        """Goods come in: counted together with what lies there by the hub's ledger."""
        rows = await self.rows(
            """SELECT l.on_hand FROM stock_level l JOIN warehouse w ON w.id = l.warehouse_id
               WHERE l.sku_id = %s AND w.code = %s""",
            self.skus[code], place,
        )  # fmt: skip
        await self.count([(code, units + max(0, *(row["on_hand"] for row in rows), 0))], place)

    def link(self, shop: str, ref: str) -> str:
        """What a listing sells."""
        return self.links.get((shop, ref), self.shops[shop].items[ref].sku)

    async def happen(self, event: Event) -> bool:
        """Let an event happen; false when it has nothing to happen to."""
        match event.kind:
            case "buy":
                return self._buy(event)
            case "count":
                await self.count([(event.code, event.amount)], event.place)
            case "receive":
                await self.receive(event.code, event.place, event.amount)
            case "close":
                return await self._over(event)
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
        sale = shop.buy([(f"{event.shop[0]}{code}", units) for code, units in event.wanted])
        if sale is None:
            return False
        self.bought[event.number] = (shop, sale.ref)
        for line in sale.lines:
            self._owe(shop, line.item, line.quantity)
        return True

    def _owe(self, shop: Shop, item: str, units: int) -> None:
        """So many more units of a listing are owed to buyers (less: fewer)."""
        parts = checks.parts_of(self.link(shop.traits.name, item), units)
        before = checks.missing(self.left, parts)
        self.left.subtract(parts)
        self.oversold += max(0, checks.missing(self.left, parts) - before)

    def _order(self, event: Event) -> bool:
        if event.of not in self.bought:
            return False
        shop, ref = self.bought[event.of]
        sale = shop.sales[ref]
        line = sale.lines[event.number % len(sale.lines)]
        match event.kind:
            case "pay":
                return shop.pay(sale)
            case "cancel":
                open_ = [(each.item, each.open) for each in sale.lines]
                done = shop.cancel(sale)
                for item, units in open_ if done else ():
                    self._owe(shop, item, -units)
                return done
            case "edit":
                done = shop.edit(sale, line, event.amount)
                self._owe(shop, line.item, event.amount if done else 0)
                return done
            case "part" | "dispatch":
                return bool(shop.dispatch(sale, part=event.kind == "part"))
            case "deliver":
                return shop.deliver(sale)
            case "give back":
                line = sale.lines[event.amount % len(sale.lines)]
                done = shop.give_back(sale, line)
                self._owe(shop, line.item, -1 if done else 0)
                return done
        raise ValueError(event.kind)

    async def _over(self, event: Event) -> bool:
        """Nothing befalls a sale any more: it goes off the books with others, once the hub knows all of it."""
        if event.of not in self.bought:
            return False
        self.over.append(event.of)
        if len(self.over) < BOOKS_EVERY:
            return False
        numbers, self.over = self.over, []
        gone: list[int] = []
        for shop in self.shops.values():
            mine = {self.bought[number][1]: number for number in numbers if self.bought[number][0] is shop}
            for sale in await checks.over(self, shop, [shop.sales[ref] for ref in mine]):
                shop.close(sale)
                self.memory.status.pop(sale.ref, None)
                gone.append(mine.pop(sale.ref))
            self.over += mine.values()
        for number in gone:
            del self.bought[number]
        return False

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
        self.links[event.shop, ref] = event.name
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

        task = asyncio.ensure_future(clear())
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
            if not await self.happen(event):
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
        if self.steps % FULL_EVERY == 0:
            if await self._reconnect():  # what a held account is told waits for its seller, and is not passed over
                await asyncio.sleep(20)
                self.start += 20
            await checks.everything(self, at_rest=False)
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
    told: list[Event] = field(default_factory=list)  # what happened; of a long run its end
    journal: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)


def play(seed: int, events: Iterable[Event], orders: int = 0, *, calm: bool = False, keep: int | None = None) -> Result:
    """Run a story on a fresh database until so many orders are sold (a list of events: to its end).

    `calm`: in fine weather throughout. `keep`: of what happened, only the last so many events.
    """
    result, began = Result(), time.perf_counter()
    with database() as url, virtual(seed) as loop:
        _prepare(url)
        wires = {role: Wire(url, role) for role in ROLES}
        world = World(loop, seed, wires, random.Random(f"world {seed}"), storms=not calm, told=deque(maxlen=keep))
        loop.run_until_complete(_play(world, events, orders, result))
        for wire in wires.values():
            wire.close()
    result.figures["seconds"] = time.perf_counter() - began
    return result


async def _play(world: World, events: Iterable[Event], orders: int, result: Result) -> None:
    try:
        with _logged(world.problems):
            await world.run(events, orders)
    except Broken as problem:
        result.problem = str(problem)
    except Exception as problem:  # noqa: BLE001 - whatever the flows raise is a finding
        result.problem = "".join(traceback.format_exception(problem)[-6:])
    finally:
        for rt in world.workers.values():
            rt.db.dead = True  # type: ignore[attr-defined]
        world.thawed.set()
        result.told, result.faults = list(world.told), world.faults
        result.journal = sorted(line for shop in world.shops.values() for line in shop.journal)
        result.figures.update(checks.figures(world))
        for shop in world.shops.values():
            result.faults.update({k: n for k, n in shop.counted.items() if k in checks.FAULTS})
        await asyncio.sleep(100)  # whoever is left meets a closed world


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
        run("CREATE SEQUENCE sim.step")  # which rows were written since the last step
        run("GRANT USAGE ON SEQUENCE sim.step TO PUBLIC")
        run("ALTER TABLE stock_movement ADD COLUMN sim_no bigint NOT NULL DEFAULT nextval('sim.step')")
        run("ALTER TABLE orders ADD COLUMN sim_no bigint")
        run("CREATE INDEX ON stock_movement (sim_no)")
        run("CREATE INDEX ON orders (sim_no)")
        run(
            "CREATE FUNCTION sim.step() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.sim_no := nextval('sim.step'); RETURN NEW; END $$"
        )
        run("CREATE TRIGGER sim_step BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION sim.step()")
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
            problems.append(f"{event.get('event')}: {traceback.format_exc()}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)

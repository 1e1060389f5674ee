"""A demonstration while it is open: its channels on ports of this machine, what happened before, and people who buy."""

import asyncio
import contextlib
import importlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.context import working_for
from hub.model import Shipment, TrackingStatus
from hub.sandbox import Sandbox
from hub.store import demos, due, freight, kits, purchases, shipments, stock, suppliers, warehouses
from jobs import approval, connect, counts, purchase
from jobs.demo import flow, goods
from jobs.replenish import set_settings
from jobs.runtime import Runtime, log

MARKET, STORE, CARRIER = "mercadolivre", "woocommerce", "correios"
NAMES = {
    MARKET: "Mercado Livre (demonstração)",
    STORE: "Loja virtual (demonstração)",
    CARRIER: "Correios (demonstração)",
}
FIRST_USER = 900_000_000_000  # beyond every number that Mercado Livre has given to a seller
READ_SECONDS = 120.0
BEFORE = 14  # orders that are there when somebody looks for the first time
CANCELS, RETURNS, MANY = 0.06, 0.03, 0.25
# age of the demonstration, pause between two sales: lively at first, then so that a forgotten one fills no disk
PACE = (
    (timedelta(minutes=15), (12.0, 30.0)), (timedelta(hours=2), (40.0, 120.0)), (timedelta(hours=24), (240.0, 600.0)),
    (timedelta.max, (3600.0, 7200.0)),
)  # fmt: skip


@dataclass(slots=True)
class Stall:
    """One channel that is played here."""

    channel: str
    sandbox: Any  # a Sandbox, and what its own kind can do beside that
    url: str = ""
    account_id: UUID = field(default_factory=lambda: UUID(int=0))


@dataclass(slots=True)
class Booth:
    """All of it; `run` lives until it is cancelled, and leaves no open port and no allowed address behind."""

    rt: Runtime
    seller_id: UUID
    here: str  # where this machine's own web process answers
    ready: asyncio.Event  # set once all is set up
    chance: random.Random = field(default_factory=random.Random)
    _runners: list[web.AppRunner] = field(default_factory=list)
    _stalls: dict[str, Stall] = field(default_factory=dict)
    _later: set[asyncio.Task[None]] = field(default_factory=set)
    pace: Callable[[timedelta], tuple[float, float]] = lambda age: next(pause for until, pause in PACE if age < until)

    async def run(self) -> None:
        """Begin anew (a restart forgets what channels knew), set up, and let people buy."""
        with working_for(self.seller_id):
            try:
                await flow.clear(self.rt, self.seller_id, whole=False)
                await self._stock()
                for channel, products, options in (
                    (MARKET, goods.products(goods.UNLINKED), {"user_id": FIRST_USER + self.chance.randrange(10**9)}),
                    (STORE, goods.products(), {}),
                    (CARRIER, [], {}),
                ):
                    await self._connect(channel, products, options)
                await self._read()
                await self._before()
                self.ready.set()
                await self._live()
            finally:
                await self._close()

    async def _close(self) -> None:
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        for runner in self._runners:
            await runner.cleanup()
        with contextlib.suppress(Exception):  # the database may be what went away; a start clears it first
            async with self.rt.db.seller(self.seller_id) as tx:
                await demos.displace(tx)

    # ── the shop ───────────────────────────────────────────────────────────────────────────────────────────

    async def _stock(self) -> None:
        async with self.rt.db.seller(self.seller_id) as tx:
            await warehouses.warehouse_add(tx, "principal", "Principal", rank=10, postal_code="01310100", state="SP")
            await warehouses.warehouse_add(
                tx, "reserva", "Depósito reserva", rank=20, postal_code="13010000", state="SP"
            )
            ids = {good.sku: await stock.sku_put(tx, good.sku, good.title) for good in goods.GOODS}
            for sku, (title, _cents, parts) in goods.KITS.items():
                made = await stock.sku_put(tx, sku, title)
                await kits.kit_put(tx, made, {ids[part]: units for part, units in parts.items()})
            for good in goods.GOODS:
                await freight.measure(tx, good.sku, good.grams, good.sides)
            await freight.set_policy(tx, None, {"sender": goods.SENDER.model_dump(), "declares": True})
            await suppliers.add(tx, goods.SUPPLIER, lead_time_days=7)
        for number, code in enumerate(("principal", "reserva")):
            units = [(good.sku, good.units[number]) for good in goods.GOODS]
            await counts.set_stock(self.rt, self.seller_id, units, warehouse=code, reason="opening")

    async def _connect(self, channel: str, products: list[Any], options: dict[str, Any]) -> None:
        create = importlib.import_module(f"adapters.{channel}.sandbox").create
        sandbox: Sandbox = create(products, seed=self.chance.randrange(1000), **options)
        runner = web.AppRunner(sandbox.app, access_log=None, shutdown_timeout=1.0)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = int(runner.addresses[0][1])
        stall = Stall(channel, sandbox, f"http://127.0.0.1:{port}")
        made = await connect.account_add(
            self.rt, self.seller_id, channel, sandbox.credentials(stall.url), name=NAMES[channel], played_on=port
        )
        if made.problem:
            raise connect.Refused(made.problem)
        stall.account_id = made.account_id
        self._stalls[channel] = stall
        if channel == MARKET:  # its notices are set up by hand, as at the real one; they never leave this machine
            path = made.webhook_url.partition("/in/")[2]
            if path:
                await sandbox.act("callback", {"url": f"{self.here}/in/{path}"})

    async def _read(self) -> None:
        """Workers read the listings and link them; then both stores are approved."""
        until = asyncio.get_running_loop().time() + READ_SECONDS
        while asyncio.get_running_loop().time() < until:
            async with self.rt.db.seller(self.seller_id) as tx:
                if not await demos.unread(tx):
                    break
            await asyncio.sleep(0.3)
        for channel in (MARKET, STORE):
            account = await self.rt.account(self.seller_id, self._stalls[channel].account_id)
            await approval.approve(self.rt, account)

    # ── what happened before, and what happens ─────────────────────────────────────────────────────────────

    async def _before(self) -> None:
        """Orders of both stores, a shortage, a late parcel, a number that somebody changed, a purchase under way."""
        last = goods.LAST_ONE
        await asyncio.gather(*(self._buy(channel, last, 1) for channel in (MARKET, STORE)))
        refs = [sale for _ in range(BEFORE) if (sale := await self._buy(*self._choice()))]
        late = next((ref for channel, ref in refs if channel == STORE), None)
        if late:
            self._spawn(self._late(late))
        for channel, ref in refs[::3]:
            self._spawn(self._send(channel, ref, soon=True))
        store = self._stalls[STORE]
        store.sandbox.by_sku[goods.EDITED].units += 5
        async with self.rt.db.seller(self.seller_id) as tx:
            await due.task_soon(tx, store.account_id, ["reconcile"], self.rt.now())
        self.rt.ring("catalogue", store.account_id)
        await set_settings(self.rt, self.seller_id, {sku: {"supplier": goods.SUPPLIER} for sku in goods.BOUGHT})
        number = await purchase.create(self.rt, self.seller_id, goods.SUPPLIER, goods.BOUGHT)
        async with self.rt.db.seller(self.seller_id) as tx:
            order = await purchases.find(tx, number)
        if order:
            await purchase.send(self.rt, self.seller_id, order["id"], expected_at=self.rt.now() + timedelta(days=3))

    async def _live(self) -> None:
        began = self.rt.now()
        while True:
            await asyncio.sleep(self.chance.uniform(*self.pace(self.rt.now() - began)))
            bought = await self._buy(*self._choice())
            if bought:
                self._spawn(self._send(*bought))

    def _choice(self) -> tuple[str, str, int]:
        skus = [good.sku for good in goods.GOODS if good.sku != goods.LAST_ONE] + list(goods.KITS)
        weights = [1 / (rank + 4) for rank in range(len(skus))]  # a few sell much, many sell little
        units = 2 if self.chance.random() < MANY else 1
        return self.chance.choice((MARKET, STORE)), self.chance.choices(skus, weights)[0], units

    async def _buy(self, channel: str, sku: str, units: int) -> tuple[str, str] | None:
        """One sale: (channel, ref). What is sold out there may come in again."""
        try:
            made = await self._stalls[channel].sandbox.act("buy", {"lines": [{"sku": sku, "quantity": units}]})
        except LookupError:
            if sku not in goods.KITS and self.chance.random() < 1 / 2:
                await counts.set_stock(self.rt, self.seller_id, [(sku, self.chance.randint(8, 30))])
            return None
        return channel, str(made["order_ref"])

    def _spawn(self, what: Awaitable[None]) -> None:
        async def guarded() -> None:
            try:
                await what
            except Exception as problem:  # noqa: BLE001 - one parcel's trouble is no other's
                log.info("demonstration: left aside", reason=f"{type(problem).__name__}: {problem}"[:200])

        task = asyncio.get_running_loop().create_task(guarded())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _send(self, channel: str, ref: str, *, soon: bool = False) -> None:
        """What becomes of an order: taken back, or carried by the marketplace or by the seller's own carrier."""
        act = self._stalls[channel].sandbox.act
        pause = 2.0 if soon else self.chance.uniform(60, 600)
        await asyncio.sleep(pause)
        if not soon and self.chance.random() < CANCELS:
            await act("cancel", {"order_ref": ref})
            return
        if channel == MARKET:
            await act("dispatch", {"order_ref": ref})
            await asyncio.sleep(pause * 2)
            await act("deliver", {"order_ref": ref})
            if self.chance.random() < RETURNS:
                await act("return", {"order_ref": ref})
            return
        code = (await self._stalls[CARRIER].sandbox.act("post", {}))["code"]
        await self._post(ref, code)
        for _scan in range(6):
            await asyncio.sleep(pause)
            await self._stalls[CARRIER].sandbox.act("advance", {"code": code})
            await self._ask_soon(code)

    async def _late(self, ref: str) -> None:
        """A parcel that was promised days ago, and still is on its way."""
        carrier = self._stalls[CARRIER].sandbox
        parcel = carrier.post(None, "late", None, back=timedelta(days=13))
        for hours in (6, 30, 40, 60):
            carrier.advance(parcel, timedelta(hours=hours))
        await self._post(ref, parcel.code)
        await self._ask_soon(parcel.code)

    async def _post(self, ref: str, code: str) -> None:
        """The seller gives the order's parcel to the carrier; the hub tells the store, and follows it."""
        store, carrier = self._stalls[STORE], self._stalls[CARRIER]
        told = Shipment(
            ref=code, carrier="Correios", service="PAC", tracking_code=code, status=TrackingStatus.LABEL_CREATED
        )
        for _attempt in range(60):
            async with self.rt.db.seller(self.seller_id) as tx:
                order_id = await demos.order_id(tx, store.account_id, ref)
                if order_id:
                    await shipments.add(tx, store.account_id, order_id, told, carrier.account_id, self.rt.now())
                    break
            await asyncio.sleep(0.5)
        self.rt.ring("tracking", carrier.account_id)

    async def _ask_soon(self, code: str) -> None:
        carrier = self._stalls[CARRIER]
        async with self.rt.db.seller(self.seller_id) as tx:
            await shipments.track_soon(tx, carrier.account_id, code, self.rt.now())
        self.rt.ring("tracking", carrier.account_id)

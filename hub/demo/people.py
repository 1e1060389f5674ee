"""Who moves things in the demo: buyers on every channel, the seller who posts parcels, carriers that carry them."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp

import adapters
from hub.contract import Kind
from hub.demo.shop import Shop
from hub.model import Shipment, TrackingStatus
from hub.store import shipments
from jobs.runtime import Runtime

CANCELS, RETURNS, MANY = 0.08, 0.03, 0.25
POSTING_SECONDS, CARRYING_SECONDS = 2.0, 4.0


@dataclass(slots=True)
class Shelf:
    """One sandbox under its control address."""

    channel: str
    name: str
    url: str
    account_id: UUID
    bought: dict[str, str] = field(default_factory=dict)  # order ref -> what happened to it last


@dataclass(slots=True)
class People:
    """Everybody who acts. `told` counts what they did; `stop` lets them go home."""

    rt: Runtime
    seller_id: UUID
    shop: Shop
    stores: list[Shelf]
    carrier: Shelf
    rate: float
    chance: random.Random
    session: aiohttp.ClientSession
    told: Counter[str] = field(default_factory=Counter)
    sold: Counter[str] = field(default_factory=Counter)  # units by SKU, less what was cancelled
    buying: asyncio.Event = field(default_factory=asyncio.Event)
    _later: set[asyncio.Task[None]] = field(default_factory=set)

    async def act(self, where: Shelf, verb: str, **wanted: Any) -> dict[str, Any] | None:
        """One act there; None when it was refused or the sandbox was not reached."""
        try:
            async with self.session.post(f"{where.url}/_sandbox/act/{verb}", json=wanted) as answer:
                told = await answer.json()
                return told if answer.status == 200 else None  # noqa: PLR2004
        except (aiohttp.ClientError, TimeoutError, ValueError):
            self.told["unreached"] += 1
            return None

    async def run(self) -> None:
        """Buy at the rate until `buying` is set; then let what is under way end."""
        skus = list(self.shop.titles)
        weights = [1 / (rank + 3) for rank in range(len(skus))]  # a few sell much, many sell little
        loop = asyncio.get_running_loop()
        next_at = loop.time()
        while not self.buying.is_set():
            next_at += self.chance.expovariate(self.rate)
            await asyncio.sleep(max(0.0, next_at - loop.time()))
            sku = self.chance.choices(skus, weights)[0]
            self._spawn(self._one_sale(self.chance.choice(self.stores), sku))
        await asyncio.gather(*self._later, return_exceptions=True)

    def _spawn(self, what: Any) -> None:
        task = asyncio.get_running_loop().create_task(what)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _one_sale(self, store: Shelf, sku: str) -> None:
        quantity = 2 if self.chance.random() < MANY else 1
        made = await self.act(store, "buy", lines=[{"sku": sku, "quantity": quantity}], pay=True)
        if made is None:
            self.told["sold_out"] += 1
            return
        ref = str(made["order_ref"])
        self.told["sales"] += 1
        store.bought[ref] = "paid"
        self.sold[sku] += quantity
        await asyncio.sleep(self.chance.uniform(1, 2 * POSTING_SECONDS))
        if self.chance.random() < CANCELS:
            if await self.act(store, "cancel", order_ref=ref) is not None:
                store.bought[ref] = "cancelled"
                self.sold[sku] -= quantity
                self.told["cancelled"] += 1
            return
        market = adapters.get(store.channel).kind is Kind.MARKETPLACE
        await (self._market(store, ref) if market else self._post(store, ref))

    async def _market(self, store: Shelf, ref: str) -> None:
        """The marketplace's own carrier fetches, carries and delivers."""
        if await self.act(store, "dispatch", order_ref=ref) is None:
            return
        self.told["dispatched"] += 1
        await asyncio.sleep(self.chance.uniform(1, CARRYING_SECONDS))
        if await self.act(store, "deliver", order_ref=ref) is not None:
            self.told["delivered"] += 1
            if self.chance.random() < RETURNS and await self.act(store, "return", order_ref=ref) is not None:
                self.told["returned"] += 1

    async def _post(self, store: Shelf, ref: str) -> None:
        """The seller posts the parcel of a storefront's order with the carrier; the hub tells the store."""
        order_id = await self._order_id(store, ref)
        made = await self.act(self.carrier, "post") if order_id else None
        if order_id is None or made is None:
            return
        told = Shipment(
            ref=str(made["code"]), carrier="Correios", service="PAC", tracking_code=made["code"],
            status=TrackingStatus.LABEL_CREATED,
        )  # fmt: skip
        async with self.rt.db.seller(self.seller_id) as tx:
            await shipments.add(tx, store.account_id, order_id, told, self.carrier.account_id, self.rt.now())
        self.rt.ring("tracking", self.carrier.account_id)
        self.told["posted"] += 1
        for _scan in range(3):
            await asyncio.sleep(self.chance.uniform(1, CARRYING_SECONDS))
            await self.act(self.carrier, "advance", code=made["code"])
            async with self.rt.db.seller(self.seller_id) as tx:  # hours pass in a demo's seconds
                await shipments.track_soon(tx, self.carrier.account_id, made["code"], self.rt.now())
            self.rt.ring("tracking", self.carrier.account_id)
        if self.chance.random() < RETURNS and await self.act(store, "return", order_ref=ref) is not None:
            self.told["returned"] += 1

    async def _order_id(self, store: Shelf, ref: str) -> UUID | None:
        """The hub's id of an order; waits a little for it to arrive."""
        for _attempt in range(50):
            async with self.rt.db.seller(self.seller_id) as tx:
                sql = "SELECT id FROM orders WHERE account_id = %s AND ref = %s"
                found: UUID | None = await tx.value(sql, [store.account_id, ref])
            if found:
                return found
            await asyncio.sleep(0.2)
        return None

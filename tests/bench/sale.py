"""From a sale's webhook sent to the other store's shelf changed: one worker process, idle and under load."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

import adapters.woocommerce.sandbox
from hub.sandbox import Courier, Delivery
from jobs import approval, connect, counts, sweep
from jobs.install import runtime
from jobs.runtime import Runtime
from tests.bench import meter
from tests.bench.shops import products
from tests.bench.stand import Stand, free_port

Say = Callable[[str], None]
SKUS, RATE, LONGEST = 60, 5.0, 60.0


class Watched:
    """A store's courier with a clock in its hand."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self.sent: dict[int, float] = {}  # order id -> when its first webhook left

    def __getattr__(self, name: str) -> Any:
        return getattr(self._courier, name)

    def send(self, delivery: Delivery) -> None:
        """Note the time, then deliver."""
        if delivery.headers.get("X-WC-Webhook-Resource") == "order":
            self.sent.setdefault(int(json.loads(delivery.body)["id"]), time.perf_counter())
        self._courier.send(delivery)


@dataclass(slots=True)
class Store:
    """One store in this process: what leaves it and what is written to it is seen the moment it happens."""

    sandbox: Any
    url: str
    sent: dict[int, float]
    waiting: dict[tuple[str, int], "asyncio.Future[float]"] = field(default_factory=dict)  # (sku, units) -> when shown

    def shown(self) -> None:
        """Tell whoever waits for a number that it is on the shelf."""
        now = time.perf_counter()
        for (sku, units), future in self.waiting.items():
            if not future.done() and self.sandbox.by_sku[sku].units <= units:
                future.set_result(now)


async def _store(exits: AsyncExitStack, number: int) -> Store:
    sandbox = adapters.woocommerce.sandbox.create(products(SKUS), seed=number)
    port = free_port()
    sandbox.courier = watched = Watched(sandbox.courier)  # type: ignore[assignment]  # it stands in for one
    store = Store(sandbox, f"http://127.0.0.1:{port}", watched.sent)

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if request.method != "GET":
            store.shown()
        return answer

    sandbox.app.middlewares.append(watch)
    runner = web.AppRunner(sandbox.app, access_log=None)
    await runner.setup()
    exits.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return store


async def measure(stand: Stand, *, quick: bool, say: Say) -> dict[str, Any]:
    """Sales one at a time, then at a rate."""
    part = stand.part("sale", 3)
    async with AsyncExitStack() as exits:
        one, two = [await _store(exits, number) for number in (1, 2)]
        installation = part.installation()
        await exits.enter_async_context(part.web())
        async with runtime(installation, pool=4) as (rt, _pulse):
            await _prepare(rt, [one, two])
            await exits.enter_async_context(part.worker())
            await _subscribed(one)
            singles, seconds = (20, 10) if quick else (50, 30)
            say(f"sale to push: {singles} sales one at a time")
            idle = [await _sell(one, two, number % SKUS) for number in range(5 + singles)][5:]
            say(f"sale to push: {RATE:g} sales a second for {seconds} s")
            busy = await _stream(one, two, seconds)
    return {"idle": _figures(idle), "under_load": {"rate": RATE, **_figures(busy)}}


def _figures(told: list[float]) -> dict[str, Any]:
    return {
        "sales": len(told),
        "p50_ms": round(meter.quantile(told, 0.5) * 1000),
        "p99_ms": round(meter.quantile(told, 0.99) * 1000),
        "max_ms": round(max(told) * 1000),
    }


async def _prepare(rt: Runtime, stores: list[Store]) -> None:
    """A seller with both stores live and their shelves equal."""
    seller = await connect.seller_add(rt, "Bench")
    await counts.set_stock(rt, seller, [(f"SKU-{n:04d}", 500) for n in range(SKUS)], create=True)
    for store in stores:
        made = await connect.account_add(
            rt, seller, "woocommerce", store.sandbox.credentials(store.url), name=store.url
        )
        if made.problem:
            raise RuntimeError(made.problem)
        while await sweep.drain(rt, "catalogue"):
            pass
        await approval.approve(rt, await rt.account(seller, made.account_id))


async def _subscribed(store: Store) -> None:
    """The worker registers the webhooks itself."""
    until = time.monotonic() + LONGEST
    while not store.sandbox.hooks:
        if time.monotonic() > until:
            raise RuntimeError("no webhook was registered")
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)  # what connecting left to do


async def _sell(one: Store, two: Store, number: int) -> float:
    """Seconds from the webhook of a sale to the other store's shelf."""
    sku = f"SKU-{number:04d}"
    units: int = one.sandbox.by_sku[sku].units - 1
    shown = two.waiting[sku, units] = asyncio.get_running_loop().create_future()
    told = await one.sandbox.act("buy", {"lines": [{"sku": sku, "quantity": 1}]})
    at: float = await asyncio.wait_for(shown, LONGEST)
    del two.waiting[sku, units]
    began: float = one.sent[int(told["order_ref"])]
    return at - began


async def _stream(one: Store, two: Store, seconds: int) -> list[float]:
    """Sales at their times, on either store, whatever becomes of those before."""
    chance, loop, tasks = random.Random(7), asyncio.get_running_loop(), []
    next_at, until = loop.time(), loop.time() + seconds
    for number in itertools.count():  # a SKU comes round again long after its last sale was shown
        if next_at > until:
            break
        await asyncio.sleep(max(0.0, next_at - loop.time()))
        where = (one, two) if chance.random() < 0.5 else (two, one)
        tasks.append(asyncio.create_task(_sell(*where, number % SKUS)))
        next_at += chance.expovariate(RATE)
    return list(await asyncio.gather(*tasks))

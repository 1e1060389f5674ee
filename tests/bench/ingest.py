"""How many orders a second one worker works off: fat ones from the inbox, thin ones fetched from their channel."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import aiohttp
import redis

from hub import parse
from hub.model import Topic
from hub.store import inbox
from hub.store.accounts import Account
from hub.store.inbox import Arrival
from jobs import connect, counts, ingest, sweep
from jobs.install import runtime
from jobs.runtime import Runtime
from tests.bench import meter
from tests.bench.stand import Part, Stand, free_port

Say = Callable[[str], None]
RULES = 10_000  # that the seller has for SKUs which nobody buys here
KEYS = {"store_url": "", "consumer_key": "ck_" + "5a" * 20, "consumer_secret": "cs_" + "7b" * 20}


async def measure(stand: Stand, *, quick: bool, say: Say) -> dict[str, Any]:
    """Both kinds, in rounds, each order of another SKU."""
    rounds, orders = (3, 60) if quick else (5, 200)
    part, ports = stand.part("ingest", 2), (free_port(), free_port())
    async with AsyncExitStack() as exits:
        argv = ("-m", "tests.bench.shops", *map(str, ports), str(orders))
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        await exits.enter_async_context(part.process(*argv, url=f"{urls[1]}/_sandbox/quiet"))
        rt, _pulse = await exits.enter_async_context(runtime(part.installation()))
        session = await exits.enter_async_context(aiohttp.ClientSession())
        store, market = await _accounts(rt, session, urls, orders)
        say(f"ingest: {rounds} rounds of {orders} orders and as many SKUs, in one process")
        told: dict[str, list[float]] = {"fat": [], "thin": [], "fat_cpu_ms": [], "thin_cpu_ms": []}
        for _round in range(rounds):
            for name, fill, account in (("fat", _fat, store), ("thin", _thin, market)):
                await fill(rt, session, urls[0] if name == "fat" else urls[1], account, orders)
                _fill_buckets(part, rt, account)
                began, cpu = time.perf_counter(), time.process_time()
                done = await ingest.drain(rt, account, time.monotonic() + 120)
                seconds = time.perf_counter() - began
                if done != orders or await _left(rt, account.seller_id):
                    raise RuntimeError(f"{done} of {orders} {name} orders were worked off")
                told[name].append(orders / seconds)
                told[f"{name}_cpu_ms"].append((time.process_time() - cpu) * 1000 / orders)
        if (kept := await _orders(rt, store.seller_id)) != 2 * rounds * orders:
            raise RuntimeError(f"{kept} orders in the hub, {2 * rounds * orders} in the channels")
        return {
            "unit": "orders per second of one worker process",
            "orders_per_round": orders,
            "woocommerce_fat": meter.spread(told["fat"], 1),
            "mercadolivre_fetched": meter.spread(told["thin"], 1),
            "woocommerce_fat_cpu_ms_per_order": meter.spread(told["fat_cpu_ms"], 2),
            "mercadolivre_fetched_cpu_ms_per_order": meter.spread(told["thin_cpu_ms"], 2),
        }


async def _accounts(rt: Runtime, session: aiohttp.ClientSession, urls: list[str], skus: int) -> tuple[Account, Account]:
    """A seller with both channels linked to the same counted SKUs, in preview: nothing is pushed."""
    seller = await connect.seller_add(rt, "Bench")
    units = [(f"SKU-{number:04d}", 5_000) for number in range(skus)]
    await counts.set_stock(rt, seller, units, create=True)
    found = []
    for channel, url in zip(("woocommerce", "mercadolivre"), urls, strict=True):
        async with session.post(f"{url}/_sandbox/credentials", json={"base_url": url}) as answer:
            keys = await answer.json()
        made = await connect.account_add(rt, seller, channel, keys)
        if made.problem:
            raise RuntimeError(made.problem)
        while await sweep.drain(rt, "catalogue"):
            pass
        found.append(await rt.account(seller, made.account_id))
    async with rt.db.seller(seller) as tx:
        linked = await tx.value("SELECT count(*)::int FROM listing WHERE sku_id IS NOT NULL")
        await tx.run(
            "INSERT INTO buffer (seller_id, id, scope, scope_ref, kind, value) "
            "SELECT %s, gen_random_uuid(), 'sku', 'OTHER-' || n, 'units', 1 FROM generate_series(1, %s) n",
            [seller, RULES],
        )
    if linked != 2 * skus:
        raise RuntimeError(f"{linked} of {2 * skus} listings are linked")
    return found[0], found[1]


async def _buy(session: aiohttp.ClientSession, url: str, count: int) -> list[str]:
    """One order of each SKU; their refs."""
    refs = []
    for number in range(count):
        lines = [{"sku": f"SKU-{number:04d}", "quantity": 1}]
        async with session.post(f"{url}/_sandbox/act/buy", json={"lines": lines}) as answer:
            refs.append(str((await answer.json())["order_ref"]))
    return refs


async def _fat(rt: Runtime, session: aiohttp.ClientSession, url: str, account: Account, count: int) -> None:
    """Orders with their documents, as webhooks bring them."""
    auth = aiohttp.BasicAuth(KEYS["consumer_key"], KEYS["consumer_secret"])
    arrivals = []
    for ref in await _buy(session, url, count):
        async with session.get(f"{url}/wp-json/wc/v3/orders/{ref}", auth=auth) as answer:
            raw = await answer.json()
        arrivals.append(_arrival(account, ref, parse.canonical_bytes(raw)))
    await _keep(rt, arrivals)


async def _thin(rt: Runtime, session: aiohttp.ClientSession, url: str, account: Account, count: int) -> None:
    """Orders that are only named."""
    await asyncio.sleep(0.1)
    await _keep(rt, [_arrival(account, ref, None) for ref in await _buy(session, url, count)])


def _arrival(account: Account, ref: str, raw: bytes | None) -> Arrival:
    return Arrival(
        seller_id=account.seller_id, account_id=account.id, source="webhook", topic=Topic.ORDER, ref=ref,
        dedupe_key=f"order:{ref}", told_at=None, raw=raw,
    )  # fmt: skip


async def _keep(rt: Runtime, arrivals: list[Arrival]) -> None:
    async with rt.db.intake() as tx:
        await inbox.add(tx, arrivals)


def _fill_buckets(part: Part, rt: Runtime, account: Account) -> None:
    """A full bucket: what is measured is the worker, not the politeness that a new bucket starts with."""
    client = redis.Redis.from_url(part.environment["REDIS_URL"])
    now = time.time() * 1000
    for limit in rt.adapter(account.channel).limits:
        name = f"{account.channel}:{account.id}"
        if limit.per == "account":
            key = f"tb:account:{name}:{limit.operation or '*'}:{limit.burst}/{limit.seconds:g}"
            client.hset(key, mapping={"tokens": str(limit.burst), "at": f"{now:.3f}"})
    client.close()


async def _left(rt: Runtime, seller: UUID) -> int:
    async with rt.db.seller(seller) as tx:
        count: int = await tx.value("SELECT count(*)::int FROM inbox WHERE state <> 'done'")
    return count


async def _orders(rt: Runtime, seller: UUID) -> int:
    async with rt.db.seller(seller) as tx:
        count: int = await tx.value("SELECT count(*)::int FROM orders")
    return count

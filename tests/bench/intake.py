"""Durable intake against a handler that stores nothing: CPU-seconds in a closed loop, answer times in an open one."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psycopg

from hub.store import accounts
from jobs import connect
from jobs.install import runtime
from jobs.runtime import Runtime
from tests.bench import load, meter
from tests.bench.load import Load
from tests.bench.stand import Part, Stand, free_port, output

USER = 123_456_789
RATE = 300.0
Say = Callable[[str], None]


@dataclass(slots=True)
class Door:
    """The two servers under test and how to knock there."""

    ports: Mapping[str, int]
    paths: Mapping[str, Any]
    numbers: list[int] = field(default_factory=lambda: [1])

    def load(self, where: str, count: int, **more: Any) -> Load:
        """So many requests that were never sent before."""
        first = self.numbers[-1]
        self.numbers.append(first + count)
        return Load(port=self.ports[where], count=count, first=first, **self.paths, **more)


async def measure(stand: Stand, *, quick: bool, say: Say) -> dict[str, Any]:
    """Both loops."""
    part = stand.part("intake", 1)
    async with AsyncExitStack() as exits:
        rt, _pulse = await exits.enter_async_context(runtime(part.installation(), pool=2))
        paths = await _accounts(rt)
        hub = await exits.enter_async_context(part.web())
        ports, pids = {"hub": part.port}, {"hub": hub.pid}
        for name, mode in (("baseline", "bare"), ("reader", "reads")):
            ports[name] = free_port()
            url = f"http://127.0.0.1:{ports[name]}/health"
            process = part.process("-m", "tests.bench.baseline", mode, port=ports[name], url=url)
            pids[name] = (await exits.enter_async_context(process)).pid
        door = Door(ports, paths)
        await _run(door.load("reader", 500))
        await _run(door.load("hub", 500))  # both warm
        await _run(door.load("baseline", 500))
        kept = 500
        rounds, count = (3, 2_000) if quick else (7, 6_000)
        say(f"intake, closed loop: {rounds} rounds of {count:,} webhooks over 32 connections, each server in turn")
        closed = await _closed(stand, door, pids, rounds, count)
        kept += rounds * count
        seconds = 5 if quick else 20
        say(f"intake, open loop: {RATE:.0f}/s for {seconds} s")
        opened = {name: await _opened(door, name, seconds) for name in ("baseline", "hub")}
        kept += int(RATE * seconds)
        closed["stored"] = opened["hub"]["stored"] = found = _stored(part)
        closed["sent"] = kept
        opened["hub"]["lost"] = kept - found
    return {"closed_loop": closed, "open_loop": opened}


async def _accounts(rt: Runtime) -> dict[str, Any]:
    """A seller with a store and a marketplace account; nothing answers at their addresses, nothing is asked."""
    seller = await connect.seller_add(rt, "Bench")
    keys = {"store_url": "http://127.0.0.1:9", "consumer_key": "ck_" + "5a" * 20, "consumer_secret": "cs_" + "7b" * 20}
    woo = await connect.account_add(rt, seller, "woocommerce", keys, check=False)
    told = {"client_id": "1", "client_secret": "x", "refresh_token": "x", "endpoint": "http://127.0.0.1:9"}
    market = await connect.account_add(rt, seller, "mercadolivre", told, check=False)
    async with rt.db.seller(seller) as tx:
        await accounts.identify(tx, market.account_id, str(USER), {})
    return {
        "woo_path": urlsplit(woo.webhook_url).path,
        "woo_secret": await rt.hook_secret(seller, woo.account_id),
        "market_path": urlsplit(market.webhook_url).path,
        "market_user": USER,
    }


async def _run(wanted: Load) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(await output(["-m", load.__name__], json.dumps(asdict(wanted))))
    if told["statuses"] != {"200": wanted.count}:
        raise RuntimeError(f"not every request was answered 200: {told['statuses']}")
    return told


async def _closed(stand: Stand, door: Door, pids: Mapping[str, int], rounds: int, count: int) -> dict[str, Any]:
    names = ("baseline", "reader", "hub")
    cost: dict[str, list[float]] = {name: [] for name in names}
    speed: dict[str, list[float]] = {name: [] for name in names}
    database, ratios, over_reader = [], [], []
    for number in range(rounds):
        for name in reversed(names) if number % 2 else names:
            before, server = meter.cpu(pids[name]), meter.cpu_of_tree(stand.postgres)
            told = await _run(door.load(name, count))
            cost[name].append((meter.cpu(pids[name]) - before) * 1000 / count)
            speed[name].append(count / told["seconds"])
            if name == "hub":
                await asyncio.sleep(0.3)  # what the server does right afterwards is its cost too
                database.append((meter.cpu_of_tree(stand.postgres) - server) * 1000 / count)
        ratios.append(cost["hub"][-1] / cost["baseline"][-1])
        over_reader.append(cost["hub"][-1] / cost["reader"][-1])
    return {
        "unit": "CPU-seconds per 1,000 webhooks",
        "hub": meter.spread(cost["hub"]),
        "baseline": meter.spread(cost["baseline"]),
        "postgresql": meter.spread(database),
        "reader": meter.spread(cost["reader"]),
        "ratio": meter.spread(ratios, 2),
        "ratio_over_reader": meter.spread(over_reader, 2),
        "hub_per_second": round(median(speed["hub"])),
        "baseline_per_second": round(median(speed["baseline"])),
    }


async def _opened(door: Door, name: str, seconds: int) -> dict[str, Any]:
    told = await _run(door.load(name, int(RATE * seconds), rate=RATE, connections=64))
    times = told["latencies"]
    return {
        "rate": RATE,
        "sent": len(times),
        "p50_ms": round(meter.quantile(times, 0.50) * 1000, 2),
        "p99_ms": round(meter.quantile(times, 0.99) * 1000, 2),
        "max_ms": round(max(times) * 1000, 2),
        "left_late_ms": round(told["behind"] * 1000, 2),
    }


def _stored(part: Part) -> int:
    """Rows in the inbox, as the database's owner sees them."""
    time.sleep(0.1)
    with psycopg.connect(part.environment["DATABASE_URL"]) as conn:
        row = conn.execute("SELECT count(*)::int FROM inbox").fetchone()
    return int(row[0]) if row else 0

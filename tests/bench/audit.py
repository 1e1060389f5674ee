"""What an audit of a long shelf costs: requests over the least possible, their rate, CPU, and flat memory."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from hub.store.accounts import Account
from jobs import connect, sweep
from jobs.install import runtime
from jobs.runtime import Runtime
from tests.bench import meter
from tests.bench.stand import Part, Stand, free_port

Say = Callable[[str], None]
PER_PAGE = 100  # what WooCommerce answers at most in one page of products
WINDOW = 10  # seconds over which the rate is taken
MORE, FEWER = 300, 200  # listings of 100,000 whose number somebody changed
PAGE = os.sysconf("SC_PAGE_SIZE")

# Every listing linked to a SKU of its own, counted, and showing what it should: at rest.
AT_REST = (
    """INSERT INTO sku (seller_id, id, code, opened_at)
       SELECT seller_id, gen_random_uuid(), channel_sku, now() FROM listing""",
    """UPDATE listing l SET sku_id = k.id, linked_by = 'sku' FROM sku k
       WHERE k.seller_id = l.seller_id AND k.code = l.channel_sku""",
    """UPDATE stock_slot s SET sku_id = l.sku_id, desired = s.seen, pushed = s.seen, approved_at = now(),
           synced_from = now() - interval '1 hour', synced_to = now() - interval '1 hour'
       FROM listing l WHERE l.seller_id = s.seller_id AND l.slot_id = s.id""",
    "UPDATE account SET status = 'live'",
    # The store shows more, or fewer, than the hub knows of.
    """UPDATE stock_slot SET desired = seen - 5, expected = seen - 5, pushed = seen - 5
       WHERE id IN (SELECT id FROM stock_slot ORDER BY md5(id::text) LIMIT %(more)s)""",
    """UPDATE stock_slot SET desired = seen + 5, expected = seen + 5, pushed = seen + 5
       WHERE id IN (SELECT id FROM stock_slot WHERE desired = seen ORDER BY md5(id::text) LIMIT %(fewer)s)""",
    "UPDATE task SET due_at = CASE kind WHEN 'reconcile' THEN now() ELSE now() + interval '1 day' END",
    "VACUUM ANALYZE",
)


@dataclass
class Watch:
    """What one process uses while it works, sampled; and when its requests left."""

    postgres: int
    memory: list[float] = field(default_factory=list)  # MiB
    calls: list[float] = field(default_factory=list)

    def called(self, _channel: str, _operation: str | None, _status: int | None, seconds: float) -> None:
        """A request was answered."""
        self.calls.append(time.monotonic() - seconds)

    async def sample(self) -> None:
        """Look at the resident memory twice a second, until cancelled."""
        while True:
            self.memory.append(_resident())
            await asyncio.sleep(0.5)

    def busiest(self) -> float:
        """Requests a second in the busiest WINDOW."""
        calls = sorted(self.calls)
        most, first = 0, 0
        for last, at in enumerate(calls):
            while at - calls[first] > WINDOW:
                first += 1
            most = max(most, last - first + 1)
        return most / WINDOW


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20


async def measure(stand: Stand, *, quick: bool, say: Say) -> dict[str, Any]:
    """One account, its shelf imported and put to rest; then one whole audit by one process."""
    listings = 10_000 if quick else 100_000
    part, port = stand.part("audit", 4), free_port()
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as exits:
        argv = ("-m", "tests.bench.shelf", str(port), str(listings))
        await exits.enter_async_context(part.process(*argv, url=f"{url}/_sandbox/quiet"))
        rt, _pulse = await exits.enter_async_context(runtime(part.installation()))
        session = await exits.enter_async_context(aiohttp.ClientSession())
        watch = Watch(stand.postgres)
        rt.http.observe = watch.called
        say(f"audit: importing {listings:,} listings")
        account = await _connected(rt, session, url)
        imported = await _walked(rt, account, "listings", watch, session, url)
        _put_to_rest(part, listings)
        say(f"audit: reading {listings:,} listings, some changed by hand")
        audited = await _walked(rt, account, "reconcile", watch, session, url)
        found = await _found(rt, account)
    least = -(-listings // PER_PAGE)
    scale = listings / 100_000
    if found != {"external_edit": int(MORE * scale), "unknown_sale": int(FEWER * scale)}:
        raise RuntimeError(f"the audit found {found}")
    return {
        "listings": listings, "least_requests": least, "import": imported, "audit": audited, "found": found,
        "limit_per_second": 20,
    }  # fmt: skip


async def _connected(rt: Runtime, session: aiohttp.ClientSession, url: str) -> Account:
    seller = await connect.seller_add(rt, "Bench")
    async with session.post(f"{url}/_sandbox/credentials", json={"base_url": url}) as answer:
        keys = await answer.json()
    made = await connect.account_add(rt, seller, "woocommerce", keys)
    if made.problem:
        raise RuntimeError(made.problem)
    return await rt.account(seller, made.account_id)


async def _walked(
    rt: Runtime, account: Account, kind: str, watch: Watch, session: aiohttp.ClientSession, url: str
) -> dict[str, float | int]:
    """Drain the catalogue lane until the walk is at its end; what that took."""
    watch.memory.clear()
    watch.calls.clear()
    before = await _calls(session, url)
    sampling = asyncio.ensure_future(watch.sample())
    began, cpu, database = time.perf_counter(), time.process_time(), meter.cpu_of_tree(watch.postgres)
    pieces = 0
    while not await _is_over(rt, account, kind):
        pieces += 1
        if not await sweep.drain(rt, "catalogue"):
            await asyncio.sleep(0.05)
    seconds = time.perf_counter() - began
    cpu, database = time.process_time() - cpu, meter.cpu_of_tree(watch.postgres) - database
    sampling.cancel()
    calls = await _calls(session, url) - before
    thousands = await _count(rt, account) / 1000
    quarter = len(watch.memory) // 4
    return {
        "seconds": round(seconds, 1),
        "pages_requested": sum(count for route, count in calls.items() if route.endswith("/products")),
        "other_requests": sum(count for route, count in calls.items() if not route.endswith("/products")),
        "busiest_per_second": round(watch.busiest(), 1),
        "cpu_per_1000": round(cpu / thousands, 3),
        "postgresql_cpu_per_1000": round(database / thousands, 3),
        "rss_first_quarter_mib": round(max(watch.memory[: quarter or 1]), 1),
        "rss_last_quarter_mib": round(max(watch.memory[-(quarter or 1) :]), 1),
        "rss_most_mib": round(max(watch.memory), 1),
    }


async def _calls(session: aiohttp.ClientSession, url: str) -> Counter[str]:
    async with session.get(f"{url}/_sandbox/quiet") as answer:
        return Counter((await answer.json())["calls"])


async def _is_over(rt: Runtime, account: Account, kind: str) -> bool:
    async with rt.db.seller(account.seller_id) as tx:
        row = await tx.one(
            "SELECT succeeded_at, cursor, error FROM task WHERE account_id = %s AND kind = %s", [account.id, kind]
        )
    if row is None or row["error"]:
        raise RuntimeError(f"{kind}: {row and row['error']}")
    return row["succeeded_at"] is not None and row["cursor"] is None


async def _count(rt: Runtime, account: Account) -> int:
    async with rt.db.seller(account.seller_id) as tx:
        count: int = await tx.value("SELECT count(*)::int FROM listing WHERE account_id = %s", [account.id])
    return count


async def _found(rt: Runtime, account: Account) -> dict[str, int]:
    async with rt.db.seller(account.seller_id) as tx:
        rows = await tx.all("SELECT class, count(*)::int AS count FROM drift GROUP BY class ORDER BY class")
    return {row["class"]: row["count"] for row in rows}


def _put_to_rest(part: Part, listings: int) -> None:
    scale = listings / 100_000
    told = {"more": int(MORE * scale), "fewer": int(FEWER * scale)}
    with psycopg.connect(part.environment["DATABASE_URL"], autocommit=True) as conn:
        for statement in AT_REST:
            conn.execute(statement, told if "%(" in statement else None)

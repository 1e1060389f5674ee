"""40,000 SKUs at eight channels beside 2,000: pages, the numbers of one sale, and a rule for a whole channel."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from statistics import median
from typing import Any

from hub.buffers import BufferKind
from hub.store import accounts
from hub.store.buffers import Rule
from jobs import availability, buffers
from jobs.install import runtime
from tests.bench import pages
from tests.bench.many_orders import EVERYWHERE, Shelf
from tests.bench.stand import Stand

Say = Callable[[str], None]
ORDERS = 20_000


async def measure(stand: Stand, *, quick: bool, say: Say) -> dict[str, Any]:
    """Both shelves at eight channels, with a rule for every fourth SKU."""
    few, many = (1_000, 10_000) if quick else (2_000, 40_000)
    async with AsyncExitStack() as exits:
        halls = [
            await pages.hall_of(stand, exits, 2 + n, ORDERS, say, Shelf(skus=skus, accounts=10, listed=EVERYWHERE))
            for n, skus in enumerate((few, many))
        ]
        told = await pages.every_page(halls, 5 if quick else 11, say)
        deeds = [await _deeds(hall) for hall in halls]
    worst = max(told, key=lambda name: float(told[name]["p50_ms"][1]))
    return {
        "skus": [few, many], "pages": told, "slowest_page": worst, "slowest_ms": told[worst]["p50_ms"][1],
        "median_ratio": median(row["ratio"] for row in told.values()),
        **{name: [each[name] for each in deeds] for name in deeds[0]},
    }  # fmt: skip


async def _deeds(hall: pages.Hall) -> dict[str, float]:
    """How long the numbers of one SKU take (ms), and a rule of a whole channel, looked at and kept (s)."""
    async with runtime(hall.part.installation()) as (rt, _pulse):
        (seller,) = [row[0] async for row in await hall.database.execute("SELECT seller_id FROM membership")]
        skus = [row[0] async for row in await hall.database.execute("SELECT id FROM sku ORDER BY code LIMIT 30")]
        async with rt.db.seller(seller) as tx:
            store = next(account for account in await accounts.every(tx) if account.name == EVERYWHERE[0])
            took = []
            for sku in skus:
                began = time.perf_counter()
                found = await availability.numbers(tx, [sku], rt.now())
                took.append((time.perf_counter() - began) * 1000)
                if len(found) != len(EVERYWHERE):
                    raise RuntimeError(f"{len(found)} of {len(EVERYWHERE)} listings have a number")
        rule = Rule(
            scope="channel", scope_ref=str(store.id), account_id=store.id, kind=BufferKind.UNITS, value=1,
        )  # fmt: skip
        looked, kept = [await _timed(rt, seller, rule, dry=dry) for dry in (True, False)]
    return {"one_sku_ms": round(median(took), 1), "rule_looked_s": looked, "rule_kept_s": kept}


async def _timed(rt: Any, seller: Any, rule: Rule, *, dry: bool) -> float:
    began = time.perf_counter()
    done = await buffers.set_rule(rt, seller, rule, dry=dry)
    if not done.changes:
        raise RuntimeError("the rule changes nothing")
    return round(time.perf_counter() - began, 2)

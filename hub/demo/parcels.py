"""Many parcels at once: told by a store, followed by the carrier's account; requests beside the least possible."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, LiteralString
from uuid import UUID

import adapters
from hub.demo.people import Shelf
from hub.model import Shipment
from hub.store import shipments
from jobs import follow
from jobs.runtime import Runtime

CHUNK = 500
ROUND_SECONDS = 900.0
Act = Callable[..., Awaitable[dict[str, Any] | None]]
Count = Callable[[], Awaitable[int]]

UNHEARD: LiteralString = "SELECT count(*)::int FROM shipment WHERE source = 'channel' AND last_event_at IS NULL"
DUE: LiteralString = "SELECT count(*)::int FROM shipment WHERE track_due_at <= %s"


async def track_many(
    rt: Runtime, seller_id: UUID, store: Shelf, carrier: Shelf, count: int, act: Act, requests: Count
) -> dict[str, Any]:
    """Two rounds of asking about so many parcels. `act` does something at a shelf, `requests` counts the carrier's.

    Answers each round's parcels, requests, the least that the carrier's batch allows, and seconds.
    """
    posted = await act(carrier, "post", count=count)
    if posted is None:
        raise RuntimeError("the carrier took no parcels")
    for start in range(0, count, CHUNK):
        told = [Shipment(ref=code, carrier="Correios", tracking_code=code) for code in posted["codes"][start:][:CHUNK]]
        async with rt.db.seller(seller_id) as tx:
            made = await shipments.put_bare(tx, store.account_id, told)
            await follow.follow(rt, tx, made)
            # The first request leaves once all are known, so that it is seen how full the batches are.
            await tx.run("UPDATE shipment SET track_due_at = now() + interval '1 day' WHERE id = ANY(%s)", [made])
    rounds = []
    for _round in range(2):
        async with rt.db.seller(seller_id) as tx:
            due_at = rt.now()
            await tx.run("UPDATE shipment SET track_due_at = %s WHERE source = 'channel'", [due_at])
        before, began = await requests(), time.monotonic()
        rt.ring("tracking", carrier.account_id)
        await _until_none(rt, seller_id, DUE, [due_at])
        made_requests, seconds = await requests() - before, time.monotonic() - began
        rounds.append(
            {
                "parcels": count, "requests": made_requests, "least": least(count, carrier.channel),
                "seconds": round(seconds, 1),
            }
        )  # fmt: skip
        await act(carrier, "advance")
    async with rt.db.seller(seller_id) as tx:
        unheard = await tx.value(UNHEARD)
    return {"rounds": rounds, "unheard": unheard}


def least(count: int, channel: str) -> int:
    """The fewest requests that tell of so many parcels."""
    source = adapters.get(channel).tracking
    return math.ceil(count / (source.batch if source else 1))


async def _until_none(rt: Runtime, seller_id: UUID, sql: LiteralString, params: list[Any]) -> None:
    until = time.monotonic() + ROUND_SECONDS
    while True:
        async with rt.db.seller(seller_id) as tx:
            left: int = await tx.value(sql, params)
        if not left:
            return
        if time.monotonic() > until:
            break
        await asyncio.sleep(0.2)
    raise RuntimeError(f"{left} parcels were not asked about within {ROUND_SECONDS:.0f} s")

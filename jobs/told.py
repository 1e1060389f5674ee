"""What carriers tell by themselves: webhook notices and pages of a feed, kept first, settled from the inbox."""

import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from hub import parse
from hub.http import AccountApi
from hub.model import Topic
from hub.store import due, inbox, shipments
from hub.store.accounts import Account
from hub.store.inbox import Arrival, Entry
from jobs import parcels
from jobs.parcels import Rings
from jobs.runtime import Runtime

NOBODYS = "no parcel here has this code yet; it is settled once one has"


async def notices(
    rt: Runtime, account: Account, api: AccountApi, token: UUID, ref: str | None, rows: Sequence[Entry]
) -> None:
    """Notices about one code, or pages of a feed: fat ones are settled as they came, thin ones make the parcel due."""
    del api
    source = rt.adapter(account.channel).tracking
    rings, stray = Rings(), list[UUID]()
    async with rt.db.seller(account.seller_id) as tx:
        for row in rows:
            if source is None:
                continue
            if row.raw is not None:
                raw = json.loads(row.raw)
                told = source.parse(raw, [ref] if ref else [])
                nobodys = await parcels.hear(rt, tx, account, raw, told, rings)
                if told and {one.code for one in told} <= set(nobodys):
                    stray.append(row.id)
            elif ref is not None and await shipments.track_soon(tx, account.id, ref, rt.now()):
                rings.tracking.add(account.id)
            else:
                stray.append(row.id)
        await inbox.set_aside(tx, stray, token, NOBODYS)
        await inbox.done(tx, [row.id for row in rows if row.id not in stray], token)
    rings.ring(rt)


async def feed(rt: Runtime, account: Account, api: AccountApi, task: due.Task, token: UUID, until: float) -> None:
    """Pages of a carrier's feed into the inbox; the cursor moves with each page, so that none is lost or left out."""
    del until
    source = rt.adapter(account.channel).tracking
    cursor, more = task.cursor, source is not None and source.feed is not None
    while source and source.feed and more:
        page = await source.feed(api, cursor)
        arrivals = [_arrival(account, parse.canonical_bytes(raw)) for raw in page.documents]
        async with rt.db.seller(account.seller_id) as tx:
            if arrivals:
                await inbox.add(tx, arrivals)
            if not await due.task_cursor(tx, account.id, "feed", token, page.cursor, rt.now()):
                return
        if arrivals:
            rt.ring("intake", account.id)
        cursor, more = page.cursor, page.more
    pause = timedelta(seconds=source.feed_seconds if source else 3600.0)
    async with rt.db.seller(account.seller_id) as tx:
        await due.task_done(tx, account.id, "feed", token, rt.now() + pause, cursor)


def _arrival(account: Account, raw: bytes) -> Arrival:
    return Arrival(
        seller_id=account.seller_id, account_id=account.id, source="poll", topic=Topic.TRACKING, ref=None,
        dedupe_key=f"feed:{parse.digest(raw)}", told_at=None, raw=raw,
    )  # fmt: skip

"""Dead letters put back to work: what would be done, told before it is done, and the doing, in pieces."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub import tracking as decide
from hub.model import News, TrackingStatus
from hub.store import alerts, held, inbox, letters, stock
from hub.store.held import Wanted
from hub.store.letters import Scope
from jobs import follow, parked
from jobs.runtime import Runtime

SHOWN = 50  # rows that a preview names
CHUNK = 500  # in one transaction
MOST = 5_000  # at one go: who has more goes again


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a replay would do. `standing`: of `count`, those whose account is not talked to, so that they wait on.

    `rows`: the first of them, each with what would be done: `sends` (a slot's number, null where nothing differs),
    `news` (of a parcel). `count` is told up to `letters.MOST`; one go takes `taken` of them.
    """

    count: int
    taken: int
    standing: int
    by_reason: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How many were put back to work, and how many of that scope are still parked."""

    count: int
    left: int


async def preview(rt: Runtime, seller_id: UUID, scope: Scope) -> Preview:
    """What `replay` of that scope would do; nothing is changed."""
    async with rt.db.seller(seller_id) as tx:
        tally = await letters.tally(tx, scope)
        rows = await letters.listed(tx, scope, None, SHOWN)
        sends: dict[UUID, int | None] = {}
        if scope.kind == "slot":
            told = await held.held(tx, "parked", Wanted(ids=[row["id"] for row in rows]))
            sends = {row["id"]: row["would_send"] for row in told}
    count = sum(row["count"] for row in tally)
    return Preview(
        count=count, taken=min(count, MOST), by_reason=tally,
        standing=sum(row["count"] for row in tally if not _goes(scope.kind, row["account_status"])),
        rows=[{**row, "sends": sends.get(row["id"]), "news": _news(scope.kind, row)} for row in rows],
    )  # fmt: skip


def _goes(kind: str, status: str) -> bool:
    """Whether an account of that status takes up work of that kind: only a live one is written to."""
    return status == "live" or (status == "preview" and kind in ("inbox", "tracking"))


def _news(kind: str, row: Mapping[str, Any]) -> list[str]:
    if kind != "shipment":
        return []
    told = frozenset(News(each) for each in row["news_told"])
    status = TrackingStatus(row["what"]) if row["what"] else None
    return [str(news) for news in decide.news_due(told, status, dispatched=row["source"] == "hub")]


async def replay(rt: Runtime, seller_id: UUID, scope: Scope) -> Done:
    """Put them back to work, up to MOST; each piece is a transaction of its own, and is in the audit log.

    KeyError for a kind that is never asked again (letters.REPLAYABLE).
    """
    way, count, after = _WAYS[scope.kind], 0, None
    while count < MOST:
        async with rt.db.seller(seller_id) as tx:
            found = await letters.ids(tx, scope, after, min(CHUNK, MOST - count))
        if not found:
            break
        await way(rt, seller_id, found)
        count, after = count + len(found), found[-1]
    async with rt.db.seller(seller_id) as tx:
        left = len(await letters.ids(tx, scope, after, letters.MOST)) if count == MOST else 0
    return Done(count=count, left=left)


async def _read(rt: Runtime, seller_id: UUID, found: Sequence[UUID]) -> None:
    """Rows of the inbox are read again; their alerts come back where they fail again."""
    async with rt.db.seller(seller_id) as tx:
        await inbox.replay(tx, found)
        told = await letters.told_again(tx, found)
        for _account, subject in told:
            await alerts.resolve(tx, "inbox_parked", subject)
        await stock.audit(tx, "inbox_replay", "inbox", rows=len(found))
    for account_id in {account_id for account_id, _subject in told}:
        rt.ring("intake", account_id)


async def _write(rt: Runtime, seller_id: UUID, found: Sequence[UUID]) -> None:
    await parked.unpark(rt, seller_id, Wanted(ids=found))


async def _tell(rt: Runtime, seller_id: UUID, found: Sequence[UUID]) -> None:
    async with rt.db.seller(seller_id) as tx:
        told = await letters.tell_again(tx, found, rt.now())
        for shipment_id in found:
            await alerts.resolve(tx, "shipment_untold", str(shipment_id))
        await stock.audit(tx, "shipments_replay", "shipments", rows=len(found))
    for account_id in set(told):
        rt.ring("shipments", account_id)


async def _ask(rt: Runtime, seller_id: UUID, found: Sequence[UUID]) -> None:
    """Carriers are asked again; who follows a parcel that several accounts fit is looked for again."""
    async with rt.db.seller(seller_id) as tx:
        asked = await letters.ask_again(tx, found, rt.now())
        followed = await follow.follow(rt, tx, found)
        await stock.audit(tx, "tracking_replay", "tracking", rows=len(found))
    for account_id in {*asked, *followed}:
        rt.ring("tracking", account_id)


_WAYS: Mapping[str, Callable[[Runtime, UUID, Sequence[UUID]], Awaitable[None]]] = {
    "inbox": _read,
    "slot": _write,
    "shipment": _tell,
    "tracking": _ask,
}

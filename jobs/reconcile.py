"""The audit: every listing's live number, page by page, against what the hub reckons; why they differ, what follows.

It reads with what the account's limits leave over: sales and pushes go first.
"""

import asyncio
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hub.contract import ListingSource, Page
from hub.drift import (
    Action,
    Drift,
    Episode,
    Finding,
    Look,
    Policy,
    State,
    act,
    classify,
    hold_of,
    is_many,
    names_another,
    policy_of,
)
from hub.faults import ChannelError, Fault
from hub.http import AccountApi
from hub.linking import exact
from hub.model import Listing, ListingStatus, ManagedBy, Raw
from hub.store import Tx, alerts, drift, due, links, listings, lookup, pages, sources
from hub.store.accounts import Account
from hub.store.pages import Kept
from jobs.availability import Ripple
from jobs.runtime import Runtime, log

IMPORTED = timedelta(days=365)  # the audit goes on from where the first import ended
AT_ONCE = 8  # requests for what a page only named
RECHECKED = 500  # listings looked at again in one go
FEW_GONE = 20  # so many listings vanish at once without anybody asking why,
GONE_SHARE = 0.1  # or this share of them


# ── the walk ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Walk:
    """Where a walk stands, as its task keeps it."""

    started: datetime
    cursor: str | None

    def kept(self) -> str:
        return json.dumps({"started": self.started.isoformat(), "cursor": self.cursor})


def _resumed(task: due.Task, now: datetime) -> _Walk:
    """The walk that a task is in the middle of, or a new one."""
    try:
        told = json.loads(task.cursor or "null")
        return _Walk(datetime.fromisoformat(told["started"]), told["cursor"])
    except (ValueError, TypeError, KeyError):
        return _Walk(now, None)


async def walk(rt: Runtime, account: Account, api: AccountApi, task: due.Task, token: UUID, until: float) -> bool:
    """Read every listing, page by page, from where the last walk stopped. True when it reached the end.

    `task.kind`: "listings" imports, "reconcile" audits: it leaves room in the account's limits, and asks for orders
    before it calls a loss one.
    """
    source = rt.adapter(account.channel).listings
    if source is None:
        await _rest(rt, account, task, token)
        return True
    audits = task.kind == "reconcile"
    paced = api.yielding() if audits else api
    at, more = _resumed(task, rt.now()), True
    while more:
        began = rt.now()
        try:
            page = await _page(source, paced, at)
            named = await _only_named(source, paced, page.refs) if page else []
        except ChannelError as problem:
            if problem.code != "own_limit" or problem.retry_at is None:
                raise
            await _go_on(rt, account, task, token, at, problem.retry_at)  # others need the limit more
            return False
        if page is None:
            at = _Walk(rt.now(), None)
            continue
        told = [listing for raw in (*page.documents, *named) for listing in source.parse(raw)]
        await _record(rt, account, told, began, api if audits else None)
        at, more = _Walk(at.started, page.cursor), page.more
        async with rt.db.seller(account.seller_id) as tx:
            if not await due.task_cursor(tx, account.id, task.kind, token, at.kept(), rt.now()):
                return False  # somebody else walks on
        if more and time.monotonic() > until:
            await _go_on(rt, account, task, token, at, rt.now())
            return False
    await _not_met(rt, account, paced, source, at.started)
    await _sum_up(rt, account, at.started)
    await _rest(rt, account, task, token)
    return True


async def _page(source: ListingSource, api: AccountApi, at: _Walk) -> Page | None:
    """The next page; None: the channel does not know the cursor any more (a scan's id lives for minutes)."""
    try:
        return await source.pages(api, at.cursor)
    except ChannelError as problem:
        if at.cursor is None or problem.fault not in (Fault.REJECTED, Fault.MISSING):
            raise
        log.info("walk begins anew", channel=api.channel, code=problem.code)
        return None


async def _only_named(source: ListingSource, api: AccountApi, refs: Sequence[str]) -> list[Raw]:
    """What a page only named, some at once; those that are gone meanwhile are left out."""
    size = source.batch if source.fetch_many else -(-len(refs) // AT_ONCE) or 1
    groups = [refs[start : start + size] for start in range(0, len(refs), size)]
    found = []
    for start in range(0, len(groups), AT_ONCE):
        told = await asyncio.gather(*(_fetch(api, source, group) for group in groups[start : start + AT_ONCE]))
        found += [raw for some in told for raw in some]
    return found


async def _record(
    rt: Runtime, account: Account, told: Sequence[Listing], began: datetime, asks: AccountApi | None
) -> None:
    from jobs.catalogue import record  # it compares what it writes with the functions below

    await record(rt, account, told, began, asks=asks)


async def _go_on(rt: Runtime, account: Account, task: due.Task, token: UUID, at: _Walk, due_at: datetime) -> None:
    async with rt.db.seller(account.seller_id) as tx:
        await due.task_done(tx, account.id, task.kind, token, due_at, at.kept(), more=True)


async def _rest(rt: Runtime, account: Account, task: due.Task, token: UUID) -> None:
    pause = IMPORTED if task.kind == "listings" else timedelta(seconds=rt.policy.reconcile_seconds)
    async with rt.db.seller(account.seller_id) as tx:
        await due.task_done(tx, account.id, task.kind, token, rt.now() + pause, None)


async def _not_met(rt: Runtime, account: Account, api: AccountApi, source: ListingSource, started: datetime) -> None:
    """Listings that a whole walk did not meet are asked for one by one, and those that are not there are gone.

    Where that were many, a person is told first, and nothing is closed before another whole walk did not meet them.
    """
    async with rt.db.seller(account.seller_id) as tx:
        refs = await listings.gone_unseen(tx, account.id, started)
        count = (await lookup.listed_count(tx, account.id))["listings"]
        if len(refs) > max(FEW_GONE, GONE_SHARE * count):
            first = await alerts.raise_(
                tx, "drift_gone", str(account.id), severity="urgent", account=account.name, listings=len(refs), of=count
            )
            if first:
                return
        else:
            await alerts.resolve(tx, "drift_gone", str(account.id))
    for start in range(0, len(refs), source.batch):
        await read_again(rt, account, api, source, refs[start : start + source.batch])


async def _sum_up(rt: Runtime, account: Account, started: datetime) -> None:
    """Many differences at once are one alert: something else writes there, or pushes do not arrive."""
    async with rt.db.seller(account.seller_id) as tx:
        met = await drift.met_since(tx, account.id, started)
        count = (await lookup.listed_count(tx, account.id))["listings"]
        if is_many(sum(met.values()), count):
            await alerts.raise_(
                tx, "drift_many", str(account.id), severity="urgent", account=account.name, count=sum(met.values()),
                of=count, classes=dict(met),
            )  # fmt: skip
        else:
            await alerts.resolve(tx, "drift_many", str(account.id))


# ── looking again ───────────────────────────────────────────────────────────────────────────────────────────


async def read_again(
    rt: Runtime, account: Account, api: AccountApi, source: ListingSource, refs: Sequence[str], *,
    asks: AccountApi | None = None,
) -> None:  # fmt: skip
    """Read these listings afresh and compare; those that are not there any more are gone."""
    began = rt.now()
    told = [listing for raw in await _fetch(api, source, refs) for listing in source.parse(raw)]
    await _record(rt, account, told, began, asks)
    there = {listing.ref for listing in told if listing.status is not ListingStatus.CLOSED}
    async with rt.db.seller(account.seller_id) as tx:
        await gone(tx, account, sorted(set(refs) - there), rt.now())


async def _fetch(api: AccountApi, source: ListingSource, refs: Sequence[str]) -> list[Raw]:
    if source.fetch_many:
        return await source.fetch_many(api, refs)
    found = []
    for ref in refs:
        try:
            found.append(await source.fetch(api, ref))
        except ChannelError as problem:
            if problem.fault is not Fault.MISSING:
                raise
    return found


async def gone(tx: Tx, account: Account, refs: Sequence[str], now: datetime) -> None:
    """Listings that their channel does not have any more: closed, and noted where they were the seller's stock."""
    closed = [ref for ref in refs if await listings.gone(tx, account.id, ref, now)]
    if not closed:
        return
    finding = Finding(class_=Drift.GONE, direction=None, expected=None, why="not_met")
    proposes = account.writes and policy_of(finding, account.settings) is Policy.PROPOSE
    await drift.gone(tx, account.id, closed, State.PROPOSED if proposes else State.NOTED, now)
    await tell_proposals(tx, account)


async def recheck(rt: Runtime, account: Account, api: AccountApi, task: due.Task, token: UUID, until: float) -> None:
    """Look again at losses whose order had time to come (one that none explains is an edit), and at repairs."""
    del until
    source = rt.adapter(account.channel).listings
    async with rt.db.seller(account.seller_id) as tx:
        await drift.close_settled(tx, account.id, rt.now())
        await drift.give_up_checks(tx, account.id, rt.now())
        refs = await drift.to_recheck(tx, account.id, rt.now(), RECHECKED)
    for start in range(0, len(refs) if source else 0, source.batch if source else 1):
        some = refs[start : start + (source.batch if source else 1)]
        if source:
            await read_again(rt, account, api.yielding(), source, some, asks=api)
    async with rt.db.seller(account.seller_id) as tx:
        soonest = await drift.next_check(tx, account.id)
        wait = max(soonest, rt.now() + timedelta(seconds=5)) if soonest else rt.now() + IMPORTED
        await due.task_done(tx, account.id, task.kind, token, wait, None)


# ── comparing a page ────────────────────────────────────────────────────────────────────────────────────────


async def compare(
    tx: Tx, account: Account, kept: Sequence[Kept], began: datetime, answered: datetime, ripple: Ripple, *,
    orders_read: bool, postpones: bool = False,
) -> list[Kept]:  # fmt: skip
    """Record what a page's slots (locked by the caller) show, and what follows where that is not what it should be.

    `orders_read`: the account's orders were asked for after the page was read. Answers what is to be compared again
    once that was done (`postpones`): nothing of it was recorded.
    """
    slots = {each.slot_id: each for each in kept if not each.is_new}
    if account.stock_role == "source":  # its numbers are the truth: a difference moves the ledger
        told = {slot_id: each.told for slot_id, each in slots.items() if each.told.managed_by is ManagedBy.SELLER}
        numbers = {
            slot_id: (one.stock_quantity, one.version)
            for slot_id, one in told.items()
            if one.stock_quantity is not None
        }
        await sources.note(tx, account.id, numbers, began, answered)
        return []
    known = await drift.open_of(tx, list(slots))
    looks = await _looks(tx, account, slots, known, orders_read=orders_read)
    met: list[drift.Met] = []
    readings: dict[UUID, tuple[int, str | None, str | None]] = {}
    postponed: list[Kept] = []
    for slot_id, each in slots.items():
        found = _found(account, looks[slot_id], answered)
        if postpones and any(one.why == "orders_not_asked" for one, _action in found):
            postponed.append(each)
            continue
        if each.told.stock_quantity is not None and each.told.managed_by is ManagedBy.SELLER:
            hold = hold_of(action for _one, action in found)
            readings[slot_id] = (each.told.stock_quantity, each.told.version, hold)
        met += [_met(each, looks[slot_id], one, action) for one, action in found]
    recorded = await pages.looked(tx, readings, began, answered)
    if any(recorded.values()):
        ripple.accounts.add(account.id)
    # A slot that somebody is writing to was not judged: what is open about it stays so.
    judged = slots.keys() - (readings.keys() - recorded.keys()) - {each.slot_id for each in postponed}
    soonest = await drift.keep(
        tx, account.id, [each for each in met if each.slot_id in judged],
        [each for each in known if each.slot_id in judged], answered,
    )  # fmt: skip
    if soonest:
        await drift.recheck_at(tx, account.id, soonest)
    if any(each.action.state is State.PROPOSED for each in met) or any(
        each.episode.state is State.PROPOSED for each in known
    ):
        await tell_proposals(tx, account)
    return postponed


def _found(account: Account, look: Look, now: datetime) -> list[tuple[Finding, Action]]:
    """What is to be told of a look, and what follows. The numbers of a source are the truth: its rules are others."""
    if account.stock_role != "target":
        return []
    found = [finding for finding in (classify(look, now), names_another(look)) if finding]
    return [(one, act(one, look, policy_of(one, account.settings), writes=account.writes)) for one in found]


def _met(each: Kept, look: Look, finding: Finding, action: Action) -> drift.Met:
    names = finding.class_ is Drift.WRONG_LINK
    return drift.Met(
        slot_id=each.slot_id, listing_id=each.listing_id, finding=finding, action=action, seen=look.seen,
        desired=look.desired, suggested_sku_id=look.suggested if names else None,
    )  # fmt: skip


async def _looks(
    tx: Tx, account: Account, slots: Mapping[UUID, Kept], known: Sequence[drift.Open], *, orders_read: bool
) -> dict[UUID, Look]:
    """Each slot's reading with its evidence; that of slots which show what is reckoned is not asked for."""
    about: dict[tuple[UUID, bool], Episode] = {
        (each.slot_id, each.episode.class_ is Drift.WRONG_LINK): each.episode for each in known
    }
    odd = [
        slot_id
        for slot_id, each in slots.items()
        if each.told.stock_quantity != each.expected or (slot_id, False) in about
    ]
    pushes = await drift.last_pushes(tx, odd) if odd else {}
    signs = await drift.order_signs(tx, account.id, odd) if odd else {}
    named = await _named(tx, slots, {slot_id for slot_id, is_link in about if is_link})
    return {
        slot_id: Look(
            status=each.told.status, managed_by=each.told.managed_by, seen=each.told.stock_quantity,
            expected=each.expected, desired=each.desired, doubtful=each.doubt_until is not None,
            unanswered=each.doubt_until is not None and each.synced_to is None,
            linked=each.sku_id is not None, suggested=named.get(slot_id), seen_at=each.seen_at,
            push=pushes.get(slot_id), episode=about.get((slot_id, False)), link_episode=about.get((slot_id, True)),
            orders_read=orders_read, unread=slot_id in signs and signs[slot_id].unread,
            orders_moved=slot_id in signs and signs[slot_id].moved,
        )
        for slot_id, each in slots.items()
    }  # fmt: skip


async def _named(tx: Tx, slots: Mapping[UUID, Kept], open_: Collection[UUID]) -> dict[UUID, UUID]:
    """The SKU that a listing names, by slot, where it is linked to another one.

    A link that a person made stands until the listing is called something else.
    """
    odd = {
        slot_id: each
        for slot_id, each in slots.items()
        if each.sku_id is not None and each.told.sku != each.sku_code
        and (each.linked_by in ("sku", "gtin") or each.told.sku != each.sku_before or slot_id in open_)
    }  # fmt: skip
    if not odd:
        return {}
    told = [each.told for each in odd.values()]
    by_code, by_gtin = await links.matches(tx, [one.sku or "" for one in told], [one.gtin or "" for one in told])
    called = {slot_id: exact(by_code, by_gtin, each.told.sku, each.told.gtin)[0] for slot_id, each in odd.items()}
    return {slot_id: sku_id for slot_id, sku_id in called.items() if sku_id and sku_id != odd[slot_id].sku_id}


async def tell_proposals(tx: Tx, account: Account) -> None:
    """One alert an account for all that waits for a person's word."""
    count = sum(row["count"] for row in await drift.figures(tx, account.id) if row["state"] == State.PROPOSED)
    if count:
        await alerts.raise_(tx, "drift_proposed", str(account.id), account=account.name, count=count)
    else:
        await alerts.resolve(tx, "drift_proposed", str(account.id))

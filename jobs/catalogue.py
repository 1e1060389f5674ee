"""Listings: the walk over everything a channel sells, linking, and the audit of what it shows."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from hub.context import working_for
from hub.faults import POLICIES, ChannelError, Fault
from hub.http import AccountApi
from hub.model import Listing, ListingStatus, ManagedBy
from hub.store import Tx, alerts, due, listings, slots, stock
from hub.store.accounts import Account
from jobs.availability import Ripple, recompute
from jobs.runtime import Runtime, log

AGAIN = timedelta(seconds=30)


async def walk(rt: Runtime, account: Account, api: AccountApi, task: due.Task, token: UUID, until: float) -> bool:
    """Read every listing, page by page, from where the last walk stopped. True when it reached the end."""
    source = rt.adapter(account.channel).listings
    if source is None:
        await _rest(rt, account, task.kind, token)
        return True
    cursor, more, started = task.cursor, True, rt.now()
    while more:
        began = rt.now()
        page = await source.pages(api, cursor)
        told = [listing for raw in page.documents for listing in source.parse(raw)]
        await record(rt, account, told, began)
        async with rt.db.seller(account.seller_id) as tx:
            if not await due.task_cursor(tx, account.id, task.kind, token, page.cursor, rt.now()):
                return False  # somebody else walks on
        cursor, more = page.cursor, page.more
        if more and time.monotonic() > until:
            async with rt.db.seller(account.seller_id) as tx:
                await due.task_done(tx, account.id, task.kind, token, rt.now(), cursor, more=True)
            return False
    if task.cursor is None:  # only a walk of one piece can tell what it did not meet
        await _close(rt, account, started)
    await _rest(rt, account, task.kind, token)
    return True


async def _rest(rt: Runtime, account: Account, kind: str, token: UUID) -> None:
    async with rt.db.seller(account.seller_id) as tx:
        at = rt.now() + timedelta(seconds=rt.policy.reconcile_seconds)
        await due.task_done(tx, account.id, kind, token, at, None)


async def _close(rt: Runtime, account: Account, started: datetime) -> None:
    """Listings that a whole walk did not meet are gone."""
    async with rt.db.seller(account.seller_id) as tx:
        for ref in await listings.gone_unseen(tx, account.id, started):
            await listings.gone(tx, account.id, ref, rt.now())


async def record(rt: Runtime, account: Account, told: Sequence[Listing], began: datetime) -> None:
    """Write listings as told, link what is certain, compare what slots show, and compute what is new."""
    if not told:
        return
    answered, ripple = rt.now(), Ripple()
    if sink := rt.adapter(account.channel).stock:
        told = [sink.as_shown(listing) for listing in told]
    new: set[UUID] = set()
    async with rt.db.seller(account.seller_id) as tx:
        await listings.lock_slots(tx, account.id, [listing.slot_ref for listing in told])
        for listing in told:
            new |= await _one(tx, account, listing, began, answered, ripple)
    if new:  # in a transaction of its own: levels are locked before slots
        async with rt.db.seller(account.seller_id) as tx:
            await stock.lock_around(tx, new)
            await recompute(tx, new, answered, ripple, "link")
    for account_id in ripple.accounts:
        rt.ring("stock", account_id)


async def _one(
    tx: Tx, account: Account, told: Listing, began: datetime, answered: datetime, ripple: Ripple
) -> set[UUID]:
    """One listing and its slot. Answers the SKU whose slots are to be computed."""
    put = await listings.put(tx, account.id, told, began, answered)
    sku_id: UUID | None = put["sku_id"]
    if sku_id is None and account.settings.get("autolink", True):
        sku_id = await link_exactly(tx, put["listing_id"], told)
    if not put["is_new"]:
        await _compare(tx, account, put["slot_id"], told, began, answered, ripple)
    return {sku_id} if sku_id and (put["uncomputed"] or put["sku_id"] is None) else set()


async def _compare(
    tx: Tx,
    account: Account,
    slot_id: UUID,
    told: Listing,
    began: datetime,
    answered: datetime,
    ripple: Ripple,
) -> None:
    if told.stock_quantity is None or told.managed_by is ManagedBy.MARKETPLACE:
        return
    was = await slots.looked(tx, None, slot_id, told.stock_quantity, told.version, began, answered)
    if was is None:
        return
    if was["due_now"] is not None:
        ripple.accounts.add(account.id)
    if class_ := classify(was, told):
        await listings.drift_add(
            tx, account.id, slot_id, class_, told.stock_quantity, was["expected"], was["desired"],
            repaired=account.writes and was["due_now"] is not None,
        )  # fmt: skip


def classify(was: dict[str, object], told: Listing) -> str | None:
    """Why a slot shows another number than we reckoned; None when there is nothing to tell."""
    seen, expected, desired = told.stock_quantity, was["expected"], was["desired"]
    if desired is None or seen == expected or expected is None:
        return None
    if told.managed_by is ManagedBy.MARKETPLACE:
        return "fulfilled_by_marketplace"
    if told.status is ListingStatus.PAUSED and seen == 0:
        return "paused"
    if was["doubt_until"] is not None:
        return "in_doubt"
    if not isinstance(expected, int) or seen is None:
        return None
    if seen < expected:
        return "unknown_sale"
    return "lost_push" if seen == was["seen"] else "external_edit"


async def link_exactly(tx: Tx, listing_id: UUID, told: Listing) -> UUID | None:
    """Link a listing by equal SKU code, else by a GTIN that only one SKU has, never by title. Answers the SKU."""
    by_code, by_gtin = await listings.matches(tx, [told.sku or ""], [told.gtin or ""])
    sku_id, how = listings.exact(by_code, by_gtin, told.sku, told.gtin)
    if sku_id is None:
        return None
    try:
        await listings.link(tx, listing_id, sku_id, 1, how)
    except ValueError as refusal:
        await alerts.raise_(tx, "link_refused", str(listing_id), detail=str(refusal))
        return None
    return sku_id


async def run_tasks(rt: Runtime, account: Account, token: UUID, tasks: list[due.Task]) -> None:
    """An account's due recurring tasks, one after another."""
    from jobs.poll import STEPS

    with working_for(account.seller_id, account.id):
        until = time.monotonic() + rt.policy.drain_seconds
        for task in tasks:
            try:
                api = await rt.api(account)
                await STEPS[task.kind](rt, account, api, task, token, until)
            except ChannelError as problem:
                await task_failed(rt, account, task, token, problem)
            except Exception as problem:  # noqa: BLE001 - the worker's boundary
                log.exception("task failed", channel=account.channel, task=task.kind)
                fault = ChannelError(Fault.TRANSIENT, type(problem).__name__, str(problem)[:200])
                await task_failed(rt, account, task, token, fault)


async def task_failed(rt: Runtime, account: Account, task: due.Task, token: UUID, problem: ChannelError) -> None:
    """Recurring work is never parked: it comes again, and a held account waits for its seller."""
    if POLICIES[problem.fault].holds_account:
        await rt.hold(account, problem)
    due_at = rt.pause(problem, task.attempts) or rt.now() + timedelta(minutes=5)
    async with rt.db.seller(account.seller_id) as tx:
        await due.task_later(tx, account.id, task.kind, token, due_at, str(problem))

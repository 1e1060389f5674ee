"""Listings: a page of what a channel sells written, linked and compared; and an account's recurring tasks."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from hub.context import working_for
from hub.contract import PHYSICAL
from hub.faults import POLICIES, ChannelError, Fault
from hub.http import AccountApi
from hub.linking import exact
from hub.model import Listing
from hub.store import Tx, alerts, due, links, listings, pages, sources, stock
from hub.store.accounts import Account
from hub.store.links import Link
from hub.store.pages import Kept
from jobs import linking, reconcile
from jobs.availability import Ripple, recompute
from jobs.runtime import Runtime, log

ORDERS_SECONDS = 5.0  # an audit waits no longer for orders to be worked off


async def record(
    rt: Runtime, account: Account, told: Sequence[Listing], began: datetime, *, asks: AccountApi | None = None
) -> None:
    """Write listings as told, link what is certain, compare what slots show, and compute what is new.

    `asks`: before a loss is called one, the account's orders are asked for.
    """
    if not told:
        return
    answered, ripple = rt.now(), Ripple()
    reserved: dict[str, int] = {}
    if sink := rt.adapter(account.channel).stock:
        reserved = {listing.slot_ref: sink.reserved(listing) for listing in told if sink.numbers == PHYSICAL}
        told = [sink.as_shown(listing) for listing in told]
    async with rt.db.seller(account.seller_id) as tx:
        await listings.lock_slots(tx, account.id, [listing.slot_ref for listing in told])
        kept = await pages.put(tx, account.id, told, began, answered)
        if reserved:
            await sources.set_reserved(tx, account.id, reserved)
        new, linked = await _link(tx, account, kept)
        lost = await reconcile.compare(
            tx, account, kept, began, answered, ripple, orders_read=False, postpones=asks is not None
        )
    if lost and asks is not None:
        await _read_orders(rt, account, asks)
        async with rt.db.seller(account.seller_id) as tx:
            await listings.lock_slots(tx, account.id, [each.told.slot_ref for each in lost])
            lost = await pages.again(tx, lost)
            await reconcile.compare(tx, account, lost, began, answered, ripple, orders_read=True)
    if new:  # in a transaction of its own: levels are locked before slots
        async with rt.db.seller(account.seller_id) as tx:
            await stock.lock_around(tx, new)
            await recompute(tx, new, answered, ripple, "link")
    if linked:
        await linking.catch_up(rt, account.seller_id, linked)
    for account_id in ripple.accounts:
        rt.ring("stock", account_id)


async def _read_orders(rt: Runtime, account: Account, api: AccountApi) -> None:
    """Ask for the account's newest orders and work off what it told of orders so far."""
    from jobs import ingest, poll  # they record listings too

    await poll.newest(rt, account, api)
    await ingest.drain(rt, account, time.monotonic() + ORDERS_SECONDS, ingest.ORDER_TOPICS)


async def _link(tx: Tx, account: Account, kept: Sequence[Kept]) -> tuple[set[UUID], list[UUID]]:
    """Link what is certain of a page. Answers the SKUs whose slots are to be computed, and the listings linked."""
    new = {each.sku_id for each in kept if each.sku_id and each.desired is None}
    unlinked = [each for each in kept if each.sku_id is None]
    if not unlinked or not account.settings.get("autolink", True):
        return new, []
    by_code, by_gtin = await links.matches(
        tx, [each.told.sku or "" for each in unlinked], [each.told.gtin or "" for each in unlinked]
    )
    wanted = {}
    for each in unlinked:
        sku_id, how = exact(by_code, by_gtin, each.told.sku, each.told.gtin)
        if sku_id is not None:
            wanted[each.listing_id] = Link(listing_id=each.listing_id, sku_id=sku_id, how=how)
    refused = await links.put(tx, list(wanted.values())) if wanted else {}
    for listing_id, refusal in refused.items():
        await alerts.raise_(
            tx, "link_refused", str(listing_id), detail=refusal, why=refusal.kind, told=refusal.params
        )  # fmt: skip
    done = [link for link in wanted.values() if link.listing_id not in refused]
    return new | {link.sku_id for link in done if link.sku_id}, [link.listing_id for link in done]


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

"""Carriers: what is new about each parcel, more often as the promise nears, in the largest batch they take."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from hub import tracking as decide
from hub.faults import POLICIES, ChannelError
from hub.http import AccountApi
from hub.model import TrackedObject, TrackingStatus
from hub.store import Tx, alerts, shipments
from hub.store.accounts import Account
from hub.store.shipments import Parcel
from jobs import lane
from jobs.runtime import Runtime


async def drain(rt: Runtime, account: Account) -> int:
    """Ask a carrier about every due parcel. Answers how many were asked about."""
    source = rt.adapter(account.channel).tracking
    if source is None or source.fetch is None:
        return 0
    fetch = source.fetch

    async def claim(tx: Tx, token: UUID) -> list[Parcel]:
        return await shipments.claim_tracking(tx, account.id, token, rt.worker, rt.now(), source.batch)

    async def ask(api: AccountApi, token: UUID, parcels: Sequence[Parcel]) -> None:
        codes = [parcel.tracking_code for parcel in parcels]
        await _write(rt, account, token, parcels, source.parse(await fetch(api, codes), codes))

    async def work(api: AccountApi, token: UUID, parcels: Sequence[Parcel]) -> None:
        failed = partial(_failed, rt, account, token, parcels)
        await lane.guarded(account, "tracking", partial(ask, api, token, parcels), failed)

    return await lane.drain(rt, account, claim, work)


async def _write(
    rt: Runtime, account: Account, token: UUID, parcels: Sequence[Parcel], told: Sequence[TrackedObject]
) -> None:
    to_tell: set[UUID] = set()
    async with rt.db.seller(account.seller_id) as tx:
        for parcel, object_ in zip(parcels, told, strict=True):
            to_tell |= await _one(rt, tx, token, parcel, object_)
    for account_id in to_tell:
        rt.ring("shipments", account_id)


async def _one(rt: Runtime, tx: Tx, token: UUID, parcel: Parcel, told: TrackedObject) -> set[UUID]:
    """Settle one parcel's events with those known. Answers the account whose channel is to be told."""
    now = rt.now()
    known = await shipments.events_of(tx, parcel.id)
    events, status = decide.settle(decide.merge_events(known, told.events))
    new = decide.fresh(known, events)
    if events != known:  # a known scan may be revoked now, or its code be understood since
        await shipments.put_events(tx, parcel.id, events)
    before = TrackingStatus(parcel.status) if parcel.status else None
    status = status or before
    last = max((event.at for event in events), default=None)
    deliver_by = told.deliver_by or parcel.deliver_by
    next_at = decide.next_check(status, deliver_by, last or parcel.created_at, now)
    news_at = now if status is not before else None
    await shipments.tracked(tx, token, parcel.id, told, status, last, next_at, news_at)
    if unknown := [event.raw_code for event in new if event.status is TrackingStatus.UNKNOWN]:
        await alerts.raise_(tx, "tracking_code_unknown", ",".join(sorted(set(unknown))), codes=unknown)
    await _exceptions(tx, parcel, status, last)
    if news_at is None:
        return set()
    return {parcel.account_id}


async def _exceptions(tx: Tx, parcel: Parcel, status: TrackingStatus | None, last: object) -> None:
    """Parcels that need a person, with the evidence; resolved when they move on."""
    needs = {TrackingStatus.EXCEPTION, TrackingStatus.LOST, TrackingStatus.DAMAGED, TrackingStatus.RETURNING}
    if status in needs:
        await alerts.raise_(
            tx,
            "parcel_exception",
            str(parcel.id),
            code=parcel.tracking_code,
            status=status,
            last_event_at=last,
        )
    elif status is not None:
        await alerts.resolve(tx, "parcel_exception", str(parcel.id))


async def _failed(rt: Runtime, account: Account, token: UUID, parcels: Sequence[Parcel], problem: ChannelError) -> None:
    if POLICIES[problem.fault].holds_account:
        await rt.hold(account, problem)
    due_at = rt.pause(problem, max(parcel.track_attempts for parcel in parcels)) or rt.now() + timedelta(hours=1)
    async with rt.db.seller(account.seller_id) as tx:
        await shipments.track_later(tx, token, [parcel.id for parcel in parcels], due_at, str(problem))

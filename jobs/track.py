"""Carriers: what is new about each parcel, more often as the promise nears, in the largest batch they take."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from hub import parse
from hub.contract import Consignment, TrackingSource
from hub.faults import POLICIES, ChannelError, Fault
from hub.http import AccountApi
from hub.model import Raw, TrackedObject
from hub.store import Tx, alerts, tracking
from hub.store.accounts import Account
from hub.store.tracking import Parcel
from jobs import lane, parcels
from jobs.parcels import Rings, Way
from jobs.runtime import Runtime

UNNAMED = "there is nothing to ask the carrier by yet"
LOOK_AGAIN = timedelta(hours=1)


async def drain(rt: Runtime, account: Account) -> int:
    """Ask a carrier about every due parcel. Answers how many were asked about."""
    source = rt.adapter(account.channel).tracking
    if source is None:
        return 0

    async def claim(tx: Tx, token: UUID) -> list[Parcel]:
        return await tracking.claim(tx, account.id, token, rt.worker, rt.now(), source.batch)

    async def work(api: AccountApi, token: UUID, claimed: Sequence[Parcel]) -> None:
        codes = {one.id: _asked_by(source, one) for one in claimed}
        if nameless := [one.id for one in claimed if codes[one.id] is None]:
            async with rt.db.seller(account.seller_id) as tx:
                await tracking.later(tx, token, nameless, rt.now() + LOOK_AGAIN, UNNAMED)
        if asked := [(one, code) for one in claimed if (code := codes[one.id])]:
            await _ask(rt, account, source, api, token, asked)

    return await lane.drain(rt, account, claim, work)


def _asked_by(source: TrackingSource, parcel: Parcel) -> str | None:
    """The code that the parcel has here; a notice tells the tracking code alone, where more may be asked by."""
    if parcel.code in (None, parcel.tracking_code):
        return source.code_of(_known(parcel)) or parcel.code
    return parcel.code


def _known(parcel: Parcel) -> Consignment:
    return Consignment(tracking_code=parcel.tracking_code, service=parcel.service, ref=parcel.carrier_ref)


async def _ask(
    rt: Runtime, account: Account, source: TrackingSource, api: AccountApi, token: UUID,
    asked: Sequence[tuple[Parcel, str]],
) -> None:  # fmt: skip
    """One request. What cannot be read is asked for in halves, so that one parcel does not hide the others."""

    async def once() -> None:
        codes = list(dict.fromkeys(code for _parcel, code in asked))
        raw = await source.fetch(api, codes) if source.fetch else None
        told = source.parse(raw, codes) if source.fetch else []
        await _write(rt, account, token, asked, raw, dict(zip(codes, told, strict=bool(source.fetch))))

    async def failed(problem: ChannelError) -> None:
        if problem.fault is Fault.SHAPE and len(asked) > 1:
            half = len(asked) // 2
            for some in (asked[:half], asked[half:]):
                await _ask(rt, account, source, api, token, some)
            return
        await _failed(rt, account, token, [parcel for parcel, _code in asked], problem)

    await lane.guarded(account, "tracking", once, failed)


async def _write(
    rt: Runtime, account: Account, token: UUID, asked: Sequence[tuple[Parcel, str]], raw: Raw,
    told: dict[str, TrackedObject],
) -> None:  # fmt: skip
    rings, codes = Rings(), {parcel.id: code for parcel, code in asked}
    async with rt.db.seller(account.seller_id) as tx:
        if first := {parcel.id: code for parcel, code in asked if parcel.code is None}:
            await tracking.put_legs(tx, account.id, account.channel, first)
            await parcels.catch_up(rt, tx, account, first, rings)
        # A carrier that only tells by itself is silent here: the parcel is looked at again, and let go in the end.
        objects = [
            (shipment_id, told.get(code) or TrackedObject(code=code, carrier=account.channel))
            for shipment_id, code in codes.items()
        ]
        if unknown := await parcels.settle(rt, tx, account, objects, Way.ASKED, rings, token):
            await tracking.keep(tx, account.id, parse.canonical_bytes(raw), unknown, "unknown_code", rt.now())
        for parcel in asked:
            await _resolved(tx, parcel[0])
    rings.ring(rt)


async def _resolved(tx: Tx, parcel: Parcel) -> None:
    if parcel.track_attempts:
        await alerts.resolve(tx, "parcel_unreadable", str(parcel.id))


async def _failed(rt: Runtime, account: Account, token: UUID, asked: Sequence[Parcel], problem: ChannelError) -> None:
    if POLICIES[problem.fault].holds_account:
        await rt.hold(account, problem)
    due_at = rt.pause(problem, max(parcel.track_attempts for parcel in asked)) or rt.now() + LOOK_AGAIN
    async with rt.db.seller(account.seller_id) as tx:
        await tracking.later(tx, token, [parcel.id for parcel in asked], due_at, str(problem))
        if problem.fault is Fault.SHAPE:
            await alerts.raise_(
                tx, "parcel_unreadable", str(asked[0].id), code=asked[0].tracking_code, account=account.name,
                channel=account.channel, detail=problem.detail,
            )  # fmt: skip

"""Settling what a carrier told of parcels, however it told it: scans, status, and what follows from them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from hub import parse
from hub import tracking as decide
from hub.carriers import AGGREGATORS
from hub.contract import TrackingSource
from hub.faults import ChannelError
from hub.model import NextCode, Raw, TrackedObject, TrackingEvent, TrackingStatus
from hub.store import Tx, alerts, tracking
from hub.store.accounts import Account
from hub.store.tracking import Followed, Kept, Settled
from jobs import follow
from jobs.runtime import Runtime, log

S = TrackingStatus
NEEDS_A_PERSON = frozenset({S.EXCEPTION, S.LOST, S.DAMAGED, S.RETURNING})
UNSCANNED = frozenset({None, S.LABEL_CREATED})  # nobody, neither carrier nor channel, says that it moves
BACK_DAYS = 1  # a carrier that a parcel was handed to, and that does not know it: the one before is asked again
LET_GO = "no news for 90 days: it is not asked about any more"


class Way(StrEnum):
    """How a carrier came to tell."""

    ASKED = "asked"
    HEARD = "heard"  # webhook or feed
    KEPT = "kept"  # told long ago, and understood now


@dataclass(slots=True)
class Rings:
    """Who is to be woken once the transaction is through."""

    shipments: set[UUID] = field(default_factory=set)
    tracking: set[UUID] = field(default_factory=set)

    def ring(self, rt: Runtime) -> None:
        """Wake them."""
        for account_id in self.shipments:
            rt.ring("shipments", account_id)
        for account_id in self.tracking:
            rt.ring("tracking", account_id)


async def settle(
    rt: Runtime, tx: Tx, account: Account, told: Sequence[tuple[UUID, TrackedObject]], way: Way, rings: Rings,
    token: UUID | None = None,
) -> list[str]:  # fmt: skip
    """Settle what was told of these parcels with what is known. Answers codes asked by with scans in no table.

    Of a parcel that is told of twice the tellings are joined. Parcels are locked in id order.
    """
    by_id: dict[UUID, TrackedObject] = {}
    for shipment_id, one in told:
        by_id[shipment_id] = _joined(by_id[shipment_id], one) if shipment_id in by_id else one
    parcels = await tracking.lock(tx, by_id)
    known = await tracking.events_of(tx, [parcel.id for parcel in parcels])
    to_put: list[tuple[UUID, str, Sequence[TrackingEvent]]] = []
    settled, unknown = [], []
    for parcel in parcels:
        one = by_id[parcel.id]
        before = known.get(parcel.id, {})
        merged = {**before, account.channel: decide.merge_events(before.get(account.channel, ()), one.events)}
        last = parcel.carriers[-1] if parcel.carriers else account.channel
        events, status = decide.settle_legs(merged, last)
        to_put += [(parcel.id, carrier, e) for carrier, e in events.items() if e != before.get(carrier, ())]
        new = decide.fresh(before.get(account.channel, ()), events[account.channel])
        here = account.id == parcel.carrier_account_id
        row = _row(rt, parcel, one, way, status, events, account.channel, is_here=here, is_new=bool(new))
        settled.append(row)
        if codes := sorted({event.raw_code for event in new if event.status is S.UNKNOWN and not event.revokes}):
            unknown.append(one.code)
            await _unknown(tx, account, codes, parcel)
        await _people(rt, tx, account, parcel, row)
        if row.news_at:
            rings.shipments.add(parcel.account_id)
    await tracking.put_events(tx, to_put)
    await tracking.put(tx, settled, token)
    for parcel, row in zip(parcels, settled, strict=True):
        if onward := _onward(account, parcel, row.told):
            await follow.hand_over(rt, tx, parcel, onward, rings.tracking)
        if decide.never_found(row.not_found_since, rt.now(), BACK_DAYS):
            await follow.back(rt, tx, parcel, rings.tracking)
    return unknown


def _onward(account: Account, parcel: Followed, told: TrackedObject) -> NextCode | None:
    """Who has the parcel now: the carrier that it was handed to, or the one whose label an aggregator sold."""
    if told.next_code or told.carrier_code is None or account.channel not in AGGREGATORS:
        return told.next_code
    return NextCode(carrier=f"{parcel.carrier or ''} {parcel.service or ''}", code=told.carrier_code)


def _joined(first: TrackedObject, second: TrackedObject) -> TrackedObject:
    events = decide.merge_events(first.events, second.events)
    return second.model_copy(update={"events": events, "next_code": second.next_code or first.next_code})


def _row(
    rt: Runtime, parcel: Followed, told: TrackedObject, way: Way, status: TrackingStatus | None,
    events: dict[str, tuple[TrackingEvent, ...]], told_by: str, *, is_here: bool, is_new: bool,
) -> Settled:  # fmt: skip
    """Where a parcel stands now. `is_here`: the carrier that has it told; another's word moves no next asking."""
    now, before = rt.now(), TrackingStatus(parcel.status) if parcel.status else None
    scans = [event.at for each in events.values() for event in each]
    last = max(scans, default=None)
    status = status or before
    heard_at = parcel.heard_at
    if way is Way.HEARD and is_here:
        heard_at = now
    elif way is Way.ASKED and is_new:
        heard_at = None  # it had not told this by itself
    not_found = parcel.not_found_since
    if is_here and events[told_by]:
        not_found = None
    elif way is Way.ASKED and told.error:
        not_found = not_found or now
    next_at = parcel.track_due_at
    if is_here or status in decide.OVER:
        paced, promise = _paced(parcel, status, events), told.deliver_by or parcel.deliver_by
        next_at = decide.next_check(paced, promise, last or parcel.created_at, now, heard_at)
    error = told.error.message if told.error and not scans else None
    if next_at is None and status not in decide.OVER:
        error = LET_GO
    return Settled(
        id=parcel.id, told=told, status=status, last_event_at=last, next_at=next_at,
        news_at=now if status is not before else None, not_found_since=not_found, heard_at=heard_at, error=error,
    )  # fmt: skip


def _paced(
    parcel: Followed, status: TrackingStatus | None, events: dict[str, tuple[TrackingEvent, ...]]
) -> TrackingStatus | None:
    """The status that says how often to ask: what another carrier called an end is none while the last has it."""
    if status not in decide.OVER or len(set(parcel.carriers)) < 2:  # noqa: PLR2004 - handed over once
        return status
    last = decide.settle(events.get(parcel.carriers[-1], ()))[1]
    return last or S.IN_TRANSIT


async def _unknown(tx: Tx, account: Account, codes: Iterable[str], parcel: Followed) -> None:
    """Codes in no table of ours are kept and shown; the parcel keeps its status."""
    for code in codes:
        await alerts.raise_(
            tx, "tracking_code_unknown", f"{account.channel}:{code}", carrier=account.channel, codes=[code],
            code=parcel.tracking_code,
        )  # fmt: skip


async def _people(rt: Runtime, tx: Tx, account: Account, parcel: Followed, row: Settled) -> None:
    """Parcels that need a person, with the evidence; resolved when they move on."""
    subject, before = str(parcel.id), TrackingStatus(parcel.status) if parcel.status else None
    if row.status in NEEDS_A_PERSON:
        await alerts.raise_(
            tx, "parcel_exception", subject, code=parcel.tracking_code, status=row.status,
            last_event_at=row.last_event_at,
        )  # fmt: skip
    elif before in NEEDS_A_PERSON:
        await alerts.resolve(tx, "parcel_exception", subject)
    missing = row.status in UNSCANNED and decide.never_found(row.not_found_since, rt.now(), rt.policy.not_found_days)
    if missing:
        await alerts.raise_(
            tx, "parcel_not_found", subject, code=parcel.tracking_code, carrier=account.channel, account=account.name,
            since=row.not_found_since, said=row.error,
        )  # fmt: skip
    elif parcel.not_found_since:
        await alerts.resolve(tx, "parcel_not_found", subject)


# ── Codes that nobody knows, and documents that are understood later ────────────────────────────────────────


async def hear(
    rt: Runtime, tx: Tx, account: Account, raw: Raw, told: Sequence[TrackedObject], rings: Rings
) -> list[str]:
    """Settle what a carrier told by itself. Answers the codes that nobody knows: kept until a parcel has them."""
    known = await tracking.known_as(tx, account.id, [one.code for one in told])
    rows = [(shipment_id, one) for one in told for shipment_id in known.get(one.code, ())]
    await tracking.put_legs(tx, account.id, account.channel, {shipment_id: one.code for shipment_id, one in rows})
    body, now = parse.canonical_bytes(raw), rt.now()
    if unknown := await settle(rt, tx, account, rows, Way.HEARD, rings):
        await tracking.keep(tx, account.id, body, unknown, "unknown_code", now)
    strays = sorted({one.code for one in told if one.code not in known})
    if strays:
        await tracking.keep(tx, account.id, body, strays, "unknown_parcel", now)
    return strays


async def catch_up(rt: Runtime, tx: Tx, account: Account, codes: dict[UUID, str], rings: Rings) -> None:
    """What a carrier told of these parcels before anybody knew them is settled now."""
    source = rt.adapter(account.channel).tracking
    kept = await tracking.kept(tx, account.id, sorted(set(codes.values())), "unknown_parcel")
    if source is None or not kept:
        return
    ids: dict[str, list[UUID]] = defaultdict(list)
    for shipment_id, code in codes.items():
        ids[code].append(shipment_id)
    for row in kept:
        told = _read(source, account, row)
        rows = [(shipment_id, one) for one in told for shipment_id in ids[row.code]]
        if unknown := await settle(rt, tx, account, rows, Way.KEPT, rings):
            await tracking.keep(tx, account.id, row.raw, unknown, "unknown_code", rt.now())
    await tracking.drop_kept(tx, account.id, kept)


async def learn(rt: Runtime, account: Account, rings: Rings) -> tuple[int, int]:
    """Read again what holds codes that were in no table. Answers (documents understood, documents kept on)."""
    source = rt.adapter(account.channel).tracking
    if source is None:
        return 0, 0
    async with rt.db.seller(account.seller_id) as tx:
        kept = await tracking.kept(tx, account.id, None, "unknown_code")
        understood = []
        for row in kept:
            told = _read(source, account, row)
            known = await tracking.known_as(tx, account.id, [row.code])
            rows = [(shipment_id, one) for one in told for shipment_id in known.get(row.code, ())]
            await settle(rt, tx, account, rows, Way.KEPT, rings)
            if told and not any(e.status is S.UNKNOWN and not e.revokes for one in told for e in one.events):
                understood.append(row)
        await tracking.drop_kept(tx, account.id, understood)
        await _resolve_learned(tx, account)
    return len(understood), len(kept) - len(understood)


def _read(source: TrackingSource, account: Account, row: Kept) -> list[TrackedObject]:
    """What a kept document tells of its code; nothing where it cannot be read any more."""
    try:
        return source.parse(json.loads(row.raw), [row.code])
    except ChannelError as problem:
        log.warning("a kept document cannot be read", channel=account.channel, reason=problem.detail)
        return []


async def _resolve_learned(tx: Tx, account: Account) -> None:
    still = {f"{row['carrier']}:{row['raw_code']}" for row in await tracking.unknown_codes(tx)}
    for row in await alerts.open_of(tx, "tracking_code_unknown"):
        if row["subject"].startswith(f"{account.channel}:") and row["subject"] not in still:
            await alerts.resolve(tx, "tracking_code_unknown", row["subject"])

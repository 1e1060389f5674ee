"""Deadlines: by when an order must leave, what is alerted when, and which parcels need a person. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from hub import tracking
from hub.model import FulfilledBy, Hold, Status, TrackingStatus

# ── business days ───────────────────────────────────────────────────────────────────────────────────────────

SATURDAY = 5
BRASILIA = "America/Sao_Paulo"
# Clocks that differ from Brasília's; Fernando de Noronha (PE) is left out.
ZONES = {
    "AC": "America/Rio_Branco", "AM": "America/Manaus", "MS": "America/Campo_Grande", "MT": "America/Cuiaba",
    "RO": "America/Porto_Velho", "RR": "America/Boa_Vista",
}  # fmt: skip
STATES = frozenset({
    "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA", "PB", "PE", "PI", "PR", "RJ",
    "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO",
})  # fmt: skip


def zone_of(state: str | None) -> ZoneInfo:
    """The clock of a state (UF); Brasília's where none is known."""
    return ZoneInfo(ZONES.get(state or "", BRASILIA))


@lru_cache(maxsize=64)
def _holidays(state: str | None, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("BR", subdiv=state, years=year))


def is_business_day(day: date, state: str | None) -> bool:
    """Monday to Friday, no national holiday and none of the state. Carnival is optional by law: a business day."""
    return day.weekday() < SATURDAY and day not in _holidays(state, day.year)


def business_days_after(day: date, count: int, state: str | None) -> date:
    """The business day that lies so many of them after `day`; 0: `day` itself, or the next one that is."""
    while not is_business_day(day, state):
        day += timedelta(days=1)
    for _ in range(count):
        day += timedelta(days=1)
        while not is_business_day(day, state):
            day += timedelta(days=1)
    return day


# ── ship-by ─────────────────────────────────────────────────────────────────────────────────────────────────

DAYS, CUTOFF, LEAVES = "handling_days", "cutoff", "leaves_at"  # an account's settings
MOST_DAYS = 60
NOON, EVENING = time(12), time(18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When an account's orders leave. Paid by `cutoff` of a business day, that day is day 0; else the next one is.

    They leave at `leaves_at` of the day that is `handling_days` business days later. Times are the seller's.
    """

    handling_days: int
    cutoff: time = NOON
    leaves_at: time = EVENING
    state: str | None = None


def policy_of(settings: Mapping[str, Any], state: str | None) -> Policy | None:
    """An account's policy; None where its seller told none: nothing is promised that nobody promised."""
    days = settings.get(DAYS)
    if days is None:
        return None
    return Policy(
        handling_days=int(days),
        cutoff=time.fromisoformat(settings.get(CUTOFF) or NOON.isoformat()),
        leaves_at=time.fromisoformat(settings.get(LEAVES) or EVENING.isoformat()),
        state=state,
    )


def ship_by(policy: Policy, since: datetime) -> datetime:
    """By when an order leaves that was paid (or, where that is not told, placed) at `since`."""
    zone = zone_of(policy.state)
    local = since.astimezone(zone)
    first = local.date()
    if is_business_day(first, policy.state) and local.time() >= policy.cutoff:
        first += timedelta(days=1)
    day = business_days_after(first, policy.handling_days, policy.state)
    return datetime.combine(day, policy.leaves_at, zone)


class Stage(IntEnum):
    """How near an order's ship-by is."""

    AHEAD = 0
    SOON = 1  # within 4 hours
    NEXT = 2  # within the hour
    LATE = 3


LEAD = {Stage.SOON: timedelta(hours=4), Stage.NEXT: timedelta(hours=1), Stage.LATE: timedelta()}
SHIP_KINDS = {Stage.SOON: "ship_by_4h", Stage.NEXT: "ship_by_1h", Stage.LATE: "ship_late"}
SHIP_SEVERITY = {Stage.SOON: "warning", Stage.NEXT: "urgent", Stage.LATE: "urgent"}
# Storefronts keep orders open for years that nobody closed: what is so late when it is first seen is no news.
STALE = timedelta(days=30)
# What must not be shipped has no clock that runs; one that waits for its invoice has.
STOPS = frozenset({Hold.FRAUD, Hold.FROZEN, Hold.CANCEL_REQUESTED})


def clock(due: datetime, now: datetime) -> tuple[Stage, datetime | None]:
    """How near `due` is, and when the next stage begins; null: there is none after this."""
    for stage, lead in LEAD.items():
        if now < due - lead:
            return Stage(stage - 1), due - lead
    return Stage.LATE, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An order as its deadline sees it. `told`: the channel's ship-by. `since`: paid, else placed, else first seen.

    `posted`: a carrier has its parcel. `relayed`: it is another order's echo, which has its own clock. `closed`: its
    account is, and nobody tells any more that it left. `alerted`: the stage that was alerted.
    """

    status: Status
    hold: Hold | None
    fulfilled_by: FulfilledBy | None
    told: datetime | None
    since: datetime
    posted: bool
    relayed: bool
    closed: bool
    alerted: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`by_policy`: the ship-by that the seller's policy gives (null: the channel tells it, or there is none)."""

    stage: Stage
    by_policy: datetime | None
    next_at: datetime | None


def judged(order: Waiting, policy: Policy | None, now: datetime) -> Verdict:
    """At which stage an order is now, and when to look at it again."""
    by_policy = ship_by(policy, order.since) if order.told is None and policy and order.status is Status.PAID else None
    due = order.told or by_policy
    over = order.status is not Status.PAID or order.posted or order.relayed or order.closed
    theirs = order.fulfilled_by is FulfilledBy.MARKETPLACE
    if over or theirs or due is None or order.hold in STOPS:
        return Verdict(stage=Stage.AHEAD, by_policy=by_policy, next_at=None)
    if order.alerted is Stage.AHEAD and now - due > STALE:
        return Verdict(stage=Stage.AHEAD, by_policy=by_policy, next_at=None)
    stage, next_at = clock(due, now)
    return Verdict(stage=stage, by_policy=by_policy, next_at=next_at)


# ── parcels ─────────────────────────────────────────────────────────────────────────────────────────────────

LATE, STUCK, LOST = "parcel_late", "parcel_stuck", "parcel_lost"
PICKUP, LAST_DAYS, RETURNED = "parcel_pickup", "parcel_pickup_last", "parcel_returned"
PARCEL_KINDS = (LATE, STUCK, LOST, PICKUP, LAST_DAYS, RETURNED)
LET_GO = timedelta(days=90)  # nobody looks for a parcel that has been silent for so long
RETURN_SHOWN = timedelta(days=30)
LAST_CALL = timedelta(days=2)  # a parcel that waits for pickup is urgent so long before its last day ends
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A seller's patience, in days; `pickup_days`: how long a unit keeps a parcel where the carrier does not say."""

    stuck_days: int = 5
    loss_days: int = 15
    pickup_days: int = 7
    link_days: int = 30  # how long a parcel's page is there for its buyer after the end
    state: str | None = None


RULES = ("stuck_days", "loss_days", "pickup_days", "link_days")


def rules_of(told: Mapping[str, Any]) -> Rules:
    """A seller's settings about shipping as rules; `state` is told always."""
    return Rules(state=told["state"], **{name: told[name] for name in RULES if told.get(name) is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A parcel as its deadlines see it. `since`: its last scan, else what its channel told last of its order."""

    status: TrackingStatus | None
    since: datetime
    scanned: bool
    deliver_by: datetime | None
    pickup_until: date | None
    received: bool  # its goods were unpacked here again


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing about a parcel that needs a person, with the numbers that say so."""

    kind: str
    severity: str
    days: int | None = None
    due_at: datetime | None = None
    assumed: bool = False


def parcel_of(row: Mapping[str, Any]) -> Parcel:
    """A parcel's row (with its last scan, and when its order was told last) as its deadlines see it."""
    return Parcel(
        status=TrackingStatus(row["status"]) if row["status"] else None, scanned=row["last_event_at"] is not None,
        since=row["last_event_at"] or row["changed_at"] or row["created_at"], deliver_by=row["deliver_by"],
        pickup_until=day_in(row["description"], row["last_at"]), received=bool(row["received"]),
    )  # fmt: skip


RETURN = Trouble(kind=RETURNED, severity="warning")

# As in: disponível para retirada até 12/03/2026.
_UNTIL = re.compile(r"(?:at[ée]|prazo)\D{0,24}?(\d{2})/(\d{2})(?:/(\d{4}))?", re.IGNORECASE)


def day_in(words: str | None, at: datetime | None) -> date | None:
    """The last day for pickup that a scan's own words tell; null where they tell none that can be."""
    told = _UNTIL.search(words or "")
    if told is None or at is None:
        return None
    day, month, year = (int(part) if part else at.year for part in told.groups())
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    if told[3] is None and found < at.date() - DAY:
        found = found.replace(year=year + 1)
    return found if at.date() - DAY <= found <= at.date() + timedelta(days=MOST_DAYS) else None


def pickup_end(parcel: Parcel, rules: Rules) -> tuple[datetime, bool]:
    """When the last day ends on which a waiting parcel can be fetched, and whether that day is assumed."""
    zone = zone_of(rules.state)
    told = parcel.pickup_until
    last = told or parcel.since.astimezone(zone).date() + timedelta(days=rules.pickup_days)
    return datetime.combine(last + DAY, time(), zone), told is None


def troubles(parcel: Parcel, rules: Rules, now: datetime) -> tuple[tuple[Trouble, ...], datetime | None]:
    """What needs a person, and when to look again; null: when it moves.

    A carrier's own words (exception, lost, damaged, returning) have their alert where the scan is read.
    """
    status, found = parcel.status, list[Trouble]()
    if status is TrackingStatus.RETURNED:
        over = parcel.since + RETURN_SHOWN
        return ((), None) if parcel.received or now >= over else ((RETURN,), min(now + DAY, over))
    silent = now - parcel.since
    if status in tracking.OVER or status is None or silent >= LET_GO:
        return (), None
    looks: list[datetime] = []
    if parcel.deliver_by is not None and status not in tracking.NEVER_LATE:
        if tracking.late(status, parcel.deliver_by, now):
            found.append(Trouble(kind=LATE, severity="warning", days=(now - parcel.deliver_by).days))
        else:
            looks.append(parcel.deliver_by + timedelta(seconds=1))
    if status is TrackingStatus.AWAITING_PICKUP:
        end, assumed = pickup_end(parcel, rules)
        last_call = now >= end - LAST_CALL
        kind, severity = (LAST_DAYS, "urgent") if last_call else (PICKUP, "warning")
        found.append(Trouble(kind=kind, severity=severity, due_at=end, assumed=assumed))
        looks += [] if last_call else [end - LAST_CALL]
    elif parcel.scanned and status is not TrackingStatus.LOST:
        posted = status is not TrackingStatus.LABEL_CREATED  # what nobody handed over is not lost
        lost = posted and silent >= timedelta(days=rules.loss_days)
        stuck = silent >= timedelta(days=rules.stuck_days)
        if lost:
            found.append(Trouble(kind=LOST, severity="urgent", days=silent.days))
        elif stuck:
            found.append(Trouble(kind=STUCK, severity="warning", days=silent.days))
        looks += (
            []
            if lost or (stuck and not posted)
            else [parcel.since + timedelta(days=rules.loss_days if stuck else rules.stuck_days)]
        )
    if found:
        looks.append(now + DAY)  # the days that it counts
    return tuple(found), min(looks, default=None)

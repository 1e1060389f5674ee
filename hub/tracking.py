"""Tracking decisions: where a parcel stands, what is new, what a channel must hear, when to ask again."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from hub.model import News, TrackingEvent, TrackingStatus

S = TrackingStatus
Identity: TypeAlias = tuple[datetime, str, str | None, str | None]

# The way a parcel goes. Carriers give two scans of one minute in either order, so that among scans of one
# instant the one further down counts last; cancelled is last so that it cannot hide a delivery.
STAGES = (
    S.UNKNOWN, S.LABEL_CREATED, S.ACCEPTED, S.IN_TRANSIT, S.CUSTOMS, S.EXCEPTION, S.OUT_FOR_DELIVERY,
    S.FAILED_ATTEMPT, S.AWAITING_PICKUP, S.DAMAGED, S.LOST, S.DELIVERED, S.RETURNING, S.RETURNED, S.CANCELLED,
)  # fmt: skip
_RANK = {status: rank for rank, status in enumerate(STAGES)}

# What alone may follow a sticky status. A parcel written off as lost is found again now and then: that it
# reached somebody is proof, a stray transit scan is not.
STICKY: dict[S, frozenset[S]] = {
    S.DELIVERED: frozenset({S.RETURNING, S.RETURNED}),
    S.RETURNED: frozenset(),
    S.LOST: frozenset({S.DELIVERED, S.RETURNED}),
    S.CANCELLED: frozenset(),
}


def identity(event: TrackingEvent) -> Identity:
    """What makes a scan the same scan; its text is none of it, carriers rewrite texts."""
    return (event.at, event.raw_code, event.place, event.state)


def settle(events: Sequence[TrackingEvent]) -> tuple[tuple[TrackingEvent, ...], TrackingStatus | None]:
    """The events oldest first, deduplicated, the revoked ones marked; and the status they add up to.

    Events of one instant stay in the order given (pass them oldest first); status and marks do not depend on
    that order. `revoked` is decided afresh from the whole set. Null status: no scan that counts.
    """
    once = _once(events)
    revoked: set[Identity] = set()
    counted: list[TrackingEvent] = []
    for event in sorted(once, key=_moment):
        if not event.revokes:
            counted.append(event)
        elif counted:
            revoked.add(identity(counted.pop()))
    status: TrackingStatus | None = None
    for event in counted:
        status = _after(status, event.status)
    listed = (_marked(event, revoked=identity(event) in revoked) for event in once)
    return tuple(sorted(listed, key=lambda event: event.at)), status


def _once(events: Iterable[TrackingEvent]) -> list[TrackingEvent]:
    """One event per identity, in the order given: of two tellings the one that is mapped, and says more."""
    best: dict[Identity, TrackingEvent] = {}
    for event in events:
        same = best.setdefault(identity(event), event)
        if _weight(event) > _weight(same):
            best[identity(event)] = event
    return list(best.values())


def _weight(event: TrackingEvent) -> tuple[bool, int, str]:
    return (event.revokes, _RANK[event.status], event.description or "")


def _moment(event: TrackingEvent) -> tuple[datetime, bool, int, str, str, str]:
    where = (event.place or "", event.state or "")
    return (event.at, event.revokes, _RANK[event.status], event.raw_code, *where)


def _marked(event: TrackingEvent, *, revoked: bool) -> TrackingEvent:
    return event if event.revoked == revoked else event.model_copy(update={"revoked": revoked})


def _after(status: TrackingStatus | None, scanned: TrackingStatus) -> TrackingStatus:
    """The status after one more scan: an unmapped one changes nothing, sticky ones yield as STICKY says."""
    if status is None:
        return scanned
    if scanned is S.UNKNOWN or (status in STICKY and scanned not in STICKY[status]):
        return status
    return scanned


def settle_legs(
    told: Mapping[str, Sequence[TrackingEvent]], last: str
) -> tuple[dict[str, tuple[TrackingEvent, ...]], TrackingStatus | None]:
    """Each carrier's events as `settle` has them, and the status that all of them add up to.

    Of several carriers the one that speaks last by time decides; an end that `last` tells, who has the parcel now, no
    other's scan moves. A revocation takes back what its own carrier told.
    """
    settled, statuses = dict[str, tuple[TrackingEvent, ...]](), dict[str, TrackingStatus]()
    for carrier, events in told.items():
        settled[carrier], status = settle(events)
        if status is not None:
            statuses[carrier] = status
    if not statuses or statuses.get(last) in STICKY:
        return settled, statuses.get(last)
    speaks = {carrier: (last_scan(settled[carrier]) or _NEVER, carrier == last, carrier) for carrier in statuses}
    return settled, statuses[max(speaks, key=speaks.__getitem__)]


_NEVER = datetime.min.replace(tzinfo=UTC)


def last_scan(events: Iterable[TrackingEvent]) -> datetime | None:
    """When a carrier last told something that counts: not what it took back, nor a code in no table of ours."""
    counted = (event for event in events if not event.revokes and not event.revoked and event.status is not S.UNKNOWN)
    return max((event.at for event in counted), default=None)


# ── What is new ─────────────────────────────────────────────────────────────────────────────────────────────


def fresh(known: Iterable[TrackingEvent], told: Iterable[TrackingEvent]) -> tuple[TrackingEvent, ...]:
    """Told events that are not known yet, each once, in the order told."""
    seen = {identity(event) for event in known}
    return tuple(event for event in _once(told) if identity(event) not in seen)


def merge_events(known: Iterable[TrackingEvent], told: Iterable[TrackingEvent]) -> tuple[TrackingEvent, ...]:
    """Known and told together, oldest first; what is told now of a known scan counts (codes get mapped)."""
    union = {identity(event): event for event in (*known, *_once(told))}
    return settle(tuple(union.values()))[0]


# ── What a channel hears ────────────────────────────────────────────────────────────────────────────────────

# What each status proves to a buyer; the last one is its own news. A status that is not here proves nothing:
# an exception may befall a parcel that was never posted.
NEWS: dict[S, tuple[News, ...]] = {
    S.ACCEPTED: (News.DISPATCHED,),
    S.IN_TRANSIT: (News.DISPATCHED, News.IN_TRANSIT),
    S.CUSTOMS: (News.DISPATCHED, News.IN_TRANSIT),
    S.OUT_FOR_DELIVERY: (News.DISPATCHED, News.OUT_FOR_DELIVERY),
    S.FAILED_ATTEMPT: (News.DISPATCHED, News.FAILED_ATTEMPT),
    S.AWAITING_PICKUP: (News.DISPATCHED,),
    S.DELIVERED: (News.DISPATCHED, News.DELIVERED),
    S.RETURNING: (News.DISPATCHED,),
    S.RETURNED: (News.DISPATCHED, News.RETURNED),
    S.LOST: (News.DISPATCHED,),
    S.DAMAGED: (News.DISPATCHED,),
}
ORDER = tuple(News)  # the order in which a channel may hear them


def news_due(told_so_far: frozenset[News], status: TrackingStatus | None, *, dispatched: bool) -> tuple[News, ...]:
    """What a channel must still hear, in order: each news once, none that a later one has overtaken.

    `dispatched`: the seller has handed the parcel over, whatever the scans say.
    """
    proven = {*(NEWS.get(status, ()) if status else ()), *((News.DISPATCHED,) if dispatched else ())}
    latest = max((ORDER.index(news) for news in told_so_far), default=-1)
    return tuple(news for news in ORDER[latest + 1 :] if news in proven)


def news_of(previous: TrackingStatus | None, status: TrackingStatus | None) -> News | None:
    """The news in a change of status; null when a channel has nothing to learn from it."""
    told = frozenset(NEWS.get(previous, ())) if previous else frozenset()
    due = news_due(told, status, dispatched=False)
    return due[-1] if due else None


# ── When to ask again ───────────────────────────────────────────────────────────────────────────────────────

OVER = frozenset({S.DELIVERED, S.RETURNED, S.CANCELLED})
PROMISE_WINDOW = timedelta(days=1)
PROMISE_PACE = timedelta(minutes=15)
PACE: dict[S | None, timedelta] = {
    None: timedelta(hours=6),  # not found yet: normal before the first scan
    S.LABEL_CREATED: timedelta(hours=3),
    S.ACCEPTED: timedelta(hours=2),
    S.IN_TRANSIT: timedelta(hours=2),
    S.OUT_FOR_DELIVERY: timedelta(minutes=15),
    S.FAILED_ATTEMPT: timedelta(hours=1),
    S.AWAITING_PICKUP: timedelta(hours=3),
    S.CUSTOMS: timedelta(hours=6),
    S.EXCEPTION: timedelta(hours=3),
    S.RETURNING: timedelta(hours=6),
    S.DAMAGED: timedelta(hours=6),
    S.LOST: timedelta(hours=24),
    S.UNKNOWN: timedelta(hours=2),
}
# A silent parcel is asked for less often: (silent for, at least this pace); beyond the last it is let go.
SILENCE = (
    (timedelta(days=90), None),
    (timedelta(days=20), timedelta(hours=24)),
    (timedelta(days=7), timedelta(hours=6)),
    (timedelta(days=1), timedelta(hours=1)),
)


# While a carrier tells by itself (webhook, feed) it is asked that much less often, in case it stops.
HEARD_FOR = timedelta(days=2)
HEARD_PACE = 4


def next_check(
    status: TrackingStatus | None,
    deliver_by: datetime | None,
    last_event_at: datetime | None,
    now: datetime,
    heard_at: datetime | None = None,
) -> datetime | None:
    """When to ask the carrier again; null: never, it is over or has been silent for 90 days.

    `last_event_at` is the last scan or, without any, when the code became known. `heard_at`: when the carrier last told
    of it by itself, as long as asking found nothing that it had not told.
    """
    if status in OVER:
        return None
    pace = PACE[status]
    silent = now - last_event_at if last_event_at else timedelta()
    for least_silence, slower in SILENCE:
        if silent >= least_silence:
            if slower is None:
                return None
            pace = max(pace, slower)
            break
    if status is not None and deliver_by and abs(deliver_by - now) <= PROMISE_WINDOW:
        pace = PROMISE_PACE
    if heard_at is not None and now - heard_at <= HEARD_FOR:
        pace *= HEARD_PACE
    return now + pace


def never_found(since: datetime | None, now: datetime, days: int) -> bool:
    """Whether a carrier has not known a parcel for so long that the code is wrong, or it was never handed over."""
    return since is not None and now - since >= timedelta(days=days)


# A parcel that goes back or is gone has its own alert, worse than being late.
NEVER_LATE = OVER | {S.RETURNING, S.LOST}


def late(status: TrackingStatus | None, deliver_by: datetime | None, now: datetime) -> bool:
    """Whether the promise has passed and the parcel is still on its way."""
    return deliver_by is not None and now > deliver_by and status not in NEVER_LATE


def stuck(status: TrackingStatus | None, last_event_at: datetime | None, now: datetime, days: int = 5) -> bool:
    """Whether an unfinished parcel has had no scan for that many days."""
    if last_event_at is None or status in OVER or status is S.LOST:
        return False
    return now - last_event_at >= timedelta(days=days)

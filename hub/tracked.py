"""What carriers' tracking answers have in common: objects in the order asked, scans oldest first, delays. Pure."""

from collections.abc import Collection, Iterable, Sequence

from hub.model import TrackedObject, TrackingEvent, TrackingProblem, TrackingStatus
from hub.parse import bare

UNHEARD = TrackingProblem(code="not_told", message="the answer does not tell of this object")
_ENDS = frozenset({
    TrackingStatus.DELIVERED, TrackingStatus.RETURNED, TrackingStatus.LOST, TrackingStatus.CANCELLED,
})  # fmt: skip


def in_order(told: Iterable[TrackedObject], codes: Sequence[str], carrier: str) -> list[TrackedObject]:
    """One object per code asked, in that order and spelled as asked; with no codes, each one told, in its order.

    What the answer does not tell of has the error `not_told`.
    """
    found: dict[str, TrackedObject] = {}
    for one in told:
        found.setdefault(bare(one.code) or one.code, one)
    if not codes:
        return list(found.values())
    return [_asked(code, found.get(bare(code) or code), carrier) for code in codes]


def _asked(code: str, told: TrackedObject | None, carrier: str) -> TrackedObject:
    if told is None:
        return TrackedObject(code=code, carrier=carrier, error=UNHEARD)
    return told.model_copy(update={"code": code})


def oldest_first(events: Sequence[TrackingEvent]) -> list[TrackingEvent]:
    """The scans of one answer, turned round where they stand newest first: of two in one minute the later is above."""
    return list(reversed(events)) if events and events[0].at >= events[-1].at else list(events)


def is_delayed(events: Iterable[TrackingEvent], delaying: Collection[str]) -> bool:
    """Whether a scan with one of these raw codes stands that no end (delivered, returned, lost) has followed."""
    late = False
    for event in events:
        if not event.revoked:
            late = (late or event.raw_code in delaying) and event.status not in _ENDS
    return late

"""FedEx's tracking words into ours: answers of the tracking API, and webhooks, which tell the same. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from hub.calls import listed, refusal_of, said, told_in, within
from hub.faults import Unreadable
from hub.model import Raw, Reply, TrackedObject, TrackingEvent, TrackingProblem, TrackingStatus
from hub.parse import SAO_PAULO, bare, instant, moment
from hub.tracked import in_order, is_delayed
from hub.tracking import settle
from hub.wire import Wire

CARRIER = "fedex"
DAILY_QUOTA, CANCEL_REFUSED = "daily_quota", "cancel_refused"

# ── The vocabulary: eventType of a scan ─────────────────────────────────────────────────────────────────────

S = TrackingStatus
_CODES = {
    S.LABEL_CREATED: "OC OX EP MD IN PD",  # PD pickup delay
    S.ACCEPTED: "PU PX AP OF",
    S.IN_TRANSIT: "IT IX AA AC AF AR AX DP EA EO FD LO OW PF PL PM SF TR DY DD PY",
    S.OUT_FOR_DELIVERY: "AD ED OD",
    S.DELIVERED: "DL",
    S.FAILED_ATTEMPT: "DE",
    S.EXCEPTION: "SE",
    S.CUSTOMS: "CC CD CP",  # cleared, delayed, in progress
    S.AWAITING_PICKUP: "HA HL HP",
    S.RETURNING: "RS RT",
    S.CANCELLED: "CA",
}
STATUS: Mapping[str, TrackingStatus] = {code: status for status, codes in _CODES.items() for code in codes.split()}
# Nothing moves: AO arriving on time, CH location changed, RR RM RC delivery options, RP LP RG RD return labels by
# link (RD is their expiry, no cancellation), SP split, DR and DS vehicles. A scan of one stands where the last did.
_STILL = "AO CH RR RM RC RP LP RG RD SP DR DS"
STILL = frozenset(_STILL.split())
DELAYING = frozenset({"DY", "DD", "PY", "PD"})


# ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────


def parse(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
    """One object per code asked, in that order; with no codes, every object in the document's order.

    A raw is an answer of /track/v1/trackingnumbers, the body of a webhook, or one number's results of either.
    """
    told: dict[str, TrackedObject] = {}
    for row in results(raw):
        for tracked in _objects(row):
            known = told.get(tracked.code)
            if known is None or _weight(tracked) > _weight(known):
                told[tracked.code] = tracked
    return in_order(told.values(), codes, CARRIER)


def results(raw: Raw) -> list[Wire]:
    """The numbers that a document tells of, each with its results; an error is Unreadable."""
    document = Wire(raw, "")
    if wrong := problem(raw):
        raise Unreadable("document", f"an error, not a tracking answer: {wrong.code} {wrong.message}"[:200])
    if document.told("trackResults") is not None:
        return [document]
    within_output = document.part("output") if document.told("output") is not None else document
    if within_output.told("completeTrackResults") is None:
        raise Unreadable("document", "not a tracking answer")
    return within_output.rows("completeTrackResults")


def number(told: Wire) -> str | None:
    """The number that a row of results is about."""
    inner = (row.text("trackingNumberInfo.trackingNumber") for row in told.rows("trackResults"))
    return bare(told.text("trackingNumber") or next((each for each in inner if each), None))


def _weight(tracked: TrackedObject) -> tuple[bool, float]:
    """Numbers are used again: the result scanned last is the one meant, an error only where nothing else is told."""
    return tracked.error is None, tracked.events[-1].at.timestamp() if tracked.events else float("-inf")


def _objects(row: Wire) -> Iterator[TrackedObject]:
    code = number(row)
    if code is None:
        raise Unreadable(row.at("trackingNumber"), "not told")
    for told in row.rows("trackResults"):
        scans = told.rows("scanEvents")
        wrong = told.object("error")  # seen beside data: then it says nothing
        if scans or told.object("latestStatusDetail").text("code") or not wrong:
            yield _tracked(code, told, scans)
        else:
            yield TrackedObject(code=code, carrier=CARRIER, error=_problem(wrong.raw))


def _tracked(code: str, told: Wire, scans: Sequence[Wire]) -> TrackedObject:
    events = _events(scans)
    settled, status = settle(events)
    delaying = {event.raw_code for event in settled if event.raw_code.partition("/")[0] in DELAYING}
    is_said_late = told.object("latestStatusDetail").object("delayDetail").text("status") == "DELAYED"
    own = bare(told.text("trackingNumberInfo.trackingNumber"))
    return TrackedObject(
        code=code,
        carrier=CARRIER,
        carrier_code=own if own != code else None,
        status=status,
        deliver_by=_promise(told),
        delayed=is_delayed(settled, delaying) or (is_said_late and status not in {S.DELIVERED, S.RETURNED}),
        events=settled,
    )


_MIDNIGHT = "T00:00:00"


def _promise(told: Wire) -> datetime | None:
    """The estimate where there is one, else the service's own time; midnight stands for that whole day."""
    times = {row.text("type"): row.text("dateTime") for row in told.rows("dateAndTimes")}
    windows = [
        told.object(key).object("window") for key in ("estimatedDeliveryTimeWindow", "standardTransitTimeWindow")
    ]
    ends = [window.text("ends") for window in windows]
    by = ends[0] or times.get("ESTIMATED_DELIVERY") or ends[1]
    return instant(by and by.replace(_MIDNIGHT, "T23:59:59"), told.at("estimatedDeliveryTimeWindow"), zone=SAO_PAULO)


# ── Scans ───────────────────────────────────────────────────────────────────────────────────────────────────


def _events(scans: Sequence[Wire]) -> list[TrackingEvent]:
    """Oldest first. What stands still has the status of the scan before it; delivered on the way back is returned."""
    told = [_event(scan) for scan in scans]
    labels = [event for event in told if event.status is S.LABEL_CREATED]
    placed = [_dated(event, labels) for event in told]
    newest_first = not placed or placed[0].at >= placed[-1].at
    found: list[TrackingEvent] = []
    stands, is_back = S.UNKNOWN, False
    for event in sorted(reversed(placed) if newest_first else placed, key=_moment):
        is_still = event.raw_code.partition("/")[0] in STILL
        if is_still and stands is S.UNKNOWN:  # told alone, as webhooks do
            continue
        status = stands if is_still else event.status
        # The sender's own delivery is told as any other: assumed where the parcel was on its way back.
        status = S.RETURNED if is_back and status is S.DELIVERED else status
        is_back = is_back or status is S.RETURNING
        stands = stands if status is S.UNKNOWN else status
        found.append(event.model_copy(update={"status": status}))
    return found


def _moment(event: TrackingEvent) -> tuple[datetime, bool]:
    return event.at, event.status is not S.LABEL_CREATED


def _event(told: Wire) -> TrackingEvent:
    code = (told.text("eventType") or "?").upper()
    exception = told.text("exceptionCode")
    place = told.object("scanLocation")
    city, country = place.text("city"), place.text("countryCode")
    when = moment(told.text("date"), told.at("date"), zone=SAO_PAULO)  # some rows have no offset: assumed
    return TrackingEvent(
        at=when.at,
        raw_at=when.raw_at,
        zone=when.zone,
        status=STATUS.get(code, S.UNKNOWN),
        raw_code=f"{code}/{exception}" if exception else code,
        description=" - ".join(filter(None, (told.text("eventDescription"), told.text("exceptionDescription"))))
        or None,
        place=", ".join(word for word in (city, None if country == "BR" else country) if word) or None,
        state=place.text("stateOrProvinceCode"),
    )


def _dated(event: TrackingEvent, labels: Sequence[TrackingEvent]) -> TrackingEvent:
    """A midnight without an offset is a date: that scan is not before a label made on its day."""
    told = event.raw_at or ""
    if not told.endswith(_MIDNIGHT) or event.status is S.LABEL_CREATED:
        return event
    day = told.removesuffix(_MIDNIGHT)
    made = [label.at for label in labels if (label.raw_at or "").startswith(day) and label.at > event.at]
    return event.model_copy(update={"at": max(made)}) if made else event


# ── What is wrong ───────────────────────────────────────────────────────────────────────────────────────────


def problem(raw: Raw) -> TrackingProblem | None:
    """The first error of an answer that is one: {"errors": [{code, message}]}."""
    told = listed(raw, "errors")
    return _problem(told[0]) if told else None


def _problem(raw: Any) -> TrackingProblem:
    code = said(raw, "code") or "refused"
    return TrackingProblem(code=code, message=said(raw, "message") or code)


def read_error(reply: Reply) -> str | None:
    """The vendor's code of an error; what a 200 refuses to cancel, and a day's quota used up, have names of ours."""
    wrong = problem(refusal_of(reply))
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS and wrong and "daily" in wrong.message.lower():
        return DAILY_QUOTA
    if wrong:
        return wrong.code
    is_refused = within(told_in(reply), "output", "cancelledShipment") is False
    return CANCEL_REFUSED if is_refused else None


def until(code: str, now: datetime) -> datetime | None:
    """A day's quota is whole again at midnight GMT."""
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return tomorrow if code == DAILY_QUOTA else None

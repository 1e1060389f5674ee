"""UPS's tracking words into ours: answers of the tracking API and bodies of Track Alert. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.calls import listed, refusal_of, said, told_in, within
from hub.faults import Unreadable
from hub.model import Raw, Reply, TrackedObject, TrackingEvent, TrackingProblem, TrackingStatus
from hub.parse import SAO_PAULO, Moment, bare, instant, moment
from hub.tracked import in_order, is_delayed
from hub.tracking import settle
from hub.wire import Wire

CARRIER = "ups"
STALE_TOKEN = ("250002", "250003")
VOID_REFUSED = "void_refused"

# ── The vocabulary: statusCode of an activity, which Track Alert calls descriptionCode ──────────────────────

S = TrackingStatus
_CODES = {
    S.LABEL_CREATED: "3 44 45 65 77 79 80 131 135 157 166",  # 65, 131 and 135 pickups attempted at the sender's
    S.CANCELLED: "7",
    S.ACCEPTED: "38 160 167-169",  # 167-169 dropped off by the customer
    S.IN_TRANSIT: "5 10 16 19 25 32 39 46-49 51-53 57 71 73-75 86 87 90 93 94 132 137 138 143 158 159 164 165",
    S.CUSTOMS: "12 14 58 84 92 123-126 134 141",
    S.OUT_FOR_DELIVERY: "6 21 37 72 78 89 91 146 162",
    S.FAILED_ATTEMPT: "22-24 60-62 66 145",
    S.AWAITING_PICKUP: "17 40 70 144 161",  # 144 delivered to a post office, 161 to an access point: for pickup
    S.DELIVERED: "11 26",  # 143 is delivered to an agent, who carries on
    S.RETURNING: "33 35 36 118 119",
    S.RETURNED: "34 67 81",
    S.LOST: "68 140",  # 68 to lost and found, 140 claim paid
    S.DAMAGED: "59",
    S.EXCEPTION: "13 29 30 43 50 64 69 76 83 85 129 130 139 147 149",  # 147 seized, 149 destroyed
}
# Requests, confirmations and corrections, where nothing moves: a scan of one of these stands where the last one did.
_STILL = "0 18 20 27 28 41 42 54-56 63 82 95-117 120-122 127 128 133 136 142 148 153-155 163"
_DELAYING = "46 48 49 51-53 86 90 132"


def _numbers(spans: str) -> Iterator[int]:
    for span in spans.split():
        first, _, last = span.partition("-")
        yield from range(int(first), int(last or first) + 1)


STATUS: Mapping[int, TrackingStatus] = {
    number: status for status, spans in _CODES.items() for number in _numbers(spans)
}
STILL = frozenset(_numbers(_STILL))
DELAYING = frozenset(_numbers(_DELAYING))
TYPES = {  # only where no statusCode is told: a row was seen with type X and "Delivered" for its simplified text
    "D": S.DELIVERED,
    "I": S.IN_TRANSIT,
    "M": S.LABEL_CREATED,
    "MV": S.CANCELLED,
    "X": S.EXCEPTION,
    "DO": S.IN_TRANSIT,  # delivered at the origin's freight station
    "DD": S.IN_TRANSIT,  # and at the destination's
    "W": S.IN_TRANSIT,  # warehousing
}
STILL_TYPES = frozenset({"U", "NA"})  # updates of the promise (Track Alert only); not available


@dataclass(frozen=True, slots=True)
class _Spelling:
    """Where one of the two documents tells what a scan is made of."""

    local: tuple[str, str]
    gmt: tuple[str, str]
    place: str
    status: str
    number: str


_ACTIVITY = _Spelling(("date", "time"), ("gmtDate", "gmtTime"), "location.address", "status", "statusCode")
_ALERT = _Spelling(
    ("localActivityDate", "localActivityTime"),
    ("gmtActivityDate", "gmtActivityTime"),
    "activityLocation",
    "activityStatus",
    "descriptionCode",
)


@dataclass(frozen=True, slots=True)
class _Scan:
    """A scan and its number; `still`: nothing moved, it stands where the last one did."""

    event: TrackingEvent
    number: int | None
    still: bool


# ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────


def parse(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
    """One object per code asked, in that order; with no codes, every object in the document's order.

    A raw is an answer of /track/v1/details, a shipment or package of one, an error, or the body of a Track Alert.
    """
    wrong = problem(raw)
    if wrong and not codes:
        raise Unreadable("document", f"an error, not a tracking answer: {wrong.code} {wrong.message}"[:200])
    if wrong:
        return [TrackedObject(code=code, carrier=CARRIER, error=wrong) for code in codes]
    told: dict[str, TrackedObject] = {}
    for tracked in _objects(raw, codes[0] if len({*codes}) == 1 else None):
        known = told.get(tracked.code)
        if known is None or _last(tracked) > _last(known):  # numbers are used again: the one scanned last
            told[tracked.code] = tracked
    return in_order(told.values(), codes, CARRIER)


def _last(tracked: TrackedObject) -> float:
    return tracked.events[-1].at.timestamp() if tracked.events else float("-inf")


_SHIPMENT = frozenset({"package", "inquiryNumber", "warnings"})


def _objects(raw: Raw, sole: str | None) -> Iterator[TrackedObject]:
    """What a document tells; `sole` is the number asked, for answers that do not name it."""
    document = Wire(raw, "")
    if document.told("trackResponse") is not None:
        for shipment in document.part("trackResponse").rows("shipment"):
            yield from _shipment(shipment, sole)
    elif document.told("activityStatus") is not None:
        yield _alert(document)
    elif document.raw.keys() & _SHIPMENT:
        yield from _shipment(document, sole)
    elif document.told("activity") is not None:
        yield _package(document, None, sole)
    else:
        raise Unreadable("document", "not a tracking answer")


def _shipment(told: Wire, sole: str | None) -> Iterator[TrackedObject]:
    packages = told.rows("package")
    inquired = bare(told.text("inquiryNumber"))
    for package in packages:
        yield _package(package, inquired if len(packages) == 1 else None, sole)
    if packages:
        return
    warned = next((_problem(row.raw) for row in told.rows("warnings")), None)  # TW0001 inside a 200: not found (yet)
    yield TrackedObject(code=inquired or _sole(told, "inquiryNumber", sole, warned), carrier=CARRIER, error=warned)


def _sole(told: Wire, key: str, sole: str | None, warned: TrackingProblem | None = None) -> str:
    code = bare(sole)
    if code is None:
        raise Unreadable(told.at(key), f"not told ({warned.code} {warned.message})"[:160] if warned else "not told")
    return code


def _package(told: Wire, inquired: str | None, sole: str | None) -> TrackedObject:
    number = bare(told.text("trackingNumber"))
    code = inquired or number or _sole(told, "trackingNumber", sole)
    ends = told.object("deliveryTime")
    by = None if ends.text("type") == "DEL" else ends.text("endTime")  # DEL is when it was delivered
    dates = {row.text("type"): row for row in told.rows("deliveryDate")}
    promise = dates.get("RDD") or dates.get("SDD")  # rescheduled, scheduled
    return _object(
        code,
        [_event(row, _ACTIVITY) for row in told.rows("activity")],
        carrier_code=number if number != code else None,
        deliver_by=_promised(promise, "date", by) if promise else None,
    )


def _alert(told: Wire) -> TrackedObject:
    code = bare(told.text("trackingNumber"))
    if code is None:
        raise Unreadable("trackingNumber", "not told")
    promise = _promised(told, "scheduledDeliveryDate", told.text("deliveryEndTime"))
    scan = _event(told, _ALERT)
    # Where nothing moved the promise alone is news: alone, such a scan has none before it to stand with.
    return _object(code, [] if scan.still else [scan], deliver_by=promise)


def _object(code: str, scans: list[_Scan], **told: Any) -> TrackedObject:
    if scans and scans[0].event.at >= scans[-1].event.at:  # newest first: of two in one second the later stands above
        scans.reverse()
    events: list[TrackingEvent] = []
    stands = S.UNKNOWN
    for scan in scans:
        if scan.still:
            events.append(scan.event.model_copy(update={"status": stands}))
        else:
            events.append(scan.event)
            stands = stands if scan.event.status is S.UNKNOWN else scan.event.status
    settled, status = settle(events)
    delaying = {scan.event.raw_code for scan in scans if scan.number in DELAYING}
    return TrackedObject(
        code=code,
        carrier=CARRIER,
        status=status,
        delayed=is_delayed(settled, delaying),
        events=settled,
        **told,
    )


# ── Scans ───────────────────────────────────────────────────────────────────────────────────────────────────


def _event(told: Wire, spelling: _Spelling) -> _Scan:
    status, place = told.part(spelling.status), told.part(spelling.place)
    code, kind, number = status.text("code"), status.text("type"), _number(status.text(spelling.number))
    country = place.text("countryCode", "country")
    city = place.text("city")
    if number is None:
        still, found = kind in STILL_TYPES, TYPES.get(kind or "", S.UNKNOWN)
    else:
        still, found = number in STILL, STATUS.get(number, S.UNKNOWN)
    when = scanned(told, spelling)
    event = TrackingEvent(
        at=when.at,
        raw_at=when.raw_at,
        zone=when.zone,
        status=found,
        raw_code=(code or kind or "?") if number is None else f"{code or kind or '?'}/{number:03d}",
        description=status.text("description", "simplifiedTextDescription"),
        # In capitals: a parcel's alerts and answers write one city in both ways, and it is part of what a scan is.
        place=", ".join(word.upper() for word in (city, None if country == "BR" else country) if word) or None,
        state=place.text("stateProvince"),
    )
    return _Scan(event, number, still)


def _number(told: str | None) -> int | None:
    """Of "011", and of 11: a YAML 1.1 reader turns an unquoted 011 into 9, so that strings alone are told."""
    return int(told) if told and re.fullmatch("[0-9]{1,3}", told) else None


def scanned(told: Wire, spelling: _Spelling = _ALERT) -> Moment:
    """When a scan was made: GMT where told, else local time with gmtOffset, else Brasília's (assumed)."""
    gmt = _clock(told, *spelling.gmt)
    if gmt:
        return moment(f"{gmt} GMT", told.at(spelling.gmt[0]), zone=SAO_PAULO, iso=f"{gmt}+00:00")
    local, offset = _clock(told, *spelling.local), told.text("gmtOffset") or ""
    return moment(local and local + offset, told.at(spelling.local[0]), zone=SAO_PAULO)


def _clock(told: Wire, day: str, hour: str) -> str | None:
    """YYYYMMDD and HHMMSS, also told as HH:MM:SS and without a leading zero (74700)."""
    date = told.text(day)
    if date is None:
        return None
    return f"{date}T{(told.text(hour) or '').replace(':', '').zfill(6)}"


def _promised(told: Wire, day: str, hour: str | None) -> datetime | None:
    """The end of the promised hour or day; no zone is told: Brasília's is assumed."""
    date = told.text(day)
    return instant(date and f"{date}T{(hour or '235959').zfill(6)}", told.at(day), zone=SAO_PAULO)


# ── What is wrong ───────────────────────────────────────────────────────────────────────────────────────────


def problem(raw: Raw) -> TrackingProblem | None:
    """The first error of an answer that is one: {"response": {"errors": [{code, message}]}}, also without response."""
    told = listed(raw, "response", "errors") or listed(raw, "errors")
    return _problem(told[0]) if told else None


def _problem(raw: Raw) -> TrackingProblem:
    code = said(raw, "code") or "refused"
    return TrackingProblem(code=code, message=said(raw, "message") or code)


def read_error(reply: Reply) -> str | None:
    """The vendor's code of an error; a void refused inside a 200 is VOID_REFUSED."""
    wrong = problem(refusal_of(reply))
    if wrong:
        return wrong.code
    voided = within(told_in(reply), "VoidShipmentResponse", "SummaryResult", "Status", "Code")
    return None if voided in (None, "1") else VOID_REFUSED

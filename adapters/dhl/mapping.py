"""DHL's tracking words into ours: MyDHL API, the Unified API and the older XML answers. Pure."""

import re
from collections.abc import Sequence
from typing import Any

from adapters.dhl.legacy import from_xml
from hub.calls import refusal_of, said
from hub.faults import Unreadable
from hub.model import Raw, Reply, TrackedObject, TrackingEvent, TrackingProblem, TrackingStatus
from hub.parse import SAO_PAULO, joined, moment
from hub.tracked import in_order, is_delayed, oldest_first
from hub.tracking import settle
from hub.wire import Wire

CARRIER = "dhl"
S = TrackingStatus
_CODES = {  # the codes of Express: they mean something without a number
    S.ACCEPTED: "PU SA",  # Shipment pick up, Shipment acceptance
    # Agreed delivery, Arrival in delivery facility, Arrived facility, Depart facility, Forward destination, Miscode,
    # Missed delivery cycle, Mis-sort, Partial delivery (the rest is still under way), Processed at location,
    # Response received (by customs, the parcel moves), Service changed, Forwarded to 3rd party, Record of transfer;
    # PO "Departing origin" and SM stand in older answers only
    S.IN_TRANSIT: "AD AR AF DF FD MC MD MS PD PL RR SC TP TR PO SM",
    S.OUT_FOR_DELIVERY: "WC",  # With delivering courier
    S.DELIVERED: "OK DD",  # Delivery, Delivered damaged
    S.AWAITING_PICKUP: "CC",  # Awaiting consignee collection
    S.FAILED_ATTEMPT: "BA CA CM ND NH RD",  # Bad address, Closed on arrival, Moved, Not delivered, Not home, Refused
    S.CUSTOMS: "BN BR CD CR IC UD",  # Broker notified, Broker release, Clearance delay, Clearance release ...
    S.EXCEPTION: "HP OH SS CS DS",  # Held for payment, On hold, Shipment stopped, Closed shipment, Destroyed
    S.RETURNED: "RT",  # Returned to consignor
}
STATUS = {code: status for status, codes in _CODES.items() for code in codes.split()}
DELAYING = frozenset({"MD", "CD", "UD"})  # Missed delivery cycle; clearance delayed, controllably or not
_UNIFIED = {  # statusCode, for all of DHL's services; only Express tells its own codes as `status` beside it
    "pre-transit": S.LABEL_CREATED,
    "transit": S.IN_TRANSIT,
    "delivered": S.DELIVERED,
    "failure": S.EXCEPTION,
}
_NUMBER = re.compile(r"(?:shipments/|shipmentTrackingNumber=|AWBNumber\s+)([0-9A-Z]{8,35})")
_NOT_FOUND = "404"


def parse(raw: Raw, codes: Sequence[str]) -> list[TrackedObject]:
    """One object per code asked, in that order; with no codes, every object in the document's order."""
    told = from_xml(raw) if isinstance(raw, str) else raw
    if not isinstance(told, dict):
        raise Unreadable("document", "not a tracking answer")
    answer = Wire(told, "")
    if "shipments" in told:
        objects = [_object(row) for row in answer.needed_rows("shipments")]
    elif {"shipmentTrackingNumber", "events"} & told.keys():
        objects = [_object(answer)]
    else:
        objects = _refused(answer, codes)
    return in_order(objects, codes, CARRIER)


def _refused(answer: Wire, codes: Sequence[str]) -> list[TrackedObject]:
    """The objects of an error: a 404 says that none of those asked for is known, yet."""
    sentence = answer.text("detail", "title", "message")
    if sentence is None:
        raise Unreadable("shipments", "not told")
    told = _NUMBER.findall(f"{answer.text('instance')} {sentence}")
    if answer.text("status", "code") != _NOT_FOUND or not (codes or told):
        raise Unreadable("document", f"an error, not a tracking answer: {joined(sentence)}"[:200])
    problem = TrackingProblem(code=_NOT_FOUND, message=sentence)
    return [TrackedObject(code=code, carrier=CARRIER, error=problem) for code in codes or told]


def _object(row: Wire) -> TrackedObject:
    code = row.ref("shipmentTrackingNumber") or row.ref("id")
    if code is None:
        raise Unreadable(row.at("shipmentTrackingNumber"), "not told")
    unified = isinstance(row.told("status"), dict)
    scans = row.rows("events") or [scan for piece in row.rows("pieces") for scan in piece.rows("events")]
    if unified:
        events = [_unified(scan, row.text("service")) for scan in scans or [row.part("status")]]
    else:
        events = [_scan(scan) for scan in scans]
    settled, status = settle(oldest_first(events))
    day = row.text("estimatedDeliveryDate")
    if day and re.fullmatch(r"\d{4}-\d\d-\d\d", day):  # promised for the day: by its end
        day = f"{day}T23:59:59"
    promised = Wire({"estimatedDeliveryDate": day}, row.path).instant("estimatedDeliveryDate", zone=SAO_PAULO)
    return TrackedObject(
        code=code,
        carrier=CARRIER,
        status=status,
        deliver_by=promised or row.instant("estimatedTimeOfDelivery", zone=SAO_PAULO),
        delayed=is_delayed(settled, DELAYING),
        error=None if unified or events else _problem(row),
        events=settled,
    )


def _problem(row: Wire) -> TrackingProblem | None:
    told = joined(row.text("status"))
    if told is None or told.lower() == "success":
        return None
    return TrackingProblem(code=row.text("statusCode") or "refused", message=told)


def _scan(told: Wire) -> TrackingEvent:
    """A checkpoint: date and time are those of its service area, with an offset only where one was asked for."""
    day, hour = told.text("date"), told.text("time")
    at = day and "T".join(filter(None, [day, hour])) + ((told.text("GMTOffset") or "") if hour else "")
    code = (told.text("typeCode") or "?").upper()
    areas = told.rows("serviceArea")
    return _event(
        moment(at, told.at("date"), zone=SAO_PAULO),  # assumed: most scans of a Brazilian seller's parcels
        code,
        STATUS.get(code, S.UNKNOWN),
        told.text("description"),
        areas[0].text("description", "code") if areas else None,
    )


def _unified(told: Wire, service: str | None) -> TrackingEvent:
    """An event of the Unified API, by Express' own code where it is told, else by statusCode; never by its words."""
    own = (told.text("status") or "").upper()
    if service == "express" and own in STATUS:
        code, status = own, STATUS[own]
    else:
        code = told.text("statusCode") or "?"
        status = _UNIFIED.get(code, S.UNKNOWN)
    return _event(
        told.moment("timestamp", zone=SAO_PAULO),
        code,
        status,
        told.text("description", "status"),
        told.text("location.address.addressLocality", "location.address.countryCode"),
    )


def _event(when: Any, code: str, status: TrackingStatus, words: str | None, place: str | None) -> TrackingEvent:
    return TrackingEvent(**when._asdict(), status=status, raw_code=code, description=joined(words), place=joined(place))


def error_code(reply: Reply) -> str | None:
    """The vendor's number of an error ("7008: The requested ..."); without one the status alone decides."""
    coded = re.match(r"\s*(\d{3,5}):", said(refusal_of(reply), "detail") or "")
    return coded[1] if coded else None

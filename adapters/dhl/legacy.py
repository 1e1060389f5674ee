"""The older XML tracking answers (XML Services) turned into the words of MyDHL API. Pure."""

import re
from typing import Any

from hub.faults import Unreadable
from hub.model import Raw
from hub.wire import Wire
from hub.xml_answers import document

_LISTS = frozenset({"AWBInfo", "ShipmentEvent", "Condition"})
_NUMBER = re.compile(r"AWBNumber\s+(\w+)")


def from_xml(answer: str) -> Raw:
    """An XML tracking answer as MyDHL API would tell it; other answers of the same service are refused."""
    told = document(answer, _LISTS)
    root = next(iter(told))
    if root != "TrackingResponse":
        raise Unreadable("document", f"XML of another service, not tracking: {root}"[:120])
    return {"shipments": [_object(row) for row in Wire(told[root], root).needed_rows("AWBInfo")]}


def _object(row: Wire) -> dict[str, Any]:
    problem = next(iter(row.part("Status").rows("Condition")), Wire(None, row.path))
    words = problem.text("ConditionData") or row.text("Status.ActionStatus")
    named = _NUMBER.search(words or "")  # not found: the number stands only in the sentence
    shipment = row.part("ShipmentInfo")
    until, local = shipment.text("EstDlvyDateUTC"), shipment.text("EstDlvyDate")
    return {
        "shipmentTrackingNumber": row.ref("AWBNumber") or (named and named[1]),
        "status": words,
        "statusCode": problem.text("ConditionCode"),
        "estimatedDeliveryDate": f"{until}Z" if until else local and local.replace(" GMT", ""),
        "events": [_event(scan) for scan in shipment.rows("ShipmentEvent")],
    }


def _event(scan: Wire) -> dict[str, Any]:
    return {
        "date": scan.text("Date"),
        "time": scan.text("Time"),
        "typeCode": scan.text("ServiceEvent.EventCode"),
        "description": scan.text("ServiceEvent.Description"),
        "serviceArea": [{"description": scan.text("ServiceArea.Description", "ServiceArea.ServiceAreaCode")}],
    }

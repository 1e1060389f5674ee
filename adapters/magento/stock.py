"""How Magento is told numbers and parcels, and what its answers say. Pure."""

import re
from collections.abc import Sequence
from typing import Any

from hub import parse
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import News, Outcome, OutcomeKind, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.wire import Wire, rows

BATCH = 20  # of a synchronous array, where the store's input limits are on
SOURCE, IN_STOCK = "default", 1
ITEMS = "/V1/inventory/source-items"


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """Source items by twenty. Sources are never unassigned: that would clear what stands in them."""
    groups = [tuple(writes[start : start + BATCH]) for start in range(0, len(writes), BATCH)]
    return [(_post(group), group) for group in groups]


def _post(writes: Sequence[StockWrite]) -> Request:
    items = [
        {
            "sku": write.slot_ref,
            "source_code": write.location_ref or SOURCE,
            "quantity": write.quantity,
            "status": IN_STOCK,
        }
        for write in writes
    ]
    alone = frozenset({400, 404}) if len(writes) == 1 else frozenset()  # of several, one bad row refuses all
    return Request(method="POST", path=ITEMS, json={"sourceItems": items}, operation="stock", accept=alone)


def sent(request: Request) -> list[StockWrite]:
    """The writes of a rendered request."""
    found = []
    for row in rows(Wire(request.json, "request").raw.get("sourceItems"), "request.sourceItems"):
        sku, units = row.text("sku"), row.units("quantity")
        if sku is None or units is None or units < 0:
            raise Unreadable(row.at("sku" if sku is None else "quantity"), "not told, or below zero")
        found.append(StockWrite(slot_ref=sku, location_ref=row.text("source_code"), listing_ref=sku, quantity=units))
    return found


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """All or none: an empty list says that every row was taken, an error is about the whole request."""
    body = json_of(reply)
    named: list[dict[str, Any]] = [{"listing_ref": write.listing_ref, "slot_ref": write.slot_ref} for write in writes]
    if reply.status >= 400:  # noqa: PLR2004 - HTTP
        code, message = str(reply.status), sentence(body)
        return [Outcome(**each, outcome=OutcomeKind.FAULT, code=code, message=message) for each in named]
    if body != []:
        raise Unreadable("body", "not the empty list that means yes")
    return [Outcome(**each, outcome=OutcomeKind.ACCEPTED) for each in named]


def sentence(body: Raw) -> str | None:
    """The message with its parameters in place: %1, %2 from a list, %name from an object."""
    told = body if isinstance(body, dict) else {}
    text, given = parse.text(told.get("message")), told.get("parameters")
    if text is None:
        return None
    named = given if isinstance(given, dict) else dict(enumerate(given, start=1)) if isinstance(given, list) else {}
    values = {str(name): str(value) for name, value in named.items()}
    return re.sub(r"%(\w+)", lambda found: values.get(found[1], found[0]), text)


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """A shipment of what is left, or the code onto one that was made without. There is no word for a delivery."""
    if news.news is not News.DISPATCHED:
        return []
    there = list(rows(Wire(news.there, "there").raw.get("items"), "there.items"))
    codes = {track.text("track_number") for shipment in there for track in shipment.rows("tracks")}
    if news.tracking_code and news.tracking_code in codes:
        return []
    bare = next((shipment for shipment in there if not shipment.rows("tracks")), None)
    if bare is not None:
        return _track(news, bare.needed_ref("entity_id"))
    items = [{"order_item_id": int(line.line_ref), "qty": line.quantity} for line in news.lines]
    body: dict[str, Any] = {"notify": True, **({"items": items} if items else {})}
    if news.tracking_code:
        body["tracks"] = [_named(news)]
    # checked against what was shipped before, which POST /V1/shipment is not
    return [Request(method="POST", path=f"/V1/order/{news.order_ref}/ship", json=body, operation="shipment")]


def _named(news: ShipmentNews) -> dict[str, Any]:
    return {"track_number": news.tracking_code, "title": news.carrier or "Transportadora", "carrier_code": "custom"}


def _track(news: ShipmentNews, shipment: str) -> list[Request]:
    if not news.tracking_code:
        return []
    entity = {"order_id": int(news.order_ref), "parent_id": int(shipment), "weight": 0, "qty": 0, "description": ""}
    body = {"entity": {**entity, **_named(news)}}
    return [Request(method="POST", path="/V1/shipment/track", json=body, operation="shipment")]

"""How Magento is told numbers and parcels, and what its answers say. Pure."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from hub import parse
from hub.calls import batches
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import News, Outcome, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.wire import Wire

BATCH = 20  # of a synchronous array, where the store's input limits are on
SOURCE, IN_STOCK = "default", 1
ITEMS = "/V1/inventory/source-items"


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """Source items by twenty. Sources are never unassigned: that would clear what stands in them."""
    return [(_post(group), group) for group in batches(writes, BATCH)]


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
    for row in Wire(request.json, "request").rows("sourceItems"):
        sku, units = row.text("sku"), row.needed_count("quantity")
        if sku is None:
            raise Unreadable(row.at("sku"), "not told")
        found.append(StockWrite(slot_ref=sku, location_ref=row.text("source_code"), listing_ref=sku, quantity=units))
    return found


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """All or none: an empty list says that every row was taken, an error is about the whole request."""
    body = json_of(reply)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        return [Outcome.refused(write, str(reply.status), sentence(body)) for write in writes]
    if body != []:
        raise Unreadable("body", "not the empty list that means yes")
    return [Outcome.accepted(write) for write in writes]


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
    there = Wire(news.there, "there").rows("items")
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

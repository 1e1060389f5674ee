"""How Nuvemshop is told numbers and parcels, and what its answers say. Pure."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from hub import parse
from hub.calls import batches
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import News, Outcome, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.wire import rows

BATCH = 50  # variants in one request, over all its products
PATH = "/products/stock-price"
EVENTS = {  # of a parcel, once it was sent
    News.IN_TRANSIT: "in_transit",
    News.OUT_FOR_DELIVERY: "out_for_delivery",
    News.FAILED_ATTEMPT: "delivery_attempt_failed",
    News.DELIVERED: "delivered",
    News.RETURNED: "returned_to_sender",
}
NO_CODE_YET = frozenset({"UNPACKED", "PENDING", "PACKED"})


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """Fifty variants a request, grouped by product. Never null: that would be stock without end."""
    return [(_patch(group), group) for group in batches(writes, BATCH)]


def _patch(writes: Sequence[StockWrite]) -> Request:
    body: list[dict[str, Any]] = []
    for write in writes:
        product, _, variant = write.slot_ref.partition(":")
        if not (product.isdecimal() and variant.isdecimal()):
            raise Unreadable("slot_ref", f"not product:variant: {write.slot_ref!r}"[:120])
        place = {"location_id": write.location_ref} if write.location_ref else {}
        if not body or body[-1]["id"] != int(product):
            body.append({"id": int(product), "variants": []})
        level = {**place, "stock": write.quantity}
        body[-1]["variants"].append({"id": int(variant), "inventory_levels": [level]})
    alone = frozenset({400, 404, 422}) if len(writes) == 1 else frozenset()  # of several, one bad row refuses all
    return Request(method="PATCH", path=PATH, json=body, operation="stock", accept=alone)


def sent(request: Request) -> list[StockWrite]:
    """The writes of a rendered request."""
    found = []
    for product in rows(request.json, "request"):
        ref = product.needed_ref("id")
        for variant in product.rows("variants"):
            levels = variant.rows("inventory_levels")
            own = variant.needed_ref("id")
            found.append(
                StockWrite(
                    slot_ref=f"{ref}:{own}",
                    location_ref=levels[0].text("location_id") if levels else None,
                    listing_ref=ref,
                    variation_ref=own,
                    quantity=(levels[0] if levels else variant).needed_count("stock"),
                )
            )
    return found


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """An outcome per write, with the number that the answer repeats for its location."""
    body = json_of(reply)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        code, message = error_of(body)
        return [Outcome.refused(write, code or str(reply.status), message) for write in writes]
    seen: dict[tuple[str, str | None], int | None] = {}
    for product in rows(body, "body"):
        for variant in product.rows("variants"):
            for level in variant.rows("inventory_levels"):
                key = f"{product.needed_ref('id')}:{variant.needed_ref('id')}"
                seen[key, level.text("location_id")] = seen[key, None] = level.units("stock")
    return [Outcome.accepted(write, seen.get((write.slot_ref, write.location_ref))) for write in writes]


def error_of(body: Raw) -> tuple[str | None, str | None]:
    """Code and sentence of any of three shapes: {code, message, description}, {error}, {field: [what is wrong]}."""
    if not isinstance(body, dict):
        return None, None
    code = body.get("code")
    said = [told for told in (body.get("message"), body.get("description"), body.get("error")) if isinstance(told, str)]
    if not said:
        said = [f"{field}: {', '.join(map(str, told))}" for field, told in body.items() if isinstance(told, list)]
    return (parse.text(code) if isinstance(code, str | int) else None), parse.joined(". ".join(said))


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """The parcel's status and code; what happens later as events on it. Orders without parcels know only "sent"."""
    parcel = _parcel(news)
    code = {"code": news.tracking_code} if news.tracking_code else {}
    if parcel is None:
        if news.news is not News.DISPATCHED:
            return []
        told = {"shipping_tracking_number": news.tracking_code, "shipping_tracking_url": news.tracking_url}
        body = {**{key: value for key, value in told.items() if value}, "notify_customer": True}
        return [Request(method="POST", path=f"/orders/{news.order_ref}/fulfill", json=body, operation="shipment")]
    path = f"/orders/{news.order_ref}/fulfillment-orders/{parcel}"
    if news.news is News.DISPATCHED:
        info = {**code, **({"url": news.tracking_url} if news.tracking_url else {}), "notify_customer": True}
        body = {"status": "DISPATCHED", "tracking_info": info}
        return [Request(method="PATCH", path=path, json=body, operation="shipment")]
    event = {"status": EVENTS[news.news], "description": EVENTS[news.news], "happened_at": news.at.isoformat()}
    asked = [Request(method="POST", path=f"{path}/tracking-events", json=event, operation="shipment")]
    if news.news is News.DELIVERED:
        asked.append(Request(method="PATCH", path=path, json={"status": "DELIVERED"}, operation="shipment"))
    return asked


def _parcel(news: ShipmentNews) -> str | None:
    """The parcel of this code; else, of those not sent yet, the one that the channel knows this by, or the first."""
    parcels = list(rows(news.there, "there"))
    for row in parcels:
        if news.tracking_code and row.text("tracking_info.code") == news.tracking_code:
            return row.ref("id")
    waiting = [row.ref("id") for row in parcels if (row.text("status") or "UNPACKED") in NO_CODE_YET]
    return news.shipment_ref if news.shipment_ref in waiting else next(iter(waiting), None)

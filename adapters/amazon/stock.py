"""How Amazon is told numbers and parcels, and what its answers say. Pure."""

import re
import zlib
from collections.abc import Sequence
from datetime import UTC
from typing import Any
from urllib.parse import quote, unquote

from adapters.amazon.mapping import MARKETPLACE, OURS
from hub import parse
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import News, Outcome, OutcomeKind, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.wire import Wire

SELLER = "{sellerId}"  # filled in when the request leaves
ITEM = re.compile(r"/listings/2021-08-01/items/[^/]+/([^/?]+)$")
REFUSED = {"ACCEPTED": False, "VALID": False, "INVALID": True}  # VALID answers a preview: reading back will tell
ATTRIBUTE = "/attributes/fulfillment_availability"
CARRIERS = {"correios": "Correios"}  # carrierCode by name; what else Brazil takes is not published: "Other" with a name


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """One patch per SKU."""
    return [(_patch(write), (write,)) for write in writes]


def _patch(write: StockWrite) -> Request:
    """`merge`, because `replace` wipes the handling time; without a channel code Amazon refuses."""
    value = [{"fulfillment_channel_code": write.location_ref or OURS, "quantity": write.quantity}]
    return Request(
        method="PATCH",
        path=f"/listings/2021-08-01/items/{SELLER}/{quote(write.slot_ref, safe='')}",
        params=(("marketplaceIds", MARKETPLACE),),
        json={"productType": "PRODUCT", "patches": [{"op": "merge", "path": ATTRIBUTE, "value": value}]},
        operation="stock",
        accept=frozenset({400, 404}),
    )


def sent(request: Request) -> StockWrite:
    """The write of a rendered patch, or of a recorded one with `replace`."""
    where = ITEM.search(request.path)
    if where is None:
        raise Unreadable("request.path", "no listing's")
    patches = [row for row in Wire(request.json, "request").rows("patches") if row.text("path") == ATTRIBUTE]
    values = patches[0].rows("value") if len(patches) == 1 else []
    if len(values) != 1 or patches[0].text("op") not in ("merge", "replace", "add"):
        raise Unreadable("request.patches", "not one number for one channel")
    units = values[0].units("quantity")
    if units is None or units < 0:
        raise Unreadable(values[0].at("quantity"), "not told, or below zero")
    sku, code = unquote(where[1]), values[0].text("fulfillment_channel_code")
    return StockWrite(slot_ref=sku, listing_ref=sku, location_ref=None if code == OURS else code, quantity=units)


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """The one outcome: taken to be done later, or refused, which Amazon does with a 200 as well."""
    body = Wire(json_of(reply), "body")
    (write,) = writes
    named: dict[str, Any] = {"listing_ref": write.listing_ref, "slot_ref": write.slot_ref}
    if reply.status >= 400:  # noqa: PLR2004 - HTTP
        code, message = error_of(body.raw)
        return [Outcome(**named, outcome=OutcomeKind.FAULT, code=code or str(reply.status), message=message)]
    refused = body.one_of("status", REFUSED)
    wrong = [row for row in body.rows("issues") if row.text("severity") in ("ERROR", None)]
    words = parse.joined(*(row.text("message") for row in wrong[:3]))
    if refused:
        code = wrong[0].text("code") if wrong else None
        return [Outcome(**named, outcome=OutcomeKind.FAULT, code=code or "INVALID", message=words)]
    receipt = body.text("submissionId")
    return [Outcome(**named, outcome=OutcomeKind.PENDING, code=receipt, message=words or receipt)]


def error_of(body: Raw) -> tuple[str | None, str | None]:
    """Code and sentence of {errors: [{code, message, details}]}, or of the token's {error, error_description}."""
    if not isinstance(body, dict):
        return None, None
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        told = body.get("error")
        return (told if isinstance(told, str) else None), parse.text(body.get("error_description"))
    words = dict.fromkeys(filter(None, (parse.text(first.get("message")), parse.text(first.get("details")))))
    return parse.text(first.get("code")), parse.joined(*words)


def read_error(reply: Reply) -> str | None:
    """The vendor's word of an error answer."""
    if reply.status < 400:  # noqa: PLR2004 - HTTP
        return None
    try:
        return error_of(json_of(reply))[0]
    except Unreadable:
        return None


# ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────────


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """The confirmation of a parcel: its lines, or whatever of the order has not left. Later Amazon asks the carrier.

    None without a code, for orders that Amazon sends or collects itself, and where nothing is left to confirm.
    """
    there = Wire(news.there, "there")
    order = there.part("order")
    kept = order.text("FulfillmentChannel") == "AFN" or order.text("EasyShipShipmentStatus") is not None
    lines = _units(news, there.part("orderItems"))
    if news.news is not News.DISPATCHED or not news.tracking_code or kept or not lines:
        return []
    path = f"/orders/v0/orders/{news.order_ref}/shipmentConfirmation"
    body = {"marketplaceId": MARKETPLACE, "packageDetail": _parcel(news, news.tracking_code, lines)}
    return [Request(method="POST", path=path, json=body, operation="shipment")]


def _units(news: ShipmentNews, items: Wire) -> list[dict[str, Any]]:
    left = {
        row.needed_ref("OrderItemId"): row.count("QuantityOrdered") - row.count("QuantityShipped")
        for row in items.rows("OrderItems")
    }
    asked = {line.line_ref: line.quantity for line in news.lines} or left
    units = {ref: min(count, left.get(ref, count)) for ref, count in asked.items()}
    return [{"orderItemId": ref, "quantity": count} for ref, count in units.items() if count > 0]


def _parcel(news: ShipmentNews, code: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Its reference is a number of the order's own: the same for the same code."""
    carrier = (news.carrier or "").strip()
    known = CARRIERS.get(carrier.lower())
    named = {"carrierCode": known} if known else {"carrierCode": "Other", "carrierName": carrier or "Transportadora"}
    return {
        "packageReferenceId": str(zlib.crc32(code.encode()) % 1_000_000_000 + 1),
        **named,
        **({"shippingMethod": news.service} if news.service else {}),
        "trackingNumber": code,
        "shipDate": f"{news.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "orderItems": lines,
    }

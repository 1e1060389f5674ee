"""How Amazon is told numbers and parcels, and what its answers say. Pure."""

import re
import zlib
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from adapters.amazon.mapping import MARKETPLACE, OURS
from hub import parse
from hub.calls import listed, refusal_of, said
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import News, Outcome, Reply, Request, ShipmentNews, StockWrite
from hub.wire import Wire

SELLER = "{sellerId}"  # filled in when the request leaves
ITEM = re.compile(r"/listings/2021-08-01/items/[^/]+/([^/?]+)$")
REFUSED = {"ACCEPTED": False, "VALID": False, "INVALID": True}  # VALID answers a preview: reading back will tell
ATTRIBUTE = "/attributes/fulfillment_availability"
CARRIERS = {"correios": "Correios"}  # carrierCode by name; what else Brazil takes is not published: "Other" with a name


def render(write: StockWrite) -> Request:
    """A patch of one SKU: `merge`, for `replace` wipes the handling time; without a channel code Amazon refuses."""
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
    sku, code = unquote(where[1]), values[0].text("fulfillment_channel_code")
    place, units = None if code == OURS else code, values[0].needed_count("quantity")
    return StockWrite(slot_ref=sku, listing_ref=sku, location_ref=place, quantity=units)


def read(write: StockWrite, reply: Reply) -> Outcome:
    """Taken to be done later, or refused, which Amazon does with a 200 as well."""
    body = Wire(json_of(reply), "body")
    if reply.status >= HTTPStatus.BAD_REQUEST:
        code, message = error_of(reply)
        return Outcome.refused(write, code or str(reply.status), message)
    refused = body.one_of("status", REFUSED)
    wrong = [row for row in body.rows("issues") if row.text("severity") in ("ERROR", None)]
    words = parse.joined(*(row.text("message") for row in wrong[:3]))
    if refused:
        return Outcome.refused(write, (wrong[0].text("code") if wrong else None) or "INVALID", words)
    receipt = body.text("submissionId")
    return Outcome.pending(write, receipt, words or receipt)


def error_of(reply: Reply) -> tuple[str | None, str | None]:
    """Code and sentence of {errors: [{code, message, details}]}, or of the token's {error, error_description}."""
    told = refusal_of(reply)
    first = next(iter(listed(told, "errors")), None)
    words = said(first, "message"), said(first, "details"), said(told, "error_description")
    return said(first, "code") or said(told, "error"), parse.joined(*dict.fromkeys(words))


def read_error(reply: Reply) -> str | None:
    """The vendor's word of an error answer."""
    return error_of(reply)[0]


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
        "shipDate": parse.zulu(news.at),
        "orderItems": lines,
    }

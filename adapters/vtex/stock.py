"""How VTEX is told numbers and parcels, and what its answers say. Pure."""

import re
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from adapters.vtex.mapping import FIRST_WAREHOUSE
from hub import parse
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import News, Outcome, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.wire import Wire

SKUS = "/api/logistics/pvt/inventory/skus"
PATH = re.compile(r"/inventory/skus/([^/]+)/warehouses/([^/]+)/quantity$")
EVENTS = {
    News.IN_TRANSIT: "Em trânsito",
    News.OUT_FOR_DELIVERY: "Saiu para entrega",
    News.FAILED_ATTEMPT: "Tentativa de entrega sem sucesso",
    News.DELIVERED: "Entregue",
    News.RETURNED: "Devolvido ao remetente",
}


def render(write: StockWrite) -> Request:
    """PATCH: a PUT would zero the lead time that it is not told."""
    place = quote(write.location_ref or FIRST_WAREHOUSE, safe="")
    return Request(
        method="PATCH",
        path=f"{SKUS}/{quote(write.slot_ref, safe='')}/warehouses/{place}/quantity",
        json={"quantity": write.quantity, "unlimitedQuantity": False},
        operation="stock",
        accept=frozenset({400, 404}),
    )


def sent(request: Request) -> StockWrite:
    """The write of a rendered request."""
    found, told = PATH.search(request.path), Wire(request.json, "request")
    if not found:
        raise Unreadable("request.path", "not a SKU in a warehouse")
    sku, units = unquote(found[1]), told.needed_count("quantity")
    return StockWrite(slot_ref=sku, location_ref=unquote(found[2]), listing_ref=sku, quantity=units)


def read(write: StockWrite, reply: Reply) -> Outcome:
    """204 without a word, or 200 with `true`."""
    if reply.status >= HTTPStatus.BAD_REQUEST:
        code, message = error_of(_body(reply))
        return Outcome.refused(write, code or str(reply.status), message)
    if reply.status != HTTPStatus.NO_CONTENT and json_of(reply) is not True:
        raise Unreadable("body", "neither empty nor true")
    return Outcome.accepted(write)


def _body(reply: Reply) -> Raw:
    """JSON, or the plain sentence that tells a lock."""
    try:
        return json_of(reply)
    except Unreadable:
        return reply.body.decode("utf-8", "replace")


def error_of(body: Raw) -> tuple[str | None, str | None]:
    """Code and sentence of `{error: {code, message}}`, `{Message}`, or a plain sentence."""
    told = body.get("error", body.get("Message")) if isinstance(body, dict) else body
    if isinstance(told, dict):
        return parse.text(told.get("code")), parse.text(told.get("message"))
    return None, parse.text(told[:300]) if isinstance(told, str) else None


def read_error(reply: Reply) -> str | None:
    """The vendor's code of an error answer, where it is a word; numbers say less than the status."""
    code = error_of(_body(reply))[0] if reply.status >= HTTPStatus.BAD_REQUEST else None
    return None if code is None or code.isdecimal() else code


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """An invoice with its code, or the code onto the invoice that is there; then what happens as its tracking."""
    there = Wire(news.there, "there")
    packages = [row for row in there.rows("packageAttachment.packages") if row.text("type") != "Input"]
    mine = next((row for row in packages if row.text("trackingNumber") == news.tracking_code), None)
    root = f"/api/oms/pvt/orders/{quote(news.order_ref, safe='')}/invoice"
    if news.news is not News.DISPATCHED:
        return _tracked(news, root, mine)
    if mine is not None and news.tracking_code:
        return []
    told = {"trackingNumber": news.tracking_code, "trackingUrl": news.tracking_url, "courier": news.carrier}
    bare = next((row for row in packages if not row.text("trackingNumber") and row.text("invoiceNumber")), None)
    if bare is not None:
        body = {**told, "dispatchedDate": news.at.isoformat()}
        number = quote(bare.text("invoiceNumber") or "", safe="")
        return [Request(method="PATCH", path=f"{root}/{number}", json=body, operation="shipment")]
    return [Request(method="POST", path=root, json={**_invoice(news, there), **told}, operation="shipment")]


def _invoice(news: ShipmentNews, there: Wire) -> dict[str, Any]:
    """The NF-e where we know it; without one the order's own number stands for it. The sum must be the order's."""
    key = news.invoice_key
    number = str(int(key[25:34])) if key and key[25:34].isdecimal() else there.text("sequence") or news.order_ref
    wanted = {line.line_ref: line.quantity for line in news.lines}
    items: list[dict[str, Any]] = [
        {"id": row.needed_ref("id"), "price": row.units("sellingPrice") or 0, "quantity": units}
        for n, row in enumerate(there.rows("items"))
        if (units := wanted.get(row.text("uniqueId") or str(n), 0) if wanted else row.quantity("quantity"))
    ]
    whole = not wanted or len(items) == len(there.rows("items"))
    value = there.units("value") if whole else sum(item["price"] * item["quantity"] for item in items)
    return {
        "type": "Output",
        "issuanceDate": news.at.isoformat(),
        "invoiceNumber": number,
        "invoiceValue": value,
        "items": items,
        **({"invoiceKey": key} if key else {}),
    }


def _tracked(news: ShipmentNews, root: str, mine: Wire | None) -> list[Request]:
    number = mine.text("invoiceNumber") if mine is not None else None
    if number is None:
        return []
    done = news.news is News.DELIVERED
    day = news.at.isoformat()
    event = {"description": EVENTS[news.news], "date": day}
    body = {"isDelivered": done, "deliveredDate": day if done else None, "events": [event]}
    return [Request(method="PUT", path=f"{root}/{quote(number, safe='')}/tracking", json=body, operation="shipment")]

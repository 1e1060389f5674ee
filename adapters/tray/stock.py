"""How Tray is told numbers and parcels, and what its answers say. Pure."""

import re
from http import HTTPStatus
from typing import Any

from hub import parse
from hub.calls import listed, told_in
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import News, Outcome, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.parse import SAO_PAULO
from hub.wire import Wire

PATH = re.compile(r"/products/(?:(variants)/)?(\d+)$")
LABELS = {News.DISPATCHED: "ENVIADO", News.DELIVERED: "FINALIZADO"}


def render(write: StockWrite) -> Request:
    """In the wrapper that a product or a variant wants."""
    product, variant = parse.slot(write.slot_ref)
    told: dict[str, Any] = {"stock": str(write.quantity)}
    if variant:  # named so that an answer can be read without its write
        path, body = f"/products/variants/{variant}", {"Variant": {**told, "product_id": product}}
    else:
        path, body = f"/products/{product}", {"Product": told}
    return Request(method="PUT", path=path, json=body, operation="stock", accept=frozenset({400, 404}))


def sent(request: Request) -> StockWrite:
    """The write of a rendered request."""
    found, body = PATH.search(request.path), Wire(request.json, "request")
    if not found:
        raise Unreadable("request.path", "not a product's or a variant's")
    told = body.part("Variant" if found[1] else "Product")
    units = told.needed_count("stock")
    if not found[1]:
        return StockWrite(slot_ref=found[2], listing_ref=found[2], quantity=units)
    product = told.ref("product_id") or ""
    return StockWrite(slot_ref=f"{product}:{found[2]}", listing_ref=product, variation_ref=found[2], quantity=units)


def read(write: StockWrite, reply: Reply) -> Outcome:
    """The answer says "Saved" and repeats no number."""
    body = json_of(reply)
    code, message = error_of(body)
    if reply.status >= HTTPStatus.BAD_REQUEST or code is not None:
        return Outcome.refused(write, code or str(reply.status), message)
    Wire(body, "body").needed_ref("id")
    return Outcome.accepted(write)


def error_of(body: Raw) -> tuple[str | None, str | None]:
    """Code and sentence of `{code, message, causes, error_code}`; nothing of an answer whose code is a success."""
    if not isinstance(body, dict):
        return None, None
    code = parse.text(body.get("error_code")) or parse.text(body.get("code"))
    if code is None or (code.startswith("2") and len(code) == 3):  # noqa: PLR2004 - an HTTP status
        return None, None
    said = [body.get("message"), *listed(body, "causes")]
    return code, parse.joined(*(each for each in said if isinstance(each, str)))


def read_error(reply: Reply) -> str | None:
    """The vendor's code, also inside a 200 that is one in name only."""
    return error_of(told_in(reply))[0]


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """Code, date and status in one; the status' number is the store's own, as `news.there` has it."""
    if news.news not in LABELS:
        return []
    told: dict[str, Any] = {}
    number = Wire(news.there, "there").ref(LABELS[news.news])
    if number:
        told["status_id"] = number
    if news.news is News.DISPATCHED:
        told["sending_date"] = news.at.astimezone(SAO_PAULO).date().isoformat()
        told |= {"sending_code": news.tracking_code} if news.tracking_code else {}
        told |= {"tracking_url": news.tracking_url} if news.tracking_url else {}
    if not told:
        return []
    return [Request(method="PUT", path=f"/orders/{news.order_ref}", json={"Order": told}, operation="shipment")]

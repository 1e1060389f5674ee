"""How a WooCommerce store is told numbers and parcels, and what its answers say. Pure."""

import re
from collections.abc import Callable, Sequence
from html import unescape
from http import HTTPStatus
from typing import Any

from adapters.woocommerce.mapping import API
from hub import parse
from hub.calls import batches, grouped
from hub.contract import json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import News, Outcome, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.wire import Wire

TRACKING_API = "/wp-json/wc-shipment-tracking/v3"
BATCH = 100  # objects in one batch call
PLUGIN_ABSENT = "correios_plugin_absent"  # ours: the store ignored a field that the plugin answers
NOT_COUNTED = "stock_not_managed"  # ours: the number was taken and does nothing
OWN = re.compile(r"[0-9]{1,20}")
BATCH_PATH = re.compile(r"/products/(?:(\d+)/variations/)?batch$")


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """Batches of at most 100 absolute numbers: of simple products, and of each product with variations."""
    by_path = grouped(writes, _path).items()
    return [(_batch(path, group), group) for path, all_ in by_path for group in batches(all_, BATCH)]


def _path(write: StockWrite) -> str:
    product, variation = parse.slot(write.slot_ref)
    return f"/products/{product}/variations/batch" if variation else "/products/batch"


def _own(write: StockWrite) -> str:
    product, variation = parse.slot(write.slot_ref)
    return variation or product


def _batch(path: str, writes: Sequence[StockWrite]) -> Request:
    rows = [{"id": int(_own(write)), "manage_stock": True, "stock_quantity": write.quantity} for write in writes]
    accept = frozenset({400, 404, 413})
    return Request(method="POST", path=API + path, json={"update": rows}, operation="stock", accept=accept)


def sent(request: Request) -> list[StockWrite]:
    """The writes of a rendered batch, read back from the request."""
    found, told = BATCH_PATH.search(request.path), Wire(request.json, "request")
    if not found or "update" not in told.raw:
        raise Unreadable("request", "not a stock batch")
    return [_write(row, found.group(1)) for row in told.rows("update")]


def _write(row: Wire, parent: str | None) -> StockWrite:
    own, units = row.needed_ref("id"), row.needed_count("stock_quantity")
    if not OWN.fullmatch(own):
        raise Unreadable(row.at("id"), f"not an id: {own!r}"[:120])
    if parent is None:
        return StockWrite(slot_ref=own, listing_ref=own, quantity=units)
    return StockWrite(slot_ref=f"{parent}:{own}", listing_ref=parent, variation_ref=own, quantity=units)


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """One outcome per write; the store answers a wrong id inside a 200, in that row's `error`."""
    body = json_of(reply)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        return [Outcome.refused(write, *_error(body, str(reply.status))) for write in writes]
    told = Wire(body, "body")
    if "update" not in told.raw:
        raise Unreadable("body.update", "not told")
    by_id = {row.ref("id"): row for row in told.objects("update")}
    return [_outcome(write, by_id.get(_own(write))) for write in writes]


def _outcome(write: StockWrite, row: Wire | None) -> Outcome:
    if row is None:
        return Outcome.refused(write, "not_answered", "the store's answer has no row for this product")
    if row.raw.get("error"):
        return Outcome.refused(write, *_error(row.raw["error"], "error"))
    if row.value("manage_stock") in (False, "no", ""):  # stock management is off for the whole store
        return Outcome.refused(write, NOT_COUNTED, "the store does not count stock: turn stock management on")
    return Outcome.accepted(write, row.units("stock_quantity"))


def _error(body: Raw, otherwise: str) -> tuple[str, str | None]:
    """Code and sentence of `{code, message, data}`, or of the older `{error, message}`."""
    told = body if isinstance(body, dict) else {}
    code, message = told.get("code") or told.get("error"), told.get("message")
    words = unescape(message) if isinstance(message, str) else ""
    return code if isinstance(code, str) else otherwise, words or None


def error_code(reply: Reply) -> str | None:
    """The vendor's code of an error answer; null where there is none, so that the status decides."""
    failed = reply.status >= HTTPStatus.BAD_REQUEST
    if not failed and len(reply.body) >= 64:  # noqa: PLR2004 - no document is as short as the one that matters
        return None
    try:
        body = json_of(reply)
    except Unreadable:
        return None
    if failed:
        return _error(body, "")[0] or None
    return PLUGIN_ABSENT if isinstance(body, dict) and set(body) == {"id"} else None


# ── Parcels: four places to tell them, of which a store has some ─────────────────────────────────────────────


def shipped(news: ShipmentNews, target: str) -> list[Request]:
    """The parcel, then `completed`, the store's only word for shipped; it has none for what comes later."""
    if news.news is not News.DISPATCHED:
        return []
    order_id = news.order_ref
    if not (order_id.isascii() and order_id.isdigit()):
        raise Unreadable("order_ref", f"not an order id: {order_id!r}"[:120])
    completed = Request(method="PUT", path=f"{API}/orders/{order_id}", json={"status": "completed"})
    return [*TARGETS[target](news, order_id), completed]


def _fulfillments(news: ShipmentNews, order_id: str) -> list[Request]:
    """Core fulfillments, beta since 10.1 behind a flag; ids must be integers, and items must be named."""
    items = [{"item_id": int(line.line_ref), "qty": line.quantity} for line in news.lines if line.line_ref.isdecimal()]
    if not items:
        raise ChannelError(Fault.MISSING, "no_lines", "a fulfillment names its lines, and none were given")
    told: dict[str, Any] = {"_items": items, "_tracking_number": news.tracking_code, "_shipping_provider": news.carrier}
    told["_tracking_url"] = news.tracking_url
    meta = [{"key": key, "value": value} for key, value in told.items() if value]
    body = {"status": "fulfilled", "meta_data": meta, "notify_customer": True}
    return [Request(method="POST", path=f"{API}/orders/{order_id}/fulfillments", json=body)]


def _shipment_tracking(news: ShipmentNews, order_id: str) -> list[Request]:
    """The Shipment Tracking plugin: a provider that it does not know needs the link told."""
    if not news.tracking_code:
        return []
    body = {"tracking_number": news.tracking_code, "date_shipped": news.at.date().isoformat()}
    link = {"custom_tracking_link": news.tracking_url} if news.tracking_url else {}
    body |= {"custom_tracking_provider" if link else "tracking_provider": news.carrier or "Transportadora", **link}
    return [Request(method="POST", path=f"{TRACKING_API}/orders/{order_id}/shipment-trackings", json=body)]


def _correios_plugin(news: ShipmentNews, order_id: str) -> list[Request]:
    """Appends the code, adds a note and sends an e-mail each time: never sent twice by the transport."""
    if not news.tracking_code:
        return []
    # A store without the plugin ignores the field; asked for two fields only, it then answers the id alone.
    path, body = f"{API}/orders/{order_id}", {"correios_tracking_code": news.tracking_code}
    asked = (("_fields", "id,correios_tracking_code"),)
    return [Request(method="PUT", path=path, params=asked, json=body, repeatable=False)]


def _note(news: ShipmentNews, order_id: str) -> list[Request]:
    """Always there: a note that the buyer gets by e-mail."""
    parts = (
        "Pedido enviado" + (f" por {news.carrier}" if news.carrier else "") + ".",
        f"Código de rastreamento: {news.tracking_code}." if news.tracking_code else "",
        news.tracking_url or "",
    )
    body = {"note": " ".join(filter(None, parts)), "customer_note": True}
    return [Request(method="POST", path=f"{API}/orders/{order_id}/notes", json=body)]


TARGETS: dict[str, Callable[[ShipmentNews, str], list[Request]]] = {
    "fulfillments": _fulfillments,
    "shipment_tracking": _shipment_tracking,
    "correios_plugin": _correios_plugin,
    "note": _note,
}

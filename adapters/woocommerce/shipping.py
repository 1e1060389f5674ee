"""How a WooCommerce store is told that a parcel left: four places, of which a store has some. Pure."""

from collections.abc import Callable
from typing import Any

from adapters.woocommerce.mapping import API
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import News, Request, ShipmentNews

TRACKING_API = "/wp-json/wc-shipment-tracking/v3"


def render(news: ShipmentNews, target: str) -> list[Request]:
    """The calls that tell it: the parcel, then `completed`, the store's only word for shipped.

    Nothing but the dispatch can be told: the store has no delivered state.
    """
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
    """Appends the code, adds a note and sends an e-mail each time: never sent twice by the transport.

    A store without the plugin ignores the field; asked for two fields only, it then answers the id alone.
    """
    if not news.tracking_code:
        return []
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

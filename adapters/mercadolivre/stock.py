"""How Mercado Livre is told numbers and parcels, and what its answers say. Pure."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from adapters.mercadolivre.mapping import shelf, slot
from hub import parse
from hub.calls import listed, refusal_of, said
from hub.contract import json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import News, Outcome, OutcomeKind, Reply, Request, ShipmentNews, StockWrite
from hub.wire import Wire, rows

# ME1 only: (status, substatus, comment); the substatus "null" is a string. A failed attempt wants a reason
# that the hub does not know, and in_transit has no word of its own: neither is told.
SELLER_NOTIFICATIONS = {
    News.DISPATCHED: ("shipped", "null", "Despachado"),
    News.OUT_FOR_DELIVERY: ("shipped", "out_for_delivery", "Saiu para entrega"),
    News.DELIVERED: ("delivered", "null", "Pedido entregue"),  # final
    News.RETURNED: ("not_delivered", "returning_to_sender", "Não entregue"),  # final
}
ME1_SERVICE = 11  # service_id of ME1 on MLB


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """A variation is written under its own path: a PUT of the item that lists only some deletes the others."""
    return [(_shelf_request(write) if write.location_ref else _item_request(write), (write,)) for write in writes]


def _item_request(write: StockWrite) -> Request:
    variation = f"/variations/{write.variation_ref}" if write.variation_ref else ""
    path, body = f"/items/{write.listing_ref}{variation}", {"available_quantity": write.quantity}
    return Request(method="PUT", path=path, json=body, operation="items", accept=frozenset({400}))


def _shelf_request(write: StockWrite) -> Request:
    store, _, node = (write.location_ref or "").partition(":")
    return Request(
        method="PUT",
        path=f"/user-products/{write.slot_ref}/stock/type/seller_warehouse",
        headers={"x-version": write.version} if write.version else {},
        json={"locations": [{"store_id": store, "network_node_id": node, "quantity": write.quantity}]},
        operation="user_product_stock",
        accept=frozenset({400, 409}),
    )


def asked(request: Request) -> list[StockWrite]:
    """The writes of a PUT: `render` backwards."""
    told = Wire(request.json, "request.json")
    if found := re.fullmatch(r"/user-products/(\w+)/stock/type/\w+", request.path):
        at = [(shelf(row), row.needed_count("quantity")) for row in told.rows("locations")]
        return [StockWrite(slot_ref=found[1], location_ref=ref, listing_ref="", quantity=units) for ref, units in at]
    found = re.fullmatch(r"/items/(\w+)(?:/variations/(\w+))?", request.path)
    if not found:
        raise Unreadable("request.path", f"not a stock write: {request.path!r}"[:120])
    each = [(found[2], told), *((row.needed_ref("id"), row) for row in told.rows("variations"))]
    return [
        StockWrite(
            slot_ref=slot(found[1], ref),
            listing_ref=found[1],
            variation_ref=ref,
            quantity=own.needed_count("available_quantity"),
        )
        for ref, own in each
        if own.value("available_quantity") is not None
    ]


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """Each write's outcome; a 200 without JSON is Unreadable."""
    return [_outcome(write, reply) for write in writes]


def _outcome(write: StockWrite, reply: Reply) -> Outcome:
    if reply.status >= HTTPStatus.BAD_REQUEST:
        code, why = _reason(reply)
        # 409: version mismatch, item optimistic locking; 400 "Missing X-Version header": look at it first.
        stale = reply.status == HTTPStatus.CONFLICT or "x-version" in (why or "").lower()
        return Outcome.refused(write, code, why, OutcomeKind.STALE if stale else OutcomeKind.FAULT)
    seen = _seen(write, reply)
    if seen in (None, write.quantity):
        return Outcome.accepted(write, seen)
    # A seller with several stock origins gets 200 for a PUT of the item, and nothing changes.
    why = f"Mercado Livre answered {reply.status} and kept the quantity at {seen}"
    return Outcome.refused(write, "ignored", why, seen=seen)


def _seen(write: StockWrite, reply: Reply) -> int | None:
    """The quantity in the answer: of the item, the variation, all its variations, or the stock locations."""
    told = json_of(reply)
    if write.location_ref:
        store, shelves = write.location_ref.partition(":")[0], Wire(told, "body").rows("locations")
        return next((at.needed_count("quantity") for at in shelves if at.text("store_id") == store), None)
    if write.variation_ref and isinstance(told, dict) and isinstance(told.get("variations"), list):
        told = told["variations"]
    mine, each = write.variation_ref or write.listing_ref, rows(told if isinstance(told, list) else [told], "body")
    return next((row.units("available_quantity") for row in each if row.ref("id") == mine), None)


def read_error(reply: Reply) -> str | None:
    """The vendor's code in a refusal: `code` (told by policies), `error`, or a `message` that is a code."""
    told = refusal_of(reply)
    words = (told.get("code"), told.get("error"), told.get("message"))
    return next((word for word in words if isinstance(word, str) and re.fullmatch(r"[A-Za-z_.]+", word)), None)


def _reason(reply: Reply) -> tuple[str, str | None]:
    """Code and sentence; `cause` is a list of objects, of strings, or absent."""
    told = refusal_of(reply)
    first = next(iter(listed(told, "cause")), None)
    cause = first if isinstance(first, dict) else {"message": first}
    code = said(cause, "code") or said(told, "error", "code") or str(reply.status)
    return code, said(cause, "message") or said(told, "message")


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """What a seller with an own carrier (ME1) tells; in ME2 Mercado Livre moves the status itself."""
    words = SELLER_NOTIFICATIONS.get(news.news)
    if (news.service or "").partition(":")[0] != "me1" or words is None:
        return []
    if news.shipment_ref is None:
        raise ChannelError(Fault.REJECTED, "no_shipment", f"order {news.order_ref} has no shipment to tell about")
    status, substatus, comment = words
    date = news.at.astimezone(parse.BRASILIA).isoformat(timespec="milliseconds")
    payload: dict[str, Any] = {"comment": comment, "date": date}
    body: dict[str, Any] = {"payload": payload, "status": status, "substatus": substatus}
    if status == "shipped":
        payload["service_id"] = ME1_SERVICE
        tracking = {"tracking_number": news.tracking_code, "tracking_url": news.tracking_url}
        body |= {name: told for name, told in tracking.items() if told}
    return [Request(method="POST", path=f"/shipments/{news.shipment_ref}/seller_notifications", json=body)]

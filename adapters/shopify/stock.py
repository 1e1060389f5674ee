"""How Shopify is told numbers and parcels, and what its answers say. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from adapters.shopify import queries
from adapters.shopify.reading import Node, gid
from hub import parse
from hub.contract import json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import News, Outcome, OutcomeKind, Raw, Reply, Request, ShipmentNews, StockWrite

PATH = "/admin/api/2026-04/graphql.json"
BATCH = 250  # rows of any input
STALE = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
AGAIN = "again:"  # a write read back from a request repeats that request, under its own key


def asking(query: str, variables: Mapping[str, Any]) -> Request:
    """A query."""
    return Request(method="POST", path=PATH, json={"query": query, "variables": dict(variables)}, asks=True)


def telling(mutation: str, variables: Mapping[str, Any], operation: str, *, repeatable: bool = False) -> Request:
    """A mutation."""
    body = {"query": mutation, "variables": dict(variables)}
    return Request(method="POST", path=PATH, json=body, operation=operation, repeatable=repeatable)


# ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────


def read_error(reply: Reply) -> str | None:
    """The code of an error inside a 200: the query's own, or a mutation's userErrors.

    Fields that the application may not see are null beside ACCESS_DENIED: an answer, if anything was told. A stale
    row is one, too: nothing was written, and `read` says so.
    """
    try:
        told = json_of(reply)
    except Unreadable:
        return None
    found = told.get("data") if isinstance(told, dict) else None
    data: dict[str, Any] = found if isinstance(found, dict) else {}
    some = any(value is not None for value in data.values())
    errors = told.get("errors") if isinstance(told, dict) else None
    if isinstance(told, dict) and isinstance(told.get("error"), str):  # of the token's address
        return str(told["error"])[:80]
    for error in errors if isinstance(errors, list) else ():
        code = _code(error)
        if not (some and code == "ACCESS_DENIED"):
            return code
    refused = [code for code, _field, _message in _user_errors(data) if code not in STALE]
    return refused[0] if refused else None


def _code(error: Raw) -> str:
    more = error.get("extensions") if isinstance(error, dict) else None
    return str((more.get("code") if isinstance(more, dict) else None) or "GRAPHQL_ERROR")[:80]


def _user_errors(data: Mapping[str, Any]) -> list[tuple[str, list[Any], str | None]]:
    """(code, path of the field, sentence) of each thing that a mutation refused."""
    payloads = [payload for payload in data.values() if isinstance(payload, dict)]
    rows = [row for payload in payloads for row in _list(payload.get("userErrors")) if isinstance(row, dict)]
    return [
        (str(row.get("code") or "USER_ERROR")[:80], _list(row.get("field")), parse.text(str(row.get("message") or "")))
        for row in rows
    ]


def _list(told: Raw) -> list[Any]:
    return told if isinstance(told, list) else []


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """Absolute numbers, 250 at a time, each on condition that the one that was looked at still stands.

    Where nobody knows the location Shopify refuses the row, in words.
    The key names this very change: the number that was seen, when that came to be, and the one that is wanted.
    """
    batches = [tuple(writes[start : start + BATCH]) for start in range(0, len(writes), BATCH)]
    return [(_set(batch), batch) for batch in batches]


def _set(writes: Sequence[StockWrite]) -> Request:
    rows = [
        {
            "inventoryItemId": gid("InventoryItem", write.slot_ref),
            "locationId": gid("Location", write.location_ref or "0"),
            "quantity": write.quantity,
            "changeFromQuantity": write.expected,
        }
        for write in writes
    ]
    versions = [write.version for write in writes]
    first = versions[0] or ""
    key = first.removeprefix(AGAIN) if first.startswith(AGAIN) else parse.digest([rows, versions])
    told = {"name": "available", "reason": "correction", "referenceDocumentUri": f"gid://balcao/Push/{key}"}
    return telling(queries.SET, {"input": {**told, "quantities": rows}, "key": key}, "stock")


def sent(request: Request) -> list[StockWrite]:
    """The writes of a rendered request."""
    asked = Node(request.json, "request").part("variables")
    key, rows = asked.text("key"), asked.part("input").nodes("quantities")
    if not key or not rows:
        raise Unreadable("request.variables", "sets no quantities")
    return [
        StockWrite(
            slot_ref=row.needed_number("inventory_item_id"),
            location_ref=row.number("location_id"),
            listing_ref="",
            quantity=row.count("quantity"),
            expected=row.units("change_from_quantity"),
            version=f"{AGAIN}{key}",
        )
        for row in rows
    ]


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """One outcome per row. All are written or none: beside a refused row, the others are looked at again."""
    body = json_of(reply)
    data = body.get("data") if isinstance(body, dict) else None
    told = data.get("inventorySetQuantities") if isinstance(data, dict) else None
    if not isinstance(told, dict):
        errors = _list(body.get("errors")) if isinstance(body, dict) else []
        if not errors and reply.status < 400:  # noqa: PLR2004 - HTTP
            raise Unreadable("body.data.inventorySetQuantities", "not told")
        code = _code(errors[0]) if errors else str(reply.status)
        words = errors[0].get("message") if errors and isinstance(errors[0], dict) else None
        message = parse.text(str(words or "")) or f"HTTP {reply.status}"
        return [_outcome(write, OutcomeKind.FAULT, code=code, message=message) for write in writes]
    refused = _user_errors(data or {})
    if refused:
        named = {_row(field): (code, message) for code, field, message in refused}
        return [_refused(write, named.get(n) or named.get(None)) for n, write in enumerate(writes)]
    seen = _seen(Node(told, "body.data.inventorySetQuantities").part("inventory_adjustment_group"))
    return [_written(write, seen.get((write.slot_ref, write.location_ref))) for write in writes]


def _outcome(write: StockWrite, kind: OutcomeKind, **more: Any) -> Outcome:
    named: dict[str, Any] = {
        "listing_ref": write.listing_ref or None,
        "variation_ref": write.variation_ref,
        "slot_ref": write.slot_ref,
    }
    return Outcome(**named, outcome=kind, **more)


def _row(field: Sequence[Any]) -> int | None:
    """The row of ["input", "quantities", "3", "quantity"]; None: the whole request is meant."""
    return next((int(str(key)) for key in field if str(key).isdecimal() and len(str(key)) < 6), None)  # noqa: PLR2004


def _refused(write: StockWrite, told: tuple[str, str | None] | None) -> Outcome:
    if told is None or told[0] in STALE:
        return _outcome(write, OutcomeKind.STALE)
    return _outcome(write, OutcomeKind.FAULT, code=told[0], message=told[1])


def _seen(group: Node) -> dict[tuple[str | None, str | None], int | None]:
    """The number after the change, by item and location; a row that changed nothing is not told."""
    rows = [row for row in group.nodes("changes") if row.text("name") == "available"]
    return {(r.part("item").number(), r.part("location").number()): r.units("quantity_after_change") for r in rows}


def _written(write: StockWrite, seen: int | None) -> Outcome:
    if seen not in (None, write.quantity):  # somebody was quicker
        return _outcome(write, OutcomeKind.STALE)
    return _outcome(write, OutcomeKind.ACCEPTED, seen=seen)


# ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────────

READY = frozenset({"OPEN", "IN_PROGRESS"})
EVENTS = {
    News.IN_TRANSIT: "IN_TRANSIT",
    News.OUT_FOR_DELIVERY: "OUT_FOR_DELIVERY",
    News.FAILED_ATTEMPT: "ATTEMPTED_DELIVERY",
    News.DELIVERED: "DELIVERED",
}


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """Its fulfilment orders fulfilled, once; later on events of that fulfilment. It has no word for a return."""
    there = Node(news.there, "order")
    live = [row for row in there.nodes("fulfillments") if row.text("status") not in ("CANCELLED", "ERROR", "FAILURE")]
    coded = [row for row in live if news.tracking_code in [each.text("number") for each in row.nodes("tracking_info")]]
    if news.news is News.DISPATCHED:
        return [] if news.tracking_code and coded else _dispatched(news, there, live)
    own = [row for row in live if row.number() == news.shipment_ref]
    if news.news not in EVENTS or not (known := coded or own or live):
        return []
    at = news.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    event = {"fulfillmentId": known[0].text("id"), "status": EVENTS[news.news], "happenedAt": at}
    return [telling(queries.EVENT, {"event": event}, "shipment")]


def _dispatched(news: ShipmentNews, there: Node, live: Sequence[Node]) -> list[Request]:
    """All fulfilment orders of one call must be of one location; what is left without a code gets this one."""
    info = {"number": news.tracking_code, "company": news.carrier, "url": news.tracking_url}
    info = {key: told for key, told in info.items() if told}
    orders = there.nodes("fulfillment_orders")
    places: dict[str | None, list[dict[str, Any]]] = {}
    left = {row.line_ref: row.quantity for row in news.lines}
    for row in orders:
        chosen = _chosen(row, left) if news.lines else []
        if row.text("status") in READY and (chosen or not news.lines):
            place = row.part("assigned_location").part("location").number()
            named = {"fulfillmentOrderId": row.text("id"), **({"fulfillmentOrderLineItems": chosen} if chosen else {})}
            places.setdefault(place, []).append(named)
    if places:
        told = [{"lineItemsByFulfillmentOrder": rows, "notifyCustomer": True} for rows in places.values()]
        more = {"trackingInfo": info} if info else {}
        return [telling(queries.FULFIL, {"fulfillment": {**each, **more}}, "shipment") for each in told]
    if any(row.text("status") == "ON_HOLD" for row in orders):
        raise ChannelError(
            Fault.REJECTED, "ON_HOLD", "fulfilment is on hold at Shopify: release it there, then try again"
        )
    bare = [row for row in live if not row.nodes("tracking_info")]
    return [telling(queries.TRACK, {"id": bare[0].text("id"), "info": info}, "shipment")] if bare and info else []


def _chosen(row: Node, left: dict[str, int]) -> list[dict[str, Any]]:
    """Rows of a fulfilment order that hold the units meant; what they hold is taken off `left`."""
    found = []
    for line in row.nodes("line_items"):
        ref = line.part("line_item").number() or ""
        count = min(left.get(ref, 0), line.count("remaining_quantity"))
        if count:
            left[ref] -= count
            found.append({"id": line.text("id"), "quantity": count})
    return found

"""How Shopify is told numbers and parcels, and what its answers say. Pure."""

from collections.abc import Sequence
from datetime import UTC
from http import HTTPStatus
from typing import Any

from adapters.shopify.queries import asking
from adapters.shopify.reading import Node, gid
from hub import parse
from hub.calls import batches, within
from hub.contract import json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import News, Outcome, Raw, Reply, Request, ShipmentNews, StockWrite

BATCH = 250  # rows of any input
STALE = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
FAULTS: dict[int | str, Fault] = {  # of mutations
    **dict.fromkeys(
        ("INVALID_LOCATION", "ITEM_NOT_STOCKED_AT_LOCATION", "NON_MUTABLE_INVENTORY_ITEM", "INVALID_QUANTITY_NEGATIVE",
         "INVALID_QUANTITY_TOO_HIGH", "INVALID_QUANTITY_TOO_LOW", "INVALID_NAME", "INVALID_REASON",
         "INVALID_REFERENCE_DOCUMENT", "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "USER_ERROR"),
        Fault.REJECTED,
    ),  # the last is ours for those that tell no code
    "INVALID_INVENTORY_ITEM": Fault.MISSING,
    "IDEMPOTENCY_CONCURRENT_REQUEST": Fault.TRANSIENT,  # the same write is still under way
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": Fault.TRANSIENT,  # looked at again, it goes out under another key
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": Fault.TRANSIENT,
}  # fmt: skip
AGAIN = "again:"  # a write read back from a request repeats that request, under its own key


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
    refused = within(told, "error")  # of the token's address
    if isinstance(refused, str):
        return refused[:80]
    return next((code for code, _field, _message in _refusals(told) if code not in STALE), None)


def _refusals(told: Raw) -> list[tuple[str, list[Any], str | None]]:
    """Code, path of the field and sentence of each thing wrong with a query, or refused by its mutation."""
    data = within(told, "data")
    answers = [answer for answer in data.values() if answer is not None] if isinstance(data, dict) else []
    found = [(within(row, "extensions", "code") or "GRAPHQL_ERROR", row) for row in _list(within(told, "errors"))]
    found = [(code, row) for code, row in found if not (answers and code == "ACCESS_DENIED")]
    found += [
        (within(row, "code") or "USER_ERROR", row) for each in answers for row in _list(within(each, "userErrors"))
    ]
    return [(str(code)[:80], _list(within(row, "field")), parse.text(within(row, "message"))) for code, row in found]


def _list(told: Raw) -> list[Any]:
    return told if isinstance(told, list) else []


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """Absolute numbers, 250 at a time, each on condition that the one that was looked at still stands.

    Where nobody knows the location Shopify refuses the row, in words.
    The key names this very change: the number that was seen, when that came to be, and the one that is wanted.
    """
    return [(_set(batch), batch) for batch in batches(writes, BATCH)]


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
    return asking("SetQuantities", {"input": {**told, "quantities": rows}, "key": key}, "stock")


def sent(request: Request) -> list[StockWrite]:
    """The writes of a rendered request."""
    asked = Node(request.json, "request").part("variables")
    key, rows = asked.text("key"), asked.rows("input.quantities")
    if not key or not rows:
        raise Unreadable("request.variables", "sets no quantities")
    return [
        StockWrite(
            slot_ref=row.needed_ref("inventory_item_id"),
            location_ref=row.ref("location_id"),
            listing_ref="",
            quantity=row.count("quantity"),
            expected=row.units("change_from_quantity"),
            version=f"{AGAIN}{key}",
        )
        for row in rows
    ]


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """One outcome per row. All are written or none: beside a refused row, the others are looked at again."""
    body, words = json_of(reply), f"HTTP {reply.status}"
    refused = _refusals(body) or ([(str(reply.status), [], words)] if reply.status >= HTTPStatus.BAD_REQUEST else [])
    if refused:
        named = {_row(field): (code, message or words) for code, field, message in refused}
        return [_refused(write, named.get(n) or named.get(None)) for n, write in enumerate(writes)]
    told = Node(within(body, "data", "inventorySetQuantities"), "body.data.inventorySetQuantities")
    if not told:
        raise Unreadable(told.path, "not told")
    rows = [row for row in told.rows("inventory_adjustment_group.changes") if row.text("name") == "available"]
    seen = {(row.ref("item.id"), row.ref("location.id")): row.units("quantity_after_change") for row in rows}
    return [_written(write, seen.get((write.slot_ref, write.location_ref))) for write in writes]


def _row(field: Sequence[Any]) -> int | None:
    """The row of ["input", "quantities", "3", "quantity"]; None: the whole request is meant."""
    return next((int(str(key)) for key in field if str(key).isdecimal() and len(str(key)) < 6), None)  # noqa: PLR2004


def _refused(write: StockWrite, told: tuple[str, str | None] | None) -> Outcome:
    return Outcome.stale(write) if told is None or told[0] in STALE else Outcome.refused(write, *told)


def _written(write: StockWrite, seen: int | None) -> Outcome:
    """Another number than ours: somebody was quicker."""
    return Outcome.accepted(write, seen) if seen in (None, write.quantity) else Outcome.stale(write)


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
    live = [row for row in there.rows("fulfillments") if row.text("status") not in ("CANCELLED", "ERROR", "FAILURE")]
    coded = [row for row in live if news.tracking_code in [each.text("number") for each in row.rows("tracking_info")]]
    if news.news is News.DISPATCHED:
        return [] if news.tracking_code and coded else _dispatched(news, there, live)
    own = [row for row in live if row.ref("id") == news.shipment_ref]
    if news.news not in EVENTS or not (known := coded or own or live):
        return []
    at = news.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    event = {"fulfillmentId": known[0].text("id"), "status": EVENTS[news.news], "happenedAt": at}
    return [asking("Event", {"event": event}, "shipment")]


def _dispatched(news: ShipmentNews, there: Node, live: Sequence[Node]) -> list[Request]:
    """All fulfilment orders of one call must be of one location; what is left without a code gets this one."""
    info = {"number": news.tracking_code, "company": news.carrier, "url": news.tracking_url}
    info = {key: told for key, told in info.items() if told}
    orders = there.rows("fulfillment_orders")
    places: dict[str | None, list[dict[str, Any]]] = {}
    left = {row.line_ref: row.quantity for row in news.lines}
    for row in orders:
        chosen = _chosen(row, left) if news.lines else []
        if row.text("status") in READY and (chosen or not news.lines):
            place = row.ref("assigned_location.location.id")
            named = {"fulfillmentOrderId": row.text("id"), **({"fulfillmentOrderLineItems": chosen} if chosen else {})}
            places.setdefault(place, []).append(named)
    if places:
        told = [{"lineItemsByFulfillmentOrder": rows, "notifyCustomer": True} for rows in places.values()]
        more = {"trackingInfo": info} if info else {}
        return [asking("Fulfil", {"fulfillment": {**each, **more}}, "shipment") for each in told]
    if any(row.text("status") == "ON_HOLD" for row in orders):
        raise ChannelError(
            Fault.REJECTED, "ON_HOLD", "fulfilment is on hold at Shopify: release it there, then try again"
        )
    bare = [row for row in live if not row.rows("tracking_info")]
    return [asking("Track", {"id": bare[0].text("id"), "info": info}, "shipment")] if bare and info else []


def _chosen(row: Node, left: dict[str, int]) -> list[dict[str, Any]]:
    """Rows of a fulfilment order that hold the units meant; what they hold is taken off `left`."""
    found = []
    for line in row.rows("line_items"):
        ref = line.ref("line_item.id") or ""
        count = min(left.get(ref, 0), line.count("remaining_quantity"))
        if count:
            left[ref] -= count
            found.append({"id": line.text("id"), "quantity": count})
    return found

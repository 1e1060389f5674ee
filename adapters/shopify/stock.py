"""How Shopify is told numbers and parcels, and what its answers say. Pure."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from adapters.shopify.mapping import GONE, PARCELS
from adapters.shopify.queries import asking
from adapters.shopify.reading import Node, gid
from hub import parse
from hub.calls import batches, grouped, listed, said, told_in, within
from hub.contract import json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import News, Outcome, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.stages import by_word

BATCH = 250  # rows of any input
STALE = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
FAULTS = by_word(
    (Fault.AUTH, "invalid_request application_cannot_be_found shop_not_permitted"),  # no token is granted
    (Fault.AUTH, "ACCESS_DENIED SHOP_INACTIVE"),  # a scope is missing; the shop is closed
    (Fault.THROTTLED, "THROTTLED"),
    (Fault.TRANSIENT, "INTERNAL_SERVER_ERROR TIMEOUT IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"),
    (Fault.TRANSIENT, "IDEMPOTENCY_CONCURRENT_REQUEST"),  # the same write is still under way
    (Fault.TRANSIENT, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"),  # looked at again, it goes out under another key
    (Fault.REJECTED, "INVALID_LOCATION ITEM_NOT_STOCKED_AT_LOCATION NON_MUTABLE_INVENTORY_ITEM INVALID_NAME"),
    (Fault.REJECTED, "INVALID_QUANTITY_NEGATIVE INVALID_QUANTITY_TOO_HIGH INVALID_QUANTITY_TOO_LOW INVALID_REASON"),
    (Fault.REJECTED, "INVALID_REFERENCE_DOCUMENT NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR MAX_COST_EXCEEDED"),
    (Fault.REJECTED, "USER_ERROR"),  # ours, for mutations that tell no code
    (Fault.MISSING, "NOT_FOUND INVALID_INVENTORY_ITEM"),
    (Fault.SHAPE, "GRAPHQL_ERROR"),  # ours: the query itself is refused, the API changed
)
STATUSES: dict[int | str, Fault] = {
    **dict.fromkeys((401, 403, 423), Fault.AUTH),  # 423: the shop is locked
    402: Fault.AUTH,  # it is frozen for its bill
    404: Fault.AUTH,  # all calls go to one address: there is no such shop
    429: Fault.THROTTLED,
}
AGAIN = "again:"  # a write read back from a request repeats that request, under its own key


def read_error(reply: Reply) -> str | None:
    """The code of an error inside a 200; a stale row is none: nothing was written, and `read` says so."""
    told = told_in(reply)
    refused = said(told, "error")  # of the token's address
    return refused[:80] if refused else next((code for code, _ in _refusals(told) if code not in STALE), None)


def _refusals(told: Raw) -> list[tuple[str, Raw]]:
    """Code and row of each thing wrong with a query, or refused by its mutation: its userErrors."""
    data = within(told, "data")
    answers = [answer for answer in data.values() if answer is not None] if isinstance(data, dict) else []
    wrong = [(within(row, "extensions", "code") or "GRAPHQL_ERROR", row) for row in listed(told, "errors")]
    # Fields that the application may not see are null beside ACCESS_DENIED: an answer, if anything was told.
    found = [(code, row) for code, row in wrong if not (answers and code == "ACCESS_DENIED")]
    found += [(within(row, "code") or "USER_ERROR", row) for each in answers for row in listed(each, "userErrors")]
    return [(str(code)[:80], row) for code, row in found]


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """Absolute numbers, 250 at a time, each on condition that the one that was looked at still stands."""
    return [(_set(batch), batch) for batch in batches(writes, BATCH)]


def _set(writes: Sequence[StockWrite]) -> Request:
    """The key names this very change: the number that was seen, when that came to be, and the one that is wanted."""
    rows = [
        {
            "inventoryItemId": gid("InventoryItem", write.slot_ref),
            "locationId": gid("Location", write.location_ref or "0"),  # which Shopify refuses, in words
            "quantity": write.quantity,
            "changeFromQuantity": write.expected,
        }
        for write in writes
    ]
    known = (writes[0].version or "").partition(AGAIN)[2]
    key = known or parse.digest([rows, [write.version for write in writes]])
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
            version=AGAIN + key,
        )
        for row in rows
    ]


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """One outcome per row. All are written or none: beside a refused row, the others are looked at again."""
    body, words = json_of(reply), f"HTTP {reply.status}"
    refused = _refusals(body) or ([(str(reply.status), None)] if reply.status >= HTTPStatus.BAD_REQUEST else [])
    if refused:
        named = {_place(row): (code, parse.text(within(row, "message")) or words) for code, row in refused}
        return [_refused(write, named.get(str(n)) or named.get(None)) for n, write in enumerate(writes)]
    told = Node(within(body, "data", "inventorySetQuantities"), "body.data.inventorySetQuantities")
    told.needed_rows("user_errors")  # none: it was written
    rows = [row for row in told.rows("inventory_adjustment_group.changes") if row.text("name") == "available"]
    seen = {(row.ref("item.id"), row.ref("location.id")): row.units("quantity_after_change") for row in rows}
    return [_written(write, seen.get((write.slot_ref, write.location_ref))) for write in writes]


def _place(refused: Raw) -> str | None:
    """The row of ["input", "quantities", "3", "quantity"]; None: the whole request is meant."""
    return next((str(key) for key in listed(refused, "field") if str(key).isdecimal()), None)


def _refused(write: StockWrite, told: tuple[str, str] | None) -> Outcome:
    return Outcome.stale(write) if told is None or told[0] in STALE else Outcome.refused(write, *told)


def _written(write: StockWrite, seen: int | None) -> Outcome:
    """Another number than ours: somebody was quicker."""
    return Outcome.accepted(write, seen) if seen in (None, write.quantity) else Outcome.stale(write)


# ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────────

READY = frozenset({"OPEN", "IN_PROGRESS"})
EVENTS = {status.value: word.upper() for word, status in reversed(PARCELS.items()) if status}  # its first word


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """Its fulfilment orders fulfilled, once; later on events of that fulfilment. It has no word for a return."""
    there = Node(news.there, "order")
    live = [row for row in there.rows("fulfillments") if row.word("status") not in GONE]
    coded = [row for row in live if news.tracking_code in [each.text("number") for each in row.rows("tracking_info")]]
    if news.news is News.DISPATCHED:
        return [] if news.tracking_code and coded else _dispatched(news, there.rows("fulfillment_orders"), live)
    own = [row for row in live if row.ref("id") == news.shipment_ref]
    if news.news not in EVENTS or not (known := coded or own or live):
        return []
    event = {"fulfillmentId": known[0].text("id"), "status": EVENTS[news.news], "happenedAt": parse.zulu(news.at)}
    return [asking("Event", {"event": event}, "shipment")]


def _dispatched(news: ShipmentNews, orders: Sequence[Node], live: Sequence[Node]) -> list[Request]:
    """All fulfilment orders of one call must be of one location; what is left without a code gets this one."""
    told = {"number": news.tracking_code, "company": news.carrier, "url": news.tracking_url}
    info = {key: word for key, word in told.items() if word}
    left = {row.line_ref: row.quantity for row in news.lines}
    meant = [(row, _chosen(row, left)) for row in orders]
    ready = [(row, lines) for row, lines in meant if row.text("status") in READY and (lines or not news.lines)]
    if ready:
        more = {"notifyCustomer": True, **({"trackingInfo": info} if info else {})}
        places = grouped(ready, lambda each: each[0].ref("assigned_location.location.id") or "").values()
        parcels = [{"lineItemsByFulfillmentOrder": [_named(*each) for each in place], **more} for place in places]
        return [asking("Fulfil", {"fulfillment": parcel}, "shipment") for parcel in parcels]
    if any(row.text("status") == "ON_HOLD" for row in orders):
        held = "fulfilment is on hold at Shopify: release it there, then try again"
        raise ChannelError(Fault.REJECTED, "ON_HOLD", held)
    bare = [row for row in live if not row.rows("tracking_info")]
    return [asking("Track", {"id": bare[0].text("id"), "info": info}, "shipment")] if bare and info else []


def _named(order: Node, lines: Sequence[Raw]) -> dict[str, Any]:
    return {"fulfillmentOrderId": order.text("id"), **({"fulfillmentOrderLineItems": lines} if lines else {})}


def _chosen(order: Node, left: dict[str, int]) -> list[Raw]:
    """Rows of a fulfilment order that hold the units meant; what they hold is taken off `left`."""
    found = []
    for line in order.rows("line_items"):
        ref = line.ref("line_item.id") or ""
        if count := min(left.get(ref, 0), line.count("remaining_quantity")):
            left[ref] -= count
            found.append({"id": line.text("id"), "quantity": count})
    return found

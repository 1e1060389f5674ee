"""Shopify's orders and products into ours. Pure. `quantity` is as ordered, `current_quantity` what edits left of it."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.shopify.places import address
from adapters.shopify.reading import Node, unboxed
from hub import parse
from hub.faults import Unreadable
from hub.model import (
    Buyer,
    Disposition,
    Document,
    FulfilledBy,
    Fulfilment,
    Hold,
    LineQuantity,
    Listing,
    ListingStatus,
    Order,
    OrderLine,
    Payment,
    Raw,
    Return,
    ReturnLine,
    Shipment,
    TrackingStatus,
)

# Only GraphQL tells a hold; a webhook's body must not take one back.
PARTS = {"hold": frozenset({"hold"})}
PAYMENTS = {
    "pending": Payment.PENDING,
    "authorized": Payment.AUTHORIZED,
    "partially_paid": Payment.PENDING,  # assumed: not to be sent yet
    "paid": Payment.PAID,
    "partially_refunded": Payment.PARTIALLY_REFUNDED,
    "refunded": Payment.REFUNDED,
    "voided": Payment.VOIDED,
    "expired": Payment.VOIDED,  # assumed: what was authorized was never captured
}
FULFILMENTS = {  # what has left is told by the fulfilments themselves: a hold or a request hides a part that has
    "unfulfilled": Fulfilment.NONE,
    "partial": Fulfilment.PARTIAL,
    "partially_fulfilled": Fulfilment.PARTIAL,
    "fulfilled": Fulfilment.DISPATCHED,
    "restocked": Fulfilment.NONE,
    "pending": Fulfilment.NONE,  # of test notifications
    "pending_fulfillment": Fulfilment.NONE,
    "open": Fulfilment.NONE,
    "in_progress": Fulfilment.NONE,
    "on_hold": Fulfilment.NONE,
    "scheduled": Fulfilment.NONE,
    "request_declined": Fulfilment.NONE,
}
LEFT = {"success": True, "pending": False, "open": False, "cancelled": False, "error": False, "failure": False}
PARCELS = {  # displayStatus, or shipment_status
    "label_purchased": TrackingStatus.LABEL_CREATED,
    "label_printed": TrackingStatus.LABEL_CREATED,
    "label_voided": TrackingStatus.EXCEPTION,
    "submitted": TrackingStatus.LABEL_CREATED,
    "confirmed": TrackingStatus.LABEL_CREATED,
    "carrier_picked_up": TrackingStatus.ACCEPTED,
    "in_transit": TrackingStatus.IN_TRANSIT,
    "delayed": TrackingStatus.IN_TRANSIT,
    "out_for_delivery": TrackingStatus.OUT_FOR_DELIVERY,
    "attempted_delivery": TrackingStatus.FAILED_ATTEMPT,
    "ready_for_pickup": TrackingStatus.AWAITING_PICKUP,
    "picked_up": TrackingStatus.DELIVERED,
    "delivered": TrackingStatus.DELIVERED,
    "not_delivered": TrackingStatus.EXCEPTION,
    "failure": TrackingStatus.EXCEPTION,
    "canceled": TrackingStatus.CANCELLED,
    "fulfilled": None,  # it was marked as sent; no carrier said anything
    "marked_as_fulfilled": None,
}
CREDENTIALS = ("TAX_CREDENTIAL_BR", "SHIPPING_CREDENTIAL_BR")
CREDENTIAL = re.compile(r"(?<![a-z])(cpf|cnpj)(?![a-z])|^documento$|^tax.?id$", re.IGNORECASE)
BACK = {"return": Disposition.SELLABLE, "cancel": None, "no_restock": None, "legacy_restock": None}


def order(raw: Raw) -> Order:
    """An order as a webhook's body or a GraphQL node tells it, bare or as the only one of an answer."""
    found = unboxed(raw)
    if len(found) != 1:
        raise Unreadable("order", f"{len(found)} documents, where one order was expected")
    o = Node(found[0], "order")
    ref, shown = o.number("legacy_resource_id") or o.needed_number(), o.raw.get("line_items")
    if shown is None:
        raise Unreadable(o.at("line_items"), "not told")
    cancelled, changed = o.instant("cancelled_at"), o.instant("updated_at")
    sent, back = _sent(o.nodes("fulfillments")), _back(o.nodes("refunds"))
    told = _fulfilment(o)
    lines = tuple(_line(row, told, sent, back, whole=cancelled is not None) for row in o.nodes("line_items"))
    is_graphql = "display_fulfillment_status" in o.raw
    shipping = [(row.money("price"), row.money("discounted_price")) for row in _shipping(o)]
    held = is_graphql and o.word("display_fulfillment_status")[1] == "on_hold"
    return Order(
        ref=ref,
        number=(o.text("name") or "").removeprefix("#") or None,
        payment=_payment(o, cancelled),
        fulfilment=_how_far(told, lines, o.nodes("fulfillments")),
        cancelled=cancelled is not None,
        hold=Hold.FROZEN if held else None,
        fulfilled_by=FulfilledBy.SELLER,
        raw_status={key: o.text(key) for key in _WORDS if o.text(key)},
        placed_at=o.instant("processed_at", "created_at"),
        changed_at=changed,
        paid_at=_paid_at(o.nodes("transactions")),
        cancelled_at=cancelled,
        currency=_currency(o),
        items_cents=parse.total(line.total_cents for line in lines),
        discount_cents=_discount(o, shipping),
        shipping_cents=parse.total(paid if paid is not None else price for price, paid in shipping)
        if shipping
        else o.money("total_shipping_price"),
        other_cents=_other(o),
        total_cents=o.money("total_price"),
        refunded_cents=_refunded(o),
        lines=lines,
        buyer=_buyer(o),
        ship_to=address(o.part("shipping_address")),
        shipments=tuple(one for row in o.nodes("fulfillments") for one in _shipments(row)),
        returns=_returns(o.nodes("refunds")),
        clocks={"order": changed, **({"hold": changed} if is_graphql else {})},
    )


_WORDS = ("financial_status", "fulfillment_status", "display_financial_status", "display_fulfillment_status",
          "cancel_reason", "closed_at")  # fmt: skip


def _looked_up(o: Node, table: Mapping[str, object], *keys: str) -> object:
    """What a table says of a word; None when none is told."""
    key, word = o.word(*keys)
    if word is not None and word not in table:
        raise Unreadable(o.at(key), f"unknown: {word!r}"[:120])
    return None if word is None else table[word]


def _payment(o: Node, cancelled: datetime | None) -> Payment:
    payment = _looked_up(o, PAYMENTS, "display_financial_status", "financial_status")
    if cancelled and payment in (Payment.PENDING, Payment.AUTHORIZED):
        return Payment.VOIDED
    if isinstance(payment, Payment):
        return payment
    return Payment.PENDING if o.money("total_price") else Payment.PAID  # assumed: nothing is told where nothing is due


def _fulfilment(o: Node) -> Fulfilment:
    """REST tells null for an order of which nothing has left."""
    told = _looked_up(o, FULFILMENTS, "display_fulfillment_status", "fulfillment_status")
    return told if isinstance(told, Fulfilment) else Fulfilment.NONE


def _how_far(told: Fulfilment, lines: Sequence[OrderLine], fulfilments: Sequence[Node]) -> Fulfilment:
    dispatched = sum(line.dispatched_quantity for line in lines)
    if dispatched and sum(line.returned_quantity for line in lines) >= dispatched:
        return Fulfilment.RETURNED
    if told is Fulfilment.NONE and dispatched:
        left = sum(line.quantity - line.cancelled_quantity - line.dispatched_quantity for line in lines)
        told = Fulfilment.PARTIAL if left > 0 else Fulfilment.DISPATCHED
    parcels = {_parcel(row) for row in fulfilments if _looked_up(row, LEFT, "status")}
    return Fulfilment.DELIVERED if told is Fulfilment.DISPATCHED and parcels == {TrackingStatus.DELIVERED} else told


def _parcel(row: Node) -> TrackingStatus | None:
    told = _looked_up(row, PARCELS, "display_status", "shipment_status")
    return told if isinstance(told, TrackingStatus) else None


# ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────


def _moved(row: Node) -> tuple[str | None, int]:
    """Which line, and how many units, of a row of a fulfilment or refund."""
    line = row.part("line_item").number() or row.number("line_item_id") or row.number()
    return line, row.count("quantity")


def _sent(fulfilments: Sequence[Node]) -> dict[str, int] | None:
    """Units that left, by line; None where fulfilments are not told."""
    units: dict[str, int] = {}
    for row in fulfilments:
        if _looked_up(row, LEFT, "status"):
            for line, count in map(_moved, _rows(row)):
                units[line or ""] = units.get(line or "", 0) + count
    return units if fulfilments else None


def _rows(fulfilment: Node) -> list[Node]:
    return fulfilment.nodes("fulfillment_line_items") or fulfilment.nodes("line_items")


def _back(refunds: Sequence[Node]) -> tuple[dict[str, int], dict[str, int]]:
    """Units refunded, and of those the ones that came back, by line. A refund may be of money only."""
    refunded: dict[str, int] = {}
    returned: dict[str, int] = {}
    for refund in refunds:
        for row in refund.nodes("refund_line_items"):
            line, count = _moved(row)
            refunded[line or ""] = refunded.get(line or "", 0) + count
            if _looked_up(row, BACK, "restock_type") is not None:
                returned[line or ""] = returned.get(line or "", 0) + count
    return refunded, returned


def _line(
    row: Node,
    told: Fulfilment,
    sent: dict[str, int] | None,
    back: tuple[dict[str, int], dict[str, int]],
    *,
    whole: bool,
) -> OrderLine:
    """Units that were taken out before they left are cancelled; refunded ones that left and stayed away are neither."""
    ref, quantity, price = row.needed_number(), row.quantity("quantity"), _price(row)
    refunded, returned = (units.get(ref, 0) for units in back)
    removed = max(0, quantity - row.count("current_quantity")) if "current_quantity" in row.raw else refunded
    dispatched = min(quantity, sent.get(ref, 0)) if sent is not None else 0
    returned = min(returned, dispatched) if sent is not None else returned
    if sent is None and told is Fulfilment.DISPATCHED:  # marked as sent, its fulfilments not told
        dispatched = quantity - max(0, removed - returned)
    cancelled = quantity if whole else min(max(0, removed - returned), quantity - dispatched)
    taken = parse.total(part.money("amount") or part.money("allocated_amount") for part in _allocated(row)) or 0
    return OrderLine(
        ref=ref,
        listing_ref=row.part("product").number() or row.number("product_id"),
        variation_ref=row.part("variant").number() or row.number("variant_id"),
        sku=row.text("sku"),
        title=row.text("name", "title"),
        quantity=quantity,
        cancelled_quantity=cancelled,
        dispatched_quantity=dispatched,
        returned_quantity=min(returned, quantity),
        total_cents=None if price is None else price * quantity - taken,
        fulfilled_by=FulfilledBy.SELLER,
    )


def _price(row: Node) -> int | None:
    told = row.money("original_unit_price")
    return row.money("price") if told is None else told


def _allocated(row: Node) -> list[Node]:
    return row.nodes("discount_allocations")


# ── Money ───────────────────────────────────────────────────────────────────────────────────────────────────


def _shipping(o: Node) -> list[Node]:
    return o.nodes("shipping_lines")


def _discount(o: Node, shipping: Sequence[tuple[int | None, int | None]]) -> int | None:
    """What neither lines nor shipping carry of the discounts; Shopify lays all of them out, as a rule."""
    told = o.money("total_discounts")
    if told is None:
        return None
    carried = sum(
        part.money("amount") or part.money("allocated_amount") or 0
        for row in o.nodes("line_items")
        for part in _allocated(row)
    )
    carried += sum(price - paid for price, paid in shipping if price is not None and paid is not None)
    return max(0, told - carried)


def _other(o: Node) -> int | None:
    """Tips, duties and fees, and the taxes where they come on top of the prices."""
    taxes = 0 if o.flag("taxes_included") else o.money("total_tax")
    names = ("total_tip_received", "original_total_duties", "original_total_additional_fees")
    return parse.total([taxes, *(o.money(name) for name in names)])


def _refunded(o: Node) -> int | None:
    """REST adds up its transactions, which must be of the shop's currency to count; GraphQL tells the sum."""
    if "total_refunded_set" in o.raw or "refunds" not in o.raw:
        return o.money("total_refunded")
    rows = [row for refund in o.nodes("refunds") for row in refund.nodes("transactions")]
    paid = [row for row in rows if (row.text("kind"), row.text("status")) == ("refund", "success")]
    if any(row.text("currency") not in (None, o.text("currency")) for row in paid):
        return None
    return sum(row.cents("amount") or 0 for row in paid)


def _currency(o: Node) -> str:
    told = o.text("currency_code", "currency") or "BRL"
    if not re.fullmatch("[A-Z]{3}", told):
        raise Unreadable(o.at("currency_code" if "currency_code" in o.raw else "currency"), f"unknown: {told!r}"[:120])
    return told


def _paid_at(rows: Sequence[Node]) -> datetime | None:
    paid = [row for row in rows if row.text("kind") in ("SALE", "CAPTURE") and row.text("status") == "SUCCESS"]
    return min((at for at in (row.instant("processed_at") for row in paid) if at), default=None)


# ── People and places ───────────────────────────────────────────────────────────────────────────────────────


def _buyer(o: Node) -> Buyer:
    known, place = o.part("customer"), o.part("shipping_address") or o.part("billing_address")
    mail = known.part("default_email_address").text("email_address")
    phones = (o, place, known, o.part("billing_address"))
    calls = [*(each.text("phone") for each in phones), known.part("default_phone_number").text("phone_number")]
    return Buyer(
        ref=known.number(),
        name=parse.joined(known.text("first_name"), known.text("last_name")) or parse.joined(place.text("name")),
        email=o.text("email", "contact_email") or known.text("email") or mail,
        phone=next(filter(None, map(parse.phone, calls)), None),
        document=_document(o),
    )


def _document(o: Node) -> Document | None:
    """The checkout's own field; else what an app wrote into an attribute; else a company that is a good number."""
    fields = {row.text("key"): row.text("value") for row in o.nodes("localized_fields")}
    told = [fields.get(key) for key in CREDENTIALS]
    attributes = (*o.nodes("custom_attributes"), *o.nodes("note_attributes"))
    told += [
        row.text("value") for row in attributes if CREDENTIAL.search((row.text("key", "name") or "").replace("_", " "))
    ]
    if found := next(filter(None, map(parse.document, told)), None):
        return found
    companies = (parse.document(o.part(f"{key}_address").text("company")) for key in ("shipping", "billing"))
    return next((each for each in companies if each and each.valid), None)


# ── Parcels and what comes back ─────────────────────────────────────────────────────────────────────────────


def _shipments(row: Node) -> list[Shipment]:
    """One for each tracking number of a fulfilment, the first under the fulfilment's own id."""
    ref = row.needed_number()
    gone = not _looked_up(row, LEFT, "status") and row.word("status")[1] in ("cancelled", "error", "failure")
    lines = tuple(
        LineQuantity(line_ref=line, quantity=count) for line, count in map(_moved, _rows(row)) if line and count
    )
    first = (row.text("tracking_company"), row.text("tracking_number"), row.text("tracking_url"))
    told = [(each.text("company"), each.text("number"), each.text("url")) for each in row.nodes("tracking_info")]
    numbers, urls = row.raw.get("tracking_numbers"), row.raw.get("tracking_urls")
    if isinstance(numbers, list) and isinstance(urls, list):
        pairs = [(each, urls[n] if n < len(urls) else None) for n, each in enumerate(numbers)]
        told = [(first[0], parse.text(str(each)), parse.text(str(url or ""))) for each, url in pairs]
    return [
        Shipment(
            ref=ref if n == 0 else f"{ref}:{number or n}",
            carrier=company,
            tracking_code=number,
            tracking_url=url,
            status=TrackingStatus.CANCELLED if gone else _parcel(row),
            lines=lines,
        )
        for n, (company, number, url) in enumerate(told or [first])
    ]


def _returns(refunds: Sequence[Node]) -> tuple[Return, ...]:
    """Refunds whose goods came back to the shelf; one that only gives money back is none."""
    found = []
    for refund in refunds:
        rows = [row for row in refund.nodes("refund_line_items") if _looked_up(row, BACK, "restock_type") is not None]
        lines = tuple(
            ReturnLine(line_ref=line, quantity=count, disposition=Disposition.SELLABLE)
            for line, count in map(_moved, rows)
            if line and count
        )
        if lines:
            found.append(Return(ref=refund.needed_number(), lines=lines))
    return tuple(found)


def takes_stock(told: Order) -> bool | None:
    """It takes a unit with the order, paid or not; what is taken out again goes back only if somebody said so."""
    return None if told.cancelled or any(line.cancelled_quantity for line in told.lines) else True


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────

LISTED = {
    "active": ListingStatus.ACTIVE,
    "unlisted": ListingStatus.ACTIVE,
    "draft": ListingStatus.PAUSED,
    "archived": ListingStatus.CLOSED,
}


def listings(raw: Raw) -> list[Listing]:
    """A listing per variant, of products or variants, as webhooks' bodies or GraphQL nodes tell them.

    A webhook knows the sum of all locations only; the slot is the variant's inventory item at the one `location` asked.
    """
    found: list[Listing] = []
    for n, each in enumerate(unboxed(raw)):
        p = Node(each, "product" if n == 0 else f"product.{n}")
        if "variants" in p.raw:
            found += [_listing(p, v) for v in p.nodes("variants")]
        elif p:
            found.append(_listing(p.part("product"), p))
    return found


def _listing(p: Node, v: Node) -> Listing:
    item, level = v.part("inventory_item"), v.part("inventory_item").part("inventory_level")
    here = next((row for row in level.nodes("quantities") if row.text("name") == "available"), Node(None, ""))
    slot = item.number() if item else v.number("inventory_item_id")
    if slot is None:
        raise Unreadable(v.at("inventory_item_id"), "not told")
    tracked = item.flag("tracked") is not False and (
        "inventory_management" not in v.raw or bool(v.text("inventory_management"))
    )
    total, stock = (
        v.units("inventory_quantity"),
        here.units("quantity") if level.flag("is_active") is not False else None,
    )
    endless = not tracked or v.word("inventory_policy")[1] == "continue"  # sold on below zero
    default = p.flag("has_only_default_variant") or v.text("title") == "Default Title"
    status = _looked_up(p, LISTED, "status")
    return Listing(
        ref=p.number() or v.needed_number("product_id"),
        variation_ref=v.needed_number(),
        slot_ref=slot,
        location_ref=next(filter(None, (each.part("location").number() for each in (level, v, p))), None),
        sku=v.text("sku"),
        gtin=parse.bare(v.text("barcode")),
        title=parse.joined(p.text("title"), None if default else v.text("title")),
        url=p.text("online_store_url"),
        status=status if isinstance(status, ListingStatus) else ListingStatus.ACTIVE,
        quantity=None if endless or total is None else max(0, total),
        stock_quantity=stock if tracked else None,
        price_cents=v.cents("price"),
        version=_version(stock, here.text("updated_at") or level.text("updated_at")) if tracked else None,
    )


def _version(stock: int | None, at: str | None) -> str | None:
    """The number and when it came to be: a write of the same numbers at another time is another write."""
    return None if stock is None else f"{stock}@{at or ''}"

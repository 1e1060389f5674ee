"""Shopify's orders and products into ours. Pure. `quantity` is as ordered, `current_quantity` what edits left of it."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from adapters.shopify.reading import Node, unboxed
from hub import parse, places
from hub.faults import Unreadable
from hub.model import (
    Address,
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
from hub.spelling import snake
from hub.stages import by_word

PAYMENTS = by_word(
    (Payment.PENDING, "pending partially_paid"),  # assumed: partly paid is not to be sent yet
    (Payment.AUTHORIZED, "authorized"),
    (Payment.PAID, "paid"),
    (Payment.PARTIALLY_REFUNDED, "partially_refunded"),
    (Payment.REFUNDED, "refunded"),
    (Payment.VOIDED, "voided expired"),  # assumed: what was authorized was never captured
)
FULFILMENTS = by_word(
    # What has left is told by the fulfilments themselves: a hold or a request hides a part that has.
    (Fulfilment.NONE, "unfulfilled restocked pending_fulfillment open in_progress on_hold scheduled request_declined"),
    (Fulfilment.NONE, "pending"),  # of a test notification
    (Fulfilment.PARTIAL, "partial partially_fulfilled"),
    (Fulfilment.DISPATCHED, "fulfilled"),
)
CAPTURED = {("SALE", "SUCCESS"), ("CAPTURE", "SUCCESS")}  # kind and status of a transaction
WORDS = ("financial_status", "fulfillment_status", "cancel_reason", "closed_at")
GONE = ("cancelled", "error", "failure")  # a fulfilment that will not leave
LEFT = {"success": True, "pending": False, "open": False, **dict.fromkeys(GONE, False)}
PARCELS = by_word(
    (TrackingStatus.LABEL_CREATED, "label_purchased label_printed submitted confirmed"),
    (TrackingStatus.ACCEPTED, "carrier_picked_up"),
    (TrackingStatus.IN_TRANSIT, "in_transit delayed"),
    (TrackingStatus.OUT_FOR_DELIVERY, "out_for_delivery"),
    (TrackingStatus.FAILED_ATTEMPT, "attempted_delivery"),
    (TrackingStatus.AWAITING_PICKUP, "ready_for_pickup"),
    (TrackingStatus.DELIVERED, "delivered picked_up"),
    (TrackingStatus.EXCEPTION, "not_delivered failure label_voided"),
    (TrackingStatus.CANCELLED, "canceled"),
    (None, "fulfilled marked_as_fulfilled"),  # no carrier said anything
)
BACK = {"return": True, "cancel": False, "no_restock": False, "legacy_restock": False}
PHONES = ("phone", "shipping_address.phone", "customer.phone", "customer.default_phone_number.phone_number",
          "billing_address.phone")  # fmt: skip
CREDENTIALS = ("TAX_CREDENTIAL_BR", "SHIPPING_CREDENTIAL_BR")
CREDENTIAL = re.compile(r"(?<![a-z])(cpf|cnpj)(?![a-z])|^documento$|^tax.?id$", re.IGNORECASE)


def order(raw: Raw) -> Order:
    """An order as a webhook's body or a GraphQL node tells it, bare or as the only one of an answer."""
    found = unboxed(raw)
    if len(found) != 1:
        raise Unreadable("order", f"{len(found)} documents, where one order was expected")
    o = Node(found[0], "order")
    cancelled, changed = o.instant("cancelled_at"), o.instant("updated_at")
    told = o.maybe_of("fulfillment_status", FULFILMENTS) or Fulfilment.NONE  # a webhook tells null
    fulfilments, refunds = o.rows("fulfillments"), o.rows("refunds")
    left = [row for row in fulfilments if row.maybe_of("status", LEFT)]
    sent = _units(row for parcel in left for row in parcel.rows("line_items")) if fulfilments else None
    refunded = _units(row for refund in refunds for row in refund.rows("refund_line_items"))
    moved = sent, refunded, _came_back(refunds)
    lines = tuple(_line(row, told, *moved, whole=cancelled is not None) for row in o.needed_rows("line_items"))
    paid = [row for row in o.rows("transactions") if (row.text("kind"), row.text("status")) in CAPTURED]
    shipping = [row.money("discounted_price", "price") for row in o.rows("shipping_lines")]
    return Order(
        ref=o.ref("legacy_resource_id") or o.needed_ref("id"),
        number=(o.text("name") or "").removeprefix("#") or None,
        payment=_payment(o),
        fulfilment=_how_far(told, lines, left),
        cancelled=cancelled is not None,
        hold=Hold.FROZEN if o.text("fulfillment_status") == "ON_HOLD" else None,
        fulfilled_by=FulfilledBy.SELLER,
        raw_status={snake(o.spelt[key]): word for key in WORDS if (word := o.text(key))},
        placed_at=o.instant("processed_at", "created_at"),
        changed_at=changed,
        paid_at=min((at for row in paid if (at := row.instant("processed_at"))), default=None),
        cancelled_at=cancelled,
        currency=o.currency("currency"),
        items_cents=parse.total(line.total_cents for line in lines),
        discount_cents=_discount(o),
        shipping_cents=parse.total(shipping or [o.money("total_shipping_price")]),
        other_cents=_other(o),
        total_cents=o.money("total_price"),
        refunded_cents=_refunded(o),
        lines=lines,
        buyer=_buyer(o),
        ship_to=address(o.part("shipping_address")),
        shipments=tuple(parcel for row in fulfilments for parcel in _shipments(row)),
        returns=tuple(filter(None, map(_return, refunds))),
        clocks={"order": changed, **({"hold": changed} if "displayFulfillmentStatus" in found[0] else {})},
    )


def _payment(o: Node) -> Payment:
    told = o.maybe_of("financial_status", PAYMENTS)
    if told is None:  # assumed: where nothing is due
        return Payment.PENDING if o.money("total_price") else Payment.PAID
    return Payment.VOIDED if o.text("cancelled_at") and told in (Payment.PENDING, Payment.AUTHORIZED) else told


def _how_far(told: Fulfilment, lines: Sequence[OrderLine], parcels: Sequence[Node]) -> Fulfilment:
    dispatched = sum(line.dispatched_quantity for line in lines)
    if dispatched and sum(line.returned_quantity for line in lines) >= dispatched:
        return Fulfilment.RETURNED
    if told is Fulfilment.NONE and dispatched:
        left = sum(line.quantity - line.cancelled_quantity - line.dispatched_quantity for line in lines)
        told = Fulfilment.PARTIAL if left > 0 else Fulfilment.DISPATCHED
    stages = {row.maybe_of("shipment_status", PARCELS) for row in parcels}
    return Fulfilment.DELIVERED if told is Fulfilment.DISPATCHED and stages == {TrackingStatus.DELIVERED} else told


def _units(rows: Iterable[Node]) -> Counter[str]:
    """Units by line, of rows of fulfilments or refunds."""
    units: Counter[str] = Counter()
    for row in rows:
        if line := row.ref("line_item.id") or row.ref("line_item_id") or row.ref("id"):
            units[line] += row.count("quantity")
    return +units  # of none, none is told


def _came_back(refunds: Iterable[Node]) -> Counter[str]:
    """Units that are on the shelf again, by line. A refund may be of money only."""
    rows = [row for refund in refunds for row in refund.rows("refund_line_items")]
    return _units(row for row in rows if row.maybe_of("restock_type", BACK))


def _line(
    row: Node, told: Fulfilment, sent: Counter[str] | None, refunded: Counter[str], back: Counter[str], *, whole: bool
) -> OrderLine:
    """Units that were taken out before they left are cancelled; refunded ones that left and stayed away are neither."""
    ref, quantity, price = row.needed_ref("id"), row.quantity("quantity"), row.money("price")
    removed = max(0, quantity - row.count("current_quantity")) if "current_quantity" in row.raw else refunded[ref]
    dispatched = min(quantity, sent[ref]) if sent else 0
    returned = min(back[ref], quantity if sent is None else dispatched)
    gone = min(quantity, max(0, removed - returned))
    if sent is None and told is Fulfilment.DISPATCHED:  # marked as sent, its fulfilments not told
        dispatched = quantity - gone
    return OrderLine(
        ref=ref,
        listing_ref=row.ref("product.id") or row.ref("product_id"),
        variation_ref=row.ref("variant.id") or row.ref("variant_id"),
        sku=row.text("sku"),
        title=row.text("name", "title"),
        quantity=quantity,
        cancelled_quantity=quantity if whole else min(gone, quantity - dispatched),
        dispatched_quantity=dispatched,
        returned_quantity=returned,
        total_cents=None if price is None else price * quantity - _taken(row),
        fulfilled_by=FulfilledBy.SELLER,
    )


def _taken(row: Node) -> int:
    """What discounts take off a line."""
    return sum(part.money("amount") or 0 for part in row.rows("discount_allocations"))


def _discount(o: Node) -> int | None:
    """What neither lines nor shipping carry of the discounts; Shopify lays all of them out, as a rule."""
    told, shipping = o.money("total_discounts"), o.rows("shipping_lines")
    carried = sum(_taken(row) for row in o.rows("line_items"))
    carried += sum((row.money("price") or 0) - (row.money("discounted_price", "price") or 0) for row in shipping)
    return None if told is None else max(0, told - carried)


def _other(o: Node) -> int | None:
    """Tips, duties and fees, and the taxes where they come on top of the prices."""
    taxes = 0 if o.flag("taxes_included") else o.money("total_tax")
    names = ("total_tip_received", "original_total_duties", "original_total_additional_fees")
    return parse.total([taxes, *map(o.money, names)])


def _refunded(o: Node) -> int | None:
    """REST adds up its transactions, which must be of the shop's currency to count; GraphQL tells the sum."""
    if "total_refunded_set" in o.raw or "refunds" not in o.raw:
        return o.money("total_refunded")
    rows = [row for refund in o.rows("refunds") for row in refund.rows("transactions")]
    paid = [row for row in rows if (row.text("kind"), row.text("status")) == ("refund", "success")]
    alike = all(row.text("currency") in (None, o.text("currency")) for row in paid)
    return sum(row.cents("amount") or 0 for row in paid) if alike else None


def _buyer(o: Node) -> Buyer:
    phones = (parse.phone(o.text(key)) for key in PHONES)
    known = parse.joined(o.text("customer.first_name"), o.text("customer.last_name"))
    return Buyer(
        ref=o.ref("customer.id"),
        name=known or parse.joined(o.text("shipping_address.name", "billing_address.name")),
        email=o.text("email", "contact_email", "customer.email", "customer.default_email_address.email_address"),
        phone=next(filter(None, phones), None),
        document=_document(o),
    )


def _document(o: Node) -> Document | None:
    """The checkout's own field; else what an app wrote into an attribute; else a company that is a good number."""
    fields = {row.text("key"): row.text("value") for row in o.rows("localized_fields")}
    noted = [row for row in o.rows("note_attributes") if CREDENTIAL.search(row.text("key", "name") or "")]
    told = [*map(fields.get, CREDENTIALS), *(row.text("value") for row in noted)]
    companies = (parse.document(o.text(f"{key}_address.company")) for key in ("shipping", "billing"))
    found = (*map(parse.document, told), *(each for each in companies if each and each.valid))
    return next(filter(None, found), None)


def address(place: Node) -> Address | None:
    """Where it goes. Shopify has no fields for number and bairro."""
    return parse.address(
        recipient=parse.joined(place.text("name")),
        **places.split(place.text("address1"), place.text("address2"), place.text("country_code")),
        city=place.text("city"),
        state=place.text("province_code", "province"),
        postal_code=place.text("zip"),
        country=place.text("country_code"),
    )


# ── Parcels and what comes back ─────────────────────────────────────────────────────────────────────────────


def _shipments(row: Node) -> list[Shipment]:
    """One for each tracking number of a fulfilment, the first under the fulfilment's own id."""
    ref, company = row.needed_ref("id"), row.text("tracking_company")
    status = TrackingStatus.CANCELLED if row.word("status") in GONE else row.maybe_of("shipment_status", PARCELS)
    lines = tuple(LineQuantity(line_ref=line, quantity=n) for line, n in _units(row.rows("line_items")).items())
    codes = [(each.text("company"), each.text("number"), each.text("url")) for each in row.rows("tracking_info")]
    pairs = zip_longest(row.texts("tracking_numbers"), row.texts("tracking_urls"))
    codes += [(company, parse.text(number), parse.text(url)) for number, url in pairs if number]
    return [
        Shipment(
            ref=ref if n == 0 else f"{ref}:{code or n}",
            carrier=carrier,
            tracking_code=code,
            tracking_url=url,
            status=status,
            lines=lines,
        )
        for n, (carrier, code, url) in enumerate(codes or [(company, None, None)])
    ]


def _return(refund: Node) -> Return | None:
    """Units of a refund that came back to the shelf; one that only gives money back is none."""
    units, sellable = _came_back([refund]), Disposition.SELLABLE
    lines = tuple(ReturnLine(line_ref=line, quantity=n, disposition=sellable) for line, n in units.items())
    return Return(ref=refund.needed_ref("id"), lines=lines) if lines else None


def takes_stock(told: Order) -> bool | None:
    """It takes a unit with the order, paid or not; what is taken out again goes back only if somebody said so."""
    return None if told.cancelled or any(line.cancelled_quantity for line in told.lines) else True


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────

LISTED = by_word(
    (ListingStatus.ACTIVE, "active unlisted"), (ListingStatus.PAUSED, "draft"), (ListingStatus.CLOSED, "archived")
)


def listings(raw: Raw) -> list[Listing]:
    """A listing per variant, of products or variants; its slot is the inventory item at the one location asked."""
    found: list[Listing] = []
    for n, each in enumerate(unboxed(raw)):
        p = Node(each, "product" if n == 0 else f"product.{n}")
        pairs = [(p, v) for v in p.rows("variants")] if "variants" in p.raw else [(p.part("product"), p)]
        found += [_listing(*pair) for pair in pairs]
    return found


def _listing(p: Node, v: Node) -> Listing:
    item = v.part("inventory_item")
    level = item.part("inventory_level")
    here = next((row for row in level.rows("quantities") if row.text("name") == "available"), Node(None, ""))
    tracked = item.flag("tracked") is not False and bool(v.raw.get("inventory_management", True))
    stock = here.units("quantity") if tracked and level.flag("is_active") is not False else None
    total = v.units("inventory_quantity")
    endless = not tracked or v.word("inventory_policy") == "continue"  # sold on below zero
    default = p.flag("has_only_default_variant") or v.text("title") == "Default Title"
    at = here.text("updated_at") or level.text("updated_at") or ""
    return Listing(
        ref=p.ref("id") or v.needed_ref("product_id"),
        variation_ref=v.needed_ref("id"),
        slot_ref=item.ref("id") or v.needed_ref("inventory_item_id"),
        location_ref=level.ref("location.id") or v.ref("location.id") or p.ref("location.id"),
        sku=v.text("sku"),
        gtin=parse.bare(v.text("barcode")),
        title=parse.joined(p.text("title"), None if default else v.text("title")),
        url=p.text("online_store_url"),
        status=p.maybe_of("status", LISTED) or ListingStatus.ACTIVE,
        quantity=None if endless or total is None else max(0, total),
        stock_quantity=stock,
        price_cents=v.cents("price"),
        # The same number of another time is another one: a write that it conditions is another write.
        version=None if stock is None else f"{stock}@{at}",
    )

"""Magento's words into ours. Pure. Statuses are the merchant's to invent: orders are read by their state."""

from collections.abc import Iterator
from dataclasses import dataclass

from hub import parse
from hub.faults import Unreadable
from hub.model import (
    Address,
    Buyer,
    FulfilledBy,
    Fulfilment,
    Hold,
    Listing,
    ListingStatus,
    Order,
    OrderLine,
    Payment,
    Raw,
)
from hub.wire import Wire

LISTED = {"1": ListingStatus.ACTIVE, "2": ListingStatus.PAUSED}
SOLD = {"simple", "virtual", "downloadable", "giftcard"}  # the others are sold as one of these
STREET = ("street", "number", "complement", "district")  # of a Brazilian store's four lines, by convention


@dataclass(frozen=True, slots=True)
class State:
    """What a state means; the money paid tells the rest."""

    paid: bool | None  # None: as the amounts say
    cancelled: bool = False
    hold: Hold | None = None


STATES = {
    "new": State(paid=None),
    "pending_payment": State(paid=False),
    "payment_review": State(paid=False, hold=Hold.FROZEN),
    "processing": State(paid=None),
    "complete": State(paid=True),  # invoiced and shipped
    "closed": State(paid=True),  # credited as a whole
    "canceled": State(paid=None, cancelled=True),
    "holded": State(paid=None, hold=Hold.FROZEN),
}


def order(raw: Raw) -> Order:
    """An order as /V1/orders/{id} tells it, or a page with one. Times are UTC without an offset."""
    o = Wire(_one(raw), "")
    told = o.one_of("state", STATES)
    closed = o.text("state") == "closed"
    rows = o.rows("items")
    if not rows:
        raise Unreadable("items", "not told")
    lines = tuple(_line(row, money, whole=told.cancelled) for row, money in _sold(rows))
    gone = sum(line.dispatched_quantity for line in lines)
    cancelled = told.cancelled or (closed and not gone)
    lines = (
        tuple(line.model_copy(update={"cancelled_quantity": line.quantity}) for line in lines) if cancelled else lines
    )
    changed, where = o.instant("updated_at"), _shipping(o)
    return Order(
        ref=o.needed_ref("entity_id"),
        number=o.text("increment_id"),
        payment=_payment(o, told, closed=closed),
        fulfilment=_fulfilment(lines, gone),
        cancelled=cancelled,
        hold=told.hold,
        fulfilled_by=FulfilledBy.SELLER,
        raw_status={"state": o.text("state"), "status": o.text("status")},
        placed_at=o.instant("created_at"),
        changed_at=changed,
        currency=o.currency("order_currency_code"),
        items_cents=parse.total(line.total_cents for line in lines),
        discount_cents=_discount(o, rows),
        shipping_cents=o.cents("shipping_amount"),
        other_cents=o.cents("tax_amount"),
        total_cents=o.cents("grand_total"),
        refunded_cents=o.cents("total_refunded"),
        lines=lines,
        buyer=_buyer(o, o.part("billing_address")),
        ship_to=_address(where),
        clocks={"order": changed},
    )


def _one(raw: Raw) -> Raw:
    rows = raw.get("items") if isinstance(raw, dict) and "total_count" in raw else None
    if rows is None:
        return raw
    if not isinstance(rows, list) or len(rows) != 1:
        raise Unreadable("items", "one order at a time, please")
    return rows[0]


def _sold(rows: list[Wire]) -> Iterator[tuple[Wire, Wire]]:
    """(row that says what is sold, row that says for how much).

    A configurable is told twice: its parent has the money, both have the option's SKU. A bundle's parts are the lines;
    its money, where they have none, counts with the first.
    """
    parts: dict[str, list[Wire]] = {}
    for row in rows:
        if parent := row.ref("parent_item_id"):
            parts.setdefault(parent, []).append(row)
    for row in rows:
        mine = parts.get(row.ref("item_id") or "", [])
        if row.ref("parent_item_id"):
            continue
        if not mine or row.text("product_type") == "configurable":
            yield row, row
        else:
            priced = any(part.cents("row_total") for part in mine)
            yield from ((part, part if priced or n else row) for n, part in enumerate(mine))


def _line(row: Wire, money: Wire, *, whole: bool) -> OrderLine:
    quantity, total = row.quantity("qty_ordered"), money.cents("row_total")
    shipped = min(quantity, row.count("qty_shipped"))
    credited = max(0, row.count("qty_refunded") - shipped)  # money back for what never left
    sku = row.text("sku")
    return OrderLine(
        ref=row.needed_ref("item_id"),
        listing_ref=sku,
        sku=sku,
        title=row.text("name"),
        quantity=quantity,
        cancelled_quantity=quantity if whole else min(quantity - shipped, row.count("qty_canceled") + credited),
        dispatched_quantity=shipped,
        total_cents=None if total is None else total - (money.cents("discount_amount") or 0),
        fulfilled_by=FulfilledBy.SELLER,
    )


def _discount(o: Wire, rows: list[Wire]) -> int | None:
    """What no line carries: the discount on shipping. The order tells the sum of all, below zero."""
    told = o.cents("discount_amount")
    in_lines = sum(row.cents("discount_amount") or 0 for row in rows if not row.ref("parent_item_id"))
    return None if told is None else max(0, abs(told) - in_lines)


def _payment(o: Wire, state: State, *, closed: bool) -> Payment:
    total, paid, back = o.cents("grand_total") or 0, o.cents("total_paid") or 0, o.cents("total_refunded") or 0
    if closed or (back and back >= max(paid, total)):
        return Payment.REFUNDED
    if back:
        return Payment.PARTIALLY_REFUNDED
    is_paid = paid > 0 and paid >= total if state.paid is None else state.paid
    if is_paid:
        return Payment.PAID
    return Payment.VOIDED if state.cancelled else Payment.PENDING


def _fulfilment(lines: tuple[OrderLine, ...], gone: int) -> Fulfilment:
    if not gone:
        return Fulfilment.NONE
    left = sum(line.quantity - line.cancelled_quantity - line.dispatched_quantity for line in lines)
    return Fulfilment.PARTIAL if left > 0 else Fulfilment.DISPATCHED


def _buyer(o: Wire, billing: Wire) -> Buyer:
    """CPF or CNPJ stand where the store's Brazilian module puts them."""
    return Buyer(
        ref=o.ref("customer_id"),
        name=parse.joined(o.text("customer_firstname"), o.text("customer_lastname"))
        or parse.joined(billing.text("firstname"), billing.text("lastname")),
        email=o.text("customer_email"),
        phone=parse.phone(billing.text("telephone")),
        document=parse.document(o.text("customer_taxvat") or billing.text("vat_id")),
    )


def _shipping(o: Wire) -> Wire:
    assigned = o.rows("extension_attributes.shipping_assignments")
    return assigned[0].part("shipping.address") if assigned else Wire(None, "shipping_address")


def _address(told: Wire) -> Address | None:
    named = {name: parse.text(line) for name, line in zip(STREET, told.texts("street"), strict=False)}
    return parse.address(
        **named,
        recipient=parse.joined(told.text("firstname"), told.text("lastname")),
        city=told.text("city"),
        state=told.text("region_code", "region"),
        postal_code=told.text("postcode"),
        country=told.text("country_id"),
    )


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """The listing of `{product, sources, salable, source}`, or of a bare product with its stock item.

    `sources` are its rows of source items, `salable` what the stock sells (null: not told), `source` the one written.
    Only what is really on a shelf is a listing: not a configurable, a bundle or a group.
    """
    box = raw if isinstance(raw, dict) and "product" in raw else {"product": raw}
    if isinstance(raw, dict) and isinstance(raw.get("items"), list):
        return [one for row in raw["items"] for one in listings(row)]
    p = Wire(box["product"], "product")
    if (p.text("type_id") or "simple") not in SOLD:
        return []
    sku, source = p.text("sku"), parse.text(box.get("source"))
    if sku is None:
        raise Unreadable(p.at("sku"), "not told")
    physical, free = _numbers(box, p, source)
    return [
        Listing(
            ref=sku,
            slot_ref=sku,
            location_ref=source or "default",
            sku=sku,
            gtin=_attribute(p, "gtin") or _attribute(p, "ean"),
            title=p.text("name"),
            status=p.one_of("status", LISTED) if p.raw.get("status") else ListingStatus.ACTIVE,
            quantity=free,
            stock_quantity=physical,
            price_cents=p.cents("price"),
        )
    ]


def _numbers(box: Raw, p: Wire, source: str | None) -> tuple[int | None, int | None]:
    """Physical units in our source, and those of them that nobody reserved.

    Magento reserves for its stock, not for a source: what all sources hold less what is salable is reserved.
    """
    item = p.part("extension_attributes.stock_item")
    if item and item.flag("manage_stock") is False:
        return None, None
    if box.get("sources") is None:
        units = item.units("qty")
        return units, None if units is None else max(0, units)
    rows = [Wire(row, f"sources.{n}") for n, row in enumerate(box["sources"])]
    physical = sum(row.count("quantity") for row in rows if source in (None, row.text("source_code")))
    salable = Wire(box, "").units("salable")
    reserved = 0 if salable is None else sum(row.count("quantity") for row in rows) - salable
    return physical, max(0, physical - reserved)


def _attribute(p: Wire, code: str) -> str | None:
    for row in p.rows("custom_attributes"):
        if row.text("attribute_code") == code:
            return row.text("value")
    return None

"""WooCommerce's words into ours and back. Pure."""

import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from typing import NamedTuple

from hub import parse
from hub.faults import Unreadable
from hub.model import (
    Address,
    Buyer,
    Document,
    FulfilledBy,
    Fulfilment,
    Listing,
    ListingStatus,
    Order,
    OrderLine,
    Payment,
    Raw,
    Shipment,
    StockWrite,
)
from hub.wire import Wire

API = "/wp-json/wc/v3"


class Meaning(NamedTuple):
    """What an order status says."""

    payment: Payment | None  # None: `date_paid` says
    fulfilment: Fulfilment = Fulfilment.NONE
    cancelled: bool = False
    takes_stock: bool | None = True  # what the store did to its own shelf; None where it may have restocked or not


STATUSES = {
    "checkout-draft": Meaning(Payment.PENDING, takes_stock=False),  # block checkout, not yet placed
    "auto-draft": Meaning(Payment.PENDING, takes_stock=False),  # being typed in the admin
    "pending": Meaning(Payment.PENDING, takes_stock=False),  # unpaid; only kept from others while the checkout is open
    "on-hold": Meaning(Payment.PENDING),  # stock taken, payment to be confirmed
    "failed": Meaning(Payment.PENDING, takes_stock=False),  # declined; the buyer may try again
    "processing": Meaning(Payment.PAID),  # paid, to be shipped
    "completed": Meaning(Payment.PAID, Fulfilment.DISPATCHED),  # shipped; there is no delivered state
    "refunded": Meaning(Payment.REFUNDED, takes_stock=None),
    "cancelled": Meaning(None, cancelled=True, takes_stock=False),
    "trash": Meaning(None, cancelled=True, takes_stock=None),
}
FROM_PLUGIN = Meaning(None)  # plugins add statuses at will: an open set
CASH_ON_DELIVERY = "processing"  # the one known status that may stand with `date_paid` null
SHIPPED_META = "_fulfillment_status"  # core fulfillments leave the status alone and write "fulfilled" here

# private: a variation that is not enabled; pending: to be reviewed
UNSEEN = ("private", "draft", "auto-draft", "importing", "pending", "future")
LISTING_STATUSES = {"publish": ListingStatus.ACTIVE, "trash": ListingStatus.CLOSED}
LISTING_STATUSES |= dict.fromkeys(UNSEEN, ListingStatus.PAUSED)
NOT_SOLD_HERE = {"grouped", "external"}  # a shelf of others; a link to another shop
VARIABLE = {"variable", "variable-subscription"}  # sold by variation only
VISIBLE_FIRST = list(ListingStatus)
UNCOUNTED = (None, False, "", "no", "false")  # `manage_stock` is true, false, or "parent"

PERSON = {"F": "cpf", "1": "cpf", "J": "cnpj", "2": "cnpj"}  # checkout field, raw meta


def order(raw: Raw) -> Order:
    """One order of /orders/{id}, a webhook body, or a page that holds exactly one."""
    if isinstance(raw, list):
        if len(raw) != 1:
            raise Unreadable("order", f"a page of {len(raw)} orders, where one was expected")
        raw = raw[0]
    o = Wire(raw, "order")
    ref, status = o.needed_ref("id"), (o.text("status") or "").removeprefix("wc-")
    for key, told in (("status", status), ("line_items", "line_items" in o.raw)):
        if not told:
            raise Unreadable(o.at(key), "not told")
    means, meta = STATUSES.get(status, FROM_PLUGIN), _meta(o)
    refunded = None if o.raw.get("refunds") is None else sum(abs(row.cents("total") or 0) for row in o.rows("refunds"))
    fulfilment = _fulfilment(o, means, meta)
    lines = tuple(_line(row, fulfilment, cancelled=means.cancelled) for row in o.rows("line_items"))
    fees = [row.cents("total") or 0 for row in o.rows("fee_lines")]
    changed_at = _at(o, "date_modified")
    return Order(
        ref=ref,
        number=o.text("number") or ref,
        payment=_payment(o, status, means, refunded),
        fulfilment=fulfilment,
        cancelled=means.cancelled,
        fulfilled_by=FulfilledBy.SELLER,
        raw_status={"status": o.value("status")},
        placed_at=_at(o, "date_created"),
        changed_at=changed_at,
        paid_at=_at(o, "date_paid"),
        currency=o.currency("currency"),
        items_cents=parse.total(line.total_cents for line in lines) if lines else 0,
        discount_cents=-sum(fee for fee in fees if fee < 0),  # coupons are in the lines; "desconto no Pix" is a fee
        shipping_cents=o.cents("shipping_total"),
        other_cents=parse.total([o.cents("total_tax"), *(fee for fee in fees if fee > 0)]),
        total_cents=o.cents("total"),
        refunded_cents=refunded,
        lines=lines,
        buyer=_buyer(o, meta),
        ship_to=_ship_to(o, meta),
        shipments=_shipments(o, meta),
        clocks={"order": changed_at},
    )


def takes_stock(order: Order) -> bool | None:
    """Whether the store took this order's units off its shelf; None where the status does not tell."""
    means = STATUSES.get(str(order.raw_status.get("status")))
    return means.takes_stock if means else not order.cancelled


def modified(raw: Raw) -> datetime | None:
    """When an order was last changed; null where that cannot be read (its own parse says why)."""
    try:
        return _at(Wire(raw, "order"), "date_modified")
    except Unreadable:
        return None


def _at(o: Wire, name: str) -> datetime | None:
    """The `_gmt` twin is UTC, the other is in the site's zone."""
    return o.instant(f"{name}_gmt") or o.instant(name, zone=parse.SAO_PAULO)


def _meta(o: Wire) -> dict[str, str]:
    """Told meta values that are plain; what is no object is a plugin's own affair."""
    plain = [row for row in o.objects("meta_data") if not isinstance(row.raw.get("value"), dict | list)]
    return {str(row.value("key")): value for row in plain if (value := row.text("value")) is not None}


def _payment(o: Wire, status: str, means: Meaning, refunded: int | None) -> Payment:
    paid_at, payment = _at(o, "date_paid"), means.payment
    if payment is None:
        payment = Payment.PAID if paid_at else Payment.VOIDED if means.cancelled else Payment.PENDING
    elif status == CASH_ON_DELIVERY and paid_at is None and {"date_paid", "date_paid_gmt"} & o.raw.keys():
        payment = Payment.PENDING
    if payment is Payment.PAID and refunded:
        payment = Payment.REFUNDED if refunded >= (o.cents("total") or 0) else Payment.PARTIALLY_REFUNDED
    return payment


def _fulfilment(o: Wire, means: Meaning, meta: dict[str, str]) -> Fulfilment:
    refunded_after = means.payment is Payment.REFUNDED and _at(o, "date_completed") is not None
    shipped = meta.get(SHIPPED_META) == "fulfilled"
    return Fulfilment.DISPATCHED if refunded_after or shipped else means.fulfilment


def _line(row: Wire, fulfilment: Fulfilment, *, cancelled: bool) -> OrderLine:
    units = row.quantity("quantity")
    return OrderLine(
        ref=row.needed_ref("id"),
        listing_ref=row.ref("product_id"),  # 0 when the product was deleted
        variation_ref=row.ref("variation_id"),  # 0 for a simple product
        sku=row.text("sku"),
        title=unescape(row.text("name") or "") or None,
        quantity=units,
        cancelled_quantity=units if cancelled else 0,
        dispatched_quantity=units if fulfilment is Fulfilment.DISPATCHED else 0,
        total_cents=row.cents("total"),  # after discounts, without tax; `price` may be a float artefact
        fulfilled_by=FulfilledBy.SELLER,
    )


def _buyer(o: Wire, meta: dict[str, str]) -> Buyer:
    who = o.part("billing")
    country = (who.text("country") or "BR").upper()
    return Buyer(
        ref=o.ref("customer_id"),  # 0 for a guest
        name=_name(who),
        email=who.text("email"),
        phone=parse.phone(who.text("phone"), country) or parse.phone(who.text("cellphone"), country),
        document=_document(who, meta),
    )


def _name(who: Wire) -> str | None:
    return parse.joined(who.text("first_name"), who.text("last_name")) or who.text("company")


def _document(who: Wire, meta: dict[str, str]) -> Document | None:
    """The Brazilian checkout fills both on some themes: the kind of person decides which one counts."""
    kind = PERSON.get((who.text("persontype") or meta.get("_billing_persontype", "")).upper())
    wanted = ("cnpj", "cpf") if kind == "cnpj" else ("cpf", "cnpj")
    found = (parse.document(who.text(key) or meta.get(f"_billing_{key}")) for key in wanted)
    return next(filter(None, found), None)


def _ship_to(o: Wire, meta: dict[str, str]) -> Address | None:
    kind = "shipping" if o.part("shipping").text("address_1", "city", "postcode") else "billing"
    block = o.part(kind)
    return parse.address(
        recipient=_name(block),
        street=block.text("address_1"),
        number=block.text("number") or meta.get(f"_{kind}_number"),  # this and the district: Brazilian fields plugin
        complement=block.text("address_2"),
        district=block.text("neighborhood") or meta.get(f"_{kind}_neighborhood"),
        city=block.text("city"),
        state=block.text("state"),
        postal_code=block.text("postcode"),
        country=block.text("country"),
    )


def _shipments(o: Wire, meta: dict[str, str]) -> tuple[Shipment, ...]:
    """The Correios plugin keeps its codes comma-joined."""
    joined = o.text("correios_tracking_code") or meta.get("_correios_tracking_code", "")
    codes = dict.fromkeys(code.strip() for code in joined.split(",") if code.strip())
    return tuple(Shipment(ref=code, carrier="correios", tracking_code=code) for code in codes)


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """Sellable variations of a product, a variation, a page of either or a batch answer; none that is an id only."""
    rows = raw.get("update", raw) if isinstance(raw, dict) else raw
    if isinstance(rows, list):
        return [listing for n, row in enumerate(rows) for listing in _sellable(Wire(row, f"listing.{n}"))]
    return list(_sellable(Wire(rows, "listing")))


def _sellable(row: Wire) -> Iterator[Listing]:
    kind = row.text("type")  # told for products; older stores leave it out of variations
    if kind is None or kind == "variation":
        yield _listing(row, _parent_ref(row))
        return
    inside = row.objects("variations")  # ids; whole rows where our client put them in
    for variation in inside:
        yield _listing(variation, row.needed_ref("id"), row)
    if not inside and kind not in NOT_SOLD_HERE | VARIABLE:
        yield _listing(row)


def _parent_ref(row: Wire) -> str:
    found = re.search(r"/products/(\d+)(?:/variations)?['\"/]", f"{row.raw.get('_links')}'")
    parent = row.ref("parent_id") or (found.group(1) if found else None)
    if parent is None or parent == row.needed_ref("id"):
        raise Unreadable(row.at("parent_id"), "a variation that does not tell its product")
    return parent


def _listing(row: Wire, parent_ref: str | None = None, parent: Wire | None = None) -> Listing:
    own, managed = row.needed_ref("id"), row.value("manage_stock")
    units = None if managed in UNCOUNTED else row.units("stock_quantity")
    url = row.text("permalink") or ""
    return Listing(
        ref=parent_ref or own,
        variation_ref=own if parent_ref else None,
        slot_ref=own if parent_ref is None else parent_ref if managed == "parent" else f"{parent_ref}:{own}",
        sku=row.text("sku"),
        gtin=parse.bare(row.text("global_unique_id")),  # since 9.2
        title=_title(row, parent),
        url=url if url.startswith("http") else None,
        status=_listing_status(row, parent),
        quantity=_buyable(row, units),
        stock_quantity=units,
        price_cents=row.cents("price"),
    )


def _buyable(row: Wire, units: int | None) -> int | None:
    """Null where nothing is counted or backorders are taken: a buyer can buy any number."""
    if row.text("stock_status") == "outofstock":  # also below the store's out-of-stock threshold
        return 0
    if units is None or row.text("backorders") in ("yes", "notify"):
        return None
    return max(0, units)


def _listing_status(row: Wire, parent: Wire | None) -> ListingStatus:
    """A variation is seen no better than its product."""
    told = [each for each in (row, parent) if each and each.text("status")] or [row]
    return max((each.one_of("status", LISTING_STATUSES) for each in told), key=VISIBLE_FIRST.index)


def _title(row: Wire, parent: Wire | None) -> str | None:
    options = ", ".join(option for each in row.objects("attributes") if (option := each.text("option")))
    title = " - ".join(filter(None, (parent.text("name"), options))) if parent else row.text("name") or options
    return unescape(title) or None


def seen(raw: Raw, write: StockWrite) -> Listing:
    """A product or variation row read back as the listing that `write` addresses."""
    return _listing(Wire(raw, "listing"), write.listing_ref if write.variation_ref else None)

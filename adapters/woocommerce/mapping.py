"""WooCommerce's words into ours and back. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import unescape
from typing import Annotated, Any, NamedTuple, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field

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

API = "/wp-json/wc/v3"
BATCH = 100  # objects in one batch call
PLUGIN_ABSENT = "correios_plugin_absent"  # ours: the store ignored a field that the plugin would have answered


class Meaning(NamedTuple):
    """What an order status says; payment None: `date_paid` says."""

    payment: Payment | None
    fulfilment: Fulfilment = Fulfilment.NONE
    cancelled: bool = False


STATUSES = {
    "checkout-draft": Meaning(Payment.PENDING),  # block checkout, not yet placed
    "auto-draft": Meaning(Payment.PENDING),  # being typed in the admin
    "pending": Meaning(Payment.PENDING),  # awaiting payment
    "on-hold": Meaning(Payment.PENDING),  # stock taken, payment to be confirmed
    "failed": Meaning(Payment.PENDING),  # declined; the buyer may try again
    "processing": Meaning(Payment.PAID),  # paid, to be shipped
    "completed": Meaning(Payment.PAID, Fulfilment.DISPATCHED),  # shipped; there is no delivered state
    "refunded": Meaning(Payment.REFUNDED),
    "cancelled": Meaning(None, cancelled=True),
    "trash": Meaning(None, cancelled=True),
}
FROM_PLUGIN = Meaning(None)  # plugins add statuses at will: an open set
CASH_ON_DELIVERY = "processing"  # the one known status that may stand with `date_paid` null
SHIPPED_META = "_fulfillment_status"  # core fulfillments leave the status alone and write "fulfilled" here

LISTING_STATUSES = {
    "publish": ListingStatus.ACTIVE,
    "private": ListingStatus.PAUSED,  # a variation that is not enabled
    "draft": ListingStatus.PAUSED,
    "auto-draft": ListingStatus.PAUSED,
    "importing": ListingStatus.PAUSED,
    "pending": ListingStatus.PAUSED,  # pending review
    "future": ListingStatus.PAUSED,
    "trash": ListingStatus.CLOSED,
}
NOT_SOLD_HERE = {"grouped", "external"}  # a shelf of others; a link to another shop
VARIABLE = {"variable", "variable-subscription"}  # sold by variation only
VISIBLE_FIRST = list(ListingStatus)

PERSON = {"F": "cpf", "1": "cpf", "J": "cnpj", "2": "cnpj"}  # checkout field, raw meta

Scalar: TypeAlias = str | int | float | bool | None


def _rows(told: Any) -> Any:
    """PHP writes an empty list as "", null or false, and one with a gap in its keys as an object."""
    return list(told.values()) if isinstance(told, dict) else told or []


def _objects(told: Any) -> Any:
    """As rows; what is no object is a plugin's own affair."""
    rows = _rows(told)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else rows


def _block(told: Any) -> Any:
    """PHP writes an empty object as []."""
    return told or {}


class _Meta(BaseModel):
    key: Scalar = None
    value: Any = None


class _Party(BaseModel):
    first_name: Scalar = None
    last_name: Scalar = None
    company: Scalar = None
    address_1: Scalar = None
    address_2: Scalar = None
    number: Scalar = None  # these seven from the Brazilian checkout fields plugin
    neighborhood: Scalar = None
    cellphone: Scalar = None
    persontype: Scalar = None
    cpf: Scalar = None
    cnpj: Scalar = None
    city: Scalar = None
    state: Scalar = None
    postcode: Scalar = None
    country: Scalar = None
    email: Scalar = None
    phone: Scalar = None


class _Line(BaseModel):
    id: Scalar
    name: Scalar = None
    product_id: Scalar = None
    variation_id: Scalar = None
    sku: Scalar = None
    quantity: Scalar
    total: Scalar = None  # after discounts, without tax; `price` may be a float artefact


class _Amount(BaseModel):
    total: Scalar = None


class _Dated(BaseModel):
    date_modified: Scalar = None
    date_modified_gmt: Scalar = None

    def at(self, name: str) -> datetime | None:
        """An instant: the `_gmt` twin is UTC, the other is in the site's zone."""
        gmt, local = parse.text(getattr(self, f"{name}_gmt")), parse.text(getattr(self, name))
        told = parse.instant(gmt, f"order.{name}_gmt")
        return told or parse.instant(local, f"order.{name}", zone=parse.SAO_PAULO)


class _Order(_Dated):
    id: Scalar
    number: Scalar = None
    status: str
    currency: Scalar = None
    date_created: Scalar = None
    date_created_gmt: Scalar = None
    date_paid: Scalar = None
    date_paid_gmt: Scalar = None
    date_completed: Scalar = None
    date_completed_gmt: Scalar = None
    shipping_total: Scalar = None
    total: Scalar = None
    total_tax: Scalar = None
    customer_id: Scalar = None
    billing: Annotated[_Party, BeforeValidator(_block)] = _Party()
    shipping: Annotated[_Party, BeforeValidator(_block)] = _Party()
    meta_data: Annotated[list[_Meta], BeforeValidator(_objects)] = []
    line_items: Annotated[list[_Line], BeforeValidator(_rows)]
    fee_lines: Annotated[list[_Amount], BeforeValidator(_rows)] = []
    refunds: Annotated[list[_Amount], BeforeValidator(_rows)] | None = None
    correios_tracking_code: Scalar = None

    def meta(self) -> dict[str, str]:
        """Told meta values that are plain."""
        plain = ((str(m.key), parse.text(m.value)) for m in self.meta_data if not isinstance(m.value, (dict, list)))
        return {key: value for key, value in plain if value is not None}


def _id(told: Scalar, path: str) -> str:
    found = parse.ref(told)
    if found is None:
        raise Unreadable(path, "no id told")
    return found


def order(raw: Raw) -> Order:
    """One order of /orders/{id}, a webhook body, or a page that holds exactly one."""
    if isinstance(raw, list):
        if len(raw) != 1:
            raise Unreadable("order", f"a page of {len(raw)} orders, where one was expected")
        raw = raw[0]
    told = parse.wire(_Order, raw, "order")
    meta = told.meta()
    status = told.status.strip().removeprefix("wc-")
    if not status:
        raise Unreadable("order.status", "not told")
    means = STATUSES.get(status, FROM_PLUGIN)
    refunded = None if told.refunds is None else _refunded(told.refunds)
    fulfilment = _fulfilment(told, means, meta)
    lines = tuple(_line(line, n, fulfilment, cancelled=means.cancelled) for n, line in enumerate(told.line_items))
    fees = [parse.cents(fee.total, f"order.fee_lines.{n}.total") or 0 for n, fee in enumerate(told.fee_lines)]
    changed_at = told.at("date_modified")
    return Order(
        ref=_id(told.id, "order.id"),
        number=parse.text(told.number) or _id(told.id, "order.id"),
        payment=_payment(told, status, means, refunded),
        fulfilment=fulfilment,
        cancelled=means.cancelled,
        fulfilled_by=FulfilledBy.SELLER,
        raw_status={"status": told.status},
        placed_at=told.at("date_created"),
        changed_at=changed_at,
        paid_at=told.at("date_paid"),
        currency=_currency(told.currency),
        items_cents=parse.total(line.total_cents for line in lines) if lines else 0,
        discount_cents=-sum(fee for fee in fees if fee < 0),  # coupons are in the lines; "desconto no Pix" is a fee
        shipping_cents=parse.cents(told.shipping_total, "order.shipping_total"),
        other_cents=parse.total([parse.cents(told.total_tax, "order.total_tax"), *(fee for fee in fees if fee > 0)]),
        total_cents=parse.cents(told.total, "order.total"),
        refunded_cents=refunded,
        lines=lines,
        buyer=_buyer(told, meta),
        ship_to=_ship_to(told, meta),
        shipments=_shipments(told, meta),
        clocks={"order": changed_at},
    )


def modified(raw: Raw) -> datetime | None:
    """When an order was last changed; null where that cannot be read (its own parse says why)."""
    try:
        return parse.wire(_Dated, raw).at("date_modified")
    except Unreadable:
        return None


def _refunded(refunds: Sequence[_Amount]) -> int:
    return sum(abs(parse.cents(row.total, f"order.refunds.{n}.total") or 0) for n, row in enumerate(refunds))


def _payment(told: _Order, status: str, means: Meaning, refunded: int | None) -> Payment:
    paid_at = told.at("date_paid")
    payment = means.payment
    if payment is None:
        payment = Payment.PAID if paid_at else Payment.VOIDED if means.cancelled else Payment.PENDING
    elif status == CASH_ON_DELIVERY and paid_at is None and {"date_paid", "date_paid_gmt"} & told.model_fields_set:
        payment = Payment.PENDING
    if payment is Payment.PAID and refunded:
        whole = refunded >= (parse.cents(told.total, "order.total") or 0)
        payment = Payment.REFUNDED if whole else Payment.PARTIALLY_REFUNDED
    return payment


def _fulfilment(told: _Order, means: Meaning, meta: dict[str, str]) -> Fulfilment:
    refunded_after = means.payment is Payment.REFUNDED and told.at("date_completed") is not None
    shipped = meta.get(SHIPPED_META) == "fulfilled"
    return Fulfilment.DISPATCHED if refunded_after or shipped else means.fulfilment


def _line(line: _Line, n: int, fulfilment: Fulfilment, *, cancelled: bool) -> OrderLine:
    path = f"order.line_items.{n}"
    units = parse.quantity(line.quantity, f"{path}.quantity")
    if units < 1:
        raise Unreadable(f"{path}.quantity", f"not a quantity that can be ordered: {units}")
    name = parse.text(line.name)
    return OrderLine(
        ref=_id(line.id, f"{path}.id"),
        listing_ref=parse.ref(line.product_id),  # 0 when the product was deleted
        variation_ref=parse.ref(line.variation_id),  # 0 for a simple product
        sku=parse.text(line.sku),
        title=unescape(name) if name else None,
        quantity=units,
        cancelled_quantity=units if cancelled else 0,
        dispatched_quantity=units if fulfilment is Fulfilment.DISPATCHED else 0,
        total_cents=parse.cents(line.total, f"{path}.total"),
        fulfilled_by=FulfilledBy.SELLER,
    )


def _currency(told: Scalar) -> str:
    code = (parse.text(told) or "BRL").upper()
    if not re.fullmatch("[A-Z]{3}", code):
        raise Unreadable("order.currency", f"not a currency code: {code!r}"[:120])
    return code


def _buyer(told: _Order, meta: dict[str, str]) -> Buyer:
    who = told.billing
    country = (parse.text(who.country) or "BR").upper()
    return Buyer(
        ref=parse.ref(told.customer_id),  # 0 for a guest
        name=_name(who),
        email=parse.text(who.email),
        phone=parse.phone(parse.text(who.phone), country) or parse.phone(parse.text(who.cellphone), country),
        document=_document(who, meta),
    )


def _name(who: _Party) -> str | None:
    return parse.joined(parse.text(who.first_name), parse.text(who.last_name)) or parse.text(who.company)


def _document(who: _Party, meta: dict[str, str]) -> Document | None:
    """The checkout fills both on some themes: the kind of person decides which one counts."""
    kind = PERSON.get((parse.text(who.persontype) or meta.get("_billing_persontype", "")).upper())
    for field in ("cnpj", "cpf") if kind == "cnpj" else ("cpf", "cnpj"):
        if found := parse.document(parse.text(getattr(who, field)) or meta.get(f"_billing_{field}")):
            return found
    return None


def _ship_to(told: _Order, meta: dict[str, str]) -> Address | None:
    where = [
        parse.text(told.shipping.address_1),
        parse.text(told.shipping.city),
        parse.text(told.shipping.postcode),
    ]
    block, kind = (told.shipping, "shipping") if any(where) else (told.billing, "billing")
    street, city = parse.text(block.address_1), parse.text(block.city)
    postal_code = parse.bare(parse.text(block.postcode))
    if not (street and city and postal_code):
        return None
    return Address(
        recipient=_name(block),
        street=street,
        number=parse.text(block.number) or meta.get(f"_{kind}_number"),
        complement=parse.text(block.address_2),
        district=parse.text(block.neighborhood) or meta.get(f"_{kind}_neighborhood"),
        city=city,
        state=parse.state(parse.text(block.state)),
        postal_code=postal_code,
        country=(parse.text(block.country) or "").upper() or None,
    )


def _shipments(told: _Order, meta: dict[str, str]) -> tuple[Shipment, ...]:
    """The Correios plugin keeps its codes comma-joined."""
    joined = parse.text(told.correios_tracking_code) or meta.get("_correios_tracking_code", "")
    codes = dict.fromkeys(code.strip() for code in joined.split(",") if code.strip())
    return tuple(Shipment(ref=code, carrier="correios", tracking_code=code) for code in codes)


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


class _Attribute(BaseModel):
    option: Scalar = None


class _Product(BaseModel):
    id: Scalar
    parent_id: Scalar = None
    type: Scalar = None  # told for products; older stores leave it out of variations
    name: Scalar = None
    status: Scalar = None
    permalink: Scalar = None
    sku: Scalar = None
    global_unique_id: Scalar = None  # GTIN, since 9.2
    price: Scalar = None
    manage_stock: Scalar = None  # true, false, or "parent"
    stock_quantity: Scalar = None
    stock_status: Scalar = None
    backorders: Scalar = None
    attributes: Annotated[list[_Attribute], BeforeValidator(_objects)] = []
    variations: Annotated[list[Any], BeforeValidator(_rows)] = []  # ids; whole rows where our client put them in
    links: Any = Field(None, alias="_links")


def listings(raw: Raw) -> list[Listing]:
    """Sellable variations of a product, a variation, a page of either or a batch answer.

    A variable product whose variations are told by id only has none to show.
    """
    rows = raw.get("update", raw) if isinstance(raw, dict) else raw
    if isinstance(rows, list):
        return [listing for n, row in enumerate(rows) for listing in _sellable(row, f"listing.{n}")]
    return list(_sellable(rows, "listing"))


def _sellable(raw: Raw, path: str) -> Iterator[Listing]:
    row = parse.wire(_Product, raw, path)
    kind = parse.text(row.type)
    if kind is None or kind == "variation":
        yield _listing(row, path, _parent_ref(row, path))
        return
    inside = [(n, told) for n, told in enumerate(row.variations) if isinstance(told, dict)]
    for n, told in inside:
        where = f"{path}.variations.{n}"
        yield _listing(parse.wire(_Product, told, where), where, _id(row.id, f"{path}.id"), row)
    if not inside and kind not in NOT_SOLD_HERE | VARIABLE:
        yield _listing(row, path)


def _parent_ref(row: _Product, path: str) -> str:
    found = re.search(r"/products/(\d+)(?:/variations)?['\"/]", f"{row.links}'") if row.links else None
    parent = parse.ref(row.parent_id) or (found.group(1) if found else None)
    if parent is None or parent == parse.ref(row.id):
        raise Unreadable(f"{path}.parent_id", "a variation that does not tell its product")
    return parent


def _listing(row: _Product, path: str, parent_ref: str | None = None, parent: _Product | None = None) -> Listing:
    own = _id(row.id, f"{path}.id")
    shared = row.manage_stock == "parent" and parent_ref is not None
    units = _stock(row, path)
    return Listing(
        ref=parent_ref or own,
        variation_ref=own if parent_ref else None,
        slot_ref=own if parent_ref is None else parent_ref if shared else f"{parent_ref}:{own}",
        sku=parse.text(row.sku),
        gtin=parse.bare(parse.text(row.global_unique_id)),
        title=_title(row, parent),
        url=url if (url := parse.text(row.permalink) or "").startswith("http") else None,
        status=_listing_status(row, parent, path),
        quantity=_buyable(row, units),
        stock_quantity=units,
        price_cents=parse.cents(row.price, f"{path}.price"),
    )


def _stock(row: _Product, path: str) -> int | None:
    if row.manage_stock in (False, None, "", "no", 0, "false") or parse.text(row.stock_quantity) is None:
        return None
    return parse.quantity(row.stock_quantity, f"{path}.stock_quantity")


def _buyable(row: _Product, units: int | None) -> int | None:
    """Null where nothing is counted or backorders are taken: a buyer can buy any number."""
    if row.stock_status == "outofstock":  # also below the store's out-of-stock threshold
        return 0
    if units is None or row.backorders in ("yes", "notify"):
        return None
    return max(0, units)


def _listing_status(row: _Product, parent: _Product | None, path: str) -> ListingStatus:
    """A variation is seen no better than its product."""
    seen = []
    for told in filter(None, (parse.text(row.status), parse.text(parent.status) if parent else None)):
        if told not in LISTING_STATUSES:
            raise Unreadable(f"{path}.status", f"unknown status {told!r}"[:120])
        seen.append(LISTING_STATUSES[told])
    if not seen:
        raise Unreadable(f"{path}.status", "not told")
    return max(seen, key=VISIBLE_FIRST.index)


def _title(row: _Product, parent: _Product | None) -> str | None:
    own, above = parse.text(row.name), parse.text(parent.name) if parent else None
    options = ", ".join(filter(None, (parse.text(attribute.option) for attribute in row.attributes)))
    title = " - ".join(filter(None, (above, options))) if parent else own or options
    return unescape(title) or None


def seen(raw: Raw, write: StockWrite) -> Listing:
    """A product or variation row read back as the listing that `write` addresses."""
    row = parse.wire(_Product, raw, "listing")
    return _listing(row, "listing", write.listing_ref if write.variation_ref else None)


# What the store does to its own shelf by status; unknown (plugins') statuses take, a refund may have restocked or not.
_SHELF: dict[str, bool | None] = {
    "pending": False,  # only kept from others while the checkout is open
    "failed": False,
    "checkout-draft": False,
    "auto-draft": False,
    "cancelled": False,
    "trash": None,
    "refunded": None,
}


def takes_stock(order: Order) -> bool | None:
    """Whether the store took this order's units off its shelf; None where the status does not tell."""
    return _SHELF.get(str(order.raw_status.get("status")), not order.cancelled)

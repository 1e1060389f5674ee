"""Magalu's words into ours. Pure. An order's deliveries are its shipments, each sent and cancelled by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub import parse
from hub.faults import Unreadable
from hub.model import (
    Address,
    Buyer,
    FulfilledBy,
    Fulfilment,
    Hold,
    Invoice,
    LineQuantity,
    Listing,
    ListingStatus,
    ManagedBy,
    Order,
    OrderLine,
    Payment,
    Raw,
    Shipment,
    TrackingStatus,
)
from hub.wire import Wire, rows

CHANNEL = "9fe0d853-732b-4e4a-a0b0-cff988ed043d"  # Magazine Luiza, in production
PORTAL = "LU-"  # before an order's code in the portal and in older payloads
NORMALIZER = 100
KEY_LENGTH = 44
ABSENT = "absent"  # a slot's version while it has no number yet: the first one is made, later ones change it


@dataclass(frozen=True, slots=True)
class Stage:
    """What a delivery's status means."""

    moved: Fulfilment = Fulfilment.NONE
    parcel: TrackingStatus | None = None
    cancelled: bool = False


DELIVERIES = {
    "new": Stage(),
    "approved": Stage(),
    "invoiced": Stage(),
    "frozen": Stage(),  # between any two: nothing may be done with it
    "shipped": Stage(Fulfilment.DISPATCHED, TrackingStatus.IN_TRANSIT),
    "delivered": Stage(Fulfilment.DELIVERED, TrackingStatus.DELIVERED),
    "cancelled": Stage(parcel=TrackingStatus.CANCELLED, cancelled=True),
}
ORDERS = {
    "new": Payment.PENDING,
    "approved": Payment.PAID,  # also while its deliveries are invoiced, sent and delivered
    "finished": Payment.PAID,
    "cancelled": Payment.VOIDED,  # refunded, where it was approved before
}
STATUSES = {
    "PUBLISHED": ListingStatus.ACTIVE,
    "UNPUBLISHED": ListingStatus.PAUSED,
    "BLOCKED": ListingStatus.PAUSED,
    "UNDER_REVIEW": ListingStatus.PAUSED,
    "DELETING": ListingStatus.CLOSED,
    "DELETED": ListingStatus.CLOSED,
}
INSIDE_THE_PRICE = frozenset({"icms"})  # of `taxes`: the buyer pays it with the price
COUNTRIES = {"BRA": "BR", "BRASIL": "BR", "BRAZIL": "BR"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as told, with what its status means and its lines."""

    told: Wire
    ref: str
    stage: Stage
    by: FulfilledBy | None
    lines: tuple[OrderLine, ...]


def order(raw: Raw) -> Order:
    """An order as /seller/v1/orders/{id} tells it, deliveries inside; or a page of one."""
    o = _document(raw)
    payment, told_cancelled = o.one_of("status", ORDERS), o.text("status") == "cancelled"
    deliveries = [_delivery(row, whole=told_cancelled) for row in o.rows("deliveries")]
    lines = tuple(line for each in deliveries for line in each.lines)
    paid = o.instant("approved_at")
    live = [each for each in deliveries if not each.stage.cancelled]
    cancelled = told_cancelled or bool(deliveries and not live)
    clocks = [each.instant("updated_at") for each in (o, *(each.told for each in deliveries))]
    changed = max((at for at in clocks if at), default=None)
    discount, carried = _amount(o, deliveries, "discount"), _carried(deliveries)
    return Order(
        ref=o.needed_ref("id"),
        number=bare_code(o.ref("code")),
        payment=(Payment.REFUNDED if paid else Payment.VOIDED) if cancelled else payment,
        fulfilment=_fulfilment(live),
        cancelled=cancelled,
        hold=Hold.FROZEN if any(each.told.text("status") == "frozen" for each in live) else None,
        fulfilled_by=_one_of([each.by for each in deliveries]),
        raw_status={
            "status": o.text("status"),
            "deliveries": {each.ref: each.told.text("status") for each in deliveries},
        },
        placed_at=o.instant("purchased_at", "created_at"),
        changed_at=changed,
        paid_at=paid,
        cancelled_at=o.instant("cancelled_at"),
        ship_by=_earliest([_limit(each.told.part("shipping"), "handling_time") for each in live or deliveries]),
        deliver_by=_earliest([deadline(each.told) for each in live or deliveries]),
        currency=o.part("amounts").text("currency") or "BRL",
        items_cents=parse.total(line.total_cents for line in lines),
        discount_cents=None if discount is None else max(0, discount - carried),
        shipping_cents=_amount(o, deliveries, "freight"),
        other_cents=_taxes(o, deliveries),
        fees_cents=_fees(o, deliveries),
        total_cents=_total(o, deliveries),
        lines=lines,
        buyer=_buyer(o.part("customer")),
        ship_to=next(filter(None, (_address(each.told) for each in deliveries)), None),
        shipments=tuple(_shipment(each) for each in deliveries),
        invoices=tuple(_invoice(row) for each in deliveries for row in each.told.rows("invoices")),
        clocks={"order": changed},
    )


def _document(raw: Raw) -> Wire:
    if isinstance(raw, dict) and "results" in raw:
        found = list(rows(raw["results"], "results"))
        if len(found) != 1:
            raise Unreadable("results", f"{len(found)} orders where one should be")
        raw = dict(found[0].raw)
    o = Wire(raw, "order")
    if o.raw.get("deliveries") is None:
        raise Unreadable(o.at("deliveries"), "not told: only an order has them, a delivery is a part of one")
    if "currency" in o.part("amounts").raw and len(o.part("amounts").text("currency") or "BRL") != len("BRL"):
        raise Unreadable("order.amounts.currency", "not a currency of three letters")
    return o


def bare_code(code: str | None) -> str | None:
    """An order's code as its API tells it, without what the portal puts before it."""
    return code.removeprefix(PORTAL) if code else None


def order_code(delivery: Raw) -> str | None:
    """The code of the order that a delivery is a part of: its own code is that and its place."""
    code = bare_code(Wire(delivery, "delivery").ref("code")) or ""
    whole, dash, place = code.rpartition("-")
    return whole if dash and place.isdecimal() else None


def _delivery(row: Wire, *, whole: bool) -> Delivery:
    ref, stage, by = row.needed_ref("id"), row.one_of("status", DELIVERIES), fulfilled_by(row)
    lines = tuple(
        _line(item, f"{ref}:{item.text('sequencial') or n}", stage, by, cancelled=whole or stage.cancelled)
        for n, item in enumerate(row.rows("items"), start=1)
    )
    if len({line.ref for line in lines}) != len(lines):
        raise Unreadable(row.at("items"), "two of them are called alike (sequencial)")
    return Delivery(row, ref, stage, by, lines)


def fulfilled_by(delivery: Wire) -> FulfilledBy | None:
    """Whose shelf a delivery leaves from; null while its shipping is not told."""
    shipping = delivery.part("shipping")
    if not shipping:
        return None
    full = shipping.part("logistic_network").text("id") == "fulfillment"
    full = full or bool(shipping.part("provider").part("extras").flag("is_fulfillment"))  # as older payloads say
    return FulfilledBy.MARKETPLACE if full else FulfilledBy.SELLER


def _line(row: Wire, ref: str, stage: Stage, by: FulfilledBy | None, *, cancelled: bool) -> OrderLine:
    """`unit_price` is before discounts; what the channel allocates to the line stands in its amounts."""
    quantity, info, amounts = row.quantity("quantity"), row.part("info"), row.part("amounts")
    each = _exact(row.part("unit_price"), "value", amounts)
    if each is None:
        total = _cents(amounts, "total")
    else:
        off = _exact(amounts.part("discount"), "total", amounts) or Decimal(0)
        total = parse.cents(each * quantity - off, row.at("unit_price.value"))
    moved = quantity if stage.moved is not Fulfilment.NONE else 0
    return OrderLine(
        ref=ref,
        listing_ref=info.ref("sku"),
        sku=info.text("sku"),
        title=info.text("name"),
        quantity=quantity,
        cancelled_quantity=quantity if cancelled else 0,
        dispatched_quantity=moved,
        total_cents=total,
        fulfilled_by=by,
    )


def _fulfilment(live: Sequence[Delivery]) -> Fulfilment:
    """Over the deliveries that are not cancelled: part of them sent is partial, all of them there is delivered."""
    moves = [each.stage.moved for each in live]
    if not moves or all(move is Fulfilment.NONE for move in moves):
        return Fulfilment.NONE
    if Fulfilment.NONE in moves:
        return Fulfilment.PARTIAL
    return Fulfilment.DELIVERED if set(moves) == {Fulfilment.DELIVERED} else Fulfilment.DISPATCHED


def _one_of(told: Sequence[FulfilledBy | None]) -> FulfilledBy | None:
    kinds = set(told)
    if None in kinds or not kinds:
        return None
    return kinds.pop() if len(kinds) == 1 else FulfilledBy.MIXED


def _limit(shipping: Wire, key: str) -> datetime | None:
    """A deadline of `{limit_date}`, or the instant itself. In UTC: the portal shows it three hours earlier."""
    told = shipping.raw.get(key)
    return shipping.part(key).instant("limit_date") if isinstance(told, dict) else shipping.instant(key)


def deadline(delivery: Wire) -> datetime | None:
    """By when a delivery is promised."""
    return _limit(delivery.part("shipping"), "deadline")


def _earliest(told: Sequence[datetime | None]) -> datetime | None:
    return min((at for at in told if at), default=None)


# ── Money: an integer over its normalizer ───────────────────────────────────────────────────────────────────


def _exact(told: Wire, key: str, around: Wire | None = None) -> Decimal | None:
    """An amount in reais; its normalizer may stand around it."""
    units, normalizer = told.units(key), told.units("normalizer")
    if units is None:
        return None
    if normalizer is None and around is not None:
        told, normalizer = around, around.units("normalizer")
    normalizer = NORMALIZER if normalizer is None else normalizer
    if normalizer < 1:
        raise Unreadable(told.at("normalizer"), "below one")
    return Decimal(units) / normalizer


def _cents(told: Wire, key: str, around: Wire | None = None) -> int | None:
    return parse.cents(_exact(told, key, around), told.at(key))


def _amounts(o: Wire, deliveries: Sequence[Delivery], key: str) -> list[Wire]:
    """Where an amount is told: the order's own, else those of its deliveries."""
    own = o.part("amounts")
    return [own] if own.raw.get(key) is not None else [each.told.part("amounts") for each in deliveries]


def _amount(o: Wire, deliveries: Sequence[Delivery], key: str) -> int | None:
    return parse.total(_cents(each.part(key), "total", each) for each in _amounts(o, deliveries, key))


def _total(o: Wire, deliveries: Sequence[Delivery]) -> int | None:
    return parse.total(_cents(each, "total") for each in _amounts(o, deliveries, "total"))


def _carried(deliveries: Sequence[Delivery]) -> int:
    """Discounts that lines carry already."""
    found = [
        _cents(item.part("amounts").part("discount"), "total", item.part("amounts"))
        for each in deliveries
        for item in each.told.rows("items")
        if _exact(item.part("unit_price"), "value", item.part("amounts")) is not None
    ]
    return parse.total(found) or 0


def _taxes(o: Wire, deliveries: Sequence[Delivery]) -> int | None:
    return parse.total(
        _cents(tax, "total", each)
        for each in _amounts(o, deliveries, "taxes")
        for tax in each.rows("taxes")
        if (tax.text("type") or "").lower() not in INSIDE_THE_PRICE
    )


def _fees(o: Wire, deliveries: Sequence[Delivery]) -> int | None:
    """The commission where it is told as money; a percentage is none."""
    return parse.total(
        _cents(each.part("commission"), "total", each)
        for each in _amounts(o, deliveries, "commission")
        if each.part("commission").text("type") != "percentage"
    )


# ── People, parcels ─────────────────────────────────────────────────────────────────────────────────────────


def _buyer(told: Wire) -> Buyer | None:
    if not told:
        return None
    phones = (
        parse.phone(f"+{row.text('country_code') or '55'}{row.text('area_code') or ''}{row.text('number') or ''}")
        for row in told.rows("phones")
    )
    return Buyer(
        name=parse.joined(told.text("name")),
        email=told.text("email"),
        phone=next(filter(None, phones), None),
        document=parse.document(told.text("document_number")),
    )


def _address(delivery: Wire) -> Address | None:
    recipient = delivery.part("shipping").part("recipient")
    told = recipient.part("address")
    street, city, code = told.text("street"), told.text("city"), parse.bare(told.text("zipcode"))
    if not (street and city and code):
        return None
    country = (told.text("country") or "").upper()
    return Address(
        recipient=parse.joined(recipient.text("name")),
        street=street,
        number=told.text("number"),
        complement=told.text("complement"),
        district=told.text("district"),
        city=city,
        state=parse.state(told.text("state")),
        postal_code=code,
        country=COUNTRIES.get(country, country if len(country) == len("BR") and country.isalpha() else None),
    )


def _shipment(each: Delivery) -> Shipment:
    shipping = each.told.part("shipping")
    provider, tracking = shipping.part("provider"), shipping.part("tracking")
    return Shipment(
        ref=each.ref,
        carrier=provider.text("name", "id"),
        service=provider.text("description"),
        tracking_code=tracking.text("code"),
        tracking_url=tracking.text("url") or shipping.text("tracking_url"),  # where older payloads have it
        status=each.stage.parcel,
        lines=tuple(LineQuantity(line_ref=line.ref, quantity=line.quantity) for line in each.lines),
    )


def _invoice(row: Wire) -> Invoice:
    key = parse.bare(row.text("key")) or ""
    return Invoice(
        key=key if len(key) == KEY_LENGTH else None,
        issued_at=row.instant("issued_at"),
        status=row.text("status"),  # validating, then approved or invalid
    )


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """Listings of `{sku, stocks?, prices?, channel?}` as fetch composes it, of a bare SKU's document, or of a page.

    The seller's SKU is the listing's id; a variation is a SKU of its own beside those of its group.
    """
    if isinstance(raw, dict) and isinstance(raw.get("results"), list):
        return [one for row in raw["results"] for one in listings(row)]
    box = Wire(raw if isinstance(raw, dict) and isinstance(raw.get("sku"), dict) else {"sku": raw}, "")
    s, channel = box.part("sku"), box.text("channel")
    return [_listing(s, s.needed_ref("sku"), channel, box.raw.get("stocks"), box.raw.get("prices"))]


def seen(sku: str, channel: str | None, stocks: Raw) -> Listing:
    """What a slot shows, by the answer of /portfolios/stocks/{sku} alone."""
    return _listing(Wire(None, "sku"), sku, channel, stocks, None)


def _listing(s: Wire, ref: str, channel: str | None, stocks: Raw, prices: Raw) -> Listing:
    own = channel or CHANNEL
    available = None if stocks is None else _available(stocks, own)
    price = next((row for row in _results(prices, "prices") if _channel(row) in (None, own)), None)
    identifiers = s.rows("identifiers")
    return Listing(
        ref=ref,
        slot_ref=ref,
        location_ref=None if own == CHANNEL else own,
        sku=ref,
        gtin=next(filter(None, (row.text("value") for row in identifiers if row.text("type") == "ean")), None),
        title=s.text("title"),
        url=next(filter(None, (row.text("url") for row in s.rows("url_marketplace"))), None),
        status=_status(s),
        quantity=None if available is None else sum(available),
        stock_quantity=None if available is None else sum(available),
        price_cents=_cents(price, "price") if price else None,
        currency="BRL",
        managed_by=ManagedBy.MARKETPLACE if s.flag("fulfillment") else ManagedBy.SELLER,
        version=ABSENT if available == [] else None,
    )


def _status(s: Wire) -> ListingStatus:
    if s.raw.get("status") is not None:
        return s.one_of("status", STATUSES)
    return ListingStatus.PAUSED if s.flag("active") is False else ListingStatus.ACTIVE


def _results(raw: Raw, path: str) -> list[Wire]:
    return list(rows(raw["results"], f"{path}.results") if isinstance(raw, dict) else rows(raw, path))


def _channel(row: Wire) -> str | None:
    return row.part("channel").text("id")


def _available(stocks: Raw, channel: str) -> list[int]:
    """What buyers can buy there, branch by branch. RESERVED is what orders took already."""
    if isinstance(stocks, dict) and "results" not in stocks:
        raise Unreadable("stocks.results", "not told")
    return [
        row.count("quantity")
        for row in _results(stocks, "stocks")
        if row.text("type") == "AVAILABLE" and _channel(row) in (None, channel)
    ]

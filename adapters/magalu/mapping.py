"""Magalu's words into ours. Pure. An order's deliveries are its shipments, each sent and cancelled by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

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
from hub.wire import Wire, unboxed

CHANNEL = "9fe0d853-732b-4e4a-a0b0-cff988ed043d"  # Magazine Luiza, in production
PORTAL = "LU-"  # before an order's code in the portal and in older payloads
KEY_LENGTH = 44
ABSENT = "absent"  # a slot's version while it has no number yet: the first one is made, later ones change it
ICMS = "icms"  # among the taxes: the buyer pays it with the price


@dataclass(frozen=True, slots=True)
class Stage:
    """What a delivery's status means."""

    moved: Fulfilment = Fulfilment.NONE
    parcel: TrackingStatus | None = None


CANCELLED = Stage(parcel=TrackingStatus.CANCELLED)
DELIVERIES = {
    "new": Stage(),
    "approved": Stage(),
    "invoiced": Stage(),
    "frozen": Stage(),  # between any two: nothing may be done with it
    "shipped": Stage(Fulfilment.DISPATCHED, TrackingStatus.IN_TRANSIT),
    "delivered": Stage(Fulfilment.DELIVERED, TrackingStatus.DELIVERED),
    "cancelled": CANCELLED,
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


# "integra" is what the seller sends; that Magalu Entregas is named as another provider is assumed.
OWN_LABEL = """$.fulfilled_by == null || exists($.shipments[*] ?
    (@.carrier != null && @.carrier != "integra" && !(@.service == "Entrega pelo parceiro")))"""


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
    o = Wire(unboxed(raw, {"deliveries"}, "results"), "order")
    if o.told("deliveries") is None:
        raise Unreadable(o.at("deliveries"), "not told: only an order has them, a delivery is a part of one")
    payment, whole = o.one_of("status", ORDERS), o.text("status") == "cancelled"
    deliveries = [_delivery(row, whole=whole) for row in o.rows("deliveries")]
    live = [each for each in deliveries if each.stage is not CANCELLED]
    cancelled, paid = whole or bool(deliveries and not live), o.instant("approved_at")
    clocks = [each.instant("updated_at") for each in (o, *(each.told for each in deliveries))]
    changed = max(filter(None, clocks), default=None)
    lines = tuple(line for each in deliveries for line in each.lines)
    return Order(
        ref=o.needed_ref("id"),
        number=bare_code(o.ref("code")),
        payment=(Payment.REFUNDED if paid else Payment.VOIDED) if cancelled else payment,
        fulfilment=_fulfilment([each.stage.moved for each in live]),
        cancelled=cancelled,
        hold=Hold.FROZEN if any(each.told.text("status") == "frozen" for each in live) else None,
        fulfilled_by=_keeper({each.by for each in deliveries}),
        raw_status={"status": o.text("status"), "deliveries": {d.ref: d.told.text("status") for d in deliveries}},
        placed_at=o.instant("purchased_at", "created_at"),
        changed_at=changed,
        paid_at=paid,
        cancelled_at=o.instant("cancelled_at"),
        ship_by=_earliest(live or deliveries, "handling_time"),
        deliver_by=_earliest(live or deliveries, "deadline"),
        items_cents=parse.total(line.total_cents for line in lines),
        **_money(o, [each.told for each in deliveries]),
        lines=lines,
        buyer=_buyer(o.part("customer")),
        ship_to=next(filter(None, (_address(each.told) for each in deliveries)), None),
        shipments=tuple(_shipment(each) for each in deliveries),
        invoices=tuple(_invoice(row) for each in deliveries for row in each.told.rows("invoices")),
        clocks={"order": changed},
    )


def bare_code(code: str | None) -> str | None:
    """An order's code as its API tells it, without what the portal puts before it."""
    return code.removeprefix(PORTAL) if code else None


def order_code(delivery: Raw) -> str | None:
    """The code of the order that a delivery is a part of: its own code is that and its place."""
    whole, _dash, place = (bare_code(Wire(delivery, "delivery").ref("code")) or "").rpartition("-")
    return whole if whole and place.isdecimal() else None


def _delivery(row: Wire, *, whole: bool) -> Delivery:
    ref, stage, by = row.needed_ref("id"), row.one_of("status", DELIVERIES), fulfilled_by(row)
    lines = tuple(
        _line(item, f"{ref}:{item.text('sequencial') or n}", stage, by, cancelled=whole or stage is CANCELLED)
        for n, item in enumerate(row.rows("items"), start=1)
    )
    if len({line.ref for line in lines}) != len(lines):
        raise Unreadable(row.at("items"), "two of them are called alike (sequencial)")
    return Delivery(row, ref, stage, by, lines)


def fulfilled_by(delivery: Wire) -> FulfilledBy | None:
    """Whose shelf a delivery leaves from; null while its shipping is not told."""
    full = delivery.text("shipping.logistic_network.id") == "fulfillment"
    full = full or bool(delivery.flag("shipping.provider.extras.is_fulfillment"))  # as older payloads say
    seller = FulfilledBy.SELLER if delivery.part("shipping") else None
    return FulfilledBy.MARKETPLACE if full else seller


def _line(row: Wire, ref: str, stage: Stage, by: FulfilledBy | None, *, cancelled: bool) -> OrderLine:
    """`unit_price` is before discounts; what the channel allocates to the line stands in its amounts."""
    quantity, amounts = row.quantity("quantity"), row.part("amounts")
    each, total = _exact(row.part("unit_price"), "value", amounts), _cents(amounts, "total")
    if each is not None:
        off = _exact(amounts.part("discount"), "total", amounts) or 0
        total = parse.cents(each * quantity - off, row.at("unit_price.value"))
    return OrderLine(
        ref=ref,
        listing_ref=row.ref("info.sku"),
        sku=row.text("info.sku"),
        title=row.text("info.name"),
        quantity=quantity,
        cancelled_quantity=quantity if cancelled else 0,
        dispatched_quantity=0 if stage.moved is Fulfilment.NONE else quantity,
        total_cents=total,
        fulfilled_by=by,
    )


def _fulfilment(moves: Sequence[Fulfilment]) -> Fulfilment:
    """Over the deliveries that are not cancelled: a part of them sent is partial, all of them there is delivered."""
    if set(moves) <= {Fulfilment.NONE}:
        return Fulfilment.NONE
    if Fulfilment.NONE in moves:
        return Fulfilment.PARTIAL
    return Fulfilment.DELIVERED if set(moves) == {Fulfilment.DELIVERED} else Fulfilment.DISPATCHED


def _keeper(kinds: set[FulfilledBy | None]) -> FulfilledBy | None:
    return FulfilledBy.MIXED if len(kinds) > 1 and None not in kinds else kinds.pop() if len(kinds) == 1 else None


def deadline(delivery: Wire, key: str = "deadline") -> datetime | None:
    """An instant, or one in `limit_date`. In UTC: the portal shows it three hours earlier, often a day."""
    whole = f"shipping.{key}"
    return delivery.instant(f"{whole}.limit_date" if isinstance(delivery.told(whole), dict) else whole)


def _earliest(deliveries: Sequence[Delivery], key: str) -> datetime | None:
    return min(filter(None, (deadline(each.told, key) for each in deliveries)), default=None)


# ── Money: an integer over its normalizer ───────────────────────────────────────────────────────────────────


def _money(o: Wire, deliveries: Sequence[Wire]) -> dict[str, Any]:
    """What the order itself tells, else what its deliveries add up to; a discount less what the lines carry."""

    def told(key: str, read: Callable[[Wire, str], int | None]) -> int | None:
        own = o.part("amounts")
        if own.told(key) is not None:
            return read(own, key)
        return parse.total(read(each.part("amounts"), key) for each in deliveries)

    items = [item for each in deliveries for item in each.rows("items")]
    carried = parse.total(_sum(item.part("amounts"), "discount") for item in items) or 0
    discount = told("discount", _sum)
    return {
        "discount_cents": None if discount is None else max(0, discount - carried),
        "shipping_cents": told("freight", _sum),
        "other_cents": told("taxes", _taxes),
        "fees_cents": told("commission", _fee),
        "total_cents": told("total", _cents),
    }


def _exact(told: Wire, key: str, around: Wire) -> Decimal | None:
    """An amount in reais; its normalizer may stand around it."""
    units = told.units(key)
    own = told if told.told("normalizer") is not None else around
    normalizer = own.units("normalizer")
    if normalizer is not None and normalizer < 1:
        raise Unreadable(own.at("normalizer"), "below one")
    return None if units is None else Decimal(units) / (normalizer or 100)


def _cents(told: Wire, key: str, around: Wire | None = None) -> int | None:
    return parse.cents(_exact(told, key, around or told), told.at(key))


def _sum(amounts: Wire, key: str) -> int | None:
    return _cents(amounts.part(key), "total", amounts)


def _taxes(amounts: Wire, key: str) -> int | None:
    charged = [tax for tax in amounts.rows(key) if (tax.text("type") or "").lower() != ICMS]
    return parse.total(_cents(tax, "total", amounts) for tax in charged)


def _fee(amounts: Wire, key: str) -> int | None:
    """The commission where it is told as money; a percentage is none."""
    return None if amounts.text(f"{key}.type") == "percentage" else _sum(amounts, key)


# ── People, parcels ─────────────────────────────────────────────────────────────────────────────────────────


def _buyer(told: Wire) -> Buyer | None:
    if not told:
        return None
    phones = ("".join(row.text(key) or "" for key in ("area_code", "number")) for row in told.rows("phones"))
    return Buyer(
        name=parse.joined(told.text("name")),
        email=told.text("email"),
        phone=next(filter(None, map(parse.phone, phones)), None),
        document=parse.document(told.text("document_number")),
    )


def _address(delivery: Wire) -> Address | None:
    recipient = delivery.part("shipping.recipient")
    told = recipient.part("address")
    return parse.address(
        recipient=parse.joined(recipient.text("name")),
        street=told.text("street"),
        number=told.text("number"),
        complement=told.text("complement"),
        district=told.text("district"),
        city=told.text("city"),
        state=told.text("state"),
        postal_code=told.text("zipcode"),
        country="BR",  # it sells nowhere else
    )


def _shipment(each: Delivery) -> Shipment:
    shipping = each.told.part("shipping")
    return Shipment(
        ref=each.ref,
        carrier=shipping.text("provider.name", "provider.id"),
        service=shipping.text("provider.description"),
        tracking_code=shipping.text("tracking.code"),
        tracking_url=shipping.text("tracking.url", "tracking_url"),  # the latter in older payloads
        status=each.stage.parcel,
        lines=tuple(LineQuantity(line_ref=line.ref, quantity=line.quantity) for line in each.lines),
    )


def _invoice(row: Wire) -> Invoice:
    key = parse.bare(row.text("key"))
    told = key if key and len(key) == KEY_LENGTH else None
    return Invoice(key=told, issued_at=row.instant("issued_at"), status=row.text("status"))  # validating, approved ...


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """Listings of `{sku, stocks?, channel?}` as fetch composes it, of a bare SKU's document, or of a page.

    The seller's SKU is the listing's id; a variation is a SKU of its own beside those of its group.
    """
    if isinstance(raw, dict) and isinstance(raw.get("results"), list):
        return [one for row in raw["results"] for one in listings(row)]
    box = Wire(raw if isinstance(raw, dict) and isinstance(raw.get("sku"), dict) else {"sku": raw}, "")
    s = box.part("sku")
    return [listing(s, s.needed_ref("sku"), box.text("channel"), box.told("stocks"))]


def listing(s: Wire, ref: str, channel: str | None, stocks: Raw) -> Listing:
    """A SKU by its document, which may be empty, and the answer of /portfolios/stocks/{sku}."""
    numbers = None if stocks is None else _available(stocks, channel or CHANNEL)
    units = None if numbers is None else sum(numbers)
    eans = (row.text("value") for row in s.rows("identifiers") if row.text("type") == "ean")
    paused = ListingStatus.PAUSED if s.flag("active") is False else ListingStatus.ACTIVE
    return Listing(
        ref=ref,
        slot_ref=ref,
        location_ref=None if channel == CHANNEL else channel,
        sku=ref,
        gtin=next(filter(None, eans), None),
        title=s.text("title"),
        url=next(filter(None, (row.text("url") for row in s.rows("url_marketplace"))), None),
        status=paused if s.told("status") is None else s.one_of("status", STATUSES),
        quantity=units,
        stock_quantity=units,
        currency="BRL",
        managed_by=ManagedBy.MARKETPLACE if s.flag("fulfillment") else ManagedBy.SELLER,
        version=ABSENT if numbers == [] else None,
    )


def _available(stocks: Raw, channel: str) -> list[int]:
    """What buyers can buy in a channel, branch by branch. RESERVED is what orders took already."""
    mine = [row for row in Wire(stocks, "stocks").needed_rows("results") if row.text("channel.id") in (None, channel)]
    return [row.count("quantity") for row in mine if row.text("type") == "AVAILABLE"]

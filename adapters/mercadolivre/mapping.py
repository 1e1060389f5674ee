"""Mercado Livre's orders and shipments in our words, and our news in theirs. Pure.

Source: developers.mercadolivre.com.br, pages gerenciamento-de-vendas, packs, envios.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, AliasPath, BaseModel, BeforeValidator, Field

from adapters.mercadolivre.shipment_statuses import HOLDS, MOVED, STAGES, TRACKING
from hub import parse
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import (
    Address,
    Buyer,
    FulfilledBy,
    Fulfilment,
    Hold,
    News,
    Order,
    OrderLine,
    Payment,
    Raw,
    Request,
    Shipment,
    ShipmentNews,
    TrackingStatus,
)

PAYMENTS = {
    "confirmed": Payment.PENDING,  # no payment yet; the stock is taken
    "payment_required": Payment.PENDING,
    "payment_in_process": Payment.PENDING,
    "partially_paid": Payment.PENDING,
    "paid": Payment.PAID,
    "partially_refunded": Payment.PARTIALLY_REFUNDED,  # stays live
    "pending_cancel": Payment.PENDING,
    "cancelled": Payment.VOIDED,
    "invalid": Payment.VOIDED,  # made by a malicious buyer
}
ONCE_PAID = PAYMENTS | {  # the same where a payment had been approved
    "pending_cancel": Payment.PAID,
    "cancelled": Payment.REFUNDED,  # "paid -> cancelled" is what a refund does
    "invalid": Payment.REFUNDED,
}
CANCELLED = frozenset({"cancelled", "invalid"})
APPROVED = frozenset({"approved", "in_mediation", "refunded", "partially_refunded", "charged_back"})
GONE = frozenset({Fulfilment.DISPATCHED, Fulfilment.DELIVERED, Fulfilment.RETURNED})
# ME1 only: (status, substatus, comment); the substatus "null" is a string. A failed attempt wants a reason
# that the hub does not know, and in_transit has no word of its own: neither is told.
SELLER_NOTIFICATIONS = {
    News.DISPATCHED: ("shipped", "null", "Despachado"),
    News.OUT_FOR_DELIVERY: ("shipped", "out_for_delivery", "Saiu para entrega"),
    News.DELIVERED: ("delivered", "null", "Pedido entregue"),  # final
    News.RETURNED: ("not_delivered", "returning_to_sender", "Não entregue"),  # final
}
ME1_SERVICE = 11  # service_id of ME1 on MLB
MANAUS = ZoneInfo("America/Manaus")  # times come as -04:00; one without an offset is meant so
PARTS = {
    "shipment": frozenset({"fulfilment", "fulfilled_by", "shipments", "ship_to", "ship_by", "deliver_by"}),
    "billing": frozenset({"buyer"}),
}

# ── What we read of the wire ────────────────────────────────────────────────────────────────────────────────


def _spelt(told: Any) -> Any:
    return str(told) if isinstance(told, int) and not isinstance(told, bool) else told


Id = Annotated[str, BeforeValidator(_spelt)]  # numbers, or the same as strings
Empty = BeforeValidator(lambda told: None if told == "" else told)
Sum = Annotated[Decimal, Field(ge=-(10**12), le=10**12, allow_inf_nan=False)]
Amount = Annotated[Sum | None, Empty]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Time = Annotated[str | None, Empty]


def told_at(*paths: str) -> Any:
    """The first of these dotted paths that stands in the document; null when none does."""
    choices = (AliasPath(*path.split(".")) for path in paths)
    return Field(default=None, validation_alias=AliasChoices(*choices))


class _Discount(BaseModel):
    full: Amount = told_at("amounts.full")
    seller: Amount = told_at("amounts.seller")


class _Row(BaseModel):
    listing: str | None = told_at("item.id")
    variation: Id | None = told_at("item.variation_id")
    title: str | None = told_at("item.title")
    seller_sku: str | None = told_at("item.seller_sku")
    seller_custom_field: str | None = told_at("item.seller_custom_field")
    quantity: Annotated[int, Field(gt=0, le=10**9)]
    unit_price: Amount = None
    sale_fee: Amount = None  # per unit
    discounts: list[_Discount] | None = None  # per unit, already taken off unit_price


class _Payment(BaseModel):
    status: str | None = None
    shipping_cost: Amount = None
    transaction_amount_refunded: Amount = None
    date_approved: Time = None


class _Order(BaseModel):
    id: Id
    pack_id: Id | None = None
    status: str
    date_created: Time = None
    last_updated: Time = told_at("last_updated", "date_last_updated")  # the second in search results
    currency_id: Currency | None = None
    total_amount: Amount = None
    shipping_cost: Amount = None
    order_items: Annotated[list[_Row], Field(min_length=1)]
    payments: list[_Payment] | None = None
    shipping_id: Id | None = told_at("shipping.id")
    buyer_id: Id | None = told_at("buyer.id")
    buyer_name: str | None = told_at("buyer.first_name")
    buyer_last_name: str | None = told_at("buyer.last_name")
    buyer_email: str | None = told_at("buyer.email")
    tags: list[str] | None = None
    taxes: Amount = told_at("taxes.amount")
    cancelled_at: Time = told_at("cancel_detail.date")


class _Address(BaseModel):
    address_line: str | None = None
    street_name: str | None = None
    street_number: Id | None = None
    comment: str | None = None
    zip_code: Id | None = None
    city: str | None = told_at("city.name")
    state: str | None = told_at("state.id")
    state_name: str | None = told_at("state.name")
    neighborhood: str | None = told_at("neighborhood.name")
    country: str | None = told_at("country.id")


class _Shipment(BaseModel):
    """With x-format-new, or as it was before (the second path)."""

    id: Id
    status: str
    substatus: str | None = None
    last_updated: Time = None
    mode: str | None = told_at("logistic.mode", "mode")
    type: str | None = told_at("logistic.type", "logistic_type")
    tracking_number: str | None = None
    tracking_method: str | None = None
    address: _Address | None = told_at("destination.shipping_address", "receiver_address")
    receiver_name: str | None = told_at("destination.receiver_name", "receiver_address.receiver_name")
    receiver_phone: str | None = told_at("destination.receiver_phone", "receiver_address.receiver_phone")
    cost: Amount = told_at("lead_time.cost", "shipping_option.cost")
    handling: Time = told_at("lead_time.estimated_handling_limit.date", "shipping_option.estimated_handling_limit.date")
    delivery: Time = told_at("lead_time.estimated_delivery_time.date", "shipping_option.estimated_delivery_time.date")
    delivery_limit: Time = told_at(
        "lead_time.estimated_delivery_limit.date", "shipping_option.estimated_delivery_limit.date"
    )


class _Billing(BaseModel):
    name: str | None = told_at("buyer.billing_info.name")
    last_name: str | None = told_at("buyer.billing_info.last_name")
    number: Id | None = told_at("buyer.billing_info.identification.number")


class _Told(BaseModel):
    order: _Order
    shipment: _Shipment | None = None
    billing_info: _Billing | None = None
    ship_by: Time = told_at("sla.expected_date")


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


def order(raw: Raw) -> Order:
    """The order of `{order, shipment, billing_info, sla}`, /orders/{id} or a search with one result."""
    told = _told(raw)
    o, shipment = told.order, told.shipment
    ref, pack = id_of(o.id, "order.id"), parse.ref(o.pack_id)
    by = _fulfilled_by(o, shipment)
    fulfilment, tracking = _stage(shipment) if shipment else (_agreed(o, by), None)
    buyer = _buyer(o, shipment, told.billing_info)
    clocks = _clocks(o, shipment, by, buyer)
    lines = tuple(_line(row, number, o, fulfilment, by) for number, row in enumerate(o.order_items))
    items, shipping = parse.total(line.total_cents for line in lines), _shipping_cents(o, shipment)
    return Order(
        ref=ref,
        number=pack or ref,
        group_ref=pack,
        payment=(ONCE_PAID if _approved(o) else PAYMENTS)[o.status],
        fulfilment=fulfilment,
        cancelled=o.status in CANCELLED,
        hold=_hold(o, shipment),
        fulfilled_by=by,
        raw_status=_raw_status(o, shipment),
        placed_at=_instant(o.date_created, "order.date_created"),
        changed_at=max((at for at in clocks.values() if at), default=None),
        paid_at=max((at for p in _approved(o) if (at := _paid_at(p))), default=None),
        cancelled_at=_instant(o.cancelled_at, "order.cancel_detail.date") if o.status in CANCELLED else None,
        ship_by=_instant(told.ship_by or (shipment.handling if shipment else None), "shipment.handling_limit"),
        deliver_by=_deliver_by(shipment) if shipment else None,
        currency=o.currency_id or "BRL",
        items_cents=items,
        shipping_cents=shipping,
        other_cents=to_cents(o.taxes),
        fees_cents=parse.total(to_cents(row.sale_fee, row.quantity) for row in o.order_items),
        channel_discount_cents=_channel_discount(o.order_items),
        # "Total with shipping": total_amount + taxes.amount + what the buyer pays for the shipment.
        total_cents=parse.total(
            (items if o.total_amount is None else to_cents(o.total_amount), to_cents(o.taxes), shipping)
        ),
        refunded_cents=parse.total(to_cents(p.transaction_amount_refunded) for p in o.payments or ()),
        lines=lines,
        buyer=buyer,
        ship_to=_ship_to(shipment) if shipment else None,
        shipments=(_parcel(shipment, tracking),) if shipment else (),
        clocks=clocks,
    )


def _told(raw: Raw) -> _Told:
    if isinstance(raw, dict) and isinstance(raw.get("results"), list) and len(raw["results"]) == 1:
        raw = raw["results"][0]
    if isinstance(raw, dict) and "order_items" in raw:
        raw = {"order": raw}
    if not isinstance(raw, dict) or not isinstance(raw.get("order"), dict):
        raise Unreadable("order", "this is not a Mercado Livre order: it has no order_items")
    told = parse.wire(_Told, raw)
    known(told.order.status, PAYMENTS, "order.status")
    if told.shipment:
        known(told.shipment.status, STAGES, "shipment.status")
    return told


def known(word: str, table: Iterable[str], path: str) -> None:
    """Unreadable at `path` when the vendor's word is not in its table."""
    if word not in table:
        raise Unreadable(path, f"not a known status: {word!r}"[:120])


def id_of(told: object, path: str) -> str:
    """A told id as a string; none is Unreadable at `path`."""
    ref = parse.ref(told)
    if ref is None:
        raise Unreadable(path, f"not an id: {told!r}"[:120])
    return ref


def to_cents(amount: Decimal | None, times: int = 1) -> int | None:
    """Centavos of so many units: the product is rounded, for a unit may be 14.290000000000001."""
    return None if amount is None else parse.cents(amount * times, "amount")


def _instant(told: str | None, path: str) -> datetime | None:
    return parse.instant(told, path, zone=MANAUS)


def _clocks(
    o: _Order, shipment: _Shipment | None, by: FulfilledBy | None, buyer: Buyer | None
) -> dict[str, datetime | None]:
    clocks = {"order": _instant(o.last_updated, "order.last_updated")}
    if shipment:
        clocks["shipment"] = _instant(shipment.last_updated, "shipment.last_updated")
    elif by:
        clocks["shipment"] = None  # an order without shipping tells by itself that the seller sends it
    if buyer:
        clocks["billing"] = None  # billing documents carry no clock
    return clocks


def _approved(o: _Order) -> list[_Payment]:
    return [p for p in o.payments or () if p.status in APPROVED or p.date_approved]


def _paid_at(payment: _Payment) -> datetime | None:
    return _instant(payment.date_approved, "order.payments.date_approved")


def _raw_status(o: _Order, shipment: _Shipment | None) -> dict[str, Any]:
    words: dict[str, Any] = {"order": o.status, "tags": o.tags or []}
    if shipment:
        words["shipment"] = "/".join(filter(None, (shipment.status, shipment.substatus)))
    return words


def _hold(o: _Order, shipment: _Shipment | None) -> Hold | None:
    if "fraud_risk_detected" in (o.tags or ()):  # comes on an order already paid
        return Hold.FRAUD
    if o.status == "pending_cancel":
        return Hold.CANCEL_REQUESTED
    return HOLDS.get((shipment.status, shipment.substatus or "")) if shipment else None


def _agreed(o: _Order, by: FulfilledBy | None) -> Fulfilment | None:
    """Without a shipment the seller tells the delivery by a tag."""
    return Fulfilment.DELIVERED if by and "delivered" in (o.tags or ()) else None


def _stage(shipment: _Shipment) -> tuple[Fulfilment | None, TrackingStatus]:
    """A substatus newer than our table says nothing beyond its status."""
    fulfilment, tracking = STAGES[shipment.status]
    words = (shipment.status, shipment.substatus or "")
    return MOVED.get(words, fulfilment), TRACKING.get(words, tracking)


def _fulfilled_by(o: _Order, shipment: _Shipment | None) -> FulfilledBy | None:
    if shipment is None:
        seller = parse.ref(o.shipping_id) is None or "no_shipping" in (o.tags or ())
    elif shipment.type == "fulfillment":  # Full
        return FulfilledBy.MARKETPLACE
    else:
        seller = bool(shipment.type) or shipment.mode not in (None, "me2")
    return FulfilledBy.SELLER if seller else None


def _line(row: _Row, number: int, o: _Order, fulfilment: Fulfilment | None, by: FulfilledBy | None) -> OrderLine:
    listing = id_of(row.listing, f"order.order_items.{number}.item.id")
    variation = parse.ref(row.variation)
    return OrderLine(
        ref=slot(listing, variation),
        listing_ref=listing,
        variation_ref=variation,
        sku=parse.text(row.seller_sku) or parse.text(row.seller_custom_field),
        title=parse.text(row.title),
        quantity=row.quantity,
        cancelled_quantity=row.quantity if o.status in CANCELLED else 0,
        dispatched_quantity=row.quantity if fulfilment in GONE else 0,
        returned_quantity=row.quantity if fulfilment == Fulfilment.RETURNED else 0,
        total_cents=to_cents(row.unit_price, row.quantity),
        fulfilled_by=by,
    )


def _channel_discount(rows: Iterable[_Row]) -> int | None:
    return parse.total(
        to_cents(discount.full - discount.seller, row.quantity)
        for row in rows
        for discount in row.discounts or ()
        if discount.full is not None and discount.seller is not None
    )


def _shipping_cents(o: _Order, shipment: _Shipment | None) -> int | None:
    """A pack's shipment is paid once for all its orders: of a pack only the order's own word counts."""
    if parse.ref(o.pack_id) is None and shipment and shipment.cost is not None:
        return to_cents(shipment.cost)
    if o.shipping_cost is not None:
        return to_cents(o.shipping_cost)
    return parse.total(to_cents(payment.shipping_cost) for payment in _approved(o))


def _buyer(o: _Order, shipment: _Shipment | None, billing: _Billing | None) -> Buyer | None:
    invoiced = billing or _Billing()
    told = Buyer(
        ref=parse.ref(o.buyer_id),
        name=parse.joined(parse.text(invoiced.name), parse.text(invoiced.last_name))
        or parse.joined(parse.text(o.buyer_name), parse.text(o.buyer_last_name)),
        email=parse.text(o.buyer_email),
        phone=parse.phone(shipment.receiver_phone) if shipment else None,  # told in ME1 only
        document=parse.document(invoiced.number),
    )
    return None if told == Buyer() else told


def _ship_to(shipment: _Shipment) -> Address | None:
    """Null while masked: the address is hidden until the payment is confirmed."""
    at = shipment.address or _Address()
    street = parse.text(at.street_name) or parse.text(at.address_line)
    city, postal_code = parse.text(at.city), parse.bare(parse.text(at.zip_code))
    if not (street and city and postal_code):
        return None
    return Address(
        recipient=parse.text(shipment.receiver_name),
        street=street,
        number=parse.text(at.street_number),
        complement=parse.text(at.comment),
        district=parse.text(at.neighborhood),
        city=city,
        state=parse.state(at.state or at.state_name),
        postal_code=postal_code,
        country=parse.text(at.country),
    )


def slot(listing: str, variation: str | None) -> str:
    """`item[:variation]`."""
    return f"{listing}:{variation}" if variation else listing


def _deliver_by(shipment: _Shipment) -> datetime | None:
    return _instant(shipment.delivery or shipment.delivery_limit, "shipment.lead_time")


def _parcel(shipment: _Shipment, tracking: TrackingStatus | None) -> Shipment:
    """`service` tells the mode: "me1", "me2:drop_off", "custom" ..."""
    mode = parse.text(shipment.mode)
    return Shipment(
        ref=id_of(shipment.id, "shipment.id"),
        carrier=parse.text(shipment.tracking_method),
        service=f"{mode}:{shipment.type}" if mode == "me2" and shipment.type else mode,
        tracking_code=parse.text(shipment.tracking_number),
        status=tracking,
    )


# ── Shipments ───────────────────────────────────────────────────────────────────────────────────────────────


def seller_notifications(news: ShipmentNews, _target: str) -> list[Request]:
    """What a seller with an own carrier (ME1) tells; in ME2 Mercado Livre moves the status itself."""
    words = SELLER_NOTIFICATIONS.get(news.news)
    if (news.service or "").partition(":")[0] != "me1" or words is None:
        return []
    if news.shipment_ref is None:
        raise ChannelError(Fault.REJECTED, "no_shipment", f"order {news.order_ref} has no shipment to tell about")
    status, substatus, comment = words
    date = news.at.astimezone(parse.BRASILIA).isoformat(timespec="milliseconds")
    body: dict[str, Any] = {
        "payload": {"comment": comment, "date": date},
        "status": status,
        "substatus": substatus,
    }
    if status == "shipped":
        body["payload"]["service_id"] = ME1_SERVICE
        tracking = {"tracking_number": news.tracking_code, "tracking_url": news.tracking_url}
        body |= {name: told for name, told in tracking.items() if told}
    return [Request(method="POST", path=f"/shipments/{news.shipment_ref}/seller_notifications", json=body)]

"""Mercado Livre's words into ours and back. Pure.

Sources: developers.mercadolivre.com.br gerenciamento-de-vendas, gestao-de-packs, envios, estoque-multi-origem.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, Field

from hub import parse
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import (
    Address,
    Buyer,
    FulfilledBy,
    Fulfilment,
    Hold,
    Listing,
    ListingStatus,
    ManagedBy,
    News,
    Order,
    OrderLine,
    Outcome,
    OutcomeKind,
    Payment,
    Raw,
    Reply,
    Request,
    Shipment,
    ShipmentNews,
    StockWrite,
)
from hub.model import TrackingStatus as Track

# ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────

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
ONCE_PAID = {  # the same where a payment had been approved
    "pending_cancel": Payment.PAID,
    "cancelled": Payment.REFUNDED,  # "paid -> cancelled" is what a refund does
    "invalid": Payment.REFUNDED,
}
CANCELLED = frozenset({"cancelled", "invalid"})
APPROVED = frozenset({"approved", "in_mediation", "refunded", "partially_refunded", "charged_back"})

# status: (where the goods stand, the parcel's status) unless the substatus says more; null: does not say.
STAGES: dict[str, tuple[Fulfilment | None, Track]] = {
    "to_be_agreed": (Fulfilment.NONE, Track.LABEL_CREATED),
    "pending": (Fulfilment.NONE, Track.LABEL_CREATED),
    "handling": (Fulfilment.NONE, Track.LABEL_CREATED),
    "ready_to_ship": (Fulfilment.NONE, Track.LABEL_CREATED),
    "stale_ready_to_ship": (Fulfilment.NONE, Track.LABEL_CREATED),
    "shipped": (Fulfilment.DISPATCHED, Track.IN_TRANSIT),
    "stale_shipped": (Fulfilment.DISPATCHED, Track.IN_TRANSIT),
    "delivered": (Fulfilment.DELIVERED, Track.DELIVERED),
    "not_delivered": (Fulfilment.DISPATCHED, Track.EXCEPTION),  # left, and did not arrive
    "cancelled": (Fulfilment.NONE, Track.CANCELLED),
    "not_verified": (None, Track.UNKNOWN),
    "closed": (None, Track.UNKNOWN),
    "error": (None, Track.EXCEPTION),
    "active": (Fulfilment.NONE, Track.UNKNOWN),
    "not_specified": (Fulfilment.NONE, Track.UNKNOWN),
}
SUBSTATUSES: dict[str, dict[Track, str]] = {
    "pending": {
        Track.LABEL_CREATED: "cost_exceeded under_review reviewed fraudulent waiting_for_payment shipment_paid "
        "creating_route manufacturing buffered creating_shipping_order",
    },
    "handling": {
        Track.LABEL_CREATED: "regenerating waiting_for_label_generation invoice_pending manufacturing "
        "waiting_for_return_confirmation return_confirmed agency_unavailable",
    },
    "ready_to_ship": {
        Track.LABEL_CREATED: "ready_to_print invoice_pending printed in_pickup_list ready_for_pkl_creation "
        "ready_for_pickup ready_for_dropoff stale delayed claimed_me waiting_for_last_mile_authorization "
        "in_warehouse ready_to_pack measures_ready waiting_for_carrier_authorization authorized_by_carrier "
        "in_packing_list in_plp on_hold packed on_route_to_pickup picking_up shipping_order_initialized "
        "looking_for_driver",
        Track.ACCEPTED: "picked_up dropped_off in_hub",  # out of the seller's hands
        Track.IN_TRANSIT: "in_transit",
        Track.EXCEPTION: "rejected_in_hub",
    },
    "shipped": {
        Track.IN_TRANSIT: "delayed forwarded_to_third changed_address negative_feedback stale claimed_me "
        "waiting_for_confirmation buyer_edt_limit_stale buyer_rescheduled failover picked_up dropped_off "
        "left_customs import_taxes_paid",
        Track.OUT_FOR_DELIVERY: "out_for_delivery at_the_door soon_deliver",
        Track.AWAITING_PICKUP: "waiting_for_withdrawal",
        Track.FAILED_ATTEMPT: "receiver_absent refused_delivery bad_address delivery_failed dangerous_area "
        "unauthorized_receiver",  # the last is told by ME1 sellers and missing from /shipment_statuses
        Track.CUSTOMS: "at_customs delayed_at_customs awaiting_tax_documentation missing_sender_payment "
        "missing_sender_documentation missing_recipient_documentation missing_recipient_payment",
        Track.EXCEPTION: "contact_with_carrier_required reclaimed not_localized need_review "
        "operator_intervention retained delivery_blocked",
    },
    "delivered": {
        Track.DELIVERED: "damaged fulfilled_feedback no_action_taken double_refund inferred",
    },
    "not_delivered": {
        Track.RETURNING: "returning_to_sender returned_to_hub returned_to_agency picked_up_for_return "
        "returning_to_warehouse returning_to_hub soon_to_be_returned recovered delayed_to_hub",
        Track.RETURNED: "returned returned_to_warehouse",
        Track.LOST: "lost stolen confiscated not_recovered",
        Track.DAMAGED: "destroyed damaged rejected_damaged",
        Track.FAILED_ATTEMPT: "receiver_absent refused_delivery not_localized",
        Track.AWAITING_PICKUP: "waiting_for_withdrawal",
        Track.CUSTOMS: "awaiting_tax_documentation detained_at_customs import_tax_rejected import_tax_expired",
        Track.EXCEPTION: "to_review negative_feedback double_refund cancelled_measurement_exceeded claimed_me "
        "return_failed in_storage pending_recovery agency_unavailable refunded_by_delay delayed "
        "shipment_stopped retained detained_at_origin unclaimed rider_not_found",
    },
    "cancelled": {
        Track.CANCELLED: "recovered label_expired cancelled_manually fraudulent return_expired "
        "return_session_expired unfulfillable closed_by_user pack_splitted shipped_outside_me "
        "shipped_outside_me_trusted inferred_shipped service_unavailable dismissed time_expired "
        "pack_partially_cancelled rejected_manually closed_store out_of_range",
    },
}
TRACKING = {
    (status, substatus): track
    for status, tracks in SUBSTATUSES.items()
    for track, substatuses in tracks.items()
    for substatus in substatuses.split()
}
# Goods that moved although the status alone does not say so: (status, substatus) or the parcel's status.
MOVED = {
    ("cancelled", "shipped_outside_me"): Fulfilment.DISPATCHED,
    ("cancelled", "shipped_outside_me_trusted"): Fulfilment.DISPATCHED,
    ("cancelled", "inferred_shipped"): Fulfilment.DISPATCHED,
    Track.ACCEPTED: Fulfilment.DISPATCHED,
    Track.IN_TRANSIT: Fulfilment.DISPATCHED,
    Track.RETURNED: Fulfilment.RETURNED,
}
HOLDS = {
    ("pending", "fraudulent"): Hold.FRAUD,
    ("cancelled", "fraudulent"): Hold.FRAUD,
    ("pending", "under_review"): Hold.FROZEN,
    ("handling", "invoice_pending"): Hold.INVOICE_PENDING,  # the NF-e is still missing
    ("ready_to_ship", "invoice_pending"): Hold.INVOICE_PENDING,
}
LISTING_STATUSES = {
    "active": ListingStatus.ACTIVE,
    "paused": ListingStatus.PAUSED,  # by the seller, or out_of_stock: buyers cannot buy
    "payment_required": ListingStatus.PAUSED,
    "under_review": ListingStatus.PAUSED,
    "not_yet_active": ListingStatus.PAUSED,
    "inactive": ListingStatus.PAUSED,
    "closed": ListingStatus.CLOSED,
}
REVIEWS = {"warning": ListingStatus.ACTIVE, "forbidden": ListingStatus.CLOSED}  # sub_status of under_review
GTINS = ("GTIN", "EAN", "UPC", "ISBN", "JAN")
# ME1 only: (status, substatus); the substatus "null" is a string. A failed attempt wants a reason that the
# hub does not know, and in_transit has no word of its own.
SELLER_NOTIFICATIONS = {
    News.DISPATCHED: ("shipped", "null", "Despachado"),
    News.OUT_FOR_DELIVERY: ("shipped", "out_for_delivery", "Saiu para entrega"),
    News.DELIVERED: ("delivered", "null", "Pedido entregue"),  # final
    News.RETURNED: ("not_delivered", "returning_to_sender", "Não entregue"),  # final
}
ME1_SERVICE = 11  # service_id of ME1 on MLB
PARTS = {
    "shipment": frozenset({"fulfilment", "fulfilled_by", "shipments", "ship_to", "ship_by", "deliver_by"}),
    "billing": frozenset({"buyer"}),
}

# ── What we read of the wire ────────────────────────────────────────────────────────────────────────────────


def _blank(told: Any) -> Any:
    return None if told == "" else told


Id: TypeAlias = int | str
Amount = Annotated[
    Decimal | None, BeforeValidator(_blank), Field(ge=-(10**12), le=10**12, allow_inf_nan=False)
]
Time = Annotated[str | None, BeforeValidator(_blank)]
Units = Annotated[int, Field(ge=0, le=10**9)]


class _Named(BaseModel):
    id: str | None = None
    name: str | None = None


class _Ref(BaseModel):
    id: Id | None = None


class _OrderedListing(BaseModel):
    id: str
    title: str | None = None
    variation_id: Id | None = None
    seller_sku: str | None = None
    seller_custom_field: str | None = None


class _Amounts(BaseModel):
    full: Amount = None
    seller: Amount = None


class _Discount(BaseModel):
    amounts: _Amounts | None = None


class _Item(BaseModel):
    item: _OrderedListing
    quantity: Annotated[int, Field(gt=0, le=10**9)]
    unit_price: Amount = None
    sale_fee: Amount = None  # per unit
    discounts: list[_Discount] | None = None  # per unit, already inside unit_price


class _Payment(BaseModel):
    status: str | None = None
    shipping_cost: Amount = None
    transaction_amount_refunded: Amount = None
    date_approved: Time = None


class _Buyer(BaseModel):
    id: Id | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    billing_info: _Ref | None = None


class _Taxes(BaseModel):
    amount: Amount = None


class _Cancel(BaseModel):
    date: Time = None


class _Order(BaseModel):
    id: Id
    pack_id: Id | None = None
    status: str
    status_detail: Any = None
    date_created: Time = None
    last_updated: Time = None
    date_last_updated: Time = None  # what search results call it
    currency_id: Annotated[str | None, Field(pattern="^[A-Z]{3}$")] = None
    total_amount: Amount = None
    shipping_cost: Amount = None
    order_items: Annotated[list[_Item], Field(min_length=1)]
    payments: list[_Payment] | None = None
    shipping: _Ref | None = None
    buyer: _Buyer | None = None
    tags: list[str] | None = None
    taxes: _Taxes | None = None
    cancel_detail: _Cancel | None = None


class _Address(BaseModel):
    address_line: str | None = None
    street_name: str | None = None
    street_number: Id | None = None
    comment: str | None = None
    zip_code: Id | None = None
    city: _Named | None = None
    state: _Named | None = None
    neighborhood: _Named | None = None
    country: _Named | None = None
    receiver_name: str | None = None  # before x-format-new
    receiver_phone: str | None = None


class _Destination(BaseModel):
    receiver_name: str | None = None
    receiver_phone: str | None = None
    shipping_address: _Address | None = None


class _Logistic(BaseModel):
    mode: str | None = None
    type: str | None = None


class _Date(BaseModel):
    date: Time = None


class _Promise(BaseModel):
    cost: Amount = None
    estimated_handling_limit: _Date | None = None
    estimated_delivery_time: _Date | None = None
    estimated_delivery_limit: _Date | None = None


class _Shipment(BaseModel):
    id: Id
    status: str
    substatus: str | None = None
    last_updated: Time = None
    logistic: _Logistic | None = None
    mode: str | None = None  # before x-format-new
    logistic_type: str | None = None  # before x-format-new
    tracking_number: str | None = None
    tracking_method: str | None = None
    destination: _Destination | None = None
    receiver_address: _Address | None = None  # before x-format-new
    lead_time: _Promise | None = None
    shipping_option: _Promise | None = None  # before x-format-new


class _Identification(BaseModel):
    number: Id | None = None


class _Invoiced(BaseModel):
    name: str | None = None
    last_name: str | None = None
    identification: _Identification | None = None


class _BilledBuyer(BaseModel):
    billing_info: _Invoiced | None = None


class _Billing(BaseModel):
    buyer: _BilledBuyer | None = None


class _Sla(BaseModel):
    expected_date: Time = None


class _Told(BaseModel):
    order: _Order
    shipment: _Shipment | None = None
    billing_info: _Billing | None = None
    sla: _Sla | None = None


class _Value(BaseModel):
    name: str | None = None


class _Attribute(BaseModel):
    id: str | None = None
    value_name: str | None = None
    values: list[_Value] | None = None


class _Variation(BaseModel):
    id: Id
    price: Amount = None
    available_quantity: Units | None = None
    seller_custom_field: str | None = None
    user_product_id: str | None = None
    attributes: list[_Attribute] | None = None


class _Bundle(BaseModel):
    type: str | None = None


class _Shipping(BaseModel):
    logistic_type: str | None = None


class _Listed(BaseModel):
    id: Annotated[str, Field(pattern=r"^[A-Z]{3}\d+$")]
    title: str | None = None
    price: Amount = None
    currency_id: str | None = None
    available_quantity: Units | None = None
    permalink: str | None = None
    status: str
    sub_status: list[str] | None = None
    seller_custom_field: str | None = None
    user_product_id: str | None = None
    attributes: list[_Attribute] | None = None
    variations: list[_Variation] | None = None
    shipping: _Shipping | None = None
    bundle: _Bundle | None = None


class _Location(BaseModel):
    type: str | None = None
    store_id: Id | None = None
    network_node_id: Id | None = None
    quantity: Units


class _Stock(BaseModel):
    id: str | None = None
    version: Id | None = None
    locations: list[_Location] = []


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


def order(raw: Raw) -> Order:
    """The order of `{order, shipment, billing_info}`, of /orders/{id} or of a search with one result."""
    if isinstance(raw, dict) and isinstance(raw.get("results"), list) and len(raw["results"]) == 1:
        raw = raw["results"][0]
    if isinstance(raw, dict) and "order_items" in raw:
        raw = {"order": raw}
    if not isinstance(raw, dict) or not isinstance(raw.get("order"), dict):
        raise Unreadable("order", "this is not a Mercado Livre order: it has no order_items")
    told = parse.wire(_Told, raw)
    o, shipment = told.order, told.shipment
    if o.status not in PAYMENTS:
        raise Unreadable("order.status", f"not a known status: {o.status!r}"[:120])
    stage, track = _stage(shipment)
    by = _fulfilled_by(o, shipment)
    buyer = _buyer(o, shipment, told.billing_info)
    clocks = _clocks(o, shipment, by, buyer)
    shipping = _shipping_cents(o, shipment)
    items = [_line(row, at, o, stage, by) for at, row in enumerate(o.order_items)]
    taxes = _cents(o.taxes.amount if o.taxes else None)
    goods = parse.total(line.total_cents for line in items)
    return Order(
        ref=_id(o.id, "order.id"),
        number=parse.ref(o.pack_id) or _id(o.id, "order.id"),
        group_ref=parse.ref(o.pack_id),
        payment=(ONCE_PAID if _was_paid(o) else PAYMENTS).get(o.status, PAYMENTS[o.status]),
        fulfilment=stage,
        cancelled=o.status in CANCELLED,
        hold=_hold(o, shipment),
        fulfilled_by=by,
        raw_status=_raw_status(o, shipment),
        placed_at=parse.instant(o.date_created, "order.date_created", zone=MANAUS),
        changed_at=max((at for at in clocks.values() if at), default=None),
        paid_at=_paid_at(o),
        cancelled_at=_cancelled_at(o),
        ship_by=_ship_by(shipment, told.sla),
        deliver_by=_deliver_by(shipment),
        currency=o.currency_id or "BRL",
        items_cents=goods,
        shipping_cents=shipping,
        other_cents=taxes,
        fees_cents=parse.total(_cents(row.sale_fee, row.quantity) for row in o.order_items),
        channel_discount_cents=_channel_discount(o.order_items),
        # "Total with shipping": total_amount + taxes.amount + what the buyer pays for shipping.
        total_cents=parse.total([goods if o.total_amount is None else _cents(o.total_amount), taxes, shipping]),
        refunded_cents=parse.total(_cents(p.transaction_amount_refunded) for p in o.payments or ()),
        lines=tuple(items),
        buyer=buyer,
        ship_to=_ship_to(shipment),
        shipments=(_parcel(shipment, track),) if shipment else (),
        clocks=clocks,
    )


MANAUS = ZoneInfo("America/Manaus")  # times come as -04:00; one without an offset is meant so


def _id(told: Id, path: str) -> str:
    ref = parse.ref(told)
    if ref is None:
        raise Unreadable(path, f"not an id: {told!r}"[:120])
    return ref


def _cents(amount: Decimal | None, times: int = 1) -> int | None:
    # The product is rounded, not the unit: 14.290000000000001 comes off the wire as a float.
    return None if amount is None else parse.cents(amount * times, "amount")


def _clocks(
    o: _Order, shipment: _Shipment | None, by: FulfilledBy | None, buyer: Buyer | None
) -> dict[str, datetime | None]:
    changed = o.last_updated or o.date_last_updated
    clocks = {"order": parse.instant(changed, "order.last_updated", zone=MANAUS)}
    if shipment is not None:
        clocks["shipment"] = parse.instant(
            shipment.last_updated, "shipment.last_updated", zone=MANAUS
        )
    elif by is not None:
        clocks["shipment"] = None  # an order without shipping tells by itself that the seller sends it
    if buyer is not None:
        clocks["billing"] = None  # billing documents carry no clock
    return clocks


def _was_paid(o: _Order) -> bool:
    return any(p.status in APPROVED or p.date_approved for p in o.payments or ())


def _paid_at(o: _Order) -> datetime | None:
    times = (p.date_approved for p in o.payments or () if p.status in APPROVED)
    return max((at for t in times if (at := parse.instant(t, "order.payments.date_approved"))), default=None)


def _cancelled_at(o: _Order) -> datetime | None:
    if o.status not in CANCELLED or o.cancel_detail is None:
        return None
    return parse.instant(o.cancel_detail.date, "order.cancel_detail.date", zone=MANAUS)


def _raw_status(o: _Order, shipment: _Shipment | None) -> dict[str, Any]:
    words: dict[str, Any] = {"order": o.status, "tags": o.tags or []}
    if shipment is not None:
        words["shipment"] = "/".join(filter(None, (shipment.status, shipment.substatus)))
    return words


def _hold(o: _Order, shipment: _Shipment | None) -> Hold | None:
    if "fraud_risk_detected" in (o.tags or ()):  # comes on an order already paid: do not ship
        return Hold.FRAUD
    if o.status == "pending_cancel":
        return Hold.CANCEL_REQUESTED
    return HOLDS.get((shipment.status, shipment.substatus or "")) if shipment else None


def _stage(shipment: _Shipment | None) -> tuple[Fulfilment | None, Track | None]:
    if shipment is None:
        return None, None
    if shipment.status not in STAGES:
        raise Unreadable("shipment.status", f"not a known status: {shipment.status!r}"[:120])
    stage, track = STAGES[shipment.status]
    words = (shipment.status, shipment.substatus or "")
    # A substatus newer than our table says nothing beyond its status.
    track = TRACKING.get(words, track)
    return MOVED.get(words, MOVED.get(track, stage) if stage != Fulfilment.DELIVERED else stage), track


def _mode(shipment: _Shipment) -> tuple[str | None, str | None]:
    new = shipment.logistic or _Logistic()
    return new.mode or shipment.mode, new.type or shipment.logistic_type


def _fulfilled_by(o: _Order, shipment: _Shipment | None) -> FulfilledBy | None:
    if shipment is not None:
        mode, kind = _mode(shipment)
        if kind == "fulfillment":  # Full
            return FulfilledBy.MARKETPLACE
        return FulfilledBy.SELLER if kind or mode not in (None, "me2") else None
    no_shipping = parse.ref(o.shipping.id if o.shipping else None) is None
    return FulfilledBy.SELLER if no_shipping or "no_shipping" in (o.tags or ()) else None


def _line(row: _Item, at: int, o: _Order, stage: Fulfilment | None, by: FulfilledBy | None) -> OrderLine:
    listing = _id(row.item.id, f"order.order_items.{at}.item.id")
    variation = parse.ref(row.item.variation_id)
    gone = stage in (Fulfilment.DISPATCHED, Fulfilment.DELIVERED, Fulfilment.RETURNED)
    return OrderLine(
        ref=slot(listing, variation),
        listing_ref=listing,
        variation_ref=variation,
        sku=parse.text(row.item.seller_sku) or parse.text(row.item.seller_custom_field),
        title=parse.text(row.item.title),
        quantity=row.quantity,
        cancelled_quantity=row.quantity if o.status in CANCELLED else 0,
        dispatched_quantity=row.quantity if gone else 0,
        returned_quantity=row.quantity if stage == Fulfilment.RETURNED else 0,
        total_cents=_cents(row.unit_price, row.quantity),
        fulfilled_by=by,
    )


def _channel_discount(rows: Iterable[_Item]) -> int | None:
    told = (
        _cents(d.amounts.full - d.amounts.seller, row.quantity)
        for row in rows
        for d in row.discounts or ()
        if d.amounts and d.amounts.full is not None and d.amounts.seller is not None
    )
    return parse.total(told)


def _shipping_cents(o: _Order, shipment: _Shipment | None) -> int | None:
    """What the buyer pays. A pack's shipment is paid once for all its orders: there only the order's word counts."""
    promise = (shipment.lead_time or shipment.shipping_option) if shipment else None
    if parse.ref(o.pack_id) is None and promise and promise.cost is not None:
        return _cents(promise.cost)
    if o.shipping_cost is not None:
        return _cents(o.shipping_cost)
    return parse.total(_cents(p.shipping_cost) for p in o.payments or () if p.status in APPROVED)


def _buyer(o: _Order, shipment: _Shipment | None, billing: _Billing | None) -> Buyer | None:
    person = o.buyer or _Buyer()
    invoiced = (billing.buyer and billing.buyer.billing_info if billing else None) or _Invoiced()
    number = invoiced.identification.number if invoiced.identification else None
    place = (shipment.destination or shipment.receiver_address) if shipment else None
    told = Buyer(
        ref=parse.ref(person.id),
        name=parse.joined(parse.text(invoiced.name), parse.text(invoiced.last_name))
        or parse.joined(parse.text(person.first_name), parse.text(person.last_name)),
        email=parse.text(person.email),
        phone=parse.phone(place.receiver_phone) if place else None,  # told for ME1 only
        document=parse.document(None if number is None else str(number)),
    )
    return None if told == Buyer() else told


def _ship_to(shipment: _Shipment | None) -> Address | None:
    """Null while masked: the address is hidden until the payment is confirmed."""
    place = shipment.destination if shipment else None
    at = place.shipping_address if place else shipment.receiver_address if shipment else None
    if at is None:
        return None
    street = parse.text(at.street_name) or parse.text(at.address_line)
    city, postal_code = _name(at.city), parse.bare(parse.text(at.zip_code))
    if not (street and city and postal_code):
        return None
    return Address(
        recipient=parse.text(place.receiver_name if place else at.receiver_name),
        street=street,
        number=parse.text(at.street_number),
        complement=parse.text(at.comment),
        district=_name(at.neighborhood),
        city=city,
        state=parse.state((at.state.id or at.state.name) if at.state else None),
        postal_code=postal_code,
        country=parse.text(at.country.id) if at.country else None,
    )


def _name(told: _Named | None) -> str | None:
    return parse.text(told.name) if told else None


def _ship_by(shipment: _Shipment | None, sla: _Sla | None) -> datetime | None:
    promise = (shipment.lead_time or shipment.shipping_option) if shipment else None
    limit = promise.estimated_handling_limit if promise else None
    expected = sla.expected_date if sla else None
    return parse.instant(expected or (limit.date if limit else None), "shipment.ship_by", zone=parse.BRASILIA)


def _deliver_by(shipment: _Shipment | None) -> datetime | None:
    promise = (shipment.lead_time or shipment.shipping_option) if shipment else None
    dates = (promise.estimated_delivery_time, promise.estimated_delivery_limit) if promise else ()
    told = next((d.date for d in dates if d and d.date), None)
    return parse.instant(told, "shipment.lead_time.estimated_delivery_time.date", zone=parse.BRASILIA)


def _parcel(shipment: _Shipment, track: Track | None) -> Shipment:
    mode, kind = _mode(shipment)
    return Shipment(
        ref=_id(shipment.id, "shipment.id"),
        carrier=parse.text(shipment.tracking_method),
        service=f"{mode}:{kind}" if mode == "me2" and kind else parse.text(mode),
        tracking_code=parse.text(shipment.tracking_number),
        status=track,
    )


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def slot(listing: str, variation: str | None) -> str:
    """`item[:variation]`."""
    return f"{listing}:{variation}" if variation else listing


def listings(raw: Raw) -> list[Listing]:
    """One listing per variation and stock location.

    Of an item, `{item, stock}`, one entry of a multiget or a whole one; `stock` is /user-products/{id}/stock
    with its x-version as `version`, or a list of those.
    """
    if isinstance(raw, list):
        return [listing for at, entry in enumerate(raw) for listing in _entry(entry, f"{at}")]
    return _entry(raw, "")


def _entry(raw: Raw, path: str) -> list[Listing]:
    if not isinstance(raw, dict):
        raise Unreadable(path or "listing", "this is not a Mercado Livre item")
    if "body" in raw and ("code" in raw or "status_code" in raw):
        if raw.get("code", raw.get("status_code")) != 200:  # noqa: PLR2004 - gone, or not ours
            return []
        path, raw = ".".join(filter(None, (path, "body"))), raw["body"]
    stock: Any = []
    if isinstance(raw, dict) and "item" in raw:
        stock = raw.get("stock") or []
        path, raw = ".".join(filter(None, (path, "item"))), raw["item"]
    item = parse.wire(_Listed, raw, path)
    stocks = [parse.wire(_Stock, s, "stock") for s in (stock if isinstance(stock, list) else [stock])]
    if item.status not in LISTING_STATUSES:
        raise Unreadable(f"{path}.status".lstrip("."), f"not a known status: {item.status!r}"[:120])
    sold: list[_Variation | None] = list(item.variations or ()) or [None]
    return [listing for variation in sold for listing in _listing(item, variation, stocks)]


def _listing(item: _Listed, variation: _Variation | None, stocks: Sequence[_Stock]) -> list[Listing]:
    own = variation or item
    ref = parse.ref(variation.id) if variation else None
    product = parse.text(own.user_product_id)
    price = item.price if own.price is None else own.price
    full = (item.shipping and item.shipping.logistic_type) == "fulfillment"
    kit = (item.bundle and item.bundle.type) == "kit"  # Mercado Livre works out a kit's stock itself
    base = Listing(
        ref=item.id,
        variation_ref=ref,
        slot_ref=product or slot(item.id, ref),
        sku=_sku(variation) or _sku(item),
        gtin=_gtin(variation) or _gtin(item),
        title=parse.text(item.title),
        url=parse.text(item.permalink),
        status=_listing_status(item),
        quantity=own.available_quantity,
        stock_quantity=own.available_quantity,
        price_cents=_cents(price),
        currency=parse.text(item.currency_id),
        managed_by=ManagedBy.MARKETPLACE if full or kit else ManagedBy.SELLER,
    )
    stock = next((s for s in stocks if product and s.id in (None, product)), None)
    shelves = [at for at in stock.locations if at.type == "seller_warehouse"] if stock else []
    if stock is None or not shelves or full or kit:
        return [base]
    version = parse.text(stock.version)
    return [
        base.model_copy(
            update={
                "location_ref": location(at.store_id, at.network_node_id),
                "quantity": at.quantity,
                "stock_quantity": at.quantity,
                "version": version,
            }
        )
        for at in shelves
    ]


def location(store: object, node: object) -> str:
    """`store_id:network_node_id`."""
    return f"{parse.text(store) or ''}:{parse.text(node) or ''}"


def _listing_status(item: _Listed) -> ListingStatus:
    if item.status == "under_review":
        return next((REVIEWS[s] for s in item.sub_status or () if s in REVIEWS), ListingStatus.PAUSED)
    return LISTING_STATUSES[item.status]


def _attribute(own: _Listed | _Variation | None, name: str) -> str | None:
    for told in (own.attributes if own else None) or ():
        if told.id == name:
            return parse.text(told.value_name) or parse.text(told.values[0].name if told.values else None)
    return None


def _sku(own: _Listed | _Variation | None) -> str | None:
    return _attribute(own, "SELLER_SKU") or (parse.text(own.seller_custom_field) if own else None)


def _gtin(own: _Listed | _Variation | None) -> str | None:
    told = next((code for name in GTINS if (code := _attribute(own, name))), None)
    return told.split(",")[0].strip() if told else None  # several may stand in one value


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


def stock_requests(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """One request per write.

    A variation is written under its own path: a PUT of the item that lists only some variations deletes the rest.
    """
    return [(_stock_request(write), (write,)) for write in writes]


def _stock_request(write: StockWrite) -> Request:
    if write.location_ref is None:
        path = f"/items/{write.listing_ref}"
        if write.variation_ref:
            path += f"/variations/{write.variation_ref}"
        body = {"available_quantity": write.quantity}
        return Request(method="PUT", path=path, json=body, operation="items", accept=frozenset({400}))
    store, _, node = write.location_ref.partition(":")
    return Request(
        method="PUT",
        path=f"/user-products/{write.slot_ref}/stock/type/seller_warehouse",
        headers={"x-version": write.version} if write.version else {},
        json={"locations": [{"store_id": store, "network_node_id": node, "quantity": write.quantity}]},
        operation="user_product_stock",
        accept=frozenset({400, 409}),
    )


def stock_outcomes(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """Each write's outcome. A body without JSON is Unreadable."""
    told = error_body(reply) if reply.status >= 400 else _json(reply)  # noqa: PLR2004 - HTTP's own number
    return [_outcome(write, reply.status, told) for write in writes]


def _outcome(write: StockWrite, status: int, told: Raw) -> Outcome:
    def so(kind: OutcomeKind, seen: int | None = None, code: str | None = None, why: str | None = None) -> Outcome:
        return Outcome(
            listing_ref=write.listing_ref, variation_ref=write.variation_ref, slot_ref=write.slot_ref,
            outcome=kind, seen=seen, code=code, message=why,
        )  # fmt: skip

    if status >= 400:  # noqa: PLR2004 - HTTP's own number
        code, why = _reason(told, status)
        # 409: version mismatch or item optimistic locking; 400 "Missing X-Version header": read it first.
        stale = status == 409 or "x-version" in (why or "").lower()  # noqa: PLR2004 - HTTP's own number
        return so(OutcomeKind.STALE if stale else OutcomeKind.FAULT, None, code, why)
    seen = _seen(write, told)
    if seen is None or seen == write.quantity:
        return so(OutcomeKind.ACCEPTED, seen)
    # Sellers with several stock origins get 200 for a PUT of the item, and nothing changes.
    return so(OutcomeKind.FAULT, seen, "ignored", f"Mercado Livre answered 200 and kept the quantity at {seen}")


def _seen(write: StockWrite, told: Raw) -> int | None:
    """The quantity in the answer: the item, the variation, all variations of the item, or the stock locations."""
    if write.location_ref is not None:
        shelves = parse.wire(_Stock, told, "body").locations
        store = write.location_ref.partition(":")[0]
        return next((at.quantity for at in shelves if parse.text(at.store_id) == store), None)
    if write.variation_ref and isinstance(told, dict) and isinstance(told.get("variations"), list):
        told = told["variations"]
    for row in told if isinstance(told, list) else [told]:
        known = row.get("available_quantity") if isinstance(row, dict) else None
        mine = write.variation_ref or write.listing_ref
        if known is not None and parse.ref(row.get("id")) in (mine, None):
            return parse.quantity(known, "body.available_quantity")
    return None


def _json(reply: Reply) -> Raw:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        raise Unreadable("body", f"not JSON (status {reply.status})") from None


# ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────


def error_body(reply: Reply) -> dict[str, Any]:
    """The `{message, error, status, cause}` of a refusal; empty when the body is something else."""
    try:
        told = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def read_error(reply: Reply) -> str | None:
    """The vendor's code in a refusal: `code` (policies), else `error`, else a `message` that is a code."""
    if reply.status < 400:  # noqa: PLR2004 - HTTP's own number
        return None
    told = error_body(reply)
    words = (told.get("code"), told.get("error"), told.get("message"))
    return next((w for w in words if isinstance(w, str) and re.fullmatch(r"[A-Za-z_.]{3,80}", w)), None)


def _reason(told: dict[str, Any], status: int) -> tuple[str, str | None]:
    """Code and sentence; `cause` is a list of objects, of strings, or absent."""
    causes = told.get("cause")
    first = causes[0] if isinstance(causes, list) and causes else None
    detail = first if isinstance(first, dict) else {"message": first}
    codes = (detail.get("code"), told.get("error"), told.get("code"), status)
    whys = (detail.get("message"), told.get("message"))
    code = next(str(c) for c in codes if isinstance(c, str | int) and c != "")
    return code, next((w for w in whys if isinstance(w, str) and w), None)


# ── Shipments ───────────────────────────────────────────────────────────────────────────────────────────────


def seller_notifications(news: ShipmentNews, _target: str) -> list[Request]:
    """What a seller with an own carrier (ME1) must tell; in ME2 Mercado Livre moves the status itself."""
    words = SELLER_NOTIFICATIONS.get(news.news)
    if (news.service or "").partition(":")[0] != "me1" or words is None:
        return []
    if news.shipment_ref is None:
        raise ChannelError(Fault.REJECTED, "no_shipment", f"order {news.order_ref} has no shipment to tell about")
    status, substatus, comment = words
    date = news.at.astimezone(parse.BRASILIA).isoformat(timespec="milliseconds")
    body: dict[str, Any] = {"payload": {"comment": comment, "date": date}, "status": status, "substatus": substatus}
    if status == "shipped":
        body["payload"]["service_id"] = ME1_SERVICE
        body |= {"tracking_number": news.tracking_code, "tracking_url": news.tracking_url}
    body = {name: told for name, told in body.items() if told is not None}
    return [Request(method="POST", path=f"/shipments/{news.shipment_ref}/seller_notifications", json=body)]

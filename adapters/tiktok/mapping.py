"""TikTok's orders into ours. Pure. An order has one line item for every unit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub import parse
from hub.faults import Unreadable
from hub.model import (
    Address,
    Buyer,
    FulfilledBy,
    Fulfilment,
    Hold,
    LineQuantity,
    Order,
    OrderLine,
    Payment,
    Raw,
    Shipment,
    TrackingStatus,
)
from hub.wire import Wire


@dataclass(frozen=True, slots=True)
class Stage:
    """What a status means."""

    payment: Payment = Payment.PAID
    fulfilment: Fulfilment = Fulfilment.NONE
    cancelled: bool = False
    hold: Hold | None = None


STAGES = {
    "UNPAID": Stage(Payment.PENDING),
    "ON_HOLD": Stage(hold=Hold.FROZEN),  # the buyer may still cancel alone; nobody may send it
    "AWAITING_SHIPMENT": Stage(),
    "PARTIALLY_SHIPPING": Stage(fulfilment=Fulfilment.PARTIAL),
    "AWAITING_COLLECTION": Stage(),  # arranged, and still at the seller's
    "IN_TRANSIT": Stage(fulfilment=Fulfilment.DISPATCHED),
    "DELIVERED": Stage(fulfilment=Fulfilment.DELIVERED),
    "COMPLETED": Stage(fulfilment=Fulfilment.DELIVERED),  # and nothing can be sent back any more
    "CANCELLED": Stage(Payment.VOIDED, cancelled=True),
    "CANCEL": Stage(Payment.VOIDED, cancelled=True),  # as webhooks spell it
}
GONE = frozenset({Fulfilment.DISPATCHED, Fulfilment.DELIVERED})
FULFILLERS = {
    "FULFILLMENT_BY_SELLER": FulfilledBy.SELLER,
    "FULFILLMENT_BY_TIKTOK": FulfilledBy.MARKETPLACE,
}
PARCELS = {
    "TO_FULFILL": None,  # the seller has not arranged it yet
    "PROCESSING": TrackingStatus.LABEL_CREATED,  # waits for its carrier
    "FULFILLING": TrackingStatus.IN_TRANSIT,
    "COMPLETED": TrackingStatus.DELIVERED,
    "CANCELLED": TrackingStatus.CANCELLED,  # also of a parcel that was lost or damaged
}
INVOICES = {"NEED_INVOICE": True, "NO_NEED": False, "UNKNOWN": False}
KEPT = (
    "status", "fulfillment_type", "shipping_type", "need_upload_invoice", "is_buyer_request_cancel",
    "cancellation_initiator", "cancel_reason",
)  # fmt: skip
STATE, CITY, DISTRICT = "L1", "L2", "L3"  # levels of an administrative division; L0 is the country


@dataclass(slots=True)
class Units:
    """What the line items of one SKU add up to."""

    product: str | None
    sku: str | None
    title: str | None
    cents: list[int | None] = field(default_factory=list)
    ordered: int = 0
    cancelled: int = 0
    dispatched: int = 0
    parcels: dict[str, int] = field(default_factory=dict)


def order(raw: Raw) -> Order:
    """An order of /order/202309/orders, in its answer or by itself."""
    o = Wire(_document(raw), "order")
    stage = _stage(o)
    rows = o.rows("line_items")
    if not rows:
        raise Unreadable(o.at("line_items"), "not told")
    keeper = o.one_of("fulfillment_type", FULFILLERS) if o.text("fulfillment_type") else None
    paid, money = o.instant("paid_time") if stage.payment is not Payment.PENDING else None, o.part("payment")
    units = _units(rows, stage)
    lines = tuple(_line(sku, told, stage, keeper) for sku, told in units.items())
    changed = o.instant("update_time")
    return Order(
        ref=o.needed_ref("id"),
        number=o.ref("id"),
        payment=Payment.REFUNDED if stage.cancelled and paid else stage.payment,
        fulfilment=stage.fulfilment,
        cancelled=stage.cancelled,
        hold=_hold(o, stage),
        fulfilled_by=keeper,
        raw_status={key: o.raw[key] for key in KEPT if o.raw.get(key) is not None},
        placed_at=o.instant("create_time"),
        changed_at=changed,
        paid_at=paid,
        cancelled_at=o.instant("cancel_time") if stage.cancelled else None,
        ship_by=o.instant("rts_sla_time", "shipping_due_time"),
        deliver_by=o.instant("delivery_sla_time", "delivery_option_required_delivery_time"),
        currency=_currency(money),
        items_cents=parse.total(line.total_cents for line in lines),
        shipping_cents=money.cents("shipping_fee"),
        other_cents=parse.total(money.cents(key) for key in ("tax", "buyer_service_fee", "small_order_fee")),
        channel_discount_cents=parse.total(
            money.cents(key) for key in ("platform_discount", "shipping_fee_platform_discount")
        ),
        total_cents=money.cents("total_amount"),
        lines=lines,
        buyer=_buyer(o),
        ship_to=_address(o.part("recipient_address")),
        shipments=_shipments(o, rows, units),
        clocks={"order": changed},
    )


def takes_stock(told: Order) -> bool | None:
    """Whether an unpaid order already takes units is not documented: the slot is read back."""
    return None if told.payment is Payment.PENDING else not told.cancelled


def _document(raw: Raw) -> Raw:
    told = raw
    for key in ("data", "orders"):
        told = told[key] if isinstance(told, dict) and key in told and "line_items" not in told else told
    if isinstance(told, list):
        if len(told) != 1:
            raise Unreadable("orders", f"{len(told)} orders, where one was expected")
        return told[0]
    return told


def _stage(o: Wire) -> Stage:
    """What is cancelled after its carrier collected it has left all the same."""
    told = o.one_of("status", STAGES)
    left = told.cancelled and o.instant("collection_time") is not None
    return replace(told, fulfilment=Fulfilment.DISPATCHED) if left else told


def _currency(money: Wire) -> str:
    told = money.text("currency") or "BRL"
    if not re.fullmatch("[A-Z]{3}", told):
        raise Unreadable(money.at("currency"), f"not a currency: {told!r}"[:120])
    return told


def _hold(o: Wire, stage: Stage) -> Hold | None:
    if stage.cancelled or stage.fulfilment in GONE:
        return None
    if o.flag("is_buyer_request_cancel"):
        return Hold.CANCEL_REQUESTED
    needs = o.text("need_upload_invoice") and o.one_of("need_upload_invoice", INVOICES)
    waiting = stage.payment is Payment.PAID and stage.fulfilment is Fulfilment.NONE
    return stage.hold or (Hold.INVOICE_PENDING if needs and waiting else None)


# ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────


def _units(rows: Sequence[Wire], stage: Stage) -> dict[str, Units]:
    """By sku_id, in the order in which they come first."""
    found: dict[str, Units] = {}
    for row in rows:
        own = row.one_of("display_status", STAGES) if row.text("display_status") else stage
        cents = row.cents("sale_price")
        for n, (sku, count, part) in enumerate(_sold(row)):
            told = found.setdefault(sku, Units(part.ref("product_id"), part.text("seller_sku"), _title(part)))
            told.cents.append(0 if n else cents)
            told.ordered += count
            told.cancelled += count * (own.cancelled or stage.cancelled)
            told.dispatched += count * (own.fulfilment in GONE or (stage.cancelled and stage.fulfilment in GONE))
            if parcel := row.ref("package_id"):
                told.parcels[parcel] = told.parcels.get(parcel, 0) + count
    return found


def _sold(row: Wire) -> list[tuple[str, int, Wire]]:
    """What a line item takes off shelves: its SKU, or the SKUs that a combined listing stands for.

    The money of a combined listing is told once, and stays with its first part.
    """
    parts = row.rows("combined_listing_skus")
    if not parts:
        return [(row.needed_ref("sku_id"), 1, row)]
    return [
        (part.needed_ref("sku_id"), part.quantity("sku_count") if part.raw.get("sku_count") is not None else 1, part)
        for part in parts
    ]


def _title(row: Wire) -> str | None:
    return parse.joined(row.text("product_name"), row.text("sku_name"))


def _line(sku: str, told: Units, stage: Stage, keeper: FulfilledBy | None) -> OrderLine:
    return OrderLine(
        ref=sku,
        listing_ref=told.product,
        variation_ref=sku,
        sku=told.sku,
        title=told.title,
        quantity=told.ordered,
        cancelled_quantity=told.ordered if stage.cancelled else told.cancelled,
        dispatched_quantity=told.dispatched,
        total_cents=None if None in told.cents else parse.total(told.cents),
        fulfilled_by=keeper,
    )


def _shipments(o: Wire, rows: Sequence[Wire], units: Mapping[str, Units]) -> tuple[Shipment, ...]:
    """One per parcel; what it holds, who carries it and its code stand in the line items."""
    first: dict[str, Wire] = {ref: row for row in o.rows("packages") if (ref := row.ref("id"))}
    first |= {ref: row for row in reversed(rows) if (ref := row.ref("package_id"))}
    return tuple(
        Shipment(
            ref=ref,
            carrier=row.text("shipping_provider_name", "shipping_provider"),
            tracking_code=row.text("tracking_number"),
            status=row.one_of("package_status", PARCELS) if row.text("package_status") else None,
            lines=tuple(
                LineQuantity(line_ref=sku, quantity=told.parcels[ref])
                for sku, told in units.items()
                if ref in told.parcels
            ),
        )
        for ref, row in first.items()
    )


# ── People and places ───────────────────────────────────────────────────────────────────────────────────────


def _clear(row: Wire, *keys: str) -> str | None:
    """The first that is told; with one asterisk in it, it is masked (the platform's own logistics)."""
    return next((told for told in (row.text(key) for key in keys) if told and "*" not in told), None)


def _buyer(o: Wire) -> Buyer:
    to = o.part("recipient_address")
    return Buyer(
        ref=o.ref("user_id"),
        name=parse.joined(_clear(o, "cpf_name") or _clear(to, "name")),
        email=_clear(o, "buyer_email"),
        phone=parse.phone(_clear(to, "phone_number")),
        document=parse.document(_clear(o, "cpf")),
    )


def _address(to: Wire) -> Address | None:
    """The lines of a Brazilian address are street, number, complement and district: assumed, none is published."""
    areas = {row.text("address_level"): _clear(row, "address_name") for row in to.rows("district_info")}
    street, code = _clear(to, "address_line1", "address_detail"), parse.bare(_clear(to, "postal_code"))
    city = areas.get(CITY)
    if not (street and city and code):
        return None
    told: dict[str, Any] = {
        "number": _clear(to, "address_line2"),
        "complement": _clear(to, "address_line3"),
        "district": areas.get(DISTRICT) or _clear(to, "address_line4"),
    }
    return Address(
        recipient=parse.joined(_clear(to, "name")),
        street=street,
        **told,
        city=city,
        state=parse.state(areas.get(STATE)),
        postal_code=code,
        country=_clear(to, "region_code"),
    )

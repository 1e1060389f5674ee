"""TikTok's orders into ours. Pure. An order has one line item for every unit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from hub import parse
from hub.calls import grouped
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
from hub.stages import GONE, Stage
from hub.wire import Wire

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
FULFILLERS = {"FULFILLMENT_BY_SELLER": FulfilledBy.SELLER, "FULFILLMENT_BY_TIKTOK": FulfilledBy.MARKETPLACE}
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
OWN_LABEL = '!($.raw_status.shipping_type == "SELLER")'  # TIKTOK: its carriers and its label
STATE, CITY, DISTRICT = "L1", "L2", "L3"  # levels of an administrative division; L0 is the country


def order(raw: Raw) -> Order:
    """An order of /order/202309/orders, in its answer or by itself."""
    o = Wire(_document(raw), "order")
    if not o.rows("line_items"):
        there = ", ".join(o.raw) or "nothing"
        raise Unreadable(o.at("line_items"), f"not told: an order has them, and here is only {there}"[:160])
    stage = _stage(o)
    keeper = o.maybe_of("fulfillment_type", FULFILLERS)
    paid, money = o.instant("paid_time") if stage.payment is not Payment.PENDING else None, o.part("payment")
    units = grouped(_units(o, stage), lambda unit: unit.sku)
    lines = tuple(_line(sku, sold, keeper) for sku, sold in units.items())
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
        currency=money.currency("currency"),
        items_cents=parse.total(line.total_cents for line in lines),
        shipping_cents=money.cents("shipping_fee"),
        other_cents=_sum(money, "tax", "buyer_service_fee", "small_order_fee"),
        channel_discount_cents=_sum(money, "platform_discount", "shipping_fee_platform_discount"),
        total_cents=money.cents("total_amount"),
        lines=lines,
        buyer=_buyer(o),
        ship_to=_address(o.part("recipient_address")),
        shipments=_shipments(o, units),
        clocks={"order": changed},
    )


def takes_stock(told: Order) -> bool | None:
    """Whether an unpaid order already takes units is not documented: the slot is read back."""
    return None if told.payment is Payment.PENDING else not told.cancelled


def _document(raw: Raw) -> Raw:
    """The order of an answer that has just one, or an order by itself."""
    told = raw
    for key in ("data", "orders"):
        told = told[key] if isinstance(told, dict) and key in told and "line_items" not in told else told
    if isinstance(told, list):
        if len(told) != 1:
            raise Unreadable("orders", f"{len(told)} orders are told: give one at a time")
        return told[0]
    return told


def _stage(o: Wire) -> Stage:
    """What is cancelled after its carrier collected it has left all the same."""
    told = o.one_of("status", STAGES)
    left = told.cancelled and o.instant("collection_time") is not None
    return replace(told, fulfilment=Fulfilment.DISPATCHED) if left else told


def stage_of(row: Wire, o: Wire) -> Stage:
    """What became of a line item: what its order says, where it does not say itself."""
    return row.one_of("display_status", STAGES) if row.text("display_status") else _stage(o)


def _hold(o: Wire, stage: Stage) -> Hold | None:
    if stage.cancelled or stage.fulfilment in GONE:
        return None
    if o.flag("is_buyer_request_cancel"):
        return Hold.CANCEL_REQUESTED
    needs = o.text("need_upload_invoice") and o.one_of("need_upload_invoice", INVOICES)
    waiting = stage.payment is Payment.PAID and stage.fulfilment is Fulfilment.NONE
    return stage.hold or (Hold.INVOICE_PENDING if needs and waiting else None)


def _sum(money: Wire, *keys: str) -> int | None:
    return parse.total(money.cents(key) for key in keys)


# ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────


class Units(NamedTuple):
    """What a line item takes off one shelf; `row` names the product."""

    sku: str
    row: Wire
    ordered: int
    cents: int | None
    cancelled: bool
    dispatched: bool
    parcel: str | None


def _units(o: Wire, stage: Stage) -> Iterator[Units]:
    """Of each line item its SKU, or the SKUs that a combined listing stands for.

    The money of a combined listing is told once, and stays with its first part.
    """
    for row in o.rows("line_items"):
        own, cents = stage_of(row, o), row.cents("sale_price")
        for n, part in enumerate(row.rows("combined_listing_skus") or [row]):
            yield Units(
                sku=part.needed_ref("sku_id"),
                row=part,
                ordered=1 if part.raw.get("sku_count") is None else part.quantity("sku_count"),
                cents=0 if n else cents,
                cancelled=own.cancelled or stage.cancelled,
                dispatched=own.fulfilment in GONE or (stage.cancelled and stage.fulfilment in GONE),
                parcel=row.ref("package_id"),
            )


def _line(sku: str, sold: Sequence[Units], keeper: FulfilledBy | None) -> OrderLine:
    row, cents = sold[0].row, [units.cents for units in sold]
    return OrderLine(
        ref=sku,
        listing_ref=row.ref("product_id"),
        variation_ref=sku,
        sku=row.text("seller_sku"),
        title=parse.joined(row.text("product_name"), row.text("sku_name")),
        quantity=sum(units.ordered for units in sold),
        cancelled_quantity=sum(units.ordered for units in sold if units.cancelled),
        dispatched_quantity=sum(units.ordered for units in sold if units.dispatched),
        total_cents=None if None in cents else parse.total(cents),
        fulfilled_by=keeper,
    )


def _shipments(o: Wire, lines: Mapping[str, Sequence[Units]]) -> tuple[Shipment, ...]:
    """One per parcel; what it holds, who carries it and its code stand in the line items."""
    first = {ref: row for row in o.rows("packages") if (ref := row.ref("id"))}
    first |= {ref: row for row in reversed(o.rows("line_items")) if (ref := row.ref("package_id"))}
    return tuple(
        Shipment(
            ref=ref,
            carrier=row.text("shipping_provider_name", "shipping_provider"),
            tracking_code=row.text("tracking_number"),
            status=row.maybe_of("package_status", PARCELS),
            lines=tuple(
                LineQuantity(line_ref=sku, quantity=count)
                for sku, sold in lines.items()
                if (count := sum(units.ordered for units in sold if units.parcel == ref))
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
    return parse.address(
        recipient=parse.joined(_clear(to, "name")),
        street=_clear(to, "address_line1", "address_detail"),
        number=_clear(to, "address_line2"),
        complement=_clear(to, "address_line3"),
        district=areas.get(DISTRICT) or _clear(to, "address_line4"),
        city=areas.get(CITY),
        state=areas.get(STATE),
        postal_code=_clear(to, "postal_code"),
        country=_clear(to, "region_code"),
    )

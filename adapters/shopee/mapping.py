"""Shopee's orders in our words. Pure."""

from collections.abc import Sequence

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
    Order,
    OrderLine,
    Payment,
    Raw,
    Shipment,
    TrackingStatus,
)
from hub.stages import Stage
from hub.wire import Wire

STAGES = {  # money that came in before shows in pay_time
    "UNPAID": Stage(Payment.PENDING),
    "PENDING": Stage(Payment.PENDING, hold=Hold.FROZEN),  # Shopee still looks into it (pending_terms)
    "INVOICE_PENDING": Stage(Payment.PAID, hold=Hold.INVOICE_PENDING),  # Brazil: the NF-e comes first
    "READY_TO_SHIP": Stage(Payment.PAID),
    "PROCESSED": Stage(Payment.PAID),  # its shipment is arranged
    "RETRY_SHIP": Stage(Payment.PAID),  # the pickup failed: to be arranged again
    "IN_CANCEL": Stage(Payment.PAID, hold=Hold.CANCEL_REQUESTED),  # READY_TO_SHIP again when it is refused
    "SHIPPED": Stage(Payment.PAID, Fulfilment.DISPATCHED),
    "TO_CONFIRM_RECEIVE": Stage(Payment.PAID, Fulfilment.DELIVERED),
    "TO_RETURN": Stage(Payment.PAID, Fulfilment.DELIVERED),  # asked for; what came back shows in returned_qty
    "COMPLETED": Stage(Payment.PAID, Fulfilment.DELIVERED),
    "CANCELLED": Stage(Payment.VOIDED, cancelled=True),
}
# Where pay_time is told.
PAID_BEFORE: dict[Payment | None, Payment] = {Payment.PENDING: Payment.PAID, Payment.VOIDED: Payment.REFUNDED}
FULFILLERS = {
    "fulfilled_by_shopee": FulfilledBy.MARKETPLACE,
    "fulfilled_by_cb_seller": FulfilledBy.SELLER,
    "fulfilled_by_local_seller": FulfilledBy.SELLER,
}
LOGISTICS: dict[str, TrackingStatus | None] = {
    "LOGISTICS_NOT_START": None,
    "LOGISTICS_NOT_STARTED": None,
    "LOGISTICS_PENDING_ARRANGE": None,
    "LOGISTICS_READY": None,  # to be arranged
    "LOGISTICS_REQUEST_CREATED": TrackingStatus.LABEL_CREATED,
    "LOGISTICS_PICKUP_RETRY": TrackingStatus.LABEL_CREATED,
    "LOGISTICS_PICKUP_FAILED": TrackingStatus.EXCEPTION,
    "LOGISTICS_PICKUP_DONE": TrackingStatus.ACCEPTED,
    "LOGISTICS_DELIVERY_DONE": TrackingStatus.DELIVERED,
    "LOGISTICS_DELIVERY_FAILED": TrackingStatus.RETURNING,  # given up; an attempt that fails is not told here
    "LOGISTICS_COD_REJECTED": TrackingStatus.CANCELLED,
    "LOGISTICS_REQUEST_CANCELED": TrackingStatus.CANCELLED,
    "LOGISTICS_INVALID": TrackingStatus.CANCELLED,
    "LOGISTICS_LOST": TrackingStatus.LOST,
}
LEFT = {TrackingStatus.ACCEPTED, TrackingStatus.DELIVERED, TrackingStatus.RETURNING, TrackingStatus.LOST}
# assumed: which carriers are the seller's own (non_integrated) only get_shipping_parameter tells, no order does.
OWN_LABEL = "exists($)"
OWN_WORDS = ("order_status", "fulfillment_flag", "advance_package", "pending_terms", "cancel_by", "cancel_reason")


def order(raw: Raw) -> Order:
    """The order of get_order_detail's answer, or of one of its rows. Everything is the part "order"."""
    found = answered(raw, "order_list", "order")
    if len(found) != 1:
        raise Unreadable("response.order_list", f"{len(found)} orders, where one is read at a time")
    o = found[0]
    stage, changed, paid = o.one_of("order_status", STAGES), o.instant("update_time"), o.instant("pay_time")
    rows = o.rows("item_list")
    if not rows:
        raise Unreadable(o.at("item_list"), "not told: ask for it in response_optional_fields")
    refs, keeper = _refs(rows), _keeper(o)
    parcels = tuple(_parcel(row, refs) for row in o.rows("package_list") if row.ref("package_number"))
    left = [each for parcel in parcels if parcel.status in LEFT for each in parcel.lines]
    lines = tuple(_line(row, ref, stage, keeper, left) for row, ref in zip(rows, refs, strict=True))
    totals = [line.total_cents for line in lines]
    return Order(
        ref=o.needed_ref("order_sn"),
        number=o.needed_ref("order_sn"),
        payment=PAID_BEFORE.get(stage.payment, stage.payment) if paid else stage.payment,
        fulfilment=_fulfilment(stage, lines),
        cancelled=stage.cancelled,
        hold=stage.hold or (Hold.CANCEL_REQUESTED if any(row.count("cancel_requested_qty") for row in rows) else None),
        fulfilled_by=keeper,
        raw_status=_own_words(o),
        placed_at=o.instant("create_time"),
        changed_at=changed,
        paid_at=paid,
        ship_by=o.instant("ship_by_date"),
        deliver_by=o.instant("edt_to"),
        currency=o.currency("currency"),
        items_cents=None if None in totals else parse.total(totals),
        total_cents=o.cents("total_amount") or None,  # only told once it is paid
        lines=lines,
        buyer=_buyer(o),
        ship_to=_address(o.part("recipient_address")),
        shipments=parcels,
        invoices=_invoices(o.part("invoice_data")),
        clocks={"order": changed},
    )


def takes_stock(told: Order) -> bool | None:
    """A cancelled order gives its units back; of one that came back from its way only the shelf tells."""
    return None if told.cancelled and told.fulfilment is not Fulfilment.NONE else not told.cancelled


def answered(raw: Raw, key: str, path: str) -> list[Wire]:
    """The rows of a whole answer; what is none stands for itself."""
    if isinstance(raw, dict) and raw.keys() & {"response", "error"}:
        return Wire(raw, "").part("response").needed_rows(key)
    return [Wire(raw, path)]


def _keeper(o: Wire) -> FulfilledBy | None:
    """An order matched to a booking takes goods that left before: they are not the seller's to send any more."""
    if o.flag("advance_package"):
        return FulfilledBy.MARKETPLACE
    return o.maybe_of("fulfillment_flag", FULFILLERS)


def _own_words(o: Wire) -> dict[str, Raw]:
    told: dict[str, Raw] = {key: o.raw[key] for key in OWN_WORDS if o.raw.get(key) not in (None, "", [])}
    if parcels := o.rows("package_list"):
        told["logistics_status"] = {row.text("package_number") or "-": row.text("logistics_status") for row in parcels}
    return told


# ── Lines and parcels ───────────────────────────────────────────────────────────────────────────────────────


def _names(row: Wire) -> tuple[str, str]:
    """item[:model], and a longer name: a bundle or a promotion may tell one model in two rows."""
    item, model = row.needed_ref("item_id"), row.ref("model_id")
    short = f"{item}:{model}" if model else item
    return short, f"{short}:{row.ref('order_item_id') or 0}:{row.ref('promotion_group_id') or 0}"


def _refs(rows: Sequence[Wire]) -> list[str]:
    names = [_names(row) for row in rows]
    short = [name for name, _long in names]
    told = [name if short.count(name) == 1 else long for name, long in names]
    return [ref if told.count(ref) == 1 else f"{ref}:{n}" for n, ref in enumerate(told)]


def _line(row: Wire, ref: str, stage: Stage, keeper: FulfilledBy | None, left: Sequence[LineQuantity]) -> OrderLine:
    model, gone = row.ref("model_id"), row.count("cancelled_qty")
    ordered = max(row.quantity("model_quantity_purchased"), row.count("active_qty") + gone)
    cancelled = ordered if stage.cancelled else gone
    kept = ordered - cancelled
    sent = sum(each.quantity for each in left if each.line_ref == ref)
    total = row.cents("model_discounted_price", ordered)
    return OrderLine(
        ref=ref,
        listing_ref=row.needed_ref("item_id"),
        variation_ref=model,
        sku=row.text("model_sku") if model else row.text("item_sku", "model_sku"),  # item_sku is the parent's
        title=parse.joined(row.text("item_name"), row.text("model_name")),
        quantity=ordered,
        cancelled_quantity=cancelled,
        dispatched_quantity=min(sent, ordered) if stage.fulfilment is Fulfilment.NONE else kept,
        returned_quantity=min(row.count("returned_qty"), kept),
        # The rows of a bundle tell the price 0, which is none.
        total_cents=None if total == 0 and row.text("promotion_type") == "bundle_deal" else total,
        fulfilled_by=keeper,
    )


def _fulfilment(stage: Stage, lines: Sequence[OrderLine]) -> Fulfilment:
    """As the status says; before SHIPPED and after a cancellation, as the parcels that left already do."""
    kept = sum(line.quantity - line.cancelled_quantity for line in lines)
    if stage.fulfilment is Fulfilment.DELIVERED and 0 < kept == sum(line.returned_quantity for line in lines):
        return Fulfilment.RETURNED
    if stage.fulfilment is Fulfilment.NONE and (left := sum(line.dispatched_quantity for line in lines)):
        return Fulfilment.DISPATCHED if left >= kept else Fulfilment.PARTIAL
    return stage.fulfilment


def _parcel(row: Wire, refs: Sequence[str]) -> Shipment:
    told = row.text("logistics_status")
    held = [
        (name, one.count("model_quantity")) for one in row.rows("item_list") for name in _names(one) if name in refs
    ]
    return Shipment(
        ref=row.needed_ref("package_number"),
        carrier=row.text("shipping_carrier"),
        status=LOGISTICS.get(told, TrackingStatus.UNKNOWN) if told else None,
        lines=tuple(LineQuantity(line_ref=name, quantity=units) for name, units in held if units),
    )


# ── Who and where ───────────────────────────────────────────────────────────────────────────────────────────


def _buyer(o: Wire) -> Buyer | None:
    """The name is the recipient's: Shopee tells no other, and a login in its place would hide it once it is masked."""
    told = Buyer(
        ref=o.ref("buyer_user_id"),
        name=parse.joined(o.text("recipient_address.name")),
        phone=parse.phone(o.text("recipient_address.phone")),
        document=parse.document(o.text("buyer_cpf_id")),
    )
    return told if told != Buyer() else None


def _address(to: Wire) -> Address | None:
    """Street, number and complement come in one string, before what is told apart."""
    known = {parse.bare(to.text(key)) for key in ("district", "city", "state", "zipcode", "region", "town")}
    street = [part.strip() for part in (to.text("full_address") or "").split(",")]
    while len(street) > 1 and parse.bare(street[-1]) in known:
        street.pop()
    return parse.address(
        recipient=to.text("name"),
        street=", ".join(street),
        district=to.text("district"),
        city=to.text("city"),
        state=to.text("state"),
        postal_code=to.text("zipcode"),
        country=to.text("region"),
    )


def _invoices(told: Wire) -> tuple[Invoice, ...]:
    note = Invoice(
        key=parse.bare(told.text("access_key")),
        number=told.text("number"),
        series=told.text("series_number"),
        issued_at=told.instant("issue_date"),
        total_cents=told.cents("total_value"),
        status=told.text("status"),
    )
    return (note,) if note.key or note.number else ()

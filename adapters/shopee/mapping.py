"""Shopee's orders in our words. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

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
from hub.wire import Wire

DIGITS = 12  # of unix seconds told as text


class Stage(NamedTuple):
    """What an order_status says. Money that came in before it shows in pay_time."""

    payment: Payment
    fulfilment: Fulfilment = Fulfilment.NONE
    hold: Hold | None = None
    cancelled: bool = False


STAGES = {
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
PAID_BEFORE = {Payment.PENDING: Payment.PAID, Payment.VOIDED: Payment.REFUNDED}  # where pay_time is told
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
    "LOGISTICS_REQUEST_CANCELLED": TrackingStatus.CANCELLED,
    "LOGISTICS_INVALID": TrackingStatus.CANCELLED,
    "LOGISTICS_LOST": TrackingStatus.LOST,
}
LEFT = frozenset({"LOGISTICS_PICKUP_DONE", "LOGISTICS_DELIVERY_DONE", "LOGISTICS_DELIVERY_FAILED", "LOGISTICS_LOST"})
OWN_WORDS = ("order_status", "fulfillment_flag", "advance_package", "pending_terms", "cancel_by", "cancel_reason")


def order(raw: Raw) -> Order:
    """The order of get_order_detail's answer, or of one of its rows. Everything is the part "order"."""
    o = Wire(_row(raw), "order")
    stage, changed = o.one_of("order_status", STAGES), at(o, "update_time")
    rows, paid = o.rows("item_list"), at(o, "pay_time")
    if not rows:
        raise Unreadable(o.at("item_list"), "not told: ask for it in response_optional_fields")
    refs, keeper = _refs(rows), _keeper(o)
    parcels = _parcels(o.rows("package_list"), refs)
    left = _left(o.rows("package_list"), parcels)
    lines = tuple(_line(row, ref, stage, keeper, left) for row, ref in zip(rows, refs, strict=True))
    totals = [line.total_cents for line in lines]
    asked_back = any(row.count("cancel_requested_qty") for row in rows)
    return Order(
        ref=o.needed_ref("order_sn"),
        number=o.needed_ref("order_sn"),
        payment=PAID_BEFORE.get(stage.payment, stage.payment) if paid else stage.payment,
        fulfilment=_fulfilment(stage, lines),
        cancelled=stage.cancelled,
        hold=stage.hold or (Hold.CANCEL_REQUESTED if asked_back else None),
        fulfilled_by=keeper,
        raw_status=_own_words(o),
        placed_at=at(o, "create_time"),
        changed_at=changed,
        paid_at=paid,
        ship_by=at(o, "ship_by_date"),
        deliver_by=at(o, "edt_to"),
        currency=_currency(o),
        items_cents=None if None in totals else parse.total(totals),
        total_cents=o.cents("total_amount") or None,  # only told once it is paid
        lines=lines,
        buyer=_buyer(o),
        ship_to=_address(o.part("recipient_address")),
        shipments=parcels,
        invoices=_invoices(o.part("invoice_data")),
        clocks={"order": changed},
    )


def _row(raw: Raw) -> Raw:
    found = answered(raw, "order_list")
    if found is not None and len(found) != 1:
        raise Unreadable("response.order_list", f"{len(found)} orders, where one is read at a time")
    return found[0] if found else raw


def answered(raw: Raw, key: str) -> list[Raw] | None:
    """The rows of a whole answer; None of a document that is none."""
    if not isinstance(raw, dict) or ("response" not in raw and "error" not in raw):
        return None
    rows = Wire(raw.get("response"), "response").raw.get(key)
    if not isinstance(rows, list):
        raise Unreadable(f"response.{key}", f"not told: {raw.get('error') or 'no error'}"[:120])
    return rows


def at(row: Wire, key: str) -> datetime | None:
    """A time: unix seconds, also as text; 0 is not told."""
    told = row.value(key)
    if isinstance(told, str) and told.strip().isdecimal() and len(told.strip()) <= DIGITS:
        return parse.instant(int(told) or None, row.at(key))
    return None if told == "-" else row.instant(key)


def words(row: Wire, *keys: str) -> str | None:
    """A told string; "-" tells nothing."""
    return next((told for told in (row.text(key) for key in keys) if told not in (None, "-")), None)


def _currency(o: Wire) -> str:
    told = (words(o, "currency") or "BRL").upper()
    if len(told) != 3 or not (told.isascii() and told.isalpha()):  # noqa: PLR2004 - ISO 4217
        raise Unreadable(o.at("currency"), f"no currency: {told!r}"[:120])
    return told


def _keeper(o: Wire) -> FulfilledBy | None:
    """An order matched to a booking takes goods that left before: they are not the seller's to send any more."""
    if o.flag("advance_package"):
        return FulfilledBy.MARKETPLACE
    return o.one_of("fulfillment_flag", FULFILLERS) if words(o, "fulfillment_flag") else None


def _own_words(o: Wire) -> dict[str, Raw]:
    told: dict[str, Raw] = {key: o.raw[key] for key in OWN_WORDS if o.raw.get(key) not in (None, "", [])}
    parcels = {words(row, "package_number") or "-": row.text("logistics_status") for row in o.rows("package_list")}
    return {**told, **({"logistics_status": parcels} if parcels else {})}


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


def _line(row: Wire, ref: str, stage: Stage, keeper: FulfilledBy | None, left: Mapping[str, int]) -> OrderLine:
    model, gone = row.ref("model_id"), row.count("cancelled_qty")
    ordered = max(row.quantity("model_quantity_purchased"), row.count("active_qty") + gone)
    cancelled = ordered if stage.cancelled else gone
    kept = ordered - cancelled
    return OrderLine(
        ref=ref,
        listing_ref=row.needed_ref("item_id"),
        variation_ref=model,
        sku=words(row, "model_sku") if model else words(row, "item_sku", "model_sku"),  # item_sku is the parent's
        title=parse.joined(words(row, "item_name"), words(row, "model_name")),
        quantity=ordered,
        cancelled_quantity=cancelled,
        dispatched_quantity=min(left.get(ref, 0), ordered) if stage.fulfilment is Fulfilment.NONE else kept,
        returned_quantity=min(row.count("returned_qty"), kept),
        total_cents=_total(row, ordered),
        fulfilled_by=keeper,
    )


def _total(row: Wire, ordered: int) -> int | None:
    """Price times quantity; a bundle's rows tell the price 0, which is none."""
    price = row.cents("model_discounted_price")
    if price is None or (price == 0 and row.text("promotion_type") == "bundle_deal"):
        return None
    exact = Decimal(str(row.value("model_discounted_price"))) * ordered  # a price of more places: rounded last
    return parse.cents(exact, row.at("model_discounted_price"))


def _fulfilment(stage: Stage, lines: Sequence[OrderLine]) -> Fulfilment:
    """As the status says; before SHIPPED and after a cancellation, as the parcels that left already do."""
    kept = sum(line.quantity - line.cancelled_quantity for line in lines)
    if stage.fulfilment is Fulfilment.DELIVERED and 0 < kept == sum(line.returned_quantity for line in lines):
        return Fulfilment.RETURNED
    if stage.fulfilment is Fulfilment.NONE and (left := sum(line.dispatched_quantity for line in lines)):
        return Fulfilment.DISPATCHED if left >= kept else Fulfilment.PARTIAL
    return stage.fulfilment


def _parcels(rows: Sequence[Wire], refs: Sequence[str]) -> tuple[Shipment, ...]:
    return tuple(
        Shipment(
            ref=number,
            carrier=words(row, "shipping_carrier"),
            status=LOGISTICS.get(told, TrackingStatus.UNKNOWN) if (told := words(row, "logistics_status")) else None,
            lines=tuple(_parcel_lines(row, refs)),
        )
        for row in rows
        if (number := words(row, "package_number"))
    )


def _parcel_lines(parcel: Wire, refs: Sequence[str]) -> list[LineQuantity]:
    found = []
    for row in parcel.rows("item_list"):
        ref = next((name for name in _names(row) if name in refs), None)
        units = row.count("model_quantity")
        if ref and units:
            found.append(LineQuantity(line_ref=ref, quantity=units))
    return found


def _left(rows: Sequence[Wire], parcels: Sequence[Shipment]) -> dict[str, int]:
    """Units that left, by line, of parcels that tell their lines."""
    gone = {words(row, "package_number") for row in rows if row.text("logistics_status") in LEFT}
    units: dict[str, int] = {}
    for line in (line for parcel in parcels if parcel.ref in gone for line in parcel.lines):
        units[line.line_ref] = units.get(line.line_ref, 0) + line.quantity
    return units


def takes_stock(told: Order) -> bool | None:
    """A cancelled order gives its units back; of one that came back from its way only the shelf tells."""
    if told.cancelled and told.fulfilment is not Fulfilment.NONE:
        return None
    return not told.cancelled


# ── Who and where ───────────────────────────────────────────────────────────────────────────────────────────


def _buyer(o: Wire) -> Buyer | None:
    """The name is the recipient's: Shopee tells no other, and a login in its place would hide it once it is masked."""
    person = o.part("recipient_address")
    told = Buyer(
        ref=o.ref("buyer_user_id"),
        name=parse.joined(words(person, "name")),
        phone=parse.phone(words(person, "phone")),
        document=parse.document(words(o, "buyer_cpf_id")),
    )
    return told if told != Buyer() else None


def _address(told: Wire) -> Address | None:
    """Street, number and complement come in one string, before what is told apart."""
    whole, city, code = words(told, "full_address"), words(told, "city"), parse.bare(words(told, "zipcode"))
    if not (whole and city and code):
        return None
    district, state = words(told, "district"), words(told, "state")
    known = {parse.bare(part) for part in (district, city, state, code, words(told, "region", "town"))}
    parts = [part.strip() for part in whole.split(",")]
    while len(parts) > 1 and parse.bare(parts[-1]) in known:
        parts.pop()
    return Address(
        recipient=words(told, "name"),
        street=", ".join(parts),
        district=district,
        city=city,
        state=parse.state(state),
        postal_code=code,
        country=words(told, "region"),
    )


def _invoices(told: Wire) -> tuple[Invoice, ...]:
    key, number = parse.bare(words(told, "access_key")), words(told, "number")
    if not (key or number):
        return ()
    return (
        Invoice(
            key=key,
            number=number,
            series=words(told, "series_number"),
            issued_at=at(told, "issue_date"),
            total_cents=told.cents("total_value"),
            status=words(told, "status"),
        ),
    )

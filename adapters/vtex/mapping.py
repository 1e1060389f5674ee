"""VTEX's words into ours. Pure. Money is told in centavos; an order stays `invoiced` while it travels."""

from datetime import datetime

from adapters.vtex.webhook import SENTINEL
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
    Order,
    OrderLine,
    Origin,
    Payment,
    Raw,
    Return,
    ReturnLine,
    Shipment,
    TrackingStatus,
)
from hub.stages import Stage, by_word
from hub.wire import Wire

FIRST_WAREHOUSE = "1_1"  # of every store
COUNTRIES = {"CHL": "CL", "MEX": "MX", "PRY": "PY", "URY": "UY"}  # of those told in three letters, where two differ
STATES = by_word(  # what a workflow state means; what was sent is told by the packages
    (Stage(Payment.PENDING), "null order-created order-accepted on-order-completed on-order-completed-ffm"),
    (Stage(Payment.PENDING), "order-completed payment-pending waiting-for-order-authorization"),
    (Stage(Payment.PENDING), "waiting-for-authorization waiting-for-sellers-confirmation"),
    (Stage(Payment.PENDING), "waiting-for-manual-authorization window-to-change-payment"),
    (Stage(), "payment-approved authorize-fulfillment waiting-for-fulfillment waiting-ffmt-authorization"),
    (Stage(), "waiting-for-mkt-authorization waiting-seller-handling waiting-for-seller-decision"),
    (Stage(), "window-to-change-seller window-to-cancel ready-for-handling start-handling handling"),
    (Stage(), "ready-for-invoicing invoice invoiced"),
    (Stage(hold=Hold.CANCEL_REQUESTED), "request-cancel cancellation-requested"),
    (Stage(Payment.VOIDED, cancelled=True), "cancel canceled replaced"),
)


def order(raw: Raw) -> Order:
    """An order as /api/oms/pvt/orders/{id} tells it."""
    o = Wire(raw, "")
    if not o.rows("items"):
        raise Unreadable("items", "not told: a row of the list is not the order")
    state = STATES["null"] if o.text("status") is None else o.one_of("status", STATES)  # null: the order is incomplete
    packages = o.rows("packageAttachment.packages")
    sent = [row for row in packages if (row.text("type") or "Output") != "Input"]
    back = [row for row in packages if row.text("type") == "Input"]
    lines = tuple(_line(row, n, sent, back, whole=state.cancelled) for n, row in enumerate(o.rows("items")))
    fulfilment = _fulfilment(lines, sent)
    refs = [line.ref for line in lines]
    totals = {row.text("id") or "": row.units("value") or 0 for row in o.rows("totals")}
    profile, changed = o.part("clientProfileData"), _at(o, "lastChange")
    paid, ways = _at(o, "authorizedDate"), o.rows("shippingData.logisticsInfo")
    return Order(
        ref=o.needed_ref("orderId"),
        number=o.ref("sequence"),
        group_ref=o.ref("orderGroup"),
        origin=_origin(o),
        payment=Payment.REFUNDED if state.cancelled and paid else state.payment,
        fulfilment=fulfilment,
        cancelled=state.cancelled,
        hold=state.hold,
        fulfilled_by=FulfilledBy.SELLER,
        raw_status={"status": o.text("status")},
        placed_at=_at(o, "creationDate"),
        changed_at=changed,
        paid_at=paid,
        cancelled_at=_at(o.part("cancellationData"), "CancellationDate") if state.cancelled else None,
        deliver_by=max((at for row in ways if (at := _at(row, "shippingEstimateDate"))), default=None),
        currency=o.currency("storePreferencesData.currencyCode"),
        items_cents=parse.total(line.total_cents for line in lines),
        discount_cents=_rest(totals, lines),
        shipping_cents=totals.get("Shipping"),
        other_cents=totals.get("Tax"),
        total_cents=o.units("value"),
        lines=lines,
        buyer=_buyer(profile),
        ship_to=_address(o.part("shippingData.address")),
        shipments=tuple(_shipment(row, refs) for row in sent if row.text("trackingNumber", "courier")),
        returns=tuple(_return(row, refs) for row in back if row.rows("items")),
        invoices=tuple(_invoice(row) for row in sent if row.text("invoiceNumber")),
        clocks={"order": changed},
    )


def _at(o: Wire, key: str) -> datetime | None:
    told = o.text(key)
    return None if told is None or told.startswith(SENTINEL) else o.instant(key)


def _rest(told: dict[str, int], lines: tuple[OrderLine, ...]) -> int | None:
    """The discount that no line carries: `Items` is before discounts, `Discounts` below zero."""
    if "Discounts" not in told:
        return None
    in_lines = told.get("Items", 0) - (parse.total(line.total_cents for line in lines) or 0)
    return max(0, -told["Discounts"] - max(0, in_lines))


def _units(rows: list[Wire], index: int) -> int:
    return sum(item.count("quantity") for row in rows for item in row.rows("items") if item.count("itemIndex") == index)


def _line(row: Wire, n: int, sent: list[Wire], back: list[Wire], *, whole: bool) -> OrderLine:
    """`sellingPrice` is after discounts, of one unit, in centavos."""
    quantity, each = row.quantity("quantity"), row.units("sellingPrice")
    each = row.units("price") if each is None else each
    sku = row.needed_ref("id")
    gone = min(quantity, _units(sent, n))
    return OrderLine(
        ref=row.text("uniqueId") or str(n),
        listing_ref=sku,
        sku=row.text("refId"),
        title=row.text("name"),
        quantity=quantity,
        cancelled_quantity=quantity - gone if whole else 0,
        dispatched_quantity=gone if any(_is_sent(row) for row in sent) else 0,
        returned_quantity=min(quantity, _units(back, n)),
        total_cents=None if each is None else each * quantity,
        fulfilled_by=FulfilledBy.SELLER,
    )


def _is_sent(row: Wire) -> bool:
    """Invoiced is not sent: a code, a courier's word or a day of dispatch tells that."""
    return bool(row.text("trackingNumber", "dispatchedDate") or row.part("courierStatus"))


def _delivered(row: Wire) -> bool:
    return bool(row.flag("courierStatus.finished"))


def _fulfilment(lines: tuple[OrderLine, ...], sent: list[Wire]) -> Fulfilment:
    gone = sum(line.dispatched_quantity for line in lines)
    if not gone:
        return Fulfilment.NONE
    if gone < sum(line.quantity - line.cancelled_quantity for line in lines):
        return Fulfilment.PARTIAL
    if all(_delivered(row) for row in sent if _is_sent(row)):
        return Fulfilment.DELIVERED
    return Fulfilment.DISPATCHED


def _origin(o: Wire) -> Origin | None:
    """An order of another marketplace (origin "Fulfillment") keeps its number there; a store's own has its own."""
    ref, own = o.ref("marketplaceOrderId"), o.ref("orderId")
    if ref is None or ref == own or (o.text("origin") or "") != "Fulfillment":
        return None
    named = o.text("marketplace.name") or o.text("affiliateId") or ""
    return Origin(channel=parse.marketplace(named) or f"vtex:{named.lower() or 'marketplace'}", ref=ref)


def _buyer(told: Wire) -> Buyer | None:
    """The e-mail is an alias of the conversation tracker, not the buyer's own."""
    if not told:
        return None
    corporate = told.text("corporateDocument") if told.flag("isCorporate") else None
    return Buyer(
        ref=told.ref("userProfileId"),
        name=parse.joined(told.text("firstName"), told.text("lastName")),
        email=told.text("email"),
        phone=parse.phone(told.text("phone")),
        document=parse.document(corporate or told.text("document")),
    )


def _address(told: Wire) -> Address | None:
    country = told.text("country") or ""
    return parse.address(
        recipient=told.text("receiverName"),
        street=told.text("street"),
        number=told.text("number"),
        complement=told.text("complement"),
        district=told.text("neighborhood"),
        city=told.text("city"),
        state=told.text("state"),
        postal_code=told.text("postalCode"),
        country=COUNTRIES.get(country, country[:2]),
    )


def _shipment(row: Wire, refs: list[str]) -> Shipment:
    code = row.text("trackingNumber")
    return Shipment(
        ref=row.text("invoiceNumber") or code or "",
        carrier=row.text("courier"),
        tracking_code=code,
        tracking_url=row.text("trackingUrl"),
        status=TrackingStatus.DELIVERED if _delivered(row) else TrackingStatus.IN_TRANSIT if _is_sent(row) else None,
        lines=tuple(LineQuantity(line_ref=ref, quantity=units) for ref, units in _named(row, refs)),
    )


def _return(row: Wire, refs: list[str]) -> Return:
    """An invoice of type Input is goods, or money, that came back."""
    lines = tuple(ReturnLine(line_ref=ref, quantity=units) for ref, units in _named(row, refs))
    return Return(ref=row.text("invoiceNumber") or parse.digest(dict(row.raw)), lines=lines)


def _named(row: Wire, refs: list[str]) -> list[tuple[str, int]]:
    told = [(item.count("itemIndex"), item.count("quantity")) for item in row.rows("items")]
    return [(refs[index], units) for index, units in told if units and index < len(refs)]


def _invoice(row: Wire) -> Invoice:
    key = parse.bare(row.text("invoiceKey"))
    return Invoice(
        key=key if key and len(key) == 44 else None,  # noqa: PLR2004 - an NF-e's; a CF-e's begins with its name
        number=row.text("invoiceNumber"),
        issued_at=_at(row, "issuanceDate"),
        total_cents=row.units("invoiceValue"),
    )


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """The listing of `{sku, inventory, warehouse?}`, or of a bare SKU. A kit's stock follows from its parts."""
    box = raw if isinstance(raw, dict) and "sku" in raw else {"sku": raw}
    s, warehouse = Wire(box["sku"], "sku"), parse.text(box.get("warehouse"))
    ref = s.needed_ref("Id")
    counted = bool(box.get("inventory")) and not s.flag("IsKit")
    physical, free = _balance(Wire(box.get("inventory"), "inventory"), warehouse) if counted else (None, None)
    return [
        Listing(
            ref=ref,
            slot_ref=ref,
            location_ref=warehouse or FIRST_WAREHOUSE,
            sku=s.text("AlternateIds.RefId", "RefId"),
            gtin=s.text("AlternateIds.Ean"),
            title=s.text("NameComplete", "SkuName"),
            status=ListingStatus.PAUSED if s.flag("IsActive") is False else ListingStatus.ACTIVE,
            quantity=free,
            stock_quantity=physical,
        )
    ]


def _balance(told: Wire, warehouse: str | None) -> tuple[int | None, int | None]:
    """Units in our warehouse (all of them where none is named) and those that are not reserved; null is unlimited."""
    rows = [row for row in told.rows("balance") if warehouse in (None, row.text("warehouseId"))]
    if any(row.flag("hasUnlimitedQuantity") for row in rows):
        return None, None
    physical = sum(row.units("totalQuantity") or 0 for row in rows)
    return physical, max(0, physical - sum(row.count("reservedQuantity") for row in rows))

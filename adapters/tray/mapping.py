"""Tray's words into ours. Pure. Every value is text; an empty date is 0000-00-00."""

from datetime import datetime

from hub import parse
from hub.faults import Unreadable
from hub.model import (
    Address,
    Buyer,
    FulfilledBy,
    Fulfilment,
    Invoice,
    Listing,
    ListingStatus,
    Order,
    OrderLine,
    Origin,
    Payment,
    Raw,
    Shipment,
)
from hub.stages import Stage
from hub.wire import Wire

DELIVERY = "1"  # of an address; 0 is for the bill
NEVER = "0000-00-00"
LABELS = {  # the store's own labels at first; it may change them and add to them
    "AGUARDANDO PAGAMENTO": Stage(Payment.PENDING),
    "AGUARDANDO YAPAY": Stage(Payment.PENDING),
    "A ENVIAR": Stage(),
    "A ENVIAR YAPAY": Stage(),
    "A ENVIAR MASTER": Stage(),
    "AGUARDANDO ENVIO": Stage(),
    "PAGAMENTO CONFIRMADO": Stage(),
    "APROVADO": Stage(),
    "ENVIADO": Stage(fulfilment=Fulfilment.DISPATCHED),
    "FINALIZADO": Stage(fulfilment=Fulfilment.DELIVERED),
    "CANCELADO": Stage(Payment.VOIDED, cancelled=True),
    "CANCELADO AUT": Stage(Payment.VOIDED, cancelled=True),
}
TYPES = {  # of a label that is the store's own
    "open": Stage(payment=None),  # told by the date of payment
    "closed": Stage(fulfilment=Fulfilment.DISPATCHED),  # assumed
    "canceled": Stage(Payment.VOIDED, cancelled=True),
}


def order(raw: Raw) -> Order:
    """An order as /orders/{id}/complete tells it."""
    box = Wire(raw, "")
    o = box.part("Order") if "Order" in box.raw else box
    rows = [row.part("ProductsSold") for row in o.rows("ProductsSold")]
    if not rows:
        raise Unreadable(o.at("ProductsSold"), "not told: a row of the list is not the order")
    paid = _at(o, "payment_date")
    stage = _stage(o, o.part("OrderStatus"))
    lines = tuple(_line(row, stage) for row in rows)
    changed = _at(o, "modified")
    return Order(
        ref=o.needed_ref("id"),
        number=o.ref("id"),
        origin=_origin(o),
        payment=stage.payment or (Payment.PAID if paid else Payment.PENDING),
        fulfilment=stage.fulfilment,
        cancelled=stage.cancelled,
        fulfilled_by=FulfilledBy.SELLER,
        raw_status={"status": o.text("status"), "type": o.text("OrderStatus.type")},
        placed_at=_at(o, "date", o.text("hour")),
        changed_at=changed,
        paid_at=paid,
        items_cents=parse.total(line.total_cents for line in lines),
        discount_cents=_discount(o),
        shipping_cents=o.cents("shipment_value"),
        other_cents=parse.total(o.cents(key) for key in ("taxes", "interest", "payment_method_rate")),
        total_cents=o.cents("total"),
        lines=lines,
        buyer=_buyer(o.part("Customer")),
        ship_to=_address(o.part("Customer")),
        shipments=_shipments(o),
        invoices=tuple(_invoice(row.part("OrderInvoice")) for row in o.rows("OrderInvoice")),
        clocks={"order": changed},
    )


def _stage(o: Wire, status: Wire) -> Stage:
    label = (o.text("status") or status.text("status") or "").upper()
    return LABELS.get(label) or status.one_of("type", TYPES)


def _at(o: Wire, key: str, hour: str | None = None) -> datetime | None:
    """A time of Brasília, or a date with the hour that stands beside it."""
    told = o.text(key)
    if told is None or told.startswith(NEVER):
        return None
    return parse.instant(f"{told} {hour}" if hour else told, o.at(key), zone=parse.SAO_PAULO)


def _line(row: Wire, stage: Stage) -> OrderLine:
    quantity = row.quantity("quantity")
    gone = stage.fulfilment is not Fulfilment.NONE
    return OrderLine(
        ref=row.needed_ref("id"),
        listing_ref=row.ref("product_id"),
        variation_ref=row.ref("variant_id"),
        sku=row.text("reference"),
        title=row.text("name"),
        quantity=quantity,
        cancelled_quantity=quantity if stage.cancelled else 0,
        dispatched_quantity=quantity if gone else 0,
        total_cents=row.cents("price", quantity),
        fulfilled_by=FulfilledBy.SELLER,
    )


def _discount(o: Wire) -> int | None:
    """The order's own, and the coupon's, which stands apart: as an object, or after its name ("natal25/8999.75")."""
    coupon = o.cents("coupon.discount") if isinstance(o.raw.get("coupon"), dict) else None
    named = o.text("discount_coupon")
    if coupon is None and named and "/" in named:
        coupon = parse.cents(named.rpartition("/")[2], o.at("discount_coupon"))
    return parse.total((o.cents("discount"), coupon, o.cents("progressive_discount")))


def _origin(o: Wire) -> Origin | None:
    """Which marketplace's order Tray's own hub took in."""
    for row in o.rows("MarketplaceOrder"):
        told = row.part("MarketplaceOrder")
        name, ref = told.text("marketplace_name"), told.ref("marketplace_order_id")
        if name and ref:
            return Origin(channel=parse.marketplace(name) or f"tray:{name.lower()}", ref=ref)
    return None


def _buyer(told: Wire) -> Buyer | None:
    if not told:
        return None
    return Buyer(
        ref=told.ref("id"),
        name=parse.joined(told.text("name", "company_name")),
        email=told.text("email"),
        phone=parse.phone(told.text("cellphone", "phone")),
        document=parse.document(told.text("cpf", "cnpj")),
    )


def _address(customer: Wire) -> Address | None:
    """The address for delivery, else the customer's own."""
    kept = [row.part("CustomerAddress") for row in customer.rows("CustomerAddresses")]
    told = next((one for one in kept if one.text("type") == DELIVERY), customer)
    country = told.text("country") or "Brasil"
    return parse.address(
        recipient=told.text("recipient") or customer.text("name"),
        street=told.text("address"),
        number=told.text("number"),
        complement=told.text("complement"),
        district=told.text("neighborhood"),
        city=told.text("city"),
        state=told.text("state"),
        postal_code=told.text("zip_code"),
        country="BR" if country.lower() == "brasil" else country,
    )


def _shipments(o: Wire) -> tuple[Shipment, ...]:
    code = o.text("sending_code")
    if code is None:
        return ()
    return (Shipment(ref=code, carrier=o.text("shipment"), tracking_code=code, tracking_url=o.text("tracking_url")),)


def _invoice(told: Wire) -> Invoice:
    return Invoice(
        key=parse.bare(told.text("key")),
        number=told.ref("number"),
        series=told.text("serie"),
        issued_at=_at(told, "issue_date"),
        total_cents=told.cents("value"),
    )


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """Listings of `{Product}`, `{Product, Variants}`, `{Variant}`, or a page of either.

    A product with variants is not sold itself: its stock is theirs.
    """
    box = Wire(raw, "")
    for key in ("Products", "Variants"):
        if key in box.raw and "Product" not in box.raw:
            return [one for row in box.rows(key) for one in listings(dict(row.raw))]
    if "Variant" in box.raw and isinstance(box.raw["Variant"], dict) and "Product" not in box.raw:
        return [_variant(box.part("Variant"), None)]
    p = box.part("Product") if "Product" in box.raw else box
    variants = [row.part("Variant") for row in box.rows("Variants")]
    if variants:
        return [_variant(each, p) for each in variants]
    if p.flag("has_variation"):
        return []
    ref = p.needed_ref("id")
    return [
        Listing(
            ref=ref,
            slot_ref=ref,
            sku=p.text("reference"),
            gtin=p.text("ean"),
            title=p.text("name"),
            url=p.part("url").text("https", "http") if isinstance(p.raw.get("url"), dict) else None,
            status=_status(p),
            quantity=_units(p),
            stock_quantity=p.units("stock"),
            price_cents=p.cents("price"),
            currency="BRL",
        )
    ]


def _variant(v: Wire, p: Wire | None) -> Listing:
    product, own = v.needed_ref("product_id"), v.needed_ref("id")
    options = [row.text("value") for row in v.rows("Sku")]
    return Listing(
        ref=product,
        variation_ref=own,
        slot_ref=f"{product}:{own}",
        sku=v.text("reference"),
        gtin=v.text("ean"),
        title=parse.joined(p.text("name") if p else None, *options),
        status=_status(p or v),
        quantity=_units(v),
        stock_quantity=v.units("stock"),
        price_cents=v.cents("price"),
        currency="BRL",
    )


def _status(told: Wire) -> ListingStatus:
    return ListingStatus.PAUSED if told.flag("available") is False else ListingStatus.ACTIVE


def _units(told: Wire) -> int | None:
    units = told.units("stock")
    return None if units is None else max(0, units)

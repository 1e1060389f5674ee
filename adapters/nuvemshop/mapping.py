"""Nuvemshop's words into ours. Pure. Ids and quantities are told as numbers or as text, as the page pleases."""

from hub import parse
from hub.faults import Unreadable
from hub.model import (
    Address,
    Buyer,
    FulfilledBy,
    Fulfilment,
    Listing,
    ListingStatus,
    Order,
    OrderLine,
    Payment,
    Raw,
    Shipment,
    TrackingStatus,
)
from hub.wire import Wire

STATUSES = {"open": False, "closed": False, "cancelled": True}  # whether the order is cancelled
PAYMENTS = {
    "pending": Payment.PENDING,
    "authorized": Payment.AUTHORIZED,
    "paid": Payment.PAID,
    "partially_paid": Payment.PENDING,  # assumed
    "abandoned": Payment.VOIDED,
    "refunded": Payment.REFUNDED,
    "partially_refunded": Payment.PARTIALLY_REFUNDED,  # assumed
    "voided": Payment.VOIDED,
}
SHIPPED = {  # documents mix both names; "fulfilled" is marked as sent, not delivered
    "unpacked": Fulfilment.NONE,
    "partially_packed": Fulfilment.NONE,
    "unfulfilled": Fulfilment.NONE,
    "unshipped": Fulfilment.NONE,
    "partially_fulfilled": Fulfilment.PARTIAL,
    "fulfilled": Fulfilment.DISPATCHED,
    "shipped": Fulfilment.DISPATCHED,
    "delivered": Fulfilment.DELIVERED,
}
PARCELS = {  # of a fulfilment order
    "UNPACKED": None,
    "PENDING": None,
    "PACKED": None,
    "DISPATCHED": TrackingStatus.IN_TRANSIT,
    "READY_FOR_PICKUP": TrackingStatus.AWAITING_PICKUP,
    "DELIVERED": TrackingStatus.DELIVERED,
}
LANGUAGES = ("pt", "es", "en")


def order(raw: Raw) -> Order:
    """An order as /orders/{id} tells it, or a list of one. Fulfilment orders stand in it where they were asked for."""
    if isinstance(raw, list):
        raw = raw[0] if len(raw) == 1 else {}
    o = Wire(raw, "")
    cancelled, parcels = o.one_of("status", STATUSES), o.rows("fulfillments")
    fulfilment = o.one_of("shipping_status", SHIPPED)
    if {row.maybe_of("status", PARCELS) for row in parcels if row.text("status")} == {TrackingStatus.DELIVERED}:
        fulfilment = Fulfilment.DELIVERED
    lines = tuple(_line(row, fulfilment, whole=cancelled) for row in o.rows("products"))
    if not lines:
        raise Unreadable("products", "not told")
    changed = o.instant("updated_at")
    return Order(
        ref=o.needed_ref("id"),
        number=o.ref("number"),
        payment=o.one_of("payment_status", PAYMENTS),
        fulfilment=fulfilment,
        cancelled=cancelled,
        fulfilled_by=FulfilledBy.SELLER,
        raw_status={key: o.text(key) for key in ("status", "payment_status", "shipping_status")},
        placed_at=o.instant("created_at"),
        changed_at=changed,
        paid_at=o.instant("paid_at"),
        cancelled_at=o.instant("cancelled_at"),
        currency=o.currency("currency"),
        items_cents=parse.total(line.total_cents for line in lines),
        discount_cents=o.cents("discount"),
        shipping_cents=o.cents("shipping_cost_customer"),
        total_cents=o.cents("total") if "total" in o.raw else o.cents("price"),  # v1 calls it so
        lines=lines,
        buyer=_buyer(o, o.part("customer")),
        ship_to=_address(o),
        shipments=_shipments(o, parcels),
        clocks={"order": changed},
    )


def _line(row: Wire, fulfilment: Fulfilment, *, whole: bool) -> OrderLine:
    """Discounts are the order's. A kit is told as its parts."""
    quantity = row.quantity("quantity")
    product, variant = row.needed_ref("product_id"), row.ref("variant_id")
    return OrderLine(
        ref=row.ref("id") or f"{product}:{variant or ''}",
        listing_ref=product,
        variation_ref=variant,
        sku=row.text("sku"),
        title=row.text("name"),
        quantity=quantity,
        cancelled_quantity=quantity if whole else 0,
        dispatched_quantity=quantity if fulfilment in (Fulfilment.DISPATCHED, Fulfilment.DELIVERED) else 0,
        total_cents=row.cents("price", quantity),
        fulfilled_by=FulfilledBy.SELLER,
    )


def _buyer(o: Wire, known: Wire) -> Buyer:
    return Buyer(
        ref=known.ref("id"),
        name=parse.joined(o.text("contact_name") or known.text("name")),
        email=o.text("contact_email") or known.text("email"),
        phone=parse.phone(o.text("contact_phone") or known.text("phone")),
        document=parse.document(o.text("contact_identification") or known.text("identification")),
    )


def _address(o: Wire) -> Address | None:
    """`province` is a name, `locality` the bairro, `floor` the complement. An order without delivery tells text."""
    if not isinstance(o.raw.get("shipping_address"), dict):
        return None
    told = o.part("shipping_address")
    return parse.address(
        recipient=told.text("name"),
        street=told.text("address"),
        number=told.text("number"),
        complement=told.text("floor"),
        district=told.text("locality"),
        city=told.text("city"),
        state=told.text("province"),
        postal_code=told.text("zipcode"),
        country=told.text("country"),
    )


def _shipments(o: Wire, parcels: list[Wire]) -> tuple[Shipment, ...]:
    found = [
        Shipment(
            ref=row.needed_ref("id"),
            carrier=row.text("shipping.carrier.name"),
            tracking_code=row.text("tracking_info.code"),
            tracking_url=row.text("tracking_info.url"),
            status=row.maybe_of("status", PARCELS),
        )
        for row in parcels
    ]
    code = o.text("shipping_tracking_number")
    if not found and code:  # of orders that know no fulfilment orders
        found = [
            Shipment(
                ref=code, carrier=o.text("shipping"), tracking_code=code, tracking_url=o.text("shipping_tracking_url")
            )
        ]
    return tuple(found)


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """A listing per variant of a product, or of `{product, location}`: the location that is written.

    A product without variants has one that holds its stock. A stock of null is without end.
    """
    if isinstance(raw, list):
        return [one for row in raw for one in listings(row)]
    box = raw if isinstance(raw, dict) and "product" in raw else {"product": raw}
    p, location = Wire(box["product"], "product"), parse.text(box.get("location"))
    if "variants" not in p.raw and "product_id" in p.raw:  # a variant by itself
        return [_variant(Wire(None, "product"), p, p.needed_ref("product_id"), location)]
    ref = p.needed_ref("id")
    return [_variant(p, row, ref, location) for row in p.rows("variants")]


def _variant(p: Wire, v: Wire, product: str, location: str | None) -> Listing:
    variant = v.needed_ref("id")
    levels = {row.text("location_id"): row.units("stock") for row in v.rows("inventory_levels")}
    total = v.units("stock") if v.raw.get("stock") not in (None, "") else None
    counted = v.flag("stock_management") is not False and (
        total is not None or any(x is not None for x in levels.values())
    )
    here = levels.get(location, total) if location else total
    price = v.cents("promotional_price") or v.cents("price")
    return Listing(
        ref=product,
        variation_ref=variant,
        slot_ref=f"{product}:{variant}",
        location_ref=location,
        sku=v.text("sku"),
        gtin=v.text("barcode"),
        title=parse.joined(words(p, "name"), *(_named(each) for each in v.rows("values"))),
        url=p.text("canonical_url"),
        status=ListingStatus.PAUSED if p.flag("published") is False else ListingStatus.ACTIVE,
        quantity=max(0, total if total is not None else here or 0) if counted else None,
        stock_quantity=here if counted else None,
        price_cents=price,
    )


def words(p: Wire, key: str) -> str | None:
    """Text that is told by language."""
    return _named(p.part(key)) if isinstance(p.raw.get(key), dict) else p.text(key)


def _named(told: Wire) -> str | None:
    return told.text(*LANGUAGES)

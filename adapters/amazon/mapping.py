"""Amazon's words into ours: orders v0 and 2026-01-01, listings. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub import parse, places
from hub.faults import Unreadable
from hub.model import (
    Address,
    Buyer,
    FulfilledBy,
    Fulfilment,
    Hold,
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
from hub.spelling import Spelt
from hub.stages import Stage
from hub.wire import Wire, rows, unboxed

MARKETPLACE = "A2Q3Y263D00KWC"  # amazon.com.br
OURS = "DEFAULT"  # the fulfilment channel of what the seller sends; AMAZON_… are Amazon's own
NAMES = {  # where v0 and 2026-01-01 tell the same
    "ref": ("AmazonOrderId", "orderId"),
    "status": ("OrderStatus", "fulfillment.fulfillmentStatus"),
    "keeper": ("FulfillmentChannel", "fulfillment.fulfilledBy"),
    "invoice": ("ElectronicInvoiceStatus", "tax.taxInvoicing.invoiceStatus"),
    "placed": ("PurchaseDate", "createdTime"),
    "changed": ("LastUpdateDate", "lastUpdatedTime"),
    "ship_by": ("LatestShipDate", "fulfillment.shipByWindow.latestDateTime"),
    "deliver_by": ("LatestDeliveryDate", "fulfillment.deliverByWindow.latestDateTime"),
    "total": ("OrderTotal.Amount", "proceeds.grandTotal.amount"),
    "currency": ("OrderTotal.CurrencyCode", "proceeds.grandTotal.currencyCode"),
    "line": ("OrderItemId", "orderItemId"),
    "sku": ("SellerSKU", "product.sellerSku"),
    "title": ("Title", "product.title"),
    "units": ("QuantityOrdered", "quantityOrdered"),
    "sent": ("QuantityShipped", "fulfillment.quantityFulfilled"),
    "price": ("ItemPrice.Amount", "product.price.unitPrice.amount"),  # of all units of the line; of one
    "price_in": ("ItemPrice.CurrencyCode", "product.price.unitPrice.currencyCode"),
}
V0, V2026 = ({ours: both[api] for ours, both in NAMES.items()} for api in (0, 1))
# Amazon tells no payment, but authorizes it before an order is Unshipped.
WAITING, READY = Stage(Payment.PENDING), Stage()
EASY = frozenset({"AMAZON_EASY_SHIP", "DELIVERY_BY_AMAZON"})
# Easy Ship (DBA). The 2026 document has no such status; that its `programs` name it is assumed.
OWN_LABEL = """exists($.raw_status.EasyShipShipmentStatus) || exists($.raw_status.programs)"""
PART, SENT = Stage(fulfilment=Fulfilment.PARTIAL), Stage(fulfilment=Fulfilment.DISPATCHED)
GONE, STUCK = Stage(Payment.VOIDED, cancelled=True), Stage(None, hold=Hold.FROZEN)
STAGES = {  # PendingAvailability is a pre-order; InvoiceUnconfirmed, of Brazil: the buyer was not yet sent the NF-e;
    # Unfulfillable: by Amazon, of orders from elsewhere. The card is charged when a parcel is confirmed.
    "PendingAvailability": WAITING, "Pending": WAITING, "Unshipped": READY, "PartiallyShipped": PART,
    "Shipped": SENT, "InvoiceUnconfirmed": SENT, "Canceled": GONE, "Unfulfillable": STUCK,
    "PENDING_AVAILABILITY": WAITING, "PENDING": WAITING, "UNSHIPPED": READY, "PARTIALLY_SHIPPED": PART,
    "SHIPPED": SENT, "CANCELLED": GONE, "UNFULFILLABLE": STUCK,
}  # fmt: skip
KEEPERS = {
    "AFN": FulfilledBy.MARKETPLACE, "AMAZON": FulfilledBy.MARKETPLACE,
    "MFN": FulfilledBy.SELLER, "MERCHANT": FulfilledBy.SELLER,
}  # fmt: skip
WANTING = frozenset({"NotFound", "Processing", "Errored", "NOT_FOUND", "PROCESSING", "ERRORED"})  # NF-e that is needed
ARRIVED = {  # of Easy Ship, and of parcels
    "Delivered": Fulfilment.DELIVERED, "DELIVERED": Fulfilment.DELIVERED, "ReturnedToSeller": Fulfilment.RETURNED,
}  # fmt: skip
PACKAGES = {  # status, then detailedStatus, which says more
    "PENDING": TrackingStatus.LABEL_CREATED, "SHIPPED": TrackingStatus.ACCEPTED,
    "IN_TRANSIT": TrackingStatus.IN_TRANSIT, "DELIVERED": TrackingStatus.DELIVERED,
    "CANCELLED": TrackingStatus.CANCELLED, "UNDELIVERABLE": TrackingStatus.EXCEPTION,
    "PENDING_SCHEDULE": TrackingStatus.LABEL_CREATED, "PENDING_PICK_UP": TrackingStatus.LABEL_CREATED,
    "PENDING_DROP_OFF": TrackingStatus.LABEL_CREATED, "LABEL_CANCELLED": TrackingStatus.CANCELLED,
    "PICKED_UP": TrackingStatus.ACCEPTED, "DROPPED_OFF": TrackingStatus.ACCEPTED,
    "AT_ORIGIN_FC": TrackingStatus.IN_TRANSIT, "AT_DESTINATION_FC": TrackingStatus.IN_TRANSIT,
    "OUT_FOR_DELIVERY": TrackingStatus.OUT_FOR_DELIVERY, "REJECTED_BY_BUYER": TrackingStatus.RETURNING,
    "RETURNING_TO_SELLER": TrackingStatus.RETURNING, "RETURNED_TO_SELLER": TrackingStatus.RETURNED,
    "LOST": TrackingStatus.LOST, "DAMAGED": TrackingStatus.DAMAGED,
}  # fmt: skip
CHARGED = ("ItemTax", "ShippingTax", "CODFee", "BuyerInfo.GiftWrapPrice", "BuyerInfo.GiftWrapTax")
FORGONE = ("PromotionDiscountTax", "ShippingDiscountTax", "CODFeeDiscount")
OTHERS = ("TAX", "GIFT_WRAP", "COD_FEE", "DELIVERY_TIP", "OTHER")
LISTED = ("summaries", "attributes", "offers", "fulfillmentAvailability", "relationships")


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


def order(raw: Raw) -> Order:
    """An order of `{order, orderItems, address, buyerInfo}`, of a bare order, or of the whole answer of either API.

    A v0 order without its items tells no lines, and nothing that is summed from them.
    """
    o = Wire(unboxed(raw, {"AmazonOrderId", "orderId"}, "order", "payload", "Orders", "orders"), "order")
    box = raw if isinstance(raw, dict) else {}
    name = V2026 if "orderId" in o.raw else V0
    items = o.rows("orderItems") if name is V2026 else _items(o, box)
    sold = [row for row in items if row.needed_count(name["units"])]  # how many units a cancelled row had is not told
    stage, parcels = o.one_of(name["status"], STAGES), o.rows("packages")
    keeper = o.maybe_of(name["keeper"], KEEPERS)
    lines = tuple(_line(row, name, stage, keeper) for row in sold)
    where = _part(box, "address").part("ShippingAddress") or o.part("ShippingAddress")
    where = where or o.part("recipient.deliveryAddress")
    ends = [row.text("packageStatus.status") for row in parcels] or [o.text("EasyShipShipmentStatus")]
    words = (name["status"], name["keeper"], name["invoice"], "EasyShipShipmentStatus")
    currencies = [(o, name["currency"]), *((row, name["price_in"]) for row in sold)]
    changed = o.instant(name["changed"])
    shipping, other = _charges_2026(o, sold) if name is V2026 else _charges_v0(sold)
    return Order(
        ref=o.needed_ref(name["ref"]),
        number=o.ref(name["ref"]),
        payment=stage.payment,
        fulfilment=_arrived(stage, ends),
        cancelled=stage.cancelled,
        hold=_hold(stage, keeper, o.text(name["invoice"]), items),
        fulfilled_by=keeper,
        raw_status={key.rpartition(".")[2]: word for key in words if (word := o.text(key))}
        | ({"programs": programs} if (programs := [word for word in o.texts("programs") if word in EASY]) else {}),
        placed_at=o.instant(name["placed"]),
        changed_at=changed,
        ship_by=o.instant(name["ship_by"]),
        deliver_by=o.instant(name["deliver_by"]),
        currency=next((wire.currency(key) for wire, key in currencies if wire.text(key)), "BRL"),
        items_cents=parse.total(line.total_cents for line in lines),
        shipping_cents=shipping,
        other_cents=other,
        total_cents=o.cents(name["total"]),
        lines=lines,
        buyer=_buyer(_part(box, "buyerInfo") or o.part("BuyerInfo") or o.part("buyer"), where, o),
        ship_to=_address(where),
        shipments=tuple(_parcel(row) for row in parcels),
        clocks={"order": changed},
    )


def _part(box: dict[str, Any], key: str) -> Wire:
    """One of the other documents, with or without its envelope."""
    told = Wire(box.get(key), key)
    return told.part("payload") if "payload" in told.raw else told


def _items(o: Wire, box: dict[str, Any]) -> list[Wire]:
    told = box.get("orderItems", o.raw.get("OrderItems"))
    return list(rows(told, "orderItems")) if isinstance(told, list) else _part(box, "orderItems").rows("OrderItems")


def takes_stock(told: Order) -> bool | None:
    """A sale took its units. Whether a pending order does, and a cancelled one gives back, Amazon does not say."""
    return None if told.cancelled or told.payment is not Payment.PAID else True


def _arrived(stage: Stage, words: Sequence[str | None]) -> Fulfilment:
    """Where the goods stand, when all parcels of an order that was sent have the same end."""
    ends = {ARRIVED.get(word or "") for word in words}
    end = ends.pop() if len(ends) == 1 and stage.fulfilment is Fulfilment.DISPATCHED else None
    return end or stage.fulfilment


def _hold(stage: Stage, keeper: FulfilledBy | None, invoice: str | None, items: Sequence[Wire]) -> Hold | None:
    if stage.cancelled or stage.fulfilment is not Fulfilment.NONE:
        return None
    if any(_unwanted(row) for row in items):
        return Hold.CANCEL_REQUESTED
    wanting = invoice in WANTING and keeper is not FulfilledBy.MARKETPLACE and stage.payment is Payment.PAID
    return Hold.INVOICE_PENDING if wanting else stage.hold


def _unwanted(row: Wire) -> bool:
    asked = row.flag("BuyerRequestedCancel.IsBuyerRequestedCancel")  # "true", a string
    return bool(asked) or row.text("cancellation.cancellationRequest.requester") == "BUYER"


def _less(price: int | None, off: int | None) -> int | None:
    return None if price is None else price - (off or 0)


def _charges_v0(items: Sequence[Wire]) -> tuple[int | None, int | None]:
    """What the buyer pays for shipping, and for the rest: taxes, wrapping, collection."""

    def summed(*keys: str) -> int | None:
        return parse.total(row.cents(f"{key}.Amount") for row in items for key in keys)

    return _less(summed("ShippingPrice"), summed("ShippingDiscount")), _less(summed(*CHARGED), summed(*FORGONE))


def _charges_2026(o: Wire, items: Sequence[Wire]) -> tuple[int | None, int | None]:
    told = [o] if o.rows("proceeds.breakdowns") else items
    return _broken_down(told, "SHIPPING"), _broken_down(told, *OTHERS)


def _broken_down(told: Iterable[Wire], *kinds: str) -> int | None:
    found = (row for each in told for row in each.rows("proceeds.breakdowns") if row.text("type") in kinds)
    return parse.total(row.cents("subtotal.amount") for row in found)


def _line(row: Wire, name: Mapping[str, str], stage: Stage, keeper: FulfilledBy | None) -> OrderLine:
    units = row.count(name["units"])
    all_sent = units if stage.fulfilment is Fulfilment.DISPATCHED else 0
    return OrderLine(
        ref=row.needed_ref(name["line"]),
        listing_ref=row.text(name["sku"]),
        sku=row.text(name["sku"]),
        title=row.text(name["title"]),
        quantity=units,
        cancelled_quantity=units if stage.cancelled else 0,
        dispatched_quantity=all_sent if row.units(name["sent"]) is None else row.count(name["sent"]),
        total_cents=_total(row, name, units),
        fulfilled_by=keeper,
    )


def _total(row: Wire, name: Mapping[str, str], units: int) -> int | None:
    """The line's price less its discount: of 2026-01-01 the price of one, and a discount of either sign."""
    if name is V0:
        return _less(row.cents(name["price"]), row.cents("PromotionDiscount.Amount"))
    price = row.cents(name["price"], units)
    price = _broken_down([row], "ITEM") if price is None else price
    return _less(price, abs(_broken_down([row], "DISCOUNT") or 0))


def _buyer(told: Wire, where: Wire, o: Wire) -> Buyer | None:
    taxes = [row for row in o.rows("tax.taxRegistrations") if row.text("entityType") == "BUYER"]
    taxes += told.rows("BuyerTaxInfo.TaxClassifications")
    numbers = {row.text("Name", "taxRegistrationType"): row.text("Value", "taxRegistrationNumber") for row in taxes}
    buyer = Buyer(
        name=parse.joined(told.text("BuyerName", "buyerName")),
        email=told.text("BuyerEmail", "buyerEmail"),
        phone=parse.phone(where.text("Phone", "phone")),
        document=parse.document(numbers.get("CPF") or numbers.get("CNPJ")),
    )
    return None if buyer == Buyer() else buyer


def _address(where: Wire) -> Address | None:
    """Of either API. Without the role for personal data only city, state and postal code are told."""
    told = Spelt(where.raw, where.path)
    fields, country = told.part("extended_fields"), told.text("country_code")
    named = fields.text("street_name")
    lines = {} if named else places.split(told.text("address_line1"), told.text("address_line2"), country)
    district = fields.text("neighborhood") or told.text("district", "district_or_county")
    return parse.address(
        recipient=told.text("name"),
        street=named or lines.get("street"),
        number=fields.text("street_number") or lines.get("number"),
        complement=fields.text("complement") or lines.get("complement"),
        district=district or lines.get("district"),
        city=told.text("city", "municipality"),
        state=told.text("state_or_region"),
        postal_code=told.text("postal_code"),
        country=country,
    )


def _parcel(row: Wire) -> Shipment:
    status = row.part("packageStatus")
    word = "detailedStatus" if status.text("detailedStatus") else "status"
    units = [(line.needed_ref("orderItemId"), line.quantity("quantity")) for line in row.rows("packageItems")]
    return Shipment(
        ref=row.needed_ref("packageReferenceId"),
        carrier=row.text("carrier"),
        service=row.text("shippingService"),
        tracking_code=row.text("trackingNumber"),
        status=status.one_of(word, PACKAGES) if status else None,
        lines=tuple(LineQuantity(line_ref=ref, quantity=count) for ref, count in units),
    )


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """The listing of a SKU as getListingsItem answers it, or those of a page. The parent of variations is none."""
    if isinstance(raw, dict) and "items" in raw and "sku" not in raw:
        return [one for row in rows(raw["items"], "items") for one in listings(dict(row.raw))]
    told = Wire(raw, "listing")
    if not told.raw.keys() & set(LISTED):  # the answer to a patch has a SKU and a status too
        raise Unreadable("listing.summaries", "not told")
    related = [row for place in told.rows("relationships") for row in place.rows("relationships")]
    if any(row.text("type") == "VARIATION" and row.texts("childSkus") for row in related):
        return []
    sku, summary = told.needed_ref("sku"), here(told.rows("summaries"))
    price = here([row for row in told.rows("offers") if row.text("offerType") in (None, "B2C")]).part("price")
    asin, gtins = summary.text("asin"), told.rows("attributes.externally_assigned_product_identifier")
    # DISCOVERABLE alone is seen and cannot be bought; a document without a summary does not say
    live = summary.told("status") is None or "BUYABLE" in summary.texts("status")
    return [
        Listing(
            ref=sku,
            slot_ref=sku,
            sku=sku,
            gtin=here(gtins).text("value"),
            title=summary.text("itemName"),
            url=f"https://www.amazon.com.br/dp/{asin}" if asin else None,
            status=ListingStatus.ACTIVE if live else ListingStatus.PAUSED,
            price_cents=price.cents("amount"),
            currency=price.currency("currencyCode") if price else None,
            **_numbers(told.rows("fulfillmentAvailability"), summary),
        )
    ]


def here(found: Sequence[Wire]) -> Wire:
    """The row of amazon.com.br; without one the first."""
    ours = (row for row in found if row.text("marketplaceId", "marketplace_id") == MARKETPLACE)
    return next(ours, found[0] if found else Wire(None, ""))


def _numbers(channels: Sequence[Wire], summary: Wire) -> dict[str, Any]:
    """What is for sale, by who sends it. Of several supply sources no number is ours to write."""
    codes = [row.text("fulfillmentChannelCode") or OURS for row in channels]
    quantities = [row.units("quantity") for row in channels]
    by_amazon = [count for code, count in zip(codes, quantities, strict=True) if code.startswith("AMAZON_")]
    if by_amazon or (not codes and summary.text("fnSku")):  # a DEFAULT beside it is a stray: Amazon sends
        return {"managed_by": ManagedBy.MARKETPLACE, "quantity": parse.total(by_amazon)}
    count = parse.total(quantities)
    (place,) = codes if len(codes) == 1 else (OURS,)
    return {
        "location_ref": None if place == OURS else place,
        "quantity": None if count is None else max(0, count),
        "stock_quantity": count if len(codes) == 1 else None,
    }

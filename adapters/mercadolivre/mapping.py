"""Mercado Livre's orders, shipments and items in our words. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from adapters.mercadolivre.shipment_statuses import HOLDS, STAGES, SUBSTAGES
from hub import parse
from hub.contract import LabelStanding, LabelState
from hub.faults import Unreadable
from hub.model import (
    Address,
    Buyer,
    FulfilledBy,
    Fulfilment,
    Hold,
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
from hub.wire import Wire, rows

PAYMENTS = {  # status: (while no payment was approved, once one was)
    "confirmed": (Payment.PENDING, Payment.PENDING),  # no payment yet; the stock is taken
    **dict.fromkeys(("payment_required", "payment_in_process", "partially_paid"), (Payment.PENDING, Payment.PENDING)),
    "paid": (Payment.PAID, Payment.PAID),
    "partially_refunded": (Payment.PARTIALLY_REFUNDED, Payment.PARTIALLY_REFUNDED),  # stays live
    "pending_cancel": (Payment.PENDING, Payment.PAID),
    "cancelled": (Payment.VOIDED, Payment.REFUNDED),  # "paid -> cancelled" is what a refund does
    "invalid": (Payment.VOIDED, Payment.REFUNDED),  # made by a malicious buyer
}
CANCELLED = frozenset({"cancelled", "invalid"})
APPROVED = frozenset({"approved", "in_mediation", "refunded", "partially_refunded", "charged_back"})
# Mercado Envios 2 ("me2", Flex too) is sent with the channel's label; these modes, and an order without a shipment that
# is told to be the seller's, are not. Whatever is not told yet is taken for Mercado Envios.
OWN_LABEL = """!(exists($.shipments[*] ? (@.service == "me1" || @.service == "custom" || @.service == "not_specified"))
    || ($.fulfilled_by == "seller" && !exists($.shipments[*])))"""
GONE = frozenset({Fulfilment.DISPATCHED, Fulfilment.DELIVERED, Fulfilment.RETURNED})
MANAUS = ZoneInfo("America/Manaus")  # times come as -04:00; one without an offset is meant so
PARTS = {
    "shipment": frozenset({"fulfilment", "fulfilled_by", "shipments", "ship_to", "ship_by", "deliver_by"}),
    "billing": frozenset({"buyer"}),
}
LISTING_STATUSES = {
    "active": ListingStatus.ACTIVE,
    "paused": ListingStatus.PAUSED,  # by the seller, or out_of_stock: buyers cannot buy
    **dict.fromkeys(("payment_required", "under_review", "not_yet_active", "inactive"), ListingStatus.PAUSED),
    "closed": ListingStatus.CLOSED,
}
REVIEWS = {"warning": ListingStatus.ACTIVE, "forbidden": ListingStatus.CLOSED}  # sub_status of under_review
# Ways of Mercado Envios that a seller's parcel goes by, as Shipment.service tells them; Full's labels are not ours.
LABELLED = ("me2:drop_off", "me2:xd_drop_off", "me2:cross_docking", "me2:self_service", "me2:turbo")
GTINS = ("GTIN", "EAN", "UPC", "ISBN", "JAN")

# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


def order(raw: Raw) -> Order:
    """The order of `{order, shipment, billing_info, sla}`, /orders/{id} or a search with one result."""
    box = _box(raw)
    o, s = box.part("order"), _shipment(box.part("shipment"))
    lead, tags = s.part("lead_time"), o.texts("tags")
    where = "/".join(word for word in (s.text("status"), s.text("substatus")) if word)
    ref, pack = o.needed_ref("id"), o.ref("pack_id")
    approved = [row for row in o.rows("payments") if row.text("status") in APPROVED or row.text("date_approved")]
    payment, cancelled = o.one_of("status", PAYMENTS)[bool(approved)], o.text("status") in CANCELLED
    by = _fulfilled_by(o, s, tags)
    buyer, clocks = _buyer(o, s, box.part("billing_info")), {"order": _at(o, "last_updated", "date_last_updated")}
    fulfilment, tracking = Fulfilment.DELIVERED if by and "delivered" in tags else None, None  # told by a tag
    if s:  # a substatus newer than our table says nothing beyond its status
        fulfilment, tracking = SUBSTAGES.get(where, s.one_of("status", STAGES))
        clocks["shipment"] = _at(s, "last_updated")
    elif by:
        clocks["shipment"] = None  # an order without shipping tells by itself that the seller sends it
    if buyer:
        clocks["billing"] = None  # billing documents carry no clock
    lines = tuple(_line(row, fulfilment, by, cancelled=cancelled) for row in o.rows("order_items"))
    items, shipping = parse.total(line.total_cents for line in lines), _shipping_cents(o, lead, approved)
    total, taxes = o.cents("total_amount"), o.cents("taxes.amount")
    return Order(
        ref=ref,
        number=pack or ref,
        group_ref=pack,
        payment=payment,
        fulfilment=fulfilment,
        cancelled=cancelled,
        hold=_hold(o, where, tags),
        fulfilled_by=by,
        raw_status={"order": o.text("status"), "tags": tags} | ({"shipment": where} if s else {}),
        placed_at=_at(o, "date_created"),
        changed_at=max((at for at in clocks.values() if at), default=None),
        paid_at=max((at for row in approved if (at := _at(row, "date_approved"))), default=None),
        cancelled_at=_at(o, "cancel_detail.date") if cancelled else None,
        ship_by=_at(box, "sla.expected_date") or _at(lead, "estimated_handling_limit.date"),
        deliver_by=_at(lead, "estimated_delivery_time.date", "estimated_delivery_limit.date"),
        currency=o.currency("currency_id"),
        items_cents=items,
        shipping_cents=shipping,
        other_cents=taxes,
        fees_cents=parse.total(row.cents("sale_fee", row.quantity("quantity")) for row in o.rows("order_items")),
        channel_discount_cents=_channel_discount(o),
        # "Total with shipping": total_amount + taxes.amount + what the buyer pays for the shipment.
        total_cents=parse.total((items if total is None else total, taxes, shipping)),
        refunded_cents=parse.total(row.cents("transaction_amount_refunded") for row in o.rows("payments")),
        lines=lines,
        buyer=buyer,
        ship_to=_ship_to(s),
        shipments=(_parcel(s, tracking),) if s else (),
        clocks=clocks,
    )


def _box(raw: Raw) -> Wire:
    if isinstance(raw, dict) and isinstance(raw.get("results"), list) and len(raw["results"]) == 1:
        raw = raw["results"][0]
    if isinstance(raw, dict) and "order_items" in raw:
        raw = {"order": raw}
    if not isinstance(raw, dict) or not isinstance(raw.get("order"), dict):
        raise Unreadable("order", "this is not a Mercado Livre order: it has no order_items")
    if not Wire(raw["order"], "order").needed_rows("order_items"):
        raise Unreadable("order.order_items", "an order has at least one")
    return Wire(raw, "")


def _shipment(told: Wire) -> Wire:
    """In the words of x-format-new, also where it is told as before."""
    if not told or "logistic" in told.raw:
        return told
    way, to = told.raw.get("shipping_option"), told.raw.get("receiver_address")
    logistic = {"mode": told.raw.get("mode"), "type": told.raw.get("logistic_type")}
    there = {**Wire(to, told.at("receiver_address")).raw, "shipping_address": to}
    return Wire({"logistic": logistic, "lead_time": way, "destination": there} | dict(told.raw), told.path)


def _at(told: Wire, *keys: str) -> datetime | None:
    return told.instant(*keys, zone=MANAUS)


def _hold(o: Wire, where: str, tags: list[str]) -> Hold | None:
    if "fraud_risk_detected" in tags:  # comes on an order already paid
        return Hold.FRAUD
    return Hold.CANCEL_REQUESTED if o.text("status") == "pending_cancel" else HOLDS.get(where)


def _fulfilled_by(o: Wire, s: Wire, tags: list[str]) -> FulfilledBy | None:
    mode, kind = s.text("logistic.mode"), s.text("logistic.type")
    if not s:
        seller = o.ref("shipping.id") is None or "no_shipping" in tags
    elif kind == "fulfillment":  # Full
        return FulfilledBy.MARKETPLACE
    else:
        seller = kind is not None or mode not in (None, "me2")
    return FulfilledBy.SELLER if seller else None


def _line(row: Wire, fulfilment: Fulfilment | None, by: FulfilledBy | None, *, cancelled: bool) -> OrderLine:
    quantity = row.quantity("quantity")
    listing, variation = row.needed_ref("item.id"), row.ref("item.variation_id")
    return OrderLine(
        ref=slot(listing, variation),
        listing_ref=listing,
        variation_ref=variation,
        sku=row.text("item.seller_sku", "item.seller_custom_field"),
        title=row.text("item.title"),
        quantity=quantity,
        cancelled_quantity=quantity if cancelled else 0,
        dispatched_quantity=quantity if fulfilment in GONE else 0,
        returned_quantity=quantity if fulfilment is Fulfilment.RETURNED else 0,
        total_cents=row.cents("unit_price", quantity),
        fulfilled_by=by,
    )


def _channel_discount(o: Wire) -> int | None:
    """What is not the seller's of the discounts, which are told per unit and already taken off unit_price."""
    told = [(each, row.quantity("quantity")) for row in o.rows("order_items") for each in row.rows("discounts")]
    sums = [(each.cents("amounts.full", units), each.cents("amounts.seller", units)) for each, units in told]
    return parse.total(full - seller for full, seller in sums if full is not None and seller is not None)


def _shipping_cents(o: Wire, lead: Wire, approved: Sequence[Wire]) -> int | None:
    """A pack's shipment is paid once for all its orders: of a pack only the order's own word counts."""
    told = None if o.ref("pack_id") else lead.cents("cost")
    told = o.cents("shipping_cost") if told is None else told
    return parse.total(row.cents("shipping_cost") for row in approved) if told is None else told


def _buyer(o: Wire, s: Wire, billing: Wire) -> Buyer | None:
    who, invoiced = o.part("buyer"), billing.part("buyer.billing_info")
    told = Buyer(
        ref=who.ref("id"),
        name=parse.joined(invoiced.text("name"), invoiced.text("last_name"))
        or parse.joined(who.text("first_name"), who.text("last_name")),
        email=who.text("email"),
        phone=parse.phone(s.text("destination.receiver_phone")),  # told in ME1 only
        document=parse.document(invoiced.text("identification.number")),
    )
    return None if told == Buyer() else told


def _ship_to(s: Wire) -> Address | None:
    """Null while masked: the address is hidden until the payment is confirmed."""
    to = s.part("destination.shipping_address")
    return parse.address(
        recipient=s.text("destination.receiver_name"),
        street=to.text("street_name", "address_line"),
        number=to.text("street_number"),
        complement=to.text("comment"),
        district=to.text("neighborhood.name"),
        city=to.text("city.name"),
        state=to.text("state.id", "state.name"),
        postal_code=to.text("zip_code"),
        country=to.text("country.id"),
    )


def _parcel(s: Wire, tracking: TrackingStatus | None) -> Shipment:
    """`service` tells the mode: "me1", "me2:drop_off", "custom" ..."""
    mode, kind = s.text("logistic.mode"), s.text("logistic.type")
    return Shipment(
        ref=s.needed_ref("id"),
        carrier=s.text("tracking_method"),
        service=f"{mode}:{kind}" if mode == "me2" and kind else mode,
        tracking_code=s.text("tracking_number"),
        status=tracking,
    )


def label(raw: Raw) -> LabelStanding:
    """Whether /shipments/{id} has a label to print: while the parcel is here and "ready_to_ship".

    Documented is ready_to_print; that it can be printed again under a later substatus of it is assumed.
    """
    s = _shipment(Wire(raw, "shipment"))
    where = "/".join(word for word in (s.text("status"), s.text("substatus")) if word)
    fulfilment, track = SUBSTAGES.get(where, s.one_of("status", STAGES))
    told = (  # the first that holds
        (LabelState.CANCELLED, track is TrackingStatus.CANCELLED),
        (LabelState.POSTED, fulfilment in GONE),
        (LabelState.NONE, s.text("logistic.mode") != "me2" or s.text("logistic.type") == "fulfillment"),
        (LabelState.INVOICE, HOLDS.get(where) is Hold.INVOICE_PENDING),
        (LabelState.READY, s.text("status") in ("ready_to_ship", "stale_ready_to_ship")),
    )
    state = next((state for state, so in told if so), LabelState.WAITING)
    return LabelStanding(state=state, until=_at(s, "lead_time.buffering.date"))


def slot(listing: str, variation: str | None) -> str:
    """`item[:variation]`."""
    return f"{listing}:{variation}" if variation else listing


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """One listing per variation and stock location, of an item, `{item, stock}` or a multiget (whole or one entry).

    `stock` is /user-products/{id}/stock with its x-version as `version`, or a list of those.
    """
    if isinstance(raw, list):
        return [listing for n, row in enumerate(raw) for listing in _entry(row, f"{n}")]
    return _entry(raw, "")


def _entry(raw: Raw, path: str) -> list[Listing]:
    box = Wire(raw, path or "item")
    key = next((key for key in ("body", "item") if key in box.raw), None)
    if key and box.text("code", "status_code") not in (None, "200"):  # {code, body} · {id, status_code, body}
        return []
    item = Wire(box.raw[key], f"{path}.{key}".lstrip(".")) if key else box
    if not re.fullmatch(r"[A-Z]{3}\d+", item.ref("id") or ""):
        raise Unreadable(item.at("id"), "this is not a Mercado Livre item")
    told = box.raw.get("stock") or []
    stocks = list(rows(told if isinstance(told, list) else [told], "stock"))
    return [listing for own in item.rows("variations") or [item] for listing in _listing(item, own, stocks)]


def _listing(item: Wire, own: Wire, stocks: Sequence[Wire]) -> list[Listing]:
    """Of the item itself, or of one of its variations."""
    ref, variation = item.needed_ref("id"), None if own is item else own.needed_ref("id")
    # Mercado Livre works out a kit's stock itself, and keeps Full's.
    theirs = item.text("shipping.logistic_type") == "fulfillment" or item.text("bundle.type") == "kit"
    units = None if own.value("available_quantity") is None else own.needed_count("available_quantity")
    price = own.cents("price")
    gtins = _attribute(own, *GTINS) or _attribute(item, *GTINS) or ""
    base = Listing(
        ref=ref,
        variation_ref=variation,
        slot_ref=own.text("user_product_id") or slot(ref, variation),
        sku=_sku(own) or _sku(item),
        gtin=parse.text(gtins.split(",")[0]),  # several may stand in one value
        title=item.text("title"),
        url=item.text("permalink"),
        status=_listing_status(item),
        quantity=units,
        stock_quantity=units,
        price_cents=item.cents("price") if price is None else price,
        currency=item.text("currency_id"),
        managed_by=ManagedBy.MARKETPLACE if theirs else ManagedBy.SELLER,
    )
    stock = next((told for told in stocks if told.text("id") == base.slot_ref), Wire(None, "stock"))
    shelves = [at for at in stock.rows("locations") if at.text("type") == "seller_warehouse"]
    if theirs or not shelves:
        return [base]
    here = [(shelf(at), at.needed_count("quantity"), stock.text("version")) for at in shelves]
    return [
        base.model_copy(update={"location_ref": ref, "quantity": n, "stock_quantity": n, "version": version})
        for ref, n, version in here
    ]


def shelf(at: Wire) -> str:
    """`store:node` of a stock location."""
    return f"{at.text('store_id') or ''}:{at.text('network_node_id') or ''}"


def _listing_status(item: Wire) -> ListingStatus:
    status = item.one_of("status", LISTING_STATUSES)
    words = item.texts("sub_status") if item.text("status") == "under_review" else []
    return next((REVIEWS[word] for word in words if word in REVIEWS), status)


def _attribute(own: Wire, *names: str) -> str | None:
    """The first of these that has a value."""
    told = {
        row.text("id"): row.text("value_name") or next((each.text("name") for each in row.rows("values")), None)
        for row in own.rows("attributes")
    }
    return next((value for name in names if (value := told.get(name))), None)


def _sku(own: Wire) -> str | None:
    return _attribute(own, "SELLER_SKU") or own.text("seller_custom_field")

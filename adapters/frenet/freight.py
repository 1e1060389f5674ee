"""Frenet's prices into ours, our postings into its shipments, and labels out of its answers. Pure."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from adapters.frenet import mapping
from hub import calls, parse
from hub.calls import number_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Parcel, Party, Posting, Purchase, Quote, Raw, Request, TrackingProblem
from hub.spelling import Spelt

# ── Prices ──────────────────────────────────────────────────────────────────────────────────────────────


def services(raw: Raw) -> dict[str, dict[str, str]]:
    """By its code, what buying a service must name of it; of /shipping/info."""
    told: dict[str, dict[str, str]] = {}
    for row in Spelt(raw, "").objects("shipping_sevice_available_array"):  # the name is misspelt there
        if code := row.text("service_code"):
            names = {"ShippingServiceName": "service_description", "Carrier": "carrier", "CarrierCode": "carrier_code"}
            told[code] = {theirs: row.text(ours) or "" for theirs, ours in names.items()}
    return told


def question(parcel: Parcel, asked: Sequence[str]) -> dict[str, Any]:
    """The body of a quote: kilograms and centimetres."""
    body: dict[str, Any] = {
        "SellerCEP": parcel.from_postal_code,
        "RecipientCEP": parcel.to_postal_code,
        "ShipmentInvoiceValue": parcel.value_cents / 100,
        "RecipientCountry": "BR",
        "ShippingItemArray": [_box(parcel) | {"Quantity": 1}],
    }
    return body | ({"ShippingServiceCode": asked[0]} if len(asked) == 1 else {})


def _box(parcel: Parcel) -> dict[str, Any]:
    sides = {"Length": parcel.length_cm, "Height": parcel.height_cm, "Width": parcel.width_cm}
    return {"Weight": parcel.weight_g / 1000, **sides}


def read_quotes(raws: Sequence[Raw], asked: Sequence[str]) -> list[Quote]:
    """One quote per service asked, in that order (all that are told when none is named)."""
    told: dict[str, Quote] = {}
    complaint: TrackingProblem | None = None
    for n, raw in enumerate(raws):
        answer = Spelt(raw, str(n))
        words = parse.text(calls.said(answer.raw, "error_message", "message", "msg"))
        complaint = TrackingProblem(code="refused", message=mapping.sentence(words)) if words else complaint
        for row in answer.rows("shipping_sevices_array"):  # so misspelt there
            if code := row.text("service_code"):
                told.setdefault(code, _quote(row, code))
    unheard = complaint or TrackingProblem(code="not_told", message="the answer has no row for this service")
    return [told.get(code) or Quote(service=code, error=unheard) for code in asked or told]


def _quote(row: Spelt, code: str) -> Quote:
    price, words = _cents(row, "shipping_price"), row.text("msg")
    problem = None
    if row.flag("error") or not price:
        words = mapping.sentence(words) if words else "no price is told for this service"
        problem, price = TrackingProblem(code="refused", message=words), None
    return Quote(
        service=code,
        name=parse.joined(row.text("carrier"), row.text("service_description")),
        price_cents=price,
        days=None if row.units("delivery_time") is None else row.count("delivery_time"),
        error=problem,
    )


def _cents(row: Spelt, key: str) -> int | None:
    """Centavos of "32.50"; a comma has been seen too."""
    told = row.text(key)
    return parse.comma_cents(told, row.at(key)) if told and "," in told else parse.cents(told, row.at(key))


# ── Shipments ───────────────────────────────────────────────────────────────────────────────────────────

CREATED, WAITING, FAILED, PAID, POSTED, CALLED_OFF, CANCELLED, DELETED, DROPPED = 1, 2, 3, 4, 5, 6, 7, 9, 18
UNPAID = frozenset({CREATED, WAITING, FAILED})
HELD = frozenset({PAID, POSTED, DROPPED})  # 18 entregue no ponto de postagem
GONE = frozenset({CALLED_OFF, CANCELLED, DELETED})
NOTIFIED = ("TrackingNotificationUrl", "StatusNotificationUrl")  # notices are registered with each shipment only


def shipment(posting: Posting) -> Request:
    """A shipment to be completed with its day and carrier: it stands unpaid, and costs nothing, until it is settled."""
    parcel, offer = posting.parcel, posting.quote
    value = (parcel.value_cents or sum(row.value_cents * row.quantity for row in posting.goods)) / 100
    items = [_item(posting, n, *row) for n, row in enumerate(_rows(posting, value), 1)]
    order: dict[str, Any] = {
        "Id": posting.reference,
        "Value": value,
        "UseFrenetRegistration": True,
        "Items": items,
        "From": _party(posting.sender, "sender"),
        "To": _party(posting.recipient, "recipient"),
    }
    if key := posting.invoice_key:
        series, number = (part.lstrip("0") or "0" for part in (key[22:25], key[25:34]))
        order["Invoice"] = {"Key": key, "Number": number, "Series": series, "Value": value}
    volume = {"Price": value, "DeclaredValue": value, "OrderItemsId": [item["ItemId"] for item in items]}
    price = (offer.price_cents or 0) / 100 if offer else 0
    told = {
        "ShippingServiceCode": posting.service,
        "PlatformShippingPrice": price,
        "ShippingPrice": price,
        "DeliveryTime": (offer.days or 0) if offer else 0,
        "Services": {"DeclaredValue": False, "ReceiptNotification": False, "OwnHand": False},
    }
    # Volumes is one object, whatever its name says.
    body: dict[str, Any] = {"Order": order, "Volumes": _box(parcel) | volume, "Quotation": told}
    if posting.notify:
        body |= dict.fromkeys(NOTIFIED, posting.notify)
    return Request(method="POST", path="/shipments", json=[body])


def _rows(posting: Posting, value: float) -> list[tuple[str, int, float]]:
    if (posting.invoice_key is None) == (not posting.goods):
        raise Unreadable("posting", "exactly one of invoice_key and goods documents the content")
    goods = [(row.description[:160], row.quantity, row.value_cents / 100) for row in posting.goods]
    return goods or [("Mercadoria conforme NF-e", 1, value)]


def _item(posting: Posting, n: int, name: str, quantity: int, price: float) -> dict[str, Any]:
    ids = {"OrderId": posting.reference, "ItemId": f"{posting.reference}-{n}", "ProductId": str(n), "SKU": str(n)}
    return {
        **ids,
        "ProductName": name,
        "Quantity": quantity,
        "Price": price,
        "IsFragile": False,
        **_box(posting.parcel),
    }


def _party(party: Party, path: str) -> dict[str, Any]:
    place = party.address
    address = {
        "ZipCode": place.postal_code,
        "City": place.city,
        "Street": place.street,
        "AddressNumber": place.number or "S/N",
        "AddressComplement": place.complement or "",
        "AddressQuarter": place.district,
        "AddressState": place.state,
        "Country": "BR",
    }
    for name, word in address.items():
        if word is None:
            raise Unreadable(f"{path}.{name}", "Frenet makes no label without it")
    phone = (party.phone or "").removeprefix("+55")
    told = {"Name": party.name, "Email": party.email, "Phone": phone, "Cellphone": phone, "Document": party.document}
    return {name: word for name, word in told.items() if word} | {"Address": address}


def read_purchase(raw: Raw) -> Purchase:
    """A shipment that stands unpaid; one of a batch is refused inside a good answer."""
    answer = Spelt(raw, "")
    rows = answer.rows("items")
    problem = _complaint(rows[0]) if rows else _complaint(answer)
    if problem or not rows:
        raise ChannelError(Fault.REJECTED, *(problem or ("no_shipment", "Frenet answered no shipment")))
    return Purchase(ref=rows[0].needed_ref("shipment_id"))


def _complaint(told: Spelt) -> tuple[str, str] | None:
    """(code, sentence) of the first of {errors: [{code, message}]} or {error: {message, details}}."""
    found = [*calls.listed(told.raw, "errors"), *filter(None, [calls.within(told.raw, "error")])]
    if not found:
        return None
    first = Spelt(found[0], "").raw if isinstance(found[0], dict) else {"message": found[0]}
    words = parse.text(calls.said(first, "message"))
    return calls.said(first, "code") or "refused", mapping.sentence(words or "")


def status(raw: Raw) -> int:
    """Where a shipment stands; a number in no table is unreadable."""
    told = Spelt(raw, "").needed_count("shipment_status")
    if told not in UNPAID | HELD | GONE:
        raise Unreadable("shipmentStatus", f"unknown: {told}")
    return told


def unsettled(now: int, said: Raw) -> ChannelError | None:
    """Why a shipment is not bought, by its status and what paying it answered; without a word it may be paid yet."""
    if now in HELD:
        return None
    if now in GONE:
        return ChannelError(Fault.REJECTED, "cancelled", "this shipment was called off at Frenet")
    if problem := _complaint(Spelt(said if isinstance(said, dict) else None, "")):
        return ChannelError(Fault.REJECTED, *problem)
    return ChannelError(Fault.TRANSIENT, "not_paid", "the wallet has not paid it, and nothing says why")


def labelled(purchase: Purchase, raw: Raw) -> Purchase:
    """The purchase with its tracking code, which stands at the end of the public page's address."""
    told = Spelt(raw, "")
    page = (told.text("tracking_url") or "").partition("?")[0].rstrip("/")
    code = parse.bare(told.text("tracking_number")) or parse.bare(page.rpartition("/")[2] if page else None)
    return purchase.model_copy(update={"tracking_code": code}) if code else purchase


def pdf(raw: Raw) -> bytes | None:
    """The labels, in base64; None while there is none, and an error where it is said why."""
    told = Spelt(raw, "")
    if text := told.text("document"):
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable(told.at("document"), "not base64") from None
    problem = next((found for row in told.objects("items") if (found := _complaint(row))), None)
    if problem:
        raise ChannelError(Fault.REJECTED, *problem)
    return None


def cancellation(ref: str) -> Request:
    """Calls off what was paid; the amount comes back to the wallet, by night as a rule. See `withdrawn`."""
    return Request(method="POST", path=f"/shipments/{number_of(ref)}/cancel")

"""DHL's rates into ours, our postings into its shipments, and labels out of its answers. Pure."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from hub.faults import Unreadable
from hub.model import Party, Posting, Purchase, Quote, Raw, Request, TrackingProblem
from hub.parse import SAO_PAULO, joined
from hub.wire import Wire

HOME = "BR"
_UNHEARD = TrackingProblem(code="not_told", message="the answer has no rate for this product")
_NO_PRICE = TrackingProblem(code="no_price", message="the answer tells no price in BRL for this product")


def read_quotes(raws: Sequence[Raw], services: Sequence[str]) -> list[Quote]:
    """One quote per product code asked, in that order (all that are told when none is named).

    A refusal has no products: its sentence stands for every product that it left unanswered.
    """
    quotes: dict[str, Quote] = {}
    refusal = _UNHEARD
    for index, raw in enumerate(raws if isinstance(raws, list | tuple) else [raws]):
        answer = Wire(raw, f"{index}")
        for row in answer.rows("products"):
            quotes.setdefault(row.needed_ref("productCode"), _quote(row))
        if sentence := joined(answer.text("detail", "message", "title")):
            refusal = TrackingProblem(code=answer.text("status", "code") or "refused", message=sentence)
    return [quotes.get(code) or Quote(service=code, error=refusal) for code in services or quotes]


def _quote(row: Wire) -> Quote:
    price = _reais(row.rows("totalPrice"))
    days = row.units("deliveryCapabilities.totalTransitDays")
    return Quote(
        service=row.needed_ref("productCode"),
        name=row.text("productName"),
        price_cents=price,
        days=days if days is not None and days >= 0 else None,
        deliver_by=row.instant("deliveryCapabilities.estimatedDeliveryDateAndTime", zone=SAO_PAULO),
        error=None if price else _NO_PRICE,
    )


def _reais(rows: Sequence[Wire]) -> int | None:
    """Centavos of a price told once per currency: what is billed (BILLC) first; 0 is how no rate is told."""
    told = {row.text("currencyType"): row.cents("price") for row in rows if row.text("priceCurrency") == "BRL"}
    cents = told.get("BILLC", next(iter(told.values()), None))
    return cents if cents and cents > 0 else None


def purchase(posting: Posting) -> Request:
    """The shipment to create, still without account and day; it answers waybill and label at once."""
    goods, box = posting.goods, posting.parcel
    if (posting.invoice_key is None) == (not goods):
        raise Unreadable("posting", "exactly one of invoice_key and goods documents the content")
    abroad = (posting.recipient.address.country or HOME) != (posting.sender.address.country or HOME)
    if abroad and not goods:
        raise Unreadable("posting.goods", "customs want the goods declared")
    words = ", ".join(row.description for row in goods) if goods else f"NF-e {posting.invoice_key}"
    size = {"length": box.length_cm, "width": box.width_cm, "height": box.height_cm}
    content: dict[str, Any] = {
        "packages": [{"weight": box.weight_g / 1000, "dimensions": size}],
        "isCustomsDeclarable": abroad,
        "description": words[:70],
        "incoterm": "DAP",
        "unitOfMeasurement": "metric",
    }
    if abroad:
        content |= _customs(posting)
    body = {
        "pickup": {"isRequested": False},
        "productCode": posting.service,
        "getRateEstimates": True,
        "customerReferences": [{"value": posting.reference[:35], "typeCode": "CU"}],
        "outputImageProperties": {
            "encodingFormat": "pdf",
            "imageOptions": [{"typeCode": "label", "templateName": "ECOM26_84_001", "isRequested": True}],
        },
        "customerDetails": {
            "shipperDetails": _party(posting.sender, "sender"),
            "receiverDetails": _party(posting.recipient, "recipient"),
        },
        "content": content,
    }
    return Request(method="POST", path="/shipments", json=body)


def _customs(posting: Posting) -> dict[str, Any]:
    each = posting.parcel.weight_g / 1000 / sum(row.quantity for row in posting.goods)
    lines = [
        {
            "number": number,
            "description": row.description[:512],
            "price": row.value_cents / 100,
            "quantity": {"value": row.quantity, "unitOfMeasurement": "PCS"},
            "manufacturerCountry": HOME,
            "weight": {"netValue": round(each * row.quantity, 3), "grossValue": round(each * row.quantity, 3)},
        }
        for number, row in enumerate(posting.goods, 1)
    ]
    worth = sum(row.value_cents * row.quantity for row in posting.goods)
    invoice = {"number": posting.reference[:35]}
    told = {"declaredValue": worth / 100, "declaredValueCurrency": "BRL"}
    return told | {"exportDeclaration": {"lineItems": lines, "invoice": invoice, "exportReasonType": "permanent"}}


def _party(party: Party, path: str) -> dict[str, Any]:
    place = party.address
    for name in ("postal_code", "street", "city"):
        if not getattr(place, name):
            raise Unreadable(f"{path}.address.{name}", "needed on the label")
    if not party.phone:
        raise Unreadable(f"{path}.phone", "needed by DHL's courier")
    country = place.country or HOME
    address = {
        "postalCode": place.postal_code,
        "cityName": (place.city or "")[:45],
        "countryCode": country,
        "provinceCode": place.state,
        "addressLine1": f"{place.street}, {place.number or 'S/N'}"[:45],
        "addressLine2": place.complement and place.complement[:45],
        "addressLine3": place.district and place.district[:45],
    }
    contact = {"fullName": party.name, "companyName": party.name[:100], "phone": party.phone, "email": party.email}
    told: dict[str, Any] = {"postalAddress": _told(address), "contactInformation": _told(contact)}
    if party.document and country == HOME:  # CNP: federal tax number of Brazil, CPF or CNPJ
        told["registrationNumbers"] = [{"typeCode": "CNP", "number": party.document, "issuerCountryCode": country}]
    return told


def _told(parts: dict[str, str | None]) -> dict[str, str]:
    return {name: word for name, word in parts.items() if word}


def read_purchase(raw: Raw) -> Purchase:
    """A shipment: waybill, label, and its price where rates were estimated. The product is not repeated."""
    told = Wire(raw, "")
    code = told.needed_ref("shipmentTrackingNumber")
    images = [row for row in told.rows("documents") if row.text("typeCode") in ("label", None)]
    return Purchase(
        ref=code,
        tracking_code=code,
        price_cents=_reais(told.rows("shipmentCharges")),
        label=_pdf(images[0]) if images else None,
    )


def _pdf(row: Wire) -> bytes:
    try:
        return base64.b64decode(row.text("content") or "", validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable(row.at("content"), "not base64") from None

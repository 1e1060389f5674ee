"""UPS's rates into ours, our postings into theirs, and labels out of their answers. Pure."""

import base64
import binascii
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from hub.faults import Unreadable
from hub.model import Parcel, Party, Posting, Purchase, Quote, Raw, Request, TrackingProblem
from hub.parse import SAO_PAULO, instant
from hub.wire import Wire

SERVICES = {  # from Brazil; an answer's own name goes before
    "07": "UPS Worldwide Express",
    "08": "UPS Worldwide Expedited",
    "11": "UPS Standard",
    "54": "UPS Worldwide Express Plus",
    "65": "UPS Worldwide Saver",
}
NOT_THERE = ("9801031", "9801040")  # label recovery: nothing under this reference; what there was is voided
OURS = "BRL"
_UNHEARD = TrackingProblem(code="not_told", message="the answer has no row for this service")
_LINE = 35


def several(told: Wire, key: str) -> list[Wire]:
    """The rows of a list; a single one is told as an object as often as not."""
    raw = told.told(key)
    return [told.part(key)] if isinstance(raw, dict) else told.rows(key)


# ── Quotes ──────────────────────────────────────────────────────────────────────────────────────────────────


def rate_body(parcel: Parcel, account: str, day: str) -> dict[str, Any]:
    """The body of /rating/Shop for a parcel handed over on a day (YYYYMMDD)."""
    here, there = (
        {"PostalCode": code, "CountryCode": "BR"} for code in (parcel.from_postal_code, parcel.to_postal_code)
    )
    shipment = {
        "Shipper": {"ShipperNumber": account, "Address": here},
        "ShipFrom": {"Address": here},
        "ShipTo": {"Address": there},
        "NumOfPieces": "1",
        "Package": {"PackagingType": {"Code": "02"}, **_measures(parcel)},  # 02 the customer's own
        "ShipmentRatingOptions": {"NegotiatedRatesIndicator": "Y"},
        "DeliveryTimeInformation": {"PackageBillType": "03", "Pickup": {"Date": day}},  # 03 not documents
    }
    return {"RateRequest": {"Request": {"RequestOption": "Shoptimeintransit"}, "Shipment": shipment}}


def _measures(parcel: Parcel) -> dict[str, Any]:
    tenths = -(-parcel.weight_g // 100)  # one decimal is taken; rounded up
    sides = {"Length": parcel.length_cm, "Width": parcel.width_cm, "Height": parcel.height_cm}
    return {
        "Dimensions": {"UnitOfMeasurement": {"Code": "CM"}, **{name: str(side) for name, side in sides.items()}},
        "PackageWeight": {"UnitOfMeasurement": {"Code": "KGS"}, "Weight": f"{tenths // 10}.{tenths % 10}"},
    }


def read_quotes(raws: Sequence[Raw], services: Sequence[str]) -> list[Quote]:
    """One quote per service asked, in that order (all that are told when none is named)."""
    told: dict[str, Quote] = {}
    for place, raw in enumerate(raws):
        for row in several(Wire(raw, str(place)).needed_part("RateResponse"), "RatedShipment"):
            quote = _quote(row)
            told.setdefault(quote.service, quote)
    return [told.get(service) or Quote(service=service, error=_UNHEARD) for service in services or told]


def _quote(told: Wire) -> Quote:
    service = told.needed_ref("Service.Code")
    summary = told.part("TimeInTransit.ServiceSummary")
    arrival = summary.part("EstimatedArrival")
    days = arrival if arrival.told("BusinessDaysInTransit") else told.part("GuaranteedDelivery")
    cents, wrong = _charged(told, told.part("NegotiatedRateCharges"))
    date, hour = arrival.text("Arrival.Date"), arrival.text("Arrival.Time") or "235959"
    return Quote(
        service=service,
        name=summary.text("Service.Description") or SERVICES.get(service),
        price_cents=cents,
        days=days.count("BusinessDaysInTransit") if days.text("BusinessDaysInTransit") else None,
        # Local time of the address; no zone is told: Brasília's is assumed.
        deliver_by=instant(date and f"{date}T{hour.zfill(6)}", arrival.at("Arrival.Date"), zone=SAO_PAULO),
        error=wrong,
    )


def _charged(published: Wire, negotiated: Wire) -> tuple[int | None, TrackingProblem | None]:
    """What is paid, with taxes where they are told, at the account's own rates where it has them; in centavos."""
    amounts = (
        negotiated.part("TotalChargesWithTaxes"),
        negotiated.part("TotalCharge"),
        published.part("TotalChargesWithTaxes"),
        published.part("TotalCharges"),
    )
    paid = next((amount for amount in amounts if amount.text("MonetaryValue")), None)
    cents = paid.cents("MonetaryValue") if paid else None
    if paid is None or not cents or cents < 0:
        return None, TrackingProblem(code="no_price", message="no price is told")
    currency = paid.text("CurrencyCode") or "an unnamed currency"
    if currency != OURS:
        return None, TrackingProblem(code="currency", message=f"priced in {currency[:20]}, not in {OURS}")
    return cents, None


# ── Purchases ───────────────────────────────────────────────────────────────────────────────────────────────


def buy(posting: Posting) -> Request:
    """A label. The account's number is put in by `complete`; our reference is what `find` asks by."""
    shipment = {
        "Description": (posting.goods[0].description if posting.goods else "Mercadorias")[:50],
        "Shipper": _party(posting.sender, "sender"),
        "ShipFrom": _party(posting.sender, "sender"),
        "ShipTo": _party(posting.recipient, "recipient"),
        "PaymentInformation": {"ShipmentCharge": {"Type": "01", "BillShipper": {}}},  # 01 transportation
        "ShipmentRatingOptions": {"NegotiatedRatesIndicator": "Y"},
        "ReferenceNumber": {"Value": posting.reference[:_LINE]},
        "Service": {"Code": posting.service},
        "Package": {"Packaging": {"Code": "02"}, **_measures(posting.parcel)},
    }
    # The context comes back with the answer, which does not name the service otherwise.
    request = {"RequestOption": "nonvalidate", "TransactionReference": {"CustomerContext": posting.service}}
    label = {"LabelImageFormat": {"Code": "GIF"}, "LabelStockSize": {"Height": "6", "Width": "4"}}
    body = {"Request": request, "Shipment": shipment, "LabelSpecification": label}
    return Request(method="POST", path="/api/shipments/v2409/ship", json={"ShipmentRequest": body})


def charged_to(body: Raw, account: str) -> Raw:
    """A shipment's body with the account that sends and pays."""
    asked = body["ShipmentRequest"]
    shipment = asked["Shipment"]
    paid = {"ShipmentCharge": {"Type": "01", "BillShipper": {"AccountNumber": account}}}
    named = {"Shipper": {**shipment["Shipper"], "ShipperNumber": account}, "PaymentInformation": paid}
    return {"ShipmentRequest": {**asked, "Shipment": shipment | named}}


def _party(party: Party, path: str) -> dict[str, Any]:
    place = party.address
    for name in ("postal_code", "street", "city", "state"):
        if not getattr(place, name):
            raise Unreadable(f"{path}.address.{name}", "needed on the label")
    words = ", ".join(word for word in (place.street, place.number or "S/N", place.complement, place.district) if word)
    told: dict[str, Any] = {
        "Name": party.name[:_LINE],
        "AttentionName": party.name[:_LINE],
        "TaxIdentificationNumber": party.document,
        "EMailAddress": party.email and party.email[:50],
        "Phone": {"Number": party.phone.lstrip("+")[:15]} if party.phone else None,
        "Address": {
            "AddressLine": textwrap.wrap(words, _LINE)[:3],  # three lines are printed
            "City": (place.city or "")[:30],
            "StateProvinceCode": place.state,
            "PostalCode": place.postal_code,
            "CountryCode": place.country or "BR",
        },
    }
    return {name: word for name, word in told.items() if word}


def read_purchase(raw: Raw) -> Purchase:
    """A shipment bought: `ref` is its identification number, which voids it and brings its label back."""
    answer = Wire(raw, "").needed_part("ShipmentResponse")
    told = answer.needed_part("ShipmentResults")
    ref = told.needed_ref("ShipmentIdentificationNumber")
    numbers = [number for row in several(told, "PackageResults") if (number := row.ref("TrackingNumber"))]
    price, _not_reais = _charged(told.part("ShipmentCharges"), told.part("NegotiatedRateCharges"))
    return Purchase(
        ref=ref,
        tracking_code=numbers[0] if numbers else ref,
        service=answer.text("Response.TransactionReference.CustomerContext"),
        price_cents=price,
    )


def cancellation(ref: str) -> Request:
    """Voids a shipment by its identification number; it may be refused inside a 200."""
    return Request(method="DELETE", path=f"/api/shipments/v2409/void/cancel/{ref}")


# ── Labels ──────────────────────────────────────────────────────────────────────────────────────────────────


def recovery(named: Mapping[str, Any]) -> Request:
    """A label that was bought, as PDF: by TrackingNumber, or by ReferenceValues."""
    wanted = {"LabelSpecification": {"LabelImageFormat": {"Code": "PDF"}}, **named}
    return Request(method="POST", path="/api/labels/v1/recovery", json={"LabelRecoveryRequest": wanted}, asks=True)


def by_reference(posting: Posting, account: str) -> Request:
    """What was bought under our reference."""
    value = {"ReferenceNumber": {"Value": posting.reference[:_LINE]}, "ShipperNumber": account}
    return recovery({"ReferenceValues": value})


def read_recovered(raw: Raw, posting: Posting) -> Purchase:
    """The purchase behind a recovered label; its price is not told."""
    told = Wire(raw, "").needed_part("LabelRecoveryResponse")
    numbers = [row.ref("TrackingNumber") for row in several(told, "LabelResults")]
    ref = told.ref("ShipmentIdentificationNumber") or next(iter(numbers), None)
    if ref is None:  # several shipments bear the reference: candidates are told, no label
        raise Unreadable(told.at("ShipmentIdentificationNumber"), "not told")
    return Purchase(ref=ref, tracking_code=next(iter(numbers), None) or ref, service=posting.service)


def label_pdfs(raw: Raw) -> list[bytes]:
    """The PDF of each label of an answer."""
    told = Wire(raw, "").needed_part("LabelRecoveryResponse")
    return [_pdf(row.part("LabelImage")) for row in several(told, "LabelResults")]


def _pdf(told: Wire) -> bytes:
    try:
        page = base64.b64decode(told.text("GraphicImage") or "", validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable(told.at("GraphicImage"), "not base64") from None
    if not page.startswith(b"%PDF"):
        raise Unreadable(told.at("GraphicImage"), "not a PDF")
    return page

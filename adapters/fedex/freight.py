"""FedEx's rates into ours, our postings into theirs, and labels out of their answers. Pure."""

import base64
import binascii
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from hub.faults import Unreadable
from hub.model import Parcel, Party, Posting, Purchase, Quote, Raw, Request, TrackingProblem
from hub.parse import SAO_PAULO, instant
from hub.wire import Wire

OURS = "BRL"
_UNHEARD = TrackingProblem(code="not_told", message="the answer has no row for this service")
_NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
DAYS = {f"{word.upper()}_DAY{'S' * (days > 1)}": days for days, word in enumerate(_NUMBERS.split(), 1)}
# The account's own rates before the published ones; a rate is also told a second time in the currency preferred.
_RATE_TYPES = ("ACCOUNT", "PREFERRED", "LIST")
_LINE = 35
CANCEL = "/ship/v1/shipments/cancel"


# ── Quotes ──────────────────────────────────────────────────────────────────────────────────────────────────


def rate_body(parcel: Parcel, account: str) -> dict[str, Any]:
    """The body of /rate/v1/rates/quotes; no service named: all of them."""
    here, there = (
        {"address": {"postalCode": code, "countryCode": "BR"}}
        for code in (parcel.from_postal_code, parcel.to_postal_code)
    )
    shipment = {
        "shipper": here,
        "recipient": there,
        "preferredCurrency": OURS,
        "rateRequestType": ["ACCOUNT", "PREFERRED"],
        "pickupType": "DROPOFF_AT_FEDEX_LOCATION",
        "packagingType": "YOUR_PACKAGING",
        "requestedPackageLineItems": [_measures(parcel)],
    }
    return {
        "accountNumber": {"value": account},
        "rateRequestControlParameters": {"returnTransitTimes": True},
        "requestedShipment": shipment,
    }


def _measures(parcel: Parcel) -> dict[str, Any]:
    sides = {"length": parcel.length_cm, "width": parcel.width_cm, "height": parcel.height_cm, "units": "CM"}
    return {"weight": {"units": "KG", "value": parcel.weight_g / 1000}, "dimensions": sides}


def read_quotes(raws: Sequence[Raw], services: Sequence[str]) -> list[Quote]:
    """One quote per service asked, in that order (all that are told when none is named)."""
    told: dict[str, Quote] = {}
    for place, raw in enumerate(raws):
        for row in Wire(raw, str(place)).needed_part("output").rows("rateReplyDetails"):
            quote = _quote(row)
            told.setdefault(quote.service, quote)
    return [told.get(service) or Quote(service=service, error=_UNHEARD) for service in services or told]


def _quote(told: Wire) -> Quote:
    cents, wrong = _charged(told.rows("ratedShipmentDetails"))
    commit, operation = told.object("commit"), told.object("operationalDetail")
    by = commit.object("dateDetail").text("dayFormat") or operation.text("deliveryDate")
    words = operation.text("transitTime") or commit.object("transitDays").text("minimumTransitTime")
    return Quote(
        service=told.needed_ref("serviceType"),
        name=told.text("serviceName"),
        price_cents=cents,
        days=DAYS.get(words or ""),
        # Local time of the address; no zone is told: Brasília's is assumed.
        deliver_by=instant(by, commit.at("dateDetail.dayFormat"), zone=SAO_PAULO),
        error=wrong,
    )


def _charged(rates: Sequence[Wire]) -> tuple[int | None, TrackingProblem | None]:
    """The net charge, taxes included, in reais; centavos."""
    told = [rate for kind in _RATE_TYPES for rate in rates if kind in (rate.text("rateType") or "")]
    priced = [rate for rate in told if rate.text("totalNetCharge")]
    ours = next((rate for rate in priced if rate.text("currency") == OURS), None)
    cents = ours.cents("totalNetCharge") if ours else None
    if cents is not None and cents > 0:
        return cents, None
    named = next((currency for rate in priced if (currency := rate.text("currency")) not in (None, OURS)), None)
    if named:
        return None, TrackingProblem(code="currency", message=f"priced in {named[:20]}, not in {OURS}")
    return None, TrackingProblem(code="no_price", message="no price is told")


# ── Purchases ───────────────────────────────────────────────────────────────────────────────────────────────


def buy(posting: Posting) -> Request:
    """A label, which comes with the answer. The account's number and the day are put in by `complete`."""
    goods = posting.goods[0].description if posting.goods else "Mercadorias"
    reference = {"customerReferenceType": "CUSTOMER_REFERENCE", "value": posting.reference[:40]}
    package = {**_measures(posting.parcel), "itemDescription": goods[:50], "customerReferences": [reference]}
    shipment = {
        "shipper": _party(posting.sender, "sender"),
        "recipients": [_party(posting.recipient, "recipient")],
        "serviceType": posting.service,
        "packagingType": "YOUR_PACKAGING",
        "pickupType": "DROPOFF_AT_FEDEX_LOCATION",
        "shippingChargesPayment": {"paymentType": "SENDER"},
        "labelSpecification": {"imageType": "PDF", "labelFormatType": "COMMON2D", "labelStockType": "STOCK_4X6"},
        "rateRequestType": ["ACCOUNT", "PREFERRED"],
        "preferredCurrency": OURS,
        "requestedPackageLineItems": [package],
    }
    body = {"labelResponseOptions": "LABEL", "requestedShipment": shipment}
    return Request(method="POST", path="/ship/v1/shipments", json=body)


def completed(body: Mapping[str, Any], account: str, day: str) -> Raw:
    """A purchase with the account that pays and the day of posting (YYYY-MM-DD)."""
    shipment = body["requestedShipment"] | {"shipDatestamp": day}
    return {**body, "accountNumber": {"value": account}, "requestedShipment": shipment}


def _party(party: Party, path: str) -> dict[str, Any]:
    place = party.address
    for name in ("postal_code", "street", "city", "state"):
        if not getattr(place, name):
            raise Unreadable(f"{path}.address.{name}", "needed on the label")
    words = ", ".join(word for word in (place.street, place.number or "S/N", place.complement, place.district) if word)
    contact = {
        "personName": party.name[:70],
        "phoneNumber": party.phone and party.phone.lstrip("+")[:15],
        "emailAddress": party.email,
    }
    told: dict[str, Any] = {
        "contact": {name: word for name, word in contact.items() if word},
        "address": {
            "streetLines": textwrap.wrap(words, _LINE)[:3],
            "city": (place.city or "")[:35],
            "stateOrProvinceCode": place.state,
            "postalCode": place.postal_code,
            "countryCode": place.country or "BR",
        },
    }
    if party.document:
        told["tins"] = [{"number": party.document, "tinType": "BUSINESS_NATIONAL"}]
    return told


def read_purchase(raw: Raw) -> Purchase:
    """A shipment bought: `ref` is its master tracking number; its label is here or nowhere."""
    told = next(iter(Wire(raw, "").needed_part("output").rows("transactionShipments")), None)
    if told is None:
        raise Unreadable("output.transactionShipments", "not told")
    pieces = told.rows("pieceResponses")
    ref = told.needed_ref("masterTrackingNumber")
    rates = told.object("completedShipmentDetail").object("shipmentRating").rows("shipmentRateDetails")
    price, _not_reais = _charged(rates)
    documents = [row for piece in pieces for row in piece.rows("packageDocuments")]
    labels = [label for row in documents if (label := _label(row))]
    return Purchase(
        ref=ref,
        tracking_code=next((code for piece in pieces if (code := piece.ref("trackingNumber"))), ref),
        service=told.text("serviceType"),
        price_cents=price,
        label=labels[0] if labels else None,
    )


def _label(told: Wire) -> bytes | None:
    encoded = told.text("encodedLabel")
    if encoded is None or told.text("contentType") not in (None, "LABEL"):
        return None
    try:
        page = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable(told.at("encodedLabel"), "not base64") from None
    return page if page.startswith(b"%PDF") else None


def cancellation(ref: str) -> Request:
    """Cancels a shipment by its number; it may be refused inside a 200."""
    body = {"trackingNumber": ref, "deletionControl": "DELETE_ALL_PACKAGES"}
    return Request(method="PUT", path=CANCEL, json=body)

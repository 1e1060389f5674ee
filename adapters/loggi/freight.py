"""Loggi's quotes into ours, our postings into theirs, and labels out of their answers. Pure."""

import base64
import binascii
from collections.abc import Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from adapters.loggi.mapping import GRPC
from hub import calls
from hub.contract import json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Address, Parcel, Party, Posting, Purchase, Quote, Raw, Reply, Request, TrackingProblem
from hub.nfe import key_of
from hub.parse import bare, cents
from hub.tracked import UNHEARD
from hub.wire import Wire

SERVICES = ("FREIGHT_TYPE_ECONOMIC", "FREIGHT_TYPE_EXPRESS")
MOST_GRAMS, MOST_CM = 30_000, 100
NANOS = 10**9


def quotation(parcel: Parcel, pickup_type: str, service_id: str | None) -> dict[str, Any]:
    """The body of a quotation: by the contract's service where there is one, else by how parcels are picked up."""
    value = {"currencyCode": "BRL", "units": str(parcel.value_cents // 100), "nanos": parcel.value_cents % 100 * 10**7}
    by = {"externalServiceIds": [service_id]} if service_id else {"pickupTypes": [pickup_type]}
    return {
        "shipFrom": {"correios": {"cep": parcel.from_postal_code}},
        "shipTo": {"correios": {"cep": parcel.to_postal_code}},
        "packages": [_measures(parcel) | {"goodsValue": value}],
        **by,
    }


def _measures(parcel: Parcel) -> dict[str, int]:
    return {
        "weightG": parcel.weight_g,
        "lengthCm": parcel.length_cm,
        "widthCm": parcel.width_cm,
        "heightCm": parcel.height_cm,
    }


def read_quotes(raws: Sequence[Raw], services: Sequence[str]) -> list[Quote]:
    """One quote per service asked, in that order (all that are told when none is named); the cheapest of a service.

    An error answer stands for every service that it left unanswered.
    """
    found: dict[str, Quote] = {}
    problem = UNHEARD
    for raw in raws:
        told = Wire(raw, "")
        if sentence := told.text("message"):
            code = told.units("code")
            problem = TrackingProblem(code=GRPC.get(code or 0, "refused"), message=sentence[:200])
        for quote in map(_quote, _offers(told)):
            known = found.setdefault(quote.service, quote)
            if (quote.price_cents or NANOS) < (known.price_cents or NANOS):
                found[quote.service] = quote
    return [found.get(service, Quote(service=service, error=problem)) for service in services or found]


def _offers(told: Wire) -> list[Wire]:
    """The offers of an answer: within `packagesQuotations` as it is seen, bare as it is documented."""
    packages = told.rows("packagesQuotations")
    return [offer for each in packages or [told] for offer in each.rows("quotations")]


def _quote(told: Wire) -> Quote:
    price = _money(told.object("price").object("totalAmount"))
    unpriced = TrackingProblem(code="no_price", message="the offer has no price in reais")
    return Quote(
        service=told.needed_ref("freightType"),
        name=told.text("freightTypeLabel"),
        price_cents=price,
        days=told.count("sloInDays") if told.text("sloInDays") else None,
        error=None if price else unpriced,
    )


def _money(told: Wire) -> int | None:
    """Centavos of google.type.Money: whole units and billionths; another currency is no price."""
    if told.currency("currencyCode") != "BRL":
        return None
    amount = Decimal(told.units("units") or 0) + Decimal(told.units("nanos") or 0) / NANOS
    return cents(amount, told.at("units")) or None


# ── Postings ────────────────────────────────────────────────────────────────────────────────────────────


def buy(posting: Posting) -> Request:
    """A shipment of one package; the account's pick-up type or service is put in by `client.complete`."""
    parcel, within = posting.parcel, (posting.parcel.length_cm, posting.parcel.width_cm, posting.parcel.height_cm)
    if parcel.weight_g > MOST_GRAMS or max(within) > MOST_CM:
        raise ChannelError(Fault.REJECTED, "too_large", f"parcel: at most {MOST_GRAMS} g and {MOST_CM} cm a side")
    package = {"freightType": posting.service, **_measures(parcel), "documentTypes": [_document(posting)]}
    body = {
        "shipFrom": _party(posting.sender, "sender"),
        "shipTo": _party(posting.recipient, "recipient"),
        "packages": [package],
    }
    return Request(method="POST", path="/async-shipments", json=body)


def _document(posting: Posting) -> dict[str, Any]:
    """The NF-e, whose key has its series and number; else a content declaration."""
    if (posting.invoice_key is None) == (not posting.goods):
        raise Unreadable("posting", "exactly one of invoice_key and goods documents the content")
    worth = posting.parcel.value_cents or sum(row.value_cents * row.quantity for row in posting.goods)
    total = f"{worth // 100}.{worth % 100:02d}"
    if posting.invoice_key is None:
        words = ", ".join(f"{row.quantity} {row.description}" for row in posting.goods)
        return {"contentDeclaration": {"totalValue": total, "description": words[:100]}}
    try:
        key = key_of(posting.invoice_key)
    except ValueError as problem:
        raise Unreadable("invoice_key", str(problem)) from None
    told = {"key": key.key, "series": str(key.series), "number": str(key.number), "totalValue": total}
    return {"invoice": told | {"icms": "ICMS_TAXED"}}


def _party(party: Party, path: str) -> dict[str, Any]:
    told = {
        "name": party.name[:128],
        "phoneNumber": bare(party.phone),
        "federalTaxId": bare(party.document),
        "email": party.email,
        "address": {"correiosAddress": _address(party.address, path)},
    }
    return {name: value for name, value in told.items() if value}


def _address(place: Address, path: str) -> dict[str, str]:
    for name in ("postal_code", "street", "city", "state"):
        if not getattr(place, name):
            raise Unreadable(f"{path}.address.{name}", "needed on the label")
    told = {
        "logradouro": place.street,
        "numero": place.number or "S/N",
        "complemento": place.complement,
        "bairro": place.district,
        "cep": place.postal_code,
        "cidade": place.city,
        "uf": place.state,
    }
    return {name: value for name, value in told.items() if value}


def read_purchase(raw: Raw) -> Purchase:
    """A shipment that was accepted (202): `ref` is the loggiKey; the label waits until it is made."""
    told = Wire(raw, "")
    package = calls.first(told.needed_rows("packages"), "package")
    return Purchase(ref=package.needed_ref("loggiKey"), tracking_code=package.ref("trackingCode"))


def cancellation(ref: str) -> Request:
    """Cancel by loggiKey; a 200 that warns (out for delivery, with Correios) is an error, for it may not hold."""
    return Request(method="POST", path="/packages/cancel", params=(("loggi_key", ref),), repeatable=True)


# ── Labels ──────────────────────────────────────────────────────────────────────────────────────────────

NOT_READY = frozenset({5, 9, 14})  # not found, failed precondition, unavailable: still being made, assumed


def label_pdf(reply: Reply) -> bytes | None:
    """The PDF of a label answer; None while a shipment is still being made. REJECTED names a refusal."""
    told = Wire(json_of(reply), "")
    content = told.object("success").text("content")
    if content:
        try:
            return base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable("success.content", "not base64") from None
    failures = [row.object("status") for row in told.rows("failure")]
    if not failures and reply.status >= HTTPStatus.BAD_REQUEST:
        failures = [told]
    for status in failures:
        code = status.units("code")
        if code not in NOT_READY:
            words = status.text("message") or "no label could be made"
            raise ChannelError(Fault.REJECTED, GRPC.get(code or 0, "refused"), words[:200])
    return None

"""Melhor Envio's quotes into ours, our postings into items of its cart. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from adapters.melhorenvio.mapping import carrier_code
from hub import parse
from hub.calls import said
from hub.faults import Unreadable
from hub.model import Parcel, Party, Posting, Purchase, Quote, Raw, Request, TrackingProblem
from hub.wire import Wire, listed

HOME = "/api/v2/me"
LONGEST_DOCUMENT = 11  # a CPF; a CNPJ has its own field
_UNHEARD = TrackingProblem(code="not_told", message="the answer has no row for this service")


# ── Quotes ──────────────────────────────────────────────────────────────────────────────────────────────────


def quote_body(parcel: Parcel, services: Sequence[str]) -> dict[str, Any]:
    """The body of POST /shipment/calculate: centimetres, kilograms, reais; all services where none is named."""
    body: dict[str, Any] = {
        "from": {"postal_code": parcel.from_postal_code},
        "to": {"postal_code": parcel.to_postal_code},
        "volumes": [volume(parcel)],
        "options": {"insurance_value": reais(parcel.value_cents), "receipt": False, "own_hand": False},
    }
    return body | ({"services": ",".join(services)} if services else {})


def volume(parcel: Parcel) -> dict[str, float]:
    """A parcel as one volume: several in one label are not taken by Correios, J&T and Loggi."""
    return {
        "height": parcel.height_cm,
        "width": parcel.width_cm,
        "length": parcel.length_cm,
        "weight": parcel.weight_g / 1000,
    }


def reais(amount_cents: int) -> float:
    """Centavos as the number that requests carry."""
    return amount_cents / 100


def read_quotes(raws: Sequence[Raw], services: Sequence[str]) -> list[Quote]:
    """One quote per service asked, in that order (all that are told when none is named).

    A raw is an answer of /shipment/calculate: a list of services, one service alone, or a refusal of them all, which
    stands for every service that it left unanswered.
    """
    found: dict[str, Quote] = {}
    refusals: list[str] = []
    for index, raw in enumerate(raws):
        for row in _rows(raw, f"{index}"):
            service = row.ref("id")
            if service is not None:
                found.setdefault(service, _quote(service, row))
            else:
                refusals.append(refusal(row))
    unheard = TrackingProblem(code="refused", message=" ".join(refusals)) if refusals else _UNHEARD
    return [found.get(each) or Quote(service=each, error=unheard) for each in services or found]


def _rows(raw: Raw, path: str) -> Iterator[Wire]:
    if isinstance(raw, dict) and raw.keys() & {"id", "error", "errors", "message"}:
        yield Wire(raw, path)
        return
    if raw is None:
        raise Unreadable(path, "not a quote")
    yield from (Wire(row, f"{path}.{n}") for n, row in enumerate(listed(raw, path)))


def refusal(row: Wire) -> str:
    """Why all of it is refused: the fields' own sentences say more than the message does."""
    fields = row.object("errors").raw
    told = [str(why) for each in fields.values() for why in (each if isinstance(each, list) else [each])]
    return "; ".join(told)[:200] or said(row.raw, "error", "message") or "an answer without a service"


def _quote(service: str, row: Wire) -> Quote:
    """What the account pays and promises (`custom_…`), else the table's; a price of nothing is none."""
    price = row.cents("custom_price") or row.cents("price") or None
    days = row.units("custom_delivery_time")
    days = row.units("delivery_time") if days is None else days
    if days is not None and days < 0:
        raise Unreadable(row.at("delivery_time"), "below zero")
    refused = row.text("error")
    why = refused or (None if price else "no price is told")
    return Quote(
        service=service,
        name=parse.joined(row.text("company.name"), row.text("name")),
        price_cents=None if refused else price,
        days=None if refused else days,
        error=TrackingProblem(code="refused" if refused else "no_price", message=why) if why else None,
    )


# ── Postings: an item of the cart, which costs nothing until it is paid ─────────────────────────────────────


def cart_item(posting: Posting) -> Request:
    """Puts a label into the cart; it is charged when `settle` pays it. Put in twice, one of them just expires."""
    return Request(method="POST", path=f"{HOME}/cart", json=cart_body(posting))


def cart_body(posting: Posting) -> dict[str, Any]:
    """The body of POST /cart; exactly one of NF-e key and goods is required."""
    if (posting.invoice_key is None) == (not posting.goods):
        raise Unreadable("posting", "exactly one of invoice_key and goods documents the content")
    if not posting.service.isdecimal():
        raise Unreadable("service", f"not a number: {posting.service!r}"[:120])
    options: dict[str, Any] = {
        "insurance_value": reais(posting.parcel.value_cents),  # must be that of the NF-e
        "receipt": False,
        "own_hand": False,
        "reverse": False,
        "non_commercial": posting.invoice_key is None,
        "platform": "Balcão",
        "tags": [{"tag": posting.reference, "url": None}],
    }
    if posting.invoice_key:
        options["invoice"] = {"key": posting.invoice_key}  # must not be told beside goods
    return {
        "service": int(posting.service),
        "from": _party(posting.sender, "sender"),
        "to": _party(posting.recipient, "recipient"),
        "products": [
            {"name": row.description, "quantity": row.quantity, "unitary_value": reais(row.value_cents)}
            for row in posting.goods
        ],
        "volumes": [volume(posting.parcel)],
        "options": options,
    }


def _party(party: Party, path: str) -> dict[str, Any]:
    place = party.address
    for name in ("postal_code", "street", "city", "state"):
        if not getattr(place, name):
            raise Unreadable(f"{path}.address.{name}", "needed on the label")
    company = party.document is not None and len(party.document) > LONGEST_DOCUMENT
    told = {
        "name": party.name,
        "phone": party.phone and party.phone.removeprefix("+55"),
        "email": party.email,
        "company_document" if company else "document": party.document,
        "address": place.street,
        "number": place.number or "S/N",
        "complement": place.complement,
        "district": place.district,
        "city": place.city,
        "state_abbr": place.state,
        "country_id": place.country or "BR",
        "postal_code": place.postal_code,
    }
    return {name: word for name, word in told.items() if word}


def read_purchase(raw: Raw) -> Purchase:
    """An item of the cart or an order: `ref` is its uuid. How long an item waits is told in two ways: not told."""
    return purchase_of(Wire(raw, ""))


def purchase_of(order: Wire) -> Purchase:
    """What was bought; the carrier's number once there is one, else Melhor Envio's own."""
    service = order.ref("service_id") or (order.ref("service.id") if isinstance(order.told("service"), dict) else None)
    return Purchase(
        ref=order.needed_ref("id"),
        tracking_code=carrier_code(order) or order.text("self_tracking", "melhorenvio_tracking"),
        service=service,
        price_cents=order.cents("price"),
    )


def cancellation(ref: str) -> Request:
    """Takes a paid label back; one that is still in the cart is refused here (assumed): `withdrawn` takes it out."""
    order = {"id": ref, "reason_id": "2", "description": "Cancelado pela loja"}  # 2 is the only reason documented
    return Request(method="POST", path=f"{HOME}/shipment/cancel", json={"order": order})

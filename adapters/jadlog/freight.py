"""Jadlog's prices into ours, our postings into its orders, and labels out of its answers. Pure."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.jadlog import mapping
from hub import calls, parse
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Parcel, Party, Posting, Purchase, Quote, Raw, Request, TrackingProblem
from hub.wire import Wire

SERVICES: Mapping[str, str] = {  # modalidade
    "0": "EXPRESSO", "3": ".PACKAGE", "4": "RODOVIÁRIO", "5": "ECONÔMICO", "6": "DOC", "7": "CORPORATE", "9": ".COM",
    "10": "INTERNACIONAL", "12": "CARGO", "14": "EMERGENCIAL", "40": "PICKUP",
}  # fmt: skip
ROAD, AIR = 3333, 6000  # cubic centimetres per kilogram
DIVISORS: Mapping[str, int] = {"": ROAD, **dict.fromkeys(("0", "7", "9", "10", "12", "40"), AIR)}
ASKED = ("3", "5", "9", "0")  # assumed: which ones a contract has is told nowhere, and the others answer why not
NO_INVOICE, INVOICE = 0, 2  # tpDocumento: declaração, NF-e

# ── Quotes ──────────────────────────────────────────────────────────────────────────────────────────────


def quote_row(parcel: Parcel, service: str, *, cnpj: str, account: str | None, contract: str | None) -> dict[str, Any]:
    """One modality's question; the weight is the greater of the real and the cubed one, in kilograms."""
    divisor = DIVISORS.get(service, ROAD)
    cubed_g = parcel.length_cm * parcel.width_cm * parcel.height_cm * 1000 // divisor
    return {
        "cepori": parcel.from_postal_code,
        "cepdes": parcel.to_postal_code,
        "frap": "N",  # paid by the sender
        "peso": max(parcel.weight_g, cubed_g) / 1000,
        "cnpj": cnpj,
        "conta": account,
        "contrato": contract,
        "modalidade": _number(service),
        "tpentrega": "D",  # at the door
        "tpseguro": "N",
        "vldeclarado": parcel.value_cents / 100,
        "vlcoleta": 0,
    }


def read_quotes(raws: Sequence[Raw], services: Sequence[str]) -> list[Quote]:
    """One quote per modality asked, in that order (all that are told when none is named).

    A complaint about the whole call stands for every modality that it left without a price.
    """
    told: dict[str, Quote] = {}
    complaint: TrackingProblem | None = None
    for n, raw in enumerate(raws):
        complaint = mapping.refusal(raw) or complaint
        for row in Wire(raw, str(n)).rows("frete"):
            service = parse.text(row.value("modalidade"))
            if service is not None:
                told.setdefault(service, _quote(row, service, complaint))
    unheard = complaint or TrackingProblem(code="not_told", message="the answer has no row for this service")
    return [
        told.get(service) or Quote(service=service, name=SERVICES.get(service), error=unheard)
        for service in services or told
    ]


def _quote(row: Wire, service: str, complaint: TrackingProblem | None) -> Quote:
    problem = mapping.refusal(row.raw)
    price = row.cents("vltotal")
    if problem is None and not price:  # nothing is carried for nothing
        problem = complaint or TrackingProblem(code="no_price", message="no price is told for this service")
    return Quote(
        service=service,
        name=SERVICES.get(service),
        price_cents=price or None,
        days=None if row.units("prazo") is None else row.count("prazo"),
        error=problem,
    )


def _number(service: str) -> int:
    if not (service.isascii() and service.isdecimal()):
        raise ChannelError(Fault.REJECTED, "no_modality", f"service: a modality is a number, not {service[:40]!r}")
    return int(service)


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────


def order(posting: Posting) -> Request:
    """The order of a collection, to be completed with the account's numbers; sent twice it is refused, not doubled."""
    parcel = posting.parcel
    value = parcel.value_cents or sum(row.value_cents * row.quantity for row in posting.goods)
    content = posting.goods[0].description if posting.goods else "Mercadoria conforme NF-e"
    body: dict[str, Any] = {
        "conteudo": content[:80],
        "pedido": [posting.reference],
        "totPeso": parcel.weight_g / 1000,
        "totValor": value / 100,
        "modalidade": _number(posting.service),
        "tpColeta": "K",  # asked for electronically
        "tipoFrete": 0,  # normal
        "servico": 0,  # assumed: without a PIN
        "rem": _party(posting.sender, "sender"),
        "des": _party(posting.recipient, "recipient"),
        "dfe": [_content(posting, value / 100)],
        "volume": [
            {
                "altura": parcel.height_cm,
                "comprimento": parcel.length_cm,
                "largura": parcel.width_cm,
                "peso": parcel.weight_g / 1000,
                "identificador": posting.reference,
            }
        ],
    }
    return Request(method="POST", path="/pedido/incluir", json=body)


def _content(posting: Posting, value: float) -> dict[str, Any]:
    """An NF-e by its key, whose positions 23-25 are the series and 26-34 the number; else a declaration."""
    key = posting.invoice_key
    if (key is None) == (not posting.goods):
        raise Unreadable("posting", "exactly one of invoice_key and goods documents the content")
    if key is None:
        return {"tpDocumento": NO_INVOICE, "nrDoc": "DECLARACAO", "valor": value}
    series, number = (part.lstrip("0") or "0" for part in (key[22:25], key[25:34]))
    return {"tpDocumento": INVOICE, "danfeCte": key, "serie": series, "nrDoc": number, "valor": value}


def _party(party: Party, path: str) -> dict[str, str]:
    place = party.address
    told = {
        "nome": party.name,
        "cnpjCpf": party.document,
        "endereco": place.street,
        "numero": place.number or "S/N",
        "compl": place.complement,
        "bairro": place.district,
        "cidade": place.city,
        "uf": place.state,
        "cep": place.postal_code,
        "fone": party.phone and party.phone.removeprefix("+55"),
        "email": party.email,
        "contato": party.name,
    }
    for name in ("cnpjCpf", "endereco", "bairro", "cidade", "uf", "cep"):
        if not told[name]:
            raise Unreadable(f"{path}.{name}", "Jadlog takes no order without it")
    return {name: word for name, word in told.items() if word}


def read_purchase(raw: Raw) -> Purchase:
    """An order taken: `ref` and tracking code are the shipment's number; the label comes along, here and never again.

    An order that was sent before is that one: its number is told in the refusal.
    """
    told = Wire(raw, "")
    if problem := mapping.refusal(raw):
        if (code := mapping.sent_before(problem)) is None:
            raise ChannelError(Fault.REJECTED, problem.code, problem.message[:200])
        return Purchase(ref=code)
    shipment = told.ref("shipmentId")
    ref = shipment or told.needed_ref("codigo")
    return Purchase(ref=ref, tracking_code=shipment, label=_label(told))


def _label(told: Wire) -> bytes | None:
    """The PDF in base64; the same label is told as numbers too, for shippers that draw it themselves."""
    drawn = told.object("etiqueta")
    text = drawn.text("arquivo")
    if text is None:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable(drawn.at("arquivo"), "not base64") from None


def cancellation(ref: str) -> Request:
    """Calls an order off by its shipment's number, or by its own (eight digits)."""
    return Request(method="POST", path="/pedido/cancelar", json={mapping.asked_by(ref): ref})


def found(raw: Raw) -> Purchase | None:
    """What was bought, out of a tracking answer; None where it tells of no parcel."""
    return next(_bought(calls.listed(raw, "consulta")), None)


def _bought(rows: Sequence[Raw]) -> Iterator[Purchase]:
    for n, each in enumerate(rows):
        row = Wire(each, f"consulta.{n}")
        shipment = mapping.number(row, "tracking.shipmentId") or mapping.number(row, "shipmentId")
        ref = shipment or mapping.number(row, "tracking.codigo")
        if row.part("tracking") and ref:
            yield Purchase(ref=ref, tracking_code=shipment or ref)

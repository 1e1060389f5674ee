"""Total Express' quotes into ours and our postings into theirs (SmartLabel). Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.totalexpress.mapping import of_xml
from hub import calls
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Party, Posting, Purchase, Quote, Raw, Request, TrackingProblem
from hub.nfe import key_of
from hub.parse import bare, comma_cents
from hub.tracked import UNHEARD
from hub.wire import Wire

SERVICES = {"EXP": "Expresso", "STD": "Standard"}
SERVICE_NUMBERS = {"EXP": 7, "STD": 1}  # servicoTipo of a posting: assumed, of an integrator's reading of the manual
SMART_LABEL = "/ics-edi-lv/v1/coleta/smartlabel/registrar"


def read_quotes(raws: Sequence[Raw], services: Sequence[str]) -> list[Quote]:
    """One quote per service asked, in that order (all that are told when none is named).

    A raw is `{servico, resposta}`: the service asked about, for the answer does not name it, and the SOAP answer.
    """
    told = {quote.service: quote for quote in map(_quote, raws)}
    return [told.get(service, Quote(service=service, error=UNHEARD)) for service in services or told]


def _quote(raw: Raw) -> Quote:
    asked = Wire(raw, "")
    service, answer = asked.needed_ref("servico"), asked.text("resposta")
    if answer is None:
        raise Unreadable("resposta", "not told")
    outer = Wire(of_xml(answer), "resposta").object("calcularFreteResponse")
    told = outer.object("calcularFreteResponse") or outer
    sentence = told.text("ErroConsultaFrete")
    found = told.object("DadosFrete")
    price = comma_cents(found.text("ValorServico"), found.at("ValorServico"))
    if sentence is None and (price is None or price <= 0):
        sentence = f"CodigoProc {told.text('CodigoProc')}: no price"
    return Quote(
        service=service,
        name=SERVICES.get(service),
        price_cents=None if sentence else price,
        days=found.count("Prazo") if found.text("Prazo") else None,
        error=TrackingProblem(code=told.text("CodigoProc") or "refused", message=sentence) if sentence else None,
    )


# ── Postings ────────────────────────────────────────────────────────────────────────────────────────────


def buy(posting: Posting) -> Request:
    """Registers a posting; the account's own numbers, its day and address are put in by `client.complete`."""
    if (posting.invoice_key is None) == (not posting.goods):
        raise Unreadable("posting", "exactly one of invoice_key and goods documents the content")
    number = SERVICE_NUMBERS.get(posting.service)
    if number is None:
        there = ", ".join(SERVICE_NUMBERS)
        raise ChannelError(
            Fault.REJECTED, "no_service", f"service: there is no {posting.service!r} (there are: {there})"
        )
    parcel = {
        "servicoTipo": number,
        "entregaTipo": 0,
        "peso": posting.parcel.weight_g / 1000,  # kilograms; grams have three places, exact enough to be told
        "volumes": 1,
        "condFrete": "CIF",
        "pedido": posting.reference,
        "natureza": (posting.goods[0].description if posting.goods else "Mercadoria")[:25],
        "icmsIsencao": 0,
        "destinatario": _recipient(posting.recipient),
        "docFiscal": _document(posting),
    }
    return Request(method="POST", path=SMART_LABEL, json={"encomendas": [parcel]})


def _recipient(party: Party) -> dict[str, Any]:
    place = party.address
    for name in ("postal_code", "street", "city", "state"):
        if not getattr(place, name):
            raise Unreadable(f"recipient.address.{name}", "needed on the label")
    phone = re.sub(r"\D", "", party.phone or "").removeprefix("55")
    told: dict[str, Any] = {
        "nome": party.name,
        "cpfCnpj": bare(party.document) or "",
        "endereco": {
            "logradouro": place.street,
            "numero": place.number or "S/N",
            "complemento": place.complement or "",
            "bairro": place.district or "",
            "cidade": place.city,
            "estado": place.state,
            "pais": "Brasil",
            "cep": place.postal_code,
        },
        "email": party.email or "",
    }
    return told | ({"telefone1": int(phone)} if phone else {})


def _document(posting: Posting) -> dict[str, Any]:
    """The NF-e by its key, which has series and number in it; else a content declaration (type 00)."""
    value = (posting.parcel.value_cents or sum(row.value_cents * row.quantity for row in posting.goods)) / 100
    key = posting.invoice_key
    if key is None:
        number = int(re.sub(r"\D", "", posting.reference)[-9:] or 1)
        return {"outros": [{"nfoTipo": "00", "nfoNumero": number, "nfoValTotal": value, "nfoValProd": value}]}
    try:
        told = key_of(key)
    except ValueError as problem:
        raise Unreadable("invoice_key", str(problem)) from None
    note = {"nfeNumero": told.number, "nfeSerie": told.series, "nfeValTotal": value, "nfeValProd": value}
    return {"nfe": [note | {"nfeChave": told.key}]}


def completed(body: Mapping[str, Any], sender_id: str, document: str | None, day: str) -> dict[str, Any]:
    """A rendered posting with the sender's numbers there, and the day of its documents (ISO 8601)."""
    parcels = [
        parcel
        | {
            "docFiscal": {
                kind: [row | {"nfeData" if kind == "nfe" else "nfoData": day} for row in rows]
                for kind, rows in parcel["docFiscal"].items()
            }
        }
        for parcel in body["encomendas"]
    ]
    sender = {"remetenteId": int(sender_id) if sender_id.isdecimal() else sender_id, "cnpj": bare(document) or ""}
    return sender | {"encomendas": parcels}


def read_purchase(raw: Raw) -> Purchase:
    """What became of a posting: `ref` is the Pedido, the tracking code the Awb of its first volume.

    A posting that is refused within a good answer (206 "partly processed") is REJECTED with its sentence.
    """
    told = Wire(raw, "")
    answer = told.object("retorno") or told
    for row in answer.objects("encomendas"):
        volumes = row.objects("volumes")
        awb = volumes[0].ref("awb") if volumes else row.ref("awb")
        if awb:
            return Purchase(ref=row.needed_ref("pedido"), tracking_code=awb)
    raise ChannelError(Fault.REJECTED, *_refusal(raw))


def _refusal(raw: Raw) -> tuple[str, str]:
    """Code and sentence of a posting that was refused, wherever in the answer they stand: assumed."""
    answer = calls.within(raw, "retorno") or raw
    rows = [
        *calls.listed(answer, "erros"),
        *calls.listed(answer, "ErrosIndividuais"),
        *calls.listed(answer, "encomendas"),
    ]
    for row in (*rows, answer):
        if sentence := calls.said(row, "DescricaoErro", "descricaoErro", "descricao", "mensagem", "message"):
            return calls.said(row, "CodigoErro", "codigoErro", "codigo") or "refused", sentence[:200]
    return "refused", "the answer names no Awb and no reason"

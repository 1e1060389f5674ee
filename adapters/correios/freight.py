"""Correios' quotes into ours, our postings into theirs, and labels out of their answers. Pure."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.correios.mapping import Told, problem
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Party, Posting, Purchase, Quote, Raw, Request, TrackingProblem
from hub.parse import SAO_PAULO, bare, cents, comma_cents
from hub.wire import needed_list

SERVICES = {"03220": "SEDEX", "03298": "PAC"}
VALUE_SERVICE = {"03220": "019", "03298": "064"}  # declared value: SEDEX 019, PAC 064
_YES_NO = {"S": True, "N": False}
_UNHEARD = TrackingProblem(code="not_told", message="the answer has no row for this service")


_READ = ("pcFinal", "prazoEntrega", "dataMaxima", "entregaDomiciliar")


def read_quotes(raws: Sequence[Raw], services: Sequence[str]) -> list[Quote]:
    """One quote per service asked, in that order (all that are told when none is named).

    A raw is `{preco, prazo}`, or either answer alone. Rows are joined by the service that coProduto or else
    nuRequisicao names. A complaint without a row stands for every service that it left unanswered.
    """
    joined: dict[str, dict[str, str]] = {}
    complaints: list[str] = []
    for row in _rows(raws):
        sentence, service = row.sentence(), _service_of(row, services)
        if service is None:
            complaints.append(sentence or "an answer without a service")
            continue
        told = {name: word for name in _READ if (word := row.text(name)) is not None}
        joined[service] = told | ({"refused": sentence} if sentence else {}) | joined.get(service, {})
    wanted = [_service(code) for code in services] or list(joined)
    return [_quote(service, joined.get(service, {}), complaints) for service in wanted]


def _rows(raws: Any) -> Iterator[Told]:
    for index, raw in enumerate(raws if isinstance(raws, list | tuple) else [raws]):
        composed = isinstance(raw, dict) and bool({"preco", "prazo"} & raw.keys())
        answers = {f"{index}.{name}": raw.get(name) for name in ("preco", "prazo")} if composed else {f"{index}": raw}
        for path, answer in answers.items():
            for row, told in enumerate(answer) if isinstance(answer, list) else [(None, answer)]:
                if told is not None or row is not None:
                    yield Told(told, path if row is None else f"{path}.{row}")


def _service(told: str) -> str:
    return told.zfill(5)  # a code that went through a number lost its leading zero


def _service_of(row: Told, services: Sequence[str]) -> str | None:
    """The service of a row: told, or the one that its request number names or counts."""
    if code := row.text("coProduto"):
        return _service(code)
    number, asked = row.text("nuRequisicao") or "", [_service(code) for code in services]
    if number and _service(number) in asked:
        return _service(number)
    position = int(number) - 1 if re.fullmatch("[0-9]{1,3}", number) else -1
    return asked[position] if 0 <= position < len(asked) else None


def _quote(service: str, row: Mapping[str, str], complaints: Sequence[str]) -> Quote:
    unanswered = not ("pcFinal" in row and "prazoEntrega" in row)
    sentence = row.get("refused") or (" ".join(complaints) if unanswered else "")
    told = Told(row, service)
    return Quote(
        service=service,
        name=SERVICES.get(service),
        price_cents=_money(told, "pcFinal"),
        days=told.needed_count("prazoEntrega") if "prazoEntrega" in row else None,
        deliver_by=told.instant("dataMaxima", zone=SAO_PAULO),
        home_delivery=_YES_NO.get(row.get("entregaDomiciliar", "")),
        error=problem(sentence) if sentence else None if row else _UNHEARD,
    )


def _money(told: Told, key: str) -> int | None:
    """Money is a string with comma ("1.234,56"); a number or "34.55" is read as it stands."""
    word = told.text(key)
    if word is None:
        return None
    if not re.fullmatch(r"[0-9.,]{1,20}", word):
        raise Unreadable(told.at(key), f"not an amount of money: {word!r}"[:120])
    return comma_cents(word, told.at(key)) if "," in word else cents(word, told.at(key))


def posting_body(posting: Posting) -> dict[str, Any]:
    """The body of POST /prepostagem/v1/prepostagens; exactly one of NF-e key and goods is required."""
    if (posting.invoice_key is None) == (not posting.goods):
        raise Unreadable("posting", "exactly one of invoice_key and goods documents the content")
    parcel = posting.parcel
    body: dict[str, Any] = {
        "remetente": _party(posting.sender, "sender"),
        "destinatario": _party(posting.recipient, "recipient"),
        "codigoServico": posting.service,
        "pesoInformado": str(parcel.weight_g),
        "codigoFormatoObjetoInformado": "2",  # 1 envelope, 2 caixa, 3 rolo
        "alturaInformada": str(parcel.height_cm),
        "larguraInformada": str(parcel.width_cm),
        "comprimentoInformado": str(parcel.length_cm),
        "cienteObjetoNaoProibido": "1",
        "solicitarColeta": "N",
        "modalidadePagamento": "2",  # a faturar, on the posting card of the token
        "observacao": posting.reference[:50],
    }
    if posting.invoice_key:
        body["chaveNFe"] = posting.invoice_key
    else:
        body["itensDeclaracaoConteudo"] = [
            {
                "conteudo": row.description[:100],
                "quantidade": str(row.quantity),
                "valor": reais(row.value_cents),
            }
            for row in posting.goods
        ]
    return body


def reais(amount_cents: int) -> str:
    """Centavos as the decimal that requests carry ("49.90"; only answers have the comma)."""
    return f"{amount_cents // 100}.{amount_cents % 100:02d}"


def _party(party: Party, path: str) -> dict[str, Any]:
    place = party.address
    for name in ("postal_code", "street", "city", "state"):
        if not getattr(place, name):
            raise Unreadable(f"{path}.address.{name}", "needed on the label")
    address = {
        "cep": place.postal_code,
        "logradouro": (place.street or "")[:50],
        "numero": (place.number or "S/N")[:6],
        "complemento": place.complement and place.complement[:30],
        "bairro": place.district and place.district[:30],
        "cidade": (place.city or "")[:30],
        "uf": place.state,
    }
    told = {"nome": party.name[:50], "cpfCnpj": party.document, "email": party.email, **_phone(party.phone)}
    return _without_nulls(told) | {"endereco": _without_nulls(address)}


def _without_nulls(told: Mapping[str, str | None]) -> dict[str, str]:
    return {name: word for name, word in told.items() if word}


def _phone(told: str | None) -> dict[str, str | None]:
    """Area code and number apart: nine digits are a mobile, eight a fixed line; others are left out."""
    number = re.fullmatch(r"\+55(\d\d)(\d{8,9})", told or "")
    if not number:
        return {}
    kind = "Celular" if len(number[2]) == 9 else "Telefone"  # noqa: PLR2004 - the sentence above
    return {f"ddd{kind}": number[1], kind.lower(): number[2]}


def read_purchase(raw: Raw) -> Purchase:
    """A pre-posting: `ref` is the PR… id, `expires_at` the last moment to hand it over (7 days)."""
    told = Told(raw, "")
    return Purchase(
        ref=told.needed_ref("id"),
        tracking_code=bare(told.text("codigoObjeto")),
        service=_service(told.needed_ref("codigoServico")),
        price_cents=_money(told, "precoPrePostagem"),
        expires_at=told.instant("prazoPostagem", zone=SAO_PAULO),
    )


_OVER = frozenset({"4", "5", "6"})  # EXPIRADO, CANCELADO, ESTORNADO


def prepostings(raw: Raw) -> list[Raw]:
    """The rows of a page of pre-postings."""
    return needed_list(raw.get("itens") if isinstance(raw, dict) else raw, "itens")


def bought_as(raw: Raw, reference: str) -> Purchase | None:
    """The purchase that a row tells, where it bears this reference and still counts."""
    told = Told(raw, "")
    mine = told.text("observacao") == reference[:50] and told.text("statusAtual") not in _OVER
    return read_purchase(raw) if mine else None


def read_receipt(raw: Raw) -> str:
    """The receipt under which labels can be fetched."""
    return Told(raw, "").needed_ref("idRecibo")


def label_pdf(raw: Raw) -> bytes | None:
    """The PDF of a label; None while it is being made (PPN-291, or nothing told yet).

    PPN-295 and PPN-297 say that making it failed: REJECTED, ask for a new receipt.
    """
    told = Told(raw, "")
    if image := told.text("dados"):
        try:
            return base64.b64decode(image, validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable("dados", "not base64") from None
    sentence = told.sentence() or ""
    if failed := re.search(r"PPN-29[57]", sentence):
        raise ChannelError(Fault.REJECTED, failed[0], sentence[:200])
    return None


def cancellation(ref: str) -> Request:
    """Cancel by the PR… id, or by the tracking code where that is all we know."""
    route = f"objeto/{ref}" if re.fullmatch(r"[A-Z]{2}\d{9}[A-Z]{2}", ref) else ref
    return Request(method="DELETE", path=f"/prepostagem/v1/prepostagens/{route}")

"""Correios' paths: token by posting card, tracking by 50, quotes by 5, labels made asynchronously."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote as url_quote

from pydantic import Field, SecretStr

from adapters.correios import freight
from hub import contract, oauth
from hub.calls import batches, listed
from hub.contract import Api, Identity, Token, json_of
from hub.faults import Unreadable
from hub.model import Parcel, Posting, Purchase, Raw, Reply, Request
from hub.parse import SAO_PAULO, instant
from hub.wire import Wire

TRACKING_BATCH = 50
PRICE_BATCH = 5
PAGE, MOST_PAGES = 50, 100
AUTOMATIC_INSURANCE_CENTS = 24_50  # vlSeguroAutomatico: up to here nothing has to be declared
_REFUSALS = frozenset({400, 404, 422})  # a quote's refusal is an answer, told per service


class Credentials(contract.Credentials):
    """A contract's access to Correios API (CWS): from Meu Correios, and the posting card."""

    user: str = Field(title="Usuário Meu Correios")
    access_code: SecretStr = Field(title="Código de acesso às APIs", description="ou a chave fixa cws-…")
    posting_card: str = Field(title="Cartão de postagem")
    contract: str | None = Field(default=None, title="Contrato")
    regional: int | None = Field(default=None, title="Regional (DR)")
    endpoint: str = Field(default="https://api.correios.com.br", title="Endereço da API")

    def base_url(self) -> str:
        """The API's address; homologation is https://apihom.correios.com.br."""
        return self.endpoint.rstrip("/")

    def is_static(self) -> bool:
        """Whether the access code is a fixed key, itself the Bearer: then no token is ever asked for."""
        return self.access_code.get_secret_value().startswith("cws-")

    def headers(self) -> Mapping[str, str]:
        """The fixed key as Bearer; empty where a token is used."""
        return {"Authorization": f"Bearer {self.access_code.get_secret_value()}"} if self.is_static() else {}


# ── Token: 24 h, and the same one is given back until it is near its end ────────────────────────────────


def ask_token(credentials: Credentials, _last: Token | None) -> Request:
    """The call that answers a token for the posting card (201)."""
    told = {"numero": credentials.posting_card, "contrato": credentials.contract, "dr": credentials.regional}
    return Request(
        method="POST",
        path="/token/v1/autentica/cartaopostagem",
        json={name: word for name, word in told.items() if word is not None},
        headers=oauth.basic(credentials.user, credentials.access_code),
        operation="token",
        repeatable=True,
        authenticate=False,
    )


def read_token(reply: Reply, _now: datetime) -> Token:
    """The token with its true end: `expiraEm` is naive, in `zoneOffset` where told, else Brasília."""
    told = Wire(json_of(reply), "")
    access, ends, offset = told.text("token"), told.text("expiraEm"), told.text("zoneOffset") or ""
    if access is None:
        raise Unreadable("token", "not told")
    ends = ends and ends + (offset if re.fullmatch(r"[+-]\d\d:\d\d", offset) else "")
    return Token(access=SecretStr(access), expires_at=instant(ends, "expiraEm", zone=SAO_PAULO))


async def check(api: Api) -> Identity:
    """Who the contract is: the token route tells it; a fixed key is proven by asking for some object."""
    credentials: Credentials = api.credentials
    name = f"Correios, cartão {credentials.posting_card}"
    if credentials.is_static():
        await fetch(api, ["AA000000005BR"])
        known = {"contract": credentials.contract, "regional": credentials.regional}
        return Identity(external_id=credentials.posting_card, name=name, facts=known)
    told = Wire(json_of(await api.call(ask_token(credentials, None))), "")
    card, regional = told.part("cartaoPostagem"), told.units("cartaoPostagem.dr")
    apis = {number for row in (card, told) for number in listed(row.raw, "api") if isinstance(number, int)}
    facts: dict[str, Any] = {
        "contract": card.ref("contrato") or credentials.contract,
        "regional": credentials.regional if regional is None else regional,
        "apis": sorted(apis),  # switched on by contract: the routes of others answer 403
        "cnpj": told.text("cnpj"),
    }
    return Identity(external_id=credentials.posting_card, name=name, facts=facts)


# ── Tracking ────────────────────────────────────────────────────────────────────────────────────────────


async def fetch(api: Api, codes: Sequence[str]) -> Raw:
    """All events of up to 50 objects; the answer's order is not the one asked."""
    if not codes:
        return {"objetos": []}
    asked = (*(("codigosObjetos", code) for code in codes), ("resultado", "T"))
    headers = {
        "Accept": "application/json",
        "Accept-Language": "pt-BR",
    }  # anything but pt-BR, en, es-ES is SRO-018
    return json_of(await api.call(Request(method="GET", path="/srorastro/v1/objetos", params=asked, headers=headers)))


# ── Freight ─────────────────────────────────────────────────────────────────────────────────────────────


async def quote(api: Api, parcel: Parcel, services: Sequence[str]) -> list[Raw]:
    """Per five services one document `{preco, prazo}`: the answers of the two batch routes as they came."""
    day = api.now().astimezone(SAO_PAULO).strftime("%d/%m/%Y")  # the GET routes want dd-MM-yyyy
    documents = []
    for batch in batches(services, PRICE_BATCH):
        price = [_price_row(api, parcel, service, day) for service in batch]
        time = [_row(parcel, service, day) for service in batch]
        documents.append(
            {
                "preco": await _ask(api, "/preco/v1/nacional", {"idLote": "1", "parametrosProduto": price}),
                "prazo": await _ask(api, "/prazo/v1/nacional", {"idLote": "1", "parametrosPrazo": time}),
            }
        )
    return documents


async def _ask(api: Api, path: str, body: Raw) -> Raw:
    return json_of(await api.call(Request(method="POST", path=path, json=body, repeatable=True, accept=_REFUSALS)))


def _row(parcel: Parcel, service: str, day: str) -> dict[str, Any]:
    return {
        "coProduto": service,
        "nuRequisicao": service,  # ours to choose: the rows of both answers are joined by it
        "cepOrigem": parcel.from_postal_code,
        "cepDestino": parcel.to_postal_code,
        "dtEvento": day,
    }


def _price_row(api: Api, parcel: Parcel, service: str, day: str) -> dict[str, Any]:
    row = _row(parcel, service, day) | {
        "psObjeto": str(parcel.weight_g),
        "tpObjeto": "2",
        "comprimento": str(parcel.length_cm),
        "largura": str(parcel.width_cm),
        "altura": str(parcel.height_cm),
    }
    contract_number = api.credentials.contract or api.facts.get("contract")
    regional = api.credentials.regional if api.credentials.regional is not None else api.facts.get("regional")
    if contract_number and regional is not None:  # the contract's price needs both
        row |= {"nuContrato": contract_number, "nuDR": regional}
    if parcel.value_cents > AUTOMATIC_INSURANCE_CENTS and service in freight.VALUE_SERVICE:
        extra = [{"coServAdicional": freight.VALUE_SERVICE[service]}]
        row |= {"servicosAdicionais": extra, "vlDeclarado": freight.reais(parcel.value_cents)}
    return row


def buy(posting: Posting) -> Request:
    """A pre-posting: it holds for 7 days and is charged when the object is handed over."""
    body = freight.posting_body(posting)
    return Request(method="POST", path="/prepostagem/v1/prepostagens", json=body)


async def find(api: Api, posting: Posting, _since: datetime) -> Purchase | None:
    """The pre-posting that bears the posting's reference; those expired, cancelled or reversed count no more."""
    for page in range(MOST_PAGES):
        told = (("status", "PREPOSTADO"), ("page", str(page)), ("size", str(PAGE)))  # assumed: the filter, the shape
        raw = json_of(await api.call(Request(method="GET", path="/prepostagem/v2/prepostagens", params=told)))
        rows = freight.prepostings(raw)
        for row in rows:
            if found := freight.bought_as(row, posting.reference):
                return found
        if len(rows) < PAGE:
            return None
    raise Unreadable("page", f"more than {MOST_PAGES * PAGE} pre-postings wait to be handed over")


async def ask_label(api: Api, refs: Sequence[str]) -> str:
    """The receipt (idRecibo) of the labels of these pre-postings; asking again only makes another receipt."""
    body = {"idsPrePostagem": list(refs), "tipoRotulo": "P", "formatoRotulo": "ET"}
    path = "/prepostagem/v1/prepostagens/rotulo/assincrono/pdf"
    asked = Request(method="POST", path=path, json=body, repeatable=True)
    return freight.read_receipt(json_of(await api.call(asked)))


async def label(api: Api, receipt: str) -> bytes | None:
    """The PDF, or None while it is being made; the not-ready message was seen with 200 and with 400."""
    path = f"/prepostagem/v1/prepostagens/rotulo/download/assincrono/{url_quote(receipt, safe='')}"
    return freight.label_pdf(json_of(await api.call(Request(method="GET", path=path, accept=frozenset({400})))))

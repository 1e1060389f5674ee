"""Total Express' addresses: the feed and quotes by SOAP at one host, questions about codes and postings at another."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from xml.sax.saxutils import escape

from pydantic import Field, SecretStr

from adapters.totalexpress import freight, mapping
from hub import contract, oauth
from hub.contract import Api, Consignment, Identity, Page, json_of
from hub.faults import ChannelError, Fault
from hub.model import Parcel, Raw, Request
from hub.parse import SAO_PAULO

TRACKING_BATCH = 50
FEED = "feed"
FEED_SECONDS = 300.0  # asked again sooner, it answers CodigoProc 5
BACK_DAYS = 7  # how far a new account listens back: assumed that the feed keeps them
LATE_LOTS = timedelta(minutes=10)  # a day's last lot may come after midnight: assumed
EDI, QUOTES = "/webservice24.php", "/webservice_calculo_frete_v2.php"
TRACKING = "/ics-tracking-encomenda-lv/v1/tracking"


class Credentials(contract.Credentials):
    """Users of the EDI web service and, where it differs, of the REST API: from Total Express' commercial contact."""

    user: str = Field(title="Usuário EDI (webservice)")
    password: SecretStr = Field(title="Senha EDI")
    sender_id: str = Field(title="REID (remetenteId)")
    cnpj: str | None = Field(default=None, title="CNPJ do remetente")
    rest_user: str | None = Field(default=None, title="Usuário da API REST", description="vazio: o mesmo do EDI")
    rest_password: SecretStr | None = Field(default=None, title="Senha da API REST")
    endpoint: str = Field(default="https://edi.totalexpress.com.br", title="Endereço do EDI")
    rest_endpoint: str = Field(default="https://apis.totalexpress.com.br", title="Endereço da API REST")

    def base_url(self) -> str:
        """The EDI's address: feed and quotes."""
        return self.endpoint.rstrip("/")

    def headers(self) -> Mapping[str, str]:
        """HTTP Basic of the EDI user."""
        return oauth.basic(self.user, self.password)

    def rest_headers(self) -> dict[str, str]:
        """HTTP Basic of the REST user; at another host the account's own are never shown."""
        return oauth.basic(self.rest_user or self.user, self.rest_password or self.password)


def _rest(credentials: Credentials, request: Request) -> Request:
    """A request to the REST API, at its own host."""
    headers = {**request.headers, **credentials.rest_headers()}
    path = credentials.rest_endpoint.rstrip("/") + request.path
    return replace(request, path=path, headers=headers, authenticate=False)


def _soap(path: str, operation: str, **fields: str) -> Request:
    """A SOAP question; asked again only by the hub, for the feed counts how often."""
    told = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    envelope = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:urn="urn:{operation}">'
        f"<soapenv:Body><urn:{operation}><{operation}Request>{told}</{operation}Request></urn:{operation}>"
        "</soapenv:Body></soapenv:Envelope>"
    )
    headers = {"SOAPAction": f"urn:{operation}#{operation}"}
    return Request(method="POST", path=path, xml=envelope, headers=headers, asks=True)


async def check(api: Api) -> Identity:
    """Who the sender is. A quote proves the EDI user, a question about no parcel the REST user.

    Where no REST user was given and the EDI user may not use that API, the account lives by its feed alone.
    """
    credentials: Credentials = api.credentials
    await _price(api, "EXP", "01310200", "0,30", "10,00", ())
    facts = {"rest": True}
    try:
        await _asked(api, {"awbs": ["TXAA000000000tx"]})
    except ChannelError as refusal:
        if refusal.fault is not Fault.AUTH or credentials.rest_user or credentials.rest_password:
            raise
        facts = {"rest": False}
    return Identity(
        external_id=credentials.sender_id, name=f"Total Express, remetente {credentials.sender_id}", facts=facts
    )


# ── Tracking ────────────────────────────────────────────────────────────────────────────────────────────


def code_of(parcel: Consignment) -> str | None:
    """The Awb, as they spell it, else the Pedido under which it was registered."""
    code = parcel.tracking_code or parcel.ref
    return f"{code[:-2].upper()}tx" if code and _AWB.fullmatch(code) else code


async def feed(api: Api, cursor: str | None) -> Page:
    """The lots of one day that are new, one document each.

    The cursor is the day and the lots of it that were told, `2026-03-12/489250503,489250999`: a lot's number stands
    for what it holds, and the same parcel is in many lots. A day is left when the next one is ten minutes old.
    """
    today = api.now().astimezone(SAO_PAULO)
    day, seen = _place(cursor, today)
    request = replace(_soap(EDI, "ObterTracking", DataConsulta=day), operation=FEED, repeatable=False)
    lots = mapping.lots(mapping.text_of(await api.call(request)))
    numbers = {str(lot["CodRetorno"]): lot for lot in lots}
    over = day < (today - LATE_LOTS).date().isoformat()
    following = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    return Page(
        documents=tuple(lot for number, lot in numbers.items() if number not in seen),
        cursor=following if over else f"{day}/{','.join(numbers)}",
        more=over,
    )


def _place(cursor: str | None, today: datetime) -> tuple[str, frozenset[str]]:
    """The day to ask about, and the lots of it that are known; where nothing is known, some days back."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:/([0-9,]*))?", cursor or "")
    if not found:
        return (today - timedelta(days=BACK_DAYS)).date().isoformat(), frozenset()
    return found[1], frozenset((found[2] or "").split(",")) - {""}


# Their codes of our days; digits alone may be an Awb of 2020 or an order's number, and are asked about as both.
_AWB, _EITHER = re.compile(r"[A-Z]{4}\d{9}tx", re.IGNORECASE), re.compile(r"\d{9}")


async def fetch(api: Api, codes: Sequence[str]) -> Raw:
    """What the REST API tells of up to 50 codes, as `{data: [answer, ...]}`; nothing without access to it."""
    either = [code for code in codes if _EITHER.fullmatch(code)]
    awbs = [code for code in codes if _AWB.fullmatch(code)] + either
    orders = [code for code in codes if code not in awbs] + either
    if api.facts.get("rest") is False:
        return {"data": []}
    asked = [{name: told} for name, told in (("awbs", awbs), ("pedidos", orders)) if told]
    return {"data": [await _asked(api, each) for each in asked]}


async def _asked(api: Api, question: dict[str, list[str]]) -> Raw:
    """An answer about codes; none of them known is a 404."""
    body = {**question, "comprovanteEntrega": False}
    request = Request(method="POST", path=TRACKING, json=body, asks=True, accept=frozenset({HTTPStatus.NOT_FOUND}))
    reply = await api.call(_rest(api.credentials, request))
    return {"data": []} if reply.status == HTTPStatus.NOT_FOUND else json_of(reply)


# ── Freight ─────────────────────────────────────────────────────────────────────────────────────────────


async def quote(api: Api, parcel: Parcel, services: Sequence[str]) -> list[Raw]:
    """Per service one document `{servico, resposta}`; from where it is sent belongs to the account (REID)."""
    weight, value = _comma(parcel.weight_g // 10 or 1), _comma(parcel.value_cents)
    sides = (("Altura", parcel.height_cm), ("Largura", parcel.width_cm), ("Profundidade", parcel.length_cm))
    postal_code = parcel.to_postal_code
    return [await _price(api, service, postal_code, weight, value, sides) for service in services or freight.SERVICES]


async def _price(
    api: Api, service: str, postal_code: str, weight: str, value: str, sides: Sequence[tuple[str, int]]
) -> Raw:
    measures = {name: str(length) for name, length in sides}
    told = {"TipoServico": service, "CepDestino": postal_code, "Peso": weight, "ValorDeclarado": value}
    request = _soap(QUOTES, "calcularFrete", **told, TipoEntrega="0", **measures)
    return {"servico": service, "resposta": mapping.text_of(await api.call(request))}


def _comma(hundredths: int) -> str:
    """Two places after a comma, of centavos or tens of grams."""
    return f"{hundredths // 100},{hundredths % 100:02d}"


def complete(api: Api, request: Request) -> Request:
    """A posting with what the account knows: REID, CNPJ, today, the REST API's host and user."""
    credentials: Credentials = api.credentials
    day = api.now().astimezone(SAO_PAULO).date().isoformat()
    body = freight.completed(request.json, credentials.sender_id, credentials.cnpj, day)
    return _rest(credentials, replace(request, json=body))


def until(code: str, now: datetime) -> datetime | None:
    """The feed that was asked too soon is asked again in five minutes."""
    return now + timedelta(seconds=FEED_SECONDS) if code == "ObterTracking/5" else None

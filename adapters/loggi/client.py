"""Loggi's paths: a token by client credentials, one package a call, quotes, shipments made asynchronously, labels."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote as url_quote

from pydantic import Field, SecretStr

from adapters.loggi import freight
from hub import contract, oauth
from hub.calls import get_if_there, told_in
from hub.contract import Api, Identity, Token, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Parcel, Raw, Reply, Request
from hub.wire import Wire

_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})  # a quote's refusal is an answer


class Credentials(contract.Credentials):
    """A company's access to Loggi's API: from its sales team."""

    company_id: str = Field(title="Company ID")
    client_id: str = Field(title="Client ID")
    client_secret: SecretStr = Field(title="Client Secret")
    external_service_id: str | None = Field(default=None, title="Identificador do serviço (SISU)")
    pickup_type: str = Field(default="PICKUP_TYPE_SPOT", title="Tipo de coleta")
    webhook_user: str = Field(default="balcao", title="Usuário do webhook", description="o que a Loggi cadastrar")
    webhook_password: SecretStr | None = Field(default=None, title="Senha do webhook")
    endpoint: str = Field(default="https://api.loggi.com", title="Endereço da API")

    def base_url(self) -> str:
        """The company's own part of the API; staging is https://stg.api.loggi.com."""
        return f"{self.endpoint.rstrip('/')}/v1/companies/{url_quote(self.company_id, safe='')}"


# ── Token ───────────────────────────────────────────────────────────────────────────────────────────────


def ask_token(credentials: Credentials, _last: Token | None) -> Request:
    """The call that answers a token; there is nothing to refresh it with."""
    told = {"client_id": credentials.client_id, "client_secret": credentials.client_secret.get_secret_value()}
    path = credentials.endpoint.rstrip("/") + "/v2/oauth2/token"
    return Request(method="POST", path=path, json=told, repeatable=True, authenticate=False)


def read_token(reply: Reply, now: datetime) -> Token:
    """The idToken with its end, `expiresIn` seconds from now."""
    told = Wire(json_of(reply), "token")
    access, lasts = told.text("idToken"), told.count("expiresIn")
    if access is None:
        raise Unreadable(told.at("idToken"), "not told")
    ends = now + timedelta(seconds=min(lasts, oauth.LONGEST)) if lasts else None
    return Token(access=SecretStr(access), expires_at=ends)


async def check(api: Api) -> Identity:
    """Who the company is: a package that does not exist is not found there, where another company is forbidden."""
    company = api.credentials.company_id
    await get_if_there(api, "/packages/BALCAO/tracking")
    return Identity(external_id=company, name=f"Loggi, empresa {company}")


# ── Tracking ────────────────────────────────────────────────────────────────────────────────────────────


async def fetch(api: Api, codes: Sequence[str]) -> Raw:
    """What is told of each code, one call each; one that is not found stands with the error that was told."""
    found: list[Raw] = []
    for code in codes:
        path = f"/packages/{url_quote(code, safe='')}/tracking"
        reply = await api.call(Request(method="GET", path=path, accept=frozenset({HTTPStatus.NOT_FOUND})))
        if reply.status == HTTPStatus.NOT_FOUND:
            found.append({"trackingCode": code, "error": told_in(reply) or {"code": 5}})
        else:
            found += (row.raw for row in Wire(json_of(reply), "").needed_rows("packages"))
    return {"packages": found}


# ── Freight ─────────────────────────────────────────────────────────────────────────────────────────────


async def quote(api: Api, parcel: Parcel, _services: Sequence[str]) -> list[Raw]:
    """One answer with every service that the contract has."""
    credentials: Credentials = api.credentials
    body = freight.quotation(parcel, credentials.pickup_type, credentials.external_service_id)
    return [json_of(await api.call(Request(method="POST", path="/quotations", json=body, asks=True, accept=_REFUSALS)))]


def complete(api: Api, request: Request) -> Request:
    """A shipment with how its parcels are picked up, or under which of the contract's services they go."""
    credentials: Credentials = api.credentials
    service = {"externalServiceId": credentials.external_service_id} if credentials.external_service_id else {}
    return replace(request, json={**request.json, "pickupType": credentials.pickup_type, **service})


async def ask_label(_api: Api, refs: Sequence[str]) -> str:
    """The loggiKeys themselves: labels are asked for and answered in one call."""
    if not refs:
        raise ChannelError(Fault.REJECTED, "no_refs", "labels: no package is named")
    return ",".join(refs)


async def label(api: Api, receipt: str) -> bytes | None:
    """The PDF in A6, or None while the shipment is still being made: it is confirmed after its 202."""
    body = {
        "loggiKeys": receipt.split(","),
        "format": "LABEL_FORMAT_PDF",
        "layout": "LABEL_LAYOUT_A6",
        "responseType": "LABEL_RESPONSE_TYPE_BASE_64",
    }
    accepted = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})
    return freight.label_pdf(
        await api.call(Request(method="POST", path="/labels", json=body, repeatable=True, accept=accepted))
    )

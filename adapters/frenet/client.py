"""Frenet's two APIs: the gateway for prices and tracking, the white label for shipments that are paid and printed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import Field, SecretStr

from adapters.frenet import freight, mapping, webhook
from hub import contract
from hub.calls import number_of
from hub.contract import Api, Identity, json_of
from hub.faults import ChannelError, Fault
from hub.model import Parcel, Posting, Purchase, Raw, Request
from hub.parse import bare


class Credentials(contract.Credentials):
    """From Frenet's panel: the store's token; the partner's comes after their approval, and only labels need it."""

    token: SecretStr = Field(title="Token da loja")
    cnpj: str = Field(title="CNPJ da loja")
    partner_token: SecretStr | None = Field(default=None, title="Token de parceiro", description="só para etiquetas")
    webhook_token: SecretStr | None = Field(
        default=None, title="Token dos avisos", description="invente um: vai no endereço dos avisos"
    )
    printing_format: Literal["A4", "A6"] = Field(default="A4", title="Etiquetas", description="A6 = 10x15 térmica")
    endpoint: str = Field(default="https://api.frenet.com.br", title="Endereço da API")
    labels_endpoint: str = Field(default="https://whitelabel.frenet.com.br/v1", title="Endereço das etiquetas")

    def base_url(self) -> str:
        """The white label's address: what is bought is called off there by a request that knows no account."""
        return self.labels_endpoint.rstrip("/")

    def headers(self) -> Mapping[str, str]:
        """The store's token and the partner's."""
        shown = {"token": self.token.get_secret_value()}
        return shown | ({"x-partner-token": self.partner_token.get_secret_value()} if self.partner_token else {})

    def gateway(self, method: str, path: str, body: Raw = None) -> Request:
        """A question to the gateway, which is another host and shown the store's token only."""
        url = self.endpoint.rstrip("/") + path
        return Request(
            method=method,
            path=url,
            json=body,
            headers={"token": self.token.get_secret_value()},
            authenticate=False,
            asks=True,
        )


async def check(api: Api) -> Identity:
    """Who the store is, and the services that it has: buying one must name its carrier. Proves both tokens."""
    known: Credentials = api.credentials
    told = json_of(await api.call(known.gateway("GET", "/shipping/info")))
    if known.partner_token:
        await api.call(Request(method="GET", path="/wallet"))
    cnpj = bare(known.cnpj) or known.cnpj
    return Identity(external_id=cnpj, name=f"Frenet, CNPJ {cnpj}", facts={"services": freight.services(told)})


# ── Tracking ────────────────────────────────────────────────────────────────────────────────────────────


async def fetch(api: Api, codes: Sequence[str]) -> Raw:
    """What is told of each code, a call each: {"answers": [{"asked", "answer"}]}; errors do not say whose they are."""
    known: Credentials = api.credentials
    answers = []
    for code in codes:
        asked = known.gateway("POST", "/tracking/trackinginfo", mapping.asked_with(code))
        answers.append({"asked": code, "answer": json_of(await api.call(asked))})
    return {"answers": answers}


# ── Freight ─────────────────────────────────────────────────────────────────────────────────────────────


async def quote(api: Api, parcel: Parcel, services: Sequence[str]) -> list[Raw]:
    """The prices of all services at once; one alone may be asked for by name."""
    known: Credentials = api.credentials
    return [json_of(await api.call(known.gateway("POST", "/shipping/quote", freight.question(parcel, services))))]


def complete(api: Api, request: Request) -> Request:
    """A shipment with the day of its making and its service's carrier, without which their server fails."""
    _needs_partner(api)
    (shipment,) = request.json
    offer = shipment["Quotation"]
    service = (api.facts.get("services") or {}).get(offer["ShippingServiceCode"])
    if service is None:
        named = f"service: the store has no {offer['ShippingServiceCode']!r} at Frenet; check the account once more"
        raise ChannelError(Fault.REJECTED, mapping.NO_SERVICE, named)
    created = api.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    urls = {name: _with_token(api, shipment[name]) for name in freight.NOTIFIED if name in shipment}
    whole = {**shipment, **urls, "Order": {**shipment["Order"], "Created": created}, "Quotation": {**offer, **service}}
    return replace(request, json=[whole])


def _with_token(api: Api, url: str) -> str | None:
    """Our address with the token that proves a notice; none where none was made up, for all would be refused."""
    known: Credentials = api.credentials
    secret = known.webhook_token.get_secret_value() if known.webhook_token else ""
    return f"{url}?{urlencode({webhook.PARAMETER: secret})}" if secret else None


def _needs_partner(api: Api) -> None:
    if api.credentials.partner_token is None:
        raise ChannelError(Fault.REJECTED, "no_partner_token", "partner_token: labels are made for partners only")


async def find(_api: Api, _posting: Posting, _since: datetime) -> None:
    """Nothing: a shipment whose making was never answered stands unpaid in Frenet's panel, and costs nothing."""
    return


async def settle(api: Api, purchase: Purchase) -> Purchase:
    """Paid from the wallet unless it is, once: the answer to paying is not reliable, a shipment's own status is."""
    said: Raw = None
    status = await _status(api, purchase.ref)
    if status in freight.UNPAID:
        pay = Request(method="POST", path="/shipments/checkout", json=[int(number_of(purchase.ref))])
        said = json_of(await api.call(pay))
        status = await _status(api, purchase.ref)
    if problem := freight.unsettled(status, said):
        raise problem
    path = f"/shipments/{number_of(purchase.ref)}/label"
    return freight.labelled(purchase, json_of(await api.call(Request(method="GET", path=path))))


async def _status(api: Api, ref: str) -> int:
    return freight.status(json_of(await api.call(Request(method="GET", path=f"/shipments/{number_of(ref)}"))))


async def withdrawn(api: Api, ref: str) -> bool:
    """Whether a shipment was called off: calling off may answer an error and have done it all the same."""
    return await _status(api, ref) in freight.GONE


async def ask_label(_api: Api, refs: Sequence[str]) -> str:
    """The receipt of labels is their shipments' numbers: they are drawn when they are fetched."""
    return ",".join(number_of(ref) for ref in refs)


async def label(api: Api, receipt: str) -> bytes | None:
    """One PDF of these shipments' labels. Never their addresses: those hold the store's token."""
    known: Credentials = api.credentials
    numbers = [int(ref) for ref in receipt.split(",")]
    headers: dict[str, Any] = {"x-printing-format": known.printing_format}  # "10x15" is ignored: A6 is that
    path = "/shipments/batch/label/generate"
    return freight.pdf(
        json_of(await api.call(Request(method="POST", path=path, json=numbers, headers=headers, asks=True)))
    )

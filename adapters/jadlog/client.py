"""Jadlog's paths: tracking by 100, quotes by modality, orders and their cancellation. The key never ends."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import Field, SecretStr

from adapters.jadlog import freight, mapping
from hub import contract
from hub.contract import Api, Identity, json_of
from hub.model import Parcel, Posting, Purchase, Raw, Request
from hub.parse import bare

TRACKING_BATCH = 100  # assumed: one source only says so


class Credentials(contract.Credentials):
    """The access to the shipper's API (Embarcador) that Jadlog's commercial contact hands out with the contract."""

    token: SecretStr = Field(title="Token da API")
    cnpj: str = Field(title="CNPJ do contrato")
    client_code: str | None = Field(default=None, title="Código do cliente")
    account: str | None = Field(default=None, title="Conta corrente")
    contract: str | None = Field(default=None, title="Número do contrato")
    endpoint: str = Field(default="https://www.jadlog.com.br/embarcador/api", title="Endereço da API")

    def base_url(self) -> str:
        """The API's address; the newer host is https://prd-traffic.jadlogtech.com.br/embarcador/api."""
        return self.endpoint.rstrip("/")

    def headers(self) -> Mapping[str, str]:
        """The key; Jadlog's own manuals have it typed with the word before it."""
        return {"Authorization": f"Bearer {self.token.get_secret_value().strip().removeprefix('Bearer ')}"}


async def check(api: Api) -> Identity:
    """Who the contract is. No route tells it: the key is proven by asking for some parcel."""
    credentials: Credentials = api.credentials
    await fetch(api, ["00000000"])
    cnpj = bare(credentials.cnpj) or credentials.cnpj
    return Identity(external_id=cnpj, name=f"Jadlog, CNPJ {cnpj}")


async def fetch(api: Api, codes: Sequence[str]) -> Raw:
    """All events of up to 100 parcels; every answer is a 200, refusals stand row by row."""
    return await ask(api, [{mapping.asked_by(code): code} for code in codes])


async def ask(api: Api, rows: Sequence[Mapping[str, str]]) -> Raw:
    """What is known of parcels named by any of their numbers: {shipmentId | cte | codigo | pedido}."""
    if not rows:
        return {"consulta": []}
    body = {"consulta": [dict(row) for row in rows]}
    return json_of(await api.call(Request(method="POST", path="/tracking/consultar", json=body, asks=True)))


# ── Freight ─────────────────────────────────────────────────────────────────────────────────────────────


async def quote(api: Api, parcel: Parcel, services: Sequence[str]) -> list[Raw]:
    """The one answer about all of these modalities; a modality that the contract lacks is a row's error."""
    known: Credentials = api.credentials
    cnpj = bare(known.cnpj) or known.cnpj
    rows = [
        freight.quote_row(parcel, service, cnpj=cnpj, account=known.account, contract=known.contract)
        for service in services or freight.ASKED
    ]
    asked = Request(method="POST", path="/frete/valor", json={"frete": rows}, asks=True)
    return [json_of(await api.call(asked))]


def complete(api: Api, request: Request) -> Request:
    """An order with the account's own numbers."""
    known: Credentials = api.credentials
    own = {"codCliente": known.client_code, "contaCorrente": known.account, "nrContrato": known.contract}
    return replace(request, json={**request.json, **{name: word for name, word in own.items() if word}})


async def find(api: Api, posting: Posting, _since: datetime) -> Purchase | None:
    """What was bought under a reference, once it is on its way; before, buying again answers the order's number."""
    return freight.found(await ask(api, [{"pedido": posting.reference}]))


async def settle(api: Api, purchase: Purchase) -> Purchase:
    """An order known by its own number only (it was sent before) gets its tracking code once there is one."""
    if purchase.tracking_code:
        return purchase
    if mapping.asked_by(purchase.ref) == "shipmentId":
        return purchase.model_copy(update={"tracking_code": purchase.ref})
    found = freight.found(await fetch(api, [purchase.ref]))
    return purchase.model_copy(update={"tracking_code": found.tracking_code}) if found else purchase

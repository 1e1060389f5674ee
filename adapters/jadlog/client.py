"""Jadlog's paths: tracking by 100, quotes by modality, orders and their cancellation. The key never ends."""

from collections.abc import Mapping, Sequence

from pydantic import Field, SecretStr

from hub import contract
from hub.contract import Api, Identity, json_of
from hub.model import Raw, Request
from hub.parse import bare

TRACKING_BATCH = 100  # assumed: one source only says so
_CODE_LENGTH, _SHIPMENT = 8, "11"


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
    return await ask(api, [{asked_by(code): code} for code in codes])


async def ask(api: Api, rows: Sequence[Mapping[str, str]]) -> Raw:
    """What is known of parcels named by any of their numbers: {shipmentId | cte | codigo | pedido}."""
    if not rows:
        return {"consulta": []}
    body = {"consulta": [dict(row) for row in rows]}
    return json_of(await api.call(Request(method="POST", path="/tracking/consultar", json=body, asks=True)))


def asked_by(code: str) -> str:
    """Which number a code is: eight digits an order's, "11…" a shipment's, all else a CT-e's."""
    if code.isdecimal() and len(code) == _CODE_LENGTH:
        return "codigo"
    return "shipmentId" if code.isdecimal() and code.startswith(_SHIPMENT) else "cte"

"""MyDHL API's paths: tracking by several waybills, rates for one piece, shipments. Basic authentication."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import Field, SecretStr

from hub import contract, oauth
from hub.calls import listed
from hub.contract import Api, Identity, json_of
from hub.model import Parcel, Raw, Request
from hub.parse import SAO_PAULO, text

TRACKING_BATCH = 10  # assumed: the number is repeated in the query, and no maximum is published
COUNTRY = "BR"  # of both ends of a quote, which are told by their CEP
_REFUSALS = frozenset({400, 404, 422})  # a quote's refusal is an answer, told per service
_NOBODYS = "0000000000"


class Credentials(contract.Credentials):
    """Access to MyDHL API: user and password from developer.dhl.com, and the shipper account of the contract."""

    user: str = Field(title="Usuário da MyDHL API")
    password: SecretStr = Field(title="Senha da MyDHL API")
    account: str = Field(title="Conta DHL Express", description="número da conta de remetente")
    endpoint: str = Field(default="https://express.api.dhl.com/mydhlapi", title="Endereço da API")

    def base_url(self) -> str:
        """The API's address; its test environment is the same with /test."""
        return self.endpoint.rstrip("/")

    def headers(self) -> Mapping[str, str]:
        """HTTP Basic."""
        return oauth.basic(self.user, self.password)


async def check(api: Api) -> Identity:
    """Who we are: asking about a waybill that is nobody's proves user and password, and costs nothing."""
    await fetch(api, [_NOBODYS])
    account = api.credentials.account
    return Identity(external_id=account, name=f"DHL Express, conta {account}")


async def fetch(api: Api, codes: Sequence[str]) -> Raw:
    """All checkpoints of these waybills; a 404 tells that none of them is known."""
    if not codes:
        return {"shipments": []}
    numbers = [("shipmentTrackingNumber", code) for code in codes]
    asked = (*numbers, ("trackingView", "all-checkpoints"), ("levelOfDetail", "shipment"))
    return json_of(await api.call(Request(method="GET", path="/tracking", params=asked, accept=frozenset({404}))))


async def quote(api: Api, parcel: Parcel, _services: Sequence[str]) -> list[Raw]:
    """One document: all products with their rates, or the refusal. Rates want city names: a CEP's are asked for."""
    places: dict[str, str] = {}
    for end, at, code in (
        ("origin", "pickup", parcel.from_postal_code),
        ("destination", "delivery", parcel.to_postal_code),
    ):
        found = await _ask(api, "/address-validate", type=at, countryCode=COUNTRY, postalCode=code)
        city = next((text(row.get("cityName")) for row in listed(found, "address") if isinstance(row, dict)), None)
        if city is None:
            return [found]
        places |= {f"{end}CountryCode": COUNTRY, f"{end}PostalCode": code, f"{end}CityName": city}
    size = {"length": parcel.length_cm, "width": parcel.width_cm, "height": parcel.height_cm}
    rates = await _ask(
        api,
        "/rates",
        accountNumber=api.credentials.account,
        **places,
        weight=f"{parcel.weight_g / 1000:.3f}",  # kilograms
        **{name: str(side) for name, side in size.items()},
        plannedShippingDate=f"{api.now().astimezone(SAO_PAULO):%Y-%m-%d}",
        isCustomsDeclarable="false",
        unitOfMeasurement="metric",
        nextBusinessDay="true",  # a day without pickups is no refusal
    )
    return [rates]


async def _ask(api: Api, path: str, **params: str) -> Any:
    return json_of(await api.call(Request(method="GET", path=path, params=tuple(params.items()), accept=_REFUSALS)))


def complete(api: Api, request: Request) -> Request:
    """A purchase with the account that pays and the moment of handing over, which must not lie in the past."""
    handed_over = (api.now() + timedelta(minutes=15)).astimezone(SAO_PAULO)
    offset = f"{handed_over:%z}"
    told = {
        "plannedShippingDateAndTime": f"{handed_over:%Y-%m-%dT%H:%M:%S} GMT{offset[:3]}:{offset[3:]}",
        "accounts": [{"typeCode": "shipper", "number": api.credentials.account}],
    }
    return replace(request, json={**request.json, **told})

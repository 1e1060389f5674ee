"""FedEx's paths: a token of the project, thirty numbers at a time, quotes, shipments and their ends."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import Field, SecretStr

from adapters.fedex import freight, mapping
from hub import contract, oauth
from hub.contract import Api, Identity, Token, json_of
from hub.model import Parcel, Raw, Reply, Request, Unsigned
from hub.parse import SAO_PAULO

TRACKING_BATCH = 30


class Credentials(contract.Credentials):
    """A project of developer.fedex.com (API key and secret key), and the account that it ships with."""

    api_key: str = Field(title="API Key")
    secret_key: SecretStr = Field(title="Secret Key")
    account: str = Field(title="Conta FedEx", description="9 dígitos", pattern=r"^\d{9}$")
    webhook_token: SecretStr | None = Field(
        default=None,
        title="Security token do webhook",
        description="O que foi digitado ao criar o webhook no portal: 26 a 100 letras e números",
    )
    endpoint: str = Field(default="https://apis.fedex.com", title="Endereço da API")

    def base_url(self) -> str:
        """The API's address; for tests it is https://apis-sandbox.fedex.com."""
        return self.endpoint.rstrip("/")


def security_token(credentials: Credentials) -> str | None:
    """What webhooks are signed with; None where none was given: every knock is refused."""
    token = credentials.webhook_token
    return token.get_secret_value() if token else None


def ask_token(credentials: Credentials, _last: Token | None) -> Request:
    """The call that answers a token, for an hour."""
    pair = {"client_id": credentials.api_key, "client_secret": credentials.secret_key.get_secret_value()}
    return Request(
        method="POST",
        path="/oauth/token",
        form=(("grant_type", "client_credentials"), *pair.items()),
        operation="token",
        repeatable=True,
        authenticate=False,
    )


def read_token(reply: Reply, now: datetime) -> Token:
    """The token with its end."""
    return oauth.token_of(reply, now, mapping.read_error)


def speak(unsigned: Unsigned) -> Request:
    """What every call bears: the token and our language; a cancellation also the account, not known to its ref."""
    request = unsigned.request
    headers = {**unsigned.shown, "x-locale": "pt_BR", **request.headers}
    if request.path != freight.CANCEL:
        return replace(request, headers=headers)
    account = {"accountNumber": {"value": unsigned.credentials.account}}
    return replace(request, headers=headers, json={**account, **(request.json or {})})


async def check(api: Api) -> Identity:
    """Who the project is: the token route says whether its keys are right."""
    credentials: Credentials = api.credentials
    read_token(await api.call(ask_token(credentials, None)), api.now())
    return Identity(external_id=credentials.account, name=f"FedEx, conta {credentials.account}")


async def fetch(api: Api, codes: Sequence[str]) -> Raw:
    """All scans of up to 30 numbers; an error of one is told within the answer."""
    if not codes:
        return {"output": {"completeTrackResults": []}}
    asked = [{"trackingNumberInfo": {"trackingNumber": code}} for code in codes]
    body = {"includeDetailedScans": True, "trackingInfo": asked}
    path = "/track/v1/trackingnumbers"
    return json_of(await api.call(Request(method="POST", path=path, json=body, operation="track", asks=True)))


async def quote(api: Api, parcel: Parcel, _services: Sequence[str]) -> list[Raw]:
    """The one answer that tells all services of a route."""
    body = freight.rate_body(parcel, api.credentials.account)
    return [json_of(await api.call(Request(method="POST", path="/rate/v1/rates/quotes", json=body, asks=True)))]


def complete(api: Api, request: Request) -> Request:
    """A purchase on this account, posted today."""
    day = api.now().astimezone(SAO_PAULO).strftime("%Y-%m-%d")
    return replace(request, json=freight.completed(request.json, api.credentials.account, day))

"""UPS's paths: a token of the application, one number at a time, a hundred numbers to be alerted of, labels."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from io import BytesIO
from typing import Annotated
from urllib.parse import quote as url_quote

from pydantic import Field, SecretStr, StringConstraints
from pypdf import PdfWriter

from adapters.ups import freight, mapping
from hub import contract, oauth, parse
from hub.calls import batches, if_there
from hub.contract import Api, Identity, Token, json_of
from hub.faults import Fault, Unreadable
from hub.model import Parcel, Posting, Purchase, Raw, Reply, Request, Unsigned
from hub.parse import SAO_PAULO
from hub.wire import Wire

WATCHED_AT_ONCE = 100
WATCHED_FOR = timedelta(days=14)
_WATCHABLE = re.compile("1Z[0-9A-Z]{16}")
_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})  # of a number: they are told of the object


class Credentials(contract.Credentials):
    """An application of developer.ups.com (Apps), and the account that it was made for."""

    client_id: str = Field(title="Client ID")
    client_secret: SecretStr = Field(title="Client Secret")
    account: Annotated[str, StringConstraints(to_upper=True)] = Field(
        title="Conta UPS", description="6 letras e números", pattern="^[0-9A-Za-z]{6}$"
    )
    endpoint: str = Field(default="https://onlinetools.ups.com", title="Endereço da API")

    def base_url(self) -> str:
        """The API's address; for tests it is https://wwwcie.ups.com."""
        return self.endpoint.rstrip("/")


def ask_token(credentials: Credentials, _last: Token | None) -> Request:
    """The call that answers a token, for some four hours."""
    headers = oauth.basic(credentials.client_id, credentials.client_secret)
    return Request(
        method="POST",
        path="/security/v1/oauth/token",
        form=(("grant_type", "client_credentials"),),
        headers={**headers, "x-merchant-id": credentials.account},
        repeatable=True,
        authenticate=False,
    )


def read_token(reply: Reply, now: datetime) -> Token:
    """The token with its end: `expires_in` counts from now, as their clock (`issued_at`) may not be ours."""
    return oauth.token_of(reply, now, mapping.read_error)


def name_request(unsigned: Unsigned) -> Request:
    """What every call must bear: the token, who calls (transactionSrc), and a name of this very call (transId)."""
    request = unsigned.request
    told = [request.method, unsigned.url, request.json, unsigned.now.isoformat()]
    names = {"transId": parse.digest(told), "transactionSrc": "balcao"}
    return replace(request, headers={**unsigned.shown, **names, **request.headers})


async def check(api: Api) -> Identity:
    """Who the application is: the token route says whether its secret is right."""
    credentials: Credentials = api.credentials
    read_token(await api.call(ask_token(credentials, None)), api.now())
    return Identity(external_id=credentials.account, name=f"UPS, conta {credentials.account}")


# ── Tracking ────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch(api: Api, codes: Sequence[str]) -> Raw:
    """All scans of the one number that a call takes."""
    (code,) = codes
    path = f"/api/track/v1/details/{url_quote(code, safe='')}"
    asked = Request(method="GET", path=path, params=(("locale", "pt_BR"),), accept=_REFUSALS)
    return json_of(await api.call(asked))


async def watch(api: Api, codes: Sequence[str], url: str, secret: str) -> list[str]:
    """Has Track Alert tell of these numbers at `url` for 14 days; those that it took. It tells no history."""
    taken: list[str] = []
    for batch in batches([code for code in codes if _WATCHABLE.fullmatch(code)], WATCHED_AT_ONCE):
        body = {
            "locale": "pt_BR",
            "countryCode": "BR",
            "trackingNumberList": list(batch),
            "destination": {"url": url, "credentialType": "Bearer", "credential": secret},
        }
        path = "/api/track/v1/subscription/standard/package"
        told = json_of(await api.call(Request(method="POST", path=path, json=body, repeatable=True)))
        taken += Wire(told, "").texts("validTrackingNumbers")
    return taken


# ── Freight ─────────────────────────────────────────────────────────────────────────────────────────────────


async def quote(api: Api, parcel: Parcel, _services: Sequence[str]) -> list[Raw]:
    """The one answer that tells all services of a route."""
    day = api.now().astimezone(SAO_PAULO).strftime("%Y%m%d")
    body = freight.rate_body(parcel, api.credentials.account, day)
    params = (("additionalinfo", "timeintransit"),)
    asked = Request(method="POST", path="/api/rating/v2409/Shop", params=params, json=body, asks=True)
    return [json_of(await api.call(asked))]


def complete(api: Api, request: Request) -> Request:
    """A purchase on this account."""
    return replace(request, json=freight.charged_to(request.json, api.credentials.account))


async def find(api: Api, posting: Posting, _since: datetime) -> Purchase | None:
    """What was bought under this reference; None where nothing was, or where it is voided."""
    told = await if_there(api.call(freight.by_reference(posting, api.credentials.account)), Fault.MISSING)
    return freight.read_recovered(json_of(told), posting) if told else None


async def ask_label(_api: Api, refs: Sequence[str]) -> str:
    """Labels need not be asked for: the receipt is the refs themselves."""
    return " ".join(refs)


async def label(api: Api, receipt: str) -> bytes | None:
    """The labels in one PDF, recovered one by one."""
    pages = [
        page
        for ref in receipt.split()
        for page in freight.label_pdfs(json_of(await api.call(freight.recovery({"TrackingNumber": ref}))))
    ]
    if not pages:
        raise Unreadable("LabelRecoveryResponse.LabelResults", "no label")
    if len(pages) == 1:
        return pages[0]
    joined, out = PdfWriter(), BytesIO()
    for page in pages:
        joined.append(BytesIO(page))
    joined.write(out)
    return out.getvalue()

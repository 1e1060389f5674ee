"""Tray's paths, paging and tokens. The token travels in the query: redaction knows its name."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import Field, SecretStr, field_validator

from adapters.tray import mapping, stock
from hub import contract, oauth, parse
from hub.calls import get, if_there, number_of
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import ChannelError, Fault
from hub.model import Listing, Raw, Reply, Request, ShipmentNews, StockWrite, Unsigned
from hub.oauth import token_told
from hub.wire import Wire

PAGE = 50
LATEST = 20
LOOK_BACK = timedelta(days=7)
SETTLES = timedelta(seconds=30)  # a second's change does not show when the order changed in that second before
REMEMBERED = 4000  # orders of the day kept in a cursor: its filter knows only dates, and each call counts


class Credentials(contract.Credentials):
    """An application's keys, and what its installation gave: the API's address and a code, or a refresh token."""

    api_address: str = Field(title="API address", examples=["https://loja.example/web_api"])
    store_id: str = Field(pattern=r"^\s*\d+\s*$", title="Store number")
    consumer_key: str
    consumer_secret: SecretStr
    code: SecretStr | None = None
    refresh_token: SecretStr | None = None

    @field_validator("api_address")
    @classmethod
    def _address(cls, typed: str) -> str:
        url = typed.strip().rstrip("/")
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ValueError("not the address of a store's API")
        return url

    def base_url(self) -> str:
        """The store's own API."""
        return self.api_address


# ── Tokens ──────────────────────────────────────────────────────────────────────────────────────────────────


def token_request(credentials: Credentials, token: Token | None) -> Request:
    """Renews with the last refresh token (30 days), else trades the code of the installation."""
    if credentials.code and not (credentials.refresh_token or (token and token.refresh)):
        return exchange(credentials, credentials.code.get_secret_value(), "", "")
    last = oauth.refresh_with(credentials.refresh_token, token, "the application must be installed in the store")
    return Request(method="GET", path="/auth", params=(("refresh_token", last),), authenticate=False)


def exchange(credentials: Credentials, code: str, _redirect_uri: str, _verifier: str) -> Request:
    """Trades the code of the installation for the first token."""
    keys = (
        ("consumer_key", credentials.consumer_key),
        ("consumer_secret", credentials.consumer_secret.get_secret_value()),
        ("code", code),
    )
    return Request(method="POST", path="/auth", form=keys, authenticate=False)


def authorize(credentials: Credentials, redirect_uri: str, state: str, _challenge: str) -> str:
    """Where the store's owner grants access."""
    home = credentials.base_url().removesuffix("/web_api")
    back = f"{redirect_uri}?{urlencode({'state': state})}"
    asked = {"response_type": "code", "consumer_key": credentials.consumer_key, "callback": back}
    return f"{home}/auth.php?{urlencode(asked)}"


def read_token(reply: Reply, now: datetime) -> Token:
    """The token of an answer; its ends are told as times of Brasília."""
    del now
    if reply.status >= HTTPStatus.BAD_REQUEST:
        fault = Fault.TRANSIENT if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Fault.AUTH
        raise ChannelError(
            fault, stock.read_error(reply) or str(reply.status), "no token was granted", status=reply.status
        )
    told = Wire(json_of(reply), "token")
    return token_told(told, told.instant("date_expiration_access_token", zone=parse.SAO_PAULO), account="store_id")


def shown(token: Token) -> dict[str, str]:
    """What `in_query` moves where it belongs."""
    return {"access_token": token.access.get_secret_value()}


def in_query(told: Unsigned) -> Request:
    """The token belongs into the query."""
    return replace(told.request, params=(*told.request.params, *told.shown.items()))


async def check(api: Api) -> Identity:
    """Prove the token on an order list; the store's number is the one typed in."""
    await get(api, "/orders", limit="1")
    ref = api.credentials.store_id.strip()
    return Identity(external_id=ref, name=urlsplit(api.credentials.base_url()).hostname or ref)


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The whole document of one order."""
    return await get(api, f"/orders/{number_of(ref)}/complete")


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Numbers of orders changed since: the filter knows only days, so each poll reads the whole day's list again and
    tells those whose time of change is new. `seen` is what the poll before found, `found` what this one did so far.
    """
    today = api.now().astimezone(parse.SAO_PAULO).date().isoformat()
    start = (api.now() - LOOK_BACK).astimezone(parse.SAO_PAULO).date().isoformat()
    told: dict[str, Any] = json.loads(cursor) if cursor else {"day": start, "seen": {}}
    page, found = told.get("page", 1), told.get("found", {})
    days = f"{told['day']},{today}" if told["day"] < today else today
    rows = await _orders(api, modified=days, sort="id_asc", limit=str(PAGE), page=str(page))
    times = {row.needed_ref("id"): row.text("modified") or "" for row in rows}
    fresh = tuple(ref for ref, at in times.items() if not at or told["seen"].get(ref) != at)
    found |= times
    if len(rows) == PAGE:
        return Page(refs=fresh, cursor=json.dumps({**told, "page": page + 1, "found": found}), more=True)
    newest = dict(sorted(found.items(), key=lambda pair: pair[1])[-REMEMBERED:])
    settled = (api.now() - SETTLES).astimezone(parse.SAO_PAULO).strftime("%Y-%m-%d %H:%M:%S")
    kept = {ref: at for ref, at in newest.items() if today <= at[:10] and at < settled}
    return Page(refs=fresh, cursor=json.dumps({"day": today, "seen": kept}))


async def latest_orders(api: Api) -> Page:
    """The orders placed last."""
    rows = await _orders(api, sort="id_desc", limit=str(LATEST))
    return Page(refs=tuple(row.needed_ref("id") for row in rows))


async def _orders(api: Api, **params: str) -> list[Wire]:
    return [row.part("Order") for row in Wire(await get(api, "/orders", **params), "").rows("Orders")]


async def statuses(api: Api, _news: ShipmentNews) -> Raw:
    """The store's own numbers of its statuses, by label."""
    told = Wire(await get(api, "/orders/statuses", limit=str(PAGE)), "")
    rows = [row.part("OrderStatus") for row in told.rows("OrderStatuses")]
    return {label.upper(): row.ref("id") for row in rows if (label := row.text("status"))}


# ── Products ────────────────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Products, those with variants beside them."""
    page = int(cursor or 1)
    rows = Wire(await get(api, "/products", limit=str(PAGE), page=str(page), sort="id_asc"), "").rows("Products")
    told = [await _with_variants(api, dict(row.raw)) for row in rows]
    more = len(rows) == PAGE
    return Page(documents=tuple(told), cursor=str(page + 1) if more else None, more=more)


async def _with_variants(api: Api, product: dict[str, Any]) -> Raw:
    p = Wire(product, "").part("Product")
    if not p.flag("has_variation"):
        return product
    found: list[Raw] = []
    while True:
        page = str(len(found) // PAGE + 1)
        told = await get(api, "/products/variants", product_id=p.needed_ref("id"), limit=str(PAGE), page=page)
        rows = Wire(told, "").rows("Variants")
        found += [dict(row.raw) for row in rows]
        if len(rows) < PAGE:
            return {**product, "Variants": found}


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product with its variants; `variant:ID` is asked for its product first."""
    if ref.startswith("variant:"):
        told = Wire(await get(api, f"/products/variants/{number_of(ref.removeprefix('variant:'))}"), "")
        ref = told.needed_ref("Variant.product_id")
    return await _with_variants(api, await get(api, f"/products/{number_of(ref)}"))


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for one that is gone."""
    return [await _one(api, write) for write in writes]


async def _one(api: Api, write: StockWrite) -> Listing | None:
    path = f"/products/variants/{write.variation_ref}" if write.variation_ref else f"/products/{write.listing_ref}"
    told = await if_there(get(api, path))
    found = mapping.listings(told) if told else []
    return next((one for one in found if one.slot_ref == write.slot_ref), None)

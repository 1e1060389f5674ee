"""TikTok's paths, paging, signatures and tokens."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import Field, SecretStr

from adapters.tiktok import listings, shipping, webhook
from hub import contract, parse
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Listing, News, Raw, Reply, Request, ShipmentNews, StockWrite, Unsigned
from hub.wire import Wire

PRODUCTION = "https://open-api.tiktokglobalshop.com"
TOKENS = "https://auth.tiktok-shops.com"
CONSENT = "https://services.tiktokshop.com/open/authorize"
ACCESS = "x-tts-access-token"
NO_SHOP = ("/authorization/", "/seller/")  # calls that belong to no shop
REGION = "BR"
PAGE, DETAILS, SKUS = 100, 20, 600
LOOK_BACK = timedelta(days=7)
OVERLAP = 300  # seconds: a clock that is further off cannot sign
LATEST = 600  # seconds back that are looked at before a write
NEWEST = 50


class Credentials(contract.Credentials):
    """An application of partner.tiktokshop.com, and the first refresh token that a seller granted it."""

    app_key: str = Field(pattern=r"^\w{1,64}$")
    app_secret: SecretStr
    refresh_token: SecretStr | None = None
    shop_id: str | None = Field(
        None, title="Loja", pattern=r"^\d*$", description="Empty: the only shop in Brazil of those authorized."
    )
    service_id: str | None = Field(None, pattern=r"^\d*$", description="Of the consent page; it is not the app_key.")
    endpoint: str = PRODUCTION

    @property
    def client_id(self) -> str:
        """Which application it is, by the name that others give it."""
        return self.app_key

    def base_url(self) -> str:
        """The host."""
        return self.endpoint.rstrip("/")

    def tokens(self) -> str:
        """The host that hands tokens out."""
        return TOKENS if self.base_url() == PRODUCTION else self.base_url()


# ── Signatures and tokens ───────────────────────────────────────────────────────────────────────────────────


def signature(secret: str, path: str, params: Mapping[str, str], content: bytes | None) -> str:
    """Lower hex HMAC-SHA256 of path, sorted parameters and body as sent, between two secrets; good for 5 minutes."""
    told = "".join(f"{key}{params[key]}" for key in sorted(params) if key not in ("sign", "access_token"))
    message = f"{secret}{path}{told}".encode() + (content or b"") + secret.encode()
    return hmac.digest(secret.encode(), message, hashlib.sha256).hex()


def sign(told: Unsigned) -> Request:
    """The request with who asks, when, for which shop, and its signature; the token stays a header."""
    path = urlsplit(told.url).path
    params = dict(told.request.params)
    params |= {"app_key": told.credentials.app_key, "timestamp": str(int(told.now.timestamp()))}
    if (cipher := told.facts.get("shop_cipher")) and not path.startswith(NO_SHOP):
        params["shop_cipher"] = str(cipher)
    params["sign"] = signature(told.credentials.app_secret.get_secret_value(), path, params, told.content)
    headers = {"Content-Type": "application/json", **told.shown, **told.request.headers}
    return replace(told.request, params=tuple(params.items()), headers=headers)


def _token_request(credentials: Credentials, verb: str, **more: str) -> Request:
    """A GET, with the secret in its query: so it is documented."""
    keys = {"app_key": credentials.app_key, "app_secret": credentials.app_secret.get_secret_value(), **more}
    path = f"{credentials.tokens()}/api/v2/token/{verb}"
    return Request(method="GET", path=path, params=tuple(keys.items()), authenticate=False, repeatable=False)


def refresh(credentials: Credentials, token: Token | None) -> Request:
    """Renews with the last refresh token that came back."""
    last = (token.refresh if token else None) or credentials.refresh_token
    if last is None:
        raise ChannelError(Fault.AUTH, "no_refresh_token", "the shop must be connected")
    secret = last.get_secret_value()
    return _token_request(credentials, "refresh", refresh_token=secret, grant_type="refresh_token")


def exchange(credentials: Credentials, code: str, _redirect_uri: str, _verifier: str) -> Request:
    """Trades the code for the first token."""
    return _token_request(credentials, "get", auth_code=code, grant_type="authorized_code")


def authorize(credentials: Credentials, _redirect_uri: str, state: str, _challenge: str) -> str:
    """Where the seller grants access; the address to come back to stands in the application.

    A grant that is widened in the Seller Center comes back without state.
    """
    if credentials.service_id:
        return f"{CONSENT}?{urlencode({'service_id': credentials.service_id, 'state': state})}"
    return f"{credentials.tokens()}/oauth/authorize?{urlencode({'app_key': credentials.app_key, 'state': state})}"


def read_token(reply: Reply, now: datetime) -> Token:
    """The token of an answer; what it calls a duration is a unix time."""
    told = Wire(json_of(reply), "token").part("data")
    access, later = told.text("access_token"), told.text("refresh_token")
    if access is None:
        raise Unreadable("token.data.access_token", "not told")
    ends = told.instant("access_token_expire_in")
    return Token(
        access=SecretStr(access),
        expires_at=ends.astimezone(now.tzinfo) if ends else None,
        refresh=SecretStr(later) if later else None,
    )


def shown(token: Token) -> dict[str, str]:
    """The header that shows a token."""
    return {ACCESS: token.access.get_secret_value()}


async def _ask(api: Api, method: str, path: str, *params: tuple[str, str], body: Raw = None) -> Wire:
    """What stands in `data`. Searches are POST."""
    request = Request(method=method, path=path, params=params, json=body, asks=method == "POST")
    told = json_of(await api.call(request))
    if not isinstance(told, dict):
        raise Unreadable("body", "not an answer of TikTok")
    return Wire(told, "").part("data")


async def check(api: Api) -> Identity:
    """Which of the shops that authorized the application this account is, and its cipher."""
    told = await _ask(api, "GET", "/authorization/202309/shops")
    wanted = api.credentials.shop_id
    shops = {row.needed_ref("id"): row for row in told.rows("shops")}
    mine = [ref for ref, row in shops.items() if (ref == wanted if wanted else row.text("region") == REGION)]
    if len(mine) != 1:
        names = ", ".join(f"{ref} ({row.text('name')}, {row.text('region')})" for ref, row in shops.items()) or "none"
        raise ChannelError(Fault.REJECTED, "which_shop", f"shop_id: authorized are {names}: name one"[:200])
    row = shops[mine[0]]
    facts = {"shop_cipher": row.text("cipher"), "region": row.text("region"), "seller_type": row.text("seller_type")}
    return Identity(external_id=mine[0], name=row.text("name") or mine[0], facts=facts)


# ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────────


async def subscribe(api: Api, url: str, _secret: str) -> list[str]:
    """Each event once, to this address; what was done."""
    told = await _ask(api, "GET", "/event/202309/webhooks")
    there = {row.text("event_type"): row.text("address") for row in told.rows("webhooks")}
    wrong = [event for event in webhook.EVENTS if there.get(event) != url]
    for event in wrong:
        await _ask(api, "PUT", "/event/202309/webhooks", body={"address": url, "event_type": event})
    return [f"{event}: {'moved' if there.get(event) else 'subscribed'}" for event in wrong]


async def unsubscribe(api: Api, url: str) -> list[str]:
    """Takes back the events that are told to this address."""
    told = await _ask(api, "GET", "/event/202309/webhooks")
    mine = [row.text("event_type") for row in told.rows("webhooks") if row.text("address") == url]
    for event in mine:
        await _ask(api, "DELETE", "/event/202309/webhooks", body={"event_type": event})
    return [f"{event}: taken back" for event in mine]


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The order's row of get order detail."""
    told = await _ask(api, "GET", "/order/202309/orders", ("ids", _number(ref)))
    row = next(iter(told.rows("orders")), None)
    if row is None:
        raise ChannelError(Fault.MISSING, "no_order", f"there is no order {ref[:40]}")
    return dict(row.raw)


def _number(ref: str) -> str:
    if not ref.isdecimal():
        raise ChannelError(Fault.MISSING, "no_number", f"TikTok numbers everything; {ref[:40]!r} is no number")
    return ref


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Whole orders, oldest change first, each page from the last one's last second: no page token, no drift.

    The cursor is `{from}` in unix seconds.
    """
    now = int(api.now().timestamp())
    start = json.loads(cursor)["from"] if cursor else now - int(LOOK_BACK.total_seconds())
    rows, token = await _search(api, {"update_time_ge": start})
    if not token:
        return Page(documents=_documents(rows), cursor=json.dumps({"from": now - OVERLAP}))
    last = rows[-1].units("update_time") if rows else None
    if last is None or last < start:
        raise Unreadable("data.orders", "not sorted by update_time")
    if last == start:  # more than a page within one second
        rows, last = await _second(api, start), start + 1
    return Page(documents=_documents(rows), cursor=json.dumps({"from": last}), more=True)


async def _search(api: Api, body: Mapping[str, int], token: str = "", **asked: str) -> tuple[list[Wire], str]:
    """A page of orders, and the token of the next one ("" at the end)."""
    how = {"page_size": str(PAGE), "sort_field": "update_time", "sort_order": "ASC", **asked}
    params = (*how.items(), *([("page_token", token)] if token else []))
    told = await _ask(api, "POST", "/order/202309/orders/search", *params, body=dict(body))
    return told.rows("orders"), told.text("next_page_token") or ""


async def _second(api: Api, at: int) -> list[Wire]:
    """All orders that changed within one second: every page, until a second reading finds nothing new."""
    found: dict[str, Wire] = {}
    window = {"update_time_ge": at, "update_time_lt": at + 1}
    while True:
        before, token = len(found), ""
        while True:
            rows, token = await _search(api, window, token)
            found |= {row.needed_ref("id"): row for row in rows}
            if not token:
                break
        if len(found) == before:
            return list(found.values())


def _documents(rows: Sequence[Wire]) -> tuple[Raw, ...]:
    return tuple(dict(row.raw) for row in rows)


async def latest_orders(api: Api) -> Page:
    """The orders made in the last minutes."""
    asked = {"page_size": str(NEWEST), "sort_field": "create_time", "sort_order": "DESC"}
    rows, _more = await _search(api, {"create_time_ge": int(api.now().timestamp()) - LATEST}, **asked)
    return Page(documents=_documents(rows))


async def orders_of_package(api: Api, ref: str) -> list[str]:
    """Refs of the orders that a parcel holds."""
    told = await _ask(api, "GET", f"/fulfillment/202309/packages/{_number(ref)}")
    return [row.needed_ref("id") for row in told.rows("orders")]


async def before_shipping(api: Api, news: ShipmentNews) -> Raw:
    """`{order, providers}`: the order, and the carriers that its way of delivery knows."""
    if news.news is not News.DISPATCHED:
        return None
    told = await fetch_order(api, news.order_ref)
    way = parse.ref(told.get("delivery_option_id"))
    if way is None or not shipping.ships_itself(told):
        return {"order": told, "providers": []}
    known = await _ask(api, "GET", f"/logistics/202309/delivery_options/{_number(way)}/shipping_providers")
    return {"order": told, "providers": [dict(row.raw) for row in known.rows("shipping_providers")]}


# ── Products and stock ──────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Products of every status, with their live numbers.

    A search tells neither what sets a product's SKUs apart nor GTINs: those of several SKUs are asked for one by one.
    """
    params = [("page_size", str(PAGE)), *([("page_token", cursor)] if cursor else [])]
    told = await _ask(api, "POST", "/product/202502/products/search", *params, body={"status": "ALL"})
    rows = told.rows("products")
    counted = await _inventory(api, "product_ids", [row.needed_ref("id") for row in rows], PAGE)
    whole = await _products(api, [row.needed_ref("id") for row in rows if len(row.rows("skus")) > 1])
    documents = [
        _document(row.needed_ref("id"), {**row.raw, **whole.get(row.needed_ref("id"), {})}, counted) for row in rows
    ]
    onward = told.text("next_page_token")
    return Page(documents=tuple(documents), cursor=onward, more=onward is not None)


def _document(ref: str, product: Raw, counted: Mapping[str, Raw]) -> Raw:
    return {"product": product, "inventory": counted.get(ref)}


async def _inventory(api: Api, key: str, refs: Sequence[str], most: int) -> dict[str, Raw]:
    """Rows of inventory/search by product; assumed: it leaves out what is not there."""
    found: dict[str, Raw] = {}
    for start in range(0, len(refs), most):
        told = await _ask(api, "POST", "/product/202309/inventory/search", body={key: list(refs[start : start + most])})
        for row in told.rows("inventory"):
            known = found.setdefault(row.needed_ref("product_id"), {**row.raw, "skus": []})
            known["skus"] = [*known["skus"], *(dict(sku.raw) for sku in row.rows("skus"))]
    return found


async def _products(api: Api, refs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Whole products, so many at a time."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(refs), DETAILS):
        some = refs[start : start + DETAILS]
        told = await asyncio.gather(*(_ask(api, "GET", f"/product/202309/products/{ref}") for ref in some))
        found |= {ref: dict(each.raw) for ref, each in zip(some, told, strict=True)}
    return found


async def fetch_listings(api: Api, refs: Sequence[str]) -> list[Raw]:
    """Several products, whole and with their live numbers."""
    counted = await _inventory(api, "product_ids", [_number(ref) for ref in refs], PAGE)
    whole = await _products(api, [ref for ref in refs if ref in counted])
    return [_document(ref, product, counted) for ref, product in whole.items()]


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product."""
    found = await fetch_listings(api, [ref])
    if not found:
        raise ChannelError(Fault.MISSING, "no_product", f"there is no product {ref[:40]}")
    return found[0]


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for a SKU that is gone."""
    skus = list(dict.fromkeys(listings.address(write)[1] for write in writes))
    counted = await _inventory(api, "sku_ids", skus, SKUS)
    rows = {sku.needed_ref("id"): sku for row in counted.values() for sku in Wire(row, "inventory").rows("skus")}
    return [listings.seen(write, rows.get(listings.address(write)[1])) for write in writes]

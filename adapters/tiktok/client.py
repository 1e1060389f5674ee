"""TikTok's paths, paging, signatures and tokens."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import Field, SecretStr

from adapters.tiktok import listings, shipping, webhook
from hub import contract
from hub.calls import batches, first, number_of
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Listing, News, Raw, Reply, Request, ShipmentNews, StockWrite, Unsigned
from hub.oauth import refresh_with, token_told
from hub.signing import hex_hmac
from hub.wire import Wire

PRODUCTION = "https://open-api.tiktokglobalshop.com"
TOKENS = "https://auth.tiktok-shops.com"
CONSENT = "https://services.tiktokshop.com/open/authorize"
ACCESS = "x-tts-access-token"
NO_SHOP = "/authorization/"  # calls that belong to no shop
PAGE, DETAILS, SKUS = 100, 20, 600
LOOK_BACK = 7 * 86_400  # seconds
OVERLAP = 300  # seconds: a clock that is further off cannot sign
LATEST = 600  # seconds back that are looked at before a write


class Credentials(contract.Credentials):
    """An application of partner.tiktokshop.com, and the first refresh token that a seller granted it."""

    app_key: str = Field(pattern=r"^\w{1,64}$")
    app_secret: SecretStr
    refresh_token: SecretStr | None = None
    shop_id: str | None = Field(None, title="Loja", pattern=r"^\d*$", description="Empty: the only one in Brazil.")
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
    return hex_hmac(secret, f"{secret}{path}{told}".encode() + (content or b"") + secret.encode())


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
    last = refresh_with(credentials.refresh_token, token, "the shop must be connected")
    return _token_request(credentials, "refresh", refresh_token=last, grant_type="refresh_token")


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


def read_token(reply: Reply, _now: datetime) -> Token:
    """The token of an answer; what it calls a duration is a unix time."""
    told = Wire(json_of(reply), "token").part("data")
    return token_told(told, told.instant("access_token_expire_in"))


def shown(token: Token) -> dict[str, str]:
    """The header that shows a token."""
    return {ACCESS: token.access.get_secret_value()}


async def _get(api: Api, path: str, **params: str) -> Wire:
    return await _ask(api, "GET", path, **params)


async def _ask(api: Api, method: str, path: str, body: Raw = None, **params: str | None) -> Wire:
    """What stands in `data`. Searches are POST; parameters of None are not asked."""
    told = tuple((key, value) for key, value in params.items() if value is not None)
    request = Request(method=method, path=path, params=told, json=body, asks=method == "POST")
    return Wire(json_of(await api.call(request)), "body").part("data")


async def check(api: Api) -> Identity:
    """Which of the shops that authorized the application this account is, and its cipher."""
    wanted, told = api.credentials.shop_id, await _get(api, "/authorization/202309/shops")
    shops = {row.needed_ref("id"): row for row in told.rows("shops")}
    mine = [ref for ref, row in shops.items() if (ref == wanted if wanted else row.text("region") == "BR")]
    if len(mine) != 1:
        names = ", ".join(f"{ref} ({row.text('name')}, {row.text('region')})" for ref, row in shops.items()) or "none"
        raise ChannelError(Fault.REJECTED, "which_shop", f"shop_id: authorized are {names}: name one"[:200])
    row = shops[mine[0]]
    facts = {"shop_cipher": row.text("cipher"), "region": row.text("region"), "seller_type": row.text("seller_type")}
    return Identity(external_id=mine[0], name=row.text("name") or mine[0], facts=facts)


# ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────────


async def _hooks(api: Api) -> dict[str | None, str | None]:
    """The address of each event."""
    told = await _get(api, "/event/202309/webhooks")
    return {row.text("event_type"): row.text("address") for row in told.rows("webhooks")}


async def subscribe(api: Api, url: str, _secret: str) -> list[str]:
    """Each event once, to this address; what was done."""
    there = await _hooks(api)
    wrong = [event for event in webhook.EVENTS if there.get(event) != url]
    for event in wrong:
        await _ask(api, "PUT", "/event/202309/webhooks", {"address": url, "event_type": event})
    return [f"{event}: {'moved' if there.get(event) else 'subscribed'}" for event in wrong]


async def unsubscribe(api: Api, url: str) -> list[str]:
    """Takes back the events that are told to this address."""
    mine = [event for event, address in (await _hooks(api)).items() if address == url]
    for event in mine:
        await _ask(api, "DELETE", "/event/202309/webhooks", {"event_type": event})
    return [f"{event}: taken back" for event in mine]


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The order's row of get order detail."""
    told = await _get(api, "/order/202309/orders", ids=number_of(ref))
    return first(told.rows("orders"), ref).raw


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Whole orders, oldest change first, each page from the last one's last second: no page token, no drift.

    The cursor is `{from}` in unix seconds.
    """
    now = int(api.now().timestamp())
    start = json.loads(cursor)["from"] if cursor else now - LOOK_BACK
    rows, more = await _search(api, {"update_time_ge": start})
    onward = now - OVERLAP
    if more:
        onward = rows[-1].count("update_time") if rows else 0
        if onward < start:
            raise Unreadable("data.orders", "not sorted by update_time")
        if onward == start:  # more than a page within one second
            rows, onward = await _second(api, start), start + 1
    return Page(documents=tuple(row.raw for row in rows), cursor=json.dumps({"from": onward}), more=bool(more))


async def _search(api: Api, body: Raw, token: str | None = None, **asked: str) -> tuple[list[Wire], str | None]:
    """A page of orders, and the token of the next one."""
    how = {"page_size": str(PAGE), "sort_field": "update_time", "sort_order": "ASC", "page_token": token, **asked}
    told = await _ask(api, "POST", "/order/202309/orders/search", body, **how)
    return told.rows("orders"), told.text("next_page_token")


async def _second(api: Api, at: int) -> list[Wire]:
    """All orders that changed within one second: every page, until a second reading finds nothing new."""
    found: dict[str, Wire] = {}
    token, before = None, -1
    while token or len(found) > before:
        before = before if token else len(found)
        rows, token = await _search(api, {"update_time_ge": at, "update_time_lt": at + 1}, token)
        found |= {row.needed_ref("id"): row for row in rows}
    return list(found.values())


async def latest_orders(api: Api) -> Page:
    """The orders made in the last minutes."""
    made = {"create_time_ge": int(api.now().timestamp()) - LATEST}
    rows, _more = await _search(api, made, sort_field="create_time", sort_order="DESC")
    return Page(documents=tuple(row.raw for row in rows))


async def orders_of_package(api: Api, ref: str) -> list[str]:
    """Refs of the orders that a parcel holds."""
    told = await _get(api, f"/fulfillment/202309/packages/{number_of(ref)}")
    return [row.needed_ref("id") for row in told.rows("orders")]


async def before_shipping(api: Api, news: ShipmentNews) -> Raw:
    """`{order, providers}`: the order, and the carriers that its way of delivery knows."""
    if news.news is not News.DISPATCHED:
        return None
    order = Wire(await fetch_order(api, news.order_ref), "order")
    way, providers = order.ref("delivery_option_id"), []
    if way and shipping.ships_itself(order):
        known = await _get(api, f"/logistics/202309/delivery_options/{number_of(way)}/shipping_providers")
        providers = [row.raw for row in known.rows("shipping_providers")]
    return {"order": order.raw, "providers": providers}


# ── Products and stock ──────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Products of every status, with their live numbers.

    A search tells neither what sets a product's SKUs apart nor GTINs: those of several SKUs are asked for one by one.
    """
    path, asked = "/product/202502/products/search", {"status": "ALL"}
    told = await _ask(api, "POST", path, asked, page_size=str(PAGE), page_token=cursor)
    rows = {row.needed_ref("id"): row for row in told.rows("products")}
    counted = await _inventory(api, "product_ids", list(rows), PAGE)
    whole = await _products(api, [ref for ref, row in rows.items() if len(row.rows("skus")) > 1])
    documents = [
        {"product": {**row.raw, **whole.get(ref, {})}, "inventory": counted.get(ref)} for ref, row in rows.items()
    ]
    onward = told.text("next_page_token")
    return Page(documents=tuple(documents), cursor=onward, more=onward is not None)


async def _inventory(api: Api, key: str, refs: Sequence[str], most: int) -> dict[str, Raw]:
    """Rows of inventory/search by product; assumed: it leaves out what is not there."""
    found: dict[str, Raw] = {}
    for some in batches(refs, most):
        told = await _ask(api, "POST", "/product/202309/inventory/search", {key: list(some)})
        for row in told.rows("inventory"):
            known = found.setdefault(row.needed_ref("product_id"), {**row.raw, "skus": []})
            known["skus"] += [sku.raw for sku in row.rows("skus")]
    return found


async def _products(api: Api, refs: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Whole products, so many at a time."""
    found: dict[str, Mapping[str, Any]] = {}
    for some in batches(refs, DETAILS):
        told = await asyncio.gather(*(_get(api, f"/product/202309/products/{ref}") for ref in some))
        found |= {ref: each.raw for ref, each in zip(some, told, strict=True)}
    return found


async def fetch_listings(api: Api, refs: Sequence[str]) -> list[Raw]:
    """Several products, whole and with their live numbers."""
    counted = await _inventory(api, "product_ids", [number_of(ref) for ref in refs], PAGE)
    whole = await _products(api, [ref for ref in refs if ref in counted])
    return [{"product": product, "inventory": counted[ref]} for ref, product in whole.items()]


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product."""
    return first(await fetch_listings(api, [ref]), ref)


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for a SKU that is gone."""
    skus = [listings.address(write)[1] for write in writes]
    counted = await _inventory(api, "sku_ids", list(dict.fromkeys(skus)), SKUS)
    rows = {sku.needed_ref("id"): sku for row in counted.values() for sku in Wire(row, "inventory").rows("skus")}
    return [listings.seen(write, rows[sku]) if sku in rows else None for write, sku in zip(writes, skus, strict=True)]

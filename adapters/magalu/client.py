"""Magalu's paths, paging and tokens."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import Field, SecretStr

from adapters.magalu import mapping, stock, webhook
from hub import oauth
from hub.calls import get, if_there
from hub.contract import Api, Identity, Page, Token
from hub.faults import Unreadable
from hub.model import Listing, Raw, Request, StockWrite, Unsigned
from hub.wire import Wire

PRODUCTION, TRIALS = "https://api.magalu.com", "https://api-sandbox.magalu.com"
HOME = "https://id.magalu.com"  # consent and tokens
ORDERS, SKUS = "/seller/v1/orders", "/seller/v1/portfolios/skus"
PAGE, SKU_PAGE = 100, 50  # each SKU costs a call of its own for its stock
LOOK_BACK, OVERLAP = timedelta(days=7), timedelta(seconds=60)
SCOPES = " ".join(
    f"open:{name}"
    for name in (
        "order-order-seller:read", "order-delivery-seller:read", "order-delivery-seller:write", "portfolio:read",
        "order-invoice-seller:read", "portfolio-skus-seller:read", "portfolio-stocks-seller:read",
        "portfolio-stocks-seller:write",
    )
)  # fmt: skip


class Credentials(oauth.Application):
    """An application of ID Magalu; who consents must be an administrator of the company."""

    webhook_secret: SecretStr | None = Field(
        None, title="Segredo do webhook", description="whsec_…: shown once, in the answer to PUT /v1/onboarding/signup."
    )
    channel_id: str | None = Field(None, title="Canal", description="Empty: the one that Magalu tells of the account.")
    endpoint: str = PRODUCTION

    def base_url(self) -> str:
        """The API's root."""
        return self.endpoint.rstrip("/")

    def home(self) -> str:
        """Where consent is given and tokens are handed out."""
        return HOME if self.base_url() in (PRODUCTION, TRIALS) else self.base_url()

    def hook_secret(self) -> str | None:
        """What the seller was shown when the webhook was registered."""
        return self.webhook_secret.get_secret_value().strip() if self.webhook_secret else None


def refresh(credentials: Credentials, token: Token | None) -> Request:
    """Renews with the last refresh token, as a form; it rotates."""
    return credentials.renew(f"{credentials.home()}/oauth/token", token)


def exchange(credentials: Credentials, code: str, redirect_uri: str, _verifier: str) -> Request:
    """Trades the code, which lives for ten minutes, for the first token; as JSON, unlike the renewal."""
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    asked = credentials.ask(f"{credentials.home()}/oauth/token", **grant)
    return replace(asked, form=(), json=dict(asked.form))


def authorize(credentials: Credentials, redirect_uri: str, state: str, _challenge: str) -> str:
    """Where the company's administrator grants access; without choose_tenants only the person would."""
    asked = {"client_id": credentials.client_id, "redirect_uri": redirect_uri, "scope": SCOPES, "state": state}
    return f"{credentials.home()}/login?{urlencode(asked)}&response_type=code&choose_tenants=true"


def for_channel(told: Unsigned) -> Request:
    """The token, and whose shop in which channel it is: pages and specification differ on what demands which."""
    named = {"X-Channel-Id": _channel(told), **({"X-Tenant-Id": told.external_id} if told.external_id else {})}
    return replace(told.request, headers={**told.request.headers, **told.shown, **named})


def _channel(whose: Api | Unsigned) -> str:
    return str(whose.credentials.channel_id or whose.facts.get("channel") or mapping.CHANNEL)


async def _rows(api: Api, path: str, operation: str, limit: int, **params: str) -> tuple[list[dict[str, Any]], bool]:
    """Rows of a page, and whether it is full: the API may show fewer at once than it was asked for."""
    told = Wire(await get(api, path, operation, _limit=str(limit), **params), "body")
    found = [dict(row.raw) for row in told.rows("results")]
    shown = told.units("meta.page.limit") or limit
    return found, bool(found) and len(found) >= min(shown, limit)


async def check(api: Api) -> Identity:
    """Whose shop it is, and in which channel; that orders may be read is tried, for it is a scope of its own."""
    me = Wire(await get(api, "/seller/v1/portfolios/me", "products"), "me")
    ref = webhook.tenant(me.ref("tenant.id") or me.ref("seller.id"))
    if ref is None:
        raise Unreadable("me.tenant.id", "not told")
    await _rows(api, ORDERS, "orders", 1)
    return Identity(external_id=ref, name=me.text("seller.name") or ref, facts={"channel": me.text("channel.id")})


async def fetch_order(api: Api, ref: str) -> Raw:
    """The order with its deliveries, by its id or its code."""
    return await get(api, f"{ORDERS}/{quote(ref, safe='')}", "orders")


async def orders_of_delivery(api: Api, ref: str) -> list[str]:
    """The order that a delivery is a part of: the delivery tells only a code."""
    code = mapping.order_code(await get(api, f"/seller/v1/deliveries/{quote(ref, safe='')}", "deliveries"))
    if code is None:
        raise Unreadable("delivery.code", "no code of an order and a place in it")
    return [Wire(await fetch_order(api, code), "order").needed_ref("id")]


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Orders changed since, whole, by the time of purchase, which is all that they can be sorted by.

    A page begins at the purchase where the last one ended: an `_offset` beyond 5000 is refused. What changes behind
    that while pages are read is found by the next poll, which looks back to when this one began.
    """
    told = json.loads(cursor) if cursor else {}
    since, began = told.get("since") or stock.clock(api.now() - LOOK_BACK), told.get("began") or stock.clock(api.now())
    after, skip = {"purchased_at__gte": told["after"]} if told.get("after") else {}, told.get("skip", 0)
    window = {"updated_at__gte": since, **after, "_sort": "purchased_at:asc", "_offset": str(skip)}
    rows, full = await _rows(api, ORDERS, "orders", PAGE, **window)
    if not full:
        rest = {"since": stock.clock(datetime.fromisoformat(began) - OVERLAP)}
        return Page(documents=tuple(rows), cursor=json.dumps(rest))
    first, last = (Wire(rows[at], f"results.{at}").text("purchased_at") for at in (0, -1))
    onward = {"after": told.get("after"), "skip": skip + len(rows)} if first == last else {"after": last}
    return Page(documents=tuple(rows), cursor=json.dumps({"since": since, "began": began, **onward}), more=True)


async def latest_orders(api: Api) -> Page:
    """The orders placed last, whole."""
    rows, _full = await _rows(api, ORDERS, "orders", 20, _sort="purchased_at:desc")
    return Page(documents=tuple(rows))


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """SKUs, each with its stock. Prices would cost one more call for each, and are not asked."""
    offset = int(cursor or 0)
    rows, full = await _rows(api, SKUS, "products", SKU_PAGE, _offset=str(offset), _sort="created_at:asc")
    boxed = await asyncio.gather(*(_boxed(api, row) for row in rows))
    return Page(documents=tuple(boxed), cursor=str(offset + len(rows)) if full else None, more=full)


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One SKU with its stock."""
    return await _boxed(api, await get(api, f"{SKUS}/{quote(ref, safe='')}", "products"))


async def _boxed(api: Api, sku: Raw) -> Raw:
    stocks = await _stocks(api, Wire(sku, "sku").needed_ref("sku"))
    return {"sku": sku, "stocks": {"results": []} if stocks is None else stocks, "channel": _channel(api)}


async def _stocks(api: Api, sku: str) -> Raw:
    return await if_there(get(api, stock.PATH + quote(sku, safe=""), "stocks"))


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for one that is gone."""
    found = await asyncio.gather(*(_stocks(api, write.slot_ref) for write in writes))
    return [_seen(api, write, stocks) for write, stocks in zip(writes, found, strict=True)]


def _seen(api: Api, write: StockWrite, stocks: Raw) -> Listing | None:
    place = write.location_ref or _channel(api)
    return None if stocks is None else mapping.listing(Wire(None, "sku"), write.slot_ref, place, stocks)

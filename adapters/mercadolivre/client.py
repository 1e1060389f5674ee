"""Mercado Livre's paths, paging and tokens."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import BaseModel, Field, SecretStr, ValidationError

from adapters.mercadolivre import listings, mapping, webhook
from hub import contract, parse
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Listing, Notice, Raw, Reply, Request, StockWrite, Topic

SITE = "MLB"
PRODUCTION = "https://api.mercadolibre.com"
AUTHORIZE = "https://auth.mercadolivre.com.br/authorization"
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(hours=1)  # the search's date filters honour only the hour
PAGE, SCAN, MULTIGET, MISSED = 50, 100, 20, 50
REMEMBERED = 4000  # orders kept in a cursor, so that an unchanged one is not fetched at every poll
REFUSED = {400: Fault.AUTH, 401: Fault.AUTH, 403: Fault.AUTH, 429: Fault.THROTTLED}  # of token requests
LAG = frozenset({404})  # shipments and billing data may come after the order


class Credentials(contract.Credentials):
    """An application of developers.mercadolivre.com.br and the seller's first refresh token."""

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr | None = None
    endpoint: str = PRODUCTION

    def base_url(self) -> str:
        """The API's root."""
        return self.endpoint.rstrip("/")


# ── Tokens ──────────────────────────────────────────────────────────────────────────────────────────────────


def _token_request(credentials: Credentials, form: Mapping[str, str]) -> Request:
    app = {
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret.get_secret_value(),
    }
    pairs = (*form.items(), *app.items())
    return Request(method="POST", path="/oauth/token", form=pairs, authenticate=False)


def refresh(credentials: Credentials, token: Token | None) -> Request:
    """Renews with the last refresh token (single use, 6 months), first with the one of the credentials."""
    last = (token.refresh if token else None) or credentials.refresh_token
    if last is None:
        raise ChannelError(Fault.AUTH, "no_refresh_token", "the account must be connected (scope offline_access)")
    form = {"grant_type": "refresh_token", "refresh_token": last.get_secret_value()}
    return _token_request(credentials, form)


def exchange(credentials: Credentials, code: str, redirect_uri: str, verifier: str) -> Request:
    """Trades the code (valid for 10 minutes) for the first token."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    return _token_request(credentials, form)


def authorize(credentials: Credentials, redirect_uri: str, state: str, challenge: str) -> str:
    """Where the seller's administrator grants access."""
    page = AUTHORIZE if credentials.base_url() == PRODUCTION else f"{credentials.base_url()}/authorization"
    asked = {
        "response_type": "code",
        "client_id": credentials.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{page}?{urlencode(asked)}"


class _Token(BaseModel):
    access_token: SecretStr
    expires_in: float = Field(ge=0, le=10**8)
    user_id: int | str | None = None
    refresh_token: SecretStr | None = None


def read_token(reply: Reply, now: datetime) -> Token:
    """The token of an answer; a refusal (invalid_grant: used already, or revoked) is AUTH."""
    if reply.status >= HTTPStatus.BAD_REQUEST:
        code = listings.read_error(reply) or str(reply.status)
        fault = REFUSED.get(reply.status, Fault.TRANSIENT)
        raise ChannelError(fault, code, "no token was granted", status=reply.status)
    told = parse.wire(_Token, json_of(reply))
    lifetime = timedelta(seconds=told.expires_in)
    account = parse.ref(told.user_id)
    return Token(access=told.access_token, expires_at=now + lifetime, refresh=told.refresh_token, account_ref=account)


def bearer(token: Token) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token.access.get_secret_value()}"}


class _User(BaseModel):
    id: int
    nickname: str = ""
    site_id: str
    tags: list[str] = []


async def check(api: Api) -> Identity:
    """Who the token belongs to; sellers of other sites are refused."""
    told = parse.wire(_User, await _get(api, "/users/me"), "user")
    if told.site_id != SITE:
        raise ChannelError(Fault.REJECTED, "other_site", f"this account sells on {told.site_id}, not on {SITE}")
    facts = {
        "user_id": told.id,
        "nickname": told.nickname,
        "site_id": told.site_id,
        "warehouse_management": "warehouse_management" in told.tags,  # stock by location
    }
    return Identity(external_id=str(told.id), name=told.nickname or str(told.id), facts=facts)


async def _get(api: Api, path: str, **params: str) -> Raw:
    return json_of(await api.call(Request(method="GET", path=path, params=tuple(params.items()))))


def _part(ref: object) -> str:
    return quote(str(ref), safe="")


def _seller(api: Api) -> str:
    return _part(api.external_id or api.facts.get("user_id") or "me")


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """`{order, shipment, billing_info, sla}`; all but the order are null while they are not there."""
    return await refetch_order(api, ref, frozenset())


async def refetch_order(api: Api, ref: str, have: frozenset[str]) -> Raw:
    """The same; who to invoice is left out where we have it, for it does not change."""
    reply = await api.call(Request(method="GET", path=f"/orders/{_part(ref)}"))
    if reply.status == HTTPStatus.PARTIAL_CONTENT:
        missing = reply.headers.get("x-content-missing", "some of it")
        raise ChannelError(Fault.TRANSIENT, "partial_content", f"order {ref} came without {missing}", status=206)
    order = json_of(reply)
    asked = _nothing() if "billing" in have else _billing(api, order)
    shipment, billing = await asyncio.gather(_shipment(api, order), asked)
    return {"order": order, "shipment": shipment, "billing_info": billing, "sla": await _sla(api, shipment)}


async def _nothing() -> Raw:
    return None


def _within(raw: Raw, *keys: str) -> Raw:
    for key in keys:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw


async def _shipment(api: Api, order: Raw) -> Raw:
    ref = parse.ref(_within(order, "shipping", "id"))
    if ref is None:
        return None
    path, headers = f"/shipments/{_part(ref)}", {"x-format-new": "true"}
    reply = await api.call(Request(method="GET", path=path, headers=headers, accept=LAG))
    return json_of(reply) if reply.status == HTTPStatus.OK else None


async def _billing(api: Api, order: Raw) -> Raw:
    """Who to invoice; whatever goes wrong here never holds the order back."""
    ref = parse.ref(_within(order, "buyer", "billing_info", "id"))
    if ref is None:
        return None
    path = f"/orders/billing-info/{SITE}/{_part(ref)}"
    return await _if_told(api, Request(method="GET", path=path, accept=LAG))


async def _sla(api: Api, shipment: Raw) -> Raw:
    """Until when the seller must dispatch: not told for Full, nor of use once the parcel has left."""
    waiting = _within(shipment, "status") in ("pending", "handling", "ready_to_ship")
    logistic = _within(shipment, "logistic")
    if not waiting or _within(logistic, "mode") != "me2" or _within(logistic, "type") == "fulfillment":
        return None
    path = f"/shipments/{_part(_within(shipment, 'id'))}/sla"
    return await _if_told(api, Request(method="GET", path=path, accept=LAG))


async def _if_told(api: Api, request: Request) -> Raw:
    try:
        reply = await api.call(request)
        return json_of(reply) if reply.status == HTTPStatus.OK else None
    except ChannelError:
        return None


async def orders_of_shipment(api: Api, ref: str) -> list[str]:
    """Ids of all orders in a shipment: one, or those of a pack."""
    headers = {"X-New-Domain": "true"}
    reply = await api.call(Request(method="GET", path=f"/shipments/{_part(ref)}/orders", headers=headers))
    if reply.status == HTTPStatus.NO_CONTENT:
        return []
    rows = json_of(reply)
    if not isinstance(rows, list):
        raise Unreadable("shipment.orders", "not a list of orders")
    told = (row.get("id") or row.get("order_id") if isinstance(row, dict) else row for row in rows)
    return list(dict.fromkeys(mapping.id_of(ref, "shipment.orders.id") for ref in told))


class _Paging(BaseModel):
    total: int | None = None


class _Found(BaseModel):
    id: int | str
    changed: str | None = mapping.told_at("last_updated", "date_last_updated")


class _Search(BaseModel):
    results: list[_Found]
    paging: _Paging = _Paging()


class Cursor(BaseModel):
    """Where a poll stands.

    A poll is two passes over what changed `since` then: first all orders but the cancelled, then those, for a
    seller's search leaves them out. `anchor` is the last order of the page before: the next page starts
    with it, so that an order leaving the results is noticed. `seen` are the changes already told.
    """

    since: datetime
    top: datetime
    cancelled: bool = False
    offset: int = Field(default=0, ge=0)
    anchor: str | None = None
    seen: dict[str, int] = {}

    def turned(self) -> "Cursor":
        """The next pass, or the next poll."""
        if not self.cancelled:
            return self.model_copy(update={"cancelled": True, "offset": 0, "anchor": None})
        start = (self.top - OVERLAP).replace(minute=0, second=0, microsecond=0)
        return Cursor(since=self.top, top=self.top, seen=_newest(self.seen, _ms(start)))


def _cursor(api: Api, told: str | None) -> Cursor:
    if told is None:
        start = api.now() - LOOK_BACK
        return Cursor(since=start, top=start)
    try:
        return Cursor.model_validate_json(told)
    except ValidationError:
        raise Unreadable("cursor", "not a cursor of this channel") from None


def _newest(seen: Mapping[str, int], start: int = 0) -> dict[str, int]:
    kept = sorted((at, ref) for ref, at in seen.items() if at >= start)[-REMEMBERED:]
    return {ref: at for at, ref in kept}


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Refs of orders that changed, each change told once."""
    at = _cursor(api, cursor)
    found = await _search(api, at)
    refs = [mapping.id_of(row.id, "results.id") for row in found.results]
    if at.anchor and at.anchor not in refs:
        back = at.model_copy(update={"offset": max(0, at.offset - PAGE + 1)})
        if back.offset == 0:
            back.anchor = None
        return Page(cursor=back.model_dump_json(), more=True)
    fresh = []
    for ref, row in zip(refs, found.results, strict=True):
        changed = parse.instant(row.changed, "results.last_updated", zone=mapping.MANAUS)
        if changed is None or at.seen.get(ref) != _ms(changed):
            fresh.append(ref)
        if changed is not None:
            at.seen[ref], at.top = _ms(changed), max(at.top, changed)
    last = at.offset + len(refs) >= found.paging.total if found.paging.total is not None else len(refs) < PAGE
    if last or len(refs) < 2:  # noqa: PLR2004 - a page that holds nothing beyond its anchor is the last
        after, more = at.turned(), not at.cancelled
    else:
        onward = {"offset": at.offset + len(refs) - 1, "anchor": refs[-1], "seen": _newest(at.seen)}
        after, more = at.model_copy(update=onward), True
    return Page(refs=tuple(fresh), cursor=after.model_dump_json(), more=more)


async def _search(api: Api, at: Cursor) -> _Search:
    start = (at.since - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.000-00:00")
    params = {
        "seller": _seller(api),
        "order.date_last_updated.from": start,
        "sort": "date_asc",
        "offset": str(at.offset),
        "limit": str(PAGE),
    }
    if at.cancelled:
        params["order.status"] = "cancelled"
    return parse.wire(_Search, await _get(api, "/orders/search", **params), "search")


async def latest_orders(api: Api) -> Page:
    """Refs of the orders placed last, newest first, in one request; cancelled ones are left out there."""
    params = {"seller": _seller(api), "sort": "date_desc", "offset": "0", "limit": str(PAGE)}
    found = parse.wire(_Search, await _get(api, "/orders/search", **params), "search")
    return Page(refs=tuple(mapping.id_of(row.id, "results.id") for row in found.results))


# ── Listings and stock ──────────────────────────────────────────────────────────────────────────────────────


class _Scan(BaseModel):
    results: list[str] = []
    scroll_id: str | None = None


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Up to 100 items, with stock where the seller keeps it by location. A scan's id lives 5 minutes."""
    params = {"search_type": "scan", "limit": str(SCAN)} | ({"scroll_id": cursor} if cursor else {})
    told = parse.wire(_Scan, await _get(api, f"/users/{_seller(api)}/items/search", **params), "scan")
    documents = [await _with_stock(api, item) for item in (await _items(api, told.results)).values()]
    more = bool(told.scroll_id and told.results)
    return Page(documents=tuple(documents), cursor=told.scroll_id if more else None, more=more)


async def _items(api: Api, refs: Sequence[str]) -> dict[str, Raw]:
    """Items by id, those that are gone left out. Read as their owner: others are told rounded quantities."""
    batches = [refs[at : at + MULTIGET] for at in range(0, len(refs), MULTIGET)]
    found: dict[str, Raw] = {}
    for batch in batches:
        for entry in await _multiget(api, batch):
            code, item = _within(entry, "code") or _within(entry, "status_code"), _within(entry, "body")
            if code == HTTPStatus.OK and isinstance(item, dict):
                found[str(item.get("id"))] = item
            elif code not in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
                raise ChannelError(Fault.TRANSIENT, f"multiget_{code}", "an item of a multiget was not answered")
    return found


async def _multiget(api: Api, refs: Sequence[str]) -> list[Raw]:
    params = (("ids", ",".join(refs)), ("include_attributes", "all"))  # all: the variations' SELLER_SKU too
    reply = await api.call(Request(method="GET", path="/items", params=params, accept=frozenset({404, 410})))
    if reply.status != HTTPStatus.OK:  # it is being replaced by /items/bulk
        reply = await api.call(Request(method="GET", path="/items/bulk", params=params))
    rows = json_of(reply)
    if not isinstance(rows, list):
        raise Unreadable("items", "a multiget answers a list")
    return rows


async def fetch_listing(api: Api, ref: str) -> Raw:
    """An item, or `{item, stock}` where the seller keeps stock by location."""
    return await _with_stock(api, await _get(api, f"/items/{_part(ref)}", include_attributes="all"))


async def fetch_listings(api: Api, refs: Sequence[str]) -> list[Raw]:
    """Up to MULTIGET listings in one request; those that are gone are left out."""
    return [await _with_stock(api, item) for item in (await _items(api, refs)).values()]


async def _with_stock(api: Api, item: Raw) -> Raw:
    if not api.facts.get("warehouse_management"):
        return item
    sold = _within(item, "variations") or [item]
    products = [parse.text(_within(one, "user_product_id")) for one in sold]
    stocks = [await _stock(api, product) for product in dict.fromkeys(products) if product]
    return {"item": item, "stock": [stock for stock in stocks if stock]}


async def _stock(api: Api, product: str) -> Raw:
    request = Request(
        method="GET",
        path=f"/user-products/{_part(product)}/stock",
        operation="user_product_stock",
        accept=LAG,
    )
    reply = await api.call(request)
    if reply.status != HTTPStatus.OK:
        return None
    stock = json_of(reply)
    version = reply.headers.get("x-version")
    return {**stock, "id": product, "version": version} if isinstance(stock, dict) else None


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """Live values of the slots, with the version that a write of a location must show."""
    items = await _items(api, list(dict.fromkeys(write.listing_ref for write in writes)))
    products = dict.fromkeys(write.slot_ref for write in writes if write.location_ref)
    stocks = {product: await _stock(api, product) for product in products}
    return [_slot(write, items.get(write.listing_ref), stocks.get(write.slot_ref)) for write in writes]


def _slot(write: StockWrite, item: Raw, stock: Raw) -> Listing | None:
    if item is None:
        return None
    told = listings.listings({"item": item, "stock": stock})
    mine = [listing for listing in told if listing.variation_ref == write.variation_ref]
    here = next((listing for listing in mine if listing.location_ref == write.location_ref), None)
    if here or not mine or stock is None:
        return here
    # A location that holds nothing may be left out of the answer.
    empty = {"location_ref": write.location_ref, "quantity": 0, "stock_quantity": 0}
    return mine[0].model_copy(update=empty | {"version": parse.text(stock["version"])})


# ── Missed notifications ────────────────────────────────────────────────────────────────────────────────────


async def missed(api: Api, cursor: str | None) -> tuple[list[Notice], str | None]:
    """What was given up after 8 attempts; kept for 2 days, told for all accounts of the application."""
    offset = int(cursor) if cursor and cursor.isdigit() else 0
    app = api.credentials.client_id
    told = await _get(api, "/missed_feeds", app_id=app, offset=str(offset), limit=str(MISSED))
    rows = _within(told, "messages") or []
    if not isinstance(rows, list):
        raise Unreadable("messages", "not a list of notifications")
    return list(_notices(rows)), str(offset + len(rows)) if len(rows) >= MISSED else None


def _notices(rows: Iterable[Raw]) -> Iterable[Notice]:
    """The original body is embedded; the row around it counts the attempts and may spell ids otherwise."""
    for row in rows:
        body: Any = _within(row, "request", "data")
        try:
            yield webhook.notice(json.loads(body) if isinstance(body, str) else row)
        except (ValueError, Unreadable):  # kept and shown; the other rows count all the same
            yield Notice(topic=Topic.UNKNOWN, dedupe_key=f"missed:{parse.digest(row)}", raw=row)

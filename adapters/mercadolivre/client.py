"""Mercado Livre's paths, paging and tokens."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from adapters.mercadolivre import mapping, stock, webhook
from hub import oauth, parse
from hub.calls import batches, get, get_bytes, get_if_there, if_there, within
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Listing, Notice, Raw, Reply, Request, StockWrite, Topic
from hub.paging import cursor_of
from hub.wire import Wire, listed, needed_list, rows

SITE = "MLB"
PRODUCTION = "https://api.mercadolibre.com"
AUTHORIZE = "https://auth.mercadolivre.com.br/authorization"
TOKEN = "/oauth/token"  # noqa: S105 - a path
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(hours=1)  # the search's date filters honour only the hour
PAGE, SCAN, MULTIGET, MISSED = 50, 100, 20, 50
FORMAT = {"x-format-new": "true"}  # mandatory where a shipment is asked for


class Credentials(oauth.Application):
    """An application of developers.mercadolivre.com.br and the seller's first refresh token."""

    endpoint: str = PRODUCTION

    def base_url(self) -> str:
        """The API's root."""
        return self.endpoint.rstrip("/")


def refresh(credentials: Credentials, token: Token | None) -> Request:
    """With the last refresh token (single use, 6 months)."""
    return credentials.renew(TOKEN, token, "the account must be connected (scope offline_access)")


def exchange(credentials: Credentials, code: str, redirect_uri: str, verifier: str) -> Request:
    """The code is valid for 10 minutes."""
    return credentials.trade(TOKEN, code, redirect_uri, verifier)


def authorize(credentials: Credentials, redirect_uri: str, state: str, challenge: str) -> str:
    """Where the seller's administrator grants access."""
    page = AUTHORIZE if credentials.base_url() == PRODUCTION else f"{credentials.base_url()}/authorization"
    return oauth.consent(page, credentials.client_id, redirect_uri, state, challenge)


def read_token(reply: Reply, now: datetime) -> Token:
    """The token of an answer; a refusal (invalid_grant: used already, or revoked) is AUTH."""
    return oauth.token_of(reply, now, stock.read_error, account="user_id")


async def check(api: Api) -> Identity:
    """Who the token belongs to; sellers of other sites are refused."""
    told = Wire(await get(api, "/users/me"), "user")
    ref, name, site = told.needed_ref("id"), told.text("nickname"), told.text("site_id")
    if site != SITE:
        raise ChannelError(Fault.REJECTED, "other_site", f"this account sells on {site}, not on {SITE}")
    by_location = "warehouse_management" in told.texts("tags")  # stock
    facts = {"user_id": told.units("id"), "nickname": name or "", "site_id": site, "warehouse_management": by_location}
    return Identity(external_id=ref, name=name or ref, facts=facts)


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
    shipment, billing = await asyncio.gather(_shipment(api, order), _billing(api, None if "billing" in have else order))
    return {"order": order, "shipment": shipment, "billing_info": billing, "sla": await _sla(api, shipment)}


async def _shipment(api: Api, order: Raw) -> Raw:
    """It may come after the order."""
    ref = parse.ref(within(order, "shipping", "id"))
    return await _told(api, f"/shipments/{_part(ref)}", FORMAT) if ref else None


async def _billing(api: Api, order: Raw) -> Raw:
    """Who to invoice; whatever goes wrong here does not hold the order back, nor with its deadline."""
    ref = parse.ref(within(order, "buyer", "billing_info", "id"))
    return await if_there(_told(api, f"/orders/billing-info/{SITE}/{_part(ref)}"), *Fault) if ref else None


async def _sla(api: Api, shipment: Raw) -> Raw:
    """Until when the seller must dispatch: not told for Full, nor of use once the parcel has left."""
    waiting = within(shipment, "status") in ("pending", "handling", "ready_to_ship")
    own = within(shipment, "logistic", "mode") == "me2" and within(shipment, "logistic", "type") != "fulfillment"
    path = f"/shipments/{_part(within(shipment, 'id'))}/sla"
    return await if_there(_told(api, path), *Fault) if waiting and own else None


async def _told(api: Api, path: str, headers: Mapping[str, str] | None = None) -> Raw:
    reply = await get_if_there(api, path, headers)
    return json_of(reply) if reply else None


async def orders_of_shipment(api: Api, ref: str) -> list[str]:
    """Ids of all orders in a shipment: one, or those of a pack; none where it has none (204)."""
    path, headers = f"/shipments/{_part(ref)}/orders", {"X-New-Domain": "true"}
    reply = await api.call(Request(method="GET", path=path, headers=headers))
    told = [] if reply.status == HTTPStatus.NO_CONTENT else needed_list(json_of(reply), "shipment.orders")
    return list(dict.fromkeys(row.ref("id") or row.needed_ref("order_id") for row in rows(told, "shipment.orders")))


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Changed orders in two passes: all but the cancelled, then those, for a seller's search leaves them out."""
    at = cursor_of(cursor, api.now() - LOOK_BACK)
    start = (at.since - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.000-00:00")
    params = {"order.date_last_updated.from": start, "sort": "date_asc", "offset": str(at.offset)}
    found = await _search(api, **params, **({"order.status": "cancelled"} if at.turn else {}))
    told = [
        (row.needed_ref("id"), row.instant("last_updated", "date_last_updated", zone=mapping.MANAUS))
        for row in found.needed_rows("results")
    ]
    return at.page(told, found.units("paging.total"), PAGE, turns=2, reach=2 * OVERLAP)


async def latest_orders(api: Api) -> Page:
    """Refs of the orders placed last, newest first, in one request; cancelled ones are left out there."""
    found = await _search(api, sort="date_desc", offset="0")
    return Page(refs=tuple(row.needed_ref("id") for row in found.needed_rows("results")))


async def _search(api: Api, **params: str) -> Wire:
    return Wire(await get(api, "/orders/search", seller=_seller(api), limit=str(PAGE), **params), "search")


# ── Labels of Mercado Envios ────────────────────────────────────────────────────────────────────────────────


async def fetch_shipment(api: Api, ref: str) -> Raw:
    """A shipment as it stands."""
    return json_of(await api.call(Request(method="GET", path=f"/shipments/{_part(ref)}", headers=FORMAT)))


async def fetch_label(api: Api, ref: str) -> bytes:
    """A shipment's label as PDF. Asked one by one: of several one that cannot be printed refuses all (assumed)."""
    return await get_bytes(api, "/shipment_labels", shipment_ids=ref, response_type="pdf")


# ── Listings and stock ──────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Up to 100 items, with stock where the seller keeps it by location. A scan's id lives 5 minutes."""
    params = {"search_type": "scan", "limit": str(SCAN)} | ({"scroll_id": cursor} if cursor else {})
    told = Wire(await get(api, f"/users/{_seller(api)}/items/search", **params), "scan")
    refs, onward = told.texts("results"), told.text("scroll_id")
    more = bool(refs and onward)
    return Page(documents=tuple(await fetch_listings(api, refs)), cursor=onward if more else None, more=more)


async def _items(api: Api, refs: Sequence[str]) -> dict[str, Raw]:
    """Items by id, those that are gone left out. Read as their owner: others are told rounded quantities."""
    found: dict[str, Raw] = {}
    for some in batches(refs, MULTIGET):
        for entry in await _multiget(api, some):
            code, item = within(entry, "code") or within(entry, "status_code"), within(entry, "body")
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
    return needed_list(json_of(reply), "items")


async def fetch_listing(api: Api, ref: str) -> Raw:
    """An item, or `{item, stock}` where the seller keeps stock by location."""
    return await _with_stock(api, await get(api, f"/items/{_part(ref)}", include_attributes="all"))


async def fetch_listings(api: Api, refs: Sequence[str]) -> list[Raw]:
    """Listings, MULTIGET in one request; those that are gone are left out."""
    return [await _with_stock(api, item) for item in (await _items(api, refs)).values()]


async def _with_stock(api: Api, item: Raw) -> Raw:
    if not api.facts.get("warehouse_management"):
        return item
    products = [parse.text(within(own, "user_product_id")) for own in within(item, "variations") or [item]]
    stocks = [await _stock(api, product) for product in dict.fromkeys(products) if product]
    return {"item": item, "stock": [told for told in stocks if told]}


async def _stock(api: Api, product: str) -> Raw:
    reply = await get_if_there(api, f"/user-products/{_part(product)}/stock", operation="user_product_stock")
    told = json_of(reply) if reply else None
    return {**told, "id": product, "version": reply.headers.get("x-version")} if reply and told else None


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """Live values of the slots, with the version that a write of a location must show."""
    items = await _items(api, list(dict.fromkeys(write.listing_ref for write in writes)))
    products = dict.fromkeys(write.slot_ref for write in writes if write.location_ref)
    stocks = {product: await _stock(api, product) for product in products}
    return [_slot(write, items.get(write.listing_ref), stocks.get(write.slot_ref)) for write in writes]


def _slot(write: StockWrite, item: Raw, told: Raw) -> Listing | None:
    if item is None:
        return None
    shown = mapping.listings({"item": item, "stock": told})
    mine = [listing for listing in shown if listing.variation_ref == write.variation_ref]
    here = next((listing for listing in mine if listing.location_ref == write.location_ref), None)
    if here or not mine or told is None:
        return here
    # A location that holds nothing may be left out of the answer.
    empty = {"location_ref": write.location_ref, "quantity": 0, "stock_quantity": 0}
    return mine[0].model_copy(update=empty | {"version": parse.text(told["version"])})


# ── Missed notifications ────────────────────────────────────────────────────────────────────────────────────


async def missed(api: Api, cursor: str | None) -> tuple[list[Notice], str | None]:
    """What was given up after 8 attempts; kept for 2 days, told for all accounts of the application."""
    offset, app = int(cursor or 0), api.credentials.client_id
    told = await get(api, "/missed_feeds", app_id=app, offset=str(offset), limit=str(MISSED))
    found = listed(within(told, "messages"), "messages")
    return [_notice(row) for row in found], str(offset + len(found)) if len(found) >= MISSED else None


def _notice(row: Raw) -> Notice:
    """The original body is embedded; the row around it counts the attempts and may spell ids otherwise."""
    body: Any = within(row, "request", "data")
    try:
        return webhook.notice(json.loads(body) if isinstance(body, str) else row)
    except (ValueError, Unreadable):  # kept and shown; the other rows count all the same
        return Notice(topic=Topic.UNKNOWN, dedupe_key=f"missed:{parse.digest(row)}", raw=row)

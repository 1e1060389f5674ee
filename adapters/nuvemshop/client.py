"""Nuvemshop's paths, paging and registration. No meaning."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from pydantic import Field, SecretStr

from adapters.nuvemshop import mapping
from adapters.nuvemshop.webhook import EVENTS
from hub import contract, oauth, parse
from hub.calls import get, if_there, number_of
from hub.contract import Api, Identity, Page, json_of
from hub.faults import Unreadable
from hub.model import Listing, Raw, Request, ShipmentNews, StockWrite
from hub.wire import Wire

PRODUCTION = "https://api.nuvemshop.com.br/2025-03"
CONSENT = "https://www.nuvemshop.com.br/apps"
PAGE = 200
LATEST = 30
MOST = 10_000  # rows that one query shows, however many there are
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(seconds=60)


class Credentials(contract.Credentials):
    """A store's number and the token that the application was granted for it; it never expires."""

    store_id: str = Field(pattern=r"^\s*\d+\s*$")
    access_token: SecretStr
    client_id: str | None = Field(None, title="Application's number")
    client_secret: SecretStr | None = Field(None, title="Application's secret: its webhooks are signed with it")
    contact: str = Field("suporte@balcao.example", title="E-mail for Nuvemshop's own support")
    endpoint: str = PRODUCTION

    def base_url(self) -> str:
        """The API's root for this store."""
        return f"{self.endpoint.rstrip('/')}/{self.store_id.strip()}"

    def headers(self) -> Mapping[str, str]:
        """Without a User-Agent that names a person to write to, everything is refused."""
        return {
            "Authorization": f"Bearer {self.access_token.get_secret_value().strip()}",
            "User-Agent": f"Balcao ({self.contact})",
        }


def authorize(credentials: Credentials, _redirect_uri: str, state: str, _challenge: str) -> str:
    """Where the store's owner grants access; the address to come back to stands in the application."""
    return f"{_consent(credentials)}/{credentials.client_id}/authorize?{urlencode({'state': state})}"


def exchange(credentials: Credentials, code: str, _redirect_uri: str, _verifier: str) -> Request:
    """Trades the code, which lives for five minutes, for the store's token; `user_id` in the answer is the store."""
    body = {
        "client_id": credentials.client_id,
        "client_secret": oauth.client_secret(credentials),
        "grant_type": "authorization_code",
        "code": code,
    }
    who = {"User-Agent": f"Balcao ({credentials.contact})"}
    path = f"{_consent(credentials)}/authorize/token"
    return Request(method="POST", path=path, json=body, headers=who, authenticate=False)


def _consent(credentials: Credentials) -> str:
    return CONSENT if credentials.endpoint == PRODUCTION else f"{credentials.endpoint.rstrip('/')}/apps"


async def _rows(api: Api, path: str, **params: str) -> tuple[list[dict[str, Any]], int]:
    """Rows of a page and how many there are in all. A page past the end is a 404."""
    request = Request(method="GET", path=path, params=tuple(params.items()), accept=frozenset({404}))
    reply = await api.call(request)
    if reply.status == 404 and params.get("page", "1") != "1":  # noqa: PLR2004 - HTTP
        return [], 0
    found = json_of(reply)
    if not isinstance(found, list):
        if reply.status == 404:  # noqa: PLR2004 - HTTP: nothing at all
            return [], 0
        raise Unreadable("body", "not a list")
    total = reply.headers.get("x-total-count", "")
    return [row for row in found if isinstance(row, dict)], int(total) if total.isdecimal() else len(found)


async def check(api: Api) -> Identity:
    """Whose store it is, and the location that is written."""
    store = Wire(await get(api, "/store"), "store")
    ref = store.needed_ref("id")
    places, _total = await _rows(api, "/locations")
    first = next((row for row in places if row.get("is_default")), places[0] if places else {})
    facts = {"location": parse.text(first.get("id"))}
    return Identity(external_id=ref, name=mapping.words(store, "name") or ref, facts=facts)


async def subscribe(api: Api, url: str, _secret: str) -> list[str]:
    """Registers what is missing and mends what points elsewhere."""
    kept, _total = await _rows(api, "/webhooks", per_page=str(PAGE))
    by_event = {str(row.get("event")): row for row in kept}
    done = []
    for event in EVENTS:
        row = by_event.get(event)
        body = {"event": event, "url": url}
        if row is None:
            await api.call(Request(method="POST", path="/webhooks", json=body, repeatable=True))
            done.append(f"{event}: registered")
        elif row.get("url") != url:
            await api.call(Request(method="PUT", path=f"/webhooks/{row['id']}", json=body))
            done.append(f"{event}: pointed here")
    return done


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The document of one order with its fulfilment orders."""
    return await get(api, f"/orders/{number_of(ref)}", aggregates="fulfillment_orders")


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Orders changed since, newest first (assumed: what comes meanwhile pushes rows on, never out of the window).

    One query shows 10,000 rows at most: a window with more is halved until it has fewer.
    """
    now = api.now()
    told = json.loads(cursor) if cursor else {}
    since = datetime.fromisoformat(told["since"]) if told else now - LOOK_BACK
    until = datetime.fromisoformat(told["until"]) if told.get("until") else None
    page, began = told.get("page", 1), told.get("began") or now.isoformat()
    window = {"updated_at_max": until.isoformat()} if until else {}
    rows, total = await _rows(
        api, "/orders", updated_at_min=since.isoformat(), **window, per_page=str(PAGE), page=str(page),
        aggregates="fulfillment_orders",
    )  # fmt: skip
    onward: dict[str, Any] = {"since": since.isoformat(), "began": began}
    if total > MOST and (until or now) - since > timedelta(seconds=2):
        middle = since + ((until or now) - since) / 2
        return Page(cursor=json.dumps({**onward, "until": middle.isoformat()}), more=True)
    kept = {"until": until.isoformat()} if until else {}
    if len(rows) == PAGE:
        return Page(documents=tuple(rows), cursor=json.dumps({**onward, **kept, "page": page + 1}), more=True)
    if until:
        return Page(documents=tuple(rows), cursor=json.dumps({"since": kept["until"], "began": began}), more=True)
    rest = {"since": (datetime.fromisoformat(began) - OVERLAP).isoformat()}
    return Page(documents=tuple(rows), cursor=json.dumps(rest))


async def latest_orders(api: Api) -> Page:
    """The orders placed last."""
    rows, _total = await _rows(api, "/orders", per_page=str(LATEST), aggregates="fulfillment_orders")
    return Page(documents=tuple(rows))


async def parcels_of(api: Api, news: ShipmentNews) -> Raw:
    """An order's fulfilment orders; none for an order older than they are."""
    rows, _total = await _rows(api, f"/orders/{number_of(news.order_ref)}/fulfillment-orders")
    return rows


# ── Products ────────────────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Products with their variants."""
    page = int(cursor or 1)
    rows, _total = await _rows(api, "/products", per_page=str(PAGE), page=str(page))
    more = len(rows) == PAGE
    boxed = tuple(_boxed(api, row) for row in rows)
    return Page(documents=boxed, cursor=str(page + 1) if more else None, more=more)


def _boxed(api: Api, product: Raw) -> Raw:
    return {"product": product, "location": api.facts.get("location")}


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product with its variants."""
    return _boxed(api, await get(api, f"/products/{number_of(ref)}"))


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for one that is gone."""
    found: dict[str, Listing] = {}
    for ref in dict.fromkeys(write.listing_ref for write in writes):
        if told := await if_there(fetch_listing(api, ref)):
            found |= {one.slot_ref: one for one in mapping.listings(told)}
    return [found.get(write.slot_ref) for write in writes]

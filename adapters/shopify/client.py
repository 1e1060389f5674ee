"""Shopify's queries, paging, tokens and registration."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from pydantic import Field, SecretStr

from adapters.shopify import mapping, queries
from adapters.shopify.reading import Node, gid
from adapters.shopify.stock import asking, read_error, telling
from adapters.shopify.webhook import REGISTERED
from hub import contract, oauth
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Listing, Raw, Reply, Request, ShipmentNews, StockWrite

PAGE = 250
LATEST = 30
LOOKED_AT = 100  # ids of one query: what is asked of each costs up to five of its 1,000 points
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(seconds=60)  # the search's index lags behind a little: assumed
SCOPES = ("read_orders", "read_products", "read_inventory", "write_inventory", "read_locations",
          "write_merchant_managed_fulfillment_orders", "write_fulfillments", "read_customers")  # fmt: skip
TOKENS = "/admin/oauth/access_token"


class Credentials(contract.Credentials):
    """A shop, and an application of the same organisation (Dev Dashboard); or an older application's own token."""

    shop: str = Field(
        title="Loja: nome.myshopify.com", pattern=r"^\s*(https://)?[A-Za-z0-9][A-Za-z0-9-]*(\.myshopify\.com)?/?\s*$"
    )
    client_id: str | None = Field(None, title="Application's client ID")
    client_secret: SecretStr | None = Field(None, title="Application's secret: its webhooks are signed with it")
    access_token: SecretStr | None = Field(None, title="Admin API token, where the application has a fixed one")
    location: str | None = Field(
        None, title="Local", pattern=r"^\d*$", description="Empty: the first that ships online orders."
    )
    endpoint: str | None = None

    def domain(self) -> str:
        """The shop's own address at Shopify."""
        name = self.shop.strip().lower().removeprefix("https://").rstrip("/").removesuffix(".myshopify.com")
        return f"{name}.myshopify.com"

    def base_url(self) -> str:
        """The shop's address."""
        return (self.endpoint or f"https://{self.domain()}").rstrip("/")

    def headers(self) -> Mapping[str, str]:
        """A fixed token is shown as it is; else one is granted for a day."""
        return {"X-Shopify-Access-Token": self.access_token.get_secret_value().strip()} if self.access_token else {}


# ── Tokens ──────────────────────────────────────────────────────────────────────────────────────────────────


def hook_secret(credentials: Credentials) -> str | None:
    """The application's secret."""
    return credentials.client_secret.get_secret_value() if credentials.client_secret else None


def _keys(credentials: Credentials) -> tuple[tuple[str, str], ...]:
    secret = hook_secret(credentials)
    if not credentials.client_id or not secret:
        raise ChannelError(Fault.AUTH, "no_token", "client_id and client_secret, or access_token, must be given")
    return ("client_id", credentials.client_id), ("client_secret", secret)


def token_request(credentials: Credentials, token: Token | None) -> Request:
    """Renews a consented token, whose refresh token rotates; without one the application asks for itself, for 24 h."""
    grant: tuple[tuple[str, str], ...] = (("grant_type", "client_credentials"),)
    if token and token.refresh:
        grant = (("grant_type", "refresh_token"), ("refresh_token", token.refresh.get_secret_value()))
    return Request(method="POST", path=TOKENS, form=(*_keys(credentials), *grant), authenticate=False)


def read_token(reply: Reply, now: datetime) -> Token:
    """The token of an answer; without a lifetime it lasts."""
    return oauth.token_of(reply, now, read_error)


def shown(token: Token) -> dict[str, str]:
    """The header that shows a token."""
    return {"X-Shopify-Access-Token": token.access.get_secret_value()}


def authorize(credentials: Credentials, redirect_uri: str, state: str, _challenge: str) -> str:
    """Where the shop's owner grants access."""
    asked = {
        "client_id": credentials.client_id, "scope": ",".join(SCOPES), "redirect_uri": redirect_uri, "state": state,
    }  # fmt: skip
    return f"{credentials.base_url()}/admin/oauth/authorize?{urlencode(asked)}"


def exchange(credentials: Credentials, code: str, _redirect_uri: str, _verifier: str) -> Request:
    """Trades the code for a token of one hour with its refresh token; those that never end are on the way out."""
    form = (*_keys(credentials), ("code", code), ("expiring", "1"))
    return Request(method="POST", path=TOKENS, form=form, authenticate=False)


# ── Asking ──────────────────────────────────────────────────────────────────────────────────────────────────


async def _data(api: Api, request: Request) -> Node:
    return Node(json_of(await api.call(request)), "").part("data")


async def _ask(api: Api, query: str, /, **variables: Any) -> Node:
    return await _data(api, asking(query, variables))


def _next(connection: Node) -> str | None:
    """Where the next page begins; None at the end."""
    page = connection.part("page_info")
    return page.text("end_cursor") if page.flag("has_next_page") else None


def _gid(kind: str, ref: str) -> str:
    if not ref.isdecimal():
        raise ChannelError(Fault.MISSING, "no_number", f"everything is numbered; {ref[:40]!r} is no number")
    return gid(kind, ref)


async def check(api: Api) -> Identity:
    """Whose shop it is, and the location that is written."""
    told = await _ask(api, queries.SHOP)
    shop = told.part("shop")
    domain = shop.text("myshopify_domain")
    if domain is None:
        raise Unreadable("data.shop.myshopifyDomain", "not told")
    facts = {
        "location": _chosen(api.credentials.location, told.part("locations").nodes("nodes")),
        "shop": shop.number(),
    }
    return Identity(external_id=domain, name=shop.text("name") or domain, facts=facts)


def _chosen(wanted: str | None, places: Sequence[Node]) -> str:
    active = [place for place in places if place.flag("is_active")]
    ids = [place.needed_number() for place in active]
    if wanted and wanted not in ids:
        there = ", ".join(ids)
        raise ChannelError(Fault.REJECTED, "no_location", f"location: there is no active {wanted} (there are: {there})")
    online = (place.number() for place in active if place.flag("fulfills_online_orders"))
    found = wanted or next(online, None) or next(iter(ids), None)
    if found is None:
        raise ChannelError(Fault.REJECTED, "no_location", "this shop has no active location")
    return found


async def _location(api: Api) -> str:
    known = api.facts.get("location") or (await check(api)).facts["location"]
    return gid("Location", str(known))


async def subscribe(api: Api, url: str, _secret: str) -> list[str]:
    """Registers what is missing, and what Shopify deleted after eight failures; mends what points elsewhere."""
    kept, done = await _hooks(api), []
    for topic in REGISTERED:
        rows = [row for row in kept if row.text("topic") == topic]
        hook = {"uri": url, "format": "JSON"}
        if any((row.text("uri"), row.text("format")) == (url, "JSON") for row in rows):
            continue
        if rows:
            again = {"id": rows[0].text("id"), "hook": hook}
            await _data(api, telling(queries.HOOK_AGAIN, again, "webhook", repeatable=True))
        else:
            await _data(api, telling(queries.HOOK, {"topic": topic, "hook": hook}, "webhook"))
        done.append(f"{topic}: {'pointed here' if rows else 'registered'}")
    return done


async def unsubscribe(api: Api, url: str) -> list[str]:
    """Takes back what points here."""
    done = []
    for row in await _hooks(api):
        if row.text("uri") == url:
            await _data(api, telling(queries.HOOK_GONE, {"id": row.text("id")}, "webhook", repeatable=True))
            done.append(f"{row.text('topic')}: taken back")
    return done


async def _hooks(api: Api) -> list[Node]:
    found: list[Node] = []
    after = None
    while True:
        page = (await _ask(api, queries.HOOKS, after=after)).part("webhook_subscriptions")
        found += page.nodes("nodes")
        if (after := _next(page)) is None:
            return found


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The node of one order with all its lines; what moved is asked for where anything did."""
    named = {"id": _gid("Order", ref)}
    node = await _node(api, queries.ORDER, named, ref)
    if node.get("fulfillments") or node.get("refunds"):
        node |= await _node(api, queries.MOVES, named, ref)
    await _whole(api, node, "lineItems")
    for key, rows in (("fulfillments", "fulfillmentLineItems"), ("refunds", "refundLineItems")):
        for row in node.get(key) or ():
            await _whole(api, row, rows)
    return node


async def _node(api: Api, query: str, variables: Mapping[str, Any], ref: str) -> dict[str, Any]:
    node = (await _ask(api, query, **variables)).raw.get("order")
    if not isinstance(node, dict):
        raise ChannelError(Fault.MISSING, "NOT_FOUND", f"there is no order {ref}, or the application may not see it")
    return dict(node)


async def _whole(api: Api, box: dict[str, Any], key: str) -> None:
    """The pages after the first of a connection."""
    while (after := _next(page := Node(box.get(key), key))) is not None:
        more = (await _ask(api, queries.MORE, id=box.get("id"), after=after)).part("node")
        rest = more.raw.get(next((name for name, spelt in more.spelt.items() if spelt == key), ""))
        if not isinstance(rest, dict):
            raise Unreadable(f"data.node.{key}", "not told")
        box[key] = {**rest, "nodes": [*(page.raw.get("nodes") or ()), *(rest.get("nodes") or ())]}


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Refs of orders changed since, the oldest change first: one that changes meanwhile comes again at the end.

    The next window begins a little before the newest change of this one, by the shop's own clock.
    """
    told = json.loads(cursor) if cursor else {}
    since = told.get("since") or _z(api.now() - LOOK_BACK)
    order = {"query": f"updated_at:>='{since}'", "sort": "UPDATED_AT", "reverse": False}
    page = (await _ask(api, queries.ORDERS, first=PAGE, after=told.get("after"), **order)).part("orders")
    rows = page.nodes("nodes")
    changed = [at for at in (row.instant("updated_at") for row in rows) if at]
    newest = max([*(_z(at) for at in changed), told.get("newest") or since])
    refs = tuple(row.needed_number("legacy_resource_id") for row in rows)
    if after := _next(page):
        return Page(refs=refs, cursor=json.dumps({"since": since, "after": after, "newest": newest}), more=True)
    onward = max(since, _z(datetime.fromisoformat(newest) - OVERLAP))
    return Page(refs=refs, cursor=json.dumps({"since": onward}))


def _z(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


async def latest_orders(api: Api) -> Page:
    """The orders made last."""
    order = {"query": None, "sort": "CREATED_AT", "reverse": True}
    page = (await _ask(api, queries.ORDERS, first=LATEST, after=None, **order)).part("orders")
    return Page(refs=tuple(row.needed_number("legacy_resource_id") for row in page.nodes("nodes")))


async def orders_of_shipment(api: Api, ref: str) -> list[str]:
    """The order of a fulfilment order."""
    found = (await _ask(api, queries.ORDER_OF, id=_gid("FulfillmentOrder", ref))).part("node").number("order_id")
    return [found] if found else []


async def parcels_of(api: Api, news: ShipmentNews) -> Raw:
    """An order's fulfilment orders and fulfilments; their lines where only some units are meant."""
    return await _node(
        api, queries.PARCELS, {"id": _gid("Order", news.order_ref), "lines": bool(news.lines)}, news.order_ref
    )


# ── Products ────────────────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Variants with the number at our location."""
    location = await _location(api)
    told = (await _ask(api, queries.VARIANTS, location=location, after=cursor)).part("product_variants")
    after, rows = _next(told), told.nodes("nodes")
    return Page(
        documents=tuple({**row.raw, "location": {"id": location}} for row in rows), cursor=after, more=after is not None
    )


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product with all its variants, of which there may be 2,048."""
    found: dict[str, Any] = {}
    rows: list[Raw] = []
    after, location = None, await _location(api)
    while True:
        named = {"id": _gid("Product", ref), "location": location, "after": after}
        node = (await _ask(api, queries.PRODUCT, **named)).raw.get("product")
        if not isinstance(node, dict):
            raise ChannelError(Fault.MISSING, "NOT_FOUND", f"there is no product {ref}")
        found, page = node, Node(node, "product").part("variants")
        rows += page.raw.get("nodes") or ()
        if (after := _next(page)) is None:
            return {**found, "variants": {"nodes": rows}, "location": {"id": location}}


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for one that is gone."""
    found: dict[tuple[str, str | None], Node] = {}
    for place in dict.fromkeys(write.location_ref for write in writes):
        location = gid("Location", place) if place else await _location(api)
        refs = [write.slot_ref for write in writes if write.location_ref == place]
        for start in range(0, len(refs), LOOKED_AT):
            ids = [_gid("InventoryItem", ref) for ref in refs[start : start + LOOKED_AT]]
            for row in (await _ask(api, queries.LEVELS, ids=ids, location=location)).nodes("nodes"):
                found[row.number() or "", place] = row
    return [_shown(write, found.get((write.slot_ref, write.location_ref))) for write in writes]


def _shown(write: StockWrite, item: Node | None) -> Listing | None:
    if not item:
        return None
    slot = {
        "id": write.variation_ref or write.slot_ref,
        "product": {"id": write.listing_ref},
        "inventoryItem": dict(item.raw),
    }
    return mapping.listings(slot)[0]

"""Shopify's queries, paging, tokens and registration."""

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from pydantic import Field, SecretStr

from adapters.shopify import mapping
from adapters.shopify.queries import asking
from adapters.shopify.reading import Node, gid
from adapters.shopify.stock import read_error
from adapters.shopify.webhook import REGISTERED
from hub import contract, oauth
from hub.calls import batches, chosen, grouped, number_of
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import ChannelError, Fault
from hub.model import Listing, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.parse import zulu
from hub.signing import hex_hmac
from hub.wire import Wire

SHOP = r"^\s*(https://)?[A-Za-z0-9][A-Za-z0-9-]*(\.myshopify\.com)?/?\s*$"
LOOKED_AT = 100  # ids of one query: what is asked of each costs up to five of its 1,000 points
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(seconds=60)  # the search's index lags behind a little: assumed
SCOPES = ("read_orders,read_products,read_inventory,write_inventory,read_locations,read_customers,"
          "write_merchant_managed_fulfillment_orders,write_fulfillments")  # fmt: skip


class Credentials(contract.Credentials):
    """A shop, and an application of the same organisation (Dev Dashboard); or an older application's own token."""

    shop: str = Field(title="Loja: nome.myshopify.com", pattern=SHOP)
    client_id: str | None = Field(None, title="Application's client ID")
    client_secret: SecretStr | None = Field(None, title="Application's secret: its webhooks are signed with it")
    access_token: SecretStr | None = Field(None, title="Admin API token, where the application has a fixed one")
    location: str | None = Field(None, title="Local; vazio: o primeiro que envia pedidos on-line", pattern=r"^\d*$")
    endpoint: str | None = None

    def base_url(self) -> str:
        """The shop's own address at Shopify."""
        name = self.shop.strip().lower().removeprefix("https://").rstrip("/").removesuffix(".myshopify.com")
        return (self.endpoint or f"https://{name}.myshopify.com").rstrip("/")

    def headers(self) -> Mapping[str, str]:
        """A fixed token is shown as it is; else one is granted for a day."""
        return {"X-Shopify-Access-Token": self.access_token.get_secret_value().strip()} if self.access_token else {}

    def ask(self, **form: str) -> Request:
        """A token asked for by the application."""
        if not (self.client_id and self.client_secret):
            raise ChannelError(Fault.AUTH, "no_token", "client_id and client_secret, or access_token, must be given")
        app = oauth.Application(client_id=self.client_id, client_secret=self.client_secret)
        return app.ask("/admin/oauth/access_token", **form)


def token_request(credentials: Credentials, token: Token | None) -> Request:
    """Renews a consented token, whose refresh token rotates; without one the application asks for itself, for 24 h."""
    if token and token.refresh:
        return credentials.ask(grant_type="refresh_token", refresh_token=token.refresh.get_secret_value())
    return credentials.ask(grant_type="client_credentials")


def read_token(reply: Reply, now: datetime) -> Token:
    """The token of an answer; without a lifetime it lasts."""
    return oauth.token_of(reply, now, read_error)


def shown(token: Token) -> dict[str, str]:
    """The header that shows a token."""
    return {"X-Shopify-Access-Token": token.access.get_secret_value()}


def authorize(credentials: Credentials, redirect_uri: str, state: str, _challenge: str) -> str:
    """Where the shop's owner grants access."""
    asked = {"client_id": credentials.client_id, "scope": SCOPES, "redirect_uri": redirect_uri, "state": state}
    return f"{credentials.base_url()}/admin/oauth/authorize?{urlencode(asked)}"


def verify_back(credentials: Credentials, told: Mapping[str, str]) -> None:
    """What Shopify sends the owner back with is signed: its parameters in order, with the application's secret."""
    signed = "&".join(f"{name}={told[name]}" for name in sorted(told) if name not in ("hmac", "signature"))
    wanted = hex_hmac(oauth.client_secret(credentials) or "", signed.encode())
    if not hmac.compare_digest(wanted.encode(), told.get("hmac", "").encode()):
        raise ChannelError(Fault.AUTH, "bad_hmac", "the address was not signed with this application's secret")


def exchange(credentials: Credentials, code: str, _redirect_uri: str, _verifier: str) -> Request:
    """Trades the code for a token of one hour with its refresh token; those that never end are on the way out."""
    return credentials.ask(code=code, expiring="1")


# ── Asking ──────────────────────────────────────────────────────────────────────────────────────────────────


async def _ask(api: Api, query: str, /, **variables: Any) -> Node:
    return Node(json_of(await api.call(asking(query, variables))), "").part("data")


async def _node(api: Api, name: str, query: str, /, **variables: Any) -> dict[str, Any]:
    """The thing of this name that an answer tells, as it tells it."""
    node = (await _ask(api, query, **variables)).told(name)
    if not isinstance(node, dict):
        raise ChannelError(Fault.MISSING, "NOT_FOUND", f"there is no {name} {variables['id']} that we may see")
    return node


async def _whole(api: Api, box: dict[str, Any], key: str, name: str, query: str, **variables: Any) -> None:
    """Adds the pages after the first of a connection."""
    while after := _next(page := Node(box.get(key), key)):
        rest = Wire(await _node(api, name, query, after=after, **variables), f"data.{name}").needed_part(key).raw
        box[key] = {**rest, "nodes": [*(page.raw.get("nodes") or ()), *(rest.get("nodes") or ())]}


def _next(connection: Node) -> str | None:
    page = connection.part("page_info")
    return page.text("end_cursor") if page.flag("has_next_page") else None


async def check(api: Api) -> Identity:
    """Whose shop it is, and the location that is written."""
    told = await _ask(api, "Shop")
    domain, places = told.needed_ref("shop.myshopify_domain"), told.rows("locations.nodes")
    active = {place.needed_ref("id"): place for place in places if place.flag("is_active")}
    online = (ref for ref, place in active.items() if place.flag("fulfills_online_orders"))
    location = chosen("location", api.credentials.location, list(active), next(online, None))
    return Identity(external_id=domain, name=told.text("shop.name") or domain, facts={"location": location})


async def _location(api: Api) -> str:
    known = api.facts.get("location") or (await check(api)).facts["location"]
    return gid("Location", str(known))


async def subscribe(api: Api, url: str, _secret: str) -> list[str]:
    """Registers what is missing, and what Shopify deleted after eight failures; mends what points elsewhere."""
    kept, hook = await _hooks(api), {"uri": url, "format": "JSON"}
    there = {row.text("topic"): row.text("id") for row in kept}
    right = {row.text("topic") for row in kept if hook.items() <= row.raw.items()}
    wrong = [topic for topic in REGISTERED if topic not in right]
    for topic in wrong:
        name, known = ("HookAgain", {"id": there[topic]}) if topic in there else ("Hook", {"topic": topic})
        await api.call(asking(name, {**known, "hook": hook}, "webhook", repeatable=topic in there))
    return [f"{topic}: {'pointed here' if topic in there else 'registered'}" for topic in wrong]


async def unsubscribe(api: Api, url: str) -> list[str]:
    """Takes back what points here."""
    mine = [row for row in await _hooks(api) if row.text("uri") == url]
    for row in mine:
        await api.call(asking("HookGone", {"id": row.text("id")}, "webhook", repeatable=True))
    return [f"{row.text('topic')}: taken back" for row in mine]


async def _hooks(api: Api) -> list[Node]:
    return (await _ask(api, "Hooks")).rows("webhook_subscriptions.nodes")


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def fetch_order(api: Api, ref: str) -> Raw:
    """The node of one order with all its lines; what moved is asked for where anything did."""
    order = gid("Order", number_of(ref))
    node = await _node(api, "order", "Order", id=order)
    if node.get("fulfillments") or node.get("refunds"):
        node |= await _node(api, "order", "OrderMoves", id=order)
    parts = [(row, f"{kind}LineItems") for kind in ("fulfillment", "refund") for row in node.get(f"{kind}s") or ()]
    for box, key in ((node, "lineItems"), *parts):
        await _whole(api, box, key, "node", "More", id=box.get("id"))
    return node


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Refs of orders changed since, the oldest change first: one that changes meanwhile comes again at the end."""
    told = json.loads(cursor) if cursor else {}
    since = told.get("since") or zulu(api.now() - LOOK_BACK)
    page = (await _ask(api, "Changed", query=f"updated_at:>='{since}'", after=told.get("after"))).part("orders")
    changed = [zulu(at) for row in page.rows("nodes") if (at := row.instant("updated_at"))]
    newest = max([since, told.get("newest", since), *changed])
    start = max(since, zulu(datetime.fromisoformat(newest) - OVERLAP))  # of the next window, by the shop's own clock
    after = _next(page)
    onward = {"since": since, "after": after, "newest": newest} if after else {"since": start}
    return Page(refs=_refs(page), cursor=json.dumps(onward), more=after is not None)


def _refs(page: Node) -> tuple[str, ...]:
    return tuple(row.needed_ref("legacy_resource_id") for row in page.rows("nodes"))


async def latest_orders(api: Api) -> Page:
    """The orders made last."""
    return Page(refs=_refs((await _ask(api, "Latest")).part("orders")))


async def orders_of_shipment(api: Api, ref: str) -> list[str]:
    """The order of a fulfilment order."""
    found = (await _ask(api, "OrderOf", id=gid("FulfillmentOrder", number_of(ref)))).ref("node.order_id")
    return [found] if found else []


async def parcels_of(api: Api, news: ShipmentNews) -> Raw:
    """An order's fulfilment orders and fulfilments; their lines where only some units are meant."""
    return await _node(api, "order", "Parcels", id=gid("Order", number_of(news.order_ref)), lines=bool(news.lines))


# ── Products ────────────────────────────────────────────────────────────────────────────────────────────────


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Variants with the number at our location."""
    location = await _location(api)
    told = (await _ask(api, "Variants", location=location, after=cursor)).part("product_variants")
    rows = tuple({**row.raw, "location": {"id": location}} for row in told.rows("nodes"))
    return Page(documents=rows, cursor=_next(told), more=_next(told) is not None)


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One product with all its variants, of which there may be 2,048."""
    asked = {"id": gid("Product", number_of(ref)), "location": await _location(api)}
    node = await _node(api, "product", "Product", after=None, **asked)
    await _whole(api, node, "variants", "product", "Product", **asked)
    return {**node, "location": {"id": asked["location"]}}


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What the slots show, in the order asked; None for one that is gone."""
    found: dict[tuple[str | None, str | None], Node] = {}
    for place, there in grouped(writes, lambda write: write.location_ref or "").items():
        location = gid("Location", place) if place else await _location(api)
        for some in batches(there, LOOKED_AT):
            ids = [gid("InventoryItem", number_of(write.slot_ref)) for write in some]
            told = await _ask(api, "Levels", ids=ids, location=location)
            found |= {(row.ref("id"), place): row for row in told.rows("nodes")}
    return [_shown(write, found.get((write.slot_ref, write.location_ref or ""))) for write in writes]


def _shown(write: StockWrite, item: Node | None) -> Listing | None:
    variant = {"id": write.variation_ref or write.slot_ref, "product": {"id": write.listing_ref}}
    return mapping.listings({**variant, "inventoryItem": item.raw})[0] if item else None

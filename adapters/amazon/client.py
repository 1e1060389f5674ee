"""Amazon's paths, paging and tokens."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from pydantic import Field, SecretStr

from adapters.amazon import mapping, stock
from adapters.amazon.mapping import MARKETPLACE
from hub import oauth, parse
from hub.calls import get, if_there
from hub.contract import Api, Identity, Page, Token, json_of
from hub.faults import ChannelError, Fault
from hub.model import Listing, Raw, Request, ShipmentNews, StockWrite, Unsigned
from hub.wire import Wire

PRODUCTION = "https://sellingpartnerapi-na.amazon.com"
AUTH = "https://api.amazon.com"
CONSENT = "https://sellercentral.amazon.com.br/apps/authorize/consent"
USER_AGENT = "Balcao/1.0 (Language=Python)"  # mandatory
TOKEN_HEADER = "x-amz-access-token"  # noqa: S105 - a header's name
PAGE, LISTINGS_PAGE = 100, 20
LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(seconds=2)  # LastUpdateDate has whole seconds
TOLD_LATE = timedelta(minutes=2)  # the newest changes are not listed before
ORDERS = "/orders/v0/orders"
LISTINGS = f"/listings/2021-08-01/items/{stock.SELLER}"
PERSONAL = ["buyerInfo", "shippingAddress", "buyerTaxInformation"]
HERE = {"marketplaceIds": MARKETPLACE, "includedData": ",".join(mapping.LISTED)}
ORDER_ID = re.compile(r"[0-9A-Z]{3}-\d{7}-\d{7}")


class Credentials(oauth.Application):
    """An application of Solution Provider Portal, and what its authorization page told of the seller."""

    seller_id: str = Field(title="Merchant token", pattern=r"^[A-Z0-9]{8,20}$", description="selling_partner_id")
    application_id: str | None = Field(None, description="amzn1.sp.solution…: only to authorize from here")
    event_key: SecretStr | None = Field(
        None, title="EventBridge key", description="The API key of the connection that sends events; empty: polled."
    )
    endpoint: str = PRODUCTION

    def base_url(self) -> str:
        """The API's root."""
        return self.endpoint.rstrip("/")

    def token_url(self) -> str:
        """Login with Amazon: of all regions, and not where the API is."""
        return (AUTH if self.base_url().endswith(".amazon.com") else self.base_url()) + "/auth/o2/token"


def refresh(credentials: Credentials, token: Token | None) -> Request:
    """An access token of an hour. The refresh token stays as it is: typed in, or of the last exchange."""
    return credentials.renew(credentials.token_url(), token)


def exchange(credentials: Credentials, code: str, redirect_uri: str, _verifier: str) -> Request:
    """Trades the spapi_oauth_code, which lives for five minutes, for the first token."""
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    return credentials.ask(credentials.token_url(), **grant)


def authorize(credentials: Credentials, redirect_uri: str, state: str, _challenge: str) -> str:
    """Where the seller grants access: Seller Central of Brazil."""
    if credentials.application_id is None:
        raise ChannelError(Fault.AUTH, "no_application", "application_id: needed to authorize, and not told")
    asked = {"application_id": credentials.application_id, "state": state, "redirect_uri": redirect_uri}
    home = credentials.base_url()
    page = CONSENT if home.endswith(".amazon.com") else f"{home}/apps/authorize/consent"
    return f"{page}?{urlencode(asked)}"


def shown(token: Token) -> dict[str, str]:
    """The header that shows a token."""
    return {TOKEN_HEADER: token.access.get_secret_value()}


def sign(told: Unsigned) -> Request:
    """Amazon's headers, and the seller in the path; a restricted token that a request has goes before the account's."""
    always = {"user-agent": USER_AGENT, "x-amz-date": f"{told.now.astimezone(UTC):%Y%m%dT%H%M%SZ}"}
    path = told.request.path.replace(stock.SELLER, quote(told.credentials.seller_id, safe=""))
    return replace(told.request, path=path, headers={**told.shown, **always, **told.request.headers})


async def check(api: Api) -> Identity:
    """That token, seller and roles are right; `personal_data`: whether names and addresses are told to us.

    That we may read orders shows in an order that never was: the list is too scarce to be asked for this.
    """
    await get(api, LISTINGS, "listings", marketplaceIds=MARKETPLACE, pageSize="1")
    nobodys = _path("000-0000000-0000000")
    await api.call(Request(method="GET", path=nobodys, operation="order", accept=frozenset({400, 404})))
    seller, granted = api.credentials.seller_id, bool(await _restricted(api, nobodys))
    return Identity(external_id=seller, name=seller, facts={"personal_data": granted})


async def fetch_order(api: Api, ref: str) -> Raw:
    """The order with its items. Under a restricted token it tells buyer and address itself: two calls saved."""
    path = _path(ref)
    return await _order(api, path, await _restricted(api, path) if api.facts.get("personal_data") else {})


async def order_there(api: Api, news: ShipmentNews) -> Raw:
    """The order and its items: a confirmation names them."""
    return await _order(api, _path(news.order_ref), {})


async def _order(api: Api, path: str, shown: Mapping[str, str]) -> Raw:
    reply = await api.call(Request(method="GET", path=path, headers=shown, operation="order"))
    return {"order": dict(Wire(json_of(reply), "").part("payload").raw), "orderItems": await _items(api, path)}


def _path(ref: str) -> str:
    if not ORDER_ID.fullmatch(ref):
        raise ChannelError(Fault.MISSING, "no_order_id", f"{ref[:40]!r} is no order id of Amazon's (3-7-7)")
    return f"{ORDERS}/{ref}"


async def _restricted(api: Api, path: str) -> dict[str, str]:
    """The header that opens personal data of one order; none where the role was not granted: masked is not told."""
    asked = {"restrictedResources": [{"method": "GET", "path": path, "dataElements": PERSONAL}]}
    path = "/tokens/2021-03-01/restrictedDataToken"
    request = Request(method="POST", path=path, json=asked, operation="restricted", repeatable=True)
    try:
        told = Wire(json_of(await api.call(request)), "")
    except ChannelError as problem:
        if problem.fault not in (Fault.AUTH, Fault.REJECTED):
            raise
        return {}  # were it the account's own token, the call that follows says so
    return {TOKEN_HEADER: told.needed_ref("restrictedDataToken")}


async def _items(api: Api, path: str) -> Raw:
    rows: list[Raw] = []
    onward: dict[str, str] = {}
    while True:
        page = Wire(await get(api, f"{path}/orderItems", "order_items", **onward), "").part("payload")
        rows += [dict(row.raw) for row in page.rows("OrderItems")]
        token = page.text("NextToken")
        if token is None:
            return {"AmazonOrderId": path.rpartition("/")[2], "OrderItems": rows}
        onward = {"NextToken": token}


async def orders_since(api: Api, cursor: str | None) -> Page:
    """Refs of orders changed since, by what Amazon answers as the window's end: it lists the newest two minutes late.

    A page's token is good only with the same parameters; one that Amazon knows no more starts the window anew.
    """
    told = json.loads(cursor) if cursor else {"after": parse.zulu(api.now() - LOOK_BACK)}
    params = [("MarketplaceIds", MARKETPLACE), ("LastUpdatedAfter", told["after"]), ("MaxResultsPerPage", str(PAGE))]
    onward = [("NextToken", told["next"])] if "next" in told else []
    stale = frozenset({400}) if onward else frozenset[int]()
    request = Request(method="GET", path=ORDERS, params=(*params, *onward), operation="orders", accept=stale)
    reply = await api.call(request)
    if reply.status in stale:
        return Page(cursor=json.dumps({"after": told["after"]}), more=True)
    page = Wire(json_of(reply), "").part("payload")
    refs = tuple(row.needed_ref("AmazonOrderId") for row in page.rows("Orders"))
    end = page.instant("LastUpdatedBefore") or api.now() - TOLD_LATE
    before = told.get("before") or parse.zulu(end)
    if token := page.text("NextToken"):
        return Page(refs=refs, cursor=json.dumps({"after": told["after"], "before": before, "next": token}), more=True)
    return Page(refs=refs, cursor=json.dumps({"after": parse.zulu(datetime.fromisoformat(before) - OVERLAP)}))


async def listing_pages(api: Api, cursor: str | None) -> Page:
    """Listings, oldest first. A search pages through 1,000 at most: the next starts where that one ended."""
    told = json.loads(cursor) if cursor else {}
    onward = {name: told[key] for name, key in (("createdAfter", "after"), ("pageToken", "token")) if key in told}
    size = str(LISTINGS_PAGE)
    found = await get(api, LISTINGS, "listings", **HERE, pageSize=size, sortBy="createdDate", sortOrder="ASC", **onward)
    page = Wire(found, "")
    rows = page.rows("items")
    seen = told.get("seen", 0) + len(rows)
    made = [at for row in rows if (at := mapping.here(row.rows("summaries")).instant("createdDate"))]
    last = parse.zulu(max(made)) if made else told.get("last")
    documents, token = tuple(dict(row.raw) for row in rows), page.text("pagination.nextToken")
    if token:
        cursor = json.dumps({**told, "token": token, "seen": seen, "last": last})
        return Page(documents=documents, cursor=cursor, more=True)
    if seen < page.count("numberOfResults") and last and last != told.get("after"):
        return Page(documents=documents, cursor=json.dumps({"after": last}), more=True)
    return Page(documents=documents)


async def fetch_listing(api: Api, ref: str) -> Raw:
    """One listing, by its SKU."""
    return await get(api, f"{LISTINGS}/{quote(ref, safe='')}", "listing", **HERE)


async def look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    """What is for sale, which is not what was submitted: the two differ for minutes, by design."""
    looked = [await if_there(fetch_listing(api, write.slot_ref)) for write in writes]
    return [None if raw is None else next(iter(mapping.listings(raw)), None) for raw in looked]

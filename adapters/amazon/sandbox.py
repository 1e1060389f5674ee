"""A seller's account at Amazon.com.br in memory: v0 orders, listings whose numbers take effect later, events by bus."""

import base64
import json
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from hub.sandbox import Consents, Delivery, Handler, Product, add_controls
from hub.sandbox_store import SHIPPING_CENTS, Item, Line, Sale, Store, utc_now

MARKETPLACE, SELLER = "A2Q3Y263D00KWC", "A2BALCAOTESTE1"
CLIENT_ID, CLIENT_SECRET = "amzn1.application-oa2-client.balcao", "amzn1.oa2-cs.v1." + "5a" * 20
APPLICATION = "amzn1.sp.solution.balcao"
REFRESH, EVENT_KEY = "Atzr|balcao-refresh", "chave-do-barramento"
TOKEN_SECONDS, RESTRICTED_SECONDS = 3600, 3600
MOST_LISTED = 1000  # of one search, whatever it found
RETRIES = (1.0, 4.0)  # EventBridge tries for a day; a demo's day is short
STATUSES = {
    "placed": "Pending", "paid": "Unshipped", "dispatched": "Shipped", "delivered": "Shipped",
    "returned": "Shipped", "cancelled": "Canceled",
}  # fmt: skip
RATES = {  # operation: a second, at once
    "orders": (0.0167, 20), "order": (0.5, 30), "order_items": (0.5, 30), "restricted": (1, 10),
    "listings": (5, 5), "listing": (5, 10), "stock": (5, 5), "shipment": (2, 10),
}  # fmt: skip


class Refusal(Exception):
    """An error in Amazon's own shape."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status, self.body = status, {"errors": [{"code": code, "message": message, "details": details}]}


DENIED = "Access to requested resource is denied."


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    account: Amazon = request.app[ACCOUNT]
    account.land()
    try:
        if request.path not in ("/auth/o2/token", "/apps/authorize/consent"):
            account.admit(request)
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.body, status=refusal.status)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return web.json_response(Refusal(404, "NotFound", "Resource not found").body, status=404)
    except (ValueError, KeyError, TypeError, LookupError) as problem:
        return web.json_response(Refusal(400, "InvalidInput", "Invalid Input", str(problem)).body, status=400)


def stamp(at: datetime) -> str:
    """A time as Amazon tells it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def second(at: datetime) -> datetime:
    """A time as Amazon keeps it."""
    return at.replace(microsecond=0)


def money(cents: int) -> dict[str, str]:
    """Centavos as v0 tells them."""
    return {"CurrencyCode": "BRL", "Amount": f"{cents // 100}.{cents % 100:02d}"}


@dataclass(slots=True)
class Restricted:
    """A restricted data token: the path that it opens, and until when."""

    path: str
    ends: float


class Amazon(Store):
    """The account. An order takes its units when it is placed; a number that was submitted lands after `delay`."""

    def __init__(
        self,
        products: Sequence[Product],
        seed: int,
        *,
        limited: bool,
        delay: float,
        lag: float,
        personal: bool,
        most: int,
        now: Callable[[], datetime],
    ) -> None:
        self.submitted: list[tuple[datetime, Item, int]] = []
        self.hook, self.key = "", EVENT_KEY
        super().__init__(products, seed, now=now, first_id=10_000 * (seed + 1))
        self.limited, self.personal, self.most = limited, personal, most
        self.delay, self.lag = timedelta(seconds=delay), timedelta(seconds=lag)
        self.tokens: dict[str, float] = {}
        self.consents = Consents()
        self.restricted: dict[str, Restricted] = {}
        self.buckets: dict[str, tuple[float, float]] = {}
        self.lead_times: dict[str, int] = {}  # lead_time_to_ship_max_days by SKU
        self.app[ACCOUNT] = self
        self.app.middlewares.append(_gate)
        self._route()
        add_controls(self)

    # ── What the demo and the tests ask ─────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        """The application, the seller's refresh token, and the key of the event bus."""
        self.base = base_url.rstrip("/")
        told = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH}
        return {**told, "seller_id": SELLER, "event_key": EVENT_KEY, "endpoint": self.base}

    def word(self, sale: Sale) -> str:
        return STATUSES[sale.stage]

    def ref(self, sale: Sale) -> str:
        return f"702-{sale.id:07d}-{sale.id * 7919 % 10_000_000:07d}"

    def sale_of(self, ref: object) -> Sale:
        parts = str(ref).split("-")
        sale = super().sale_of(int(parts[1])) if len(parts) == 3 and parts[1].isdecimal() else None
        if sale is None or self.ref(sale) != ref:
            raise LookupError("unknown_order")
        return sale

    def shelf(self) -> dict[str, int]:
        self.land()
        return super().shelf()

    def extra_act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Also callback {url}: where the bus sends events; request_cancel {order_ref}, by the buyer."""
        if verb == "callback":
            self.hook = str(wanted["url"])
            return {"url": self.hook}
        if verb == "request_cancel":
            sale = self.sale_of(wanted["order_ref"])
            sale.extra["unwanted"] = True
            self._changed(sale, "changed")
            return {"order_ref": self.ref(sale)}
        return super().extra_act(verb, wanted)

    def land(self) -> None:
        """Submitted numbers whose time has come are for sale."""
        at = self.now()
        due = [each for each in self.submitted if each[0] <= at]
        self.submitted = [each for each in self.submitted if each[0] > at]
        for _, item, units in due:
            self.set_units(item, units)

    # ── Events ──────────────────────────────────────────────────────────────────────────────────────────────

    def sale_changed(self, sale: Sale, event: str) -> None:
        del event
        change = {
            "NotificationLevel": "OrderLevel", "SellerId": SELLER, "AmazonOrderId": self.ref(sale),
            "OrderChangeType": "OrderStatusChange",
            "Summary": {
                "MarketplaceId": MARKETPLACE, "OrderStatus": self.word(sale), "FulfillmentType": self._keeper(sale),
            },
        }  # fmt: skip
        self._tell("ORDER_CHANGE", {"OrderChangeNotification": change})

    def item_changed(self, item: Item) -> None:
        told = {"SellerId": SELLER, "FulfillmentChannelCode": "DEFAULT", "Sku": item.sku, "Quantity": item.units}
        self._tell("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", told)

    def _tell(self, kind: str, payload: dict[str, Any]) -> None:
        if not self.hook:
            return
        at, number = stamp(self.now()), f"{self.new_id():08x}-da2c-4f9c-9bc7-{self.chance.randrange(16**12):012x}"
        told = {
            "NotificationVersion": "1.0", "NotificationType": kind, "PayloadVersion": "1.0", "EventTime": at,
            "Payload": payload,
            "NotificationMetadata": {
                "ApplicationId": "amzn1.sp.solution.balcao", "SubscriptionId": "93b098e1-c42d-2f45-93a1-78910a6a8369",
                "PublishTime": at, "NotificationId": number,
            },
        }  # fmt: skip
        bus = {
            "version": "0", "id": number, "detail-type": kind,
            "source": f"aws.partner/sellingpartnerapi.amazon.com/{CLIENT_ID}",
            "account": "123456789012", "time": at, "region": "us-east-1", "resources": [], "detail": told,
        }  # fmt: skip
        headers = {"Content-Type": "application/json; charset=utf-8", "x-api-key": self.key}
        self.courier.send(Delivery(self.hook, headers, json.dumps(bus).encode(), timeout=5, retries=RETRIES))

    # ── The door ────────────────────────────────────────────────────────────────────────────────────────────

    def admit(self, request: web.Request) -> None:
        """None without a user agent and a token that is good here; each operation has its own bucket."""
        if "/" not in request.headers.get("User-Agent", "").partition(" ")[0]:
            raise Refusal(400, "InvalidInput", "User-Agent header is required")
        shown = request.headers.get("x-amz-access-token", "")
        restricted = self.restricted.get(shown)
        good = restricted.ends if restricted and restricted.path == request.path else self.tokens.get(shown, 0.0)
        if not shown or good <= time.monotonic():
            raise Refusal(403, "Unauthorized", DENIED, "The access token you provided has expired." if shown else "")
        operation = request.match_info.route.name or ""
        if self.limited and not self._spend(operation):
            raise Refusal(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")

    def _spend(self, operation: str) -> bool:
        rate, burst = RATES[operation]
        at = time.monotonic()
        left, before = self.buckets.get(operation, (float(burst), at))
        left = min(float(burst), left + (at - before) * rate)
        self.buckets[operation] = (left - (left >= 1), at)
        return left >= 1

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            told = {"error": "invalid_client", "error_description": "Client authentication failed"}
            return web.json_response(told, status=401)
        renews = form.get("grant_type") == "refresh_token" and form.get("refresh_token") == REFRESH
        traded = form.get("grant_type") == "authorization_code" and self.consents.take(form.get("code"))
        if not (renews or traded):
            told = {"error": "invalid_grant", "error_description": "The request has an invalid grant parameter"}
            return web.json_response(told, status=400)
        access = f"Atza|{self.chance.randrange(16**24):024x}"
        self.tokens[access] = time.monotonic() + TOKEN_SECONDS
        kept = {"refresh_token": REFRESH, "token_type": "bearer", "expires_in": TOKEN_SECONDS}
        return web.json_response({"access_token": access, **kept})

    async def consent(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("application_id") != APPLICATION:
            raise Refusal(400, "InvalidInput", "MD1000")
        told = {"selling_partner_id": SELLER}
        back, state = request.query["redirect_uri"], request.query["state"]
        raise web.HTTPFound(self.consents.answer(state, back=back, name="spapi_oauth_code", **told))

    async def restrict(self, request: web.Request) -> web.Response:
        (wanted,) = (await request.json())["restrictedResources"]
        if not self.personal:
            raise Refusal(403, "Unauthorized", DENIED, "Application does not have the role for restricted data.")
        token = f"Atz.sprdt|{self.chance.randrange(16**24):024x}"
        self.restricted[token] = Restricted(wanted["path"], time.monotonic() + RESTRICTED_SECONDS)
        return web.json_response({"restrictedDataToken": token, "expiresIn": RESTRICTED_SECONDS})

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def _keeper(self, sale: Sale) -> str:
        return "AFN" if any(line.item.managed_by == "marketplace" for line in sale.lines) else "MFN"

    def _order(self, sale: Sale, *, whole: bool = False) -> dict[str, Any]:
        """What is told of an order; `whole`: with who bought it and where it goes."""
        sent = sum(self._shipped(sale, line) for line in sale.lines)
        midnight = sale.created.replace(hour=3, minute=0, second=0)
        told: dict[str, Any] = {
            "AmazonOrderId": self.ref(sale), "SellerOrderId": self.ref(sale), "PurchaseDate": stamp(sale.created),
            "LastUpdateDate": stamp(sale.changed), "OrderStatus": self.word(sale), "MarketplaceId": MARKETPLACE,
            "FulfillmentChannel": self._keeper(sale), "SalesChannel": "Amazon.com.br", "OrderType": "StandardOrder",
            "SellerDisplayName": "Loja de Exemplo", "NumberOfItemsShipped": sent,
            "NumberOfItemsUnshipped": sum(line.quantity for line in sale.lines) - sent,
            "ElectronicInvoiceStatus": "NotRequired", "IsBusinessOrder": False, "IsPrime": False,
            "LatestShipDate": stamp(midnight + timedelta(days=3, seconds=-1)),
            "LatestDeliveryDate": stamp(midnight + timedelta(days=9, seconds=-1)),
        }  # fmt: skip
        if sale.stage == "placed":
            return told  # neither prices nor anybody's address yet
        told["OrderTotal"] = money(sale.total_cents)
        who = sale.buyer
        told["ShippingAddress"] = {"City": who.city, "StateOrRegion": who.state, "PostalCode": who.postal_code,
                                   "CountryCode": "BR"}  # fmt: skip
        if whole:
            told["BuyerInfo"] = {
                "BuyerEmail": f"{sale.id}@marketplace.amazon.com.br", "BuyerName": who.name,
                "BuyerTaxInfo": {"TaxClassifications": [{"Name": "CPF", "Value": who.cpf}]},
            }  # fmt: skip
            told["ShippingAddress"] |= {
                "Name": who.name, "AddressLine1": f"{who.street}, {who.number}", "Phone": who.phone,
                "ExtendedFields": {
                    "StreetName": who.street, "StreetNumber": who.number, "Complement": who.complement,
                    "Neighborhood": who.district,
                },
            }  # fmt: skip
        return told

    def _shipped(self, sale: Sale, line: Line) -> int:
        return line.quantity if sale.stage in ("dispatched", "delivered", "returned") else 0

    def _line(self, sale: Sale, n: int, line: Line) -> dict[str, Any]:
        told: dict[str, Any] = {
            "ASIN": asin(line.item), "SellerSKU": line.item.sku, "OrderItemId": str(line.id), "Title": line.item.title,
            "QuantityOrdered": line.quantity - line.cancelled * (sale.stage != "cancelled"),
            "QuantityShipped": self._shipped(sale, line), "IsGift": "false",
            "BuyerRequestedCancel": {"IsBuyerRequestedCancel": str(bool(sale.extra.get("unwanted"))).lower()},
        }  # fmt: skip
        if sale.stage != "placed":
            told["ItemPrice"] = money(line.cents * line.quantity)
            told["ShippingPrice"] = money(SHIPPING_CENTS if n == 0 else 0)
        return told

    async def list_orders(self, request: web.Request) -> web.Response:
        """A window of changes, oldest first; the token of a page says where in it the page ended."""
        query = request.query
        if query.get("MarketplaceIds") != MARKETPLACE or "LastUpdatedAfter" not in query:
            raise Refusal(400, "InvalidInput", "MarketplaceIds and LastUpdatedAfter are required")
        after, size = datetime.fromisoformat(query["LastUpdatedAfter"]), int(query.get("MaxResultsPerPage", 100))
        if not 1 <= size <= 100:
            raise Refusal(400, "InvalidInput", "MaxResultsPerPage must be between 1 and 100")
        before, place = second(self.now() - self.lag), (after, 0)
        if token := query.get("NextToken"):
            told = json.loads(base64.urlsafe_b64decode(token))
            if told["after"] != query["LastUpdatedAfter"]:
                raise Refusal(400, "InvalidInput", "NextToken is not valid for these parameters")
            before = datetime.fromisoformat(told["before"])
            place = (datetime.fromisoformat(told["changed"]), told["id"])
        found = ((second(sale.changed), sale.id) for sale in self.changed_since(second(after)))
        window = sorted(key for key in found if key > place and key[0] <= before)
        told = {
            "Orders": [self._order(self.sales[number]) for _, number in window[:size]],
            "LastUpdatedBefore": stamp(self.now() - self.lag),  # of this page; the window's own stands in the token
        }
        if len(window) > size:
            changed, number = window[size - 1]
            page = {
                "after": query["LastUpdatedAfter"],
                "before": stamp(before),
                "changed": stamp(changed),
                "id": number,
            }
            told["NextToken"] = base64.urlsafe_b64encode(json.dumps(page).encode()).decode()
        return web.json_response({"payload": told})

    def _sale(self, request: web.Request) -> Sale:
        try:
            return self.sale_of(request.match_info["id"])
        except LookupError:
            raise Refusal(404, "NotFound", "The specified order does not exist") from None

    async def get_order(self, request: web.Request) -> web.Response:
        whole = request.headers["x-amz-access-token"] in self.restricted
        return web.json_response({"payload": self._order(self._sale(request), whole=whole)})

    async def get_items(self, request: web.Request) -> web.Response:
        sale = self._sale(request)
        rows = [self._line(sale, n, line) for n, line in enumerate(sale.lines)]
        return web.json_response({"payload": {"AmazonOrderId": self.ref(sale), "OrderItems": rows}})

    async def confirm(self, request: web.Request) -> web.Response:
        sale, told = self._sale(request), await request.json()
        parcel = told["packageDetail"]
        datetime.fromisoformat(parcel["shipDate"])
        known = {str(line.id): line.quantity - line.cancelled for line in sale.lines}
        wrong = [row for row in parcel["orderItems"] if not 1 <= row["quantity"] <= known.get(row["orderItemId"], 0)]
        number, carrier = parcel["packageReferenceId"], parcel["carrierCode"]
        if wrong or told["marketplaceId"] != MARKETPLACE or sale.stage != "paid" or not number.isdecimal():
            raise Refusal(400, "InvalidInput", "Invalid Input")
        if carrier == "Other" and not parcel.get("carrierName"):
            raise Refusal(400, "InvalidInput", "carrierName is required when carrierCode is Other")
        self.dispatch(sale, parcel["trackingNumber"])
        return web.Response(status=204)

    # ── Listings ────────────────────────────────────────────────────────────────────────────────────────────

    def _listing(self, item: Item, wanted: Sequence[str]) -> dict[str, Any]:
        made = stamp(made_at(item))
        here = {"marketplaceId": MARKETPLACE}
        code = "AMAZON_NA" if item.managed_by == "marketplace" else "DEFAULT"
        gtin = {"type": "ean", "value": item.gtin, "marketplace_id": MARKETPLACE}
        told: dict[str, Any] = {
            "summaries": [
                {**here, "asin": asin(item), "productType": "PRODUCT", "conditionType": "new_new",
                 "status": ["BUYABLE", "DISCOVERABLE"] if item.live else [], "createdDate": made,
                 "itemName": " ".join(filter(None, (item.family, item.title))), "lastUpdatedDate": stamp(item.changed)},
            ],
            "attributes": {"externally_assigned_product_identifier": [gtin]} if item.gtin else {},
            "offers": [{**here, "offerType": "B2C",
                        "price": {"currencyCode": "BRL", "amount": money(item.price_cents)["Amount"]}}],
            "fulfillmentAvailability": [{"fulfillmentChannelCode": code, "quantity": item.units}],
            "relationships": [],
        }  # fmt: skip
        return {"sku": item.sku, **{key: told[key] for key in wanted}}

    def _seller(self, request: web.Request) -> list[str]:
        if request.match_info["seller"] != SELLER:
            raise Refusal(403, "Unauthorized", DENIED)
        if request.query.get("marketplaceIds") != MARKETPLACE:
            raise Refusal(400, "InvalidInput", "marketplaceIds is required")
        return request.query.get("includedData", "summaries").split(",")

    async def list_listings(self, request: web.Request) -> web.Response:
        wanted, query = self._seller(request), request.query
        size, start = int(query.get("pageSize", 10)), int(query.get("pageToken", 0))
        if not 1 <= size <= 20:
            raise Refusal(400, "InvalidInput", "pageSize must be between 1 and 20")
        every = list(self.items.values())  # in the order in which they were made
        after = query.get("createdAfter")
        rows = every[bisect_left(every, datetime.fromisoformat(after), key=made_at) :] if after else every
        page = rows[start : min(start + size, self.most)]
        told: dict[str, Any] = {
            "numberOfResults": len(rows),
            "items": [self._listing(item, wanted) for item in page],
        }
        if start + size < min(len(rows), self.most):
            told["pagination"] = {"nextToken": str(start + size)}
        return web.json_response(told)

    def _item(self, request: web.Request) -> Item:
        item = self.by_sku.get(unquote(request.match_info["sku"]))
        if item is None:
            raise Refusal(404, "NOT_FOUND", "Requested SKU was not found.")
        return item

    async def get_listing(self, request: web.Request) -> web.Response:
        wanted = self._seller(request)
        return web.json_response(self._listing(self._item(request), wanted))

    async def patch_listing(self, request: web.Request) -> web.Response:
        """Taken whatever it says about the product; one that makes no sense is INVALID, with a 200."""
        self._seller(request)
        item, told = self._item(request), await request.json()
        (patch,) = told["patches"]
        (value,) = patch["value"]
        number, units = f"{self.chance.randrange(16**32):032x}", value["quantity"]
        answer = {"sku": item.sku, "status": "ACCEPTED", "submissionId": number, "issues": []}
        if (
            value.get("fulfillment_channel_code") != "DEFAULT"
            or patch["path"] != "/attributes/fulfillment_availability"
        ):
            issue = {"code": "90000900", "message": "The attributes are invalid.", "severity": "ERROR",
                     "attributeNames": ["fulfillment_availability"], "categories": ["INVALID_ATTRIBUTE"]}  # fmt: skip
            return web.json_response(answer | {"status": "INVALID", "issues": [issue]})
        if not isinstance(units, int) or units < 0:
            raise Refusal(400, "InvalidInput", "Invalid input", "quantity")
        if patch["op"] == "replace":
            self.lead_times.pop(item.sku, None)
        self.submitted.append((self.now() + self.delay, item, units))
        self.land()
        return web.json_response(answer)

    def _route(self) -> None:
        router, orders, items = self.app.router, "/orders/v0/orders", "/listings/2021-08-01/items/{seller}"
        router.add_get("/apps/authorize/consent", self.consent)
        router.add_post("/auth/o2/token", self.token)
        router.add_post("/tokens/2021-03-01/restrictedDataToken", self.restrict, name="restricted")
        router.add_get(orders, self.list_orders, name="orders")
        router.add_get(orders + "/{id}", self.get_order, name="order")
        router.add_get(orders + "/{id}/orderItems", self.get_items, name="order_items")
        router.add_post(orders + "/{id}/shipmentConfirmation", self.confirm, name="shipment")
        router.add_get(items, self.list_listings, name="listings")
        router.add_get(items + "/{sku}", self.get_listing, name="listing")
        router.add_patch(items + "/{sku}", self.patch_listing, name="stock")


def made_at(item: Item) -> datetime:
    """When a listing was made: a minute after the one before it."""
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=item.id)


def asin(item: Item) -> str:
    """Ten characters, as books had them first."""
    return f"B{item.id:09d}"


ACCOUNT: web.AppKey[Amazon] = web.AppKey("account", Amazon)


def create(
    products: Sequence[Product],
    *,
    seed: int = 0,
    limited: bool = False,
    delay: float = 0.0,
    lag: float = 0.0,
    personal: bool = True,
    most: int = MOST_LISTED,
    now: Callable[[], datetime] = utc_now,
) -> Amazon:
    """An account that sells `products`.

    `limited`: as many calls as Amazon allows; `delay`: seconds until a submitted number is for sale (minutes there);
    `lag`: by how many seconds the list of orders is late (120 there); `personal`: whether the application has the role
    for names and addresses; `most`: listings that one search pages through.
    """
    return Amazon(products, seed, limited=limited, delay=delay, lag=lag, personal=personal, most=most, now=now)

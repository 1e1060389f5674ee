"""A VTEX store in memory: a feed whose messages come back unless confirmed, a hook, one warehouse, reservations."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from hub.sandbox import Delivery, Handler, Product, add_controls
from hub.sandbox_store import SHIPPING_CENTS, Item, Sale, Store, page_of, utc_now

APP_KEY, APP_TOKEN = "vtexappkey-balcao-SANDBX", "D1" * 30
WAREHOUSE = "1_1"
STATES = {
    "placed": "payment-pending", "paid": "ready-for-handling", "dispatched": "invoiced", "delivered": "invoiced",
    "returned": "invoiced", "cancelled": "canceled",
}  # fmt: skip
RETRIES = (1.0, 2.0, 4.0)


class Refusal(Exception):
    """An error in one of VTEX's shapes."""

    def __init__(self, status: int, message: str, code: str = "1") -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": {"code": code, "message": message, "exception": None}}


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    try:
        shown = request.headers.get("X-VTEX-API-AppKey"), request.headers.get("X-VTEX-API-AppToken")
        if shown != (APP_KEY, APP_TOKEN):
            return web.json_response(Refusal(401, "Unauthorized access").body, status=401)
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.body, status=refusal.status)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed, LookupError):
        return web.json_response({"Message": "Not found"}, status=404)
    except (ValueError, TypeError) as problem:
        return web.json_response({"Message": f"The request is invalid: {problem}"}, status=400)


def clock(at: datetime | None) -> str | None:
    """A time with seven places and an offset."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0+00:00" if at else None


class Vtex(Store):
    """The store. Orders are `NUMBER-01`; what it is told is physical, its own reservations included."""

    physical = True

    def __init__(
        self, products: Sequence[Product], seed: int, *, visibility: float, now: Callable[[], datetime]
    ) -> None:
        super().__init__(products, seed, now=now, first_id=10_000 * (seed + 1))
        self.account, self.visibility = f"loja{seed}", visibility
        self.hook: tuple[dict[str, Any], str, dict[str, str]] | None = None
        self.feed: dict[str, dict[str, Any]] | None = None
        self.feed_filter: dict[str, Any] = {}
        self.hidden: dict[str, datetime] = {}  # messages somebody took, until when
        self.app.middlewares.append(_gate)
        self._route()
        add_controls(self)

    def credentials(self, base_url: str) -> dict[str, str]:
        """An application key of this store."""
        self.base = base_url.rstrip("/")
        return {"account_name": self.account, "app_key": APP_KEY, "app_token": APP_TOKEN, "endpoint": self.base}

    def word(self, sale: Sale) -> str:
        return STATES[sale.stage]

    def ref(self, sale: Sale) -> str:
        return f"{sale.id}-01"

    def sale_of(self, ref: object) -> Sale:
        return super().sale_of(str(ref).removesuffix("-01"))

    def extra_act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Also relay {lines, marketplace, ref}: an order of a marketplace that VTEX fulfils; forget {}: the feed."""
        if verb == "forget":
            self.feed = None
            return {}
        if verb == "relay":
            sale = self.buy(wanted["lines"], pay=False)
            sale.extra["marketplace"] = (str(wanted["marketplace"]), str(wanted["ref"]))
            self.pay(sale)
            return {"order_ref": self.ref(sale)}
        return super().extra_act(verb, wanted)

    def sale_changed(self, sale: Sale, event: str) -> None:
        del event
        told = {
            "eventId": f"{self.new_id():032X}", "domain": "Marketplace", "state": self.word(sale),
            "orderId": self.ref(sale), "lastChange": clock(sale.changed), "currentChange": clock(sale.changed),
        }  # fmt: skip
        if self.feed is not None:
            handle = f"H{told['eventId']}"
            self.feed[handle] = {**told, "handle": handle}
        if self.hook:
            _filter, url, headers = self.hook
            body = {
                "Domain": "Marketplace", "OrderId": self.ref(sale), "State": self.word(sale),
                "LastChange": clock(sale.changed), "Origin": {"Account": self.account, "Key": APP_KEY},
            }  # fmt: skip
            sent = {**headers, "Content-Type": "application/json"}
            self.courier.send(Delivery(url, sent, json.dumps(body).encode(), timeout=5, retries=RETRIES))

    # ── Documents ───────────────────────────────────────────────────────────────────────────────────────────

    def _packages(self, sale: Sale) -> list[dict[str, Any]]:
        items = [{"itemIndex": n, "quantity": line.quantity - line.cancelled} for n, line in enumerate(sale.lines)]
        found = [
            {**invoice, "items": items, "type": "Output", "courierStatus": sale.extra.get("courier")}
            for invoice in sale.extra.get("invoices", [])
        ]
        if sale.dispatched and not found:  # sent by hand in the panel
            done = {"status": "ok", "finished": sale.delivered is not None}
            found = [
                {"items": items, "invoiceNumber": str(sale.id), "trackingNumber": sale.tracking or "SEM-CODIGO",
                 "courier": "Correios", "type": "Output", "invoiceValue": sale.total_cents, "courierStatus": done},
            ]  # fmt: skip
        if sale.stage == "returned":
            found.append({"items": items, "invoiceNumber": f"{sale.id}D", "type": "Input"})
        return found

    def _order(self, sale: Sale) -> dict[str, Any]:
        who, ref = sale.buyer, self.ref(sale)
        first, _, last = who.name.partition(" ")
        name, born = sale.extra.get("marketplace", (None, None))
        items: list[dict[str, Any]] = [
            {
                "uniqueId": f"{line.id:032X}", "id": str(line.item.id), "productId": str(line.item.parent or 1),
                "refId": line.item.sku, "ean": line.item.gtin, "quantity": line.quantity, "name": line.item.title,
                "price": line.cents, "sellingPrice": line.cents, "priceTags": [],
            }
            for line in sale.lines
        ]  # fmt: skip
        return {
            "orderId": ref, "sequence": str(500_000 + sale.id), "marketplaceOrderId": born or ref,
            "status": self.word(sale),
            "origin": "Fulfillment" if born else "Marketplace", "marketplace": {"name": name or self.account},
            "value": sale.total_cents, "creationDate": clock(sale.created), "lastChange": clock(sale.changed),
            "authorizedDate": clock(sale.paid), "items": items,
            "totals": [{"id": "Items", "value": sale.items_cents}, {"id": "Discounts", "value": 0},
                       {"id": "Shipping", "value": SHIPPING_CENTS}, {"id": "Tax", "value": 0}],
            "clientProfileData": {"userProfileId": f"u{len(who.name)}", "firstName": first, "lastName": last,
                                  "email": who.email, "phone": f"+55{who.phone}", "documentType": "cpf",
                                  "document": who.cpf, "isCorporate": False},
            "shippingData": {
                "address": {"receiverName": who.name, "street": who.street, "number": who.number,
                            "complement": who.complement, "neighborhood": who.district, "city": who.city,
                            "state": who.state, "postalCode": who.postal_code, "country": "BRA"},
                "logisticsInfo": [],
            },
            "packageAttachment": {"packages": self._packages(sale)}, "storePreferencesData": {"currencyCode": "BRL"},
            "cancellationData": {"CancellationDate": clock(sale.cancelled)} if sale.cancelled else None,
        }  # fmt: skip

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────

    async def list_orders(self, request: web.Request) -> web.Response:
        page, size = int(request.query.get("page", 1)), int(request.query.get("per_page", 15))
        if page > 30 or size > 100:
            raise Refusal(400, "Max page exceed")
        sales = sorted(self.sales.values(), key=lambda sale: -sale.id)
        told = [{"orderId": self.ref(sale), "status": self.word(sale)} for sale in page_of(sales, page, size)]
        return web.json_response({"list": told, "paging": {"total": len(sales), "currentPage": page}})

    async def get_order(self, request: web.Request) -> web.Response:
        return web.json_response(self._order(self.sale_of(request.match_info["id"])))

    async def post_invoice(self, request: web.Request) -> web.Response:
        sale, told = self.sale_of(request.match_info["id"]), await request.json()
        if sale.stage != "paid":
            raise Refusal(409, f"The order is {self.word(sale)}", "OMS003")
        if told["type"] != "Output" or not told["invoiceNumber"] or told["invoiceValue"] != sale.total_cents:
            raise Refusal(400, "The sum of the invoices must be the order's value")
        sale.extra.setdefault("invoices", []).append({key: told.get(key) for key in (
            "invoiceNumber", "invoiceValue", "invoiceKey", "issuanceDate", "courier", "trackingNumber", "trackingUrl",
        )})  # fmt: skip
        self.dispatch(sale, told.get("trackingNumber"))
        return web.json_response({"date": clock(self.now()), "orderId": self.ref(sale), "receipt": "r1"})

    def _invoice(self, request: web.Request) -> tuple[Sale, dict[str, Any]]:
        sale = self.sale_of(request.match_info["id"])
        number = request.match_info["number"]
        return sale, next(one for one in [*sale.extra.get("invoices", []), {}] if one.get("invoiceNumber") == number)

    async def patch_invoice(self, request: web.Request) -> web.Response:
        sale, invoice = self._invoice(request)
        invoice |= {key: told for key, told in (await request.json()).items() if key != "dispatchedDate"}
        self.dispatch(sale, invoice.get("trackingNumber"))
        return web.json_response({"orderId": self.ref(sale), "receipt": "r2"})

    async def put_tracking(self, request: web.Request) -> web.Response:
        sale, _invoice = self._invoice(request)
        told = await request.json()
        sale.extra["courier"] = {"status": "ok", "finished": told["isDelivered"], "data": told["events"]}
        if told["isDelivered"]:
            self.deliver(sale)
        else:
            self._changed(sale, "changed")
        return web.json_response({"orderId": self.ref(sale), "receipt": "r3"})

    # ── Feed and hook ───────────────────────────────────────────────────────────────────────────────────────

    async def configure_feed(self, request: web.Request) -> web.Response:
        told = await request.json()
        self.feed, self.feed_filter = self.feed or {}, told["filter"]
        return web.json_response({**told, "quantity": len(self.feed)})

    async def get_feed(self, _request: web.Request) -> web.Response:
        if self.feed is None:
            raise Refusal(404, "Feed not configured")
        return web.json_response({"filter": self.feed_filter, "quantity": len(self.feed)})

    async def read_feed(self, request: web.Request) -> web.Response:
        if self.feed is None:
            raise Refusal(404, "Feed not configured")
        at, lot = self.now(), int(request.query.get("maxlot", 1))
        ready = [handle for handle in self.feed if self.hidden.get(handle, at) <= at][:lot]
        self.hidden |= dict.fromkeys(ready, at + timedelta(seconds=self.visibility))
        return web.json_response([self.feed[handle] for handle in ready])

    async def commit_feed(self, request: web.Request) -> web.Response:
        for handle in (await request.json())["handles"]:
            if self.feed is not None:
                self.feed.pop(handle, None)
        return web.json_response({})

    async def get_hook(self, _request: web.Request) -> web.Response:
        if self.hook is None:
            raise Refusal(404, "Hook not configured")
        kept, url, headers = self.hook
        return web.json_response({"filter": kept, "hook": {"url": url, "headers": headers}})

    async def post_hook(self, request: web.Request) -> web.Response:
        told = await request.json()
        self.hook = (told["filter"], told["hook"]["url"], told["hook"]["headers"])
        ping = {**self.hook[2], "Content-Type": "application/json"}
        self.courier.send(Delivery(self.hook[1], ping, b'{"hookConfig": "ping"}'))
        return web.json_response(told)

    # ── SKUs and stock ──────────────────────────────────────────────────────────────────────────────────────

    def _item(self, request: web.Request) -> Item:
        return self.items[int(request.match_info["sku"])]

    async def list_skus(self, request: web.Request) -> web.Response:
        page, size = int(request.query["page"]), int(request.query["pagesize"])
        return web.json_response(list(page_of(sorted(self.items), page, size)))

    async def get_sku(self, request: web.Request) -> web.Response:
        item = self._item(request)
        told = {
            "Id": item.id, "ProductId": item.parent or item.id, "SkuName": item.title, "IsActive": item.live,
            "NameComplete": " ".join(filter(None, (item.family, item.title))), "IsKit": False,
            "AlternateIds": {"RefId": item.sku, "Ean": item.gtin},
        }  # fmt: skip
        return web.json_response(told)

    async def get_inventory(self, request: web.Request) -> web.Response:
        item = self._item(request)
        row = {"warehouseId": WAREHOUSE, "totalQuantity": item.units, "reservedQuantity": item.reserved,
               "hasUnlimitedQuantity": False}  # fmt: skip
        return web.json_response({"skuId": str(item.id), "balance": [row]})

    async def patch_quantity(self, request: web.Request) -> web.Response:
        item, told = self._item(request), await request.json()
        if "unlimitedQuantity" not in told:
            raise Refusal(400, "unlimitedQuantity is required")
        if request.match_info["place"] != WAREHOUSE:
            raise LookupError(request.match_info["place"])
        self.set_units(item, int(told["quantity"]))
        return web.Response(status=204)

    async def warehouses(self, _request: web.Request) -> web.Response:
        return web.json_response([{"id": WAREHOUSE, "name": "Principal", "isActive": True}])

    def _route(self) -> None:
        router, orders = self.app.router, "/api/oms/pvt/orders"
        skus, catalogue = "/api/logistics/pvt/inventory/skus/{sku:\\d+}", "/api/catalog_system/pvt/sku"
        router.add_get(orders, self.list_orders)
        router.add_get(orders + "/{id}", self.get_order)
        router.add_post(orders + "/{id}/invoice", self.post_invoice)
        router.add_patch(orders + "/{id}/invoice/{number}", self.patch_invoice)
        router.add_put(orders + "/{id}/invoice/{number}/tracking", self.put_tracking)
        router.add_get("/api/orders/feed/config", self.get_feed)
        router.add_post("/api/orders/feed/config", self.configure_feed)
        router.add_get("/api/orders/feed", self.read_feed)
        router.add_post("/api/orders/feed", self.commit_feed)
        router.add_get("/api/orders/hook/config", self.get_hook)
        router.add_post("/api/orders/hook/config", self.post_hook)
        router.add_get(f"{catalogue}/stockkeepingunitids", self.list_skus)
        router.add_get(catalogue + "/stockkeepingunitbyid/{sku:\\d+}", self.get_sku)
        router.add_get(skus, self.get_inventory)
        router.add_patch(skus + "/warehouses/{place}/quantity", self.patch_quantity)
        router.add_get("/api/logistics/pvt/configuration/warehouses", self.warehouses)


def create(
    products: Sequence[Product], *, seed: int = 0, visibility: float = 240.0, now: Callable[[], datetime] = utc_now
) -> Vtex:
    """A store that sells `products`; `visibility`: seconds after which an unconfirmed message comes back."""
    return Vtex(products, seed, visibility=visibility, now=now)

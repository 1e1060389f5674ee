"""A Nuvemshop store in memory: one location, variants in products, fulfilment orders, hooks that are tried again."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from hub.sandbox import Consents, Delivery, Handler, Product, add_controls
from hub.sandbox_store import SHIPPING_CENTS, Item, Sale, Store, page_of, utc_now

TOKEN, CLIENT_ID, CLIENT_SECRET = "8cdd0dfbda4c5f0e2b6a6f7d2e1f0a9b8c7d6e5f", "1477", "nuvem-" + "c3" * 20
LOCATION = "01GQ2ZHK64TQRGGDT2WEAXJVNP"
PAYMENTS = {"placed": "pending", "returned": "refunded", "cancelled": "voided"}  # else paid
SHIPPED = ("dispatched", "delivered", "returned")
EVENTS = {
    "created": ("created",), "paid": ("updated", "paid"), "cancelled": ("updated", "cancelled"),
    "dispatched": ("updated", "fulfilled"), "changed": ("updated",), "delivered": ("updated",),
    "returned": ("updated",),
}  # fmt: skip
RETRIES = (1.0, 2.0, 4.0)  # at once, then after 5, 10, 15 minutes, in a demo's seconds
MOST = 10_000


class Refusal(Exception):
    """An error in one of the store's shapes."""

    def __init__(self, status: int, message: str, description: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": status, "message": message, "description": description or message}


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    try:
        request.app[STORE].admit(request)
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.body, status=refusal.status)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed, LookupError):
        return web.json_response({"code": 404, "message": "Not Found", "description": "Not found"}, status=404)
    except (ValueError, TypeError) as problem:
        return web.json_response({"error": f"Bad Request: {problem}"}, status=400)


def clock(at: datetime | None) -> str | None:
    """A time of UTC in whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+0000" if at else None


def money(cents: int) -> str:
    """Centavos as the API tells them."""
    return f"{cents / 100:.2f}"


class Nuvem(Store):
    """The store. A product without variants has one that holds its stock."""

    def __init__(self, products: Sequence[Product], seed: int, *, most: int, now: Callable[[], datetime]) -> None:
        super().__init__(products, seed, now=now, first_id=10_000 * (seed + 1))
        self.store_id, self.most = str(817_000 + seed), most
        self.hooks: dict[int, dict[str, str]] = {}
        self.consents = Consents()
        self.events: list[tuple[int, str]] = []
        self.families: dict[int, list[Item]] = {}
        for item in self.items.values():
            self.families.setdefault(item.parent or item.id + 500_000, []).append(item)
        self.app[STORE] = self
        self.app.middlewares.append(_gate)
        self._route()
        add_controls(self)

    def credentials(self, base_url: str) -> dict[str, str]:
        """The store's token, and the application's secret."""
        self.base = base_url.rstrip("/")
        keys = {"access_token": TOKEN, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return {"store_id": self.store_id, **keys, "contact": "loja@example.com", "endpoint": self.base}

    def word(self, sale: Sale) -> str:
        return "cancelled" if sale.stage == "cancelled" else "open"

    def sale_changed(self, sale: Sale, event: str) -> None:
        for name in EVENTS[event]:
            self._tell(f"order/{name}", {"id": sale.id})

    def item_changed(self, item: Item) -> None:
        self._tell("product/updated", {"id": self._product_of(item)})

    def _product_of(self, item: Item) -> int:
        return item.parent or item.id + 500_000

    def _tell(self, event: str, named: Mapping[str, Any]) -> None:
        body = json.dumps({"store_id": int(self.store_id), "event": event, **named}).encode()
        signature = hmac.digest(CLIENT_SECRET.encode(), body, hashlib.sha256).hex()
        headers = {"Content-Type": "application/json", "x-linkedstore-hmac-sha256": signature}
        for hook in self.hooks.values():
            if hook["event"] == event:
                self.courier.send(Delivery(hook["url"], headers, body, timeout=3, retries=RETRIES))

    def admit(self, request: web.Request) -> None:
        """A token, and somebody to write to; who reads the consent page is a browser."""
        if request.method == "GET" and request.path.startswith("/apps/"):
            return
        if "(" not in request.headers.get("User-Agent", ""):
            raise Refusal(400, "Bad Request", "User-Agent header is required, with a contact")
        if request.path == "/apps/authorize/token":
            return
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Refusal(401, "Unauthorized", "Invalid access token")
        if request.method in ("POST", "PUT", "PATCH") and request.content_type != "application/json":
            raise Refusal(415, "Unsupported Media Type")
        if not request.path.startswith(f"/{self.store_id}/"):
            raise Refusal(404, "Not Found")

    # ── Documents ───────────────────────────────────────────────────────────────────────────────────────────

    def _parcel(self, sale: Sale) -> dict[str, Any]:
        status = {"dispatched": "DISPATCHED", "delivered": "DELIVERED", "returned": "DELIVERED"}.get(
            sale.stage, "UNPACKED"
        )
        return {
            "id": f"01FHZXHK8PTP9FVK{sale.id:010d}", "order_id": str(sale.id), "status": status,
            "shipping": {"carrier": {"name": "Correios"}},
            "tracking_info": {"code": sale.tracking, "url": None} if sale.tracking else {},
        }  # fmt: skip

    def _order(self, sale: Sale) -> dict[str, Any]:
        who = sale.buyer
        line_rows = [
            {
                "id": line.id, "product_id": self._product_of(line.item), "variant_id": str(line.item.id),
                "name": " ".join(filter(None, (line.item.family, line.item.title))), "sku": line.item.sku,
                "quantity": str(line.quantity), "price": money(line.cents), "barcode": line.item.gtin,
            }
            for line in sale.lines
        ]  # fmt: skip
        place = {
            "name": who.name, "address": who.street, "number": who.number, "floor": who.complement,
            "locality": who.district, "city": who.city, "province": who.state_name, "zipcode": who.postal_code,
            "country": "BR", "phone": who.phone,
        }  # fmt: skip
        return {
            "id": sale.id, "number": sale.id % 10_000, "store_id": self.store_id, "status": self.word(sale),
            "payment_status": PAYMENTS.get(sale.stage, "paid"),
            "shipping_status": "fulfilled" if sale.stage in SHIPPED else "unpacked",
            "created_at": clock(sale.created), "updated_at": clock(sale.changed), "paid_at": clock(sale.paid),
            "cancelled_at": clock(sale.cancelled), "currency": "BRL", "subtotal": money(sale.items_cents),
            "discount": "0.00", "shipping_cost_customer": money(SHIPPING_CENTS), "total": money(sale.total_cents),
            "contact_name": who.name, "contact_email": who.email, "contact_phone": f"+55{who.phone}",
            "contact_identification": who.cpf, "customer": {"id": 400 + len(who.name), "name": who.name},
            "shipping_address": place, "products": line_rows, "fulfillments": [self._parcel(sale)],
        }  # fmt: skip

    def _product(self, number: int) -> dict[str, Any]:
        members = self.families[number]
        variants = [
            {
                "id": item.id, "product_id": number, "sku": item.sku, "barcode": item.gtin,
                "price": money(item.price_cents), "promotional_price": None, "stock_management": True,
                "stock": item.units,
                "values": [{"pt": item.title}] if item.parent else [],
                "inventory_levels": [{"id": f"L{item.id}", "location_id": LOCATION, "stock": item.units}],
            }
            for item in members
        ]  # fmt: skip
        title = members[0].family or members[0].title
        return {"id": number, "name": {"pt": title}, "published": members[0].live, "variants": variants}

    # ── Routes ──────────────────────────────────────────────────────────────────────────────────────────────

    def _page(self, request: web.Request, rows: Sequence[Any], document: Callable[[Any], Any]) -> web.Response:
        page = int(request.query.get("page", 1))
        size = min(int(request.query.get("per_page", 30)), 200)  # silently clamped
        shown = rows[: self.most]
        told = page_of(shown, page, size)
        if not told and page > 1:
            raise Refusal(404, "Not Found", f"Last page is {max(1, -(-len(shown) // size))}")
        headers = {"x-total-count": str(len(rows))}
        return web.json_response([document(row) for row in told], headers=headers)

    async def list_orders(self, request: web.Request) -> web.Response:
        def bound(name: str) -> datetime | None:
            told = request.query.get(name)
            return datetime.fromisoformat(told).replace(microsecond=0) if told else None

        after, before = bound("updated_at_min"), bound("updated_at_max")
        rows = [sale for sale in self.changed_since(after) if before is None or sale.changed <= before]
        return self._page(request, sorted(rows, key=lambda sale: -sale.id), self._order)

    async def get_order(self, request: web.Request) -> web.Response:
        return web.json_response(self._order(self.sale_of(request.match_info["id"])))

    async def list_parcels(self, request: web.Request) -> web.Response:
        return web.json_response([self._parcel(self.sale_of(request.match_info["id"]))])

    async def patch_parcel(self, request: web.Request) -> web.Response:
        sale, told = self.sale_of(request.match_info["id"]), await request.json()
        if told["status"] == "DISPATCHED":
            self.dispatch(sale, told.get("tracking_info", {}).get("code"))
        elif told["status"] == "DELIVERED":
            self.deliver(sale)
        self._tell(
            "fulfillment_order/status_updated",
            {"order_id": str(sale.id), "fulfillment_id": request.match_info["parcel"]},
        )
        return web.json_response(self._parcel(sale))

    async def post_event(self, request: web.Request) -> web.Response:
        sale, told = self.sale_of(request.match_info["id"]), await request.json()
        if sale.stage not in SHIPPED:
            raise Refusal(422, "Unprocessable Entity", "The fulfillment order was not dispatched")
        self.events.append((sale.id, str(told["status"])))
        return web.json_response({"id": f"E{self.new_id()}", **told}, status=201)

    async def list_products(self, request: web.Request) -> web.Response:
        return self._page(request, sorted(self.families), self._product)

    async def get_product(self, request: web.Request) -> web.Response:
        return web.json_response(self._product(int(request.match_info["id"])))

    async def patch_stock(self, request: web.Request) -> web.Response:
        """All or none of at most fifty variants."""
        told = await request.json()
        rows = [(product, variant) for product in told for variant in product["variants"]]
        if len(rows) > 50:
            raise Refusal(422, "Unprocessable Entity", "Too many variants sent for update")
        for product, variant in rows:
            members = {item.id for item in self.families.get(int(product["id"]), [])}
            if (
                int(variant["id"]) not in members
                or variant["inventory_levels"][0].get("location_id", LOCATION) != LOCATION
            ):
                raise Refusal(422, "Unprocessable Entity", f"Variant {variant['id']} not found")
        for _product, variant in rows:
            self.set_units(self.items[int(variant["id"])], int(variant["inventory_levels"][0]["stock"]))
        return web.json_response([self._product(int(product["id"])) for product in told])

    async def list_hooks(self, request: web.Request) -> web.Response:
        return self._page(request, [{"id": number, **hook} for number, hook in self.hooks.items()], dict)

    async def post_hook(self, request: web.Request) -> web.Response:
        told, number = await request.json(), self.new_id()
        self.hooks[number] = {"event": told["event"], "url": told["url"]}
        return web.json_response({"id": number, **self.hooks[number]}, status=201)

    async def put_hook(self, request: web.Request) -> web.Response:
        hook = self.hooks[int(request.match_info["id"])]
        hook |= {key: str(told) for key, told in (await request.json()).items() if key in hook}
        return web.json_response({"id": int(request.match_info["id"]), **hook})

    async def get_store(self, _request: web.Request) -> web.Response:
        return web.json_response({"id": int(self.store_id), "name": {"pt": "Loja de Exemplo"}, "country": "BR"})

    async def list_locations(self, _request: web.Request) -> web.Response:
        return web.json_response([{"id": LOCATION, "name": {"pt": "Depósito"}, "is_default": True}])

    async def consent(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["app"] != CLIENT_ID:
            raise Refusal(404, "Not Found")
        raise web.HTTPFound(self.consents.answer(request.query.get("state", "")))

    async def grant(self, request: web.Request) -> web.Response:
        """The store's token, which never ends. A wrong code is told in a 200."""
        told = await request.json()
        known = (told.get("client_id"), told.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if not known or not self.consents.take(told.get("code")):
            return web.json_response(
                {"error": "invalid_grant", "error_description": "The authorization code is invalid"}
            )
        scope = "read_orders,write_products"
        return web.json_response(
            {"access_token": TOKEN, "token_type": "bearer", "scope": scope, "user_id": int(self.store_id)}
        )

    def _route(self) -> None:
        router, root = self.app.router, r"/{store:\d+}"
        router.add_get(r"/apps/{app:\d+}/authorize", self.consent)
        router.add_post("/apps/authorize/token", self.grant)
        router.add_get(f"{root}/store", self.get_store)
        router.add_get(f"{root}/locations", self.list_locations)
        router.add_get(f"{root}/orders", self.list_orders)
        router.add_get(root + r"/orders/{id:\d+}", self.get_order)
        router.add_get(root + r"/orders/{id:\d+}/fulfillment-orders", self.list_parcels)
        router.add_patch(root + r"/orders/{id:\d+}/fulfillment-orders/{parcel}", self.patch_parcel)
        router.add_post(root + r"/orders/{id:\d+}/fulfillment-orders/{parcel}/tracking-events", self.post_event)
        router.add_get(f"{root}/products", self.list_products)
        router.add_patch(f"{root}/products/stock-price", self.patch_stock)
        router.add_get(root + r"/products/{id:\d+}", self.get_product)
        router.add_get(f"{root}/webhooks", self.list_hooks)
        router.add_post(f"{root}/webhooks", self.post_hook)
        router.add_put(root + r"/webhooks/{id:\d+}", self.put_hook)


STORE: web.AppKey[Nuvem] = web.AppKey("store", Nuvem)


def create(
    products: Sequence[Product], *, seed: int = 0, most: int = MOST, now: Callable[[], datetime] = utc_now
) -> Nuvem:
    """A store that sells `products`; those with one `parent` are its variants. `most`: rows that one query shows."""
    return Nuvem(products, seed, most=most, now=now)

"""A Tray store in memory: tokens in the query, everything as text, orders found by the day on which they changed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from hub.parse import SAO_PAULO
from hub.sandbox import Consents, Delivery, Handler, Product, add_controls
from hub.sandbox_store import SHIPPING_CENTS, Item, Sale, Store, page_of, utc_now

CONSUMER_KEY, CONSUMER_SECRET = "ck" + "7d" * 15, "cs" + "8e" * 15
LABELS = {
    "placed": "AGUARDANDO PAGAMENTO", "paid": "A ENVIAR", "dispatched": "ENVIADO", "delivered": "FINALIZADO",
    "returned": "FINALIZADO", "cancelled": "CANCELADO",
}  # fmt: skip
STATUSES = {"AGUARDANDO PAGAMENTO": "3", "A ENVIAR": "1", "ENVIADO": "16", "FINALIZADO": "69", "CANCELADO": "9"}
TYPES = {"ENVIADO": "closed", "FINALIZADO": "closed", "CANCELADO": "canceled"}  # else open
RETRIES = (1.0, 4.0, 9.0)  # minutes, half hours, days, in a demo's seconds
NEVER = "0000-00-00"
PARENT = 500_000  # a product's number beyond that of its one pile of stock


class Refusal(Exception):
    """An error in Tray's own shape."""

    def __init__(self, status: int, message: str, error_code: str | None = None) -> None:
        super().__init__(message)
        more = {"error_code": error_code} if error_code else {}
        self.status, self.body = status, {"code": status, "message": message, "causes": [message], **more}


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
        return web.json_response({"code": 404, "message": "Not Found", "causes": []}, status=404)
    except (ValueError, TypeError) as problem:
        return web.json_response({"code": 400, "message": "Bad Request", "causes": [str(problem)]}, status=400)


def local(at: datetime | None) -> str:
    """A time of Brasília, or zeros."""
    return f"{at.astimezone(SAO_PAULO):%Y-%m-%d %H:%M:%S}" if at else f"{NEVER} 00:00:00"


def money(cents: int) -> str:
    """Centavos as text."""
    return f"{cents / 100:.2f}"


class Tray(Store):
    """The store. Its webhooks are unsigned forms to one address of the application."""

    def __init__(self, products: Sequence[Product], seed: int, *, now: Callable[[], datetime]) -> None:
        super().__init__(products, seed, now=now, first_id=10_000 * (seed + 1))
        self.store_id, self.hook = str(391_000 + seed), ""
        self.refresh_token, self.tokens = f"tray-refresh-{seed}", {f"tray-access-{seed}-0"}
        self.renewals: Counter[str] = Counter()
        self.consents = Consents()
        self.families: dict[int, list[Item]] = {}
        for item in self.items.values():
            self.families.setdefault(self._product_of(item), []).append(item)
        self.app[STORE] = self
        self.app.middlewares.append(_gate)
        self._route()
        add_controls(self)

    def credentials(self, base_url: str) -> dict[str, str]:
        """The application's keys and the code of its installation."""
        self.base = base_url.rstrip("/")
        keys = {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET, "code": f"code-{self.store_id}"}
        return {"api_address": f"{self.base}/web_api", "store_id": self.store_id, **keys}

    def word(self, sale: Sale) -> str:
        return str(sale.extra.get("label") or LABELS[sale.stage])

    def extra_act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Also callback {url}; relay {lines, marketplace, ref}: an order of a marketplace that Tray's hub took in."""
        if verb == "callback":
            self.hook = str(wanted["url"])
            return {"url": self.hook}
        if verb == "relay":
            sale = self.buy(wanted["lines"], pay=False)
            sale.extra["marketplace"] = (str(wanted["marketplace"]), str(wanted["ref"]))
            self.pay(sale)
            return {"order_ref": self.ref(sale)}
        return super().extra_act(verb, wanted)

    def _product_of(self, item: Item) -> int:
        return item.parent or item.id + PARENT

    def sale_changed(self, sale: Sale, event: str) -> None:
        self._tell("order", sale.id, "insert" if event == "created" else "update")

    def item_changed(self, item: Item) -> None:
        if item.parent:
            self._tell("variant_stock", item.id, "update")
        else:
            self._tell("product_stock", self._product_of(item), "update")

    def _tell(self, scope: str, number: int, act: str) -> None:
        if self.hook:
            form = {"seller_id": self.store_id, "scope_id": number, "scope_name": scope, "act": act}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            self.courier.send(Delivery(self.hook, headers, urlencode(form).encode(), retries=RETRIES))

    def admit(self, request: web.Request) -> None:
        """A token in the query."""
        if request.path not in ("/web_api/auth", "/auth.php") and request.query.get("access_token") not in self.tokens:
            raise Refusal(401, "Unauthorized", "1099")

    async def consent(self, request: web.Request) -> web.StreamResponse:
        """Our state stands in the address to come back to."""
        if request.query.get("consumer_key") != CONSUMER_KEY:
            raise Refusal(401, "Unauthorized", "1099")
        home = f"{request.url.origin()}"
        told = {"api_address": f"{home}/web_api", "store": self.store_id, "store_host": home}
        raise web.HTTPFound(self.consents.answer("", back=request.query["callback"], **told))

    async def auth(self, request: web.Request) -> web.Response:
        form = dict(await request.post()) if request.method == "POST" else dict(request.query)
        good = form.get("refresh_token") == self.refresh_token
        if request.method == "POST":
            known = (form.get("consumer_key"), form.get("consumer_secret")) == (CONSUMER_KEY, CONSUMER_SECRET)
            good = known and (form.get("code") == f"code-{self.store_id}" or self.consents.take(form.get("code")))
        if not good:
            raise Refusal(401, "Unauthorized", "1099")
        self.renewals["access"] += 1
        token = f"tray-access-{self.store_id}-{self.renewals['access']}"
        self.tokens.add(token)
        ends = self.now() + timedelta(hours=3)
        return web.json_response(
            {
                "code": "200", "message": "Created tokens", "access_token": token, "refresh_token": self.refresh_token,
                "date_expiration_access_token": local(ends), "date_activated": local(self.now()),
                "api_host": f"{self.base}/web_api", "store_id": self.store_id,
            }
        )  # fmt: skip

    # ── Documents ───────────────────────────────────────────────────────────────────────────────────────────

    def _head(self, sale: Sale) -> dict[str, Any]:
        label, created = self.word(sale), local(sale.created)
        return {
            "id": str(sale.id), "status": label, "date": created[:10], "hour": created[11:],
            "modified": local(sale.changed),
            "partial_total": money(sale.items_cents), "discount": "0.00", "taxes": "0.00", "interest": "0.00",
            "shipment": "PAC", "shipment_value": money(SHIPPING_CENTS), "total": money(sale.total_cents),
            "payment_date": local(sale.paid)[:10], "sending_code": sale.tracking or "", "sending_date": NEVER,
            "OrderStatus": {"id": STATUSES.get(label, "90"), "type": TYPES.get(label, "open"), "status": label},
        }  # fmt: skip

    def _whole(self, sale: Sale) -> dict[str, Any]:
        who = sale.buyer
        place = {
            "address": who.street, "number": who.number, "complement": who.complement, "neighborhood": who.district,
            "city": who.city, "state": who.state, "zip_code": who.postal_code, "country": "Brasil",
        }  # fmt: skip
        sold = [
            {
                "id": str(line.id), "product_id": str(self._product_of(line.item)),
                "variant_id": str(line.item.id) if line.item.parent else "0", "quantity": str(line.quantity),
                "price": money(line.cents), "name": line.item.title, "reference": line.item.sku,
            }
            for line in sale.lines
        ]  # fmt: skip
        name, ref = sale.extra.get("marketplace", (None, None))
        born = [{"MarketplaceOrder": {"marketplace_name": name, "marketplace_order_id": ref}}] if name else []
        return {
            **self._head(sale),
            "Customer": {
                "id": str(700 + len(who.name)), "name": who.name, "email": who.email, "cpf": who.cpf, "cnpj": "",
                "cellphone": who.phone, "CustomerAddresses": [{"CustomerAddress": {**place, "type": "1"}}],
            },
            "ProductsSold": [{"ProductsSold": row} for row in sold], "OrderInvoice": [], "MarketplaceOrder": born,
        }  # fmt: skip

    def _product(self, number: int) -> dict[str, Any]:
        first = self.families[number][0]
        return {
            "id": str(number), "name": first.family or first.title, "reference": "" if first.parent else first.sku,
            "ean": "" if first.parent else first.gtin or "", "price": money(first.price_cents),
            "stock": "0" if first.parent else str(first.units), "available": "1" if first.live else "0",
            "has_variation": "1" if first.parent else "0",
        }  # fmt: skip

    def _variant(self, item: Item) -> dict[str, Any]:
        return {
            "id": str(item.id), "product_id": str(item.parent), "reference": item.sku, "ean": item.gtin or "",
            "price": money(item.price_cents), "stock": str(item.units), "available": "1",
            "Sku": [{"type": "Tamanho", "value": item.title}],
        }  # fmt: skip

    # ── Routes ──────────────────────────────────────────────────────────────────────────────────────────────

    def _page(self, request: web.Request, key: str, rows: Sequence[Any]) -> web.Response:
        size = int(request.query.get("limit", 30))
        if size > 50:
            raise Refusal(400, "limit: 50 at most")
        page = int(request.query.get("page", 1))
        paging = {"total": len(rows), "page": page, "offset": (page - 1) * size, "limit": size, "maxLimit": 50}
        return web.json_response({"paging": paging, key: list(page_of(rows, page, size))})

    async def list_orders(self, request: web.Request) -> web.Response:
        first, _, last = request.query.get("modified", "").partition(",")
        down = request.query.get("sort") == "id_desc"
        rows = [
            {"Order": self._head(sale)}
            for sale in sorted(self.sales.values(), key=lambda sale: -sale.id if down else sale.id)
            if not first or first <= local(sale.changed)[:10] <= (last or first)
        ]
        return self._page(request, "Orders", rows)

    async def get_order(self, request: web.Request) -> web.Response:
        return web.json_response({"Order": self._whole(self.sale_of(request.match_info["id"]))})

    async def put_order(self, request: web.Request) -> web.Response:
        sale, told = self.sale_of(request.match_info["id"]), (await request.json())["Order"]
        label = next((name for name, number in STATUSES.items() if number == told.get("status_id")), None)
        if label == "ENVIADO":
            self.dispatch(sale, told.get("sending_code"))
        elif label == "FINALIZADO":
            self.deliver(sale)
        else:
            sale.tracking = told.get("sending_code") or sale.tracking
            self._changed(sale, "changed")
        return web.json_response({"message": "Saved", "id": str(sale.id), "code": 200})

    async def list_statuses(self, request: web.Request) -> web.Response:
        rows = [{"OrderStatus": {"id": number, "status": label}} for label, number in STATUSES.items()]
        return self._page(request, "OrderStatuses", rows)

    async def list_products(self, request: web.Request) -> web.Response:
        return self._page(request, "Products", [{"Product": self._product(number)} for number in sorted(self.families)])

    async def get_product(self, request: web.Request) -> web.Response:
        return web.json_response({"Product": self._product(int(request.match_info["id"]))})

    async def list_variants(self, request: web.Request) -> web.Response:
        members = self.families[int(request.query["product_id"])]
        return self._page(request, "Variants", [{"Variant": self._variant(item)} for item in members if item.parent])

    def _one(self, request: web.Request) -> Item:
        item = self.items[int(request.match_info["id"])]
        if item.parent is None:
            raise LookupError("no variant")
        return item

    async def get_variant(self, request: web.Request) -> web.Response:
        return web.json_response({"Variant": self._variant(self._one(request))})

    async def put_variant(self, request: web.Request) -> web.Response:
        item, told = self._one(request), await request.json()
        self.set_units(item, int(told["Variant"]["stock"]))
        return web.json_response({"message": "Saved", "id": str(item.id), "code": 200})

    async def put_product(self, request: web.Request) -> web.Response:
        number, told = int(request.match_info["id"]), await request.json()
        item = self.families[number][0]
        if item.parent is None:  # else the stock is its variants', and this is ignored
            self.set_units(item, int(told["Product"]["stock"]))
        return web.json_response({"message": "Saved", "id": str(number), "code": 200})

    def _route(self) -> None:
        router, root = self.app.router, "/web_api"
        router.add_get("/auth.php", self.consent)
        router.add_get(f"{root}/auth", self.auth)
        router.add_post(f"{root}/auth", self.auth)
        router.add_get(f"{root}/orders", self.list_orders)
        router.add_get(f"{root}/orders/statuses", self.list_statuses)
        router.add_get(root + r"/orders/{id:\d+}/complete", self.get_order)
        router.add_put(root + r"/orders/{id:\d+}", self.put_order)
        router.add_get(f"{root}/products", self.list_products)
        router.add_get(f"{root}/products/variants", self.list_variants)
        router.add_get(root + r"/products/{id:\d+}", self.get_product)
        router.add_put(root + r"/products/{id:\d+}", self.put_product)
        router.add_get(root + r"/products/variants/{id:\d+}", self.get_variant)
        router.add_put(root + r"/products/variants/{id:\d+}", self.put_variant)


STORE: web.AppKey[Tray] = web.AppKey("store", Tray)


def create(products: Sequence[Product], *, seed: int = 0, now: Callable[[], datetime] = utc_now) -> Tray:
    """A store that sells `products`; those with one `parent` are its variants."""
    return Tray(products, seed, now=now)

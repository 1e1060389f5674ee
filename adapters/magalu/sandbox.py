"""A Magalu shop in memory: orders made of deliveries, numbers that are taken now and stand later, signed webhooks."""

import asyncio
import hashlib
import hmac
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from adapters.magalu.mapping import CHANNEL
from adapters.magalu.stock import clock
from hub.sandbox import Consents, Delivery, Handler, Product, add_controls
from hub.sandbox_store import SHIPPING_CENTS, Item, Line, Sale, Store, utc_now

CLIENT_ID, CLIENT_SECRET = "balcao-magalu", "m4" * 20
TENANT, SELLER = "5b4a2c1e-0c6d-4d0f-9f5a-3f5a0e6f7a10", "Loja de Exemplo"
TOKEN_SECONDS = 7200
ORDER_WORDS = {"placed": "new", "paid": "approved", "dispatched": "approved", "cancelled": "cancelled"}  # else finished
RETRIES = (1.0, 4.0)  # assumed: no schedule is published
MOST_OFFSET, MOST_LIMIT, SIZE = 5000, 100, 20
DAY = 86_400


class Refusal(Exception):
    """An error in the API's own shape."""

    def __init__(self, status: int, slug: str, message: str, **field: str) -> None:
        super().__init__(message)
        details = {"details": [{"location": "body", "slug": slug, "message": message, **field}]} if field else {}
        self.status = status
        self.body: dict[str, Any] = {"slug": slug, "message": message, **details}


GONE = Refusal(404, "NOT_FOUND", "Resource not found")


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    try:
        request.app[SHOP].admit(request)
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.body, status=refusal.status)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return web.json_response(GONE.body, status=404)
    except LookupError as problem:
        return web.json_response(Refusal(409, "CONFLICT", str(problem.args[0])).body, status=409)
    except (ValueError, TypeError) as problem:
        return web.json_response(Refusal(422, "UNPROCESSABLE_ENTITY", f"Invalid field: {problem}").body, status=422)


def money(cents: int) -> dict[str, Any]:
    """An amount as the API tells it."""
    return {"currency": "BRL", "normalizer": 100, "total": cents}


class Magalu(Store):
    """The shop. What the marketplace keeps is a delivery of its own; with `split` every line is."""

    def __init__(
        self, products: Sequence[Product], seed: int, *, lag: float, rate: int, split: bool, invoiced: bool,
        now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        super().__init__(products, seed, now=now, first_id=1_000_000 * (seed + 1))
        self.lag, self.rate, self.split, self.invoiced = lag, rate, split, invoiced
        self.refresh_token, self.renewals = f"refresh-{seed}-0", 0
        self.tokens: set[str] = set()
        self.consents = Consents()
        self.shows = MOST_LIMIT  # of a page, whatever is asked
        self.secrets = [f"whsec_{seed:08x}{'5e' * 12}"]
        self.hooks: dict[str, str] = {}
        self.called: dict[str, deque[float]] = defaultdict(deque)
        self.app[SHOP] = self
        self.app.middlewares.append(_gate)
        self._route()
        add_controls(self)

    def credentials(self, base_url: str) -> dict[str, str]:
        """The application, its first refresh token, and what signs the webhooks."""
        self.base = base_url.rstrip("/")
        keys = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": self.refresh_token}
        return {**keys, "webhook_secret": self.secrets[-1], "endpoint": self.base}

    # ── What it says of itself ──────────────────────────────────────────────────────────────────────────────

    def ref(self, sale: Sale) -> str:
        return f"00000000-0000-4000-8000-{sale.id:012d}"

    def sale_of(self, ref: object) -> Sale:
        """By id, or by code."""
        return super().sale_of(str(ref).rpartition("-")[2].lstrip("0"))

    def word(self, sale: Sale) -> str:
        return ORDER_WORDS.get(sale.stage, "finished")

    def parcels(self, sale: Sale) -> list[list[Line]]:
        """The lines of each delivery."""
        found: dict[object, list[Line]] = {}
        for line in sale.lines:
            found.setdefault(line.id if self.split else line.item.managed_by, []).append(line)
        return list(found.values())

    def status(self, sale: Sale, n: int) -> str:
        """The word for delivery number `n`, from 0."""
        if all(line.cancelled for line in self.parcels(sale)[n]):
            return "cancelled"
        if sale.extra.get("frozen"):
            return "frozen"
        if sale.stage in ("delivered", "returned") or n in sale.extra.get("finished", ()):
            return "delivered"
        if sale.stage == "dispatched" or n in sale.extra.get("sent", {}):
            return "shipped"
        if sale.stage != "paid":
            return "new"
        return "invoiced" if self.invoiced or sale.extra.get("invoices", {}).get(n) == "approved" else "approved"

    def cancel(self, sale: Sale, units: Mapping[str, int] | None = None) -> None:
        """Deliveries are cancelled whole."""
        for lines in self.parcels(sale) if units is not None else ():
            named = [(units or {}).get(line.item.sku, 0) >= line.quantity for line in lines]
            if any((units or {}).get(line.item.sku) for line in lines) and not all(named):
                raise LookupError("a delivery is cancelled whole")
        super().cancel(sale, units)

    def extra_act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Callback {url}, rotate, freeze/thaw {order_ref}, lock/unlock {order_ref}, invoice {order_ref, status?}."""
        if verb == "callback":
            self.hooks = dict.fromkeys(("orders_order", "orders_delivery"), str(wanted["url"]))
            return {"url": wanted["url"]}
        if verb == "rotate":
            self.secrets = [self.secrets[-1], f"whsec_{self.new_id():08x}{'a7' * 12}"]
            return {"secret": self.secrets[-1]}
        if verb not in ("freeze", "thaw", "lock", "unlock", "invoice"):
            return super().extra_act(verb, wanted)
        sale = self.sale_of(wanted["order_ref"])
        if verb == "invoice":
            sale.extra["invoices"] = dict.fromkeys(range(len(self.parcels(sale))), wanted.get("status", "approved"))
        else:
            sale.extra["frozen" if verb in ("freeze", "thaw") else "locked"] = verb in ("freeze", "lock")
        self._changed(sale, "changed")
        return {"order_ref": self.ref(sale)}

    def sale_changed(self, sale: Sale, event: str) -> None:
        if event in ("created", "paid", "cancelled"):
            self._tell("orders_order", "orders", self.ref(sale), self.word(sale), sale)
        for n in range(len(self.parcels(sale))) if event != "created" else ():
            self._tell("orders_delivery", "deliveries", self._delivery_ref(sale, n), self.status(sale, n), sale)

    def _tell(self, topic: str, kind: str, ref: str, status: str, sale: Sale) -> None:
        if topic not in self.hooks:
            return
        resource = f"/seller/v1/{kind}/{ref}?updated_at__ge={clock(sale.changed)}"
        told = {"data": {"status": status, "params": {"id": ref}, "resource": resource},
                "tenant_id": TENANT, "topic": topic}  # fmt: skip
        body, stamp = json.dumps(told).encode(), str(int(self.now().timestamp()))
        signed = [
            hmac.digest(each.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hex() for each in self.secrets
        ]
        headers = {
            "Content-Type": "application/json", "X-Timestamp": stamp,
            "X-Signature-256": ",".join(f"sha256={each}" for each in signed),
        }  # fmt: skip
        self.courier.send(Delivery(self.hooks[topic], headers, body, timeout=3, retries=RETRIES))

    # ── The door ────────────────────────────────────────────────────────────────────────────────────────────

    def admit(self, request: web.Request) -> None:
        """So many calls a minute of each kind, and none without a token."""
        called, at = self.called[f"{request.method} {request.path.split('/')[3:5]}"], time.monotonic()
        while called and at - called[0] >= 60:
            called.popleft()
        if self.rate and len(called) >= self.rate:
            message = "You have sent too many requests in a given amount of time"
            raise Refusal(429, "TOO_MANY_REQUESTS", message)
        called.append(at)
        if request.path in ("/oauth/token", "/login"):
            return
        shown = request.headers.get("Authorization", "")
        if not shown.startswith("Bearer "):
            refusal = Refusal(401, "", "")
            words = "Authorization token not found or has invalid format"
            refusal.body = {"developerMessage": words, "userMessage": words, "moreInfo": "", "errorCode": 30001}
            raise refusal
        if shown.removeprefix("Bearer ") not in self.tokens:
            raise Refusal(401, "UNAUTHORIZED", "Unauthorized")

    async def consent(self, request: web.Request) -> web.StreamResponse:
        asked = request.query
        if asked.get("client_id") != CLIENT_ID or asked.get("choose_tenants") != "true":
            raise Refusal(400, "invalid_request", "choose_tenants")
        raise web.HTTPFound(self.consents.answer(asked["state"], back=asked["redirect_uri"]))

    async def token(self, request: web.Request) -> web.Response:
        form = await request.json() if request.content_type == "application/json" else await request.post()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            told = {"error": "invalid_client", "error_description": "Client authentication failed"}
            return web.json_response(told, status=401)
        renews = form.get("grant_type") == "refresh_token" and form.get("refresh_token") == self.refresh_token
        traded = form.get("grant_type") == "authorization_code" and self.consents.take(form.get("code"))
        if not (renews or traded):
            told = {"error": "invalid_grant", "error_description": "The provided authorization grant is invalid"}
            return web.json_response(told, status=400)
        self.renewals += 1
        seed = self.refresh_token.split("-")[1]
        self.refresh_token, access = f"refresh-{seed}-{self.renewals}", f"access-{seed}-{self.renewals}"
        self.tokens.add(access)
        kept = {"refresh_token": self.refresh_token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}
        return web.json_response({"access_token": access, **kept})

    async def me(self, _request: web.Request) -> web.Response:
        named = {"id": f"GENPUB.{TENANT}", "name": SELLER}
        return web.json_response({"tenant": {"id": TENANT}, "channel": {"id": CHANNEL}, "seller": named})

    async def signup(self, request: web.Request) -> web.Response:
        told = await request.json()
        if urlsplit(str(told["webhook"])).scheme != "https":
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "Webhook must be https", field="webhook")
        self.hooks[str(told["topic_id"])] = str(told["webhook"])
        return web.json_response({"create": "OK", "webhook": "OK", "secret": self.secrets[-1]}, status=201)

    # ── Orders and deliveries ───────────────────────────────────────────────────────────────────────────────

    def _delivery_ref(self, sale: Sale, n: int) -> str:
        return f"{n + 1:08d}-0000-4000-9000-{sale.id:012d}"

    def _row(self, n: int, line: Line) -> dict[str, Any]:
        title = " ".join(filter(None, (line.item.family, line.item.title)))
        return {
            "sequencial": str(n), "quantity": line.quantity,
            "unit_price": {"value": line.cents, "currency": "BRL", "normalizer": 100},
            "amounts": {**money(line.cents * line.quantity), "discount": money(0), "freight": money(0),
                        "comission": {"normalizer": 100, "type": "percentage", "total": 1800}},
            "info": {"sku": line.item.sku, "id": f"{line.item.id:032x}", "name": title},
        }  # fmt: skip

    def _delivery(self, sale: Sale, n: int) -> dict[str, Any]:
        lines, who = self.parcels(sale)[n], sale.buyer
        full = lines[0].item.managed_by != "seller"
        sent = sale.extra.get("sent", {}).get(n) or ({"code": sale.tracking} if sale.tracking else {})
        invoice = "approved" if self.invoiced and sale.paid else sale.extra.get("invoices", {}).get(n)
        items, freight = sum(line.cents * line.quantity for line in lines), SHIPPING_CENTS if n == 0 else 0
        day = sale.created.timestamp() // DAY * DAY
        place = {
            "street": who.street, "number": who.number, "complement": who.complement, "district": who.district,
            "city": who.city, "state": who.state, "zipcode": who.postal_code, "country": "BR", "reference": "",
        }  # fmt: skip
        return {
            "id": self._delivery_ref(sale, n), "code": f"{self._code(sale)}-{n + 1}", "status": self.status(sale, n),
            "seller": {"id": f"GENPUB.{TENANT}", "name": SELLER}, "updated_at": clock(sale.changed),
            "amounts": {**money(items + freight), "discount": {**money(0), "shared": 0}, "freight": money(freight),
                        "taxes": [], "commission": {**money(items * 18 // 100), "type": "value"}},
            "items": [self._row(at, line) for at, line in enumerate(lines, start=1)],
            "shipping": {
                "recipient": {"name": who.name, "address": place},
                "handling_time": {"limit_date": clock(datetime.fromtimestamp(day + 2 * DAY, sale.created.tzinfo))},
                "deadline": {"limit_date": clock(datetime.fromtimestamp(day + 9 * DAY, sale.created.tzinfo))},
                "provider": {"id": "integra", "name": sent.get("carrier") or "integra",
                             "description": "Entrega pelo parceiro"},
                "tracking": {"code": sent.get("code"), "url": sent.get("url")},
                "logistic_network": {"id": "fulfillment", "description": "malha-fulfillment"} if full else None,
            },
            "invoices": [{"key": f"3526113018802500012155001{sale.id:09d}1{n:09d}"[:44], "status": invoice,
                          "issued_at": clock(sale.paid)}] if invoice and sale.paid else [],
        }  # fmt: skip

    def _code(self, sale: Sale) -> str:
        return f"{sale.id:015d}"

    def _order(self, sale: Sale) -> dict[str, Any]:
        who, deliveries = sale.buyer, [self._delivery(sale, n) for n in range(len(self.parcels(sale)))]
        phone = {"country_code": "55", "area_code": who.phone[:2], "number": who.phone[2:], "type": "mobile"}
        fees = sum(each["amounts"]["commission"]["total"] for each in deliveries)
        return {
            "id": self.ref(sale), "code": self._code(sale), "status": self.word(sale),
            "purchased_at": clock(sale.created), "created_at": clock(sale.created),
            "approved_at": clock(sale.paid) if sale.paid else None, "updated_at": clock(sale.changed),
            "channel": {"id": CHANNEL, "marketplace": {"document": "47960950000121"}, "extras": {"alias": "magalu"}},
            "customer": {"customer_type": "cpf", "document_number": who.cpf, "name": who.name, "email": who.email,
                         "phones": [phone]},
            "payments": [{"method": "pix", "currency": "BRL", "normalizer": 100, "amount": sale.total_cents,
                          "installments": 1}],
            "amounts": {**money(sale.total_cents), "discount": {**money(0), "shared": 0},
                        "freight": money(SHIPPING_CENTS), "taxes": [], "commission": money(fees)},
            "deliveries": deliveries,
        }  # fmt: skip

    def _page(self, request: web.Request, rows: Sequence[Any], document: Callable[[Any], Any]) -> web.Response:
        offset, limit = int(request.query.get("_offset", 0)), int(request.query.get("_limit", SIZE))
        if not (0 <= offset <= MOST_OFFSET and 1 <= limit <= MOST_LIMIT):
            raise Refusal(422, "UNPROCESSABLE_ENTITY", f"_offset up to {MOST_OFFSET}, _limit up to {MOST_LIMIT}")
        limit = min(limit, self.shows)
        shown = rows[offset : offset + limit]
        page = {"limit": limit, "offset": offset, "count": len(shown), "max_limit": MOST_LIMIT}
        return web.json_response({"meta": {"page": page, "links": {}}, "results": [document(row) for row in shown]})

    async def list_orders(self, request: web.Request) -> web.Response:
        def since(name: str) -> datetime | None:
            told = request.query.get(name)
            return datetime.fromisoformat(told) if told else None

        changed, bought, word = since("updated_at__gte"), since("purchased_at__gte"), request.query.get("status")
        rows = [
            sale for sale in self.sales.values()
            if (not changed or sale.changed >= changed) and (not bought or sale.created >= bought)
            and (not word or self.word(sale) == word)
        ]  # fmt: skip
        rows.sort(key=lambda sale: (sale.created, sale.id))
        newest_first = request.query.get("_sort") == "purchased_at:desc"
        return self._page(request, rows[::-1] if newest_first else rows, self._order)

    def _sale(self, ref: str) -> Sale:
        try:
            sale = self.sale_of(ref)
        except LookupError:
            raise GONE from None
        if ref not in (self.ref(sale), self._code(sale)):
            raise GONE
        return sale

    async def get_order(self, request: web.Request) -> web.Response:
        return web.json_response(self._order(self._sale(request.match_info["id"])))

    def _parcel(self, request: web.Request) -> tuple[Sale, int]:
        ref = request.match_info["id"]
        place, sale = ref.partition("-")[0], self.sales.get(int(ref.rpartition("-")[2] or 0))
        n = int(place) - 1 if place.isdecimal() else -1
        if sale is None or not 0 <= n < len(self.parcels(sale)) or ref != self._delivery_ref(sale, n):
            raise GONE
        if sale.extra.get("locked"):
            raise Refusal(423, "LOCKED", "Resource is locked")
        return sale, n

    async def get_delivery(self, request: web.Request) -> web.Response:
        return web.json_response(self._delivery(*self._parcel(request)))

    async def post_invoice(self, request: web.Request) -> web.Response:
        (sale, n), told = self._parcel(request), await request.json()
        if len(str(told["key"])) != 44 or not told.get("xml"):
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "Invalid invoice", field="key" if told.get("xml") else "xml")
        sale.extra.setdefault("invoices", {})[n] = "validating"
        self._changed(sale, "changed")
        return self._made(sale)

    def _made(self, sale: Sale) -> web.Response:
        return web.json_response({"id": f"{self.new_id():032x}", "created_at": clock(sale.changed)}, status=201)

    async def post_shipping(self, request: web.Request) -> web.Response:
        (sale, n), told = self._parcel(request), await request.json()
        if self.status(sale, n) != "invoiced":
            raise Refusal(400, "BAD_REQUEST", f"Package without approved invoice ({self.status(sale, n)})")
        if told["channel"]["id"] != CHANNEL or not told["tracking_url"] or not told["dates"]["estimated_delivery_at"]:
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "Missing field", field="channel")
        carrier = told.get("carrier", {}).get("name")
        parcel = {"code": told.get("protocol"), "url": told["tracking_url"], "carrier": carrier}
        sale.extra.setdefault("sent", {})[n] = parcel
        self._step(sale, "shipped", "sent", lambda: self.dispatch(sale, told.get("protocol")))
        return self._made(sale)

    async def post_finishing(self, request: web.Request) -> web.Response:
        (sale, n), told = self._parcel(request), await request.json()
        if self.status(sale, n) != "shipped" or not told["channel"]["id"]:
            raise Refusal(400, "BAD_REQUEST", f"Package was not shipped ({self.status(sale, n)})")
        sale.extra.setdefault("finished", {})[n] = True
        self._step(sale, "delivered", "finished", lambda: self.deliver(sale))
        return self._made(sale)

    def _step(self, sale: Sale, word: str, kept: str, whole: Callable[[], None]) -> None:
        """The order moves when all of its deliveries did."""
        words = {self.status(sale, n) for n in range(len(self.parcels(sale)))} - {"cancelled"}
        if words <= {word, "delivered"} and kept:
            whole()
        else:
            self._changed(sale, "changed")

    # ── SKUs and their stock ────────────────────────────────────────────────────────────────────────────────

    def _sku(self, item: Item) -> dict[str, Any]:
        return {
            "sku": item.sku, "title": " ".join(filter(None, (item.family, item.title))), "active": item.live,
            "status": "PUBLISHED" if item.live else "UNPUBLISHED", "fulfillment": item.managed_by != "seller",
            "channels": [{"id": CHANNEL}], "group": {"id": item.family or item.sku, "main_variation": not item.parent},
            "identifiers": [{"type": "ean", "value": item.gtin}] if item.gtin else [], "has_ean": bool(item.gtin),
            "url_marketplace": [{"channel": "magalu", "url": f"https://www.magazineluiza.com.br/p/{item.id:x}/"}],
        }  # fmt: skip

    def _item(self, request: web.Request) -> Item:
        item = self.by_sku.get(request.match_info["sku"])
        if item is None:
            raise GONE
        return item

    async def list_skus(self, request: web.Request) -> web.Response:
        return self._page(request, list(self.items.values()), self._sku)

    async def get_sku(self, request: web.Request) -> web.Response:
        return web.json_response(self._sku(self._item(request)))

    async def get_stock(self, request: web.Request) -> web.Response:
        item = self._item(request)
        numbers = {"AVAILABLE": item.units, "RESERVED": 0}
        rows = [{"type": kind, "quantity": units, "channel": {"id": CHANNEL}} for kind, units in numbers.items()]
        return web.json_response({"meta": {"page": {"limit": SIZE, "offset": 0}}, "results": rows})

    async def patch_stock(self, request: web.Request) -> web.Response:
        """Taken now; the number stands `lag` seconds later."""
        item, told = self._item(request), await request.json()
        units = int(told["quantity"])
        if told.get("type") != "AVAILABLE" or told["channel"]["id"] != CHANNEL or units < 0:
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "Invalid stock", field="quantity")
        if self.lag:
            self.spawn(self._later(item, units))
        else:
            self.set_units(item, units)
        return web.json_response({}, status=202)

    async def _later(self, item: Item, units: int) -> None:
        await asyncio.sleep(self.lag)
        self.set_units(item, units)

    def _route(self) -> None:
        router, delivery = self.app.router, "/seller/v1/deliveries/{id}"
        router.add_get("/login", self.consent)
        router.add_post("/oauth/token", self.token)
        router.add_put("/v1/onboarding/signup", self.signup)
        router.add_get("/seller/v1/portfolios/me", self.me)
        router.add_get("/seller/v1/orders", self.list_orders)
        router.add_get("/seller/v1/orders/{id}", self.get_order)
        router.add_get(delivery, self.get_delivery)
        router.add_post(delivery + "/invoices", self.post_invoice)
        router.add_post(delivery + "/shippings", self.post_shipping)
        router.add_post(delivery + "/finishing", self.post_finishing)
        router.add_get("/seller/v1/portfolios/skus", self.list_skus)
        router.add_get("/seller/v1/portfolios/skus/{sku}", self.get_sku)
        router.add_get("/seller/v1/portfolios/stocks/{sku}", self.get_stock)
        router.add_patch("/seller/v1/portfolios/stocks/{sku}", self.patch_stock)


SHOP: web.AppKey[Magalu] = web.AppKey("shop", Magalu)


def create(
    products: Sequence[Product], *, seed: int = 0, lag: float = 0.0, rate: int = 0, split: bool = False,
    invoiced: bool = True, now: Callable[[], datetime] = utc_now,
) -> Magalu:  # fmt: skip
    """A shop that sells `products`; those with one `parent` are of one group.

    `lag`: seconds from a write to its number; `rate`: calls a minute of each kind (0: any); `split`: each line is a
    delivery of its own; `invoiced`: the seller's ERP hands over the NF-e of what is paid.
    """
    return Magalu(products, seed, lag=lag, rate=rate, split=split, invoiced=invoiced, now=now)

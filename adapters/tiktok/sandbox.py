"""A TikTok shop in memory: signed queries, errors inside a 200, one line item per unit, stock told per SKU."""

import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from hub.sandbox import Consents, Delivery, Handler, Product, add_controls
from hub.sandbox_store import SHIPPING_CENTS, Item, Line, Sale, Store, utc_now

APP_KEY, APP_SECRET = "68xu9ks5p4i8b", "7f" * 20
SHOP_ID, WAREHOUSE, WAY = 7494049642642441621, "7068517275539719942", "7091146663229654785"
PROVIDERS = {"6841743441349706241": "Correios", "6841743441349706242": "Jadlog", "6841743441349706243": "Loggi"}
WORDS = {
    "placed": "UNPAID", "paid": "AWAITING_SHIPMENT", "dispatched": "IN_TRANSIT", "delivered": "DELIVERED",
    "returned": "COMPLETED", "cancelled": "CANCELLED",
}  # fmt: skip
OWN = frozenset({"ON_HOLD", "AWAITING_SHIPMENT", "AWAITING_COLLECTION"})  # what a paid order may be besides
PARCELS = {"IN_TRANSIT": "FULFILLING", "DELIVERED": "COMPLETED", "COMPLETED": "COMPLETED"}
RETRIES = (1.0, 3.0, 6.0, 12.0)  # a vendor's 2 minutes to 12 hours, in a demo's seconds
TOKEN_DAYS = 7
TOO_MANY = 99_999
TYPES = {"ORDER_STATUS_CHANGE": 1, "CANCELLATION_STATUS_CHANGE": 11}


class Refusal(Exception):
    """An error in TikTok's own shape: a code inside a 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def told(data: Any, code: int = 0, message: str = "Success") -> web.Response:
    """The envelope."""
    body = {"code": code, "message": message, "request_id": "202611220749000101890810281E8C70B7"}
    return web.json_response(body if data is None else {**body, "data": data})


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    try:
        if not request.path.startswith(("/api/v2/token/", "/oauth/")):
            request.app[SHOP].admit(request, await request.read())
        return await handler(request)
    except Refusal as refusal:
        return told(None, refusal.code, refusal.message)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return told(None, 36009009, "Invalid path")
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        return told(None, 36009022, f"Invalid request: {problem}")


def seconds(at: datetime | None) -> int | None:
    """Unix seconds."""
    return int(at.timestamp()) if at else None


def money(cents: int) -> str:
    """A decimal string."""
    return f"{cents // 100}.{cents % 100:02}"


def page_token(start: int) -> str:
    """Where the next page begins, in characters that a query must escape."""
    return base64.b64encode(b"\xfb\xff\xfe" + str(start).encode()).decode()


class TikTok(Store):
    """The shop, and the application that it authorized."""

    def __init__(
        self, products: Sequence[Product], seed: int, *, shipping: str, invoice: bool, now: Callable[[], datetime]
    ) -> None:
        super().__init__(products, seed, now=now, first_id=576_486_316_000_000 + 10_000_000 * seed)
        self.shipping, self.invoice = shipping, invoice
        self.shop_id, self.cipher = str(SHOP_ID + seed), f"BR_{seed}xkMbgAAAeVAQra0eZWebFQ"
        self.refresh_token, self.renewals = f"TTP_refresh{seed}x0", 0
        self.tokens: dict[str, datetime] = {}
        self.consents = Consents()
        self.hooks: dict[str, str] = {}
        self.committed: Counter[int] = Counter()
        self.catalog: dict[str, list[Item]] = {}
        for item in self.items.values():
            self.catalog.setdefault(str(item.parent or item.id), []).append(item)
        self.shelves = list(self.catalog)
        self.app[SHOP] = self
        self.app.middlewares.append(_gate)
        self._route()
        add_controls(self)

    # ── What the demo and the tests ask ─────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        """The application and the first refresh token."""
        self.base = base_url.rstrip("/")
        keys = {"app_key": APP_KEY, "app_secret": APP_SECRET, "refresh_token": self.refresh_token}
        return {**keys, "endpoint": self.base}

    def word(self, sale: Sale) -> str:
        own = sale.extra.get("status")
        if sale.stage == "paid" and sale.extra.get("packages"):
            return "PARTIALLY_SHIPPING"
        return own if own and sale.stage == "paid" else WORDS[sale.stage]

    def extra_act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Also callback {url}; status {order_ref, status}: of a paid order; expire: every access token ends."""
        if verb == "callback":
            self.hooks = dict.fromkeys(TYPES, str(wanted["url"]))
            return {"url": wanted["url"]}
        if verb == "expire":
            self.tokens.clear()
            return {}
        if verb == "status" and wanted["status"] in OWN:
            sale = self.sale_of(wanted["order_ref"])
            sale.extra["status"] = wanted["status"]
            self._changed(sale, "changed")
            return {"order_ref": self.ref(sale), "status": self.word(sale)}
        return super().extra_act(verb, wanted)

    def _take(self, line: Line, units: int) -> None:
        self.committed[line.item.id] += units
        super()._take(line, units)

    def _send(self, line: Line) -> None:
        self.committed[line.item.id] -= line.holds
        super()._send(line)

    def dispatch(self, sale: Sale, tracking: str | None = None) -> None:
        if left := self._unsent(sale):
            self._pack(sale, left, tracking, "6841743441349706241")
        super().dispatch(sale, tracking)

    def sale_changed(self, sale: Sale, event: str) -> None:
        word, at = self.word(sale), seconds(sale.changed)
        shown = "CANCEL" if word == "CANCELLED" else word
        order = {"order_id": self.ref(sale), "order_status": shown, "is_on_hold_order": word == "ON_HOLD"}
        self._tell("ORDER_STATUS_CHANGE", {**order, "update_time": at})
        if event == "changed" and any(line.cancelled for line in sale.lines):
            cancelled = {"order_id": self.ref(sale), "cancellations_role": "BUYER", "cancel_id": str(self.new_id())}
            self._tell("CANCELLATION_STATUS_CHANGE", {**cancelled, "cancel_status": "CANCELLATION_REQUEST_COMPLETE"})

    def _tell(self, event: str, data: dict[str, Any]) -> None:
        url = self.hooks.get(event)
        if not url:
            return
        head = {"type": TYPES[event], "tts_notification_id": str(self.new_id()), "shop_id": self.shop_id}
        body = json.dumps({**head, "timestamp": seconds(self.now()), "data": data}, separators=(",", ":")).encode()
        signed = hmac.digest(APP_SECRET.encode(), APP_KEY.encode() + body, hashlib.sha256).hex()
        headers = {"Content-Type": "application/json", "Authorization": signed}
        self.courier.send(Delivery(url, headers, body, timeout=3, retries=RETRIES))

    # ── The door ────────────────────────────────────────────────────────────────────────────────────────────

    def admit(self, request: web.Request, body: bytes) -> None:
        """Every call is signed, now, and shows a token; a shop's own names the shop."""
        query = dict(request.query)
        if query.get("app_key") != APP_KEY:
            raise Refusal(36009004, "Invalid app_key")
        ahead = self.now().timestamp() - int(query.get("timestamp", 0))
        if not -30 <= ahead <= 300:
            raise Refusal(36009004, "Invalid timestamp")
        shown = query.pop("sign", "")
        told_ = "".join(f"{key}{query[key]}" for key in sorted(query) if key != "access_token")
        message = f"{APP_SECRET}{request.path}{told_}".encode() + body + APP_SECRET.encode()
        if shown != hmac.digest(APP_SECRET.encode(), message, hashlib.sha256).hex():
            raise Refusal(106001, "Invalid signature")
        if self.tokens.get(request.headers.get("x-tts-access-token", ""), self.now()) <= self.now():
            raise Refusal(105002, "access token is expired, please refresh it")
        if request.path.startswith("/authorization/"):
            return
        if query.get("shop_cipher") != self.cipher:
            raise Refusal(106013, "Missing identifier. The 'shop_cipher' query parameter is required.")

    async def consent(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("app_key") != APP_KEY:
            raise Refusal(36004001, "app_key is invalid")
        told = {"app_key": APP_KEY, "locale": "pt-BR", "shop_region": "BR"}
        raise web.HTTPFound(self.consents.answer(request.query["state"], **told))

    async def token(self, request: web.Request) -> web.Response:
        query = request.query
        if query.get("app_key") != APP_KEY or query.get("app_secret") != APP_SECRET:
            raise Refusal(36004001, "app_key or app_secret is invalid")
        if request.path.endswith("/get"):
            if query.get("grant_type") != "authorized_code" or not self.consents.take(query.get("auth_code")):
                raise Refusal(36004004, "auth_code is invalid")
        elif query.get("grant_type") != "refresh_token" or query.get("refresh_token") != self.refresh_token:
            raise Refusal(36004004, "refresh_token is invalid")
        self.renewals += 1
        stem = self.refresh_token.rpartition("x")[0]
        self.refresh_token, access = f"{stem}x{self.renewals}", f"{stem.replace('refresh', 'access')}x{self.renewals}"
        ends, later = self.now() + timedelta(days=TOKEN_DAYS), self.now() + timedelta(days=365)
        self.tokens[access] = ends
        keys = {"access_token": access, "access_token_expire_in": seconds(ends), "refresh_token": self.refresh_token}
        who = {"open_id": "7010736057180325637", "seller_name": "Loja de Exemplo", "seller_base_region": "BR"}
        return told({**keys, "refresh_token_expire_in": seconds(later), **who, "user_type": 0, "granted_scopes": []})

    async def shops(self, _request: web.Request) -> web.Response:
        shop = {"id": self.shop_id, "name": "Loja de Exemplo", "region": "BR", "seller_type": "LOCAL"}
        return told({"shops": [{**shop, "cipher": self.cipher, "code": "BRLC8LA6X7"}]})

    async def webhooks(self, request: web.Request) -> web.Response:
        if request.method == "PUT":
            wanted = await request.json()
            self.hooks[wanted["event_type"]] = wanted["address"]
            return told({})
        if request.method == "DELETE":
            self.hooks.pop((await request.json())["event_type"], None)
            return told({})
        rows = [{"event_type": event, "address": url} for event, url in self.hooks.items()]
        return told({"webhooks": rows, "total_count": len(rows)})

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def _page(self, request: web.Request, rows: Sequence[Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        size, token = int(request.query["page_size"]), request.query.get("page_token")
        if not 1 <= size <= 100:
            raise Refusal(36009022, "page_size: 1 to 100")
        start = int(base64.b64decode(token, validate=True)[3:]) if token else 0
        onward = page_token(start + size) if start + size < len(rows) else ""
        return rows[start : start + size], {"next_page_token": onward, "total_count": len(rows)}

    async def search_orders(self, request: web.Request) -> web.Response:
        wanted, key = await request.json(), request.query.get("sort_field", "create_time")
        clocks: dict[str, Callable[[Sale], int]] = {
            "create_time": lambda sale: int(sale.created.timestamp()),
            "update_time": lambda sale: int(sale.changed.timestamp()),
        }
        rows = [
            sale
            for sale in self.sales.values()
            if all(
                wanted.get(f"{name}_ge", 0) <= clock(sale) < wanted.get(f"{name}_lt", 1 << 40)
                for name, clock in clocks.items()
            )
        ]
        rows.sort(key=clocks[key], reverse=request.query.get("sort_order") == "DESC")
        page, onward = self._page(request, rows)
        return told({"orders": [self._order(sale) for sale in page], **onward})

    async def order_detail(self, request: web.Request) -> web.Response:
        refs = request.query["ids"].split(",")
        if len(refs) > 50:
            raise Refusal(36009022, "ids: at most 50")
        found = [self.sales[int(ref)] for ref in refs if ref.isdecimal() and int(ref) in self.sales]
        return told({"orders": [self._order(sale) for sale in found]})

    def _units(self, sale: Sale) -> Iterator[tuple[str, Line, bool]]:
        """Line item, its line, and whether it is cancelled."""
        for line in sale.lines:
            for n in range(line.quantity):
                yield f"{line.id}{n:03}", line, n >= line.quantity - line.cancelled

    def _unsent(self, sale: Sale) -> list[str]:
        sent = {unit for parcel in sale.extra.get("packages", ()) for unit in parcel["units"]}
        return [unit for unit, _line, cancelled in self._units(sale) if not cancelled and unit not in sent]

    def _order(self, sale: Sale) -> dict[str, Any]:
        word, who = self.word(sale), sale.buyer
        parcels = {unit: parcel for parcel in sale.extra.get("packages", ()) for unit in parcel["units"]}
        theirs = all(line.item.managed_by != "seller" for line in sale.lines)
        order = {
            "id": self.ref(sale), "status": word, "create_time": seconds(sale.created),
            "update_time": seconds(sale.changed), "user_id": str(7_000_000_000 + int(who.cpf) % 10**9),
            "fulfillment_type": "FULFILLMENT_BY_TIKTOK" if theirs else "FULFILLMENT_BY_SELLER",
            "shipping_type": self.shipping, "delivery_option_id": WAY, "warehouse_id": WAREHOUSE,
            "is_buyer_request_cancel": False, "cpf": who.cpf, "cpf_name": who.name,
            "buyer_email": f"v{sale.id}@scs2.tiktok.com",
            "need_upload_invoice": "NEED_INVOICE" if self.invoice else "NO_NEED",
            "payment": {
                "currency": "BRL", "sub_total": money(sale.items_cents), "shipping_fee": money(SHIPPING_CENTS),
                "seller_discount": "0.00", "platform_discount": "0.00", "tax": "0.00",
                "total_amount": money(sale.total_cents),
            },
            "packages": [{"id": parcel["id"]} for parcel in sale.extra.get("packages", ())],
            "line_items": [self._unit(word, row, parcels.get(row[0])) for row in self._units(sale)],
        }  # fmt: skip
        times = {"paid_time": sale.paid, "cancel_time": sale.cancelled, "collection_time": sale.dispatched}
        order |= {key: seconds(at) for key, at in times.items() if at}
        if word not in ("UNPAID", "ON_HOLD"):
            order["recipient_address"] = self._address(sale)
        return order

    def _unit(self, word: str, row: tuple[str, Line, bool], parcel: Mapping[str, Any] | None) -> dict[str, Any]:
        unit, line, cancelled = row
        rest = "AWAITING_SHIPMENT" if word == "PARTIALLY_SHIPPING" else word
        sent = "IN_TRANSIT" if word == "PARTIALLY_SHIPPING" else word
        status = "CANCELLED" if cancelled else sent if parcel else rest
        carried = {
            "package_id": parcel["id"], "package_status": PARCELS.get(status, "CANCELLED"),
            "tracking_number": parcel["tracking"] or "", "shipping_provider_id": parcel["provider"],
            "shipping_provider_name": PROVIDERS[parcel["provider"]],
        } if parcel else {}  # fmt: skip
        item = line.item
        return {
            "id": unit, "product_id": str(item.parent or item.id), "sku_id": str(item.id), "seller_sku": item.sku,
            "product_name": item.family or item.title, "sku_name": item.title if item.parent else "",
            "sale_price": money(line.cents), "original_price": money(line.cents), "platform_discount": "0",
            "seller_discount": "0", "currency": "BRL", "display_status": status, "is_gift": False, **carried,
        }  # fmt: skip

    def _address(self, sale: Sale) -> dict[str, Any]:
        who, masked = sale.buyer, self.shipping == "TIKTOK"
        areas = {"L0": ("country", "Brasil"), "L1": ("state", who.state_name), "L2": ("city", who.city),
                 "L3": ("district", who.district)}  # fmt: skip
        clear = {
            "name": who.name, "phone_number": f"(+55){who.phone}", "address_line1": who.street,
            "address_line2": who.number, "address_line3": who.complement, "address_line4": who.district,
        }  # fmt: skip
        return {
            **(dict.fromkeys(clear, "****") if masked else clear), "postal_code": who.postal_code, "region_code": "BR",
            "district_info": [
                {"address_level": level, "address_level_name": name, "address_name": area}
                for level, (name, area) in areas.items()
            ],
        }  # fmt: skip

    # ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────

    def _pack(self, sale: Sale, units: list[str], tracking: str | None, provider: str) -> dict[str, Any]:
        parcel = {"id": str(self.new_id()), "units": units, "tracking": tracking, "provider": provider}
        sale.extra.setdefault("packages", []).append(parcel)
        return parcel

    async def ship(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        sale = self.sales.get(int(request.match_info["order"]))
        if sale is None or sale.stage != "paid" or self.shipping != "SELLER":
            raise Refusal(21011001, "The order is not waiting for a shipment of the seller's own")
        if wanted["shipping_provider_id"] not in PROVIDERS or not wanted["tracking_number"]:
            raise Refusal(21011019, "Shipping provider or tracking number is invalid")
        units, left = wanted.get("order_line_item_ids") or self._unsent(sale), self._unsent(sale)
        if not set(units) <= set(left):
            raise Refusal(21011002, "A line item is not in the order, or was sent")
        parcel = self._pack(sale, list(units), wanted["tracking_number"], wanted["shipping_provider_id"])
        if set(units) == set(left):
            self.dispatch(sale, wanted["tracking_number"])
        else:
            self._changed(sale, "changed")
        return told({"order_id": self.ref(sale), "package_id": parcel["id"], "order_line_item_ids": units})

    def _parcel(self, request: web.Request) -> tuple[Sale, dict[str, Any]]:
        for sale in self.sales.values():
            for parcel in sale.extra.get("packages", ()):
                if parcel["id"] == request.match_info["package"]:
                    return sale, parcel
        raise Refusal(21008001, "The package does not exist")

    async def recode(self, request: web.Request) -> web.Response:
        wanted, (sale, parcel) = await request.json(), self._parcel(request)
        parcel |= {"tracking": wanted["tracking_number"], "provider": wanted["shipping_provider_id"]}
        sale.tracking = wanted["tracking_number"]
        self._changed(sale, "dispatched")
        return told({})

    async def package(self, request: web.Request) -> web.Response:
        sale, parcel = self._parcel(request)
        return told({"package_id": parcel["id"], "orders": [{"id": self.ref(sale)}]})

    async def providers(self, _request: web.Request) -> web.Response:
        return told({"shipping_providers": [{"id": ref, "name": name} for ref, name in PROVIDERS.items()]})

    # ── Products and stock ──────────────────────────────────────────────────────────────────────────────────

    def _product(self, ref: str, *, whole: bool) -> dict[str, Any]:
        items = self.catalog[ref]
        return {
            "id": ref, "title": items[0].family or items[0].title,
            "status": "ACTIVATE" if any(item.live for item in items) else "SELLER_DEACTIVATED",
            "skus": [self._sku(item, whole=whole) for item in items],
        }  # fmt: skip

    def _sku(self, item: Item, *, whole: bool) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": str(item.id), "seller_sku": item.sku,
            "price": {"currency": "BRL", "sale_price": money(item.price_cents), "tax_exclusive_price": ""},
            "inventory": [{"warehouse_id": WAREHOUSE, "quantity": item.units}],
        }  # fmt: skip
        if whole and item.gtin:
            row["identifier_code"] = {"code": item.gtin, "type": "EAN"}
        if whole and item.parent:
            row["sales_attributes"] = [{"name": "Variação", "value_name": item.title}]
        return row

    async def search_products(self, request: web.Request) -> web.Response:
        page, onward = self._page(request, self.shelves)
        return told({"products": [self._product(ref, whole=False) for ref in page], **onward})

    async def get_product(self, request: web.Request) -> web.Response:
        if request.match_info["product"] not in self.catalog:
            raise Refusal(12052048, "The product does not exist")
        return told(self._product(request.match_info["product"], whole=True))

    async def search_inventory(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        skus, products = wanted.get("sku_ids") or [], wanted.get("product_ids") or []
        if len(skus) > 600 or len(products) > 100 or not (skus or products):
            raise Refusal(36009022, "product_ids: at most 100; sku_ids: at most 600")
        items = [self.items[int(ref)] for ref in skus if int(ref) in self.items]
        if not skus:
            items = [item for ref in products for item in self.catalog.get(ref, ())]
        rows: dict[str, list[Any]] = {}
        for item in items:
            rows.setdefault(str(item.parent or item.id), []).append(self._counted(item))
        return told({"inventory": [{"product_id": ref, "skus": skus} for ref, skus in rows.items()]})

    def _counted(self, item: Item) -> dict[str, Any]:
        kept = {"available_quantity": item.units, "committed_quantity": self.committed[item.id]}
        return {
            "id": str(item.id), "seller_sku": item.sku, "total_available_quantity": item.units,
            "total_committed_quantity": self.committed[item.id],
            "warehouse_inventory": [{"warehouse_id": WAREHOUSE, **kept}],
        }  # fmt: skip

    async def update_inventory(self, request: web.Request) -> web.Response:
        mine = {str(item.id): item for item in self.catalog.get(request.match_info["product"], ())}
        if not mine:
            raise Refusal(12052048, "The product does not exist")
        errors = [error for row in (await request.json())["skus"] if (error := self._update(mine, row))]
        return told({"errors": errors} if errors else {})

    def _update(self, mine: Mapping[str, Item], row: Mapping[str, Any]) -> dict[str, Any] | None:
        item, places = mine.get(row["id"]), row["inventory"]
        unknown = [place["warehouse_id"] for place in places if place.get("warehouse_id", WAREHOUSE) != WAREHOUSE]
        if item is None or item.managed_by != "seller":
            return _refused(row["id"], 12052023, "The SKU does not exist or is not live", [])
        if unknown:
            return _refused(row["id"], 12052097, "The warehouse does not exist", unknown)
        if not 0 <= places[0]["quantity"] < TOO_MANY:
            return _refused(row["id"], 12052220, "The quantity is out of range", [])
        self.set_units(item, places[0]["quantity"])
        return None

    def _route(self) -> None:
        router = self.app.router
        router.add_get("/oauth/authorize", self.consent)
        router.add_get("/api/v2/token/get", self.token)
        router.add_get("/api/v2/token/refresh", self.token)
        router.add_get("/authorization/202309/shops", self.shops)
        router.add_get("/event/202309/webhooks", self.webhooks)
        router.add_put("/event/202309/webhooks", self.webhooks)
        router.add_delete("/event/202309/webhooks", self.webhooks)
        router.add_post("/order/202309/orders/search", self.search_orders)
        router.add_get("/order/202309/orders", self.order_detail)
        router.add_post(r"/fulfillment/202309/orders/{order:\d+}/packages", self.ship)
        router.add_post(r"/fulfillment/202309/packages/{package:\d+}/shipping_info/update", self.recode)
        router.add_get(r"/fulfillment/202309/packages/{package:\d+}", self.package)
        router.add_get(f"/logistics/202309/delivery_options/{WAY}/shipping_providers", self.providers)
        router.add_post("/product/202502/products/search", self.search_products)
        router.add_get(r"/product/202309/products/{product:\d+}", self.get_product)
        router.add_post("/product/202309/inventory/search", self.search_inventory)
        router.add_post(r"/product/202309/products/{product:\d+}/inventory/update", self.update_inventory)


def _refused(sku: str, code: int, message: str, places: Sequence[str]) -> dict[str, Any]:
    deeper = [{"warehouse_id": place, "code": code, "message": message} for place in places]
    return {"code": code, "message": message, "detail": {"sku_id": sku, "extra_errors": deeper}}


SHOP: web.AppKey[TikTok] = web.AppKey("shop", TikTok)


def create(
    products: Sequence[Product],
    *,
    seed: int = 0,
    shipping: str = "SELLER",
    invoice: bool = False,
    now: Callable[[], datetime] = utc_now,
) -> TikTok:
    """A shop that sells `products`. `shipping`: SELLER or TIKTOK; `invoice`: orders wait for their NF-e."""
    return TikTok(products, seed, shipping=shipping, invoice=invoice, now=now)

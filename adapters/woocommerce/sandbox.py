"""A WooCommerce 10 store in memory. It takes Basic over plain http, where a real store demands OAuth 1.0a."""

import asyncio
import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from aiohttp import web

from hub.sandbox import Courier, Delivery, Handler, Knobs, Product, add_controls, make_app

SITE_ZONE = timedelta(hours=-3)
API = "/wp-json/wc/v3"
TRACKING_API = "/wp-json/wc-shipment-tracking/v3"
WRITE_KEY, WRITE_SECRET = "ck_" + "5a" * 20, "cs_" + "7b" * 20
READ_KEY, READ_SECRET = "ck_" + "1c" * 20, "cs_" + "2d" * 20
SHIPPING_CENTS = 1590
TAKES_STOCK = {"processing", "completed", "on-hold"}
GIVES_BACK = {"cancelled", "pending"}
PAYS = {"processing", "completed"}
ORDER_STATUSES = (
    "pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "trash",
    "checkout-draft",
)  # fmt: skip
TOPICS = tuple(
    f"{what}.{event}" for what in ("order", "product") for event in ("created", "updated", "deleted", "restored")
)
FAILURES_ALLOWED = 5
ADDRESS = (
    "first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country",
    "phone", "number", "neighborhood",
)  # fmt: skip
PEOPLE = (
    ("Maria", "da Silva", "52998224725"), ("João", "Souza", "11144477735"),
    ("Ana", "Oliveira", "39053344705"), ("Pedro", "Santos", "15350946056"), ("Luiza", "Costa", "86288366757"),
)  # fmt: skip


class Refusal(Exception):
    """An error in the store's own shape."""

    def __init__(self, status: int, code: str | int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, "data": {"status": status, **more}}


@dataclass(slots=True)
class Item:
    """A product, or with a `parent` one of its variations. `units` counts where `manage` is true."""

    id: int
    name: str
    sku: str
    price_cents: int
    units: int
    manage: bool
    modified: datetime
    parent: int = 0
    shares: bool = False  # a variation that sells from its product's stock
    gtin: str = ""
    option: str = ""
    status: str = "publish"
    children: list[int] = field(default_factory=list)
    held: int = 0  # in unpaid checkouts (status pending)


@dataclass(slots=True)
class Line:
    """A line of an order."""

    id: int
    item: Item
    quantity: int
    total_cents: int
    off: int = 0  # units that it has off the shelf


@dataclass(slots=True)
class Order:
    """An order; `held` while its units are kept from others without being taken."""

    id: int
    status: str
    created: datetime
    modified: datetime
    lines: list[Line]
    buyer: tuple[str, str, str]
    paid: datetime | None = None
    completed: datetime | None = None
    held: bool = False
    before_trash: str = ""
    tracking: list[str] = field(default_factory=list)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    trackings: list[dict[str, Any]] = field(default_factory=list)
    fulfillments: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total_cents(self) -> int:
        return sum(line.total_cents for line in self.lines) + SHIPPING_CENTS


@dataclass(slots=True)
class Hook:
    """A webhook as the store keeps it."""

    id: int
    name: str
    topic: str
    delivery_url: str
    secret: str
    created: datetime
    modified: datetime
    status: str = "active"
    failures: int = 0


def money(cents: int) -> str:
    """Centavos as the store writes them."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def cents_of(told: Any) -> int:
    """Centavos of the store's money."""
    whole, _, part = str(told).partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def dates(name: str, at: datetime | None) -> dict[str, str | None]:
    """A time twice: in the site's zone and in UTC, neither with an offset."""
    if at is None:
        return {name: None, f"{name}_gmt": None}
    local = at + SITE_ZONE
    return {name: f"{local:%Y-%m-%dT%H:%M:%S}", f"{name}_gmt": f"{at:%Y-%m-%dT%H:%M:%S}"}


def utc_now() -> datetime:
    """The store's clock tells whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keys, and errors in WordPress's own shape."""
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    try:
        if request.path != "/wp-json/":
            _authenticate(request)
        return await handler(request)
    except Refusal as refusal:
        return _answer(refusal)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return _answer(Refusal(404, "rest_no_route", "No route was found matching the URL and request method."))
    except json.JSONDecodeError:
        return _answer(Refusal(400, "rest_invalid_json", "Invalid JSON body passed."))


def _answer(refusal: Refusal) -> web.Response:
    return web.json_response(refusal.body, status=refusal.status)


def _authenticate(request: web.Request) -> None:
    key, secret = request.query.get("consumer_key", ""), request.query.get("consumer_secret", "")
    scheme, _, pair = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Basic":
        key, _, secret = base64.b64decode(pair).decode().partition(":")
    if not key:
        raise Refusal(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
    secrets = {WRITE_KEY: WRITE_SECRET, READ_KEY: READ_SECRET}
    if key not in secrets:
        raise Refusal(401, "woocommerce_rest_authentication_error", "Consumer key is invalid.")
    if secret != secrets[key]:
        raise Refusal(401, "woocommerce_rest_authentication_error", "Consumer secret is invalid.")
    if key == READ_KEY and request.method not in ("GET", "HEAD"):
        message = "The API key provided does not have write permissions."
        raise Refusal(401, "woocommerce_rest_authentication_error", message)


class Woo:
    """The store: its shelves, orders and webhooks, and the REST API over them."""

    def __init__(
        self,
        products: Sequence[Product],
        seed: int,
        *,
        hook_delay: float,
        unpaid_status: str,
        fulfillments: bool,
        shipment_tracking: bool,
        correios: bool,
        variation_share: float,
        shared_stock: bool,
        now: Callable[[], datetime],
    ) -> None:
        self.chance = random.Random(seed)
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, random.Random(seed + 1))
        self.app = make_app(self.knobs, self.courier, self.chance)
        self.app.middlewares.append(_gate)
        self.hook_delay, self.unpaid_status, self.now = hook_delay, unpaid_status, now
        self.fulfillments, self.shipment_tracking, self.correios = fulfillments, shipment_tracking, correios
        self.base = "http://127.0.0.1"
        self.next_id = 10
        self.items: dict[int, Item] = {}
        self.by_sku: dict[str, Item] = {}
        self.placed: dict[int, Order] = {}
        self.by_change: dict[int, Order] = {}  # oldest change first
        self.hooks: dict[int, Hook] = {}
        self.waiting: set[tuple[int, str, int]] = set()
        self._shelved: tuple[tuple[int, int], list[Item]] = ((-1, -1), [])
        self._stock_up(products, variation_share, shared_stock=shared_stock)
        self._route()
        add_controls(self)

    # ── What the demo and the tests ask ─────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        """The key that may write."""
        self.base = base_url.rstrip("/")
        return {"store_url": self.base, "consumer_key": WRITE_KEY, "consumer_secret": WRITE_SECRET}

    def shelf(self) -> dict[str, int]:
        """Units on the shelf by SKU, less what stands in unpaid checkouts."""
        return {sku: self._buyable(item) for sku, item in self.by_sku.items()}

    def orders(self) -> dict[str, str]:
        """Status word by order id."""
        return {str(order.id): order.status for order in self.placed.values()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """buy, pay, cancel, return, complete, trash, delete, restore, callback."""
        if verb == "buy":
            return {"order_ref": str(self._buy(wanted["lines"], pay=wanted.get("pay", True)).id)}
        if verb == "callback":
            for topic in TOPICS:
                self._hook({"topic": topic, "delivery_url": wanted["url"], "secret": wanted.get("secret", "")})
            return {"topics": list(TOPICS)}
        order = self._known(wanted["order_ref"])
        if verb == "return":
            self._refund(order, order.total_cents, restock=bool(wanted.get("restock", False)))
        elif verb == "trash":
            self._trash(order)
        elif verb == "delete":
            self._delete(order)
        elif verb == "restore":
            self._restore(order)
        elif verb in (words := {"pay": "processing", "cancel": "cancelled", "complete": "completed"}):
            self._move(order, words[verb])
        else:
            raise LookupError(f"no such act: {verb}")
        return {"order_ref": str(order.id), "status": order.status}

    # ── Shelves ─────────────────────────────────────────────────────────────────────────────────────────────

    def _new_id(self) -> int:
        self.next_id += 1
        return self.next_id

    def _stock_up(self, products: Sequence[Product], variation_share: float, *, shared_stock: bool) -> None:
        families: dict[str, list[Product]] = {}
        for n, product in enumerate(p for p in products if p.managed_by == "seller"):
            grouped = product.parent or (f"Grade {n // 3}" if self.chance.random() < variation_share else "")
            families.setdefault(grouped or f"\0{n}", []).append(product)
        for family, members in families.items():
            if family.startswith("\0"):
                self._shelve(members[0])
                continue
            parent = self._shelve(Product(sku="", title=family, quantity=0, price_cents=members[0].price_cents))
            parent.manage = shared_stock
            parent.units = sum(member.quantity for member in members) if shared_stock else 0
            for member in members:
                child = self._shelve(member)
                child.parent, child.option, child.shares = parent.id, member.title, shared_stock
                parent.children.append(child.id)

    def _shelve(self, product: Product) -> Item:
        item = Item(
            id=self._new_id(),
            name=product.title,
            sku=product.sku,
            price_cents=product.price_cents,
            units=product.quantity,
            manage=True,
            modified=self.now(),
            gtin=product.gtin or "",
        )
        self.items[item.id] = item
        if item.sku:
            self.by_sku[item.sku] = item
        return item

    def _pile(self, item: Item) -> Item:
        """Where the units of an item are counted."""
        return self.items[item.parent] if item.shares else item

    def _buyable(self, item: Item) -> int:
        pile = self._pile(item)
        return max(0, pile.units - pile.held)

    def _give(self, line: Line, units: int) -> None:
        """Units back on the shelf, or below zero off it."""
        if units:
            pile = self._pile(line.item)
            pile.units += units
            line.off -= units
            self._changed_item(pile)

    def _changed_item(self, item: Item) -> None:
        item.modified = self.now()
        self._emit("product.updated", item.id)

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def _known(self, ref: Any) -> Order:
        order = self.placed.get(int(ref)) if str(ref).isdecimal() else None
        if order is None:
            raise LookupError("unknown_order")
        return order

    def _buy(self, lines: Sequence[Mapping[str, Any]], *, pay: bool) -> Order:
        wanted: list[tuple[Item, int]] = []
        asked: dict[int, int] = {}
        for line in lines:
            item, units = self.by_sku.get(line["sku"]), int(line.get("quantity", 1))
            if item is None:
                raise LookupError("unknown_sku")
            pile = self._pile(item)
            asked[pile.id] = asked.get(pile.id, 0) + units
            if asked[pile.id] > self._buyable(item):
                raise LookupError("sold_out")
            wanted.append((item, units))
        order = Order(
            id=self._new_id(),
            status="checkout-draft",
            created=self.now(),
            modified=self.now(),
            lines=[Line(self._new_id(), item, units, units * item.price_cents) for item, units in wanted],
            buyer=self.chance.choice(PEOPLE),
        )
        self.placed[order.id] = order
        self._emit("order.created", order.id)
        self._move(order, "processing" if pay else self.unpaid_status)
        return order

    def _move(self, order: Order, status: str) -> None:
        """A change of status, with what it does to the shelf and the dates."""
        order.status = status
        if order.held:
            order.held = False
            for line in order.lines:
                self._pile(line.item).held -= line.quantity
        if status in TAKES_STOCK and not any(line.off for line in order.lines):
            for line in order.lines:
                self._give(line, -line.quantity)
        elif status in GIVES_BACK:
            for line in order.lines:
                self._give(line, line.off)
        if status == "pending":
            order.held = True
            for line in order.lines:
                self._pile(line.item).held += line.quantity
        if status in PAYS and order.paid is None:
            order.paid = self.now()
        if status == "completed" and order.completed is None:
            order.completed = self.now()
        self._changed(order)

    def _changed(self, order: Order, event: str = "updated") -> None:
        order.modified = self.now()
        self.by_change.pop(order.id, None)
        self.by_change[order.id] = order
        self._emit(f"order.{event}", order.id)

    def _trash(self, order: Order) -> None:
        order.before_trash, order.status = order.status, "trash"
        self._changed(order, "deleted")

    def _delete(self, order: Order) -> None:
        del self.placed[order.id]
        self.by_change.pop(order.id, None)
        self._emit("order.deleted", order.id)

    def _restore(self, order: Order) -> None:
        order.status = order.before_trash or "pending"
        self._changed(order, "restored")

    def _refund(self, order: Order, amount: int, *, restock: bool, reason: str = "", lines: Any = ()) -> dict[str, Any]:
        done = sum(row["cents"] for row in order.refunds)
        if amount <= 0 or done + amount > order.total_cents:
            raise Refusal(400, "woocommerce_rest_cannot_create_order_refund", "Invalid refund amount.")
        refund = {"id": self._new_id(), "cents": amount, "reason": reason, "created": self.now()}
        order.refunds.append(refund)
        whole = done + amount == order.total_cents
        if restock:
            back = {int(row["id"]): int(row["quantity"]) for row in lines}
            for line in order.lines:
                self._give(line, min(line.off, back.get(line.id, 0) if lines else line.off))
        if whole:
            order.status = "refunded"
        self._changed(order)
        return refund

    # ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────

    def _hook(self, told: Mapping[str, Any]) -> Hook:
        hook = Hook(
            id=self._new_id(),
            name=str(told.get("name") or told["topic"]),
            topic=str(told["topic"]),
            delivery_url=str(told["delivery_url"]),
            secret=str(told.get("secret", "")),
            created=self.now(),
            modified=self.now(),
            status=str(told.get("status", "active")),
        )
        self.hooks[hook.id] = hook
        self._ping(hook)
        return hook

    def _ping(self, hook: Hook) -> None:
        """Saving an active webhook posts an unsigned form at once."""
        if hook.status == "active":
            headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": self._agent}
            self.courier.send(Delivery(hook.delivery_url, headers, f"webhook_id={hook.id}".encode(), timeout=60))

    @property
    def _agent(self) -> str:
        return "WooCommerce/10.0.2 Hookshot (WordPress/6.8.2)"

    def _emit(self, topic: str, resource: int) -> None:
        """Queue a delivery; one that still waits stands for this change too."""
        for hook in self.hooks.values():
            key = (hook.id, topic, resource)
            if hook.topic != topic or hook.status != "active" or key in self.waiting:
                continue
            self.waiting.add(key)
            task = asyncio.get_running_loop().create_task(self._deliver(hook, resource, key))
            self.courier.under_way.add(task)
            task.add_done_callback(self.courier.under_way.discard)

    async def _deliver(self, hook: Hook, resource: int, key: tuple[int, str, int]) -> None:
        """What Action Scheduler does later: the body is rendered now, not when it happened. No retry."""
        await asyncio.sleep(self.hook_delay)
        self.waiting.discard(key)
        if hook.status != "active" or hook.id not in self.hooks:
            return
        body = json.dumps(self._payload(hook.topic, resource), separators=(",", ":")).replace("/", "\\/").encode()
        what, event = hook.topic.split(".")
        signature = base64.b64encode(hmac.digest(hook.secret.encode(), body, hashlib.sha256)).decode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "X-WC-Webhook-Source": f"{self.base}/",
            "X-WC-Webhook-Topic": hook.topic,
            "X-WC-Webhook-Resource": what,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": signature,
            "X-WC-Webhook-ID": str(hook.id),
            "X-WC-Webhook-Delivery-ID": f"{self.chance.randrange(10):032x}",  # as on a real store: not unique
        }
        self.courier.send(Delivery(hook.delivery_url, headers, body, timeout=60, done=self._counting(hook)))

    def _counting(self, hook: Hook) -> Callable[[int], None]:
        def done(status: int) -> None:
            hook.failures = 0 if 200 <= status <= 302 else hook.failures + 1
            if hook.failures >= FAILURES_ALLOWED:
                hook.status = "disabled"

        return done

    def _payload(self, topic: str, resource: int) -> dict[str, Any]:
        what, event = topic.split(".")
        if event != "deleted" and what == "order" and resource in self.placed:
            return self._order_row(self.placed[resource])
        if event != "deleted" and what == "product" and resource in self.items:
            return self._item_row(self.items[resource])
        return {"id": resource}

    # ── Documents ───────────────────────────────────────────────────────────────────────────────────────────

    def _links(self, path: str) -> dict[str, Any]:
        return {
            "self": [{"href": f"{self.base}{API}{path}"}],
            "collection": [{"href": f"{self.base}{API}{path.rpartition('/')[0]}"}],
        }

    def _item_row(self, item: Item) -> dict[str, Any]:
        pile = self._pile(item)
        kind = "variation" if item.parent else "variable" if item.children else "simple"
        parent = self.items.get(item.parent)
        managed: bool | str = "parent" if item.shares else item.manage
        counted = pile.units if managed else None
        sold_out = counted <= 0 if counted is not None else self._all_gone(item)
        return {
            "id": item.id,
            "name": item.name if not parent else item.option,
            "permalink": f"{self.base}/produto/{item.id}/",
            "type": kind,
            "status": item.status,
            **dates("date_created", item.modified),
            **dates("date_modified", item.modified),
            "sku": item.sku,
            "global_unique_id": item.gtin,
            "price": money(item.price_cents),
            "regular_price": money(item.price_cents),
            "sale_price": "",
            "manage_stock": managed,
            "stock_quantity": counted,
            "stock_status": "outofstock" if sold_out else "instock",
            "backorders": "no",
            "backorders_allowed": False,
            "parent_id": item.parent,
            "attributes": [{"id": 0, "name": "Modelo", "option": item.option}] if parent else [],
            "variations": list(item.children),
            "meta_data": [],
            "_links": self._links(
                f"/products/{item.parent}/variations/{item.id}" if parent else f"/products/{item.id}"
            ),
        }

    def _all_gone(self, item: Item) -> bool:
        return bool(item.children) and all(self.items[child].units <= 0 for child in item.children)

    def _order_row(self, order: Order) -> dict[str, Any]:
        first, last, cpf = order.buyer
        blank = dict.fromkeys(ADDRESS, "")
        billing = blank | {
            "first_name": first,
            "last_name": last,
            "address_1": "Rua das Acácias",
            "number": str(order.id % 900 + 1),
            "neighborhood": "Centro",
            "city": "Campinas",
            "state": "SP",
            "postcode": "13010-000",
            "country": "BR",
            "phone": "(19) 98765-4321",
            "email": f"{first.lower()}@example.com",
            "persontype": "F",
            "cpf": cpf,
            "cnpj": "",
            "cellphone": "",
        }
        meta = [{"id": 1, "key": "_billing_persontype", "value": "1"}]
        if order.fulfillments:
            sent = sum(item["qty"] for row in order.fulfillments for item in row["items"])
            whole = sent >= sum(line.quantity for line in order.lines)
            meta.append(
                {
                    "id": 2,
                    "key": "_fulfillment_status",
                    "value": "fulfilled" if whole else "partially_fulfilled",
                }
            )
        row: dict[str, Any] = {
            "id": order.id,
            "parent_id": 0,
            "number": str(order.id),
            "order_key": f"wc_order_{order.id:x}",
            "created_via": "checkout",
            "version": "10.0.2",
            "status": order.status,
            "currency": "BRL",
            **dates("date_created", order.created),
            **dates("date_modified", order.modified),
            "discount_total": "0.00",
            "discount_tax": "0.00",
            "shipping_total": money(SHIPPING_CENTS),
            "shipping_tax": "0.00",
            "cart_tax": "0.00",
            "total": money(order.total_cents),
            "total_tax": "0.00",
            "prices_include_tax": False,
            "customer_id": 0,
            "customer_note": "",
            "billing": billing,
            "shipping": blank,
            "payment_method": "pix",
            "payment_method_title": "Pix",
            "transaction_id": "",
            **dates("date_paid", order.paid),
            **dates("date_completed", order.completed),
            "meta_data": meta,
            "line_items": [self._line_row(line) for line in order.lines],
            "tax_lines": [],
            "shipping_lines": [
                {
                    "id": order.id + 1,
                    "method_id": "flat_rate",
                    "method_title": "PAC",
                    "total": money(SHIPPING_CENTS),
                }
            ],
            "fee_lines": [],
            "coupon_lines": [],
            "refunds": [
                {"id": row["id"], "reason": row["reason"], "total": money(-row["cents"])} for row in order.refunds
            ],
            "currency_symbol": "R$",
            "_links": self._links(f"/orders/{order.id}"),
        }
        if self.correios:
            row["correios_tracking_code"] = ",".join(order.tracking)
        return row

    def _line_row(self, line: Line) -> dict[str, Any]:
        return {
            "id": line.id,
            "name": line.item.name,
            "product_id": line.item.parent or line.item.id,
            "variation_id": line.item.id if line.item.parent else 0,
            "quantity": line.quantity,
            "tax_class": "",
            "subtotal": money(line.total_cents),
            "subtotal_tax": "0.00",
            "total": money(line.total_cents),
            "total_tax": "0.00",
            "taxes": [],
            "meta_data": [{"id": line.id, "key": "_reduced_stock", "value": str(line.quantity)}],
            "sku": line.item.sku,
            "price": line.total_cents / line.quantity / 100,  # a float, artefacts and all
        }

    def _hook_row(self, hook: Hook) -> dict[str, Any]:
        what, event = hook.topic.split(".")
        return {
            "id": hook.id,
            "name": hook.name,
            "status": hook.status,
            "topic": hook.topic,
            "resource": what,
            "event": event,
            "hooks": [],
            "delivery_url": hook.delivery_url,
            **dates("date_created", hook.created),
            **dates("date_modified", hook.modified),
            "_links": self._links(f"/webhooks/{hook.id}"),
        }

    # ── The REST API ────────────────────────────────────────────────────────────────────────────────────────

    def _route(self) -> None:
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/wp-json/", self.index),
            ("GET", f"{API}/orders", self.list_orders),
            ("GET", f"{API}/orders/{{id}}", self.get_order),
            ("PUT", f"{API}/orders/{{id}}", self.put_order),
            ("DELETE", f"{API}/orders/{{id}}", self.delete_order),
            ("GET", f"{API}/orders/{{id}}/refunds", self.list_refunds),
            ("POST", f"{API}/orders/{{id}}/refunds", self.post_refund),
            ("GET", f"{API}/orders/{{id}}/notes", self.list_notes),
            ("POST", f"{API}/orders/{{id}}/notes", self.post_note),
            ("GET", f"{API}/products", self.list_products),
            ("POST", f"{API}/products/batch", self.batch_products),
            ("GET", f"{API}/products/{{id}}", self.get_product),
            ("PUT", f"{API}/products/{{id}}", self.put_product),
            ("DELETE", f"{API}/products/{{id}}", self.delete_product),
            ("GET", f"{API}/products/{{id}}/variations", self.list_variations),
            ("POST", f"{API}/products/{{id}}/variations/batch", self.batch_variations),
            ("GET", f"{API}/products/{{id}}/variations/{{own}}", self.get_variation),
            ("PUT", f"{API}/products/{{id}}/variations/{{own}}", self.put_variation),
            ("GET", f"{API}/webhooks", self.list_hooks),
            ("POST", f"{API}/webhooks", self.post_hook),
            ("GET", f"{API}/webhooks/{{id}}", self.get_hook),
            ("PUT", f"{API}/webhooks/{{id}}", self.put_hook),
            ("DELETE", f"{API}/webhooks/{{id}}", self.delete_hook),
        ]
        if self.fulfillments:
            path = f"{API}/orders/{{id}}/fulfillments"
            routes += [("GET", path, self.list_fulfillments), ("POST", path, self.post_fulfillment)]
        if self.shipment_tracking:
            path = f"{TRACKING_API}/orders/{{id}}/shipment-trackings"
            routes += [("GET", path, self.list_trackings), ("POST", path, self.post_tracking)]
        for method, path, handler in routes:
            self.app.router.add_route(method, path, handler)

    @staticmethod
    def _number(request: web.Request, name: str, otherwise: int, least: int, most: int) -> int:
        told = request.query.get(name, str(otherwise))
        if not told.lstrip("-").isdecimal() or not least <= int(told) <= most:
            params = {name: f"{name} must be between {least} (inclusive) and {most} (inclusive)"}
            raise Refusal(400, "rest_invalid_param", f"Invalid parameter(s): {name}", params=params)
        return int(told)

    def _page(self, request: web.Request, rows: Sequence[Any], render: Callable[[Any], Any]) -> web.Response:
        size = self._number(request, "per_page", 10, 1, 100)
        page = self._number(request, "page", 1, 1, 2**31)
        start = self._number(request, "offset", (page - 1) * size, 0, 2**31)
        pages = -(-len(rows) // size)
        headers = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}
        if page < pages:
            query = dict(request.query) | {"page": str(page + 1)}
            joined = "&".join(f"{quote(key)}={quote(value)}" for key, value in query.items())
            headers["Link"] = f'<{self.base}{request.path}?{joined}>; rel="next"'
        return web.json_response([render(row) for row in rows[start : start + size]], headers=headers)

    def _order(self, request: web.Request, code: str = "woocommerce_rest_shop_order_invalid_id") -> Order:
        told = request.match_info["id"]
        order = self.placed.get(int(told)) if told.isdecimal() else None
        if order is None:
            raise Refusal(404, code, "Invalid ID.")
        return order

    async def index(self, _request: web.Request) -> web.Response:
        namespaces = ["oembed/1.0", "wc/v3", "wp/v2"]
        if self.shipment_tracking:
            namespaces.append("wc-shipment-tracking/v3")
        told = {"name": "Loja de Exemplo", "url": self.base, "timezone_string": "America/Sao_Paulo"}
        return web.json_response({**told, "gmt_offset": "-3", "namespaces": namespaces})

    # ── Orders over REST ────────────────────────────────────────────────────────────────────────────────────

    async def list_orders(self, request: web.Request) -> web.Response:
        query = request.query
        status = query.get("status", "any")
        if status != "any" and status not in ORDER_STATUSES:
            params = {"status": f"status is not one of any, {', '.join(ORDER_STATUSES)}."}
            raise Refusal(400, "rest_invalid_param", "Invalid parameter(s): status", params=params)
        after, before = self._moment(query, "modified_after"), self._moment(query, "modified_before")
        rows = []
        for order in reversed(self.by_change.values()):
            if after and order.modified <= after:
                break  # both bounds are exclusive
            if (order.status == status or (status == "any" and order.status != "trash")) and (
                before is None or order.modified < before
            ):
                rows.append(order)
        keys: dict[str, Callable[[Order], Any]] = {
            "modified": lambda order: (order.modified, order.id * 7919 % 1009),  # ties come in any order
            "id": lambda order: order.id,
            "date": lambda order: (order.created, order.id),
        }
        rows.reverse()
        rows.sort(key=keys[query.get("orderby", "date")], reverse=query.get("order", "desc") == "desc")
        return self._page(request, rows, self._order_row)

    @staticmethod
    def _moment(query: Mapping[str, str], name: str) -> datetime | None:
        told = query.get(name)
        if told is None:
            return None
        try:
            at = datetime.fromisoformat(told)
        except ValueError:
            raise Refusal(400, "rest_invalid_param", f"Invalid parameter(s): {name}") from None
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC) - (timedelta(0) if query.get("dates_are_gmt") == "true" else SITE_ZONE)
        return at

    async def get_order(self, request: web.Request) -> web.Response:
        return web.json_response(self._order_row(self._order(request)))

    async def put_order(self, request: web.Request) -> web.Response:
        order, told = self._order(request), await request.json()
        if self.correios and told.get("correios_tracking_code"):
            order.tracking.append(str(told["correios_tracking_code"]))
            self._note(order, f"Added a Correios tracking code: {order.tracking[-1]}", customer=False)
        if "status" in told:
            if told["status"] not in ORDER_STATUSES:
                raise Refusal(400, "rest_invalid_param", "Invalid parameter(s): status")
            self._move(order, told["status"])
        else:
            self._changed(order)
        row = self._order_row(order)
        wanted = request.query.get("_fields", "")
        return web.json_response({key: row[key] for key in wanted.split(",") if key in row} if wanted else row)

    async def delete_order(self, request: web.Request) -> web.Response:
        order = self._order(request)
        if request.query.get("force") == "true":
            self._delete(order)
        else:
            self._trash(order)
        return web.json_response(self._order_row(order))

    def _refund_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "id": row["id"],
            **dates("date_created", row["created"]),
            "amount": money(row["cents"]),
            "reason": row["reason"],
            "refunded_payment": False,
            "line_items": [],
        }

    async def list_refunds(self, request: web.Request) -> web.Response:
        return self._page(request, self._order(request).refunds, self._refund_row)

    async def post_refund(self, request: web.Request) -> web.Response:
        order, told = self._order(request), await request.json()
        refund = self._refund(
            order,
            cents_of(told.get("amount", "0")),
            restock=told.get("api_restock", True),
            reason=str(told.get("reason", "")),
            lines=told.get("line_items", ()),
        )
        return web.json_response(self._refund_row(refund), status=201)

    def _note(self, order: Order, text: str, *, customer: bool) -> dict[str, Any]:
        note = {"id": self._new_id(), "author": "sandbox", "note": text, "customer_note": customer}
        order.notes.append({**note, **dates("date_created", self.now())})
        return order.notes[-1]

    async def list_notes(self, request: web.Request) -> web.Response:
        return web.json_response(self._order(request).notes)

    async def post_note(self, request: web.Request) -> web.Response:
        order, told = self._order(request), await request.json()
        note = self._note(order, str(told["note"]), customer=bool(told.get("customer_note")))
        return web.json_response(note, status=201)

    async def list_fulfillments(self, request: web.Request) -> web.Response:
        return web.json_response(self._order(request, "woocommerce_rest_order_invalid_id").fulfillments)

    async def post_fulfillment(self, request: web.Request) -> web.Response:
        order, told = self._order(request, "woocommerce_rest_order_invalid_id"), await request.json()
        items = next((row["value"] for row in told.get("meta_data", ()) if row["key"] == "_items"), None)
        if not items:
            raise Refusal(400, 0, "The fulfillment should contain at least one item.")
        lines = {line.id for line in order.lines}
        if not all(isinstance(row.get("item_id"), int) and row["item_id"] in lines and row["qty"] > 0 for row in items):
            raise Refusal(400, 0, "Invalid item.")
        status = told.get("status", "unfulfilled")
        row = {
            "id": self._new_id(),
            "entity_id": str(order.id),
            "status": status,
            "meta_data": told["meta_data"],
        }
        order.fulfillments.append({**row, "is_fulfilled": status == "fulfilled", "items": items})
        self._changed(order)
        return web.json_response(order.fulfillments[-1], status=201)

    async def list_trackings(self, request: web.Request) -> web.Response:
        return web.json_response(self._order(request).trackings)

    async def post_tracking(self, request: web.Request) -> web.Response:
        order, told = self._order(request), await request.json()
        if not told.get("tracking_number"):
            params = {"tracking_number": "required"}
            raise Refusal(400, "rest_missing_callback_param", "Missing parameter(s): tracking_number", params=params)
        row = {
            "tracking_id": f"{self._new_id():032x}",
            "tracking_provider": told.get("custom_tracking_provider") or told.get("tracking_provider"),
            "tracking_link": told.get("custom_tracking_link", ""),
            "tracking_number": told["tracking_number"],
            "date_shipped": told.get("date_shipped"),
        }
        order.trackings.append(row)
        self._changed(order)
        return web.json_response(row, status=201)

    # ── Products over REST ──────────────────────────────────────────────────────────────────────────────────

    def _chosen(self, request: web.Request, pool: Iterable[int], parent: int) -> list[Item]:
        """Of the ids in `pool`, or of those included, the items under `parent` (0: products), by id."""
        query = request.query
        if "include" in query:
            pool = sorted(int(told) for told in query["include"].split(",") if told.isdecimal())
        if "sku" in query:  # finds variations too
            found = (self.by_sku.get(sku) for sku in query["sku"].split(","))
            return [item for item in found if item]
        if pool is self.items and not parent:
            chosen = self._tops()
        else:
            asked = (self.items.get(number) for number in pool)
            chosen = [item for item in asked if item and item.parent == parent]
        return chosen[::-1] if query.get("order", "desc") == "desc" else chosen

    def _tops(self) -> list[Item]:
        """Every product, variations left out; looked up anew only where some came or went: shelves may be long."""
        stand = (len(self.items), self.next_id)
        if self._shelved[0] != stand:
            self._shelved = (stand, [item for item in self.items.values() if not item.parent])
        return self._shelved[1]

    async def list_products(self, request: web.Request) -> web.Response:
        return self._page(request, self._chosen(request, self.items, 0), self._item_row)

    def _item(self, told: Any, parent: int = 0) -> Item | None:
        item = self.items.get(int(told)) if str(told).isdecimal() else None
        return item if item and (not parent or item.parent == parent) else None

    def _parent(self, request: web.Request) -> int:
        parent = self._item(request.match_info["id"])
        if parent is None:
            raise Refusal(404, "woocommerce_rest_product_invalid_id", "Invalid ID.")
        return parent.id

    async def list_variations(self, request: web.Request) -> web.Response:
        parent = self._parent(request)
        pool = sorted(self.items[parent].children)
        return self._page(request, self._chosen(request, pool, parent), self._item_row)

    async def get_product(self, request: web.Request) -> web.Response:
        return web.json_response(self._item_row(self.items[self._parent(request)]))

    async def get_variation(self, request: web.Request) -> web.Response:
        item = self._item(request.match_info["own"], self._parent(request))
        if item is None:
            raise Refusal(404, "woocommerce_rest_product_variation_invalid_id", "Invalid ID.")
        return web.json_response(self._item_row(item))

    def _update(self, told: Mapping[str, Any], parent: int = 0) -> dict[str, Any]:
        """One row of a batch or one PUT; a Refusal where the id is wrong."""
        item = self._item(told.get("id"), parent)
        if item is None:
            kind = "product_variation" if parent else "product"
            raise Refusal(400, f"woocommerce_rest_{kind}_invalid_id", "Invalid ID.")
        if item.parent and not parent:
            message = (
                "To manipulate product variations you should use the "
                "/products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint."
            )
            raise Refusal(404, "woocommerce_rest_invalid_product_id", message)
        if "manage_stock" in told:
            item.shares = told["manage_stock"] == "parent"
            item.manage = told["manage_stock"] is True
        if "stock_quantity" in told and item.manage:  # else ignored
            item.units = int(told["stock_quantity"])
        item.status = told.get("status", item.status)
        self._changed_item(item)
        return self._item_row(item)

    async def put_product(self, request: web.Request) -> web.Response:
        return web.json_response(self._update({**await request.json(), "id": request.match_info["id"]}))

    async def delete_product(self, request: web.Request) -> web.Response:
        """Gone with its variations; `force` or not, as lists do not show the trash."""
        item = self.items[self._parent(request)]
        row = self._item_row(item)
        for number in (item.id, *item.children):
            gone = self.items.pop(number)
            self.by_sku.pop(gone.sku, None)
            self._emit("product.deleted", number)
        return web.json_response(row)

    async def put_variation(self, request: web.Request) -> web.Response:
        told = {**await request.json(), "id": request.match_info["own"]}
        return web.json_response(self._update(told, self._parent(request)))

    async def _batch(self, request: web.Request, parent: int = 0) -> web.Response:
        told = await request.json()
        rows = told.get("update", [])
        if sum(len(told.get(key, [])) for key in ("create", "update", "delete")) > 100:
            message = "Unable to accept more than 100 items for this request."
            raise Refusal(413, "woocommerce_rest_request_entity_too_large", message)
        answers = []
        for row in rows:
            try:
                answers.append(self._update(row, parent))
            except Refusal as refusal:
                answers.append({"id": row.get("id"), "error": refusal.body})
        return web.json_response({"update": answers} if rows else [])

    async def batch_products(self, request: web.Request) -> web.Response:
        return await self._batch(request)

    async def batch_variations(self, request: web.Request) -> web.Response:
        return await self._batch(request, self._parent(request))

    # ── Webhooks over REST ──────────────────────────────────────────────────────────────────────────────────

    def _asked_hook(self, request: web.Request) -> Hook:
        told = request.match_info["id"]
        hook = self.hooks.get(int(told)) if told.isdecimal() else None
        if hook is None:
            raise Refusal(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        return hook

    async def list_hooks(self, request: web.Request) -> web.Response:
        status = request.query.get("status", "all")
        hooks = [hook for hook in self.hooks.values() if status in ("all", hook.status)]
        return self._page(request, hooks, self._hook_row)

    async def get_hook(self, request: web.Request) -> web.Response:
        return web.json_response(self._hook_row(self._asked_hook(request)))

    async def post_hook(self, request: web.Request) -> web.Response:
        told = await request.json()
        if told.get("topic") not in TOPICS:
            raise Refusal(400, "woocommerce_rest_webhook_invalid_topic", "Webhook topic must be valid.")
        if not str(told.get("delivery_url", "")).startswith(("http://", "https://")):
            message = "Webhook delivery URL must be a valid URL starting with http:// or https://."
            raise Refusal(400, "woocommerce_rest_webhook_invalid_delivery_url", message)
        return web.json_response(self._hook_row(self._hook(told)), status=201)

    async def put_hook(self, request: web.Request) -> web.Response:
        hook, told = self._asked_hook(request), await request.json()
        for key in ("name", "status", "delivery_url", "secret"):
            if key in told:
                setattr(hook, key, str(told[key]))
        hook.modified = self.now()
        if hook.status == "active":
            hook.failures = 0
        self._ping(hook)
        return web.json_response(self._hook_row(hook))

    async def delete_hook(self, request: web.Request) -> web.Response:
        hook = self._asked_hook(request)
        if request.query.get("force") != "true":
            message = "Webhooks do not support trashing."
            raise Refusal(501, "woocommerce_rest_trash_not_supported", message)
        del self.hooks[hook.id]
        return web.json_response(self._hook_row(hook))


def create(
    products: Sequence[Product],
    *,
    seed: int = 0,
    hook_delay: float = 0.0,
    unpaid_status: str = "on-hold",
    fulfillments: bool = False,
    shipment_tracking: bool = False,
    correios: bool = False,
    variation_share: float = 0.0,
    shared_stock: bool = False,
    now: Callable[[], datetime] = utc_now,
) -> Woo:
    """A store that sells `products`; those with one `parent` are its variations.

    `hook_delay` is how many seconds Action Scheduler sleeps; `unpaid_status` where an unpaid order stands
    ("on-hold" takes the units, "pending" only keeps them from others); `variation_share` how many of the
    parentless become variations; `shared_stock` whether variations sell from one pile, the sum of theirs.
    """
    return Woo(
        products,
        seed,
        hook_delay=hook_delay,
        unpaid_status=unpaid_status,
        fulfillments=fulfillments,
        shipment_tracking=shipment_tracking,
        correios=correios,
        variation_share=variation_share,
        shared_stock=shared_stock,
        now=now,
    )

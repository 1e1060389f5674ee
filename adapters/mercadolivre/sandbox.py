"""Mercado Livre as its documentation says: tokens, items, stock, orders, packs, shipments, notifications."""

import asyncio
import base64
import hashlib
import io
import itertools
import json
import random
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from aiohttp import web
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from hub.sandbox import Courier, Delivery, Knobs, Product, Sandbox, add_controls, make_app

Json = dict[str, Any]
Call = Callable[[web.Request], Awaitable[web.StreamResponse]]
ZONE = timezone(timedelta(hours=-4))
TOPICS = ("orders_v2", "shipments", "items", "payments", "stock-locations")
PAUSES = (30.0, 90.0, 180.0, 300.0, 600.0, 900.0, 1500.0)  # 8 attempts in 1 h
MASK = "XXXXXXX"
SERIAL = itertools.count(1)  # a marketplace numbers the things of all its sellers in one row
FIRST_ORDER, BILLING = 2_000_009_000_000_000, 677_000_000_000_000_000
ME1 = {
    ("shipped", "null"), ("shipped", "out_for_delivery"), ("shipped", "receiver_absent"),
    ("shipped", "dangerous_area"), ("shipped", "bad_address"), ("shipped", "unauthorized_receiver"),
    ("not_delivered", "returning_to_sender"), ("delivered", "null"),
}  # fmt: skip
PRINTABLE = {"ready_to_ship/ready_to_print", "ready_to_ship/printed"}
FINAL = {"delivered", "not_delivered", "cancelled"}
BUYERS = (
    ("Marina", "Teste Alves", "CPF", "52998224725", "Rua do Teste", "120", "Niterói", "BR-RJ", "24020003"),
    ("Otávio", "Teste Prado", "CPF", "11144477735", "Avenida Teste", "15", "São Paulo", "BR-SP", "01310200"),
    ("Teste Ltda", None, "CNPJ", "11222333000181", "Rua XV de Teste", "77", "Curitiba", "BR-PR", "80020310"),
)  # fmt: skip


class Refusal(Exception):
    """An error in the vendor's shape."""

    def __init__(self, status: int, error: str, message: str, *, cause: Sequence[Any] = (), **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "error": error, "status": status, "cause": list(cause), **more}


def missing(what: str) -> Refusal:
    return Refusal(404, "not_found", f"{what} not found")


def money(cents: int) -> float:
    return cents / 100


def now() -> datetime:
    return datetime.now(UTC)


def stamp(at: datetime | None) -> str | None:
    return at.astimezone(ZONE).isoformat(timespec="milliseconds") if at else None


@dataclass(slots=True, kw_only=True)
class UserProduct:
    """Whose stock it is: one for all items that offer the same thing."""

    id: str
    sku: str
    shelves: dict[tuple[str, str], int]  # (store, network node); ("", "") where stock has no location
    items: list["Item"] = field(default_factory=list)
    version: int = 1

    @property
    def quantity(self) -> int:
        return sum(self.shelves.values())

    def take(self, units: int) -> tuple[str, str]:
        """Units off the fullest shelf that holds them all, else off as many as it needs."""
        fullest = sorted(self.shelves, key=self.shelves.__getitem__, reverse=True)
        left = units
        for shelf in fullest:
            taken = min(left, self.shelves[shelf])
            self.shelves[shelf] -= taken
            left -= taken
        self.version += 1
        return fullest[0]


@dataclass(slots=True, kw_only=True)
class Offer:
    """An item without variations, or one variation; `shown` is the quantity copied from its user product."""

    id: int | None
    product: UserProduct
    price_cents: int
    gtin: str | None
    shown: int


@dataclass(slots=True, kw_only=True)
class Item:
    """A listing."""

    id: str
    title: str
    offers: list[Offer]
    full: bool
    kit: Mapping[str, int] | None = None
    status: str = "active"
    sub_status: str | None = None
    updated: datetime = field(default_factory=now)


@dataclass(slots=True, kw_only=True)
class Parcel:
    """A shipment: of one order, or of all orders of a pack."""

    id: int
    type: str
    mode: str
    cost_cents: int
    sales: list["Sale"] = field(default_factory=list)
    status: str = "pending"
    substatus: str | None = None
    tracking: str | None = None
    sibling: int | None = None
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)


@dataclass(slots=True, kw_only=True)
class Sale:
    """An order: always of one listing."""

    id: int
    item: Item
    offer: Offer
    quantity: int
    buyer: int
    parcel: Parcel
    shelf: tuple[str, str]
    pack: int | None = None
    kit: str | None = None
    status: str = "confirmed"
    paid: datetime | None = None
    cancelled: datetime | None = None
    tags: list[str] = field(default_factory=list)
    partial: bool = False
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)

    @property
    def cents(self) -> int:
        return self.offer.price_cents * self.quantity


class MercadoLivre:
    """The whole of it. Options are documented at `create`."""

    def __init__(self, products: Sequence[Product], seed: int, options: Json) -> None:
        self.chance = random.Random(seed)
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, self.chance)
        self.app = make_app(self.knobs, self.courier, self.chance)
        known = dict(DEFAULTS)
        if unknown := options.keys() - known.keys():
            raise TypeError(f"no option named {', '.join(sorted(unknown))}; there are: {', '.join(sorted(known))}")
        self.options = known | options
        self.user_id, self.client_id = int(self.options["user_id"]), str(self.options["client_id"])
        self.refresh: str = self.options["refresh_token"]
        self.tokens: dict[str, datetime] = {}
        self.codes: dict[str, tuple[str, str]] = {}
        self.callback: str | None = None
        self.topics = set(TOPICS)
        self.refused: dict[str, int] = {}  # topic: attempts in a row that were not acknowledged
        self.missed: list[Json] = []
        self.recent: dict[str, deque[float]] = {}
        self.products: dict[str, UserProduct] = {}  # by sku
        self.items: dict[str, Item] = {}
        self.sales: dict[int, Sale] = {}
        self.parcels: dict[int, Parcel] = {}
        self._stock_up(products)
        self.by_product = {product.id: product for product in self.products.values()}
        self._serve()

    # ── What there is to sell ───────────────────────────────────────────────────────────────────────────────

    def _next(self) -> int:
        return next(SERIAL)

    def _stock_up(self, products: Sequence[Product]) -> None:
        families: dict[str, Item] = {}
        for product in products:
            offer = self._offer(product)
            item = families.get(product.parent or "")
            if item is None:
                full = product.managed_by == "marketplace"
                title = product.title if product.parent is None else product.parent
                item = Item(id=f"MLB{4_000_000_000 + self._next()}", title=title, offers=[], full=full)
                self.items[item.id] = item
                if product.parent:
                    families[product.parent] = item
            offer.id = 170_000_000_000 + self._next() if product.parent else None
            item.offers.append(offer)
            offer.product.items.append(item)
            self._show(item)
        for sku, parts in self.options["kits"].items():
            virtual = UserProduct(id=f"MLBU{3_000_000_000 + self._next()}", sku=sku, shelves={})
            offer = Offer(id=None, product=virtual, price_cents=self._kit_price(parts), gtin=None, shown=0)
            kit = Item(
                id=f"MLB{4_000_000_000 + self._next()}",
                title=f"Kit {sku}",
                offers=[offer],
                full=False,
                kit=parts,
            )
            self.items[kit.id] = kit

    def _kit_price(self, parts: Mapping[str, int]) -> int:
        return sum(self.products[sku].items[0].offers[0].price_cents * units for sku, units in parts.items())

    def _offer(self, product: Product) -> Offer:
        owner = self.products.get(product.sku)
        if owner is None:  # the same SKU again is a second item of the same user product
            shelves = dict.fromkeys(self._stores(), 0)
            shelves[next(iter(shelves))] = product.quantity
            owner = UserProduct(id=f"MLBU{3_000_000_000 + self._next()}", sku=product.sku, shelves=shelves)
            self.products[product.sku] = owner
        return Offer(id=None, product=owner, price_cents=product.price_cents, gtin=product.gtin, shown=owner.quantity)

    def _stores(self) -> list[tuple[str, str]]:
        if not self.options["warehouse_management"]:
            return [("", "")]
        return [(str(70_000_000 + at), f"BRP{160_000 + at}") for at in range(1, self.options["stores"] + 1)]

    def _quantity(self, item: Item, offer: Offer) -> int:
        if item.kit is not None:
            return min(self.products[sku].quantity // units for sku, units in item.kit.items())
        return offer.shown

    def _show(self, item: Item) -> None:
        """Paused by itself at 0; back by itself only when it was the stock that paused it."""
        for offer in item.offers:
            offer.shown = offer.product.quantity
        stocked = any(offer.shown for offer in item.offers)
        if item.status == "active" and not stocked:
            item.status, item.sub_status = "paused", "out_of_stock"
        elif item.sub_status == "out_of_stock" and stocked:
            item.status, item.sub_status = "active", None
        item.updated = now()

    def _moved(self, product: UserProduct, written: Item | None = None) -> None:
        """Stock changed: the item that was written or sold shows it at once, its siblings some time after."""
        for item in product.items:
            if item is written or len(product.items) == 1:
                self._copy(item)
            else:
                asyncio.get_running_loop().call_later(self.options["copy_seconds"], self._copy, item)
        if self.options["warehouse_management"]:
            self._notify("stock-locations", f"/user-products/{product.id}/stock")

    def _copy(self, item: Item) -> None:
        self._show(item)
        self._notify("items", f"/items/{item.id}")

    # ── Notifications ───────────────────────────────────────────────────────────────────────────────────────

    def _notify(self, topic: str, resource: str) -> None:
        if self.callback is None or topic not in self.topics:
            return
        happened = now()
        told = {
            "_id": secrets.token_hex(12),
            "resource": resource,
            "user_id": self.user_id,
            "topic": topic,
            "application_id": int(self.client_id),
            "attempts": 1,
            "sent": f"{(happened + timedelta(milliseconds=20)).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}Z",
            "received": f"{happened.strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}Z",
        }
        body = json.dumps(told).encode()
        retries = tuple(pause / self.options["speed"] for pause in PAUSES)
        headers = {"Content-Type": "application/json"}
        done = self._watch(told, body.decode(), self.callback)
        self.courier.send(
            Delivery(url=self.callback, headers=headers, body=body, timeout=0.5, retries=retries, done=done)
        )

    def _watch(self, told: Json, body: str, url: str) -> Callable[[int], None]:
        """Counts attempts: after 8 the notice is missed; a topic refused for long is switched off."""
        attempts, topic = 0, told["topic"]

        def done(status: int) -> None:
            nonlocal attempts
            attempts += 1
            if 200 <= status < 300:
                self.refused[topic] = 0
                return
            self.refused[topic] = self.refused.get(topic, 0) + 1
            if self.refused[topic] >= self.options["disable_after"]:
                self.topics.discard(topic)  # and what is lost from now on is not even in missed_feeds
            elif attempts == len(PAUSES) + 1 and topic in self.topics:
                row = told | {"attempts": attempts, "request": {"url": url, "data": body}}
                self.missed.append(row | {"response": {"http_code": status, "body": ""}})

        return done

    def _told(self, sale: Sale) -> None:
        sale.updated = now()
        self._notify("orders_v2", f"/orders/{sale.id}")

    def _shipped(self, parcel: Parcel, status: str, substatus: str | None) -> None:
        parcel.status, parcel.substatus, parcel.updated = status, substatus, now()
        if parcel.tracking is None and status == "ready_to_ship" and parcel.mode == "me2":
            parcel.tracking = f"MEL{parcel.id}LMXDO01"
        self._notify("shipments", f"/shipments/{parcel.id}")
        for sale in parcel.sales:  # an order's last_updated moves with its shipment
            self._told(sale)

    # ── What buyers, sellers and carriers do ────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        """With the refresh token that is good now: it can be used once."""
        return {
            "client_id": self.client_id,
            "client_secret": self.options["client_secret"],
            "refresh_token": self.refresh,
            "endpoint": base_url,
        }

    def shelf(self) -> dict[str, int]:
        """By SKU, without Full and kits; an item that its seller paused sells nothing."""
        live = {
            offer.product.sku: offer.product.quantity
            for item in self.items.values()
            if not item.full and item.kit is None and item.status == "active"
            for offer in item.offers
        }
        seller = (p.sku for p in self.products.values() if p.items and not p.items[0].full)
        return {sku: live.get(sku, 0) for sku in seller}

    def orders(self) -> dict[str, str]:
        return {str(sale.id): sale.status for sale in self.sales.values()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> Json:
        """Verbs of every store (buy, pay, cancel, return, callback), and those in `doings`.

        dispatch, deliver, ship {order_ref or shipment_ref, status, substatus}: move a shipment. invoice: the
        NF-e arrived. fraud: a paid order turns out to be one. partial: the next GET of the order answers 206.
        pause, activate {sku}. subscribe: switches the topics on again. expire: access tokens end now.
        """
        doings: dict[str, Callable[[Mapping[str, Any]], Json]] = {
            "buy": self._buy, "pay": self._pay, "cancel": self._cancel, "return": self._return,
            "dispatch": lambda w: self._ship(w, "shipped", None),
            "deliver": lambda w: self._ship(w, "delivered", None),
            "invoice": lambda w: self._ship(w, "ready_to_ship", "ready_to_print"),
            "ship": lambda w: self._ship(w, w["status"], w.get("substatus")),
            "fraud": self._fraud, "partial": self._partial, "callback": self._set_callback,
            "subscribe": self._subscribe, "pause": self._pause, "activate": self._pause,
            "expire": self._expire,
        }  # fmt: skip
        if verb not in doings:
            raise LookupError(f"no_such_verb: {verb}")
        return doings[verb](wanted | {"verb": verb} if isinstance(wanted, dict) else {"verb": verb})

    def _sale(self, wanted: Mapping[str, Any]) -> Sale:
        sale = self.sales.get(int(wanted.get("order_ref") or 0))
        if sale is None:
            raise LookupError("no_such_order")
        return sale

    def _offered(self, sku: str) -> tuple[Item, Offer]:
        found = [(i, o) for i in self._items_of(sku) for o in i.offers if o.product.sku == sku]
        if not found:
            raise LookupError("no_such_sku")
        return next(((item, offer) for item, offer in found if item.status == "active"), found[0])

    def _items_of(self, sku: str) -> list[Item]:
        if sku in self.products:
            return self.products[sku].items
        return [item for item in self.items.values() if item.kit and item.offers[0].product.sku == sku]

    def _buy(self, wanted: Mapping[str, Any]) -> Json:
        """One order per listing (per component of a kit); several share a pack and a shipment."""
        rows: list[tuple[Item, Offer, int, str | None]] = []
        for line in wanted["lines"]:
            item, offer = self._offered(line["sku"])
            units = int(line.get("quantity", 1))
            if item.status != "active" and item.kit is None:
                raise LookupError("sold_out")
            for sku, each in (item.kit or {line["sku"]: 1}).items():
                part = self._offered(sku) if item.kit else (item, offer)
                rows.append((*part, units * each, item.id if item.kit else None))
        asked: dict[str, int] = {}
        for _, offer, units, _ in rows:
            asked[offer.product.sku] = asked.get(offer.product.sku, 0) + units
        if any(units <= 0 or units > self.products[sku].quantity for sku, units in asked.items()):
            raise LookupError("sold_out")
        buyer = self.chance.randrange(len(BUYERS))
        sales: list[Sale] = []
        for full in (False, True):  # Full and the seller's own goods travel apart
            mine = [row for row in rows if row[0].full is full]
            if mine:
                sales += self._sell(mine, buyer, wanted)
        if wanted.get("pay", True):
            for parcel in {sale.parcel.id: sale.parcel for sale in sales}.values():
                self._pay({"order_ref": parcel.sales[0].id})
        first = sales[0]
        refs = [str(sale.id) for sale in sales]
        pack = str(first.pack) if first.pack else None
        return {
            "order_ref": refs[0],
            "order_refs": refs,
            "shipment_ref": str(first.parcel.id),
            "pack_ref": pack,
        }

    def _sell(
        self, rows: Sequence[tuple[Item, Offer, int, str | None]], buyer: int, wanted: Mapping[str, Any]
    ) -> list[Sale]:
        pack = 2_000_006_000_000_000 + self._next() if len(rows) > 1 else None
        me1 = not rows[0][0].full and bool(wanted.get("me1", self.options["me1"]))
        kind = "fulfillment" if rows[0][0].full else "default" if me1 else self.options["logistic_type"]
        cost = int(wanted.get("shipping_cents", 0))
        parcel = Parcel(id=44_000_000_000 + self._next(), type=kind, mode="me1" if me1 else "me2", cost_cents=cost)
        self.parcels[parcel.id] = parcel
        for item, offer, units, kit in rows:
            shelf = offer.product.take(units)
            sale = Sale(
                id=FIRST_ORDER + self._next(), item=item, offer=offer, quantity=units, buyer=buyer,
                parcel=parcel, shelf=shelf, pack=pack, kit=kit,
            )  # fmt: skip
            sale.tags = ["not_paid", "not_delivered", *(["pack_order"] if pack else [])]
            sale.tags += ["bundle_component"] if kit else []
            self.sales[sale.id] = sale
            parcel.sales.append(sale)
            self._moved(offer.product, item)
            self._told(sale)
        return parcel.sales

    def _pay(self, wanted: Mapping[str, Any]) -> Json:
        """A pack is paid at once."""
        parcel = self._sale(wanted).parcel
        for sale in parcel.sales:
            if sale.status == "confirmed":
                sale.status, sale.paid = "paid", now()
                sale.tags = ["paid", *(tag for tag in sale.tags if tag != "not_paid")]
                self._notify("payments", f"/collections/{91_000_000_000 + sale.id % 10**9}")
                self._told(sale)
        if parcel.status == "pending":
            waiting = "invoice_pending" if self.options["invoice_pending"] else "ready_to_print"
            self._shipped(parcel, "ready_to_ship", waiting) if parcel.mode == "me2" else self._shipped(
                parcel, "pending", None
            )
        return {}

    def _cancel(self, wanted: Mapping[str, Any]) -> Json:
        """Gives the stock back unless it left; the rest of a pack goes on under a new shipment."""
        sale = self._sale(wanted)
        if sale.status == "cancelled":
            return {}
        sale.status, sale.cancelled = "cancelled", now()
        parcel = sale.parcel
        if parcel.status not in {"shipped", "delivered", "not_delivered"}:
            product = sale.offer.product
            product.shelves[sale.shelf] += sale.quantity
            product.version += 1
            self._moved(product, sale.item)
            self._leave(parcel)
        self._told(sale)
        return {}

    def _leave(self, parcel: Parcel) -> None:
        live = [sale for sale in parcel.sales if sale.status != "cancelled"]
        if not live:
            self._shipped(parcel, "cancelled", None)
            return
        onward = Parcel(
            id=44_000_000_000 + self._next(), type=parcel.type, mode=parcel.mode, sales=live,
            cost_cents=parcel.cost_cents, status=parcel.status, substatus=parcel.substatus,
        )  # fmt: skip
        self.parcels[onward.id] = onward
        parcel.sales = [sale for sale in parcel.sales if sale.status == "cancelled"]
        parcel.sibling = onward.id
        for sale in live:
            sale.parcel = onward
        self._shipped(parcel, "cancelled", "pack_partially_cancelled")
        self._shipped(onward, onward.status, onward.substatus)

    def _return(self, wanted: Mapping[str, Any]) -> Json:
        """Back with the seller, who looks at it before it is for sale again; the buyer has the money back."""
        sale = self._sale(wanted)
        if sale.parcel.status not in {"shipped", "delivered", "not_delivered"}:
            raise LookupError("not_dispatched")
        for each in sale.parcel.sales:
            each.status, each.cancelled = "cancelled", now()
        self._shipped(sale.parcel, "not_delivered", "returned")
        return {}

    def _ship(self, wanted: Mapping[str, Any], status: str, substatus: str | None) -> Json:
        ref = int(wanted.get("shipment_ref") or 0)
        parcel = self.parcels[ref] if ref in self.parcels else self._sale(wanted).parcel
        if any(sale.paid is None for sale in parcel.sales):
            raise LookupError("not_paid")
        if parcel.status in FINAL and status != "not_delivered":
            raise LookupError("final")
        self._shipped(parcel, status, substatus)
        return {"shipment_ref": str(parcel.id)}

    def _fraud(self, wanted: Mapping[str, Any]) -> Json:
        sale = self._sale(wanted)
        sale.tags.append("fraud_risk_detected")
        self._told(sale)
        return {}

    def _partial(self, wanted: Mapping[str, Any]) -> Json:
        self._sale(wanted).partial = True
        return {}

    def _set_callback(self, wanted: Mapping[str, Any]) -> Json:
        self.callback = wanted.get("url")
        return self._subscribe(wanted)

    def _subscribe(self, wanted: Mapping[str, Any]) -> Json:
        self.topics = set(wanted.get("topics") or TOPICS)
        self.refused.clear()
        return {"topics": sorted(self.topics)}

    def _pause(self, wanted: Mapping[str, Any]) -> Json:
        for item in self._items_of(wanted["sku"]):
            paused = wanted["verb"] == "pause"
            item.status, item.sub_status = ("paused", "paused_by_seller") if paused else ("active", None)
            self._copy(item)
        return {}

    def _expire(self, _wanted: Mapping[str, Any]) -> Json:
        self.tokens.clear()
        return {}

    # ── The API ─────────────────────────────────────────────────────────────────────────────────────────────

    def _serve(self) -> None:
        add = self.app.router.add_route
        add("GET", "/authorization", self.authorization)
        add("POST", "/oauth/token", self._answering(self.token))
        for method, path, handler in (
            ("GET", "/users/me", self.me),
            ("GET", "/users/{id}/items/search", self.scan),
            ("GET", "/users/{id}/stores/search", self.stores),
            ("GET", "/items", self.multiget),
            ("GET", "/items/bulk", self.bulk),
            ("GET", "/items/{id}", self.get_item),
            ("PUT", "/items/{id}", self.put_item),
            ("PUT", "/items/{id}/variations/{variation}", self.put_variation),
            ("GET", "/user-products/{id}/stock", self.get_stock),
            ("PUT", "/user-products/{id}/stock/type/seller_warehouse", self.put_stock),
            ("GET", "/orders/search", self.search),
            ("GET", "/orders/billing-info/MLB/{id}", self.billing_info),
            ("GET", "/orders/{id}", self.get_order),
            ("GET", "/orders/{id}/shipments", self.order_shipments),
            ("GET", "/packs/{id}", self.pack),
            ("GET", "/shipments/{id}", self.get_shipment),
            ("GET", "/shipments/{id}/orders", self.shipment_orders),
            ("GET", "/shipments/{id}/sla", self.sla),
            ("POST", "/shipments/{id}/seller_notifications", self.seller_notifications),
            ("GET", "/shipment_labels", self.labels),
            ("GET", "/missed_feeds", self.missed_feeds),
        ):
            add(method, path, self._answering(self._authorized(handler)))

    def _answering(self, handler: Call) -> Call:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refusal as refusal:
                return web.json_response(refusal.body, status=refusal.status)
            except (KeyError, TypeError, ValueError) as problem:
                body = {
                    "message": f"malformed request: {problem}",
                    "error": "bad_request",
                    "status": 400,
                    "cause": [],
                }
                return web.json_response(body, status=400)

        return answer

    def _authorized(self, handler: Call) -> Call:
        async def guarded(request: web.Request) -> web.StreamResponse:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme != "Bearer":
                raise Refusal(401, "unauthorized", "authorization value not present")
            if self.tokens.get(token, datetime.min.replace(tzinfo=UTC)) <= now():
                raise Refusal(401, "not_found", "invalid_token")
            self._limit("all", self.options["rpm"])
            return await handler(request)

        return guarded

    def _limit(self, name: str, rpm: int | None) -> None:
        if not rpm:
            return
        at, recent = asyncio.get_running_loop().time(), self.recent.setdefault(name, deque())
        while recent and recent[0] <= at - 60:
            recent.popleft()
        if len(recent) >= rpm:
            raise Refusal(429, "too_many_requests", "local_rate_limited")
        recent.append(at)

    async def authorization(self, request: web.Request) -> web.StreamResponse:
        """The seller says yes at once."""
        asked = request.query
        code = f"TG-{secrets.token_hex(12)}"
        self.codes[code] = (asked["redirect_uri"], asked.get("code_challenge", ""))
        raise web.HTTPFound(f"{asked['redirect_uri']}?code={code}&state={asked.get('state', '')}")

    async def token(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (
            self.client_id,
            self.options["client_secret"],
        ):
            raise Refusal(400, "invalid_client", "invalid client_id or client_secret.")
        if form.get("grant_type") == "authorization_code":
            redirect_uri, challenge = self.codes.pop(form.get("code", ""), ("", ""))
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            good = bool(redirect_uri) and redirect_uri == form.get("redirect_uri") and challenge in ("", shown)
        elif form.get("grant_type") == "refresh_token":
            good = form.get("refresh_token") == self.refresh
        else:
            raise Refusal(400, "unsupported_grant_type", "the grant_type is not supported")
        if not good:
            why = "Error validating grant. Your code or refresh token may be expired or it was already used"
            raise Refusal(400, "invalid_grant", why, error_description=why)
        self.refresh = f"TG-{secrets.token_hex(12)}-{self.user_id}"  # the one before is dead now
        access = f"APP_USR-{self.client_id}-{secrets.token_hex(16)}-{self.user_id}"
        self.tokens[access] = now() + timedelta(seconds=self.options["token_seconds"])
        return web.json_response({
            "access_token": access, "token_type": "bearer", "expires_in": self.options["token_seconds"],
            "scope": "offline_access read write", "user_id": self.user_id, "refresh_token": self.refresh,
        })  # fmt: skip

    async def me(self, _request: web.Request) -> web.StreamResponse:
        tags = ["normal", "user_product_seller"]
        tags += ["warehouse_management"] if self.options["warehouse_management"] else []
        user = {
            "id": self.user_id,
            "nickname": "LOJA TESTE",
            "country_id": "BR",
            "site_id": "MLB",
            "tags": tags,
        }
        return web.json_response(user)

    def _own(self, request: web.Request) -> None:
        asked = request.match_info.get("id") or request.query.get("seller")
        if asked != str(self.user_id):
            raise Refusal(403, "forbidden", "The caller is not authorized to access this resource")

    async def scan(self, request: web.Request) -> web.StreamResponse:
        self._own(request)
        ids, limit = list(self.items), int(request.query.get("limit", 50))
        if request.query.get("search_type") != "scan":
            offset = int(request.query.get("offset", 0))
            if offset > 1000:
                raise Refusal(400, "bad_request", "Invalid limit and offset values")
            paging = {"limit": limit, "offset": offset, "total": len(ids)}
            return web.json_response(
                {"seller_id": str(self.user_id), "results": ids[offset:][:limit], "paging": paging}
            )
        if limit > 100 or "offset" in request.query:
            raise Refusal(400, "bad_request", "Invalid limit and offset values")
        at, born = 0, now().timestamp()
        if scroll := request.query.get("scroll_id"):
            at, born = int(scroll.split("-")[1]), float(scroll.split("-")[2])
            if born < now().timestamp() - 300:
                raise Refusal(400, "invalid_scroll_id", "scroll_id expired")
        end = at + limit
        following = f"YXBpY29yZS1pdGVtcw==-{end}-{now().timestamp():.0f}" if at < len(ids) else None
        paging = {"limit": limit, "total": len(ids)}
        body = {
            "seller_id": str(self.user_id),
            "results": ids[at:end],
            "scroll_id": following,
            "paging": paging,
        }
        return web.json_response(body)

    async def stores(self, request: web.Request) -> web.StreamResponse:
        self._own(request)
        rows = [
            {"id": store, "user_id": str(self.user_id), "status": "active", "tags": ["stock_location"],
             "network_node_id": node}
            for store, node in self._stores() if store
        ]  # fmt: skip
        return web.json_response({"paging": {"limit": 50, "total": len(rows)}, "results": rows})

    def _found(self, request: web.Request) -> list[tuple[str, Item | None]]:
        ids = request.query["ids"].split(",")
        if len(ids) > 20:
            raise Refusal(400, "bad_request", "Max ids allowed is 20")
        return [(ref, self.items.get(ref)) for ref in ids]

    async def multiget(self, request: web.Request) -> web.StreamResponse:
        gone = {"message": "resource not found", "error": "not_found", "status": 404}
        rows = [
            {"code": 200, "body": self._item(item)} if item else {"code": 404, "body": gone | {"id": ref}}
            for ref, item in self._found(request)
        ]
        return web.json_response(rows)

    async def bulk(self, request: web.Request) -> web.StreamResponse:
        rows = [
            {"id": ref, "status_code": 200 if item else 404, "body": self._item(item) if item else None}
            for ref, item in self._found(request)
        ]
        return web.json_response(rows)

    def _item(self, item: Item) -> Json:
        single = item.offers[0] if item.offers and item.offers[0].id is None else None
        known = bool(self.options["user_products"])
        told: Json = {
            "id": item.id, "site_id": "MLB", "title": item.title, "seller_id": self.user_id,
            "currency_id": "BRL", "condition": "new",
            "price": money(item.offers[0].price_cents) if item.offers else 0,
            "available_quantity": sum(self._quantity(item, offer) for offer in item.offers),
            "permalink": f"https://produto.mercadolivre.com.br/{item.id[:3]}-{item.id[3:]}-_JM",
            "status": item.status, "sub_status": [item.sub_status] if item.sub_status else [],
            "shipping": {"mode": "me2", "logistic_type": self._logistic(item)},
            "seller_custom_field": None, "last_updated": stamp(item.updated), "tags": [], "variations": [],
            "user_product_id": single.product.id if single and known else None,
            "attributes": self._attributes(single) if single else [],
        }  # fmt: skip
        if single is None:
            told["variations"] = [self._variation(offer) for offer in item.offers]
        if item.kit is not None:
            parts = [
                {"type": "user_product", "user_product_id": self.products[sku].id, "quantity": units}
                for sku, units in item.kit.items()
            ]
            told |= {"tags": ["bundle"], "bundle": {"type": "kit", "components": parts}}
        return told

    def _logistic(self, item: Item) -> str:
        return "fulfillment" if item.full else str(self.options["logistic_type"])

    def _variation(self, offer: Offer) -> Json:
        return {
            "id": offer.id, "price": money(offer.price_cents), "available_quantity": offer.shown,
            "attribute_combinations": [{"id": "COLOR", "name": "Cor", "value_name": offer.product.sku}],
            "seller_custom_field": None, "attributes": self._attributes(offer),
            "user_product_id": offer.product.id if self.options["user_products"] else None,
        }  # fmt: skip

    def _attributes(self, offer: Offer) -> list[Json]:
        told = {"SELLER_SKU": offer.product.sku, "GTIN": offer.gtin}
        return [{"id": name, "value_id": None, "value_name": value} for name, value in told.items() if value]

    def _listed(self, request: web.Request) -> Item:
        item = self.items.get(request.match_info["id"])
        if item is None:
            raise missing(f"Item with id {request.match_info['id']}")
        return item

    async def get_item(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._item(self._listed(request)))

    async def put_item(self, request: web.Request) -> web.StreamResponse:
        item, told = self._listed(request), await request.json()
        self._may_write(item, told)
        if "variations" in told:
            self._put_variations(item, told["variations"])
        if "available_quantity" in told:
            if item.offers[0].id is not None:
                raise invalid("item.available_quantity.invalid", "available_quantity belongs to the variations")
            self._write(item, item.offers[0], told["available_quantity"])
        if told.get("status") in ("active", "paused", "closed"):
            sub = "paused_by_seller" if told["status"] == "paused" else None
            item.status, item.sub_status = told["status"], sub
            self._copy(item)
        return web.json_response(self._item(item))

    def _put_variations(self, item: Item, rows: Sequence[Json]) -> None:
        known = {offer.id: offer for offer in item.offers}
        listed = {int(row["id"]): row for row in rows}
        if unknown := listed.keys() - known.keys():
            raise invalid("item.variations.invalid", f"variations {sorted(unknown)} do not exist")
        for offer in [offer for offer in item.offers if offer.id not in listed]:
            item.offers.remove(offer)  # a variation that is not listed is deleted
            offer.product.items.remove(item)
        for ref, row in listed.items():
            if "available_quantity" in row:
                self._write(item, known[ref], row["available_quantity"])

    async def put_variation(self, request: web.Request) -> web.StreamResponse:
        item, told = self._listed(request), await request.json()
        self._may_write(item, told)
        wanted = int(request.match_info["variation"])
        offer = next((offer for offer in item.offers if offer.id == wanted), None)
        if offer is None:
            raise missing(f"Variation {wanted}")
        self._write(item, offer, told["available_quantity"])
        return web.json_response([self._variation(each) for each in item.offers])

    def _may_write(self, item: Item, told: Json) -> None:
        if item.status == "closed":
            raise invalid("item.status.invalid", f"Cannot update item {item.id} [status:closed]")
        writes = "available_quantity" in told or "variations" in told
        if writes and (item.full or item.kit is not None):
            raise invalid("item.available_quantity.not_modifiable", "available_quantity is not modifiable.")
        if self.chance.random() < self.options["conflict"]:
            raise Refusal(409, "conflict", "item optimistic locking error")

    def _write(self, item: Item, offer: Offer, quantity: Any) -> None:
        if not isinstance(quantity, int) or not 0 <= quantity <= 99_999:
            raise invalid("item.available_quantity.invalid", "available_quantity must be between 0 and 99999")
        if self.options["warehouse_management"]:
            return  # 200, and nothing changes
        offer.product.shelves[("", "")] = quantity
        offer.product.version += 1
        self._moved(offer.product, item)

    def _product(self, request: web.Request) -> UserProduct:
        self._limit("stock", self.options["stock_rpm"])
        product = self.by_product.get(request.match_info["id"])
        if product is None:
            raise missing(f"User product {request.match_info['id']}")
        return product

    def _stock(self, product: UserProduct) -> Json:
        if product.items and product.items[0].full:
            rows: list[Json] = [{"type": "meli_facility", "quantity": product.quantity}]
        elif not self.options["warehouse_management"]:
            rows = [{"type": "selling_address", "quantity": product.quantity}]
        else:
            rows = [
                {"type": "seller_warehouse", "network_node_id": node, "store_id": store, "quantity": units}
                for (store, node), units in product.shelves.items()
            ]
        return {"locations": rows, "user_id": self.user_id, "id": product.id}

    async def get_stock(self, request: web.Request) -> web.StreamResponse:
        product = self._product(request)
        return web.json_response(self._stock(product), headers={"x-version": str(product.version)})

    async def put_stock(self, request: web.Request) -> web.StreamResponse:
        product, version = self._product(request), request.headers.get("x-version")
        if version is None:
            raise Refusal(400, "bad_request", "Missing X-Version header")
        if version != str(product.version):
            raise Refusal(409, "conflict", "Version mismatch")
        rows = (await request.json())["locations"]
        for row in rows:
            if (str(row["store_id"]), str(row["network_node_id"])) not in product.shelves:
                raise Refusal(400, "bad_request", f"store not found: {row['store_id']}")
        for row in rows:
            product.shelves[str(row["store_id"]), str(row["network_node_id"])] = int(row["quantity"])
        product.version += 1
        self._moved(product)
        return web.json_response(self._stock(product), headers={"x-version": str(product.version)})

    # ── Orders and shipments ────────────────────────────────────────────────────────────────────────────────

    async def search(self, request: web.Request) -> web.StreamResponse:
        """Without the cancelled unless they are asked for; date filters honour only the hour."""
        self._own(request)
        asked = request.query
        offset, limit = int(asked.get("offset", 0)), int(asked.get("limit", 50))
        if limit > 50:
            raise Refusal(400, "bad_request", "limit must be at most 50")
        status = asked.get("order.status")
        bounds = [
            (name, hour(asked[f"order.{word}.{end}"]), end)
            for word, name in (("date_created", "created"), ("date_last_updated", "updated"))
            for end in ("from", "to") if f"order.{word}.{end}" in asked
        ]  # fmt: skip
        found = [
            sale for sale in self.sales.values()
            if (sale.status == status if status else sale.status != "cancelled")
            and all((at <= getattr(sale, name)) if end == "from" else (getattr(sale, name) <= at)
                    for name, at, end in bounds)
        ]  # fmt: skip
        if asked.get("sort", "date_asc") == "date_desc":
            found.reverse()
        rows = [self._order(sale) | {"date_last_updated": stamp(sale.updated)} for sale in found[offset:][:limit]]
        paging = {"total": len(found), "offset": offset, "limit": limit}
        return web.json_response({"query": "", "results": rows, "sort": {"id": "date_asc"}, "paging": paging})

    def _asked(self, request: web.Request) -> Sale:
        sale = self.sales.get(int(request.match_info["id"]))
        if sale is None:
            raise missing("Order")
        return sale

    async def get_order(self, request: web.Request) -> web.StreamResponse:
        sale = self._asked(request)
        if sale.partial:
            sale.partial = False
            body = self._order(sale) | {"payments": []}
            return web.json_response(body, status=206, headers={"X-Content-Missing": "payments"})
        return web.json_response(self._order(sale))

    def _order(self, sale: Sale) -> Json:
        late = now() < sale.created + timedelta(seconds=self.options["lag"])
        offer = sale.offer
        line: Json = {
            "item": {
                "id": sale.item.id, "title": sale.item.title, "variation_id": offer.id,
                "seller_sku": offer.product.sku, "seller_custom_field": None, "variation_attributes": [],
                "user_product_id": offer.product.id if self.options["user_products"] else None,
            },
            "quantity": sale.quantity, "unit_price": money(offer.price_cents), "currency_id": "BRL",
            "full_unit_price": money(offer.price_cents), "sale_fee": money(offer.price_cents * 12 // 100),
            "listing_type_id": "gold_special", "element_id": 1, "discounts": [],
            "stock": self._origin(sale),
        }  # fmt: skip
        if sale.kit:
            line["bundle"] = {"parent_item": {"id": sale.kit}}
        cost, billing = 0 if sale.pack else sale.parcel.cost_cents, str(sale.id - FIRST_ORDER + BILLING)
        detail = {
            "group": "buyer",
            "code": "buyer_regret",
            "requested_by": "buyer",
            "date": stamp(sale.cancelled),
        }
        return {
            "id": sale.id, "pack_id": sale.pack, "status": sale.status, "status_detail": None,
            "date_created": stamp(sale.created), "date_closed": stamp(sale.created),
            "last_updated": stamp(sale.updated), "currency_id": "BRL",
            "total_amount": money(sale.cents), "paid_amount": money(sale.cents + cost) if sale.paid else 0,
            "shipping_cost": None if sale.pack else money(cost), "order_items": [line],
            "payments": [self._payment(sale, cost)] if sale.paid else [],
            "shipping": {"id": None if late else sale.parcel.id},
            "buyer": {"id": 600_000_000 + sale.buyer, "billing_info": {"id": billing}},
            "seller": {"id": self.user_id}, "tags": sale.tags, "taxes": {"amount": None, "currency_id": None},
            "cancel_detail": detail if sale.cancelled else None,
            "context": {"channel": "marketplace", "flows": []},
        }  # fmt: skip

    def _origin(self, sale: Sale) -> list[Json] | None:
        store, node = sale.shelf
        return [{"store_id": store, "network_node_id": node}] if store else None

    def _payment(self, sale: Sale, cost: int) -> Json:
        back = sale.cancelled is not None
        return {
            "id": 91_000_000_000 + sale.id % 10**9, "order_id": sale.id, "currency_id": "BRL",
            "status": "refunded" if back else "approved", "transaction_amount": money(sale.cents),
            "transaction_amount_refunded": money(sale.cents) if back else 0, "shipping_cost": money(cost),
            "taxes_amount": 0, "coupon_amount": 0, "total_paid_amount": money(sale.cents + cost),
            "marketplace_fee": money(sale.offer.price_cents * 12 // 100 * sale.quantity),
            "date_created": stamp(sale.created), "date_approved": stamp(sale.paid),
        }  # fmt: skip

    async def billing_info(self, request: web.Request) -> web.StreamResponse:
        sale = self.sales.get(int(request.match_info["id"]) - BILLING + FIRST_ORDER)
        if sale is None or sale.paid is None:
            raise missing("billing info")
        name, last_name, kind, number, street, house, city, state, cep = BUYERS[sale.buyer]
        address = {"street_name": street, "street_number": house, "city_name": city, "zip_code": cep,
                   "state": {"name": state}, "country_id": "BR"}  # fmt: skip
        told = {"name": name, "last_name": last_name, "identification": {"type": kind, "number": number},
                "address": address, "taxes": None}  # fmt: skip
        buyer = {"cust_id": 600_000_000 + sale.buyer, "billing_info": told}
        return web.json_response({"site_id": "MLB", "buyer": buyer, "seller": {"cust_id": self.user_id}})

    async def order_shipments(self, request: web.Request) -> web.StreamResponse:
        sale = self._asked(request)
        if now() < sale.created + timedelta(seconds=self.options["lag"]):
            return web.Response(status=204)
        return web.json_response([{"id": sale.parcel.id, "type": "forward"}])

    async def pack(self, request: web.Request) -> web.StreamResponse:
        wanted = int(request.match_info["id"])
        sales = [sale for sale in self.sales.values() if sale.pack == wanted]
        if not sales:
            raise missing("Order")
        status = "cancelled" if all(sale.status == "cancelled" for sale in sales) else "released"
        rows = [{"id": sale.id} for sale in sales]
        return web.json_response({
            "id": wanted, "status": status, "status_detail": None, "orders": rows,
            "shipment": {"id": sales[0].parcel.id}, "buyer": {"id": 600_000_000 + sales[0].buyer},
        })  # fmt: skip

    def _parcel(self, request: web.Request) -> Parcel:
        parcel = self.parcels.get(int(request.match_info["id"]))
        if parcel is None:
            raise missing("Shipment")
        return parcel

    async def get_shipment(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("x-format-new") != "true":
            raise Refusal(400, "bad_request", "header x-format-new: true is mandatory")
        return web.json_response(self._shipment(self._parcel(request)))

    def _shipment(self, parcel: Parcel) -> Json:
        """The address is masked until the payment is confirmed; the phone is told in ME1 only."""
        shown = all(sale.paid for sale in parcel.sales)
        name, last_name, _, _, street, house, city, state, cep = BUYERS[parcel.sales[0].buyer]
        address = {
            "street_name": street if shown else MASK, "street_number": house if shown else MASK,
            "comment": None, "zip_code": cep if shown else MASK, "city": {"id": None, "name": city},
            "state": {"id": state, "name": None}, "neighborhood": {"id": None, "name": "Centro"},
            "country": {"id": "BR", "name": "Brasil"},
        }  # fmt: skip
        receiver = f"{name} {last_name or ''}".strip()
        phone = "11999887766" if parcel.mode == "me1" and shown else None
        promised = {"date": stamp(parcel.created + timedelta(days=5))}
        return {
            "id": parcel.id, "status": parcel.status, "substatus": parcel.substatus,
            "date_created": stamp(parcel.created), "last_updated": stamp(parcel.updated),
            "logistic": {"mode": parcel.mode, "type": parcel.type, "direction": "forward"},
            "tracking_number": parcel.tracking,
            "tracking_method": "MEL Distribution" if parcel.mode == "me2" else None,
            "destination": {
                "receiver_id": 600_000_000, "receiver_name": receiver if shown else MASK,
                "receiver_phone": phone, "shipping_address": address,
            },
            "lead_time": {
                "cost": money(parcel.cost_cents), "estimated_delivery_time": promised,
                "estimated_delivery_limit": promised, "buffering": {"date": None},
            },
            "sibling": {"sibling_id": parcel.sibling},
            "declared_value": money(sum(sale.cents for sale in parcel.sales)),
        }  # fmt: skip

    async def shipment_orders(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("X-New-Domain") != "true":
            raise Refusal(400, "bad_request", "header X-New-Domain: true is mandatory")
        return web.json_response([{"id": sale.id} for sale in self._parcel(request).sales])

    async def sla(self, request: web.Request) -> web.StreamResponse:
        parcel = self._parcel(request)
        if parcel.type == "fulfillment" or parcel.status == "cancelled":
            raise missing("failed to retrieve data: sla")
        limit = (
            (parcel.created + timedelta(days=1)).astimezone(ZONE).replace(hour=23, minute=59, second=59, microsecond=0)
        )
        body = {"status": "on_time", "service": None, "expected_date": limit.isoformat()}
        return web.json_response(body)

    async def seller_notifications(self, request: web.Request) -> web.StreamResponse:
        parcel, told = self._parcel(request), await request.json()
        if parcel.mode != "me1":
            raise Refusal(400, "bad_request", "the shipment is not me1")
        if (told["status"], told["substatus"]) not in ME1:  # the substatus "null" is a string
            raise Refusal(400, "bad_request", f"invalid status {told['status']}/{told['substatus']}")
        if told["payload"].get("service_id", 11) != 11 or "date" not in told["payload"]:
            raise Refusal(400, "bad_request", "invalid payload")
        if parcel.status in FINAL:
            raise Refusal(400, "bad_request", f"the shipment is already {parcel.status}")
        parcel.tracking = told.get("tracking_number") or parcel.tracking
        substatus = None if told["substatus"] == "null" else told["substatus"]
        self._shipped(parcel, told["status"], substatus)
        return web.json_response({"id": parcel.id, "status": parcel.status, "substatus": substatus}, status=201)

    async def labels(self, request: web.Request) -> web.StreamResponse:
        """A page for each shipment. Assumed: the words of the refusals, that one refuses all, ready_to_print ->
        printed, and that it can be printed again until the parcel left.
        """
        refs = request.query["shipment_ids"].split(",")
        if request.query.get("response_type") != "pdf" or len(refs) > 50:
            raise Refusal(400, "bad_request", "response_type must be pdf, of at most 50 shipments")
        parcels = [self.parcels.get(int(ref)) for ref in refs]
        pages: list[Parcel] = []
        for ref, parcel in zip(refs, parcels, strict=True):
            if parcel is None:
                raise missing(f"Shipment {ref}")
            where = f"{parcel.status}/{parcel.substatus}"
            if parcel.mode != "me2" or parcel.type == "fulfillment" or where not in PRINTABLE:
                raise Refusal(400, "not_printable_status", f"Shipment {ref} is {where}: it cannot be printed")
            pages.append(parcel)
        body = pdf([self._lines(parcel) for parcel in pages])
        for parcel in pages:
            if parcel.substatus == "ready_to_print":
                self._shipped(parcel, "ready_to_ship", "printed")
        return web.Response(body=body, content_type="application/pdf")

    def _lines(self, parcel: Parcel) -> list[str]:
        name, last_name, _, _, street, house, city, state, cep = BUYERS[parcel.sales[0].buyer]
        to = f"{name} {last_name or ''}".strip()
        return [
            "Mercado Envios (sandbox)", str(parcel.tracking), f"Envio {parcel.id}",
            f"Pacote {parcel.sales[0].pack or parcel.sales[0].id}", to, f"{street}, {house}", f"{city} {state} {cep}",
        ]  # fmt: skip

    async def missed_feeds(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("app_id") != self.client_id:
            raise Refusal(403, "forbidden", "the application does not belong to the caller")
        offset, limit = int(request.query.get("offset", 0)), int(request.query.get("limit", 10))
        rows = [row for row in self.missed if request.query.get("topic") in (None, row["topic"])]
        return web.json_response({"messages": rows[offset:][:limit]})


def pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A page of 10 x 15 cm for each label."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(100 * mm, 150 * mm), pageCompression=0)
    for lines in pages:
        for at, line in enumerate(lines):
            canvas.drawString(8 * mm, (135 - 8 * at) * mm, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def invalid(code: str, message: str) -> Refusal:
    cause = {"department": "items", "cause_id": 121, "type": "error", "code": code, "message": message}
    return Refusal(400, "validation_error", "Validation error", cause=[cause])


def hour(told: str) -> datetime:
    return datetime.fromisoformat(told).replace(minute=0, second=0, microsecond=0)


DEFAULTS: Json = {
    "user_id": 123456789,
    "client_id": "5503910054141466",
    "client_secret": "segredo-de-teste",
    "refresh_token": "TG-primeiro-token-de-teste",
    "warehouse_management": False,  # stock by location (multi-origin)
    "stores": 1,  # its stock locations
    "user_products": True,
    "kits": {},  # {kit sku: {component sku: units}}
    "logistic_type": "drop_off",
    "me1": False,  # orders go by the seller's own carrier; buy {me1: true} does it for one
    "invoice_pending": False,  # paid orders wait for their NF-e
    "token_seconds": 21600,
    "copy_seconds": 0.2,  # until the other items of a user product show its stock
    "lag": 0.0,  # seconds until an order knows its shipment
    "conflict": 0.0,  # chance of an item optimistic locking error
    "rpm": None,  # requests per minute of the application; the true figure is not published
    "stock_rpm": 100,  # of user-products stock
    "speed": 60.0,  # how much faster than life notifications are tried again
    "disable_after": 400,  # refused attempts in a row until a topic is switched off
}


def create(products: Sequence[Product], *, seed: int = 0, **options: Any) -> Sandbox:
    """A seller of these products; options and their defaults are in DEFAULTS, another is a TypeError."""
    sandbox = MercadoLivre(products, seed, options)
    add_controls(sandbox)
    return sandbox

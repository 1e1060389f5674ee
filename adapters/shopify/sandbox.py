"""A Shopify shop in memory: GraphQL by operation, numbers compared before they are set, hooks that are deleted."""

import base64
import bisect
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aiohttp import web

from adapters.shopify.queries import OPERATIONS, PATH
from adapters.shopify.reading import gid
from hub.sandbox import Consents, Delivery, Handler, Product, add_controls
from hub.sandbox_store import SHIPPING_CENTS, Item, Line, Sale, Store, utc_now

HOST = "YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYmFsY2Fv"  # the admin of the shop, as base64
CLIENT_ID, CLIENT_SECRET = "7c0ffee5eedb0a7", "shpss_" + "a5" * 16
LOCATION, WAREHOUSE = 6884556842, 6884556843
FINANCIAL = {"placed": "PENDING", "cancelled": "REFUNDED", "returned": "REFUNDED"}  # else PAID
TOPICS = {  # the first one is the change itself; all of one change have its event's id
    "created": ("orders/create",), "paid": ("orders/paid", "orders/updated"),
    "cancelled": ("orders/cancelled", "orders/updated"), "changed": ("orders/updated",),
    "dispatched": ("orders/fulfilled", "orders/updated"), "delivered": ("fulfillment_events/create", "orders/updated"),
    "returned": ("refunds/create", "orders/updated"),
}  # fmt: skip
RETRIES = (0.25, 0.5, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0)  # eight in four hours, in a demo's seconds
FAILURES = 8  # after so many in a row a subscription is deleted
NAMES = {text: name for name, text in OPERATIONS.items()}
COSTS = {
    "Changed": 252, "Latest": 32, "Variants": 502, "Product": 503, "Levels": 401, "Order": 420, "OrderMoves": 860,
    "Parcels": 640,
}  # fmt: skip
UNAUTHORIZED = "[API] Invalid API key or access token (unrecognized login or wrong password)"


class Refusal(Exception):
    """An answer that refuses, in Shopify's own shape."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(body)[:80])
        self.status, self.body = status, body


def wrong(message: str, code: str | None = None) -> Refusal:
    """A query's own error, inside a 200."""
    more = {"extensions": {"code": code}} if code else {}
    return Refusal(200, {"errors": [{"message": message, "locations": [{"line": 1, "column": 1}], **more}]})


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.body, status=refusal.status)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return web.json_response({"errors": "Not Found"}, status=404)


@dataclass(slots=True)
class Parcel:
    """A fulfilment."""

    id: int
    lines: dict[int, int]
    info: dict[str, Any] = field(default_factory=dict)
    stage: str = "FULFILLED"


def clock(at: datetime | None) -> str | None:
    """A time of UTC in whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else None


def amount(cents: int) -> str:
    """Centavos as the API tells them."""
    return f"{cents // 100}.{cents % 100:02}"


def bag(cents: int) -> dict[str, Any]:
    """Money of a GraphQL answer."""
    return {"shopMoney": {"amount": amount(cents), "currencyCode": "BRL"}}


def bag_set(cents: int) -> dict[str, Any]:
    """Money of a webhook's body."""
    each = {"amount": amount(cents), "currency_code": "BRL"}
    return {"shop_money": each, "presentment_money": each}


def page(rows: list[Any], after: str | None = None, *, more: bool = False) -> dict[str, Any]:
    """A connection."""
    return {"nodes": rows, "pageInfo": {"hasNextPage": more, "endCursor": after}}


def cut(rows: list[Any], size: int, start: int = 0) -> dict[str, Any]:
    """A part of a connection."""
    end = start + size
    return page(rows[start:end], str(end), more=end < len(rows))


class Shop(Store):
    """The shop. It takes units with the order, paid or not, and puts back what is cancelled or returned."""

    def __init__(self, products: Sequence[Product], seed: int, *, points: int, now: Callable[[], datetime]) -> None:
        super().__init__(products, seed, now=now, first_id=10_000 * (seed + 1))
        self.domain, self.bucket, self.left = f"balcao-{seed}.myshopify.com", points, float(points)
        self.poured = time.monotonic()
        self.tokens: set[str] = set()
        self.refreshes: set[str] = set()
        self.consents = Consents()
        self.hooks: dict[int, dict[str, str]] = {}
        self.failed: dict[int, int] = {}
        self.done: dict[str, tuple[str, dict[str, Any]]] = {}
        self.levels: dict[int, datetime] = {}
        self.ids = list(self.items)
        self.families: dict[int, list[Item]] = {}
        for item in self.items.values():
            self.families.setdefault(self.product_of(item), []).append(item)
        self.app.middlewares.append(_gate)
        self.app.router.add_post(PATH, self.graphql)
        self.app.router.add_get("/admin/oauth/authorize", self.consent)
        self.app.router.add_post("/admin/oauth/access_token", self.token)
        self.answers: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "Order": self._order, "OrderMoves": self._moves, "More": self._more,
            "Changed": self._changed_orders, "Latest": self._latest, "OrderOf": self._order_of,
            "Variants": self._variants,
            "Product": self._product, "Levels": self._levels, "SetQuantities": self._set, "Shop": self._shop,
            "Parcels": self._parcels, "Fulfil": self._fulfil, "Track": self._track, "Event": self._event,
            "Hooks": self._hooks, "Hook": self._hook, "HookAgain": self._hook_again, "HookGone": self._hook_gone,
        }  # fmt: skip
        add_controls(self)

    def product_of(self, item: Item) -> int:
        """The number of an item's product."""
        return item.parent or item.id + 500_000

    def credentials(self, base_url: str) -> dict[str, str]:
        """An application of the shop's own organisation."""
        self.base = base_url.rstrip("/")
        return {"shop": self.domain, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "endpoint": self.base}

    def word(self, sale: Sale) -> str:
        return "CANCELLED" if sale.stage == "cancelled" else self._shipped(sale)

    def extra_act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Also hold and release {order_ref}: its fulfilment order must not be sent, or may."""
        if verb not in ("hold", "release"):
            return super().extra_act(verb, wanted)
        sale = self.sale_of(wanted["order_ref"])
        sale.extra["held"] = verb == "hold"
        topic = "fulfillment_orders/" + ("placed_on_hold" if verb == "hold" else "hold_released")
        self._changed(sale, "changed")
        self._tell(topic, {"fulfillment_order": {"id": gid("FulfillmentOrder", str(sale.id)), "status": "on_hold"}})
        return {"order_ref": self.ref(sale), "status": self.word(sale)}

    def give_back(self, sale: Sale) -> None:
        super().give_back(sale)
        for line in sale.lines:  # refunded with the units restocked
            self.set_units(line.item, line.item.units + line.returned)

    # ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────

    def sale_changed(self, sale: Sale, event: str) -> None:
        parcels = self._sent(sale)
        if event == "dispatched" and (left := self._left(sale)):
            told = {"number": sale.tracking, "company": "Correios", "url": None} if sale.tracking else {}
            parcels.append(Parcel(self.new_id(), left, told))
        if event == "delivered":
            for parcel in parcels:
                parcel.stage = "DELIVERED"
        shared = self._event_id()
        for topic in TOPICS[event]:
            fat = topic.startswith("orders/")
            self._tell(topic, self.body(sale) if fat else {"id": self.new_id(), "order_id": sale.id}, shared)

    def item_changed(self, item: Item) -> None:
        self.levels[item.id] = self.now()
        told = {"inventory_item_id": item.id + 700_000, "location_id": LOCATION, "available": item.units}
        self._tell("inventory_levels/update", {**told, "updated_at": clock(self.now())})

    def _event_id(self) -> str:
        return f"{self.new_id():08x}-7158-44d4-b7cd-{self.chance.randrange(16**12):012x}"

    def _tell(self, topic: str, told: dict[str, Any], event: str | None = None) -> None:
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/").encode()
        signature = base64.b64encode(hmac.digest(CLIENT_SECRET.encode(), body, hashlib.sha256)).decode()
        event = event or self._event_id()
        for number, hook in self.hooks.items():
            if hook["topic"] == topic.upper().replace("/", "_"):
                headers = {
                    "Content-Type": "application/json", "X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signature,
                    "X-Shopify-Shop-Domain": self.domain, "X-Shopify-API-Version": "2026-04",
                    "X-Shopify-Webhook-Id": f"{self.new_id():08x}-1111-4222-8333-444455556666",
                    "X-Shopify-Event-Id": event, "X-Shopify-Triggered-At": f"{self.now():%Y-%m-%dT%H:%M:%S.%f}000Z",
                }  # fmt: skip
                done = partial(self._heard, number)
                self.courier.send(Delivery(hook["uri"], headers, body, timeout=5, retries=RETRIES, done=done))

    def _heard(self, number: int, status: int) -> None:
        self.failed[number] = 0 if 200 <= status < 300 else self.failed.get(number, 0) + 1
        if self.failed[number] >= FAILURES:
            self.hooks.pop(number, None)

    # ── The door ────────────────────────────────────────────────────────────────────────────────────────────

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return web.json_response({"error": "invalid_client", "error_description": "Invalid client"}, status=400)
        granted = f"shpat_{self.new_id():032x}"
        told = {"access_token": granted, "scope": "read_orders", "expires_in": 86_399}
        if "code" in form or form.get("grant_type") == "refresh_token":
            if not (self.consents.take(form.get("code")) or form.get("refresh_token") in self.refreshes):
                return web.json_response({"error": "invalid_request"}, status=400)
            self.refreshes = {f"shprt_{self.new_id():032x}"}  # it rotates
            told |= {"expires_in": 3600, "refresh_token": next(iter(self.refreshes))}
        elif form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        self.tokens.add(granted)
        return web.json_response(told)

    async def consent(self, request: web.Request) -> web.StreamResponse:
        """Back to the application; what that is told is signed with its secret."""
        if request.query.get("client_id") != CLIENT_ID:
            return web.json_response({"error": "invalid_client"}, status=400)
        back, state = request.query["redirect_uri"], request.query["state"]
        where = self.consents.answer(state, back=back, shop=self.domain, host=HOST, timestamp=f"{time.time():.0f}")
        told = where.query
        signed = "&".join(f"{name}={told[name]}" for name in sorted(told)).encode()
        mark = hmac.digest(CLIENT_SECRET.encode(), signed, hashlib.sha256).hex()
        raise web.HTTPFound(where.update_query({"hmac": mark}))

    async def graphql(self, request: web.Request) -> web.Response:
        """One operation that the adapter knows, to the letter; nobody else writes GraphQL here."""
        if request.headers.get("X-Shopify-Access-Token") not in self.tokens:
            raise Refusal(401, {"errors": UNAUTHORIZED})
        told = await request.json()
        name = NAMES.get(told.get("query"))
        if name is None:
            raise wrong("Parse error: this shop knows only the operations of Balcão", "undefinedField")
        asked = told.get("variables") or {}
        cost = COSTS.get(name, 10)
        self._pay_points(cost)
        status = {"maximumAvailable": self.bucket, "currentlyAvailable": int(self.left), "restoreRate": 100}
        extensions = {"requestedQueryCost": cost, "actualQueryCost": cost, "throttleStatus": status}
        return web.json_response({"data": self.answers[name](asked), "extensions": {"cost": extensions}})

    def _pay_points(self, cost: int) -> None:
        at = time.monotonic()
        self.left, self.poured = min(self.bucket, self.left + (at - self.poured) * 100), at
        if self.bucket and self.left < cost:
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            status = {"maximumAvailable": self.bucket, "currentlyAvailable": int(self.left), "restoreRate": 100}
            told = {"requestedQueryCost": cost, "actualQueryCost": None, "throttleStatus": status}
            raise Refusal(200, {"errors": [error], "extensions": {"cost": told}})
        self.left -= cost if self.bucket else 0

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def _sale(self, told: str) -> Sale | None:
        return self.sales.get(int(told.rpartition("/")[2]))

    def _sent(self, sale: Sale) -> list[Parcel]:
        parcels: list[Parcel] = sale.extra.setdefault("parcels", [])
        return parcels

    def _left(self, sale: Sale) -> dict[int, int]:
        """Units that have not left, by line."""
        gone = {line.id: sum(parcel.lines.get(line.id, 0) for parcel in self._sent(sale)) for line in sale.lines}
        rest = {line.id: line.quantity - line.cancelled - gone[line.id] for line in sale.lines}
        return {number: units for number, units in rest.items() if units > 0}

    def _shipped(self, sale: Sale) -> str:
        left, parcels = self._left(sale), self._sent(sale)
        if sale.extra.get("held") and left:
            return "ON_HOLD"
        return "UNFULFILLED" if not parcels else "PARTIALLY_FULFILLED" if left else "FULFILLED"

    def _financial(self, sale: Sale) -> str:
        if sale.stage == "cancelled" and not sale.paid:
            return "VOIDED"
        partly = sale.paid and sale.stage not in FINANCIAL and any(line.cancelled for line in sale.lines)
        return "PARTIALLY_REFUNDED" if partly else FINANCIAL.get(sale.stage, "PAID")

    def _refunds(self, sale: Sale) -> Iterator[tuple[int, str, list[tuple[Line, int]]]]:
        """Number, restock type, and units of lines."""
        for more, kind in ((1, "CANCEL"), (2, "RETURN")):
            units = [(line, line.cancelled if kind == "CANCEL" else line.returned) for line in sale.lines]
            if found := [(line, count) for line, count in units if count]:
                yield sale.id * 10 + more, kind, found

    def _refunded(self, sale: Sale) -> int:
        return sum(line.cents * (line.cancelled + line.returned) for line in sale.lines) if sale.paid else 0

    def body(self, sale: Sale) -> dict[str, Any]:
        """The order as a webhook tells it."""
        who, total = sale.buyer, sale.total_cents
        shipped = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}.get(self._shipped(sale))
        line_rows = [
            {
                "id": line.id, "admin_graphql_api_id": gid("LineItem", str(line.id)), "sku": line.item.sku,
                "name": self._name(line.item), "quantity": line.quantity,
                "current_quantity": line.quantity - line.cancelled - line.returned,
                "product_id": self.product_of(line.item), "variant_id": line.item.id, "price": amount(line.cents),
                "price_set": bag_set(line.cents), "discount_allocations": [],
            }
            for line in sale.lines
        ]  # fmt: skip
        fulfilments = [
            {
                "id": parcel.id, "order_id": sale.id, "status": "success",
                "shipment_status": None if parcel.stage == "FULFILLED" else parcel.stage.lower(),
                "tracking_company": parcel.info.get("company"),
                "tracking_number": parcel.info.get("number"), "tracking_numbers": _told(parcel.info.get("number")),
                "tracking_url": parcel.info.get("url"), "tracking_urls": _told(parcel.info.get("url")),
                "line_items": [{"id": number, "quantity": units} for number, units in parcel.lines.items()],
            }
            for parcel in self._sent(sale)
        ]  # fmt: skip
        refunds = [
            {
                "id": number, "order_id": sale.id, "transactions": [
                    {"kind": "refund", "status": "success", "currency": "BRL",
                     "amount": amount(sum(line.cents * count for line, count in rows))}
                ] if sale.paid else [],
                "refund_line_items": [
                    {"line_item_id": line.id, "quantity": count, "restock_type": kind.lower()} for line, count in rows
                ],
            }
            for number, kind, rows in self._refunds(sale)
        ]  # fmt: skip
        return {
            "id": sale.id, "admin_graphql_api_id": gid("Order", str(sale.id)), "name": f"#{sale.id % 10_000}",
            "created_at": clock(sale.created), "processed_at": clock(sale.created), "updated_at": clock(sale.changed),
            "cancelled_at": clock(sale.cancelled), "closed_at": None, "currency": "BRL", "taxes_included": True,
            "cancel_reason": "customer" if sale.cancelled else None, "email": who.email, "phone": None,
            "financial_status": self._financial(sale).lower(), "fulfillment_status": shipped,
            "total_price": amount(total), "total_price_set": bag_set(total), "total_discounts_set": bag_set(0),
            "total_tax_set": bag_set(0), "note_attributes": [{"name": "CPF", "value": who.cpf}],
            "shipping_lines": [{"title": "PAC", "price_set": bag_set(SHIPPING_CENTS),
                                "discounted_price_set": bag_set(SHIPPING_CENTS)}],
            "customer": {"id": 400 + len(who.name), "first_name": who.name.split()[0],
                         "last_name": " ".join(who.name.split()[1:])},
            "shipping_address": {
                "name": who.name, **self._place(sale), "province_code": who.state, "country_code": "BR",
                "zip": who.postal_code, "phone": f"+55{who.phone}",
            },
            "line_items": line_rows, "fulfillments": fulfilments, "refunds": refunds,
        }  # fmt: skip

    def _place(self, sale: Sale) -> dict[str, Any]:
        who = sale.buyer
        joined = f"{who.complement},\u2060 {who.district}" if who.complement else f"\u2060{who.district}"
        return {"address1": f"{who.street},\u2060 {who.number}", "address2": joined, "city": who.city, "company": None}

    def _name(self, item: Item) -> str:
        return " - ".join(filter(None, (item.family, item.title)))

    def _order(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        sale = self._sale(asked["id"])
        if sale is None:
            return {"order": None}
        who = sale.buyer
        place = {
            "name": who.name, **self._place(sale), "provinceCode": who.state, "countryCodeV2": "BR",
            "zip": who.postal_code, "phone": f"+55{who.phone}",
        }  # fmt: skip
        paid = {"kind": "SALE", "status": "SUCCESS", "processedAt": clock(sale.paid)}
        node = {
            "id": gid("Order", str(sale.id)), "legacyResourceId": str(sale.id), "name": f"#{sale.id % 10_000}",
            "createdAt": clock(sale.created), "processedAt": clock(sale.created), "updatedAt": clock(sale.changed),
            "cancelledAt": clock(sale.cancelled), "closedAt": None, "currencyCode": "BRL", "taxesIncluded": True,
            "cancelReason": "CUSTOMER" if sale.cancelled else None, "displayFinancialStatus": self._financial(sale),
            "displayFulfillmentStatus": self._shipped(sale), "email": who.email, "phone": None,
            "totalPriceSet": bag(sale.total_cents), "totalDiscountsSet": bag(0), "totalTaxSet": bag(0),
            "totalTipReceivedSet": bag(0), "originalTotalDutiesSet": None, "originalTotalAdditionalFeesSet": None,
            "totalRefundedSet": bag(self._refunded(sale)),
            "shippingLines": {"nodes": [{"title": "PAC", "originalPriceSet": bag(SHIPPING_CENTS),
                                         "discountedPriceSet": bag(SHIPPING_CENTS)}]},
            "customAttributes": [{"key": "CPF", "value": who.cpf}],
            "localizedFields": {"nodes": [{"key": "TAX_CREDENTIAL_BR", "value": who.cpf}]},
            "customer": {"id": gid("Customer", str(400 + len(who.name))), "firstName": who.name.split()[0],
                         "lastName": " ".join(who.name.split()[1:]), "defaultEmailAddress": {"emailAddress": who.email},
                         "defaultPhoneNumber": {"phoneNumber": f"+55{who.phone}"}},
            "shippingAddress": place, "billingAddress": place, "transactions": [paid] if sale.paid else [],
            "fulfillments": [{"id": gid("Fulfillment", str(each.id))} for each in self._sent(sale)[:1]],
            "refunds": [{"id": gid("Refund", str(number))} for number, _, _ in list(self._refunds(sale))[:1]],
            "lineItems": cut(self._lines(sale), 40),
        }  # fmt: skip
        return {"order": node}

    def _lines(self, sale: Sale) -> list[dict[str, Any]]:
        return [
            {
                "id": gid("LineItem", str(line.id)), "sku": line.item.sku, "name": self._name(line.item),
                "quantity": line.quantity, "currentQuantity": line.quantity - line.cancelled - line.returned,
                "product": {"id": gid("Product", str(self.product_of(line.item)))},
                "variant": {"id": gid("ProductVariant", str(line.item.id))}, "originalUnitPriceSet": bag(line.cents),
                "discountAllocations": [],
            }
            for line in sale.lines
        ]  # fmt: skip

    def _units(self, rows: Sequence[tuple[int, int]], **more: Any) -> list[dict[str, Any]]:
        return [{"quantity": n, **more, "lineItem": {"id": gid("LineItem", str(line))}} for line, n in rows]

    def _moves(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        sale = self.sale_of(asked["id"].rpartition("/")[2])
        fulfilments = [
            {"id": gid("Fulfillment", str(each.id)), "status": "SUCCESS", "displayStatus": each.stage,
             "trackingInfo": [each.info] if each.info else [],
             "fulfillmentLineItems": cut(self._units(list(each.lines.items())), 15)}
            for each in self._sent(sale)
        ]  # fmt: skip
        refunds = [
            {"id": gid("Refund", str(number)), "createdAt": clock(sale.changed),
             "refundLineItems": cut(self._units([(line.id, n) for line, n in rows], restockType=kind), 15)}
            for number, kind, rows in self._refunds(sale)
        ]  # fmt: skip
        return {"order": {"fulfillments": fulfilments, "refunds": refunds}}

    def _more(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        kind, _, number = asked["id"].removeprefix("gid://shopify/").partition("/")
        start = int(asked["after"])
        if kind == "Order":
            return {"node": {"__typename": kind, "lineItems": cut(self._lines(self.sale_of(number)), 100, start)}}
        if kind == "Fulfillment" and (found := self._parcel(asked["id"])):
            rows = self._units(list(found[1].lines.items()))
            return {"node": {"__typename": kind, "fulfillmentLineItems": cut(rows, 100, start)}}
        sale = self.sale_of(int(number) // 10)
        refund = next(units for each, _, units in self._refunds(sale) if each == int(number))
        word = "CANCEL" if int(number) % 10 == 1 else "RETURN"
        back = self._units([(line.id, n) for line, n in refund], restockType=word)
        return {"node": {"__typename": kind, "refundLineItems": cut(back, 100, start)}}

    def _changed_orders(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        found = re.search(r"updated_at:>='([^']+)'", asked["query"])
        after = datetime.fromisoformat(found[1]) if found else None
        rows = sorted((sale.changed.isoformat(), sale.id) for sale in self.changed_since(after))
        if asked["after"]:
            at, _, number = asked["after"].partition("|")
            rows = [row for row in rows if row > (at, int(number))]
        shown = rows[:250]
        told = [{"legacyResourceId": str(id_), "updatedAt": clock(self.sales[id_].changed)} for _, id_ in shown]
        last = "|".join(map(str, shown[-1])) if shown else None
        return {"orders": page(told, last, more=len(rows) > len(shown))}

    def _latest(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        rows = sorted(self.sales.values(), key=lambda sale: (sale.created, sale.id), reverse=True)
        return {"orders": {"nodes": [{"legacyResourceId": str(sale.id)} for sale in rows[:30]]}}

    def _order_of(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        sale = self._sale(asked["id"])
        told = {"__typename": "FulfillmentOrder", "orderId": gid("Order", str(sale.id))} if sale else None
        return {"node": told}

    # ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────

    def _parcels(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        sale = self._sale(asked["id"])
        if sale is None:
            return {"order": None}
        left = self._left(sale)
        status = "CANCELLED" if sale.stage == "cancelled" else "CLOSED" if not left else "OPEN"
        rows = [
            {"id": gid("FulfillmentOrderLineItem", str(number)), "remainingQuantity": units,
             "lineItem": {"id": gid("LineItem", str(number))}}
            for number, units in left.items()
        ]  # fmt: skip
        order = {
            "id": gid("FulfillmentOrder", str(sale.id)), "status": "ON_HOLD" if sale.extra.get("held") else status,
            "assignedLocation": {"location": {"id": gid("Location", str(LOCATION))}},
        }  # fmt: skip
        fulfilments = [
            {"id": gid("Fulfillment", str(each.id)), "status": "SUCCESS",
             "trackingInfo": [{"number": each.info.get("number")}] if each.info else []}
            for each in self._sent(sale)
        ]  # fmt: skip
        with_lines = {**order, "lineItems": {"nodes": rows}} if asked["lines"] else order
        return {"order": {"fulfillmentOrders": {"nodes": [with_lines]}, "fulfillments": fulfilments}}

    def _fulfil(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        told = asked["fulfillment"]
        (row,) = told["lineItemsByFulfillmentOrder"]
        sale = self._sale(row["fulfillmentOrderId"])
        left = self._left(sale) if sale else {}
        if sale is None or not left or sale.extra.get("held") or sale.stage in ("placed", "cancelled"):
            said = "Fulfillment order is not in an open state and cannot be fulfilled"
            return {"fulfillmentCreate": _refused("fulfillment", said, ["fulfillment"])}
        chosen = {
            int(each["id"].rpartition("/")[2]): each["quantity"] for each in row.get("fulfillmentOrderLineItems", ())
        }
        if any(units > left.get(number, 0) for number, units in chosen.items()):
            return {"fulfillmentCreate": _refused("fulfillment", "Quantity exceeds what remains", ["fulfillment"])}
        parcel = Parcel(self.new_id(), chosen or left, _info(told.get("trackingInfo") or {}))
        self._sent(sale).append(parcel)
        if self._left(sale):
            self._changed(sale, "changed")
        else:
            self.dispatch(sale, parcel.info.get("number"))
        done = {"id": gid("Fulfillment", str(parcel.id)), "status": "SUCCESS"}
        return {"fulfillmentCreate": {"fulfillment": done, "userErrors": []}}

    def _parcel(self, told: str) -> tuple[Sale, Parcel] | None:
        number = int(told.rpartition("/")[2])
        rows = ((sale, each) for sale in self.sales.values() for each in self._sent(sale) if each.id == number)
        return next(rows, None)

    def _track(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        found = self._parcel(asked["id"])
        if found is None:
            said = _refused("fulfillment", "Fulfillment does not exist", ["fulfillmentId"])
            return {"fulfillmentTrackingInfoUpdate": said}
        sale, parcel = found
        parcel.info = _info(asked["info"])
        self._changed(sale, "changed")
        return {
            "fulfillmentTrackingInfoUpdate": {"fulfillment": {"id": asked["id"], "status": "SUCCESS"}, "userErrors": []}
        }

    def _event(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        told = asked["event"]
        found = self._parcel(told["fulfillmentId"])
        if found is None:
            said = _refused("fulfillmentEvent", "Fulfillment does not exist", ["fulfillmentEvent"])
            return {"fulfillmentEventCreate": said}
        sale, parcel = found
        parcel.stage = told["status"]
        if parcel.stage == "DELIVERED" and {each.stage for each in self._sent(sale)} == {"DELIVERED"}:
            self.deliver(sale)
        else:
            self._changed(sale, "changed")
        done = {"id": gid("FulfillmentEvent", str(self.new_id())), "status": told["status"]}
        return {"fulfillmentEventCreate": {"fulfillmentEvent": done, "userErrors": []}}

    # ── Products and stock ──────────────────────────────────────────────────────────────────────────────────

    def _item(self, item: Item, location: str) -> dict[str, Any]:
        at = clock(self.levels.get(item.id, item.changed))
        available = {"name": "available", "quantity": item.units, "updatedAt": at}
        level = {"isActive": True, "updatedAt": at, "location": {"id": location}, "quantities": [available]}
        here = level if location == gid("Location", str(LOCATION)) else None
        return {"id": gid("InventoryItem", str(item.id + 700_000)), "tracked": True, "inventoryLevel": here}

    def _variant(self, item: Item, location: str) -> dict[str, Any]:
        return {
            "id": gid("ProductVariant", str(item.id)), "sku": item.sku, "barcode": item.gtin,
            "title": item.title if item.parent else "Default Title", "price": amount(item.price_cents),
            "inventoryPolicy": "DENY", "inventoryQuantity": item.units, "inventoryItem": self._item(item, location),
        }  # fmt: skip

    def _product_row(self, number: int) -> dict[str, Any]:
        first = self.families[number][0]
        return {
            "id": gid("Product", str(number)), "title": first.family or first.title,
            "status": "ACTIVE" if first.live else "DRAFT", "onlineStoreUrl": None,
            "hasOnlyDefaultVariant": first.parent is None,
        }  # fmt: skip

    def _variants(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        start = bisect.bisect_right(self.ids, int(asked["after"] or 0))
        items = [self.items[number] for number in self.ids[start : start + 100]]
        rows = [
            {**self._variant(item, asked["location"]), "product": self._product_row(self.product_of(item))}
            for item in items
        ]
        after = str(items[-1].id) if items else None
        return {"productVariants": page(rows, after, more=start + len(items) < len(self.ids))}

    def _product(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        number, start = int(asked["id"].rpartition("/")[2]), int(asked["after"] or 0)
        members = self.families.get(number)
        if members is None:
            return {"product": None}
        rows = [self._variant(item, asked["location"]) for item in members[start : start + 100]]
        more = start + len(rows) < len(members)
        return {"product": {**self._product_row(number), "variants": page(rows, str(start + len(rows)), more=more)}}

    def _levels(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        found = [self.items.get(int(each.rpartition("/")[2]) - 700_000) for each in asked["ids"]]
        rows = [
            {"__typename": "InventoryItem", **self._item(item, asked["location"])} if item else None for item in found
        ]
        return {"nodes": rows}

    def _set(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """All rows or none, and the same key only once."""
        told, digest = asked["input"], json.dumps(asked["input"], sort_keys=True)
        before = self.done.get(asked["key"])
        if before is not None and before[0] == digest:
            return before[1]
        if before is not None:
            said = "The same idempotency key was used with other parameters"
            return _stock_refused("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", said, ["input"])
        rows = told["quantities"]
        if len(rows) > 250:
            raise wrong(
                "The input array size of quantities is greater than the maximum allowed of 250.", "MAX_INPUT_SIZE"
            )
        for n, row in enumerate(rows):
            if "changeFromQuantity" not in row:
                raise wrong("changeFromQuantity (Expected value to not be missing)", "INVALID_VARIABLE")
            if problem := self._problem(row):
                return _stock_refused(*problem[:2], ["input", "quantities", str(n), problem[2]])
        answer = self._written(rows)
        self.done[asked["key"]] = digest, answer
        return answer

    def _problem(self, row: Mapping[str, Any]) -> tuple[str, str, str] | None:
        item = self._at(row["inventoryItemId"])
        if item is None:
            return "INVALID_INVENTORY_ITEM", "The specified inventory item could not be found.", "inventoryItemId"
        if row["locationId"] == gid("Location", str(WAREHOUSE)):
            said = "The specified inventory item is not stocked at the location."
            return "ITEM_NOT_STOCKED_AT_LOCATION", said, "locationId"
        if row["locationId"] != gid("Location", str(LOCATION)):
            return "INVALID_LOCATION", "The specified location could not be found.", "locationId"
        if row["quantity"] < 0:
            return "INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.", "quantity"
        if row["changeFromQuantity"] not in (None, item.units):
            said = "The changeFromQuantity argument no longer matches the persisted quantity."
            return "CHANGE_FROM_QUANTITY_STALE", said, "changeFromQuantity"
        return None

    def _at(self, told: str) -> Item | None:
        return self.items.get(int(told.rpartition("/")[2]) - 700_000)

    def _written(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        changes = []
        for row in rows:
            item = self._at(row["inventoryItemId"])
            if item is None or item.units == row["quantity"]:
                continue
            delta = row["quantity"] - item.units
            self.set_units(item, row["quantity"])
            named = {"item": {"id": row["inventoryItemId"]}, "location": {"id": row["locationId"]}}
            changes.append({"name": "available", "delta": delta, "quantityAfterChange": item.units, **named})
        group = {"id": gid("InventoryAdjustmentGroup", str(self.new_id())), "changes": changes} if changes else None
        return {"inventorySetQuantities": {"inventoryAdjustmentGroup": group, "userErrors": []}}

    def _shop(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        shop = {
            "id": gid("Shop", "548380009"),
            "name": "Loja de Exemplo",
            "myshopifyDomain": self.domain,
            "currencyCode": "BRL",
        }
        places = [
            {"id": gid("Location", str(WAREHOUSE)), "name": "Avarias", "isActive": True, "fulfillsOnlineOrders": False},
            {"id": gid("Location", str(LOCATION)), "name": "Loja", "isActive": True, "fulfillsOnlineOrders": True},
        ]  # fmt: skip
        return {"shop": shop, "locations": {"nodes": places}}

    # ── Subscriptions ───────────────────────────────────────────────────────────────────────────────────────

    def _hooks(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        rows = [
            {
                "id": gid("WebhookSubscription", str(number)),
                "topic": hook["topic"],
                "uri": hook["uri"],
                "format": "JSON",
            }
            for number, hook in self.hooks.items()
        ]
        return {"webhookSubscriptions": {"nodes": rows}}

    def _hook(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        uri = asked["hook"]["uri"]
        if any(hook == {"topic": asked["topic"], "uri": uri} for hook in self.hooks.values()):
            said = "Address for this topic has already been taken"
            return {"webhookSubscriptionCreate": _refused("webhookSubscription", said, ["webhookSubscription", "uri"])}
        number = self.new_id()
        self.hooks[number] = {"topic": asked["topic"], "uri": uri}
        return {"webhookSubscriptionCreate": _registered(number)}

    def _hook_again(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        number = int(asked["id"].rpartition("/")[2])
        self.hooks[number]["uri"] = asked["hook"]["uri"]
        return {"webhookSubscriptionUpdate": _registered(number)}

    def _hook_gone(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.hooks.pop(int(asked["id"].rpartition("/")[2]), None)
        return {"webhookSubscriptionDelete": {"deletedWebhookSubscriptionId": asked["id"], "userErrors": []}}


def _told(word: str | None) -> list[str]:
    return [word] if word else []


def _info(told: Mapping[str, Any]) -> dict[str, Any]:
    return {key: told.get(key) for key in ("company", "number", "url")} if told else {}


def _refused(name: str, message: str, where: list[str]) -> dict[str, Any]:
    return {name: None, "userErrors": [{"field": where, "message": message}]}


def _stock_refused(code: str, message: str, where: list[str]) -> dict[str, Any]:
    errors = [{"code": code, "field": where, "message": message}]
    return {"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": errors}}


def _registered(number: int) -> dict[str, Any]:
    return {"webhookSubscription": {"id": gid("WebhookSubscription", str(number))}, "userErrors": []}


def create(
    products: Sequence[Product], *, seed: int = 0, points: int = 0, now: Callable[[], datetime] = utc_now
) -> Shop:
    """A shop that sells `products`. `points`: the size of its cost bucket (a real one's: 2,000; 0: never throttled)."""
    return Shop(products, seed, points=points, now=now)

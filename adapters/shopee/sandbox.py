"""A Shopee shop in memory: signed queries, errors inside a 200, stock by model, pushes that are signed and get lost."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from hub.sandbox import Consents, Delivery, Handler, Product, add_controls
from hub.sandbox_store import Item, Line, Sale, Store, utc_now

PARTNER_ID, PARTNER_KEY, SHOP_ID = 2001887, "shpk" + "5a" * 30, 336094210
WORDS = {
    "placed": "UNPAID", "paid": "READY_TO_SHIP", "dispatched": "SHIPPED", "delivered": "COMPLETED",
    "returned": "COMPLETED", "cancelled": "CANCELLED",
}  # fmt: skip
OWN = frozenset({"INVOICE_PENDING", "PROCESSED", "IN_CANCEL", "PENDING"})  # what a paid order may be besides
BUYER_SEEN = frozenset({"READY_TO_SHIP", "PROCESSED"})  # statuses in which a seller with a CPF is shown the address
LOGISTICS = {
    "UNPAID": "LOGISTICS_NOT_START", "READY_TO_SHIP": "LOGISTICS_READY", "PROCESSED": "LOGISTICS_REQUEST_CREATED",
    "SHIPPED": "LOGISTICS_PICKUP_DONE", "COMPLETED": "LOGISTICS_DELIVERY_DONE", "CANCELLED": "LOGISTICS_INVALID",
}  # fmt: skip
RETRIES = (1.0, 4.0)  # a vendor's 5 minutes to 3 hours, in a demo's seconds
TOKEN_SECONDS = 14_400
LONGEST_WINDOW = 15 * 86_400
PUBLIC = ("/api/v2/auth/", "/api/v2/shop/auth_partner", "/api/v2/push/")
NEEDED: dict[str, dict[str, list[str]]] = {
    "dropoff": {"dropoff": []},
    "pickup": {"pickup": ["address_id", "pickup_time_id"]},
    "non_integrated": {"non_integrated": ["tracking_no"]},
}
DIGITS = "0123456789ABCDEFGHJKLMNPQRSTUVWXY"


class Refusal(Exception):
    """An error in Shopee's own shape: inside a 200."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error, self.message = error, message


def told(response: Any = None, error: str = "", message: str = "") -> web.Response:
    """The envelope."""
    body = {"error": error, "message": message, "request_id": "3dad66f43b8447d282ae6da36626c6b7"}
    return web.json_response(body if response is None else {**body, "response": response})


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    try:
        request.app[SHOP].admit(request)
        return await handler(request)
    except Refusal as refusal:
        return told(error=refusal.error, message=refusal.message)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return told(error="error_param", message="Permission denied. The request path is incorrect.")
    except (ValueError, KeyError, TypeError) as problem:
        return told(error="error_param", message=f"Wrong parameters, detail: {problem}.")


def seconds(at: datetime | None) -> int | None:
    """Unix seconds."""
    return int(at.timestamp()) if at else None


class Shopee(Store):
    """The shop, and the application that it authorized."""

    def __init__(
        self, products: Sequence[Product], seed: int, *, invoice: bool, carrier: str, now: Callable[[], datetime]
    ) -> None:
        super().__init__(products, seed, now=now, first_id=100_000 * (seed + 1))
        self.invoice, self.carrier, self.shop_id = invoice, carrier, SHOP_ID + seed
        self.refresh_token = f"refresh{seed}x0"
        self.tokens: dict[str, datetime] = {}
        self.consents = Consents()
        self.renewals = 0
        self.by_sn: dict[str, Sale] = {}
        self.by_item: dict[int, list[Item]] = {}
        for item in self.items.values():
            self.by_item.setdefault(item.parent or item.id, []).append(item)
        self.config: dict[str, Any] = {"callback_url": "", "on": set(), "blocked": []}
        self.lost: list[tuple[int, dict[str, Any]]] = []
        self.app[SHOP] = self
        self.app.middlewares.append(_gate)
        self._route()
        add_controls(self)

    # ── What the demo and the tests ask ─────────────────────────────────────────────────────────────────────

    def credentials(self, base_url: str) -> dict[str, str]:
        """The application, the shop and its first refresh token."""
        self.base = base_url.rstrip("/")
        keys = {"partner_id": str(PARTNER_ID), "partner_key": PARTNER_KEY, "shop_id": str(self.shop_id)}
        return {**keys, "refresh_token": self.refresh_token, "endpoint": self.base}

    def ref(self, sale: Sale) -> str:
        rest, digits = sale.id, ""
        while rest:
            rest, digit = divmod(rest, len(DIGITS))
            digits = DIGITS[digit] + digits
        sn = f"{sale.created:%y%m%d}{digits:0>8}"
        self.by_sn[sn] = sale
        return sn

    def sale_of(self, ref: object) -> Sale:
        if str(ref) not in self.by_sn:
            raise LookupError("unknown_order")
        return self.by_sn[str(ref)]

    def word(self, sale: Sale) -> str:
        own = sale.extra.get("status")
        return own if own and sale.stage == "paid" else WORDS[sale.stage]

    def extra_act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Also callback {url}; status {order_ref, status}: of a paid order; expire: every access token ends."""
        if verb == "callback":
            self.config |= {"callback_url": str(wanted["url"]), "on": set(range(1, 31))}
            return {"url": self.config["callback_url"]}
        if verb == "expire":
            self.tokens.clear()
            return {}
        if verb == "status" and wanted["status"] in {*OWN, "READY_TO_SHIP"}:
            sale = self.sale_of(wanted["order_ref"])
            sale.extra["status"] = wanted["status"]
            self._changed(sale, "changed")
            return {"order_ref": self.ref(sale), "status": self.word(sale)}
        return super().extra_act(verb, wanted)

    def sale_changed(self, sale: Sale, event: str) -> None:
        if event == "paid":
            sale.extra["status"] = "INVOICE_PENDING" if self.invoice else None
        told = {"ordersn": self.ref(sale), "status": self.word(sale), "completed_scenario": "", "items": []}
        self._push(3, {**told, "update_time": seconds(sale.changed)})

    def _push(self, code: int, data: dict[str, Any]) -> None:
        url = self.config["callback_url"]
        if not url or code not in self.config["on"] or self.shop_id in self.config["blocked"]:
            return
        push = {"data": data, "shop_id": self.shop_id, "code": code, "timestamp": seconds(self.now())}
        self.courier.send(self._delivery(url, push))

    def _delivery(self, url: str, push: dict[str, Any]) -> Delivery:
        """What is not answered with 2xx after the last attempt is lost, and kept for 3 days."""
        body = json.dumps({"msg_id": f"{self.new_id():032x}", **push}, separators=(",", ":")).encode()
        signed = hmac.digest(PARTNER_KEY.encode(), url.encode() + b"|" + body, hashlib.sha256).hex()
        failed: list[int] = []

        def done(status: int) -> None:
            if not 200 <= status < 300:
                failed.append(status)
            if len(failed) > len(RETRIES):
                self.lost.append((self.new_id(), push))

        headers = {"Content-Type": "application/json", "Authorization": signed}
        return Delivery(url, headers, body, timeout=3, retries=RETRIES, done=done)

    # ── The door ────────────────────────────────────────────────────────────────────────────────────────────

    def admit(self, request: web.Request) -> None:
        """Every call is signed, now; a shop's own shows its token."""
        query = request.query
        if query.get("partner_id") != str(PARTNER_ID):
            raise Refusal("error_param", "Invalid partner_id.")
        if abs(self.now().timestamp() - int(query.get("timestamp", 0))) > 300:
            raise Refusal("error_param", "Timestamp is expired.")
        public = request.path.startswith(PUBLIC)
        token, shop = ("", "") if public else (query.get("access_token", ""), query.get("shop_id", ""))
        base = f"{PARTNER_ID}{request.path}{query['timestamp']}{token}{shop}"
        if query.get("sign") != hmac.digest(PARTNER_KEY.encode(), base.encode(), hashlib.sha256).hex():
            raise Refusal("error_sign", "Wrong sign.")
        if public:
            return
        if shop != str(self.shop_id):
            raise Refusal("error_auth", "Invalid partner_id or shopid.")
        if self.tokens.get(token, self.now()) <= self.now():
            raise Refusal("invalid_acceess_token", "Invalid access_token, please have a check.")

    async def consent(self, request: web.Request) -> web.StreamResponse:
        """The link is signed, and names the address to come back to; our state stands in that."""
        raise web.HTTPFound(self.consents.answer("", back=request.query["redirect"], shop_id=str(self.shop_id)))

    async def token(self, request: web.Request) -> web.Response:
        form = await request.json()
        first = request.path.endswith("/auth/token/get")
        good = self.consents.take(form.get("code")) if first else form.get("refresh_token") == self.refresh_token
        if form.get("shop_id") != self.shop_id or not good:
            raise Refusal("error_auth", "Invalid code." if first else "Invalid refresh_token.")
        self.renewals += 1
        seed = self.shop_id - SHOP_ID
        self.refresh_token, access = f"refresh{seed}x{self.renewals}", f"access{seed}x{self.renewals}"
        self.tokens[access] = self.now() + timedelta(seconds=TOKEN_SECONDS)
        keys = {"access_token": access, "refresh_token": self.refresh_token, "expire_in": TOKEN_SECONDS}
        return web.json_response(
            {"error": "", "message": "", "partner_id": PARTNER_ID, "shop_id": self.shop_id, **keys}
        )

    async def shop_info(self, _request: web.Request) -> web.Response:
        named = {"shop_name": "Loja de Exemplo", "region": "BR", "status": "NORMAL", "is_cb": False}
        until = seconds(self.now() + timedelta(days=365))
        return web.json_response({"error": "", "message": "", "expire_time": until, **named})

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────

    async def order_list(self, request: web.Request) -> web.Response:
        query = request.query
        since, until, size = int(query["time_from"]), int(query["time_to"]), int(query["page_size"])
        if not 0 < until - since < LONGEST_WINDOW:
            raise Refusal(
                "order.order_list_invalid_time", "Start time must be earlier than end time and diff in 15days."
            )
        if not 1 <= size <= 100:
            raise Refusal("error_param", "page_size: 1 to 100")
        clock = {"update_time": "changed", "create_time": "created"}[query["time_range_field"]]
        rows = [sale for sale in self.changed_since() if since <= int(getattr(sale, clock).timestamp()) <= until]
        start = int(query.get("cursor") or 0)
        page, more = rows[start : start + size], start + size < len(rows)
        found = [{"order_sn": self.ref(sale), "booking_sn": ""} for sale in page]
        return told({"more": more, "next_cursor": str(start + size) if more else "", "order_list": found})

    async def order_detail(self, request: web.Request) -> web.Response:
        refs = request.query["order_sn_list"].split(",")
        if len(refs) > 50:
            raise Refusal("error_param", "order_sn_list: limit [1,50]")
        found = [self.by_sn[ref] for ref in refs if ref in self.by_sn]
        if not found:
            raise Refusal("error_not_found", "Wrong parameters, detail: order_sn not found.")
        fields = set(request.query.get("response_optional_fields", "").split(","))
        return told({"order_list": [self._order(sale, fields) for sale in found]})

    def _order(self, sale: Sale, fields: set[str]) -> dict[str, Any]:
        word, open_ = self.word(sale), sale.stage != "placed"
        lines = [{"item_id": self._item_id(line.item), "model_id": self._model_id(line.item), **_bought(line)}
                 for line in sale.lines]  # fmt: skip
        optional = {
            "buyer_user_id": 1_000_000 + sum(map(ord, sale.buyer.cpf)),
            "buyer_cpf_id": sale.buyer.cpf if word in BUYER_SEEN else "****",
            "item_list": [self._line(line) | row for line, row in zip(sale.lines, lines, strict=True)],
            "pay_time": seconds(sale.paid),
            "total_amount": sale.items_cents / 100 if open_ else 0,
            "recipient_address": self._address(sale, shown=word in BUYER_SEEN),
            "fulfillment_flag": "fulfilled_by_shopee" if _of_shopee(sale) else "fulfilled_by_local_seller",
            "shipping_carrier": "Shopee Xpress",
            "cancel_by": "buyer" if sale.cancelled else "",
            "package_list": [
                {
                    "package_number": f"OFG{sale.id:012d}", "shipping_carrier": "Shopee Xpress",
                    "logistics_status": LOGISTICS.get(word, "LOGISTICS_PENDING_ARRANGE"),
                    "item_list": [{**row, "model_quantity": line.quantity} for line, row in
                                  zip(sale.lines, lines, strict=True)],
                }
            ],
            "split_up": False,
            "invoice_data": None,
        }  # fmt: skip
        return {
            "order_sn": self.ref(sale), "order_status": word, "region": "BR", "currency": "BRL", "cod": False,
            "create_time": seconds(sale.created), "update_time": seconds(sale.changed),
            "ship_by_date": (seconds(sale.paid) or 0) + 2 * 86_400 if sale.paid else 0, "days_to_ship": 2,
            **{name: value for name, value in optional.items() if name in fields},
        }  # fmt: skip

    def _item_id(self, item: Item) -> int:
        return item.parent or item.id

    def _model_id(self, item: Item) -> int:
        return item.id if item.parent else 0

    def _line(self, line: Line) -> dict[str, Any]:
        item = line.item
        return {
            "item_name": item.family or item.title,
            "item_sku": "" if item.parent else item.sku,
            "model_name": item.title if item.parent else "",
            "model_sku": item.sku if item.parent else "",
            "model_quantity_purchased": line.quantity,
            "model_original_price": line.cents / 100,
            "model_discounted_price": line.cents / 100,
            "active_qty": line.quantity - line.cancelled,
            "cancelled_qty": line.cancelled,
            "cancel_requested_qty": 0,
            "returned_qty": line.returned,
            "promotion_type": "",
        }

    def _address(self, sale: Sale, *, shown: bool) -> dict[str, Any]:
        who = sale.buyer
        if not shown:
            masked = dict.fromkeys(("name", "phone", "district", "city", "state", "zipcode", "full_address"), "****")
            return {**masked, "region": "BR"}
        parts = (who.street, who.number, who.complement, who.district, who.city, who.state_name, who.postal_code)
        return {
            "name": who.name, "phone": f"55{who.phone}", "district": who.district, "city": who.city,
            "state": who.state_name, "region": "BR", "zipcode": who.postal_code, "town": "",
            "full_address": ", ".join(filter(None, parts)),
        }  # fmt: skip

    async def shipping_parameter(self, request: web.Request) -> web.Response:
        sale = self._sale(request.query["order_sn"])
        if self.word(sale) != "READY_TO_SHIP":
            message = "Shipping parameters can only be obtained when package is ready to be shipped"
            raise Refusal("error_param", message)
        slots = [{"date": seconds(self.now()), "pickup_time_id": "slot1", "flags": ["recommended"]}]
        place = {"address_id": 234, "address_flag": ["pickup_address"], "time_slot_list": slots}
        pickup = {"address_list": [place]} if self.carrier == "pickup" else None
        return told({"info_needed": NEEDED[self.carrier], "dropoff": None, "pickup": pickup})

    async def ship_order(self, request: web.Request) -> web.Response:
        form = await request.json()
        sale = self._sale(form["order_sn"])
        if self.word(sale) != "READY_TO_SHIP":
            raise Refusal("logistics.error_param", "The order status is not ready to ship.")
        if self.carrier not in form:
            raise Refusal("logistics.error_param", f"{self.carrier} is required.")
        asked = {"tracking_no": "tracking_number"}
        missing = [key for key in NEEDED[self.carrier][self.carrier] if asked.get(key, key) not in form[self.carrier]]
        if missing:
            raise Refusal("logistics.error_param", f"{', '.join(missing)}: required.")
        code = form[self.carrier].get("tracking_number", f"BR{sale.id}")
        if self.carrier == "non_integrated":  # nobody scans it: it has left
            self.dispatch(sale, code)
        else:
            sale.extra["status"], sale.tracking = "PROCESSED", code
            self._changed(sale, "changed")
        self._push(4, {"ordersn": self.ref(sale), "forder_id": str(sale.id), "tracking_no": sale.tracking})
        return told()

    def _sale(self, ref: str) -> Sale:
        try:
            return self.sale_of(ref)
        except LookupError:
            raise Refusal("logistics.error_order_not_found", "Order is not found.") from None

    # ── Items ───────────────────────────────────────────────────────────────────────────────────────────────

    async def item_list(self, request: web.Request) -> web.Response:
        start, size = int(request.query["offset"]), int(request.query["page_size"])
        if not 1 <= size <= 100:
            raise Refusal("error_param", "page_size: 1 to 100")
        statuses = request.query.getall("item_status")
        ids = [ref for ref in self.by_item if self._status(ref) in statuses]
        page, more = ids[start : start + size], start + size < len(ids)
        rows = [{"item_id": ref, "item_status": self._status(ref), "tag": {"kit": False}} for ref in page]
        answer = {"item": rows, "total_count": len(ids), "has_next_page": more}
        return told(answer | ({"next_offset": start + size} if more else {}))

    def _status(self, item_id: int) -> str:
        return "NORMAL" if any(item.live for item in self.by_item[item_id]) else "UNLIST"

    async def base_info(self, request: web.Request) -> web.Response:
        ids = [int(ref) for ref in request.query["item_id_list"].split(",")]
        if len(ids) > 50:
            raise Refusal("error_param", "item_id_list: limit [0,50]")
        known = [ref for ref in ids if ref in self.by_item]
        if not known:
            raise Refusal("product.error_item_not_found", "Item_id is not found.")
        return told({"item_list": [self._base(ref, self.by_item[ref]) for ref in known]})

    def _base(self, item_id: int, items: Sequence[Item]) -> dict[str, Any]:
        first, models = items[0], items[0].parent is not None
        named = {"item_id": item_id, "item_name": first.family or first.title, "item_status": self._status(item_id)}
        if models:
            return {**named, "item_sku": "", "has_model": True}
        return {**named, "item_sku": first.sku, "has_model": False, **_sold(first)}

    async def model_list(self, request: web.Request) -> web.Response:
        items = self.by_item.get(int(request.query["item_id"]))
        if items is None:
            raise Refusal("product.error_item_not_found", "Item_id is not found.")
        options = [{"option": item.title} for item in items]
        rows = [{"model_id": item.id, "model_sku": item.sku, "model_status": "MODEL_NORMAL", "tier_index": [n],
                 **_sold(item)} for n, item in enumerate(items)]  # fmt: skip
        return told({"tier_variation": [{"name": "Opção", "option_list": options}], "model": rows})

    async def update_stock(self, request: web.Request) -> web.Response:
        form = await request.json()
        items, rows = self.by_item.get(form["item_id"]), form["stock_list"]
        if items is None:
            raise Refusal("error_item_not_found", "Item_id is not found.")
        if not 1 <= len(rows) <= 50 or len({row["model_id"] for row in rows}) < len(rows):
            raise Refusal("error_param", "Repeat model_id." if len(rows) <= 50 else "stock_list: 1 to 50")
        known, done, failed = {self._model_id(item): item for item in items}, [], []
        for row in rows:
            item, (place,) = known.get(row["model_id"]), row["seller_stock"]
            if "location_id" in place:
                raise Refusal("error_auth", "You do not have right to use seller location_id.")
            if item is None:
                failed.append({"model_id": row["model_id"], "failed_reason": "Wrong model_id."})
            elif item.managed_by != "seller" or place["stock"] < item.reserved:
                why = "Total stock must be more than reserved stock."
                failed.append({"model_id": row["model_id"], "failed_reason": why})
            else:
                self.set_units(item, place["stock"])
                done.append({"model_id": row["model_id"], "location_id": "", "stock": place["stock"]})
        error = "error_busi_update_stock_failed" if failed else ""
        message = "Update stock failed, please check failure_list for detailed reason" if failed else ""
        return told({"success_list": done, "failure_list": failed}, error, message)

    # ── The application's pushes ────────────────────────────────────────────────────────────────────────────

    async def push_config(self, _request: web.Request) -> web.Response:
        on, url = self.config["on"], self.config["callback_url"]
        rows = {"push_config_on_list": sorted(on), "push_config_off_list": sorted(set(range(1, 14)) - on)}
        return told(
            {"callback_url": url, "live_push_status": "normal", "blocked_shop_id": self.config["blocked"], **rows}
        )

    async def set_push_config(self, request: web.Request) -> web.Response:
        """A callback is taken once it has answered a test push."""
        form = await request.json()
        url = form.get("callback_url") or self.config["callback_url"]
        trial = self._delivery(url, {"code": 0, "data": {"verify_info": "test"}, "timestamp": seconds(self.now())})
        if not 200 <= await self.courier._attempt(trial) < 300:  # noqa: SLF001 - answered before the callback is taken
            raise Refusal("error_param", "Shopee have sent a test push to this call back url, not answered with 2xx.")
        on = (self.config["on"] | set(form.get("set_push_config_on", ()))) - set(form.get("set_push_config_off", ()))
        blocked = form.get("blocked_shop_id_list", self.config["blocked"])
        self.config |= {"callback_url": url, "on": on, "blocked": blocked}
        return told({"result": "success"})

    async def lost_pushes(self, _request: web.Request) -> web.Response:
        page = self.lost[:100]
        rows = [{"shop_id": push.get("shop_id"), "code": push["code"], "timestamp": push["timestamp"],
                 "data": json.dumps(push)} for _number, push in page]  # fmt: skip
        last = {"last_message_id": page[-1][0]} if page else {}
        return told({"push_message_list": rows, "has_next_page": len(self.lost) > 100, **last})

    async def confirm_lost(self, request: web.Request) -> web.Response:
        last = (await request.json())["last_message_id"]
        self.lost = [(number, push) for number, push in self.lost if number > last]
        return told()

    def _route(self) -> None:
        router = self.app.router
        for path, get in (
            ("shop/get_shop_info", self.shop_info), ("shop/auth_partner", self.consent),
            ("order/get_order_list", self.order_list),
            ("order/get_order_detail", self.order_detail), ("product/get_item_list", self.item_list),
            ("product/get_item_base_info", self.base_info), ("product/get_model_list", self.model_list),
            ("logistics/get_shipping_parameter", self.shipping_parameter),
            ("push/get_app_push_config", self.push_config), ("push/get_lost_push_message", self.lost_pushes),
        ):  # fmt: skip
            router.add_get(f"/api/v2/{path}", get)
        for path, post in (
            ("auth/access_token/get", self.token), ("auth/token/get", self.token),
            ("product/update_stock", self.update_stock),
            ("logistics/ship_order", self.ship_order), ("push/set_app_push_config", self.set_push_config),
            ("push/confirm_consumed_lost_push_message", self.confirm_lost),
        ):  # fmt: skip
            router.add_post(f"/api/v2/{path}", post)


def _bought(line: Line) -> dict[str, Any]:
    return {"order_item_id": line.item.parent or line.item.id, "promotion_group_id": 0}


def _of_shopee(sale: Sale) -> bool:
    return all(line.item.managed_by != "seller" for line in sale.lines)


def _sold(item: Item) -> dict[str, Any]:
    """Price, stock and GTIN of an item without models, or of a model. Only seller_stock is the seller's."""
    mine = [{"location_id": "", "stock": item.units, "if_saleable": True}]
    theirs = [{"location_id": "BRFBS", "stock": item.units}]
    place = {"seller_stock": mine} if item.managed_by == "seller" else {"shopee_stock": theirs}
    summary = {"total_reserved_stock": item.reserved, "total_available_stock": item.units}
    price = item.price_cents / 100
    return {
        "price_info": [{"currency": "BRL", "original_price": price, "current_price": price}],
        "stock_info_v2": {"summary_info": summary, **place},
        "gtin_code": item.gtin or "00",
    }


SHOP: web.AppKey[Shopee] = web.AppKey("shop", Shopee)


def create(
    products: Sequence[Product],
    *,
    seed: int = 0,
    invoice: bool = False,
    carrier: str = "non_integrated",
    now: Callable[[], datetime] = utc_now,
) -> Shopee:
    """A shop that sells `products`.

    `invoice`: a paid order waits for its NF-e (act status READY_TO_SHIP ends that); `carrier`: what arranging a
    shipment asks for: dropoff, pickup or non_integrated.
    """
    return Shopee(products, seed, invoice=invoice, carrier=carrier, now=now)

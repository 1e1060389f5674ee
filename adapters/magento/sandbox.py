"""A Magento 2 store in memory, with one website, one stock and one source; configurables are told as two rows."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import unquote

from aiohttp import web
from oauthlib import oauth1
from oauthlib.common import urldecode

from hub.sandbox import Handler, Product, add_controls
from hub.sandbox_store import SHIPPING_CENTS, Item, Sale, Store, utc_now

KEYS = {
    "consumer_key": "ck4d6f2a9b1c8e7f3d5a0b9c8e7f6a5b", "consumer_secret": "cs1a2b3c4d5e6f708192a3b4c5d6e7f8",
    "access_token": "at9f8e7d6c5b4a39281706f5e4d3c2b1", "access_token_secret": "as0a1b2c3d4e5f60718293a4b5c6d7e8",
}  # fmt: skip
STATES = {
    "placed": "new", "paid": "processing", "dispatched": "complete", "delivered": "complete", "returned": "closed",
    "cancelled": "canceled",
}  # fmt: skip
PARENT_GAP = 500_000  # ids of a configurable's parent row, beyond those of its option's
FILTER = re.compile(r"searchCriteria\[filter_groups\]\[(\d+)\]\[filters\]\[0\]\[(\w+)\]")
CONDITIONS: dict[str, Callable[[Any, str], bool]] = {
    "eq": lambda told, asked: str(told) == asked,
    "gt": lambda told, asked: told > type(told)(asked),
    "gteq": lambda told, asked: told >= type(told)(asked),
    "in": lambda told, asked: str(told) in asked.split(","),
}


class Refusal(Exception):
    """An error in Magento's own shape, parameters apart from the sentence."""

    def __init__(self, status: int, message: str, parameters: Any = None) -> None:
        super().__init__(message)
        self.status, self.body = status, {"message": message, **({"parameters": parameters} if parameters else {})}


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    try:
        request.app[STORE].admit(request)
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.body, status=refusal.status)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return web.json_response({"message": "Request does not match any route."}, status=404)
    except (ValueError, TypeError, KeyError) as problem:
        told = {"message": "%1", "parameters": [f"Invalid input: {problem}"]}
        return web.json_response(told, status=400)


def clock(at: datetime | None) -> str | None:
    """A time of UTC without an offset, in whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at else None


class Magento(Store):
    """The store. It reserves what is sold and takes it from the source when it is shipped."""

    physical = True

    def __init__(
        self, products: Sequence[Product], seed: int, *, standalone: bool, export: bool, now: Callable[[], datetime]
    ) -> None:
        super().__init__(products, seed, now=now, first_id=100 + 10_000 * seed)
        self.standalone, self.export = standalone, export
        self.shipments: dict[int, dict[str, Any]] = {}
        self.app[STORE] = self
        self.app.middlewares.append(_gate)
        self._route()
        add_controls(self)

    def credentials(self, base_url: str) -> dict[str, str]:
        """An integration's four keys, or its token alone."""
        self.base = base_url.rstrip("/")
        keys = {"access_token": KEYS["access_token"], "standalone": "true"} if self.standalone else KEYS
        return {"store_url": self.base, **keys}

    def word(self, sale: Sale) -> str:
        return str(sale.extra.get("state") or STATES[sale.stage])

    def extra_act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Also hold {order_ref} and unhold {order_ref}."""
        if verb not in ("hold", "unhold"):
            return super().extra_act(verb, wanted)
        sale = self.sale_of(wanted["order_ref"])
        sale.extra["state"] = "holded" if verb == "hold" else None
        self._changed(sale, "changed")
        return {"order_ref": self.ref(sale), "status": self.word(sale)}

    def admit(self, request: web.Request) -> None:
        """The token alone where that is allowed, else a signature that is worked out again."""
        shown = request.headers.get("Authorization", "")
        if self.standalone and shown == f"Bearer {KEYS['access_token']}":
            return
        told = dict(urldecode(shown.removeprefix("OAuth ").replace('"', "").replace(", ", "&"))) if "=" in shown else {}
        signer = oauth1.Client(
            KEYS["consumer_key"], client_secret=KEYS["consumer_secret"], resource_owner_key=KEYS["access_token"],
            resource_owner_secret=KEYS["access_token_secret"], signature_method=oauth1.SIGNATURE_HMAC_SHA256,
            nonce=told.get("oauth_nonce", ""), timestamp=told.get("oauth_timestamp", ""),
        )  # fmt: skip
        url = f"{request.scheme}://{request.host}{request.raw_path}"
        _uri, headers, _body = signer.sign(url, http_method=cast("Any", request.method))
        if not shown or headers["Authorization"] != shown:
            raise Refusal(401, "The signature is invalid. Verify and try again.")

    # ── Documents ───────────────────────────────────────────────────────────────────────────────────────────

    def _rows(self, sale: Sale) -> list[dict[str, Any]]:
        shipped = sale.dispatched is not None
        rows = []
        for line in sale.lines:
            state = {
                "qty_ordered": line.quantity, "qty_invoiced": line.quantity if sale.paid else 0,
                "qty_shipped": line.quantity - line.cancelled if shipped else 0, "qty_canceled": line.cancelled,
                "qty_refunded": line.returned, "sku": line.item.sku,
                "name": " ".join(filter(None, (line.item.family, line.item.title))),
            }  # fmt: skip
            total = line.cents * line.quantity / 100
            row = {"item_id": line.id, **state, "price": line.cents / 100, "row_total": total, "discount_amount": 0}
            if line.item.parent:
                child = {**row, "item_id": line.id + PARENT_GAP, "parent_item_id": line.id, "product_type": "simple",
                         "price": 0, "row_total": 0}  # fmt: skip
                rows += [{**row, "product_type": "configurable"}, child]
            else:
                rows.append({**row, "product_type": "simple"})
        return rows

    def _order(self, sale: Sale) -> dict[str, Any]:
        who = sale.buyer
        first, _, last = who.name.partition(" ")
        place = {
            "firstname": first, "lastname": last, "telephone": who.phone, "city": who.city, "region": who.state_name,
            "region_code": who.state, "postcode": f"{who.postal_code[:5]}-{who.postal_code[5:]}", "country_id": "BR",
            "street": [who.street, who.number, who.complement, who.district],
        }  # fmt: skip
        total = sale.total_cents / 100
        return {
            "entity_id": sale.id, "increment_id": f"{sale.id:09d}", "state": self.word(sale), "status": self.word(sale),
            "created_at": clock(sale.created), "updated_at": clock(sale.changed), "order_currency_code": "BRL",
            "grand_total": total, "subtotal": sale.items_cents / 100, "discount_amount": 0, "tax_amount": 0,
            "shipping_amount": SHIPPING_CENTS / 100, "total_due": 0 if sale.paid else total,
            "customer_firstname": first, "customer_lastname": last, "customer_email": who.email,
            "customer_is_guest": 1, "customer_taxvat": who.cpf, "billing_address": place, "items": self._rows(sale),
            **({"total_paid": total} if sale.paid else {}),
            **({"total_refunded": total} if sale.stage == "returned" else {}),
            "extension_attributes": {
                "shipping_assignments": [
                    {"shipping": {"address": place, "method": "flatrate_flatrate", "total": {}}, "items": []},
                ],
            },
        }  # fmt: skip

    def _product(self, item: Item) -> dict[str, Any]:
        gtin = [{"attribute_code": "gtin", "value": item.gtin}] if item.gtin else []
        return {
            "id": item.id, "sku": item.sku, "name": " ".join(filter(None, (item.family, item.title))),
            "price": item.price_cents / 100, "status": 1 if item.live else 2, "visibility": 4, "type_id": "simple",
            "custom_attributes": gtin,
        }  # fmt: skip

    # ── Search criteria ─────────────────────────────────────────────────────────────────────────────────────

    def _found(self, request: web.Request, rows: Sequence[dict[str, Any]], most: int = 300) -> web.Response:
        query = request.query
        groups: dict[str, dict[str, str]] = {}
        for key, value in query.items():
            if named := FILTER.fullmatch(key):
                groups.setdefault(named[1], {})[named[2]] = value
        kept = [row for row in rows if all(self._fits(row, told) for told in groups.values())]
        for n in (1, 0):
            field = query.get(f"searchCriteria[sortOrders][{n}][field]")
            if field:
                down = query.get(f"searchCriteria[sortOrders][{n}][direction]") == "DESC"
                kept.sort(
                    key=lambda row: row["id"] if field == "entity_id" and "id" in row else row[field], reverse=down
                )
        size = int(query.get("searchCriteria[pageSize]", "0")) or max(1, len(kept))
        if size > most:
            raise Refusal(400, "Maximum allowed page size is %1.", [most])
        last = max(1, -(-len(kept) // size))
        page = min(int(query.get("searchCriteria[currentPage]", "1")), last)  # past the end: the last page again
        told = kept[(page - 1) * size : page * size]
        return web.json_response({"items": told or None, "search_criteria": {}, "total_count": len(kept)})

    @staticmethod
    def _fits(row: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
        field = asked["field"]
        told = row["id"] if field == "entity_id" and "id" in row else row[field]
        return CONDITIONS[asked.get("condition_type", "eq")](told, asked["value"])

    # ── Routes ──────────────────────────────────────────────────────────────────────────────────────────────

    def _sale(self, request: web.Request) -> Sale:
        sale = self.sales.get(int(request.match_info["id"]))
        if sale is None:
            message = "The entity that was requested doesn't exist. Verify the entity and try again."
            raise Refusal(404, message)
        return sale

    async def list_orders(self, request: web.Request) -> web.Response:
        return self._found(request, [self._order(sale) for sale in self.sales.values()])

    async def get_order(self, request: web.Request) -> web.Response:
        return web.json_response(self._order(self._sale(request)))

    async def list_shipments(self, request: web.Request) -> web.Response:
        return self._found(request, list(self.shipments.values()))

    async def ship(self, request: web.Request) -> web.Response:
        sale, told = self._sale(request), await request.json()
        if sale.stage != "paid":
            raise Refusal(
                400, "Shipment Document Validation Error(s):\nThe order does not allow a shipment to be created."
            )
        tracks = told.get("tracks", [])
        number = self.new_id()
        self.shipments[number] = {"entity_id": number, "order_id": sale.id, "tracks": tracks}
        self.dispatch(sale, tracks[0]["track_number"] if tracks else None)
        return web.json_response(str(number))

    async def post_track(self, request: web.Request) -> web.Response:
        entity = (await request.json())["entity"]
        shipment = self.shipments[int(entity["parent_id"])]
        shipment["tracks"].append(entity)
        self.dispatch(self.sales[int(entity["order_id"])], entity["track_number"])
        return web.json_response({**entity, "entity_id": self.new_id()})

    async def list_products(self, request: web.Request) -> web.Response:
        parents = {item.parent: item for item in self.items.values() if item.parent}
        rows = [self._product(item) for item in self.items.values()]
        rows += [
            {
                **self._product(item),
                "id": number,
                "sku": f"{item.sku}-pai",
                "name": item.family,
                "type_id": "configurable",
            }
            for number, item in parents.items()
        ]
        return self._found(request, sorted(rows, key=lambda row: row["id"]))

    def _item(self, request: web.Request) -> Item:
        item = self.by_sku.get(unquote(request.match_info["sku"]))
        if item is None:
            raise Refusal(404, "The product that was requested doesn't exist. Verify the product and try again.")
        return item

    async def get_product(self, request: web.Request) -> web.Response:
        return web.json_response(self._product(self._item(request)))

    async def list_sources(self, request: web.Request) -> web.Response:
        rows = [
            {"sku": sku, "source_code": "default", "quantity": item.units, "status": 1}
            for sku, item in self.by_sku.items()
        ]
        return self._found(request, rows)

    async def post_sources(self, request: web.Request) -> web.Response:
        """All or none: a SKU or source that is not there refuses the whole request."""
        wanted = (await request.json())["sourceItems"]
        if len(wanted) > 20:
            raise Refusal(400, "Maximum items of type %1 is %2", ["SourceItemInterface", 20])
        for row in wanted:
            if row["sku"] not in self.by_sku or row["source_code"] != "default" or row["quantity"] < 0:
                raise Refusal(400, "Source item with SKU %sku cannot be saved", {"sku": row["sku"]})
        for row in wanted:
            self.set_units(self.by_sku[row["sku"]], int(row["quantity"]))
        return web.json_response([])

    async def salable(self, request: web.Request) -> web.Response:
        item = self._item(request)
        return web.json_response(item.units - item.reserved)

    async def list_salable(self, request: web.Request) -> web.Response:
        if not self.export:
            raise Refusal(404, "Request does not match any route.")
        rows = [
            {"sku": sku, "qty": item.units - item.reserved, "is_salable": item.free > 0}
            for sku, item in self.by_sku.items()
        ]
        return self._found(request, rows)

    async def websites(self, _request: web.Request) -> web.Response:
        return web.json_response([{"id": 0, "code": "admin"}, {"id": 1, "code": "base", "name": "Main"}])

    async def stock(self, _request: web.Request) -> web.Response:
        return web.json_response({"stock_id": 1, "name": "Default Stock"})

    def _route(self) -> None:
        router, root = self.app.router, r"/rest/{view:\w+}/V1"
        router.add_get(f"{root}/orders", self.list_orders)
        router.add_get(root + r"/orders/{id:\d+}", self.get_order)
        router.add_post(root + r"/order/{id:\d+}/ship", self.ship)
        router.add_post(f"{root}/shipment/track", self.post_track)
        router.add_get(f"{root}/shipments", self.list_shipments)
        router.add_get(f"{root}/products", self.list_products)
        router.add_get(root + "/products/{sku}", self.get_product)
        router.add_get(f"{root}/inventory/source-items", self.list_sources)
        router.add_post(f"{root}/inventory/source-items", self.post_sources)
        router.add_get(root + "/inventory/get-product-salable-quantity/{sku}/{stock}", self.salable)
        router.add_get(root + "/inventory/export-stock-salable-qty/website/{site}", self.list_salable)
        router.add_get(root + "/inventory/stock-resolver/website/{site}", self.stock)
        router.add_get(f"{root}/store/websites", self.websites)


STORE: web.AppKey[Magento] = web.AppKey("store", Magento)


def create(
    products: Sequence[Product],
    *,
    seed: int = 0,
    standalone: bool = False,
    export: bool = True,
    now: Callable[[], datetime] = utc_now,
) -> Magento:
    """A store that sells `products`; those with one `parent` are a configurable's options.

    `standalone`: the access token works alone; `export`: salable quantities are told for many SKUs at once.
    """
    return Magento(products, seed, standalone=standalone, export=export, now=now)

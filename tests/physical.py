"""A channel that is told physical stock and takes its reservations off it, as VTEX, Magento and Loja Integrada do.

For tests alone: a store in memory over real HTTP, and the adapter that talks to it. Registered as "fisico" by `known`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from aiohttp import web
from pydantic import SecretStr

import adapters
from hub.contract import (
    PHYSICAL,
    Adapter,
    Api,
    Credentials,
    Identity,
    Kind,
    ListingSource,
    OrderSource,
    Page,
    StockSink,
    json_of,
)
from hub.faults import ChannelError, Fault
from hub.model import (
    Fulfilment,
    Listing,
    ListingStatus,
    Order,
    OrderLine,
    Outcome,
    OutcomeKind,
    Payment,
    Raw,
    Reply,
    Request,
    StockWrite,
)
from hub.sandbox import Product, add_controls
from hub.sandbox_store import Item, Sale, Store
from tests import world

NAME = "fisico"
WRITE = "PUT /stock/{id}"
OVERLAP = timedelta(seconds=20)


class Physical(Store):
    """`drops`: a write makes it forget the reservations of what it sold, as VTEX does of orders in handling."""

    physical = True

    def __init__(self, products: Sequence[Product], seed: int = 0, *, drops: bool = False) -> None:
        super().__init__(products, seed)
        self.drops = drops
        self.most: dict[str, int] = {}  # what each SKU ever showed at most, from the first write on
        route = self.app.router
        route.add_get("/me", self._me)
        route.add_get("/orders", self._orders)
        route.add_get("/orders/{id}", self._order)
        route.add_get("/stock", self._stock)
        route.add_get("/stock/{id}", self._one)
        route.add_put("/stock/{id}", self._put)
        add_controls(self)

    def credentials(self, base_url: str) -> dict[str, str]:
        """Any key will do."""
        return {"address": base_url, "key": "secret"}

    async def _me(self, _request: web.Request) -> web.Response:
        return web.json_response({"id": f"{self.base}/{id(self)}", "name": "Físico"})

    async def _orders(self, request: web.Request) -> web.Response:
        since = request.query.get("since")
        found = self.changed_since(datetime.fromisoformat(since) if since else None)
        return web.json_response([_document(sale) for sale in found])

    async def _order(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(_document(self.sale_of(request.match_info["id"])))
        except LookupError:
            raise web.HTTPNotFound from None

    async def _stock(self, _request: web.Request) -> web.Response:
        return web.json_response([_row(item) for item in self.items.values()])

    def _item(self, request: web.Request) -> Item:
        item = self.items.get(int(request.match_info["id"]))
        if item is None:
            raise web.HTTPNotFound
        return item

    async def _one(self, request: web.Request) -> web.Response:
        return web.json_response(_row(self._item(request)))

    async def _put(self, request: web.Request) -> web.Response:
        item = self._item(request)
        if self.drops:
            item.reserved = 0
            for sale in self.sales.values():
                for line in sale.lines:
                    line.holds = 0 if line.item is item else line.holds
        self.set_units(item, (await request.json())["quantity"])
        self.most[item.sku] = max(self.most.get(item.sku, 0), item.free)
        return web.json_response(_row(item))


def _row(item: Item) -> dict[str, Any]:
    return {"id": item.id, "sku": item.sku, "title": item.title, "total": item.units, "reserved": item.reserved}


def _document(sale: Sale) -> dict[str, Any]:
    return {
        "id": sale.id, "stage": sale.stage, "created": sale.created.isoformat(), "changed": sale.changed.isoformat(),
        "lines": [
            {
                "id": line.id, "item": line.item.id, "sku": line.item.sku, "quantity": line.quantity,
                "cancelled": line.cancelled, "cents": line.cents,
            }
            for line in sale.lines
        ],
    }  # fmt: skip


# ── the adapter ────────────────────────────────────────────────────────────────────────────────────────────────


class PhysicalCredentials(Credentials):
    """Where the store is, and a key."""

    address: str
    key: SecretStr

    def base_url(self) -> str:
        return self.address

    def headers(self) -> Mapping[str, str]:
        return {"x-key": self.key.get_secret_value()}


_FULFILMENT = {"dispatched": Fulfilment.DISPATCHED, "delivered": Fulfilment.DELIVERED, "returned": Fulfilment.RETURNED}


def _order(raw: Raw) -> Order:
    gone = raw["stage"] in _FULFILMENT
    changed = datetime.fromisoformat(raw["changed"])
    return Order.model_validate(
        {
            "ref": str(raw["id"]), "payment": Payment.PENDING if raw["stage"] == "placed" else Payment.PAID,
            "fulfilment": _FULFILMENT.get(raw["stage"], Fulfilment.NONE), "cancelled": raw["stage"] == "cancelled",
            "cancelled_at": changed if raw["stage"] == "cancelled" else None, "fulfilled_by": "seller",
            "placed_at": datetime.fromisoformat(raw["created"]), "changed_at": changed, "clocks": {"order": changed},
            "lines": tuple(
                OrderLine(
                    ref=str(row["id"]), listing_ref=str(row["item"]), sku=row["sku"], title=row["sku"],
                    quantity=row["quantity"], cancelled_quantity=row["cancelled"], total_cents=row["cents"],
                    dispatched_quantity=row["quantity"] - row["cancelled"] if gone else 0,
                )
                for row in raw["lines"]
            ),
        },
        strict=False,
    )  # fmt: skip


def _listing(raw: Raw) -> Listing:
    ref = str(raw["id"])
    return Listing(
        ref=ref, slot_ref=ref, sku=raw["sku"], title=raw["title"], status=ListingStatus.ACTIVE,
        quantity=max(0, raw["total"] - raw["reserved"]), stock_quantity=raw["total"],
    )  # fmt: skip


async def _get(api: Api, path: str, **params: str) -> Raw:
    return json_of(await api.call(Request(method="GET", path=path, params=tuple(params.items()))))


async def _since(api: Api, cursor: str | None) -> Page:
    after = {} if cursor is None else {"since": (datetime.fromisoformat(cursor) - OVERLAP).isoformat()}
    found = await _get(api, "/orders", **after)
    return Page(documents=tuple(found), cursor=max((row["changed"] for row in found), default=cursor))


async def _look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    found: list[Listing | None] = []
    for write in writes:
        try:
            found.append(_listing(await _get(api, f"/stock/{write.slot_ref}")))
        except ChannelError as problem:
            if problem.fault is not Fault.MISSING:
                raise
            found.append(None)
    return found


async def _check(api: Api) -> Identity:
    told = await _get(api, "/me")
    return Identity(external_id=told["id"], name=told["name"])


def _render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    return [
        (Request(method="PUT", path=f"/stock/{w.slot_ref}", json={"quantity": w.quantity}, operation="stock"), (w,))
        for w in writes
    ]


def _read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    told = json_of(reply)["total"]
    return [
        Outcome(listing_ref=w.listing_ref, slot_ref=w.slot_ref, outcome=OutcomeKind.ACCEPTED, seen=told) for w in writes
    ]


async def _pages(api: Api, _cursor: str | None) -> Page:
    return Page(documents=tuple(await _get(api, "/stock")))


async def _fetch(api: Api, ref: str) -> Raw:
    return await _get(api, f"/stock/{ref}")


async def _fetch_order(api: Api, ref: str) -> Raw:
    return await _get(api, f"/orders/{ref}")


ADAPTER = Adapter(
    label="Físico", kind=Kind.STOREFRONT, docs="https://example.org", credentials=PhysicalCredentials, limits=(),
    faults={404: Fault.MISSING}, check=_check, orders=OrderSource(fetch=_fetch_order, since=_since, parse=_order),
    listings=ListingSource(pages=_pages, fetch=_fetch, parse=lambda raw: [_listing(raw)]),
    stock=StockSink(render=_render, read=_read, look=_look, numbers=PHYSICAL),
)  # fmt: skip


@contextmanager
def known() -> Iterator[None]:
    """The hub knows the channel meanwhile."""
    get = adapters.get

    def found(name: str) -> Adapter:
        return ADAPTER if name == NAME else get(name)

    with patch.object(adapters, "get", found), patch.object(world, "STOCK_WRITES", world.STOCK_WRITES | {WRITE}):
        yield

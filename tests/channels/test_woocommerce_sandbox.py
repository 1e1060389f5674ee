"""The client functions against the sandbox, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.woocommerce import ADAPTER, client, mapping, sandbox, stock, webhook
from adapters.woocommerce.sandbox import Woo
from hub.addresses import store_ref
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import (
    Fulfilment,
    Knock,
    LineQuantity,
    News,
    Notice,
    OutcomeKind,
    Payment,
    Reply,
    Request,
    ShipmentNews,
    StockWrite,
    Topic,
)
from hub.sandbox import Product
from tests.channels.conftest import Connect, PlainApi

API = mapping.API
SECRET = "webhook-secret"
T0 = datetime(2026, 3, 4, 12, tzinfo=UTC)


def products(count: int, quantity: int = 5) -> list[Product]:
    return [
        Product(sku=f"SKU-{n}", title=f"Produto {n}", quantity=quantity, price_cents=1990 + n) for n in range(count)
    ]


SHIRTS = [
    Product(sku=f"CAM-{size}", title=size, quantity=4, price_cents=5900, parent="Camiseta", gtin="7891000315507")
    for size in ("P", "M", "G")
]


@dataclass(slots=True)
class Clock:
    """A store's clock that a test turns."""

    at: datetime = T0

    def __call__(self) -> datetime:
        return self.at

    def tick(self, seconds: int = 1) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(slots=True)
class Ear:
    """Somebody who listens at a callback URL."""

    url: str = ""
    status: int = 200
    heard: list[Knock] = field(default_factory=list)

    def notices(self) -> list[Notice]:
        found = []
        for knock in self.heard:
            if not webhook.is_ping(knock):
                webhook.verify(SECRET, knock)
                found += webhook.read(knock)
        return found


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    listening = Ear()

    async def hear(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        listening.heard.append(Knock(headers=headers, body=await request.read(), url=str(request.url)))
        return web.Response(status=listening.status)

    app = web.Application()
    app.router.add_post("/{tail:.*}", hear)
    server = TestServer(app)
    await server.start_server()
    listening.url = str(server.make_url("/hooks/woocommerce/t"))
    yield listening
    await server.close()


async def quiet(shop: Woo) -> None:
    """Until no delivery is under way."""
    async with asyncio.timeout(10):
        while shop.courier.under_way:
            await asyncio.gather(*shop.courier.under_way)


async def get(api: PlainApi, path: str, **params: str) -> Any:
    reply = await api.call(Request(method="GET", path=API + path, params=tuple(params.items())))
    return json.loads(reply.body)


async def put(api: PlainApi, path: str, body: Any) -> Any:
    return json.loads((await api.call(Request(method="PUT", path=API + path, json=body))).body)


async def refusal(made: Awaitable[Any]) -> tuple[Fault, str, int | None]:
    with pytest.raises(ChannelError) as refused:
        await made
    return refused.value.fault, refused.value.code, refused.value.status


# ── Who we are ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_check_learns_the_store(connect: Connect):
    api = await connect(ADAPTER, sandbox.create(products(1)))
    identity = await ADAPTER.check(api)
    assert identity.external_id == api.credentials.store_url.removeprefix("http://")
    assert identity.name == "Loja de Exemplo"
    assert identity.facts["timezone_string"] == "America/Sao_Paulo"
    assert sandbox.create(products(1)).shelf() == {"SKU-0": 5}  # and nothing was changed


@pytest.mark.parametrize(
    "wrong",
    [
        {"consumer_secret": "cs_wrong"},
        {"consumer_key": "ck_wrong"},
        {"consumer_key": sandbox.READ_KEY, "consumer_secret": sandbox.READ_SECRET},  # may read, may not write
    ],
)
async def test_check_refuses_a_key_that_cannot_write(connect: Connect, wrong: dict[str, str]):
    api = await connect(ADAPTER, sandbox.create(products(1)), **wrong)
    assert await refusal(ADAPTER.check(api)) == (Fault.AUTH, "woocommerce_rest_authentication_error", 401)


async def test_check_refuses_plain_http_before_the_key_travels(connect: Connect):
    api = await connect(ADAPTER, sandbox.create(products(1)), store_url="http://loja.example")
    fault, code, _status = await refusal(ADAPTER.check(api))
    assert (fault, code, api.calls) == (Fault.REJECTED, "plain_http", [])


async def test_no_key_at_all_is_the_stores_own_401(connect: Connect):
    api = await connect(ADAPTER, sandbox.create(products(1)))
    bare = Request(method="GET", path=f"{API}/orders", authenticate=False)
    assert await refusal(api.call(bare)) == (Fault.AUTH, "woocommerce_rest_cannot_view", 401)


async def test_limits_of_a_page(connect: Connect):
    shop = sandbox.create(products(3))
    api = await connect(ADAPTER, shop)
    assert await refusal(get(api, "/products", per_page="101")) == (Fault.REJECTED, "rest_invalid_param", 400)
    assert await get(api, "/products", per_page="100", page="2") == []
    assert await refusal(get(api, "/nothing")) == (Fault.MISSING, "rest_no_route", 404)


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def buy(shop: Woo, sku: str = "SKU-0", quantity: int = 1, *, pay: bool = True) -> str:
    done = await shop.act("buy", {"lines": [{"sku": sku, "quantity": quantity}], "pay": pay})
    ref: str = done["order_ref"]
    return ref


async def test_a_sale_takes_stock_and_a_cancel_gives_it_back(connect: Connect):
    shop = sandbox.create(products(2))
    api = await connect(ADAPTER, shop)
    ref = await buy(shop, quantity=2)
    assert shop.shelf() == {"SKU-0": 3, "SKU-1": 5}
    told = mapping.order(await client.fetch_order(api, ref))
    assert (told.ref, told.payment, told.fulfilment) == (ref, Payment.PAID, Fulfilment.NONE)
    assert (told.items_cents, told.shipping_cents, told.total_cents) == (2 * 1990, 1590, 2 * 1990 + 1590)
    assert told.buyer
    assert told.buyer.document
    assert told.buyer.document.valid
    assert told.ship_to
    assert told.ship_to.city == "Campinas"
    await shop.act("cancel", {"order_ref": ref})
    assert shop.shelf() == {"SKU-0": 5, "SKU-1": 5}
    told = mapping.order(await client.fetch_order(api, ref))
    assert (told.payment, told.cancelled, told.lines[0].cancelled_quantity) == (Payment.PAID, True, 2)


async def test_the_last_unit_is_sold_once(connect: Connect):
    shop = sandbox.create(products(1, quantity=1))
    await connect(ADAPTER, shop)
    await buy(shop)
    with pytest.raises(LookupError, match="sold_out"):
        await buy(shop)
    with pytest.raises(LookupError, match="unknown_sku"):
        await buy(shop, "SKU-9")


@pytest.mark.parametrize("unpaid", ["on-hold", "pending"])
async def test_an_unpaid_order_keeps_its_units_and_pays_later(connect: Connect, unpaid: str):
    shop = sandbox.create(products(1), unpaid_status=unpaid)
    api = await connect(ADAPTER, shop)
    ref = await buy(shop, pay=False)
    assert shop.orders() == {ref: unpaid}
    assert shop.shelf() == {"SKU-0": 4}
    assert mapping.order(await client.fetch_order(api, ref)).payment is Payment.PENDING
    await shop.act("pay", {"order_ref": ref})
    assert shop.shelf() == {"SKU-0": 4}
    assert mapping.order(await client.fetch_order(api, ref)).payment is Payment.PAID
    await shop.act("cancel", {"order_ref": ref})
    assert shop.shelf() == {"SKU-0": 5}


async def test_an_unpaid_order_cancelled_is_voided_and_gives_back(connect: Connect):
    shop = sandbox.create(products(1), unpaid_status="pending")
    api = await connect(ADAPTER, shop)
    ref = await buy(shop, pay=False)
    await shop.act("cancel", {"order_ref": ref})
    assert shop.shelf() == {"SKU-0": 5}
    assert mapping.order(await client.fetch_order(api, ref)).payment is Payment.VOIDED


async def test_a_return_refunds_and_leaves_the_goods_out(connect: Connect):
    shop = sandbox.create(products(1))
    api = await connect(ADAPTER, shop)
    ref = await buy(shop)
    await shop.act("complete", {"order_ref": ref})
    await shop.act("return", {"order_ref": ref})
    told = mapping.order(await client.fetch_order(api, ref))
    assert (told.payment, told.fulfilment) == (Payment.REFUNDED, Fulfilment.DISPATCHED)
    assert told.refunded_cents == told.total_cents
    assert shop.shelf() == {"SKU-0": 4}


async def test_a_partial_refund_keeps_the_status(connect: Connect):
    shop = sandbox.create(products(1))
    api = await connect(ADAPTER, shop)
    ref = await buy(shop, quantity=2)
    line = (await get(api, f"/orders/{ref}"))["line_items"][0]["id"]
    body = {
        "amount": "19.90",
        "line_items": [{"id": line, "quantity": 1}],
        "api_restock": True,
        "api_refund": False,
    }
    await api.call(Request(method="POST", path=f"{API}/orders/{ref}/refunds", json=body))
    told = mapping.order(await client.fetch_order(api, ref))
    assert (told.payment, told.refunded_cents) == (Payment.PARTIALLY_REFUNDED, 1990)
    assert shop.shelf() == {"SKU-0": 4}
    await shop.act("cancel", {"order_ref": ref})
    assert shop.shelf() == {"SKU-0": 5}  # the unit that came back is not given back twice


async def test_an_order_that_is_gone_is_missing(connect: Connect):
    shop = sandbox.create(products(1))
    api = await connect(ADAPTER, shop)
    ref = await buy(shop)
    await shop.act("trash", {"order_ref": ref})
    assert mapping.order(await client.fetch_order(api, ref)).cancelled
    await shop.act("delete", {"order_ref": ref})
    missing = (Fault.MISSING, "woocommerce_rest_shop_order_invalid_id", 404)
    assert await refusal(client.fetch_order(api, ref)) == missing
    assert (await refusal(client.fetch_order(api, "../products/11")))[0] is Fault.MISSING


async def test_the_orders_placed_last_in_one_request(connect: Connect):
    shop = sandbox.create(products(1, quantity=100))
    api = await connect(ADAPTER, shop)
    refs = [await buy(shop) for _ in range(client.LATEST + 5)]
    await shop.act("complete", {"order_ref": refs[0]})
    page = await client.latest_orders(api)
    assert [str(raw["id"]) for raw in page.documents] == refs[: -client.LATEST - 1 : -1]
    assert (len(api.calls), page.more) == (1, False)


# ── Polling ─────────────────────────────────────────────────────────────────────────────────────────────────


async def poll(
    api: PlainApi, cursor: str | None, between: Callable[[], None] = lambda: None, most: int = 60
) -> tuple[list[str], str]:
    """Refs told until there is no more, with something happening between the pages, and the cursor."""
    refs: list[str] = []
    for _ in range(most):
        page = await client.orders_since(api, cursor)
        refs += [str(raw["id"]) for raw in page.documents]
        assert page.cursor is not None
        cursor = page.cursor
        if not page.more:
            return refs, cursor
        between()
    raise AssertionError("the poll does not end")


@pytest.fixture
async def clock() -> Clock:
    return Clock(datetime.now(UTC).replace(microsecond=0) - timedelta(days=1))


async def test_polling_reads_everything_once_and_then_only_what_changed(connect: Connect, clock: Clock):
    shop = sandbox.create(products(1, quantity=10_000), now=clock)
    api = await connect(ADAPTER, shop)
    refs = []
    for _ in range(250):
        refs.append(await buy(shop))
        clock.tick()
    seen, cursor = await poll(api, None)
    assert set(seen) == set(refs)
    assert len(seen) <= len(refs) + 4  # a row or two again at each page, never a page
    clock.tick(60)
    await shop.act("complete", {"order_ref": refs[7]})
    seen, cursor = await poll(api, cursor)
    assert refs[7] in seen
    assert len(seen) <= 11  # those of the overlap
    clock.tick(60)
    seen, _cursor = await poll(api, cursor)
    assert seen == [refs[7]]


async def test_an_order_committed_late_is_not_lost(connect: Connect, clock: Clock):
    shop = sandbox.create(products(1), now=clock)
    api = await connect(ADAPTER, shop)
    await buy(shop)
    _seen, cursor = await poll(api, None)
    clock.tick(-2)
    late = await buy(shop)
    clock.tick(2)
    seen, _cursor = await poll(api, cursor)
    assert late in seen


async def test_what_changes_while_we_page_drifts_nothing_out(connect: Connect, clock: Clock):
    shop = sandbox.create(products(1, quantity=10_000), now=clock)
    api = await connect(ADAPTER, shop)
    refs = []
    for _ in range(303):
        clock.tick()
        refs.append(await buy(shop))
    moved = iter(refs)

    def drift() -> None:
        """The oldest orders change, and all behind them move up."""
        clock.tick()
        for _ in range(30):
            shop._move(shop.placed[int(next(moved))], "completed")

    seen, _cursor = await poll(api, None, drift)
    assert set(seen) == set(refs)


async def test_a_second_with_more_than_a_page(connect: Connect, clock: Clock):
    shop = sandbox.create(products(1, quantity=10_000), now=clock)
    api = await connect(ADAPTER, shop)
    early = await buy(shop)
    clock.tick(5)
    same = [await buy(shop) for _ in range(350)]
    clock.tick(5)
    late = await buy(shop)
    leaving = iter(same[::3])

    def drift() -> None:
        """Some orders leave the crowded second while it is paged."""
        clock.tick()
        for _ in range(10):
            shop._changed(shop.placed[int(next(leaving))])

    seen, _cursor = await poll(api, None, drift)
    assert set(seen) == {early, *same, late}


async def test_a_crowded_second_that_nobody_touches(connect: Connect, clock: Clock):
    shop = sandbox.create(products(1, quantity=10_000), now=clock)
    api = await connect(ADAPTER, shop)
    same = [await buy(shop) for _ in range(230)]
    seen, _cursor = await poll(api, None)
    assert set(seen) == set(same)


async def test_a_crowded_second_without_a_count_of_pages_is_refused(
    connect: Connect, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    shop = sandbox.create(products(1, quantity=10_000), now=clock)
    api = await connect(ADAPTER, shop)
    for _ in range(230):
        await buy(shop)
    whole = api.call

    async def stripped(request: Request) -> Reply:  # some proxies drop headers that they do not know
        return replace(await whole(request), headers={})

    monkeypatch.setattr(api, "call", stripped)
    with pytest.raises(Unreadable, match="X-WP-TotalPages"):
        await poll(api, None)


async def test_orders_without_any_clock_are_refused(connect: Connect, clock: Clock, monkeypatch: pytest.MonkeyPatch):
    shop = sandbox.create(products(1, quantity=10_000), now=clock)
    api = await connect(ADAPTER, shop)
    for _ in range(100):
        await buy(shop)
    monkeypatch.setattr(shop, "_order_row", lambda order: {"id": order.id, "status": order.status})
    with pytest.raises(Unreadable, match=r"orders\.date_modified_gmt"):
        await client.orders_since(api, None)


async def test_polling_sees_the_trash(connect: Connect, clock: Clock):
    shop = sandbox.create(products(1, quantity=500), now=clock)
    api = await connect(ADAPTER, shop)
    refs = []
    for _ in range(130):
        refs.append(await buy(shop))
        clock.tick()
    _seen, cursor = await poll(api, None)
    clock.tick(60)
    await shop.act("trash", {"order_ref": refs[3]})
    page = await client.orders_since(api, cursor)
    assert {str(raw["id"]): raw["status"] for raw in page.documents}[refs[3]] == "trash"
    for ref in refs[4:]:
        clock.tick()
        await shop.act("trash", {"order_ref": ref})
    seen, cursor = await poll(api, page.cursor)
    assert set(refs[4:]) <= set(seen)
    clock.tick(60)
    seen, _cursor = await poll(api, cursor)
    assert len(seen) <= 11


async def test_a_store_with_nothing_to_tell(connect: Connect):
    api = await connect(ADAPTER, sandbox.create(products(1)))
    page = await client.orders_since(api, None)
    assert (page.documents, page.more) == ((), False)
    assert await client.orders_since(api, page.cursor) == page


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


async def catalogue(api: PlainApi, between: Callable[[], None] = lambda: None) -> list[str]:
    slots: list[str] = []
    cursor = None
    for _ in range(60):
        page = await client.listing_pages(api, cursor)
        slots += [each.slot_ref for raw in page.documents for each in mapping.listings(raw)]
        if not page.more:
            return slots
        cursor = page.cursor
        between()
    raise AssertionError("the catalogue does not end")


async def test_listings_with_their_variations(connect: Connect):
    shop = sandbox.create([*products(2), *SHIRTS])
    api = await connect(ADAPTER, shop)
    page = await client.listing_pages(api, None)
    found = [each for raw in page.documents for each in mapping.listings(raw)]
    assert {each.sku: each.quantity for each in found} == shop.shelf()
    parent = str(shop.by_sku["CAM-P"].parent)
    assert [(each.ref, each.variation_ref is None) for each in found if each.gtin] == [(parent, False)] * 3
    assert [each.title for each in found if each.sku == "CAM-M"] == ["Camiseta - M"]
    assert [each.sku for each in mapping.listings(await client.fetch_listing(api, parent))] == [
        "CAM-P",
        "CAM-M",
        "CAM-G",
    ]


async def test_a_catalogue_of_many_pages(connect: Connect):
    shop = sandbox.create(products(450), variation_share=0.2)
    api = await connect(ADAPTER, shop)
    slots = await catalogue(api)
    assert len(slots) == len(set(slots)) == 450


async def test_a_product_deleted_while_we_page_hides_no_other(connect: Connect):
    shop = sandbox.create(products(450))
    api = await connect(ADAPTER, shop)
    stays = list(shop.items)
    told_already = iter(stays[:60])

    def clear() -> None:
        for number in islice(told_already, 15):
            del shop.items[number]

    slots = await catalogue(api, clear)
    assert set(map(str, stays)) == set(slots)
    assert len(slots) == len(set(slots))


async def test_more_deleted_than_a_page_while_we_page(connect: Connect):
    shop = sandbox.create(products(230))
    api = await connect(ADAPTER, shop)
    first = await client.listing_pages(api, None)
    second = await client.listing_pages(api, first.cursor)
    told = {raw["id"] for page in (first, second) for raw in page.documents}
    for number in sorted(told):
        del shop.items[number]
    third = await client.listing_pages(api, second.cursor)
    assert {raw["id"] for raw in third.documents} == set(shop.items)
    assert not third.more


async def test_a_product_with_more_variations_than_a_page(connect: Connect):
    many = [Product(sku=f"V-{n}", title=str(n), quantity=1, price_cents=100, parent="Anel") for n in range(205)]
    api = await connect(ADAPTER, sandbox.create(many))
    assert len(await catalogue(api)) == 205


async def test_a_product_that_is_gone_is_missing(connect: Connect):
    api = await connect(ADAPTER, sandbox.create(products(1)))
    missing = (Fault.MISSING, "woocommerce_rest_product_invalid_id", 404)
    assert await refusal(client.fetch_listing(api, "9999")) == missing


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


async def push(api: PlainApi, writes: list[StockWrite]) -> dict[str, tuple[OutcomeKind, int | None, str | None]]:
    found = {}
    for request, covered in stock.render(writes):
        for outcome in stock.read(covered, await api.call(request)):
            found[outcome.slot_ref] = (outcome.outcome, outcome.seen, outcome.code)
    return found


async def writes_for(api: PlainApi, quantity: int) -> list[StockWrite]:
    page = await client.listing_pages(api, None)
    return [
        StockWrite(slot_ref=each.slot_ref, listing_ref=each.ref, variation_ref=each.variation_ref, quantity=quantity)
        for raw in page.documents
        for each in mapping.listings(raw)
    ]


async def test_numbers_go_to_products_and_variations(connect: Connect):
    shop = sandbox.create([*products(2), *SHIRTS])
    api = await connect(ADAPTER, shop)
    writes = await writes_for(api, 9)
    found = await push(api, writes)
    assert set(found.values()) == {(OutcomeKind.ACCEPTED, 9, None)}
    assert len(found) == 5
    assert set(shop.shelf().values()) == {9}
    seen = await client.look(api, writes)
    assert [(each.slot_ref, each.stock_quantity) for each in seen if each] == [(w.slot_ref, 9) for w in writes]


async def test_variations_of_one_pile_are_written_once(connect: Connect):
    shop = sandbox.create(SHIRTS, shared_stock=True)
    api = await connect(ADAPTER, shop)
    writes = await writes_for(api, 7)
    assert len({write.slot_ref for write in writes}) == 1
    await push(api, writes[:1])
    assert shop.shelf() == {"CAM-P": 7, "CAM-M": 7, "CAM-G": 7}
    seen = await client.look(api, writes)
    assert [(each.variation_ref, each.slot_ref, each.stock_quantity) for each in seen if each] == [
        (w.variation_ref, w.slot_ref, 7) for w in writes
    ]
    await buy(shop, "CAM-P", 3)
    assert shop.shelf() == {"CAM-P": 4, "CAM-M": 4, "CAM-G": 4}
    with pytest.raises(LookupError, match="sold_out"):
        await buy(shop, "CAM-M", 5)


async def test_one_wrong_id_spoils_no_other_row(connect: Connect):
    shop = sandbox.create([*products(1), *SHIRTS])
    api = await connect(ADAPTER, shop)
    own, child = shop.by_sku["SKU-0"].id, shop.by_sku["CAM-P"]
    slots = [
        str(own),
        "99999",
        str(child.id),
        f"{child.parent}:{child.id}",
        f"{child.parent}:99998",
        "99997:1",
    ]
    writes = [
        StockWrite(
            slot_ref=slot,
            listing_ref=slot.split(":")[0],
            variation_ref=slot.partition(":")[2] or None,
            quantity=2,
        )
        for slot in slots
    ]
    assert await push(api, writes) == {
        slots[0]: (OutcomeKind.ACCEPTED, 2, None),
        slots[1]: (OutcomeKind.FAULT, None, "woocommerce_rest_product_invalid_id"),
        slots[2]: (OutcomeKind.FAULT, None, "woocommerce_rest_invalid_product_id"),
        slots[3]: (OutcomeKind.ACCEPTED, 2, None),
        slots[4]: (OutcomeKind.FAULT, None, "woocommerce_rest_product_variation_invalid_id"),
        slots[5]: (OutcomeKind.FAULT, None, "woocommerce_rest_product_invalid_id"),
    }
    seen = await client.look(api, writes)
    assert [each.stock_quantity if each else None for each in seen] == [2, None, None, 2, None, None]


async def test_a_store_that_is_down_is_not_a_store_without_products(connect: Connect):
    shop = sandbox.create(products(1))
    api = await connect(ADAPTER, shop)
    writes = await writes_for(api, 1)
    shop.knobs.turn({"down": True})
    assert (await refusal(client.look(api, writes)))[0] is Fault.TRANSIENT


async def test_a_batch_over_a_hundred_is_refused_row_by_row(connect: Connect):
    shop = sandbox.create(products(101))
    api = await connect(ADAPTER, shop)
    rows = [{"id": number, "stock_quantity": 1} for number in shop.items]
    request = Request(method="POST", path=f"{API}/products/batch", json={"update": rows}, accept=frozenset({413}))
    found = stock.read(stock.sent(request), await api.call(request))
    assert {each.code for each in found} == {"woocommerce_rest_request_entity_too_large"}


async def test_the_store_goes_on_selling_after_a_write(connect: Connect):
    shop = sandbox.create(products(1))
    api = await connect(ADAPTER, shop)
    await push(api, [StockWrite(slot_ref=str(shop.by_sku["SKU-0"].id), listing_ref="1", quantity=2)])
    await buy(shop)
    assert shop.shelf() == {"SKU-0": 1}


# ── Shipments ───────────────────────────────────────────────────────────────────────────────────────────────


async def tell(api: PlainApi, news: ShipmentNews) -> str:
    """What the hub does: the first target that exists there."""
    assert ADAPTER.shipments
    for target in ADAPTER.shipments.targets:
        try:
            for request in ADAPTER.shipments.render(news, target):
                await api.call(request)
        except ChannelError as refused:
            if refused.fault is not Fault.MISSING:
                raise
            continue
        return target
    raise AssertionError("no target")


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ({"fulfillments": True, "correios": True}, "fulfillments"),
        ({"shipment_tracking": True, "correios": True}, "shipment_tracking"),
        ({"correios": True}, "correios_plugin"),
        ({}, "note"),
    ],
)
async def test_a_shipment_is_told_where_the_store_keeps_it(connect: Connect, options: dict[str, Any], target: str):
    shop = sandbox.create(products(1), **options)
    api = await connect(ADAPTER, shop)
    ref = await buy(shop)
    told = mapping.order(await client.fetch_order(api, ref))
    news = ShipmentNews(
        news=News.DISPATCHED,
        order_ref=ref,
        carrier="Correios",
        tracking_code="AA123456785BR",
        at=T0,
        lines=tuple(LineQuantity(line_ref=line.ref, quantity=line.quantity) for line in told.lines),
    )
    assert await tell(api, news) == target
    order = shop.placed[int(ref)]
    kept = {
        "fulfillments": [row["meta_data"][1]["value"] for row in order.fulfillments],
        "shipment_tracking": [row["tracking_number"] for row in order.trackings],
        "correios_plugin": order.tracking,
        "note": [row["note"].split()[-1].rstrip(".") for row in order.notes if row["customer_note"]],
    }
    assert {where: codes for where, codes in kept.items() if codes} == {target: ["AA123456785BR"]}
    told = mapping.order(await client.fetch_order(api, ref))
    assert told.fulfilment is Fulfilment.DISPATCHED
    assert order.status == "completed"


async def test_a_fulfillment_alone_already_reads_as_dispatched(connect: Connect):
    shop = sandbox.create(products(1), fulfillments=True)
    api = await connect(ADAPTER, shop)
    ref = await buy(shop)
    line = shop.placed[int(ref)].lines[0]
    news = ShipmentNews(
        news=News.DISPATCHED, order_ref=ref, at=T0, lines=(LineQuantity(line_ref=str(line.id), quantity=1),)
    )
    await api.call(stock.shipped(news, "fulfillments")[0])
    assert mapping.order(await client.fetch_order(api, ref)).fulfilment is Fulfilment.DISPATCHED
    assert shop.placed[int(ref)].status == "processing"


async def test_an_order_that_is_gone_is_no_target_at_all(connect: Connect):
    api = await connect(ADAPTER, sandbox.create(products(1)))
    news = ShipmentNews(news=News.DISPATCHED, order_ref="9999", at=T0)
    for target in stock.TARGETS:
        for request in stock.shipped(news, target) if target != "fulfillments" else []:
            assert (await refusal(api.call(request)))[0] is Fault.MISSING


# ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_subscribe_registers_every_topic_once(connect: Connect, ear: Ear):
    shop = sandbox.create(products(1))
    api = await connect(ADAPTER, shop)
    done = await client.subscribe(api, ear.url, SECRET)
    assert done == [f"created {topic}" for topic in webhook.TOPICS]
    await quiet(shop)
    assert [webhook.is_ping(knock) for knock in ear.heard] == [True] * len(webhook.TOPICS)
    assert await client.subscribe(api, ear.url, SECRET) == []


async def test_subscribe_repairs_what_is_wrong(connect: Connect, ear: Ear):
    shop = sandbox.create(products(1))
    api = await connect(ADAPTER, shop)
    await client.subscribe(api, ear.url, SECRET)
    hooks = {hook.topic: hook for hook in shop.hooks.values()}
    hooks["order.updated"].status = "disabled"
    hooks["order.created"].delivery_url = "https://old.example/hooks"
    del shop.hooks[hooks["product.deleted"].id]
    theirs = await shop.act("callback", {"url": "https://erp.example/hooks"})  # of another program: not ours
    twin = {"name": hooks["order.deleted"].name, "topic": "order.deleted", "delivery_url": ear.url}
    await api.call(Request(method="POST", path=f"{API}/webhooks", json=twin))
    assert sorted(await client.subscribe(api, ear.url, SECRET)) == [
        "created product.deleted",
        "removed a second order.deleted",
        "repaired order.created (delivery_url)",
        "repaired order.updated (status)",
    ]
    assert await client.subscribe(api, ear.url, SECRET) == []
    assert {hook.status for hook in shop.hooks.values()} == {"active"}
    foreign = [hook for hook in shop.hooks.values() if hook.delivery_url == "https://erp.example/hooks"]
    assert len(foreign) == len(theirs["topics"])


async def test_subscribe_finds_its_hooks_behind_a_hundred_others(connect: Connect, ear: Ear):
    shop = sandbox.create(products(1))
    api = await connect(ADAPTER, shop)
    for n in range(15):
        await shop.act("callback", {"url": f"https://erp.example/{n}"})
    assert len(await client.subscribe(api, ear.url, SECRET)) == len(webhook.TOPICS)
    assert await client.subscribe(api, ear.url, SECRET) == []


async def test_a_sale_knocks_twice_with_true_signatures(connect: Connect, ear: Ear):
    shop = sandbox.create(products(1))
    api = await connect(ADAPTER, shop)
    await client.subscribe(api, ear.url, SECRET)
    ref = await buy(shop)
    await quiet(shop)
    notices = ear.notices()
    assert sorted(notice.dedupe_key.partition(":")[0] for notice in notices) == [
        "order.created",
        "order.updated",
        "product.updated",
    ]
    of_order = [notice for notice in notices if notice.topic is Topic.ORDER]
    assert {notice.ref for notice in of_order} == {ref}
    assert {notice.account_ref for notice in notices} == {store_ref(api.credentials.store_url)}
    first, second = (mapping.order(notice.raw) for notice in of_order)
    assert first == second
    assert first == mapping.order(await client.fetch_order(api, ref))
    assert [notice.raw["stock_quantity"] for notice in notices if notice.topic is Topic.LISTING] == [4]


async def test_delivery_ids_repeat_and_dedupe_keys_do_not(connect: Connect, ear: Ear):
    shop = sandbox.create(products(1, quantity=100))
    api = await connect(ADAPTER, shop)
    await client.subscribe(api, ear.url, SECRET)
    refs = {await buy(shop) for _ in range(40)}
    await quiet(shop)
    created = [knock for knock in ear.heard if knock.headers.get("x-wc-webhook-topic") == "order.created"]
    assert len({knock.headers["x-wc-webhook-delivery-id"] for knock in created}) <= 10
    assert len({webhook.read(knock)[0].dedupe_key for knock in created}) == len(refs) == 40


async def test_a_sleepy_scheduler_tells_the_state_of_the_delivery(connect: Connect, ear: Ear):
    shop = sandbox.create(products(1), hook_delay=0.2)
    api = await connect(ADAPTER, shop)
    await client.subscribe(api, ear.url, SECRET)
    ref = await buy(shop)
    await shop.act("complete", {"order_ref": ref})
    await quiet(shop)
    told = {notice.dedupe_key.partition(":")[0]: notice.raw["status"] for notice in ear.notices() if notice.raw}
    assert told["order.created"] == "completed"
    assert len([n for n in ear.notices() if n.dedupe_key.startswith("order.updated")]) == 1


async def test_trash_delete_and_restore(connect: Connect, ear: Ear):
    shop = sandbox.create(products(1))
    api = await connect(ADAPTER, shop)
    await client.subscribe(api, ear.url, SECRET)
    ref = await buy(shop)
    await quiet(shop)
    ear.heard.clear()
    for verb in ("trash", "restore", "delete"):
        await shop.act(verb, {"order_ref": ref})
        await quiet(shop)
    assert [(n.topic, n.ref, n.raw and n.raw["status"]) for n in ear.notices()] == [
        (Topic.ORDER, ref, None),
        (Topic.ORDER, ref, "processing"),
        (Topic.ORDER, ref, None),
    ]


async def test_a_variation_names_its_product(connect: Connect, ear: Ear):
    shop = sandbox.create(SHIRTS)
    api = await connect(ADAPTER, shop)
    await client.subscribe(api, ear.url, SECRET)
    await buy(shop, "CAM-P")
    await quiet(shop)
    child = shop.by_sku["CAM-P"]
    assert [n.ref for n in ear.notices() if n.topic is Topic.LISTING] == [str(child.parent)]


async def test_five_failures_disable_a_hook_and_nothing_is_sent_again(connect: Connect, ear: Ear):
    shop = sandbox.create(products(1, quantity=100))
    api = await connect(ADAPTER, shop)
    await client.subscribe(api, ear.url, SECRET)
    await quiet(shop)
    ear.status, ear.heard = 500, []
    for _ in range(8):
        await buy(shop)
        await quiet(shop)
    created = [knock for knock in ear.heard if knock.headers["x-wc-webhook-topic"] == "order.created"]
    assert len(created) == 5  # each once, never again
    ear.status, ear.heard = 200, []
    repaired = await client.subscribe(api, ear.url, SECRET)
    assert "repaired order.created (status)" in repaired
    await quiet(shop)
    ref = await buy(shop)
    await quiet(shop)
    assert {n.ref for n in ear.notices() if n.topic is Topic.ORDER} == {ref}


async def test_a_success_forgets_the_failures(connect: Connect, ear: Ear):
    shop = sandbox.create(products(1, quantity=100))
    api = await connect(ADAPTER, shop)
    await client.subscribe(api, ear.url, SECRET)
    await quiet(shop)
    for status in (500, 500, 500, 500, 200, 500, 500, 500, 500):
        ear.status = status
        await buy(shop)
        await quiet(shop)
    assert {hook.status for hook in shop.hooks.values()} == {"active"}


# ── The kit ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_knobs_and_controls(connect: Connect):
    shop = sandbox.create(products(1))
    api = await connect(ADAPTER, shop)
    shop.knobs.turn({"throttle": 1.0})
    assert (await refusal(get(api, "/orders")))[0] is Fault.THROTTLED
    shop.knobs.turn({"throttle": 0.0, "down": True})
    assert (await refusal(get(api, "/orders")))[0] is Fault.TRANSIENT
    shop.knobs.turn({"down": False})
    control = Request(method="GET", path="/_sandbox/shelf", authenticate=False)
    assert json.loads((await api.call(control)).body) == {"SKU-0": 5}
    sold = Request(method="POST", path="/_sandbox/act/buy", json={"lines": [{"sku": "SKU-0", "quantity": 9}]})
    assert (await refusal(api.call(sold)))[2] == 409


async def test_forty_thousand_products_and_fifty_requests_a_second(connect: Connect):
    shop = sandbox.create(products(40_000))
    api = await connect(ADAPTER, shop)
    started = asyncio.get_running_loop().time()
    for n in range(50):
        await get(api, "/products", per_page="100", offset=str(n * 700), orderby="id", order="asc")
    assert asyncio.get_running_loop().time() - started < 4


async def test_one_seed_makes_one_store(connect: Connect):
    made = [sandbox.create(products(30), seed=7, variation_share=0.5) for _ in range(2)]
    assert [list(shop.items) for shop in made] == [list(made[0].items)] * 2
    assert [item.parent for item in made[0].items.values()] == [item.parent for item in made[1].items.values()]
    assert any(item.parent for item in made[0].items.values())

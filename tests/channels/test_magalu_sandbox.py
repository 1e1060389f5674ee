"""Magalu's client over its sandbox: pages by time of purchase, numbers that stand later, deliveries one by one."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from adapters.magalu import ADAPTER, client, mapping, sandbox, stock
from hub.faults import ChannelError, Fault
from hub.model import Fulfilment, Hold, News, Order, OutcomeKind, Request, ShipmentNews, StockWrite
from hub.sandbox import Product
from tests.channels.conftest import Connect, PlainApi

CUP = Product(sku="CUP/1", title="Caneca", quantity=5, price_cents=3990)
HAT = Product(sku="HAT", title="Boné", quantity=5, price_cents=5990)
FULL = Product(sku="FULL", title="Prato", quantity=9, price_cents=1000, managed_by="marketplace")


async def order_of(api: PlainApi, ref: str) -> Order:
    return mapping.order(await client.fetch_order(api, ref))


async def test_a_refresh_token_is_good_for_once_and_two_shapes_of_401_renew(connect: Connect):
    place = sandbox.create([CUP])
    api = await connect(ADAPTER, place)
    identity = await ADAPTER.check(api)
    assert (identity.external_id, identity.name) == (sandbox.TENANT, sandbox.SELLER)
    assert identity.facts == {"channel": mapping.CHANNEL}
    place.tokens.clear()
    await client.latest_orders(api)
    assert place.renewals == 2
    api.token = None
    with pytest.raises(ChannelError) as problem:
        await client.latest_orders(api)
    assert (problem.value.fault, problem.value.code) == (Fault.AUTH, "invalid_grant")
    bare = Request(method="GET", path="/seller/v1/orders", authenticate=False)
    with pytest.raises(ChannelError) as problem:
        await api.call(bare)
    assert (problem.value.fault, problem.value.code) == (Fault.AUTH, "30001")


@pytest.mark.parametrize(("per_instant", "shows"), [(1, 100), (40, 100), (150, 100), (40, 30)])
async def test_every_changed_order_is_told_however_many_were_bought_at_once(
    connect: Connect, per_instant: int, shows: int
):
    """More orders than one page, some bought in one instant, the page as long as the channel likes."""
    begin = datetime(2026, 11, 20, tzinfo=UTC)
    clock = [begin]
    place = sandbox.create([Product(sku="CUP", title="x", quantity=999, price_cents=1)], now=lambda: clock[0])
    refs = set()
    for n in range(320):
        clock[0] = begin + timedelta(milliseconds=n // per_instant)
        refs.add(place.ref(place.buy([{"sku": "CUP"}], pay=False)))
    place.shows = shows
    api = await connect(ADAPTER, place)
    found: list[str] = []
    cursor: str | None = json.dumps({"since": begin.isoformat()})
    for _ in range(40):
        page = await client.orders_since(api, cursor)
        found += [row["id"] for row in page.documents]
        cursor = page.cursor
        if not page.more:
            break
    assert set(found) == refs
    assert all(int(dict(call.params).get("_offset", 0)) <= 200 for call in api.calls)


async def test_an_order_that_changes_behind_the_page_is_told_by_the_next_poll(connect: Connect):
    place = sandbox.create([Product(sku="CUP", title="x", quantity=999, price_cents=1)])
    sales = [place.buy([{"sku": "CUP"}], pay=False) for _ in range(120)]
    api = await connect(ADAPTER, place)
    with patch.object(client, "OVERLAP", timedelta(0)):
        page = await client.orders_since(api, None)
        more, cursor = page.more, page.cursor
        assert more
        await asyncio.sleep(0.01)
        place.cancel(sales[0])
        await asyncio.sleep(0.01)
        while more:
            page = await client.orders_since(api, cursor)
            more, cursor = page.more, page.cursor
    again = await client.orders_since(api, cursor)
    assert {row["id"]: row["status"] for row in again.documents}[place.ref(sales[0])] == "cancelled"


async def test_every_sku_is_listed_however_few_a_page_shows(connect: Connect):
    goods = [Product(sku=f"S-{n}", title="x", quantity=n, price_cents=1) for n in range(70)]
    place = sandbox.create(goods)
    place.shows = 30
    api = await connect(ADAPTER, place)
    found: dict[str | None, int | None] = {}
    cursor: str | None = None
    more = True
    while more:
        page = await client.listing_pages(api, cursor)
        found |= {one.sku: one.stock_quantity for row in page.documents for one in mapping.listings(row)}
        cursor, more = page.cursor, page.more
    assert found == {product.sku: product.quantity for product in goods}


async def test_an_offset_beyond_what_is_shown_is_refused(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([CUP]))
    for params in ((("_offset", "5001"),), (("_limit", "101"),)):
        with pytest.raises(ChannelError) as problem:
            await api.call(Request(method="GET", path="/seller/v1/orders", params=params))
        assert problem.value.status == 422


async def test_a_number_is_taken_now_and_stands_later(connect: Connect):
    api, sink = await connect(ADAPTER, sandbox.create([CUP], lag=0.2)), ADAPTER.stock
    assert sink
    assert sink.ask
    write = StockWrite(slot_ref="CUP/1", listing_ref="CUP/1", quantity=2)
    taken = stock.read(write, await api.call(stock.render(write)))
    assert taken.outcome is OutcomeKind.PENDING
    assert [one.outcome for one in await sink.ask(api, [write], "")] == [OutcomeKind.PENDING]
    await asyncio.sleep(0.4)
    assert [(one.outcome, one.seen) for one in await sink.ask(api, [write], "")] == [(OutcomeKind.ACCEPTED, 2)]
    gone = write.model_copy(update={"slot_ref": "NIX", "listing_ref": "NIX"})
    (missing,) = await sink.ask(api, [gone], "")
    assert (missing.outcome, missing.code) == (OutcomeKind.FAULT, "NOT_FOUND")


async def test_a_delivery_names_the_order_that_it_is_of(connect: Connect):
    place = sandbox.create([CUP, FULL])
    api = await connect(ADAPTER, place)
    ref = (await place.act("buy", {"lines": [{"sku": "CUP/1"}, {"sku": "FULL"}]}))["order_ref"]
    order = await order_of(api, ref)
    assert order.fulfilled_by == "mixed"
    for parcel in order.shipments:
        assert await client.orders_of_delivery(api, parcel.ref) == [ref]
    with pytest.raises(ChannelError) as problem:
        await client.orders_of_delivery(api, ref)
    assert problem.value.fault is Fault.MISSING


async def tell(api: PlainApi, ref: str, **changed: Any) -> None:
    sink = ADAPTER.shipments
    assert sink
    assert sink.prepare
    news = ShipmentNews(
        news=News.DISPATCHED, order_ref=ref, tracking_code="AA123456785BR", carrier="Correios", at=datetime.now(UTC)
    ).model_copy(update=changed)
    news = news.model_copy(update={"there": await sink.prepare(api, news)})
    for request in sink.render(news, "default"):
        await api.call(request)


async def test_deliveries_are_sent_finished_and_cancelled_one_by_one(connect: Connect):
    place = sandbox.create([CUP, HAT], split=True)
    api = await connect(ADAPTER, place)
    ref = (await place.act("buy", {"lines": [{"sku": "CUP/1", "quantity": 2}, {"sku": "HAT"}]}))["order_ref"]
    cup, hat = (await order_of(api, ref)).shipments
    await tell(api, ref, shipment_ref=cup.ref)
    order = await order_of(api, ref)
    assert (order.fulfilment, [line.dispatched_quantity for line in order.lines]) == (Fulfilment.PARTIAL, [2, 0])
    assert order.shipments[0].tracking_code == "AA123456785BR"
    await tell(api, ref)  # both: the one that was told already is left out
    assert (await order_of(api, ref)).fulfilment is Fulfilment.DISPATCHED
    await tell(api, ref, shipment_ref=hat.ref, news=News.DELIVERED)
    assert (await order_of(api, ref)).fulfilment is Fulfilment.DISPATCHED
    await tell(api, ref, news=News.DELIVERED)
    assert (await order_of(api, ref)).fulfilment is Fulfilment.DELIVERED
    other = (await place.act("buy", {"lines": [{"sku": "CUP/1", "quantity": 2}, {"sku": "HAT"}]}))["order_ref"]
    await place.act("cancel", {"order_ref": other, "lines": [{"sku": "HAT", "quantity": 1}]})
    half = await order_of(api, other)
    assert (half.cancelled, [line.cancelled_quantity for line in half.lines]) == (False, [0, 1])
    with pytest.raises(LookupError, match="whole"):
        await place.act("cancel", {"order_ref": other, "lines": [{"sku": "CUP/1", "quantity": 1}]})


async def test_a_parcel_waits_for_its_nfe_and_for_the_frost_to_go(connect: Connect):
    place = sandbox.create([CUP], invoiced=False)
    api = await connect(ADAPTER, place)
    ref = (await place.act("buy", {"lines": [{"sku": "CUP/1"}]}))["order_ref"]
    codes = []
    for act in ({}, {"verb": "invoice", "status": "validating"}, {"verb": "freeze"}):
        if act:
            await place.act(act["verb"], {"order_ref": ref, **act})
        with pytest.raises(ChannelError) as problem:
            await tell(api, ref)
        assert problem.value.fault is Fault.TRANSIENT
        codes.append(problem.value.code)
    assert codes == ["not_invoiced", "not_invoiced", "frozen"]
    assert (await order_of(api, ref)).hold is Hold.FROZEN
    await place.act("thaw", {"order_ref": ref})
    await place.act("invoice", {"order_ref": ref})
    await place.act("lock", {"order_ref": ref})
    with pytest.raises(ChannelError) as locked:
        await tell(api, ref)
    assert (locked.value.fault, locked.value.code) == (Fault.TRANSIENT, "LOCKED")
    await place.act("unlock", {"order_ref": ref})
    await tell(api, ref)
    assert (await order_of(api, ref)).fulfilment is Fulfilment.DISPATCHED


async def test_the_sandbox_itself_wants_the_nfe_first_and_throttles(connect: Connect):
    place = sandbox.create([CUP], invoiced=False, rate=3)
    api = await connect(ADAPTER, place)
    ref = (await place.act("buy", {"lines": [{"sku": "CUP/1"}]}))["order_ref"]
    (parcel,) = (await order_of(api, ref)).shipments
    with pytest.raises(ChannelError, match="approved invoice"):
        await api.call(Request(method="POST", path=f"/seller/v1/deliveries/{parcel.ref}/shippings", json={}))
    await order_of(api, ref)
    await order_of(api, ref)
    with pytest.raises(ChannelError) as problem:
        await order_of(api, ref)
    assert (problem.value.fault, problem.value.code) == (Fault.THROTTLED, "TOO_MANY_REQUESTS")

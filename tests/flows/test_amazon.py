"""Amazon beside a store: sales both ways, numbers that take effect late, what Amazon sends itself, a parcel told."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from hub import pushing
from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from jobs import push_stock
from jobs.poll import webhook_url
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
CANECA_FBA = Product(sku="CANECA-FBA", title="Caneca", quantity=50, price_cents=3990, managed_by="marketplace")


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    """What was only accepted is asked about after a moment."""
    with patch.object(push_stock, "TAKES_EFFECT", timedelta(seconds=0.3)):
        yield


async def polled(w: World) -> None:
    """The next look at the lists of orders, whatever its time."""
    await w.hurry("poll")
    await w.settle()


async def amazon(w: World, **options: Any) -> Channel:
    return await w.connect("amazon", [CANECA, CANECA_FBA], **options)


async def test_sales_both_ways():
    async with world() as w:
        store, there = await w.connect("woocommerce", [CANECA]), await amazon(w)
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await there.buy("CANECA", 3)
        await polled(w)
        await w.at_rest(CANECA=7)
        assert (await w.order(ref))["status"] == "paid"
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        await there.act("cancel", order_ref=ref)
        await polled(w)
        await w.at_rest(CANECA=8)
        assert await w.level("CANECA") == (10, 2)


async def test_a_pending_order_keeps_its_units_and_its_money_comes_later():
    async with world() as w:
        store, there = await w.connect("woocommerce", [CANECA]), await amazon(w)
        await w.count(CANECA=10)
        ref = await there.buy("CANECA", 4, pay=False)
        await polled(w)
        await w.at_rest(CANECA=6)
        assert store.shelf()["CANECA"] == 6
        assert (await w.order(ref))["total_cents"] is None
        await there.act("pay", order_ref=ref)
        await polled(w)
        assert (await w.order(ref))["total_cents"] == 4 * 3990 + 1590
        await w.at_rest(CANECA=6)


PATCHES = "PATCH /listings/2021-08-01/items/{seller}/{sku}"


async def test_a_number_is_told_once_and_followed_until_it_has_taken_effect():
    """Told again while it is under way, the second would land on whatever was sold after the first."""
    async with world() as w:
        store, there = await w.connect("woocommerce", [CANECA]), await amazon(w, delay=1.2)
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        before = there.calls()[PATCHES]
        await store.buy("CANECA", 7)
        await w.at_rest(CANECA=3)
        assert there.calls()[PATCHES] == before + 1
        assert vars(there.sandbox)["submitted"] == []


async def test_another_number_goes_out_while_the_last_one_is_under_way():
    async with world() as w:
        store, there = await w.connect("woocommerce", [CANECA]), await amazon(w, delay=1.2)
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        before = there.calls()[PATCHES]
        await store.buy("CANECA", 7)
        await w.until("SELECT 1 FROM stock_slot WHERE pending IS NOT NULL")
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=1)
        assert there.calls()[PATCHES] == before + 2


async def test_a_number_that_never_takes_effect_is_told_again():
    async with world() as w:
        store, there = await w.connect("woocommerce", [CANECA]), await amazon(w)
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        sandbox = vars(there.sandbox)
        sandbox["delay"] = timedelta(days=1)
        await store.buy("CANECA", 7)
        await w.until("SELECT 1 FROM stock_slot WHERE pending IS NOT NULL")
        sandbox["submitted"].clear()
        sandbox["delay"] = timedelta(0)
        with patch.object(pushing, "PATIENCE", timedelta(seconds=0.5)):
            await w.at_rest(CANECA=3)


async def test_what_amazon_sends_takes_nothing_of_ours():
    async with world() as w:
        store, there = await w.connect("woocommerce", [CANECA]), await amazon(w)
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await there.buy("CANECA-FBA", 5)
        await polled(w)
        assert (await w.order(ref))["fulfilled_by"] == "marketplace"
        await w.at_rest(CANECA=10)
        assert store.shelf()["CANECA"] == 10


async def test_a_parcel_is_confirmed_there():
    async with world() as w:
        there = await amazon(w)
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await there.buy("CANECA", 2)
        await polled(w)
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.ACCEPTED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, there.account.id, order_id, told, None, w.rt.now())
        await w.settle()
        sale = vars(there.sandbox)["sales"][int(ref.split("-")[1])]
        assert (sale.stage, sale.tracking) == ("dispatched", "AA123456785BR")
        await polled(w)
        assert (await w.order(ref))["status"] == "dispatched"
        assert await w.level("CANECA") == (8, 0)
        await w.at_rest(CANECA=8)


async def test_an_event_of_the_bus_is_heard_at_once():
    async with world() as w:
        store, there = await w.connect("woocommerce", [CANECA]), await amazon(w)
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        await there.act("callback", url=await webhook_url(w.rt, there.account))
        await there.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        assert store.shelf()["CANECA"] == 7

"""Magalu beside a store: sales both ways, numbers read back, notices that name deliveries, a parcel to its end."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from jobs import push_stock
from jobs.poll import webhook_url
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
PRATO = Product(sku="PRATO", title="Prato raso", quantity=10, price_cents=2990)
PATCHES, ORDERS = "PATCH /seller/v1/portfolios/stocks/{sku}", "GET /seller/v1/orders/{id}"
DELIVERIES = "GET /seller/v1/deliveries/{id}"


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    """What was only accepted is asked about after a moment."""
    with patch.object(push_stock, "TAKES_EFFECT", timedelta(seconds=0.3)):
        yield


async def shop(w: World, **options: Any) -> Channel:
    """A shop that its seller registered the webhook of."""
    magalu = await w.connect("magalu", [CANECA, PRATO], **options)
    await magalu.act("callback", url=await webhook_url(w.rt, magalu.account))
    return magalu


async def test_sales_both_ways_and_a_parcel_to_its_end():
    async with world() as w:
        store, magalu = await w.connect("woocommerce", [CANECA, PRATO]), await shop(w)
        await w.count(CANECA=10, PRATO=10)
        await w.at_rest(CANECA=10)
        ref = await magalu.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        assert store.shelf()["CANECA"] == 7
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        assert magalu.shelf()["CANECA"] == 5
        await magalu.act("cancel", order_ref=await magalu.buy("CANECA"))
        await w.at_rest(CANECA=5)
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.DELIVERED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, magalu.account.id, order_id, told, None, w.rt.now())
        await w.settle()
        sale = next(iter(vars(magalu.sandbox)["sales"].values()))
        assert (sale.stage, sale.tracking) == ("delivered", "AA123456785BR")
        assert (await w.order(ref))["status"] == "delivered"
        await w.kept()


async def test_a_number_that_stands_later_is_written_once_and_read_back():
    async with world() as w:
        store, magalu = await w.connect("woocommerce", [CANECA, PRATO]), await shop(w, lag=1.2)
        await w.count(CANECA=10, PRATO=10)
        await w.at_rest(CANECA=10)
        before = magalu.calls()[PATCHES]
        await store.buy("CANECA", 7)
        await w.at_rest(CANECA=3)
        assert magalu.calls()[PATCHES] == before + 1


async def test_a_parcel_waits_for_the_nfe():
    async with world() as w:
        magalu = await shop(w, invoiced=False)
        await w.count(CANECA=10)
        ref = await magalu.buy("CANECA")
        await w.settle()
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.ACCEPTED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, magalu.account.id, order_id, told, None, w.rt.now())
        waits = await w.until("SELECT news_error FROM shipment WHERE news_error IS NOT NULL AND news_parked IS NULL")
        assert "waits for its NF-e" in waits["news_error"]
        await magalu.act("invoice", order_ref=ref)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE shipment SET news_due_at = now() WHERE news_due_at IS NOT NULL")
        await w.settle()
        assert (await w.order(ref))["status"] == "dispatched"


async def test_a_notice_that_names_a_delivery_changes_its_order_and_makes_no_other():
    async with world() as w:
        magalu = await shop(w, split=True)
        await w.count(CANECA=10, PRATO=10)
        await w.settle()
        del vars(magalu.sandbox)["hooks"]["orders_order"]
        lines = [{"sku": "CANECA", "quantity": 2}, {"sku": "PRATO", "quantity": 1}]
        ref = (await magalu.act("buy", lines=lines))["order_ref"]
        await w.settle()  # heard of by its deliveries alone, which nobody knew
        assert (await w.order(ref))["status"] == "paid"
        assert (await w.level("CANECA"), await w.level("PRATO")) == ((10, 2), (10, 1))
        asked = magalu.calls()[DELIVERIES]
        assert asked > 0
        await magalu.act("cancel", order_ref=ref, lines=[{"sku": "PRATO", "quantity": 1}])
        await w.settle()
        await w.hurry()
        await w.settle()
        assert magalu.calls()[DELIVERIES] == asked, "whose delivery it is is known now"
        assert (await w.level("CANECA"), await w.level("PRATO")) == ((10, 2), (10, 0))
        assert [row["ref"] for row in await w.rows("SELECT ref FROM orders")] == [ref], "no order by a delivery's id"
        await w.kept()


async def test_a_notice_of_what_is_neither_order_nor_delivery_is_a_tombstone():
    async with world() as w:
        magalu = await shop(w)
        sandbox = vars(magalu.sandbox)
        await magalu.buy("CANECA")
        await w.settle()
        sandbox["sales"].clear()
        sandbox["_by_change"].clear()
        await w.hurry()
        await magalu.act("buy", lines=[{"sku": "PRATO", "quantity": 1}])
        sandbox["sales"].clear()
        await w.settle()
        gone = await w.rows("SELECT ref, status FROM orders WHERE status = 'cancelled'")
        assert gone, "what the channel has no more is cancelled"
        assert not await w.rows("SELECT 1 FROM inbox WHERE state = 'parked'")

"""The ERP beside a store and a marketplace: its own sales, its reservations, and what it relays, which counts once."""

import pytest

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)

PRATO = Product(sku="PRATO", title="Prato raso", quantity=10, price_cents=2990)


async def erp(w: World, shop: str | None = None) -> Channel:
    return await w.connect("bling", [CANECA], shop=shop)


async def test_a_sale_there_lowers_the_store_and_one_here_lowers_there():
    async with world() as w:
        store, bling = await w.connect("woocommerce", [CANECA]), await erp(w)
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await bling.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        item = vars(bling.sandbox)["by_sku"]["CANECA"]
        assert (item.units, item.reserved) == (10, 3), "it reserves itself: the physical number stays"
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        assert (item.units, item.reserved) == (8, 3), "five for others, and the three that it holds"
        await bling.act("dispatch", order_ref=ref)
        await w.at_rest(CANECA=5)
        assert await w.level("CANECA") == (7, 2)
        await bling.act("cancel", order_ref=await bling.buy("CANECA"))
        await w.at_rest(CANECA=5)


@pytest.mark.parametrize("first", ["the marketplace", "the relay"])
async def test_what_it_relays_moves_stock_once(first: str):
    async with world() as w:
        market, store = await w.connect("mercadolivre", [CANECA]), await w.connect("woocommerce", [CANECA])
        bling = await erp(w, shop="mercadolivre")
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        market.turn(webhook_drop=1.0 if first == "the relay" else 0.0)
        ref = await market.buy("CANECA", 2)
        if first == "the marketplace":
            await w.settle()
        await bling.act("relay", lines=[{"sku": "CANECA", "quantity": 2}], number=ref)
        await w.settle()
        market.turn(webhook_drop=0.0)
        await w.hurry("poll")
        await w.settle()
        assert len(await w.rows("SELECT 1 FROM orders")) == 2
        assert await w.level("CANECA") == (10, 2)
        assert store.shelf()["CANECA"] == market.shelf()["CANECA"] == 8
        await w.kept()


@pytest.mark.parametrize("first", ["the store", "the relay"])
async def test_a_relayed_storefront_order_is_found_by_its_number(first: str):
    """Storefronts number from one each: the key names the account, and an ERP may know only the number."""
    async with world() as w:
        store, bling = await w.connect("woocommerce", [CANECA]), await erp(w, shop="woocommerce")
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        store.turn(webhook_drop=1.0 if first == "the relay" else 0.0)
        ref = await store.buy("CANECA", 2)
        if first == "the store":
            await w.settle()
        await bling.act("relay", lines=[{"sku": "CANECA", "quantity": 2}], number=ref)
        await w.settle()
        store.turn(webhook_drop=0.0)
        await w.hurry("poll")
        await w.settle()
        assert await w.level("CANECA") == (10, 2)
        await w.kept()


@pytest.mark.parametrize("first", ["the marketplace", "the relay"])
async def test_a_relay_of_a_whole_pack_and_the_packs_orders_are_one(first: str):
    async with world() as w:
        goods = [CANECA, PRATO]
        market = await w.connect("mercadolivre", goods)
        bling = await w.connect("bling", goods, shop="mercadolivre")
        await w.count(CANECA=10, PRATO=10)
        await w.at_rest(CANECA=10, PRATO=10)
        lines = [{"sku": "CANECA", "quantity": 2}, {"sku": "PRATO", "quantity": 1}]
        market.turn(webhook_drop=1.0 if first == "the relay" else 0.0)
        pack = (await market.act("buy", lines=lines))["pack_ref"]
        if first == "the marketplace":
            await w.settle()
        await bling.act("relay", lines=lines, number=pack)
        await w.settle()
        market.turn(webhook_drop=0.0)
        await w.hurry("poll")
        await w.settle()
        assert len(await w.rows("SELECT 1 FROM orders")) == 3
        assert (await w.level("CANECA"), await w.level("PRATO")) == ((10, 2), (10, 1))
        await w.kept()


async def test_a_relay_of_an_unnamed_shop_counts_and_asks_for_its_name():
    async with world() as w:
        bling = await erp(w)
        await w.count(CANECA=10)
        await bling.act("relay", lines=[{"sku": "CANECA", "quantity": 2}], number="LOJA-1")
        await w.settle()
        assert await w.level("CANECA") == (10, 2)
        assert await w.alerts() == ["origin_unnamed"]


async def test_a_parcel_is_told_with_its_code_and_the_order_is_attended():
    async with world() as w:
        bling = await erp(w)
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await bling.buy("CANECA", 2)
        await w.settle()
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.ACCEPTED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, bling.account.id, order_id, told, None, w.rt.now())
        await w.settle()
        sale = vars(bling.sandbox)["sales"][int(ref)]
        assert (sale.stage, sale.tracking) == ("dispatched", "AA123456785BR")
        await w.at_rest(CANECA=8)
        assert (await w.order(ref))["status"] == "dispatched"
        assert await w.level("CANECA") == (8, 0)


async def test_a_situation_of_the_accounts_own_is_read_by_what_it_comes_from():
    async with world() as w:
        bling = await erp(w)
        await w.count(CANECA=10)
        ref = await bling.buy("CANECA", 2)
        await bling.act("situate", order_ref=ref, situation=447790)
        await w.settle()
        assert (await w.order(ref))["status"] == "paid"
        assert await w.level("CANECA") == (10, 2)

"""A store that reserves by itself beside one that does not; what a hub put into it is one with the marketplace's."""

import pytest

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from tests.world import world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


async def test_its_own_reservations_are_not_taken_off_twice():
    async with world() as w:
        store, loja = await w.connect("woocommerce", [CANECA]), await w.connect("lojaintegrada", [CANECA])
        item = vars(loja.sandbox)["by_sku"]["CANECA"]
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await loja.buy("CANECA", 3)
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        assert (item.units, item.reserved) == (8, 3)
        await loja.act("dispatch", order_ref=ref)
        await w.at_rest(CANECA=5)
        assert (item.units, item.reserved) == (5, 0)
        assert await w.level("CANECA") == (7, 2)


async def test_the_panels_days_outlive_our_writes():
    async with world() as w:
        store, loja = await w.connect("woocommerce", [CANECA]), await w.connect("lojaintegrada", [CANECA])
        item = vars(loja.sandbox)["by_sku"]["CANECA"]
        vars(loja.sandbox)["settings"][item.id] = (2, 15)
        await w.count(CANECA=10)
        await store.buy("CANECA")
        await w.at_rest(CANECA=9)
        assert vars(loja.sandbox)["settings"][item.id] == (2, 15)


@pytest.mark.parametrize("first", ["the marketplace", "the relay"])
async def test_what_a_hub_puts_in_moves_stock_once(first: str):
    async with world() as w:
        market, loja = await w.connect("mercadolivre", [CANECA]), await w.connect("lojaintegrada", [CANECA])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        market.turn(webhook_drop=1.0 if first == "the relay" else 0.0)
        ref = await market.buy("CANECA", 2)
        if first == "the marketplace":
            await w.settle()
        await loja.act("relay", lines=[{"sku": "CANECA", "quantity": 2}], marketplace="Mercado Livre", ref=ref)
        await w.settle()
        market.turn(webhook_drop=0.0)
        await w.hurry("poll")
        await w.settle()
        assert len(await w.rows("SELECT 1 FROM orders")) == 2
        assert await w.level("CANECA") == (10, 2)
        await w.kept()


async def test_a_telling_that_names_no_origin_leaves_it_as_it_was():
    async with world() as w:
        market, loja = await w.connect("mercadolivre", [CANECA]), await w.connect("lojaintegrada", [CANECA])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        market.turn(webhook_drop=1.0)
        ref = await market.buy("CANECA", 2)
        lines = [{"sku": "CANECA", "quantity": 2}]
        put_in = (await loja.act("relay", lines=lines, marketplace="Mercado Livre", ref=ref))["order_ref"]
        await w.settle()
        del vars(loja.sandbox)["sales"][int(put_in)].extra["marketplace"]
        await loja.act("situate", order_ref=put_in, code="pedido_em_separacao")
        await w.settle()
        await market.act("dispatch", order_ref=ref)
        await w.hurry("poll")
        await w.settle()
        assert len(await w.rows("SELECT 1 FROM orders")) == 2
        assert await w.level("CANECA") == (10, 2)  # the relay moves stock for both
        await w.kept()


@pytest.mark.parametrize("sent", [False, True])
async def test_what_was_taken_for_its_own_sale_goes_back_once_its_origin_is_told(sent: bool):
    async with world() as w:
        market, loja = await w.connect("mercadolivre", [CANECA]), await w.connect("lojaintegrada", [CANECA])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        put_in = await loja.buy("CANECA", 2)
        if sent:
            await loja.act("dispatch", order_ref=put_in)
        await w.settle()
        ref = await market.buy("CANECA", 2)
        await w.settle()
        assert await w.level("CANECA") == ((8, 2) if sent else (10, 4))
        vars(loja.sandbox)["sales"][int(put_in)].extra["marketplace"] = ("Mercado Livre", ref)
        await loja.act("situate", order_ref=put_in, code="pedido_enviado" if sent else "pedido_em_separacao")
        await w.hurry("poll")
        await w.settle()
        assert await w.level("CANECA") == (10, 2)
        await w.kept()
        await market.act("dispatch", order_ref=ref)
        await w.settle()
        assert await w.level("CANECA") == (8, 0)
        await w.kept()


async def test_a_parcel_is_told_with_its_code_and_then_its_delivery():
    async with world() as w:
        loja = await w.connect("lojaintegrada", [CANECA])
        await w.count(CANECA=10)
        ref = await loja.buy("CANECA", 2)
        await w.settle()
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.DELIVERED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, loja.account.id, order_id, told, None, w.rt.now())
        await w.settle()
        sale = vars(loja.sandbox)["sales"][int(ref)]
        assert (sale.stage, sale.tracking) == ("delivered", "AA123456785BR")
        assert (await w.order(ref))["status"] == "delivered"
        await w.at_rest(CANECA=8)

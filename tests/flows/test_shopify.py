"""Shopify beside another store: sales both ways, a hold, goods that come back, a parcel told to its end."""

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from tests.world import world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


async def test_sales_both_ways_and_a_parcel_to_its_end():
    async with world() as w:
        store, shop = await w.connect("woocommerce", [CANECA]), await w.connect("shopify", [CANECA])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await shop.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        await shop.act("cancel", order_ref=await shop.buy("CANECA"))
        await w.at_rest(CANECA=5)
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.DELIVERED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, shop.account.id, order_id, told, None, w.rt.now())
        await w.settle()
        sale = vars(shop.sandbox)["sales"][int(ref)]
        assert (sale.stage, sale.tracking) == ("delivered", "AA123456785BR")
        assert (await w.order(ref))["status"] == "delivered"
        await w.at_rest(CANECA=5)


async def test_a_sale_that_nobody_told_is_not_sold_twice():
    """Its webhooks are lost: the write that would put the units back is refused, and looked at again."""
    async with world() as w:
        store, shop = await w.connect("woocommerce", [CANECA]), await w.connect("shopify", [CANECA])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        shop.turn(webhook_drop=1.0)
        await shop.buy("CANECA", 4)
        await store.buy("CANECA", 1)
        await w.settle()
        assert shop.shelf()["CANECA"] <= 6, "the four are sold"
        shop.turn(webhook_drop=0.0)
        await w.hurry("poll")
        await w.at_rest(CANECA=5)


async def test_what_is_on_hold_is_known_by_its_fulfilment_order():
    async with world() as w:
        shop = await w.connect("shopify", [CANECA])
        await w.count(CANECA=10)
        ref = await shop.buy("CANECA", 2)
        await w.settle()
        await shop.act("hold", order_ref=ref)
        await w.settle()
        assert (await w.order(ref))["hold"] == "frozen"
        await shop.act("release", order_ref=ref)
        await w.settle()
        assert (await w.order(ref))["hold"] is None
        await w.at_rest(CANECA=8)

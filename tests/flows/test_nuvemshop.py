"""Nuvemshop beside another store: sales both ways, a parcel told from dispatch to delivery."""

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from tests.world import world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


async def test_sales_both_ways_and_a_parcel_to_its_end():
    async with world() as w:
        store, nuvem = await w.connect("woocommerce", [CANECA]), await w.connect("nuvemshop", [CANECA])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await nuvem.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        await nuvem.act("cancel", order_ref=await nuvem.buy("CANECA"))
        await w.at_rest(CANECA=5)
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.DELIVERED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, nuvem.account.id, order_id, told, None, w.rt.now())
        await w.settle()
        sale = vars(nuvem.sandbox)["sales"][int(ref)]
        assert (sale.stage, sale.tracking) == ("delivered", "AA123456785BR")
        assert vars(nuvem.sandbox)["events"] == [(sale.id, "delivered")]
        assert (await w.order(ref))["status"] == "delivered"
        await w.at_rest(CANECA=5)

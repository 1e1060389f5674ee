"""Tray beside a marketplace whose orders it takes in: sales both ways, one stock effect, a parcel told."""

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from tests.world import world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


async def test_sales_both_ways_a_relay_that_counts_once_and_a_parcel():
    async with world() as w:
        market, tray = await w.connect("mercadolivre", [CANECA]), await w.connect("tray", [CANECA])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await tray.buy("CANECA", 2)
        await w.at_rest(CANECA=8)
        born = await market.buy("CANECA")
        await w.at_rest(CANECA=7)
        await tray.act("relay", lines=[{"sku": "CANECA", "quantity": 1}], marketplace="Mercado Livre", ref=born)
        await w.settle()
        assert await w.level("CANECA") == (10, 3)
        assert market.shelf()["CANECA"] == tray.shelf()["CANECA"] == 7
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.DELIVERED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, tray.account.id, order_id, told, None, w.rt.now())
        await w.settle()
        sale = vars(tray.sandbox)["sales"][int(ref)]
        assert (sale.stage, sale.tracking) == ("delivered", "AA123456785BR")
        await w.kept()

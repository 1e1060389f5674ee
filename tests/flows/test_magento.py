"""Magento beside a store: polled, physical, told of its parcels; one bad SKU never blocks the others."""

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from tests.world import world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
PRATO = Product(sku="PRATO", title="Prato raso", quantity=10, price_cents=2990)


async def test_its_own_reservations_are_not_taken_off_twice():
    async with world() as w:
        store, magento = await w.connect("woocommerce", [CANECA]), await w.connect("magento", [CANECA])
        item = vars(magento.sandbox)["by_sku"]["CANECA"]
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await magento.buy("CANECA", 3)
        await w.hurry("poll")
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        assert (item.units, item.reserved) == (8, 3)
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.ACCEPTED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, magento.account.id, order_id, told, None, w.rt.now())
        await w.settle()
        await w.hurry("poll")
        await w.at_rest(CANECA=5)
        assert (vars(magento.sandbox)["sales"][int(ref)].tracking, item.units, item.reserved) == ("AA123456785BR", 5, 0)
        assert await w.level("CANECA") == (7, 2)


async def test_one_bad_sku_never_blocks_the_others():
    async with world() as w:
        magento = await w.connect("magento", [CANECA, PRATO])
        vars(magento.sandbox)["by_sku"].pop("PRATO")  # a write of it refuses the whole request
        await w.count(CANECA=4, PRATO=3)
        await w.settle()
        assert magento.shelf()["CANECA"] == 4
        parked = await w.rows("SELECT ref FROM stock_slot WHERE parked_code IS NOT NULL")
        assert [row["ref"] for row in parked] == ["PRATO"]

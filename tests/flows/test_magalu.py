"""Magalu beside another store: sales both ways, notices that name deliveries, half an order cancelled, a parcel told."""

from typing import Any

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from jobs.poll import webhook_url
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
PRATO = Product(sku="PRATO", title="Prato raso", quantity=10, price_cents=2990)


async def shop(w: World, **options: Any) -> Channel:
    """A shop that its seller registered the webhook of."""
    magalu = await w.connect("magalu", [CANECA, PRATO], **options)
    await magalu.act("callback", url=await webhook_url(w.rt, magalu.account))
    return magalu


async def read_back(w: World) -> None:
    """What was taken is looked at now, and not in half a minute."""
    await w.settle()
    async with w.rt.db.seller(w.seller_id) as tx:
        await tx.run(
            "UPDATE stock_slot SET due_at = now(), pending_until = now(), doubt_until = now() WHERE pending IS NOT NULL"
        )
    await w.settle()


async def test_sales_both_ways_and_a_parcel_to_its_end():
    async with world() as w:
        store, magalu = await w.connect("woocommerce", [CANECA, PRATO]), await shop(w)
        await w.count(CANECA=10, PRATO=10)
        await read_back(w)
        await w.at_rest(CANECA=10)
        ref = await magalu.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        await store.buy("CANECA", 2)
        await w.settle()
        assert magalu.shelf()["CANECA"] == 5
        pending = await w.rows("SELECT 1 FROM stock_slot WHERE pending IS NOT NULL")
        assert pending, "taken without a receipt: it is read back before it counts"
        await read_back(w)
        assert not await w.rows("SELECT 1 FROM stock_slot WHERE pending IS NOT NULL")
        await w.at_rest(CANECA=5)
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.DELIVERED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, magalu.account.id, order_id, told, None, w.rt.now())
        await w.settle()
        (sale,) = vars(magalu.sandbox)["sales"].values()
        assert (sale.stage, sale.tracking) == ("delivered", "AA123456785BR")
        assert (await w.order(ref))["status"] == "delivered"
        await w.kept()


async def test_a_notice_that_names_a_delivery_changes_its_order_and_makes_no_other():
    async with world() as w:
        magalu = await shop(w, split=True)
        await w.count(CANECA=10, PRATO=10)
        await read_back(w)
        hooks = vars(magalu.sandbox)["hooks"]
        orders_only, deliveries_only = hooks.pop("orders_order"), hooks["orders_delivery"]
        assert orders_only == deliveries_only
        lines = [{"sku": "CANECA", "quantity": 2}, {"sku": "PRATO", "quantity": 1}]
        ref = (await magalu.act("buy", lines=lines))["order_ref"]
        await w.settle()  # heard of by its deliveries alone, which nobody knew
        assert (await w.order(ref))["status"] == "paid"
        assert (await w.level("CANECA"), await w.level("PRATO")) == ((10, 2), (10, 1))
        before = vars(magalu.sandbox)["app"]
        await magalu.act("cancel", order_ref=ref, lines=[{"sku": "PRATO", "quantity": 1}])
        await w.hurry()
        await w.settle()
        assert (await w.level("CANECA"), await w.level("PRATO")) == ((10, 2), (10, 0))
        assert before is vars(magalu.sandbox)["app"]
        assert [row["ref"] for row in await w.rows("SELECT ref FROM orders")] == [ref], "no order by a delivery's id"
        await w.kept()

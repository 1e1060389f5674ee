"""TikTok Shop beside a store: one row per unit, a token that ends inside a 200, what TikTok keeps itself, a parcel."""

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from tests.world import world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
SHIRTS = [Product(sku=f"CAM-{n}", title=n, quantity=10, price_cents=5990, parent="Camiseta") for n in ("P", "M")]


async def test_a_sale_there_lowers_the_store_and_one_here_lowers_there():
    async with world() as w:
        store, tiktok = await w.connect("woocommerce", [CANECA]), await w.connect("tiktok", [CANECA, *SHIRTS])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await tiktok.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        await tiktok.act("cancel", order_ref=ref, lines=[{"sku": "CANECA", "quantity": 1}])
        await w.at_rest(CANECA=6)
        assert await w.level("CANECA") == (10, 4)
        await tiktok.act("cancel", order_ref=ref)
        await w.at_rest(CANECA=8)
        assert (await w.order(ref))["status"] == "cancelled"


async def test_a_token_that_ended_is_renewed_once():
    async with world() as w:
        store, tiktok = await w.connect("woocommerce", [CANECA]), await w.connect("tiktok", [CANECA])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        before = vars(tiktok.sandbox)["renewals"]
        await tiktok.act("expire")
        await store.buy("CANECA", 4)
        await w.at_rest(CANECA=6)
        assert vars(tiktok.sandbox)["renewals"] == before + 1
        assert (await w.account(tiktok)).status == "live"


async def test_what_waits_for_its_invoice_is_held_and_keeps_its_units():
    async with world() as w:
        tiktok = await w.connect("tiktok", [CANECA], invoice=True)
        await w.count(CANECA=10)
        ref = await tiktok.buy("CANECA", 2)
        await w.at_rest(CANECA=8)
        order = await w.order(ref)
        assert (order["status"], order["hold"]) == ("paid", "invoice_pending")
        assert await w.level("CANECA") == (10, 2)


async def test_what_tiktok_keeps_itself_moves_no_stock_of_ours():
    pote = Product(sku="CANECA", title="Caneca", quantity=50, price_cents=3990, managed_by="marketplace")
    async with world() as w:
        store, tiktok = await w.connect("woocommerce", [CANECA]), await w.connect("tiktok", [pote, *SHIRTS])
        await w.count(**{"CAM-P": 10})
        await w.settle()
        ref = await tiktok.buy("CANECA", 2)
        await w.settle()
        assert (await w.order(ref))["fulfilled_by"] == "marketplace"
        assert store.shelf()["CANECA"] == 10


async def test_a_parcel_is_told_with_its_carrier_and_code():
    async with world() as w:
        store, tiktok = await w.connect("woocommerce", [CANECA]), await w.connect("tiktok", [CANECA])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await tiktok.buy("CANECA", 3)
        await w.settle()
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.ACCEPTED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, tiktok.account.id, order_id, told, None, w.rt.now())
        await w.settle()
        sale = vars(tiktok.sandbox)["sales"][int(ref)]
        assert (sale.stage, sale.tracking) == ("dispatched", "AA123456785BR")
        assert (await w.order(ref))["status"] == "dispatched"
        await w.at_rest(CANECA=7)
        assert await w.level("CANECA") == (7, 0)
        assert store.shelf()["CANECA"] == 7

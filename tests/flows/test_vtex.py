"""VTEX beside a marketplace that it relays: by hook and by feed, physical numbers, parcels to their end."""

import pytest

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from tests.world import world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


async def test_its_own_reservations_are_not_taken_off_twice_and_a_parcel_is_told_to_its_end():
    async with world() as w:
        store, vtex = await w.connect("woocommerce", [CANECA]), await w.connect("vtex", [CANECA])
        item = vars(vtex.sandbox)["by_sku"]["CANECA"]
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await vtex.buy("CANECA", 3)
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        assert (item.units, item.reserved) == (8, 3)
        order_id = (await w.order(ref))["id"]
        told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.DELIVERED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, vtex.account.id, order_id, told, None, w.rt.now())
        await w.settle()
        sale = vars(vtex.sandbox)["sales"][int(ref.removesuffix("-01"))]
        assert (sale.stage, sale.tracking) == ("delivered", "AA123456785BR")
        assert (await w.order(ref))["status"] == "delivered"
        await w.at_rest(CANECA=5)
        assert (await w.level("CANECA"), item.units, item.reserved) == ((7, 2), 5, 0)


async def test_what_the_hook_did_not_tell_the_feed_does_and_a_feed_that_was_deleted_is_made_again():
    async with world() as w:
        store, vtex = await w.connect("woocommerce", [CANECA]), await w.connect("vtex", [CANECA], visibility=0.2)
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        vtex.turn(webhook_drop=1.0)
        await vtex.buy("CANECA", 3)
        await w.hurry("poll")
        await w.settle()
        assert store.shelf()["CANECA"] == 7
        assert vars(vtex.sandbox)["feed"] == {}, "what is kept is confirmed"
        await vtex.act("forget")
        await vtex.buy("CANECA")
        for _ in range(2):
            await w.hurry("poll")
            await w.settle()
        assert store.shelf()["CANECA"] == 6
        assert vars(vtex.sandbox)["feed"] is not None


@pytest.mark.parametrize("first", ["the marketplace", "the relay"])
async def test_what_it_relays_moves_stock_once(first: str):
    async with world() as w:
        market, vtex = await w.connect("mercadolivre", [CANECA]), await w.connect("vtex", [CANECA])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        market.turn(webhook_drop=1.0 if first == "the relay" else 0.0)
        ref = await market.buy("CANECA", 2)
        if first == "the marketplace":
            await w.settle()
        await vtex.act("relay", lines=[{"sku": "CANECA", "quantity": 2}], marketplace="Mercado Livre", ref=ref)
        await w.settle()
        market.turn(webhook_drop=0.0)
        await w.hurry("poll")
        await w.settle()
        assert len(await w.rows("SELECT 1 FROM orders")) == 2
        assert await w.level("CANECA") == (10, 2)
        await w.kept()

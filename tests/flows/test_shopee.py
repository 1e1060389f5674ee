"""Shopee beside a store: pushes signed over their address, numbers by model, a shipment arranged, a token that ends."""

from dataclasses import replace

import aiohttp
import pytest

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
SHIRTS = [Product(sku=f"CAM-{n}", title=n, quantity=10, price_cents=5990, parent="Camiseta") for n in ("P", "M")]


async def told_shipped(w: World, channel: Channel, ref: str) -> None:
    """A parcel with a carrier's code, handed in."""
    order_id = (await w.order(ref))["id"]
    told = Shipment(ref="AA1", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.ACCEPTED)
    async with w.rt.db.seller(w.seller_id) as tx:
        await shipments.add(tx, channel.account.id, order_id, told, None, w.rt.now())
    await w.settle()


async def test_a_sale_there_lowers_the_store_and_one_here_lowers_there():
    async with world() as w:
        store, shopee = await w.connect("woocommerce", [CANECA]), await w.connect("shopee", [CANECA, *SHIRTS])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        ref = await shopee.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        await store.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        await shopee.act("cancel", order_ref=ref)
        await w.at_rest(CANECA=8)
        assert (await w.order(ref))["status"] == "cancelled"
        assert await w.level("CANECA") == (10, 2)


async def test_units_cancelled_in_part_are_free_again():
    async with world() as w:
        store, shopee = await w.connect("woocommerce", SHIRTS), await w.connect("shopee", SHIRTS)
        await w.count(**{"CAM-P": 10, "CAM-M": 10})
        await w.at_rest(**{"CAM-P": 10, "CAM-M": 10})
        ref = await shopee.buy("CAM-P", 3)
        await shopee.act("cancel", order_ref=ref, lines=[{"sku": "CAM-P", "quantity": 2}])
        await w.at_rest(**{"CAM-P": 9, "CAM-M": 10})
        assert await w.level("CAM-P") == (10, 1)
        assert store.shelf()["CAM-P"] == 9


async def test_a_token_that_ended_is_renewed_and_used_once():
    async with world() as w:
        store, shopee = await w.connect("woocommerce", [CANECA]), await w.connect("shopee", [CANECA])
        await w.count(CANECA=10)
        await w.at_rest(CANECA=10)
        before = vars(shopee.sandbox)["renewals"]
        await shopee.act("expire")
        await store.buy("CANECA", 4)
        await w.at_rest(CANECA=6)
        assert vars(shopee.sandbox)["renewals"] == before + 1
        assert (await w.account(shopee)).status == "live"


async def test_what_waits_for_its_invoice_is_held_and_keeps_its_units():
    async with world() as w:
        shopee = await w.connect("shopee", [CANECA], invoice=True)
        await w.count(CANECA=10)
        ref = await shopee.buy("CANECA", 2)
        await w.at_rest(CANECA=8)
        order = await w.order(ref)
        assert (order["status"], order["hold"]) == ("paid", "invoice_pending")
        assert await w.level("CANECA") == (10, 2)
        await shopee.act("status", order_ref=ref, status="READY_TO_SHIP")
        await w.settle()
        assert (await w.order(ref))["hold"] is None


@pytest.mark.parametrize(
    ("carrier", "word", "code"),
    [("non_integrated", "SHIPPED", "AA123456785BR"), ("dropoff", "PROCESSED", None), ("pickup", "PROCESSED", None)],
)
async def test_a_parcel_is_told_as_its_carrier_asks(carrier: str, word: str, code: str | None):
    async with world() as w:
        shopee = await w.connect("shopee", [CANECA], carrier=carrier)
        await w.count(CANECA=10)
        ref = await shopee.buy("CANECA", 2)
        await w.settle()
        await told_shipped(w, shopee, ref)
        sale = vars(shopee.sandbox)["by_sn"][ref]
        assert shopee.sandbox.orders()[ref] == word
        assert code in (None, sale.tracking)
        assert await w.alerts() == []


async def test_an_address_behind_a_proxy_is_the_registered_one_and_the_answer_is_empty():
    """Shopee signs the address that it was given; what the proxy makes of it must not matter."""
    async with world() as w:
        shopee = await w.connect("shopee", [CANECA])
        await w.count(CANECA=10)
        box = shopee.sandbox
        url = vars(box)["config"]["callback_url"]
        w.rt.policy = replace(w.rt.policy, public_url="https://hub.example")
        registered = url.replace(str(w.web.make_url("")).rstrip("/"), "https://hub.example")
        push = {"data": {"ordersn": "X", "status": "READY_TO_SHIP"}, "shop_id": vars(box)["shop_id"], "code": 3}
        delivery = box._delivery(registered, push)  # type: ignore[attr-defined]
        async with aiohttp.ClientSession() as session:
            async with session.post(url, data=delivery.body, headers=delivery.headers) as answer:
                assert (answer.status, await answer.read()) == (200, b"")
            async with session.post(url, data=delivery.body + b" ", headers=delivery.headers) as answer:
                assert answer.status == 401

"""A carrier that tells only of parcels that it was asked to watch is asked to, and then tells by itself."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from adapters.ups.sandbox import UpsSandbox
from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from jobs import poll, watch
from tests.flows.test_shipments import parcel
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca", quantity=100, price_cents=3990)
WATCHED, ASKED = "POST /api/track/v1/subscription/standard/package", "GET /api/track/v1/details/{number}"


async def posted(w: World, store: Channel, carrier: Channel, code: str | None = None, **wanted: Any) -> str:
    """A paid order whose parcel is with the carrier; its number."""
    order = await store.buy("CANECA", 1)
    await w.hurry("poll")
    await w.settle()
    if code is None:
        code = str((await carrier.act("post", **wanted))["code"])
    order_id: UUID = (await w.order(order))["id"]
    told = Shipment(ref=code, carrier="UPS", tracking_code=code, status=TrackingStatus.LABEL_CREATED)
    async with w.rt.db.seller(w.seller_id) as tx:
        await shipments.add(tx, store.account.id, order_id, told, carrier.account.id, w.rt.now())
    await w.settle()
    return code


async def store_and_carrier(w: World) -> tuple[Channel, Channel, UpsSandbox]:
    store = await w.connect("woocommerce", [CANECA], seed=1)
    carrier = await w.connect("ups", seed=9)
    await w.open_stock(CANECA=100)
    sandbox = carrier.sandbox
    assert isinstance(sandbox, UpsSandbox)
    return store, carrier, sandbox


async def watched_until(w: World, code: str) -> Any:
    return (await w.row("SELECT watched_until - now() AS rest FROM shipment_leg WHERE code = %s", code))["rest"]


async def test_parcels_are_watched_told_of_without_being_asked_about_and_watched_again() -> None:
    async with world() as w:
        store, carrier, sandbox = await store_and_carrier(w)
        code = await posted(w, store, carrier, journey="delivered")
        assert not sandbox.alerts
        await w.hurry("subscribe")
        await w.settle()
        assert set(sandbox.alerts) == {code}
        assert timedelta(days=12, hours=23) < await watched_until(w, code) <= timedelta(days=13)

        asked = carrier.calls()[ASKED]
        await carrier.act("advance", code=code)
        await w.settle()
        assert (await parcel(w, code))[0] == "accepted"
        assert carrier.calls()[ASKED] == asked, "nobody asked: it was told"

        await w.hurry("subscribe")
        await w.settle()
        assert carrier.calls()[WATCHED] == 1, "a parcel that is watched is not asked for again"
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE shipment_leg SET watched_until = now() WHERE code = %s", [code])
        await w.hurry("subscribe")
        await w.settle()
        assert carrier.calls()[WATCHED] == 2
        assert await watched_until(w, code) > timedelta(days=12)

        while (await carrier.act("advance", code=code))["scans"]:
            await w.settle()
        assert (await parcel(w, code))[0] == "delivered"
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE shipment_leg SET watched_until = now() WHERE code = %s", [code])
        await w.hurry("subscribe")
        await w.settle()
        assert carrier.calls()[WATCHED] == 2, "what has arrived is watched no more"


async def test_a_number_that_is_not_taken_is_tried_again_a_day_later_and_not_before() -> None:
    async with world() as w:
        store, carrier, _sandbox = await store_and_carrier(w)
        code = await posted(w, store, carrier, "ICN1234567")
        await w.hurry("subscribe")
        await w.settle()
        assert carrier.calls()[WATCHED] == 0
        assert timedelta(hours=23) < await watched_until(w, code) <= watch.NOT_TAKEN


async def test_a_seller_may_have_it_done_at_once() -> None:
    async with world() as w:
        store, carrier, sandbox = await store_and_carrier(w)
        codes = [await posted(w, store, carrier, journey="delivered") for _ in range(2)]
        api, url = await w.rt.api(carrier.account), await poll.webhook_url(w.rt, carrier.account)
        secret = await w.rt.hook_secret(w.seller_id, carrier.account.id)
        assert await watch.watch(w.rt, carrier.account, api, url, secret) == len(codes)
        assert await watch.watch(w.rt, carrier.account, api, url, secret) == 0
        assert set(sandbox.alerts) == set(codes)


async def test_without_a_public_address_nobody_is_asked_to_watch() -> None:
    async with world(public_url=None) as w:
        store, carrier, sandbox = await store_and_carrier(w)
        code = await posted(w, store, carrier, journey="delivered")
        await w.hurry("subscribe")
        await w.settle()
        assert not sandbox.alerts
        assert await watched_until(w, code) is None

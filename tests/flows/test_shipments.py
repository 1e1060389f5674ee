"""Parcels: what the carrier scans is told once to the channel that sold, and nothing that is not its business."""

from uuid import UUID

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import shipments
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
ORDERS = "/wp-json/wc/v3/orders/{id}"
TRACKINGS = "POST /wp-json/wc-shipment-tracking/v3/orders/{id}/shipment-trackings"


async def sold_and_posted(w: World, store: Channel, carrier: Channel, *, journey: str = "delivered") -> tuple[str, str]:
    """A paid order whose parcel was handed over. Answers (order ref, tracking code)."""
    order = await store.buy("CANECA", 2)
    await w.settle()
    code = (await carrier.act("post", journey=journey))["code"]
    await note_parcel(w, store, carrier, order, code)
    return order, code


async def note_parcel(w: World, store: Channel, carrier: Channel, order: str, code: str) -> None:
    """The seller tells the hub which parcel carries an order."""
    order_id: UUID = (await w.order(order))["id"]
    told = Shipment(ref=code, carrier="Correios", tracking_code=code, status=TrackingStatus.LABEL_CREATED)
    async with w.rt.db.seller(w.seller_id) as tx:
        await shipments.add(tx, store.account.id, order_id, told, carrier.account.id, w.rt.now())
    await w.settle()


async def scan(w: World, carrier: Channel, code: str, steps: int = 1) -> None:
    """The parcel goes on, and the carrier is asked."""
    await carrier.act("advance", code=code, steps=steps)
    await ask(w, carrier, code)


async def ask(w: World, carrier: Channel, code: str) -> None:
    async with w.rt.db.seller(w.seller_id) as tx:
        await tx.run("UPDATE shipment SET track_due_at = now() WHERE tracking_code = %s", [code])
    await w.settle()
    assert carrier.calls()["GET /srorastro/v1/objetos"] > 0


async def parcel(w: World, code: str) -> tuple[str | None, list[str]]:
    """(status, what its channel was told)"""
    row = await w.row("SELECT status, news_told FROM shipment WHERE tracking_code = %s", code)
    return row["status"], row["news_told"]


def told(store: Channel) -> dict[str, int]:
    """Everything but stock, webhooks and reads that a store was sent."""
    return {
        route.replace("/wp-json/wc/v3/", ""): count
        for route, count in store.calls().items()
        if not route.startswith("GET ") and "batch" not in route and "webhooks" not in route
    }


async def test_a_posted_order_is_told_once_by_the_way_that_the_store_has() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        carrier = await w.connect("correios", seed=9)
        await w.open_stock(CANECA=10)
        order, code = await sold_and_posted(w, store, carrier)

        sandbox = vars(store.sandbox)["placed"][int(order)]
        assert [note["note"] for note in sandbox.notes if code in note["note"]]
        assert sandbox.status == "completed"
        assert await parcel(w, code) == ("accepted", ["dispatched"])
        assert (await w.account(store)).facts["shipment_target"] == "note"
        probed = told(store)
        assert probed["POST orders/{id}/notes"] == 1

        for _ in range(2):
            await ask(w, carrier, code)
        assert told(store) == probed
        assert await w.level("CANECA") == (8, 0)
        await w.at_rest(CANECA=8)

        second, _code = await sold_and_posted(w, store, carrier)  # the way is known: not probed again
        more = told(store)
        assert vars(store.sandbox)["placed"][int(second)].status == "completed"
        assert more["POST orders/{id}/notes"] == 2
        assert more["PUT orders/{id}"] == probed["PUT orders/{id}"] + 1


async def test_a_store_with_fulfilments_is_told_there_and_nowhere_else() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1, fulfillments=True)
        carrier = await w.connect("correios", seed=9)
        await w.open_stock(CANECA=10)
        order, code = await sold_and_posted(w, store, carrier)
        sandbox = vars(store.sandbox)["placed"][int(order)]
        assert [row["status"] for row in sandbox.fulfillments] == ["fulfilled"]
        assert sandbox.notes == []
        assert code in str(sandbox.fulfillments)
        assert sandbox.status == "completed"
        await w.at_rest(CANECA=8)


async def test_a_store_with_the_tracking_plugin_is_told_there() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1, shipment_tracking=True)
        carrier = await w.connect("correios", seed=9)
        await w.open_stock(CANECA=10)
        order, code = await sold_and_posted(w, store, carrier)
        assert [row["tracking_number"] for row in vars(store.sandbox)["placed"][int(order)].trackings] == [code]
        assert store.calls()[TRACKINGS] == 1
        await w.at_rest(CANECA=8)


async def test_a_delivery_is_noted_and_told_once_however_often_the_carrier_is_asked() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        carrier = await w.connect("correios", seed=9)
        await w.open_stock(CANECA=10)
        _order, code = await sold_and_posted(w, store, carrier)
        await scan(w, carrier, code, steps=5)
        assert (await parcel(w, code))[0] == "out_for_delivery"
        await scan(w, carrier, code)
        status, news = await parcel(w, code)
        assert status == "delivered"
        assert news[-1] == "delivered"
        assert len(news) == len(set(news))
        events = len(await w.rows("SELECT 1 FROM tracking_event"))
        assert events == 7
        before = told(store)
        await ask(w, carrier, code)
        assert len(await w.rows("SELECT 1 FROM tracking_event")) == events
        assert (await parcel(w, code))[1] == news
        assert told(store) == before
        await w.at_rest(CANECA=8)


async def test_a_parcel_not_found_yet_is_no_error() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        carrier = await w.connect("correios", seed=9)
        await w.open_stock(CANECA=10)
        order = await store.buy("CANECA")
        await w.settle()
        await note_parcel(w, store, carrier, order, "QQ123456785BR")
        row = await w.row("SELECT status, track_due_at, track_attempts, news_told FROM shipment")
        assert row["status"] == "label_created"
        assert row["track_due_at"] is not None
        assert row["track_attempts"] == 0
        assert await w.alerts() == []
        await w.at_rest(CANECA=9)


async def test_a_delivery_that_the_carrier_takes_back_is_taken_back() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        carrier = await w.connect("correios", seed=9)
        await w.open_stock(CANECA=10)
        _order, code = await sold_and_posted(w, store, carrier, journey="corrected")
        await scan(w, carrier, code, steps=6)
        assert (await parcel(w, code))[0] == "delivered"
        before = told(store)

        await scan(w, carrier, code)  # EST01: disregard the information before
        status, news = await parcel(w, code)
        assert status == "out_for_delivery"
        assert await w.rows("SELECT 1 FROM tracking_event WHERE revoked AND status = 'delivered'")
        await scan(w, carrier, code, steps=3)
        assert (await parcel(w, code))[0] == "delivered"
        assert (await parcel(w, code))[1].count("delivered") == 1
        assert news.count("delivered") == 1
        assert told(store) == before
        await w.at_rest(CANECA=8)


async def test_what_the_marketplace_carries_itself_it_is_not_told() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        await w.open_stock(CANECA=10)
        order = await market.buy("CANECA", 2)
        await market.act("dispatch", order_ref=order)
        await market.act("deliver", order_ref=order)
        await w.at_rest(CANECA=8)
        assert market.calls()["POST /shipments/{id}/seller_notifications"] == 0
        assert (await w.order(order))["status"] == "delivered"


async def test_a_marketplace_order_sent_by_the_sellers_own_carrier_is_told() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=2, me1=True)
        carrier = await w.connect("correios", seed=9)
        await w.open_stock(CANECA=10)
        told = await market.act("buy", lines=[{"sku": "CANECA", "quantity": 2}])
        await w.settle()
        code = (await carrier.act("post", journey="delivered"))["code"]
        await note_parcel(w, market, carrier, told["order_ref"], code)

        shipment = vars(market.sandbox)["parcels"][int(told["shipment_ref"])]
        assert (shipment.status, shipment.tracking) == ("shipped", code)
        await scan(w, carrier, code, steps=6)
        assert shipment.status == "delivered"
        assert market.calls()["POST /shipments/{id}/seller_notifications"] == 2
        await w.at_rest(CANECA=8)
        assert (await w.order(told["order_ref"]))["status"] == "delivered"


async def test_a_store_that_is_down_is_told_when_it_is_back() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        carrier = await w.connect("correios", seed=9)
        await w.open_stock(CANECA=10)
        order = await store.buy("CANECA")
        await w.settle()
        store.turn(down=True)
        code = (await carrier.act("post"))["code"]
        told = Shipment(ref=f"hub:{code}", carrier="Correios", tracking_code=code)
        order_id = (await w.order(order))["id"]
        async with w.rt.db.seller(w.seller_id) as tx:
            await shipments.add(tx, store.account.id, order_id, told, carrier.account.id, w.rt.now())
        await w.until("SELECT 1 FROM shipment WHERE news_attempts > 1")
        store.turn(down=False)
        await w.at_rest(CANECA=9)
        assert (await parcel(w, code))[1] == ["dispatched"]
        assert vars(store.sandbox)["placed"][int(order)].status == "completed"


async def test_a_code_that_the_channel_tells_is_tracked_from_then_on() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        carrier = await w.connect("correios", seed=9)
        await w.open_stock(CANECA=10)
        code = (await carrier.act("post", journey="delivered"))["code"]
        told = await market.act("buy", lines=[{"sku": "CANECA", "quantity": 1}])
        vars(market.sandbox)["parcels"][int(told["shipment_ref"])].tracking = code
        await market.act("dispatch", order_ref=told["order_ref"])
        await w.settle()

        row = await w.row("SELECT carrier_account_id, status FROM shipment")
        assert row["carrier_account_id"] == carrier.account.id
        await w.settle()
        assert (await w.row("SELECT count(*) AS scans FROM tracking_event"))["scans"] >= 1

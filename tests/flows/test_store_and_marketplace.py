"""Mercado Livre and WooCommerce over one stock: whatever happens on one is true on the other."""

from typing import Any

from hub.sandbox import Product
from jobs import kits
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
PRATO = Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590)
KIT = Product(sku="KIT", title="Kit café", quantity=3, price_cents=8990)
FULL = Product(sku="PANELA", title="Panela", quantity=7, price_cents=9990, managed_by="marketplace")
OWN = Product(sku="PANELA", title="Panela", quantity=5, price_cents=9990)


async def both(w: World, *products: Product, **options: Any) -> tuple[Channel, Channel]:
    """A store and a marketplace that sell the same."""
    store = await w.connect("woocommerce", products, seed=1)
    return store, await w.connect("mercadolivre", products, seed=2, **options)


async def test_a_sale_on_either_lowers_the_other() -> None:
    async with world() as w:
        store, market = await both(w, CANECA, PRATO)
        await w.open_stock(CANECA=10, PRATO=4)

        await market.buy("CANECA", 3)
        await w.at_rest(CANECA=7, PRATO=4)
        await store.buy("CANECA", 2)
        await store.buy("PRATO", 4)
        await w.at_rest(CANECA=5, PRATO=0)

        assert await w.level("CANECA") == (10, 5)
        assert await w.level("PRATO") == (4, 4)
        assert await w.alerts() == []


async def test_a_pack_of_two_listings_is_two_orders_and_one_shipment() -> None:
    async with world() as w:
        _store, market = await both(w, CANECA, PRATO)
        await w.open_stock(CANECA=10, PRATO=4)

        told = await market.act("buy", lines=[{"sku": "CANECA", "quantity": 2}, {"sku": "PRATO"}])
        await w.at_rest(CANECA=8, PRATO=3)

        orders = await w.rows("SELECT ref, group_ref FROM orders ORDER BY ref")
        assert orders == [{"ref": ref, "group_ref": told["pack_ref"]} for ref in sorted(told["order_refs"])]
        assert (await w.row("SELECT ref FROM shipment"))["ref"] == told["shipment_ref"]
        served = await w.rows("SELECT DISTINCT order_id FROM shipment_line")
        assert len(served) == 2

        await market.act("dispatch", order_ref=told["order_ref"])
        await w.at_rest(CANECA=8, PRATO=3)
        assert (await w.level("CANECA"), await w.level("PRATO")) == ((8, 0), (3, 0))


async def test_a_pack_cancelled_in_part_gives_back_that_part_alone() -> None:
    async with world() as w:
        _store, market = await both(w, CANECA, PRATO)
        await w.open_stock(CANECA=10, PRATO=4)
        told = await market.act("buy", lines=[{"sku": "CANECA", "quantity": 2}, {"sku": "PRATO"}])
        await w.settle()

        await market.act("cancel", order_ref=told["order_refs"][0])
        await w.at_rest(CANECA=10, PRATO=3)

        assert (await w.order(told["order_refs"][0]))["status"] == "cancelled"
        assert (await w.order(told["order_refs"][1]))["status"] == "paid"


async def test_a_kit_sold_on_one_lowers_kit_and_components_on_the_other() -> None:
    async with world() as w:
        store, market = await both(w, CANECA, PRATO, KIT)
        await w.count(CANECA=10, PRATO=4)
        await kits.set_kit(w.rt, w.seller_id, "KIT", {"CANECA": 2, "PRATO": 1})
        await w.at_rest(CANECA=10, PRATO=4, KIT=4)

        await store.buy("KIT")
        await w.at_rest(CANECA=8, PRATO=3, KIT=3)
        await market.buy("CANECA", 5)
        await w.at_rest(CANECA=3, PRATO=3, KIT=1)

        assert await w.level("CANECA") == (10, 7)


async def test_a_cancelled_sale_comes_back_everywhere_and_is_held_by_nobody() -> None:
    async with world() as w:
        store, market = await both(w, CANECA, PRATO)
        await w.open_stock(CANECA=10, PRATO=4)
        here, there = await store.buy("PRATO", 2), await market.buy("PRATO", 2)
        await w.at_rest(PRATO=0)

        await market.act("cancel", order_ref=there)
        await w.at_rest(PRATO=2)
        await store.act("cancel", order_ref=here)
        await w.at_rest(PRATO=4)

        assert await w.level("PRATO") == (4, 0)
        assert await w.rows("SELECT * FROM reservation") == []


async def test_an_order_paid_later_holds_its_units_from_the_start() -> None:
    async with world() as w:
        store, _market = await both(w, CANECA)
        await w.open_stock(CANECA=10)

        ref = await store.buy("CANECA", 4, pay=False)
        await w.at_rest(CANECA=6)
        assert (await w.order(ref))["status"] == "placed"
        await store.act("pay", order_ref=ref)
        await w.at_rest(CANECA=6)

        assert (await w.order(ref))["status"] == "paid"
        assert await w.level("CANECA") == (10, 4)


async def test_an_edited_order_holds_what_it_says_now() -> None:
    async with world() as w:
        store, _market = await both(w, CANECA, PRATO)
        await w.open_stock(CANECA=10, PRATO=4)
        ref = await store.buy("CANECA", 3)
        await w.at_rest(CANECA=7)

        order = store.sandbox.placed[int(ref)]  # type: ignore[attr-defined]  # the store's own book
        store.sandbox._give(order.lines[0], 2)  # type: ignore[attr-defined]  # a person edits the order there
        order.lines[0].quantity = 1
        order.lines[0].off = 1
        store.sandbox._changed(order)  # type: ignore[attr-defined]
        await w.at_rest(CANECA=9)

        assert await w.level("CANECA") == (10, 1)


async def test_goods_that_leave_and_come_back_unseen_are_not_for_sale() -> None:
    async with world() as w:
        _store, market = await both(w, CANECA)
        await w.open_stock(CANECA=10)
        ref = await market.buy("CANECA", 3)
        await market.act("dispatch", order_ref=ref)
        await w.at_rest(CANECA=7)
        assert await w.level("CANECA") == (7, 0)

        await market.act("return", order_ref=ref)
        await w.at_rest(CANECA=7)

        assert await w.level("CANECA") == (7, 0)
        assert [row["reason"] for row in await w.rows("SELECT reason FROM stock_movement ORDER BY at")] == [
            "opening",
            "dispatch",
        ]


async def test_what_the_marketplace_keeps_itself_never_touches_our_stock() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA, OWN], seed=1)
        market = await w.connect("mercadolivre", [CANECA, FULL], seed=2)
        await w.open_stock(CANECA=10, PANELA=5)
        before = market.writes()

        ref = await market.buy("PANELA", 2)
        await w.at_rest(CANECA=10, PANELA=5)
        await market.act("dispatch", order_ref=ref)
        await market.act("deliver", order_ref=ref)
        await w.at_rest(CANECA=10, PANELA=5)

        assert (await w.order(ref))["fulfilled_by"] == "marketplace"
        assert await w.level("PANELA") == (5, 0)
        assert market.writes() == before
        full = market.sandbox.products["PANELA"]  # type: ignore[attr-defined]
        assert full.quantity == 5  # 7 less the 2 sold, by nobody else's hand

        await store.buy("PANELA", 5)
        await w.at_rest(PANELA=0)
        assert market.writes() == before
        assert full.quantity == 5


async def test_who_fulfils_is_waited_for_and_then_the_sale_counts() -> None:
    async with world() as w:
        store, market = await both(w, CANECA)
        await w.open_stock(CANECA=10)

        parcels, parcel = await _unshipped(market, "CANECA", 3)
        row = await w.until("SELECT * FROM orders WHERE fulfilled_by_due IS NOT NULL")
        assert row["fulfilled_by"] is None
        assert await w.level("CANECA") == (10, 0)
        assert store.shelf() == {"CANECA": 10}

        parcels[parcel.id] = parcel
        await w.hurry()
        await w.at_rest(CANECA=7)
        assert await w.level("CANECA") == (10, 3)
        assert (await w.row("SELECT fulfilled_by_due FROM orders"))["fulfilled_by_due"] is None


async def test_full_told_late_counts_for_nothing() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [OWN], seed=1)
        market = await w.connect("mercadolivre", [FULL], seed=2)
        await w.open_stock(PANELA=5)

        parcels, parcel = await _unshipped(market, "PANELA", 2)
        await w.until("SELECT * FROM orders WHERE fulfilled_by_due IS NOT NULL")
        parcels[parcel.id] = parcel
        await w.hurry()
        await w.at_rest(PANELA=5)

        assert store.shelf() == {"PANELA": 5}
        assert await w.level("PANELA") == (5, 0)


async def test_who_fulfils_never_told_counts_as_ours_with_an_alert() -> None:
    async with world() as w:
        _store, market = await both(w, CANECA)
        await w.open_stock(CANECA=10)

        await _unshipped(market, "CANECA", 3)
        await w.until("SELECT * FROM orders WHERE fulfilled_by_due IS NOT NULL")
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE orders SET fulfilled_by_due = now() - interval '1 second'")
        await w.hurry()
        await w.at_rest(CANECA=7)

        assert await w.alerts() == ["fulfiller_unknown"]


async def test_a_slot_is_not_raised_while_a_sale_of_it_waits_for_its_fulfiller() -> None:
    async with world() as w:
        store, market = await both(w, CANECA)
        await w.open_stock(CANECA=10)
        await _unshipped(market, "CANECA", 3)
        await w.until("SELECT * FROM orders WHERE fulfilled_by_due IS NOT NULL")
        assert market.shelf() == {"CANECA": 7}
        before = market.writes()

        await store.buy("CANECA", 1)  # computed: 9, and 9 there would put two of the three sold units back
        free = "SELECT * FROM stock_slot WHERE desired = 9 AND expected = 7 AND due_at <= now() AND NOT withheld"
        await w.until(free)
        for _ in range(5):
            await w.drain()

        assert market.writes() == before
        assert market.shelf() == {"CANECA": 7}


async def _unshipped(market: Channel, sku: str, quantity: int) -> tuple[dict[int, Any], Any]:
    """A sale whose shipment cannot be read yet. Answers where to put it, and it."""
    told = await market.act("buy", lines=[{"sku": sku, "quantity": quantity}])
    parcels: dict[int, Any] = vars(market.sandbox)["parcels"]
    return parcels, parcels.pop(int(told["shipment_ref"]))


async def test_two_accounts_of_one_marketplace_share_one_stock() -> None:
    async with world() as w:
        one = await w.connect("mercadolivre", [CANECA], name="Um", seed=1)
        two = await w.connect("mercadolivre", [CANECA], name="Dois", seed=2, user_id=987654321)
        await w.open_stock(CANECA=10)

        await one.buy("CANECA", 4)
        await w.at_rest(CANECA=6)
        await two.buy("CANECA", 6)
        await w.at_rest(CANECA=0)

        assert one.account.app_id == two.account.app_id is not None
        assert await w.level("CANECA") == (10, 10)


async def test_stock_by_location_is_written_with_the_version_that_was_read() -> None:
    async with world() as w:
        store, market = await both(w, CANECA, warehouse_management=True)
        await w.open_stock(CANECA=10)
        await store.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        await market.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        assert market.calls()["PUT /user-products/{id}/stock/type/seller_warehouse"] >= 1


async def test_stock_by_location_is_looked_at_first_so_that_each_change_is_one_write() -> None:
    async with world() as w:
        _store, market = await both(w, CANECA, warehouse_management=True)
        await w.open_stock(CANECA=10)
        route = "PUT /user-products/{id}/stock/type/seller_warehouse"
        market.turn(webhook_drop=1.0)  # no echo has the version read again
        before = market.calls()[route]
        for units in (8, 6, 3):
            await w.count(CANECA=units)
            await w.at_rest(CANECA=units)
        assert market.calls()[route] - before == 3  # none was refused for the version of the write before


async def test_a_sale_that_nobody_told_us_of_makes_a_write_by_location_stale_not_wrong() -> None:
    async with world() as w:
        store, market = await both(w, CANECA, warehouse_management=True)
        await w.open_stock(CANECA=10)
        market.turn(webhook_drop=1.0)
        sold: list[str] = []

        async def sell(_request: object) -> None:
            if not sold:
                sold.append(await market.buy("CANECA", 2))

        with market.meddling(before=sell):
            await store.buy("CANECA", 3)
            await w.settle()
        assert market.shelf()["CANECA"] <= 7  # the units sold there were never put back for anybody to buy
        await w.hurry("poll")
        await w.at_rest(CANECA=5)

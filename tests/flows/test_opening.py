"""Linking first, read-only; then the opening truth; only then writes."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.sandbox import Product
from hub.store import stock
from jobs import approval, linking, opening
from jobs.connect import Refused
from tests.world import world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
PRATO = Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590)
NAMELESS = Product(sku="LOJA-1", title="Caneca", quantity=10, price_cents=3990, gtin="7891000315507")


async def test_nothing_is_written_to_an_account_before_it_is_approved() -> None:
    async with world() as w:
        seen = await w.connect("woocommerce", [CANECA, PRATO], approve=False, seed=1)
        live = await w.connect("mercadolivre", [CANECA], seed=2)
        asked = seen.calls()
        await w.open_stock(CANECA=7, PRATO=0)
        await live.buy("CANECA", 2)
        await w.at_rest()

        assert seen.shelf() == {"CANECA": 10, "PRATO": 4}
        changed = [route for route in (seen.calls() - asked) if not route.startswith("GET ")]
        assert changed == []
        assert asked["POST /wp-json/wc/v3/products/batch"] == 1  # the check: an empty batch changes nothing
        would = {row["sku"]: (row["shows"], row["desired"]) for row in await approval.preview(w.rt, seen.account)}
        assert would == {"CANECA": (10, 5), "PRATO": (4, 0)}

        await approval.approve(w.rt, seen.account)
        await w.at_rest(CANECA=5, PRATO=0)
        assert seen.calls()["POST /wp-json/wc/v3/webhooks"] == 8


async def test_a_line_that_nobody_linked_is_told_and_counts_once_it_is() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", [NAMELESS], name="Um", seed=1)
        await w.connect("woocommerce", [CANECA], name="Dois", seed=2)
        await w.open_stock(CANECA=10)
        await one.buy("LOJA-1", 4)
        await w.at_rest(CANECA=10)
        assert await w.alerts() == ["line_unlinked"]
        assert await w.level("CANECA") == (10, 0)

        listing = await w.row("SELECT id FROM listing WHERE channel_sku = 'LOJA-1'")
        await linking.link(w.rt, w.seller_id, listing["id"], "CANECA")
        await w.at_rest(CANECA=6)

        assert one.shelf() == {"LOJA-1": 6}
        assert await w.level("CANECA") == (10, 4)
        assert await w.alerts() == []


async def test_a_link_of_three_in_a_pack_takes_three() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", [NAMELESS], name="Um", seed=1)
        await w.connect("woocommerce", [CANECA], name="Dois", seed=2)
        await w.open_stock(CANECA=10)
        listing = await w.row("SELECT id FROM listing WHERE channel_sku = 'LOJA-1'")
        await linking.link(w.rt, w.seller_id, listing["id"], "CANECA", 3)
        await w.at_rest(CANECA=10)
        assert one.shelf() == {"LOJA-1": 3}

        await one.buy("LOJA-1", 2)
        await w.at_rest(CANECA=4)
        assert one.shelf() == {"LOJA-1": 1}


async def test_a_sku_made_later_is_linked_by_its_code_or_its_gtin() -> None:
    async with world() as w:
        await w.connect("woocommerce", [CANECA, NAMELESS], seed=1)
        assert len(await w.rows("SELECT id FROM listing WHERE sku_id IS NULL")) == 2

        await w.open_stock(CANECA=10)
        async with w.rt.db.seller(w.seller_id) as tx:
            await stock.sku_put(tx, "OUTRO-CODIGO", gtin="7891000315507")
        assert await linking.autolink(w.rt, w.seller_id) == linking.Linked(linked=1, left=0)

        links = await w.rows("SELECT k.code, l.linked_by FROM listing l JOIN sku k ON k.id = l.sku_id ORDER BY k.code")
        assert links == [{"code": "CANECA", "linked_by": "sku"}, {"code": "OUTRO-CODIGO", "linked_by": "gtin"}]
        await w.at_rest(CANECA=10)


async def test_the_opening_counts_what_an_account_shows_and_what_its_open_orders_hold() -> None:
    async with world() as w:
        source = await w.connect("woocommerce", [CANECA, PRATO], approve=False, name="Fonte", seed=1)
        other = await w.connect("mercadolivre", [CANECA, PRATO], approve=False, seed=2)
        await linking.autolink(w.rt, w.seller_id, create=True)
        await source.buy("CANECA", 3)
        gone = await source.buy("PRATO", 1)
        await source.act("complete", order_ref=gone)
        elsewhere = await other.buy("CANECA", 2)
        await w.hurry("poll", "listings")
        await w.settle()

        opened = await opening.open_from(w.rt, source.account)
        assert {row.sku: row.after for row in opened} == {"CANECA": 10, "PRATO": 3}
        assert await w.level("CANECA") == (10, 5)
        assert await w.level("PRATO") == (3, 0)

        writes = source.writes()
        for channel in (source, other):
            await approval.approve(w.rt, channel.account)
        await w.at_rest(CANECA=5, PRATO=3)
        assert source.writes() == writes + 1  # the other account's open order was not on its shelf
        assert (await w.order(elsewhere))["status"] == "paid"


async def test_what_left_before_the_opening_never_moves_the_stock() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=1)
        store = await w.connect("woocommerce", [CANECA], seed=2)
        left, delivered = await market.buy("CANECA", 2), await store.buy("CANECA", 1)
        await market.act("dispatch", order_ref=left)
        await store.act("complete", order_ref=delivered)
        waiting = await market.buy("CANECA", 1)
        await w.settle()

        await w.open_stock(CANECA=7)
        await w.at_rest(CANECA=6)
        await market.act("deliver", order_ref=left)
        await market.act("dispatch", order_ref=waiting)
        await w.at_rest(CANECA=6)

        assert await w.level("CANECA") == (6, 0)
        moved = await w.rows("SELECT reason, delta FROM stock_movement ORDER BY at, id")
        assert moved == [{"reason": "opening", "delta": 7}, {"reason": "dispatch", "delta": -1}]


async def test_what_left_before_the_opening_and_is_first_heard_of_after_it_never_moves_the_stock() -> None:
    async with world() as w:
        await w.open_stock(CANECA=7)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE sku SET stock_since = now() + interval '2 seconds'")
        market = await w.connect("mercadolivre", [CANECA], approve=False, seed=1)
        ref = await market.buy("CANECA", 2)
        await market.act("dispatch", order_ref=ref)
        await w.at_rest()

        assert (await w.order(ref))["status"] == "dispatched"
        assert await w.level("CANECA") == (7, 0)


async def test_null_is_not_zero() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", [CANECA, PRATO], seed=1)
        two = await w.connect("mercadolivre", [CANECA, PRATO], seed=2)
        await linking.autolink(w.rt, w.seller_id, create=True)
        await w.open_stock(CANECA=10)
        before = (one.writes(), two.writes())

        await one.buy("PRATO", 3)
        await w.at_rest(CANECA=10)

        assert (one.shelf()["PRATO"], two.shelf()["PRATO"]) == (1, 4)
        assert (one.writes(), two.writes()) == before
        slots = await w.rows(
            "SELECT DISTINCT s.desired FROM stock_slot s JOIN sku k ON k.id = s.sku_id WHERE k.code = 'PRATO'"
        )
        assert slots == [{"desired": None}]

        await w.open_stock(PRATO=4)  # counted: the three sold are among them
        await w.at_rest(CANECA=10, PRATO=1)


async def test_a_sale_after_the_last_reading_is_counted_once_in_the_opening() -> None:
    async with world() as w:
        source = await w.connect("woocommerce", [CANECA, PRATO], seed=1)
        await linking.autolink(w.rt, w.seller_id, create=True)
        await w.pass_time()
        await source.buy("CANECA", 3)
        await w.settle()  # by its webhook: the listing was not read again
        told = {row.sku: (row.shows, row.held, row.units) for row in await opening.preview(w.rt, source.account)}
        assert told == {"CANECA": (7, 3, 10), "PRATO": (4, 0, 4)}
        assert await w.rows("SELECT 1 AS opened FROM sku WHERE opened_at IS NOT NULL") == []

        await opening.open_from(w.rt, source.account)
        await w.at_rest(CANECA=7, PRATO=4)
        assert await w.level("CANECA") == (10, 3)


async def test_units_that_the_channel_did_not_take_off_are_not_added_again() -> None:
    async with world() as w:
        source = await w.connect("woocommerce", [CANECA], seed=1, unpaid_status="pending")
        await linking.autolink(w.rt, w.seller_id, create=True)
        await w.pass_time()
        await source.buy("CANECA", 3, pay=False)
        await w.settle()
        (told,) = await opening.preview(w.rt, source.account)
        assert (told.shows, told.held, told.units) == (10, 0, 10)


async def test_where_physical_stock_is_told_that_number_alone_opens() -> None:
    async with world() as w:
        source = await w.connect("magento", [CANECA], approve=False, seed=1)
        await linking.autolink(w.rt, w.seller_id, create=True)
        await source.buy("CANECA", 3)
        await w.hurry("poll", "listings", "reconcile")
        await w.settle()
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("DELETE FROM orders")  # too old to be told: only the channel knows what it holds
        (told,) = await opening.preview(w.rt, source.account)
        assert (told.shows, told.held, told.units) == (10, 0, 10)
        await opening.open_from(w.rt, source.account)
        assert await w.level("CANECA") == (10, 0)


async def test_a_count_may_be_true_as_of_earlier() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=1)
        first = await market.buy("CANECA", 2)
        await market.act("dispatch", order_ref=first)
        await w.settle()
        await w.open_stock(CANECA=7)
        await w.at_rest(CANECA=7)
        later = await market.buy("CANECA", 1)
        await market.act("dispatch", order_ref=later)
        await w.at_rest(CANECA=6)

        before = datetime.now(UTC) - timedelta(days=1)
        assert await opening.set_since(w.rt, w.seller_id, "CANECA", before) == 1
        assert await w.level("CANECA") == (4, 0)  # the seven were counted yesterday: two left since
        await w.at_rest(CANECA=4)
        assert await opening.set_since(w.rt, w.seller_id, "CANECA", datetime.now(UTC)) == 2
        assert await w.level("CANECA") == (7, 0)
        await w.at_rest(CANECA=7)
        with pytest.raises(Refused, match="still to come"):
            await opening.set_since(w.rt, w.seller_id, "CANECA", datetime.now(UTC) + timedelta(hours=1))
        with pytest.raises(Refused, match="no SKU"):
            await opening.set_since(w.rt, w.seller_id, "XICARA", before)

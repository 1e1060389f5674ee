"""An account whose numbers are the truth: what changes there moves the ledger, once, and everybody follows."""

import base64

import aiohttp
import pytest
from aiohttp import web

from hub.sandbox import Product
from jobs import approval, linking, opening, roles
from jobs.connect import Refused
from tests.world import Channel, World, world

SHELF = [
    Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990),
    Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590),
]


async def edit(channel: Channel, sku: str, units: int) -> None:
    """Somebody types another number into the store itself."""
    told = channel.sandbox.credentials(str(channel.server.make_url("")).rstrip("/"))
    item = vars(channel.sandbox)["by_sku"][sku]
    key = base64.b64encode(f"{told['consumer_key']}:{told['consumer_secret']}".encode()).decode()
    url, body = f"{told['store_url']}/wp-json/wc/v3/products/{item.id}", {"stock_quantity": units}
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Basic {key}"}) as session,
        session.put(url, json=body) as answer,
    ):
        assert answer.status == 200, await answer.text()


async def moves(w: World, code: str = "CANECA") -> list[tuple[str, int]]:
    rows = await w.rows(
        "SELECT m.reason, m.delta FROM stock_movement m JOIN sku k ON k.id = m.sku_id WHERE k.code = %s "
        "ORDER BY m.at, m.id", code,
    )  # fmt: skip
    return [(row["reason"], row["delta"]) for row in rows]


async def shop(w: World, **options: str) -> tuple[Channel, Channel]:
    """A source, its stock opened from it, and a market that follows."""
    source = await w.connect("woocommerce", SHELF, name="Fonte", seed=1)
    # Without a public address a marketplace knocks for ever at none.
    other = "mercadolivre" if w.rt.policy.public_url else "woocommerce"
    market = await w.connect(other, SHELF, name="Outro", seed=2)

    await linking.autolink(w.rt, w.seller_id, create=True)
    await roles.switch(w.rt, source.account, "source", **options)
    await w.account(source)
    await w.hurry("source")
    await w.settle()
    await w.pass_time()
    return source, market


async def test_the_source_opens_the_stock_and_what_is_edited_there_shows_everywhere() -> None:
    async with world() as w:
        source, market = await shop(w)
        assert await w.level("CANECA") == (10, 0)
        await w.at_rest(CANECA=10, PRATO=4)
        writes = source.writes()

        await edit(source, "CANECA", 25)
        await w.at_rest(CANECA=25, PRATO=4)
        await w.pass_time()
        await edit(source, "PRATO", 1)
        await w.at_rest(CANECA=25, PRATO=1)

        assert await moves(w) == [("opening", 10), ("adjustment", 15)]
        assert await moves(w, "PRATO") == [("opening", 4), ("adjustment", -3)]
        assert market.shelf() == {"CANECA": 25, "PRATO": 1}
        assert source.writes() == writes


async def test_without_a_webhook_the_walk_finds_the_edit() -> None:
    async with world(public_url=None) as w:
        source, market = await shop(w)
        await edit(source, "CANECA", 7)
        await w.hurry("listings", "reconcile")
        await w.at_rest(CANECA=7)
        assert market.shelf()["CANECA"] == 7
        assert await moves(w) == [("opening", 10), ("adjustment", -3)]


async def test_a_sale_at_the_source_moves_the_ledger_once() -> None:
    async with world() as w:
        source, market = await shop(w)
        writes = source.writes()
        ref = await source.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        await w.hurry("listings", "reconcile")
        await w.at_rest(CANECA=7)
        assert await w.level("CANECA") == (10, 3)
        await source.act("complete", order_ref=ref)
        await w.at_rest(CANECA=7)
        assert await w.level("CANECA") == (7, 0)
        assert await moves(w) == [("opening", 10), ("dispatch", -3)]
        assert source.writes() == writes
        assert market.shelf()["CANECA"] == 7


async def test_a_sale_that_the_walk_meets_before_its_order_is_no_edit() -> None:
    async with world(public_url=None) as w:
        source, _market = await shop(w)
        await source.buy("CANECA", 3)
        await w.hurry("listings", "reconcile")  # the poll is an hour away
        await w.at_rest(CANECA=7)
        assert await moves(w) == [("opening", 10)]
        assert await w.level("CANECA") == (10, 3)


async def test_a_sale_elsewhere_is_told_to_the_source_as_a_decrement_of_what_it_shows() -> None:
    async with world() as w:
        source, market = await shop(w)
        ref = await market.buy("CANECA", 2)
        await w.at_rest(CANECA=8)
        await market.act("dispatch", order_ref=ref)
        await w.hurry("listings", "reconcile", "source")
        await w.at_rest(CANECA=8)
        assert source.shelf()["CANECA"] == 8
        assert await moves(w) == [("opening", 10), ("dispatch", -2)]


async def test_an_edit_and_a_sale_elsewhere_at_once_both_count() -> None:
    async with world() as w:
        source, market = await shop(w)
        await edit(source, "CANECA", 30)
        await market.buy("CANECA", 2)
        await w.at_rest(CANECA=28)
        assert source.shelf()["CANECA"] == market.shelf()["CANECA"] == 28
        assert await moves(w) == [("opening", 10), ("adjustment", 20)]


async def test_an_edit_that_nobody_told_us_is_not_overwritten_by_the_decrement() -> None:
    """The write finds another number than reckoned: that is adopted first."""
    async with world(public_url=None) as w:
        source, market = await shop(w)
        await edit(source, "CANECA", 30)
        with source.reading_writes() as told:
            await market.buy("CANECA", 2)
            await w.hurry("poll")
            await w.at_rest()
        assert told == [28]
        assert await moves(w) == [("opening", 10), ("adjustment", 20)]
        await w.at_rest(CANECA=28)


async def test_a_write_whose_answer_is_lost_is_not_taken_for_an_edit() -> None:
    async with world() as w:
        source, market = await shop(w)

        lost: list[str] = []

        async def hang_up_once(request: web.Request) -> None:
            if not lost and request.transport is not None:
                lost.append(request.path)
                request.transport.close()

        with source.meddling(after=hang_up_once):
            await market.buy("CANECA", 2)
            await w.settle()
        assert lost
        await w.hurry("source")
        await w.at_rest(CANECA=8)
        assert await moves(w) == [("opening", 10)]
        assert source.shelf()["CANECA"] == 8


async def test_a_cancelled_sale_at_the_source_gives_its_unit_back_once() -> None:
    async with world() as w:
        source, _market = await shop(w)
        ref = await source.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        await w.pass_time()
        await source.act("cancel", order_ref=ref)
        await w.hurry("source")
        await w.at_rest(CANECA=10)
        assert await w.level("CANECA") == (10, 0)
        assert await moves(w) == [("opening", 10)]


async def test_a_source_that_imports_orders_by_itself_is_never_written_to() -> None:
    async with world() as w:
        source, market = await shop(w, told="orders")
        writes = source.writes()
        await market.buy("CANECA", 2)
        await w.settle()
        assert source.writes() == writes
        assert source.shelf()["CANECA"] == 10
        assert market.shelf()["CANECA"] == 8
        await edit(source, "CANECA", 15)
        await w.settle()
        assert source.writes() == writes
        assert market.shelf()["CANECA"] == 13
        assert await moves(w) == [("opening", 10), ("adjustment", 5)]


async def test_the_role_is_previewed_and_two_sources_or_two_places_are_refused() -> None:
    twin = Product(sku="CANECA-B", title="Caneca igual", quantity=9, price_cents=3990)
    async with world() as w:
        one = await w.connect("woocommerce", SHELF, name="Um", seed=1)
        two = await w.connect("woocommerce", [*SHELF, twin], name="Dois", seed=2)
        await w.open_stock(CANECA=7, PRATO=4)
        await w.at_rest(CANECA=7, PRATO=4)
        await one.buy("CANECA", 2)
        await w.at_rest(CANECA=5)
        openings = await roles.rehearse_source(w.rt, one.account)
        told = {row.sku: (row.shows, row.held, row.units, row.on_hand) for row in openings}
        assert told == {"CANECA": (5, 2, 7, 7), "PRATO": (4, 0, 4, 4)}
        await roles.switch(w.rt, one.account, "source")
        with pytest.raises(Refused, match="Um is the source already"):
            await roles.switch(w.rt, two.account, "source")
        await roles.switch(w.rt, await w.account(one), "target")

        listing = await w.row("SELECT id, ref FROM listing WHERE channel_sku = 'CANECA-B'")
        await linking.link(w.rt, w.seller_id, listing["id"], "CANECA")
        with pytest.raises(Refused, match=f"CANECA in .*{listing['ref']}"):
            await roles.switch(w.rt, two.account, "source")
        await linking.link(w.rt, w.seller_id, listing["id"], None)
        await roles.switch(w.rt, two.account, "source")
        with pytest.raises(Refused, match="Dois is the source of stock and tells CANECA"):
            await linking.link(w.rt, w.seller_id, listing["id"], "CANECA")


async def test_an_account_without_a_role_is_left_alone_and_comes_back_as_a_target() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", SHELF, name="Um", seed=1)
        await w.open_stock(CANECA=7, PRATO=4)
        await roles.switch(w.rt, one.account, "none")
        await w.account(one)
        await w.open_stock(CANECA=3)
        await w.at_rest()
        assert one.shelf()["CANECA"] == 7
        counts, rows = await roles.rehearse_target(w.rt, one.account)
        assert counts["less"] == 1
        assert (rows[0]["sku"], rows[0]["shows"], rows[0]["desired"]) == ("CANECA", 7, 3)
        assert await w.rows("SELECT id FROM stock_slot WHERE desired IS NOT NULL") == []
        await roles.switch(w.rt, one.account, "target")
        await w.at_rest(CANECA=3)


async def test_openings_roles_and_approvals_are_refused_before_the_orders_were_read() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", SHELF, approve=False, seed=1)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE task SET succeeded_at = NULL WHERE kind = 'poll'")
        with pytest.raises(Refused, match="its orders are not read yet"):
            await opening.open_from(w.rt, one.account)
        with pytest.raises(Refused, match="its orders are not read yet"):
            await roles.switch(w.rt, one.account, "source")
        with pytest.raises(Refused, match="its orders are not read yet"):
            await approval.approve(w.rt, one.account)

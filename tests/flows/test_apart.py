"""Two sellers in one installation: the same SKUs, nothing in common."""

from typing import Any

from hub.sandbox import Product
from jobs import connect, linking
from tests.world import World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
TABLES = ("stock_level", "stock_slot", "orders", "reservation", "alert", "inbox", "sku", "listing", "push_log", "task")


async def everything(w: World) -> dict[str, Any]:
    return {table: sorted(map(str, await w.rows(f"SELECT * FROM {table}"))) for table in TABLES}


async def test_what_one_seller_does_leaves_the_other_untouched() -> None:
    async with world() as mine:
        theirs = await mine.neighbour()
        my_store = await mine.connect("woocommerce", [CANECA], seed=1)
        my_market = await mine.connect("mercadolivre", [CANECA], seed=2)
        their_store = await theirs.connect("woocommerce", [CANECA], seed=3)
        their_market = await theirs.connect("mercadolivre", [CANECA], seed=4, user_id=987654321)
        await mine.open_stock(CANECA=10)
        await theirs.open_stock(CANECA=8)
        await theirs.at_rest(CANECA=8)
        before, calls = await everything(theirs), their_store.calls() + their_market.calls()

        ref = await my_store.buy("CANECA", 3)
        await my_market.buy("CANECA", 2)
        await mine.at_rest(CANECA=5)
        await my_store.act("cancel", order_ref=ref)
        await linking.autolink(mine.rt, mine.seller_id, create=True)
        await connect.pause(mine.rt, my_market.account, "férias")
        await mine.open_stock(CANECA=20)
        await mine.at_rest()

        assert await everything(theirs) == before
        assert their_store.calls() + their_market.calls() == calls
        assert their_store.shelf() == their_market.shelf() == {"CANECA": 8}
        await theirs.kept(at_rest=True)


async def test_the_same_shop_cannot_be_connected_by_two_sellers() -> None:
    async with world() as mine:
        theirs = await mine.neighbour()
        store = await mine.connect("woocommerce", [CANECA], seed=1)
        told = store.sandbox.credentials(str(store.server.make_url("")).rstrip("/"))
        made = await connect.account_add(theirs.rt, theirs.seller_id, "woocommerce", told)
        assert made.problem is not None
        assert "connected already" in made.problem


async def test_both_sellers_of_one_application_are_told_apart() -> None:
    async with world() as mine:
        theirs = await mine.neighbour()
        my_market = await mine.connect("mercadolivre", [CANECA], seed=1)
        their_market = await theirs.connect("mercadolivre", [CANECA], seed=2, user_id=987654321)
        assert my_market.account.app_id == their_market.account.app_id
        await mine.open_stock(CANECA=10)
        await theirs.open_stock(CANECA=10)
        await my_market.buy("CANECA", 3)
        await their_market.buy("CANECA", 1)
        await mine.at_rest(CANECA=7)
        await theirs.at_rest(CANECA=9)
        assert (await mine.level("CANECA"), await theirs.level("CANECA")) == ((10, 3), (10, 1))

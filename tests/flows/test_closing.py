"""An account's end: nothing is read or written any more, its history stays, and it may be connected again."""

from hub.sandbox import Product
from jobs import connect, roles
from tests.world import world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
HOOKS = "GET /wp-json/wc/v3/webhooks"


async def test_a_closed_account_is_silent_and_its_history_stays() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], name="Loja", seed=1)
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        await w.open_stock(CANECA=10)
        ref = await store.buy("CANECA", 2)
        await w.at_rest(CANECA=8)
        assert vars(store.sandbox)["hooks"]

        done = await roles.close(w.rt, store.account)
        assert (len(done.unsubscribed), done.problem, done.open_orders) == (8, None, 1)
        assert vars(store.sandbox)["hooks"] == {}
        assert await w.rows("SELECT 1 AS there FROM credential WHERE account_id = %s", store.account.id) == []
        calls = store.calls()
        await market.buy("CANECA", 1)
        await w.settle()
        assert store.calls() == calls
        assert (store.shelf()["CANECA"], market.shelf()["CANECA"]) == (8, 7)
        assert (await w.order(ref))["status"] == "paid"
        assert await w.level("CANECA") == (10, 3)
        await w.kept(at_rest=True)

        told = store.sandbox.credentials(str(store.server.make_url("")).rstrip("/"))
        again = await connect.account_add(w.rt, w.seller_id, "woocommerce", told, name="Loja")
        assert again.problem is None


async def test_an_account_whose_credentials_are_refused_is_closed_all_the_same() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        store.turn(down=True)
        done = await roles.close(w.rt, store.account)
        assert done.problem
        assert (await w.account(store)).status == "closed"

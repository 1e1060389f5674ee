"""Open orders of a disconnected account: a person says what became of each, and what will be sent keeps its units."""

import pytest

from hub.sandbox import Product
from hub.store import order_desk, stranded
from hub.stranded import Outcome
from jobs import admission, connect, roles
from jobs import stranded as flow
from jobs.stranded import Stays
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=20, price_cents=3990)
PRATO = Product(sku="PRATO", title="Prato raso", quantity=20, price_cents=1990)
NO, GONE, AGAIN = Outcome.CANCELLED, Outcome.SENT, Outcome.OPEN


async def settle(w: World, store: Channel, refs: list[str] | None, outcome: Outcome) -> tuple[int, list[str], int]:
    """(settled, why others stay, left), of orders by their refs."""
    ids = None if refs is None else [(await w.order(ref))["id"] for ref in refs]
    done = await flow.settle(w.rt, await w.account(store), ids, outcome, "loja fechada")
    await w.settle()
    return done.settled, sorted(stays.why for stays in done.stays), done.left


async def test_units_of_a_disconnected_accounts_orders_go_where_a_person_says() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA, PRATO], name="Loja", seed=1)
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        early = await store.buy("PRATO", 1)
        await w.settle()
        await w.open_stock(CANECA=10, PRATO=5)
        kept, sent, relayed, packed = [await store.buy("CANECA", units) for units in (2, 1, 3, 1)]
        await w.at_rest(CANECA=3, PRATO=4)
        with pytest.raises(Stays, match="its channel tells"):
            await settle(w, store, [kept], NO)
        await roles.close(w.rt, store.account)
        with pytest.raises(Stays, match="reason"):
            await flow.settle(w.rt, await w.account(store), None, NO, "  ")
        async with w.rt.db.seller(w.seller_id) as tx:
            await order_desk.mark(tx, [(await w.order(packed))["id"]], "packed", "Bia", w.rt.now())
            told = await stranded.counted(tx, store.account.id)
        assert told == {"orders": 5, "units": 8, "short": 0, "paid": 5}

        # Not to be sent: for sale again, everywhere. What left is no stock any more, and nobody gets it.
        assert await settle(w, store, [kept], NO) == (1, [], 4)
        assert (await w.level("CANECA"), market.shelf()["CANECA"]) == ((10, 5), 5)
        assert await settle(w, store, [kept], NO) == (0, ["nothing"], 4)
        assert await settle(w, store, [kept, packed], AGAIN) == (1, ["kept"], 5), "said by mistake"
        assert ((await w.order(kept))["status"], await w.level("CANECA")) == ("paid", (10, 7))
        with pytest.raises(Stays, match="name the orders"):
            await settle(w, store, None, AGAIN)
        assert await settle(w, store, [kept], NO) == (1, [], 4)
        assert await settle(w, store, [sent, early], GONE) == (2, [], 2)
        assert await settle(w, store, [sent], AGAIN) == (0, ["kept"], 2), "goods that left do not come back so"
        assert (await w.level("CANECA"), market.shelf()["CANECA"]) == ((9, 4), 5)
        assert await w.level("PRATO") == (4, 0), "it left now, after the stock was opened"
        statuses = [(await w.order(ref))["status"] for ref in (kept, sent)]
        assert statuses == ["cancelled", "dispatched"]
        await w.kept(at_rest=True)

        # Goods that may still be sent keep their units: packed, or the very sale that a live account tells.
        other = await market.buy("CANECA", 1)
        await w.settle()
        await w.rows("UPDATE orders SET origin_channel = 'woocommerce', origin_ref = %s WHERE ref = %s RETURNING id",
                     relayed, other)  # fmt: skip
        assert await settle(w, store, None, NO) == (0, ["followed", "packed"], 2)
        assert await w.level("CANECA") == (9, 5)
        log = await w.rows("SELECT params FROM audit_log WHERE action = 'order_settle' ORDER BY id")
        assert [(row["params"]["outcome"], row["params"]["units"]) for row in log] == [
            ("cancelled", 2), ("open", 2), ("cancelled", 2), ("sent", 1), ("sent", 1)
        ]  # fmt: skip

        # Connected again: what the channel tells goes before what a person said, but goods that left stay gone.
        credentials = connect.read_credentials(
            w.rt.adapter("woocommerce"), store.sandbox.credentials(str(store.server.make_url("")).rstrip("/"))
        )
        await admission.readmit(w.rt, await w.account(store), credentials)
        await w.settle()
        statuses = [(await w.order(ref))["status"] for ref in (kept, sent)]
        assert statuses == ["paid", "dispatched"]
        assert await w.level("CANECA") == (9, 7)
        await w.kept()

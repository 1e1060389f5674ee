"""The ledger: every unit that moved, by how much, to what balance, why, who and for which order."""

import asyncio
from contextvars import Context
from typing import Any
from unittest.mock import patch

import pytest

from hub.context import acting_as
from hub.sandbox import Product
from hub.store import kits, ledger, orders, stock
from jobs import counts
from jobs.connect import Refused
from jobs.kits import set_kit
from jobs.ledger import adjust
from tests.world import World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


async def history(w: World, code: str) -> list[tuple[str, int, int, str, str | None]]:
    """(reason, delta, balance, who, order) of a SKU's entries, oldest first."""
    async with w.rt.db.seller(w.seller_id) as tx:
        sku = await stock.sku_id(tx, code)
        assert sku is not None
        rows = await ledger.history(tx, sku)
    return [(r["reason"], r["delta"], r["balance"], r["made_by"], r["order_number"]) for r in reversed(rows)]


async def test_every_entry_tells_its_balance_who_and_for_which_order() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=1)
        with acting_as("cli:ana"):
            await w.open_stock(CANECA=10)
            await adjust(w.rt, w.seller_id, "CANECA", -2, "quebra")
        ref = await market.buy("CANECA", 3)
        await w.settle()
        await market.act("dispatch", order_ref=ref)
        await w.at_rest(CANECA=5)
        assert await history(w, "CANECA") == [
            ("opening", 10, 10, "cli:ana", None),
            ("adjustment", -2, 8, "cli:ana", None),
            ("dispatch", -3, 5, "flow", ref),
        ]


async def test_an_adjustment_with_a_reference_is_booked_once() -> None:
    async with world() as w:
        await w.connect("woocommerce", [CANECA], seed=1)
        await w.open_stock(CANECA=10)
        done = await adjust(w.rt, w.seller_id, "CANECA", 5, "achados", ref="nota 7")
        assert done is not None
        assert (done.before, done.after) == (10, 15)
        assert await adjust(w.rt, w.seller_id, "CANECA", 5, "achados", ref="nota 7") is None
        told = await asyncio.gather(
            *(adjust(w.rt, w.seller_id, "CANECA", 1, "achado", ref="nota 8") for _ in range(4)), return_exceptions=True
        )
        assert sum(row is not None and not isinstance(row, BaseException) and row.delta == 1 for row in told) == 1
        await w.at_rest(CANECA=16)


async def test_an_adjustment_that_cannot_be_changes_nothing() -> None:
    async with world() as w:
        await w.connect("woocommerce", [CANECA], seed=1)
        await set_kit(w.rt, w.seller_id, "KIT", {"CANECA": 2}, create=True)
        for code, why in (("CANECA", "not open"), ("KIT", "is a kit"), ("XIS", "there is no SKU")):
            with pytest.raises(Refused, match=why):
                await adjust(w.rt, w.seller_id, code, 1, "x")
        await w.open_stock(CANECA=2)
        with pytest.raises(Refused, match="would leave -1"):
            await adjust(w.rt, w.seller_id, "CANECA", -3, "x")
        with pytest.raises(Refused, match="there is no warehouse"):
            await adjust(w.rt, w.seller_id, "CANECA", 1, "x", warehouse="nenhum")
        assert [row[:2] for row in await history(w, "CANECA")] == [("opening", 2)]
        await w.at_rest(CANECA=2)


async def test_an_order_that_comes_while_its_stock_is_opened_is_held() -> None:
    """Either the opening sees the order, or the order the opening: nothing falls between the two."""
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=1)
        async with w.rt.db.seller(w.seller_id) as tx:
            await ledger.put_skus(tx, ["CANECA", "PIRES"])  # sold by its code; no listing is linked to it yet
            known = await ledger.known(tx, ["CANECA", "PIRES"])
            await kits.kit_put(tx, known["CANECA"].id, {known["PIRES"].id: 2})
        opening, going_on = ledger.open_skus, []

        async def slowly(*args: Any) -> Any:
            done = await opening(*args)
            await market.buy("CANECA", 2)
            going_on.append(asyncio.create_task(w.settle(), context=Context()))
            await asyncio.sleep(0.5)
            return done

        with patch.object(ledger, "open_skus", slowly):
            await counts.set_stock(w.rt, w.seller_id, [("PIRES", 9)])
        await going_on[0]
        await w.kept(at_rest=True)
        assert await w.level("PIRES") == (9, 4)


async def test_whoever_fills_a_shortage_does_not_wait_for_whoever_works_on_that_order() -> None:
    """They would wait for each other: the one has the levels and tells the order, the other wants the levels."""
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        await w.open_stock(CANECA=10)
        ref = await store.buy("CANECA", 6)
        await w.settle()
        await w.count(CANECA=4)
        assert await w.short() == {ref: 2}
        order = await w.order(ref)
        async with w.rt.db.seller(w.seller_id) as tx:
            assert await orders.lock_id(tx, order["id"])
            found = asyncio.create_task(adjust(w.rt, w.seller_id, "CANECA", 5, "achados"), context=Context())
            done, _waiting = await asyncio.wait([found], timeout=5)
        await found
        assert done
        await w.at_rest(CANECA=3)

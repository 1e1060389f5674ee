"""Purchase orders: sent, received in parts into the ledger, shortages first, nothing moved twice."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from hub.sandbox import Product
from hub.store import suppliers
from jobs import purchase
from jobs.connect import Refused
from tests.world import World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


async def ordered(w: World, cost: int | None = 500, *, send: bool = True, **units: int) -> UUID:
    """A purchase order that was sent."""
    async with w.rt.db.seller(w.seller_id) as tx:
        if await suppliers.named(tx, "Fornecedora") is None:
            await suppliers.add(tx, "Fornecedora", lead_time_days=10)
    told = {code: (quantity, cost) for code, quantity in units.items()}
    number = await purchase.create(w.rt, w.seller_id, "Fornecedora", told)
    (row,) = await w.rows("SELECT id FROM purchase_order WHERE number = %s", number)
    if send:
        await purchase.send(w.rt, w.seller_id, row["id"])
    made: UUID = row["id"]
    return made


async def came(w: World, order: UUID, ref: str, units: int, cost: int | None = None, **more: Any) -> purchase.Received:
    return await purchase.receive(w.rt, w.seller_id, order, ref, {"CANECA": (units, cost)}, **more)


async def status(w: World, order: UUID) -> str:
    row = await w.row("SELECT status FROM purchase_order WHERE id = %s", order)
    told: str = row["status"]
    return told


async def test_parts_come_into_the_ledger_and_onto_the_channels() -> None:
    async with world() as w:
        shop = await w.connect("woocommerce", [CANECA], seed=1)
        await w.open_stock(CANECA=10)
        order = await ordered(w, CANECA=30)
        assert await came(w, order, "a", 12) == purchase.Received("partial", 12, again=False)
        await w.at_rest(CANECA=22)
        assert await came(w, order, "b", 18) == purchase.Received("received", 18, again=False)
        await w.at_rest(CANECA=40)
        assert shop.shelf() == {"CANECA": 40}
        moves = await w.rows("SELECT delta, source_ref FROM stock_movement WHERE reason = 'receipt' ORDER BY at")
        assert [row["delta"] for row in moves] == [12, 18]
        assert len({row["source_ref"] for row in moves}) == 2


async def test_a_form_sent_twice_moves_stock_once() -> None:
    async with world() as w:
        await w.open_stock(CANECA=10)
        order = await ordered(w, CANECA=30)
        told = await asyncio.gather(*(came(w, order, "same form", 10) for _ in range(5)))
        assert sorted(each.again for each in told) == [False, True, True, True, True]
        assert await w.level("CANECA") == (20, 0)
        assert await came(w, order, "the next", 20) == purchase.Received("received", 20, again=False)
        assert (await came(w, order, "same form", 10)).again, "also after the order is done"
        assert await w.level("CANECA") == (40, 0)
        await w.kept()


async def test_what_comes_fills_shortages_first_and_the_rest_is_for_sale() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", [CANECA], name="Um", seed=1)
        two = await w.connect("mercadolivre", [CANECA], seed=2)
        await w.open_stock(CANECA=10)
        await one.buy("CANECA", 10)
        await two.buy("CANECA", 10)
        await w.at_rest(CANECA=0)
        assert sum((await w.short()).values()) == 10
        order = await ordered(w, CANECA=14)
        await came(w, order, "a", 4)
        await w.at_rest(CANECA=0)
        assert sum((await w.short()).values()) == 6
        await came(w, order, "b", 10)
        await w.at_rest(CANECA=4)
        assert await w.short() == {}
        assert "shortage" not in await w.alerts()


async def test_more_than_was_ordered_is_asked() -> None:
    async with world() as w:
        await w.open_stock(CANECA=0)
        order = await ordered(w, CANECA=10)
        await came(w, order, "a", 6)
        with pytest.raises(Refused, match="CANECA: 11 would have come of 10 ordered"):
            await came(w, order, "b", 5)
        assert await w.level("CANECA") == (6, 0)
        assert await came(w, order, "b", 5, over=True) == purchase.Received("received", 5, again=False)
        with pytest.raises(Refused, match="is received: confirm"):
            await came(w, order, "c", 1)
        await came(w, order, "c", 1, over=True)
        assert await w.level("CANECA") == (12, 0)
        await w.kept()


@pytest.mark.parametrize(
    ("units", "sentence"),
    [
        ({"PRATO": (1, None)}, "PRATO is not in purchase order"),
        ({"CANECA": (-1, None)}, "quantity of CANECA: -1"),
        ({"CANECA": (1, -5)}, "cost of CANECA: -5"),
        ({}, "no units"),
        ({"CANECA": (0, None)}, "no units"),
    ],
)
async def test_what_cannot_have_come_is_refused_in_a_sentence(units: Any, sentence: str) -> None:
    async with world() as w:
        await w.open_stock(CANECA=0, PRATO=0)
        order = await ordered(w, CANECA=10)
        with pytest.raises(Refused, match=sentence):
            await purchase.receive(w.rt, w.seller_id, order, "a", units)
        assert await w.rows("SELECT FROM purchase_receipt") == []
        assert await status(w, order) == "sent"


async def test_a_sku_that_was_never_counted_is_not_opened_by_what_came() -> None:
    async with world() as w:
        await w.connect("woocommerce", [CANECA], approve=False, seed=1)
        async with w.rt.db.seller(w.seller_id) as tx:
            from hub.store import stock

            await stock.sku_put(tx, "CANECA")
        order = await ordered(w, CANECA=10)
        with pytest.raises(Refused, match="never counted"):
            await came(w, order, "a", 10)
        await w.open_stock(CANECA=0)
        await came(w, order, "a", 10)
        assert await w.level("CANECA") == (10, 0)


async def test_the_cost_is_averaged_by_what_came() -> None:
    async with world() as w:
        await w.open_stock(CANECA=10)
        cost = "SELECT cost_cents FROM sku WHERE code = 'CANECA'"
        first = await ordered(w, 1000, CANECA=10)
        await came(w, first, "a", 10)
        assert (await w.row(cost))["cost_cents"] == 1000, "no cost was known of the first ten"
        second = await ordered(w, 1000, CANECA=20)
        await came(w, second, "a", 10, 2500)
        assert (await w.row(cost))["cost_cents"] == 1500
        await came(w, second, "b", 10)
        assert (await w.row(cost))["cost_cents"] == 1375
        third = await ordered(w, None, CANECA=10)
        await came(w, third, "a", 10)
        assert (await w.row(cost))["cost_cents"] == 1375


async def test_closed_short_and_called_off_only_when_it_makes_sense() -> None:
    async with world() as w:
        await w.open_stock(CANECA=0)
        order = await ordered(w, CANECA=10)
        with pytest.raises(Refused, match="cancel it instead"):
            await purchase.close_short(w.rt, w.seller_id, order)
        await came(w, order, "a", 4)
        with pytest.raises(Refused, match="close it short instead"):
            await purchase.cancel(w.rt, w.seller_id, order)
        await purchase.close_short(w.rt, w.seller_id, order)
        assert await status(w, order) == "closed"
        other = await ordered(w, CANECA=10)
        await purchase.cancel(w.rt, w.seller_id, other)
        with pytest.raises(Refused, match="is cancelled: this can be done while it is"):
            await came(w, other, "a", 4)
        with pytest.raises(Refused, match="is cancelled"):
            await purchase.send(w.rt, w.seller_id, other)
        assert await w.level("CANECA") == (4, 0)


async def test_a_draft_is_edited_and_an_empty_one_is_not_sent() -> None:
    async with world() as w:
        await w.open_stock(CANECA=0, PRATO=0)
        order = await ordered(w, send=False, CANECA=10, PRATO=3)
        await purchase.edit(w.rt, w.seller_id, order, {"CANECA": (12, None), "PRATO": (0, None)})
        rows = await w.rows("SELECT quantity, cost_cents FROM purchase_order_line")
        assert rows == [{"quantity": 12, "cost_cents": 500}]
        await purchase.edit(w.rt, w.seller_id, order, {"CANECA": (0, None)})
        with pytest.raises(Refused, match="has no lines"):
            await purchase.send(w.rt, w.seller_id, order)
        await purchase.edit(w.rt, w.seller_id, order, {"CANECA": (5, 700)})
        await purchase.send(w.rt, w.seller_id, order)
        with pytest.raises(Refused, match="is sent: this can be done while it is draft"):
            await purchase.edit(w.rt, w.seller_id, order, {"CANECA": (6, None)})
        row = await w.row("SELECT expected_at - sent_at AS takes FROM purchase_order")
        assert row["takes"].days in (10, 14)


async def test_numbers_go_on_and_are_never_drawn_twice() -> None:
    async with world() as w:
        await w.open_stock(CANECA=0)
        await ordered(w, send=False, CANECA=1)
        await asyncio.gather(*(ordered(w, send=False, CANECA=1) for _ in range(4)))
        rows = await w.rows("SELECT number FROM purchase_order ORDER BY number")
        assert [row["number"] for row in rows] == ["1", "2", "3", "4", "5"]


async def test_a_purchase_is_not_received_where_nothing_is_sold_from() -> None:
    async with world() as w:
        await w.open_stock(CANECA=0)
        order = await ordered(w, CANECA=10)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("INSERT INTO warehouse (seller_id, id, code, name, kind) "
                         "VALUES (%s, gen_random_uuid(), 'AV', 'Avariados', 'damaged')", [tx.seller])  # fmt: skip
        with pytest.raises(Refused, match="not one of your own"):
            await came(w, order, "a", 10, warehouse="AV")
        with pytest.raises(Refused, match="there is no warehouse 'X'"):
            await came(w, order, "a", 10, warehouse="X")


async def test_a_kit_is_not_bought() -> None:
    async with world() as w:
        from jobs.kits import set_kit

        await w.open_stock(CANECA=0)
        await set_kit(w.rt, w.seller_id, "JOGO", {"CANECA": 2})
        with pytest.raises(Refused, match="JOGO is a kit"):
            await ordered(w, JOGO=1)

"""Goods that come back: a refund moves nothing, and whoever unpacks them says what became of each unit."""

from typing import Any
from uuid import UUID

import pytest

from hub.model import Disposition
from hub.sandbox import Product
from hub.store import ledger, warehouses
from hub.store import returns as kept
from jobs import counts
from jobs.connect import Refused
from jobs.kits import set_kit
from jobs.linking import link
from jobs.returns import receive
from tests.world import World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
SELLABLE, DAMAGED, LOST = Disposition.SELLABLE, Disposition.DAMAGED, Disposition.LOST


async def stands(w: World, sku: str = "CANECA") -> dict[str, int]:
    """Units on hand by warehouse."""
    rows = await w.rows(
        "SELECT w.code, l.on_hand FROM stock_level l JOIN warehouse w ON w.id = l.warehouse_id "
        "JOIN sku k ON k.id = l.sku_id WHERE k.code = %s AND l.on_hand <> 0",
        sku,
    )
    return {row["code"]: row["on_hand"] for row in rows}


async def waiting(w: World) -> list[tuple[str, int, int]]:
    """(return, told, pending) of what nobody has looked at."""
    async with w.rt.db.seller(w.seller_id) as tx:
        rows = await kept.listed(tx, every=False, limit=100)
    return [(row["return_ref"], row["told"], row["pending"]) for row in rows]


async def got(w: World, named: str, units: int, as_: Disposition, **more: Any) -> int:
    """Receive; answers by how much the ledger moved."""
    return (await receive(w.rt, w.seller_id, named, units=units, disposition=as_, **more)).moved


async def test_a_refund_alone_moves_nothing_and_what_comes_back_goes_where_it_belongs() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        await w.open_stock(CANECA=10)
        ref = await store.buy("CANECA", 3)
        await w.settle()
        await store.act("complete", order_ref=ref)
        await w.at_rest(CANECA=7)
        await store.act("return", order_ref=ref)  # the money, not the goods
        await w.at_rest(CANECA=7)
        assert (await w.order(ref))["payment"] == "refunded"

        assert await got(w, ref, 1, SELLABLE) == 1
        await w.at_rest(CANECA=8)
        assert await got(w, ref, 1, SELLABLE) == 0  # said again
        assert await got(w, ref, 1, DAMAGED) == 1
        assert await got(w, ref, 1, LOST) == 0
        await w.at_rest(CANECA=8)
        assert await stands(w) == {"principal": 8, "avariados": 1}
        with pytest.raises(Refused, match="left, 2 cannot be back; 1 damaged, 1 lost noted already"):
            await got(w, ref, 2, SELLABLE)

        assert await got(w, ref, 0, DAMAGED) == -1  # it was not broken after all
        assert await got(w, ref, 2, SELLABLE) == 1
        await w.at_rest(CANECA=9)
        assert await stands(w) == {"principal": 9}
        events = await w.rows("SELECT params->>'disposition' AS d FROM order_event WHERE kind = 'return_received'")
        assert [row["d"] for row in events] == ["sellable", "damaged", "lost", "damaged", "sellable"]


async def test_units_go_back_to_the_warehouse_that_they_left_from_or_the_named_one() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        async with w.rt.db.seller(w.seller_id) as tx:
            await warehouses.warehouse_add(tx, "SP", "São Paulo", rank=1)
            await warehouses.warehouse_add(tx, "QUEBRADOS", "Quebrados", kind="damaged")
        await w.open_stock(CANECA=3)  # the first by rank: SP
        await counts.set_stock(w.rt, w.seller_id, [("CANECA", 5)], warehouse="principal")
        ref = await store.buy("CANECA", 2)
        await w.settle()
        await store.act("complete", order_ref=ref)
        await w.at_rest()
        assert await stands(w) == {"SP": 1, "principal": 5}
        await got(w, ref, 1, SELLABLE)
        assert await stands(w) == {"SP": 2, "principal": 5}
        await got(w, ref, 1, SELLABLE, warehouse="principal")
        assert await stands(w) == {"SP": 2, "principal": 6}
        await got(w, ref, 0, SELLABLE, warehouse="principal")
        await got(w, ref, 1, DAMAGED)
        assert await stands(w) == {"SP": 2, "principal": 5, "QUEBRADOS": 1}
        for fate, house, why in (
            (SELLABLE, "QUEBRADOS", "kind damaged"), (DAMAGED, "SP", "kind own"), (LOST, "SP", "stand nowhere"),
            (SELLABLE, "nenhum", "there is no warehouse"),
        ):  # fmt: skip
            with pytest.raises(Refused, match=why):
                await got(w, ref, 1, fate, warehouse=house)
        await w.at_rest(CANECA=7)


async def test_what_a_channel_tells_as_returned_waits_for_somebody_and_packs_and_kits_come_back_whole() -> None:
    async with world() as w:
        market = await w.connect("mercadolivre", [CANECA], seed=1)
        await set_kit(w.rt, w.seller_id, "JOGO", {"XICARA": 2, "PIRES": 1}, create=True)
        (row,) = await w.rows("SELECT id FROM listing")
        listing: UUID = row["id"]
        await link(w.rt, w.seller_id, listing, "JOGO", 3)
        await w.open_stock(XICARA=60, PIRES=30)
        await w.at_rest(CANECA=10)
        ref = await market.buy("CANECA", 2)  # two packs of three kits
        await w.settle()
        await market.act("dispatch", order_ref=ref)
        await w.at_rest(CANECA=8)
        assert (await stands(w, "XICARA"), await stands(w, "PIRES")) == ({"principal": 48}, {"principal": 24})
        await market.act("return", order_ref=ref)
        await w.at_rest(CANECA=8)
        assert await waiting(w) == [("balcao", 2, 2)]
        assert await got(w, ref, 1, SELLABLE) == 9
        assert await got(w, ref, 1, DAMAGED, line=(await w.row("SELECT ref FROM order_line"))["ref"]) == 9
        await w.at_rest(CANECA=9)
        assert await stands(w, "XICARA") == {"principal": 54, "avariados": 6}
        assert await stands(w, "PIRES") == {"principal": 27, "avariados": 3}
        assert await waiting(w) == []


async def test_a_return_fills_a_shortage_first_and_one_from_before_the_opening_counts() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        early = await store.buy("CANECA", 2)
        await store.act("complete", order_ref=early)
        await w.settle()
        await w.open_stock(CANECA=4)
        late = await store.buy("CANECA", 4)
        await w.settle()
        await w.count(CANECA=3)
        await w.settle()
        assert await w.short() == {late: 1}
        assert await got(w, early, 2, SELLABLE) == 2  # not among the four that were counted
        await w.at_rest(CANECA=1)
        assert await w.short() == {}
        assert await w.level("CANECA") == (5, 4)


async def test_units_received_before_the_opening_count_are_among_those_counted() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        async with w.rt.db.seller(w.seller_id) as tx:
            await ledger.put_skus(tx, ["CANECA", "CANECA AZUL"])
        ref = await store.buy("CANECA", 3)
        await store.act("complete", order_ref=ref)
        await w.settle()
        assert await got(w, ref, 2, SELLABLE) == 0  # nothing is counted yet
        await w.open_stock(**{"CANECA": 9, "CANECA AZUL": 5})
        await w.at_rest(CANECA=9)
        (row,) = await w.rows("SELECT id FROM listing")
        await link(w.rt, w.seller_id, row["id"], "CANECA AZUL")  # it was another one all along
        await w.at_rest(CANECA=5)
        assert (await stands(w), await stands(w, "CANECA AZUL")) == ({"principal": 9}, {"principal": 5})
        assert await got(w, ref, 3, SELLABLE) == 1
        await w.at_rest(CANECA=6)


async def test_what_cannot_come_back_is_refused() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA, Product(sku="PRATO", title="Prato", quantity=5, price_cents=1)])
        await counts.set_stock(w.rt, w.seller_id, [("CANECA", 10), ("PRATO", 5)], create=True)
        await w.settle()
        told = await store.act("buy", lines=[{"sku": "CANECA", "quantity": 1}, {"sku": "PRATO", "quantity": 1}])
        ref = str(told["order_ref"])
        await w.settle()
        with pytest.raises(Refused, match="has left: cancel it"):
            await got(w, ref, 1, SELLABLE, line="CANECA")
        await store.act("complete", order_ref=ref)
        await w.settle()
        with pytest.raises(Refused, match="needs --line: its lines are"):
            await got(w, ref, 1, SELLABLE)
        with pytest.raises(Refused, match="has no one line 'XIS'"):
            await got(w, ref, 1, SELLABLE, line="XIS")
        with pytest.raises(Refused, match="2 cannot be back"):
            await got(w, ref, 2, SELLABLE, line="CANECA")
        with pytest.raises(Refused, match="there is no return or order '999999'"):
            await got(w, "999999", 1, SELLABLE)
        assert await got(w, ref, 1, SELLABLE, line="PRATO") == 1
        await w.at_rest(CANECA=9, PRATO=5)


async def test_the_invariant_sees_a_return_that_the_ledger_does_not_have() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        await w.open_stock(CANECA=10)
        ref = await store.buy("CANECA", 3)
        await w.settle()
        await store.act("complete", order_ref=ref)
        await w.settle()
        await got(w, ref, 1, SELLABLE)
        await w.at_rest(CANECA=8)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE return_receipt SET quantity = 2")
        with pytest.raises(AssertionError, match="I5 movements sum to what each line got back"):
            await w.kept(at_rest=True)

"""Kits of kits on two channels: one shelf behind them, whoever sells, and recipes that change."""

import asyncio

import pytest

from hub.sandbox import Product
from jobs import counts, kits
from jobs.connect import Refused
from tests.flows.test_warehouses import held, places, put, settled, written
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=0, price_cents=3990)
PRATO = Product(sku="PRATO", title="Prato fundo", quantity=0, price_cents=2990)
PIRES = Product(sku="PIRES", title="Pires", quantity=0, price_cents=990)
CAFE = Product(sku="CAFE", title="Kit café", quantity=0, price_cents=9990)
MESA = Product(sku="MESA", title="Kit mesa", quantity=0, price_cents=19990)
SHELF = [CANECA, PRATO, PIRES, CAFE, MESA]
MADE_OF = {"CAFE": {"CANECA": 2, "PIRES": 2}, "MESA": {"CAFE": 1, "PRATO": 2, "CANECA": 1}}
PARTS = {
    "CANECA": {"CANECA": 1}, "PRATO": {"PRATO": 1}, "PIRES": {"PIRES": 1}, "CAFE": {"CANECA": 2, "PIRES": 2},
    "MESA": {"CANECA": 3, "PIRES": 2, "PRATO": 2},
}  # fmt: skip


async def shops(w: World, **units: int) -> tuple[Channel, Channel]:
    await counts.set_stock(w.rt, w.seller_id, list(units.items()), create=True)
    for kit, parts in MADE_OF.items():
        await kits.set_kit(w.rt, w.seller_id, kit, parts)
    store, market = await w.connect("woocommerce", SHELF, seed=1), await w.connect("mercadolivre", SHELF, seed=2)
    await w.settle()
    return store, market


def shown(**free: int) -> dict[str, int]:
    return {sku: min(free[part] // each for part, each in parts.items()) for sku, parts in PARTS.items()}


async def test_nested_kits_sold_at_once_on_two_channels_never_promise_a_component_twice() -> None:
    async with world() as w:
        store, market = await shops(w, CANECA=30, PIRES=20, PRATO=12)
        await w.at_rest(**shown(CANECA=30, PIRES=20, PRATO=12))
        sold = [(store, "MESA", 1), (market, "CAFE", 2), (store, "CANECA", 3), (market, "MESA", 2), (store, "PIRES", 4)]
        await asyncio.gather(*(shop.buy(sku, units) for shop, sku, units in sold))
        taken = dict.fromkeys(("CANECA", "PIRES", "PRATO"), 0)
        for _shop, sku, units in sold:
            for part, each in PARTS[sku].items():
                taken[part] += each * units
        assert taken == {"CANECA": 16, "PIRES": 14, "PRATO": 6}
        await w.at_rest(**shown(CANECA=14, PIRES=6, PRATO=6))
        assert await w.short() == {}
        for part, units in taken.items():
            assert (await w.level(part))[1] == units


async def test_components_that_two_channels_sold_at_once_in_different_kits_are_short_once() -> None:
    async with world() as w:
        store, market = await shops(w, CANECA=6, PIRES=20, PRATO=12)
        await w.at_rest(MESA=2, CAFE=3)
        here, there = await asyncio.gather(store.buy("MESA", 2), market.buy("CAFE", 3))
        await w.at_rest(CANECA=0, MESA=0, CAFE=0)
        short = await w.rows("SELECT k.code, s.quantity FROM shortage s JOIN sku k ON k.id = s.sku_id")
        assert short == [{"code": "CANECA", "quantity": 6}]
        await counts.set_stock(w.rt, w.seller_id, [("CANECA", 13)])
        await w.at_rest(CANECA=1)
        assert await w.short() == {}
        assert await w.level("CANECA") == (13, 12)
        assert {*(await held(w, here)), *(await held(w, there))} == {
            ("CANECA", "principal"), ("PIRES", "principal"), ("PRATO", "principal"),
        }  # fmt: skip


async def test_a_new_recipe_is_for_what_is_still_to_be_sent_and_not_for_what_has_left() -> None:
    async with world() as w:
        store, market = await shops(w, CANECA=20, PIRES=20, PRATO=12)
        gone, waiting = await store.buy("CAFE"), await market.buy("CAFE")
        await w.settle()
        await store.act("complete", order_ref=gone)
        await w.at_rest()
        assert (await w.level("CANECA"), await w.level("PIRES")) == ((18, 2), (18, 2))

        await kits.set_kit(w.rt, w.seller_id, "CAFE", {"CANECA": 1, "PRATO": 1})
        assert await held(w, waiting) == {("CANECA", "principal"): 1, ("PRATO", "principal"): 1}
        # Half a kit: MESA = CAFE + 2 PRATO + CANECA.
        await w.at_rest(CAFE=11, CANECA=17, PIRES=18, MESA=3)

        # Told again, it moves nothing: it left by the recipe of its day, and comes back by it.
        await store.act("return", order_ref=gone, restock=True)
        await w.pass_time()
        await w.at_rest()
        left = await w.rows(
            """SELECT k.code, sum(m.delta)::int AS units FROM stock_movement m JOIN sku k ON k.id = m.sku_id
               WHERE m.reason = 'dispatch' GROUP BY k.code ORDER BY k.code"""
        )
        assert left == [{"code": "CANECA", "units": -2}, {"code": "PIRES", "units": -2}]


async def test_a_kit_that_is_no_kit_any_more_gives_its_components_back() -> None:
    async with world() as w:
        store, _market = await shops(w, CANECA=10, PIRES=10, PRATO=12)
        ref = await store.buy("CAFE", 2)
        await w.at_rest(CANECA=6, PIRES=6)
        assert await kits.unset_kit(w.rt, w.seller_id, "CAFE") == 1
        assert await held(w, ref) == {}
        await w.settle()
        assert (await w.level("CANECA"), await w.level("PIRES")) == ((10, 0), (10, 0))
        await w.at_rest(CANECA=10, PIRES=10)
        # Counted as itself, it is what the order waits for; MESA, which holds it, is for sale by it.
        await counts.set_stock(w.rt, w.seller_id, [("CAFE", 3)])
        await w.at_rest(CAFE=1, MESA=1)
        assert await held(w, ref) == {("CAFE", "principal"): 2}
        with pytest.raises(Refused, match="units of CAFE are counted"):
            await kits.set_kit(w.rt, w.seller_id, "CAFE", {"CANECA": 1})


async def test_a_recipe_that_changes_while_the_kit_sells_is_one_or_the_other() -> None:
    async with world() as w:
        store, market = await shops(w, CANECA=60, PIRES=60, PRATO=60)

        async def change() -> None:
            for units in (1, 3, 1):
                await kits.set_kit(w.rt, w.seller_id, "CAFE", {"CANECA": units, "PIRES": 1})

        refs = [await shop.buy(sku) for shop in (store, market) for sku in ("CAFE", "MESA", "CAFE")]
        await asyncio.gather(change(), w.drain(), w.drain())
        await w.at_rest(CAFE=60 - 6 - 2)
        for ref in refs:
            assert (await held(w, ref))["PIRES", "principal"] == 1
        assert await w.level("CANECA") == (60, 6 + 2)


async def test_a_sale_that_is_being_written_is_waited_for() -> None:
    async with world() as w:
        store, _market = await shops(w, CANECA=10, PIRES=10, PRATO=10)
        async with w.rt.db.seller(w.seller_id) as tx:
            # Its line is written, its recipe may have been read, and no level is locked yet.
            await written(tx, store, "MESA")
            changing = asyncio.ensure_future(kits.set_kit(w.rt, w.seller_id, "CAFE", {"PIRES": 1}))
            await asyncio.sleep(0.5)
            assert not changing.done()
            await settled(w, tx, store, None, "MESA")
        await changing
        assert await held(w, "77") == {
            ("CANECA", "principal"): 2, ("PIRES", "principal"): 2, ("PRATO", "principal"): 4,
        }  # fmt: skip
        await w.kept()


async def test_a_kit_stays_together_unless_it_may_come_from_several_warehouses() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=4, PRATO=1)
        await put(w, "filial", PIRES=4, PRATO=1)
        store, _market = await shops(w)
        await w.at_rest(CAFE=0, CANECA=4, PIRES=4)
        await kits.set_kit(w.rt, w.seller_id, "CAFE", MADE_OF["CAFE"], loose=True)
        await w.at_rest(CAFE=2)
        ref = await store.buy("CAFE", 2)
        await w.at_rest(CAFE=0, CANECA=0)
        assert await held(w, ref) == {("CANECA", "principal"): 4, ("PIRES", "filial"): 4}


async def test_a_kit_is_filled_where_it_was_begun() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=2, PIRES=2)
        store, market = await shops(w, PRATO=0)
        await w.at_rest(CAFE=1)
        await asyncio.gather(store.buy("CAFE"), market.buy("CAFE"))
        await w.at_rest(CAFE=0)
        (short,) = (await w.short()).keys()
        await put(w, "filial", CANECA=2)  # begun here
        assert await held(w, short) == {("CANECA", "filial"): 2}
        await put(w, "principal", PIRES=9)  # of no use to it there
        assert await held(w, short) == {("CANECA", "filial"): 2}
        await put(w, "filial", PIRES=2)
        assert await held(w, short) == {("CANECA", "filial"): 2, ("PIRES", "filial"): 2}
        assert await w.short() == {}
        await w.at_rest()


@pytest.mark.parametrize(
    ("code", "parts", "why"),
    [
        ("CAFE", {"MESA": 1}, "CAFE would hold itself, through its component MESA"),
        ("CAFE", {"CAFE": 1}, "CAFE would hold itself"),
        ("CANECA", {"PIRES": 1}, "units of CANECA are counted"),
        ("CAFE", {"XICARA": 1}, "there is no SKU 'XICARA'"),
    ],
)
async def test_a_kit_that_cannot_be(code, parts, why) -> None:
    async with world() as w:
        await counts.set_stock(w.rt, w.seller_id, [("CANECA", 1), ("PIRES", 1), ("PRATO", 1)], create=True)
        for kit, made_of in MADE_OF.items():
            await kits.set_kit(w.rt, w.seller_id, kit, made_of)
        before = await w.rows("SELECT * FROM kit_component ORDER BY kit_id, sku_id")
        with pytest.raises(Refused, match=why):
            await kits.set_kit(w.rt, w.seller_id, code, parts)
        assert await w.rows("SELECT * FROM kit_component ORDER BY kit_id, sku_id") == before
        with pytest.raises(Refused, match="PRATO is no kit"):
            await kits.unset_kit(w.rt, w.seller_id, "PRATO")

"""Days rebuilt from orders and the ledger: what sold, and for how long there was nothing to sell."""

from hub.store import kits
from jobs import replenish
from tests.flows.replenishing import history
from tests.world import world


async def test_a_day_tells_its_sales_and_the_minutes_without_stock() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 5)
        await h.sale(sku, 2, ago=10)
        await h.sale(sku, 3, ago=7, hour=6)  # the last three: promised at six, whenever they leave
        await h.move(sku, 4, ago=5, hour=18)
        assert await h.days(sku) == {10: (2, 0), 7: (3, 18 * 60), 6: (0, 1440), 5: (0, 18 * 60)}


async def test_running_again_changes_nothing_and_a_lost_day_comes_back() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 50)
        await h.sale(sku, 2, ago=10)
        await h.sale(sku, 1, ago=3)
        first = await h.days(sku)
        assert first == {10: (2, 0), 3: (1, 0)}
        assert (await replenish.refresh(w.rt, w.seller_id)).days == 0
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("DELETE FROM stock_day WHERE sold = 2")
            await tx.run("UPDATE stock_day SET sold = 9")
        assert (await replenish.refresh(w.rt, w.seller_id)).days == 2
        assert await h.days(sku) == first


async def test_a_cancelled_order_is_no_demand_and_gives_back_its_units() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 2)
        order = await h.sale(sku, 2, ago=10, status="paid")
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE stock_level SET reserved = 2 WHERE sku_id = %s", [sku])
        assert (await h.days(sku))[10] == (2, 12 * 60)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE stock_level SET reserved = 0 WHERE sku_id = %s", [sku])
            await tx.run(
                "UPDATE orders SET status = 'cancelled', told = jsonb_build_object('cancelled_at', %s::text) "
                "WHERE id = %s", [h.at(9, 6).isoformat(), order],
            )  # fmt: skip
        assert await h.days(sku) == {10: (0, 12 * 60), 9: (0, 6 * 60)}


async def test_cancelled_units_of_a_line_do_not_count_and_returned_ones_do() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 50)
        await h.sale(sku, 5, ago=4, cancelled=2)
        await h.sale(sku, 3, ago=2, returned=3)
        assert await h.days(sku) == {4: (3, 0), 2: (3, 0)}
        row = await w.row("SELECT units FROM replenishment_plan")
        assert row["units"] == 6
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run('UPDATE seller SET settings = \'{"replenishment": {"returns_reduce": true}}\'')
        await h.days(sku)
        assert (await w.row("SELECT units FROM replenishment_plan"))["units"] == 3


async def test_a_kit_sale_is_demand_of_its_components() -> None:
    async with world() as w:
        h = await history(w)
        mug, plate, box, kit = [await h.sku(code, 90) for code in ("CANECA", "PRATO", "CAIXA", "JOGO")]
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE sku SET opened_at = NULL WHERE id IN (%s, %s)", [box, kit])
            await kits.kit_put(tx, box, {mug: 2})
            await kits.kit_put(tx, kit, {box: 3, plate: 1})
        await h.sale(kit, 2, ago=6, multiplier=2, moves=False)
        await h.sale(mug, 1, ago=6)
        assert (await h.days(mug))[6] == (2 * 2 * 3 * 2 + 1, 0)
        assert (await h.days(plate))[6] == (4, 0)
        assert await h.days(kit) == {}
        assert {row["sku_id"] for row in await w.rows("SELECT sku_id FROM replenishment_plan")} == {mug, plate}


async def test_what_a_marketplace_ships_is_counted_apart() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 5)
        await h.sale(sku, 5, ago=4, fulfilled_by="marketplace")
        assert await h.days(sku) == {4: (0, 0)}
        assert (await w.row("SELECT sold_elsewhere AS n FROM stock_day"))["n"] == 5
        plan = await w.row("SELECT units, units_elsewhere FROM replenishment_plan")
        assert plan == {"units": 0, "units_elsewhere": 5}


async def test_one_order_told_by_two_channels_is_one_demand() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 50)
        await h.sale(sku, 2, ago=4, key="mercadolivre:77", own=False, moves=False)
        await h.sale(sku, 2, ago=4, key="mercadolivre:77")
        assert await h.days(sku) == {4: (2, 0)}
        await h.sale(sku, 3, ago=3, key="mercadolivre:78", own=False, fulfilled_by="marketplace")
        await h.sale(sku, 3, ago=3, key="mercadolivre:78", own=False, fulfilled_by="marketplace")
        await h.days(sku)
        assert (await w.row("SELECT sold_elsewhere AS n FROM stock_day WHERE sold = 0"))["n"] == 3


async def test_the_day_of_the_opening_counts_from_its_hour_and_today_not_yet() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 50, ago=8, hour=9)
        await h.sale(sku, 1, ago=8, hour=10)
        await h.sale(sku, 1, ago=0, hour=0)
        assert await h.days(sku) == {8: (1, 9 * 60)}
        plan = await w.row("SELECT known_days, days, doubt FROM replenishment_plan")
        assert plan == {"known_days": 8, "days": 8 - 9 / 24, "doubt": "new"}


async def test_a_sku_opened_without_units_was_not_out_before() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 0, ago=3, hour=12)
        assert await h.days(sku) == {3: (0, 1440), 2: (0, 1440), 1: (0, 1440)}


async def test_an_order_older_than_the_opening_holds_its_units_until_it_is_cancelled() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 3, ago=8, hour=0)
        await h.sale(sku, 3, ago=9, status="cancelled", cancelled_ago=7)
        assert await h.days(sku) == {8: (0, 1440), 7: (0, 12 * 60)}


async def test_units_in_a_marketplaces_or_damaged_warehouse_are_not_for_sale() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 2)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run(
                "INSERT INTO warehouse (seller_id, id, code, name, kind) "
                "VALUES (%s, gen_random_uuid(), 'AV', 'Avariados', 'damaged')",
                [tx.seller],
            )
            await tx.run("INSERT INTO stock_level (seller_id, sku_id, warehouse_id, on_hand) "
                         "SELECT seller_id, %s, id, 40 FROM warehouse WHERE kind = 'damaged'", [sku])  # fmt: skip
        await h.sale(sku, 2, ago=2, hour=12)
        assert await h.days(sku) == {2: (2, 12 * 60), 1: (0, 1440)}


async def test_sellers_do_not_count_each_others_sales() -> None:
    async with world() as w:
        h = await history(w)
        sku = await h.sku("CANECA", 50)
        await h.sale(sku, 2, ago=4)
        other = await history(await w.neighbour())
        theirs = await other.sku("CANECA", 50)
        await other.sale(theirs, 7, ago=4)
        assert await h.days(sku) == {4: (2, 0)}
        assert await other.days(theirs) == {4: (7, 0)}

"""The invariant job: the same found in pieces as in one, nothing held for long, and results that are kept."""

import asyncio
from functools import partial

import psycopg

from hub.backoffice import invariants
from hub.sandbox import Product
from hub.store import invariants as kept
from jobs import prove
from tests.world import World, world

SHELF = [Product(sku=f"P{n:02}", title=f"Produto {n}", quantity=5, price_cents=1000) for n in range(12)]


def break_it(w: World) -> None:
    """What only a fault could do, done by the administrator."""
    with psycopg.connect(w.url, autocommit=True) as conn:
        conn.execute(
            "UPDATE stock_level SET on_hand = on_hand + 1 WHERE sku_id IN (SELECT id FROM sku WHERE code < 'P07')"
        )
        conn.execute("UPDATE stock_slot SET desired = 2, expected = 3, due_at = NULL WHERE sku_id = "
                     "(SELECT id FROM sku WHERE code = 'P09')")  # fmt: skip
        conn.execute(
            """INSERT INTO order_event (seller_id, id, order_id, kind, params)
               SELECT seller_id, gen_random_uuid(), id, 'status', '{"before": "delivered", "after": "paid"}'
               FROM orders"""
        )


def test_a_check_is_cut_where_its_query_says_so() -> None:
    for name, sql in kept.CHECKS.items():
        assert ("%(first)s" in sql and "%(last)s" in sql) is (kept.scope_of(name) is not None), name


async def test_pieces_find_what_one_look_finds() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", SHELF, seed=1)
        await w.open_stock(**{product.sku: product.quantity for product in SHELF})
        for product in SHELF[:5]:
            await one.buy(product.sku)
        await w.settle()
        begin = partial(w.rt.db.seller, w.seller_id)
        assert await invariants.check_in_pieces(begin, rows=4) == {}
        break_it(w)
        async with begin() as tx:
            whole = await kept.broken(tx, at_rest=False)
        pieces = await invariants.check_in_pieces(begin, rows=4)
        assert len(whole) >= 3
        assert {name: sorted(map(str, rows)) for name, rows in pieces.items()} == {
            name: sorted(map(str, rows)) for name, rows in whole.items()
        }
        row = await w.row("SELECT broken_count, pieces, late FROM invariant_check ORDER BY at DESC LIMIT 1")
        assert row["broken_count"] == len(whole)
        assert row["pieces"] > 3 * 3 + 2 * 3, "twelve SKUs and as many slots, by four"
        assert await w.alerts() == ["invariant_broken"]


async def test_what_a_line_holds_and_sent_is_held_against_what_it_is_owed() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", SHELF, seed=1)
        await w.open_stock(P00=5, P01=5)
        for code in ("P00", "P01"):
            await one.buy(code)
        await w.settle()
        breaks = {
            "I5 what a paid order is owed is held or named short": "DELETE FROM reservation",
            "I5 movements sum to what each line dispatched": "UPDATE order_line SET dispatched_quantity = 1",
        }
        for name, sql in breaks.items():
            async with w.rt.db.seller(w.seller_id) as tx:
                assert name not in await kept.broken(tx, at_rest=False)
            with psycopg.connect(w.url, autocommit=True) as conn:
                conn.execute(f"{sql} WHERE sku_id = (SELECT id FROM sku WHERE code = 'P01')".encode())
            async with w.rt.db.seller(w.seller_id) as tx:
                assert len((await kept.broken(tx, at_rest=False))[name]) == 1


async def test_a_piece_that_takes_too_long_is_given_up_and_named() -> None:
    async with world() as w:
        await w.connect("woocommerce", SHELF, seed=1)
        await w.open_stock(P00=5)
        with psycopg.connect(w.url) as conn:
            conn.execute("LOCK TABLE stock_movement IN ACCESS EXCLUSIVE MODE")
            async with asyncio.timeout(20):
                told = await invariants.check_in_pieces(partial(w.rt.db.seller, w.seller_id), seconds=0.05)
            conn.rollback()
        assert told == {}
        row = await w.row("SELECT late FROM invariant_check")
        assert "I1 on_hand is the sum of its movements" in row["late"]
        assert "I9 no unit is promised twice" not in row["late"]


async def test_the_job_checks_each_seller_once_in_its_time_and_mends_its_alert() -> None:
    async with world() as w:
        other = await w.neighbour()
        await w.connect("woocommerce", SHELF, seed=1)
        await w.open_stock(P00=5)
        break_it(w)
        assert await prove.prove(w.rt) == 2
        assert await w.alerts() == ["invariant_broken"]
        assert await other.alerts() == []
        assert await prove.prove(w.rt) == 0
        with psycopg.connect(w.url, autocommit=True) as conn:
            conn.execute("UPDATE stock_level SET on_hand = on_hand - 1 WHERE on_hand > 0")
            conn.execute("UPDATE stock_slot SET desired = expected WHERE due_at IS NULL")
            conn.execute("UPDATE invariant_check SET at = at - interval '11 minutes'")
        assert await prove.prove(w.rt) == 2
        assert await w.alerts() == []


async def test_a_sweep_goes_on_while_the_proof_is_under_way() -> None:
    async with world() as w:
        await w.connect("woocommerce", SHELF, seed=1)
        prover = prove.Prover(w.rt)
        with psycopg.connect(w.url) as conn:
            conn.execute("LOCK TABLE stock_movement IN ACCESS EXCLUSIVE MODE")
            prover.go()
            prover.go()
            await w.settle()
            await prover.close()
            conn.rollback()
        assert await w.rows("SELECT 1 FROM invariant_check") == [], "it was stopped in the middle"

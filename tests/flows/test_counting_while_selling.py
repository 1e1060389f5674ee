"""Files, counts, adjustments and returns while shops sell: nothing waits for ever, and every invariant holds."""

import asyncio
import random
from unittest.mock import patch

from hub.model import Disposition
from hub.sandbox import Product
from hub.stock_sheet import Row
from hub.stocktake import Limits
from jobs import imports, stocktake
from jobs.connect import Refused
from jobs.kits import set_kit
from jobs.ledger import Mode, adjust
from jobs.returns import receive
from tests.world import Channel, World, world

SKUS = [f"P{n}" for n in range(8)]
SHELF = [Product(sku=sku, title=sku, quantity=30, price_cents=1000) for sku in [*SKUS, "KIT"]]
WIDE = Limits(units=10**6, value_cents=10**9)
ROUNDS = 6


async def sell(channel: Channel, chance: random.Random, left: list[str]) -> None:
    for _ in range(ROUNDS):
        try:
            ref = await channel.buy(chance.choice([*SKUS, "KIT"]), chance.randint(1, 2))
        except LookupError:  # sold out there by now
            continue
        if chance.random() < 0.6:
            await channel.act("complete", order_ref=ref)
            left.append(ref)
        await asyncio.sleep(0.05)


async def load(w: World, chance: random.Random) -> None:
    for n in range(ROUNDS):
        mode: Mode = "set" if n % 2 else "add"
        skus = chance.sample(SKUS, len(SKUS))
        rows = [Row(line, sku, 30 if mode == "set" else 1, None) for line, sku in enumerate(skus, start=2)]
        planned, _bad = await imports.plan(w.rt, w.seller_id, rows, mode, create=False)
        made = await imports.begin(w.rt, w.seller_id, planned, mode)
        await asyncio.gather(*(imports.carry_on(w.rt, w.seller_id, made.number) for _ in range(2)))
        if n % 3 == 2:
            await imports.undo(w.rt, w.seller_id, made.number, rest=True)


async def count(w: World, chance: random.Random) -> None:
    for _ in range(ROUNDS):
        number = await stocktake.open_count(w.rt, w.seller_id)
        rows = [Row(1, sku, chance.randint(20, 40), None) for sku in chance.sample(SKUS, 4)]
        await stocktake.enter(w.rt, w.seller_id, number, rows)
        try:
            await stocktake.post(w.rt, w.seller_id, number, limits=WIDE, accept_flagged=True)
        except Refused:  # a file told one of them meanwhile: counted in vain
            await stocktake.cancel(w.rt, w.seller_id, number)
        await adjust(w.rt, w.seller_id, chance.choice(SKUS), 1, "achado")


async def take_back(w: World, left: list[str], chance: random.Random) -> None:
    for _ in range(ROUNDS):
        await asyncio.sleep(0.2)
        if left:
            try:
                await receive(
                    w.rt, w.seller_id, chance.choice(left), units=1, disposition=chance.choice(list(Disposition))
                )
            except Refused:  # not dispatched here yet, or back already
                continue


async def test_everything_at_once() -> None:
    chance = random.Random(7)
    async with world() as w:
        with patch.object(imports, "CHUNK", 3):
            shops = [await w.connect("woocommerce", SHELF, name=name, seed=n) for n, name in enumerate(("Um", "Dois"))]
            await set_kit(w.rt, w.seller_id, "KIT", {"P0": 1, "P1": 2}, create=True)
            await w.open_stock(**dict.fromkeys(SKUS, 30))
            await asyncio.sleep(1)  # shops tell to the second when goods left
            left: list[str] = []
            working = asyncio.gather(
                *(sell(shop, chance, left) for shop in shops), load(w, chance), count(w, chance),
                take_back(w, left, chance),
            )  # fmt: skip
            while not working.done():
                await w.drain()
                await w.kept(at_rest=False)
            await working
        await w.settle(60)
        await w.kept(at_rest=True)
        shown = {
            shop.account.name: {sku: units for sku, units in shop.shelf().items() if sku != "KIT"} for shop in shops
        }
        free = await w.rows(
            "SELECT k.code, greatest(0, l.on_hand - l.reserved) AS free FROM stock_level l "
            "JOIN sku k ON k.id = l.sku_id JOIN warehouse h ON h.id = l.warehouse_id WHERE h.kind = 'own'"
        )
        truth = {row["code"]: row["free"] for row in free}
        assert shown == {"Um": truth, "Dois": truth}
        reasons = {row["reason"] for row in await w.rows("SELECT DISTINCT reason FROM stock_movement")}
        assert reasons >= {"opening", "count", "adjustment", "dispatch", "undo"}

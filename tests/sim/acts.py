"""What people do in a story: buyers at the shops, the seller at the screen; and what goes wrong around them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, cast

from hub.buffers import BufferKind
from hub.store.buffers import Rule
from jobs import buffers, counts, ledger, linking, transfers
from jobs.connect import Refused
from tests.sim import checks
from tests.sim.shops import Sale, Shop
from tests.sim.story import WAREHOUSES, WORKERS, Event

if TYPE_CHECKING:
    from tests.sim.world import SimDatabase, World

BOOKS_EVERY = 100  # sales that are over, until they are taken off the books
OVERDUE = 3600.0  # seconds after which the hub knows whatever befell a sale


async def happen(world: "World", event: Event) -> bool:
    """Let an event happen; false when nothing came of it, not even a question to the hub."""
    try:
        return await ACTS[event.kind](world, event)
    except Refused:
        return True


# ── buyers, and what the shop does with their orders ───────────────────────────────────────────────────────────


async def _buy(world: "World", event: Event) -> bool:
    shop = world.shops[event.shop]
    sale = shop.buy([(f"{event.shop[0]}{code}", units) for code, units in event.wanted])
    if sale is None:
        return False
    world.bought[event.number] = (shop, sale.ref)
    for line in sale.lines:
        _owe(world, shop, line.item, line.quantity)
    return True


def _owe(world: "World", shop: Shop, item: str, units: int) -> None:
    """So many more units of a listing are owed to buyers (less: fewer)."""
    parts = world.parts(shop, item)
    before = checks.missing(world.left, parts)
    world.left.subtract({part: each * units for part, each in parts.items()})
    world.oversold += max(0, checks.missing(world.left, parts) - before)


async def _order(world: "World", event: Event) -> bool:
    if event.of not in world.bought:
        return False
    shop, ref = world.bought[event.of]
    sale = shop.sales[ref]
    before = [(line.item, line.open + line.dispatched - line.returned) for line in sale.lines]
    done = _with(shop, sale, event)
    for (item, units), line in zip(before, sale.lines, strict=True):
        _owe(world, shop, item, line.open + line.dispatched - line.returned - units)
    return done


def _with(shop: Shop, sale: Sale, event: Event) -> bool:
    line = sale.lines[event.number % len(sale.lines)]
    match event.kind:
        case "pay":
            return shop.pay(sale)
        case "cancel":
            return shop.cancel(sale)
        case "cancel part":
            return shop.cancel_part(sale, line)
        case "edit":
            return shop.edit(sale, line, event.amount)
        case "part" | "dispatch":
            return bool(shop.dispatch(sale, part=event.kind == "part"))
        case "deliver":
            return shop.deliver(sale)
        case "give back":
            line = sale.lines[event.amount % len(sale.lines)]
            return shop.give_back(sale, line, damaged=event.name == "damaged")
    raise ValueError(event.kind)


async def _over(world: "World", event: Event) -> bool:
    """Nothing befalls a sale any more: it goes off the books with others, once the hub knows all of it."""
    if event.of not in world.bought:
        return False
    world.over.append(event.of)
    world.ended[event.of] = world.loop.time()
    if len(world.over) < BOOKS_EVERY:
        return True
    numbers, world.over, gone = world.over, [], []
    for shop in world.shops.values():
        mine = {world.bought[number][1]: number for number in numbers if world.bought[number][0] is shop}
        for sale in await checks.over(world, shop, [shop.sales[ref] for ref in mine]):
            shop.close(sale)
            world.memory.status.pop(sale.ref, None)
            gone.append(mine.pop(sale.ref))
        late = [shop.sales[ref] for ref, number in mine.items() if world.loop.time() - world.ended[number] > OVERDUE]
        if late and (wrong := await checks.known_wrongly(world, shop, late)):
            raise checks.Broken("\n".join(wrong))
        world.over += mine.values()
    for number in gone:
        del world.bought[number], world.ended[number]
    return True


# ── the seller ─────────────────────────────────────────────────────────────────────────────────────────────────


async def count(world: "World", units: Sequence[tuple[str, int]], place: str) -> None:
    """Say how many units lie in a warehouse."""
    for told in await counts.set_stock(world.hand, world.seller_id, units, warehouse=place):
        world.came(told.sku, told.after - told.before)


async def _count(world: "World", event: Event) -> bool:
    await count(world, [(event.code, event.amount)], event.place)
    return True


async def _receive(world: "World", event: Event) -> bool:
    """Goods come in: counted together with what lies there by the hub's ledger."""
    rows = await world.rows(
        """SELECT l.on_hand FROM stock_level l JOIN warehouse w ON w.id = l.warehouse_id
           WHERE l.sku_id = %s AND w.code = %s""",
        world.skus[event.code], event.place,
    )  # fmt: skip
    there = max(0, *(row["on_hand"] for row in rows), 0)
    await count(world, [(event.code, there + event.amount)], event.place)
    return True


async def _adjust(world: "World", event: Event) -> bool:
    done = await ledger.adjust(world.hand, world.seller_id, event.code, event.amount, "adjusted", warehouse=event.place)
    world.came(event.code, done.delta if done else 0)
    return True


async def _transfer(world: "World", event: Event) -> bool:
    other = next(place for place in WAREHOUSES if place != event.place)
    units = {event.code: event.amount}
    number = await transfers.open_transfer(world.hand, world.seller_id, event.place, other, units)
    try:
        await transfers.send(world.hand, world.seller_id, number, with_orders=event.name == "with orders")
    except Refused:
        await transfers.cancel(world.hand, world.seller_id, number)
        return True
    world.under_way[event.number] = (number, event.code, event.amount)
    return True


async def _arrive(world: "World", event: Event) -> bool:
    """All of a transfer arrives, or half of it, or half and the rest is lost, or it comes back."""
    if event.of not in world.under_way:
        return False
    number, code, left = world.under_way.pop(event.of)
    some = -(-left // 2)
    match event.name:
        case "all":
            await transfers.receive(world.hand, world.seller_id, number)
        case "back":
            await transfers.cancel(world.hand, world.seller_id, number)
        case "lost":
            await transfers.receive(world.hand, world.seller_id, number, {code: some}, finish=True)
            world.came(code, some - left)
        case _:
            await transfers.receive(world.hand, world.seller_id, number, {code: some})
            if left > some:
                world.under_way[event.of] = (number, code, left - some)
    return True


async def _buffer(world: "World", event: Event) -> bool:
    """One rule at a time for a shop: so many units, or a share, that it does not show."""
    if event.shop in world.buffers:
        return False
    ref = str(world.accounts[event.shop].id)
    rule = Rule(scope="channel", scope_ref=ref, account_id=None, kind=BufferKind(event.name), value=event.amount)
    kept = await buffers.set_rule(world.hand, world.seller_id, rule)
    if kept.buffer_id is None:
        raise checks.Broken(f"no buffer was kept: {kept}")
    world.buffers[event.shop] = (event.number, kept.buffer_id, event.name, event.amount)
    return True


async def _unbuffer(world: "World", event: Event) -> bool:
    number, buffer_id, *_rule = world.buffers.get(event.shop, (0, None))
    if number != event.of or buffer_id is None:
        return False
    await buffers.remove_rule(world.hand, world.seller_id, buffer_id)
    del world.buffers[event.shop]
    return True


async def _relink(world: "World", event: Event) -> bool:
    ref = f"{event.shop[0]}{event.code}"
    found = await world.rows(
        "SELECT id FROM listing WHERE account_id = %s AND ref = %s", world.accounts[event.shop].id, ref
    )
    if not found:
        return True
    await linking.link(world.hand, world.seller_id, found[0]["id"], event.name, event.amount)
    world.links[event.shop, ref] = (event.name, event.amount)
    return True


# ── what goes wrong ────────────────────────────────────────────────────────────────────────────────────────────


def _db(world: "World", event: Event) -> "SimDatabase":
    return cast("SimDatabase", world.workers[event.number % WORKERS].db)


async def _stop(world: "World", event: Event) -> bool:
    db = _db(world, event)
    if db.dead:
        return False
    db.stop_in, db.stop_when = event.amount, event.name
    return True


async def _stall(world: "World", event: Event) -> bool:
    db = _db(world, event)
    db.stall_in, db.stall_for = event.amount, event.seconds
    return True


async def _weather(world: "World", event: Event) -> bool:
    shop = world.shops[event.shop]
    shop.weather = replace(shop.weather, **{event.name: event.amount / 100})

    async def clear() -> None:
        await asyncio.sleep(event.seconds)
        if not world.resting:
            shop.weather = replace(shop.weather, **{event.name: getattr(shop.usual, event.name)})

    world.keep(asyncio.ensure_future(clear()))
    return True


async def _tokens(world: "World", event: Event) -> bool:
    world.shops[event.shop].expire()
    return True


Act: TypeAlias = Callable[["World", Event], Awaitable[bool]]
ACTS: Mapping[str, Act] = {
    "buy": _buy,
    **dict.fromkeys(("pay", "edit", "cancel part", "cancel", "part", "dispatch", "deliver", "give back"), _order),
    "close": _over,
    "count": _count,
    "receive": _receive,
    "adjust": _adjust,
    "transfer": _transfer,
    "arrive": _arrive,
    "buffer": _buffer,
    "unbuffer": _unbuffer,
    "relink": _relink,
    "stop": _stop,
    "stall": _stall,
    "weather": _weather,
    "tokens": _tokens,
}

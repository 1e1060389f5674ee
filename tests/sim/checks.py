"""What must hold: the hub's own invariants, and an account of the goods that shares no code with it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hub.store import invariants
from tests.sim.story import KITS, SKUS

if TYPE_CHECKING:
    from tests.sim.world import World

FAULTS = (
    "lost notices", "doubled notices", "cut", "429", "late", "5xx, not done", "5xx, done", "hung, not done",
    "hung, done", "401", "tokens died",
)  # fmt: skip


def parts_of(code: str, units: int = 1) -> dict[str, int]:
    """Plain SKUs in one unit of what is sold."""
    if code not in KITS:
        return {code: units}
    found: dict[str, int] = {}
    for part, each in KITS[code].items():
        for plain, so_many in parts_of(part, units * each).items():
            found[plain] = found.get(plain, 0) + so_many
    return found


def _broken(told: str) -> Exception:
    from tests.sim.world import Broken

    return Broken(told)


_TOUCHED = """
    SELECT k.code, l.on_hand, l.reserved,
        (SELECT coalesce(sum(m.delta), 0)::int FROM stock_movement m
         WHERE m.sku_id = l.sku_id AND m.warehouse_id = l.warehouse_id) AS moved,
        (SELECT coalesce(sum(r.quantity), 0)::int FROM reservation r
         WHERE r.sku_id = l.sku_id AND r.warehouse_id = l.warehouse_id) AS held
    FROM stock_level l JOIN sku k ON k.id = l.sku_id WHERE k.code = ANY(%s)"""


async def touched(world: "World", codes: Iterable[str]) -> None:
    """Invariants of what an event was about."""
    for row in await world.rows(_TOUCHED, sorted(codes)):
        if row["moved"] != row["on_hand"] or row["held"] != row["reserved"]:
            raise _broken(f"I1/I2 {row}")
        if row["reserved"] > max(0, row["on_hand"]):
            raise _broken(f"I9 promised twice: {row}")


async def everything(world: "World", *, at_rest: bool) -> None:
    """Every invariant of the hub."""
    async with world.hand.db.seller(world.seller_id) as tx:
        found = await invariants.broken(tx, at_rest=at_rest, passed_over=300)
    if found:
        raise _broken("\n".join(f"{name}: {rows[:3]}" for name, rows in found.items()))


async def unfinished(world: "World") -> list[dict[str, Any]]:
    """Work that has not come to its end."""
    return await world.rows(
        """SELECT 'inbox' AS what, ref, state, error, attempts, due_at FROM inbox WHERE state NOT IN ('done', 'kept')
           UNION ALL
           SELECT 'slot', ref, coalesce(parked_code, 'due'), parked_reason, attempts, due_at FROM stock_slot
           WHERE due_at IS NOT NULL OR parked_code IS NOT NULL OR lease_token IS NOT NULL"""
    )


async def truth(world: "World") -> None:
    """What the shops show and what lies on the shelves, reckoned from what happened in the shops."""
    wrong = [*await _goods(world), *await _shown(world)]
    if wrong:
        raise _broken("\n".join(wrong[:12]))


async def _goods(world: "World") -> list[str]:
    links = {
        (row["channel"], row["order_ref"], row["line_ref"]): (row["code"], row["multiplier"])
        for row in await world.rows(
            """SELECT a.channel, o.ref AS order_ref, l.ref AS line_ref, k.code, l.multiplier FROM order_line l
               JOIN orders o ON o.id = l.order_id JOIN account a ON a.id = o.account_id JOIN sku k ON k.id = l.sku_id"""
        )
    }
    on_hand, owed = dict(world.counted), dict.fromkeys(SKUS, 0)
    wrong = []
    for name, shop in world.shops.items():
        for sale in shop.sales.values():
            for line in sale.lines:
                linked = links.get((name, sale.ref, line.ref))
                ever = world.links.get((name, line.item), [shop.items[line.item].sku])
                if linked is None or linked[0] not in ever:
                    wrong.append(f"line {sale.ref}/{line.ref} of {line.item} is linked to {linked}, not one of {ever}")
                    continue
                if linked[0] != ever[-1] and line.open and not line.dispatched and not sale.cancelled:
                    wrong.append(f"line {sale.ref}/{line.ref} of {line.item} still is {linked[0]}, not {ever[-1]}")
                open_ = 0 if sale.cancelled or sale.delivered else line.open
                for part, each in parts_of(linked[0]).items():
                    on_hand[part] += each * (line.returned - line.dispatched)
                    owed[part] += each * open_
    for row in await world.rows(
        """SELECT k.code, sum(l.on_hand)::int AS on_hand, sum(l.reserved)::int AS reserved,
               sum(greatest(0, l.on_hand - l.reserved))::int AS free,
               (SELECT coalesce(sum(s.quantity), 0)::int FROM shortage s WHERE s.sku_id = k.id) AS short
           FROM stock_level l JOIN sku k ON k.id = l.sku_id GROUP BY k.id, k.code ORDER BY k.code"""
    ):
        code = row["code"]
        if row["on_hand"] != on_hand[code]:
            wrong.append(f"{code}: {row['on_hand']} on hand, but {on_hand[code]} by what came and went")
        if row["reserved"] + row["short"] != owed[code]:
            wrong.append(f"{code}: {row['reserved']} held and {row['short']} short, but {owed[code]} owed")
    return wrong


async def _shown(world: "World") -> list[str]:
    free: dict[tuple[str, str], int] = {
        (row["code"], row["place"]): max(0, row["on_hand"] - row["reserved"])
        for row in await world.rows(
            """SELECT k.code, w.code AS place, l.on_hand, l.reserved FROM stock_level l
               JOIN sku k ON k.id = l.sku_id JOIN warehouse w ON w.id = l.warehouse_id"""
        )
    }
    told = {
        (row["channel"], row["ref"]): row
        for row in await world.rows(
            """SELECT a.channel, s.ref, s.desired, s.expected, s.pushed, s.seen, s.synced_from, s.synced_to
               FROM stock_slot s JOIN account a ON a.id = s.account_id"""
        )
    }
    wrong = []
    for name, shop in world.shops.items():
        places = ("filial",) if name == "gama" else ("principal", "filial")
        for item in shop.items.values():
            code = world.links.get((name, item.ref), [item.sku])[-1]
            right = sum(
                min(free.get((part, place), 0) // each for part, each in parts_of(code).items()) for place in places
            )
            if item.shelf != right:
                row = {k: str(v) for k, v in told.get((name, item.ref), {}).items()}
                wrong.append(f"{item.ref} shows {item.shelf}, but {right} are to be had; the hub: {row}")
    return wrong


def missing(world: "World", codes: Iterable[str]) -> int:
    """Units of these SKUs that are owed and nowhere to be had: sold more often than they are there."""
    left = dict(world.counted)
    for name, shop in world.shops.items():
        for sale in shop.sales.values():
            for line in sale.lines:
                code = world.links.get((name, line.item), [shop.items[line.item].sku])[-1]
                units = line.returned - line.dispatched - (0 if sale.cancelled or sale.delivered else line.open)
                for part, each in parts_of(code).items():
                    left[part] += each * units
    return sum(max(0, -left[code]) for code in codes)


def figures(world: "World") -> dict[str, float]:
    """How it went."""
    counted = [shop.counted for shop in world.shops.values()]
    sales = sum(each["sales"] for each in counted)
    return {
        "orders": sales,
        "writes": sum(each["writes"] for each in counted),
        "requests": sum(each["requests"] for each in counted),
        "oversold": world.oversold,
        "commits": world.commits,
        "virtual": world.loop.time() - 1000.0,
    }

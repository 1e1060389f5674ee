"""What must hold: the hub's own invariants, and an account of the goods that shares no code with it."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hub import parse
from hub.store import Tx, inbox, invariants, orders
from tests.sim.shops import Books, Sale, Shop
from tests.sim.story import KITS, SKUS, WAREHOUSES

if TYPE_CHECKING:
    from tests.sim.world import World

FAULTS = (
    "lost notices", "doubled notices", "cut", "429", "late", "5xx, not done", "5xx, done", "hung, not done",
    "hung, done", "401", "tokens died",
)  # fmt: skip
_NEVER = 1e9  # seconds
_WHILE = timedelta(minutes=30)
STEPS_BACK = {
    ("paid", "placed"), ("cancelled", "placed"), ("cancelled", "paid"), ("cancelled", "dispatched"),
    ("cancelled", "delivered"),
}  # fmt: skip
RANK = {status: rank for rank, status in enumerate(("placed", "paid", "dispatched", "delivered", "cancelled"))}


class Broken(AssertionError):
    """A promise that was not kept."""


def parts_of(code: str, units: int = 1) -> dict[str, int]:
    """Plain SKUs in one unit of what is sold."""
    if code not in KITS:
        return {code: units}
    found: dict[str, int] = {}
    for part, each in KITS[code].items():
        for plain, so_many in parts_of(part, units * each).items():
            found[plain] = found.get(plain, 0) + so_many
    return found


# ── after every step: of what it touched ───────────────────────────────────────────────────────────────────────

_TOUCHED = """
    SELECT 'level' AS what, k.code AS ref, l.sku_id AS id, l.warehouse_id AS other, NULL AS status, NULL AS payment,
           l.on_hand AS a, l.reserved AS b, coalesce(r.held, 0) AS c, 0 AS no
    FROM stock_level l JOIN sku k ON k.id = l.sku_id
    LEFT JOIN (SELECT sku_id, warehouse_id, sum(quantity) AS held FROM reservation GROUP BY sku_id, warehouse_id) r
        ON r.sku_id = l.sku_id AND r.warehouse_id = l.warehouse_id
    UNION ALL
    SELECT 'moved', NULL, sku_id, warehouse_id, NULL, NULL, sum(delta), 0, 0, max(sim_no) FROM stock_movement
    WHERE sim_no > %(movement)s GROUP BY sku_id, warehouse_id
    UNION ALL
    SELECT 'order', o.ref, o.id, e.order_id, o.status, o.payment, 0, 0, 0, o.sim_no FROM orders o
    LEFT JOIN stock_effect e ON e.stock_key = o.stock_key WHERE o.sim_no > %(order)s
    UNION ALL
    SELECT 'I8: a slot that nobody will push', s.ref, s.id, NULL, NULL, NULL, 0, 0, 0, 0 FROM stock_slot s
    JOIN account a ON a.id = s.account_id
    WHERE a.status = 'live' AND s.desired IS NOT NULL AND s.expected IS DISTINCT FROM s.desired AND s.due_at IS NULL
      AND s.parked_code IS NULL AND NOT s.braked AND s.managed_by = 'seller' AND s.status <> 'closed'
      AND s.approved_at IS NOT NULL
    UNION ALL
    SELECT 'I6: a row that was passed over', i.ref, i.id, NULL, NULL, NULL, 0, 0, 0, 0 FROM inbox i
    JOIN account a ON a.id = i.account_id
    WHERE i.state = 'due' AND i.due_at < now() - %(patience)s * interval '1 second' AND a.status = 'live'
      AND (i.lease_until IS NULL OR i.lease_until < now())"""
_LINES = """
    SELECT l.order_id, l.ref, k.code, l.multiplier, l.quantity, l.cancelled_quantity, l.dispatched_quantity,
           l.returned_quantity
    FROM order_line l JOIN sku k ON k.id = l.sku_id
    WHERE l.order_id = ANY(%s) AND coalesce(l.fulfilled_by, '') <> 'marketplace'"""
_HELD = """
    SELECT order_id, line_ref, sku_id, 'held' AS what, quantity FROM reservation WHERE order_id = ANY(%(ids)s)
    UNION ALL SELECT order_id, line_ref, sku_id, 'held', quantity FROM shortage WHERE order_id = ANY(%(ids)s)
    UNION ALL SELECT order_id, line_ref, sku_id, 'left', -delta FROM stock_movement
        WHERE order_id = ANY(%(ids)s) AND reason = 'dispatch'
    UNION ALL SELECT order_id, line_ref, sku_id, 'back', delta FROM stock_movement
        WHERE order_id = ANY(%(ids)s) AND reason = 'return'
    UNION ALL SELECT order_id, line_ref, sku_id, 'left', dispatched FROM stock_base WHERE order_id = ANY(%(ids)s)
    UNION ALL SELECT order_id, line_ref, sku_id, 'back', returned FROM stock_base WHERE order_id = ANY(%(ids)s)"""


@dataclass(slots=True)
class Memory:
    """What the checks remember of the steps before: sums of the ledger, and the status of orders under way."""

    movement: int = 0
    order: int = 0
    moved: Counter[tuple[UUID, UUID]] = field(default_factory=Counter)
    status: dict[str, str] = field(default_factory=dict)


async def touched(world: "World") -> None:
    """I1 to I9 of whatever was written since the last step."""
    memory, told = world.memory, defaultdict(list)
    asked = {"movement": memory.movement, "order": memory.order, "patience": min(world.patience, _NEVER)}
    async with world.hand.db.seller(world.seller_id) as tx:
        for row in await tx.all(_TOUCHED, asked):
            told[row["what"]].append(row)
        orders_, moved, levels = told.pop("order", []), told.pop("moved", []), told.pop("level", [])
        wrong = [*_levels(memory, moved, levels), *(await _orders(world, tx, orders_) if orders_ else ())]
    wrong += [f"{what}: {', '.join(row['ref'] for row in rows)}" for what, rows in told.items()]
    if wrong:
        raise Broken("\n".join(wrong[:12]))


def _levels(memory: Memory, moved: Sequence[Mapping[str, Any]], levels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in moved:
        memory.movement = max(memory.movement, row["no"])
        memory.moved[row["id"], row["other"]] += int(row["a"])
    for row in levels:
        on_hand, reserved, held = int(row["a"]), int(row["b"]), int(row["c"])
        told = f"{row['ref']} in {row['other']}: {on_hand} on hand, {reserved} reserved"
        if on_hand != memory.moved[row["id"], row["other"]]:
            yield f"I1 {told}, but {memory.moved[row['id'], row['other']]} moved"
        if held != reserved:
            yield f"I2 {told}, but {held} held"
        if not 0 <= reserved <= max(0, on_hand):
            yield f"I9 promised twice: {told}"


async def _orders(world: "World", tx: Tx, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    world.memory.order = max(row["no"] for row in rows)
    wrong = [problem for row in rows if (problem := _stepped_back(world.memory, row))]
    ids = [row["id"] for row in rows]
    have: Counter[tuple[UUID, str, UUID, str]] = Counter()
    for row in await tx.all(_HELD, {"ids": ids}):
        have[row["order_id"], row["line_ref"], row["sku_id"], row["what"]] += row["quantity"]
    told = {row["id"]: row for row in rows}
    owners = {row["other"] for row in rows}
    for (order_id, _line, _sku, what), units in have.items():
        if units and what != "left" and order_id not in owners:
            wrong.append(f"I4 {told[order_id]['ref']} moves stock, and its origin belongs to {told[order_id]['other']}")
    for line in await tx.all(_LINES, [ids]):
        if line["order_id"] in owners:
            wrong += _line_wrong(world, told[line["order_id"]], line, have)
    return wrong


def _stepped_back(memory: Memory, row: Mapping[str, Any]) -> str | None:
    before, after = memory.status.get(row["ref"], "placed"), row["status"]
    memory.status[row["ref"]] = after
    if RANK[after] < RANK[before] and (before, after) not in STEPS_BACK:
        return f"I7 {row['ref']} steps back from {before} to {after}"
    return None


def _line_wrong(
    world: "World", order: Mapping[str, Any], line: Mapping[str, Any], have: Counter[tuple[UUID, str, UUID, str]]
) -> list[str]:
    open_ = max(0, line["quantity"] - line["cancelled_quantity"] - line["dispatched_quantity"])
    wrong = []
    for part, each in parts_of(line["code"], line["multiplier"]).items():
        key = (order["id"], line["ref"], world.skus[part])
        right = {"left": each * line["dispatched_quantity"]}
        if order["status"] in ("cancelled", "delivered"):
            right["held"] = 0
        elif order["status"] == "paid" and order["payment"] == "paid":
            right["held"] = each * open_
        wrong += [
            f"I5 {order['ref']}/{line['ref']} ({order['status']}) {what} {have[*key, what]} of {part}, not {units}"
            for what, units in right.items()
            if have[*key, what] != units
        ]
        if not 0 <= have[*key, "back"] <= each * line["returned_quantity"]:  # fewer: not told yet whether they sell
            wrong.append(
                f"I5 {order['ref']}/{line['ref']} back {have[*key, 'back']} of {part}: more than were returned"
            )
    return wrong


# ── now and then, and at rest: all of it ───────────────────────────────────────────────────────────────────────


async def everything(world: "World", *, at_rest: bool) -> None:
    """Every invariant of the hub, as production asks it."""
    async with world.hand.db.seller(world.seller_id) as tx:
        found = await invariants.broken(tx, at_rest=at_rest, passed_over=min(world.patience, _NEVER))
    if found:
        raise Broken("\n".join(f"{name}: {rows[:3]}" for name, rows in found.items()))


async def recent(world: "World") -> None:
    """The same of the orders of the last while, and of all else: what a long story can ask again and again."""
    first = UUID(int=int((world.loop.utc() - _WHILE).timestamp() * 1000) << 80)
    wrong = []
    async with world.hand.db.seller(world.seller_id) as tx:
        for name, sql in invariants.CHECKS.items():
            if not name.startswith("I3"):  # at rest only
                whole = invariants.scope_of(name) != "order"
                asked = {"first": invariants.FIRST if whole else first, "last": invariants.LAST}
                wrong += [f"{name}: {row}" for row in (await tx.all(sql, asked))[:3]]
    if wrong:
        raise Broken("\n".join(wrong))


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
    free = await _free(world)
    wrong = [*await _linked(world), *await _books(world), *await _goods(world), *await _shown(world, free)]
    wrong += await _waiting(world, free)
    for shop in world.shops.values():
        wrong += await known_wrongly(world, shop, [*shop.sales.values()])
    if wrong:
        raise Broken("\n".join(wrong[-12:]))


async def _linked(world: "World") -> list[str]:
    """Lines of sales under way that are linked to what their listing never sold, or sells no more."""
    links = {
        (row["channel"], row["order_ref"], row["line_ref"]): (row["code"], row["multiplier"])
        for row in await world.rows(
            """SELECT a.channel, o.ref AS order_ref, l.ref AS line_ref, k.code, l.multiplier FROM order_line l
               JOIN orders o ON o.id = l.order_id JOIN account a ON a.id = o.account_id JOIN sku k ON k.id = l.sku_id"""
        )
    }
    wrong = []
    for name, shop in world.shops.items():
        for sale in shop.sales.values():
            for line in sale.lines:
                linked, right = links.get((name, sale.ref, line.ref)), world.link(shop, line.item)
                if linked != right and not sale.cancelled:
                    wrong.append(f"line {sale.ref}/{line.ref} of {line.item} is linked to {linked}, not {right}")
    return wrong


def totals(shop: Shop) -> dict[str, Books]:
    """Units by listing in all sales of a shop, those that are over too."""
    found = {ref: Books(b.quantity, b.cancelled, b.dispatched, b.returned) for ref, b in shop.closed.items()}
    for sale in shop.sales.values():
        for line in sale.lines:
            books = found.setdefault(line.item, Books())
            books.quantity += line.quantity
            books.cancelled += line.cancelled
            books.dispatched += line.dispatched
            books.returned += line.returned
    return found


async def _books(world: "World") -> list[str]:
    """Listings of which the hub knows other units sold, cancelled, sent or returned than the shop."""
    told = {
        (row["channel"], row["listing_ref"]): Books(row["quantity"], row["cancelled"], row["left"], row["back"])
        for row in await world.rows(
            """SELECT a.channel, l.listing_ref, sum(l.quantity)::int AS quantity,
                   sum(l.cancelled_quantity)::int AS cancelled, sum(l.dispatched_quantity)::int AS left,
                   sum(l.returned_quantity)::int AS back
               FROM order_line l JOIN orders o ON o.id = l.order_id JOIN account a ON a.id = o.account_id
               GROUP BY a.channel, l.listing_ref"""
        )
    }
    return [
        f"{ref}: {told.get((name, ref))} by the hub's orders, but {books}"
        for name, shop in world.shops.items()
        for ref, books in totals(shop).items()
        if told.get((name, ref)) != books
    ]


async def _goods(world: "World") -> list[str]:
    on_hand, owed = dict(world.counted), dict.fromkeys(SKUS, 0)
    for shop in world.shops.values():
        for ref, books in totals(shop).items():
            for part, each in world.parts(shop, ref).items():
                on_hand[part] += each * (books.returned - books.dispatched)
                owed[part] += each * (books.quantity - books.cancelled - books.dispatched)
    wrong = []
    for row in await world.rows(
        """SELECT k.code, sum(l.on_hand)::int AS on_hand, sum(l.reserved)::int AS reserved,
               (SELECT coalesce(sum(s.quantity), 0)::int FROM shortage s WHERE s.sku_id = k.id) AS short
           FROM stock_level l JOIN sku k ON k.id = l.sku_id GROUP BY k.id, k.code ORDER BY k.code"""
    ):
        code = row["code"]
        if row["on_hand"] != on_hand[code]:
            wrong.append(f"{code}: {row['on_hand']} on hand, but {on_hand[code]} by what came and went")
        if row["reserved"] + row["short"] != owed[code]:
            wrong.append(f"{code}: {row['reserved']} held and {row['short']} short, but {owed[code]} owed")
    return wrong


async def _free(world: "World") -> dict[tuple[str, str], int]:
    """Free units by SKU and warehouse."""
    return {
        (row["code"], row["place"]): max(0, row["on_hand"] - row["reserved"])
        for row in await world.rows(
            """SELECT k.code, w.code AS place, l.on_hand, l.reserved FROM stock_level l
               JOIN sku k ON k.id = l.sku_id JOIN warehouse w ON w.id = l.warehouse_id"""
        )
    }


def _places(shop: str) -> tuple[str, ...]:
    return ("filial",) if shop == "gama" else WAREHOUSES


async def _waiting(world: "World", free: Mapping[tuple[str, str], int]) -> list[str]:
    """Orders that wait for single units while some lie where their shop draws from."""
    rows = await world.rows(
        """SELECT o.ref, a.channel, k.code, s.quantity FROM shortage s
           JOIN orders o ON o.id = s.order_id JOIN account a ON a.id = o.account_id JOIN sku k ON k.id = s.sku_id
           JOIN order_line l ON l.order_id = s.order_id AND l.ref = s.line_ref AND l.sku_id = s.sku_id
             AND l.multiplier = 1"""
    )
    return [
        f"{row['ref']} waits for {row['quantity']} of {row['code']}, and {free[row['code'], place]} lie in {place}"
        for row in rows
        for place in _places(row["channel"])
        if free.get((row["code"], place), 0) > 0
    ]


async def _shown(world: "World", free: Mapping[tuple[str, str], int]) -> list[str]:
    told = {
        (row["channel"], row["ref"]): row
        for row in await world.rows(
            """SELECT a.channel, s.ref, s.desired, s.expected, s.pushed, s.seen, s.synced_from, s.synced_to
               FROM stock_slot s JOIN account a ON a.id = s.account_id"""
        )
    }
    wrong = []
    for name, shop in world.shops.items():
        for item in shop.items.values():
            parts = world.parts(shop, item.ref)
            if not parts:
                continue
            there = sum(
                min(free.get((part, place), 0) // each for part, each in parts.items()) for place in _places(name)
            )
            right = _buffered(there, world.buffers.get(name))
            if item.shelf != right:
                row = {k: str(v) for k, v in told.get((name, item.ref), {}).items()}
                wrong.append(f"{item.ref} shows {item.shelf}, but {right} are to be had; the hub: {row}")
    return wrong


def _buffered(units: int, rule: tuple[int, UUID, str, int] | None) -> int:
    match rule:
        case (_, _, "units", value):
            return max(0, units - value)
        case (_, _, "percent", value):
            return units - math.ceil(units * value / 100)
        case (_, _, "least", value):
            return units if units >= value else 0
        case (_, _, "most", value):
            return min(units, value)
    return units


# ── sales that are over ────────────────────────────────────────────────────────────────────────────────────────


async def over(world: "World", shop: Shop, sales: Sequence[Sale]) -> list[Sale]:
    """Of these sales those that the hub knows to the letter and does not ask for any more."""
    account = world.accounts[shop.traits.name]
    refs = [sale.ref for sale in sales]
    async with world.hand.db.seller(world.seller_id) as tx:
        known = await orders.digests(tx, account.id, refs)
        asked = await tx.all(
            "SELECT ref FROM inbox WHERE account_id = %s AND state = 'due' AND ref = ANY(%s)", [account.id, refs]
        )
    waiting = {row["ref"] for row in asked}
    return [
        sale for sale in sales if sale.ref not in waiting and known.get(sale.ref) == parse.digest(shop.document(sale))
    ]


async def known_wrongly(world: "World", shop: Shop, sales: Sequence[Sale]) -> list[str]:
    """What the hub knows otherwise of these sales than the shop."""
    told: dict[str, dict[str, tuple[int, ...]]] = defaultdict(dict)
    for row in await world.rows(
        """SELECT o.ref AS sale, l.ref, l.quantity, l.cancelled_quantity, l.dispatched_quantity, l.returned_quantity
           FROM orders o JOIN order_line l ON l.order_id = o.id WHERE o.account_id = %s AND o.ref = ANY(%s)""",
        world.accounts[shop.traits.name].id, [sale.ref for sale in sales],
    ):  # fmt: skip
        sale, ref, *units = row.values()
        told[sale][ref] = tuple(units)
    right = {
        sale.ref: {line.ref: (line.quantity, line.cancelled, line.dispatched, line.returned) for line in sale.lines}
        for sale in sales
    }
    return [f"{ref} is known as {told[ref]}, but it is {lines}" for ref, lines in right.items() if told[ref] != lines]


async def forget(world: "World", before: Any) -> None:
    """What production drops when its time has come."""
    async with world.hand.db.seller(world.seller_id) as tx:
        while await inbox.prune(tx, before):
            pass


# ── how it went ────────────────────────────────────────────────────────────────────────────────────────────────


def missing(left: Counter[str], codes: Iterable[str]) -> int:
    """Units that are owed and nowhere to be had: sold more often than they are there."""
    return sum(max(0, -left[code]) for code in codes)


def figures(world: "World") -> dict[str, float]:
    """How it went."""
    counted = [shop.counted for shop in world.shops.values()]
    return {
        "orders": sum(each["sales"] for each in counted),
        "writes": sum(each["writes"] for each in counted),
        "requests": sum(each["requests"] for each in counted),
        "oversold": world.oversold,
        "commits": world.commits,
        "steps": world.steps,
        "virtual": world.loop.time() - 1000.0,
    }

"""SKUs, levels, the ledger and reservations."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub import stock
from hub.settlement import Have, Level, Levels, LineKey, Plan
from hub.store import Tx, buffers, kits, new_id
from hub.store.warehouses import Shelves


async def sku_put(tx: Tx, code: str, title: str = "", **facts: str | int | None) -> UUID:
    """The SKU of that code, made when it is not there; facts: gtin, category, weight_g, cost_cents."""
    sql = """
        INSERT INTO sku (seller_id, id, code, title, gtin, category, weight_g, cost_cents)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (seller_id, code) DO UPDATE SET title = coalesce(nullif(excluded.title, ''), sku.title),
            gtin = coalesce(excluded.gtin, sku.gtin), category = coalesce(excluded.category, sku.category),
            weight_g = coalesce(excluded.weight_g, sku.weight_g),
            cost_cents = coalesce(excluded.cost_cents, sku.cost_cents)
        RETURNING id"""
    told = [facts.get(name) for name in ("gtin", "category", "weight_g", "cost_cents")]
    made: UUID = await tx.value(sql, [tx.seller, new_id(), code, title, *told])
    return made


async def sku_id(tx: Tx, code: str) -> UUID | None:
    """The id of a SKU code."""
    found: UUID | None = await tx.value("SELECT id FROM sku WHERE code = %s", [code])
    return found


async def parts_of(tx: Tx, sku_ids: Iterable[UUID]) -> set[UUID]:
    """What these SKUs are made of, down to plain ones; a plain SKU is itself."""
    wanted = list(sku_ids)
    made_of = await kits.kits(tx, wanted)
    return {part.sku_id for sku in wanted for part in stock.flatten_kit(sku, made_of)}


async def lock_around(tx: Tx, sku_ids: Iterable[UUID], slot_ids: Sequence[UUID] = ()) -> set[UUID]:
    """Lock all that decides what slots of these SKUs show: first levels, then slots (these too), each in id order.

    A kit's number hangs on all its components: without their locks two sales of different components would each
    compute the kit from the other's old level. Answers the SKUs and the kits of them.
    """
    touched = await kits.with_kits_of(tx, sku_ids)
    await tx.run(
        "SELECT 1 FROM stock_level WHERE sku_id = ANY(%s) ORDER BY sku_id, warehouse_id FOR UPDATE",
        [sorted(await parts_of(tx, touched))],
    )
    await tx.run(
        "SELECT 1 FROM stock_slot WHERE sku_id = ANY(%s) OR id = ANY(%s) ORDER BY id FOR UPDATE",
        [list(touched), list(slot_ids)],
    )
    return touched


_LOCK_LEVELS: LiteralString = """
    SELECT sku_id, warehouse_id, on_hand, reserved FROM stock_level WHERE sku_id = ANY(%s)
    ORDER BY sku_id, warehouse_id FOR UPDATE"""


async def lock_levels(tx: Tx, sku_ids: Iterable[UUID], shelves_: Sequence[UUID] = ()) -> Levels:
    """Levels of these SKUs, locked in id order (so two orders never wait for each other).

    Rows are made for every pairing with `shelves_`, so that what is read is also locked. Where slots are computed
    in the same transaction, `lock_around` comes first.
    """
    ids = sorted(set(sku_ids))
    rows = await tx.all(_LOCK_LEVELS, [ids])
    there = {(row["sku_id"], row["warehouse_id"]) for row in rows}
    if any((sku, shelf) not in there for sku in ids for shelf in shelves_):
        await make_levels(tx, ids, shelves_)
        rows = await tx.all(_LOCK_LEVELS, [ids])
    return {(row["sku_id"], row["warehouse_id"]): Level(row["on_hand"], row["reserved"]) for row in rows}


async def levels_read(tx: Tx, sku_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], int]:
    """Free units by (SKU, warehouse), read without a lock."""
    rows = await tx.all(
        "SELECT sku_id, warehouse_id, greatest(0, on_hand - reserved) AS free FROM stock_level WHERE sku_id = ANY(%s)",
        [list(sku_ids)],
    )
    return {(row["sku_id"], row["warehouse_id"]): row["free"] for row in rows}


async def make_levels(tx: Tx, sku_ids: Sequence[UUID], shelves_: Sequence[UUID]) -> None:
    """Rows for every pairing, in id order."""
    pairs = [(sku, shelf) for sku in sorted(sku_ids) for shelf in sorted(shelves_)]
    await tx.run(
        "INSERT INTO stock_level (seller_id, sku_id, warehouse_id) "
        "SELECT %s, * FROM unnest(%s::uuid[], %s::uuid[]) ON CONFLICT DO NOTHING",
        [tx.seller, [pair[0] for pair in pairs], [pair[1] for pair in pairs]],
    )


async def write_levels(tx: Tx, before: Mapping[tuple[UUID, UUID], tuple[int, int]], levels: Levels) -> None:
    """Write the levels that differ from `before` (on_hand, reserved)."""
    sql = """
        INSERT INTO stock_level (seller_id, sku_id, warehouse_id, on_hand, reserved) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (seller_id, sku_id, warehouse_id)
        DO UPDATE SET on_hand = excluded.on_hand, reserved = excluded.reserved"""
    rows = [
        (tx.seller, sku, shelf, level.on_hand, level.reserved)
        for (sku, shelf), level in sorted(levels.items())
        if before.get((sku, shelf), (0, 0)) != (level.on_hand, level.reserved)
    ]
    await tx.many(sql, rows)


def picture(levels: Levels) -> dict[tuple[UUID, UUID], tuple[int, int]]:
    """Levels as they stand, to compare with later."""
    return {key: (level.on_hand, level.reserved) for key, level in levels.items()}


async def held_by(tx: Tx, order_id: UUID) -> dict[LineKey, Have]:
    """What an order holds, lacks and has moved, by line and component."""
    sql = """
        SELECT 'reserved' AS what, line_ref, sku_id, warehouse_id, quantity AS units FROM reservation
        WHERE order_id = %(id)s
        UNION ALL SELECT 'short', line_ref, sku_id, NULL, quantity FROM shortage WHERE order_id = %(id)s
        UNION ALL SELECT reason, line_ref, sku_id, warehouse_id,
            (CASE reason WHEN 'dispatch' THEN -sum(delta) ELSE sum(delta) END)::int FROM stock_movement
            WHERE order_id = %(id)s AND reason IN ('dispatch', 'return')
            GROUP BY reason, line_ref, sku_id, warehouse_id HAVING sum(delta) <> 0
        UNION ALL SELECT 'base_dispatched', line_ref, sku_id, NULL, dispatched FROM stock_base WHERE order_id = %(id)s
        UNION ALL SELECT 'base_returned', line_ref, sku_id, NULL, returned FROM stock_base WHERE order_id = %(id)s"""
    told: dict[LineKey, dict[str, dict[UUID | None, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in await tx.all(sql, {"id": order_id}):
        told[row["line_ref"], row["sku_id"]][row["what"]][row["warehouse_id"]] = row["units"]
    return {
        key: Have(
            reserved=_by_shelf(units["reserved"]),
            short=units["short"].get(None, 0),
            dispatched=_by_shelf(units["dispatch"]),
            returned=_by_shelf(units["return"]),
            base_dispatched=units["base_dispatched"].get(None, 0),
            base_returned=units["base_returned"].get(None, 0),
        )
        for key, units in told.items()
    }


def _by_shelf(units: Mapping[UUID | None, int]) -> dict[UUID, int]:
    return {shelf: count for shelf, count in units.items() if shelf is not None}


async def write_plan(tx: Tx, order_id: UUID, plan: Plan) -> None:
    """Reservations, shortages and ledger entries of one order, as planned."""
    await tx.many(
        "DELETE FROM reservation WHERE order_id = %s AND line_ref = %s AND sku_id = %s AND warehouse_id = %s",
        [(order_id, *key) for key, units in plan.reservations.items() if units == 0],
    )
    await tx.many(
        """INSERT INTO reservation (seller_id, order_id, line_ref, sku_id, warehouse_id, quantity)
           VALUES (%s, %s, %s, %s, %s, %s)
           ON CONFLICT (seller_id, order_id, line_ref, sku_id, warehouse_id)
           DO UPDATE SET quantity = excluded.quantity""",
        [(tx.seller, order_id, *key, units) for key, units in plan.reservations.items() if units],
    )
    await tx.many(
        "DELETE FROM shortage WHERE order_id = %s AND line_ref = %s AND sku_id = %s",
        [(order_id, *key) for key, units in plan.shortages.items() if units == 0],
    )
    await tx.many(
        """INSERT INTO shortage (seller_id, order_id, line_ref, sku_id, quantity) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (seller_id, order_id, line_ref, sku_id) DO UPDATE SET quantity = excluded.quantity""",
        [(tx.seller, order_id, *key, units) for key, units in plan.shortages.items() if units],
    )
    if not plan.moves:
        return
    count = await tx.value("SELECT count(*) FROM stock_movement WHERE order_id = %s", [order_id])
    await tx.many(
        """INSERT INTO stock_movement
               (seller_id, id, sku_id, warehouse_id, delta, reason, source_ref, line_ref, order_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            (
                tx.seller,
                new_id(),
                m.sku_id,
                m.warehouse_id,
                m.delta,
                m.reason,
                f"{order_id}#{n}",
                m.line_ref,
                order_id,
            )
            for n, m in enumerate(plan.moves, start=count + 1)
        ],
    )


async def components_of(tx: Tx, order_id: UUID) -> set[UUID]:
    """The SKUs that an order holds, lacks or has moved."""
    sql = """
        SELECT sku_id FROM reservation WHERE order_id = %(id)s UNION SELECT sku_id FROM shortage WHERE order_id = %(id)s
        UNION SELECT sku_id FROM stock_movement WHERE order_id = %(id)s
        UNION SELECT sku_id FROM stock_base WHERE order_id = %(id)s"""
    return {row["sku_id"] for row in await tx.all(sql, {"id": order_id})}


async def move(
    tx: Tx, sku: UUID, shelf: UUID, delta: int, reason: str, source_ref: str, *, note: str | None = None
) -> bool:
    """One ledger entry; False when this (reason, source_ref) was booked before. The level must be locked."""
    sql = """
        INSERT INTO stock_movement (seller_id, id, sku_id, warehouse_id, delta, reason, source_ref, note)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""
    params = [tx.seller, new_id(), sku, shelf, delta, reason, source_ref, note]
    return await tx.run(sql, params) == 1


async def open_sku(tx: Tx, sku: UUID, at: datetime) -> bool:
    """Mark the opening of a SKU's stock; False when it was open."""
    sql = "UPDATE sku SET opened_at = %s, stock_since = %s WHERE id = %s AND opened_at IS NULL"
    return await tx.run(sql, [at, at, sku]) == 1


async def set_since(tx: Tx, sku: UUID, at: datetime) -> None:
    """From when on orders that leave move this SKU's stock."""
    await tx.run("UPDATE sku SET stock_since = %s WHERE id = %s", [at, sku])


async def opened(tx: Tx, sku_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    """Of these SKUs the opened ones, with the instant their stock counts from."""
    rows = await tx.all("SELECT id, stock_since FROM sku WHERE id = ANY(%s) AND opened_at IS NOT NULL", [list(sku_ids)])
    return {row["id"]: row["stock_since"] for row in rows}


async def set_base(tx: Tx, order_id: UUID, rows: Iterable[tuple[str, UUID, int, int]]) -> None:
    """(line_ref, component, dispatched, returned) that left or came back before the stock was opened."""
    await tx.many(
        """INSERT INTO stock_base (seller_id, order_id, line_ref, sku_id, dispatched, returned)
           VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
        [(tx.seller, order_id, *row) for row in rows],
    )


async def inputs(
    tx: Tx, sku_ids: Iterable[UUID], shelves_: Shelves, now: datetime, account_id: UUID | None = None
) -> list[stock.SlotInputs]:
    """What `hub.stock.available` needs for every slot (of that account) that sells one of these SKUs."""
    wanted = list(sku_ids)
    slots = await tx.all(
        """SELECT s.id, s.account_id, s.sku_id, s.multiplier, k.split_allowed, k.code, k.category, s.ref,
                  coalesce(k.split, a.split, e.split) <> 'units' AS one_parcel,
                  a.stock_role = 'source' AS is_source
           FROM stock_slot s JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
           JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
           JOIN seller e ON e.seller_id = s.seller_id
           WHERE s.sku_id = ANY(%(skus)s) AND (%(account)s::uuid IS NULL OR s.account_id = %(account)s)
             AND a.status <> 'closed' AND (a.stock_role = 'target'
             OR a.stock_role = 'source' AND a.settings ->> 'source_told' = 'decrement')""",
        {"skus": wanted, "account": account_id},
    )
    if not slots:
        return []
    made_of = await kits.kits(tx, wanted)
    parts = {sku: stock.flatten_kit(sku, made_of) for sku in {slot["sku_id"] for slot in slots}}
    components = {part.sku_id for flat in parts.values() for part in flat}
    levels = await tx.all(
        "SELECT sku_id, warehouse_id, on_hand, reserved FROM stock_level WHERE sku_id = ANY(%s)",
        [list(components)],
    )
    by_sku: dict[UUID, list[stock.Level]] = defaultdict(list)
    for row in levels:
        by_sku[row["sku_id"]].append(stock.Level(**row))
    open_skus = await opened(tx, components)
    rules = await buffers.in_force(tx, slots, now)
    told = [
        stock.SlotInputs(
            slot_id=slot["id"],
            components=parts[slot["sku_id"]],
            multiplier=slot["multiplier"],
            warehouses=shelves_.of(slot["account_id"]),
            levels=tuple(level for part in parts[slot["sku_id"]] for level in by_sku[part.sku_id]),
            opened=all(part.sku_id in open_skus for part in parts[slot["sku_id"]]),
            split_allowed=slot["split_allowed"],
            one_parcel=slot["one_parcel"],
            buffers=() if slot["is_source"] else rules[slot["id"]],
            numbers="available",
            own_reserved=0,
        )
        for slot in slots
    ]
    # A source keeps the books: it is told what is free, with no buffer and no pool of another channel taken off.
    plain = {slot["id"] for slot in slots if slot["is_source"]}
    targets = [one for one in told if one.slot_id not in plain]
    apart = await buffers.set_apart(tx, targets, {slot["id"]: slot["account_id"] for slot in slots}, shelves_, now)
    return [*apart, *(one for one in told if one.slot_id in plain)]


async def desire(
    tx: Tx, answers: Mapping[UUID, int | None], since: datetime, cause: str, *, not_before: datetime | None = None
) -> set[UUID]:
    """Write what slots should show. A slot whose channel shows it already rests; others fall due.

    Answers the accounts that have something to push. Coalescing: the first change goes out at once, later ones
    at most once a second per slot. `not_before`: until then only what was due already leaves (`fall_due` ends that).
    """
    sql = """
        UPDATE stock_slot s SET desired = told.desired,
            generation = s.generation + (s.desired IS DISTINCT FROM told.desired)::int,
            cause = CASE WHEN s.desired IS DISTINCT FROM told.desired THEN %s ELSE s.cause END,
            braked = s.braked AND told.desired = 0,
            dirty_at = CASE WHEN s.due_at IS NULL OR s.lease_token IS NOT NULL THEN %s ELSE s.dirty_at END,
            due_at = CASE
                WHEN told.desired IS NULL OR s.parked_code IS NOT NULL OR s.braked AND told.desired = 0
                    OR s.managed_by <> 'seller' OR s.status = 'closed' OR s.seen_at IS NULL THEN NULL
                WHEN s.expected = told.desired AND s.doubt_until IS NULL AND s.lease_token IS NULL THEN NULL
                WHEN %s::timestamptz IS NOT NULL AND s.due_at IS NOT NULL THEN s.due_at
                ELSE greatest(now(), s.last_pushed_at + interval '1 second', s.doubt_until, %s) END
        FROM unnest(%s::uuid[], %s::int[]) AS told(id, desired)
        WHERE s.id = told.id AND (s.desired IS DISTINCT FROM told.desired
            OR (s.expected IS DISTINCT FROM told.desired AND s.due_at IS NULL))
        RETURNING s.account_id, s.due_at"""
    ids, wanted = list(answers.keys()), list(answers.values())
    rows = await tx.all(sql, [cause, since, not_before, not_before, ids, wanted])
    return {row["account_id"] for row in rows if row["due_at"] is not None}


async def fall_due(tx: Tx, slot_ids: Sequence[UUID]) -> None:
    """What `desire` kept until later leaves now."""
    await tx.run(
        """WITH kept AS (
               SELECT seller_id, id FROM stock_slot WHERE id = ANY(%s) AND due_at > now() ORDER BY id FOR UPDATE)
           UPDATE stock_slot s SET due_at = greatest(now(), s.last_pushed_at + interval '1 second', s.doubt_until)
           FROM kept WHERE s.seller_id = kept.seller_id AND s.id = kept.id""",
        [list(slot_ids)],
    )


async def levels_of(tx: Tx, sku: UUID) -> list[dict[str, Any]]:
    """One row per warehouse: code, on_hand, reserved."""
    return await tx.all(
        """SELECT w.code, w.id, l.on_hand, l.reserved FROM stock_level l
           JOIN warehouse w ON w.seller_id = l.seller_id AND w.id = l.warehouse_id
           WHERE l.sku_id = %s ORDER BY w.rank, w.code""",
        [sku],
    )


async def open_orders_with(tx: Tx, sku_ids: Iterable[UUID]) -> list[UUID]:
    """Orders whose lines sell one of these SKUs (kits of them included by the caller), oldest first."""
    rows = await tx.all(
        """SELECT o.id FROM orders o WHERE EXISTS (SELECT FROM order_line l
             WHERE l.seller_id = o.seller_id AND l.order_id = o.id AND l.sku_id = ANY(%s))
           ORDER BY o.placed_at NULLS FIRST, o.id""",
        [list(sku_ids)],
    )
    return [row["id"] for row in rows]


async def audit(tx: Tx, action: str, subject: str, **params: object) -> None:
    """One line of the audit log."""
    sql = "INSERT INTO audit_log (seller_id, id, action, subject, params) VALUES (%s, %s, %s, %s, %s)"
    await tx.run(sql, [tx.seller, new_id(), action, subject, json.dumps(params, default=str)])

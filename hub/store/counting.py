"""Counts of warehouses: what is to be counted, every time it was, and how that differs from the ledger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.stocktake import Flag, Line
from hub.store import Tx, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A count of one warehouse. `scope`: all, category or list; `state`: open, posted or cancelled."""

    id: UUID
    number: int
    warehouse_id: UUID
    warehouse: str
    scope: str
    category: str | None
    blind: bool
    note: str
    state: str
    at: datetime


_COUNT = """
    SELECT c.id, c.number, c.warehouse_id, w.code AS warehouse, c.scope, c.category, c.blind, c.note, c.state, c.at
    FROM stock_count c JOIN warehouse w ON w.seller_id = c.seller_id AND w.id = c.warehouse_id WHERE c.number = %s"""
_PLAIN = "NOT EXISTS (SELECT FROM kit_component p WHERE p.seller_id = k.seller_id AND p.kit_id = k.id)"


async def add(
    tx: Tx, warehouse_id: UUID, *, skus: Collection[UUID] | None, category: str | None, blind: bool, note: str
) -> int:
    """Open a count of these SKUs, of a category's, or of all; kits have no units of their own. Answers its number."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtextextended('balcao.stock_count', 0))")
    count_id = new_id()
    scope = "list" if skus is not None else "category" if category is not None else "all"
    number: int = await tx.value(
        """INSERT INTO stock_count (seller_id, id, number, warehouse_id, scope, category, blind, note)
           SELECT %s, %s, coalesce(max(number), 0) + 1, %s, %s, %s, %s, %s FROM stock_count RETURNING number""",
        [tx.seller, count_id, warehouse_id, scope, category, blind, note],
    )
    await tx.run(
        f"""INSERT INTO stock_count_line (seller_id, count_id, sku_id)
            SELECT k.seller_id, %(id)s, k.id FROM sku k WHERE {_PLAIN}
              AND (%(skus)s::uuid[] IS NULL OR k.id = ANY(%(skus)s))
              AND (%(category)s::text IS NULL OR k.category = %(category)s)""",
        {"id": count_id, "skus": None if skus is None else list(skus), "category": category},
    )
    return number


async def get(tx: Tx, number: int, *, lock: bool = False) -> Count | None:
    """The count of that number; locked, so that it is posted or cancelled once."""
    row = await tx.one(_COUNT + " FOR UPDATE OF c" if lock else _COUNT, [number])
    return Count(**row) if row else None


async def scope_of(tx: Tx, count_id: UUID) -> set[UUID]:
    """The SKUs to count."""
    rows = await tx.all("SELECT sku_id FROM stock_count_line WHERE count_id = %s", [count_id])
    return {row["sku_id"] for row in rows}


async def skus_after(tx: Tx, count_id: UUID, after: str | None, limit: int) -> list[UUID]:
    """The SKUs to count, by code from `after` on."""
    rows = await tx.all(
        """SELECT k.id FROM stock_count_line l JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.count_id = %s AND (%s::text IS NULL OR k.code > %s) ORDER BY k.code LIMIT %s""",
        [count_id, after, after, limit],
    )
    return [row["id"] for row in rows]


async def widen(tx: Tx, count_id: UUID, skus: Collection[UUID]) -> None:
    """These SKUs are to be counted too."""
    await tx.run(
        "INSERT INTO stock_count_line (seller_id, count_id, sku_id) SELECT %s, %s, * FROM unnest(%s::uuid[]) "
        "ON CONFLICT DO NOTHING",
        [tx.seller, count_id, list(skus)],
    )


async def enter(tx: Tx, count_id: UUID, told: Sequence[tuple[UUID, int]], at: datetime) -> None:
    """(sku, units) as counted at an instant; what was entered before stays as history."""
    await tx.run(
        """INSERT INTO stock_count_entry (seller_id, id, count_id, sku_id, units, counted_at)
           SELECT %s, t.id, %s, t.sku_id, t.units, %s FROM unnest(%s::uuid[], %s::uuid[], %s::int[])
               AS t(id, sku_id, units)""",
        [tx.seller, count_id, at, [new_id() for _ in told], [sku for sku, _n in told], [units for _sku, units in told]],
    )


async def last_units(tx: Tx, count_id: UUID, skus: Collection[UUID]) -> dict[UUID, int]:
    """What was last said of these SKUs, locked: whoever adds to it comes one after the other."""
    await tx.run(
        "SELECT 1 FROM stock_count_line WHERE count_id = %s AND sku_id = ANY(%s) ORDER BY sku_id FOR UPDATE",
        [count_id, list(skus)],
    )
    rows = await tx.all(
        """SELECT DISTINCT ON (sku_id) sku_id, units FROM stock_count_entry WHERE count_id = %s AND sku_id = ANY(%s)
           ORDER BY sku_id, id DESC""",
        [count_id, list(skus)],
    )
    return {row["sku_id"]: row["units"] for row in rows}


async def progress(tx: Tx, count_id: UUID) -> tuple[int, int]:
    """(SKUs to count, those that were counted)."""
    row = await tx.one(
        """SELECT (SELECT count(*)::int FROM stock_count_line WHERE count_id = %(id)s) AS skus,
                  (SELECT count(DISTINCT sku_id)::int FROM stock_count_entry WHERE count_id = %(id)s) AS counted""",
        {"id": count_id},
    )
    return (row["skus"], row["counted"]) if row else (0, 0)


async def entries(tx: Tx, count_id: UUID, limit: int) -> list[dict[str, Any]]:
    """What was noted, newest first: sku, title, units, who, at."""
    return await tx.all(
        """SELECT e.units, e.at, e.made_by, u.name AS person, k.id AS sku_id, k.code AS sku, k.title
           FROM stock_count_entry e JOIN sku k ON k.seller_id = e.seller_id AND k.id = e.sku_id
           LEFT JOIN app_user u ON e.made_by = 'web:' || u.id::text
           WHERE e.count_id = %s ORDER BY e.id DESC LIMIT %s""",
        [count_id, limit],
    )


async def waiting(tx: Tx, count_id: UUID, after: str | None, limit: int) -> list[dict[str, Any]]:
    """SKUs that nobody has counted yet, by code from `after` on: id, sku, title, category."""
    return await tx.all(
        """SELECT k.id, k.code AS sku, k.title, k.category FROM stock_count_line l
           JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.count_id = %(id)s AND (%(after)s::text IS NULL OR k.code > %(after)s)
             AND NOT EXISTS (SELECT FROM stock_count_entry e WHERE e.seller_id = l.seller_id
                             AND e.count_id = l.count_id AND e.sku_id = l.sku_id)
           ORDER BY k.code LIMIT %(limit)s""",
        {"id": count_id, "after": after, "limit": limit},
    )


async def lines(tx: Tx, count: Count, window: timedelta, skus: Collection[UUID] | None = None) -> list[Line]:
    """Every SKU of a count with its last entry, the book at that instant and why it should be counted again.

    An entry's book is the ledger's sum up to then, which is what stands there now less what was booked since: what is
    sold or dispatched between counting and posting is no difference. An uncounted SKU's book is what stands there now.
    """
    rows = await tx.all(
        """WITH told AS (
               SELECT DISTINCT ON (e.sku_id) e.sku_id, e.units, e.counted_at,
                      count(*) OVER (PARTITION BY e.sku_id)::int AS attempts
               FROM stock_count_entry e WHERE e.count_id = %(count)s ORDER BY e.sku_id, e.id DESC)
           SELECT k.id AS sku_id, k.code AS sku, k.title, k.category, k.cost_cents,
               k.opened_at IS NOT NULL AS is_open, t.units, t.counted_at, coalesce(t.attempts, 0) AS attempts,
               coalesce(v.on_hand, 0) - CASE WHEN t.sku_id IS NULL THEN 0 ELSE
                   (SELECT coalesce(sum(m.delta), 0)::int FROM stock_movement m WHERE m.seller_id = k.seller_id
                    AND m.sku_id = k.id AND m.warehouse_id = %(house)s AND m.at > t.counted_at) END AS book,
               t.sku_id IS NOT NULL AND EXISTS (SELECT FROM stock_movement m WHERE m.seller_id = k.seller_id
                   AND m.sku_id = k.id AND m.warehouse_id = %(house)s
                   AND m.at BETWEEN t.counted_at - %(window)s AND t.counted_at + %(window)s
                   AND m.source_ref <> %(own)s) AS moved,
               t.sku_id IS NOT NULL AND EXISTS (SELECT FROM reservation r
                   JOIN orders o ON o.seller_id = r.seller_id AND o.id = r.order_id
                   WHERE r.seller_id = k.seller_id AND r.sku_id = k.id AND r.warehouse_id = %(house)s
                     AND r.created_at <= t.counted_at + %(window)s
                     AND (o.ship_by <= t.counted_at + %(window)s OR EXISTS (
                         SELECT FROM shipment_line h JOIN shipment s ON s.seller_id = h.seller_id
                             AND s.id = h.shipment_id
                         WHERE h.seller_id = o.seller_id AND h.order_id = o.id AND s.tracking_code IS NOT NULL))
               ) AS leaving,
               t.sku_id IS NOT NULL AND EXISTS (SELECT FROM stock_movement m
                   JOIN orders o ON o.seller_id = m.seller_id AND o.id = m.order_id
                   WHERE m.seller_id = k.seller_id AND m.sku_id = k.id AND m.warehouse_id = %(house)s
                     AND m.reason = 'dispatch' AND m.at > t.counted_at AND o.changed_at <= t.counted_at) AS told_late,
               t.sku_id IS NOT NULL AND k.opened_at IS NULL AND EXISTS (SELECT FROM order_line l
                   JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
                   WHERE l.seller_id = k.seller_id AND o.updated_at > t.counted_at AND l.dispatched_quantity > 0
                     AND (l.sku_id = k.id OR l.sku_id IN (
                         SELECT p.kit_id FROM kit_component p WHERE p.seller_id = k.seller_id AND p.sku_id = k.id))
               ) AS opening,
               t.sku_id IS NOT NULL AND v.counted_at > t.counted_at AS counted_since
           FROM stock_count_line c JOIN sku k ON k.seller_id = c.seller_id AND k.id = c.sku_id
           LEFT JOIN told t ON t.sku_id = c.sku_id
           LEFT JOIN stock_level v ON v.seller_id = c.seller_id AND v.sku_id = c.sku_id
               AND v.warehouse_id = %(house)s
           WHERE c.count_id = %(count)s AND (%(skus)s::uuid[] IS NULL OR c.sku_id = ANY(%(skus)s))
           ORDER BY k.code""",
        {
            "count": count.id, "house": count.warehouse_id, "window": window,
            "own": f"count:{count.number}", "skus": None if skus is None else list(skus),
        },
    )  # fmt: skip
    return [_line(row) for row in rows]


def _line(row: Mapping[str, Any]) -> Line:
    flags = tuple(flag for flag in Flag if row[flag.value])
    return Line(**{name: value for name, value in row.items() if name not in set(Flag)}, flags=flags)


async def posted(tx: Tx, count_id: UUID, told: Sequence[tuple[UUID, int]], at: datetime) -> None:
    """The differences are booked: (sku, units) of each counted line. The count is closed."""
    await tx.run(
        """UPDATE stock_count_line c SET posted = t.units FROM unnest(%s::uuid[], %s::int[]) AS t(sku_id, units)
           WHERE c.count_id = %s AND c.sku_id = t.sku_id""",
        [[sku for sku, _n in told], [units for _sku, units in told], count_id],
    )
    await close(tx, count_id, "posted", at)


async def close(tx: Tx, count_id: UUID, state: str, at: datetime) -> None:
    """Posted or cancelled, by whoever works now."""
    await tx.run(
        """UPDATE stock_count SET state = %s, closed_at = %s,
             closed_by = coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow') WHERE id = %s""",
        [state, at, count_id],
    )


async def listed(tx: Tx, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """Counts, newest first (those before a number): how many SKUs they have and how many of them were counted."""
    return await tx.all(
        """SELECT c.number, c.state, w.code AS warehouse, c.scope, c.category, c.blind, c.note, c.at, c.made_by,
                  c.closed_at, c.closed_by,
                  (SELECT count(*)::int FROM stock_count_line l WHERE l.seller_id = c.seller_id
                   AND l.count_id = c.id) AS skus,
                  (SELECT count(DISTINCT e.sku_id)::int FROM stock_count_entry e WHERE e.seller_id = c.seller_id
                   AND e.count_id = c.id) AS counted
           FROM stock_count c JOIN warehouse w ON w.seller_id = c.seller_id AND w.id = c.warehouse_id
           WHERE (%s::int IS NULL OR c.number < %s) ORDER BY c.number DESC LIMIT %s""",
        [before, before, limit],
    )


async def counted_since(tx: Tx, warehouse_id: UUID, told: Mapping[UUID, datetime]) -> set[UUID]:
    """Of these SKUs those of whom somebody said how many stand there after that instant."""
    rows = await tx.all(
        """SELECT l.sku_id FROM stock_level l JOIN unnest(%s::uuid[], %s::timestamptz[]) AS t(sku_id, at) USING (sku_id)
           WHERE l.warehouse_id = %s AND l.counted_at > t.at""",
        [list(told.keys()), list(told.values()), warehouse_id],
    )
    return {row["sku_id"] for row in rows}

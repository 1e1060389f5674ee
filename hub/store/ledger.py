"""The stock ledger in bulk: what is moved and counted, many SKUs in one statement, and its history."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from hub.settlement import Levels
from hub.store import Tx, new_id

Place: TypeAlias = tuple[UUID, UUID]  # sku, warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry to book: `delta` units of a SKU on a shelf."""

    sku_id: UUID
    warehouse_id: UUID
    delta: int
    reason: str
    line_ref: str = ""


async def book(tx: Tx, entries: Iterable[Entry], source_ref: str, note: str | None = None) -> set[tuple[UUID, str]]:
    """Append entries and move on_hand by them. One that was booked before is left out, and moves nothing.

    The levels must be locked. Answers (sku, line_ref) of what was booked now.
    """
    rows = [entry for entry in entries if entry.delta]
    if not rows:
        return set()
    sql = """
        WITH told AS (
            SELECT * FROM unnest(%(ids)s::uuid[], %(skus)s::uuid[], %(shelves)s::uuid[], %(deltas)s::int[],
                %(reasons)s::text[], %(lines)s::text[]) AS t(id, sku_id, warehouse_id, delta, reason, line_ref)
        ), booked AS (
            INSERT INTO stock_movement (seller_id, id, sku_id, warehouse_id, delta, reason, source_ref, line_ref, note)
            SELECT %(seller)s, id, sku_id, warehouse_id, delta, reason, %(source)s, line_ref, %(note)s FROM told
            ON CONFLICT DO NOTHING RETURNING sku_id, warehouse_id, delta, line_ref
        ), moved AS (
            UPDATE stock_level l SET on_hand = l.on_hand + b.delta
            FROM (SELECT sku_id, warehouse_id, sum(delta)::int AS delta FROM booked GROUP BY 1, 2) b
            WHERE l.sku_id = b.sku_id AND l.warehouse_id = b.warehouse_id
        ) SELECT sku_id, line_ref FROM booked"""
    params = {
        "ids": [new_id() for _ in rows], "skus": [row.sku_id for row in rows],
        "shelves": [row.warehouse_id for row in rows], "deltas": [row.delta for row in rows],
        "reasons": [row.reason for row in rows], "lines": [row.line_ref for row in rows],
        "seller": tx.seller, "source": source_ref, "note": note,
    }  # fmt: skip
    return {(row["sku_id"], row["line_ref"]) for row in await tx.all(sql, params)}


async def mark_counted(tx: Tx, places: Sequence[Place], at: Sequence[datetime]) -> None:
    """Somebody said how many stand on each of these shelves, at that instant. Locks them in id order."""
    await tx.run(
        """WITH told AS (
               SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) AS t(sku_id, warehouse_id, at)
           ), locked AS (
               SELECT l.sku_id, l.warehouse_id FROM stock_level l JOIN told USING (sku_id, warehouse_id)
               ORDER BY l.sku_id, l.warehouse_id FOR UPDATE OF l
           )
           UPDATE stock_level l SET counted_at = greatest(l.counted_at, told.at) FROM locked JOIN told
               USING (sku_id, warehouse_id)
           WHERE l.sku_id = told.sku_id AND l.warehouse_id = told.warehouse_id""",
        [[sku for sku, _shelf in places], [shelf for _sku, shelf in places], list(at)],
    )


async def make_levels(tx: Tx, places: Collection[Place]) -> None:
    """Rows for these shelves, made in id order where they are missing."""
    pairs = sorted(set(places))
    await tx.run(
        "INSERT INTO stock_level (seller_id, sku_id, warehouse_id) "
        "SELECT %s, * FROM unnest(%s::uuid[], %s::uuid[]) ON CONFLICT DO NOTHING",
        [tx.seller, [sku for sku, _shelf in pairs], [shelf for _sku, shelf in pairs]],
    )


async def on_hand(tx: Tx, places: Collection[Place]) -> dict[Place, int]:
    """What stands there, read without a lock; a shelf without a row is 0."""
    rows = await tx.all(
        """SELECT l.sku_id, l.warehouse_id, l.on_hand FROM stock_level l
           JOIN unnest(%s::uuid[], %s::uuid[]) AS t(sku_id, warehouse_id) USING (sku_id, warehouse_id)""",
        [[sku for sku, _shelf in places], [shelf for _sku, shelf in places]],
    )
    known = {(row["sku_id"], row["warehouse_id"]): row["on_hand"] for row in rows}
    return {place: known.get(place, 0) for place in places}


async def put_skus(tx: Tx, codes: Collection[str]) -> None:
    """Make the SKUs of these codes that are not there."""
    wanted = sorted(set(codes))
    await tx.run(
        "INSERT INTO sku (seller_id, id, code) SELECT %s, * FROM unnest(%s::uuid[], %s::text[]) ON CONFLICT DO NOTHING",
        [tx.seller, [new_id() for _ in wanted], wanted],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A SKU by its code: whether it is a kit, and whether its stock is open."""

    id: UUID
    is_kit: bool
    is_open: bool


async def known(tx: Tx, codes: Collection[str]) -> dict[str, Known]:
    """Of these codes the SKUs there are."""
    rows = await tx.all(
        """SELECT k.code, k.id, k.opened_at IS NOT NULL AS is_open, EXISTS (SELECT FROM kit_component c
                  WHERE c.seller_id = k.seller_id AND c.kit_id = k.id) AS is_kit
           FROM sku k WHERE k.code = ANY(%s)""",
        [list(codes)],
    )
    return {row["code"]: Known(id=row["id"], is_kit=row["is_kit"], is_open=row["is_open"]) for row in rows}


async def open_skus(tx: Tx, sku_ids: Collection[UUID], at: datetime) -> set[UUID]:
    """Mark the opening of these locked SKUs' stock. Answers those that were not open."""
    rows = await tx.all(
        "UPDATE sku SET opened_at = %s, stock_since = %s WHERE id = ANY(%s) AND opened_at IS NULL RETURNING id",
        [at, at, list(sku_ids)],
    )
    return {row["id"] for row in rows}


async def wait_for_openings(tx: Tx, sku_ids: Collection[UUID]) -> None:
    """Wait for whoever is opening one of these SKUs, and keep others from it until we are done.

    Either they see our order, or we see their opening. Comes before levels and slots are locked.
    """
    await tx.run("SELECT 1 FROM sku WHERE id = ANY(%s) AND opened_at IS NULL ORDER BY id FOR SHARE", [list(sku_ids)])


async def lock_openings(tx: Tx, sku_ids: Collection[UUID]) -> None:
    """We are about to open these SKUs; comes before levels and slots are locked."""
    await tx.run("SELECT 1 FROM sku WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [list(sku_ids)])


async def lock_orders(tx: Tx, order_ids: Collection[UUID], *, wait: bool) -> set[UUID]:
    """Lock orders in id order; without `wait` those that somebody works on are left out. Answers the locked ones."""
    sql = "SELECT id FROM orders WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
    rows = await tx.all(sql if wait else sql + " SKIP LOCKED", [list(order_ids)])
    return {row["id"] for row in rows}


async def write_reserved(tx: Tx, before: Mapping[Place, tuple[int, int]], levels: Levels) -> None:
    """Write the reserved units that differ from `before` (on_hand, reserved), in one statement."""
    rows = [
        (sku, shelf, level.reserved)
        for (sku, shelf), level in sorted(levels.items())
        if before.get((sku, shelf), (0, 0))[1] != level.reserved
    ]
    if rows:
        await tx.run(
            """UPDATE stock_level l SET reserved = t.reserved
               FROM unnest(%s::uuid[], %s::uuid[], %s::int[]) AS t(sku_id, warehouse_id, reserved)
               WHERE l.sku_id = t.sku_id AND l.warehouse_id = t.warehouse_id""",
            [[row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]],
        )


# ── history ─────────────────────────────────────────────────────────────────────────────────────────────────


async def history(
    tx: Tx, sku_id: UUID, *, warehouse_id: UUID | None = None, since: datetime | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """Entries of a SKU, newest first, each with the balance of its shelf after it, who made it and for which order."""
    return await tx.all(
        """WITH entry AS (
               SELECT m.*, sum(m.delta) OVER (PARTITION BY m.warehouse_id ORDER BY m.at, m.id)::int AS balance
               FROM stock_movement m WHERE m.sku_id = %(sku)s
           )
           SELECT e.at, w.code AS warehouse, e.reason, e.delta, e.balance, e.note, e.source_ref, e.line_ref,
                  coalesce('web:' || u.email, e.made_by) AS made_by, e.order_id,
                  coalesce(o.number, o.ref) AS order_number, a.name AS account
           FROM entry e JOIN warehouse w ON w.seller_id = e.seller_id AND w.id = e.warehouse_id
           LEFT JOIN orders o ON o.seller_id = e.seller_id AND o.id = e.order_id
           LEFT JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
           LEFT JOIN app_user u ON e.made_by = 'web:' || u.id::text
           WHERE (%(warehouse)s::uuid IS NULL OR e.warehouse_id = %(warehouse)s)
             AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s)
           ORDER BY e.at DESC, e.id DESC LIMIT %(limit)s""",
        {"sku": sku_id, "warehouse": warehouse_id, "since": since, "limit": limit},
    )


async def exported(tx: Tx, warehouse_id: UUID | None) -> list[dict[str, Any]]:
    """Every counted SKU on every shelf (or one): what stands there, is held and is free. Kits have no shelf."""
    return await tx.all(
        """SELECT k.code AS sku, k.title, k.category, w.code AS warehouse, l.on_hand, l.reserved,
                  greatest(0, l.on_hand - l.reserved) AS free, k.cost_cents, l.counted_at
           FROM stock_level l JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           JOIN warehouse w ON w.seller_id = l.seller_id AND w.id = l.warehouse_id
           WHERE k.opened_at IS NOT NULL AND (%(warehouse)s::uuid IS NULL OR l.warehouse_id = %(warehouse)s)
           ORDER BY k.code, w.rank, w.code""",
        {"warehouse": warehouse_id},
    )


async def book_at(tx: Tx, sku_id: UUID, warehouse_id: UUID, at: datetime) -> int:
    """Units on hand by the ledger at an instant."""
    total: int = await tx.value(
        "SELECT coalesce(sum(delta), 0)::int FROM stock_movement WHERE sku_id = %s AND warehouse_id = %s AND at <= %s",
        [sku_id, warehouse_id, at],
    )
    return total

"""Files of stock: staged whole, written row by row, and taken back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.store import Tx, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A file: `mode` is "set" or "add"; `applied_at` null while rows are still to be written."""

    id: UUID
    number: int
    mode: str
    applied_at: datetime | None
    undone_at: datetime | None

    @property
    def source_ref(self) -> str:
        """Under which the ledger keeps its entries."""
        return f"import:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """One line of a file. `before`, `delta`: null until it is written."""

    line: int
    sku_id: UUID
    warehouse_id: UUID
    units: int
    before: int | None = None
    delta: int | None = None
    opened: bool = False
    applied_at: datetime | None = None


_IMPORT = "SELECT id, number, mode, applied_at, undone_at FROM stock_import WHERE number = %s"


async def add(tx: Tx, mode: str, file_name: str, rows: Sequence[ImportRow]) -> Import:
    """Stage a file with all its rows."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtextextended('balcao.stock_import', 0))")
    import_id = new_id()
    number: int = await tx.value(
        """INSERT INTO stock_import (seller_id, id, number, mode, file_name, rows)
           SELECT %s, %s, coalesce(max(number), 0) + 1, %s, %s, %s FROM stock_import RETURNING number""",
        [tx.seller, import_id, mode, file_name, len(rows)],
    )
    await tx.run(
        """INSERT INTO stock_import_row (seller_id, import_id, line, sku_id, warehouse_id, units)
           SELECT %s, %s, * FROM unnest(%s::int[], %s::uuid[], %s::uuid[], %s::int[])""",
        [
            tx.seller,
            import_id,
            [row.line for row in rows],
            [row.sku_id for row in rows],
            [row.warehouse_id for row in rows],
            [row.units for row in rows],
        ],
    )
    return Import(id=import_id, number=number, mode=mode, applied_at=None, undone_at=None)


async def get(tx: Tx, number: int, *, lock: bool = False) -> Import | None:
    """The file of that number; locked, so that one process at a time goes on with it."""
    row = await tx.one(_IMPORT + " FOR UPDATE" if lock else _IMPORT, [number])
    return Import(**row) if row else None


async def next_rows(tx: Tx, import_id: UUID, limit: int) -> list[ImportRow]:
    """Rows that are still to be written, in the order in which SKUs are locked."""
    rows = await tx.all(
        """SELECT line, sku_id, warehouse_id, units FROM stock_import_row
           WHERE import_id = %s AND applied_at IS NULL ORDER BY sku_id, warehouse_id LIMIT %s""",
        [import_id, limit],
    )
    return [ImportRow(**row) for row in rows]


async def applied(tx: Tx, import_id: UUID, rows: Sequence[tuple[int, int, int, bool]], at: datetime) -> None:
    """What writing did: (line, before, delta, opened)."""
    await tx.run(
        """UPDATE stock_import_row r SET before = t.before, delta = t.delta, opened = t.opened, applied_at = %s
           FROM unnest(%s::int[], %s::int[], %s::int[], %s::bool[]) AS t(line, before, delta, opened)
           WHERE r.import_id = %s AND r.line = t.line""",
        [at, *([row[n] for row in rows] for n in range(4)), import_id],
    )


async def finish(tx: Tx, import_id: UUID, at: datetime) -> None:
    """Every row is written."""
    await tx.run("UPDATE stock_import SET applied_at = %s WHERE id = %s AND applied_at IS NULL", [at, import_id])


async def summary(tx: Tx, import_id: UUID) -> dict[str, int]:
    """Of a file's rows how many are written, changed, opened, undone and still to be written."""
    row = await tx.one(
        """SELECT count(applied_at)::int AS written, count(*) FILTER (WHERE delta <> 0)::int AS changed,
                  count(*) FILTER (WHERE opened)::int AS opened, count(undone_at)::int AS undone,
                  count(*) FILTER (WHERE applied_at IS NULL)::int AS left
           FROM stock_import_row WHERE import_id = %s""",
        [import_id],
    )
    return dict(row) if row else {}


async def listed(tx: Tx, limit: int, *, after: int | None = None) -> list[dict[str, Any]]:
    """Files, newest first; `after`: those before that number."""
    return await tx.all(
        """SELECT i.number, i.at, i.file_name, i.mode, i.rows, i.made_by, i.applied_at, i.undone_at,
                  (SELECT count(*) FROM stock_import_row r WHERE r.seller_id = i.seller_id AND r.import_id = i.id
                   AND r.applied_at IS NULL)::int AS left
           FROM stock_import i WHERE i.number < coalesce(%s, 2147483647) ORDER BY i.number DESC LIMIT %s""",
        [after, limit],
    )


async def rows_of(tx: Tx, import_id: UUID, *, after: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
    """What a file did, line by line from the one after `after` on."""
    return await tx.all(
        """SELECT r.line, k.code AS sku, w.code AS warehouse, r.before, r.before + r.delta AS after, r.opened
           FROM stock_import_row r JOIN sku k ON k.seller_id = r.seller_id AND k.id = r.sku_id
           JOIN warehouse w ON w.seller_id = r.seller_id AND w.id = r.warehouse_id
           WHERE r.import_id = %s AND r.applied_at IS NOT NULL AND r.line > %s ORDER BY r.line LIMIT %s""",
        [import_id, after, limit],
    )


# ── undoing ─────────────────────────────────────────────────────────────────────────────────────────────────


async def undoable(tx: Tx, import_id: UUID, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Written rows of the next SKUs after that id, with why each cannot be undone (null: it can).

    counted: somebody counted it since. below_zero: less stands there than would go. in_use: the file opened the
    SKU's stock, and orders or others have moved it since.
    """
    return await tx.all(
        """WITH next AS (
               SELECT DISTINCT sku_id FROM stock_import_row
               WHERE import_id = %(id)s AND applied_at IS NOT NULL AND undone_at IS NULL
                 AND (%(after)s::uuid IS NULL OR sku_id > %(after)s) ORDER BY sku_id LIMIT %(limit)s)
           SELECT r.line, r.sku_id, r.warehouse_id, r.delta, r.opened, k.code AS sku, w.code AS warehouse, l.on_hand,
               CASE WHEN l.counted_at > r.applied_at THEN 'counted'
                    WHEN l.on_hand - r.delta < 0 THEN 'below_zero'
                    WHEN r.opened AND (
                        EXISTS (SELECT FROM reservation h WHERE h.seller_id = r.seller_id AND h.sku_id = r.sku_id)
                        OR EXISTS (SELECT FROM shortage h WHERE h.seller_id = r.seller_id AND h.sku_id = r.sku_id)
                        OR EXISTS (SELECT FROM stock_movement m WHERE m.seller_id = r.seller_id
                                   AND m.sku_id = r.sku_id AND m.source_ref <> 'import:' || r.import_id::text
                                   AND m.at >= i.at)
                    ) THEN 'in_use' END AS why
           FROM stock_import_row r JOIN next USING (sku_id)
           JOIN stock_import i ON i.seller_id = r.seller_id AND i.id = r.import_id
           JOIN sku k ON k.seller_id = r.seller_id AND k.id = r.sku_id
           JOIN warehouse w ON w.seller_id = r.seller_id AND w.id = r.warehouse_id
           JOIN stock_level l ON l.seller_id = r.seller_id AND l.sku_id = r.sku_id
               AND l.warehouse_id = r.warehouse_id
           WHERE r.import_id = %(id)s AND r.applied_at IS NOT NULL AND r.undone_at IS NULL
           ORDER BY r.sku_id, r.warehouse_id""",
        {"id": import_id, "after": after, "limit": limit},
    )


async def undone(tx: Tx, import_id: UUID, lines: Collection[int], at: datetime) -> None:
    """These rows are taken back."""
    await tx.run(
        "UPDATE stock_import_row SET undone_at = %s WHERE import_id = %s AND line = ANY(%s)",
        [at, import_id, list(lines)],
    )
    await tx.run("UPDATE stock_import SET undone_at = %s WHERE id = %s", [at, import_id])


async def shut_skus(tx: Tx, sku_ids: Collection[UUID]) -> None:
    """The stock of these SKUs is not open any more: their availability is unknown, and nothing is pushed."""
    ids = list(sku_ids)
    await tx.run("UPDATE sku SET opened_at = NULL, stock_since = NULL WHERE id = ANY(%s)", [ids])
    await tx.run("DELETE FROM stock_base WHERE sku_id = ANY(%s)", [ids])
    await tx.run("UPDATE stock_level SET counted_at = NULL WHERE sku_id = ANY(%s)", [ids])


# ── planning ────────────────────────────────────────────────────────────────────────────────────────────────


async def houses(tx: Tx) -> list[dict[str, Any]]:
    """Warehouses by rank: id, code, name, kind."""
    return await tx.all("SELECT id, code, name, kind FROM warehouse ORDER BY rank, code")


async def filled_shelves(tx: Tx) -> int:
    """How many (SKU, warehouse) hold any units."""
    count: int = await tx.value("SELECT count(*)::int FROM stock_level WHERE on_hand > 0")
    return count

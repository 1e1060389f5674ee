"""What is known of SKUs beside their stock, and the files that told it."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.store import Tx, new_id

FACTS = ("title", "gtin", "category", "cost_cents", "weight_g", "length_mm", "width_mm", "height_mm")
_TOLD = ", ".join(FACTS)


async def by_id(tx: Tx, sku_id: UUID) -> dict[str, Any] | None:
    """A SKU with its facts, whether it is a kit."""
    return await tx.one(
        f"""SELECT k.id, k.code, k.opened_at, k.split_allowed, {_TOLD}, EXISTS (SELECT FROM kit_component c
                   WHERE c.seller_id = k.seller_id AND c.kit_id = k.id) AS is_kit
            FROM sku k WHERE k.id = %s""",
        [sku_id],
    )


async def facts(tx: Tx, codes: Collection[str]) -> dict[str, dict[str, Any]]:
    """Of these codes the SKUs there are: id and facts."""
    rows = await tx.all(f"SELECT id, code, {_TOLD} FROM sku WHERE code = ANY(%s)", [list(codes)])
    return {row["code"]: row for row in rows}


async def put_facts(tx: Tx, told: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Facts by SKU: those that are named, null included; the others stay. Locks the SKUs in id order."""
    ids = sorted(told)
    await tx.run("SELECT 1 FROM sku WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [ids])
    each = ", ".join(f"{name} = CASE WHEN t.told ? '{name}' THEN (t.told ->> '{name}')::{_TYPE[name]} ELSE k.{name} END"
                     for name in FACTS)  # fmt: skip
    sql: Any = f"""UPDATE sku k SET {each} FROM unnest(%s::uuid[], %s::jsonb[]) AS t(id, told) WHERE k.id = t.id"""
    await tx.run(sql, [ids, [json.dumps(dict(told[id_])) for id_ in ids]])


_TYPE = {name: "bigint" if name == "cost_cents" else "text" if name in ("title", "gtin", "category") else "integer"
         for name in FACTS}  # fmt: skip


async def components(tx: Tx, kit_id: UUID) -> list[dict[str, Any]]:
    """What a kit is made of, as people said it: id, code, title, quantity, and whether each is a kit itself."""
    return await tx.all(
        """SELECT k.id, k.code, k.title, c.quantity, EXISTS (SELECT FROM kit_component n
                  WHERE n.seller_id = k.seller_id AND n.kit_id = k.id) AS is_kit
           FROM kit_component c JOIN sku k ON k.seller_id = c.seller_id AND k.id = c.sku_id
           WHERE c.kit_id = %s ORDER BY k.code""",
        [kit_id],
    )


async def holders(tx: Tx, sku_id: UUID) -> list[dict[str, Any]]:
    """The kits that hold a SKU: id, code."""
    return await tx.all(
        """SELECT k.id, k.code FROM kit_component c JOIN sku k ON k.seller_id = c.seller_id AND k.id = c.kit_id
           WHERE c.sku_id = %s ORDER BY k.code LIMIT 50""",
        [sku_id],
    )


async def levels(tx: Tx, sku_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """What stands of these SKUs in each open warehouse, by code and rank; a shelf that is empty too."""
    return await tx.all(
        """SELECT k.id AS sku_id, k.code AS sku, w.code, w.name, w.kind, l.on_hand, l.reserved, l.counted_at,
                  greatest(0, l.on_hand - l.reserved) AS free
           FROM stock_level l JOIN warehouse w ON w.seller_id = l.seller_id AND w.id = l.warehouse_id
           JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.sku_id = ANY(%s) AND (w.closed_at IS NULL OR l.on_hand <> 0 OR l.reserved <> 0)
           ORDER BY k.code, w.rank, w.code""",
        [list(sku_ids)],
    )


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────


async def upload(
    tx: Tx, kind: str, file_name: str, body: bytes, options: Mapping[str, Any], *, upload_id: UUID | None = None
) -> UUID:  # fmt: skip
    """Keep a file until somebody has looked at what it would do; those of more than a day ago go."""
    await tx.run("DELETE FROM sheet_upload WHERE at < now() - interval '1 day'")
    made = upload_id or new_id()
    await tx.run(
        "INSERT INTO sheet_upload (seller_id, id, kind, file_name, body, options) VALUES (%s, %s, %s, %s, %s, %s)",
        [tx.seller, made, kind, file_name, body, json.dumps(dict(options))],
    )
    return made


async def uploaded(tx: Tx, upload_id: UUID, *, lock: bool = False) -> dict[str, Any] | None:
    """A file that waits: kind, file_name, body, options, at. Locked, so that it is written once."""
    sql = "SELECT id, kind, file_name, body, options, at FROM sheet_upload WHERE id = %s"
    return await tx.one(sql + " FOR UPDATE" if lock else sql, [upload_id])


async def forget_upload(tx: Tx, upload_id: UUID) -> bool:
    """It was written, or is not wanted; False where it is gone already."""
    return await tx.run("DELETE FROM sheet_upload WHERE id = %s", [upload_id]) == 1


async def add_import(tx: Tx, file_name: str, rows: Sequence[tuple[int, UUID, Any, Mapping[str, Any]]]) -> int:
    """Note a file that is written: (line, sku, before or None, after). Answers its number."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtextextended('balcao.sku_import', 0))")
    made = new_id()
    number: int = await tx.value(
        """INSERT INTO sku_import (seller_id, id, number, file_name, made, changed)
           SELECT %s, %s, coalesce(max(number), 0) + 1, %s, %s, %s FROM sku_import RETURNING number""",
        [tx.seller, made, file_name, sum(row[2] is None for row in rows), sum(row[2] is not None for row in rows)],
    )
    await tx.run(
        """INSERT INTO sku_import_row (seller_id, import_id, line, sku_id, before, after)
           SELECT %s, %s, * FROM unnest(%s::int[], %s::uuid[], %s::jsonb[], %s::jsonb[])""",
        [tx.seller, made, [row[0] for row in rows], [row[1] for row in rows],
         [None if row[2] is None else json.dumps(row[2]) for row in rows], [json.dumps(dict(row[3])) for row in rows]],
    )  # fmt: skip
    return number


async def imports(tx: Tx, limit: int, *, after: int | None = None) -> list[dict[str, Any]]:
    """Files of facts that were written, newest first; `after`: those before that number."""
    return await tx.all(
        """SELECT i.number, i.file_name, i.made, i.changed, i.at, i.undone_at, i.made_by, u.name AS person
           FROM sku_import i LEFT JOIN app_user u ON i.made_by = 'web:' || u.id::text
           WHERE i.number < coalesce(%s, 2147483647) ORDER BY i.number DESC LIMIT %s""",
        [after, limit],
    )


async def import_rows(tx: Tx, number: int) -> tuple[UUID, list[dict[str, Any]]] | None:
    """A file that was not undone, locked, with its rows and what the SKUs' facts are now. None: none such."""
    row = await tx.one("SELECT id FROM sku_import WHERE number = %s AND undone_at IS NULL FOR UPDATE", [number])
    if row is None:
        return None
    rows = await tx.all(
        f"""SELECT r.line, r.sku_id, r.before, r.after, k.code, {_TOLD} FROM sku_import_row r
            LEFT JOIN sku k ON k.seller_id = r.seller_id AND k.id = r.sku_id
            WHERE r.import_id = %s ORDER BY r.sku_id""",
        [row["id"]],
    )
    return row["id"], rows


async def undone(tx: Tx, import_id: UUID, at: datetime) -> None:
    """A file is taken back."""
    await tx.run("UPDATE sku_import SET undone_at = %s WHERE id = %s", [at, import_id])


_USERS = (
    "stock_level", "stock_movement", "reservation", "shortage", "order_line", "order_line_part", "listing",
    "stock_slot", "kit_component", "transfer_line", "stock_count_line", "stock_import_row", "purchase_order_line",
    "purchase_receipt_line", "stock_base",
)  # fmt: skip


async def drop_unused(tx: Tx, sku_ids: Collection[UUID]) -> set[UUID]:
    """Take SKUs away that nothing speaks of. Answers those."""
    used = " AND ".join(
        f"NOT EXISTS (SELECT FROM {table} u WHERE u.seller_id = k.seller_id AND u.sku_id = k.id)" for table in _USERS
    )
    sql: Any = f"""DELETE FROM sku k WHERE k.id = ANY(%s) AND {used} AND NOT EXISTS (SELECT FROM kit_component u
        WHERE u.seller_id = k.seller_id AND u.kit_id = k.id) RETURNING k.id"""
    return {row["id"] for row in await tx.all(sql, [list(sku_ids)])}

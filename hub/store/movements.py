"""The ledger as people ask for it: by SKU, warehouse, reason, who and day; each entry with what it follows from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx

# Literals, so that the planner sees the partial indexes.
REASONS: dict[str, LiteralString] = {
    "opening": "m.reason <> 'dispatch' AND m.reason = 'opening'",
    "count": "m.reason <> 'dispatch' AND m.reason = 'count'",
    "adjustment": "m.reason <> 'dispatch' AND m.reason = 'adjustment'",
    "dispatch": "m.reason = 'dispatch'",
    "return": "m.reason <> 'dispatch' AND m.reason = 'return'",
    "receipt": "m.reason <> 'dispatch' AND m.reason = 'receipt'",
    "transfer": "m.reason <> 'dispatch' AND m.reason = 'transfer'",
    "undo": "m.reason <> 'dispatch' AND m.reason = 'undo'",
}
HUB = "flow"  # made by no person


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries: `until` itself is left out; `made_by` as the ledger has it."""

    sku_id: UUID | None = None
    warehouse_id: UUID | None = None
    reason: str | None = None
    made_by: str | None = None
    since: datetime | None = None
    until: datetime | None = None


_COMPARED: dict[str, LiteralString] = {
    "sku_id": "m.sku_id = %(sku_id)s",
    "warehouse_id": "m.warehouse_id = %(warehouse_id)s",
    "since": "m.at >= %(since)s",
    "until": "m.at < %(until)s",
}


async def page(
    tx: Tx, wanted: Wanted, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Newest first, keyset by (at, id)."""
    where: list[LiteralString] = ["true"]
    where += [sql for name, sql in _COMPARED.items() if getattr(wanted, name) is not None]
    if wanted.reason in REASONS:
        where.append(REASONS[wanted.reason])
    if wanted.made_by is not None:
        where.append("m.made_by = 'flow'" if wanted.made_by == HUB else "m.made_by <> 'flow' AND m.made_by = %(by)s")
    if after:
        where.append("m.at <= %(at)s AND (m.at < %(at)s OR m.id > %(id)s)")
    at, id_ = after or (None, None)
    sql: Any = f"""
        WITH page AS MATERIALIZED (
            SELECT m.* FROM stock_movement m WHERE {" AND ".join(where)} ORDER BY m.at DESC, m.id LIMIT %(limit)s)
        SELECT m.id, m.at, m.delta, m.reason, m.note, m.source_ref, m.made_by, m.order_id, k.id AS sku_id,
               k.code AS sku,
               coalesce(nullif(k.title, ''), (SELECT l.title FROM listing l WHERE l.seller_id = m.seller_id
                   AND l.sku_id = m.sku_id AND l.gone_at IS NULL AND l.title <> '' LIMIT 1), '') AS title,
               w.code AS warehouse, w.name AS warehouse_name, u.name AS person,
               coalesce(o.number, o.ref) AS order_number,
               (SELECT t.number FROM transfer t WHERE t.seller_id = m.seller_id
                AND t.id = CASE m.reason WHEN 'transfer' THEN nullif(m.line_ref, '')::uuid END) AS transfer,
               (SELECT i.number FROM stock_import i WHERE i.seller_id = m.seller_id
                AND i.id = CASE WHEN m.source_ref LIKE 'import:%%' THEN split_part(m.source_ref, ':', 2)::uuid END)
                   AS import
        FROM page m JOIN sku k ON k.seller_id = m.seller_id AND k.id = m.sku_id
        JOIN warehouse w ON w.seller_id = m.seller_id AND w.id = m.warehouse_id
        LEFT JOIN orders o ON o.seller_id = m.seller_id AND o.id = m.order_id
        LEFT JOIN app_user u ON m.made_by = 'web:' || u.id::text
        ORDER BY m.at DESC, m.id"""
    params = {name: getattr(wanted, name) for name in _COMPARED}
    return await tx.all(sql, {**params, "by": wanted.made_by, "at": at, "id": id_, "limit": limit})


async def purchases_of(tx: Tx, refs: Iterable[str]) -> dict[str, tuple[UUID, str]]:
    """(id, number) of the purchase order behind each of these references of the ledger."""
    by_ref = {ref: ref.split(":")[1] for ref in refs if ref.count(":") >= 1}
    rows = await tx.all("SELECT id, number FROM purchase_order WHERE id::text = ANY(%s)", [list(by_ref.values())])
    known = {str(row["id"]): (row["id"], row["number"]) for row in rows}
    return {ref: known[id_] for ref, id_ in by_ref.items() if id_ in known}

"""Suppliers, and how long they really take."""

from datetime import datetime
from typing import Any
from uuid import UUID

from hub.replenishment import Lead, LeadSource
from hub.store import Tx, new_id

FACTS = ("document", "email", "lead_time_days", "lead_time_deviation")


async def add(tx: Tx, name: str, **facts: Any) -> UUID | None:
    """A supplier; None when one of that name is there. Facts are those of FACTS."""
    sql = """
        INSERT INTO supplier (seller_id, id, name, document, email, lead_time_days, lead_time_deviation)
        VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (seller_id, name) DO NOTHING RETURNING id"""
    told = [facts.get(name) for name in FACTS[:3]]
    made: UUID | None = await tx.value(sql, [tx.seller, new_id(), name, *told, facts.get("lead_time_deviation") or 0.0])
    return made


async def edit(tx: Tx, supplier_id: UUID, **facts: Any) -> None:
    """Change what is told: name, archived_at, or one of FACTS."""
    for name in ("name", "archived_at", *FACTS):
        if name in facts:
            sql: Any = f"UPDATE supplier SET {name} = %s WHERE id = %s"
            await tx.run(sql, [facts[name], supplier_id])


async def every(tx: Tx, *, after: str | None = None, limit: int | None = None) -> list[dict[str, Any]]:
    """Suppliers by name, archived ones left out, with how many SKUs and open orders each has. Keyset by name."""
    sql: Any = f"""
        WITH page AS MATERIALIZED (
            SELECT * FROM supplier WHERE archived_at IS NULL {"AND name > %(after)s" if after is not None else ""}
            ORDER BY name LIMIT %(limit)s),
        supplied AS (
            SELECT supplier_id, count(*)::int AS skus FROM sku_replenishment
            WHERE supplier_id = ANY(ARRAY(SELECT id FROM page)) GROUP BY 1),
        ordered AS (
            SELECT supplier_id, count(*)::int AS orders FROM purchase_order
            WHERE status IN ('draft', 'sent', 'partial') AND supplier_id = ANY(ARRAY(SELECT id FROM page)) GROUP BY 1)
        SELECT s.id, s.name, s.document, s.email, s.lead_time_days, s.lead_time_deviation,
               coalesce(r.skus, 0) AS skus, coalesce(o.orders, 0) AS orders
        FROM page s LEFT JOIN supplied r ON r.supplier_id = s.id LEFT JOIN ordered o ON o.supplier_id = s.id
        ORDER BY s.name"""
    return await tx.all(sql, {"after": after, "limit": limit})


async def names(tx: Tx, limit: int = 200) -> list[str]:
    """The first names, to choose from while typing."""
    sql = "SELECT name FROM supplier WHERE archived_at IS NULL ORDER BY name LIMIT %s"
    return [row["name"] for row in await tx.all(sql, [limit])]


async def named(tx: Tx, told: str) -> dict[str, Any] | None:
    """The supplier of that name (any case) or id."""
    return await tx.one(
        "SELECT * FROM supplier WHERE archived_at IS NULL AND (lower(name) = lower(%(told)s) OR id::text = %(told)s)",
        {"told": told},
    )


# Days from sending an order to each unit's arrival, by order: of finished orders only, since what has come so far of
# an unfinished one came early.
_TAKEN = """
    SELECT o.supplier_id, l.sku_id, o.id AS order_id, sum(l.quantity) AS units,
           sum(l.quantity * extract(epoch FROM r.at - o.sent_at) / 86400) AS unit_days
    FROM purchase_order o
    JOIN purchase_receipt r ON r.seller_id = o.seller_id AND r.purchase_order_id = o.id
    JOIN purchase_receipt_line l ON l.seller_id = r.seller_id AND l.receipt_id = r.id
    WHERE o.status IN ('received', 'closed') AND o.sent_at >= %(since)s GROUP BY 1, 2, 3"""


async def leads(tx: Tx, since: datetime) -> tuple[dict[UUID, Lead], dict[tuple[UUID, UUID], Lead]]:
    """Measured lead times of orders sent since then: by supplier, and by (supplier, SKU). One sample an order."""
    of_supplier = await tx.all(
        f"""WITH taken AS ({_TAKEN}), sample AS (
                SELECT supplier_id, order_id, (sum(unit_days) / sum(units))::float8 AS days FROM taken GROUP BY 1, 2)
            SELECT supplier_id, count(*)::int AS receipts, avg(days) AS days,
                   coalesce(stddev_samp(days), 0) AS deviation FROM sample GROUP BY 1""",
        {"since": since},
    )
    of_sku = await tx.all(
        f"""WITH taken AS ({_TAKEN}), sample AS (
                SELECT supplier_id, sku_id, (unit_days / units)::float8 AS days FROM taken)
            SELECT supplier_id, sku_id, count(*)::int AS receipts, avg(days) AS days,
                   coalesce(stddev_samp(days), 0) AS deviation FROM sample GROUP BY 1, 2""",
        {"since": since},
    )
    by_supplier = {
        row["supplier_id"]: Lead(row["days"], row["deviation"], LeadSource.MEASURED_SUPPLIER, row["receipts"])
        for row in of_supplier
    }
    by_sku = {
        (row["supplier_id"], row["sku_id"]): Lead(
            row["days"], row["deviation"], LeadSource.MEASURED_SKU, row["receipts"]
        )
        for row in of_sku
    }
    return by_supplier, by_sku

"""Returns: what was received of them, and what still waits for somebody to look at it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from hub.model import Disposition
from hub.returns import Receipt
from hub.store import Tx, new_id
from hub.store import warehouses as houses


async def receipts(tx: Tx, order_id: UUID) -> list[Receipt]:
    """What was decided here about an order's returned units."""
    rows = await tx.all(
        """SELECT return_ref, line_ref, disposition, warehouse_id, quantity FROM return_receipt
           WHERE order_id = %s ORDER BY id""",
        [order_id],
    )
    return [Receipt(**{**row, "disposition": Disposition(row["disposition"])}) for row in rows]


async def receive(tx: Tx, order_id: UUID, told: Receipt) -> bool:
    """Note what was received, in all, of a return's line; False when that was known."""
    sql = """
        INSERT INTO return_receipt (seller_id, id, order_id, return_ref, line_ref, disposition, warehouse_id, quantity)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (seller_id, order_id, return_ref, line_ref, disposition, warehouse_id)
        DO UPDATE SET quantity = excluded.quantity, at = now(),
            made_by = coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow')
        WHERE return_receipt.quantity <> excluded.quantity"""
    params = [
        tx.seller, new_id(), order_id, told.return_ref, told.line_ref, told.disposition.value, told.warehouse_id,
        told.quantity,
    ]  # fmt: skip
    return await tx.run(sql, params) == 1


async def damaged_goods(tx: Tx) -> UUID:
    """The warehouse of damaged goods, made where a seller has none: what stands there is never for sale."""
    found: UUID | None = await tx.value("SELECT id FROM warehouse WHERE kind = 'damaged' ORDER BY rank, code LIMIT 1")
    return found or await houses.warehouse_add(tx, "avariados", "Avariados", rank=900, kind="damaged")


async def apart(tx: Tx) -> tuple[UUID, ...]:
    """The warehouses of damaged goods."""
    return tuple(row["id"] for row in await tx.all("SELECT id FROM warehouse WHERE kind = 'damaged' ORDER BY id"))


async def kind_of(tx: Tx, warehouse_id: UUID) -> str:
    """What a warehouse is: own, marketplace, transit or damaged."""
    kind: str = await tx.value("SELECT kind FROM warehouse WHERE id = %s", [warehouse_id])
    return kind


async def find(tx: Tx, named: str) -> list[tuple[UUID, str]]:
    """(order, ref) of the returns that answer to an id or a channel's ref."""
    rows = await tx.all(
        "SELECT order_id, ref FROM order_return WHERE ref = %(named)s OR id::text = lower(%(named)s) LIMIT 10",
        {"named": named},
    )
    return [(row["order_id"], row["ref"]) for row in rows]


async def told_refs(tx: Tx, order_id: UUID) -> list[str]:
    """Refs of the returns that a channel told of an order."""
    rows = await tx.all("SELECT ref FROM order_return WHERE order_id = %s ORDER BY created_at, ref", [order_id])
    return [row["ref"] for row in rows]


async def owner(tx: Tx, order_id: UUID) -> UUID | None:
    """The order that has the stock effect of this one's origin; null: none has."""
    found: UUID | None = await tx.value(
        """SELECT e.order_id FROM stock_effect e JOIN orders o ON o.seller_id = e.seller_id
           AND o.stock_key = e.stock_key WHERE o.id = %s""",
        [order_id],
    )
    return found


async def listed(
    tx: Tx, *, every: bool, limit: int, after: tuple[datetime, UUID, str, str] | None = None
) -> list[dict[str, Any]]:
    """Lines of returns, longest waiting first: told, received, and what still waits (`pending`).

    Keyset by (since, order_id, return_ref, line).


    Units that a channel tells as returned without naming a return stand under the ref "balcao". Lines that the
    marketplace fulfils go back to its own shelves.
    """
    return await tx.all(
        """WITH told AS (
               SELECT r.order_id, r.ref AS return_ref, r.id, r.status, r.created_at AS since, x.line_ref,
                      sum(x.quantity)::int AS told,
                      coalesce(sum(x.quantity) FILTER (WHERE x.disposition IS NOT NULL), 0)::int AS decided
               FROM order_return r
               CROSS JOIN LATERAL jsonb_to_recordset(r.lines) AS x(line_ref text, quantity integer, disposition text)
               GROUP BY r.order_id, r.ref, r.id, r.status, r.created_at, x.line_ref
           ), received AS (
               SELECT order_id, return_ref, line_ref, sum(quantity)::int AS units,
                      string_agg(disposition || ' ' || quantity, ', ' ORDER BY disposition)
                          FILTER (WHERE quantity > 0) AS fates, min(at) AS at
               FROM return_receipt GROUP BY order_id, return_ref, line_ref
           ), row AS (
               SELECT t.order_id, t.return_ref, t.id, t.status, t.since, t.line_ref, t.told,
                      coalesce(c.units, t.decided) AS received, c.fates
               FROM told t LEFT JOIN received c USING (order_id, return_ref, line_ref)
               UNION ALL
               SELECT l.order_id, 'balcao', NULL, NULL, coalesce(o.changed_at, o.updated_at), l.ref,
                      greatest(l.returned_quantity - coalesce(n.told, 0), coalesce(c.units, 0)),
                      coalesce(c.units, 0), c.fates
               FROM order_line l JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
               LEFT JOIN (SELECT order_id, line_ref, sum(told)::int AS told FROM told GROUP BY 1, 2) n
                   ON n.order_id = l.order_id AND n.line_ref = l.ref
               LEFT JOIN received c ON c.order_id = l.order_id AND c.line_ref = l.ref AND c.return_ref = 'balcao'
               WHERE l.returned_quantity > coalesce(n.told, 0) OR c.units IS NOT NULL
           )
           SELECT row.return_ref, row.id, coalesce(o.number, o.ref) AS order_number, o.id AS order_id,
                  a.name AS account, row.status, row.line_ref AS line, k.code AS sku, l.title, row.told, row.received,
                  row.told - row.received AS pending, row.fates, row.since,
                  greatest(0, extract(day FROM now() - row.since))::int AS days
           FROM row JOIN orders o ON o.id = row.order_id
           JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
           JOIN order_line l ON l.seller_id = o.seller_id AND l.order_id = o.id AND l.ref = row.line_ref
           LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE coalesce(l.fulfilled_by, '') <> 'marketplace' AND (%(every)s OR row.told > row.received)
             AND (%(since)s::timestamptz IS NULL
                  OR (row.since, o.id, row.return_ref, row.line_ref) > (%(since)s, %(order)s, %(ref)s, %(line)s))
           ORDER BY row.since, o.id, row.return_ref, row.line_ref LIMIT %(limit)s""",
        {
            "every": every, "limit": limit,
            **dict(zip(("since", "order", "ref", "line"), after or (None, None, None, None), strict=True)),
        },
    )  # fmt: skip


async def moved(tx: Tx, order_id: UUID) -> int:
    """Units that the ledger brought back for an order, in all."""
    units: int = await tx.value(
        "SELECT coalesce(sum(delta), 0)::int FROM stock_movement WHERE order_id = %s AND reason = 'return'", [order_id]
    )
    return units

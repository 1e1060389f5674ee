"""Purchase orders: drafts, what was sent, what came of it in parts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx, new_id

NUMBERING = 7311  # class of the advisory lock under which numbers are drawn
STATUSES = ("draft", "sent", "partial", "received", "closed", "cancelled")

_ORDER: LiteralString = """
    SELECT o.id, o.number, o.status, o.supplier_id, s.name AS supplier, s.email AS supplier_email, o.warehouse_id,
           w.code AS warehouse, o.note, o.created_at, o.sent_at, o.expected_at, o.closed_at,
           (SELECT count(*)::int FROM purchase_order_line l
              WHERE l.seller_id = o.seller_id AND l.purchase_order_id = o.id) AS lines,
           (SELECT coalesce(sum(l.quantity), 0)::int FROM purchase_order_line l
              WHERE l.seller_id = o.seller_id AND l.purchase_order_id = o.id) AS units,
           (SELECT coalesce(sum(l.received_quantity), 0)::int FROM purchase_order_line l
              WHERE l.seller_id = o.seller_id AND l.purchase_order_id = o.id) AS received,
           (SELECT sum(l.quantity * l.cost_cents)::bigint FROM purchase_order_line l
              WHERE l.seller_id = o.seller_id AND l.purchase_order_id = o.id) AS total_cents
    FROM purchase_order o JOIN supplier s ON s.seller_id = o.seller_id AND s.id = o.supplier_id
    LEFT JOIN warehouse w ON w.seller_id = o.seller_id AND w.id = o.warehouse_id"""


async def add(tx: Tx, supplier_id: UUID, *, warehouse_id: UUID | None = None, note: str | None = None) -> UUID:
    """An empty draft with the next number."""
    await tx.run("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [NUMBERING, str(tx.seller)])
    number = await tx.value(
        "SELECT coalesce(max(number::bigint), 0) + 1 FROM purchase_order WHERE number ~ '^[0-9]{1,15}$'"
    )
    order_id = new_id()
    await tx.run(
        "INSERT INTO purchase_order (seller_id, id, supplier_id, number, warehouse_id, note) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        [tx.seller, order_id, supplier_id, str(number), warehouse_id, note],
    )
    return order_id


async def lock(tx: Tx, order_id: UUID) -> dict[str, Any] | None:
    """A purchase order, locked until the transaction ends."""
    await tx.run("SELECT FROM purchase_order WHERE id = %s FOR UPDATE", [order_id])
    return await tx.one(f"{_ORDER} WHERE o.id = %s", [order_id])


async def find(tx: Tx, told: str) -> dict[str, Any] | None:
    """The purchase order of that number or id."""
    return await tx.one(f"{_ORDER} WHERE o.number = %(told)s OR o.id::text = %(told)s", {"told": told})


async def listed(
    tx: Tx, *, status: str | None = None, supplier_id: UUID | None = None, after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:  # fmt: skip
    """Newest first, keyset by (created_at, id); status "open" is every one that something may still come of."""
    at, id_ = after or (None, None)
    return await tx.all(
        f"""{_ORDER}
        WHERE (%(status)s::text IS NULL OR o.status = %(status)s
               OR %(status)s = 'open' AND o.status IN ('draft', 'sent', 'partial'))
          AND (%(supplier)s::uuid IS NULL OR o.supplier_id = %(supplier)s)
          AND (%(at)s::timestamptz IS NULL OR (o.created_at, o.id) < (%(at)s, %(id)s))
        ORDER BY o.created_at DESC, o.id DESC LIMIT %(limit)s""",
        {"status": status, "supplier": supplier_id, "at": at, "id": id_, "limit": limit},
    )


async def lines(tx: Tx, order_id: UUID) -> list[dict[str, Any]]:
    """Lines by SKU code: what was ordered, what came, at which cost."""
    return await tx.all(
        """SELECT l.sku_id, k.code AS sku, k.title, r.supplier_code, l.quantity, l.received_quantity, l.cost_cents,
                  greatest(0, l.quantity - l.received_quantity) AS missing, k.cost_cents AS sku_cost_cents, k.opened_at
           FROM purchase_order_line l JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           LEFT JOIN sku_replenishment r ON r.seller_id = l.seller_id AND r.sku_id = l.sku_id
           WHERE l.purchase_order_id = %s ORDER BY k.code""",
        [order_id],
    )


async def receipts(tx: Tx, order_id: UUID) -> list[dict[str, Any]]:
    """What came, oldest first: at, ref, warehouse, sku, quantity, cost_cents."""
    return await tx.all(
        """SELECT r.at, r.ref, w.code AS warehouse, k.code AS sku, l.quantity, l.cost_cents FROM purchase_receipt r
           JOIN purchase_receipt_line l ON l.seller_id = r.seller_id AND l.receipt_id = r.id
           JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           JOIN warehouse w ON w.seller_id = r.seller_id AND w.id = r.warehouse_id
           WHERE r.purchase_order_id = %s ORDER BY r.at, k.code""",
        [order_id],
    )


async def put_lines(tx: Tx, order_id: UUID, told: Mapping[UUID, tuple[int, int | None]]) -> None:
    """(quantity, cost in centavos) by SKU; 0 takes the line out. A cost that is not told stays."""
    await tx.many(
        "DELETE FROM purchase_order_line WHERE purchase_order_id = %s AND sku_id = %s",
        [(order_id, sku_id) for sku_id, (quantity, _cost) in told.items() if not quantity],
    )
    await tx.many(
        """INSERT INTO purchase_order_line (seller_id, purchase_order_id, sku_id, quantity, cost_cents)
           VALUES (%s, %s, %s, %s, %s) ON CONFLICT (seller_id, purchase_order_id, sku_id)
           DO UPDATE SET quantity = excluded.quantity,
               cost_cents = coalesce(excluded.cost_cents, purchase_order_line.cost_cents)""",
        [(tx.seller, order_id, sku_id, quantity, cost) for sku_id, (quantity, cost) in told.items() if quantity],
    )


async def set_status(
    tx: Tx, order_id: UUID, status: str, *, sent_at: datetime | None = None, expected_at: datetime | None = None,
    closed_at: datetime | None = None,
) -> None:  # fmt: skip
    """Move a purchase order on; instants that are not told stay."""
    await tx.run(
        """UPDATE purchase_order SET status = %s, sent_at = coalesce(%s, sent_at),
               expected_at = coalesce(%s, expected_at), closed_at = coalesce(%s, closed_at) WHERE id = %s""",
        [status, sent_at, expected_at, closed_at, order_id],
    )


async def in_drafts(tx: Tx) -> dict[UUID, str]:
    """SKUs that stand in a draft already, with its number."""
    rows = await tx.all(
        """SELECT l.sku_id, min(o.number) AS number FROM purchase_order o
           JOIN purchase_order_line l ON l.seller_id = o.seller_id AND l.purchase_order_id = o.id
           WHERE o.status = 'draft' GROUP BY l.sku_id"""
    )
    return {row["sku_id"]: row["number"] for row in rows}


async def open_draft(tx: Tx, supplier_id: UUID) -> UUID | None:
    """The supplier's newest draft, locked."""
    found: UUID | None = await tx.value(
        "SELECT id FROM purchase_order WHERE supplier_id = %s AND status = 'draft' "
        "ORDER BY created_at DESC, id DESC LIMIT 1 FOR UPDATE",
        [supplier_id],
    )
    return found


async def receipt_add(tx: Tx, order_id: UUID, ref: str, warehouse_id: UUID, at: datetime) -> UUID | None:
    """A receipt of that reference; None when it was booked before."""
    made: UUID | None = await tx.value(
        """INSERT INTO purchase_receipt (seller_id, id, purchase_order_id, ref, warehouse_id, at)
           VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (seller_id, purchase_order_id, ref) DO NOTHING RETURNING id""",
        [tx.seller, new_id(), order_id, ref, warehouse_id, at],
    )
    return made


async def receive_line(
    tx: Tx, order_id: UUID, receipt_id: UUID, sku_id: UUID, quantity: int, cost_cents: int | None
) -> None:
    """Units of one SKU came."""
    await tx.run(
        "INSERT INTO purchase_receipt_line (seller_id, receipt_id, sku_id, quantity, cost_cents) "
        "VALUES (%s, %s, %s, %s, %s)",
        [tx.seller, receipt_id, sku_id, quantity, cost_cents],
    )
    await tx.run(
        "UPDATE purchase_order_line SET received_quantity = received_quantity + %s "
        "WHERE purchase_order_id = %s AND sku_id = %s",
        [quantity, order_id, sku_id],
    )


async def costs(tx: Tx, sku_ids: list[UUID]) -> dict[UUID, int | None]:
    """What a unit costs, in centavos, by SKU."""
    rows = await tx.all("SELECT id, cost_cents FROM sku WHERE id = ANY(%s)", [sku_ids])
    return {row["id"]: row["cost_cents"] for row in rows}


async def set_cost(tx: Tx, sku_id: UUID, cost_cents: int) -> None:
    """What a unit costs from now on."""
    await tx.run("UPDATE sku SET cost_cents = %s WHERE id = %s", [cost_cents, sku_id])

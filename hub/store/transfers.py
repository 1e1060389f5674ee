"""Transfers between warehouses: what was to go, what left, what arrived, what was lost on the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.store import Tx, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Units of one SKU: to go, gone, arrived, lost on the way, and come back."""

    sku_id: UUID
    sku: str
    quantity: int
    sent: int
    received: int
    lost: int
    returned: int

    @property
    def under_way(self) -> int:
        """Units that stand in the transit warehouse."""
        return self.sent - self.received - self.lost - self.returned


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A transfer, locked."""

    id: UUID
    number: int
    from_id: UUID
    to_id: UUID
    transit_id: UUID
    status: str
    receipts: int
    lines: tuple[Line, ...]


async def add(tx: Tx, from_id: UUID, to_id: UUID, transit_id: UUID, units: Mapping[UUID, int], note: str) -> int:
    """A new transfer of so many units by SKU. Answers its number."""
    # One at a time per seller, or two would take the same number.
    await tx.run("SELECT 1 FROM seller WHERE seller_id = %s FOR UPDATE", [tx.seller])
    number: int = await tx.value("SELECT coalesce(max(number), 0) + 1 FROM transfer")
    transfer_id = new_id()
    await tx.run(
        "INSERT INTO transfer (seller_id, id, number, from_id, to_id, transit_id, note) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [tx.seller, transfer_id, number, from_id, to_id, transit_id, note or None],
    )
    await tx.many(
        "INSERT INTO transfer_line (seller_id, transfer_id, sku_id, quantity) VALUES (%s, %s, %s, %s)",
        [(tx.seller, transfer_id, sku, quantity) for sku, quantity in units.items()],
    )
    return number


async def lock(tx: Tx, number: int) -> Transfer | None:
    """The transfer of that number, locked until the transaction ends."""
    row = await tx.one(
        "SELECT id, number, from_id, to_id, transit_id, status, receipts FROM transfer WHERE number = %s FOR UPDATE",
        [number],
    )
    if row is None:
        return None
    lines = await tx.all(
        """SELECT l.sku_id, k.code AS sku, l.quantity, l.sent, l.received, l.lost, l.returned FROM transfer_line l
           JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id WHERE l.transfer_id = %s ORDER BY k.code""",
        [row["id"]],
    )
    return Transfer(**row, lines=tuple(Line(**line) for line in lines))


async def count(tx: Tx, transfer: Transfer, **units: Mapping[UUID, int]) -> None:
    """Add to the lines' `sent`, `received`, `lost` or `returned`, units by SKU."""
    for column, by in units.items():
        sql = {
            "sent": "UPDATE transfer_line SET sent = sent + %s WHERE transfer_id = %s AND sku_id = %s",
            "received": "UPDATE transfer_line SET received = received + %s WHERE transfer_id = %s AND sku_id = %s",
            "lost": "UPDATE transfer_line SET lost = lost + %s WHERE transfer_id = %s AND sku_id = %s",
            "returned": "UPDATE transfer_line SET returned = returned + %s WHERE transfer_id = %s AND sku_id = %s",
        }[column]
        await tx.many(sql, [(n, transfer.id, sku) for sku, n in by.items()])


async def sent(tx: Tx, transfer: Transfer, *, with_orders: bool) -> None:
    """It is on its way."""
    await tx.run(
        "UPDATE transfer SET status = 'sent', sent_at = now(), with_orders = %s WHERE id = %s",
        [with_orders, transfer.id],
    )


async def receipt(tx: Tx, transfer: Transfer) -> int:
    """One more arrival. Answers which one it is."""
    number: int = await tx.value(
        "UPDATE transfer SET receipts = receipts + 1 WHERE id = %s RETURNING receipts", [transfer.id]
    )
    return number


async def close(tx: Tx, transfer: Transfer, status: str) -> None:
    """Nothing of it is under way any more: "received" or "cancelled"."""
    await tx.run("UPDATE transfer SET status = %s, closed_at = now() WHERE id = %s", [status, transfer.id])


async def unfinished(tx: Tx, warehouse_id: UUID) -> list[int]:
    """Numbers of the transfers from, to or through a warehouse that are not finished."""
    rows = await tx.all(
        """SELECT number FROM transfer WHERE status IN ('open', 'sent') AND %s IN (from_id, to_id, transit_id)
           ORDER BY number""",
        [warehouse_id],
    )
    return [row["number"] for row in rows]


async def listed(tx: Tx, *, unfinished_only: bool, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """Transfers, newest first (those before a number): number, from, to, status, and their units."""
    return await tx.all(
        """SELECT t.number, f.code AS "from", d.code AS "to", t.status, t.note, t.created_at, t.sent_at, t.closed_at,
                  sum(l.quantity)::int AS quantity, sum(l.sent)::int AS sent, sum(l.received)::int AS received,
                  sum(l.lost)::int AS lost, sum(l.sent - l.received - l.lost - l.returned)::int AS under_way
           FROM transfer t JOIN transfer_line l ON l.seller_id = t.seller_id AND l.transfer_id = t.id
           JOIN warehouse f ON f.seller_id = t.seller_id AND f.id = t.from_id
           JOIN warehouse d ON d.seller_id = t.seller_id AND d.id = t.to_id
           WHERE (NOT %(unfinished)s OR t.status IN ('open', 'sent'))
             AND (%(before)s::int IS NULL OR t.number < %(before)s)
           GROUP BY t.seller_id, t.id, f.code, d.code ORDER BY t.number DESC LIMIT %(limit)s""",
        {"unfinished": unfinished_only, "limit": limit, "before": before},
    )


async def detail(tx: Tx, number: int) -> dict[str, Any] | None:
    """One transfer whole, its lines and what it moved in the ledger."""
    found = await tx.one(
        """SELECT t.id, t.number, f.code AS "from", d.code AS "to", w.code AS transit, t.status, t.note, t.with_orders,
                  t.receipts, f.name AS from_name, d.name AS to_name, t.created_at, t.sent_at, t.closed_at
           FROM transfer t JOIN warehouse f ON f.seller_id = t.seller_id AND f.id = t.from_id
           JOIN warehouse d ON d.seller_id = t.seller_id AND d.id = t.to_id
           JOIN warehouse w ON w.seller_id = t.seller_id AND w.id = t.transit_id WHERE t.number = %s""",
        [number],
    )
    if found is None:
        return None
    found["lines"] = await tx.all(
        """SELECT k.id AS sku_id, k.code AS sku, k.title, l.quantity, l.sent, l.received, l.lost, l.returned,
                  l.sent - l.received - l.lost - l.returned AS under_way
           FROM transfer_line l JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.transfer_id = %s ORDER BY k.code""",
        [found["id"]],
    )
    found["movements"] = await tx.all(
        """SELECT m.at, k.code AS sku, w.code AS warehouse, m.delta, m.note, m.source_ref FROM stock_movement m
           JOIN sku k ON k.seller_id = m.seller_id AND k.id = m.sku_id
           JOIN warehouse w ON w.seller_id = m.seller_id AND w.id = m.warehouse_id
           WHERE m.reason = 'transfer' AND m.line_ref = %s ORDER BY m.at, k.code, m.delta""",
        [str(found["id"])],
    )
    return found


# ── reservations that move along ────────────────────────────────────────────────────────────────────────────


async def holders(tx: Tx, sku_id: UUID, warehouse_id: UUID) -> list[dict[str, Any]]:
    """Who holds units of a SKU in a warehouse, soonest to ship first: order_id, line_ref, quantity."""
    return await tx.all(
        """SELECT r.order_id, r.line_ref, r.quantity FROM reservation r
           JOIN orders o ON o.seller_id = r.seller_id AND o.id = r.order_id
           WHERE r.sku_id = %s AND r.warehouse_id = %s
           ORDER BY o.ship_by NULLS LAST, o.placed_at NULLS LAST, r.order_id, r.line_ref""",
        [sku_id, warehouse_id],
    )


async def shift(tx: Tx, order_id: UUID, line_ref: str, sku_id: UUID, here: UUID, there: UUID, units: int) -> None:
    """Move a reservation of so many units to another warehouse. The levels must be locked; they move with it."""
    key = [order_id, line_ref, sku_id, here]
    where = "WHERE order_id = %s AND line_ref = %s AND sku_id = %s AND warehouse_id = %s"
    if not await tx.run(f"DELETE FROM reservation {where} AND quantity = %s", [*key, units]):
        await tx.run(f"UPDATE reservation SET quantity = quantity - %s {where}", [units, *key])
    await tx.run(
        """INSERT INTO reservation (seller_id, order_id, line_ref, sku_id, warehouse_id, quantity)
           VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (seller_id, order_id, line_ref, sku_id, warehouse_id)
           DO UPDATE SET quantity = reservation.quantity + excluded.quantity""",
        [tx.seller, order_id, line_ref, sku_id, there, units],
    )
    for shelf, delta in ((here, -units), (there, units)):
        await tx.run(
            "UPDATE stock_level SET reserved = reserved + %s WHERE sku_id = %s AND warehouse_id = %s",
            [delta, sku_id, shelf],
        )

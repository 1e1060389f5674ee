"""What is to be packed: orders by when they must leave, why others stay out, and what goes into each box."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx
from hub.store.deadlines import POSTED
from hub.store.unbuyable import RELAYED

# Whether the ship-by is known, the instant that its part of the list is ordered by, the order's id.
Place = tuple[bool, datetime, UUID]

# Why nobody here packs an order, now or ever. OFFSET 0: asked order by order, never by a hash of a whole table.
GONE: LiteralString = f"""CASE
    WHEN o.status = 'cancelled' THEN 'cancelled'
    WHEN o.status IN ('dispatched', 'delivered') THEN 'sent'
    WHEN o.status = 'placed' THEN 'unpaid'
    WHEN o.fulfilled_by = 'marketplace' THEN 'marketplace'
    WHEN a.status = 'closed' THEN 'closed'
    WHEN {RELAYED} THEN 'relayed'
    WHEN EXISTS (SELECT FROM shipment_line x JOIN shipment s ON s.seller_id = x.seller_id AND s.id = x.shipment_id
        WHERE x.seller_id = o.seller_id AND x.order_id = o.id AND s.status = ANY(%(posted)s) OFFSET 0) THEN 'sent'
    WHEN NOT EXISTS (SELECT FROM order_line l WHERE l.seller_id = o.seller_id AND l.order_id = o.id
        AND l.quantity > l.cancelled_quantity + l.dispatched_quantity OFFSET 0) THEN 'empty' END"""
# Why it is not packed yet.
_WAITS: LiteralString = """CASE WHEN o.hold IS NOT NULL THEN o.hold
    WHEN EXISTS (SELECT FROM shortage s WHERE s.seller_id = o.seller_id AND s.order_id = o.id
        OFFSET 0) THEN 'short' END"""
# PostgreSQL takes IS NULL of an expression for rare, and would read every open order to sort what it takes for few.
HERE: LiteralString = f"o.status = 'paid' AND (({GONE}) IS NULL)::int > 0"
_FREE: LiteralString = f"(({_WAITS}) IS NULL)::int"
QUEUES: dict[str, LiteralString] = {
    "todo": f"{HERE} AND {_FREE} > 0 AND h.packed_at IS NULL",
    "waits": f"{HERE} AND {_FREE} < 1 AND h.packed_at IS NULL",
    "packed": f"{HERE} AND h.packed_at IS NOT NULL",
}
DUE: LiteralString = "coalesce(o.ship_by, o.placed_at, o.first_seen_at)"  # as the index orders_to_send has it
# known ship-by? -> (its condition, what it is ordered by): along orders_open, and along orders_to_send
_PARTS: dict[bool, tuple[LiteralString, LiteralString]] = {
    True: ("o.ship_by IS NOT NULL", "o.ship_by"),
    False: ("o.ship_by IS NULL", DUE),
}
# Of the buyer name and city alone: this is what a warehouse is shown.
_SHOWN: LiteralString = f"""
    SELECT o.id, coalesce(o.number, o.ref) AS number, a.name AS account, a.channel, o.ship_by, {DUE} AS due,
           o.hold, o.buyer_name, o.told -> 'ship_to' ->> 'city' AS city, h.packed_at, h.packed_by,
           coalesce({GONE}, {_WAITS}) AS why"""
_FROM: LiteralString = """
    FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
    LEFT JOIN order_handling h ON h.seller_id = o.seller_id AND h.order_id = o.id"""
_THERE: LiteralString = """AND EXISTS (SELECT FROM reservation r WHERE r.seller_id = o.seller_id AND r.order_id = o.id
    AND r.warehouse_id = %(house)s)"""


async def queue(
    tx: Tx, which: str, *, house: UUID | None = None, after: Place | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Orders of a queue: the soonest ship-by first, then those without one, the oldest first.

    `todo` are to be packed, `waits` are held or short (`why` says which), `packed` have not left yet. `house`: only
    those that something leaves from there for. Keyset by Place.
    """
    rows: list[dict[str, Any]] = []
    for dated in (True, False):
        if len(rows) < limit and (after is None or after[0] >= dated):
            own = after if after and after[0] is dated else None
            rows += await _part(tx, which, dated=dated, house=house, after=own, limit=limit - len(rows))
    return rows


async def _part(
    tx: Tx, which: str, *, dated: bool, house: UUID | None, after: Place | None, limit: int
) -> list[dict[str, Any]]:
    known, by = _PARTS[dated]
    onward: LiteralString = f"AND ({by}, o.id) > (%(at)s, %(id)s)" if after else ""
    there: LiteralString = _THERE if house else ""
    _, at, id_ = after or (None, None, None)
    return await tx.all(
        f"{_SHOWN}{_FROM} WHERE {QUEUES[which]} AND {known} {there} {onward} ORDER BY {by}, o.id LIMIT %(limit)s",
        {"posted": POSTED, "house": house, "at": at, "id": id_, "limit": limit},
    )


async def counts(tx: Tx, house: UUID | None, most: int) -> dict[str, int]:
    """How many orders each queue has; counting stops at `most`."""
    there: LiteralString = _THERE if house else ""
    told: dict[str, int] = {}
    for which, where in QUEUES.items():
        told[which] = await tx.value(
            f"SELECT count(*)::int FROM (SELECT {_FROM} WHERE {where} {there} LIMIT %(most)s) found",
            {"posted": POSTED, "house": house, "most": most},
        )
    return told


async def some(tx: Tx, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """These orders as `queue` shows them, whatever their state; `why` null: they may be packed."""
    return await tx.all(
        f"{_SHOWN}{_FROM} WHERE o.id = ANY(%(ids)s) ORDER BY o.ship_by, {DUE}, o.id",
        {"posted": POSTED, "ids": list(ids)},
    )


async def by_code(tx: Tx, code: str, limit: int) -> list[UUID]:
    """Orders of that number, ref or tracking code, which labels carry too."""
    rows = await tx.all(
        """SELECT id FROM (SELECT id FROM orders WHERE number = %(code)s
           UNION SELECT id FROM orders WHERE account_id = ANY(ARRAY(SELECT id FROM account)) AND ref = %(code)s
           UNION SELECT l.order_id FROM shipment s JOIN shipment_line l ON l.seller_id = s.seller_id
               AND l.shipment_id = s.id WHERE s.tracking_code IN (%(code)s, %(upper)s)) found
           ORDER BY id DESC LIMIT %(limit)s""",
        {"code": code, "upper": code.upper(), "limit": limit},
    )
    return [row["id"] for row in rows]


async def items(tx: Tx, ids: Sequence[UUID], house: UUID | None = None) -> list[dict[str, Any]]:
    """What goes into the boxes of these orders, by order, line and SKU; kits as their components.

    What is reserved, with its warehouse; lines that hold nothing (no SKU, or one whose stock is not open) with what
    they still send. `house`: only what leaves from there. `kit` is the code that was sold, where it is another.
    """
    only: LiteralString = "AND r.warehouse_id = %(house)s" if house else ""
    loose: LiteralString = "AND false" if house else ""
    return await tx.all(
        f"""SELECT * FROM (
            SELECT r.order_id, r.line_ref, l.channel_sku, k.code AS sku,
                   coalesce(nullif(k.title, ''), l.title) AS title, k.gtin,
                   CASE WHEN l.sku_id <> k.id THEN t.code END AS kit, w.name AS house, w.rank, r.quantity AS units
            FROM reservation r
            JOIN order_line l ON l.seller_id = r.seller_id AND l.order_id = r.order_id AND l.ref = r.line_ref
            JOIN sku k ON k.seller_id = r.seller_id AND k.id = r.sku_id
            JOIN warehouse w ON w.seller_id = r.seller_id AND w.id = r.warehouse_id
            LEFT JOIN sku t ON t.seller_id = l.seller_id AND t.id = l.sku_id
            WHERE r.order_id = ANY(%(ids)s) {only}
            UNION ALL
            SELECT l.order_id, l.ref, l.channel_sku, k.code, coalesce(nullif(k.title, ''), l.title), k.gtin,
                   CASE WHEN l.sku_id <> k.id THEN t.code END, NULL, 2147483647,
                   (l.quantity - l.cancelled_quantity - l.dispatched_quantity)
                       * coalesce(p.units, c.quantity * l.multiplier, l.multiplier)
            FROM order_line l
            LEFT JOIN order_line_part p ON p.seller_id = l.seller_id AND p.order_id = l.order_id AND p.line_ref = l.ref
            LEFT JOIN kit_component c ON p.sku_id IS NULL AND c.seller_id = l.seller_id AND c.kit_id = l.sku_id
            LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = coalesce(p.sku_id, c.sku_id, l.sku_id)
            LEFT JOIN sku t ON t.seller_id = l.seller_id AND t.id = l.sku_id
            WHERE l.order_id = ANY(%(ids)s) AND l.quantity > l.cancelled_quantity + l.dispatched_quantity
              AND l.fulfilled_by IS DISTINCT FROM 'marketplace' {loose}
              AND NOT EXISTS (SELECT FROM reservation r WHERE r.seller_id = l.seller_id AND r.order_id = l.order_id
                  AND r.line_ref = l.ref)
              AND NOT EXISTS (SELECT FROM shortage s WHERE s.seller_id = l.seller_id AND s.order_id = l.order_id
                  AND s.line_ref = l.ref)
            ) found ORDER BY order_id, line_ref, sku, rank""",
        {"ids": list(ids), "house": house},
    )


async def elsewhere(tx: Tx, ids: Sequence[UUID], house: UUID) -> dict[UUID, str]:
    """Orders that other warehouses add to as well, with the names of those."""
    rows = await tx.all(
        """SELECT r.order_id, string_agg(DISTINCT w.name, ', ') AS houses FROM reservation r
           JOIN warehouse w ON w.seller_id = r.seller_id AND w.id = r.warehouse_id
           WHERE r.order_id = ANY(%s) AND r.warehouse_id <> %s GROUP BY r.order_id""",
        [list(ids), house],
    )
    return {row["order_id"]: row["houses"] for row in rows}


async def houses(tx: Tx) -> list[dict[str, Any]]:
    """Open warehouses of the seller's own, by rank: id, name."""
    return await tx.all("SELECT id, name FROM warehouse WHERE kind = 'own' AND closed_at IS NULL ORDER BY rank, code")

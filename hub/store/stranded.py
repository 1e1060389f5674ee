"""Open orders of a disconnected account: which hold units, who else tells of them, and those that a person settled."""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx
from hub.store.labels import ALIVE

_HELD: LiteralString = """
    WITH held AS (
        SELECT order_id, sum(units)::int AS units, sum(short)::int AS short FROM (
            SELECT order_id, quantity AS units, 0 AS short FROM reservation
            UNION ALL SELECT order_id, 0, quantity FROM shortage) told
        WHERE %(after)s::uuid IS NULL OR order_id > %(after)s GROUP BY order_id
    )"""

_IN_HAND: LiteralString = f"""
    EXISTS (SELECT FROM order_handling y WHERE y.seller_id = o.seller_id AND y.order_id = o.id
            AND y.packed_at IS NOT NULL) AS packed,
    EXISTS (SELECT FROM freight_label l WHERE l.seller_id = o.seller_id AND l.order_id = o.id AND {ALIVE}) AS labelled,
    EXISTS (SELECT FROM shipment_line s JOIN shipment h ON h.seller_id = s.seller_id AND h.id = s.shipment_id
            WHERE s.seller_id = o.seller_id AND s.order_id = o.id
              AND h.status NOT IN ('label_created', 'cancelled', 'unknown')) AS moving"""


async def listed(
    tx: Tx, account_id: UUID, *, after: UUID | None = None, only: Sequence[UUID] | None = None, limit: int
) -> list[dict[str, Any]]:
    """Orders of an account (`only` these) that hold units or wait for some, by id (the first seen first)."""
    return await tx.all(
        f"""{_HELD}
        SELECT o.id, coalesce(o.number, o.ref) AS number, o.status, o.hold, o.placed_at, o.ship_by, o.buyer_name,
               o.total_cents, o.currency, h.units, h.short,
               {_IN_HAND}
        FROM held h JOIN orders o ON o.id = h.order_id
        WHERE o.account_id = %(account)s AND (%(only)s::uuid[] IS NULL OR o.id = ANY(%(only)s::uuid[]))
        ORDER BY o.id LIMIT %(limit)s""",
        {"account": account_id, "after": after, "only": None if only is None else list(only), "limit": limit},
    )


async def counted(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Orders of an account that hold units or wait for some, those of them that are paid, and the units of each."""
    row = await tx.one(
        f"""{_HELD}
        SELECT count(*)::int AS orders, coalesce(sum(h.units), 0)::int AS units,
               coalesce(sum(h.short), 0)::int AS short,
               (count(*) FILTER (WHERE o.status <> 'placed'))::int AS paid
        FROM held h JOIN orders o ON o.id = h.order_id WHERE o.account_id = %(account)s""",
        {"account": account_id, "after": None},
    )
    return dict(row or {})


async def units(tx: Tx, order_id: UUID) -> tuple[int, int]:
    """Units that an order holds, and those that it waits for."""
    row = await tx.one(
        """SELECT (SELECT coalesce(sum(quantity), 0)::int FROM reservation WHERE order_id = %(id)s) AS units,
                  (SELECT coalesce(sum(quantity), 0)::int FROM shortage WHERE order_id = %(id)s) AS short""",
        {"id": order_id},
    )
    return (row["units"], row["short"]) if row else (0, 0)


async def followed(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Of these orders those that a live account tells too, and not as cancelled: number, account and status there.

    Either of the two may relay the other, or both an order born elsewhere. A relay is looked for around the day of the
    sale: no index leads to it by what it relays.
    """
    rows = await tx.all(
        """WITH mine AS (
             SELECT o.id, o.ref, o.number, o.group_ref, o.origin_channel, o.origin_ref, a.channel, a.id AS account_id,
                    coalesce(o.placed_at, o.first_seen_at) AS at
             FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
             WHERE o.id = ANY(%(ids)s)
           ), named AS (
             SELECT m.id, k.channel, k.ref FROM mine m CROSS JOIN LATERAL (VALUES
                 (m.channel, m.ref), (m.channel, m.number), (m.channel, m.group_ref), (m.origin_channel, m.origin_ref)
             ) k(channel, ref) WHERE k.channel IS NOT NULL AND k.ref IS NOT NULL
           ), same AS (
             SELECT n.id, t.id AS other FROM orders t
             JOIN named n ON n.channel = t.origin_channel AND n.ref = t.origin_ref
             WHERE t.origin_ref IS NOT NULL AND t.placed_at BETWEEN (SELECT min(at) - interval '7 days' FROM mine)
                                                               AND (SELECT max(at) + interval '7 days' FROM mine)
             UNION
             SELECT m.id, t.id FROM mine m JOIN account b ON b.channel = m.origin_channel AND b.id <> m.account_id
             JOIN orders t ON t.account_id = b.id AND t.ref = m.origin_ref
             UNION
             SELECT m.id, t.id FROM mine m JOIN account b ON b.channel = m.origin_channel AND b.id <> m.account_id
             JOIN orders t ON t.account_id = b.id AND t.group_ref = m.origin_ref
             UNION
             SELECT m.id, t.id FROM mine m JOIN account b ON b.channel = m.origin_channel AND b.id <> m.account_id
             JOIN orders t ON t.number = m.origin_ref AND t.account_id = b.id
           )
           SELECT DISTINCT ON (s.id) s.id, coalesce(t.number, t.ref) AS number, b.name AS account, t.status
           FROM same s JOIN orders t ON t.id = s.other
           JOIN account b ON b.seller_id = t.seller_id AND b.id = t.account_id AND b.status <> 'closed'
           WHERE s.other <> s.id AND t.status <> 'cancelled' ORDER BY s.id, t.id""",
        {"ids": list(order_ids)},
    )
    return {row["id"]: row for row in rows}


async def is_closed(tx: Tx, account_id: UUID) -> bool:
    """Whether an account is disconnected; it stays so until the transaction ends."""
    told: str | None = await tx.value("SELECT status FROM account WHERE id = %s FOR SHARE", [account_id])
    return told == "closed"


async def in_hand(tx: Tx, order_id: UUID) -> dict[str, Any]:
    """Where an order's goods may be, as stranded.stays takes it: packed, labelled, moving."""
    row = await tx.one(f"SELECT {_IN_HAND} FROM orders o WHERE o.id = %s", [order_id])
    return dict(row or {})


async def documents(tx: Tx, order_id: UUID) -> list[bytes]:
    """What a channel told of an order last, part by part, in the order in which it was fetched; each document once."""
    rows = await tx.all(
        "SELECT DISTINCT ON (fetch_seq) raw FROM order_part WHERE order_id = %s ORDER BY fetch_seq", [order_id]
    )
    return [bytes(row["raw"]) for row in rows]


async def settled(tx: Tx, account_id: UUID) -> list[str]:
    """Refs of an account's orders that a person cancelled here."""
    rows = await tx.all(
        """SELECT DISTINCT o.ref FROM audit_log l JOIN orders o ON o.id = l.subject::uuid
           WHERE l.action = 'order_settle' AND o.account_id = %s AND l.params->>'outcome' = 'cancelled'""",
        [account_id],
    )
    return [row["ref"] for row in rows]

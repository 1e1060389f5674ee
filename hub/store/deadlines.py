"""Deadlines: orders and parcels that are due to be looked at, and what was found."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.store import Tx
from hub.tracking import NEWS

POSTED = [str(status) for status in NEWS]  # a scan that proves that a carrier has the parcel


async def due_sellers(tx: Tx, now: datetime) -> list[UUID]:
    """Sellers with an order or a parcel to look at. Dispatch role."""
    rows = await tx.all(
        "SELECT seller_id FROM orders WHERE deadline_at <= %(now)s "
        "UNION SELECT seller_id FROM shipment WHERE look_at <= %(now)s",
        {"now": now},
    )
    return [row["seller_id"] for row in rows]


async def shipping(tx: Tx) -> dict[str, Any]:
    """What the seller set about shipping; `state` from the first own warehouse where it is not set."""
    row = await tx.one(
        """SELECT s.name, coalesce(s.settings->'shipping', '{}') AS told,
                  (SELECT w.state FROM warehouse w WHERE w.seller_id = s.seller_id AND w.kind = 'own'
                   AND w.closed_at IS NULL AND w.state IS NOT NULL ORDER BY w.rank, w.code LIMIT 1) AS state
           FROM seller s WHERE s.seller_id = %s""",
        [tx.seller],
    )
    if row is None:
        raise LookupError(f"there is no seller {tx.seller}")
    return {"name": row["name"], "state": row["state"], **row["told"]}


async def set_shipping(tx: Tx, changes: Mapping[str, Any]) -> None:
    """Change what the seller set about shipping; null goes back to the default."""
    sql = """
        UPDATE seller SET settings = jsonb_set(settings, '{shipping}',
            jsonb_strip_nulls(coalesce(settings->'shipping', '{}') || %s::jsonb)) WHERE seller_id = %s"""
    await tx.run(sql, [json.dumps(dict(changes)), tx.seller])


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def due_orders(tx: Tx, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Orders to look at, the longest due first, locked; those that another has locked wait for the next look."""
    return await tx.all(
        """SELECT o.id, o.account_id, a.name AS account, a.channel, a.settings, coalesce(o.number, o.ref) AS number,
                  o.status, o.hold, o.fulfilled_by, o.ship_stage, o.ship_by, (o.told->>'ship_by')::timestamptz AS told,
                  coalesce((o.told->>'paid_at')::timestamptz, o.placed_at, o.first_seen_at) AS since,
                  EXISTS (SELECT FROM shipment_line l JOIN shipment s ON s.seller_id = l.seller_id
                      AND s.id = l.shipment_id WHERE l.seller_id = o.seller_id AND l.order_id = o.id
                      AND s.status = ANY(%s)) AS posted,
                  EXISTS (SELECT FROM account b WHERE b.seller_id = o.seller_id AND b.channel = o.origin_channel
                      AND b.id <> o.account_id AND b.status <> 'closed') AS relayed,
                  a.status = 'closed' AS closed
           FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
           WHERE o.deadline_at <= %s ORDER BY o.deadline_at LIMIT %s FOR NO KEY UPDATE OF o SKIP LOCKED""",
        [POSTED, now, limit],
    )


async def order_looked_at(
    tx: Tx, order_id: UUID, told: datetime | None, by_policy: datetime | None, stage: int, next_at: datetime | None
) -> None:
    """Note what the look found; `next_at` when to look again."""
    await tx.run(
        "UPDATE orders SET ship_by_policy = %s, ship_by = %s, ship_stage = %s, deadline_at = %s WHERE id = %s",
        [by_policy, told or by_policy, stage, next_at, order_id],
    )


async def look_at_orders(tx: Tx, now: datetime, account_id: UUID | None) -> int:
    """Have the open orders of an account (of all) looked at again: a policy changed. Answers how many."""
    return await tx.run(
        "UPDATE orders SET deadline_at = %(now)s WHERE status IN ('placed', 'paid') AND status = 'paid' "
        "AND (%(account)s::uuid IS NULL OR account_id = %(account)s)",
        {"now": now, "account": account_id},
    )


async def resolve(tx: Tx, subject: str, kinds: Iterable[str]) -> int:
    """Close the open alerts of these kinds about a subject."""
    sql = "UPDATE alert SET resolved_at = now() WHERE kind = ANY(%s) AND subject = %s AND resolved_at IS NULL"
    return await tx.run(sql, [list(kinds), subject])


# ── parcels ─────────────────────────────────────────────────────────────────────────────────────────────────


async def due_parcels(tx: Tx, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Parcels to look at, locked, each with its last scan that counts and its first order."""
    return await tx.all(
        """SELECT s.id, s.account_id, a.name AS account, a.channel, a.settings, s.carrier, s.ref,
                  s.tracking_code, s.status, s.created_at, s.last_event_at,
                  coalesce(s.deliver_by, o.deliver_by) AS deliver_by,
                  e.at AS last_at, e.description, e.place, e.state, o.orders, o.number, o.changed_at, o.order_statuses,
                  o.received
           FROM shipment s JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
           LEFT JOIN LATERAL (SELECT at, description, place, state FROM tracking_event t
               WHERE t.seller_id = s.seller_id AND t.shipment_id = s.id AND NOT t.revoked AND NOT t.revokes
               ORDER BY at DESC, position DESC LIMIT 1) e ON true
           LEFT JOIN LATERAL (SELECT array_agg(DISTINCT r.id) AS orders,
                   array_agg(CASE r.fulfilment WHEN 'returned' THEN 'returned' ELSE r.status END) AS order_statuses,
                   min(coalesce(r.number, r.ref)) AS number,
                   min(r.deliver_by) AS deliver_by, max(r.changed_at) AS changed_at,
                   bool_or(EXISTS (SELECT FROM return_receipt x WHERE x.seller_id = r.seller_id
                       AND x.order_id = r.id)) AS received
               FROM shipment_line l JOIN orders r ON r.seller_id = l.seller_id AND r.id = l.order_id
               WHERE l.seller_id = s.seller_id AND l.shipment_id = s.id) o ON true
           WHERE s.look_at <= %s ORDER BY s.look_at LIMIT %s FOR NO KEY UPDATE OF s SKIP LOCKED""",
        [now, limit],
    )


async def parcel_looked_at(tx: Tx, shipment_id: UUID, next_at: datetime | None) -> None:
    """Note when to look at a parcel again."""
    await tx.run("UPDATE shipment SET look_at = %s WHERE id = %s", [next_at, shipment_id])


async def look_at_parcels(tx: Tx, now: datetime) -> int:
    """Have the parcels that are under way looked at again: the seller's patience changed."""
    return await tx.run("UPDATE shipment SET look_at = %s WHERE look_at IS NOT NULL", [now])


async def look_at_parcels_of(tx: Tx, order_ids: Sequence[UUID], now: datetime) -> None:
    """Have the parcels of these orders looked at: their channel said something."""
    await tx.run(
        """UPDATE shipment s SET look_at = %s FROM shipment_line l
           WHERE l.order_id = ANY(%s) AND l.seller_id = s.seller_id AND s.id = l.shipment_id""",
        [now, list(order_ids)],
    )


async def orders_posted(tx: Tx, order_ids: Sequence[UUID], now: datetime) -> None:
    """A carrier has their parcel: their clocks, where they run, are looked at."""
    await tx.run(
        "UPDATE orders SET deadline_at = %s WHERE id = ANY(%s) AND (deadline_at IS NOT NULL OR ship_stage > 0)",
        [now, list(order_ids)],
    )


async def page_of(tx: Tx, shipment_id: UUID) -> dict[str, Any] | None:
    """What a parcel's page shows: its standing, the city it goes to, and its scans, newest first."""
    row = await tx.one(
        """SELECT s.status, s.carrier, s.tracking_code, s.ended_at, coalesce(s.deliver_by, o.deliver_by) AS deliver_by,
                  o.city, o.uf
           FROM shipment s LEFT JOIN LATERAL (SELECT r.deliver_by, r.told->'ship_to'->>'city' AS city,
                   r.told->'ship_to'->>'state' AS uf
               FROM shipment_line l JOIN orders r ON r.seller_id = l.seller_id AND r.id = l.order_id
               WHERE l.seller_id = s.seller_id AND l.shipment_id = s.id ORDER BY r.id LIMIT 1) o ON true
           WHERE s.id = %s""",
        [shipment_id],
    )
    if row is None:
        return None
    scans = await tx.all(
        """SELECT at, status, description, place, state FROM tracking_event
           WHERE shipment_id = %s AND NOT revoked AND NOT revokes ORDER BY at DESC, position DESC LIMIT 200""",
        [shipment_id],
    )
    return {**row, "scans": scans}

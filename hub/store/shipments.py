"""Shipments: parcels of orders, what carriers tell of them, and what channels were told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.model import Order, Shipment
from hub.store import Tx, new_id

LEASE = timedelta(seconds=60)


async def put(tx: Tx, account_id: UUID, order_id: UUID, order: Order) -> list[UUID]:
    """Write the shipments that an order's channel tells. Answers their ids.

    What a carrier told of a parcel is better than what the channel says: `status` is filled in only while no
    carrier has spoken.
    """
    ids = []
    for told in order.shipments:
        shipment_id = await _put_one(tx, account_id, told)
        ids.append(shipment_id)
        lines: list[tuple[str, int | None]] = [(line.line_ref, line.quantity) for line in told.lines]
        lines = lines or [("", None)]
        await tx.many(
            """INSERT INTO shipment_line (seller_id, shipment_id, order_id, line_ref, quantity)
               VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
            [(tx.seller, shipment_id, order_id, ref, quantity) for ref, quantity in lines],
        )
    return ids


async def put_bare(tx: Tx, account_id: UUID, told: Sequence[Shipment]) -> list[UUID]:
    """Write shipments that a channel tells apart from any order. Answers their ids."""
    return [await _put_one(tx, account_id, one) for one in told]


async def _put_one(tx: Tx, account_id: UUID, told: Shipment, source: str = "channel") -> UUID:
    sql = """
        INSERT INTO shipment (seller_id, id, account_id, ref, carrier, service, tracking_code, tracking_url,
            status, source)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (seller_id, account_id, ref) DO UPDATE SET
            carrier = coalesce(excluded.carrier, shipment.carrier),
            service = coalesce(excluded.service, shipment.service),
            tracking_code = coalesce(shipment.tracking_code, excluded.tracking_code),
            tracking_url = coalesce(excluded.tracking_url, shipment.tracking_url),
            status = CASE WHEN shipment.carrier_account_id IS NULL
                            OR (shipment.source = 'channel' AND shipment.last_event_at IS NULL)
                          THEN coalesce(excluded.status, shipment.status)
                          ELSE shipment.status END
        RETURNING id"""
    params = [
        tx.seller, new_id(), account_id, told.ref, told.carrier, told.service, told.tracking_code, told.tracking_url,
        told.status, source,
    ]  # fmt: skip
    made: UUID = await tx.value(sql, params)
    return made


async def add(
    tx: Tx, account_id: UUID, order_id: UUID, told: Shipment, carrier_account_id: UUID | None, now: datetime
) -> UUID:
    """A shipment that the hub itself made for an order: tracked at once, its channel told."""
    shipment_id = await _put_one(tx, account_id, told, "hub")
    await tx.run(
        "UPDATE shipment SET carrier_account_id = %s, track_due_at = %s, news_due_at = %s, news_dirty_at = %s, "
        "tracking_code = %s WHERE id = %s",
        [carrier_account_id, now if carrier_account_id else None, now, now, told.tracking_code, shipment_id],
    )
    await tx.run(
        "INSERT INTO shipment_line (seller_id, shipment_id, order_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [tx.seller, shipment_id, order_id],
    )
    return shipment_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsDue:
    """A claimed shipment whose channel has something to be told."""

    id: UUID
    ref: str
    carrier: str | None
    service: str | None
    tracking_code: str | None
    tracking_url: str | None
    status: str | None
    source: str
    news_told: list[str]
    news_attempts: int
    news_dirty_at: datetime | None
    last_event_at: datetime | None


async def claim_news(tx: Tx, account_id: UUID, token: UUID, worker: int, now: datetime, limit: int) -> list[NewsDue]:
    """Take shipments whose channel is due to be told something."""
    sql = """
        WITH due AS (
            SELECT seller_id, id FROM shipment
            WHERE account_id = %s AND news_due_at <= %s AND news_parked IS NULL
              AND (lease_until IS NULL OR lease_until <= %s)
            ORDER BY news_due_at LIMIT %s FOR UPDATE SKIP LOCKED
        )
        UPDATE shipment s SET lease_token = %s, lease_until = %s, lease_by = %s FROM due
        WHERE s.seller_id = due.seller_id AND s.id = due.id
        RETURNING s.id, s.ref, s.carrier, s.service, s.tracking_code, s.tracking_url, s.status, s.source, s.news_told,
            s.news_attempts, s.news_dirty_at, s.last_event_at"""
    rows = await tx.all(sql, [account_id, now, now, limit, token, now + LEASE, worker])
    return [NewsDue(**row) for row in rows]


async def orders_of(tx: Tx, shipment_id: UUID) -> list[dict[str, Any]]:
    """(order_id, ref, invoice key, lines; the channel's own shipment and its service) of a shipment's orders.

    A shipment that names no lines carries all that the order has left to send.
    """
    return await tx.all(
        """SELECT o.id AS order_id, o.ref, o.status,
                  (SELECT key FROM invoice i WHERE i.seller_id = o.seller_id AND i.order_id = o.id AND key IS NOT NULL
                   ORDER BY issued_at DESC NULLS LAST LIMIT 1) AS invoice_key,
                  array_agg(t.ref) FILTER (WHERE t.quantity > 0) AS line_refs,
                  array_agg(t.quantity) FILTER (WHERE t.quantity > 0) AS quantities,
                  max(c.ref) AS channel_ref, max(c.service) AS channel_service
           FROM shipment_line l JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
           LEFT JOIN LATERAL (SELECT n.ref, coalesce(l.quantity, n.quantity - n.cancelled_quantity) AS quantity
                FROM order_line n WHERE n.seller_id = l.seller_id AND n.order_id = l.order_id
                  AND l.line_ref IN ('', n.ref)) t ON true
           LEFT JOIN LATERAL (SELECT h.ref, h.service FROM shipment h
                JOIN shipment_line i ON i.seller_id = h.seller_id AND i.shipment_id = h.id
                WHERE i.seller_id = l.seller_id AND i.order_id = l.order_id AND h.source = 'channel'
                ORDER BY h.created_at DESC, h.id DESC LIMIT 1) c ON true
           WHERE l.shipment_id = %s GROUP BY o.seller_id, o.id ORDER BY o.id""",
        [shipment_id],
    )


async def order_refs(tx: Tx, account_id: UUID, ref: str) -> list[str]:
    """Refs of the orders that a channel's shipment is known to serve."""
    rows = await tx.all(
        """SELECT DISTINCT o.ref FROM shipment s
           JOIN shipment_line l ON l.seller_id = s.seller_id AND l.shipment_id = s.id
           JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
           WHERE s.account_id = %s AND s.ref = %s""",
        [account_id, ref],
    )
    return [row["ref"] for row in rows]


async def told_one(tx: Tx, token: UUID, shipment_id: UUID, news: str) -> bool:
    """Note that a channel was told one thing, before the next is told."""
    sql = """
        UPDATE shipment SET news_told = array_append(news_told, %s), lease_until = %s
        WHERE id = %s AND lease_token = %s AND NOT %s = ANY(news_told)"""
    until = datetime.now().astimezone() + LEASE
    return await tx.run(sql, [news, until, shipment_id, token, news]) == 1


async def news_done(tx: Tx, token: UUID, shipment_id: UUID, status: str | None) -> None:
    """Nothing more to tell; stays due where the status moved meanwhile."""
    sql = """
        UPDATE shipment SET news_due_at = CASE WHEN status IS DISTINCT FROM %s THEN now() END, news_attempts = 0,
            news_error = NULL, lease_token = NULL, lease_until = NULL, lease_by = NULL
        WHERE id = %s AND lease_token = %s"""
    await tx.run(sql, [status, shipment_id, token])


async def news_later(tx: Tx, token: UUID, shipment_id: UUID, due_at: datetime | None, error: str) -> None:
    """Telling failed: again at `due_at`, or parked with the reason (None)."""
    sql = """
        UPDATE shipment SET news_due_at = %s, news_attempts = news_attempts + 1, news_error = %s,
            news_parked = CASE WHEN %s::timestamptz IS NULL THEN %s END, lease_token = NULL, lease_until = NULL,
            lease_by = NULL
        WHERE id = %s AND lease_token = %s"""
    await tx.run(sql, [due_at, error[:500], due_at, error[:500], shipment_id, token])


async def news_due(tx: Tx, shipment_id: UUID, now: datetime) -> None:
    """Its channel has something to be told."""
    await tx.run(
        "UPDATE shipment SET news_due_at = coalesce(news_due_at, %s), news_dirty_at = coalesce(news_dirty_at, %s), "
        "news_parked = NULL WHERE id = %s",
        [now, now, shipment_id],
    )


async def track_soon(tx: Tx, carrier_account_id: UUID, code: str, now: datetime) -> bool:
    """Ask about a parcel now instead of at its due time. False: this account follows none of that code."""
    sql = """
        UPDATE shipment SET track_due_at = least(track_due_at, %s)
        WHERE carrier_account_id = %s AND track_due_at IS NOT NULL AND (tracking_code = %s
            OR id IN (SELECT shipment_id FROM shipment_leg WHERE account_id = %s AND code = %s)
            OR id IN (SELECT shipment_id FROM freight_label WHERE account_id = %s AND ref = %s))"""
    return await tx.run(sql, [now, carrier_account_id, code, *([carrier_account_id, code] * 2)]) > 0


async def listed(
    tx: Tx, *, status: str | None = None, after: UUID | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Newest first, keyset by id."""
    sql = """
        SELECT s.id, a.channel, a.name AS account, s.ref, s.carrier, s.service, s.tracking_code, s.status, s.deliver_by,
               s.delayed, s.last_event_at, s.news_told, s.news_parked, s.track_error, s.track_due_at, s.left_alone,
               s.not_found_since
        FROM shipment s JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
        WHERE (%s::text IS NULL OR s.status = %s) AND (%s::uuid IS NULL OR s.id < %s) ORDER BY s.id DESC LIMIT %s"""
    return await tx.all(sql, [status, status, after, after, limit])


async def called(tx: Tx, named: str) -> list[dict[str, Any]]:
    """The shipments of that tracking code or id, with their orders' numbers; several where a code came twice."""
    sql = """
        SELECT s.id, a.channel, a.name AS account, s.ref, s.carrier, s.service, s.tracking_code, s.status, s.delayed,
               s.last_event_at, s.ended_at, s.news_told, s.news_parked, s.track_error, s.track_due_at,
               (SELECT array_agg(DISTINCT coalesce(o.number, o.ref)) FROM shipment_line l
                JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
                WHERE l.seller_id = s.seller_id AND l.shipment_id = s.id) AS orders
        FROM shipment s JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
        WHERE s.tracking_code = %s OR s.id = %s ORDER BY s.id DESC LIMIT 10"""
    try:
        id_ = UUID(named)
    except ValueError:
        id_ = None
    return await tx.all(sql, [named.upper(), id_])


async def abandon(tx: Tx, carrier_account_id: UUID) -> None:
    """A carrier's account is closed: its parcels are nobody's until another account of that carrier adopts them."""
    await tx.run(
        "UPDATE shipment SET carrier_account_id = NULL, track_due_at = NULL WHERE carrier_account_id = %s",
        [carrier_account_id],
    )

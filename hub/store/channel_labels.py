"""Labels that channels issue for parcels that travel by them: which wait to be printed, kept sealed, let go of."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx

FRESH = timedelta(hours=1)  # a kept label printed again within it is not asked about once more
Issuers = Sequence[tuple[str, str]]  # (channel, service) of shipments that a channel issues labels for
_DUE: LiteralString = "coalesce(o.ship_by, o.placed_at, o.first_seen_at)"  # as the index orders_to_send has it
_PARCEL: LiteralString = """s.source = 'channel'
    AND (a.channel, s.service) IN (SELECT * FROM unnest(%(channels)s::text[], %(services)s::text[]))"""
_PRINTED: LiteralString = """SELECT FROM channel_label l
    WHERE l.seller_id = s.seller_id AND l.shipment_id = s.id AND l.printed_at IS NOT NULL"""
_HERE: LiteralString = "coalesce(s.status, 'unknown') IN ('label_created', 'unknown', 'exception')"
_LABEL: LiteralString = """
    SELECT s.id, s.ref, s.service, s.tracking_code, s.status AS parcel_status, s.account_id, a.name AS account,
           a.channel, a.status AS account_status, o.id AS order_id, coalesce(o.number, o.ref) AS number,
           o.status AS order_status, o.hold, 1 AS volume, 1 AS volumes, l.pdf_at, l.printed_at
    FROM shipment s JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
    LEFT JOIN channel_label l ON l.seller_id = s.seller_id AND l.shipment_id = s.id
    JOIN LATERAL (SELECT o.* FROM shipment_line i JOIN orders o ON o.seller_id = i.seller_id AND o.id = i.order_id
        WHERE i.seller_id = s.seller_id AND i.shipment_id = s.id
        ORDER BY o.status <> 'paid', o.hold IS NULL, o.id LIMIT 1) o ON true"""


def _issuing(issuers: Issuers) -> dict[str, list[str]]:
    return {"channels": [channel for channel, _ in issuers], "services": [service for _, service in issuers]}


async def queue(
    tx: Tx, issuers: Issuers, *, unprinted: bool = False, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Paid orders whose parcel travels by its channel and is still here, the most urgent first; keyset by (due, id).

    Of several orders in one parcel (a pack) the most urgent stands for it. `unprinted`: only those of which a label
    was never printed.
    """
    at, id_ = after or (None, None)
    onward = f"AND ({_DUE}, o.id) > (%(at)s, %(id)s)" if after else ""
    printed = f"AND NOT EXISTS ({_PRINTED})" if unprinted else ""
    return await tx.all(
        f"""SELECT o.id, coalesce(o.number, o.ref) AS number, a.name AS account, a.channel, o.status, o.hold, o.ship_by,
                   o.deliver_by, o.total_cents, o.buyer_name, {_DUE} AS due,
                   o.told -> 'ship_to' ->> 'city' AS city, o.told -> 'ship_to' ->> 'state' AS state
            FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
            -- with a limit it stays a look at each order in turn, along the index, until the page is full
            CROSS JOIN LATERAL (SELECT FROM shipment_line i
                JOIN shipment s ON s.seller_id = i.seller_id AND s.id = i.shipment_id
                WHERE i.seller_id = o.seller_id AND i.order_id = o.id AND {_PARCEL} AND {_HERE} {printed}
                  AND NOT EXISTS (SELECT FROM shipment_line j
                      JOIN orders p ON p.seller_id = j.seller_id AND p.id = j.order_id
                      WHERE j.seller_id = s.seller_id AND j.shipment_id = s.id AND p.status = 'paid'
                        AND (coalesce(p.ship_by, p.placed_at, p.first_seen_at), p.id) < ({_DUE}, o.id))
                LIMIT 1) parcel
            WHERE o.status = 'paid' AND coalesce(o.fulfilled_by, 'seller') <> 'marketplace' AND a.status <> 'closed'
              AND a.channel = ANY(%(channels)s) {onward}
            ORDER BY {_DUE}, o.id LIMIT %(limit)s""",
        {**_issuing(issuers), "at": at, "id": id_, "limit": limit},
    )


async def of_orders(tx: Tx, issuers: Issuers, order_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Parcels of these orders that their channels issue labels for and that are still here, in the orders' order.

    `of_order` is the order asked for; a pack's parcel comes once, with the first of its orders.
    """
    return await tx.all(
        f"""SELECT f.of_order, l.* FROM ({_LABEL} WHERE {_PARCEL} AND {_HERE} AND s.id IN (
                SELECT i.shipment_id FROM shipment_line i WHERE i.order_id = ANY(%(ids)s))) l
            JOIN LATERAL (SELECT i.order_id AS of_order FROM shipment_line i
                WHERE i.shipment_id = l.id AND i.order_id = ANY(%(ids)s)
                ORDER BY array_position(%(ids)s, i.order_id) LIMIT 1) f ON true
            ORDER BY array_position(%(ids)s, f.of_order), l.id""",
        {**_issuing(issuers), "ids": list(order_ids)},
    )


async def some(tx: Tx, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """These shipments with what is known of their labels, in the order named; what is no shipment is left out."""
    told = {"ids": list(ids)}
    return await tx.all(f"{_LABEL} WHERE s.id = ANY(%(ids)s) ORDER BY array_position(%(ids)s, s.id)", told)


async def kept(tx: Tx, id_: UUID) -> bytes | None:
    """A label as it was sealed; None where none is kept."""
    sealed: bytes | None = await tx.value("SELECT pdf_sealed FROM channel_label WHERE shipment_id = %s", [id_])
    return bytes(sealed) if sealed is not None else None


async def keep(tx: Tx, id_: UUID, sealed: bytes | None, now: datetime) -> None:
    """Keep a sealed label, or (None) note that the channel says that the kept one is still good."""
    await tx.run(
        """INSERT INTO channel_label (seller_id, shipment_id, pdf_sealed, pdf_at) VALUES (%s, %s, %s, %s)
           ON CONFLICT (seller_id, shipment_id) DO UPDATE SET
               pdf_sealed = coalesce(excluded.pdf_sealed, channel_label.pdf_sealed), pdf_at = excluded.pdf_at""",
        [tx.seller, id_, sealed, now],
    )


async def drop(tx: Tx, before: datetime) -> int:
    """Let go of labels that nobody has printed since before an instant."""
    sql = "UPDATE channel_label SET pdf_sealed = NULL WHERE pdf_sealed IS NOT NULL AND pdf_at < %s"
    return await tx.run(sql, [before])


async def printed(tx: Tx, ids: Sequence[UUID], now: datetime) -> None:
    """These labels were handed out as a file."""
    sql = "UPDATE channel_label SET printed_at = coalesce(printed_at, %s) WHERE shipment_id = ANY(%s)"
    await tx.run(sql, [now, list(ids)])

"""One listing: what it is, its slots, and what was written, what differed and what it was linked to before."""

from datetime import datetime
from typing import Any
from uuid import UUID

from hub.store import Tx
from hub.store.listing_list import COLUMNS, JOINS


async def one(tx: Tx, listing_id: UUID) -> dict[str, Any] | None:
    """A listing as the list has it, one that is gone too, with its slot's ref and since when it is gone."""
    return await tx.one(
        f"""SELECT {COLUMNS}, l.quantity, l.seen_at AS read_at, l.gone_at, l.sku_id, s.ref AS slot_ref,
                   s.location_ref, s.dirty_at, s.reserved_there, k.title AS sku_title{JOINS} WHERE l.id = %s""",
        [listing_id],
    )


async def beside(tx: Tx, slot_id: UUID, listing_id: UUID) -> list[dict[str, Any]]:
    """Other listings that sell from the same slot."""
    return await tx.all(
        """SELECT l.id, l.ref, l.variation_ref, l.title, k.code AS sku, l.multiplier FROM listing l
           LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.slot_id = %s AND l.id <> %s AND l.gone_at IS NULL ORDER BY l.id LIMIT 20""",
        [slot_id, listing_id],
    )


async def slots(tx: Tx, listing: dict[str, Any]) -> list[dict[str, Any]]:
    """The numbers of everything that writes about this listing address: one slot, or one for each location."""
    return await tx.all(
        """SELECT id, ref, location_ref, desired, pushed, expected, seen, seen_at, last_pushed_at, due_at, attempts,
                  doubt_until, parked_code, parked_reason, braked, withheld, reserved_there
           FROM stock_slot WHERE account_id = %s AND ref = %s ORDER BY location_ref NULLS FIRST LIMIT 50""",
        [listing["account_id"], listing["slot_ref"]],
    )


async def pushes(
    tx: Tx, slot_id: UUID, *, after: tuple[datetime, UUID] | None = None, limit: int = 20
) -> list[dict[str, Any]]:
    """What was written to a slot and what the channel answered, newest first; keyset by (answered_at, id)."""
    at, id_ = after or (None, None)
    return await tx.all(
        """SELECT p.id, p.quantity, p.previous, p.outcome, p.code, p.message, p.dirty_at, p.sent_at, p.answered_at,
                  k.code AS sku,
                  (extract(epoch FROM p.answered_at - coalesce(p.dirty_at, p.sent_at)) * 1000)::float AS ms
           FROM push_log p LEFT JOIN sku k ON k.seller_id = p.seller_id AND k.id = p.sku_id
           WHERE p.slot_id = %(slot)s AND (%(at)s::timestamptz IS NULL
               OR p.answered_at <= %(at)s AND (p.answered_at < %(at)s OR p.id < %(id)s))
           ORDER BY p.answered_at DESC, p.id DESC LIMIT %(limit)s""",
        {"slot": slot_id, "at": at, "id": id_, "limit": limit},
    )


async def differences(tx: Tx, slot_id: UUID, limit: int = 30) -> list[dict[str, Any]]:
    """Episodes of difference of a slot, the newest first."""
    return await tx.all(
        """SELECT id, class, direction, why, state, seen, expected, desired, count, first_seen_at, last_seen_at,
                  closed_at, ended, decided_at, decided_by
           FROM drift WHERE slot_id = %s ORDER BY first_seen_at DESC LIMIT %s""",
        [slot_id, limit],
    )


async def links(tx: Tx, listing_id: UUID, limit: int = 30) -> list[dict[str, Any]]:
    """What a listing was linked to, the newest first: sku_code (null: unlinked), multiplier, linked_by, who, at."""
    return await tx.all(
        """SELECT h.id, h.sku_code, h.multiplier, h.linked_by, h.actor, h.at, u.name FROM listing_link h
           LEFT JOIN app_user u ON h.actor LIKE 'web:%%' AND u.id::text = substr(h.actor, 5)
           WHERE h.listing_id = %s ORDER BY h.id DESC LIMIT %s""",
        [listing_id, limit],
    )


async def waiting(tx: Tx, listing_ids: list[UUID]) -> dict[UUID, tuple[int, int]]:
    """(orders, units) of these listings that are still to be dispatched, by listing."""
    rows = await tx.all(
        """SELECT t.id, count(DISTINCT o.id)::int AS orders,
                  sum(l.quantity - l.cancelled_quantity - l.dispatched_quantity)::int AS units
           FROM listing t
           JOIN order_line l ON l.seller_id = t.seller_id AND l.listing_ref = t.ref
             AND l.variation_ref IS NOT DISTINCT FROM t.variation_ref
           JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id AND o.account_id = t.account_id
           WHERE t.id = ANY(%s) AND o.status IN ('placed', 'paid')
             AND l.quantity > l.cancelled_quantity + l.dispatched_quantity
           GROUP BY t.id""",
        [listing_ids],
    )
    return {row["id"]: (row["orders"], row["units"]) for row in rows}

"""What the deadlines page shows: what must leave, by urgency, and parcels that need a person, with the evidence."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx
from hub.store.deadlines import POSTED
from hub.store.picking import DUE, HERE

# An order whose clock runs, as hub.deadlines.judged says: it is looked at again, or was alerted.
_RUNS: LiteralString = (
    "o.status IN ('placed', 'paid') AND o.status = 'paid' AND o.ship_by IS NOT NULL "
    "AND (o.ship_stage > 0 OR o.deadline_at IS NOT NULL)"
)

# To be dispatched, and nobody told by when; in the order of the index orders_to_send.
_UNDATED: LiteralString = f"{HERE} AND o.ship_by IS NULL"
_SHOWN: LiteralString = f"""
    SELECT o.id, coalesce(o.number, o.ref) AS number, o.ship_by, o.ship_stage, o.ship_by_policy, o.hold,
           o.buyer_name, a.name AS account, a.id AS account_id, a.channel, {DUE} AS since, h.packed_at,
           (SELECT coalesce(sum(quantity - cancelled_quantity), 0) FROM order_line l
            WHERE l.seller_id = o.seller_id AND l.order_id = o.id)::int AS units,
           (SELECT coalesce(sum(quantity), 0) FROM shortage s
            WHERE s.seller_id = o.seller_id AND s.order_id = o.id)::int AS short
    FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
    LEFT JOIN order_handling h ON h.seller_id = o.seller_id AND h.order_id = o.id"""


async def counts(tx: Tx) -> dict[str, int]:
    """How many open alerts there are of each kind; `to_ship`: orders whose clock runs."""
    rows = await tx.all("SELECT kind, count(*)::int AS count FROM alert WHERE resolved_at IS NULL GROUP BY kind")
    waiting = await tx.value(f"SELECT count(*)::int FROM orders o WHERE {_RUNS}")
    return {"to_ship": waiting, **{row["kind"]: row["count"] for row in rows}}


async def to_ship(tx: Tx, after: tuple[datetime, UUID] | None, limit: int) -> list[dict[str, Any]]:
    """Orders to dispatch, the most urgent first; keyset by (ship_by, id) along the index of open orders."""
    onward: LiteralString = "AND (o.ship_by, o.id) > (%(at)s, %(id)s)" if after else ""
    at, id_ = after or (None, None)
    return await tx.all(
        f"""{_SHOWN}
            WHERE {_RUNS} {onward} ORDER BY o.ship_by, o.id LIMIT %(limit)s""",
        {"at": at, "id": id_, "limit": limit},
    )


async def undated(tx: Tx, after: tuple[datetime, UUID] | None, limit: int) -> list[dict[str, Any]]:
    """Orders to dispatch that nobody told the ship-by of, the oldest first; keyset by (since, id)."""
    onward: LiteralString = f"AND ({DUE}, o.id) > (%(at)s, %(id)s)" if after else ""
    at, id_ = after or (None, None)
    return await tx.all(
        f"{_SHOWN} WHERE {_UNDATED} {onward} ORDER BY {DUE}, o.id LIMIT %(limit)s",
        {"posted": POSTED, "at": at, "id": id_, "limit": limit},
    )


async def undated_count(tx: Tx, most: int) -> int:
    """How many orders `undated` lists; counting stops at `most`."""
    found: int = await tx.value(
        f"""SELECT count(*)::int FROM (SELECT FROM orders o
            JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id WHERE {_UNDATED} LIMIT %(most)s) t""",
        {"posted": POSTED, "most": most},
    )
    return found


async def parcels(
    tx: Tx, kinds: Sequence[str], after: tuple[datetime, UUID] | None, limit: int
) -> list[dict[str, Any]]:
    """Open alerts of these kinds, the soonest due or longest open first, with their parcel and its last scan.

    Their subjects are parcels' ids, made ids of apart: a cast that may fail is kept out of an index by row-level
    security, and every parcel would be read. Keyset by (since, id).
    """
    onward: LiteralString = "WHERE (t.since, t.id) > (%(at)s, %(id)s)" if after else ""
    at, id_ = after or (None, None)
    return await tx.all(
        f"""WITH told AS MATERIALIZED (
                SELECT id, kind, severity, params, due_at, opened_at, coalesce(due_at, opened_at) AS since, seller_id,
                       CASE WHEN kind = ANY(%(kinds)s) THEN subject::uuid END AS subject_id
                FROM alert WHERE resolved_at IS NULL AND kind = ANY(%(kinds)s)
            ), n AS MATERIALIZED (
                SELECT t.* FROM told t JOIN shipment s ON s.seller_id = t.seller_id AND s.id = t.subject_id
                {onward} ORDER BY t.since, t.id LIMIT %(limit)s
            )
            SELECT n.*, s.id AS shipment_id, s.tracking_code, s.ref, s.carrier, s.service, s.status,
                   coalesce(s.deliver_by, o.deliver_by) AS deliver_by, e.at AS last_at, e.place, e.state,
                   e.description, o.order_id, o.number, c.name AS account
            FROM n JOIN shipment s ON s.seller_id = n.seller_id AND s.id = n.subject_id
            JOIN account c ON c.seller_id = s.seller_id AND c.id = s.account_id
            LEFT JOIN LATERAL (SELECT at, place, state, description FROM tracking_event t
                WHERE t.seller_id = s.seller_id AND t.shipment_id = s.id AND NOT t.revoked AND NOT t.revokes
                ORDER BY at DESC, position DESC LIMIT 1) e ON true
            LEFT JOIN LATERAL (SELECT l.order_id, coalesce(r.number, r.ref) AS number, r.deliver_by FROM shipment_line l
                JOIN orders r ON r.seller_id = l.seller_id AND r.id = l.order_id
                WHERE l.seller_id = s.seller_id AND l.shipment_id = s.id ORDER BY r.id LIMIT 1) o ON true
            ORDER BY n.since, n.id""",
        {"kinds": list(kinds), "at": at, "id": id_, "limit": limit},
    )

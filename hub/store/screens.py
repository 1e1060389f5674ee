"""What the pages show: read-only, each query bounded by an index and a LIMIT, pages by keyset."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx


async def figures(tx: Tx, midnight: datetime, tomorrow: datetime, now: datetime, lately: datetime) -> dict[str, Any]:
    """Sales since midnight, orders to dispatch, units short, and the propagation of what was pushed lately."""
    told = await tx.one(
        """SELECT
             (SELECT count(*) FROM orders WHERE placed_at >= %(midnight)s AND status <> 'cancelled') AS sales,
             (SELECT coalesce(sum(total_cents), 0)::bigint FROM orders WHERE placed_at >= %(midnight)s
                AND status <> 'cancelled' AND currency = 'BRL') AS sales_cents,
             (SELECT count(*) FROM orders WHERE status IN ('placed', 'paid') AND status = 'paid'
                AND ship_by < %(tomorrow)s) AS to_ship,
             (SELECT count(*) FROM orders WHERE status IN ('placed', 'paid') AND status = 'paid'
                AND ship_by < %(now)s) AS late,
             (SELECT coalesce(sum(quantity), 0)::int FROM shortage) AS short""",
        {"midnight": midnight, "tomorrow": tomorrow, "now": now},
    )
    pushed = await tx.one(
        """SELECT count(*) AS pushes,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::float AS p50,
             percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::float AS p99
           FROM (SELECT extract(epoch FROM answered_at - dirty_at) * 1000 AS ms FROM push_log
                 WHERE answered_at >= %s AND outcome = 'accepted' AND dirty_at IS NOT NULL) told""",
        [lately],
    )
    return {**(told or {}), **(pushed or {})}


_FEED = """
    SELECT p.id, p.account_id, a.name AS account, a.channel, p.quantity, p.previous, p.outcome, p.answered_at,
           k.code AS sku, coalesce(nullif(k.title, ''), l.title) AS title,
           (extract(epoch FROM p.answered_at - coalesce(p.dirty_at, p.sent_at)) * 1000)::float AS ms
    FROM push_log p JOIN account a ON a.seller_id = p.seller_id AND a.id = p.account_id
    LEFT JOIN sku k ON k.seller_id = p.seller_id AND k.id = p.sku_id
    LEFT JOIN LATERAL (SELECT title FROM listing l WHERE l.seller_id = p.seller_id AND l.slot_id = p.slot_id LIMIT 1) l
        ON true"""


async def pushes(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """The latest answers of channels to stock writes, newest first."""
    return await tx.all(f"{_FEED} ORDER BY p.answered_at DESC, p.id DESC LIMIT %s", [limit])


async def pushes_since(tx: Tx, since: datetime, known: Iterable[UUID], limit: int) -> list[dict[str, Any]]:
    """Those since an instant that are not among the known ones, newest first."""
    where = "WHERE p.answered_at >= %s AND NOT p.id = ANY(%s) ORDER BY p.answered_at DESC, p.id DESC LIMIT %s"
    return await tx.all(f"{_FEED} {where}", [since, list(known), limit])


# ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────


async def accounts(
    tx: Tx, now: datetime, day_ago: datetime, *, closed: bool = False, only: UUID | None = None
) -> list[dict[str, Any]]:  # fmt: skip
    """Accounts, the oldest first, with their last poll and notice, their due work and what is parked: those that are
    connected, or those that were (`closed`); with `only` that one, whichever it is.
    """
    return await tx.all(
        """SELECT a.id, a.channel, a.name, a.external_id, a.status, a.held_reason, a.stock_role, a.braked_at,
                  a.checked_at, a.approved_at, t.polled_at, t.task_error, n.noticed_at, i.inbox_due, p.inbox_parked,
                  s.slots_due, s.slots_parked, s.slots, s.slots_doubt, h.news_due, u.news_parked
           FROM account a
           LEFT JOIN LATERAL (SELECT max(succeeded_at) FILTER (WHERE kind = 'poll') AS polled_at,
                min(error) FILTER (WHERE error IS NOT NULL) AS task_error
                FROM task WHERE seller_id = a.seller_id AND account_id = a.id) t ON true
           LEFT JOIN LATERAL (SELECT received_at AS noticed_at FROM inbox WHERE seller_id = a.seller_id
                AND account_id = a.id AND source = 'webhook' AND id > %(day_ago)s ORDER BY id DESC LIMIT 1) n ON true
           LEFT JOIN LATERAL (SELECT count(*) AS inbox_due FROM inbox WHERE seller_id = a.seller_id
                AND account_id = a.id AND state = 'due' AND due_at <= %(now)s) i ON true
           LEFT JOIN LATERAL (SELECT count(*) AS inbox_parked FROM inbox WHERE seller_id = a.seller_id
                AND account_id = a.id AND state = 'parked') p ON true
           LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE due_at <= %(now)s AND parked_code IS NULL
                    AND approved_at IS NOT NULL) AS slots_due,
                count(*) FILTER (WHERE parked_code IS NOT NULL) AS slots_parked,
                count(*) FILTER (WHERE doubt_until IS NOT NULL AND parked_code IS NULL) AS slots_doubt,
                count(*) FILTER (WHERE status <> 'closed') AS slots
                FROM stock_slot WHERE seller_id = a.seller_id AND account_id = a.id) s ON true
           LEFT JOIN LATERAL (SELECT count(*) AS news_due FROM shipment WHERE seller_id = a.seller_id
                AND account_id = a.id AND news_due_at <= %(now)s) h ON true
           LEFT JOIN LATERAL (SELECT count(*) AS news_parked FROM shipment WHERE seller_id = a.seller_id
                AND account_id = a.id AND id = ANY(%(untold)s) AND news_parked IS NOT NULL) u ON true
           WHERE CASE WHEN %(only)s::uuid IS NULL THEN (a.status = 'closed') = %(closed)s ELSE a.id = %(only)s END
           ORDER BY a.id""",
        {"now": now, "day_ago": _first_id_at(day_ago), "untold": await _untold(tx), "closed": closed, "only": only},
    )


def _first_id_at(at: datetime) -> UUID:
    """The least id (UUIDv7) that can have been made at that instant."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


async def _untold(tx: Tx) -> list[UUID]:
    """Shipments whose channel could not be told: by their alerts, since no index holds the parked ones."""
    rows = await tx.all(
        "SELECT subject FROM alert WHERE kind = 'shipment_untold' AND resolved_at IS NULL ORDER BY subject LIMIT 1000"
    )
    return [UUID(row["subject"]) for row in rows]


async def parked(tx: Tx, account_id: UUID, limit: int) -> list[dict[str, Any]]:
    """What stands still until a person acts: (kind, ref, code, reason, at), of an account."""
    return await tx.all(
        """(SELECT 'slot' AS kind, s.listing_ref AS ref, s.parked_code AS code, s.parked_reason AS reason,
                   s.last_pushed_at AS at, k.code AS sku
            FROM stock_slot s LEFT JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
            WHERE s.account_id = %(account)s AND s.parked_code IS NOT NULL ORDER BY s.id LIMIT %(limit)s)
           UNION ALL
           (SELECT 'inbox', i.ref, i.topic, i.error, i.received_at, NULL FROM inbox i
            WHERE i.account_id = %(account)s AND i.state = 'parked' ORDER BY i.seq DESC LIMIT %(limit)s)
           UNION ALL
           (SELECT 'shipment', coalesce(h.tracking_code, h.ref), NULL, h.news_parked, h.last_event_at, NULL
            FROM shipment h WHERE h.account_id = %(account)s AND h.id = ANY(%(untold)s) AND h.news_parked IS NOT NULL
            ORDER BY h.id DESC LIMIT %(limit)s)""",
        {"account": account_id, "limit": limit, "untold": await _untold(tx)},
    )


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def scans(tx: Tx, shipment_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What carriers told of these parcels, oldest first."""
    return await tx.all(
        """SELECT shipment_id, at, status, description, place, state, revoked FROM tracking_event
           WHERE shipment_id = ANY(%s) ORDER BY at, position LIMIT 500""",
        [list(shipment_ids)],
    )


async def papers(tx: Tx, order_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """An order's invoices and returns."""
    return {
        "invoices": await tx.all(
            "SELECT key, number, series, issued_at, total_cents, status FROM invoice WHERE order_id = %s",
            [order_id],
        ),
        "returns": await tx.all(
            "SELECT ref, status, lines, created_at FROM order_return WHERE order_id = %s ORDER BY created_at",
            [order_id],
        ),
    }


# ── listings and stock ──────────────────────────────────────────────────────────────────────────────────────


async def sku(tx: Tx, code: str) -> dict[str, Any] | None:
    """A SKU with its levels, the parts it is made of, and its newest movements."""
    row = await tx.one("SELECT id, code, title, gtin, opened_at FROM sku WHERE code = %s", [code])
    if row is None:
        return None
    row["parts"] = await tx.all(
        """SELECT k.id, k.code, k.title, c.quantity FROM kit_component c
           JOIN sku k ON k.seller_id = c.seller_id AND k.id = c.sku_id WHERE c.kit_id = %s ORDER BY k.code""",
        [row["id"]],
    )
    row["levels"] = await tx.all(
        """SELECT k.code AS sku, w.name AS warehouse, l.on_hand, l.reserved FROM stock_level l
           JOIN warehouse w ON w.seller_id = l.seller_id AND w.id = l.warehouse_id
           JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.sku_id = ANY(%s) ORDER BY k.code, w.rank, w.code""",
        [[row["id"], *(part["id"] for part in row["parts"])]],
    )
    row["movements"] = await tx.all(
        """SELECT m.at, m.delta, m.reason, m.note, m.order_id, w.name AS warehouse FROM stock_movement m
           JOIN warehouse w ON w.seller_id = m.seller_id AND w.id = m.warehouse_id
           WHERE m.sku_id = %s ORDER BY m.at DESC LIMIT 20""",
        [row["id"]],
    )
    return row


async def names(tx: Tx, ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """What people call these SKUs and warehouses."""
    wanted = list(ids)
    rows = await tx.all(
        """SELECT id, code AS name FROM sku WHERE id = ANY(%s)
           UNION ALL SELECT id, name FROM warehouse WHERE id = ANY(%s)""",
        [wanted, wanted],
    )
    return {row["id"]: row["name"] for row in rows}


# ── shipments ───────────────────────────────────────────────────────────────────────────────────────────────

_PARCELS: dict[str, LiteralString] = {
    "moving": "s.status IN ('label_created', 'accepted', 'in_transit', 'out_for_delivery', 'awaiting_pickup', "
    "'customs')",
    # The first part is what the index shipment_trouble holds.
    "trouble": "(s.delayed OR s.news_parked IS NOT NULL OR s.left_alone = 'ambiguous' OR s.not_found_since IS NOT NULL "
    "OR s.status IN ('exception', 'failed_attempt', 'returning', 'lost', 'damaged')) "
    "AND (s.delayed OR s.news_parked IS NOT NULL OR s.left_alone = 'ambiguous' "
    "OR s.not_found_since < now() - interval '3 days' OR s.status IN ('exception', 'failed_attempt', 'returning', "
    "'lost', 'damaged'))",
    "delivered": "s.status = 'delivered'",
    "silent": "s.status IS NULL",
}
PARCEL_FILTERS = tuple(_PARCELS)


async def shipments(
    tx: Tx,
    *,
    state: str | None = None,
    search: str | None = None,
    before: UUID | None = None,
    shipment_id: UUID | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Newest first, keyset by id; `search` is a tracking code."""
    where: list[LiteralString] = ["true"]
    if state in _PARCELS:
        where.append(_PARCELS[state])
    if search:
        where.append("s.tracking_code = %(search)s")
    if shipment_id:
        where.append("s.id = %(id)s")
    if before:
        where.append("s.id < %(before)s")
    sql: Any = f"""
        SELECT s.id, s.created_at, a.channel, a.name AS account, s.ref, s.carrier, s.service, s.tracking_code,
               s.tracking_url, s.status, s.deliver_by, s.delayed, s.last_event_at, s.news_told, s.news_parked,
               s.track_error, s.track_due_at, o.order_id, o.number, o.buyer_name
        FROM shipment s JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
        LEFT JOIN LATERAL (SELECT l.order_id, coalesce(r.number, r.ref) AS number, r.buyer_name
            FROM shipment_line l JOIN orders r ON r.seller_id = l.seller_id AND r.id = l.order_id
            WHERE l.seller_id = s.seller_id AND l.shipment_id = s.id LIMIT 1) o ON true
        WHERE {" AND ".join(where)} ORDER BY s.id DESC LIMIT %(limit)s"""
    return await tx.all(sql, {"search": search, "before": before, "id": shipment_id, "limit": limit})

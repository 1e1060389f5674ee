"""Shortages as cases: opened and closed with the shortage itself, with the cause that was worked out for each."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.store import Tx, new_id


async def sync(tx: Tx, order_ids: Iterable[UUID]) -> None:
    """Bring the cases of these orders up to what is short now: a new one for each new shortage, the others closed."""
    ids = list(order_ids)
    short = await tx.all("SELECT order_id, line_ref, sku_id, quantity FROM shortage WHERE order_id = ANY(%s)", [ids])
    await tx.many(
        """INSERT INTO shortage_case (seller_id, id, order_id, line_ref, sku_id, units) VALUES (%s, %s, %s, %s, %s, %s)
           ON CONFLICT (seller_id, order_id, line_ref, sku_id) WHERE closed_at IS NULL
           DO UPDATE SET units = excluded.units WHERE shortage_case.units < excluded.units""",
        [(tx.seller, new_id(), row["order_id"], row["line_ref"], row["sku_id"], row["quantity"]) for row in short],
    )
    await tx.run(
        """UPDATE shortage_case c SET closed_at = now(), ended = CASE WHEN EXISTS (
                   SELECT FROM reservation r WHERE r.seller_id = c.seller_id AND r.order_id = c.order_id
                     AND r.line_ref = c.line_ref AND r.sku_id = c.sku_id) THEN 'filled' ELSE 'released' END
           WHERE c.order_id = ANY(%s) AND c.closed_at IS NULL AND NOT EXISTS (
                   SELECT FROM shortage s WHERE s.seller_id = c.seller_id AND s.order_id = c.order_id
                     AND s.line_ref = c.line_ref AND s.sku_id = c.sku_id)""",
        [ids],
    )


async def due_sellers(tx: Tx, now: datetime) -> list[UUID]:
    """Sellers with a case whose cause is to be worked out. Dispatch role."""
    rows = await tx.all("SELECT DISTINCT seller_id FROM shortage_case WHERE look_at <= %s", [now])
    return [row["seller_id"] for row in rows]


async def due(tx: Tx, now: datetime, limit: int) -> list[UUID]:
    """Cases to be looked at, locked; those that another worker is at are left to it."""
    sql = "SELECT id FROM shortage_case WHERE look_at <= %s ORDER BY look_at, id LIMIT %s FOR UPDATE SKIP LOCKED"
    return [row["id"] for row in await tx.all(sql, [now, limit])]


async def put_cause(tx: Tx, case_id: UUID, cause: str, evidence: str, look_at: datetime | None) -> None:
    """Keep the cause with what it was worked out from, as JSON."""
    await tx.run(
        "UPDATE shortage_case SET cause = %s, evidence = %s, look_at = %s WHERE id = %s",
        [cause, evidence, look_at, case_id],
    )


_ROW = """
    SELECT c.id, c.order_id, coalesce(o.number, o.ref) AS number, a.name AS account, a.channel, c.line_ref,
           k.code AS sku, k.title, c.sku_id, o.account_id, c.units, coalesce(s.quantity, 0) AS short, c.opened_at,
           c.closed_at, c.ended, c.cause, c.evidence, o.ship_by, o.placed_at
    FROM shortage_case c JOIN orders o ON o.seller_id = c.seller_id AND o.id = c.order_id
    JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
    JOIN sku k ON k.seller_id = c.seller_id AND k.id = c.sku_id
    LEFT JOIN shortage s ON s.seller_id = c.seller_id AND s.order_id = c.order_id AND s.line_ref = c.line_ref
        AND s.sku_id = c.sku_id AND c.closed_at IS NULL"""


async def every(
    tx: Tx, *, is_open: bool | None = None, order_id: UUID | None = None, after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:  # fmt: skip
    """Cases, newest first, keyset by (opened_at, id); `is_open`: only those that still lack units, or the others."""
    sql = f"""{_ROW} WHERE (%(open)s::boolean IS NULL OR (c.closed_at IS NULL) = %(open)s)
        AND (%(order)s::uuid IS NULL OR c.order_id = %(order)s)
        AND (%(at)s::timestamptz IS NULL OR (c.opened_at, c.id) < (%(at)s, %(id)s))
        ORDER BY c.opened_at DESC, c.id DESC LIMIT %(limit)s"""
    at, id_ = after or (None, None)
    return await tx.all(sql, {"open": is_open, "order": order_id, "at": at, "id": id_, "limit": limit})


async def one(tx: Tx, case_id: UUID) -> dict[str, Any] | None:
    """A case; None when there is none of that id."""
    return await tx.one(f"{_ROW} WHERE c.id = %s", [case_id])


async def failed(tx: Tx, slot_ids: Iterable[UUID], fault: str, code: str, at: datetime) -> None:
    """Note that a write of these slots got no answer: the first time since it last went well."""
    await tx.run(
        """INSERT INTO push_failure (seller_id, id, slot_id, quantity, fault, code, at)
           SELECT seller_id, gen_random_uuid(), id, coalesce(desired, 0), %s, %s, %s FROM stock_slot
           WHERE id = ANY(%s) AND attempts = 0""",
        [fault, code[:100], at, list(slot_ids)],
    )


async def prune_failures(tx: Tx, before: datetime) -> int:
    """Drop what was noted longer ago. Answers how many."""
    return await tx.run("DELETE FROM push_failure WHERE at < %s", [before])


# ── Evidence ────────────────────────────────────────────────────────────────────────────────────────────────


async def gathered(tx: Tx, case_id: UUID) -> dict[str, Any]:
    """What the logs tell about a case, as `hub.backoffice.oversell.Evidence` names it; LookupError for no such case."""
    case = await tx.one(_SALE, [case_id])
    if case is None:
        raise LookupError(f"there is no shortage {case_id}")
    about = {
        "sku": case["sku_id"], "order": case["order_id"], "slot": case["slot_id"], "opened": case["opened_at"],
        "sold": case["placed_at"] or case["first_seen_at"], "account": str(case["account_id"]),
    }  # fmt: skip
    taker, lowered = await tx.one(_TAKER, about), await tx.one(_LOWERED, about)
    gone = max((each for each in (taker and taker["heard_at"], lowered and lowered["at"]) if each), default=None)
    about["gone"] = gone or case["opened_at"]
    shown = await tx.one(_SHOWN, about)
    kept = await tx.one(_KEPT, about) or {}
    edited = await tx.one(_EDITED, {**about, "since": shown["shown_at"] if shown else None})
    stopped = case["held_reason"] or case["status"] if case["status"] in ("held", "paused", "preview") else None
    return {
        "sku": case["sku"], "opened_at": case["opened_at"],
        "sold": {"order": case["number"], "account": case["account"], "units": case["units"],
                 "placed_at": case["placed_at"], "heard_at": case["first_seen_at"]},
        **(shown or {}), "taker": taker, "lowered": lowered, "pushes": await tx.all(_PUSHES, about),
        "unlinked_at": kept["unlinked_at"], "edited_at": edited and edited["first_seen_at"],
        "edited_to": edited and edited["seen"], "returned_at": kept["returned_at"],
        "held": kept["held"] or stopped, "braked": bool(case["braked"] or kept["braked"]),
        "parked": case["parked_reason"] or case["parked_code"], "even": bool(case["even"]),
    }  # fmt: skip


_SALE = """
    SELECT c.sku_id, k.code AS sku, c.opened_at, c.units, c.order_id, coalesce(o.number, o.ref) AS number, o.placed_at,
           o.first_seen_at, o.account_id, a.name AS account, a.status, a.held_reason, s.id AS slot_id, s.braked,
           s.parked_code, s.parked_reason,
           s.due_at IS NULL AND s.expected = s.desired AND s.doubt_until IS NULL AS even
    FROM shortage_case c JOIN orders o ON o.seller_id = c.seller_id AND o.id = c.order_id
    JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
    JOIN sku k ON k.seller_id = c.seller_id AND k.id = c.sku_id
    LEFT JOIN order_line l ON l.seller_id = c.seller_id AND l.order_id = c.order_id AND l.ref = c.line_ref
    LEFT JOIN listing g ON g.seller_id = c.seller_id AND g.account_id = o.account_id AND g.ref = l.listing_ref
        AND g.variation_ref IS NOT DISTINCT FROM l.variation_ref
    LEFT JOIN stock_slot s ON s.seller_id = g.seller_id AND s.id = g.slot_id
    WHERE c.id = %s"""
# The order that got the last unit before this one asked for it.
_TAKER = """
    SELECT coalesce(o.number, o.ref) AS "order", a.name AS account, took.units, o.placed_at, took.at AS heard_at
    FROM (SELECT order_id, max(created_at) AS at, sum(quantity)::int AS units FROM reservation
          WHERE sku_id = %(sku)s AND order_id <> %(order)s AND created_at <= %(opened)s GROUP BY order_id
          UNION ALL
          SELECT m.order_id, min(o.first_seen_at), -sum(m.delta)::int FROM stock_movement m
          JOIN orders o ON o.seller_id = m.seller_id AND o.id = m.order_id
          WHERE m.sku_id = %(sku)s AND m.reason = 'dispatch' AND m.order_id <> %(order)s AND m.at <= %(opened)s
          GROUP BY m.order_id HAVING sum(m.delta) < 0) took
    JOIN orders o ON o.id = took.order_id JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
    ORDER BY took.at DESC, o.id DESC LIMIT 1"""
_LOWERED = """
    SELECT at, reason, -delta AS units FROM stock_movement
    WHERE sku_id = %(sku)s AND delta < 0 AND at <= %(opened)s
      AND reason IN ('count', 'adjustment', 'transfer', 'undo')
    ORDER BY at DESC, id DESC LIMIT 1"""
_SHOWN = """
    SELECT shown, shown_at FROM (
        SELECT quantity AS shown, answered_at AS shown_at FROM push_log
        WHERE slot_id = %(slot)s AND outcome = 'accepted' AND answered_at <= %(sold)s
        UNION ALL SELECT seen, last_seen_at FROM drift
        WHERE slot_id = %(slot)s AND seen IS NOT NULL AND last_seen_at <= %(sold)s
        UNION ALL SELECT seen, seen_at FROM stock_slot
        WHERE id = %(slot)s AND seen IS NOT NULL AND seen_at <= %(sold)s) told
    ORDER BY shown_at DESC LIMIT 1"""
_PUSHES = """
    SELECT sent_at, answered_at, quantity, outcome, code, NULL AS fault FROM push_log
    WHERE slot_id = %(slot)s AND sent_at >= %(gone)s
    UNION ALL SELECT at, at, quantity, 'failed', code, fault FROM push_failure
    WHERE slot_id = %(slot)s AND at >= %(gone)s
    ORDER BY sent_at LIMIT 20"""
_EDITED = """
    SELECT first_seen_at, seen FROM drift
    WHERE slot_id = %(slot)s AND class = 'external_edit' AND seen > coalesce(expected, 0)
      AND first_seen_at >= coalesce(%(since)s, first_seen_at) ORDER BY first_seen_at DESC LIMIT 1"""
# What kept the channel from being told between the unit's going and this sale's being known.
_KEPT = """
    SELECT (SELECT min(opened_at) FROM alert WHERE kind = 'line_unlinked' AND subject = %(order)s::text
              AND opened_at <= %(opened)s) AS unlinked_at,
           (SELECT params->>'detail' FROM alert WHERE kind = 'account_held' AND subject = %(account)s
              AND opened_at <= %(opened)s AND (resolved_at IS NULL OR resolved_at >= %(gone)s) LIMIT 1) AS held,
           EXISTS (SELECT FROM alert WHERE kind = 'zero_brake' AND subject = %(account)s AND opened_at <= %(opened)s
              AND (resolved_at IS NULL OR resolved_at >= %(gone)s)) AS braked,
           (SELECT max(at) FROM (
                SELECT at FROM stock_movement WHERE sku_id = %(sku)s AND reason = 'return' AND delta < 0
                  AND at BETWEEN %(gone)s AND %(opened)s
                UNION ALL SELECT at FROM order_event WHERE order_id = %(order)s AND kind = 'status'
                  AND params->>'before' = 'cancelled' AND at <= %(opened)s) undone) AS returned_at"""


# ── Ways out ────────────────────────────────────────────────────────────────────────────────────────────────


async def elsewhere(tx: Tx, sku_id: UUID, drawn: Iterable[UUID]) -> list[dict[str, Any]]:
    """Free units in own warehouses from which the order's channel does not draw."""
    return await tx.all(
        """SELECT w.name AS warehouse, l.on_hand - l.reserved AS free FROM stock_level l
           JOIN warehouse w ON w.seller_id = l.seller_id AND w.id = l.warehouse_id
           WHERE l.sku_id = %s AND w.kind = 'own' AND l.on_hand > l.reserved AND NOT w.id = ANY(%s)""",
        [sku_id, list(drawn)],
    )


async def incoming(tx: Tx, sku_id: UUID) -> list[dict[str, Any]]:
    """What purchase orders that were sent are still to bring."""
    return await tx.all(
        """SELECT coalesce(p.number, p.id::text) AS number, l.quantity - l.received_quantity AS units, p.expected_at
           FROM purchase_order_line l JOIN purchase_order p ON p.seller_id = l.seller_id AND p.id = l.purchase_order_id
           WHERE l.sku_id = %s AND p.status IN ('sent', 'partial') AND l.quantity > l.received_quantity""",
        [sku_id],
    )


async def candidates(tx: Tx, sku_id: UUID) -> list[dict[str, Any]]:
    """Open orders that hold or lack the SKU, with what cancelling them would cost."""
    return await tx.all(
        """SELECT o.id::text AS order_id, coalesce(o.number, o.ref) AS number, a.name AS account, a.channel,
                  took.units, o.status <> 'placed' AS paid, o.total_cents, o.ship_by,
                  (SELECT CASE WHEN bool_and(k.cost_cents IS NOT NULL)
                               THEN sum(k.cost_cents * l.quantity * l.multiplier)::bigint END
                   FROM order_line l LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
                   WHERE l.seller_id = o.seller_id AND l.order_id = o.id) AS goods_cents,
                  (SELECT count(*)::int FROM orders e WHERE e.seller_id = o.seller_id AND e.id <> o.id
                     AND e.buyer_document = o.buyer_document AND e.placed_at < o.placed_at
                     AND e.status <> 'cancelled') AS earlier
           FROM (SELECT order_id, sum(quantity)::int AS units FROM (
                   SELECT order_id, quantity FROM reservation WHERE sku_id = %(sku)s
                   UNION ALL SELECT order_id, quantity FROM shortage WHERE sku_id = %(sku)s) held
                 GROUP BY order_id) took
           JOIN orders o ON o.id = took.order_id AND o.status IN ('placed', 'paid')
           JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
           ORDER BY o.id LIMIT 500""",
        {"sku": sku_id},
    )

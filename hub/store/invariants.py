"""The invariants as queries: each answers the rows that break it, so an empty answer is a kept promise.

A query that names %(first)s and %(last)s looks at the rows of one piece (SCOPES): ids after the first, up to the last.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from hub.store import Tx

# Every SKU with what it is made of down to plain SKUs, and how many of each; and every line with what it takes of them.
# A line of which goods have left keeps the recipe that they left by.
_PARTS: LiteralString = """
    WITH RECURSIVE made AS (
        SELECT id AS root, id AS part, 1 AS units FROM sku
        WHERE id IN (SELECT sku_id FROM order_line WHERE order_id > %(first)s AND order_id <= %(last)s)
        UNION ALL
        SELECT m.root, k.sku_id, m.units * k.quantity FROM made m JOIN kit_component k ON k.kit_id = m.part
    ), parts AS (
        SELECT root, part, sum(units)::int AS units FROM made
        WHERE NOT EXISTS (SELECT FROM kit_component k WHERE k.kit_id = made.part) GROUP BY root, part
    ), line AS (
        SELECT l.order_id, l.ref AS line_ref, p.sku_id, p.units AS per_unit, l.quantity,
               l.cancelled_quantity, l.dispatched_quantity, o.status, o.payment
        FROM order_line l
        CROSS JOIN LATERAL (
            SELECT EXISTS (SELECT FROM order_line_part r WHERE r.seller_id = l.seller_id AND r.order_id = l.order_id
                AND r.line_ref = l.ref AND r.sold_sku_id = l.sku_id AND r.multiplier = l.multiplier
                AND l.dispatched_quantity > 0) AS kept) noted
        CROSS JOIN LATERAL (
            SELECT r.sku_id, r.units FROM order_line_part r
            WHERE noted.kept AND r.seller_id = l.seller_id AND r.order_id = l.order_id AND r.line_ref = l.ref
            UNION ALL
            SELECT parts.part, l.multiplier * parts.units FROM parts WHERE NOT noted.kept AND parts.root = l.sku_id) p
        JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
        JOIN stock_effect e ON e.seller_id = o.seller_id AND e.order_id = o.id AND e.stock_key = o.stock_key
        JOIN sku k ON k.id = p.sku_id AND k.opened_at IS NOT NULL
        WHERE coalesce(l.fulfilled_by, '') <> 'marketplace' AND o.fulfilled_by_due IS NULL
          AND l.order_id > %(first)s AND l.order_id <= %(last)s
    )
"""

# What belongs to a line is looked up line by line, along an index: the ranges' ends are not known when a statement is
# planned, and a group over a range may be made anew for each line of it.
CHECKS: dict[str, LiteralString] = {
    "I1 on_hand is the sum of its movements": """
        SELECT l.sku_id, l.warehouse_id, l.on_hand, coalesce(sum(m.delta), 0)::int AS moved FROM stock_level l
        LEFT JOIN stock_movement m ON m.seller_id = l.seller_id AND m.sku_id = l.sku_id
            AND m.warehouse_id = l.warehouse_id
        WHERE l.sku_id > %(first)s AND l.sku_id <= %(last)s
        GROUP BY l.seller_id, l.sku_id, l.warehouse_id HAVING l.on_hand <> coalesce(sum(m.delta), 0)""",
    "I2 reserved is the sum of open reservations": """
        SELECT l.sku_id, l.warehouse_id, l.reserved, coalesce(sum(r.quantity), 0)::int AS held FROM stock_level l
        LEFT JOIN reservation r ON r.seller_id = l.seller_id AND r.sku_id = l.sku_id
            AND r.warehouse_id = l.warehouse_id
        WHERE l.sku_id > %(first)s AND l.sku_id <= %(last)s
        GROUP BY l.seller_id, l.sku_id, l.warehouse_id HAVING l.reserved <> coalesce(sum(r.quantity), 0)""",
    "I3 at rest every slot shows the computed number": """
        SELECT s.id, a.name AS account, s.ref, s.desired, s.expected, s.pushed, s.due_at FROM stock_slot s
        JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
        WHERE a.status = 'live' AND s.desired IS NOT NULL AND s.expected IS DISTINCT FROM s.desired
          AND s.parked_code IS NULL AND NOT s.braked AND NOT s.withheld AND s.seen_at IS NOT NULL
          AND s.managed_by = 'seller' AND s.status <> 'closed' AND s.approved_at IS NOT NULL
          AND s.id > %(first)s AND s.id <= %(last)s""",
    "I4 one stock effect per origin": """
        SELECT r.order_id, o.stock_key FROM reservation r
        JOIN orders o ON o.seller_id = r.seller_id AND o.id = r.order_id
        LEFT JOIN stock_effect e ON e.seller_id = o.seller_id AND e.stock_key = o.stock_key
        WHERE e.order_id IS DISTINCT FROM o.id AND r.order_id > %(first)s AND r.order_id <= %(last)s""",
    "I5 movements sum to what each line dispatched": _PARTS
    + """
        SELECT line.order_id, line.line_ref, line.sku_id, line.dispatched_quantity * line.per_unit AS dispatched,
               coalesce(-m.moved, 0) + coalesce(b.dispatched, 0) AS moved
        FROM line
        LEFT JOIN LATERAL (SELECT sum(m.delta)::int AS moved FROM stock_movement m
                           WHERE m.order_id = line.order_id AND m.line_ref = line.line_ref AND m.sku_id = line.sku_id
                             AND m.reason = 'dispatch') m ON true
        LEFT JOIN stock_base b ON b.order_id = line.order_id AND b.line_ref = line.line_ref AND b.sku_id = line.sku_id
        WHERE line.dispatched_quantity * line.per_unit <> coalesce(-m.moved, 0) + coalesce(b.dispatched, 0)""",
    "I5 movements sum to what each line got back": _PARTS
    + """
        , fitting AS (
            SELECT line.*, least(coalesce(k.damaged, 0), line.dispatched_quantity) AS damaged,
                   least(coalesce(k.sellable, 0), greatest(0, line.dispatched_quantity - coalesce(k.damaged, 0)
                       - coalesce(k.lost, 0))) AS sellable
            FROM line CROSS JOIN LATERAL (
                SELECT (sum(quantity) FILTER (WHERE disposition = 'damaged'))::int AS damaged,
                       (sum(quantity) FILTER (WHERE disposition = 'lost'))::int AS lost,
                       (sum(quantity) FILTER (WHERE disposition = 'sellable'))::int AS sellable
                FROM (
                    SELECT x.disposition, x.quantity FROM orders o
                    CROSS JOIN LATERAL jsonb_array_elements(o.told->'returns') AS r(back)
                    CROSS JOIN LATERAL jsonb_to_recordset(r.back->'lines')
                        AS x(line_ref text, disposition text, quantity integer)
                    WHERE o.id = line.order_id AND x.line_ref = line.line_ref AND NOT EXISTS (
                        SELECT FROM return_receipt p WHERE p.order_id = o.id AND p.return_ref = r.back->>'ref'
                          AND p.line_ref = x.line_ref)
                    UNION ALL
                    SELECT p.disposition, p.quantity FROM return_receipt p
                    WHERE p.order_id = line.order_id AND p.line_ref = line.line_ref) every) k
        )
        SELECT f.order_id, f.line_ref, f.sku_id, f.damaged * f.per_unit AS damaged, f.sellable * f.per_unit AS sellable,
               coalesce(m.moved, 0) AS moved, coalesce(b.returned, 0) AS before_opening
        FROM fitting f
        LEFT JOIN LATERAL (SELECT sum(m.delta)::int AS moved FROM stock_movement m
                           WHERE m.order_id = f.order_id AND m.line_ref = f.line_ref AND m.sku_id = f.sku_id
                             AND m.reason = 'return') m ON true
        LEFT JOIN stock_base b ON b.order_id = f.order_id AND b.line_ref = f.line_ref AND b.sku_id = f.sku_id
        WHERE coalesce(m.moved, 0) <> f.damaged * f.per_unit
            + greatest(0, f.sellable * f.per_unit - coalesce(b.returned, 0))""",
    "I5 what a paid order is owed is held or named short": _PARTS
    + """
        SELECT line.order_id, line.line_ref, line.sku_id, coalesce(r.held, 0) + coalesce(s.quantity, 0) AS held,
               greatest(0, line.quantity - line.cancelled_quantity - line.dispatched_quantity) * line.per_unit AS owed,
               line.status
        FROM line
        LEFT JOIN LATERAL (SELECT sum(r.quantity)::int AS held FROM reservation r
                           WHERE r.order_id = line.order_id AND r.line_ref = line.line_ref
                             AND r.sku_id = line.sku_id) r ON true
        LEFT JOIN shortage s ON s.order_id = line.order_id AND s.line_ref = line.line_ref AND s.sku_id = line.sku_id
        WHERE (line.status = 'paid' AND line.payment IN ('paid', 'partially_refunded')
               AND coalesce(r.held, 0) + coalesce(s.quantity, 0)
                   <> greatest(0, line.quantity - line.cancelled_quantity - line.dispatched_quantity) * line.per_unit)
           OR (line.status IN ('cancelled', 'delivered') AND coalesce(r.held, 0) + coalesce(s.quantity, 0) <> 0)""",
    "I7 status steps back only as listed": """
        SELECT order_id, params->>'before' AS before, params->>'after' AS after FROM order_event
        WHERE kind = 'status' AND order_id > %(first)s AND order_id <= %(last)s
          AND (params->>'before', params->>'after') NOT IN (
            ('placed', 'paid'), ('placed', 'dispatched'), ('placed', 'delivered'), ('placed', 'cancelled'),
            ('paid', 'dispatched'), ('paid', 'delivered'), ('paid', 'cancelled'), ('paid', 'placed'),
            ('dispatched', 'delivered'), ('cancelled', 'placed'), ('cancelled', 'paid'), ('cancelled', 'dispatched'),
            ('cancelled', 'delivered'))""",
    "I8 unfinished work has a next attempt or a shown reason": """
        SELECT 'slot' AS what, s.id::text FROM stock_slot s
        JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
        WHERE a.status = 'live' AND s.desired IS NOT NULL AND s.expected IS DISTINCT FROM s.desired AND s.due_at IS NULL
          AND s.adopt_since IS NULL
          AND s.parked_code IS NULL AND NOT s.braked AND NOT s.withheld AND s.seen_at IS NOT NULL
          AND s.managed_by = 'seller' AND s.status <> 'closed' AND s.approved_at IS NOT NULL
          AND s.id > %(first)s AND s.id <= %(last)s""",
    "I8 every parcel under way is asked about again": """
        SELECT 'parcel' AS what, h.id::text FROM shipment h
        WHERE h.id > %(first)s AND h.id <= %(last)s
          AND h.carrier_account_id IS NOT NULL AND h.track_due_at IS NULL AND h.lease_token IS NULL
          AND h.track_error IS NULL
          AND NOT coalesce(h.status, '') = ANY('{delivered,returned,lost,cancelled}')""",
    "I10 what leaves for another warehouse arrives, is under way or is named lost": """
        SELECT t.id, l.sku_id, l.sent, l.received, l.lost, l.returned,
               coalesce(m.under_way, 0) AS under_way, coalesce(m.gone, 0) AS gone
        FROM transfer t JOIN transfer_line l ON l.seller_id = t.seller_id AND l.transfer_id = t.id
        LEFT JOIN LATERAL (
            SELECT (sum(m.delta) FILTER (WHERE m.warehouse_id = t.transit_id))::int AS under_way,
                   sum(m.delta)::int AS gone
            FROM stock_movement m WHERE m.seller_id = t.seller_id AND m.sku_id = l.sku_id AND m.reason = 'transfer'
              AND m.line_ref = t.id::text) m ON true
        WHERE coalesce(m.under_way, 0) <> l.sent - l.received - l.lost - l.returned OR coalesce(m.gone, 0) <> -l.lost
           OR (t.status IN ('received', 'cancelled') AND l.sent <> l.received + l.lost + l.returned)""",
    "I11 no unit is promised from a warehouse that sales do not leave from": """
        SELECT r.order_id, r.sku_id, w.code, w.kind FROM reservation r
        JOIN warehouse w ON w.seller_id = r.seller_id AND w.id = r.warehouse_id
        WHERE (w.kind NOT IN ('own', 'transit') OR w.closed_at IS NOT NULL)
          AND r.order_id > %(first)s AND r.order_id <= %(last)s""",
    "I9 no unit is promised twice": """
        SELECT sku_id, warehouse_id, on_hand, reserved FROM stock_level WHERE reserved > greatest(on_hand, 0)
          AND sku_id > %(first)s AND sku_id <= %(last)s""",
}
# What each check is cut along, by the beginning of its name; one that is not named is asked in one piece.
SCOPES: dict[str, str] = {
    "I1 ": "sku", "I2 ": "sku", "I9 ": "sku", "I3 ": "slot", "I8 unfinished": "slot", "I8 every parcel": "parcel",
    "I4 ": "order", "I5 ": "order", "I7 ": "order", "I11 ": "order",
}  # fmt: skip
_ENDS: dict[str, LiteralString] = {
    "sku": "SELECT id FROM sku WHERE id > %s ORDER BY id LIMIT 1 OFFSET %s",
    "slot": "SELECT id FROM stock_slot WHERE id > %s ORDER BY id LIMIT 1 OFFSET %s",
    "order": "SELECT id FROM orders WHERE id > %s ORDER BY id LIMIT 1 OFFSET %s",
    "parcel": "SELECT id FROM shipment WHERE id > %s ORDER BY id LIMIT 1 OFFSET %s",
}
FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)
ROWS_SHOWN = 20

# I6 (no notice acknowledged and then unaccounted for): rows that are due and have been passed over. A held or paused
# account keeps its rows, and says why.
PASSED_OVER: LiteralString = """
    SELECT i.id, i.topic, i.ref, i.due_at FROM inbox i
    JOIN account a ON a.seller_id = i.seller_id AND a.id = i.account_id AND a.status IN ('preview', 'live')
    WHERE i.state = 'due' AND i.due_at < now() - %s * interval '1 second'
      AND (i.lease_until IS NULL OR i.lease_until < now())"""


NOT_PASSED_OVER = "I6 no notice is acknowledged and then passed over"


def scope_of(name: str) -> str | None:
    """What a check is cut along."""
    return next((scope for start, scope in SCOPES.items() if name.startswith(start)), None)


async def broken(tx: Tx, *, at_rest: bool, passed_over: float = 120.0) -> dict[str, list[dict[str, Any]]]:
    """Broken invariants with up to ROWS_SHOWN offending rows each, all in one piece. I3 is only asked at rest."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, sql in CHECKS.items():
        if name.startswith("I3") and not at_rest:
            continue
        if rows := await tx.all(sql, {"first": FIRST, "last": LAST}):
            found[name] = rows[:ROWS_SHOWN]
    if rows := await tx.all(PASSED_OVER, [0 if at_rest else passed_over]):
        found[NOT_PASSED_OVER] = rows[:ROWS_SHOWN]
    return found


@dataclass(frozen=True, slots=True)
class Piece:
    """One look of a check at one range of rows: those that break it; `late`: it took too long and was given up."""

    name: str
    rows: list[dict[str, Any]]
    late: bool = False


async def pieces(
    begin: Callable[[], AbstractAsyncContextManager[Tx]], *, size: int, seconds: float, passed_over: float = 120.0
) -> AsyncIterator[Piece]:
    """Every check that holds at any time, cut into ranges of `size` rows, each in a transaction of its own.

    None runs for longer than `seconds`: a seller with many rows holds neither a connection nor a snapshot for long.
    """
    asked: list[tuple[str, LiteralString]] = [(name, sql) for name, sql in CHECKS.items() if not name.startswith("I3")]
    for scope in dict.fromkeys(scope_of(name) for name, _sql in asked):
        checks = [(name, sql) for name, sql in asked if scope_of(name) == scope]
        first: UUID | None = FIRST
        while first is not None:
            last = await _end(begin, scope, first, size)
            for name, sql in checks:
                yield await _piece(begin, name, sql, {"first": first, "last": last or LAST}, seconds)
            first = last
    yield await _piece(begin, NOT_PASSED_OVER, PASSED_OVER, [passed_over], seconds)


async def _end(
    begin: Callable[[], AbstractAsyncContextManager[Tx]], scope: str | None, first: UUID, size: int
) -> UUID | None:
    """The last id of a range that begins after `first`; None where it is the last range."""
    if scope is None:
        return None
    async with begin() as tx:
        found: UUID | None = await tx.value(_ENDS[scope], [first, size - 1])
    return found


async def _piece(
    begin: Callable[[], AbstractAsyncContextManager[Tx]], name: str, sql: LiteralString, params: Any, seconds: float
) -> Piece:
    try:
        async with begin() as tx:
            await tx.run("SELECT set_config('statement_timeout', %s, true)", [str(int(seconds * 1000))])
            return Piece(name, (await tx.all(sql, params))[:ROWS_SHOWN])
    except psycopg.errors.QueryCanceled:
        return Piece(name, [], late=True)


# ── results ─────────────────────────────────────────────────────────────────────────────────────────────────


async def keep(tx: Tx, told: Any) -> None:
    """Keep the result of one whole check."""
    await tx.run(
        """INSERT INTO invariant_check (seller_id, id, broken, broken_count, seconds, pieces, late)
           VALUES (%(seller)s, %(id)s, %(broken)s, %(count)s, %(seconds)s, %(pieces)s, %(late)s)""",
        {"seller": tx.seller, **told},
    )


async def last(tx: Tx) -> dict[str, Any] | None:
    """The last check: at, broken [{name, rows}], seconds, pieces, late [names]."""
    return await tx.one("SELECT at, broken, seconds, pieces, late FROM invariant_check ORDER BY at DESC LIMIT 1")


async def last_bad(tx: Tx) -> dict[str, Any] | None:
    """The last check that found something broken."""
    return await tx.one("SELECT at, broken FROM invariant_check WHERE broken_count > 0 ORDER BY at DESC LIMIT 1")


async def since(tx: Tx, name: str) -> datetime | None:
    """When a check that is broken now was first seen broken, without having been whole in between."""
    found: datetime | None = await tx.value(
        """SELECT min(at) FROM invariant_check WHERE broken @> %(it)s::jsonb AND at > coalesce(
               (SELECT max(at) FROM invariant_check WHERE NOT broken @> %(it)s::jsonb AND NOT %(name)s = ANY(late)),
               '-infinity')""",
        {"it": json.dumps([{"name": name}]), "name": name},
    )
    return found


async def prune(tx: Tx, days: int) -> int:
    """Forget results older than that."""
    return await tx.run("DELETE FROM invariant_check WHERE at < now() - %s * interval '1 day'", [days])

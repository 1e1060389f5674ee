"""How each flow of each account goes: what is due and since when, what comes next, what worked last, what failed.

Every look is bounded: a queue is counted up to MOST, and the last success and failure are looked for among the newest
rows only (an account that did nothing lately is not among them, and shows none).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx, inbox

MOST = 10_000  # counted no further
AMONG, RETRIED = 5_000, 200  # newest rows that are looked through

_QUEUES: LiteralString = """
    SELECT a.id AS account_id, q.flow, q.due, q.oldest, q.next_at, q.error
    FROM account a CROSS JOIN LATERAL (
        SELECT 'ingest' AS flow,
            (SELECT count(*)::int FROM (SELECT FROM inbox i WHERE i.seller_id = a.seller_id AND i.account_id = a.id
                AND i.state = 'due' AND i.due_at <= %(now)s LIMIT %(most)s) x) AS due,
            (SELECT min(i.due_at) FROM inbox i WHERE i.seller_id = a.seller_id AND i.account_id = a.id
                AND i.state = 'due' AND i.due_at <= %(now)s) AS oldest,
            (SELECT min(i.due_at) FROM inbox i WHERE i.seller_id = a.seller_id AND i.account_id = a.id
                AND i.state = 'due' AND i.due_at > %(now)s) AS next_at,
            (SELECT error FROM (SELECT i.error FROM inbox i WHERE i.seller_id = a.seller_id AND i.account_id = a.id
                AND i.state = 'due' ORDER BY i.due_at DESC, i.seq DESC LIMIT %(retried)s) x
             WHERE error IS NOT NULL AND NOT error = ANY(%(waits)s) LIMIT 1) AS error
        UNION ALL
        SELECT 'stock',
            (SELECT count(*)::int FROM (SELECT FROM stock_slot s WHERE s.seller_id = a.seller_id
                AND s.account_id = a.id AND s.due_at <= %(now)s AND s.approved_at IS NOT NULL AND NOT s.withheld
                LIMIT %(most)s) x),
            (SELECT min(s.due_at) FROM stock_slot s WHERE s.seller_id = a.seller_id AND s.account_id = a.id
                AND s.due_at <= %(now)s AND s.approved_at IS NOT NULL AND NOT s.withheld),
            (SELECT min(s.due_at) FROM stock_slot s WHERE s.seller_id = a.seller_id AND s.account_id = a.id
                AND s.due_at > %(now)s AND s.approved_at IS NOT NULL),
            NULL
        UNION ALL
        SELECT 'shipments',
            (SELECT count(*)::int FROM (SELECT FROM shipment h WHERE h.seller_id = a.seller_id AND h.account_id = a.id
                AND h.news_due_at <= %(now)s LIMIT %(most)s) x),
            (SELECT min(h.news_due_at) FROM shipment h WHERE h.seller_id = a.seller_id AND h.account_id = a.id
                AND h.news_due_at <= %(now)s),
            (SELECT min(h.news_due_at) FROM shipment h WHERE h.seller_id = a.seller_id AND h.account_id = a.id
                AND h.news_due_at > %(now)s),
            (SELECT error FROM (SELECT h.news_error AS error FROM shipment h WHERE h.seller_id = a.seller_id
                AND h.account_id = a.id AND h.news_due_at IS NOT NULL ORDER BY h.news_due_at DESC LIMIT %(retried)s) x
             WHERE error IS NOT NULL LIMIT 1)
        UNION ALL
        SELECT 'tracking',
            (SELECT count(*)::int FROM (SELECT FROM shipment h WHERE h.seller_id = a.seller_id
                AND h.carrier_account_id = a.id AND h.track_due_at <= %(now)s LIMIT %(most)s) x),
            (SELECT min(h.track_due_at) FROM shipment h WHERE h.seller_id = a.seller_id
                AND h.carrier_account_id = a.id AND h.track_due_at <= %(now)s),
            (SELECT min(h.track_due_at) FROM shipment h WHERE h.seller_id = a.seller_id
                AND h.carrier_account_id = a.id AND h.track_due_at > %(now)s),
            (SELECT error FROM (SELECT CASE WHEN h.track_attempts > 0 THEN h.track_error END AS error FROM shipment h
                WHERE h.seller_id = a.seller_id AND h.carrier_account_id = a.id AND h.track_due_at IS NOT NULL
                ORDER BY h.track_due_at DESC LIMIT %(retried)s) x WHERE error IS NOT NULL LIMIT 1)
    ) q WHERE a.status <> 'closed'"""

_SUCCEEDED: LiteralString = """
    SELECT account_id, 'ingest' AS flow, max(at) AS at FROM (
        SELECT account_id, done_at AS at FROM inbox WHERE state IN ('done', 'kept')
        ORDER BY done_at DESC LIMIT %(among)s) x GROUP BY 1
    UNION ALL
    SELECT account_id, 'stock', max(at) FROM (
        SELECT account_id, answered_at AS at, outcome FROM push_log ORDER BY answered_at DESC LIMIT %(among)s) x
    WHERE outcome IN ('accepted', 'pending') GROUP BY 1
    UNION ALL
    SELECT h.account_id, 'shipments', max(x.told_at) FROM (
        SELECT seller_id, shipment_id, told_at FROM news_log ORDER BY told_at DESC LIMIT %(retried)s) x
    JOIN shipment h ON h.seller_id = x.seller_id AND h.id = x.shipment_id GROUP BY 1
    UNION ALL
    SELECT a.id, 'tracking', (SELECT max(x.last_event_at) FROM (
        SELECT h.last_event_at FROM shipment h WHERE h.seller_id = a.seller_id AND h.carrier_account_id = a.id
            AND h.track_due_at IS NOT NULL ORDER BY h.track_due_at DESC LIMIT %(retried)s) x)
    FROM account a WHERE a.status <> 'closed'"""

_REFUSED: LiteralString = """
    SELECT DISTINCT ON (account_id) account_id, answered_at AS at, code, message FROM (
        SELECT account_id, answered_at, outcome, code, message FROM push_log
        ORDER BY answered_at DESC LIMIT %(among)s) x
    WHERE outcome = 'fault' ORDER BY account_id, answered_at DESC"""


async def queues(tx: Tx, now: datetime) -> dict[tuple[UUID, str], dict[str, Any]]:
    """By (account, flow) of ingest, stock, shipments and tracking: due, oldest, next_at, error, last_at, error_at."""
    params = {"now": now, "most": MOST + 1, "among": AMONG, "retried": RETRIED, "waits": list(inbox.WAITS)}
    told = {
        (row["account_id"], row["flow"]): {**row, "last_at": None, "error_at": None}
        for row in await tx.all(_QUEUES, params)
    }
    for row in await tx.all(_SUCCEEDED, params):
        if known := told.get((row["account_id"], row["flow"])):
            known["last_at"] = row["at"]
    for row in await tx.all(_REFUSED, params):
        known = told.get((row["account_id"], "stock"))
        if known and (known["last_at"] is None or row["at"] > known["last_at"]):
            known |= {"error": f"{row['code'] or ''}: {row['message'] or ''}", "error_at": row["at"]}
    return told


async def tasks(tx: Tx) -> dict[UUID, list[Mapping[str, Any]]]:
    """Recurring work by account: kind, due_at, attempts, error, succeeded_at, under_way."""
    rows = await tx.all(
        "SELECT account_id, kind, due_at, attempts, error, succeeded_at, cursor IS NOT NULL AS under_way, "
        "lease_until > now() AS is_running FROM task"
    )
    found: dict[UUID, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["account_id"], []).append(row)
    return found

"""Today in numbers for the front page: sales by the hour, what ran out, how long writes took; a day at most."""

from datetime import datetime
from typing import Any

from hub.store import Tx


async def sales(tx: Tx, since: datetime, until: datetime, zone: str) -> list[dict[str, Any]]:
    """Orders placed and their money by hour of the day, hours without any left out: (hour, orders, cents)."""
    return await tx.all(
        """SELECT extract(hour FROM placed_at AT TIME ZONE %(zone)s)::int AS hour, count(*)::int AS orders,
                  coalesce(sum(total_cents) FILTER (WHERE currency = 'BRL'), 0)::bigint AS cents
           FROM orders WHERE placed_at >= %(since)s AND placed_at < %(until)s AND status <> 'cancelled'
           GROUP BY 1 ORDER BY 1""",
        {"since": since, "until": until, "zone": zone},
    )


async def ran_out(tx: Tx, since: datetime, limit: int) -> tuple[int, list[dict[str, Any]]]:
    """SKUs that a channel was told are gone: how many, and the latest ones (code, title, at, accounts, back)."""
    count: int = await tx.value(
        "SELECT count(DISTINCT sku_id) FROM push_log WHERE answered_at >= %s AND quantity = 0 AND previous > 0 "
        "AND outcome = 'accepted'",
        [since],
    )
    rows = await tx.all(
        """SELECT k.code, coalesce(nullif(k.title, ''), l.title) AS title, p.at, p.accounts,
                  EXISTS (SELECT FROM stock_slot s WHERE s.seller_id = k.seller_id AND s.sku_id = k.id
                          AND s.desired > 0) AS back
           FROM (SELECT sku_id, max(answered_at) AS at, count(DISTINCT account_id)::int AS accounts FROM push_log
                 WHERE answered_at >= %s AND quantity = 0 AND previous > 0 AND outcome = 'accepted'
                   AND sku_id IS NOT NULL
                 GROUP BY sku_id ORDER BY at DESC LIMIT %s) p
           JOIN sku k ON k.id = p.sku_id
           LEFT JOIN LATERAL (SELECT title FROM listing l WHERE l.seller_id = k.seller_id AND l.sku_id = k.id LIMIT 1) l
               ON true
           ORDER BY p.at DESC""",
        [since, limit],
    )
    return count, rows


async def lag(tx: Tx, since: datetime, minutes: int) -> list[dict[str, Any]]:
    """Milliseconds from a change to its channel's answer, by spans of so many minutes: (at, p50, p99, pushes)."""
    return await tx.all(
        """SELECT to_timestamp(floor(extract(epoch FROM answered_at) / %(span)s) * %(span)s) AS at,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::float AS p50,
             percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::float AS p99, count(*)::int AS pushes
           FROM (SELECT answered_at, extract(epoch FROM answered_at - dirty_at) * 1000 AS ms FROM push_log
                 WHERE answered_at >= %(since)s AND outcome = 'accepted' AND dirty_at IS NOT NULL) told
           GROUP BY 1 ORDER BY 1""",
        {"since": since, "span": minutes * 60},
    )

"""Figures of the whole installation, counted across sellers with the dispatch role: no name of any of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.store import Tx, due


async def proofs(tx: Tx) -> list[dict[str, Any]]:
    """Every seller's last invariant check, the longest ago first: (seller_id, at, broken_count), null for none."""
    return await tx.all(
        """SELECT s.seller_id, c.at, c.broken_count FROM seller s
           LEFT JOIN LATERAL (SELECT at, broken_count FROM invariant_check WHERE seller_id = s.seller_id
               ORDER BY at DESC LIMIT 1) c ON true
           ORDER BY c.at NULLS FIRST"""
    )


async def lanes(tx: Tx, now: datetime) -> list[dict[str, Any]]:
    """Due work that nobody holds: (lane, count, oldest)."""
    return [{"lane": lane, **await due.depth(tx, lane, now)} for lane in due.LANES]


async def drifts(tx: Tx) -> list[dict[str, Any]]:
    """Open differences: (class, state, count)."""
    return await tx.all(
        "SELECT class, state, count(*)::int AS count FROM drift WHERE closed_at IS NULL GROUP BY class, state"
    )


async def pushes(tx: Tx, since: datetime, until: datetime, bounds: Sequence[float]) -> list[dict[str, Any]]:
    """Stock writes answered after `since`, up to `until`: (outcome, bucket, count, seconds).

    `bucket` is how many of the bounds (seconds from the change to the answer) it lies at or above; null where no
    change is known.
    """
    return await tx.all(
        """SELECT outcome, width_bucket(took, %(bounds)s::float8[]) AS bucket, count(*)::int AS count,
                  coalesce(sum(took), 0)::float8 AS seconds
           FROM (SELECT outcome, greatest(0, extract(epoch FROM answered_at - dirty_at))::float8 AS took
                 FROM push_log WHERE answered_at > %(since)s AND answered_at <= %(until)s) p
           GROUP BY outcome, bucket""",
        {"since": since, "until": until, "bounds": list(bounds)},
    )

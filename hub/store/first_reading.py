"""How far the first, read-only reading of an account has come, and what hangs on an account that is disconnected."""

from typing import Any
from uuid import UUID

from hub.store import Tx

MOST = 10_000  # rows are counted up to here: more is "more than"


async def progress(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Listings, those linked, and orders, each counted up to MOST + 1; whether each reading came to its end."""
    row = await tx.one(
        """SELECT l.listings, l.linked,
             (SELECT count(*) FROM (SELECT FROM orders WHERE account_id = %(account)s LIMIT %(most)s) o) AS orders,
             EXISTS (SELECT FROM task WHERE account_id = %(account)s AND kind = 'listings'
                     AND succeeded_at IS NOT NULL) AS listings_read,
             EXISTS (SELECT FROM task WHERE account_id = %(account)s AND kind = 'poll'
                     AND succeeded_at IS NOT NULL) AS orders_read
           FROM (SELECT count(*) AS listings, count(sku_id) AS linked FROM (SELECT sku_id FROM listing
                 WHERE account_id = %(account)s AND gone_at IS NULL LIMIT %(most)s) t) l""",
        {"account": account_id, "most": MOST + 1},
    )
    return dict(row or {})


async def signature(tx: Tx) -> tuple[object, ...]:
    """What moves while accounts are read for the first time: each with how far that is; empty where none is."""
    rows = await tx.all(
        """SELECT a.id, a.status, t.read, l.listings, l.linked,
             (SELECT count(*) FROM (SELECT FROM orders WHERE account_id = a.id LIMIT %(most)s) o) AS orders
           FROM account a
           JOIN LATERAL (SELECT count(*) AS tasks, count(succeeded_at) AS read FROM task
                         WHERE account_id = a.id AND kind IN ('poll', 'listings')) t ON t.read < t.tasks
           CROSS JOIN LATERAL (SELECT count(*) AS listings, count(sku_id) AS linked FROM (SELECT sku_id FROM listing
                         WHERE account_id = a.id AND gone_at IS NULL LIMIT %(most)s) t) l
           WHERE a.status IN ('preview', 'live') ORDER BY a.id""",
        {"most": MOST + 1},
    )
    return tuple(tuple(row.values()) for row in rows)


async def hanging(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Open orders that hold units, those units, and listings that are written: what a disconnection touches."""
    row = await tx.one(
        """SELECT count(DISTINCT r.order_id) AS orders, coalesce(sum(r.quantity), 0)::int AS units,
             (SELECT count(*) FROM stock_slot s WHERE s.account_id = %(account)s AND s.approved_at IS NOT NULL
                AND s.status <> 'closed') AS written
           FROM reservation r JOIN orders o ON o.seller_id = r.seller_id AND o.id = r.order_id
           WHERE o.account_id = %(account)s""",
        {"account": account_id},
    )
    return dict(row or {})

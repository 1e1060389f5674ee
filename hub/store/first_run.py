"""What tells how far a seller's first run is; each count stops early, and is asked only until the run is put away."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from hub.first_run import MOST, Facts
from hub.store import Tx

_KEPT: LiteralString = "a.status <> 'closed' AND NOT a.channel = ANY(%(carriers)s)"
_SELLS: LiteralString = f"{_KEPT} AND a.external_id IS NOT NULL"


async def is_put_away(tx: Tx) -> bool:
    """Whether the seller put the steps away."""
    found: bool = await tx.value("SELECT EXISTS (SELECT FROM first_run WHERE seller_id = %s)", [tx.seller])
    return found


async def put_away(tx: Tx, user_id: UUID | None, now: datetime) -> None:
    """Show the steps no more; `user_id` None: they came to their end."""
    await tx.run(
        "INSERT INTO first_run (seller_id, put_away_at, put_away_by) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [tx.seller, now, user_id],
    )


async def bring_back(tx: Tx) -> None:
    """Show them again."""
    await tx.run("DELETE FROM first_run WHERE seller_id = %s", [tx.seller])


async def facts(tx: Tx, carriers: Sequence[str]) -> Facts:
    """Everything that the steps are told by. `carriers`: channels that sell nothing."""
    row = await tx.one(
        f"""SELECT
              (SELECT count(*)::int FROM account a WHERE {_SELLS}) AS channels,
              (SELECT a.id FROM account a WHERE {_SELLS} ORDER BY a.status <> 'preview', a.id LIMIT 1) AS channel,
              (SELECT a.id FROM account a WHERE {_KEPT} AND a.external_id IS NULL ORDER BY a.id DESC LIMIT 1)
                  AS unanswered,
              EXISTS (SELECT FROM account a JOIN task t ON t.seller_id = a.seller_id AND t.account_id = a.id
                  WHERE {_SELLS} AND t.kind IN ('poll', 'listings') AND t.succeeded_at IS NULL) AS reading,
              l.listings, l.linked, k.skus, k.opened,
              (SELECT count(*)::int FROM account a WHERE {_SELLS} AND a.approved_at IS NOT NULL
                  AND a.status <> 'preview') AS approved,
              o.id AS order_id, coalesce(o.number, o.ref) AS order_number, o.first_seen_at AS order_at,
              (SELECT count(*)::int FROM account a WHERE a.status <> 'closed' AND a.channel = ANY(%(carriers)s))
                  AS carriers,
              (SELECT count(*)::int FROM membership WHERE seller_id = %(seller)s) AS people,
              EXISTS (SELECT FROM first_run WHERE seller_id = %(seller)s) AS put_away,
              (SELECT n.account_id FROM (SELECT o.account_id, coalesce(o.ship_by, o.placed_at, o.first_seen_at) AS due
                  FROM orders o WHERE o.status = 'paid' AND o.ship_by IS NULL ORDER BY due, o.id LIMIT 50) n
                  JOIN account a ON a.id = n.account_id WHERE {_SELLS} AND a.settings->'handling_days' IS NULL
                  ORDER BY n.due LIMIT 1) AS untimed
            FROM (SELECT count(*)::int AS listings, count(sku_id)::int AS linked FROM (
                    SELECT sku_id FROM listing WHERE gone_at IS NULL AND managed_by = 'seller' AND status <> 'closed'
                    LIMIT %(most)s) counted) l
            CROSS JOIN (SELECT count(*)::int AS skus, count(opened_at)::int AS opened FROM (
                    SELECT opened_at FROM sku k WHERE NOT EXISTS (SELECT FROM kit_component c
                        WHERE c.seller_id = k.seller_id AND c.kit_id = k.id) LIMIT %(most)s) counted) k
            LEFT JOIN LATERAL (SELECT id, number, ref, first_seen_at FROM orders ORDER BY id LIMIT 1) o ON true""",
        {"carriers": list(carriers), "seller": tx.seller, "most": MOST + 1},
    )
    if row is None:
        raise LookupError(f"there is no seller {tx.seller}")
    return Facts(**row)


async def signature(tx: Tx) -> tuple[object, ...] | None:
    """What moves when a step is made; None where the steps are put away."""
    if await is_put_away(tx):
        return None
    row = await tx.one(
        """SELECT (SELECT string_agg(concat(a.id, a.status, a.external_id), ',' ORDER BY a.id) FROM account a)
             AS accounts,
             (SELECT count(*) FROM task WHERE kind IN ('poll', 'listings') AND succeeded_at IS NULL) AS unread,
             (SELECT count(*) * 100000 + count(sku_id) FROM (SELECT sku_id FROM listing LIMIT %(most)s) l) AS linked,
             (SELECT count(opened_at) FROM (SELECT opened_at FROM sku LIMIT %(most)s) k) AS opened,
             EXISTS (SELECT FROM orders) AS sold""",
        {"most": MOST + 1},
    )
    return tuple((row or {}).values())

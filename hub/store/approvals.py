"""What an account's approval would do to each slot, and which slots a person approved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.approval import Change, Kind, Scope
from hub.store import Tx

# `shows` is what the channel shows by our reckoning: last read, less what it sold since.
_SHOWS: LiteralString = "coalesce(s.expected, s.seen)"
_CHANGE: LiteralString = f"""CASE
    WHEN s.managed_by = 'marketplace' THEN 'marketplace'
    WHEN s.sku_id IS NULL THEN 'unlinked'
    WHEN s.desired IS NULL THEN 'unopened'
    WHEN s.desired = {_SHOWS} THEN 'same'
    WHEN s.desired = 0 THEN 'zero'
    WHEN s.desired < {_SHOWS} THEN 'less'
    ELSE 'more' END"""
_ITS: LiteralString = "s.account_id = %(account)s AND s.status <> 'closed'"
RANK = [change.value for change in Change]
_RANKED: LiteralString = f"""
    SELECT told.*, array_position(%(rank)s::text[], change) AS rank FROM (
        SELECT s.seller_id, s.id, s.account_id, s.listing_ref AS ref, s.variation_ref, s.sku_id, s.multiplier,
               {_SHOWS} AS shows, s.desired, s.status, s.managed_by, s.approved_at, {_CHANGE} AS change
        FROM stock_slot s WHERE {_ITS}) told"""
_SHARED: LiteralString = """(SELECT count(*) FROM listing l WHERE l.seller_id = s.seller_id AND l.slot_id = s.id
            AND l.gone_at IS NULL) > 1"""
_OF_CHANGE: dict[str | None, LiteralString] = {
    None: "true",
    "duplicate": f"""(
        EXISTS (SELECT FROM stock_slot t WHERE t.seller_id = s.seller_id AND t.account_id = s.account_id
                AND t.sku_id = s.sku_id AND t.id <> s.id AND t.status <> 'closed')
        OR {_SHARED})""",
}


async def counts(tx: Tx, account_id: UUID) -> dict[str, int]:
    """How many of an account's slots an approval would change in each way; `approved` and `duplicate` beside."""
    sql: Any = f"""
        SELECT change, count(*)::int AS slots, count(approved_at)::int AS approved,
               count(*) FILTER (WHERE twins > 1 OR shared > 1)::int AS duplicate
        FROM (SELECT {_CHANGE} AS change, s.approved_at,
                CASE WHEN s.sku_id IS NULL THEN 1 ELSE count(*) OVER (PARTITION BY s.sku_id) END AS twins,
                (SELECT count(*) FROM listing l WHERE l.seller_id = s.seller_id AND l.slot_id = s.id
                 AND l.gone_at IS NULL) AS shared
              FROM stock_slot s WHERE {_ITS}) each GROUP BY change"""
    rows = await tx.all(sql, {"account": account_id})
    told = {row["change"]: row["slots"] for row in rows}
    return {
        **told,
        "approved": sum(row["approved"] for row in rows),
        "duplicate": sum(row["duplicate"] for row in rows),
    }


async def preview(
    tx: Tx, account_id: UUID, *, change: str | None = None, after: UUID | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """Slots with what each shows and would get, the gravest change first; keyset by the slot's id.

    `change`: one of hub.approval.Change, "duplicate" (more than one place for one stock), or None for all.
    `twins` are other slots of this account with the same SKU, `shares` other listings of the same slot.
    """
    sql: Any = f"""
        WITH page AS (
            SELECT s.* FROM ({_RANKED}) s
            WHERE {_OF_CHANGE.get(change, "change = %(change)s")} AND (%(after)s::uuid IS NULL
                OR (rank, id) > (SELECT b.rank, b.id FROM ({_RANKED}) b WHERE b.id = %(after)s))
            ORDER BY rank, id LIMIT %(limit)s
        )
        SELECT s.id, s.ref, s.variation_ref, l.title, l.channel_sku, k.code AS sku, k.category, s.sku_id,
               s.multiplier, s.shows, s.desired, s.change, s.status, s.managed_by, s.approved_at,
               ARRAY(SELECT concat_ws(':', t.listing_ref, t.variation_ref) FROM stock_slot t
                   WHERE t.seller_id = s.seller_id AND t.account_id = %(account)s AND t.sku_id = s.sku_id
                     AND t.id <> s.id AND t.status <> 'closed' ORDER BY t.id LIMIT 5) AS twins,
               CASE WHEN {_SHARED} THEN ARRAY(
                   SELECT concat_ws(':', t.ref, t.variation_ref) FROM listing t
                   WHERE t.seller_id = s.seller_id AND t.slot_id = s.id AND t.gone_at IS NULL
                     AND (t.ref, coalesce(t.variation_ref, '')) <> (s.ref, coalesce(s.variation_ref, ''))
                   ORDER BY t.id LIMIT 5) ELSE '{{}}' END AS shares
        FROM page s
        LEFT JOIN LATERAL (SELECT title, channel_sku FROM listing l WHERE l.seller_id = s.seller_id
            AND l.slot_id = s.id AND l.gone_at IS NULL ORDER BY l.ref = s.ref DESC, l.id LIMIT 1) l ON true
        LEFT JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
        ORDER BY s.rank, s.id"""
    params = {"account": account_id, "change": change, "after": after, "limit": limit, "rank": RANK}
    return await tx.all(sql, params)


_CHOOSES: dict[Kind, LiteralString] = {
    Kind.ALL: "true",
    Kind.NO_DECREASE: f"s.desired >= {_SHOWS} AND s.managed_by = 'seller'",
    Kind.CATEGORY: "EXISTS (SELECT FROM sku k WHERE k.seller_id = s.seller_id AND k.id = s.sku_id "
    "AND k.category = ANY(%(names)s))",
    Kind.SKU: "EXISTS (SELECT FROM sku k WHERE k.seller_id = s.seller_id AND k.id = s.sku_id "
    "AND k.code = ANY(%(names)s))",
    Kind.LISTING: "EXISTS (SELECT FROM listing l WHERE l.seller_id = s.seller_id AND l.slot_id = s.id "
    "AND l.gone_at IS NULL AND (l.ref = ANY(%(names)s) OR l.ref || ':' || l.variation_ref = ANY(%(names)s)))",
}
_NAMES: dict[Kind, LiteralString] = {
    Kind.CATEGORY: """SELECT DISTINCT k.category AS name FROM stock_slot s
        JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id""",
    Kind.SKU: """SELECT DISTINCT k.code AS name FROM stock_slot s
        JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id""",
    Kind.LISTING: """SELECT unnest(ARRAY[l.ref, l.ref || ':' || l.variation_ref]) AS name FROM stock_slot s
        JOIN listing l ON l.seller_id = s.seller_id AND l.slot_id = s.id AND l.gone_at IS NULL""",
}


async def unknown(tx: Tx, account_id: UUID, scope: Scope) -> list[str]:
    """Names of a scope that no slot of the account answers to."""
    if scope.kind not in _NAMES:
        return []
    sql: Any = f"{_NAMES[scope.kind]} WHERE {_ITS}"
    there = {row["name"] for row in await tx.all(sql, {"account": account_id})}
    return [name for name in scope.names if name not in there]


async def approve(tx: Tx, account_id: UUID, scopes: Sequence[Scope], now: datetime) -> int:
    """Let these slots be written. Answers how many were not approved before."""
    count = 0
    for scope in scopes:
        sql: Any = f"""
            UPDATE stock_slot s SET approved_at = %(now)s
            WHERE s.account_id = %(account)s AND s.approved_at IS NULL AND ({_CHOOSES[scope.kind]})"""
        count += await tx.run(sql, {"account": account_id, "now": now, "names": list(scope.names)})
    return count


async def revoke(tx: Tx, account_id: UUID, scopes: Sequence[Scope]) -> int:
    """Let these slots be written no more. Their leases end, so that no write begins that was claimed before.

    One that has left already may still land: its slot stays in doubt, and is read back once it is approved again.
    """
    count = 0
    for scope in scopes:
        sql: Any = f"""
            UPDATE stock_slot s SET approved_at = NULL, lease_token = NULL, lease_until = NULL, lease_by = NULL
            WHERE s.account_id = %(account)s AND s.approved_at IS NOT NULL AND ({_CHOOSES[scope.kind]})"""
        count += await tx.run(sql, {"account": account_id, "names": list(scope.names)})
    return count


async def set_approval(tx: Tx, account_id: UUID, approval: str) -> None:
    """none, chosen (what is listed later waits) or whole (what is listed later is approved with it).

    With none left, an account on hold comes back to its preview.
    """
    sql = """
        UPDATE account SET approval = %(approval)s,
            resume_status = CASE WHEN %(approval)s = 'none' THEN 'preview' ELSE resume_status END
        WHERE id = %(account)s"""
    await tx.run(sql, {"approval": approval, "account": account_id})


async def approval(tx: Tx, account_id: UUID) -> str:
    """none, chosen or whole; the account's row is locked."""
    told: str = await tx.value("SELECT approval FROM account WHERE id = %s FOR UPDATE", [account_id])
    return told

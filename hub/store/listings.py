"""Listings as channels show them, the slots they share, and their links to SKUs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.model import Listing
from hub.store import Tx


async def is_known(tx: Tx, account_id: UUID, told: Listing) -> bool:
    """Whether a listing is told exactly as we have it, its stock as we reckon with and no write under way."""
    sql = """
        SELECT s.expected, s.doubt_until, l.status, l.price_cents, l.channel_sku, l.title FROM listing l
        JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id
        WHERE l.account_id = %s AND l.ref = %s AND l.variation_ref IS NOT DISTINCT FROM %s AND l.gone_at IS NULL"""
    row = await tx.one(sql, [account_id, told.ref, told.variation_ref])
    if row is None or row["doubt_until"] is not None:
        return False
    known = (row["expected"], row["status"], row["price_cents"], row["channel_sku"], row["title"])
    return known == (told.stock_quantity, told.status, told.price_cents, told.sku, told.title)


async def read_since(tx: Tx, account_id: UUID, ref: str, at: datetime) -> bool:
    """Whether every slot of a listing was read, or written, from `at` on."""
    sql = """
        SELECT bool_and(s.synced_from >= %s AND s.doubt_until IS NULL) FROM listing l
        JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id
        WHERE l.account_id = %s AND l.ref = %s AND l.gone_at IS NULL"""
    return bool(await tx.value(sql, [at, account_id, ref]))


async def lock_slots(tx: Tx, account_id: UUID, slot_refs: Sequence[str]) -> None:
    """Lock these slots in id order, as everybody does."""
    await tx.run(
        "SELECT 1 FROM stock_slot WHERE account_id = %s AND ref = ANY(%s) ORDER BY id FOR UPDATE",
        [account_id, list(slot_refs)],
    )


async def gone(tx: Tx, account_id: UUID, ref: str, at: datetime) -> int:
    """A listing that its channel does not have any more; a slot without listings closes."""
    count = await tx.run(
        "UPDATE listing SET gone_at = %s, status = 'closed' WHERE account_id = %s AND ref = %s AND gone_at IS NULL",
        [at, account_id, ref],
    )
    await tx.run(
        """UPDATE stock_slot s SET status = 'closed', due_at = NULL WHERE s.account_id = %s AND s.status <> 'closed'
           AND s.id IN (SELECT slot_id FROM listing WHERE account_id = %s AND ref = %s)
           AND NOT EXISTS (SELECT FROM listing l WHERE l.seller_id = s.seller_id AND l.slot_id = s.id
                           AND l.gone_at IS NULL)""",
        [account_id, account_id, ref],
    )
    return count


async def gone_unseen(tx: Tx, account_id: UUID, since: datetime) -> list[str]:
    """Refs of listings that a whole walk begun at `since` did not meet."""
    rows = await tx.all(
        "SELECT DISTINCT ref FROM listing WHERE account_id = %s AND seen_at < %s AND gone_at IS NULL",
        [account_id, since],
    )
    return [row["ref"] for row in rows]


async def listed(
    tx: Tx,
    *,
    account_id: UUID | None = None,
    search: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Listings with what their slot should show, was told and was seen to show; keyset by id."""
    sql = """
        SELECT l.id, a.channel, a.name AS account, l.ref, l.variation_ref, l.title, l.channel_sku, k.code AS sku,
               l.multiplier, l.linked_by, l.status, l.managed_by, l.price_cents, s.id AS slot_id, s.desired, s.pushed,
               s.expected, s.seen, s.seen_at, s.due_at, s.parked_code, s.parked_reason, s.braked, s.doubt_until
        FROM listing l JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id
        JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id
        LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
        WHERE l.gone_at IS NULL AND (%(account)s::uuid IS NULL OR l.account_id = %(account)s)
          AND (%(search)s::text IS NULL OR l.channel_sku = %(search)s OR k.code = %(search)s OR l.ref = %(search)s
               OR l.title ILIKE '%%' || %(search)s || '%%')
          AND (%(after)s::uuid IS NULL OR l.id > %(after)s)
        ORDER BY l.id LIMIT %(limit)s"""
    return await tx.all(sql, {"account": account_id, "search": search, "after": after, "limit": limit})

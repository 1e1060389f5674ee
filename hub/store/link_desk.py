"""What a person who links listings looks at: SKUs by words, and what a slot shows before and after."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hub.linking import gtin_forms
from hub.store import Tx


async def mark(tx: Tx) -> tuple[int, UUID | None]:
    """Moves when a SKU is made or dropped: (how many, the newest)."""
    row = await tx.one(
        "SELECT count(*)::int AS count, (SELECT id FROM sku ORDER BY id DESC LIMIT 1) AS newest FROM sku"
    )
    return (row["count"], row["newest"]) if row else (0, None)


async def skus(tx: Tx, search: str, limit: int = 12) -> list[dict[str, Any]]:
    """SKUs of that code or GTIN, then those whose code and title hold each of the words; with what is free."""
    told = search.strip()
    likes = [f"%{_escaped(word)}%" for word in told.split()[:6]]
    return await tx.all(
        """SELECT k.id, k.code, k.title, k.gtin, k.opened_at IS NOT NULL AS counted,
                  (SELECT coalesce(sum(greatest(0, v.on_hand - v.reserved)), 0)::int FROM stock_level v
                   WHERE v.seller_id = k.seller_id AND v.sku_id = k.id) AS free
           FROM sku k
           WHERE k.code = %(told)s OR k.gtin = ANY(%(gtins)s) OR (k.code || ' ' || k.title) ILIKE ALL(%(likes)s)
           ORDER BY (k.code = %(told)s) DESC, (lower(k.code) = lower(%(told)s)) DESC, length(k.code), k.code
           LIMIT %(limit)s""",
        {"told": told, "gtins": gtin_forms(told), "likes": likes or [""], "limit": limit},
    )


def _escaped(word: str) -> str:
    for special in ("\\", "%", "_"):
        word = word.replace(special, "\\" + special)
    return word


async def titles(tx: Tx, sku_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What SKUs are called, and how many units of them are free, by id."""
    rows = await tx.all(
        """SELECT k.id, k.code, k.title, k.opened_at IS NOT NULL AS counted,
                  (SELECT coalesce(sum(greatest(0, v.on_hand - v.reserved)), 0)::int FROM stock_level v
                   WHERE v.seller_id = k.seller_id AND v.sku_id = k.id) AS free
           FROM sku k WHERE k.id = ANY(%s)""",
        [list(sku_ids)],
    )
    return {row["id"]: row for row in rows}


async def numbers(tx: Tx, listing_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What the slots of listings should show and show, and whether the hub may write there, by listing."""
    rows = await tx.all(
        """SELECT l.id, s.desired, s.expected, s.managed_by,
                  a.status = 'live' AND s.approved_at IS NOT NULL AS writes
           FROM listing l JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id
           JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id WHERE l.id = ANY(%s)""",
        [list(listing_ids)],
    )
    return {row["id"]: row for row in rows}


async def named(tx: Tx, listing_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What listings are called, and what they are linked to now, by id."""
    rows = await tx.all(
        """SELECT l.id, l.ref, l.variation_ref, l.title, l.channel_sku, a.name AS account, k.code AS linked
           FROM listing l JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id
           LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id WHERE l.id = ANY(%s)""",
        [list(listing_ids)],
    )
    return {row["id"]: row for row in rows}

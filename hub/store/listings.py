"""Listings as channels show them, the slots they share, and their links to SKUs."""

from collections.abc import Mapping, Sequence
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


async def link(tx: Tx, listing_id: UUID, sku_id: UUID | None, multiplier: int, how: str | None) -> UUID:
    """Link a listing to a SKU (or unlink it, with None). Answers its slot's id.

    Two SKUs or multipliers on one slot are refused (ValueError names both listings).
    """
    row = await tx.one("SELECT slot_id, ref, variation_ref FROM listing WHERE id = %s FOR UPDATE", [listing_id])
    if row is None:
        raise LookupError(f"there is no listing {listing_id}")
    other = await tx.one(
        """SELECT l.ref, l.variation_ref, k.code, l.multiplier FROM listing l
           JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.slot_id = %s AND l.id <> %s AND l.gone_at IS NULL
             AND (l.sku_id <> %s OR l.multiplier <> %s) LIMIT 1""",
        [row["slot_id"], listing_id, sku_id, multiplier],
    )
    if other and sku_id is not None:
        raise ValueError(
            f"listing {row['ref']} shares its stock with listing {other['ref']}, which is linked to "
            f"{other['multiplier']} x {other['code']}: link both to the same"
        )
    await tx.run(
        "UPDATE listing SET sku_id = %s, multiplier = %s, linked_by = %s WHERE id = %s",
        [sku_id, multiplier, how if sku_id else None, listing_id],
    )
    await _settle_slot(tx, row["slot_id"])
    slot_id: UUID = row["slot_id"]
    return slot_id


async def _settle_slot(tx: Tx, slot_id: UUID) -> None:
    """A slot sells what its linked listings sell (one and the same, or `link` had refused), or nothing known."""
    sql = """
        UPDATE stock_slot s SET sku_id = told.sku_id, multiplier = coalesce(told.multiplier, 1), desired = NULL,
            due_at = NULL
        FROM (SELECT max(sku_id::text)::uuid AS sku_id, max(multiplier) AS multiplier FROM listing
              WHERE slot_id = %s AND sku_id IS NOT NULL AND gone_at IS NULL) told
        WHERE s.id = %s AND (s.sku_id IS DISTINCT FROM told.sku_id OR s.multiplier <> coalesce(told.multiplier, 1))"""
    await tx.run(sql, [slot_id, slot_id])


async def unlinked(tx: Tx, account_id: UUID | None, limit: int = 10_000) -> list[dict[str, Any]]:
    """Listings without a SKU."""
    return await tx.all(
        """SELECT id, account_id, ref, variation_ref, channel_sku, gtin, title, slot_id FROM listing
           WHERE sku_id IS NULL AND gone_at IS NULL AND (%s::uuid IS NULL OR account_id = %s) ORDER BY id LIMIT %s""",
        [account_id, account_id, limit],
    )


async def matches(tx: Tx, codes: Sequence[str], gtins: Sequence[str]) -> tuple[dict[str, UUID], dict[str, list[UUID]]]:
    """SKUs by code, and by GTIN (a GTIN on two SKUs answers both)."""
    by_code = {
        row["code"]: row["id"] for row in await tx.all("SELECT id, code FROM sku WHERE code = ANY(%s)", [list(codes)])
    }
    by_gtin: dict[str, list[UUID]] = {}
    for row in await tx.all("SELECT id, gtin FROM sku WHERE gtin = ANY(%s)", [list(gtins)]):
        by_gtin.setdefault(row["gtin"], []).append(row["id"])
    return by_code, by_gtin


def exact(
    by_code: Mapping[str, UUID], by_gtin: Mapping[str, Sequence[UUID]], code: str | None, gtin: str | None
) -> tuple[UUID | None, str]:
    """The one SKU that a listing certainly is, and by what: equal code, else a GTIN that only one SKU has."""
    if code is not None and code in by_code:
        return by_code[code], "sku"
    same = by_gtin.get(gtin or "", ())
    return (same[0], "gtin") if len(same) == 1 else (None, "")


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


async def opening_numbers(tx: Tx, account_id: UUID) -> list[tuple[str, int]]:
    """(SKU code, units) of SKUs not opened yet: what the account shows, plus what its own open orders hold.

    Kits are left out: they follow from their components.
    """
    rows = await tx.all(
        """SELECT k.code, min(s.seen * s.multiplier)::int AS seen,
             coalesce((SELECT sum((l.quantity - l.cancelled_quantity - l.dispatched_quantity) * l.multiplier)
                FROM order_line l JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
                WHERE l.sku_id = k.id AND o.account_id = %(account)s AND o.status IN ('placed', 'paid')), 0)::int
                AS held
           FROM stock_slot s JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
           WHERE s.account_id = %(account)s AND s.seen IS NOT NULL AND s.managed_by = 'seller'
             AND k.opened_at IS NULL
             AND NOT EXISTS (SELECT FROM kit_component c WHERE c.seller_id = k.seller_id AND c.kit_id = k.id)
           GROUP BY k.seller_id, k.id ORDER BY k.code""",
        {"account": account_id},
    )
    return [(row["code"], row["seen"] + row["held"]) for row in rows]


async def orders_of(tx: Tx, listing_id: UUID) -> list[UUID]:
    """Orders that sold this listing, those that left too: what left before a count must not move it later."""
    rows = await tx.all(
        """SELECT DISTINCT o.id FROM order_line l
           JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
           JOIN listing t ON t.seller_id = l.seller_id AND t.account_id = o.account_id AND t.ref = l.listing_ref
             AND t.variation_ref IS NOT DISTINCT FROM l.variation_ref
           WHERE t.id = %s AND o.status <> 'cancelled'""",
        [listing_id],
    )
    return [row["id"] for row in rows]

"""What people ask for by name: SKUs, warehouses and listings, and what stands behind them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.store import Tx


async def warehouses(tx: Tx) -> list[dict[str, Any]]:
    """Every warehouse by rank, with what stands there."""
    return await tx.all(
        """SELECT w.id, w.code, w.name, w.kind, w.rank, count(l.sku_id)::int AS skus,
                  coalesce(sum(l.on_hand), 0)::int AS on_hand, coalesce(sum(l.reserved), 0)::int AS reserved
           FROM warehouse w LEFT JOIN stock_level l ON l.seller_id = w.seller_id AND l.warehouse_id = w.id
           GROUP BY w.seller_id, w.id ORDER BY w.rank, w.code"""
    )


async def sku(tx: Tx, code: str) -> dict[str, Any] | None:
    """A SKU of that code: what it is, and whether its stock is open."""
    return await tx.one(
        "SELECT id, code, title, gtin, opened_at, stock_since, split_allowed FROM sku WHERE code = %s", [code]
    )


async def skus(tx: Tx, codes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of these codes the SKUs there are, by code: id, and whether it is a kit."""
    rows = await tx.all(
        """SELECT k.code, k.id, EXISTS (SELECT FROM kit_component c
                  WHERE c.seller_id = k.seller_id AND c.kit_id = k.id) AS is_kit
           FROM sku k WHERE k.code = ANY(%s)""",
        [list(codes)],
    )
    return {row["code"]: row for row in rows}


async def components(tx: Tx, kit_id: UUID) -> list[dict[str, Any]]:
    """What a kit is made of: code, quantity."""
    return await tx.all(
        """SELECT k.code AS sku, c.quantity FROM kit_component c
           JOIN sku k ON k.seller_id = c.seller_id AND k.id = c.sku_id WHERE c.kit_id = %s ORDER BY k.code""",
        [kit_id],
    )


async def names(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Codes of SKUs and of warehouses by their ids, for sentences."""
    rows = await tx.all(
        "SELECT id, code FROM sku WHERE id = ANY(%(ids)s) "
        "UNION ALL SELECT id, code FROM warehouse WHERE id = ANY(%(ids)s)",
        {"ids": list(ids)},
    )
    return {row["id"]: row["code"] for row in rows}


async def holds(tx: Tx, sku_id: UUID, limit: int | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Who holds units of a SKU (reservations), and who waits for some (shortages), by their orders."""
    reserved = await tx.all(
        """SELECT o.id AS order_id, coalesce(o.number, o.ref) AS order_number, a.name AS account,
                  o.status, r.line_ref, w.code AS warehouse, r.quantity, r.created_at
           FROM reservation r JOIN orders o ON o.seller_id = r.seller_id AND o.id = r.order_id
           JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
           JOIN warehouse w ON w.seller_id = r.seller_id AND w.id = r.warehouse_id
           WHERE r.sku_id = %s ORDER BY r.created_at, o.id, r.line_ref LIMIT %s""",
        [sku_id, limit],
    )
    short = await tx.all(
        """SELECT o.id AS order_id, coalesce(o.number, o.ref) AS order_number, a.name AS account,
                  o.status, s.line_ref, s.quantity, o.ship_by, s.created_at
           FROM shortage s JOIN orders o ON o.seller_id = s.seller_id AND o.id = s.order_id
           JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
           WHERE s.sku_id = %s ORDER BY o.ship_by NULLS LAST, o.placed_at NULLS LAST, o.id, s.line_ref LIMIT %s""",
        [sku_id, limit],
    )
    return reserved, short


async def listing(tx: Tx, named: str) -> list[dict[str, Any]]:
    """Listings that answer to an id, a channel's ref, or "ref:variation"; those that are gone left out."""
    return await tx.all(
        """SELECT l.id, a.name AS account, a.channel, l.ref, l.variation_ref, l.title, l.channel_sku, l.sku_id
           FROM listing l JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id
           WHERE l.gone_at IS NULL AND (l.id::text = lower(%(named)s) OR l.ref = %(named)s
                 OR l.ref || ':' || l.variation_ref = %(named)s)
           ORDER BY a.name, l.ref, l.variation_ref LIMIT 20""",
        {"named": named},
    )


async def listings(
    tx: Tx, account_id: UUID | None, search: str | None, *, unlinked: bool, limit: int
) -> list[dict[str, Any]]:
    """Listings with what they show, what they should show and the SKU they are linked to."""
    return await tx.all(
        """SELECT l.id, a.channel, a.name AS account, l.ref, l.variation_ref, l.title, l.channel_sku,
                  k.code AS sku, l.multiplier, l.linked_by, l.status, l.managed_by, l.price_cents, l.currency,
                  s.ref AS slot_ref, s.seen, s.expected, s.desired, s.due_at, s.parked_code,
                  s.parked_reason, s.braked
           FROM listing l JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id
           JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id
           LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.gone_at IS NULL AND (%(account)s::uuid IS NULL OR l.account_id = %(account)s)
             AND (NOT %(unlinked)s OR l.sku_id IS NULL)
             AND (%(search)s::text IS NULL OR l.channel_sku = %(search)s OR k.code = %(search)s
                  OR l.ref = %(search)s OR strpos(lower(l.title), lower(%(search)s)) > 0)
           ORDER BY a.name, l.ref, l.variation_ref LIMIT %(limit)s""",
        {"account": account_id, "search": search, "unlinked": unlinked, "limit": limit},
    )


async def stages(tx: Tx, account_id: UUID) -> dict[str, int]:
    """How many inbox rows of an account stand in each state."""
    rows = await tx.all(
        "SELECT state, count(*)::int AS count FROM inbox WHERE account_id = %s GROUP BY state", [account_id]
    )
    return {row["state"]: row["count"] for row in rows}


async def newest_seq(tx: Tx, account_id: UUID) -> int:
    """The greatest sequence number in an account's inbox, 0 when it is empty."""
    seq: int = await tx.value("SELECT coalesce(max(seq), 0) FROM inbox WHERE account_id = %s", [account_id])
    return seq


async def arrived(tx: Tx, account_id: UUID, since: datetime) -> int:
    """How many inbox rows came in since then."""
    count: int = await tx.value(
        "SELECT count(*) FROM inbox WHERE account_id = %s AND received_at >= %s", [account_id, since]
    )
    return count


async def pushed(tx: Tx, account_id: UUID, since: datetime) -> dict[str, int]:
    """What became of the stock writes answered since then, by outcome."""
    rows = await tx.all(
        "SELECT outcome, count(*)::int AS count FROM push_log WHERE account_id = %s AND answered_at >= %s "
        "GROUP BY outcome",
        [account_id, since],
    )
    return {row["outcome"]: row["count"] for row in rows}


async def unsettled(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Slots that do not show the desired number: how many are due, parked and braked, and why."""
    row = await tx.one(
        """SELECT count(*) FILTER (WHERE due_at IS NOT NULL AND parked_code IS NULL
                      AND approved_at IS NOT NULL)::int AS due,
                  count(*) FILTER (WHERE parked_code IS NOT NULL)::int AS parked,
                  count(*) FILTER (WHERE braked)::int AS braked, min(parked_reason) AS reason,
                  min(due_at) FILTER (WHERE parked_code IS NULL AND NOT braked AND NOT withheld) AS soonest
           FROM stock_slot WHERE account_id = %s AND status <> 'closed'""",
        [account_id],
    )
    return row or {"due": 0, "parked": 0, "braked": 0, "reason": None, "soonest": None}


async def parcels(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Of the parcels that a carrier account tracks: all, those under way, and what stops us asking."""
    row = await tx.one(
        """SELECT count(*)::int AS tracked, count(track_due_at)::int AS under_way,
                  max(track_error) FILTER (WHERE track_attempts > 0) AS error
           FROM shipment WHERE carrier_account_id = %s""",
        [account_id],
    )
    return row or {"tracked": 0, "under_way": 0, "error": None}


async def untold(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Shipments of an account whose channel has something to be told yet: due, parked, and why."""
    row = await tx.one(
        """SELECT count(news_due_at)::int AS due, count(news_parked)::int AS parked,
                  max(coalesce(news_parked, news_error)) AS error
           FROM shipment WHERE account_id = %s""",
        [account_id],
    )
    return row or {"due": 0, "parked": 0, "error": None}


async def listed_count(tx: Tx, account_id: UUID) -> dict[str, int]:
    """How many listings an account has, and how many have no SKU."""
    row = await tx.one(
        """SELECT count(*)::int AS listings, count(*) FILTER (WHERE sku_id IS NULL)::int AS unlinked
           FROM listing WHERE account_id = %s AND gone_at IS NULL""",
        [account_id],
    )
    return {"listings": row["listings"], "unlinked": row["unlinked"]} if row else {"listings": 0, "unlinked": 0}


async def inbox_accounts(tx: Tx) -> list[UUID]:
    """Accounts with something due in their inbox."""
    rows = await tx.all("SELECT DISTINCT account_id FROM inbox WHERE state = 'due'")
    return [row["account_id"] for row in rows]


async def is_counted(tx: Tx, sku_id: UUID) -> bool:
    """Whether units of this very SKU stand anywhere (a kit's do not)."""
    found: bool = await tx.value(
        "SELECT EXISTS (SELECT FROM stock_level WHERE sku_id = %s AND (on_hand <> 0 OR reserved <> 0))",
        [sku_id],
    )
    return found


async def is_booked(tx: Tx, reason: str, source_ref: str) -> bool:
    """Whether the ledger has entries of this reason and reference."""
    found: bool = await tx.value(
        "SELECT EXISTS (SELECT FROM stock_movement WHERE reason = %s AND source_ref = %s)", [reason, source_ref]
    )
    return found

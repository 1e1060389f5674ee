"""What a seller decides once, where it has no module of its own; and how many rows a change of it touches."""

import json
from typing import Any
from uuid import UUID

from hub.store import Tx, freight

COUNTED = 10_000  # as far as rows are counted for a preview
BRAKE = "zero_brake_share"  # a seller's setting


async def brake_share(tx: Tx, default: float) -> float:
    """The share of an account's listings that one run may empty: the seller's own word, else the installation's."""
    told: Any = await tx.value("SELECT settings->'zero_brake_share' FROM seller WHERE seller_id = %s", [tx.seller])
    return float(told) if told is not None else default


async def own_brake_share(tx: Tx) -> float | None:
    """The seller's own word; None: as the installation has it."""
    told = await brake_share(tx, -1.0)
    return None if told < 0 else told


async def set_brake_share(tx: Tx, share: float | None) -> None:
    """Keep the seller's word (None: take it back)."""
    await tx.run(
        "UPDATE seller SET settings = settings || %s WHERE seller_id = %s", [json.dumps({BRAKE: share}), tx.seller]
    )


async def own_state(tx: Tx) -> str | None:
    """The state that a seller says it ships from; None: as its first warehouse says."""
    sql = "SELECT settings->'shipping'->>'state' FROM seller WHERE seller_id = %s"
    told: str | None = await tx.value(sql, [tx.seller])
    return told


async def split(tx: Tx, account_id: UUID | None = None) -> str | None:
    """How far orders may be divided: the seller's word, or an account's own (None: as the seller says)."""
    if account_id is None:
        told: str | None = await tx.value("SELECT split FROM seller WHERE seller_id = %s", [tx.seller])
    else:
        told = await tx.value("SELECT split FROM account WHERE id = %s", [account_id])
    return told


async def draws(tx: Tx, account_id: UUID) -> list[str]:
    """Codes of the warehouses that an account says it draws from; none: every own one."""
    rows = await tx.all(
        """SELECT w.code FROM account_warehouse d
           JOIN warehouse w ON w.seller_id = d.seller_id AND w.id = d.warehouse_id
           WHERE d.account_id = %s ORDER BY w.code""",
        [account_id],
    )
    return [row["code"] for row in rows]


async def own_freight(tx: Tx, account_id: UUID | None) -> dict[str, Any]:
    """One freight policy alone (an account's, or None: the seller's), by freight.WORDS; None: not told."""
    row = await tx.one(
        """SELECT rule, sender, declares, most_g, side_mm, sum_mm, tare_g FROM freight_policy
           WHERE account_id IS NOT DISTINCT FROM %s""",
        [account_id],
    )
    return dict(row) if row else dict.fromkeys(freight.WORDS)


# ── how many rows a change touches ──────────────────────────────────────────────────────────────────────────


async def unpaid_orders(tx: Tx, account_id: UUID) -> int:
    """Orders of an account that are placed and not paid."""
    sql = "SELECT count(*) FROM (SELECT FROM orders WHERE account_id = %s AND status = 'placed' LIMIT %s) n"
    return int(await tx.value(sql, [account_id, COUNTED]))


async def open_orders(tx: Tx, account_id: UUID | None) -> int:
    """Paid orders that have not left, of an account or of all."""
    sql = """SELECT count(*) FROM (SELECT FROM orders WHERE status = 'paid'
        AND (%(account)s::uuid IS NULL OR account_id = %(account)s) LIMIT %(most)s) n"""
    return int(await tx.value(sql, {"account": account_id, "most": COUNTED}))


async def parcels_under_way(tx: Tx) -> int:
    """Parcels that are looked after."""
    sql = "SELECT count(*) FROM (SELECT FROM shipment WHERE look_at IS NOT NULL LIMIT %s) n"
    return int(await tx.value(sql, [COUNTED]))


async def listed_skus(tx: Tx, account_id: UUID | None) -> int:
    """SKUs that listings of an account, or of any, sell."""
    sql = """SELECT count(*) FROM (SELECT DISTINCT sku_id FROM stock_slot WHERE sku_id IS NOT NULL
        AND (%(account)s::uuid IS NULL OR account_id = %(account)s) LIMIT %(most)s) n"""
    return int(await tx.value(sql, {"account": account_id, "most": COUNTED}))


async def planned_skus(tx: Tx) -> int:
    """SKUs that have a plan of replenishment."""
    return int(await tx.value("SELECT count(*) FROM (SELECT FROM replenishment_plan LIMIT %s) n", [COUNTED]))

"""Kits: what SKUs are made of, at any depth."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from hub import stock
from hub.store import Tx


async def kit_put(tx: Tx, kit_id: UUID, components: Mapping[UUID, int]) -> None:
    """Make a SKU a kit of these components (or a plain SKU again, with none). A cycle is a ValueError."""
    await tx.run("DELETE FROM kit_component WHERE kit_id = %s", [kit_id])
    sql = "INSERT INTO kit_component (seller_id, kit_id, sku_id, quantity) VALUES (%s, %s, %s, %s)"
    await tx.many(sql, [(tx.seller, kit_id, sku, quantity) for sku, quantity in components.items()])
    stock.flatten_kit(kit_id, await kits(tx, [kit_id]))


async def kits(tx: Tx, sku_ids: Iterable[UUID]) -> dict[UUID, tuple[stock.Component, ...]]:
    """The kits among these SKUs and everything they are made of, nested ones too."""
    sql = """
        WITH RECURSIVE part AS (
            SELECT kit_id, sku_id, quantity FROM kit_component WHERE kit_id = ANY(%s)
            UNION
            SELECT k.kit_id, k.sku_id, k.quantity FROM kit_component k JOIN part ON k.kit_id = part.sku_id
        ) SELECT kit_id, sku_id, quantity FROM part"""
    made: dict[UUID, list[stock.Component]] = defaultdict(list)
    for row in await tx.all(sql, [list(sku_ids)]):
        made[row["kit_id"]].append(stock.Component(sku_id=row["sku_id"], quantity=row["quantity"]))
    return {kit_id: tuple(components) for kit_id, components in made.items()}


async def with_kits_of(tx: Tx, sku_ids: Iterable[UUID]) -> set[UUID]:
    """These SKUs and every kit that holds one of them, at any depth."""
    wanted = set(sku_ids)
    sql = """
        WITH RECURSIVE holder AS (
            SELECT kit_id FROM kit_component WHERE sku_id = ANY(%s)
            UNION
            SELECT k.kit_id FROM kit_component k JOIN holder ON k.sku_id = holder.kit_id
        ) SELECT kit_id FROM holder"""
    return wanted | {row["kit_id"] for row in await tx.all(sql, [list(wanted)])}


async def unsent_with(tx: Tx, sku_ids: Iterable[UUID]) -> list[UUID]:
    """Orders that sell one of these SKUs and have something still to be sent, or hold or lack units; oldest first."""
    rows = await tx.all(
        """SELECT o.id FROM orders o WHERE EXISTS (SELECT FROM order_line l
             WHERE l.seller_id = o.seller_id AND l.order_id = o.id AND l.sku_id = ANY(%s))
             AND (o.status IN ('placed', 'paid')
                  OR EXISTS (SELECT FROM reservation r WHERE r.seller_id = o.seller_id AND r.order_id = o.id)
                  OR EXISTS (SELECT FROM shortage s WHERE s.seller_id = o.seller_id AND s.order_id = o.id))
           ORDER BY o.placed_at NULLS FIRST, o.id""",
        [list(sku_ids)],
    )
    return [row["id"] for row in rows]

"""The recipe that each order line's stock effect was reckoned by."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from hub.store import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What one unit of a line takes: units by component, as they followed from this link."""

    sold: tuple[UUID, int]  # sku, multiplier
    parts: Mapping[UUID, int]


async def of(tx: Tx, order_id: UUID) -> dict[str, Recipe]:
    """The recipes of an order, by line ref."""
    found: dict[str, Recipe] = {}
    sql = "SELECT line_ref, sku_id, units, sold_sku_id, multiplier FROM order_line_part WHERE order_id = %s"
    for row in await tx.all(sql, [order_id]):
        known = found.get(row["line_ref"])
        found[row["line_ref"]] = Recipe(
            sold=(row["sold_sku_id"], row["multiplier"]),
            parts={**(known.parts if known else {}), row["sku_id"]: row["units"]},
        )
    return found


async def put(tx: Tx, order_id: UUID, before: Mapping[str, Recipe], now: Mapping[str, Recipe]) -> None:
    """Note the recipes that changed; a line that is linked to nothing any more has none."""
    changed = {ref: recipe for ref, recipe in now.items() if before.get(ref) != recipe}
    if stale := [ref for ref in before if ref in changed or ref not in now]:
        await tx.run("DELETE FROM order_line_part WHERE order_id = %s AND line_ref = ANY(%s)", [order_id, stale])
    await tx.many(
        """INSERT INTO order_line_part (seller_id, order_id, line_ref, sku_id, units, sold_sku_id, multiplier)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        [
            (tx.seller, order_id, ref, sku, units, *recipe.sold)
            for ref, recipe in changed.items()
            for sku, units in recipe.parts.items()
        ],
    )

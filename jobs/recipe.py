"""What each line of an order takes of each component: by its link and kit, or as it was when the goods left."""

from collections.abc import Mapping
from uuid import UUID

from hub.model import Order
from hub.stock import flatten_kit
from hub.store import Tx, kits, recipes
from hub.store.recipes import Recipe


async def recipes_of(tx: Tx, order_id: UUID, order: Order, links: Mapping[str, tuple[UUID, int]]) -> dict[str, Recipe]:
    """The recipe of every linked line, noted with the order.

    A line of which goods have left keeps the recipe that they left by: a kit made otherwise since does not turn what
    lies in the parcel into something else. Another link does: then the old one was wrong.
    """
    before = await recipes.of(tx, order_id)
    made_of = await kits.kits(tx, {sku_id for sku_id, _multiplier in links.values()})
    found = {}
    for line in order.lines:
        if line.ref not in links:
            continue
        sku_id, multiplier = links[line.ref]
        kept = before.get(line.ref)
        if line.dispatched_quantity and kept and kept.sold == (sku_id, multiplier):
            found[line.ref] = kept
        else:
            parts = {part.sku_id: part.quantity * multiplier for part in flatten_kit(sku_id, made_of)}
            found[line.ref] = Recipe(sold=(sku_id, multiplier), parts=parts)
    await recipes.put(tx, order_id, before, found)
    return found

"""What is known of a SKU's stock, with the explanation of every number that a channel shows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hub import stock as decide
from hub.store import lookup, sku_list, stock, warehouses
from hub.why import Answer
from jobs import counts
from jobs.runtime import Runtime


async def kits_made(rt: Runtime, seller_id: UUID, kit_ids: Sequence[UUID]) -> dict[UUID, Answer]:
    """How many of each kit the seller's own warehouses make, and why; before any channel's buffers."""
    if not kit_ids:
        return {}
    async with rt.db.seller(seller_id) as tx:
        told = await sku_list.kit_inputs(tx, kit_ids, await warehouses.shelves(tx))
    return {kit: decide.available(inputs) for kit, inputs in told.items()}


async def sku_stock(
    rt: Runtime, seller_id: UUID, code: str
) -> tuple[dict[str, Any], list[tuple[dict[str, Any], Answer]], dict[UUID, str]] | None:
    """A SKU's levels, holds and shortages; per slot its state and answer; names for the sentences. None: no SKU."""
    async with rt.db.seller(seller_id) as tx:
        known = await lookup.sku(tx, code)
        if known is None:
            return None
        levels = await stock.levels_of(tx, known["id"])
        reservations, shortages = await lookup.holds(tx, known["id"])
        parts = await lookup.components(tx, known["id"])
    answers = await counts.explain(rt, seller_id, code)
    told = [value for _slot, answer in answers for step in answer.steps for value in step.params.values()]
    async with rt.db.seller(seller_id) as tx:
        names = await lookup.names(tx, {value for value in told if isinstance(value, UUID)})
    facts = {
        "sku": known["code"],
        "title": known["title"],
        "gtin": known["gtin"],
        "opened_at": known["opened_at"],
        "components": parts,
        "levels": [
            {"warehouse": row["code"], "on_hand": row["on_hand"], "reserved": row["reserved"]} for row in levels
        ],
        "reservations": reservations,
        "shortages": shortages,
    }
    return facts, answers, names

"""From a change of stock to the numbers that every channel should show, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from hub import stock as decide
from hub.settlement import Levels
from hub.store import Tx, alerts, kits, orders, shortages, stock, warehouses


@dataclass(slots=True)
class Ripple:
    """What a transaction leaves to ring for: accounts with something to push, carriers with something to be asked."""

    accounts: set[UUID] = field(default_factory=set)
    trackers: set[UUID] = field(default_factory=set)


async def numbers(
    tx: Tx, sku_ids: Iterable[UUID], now: datetime, *, account_id: UUID | None = None,
    shelves: warehouses.Shelves | None = None,
) -> dict[UUID, int | None]:  # fmt: skip
    """What every slot (of one account) that sells one of these SKUs, or a kit of them, should show."""
    touched = await kits.with_kits_of(tx, sku_ids)
    inputs = await stock.inputs(tx, touched, shelves or await warehouses.shelves(tx), now, account_id)
    return {slot.slot_id: decide.available(slot).quantity for slot in inputs}


async def recompute(
    tx: Tx, sku_ids: Iterable[UUID], since: datetime, ripple: Ripple, cause: str, *, now: datetime | None = None,
    shelves: warehouses.Shelves | None = None,
) -> None:  # fmt: skip
    """Compute every slot that sells one of these SKUs, or a kit of them.

    `since`: when the change reached us; `now`, where that is later, says which buffers are in force. `cause`: sale,
    count, link, import or buffer; zeros from sales are never braked.
    """
    answers = await numbers(tx, sku_ids, now or since, shelves=shelves)
    if answers:
        ripple.accounts |= await stock.desire(tx, answers, since, cause)


async def raised(tx: Tx, sku_ids: Iterable[UUID], levels: Levels, shelves: warehouses.Shelves) -> None:
    """Something came free: fill the shortages that wait for it, before anything shows as available."""
    for order_id, take in await shortages.fill_shortages(tx, sku_ids, levels, shelves):
        await orders.event(tx, order_id, "shortage_filled", line=take.line_ref)
        if not await shortages.is_short(tx, order_id):
            await alerts.resolve(tx, "shortage", str(order_id))

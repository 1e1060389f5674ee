"""Orders settled again, because a fact about what they sold came to be known later."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from hub.model import Disposition, Order
from hub.store import Tx, alerts, departures, kits, orders, stock
from hub.store.orders import Stored
from jobs.availability import Ripple
from jobs.recipe import recipes_of
from jobs.runtime import Runtime
from jobs.settle import effects_of, left_before, note_departures, settle_order, wants_of


async def opened(rt: Runtime, tx: Tx, skus: Collection[UUID], ripple: Ripple, now: datetime) -> None:
    """The stock of these SKUs begins to count: what left before never moves it, what is open holds it from now on.

    Only units known to stand on the shelf again count as back: others are received later, and move it then.
    """
    affected = await kits.with_kits_of(tx, skus)
    for order_id in await stock.open_orders_with(tx, affected):
        stored = await orders.lock_id(tx, order_id)
        if stored is None or stored.known is None:
            continue
        order = stored.known.order
        links = await orders.links(tx, stored.account_id, order)
        made_by = await recipes_of(tx, order_id, order, links)
        effects = {effect.line_ref: effect for effect in await effects_of(tx, order_id, order, rt.policy.hold_from)}
        await note_departures(tx, order_id, order, rt.policy.hold_from)
        rows = [
            (
                line.ref,
                sku,
                line.dispatched_quantity * units,
                effects[line.ref].fates.get((Disposition.SELLABLE, None), 0) * units,
            )
            for line in order.lines
            if line.ref in made_by and line.ref in effects and line.dispatched_quantity
            for sku, units in made_by[line.ref].parts.items()
            if sku in skus
        ]
        await stock.set_base(tx, order_id, rows)
        await settle_order(
            tx, stored, order, order, links, hold_from=rt.policy.hold_from, now=now, since=now, ripple=ripple
        )


async def relinked(rt: Runtime, tx: Tx, order_ids: Collection[UUID], ripple: Ripple) -> None:
    """Apply links that changed to the orders that sold their listings; the orders must be locked.

    What had left before a component's stock was opened is reckoned afresh: another SKU, or another number of it,
    left with the same parcel.
    """
    now = rt.now()
    for order_id in order_ids:
        stored = await orders.lock_id(tx, order_id)
        if stored is None or stored.known is None:
            continue
        order = stored.known.order
        links = await orders.links(tx, stored.account_id, order)
        await orders.put_lines(tx, stored.id, order, links)
        if all(line.ref in links for line in order.lines):
            await alerts.resolve(tx, "line_unlinked", str(stored.id))
        await rebased(rt, tx, stored, order, links)
        await settle_order(
            tx, stored, order, order, links, hold_from=rt.policy.hold_from, now=now, since=now, ripple=ripple
        )


async def rebased(rt: Runtime, tx: Tx, stored: Stored, order: Order, links: Mapping[str, tuple[UUID, int]]) -> None:
    """Reckon afresh what of an order had left before the stock of its components was opened."""
    await note_departures(tx, stored.id, order, rt.policy.hold_from)
    wants = await wants_of(tx, stored, order, links, rt.policy.hold_from)
    opened = await stock.opened(tx, {want.sku_id for want in wants})
    wants = [want for want in wants if want.sku_id in opened]
    await departures.rebase(tx, stored.id, left_before(wants, await departures.of(tx, stored.id), opened))

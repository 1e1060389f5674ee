"""Orders settled again, because a fact about what they sold came to be known later."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from hub import orders as decide
from hub.model import Disposition
from hub.store import Tx, alerts, kits, listings, orders, stock
from jobs.availability import Ripple
from jobs.recipe import recipes_of
from jobs.runtime import Runtime
from jobs.settle import settle_order


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
        effects = {effect.line_ref: effect for effect in decide.effects(order, hold_from=rt.policy.hold_from)}
        rows = [
            (
                line.ref,
                sku,
                line.dispatched_quantity * units,
                effects[line.ref].returned.get(Disposition.SELLABLE, 0) * units,
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


async def relinked(rt: Runtime, tx: Tx, listing_id: UUID, ripple: Ripple) -> None:
    """Apply a link to the orders that sold this listing."""
    now = rt.now()
    for order_id in await listings.orders_of(tx, listing_id):
        stored = await orders.lock_id(tx, order_id)
        if stored is None or stored.known is None:
            continue
        order = stored.known.order
        links = await orders.links(tx, stored.account_id, order)
        await orders.put_lines(tx, stored.id, order, links)
        if all(line.ref in links for line in order.lines):
            await alerts.resolve(tx, "line_unlinked", str(stored.id))
        await settle_order(
            tx, stored, order, order, links, hold_from=rt.policy.hold_from, now=now, since=now, ripple=ripple
        )

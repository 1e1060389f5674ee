"""Orders settled again, because a fact about what they sold came to be known later."""

from datetime import datetime
from uuid import UUID

from hub import stock as decide
from hub.store import Tx, alerts, kits, listings, orders, stock
from jobs.availability import Ripple
from jobs.runtime import Runtime
from jobs.settle import settle_order


async def opened(rt: Runtime, tx: Tx, sku: UUID, ripple: Ripple, now: datetime) -> None:
    """A SKU's stock begins to count: what left before never moves it, what is open holds it from now on."""
    affected = await kits.with_kits_of(tx, [sku])
    for order_id in await stock.open_orders_with(tx, affected):
        stored = await orders.lock_id(tx, order_id)
        if stored is None or stored.known is None:
            continue
        order = stored.known.order
        links = await orders.links(tx, stored.account_id, order)
        made_of = await kits.kits(tx, {sku_id for sku_id, _m in links.values()})
        rows = [
            (
                line.ref,
                sku,
                line.dispatched_quantity * multiplier * part.quantity,
                line.returned_quantity * multiplier * part.quantity,
            )
            for line in order.lines
            if line.ref in links and line.dispatched_quantity
            for sku_id, multiplier in [links[line.ref]]
            for part in decide.flatten_kit(sku_id, made_of)
            if part.sku_id == sku
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

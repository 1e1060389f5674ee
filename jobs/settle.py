"""An order's effect on stock: reservations, ledger, shortages, the selling channel's own shelf, and the ripple."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from hub import holds, settlement
from hub import orders as decide
from hub.allocation import Destination
from hub.model import Disposition, Order, OrderLine, Status
from hub.settlement import Have, LineKey, Plan, Want
from hub.store import Tx, alerts, cases, departures, ledger, orders, returns, slots, stock, warehouses
from hub.store.orders import Stored
from hub.store.slots import OwnChange
from hub.store.warehouses import Shelves
from jobs.availability import Ripple, raised, recompute
from jobs.recipe import recipes_of

Takes: TypeAlias = Callable[[Order], bool | None]
PATIENCE = timedelta(minutes=2)  # how long who fulfils an order may stay unknown


async def settle_order(
    tx: Tx, stored: Stored, before: Order | None, after: Order, links: Mapping[str, tuple[UUID, int]],
    *, hold_from: Status, now: datetime, since: datetime, ripple: Ripple,
    takes: Takes = lambda order: not order.cancelled, afresh: bool = False,
) -> bool:  # fmt: skip
    """Bring stock to what the order as known demands. False: who fulfils it is not known yet; ask again soon.

    `hold_from`: where the account's settings do not say from when its orders hold stock. `afresh`: what it holds is
    placed again by today's stock and rules.
    """
    changes = own_changes(before, after, takes)
    if not await _fulfiller_known(tx, stored, after, now):
        await slots.own_sales(tx, stored.account_id, changes)  # the next telling will not tell it again
        return False
    hold_from, lapsed = await _held_from(tx, stored, after, hold_from, now)
    await note_departures(tx, stored.id, after, hold_from)
    wants = await wants_of(tx, stored, after, links, hold_from)
    is_new = stored.known is None  # this transaction made it: nothing is held by it yet
    components = {want.sku_id for want in wants} | (set() if is_new else await stock.components_of(tx, stored.id))
    await ledger.wait_for_openings(tx, components)
    await stock.lock_around(tx, components, await slots.of_changes(tx, stored.account_id, changes))
    # Under the locks: whoever fills a shortage changes it.
    haves = {} if is_new else await stock.held_by(tx, stored.id)
    await slots.own_sales(tx, stored.account_id, changes)
    if not components:
        return True
    if not await orders.own_effect(tx, stored.stock_key, stored.id):
        if haves:  # it was taken for a sale of its own until its origin was told
            await _write(tx, stored, before, after, (), haves, since, ripple, now)
        await recompute(tx, components, since, ripple, "sale", now=now)
        return True
    opened = await stock.opened(tx, components)
    wants = [want for want in wants if want.sku_id in opened]
    new = [want for want in wants if (want.line_ref, want.sku_id) not in haves]
    haves = {**haves, **await _base(tx, stored.id, new, opened)}
    await _write(tx, stored, before, after, wants, haves, since, ripple, now, afresh=afresh)
    if lapsed and (units := sum(sum(have.reserved.values()) for have in haves.values())):
        await orders.event(tx, stored.id, "hold_expired", units=units)
    return True


async def _held_from(tx: Tx, stored: Stored, order: Order, default: Status, now: datetime) -> tuple[Status, bool]:
    """From when this order holds stock, and whether that is because it was not paid in time.

    What expired holds nothing until it is paid: then it takes units again, or is named short.
    """
    hold = holds.hold_of(stored.settings, default)
    until = holds.until(order, hold, stored.first_seen_at)
    lapsed = until is not None and until <= now
    due = None if lapsed else until
    if due != stored.hold_until:
        await orders.hold_until(tx, stored.id, due)
    return (Status.PAID if lapsed else hold.since), lapsed


async def _write(
    tx: Tx, stored: Stored, before: Order | None, order: Order, wants: Sequence[Want],
    haves: Mapping[LineKey, Have], since: datetime, ripple: Ripple, now: datetime, *, afresh: bool = False,
) -> None:  # fmt: skip
    shelves = await warehouses.shelves(tx)
    ranked = shelves.of(stored.account_id, destination_of(order))
    components = {want.sku_id for want in wants} | {sku for _line, sku in haves}
    named = {shelf for want in wants for shelf in want.returned_to}
    levels = await stock.lock_levels(tx, components, [*ranked, *(named - set(ranked))])
    picture = stock.picture(levels)
    late = afresh or (before is not None and await _addressed_late(tx, stored, before, order, shelves))
    apart = await returns.apart(tx) if any(have.returned for have in haves.values()) else ()
    plan = (settlement.replaced if late else settlement.settle)(wants, haves, levels, ranked, apart=apart)
    if plan:
        await stock.write_plan(tx, stored.id, plan)
        if freed := plan.freed | {sku for sku, _shelf in settlement.overdrawn(levels)}:
            await raised(tx, freed, levels, shelves)
        await stock.write_levels(tx, picture, levels)
        await _tell(tx, stored.id, order, plan)
    # Also without a plan: the selling channel's own shelf moved, and its slot must be compared again.
    await recompute(tx, components, since, ripple, "sale", now=now, shelves=shelves)


async def _addressed_late(tx: Tx, stored: Stored, before: Order, order: Order, shelves: Shelves) -> bool:
    """Whether an order's destination came to be known now, bears on where it leaves from, and nothing was done yet.

    Once a parcel is known or somebody chose the warehouse, it stays: goods may lie on a packing table.
    """
    if before.ship_to is not None or order.ship_to is None or not shelves.has_areas:
        return False
    if order.shipments or any(line.dispatched_quantity for line in order.lines):
        return False
    return not await orders.has_event(tx, stored.id, "allocated")


def destination_of(order: Order) -> Destination | None:
    """Where an order goes, as far as it is told."""
    if order.ship_to is None:
        return None
    return Destination(state=order.ship_to.state, postal_code=order.ship_to.postal_code)


async def _tell(tx: Tx, order_id: UUID, order: Order, plan: Plan) -> None:
    """Timeline, alert and case of what the plan left short."""
    if plan.shortages:
        await cases.sync(tx, [order_id])
    short = sum(plan.shortages.values())
    if short:
        await alerts.raise_(
            tx, "shortage", str(order_id), severity="urgent", due_at=order.ship_by, order=order.number or order.ref,
            units=short,
        )  # fmt: skip
        await orders.event(tx, order_id, "shortage", units=short)
    elif plan.shortages and not await tx.value("SELECT count(*) FROM shortage WHERE order_id = %s", [order_id]):
        await alerts.resolve(tx, "shortage", str(order_id))
    if held := sum(plan.reservations.values()):
        await orders.event(tx, order_id, "reserved", units=held)


async def _fulfiller_known(tx: Tx, stored: Stored, order: Order, now: datetime) -> bool:
    if not order.lines or not decide.needs_fulfilled_by(order):
        if stored.waits_until is not None:
            await orders.wait_for_fulfiller(tx, stored.id, None)
        return True
    if stored.waits_until is None:
        await orders.wait_for_fulfiller(tx, stored.id, now + PATIENCE)
        return False
    if now < stored.waits_until:
        return False
    await alerts.raise_(tx, "fulfiller_unknown", str(stored.id), order=order.number or order.ref)
    return True


async def wants_of(
    tx: Tx, stored: Stored, order: Order, links: Mapping[str, tuple[UUID, int]], hold_from: Status
) -> list[Want]:
    """What each line wants of each component, in units of the component; unlinked lines want nothing yet."""
    made_by = await recipes_of(tx, stored.id, order, links)
    splits = await warehouses.splits(tx, stored.account_id, {recipe.sold[0] for recipe in made_by.values()})
    wants = []
    for effect in await effects_of(tx, stored.id, order, hold_from):
        if effect.line_ref not in made_by:
            continue
        recipe = made_by[effect.line_ref]
        split, loose = splits[recipe.sold[0]]
        back, back_to = await _back(tx, effect)
        for sku_id, units in recipe.parts.items():
            wants.append(
                Want(
                    line_ref=effect.line_ref,
                    sku_id=sku_id,
                    reserve=effect.reserve * units,
                    dispatched=effect.dispatched * units,
                    returned=back * units,
                    returned_to={shelf: more * units for shelf, more in back_to.items()},
                    each=units,
                    split=split,
                    loose=loose,
                )
            )
    return wants


async def effects_of(tx: Tx, order_id: UUID, order: Order, hold_from: Status) -> tuple[decide.LineEffect, ...]:
    """What an order should have done to stock by now, with what was decided here about its returned units."""
    left = any(line.dispatched_quantity for line in order.lines)
    receipts = await returns.receipts(tx, order_id) if left else []
    return decide.effects(order, hold_from=hold_from, receipts=receipts)


async def _back(tx: Tx, effect: decide.LineEffect) -> tuple[int, dict[UUID, int]]:
    """Returned units that go back to where they left from, and those that go to a named warehouse. Lost ones move
    nothing, and neither do those that nobody has looked at yet.
    """
    back = 0
    named: dict[UUID, int] = {}
    for (disposition, shelf), units in effect.fates.items():
        if disposition is Disposition.SELLABLE and shelf is None:
            back += units
        elif disposition in (Disposition.SELLABLE, Disposition.DAMAGED):
            where = shelf or await returns.damaged_goods(tx)
            named[where] = named.get(where, 0) + units
    return back, named


async def note_departures(tx: Tx, order_id: UUID, order: Order, hold_from: Status) -> None:
    """Keep what of each line has left, and is back to be sold, with when that was told."""
    rows = [
        (effect.line_ref, effect.dispatched, effect.returned.get(Disposition.SELLABLE, 0))
        for effect in decide.effects(order, hold_from=hold_from)
    ]
    await departures.note(tx, order_id, rows, order.changed_at or order.placed_at)


async def _base(tx: Tx, order_id: UUID, wants: Sequence[Want], opened: Mapping[UUID, datetime]) -> dict[LineKey, Have]:
    """What had left before the stock of a component was opened never moves it."""
    if not any(want.dispatched for want in wants):
        return {}
    rows = left_before(wants, await departures.of(tx, order_id), opened)
    await stock.set_base(tx, order_id, rows)
    return {(line, sku): Have(base_dispatched=out, base_returned=back) for line, sku, out, back in rows}


def left_before(
    wants: Sequence[Want], told: Mapping[str, departures.History], opened: Mapping[UUID, datetime]
) -> list[tuple[str, UUID, int, int]]:
    """(line_ref, component, dispatched, returned), in units of the component, from before its stock was opened."""
    found = []
    for want in wants:
        dispatched, returned = departures.before(told, want.line_ref, opened[want.sku_id])
        if dispatched:
            found.append((want.line_ref, want.sku_id, dispatched * want.each, returned * want.each))
    return found


def own_changes(before: Order | None, after: Order, takes: Takes) -> list[OwnChange]:
    """What the selling channel did to its own shelf since the telling before.

    No time: it cannot be told what it did, or when. No units: an order that we first hear of took some and may
    have given them back; what is there now, only the shelf tells.
    """
    old = {line.ref: line for line in before.lines} if before else {}
    new = {line.ref: line for line in after.lines}
    took, takes_now = takes(before) if before else False, takes(after)
    since = after.placed_at if before is None else (before.changed_at or before.placed_at)
    until = max((at for at in (after.placed_at, after.changed_at, after.cancelled_at) if at), default=None)
    found = []
    for ref in old.keys() | new.keys():
        line = new.get(ref) or old[ref]
        taken = _on_order(new.get(ref)) * bool(takes_now) - _on_order(old.get(ref)) * bool(took)
        gave_back = before is None and (line.cancelled_quantity > 0 or after.cancelled)
        if line.listing_ref is not None and (taken or gave_back):
            untold = takes_now is None or took is None
            units = 0 if gave_back else taken
            times = (None, None) if untold else (since, until)
            found.append((line.listing_ref, line.variation_ref, units, *times))
    return sorted(found, key=lambda change: (change[0], change[1] or ""))


def _on_order(line: OrderLine | None) -> int:
    return line.quantity - line.cancelled_quantity if line else 0

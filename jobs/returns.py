"""Goods that come back: what became of each unit, as whoever unpacks them says."""

from dataclasses import dataclass
from uuid import UUID

from hub import orders as decide
from hub.model import Disposition, FulfilledBy, Order, OrderLine
from hub.returns import BY_HAND, Receipt
from hub.store import Tx, departures, orders, returns, stock
from hub.store.orders import Stored
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import shelf_named, transact
from jobs.runtime import Runtime
from jobs.settle import effects_of, settle_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What was noted: `units` of a line in all, and whether that was news. `moved`: units that the ledger moved."""

    order: str
    return_ref: str
    line: str
    units: int
    disposition: Disposition
    changed: bool
    moved: int


async def receive(
    rt: Runtime, seller_id: UUID, named: str, *, units: int, disposition: Disposition, line: str | None = None,
    warehouse: str | None = None,
) -> Received:  # fmt: skip
    """Say how many units of a return's line, in all, came back so; the same again changes nothing.

    `named`: a return by its ref or id, or an order (for goods that no channel told of). Sellable units go back to
    the shelf they left from, or the named own warehouse; damaged ones to the warehouse of damaged goods, where
    nothing is for sale; lost ones move nothing. Refused names what cannot be.
    """

    async def work(tx: Tx, ripple: Ripple) -> Received:
        order_id, ref = await _found(tx, named)
        stored = await orders.lock_id(tx, order_id)
        if stored is None or stored.known is None:
            raise Refused(f"there is no return or order {named!r}")
        order = stored.known.order
        await _may(tx, stored, order)
        links = await orders.links(tx, stored.account_id, order)
        chosen = await _line(tx, stored, order, line)
        shelf = await _shelf(tx, disposition, warehouse)
        told = Receipt(return_ref=ref, line_ref=chosen.ref, disposition=disposition, warehouse_id=shelf, quantity=units)
        await _refuse_too_many(tx, order_id, chosen, told)
        changed = await returns.receive(tx, order_id, told)
        before = await returns.moved(tx, order_id)
        if changed:
            await orders.event(
                tx, order_id, "return_received", line=chosen.ref, units=units, disposition=disposition.value, ref=ref
            )
            now = rt.now()
            rows = [
                (effect.line_ref, effect.dispatched, effect.fates.get((Disposition.SELLABLE, None), 0))
                for effect in await effects_of(tx, order_id, order, rt.policy.hold_from)
            ]
            await departures.note(tx, order_id, rows, now)
            await settle_order(
                tx, stored, order, order, links, hold_from=rt.policy.hold_from, now=now, since=now, ripple=ripple
            )
            await stock.audit(tx, "return_receive", str(order_id), line=chosen.ref, units=units, kind=disposition)
        return Received(
            order=order.number or order.ref, return_ref=ref, line=chosen.ref, units=units, disposition=disposition,
            changed=changed, moved=await returns.moved(tx, order_id) - before,
        )  # fmt: skip

    return await transact(rt, seller_id, work)


async def _found(tx: Tx, named: str) -> tuple[UUID, str]:
    """The order and ref of the return that is meant."""
    found = await returns.find(tx, named)
    if not found:
        by_order = await orders.find(tx, named)
        if len(by_order) > 1:
            raise Refused(f"{len(by_order)} orders answer to {named!r}: name the order by its id")
        if by_order:
            refs = await returns.told_refs(tx, by_order[0])
            if len(refs) > 1:
                raise Refused(f"order {named} has several returns: name one of {', '.join(refs)}")
            found = [(by_order[0], refs[0] if refs else BY_HAND)]
    if not found:
        raise Refused(f"there is no return or order {named!r}: `balcao returns list` lists what waits")
    if len(found) > 1:
        raise Refused(f"{len(found)} returns answer to {named!r}: name one by its id")
    return found[0]


async def _may(tx: Tx, stored: Stored, order: Order) -> None:
    """Only the order that moved the stock can bring it back."""
    owner = await returns.owner(tx, stored.id)
    if owner is not None and owner != stored.id:
        raise Refused(f"order {order.number or order.ref} only relays another one, which moved the stock: name {owner}")
    if not any(line.dispatched_quantity for line in order.lines):
        raise Refused(f"nothing of order {order.number or order.ref} has left: cancel it instead")


async def _line(tx: Tx, stored: Stored, order: Order, named: str | None) -> OrderLine:
    """The line of that ref or SKU; the only one where none is named."""
    lines = [line for line in order.lines if line.dispatched_quantity]
    if named is not None:
        skus = await orders.skus_of_lines(tx, stored.id)
        lines = [line for line in lines if line.ref == named] or [
            line for line in lines if named in {line.sku, skus.get(line.ref)}
        ]
    if len(lines) != 1:
        known = ", ".join(f"{line.ref} ({line.sku or line.title or '–'})" for line in order.lines)
        wrong = "needs --line" if named is None else f"has no one line {named!r} that left"
        raise Refused(f"order {order.number or order.ref} {wrong}: its lines are {known}")
    if decide.keeper(order, lines[0]) is FulfilledBy.MARKETPLACE:
        raise Refused(f"line {lines[0].ref} is fulfilled by the marketplace: it goes back to its shelves, not to yours")
    return lines[0]


async def _shelf(tx: Tx, disposition: Disposition, code: str | None) -> UUID | None:
    if code is None:
        return None
    if disposition is Disposition.LOST:
        raise Refused("lost units stand nowhere: leave the warehouse out")
    shelf = await shelf_named(tx, code)
    kind, wanted = await returns.kind_of(tx, shelf), "own" if disposition is Disposition.SELLABLE else "damaged"
    if kind != wanted:
        raise Refused(f"warehouse {code!r} is of kind {kind}: {disposition.value} units go to one of kind {wanted}")
    return shelf


async def _refuse_too_many(tx: Tx, order_id: UUID, line: OrderLine, told: Receipt) -> None:
    def key(row: Receipt) -> tuple[str, Disposition, UUID | None]:
        return row.return_ref, row.disposition, row.warehouse_id

    others = [
        row
        for row in await returns.receipts(tx, order_id)
        if row.line_ref == line.ref and key(row) != key(told) and row.quantity
    ]
    already = sum(row.quantity for row in others)
    if already + told.quantity > line.dispatched_quantity:
        noted = ", ".join(f"{row.quantity} {row.disposition.value}" for row in others)
        more = f"; {noted} noted already: set those to less first" if noted else ""
        raise Refused(
            f"units: {line.dispatched_quantity} of line {line.ref} left, {told.quantity} cannot be back{more}"
        )

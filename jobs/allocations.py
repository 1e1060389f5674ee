"""Where an order's units come from: shown before it happens, and changed by hand."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from hub import stock as decide
from hub.allocation import Allocation, Destination, Line, allocate
from hub.model import Order, Status
from hub.store import Tx, kits, ledger, lookup, orders, stock, transfers, warehouses
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import follow, shelf_named, transact
from jobs.runtime import Runtime
from jobs.settle import destination_of, wants_of


async def preview(rt: Runtime, seller_id: UUID, order_id: UUID) -> Allocation:
    """Where each line of an order would come from were it placed now, its own units put back first. Changes nothing.

    Lines that hold nothing (unlinked, sent, cancelled, of SKUs whose stock is not open) are not in it.
    """
    async with rt.db.seller(seller_id) as tx:
        stored = await orders.lock_id(tx, order_id)
        if stored is None or stored.known is None:
            raise Refused(f"there is no order {order_id}", "no_order")
        order = stored.known.order
        lines = await _lines(tx, stored, order, rt.policy.hold_from)
        held = await stock.held_by(tx, order_id)
        levels = await stock.lock_levels(tx, {sku for line in lines for sku in line.each})
        for (_line, sku), have in held.items():
            for shelf, units in have.reserved.items():
                if (sku, shelf) in levels:
                    levels[sku, shelf].reserved -= units
        destination = destination_of(order)
        ranked = (await warehouses.shelves(tx)).of(stored.account_id, destination)
        return allocate(lines, {key: level.free for key, level in levels.items()}, ranked, destination)


async def try_out(
    rt: Runtime, seller_id: UUID, units: Mapping[str, int], destination: Destination, account_id: UUID | None = None
) -> tuple[Allocation, list[str]]:
    """Where so many units of SKUs (by code; kits as their components) would come from. Changes and locks nothing.

    Beside it the codes whose stock is not open, which nothing is taken of. Raises Refused for an unknown SKU.
    """
    async with rt.db.seller(seller_id) as tx:
        known = await ledger.known(tx, units.keys())
        if missing := [code for code in units if code not in known]:
            raise Refused(f"there is no SKU {missing[0]!r}", "no_sku", sku=missing[0])
        made_of = await kits.kits(tx, [known[code].id for code in units])
        parts = {code: decide.flatten_kit(known[code].id, made_of) for code in units}
        ids = {part.sku_id for flat in parts.values() for part in flat}
        opened = await stock.opened(tx, ids)
        shut = [code for code in units if any(part.sku_id not in opened for part in parts[code])]
        ways = await warehouses.splits(tx, account_id or tx.seller, [known[code].id for code in units])
        lines = [
            Line(
                ref=code, each={part.sku_id: part.quantity for part in parts[code]},
                missing={part.sku_id: part.quantity * units[code] for part in parts[code]},
                split=ways[known[code].id][0], loose=ways[known[code].id][1],
            )
            for code in units
            if code not in shut
        ]  # fmt: skip
        levels = await stock.levels_read(tx, ids)
        shelves = (await warehouses.shelves(tx)).of(account_id or tx.seller, destination)
        return allocate(lines, levels, shelves, destination), shut


async def _lines(tx: Tx, stored: orders.Stored, order: Order, hold_from: Status) -> list[Line]:
    links = await orders.links(tx, stored.account_id, order)
    wants = await wants_of(tx, stored, order, links, hold_from)
    opened = await stock.opened(tx, {want.sku_id for want in wants})
    by_line: dict[str, Line] = {}
    for want in wants:
        if not want.reserve or want.sku_id not in opened:
            continue
        line = by_line.get(want.line_ref)
        by_line[want.line_ref] = Line(
            ref=want.line_ref,
            each={**(line.each if line else {}), want.sku_id: want.each},
            missing={**(line.missing if line else {}), want.sku_id: want.reserve},
            split=want.split,
            loose=want.loose,
        )
    return list(by_line.values())


async def place(rt: Runtime, seller_id: UUID, order_id: UUID, code: str) -> int:
    """Have an order leave from a warehouse: what it holds elsewhere is held there. Answers how many units moved.

    Raises Refused where the warehouse has not all of it free, or sales do not leave from it: then nothing moves.
    """

    async def work(tx: Tx, ripple: Ripple) -> int:
        there = await shelf_named(tx, code)
        if (kind := await warehouses.kind(tx, there)) not in warehouses.DRAWN:
            raise Refused(f"{code} is a {kind} warehouse: sales do not leave from it", "house_not_drawn", code=code)
        stored = await orders.lock_id(tx, order_id)
        if stored is None:
            raise Refused(f"there is no order {order_id}", "no_order")
        ids = await stock.components_of(tx, order_id)
        await ledger.make_levels(tx, [(sku, there) for sku in ids])
        await stock.lock_around(tx, ids)
        levels = await stock.lock_levels(tx, ids)
        moving = [
            (ref, sku, shelf, units)
            for (ref, sku), have in (await stock.held_by(tx, order_id)).items()
            for shelf, units in have.reserved.items()
            if shelf != there
        ]
        asked: dict[UUID, int] = {}
        for _ref, sku, _shelf, units in moving:
            asked[sku] = asked.get(sku, 0) + units
        lacking = [(sku, n, levels[sku, there].free) for sku, n in asked.items() if levels[sku, there].free < n]
        if lacking:
            raise await _lacking(tx, code, lacking)
        for ref, sku, shelf, units in moving:
            await transfers.shift(tx, order_id, ref, sku, shelf, there, units)
        if moving:
            await orders.event(tx, order_id, "allocated", warehouse=code, units=sum(asked.values()))
            await stock.audit(tx, "order_allocate", str(order_id), warehouse=code, units=sum(asked.values()))
            await follow(rt, tx, ids, ripple, "count")
        return sum(asked.values())

    return await transact(rt, seller_id, work)


async def _lacking(tx: Tx, code: str, lacking: Sequence[tuple[UUID, int, int]]) -> Refused:
    names = await lookup.names(tx, [sku for sku, _asked, _free in lacking])
    told = ", ".join(f"{names[sku]} ({asked} needed, {free} free)" for sku, asked, free in lacking)
    bare = ", ".join(f"{names[sku]} ({free} < {asked})" for sku, asked, free in lacking)
    return Refused(
        f"{code} has not enough free: {told}; a transfer brings it there (`balcao transfer open`)", "house_lacking",
        code=code, skus=bare,
    )  # fmt: skip

"""Moving stock between warehouses: opened, on its way, received in parts, and what is lost is named."""

from collections.abc import Mapping
from uuid import UUID

from hub.settlement import Levels
from hub.store import Tx, ledger, orders, stock, transfers, warehouses
from hub.store.ledger import Entry
from hub.store.transfers import Transfer
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import follow, shelf_named, single, transact
from jobs.runtime import Runtime


async def open_transfer(
    rt: Runtime, seller_id: UUID, here: str, there: str, units: Mapping[str, int], *, note: str = ""
) -> int:
    """Plan a transfer of so many units by SKU code. Nothing moves until it is sent. Answers its number.

    Raises Refused for an unknown or closed warehouse, a marketplace's, an unknown or unopened SKU, or a kit.
    """

    async def work(tx: Tx, ripple: Ripple) -> int:
        del ripple
        if not units or any(n < 1 for n in units.values()):
            raise Refused("nothing to transfer: name SKUs with their units, as in CANECA=2", "transfer_empty")
        from_id, to_id = await _end(tx, here), await _end(tx, there)
        if from_id == to_id:
            raise Refused(f"from {here} to {there}: a transfer goes to another warehouse", "transfer_same", code=here)
        known = await ledger.known(tx, units.keys())
        ids = {}
        for code, n in units.items():
            sku = single(known, code)
            if not sku.is_open:
                raise Refused(f"stock of {code} is not open: count it first (`balcao stock set`)", "not_open", sku=code)
            ids[sku.id] = n
        number = await transfers.add(tx, from_id, to_id, await warehouses.transit(tx), ids, note.strip())
        await stock.audit(tx, "transfer_open", str(number), source=here, target=there, units=dict(units))
        return number

    return await transact(rt, seller_id, work)


async def _end(tx: Tx, code: str) -> UUID:
    found = await shelf_named(tx, code)
    kind = await warehouses.kind(tx, found)
    if kind in ("marketplace", "transit"):
        why = "the marketplace keeps it" if kind == "marketplace" else "units pass through it by themselves"
        raise Refused(
            f"{code} is a {kind} warehouse: {why}; a transfer goes between own and damaged ones", "transfer_kind",
            code=code,
        )  # fmt: skip
    return found


async def send(rt: Runtime, seller_id: UUID, number: int, *, with_orders: bool = False) -> Transfer:
    """The units leave: they stand in transit from now on. Only free ones, or their reservations move along.

    Raises Refused when there is no such open transfer, or fewer units stand (free) there: then nothing moves.
    """

    async def work(tx: Tx, ripple: Ripple) -> Transfer:
        transfer = await _locked(tx, number, "open")
        moving = {line.sku_id: line.quantity for line in transfer.lines}
        levels = await _lock(tx, transfer)
        for line in transfer.lines:
            level = levels[line.sku_id, transfer.from_id]
            if line.quantity > (level.on_hand if with_orders else level.free):
                raise Refused(
                    _lacking(line.sku, line.quantity, level.on_hand, level.reserved, with_orders=with_orders),
                    "transfer_lacking", sku=line.sku, wanted=line.quantity, there=level.on_hand,
                    reserved=level.reserved,
                )  # fmt: skip
        for line in transfer.lines:
            held = line.quantity - levels[line.sku_id, transfer.from_id].free
            await _along(tx, line.sku_id, transfer.from_id, transfer.transit_id, held, latest=True, number=number)
        await _book(tx, transfer, f"transfer:{transfer.id}:send", [(transfer.from_id, -1), (transfer.transit_id, 1)],
                    moving, f"transfer {number} sent")  # fmt: skip
        await transfers.count(tx, transfer, sent=moving)
        await transfers.sent(tx, transfer, with_orders=with_orders)
        await stock.audit(tx, "transfer_send", str(number), with_orders=with_orders)
        await follow(rt, tx, moving.keys(), ripple, "count")
        return await _again(tx, number)

    return await transact(rt, seller_id, work)


def _lacking(code: str, wanted: int, on_hand: int, reserved: int, *, with_orders: bool) -> str:
    if with_orders or on_hand < wanted:
        return f"{code}: {wanted} were to leave, {on_hand} stand there"
    return (
        f"{code}: {wanted} were to leave, of {on_hand} there {reserved} are reserved for orders; send fewer, or their "
        "reservations too with --with-orders"
    )


async def receive(
    rt: Runtime,
    seller_id: UUID,
    number: int,
    units: Mapping[str, int] | None = None,
    *,
    finish: bool = False,
    after: int | None = None,
) -> Transfer:
    """Units arrive: those named, or (None) all that are under way. `finish`: what is still under way is lost.

    Orders that hold units in transit take what arrives first, soonest to ship first. `after`: how many arrivals
    there were when it was said, so that a form sent twice counts once. Raises Refused when there is no such transfer
    under way, or more is named than is: then nothing moves.
    """

    async def work(tx: Tx, ripple: Ripple) -> Transfer:
        transfer = await _locked(tx, number, "sent")
        if after is not None and transfer.receipts != after:
            raise Refused(f"transfer {number}: something arrived meanwhile", "transfer_again", number=number)
        arriving = _arriving(transfer, units)
        if not arriving and not finish:
            raise Refused(
                f"nothing of transfer {number} arrives: name SKUs with their units, as in CANECA=2", "transfer_nothing"
            )
        levels = await _lock(tx, transfer)
        for sku, n in arriving.items():
            held = min(n, levels[sku, transfer.transit_id].reserved)
            await _along(tx, sku, transfer.transit_id, transfer.to_id, held, latest=False, number=number)
        if arriving:
            source = f"transfer:{transfer.id}:receive:{await transfers.receipt(tx, transfer)}"
            await _book(tx, transfer, source, [(transfer.transit_id, -1), (transfer.to_id, 1)], arriving,
                        f"transfer {number} received")  # fmt: skip
            await transfers.count(tx, transfer, received=arriving)
        transfer = await _again(tx, number)
        left = {line.sku_id: line.under_way for line in transfer.lines if line.under_way}
        if left and finish:
            await _book(tx, transfer, f"transfer:{transfer.id}:lost", [(transfer.transit_id, -1)], left,
                        f"lost on the way, transfer {number}")  # fmt: skip
            await transfers.count(tx, transfer, lost=left)
        if finish or not left:
            await transfers.close(tx, transfer, "received")
        named = {line.sku: arriving.get(line.sku_id, 0) for line in transfer.lines}
        await stock.audit(tx, "transfer_receive", str(number), units=named, lost=sum(left.values()) if finish else 0)
        await follow(rt, tx, [line.sku_id for line in transfer.lines], ripple, "count")
        return await _again(tx, number)

    return await transact(rt, seller_id, work)


def _arriving(transfer: Transfer, units: Mapping[str, int] | None) -> dict[UUID, int]:
    if units is None:
        return {line.sku_id: line.under_way for line in transfer.lines if line.under_way}
    lines = {line.sku: line for line in transfer.lines}
    for code, n in units.items():
        if code not in lines:
            raise Refused(
                f"{code} is not in transfer {transfer.number}; it has {', '.join(lines)}", "transfer_stranger", sku=code
            )
        if n > lines[code].under_way:
            line = lines[code]
            raise Refused(
                f"{code}: {n} arrive, {line.under_way} are under way ({line.sent} sent, {line.received} received); "
                "what is more than was sent is a count: `balcao stock adjust`", "transfer_over", sku=code, units=n,
                under_way=line.under_way,
            )  # fmt: skip
    return {lines[code].sku_id: n for code, n in units.items() if n > 0}


async def cancel(rt: Runtime, seller_id: UUID, number: int) -> Transfer:
    """An open transfer is forgotten; of one under way, what has not arrived stands where it came from again."""

    async def work(tx: Tx, ripple: Ripple) -> Transfer:
        transfer = await _locked(tx, number, "open", "sent")
        left = {line.sku_id: line.under_way for line in transfer.lines if line.under_way}
        if left:
            levels = await _lock(tx, transfer)
            for sku, n in left.items():
                level = levels[sku, transfer.transit_id]
                await _along(tx, sku, transfer.transit_id, transfer.from_id, n - level.free, latest=True, number=number)
            await _book(tx, transfer, f"transfer:{transfer.id}:cancel",
                        [(transfer.transit_id, -1), (transfer.from_id, 1)], left,
                        f"transfer {number} cancelled")  # fmt: skip
            await transfers.count(tx, transfer, returned=left)
            await follow(rt, tx, left.keys(), ripple, "count")
        await transfers.close(tx, transfer, "cancelled")
        await stock.audit(tx, "transfer_cancel", str(number), back=sum(left.values()))
        return await _again(tx, number)

    return await transact(rt, seller_id, work)


# ── what they share ─────────────────────────────────────────────────────────────────────────────────────────


async def _locked(tx: Tx, number: int, *statuses: str) -> Transfer:
    transfer = await transfers.lock(tx, number)
    if transfer is None:
        raise Refused(f"there is no transfer {number} (`balcao transfer list`)", "no_transfer", number=number)
    if transfer.status not in statuses:
        raise Refused(
            f"transfer {number} is {transfer.status}: only one that is {' or '.join(statuses)} can be so",
            "transfer_state", number=number,
        )  # fmt: skip
    return transfer


async def _again(tx: Tx, number: int) -> Transfer:
    transfer = await transfers.lock(tx, number)
    if transfer is None:
        raise RuntimeError("a transfer vanished while it was locked")
    return transfer


async def _lock(tx: Tx, transfer: Transfer) -> Levels:
    ids = [line.sku_id for line in transfer.lines]
    shelves = (transfer.from_id, transfer.to_id, transfer.transit_id)
    await ledger.make_levels(tx, [(sku, shelf) for sku in ids for shelf in shelves])
    await stock.lock_around(tx, ids)
    return await stock.lock_levels(tx, ids)


async def _book(
    tx: Tx, transfer: Transfer, source: str, ends: list[tuple[UUID, int]], units: Mapping[UUID, int], note: str
) -> None:
    """The same units at every end: out of one shelf, onto another."""
    entries = [
        Entry(sku_id=sku, warehouse_id=shelf, delta=sign * n, reason="transfer", line_ref=str(transfer.id))
        for sku, n in units.items()
        for shelf, sign in ends
    ]
    booked = await ledger.book(tx, entries, source, note)
    if {sku for sku, _line in booked} != set(units):
        raise RuntimeError(f"{source} was booked before")


async def _along(tx: Tx, sku: UUID, here: UUID, there: UUID, units: int, *, latest: bool, number: int) -> None:
    """Reservations of so many units move along, of the orders that can wait longest, or that ship soonest."""
    if units <= 0:
        return
    holders = await transfers.holders(tx, sku, here)
    left = units
    for row in reversed(holders) if latest else holders:
        moved = min(left, row["quantity"])
        if not moved:
            break
        left -= moved
        await transfers.shift(tx, row["order_id"], row["line_ref"], sku, here, there, moved)
        await orders.event(tx, row["order_id"], "reservation_moved", line=row["line_ref"], units=moved, transfer=number)

"""Counting a warehouse (inventário): opened, entered, counted again, reported, posted in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hub.stock_sheet import Amiss, Row, Trouble
from hub.stocktake import HARD, Limits, Line, is_big
from hub.store import Tx, counting, ledger, stock
from hub.store.counting import Count
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import Collided, Told, shelf_named, single, transact, write
from jobs.runtime import Runtime

WINDOW = timedelta(minutes=30)  # a person writes a number down some minutes before or after it was true
MARKED_AT_ONCE = 1000
AHEAD = timedelta(minutes=1)  # clocks of people differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What posting a count did: SKUs counted, those whose book it corrected, and by how many units in all."""

    counted: int
    corrected: int
    more: int
    less: int
    uncounted: int


async def open_count(
    rt: Runtime, seller_id: UUID, *, warehouse: str | None = None, codes: Collection[str] | None = None,
    category: str | None = None, blind: bool = False, note: str = "",
) -> int:  # fmt: skip
    """Open a count of all SKUs, of a category, or of these codes. Answers its number; Refused names what is not there.

    `blind`: whoever counts is not told what the book says.
    """
    async with rt.db.seller(seller_id) as tx:
        shelf = await shelf_named(tx, warehouse)
        ids = None
        if codes is not None:
            known = await ledger.known(tx, codes)
            ids = {single(known, code).id for code in codes}
        number = await counting.add(tx, shelf, skus=ids, category=category, blind=blind, note=note)
        if not await counting.scope_of(tx, (await _open(tx, number)).id):
            what = f"no SKU has the category {category!r}" if category else "there is no SKU yet"
            raise Refused(f"{what}: there is nothing to count", "count_empty")
        await stock.audit(tx, "count_open", str(number), warehouse=warehouse, category=category, blind=blind)
    return number


async def enter(
    rt: Runtime,
    seller_id: UUID,
    number: int,
    rows: Sequence[Row],
    *,
    counted_at: datetime | None = None,
    add: bool = False,
) -> tuple[list[Line], list[Trouble]]:
    """Note what was counted, all rows or none; counting a SKU again replaces what was said of it.

    `add`: the rows are more units of what was counted so far, as a scanner reads them one by one.

    Answers the lines with the book of that moment, or what is wrong, by line of the file. Refused: no open count
    of that number, or an instant that has not come yet.
    """
    now = rt.now()
    at = counted_at or now
    if at > now + AHEAD:
        raise Refused(f"counted at: {at.isoformat(timespec='minutes')} has not come yet", "count_ahead")
    async with rt.db.seller(seller_id) as tx:
        count = await _open(tx, number)
        known = await ledger.known(tx, {row.sku for row in rows})
        scope = await counting.scope_of(tx, count.id)
        wrong = [Trouble.of(row.line, problem) for row in rows if (problem := _problem(count, row, known, scope))]
        if wrong:
            return [], wrong
        told = [(known[row.sku].id, row.units) for row in rows]
        await counting.widen(tx, count.id, [sku for sku, _units in told])
        if add:
            so_far = await counting.last_units(tx, count.id, [sku for sku, _units in told])
            told = [(sku, units + so_far.get(sku, 0)) for sku, units in told]
        await counting.enter(tx, count.id, told, min(at, now))
        return await counting.lines(tx, count, WINDOW, {sku for sku, _units in told}), []


def _problem(count: Count, row: Row, known: Mapping[str, ledger.Known], scope: Collection[UUID]) -> Amiss | None:
    sku = known.get(row.sku)
    if sku is None:
        return Amiss(f"sku: there is no {row.sku!r}", "no_sku", sku=row.sku)
    if sku.is_kit:
        return Amiss(f"sku: {row.sku!r} is a kit, which follows from its components", "kit", sku=row.sku)
    if count.scope != "all" and sku.id not in scope:
        return Amiss(f"sku: {row.sku!r} is not in count {count.number}", "count_stranger", sku=row.sku)
    if row.warehouse is not None and row.warehouse.casefold() != count.warehouse.casefold():
        return Amiss(
            f"warehouse: count {count.number} is of {count.warehouse}, not of {row.warehouse!r}", "count_elsewhere",
            code=count.warehouse,
        )  # fmt: skip
    return None


async def report(rt: Runtime, seller_id: UUID, number: int, window: timedelta = WINDOW) -> tuple[Count, list[Line]]:
    """A count and its lines as they stand; of a posted count the differences as they were booked."""
    async with rt.db.seller(seller_id) as tx:
        count = await _any(tx, number)
        return count, await counting.lines(tx, count, window)


async def post(
    rt: Runtime, seller_id: UUID, number: int, *, limits: Limits, yes: bool = False, accept_flagged: bool = False,
    window: timedelta = WINDOW,
) -> Posted:  # fmt: skip
    """Book the differences of a count, all in one transaction; what was not counted stays as it is.

    Raises Refused, and books nothing, for big differences (unless `yes`), for SKUs that should be counted again
    (unless `accept_flagged`), and always for those that somebody counted since.
    """
    source = f"count:{number}"
    agreed: list[tuple[UUID, datetime]] = []

    async def work(tx: Tx, ripple: Ripple) -> Posted:
        count = await _open(tx, number, lock=True)
        lines = await counting.lines(tx, count, window)
        counted = [line for line in lines if line.counted_at is not None]
        _refuse(count, counted, limits, yes=yes, accept_flagged=accept_flagged)
        told = [
            Told(sku_id=line.sku_id, warehouse_id=count.warehouse_id, units=line.variance or 0)
            for line in counted
            if line.variance or not line.is_open
        ]
        if told:
            await write(
                rt, tx, told, mode="add", reason="count", source_ref=source, ripple=ripple, note=count.note or None,
            )  # fmt: skip
        moments = {line.sku_id: line.counted_at for line in counted if line.counted_at}
        if await counting.counted_since(tx, count.warehouse_id, moments):
            raise Collided  # somebody counted one while we waited for its level: look again
        await _mark(tx, count, [(row.sku_id, moments[row.sku_id]) for row in told])
        await counting.posted(tx, count.id, [(line.sku_id, line.variance or 0) for line in counted], rt.now())
        done = Posted(
            counted=len(counted),
            corrected=sum(bool(line.variance) for line in counted),
            more=sum(max(0, line.variance or 0) for line in counted),
            less=sum(max(0, -(line.variance or 0)) for line in counted),
            uncounted=len(lines) - len(counted),
        )
        await stock.audit(tx, "count_post", str(number), more=done.more, less=done.less, corrected=done.corrected)
        agreed.extend((sku, at) for sku, at in moments.items() if sku not in {row.sku_id for row in told})
        return done

    done = await transact(rt, seller_id, work)
    # Where count and book agreed nothing is booked, and no sale waits: only the time is kept.
    for start in range(0, len(agreed), MARKED_AT_ONCE):
        async with rt.db.seller(seller_id) as tx:
            await _mark(tx, await _any(tx, number), agreed[start : start + MARKED_AT_ONCE])
    return done


async def _mark(tx: Tx, count: Count, moments: Sequence[tuple[UUID, datetime]]) -> None:
    places = [(sku, count.warehouse_id) for sku, _at in moments]
    await ledger.make_levels(tx, places)
    await ledger.mark_counted(tx, places, [at for _sku, at in moments])


def _refuse(count: Count, counted: Sequence[Line], limits: Limits, *, yes: bool, accept_flagged: bool) -> None:
    if not counted:
        raise Refused(f"nothing was counted in count {count.number} yet", "count_nothing", number=count.number)
    hard = [line for line in counted if HARD & set(line.flags)]
    soft = [line for line in counted if line.flags]
    big = [line for line in counted if is_big(line, limits)]
    if hard:
        raise Refused(
            f"{_named(hard)} must be counted again: the number is older than what is known by now", "count_hard",
            skus=_named(hard, and_="+"),
        )  # fmt: skip
    if soft and not accept_flagged:
        raise Refused(
            f"{_named(soft)} should be counted again, stock was moving when it was counted "
            f"(`balcao count report {count.number}` says how); --accept-flagged posts them as they are",
            "count_soft", skus=_named(soft, and_="+"),
        )  # fmt: skip
    if big and not yes:
        raise Refused(
            f"{_named(big)} differ much from the book: look at the report, then post with --yes", "count_big",
            skus=_named(big, and_="+"),
        )  # fmt: skip


def _named(lines: Sequence[Line], and_: str = "and") -> str:
    """Some SKUs; with "+" the others are a figure alone, for any language."""
    some, more = ", ".join(line.sku for line in lines[:5]), len(lines) - 5
    if more <= 0:
        return some
    return f"{some} (+{more})" if and_ == "+" else f"{some} {and_} {more} more"


async def cancel(rt: Runtime, seller_id: UUID, number: int) -> None:
    """Give a count up: nothing of it is booked."""
    async with rt.db.seller(seller_id) as tx:
        count = await _open(tx, number, lock=True)
        await counting.close(tx, count.id, "cancelled", rt.now())
        await stock.audit(tx, "count_cancel", str(number))


async def _open(tx: Tx, number: int, *, lock: bool = False) -> Count:
    count = await _any(tx, number, lock=lock)
    if count.state != "open":
        raise Refused(f"count {number} is {count.state}: open another one", "count_state", number=number)
    return count


async def _any(tx: Tx, number: int, *, lock: bool = False) -> Count:
    count = await counting.get(tx, number, lock=lock)
    if count is None:
        raise Refused(f"there is no count {number}: `balcao count list` lists them", "no_count", number=number)
    return count

"""Files of stock: planned line by line, staged whole, written in chunks, undone by counter-entries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.stock import zero_brake
from hub.stock_sheet import Amiss, Row, Trouble
from hub.store import Tx, imports, ledger, policies, stock, warehouses
from hub.store.imports import Import, ImportRow
from hub.store.ledger import Entry, Known
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import Mode, Told, follow, transact, write
from jobs.linking import link_exactly
from jobs.runtime import Runtime

CHUNK = 1000  # SKUs locked at once: about a quarter of a second, which a sale may wait
FEW = 5  # so many zeros at once are not worth asking about
WHY = {
    "counted": "was counted since",
    "below_zero": "fewer units stand there than would go",
    "in_use": "the file opened its stock, which orders or others moved since",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a line would do; `sku_id` null: the SKU is made. `opens`: its stock begins to count."""

    row: Row
    sku_id: UUID | None
    warehouse_id: UUID
    warehouse: str
    before: int
    after: int
    opens: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What undoing a file did, and the lines that were left as they are: {line, sku, warehouse, why, kind}."""

    lines: int
    shut: int
    left: list[dict[str, Any]]


async def plan(
    rt: Runtime, seller_id: UUID, rows: Sequence[Row], mode: Mode, *, create: bool
) -> tuple[list[Planned], list[Trouble]]:
    """What each line would do, and what is wrong with the others. Nothing is written or locked."""
    async with rt.db.seller(seller_id) as tx:
        await warehouses.warehouse(tx, None)  # made where a seller has none
        houses = await imports.houses(tx)
        known = await ledger.known(tx, {row.sku for row in rows})
        found, bad = _found(rows, houses, known, mode, create=create)
        stands = await ledger.on_hand(tx, [(sku.id, house["id"]) for _row, house, sku in found if sku])
    good = []
    for row, house, sku in found:
        before = stands[sku.id, house["id"]] if sku else 0
        after = row.units if mode == "set" else before + row.units
        if after < 0:
            problem = Amiss(
                f"quantity: {before} stand there, {row.units} would leave {after}", "below_zero", sku=row.sku,
                there=before, units=-row.units,
            )  # fmt: skip
            bad.append(Trouble.of(row.line, problem))
            continue
        good.append(
            Planned(
                row=row, sku_id=sku.id if sku else None, warehouse_id=house["id"], warehouse=house["code"],
                before=before, after=after, opens=sku is None or not sku.is_open,
            )
        )  # fmt: skip
    return good, sorted(bad, key=lambda each: each.line)


def _found(
    rows: Sequence[Row], houses: Sequence[Mapping[str, Any]], known: Mapping[str, Known], mode: Mode, *, create: bool
) -> tuple[list[tuple[Row, Mapping[str, Any], Known | None]], list[Trouble]]:
    """Each line's warehouse and SKU, and the lines that name none."""
    good, bad = [], []
    first: dict[tuple[str, UUID], int] = {}
    for row in rows:
        house, sku = _house(houses, row.warehouse), known.get(row.sku)
        if problem := _problem(row, house, houses, sku, mode, create=create):
            bad.append(Trouble.of(row.line, problem))
        elif house is not None:
            line = first.setdefault((row.sku, house["id"]), row.line)
            if line == row.line:
                good.append((row, house, sku))
            else:
                again = f"sku: {row.sku!r} in {house['code']} stands in line {line} already"
                bad.append(Trouble.of(row.line, Amiss(again, "sku_twice", sku=row.sku, line=line)))
    return good, bad


def _house(houses: Sequence[Mapping[str, Any]], named: str | None) -> Mapping[str, Any] | None:
    """The warehouse of that code, else of that name where one alone has it; the first by rank where none is named."""
    if named is None:
        return next((house for house in houses if house["kind"] == "own"), None)
    if exact := [house for house in houses if house["code"] == named]:
        return exact[0]
    wanted = named.casefold()
    alike = [house for house in houses if wanted in {house["code"].casefold(), house["name"].casefold()}]
    return alike[0] if len(alike) == 1 else None


def _problem(
    row: Row, house: Mapping[str, Any] | None, houses: Sequence[Mapping[str, Any]], sku: Known | None, mode: Mode, *,
    create: bool,
) -> Amiss | None:  # fmt: skip
    if house is None:
        codes = ", ".join(sorted(one["code"] for one in houses))
        return Amiss(
            f"warehouse: there is no {row.warehouse!r} (there are: {codes})", "house_among", code=row.warehouse,
            codes=codes,
        )  # fmt: skip
    if sku is None and (not create or mode == "add"):
        way_out = "" if mode == "add" else "; --create makes it"
        return Amiss(
            f"sku: there is no {row.sku!r}{way_out}", "no_sku" if mode == "add" else "no_sku_create", sku=row.sku
        )
    if sku is not None and sku.is_kit:
        return Amiss(f"sku: {row.sku!r} is a kit, which follows from its components", "kit", sku=row.sku)
    if sku is not None and mode == "add" and not sku.is_open:
        return Amiss(f"sku: stock of {row.sku!r} is not open: count it first", "not_open", sku=row.sku)
    return None


async def begin(
    rt: Runtime, seller_id: UUID, planned: Sequence[Planned], mode: Mode, *, file_name: str = "", zeros: bool = False
) -> Import:
    """Stage a planned file: all its rows, or none. Writing it is `carry_on`'s.

    Raises Refused when it would empty a large share of all shelves and nobody said `zeros`: a column that was
    exported empty looks like that, and chunks would slip past each channel's own brake.
    """
    async with rt.db.seller(seller_id) as tx:
        emptied = sum(row.before > 0 and row.after == 0 for row in planned)
        filled = await imports.filled_shelves(tx)
        share = await policies.brake_share(tx, rt.policy.zero_brake_share)
        if not zeros and emptied >= FEW and zero_brake(filled, emptied, share):
            raise Refused(
                f"{emptied} of {filled} counts that are not zero would become zero: --zeros if that is meant",
                "import_zeros", emptied=emptied, filled=filled,
            )  # fmt: skip
        new = [row.row.sku for row in planned if row.sku_id is None]
        await ledger.put_skus(tx, new)
        made_now = {code: sku.id for code, sku in (await ledger.known(tx, new)).items()}
        rows = [
            ImportRow(
                line=row.row.line,
                sku_id=row.sku_id or made_now[row.row.sku],
                warehouse_id=row.warehouse_id,
                units=row.row.units,
            )
            for row in planned
        ]
        made = await imports.add(tx, mode, file_name, rows)
        await stock.audit(tx, "stock_import", str(made.number), file=file_name, mode=mode, rows=len(rows))
    if new:

        async def link(tx: Tx, ripple: Ripple) -> None:
            await link_exactly(rt, tx, None, ripple)

        await transact(rt, seller_id, link)
    return made


async def carry_on(
    rt: Runtime, seller_id: UUID, number: int, progress: Callable[[int], None] = lambda _rows: None
) -> dict[str, int]:
    """Write what is left of a staged file, a chunk of SKUs in each transaction. Answers imports.summary.

    Stopped at any point, it goes on where it was: a row is written once. Two at once take turns.
    """

    async def chunk(tx: Tx, ripple: Ripple) -> int:
        made = await _get(tx, number)
        rows = await imports.next_rows(tx, made.id, CHUNK)
        if not rows:
            await imports.finish(tx, made.id, rt.now())
            return 0
        told = [
            Told(sku_id=row.sku_id, warehouse_id=row.warehouse_id, units=row.units, line_ref=str(row.line))
            for row in rows
        ]
        done = await write(
            rt, tx, told, mode="set" if made.mode == "set" else "add", opens=made.mode == "set",
            reason="count" if made.mode == "set" else "adjustment", source_ref=made.source_ref, ripple=ripple,
            cause="import",
        )  # fmt: skip
        did = [(int(row.told.line_ref), row.before, row.delta, row.opened) for row in done]
        await imports.applied(tx, made.id, did, rt.now())
        return len(rows)

    while count := await transact(rt, seller_id, chunk):
        progress(count)
    async with rt.db.seller(seller_id) as tx:
        return await imports.summary(tx, (await _get(tx, number, lock=False)).id)


async def _get(tx: Tx, number: int, *, lock: bool = True) -> Import:
    made = await imports.get(tx, number, lock=lock)
    if made is None:
        raise Refused(f"there is no import {number}: `balcao stock imports` lists them", "no_import", number=number)
    return made


async def undo(
    rt: Runtime,
    seller_id: UUID,
    number: int,
    *,
    rest: bool = False,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Undone:
    """Take a file back by counter-entries, chunk by chunk; a row is undone once.

    Lines counted since, or that cannot go, stop it before anything is written, unless `rest` says to undo the
    others. A SKU that the file opened and nobody moved since is not open any more.
    """
    if not rest and (left := await _stuck(rt, seller_id, number)):
        told = "; ".join(f"{row['sku']} ({row['warehouse']}) {WHY[row['why']]}" for row in left[:5])
        bare = ", ".join(dict.fromkeys(row["sku"] for row in left[:5]))
        raise Refused(
            f"{len(left)} lines cannot be undone, --rest undoes the others: {told}", "import_stuck", count=len(left),
            skus=bare,
        )  # fmt: skip
    after: UUID | None = None
    left, lines, shut = [], 0, 0
    while True:

        async def chunk(tx: Tx, ripple: Ripple, after: UUID | None = after) -> tuple[list[dict[str, Any]], int]:
            return await _undo_chunk(rt, tx, number, after, ripple)

        rows, closed = await transact(rt, seller_id, chunk)
        if not rows:
            break
        after = rows[-1]["sku_id"]
        left += [row for row in rows if row["why"]]
        lines += sum(row["why"] is None for row in rows)
        shut += closed
        progress(len(rows))
    told_left = [{**row, "why": WHY[row["why"]], "kind": row["why"]} for row in left]
    return Undone(lines=lines, shut=shut, left=told_left)


async def _stuck(rt: Runtime, seller_id: UUID, number: int) -> list[dict[str, Any]]:
    async with rt.db.seller(seller_id) as tx:
        made = await _get(tx, number, lock=False)
        rows = _together(await imports.undoable(tx, made.id, None, 2**31 - 1))
    if not rows:
        raise Refused(
            f"import {number} has nothing to undo: it was undone before, or nothing of it was written",
            "import_undone", number=number,
        )  # fmt: skip
    return [row for row in rows if row["why"]]


def _together(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A SKU that the file opened is undone with all its lines, or left with all of them."""
    stuck = {row["sku_id"]: row["why"] for row in rows if row["opened"] and row["why"]}
    return [{**row, "why": row["why"] or (stuck.get(row["sku_id"]) if row["opened"] else None)} for row in rows]


async def _undo_chunk(
    rt: Runtime, tx: Tx, number: int, after: UUID | None, ripple: Ripple
) -> tuple[list[dict[str, Any]], int]:
    made = await _get(tx, number)
    ids = {row["sku_id"] for row in await imports.undoable(tx, made.id, after, CHUNK)}
    await ledger.lock_openings(tx, ids)
    await stock.lock_around(tx, ids)
    rows = _together(await imports.undoable(tx, made.id, after, CHUNK))  # under the locks
    going = [row for row in rows if row["why"] is None]
    entries = [
        Entry(sku_id=row["sku_id"], warehouse_id=row["warehouse_id"], delta=-row["delta"], reason="undo",
              line_ref=str(row["line"]))
        for row in going
    ]  # fmt: skip
    await ledger.book(tx, entries, made.source_ref)
    shut = {row["sku_id"] for row in going if row["opened"]}
    await imports.shut_skus(tx, shut)
    await imports.undone(tx, made.id, [row["line"] for row in going], rt.now())
    await follow(rt, tx, {row["sku_id"] for row in going}, ripple, "count")
    if after is None:
        await stock.audit(tx, "stock_undo", str(number))
    return rows, len(shut)

"""SKUs as people tell them: made, their facts changed, units set aside as damaged; and files of facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from hub.sku_sheet import Row
from hub.store import Tx, ledger, lookup, returns, skus, stock, warehouses
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import Done, Told, follow, shelf_named, single, transact, write
from jobs.linking import link_exactly
from jobs.runtime import Runtime


async def add(rt: Runtime, seller_id: UUID, code: str, facts: Mapping[str, Any]) -> UUID:
    """A new SKU; listings that carry its code or GTIN are linked to it. Refused where there is one of that code."""

    async def work(tx: Tx, ripple: Ripple) -> UUID:
        if await stock.sku_id(tx, code) is not None:
            raise Refused(f"there is a SKU {code!r} already", "sku_there", sku=code)
        made = await stock.sku_put(tx, code)
        await skus.put_facts(tx, {made: facts})
        await link_exactly(rt, tx, None, ripple)
        await stock.audit(tx, "sku_add", code, **facts)
        return made

    return await transact(rt, seller_id, work)


async def edit(rt: Runtime, seller_id: UUID, sku_id: UUID, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Change facts. Answers those that changed, as they were. Refused where there is no such SKU."""

    async def work(tx: Tx, ripple: Ripple) -> dict[str, Any]:
        known = await skus.by_id(tx, sku_id)
        if known is None:
            raise Refused("there is no such SKU", "no_sku", sku=str(sku_id))
        before = {name: known[name] for name, value in facts.items() if known[name] != value}
        if before:
            await _put(rt, tx, {sku_id: {name: facts[name] for name in before}}, {sku_id: before}, ripple)
            await stock.audit(tx, "sku_edit", known["code"], **{name: facts[name] for name in before})
        return before

    return await transact(rt, seller_id, work)


async def _put(
    rt: Runtime, tx: Tx, told: Mapping[UUID, Mapping[str, Any]], before: Mapping[UUID, Mapping[str, Any] | None],
    ripple: Ripple,
) -> None:  # fmt: skip
    """Write facts. Another category brings other buffers; another GTIN, listings that are certainly this SKU."""
    moved = [id_ for id_, was in before.items() if was is not None and "category" in was]
    if moved:
        await stock.lock_around(tx, moved)
    await skus.put_facts(tx, told)
    if moved:
        await follow(rt, tx, moved, ripple, "buffer")
    if any(was is None or "gtin" in was for was in before.values()):
        await link_exactly(rt, tx, None, ripple)


async def set_aside(
    rt: Runtime, seller_id: UUID, code: str, units: int, note: str, *, warehouse: str | None = None,
    ref: str | None = None,
) -> Done | None:  # fmt: skip
    """Units of a shelf are damaged: they go to the warehouse of damaged goods, in one transaction.

    Answers what became of the shelf; None for a `ref` that was booked before. Refused as `jobs.ledger.adjust`.
    """
    source = f"damaged:{ref or uuid4()}"

    async def work(tx: Tx, ripple: Ripple) -> Done | None:
        sku = single(await ledger.known(tx, [code]), code)
        if not sku.is_open:
            raise Refused(f"stock of {code} is not open: count it first", "not_open", sku=code)
        shelf = await shelf_named(tx, warehouse)
        if await warehouses.kind(tx, shelf) != "own":
            raise Refused("damaged units are set aside from an own warehouse", "aside_kind")
        if ref is not None and await lookup.is_booked(tx, "adjustment", source):
            return None
        apart = await returns.damaged_goods(tx)
        told = [Told(sku_id=sku.id, warehouse_id=shelf, units=-units),
                Told(sku_id=sku.id, warehouse_id=apart, units=units)]  # fmt: skip
        done, _there = await write(
            rt, tx, told, mode="add", reason="adjustment", source_ref=source, ripple=ripple, note=note, opens=False
        )
        if not done.delta:
            return None
        if done.after < 0:
            raise Refused(f"{code}: {done.before} stand there, {units} would leave {done.after}", "below_zero",
                          sku=code, there=done.before, units=units)  # fmt: skip
        await stock.audit(tx, "stock_damaged", code, units=units, note=note, warehouse=warehouse)
        return done

    return await transact(rt, seller_id, work)


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────

CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a line would do: `before` what changes as it is (None: the SKU is made), `after` as it would be."""

    line: int
    sku: str
    sku_id: UUID | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


async def plan(rt: Runtime, seller_id: UUID, rows: Sequence[Row]) -> list[Planned]:
    """What each line would do; one that changes nothing has an empty `after`. Nothing is written or locked."""
    async with rt.db.seller(seller_id) as tx:
        return await _plan(tx, rows)


async def _plan(tx: Tx, rows: Sequence[Row]) -> list[Planned]:
    known = await skus.facts(tx, [row.sku for row in rows])
    planned = []
    for row in rows:
        there = known.get(row.sku)
        told = {name: value for name, value in row.facts.items() if there is None or there[name] != value}
        before = None if there is None else {name: there[name] for name in told}
        planned.append(Planned(line=row.line, sku=row.sku, sku_id=there["id"] if there else None, before=before,
                               after=told))  # fmt: skip
    return planned


async def write_file(rt: Runtime, seller_id: UUID, rows: Sequence[Row], file_name: str) -> tuple[int, int, int]:
    """Write a file of facts, all of it or nothing. Answers its number, SKUs made, SKUs changed.

    Raises Refused where nothing would change.
    """

    async def work(tx: Tx, ripple: Ripple) -> tuple[int, int, int]:
        planned = await _plan(tx, rows)
        going = [each for each in planned if each.after or each.sku_id is None]
        if not going:
            raise Refused("nothing of the file changes anything", "file_same")
        await ledger.put_skus(tx, [each.sku for each in going if each.sku_id is None])
        ids = {code: row["id"] for code, row in (await skus.facts(tx, [each.sku for each in going])).items()}
        await _put(rt, tx, {ids[each.sku]: each.after for each in going},
                   {ids[each.sku]: each.before for each in going}, ripple)  # fmt: skip
        number = await skus.add_import(tx, file_name, [(each.line, ids[each.sku], each.before, each.after)
                                                       for each in going])  # fmt: skip
        made = sum(each.sku_id is None for each in going)
        await stock.audit(tx, "sku_import", str(number), file=file_name, made=made, changed=len(going) - made)
        return number, made, len(going) - made

    return await transact(rt, seller_id, work)


async def undo_file(rt: Runtime, seller_id: UUID, number: int) -> tuple[int, list[str]]:
    """Take a file of facts back: what nobody changed since is as it was, SKUs that nothing speaks of are gone.

    Answers how many SKUs, and the codes of those that stay as they are.
    """

    async def work(tx: Tx, ripple: Ripple) -> tuple[int, list[str]]:
        found = await skus.import_rows(tx, number)
        if found is None:
            raise Refused(f"import {number} has nothing to undo", "import_undone", number=number)
        import_id, rows = found
        there = [row for row in rows if row["code"] is not None]
        made = [row for row in there if row["before"] is None]
        back = [row for row in there if row["before"] is not None
                and all(row[name] == value for name, value in row["after"].items())]  # fmt: skip
        before = {row["sku_id"]: row["after"] for row in back}
        if back:
            await _put(rt, tx, {row["sku_id"]: row["before"] for row in back}, before, ripple)
        gone = await skus.drop_unused(tx, [row["sku_id"] for row in made])
        await skus.undone(tx, import_id, rt.now())
        done = {row["sku_id"] for row in back} | gone
        await stock.audit(tx, "sku_undo", str(number), count=len(done))
        return len(done), [row["code"] for row in there if row["sku_id"] not in done]

    return await transact(rt, seller_id, work)

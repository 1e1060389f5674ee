"""Stock as people tell it: counts, and why channels show what they show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from hub import stock as decide
from hub.contract import PHYSICAL
from hub.store import Tx, ledger, slots, stock, warehouses
from hub.why import Answer
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import Told, shelf_named, single, transact, write
from jobs.linking import link_exactly
from jobs.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a count did to one SKU in one warehouse."""

    sku: str
    before: int
    after: int
    opened: bool


async def set_stock(
    rt: Runtime, seller_id: UUID, counts: Sequence[tuple[str, int]], *, warehouse: str | None = None,
    reason: str = "count", create: bool = False, note: str | None = None,
) -> list[Counted]:  # fmt: skip
    """Set physical units (reserved ones included) of SKUs in a warehouse, in one transaction; of two counts of one
    SKU the later one.

    Raises Refused for an unknown SKU (unless `create`) or warehouse, or a negative number: then nothing is written.
    """
    source = f"{reason}:{uuid4()}"

    async def work(tx: Tx, ripple: Ripple) -> list[Counted]:
        shelf = await shelf_named(tx, warehouse)
        wanted = dict(counts)
        ids = await _skus(tx, wanted, create=create)
        if create:
            await link_exactly(rt, tx, None, ripple)
        told = [Told(sku_id=ids[code], warehouse_id=shelf, units=units) for code, units in wanted.items()]
        done = await write(rt, tx, told, mode="set", reason=reason, source_ref=source, ripple=ripple, note=note)
        await stock.audit(tx, "stock_set", "stock", warehouse=warehouse, counts=dict(list(wanted.items())[:50]))
        return [
            Counted(sku=code, before=row.before, after=row.after, opened=row.opened)
            for code, row in zip(wanted, done, strict=True)
        ]

    return await transact(rt, seller_id, work)


async def _skus(tx: Tx, counts: Mapping[str, int], *, create: bool) -> dict[str, UUID]:
    for code, units in counts.items():
        if units < 0:
            raise Refused(f"quantity of {code}: {units} is below zero", "quantity", sku=code)
    if create:
        await ledger.put_skus(tx, counts.keys())
    known = await ledger.known(tx, counts.keys())
    return {code: single(known, code).id for code in counts}


async def explain(
    rt: Runtime, seller_id: UUID, sku: str, only: UUID | None = None
) -> list[tuple[dict[str, object], Answer]]:
    """Why each channel shows the number it shows: one answer per slot (or for `only` this one) that sells this SKU."""
    async with rt.db.seller(seller_id) as tx:
        sku_id = await stock.sku_id(tx, sku)
        if sku_id is None:
            raise Refused(f"there is no SKU {sku!r}", "no_sku", sku=sku)
        shelves = await warehouses.shelves(tx)
        found = []
        for inputs in await stock.inputs(tx, [sku_id], shelves, rt.now()):
            if only not in (None, inputs.slot_id):
                continue
            slot = await slots.state(tx, inputs.slot_id)
            sink = rt.adapter(slot["channel"]).stock
            if sink and sink.numbers == PHYSICAL:
                inputs = replace(inputs, numbers=PHYSICAL, own_reserved=slot["reserved_there"])  # noqa: PLW2901 - as told
            found.append((slot, decide.available(inputs)))
        return found

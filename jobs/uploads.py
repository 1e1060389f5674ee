"""Sheets that wait to be looked at: kept, planned as things stand, written once, or thrown away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hub import sku_sheet
from hub.stock_sheet import Trouble, read_rows
from hub.store import skus
from jobs import imports as stock_files
from jobs import skus as sku_files
from jobs.connect import Refused
from jobs.ledger import Mode
from jobs.runtime import Runtime

Kept = Mapping[str, Any]  # id, kind, file_name, body, options, at


@dataclass(slots=True)
class Plan:
    """What a file would do: its rows as they would be written, what changes, and what is wrong."""

    good: Sequence[Any]
    wrong: list[Trouble]
    changes: list[Any] = field(default_factory=list)
    rows: Sequence[Any] = ()

    @property
    def made(self) -> int:
        """SKUs that are made."""
        return sum(each.sku_id is None for each in self.changes)

    @property
    def opened(self) -> int:
        """SKUs whose stock begins to count."""
        return sum(getattr(each, "opens", False) for each in self.good)

    @property
    def emptied(self) -> int:
        """Counts that go to zero."""
        stock = [each for each in self.good if isinstance(each, stock_files.Planned)]
        return sum(each.after == 0 and each.before != 0 for each in stock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What confirming a file did. Of stock: lines written, changed, SKUs opened, lines left; of SKUs: made, changed."""

    kind: str
    number: int
    changed: int
    written: int = 0
    opened: int = 0
    left: int = 0
    made: int = 0


def mode_of(kept: Kept) -> Mode:
    """Whether a file of stock says what there is, or by how much that changes."""
    return "add" if kept["options"]["mode"] == "add" else "set"


async def upload(
    rt: Runtime, seller_id: UUID, kind: str, file_name: str, body: bytes, *, mode: Mode, create: bool
) -> UUID:  # fmt: skip
    """Keep a file of `stock` or of `skus` for a day. Raises Unusable for what is no such file."""
    read_rows(body, mode) if kind == "stock" else sku_sheet.read_rows(body)
    async with rt.db.seller(seller_id) as tx:
        return await skus.upload(tx, kind, file_name, body, {"mode": mode, "create": create})


async def kept(rt: Runtime, seller_id: UUID, upload_id: UUID, *, take: bool = False) -> Kept:
    """The file that waits; `take`: nobody else may write it after that. Refused (no_upload) where there is none."""
    async with rt.db.seller(seller_id) as tx:
        found = await skus.uploaded(tx, upload_id, lock=take)
        if found is None or (take and not await skus.forget_upload(tx, upload_id)):
            raise Refused("there is no such file, or it was written or discarded", "no_upload")
    return found


async def plan(rt: Runtime, seller_id: UUID, told: Kept) -> Plan:
    """What a file would do, line by line, as things stand now."""
    if told["kind"] == "skus":
        rows, wrong = sku_sheet.read_rows(bytes(told["body"]))
        planned = await sku_files.plan(rt, seller_id, rows)
        return Plan(planned, wrong, [each for each in planned if each.after or each.sku_id is None], rows)
    mode = mode_of(told)
    lines, troubles = read_rows(bytes(told["body"]), mode)
    good, bad = await stock_files.plan(rt, seller_id, lines, mode, create=told["options"]["create"])
    wrong = sorted([*troubles, *bad], key=lambda each: each.line)
    return Plan(good, wrong, [each for each in good if each.before != each.after or each.opens])


async def confirm(
    rt: Runtime, seller_id: UUID, upload_id: UUID, *, skip_bad: bool = False, zeros: bool = False
) -> Written:  # fmt: skip
    """Write a file, once whoever else confirms it too. What is refused waits as it did, under its id.

    `skip_bad`: the lines that are right alone; `zeros`: counts may go to zero by the dozen.
    """
    told = await kept(rt, seller_id, upload_id, take=True)
    try:
        return await _write(rt, seller_id, told, skip_bad=skip_bad, zeros=zeros)
    except Refused:
        async with rt.db.seller(seller_id) as tx:
            await skus.upload(
                tx, told["kind"], told["file_name"], bytes(told["body"]), told["options"], upload_id=upload_id
            )
        raise


async def _write(rt: Runtime, seller_id: UUID, told: Kept, *, skip_bad: bool, zeros: bool) -> Written:
    planned = await plan(rt, seller_id, told)
    if planned.wrong and not skip_bad:
        raise Refused(f"{len(planned.wrong)} lines are wrong: mend them, or write the others", "upload_wrong")
    if told["kind"] == "skus":
        number, made, changed = await sku_files.write_file(rt, seller_id, planned.rows, told["file_name"])
        return Written(kind="skus", number=number, made=made, changed=changed)
    if not planned.good:
        raise Refused("no line can be written", "upload_nothing")
    begun = await stock_files.begin(
        rt, seller_id, planned.good, mode_of(told), file_name=told["file_name"], zeros=zeros
    )  # fmt: skip
    did = await stock_files.carry_on(rt, seller_id, begun.number)
    return Written(
        kind="stock", number=begun.number, written=did["written"], changed=did["changed"], opened=did["opened"],
        left=did["left"],
    )  # fmt: skip

"""What became of returned units: as somebody here decided at receipt, else as the channel tells. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from hub.model import Disposition, Order, OrderLine

Fate: TypeAlias = tuple[Disposition | None, UUID | None]  # what became of them; in which warehouse, where one was named
BY_HAND = "balcao"  # the ref of a return that no channel tells: goods that came back over the counter

# Who is served first when more units are said to come back than ever left: those that cannot be sold again.
_DISPOSITIONS = (Disposition.DAMAGED, Disposition.LOST, Disposition.SELLABLE, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """So many units (as the line counts them) of a return's line, in all, and what became of them.

    `warehouse_id` null: sellable ones go back to the shelf that they left from, damaged ones to the warehouse of
    damaged goods. A receipt of 0 units is a decision, too.
    """

    return_ref: str
    line_ref: str
    disposition: Disposition
    warehouse_id: UUID | None
    quantity: int


def fates(order: Order, line: OrderLine, receipts: Sequence[Receipt] = ()) -> dict[Fate, int]:
    """Units of a line that came back, by fate, at most those dispatched; what nobody decided yet has none.

    A return's line that was received here is what was received; the channel's word on it counts no more.
    """
    units: dict[Fate, int] = {}
    decided = {row.return_ref for row in receipts if row.line_ref == line.ref}
    for receipt in receipts:
        if receipt.line_ref == line.ref:
            _add(units, (receipt.disposition, receipt.warehouse_id), receipt.quantity)
    for back in order.returns:
        told = [row for row in back.lines if row.line_ref == line.ref]
        if back.ref in decided:
            received = sum(r.quantity for r in receipts if (r.return_ref, r.line_ref) == (back.ref, line.ref))
            _add(units, (None, None), max(0, sum(row.quantity for row in told) - received))
        else:
            for row in told:
                _add(units, (row.disposition, None), row.quantity)
    _add(units, (None, None), max(0, line.returned_quantity - sum(units.values())))
    return _fitting(units, line.dispatched_quantity)


def _add(units: dict[Fate, int], fate: Fate, more: int) -> None:
    units[fate] = units.get(fate, 0) + more


def _fitting(units: Mapping[Fate, int], room: int) -> dict[Fate, int]:
    found: dict[Fate, int] = {}
    for fate in sorted(units, key=lambda fate: (_DISPOSITIONS.index(fate[0]), str(fate[1] or ""))):
        taken = min(room, units[fate])
        room -= taken
        if taken:
            found[fate] = taken
    return found


def by_disposition(units: Mapping[Fate, int]) -> dict[Disposition | None, int]:
    """Units by what became of them, wherever they are."""
    found: dict[Disposition | None, int] = {}
    for (disposition, _warehouse), more in units.items():
        found[disposition] = found.get(disposition, 0) + more
    return found

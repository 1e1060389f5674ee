"""What became of returned units: the word of whoever unpacked them, else the channel's."""

from uuid import UUID

import pytest

from hub.model import Disposition, Order, OrderLine, Return, ReturnLine
from hub.returns import Fate, Receipt, by_disposition, fates
from hub.settlement import Have, Level, Want, settle

A, B, DAMAGED = UUID(int=1), UUID(int=2), UUID(int=9)
SKU = UUID(int=100)
SELLABLE, LOST = Disposition.SELLABLE, Disposition.LOST


def line(dispatched: int, returned: int = 0) -> OrderLine:
    return OrderLine(
        ref="1", listing_ref=None, sku=None, title=None, total_cents=None, quantity=9,
        dispatched_quantity=dispatched, returned_quantity=returned,
    )  # fmt: skip


def order(*told: tuple[str, int, Disposition | None]) -> Order:
    returns = tuple(
        Return(ref=ref, lines=(ReturnLine(line_ref="1", quantity=units, disposition=fate),))
        for ref, units, fate in told
    )
    return Order(ref="O", returns=returns)


def receipt(ref: str, fate: Disposition, units: int, shelf: UUID | None = None) -> Receipt:
    return Receipt(return_ref=ref, line_ref="1", disposition=fate, warehouse_id=shelf, quantity=units)


NOT_SAID: Fate = (None, None)


@pytest.mark.parametrize(
    ("told", "back", "receipts", "found"),
    [
        (order(), line(3), [], {}),
        (order(("R", 2, None)), line(3), [], {NOT_SAID: 2}),
        (order(("R", 2, SELLABLE)), line(3), [], {(SELLABLE, None): 2}),
        # what was decided here goes before the channel's word, also when it is nothing
        (order(("R", 2, SELLABLE)), line(3), [receipt("R", LOST, 1)], {(LOST, None): 1, NOT_SAID: 1}),
        (order(("R", 2, SELLABLE)), line(3), [receipt("R", SELLABLE, 0)], {NOT_SAID: 2}),
        (order(("R", 1, SELLABLE), ("S", 1, SELLABLE)), line(3), [receipt("S", LOST, 1)],
         {(SELLABLE, None): 1, (LOST, None): 1}),
        # units that no return names
        (order(), line(3, returned=3), [receipt("balcao", SELLABLE, 1, A)], {(SELLABLE, A): 1, NOT_SAID: 2}),
        (order(), line(3), [receipt("balcao", SELLABLE, 2)], {(SELLABLE, None): 2}),
        # never more than left, and those that cannot be sold again first
        (order(("R", 2, SELLABLE)), line(2), [receipt("S", Disposition.DAMAGED, 1, DAMAGED)],
         {(Disposition.DAMAGED, DAMAGED): 1, (SELLABLE, None): 1}),
    ],
)  # fmt: skip
def test_fates(told: Order, back: OrderLine, receipts: list[Receipt], found: dict[Fate, int]) -> None:
    assert fates(told, back, receipts) == found
    assert sum(by_disposition(found).values()) == sum(found.values())


def moved(want: dict[UUID, int] | int, have: Have) -> dict[UUID, int]:
    """Units by shelf that a want of returned ones moves."""
    to = want if isinstance(want, dict) else {}
    plain = 0 if isinstance(want, dict) else want
    asked = Want(line_ref="1", sku_id=SKU, reserve=0, dispatched=3, returned=plain, returned_to=to)
    levels = {(SKU, shelf): Level(5, 0) for shelf in (A, B)}
    plan = settle([asked], {("1", SKU): have}, levels, [A, B], apart=[DAMAGED])
    assert all(levels[SKU, m.warehouse_id].on_hand == 5 + m.delta for m in plan.moves if m.warehouse_id != DAMAGED)
    return {move.warehouse_id: move.delta for move in plan.moves}


def test_sellable_units_go_back_to_the_shelves_that_they_left_from() -> None:
    assert moved(3, Have(dispatched={B: 2, A: 1})) == {A: 1, B: 2}
    assert moved(2, Have(dispatched={B: 3})) == {B: 2}
    assert moved(2, Have(dispatched={B: 2, A: 1}, returned={A: 1})) == {B: 1}
    assert moved(2, Have(base_dispatched=3)) == {A: 2}
    assert moved(2, Have(base_dispatched=3, base_returned=2)) == {}


def test_a_correction_takes_units_off_the_shelf_where_they_are_not() -> None:
    have = Have(dispatched={B: 3}, returned={B: 2})
    assert moved({DAMAGED: 2}, have) == {DAMAGED: 2, B: -2}
    assert moved({A: 2}, have) == {A: 2, B: -2}
    assert moved(0, have) == {B: -2}
    assert moved(2, Have(dispatched={B: 3}, returned={DAMAGED: 2})) == {DAMAGED: -2, B: 2}
    assert moved(1, Have(dispatched={B: 3}, returned={B: 1, DAMAGED: 1})) == {DAMAGED: -1}
    assert moved(1, Have(dispatched={B: 3}, returned={B: 1, A: 1})) == {A: -1}

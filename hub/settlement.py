"""What an order does to stock. Pure: what should be held and moved, against what is; the plan that closes the gap.

Everything is cumulative and compared, never a delta that could be applied twice: settling again changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import TypeAlias
from uuid import UUID

from hub.allocation import Line, SkuId, Split, Take, WarehouseId, allocate

LineKey: TypeAlias = tuple[str, SkuId]  # line ref, component


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """Units of one component that one order line should hold, have dispatched and have back on the shelf.

    `returned` go back to the shelves that they left from, `returned_to` to the named ones (damaged goods, or as
    somebody said). `each`: how many of them are in one sold unit. `split` and `loose` are the line's: see
    hub.allocation.
    """

    line_ref: str
    sku_id: SkuId
    reserve: int
    dispatched: int
    returned: int
    returned_to: Mapping[WarehouseId, int] = field(default_factory=dict)
    each: int = 1
    split: Split = Split.UNITS
    loose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Have:
    """The same as it stands: reservations by warehouse, shortage, and moved units by warehouse.

    `base_*` are units that left or came back before the component's stock was opened: they never move it.
    """

    reserved: Mapping[WarehouseId, int] = field(default_factory=dict)
    short: int = 0
    dispatched: Mapping[WarehouseId, int] = field(default_factory=dict)
    returned: Mapping[WarehouseId, int] = field(default_factory=dict)
    base_dispatched: int = 0
    base_returned: int = 0


NOTHING = Have()


@dataclass(slots=True)
class Level:
    """One component on one shelf."""

    on_hand: int
    reserved: int

    @property
    def free(self) -> int:
        """Units that nobody holds; never below zero."""
        return max(0, self.on_hand - self.reserved)


@dataclass(frozen=True, slots=True)
class Move:
    """One ledger entry: `delta` units on the shelf."""

    reason: str
    line_ref: str
    sku_id: SkuId
    warehouse_id: WarehouseId
    delta: int


@dataclass(slots=True)
class Plan:
    """What to write: reservations and shortages as they shall stand (0 = remove), and new ledger entries."""

    reservations: dict[tuple[str, SkuId, WarehouseId], int] = field(default_factory=dict)
    shortages: dict[LineKey, int] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    freed: set[SkuId] = field(default_factory=set)  # components of which something came free

    def __bool__(self) -> bool:
        return bool(self.reservations or self.shortages or self.moves)


Levels: TypeAlias = dict[tuple[SkuId, WarehouseId], Level]


def settle(
    wants: Sequence[Want], haves: Mapping[LineKey, Have], levels: Levels, warehouses: Sequence[WarehouseId],
    *, afresh: bool = False, apart: Collection[WarehouseId] = (),
) -> Plan:  # fmt: skip
    """Close the gap for one order. `levels` is changed in place; `warehouses` come by rank, best first; `apart` are
    those of damaged goods.

    `afresh`: what it holds is put back first, and the order is placed anew: where it goes was not known before.

    A component that has no want any more (a line relinked) goes back to nothing. Lines release before any line
    takes, so that an edit moving units between lines needs no spare unit; then the order is allocated as one.
    """
    plan = Plan()
    asked = {(want.line_ref, want.sku_id): want for want in wants}
    for key in haves.keys() - asked.keys():
        asked[key] = Want(line_ref=key[0], sku_id=key[1], reserve=0, dispatched=0, returned=0)
    in_turn = [want for _key, want in sorted(asked.items(), key=str)]
    for want in in_turn:
        have = haves.get((want.line_ref, want.sku_id), NOTHING)
        _release(want, have, levels, warehouses, plan, afresh=afresh)
        _bring_back(want, have, levels, warehouses, apart, plan)
    _take(in_turn, haves, levels, warehouses, plan)
    return plan


def replaced(
    wants: Sequence[Want], haves: Mapping[LineKey, Have], levels: Levels, warehouses: Sequence[WarehouseId],
    *, apart: Collection[WarehouseId] = (),
) -> Plan:  # fmt: skip
    """As `settle`, placed afresh where that leaves no more short than staying. `levels` is changed in place."""
    stays, moves = _copied(levels), _copied(levels)
    staying = settle(wants, haves, stays, warehouses, apart=apart)
    moving = settle(wants, haves, moves, warehouses, afresh=True, apart=apart)
    lacking = {key: have.short for key, have in haves.items()}
    better = sum({**lacking, **moving.shortages}.values()) <= sum({**lacking, **staying.shortages}.values())
    levels.update(moves if better else stays)
    return moving if better else staying


def _copied(levels: Levels) -> Levels:
    return {key: Level(level.on_hand, level.reserved) for key, level in levels.items()}


def _level(levels: Levels, sku_id: SkuId, warehouse_id: WarehouseId) -> Level:
    return levels.setdefault((sku_id, warehouse_id), Level(0, 0))


def _release(
    want: Want, have: Have, levels: Levels, warehouses: Sequence[WarehouseId], plan: Plan, *, afresh: bool
) -> None:
    leaving = want.dispatched - have.base_dispatched - sum(have.dispatched.values())
    held = dict(have.reserved)
    for warehouse_id in _holding(held, warehouses):
        units = min(held[warehouse_id], max(0, leaving))
        if units:
            leaving -= units
            held[warehouse_id] -= units
            _level(levels, want.sku_id, warehouse_id).reserved -= units
            _move(plan, levels, "dispatch", want, warehouse_id, -units)
    if leaving > 0:  # it left without having been held here
        best = max(warehouses, key=lambda w: _level(levels, want.sku_id, w).free, default=None)
        if best is not None:
            _move(plan, levels, "dispatch", want, best, -leaving)
    elif leaving < 0:  # the line turned out to be another component: what we took is back
        _spread(plan, levels, "dispatch", want, have.dispatched, leaving)
    surplus = sum(held.values()) - (0 if afresh else want.reserve)
    for warehouse_id in reversed(_holding(held, warehouses)):
        units = min(held[warehouse_id], max(0, surplus))
        if units:
            surplus -= units
            held[warehouse_id] -= units
            _level(levels, want.sku_id, warehouse_id).reserved -= units
            plan.freed.add(want.sku_id)
    for warehouse_id, units in held.items():
        if units != have.reserved[warehouse_id]:
            plan.reservations[want.line_ref, want.sku_id, warehouse_id] = units


def _bring_back(
    want: Want,
    have: Have,
    levels: Levels,
    warehouses: Sequence[WarehouseId],
    apart: Collection[WarehouseId],
    plan: Plan,
) -> None:
    """Returned units onto the shelves where they belong; those that stand on another one by now are taken off it."""
    elsewhere = dict(have.returned)
    for warehouse_id, units in sorted(want.returned_to.items(), key=str):
        there = min(max(0, elsewhere.get(warehouse_id, 0)), units)
        elsewhere[warehouse_id] = elsewhere.get(warehouse_id, 0) - there
        if units > there:
            _move(plan, levels, "return", want, warehouse_id, units - there)
            plan.freed.add(want.sku_id)
    for warehouse_id in [shelf for shelf in elsewhere if shelf in apart]:  # damaged ones, which turned out not to be
        _spread(plan, levels, "return", want, {warehouse_id: elsewhere[warehouse_id]}, elsewhere.pop(warehouse_id))
    returning = want.returned - have.base_returned - sum(elsewhere.values())
    if returning < 0:
        first_off = dict(sorted(elsewhere.items(), key=lambda row: (row[0] in have.dispatched, str(row[0]))))
        _spread(plan, levels, "return", want, first_off, -returning)
        return
    left_from = {shelf: units - elsewhere.get(shelf, 0) for shelf, units in have.dispatched.items()}
    first = next(iter(left_from), None) or next(iter(warehouses), None)
    for warehouse_id in _holding(left_from, warehouses):
        units = min(returning, max(0, left_from[warehouse_id]))
        if units:
            returning -= units
            _move(plan, levels, "return", want, warehouse_id, units)
            plan.freed.add(want.sku_id)
    if returning and first is not None:  # left before its stock was opened
        _move(plan, levels, "return", want, first, returning)
        plan.freed.add(want.sku_id)


def _holding(held: Mapping[WarehouseId, int], warehouses: Sequence[WarehouseId]) -> list[WarehouseId]:
    rank = {warehouse_id: position for position, warehouse_id in enumerate(warehouses)}
    return sorted(held, key=lambda w: (rank.get(w, len(rank)), str(w)))


def _move(plan: Plan, levels: Levels, reason: str, want: Want, warehouse_id: WarehouseId, delta: int) -> None:
    _level(levels, want.sku_id, warehouse_id).on_hand += delta
    plan.moves.append(Move(reason, want.line_ref, want.sku_id, warehouse_id, delta))


def _spread(plan: Plan, levels: Levels, reason: str, want: Want, moved: Mapping[WarehouseId, int], units: int) -> None:
    """Take back `abs(units)` of what was moved: a positive delta for dispatches, a negative one for returns."""
    left = abs(units)
    sign = 1 if reason == "dispatch" else -1
    for warehouse_id, had in moved.items():
        back = min(had, left)
        if back:
            left -= back
            _move(plan, levels, reason, want, warehouse_id, sign * back)
            plan.freed.add(want.sku_id)


def _take(
    wants: Sequence[Want],
    haves: Mapping[LineKey, Have],
    levels: Levels,
    warehouses: Sequence[WarehouseId],
    plan: Plan,
) -> None:
    held = {key: _held(key, haves.get(key, NOTHING), plan) for want in wants for key in [(want.line_ref, want.sku_id)]}
    lines = [_line(list(some), held) for _ref, some in groupby(wants, key=lambda want: want.line_ref)]
    free = {key: level.free for key, level in levels.items()}
    found = allocate(lines, free, warehouses)
    for take in found.takes:
        by = held[take.line_ref, take.sku_id]
        by[take.warehouse_id] = by.get(take.warehouse_id, 0) + take.units
        _level(levels, take.sku_id, take.warehouse_id).reserved += take.units
        plan.reservations[take.line_ref, take.sku_id, take.warehouse_id] = by[take.warehouse_id]
    for key in held:
        short = found.short.get(key, 0)
        if short != haves.get(key, NOTHING).short:
            plan.shortages[key] = short


def _held(key: LineKey, have: Have, plan: Plan) -> dict[WarehouseId, int]:
    """What a line still holds after it has released."""
    return {warehouse: plan.reservations.get((*key, warehouse), units) for warehouse, units in have.reserved.items()}


def _line(wants: Sequence[Want], held: Mapping[LineKey, Mapping[WarehouseId, int]]) -> Line:
    """The wants of one line, as the allocation asks for them; a component not wanted any more is none of it."""
    wanted = [want for want in wants if want.reserve]
    at = {want.sku_id: held[want.line_ref, want.sku_id] for want in wanted}
    return Line(
        ref=wants[0].line_ref,
        each={want.sku_id: want.each for want in wanted},
        missing={want.sku_id: want.reserve - sum(at[want.sku_id].values()) for want in wanted},
        held={(sku, warehouse): units for sku, by in at.items() for warehouse, units in by.items()},
        split=wanted[0].split if wanted else Split.UNITS,
        loose=any(want.loose for want in wanted),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An order that waits for units: all its lines with what they hold, and lack of what came free."""

    order_id: UUID
    lines: tuple[Line, ...]
    warehouses: tuple[WarehouseId, ...]


def fill(waiting: Sequence[Waiting], levels: Levels) -> list[tuple[UUID, Take]]:
    """Which shortages an increase fills, in the order given (ship_by, placed_at). `levels` is changed in place."""
    filled = []
    for order in waiting:
        free = {key: level.free for key, level in levels.items()}
        for take in allocate(order.lines, free, order.warehouses).takes:
            levels[take.sku_id, take.warehouse_id].reserved += take.units
            filled.append((order.order_id, take))
    return filled


def overdrawn(levels: Levels) -> dict[tuple[SkuId, WarehouseId], int]:
    """Units promised that are not there, by shelf: after a count, or a dispatch of units that others held."""
    found = {key: level.reserved - max(0, level.on_hand) for key, level in levels.items()}
    return {key: units for key, units in found.items() if units > 0}


class Reckoning(StrEnum):
    """What a channel's own sale does to the number we believe it shows."""

    APPLIES = "applies"  # after our last write: its shelf fell by itself
    OVERWRITTEN = "overwritten"  # before our last write, which put the unit back
    UNDECIDABLE = "undecidable"  # while our write was under way: read the slot back, never guess


SKEW = timedelta(seconds=2)  # channel clocks tell whole seconds and drift


def reckon(
    since: datetime | None,
    until: datetime | None,
    sent_at: datetime | None,
    answered_at: datetime | None,
    *,
    skew: timedelta = SKEW,
) -> Reckoning:
    """How what happened there between `since` and `until` (a sale, an edit) relates to our last write to that slot.

    A document tells one sum of all that happened since the one before: a write in between is undecidable.
    `sent_at` without a later `answered_at` is a write still under way or in doubt.
    """
    if sent_at is None:
        return Reckoning.APPLIES
    if since is None or until is None:
        return Reckoning.UNDECIDABLE
    if until < sent_at - skew:
        return Reckoning.OVERWRITTEN
    if answered_at is None or answered_at < sent_at or since <= answered_at + skew:
        return Reckoning.UNDECIDABLE
    return Reckoning.APPLIES

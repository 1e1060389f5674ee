"""What an order does to stock. Pure: what should be held and moved, against what is; the plan that closes the gap.

Everything is cumulative and compared, never a delta that could be applied twice: settling again changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

SkuId: TypeAlias = UUID
WarehouseId: TypeAlias = UUID
LineKey: TypeAlias = tuple[str, SkuId]  # line ref, component


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """Units of one component that one order line should hold, have dispatched and have back on the shelf."""

    line_ref: str
    sku_id: SkuId
    reserve: int
    dispatched: int
    returned: int


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
    wants: Sequence[Want], haves: Mapping[LineKey, Have], levels: Levels, warehouses: Sequence[WarehouseId]
) -> Plan:
    """Close the gap for one order. `levels` is changed in place; `warehouses` come by rank, best first.

    A component that has no want any more (a line relinked) goes back to nothing. Lines release before any line
    takes, so that an edit moving units between lines needs no spare unit.
    """
    plan = Plan()
    asked = {(want.line_ref, want.sku_id): want for want in wants}
    for key in haves.keys() - asked.keys():
        asked[key] = Want(line_ref=key[0], sku_id=key[1], reserve=0, dispatched=0, returned=0)
    for key, want in sorted(asked.items(), key=str):
        _release(want, haves.get(key, NOTHING), levels, warehouses, plan)
    for key, want in sorted(asked.items(), key=str):
        _take(want, haves.get(key, NOTHING), levels, warehouses, plan)
    return plan


def _level(levels: Levels, sku_id: SkuId, warehouse_id: WarehouseId) -> Level:
    return levels.setdefault((sku_id, warehouse_id), Level(0, 0))


def _release(want: Want, have: Have, levels: Levels, warehouses: Sequence[WarehouseId], plan: Plan) -> None:
    leaving = want.dispatched - have.base_dispatched - sum(have.dispatched.values())
    returning = want.returned - have.base_returned - sum(have.returned.values())
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
    surplus = sum(held.values()) - want.reserve
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
    if returning > 0:
        shelf = next(iter(have.dispatched), None) or next(iter(warehouses), None)
        if shelf is not None:
            _move(plan, levels, "return", want, shelf, returning)
            plan.freed.add(want.sku_id)
    elif returning < 0:
        _spread(plan, levels, "return", want, have.returned, -returning)


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


def _take(want: Want, have: Have, levels: Levels, warehouses: Sequence[WarehouseId], plan: Plan) -> None:
    held = {
        warehouse_id: plan.reservations.get((want.line_ref, want.sku_id, warehouse_id), units)
        for warehouse_id, units in have.reserved.items()
    }
    missing = want.reserve - sum(held.values())
    for warehouse_id, units in choose(want.sku_id, missing, levels, warehouses):
        missing -= units
        held[warehouse_id] = held.get(warehouse_id, 0) + units
        _level(levels, want.sku_id, warehouse_id).reserved += units
        plan.reservations[want.line_ref, want.sku_id, warehouse_id] = held[warehouse_id]
    if missing != have.short and (missing > 0 or have.short):
        plan.shortages[want.line_ref, want.sku_id] = max(0, missing)


def choose(
    sku_id: SkuId, units: int, levels: Levels, warehouses: Sequence[WarehouseId]
) -> list[tuple[WarehouseId, int]]:
    """Where to hold `units`: the best-ranked shelf that has them all, else what there is, by rank."""
    if units <= 0:
        return []
    for warehouse_id in warehouses:
        if (level := levels.get((sku_id, warehouse_id))) and level.free >= units:
            return [(warehouse_id, units)]
    chosen = []
    for warehouse_id in warehouses:
        free = level.free if (level := levels.get((sku_id, warehouse_id))) else 0
        if part := min(units, free):
            chosen.append((warehouse_id, part))
            units -= part
    return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """One shortage: which order line waits for how many units, and where it may be filled from, best first."""

    order_id: UUID
    line_ref: str
    sku_id: SkuId
    units: int
    warehouses: tuple[WarehouseId, ...]


def fill(shortages: Sequence[Short], levels: Levels) -> list[tuple[Short, WarehouseId, int]]:
    """Which shortages an increase fills, in the order given (ship_by, placed_at). `levels` is changed in place."""
    filled = []
    for short in shortages:
        for warehouse_id, units in choose(short.sku_id, short.units, levels, short.warehouses):
            levels[short.sku_id, warehouse_id].reserved += units
            filled.append((short, warehouse_id, units))
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

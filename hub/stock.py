"""Stock decisions: what a slot shows and why, where a sale reserves, what is filled and sent first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from hub.buffers import Buffer, buffered, that_count
from hub.why import Answer, Step, StepKind

Units: TypeAlias = int


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What stands in a warehouse of one SKU, and how much of it is promised."""

    sku_id: UUID
    warehouse_id: UUID
    on_hand: Units
    reserved: Units

    @property
    def free(self) -> Units:
        """Units that nobody was promised; a count below the promises leaves none."""
        return max(0, self.on_hand - self.reserved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """So many units of a SKU in one unit of what is sold."""

    sku_id: UUID
    quantity: Units


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotInputs:
    """All that decides one slot's number.

    `components`: a plain SKU is one component of quantity 1, kits are flattened. `multiplier`: units in one
    pack that the listing sells. `opened`: every component has its opening movement. `numbers`: "available",
    or "physical" where the channel subtracts its own reservations; only there `own_reserved` counts: what
    this same account still holds reserved, in packs, as read from the channel.
    """

    slot_id: UUID
    components: tuple[Component, ...]
    warehouses: tuple[UUID, ...]
    levels: tuple[Level, ...]
    opened: bool
    multiplier: int = 1
    split_allowed: bool = False
    buffers: tuple[Buffer, ...] = ()
    numbers: str = "available"
    own_reserved: Units = 0


# ── Availability ────────────────────────────────────────────────────────────────────────────────────────────


def available(inputs: SlotInputs) -> Answer:
    """What the slot may show. No components, or one of less than one unit, is a ValueError."""
    if not inputs.components or inputs.multiplier < 1 or any(part.quantity < 1 for part in inputs.components):
        raise ValueError(f"slot {inputs.slot_id} sells nothing that can be counted")
    if not inputs.opened:
        return Answer(None, (Step(StepKind.UNOPENED),))
    left, steps = _together(inputs) if inputs.split_allowed else _warehouse_by_warehouse(inputs)
    for buffer in that_count(inputs.buffers):
        left, step = buffered(left, buffer)
        steps.append(step)
    shown = StepKind.SHOWN
    if inputs.numbers == "physical":
        shown = StepKind.SHOWN_PHYSICAL
        own = max(0, inputs.own_reserved)
        left += own
        steps.append(Step(StepKind.OWN_RESERVED, {"value": own, "left": left}))
    return Answer(left, (*steps, Step(shown, {"left": left})))


def _warehouse_by_warehouse(inputs: SlotInputs) -> tuple[int, list[Step]]:
    """One parcel leaves from one warehouse: each makes what it can on its own, packs included."""
    levels = {(level.sku_id, level.warehouse_id): level for level in inputs.levels}
    total, steps = 0, []
    for warehouse in dict.fromkeys(inputs.warehouses):
        made = []
        for part in inputs.components:
            level = levels.get((part.sku_id, warehouse)) or _nothing(part.sku_id, warehouse)
            made.append((level.free // (part.quantity * inputs.multiplier), level, part))
        makes, level, part = min(made, key=lambda one: one[0])
        total += makes
        steps.append(_warehouse_step(level, part, inputs, makes))
    return total, [*steps, Step(StepKind.TOGETHER, {"left": total})]


def _warehouse_step(level: Level, part: Component, inputs: SlotInputs, makes: int) -> Step:
    each = part.quantity * inputs.multiplier
    if len(inputs.components) == 1 and each == 1:
        counted = {"on_hand": level.on_hand, "reserved": level.reserved, "free": level.free}
        return Step(StepKind.WAREHOUSE, {"warehouse": level.warehouse_id, **counted})
    limit = {"warehouse": level.warehouse_id, "sku": part.sku_id}
    return Step(StepKind.KIT_IN_WAREHOUSE, {**limit, "free": level.free, "each": each, "makes": makes})


def _nothing(sku_id: UUID, warehouse_id: UUID) -> Level:
    return Level(sku_id=sku_id, warehouse_id=warehouse_id, on_hand=0, reserved=0)


def _together(inputs: SlotInputs) -> tuple[int, list[Step]]:
    """Parts may come from several warehouses: the scarcest component over their sum."""
    drawn = set(inputs.warehouses)
    steps, least = [], []
    for part in inputs.components:
        free = sum(level.free for level in inputs.levels if level.sku_id == part.sku_id and level.warehouse_id in drawn)
        each = part.quantity * inputs.multiplier
        least.append(free // each)
        steps.append(Step(StepKind.COMPONENT, {"sku": part.sku_id, "free": free, "each": each, "makes": free // each}))
    return min(least), [*steps, Step(StepKind.TOGETHER, {"left": min(least)})]


# ── Kits ────────────────────────────────────────────────────────────────────────────────────────────────────

DEEPEST = 10  # kits within kits; a real one has two or three


def flatten_kit(sku_id: UUID, kits: Mapping[UUID, Sequence[Component]]) -> tuple[Component, ...]:
    """The plain SKUs in one unit of `sku_id`, shared ones summed, in the order met; a plain SKU is itself.

    A kit that holds itself, is empty, or nests deeper than DEEPEST is a ValueError that names the path.
    """
    units: dict[UUID, int] = {}
    _unpack(sku_id, 1, kits, (), units)
    return tuple(Component(sku_id=part, quantity=quantity) for part, quantity in units.items())


def _unpack(
    sku_id: UUID,
    times: int,
    kits: Mapping[UUID, Sequence[Component]],
    path: tuple[UUID, ...],
    units: dict[UUID, int],
) -> None:
    way = (*path, sku_id)
    if sku_id in path:
        raise ValueError(f"kit holds itself: {_arrows(way)}")
    if sku_id not in kits:
        units[sku_id] = units.get(sku_id, 0) + times
        return
    if len(way) > DEEPEST:
        raise ValueError(f"kits nested deeper than {DEEPEST}: {_arrows(way)}")
    if not kits[sku_id] or any(part.quantity < 1 for part in kits[sku_id]):
        raise ValueError(f"kit without components to count: {_arrows(way)}")
    for part in kits[sku_id]:
        _unpack(part.sku_id, times * part.quantity, kits, way, units)


def _arrows(way: tuple[UUID, ...]) -> str:
    return " > ".join(map(str, way))


# ── Reserving and filling ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Allocation:
    """Where demanded units are reserved, as (sku, warehouse, units), and what is short, as (sku, units)."""

    reserve: tuple[tuple[UUID, UUID, Units], ...]
    short: tuple[tuple[UUID, Units], ...]


def allocate(demand: Mapping[UUID, Units], levels: Iterable[Level], ranked: Sequence[UUID]) -> Allocation:
    """Units by component to warehouses, SKUs in id order.

    The first ranked warehouse that holds the whole demand takes it; else each SKU goes to the first that
    holds all of it; else it is split by rank, unit by unit, and the rest is short.
    """
    wanted = {sku: units for sku, units in sorted(demand.items()) if units > 0}
    free = _free(levels)
    whole = next((w for w in ranked if all(free.get((s, w), 0) >= n for s, n in wanted.items())), None)
    reserve: list[tuple[UUID, UUID, Units]] = []
    short: list[tuple[UUID, Units]] = []
    for sku, units in wanted.items():
        first = [whole] if whole else [w for w in ranked if free.get((sku, w), 0) >= units][:1]
        rest = units
        for warehouse in first or ranked:
            taken = min(rest, free.get((sku, warehouse), 0))
            if taken:
                free[sku, warehouse] -= taken
                reserve.append((sku, warehouse, taken))
                rest -= taken
        if rest:
            short.append((sku, rest))
    return Allocation(tuple(reserve), tuple(short))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """Units sold that could not be reserved."""

    id: UUID
    sku_id: UUID
    units: Units
    ship_by: datetime | None
    placed_at: datetime | None


_NO_HURRY = datetime.max.replace(tzinfo=UTC)


def fill(
    shortages: Iterable[Shortage], levels: Iterable[Level], ranked: Sequence[UUID]
) -> tuple[tuple[UUID, UUID, Units], ...]:
    """What free units fill, as (shortage, warehouse, units): soonest to ship first, then longest waiting.

    Unit by unit, by warehouse rank; what is left stays short.
    """
    free = _free(levels)
    filled: list[tuple[UUID, UUID, Units]] = []
    for shortage in sorted(shortages, key=_hurry):
        rest = shortage.units
        for warehouse in ranked:
            taken = min(rest, free.get((shortage.sku_id, warehouse), 0))
            if taken > 0:
                free[shortage.sku_id, warehouse] -= taken
                filled.append((shortage.id, warehouse, taken))
                rest -= taken
    return tuple(filled)


def _hurry(shortage: Shortage) -> tuple[datetime, datetime, UUID]:
    return (shortage.ship_by or _NO_HURRY, shortage.placed_at or _NO_HURRY, shortage.id)


def _free(levels: Iterable[Level]) -> dict[tuple[UUID, UUID], Units]:
    return {(level.sku_id, level.warehouse_id): level.free for level in levels}


# ── Pushing ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A number to send: `pushed` is what the channel shows as far as we know, null when in doubt."""

    slot_id: UUID
    pushed: int | None
    desired: int


def push_order(pushes: Iterable[Push]) -> list[Push]:
    """Decreases before increases, then the lowest number: a scarce budget goes to what is about to sell out.

    A slot in doubt may show too much, and goes with the decreases.
    """
    return sorted(pushes, key=push_key)


def push_key(push: Push) -> tuple[bool, int, UUID]:
    """The sort key of `push_order`."""
    return (push.pushed is not None and push.desired >= push.pushed, push.desired, push.slot_id)


def zero_brake(total_slots: int, would_zero: int, share: float) -> bool:
    """Whether a run must stop and ask: it would zero more than `share` (0 to 1) of an account's slots.

    For runs of import, linking, a count or a reconcile; zeros from sales always go out.
    """
    return would_zero > 0 and would_zero > total_slots * share

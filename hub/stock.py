"""Stock decisions: what a slot shows and why, where a sale reserves, what is filled and sent first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from hub.buffers import Buffer, applied
from hub.why import Answer, Step, StepKind

Units: TypeAlias = int


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What stands in a warehouse of one SKU, how much of it is promised, and what is set apart for others."""

    sku_id: UUID
    warehouse_id: UUID
    on_hand: Units
    reserved: Units
    apart: Units = 0

    @property
    def free(self) -> Units:
        """Units that nobody was promised and none set apart; a count below the promises leaves none."""
        return max(0, self.on_hand - self.reserved - self.apart)


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
    this same account still holds reserved, in packs, as read from the channel. `one_parcel`: a line leaves from
    one warehouse, so that no more can be sold at once than one of them has. `notes`: steps that come first, on what
    `levels` have set apart.
    """

    slot_id: UUID
    components: tuple[Component, ...]
    warehouses: tuple[UUID, ...]
    levels: tuple[Level, ...]
    opened: bool
    multiplier: int = 1
    split_allowed: bool = False
    one_parcel: bool = False
    buffers: tuple[Buffer, ...] = ()
    numbers: str = "available"
    own_reserved: Units = 0
    notes: tuple[Step, ...] = ()


# ── Availability ────────────────────────────────────────────────────────────────────────────────────────────


def available(inputs: SlotInputs) -> Answer:
    """What the slot may show. No components, or one of less than one unit, is a ValueError."""
    if not inputs.components or inputs.multiplier < 1 or any(part.quantity < 1 for part in inputs.components):
        raise ValueError(f"slot {inputs.slot_id} sells nothing that can be counted")
    if not inputs.opened:
        return Answer(None, (Step(StepKind.UNOPENED),))
    loose = inputs.split_allowed and not inputs.one_parcel
    left, steps = _together(inputs) if loose else _warehouse_by_warehouse(inputs)
    left, held = applied(left, inputs.buffers)
    steps = [*inputs.notes, *steps, *held]
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
    counts, steps = [0], []
    for warehouse in dict.fromkeys(inputs.warehouses):
        made = []
        for part in inputs.components:
            level = levels.get((part.sku_id, warehouse)) or _nothing(part.sku_id, warehouse)
            made.append((level.free // (part.quantity * inputs.multiplier), level, part))
        makes, level, part = min(made, key=lambda one: one[0])
        counts.append(makes)
        steps.append(_warehouse_step(level, part, inputs, makes))
    if inputs.one_parcel:
        return max(counts), [*steps, Step(StepKind.ONE_PARCEL, {"left": max(counts)})]
    return sum(counts), [*steps, Step(StepKind.TOGETHER, {"left": sum(counts)})]


def _warehouse_step(level: Level, part: Component, inputs: SlotInputs, makes: int) -> Step:
    each = part.quantity * inputs.multiplier
    if len(inputs.components) == 1 and each == 1:
        counted = {"on_hand": level.on_hand, "reserved": level.reserved, "apart": level.apart, "free": level.free}
        kind = StepKind.WAREHOUSE_APART if level.apart else StepKind.WAREHOUSE
        return Step(kind, {"warehouse": level.warehouse_id, **counted})
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


class KitLoop(ValueError):
    """A kit holds itself; `way` leads from the kit to itself."""

    def __init__(self, way: tuple[UUID, ...]) -> None:
        super().__init__(f"kit holds itself: {_arrows(way)}")
        self.way = way


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
        raise KitLoop(way)
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


# ── The brake ───────────────────────────────────────────────────────────────────────────────────────────────


def zero_brake(total_slots: int, would_zero: int, share: float) -> bool:
    """Whether a run must stop and ask: it would zero more than `share` (0 to 1) of an account's slots.

    For runs of import, linking, a count or a reconcile; zeros from sales always go out.
    """
    return would_zero > 0 and would_zero > total_slots * share

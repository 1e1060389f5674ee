"""Where an order's units come from: which warehouse serves which line, and why, in words. Pure.

What stands is kept: only what a line lacks is placed. Allocating again with what was taken changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

SkuId: TypeAlias = UUID
WarehouseId: TypeAlias = UUID
Free: TypeAlias = Mapping[tuple[SkuId, WarehouseId], int]


class Split(StrEnum):
    """How far an order may be divided among warehouses."""

    ORDER = "order"  # not at all: one order leaves from one warehouse
    LINE = "line"  # by line: each line leaves from one warehouse
    UNITS = "units"  # within a line too, by whole sold units: a kit or a pack of three stays together


# ── The order of the warehouses ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where an order goes; null where the channel does not tell (yet)."""

    state: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Another rank for what goes to a state, or to CEPs from `first` to `last` (eight digits each)."""

    rank: int
    state: str | None = None
    first: str | None = None
    last: str | None = None

    def covers(self, destination: Destination) -> bool:
        """Whether all that this area names is so. What is not known of the destination is in no area."""
        if self.state is not None and self.state != destination.state:
            return False
        if self.first is None or self.last is None:
            return self.state is not None
        return destination.postal_code is not None and self.first <= destination.postal_code <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A warehouse that may be drawn from; the lowest rank is asked first, equal ranks by code."""

    id: WarehouseId
    code: str
    rank: int
    areas: tuple[Area, ...] = ()


def ranked(places: Iterable[Place], destination: Destination | None = None) -> tuple[WarehouseId, ...]:
    """Warehouses, best first, for a destination.

    A CEP range says more than a state: where one covers the destination, states do not count. An area never keeps
    a warehouse from serving, or availability, which knows no destination, would promise what cannot be had.
    """
    return tuple(place.id for place in sorted(places, key=lambda place: (_rank(place, destination), place.code)))


def _rank(place: Place, destination: Destination | None) -> int:
    if destination is None:
        return place.rank
    covering = [area for area in place.areas if area.covers(destination)]
    exact = [area.rank for area in covering if area.first is not None]
    return min(exact or [area.rank for area in covering] or [place.rank])


# ── What is asked, and the answer ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One order line: what it lacks, and what it holds where, in units of its components.

    `each`: units of a component in one sold unit. `loose`: where the line may be divided at all, a kit's components
    may come from several warehouses.
    """

    ref: str
    each: Mapping[SkuId, int]
    missing: Mapping[SkuId, int]
    held: Free = field(default_factory=dict)
    split: Split = Split.UNITS
    loose: bool = False


class Why(StrEnum):
    """A step of an allocation."""

    ORDER_OF = "order_of"
    ORDER_OF_FOR = "order_of_for"
    COMPLETED = "completed"
    WHOLE = "whole"
    NOT_WHOLE = "not_whole"
    ORDER_KEPT = "order_kept"
    LINE_WHOLE = "line_whole"
    LINE_KEPT = "line_kept"
    LINE_SPLIT = "line_split"
    TAKEN = "taken"
    SHORT = "short"


Param: TypeAlias = int | str | UUID | tuple[UUID, ...]

SENTENCES: dict[str, dict[Why, str]] = {
    "pt-BR": {
        Why.ORDER_OF: "Depósitos, do primeiro ao último: {warehouses}.",
        Why.ORDER_OF_FOR: "Depósitos para {destination}, do primeiro ao último: {warehouses}.",
        Why.COMPLETED: "Linha {line}: {warehouse} completa o que já guardava dela.",
        Why.WHOLE: "{warehouse} tem tudo: o pedido sai inteiro de lá.",
        Why.NOT_WHOLE: "Nenhum depósito tem o pedido inteiro.",
        Why.ORDER_KEPT: "O pedido não se divide: fica com {warehouse}, que tem mais dele.",
        Why.LINE_WHOLE: "Linha {line}: {warehouse} tem a linha inteira.",
        Why.LINE_KEPT: "Linha {line}: não se divide, fica com {warehouse}, que tem mais dela.",
        Why.LINE_SPLIT: "Linha {line}: nenhum depósito a tem inteira, divide-se.",
        Why.TAKEN: "Linha {line}: {units} de {sku} saem de {warehouse}.",
        Why.SHORT: "Linha {line}: faltam {units} de {sku}.",
    },
    "en": {
        Why.ORDER_OF: "Warehouses, first to last: {warehouses}.",
        Why.ORDER_OF_FOR: "Warehouses for {destination}, first to last: {warehouses}.",
        Why.COMPLETED: "Line {line}: {warehouse} completes what it already held of it.",
        Why.WHOLE: "{warehouse} has everything: the whole order leaves from there.",
        Why.NOT_WHOLE: "No warehouse has the whole order.",
        Why.ORDER_KEPT: "The order is not split: it stays with {warehouse}, which has most of it.",
        Why.LINE_WHOLE: "Line {line}: {warehouse} has the whole line.",
        Why.LINE_KEPT: "Line {line}: not split, it stays with {warehouse}, which has most of it.",
        Why.LINE_SPLIT: "Line {line}: no warehouse has all of it, so it is split.",
        Why.TAKEN: "Line {line}: {units} of {sku} leave from {warehouse}.",
        Why.SHORT: "Line {line}: {units} of {sku} are missing.",
    },
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step, and what it is about."""

    why: Why
    params: Mapping[str, Param] = field(default_factory=dict)

    def explain(self, locale: str = "pt-BR", names: Mapping[UUID, str] | None = None) -> str:
        """One sentence in "pt-BR" or "en"; `names` are those of SKUs and warehouses by id."""
        words = {name: _word(value, names or {}) for name, value in self.params.items()}
        return SENTENCES[locale][self.why].format(**words)


def _word(value: Param, names: Mapping[UUID, str]) -> str:
    if isinstance(value, tuple):
        return ", ".join(_word(each, names) for each in value) or "–"
    return names.get(value, str(value)) if isinstance(value, UUID) else str(value)


@dataclass(frozen=True, slots=True)
class Take:
    """So many units of a component, for a line, from a warehouse."""

    line_ref: str
    sku_id: SkuId
    warehouse_id: WarehouseId
    units: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """What is reserved where, what stays short by (line, component), and the steps that lead there."""

    takes: tuple[Take, ...]
    short: Mapping[tuple[str, SkuId], int]
    steps: tuple[Step, ...]

    def explain(self, locale: str = "pt-BR", names: Mapping[UUID, str] | None = None) -> tuple[str, ...]:
        """One sentence per step."""
        return tuple(step.explain(locale, names) for step in self.steps)


# ── Allocating ──────────────────────────────────────────────────────────────────────────────────────────────


def allocate(
    lines: Sequence[Line], free: Free, warehouses: Sequence[WarehouseId], destination: Destination | None = None
) -> Allocation:
    """Where what the lines of one order lack comes from. `warehouses` come best first.

    One warehouse for all of it where one has it all, those that serve this order already before others; else by
    line; else, where that is allowed, by whole sold units. Of a sold unit that no warehouse has whole, what there
    is of it is held in one. No unit is taken that is not free, and none that nobody asked for.
    """
    desk = _Desk(lines, free, warehouses)
    desk.tell_order(destination)
    for line in lines:
        desk.complete(line)
    asked = [line for line in lines if desk.rest(line)]
    if asked:
        _place_all(desk, asked)
    return desk.answer()


def _place_all(desk: "_Desk", asked: Sequence[Line]) -> None:
    near = desk.near()
    if (whole := desk.first_with(asked, desk.shared(asked))) is not None:
        desk.tell(Why.WHOLE, warehouse=whole)
        for line in asked:
            desk.take(line, whole, desk.rest(line))
        return
    desk.tell(Why.NOT_WHOLE)
    if desk.one_parcel:
        if (most := desk.with_most(asked, near)) is not None:
            desk.tell(Why.ORDER_KEPT, warehouse=most)
            for line in asked:
                desk.take_some(line, [most])
        return
    for line in asked:
        _place(desk, line)


def _place(desk: "_Desk", line: Line) -> None:
    near = desk.near(line)
    if (whole := desk.first_with([line], near)) is not None:
        desk.tell(Why.LINE_WHOLE, line=line.ref, warehouse=whole)
        desk.take(line, whole, desk.rest(line))
    elif line.split is Split.LINE:
        if (most := desk.with_most([line], near)) is not None:
            desk.tell(Why.LINE_KEPT, line=line.ref, warehouse=most)
            desk.take_some(line, [most])
    else:
        desk.tell(Why.LINE_SPLIT, line=line.ref)
        if line.loose:
            desk.take_loose(line, near)
        else:
            desk.take_some(line, near)


def _up(units: int, each: int) -> int:
    """How many sold units so many units of a component are a part of."""
    return -(-units // each)


class _Desk:
    """The shelves and the lines while an order is being placed."""

    def __init__(self, lines: Sequence[Line], free: Free, warehouses: Sequence[WarehouseId]) -> None:
        self.free = dict(free)
        self.warehouses = tuple(dict.fromkeys(warehouses))
        self.one_parcel = any(line.split is Split.ORDER for line in lines)
        self.lines = lines
        self.held = {line.ref: {key: units for key, units in line.held.items() if units > 0} for line in lines}
        self.missing = {line.ref: {sku: n for sku, n in line.missing.items() if n > 0} for line in lines}
        self.takes: list[Take] = []
        self.steps: list[Step] = []

    def tell(self, why: Why, **params: Param) -> None:
        self.steps.append(Step(why, params))

    def tell_order(self, destination: Destination | None) -> None:
        place = " ".join(filter(None, (destination.state, destination.postal_code))) if destination else ""
        if place:
            self.tell(Why.ORDER_OF_FOR, destination=place, warehouses=self.warehouses)
        else:
            self.tell(Why.ORDER_OF, warehouses=self.warehouses)

    def answer(self) -> Allocation:
        for take in self.takes:
            self.tell(Why.TAKEN, line=take.line_ref, units=take.units, sku=take.sku_id, warehouse=take.warehouse_id)
        short = {(ref, sku): units for ref, left in self.missing.items() for sku, units in left.items()}
        for (ref, sku), units in short.items():
            self.tell(Why.SHORT, line=ref, units=units, sku=sku)
        return Allocation(tuple(self.takes), short, tuple(self.steps))

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────

    def _serving(self, lines: Iterable[Line]) -> set[WarehouseId]:
        return {warehouse for line in lines for _sku, warehouse in self.held[line.ref]}

    def near(self, line: Line | None = None) -> tuple[WarehouseId, ...]:
        """Warehouses to ask, those that serve this order already first; only those where it may not be divided."""
        serving = self._serving(self.lines)
        mine = self._serving([line]) if line is not None and line.split is Split.LINE else set()
        if only := serving if self.one_parcel else mine:
            return tuple(w for w in self.warehouses if w in only)
        return tuple(sorted(self.warehouses, key=lambda w: w not in serving))

    def shared(self, asked: Iterable[Line]) -> tuple[WarehouseId, ...]:
        """Warehouses that may serve all of these lines at once: a line that is not divided stays where it began."""
        allowed = [set(self.near(line)) for line in asked]
        return tuple(w for w in self.near() if all(w in each for each in allowed))

    def rest(self, line: Line) -> dict[SkuId, int]:
        """What is to be placed: what a line lacks, less what completes the sold units that a warehouse has begun."""
        left = self.missing[line.ref]
        if line.loose:
            return dict(left)
        owed = self._begun(line)
        rest = {sku: units - sum(by.get(sku, 0) for by in owed.values()) for sku, units in left.items()}
        return {sku: units for sku, units in rest.items() if units > 0}

    def _begun(self, line: Line) -> dict[WarehouseId, dict[SkuId, int]]:
        """What completes the sold units that a warehouse holds a part of."""
        held: dict[WarehouseId, dict[SkuId, int]] = {}
        for (sku, warehouse), units in self.held[line.ref].items():
            if sku in line.each:
                held.setdefault(warehouse, {})[sku] = units
        owed = {}
        for warehouse, by in held.items():
            sold = max(_up(units, line.each[sku]) for sku, units in by.items())
            owed[warehouse] = {sku: sold * each - by.get(sku, 0) for sku, each in line.each.items()}
        return owed

    def first_with(self, lines: Sequence[Line], near: Sequence[WarehouseId]) -> WarehouseId | None:
        """The first warehouse that has all of what these lines still ask, summed by component."""
        asked: dict[SkuId, int] = {}
        for line in lines:
            for sku, units in self.rest(line).items():
                asked[sku] = asked.get(sku, 0) + units
        fits = (w for w in near if all(self.free.get((sku, w), 0) >= units for sku, units in asked.items()))
        return next(fits, None)

    def with_most(self, lines: Sequence[Line], near: Sequence[WarehouseId]) -> WarehouseId | None:
        """The warehouse that has most of these lines: whole sold units, then parts, then its rank."""
        best, most = None, (0, 0)
        for warehouse in near:
            free, sold, parts = dict(self.free), 0, 0
            for line in lines:
                rest = self.rest(line)
                whole = self._makes(line, rest, warehouse, free)
                sold += whole
                for sku, units in rest.items():
                    taken = min(units, max(0, free.get((sku, warehouse), 0)))
                    free[sku, warehouse] = free.get((sku, warehouse), 0) - taken
                    parts += taken
            if (sold, parts) > most:
                best, most = warehouse, (sold, parts)
        return best

    @staticmethod
    def _makes(line: Line, rest: Mapping[SkuId, int], warehouse: WarehouseId, free: Free) -> int:
        """How many whole sold units a warehouse makes of what is asked."""
        asked = max(_up(units, line.each[sku]) for sku, units in rest.items())
        made = asked
        for sku, units in rest.items():
            there = max(0, free.get((sku, warehouse), 0))
            if there < units:
                made = min(made, there // line.each[sku])
        return made

    # ── taking ──────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, line: Line, warehouse: WarehouseId, wanted: Mapping[SkuId, int]) -> int:
        """Take what is there of what is wanted and missing. Answers how many units."""
        taken = 0
        for sku, wish in wanted.items():
            units = min(wish, self.missing[line.ref].get(sku, 0), max(0, self.free.get((sku, warehouse), 0)))
            if units <= 0:
                continue
            self.takes.append(Take(line.ref, sku, warehouse, units))
            self.free[sku, warehouse] -= units
            self.held[line.ref][sku, warehouse] = self.held[line.ref].get((sku, warehouse), 0) + units
            self.missing[line.ref][sku] -= units
            if not self.missing[line.ref][sku]:
                del self.missing[line.ref][sku]
            taken += units
        return taken

    def complete(self, line: Line) -> None:
        """Finish the sold units that a warehouse holds a part of, where they stand."""
        if line.loose or not self.missing[line.ref]:
            return
        for warehouse, owed in self._begun(line).items():
            if self.take(line, warehouse, owed):
                self.tell(Why.COMPLETED, line=line.ref, warehouse=warehouse)

    def take_some(self, line: Line, warehouses: Sequence[WarehouseId]) -> None:
        """Whole sold units by rank; then the parts there are, each begun unit in one warehouse."""
        for warehouse in warehouses:
            rest = self.rest(line)
            if rest and (made := self._makes(line, rest, warehouse, self.free)):
                self.take(line, warehouse, {sku: min(n, made * line.each[sku]) for sku, n in rest.items()})
        while rest := self.rest(line):
            most = self.with_most([line], warehouses)
            if most is None or not self.take(line, most, rest):
                return

    def take_loose(self, line: Line, warehouses: Sequence[WarehouseId]) -> None:
        """Each component by itself: whole from one warehouse, else by rank."""
        for sku, units in self.rest(line).items():
            whole = next((w for w in warehouses if self.free.get((sku, w), 0) >= units), None)
            for warehouse in [whole] if whole is not None else warehouses:
                self.take(line, warehouse, {sku: units})

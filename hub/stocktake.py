"""Counting decisions: how a count differs from the book, which differences are big, and which were counted at a
moment when the book and the shelf may not have told the same. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Flag(StrEnum):
    """Why a SKU should be counted again."""

    MOVED = "moved"  # an entry of the ledger within the window around the counting
    LEAVING = "leaving"  # an order held units that were due to leave, or had a parcel, when it was counted
    TOLD_LATE = "told_late"  # dispatched before the counting by the channel's clock, booked after it
    OPENING = "opening"  # its stock is not open, and orders of it changed since it was counted
    COUNTED_SINCE = "counted_since"  # somebody else said how many stand there after that


# Posting over this one would book a difference twice: no word of a person makes that right.
HARD = frozenset({Flag.COUNTED_SINCE, Flag.OPENING})

SENTENCES: dict[str, dict[Flag, str]] = {
    "pt-BR": {
        Flag.MOVED: "houve movimento perto da hora da contagem",
        Flag.LEAVING: "havia unidades de saída na hora da contagem",
        Flag.TOLD_LATE: "uma saída anterior à contagem só foi registrada depois dela",
        Flag.OPENING: "o estoque não está aberto e pedidos mudaram depois da contagem",
        Flag.COUNTED_SINCE: "foi contado outra vez depois disso",
    },
    "en": {
        Flag.MOVED: "stock moved close to the time of counting",
        Flag.LEAVING: "units were on their way out when it was counted",
        Flag.TOLD_LATE: "a dispatch from before the counting was booked after it",
        Flag.OPENING: "its stock is not open, and orders changed after the counting",
        Flag.COUNTED_SINCE: "it was counted again after that",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One SKU of a count; `units` null until it is counted. `book`: on hand by the ledger at that moment."""

    sku_id: UUID
    sku: str
    title: str
    category: str | None
    cost_cents: int | None
    units: int | None
    book: int
    counted_at: datetime | None
    attempts: int
    is_open: bool
    flags: tuple[Flag, ...] = ()

    @property
    def variance(self) -> int | None:
        """Units more (less, below zero) than the book; null until it is counted."""
        return None if self.units is None else self.units - self.book

    @property
    def percent(self) -> float | None:
        """The variance as a share of the book, in percent; null where the book is not above zero."""
        return None if self.variance is None or self.book <= 0 else round(100 * self.variance / self.book, 1)

    @property
    def value_cents(self) -> int | None:
        """The variance at cost; null where the cost is not known."""
        return None if self.variance is None or self.cost_cents is None else self.variance * self.cost_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What makes a difference big: so many units that are so large a share of the book, or so much at cost."""

    units: int = 5
    percent: float = 20.0
    value_cents: int = 50_000


def is_big(line: Line, limits: Limits) -> bool:
    """Whether a person should look at this difference before it is posted. A first count is no difference."""
    if not line.variance or not line.is_open:
        return False
    share = 100.0 if line.percent is None else abs(line.percent)
    by_units = abs(line.variance) >= limits.units and share >= limits.percent
    return by_units or abs(line.value_cents or 0) >= limits.value_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Counted lines of a category (null: of all): units, what is more and less than the book, and both at cost."""

    category: str | None
    lines: int
    different: int
    book: int
    units: int
    more: int
    less: int
    value_cents: int
    unpriced: int  # lines that differ and have no cost

    @property
    def accuracy(self) -> float | None:
        """Lines that agreed with the book, in percent."""
        return round(100 * (self.lines - self.different) / self.lines, 1) if self.lines else None


def total(lines: Iterable[Line], category: str | None = None) -> Total:
    """The sum of the lines that were counted."""
    counted = [line for line in lines if line.units is not None]
    variances = [line.variance or 0 for line in counted]
    return Total(
        category=category,
        lines=len(counted),
        different=sum(v != 0 for v in variances),
        book=sum(line.book for line in counted),
        units=sum(line.units or 0 for line in counted),
        more=sum(v for v in variances if v > 0),
        less=-sum(v for v in variances if v < 0),
        value_cents=sum(line.value_cents or 0 for line in counted),
        unpriced=sum(bool(line.variance) and line.cost_cents is None for line in counted),
    )


def by_category(lines: Sequence[Line]) -> list[Total]:
    """One total for each category that was counted, by name; those without one come last, named ""."""
    names = sorted({line.category or "" for line in lines if line.units is not None}, key=lambda n: (not n, n))
    return [total((line for line in lines if (line.category or "") == name), name) for name in names]

"""An account whose numbers are the truth: what a reading there says of what stands on our shelves. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

SKEW = timedelta(seconds=2)  # channel clocks tell whole seconds and drift
GRACE = timedelta(minutes=2)  # marketplaces take a unit off the shelf before they tell its order
Units: TypeAlias = int


class Told(StrEnum):
    """How a source comes to know what other channels sold."""

    DECREMENT = "decrement"  # the hub writes it: the number just read there, less what it does not know yet
    ORDERS = "orders"  # it imports the other channels' orders by itself: the hub never writes to it


def told_of(settings: Mapping[str, Any]) -> Told:
    """How this source is told of sales elsewhere, as set with its role."""
    return Told(settings.get("source_told", Told.DECREMENT))


class Verdict(StrEnum):
    """What is done with a reading."""

    ADOPT = "adopt"  # the shelves move by `units`; zero where everything is as reckoned
    LATER = "later"  # read again: what lies between the reading and now cannot be told apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A number read at a source, and everything that bears on it. Numbers are in units that its buyer can buy.

    `base`: an earlier reading was adopted, so that `expected` (that reading, less its own sales, or what it was told
    since) says what an unchanged source would show. `own_held`: units of its own undispatched orders, which it has
    taken off its number; `physical`: the number with those. `order_at`: its newest order of this listing that we know.
    """

    seen: Units
    expected: Units | None
    desired: Units | None
    multiplier: int
    base: bool
    in_doubt: bool
    under_way: bool  # a write left that may land after the reading, or did
    began: datetime
    order_at: datetime | None
    on_hand: Units
    own_held: Units
    physical: Units | None = None


@dataclass(frozen=True, slots=True)
class Adoption:
    """What follows from a reading: `units` of the SKU more, or less, than the ledger has."""

    verdict: Verdict
    units: Units = 0


def adoption(told: Reading, *, flagged_at: datetime, now: datetime, orders_lag: bool) -> Adoption:
    """What a reading does to the ledger.

    Without a base the level counts: on_hand is what it shows and holds for its own orders. With one only the
    difference counts, which its own sales and what it was told are not part of. In doubt (a write whose answer was
    lost, a sale or cancellation in the same second) a number that one of both ways explains is no edit.
    `orders_lag`: a loss may be a sale whose order comes minutes later, so it is waited for.
    """
    if told.under_way or (told.order_at is not None and told.order_at >= told.began - SKEW):
        return Adoption(Verdict.LATER)
    if not told.base:
        stands = (
            told.seen * told.multiplier + told.own_held if told.physical is None else told.physical * told.multiplier
        )
        return Adoption(Verdict.ADOPT, stands - told.on_hand)
    packs = _difference(told)
    if packs < 0 and orders_lag and now - flagged_at < GRACE:
        return Adoption(Verdict.LATER)
    return Adoption(Verdict.ADOPT, packs * told.multiplier)


def _difference(told: Reading) -> Units:
    if told.in_doubt or told.expected is None:
        if told.desired is None or told.seen in (told.expected, told.desired):
            return 0
        return told.seen - told.desired
    return told.seen - told.expected


def spread(units: Units, free: Sequence[tuple[UUID, Units]]) -> list[tuple[UUID, Units]]:
    """On which shelves a change is booked, `free` by rank: more on the first, less where something is free.

    What no shelf has free is taken from the first all the same: it is not there, whoever was promised it.
    """
    if not units or not free:
        return []
    if units > 0:
        return [(free[0][0], units)]
    left, taken = -units, []
    for shelf, there in free:
        part = min(left, max(0, there))
        if part:
            taken.append((shelf, -part))
            left -= part
    if left:
        first = free[0][0]
        taken = [(shelf, delta) for shelf, delta in taken if shelf != first] + [
            (first, sum(delta for shelf, delta in taken if shelf == first) - left)
        ]
    return taken

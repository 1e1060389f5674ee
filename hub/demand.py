"""Demand per day out of what was sold, corrected for the time when nothing could be sold. Pure."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

DAY_MINUTES = 1440
FEW_DAYS = 21.0  # fewer days with stock than this say little
FEW_SALES = 5  # as do fewer days with a sale
FENCE = 3.0  # Tukey's far fence: so many interquartile ranges above the third quartile
WEEK = 7
LEAST_SHARE = 0.25  # the last units gone at dawn are no rate for a day


class Handling(StrEnum):
    """How days that stand out are read.

    winsorised: a day above the fence counts as the fence. It is the default: a Black Friday moves the mean by a
    few units instead of doubling it, nothing ordinary is cut (the fence looks at days with a sale, so that one
    sale a month is not an outlier), and up to a quarter of the selling days may be wild before the fence moves.
    median: the middle week, for steady sellers with many campaigns; half of the weeks may be wild. A SKU that
    sells in fewer than half of the weeks has no median worth the name, and is winsorised.
    mean: every unit counts, for whoever wants to be stocked for the next campaign.
    """

    WINSORISED = "winsorised"
    MEDIAN = "median"
    MEAN = "mean"


class Doubt(StrEnum):
    """Why a figure is of low confidence."""

    NEW = "new"  # the SKU is known for a few days only
    MOSTLY_OUT = "mostly_out"  # known for long, with stock for a few days only
    FEW_SALES = "few_sales"
    UNSTOCKED = "unstocked"  # it mostly sold while the ledger had none: made to order, or never counted right


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a SKU: so many days ago, units sold, minutes in which nothing was available."""

    ago: int
    sold: int
    minutes_out: int = 0

    @property
    def sold_without(self) -> bool:
        """Whether it sold though the ledger had none all day: who bought could buy."""
        return self.sold > 0 and self.minutes_out >= DAY_MINUTES

    @property
    def share(self) -> float:
        """The share of the day on which something was available; a day that sold is no shorter than LEAST_SHARE."""
        if self.sold_without:
            return 1.0
        return max((DAY_MINUTES - self.minutes_out) / DAY_MINUTES, LEAST_SHARE if self.sold > 0 else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Units a day and their deviation; `days`: full days with stock that the figures stand on.

    `fence`: what a day may count at most, None where nothing was cut; `cut`: units above it.
    """

    per_day: float
    deviation: float
    days: float
    known_days: int
    units: int
    handling: Handling
    fence: float | None = None
    cut: float = 0.0
    doubt: Doubt | None = None


def demand(days: Iterable[Day], known_days: int, handling: Handling = Handling.WINSORISED) -> Demand:
    """Demand of the last `known_days` days; days not told sold nothing and had stock throughout.

    A day weighs by the share of it with stock: per_day = units / shares. deviation is a day's: sums of a share w
    of a day deviate by sqrt(w) as much, so each day's square is divided by its share. Both in units; no day with
    stock is a demand of 0 with a doubt.
    """
    told = [day for day in days if 1 <= day.ago <= known_days]
    unstocked = 2 * sum(day.sold for day in told if day.sold_without) > sum(day.sold for day in told)
    if unstocked:  # stock neither opens nor closes its sales
        told = [Day(day.ago, day.sold) for day in told]
    quiet = known_days - len(told)
    shares = sum(day.share for day in told) + quiet
    units = sum(day.sold for day in told)
    selling = [day.sold for day in told if day.sold > 0]
    fence = None if handling is Handling.MEAN else _fence(selling)
    kept = [min(day.sold, fence) if fence is not None else day.sold for day in told]
    per_day = sum(kept) / shares if shares > 0 else 0.0
    if handling is Handling.MEDIAN:
        middle = _median_week(told, known_days)
        handling = Handling.MEDIAN if middle else Handling.WINSORISED
        per_day = middle or per_day
    cut = units - sum(kept)
    return Demand(
        per_day=per_day, deviation=_deviation(told, kept, quiet, per_day), days=shares, known_days=known_days,
        units=units, handling=handling, fence=fence if cut > 0 else None, cut=cut,
        doubt=Doubt.UNSTOCKED if unstocked else _doubt(known_days, shares, len(selling)),
    )  # fmt: skip


def _fence(selling: Sequence[int]) -> float | None:
    """Above it a day stands out; at least three times a usual selling day. None where there are too few to say."""
    if len(selling) < FEW_SALES:
        return None
    low, middle, high = statistics.quantiles(selling, n=4, method="inclusive")
    return max(high + FENCE * (high - low), FENCE * middle)


def _median_week(days: Sequence[Day], known_days: int) -> float:
    """Units a day in the middle one of the whole weeks that had stock for a day or more; 0 where there is none."""
    weeks = known_days // WEEK
    sold, out = [0] * weeks, [0.0] * weeks
    for day in days:
        if (week := (day.ago - 1) // WEEK) < weeks:
            sold[week] += day.sold
            out[week] += 1 - day.share
    rates = [units / (WEEK - gone) for units, gone in zip(sold, out, strict=True) if WEEK - gone >= 1]
    return statistics.median(rates) if rates else 0.0


def _deviation(days: Sequence[Day], kept: Sequence[float], quiet: int, per_day: float) -> float:
    """The sample's deviation of a full day around `per_day`; 0 for fewer than two days."""
    weighed = [(day.share, units) for day, units in zip(days, kept, strict=True) if day.share > 0]
    count = len(weighed) + quiet
    if count < 2:  # noqa: PLR2004 - one day deviates from nothing
        return 0.0
    squares = sum((units - per_day * share) ** 2 / share for share, units in weighed) + quiet * per_day**2
    return math.sqrt(squares / (count - 1))


def _doubt(known_days: int, shares: float, selling: int) -> Doubt | None:
    if known_days < FEW_DAYS:
        return Doubt.NEW
    if shares < FEW_DAYS:
        return Doubt.MOSTLY_OUT
    return Doubt.FEW_SALES if selling < FEW_SALES else None

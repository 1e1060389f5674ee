"""Replenishment decisions: when to order, how much, how urgent it is, and what the next unit costs. Pure."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from statistics import NormalDist
from typing import TypeVar

from hub.demand import Demand, Handling

RANGE = 0.8  # the predicted stockout date is told with the range that holds it so often
HYSTERESIS = 0.1  # share of the reorder point by which a position must rise above it to count as recovered
FARTHEST = 3650  # days: a stockout later than this is none
A_SHARE, B_SHARE = 0.8, 0.95
Key = TypeVar("Key", bound=Hashable)


# ── The formulas ────────────────────────────────────────────────────────────────────────────────────────────


def safety_stock(
    service_level: float, per_day: float, deviation: float, lead_days: float, lead_deviation: float = 0.0
) -> float:
    """Z x sqrt(sigma_d^2 x L + d^2 x sigma_L^2), in units; Z of the service level (between 0.5 and 1). Never below 0.

    `deviation` is that of one day's demand, `lead_days` and `lead_deviation` are days.
    """
    factor = NormalDist().inv_cdf(service_level)
    return max(0.0, factor * math.sqrt(deviation**2 * lead_days + per_day**2 * lead_deviation**2))


def reorder_point(per_day: float, lead_days: float, safety: float) -> float:
    """Demand x lead time + safety stock, in units."""
    return per_day * lead_days + safety


def rounded(units: float, multiple: int, minimum: int) -> int:
    """At least `units` and `minimum`, in whole multiples; 0 where nothing is needed."""
    if units <= 0:
        return 0
    return -(-max(_up(units), minimum) // multiple) * multiple


def moving_average(units: int, cost_cents: int | None, received: int, paid_cents: int | None) -> int | None:
    """Centavos a unit costs once `received` came at `paid_cents` each to `units` at `cost_cents`; half to even."""
    if paid_cents is None or received <= 0:
        return cost_cents
    if cost_cents is None or units <= 0:
        return paid_cents
    return round(Fraction(units * cost_cents + received * paid_cents, units + received))


def abc(values: Mapping[Key, float]) -> dict[Key, str]:
    """A, B or C by value a day: those that make the first 80 % of it, the next 15 %, the rest (and what is worth 0)."""
    total = sum(values.values())
    found: dict[Key, str] = {}
    before = 0.0
    for key, value in sorted(values.items(), key=lambda pair: -pair[1]):
        share = before / total if total else 1.0
        found[key] = "C" if value <= 0 or share >= B_SHARE else "B" if share >= A_SHARE else "A"
        before += value
    return found


def _up(units: float) -> int:
    """Whole units, up; what a float's arithmetic adds to a whole number is not a unit."""
    return math.ceil(round(units, 6))


# ── A SKU's plan: what changes from day to day ──────────────────────────────────────────────────────────────


class LeadSource(StrEnum):
    """Where a lead time comes from, the best first."""

    MEASURED_SKU = "measured_sku"  # received purchase orders of this SKU from its supplier
    MEASURED_SUPPLIER = "measured_supplier"  # the supplier's received purchase orders
    SKU = "sku"  # given for the SKU
    SUPPLIER = "supplier"  # given for the supplier
    DEFAULT = "default"  # the seller's own


@dataclass(frozen=True, slots=True)
class Lead:
    """Days from order to shelf, their deviation, and what says so; `receipts`: purchase orders measured."""

    days: float
    deviation: float
    source: LeadSource
    receipts: int = 0


ENOUGH_RECEIPTS = 3


def lead_time(told: Iterable[Lead | None]) -> Lead:
    """The best lead time there is; a measured one needs ENOUGH_RECEIPTS. The default must be among them."""
    order = list(LeadSource)
    measured = (LeadSource.MEASURED_SKU, LeadSource.MEASURED_SUPPLIER)
    good = [lead for lead in told if lead and (lead.source not in measured or lead.receipts >= ENOUGH_RECEIPTS)]
    return min(good, key=lambda lead: order.index(lead.source))


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """A seller's own defaults.

    `window_days`: how far back demand is read. `returns_reduce`: what came back was no demand.
    """

    service_level: float = 0.95
    lead_time_days: float = 14.0
    review_days: int = 7
    window_days: int = 90
    handling: str = Handling.WINSORISED
    returns_reduce: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a SKU is replenished. None: computed. Units and days; `cover_days` replaces the review period's target."""

    service_level: float = 0.95
    review_days: int = 7
    safety_stock: int | None = None
    reorder_point: int | None = None
    cover_days: int | None = None
    multiple: int = 1
    minimum: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Levels to compare a position with, in units, and what they were computed from."""

    demand: Demand
    lead: Lead
    rules: Rules
    safety: int
    reorder: int
    target: int

    @property
    def recovers_at(self) -> int:
        """The position from which an alert is over: a little above the reorder point, reached by ordering."""
        if self.reorder <= 0:
            return 0  # nothing is kept: enough is when nothing is owed
        margin = _up(self.reorder * HYSTERESIS)
        return max(self.reorder + 1, min(self.reorder + margin, self.target))


def plan(demand: Demand, lead: Lead, rules: Rules) -> Plan:
    """Safety stock, reorder point and target level; what was given by hand stays as given."""
    raw = safety_stock(rules.service_level, demand.per_day, demand.deviation, lead.days, lead.deviation)
    safety = _up(raw) if rules.safety_stock is None else rules.safety_stock
    held = raw if rules.safety_stock is None else float(rules.safety_stock)
    computed = _up(reorder_point(demand.per_day, lead.days, held))
    reorder = computed if rules.reorder_point is None else rules.reorder_point
    cover = reorder + _up(demand.per_day * rules.review_days)
    if rules.cover_days is not None:
        cover = max(reorder, _up(demand.per_day * rules.cover_days))
    target = max(cover, reorder + 1) if reorder > 0 else cover  # what is ordered must clear the reorder point
    return Plan(demand=demand, lead=lead, rules=rules, safety=safety, reorder=reorder, target=target)


# ── A SKU's position: what changes from sale to sale ────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Incoming:
    """Units ordered and not yet received; `due`: when they are expected, None: nobody said."""

    units: int
    due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Units of a SKU in the seller's own warehouses, those sold and missing, and those on their way."""

    on_hand: int
    reserved: int
    short: int
    incoming: Sequence[Incoming] = ()

    @property
    def free(self) -> int:
        """What can still be sold, less what is owed."""
        return self.on_hand - self.reserved - self.short

    @property
    def coming(self) -> int:
        """Units on their way, each once."""
        return sum(each.units for each in self.incoming)

    @property
    def units(self) -> int:
        """What is compared with the reorder point."""
        return self.free + self.coming


@dataclass(frozen=True, slots=True, kw_only=True)
class Stockout:
    """When stock runs out, and the range that holds that date so often as RANGE says. None: never, as it sells now."""

    at: datetime | None
    early: datetime | None
    late: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do about a SKU. `days_left` to the predicted stockout; `overdue`: units expected before now."""

    needed: bool
    recovered: bool
    urgent: bool
    quantity: int
    position: int
    free: int
    days_left: float | None
    stockout: Stockout
    receipt: datetime
    overdue: int


def judge(plan: Plan, position: Position, now: datetime) -> Verdict:
    """Whether to order now, how much, and whether a new order would come too late."""
    overdue = sum(each.units for each in position.incoming if each.due is not None and each.due <= now)
    stockout = predicted(plan, position, now)
    receipt = now + timedelta(days=plan.lead.days)
    low = position.units <= plan.reorder
    needed = low and (plan.reorder > 0 or position.units < 0)
    late = position.free <= 0 if stockout.at is None else stockout.at < receipt
    wanted = plan.target - position.units if needed else 0
    return Verdict(
        needed=needed, recovered=position.units >= plan.recovers_at, urgent=needed and late,
        quantity=rounded(wanted, plan.rules.multiple, plan.rules.minimum), position=position.units,
        free=position.free, days_left=_days(stockout.at, now), stockout=stockout, receipt=receipt, overdue=overdue,
    )  # fmt: skip


def predicted(plan: Plan, position: Position, now: datetime) -> Stockout:
    """The predicted stockout, with what is on its way by its dates; units that are overdue are not relied on.

    Units on their way without a date count as if ordered now.
    """
    arrivals = sorted(
        (plan.lead.days if each.due is None else _days(each.due, now) or 0.0, each.units)
        for each in position.incoming
        if each.due is None or each.due > now
    )
    spread = NormalDist().inv_cdf(0.5 + RANGE / 2)
    at, early, late = (
        _runs_out(plan.demand, position.free, arrivals, sign * spread) for sign in (0.0, 1.0, -1.0)
    )  # fmt: skip
    return Stockout(at=_after(now, at), early=_after(now, early), late=_after(now, late))


def _runs_out(demand: Demand, free: int, arrivals: Sequence[tuple[float, int]], spread: float) -> float | None:
    """Days until demand has used up all that is there by then; None: never."""
    there = free
    for day, units in arrivals:
        gone = _days_of(demand, there, spread)
        if gone is not None and gone < day:
            return gone
        there += units
    return _days_of(demand, there, spread)


def _days_of(demand: Demand, units: int, spread: float) -> float | None:
    """Days until `spread` deviations more (or fewer, below zero) than the expected demand reach `units`.

    Demand over t days deviates by sqrt(s^2 t + t^2 s^2 / n): by the days themselves, and by a mean known from n
    days only. Where demand reaches the units is a root of (d^2 - z^2 s^2/n) t^2 - (2 u d + z^2 s^2) t + u^2.
    """
    if units <= 0:
        return 0.0
    if demand.per_day <= 0:
        return None
    if not spread or not demand.deviation:
        return units / demand.per_day
    noise = (spread * demand.deviation) ** 2
    square = demand.per_day**2 - noise / max(demand.days, 1.0)
    line = 2 * units * demand.per_day + noise
    root = math.sqrt(max(0.0, line**2 - 4 * square * units**2))
    if spread > 0:
        return 2 * units**2 / (line + root)  # the smaller root, told so that square may be 0
    return (line + root) / (2 * square) if square > 0 else None


def _days(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else (at - now) / timedelta(days=1)


def _after(now: datetime, days: float | None) -> datetime | None:
    return None if days is None or days > FARTHEST else now + timedelta(days=days)

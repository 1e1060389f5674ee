"""Buffers: which rules keep units away from a channel, what is set apart for one, and what is left to show."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from hub.why import Param, Step, StepKind


class BufferKind(StrEnum):
    """How a seller keeps units away from a channel."""

    UNITS = "units"  # hold back so many
    PERCENT = "percent"  # hold back a share, rounded up
    AUTO = "auto"  # hold back what other channels sell while this one is not told yet
    LEAST = "least"  # with fewer left than this, show none
    MOST = "most"  # never show more
    FIXED_POOL = "fixed_pool"  # units set apart for this channel: all that it may show, and nobody else may


class BufferSource(StrEnum):
    """Where a buffer was set, the most particular first: that one counts."""

    LISTING = "listing"
    SKU_HERE = "sku_here"  # the SKU, in one channel
    SKU = "sku"
    CATEGORY_HERE = "category_here"
    CATEGORY = "category"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Behind an automatic buffer. Units per hour sold elsewhere, seconds until this channel is told (p95)."""

    per_hour: float
    lag_seconds: float
    factor_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """One rule; `value` in units as the listing sells them, or in percent. Plain strings will do as well.

    `until`: in force only while more than so many are free. `measure`: what an automatic rule's value comes from,
    None when nothing has been measured yet.
    """

    kind: BufferKind
    value: int
    source: BufferSource
    until: int | None = None
    measure: Measure | None = None


# Rules that answer the same question, in the order in which they are asked. Of each only the most particular
# source counts: "hold back 0" on a listing lifts the channel's "hold back 10%".
_QUESTIONS = (
    (BufferKind.UNITS, BufferKind.PERCENT, BufferKind.AUTO),
    (BufferKind.LEAST,),
    (BufferKind.MOST,),
)
_PARTICULAR = {source: rank for rank, source in enumerate(BufferSource)}


def applied(free: int, rules: Iterable[Buffer]) -> tuple[int, list[Step]]:
    """What the rules leave of `free` units, and one step for each that counts or has run out."""
    told = tuple(rules)
    over = [rule for rule in told if rule.until is not None and free <= rule.until]
    steps = [
        Step(StepKind.BUFFER_OVER, {"source": rule.source, "value": rule.value, "until": rule.until or 0, "left": free})
        for rule in over
    ]
    left = free
    for rule in that_count(rule for rule in told if rule not in over):
        left, step = buffered(left, rule)
        steps.append(step)
    return left, steps


def that_count(buffers: Iterable[Buffer]) -> Iterable[Buffer]:
    """The rules that count, in the order in which they are applied."""
    rules = tuple(buffers)
    for kinds in _QUESTIONS:
        asked = [rule for rule in rules if rule.kind in kinds]
        if asked:
            nearest = min(_PARTICULAR[rule.source] for rule in asked)
            yield from sorted(
                (rule for rule in asked if _PARTICULAR[rule.source] == nearest),
                key=lambda rule: (kinds.index(rule.kind), rule.value),
            )


def buffered(left: int, rule: Buffer) -> tuple[int, Step]:
    """What a rule leaves of `left`, and the step that says so."""
    value = max(0, rule.value)
    params: dict[str, Param] = {"source": rule.source, "value": value}
    kind = StepKind(rule.kind)
    match rule.kind:
        case BufferKind.UNITS:
            left = max(0, left - value)
        case BufferKind.AUTO:
            left = max(0, left - value)
            if rule.measure is None:
                kind = StepKind.AUTO_UNMEASURED
            else:
                params["per_hour"] = round(rule.measure.per_hour, 2)
                params["lag"] = round(rule.measure.lag_seconds, 2)
                params["factor"] = round(rule.measure.factor_percent / 100, 2)
        case BufferKind.PERCENT:
            held = min(left, -(-left * value // 100))
            left -= held
            params["held"] = held
        case BufferKind.LEAST:
            left = left if left >= value else 0
        case BufferKind.MOST:
            left = min(left, value)
    return left, Step(kind, {**params, "left": left})


# ── Pools: units set apart for one channel ──────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Units of a plain SKU set apart for an account, or for one slot of it (`slot_id`).

    `sold`: what it sold of them since the pool began. `warehouses`: those it draws from, best first. `until`: in
    force only while more than so many of the SKU are free there.
    """

    sku_id: UUID
    account_id: UUID
    account: str
    slot_id: UUID | None
    value: int
    sold: int
    source: BufferSource
    warehouses: tuple[UUID, ...]
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """Where a pool's units stand: by warehouse, never more than is free there."""

    pool: Pool
    units: Mapping[UUID, int]

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.units.values())


def shares(pools: Sequence[Pool], free: Mapping[tuple[UUID, UUID], int]) -> tuple[Share, ...]:
    """Where each pool stands, in the order given; the first takes first. `free`: units by (sku, warehouse).

    Sales there eat the pool, so what it still holds back is its size less what it sold; it stands in the
    warehouses from which its channel's orders leave first.
    """
    rest = dict(free)
    found = []
    for pool in pools:
        if pool.until is not None and sum(free.get((pool.sku_id, w), 0) for w in pool.warehouses) <= pool.until:
            continue
        wanted, units = max(0, pool.value - pool.sold), {}
        for warehouse in pool.warehouses:
            taken = min(wanted, max(0, rest.get((pool.sku_id, warehouse), 0)))
            if taken:
                wanted -= taken
                rest[pool.sku_id, warehouse] -= taken
                units[warehouse] = taken
        found.append(Share(pool, units))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Apart:
    """What a slot may not touch of one SKU, and why."""

    shares: tuple[Share, ...]
    own: Share | None

    def units(self, warehouse_id: UUID, free: int) -> int:
        """Of `free` units in a warehouse those that others have; with a pool of its own, all that is not in it."""
        if self.own is not None:
            return max(0, free - self.own.units.get(warehouse_id, 0))
        return min(free, sum(share.units.get(warehouse_id, 0) for share in self.shares))

    def steps(self) -> tuple[Step, ...]:
        """One step for its own pool, else one for each pool of others that holds something back."""
        if self.own is not None:
            return (_pool_step(StepKind.POOL_OWN, self.own),)
        return tuple(_pool_step(StepKind.POOL_OTHER, share) for share in self.shares if share.total)


def _pool_step(kind: StepKind, share: Share) -> Step:
    pool = share.pool
    told: dict[str, Param] = {"sku": pool.sku_id, "account": pool.account, "source": pool.source}
    return Step(kind, {**told, "value": pool.value, "sold": pool.sold, "held": share.total})


def apart(standing: Iterable[Share], sku_id: UUID, account_id: UUID, slot_id: UUID) -> Apart:
    """What is set apart of a SKU from one slot's view: a listing's own pool, else its account's, else others'."""
    here = tuple(share for share in standing if share.pool.sku_id == sku_id)
    mine = [share for share in here if share.pool.slot_id == slot_id]
    mine += [share for share in here if share.pool.slot_id is None and share.pool.account_id == account_id]
    return Apart(here, mine[0] if mine else None)


# ── Automatic buffers ───────────────────────────────────────────────────────────────────────────────────────

HALF_LIFE_HOURS = 6.0  # a sale counts half after so long
WINDOW_HOURS = 7 * 24  # and not at all after so long
FEW = 20  # pushes of one SKU under which its account's lag says more
STEADY = 1.25  # a buffer falls only when so many times the sales would not raise it again


def per_hour(sold: Iterable[tuple[float, int]]) -> float:
    """Units per hour from (hours ago, units): recent sales count more; a steady rate gives that very rate."""
    weight = sum(units * math.exp2(-max(0.0, ago) / HALF_LIFE_HOURS) for ago, units in sold if ago < WINDOW_HOURS)
    whole = HALF_LIFE_HOURS / math.log(2) * (1 - math.exp2(-WINDOW_HOURS / HALF_LIFE_HOURS))
    return max(0.0, weight / whole)


def needed(velocity: float, lag_seconds: float, factor_percent: int) -> float:
    """Units that others sell before the channel is told, times the factor; unrounded."""
    return velocity * lag_seconds / 3600 * factor_percent / 100


def automatic(before: int, raw: float, cap: int | None) -> int:
    """The buffer from now on: rises at once, falls only when it would not rise again soon, never above the cap."""
    most = cap if cap is not None else math.inf
    wanted = math.ceil(round(raw, 9))
    if before > wanted and math.ceil(round(raw * STEADY, 9)) >= before:
        wanted = before
    return int(min(wanted, most))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How long changes of a SKU, or of anything, took to reach a channel: p95 in seconds, of so many pushes."""

    seconds: float
    pushes: int


def lag_of(of_sku: Lag | None, of_account: Lag | None) -> Lag | None:
    """The lag to reckon with: the SKU's own where it was pushed often enough, else its account's."""
    if of_sku is not None and (of_sku.pushes >= FEW or of_account is None):
        return of_sku
    return of_account


# ── When it begins and ends ─────────────────────────────────────────────────────────────────────────────────


def next_turn(now: datetime, *instants: datetime | None) -> datetime | None:
    """The next of these instants at which a rule begins or ends; None when all are past."""
    return min((at for at in instants if at is not None and at > now), default=None)

"""Buffers: which rules keep units away from a channel, and what they leave to show."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hub.why import Param, Step, StepKind


class BufferKind(StrEnum):
    """How a seller keeps units away from a channel."""

    UNITS = "units"  # hold back so many
    PERCENT = "percent"  # hold back a share, rounded up
    LEAST = "least"  # with fewer left than this, show none
    MOST = "most"  # never show more
    FIXED_POOL = "fixed_pool"  # units set apart for this channel: all that it may show


class BufferSource(StrEnum):
    """Where a buffer was set, the most particular first: that one counts."""

    LISTING = "listing"
    SKU = "sku"
    CATEGORY = "category"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """One rule; `value` in units as the listing sells them, or in percent. Plain strings will do as well."""

    kind: BufferKind
    value: int
    source: BufferSource


# Rules that answer the same question, in the order in which they are asked. Of each only the most particular
# source counts: "hold back 0" on a listing lifts the channel's "hold back 10%".
_QUESTIONS = (
    (BufferKind.UNITS, BufferKind.PERCENT),
    (BufferKind.LEAST,),
    (BufferKind.FIXED_POOL,),
    (BufferKind.MOST,),
)
_PARTICULAR = {source: rank for rank, source in enumerate(BufferSource)}


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
    match rule.kind:
        case BufferKind.UNITS:
            left = max(0, left - value)
        case BufferKind.PERCENT:
            held = min(left, -(-left * value // 100))
            left -= held
            params["held"] = held
        case BufferKind.LEAST:
            left = left if left >= value else 0
        case BufferKind.MOST | BufferKind.FIXED_POOL:
            left = min(left, value)
    return left, Step(StepKind(rule.kind), {**params, "left": left})

"""Charts as plain numbers for SVG: bars in a box of whole units, with no style of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDE, HIGH = 480, 96
GAP = 2
LEAST = 2  # units that the smallest bar is high, so that it is seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar from the bottom up: `rest` is the part of it that stands on top of the rest, as high as `top`."""

    x: float
    width: float
    y: float
    height: float
    top_y: float
    top_height: float
    label: str


def bars(values: Sequence[tuple[str, float, float]]) -> list[Bar]:
    """(label, whole, part) from left to right: `part` of `whole` is drawn full, what is over it lighter."""
    most = max((whole for _label, whole, _part in values), default=0)
    if most <= 0:
        return []
    step = WIDE / len(values)
    made = []
    for n, (label, whole, part) in enumerate(values):
        tall = max(whole / most * HIGH, LEAST) if whole > 0 else 0.0
        full = min(tall, max(part / most * HIGH, LEAST)) if part > 0 else 0.0
        made.append(
            Bar(
                x=round(n * step + GAP / 2, 2),
                width=round(step - GAP, 2),
                y=round(HIGH - full, 2),
                height=round(full, 2),
                top_y=round(HIGH - tall, 2),
                top_height=round(tall - full, 2),
                label=label,
            )
        )
    return made

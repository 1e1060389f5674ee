"""Units into volumes, by one simple rule, and what a volume weighs by its size. Pure: millimetres and grams.

The rule: units lie flat, one upon the other. A volume is as long and as wide as its largest unit and as high as all of
them together; the largest unit comes first, and each goes into the first volume that stays within the limits.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

CM = 10  # millimetres


class TooLarge(ValueError):
    """A unit that no volume holds: the sentence in English, and `pt` in Portuguese."""

    def __init__(self, sku: str, pt: str, en: str) -> None:
        super().__init__(f"{sku}: one unit alone passes the limit of {en}")
        self.pt = f"{sku}: uma unidade sozinha passa do limite de {pt}"


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit to send: grams, its three sides in millimetres, what it is worth in centavos."""

    sku: str
    grams: int
    sides: tuple[int, int, int]
    value_cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a volume may have: grams, longest side and sum of sides (millimetres); `tare_g` is the box's own weight."""

    grams: int = 30_000
    side_mm: int = 1_000
    sum_mm: int = 2_000
    tare_g: int = 0


@dataclass(slots=True)
class Volume:
    """A parcel: its sides in millimetres (length is the longest), grams with its box, and which units it holds."""

    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    grams: int = 0
    value_cents: int = 0
    units: Counter[str] = field(default_factory=Counter)

    def with_(self, unit: Unit) -> "Volume":
        """The volume with one unit more on top."""
        long, wide, high = sorted(unit.sides, reverse=True)
        sides = (max(self.length_mm, long), max(self.width_mm, wide), self.height_mm + high)
        return Volume(
            *sides, self.grams + unit.grams, self.value_cents + unit.value_cents, self.units + Counter([unit.sku])
        )

    def sides_cm(self) -> tuple[int, int, int]:
        """Length, width and height in whole centimetres, rounded up, the longest first."""
        long, wide, high = sorted((self.length_mm, self.width_mm, self.height_mm), reverse=True)
        return -(-long // CM), -(-wide // CM), -(-high // CM)

    def cubic_g(self, divisor: int) -> int:
        """What it weighs by its size, in grams: cubic centimetres over a carrier's divisor (cm³ per kilogram)."""
        long, wide, high = self.sides_cm()
        return -(-long * wide * high * 1000 // divisor)


def pack(units: Iterable[Unit], limits: Limits) -> list[Volume]:
    """Volumes that hold every unit. TooLarge names the SKU of which one unit alone passes a limit, and the limit."""
    volumes: list[Volume] = []
    for unit in sorted(units, key=lambda unit: (sorted(unit.sides, reverse=True), unit.grams, unit.sku), reverse=True):
        for place, volume in enumerate(volumes):
            if too_much(grown := volume.with_(unit), limits) is None:
                volumes[place] = grown
                break
        else:
            alone = Volume(grams=limits.tare_g).with_(unit)
            if limit := too_much(alone, limits):
                raise TooLarge(unit.sku, *limit)
            volumes.append(alone)
    return volumes


def too_much(volume: Volume, limits: Limits) -> tuple[str, str] | None:
    """The first limit that a volume passes, in Portuguese and in English; None when it keeps all."""
    sides = (volume.length_mm, volume.width_mm, volume.height_mm)
    for told, most, pt, en in (
        (volume.grams, limits.grams, "g por volume", "g a volume"),
        (max(sides), limits.side_mm, "mm por lado", "mm a side"),
        (sum(sides), limits.sum_mm, "mm somados", "mm in all"),
    ):
        if told > most:
            return f"{most} {pt}", f"{most} {en}"
    return None

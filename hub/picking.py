"""What goes into the box: units to fetch of each SKU, and one order checked off code by code. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class Said(StrEnum):
    """What came of reading a code."""

    COUNTED = "counted"
    ENOUGH = "enough"  # it belongs to the order, which has all its units of it
    UNKNOWN = "unknown"


@dataclass(slots=True, kw_only=True)
class Item:
    """Units of one thing: of an order to check off, or of one warehouse to fetch. `codes` as `bare` makes them."""

    name: str
    title: str | None
    house: str | None
    units: int = 0
    codes: frozenset[str] = frozenset()
    orders: list[UUID] = field(default_factory=list)


def bare(code: str) -> str:
    """A code as it is compared: readers put zeros before a GTIN, people write small letters."""
    told = code.strip().upper()
    return told.lstrip("0") or told if told.isdigit() else told


def _name(row: Mapping[str, Any]) -> str:
    return str(row["sku"] or row["channel_sku"] or row["title"] or row["line_ref"])


def to_check(rows: Iterable[Mapping[str, Any]]) -> list[Item]:
    """An order's rows (of hub.store.picking.items) as what is read one by one: a line for each SKU, in their order."""
    found: dict[str, Item] = {}
    for row in rows:
        name = _name(row)
        told = (row["sku"] or row["channel_sku"], row["gtin"])
        item = found.setdefault(name, Item(name=name, title=row["title"], house=row["house"]))
        item.units += row["units"]
        item.codes |= {bare(code) for code in told if code}
        if row["house"] and row["house"] not in (item.house or "").split(", "):
            item.house = f"{item.house}, {row['house']}"
    return list(found.values())


def to_fetch(rows: Iterable[Mapping[str, Any]]) -> list[Item]:
    """Rows of some orders as units to fetch in all, warehouse by warehouse, by SKU."""
    found: dict[tuple[int, str, str], Item] = {}
    for row in rows:
        key = (row["rank"], row["house"] or "", _name(row))
        item = found.setdefault(key, Item(name=key[2], title=row["title"], house=row["house"]))
        item.units += row["units"]
        if row["order_id"] not in item.orders:
            item.orders.append(row["order_id"])
    return [found[key] for key in sorted(found)]


def read(items: Sequence[Item], done: Mapping[str, int], code: str) -> tuple[Said, Item | None]:
    """What a code that was read counts; of two things of one code the one that still lacks units."""
    mine = [item for item in items if bare(code) in item.codes]
    if not mine:
        return Said.UNKNOWN, None
    lacks = next((item for item in mine if done.get(item.name, 0) < item.units), None)
    return (Said.COUNTED, lacks) if lacks else (Said.ENOUGH, mine[0])


def is_whole(items: Sequence[Item], done: Mapping[str, int]) -> bool:
    """Whether every unit was read."""
    return bool(items) and all(done.get(item.name, 0) >= item.units for item in items)

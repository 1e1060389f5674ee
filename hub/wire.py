"""A wire document read by name: each value in our types, and whatever cannot be read named by its path. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timezone
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

from hub import parse
from hub.faults import Unreadable
from hub.model import Raw

T = TypeVar("T")
SCALARS = (str, int, float)


class Wire:
    """An object of a document and the path where it stands. Absent and null are alike: not told (None, no rows).

    A key "part.key" is that of a nested object. Numbers told as strings and strings told as numbers are read all the
    same; an object or a list where a plain value should be is Unreadable, and so is the reverse.
    """

    __slots__ = ("path", "raw")

    def __init__(self, raw: Raw, path: str) -> None:
        if raw is not None and not isinstance(raw, dict):
            raise Unreadable(path, "not an object")
        self.raw: Mapping[str, Any] = raw or {}
        self.path = path

    def __bool__(self) -> bool:
        return bool(self.raw)

    def at(self, key: str) -> str:
        """The path of a field."""
        return f"{self.path}.{key}" if self.path else key

    def told(self, key: str) -> Raw:
        """Whatever stands there; null where nothing does."""
        within, _, last = key.rpartition(".")
        return (self.part(within) if within else self).raw.get(last)

    def value(self, key: str) -> str | int | float | bool | None:
        """A plain value as told."""
        told = self.told(key)
        if told is not None and not isinstance(told, SCALARS):
            raise Unreadable(self.at(key), "not a plain value")
        return told

    def part(self, key: str) -> Self:
        """A nested object, empty when not told. PHP tells an empty object as []."""
        told = self.told(key)
        return type(self)(None if told == [] else told, self.at(key))

    def needed_part(self, key: str) -> Self:
        """A nested object without which the document says nothing; it may be empty."""
        if self.told(key) is None:
            raise Unreadable(self.at(key), "not told")
        return self.part(key)

    def object(self, key: str) -> Self:
        """As part, where something else may stand in its place: what is no object is not told."""
        told = self.told(key)
        return type(self)(told if isinstance(told, dict) else None, self.at(key))

    def rows(self, key: str) -> list[Self]:
        """The objects of a list, none when not told."""
        told = listed(self.told(key), self.at(key))
        return [type(self)(row, f"{self.at(key)}.{n}") for n, row in enumerate(told)]

    def objects(self, key: str) -> list[Self]:
        """As rows, where others than the channel may add to the list: what is no object is left out."""
        told = listed(self.told(key), self.at(key))
        return [type(self)(row, f"{self.at(key)}.{n}") for n, row in enumerate(told) if isinstance(row, dict)]

    def needed_rows(self, key: str) -> list[Self]:
        """The objects of a list, which may be empty, without which the document says nothing."""
        if self.told(key) is None:
            raise Unreadable(self.at(key), "not told")
        return self.rows(key)

    def texts(self, key: str) -> list[str]:
        """The strings of a list, none when not told."""
        told = listed(self.told(key), self.at(key))
        if not all(isinstance(each, str) for each in told):
            raise Unreadable(self.at(key), "not a list of strings")
        return list(told)

    def text(self, *keys: str) -> str | None:
        """The first of these that tells something unmasked."""
        return next((told for told in (parse.text(self.value(key)) for key in keys) if told is not None), None)

    def ref(self, key: str) -> str | None:
        """A channel's id; 0 is none."""
        return parse.ref(self.value(key))

    def needed_ref(self, key: str) -> str:
        """An id without which the document is of no use."""
        told = self.ref(key)
        if told is None:
            raise Unreadable(self.at(key), "not told")
        return told

    def bare_ref(self, *keys: str) -> str | None:
        """The first of these that tells an id of letters and digits; for notices, where an odd one is not told."""
        return next((ref for ref in (parse.bare_ref(self.told(key)) for key in keys) if ref), None)

    def bare_refs(self, key: str) -> list[str]:
        """As bare_ref, of a list of ids."""
        told = self.told(key)
        return [ref for each in told if (ref := parse.bare_ref(each))] if isinstance(told, list) else []

    def cents(self, key: str, times: int = 1) -> int | None:
        """Centavos of a decimal amount, of so many units."""
        return parse.cents(self._amount(key), self.at(key), times)

    def units(self, key: str) -> int | None:
        """A whole number of units, of either sign; a fraction is Unreadable."""
        told = self._amount(key)
        return None if told is None or told == "" else parse.quantity(told, self.at(key))

    def quantity(self, key: str) -> int:
        """A whole number of units from 1."""
        told = self.units(key)
        if told is None or told < 1:
            raise Unreadable(self.at(key), "not told" if told is None else "less than one unit")
        return told

    def count(self, key: str) -> int:
        """A whole number of units from 0; not told is 0."""
        told = self.units(key) or 0
        if told < 0:
            raise Unreadable(self.at(key), "below zero")
        return told

    def needed_count(self, key: str) -> int:
        """A whole number of units from 0 that must be told: silence is not zero."""
        if self.units(key) is None:
            raise Unreadable(self.at(key), "not told")
        return self.count(key)

    def instant(self, *keys: str, zone: timezone | ZoneInfo = UTC) -> datetime | None:
        """The first of these that tells a time: ISO 8601 (in `zone` without an offset), or unix seconds."""
        for key in keys:
            told = self.value(key)
            if told not in (None, "", 0, "0") and not isinstance(told, bool):
                return parse.instant(told, self.at(key), zone=zone)
        return None

    def moment(self, key: str, *, zone: ZoneInfo) -> parse.Moment:
        """When a scan was made, ISO 8601 (in `zone` without an offset); without a time it is Unreadable."""
        return parse.moment(self.value(key), self.at(key), zone=zone)

    def clock(self, *keys: str, zone: timezone | ZoneInfo = UTC) -> datetime | None:
        """As instant, for notices: an odd time must not lose the bell, and is not told."""
        try:
            return self.instant(*keys, zone=zone)
        except Unreadable:
            return None

    def currency(self, key: str) -> str:
        """An ISO 4217 code; reais where not told."""
        code = (self.text(key) or "BRL").upper()
        if not _CURRENCY.fullmatch(code):
            raise Unreadable(self.at(key), f"not a currency code: {code!r}"[:120])
        return code

    def flag(self, key: str) -> bool | None:
        """A yes or no, also told as 1, "true", "S"."""
        told = self.value(key)
        if told is None or told == "":
            return None
        word = str(told).strip().lower()
        if word in _YES or word in _NO:
            return word in _YES
        raise Unreadable(self.at(key), f"neither yes nor no: {told!r}"[:120])

    def one_of(self, key: str, table: Mapping[str, T]) -> T:
        """What a table says of the channel's word; a word that it does not have is Unreadable."""
        told = self.word(key)
        if told is None:
            raise Unreadable(self.at(key), "not told")
        if told not in table:
            raise Unreadable(self.at(key), f"unknown: {told!r}"[:120])
        return table[told]

    def maybe_of(self, key: str, table: Mapping[str, T]) -> T | None:
        """As one_of, where nothing need be told: then None."""
        return None if self.word(key) is None else self.one_of(key, table)

    def word(self, key: str) -> str | None:
        """A word of the channel's as its tables spell it."""
        return self.text(key)

    def _amount(self, key: str) -> str | int | float | None:
        told = self.value(key)
        if isinstance(told, bool):
            raise Unreadable(self.at(key), "not a number")
        return told.strip() if isinstance(told, str) else told


_YES = frozenset({"true", "1", "s", "sim", "yes", "y"})
_NO = frozenset({"false", "0", "n", "nao", "não", "no"})
_CURRENCY = re.compile("[A-Z]{3}")


def rows(raw: Raw, path: str) -> Iterator[Wire]:
    """The objects of a list, each with its place in the path; null is no list."""
    for n, row in enumerate(listed(raw, path)):
        yield Wire(row, f"{path}.{n}")


def listed(raw: Raw, path: str) -> Sequence[Raw]:
    """A list's members. PHP tells an empty list also as "" or false, and one with a gap as an object by number."""
    if isinstance(raw, dict) and all(str(key).isdecimal() for key in raw):
        return list(raw.values())
    if raw is None or raw == "" or raw is False:
        return ()
    if not isinstance(raw, list):
        raise Unreadable(path, "not a list")
    return raw


def needed_list(raw: Raw, path: str) -> list[Raw]:
    """A list's members, where nothing else may pass for an empty list."""
    if not isinstance(raw, list):
        raise Unreadable(path, "not a list")
    return raw


def unboxed(raw: Raw, own: AbstractSet[str], *boxes: str) -> Raw:
    """The order within the envelopes of answers and pages, known by one of its `own` keys; one of several is none."""
    while isinstance(raw, dict) and not raw.keys() & own:
        inner = next((raw[box] for box in boxes if raw.get(box) is not None), None)
        if inner is None:
            break
        if isinstance(inner, list) and len(inner) != 1:
            raise Unreadable("order", f"a list of {len(inner)} orders, where one is wanted")
        raw = inner[0] if isinstance(inner, list) else inner
    return raw


def json_of_body(body: bytes) -> Raw:
    """The JSON value that a notice's body is."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise Unreadable("body", "not JSON") from problem


def of_body(body: bytes) -> Wire:
    """The object that a notice's body is."""
    return Wire(json_of_body(body), "body")

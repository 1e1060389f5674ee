"""Differences, which of them are big, and their sums."""

from typing import Any
from uuid import uuid4

import pytest

from hub.stocktake import SENTENCES, Flag, Limits, Line, by_category, is_big, total


def line(units: int | None, book: int, **more: Any) -> Line:
    told: dict[str, Any] = {
        "sku_id": uuid4(), "sku": "A", "title": "", "category": None, "cost_cents": None, "counted_at": None,
        "attempts": 1, "is_open": True,
    }  # fmt: skip
    return Line(**{**told, **more}, units=units, book=book)


@pytest.mark.parametrize(
    ("counted", "variance", "percent", "value"),
    [
        (line(8, 10, cost_cents=250), -2, -20.0, -500),
        (line(3, 0, cost_cents=100), 3, None, 300),
        (line(1, -2), 3, None, None),
        (line(None, 10, cost_cents=250), None, None, None),
        (line(10, 10, cost_cents=0), 0, 0.0, 0),
    ],
)
def test_differences(counted: Line, variance: int | None, percent: float | None, value: int | None) -> None:
    assert (counted.variance, counted.percent, counted.value_cents) == (variance, percent, value)


@pytest.mark.parametrize(
    ("counted", "big"),
    [
        (line(5, 10), True), (line(6, 10), False), (line(95, 100), False), (line(80, 100), True),
        (line(5, 0), True), (line(4, 0), False), (line(99, 100, cost_cents=50_000), True),
        (line(99, 100, cost_cents=49_999), False), (line(None, 100), False), (line(900, 0, is_open=False), False),
        (line(101, 100, cost_cents=50_000), True),
    ],
)  # fmt: skip
def test_big_differences(counted: Line, big: bool) -> None:
    assert is_big(counted, Limits()) is big


def test_sums_by_category_and_in_all() -> None:
    lines = [
        line(8, 10, category="louça", cost_cents=100), line(12, 10, category="louça", cost_cents=200),
        line(5, 5, category="louça"), line(1, 4), line(None, 7, category="vidro"),
    ]  # fmt: skip
    louca, rest = by_category(lines)
    assert (louca.category, louca.lines, louca.different, louca.more, louca.less, louca.value_cents) == (
        "louça", 3, 2, 2, 2, 200,
    )  # fmt: skip
    assert (rest.category, rest.less, rest.unpriced, louca.accuracy) == ("", 3, 1, 33.3)
    assert (total(lines).lines, total(lines).different, total([]).accuracy) == (4, 3, None)


def test_every_flag_has_its_sentence_in_both_languages() -> None:
    assert all(set(told) == set(Flag) for told in SENTENCES.values())

"""Demand per day: days without stock do not count, days that stand out count for less, few days say so."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.demand import DAY_MINUTES, Day, Doubt, Handling, demand


def whole(sold: list[int]) -> list[Day]:
    """Days with stock throughout, the newest first."""
    return [Day(ago, units) for ago, units in enumerate(sold, start=1)]


@given(st.lists(st.integers(0, 500), min_size=2, max_size=90))
def test_with_stock_every_day_it_is_the_mean_and_the_sample_deviation(sold: list[int]) -> None:
    told = demand(whole(sold), len(sold), Handling.MEAN)
    assert told.per_day == pytest.approx(statistics.fmean(sold))
    assert told.deviation == pytest.approx(statistics.stdev(sold), abs=1e-9)
    assert told.days == len(sold)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=60), st.integers(0, 30))
def test_quiet_days_need_not_be_told(sold: list[int], quiet: int) -> None:
    spelled = demand(whole(sold + [0] * quiet), len(sold) + quiet)
    sparse = demand([day for day in whole(sold) if day.sold], len(sold) + quiet)
    assert sparse.per_day == pytest.approx(spelled.per_day)
    assert sparse.deviation == pytest.approx(spelled.deviation)
    assert sparse.days == pytest.approx(spelled.days)


def test_a_day_counts_by_the_share_of_it_with_stock() -> None:
    days = [Day(1, 4), Day(2, 2, 720), Day(3, 0, DAY_MINUTES), Day(4, 0, DAY_MINUTES), Day(5, 4)]
    told = demand(days, 5, Handling.MEAN)
    assert told.days == 2.5
    assert told.per_day == 4.0  # 10 units in two days and a half, not in five
    assert told.deviation == 0.0  # each day, half a day too, sold just that


@given(st.integers(1, 30), st.integers(0, 60))
def test_days_without_stock_never_lower_demand(units: int, out: int) -> None:
    selling = [Day(ago, units) for ago in range(1, 31)]
    empty = [Day(ago, 0, DAY_MINUTES) for ago in range(31, 31 + out)]
    assert demand([*selling, *empty], 30 + out).per_day == pytest.approx(units)


def test_a_day_that_sold_without_stock_was_open_all_day() -> None:
    told = demand([Day(1, 3, DAY_MINUTES), *(Day(ago, 3) for ago in range(2, 31))], 30)
    assert (told.per_day, told.days) == (3, 30)


def test_the_last_units_gone_at_dawn_are_no_rate() -> None:
    told = demand([Day(1, 5, DAY_MINUTES - 1), *(Day(ago, 0, DAY_MINUTES) for ago in range(2, 31))], 30)
    assert told.per_day == 20  # five in a quarter of a day, not five a minute


def test_what_mostly_sells_without_stock_has_no_days_without() -> None:
    """Made to order: the ledger never holds any."""
    days = [Day(ago, 1 if ago % 3 == 0 else 0, DAY_MINUTES) for ago in range(1, 91)]
    told = demand(days, 90)
    assert told.per_day == pytest.approx(30 / 90)
    assert told.doubt is Doubt.UNSTOCKED


USUAL = [8, 12, 10, 9, 11, 10, 13, 7, 10, 10] * 9  # 90 days, mean 10


def test_a_black_friday_moves_the_winsorised_mean_by_little() -> None:
    friday = [*USUAL[:-1], 400]
    plain = demand(whole(friday), 90, Handling.MEAN)
    told = demand(whole(friday), 90)
    assert plain.per_day == pytest.approx((900 - 10 + 400) / 90)
    assert told.handling is Handling.WINSORISED
    assert told.fence == 30.0  # three usual selling days
    assert told.cut == 370
    assert told.per_day == pytest.approx((900 - 10 + 30) / 90)
    assert told.deviation < 3 < plain.deviation


def test_a_whole_black_week_is_trimmed_too() -> None:
    week = [*USUAL[:-7], *[200] * 7]
    assert demand(whole(week), 90).per_day < 12.5
    assert demand(whole(week), 90, Handling.MEDIAN).per_day == pytest.approx(10, abs=0.5)
    assert demand(whole(week), 90, Handling.MEAN).per_day > 20


def test_ordinary_days_are_never_cut() -> None:
    told = demand(whole(USUAL), 90)
    assert told.fence is None
    assert told.cut == 0
    assert told.per_day == pytest.approx(10)


def test_what_sells_once_a_week_is_no_outlier() -> None:
    sold = [1 if ago % 7 == 0 else 0 for ago in range(1, 92)]
    told = demand(whole(sold), 91)
    assert told.per_day == pytest.approx(13 / 91)
    assert told.cut == 0


def test_a_median_of_nothing_is_winsorised_and_says_so() -> None:
    sold = [1 if ago % 30 == 0 else 0 for ago in range(1, 91)]
    told = demand(whole(sold), 90, Handling.MEDIAN)
    assert told.handling is Handling.WINSORISED
    assert told.per_day == pytest.approx(3 / 90)


def test_a_median_week_leaves_out_weeks_without_stock() -> None:
    days = [Day(ago, 0, DAY_MINUTES) if ago <= 49 else Day(ago, 5) for ago in range(1, 92)]
    assert demand(days, 91, Handling.MEDIAN).per_day == pytest.approx(5)


@pytest.mark.parametrize(
    ("days", "known", "doubt"),
    [
        (whole([5] * 10), 10, Doubt.NEW),
        ([Day(ago, 0, DAY_MINUTES) for ago in range(11, 91)], 90, Doubt.MOSTLY_OUT),
        ([Day(3, 2), Day(40, 1)], 90, Doubt.FEW_SALES),
        (whole([5] * 30), 30, None),
        ([], 0, Doubt.NEW),
    ],
)
def test_few_days_or_sales_are_said(days: list[Day], known: int, doubt: Doubt | None) -> None:
    assert demand(days, known).doubt is doubt


def test_no_day_with_stock_is_no_demand() -> None:
    told = demand([Day(ago, 0, DAY_MINUTES) for ago in range(1, 31)], 30)
    assert (told.per_day, told.deviation, told.days) == (0, 0, 0)
    assert told.doubt is Doubt.MOSTLY_OUT


def test_days_outside_the_window_do_not_count() -> None:
    assert demand([Day(0, 50), Day(1, 1), Day(11, 50)], 10).units == 1

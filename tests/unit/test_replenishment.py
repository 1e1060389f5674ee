"""When to order and how much: the formulas against figures computed apart from them, and what follows."""

import random
import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import replenishment_why as why
from hub.demand import Day, Demand, Doubt, Handling, demand
from hub.replenishment import (
    Incoming,
    Lead,
    LeadSource,
    Plan,
    Position,
    Rules,
    abc,
    judge,
    lead_time,
    moving_average,
    plan,
    predicted,
    reorder_point,
    rounded,
    safety_stock,
)

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)

# Worked with awk from the printed table of the normal distribution, not from our code:
# (service level, demand a day, its deviation, lead time, its deviation) -> safety stock, reorder point
GOLDEN = [
    (0.95, 10, 3, 9, 2, 36.074456, 126.074456),
    (0.95, 10, 3, 9, 0, 14.803683, 104.803683),
    (0.9, 2.5, 1.6, 14, 4, 14.936537, 49.936537),
    (0.99, 40, 12, 7, 1.5, 157.917730, 437.917730),
    (0.975, 0.3, 0.7, 30, 6, 8.301552, 17.301552),
    (0.8, 5, 0, 10, 2, 8.416212, 58.416212),
    (0.5, 8, 4, 5, 1, 0.0, 40.0),
    (0.999, 120, 35, 21, 3, 1217.900502, 3737.900502),
    (0.95, 0, 0, 14, 3, 0.0, 0.0),
    (0.95, 1, 1, 0, 0, 0.0, 0.0),
]


@pytest.mark.parametrize(("level", "per_day", "deviation", "lead", "lead_deviation", "safety", "reorder"), GOLDEN)
def test_the_formulas_give_the_golden_figures(
    level: float, per_day: float, deviation: float, lead: float, lead_deviation: float, safety: float, reorder: float
) -> None:
    told = safety_stock(level, per_day, deviation, lead, lead_deviation)
    assert told == pytest.approx(safety, abs=2e-6)
    assert reorder_point(per_day, lead, told) == pytest.approx(reorder, abs=2e-6)


def known(per_day: float = 10, deviation: float = 3, days: float = 90, **more: Any) -> Demand:
    return Demand(
        per_day=per_day, deviation=deviation, days=days, known_days=int(days), units=int(per_day * days),
        handling=Handling.WINSORISED, **more,
    )  # fmt: skip


def planned(lead: float = 9, lead_deviation: float = 2, demand_: Demand | None = None, **rules: Any) -> Plan:
    return plan(demand_ or known(), Lead(lead, lead_deviation, LeadSource.SKU), Rules(**rules))


def stands(on_hand: int, reserved: int = 0, short: int = 0, *incoming: Incoming) -> Position:
    return Position(on_hand=on_hand, reserved=reserved, short=short, incoming=incoming)


def in_days(days: float) -> datetime:
    return NOW + timedelta(days=days)


# ── Levels ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_levels_are_whole_units_and_the_target_adds_the_review_period() -> None:
    told = planned(review_days=7)
    assert (told.safety, told.reorder, told.target) == (37, 127, 197)


def test_what_is_given_by_hand_stays() -> None:
    assert planned(safety_stock=5).reorder == 95
    told = planned(reorder_point=50, review_days=3)
    assert (told.reorder, told.target) == (50, 80)
    assert planned(cover_days=30).target == 300
    assert planned(cover_days=5).target == 128, "a target below the reorder point would order for ever"


@pytest.mark.parametrize(
    ("units", "multiple", "minimum", "answer"),
    [
        (1, 1, 1, 1),
        (13, 12, 1, 24),
        (12, 12, 1, 12),
        (1, 12, 30, 36),
        (0, 12, 30, 0),
        (-4, 1, 1, 0),
        (7 + 1e-9, 1, 1, 7),
    ],
)
def test_an_order_is_at_least_the_minimum_in_whole_multiples(
    units: float, multiple: int, minimum: int, answer: int
) -> None:
    assert rounded(units, multiple, minimum) == answer


def test_a_measured_lead_time_counts_once_there_are_enough_receipts() -> None:
    given_, default = Lead(10, 0, LeadSource.SUPPLIER), Lead(14, 0, LeadSource.DEFAULT)
    few, many = Lead(21, 4, LeadSource.MEASURED_SUPPLIER, 2), Lead(21, 4, LeadSource.MEASURED_SUPPLIER, 3)
    own = Lead(25, 1, LeadSource.MEASURED_SKU, 3)
    assert lead_time([default]) is default
    assert lead_time([None, given_, default]) is given_
    assert lead_time([few, given_, default]) is given_
    assert lead_time([many, given_, default]) is many
    assert lead_time([many, own, given_, default]) is own


# ── Position, alert, suggestion ─────────────────────────────────────────────────────────────────────────────


def test_the_position_counts_everything_once() -> None:
    told = stands(50, 12, 3, Incoming(40, in_days(2)), Incoming(5, None))
    assert (told.free, told.coming, told.units) == (35, 45, 80)


def test_it_is_time_at_the_reorder_point_and_over_only_above_it() -> None:
    told = planned()  # 127
    assert not judge(told, stands(128), NOW).needed
    low = judge(told, stands(127), NOW)
    assert low.needed
    assert low.quantity == 197 - 127
    hovering = judge(told, stands(130), NOW)
    assert (hovering.needed, hovering.quantity) == (False, 0)
    assert not hovering.recovered, "the alert that was told is not told again at the next sale"
    assert judge(told, stands(140), NOW).recovered
    assert judge(told, stands(100, 0, 0, Incoming(100, None)), NOW).recovered


@given(
    st.integers(-200, 5000), st.floats(0, 50), st.floats(0, 40), st.floats(0, 60), st.integers(0, 30),
    st.integers(1, 50), st.integers(1, 200), st.one_of(st.none(), st.integers(0, 300)),
)  # fmt: skip
def test_ordering_what_is_suggested_ends_the_alert(
    units: int, per_day: float, deviation: float, lead: float, review: int, multiple: int, minimum: int, by_hand: Any
) -> None:
    rules = Rules(review_days=review, multiple=multiple, minimum=minimum, reorder_point=by_hand)
    told = plan(known(per_day, deviation), Lead(lead, 0, LeadSource.SKU), rules)
    before = judge(told, stands(units), NOW)
    assert not (before.needed and before.recovered)
    if before.needed:
        assert before.quantity > 0
        assert before.quantity % multiple == 0
        assert before.quantity >= minimum
        after = judge(told, stands(units, 0, 0, Incoming(before.quantity, None)), NOW)
        assert after.recovered
        assert not after.needed


def test_what_nobody_buys_is_not_reordered_but_what_is_owed_is() -> None:
    told = planned(demand_=known(0, 0))
    assert not judge(told, stands(0), NOW).needed
    owed = judge(told, stands(0, 0, 2), NOW)
    assert owed.needed
    assert owed.urgent
    assert owed.quantity == 2


def test_urgent_is_when_a_new_order_would_come_after_the_stockout() -> None:
    told = planned(lead=9)
    assert not judge(told, stands(100), NOW).urgent  # ten days left
    assert judge(told, stands(80), NOW).urgent  # eight
    assert not judge(told, stands(80, 0, 0, Incoming(30, in_days(5))), NOW).urgent, "some come before it runs out"
    assert judge(told, stands(80, 0, 0, Incoming(30, in_days(8.5))), NOW).urgent, "half a day without stock"
    late = judge(told, stands(80, 0, 0, Incoming(30, in_days(-1))), NOW)
    assert late.urgent, "what should have come yesterday is not relied on"
    assert (late.overdue, late.position) == (30, 110)


# ── The predicted stockout ──────────────────────────────────────────────────────────────────────────────────


def test_the_stockout_is_predicted_from_what_can_still_be_sold() -> None:
    told = predicted(planned(), stands(60, 20, 10), NOW)
    assert told.at == in_days(3)
    assert told.early is not None
    assert told.late is not None
    assert told.early < told.at < told.late
    assert predicted(planned(), stands(0), NOW).at == NOW
    never = predicted(planned(demand_=known(0, 0)), stands(5), NOW)
    assert (never.at, never.early, never.late) == (None, None, None)


def test_the_range_holds_the_date_as_often_as_it_says() -> None:
    """Against days drawn one by one from the same demand."""
    chance, inside = random.Random(7), 0
    per_day, deviation, stock = 10.0, 6.0, 400
    told = predicted(planned(demand_=known(per_day, deviation, days=1e9)), stands(stock), NOW)
    assert told.early is not None
    assert told.late is not None
    for _ in range(2000):
        left, day = float(stock), 0
        while left > 0:
            left -= chance.gauss(per_day, deviation)
            day += 1
        inside += told.early <= in_days(day - 0.5) <= told.late
    assert inside / 2000 == pytest.approx(0.8, abs=0.05)


def test_a_demand_known_from_few_days_has_a_wider_range() -> None:
    sure = predicted(planned(demand_=known(days=90)), stands(300), NOW)
    unsure = predicted(planned(demand_=known(days=3)), stands(300), NOW)
    assert unsure.at == sure.at
    assert unsure.early is not None
    assert sure.early is not None
    assert sure.late is not None
    assert unsure.early < sure.early
    assert unsure.late is None or unsure.late > sure.late


# ── Money ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("units", "cost", "received", "paid", "answer"),
    [
        (10, 1000, 10, 2000, 1500),
        (3, 1000, 1, 1001, 1000),  # 1000.25
        (1, 100, 1, 101, 100),  # 100.5, half to even
        (1, 101, 1, 102, 102),
        (0, 1000, 5, 700, 700),
        (-4, 1000, 5, 700, 700),
        (10, None, 5, 700, 700),
        (10, 1000, 5, None, 1000),
    ],
)
def test_the_cost_is_a_moving_average(
    units: int, cost: int | None, received: int, paid: int | None, answer: int | None
) -> None:
    assert moving_average(units, cost, received, paid) == answer


def test_abc_by_value() -> None:
    assert abc({"a": 70, "b": 15, "c": 8, "d": 4, "e": 3, "f": 0}) == {
        "a": "A", "b": "A", "c": "B", "d": "B", "e": "C", "f": "C",
    }  # fmt: skip
    assert abc({"a": 0}) == {"a": "C"}
    assert abc({}) == {}


# ── In words ────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_step_has_words_in_both_languages_with_the_same_numbers() -> None:
    import string

    for kind in why.StepKind:
        asked = [
            sorted(name for _t, name, _f, _c in string.Formatter().parse(why.SENTENCES[locale][kind]) if name)
            for locale in ("pt-BR", "en")
        ]
        assert asked[0] == asked[1], kind
    assert set(why.WORDS["pt-BR"]) == set(why.WORDS["en"]) == {*Handling, *LeadSource, *Doubt}


def test_a_suggestion_explains_each_of_its_numbers() -> None:
    days = [Day(ago, 10) for ago in range(1, 90)] + [Day(90, 400)]
    told = plan(demand(days, 90), Lead(9, 2, LeadSource.MEASURED_SUPPLIER, 5), Rules(multiple=12, minimum=24))
    position = stands(80, 12, 3, Incoming(5, in_days(-1)))
    answer = why.suggestion(told, position, judge(told, position, NOW), marketplace_units=33)
    assert answer.quantity % 12 == 0
    for locale in ("pt-BR", "en"):
        text = " ".join(answer.explain(locale))
        numbers = (told.safety, told.reorder, told.target, 80, 12, 3, 5, 33, answer.quantity, 24, 30, 370)
        for number in numbers:
            assert str(number) in text, (number, text)
        assert "{" not in text
    pt = answer.explain("pt-BR")
    assert any("10,22 por dia" in sentence for sentence in pt), pt
    assert any("13/03/2026" in sentence for sentence in pt), pt  # what an order placed now would take


def test_enough_stock_is_said_so() -> None:
    told = planned()
    answer = why.suggestion(told, stands(500), judge(told, stands(500), NOW))
    assert answer.quantity == 0
    assert "nada a comprar agora" in " ".join(answer.explain())


def test_the_golden_factor_is_that_of_the_service_level() -> None:
    """A month simulated: the reorder point covers lead time demand about as often as it promises."""
    chance = random.Random(11)
    level = reorder_point(10, 9, safety_stock(0.95, 10, 3, 9))
    covered = [sum(chance.gauss(10, 3) for _day in range(9)) <= level for _ in range(2000)]
    assert statistics.fmean(covered) == pytest.approx(0.95, abs=0.02)

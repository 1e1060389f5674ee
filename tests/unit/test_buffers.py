"""Buffers: pools never show a unit twice, automatic ones follow sales without flapping, and all say why."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.buffers import (
    FEW,
    HALF_LIFE_HOURS,
    WINDOW_HOURS,
    Buffer,
    BufferKind,
    BufferSource,
    Lag,
    Measure,
    Pool,
    apart,
    applied,
    automatic,
    lag_of,
    needed,
    next_turn,
    per_hour,
    shares,
)
from hub.why import StepKind

A, HERE, THERE, MARKET, STORE, SLOT, OTHER = (UUID(int=n) for n in range(1, 8))
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def pool(value: int, *, sold: int = 0, account: UUID = MARKET, **told: Any) -> Pool:
    return Pool(
        sku_id=A, account_id=account, account="Mercado Livre", value=value, sold=sold, source=BufferSource.SKU_HERE,
        **{"slot_id": None, "warehouses": (HERE, THERE), **told},
    )  # fmt: skip


def seen(found: Any, account: UUID, free: dict[UUID, int], slot: UUID = SLOT) -> int:
    view = apart(found, A, account, slot)
    return sum(units - view.units(warehouse, units) for warehouse, units in free.items())


# ── while more than so many are free ────────────────────────────────────────────────────────────────────────


def test_a_rule_ends_when_stock_falls_and_the_next_one_counts():
    rules = (
        Buffer(kind=BufferKind.UNITS, value=5, source=BufferSource.SKU, until=10),
        Buffer(kind=BufferKind.UNITS, value=2, source=BufferSource.CHANNEL),
    )
    assert applied(11, rules)[0] == 6
    left, steps = applied(10, rules)
    assert left == 8
    assert [step.kind for step in steps] == [StepKind.BUFFER_OVER, StepKind.UNITS]
    assert "só vale acima de 10 livres, e há 10" in steps[0].explain()


# ── pools ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pool_is_shown_there_and_nowhere_else():
    free = {HERE: 30}
    found = shares([pool(20)], {(A, HERE): 30})
    assert seen(found, MARKET, free) == 20
    assert seen(found, STORE, free) == 10


def test_sales_there_eat_the_pool_and_leave_the_others_as_they_were():
    free = {HERE: 25}  # 5 of the 30 were sold there
    found = shares([pool(20, sold=5)], {(A, HERE): 25})
    assert seen(found, MARKET, free) == 15
    assert seen(found, STORE, free) == 10
    assert seen(shares([pool(20, sold=21)], {(A, HERE): 9}), MARKET, {HERE: 9}) == 0


def test_the_older_pool_takes_first_where_there_is_not_enough():
    found = shares([pool(20), pool(10, account=STORE)], {(A, HERE): 25})
    assert seen(found, MARKET, {HERE: 25}) == 20
    assert seen(found, STORE, {HERE: 25}) == 5
    assert seen(found, OTHER, {HERE: 25}) == 0


def test_a_pool_stands_where_its_channel_sends_from_first():
    free = {HERE: 8, THERE: 30}
    found = shares([pool(20, warehouses=(THERE,))], {(A, w): units for w, units in free.items()})
    assert found[0].units == {THERE: 20}
    assert seen(found, STORE, free) == 18


def test_a_listings_own_pool_is_not_its_accounts():
    free = {HERE: 30}
    found = shares([pool(4, slot_id=SLOT), pool(10)], {(A, HERE): 30})
    assert seen(found, MARKET, free, SLOT) == 4
    assert seen(found, MARKET, free, OTHER) == 10
    assert seen(found, STORE, free, STORE) == 16


def test_a_pool_ends_when_stock_falls():
    assert seen(shares([pool(20, until=24)], {(A, HERE): 24}), STORE, {HERE: 24}) == 24
    assert seen(shares([pool(20, until=24)], {(A, HERE): 25}), STORE, {HERE: 25}) == 5


def test_both_sides_are_told_why():
    found = shares([pool(20, sold=3)], {(A, HERE): 30})
    (mine,), (theirs,) = (apart(found, A, account, SLOT).steps() for account in (MARKET, STORE))
    assert mine.explain(names={A: "CANECA"}) == (
        "CANECA: cota separada para este canal (produto neste canal) de 20, já vendidas 3: só ele mostra as 17 que "
        "restam."
    )
    assert theirs.explain("en", {A: "CANECA"}) == (
        "CANECA: 17 set apart for Mercado Livre (product in this channel), a pool of 20, 3 sold."
    )


pools_of_all = st.lists(
    st.builds(
        lambda value, sold, holder, **told: pool(value, sold=sold, account=holder[0], slot_id=holder[1], **told),
        st.integers(0, 30), st.integers(0, 30), st.sampled_from(((MARKET, None), (MARKET, SLOT), (STORE, None))),
        warehouses=st.sampled_from(((), (HERE,), (THERE, HERE))), until=st.none() | st.integers(0, 40),
    ),
    max_size=4, unique_by=lambda each: (each.account_id, each.slot_id),
)  # fmt: skip


@settings(max_examples=300)
@given(pools_of_all, st.integers(-5, 40), st.integers(0, 40))
def test_no_unit_is_set_apart_twice(pools, here, there):
    free = {HERE: max(0, here), THERE: there}
    found = shares(pools, {(A, HERE): here, (A, THERE): there})
    for warehouse, units in free.items():
        held = sum(share.units.get(warehouse, 0) for share in found)
        assert 0 <= held <= units
        # Whoever has no pool sees exactly what no pool holds.
        assert units - apart(found, A, OTHER, OTHER).units(warehouse, units) == units - held
        holders = [(share.pool.account_id, share.pool.slot_id or OTHER) for share in found]
        shown = sum(units - apart(found, A, *holder).units(warehouse, units) for holder in set(holders))
        assert shown + (units - held) == units
    for share in found:
        assert share.total <= max(0, share.pool.value - share.pool.sold)


# ── automatic ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_steady_rate_is_told_as_it_is():
    assert per_hour([(hour + 0.5, 4) for hour in range(WINDOW_HOURS)]) == pytest.approx(4, rel=0.01)


def test_recent_sales_count_more_and_old_ones_not_at_all():
    assert per_hour([(0, 2)]) == pytest.approx(2 * per_hour([(HALF_LIFE_HOURS, 2)]))
    assert per_hour([(WINDOW_HOURS, 1000)]) == 0
    assert per_hour([]) == 0


def test_the_formula():
    assert needed(120, 30, 100) == pytest.approx(1)
    assert automatic(0, needed(120, 90, 150), None) == 5  # 4.5, rounded up
    assert automatic(0, needed(120, 90, 150), 3) == 3
    assert automatic(7, 0.0, None) == 0


@given(st.floats(0, 50), st.integers(0, 60), st.none() | st.integers(0, 20))
def test_it_never_holds_less_than_is_needed_nor_more_than_the_cap(raw, before, cap):
    held = automatic(before, raw, cap)
    assert held >= min(raw, cap if cap is not None else raw) - 1e-6
    assert cap is None or held <= cap


@settings(max_examples=300)
@given(st.floats(0.1, 40), st.lists(st.floats(0.81, 1.0), min_size=2, max_size=30))
def test_it_does_not_flap(raw, wobble):
    held, changes = automatic(0, raw, None), 0
    for each in wobble:
        after = automatic(held, raw * each, None)
        changes += after != held
        held = after
    assert changes == 0


def test_whose_lag_counts():
    often, rarely, account = (Lag(seconds=n, pushes=p) for n, p in ((1.0, FEW), (2.0, FEW - 1), (3.0, 500)))
    assert lag_of(often, account) == often
    assert lag_of(rarely, account) == account
    assert lag_of(rarely, None) == rarely
    assert lag_of(None, account) == account
    assert lag_of(None, None) is None


def test_an_automatic_buffer_tells_its_numbers():
    measure = Measure(per_hour=120.4, lag_seconds=1.257, factor_percent=150)
    rule = Buffer(kind=BufferKind.AUTO, value=1, source=BufferSource.CHANNEL, measure=measure)
    left, (step,) = applied(20, [rule])
    assert left == 19
    assert step.explain() == (
        "Margem automática (canal) de 1: outros canais vendem 120,4 por hora e este leva 1,26 s para ser avisado, "
        "vezes 1,5: resta 19."
    )
    assert "120.4 an hour" in step.explain("en")
    unmeasured = Buffer(kind=BufferKind.AUTO, value=0, source=BufferSource.CHANNEL)
    assert "ainda sem medição" in applied(20, [unmeasured])[1][0].explain()


def test_the_next_turn():
    begins, ends = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    assert next_turn(NOON, begins, ends) == begins
    assert next_turn(begins, begins, ends) == ends
    assert next_turn(ends, begins, ends) is None
    assert next_turn(NOON, None, None) is None

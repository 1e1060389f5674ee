"""Units into volumes: nothing is left out, no limit is passed, and what cannot go is named."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.packing import Limits, Unit, Volume, pack, too_much

BOOK = Unit("LIVRO", 400, (230, 160, 25), 4990)
MUG = Unit("CANECA", 350, (120, 90, 100), 3990)


def test_units_lie_one_upon_the_other() -> None:
    (volume,) = pack([BOOK] * 4, Limits(tare_g=150))
    assert (volume.length_mm, volume.width_mm, volume.height_mm) == (230, 160, 100)
    assert volume.grams == 4 * 400 + 150
    assert volume.value_cents == 4 * 4990
    assert volume.sides_cm() == (23, 16, 10)


def test_the_largest_lies_below_and_centimetres_are_rounded_up() -> None:
    (volume,) = pack([MUG, BOOK], Limits())
    assert (volume.length_mm, volume.width_mm, volume.height_mm) == (230, 160, 25 + 90)
    assert volume.sides_cm() == (23, 16, 12)
    assert volume.units == {"LIVRO": 1, "CANECA": 1}


@pytest.mark.parametrize(
    ("limits", "count"),
    [(Limits(grams=1000), 2), (Limits(side_mm=230, sum_mm=2000), 1), (Limits(sum_mm=230 + 160 + 50), 2)],
)
def test_a_limit_makes_another_volume(limits: Limits, count: int) -> None:
    assert len(pack([BOOK] * 4, limits)) == count


@pytest.mark.parametrize(
    ("limits", "words"),
    [(Limits(grams=300), "300 g"), (Limits(side_mm=200), "200 mm a side"), (Limits(sum_mm=400), "400 mm")],
)
def test_a_unit_that_no_volume_holds_is_named(limits: Limits, words: str) -> None:
    with pytest.raises(ValueError, match=f"LIVRO.*{words}"):
        pack([BOOK], limits)


def test_cubic_weight_by_hand() -> None:
    # 50 x 40 x 30 cm = 60,000 cm³: 18.002 kg at 3333, 10 kg at 6000
    volume = Volume(500, 400, 300, 2000)
    assert volume.cubic_g(3333) == 18_002
    assert volume.cubic_g(6000) == 10_000


units = st.builds(
    Unit,
    st.sampled_from(["A", "B", "C"]),
    st.integers(1, 9_000),
    st.tuples(st.integers(1, 900), st.integers(1, 500), st.integers(1, 300)),
    st.integers(0, 10_000),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the clock of a busy machine
@given(st.lists(units, max_size=20))
def test_every_unit_is_in_one_volume_and_no_limit_is_passed(told: list[Unit]) -> None:
    limits = Limits()
    volumes = pack(told, limits)
    assert sum((volume.units for volume in volumes), Counter()) == Counter(unit.sku for unit in told)
    assert all(too_much(volume, limits) is None for volume in volumes)
    assert sum(volume.grams for volume in volumes) == sum(unit.grams for unit in told)
    assert sum(volume.value_cents for volume in volumes) == sum(unit.value_cents for unit in told)
    assert pack(list(reversed(told)), limits) == volumes

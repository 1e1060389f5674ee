"""Where an order's units come from: whole where it can be, never a unit twice, and as much as was promised."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.allocation import (
    SENTENCES,
    Allocation,
    Area,
    Destination,
    Line,
    Place,
    Split,
    Why,
    allocate,
    ranked,
)
from hub.stock import Component, Level, SlotInputs, available

A, B, C = (UUID(int=n) for n in (1, 2, 3))
HERE, THERE, FAR = (UUID(int=n) for n in (11, 12, 13))
SHELVES = (HERE, THERE, FAR)
NAMES = {A: "CANECA", B: "PIRES", HERE: "Loja", THERE: "Galpão", FAR: "Filial"}
SLOT = UUID(int=99)


def line(
    ref: str, units: int, each: Mapping[UUID, int], split: Split = Split.UNITS, *, loose: bool = False,
    held: Mapping[tuple[UUID, UUID], int] | None = None,
) -> Line:  # fmt: skip
    """A line that lacks so many sold units, less what it holds."""
    held = held or {}
    has = {sku: sum(n for (of, _w), n in held.items() if of == sku) for sku in each}
    missing = {sku: units * n - has[sku] for sku, n in each.items()}
    return Line(ref=ref, each=each, missing=missing, held=held, split=split, loose=loose)


def taken(found: Allocation) -> dict[tuple[str, UUID, UUID], int]:
    sums: dict[tuple[str, UUID, UUID], int] = defaultdict(int)
    for take in found.takes:
        sums[take.line_ref, take.sku_id, take.warehouse_id] += take.units
    return dict(sums)


# ── one warehouse, if there is one ─────────────────────────────────────────────────────────────────────────────


def test_the_first_warehouse_with_the_whole_order_serves_it_even_where_a_better_one_has_a_line():
    free = {(A, HERE): 9, (B, HERE): 1, (A, THERE): 2, (B, THERE): 2, (A, FAR): 9, (B, FAR): 9}
    found = allocate([line("1", 2, {A: 1}), line("2", 2, {B: 1})], free, SHELVES)
    assert taken(found) == {("1", A, THERE): 2, ("2", B, THERE): 2}
    assert not found.short


def test_demand_is_summed_per_component_over_the_order():
    # Each line alone would fit here; both together do not.
    free = {(A, HERE): 3, (A, THERE): 4}
    found = allocate([line("1", 2, {A: 1}), line("2", 1, {A: 2})], free, SHELVES)
    assert taken(found) == {("1", A, THERE): 2, ("2", A, THERE): 2}


def test_who_serves_the_order_already_comes_before_a_better_rank():
    free = {(A, HERE): 9, (A, THERE): 9}
    found = allocate([line("1", 1, {B: 1}, held={(B, THERE): 1}), line("2", 1, {A: 1})], free, SHELVES)
    assert taken(found) == {("2", A, THERE): 1}


def test_else_each_line_stays_whole_where_it_can():
    free = {(A, HERE): 1, (A, THERE): 2, (B, HERE): 2}
    found = allocate([line("1", 2, {A: 1}), line("2", 2, {B: 1})], free, SHELVES)
    assert taken(found) == {("1", A, THERE): 2, ("2", B, HERE): 2}


def test_else_a_line_is_split_by_rank_and_the_rest_is_short():
    found = allocate([line("1", 6, {A: 1})], {(A, HERE): 1, (A, THERE): 3}, SHELVES)
    assert taken(found) == {("1", A, HERE): 1, ("1", A, THERE): 3}
    assert found.short == {("1", A): 2}


# ── never split what may not be ────────────────────────────────────────────────────────────────────────────────


def test_an_order_that_is_never_split_stays_with_the_warehouse_that_has_most():
    free = {(A, HERE): 1, (A, THERE): 2, (B, HERE): 2}
    asked = [line("1", 2, {A: 1}, Split.ORDER), line("2", 2, {B: 1}, Split.ORDER)]
    found = allocate(asked, free, SHELVES)
    assert taken(found) == {("1", A, HERE): 1, ("2", B, HERE): 2}
    assert found.short == {("1", A): 1}


def test_one_line_that_may_not_be_parted_from_its_order_keeps_the_order_together():
    free = {(A, HERE): 2, (B, THERE): 2}
    found = allocate([line("1", 2, {A: 1}), line("2", 2, {B: 1}, Split.ORDER)], free, SHELVES)
    assert taken(found) == {("1", A, HERE): 2}


def test_an_order_that_is_never_split_waits_for_the_warehouse_that_serves_it():
    kept = [line("1", 2, {A: 1}, Split.ORDER, held={(A, THERE): 1})]
    assert taken(allocate(kept, {(A, HERE): 9}, SHELVES)) == {}
    assert taken(allocate(kept, {(A, HERE): 9, (A, THERE): 1}, SHELVES)) == {("1", A, THERE): 1}


def test_a_line_that_is_not_split_may_leave_from_elsewhere_than_the_others():
    free = {(A, HERE): 2, (B, HERE): 1, (B, THERE): 1, (B, FAR): 2}
    found = allocate([line("1", 2, {A: 1}, Split.LINE), line("2", 3, {B: 1}, Split.LINE)], free, SHELVES)
    assert taken(found) == {("1", A, HERE): 2, ("2", B, FAR): 2}
    assert found.short == {("2", B): 1}


def test_a_pack_is_not_put_together_from_two_warehouses():
    found = allocate([line("1", 2, {A: 3})], {(A, HERE): 4, (A, THERE): 5}, SHELVES)
    assert taken(found) == {("1", A, HERE): 3, ("1", A, THERE): 3}
    half = allocate([line("1", 1, {A: 3})], {(A, HERE): 1, (A, THERE): 2}, SHELVES)
    assert taken(half) == {("1", A, THERE): 2}
    assert half.short == {("1", A): 1}


def test_a_kit_is_not_put_together_from_two_warehouses_unless_that_is_allowed():
    free = {(A, HERE): 1, (B, THERE): 1}
    assert taken(allocate([line("1", 1, {A: 1, B: 1})], free, SHELVES)) == {("1", A, HERE): 1}
    assert taken(allocate([line("1", 1, {A: 1, B: 1}, loose=True)], free, SHELVES)) == {
        ("1", A, HERE): 1,
        ("1", B, THERE): 1,
    }
    # Where a line may not be divided, a kit of it may not either.
    strict = allocate([line("1", 1, {A: 1, B: 1}, Split.LINE, loose=True)], free, SHELVES)
    assert taken(strict) == {("1", A, HERE): 1}


def test_a_kit_begun_somewhere_is_completed_there():
    held = {(A, THERE): 1}
    kit = [line("1", 1, {A: 1, B: 1}, held=held)]
    assert taken(allocate(kit, {(A, HERE): 5, (B, HERE): 5}, SHELVES)) == {}
    assert taken(allocate(kit, {(B, HERE): 5, (B, THERE): 1}, SHELVES)) == {("1", B, THERE): 1}


def test_kits_that_share_a_component_do_not_promise_it_twice():
    kits = [line("1", 1, {A: 1, B: 1}), line("2", 1, {A: 1, C: 1})]
    found = allocate(kits, {(A, HERE): 1, (B, HERE): 1, (C, HERE): 1}, (HERE,))
    assert taken(found) == {("1", A, HERE): 1, ("1", B, HERE): 1, ("2", C, HERE): 1}
    assert found.short == {("2", A): 1}


@pytest.mark.parametrize("loose", [True, False])
def test_a_line_that_is_not_split_waits_where_it_began(loose):
    """Another warehouse has all that it lacks, and would divide it."""
    began = line("1", 2, {A: 1, B: 1}, Split.LINE, loose=loose, held={(A, THERE): 1, (B, THERE): 1})
    found = allocate([began], {(A, HERE): 9, (B, HERE): 9}, SHELVES)
    assert not found.takes
    assert found.short == {("1", A): 1, ("1", B): 1}


# ── as properties ──────────────────────────────────────────────────────────────────────────────────────────────

_free = st.dictionaries(
    st.tuples(st.sampled_from((A, B, C)), st.sampled_from(SHELVES)), st.integers(-2, 12), max_size=9
)
_each = st.dictionaries(st.sampled_from((A, B, C)), st.integers(1, 3), min_size=1, max_size=3)
_splits = st.sampled_from(Split)


@st.composite
def _orders(draw: st.DrawFn) -> list[Line]:
    return [
        line(str(number), draw(st.integers(0, 6)), draw(_each), draw(_splits), loose=draw(st.booleans()))
        for number in range(draw(st.integers(1, 3)))
    ]


def _with_holds(lines: Sequence[Line], found: Allocation) -> list[Line]:
    after = []
    for one in lines:
        held = dict(one.held)
        for take in found.takes:
            if take.line_ref == one.ref:
                held[take.sku_id, take.warehouse_id] = held.get((take.sku_id, take.warehouse_id), 0) + take.units
        missing = {sku: found.short.get((one.ref, sku), 0) for sku in one.each}
        after.append(Line(ref=one.ref, each=one.each, missing=missing, held=held, split=one.split, loose=one.loose))
    return after


@settings(max_examples=300)
@given(_orders(), _free, st.permutations(SHELVES))
def test_no_unit_is_taken_twice_or_unasked(lines, free, shelves):
    found = allocate(lines, free, shelves)
    by_shelf: dict[tuple[UUID, UUID], int] = defaultdict(int)
    for take in found.takes:
        assert take.units > 0
        by_shelf[take.sku_id, take.warehouse_id] += take.units
    assert all(units <= free.get(key, 0) for key, units in by_shelf.items())
    for one in lines:
        for sku, wanted in one.missing.items():
            got = sum(t.units for t in found.takes if (t.line_ref, t.sku_id) == (one.ref, sku))
            assert got + found.short.get((one.ref, sku), 0) == wanted


@settings(max_examples=300)
@given(_orders(), _free, st.permutations(SHELVES))
@example([line("0", 1, {A: 1, B: 1}, Split.LINE, loose=True)], {(A, HERE): 1, (B, THERE): 1}, SHELVES)
def test_allocating_again_takes_nothing_more(lines, free, shelves):
    found = allocate(lines, free, shelves)
    left = dict(free)
    for take in found.takes:
        left[take.sku_id, take.warehouse_id] -= take.units
    assert not allocate(_with_holds(lines, found), left, shelves).takes


@settings(max_examples=300)
@given(_orders(), _free, st.permutations(SHELVES))
def test_what_may_not_be_split_is_not(lines, free, shelves):
    found = allocate(lines, free, shelves)
    serving = {t.warehouse_id for t in found.takes}
    if any(one.split is Split.ORDER for one in lines):
        assert len(serving) <= 1
    for one in lines:
        mine = [t for t in found.takes if t.line_ref == one.ref]
        if one.split is Split.LINE:
            assert len({t.warehouse_id for t in mine}) <= 1
        if not one.loose and mine:
            # Sold units begun anywhere are no more than were asked: none stands in two places.
            held: dict[UUID, dict[UUID, int]] = defaultdict(lambda: defaultdict(int))
            for take in mine:
                held[take.warehouse_id][take.sku_id] += take.units
            begun = sum(max(-(-n // one.each[sku]) for sku, n in by.items()) for by in held.values())
            assert begun <= max(-(-n // one.each[sku]) for sku, n in one.missing.items())


@settings(max_examples=300)
@given(_orders(), _free, st.permutations(SHELVES))
def test_an_order_that_fits_in_one_warehouse_is_whole_and_in_one(lines, free, shelves):
    asked: dict[UUID, int] = defaultdict(int)
    for one in lines:
        for sku, units in one.missing.items():
            asked[sku] += units
    fitting = [w for w in shelves if all(free.get((sku, w), 0) >= n for sku, n in asked.items() if n)]
    found = allocate(lines, free, shelves)
    if fitting and any(asked.values()):
        assert not found.short
        assert {t.warehouse_id for t in found.takes} == {fitting[0]}


@settings(max_examples=500)
@given(_each, st.integers(1, 3), _free, st.lists(st.sampled_from(SHELVES), unique=True), _splits, st.booleans())
def test_whatever_availability_promises_an_order_of_it_reserves_wholly(each, multiplier, free, shelves, split, loose):
    inputs = SlotInputs(
        slot_id=SLOT,
        components=tuple(Component(sku_id=sku, quantity=n) for sku, n in each.items()),
        multiplier=multiplier,
        warehouses=tuple(shelves),
        levels=tuple(Level(sku_id=sku, warehouse_id=shelf, on_hand=n, reserved=0) for (sku, shelf), n in free.items()),
        opened=True,
        split_allowed=loose,
        one_parcel=split is not Split.UNITS,
    )
    promised = available(inputs).quantity
    assert promised is not None
    per_unit = {sku: n * multiplier for sku, n in each.items()}
    assert not allocate([line("1", promised, per_unit, split, loose=loose)], free, shelves).short
    # And no more than it promises can be had: nothing that could be sold is kept back.
    assert allocate([line("1", promised + 1, per_unit, split, loose=loose)], free, shelves).short


# ── the order of the warehouses ────────────────────────────────────────────────────────────────────────────────

SAO_PAULO = Area(rank=5, state="SP")
PAULISTA = Area(rank=1, first="01000000", last="01999999")
PLACES = (
    Place(id=HERE, code="loja", rank=10),
    Place(id=THERE, code="galpao", rank=20, areas=(SAO_PAULO,)),
    Place(id=FAR, code="filial", rank=10, areas=(PAULISTA, Area(rank=90, state="SP"))),
)


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        (None, (FAR, HERE, THERE)),  # equal ranks by code
        (Destination(), (FAR, HERE, THERE)),
        (Destination(state="RJ", postal_code="20040002"), (FAR, HERE, THERE)),
        (Destination(state="SP", postal_code="13010000"), (THERE, HERE, FAR)),
        (Destination(state="SP", postal_code="01310100"), (FAR, THERE, HERE)),  # the range before the state
        (Destination(postal_code="01999999"), (FAR, HERE, THERE)),
        (Destination(state="SP"), (THERE, HERE, FAR)),
    ],
)
def test_a_destination_may_change_the_order_of_the_warehouses(destination, expected):
    assert ranked(PLACES, destination) == expected


def test_a_range_says_more_than_a_state_also_where_it_says_worse():
    far = Place(id=FAR, code="filial", rank=10, areas=(Area(rank=50, first="01000000", last="01999999"), SAO_PAULO))
    assert ranked((*PLACES[:1], far), Destination(state="SP", postal_code="01310100")) == (HERE, FAR)
    assert ranked((*PLACES[:1], far), Destination(state="SP", postal_code="13010000")) == (FAR, HERE)


def test_an_area_of_state_and_range_covers_what_is_in_both():
    area = Area(rank=1, state="SP", first="01000000", last="01999999")
    assert area.covers(Destination(state="SP", postal_code="01310100"))
    assert not area.covers(Destination(state="RJ", postal_code="01310100"))
    assert not area.covers(Destination(state="SP"))


# ── in words ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_steps_in_words():
    free = {(A, HERE): 1, (A, THERE): 3, (B, HERE): 2}
    asked = [line("1", 5, {A: 1}), line("2", 2, {B: 1})]
    found = allocate(asked, free, (HERE, THERE), Destination(state="SP", postal_code="01310100"))
    assert found.explain(names=NAMES) == (
        "Depósitos para SP 01310100, do primeiro ao último: Loja, Galpão.",
        "Nenhum depósito tem o pedido inteiro.",
        "Linha 1: nenhum depósito a tem inteira, divide-se.",
        "Linha 2: Loja tem a linha inteira.",
        "Linha 1: 1 de CANECA saem de Loja.",
        "Linha 1: 3 de CANECA saem de Galpão.",
        "Linha 2: 2 de PIRES saem de Loja.",
        "Linha 1: faltam 1 de CANECA.",
    )
    assert found.explain("en", NAMES)[1] == "No warehouse has the whole order."
    assert allocate(asked, free, ()).explain(names=NAMES)[0] == "Depósitos, do primeiro ao último: –."


def test_every_step_has_its_words_in_both_languages():
    for kind in Why:
        fields = [set(re.findall(r"{(\w+)}", SENTENCES[locale][kind])) for locale in ("pt-BR", "en")]
        assert fields[0] == fields[1]

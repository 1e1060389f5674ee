"""Stock: what a slot shows never promises more than there is, and says why."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.buffers import Buffer, BufferKind, BufferSource
from hub.stock import (
    DEEPEST,
    Component,
    Level,
    SlotInputs,
    available,
    flatten_kit,
    zero_brake,
)
from hub.why import SENTENCES, SOURCES, Answer, StepKind

SLOT, A, B, C, HERE, THERE = (UUID(int=n) for n in range(1, 7))
NAMES = {A: "CANECA", B: "PIRES", HERE: "Loja", THERE: "Galpão"}
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def level(sku: UUID, warehouse: UUID, on_hand: int, reserved: int = 0) -> Level:
    return Level(sku_id=sku, warehouse_id=warehouse, on_hand=on_hand, reserved=reserved)


def parts(*counted: tuple[UUID, int]) -> tuple[Component, ...]:
    return tuple(Component(sku_id=sku, quantity=quantity) for sku, quantity in counted)


def rule(kind: BufferKind, value: int, source: BufferSource = BufferSource.CHANNEL) -> Buffer:
    return Buffer(kind=kind, value=value, source=source)


def slot(*levels: Level, **told: Any) -> SlotInputs:
    values: dict[str, Any] = {
        "components": parts((A, 1)), "warehouses": (HERE, THERE), "opened": True, **told
    }  # fmt: skip
    return SlotInputs(slot_id=SLOT, levels=levels, **values)


def shows(*levels: Level, **told: Any) -> int | None:
    return available(slot(*levels, **told)).quantity


# ── Availability ────────────────────────────────────────────────────────────────────────────────────────────


def test_free_units_of_its_warehouses_are_summed():
    assert shows(level(A, HERE, 10, 4), level(A, THERE, 3), level(B, HERE, 99)) == 9
    assert shows(level(A, HERE, 10, 4), level(A, THERE, 3), warehouses=(HERE,)) == 6
    assert shows(level(A, HERE, 10), warehouses=(HERE, HERE)) == 10
    assert shows(level(A, HERE, 10), warehouses=()) == 0
    assert shows() == 0


def test_an_oversold_warehouse_takes_nothing_from_another():
    assert shows(level(A, HERE, 1, 3), level(A, THERE, 5)) == 5
    assert shows(level(A, HERE, -4), level(A, THERE, 5), split_allowed=True) == 5


def test_what_was_never_counted_is_not_sent():
    answer = available(slot(level(A, HERE, 10), opened=False))
    assert answer.quantity is None
    assert answer.explain() == ("Falta a contagem inicial do estoque: nada é enviado ao canal.",)


def test_a_kit_is_made_within_one_warehouse_unless_orders_may_be_split():
    stock = (level(A, HERE, 4), level(B, HERE, 1), level(A, THERE, 1), level(B, THERE, 9))
    kit = parts((A, 1), (B, 2))
    assert shows(*stock, components=kit) == 1
    assert shows(*stock, components=kit, split_allowed=True) == 5


def test_packs_are_filled_within_one_warehouse_unless_orders_may_be_split():
    stock = (level(A, HERE, 18), level(A, THERE, 6))
    assert shows(*stock, multiplier=12) == 1
    assert shows(*stock, multiplier=12, split_allowed=True) == 2
    assert shows(*stock, components=parts((A, 2)), multiplier=3) == 4


@pytest.mark.parametrize(
    ("rules", "want"),
    [
        ([rule(BufferKind.UNITS, 3)], 17),
        ([rule(BufferKind.UNITS, 99)], 0),
        ([rule(BufferKind.PERCENT, 11)], 17),  # 2.2 held back, rounded up
        ([rule(BufferKind.PERCENT, 300)], 0),
        ([rule(BufferKind.LEAST, 20)], 20),
        ([rule(BufferKind.LEAST, 21)], 0),
        ([rule(BufferKind.MOST, 5)], 5),
        ([rule(BufferKind.MOST, 50)], 20),
        ([rule(BufferKind.AUTO, 7)], 13),
        ([rule(BufferKind.AUTO, 7), rule(BufferKind.UNITS, 0, BufferSource.SKU_HERE)], 20),
        ([rule(BufferKind.UNITS, 9, BufferSource.SKU), rule(BufferKind.UNITS, 1, BufferSource.SKU_HERE)], 19),
        ([rule(BufferKind.UNITS, -5), rule(BufferKind.MOST, -1)], 0),
        ([rule(BufferKind.MOST, 19), rule(BufferKind.UNITS, 2)], 18),  # held back first, then capped
        ([rule(BufferKind.UNITS, 2), rule(BufferKind.LEAST, 19)], 0),
        ([rule(BufferKind.PERCENT, 50), rule(BufferKind.UNITS, 0, BufferSource.LISTING)], 20),
        ([rule(BufferKind.UNITS, 1, BufferSource.CATEGORY), rule(BufferKind.UNITS, 9, BufferSource.SKU)], 11),
        ([rule(BufferKind.UNITS, 1, BufferSource.CATEGORY), rule(BufferKind.UNITS, 9)], 19),
        ([rule(BufferKind.UNITS, 4), rule(BufferKind.PERCENT, 50)], 8),  # one source asks for both
    ],
)
def test_buffers(rules, want):
    assert shows(level(A, HERE, 20), buffers=tuple(rules)) == want
    assert shows(level(A, HERE, 20), buffers=tuple(rules[::-1])) == want


def test_a_rule_as_the_database_tells_it():
    row: dict[str, Any] = {"kind": "percent", "source": "sku", "value": 50}
    answer = available(slot(level(A, HERE, 20), buffers=(Buffer(**row),)))
    assert answer.quantity == 10
    assert "Margem de segurança (produto) de 50%, ou seja 10: resta 10." in answer.explain()


def test_a_physical_channel_is_told_what_it_will_subtract_itself():
    stock = level(A, HERE, 10, 4)  # 1 of the 4 was sold on this channel
    assert shows(stock, numbers="physical", own_reserved=1) == 7
    assert shows(stock, numbers="physical", own_reserved=1, buffers=(rule(BufferKind.UNITS, 99),)) == 1
    assert shows(stock, numbers="physical", own_reserved=-1) == 6
    assert shows(stock, own_reserved=1) == 6


@pytest.mark.parametrize("wrong", [{"components": ()}, {"components": parts((A, 0))}, {"multiplier": 0}])
def test_a_slot_that_sells_nothing_is_an_error(wrong):
    with pytest.raises(ValueError, match="sells nothing"):
        available(slot(level(A, HERE, 1), **wrong))


levels_of_all = st.lists(
    st.tuples(st.sampled_from((A, B, C)), st.sampled_from((HERE, THERE)), st.integers(-5, 60), st.integers(0, 20)),
    unique_by=lambda row: row[:2],
).map(lambda rows: tuple(level(*row) for row in rows))
kits_of_all = st.lists(
    st.tuples(st.sampled_from((A, B, C)), st.integers(1, 4)),
    min_size=1,
    unique_by=lambda row: row[0],
).map(lambda rows: parts(*rows))
buffers_of_all = st.lists(
    st.builds(
        Buffer,
        kind=st.sampled_from(BufferKind),
        value=st.integers(0, 40),
        source=st.sampled_from(BufferSource),
    ),
    max_size=4,
).map(tuple)
slots = st.builds(
    SlotInputs,
    slot_id=st.just(SLOT),
    components=kits_of_all,
    warehouses=st.sampled_from(((), (HERE,), (HERE, THERE))),
    levels=levels_of_all,
    opened=st.booleans(),
    multiplier=st.sampled_from((1, 2, 12)),
    split_allowed=st.booleans(),
    buffers=buffers_of_all,
    numbers=st.sampled_from(("available", "physical")),
    own_reserved=st.integers(0, 5),
)


def free_in(inputs: SlotInputs, sku: UUID) -> int:
    return sum(
        max(0, row.on_hand - row.reserved)
        for row in inputs.levels
        if row.sku_id == sku and row.warehouse_id in inputs.warehouses
    )


@settings(max_examples=400)
@given(slots)
def test_never_negative_and_never_more_than_the_components_allow(inputs):
    shown = available(inputs).quantity
    assert (shown is None) == (not inputs.opened)
    if shown is None:
        return
    own = inputs.own_reserved if inputs.numbers == "physical" else 0
    assert shown >= own
    for part in inputs.components:
        assert (shown - own) * part.quantity * inputs.multiplier <= free_in(inputs, part.sku_id)


@settings(max_examples=300)
@given(slots, st.integers(1, 30), st.data())
def test_more_on_hand_never_shows_less(inputs, more, data):
    if not inputs.levels:
        return
    row = data.draw(st.sampled_from(inputs.levels))
    grown = tuple(
        level(one.sku_id, one.warehouse_id, one.on_hand + more * (one is row), one.reserved) for one in inputs.levels
    )
    before = available(inputs).quantity
    after = available(with_(inputs, levels=grown)).quantity
    assert (before or 0) <= (after or 0)


@given(slots)
def test_splitting_never_shows_less(inputs):
    apart = available(with_(inputs, split_allowed=False)).quantity
    together = available(with_(inputs, split_allowed=True)).quantity
    assert (apart or 0) <= (together or 0)


def with_(inputs: SlotInputs, **told: Any) -> SlotInputs:
    values = {name: getattr(inputs, name) for name in SlotInputs.__slots__}
    return SlotInputs(**{**values, **told})


# ── Why this number ─────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=300)
@given(slots, st.sampled_from(("pt-BR", "en")))
def test_the_explanation_ends_with_the_number(inputs, locale):
    answer = available(inputs)
    sentences = answer.explain(locale)
    assert len(sentences) == len(answer.steps)
    if answer.quantity is None:
        assert len(sentences) == 1
    else:
        assert re.findall(r"\d+", sentences[-1])[-1] == str(answer.quantity)
        assert answer.steps[-1].params["left"] == answer.quantity


def test_an_explanation_in_both_languages():
    answer = available(
        slot(
            level(A, HERE, 10, 4),
            level(A, THERE, 3),
            buffers=(rule(BufferKind.PERCENT, 10), rule(BufferKind.MOST, 5, BufferSource.LISTING)),
            numbers="physical",
            own_reserved=2,
        )
    )
    assert answer.explain(names=NAMES) == (
        "Loja: estoque 10, reservado 4, livre 6.",
        "Galpão: estoque 3, reservado 0, livre 3.",
        "Depósitos juntos: 9.",
        "Margem de segurança (canal) de 10%, ou seja 1: resta 8.",
        "No máximo 5 à mostra (anúncio): resta 5.",
        "O canal desconta sozinho o que reservou, 2, que se soma: dá 7.",
        "Estoque físico informado ao canal: 7.",
    )
    assert answer.explain("en", NAMES)[0] == "Loja: on hand 10, reserved 4, free 6."


def test_a_kit_names_what_limits_it():
    kit = parts((A, 1), (B, 2))
    stock = (level(A, HERE, 9), level(B, HERE, 7, 2))
    assert available(slot(*stock, components=kit, warehouses=(HERE,))).explain(names=NAMES) == (
        "Loja: limita PIRES, livre 5, por venda 2: dá 2.",
        "Depósitos juntos: 2.",
        "Disponível neste anúncio: 2.",
    )
    assert available(slot(*stock, components=kit, split_allowed=True)).explain(names=NAMES) == (
        "CANECA: livre nos depósitos 9, por venda 1: dá 9.",
        "PIRES: livre nos depósitos 5, por venda 2: dá 2.",
        "Depósitos juntos: 2.",
        "Disponível neste anúncio: 2.",
    )


def test_every_step_and_source_has_its_words_in_both_languages():
    for locale in ("pt-BR", "en"):
        assert set(SENTENCES[locale]) == set(StepKind)
        assert set(SOURCES[locale]) == set(BufferSource)
    for kind in StepKind:
        fields = [set(re.findall(r"{(\w+)}", SENTENCES[locale][kind])) for locale in SENTENCES]
        assert fields[0] == fields[1]


def test_without_a_name_the_id_stands():
    answer: Answer = available(slot(level(A, HERE, 1), warehouses=(HERE,)))
    assert answer.explain()[0].startswith(str(HERE))


# ── Kits ────────────────────────────────────────────────────────────────────────────────────────────────────

IDS = [UUID(int=n) for n in range(100, 112)]


def test_a_plain_sku_is_itself():
    assert flatten_kit(A, {}) == parts((A, 1))


def test_nested_kits_add_up_shared_components():
    kits = {A: parts((B, 2), (C, 1)), B: parts((C, 3), (HERE, 1))}
    assert flatten_kit(A, kits) == parts((C, 7), (HERE, 2))


def test_a_kit_that_holds_itself_is_named():
    kits = {A: parts((B, 1)), B: parts((C, 1)), C: parts((A, 1))}
    with pytest.raises(ValueError, match=f"holds itself: {A} > {B} > {C} > {A}"):
        flatten_kit(A, kits)


def test_one_component_in_two_kits_is_no_cycle():
    kits = {A: parts((B, 1), (C, 1)), B: parts((HERE, 1)), C: parts((B, 1))}
    assert flatten_kit(A, kits) == parts((HERE, 2))


def test_too_deep_a_kit_is_refused():
    chain = {IDS[n]: parts((IDS[n + 1], 1)) for n in range(DEEPEST)}
    assert flatten_kit(IDS[0], chain) == parts((IDS[DEEPEST], 1))
    with pytest.raises(ValueError, match="deeper than"):
        flatten_kit(IDS[0], {**chain, IDS[DEEPEST]: parts((IDS[11], 1))})


@pytest.mark.parametrize("empty", [(), parts((B, 0))])
def test_an_empty_kit_promises_nothing(empty):
    with pytest.raises(ValueError, match="without components"):
        flatten_kit(A, {A: empty})


@given(
    st.dictionaries(
        st.integers(0, 8),
        st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=3),
        max_size=6,
    )
)
def test_a_nested_kit_needs_what_its_parts_need(shape):
    # A kit holds only SKUs of greater number, so that there are no cycles.
    kits = {IDS[n]: parts(*((IDS[min(n + up, 11)], times) for up, times in rows)) for n, rows in shape.items()}
    for kit, rows in kits.items():
        needed: dict[UUID, int] = {}
        for row in rows:
            for part in flatten_kit(row.sku_id, kits):
                needed[part.sku_id] = needed.get(part.sku_id, 0) + part.quantity * row.quantity
        assert {part.sku_id: part.quantity for part in flatten_kit(kit, kits)} == needed
        assert not needed.keys() & kits.keys()


# ── The brake ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("total", "would_zero", "share", "stops"),
    [(100, 30, 0.3, False), (100, 31, 0.3, True), (0, 0, 0.3, False), (10, 0, 0.0, False), (3, 1, 0.3, True)],
)
def test_a_run_that_would_zero_too_much_stops(total, would_zero, share, stops):
    assert zero_brake(total, would_zero, share) is stops

"""Why a unit was sold that was not there: what the hub was kept from doing goes before what it did too late."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hub.backoffice.oversell import (
    LONGEST,
    NAMES,
    SENTENCES,
    Cause,
    Evidence,
    Lowering,
    Push,
    Sale,
    cause_of,
    explain,
    next_look,
    seconds,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(seconds_after: float) -> datetime:
    return NOON + timedelta(seconds=seconds_after)


def sale(placed: float, heard: float, **told: Any) -> Sale:
    values = {"order": "1", "account": "Loja", "units": 1, **told}
    return Sale(placed_at=at(placed), heard_at=at(heard), **values)


def push(sent: float, answered: float, outcome: str = "accepted", **told: Any) -> Push:
    return Push(sent_at=at(sent), answered_at=at(answered), quantity=0, outcome=outcome, **told)


def evidence(**told: Any) -> Evidence:
    """The store sold the last unit at 0 s, heard at 1 s; the market sold it again at 2 s, heard at 3 s."""
    values = {
        "sku": "CANECA", "sold": sale(2, 3, order="2", account="Mercado"), "opened_at": at(3), "taker": sale(0, 1),
        "shown": 1, "shown_at": at(-60), **told,
    }  # fmt: skip
    return Evidence(**values)


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        ({}, Cause.RACE),
        ({"pushes": (push(3, 4),)}, Cause.RACE),
        ({"pushes": (push(1, 1.2),), "sold": sale(9, 10)}, Cause.UNEXPLAINED),  # told long before it sold
        ({"pushes": (push(1.1, 1.2, "failed", fault="throttled", code="429"), push(3, 4))}, Cause.THROTTLED),
        ({"pushes": (push(1.1, 1.2, "failed", fault="transient", code="timeout"),)}, Cause.PUSH_FAILED),
        ({"pushes": (push(1.1, 1.2, "fault", code="under_review"),)}, Cause.PUSH_FAILED),
        ({"pushes": (push(1.1, 1.2), push(5, 6, "failed", fault="throttled"))}, Cause.RACE),  # failed afterwards
        ({"parked": "em revisão"}, Cause.PUSH_FAILED),
        ({"held": "token recusado", "pushes": (push(1, 2, "failed", fault="auth"),)}, Cause.HELD_ACCOUNT),
        ({"braked": True}, Cause.BRAKED),
        ({"edited_at": at(1), "edited_to": 9, "held": "x"}, Cause.EXTERNAL_EDIT),
        ({"returned_at": at(1)}, Cause.RETURN_CANCELLED),
        ({"unlinked_at": at(3), "returned_at": at(1)}, Cause.UNLINKED),
        ({"lowered": Lowering(at=at(9), reason="count", units=1), "opened_at": at(9)}, Cause.COUNT_LOWERED),
        ({"lowered": Lowering(at=at(1.5), reason="count", units=1)}, Cause.COUNT_LOWERED),
        ({"lowered": Lowering(at=at(-90), reason="count", units=1)}, Cause.RACE),  # the sale came after it
        ({"taker": None}, Cause.UNEXPLAINED),
    ],
)
def test_the_cause(told: dict[str, Any], cause: Cause) -> None:
    found = evidence(**told)
    assert cause_of(found) == cause
    for locale in ("pt-BR", "en"):
        lines = explain(found, locale)
        assert all(line and "None" not in line and "{" not in line for line in lines)


def test_a_race_in_words() -> None:
    found = evidence(pushes=(push(2.5, 3.75),))
    assert seconds(found) == 2
    assert explain(found) == [
        "Mercado vendeu 1 un. de CANECA no pedido 2 e o hub soube 1,0 s depois.",
        "O canal mostrava 1, que lhe foi dito 62,0 s antes da venda.",
        "A última unidade tinha saído no pedido 1 de Loja, 2,0 s antes da venda; o hub soube 1,0 s depois.",
        "O canal foi avisado (0) 3,8 s depois: enviado 1,5 s depois que o hub soube, respondido em 1,2 s.",
        "Vendido dentro do tempo de propagação: 2,0 s.",
    ]
    assert explain(found, "en")[-1] == "Sold within the propagation lag: 2.0 s."


def test_it_is_looked_at_until_the_channel_is_told() -> None:
    assert next_look(evidence(), at(4)) == at(9)
    assert next_look(evidence(), at(64)) == at(124)
    assert next_look(evidence(), at(4) + LONGEST) is None
    assert next_look(evidence(pushes=(push(3, 4),)), at(4)) is None
    assert next_look(evidence(even=True), at(4)) is None
    assert next_look(evidence(unlinked_at=at(1)), at(4)) is None


def test_every_cause_has_its_words_in_both_languages() -> None:
    for locale in ("pt-BR", "en"):
        assert set(NAMES[locale]) == set(Cause)
        assert set(Cause) <= set(SENTENCES[locale])
    for key in SENTENCES["en"]:
        fields = [set(re.findall(r"{(\w+)}", SENTENCES[locale][key])) for locale in SENTENCES]
        assert fields[0] == fields[1], key


instants = st.floats(-100, 100).map(at)
sales = st.builds(
    Sale, order=st.just("1"), account=st.just("Loja"), units=st.integers(1, 9), placed_at=st.none() | instants,
    heard_at=instants,
)  # fmt: skip
found_of_all = st.builds(
    Evidence, sku=st.just("CANECA"), sold=sales, opened_at=instants, shown=st.none() | st.integers(0, 9),
    shown_at=st.none() | instants, taker=st.none() | sales,
    lowered=st.none() | st.builds(Lowering, at=instants, reason=st.just("count"), units=st.integers(1, 9)),
    pushes=st.lists(
        st.builds(
            Push, sent_at=instants, answered_at=instants, quantity=st.integers(0, 9),
            outcome=st.sampled_from(("accepted", "pending", "stale", "fault", "failed")), code=st.none() | st.just("x"),
            fault=st.sampled_from((None, "throttled", "transient")),
        ),
        max_size=3,
    ).map(tuple),
    unlinked_at=st.none() | instants, edited_at=st.none() | instants, edited_to=st.integers(0, 9),
    returned_at=st.none() | instants, held=st.none() | st.just("x"), braked=st.booleans(),
    parked=st.none() | st.just("x"), even=st.booleans(),
)  # fmt: skip


@given(found_of_all)
def test_whatever_was_gathered_is_told_and_kept(found: Evidence) -> None:
    kept: TypeAdapter[Evidence] = TypeAdapter(Evidence)
    again = kept.validate_json(kept.dump_json(found))
    assert again == found
    assert cause_of(again) == cause_of(found)
    for locale in ("pt-BR", "en"):
        assert len(explain(found, locale)) >= 3

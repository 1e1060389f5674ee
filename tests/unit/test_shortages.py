"""What to do about a shortage: what is there first, then what comes in time, then what is cheapest to give up."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.backoffice.shortages import (
    SENTENCES,
    Candidate,
    Elsewhere,
    Incoming,
    Way,
    cheapest,
    cost_of,
    explain,
    remedies,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def order(number: str = "1", **told: Any) -> Candidate:
    values = {
        "order_id": number, "number": number, "account": "Loja", "kind": "storefront", "units": 1, "paid": True,
        "total_cents": 10_000, "goods_cents": 6_000, "ship_by": None, "earlier": 0, **told,
    }  # fmt: skip
    return Candidate(**values)


def test_the_parts_of_a_cost() -> None:
    cost = cost_of(order(kind="marketplace", ship_by=NOON + timedelta(hours=10), earlier=9), NOON)
    assert (cost.penalty, cost.margin, cost.hurry, cost.repeat, cost.assumed) == (5000, 4000, 2000, 4500, False)
    assert cost.total == 15_500
    assert cost_of(order(ship_by=NOON + timedelta(hours=48)), NOON).hurry == 1000
    assert cost_of(order(ship_by=NOON - timedelta(days=9)), NOON).hurry == 2000
    assert cost_of(order(ship_by=NOON + timedelta(days=9)), NOON).hurry == 0
    unknown = cost_of(order(goods_cents=None), NOON)
    assert (unknown.margin, unknown.assumed) == (3000, True)
    unpaid = cost_of(order(kind="marketplace", paid=False), NOON)
    assert (unpaid.penalty, unpaid.margin) == (0, 0)
    assert cost_of(order(goods_cents=20_000), NOON).margin == 0


def test_an_own_shops_order_is_given_up_before_a_marketplaces_and_one_alone_before_several() -> None:
    market, shop = order("1", kind="marketplace", units=3), order("2", units=3)
    few = order("3", units=1, total_cents=0)
    assert [cost.candidate.number for cost in cheapest([market, few, shop], 2, NOON)] == ["2", "1", "3"]
    assert cheapest([order(units=0)], 1, NOON) == []


def test_the_ways_out_in_order() -> None:
    found = remedies(
        4, NOON + timedelta(days=2),
        [Elsewhere(warehouse="Galpão", free=3), Elsewhere(warehouse="Vazio", free=0)],
        [Incoming(number="C-9", units=50, expected_at=NOON + timedelta(days=9)),
         Incoming(number="C-8", units=10, expected_at=NOON + timedelta(days=1)),
         Incoming(number="C-7", units=10, expected_at=None)],
        cheapest([order("77", goods_cents=None, units=4)], 4, NOON),
    )  # fmt: skip
    assert [explain(each) for each in found] == [
        "Transfira 3 un. de Galpão, que tem 3 livres e não atende este canal.",
        "A compra C-8 traz 10 un. em 03/03/2026, dentro do prazo de despacho.",
        "A compra C-9 traz 50 un. em 11/03/2026, depois do prazo de despacho: combine com o comprador.",
        "A compra C-7 traz 10 un., sem data prevista: peça a data ao fornecedor.",
        (
            "Se for preciso cancelar, o pedido 77 (Loja, libera 4 un.) custa menos, R$ 35,00: reputação R$ 5,00, "
            "margem R$ 30,00 (estimada), prazo R$ 0,00, cliente que volta R$ 0,00."
        ),
        "Não há produto substituto cadastrado.",
    ]
    assert [each.way for each in remedies(1, None, [], [], [])] == [Way.NO_CANCEL, Way.NO_SUBSTITUTE]


def test_both_languages_say_the_same() -> None:
    for way in Way:
        fields = [set(re.findall(r"{(\w+)}", SENTENCES[locale][way])) for locale in SENTENCES]
        assert fields[0] == fields[1]


candidates = st.builds(
    order, st.integers(1, 99).map(str), kind=st.sampled_from(("marketplace", "storefront", "erp", "other")),
    units=st.integers(0, 5), paid=st.booleans(), total_cents=st.none() | st.integers(0, 10**7),
    goods_cents=st.none() | st.integers(0, 10**7), earlier=st.integers(0, 50),
    ship_by=st.none() | st.integers(-100, 100).map(lambda hours: NOON + timedelta(hours=hours)),
)  # fmt: skip


@given(st.lists(candidates, max_size=8), st.integers(1, 6))
def test_nothing_cheaper_that_frees_enough_is_passed_over(found: list[Candidate], units: int) -> None:
    costs = cheapest(found, units, NOON)
    assert all(cost.total >= 0 for cost in costs)
    enough = [cost for cost in costs if cost.candidate.units >= units]
    if enough:
        assert costs[0].total == min(cost.total for cost in enough)
    assert len(costs) == sum(each.units > 0 for each in found)

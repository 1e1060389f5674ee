"""Which offer is taken: the cheapest, the fastest, the cheapest that keeps the promise."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.freight import Offer, Rule, choose, promised, why

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday


def offer(account: str, price: int, days: int | None) -> Offer:
    by = None if days is None else NOW + timedelta(days=days)
    return Offer(account=account, service="x", price_cents=price, deliver_by=by)


PAC, SEDEX, ROAD = offer("pac", 2000, 9), offer("sedex", 4500, 2), offer("road", 3000, 5)
EVERY = [PAC, SEDEX, ROAD]


def test_each_rule_takes_its_own() -> None:
    by = NOW + timedelta(days=6)
    assert choose(EVERY, Rule.CHEAPEST, by).offer == PAC
    assert choose(EVERY, Rule.CHEAPEST, by).kept is False
    assert choose(EVERY, Rule.FASTEST, by).offer == SEDEX
    assert choose(EVERY, Rule.PROMISE, by).offer == ROAD
    assert choose(EVERY, Rule.PROMISE, by).kept is True


def test_where_none_keeps_the_promise_the_fastest_goes() -> None:
    choice = choose(EVERY, Rule.PROMISE, NOW + timedelta(days=1))
    assert (choice.offer, choice.kept) == (SEDEX, False)
    assert why(choice, "pt-BR") == "nenhuma das 3 chega no prazo prometido: a mais rápida"


def test_where_nothing_was_promised_the_cheapest_goes() -> None:
    choice = choose(EVERY, Rule.PROMISE, None)
    assert (choice.offer, choice.kept) == (PAC, None)
    assert why(choice, "en") == "nothing was promised: the cheapest of 3"


def test_an_offer_without_days_is_never_the_fastest_nor_within_a_promise() -> None:
    silent = offer("silent", 100, None)
    assert choose([silent, SEDEX], Rule.FASTEST, None).offer == SEDEX
    assert choose([silent, SEDEX], Rule.PROMISE, NOW + timedelta(days=3)).offer == SEDEX
    assert choose([silent, SEDEX], Rule.CHEAPEST, None).offer == silent


def test_without_offers_there_is_no_choice() -> None:
    assert choose([], Rule.PROMISE, NOW).offer is None
    assert why(choose([], Rule.FASTEST, NOW), "pt-BR") == "nenhuma transportadora fez oferta"


def test_business_days_leave_weekends_and_national_holidays_out() -> None:
    assert f"{promised(2, NOW):%Y-%m-%d %H:%M:%S%z}" == "2026-03-06 23:59:59-0300"
    assert promised(3, NOW).date().isoformat() == "2026-03-09"
    assert promised(1, datetime(2026, 4, 20, 12, tzinfo=UTC)).date().isoformat() == "2026-04-22"  # Tiradentes
    assert promised(0, NOW).date() == NOW.date()


offers = st.builds(
    offer, st.sampled_from("abcdef"), st.integers(1, 50), st.none() | st.integers(1, 12)
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the clock of a busy machine
@given(st.lists(offers, min_size=1, max_size=8), st.sampled_from(list(Rule)), st.none() | st.integers(0, 12))
def test_a_choice_does_not_depend_on_the_order_asked(told: list[Offer], rule: Rule, days: int | None) -> None:
    by = None if days is None else NOW + timedelta(days=days)
    choice = choose(told, rule, by)
    assert choose(list(reversed(told)), rule, by).offer == choice.offer
    assert choice.offer in told
    if choice.kept:
        assert choice.offer is not None
        assert choice.offer.deliver_by
        assert by
        assert choice.offer.deliver_by <= by
    for locale in ("pt-BR", "en"):
        assert "{" not in why(choice, locale)

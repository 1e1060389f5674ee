"""The breaker: by itself, and around calls."""

from collections.abc import Mapping

import pytest

from hub.breaker import Breaker
from hub.faults import ChannelError, Fault
from hub.model import Request
from tests.http.conftest import Clock, Shop, answer

POST = Request(method="POST", path="/")


async def fail(made, times: int = 1) -> list[str]:
    codes = []
    for _ in range(times):
        with pytest.raises(ChannelError) as refusal:
            await made.call(POST)
        codes.append(refusal.value.code)
    return codes


async def test_it_opens_after_five_failures_in_a_row(api, shop: Shop, clock: Clock):
    made = api()
    shop.answers = [answer(500)]
    assert await fail(made, 6) == ["500"] * 5 + ["breaker_open"]
    assert shop.calls == 5
    with pytest.raises(ChannelError) as refusal:
        await made.call(POST)
    assert refusal.value.fault is Fault.TRANSIENT
    assert refusal.value.retry_at
    assert (refusal.value.retry_at - clock.now()).total_seconds() == pytest.approx(10)


async def test_while_it_is_open_no_token_is_asked_for(api, shop: Shop):
    class Keeper:
        async def current(self) -> Mapping[str, str]:
            raise AssertionError

        async def renew(self, stale: Mapping[str, str]) -> Mapping[str, str]:
            raise AssertionError

    shop.answers = [answer(500)]
    await fail(api(), 5)
    assert await fail(api(tokens=Keeper())) == ["breaker_open"]


async def test_all_calls_of_an_account_share_it_and_no_other_account_does(api, shop: Shop):
    shop.answers = [answer(500)]
    await fail(api(), 5)
    assert await fail(api()) == ["breaker_open"]
    assert await fail(api(account_id="a2")) == ["500"]


async def test_a_call_stops_repeating_once_it_is_open(api, shop: Shop):
    shop.answers = [answer(500)]
    made = api()
    await fail(made, 4)
    with pytest.raises(ChannelError) as refusal:
        await made.call(Request(method="GET", path="/"))
    assert (refusal.value.code, shop.calls) == ("500", 5)


@pytest.mark.parametrize("status", [400, 404, 408, 429, 401])
async def test_a_channel_that_refuses_is_well(api, shop: Shop, status: int, clock: Clock):
    shop.answers = [answer(status)]
    made = api()
    for _ in range(8):
        await fail(made)
        clock.seconds += 3  # past the penalty of a 429
    assert shop.calls == 8


async def test_a_good_answer_starts_the_count_again(api, shop: Shop):
    shop.answers = [*[answer(500)] * 4, answer(), *[answer(500)] * 4, answer()]
    made = api()
    await fail(made, 4)
    await made.call(POST)
    await fail(made, 4)
    await made.call(POST)


async def test_failures_far_apart_do_not_count_together(api, shop: Shop, clock: Clock):
    shop.answers = [answer(500)]
    made = api()
    for _ in range(12):
        assert await fail(made) == ["500"]
        clock.seconds += 8


async def test_after_the_pause_one_request_tries_and_a_good_answer_closes(api, shop: Shop, clock: Clock):
    shop.answers = [answer(500)]
    made = api()
    await fail(made, 5)
    clock.seconds += 9.9
    assert await fail(made) == ["breaker_open"]
    clock.seconds += 0.2
    shop.answers = [answer()]
    await made.call(POST)
    await made.call(POST)


async def test_the_pause_grows_to_a_minute_and_starts_small_again(api, shop: Shop, clock: Clock):
    shop.answers = [answer(500)]
    made = api()
    await fail(made, 5)
    for pause in (10, 20, 40, 60, 60):
        clock.seconds += pause - 0.1
        assert await fail(made) == ["breaker_open"]
        clock.seconds += 0.2
        assert await fail(made, 2) == ["500", "breaker_open"]
    clock.seconds += 60
    shop.answers = [answer(), answer(500)]
    await made.call(POST)
    await fail(made, 5)
    clock.seconds += 10
    assert await fail(made) == ["500"]


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock, clock.now)
    for _ in range(5):
        breaker.settle(well=False, probe=breaker.begin())
    assert not breaker.closed
    return breaker


def test_only_one_request_tries_at_a_time(clock: Clock):
    breaker = opened(clock)
    clock.seconds += 10
    breaker.check()
    assert breaker.begin()
    with pytest.raises(ChannelError):
        breaker.check()
    with pytest.raises(ChannelError):
        breaker.begin()


def test_a_cancelled_try_lets_the_next_one_try(clock: Clock):
    breaker = opened(clock)
    clock.seconds += 10
    breaker.settle(well=None, probe=breaker.begin())
    assert breaker.begin()


def test_requests_that_were_under_way_do_not_lengthen_the_pause(clock: Clock):
    breaker = opened(clock)
    clock.seconds += 9
    breaker.settle(well=False, probe=False)
    clock.seconds += 1
    assert breaker.begin()

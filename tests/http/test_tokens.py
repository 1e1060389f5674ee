"""Renewal: once per call, once per process, and never into the breaker's way."""

import asyncio
from collections.abc import Mapping

import pytest
from aiohttp import web

from hub.faults import ChannelError, Fault
from hub.model import Request
from tests.http.conftest import Clock, Shop, answer

GET = Request(method="GET", path="/orders")
POST = Request(method="POST", path="/orders", json={})


class Keeper:
    """Keeps a token in memory; renewing takes a moment, and `problem` when it is set."""

    def __init__(self, token: str = "t0") -> None:
        self.token = token
        self.renewals: list[str] = []
        self.problem: ChannelError | None = None
        self.asked = asyncio.Event()

    async def current(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def renew(self, stale: Mapping[str, str]) -> Mapping[str, str]:
        self.renewals.append(stale["Authorization"])
        self.asked.set()
        await asyncio.sleep(0.02)
        if self.problem:
            raise self.problem
        self.token = f"t{len(self.renewals)}"
        return await self.current()


def only(token: str):
    async def check(request: web.Request) -> web.StreamResponse:
        return answer(200 if request.headers.get("Authorization") == f"Bearer {token}" else 401)

    return check


async def test_a_stale_token_is_renewed_once_and_the_request_sent_again(api, shop: Shop):
    shop.answers = [only("t1")]
    keeper = Keeper()
    assert (await api(tokens=keeper).call(POST)).status == 200  # a 401 was not carried out: a POST too
    assert (keeper.renewals, shop.calls) == (["Bearer t0"], 2)


async def test_a_second_refusal_is_an_auth_fault(api, shop: Shop):
    shop.answers = [answer(401, {"message": "nope"})]
    keeper = Keeper()
    with pytest.raises(ChannelError) as refusal:
        await api(tokens=keeper).call(GET)
    assert (refusal.value.fault, len(keeper.renewals), shop.calls) == (Fault.AUTH, 1, 2)


async def test_many_calls_renew_once(api, shop: Shop):
    shop.answers = [only("t1")]
    keeper = Keeper()
    made = [api(tokens=keeper) for _ in range(10)]
    replies = await asyncio.gather(*(each.call(GET) for each in made))
    assert {reply.status for reply in replies} == {200}
    assert keeper.renewals == ["Bearer t0"]


async def test_a_call_that_comes_late_with_the_old_token_takes_the_new_one(api, shop: Shop):
    gate = asyncio.Event()

    async def slow_refusal(_request: web.Request) -> web.StreamResponse:
        await gate.wait()
        return answer(401)

    keeper = Keeper()
    shop.answers = [slow_refusal, only("t1")]
    late = asyncio.create_task(api(tokens=keeper).call(GET))
    await shop.called.wait()
    await api(tokens=keeper).call(GET)
    gate.set()
    assert (await late).status == 200
    assert keeper.renewals == ["Bearer t0"]


async def test_a_renewal_that_fails_fails_all_who_wait_for_it_and_is_tried_by_the_next(api, shop: Shop):
    shop.answers = [only("t2")]
    keeper = Keeper()
    keeper.problem = ChannelError(Fault.AUTH, "invalid_grant", "expired")
    told = await asyncio.gather(*(api(tokens=keeper).call(GET) for _ in range(5)), return_exceptions=True)
    assert {type(each) for each in told} == {ChannelError}
    assert len(keeper.renewals) == 1
    keeper.problem = None
    assert (await api(tokens=keeper).call(GET)).status == 200


async def test_a_caller_that_gives_up_does_not_lose_the_token(api, shop: Shop):
    shop.answers = [only("t1")]
    keeper = Keeper()
    impatient = asyncio.create_task(api(tokens=keeper).call(GET))
    await keeper.asked.wait()
    impatient.cancel()
    assert (await api(tokens=keeper).call(GET)).status == 200
    assert keeper.renewals == ["Bearer t0"]


async def test_a_failing_renewal_is_not_repeated_by_the_call_around_it(api, shop: Shop):
    class ByHttp(Keeper):
        async def renew(self, stale: Mapping[str, str]) -> Mapping[str, str]:
            self.renewals.append("x")
            await api().call(Request(method="POST", path="/token", authenticate=False))
            return {}

    keeper = ByHttp()
    shop.answers = [answer(401), answer(503)]
    with pytest.raises(ChannelError) as refusal:
        await api(tokens=keeper).call(GET)
    assert (refusal.value.code, len(keeper.renewals), shop.calls) == ("503", 1, 2)


async def test_other_statuses_may_mean_a_stale_token(api, shop: Shop):
    shop.answers = [answer(403), answer()]
    keeper = Keeper()
    await api(tokens=keeper, renew_on={401, 403}).call(GET)
    assert len(keeper.renewals) == 1


async def test_without_a_keeper_and_without_authentication_nothing_is_renewed(api, shop: Shop):
    shop.answers = [answer(401)]
    keeper = Keeper()
    for made, request in (
        (api(), GET),
        (api(tokens=keeper), Request(method="GET", path="/", authenticate=False)),
    ):
        with pytest.raises(ChannelError):
            await made.call(request)
    assert (keeper.renewals, shop.calls) == ([], 2)


async def test_the_request_that_tries_an_open_breaker_may_fetch_its_token_first(api, shop: Shop, clock: Clock):
    class ByHttp(Keeper):
        async def current(self) -> Mapping[str, str]:
            await api().call(Request(method="POST", path="/token", authenticate=False))
            return {"Authorization": "Bearer t9"}

    shop.answers = [answer(500)]
    for _ in range(5):
        with pytest.raises(ChannelError):
            await api().call(POST)
    clock.seconds += 10.1
    shop.answers = [answer()]
    assert (await api(tokens=ByHttp()).call(GET)).status == 200

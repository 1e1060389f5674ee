"""Channels that sign each request: anew at each attempt, for their own host only, over what is really sent."""

import hashlib
from dataclasses import replace
from datetime import datetime

import pytest

from hub.faults import ChannelError, Fault
from hub.model import Request, Unsigned
from tests.http.conftest import Clock, Shop, answer
from tests.http.test_tokens import Keeper


def sign(told: Unsigned) -> Request:
    """Shows the token in the query, and what was signed in a header."""
    at = told.now.isoformat()
    params = (*told.request.params, ("t", at), ("access", told.shown.get("Authorization", "-")))
    signed = hashlib.sha256(f"{told.external_id}|{told.url}|".encode() + (told.content or b"")).hexdigest()
    return replace(told.request, params=params, headers={**told.request.headers, "X-Signed": signed})


async def test_what_is_signed_is_what_is_sent_and_the_token_is_shown_only_there(api, shop: Shop):
    shop.answers = [answer()]
    await api(sign=sign, tokens=Keeper(), external_id="77").call(
        Request(method="POST", path="/stock", params=(("a", "1 2"),), json={"n": "ção"})
    )
    seen = shop.seen[0]
    assert seen.query["access"] == "Bearer t0"
    assert "Authorization" not in seen.headers
    assert seen.query["a"] == "1 2"
    assert shop.bodies[0] == '{"n":"ção"}'.encode()
    want = hashlib.sha256(f"77|{shop.url}/stock?a=1%202|".encode() + shop.bodies[0]).hexdigest()
    assert seen.headers["X-Signed"] == want


async def test_each_attempt_is_signed_with_its_own_time(api, shop: Shop, clock: Clock):
    shop.answers = [answer(500), answer()]
    await api(sign=sign).call(Request(method="GET", path="/orders"))
    first, second = (datetime.fromisoformat(seen.query["t"]) for seen in shop.seen)
    assert first < second == clock.now()


async def test_another_host_is_shown_neither_signature_nor_token(api, shop: Shop):
    shop.answers = [answer()]
    foreign = shop.url.replace("127.0.0.1", "localhost")
    with pytest.raises(ChannelError):  # and without https it is not called at all
        await api(sign=sign, tokens=Keeper()).call(Request(method="GET", path=f"{foreign}/label"))
    await api(sign=sign, tokens=Keeper()).call(Request(method="GET", path="/token", authenticate=False))
    assert "X-Signed" not in shop.seen[0].headers
    assert "access" not in shop.seen[0].query


async def test_a_public_call_is_signed_and_shows_no_token(api, shop: Shop):
    shop.answers = [answer()]
    await api(sign=sign, tokens=Keeper()).call(Request(method="GET", path="/x", authenticate=False, signed=True))
    assert "X-Signed" in shop.seen[0].headers
    assert shop.seen[0].query["access"] == "-"


async def test_a_code_inside_a_200_can_tell_that_the_token_is_stale(api, shop: Shop):
    shop.answers = [answer(200, {"code": 105002}), answer(200, {"code": 0})]
    keeper = Keeper()

    def read_error(reply):
        return "105002" if b"105002" in reply.body else None

    faults = {"105002": Fault.AUTH}
    ask = api(tokens=keeper, sign=sign, read_error=read_error, renew_on={"105002"}, faults=faults)
    assert (await ask.call(Request(method="GET", path="/orders"))).status == 200
    assert keeper.renewals == ["Bearer t0"]
    assert [seen.query["access"] for seen in shop.seen] == ["Bearer t0", "Bearer t1"]

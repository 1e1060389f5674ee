"""Events out: what is decided about them, and what docs/EVENTS.md says of them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from hub import events, events_page
from hub.web import event_words

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
PAGE = (Path(__file__).parents[2] / "docs" / "EVENTS.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = UUID(int=7)


def test_the_page_is_current() -> None:
    assert events_page.page() == PAGE, "python -m hub.events_page > docs/EVENTS.md"
    assert set(event_words.KIND) == {*events.KINDS, events.TEST}


def test_both_ways_of_verifying_that_the_page_shows_are_right() -> None:
    snippets: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, snippets)  # noqa: S102 - what readers are told to run
    now = datetime.now(UTC)
    body = events.body_of("test", now, {"endpoint_id": str(EVENT), "version": 1})
    headers = events.headers([SECRET, SECRET[:-1] + "x"], EVENT, now, body)
    for secret, good in ((SECRET, True), (SECRET[:-1] + "x", True), ("whsec_AAAA", False)):
        told = snippets["event_of"](secret, headers, body.encode())  # type: ignore[operator] # made by exec
        assert (told is not None) == good
        assert snippets["is_from_the_hub"](secret, headers, body.encode()) == good  # type: ignore[operator] # as above
    late = events.headers([SECRET], EVENT, now - timedelta(minutes=6), body)
    assert snippets["event_of"](SECRET, late, body.encode()) is None  # type: ignore[operator] # as above


def test_a_body_says_when_in_utc_and_refuses_what_its_kind_does_not_tell() -> None:
    at = datetime.fromisoformat("2026-03-11T09:00:00-03:00")
    body = events.body_of("account.held", at, {"account_id": EVENT, "channel": "bling", "name": "Um", "version": 3})
    assert body.startswith('{"type":"account.held","timestamp":"2026-03-11T12:00:00Z","data":{"version":3,')
    with pytest.raises(ValueError, match="buyer"):
        events.body_of("account.held", at, {"account_id": EVENT, "channel": "b", "name": "U", "version": 3, "buyer": 1})


def test_no_payload_has_a_place_for_a_buyer_or_a_secret() -> None:
    for kind in events.KINDS.values():
        named = set(re.findall(r'"(\w+)":', str(kind.payload.model_json_schema()).replace("'", '"')))
        assert not named & {"buyer", "ship_to", "email", "phone", "document", "secret", "token", "address"}


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_each_wait_is_within_a_tenth_and_the_last_is_the_last(chance: float) -> None:
    for n, delay in enumerate(events.DELAYS, start=1):
        at = events.again_at(NOW, n, chance)
        assert at is not None
        assert 0.9 * delay <= (at - NOW).total_seconds() <= 1.1 * delay
    assert events.again_at(NOW, events.ATTEMPTS, chance) is None
    assert events.again_at(NOW, 1, chance, 60.0) == NOW + timedelta(seconds=60), "as they asked"
    assert events.again_at(NOW, 4, chance, 60.0) != NOW + timedelta(seconds=60), "ours is longer"


def test_an_endpoint_rests_longer_and_longer_and_is_given_up_after_days() -> None:
    assert [events.rest_until(NOW, n, 0.0) for n in (0, 1, 2)] == [None] * 3
    waits = [events.rest_until(NOW, n, 0.0) for n in range(3, 13)]
    seconds = [(at - NOW).total_seconds() for at in waits if at]
    assert seconds == sorted(seconds)
    assert (seconds[0], seconds[-1]) == (5, events.LONGEST_REST)
    assert events.rest_until(NOW, 1, 0.0, 30.0) == NOW + timedelta(seconds=30)
    assert not events.is_hopeless(None, NOW)
    assert [events.is_hopeless(NOW - timedelta(days=n), NOW) for n in (4, 5)] == [False, True]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://erp.loja.com.br/eventos?k=1", None), ("https://erp.loja.com.br:8443", None),
        ("http://localhost:9000/x", None), ("http://erp.loja.com.br", "https"), ("https://a:b@erp.com.br", "login"),
        ("erp.loja.com.br", "address"), ("https://", "address"), ("https://x:porta", "address"), ("", "address"),
        ("https://é.com", "address"), ("https://a b.com", "address"), ("https://x.com/" + "a" * 2000, "address"),
    ],
)  # fmt: skip
def test_where_events_may_go(url: str, problem: str | None) -> None:
    assert events.address_problem(url) == problem

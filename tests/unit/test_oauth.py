"""Grants and consent, as the standard has them."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Reply
from hub.oauth import consent, refresh_with, token_of

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_a_token_that_lasts_beyond_measure_is_refused():
    body = b'{"access_token": "a", "expires_in": 999999999999999}'
    with pytest.raises(Unreadable, match=r"token\.expires_in"):
        token_of(Reply(status=200, headers={}, body=body), NOW, lambda _: None)
    body = b'{"access_token": "a", "expires_in": 1772409600}'  # an instant, where the standard has a duration
    assert token_of(Reply(status=200, headers={}, body=body), NOW, lambda _: None).expires_at == NOW


def test_the_last_refresh_token_is_shown():
    with pytest.raises(ChannelError, match="must be connected") as refusal:
        refresh_with(None, None)
    assert (refusal.value.fault, refusal.value.code) == (Fault.AUTH, "no_refresh_token")
    assert refresh_with(SecretStr("first"), None) == "first"


def test_where_consent_is_given():
    assert consent("https://a.example/auth", "42", "https://hub.example/", "st", "ch") == (
        "https://a.example/auth?response_type=code&client_id=42&redirect_uri=https%3A%2F%2Fhub.example%2F&state=st"
        "&code_challenge=ch&code_challenge_method=S256"
    )

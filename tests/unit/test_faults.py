"""Six faults, one table of what is done about each."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from hub.faults import POLICIES, BadSignature, ChannelError, Fault, Unreadable, pause_after


def test_every_fault_has_its_policy():
    assert set(POLICIES) == set(Fault)


def test_only_a_dead_login_holds_the_account():
    assert [fault for fault, policy in POLICIES.items() if policy.holds_account] == [Fault.AUTH]


@pytest.mark.parametrize("fault", [Fault.REJECTED, Fault.MISSING, Fault.SHAPE])
def test_what_will_not_get_better_is_parked_at_once(fault):
    assert pause_after(fault, 1) is None
    assert POLICIES[fault].parks


@pytest.mark.parametrize("fault", [Fault.TRANSIENT, Fault.THROTTLED, Fault.AUTH])
def test_pauses_grow_to_a_limit_and_end(fault):
    policy = POLICIES[fault]
    pauses = [pause_after(fault, attempts) for attempts in range(1, policy.retries + 1)]
    told = [pause for pause in pauses if pause is not None]
    assert len(told) == policy.retries
    assert told[0] == policy.first_pause
    assert told[1] == 2 * policy.first_pause
    assert told[-1] == policy.longest_pause
    assert all(one <= two for one, two in pairwise(told))
    assert pause_after(fault, policy.retries + 1) is None


def test_a_passing_fault_is_tried_for_half_a_day():
    pauses = [pause_after(Fault.TRANSIENT, attempts) or 0 for attempts in range(1, 61)]
    assert sum(pauses) > 12 * 3600


def test_a_channel_error_says_what_and_why():
    at = datetime(2026, 3, 2, tzinfo=UTC)
    error = ChannelError(Fault.THROTTLED, "429", "slow down", status=429, retry_at=at)
    assert str(error) == "throttled 429: slow down"
    assert (error.fault, error.code, error.detail, error.status, error.retry_at) == (
        Fault.THROTTLED, "429", "slow down", 429, at
    )  # fmt: skip


def test_an_unreadable_document_is_a_shape_fault_that_names_the_path():
    error = Unreadable("lines.0.qty", "not a number")
    assert isinstance(error, ChannelError)
    assert (error.fault, error.path, error.why) == (Fault.SHAPE, "lines.0.qty", "not a number")
    assert str(error) == "shape unreadable: lines.0.qty: not a number"


def test_a_bad_signature_is_no_channel_error():
    assert not issubclass(BadSignature, ChannelError)

"""A number that a channel accepted to make true later."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.pushing import PATIENCE, Submission, submission

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOLD = Submission(3, AT.isoformat(), "f1dc")


def test_it_is_kept_as_it_is():
    assert submission(TOLD.kept()) == TOLD


@pytest.mark.parametrize("kept", [None, "", "an older hub's words"])
def test_what_is_none(kept: str | None):
    assert submission(kept) is None


def test_it_waits_while_it_is_wanted_and_not_for_ever():
    assert TOLD.waits(3, AT + PATIENCE - timedelta(seconds=1))
    assert not TOLD.waits(3, AT + PATIENCE)
    assert not TOLD.waits(2, AT), "another number is wanted by now"
    assert not TOLD.waits(None, AT)

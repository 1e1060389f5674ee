"""What the hub logs, kept to be looked at: whatever knocks, no traceback comes of it."""

from collections.abc import Iterator

import pytest

from tests.world import Log, logged


@pytest.fixture(autouse=True)
def log() -> Iterator[Log]:
    """Everything logged meanwhile. Tracebacks fail the test, unless it takes them out of `log.tracebacks`."""
    with logged() as told:
        yield told
    assert not told.tracebacks, "\n".join(told.tracebacks)

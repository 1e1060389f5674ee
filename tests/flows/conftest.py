"""What the hub logs, kept to be looked at: a flow that ends in a traceback has failed, whatever it left behind."""

from collections.abc import Iterator

import pytest

from tests.world import Log, logged


@pytest.fixture(autouse=True)
def log() -> Iterator[Log]:
    """Everything logged meanwhile. Tracebacks fail the test, unless it takes them out of `log.tracebacks`."""
    with logged() as told:
        yield told
    assert not told.tracebacks, "\n".join(told.tracebacks)

"""A pytest plugin: the tests of this run meet the mutant that BALCAO_MUTANT names, or none."""

import os
from collections.abc import Iterator

import pytest

from tests.sim.mutants import ASKED, mutated


@pytest.fixture(autouse=True)
def mutant() -> Iterator[None]:
    """The hub without one of its guards."""
    if name := os.environ.get(ASKED):
        with mutated(name):
            yield
    else:
        yield

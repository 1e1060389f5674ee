"""A little of the simulation with every run of the tests; `python -m tests.sim` for the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.shrink import shortest
from tests.sim.story import story
from tests.sim.world import play


@pytest.mark.parametrize("seed", [1, 36])
def test_promises_hold_through_faults(seed):
    # In a process of its own: the order of sets of text is part of a story.
    done = subprocess.run(
        [sys.executable, "-m", "tests.sim", "--seeds", "1", "--orders", "60", "--seed", str(seed), "--shrink", "0"],
        cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True,
        check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def test_a_seed_tells_the_same_story_twice():
    events = story(5, 12)
    first, again = play(5, events), play(5, events)
    assert first.problem is None
    assert first.journal == again.journal
    assert len(first.journal) > 20


def test_the_shortest_story_keeps_what_breaks():
    events = story(7, 40)
    culprits = {events[5].number, events[17].number}

    def breaks(some):
        return culprits <= {event.number for event in some}

    kept = {event.number for event in shortest(events, breaks, seconds=20)}
    assert culprits <= kept
    assert len(kept) <= 4

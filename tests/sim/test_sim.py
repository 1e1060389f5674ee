"""A little of the simulation with every run of the tests; `python -m tests.sim` for the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.play import play
from tests.sim.shrink import shortest
from tests.sim.story import Story


def first(seed, count):
    """The first events of a seed."""
    return [event for event, _n in zip(Story(seed), range(count), strict=False)]


@pytest.mark.slow
@pytest.mark.timeout(620)
def test_promises_hold_through_faults():
    # In a process of its own: the order of sets of text is part of a story.
    done = subprocess.run(
        [sys.executable, "-m", "tests.sim", "--seeds", "10", "--orders", "300", "--shrink", "0", "--jobs", "2"],
        cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert done.stdout.count(": ok  300 orders in") == 10


def test_a_seed_tells_the_same_story_twice():
    events = first(5, 60)
    once, again = play(5, events), play(5, events)
    assert once.problem is None
    assert once.journal == again.journal
    assert len(once.journal) > 20


def test_so_many_orders_are_sold_as_were_asked_for():
    told = play(2, Story(2), 40)
    assert told.problem is None
    assert told.figures["orders"] == 40
    assert sum(event.kind == "buy" for event in told.told) == 40


def test_what_happened_can_be_told_again():
    told = play(3, Story(3), 25)
    again = play(3, told.told)
    assert (again.problem, again.journal) == (told.problem, told.journal)


def test_the_shortest_story_keeps_what_breaks():
    events = first(7, 80)
    culprits = {events[5].number, events[17].number}

    def breaks(some):
        return culprits <= {event.number for event in some}

    kept = {event.number for event in shortest(events, breaks, seconds=20)}
    assert culprits <= kept
    assert len(kept) <= 4

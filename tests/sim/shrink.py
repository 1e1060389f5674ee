"""The shortest story that still breaks the same promise: delta debugging, for as long as there is time."""

import time
from collections.abc import Callable, Sequence

from tests.sim.story import Event


def shortest(events: Sequence[Event], breaks: Callable[[Sequence[Event]], bool], seconds: float) -> list[Event]:
    """Leave events out, in halves first and at last one by one, as long as `breaks` says yes."""
    until, kept, pieces = time.monotonic() + seconds, list(events), 2
    while len(kept) > 1:
        size = -(-len(kept) // pieces)
        for start in range(0, len(kept), size):
            if time.monotonic() > until:
                return kept
            gone = {event.number for event in kept[start : start + size]}
            rest = [event for event in kept if event.number not in gone and event.of not in gone]
            if len(rest) < len(kept) and breaks(rest):
                kept, pieces = rest, max(2, pieces - 1)
                break
        else:
            if size == 1:
                return kept
            pieces = min(len(kept), pieces * 2)
    return kept

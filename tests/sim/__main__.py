"""`python -m tests.sim --seeds 10 --orders 300 --seed 1`: run stories, print figures, exit 1 on a broken promise."""

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Sequence

from tests.sim.shrink import shortest
from tests.sim.story import Event, story
from tests.sim.world import Result, play


def kind_of(problem: str | None) -> str | None:
    """What sort of break it is: its first words, without numbers and names."""
    if problem is None:
        return None
    lines = [line for line in problem.strip().splitlines() if line.strip()]
    if "Traceback" in problem:
        return lines[-1].split(":")[0]
    return re.sub(r"[a-z]?[A-Z]?\d[\w-]*", "_", lines[0])[:30]


def _line(seed: int, result: Result) -> str:
    told = result.figures
    speed, per_sale = told["orders"] / told["seconds"], told["writes"] / max(1, told["orders"])
    return (
        f"seed {seed}: {'BROKEN' if result.problem else 'ok'}  {told['orders']:.0f} orders in {told['seconds']:.1f} s "
        f"({speed:.1f}/s, {told['virtual'] / 60:.0f} min there)  {sum(result.faults.values())} faults  "
        f"{per_sale:.2f} pushes/sale  {told['requests'] / max(1, told['orders']):.1f} requests/sale  "
        f"{told.get('oversold', 0):.0f} oversold  {told['commits']:.0f} commits"
    )


def _explain(seed: int, events: Sequence[Event], result: Result, seconds: float, *, calm: bool) -> None:
    kind = kind_of(result.problem)
    print(f"\nseed {seed} breaks a promise:\n{result.problem}\nshrinking for up to {seconds:.0f} s ...", flush=True)
    kept = shortest(events, lambda some: kind_of(play(seed, some, calm=calm).problem) == kind, seconds)
    again = play(seed, kept, calm=calm)
    print(f"the shortest story found ({len(kept)} of {len(events)} events):")
    print("\n".join(f"  {event}" for event in kept))
    print(f"ends in:\n{again.problem}")
    print("the shops' own journal, its end:\n" + "\n".join(f"  {line}" for line in again.journal[-60:]), flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the seeds asked for; 1 when one of them breaks a promise."""
    asked = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    asked.add_argument("--seeds", type=int, default=10)
    asked.add_argument("--orders", type=int, default=300)
    asked.add_argument("--seed", type=int, default=1, help="the first seed")
    asked.add_argument("--calm", action="store_true", help="no faults")
    asked.add_argument("--shrink", type=float, default=120, help="seconds to look for a shorter story; 0: none")
    asked.add_argument("--go-on", action="store_true", help="after a broken promise too")
    told = asked.parse_args(argv)
    broken, faults = 0, Counter[str]()
    for seed in range(told.seed, told.seed + told.seeds):
        events = story(seed, told.orders, calm=told.calm)
        result = play(seed, events, calm=told.calm)
        faults += result.faults
        print(_line(seed, result), flush=True)
        if result.problem:
            broken += 1
            if told.shrink:
                _explain(seed, events, result, told.shrink, calm=told.calm)
            else:
                print(result.problem, flush=True)
            if not told.go_on:
                break
    print("faults: " + ", ".join(f"{name} {count}" for name, count in sorted(faults.items())))
    return 1 if broken else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets of text is part of a story
        os.execve(  # noqa: S606 - the same program again
            sys.executable, [sys.executable, "-m", "tests.sim", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"}
        )
    raise SystemExit(main())

"""`python -m tests.sim --seeds 10 --orders 300 --seed 1`: run stories, print figures, exit 1 on a broken promise."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.sim.runs import Ask, runs

SOAK_KEEPS = 300


def _asked(argv: Sequence[str] | None) -> argparse.Namespace:
    asked = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    asked.add_argument("--seeds", type=int, default=10)
    asked.add_argument("--orders", type=int, default=300, help="orders sold in each story; all else comes beside them")
    asked.add_argument("--seed", type=int, default=1, help="the first seed")
    asked.add_argument("--jobs", type=int, default=0, help="processes with a database each; 0: one a core")
    asked.add_argument("--soak", type=int, default=0, help="one story of so many orders, in flat memory")
    asked.add_argument("--calm", action="store_true", help="no faults")
    asked.add_argument("--shrink", type=float, default=300, help="seconds to look for a shorter story; 0: none")
    asked.add_argument("--go-on", action="store_true", help="after a broken promise too")
    return asked.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the seeds asked for; 1 when one of them breaks a promise."""
    told, began = _asked(argv), time.perf_counter()
    ask = Ask(orders=told.orders, calm=told.calm, shrink=told.shrink)
    seeds: Sequence[int] = range(told.seed, told.seed + told.seeds)
    if told.soak:
        ask, seeds = Ask(orders=told.soak, calm=told.calm, keep=SOAK_KEEPS), [told.seed]
    broken, count, orders, faults = [], 0, 0, Counter[str]()
    for done in runs(seeds, ask, min(told.jobs or os.cpu_count() or 1, len(seeds))):
        count, orders, faults = count + 1, orders + done.orders, faults + done.faults
        broken += [] if done.kept else [done.seed]
        if broken and not told.go_on:
            break
    seconds = time.perf_counter() - began
    print("faults: " + ", ".join(f"{name} {met}" for name, met in sorted(faults.items())))
    verdict = f"BROKEN: {sorted(broken)}" if broken else "no promise broken"
    print(f"{count} seeds, {orders} orders in {seconds / 60:.1f} min ({orders / seconds:.1f} orders/s): {verdict}")
    return 1 if broken else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets of text is part of a story
        os.execve(  # noqa: S606 - the same program again
            sys.executable, [sys.executable, "-m", "tests.sim", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"}
        )
    raise SystemExit(main())

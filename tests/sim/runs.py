"""Many seeds, in several processes with a database each; what breaks is shrunk and told."""

import atexit
import multiprocessing
import multiprocessing.util
import re
import resource
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from tests.sim.play import Result, play
from tests.sim.shrink import shortest
from tests.sim.story import Event, Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is to be run. `keep`: of what happens, only the last so many events (a soak's memory must not grow)."""

    orders: int
    calm: bool = False
    shrink: float = 0.0
    keep: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a seed."""

    seed: int
    kept: bool
    orders: int
    faults: Counter[str] = field(default_factory=Counter)


def kind_of(problem: str | None) -> str | None:
    """What sort of break it is: its first words, without numbers and names."""
    if problem is None:
        return None
    lines = [line for line in problem.strip().splitlines() if line.strip()]
    if "Traceback" in problem:
        return lines[-1].split(":")[0]
    return re.sub(r"[a-z]?[A-Z]?\d[\w-]*", "_", lines[0])[:30]


def run(seed: int, ask: Ask) -> Outcome:
    """Play one seed and print how it went."""
    result = play(seed, Story(seed, calm=ask.calm), ask.orders, calm=ask.calm, keep=ask.keep)
    print(_line(seed, result), flush=True)
    if result.problem and ask.shrink and ask.keep is None:
        _explain(seed, result, ask.shrink, calm=ask.calm)
    elif result.problem:
        print(f"seed {seed}: {result.problem}", *map(str, result.told[-30:]), sep="\n", flush=True)
    return Outcome(seed, result.problem is None, int(result.figures["orders"]), result.faults)


def runs(seeds: Sequence[int], ask: Ask, jobs: int) -> Iterator[Outcome]:
    """Play these seeds, so many at a time, in the order in which they end."""
    if jobs == 1:
        yield from (run(seed, ask) for seed in seeds)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _at_home) as pool:
        try:
            for done in as_completed([pool.submit(run, seed, ask) for seed in seeds]):
                yield done.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _at_home() -> None:
    """A process of a pool ends without `atexit`: its servers are to be stopped all the same."""
    multiprocessing.util.Finalize(None, atexit._run_exitfuncs, exitpriority=1)


def _line(seed: int, result: Result) -> str:
    told = result.figures
    orders, memory = max(1, told["orders"]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"seed {seed}: {'BROKEN' if result.problem else 'ok'}  {told['orders']:.0f} orders in {told['seconds']:.1f} s "
        f"({orders / told['seconds']:.1f}/s; {told['virtual'] / 60:.0f} min there, {told['steps']:.0f} steps)  "
        f"{sum(result.faults.values())} faults  {told['oversold']:.0f} oversold  "
        f"{told['writes'] / orders:.2f} pushes, {told['requests'] / orders:.1f} requests, "
        f"{told['commits'] / orders:.1f} commits a sale  {memory:.0f} MB"
    )


def _explain(seed: int, result: Result, seconds: float, *, calm: bool) -> None:
    kind, events = kind_of(result.problem), result.told
    print(f"\nseed {seed} breaks a promise:\n{result.problem}\nshrinking for up to {seconds:.0f} s ...", flush=True)

    def breaks(some: Sequence[Event]) -> bool:
        return kind_of(play(seed, some, calm=calm).problem) == kind

    kept = shortest(events, breaks, seconds)
    again = play(seed, kept, calm=calm)
    print(f"the shortest story found ({len(kept)} of {len(events)} events):")
    print("\n".join(f"  {event}" for event in kept))
    print(f"ends in:\n{again.problem}")
    print("the shops' own journal, its end:\n" + "\n".join(f"  {line}" for line in again.journal[-60:]), flush=True)

"""`python -m tests.sim.mutants`: the hub with one guard taken out at a time, and whether the simulation notices.

A mutant is made by patching while it runs; no file is changed. What one transaction at a time cannot show (a missing
lock), or what mends itself before anybody counts, is left to the test that is named beside it.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hub import orders as decide
from hub.model import FulfilledBy, Outcome, OutcomeKind
from hub.store import buffers, due, inbox, kits, slots, stock
from jobs import availability, ingest, ledger, poll, push_stock, settle
from tests.sim.play import play
from tests.sim.runs import kind_of
from tests.sim.story import Story

PLUGIN = "tests.sim.mutated"
ASKED = "BALCAO_MUTANT"


async def _nothing(*_given: object, **_more: object) -> int:
    return 0


def _no_drain(exits: ExitStack) -> None:
    exits.enter_context(patch.object(poll, "newest", _nothing))
    exits.enter_context(patch.object(ingest, "drain", _nothing))  # the intake lane keeps its own way to it


def _doubt_is_success(exits: ExitStack) -> None:
    give_back: Any = push_stock._give_back

    async def taken(push: Any, tx: Any, slot: Any, problem: Any, **more: Any) -> None:
        if not getattr(problem, "in_doubt", False):
            await give_back(push, tx, slot, problem, **more)
            return
        now = push.rt.now()
        told = Outcome(listing_ref=slot.listing_ref, slot_ref=slot.ref, outcome=OutcomeKind.ACCEPTED, seen=slot.desired)
        await slots.accepted(tx, push.token, slot, told, now, now, timedelta())
        await tx.run("UPDATE stock_slot SET doubt_until = NULL, due_at = NULL WHERE id = %s", [slot.id])

    exits.enter_context(patch.object(push_stock, "_give_back", taken))


def _doubt_forgotten(exits: ExitStack) -> None:
    retry = slots.retry

    async def forgetful(tx: Any, token: Any, slot_ids: Any, due_at: Any, **more: Any) -> None:
        ids = list(slot_ids)
        await retry(tx, token, ids, due_at, **more)
        await tx.run("UPDATE stock_slot SET doubt_until = NULL, due_at = %s WHERE id = ANY(%s)", [due_at, ids])

    exits.enter_context(patch.object(slots, "retry", forgetful))


def _own_sales_forgotten(exits: ExitStack) -> None:
    exits.enter_context(patch.object(slots, "own_sales", _nothing))


def _no_locks(exits: ExitStack) -> None:
    async def unlocked(tx: Any, sku_ids: Any, _slot_ids: Any = ()) -> set[Any]:
        return await kits.with_kits_of(tx, sku_ids)

    exits.enter_context(patch.object(stock, "lock_around", unlocked))


def _told_twice(exits: ExitStack) -> None:
    async def nothing_yet(*_given: object) -> dict[Any, Any]:
        return {}

    exits.enter_context(patch.object(stock, "held_by", nothing_yet))


def _lease_left(exits: ExitStack) -> None:
    exits.enter_context(patch.object(due, "free_dead", _nothing))
    for module in (slots, inbox):
        exits.enter_context(patch.object(module, "LEASE", timedelta(days=1)))


def _theirs_taken(exits: ExitStack) -> None:
    exits.enter_context(patch.object(decide, "keeper", lambda _order, _line: FulfilledBy.SELLER))


def _buffer_ignored(exits: ExitStack) -> None:
    async def none(_tx: Any, slots_: Sequence[Any], _now: Any) -> dict[Any, Any]:
        return {slot["id"]: () for slot in slots_}

    exits.enter_context(patch.object(buffers, "in_force", none))


def _change_swallowed(exits: ExitStack) -> None:
    accepted = slots.accepted

    async def content(tx: Any, token: Any, slot: Any, *given: Any, **more: Any) -> bool:
        mine = await accepted(tx, token, slot, *given, **more)
        if mine:
            await tx.run("UPDATE stock_slot SET due_at = NULL WHERE id = %s AND doubt_until IS NULL", [slot.id])
        return mine

    exits.enter_context(patch.object(slots, "accepted", content))


def _last_telling_wins(exits: ExitStack) -> None:
    merge = decide.merge

    def newest_arrival(_known: Any, told: Any, seq: int, parts: Any) -> Any:
        return merge(None, told, seq, parts)

    exits.enter_context(patch.object(decide, "merge", newest_arrival))


def _kits_forgotten(exits: ExitStack) -> None:
    async def alone(_tx: Any, sku_ids: Any) -> set[Any]:
        return set(sku_ids)

    exits.enter_context(patch.object(kits, "with_kits_of", alone))


def _shortages_left(exits: ExitStack) -> None:
    for module in (availability, ledger, settle):
        if hasattr(module, "raised"):
            exits.enter_context(patch.object(module, "raised", _nothing))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A hub without one of its guards. `by`: the test that sees it, where the simulation does not."""

    name: str
    what: str
    apply: Callable[[ExitStack], None]
    by: str = ""


MUTANTS = (
    Mutant(name="told_twice", what="what an order holds is not looked up: a telling counts again", apply=_told_twice),
    Mutant(name="kits_forgotten", what="kits of what was sold are not computed", apply=_kits_forgotten),
    Mutant(name="shortages_left", what="what comes in is shown before it is given to who waits", apply=_shortages_left),
    Mutant(name="last_telling_wins", what="the telling that came last wins, however old", apply=_last_telling_wins),
    Mutant(name="change_swallowed", what="a change during a write counts as written", apply=_change_swallowed),
    Mutant(name="doubt_is_success", what="a write without an answer counts as done", apply=_doubt_is_success),
    Mutant(name="doubt_forgotten", what="a write without an answer is sent again at once", apply=_doubt_forgotten),
    Mutant(name="lease_left", what="a dead worker keeps what it held", apply=_lease_left),
    Mutant(name="own_sales_forgotten", what="what a channel took off its own shelf is ignored",
        apply=_own_sales_forgotten),
    Mutant(name="theirs_taken", what="what the marketplace fulfils takes the seller's units", apply=_theirs_taken),
    Mutant(name="buffer_ignored", what="units kept away from a channel are shown", apply=_buffer_ignored),
    Mutant(
        name="no_drain", what="no look at the newest orders before a write", apply=_no_drain,
        by="tests/flows/test_races.py::test_a_sale_nobody_told_us_of_is_seen_before_an_absolute_write",
    ),
    Mutant(
        name="no_locks", what="levels and slots are not locked", apply=_no_locks,
        by="tests/flows/test_kits.py",
    ),
)  # fmt: skip


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """The hub as that mutant."""
    with ExitStack() as exits:
        next(mutant for mutant in MUTANTS if mutant.name == name).apply(exits)
        yield


def hunt(mutant: Mutant, seeds: int, orders: int) -> tuple[int, str] | None:
    """The seed that notices a mutant, and how; None when none of them does."""
    for seed in range(1, seeds + 1):
        with mutated(mutant.name):
            problem = play(seed, Story(seed), orders).problem
        if problem:
            return seed, kind_of(problem) or ""
    return None


def seen_by(mutant: Mutant) -> bool:
    """Whether the test that is named beside a mutant fails with it, and holds without it."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", PLUGIN, mutant.by]

    def holds(name: str) -> bool:
        told = subprocess.run(
            command, cwd=Path(__file__).parents[2], env={**os.environ, ASKED: name}, capture_output=True, check=False
        )
        return told.returncode == 0

    return holds("") and not holds(mutant.name)


def main(argv: Sequence[str] | None = None) -> int:
    """Hunt the mutants asked for; 1 when one of them lives."""
    asked = argparse.ArgumentParser(prog="python -m tests.sim.mutants", description=__doc__)
    asked.add_argument("names", nargs="*", help="only these")
    asked.add_argument("--seeds", type=int, default=20)
    asked.add_argument("--orders", type=int, default=150)
    told = asked.parse_args(argv)
    alive = 0
    for mutant in MUTANTS:
        if told.names and mutant.name not in told.names:
            continue
        began = time.perf_counter()
        if found := hunt(mutant, 2 if mutant.by else told.seeds, told.orders):
            verdict = f"killed by seed {found[0]}: {found[1]}"
        elif mutant.by and seen_by(mutant):
            verdict = f"killed by {mutant.by}"
        else:
            verdict, alive = "ALIVE", alive + 1
        print(f"{mutant.name:20} {verdict}  ({time.perf_counter() - began:.0f} s; {mutant.what})", flush=True)
    return 1 if alive else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(  # noqa: S606 - the same program again
            sys.executable, [sys.executable, "-m", "tests.sim.mutants", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )  # fmt: skip
    raise SystemExit(main())

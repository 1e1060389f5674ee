"""What an order does to stock, as properties: cumulative, conserved, the same by every path."""

import copy
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.allocation import Line, Split
from hub.settlement import (
    SKEW,
    Have,
    Level,
    Levels,
    LineKey,
    Plan,
    Reckoning,
    Waiting,
    Want,
    fill,
    overdrawn,
    reckon,
    replaced,
    settle,
)

SKUS = tuple(UUID(int=n) for n in (1, 2, 3))
SHELVES = tuple(UUID(int=n) for n in (11, 12, 13))
LINES = ("a", "b")


# ── a shelf, and an order that lives on it ─────────────────────────────────────────────────────────────────────


@dataclass
class Kept:
    """What the store keeps of one order, as plain as can be."""

    levels: Levels
    reserved: dict[LineKey, dict[UUID, int]] = field(default_factory=lambda: defaultdict(dict))
    short: dict[LineKey, int] = field(default_factory=dict)
    moved: dict[tuple[str, LineKey, UUID], int] = field(default_factory=lambda: defaultdict(int))
    base: dict[LineKey, tuple[int, int]] = field(default_factory=dict)

    def haves(self) -> dict[LineKey, Have]:
        keys = {*self.reserved, *self.short, *self.base, *(key for _reason, key, _shelf in self.moved)}
        return {
            key: Have(
                reserved={shelf: n for shelf, n in self.reserved[key].items() if n},
                short=self.short.get(key, 0),
                dispatched=self._of("dispatch", key, -1),
                returned=self._of("return", key, 1),
                base_dispatched=self.base.get(key, (0, 0))[0],
                base_returned=self.base.get(key, (0, 0))[1],
            )
            for key in keys
        }

    def _of(self, reason: str, key: LineKey, sign: int) -> dict[UUID, int]:
        return {shelf: sign * n for (why, of, shelf), n in self.moved.items() if why == reason and of == key and n}

    def take(self, plan: Plan) -> None:
        for (line, sku, shelf), units in plan.reservations.items():
            self.reserved[line, sku][shelf] = units
        for key, units in plan.shortages.items():
            self.short[key] = units
        for move in plan.moves:
            self.moved[move.reason, (move.line_ref, move.sku_id), move.warehouse_id] += move.delta

    def settle(self, wants: Sequence[Want], shelves: Sequence[UUID] = SHELVES) -> Plan:
        plan = settle(wants, self.haves(), self.levels, shelves)
        self.take(plan)
        return plan

    def sums(self) -> dict[str, object]:
        """The state with the warehouses left out."""
        held: dict[LineKey, int] = {key: sum(by.values()) for key, by in self.reserved.items()}
        moved: dict[tuple[str, LineKey], int] = defaultdict(int)
        for (reason, key, _shelf), units in self.moved.items():
            moved[reason, key] += units
        on_hand: dict[UUID, int] = defaultdict(int)
        reserved: dict[UUID, int] = defaultdict(int)
        for (sku, _shelf), level in self.levels.items():
            on_hand[sku] += level.on_hand
            reserved[sku] += level.reserved
        return {
            name: {key: n for key, n in each.items() if n}
            for name, each in (
                ("held", held), ("short", self.short), ("moved", moved), ("on_hand", on_hand), ("reserved", reserved),
            )
        }  # fmt: skip


_level = st.builds(lambda held, free: Level(held + free, held), st.integers(0, 4), st.integers(0, 8))


@st.composite
def _levels(draw: st.DrawFn) -> Levels:
    keys = [(sku, shelf) for sku in SKUS for shelf in SHELVES]
    return {key: draw(_level) for key in keys if draw(st.booleans())}


@st.composite
def _want(draw: st.DrawFn, line: str) -> Want:
    sold = draw(st.integers(0, 6))
    gone = draw(st.integers(0, sold))
    return Want(
        line_ref=line,
        sku_id=draw(st.sampled_from(SKUS)),
        reserve=draw(st.integers(0, sold - gone)),
        dispatched=gone,
        returned=draw(st.integers(0, gone)),
    )


@st.composite
def _wants(draw: st.DrawFn) -> list[Want]:
    found = [draw(_want(line)) for line in LINES if draw(st.booleans())]
    # A kit: one line, several components.
    kit = [draw(_want("kit")) for _ in range(draw(st.integers(0, 2)))]
    return [*found, *{want.sku_id: want for want in kit}.values()]


_path = st.lists(_wants(), min_size=1, max_size=6)


# ── settle ─────────────────────────────────────────────────────────────────────────────────────────────────────


@given(_levels(), _path)
def test_settling_again_changes_nothing(levels, path):
    kept = Kept(levels)
    for wants in path:
        kept.settle(wants)
        # What came free within one order is taken by another line of it, or by whoever waits: once, not twice.
        before = kept.sums()
        plan = kept.settle(wants)
        assert not plan.moves
        assert not plan.freed
        assert kept.sums()["on_hand"] == before["on_hand"]


@given(_levels(), _path)
def test_settled_and_settled_again_writes_nothing_at_all(levels, path):
    kept = Kept(levels)
    for wants in path:
        kept.settle(wants)
    assert not kept.settle(path[-1])


@given(_levels(), _path)
def test_reserved_is_never_negative_and_never_promises_what_is_not_there(levels, path):
    kept = Kept(levels)
    for wants in path:
        before = copy.deepcopy(kept.levels)
        kept.settle(wants)
        for key, level in kept.levels.items():
            was = before.get(key, Level(0, 0))
            assert level.reserved >= 0
            if level.reserved > was.reserved:  # whatever it takes is there
                assert level.reserved <= level.on_hand


@given(_levels(), _path)
def test_units_are_conserved(levels, path):
    kept = Kept(levels)
    for wants in path:
        before, held = copy.deepcopy(kept.levels), copy.deepcopy(kept.reserved)
        plan = kept.settle(wants)
        for key in kept.levels:
            was, now = before.get(key, Level(0, 0)), kept.levels[key]
            moved = sum(m.delta for m in plan.moves if (m.sku_id, m.warehouse_id) == key)
            assert now.on_hand - was.on_hand == moved
            changes = (
                kept.reserved[line].get(key[1], 0) - held.get(line, {}).get(key[1], 0)
                for line in {*kept.reserved}
                if line[1] == key[0]
            )
            assert now.reserved - was.reserved == sum(changes)


@given(_levels(), _path)
def test_every_path_ends_where_the_direct_way_does(levels, path):
    direct = Kept(copy.deepcopy(levels))
    direct.settle(path[-1])
    roundabout = Kept(copy.deepcopy(levels))
    for wants in path:
        roundabout.settle(wants)
    there, here = roundabout.sums(), direct.sums()
    assert there["moved"] == here["moved"]
    assert there["on_hand"] == here["on_hand"]
    # Where units went out without having been held, shelves differ, and with them what is left to hold.
    assert _owed(roundabout) == _owed(direct)


@given(_levels(), _path)
def test_with_plenty_the_paths_end_in_the_same_state_but_for_the_warehouse(levels, path):
    plenty = {
        (sku, shelf): Level(1000, levels.get((sku, shelf), Level(0, 0)).reserved) for sku in SKUS for shelf in SHELVES
    }
    direct, roundabout = Kept(copy.deepcopy(plenty)), Kept(copy.deepcopy(plenty))
    direct.settle(path[-1])
    for wants in path:
        roundabout.settle(wants)
    assert roundabout.sums() == direct.sums()


def _owed(kept: Kept) -> dict[LineKey, int]:
    keys = {*kept.reserved, *kept.short}
    owed = {key: sum(kept.reserved[key].values()) + kept.short.get(key, 0) for key in keys}
    return {key: units for key, units in owed.items() if units}


@given(_levels(), _path)
def test_held_and_short_are_what_is_wanted(levels, path):
    kept = Kept(levels)
    for wants in path:
        kept.settle(wants)
        assert _owed(kept) == {(w.line_ref, w.sku_id): w.reserve for w in wants if w.reserve}


@given(_levels(), _path)
def test_moved_is_what_was_dispatched_and_came_back(levels, path):
    kept = Kept(levels)
    for wants in path:
        kept.settle(wants)
        told = {("dispatch", (w.line_ref, w.sku_id)): -w.dispatched for w in wants if w.dispatched}
        told |= {("return", (w.line_ref, w.sku_id)): w.returned for w in wants if w.returned}
        assert kept.sums()["moved"] == told


@given(_levels(), _wants(), st.data())
def test_what_left_before_the_opening_never_moves_stock(levels, wants, data):
    kept = Kept(levels)
    for want in wants:
        out = data.draw(st.integers(0, want.dispatched))
        kept.base[want.line_ref, want.sku_id] = (out, data.draw(st.integers(0, min(out, want.returned))))
    plan = kept.settle(wants)
    told = sum(m.delta for m in plan.moves)
    out = sum(base[0] for base in kept.base.values())
    back = sum(base[1] for base in kept.base.values())
    assert told == sum(w.returned - w.dispatched for w in wants) + out - back


def _one(line: str, units: int, *, dispatched: int = 0, returned: int = 0) -> Want:
    return Want(line_ref=line, sku_id=SKUS[0], reserve=units, dispatched=dispatched, returned=returned)


def test_an_edit_that_moves_units_between_lines_needs_no_spare_unit():
    kept = Kept({(SKUS[0], SHELVES[0]): Level(3, 0)})
    kept.settle([_one("a", 0), _one("b", 3)])
    plan = kept.settle([_one("a", 3), _one("b", 0)])
    assert kept.sums()["held"] == {("a", SKUS[0]): 3}
    assert not any(plan.shortages.values())


def test_units_leave_from_where_they_were_held():
    kept = Kept({(SKUS[0], SHELVES[0]): Level(1, 0), (SKUS[0], SHELVES[1]): Level(5, 0)})
    kept.settle([_one("a", 3)])
    plan = kept.settle([_one("a", 0, dispatched=3)])
    assert [(m.warehouse_id, m.delta) for m in plan.moves] == [(SHELVES[1], -3)]
    assert not plan.freed


def test_a_line_relinked_after_it_left_puts_the_wrong_component_back():
    kept = Kept({(sku, SHELVES[0]): Level(5, 0) for sku in SKUS})
    kept.settle([_one("a", 0, dispatched=2)])
    plan = kept.settle([Want(line_ref="a", sku_id=SKUS[1], reserve=0, dispatched=2, returned=0)])
    assert {m.sku_id: m.delta for m in plan.moves} == {SKUS[0]: 2, SKUS[1]: -2}
    assert plan.freed == {SKUS[0]}


def test_what_comes_back_goes_to_the_shelf_it_left():
    kept = Kept({(SKUS[0], SHELVES[2]): Level(2, 0)})
    kept.settle([_one("a", 0, dispatched=2)])
    plan = kept.settle([_one("a", 0, dispatched=2, returned=1)])
    assert [(m.reason, m.warehouse_id, m.delta) for m in plan.moves] == [("return", SHELVES[2], 1)]
    assert plan.freed == {SKUS[0]}


def test_fewer_units_let_go_of_the_worst_shelf_first_and_of_no_more_than_that():
    kept = Kept({(SKUS[0], SHELVES[0]): Level(2, 0), (SKUS[0], SHELVES[1]): Level(2, 0)})
    kept.settle([_one("a", 4)])
    kept.levels[SKUS[0], SHELVES[2]] = Level(9, 0)
    plan = kept.settle([_one("a", 3)])
    assert plan.reservations == {("a", SKUS[0], SHELVES[1]): 1}
    assert plan.freed == {SKUS[0]}
    assert not plan.moves


def test_what_left_from_two_shelves_goes_back_to_both():
    kept = Kept({(SKUS[0], SHELVES[0]): Level(2, 0), (SKUS[0], SHELVES[1]): Level(2, 0)})
    kept.settle([_one("a", 4)])
    kept.settle([_one("a", 0, dispatched=4)])
    plan = kept.settle([_one("a", 0, dispatched=1)])
    assert [(m.warehouse_id, m.delta) for m in plan.moves] == [(SHELVES[0], 2), (SHELVES[1], 1)]


@given(_levels(), _path, st.sampled_from(Split))
def test_placed_anew_no_more_is_short_than_where_it_stood(levels, path, split):
    kept = Kept(levels)
    for wants in path:
        kept.settle(wants)
    again = [replace(want, split=split) for want in path[-1]]
    stays = Kept(copy.deepcopy(kept.levels), copy.deepcopy(kept.reserved), dict(kept.short), dict(kept.moved))
    settled = settle(again, stays.haves(), stays.levels, SHELVES[::-1])
    stays.take(settled)
    kept.take(replaced(again, kept.haves(), kept.levels, SHELVES[::-1]))
    assert sum(kept.short.values()) <= sum(stays.short.values())
    assert _owed(kept) == _owed(stays)
    held = {
        key: sum(kept.reserved[line].get(key[1], 0) for line in kept.reserved if line[1] == key[0]) for key in levels
    }
    assert all(held[key] <= level.reserved for key, level in kept.levels.items() if key in held)


def test_placed_anew_it_goes_where_it_would_go_now_unless_less_of_it_is_there():
    kept = Kept({(SKUS[0], SHELVES[0]): Level(1, 0), (SKUS[0], SHELVES[1]): Level(2, 0)})
    kept.settle([_one("a", 2)])
    there = replaced([_one("a", 2)], kept.haves(), kept.levels, SHELVES)
    assert not any(there.shortages.values())
    kept = Kept({(SKUS[0], SHELVES[0]): Level(1, 0), (SKUS[0], SHELVES[1]): Level(1, 0)})
    kept.settle([_one("a", 2)])
    whole = [replace(_one("a", 2), split=Split.ORDER)]  # said since: one of two would be short
    assert not replaced(whole, kept.haves(), kept.levels, SHELVES)
    kept = Kept({(SKUS[0], SHELVES[0]): Level(2, 0), (SKUS[0], SHELVES[1]): Level(2, 0)})
    kept.settle([_one("a", 2)])
    moved = replaced([_one("a", 2)], kept.haves(), kept.levels, SHELVES[1:])
    assert moved.reservations == {("a", SKUS[0], SHELVES[0]): 0, ("a", SKUS[0], SHELVES[1]): 2}
    assert kept.levels[SKUS[0], SHELVES[0]].reserved == 0
    assert kept.levels[SKUS[0], SHELVES[1]].reserved == 2


def test_without_a_warehouse_everything_is_short():
    kept = Kept({})
    kept.settle([_one("a", 2)], shelves=())
    assert kept.short == {("a", SKUS[0]): 2}


# ── fill, overdrawn ────────────────────────────────────────────────────────────────────────────────────


@st.composite
def _waiting(draw: st.DrawFn, number: int) -> Waiting:
    missing = {sku: draw(st.integers(1, 5)) for sku in draw(st.lists(st.sampled_from(SKUS), min_size=1, unique=True))}
    lines = tuple(Line(ref=str(sku), each={sku: 1}, missing={sku: units}) for sku, units in missing.items())
    shelves = draw(st.permutations(SHELVES).map(tuple) | st.just(SHELVES[:1]))
    return Waiting(order_id=UUID(int=number), lines=lines, warehouses=shelves)


_queue = st.tuples(*(_waiting(100 + n) for n in range(4))).map(list) | st.lists(_waiting(99), max_size=1)


@given(_levels(), _queue)
def test_who_comes_first_is_filled_first(levels, queue):
    free = {key: level.free for key, level in levels.items()}
    filled = fill(queue, levels)
    told = iter(filled)
    for waiting in queue:  # each takes all it can before the next one is asked
        lacks = {line.ref: units for line in waiting.lines for units in line.missing.values()}
        could = {
            line.ref: min(lacks[line.ref], sum(free.get((sku, shelf), 0) for shelf in waiting.warehouses))
            for line in waiting.lines
            for sku in line.each
        }
        took = dict.fromkeys(could, 0)
        while took != could:
            who, take = next(told)
            assert who == waiting.order_id
            assert take.warehouse_id in waiting.warehouses
            free[take.sku_id, take.warehouse_id] -= take.units
            took[take.line_ref] += take.units
    assert next(told, None) is None
    assert all(units >= 0 for units in free.values())
    assert {key: level.free for key, level in levels.items()} == free


@given(st.integers(-3, 6), st.integers(0, 6))
def test_overdrawn_is_what_is_promised_and_not_there(on_hand, reserved):
    key = (SKUS[0], SHELVES[0])
    found = overdrawn({key: Level(on_hand, reserved)})
    lacking = reserved - max(0, on_hand)
    assert found == ({key: lacking} if lacking > 0 else {})


# ── reckon ─────────────────────────────────────────────────────────────────────────────────────────────────────

SENT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ANSWERED = SENT + timedelta(seconds=1)
EARLY = SENT - SKEW - timedelta(milliseconds=1)
LATE = ANSWERED + SKEW + timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("since", "until", "sent", "answered", "verdict"),
    [
        (EARLY, EARLY, None, None, Reckoning.APPLIES),  # never written nor read
        (None, None, None, None, Reckoning.APPLIES),
        (None, None, SENT, ANSWERED, Reckoning.UNDECIDABLE),  # nobody knows when
        (None, LATE, SENT, ANSWERED, Reckoning.UNDECIDABLE),
        (EARLY, None, SENT, ANSWERED, Reckoning.UNDECIDABLE),
        (EARLY, EARLY, SENT, ANSWERED, Reckoning.OVERWRITTEN),
        (EARLY, EARLY, SENT, None, Reckoning.OVERWRITTEN),  # whether it lands or not: it is read back anyway
        (SENT - SKEW, SENT - SKEW, SENT, ANSWERED, Reckoning.UNDECIDABLE),
        (SENT, SENT, SENT, ANSWERED, Reckoning.UNDECIDABLE),
        (ANSWERED + SKEW, LATE, SENT, ANSWERED, Reckoning.UNDECIDABLE),
        (LATE, LATE, SENT, ANSWERED, Reckoning.APPLIES),
        (LATE, LATE, SENT, None, Reckoning.UNDECIDABLE),  # under way, or in doubt
        (LATE, LATE, SENT, SENT - SKEW, Reckoning.UNDECIDABLE),  # answered is of the write before
        (EARLY, LATE, SENT, ANSWERED, Reckoning.UNDECIDABLE),  # a write in the midst of what is told as one sum
        (EARLY, SENT, SENT, ANSWERED, Reckoning.UNDECIDABLE),
    ],
)
def test_a_sale_beside_a_write(since, until, sent, answered, verdict):
    assert reckon(since, until, sent, answered) is verdict


_seconds = st.integers(-10, 10).map(lambda n: SENT + timedelta(seconds=n))


@given(_seconds, _seconds, st.integers(0, 5), st.integers(0, 3))
def test_the_verdict_is_certain_only_outside_the_window(since, until, took, skew):
    since, until = min(since, until), max(since, until)
    answered, slack = SENT + timedelta(seconds=took), timedelta(seconds=skew)
    verdict = reckon(since, until, SENT, answered, skew=slack)
    assert (verdict is Reckoning.OVERWRITTEN) == (until < SENT - slack)
    assert (verdict is Reckoning.APPLIES) == (since > answered + slack)

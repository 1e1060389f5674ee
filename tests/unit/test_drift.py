"""Why a channel shows another number: the class of every look that there can be, and what follows from it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from hub.drift import (
    GRACE,
    POLICIES,
    Action,
    Drift,
    Episode,
    Finding,
    Hold,
    Look,
    Policy,
    Push,
    State,
    act,
    classify,
    hold_of,
    is_many,
    look_again_at,
    names_another,
    policies_of,
    policy_of,
)
from hub.model import ListingStatus, ManagedBy

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
EVEN = Look(status=ListingStatus.ACTIVE, managed_by=ManagedBy.SELLER, seen=10, expected=10, desired=10)
OTHER = UUID(int=7)
PUSHED = Push(quantity=10, previous=14, outcome="accepted", answered_at=NOW - timedelta(hours=1))


def look(**changed: object) -> Look:
    return replace(EVEN, **changed)  # type: ignore[arg-type] # the names of a Look's fields


def known(class_: Drift, seen: int, *, state: State = State.WAITING, age: timedelta = GRACE, expected: int = 10):
    return Episode(
        class_=class_, state=state, seen=seen, expected=expected, desired=10, first_seen_at=NOW - age
    )  # fmt: skip


def found(at: Look) -> tuple[str, str | None, str] | None:
    finding = classify(at, NOW)
    return (str(finding.class_), finding.direction, finding.why) if finding else None


CASES = {
    "as reckoned": (look(), None),
    "as reckoned, and another number is on its way": (look(desired=7), None),
    "as it should be, whatever we reckoned": (look(seen=7, desired=7), None),
    "never counted": (look(seen=3, desired=None), None),
    "not linked": (look(seen=3, linked=False), None),
    "first seen": (look(expected=None), None),
    "kept by the channel": (
        look(managed_by=ManagedBy.MARKETPLACE, seen=3),
        ("fulfilled_by_marketplace", None, "managed_by"),
    ),
    "closed there": (look(status=ListingStatus.CLOSED, seen=0), ("gone", None, "closed")),
    "not counted there": (look(seen=None), ("unmanaged", None, "no_number")),
    "paused at nought": (look(status=ListingStatus.PAUSED, seen=0), ("paused", "down", "not_on_sale")),
    "paused and even": (look(status=ListingStatus.PAUSED), None),
    "a write whose answer was lost": (
        look(seen=12, doubtful=True, unanswered=True),
        ("in_doubt", "up", "answer_was_lost"),
    ),
    "a sale while a write was under way": (look(seen=12, doubtful=True), None),
    "more than ours": (look(seen=12), ("external_edit", "up", "more_than_ours")),
    "more, and an order was edited back and forth": (
        look(seen=12, orders_moved=True),
        ("external_edit", "up", "orders_moved"),
    ),
    "what was there before the last push": (look(seen=14, push=PUSHED), ("lost_push", "up", "as_before_the_push")),
    "the same, lower": (
        look(seen=6, push=replace(PUSHED, previous=6)),
        ("lost_push", "down", "as_before_the_push"),
    ),
    "the same, with a sale since": (
        look(seen=12, expected=8, desired=8, push=PUSHED),
        ("lost_push", "up", "as_before_the_push"),
    ),
    "a push that was read there since": (
        look(seen=14, push=PUSHED, seen_at=NOW),
        ("external_edit", "up", "more_than_ours"),
    ),
    "a push that was refused": (
        look(seen=14, push=replace(PUSHED, outcome="fault")),
        ("external_edit", "up", "more_than_ours"),
    ),
    "a push from nobody knows what": (
        look(seen=14, push=replace(PUSHED, previous=None)),
        ("external_edit", "up", "more_than_ours"),
    ),
    "fewer, and no order was asked for": (look(seen=9), ("unknown_sale", "down", "orders_not_asked")),
    "fewer, and no order came yet": (look(seen=9, orders_read=True), ("unknown_sale", "down", "fresh")),
    "fewer, and an order cannot be read": (
        look(seen=9, expected=9, orders_read=True, unread=True, episode=known(Drift.UNKNOWN_SALE, 9)),
        ("unknown_sale", "down", "orders_unread"),
    ),
    "fewer, for a moment": (
        look(seen=9, expected=9, orders_read=True, episode=known(Drift.UNKNOWN_SALE, 9, age=GRACE / 2)),
        ("unknown_sale", "down", "fresh"),
    ),
    "fewer, and no order came": (
        look(seen=9, expected=9, orders_read=True, episode=known(Drift.UNKNOWN_SALE, 9)),
        ("external_edit", "down", "no_order_came"),
    ),
    "fewer, no order came, one moved": (
        look(seen=9, expected=9, orders_read=True, orders_moved=True, episode=known(Drift.UNKNOWN_SALE, 9)),
        ("external_edit", "down", "orders_moved"),
    ),
    "fewer, and its order came": (
        look(seen=9, expected=9, desired=9, orders_read=True, episode=known(Drift.UNKNOWN_SALE, 9)),
        None,
    ),
    "an edit that waits for an answer": (
        look(seen=3, expected=3, episode=known(Drift.EXTERNAL_EDIT, 3, state=State.PROPOSED)),
        ("external_edit", "down", "seen_again"),
    ),
    "an edit that waits while the channel sells on": (
        look(seen=2, expected=2, desired=9, episode=known(Drift.EXTERNAL_EDIT, 3, state=State.PROPOSED)),
        ("external_edit", "down", "seen_again"),
    ),
    "an edit that was put right": (look(episode=known(Drift.EXTERNAL_EDIT, 3, state=State.REPAIRING)), None),
    "another edit upon the first": (
        look(seen=15, expected=3, episode=known(Drift.EXTERNAL_EDIT, 3)),
        ("external_edit", "up", "more_than_ours"),
    ),
}


@pytest.mark.parametrize(("at", "told"), CASES.values(), ids=CASES)
def test_every_look_has_its_class(at: Look, told: tuple[str, str | None, str] | None):
    assert found(at) == told


def test_every_class_is_found_by_a_case():
    classes = {told[0] for _look, told in CASES.values() if told} | {"wrong_link"}
    assert classes == set(Drift)


def test_a_lasting_difference_keeps_what_it_was_measured_against():
    finding = classify(look(seen=2, expected=2, episode=known(Drift.EXTERNAL_EDIT, 3)), NOW)
    assert finding
    assert finding.expected == 9, "seven fewer than there should be, one sold since"


def test_a_listing_that_names_another_sku_is_told_beside_its_number():
    assert names_another(look()) is None
    assert names_another(look(suggested=OTHER, linked=False)) is None
    finding = names_another(look(suggested=OTHER))
    assert finding
    assert finding.class_ is Drift.WRONG_LINK


# ── What follows ────────────────────────────────────────────────────────────────────────────────────────────


def finding(class_: Drift, direction: str | None = "down") -> Finding:
    return Finding(class_=class_, direction=direction, expected=10, why="")


DEFAULTS = {
    "lost_push": Policy.REPAIR, "external_edit_up": Policy.REPAIR, "external_edit_down": Policy.REPAIR,
    "wrong_link": Policy.PROPOSE, "unmanaged": Policy.PROPOSE, "paused": Policy.IGNORE, "gone": Policy.IGNORE,
}  # fmt: skip


def test_the_defaults():
    assert policies_of({}) == DEFAULTS


@pytest.mark.parametrize("name", POLICIES)
def test_what_is_set_holds_and_what_cannot_be_set_does_not(name: str):
    class_, _, direction = name.rpartition("_")
    at = finding(Drift(class_), direction) if class_ == "external_edit" else finding(Drift(name))
    for policy in Policy:
        allowed = policy in POLICIES[name]
        assert policy_of(at, {"drift": {name: policy.value}}) is (policy if allowed else POLICIES[name][0])
        assert policies_of({"drift": {name: policy.value}})[name] is (policy if allowed else POLICIES[name][0])
    assert policy_of(at, {"drift": "all"}) is POLICIES[name][0]


ACTIONS = [
    (Drift.EXTERNAL_EDIT, Policy.REPAIR, Action(State.REPAIRING, None)),
    (Drift.EXTERNAL_EDIT, Policy.PROPOSE, Action(State.PROPOSED, Hold.ASKED)),
    (Drift.EXTERNAL_EDIT, Policy.IGNORE, Action(State.NOTED, Hold.LEFT)),
    (Drift.LOST_PUSH, Policy.REPAIR, Action(State.REPAIRING, None)),
    (Drift.UNKNOWN_SALE, Policy.IGNORE, Action(State.WAITING, Hold.ASKED)),
    (Drift.IN_DOUBT, Policy.IGNORE, Action(State.REPAIRING, None)),
    (Drift.PAUSED, Policy.IGNORE, Action(State.NOTED, Hold.LEFT)),
    (Drift.WRONG_LINK, Policy.PROPOSE, Action(State.PROPOSED, Hold.ASKED)),
    (Drift.WRONG_LINK, Policy.IGNORE, Action(State.NOTED, None)),
    (Drift.GONE, Policy.PROPOSE, Action(State.PROPOSED, None)),
    (Drift.UNMANAGED, Policy.PROPOSE, Action(State.PROPOSED, None)),
    (Drift.FULFILLED_BY_MARKETPLACE, Policy.IGNORE, Action(State.NOTED, None)),
]


@pytest.mark.parametrize(("class_", "policy", "told"), ACTIONS)
def test_what_follows(class_: Drift, policy: Policy, told: Action):
    assert act(finding(class_), look(seen=3), policy, writes=True) == told
    assert act(finding(class_), look(seen=3), policy, writes=False) == Action(State.NOTED, None), "a preview"


def test_what_a_person_dismissed_is_left_until_it_is_another_difference():
    dismissed = known(Drift.EXTERNAL_EDIT, 3, state=State.DISMISSED)
    edit = finding(Drift.EXTERNAL_EDIT)
    left = act(edit, look(seen=3, expected=3, episode=dismissed), Policy.PROPOSE, writes=True)
    assert left == Action(State.DISMISSED, Hold.LEFT)
    for changed in ({"seen": 2}, {"desired": 9}):
        at = look(**{"seen": 3, "expected": 3, "episode": dismissed, **changed})
        assert act(edit, at, Policy.PROPOSE, writes=True).state is State.PROPOSED


def test_a_dismissed_name_is_left_whatever_the_number_does():
    dismissed = replace(known(Drift.WRONG_LINK, 3, state=State.DISMISSED), suggested=OTHER)
    named = finding(Drift.WRONG_LINK)
    at = look(seen=9, suggested=OTHER, link_episode=dismissed)
    assert act(named, at, Policy.PROPOSE, writes=True) == Action(State.DISMISSED, None)
    assert act(named, replace(at, suggested=UUID(int=8)), Policy.PROPOSE, writes=True).state is State.PROPOSED


def test_the_stricter_hold_counts():
    assert hold_of([]) is None
    assert hold_of([Action(State.REPAIRING, None), Action(State.NOTED, Hold.LEFT)]) is Hold.LEFT
    assert hold_of([Action(State.NOTED, Hold.LEFT), Action(State.PROPOSED, Hold.ASKED)]) is Hold.ASKED


def test_a_loss_is_looked_at_again_later_and_later():
    assert look_again_at(NOW, NOW) == NOW + GRACE
    assert look_again_at(NOW - timedelta(hours=1), NOW) == NOW + timedelta(hours=1)


def test_many_is_many_among_few_and_among_many():
    assert not is_many(19, 100)
    assert is_many(20, 100)
    assert not is_many(20, 100_000)
    assert is_many(2_000, 100_000)

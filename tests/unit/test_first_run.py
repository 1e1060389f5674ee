"""Where a seller stands on the way to the first order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hub.first_run import Facts, State, is_over, is_shown, next_of, steps

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
NOTHING = Facts(
    channels=0, channel=None, reading=False, listings=0, linked=0, skus=0, opened=0, approved=0, order_id=None,
    order_number=None, order_at=None, carriers=0, people=1, put_away=False,
)  # fmt: skip
ONE = UUID(int=1)


def states(facts: Facts) -> dict[str, State]:
    return {step.name: step.state for step in steps(facts)}


def test_each_step_waits_for_what_it_needs_and_ends_with_what_is_there() -> None:
    told, facts = [], NOTHING
    for change in (
        {},
        {"channels": 1, "channel": ONE, "reading": True},
        {"listings": 3},
        {"reading": False, "linked": 2, "skus": 2},
        {"linked": 3, "opened": 1},
        {"opened": 2},
        {"approved": 1},
        {"order_id": ONE, "order_at": NOW},
    ):
        facts = replace(facts, **change)
        told.append(next_of(steps(facts)))
    assert told == ["channel", "listings", "listings", "listings", "stock", "preview", "order", None]
    assert set(states(facts).values()) == {State.DONE}
    assert states(NOTHING) == {"user": "done", "channel": "todo"} | dict.fromkeys(
        ("listings", "stock", "preview", "order"), "waits"
    )
    assert states(replace(facts, linked=2))["listings"] is State.BEGUN, "a step that is undone is not done"


def test_it_is_shown_until_put_away_or_a_day_after_the_end() -> None:
    over = replace(
        NOTHING, channels=1, channel=ONE, listings=9, linked=8, skus=8, opened=5, approved=1, order_id=ONE, order_at=NOW
    )
    assert is_over(steps(over)), "what is left over of listings and stock holds nobody up"
    assert not is_over(steps(replace(over, approved=0)))
    assert is_shown(over, steps(over), NOW + timedelta(hours=23))
    assert not is_shown(over, steps(over), NOW + timedelta(hours=25))
    assert is_shown(NOTHING, steps(NOTHING), NOW + timedelta(days=99))
    assert not is_shown(replace(NOTHING, put_away=True), steps(NOTHING), NOW)

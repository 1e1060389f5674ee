"""The way from a first user to a first order: where a seller stands on it, from what is really there. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

MOST = 20_000  # listings and SKUs that are counted; what is beyond is "more than"
SHOWN_AFTERWARDS = timedelta(hours=24)


class State(StrEnum):
    """How far a step is."""

    WAITS = "waits"  # for a step before it
    TODO = "todo"
    BEGUN = "begun"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a seller's own rows tell. Counts stop at MOST + 1.

    `channel` is the selling account to go on with: one in preview before one that is live; accounts that never were
    connected are not counted, `unanswered` is one of these. `stock` and `linked` count
    SKUs that are no kits and listings that the seller fulfils.
    """

    channels: int
    channel: UUID | None
    reading: bool  # a selling account whose orders or listings were not read to their end once
    listings: int
    linked: int
    skus: int
    opened: int
    approved: int
    order_id: UUID | None
    order_number: str | None
    order_at: datetime | None
    carriers: int
    people: int
    put_away: bool
    untimed: UUID | None = None  # an account whose open orders have no ship-by, and that no rule gives them one
    unanswered: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: its name and how far it is; `done` of `all` where that can be counted."""

    name: str
    state: State
    done: int | None = None
    all: int | None = None


def steps(facts: Facts) -> tuple[Step, ...]:
    """The steps in their order. Each one is told by what is there, never by a note that it was done."""
    return (
        Step(name="user", state=State.DONE),
        Step(name="channel", state=State.DONE if facts.channels else State.BEGUN if facts.unanswered else State.TODO),
        _counted("listings", facts.linked, facts.listings, after=facts.channels > 0, whole=not facts.reading),
        _counted("stock", facts.opened, facts.skus, after=facts.linked > 0, whole=facts.linked > 0),
        _after("preview", done=facts.approved > 0, after=facts.opened > 0 and facts.channels > 0),
        _after("order", done=facts.order_id is not None, after=facts.channels > 0),
    )


def _counted(name: str, done: int, every: int, *, after: bool, whole: bool) -> Step:
    if not after:
        return Step(name=name, state=State.WAITS)
    begun = State.BEGUN if done or every else State.TODO
    state = State.DONE if every and done == every and whole else begun
    return Step(name=name, state=state, done=done, all=every)


def _after(name: str, *, done: bool, after: bool) -> Step:
    return Step(name=name, state=State.DONE if done else State.TODO if after else State.WAITS)


def next_of(some: Sequence[Step]) -> str | None:
    """The step to do now: the first that is neither done nor waits for another; None when none is left."""
    return next((step.name for step in some if step.state in (State.TODO, State.BEGUN)), None)


def is_over(some: Sequence[Step]) -> bool:
    """Whether the first run has come to its end: a channel approved and an order in, with some stock behind it."""
    least = {"listings": (State.BEGUN, State.DONE), "stock": (State.BEGUN, State.DONE)}
    return all(step.state in least.get(step.name, (State.DONE,)) for step in some)


def is_shown(facts: Facts, some: Sequence[Step], now: datetime) -> bool:
    """Whether the Painel shows the steps: until they are put away, or a day after the end."""
    if facts.put_away:
        return False
    return not is_over(some) or facts.order_at is None or now - facts.order_at < SHOWN_AFTERWARDS

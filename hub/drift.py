"""What a channel shows against what the hub reckons. Pure: why they differ, what is done about it, what it is called.

A look at a slot is classed with the evidence there is for it; an unclear loss is waited for, never guessed: raising a
number a few minutes late costs little, putting a sold unit back costs a sale that cannot be kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from hub.model import ListingStatus, ManagedBy

GRACE = timedelta(minutes=2)  # marketplaces take a unit off the shelf before they tell its order
SKEW = timedelta(seconds=2)  # channel clocks tell whole seconds
MANY = 20  # differences of one account at once that are worth an alert,
MANY_SHARE = 0.02  # where they are also this share of its listings


class Drift(StrEnum):
    """Why a slot shows another number, or is another thing, than the hub reckons."""

    EXTERNAL_EDIT = "external_edit"  # somebody else wrote it
    LOST_PUSH = "lost_push"  # the channel took our last write and still shows what was there before
    UNKNOWN_SALE = "unknown_sale"  # lower, and an order that is not read yet may be why
    WRONG_LINK = "wrong_link"  # the listing names another SKU than the one it is linked to
    FULFILLED_BY_MARKETPLACE = "fulfilled_by_marketplace"  # the channel keeps this stock itself now
    PAUSED = "paused"  # not on sale: its number sells nothing
    GONE = "gone"  # the channel does not have it any more
    UNMANAGED = "unmanaged"  # the channel does not count this listing's stock any more
    IN_DOUBT = "in_doubt"  # nobody knew what became of a write of ours: now it is read


class Policy(StrEnum):
    """What is done about a difference."""

    REPAIR = "repair"
    PROPOSE = "propose"
    IGNORE = "ignore"


class State(StrEnum):
    """How an episode stands."""

    WAITING = "waiting"  # looked at again soon
    REPAIRING = "repairing"  # the number falls due for a push
    PROPOSED = "proposed"  # a person decides
    DISMISSED = "dismissed"  # a person said to leave it
    NOTED = "noted"  # kept, nothing is done
    CLOSED = "closed"  # it went away


class Hold(StrEnum):
    """What is kept from being written to a slot while its difference is open."""

    ASKED = "asked"  # only a new and lower number goes out
    LEFT = "left"  # any new number goes out


# What can be set per account (settings: {"drift": {name: policy}}): the default first.
POLICIES: Mapping[str, tuple[Policy, ...]] = {
    "lost_push": (Policy.REPAIR, Policy.PROPOSE, Policy.IGNORE),
    "external_edit_up": (Policy.REPAIR, Policy.PROPOSE, Policy.IGNORE),  # it would oversell
    "external_edit_down": (Policy.REPAIR, Policy.PROPOSE, Policy.IGNORE),
    "wrong_link": (Policy.PROPOSE, Policy.IGNORE),
    "unmanaged": (Policy.PROPOSE, Policy.IGNORE),
    "paused": (Policy.IGNORE, Policy.PROPOSE, Policy.REPAIR),
    "gone": (Policy.IGNORE, Policy.PROPOSE),
}
NUMBERS = frozenset({Drift.EXTERNAL_EDIT, Drift.LOST_PUSH, Drift.UNKNOWN_SALE, Drift.PAUSED})
ACTIONABLE = frozenset({Drift.EXTERNAL_EDIT, Drift.LOST_PUSH, Drift.PAUSED, Drift.WRONG_LINK})  # accepting does a thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """The last write to a slot that the channel answered."""

    quantity: int
    previous: int | None  # what we reckoned it showed before
    outcome: str
    answered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """An open difference of a slot, as it was last seen."""

    class_: Drift
    state: State
    seen: int | None
    expected: int | None
    desired: int | None
    first_seen_at: datetime
    suggested: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One reading of one listing, and what is known about its slot.

    `orders_read`: the account's orders were asked for after this reading. `unread`: an order notice came since the
    last write that is not worked off, or cannot be read. `suggested`: the SKU that the listing names, where its link
    is another's and no person made that link for this very name. `orders_moved`: an order of this listing changed
    since the last write. `episode`: what is open about its number; `link_episode`: about its link.
    """

    status: ListingStatus
    managed_by: ManagedBy
    seen: int | None
    expected: int | None
    desired: int | None
    doubtful: bool = False  # what we reckoned with was not certain: this reading is
    unanswered: bool = False  # because a write's answer was lost
    linked: bool = True
    suggested: UUID | None = None
    seen_at: datetime | None = None
    synced_from: datetime | None = None
    push: Push | None = None
    episode: Episode | None = None
    link_episode: Episode | None = None
    orders_read: bool = False
    unread: bool = False
    orders_moved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A difference: its class, which way the shown number is off, and why it was classed so."""

    class_: Drift
    direction: str | None  # up: shows more than it should; down: less
    expected: int | None
    why: str

    @property
    def policy_name(self) -> str:
        """The key in POLICIES."""
        return f"{self.class_}_{self.direction}" if self.class_ is Drift.EXTERNAL_EDIT else str(self.class_)


def classify(look: Look, now: datetime) -> Finding | None:
    """Why a slot shows something else than it should; None when there is nothing to tell. First that fits."""
    if not look.linked or look.desired is None:
        return None
    if look.managed_by is ManagedBy.MARKETPLACE:
        return Finding(class_=Drift.FULFILLED_BY_MARKETPLACE, direction=None, expected=look.expected, why="managed_by")
    if look.status is ListingStatus.CLOSED:
        return Finding(class_=Drift.GONE, direction=None, expected=look.expected, why="closed")
    if look.seen is None:
        return Finding(class_=Drift.UNMANAGED, direction=None, expected=look.expected, why="no_number")
    expected, lasting = _reference(look)
    if expected is None or look.seen in (expected, look.desired):
        return None
    direction = "up" if look.seen > expected else "down"
    if look.doubtful and not look.unanswered:
        return None
    class_, why = _number(look, look.seen - expected, now, lasting=lasting)
    return Finding(class_=class_, direction=direction, expected=expected, why=why)


def names_another(look: Look) -> Finding | None:
    """A listing that names another SKU than its link: found beside whatever its number tells."""
    if not look.linked or look.suggested is None:
        return None
    return Finding(class_=Drift.WRONG_LINK, direction=None, expected=look.expected, why="names_another")


def _reference(look: Look) -> tuple[int | None, bool]:
    """The number that a look is held against, and whether it is a difference that was seen before.

    Once a difference is recorded the slot reckons with what was seen; the episode remembers how far off that was.
    """
    episode = look.episode
    if episode and episode.class_ in NUMBERS and look.expected is not None and look.expected == look.seen:
        off = (episode.expected or 0) - (episode.seen or 0)
        return look.expected + off, True
    return look.expected, False


def _number(look: Look, gap: int, now: datetime, *, lasting: bool) -> tuple[Drift, str]:
    if look.unanswered:
        return Drift.IN_DOUBT, "answer_was_lost"
    if look.status is ListingStatus.PAUSED:
        return Drift.PAUSED, "not_on_sale"
    episode = look.episode if lasting else None
    if episode and episode.class_ in (Drift.EXTERNAL_EDIT, Drift.LOST_PUSH):
        return episode.class_, "seen_again"
    if _is_lost(look, gap):
        return Drift.LOST_PUSH, "as_before_the_push"
    if gap > 0:
        return Drift.EXTERNAL_EDIT, "orders_moved" if look.orders_moved else "more_than_ours"
    return _loss(look, episode, now)


def _is_lost(look: Look, gap: int) -> bool:
    """The last write was answered well, nobody read it there since, and all that it should have changed is missing."""
    push = look.push
    if push is None or push.outcome != "accepted" or push.previous is None or push.previous == push.quantity:
        return False
    confirmed = look.seen_at is not None and look.seen_at > push.answered_at
    return not confirmed and gap == push.previous - push.quantity


def _loss(look: Look, episode: Episode | None, now: datetime) -> tuple[Drift, str]:
    """Fewer than we reckon: a sale until its order has had time to come and did not."""
    if look.unread:
        return Drift.UNKNOWN_SALE, "orders_unread"
    if not look.orders_read:
        return Drift.UNKNOWN_SALE, "orders_not_asked"
    if episode is None or now - episode.first_seen_at < GRACE:
        return Drift.UNKNOWN_SALE, "fresh"
    return Drift.EXTERNAL_EDIT, "orders_moved" if look.orders_moved else "no_order_came"


def look_again_at(first_seen_at: datetime, now: datetime) -> datetime:
    """When a loss that waits for its order is looked at again: later and later."""
    return now + max(GRACE, now - first_seen_at)


def policy_of(finding: Finding, settings: Mapping[str, Any]) -> Policy:
    """What an account's settings say about a finding; one that they do not name, or name wrongly, has its default."""
    allowed = POLICIES.get(finding.policy_name, (Policy.IGNORE,))
    told = settings.get("drift")
    wanted = told.get(finding.policy_name) if isinstance(told, Mapping) else None
    return next((policy for policy in allowed if policy == wanted), allowed[0])


def policies_of(settings: Mapping[str, Any]) -> dict[str, Policy]:
    """Every policy of an account as it holds."""
    told = settings.get("drift")
    wanted = told if isinstance(told, Mapping) else {}
    return {
        name: next((policy for policy in allowed if policy == wanted.get(name)), allowed[0])
        for name, allowed in POLICIES.items()
    }


@dataclass(frozen=True, slots=True)
class Action:
    """What follows from a finding: how the episode stands, and what its slot keeps back."""

    state: State
    hold: Hold | None


_BY_POLICY = {
    Policy.REPAIR: Action(State.REPAIRING, None),
    Policy.PROPOSE: Action(State.PROPOSED, Hold.ASKED),
    Policy.IGNORE: Action(State.NOTED, Hold.LEFT),
}
_UNWRITTEN = frozenset({Drift.FULFILLED_BY_MARKETPLACE, Drift.GONE, Drift.UNMANAGED})  # there is no number to hold


def act(finding: Finding, look: Look, policy: Policy, *, writes: bool) -> Action:
    """What to do. `writes`: the hub may write to this account; in a preview differences are only noted."""
    if not writes:
        return Action(State.NOTED, None)
    if finding.class_ is Drift.IN_DOUBT:
        return Action(State.REPAIRING, None)
    if finding.class_ is Drift.UNKNOWN_SALE:
        return Action(State.WAITING, Hold.ASKED)
    told = Action(State.DISMISSED, Hold.LEFT) if is_dismissed(look, finding) else _BY_POLICY[policy]
    link_left = finding.class_ is Drift.WRONG_LINK and told.hold is Hold.LEFT  # the link holds: so does its number
    return Action(told.state, None) if finding.class_ in _UNWRITTEN or link_left else told


def hold_of(actions: Iterable[Action]) -> Hold | None:
    """What a slot keeps back for all that was found about it: the stricter."""
    holds = {action.hold for action in actions}
    return next((hold for hold in (Hold.ASKED, Hold.LEFT) if hold in holds), None)


def is_dismissed(look: Look, finding: Finding) -> bool:
    """Whether a person said to leave this very difference: same class, same numbers, or same SKU named."""
    if finding.class_ is Drift.WRONG_LINK:
        told = look.link_episode
        return told is not None and told.state is State.DISMISSED and told.suggested == look.suggested
    episode = look.episode
    return (
        episode is not None
        and episode.state is State.DISMISSED
        and (episode.class_, episode.seen, episode.desired) == (finding.class_, look.seen, look.desired)
    )


def is_many(count: int, listings: int) -> bool:
    """Whether so many differences at once mean that something else than a hand is at work."""
    return count >= MANY and count >= MANY_SHARE * listings

"""What is done about each kind of alert unless the seller says otherwise: whose it is, by when, who comes after."""

from dataclasses import dataclass

from hub.playbook_words import STEPS, TITLES

ROLES = ("operator", "manager", "owner")  # who may own an alert; a viewer only looks
LONGEST_TITLE, LONGEST_BODY = 120, 8000
MOST_MINUTES = 60 * 24 * 90
HOUR, DAY = 60, 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`due_minutes` after it is raised, or what the alert itself tells where that is sooner; None: only that."""

    owner_role: str = "operator"
    due_minutes: int | None = DAY
    escalate_role: str | None = "manager"


MANAGERS = Rule(owner_role="manager", due_minutes=HOUR, escalate_role="owner")

RULES: dict[str, Rule] = {
    "account_held": MANAGERS,
    "zero_brake": MANAGERS,
    "shortage": Rule(due_minutes=HOUR),
    "line_unlinked": Rule(due_minutes=2 * HOUR),
    "fulfiller_unknown": Rule(due_minutes=4 * HOUR),
    "slot_parked": Rule(due_minutes=4 * HOUR),
    "inbox_parked": Rule(due_minutes=4 * HOUR),
    "link_refused": Rule(due_minutes=DAY),
    "origin_unnamed": Rule(owner_role="manager", due_minutes=4 * HOUR, escalate_role="owner"),
    "shipment_untold": Rule(due_minutes=4 * HOUR),
    "tracking_code_unknown": Rule(due_minutes=7 * DAY),
    "parcel_exception": Rule(due_minutes=DAY),
    "parcel_late": Rule(due_minutes=DAY),
    "parcel_stuck": Rule(due_minutes=DAY),
    "parcel_lost": Rule(due_minutes=4 * HOUR),
    "parcel_pickup": Rule(due_minutes=None),
    "parcel_pickup_last": Rule(due_minutes=4 * HOUR),
    "parcel_returned": Rule(due_minutes=2 * DAY),
    "parcel_not_found": Rule(due_minutes=DAY),
    "parcel_ambiguous": Rule(due_minutes=4 * HOUR),
    "parcel_unreadable": Rule(due_minutes=DAY),
    "ship_by_4h": Rule(due_minutes=None),
    "ship_by_1h": Rule(due_minutes=None),
    "ship_late": Rule(due_minutes=None),
    "drift_many": MANAGERS,
    "drift_gone": MANAGERS,
    "drift_proposed": Rule(due_minutes=4 * HOUR),
    "invariant_broken": Rule(owner_role="owner", due_minutes=HOUR, escalate_role=None),
    "low_stock": Rule(owner_role="manager", due_minutes=DAY, escalate_role="owner"),
    "mail_down": Rule(owner_role="manager", due_minutes=2 * HOUR, escalate_role="owner"),
    "mail_doubt": Rule(due_minutes=DAY),
    "notice_down": Rule(owner_role="manager"),
    "endpoint_disabled": Rule(owner_role="manager", due_minutes=4 * HOUR, escalate_role="owner"),
    "label_doubt": Rule(due_minutes=HOUR),
    "label_cancelled_told": Rule(due_minutes=DAY),
}
OTHER = Rule()


def rule(kind: str) -> Rule:
    """The rule for a kind of alert; a kind that nobody knows has one too."""
    return RULES.get(kind, OTHER)


def title(kind: str, tag: str) -> str:
    """What a kind of alert is called, in pt-BR or en; the kind itself where nobody named it."""
    return TITLES[kind][_nth(tag)] if kind in TITLES else kind


def steps(kind: str, tag: str) -> str:
    """What to do about a kind of alert: Markdown, in pt-BR or en. Each item of its lists is a step."""
    return STEPS.get(kind, STEPS["other"])[_nth(tag)]


def _nth(tag: str) -> int:
    return 1 if tag == "en" else 0

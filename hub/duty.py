"""Whose an alert is: stand-ins of those who are away, escalation of what is past due, waking of what was put off."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

AGAIN = timedelta(hours=1)  # so long at most a person may be gone from the seller before their alerts are nobody's


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A person is away from `from_at` until before `until_at`; `stand_in` works for them."""

    user_id: UUID
    from_at: datetime
    until_at: datetime
    stand_in: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An open alert, and where its playbook sends it when it is past due."""

    owner_id: UUID | None
    owner_role: str
    due_at: datetime | None
    snoozed_until: datetime | None
    escalated_at: datetime | None
    escalate_role: str | None
    escalate_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Whose it is from now on, what happened to it as (kind, params), and when to look again."""

    owner_id: UUID | None
    owner_role: str
    snoozed_until: datetime | None
    escalated_at: datetime | None
    events: tuple[tuple[str, Mapping[str, object]], ...] = field(default=())
    next_at: datetime | None


def present(who: UUID, absences: Sequence[Absence], members: Collection[UUID], now: datetime) -> UUID | None:
    """The person, or who stands in for them, or for that one ...; None when all of these are away or gone."""
    met: set[UUID] = set()
    while who not in met:
        met.add(who)
        away = next((a for a in absences if a.user_id == who and a.from_at <= now < a.until_at), None)
        if away is None:
            return who if who in members else None
        who = away.stand_in
    return None


def look(alert: Open, absences: Sequence[Absence], members: Collection[UUID], now: datetime) -> Look:
    """How an open alert stands now. `members`: who may work for the seller; everybody else is gone."""
    events: list[tuple[str, Mapping[str, object]]] = []
    owner, role, snoozed, escalated = alert.owner_id, alert.owner_role, alert.snoozed_until, alert.escalated_at
    if snoozed is not None and snoozed <= now:
        snoozed = None
        events.append(("woke", {}))
    if owner is not None and (found := present(owner, absences, members, now)) != owner:
        events.append(("handed_over", {"from": owner, "to": found, "role": None if found else role}))
        owner = found
    escalates = escalated is None and bool(alert.escalate_role or alert.escalate_id) and alert.due_at is not None
    if escalates and snoozed is None and alert.due_at is not None and alert.due_at <= now:
        escalates, escalated, before = False, now, owner
        owner = present(alert.escalate_id, absences, members, now) if alert.escalate_id else None
        role = alert.escalate_role or role
        events.append(("escalated", {"from": before, "to": owner, "role": None if owner else role}))
    nexts = [snoozed, alert.due_at if escalates and snoozed is None else None, now + AGAIN if owner else None]
    return Look(
        owner_id=owner, owner_role=role, snoozed_until=snoozed, escalated_at=escalated, events=tuple(events),
        next_at=min((at for at in nexts if at is not None), default=None),
    )  # fmt: skip

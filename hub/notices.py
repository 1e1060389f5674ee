"""Who is told what of alerts, through which way, and when. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

FORMATS = ("email", "slack", "discord", "google_chat", "teams", "telegram")
SEVERITIES = ("urgent", "warning", "info")
SCOPES = ("mine", "all")
HANDED = ("assigned", "handed_over", "escalated")  # occasions that mean: it is yours now
ROLES = ("owner", "manager", "operator", "viewer")  # who sees alerts; the warehouse does not

MOST_WAYS = 10
LISTED = 20  # alerts that one message names
GATHER = {"urgent": timedelta(seconds=10)}  # what is raised meanwhile comes along
GATHER_OTHERS = timedelta(seconds=60)
APART_URGENT, APART = timedelta(seconds=60), timedelta(minutes=5)  # between two messages of one way
SAME = timedelta(hours=1)  # the same kind about the same subject again within it is no news
NEWS_LASTS = timedelta(hours=24)  # what could not be told by then is told by the page alone
PAUSES = (30, 120, 600, 1800, 3600)  # seconds before another try, the last one again and again
DIGEST_LASTS = timedelta(hours=4)  # a summary that could not leave by then waits for the next morning


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One of a person's ways, and what they want through it. `kinds` None: every kind."""

    id: UUID
    user_id: UUID
    role: str
    least: str = "urgent"
    scope: str = "mine"
    kinds: tuple[str, ...] | None = None
    handed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that happened to an alert: `opened` or one of HANDED, done `by` a person or (None) the hub.

    `owner_id`: whose it is now, stand-ins considered; None: whoever has `owner_role`.
    """

    kind: str
    severity: str
    occasion: str
    owner_id: UUID | None
    owner_role: str
    by: UUID | None


def is_theirs(way: Way, news: News) -> bool:
    """Whether the alert is the person's: by name, or by role while it is nobody's by name."""
    return news.owner_id == way.user_id if news.owner_id else news.owner_role == way.role


def wants(way: Way, news: News, *, away: bool) -> bool:
    """Whether a person is told of it through a way. Who is away is not: their stand-in is."""
    if away or way.role not in ROLES or news.by == way.user_id:
        return False
    if news.occasion in HANDED:
        return way.handed and is_theirs(way, news)
    loud = SEVERITIES.index(news.severity) <= SEVERITIES.index(way.least)
    return loud and (way.kinds is None or news.kind in way.kinds) and (way.scope == "all" or is_theirs(way, news))


def due(severity: str, at: datetime) -> datetime:
    """When news of an alert leaves at the earliest: until then others like it are gathered."""
    return at + GATHER.get(severity, GATHER_OTHERS)


@dataclass(frozen=True, slots=True)
class Plan:
    """Places (of the severities asked about) that leave now; those that wait, and until when."""

    now: tuple[int, ...]
    until: datetime | None


def plan(severities: Sequence[str], sent_at: datetime | None, quiet_until: datetime | None, now: datetime) -> Plan:
    """What of that which is due leaves in one message now. Quiet hours hold back all but what is urgent."""
    urgent = tuple(place for place, told in enumerate(severities) if told == "urgent")
    leaving = urgent if quiet_until else tuple(range(len(severities)))
    apart = APART_URGENT if urgent else APART
    if leaving and sent_at is not None and now < sent_at + apart:
        return Plan((), sent_at + apart)
    return Plan(leaving, quiet_until if len(leaving) < len(severities) else None)


def again_at(now: datetime, failures: int) -> datetime:
    """When to try again after so many failures in a row (1 or more)."""
    return now + timedelta(seconds=PAUSES[min(failures, len(PAUSES)) - 1])


def digest_due(at: time | None, told_on: date | None, zone: ZoneInfo, now: datetime) -> tuple[bool, datetime | None]:
    """Whether the morning's summary is due now, and when it (or the next one) is; None: there is none."""
    if at is None:
        return False, None
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), at, zone)
    if told_on == local.date() or now >= today + DIGEST_LASTS:
        return False, datetime.combine(local.date() + timedelta(days=1), at, zone)
    return now >= today, today

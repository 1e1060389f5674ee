"""Which of several carriers' offers is taken, and why, in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

import holidays

from hub.parse import SAO_PAULO


class Rule(StrEnum):
    """How an offer is chosen."""

    CHEAPEST = "cheapest"
    FASTEST = "fastest"
    PROMISE = "promise"  # the cheapest that keeps what the buyer was promised


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A service that a carrier offers at a price. `deliver_by` is its promise; None: it told no days."""

    account: str
    service: str
    price_cents: int
    deliver_by: datetime | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a rule takes. `kept`: whether it comes by what the buyer was promised; None where nothing was."""

    offer: Offer | None
    rule: Rule
    kept: bool | None
    among: int


def promised(days: int, now: datetime) -> datetime:
    """The end of the day that comes so many business days (Monday to Friday, national holidays out) after today."""
    day: date = now.astimezone(SAO_PAULO).date()
    closed = holidays.country_holidays("BR", years=(day.year, day.year + 1, day.year + 2))
    left = days
    while left > 0:
        day += timedelta(days=1)
        left -= day.weekday() < 5 and day not in closed  # noqa: PLR2004 - Saturday is 5
    return datetime.combine(day, time(23, 59, 59), SAO_PAULO)


def choose(offers: Sequence[Offer], rule: Rule, deliver_by: datetime | None) -> Choice:
    """The offer that a rule takes; equal ones by price, promise, account and service, so that it is always the same.

    Under `promise`: the cheapest that comes by `deliver_by`; where none does the fastest; where nothing was promised
    the cheapest.
    """
    if not offers:
        return Choice(offer=None, rule=rule, kept=None, among=0)
    cheap = sorted(offers, key=lambda o: (o.price_cents, *_when(o), o.account, o.service))
    fast = sorted(offers, key=lambda o: (*_when(o), o.price_cents, o.account, o.service))
    best = fast[0] if rule is Rule.FASTEST else cheap[0]
    if rule is Rule.PROMISE and deliver_by is not None:
        best = next((offer for offer in cheap if offer.deliver_by and offer.deliver_by <= deliver_by), fast[0])
    kept = None if deliver_by is None else bool(best.deliver_by and best.deliver_by <= deliver_by)
    return Choice(offer=best, rule=rule, kept=kept, among=len(offers))


def _when(offer: Offer) -> tuple[bool, float]:
    return offer.deliver_by is None, offer.deliver_by.timestamp() if offer.deliver_by else 0.0


_WHY = {
    "pt-BR": {
        Rule.CHEAPEST: "a mais barata entre {among}",
        Rule.FASTEST: "a mais rápida entre {among}",
        Rule.PROMISE: "a mais barata que chega no prazo prometido, entre {among}",
        "late": "nenhuma das {among} chega no prazo prometido: a mais rápida",
        "free": "nenhum prazo foi prometido: a mais barata entre {among}",
        "none": "nenhuma transportadora fez oferta",
    },
    "en": {
        Rule.CHEAPEST: "the cheapest of {among}",
        Rule.FASTEST: "the fastest of {among}",
        Rule.PROMISE: "the cheapest that comes within the promise, of {among}",
        "late": "none of {among} comes within the promise: the fastest",
        "free": "nothing was promised: the cheapest of {among}",
        "none": "no carrier made an offer",
    },
}


def why(choice: Choice, locale: str) -> str:
    """Why this offer, in one sentence without a stop, in "pt-BR" or "en"."""
    words = _WHY["pt-BR" if locale.startswith("pt") else "en"]
    key: str = choice.rule
    if choice.offer is None:
        key = "none"
    elif choice.rule is Rule.PROMISE and choice.kept is not True:
        key = "free" if choice.kept is None else "late"
    return words[key].format(among=choice.among)

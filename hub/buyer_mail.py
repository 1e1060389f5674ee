"""Buyers' e-mail: which event is worth one, to which addresses, when, and in which words. Pure."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.model import TrackingStatus

S = TrackingStatus
DISPATCHED, OUT, PICKUP, DELIVERED = "dispatched", "out_for_delivery", "awaiting_pickup", "delivered"
EVENTS = (DISPATCHED, OUT, PICKUP, DELIVERED)  # each is overtaken by those after it
LOCALES = ("pt_BR", "en")
_OF: dict[S | None, str] = {
    S.ACCEPTED: DISPATCHED, S.IN_TRANSIT: DISPATCHED, S.CUSTOMS: DISPATCHED, S.FAILED_ATTEMPT: DISPATCHED,
    S.OUT_FOR_DELIVERY: OUT, S.AWAITING_PICKUP: PICKUP, S.DELIVERED: DELIVERED,
}  # fmt: skip
_UNTOLD = (None, S.LABEL_CREATED, S.UNKNOWN)  # no carrier has spoken: the channel's word counts
NEWS_LASTS = timedelta(days=2)  # what is older is no news any more


def event_of(status: TrackingStatus | None, order_statuses: Sequence[str]) -> str | None:
    """What a buyer may be told of a parcel; null: nothing. What goes wrong is told by a person."""
    if status not in _UNTOLD:
        return _OF.get(status)
    if order_statuses and all(told == "delivered" for told in order_statuses):
        return DELIVERED
    return DISPATCHED if {"dispatched", "delivered"} & set(order_statuses) else None


def overtakers(event: str) -> tuple[str, ...]:
    """Events after which this one is no news."""
    return EVENTS[EVENTS.index(event) + 1 :]


# ── to whom ─────────────────────────────────────────────────────────────────────────────────────────────────

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}", re.ASCII)
_MASKS = ("*", "…", "•", "xxx@", "xxxx")
# Addresses that a marketplace makes up for an order and forwards, under its own terms: names in their domains.
RELAYS = re.compile(
    r"(?:^|\.)marketplace\.amazon\.|(?:^|\.)ct\.vtex\.com\.br$|mercadoli[vb]re|shopee|tiktok|magalu|magazineluiza",
    re.IGNORECASE,
)


def unusable(address: str | None, *, relays: bool) -> str | None:
    """Why an address gets no e-mail: no_address, masked, malformed or relay (unless `relays`); null: it does."""
    told = (address or "").strip()
    if not told:
        return "no_address"
    if any(mask in told.lower() for mask in _MASKS):
        return "masked"
    if not _ADDRESS.fullmatch(told) or ".." in told:
        return "malformed"
    return "relay" if not relays and RELAYS.search(told.rpartition("@")[2]) else None


# ── when ────────────────────────────────────────────────────────────────────────────────────────────────────

QUIET = "21:00-08:00"
_QUIET = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d")


def quiet_of(told: str) -> tuple[time, time] | None:
    """(from, to) of HH:MM-HH:MM; null where both are the same: no quiet hours. ValueError for anything else."""
    if not _QUIET.fullmatch(told):
        raise ValueError(told)
    begin, end = (time.fromisoformat(part) for part in told.split("-"))
    return None if begin == end else (begin, end)


def not_before(now: datetime, quiet: tuple[time, time] | None, zone: ZoneInfo) -> datetime:
    """`now`, or when the quiet hours end that it falls into."""
    if quiet is None:
        return now
    begin, end = quiet
    local = now.astimezone(zone)
    at = local.time()
    inside = begin <= at < end if begin < end else at >= begin or at < end
    if not inside:
        return now
    day = local.date() + timedelta(days=1 if begin > end and at >= begin else 0)
    return datetime.combine(day, end, zone)


PAUSES = (60, 300, 900, 3600, 4 * 3600)  # seconds before another try, the last one again and again


def again_at(now: datetime, attempts: int) -> datetime:
    """When to try again after so many failures (1 or more)."""
    return now + timedelta(seconds=PAUSES[min(attempts, len(PAUSES)) - 1])


# ── in which words ──────────────────────────────────────────────────────────────────────────────────────────

# What a template may name, with what a preview shows for it.
SAMPLE: dict[str, dict[str, str]] = {
    "pt_BR": {
        "greeting": "Olá, Ana!", "order": "10382", "store": "Loja da Esquina", "carrier": "Correios",
        "code": "AA123456785BR", "deliver_by": "20/03/2026", "pickup_until": "18/03/2026", "place": "Curitiba, PR",
        "link": "https://balcao.example.com.br/r/…",
    },
    "en": {
        "greeting": "Hello, Ana!", "order": "10382", "store": "Corner Shop", "carrier": "Correios",
        "code": "AA123456785BR", "deliver_by": "Mar 20, 2026", "pickup_until": "Mar 18, 2026", "place": "Curitiba, PR",
        "link": "https://balcao.example.com.br/r/…",
    },
}  # fmt: skip
FIELDS = tuple(SAMPLE["pt_BR"])
_FIELD = re.compile(r"\{([^{}\n]*)\}")
MOST_SUBJECT, MOST_BODY = 200, 8000


@dataclass(frozen=True, slots=True)
class Template:
    """Words for one event in one language; {name} stands for what is known of the order."""

    subject: str
    body: str


def template(subject: str, body: str) -> Template:
    """What was typed, as it is kept: Unix line ends, and one after the body."""
    return Template(subject.strip(), body.replace("\r\n", "\n").rstrip() + "\n")


_PT_END = "Transportadora: {carrier}\nCódigo de rastreio: {code}\n%s\nAcompanhe a entrega: {link}\n\n{store}"
_EN_END = "Carrier: {carrier}\nTracking code: {code}\n%s\nFollow the delivery: {link}\n\n{store}"
TEMPLATES: dict[str, dict[str, Template]] = {
    "pt_BR": {
        DISPATCHED: Template(
            "Seu pedido {order} foi enviado",
            "{greeting}\n\nSeu pedido {order} foi enviado.\n\n" + _PT_END % "Previsão de entrega: {deliver_by}\n",
        ),
        OUT: Template(
            "Seu pedido {order} saiu para entrega",
            "{greeting}\n\nSeu pedido {order} saiu para entrega e deve chegar hoje.\n\n" + _PT_END % "",
        ),
        PICKUP: Template(
            "Seu pedido {order} espera por você",
            "{greeting}\n\nSeu pedido {order} está disponível para retirada.\nOnde: {place}\n"
            "Retire até: {pickup_until}\n\n" + _PT_END % "",
        ),
        DELIVERED: Template(
            "Seu pedido {order} foi entregue",
            "{greeting}\n\nSeu pedido {order} foi entregue. Obrigado pela compra!\n\n" + _PT_END % "",
        ),
    },
    "en": {
        DISPATCHED: Template(
            "Your order {order} is on its way",
            "{greeting}\n\nYour order {order} is on its way.\n\n" + _EN_END % "Expected by: {deliver_by}\n",
        ),
        OUT: Template(
            "Your order {order} is out for delivery",
            "{greeting}\n\nYour order {order} is out for delivery and should arrive today.\n\n" + _EN_END % "",
        ),
        PICKUP: Template(
            "Your order {order} is waiting for you",
            "{greeting}\n\nYour order {order} is ready to be picked up.\nWhere: {place}\nUntil: {pickup_until}\n\n"
            + _EN_END % "",
        ),
        DELIVERED: Template(
            "Your order {order} was delivered",
            "{greeting}\n\nYour order {order} was delivered. Thank you!\n\n" + _EN_END % "",
        ),
    },
}


def problem_with(template: Template) -> str | None:
    """Why a template cannot be used, naming the part; null: it can."""
    if not template.subject.strip() or "\n" in template.subject or len(template.subject) > MOST_SUBJECT:
        return f"subject: one line of at most {MOST_SUBJECT} characters is needed"
    if not template.body.strip() or len(template.body) > MOST_BODY:
        return f"body: a text of at most {MOST_BODY} characters is needed"
    for part, text in (("subject", template.subject), ("body", template.body)):
        unknown = [name for name in _FIELD.findall(text) if name not in FIELDS]
        if unknown:
            return f"{part}: {{{unknown[0]}}} is not known; there are {', '.join(f'{{{name}}}' for name in FIELDS)}"
    return None


@dataclass(frozen=True, slots=True)
class Words:
    """An e-mail's subject, and its body as text and as HTML."""

    subject: str
    text: str
    html: str


def render(template: Template, told: Mapping[str, str | None]) -> Words:
    """The template filled in. A line of the body that names something unknown is left out."""
    lines = [line for line in template.body.split("\n") if all(told.get(name) for name in _FIELD.findall(line))]
    text = re.sub(r"\n{3,}", "\n\n", _filled("\n".join(lines), told)).strip() + "\n"
    subject = " ".join(_filled(template.subject, told).split())
    return Words(subject=subject, text=text, html=_as_html(text))


def _filled(text: str, told: Mapping[str, str | None]) -> str:
    return _FIELD.sub(lambda found: told.get(found[1]) or "", text)


_LINK = re.compile(r"https?://[^\s<]+")


def _as_html(text: str) -> str:
    parts = "".join(
        f"<p>{_LINK.sub(_anchor, html.escape(part)).replace(chr(10), '<br>')}</p>"
        for part in text.strip().split("\n\n")
    )
    style = "font:16px/1.5 sans-serif;max-width:560px;margin:0 auto;padding:16px;color:#1c2321"
    return f'<!doctype html><html><body><div style="{style}">{parts}</div></body></html>'


def _anchor(found: re.Match[str]) -> str:
    return f'<a href="{found[0]}">{found[0]}</a>'


def greeting(name: str | None, locale: str) -> str:
    """Olá, Ana! Without a name, or with a masked one: Olá!"""
    first = (name or "").split()[:1]
    hello = "Hello" if locale == "en" else "Olá"
    good = first and first[0].replace("-", "").replace("'", "").isalpha()
    return f"{hello}, {first[0].title() if first[0].isupper() else first[0]}!" if good else f"{hello}!"


# ── what a seller sets, by account ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An account's setting. `since`: it was turned on then; what happened before is not told."""

    since: datetime
    relays: bool = False
    locale: str = LOCALES[0]
    reply_to: str | None = None


def wish_of(settings: Mapping[str, Any]) -> Wish | None:
    """Null: this account's buyers get no e-mail."""
    told = settings.get("mail") or {}
    if not told.get("since"):
        return None
    return Wish(
        since=datetime.fromisoformat(told["since"]), relays=bool(told.get("relays")),
        locale=told.get("locale") or LOCALES[0], reply_to=told.get("reply_to"),
    )  # fmt: skip

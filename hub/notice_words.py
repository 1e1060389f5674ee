"""The words of messages about alerts, in Portuguese and English. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hub import playbooks
from hub.notices import LISTED

LONGEST_FACT = 120

# what an alert tells, in the order in which a line says it: (parameter, pt-BR, en)
FACTS = (
    ("order", "pedido %s", "order %s"), ("account", "%s", "%s"), ("sku", "SKU %s", "SKU %s"),
    ("code", "envio %s", "parcel %s"), ("ref", "ref. %s", "ref. %s"), ("units", "%s", "%s"),
    ("slots", "%s anúncios", "%s listings"), ("count", "%s", "%s"), ("codes", "%s", "%s"), ("detail", "%s", "%s"),
    ("said", "%s", "%s"),
)  # fmt: skip
WORDS: dict[str, tuple[str, str]] = {
    "urgent": ("Urgente", "Urgent"),
    "warning": ("Atenção", "Attention"),
    "info": ("Aviso", "Note"),
    "one": ("{store} · {severity}: {title}", "{store} · {severity}: {title}"),
    "many": ("{store}: {count} alertas", "{store}: {count} alerts"),
    "urgent_of": ("{store}: {count} alertas, {urgent} urgentes", "{store}: {count} alerts, {urgent} urgent"),
    "assigned": ("Passaram para você", "Handed to you"),
    "handed_over": ("Passou para você, que substitui quem está fora", "Yours now, as a stand-in"),
    "escalated": ("Passou do prazo e agora é com você", "Past due, and yours now"),
    "due": ("prazo {at}", "due {at}"),
    "late": ("venceu {at}", "was due {at}"),
    "more": ("e mais {count}", "and {count} more"),
    "all": ("Ver todos no Balcão", "See all in Balcão"),
    "digest": ("{store} · Bom dia: {today} para hoje, {late} fora do prazo",
               "{store} · Good morning: {today} due today, {late} late"),
    "digest_late": ("Fora do prazo", "Late"),
    "digest_today": ("Para hoje", "Due today"),
    "digest_urgent": ("Urgentes, ainda em aberto", "Urgent, still open"),
    "digest_more": (", urgentes em aberto: {urgent}", ", urgent ones still open: {urgent}"),
    "digest_later": ("Em aberto para depois: {count}", "Open for later: {count}"),
    "test": ("{store}: este aviso é um teste", "{store}: this notice is a test"),
    "test_line": ("Se você lê isto, os avisos do Balcão chegam aqui.",
                  "If you can read this, Balcão's notices arrive."),
    "why": ("Você recebe isto porque escolheu, em Configurações › Avisos.",
            "You get this because you chose to, under Settings › Notices."),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a message, and where it leads; None: nowhere (the hub has no public address)."""

    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be said, before any chat's spelling: nothing in it is markup."""

    headline: str
    lines: tuple[Line, ...]
    more: Line | None = None
    why: str = ""


def word(key: str, locale: str, **told: object) -> str:
    """A phrase in "pt_BR" or "en"."""
    return WORDS[key][0 if locale == "pt_BR" else 1].format(**told)


def facts(params: Mapping[str, Any], locale: str) -> str:
    """What an alert tells about itself, in one phrase; empty where that is nothing."""
    parts = []
    named = params.get("told")
    if "why" in params and isinstance(named, Mapping):  # an English sentence, and what it names
        params = {"ref": named.get("one"), "account": named.get("account"), "sku": named.get("sku")}
    for name, pt, en in FACTS:
        told = params.get(name)
        if told in (None, "", []):
            continue
        text = " ".join((", ".join(map(str, told)) if isinstance(told, list) else str(told)).split())
        cut = text if len(text) <= LONGEST_FACT else text[: LONGEST_FACT - 1] + "…"
        parts.append((pt if locale == "pt_BR" else en) % cut)
    return ", ".join(parts)


def title(row: Mapping[str, Any], locale: str) -> str:
    """What the alert's kind is called: as the seller says, else as the hub does."""
    own = row.get("title")
    return " ".join(str(own).split()) if own else playbooks.title(row["kind"], locale.replace("_", "-"))


def line(row: Mapping[str, Any], locale: str, zone: ZoneInfo, now: datetime, base: str | None) -> Line:
    """An alert in one line. Row: id, kind, title, severity, params, due_at, occasion."""
    said = facts(row["params"] or {}, locale)
    parts = [f"{word(row['severity'], locale)}: {title(row, locale)}{f' ({said})' if said else ''}"]
    if row["due_at"] is not None:
        at = row["due_at"].astimezone(zone)
        parts.append(word("late" if row["due_at"] <= now else "due", locale, at=f"{at:%d/%m %H:%M}"))
    if row.get("occasion") in ("assigned", "handed_over", "escalated"):
        parts.insert(0, word(row["occasion"], locale))
    return Line(text=" · ".join(parts), url=f"{base}/alertas/{row['id']}" if base else None)


def of_alerts(
    rows: Sequence[Mapping[str, Any]], store: str, locale: str, zone: ZoneInfo, now: datetime, base: str | None
) -> Message:
    """One message about some alerts, the most urgent first."""
    urgent = sum(row["severity"] == "urgent" for row in rows)
    if len(rows) == 1:
        head = word(
            "one", locale, store=store, severity=word(rows[0]["severity"], locale), title=title(rows[0], locale)
        )
    else:
        head = word("urgent_of" if urgent else "many", locale, store=store, count=len(rows), urgent=urgent)
    lines = tuple(line(row, locale, zone, now, base) for row in rows[:LISTED])
    return Message(headline=head, lines=lines, more=_more(len(rows), locale, base), why=word("why", locale))


def of_morning(
    rows: Sequence[Mapping[str, Any]], counts: Mapping[str, int], store: str, locale: str, zone: ZoneInfo,
    now: datetime, until: datetime, base: str | None,
) -> Message:  # fmt: skip
    """The morning's summary: what is late, what is due before `until`, what is urgent beyond that.

    `rows`: the first of them, soonest first; `counts`: late, today, urgent, and how many more are open, later.
    """
    today = [row for row in rows if row["due_at"] and now < row["due_at"] < until]
    lines: list[Line] = []
    for head, chosen in (
        ("digest_late", [row for row in rows if row["due_at"] and row["due_at"] <= now]),
        ("digest_today", today),
        ("digest_urgent", [row for row in rows if row["due_at"] is None or row["due_at"] >= until]),
    ):
        if chosen:
            lines += [Line(text=f"{word(head, locale)}:"), *(line(row, locale, zone, now, base) for row in chosen)]
    if counts["later"]:
        told = word("digest_later", locale, count=counts["later"])
        lines.append(Line(text=told, url=f"{base}/alertas" if base else None))
    headline = word("digest", locale, store=store, today=counts["today"], late=counts["late"])
    if counts["urgent"]:
        headline += word("digest_more", locale, urgent=counts["urgent"])
    listed = counts["late"] + counts["today"] + counts["urgent"]
    return Message(headline=headline, lines=tuple(lines), more=_more(listed, locale, base), why=word("why", locale))


def of_test(store: str, locale: str, base: str | None) -> Message:
    """A message that only shows that messages arrive."""
    told = Line(text=word("test_line", locale), url=f"{base}/configuracoes/avisos" if base else None)
    return Message(headline=word("test", locale, store=store), lines=(told,))


def _more(count: int, locale: str, base: str | None) -> Line | None:
    if count <= LISTED:
        return None
    url = f"{base}/alertas" if base else None
    told = word("more", locale, count=count - LISTED)
    return Line(text=f"{told}: {word('all', locale)}" if url else told, url=url)

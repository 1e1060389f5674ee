"""Registro: who did what in this seller, and when; as a page and as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.sheets import cell
from hub.store import audit_log, people
from hub.web import settings_words
from hub.web.edge import Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE, id_asked, part
from hub.web.pages.sheet import PART, stream

HOME = "/configuracoes/registro"
FEW = 8  # of a list that are named
COLUMNS = (N_("Quando"), N_("Quem"), N_("O que fez"), N_("Em quê"), N_("Detalhes"))
PERIODS = {"1": timedelta(days=1), "7": timedelta(days=7), "30": timedelta(days=30)}


def _asked(visit: Visit) -> dict[str, Any]:
    period = PERIODS.get(visit.asked("dias") or "")
    who = id_asked(visit, "quem")
    return {
        "actor": f"web:{who}" if who else None, "action": visit.asked("acao"),
        "since": visit.now - period if period else None,
    }  # fmt: skip


async def every(visit: Visit) -> web.Response:
    """Registro."""
    asked = _asked(visit)
    async with visit.tx() as tx:
        rows = await audit_log.listed(tx, **asked, after=id_asked(visit, "apos"), limit=SIZE + 1)
        known = await people.members(tx)
    page = part(visit, rows)
    shown = [{**row, "who": _who(visit, row), "details": _details(visit, row)} for row in page.rows]
    say = visit.language.gettext
    actions = sorted(((key, say(words)) for key, words in settings_words.ACTION.items()), key=lambda each: each[1])
    return visit.render(
        "settings_log.html", actions=actions, part=page, rows=shown, people=known, asked=asked,
        who=id_asked(visit, "quem"), days=visit.asked("dias"), settings=settings_words, periods=PERIODS,
        sheet=str(visit.request.rel_url.with_path(f"{HOME}.csv", keep_query=True)),
    )  # fmt: skip


def _who(visit: Visit, row: Mapping[str, Any]) -> str:
    """The person where it was one, else the terminal's user or the hub itself."""
    actor: str = row["actor"] or ""
    if row["name"]:
        return str(row["name"])
    kind, _, name = actor.partition(":")
    if kind == "cli":
        at_desk = settings_words.ACTOR[kind]
        return visit.language.gettext(at_desk, name=name)
    return visit.language.gettext(settings_words.ACTOR.get(kind, settings_words.NOBODY))


def _details(visit: Visit, row: Mapping[str, Any]) -> str:
    """What was noted with it, in a line: lists and tables to their first few."""
    say = visit.language.gettext
    told = {name: value for name, value in (row["params"] or {}).items() if value not in (None, "", [], {})}
    return " · ".join(
        f"{say(settings_words.PARAM[name]) if name in settings_words.PARAM else name}: {_shown(visit, value, name)}"
        for name, value in told.items()
    )


def _shown(visit: Visit, value: object, name: str = "") -> str:
    match value:
        case bool():
            return visit.language.gettext(settings_words.YES if value else settings_words.NO)
        case dict():
            return _few([f"{name} {_shown(visit, each)}" for name, each in value.items()])
        case list() if any(isinstance(each, (list, dict)) for each in value):
            return str(len(value))
        case list():
            return _few([_shown(visit, each, name) for each in value])
        case str() if (name, value) in settings_words.VALUE:
            return visit.language.gettext(settings_words.VALUE[name, value])
    return str(value)


def _few(told: Sequence[str]) -> str:
    return ", ".join(told[:FEW]) + (f" (+{len(told) - FEW})" if len(told) > FEW else "")


async def sheet(visit: Visit) -> web.StreamResponse:
    """All that the page's filter finds."""
    asked = _asked(visit)

    async def lines() -> AsyncIterator[list[list[str]]]:
        after: UUID | None = None
        while True:
            async with visit.tx() as tx:
                rows = await audit_log.listed(tx, **asked, after=after, limit=PART)
            if rows:
                yield [_cells(visit, row) for row in rows]
            if len(rows) < PART:
                return
            after = rows[-1]["id"]

    return await stream(visit, "registro", [visit.language.gettext(head) for head in COLUMNS], lines())


def _cells(visit: Visit, row: Mapping[str, Any]) -> list[str]:
    at: datetime = row["at"].astimezone(visit.language.zone)
    action = settings_words.ACTION.get(row["action"])
    told = (
        f"{at:%d/%m/%Y %H:%M:%S}", _who(visit, row), visit.language.gettext(action) if action else row["action"],
        row["subject"], _details(visit, row),
    )  # fmt: skip
    return [cell(each) for each in told]

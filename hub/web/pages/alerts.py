"""Alerts: what needs a person, whose it is and by when; each one worked by its playbook, with its history."""

from collections.abc import Awaitable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from aiohttp import web

from hub import playbooks
from hub.store import processes as store
from hub.web import alert_words, markdown, words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE, Part, part, place_asked
from jobs import processes
from jobs.connect import Refused

HOME = "/alertas"
WORKDAY = time(8)  # what was put off comes back then
MOST_COUNTED = 100


def shown(visit: Visit, row: dict[str, Any]) -> dict[str, Any]:
    """An alert's row with its words."""
    return {
        **row, "sentence": words.alert_sentence(visit.language, row), "page": words.alert_page(row),
        "who": alert_words.owner(visit.language, row), "state": alert_words.state(row, visit.now),
        "late": row["resolved_at"] is None and row["due_at"] is not None and row["due_at"] <= visit.now,
    }  # fmt: skip


async def every(visit: Visit) -> web.Response:
    """Alertas."""
    told, kind = visit.asked("ver"), visit.asked("tipo")
    view, me = told if told in store.VIEWS else "now", visit.person
    async with visit.tx() as tx:
        if view == "done":
            rows = await store.done(tx, kind=kind, after=place_asked(visit), limit=SIZE + 1)
        else:
            rows = await store.every(
                tx, view, visit.now, me=me.user_id, role=me.role, kind=kind, after=_place(visit), limit=SIZE + 1
            )
        counts = await store.counts(tx, visit.now, me.user_id, me.role, MOST_COUNTED)
    found = part(visit, rows, "resolved_at") if view == "done" else _part(visit, rows)
    return visit.render(
        "alerts.html", part=found, rows=[shown(visit, dict(row)) for row in found.rows], view=view, kind=kind,
        counts=counts, most=MOST_COUNTED, alert_words=alert_words,
        kind_title=playbooks.title(kind, visit.language.tag) if kind else None,
    )  # fmt: skip


def _place(visit: Visit) -> store.Place | None:
    """The (urgency, due, id) that an address names."""
    urgency, _, rest = (visit.asked("apos") or "").partition("~")
    due, _, id_ = rest.partition("~")
    try:
        if due != "infinity":
            datetime.fromisoformat(due)
        return int(urgency), due, UUID(id_)
    except ValueError:
        return None


def _part(visit: Visit, rows: list[dict[str, Any]]) -> Part:
    if len(rows) <= SIZE:
        return part(visit, rows)
    last = rows[SIZE - 1]
    due = last["due_at"].isoformat() if last["due_at"] else "infinity"
    kept = {name: told for name, told in visit.request.query.items() if name != "apos" and told}
    onward = visit.request.rel_url.with_query({**kept, "apos": f"{last['urgency']}~{due}~{last['id']}"})
    first = visit.request.rel_url.with_query(kept) if visit.asked("apos") else None
    return Part(rows=rows[:SIZE], onward=str(onward), first=str(first) if first else None)


async def one(visit: Visit) -> web.Response:
    """One alert: what it is about, what to do step by step, what was done."""
    return await _one(visit)


async def _one(
    visit: Visit, problem: str | None = None, at: str | None = None, *, stands: bool = False
) -> web.Response:
    async with visit.tx() as tx:
        row = await store.one(tx, visit.id_in_path())
        if row is None:
            raise Problem(404)
        own = (await store.playbooks_of(tx)).get(row["kind"])
        staff = await store.staff(tx)
        events = await store.history(tx, row["kind"], row["subject"])
        episodes = await store.episodes(tx, row["kind"], row["subject"])
    tag = visit.language.tag
    return visit.render(
        "alert.html", status=400 if problem else 200, alert=shown(visit, row), staff=staff, problem=problem, at=at,
        title=own["title"] if own else playbooks.title(row["kind"], tag),
        pieces=markdown.pieces(own["body"] if own else playbooks.steps(row["kind"], tag)),
        events=[{**each, "told": alert_words.event(visit.language, each)} for each in events],
        episodes=[shown(visit, each) for each in episodes if each["id"] != row["id"]],
        stands=stands, alert_words=alert_words, roles=playbooks.ROLES,
        tomorrow=visit.now.astimezone(visit.language.zone).date() + timedelta(days=1),
    )  # fmt: skip


# ── actions ─────────────────────────────────────────────────────────────────────────────────────────────────


def refused(visit: Visit, refusal: Refused) -> str:
    """A refusal in the reader's language."""
    if isinstance(refusal, processes.ProcessRefused) and refusal.kind in alert_words.REFUSAL:
        return alert_words.refusal(visit.language, refusal.kind, **refusal.params)
    return str(refusal)


async def _do(visit: Visit, deed: Awaitable[None], done: str | None, at: str) -> web.Response:
    """Do it and show the alert again; what is refused shows beside what was typed."""
    try:
        await deed
    except Refused as refusal:
        if getattr(refusal, "kind", None) == "unknown":
            raise Problem(404) from None
        return await _one(visit, refused(visit, refusal), at, stands=getattr(refusal, "kind", None) == "stands")
    if done:
        visit.say("ok", done)
    onward = visit.form.get("next", "")
    return visit.go(onward if onward.split("?")[0] == HOME else f"{HOME}/{visit.id_in_path()}")


async def take(visit: Visit) -> web.Response:
    """Mine."""
    over = visit.form.get("over") == "yes"
    deed = processes.take(visit.rt, visit.seller_id, visit.id_in_path(), visit.person.user_id, over=over)
    return await _do(visit, deed, N_("É seu: o prazo continua o mesmo."), "take")


async def assign(visit: Visit) -> web.Response:
    """To a person or a role."""
    to = somebody(visit.form.get("to", ""))
    deed = processes.assign(visit.rt, visit.seller_id, visit.id_in_path(), visit.person.user_id, to)
    return await _do(visit, deed, N_("Passado adiante."), "to")


def somebody(told: str) -> UUID | str:
    """A person's id, or a role."""
    try:
        return UUID(told)
    except ValueError:
        return told[:40]


async def tick(visit: Visit) -> web.Response:
    """A step done, or not."""
    key, on = visit.form.get("step", ""), visit.form.get("on") == "yes"
    async with visit.tx() as tx:
        row = await store.one(tx, visit.id_in_path())
        own = (await store.playbooks_of(tx)).get(row["kind"]) if row else None
    if row is None:
        raise Problem(404)
    body = own["body"] if own else playbooks.steps(row["kind"], visit.language.tag)
    found = next((piece for piece in markdown.pieces(body) if piece.key == key), None)
    if found is None:  # the playbook changed since the page was shown
        return visit.go(f"{HOME}/{row['id']}")
    deed = processes.tick(visit.rt, visit.seller_id, row["id"], visit.person.user_id, key, found.words, on=on)
    return await _do(visit, deed, None, "steps")


async def snooze(visit: Visit) -> web.Response:
    """Not before that day."""
    until: datetime | None = None
    if visit.form.get("now") != "yes":
        day = day_of(visit.form.get("until", ""))
        if day is None:
            return await _one(visit, alert_words.refusal(visit.language, "date"), "until")
        until = datetime.combine(day, WORKDAY, visit.language.zone)
    deed = processes.snooze(visit.rt, visit.seller_id, visit.id_in_path(), visit.person.user_id, until)
    return await _do(visit, deed, N_("Adiado: volta sozinho à lista.") if until else N_("De volta à lista."), "until")


def day_of(told: str) -> date | None:
    """A day as browsers send it; None for anything else."""
    try:
        return date.fromisoformat(told.strip())
    except ValueError:
        return None


async def note(visit: Visit) -> web.Response:
    """Something to remember."""
    deed = processes.note(
        visit.rt, visit.seller_id, visit.id_in_path(), visit.person.user_id, visit.form.get("note", "")
    )
    return await _do(visit, deed, N_("Anotado."), "note")


async def close(visit: Visit) -> web.Response:
    """Over."""
    deed = processes.close(
        visit.rt, visit.seller_id, visit.id_in_path(), visit.person.user_id, visit.form.get("note", "")
    )
    return await _do(visit, deed, N_("Encerrado: se a causa voltar, o alerta reabre com esta história."), "note")


async def reopen(visit: Visit) -> web.Response:
    """Not over."""
    deed = processes.reopen(visit.rt, visit.seller_id, visit.id_in_path(), visit.person.user_id)
    return await _do(visit, deed, N_("Reaberto."), "reopen")

"""Processes: the playbook of each kind of alert, which the seller edits, and who is away."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from aiohttp import web

from hub import playbooks
from hub.store import processes as store
from hub.web import alert_words, markdown
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.alerts import day_of, refused, somebody
from jobs import processes
from jobs.connect import Refused

HOME = "/processos"
LATELY = timedelta(days=30)
MIDNIGHT = datetime.min.time()


def _named(visit: Visit, staff: list[dict[str, Any]], user_id: UUID | None, role: str | None) -> str | None:
    """A person's or a role's name; None for neither."""
    if user_id is not None:
        found = next((each["name"] for each in staff if each["user_id"] == user_id), None)
        return found or visit.language.gettext(alert_words.NOBODY)
    return alert_words.role(visit.language, role) if role else None


async def every(visit: Visit) -> web.Response:
    """Processos."""
    return await _every(visit)


async def _every(visit: Visit, problem: str | None = None, field: str | None = None) -> web.Response:
    async with visit.tx() as tx:
        own, staff = await store.playbooks_of(tx), await store.staff(tx)
        open_, away = await store.open_by_kind(tx), await store.absences(tx, visit.now - LATELY)
    kinds = sorted({*playbooks.RULES, *own, *open_})
    rows = [
        {
            **(book := alert_words.playbook(visit.language, kind, own.get(kind))), "open": open_.get(kind, 0),
            "owner": _named(visit, staff, book["owner_id"], book["owner_role"]),
            "escalate": _named(visit, staff, book["escalate_id"], book["escalate_role"]),
            "due": book["due_minutes"],
        }
        for kind in kinds
    ]  # fmt: skip
    rows.sort(key=lambda row: (-row["open"], row["title"].casefold()))
    return visit.render(
        "processes.html", status=400 if problem else 200, rows=rows, staff=staff,
        absences=[{**each, "last_at": each["until_at"] - timedelta(microseconds=1)} for each in away], problem=problem,
        field=field, told=visit.form, alert_words=alert_words, today=visit.now.astimezone(visit.language.zone).date(),
    )  # fmt: skip


async def one(visit: Visit) -> web.Response:
    """One kind's playbook."""
    return await _one(visit, {})


async def _kind(visit: Visit, tx: Any) -> tuple[str, dict[str, Any] | None]:
    kind = visit.request.match_info["kind"]
    try:
        return kind, await processes.playbook_of(tx, kind)
    except Refused:
        raise Problem(404) from None


async def _one(
    visit: Visit, told: dict[str, str], problem: str | None = None, field: str | None = None
) -> web.Response:
    async with visit.tx() as tx:
        kind, own = await _kind(visit, tx)
        staff = await store.staff(tx)
    book = alert_words.playbook(visit.language, kind, own)
    number, unit = alert_words.due(book["due_minutes"])
    fields = {
        "title": book["title"], "body": book["body"], "owner": str(book["owner_id"] or book["owner_role"]),
        "escalate": str(book["escalate_id"] or book["escalate_role"] or ""), "due": number, "unit": str(unit), **told,
    }  # fmt: skip
    return visit.render(
        "process.html", status=400 if problem else 200, kind=kind, book=book, fields=fields, staff=staff,
        roles=playbooks.ROLES, pieces=markdown.pieces(fields["body"]), problem=problem, field=field,
        alert_words=alert_words, name=playbooks.title(kind, visit.language.tag),
    )  # fmt: skip


async def save(visit: Visit) -> web.Response:
    """Keep the seller's own way."""
    async with visit.tx() as tx:
        kind, _own = await _kind(visit, tx)
    names = ("title", "body", "owner", "escalate", "due", "unit")
    told = {name: visit.form.get(name, "") for name in names}
    told["body"] = told["body"].replace("\r\n", "\n")
    try:
        minutes = _minutes(told["due"], told["unit"])
        await processes.set_playbook(
            visit.rt, visit.seller_id, kind, visit.person.user_id, title=told["title"], body=told["body"],
            owner=somebody(told["owner"]), due_minutes=minutes,
            escalate=somebody(told["escalate"]) if told["escalate"] else None,
        )  # fmt: skip
    except Refused as refusal:
        return await _one(visit, told, refused(visit, refusal), _field(refusal, "owner"))
    visit.say("ok", N_("Processo guardado: os passos valem já; quem cuida e o prazo, para os próximos alertas."))
    return visit.go(f"{HOME}/{kind}")


def _field(refusal: Refused, other: str) -> str:
    """The field that a refusal names."""
    named = refusal.params.get("field") if isinstance(refusal, processes.ProcessRefused) else None
    return str(named or other)


def _minutes(told: str, unit: str) -> int | None:
    """A due time in minutes; None for an empty one."""
    number = told.strip()
    if not number:
        return None
    known = {str(each): each for each in alert_words.UNITS}
    if not (number.isascii() and number.isdigit()) or len(number) > 6 or unit not in known:  # noqa: PLR2004 - more digits than 90 days have minutes
        raise processes.ProcessRefused("due", "due: a whole number", field="due")
    return int(number) * known[unit]


async def reset(visit: Visit) -> web.Response:
    """Back to the hub's own."""
    async with visit.tx() as tx:
        kind, _own = await _kind(visit, tx)
    await processes.reset_playbook(visit.rt, visit.seller_id, kind)
    visit.say("ok", N_("De volta ao processo que vem com o hub."))
    return visit.go(HOME if kind not in playbooks.RULES else f"{HOME}/{kind}")


async def add_absence(visit: Visit) -> web.Response:
    """Somebody will be away."""
    who, stand_in = somebody(visit.form.get("who", "")), somebody(visit.form.get("stand_in", ""))
    first, last = day_of(visit.form.get("from", "")), day_of(visit.form.get("until", ""))
    for field, day in (("from", first), ("until", last)):
        if day is None:
            return await _every(visit, alert_words.refusal(visit.language, "date"), field)
    for field, person in (("who", who), ("stand_in", stand_in)):
        if not isinstance(person, UUID):
            return await _every(visit, alert_words.refusal(visit.language, "person"), field)
    if who != visit.person.user_id and not visit.person.may("manager"):
        return await _every(visit, alert_words.refusal(visit.language, "others"), "who")
    if not (first and last and isinstance(who, UUID) and isinstance(stand_in, UUID)):
        raise Problem(400)
    from_at = datetime.combine(first, MIDNIGHT, visit.language.zone)
    until_at = datetime.combine(
        min(last, last.max - timedelta(days=1)) + timedelta(days=1), MIDNIGHT, visit.language.zone
    )
    try:
        await processes.add_absence(
            visit.rt, visit.seller_id, who, from_at, until_at, stand_in, visit.person.user_id
        )  # fmt: skip
    except Refused as refusal:
        return await _every(visit, refused(visit, refusal), _field(refusal, "from"))
    visit.say("ok", N_("Ausência registrada: o que estiver aberto passa a quem substitui quando ela começar."))
    return visit.go(f"{HOME}#ausencias")


async def end_absence(visit: Visit) -> web.Response:
    """Back."""
    try:
        await processes.end_absence(
            visit.rt, visit.seller_id, visit.id_in_path(), visit.person.user_id, others=visit.person.may("manager")
        )
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
    else:
        visit.say("ok", N_("Ausência encerrada."))
    return visit.go(f"{HOME}#ausencias")

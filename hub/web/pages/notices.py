"""Avisos: the ways by which a person is told of alerts, what goes through each, and what was told."""

from collections.abc import Awaitable
from datetime import time
from typing import Any

from aiohttp import web

from hub import notices as decide
from hub import playbooks
from hub.chats import CHATS
from hub.store import notices as store
from hub.web import notices_words, settings_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_, Language
from hub.web.pages.keyset import id_asked, part
from jobs import notices
from jobs.notices import NoticeRefused

HOME = "/configuracoes/avisos"
LONGEST_NAME = 60
LOGGED = 20
NEW: dict[str, Any] = {
    "id": None, "name": "", "least": "urgent", "scope": "mine", "kinds": None, "handed": True, "quiet": "21:00-07:00",
    "digest_at": time(7, 30),
}  # fmt: skip


def refused(visit: Visit, refusal: NoticeRefused) -> str:
    """A refusal in the reader's language."""
    told = dict(refusal.params)
    if "other" in told:
        told["other"] = visit.language.gettext(notices_words.FORMAT.get(str(told["other"]), "%(other)s"), **told)
    return visit.language.gettext(notices_words.REFUSAL[refusal.kind], **told)


def reason(visit: Visit, told: str | None) -> str:
    """Why a message did not leave, in words; the other side's own words stay as they are."""
    return why(visit.language, told)


def why(language: Language, told: str | None) -> str:
    """The same in that language."""
    kind, _, said = (told or "").partition(": ")
    sentence = language.gettext(notices_words.REASON.get(kind, notices_words.REASON_OTHER))
    return f"{sentence} ({said})" if said else sentence


async def every(visit: Visit) -> web.Response:
    """Avisos."""
    async with visit.tx() as tx:
        ways = await store.of(tx, visit.person.user_id)
        log = await store.log_of(tx, visit.person.user_id, id_asked(visit, "apos"), LOGGED + 1)
        untold = await store.without(tx, playbooks.ROLES) if visit.person.may("manager") else []
    page = part(visit, log, size=LOGGED)
    rows = [
        {**row, "why": reason(visit, row["answer"]) if row["state"] in ("failed", "doubt") else None}
        for row in page.rows
    ]
    return visit.render(
        "settings_notices.html", ways=[{**way, "why": _off(visit, way)} for way in ways], rows=rows, part=page,
        untold=untold, formats=[each for each in decide.FORMATS if _offered(visit, each, ways)],
        smtp=visit.rt.policy.smtp is not None, settings=settings_words, notices=notices_words,
    )  # fmt: skip


def _offered(visit: Visit, format_: str, ways: list[dict[str, Any]]) -> bool:
    has_mail = any(way["format"] == "email" for way in ways)
    return format_ != "email" or (visit.rt.policy.smtp is not None and not has_mail)


def _off(visit: Visit, way: dict[str, Any]) -> str | None:
    return reason(visit, way["off_reason"]) if way["off_at"] and way["off_reason"] else None


# ── a way ───────────────────────────────────────────────────────────────────────────────────────────────────


async def new(visit: Visit) -> web.Response:
    """A new way of this format."""
    format_ = visit.request.match_info["format"]
    if format_ not in decide.FORMATS:
        raise Problem(404)
    name = visit.language.gettext(notices_words.FORMAT[format_])
    return await _form(visit, {**NEW, "format": format_, "name": name.partition(",")[0]})


async def _form(visit: Visit, way: dict[str, Any], problems: dict[str, str] | None = None) -> web.Response:
    quiet = (way["quiet"] or "-").split("-")
    kinds = sorted(((kind, playbooks.title(kind, visit.language.tag)) for kind in playbooks.RULES), key=lambda k: k[1])
    return visit.render(
        "settings_notice.html", status=400 if problems else 200, way=way, quiet=quiet, kinds=kinds,
        problems=problems or {}, told=visit.form, settings=settings_words, notices=notices_words, chats=CHATS,
        smtp=visit.rt.policy.smtp is not None,
    )  # fmt: skip


def _wishes(visit: Visit) -> tuple[dict[str, Any], dict[str, str]]:
    """What the form asks for, and what is wrong with it by field."""
    say, form = visit.language.gettext, visit.form
    problems: dict[str, str] = {}
    kinds = [kind for kind in playbooks.RULES if form.get(f"kind:{kind}") == "yes"]
    wishes: dict[str, Any] = {
        "name": " ".join(form.get("name", "").split()), "least": form.get("least", ""), "scope": form.get("scope", ""),
        "kinds": kinds if kinds and len(kinds) < len(playbooks.RULES) else None, "handed": form.get("handed") == "yes",
        "quiet": None, "digest_at": None,
    }  # fmt: skip
    if not 0 < len(wishes["name"]) <= LONGEST_NAME:
        problems["name"] = say(notices_words.PROBLEM["name"])
    for field, known in (("least", decide.SEVERITIES), ("scope", decide.SCOPES)):
        if wishes[field] not in known:
            problems[field] = say(notices_words.PROBLEM[field])
    begin, end = form.get("quiet_from", "").strip(), form.get("quiet_to", "").strip()
    if begin or end:
        if (first := _clock(begin)) is None or (last := _clock(end)) is None:
            problems["quiet"] = say(notices_words.PROBLEM["quiet"])
        elif first != last:
            wishes["quiet"] = f"{first:%H:%M}-{last:%H:%M}"
    if told := form.get("digest", "").strip():
        wishes["digest_at"] = _clock(told)
        if wishes["digest_at"] is None:
            problems["digest"] = say(notices_words.PROBLEM["digest"])
    return wishes, problems


def _clock(told: str) -> time | None:
    """An hour as browsers send it; None for anything else."""
    try:
        at = time.fromisoformat(told)
    except ValueError:
        return None
    return at.replace(second=0, microsecond=0) if at.tzinfo is None else None


async def add(visit: Visit) -> web.Response:
    """Keep a new way."""
    format_ = visit.request.match_info["format"]
    if format_ not in decide.FORMATS:
        raise Problem(404)
    wishes, problems = _wishes(visit)
    fields = ("token", "chat") if format_ == "telegram" else ("url",) if format_ != "email" else ()
    told = {field: visit.form.get(field, "").strip() for field in fields}
    if not problems:
        try:
            await notices.add(
                visit.rt, visit.seller_id, visit.person.user_id, format_, wishes["name"], told, wishes
            )  # fmt: skip
        except NoticeRefused as refusal:
            problems[str(refusal.params.get("field", "name"))] = refused(visit, refusal)
    if problems:
        return await _form(visit, {**wishes, "id": None, "format": format_}, problems)
    visit.say("ok", N_("Caminho ligado: mande um teste para ver se chega."))
    return visit.go(HOME)


async def one(visit: Visit) -> web.Response:
    """What goes through a way."""
    return await _form(visit, await _mine(visit))


async def _mine(visit: Visit) -> dict[str, Any]:
    async with visit.tx() as tx:
        row = await store.one(tx, visit.id_in_path(), visit.person.user_id)
    if row is None:
        raise Problem(404)
    return row


async def save(visit: Visit) -> web.Response:
    """Keep what goes through a way."""
    row = await _mine(visit)
    wishes, problems = _wishes(visit)
    if problems:
        return await _form(visit, {**row, **wishes}, problems)
    await notices.change(visit.rt, visit.seller_id, visit.person.user_id, row["id"], wishes)
    visit.say("ok", N_("Guardado: vale a partir do próximo alerta."))
    return visit.go(HOME)


async def _do(visit: Visit, deed: Awaitable[object], done: str) -> web.Response:
    try:
        await deed
    except NoticeRefused as refusal:
        if refusal.kind == "unknown":
            raise Problem(404) from None
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
    else:
        visit.say("ok", done)
    return visit.go(HOME)


async def test(visit: Visit) -> web.Response:
    """Send me a test, and say what came of it."""
    row = await _mine(visit)
    try:
        found = await notices.test(visit.rt, visit.seller_id, visit.person.user_id, row["id"])
    except NoticeRefused as refusal:
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
        return visit.go(HOME)
    if found is None:
        visit.say("ok", N_("Teste enviado por %(name)s: veja se chegou."), name=row["name"])
    else:
        visit.say("bad", "%(name)s: %(why)s", name=row["name"], why=reason(visit, found))
    return visit.go(HOME)


async def turn_on(visit: Visit) -> web.Response:
    """Through this way again."""
    deed = notices.turn(visit.rt, visit.seller_id, visit.person.user_id, visit.id_in_path(), on=True)
    return await _do(visit, deed, N_("Ligado: vale a partir do próximo alerta."))


async def turn_off(visit: Visit) -> web.Response:
    """Not through this way for now."""
    deed = notices.turn(visit.rt, visit.seller_id, visit.person.user_id, visit.id_in_path(), on=False)
    return await _do(visit, deed, N_("Desligado: nada mais sai por este caminho até você ligar."))


async def drop(visit: Visit) -> web.Response:
    """Forget a way."""
    if visit.form.get("sure") != "yes":
        visit.say("bad", N_("Marque que tem certeza antes de remover."))
        return visit.go(HOME)
    deed = notices.drop(visit.rt, visit.seller_id, visit.person.user_id, visit.id_in_path())
    return await _do(visit, deed, N_("Caminho removido, com o endereço e o histórico dele."))

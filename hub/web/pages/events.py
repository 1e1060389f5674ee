"""Eventos: which programs are told what happens, how each is doing, its log, and sending again."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aiohttp import web

from hub import events as decide
from hub.events import KINDS
from hub.store import endpoints
from hub.web import event_words, settings_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE, id_asked, part
from jobs import events as flow
from jobs.courier import Courier
from jobs.events import EventRefused

HOME = "/configuracoes/eventos"
BLANK: Mapping[str, Any] = {"url": "", "description": "", "kinds": None}


def refused(visit: Visit, refusal: EventRefused) -> str:
    """A refusal in the reader's language."""
    return visit.language.gettext(event_words.REFUSAL[refusal.kind], **refusal.params)


# ── endpoints ───────────────────────────────────────────────────────────────────────────────────────────────


async def every(visit: Visit) -> web.Response:
    """Eventos."""
    return await _every(visit, BLANK, {})


async def _every(
    visit: Visit, told: Mapping[str, Any], problems: Mapping[str, str], secret: str | None = None
) -> web.Response:
    async with visit.tx() as tx:
        rows = await endpoints.every(tx)
    return visit.render(
        "settings_events.html", status=400 if problems else 200, rows=[_shown(visit, row) for row in rows], told=told,
        problems=problems, secret=secret, kinds=KINDS, most=10_000, **_words(),
    )  # fmt: skip


def _words() -> dict[str, Any]:
    return {"settings": settings_words, "events": event_words}


def _shown(visit: Visit, row: Mapping[str, Any]) -> dict[str, Any]:
    tone, words, why = event_words.health(visit.language, row)
    return {**row, "host": decide.host_of(row["url"]), "tone": tone, "health": words, "why": why}


def _told(visit: Visit) -> dict[str, Any]:
    """What the form of an endpoint says; `kinds` None: all."""
    form = visit.form
    chosen = [kind for kind in KINDS if form.get(f"kind:{kind}") == "yes"]
    kinds = None if form.get("every") == "yes" else chosen
    return {"url": form.get("url", "")[:3000], "description": form.get("description", "")[:500], "kinds": kinds}


def _problem(visit: Visit, refusal: EventRefused) -> dict[str, str]:
    return {event_words.FIELD.get(refusal.kind, "kinds"): refused(visit, refusal)}


async def add(visit: Visit) -> web.Response:
    """A new endpoint: the page that answers shows its secret, and no other ever does."""
    told = _told(visit)
    try:
        made = await flow.add(visit.rt, visit.seller_id, told["url"], told["kinds"], told["description"])
    except EventRefused as refusal:
        return await _every(visit, told, _problem(visit, refusal))
    return await _every(visit, BLANK, {}, made.secret)


async def edit(visit: Visit) -> web.Response:
    """Another address, choice or description."""
    endpoint_id, told = visit.id_in_path(), _told(visit)
    try:
        await flow.edit(visit.rt, visit.seller_id, endpoint_id, told["url"], told["kinds"], told["description"])
    except EventRefused as refusal:
        if refusal.kind == "gone":
            raise Problem(404) from None
        return await _one(visit, endpoint_id, told, _problem(visit, refusal))
    visit.say("ok", N_("Destino alterado."))
    return visit.go(f"{HOME}/{endpoint_id}")


async def _do(visit: Visit, done: Any, sentence: str) -> web.Response:
    """Carry out something on the endpoint of the path and say so, there."""
    endpoint_id = visit.id_in_path()
    try:
        await done
    except EventRefused as refusal:
        if refusal.kind == "gone":
            raise Problem(404) from None
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
    else:
        visit.say("ok", sentence)
    return visit.go(f"{HOME}/{endpoint_id}")


async def turn_off(visit: Visit) -> web.Response:
    """Send nothing there any more."""
    done = flow.switch(visit.rt, visit.seller_id, visit.id_in_path(), on=False)
    return await _do(visit, done, N_("Destino desligado: nada mais vai para ele, e o que esperava ficou no registro."))


async def turn_on(visit: Visit) -> web.Response:
    """Send there again."""
    done = flow.switch(visit.rt, visit.seller_id, visit.id_in_path(), on=True)
    return await _do(visit, done, N_("Destino ligado: recebe o que acontecer daqui em diante. Reenvie o que falhou."))


async def rotate(visit: Visit) -> web.Response:
    """A new secret: the page that answers shows it, and no other ever does."""
    endpoint_id = visit.id_in_path()
    if visit.form.get("sure") != "yes":
        visit.say("bad", N_("Marque que tem certeza antes de trocar o segredo."))
        return visit.go(f"{HOME}/{endpoint_id}")
    try:
        made = await flow.rotate(visit.rt, visit.seller_id, endpoint_id)
    except EventRefused:
        raise Problem(404) from None
    return await _one(visit, endpoint_id, None, {}, made.secret)


async def remove(visit: Visit) -> web.Response:
    """Take an endpoint away with its log."""
    endpoint_id = visit.id_in_path()
    if visit.form.get("sure") != "yes":
        visit.say("bad", N_("Marque que tem certeza antes de remover."))
        return visit.go(f"{HOME}/{endpoint_id}")
    try:
        await flow.remove(visit.rt, visit.seller_id, endpoint_id)
    except EventRefused:
        raise Problem(404) from None
    visit.say("ok", N_("Destino removido, com o registro dele."))
    return visit.go(HOME)


async def test(visit: Visit) -> web.Response:
    """Send a test event now, and say what was answered."""
    endpoint_id = visit.id_in_path()
    try:
        made = await flow.test(visit.rt, visit.seller_id, endpoint_id)
    except EventRefused as refusal:
        if refusal.kind == "gone":
            raise Problem(404) from None
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
        return visit.go(f"{HOME}/{endpoint_id}")
    await Courier(visit.rt).send_now(visit.seller_id, endpoint_id, made)
    async with visit.tx() as tx:
        tried = await endpoints.attempts(tx, made)
    if not tried:
        visit.say("ok", N_("O evento de teste está saindo: veja no registro."))
    elif tried[-1]["problem"] is None:
        visit.say("ok", N_("Recebido: respondeu %(status)s em %(ms)s ms."), status=tried[-1]["status"],
                  ms=visit.language.number(tried[-1]["ms"]))  # fmt: skip
    else:
        visit.say("bad", N_("Não foi recebido: %(why)s. O hub tenta de novo."),
                  why=event_words.said(visit.language, tried[-1]["problem"], tried[-1]["status"]))  # fmt: skip
    return visit.go(f"{HOME}/{endpoint_id}")


async def replay_failed(visit: Visit) -> web.Response:
    """Send again what failed since a while ago."""
    endpoint_id, since = visit.id_in_path(), visit.form.get("since", "")
    if since not in event_words.SINCE:
        raise Problem(400)
    try:
        count = await flow.replay_failed(visit.rt, visit.seller_id, endpoint_id, visit.now - event_words.SINCE[since])
    except EventRefused as refusal:
        if refusal.kind == "gone":
            raise Problem(404) from None
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
    else:
        visit.say(
            "ok", N_("De volta à fila: %(count)s. Cada um sai com o mesmo id."), count=visit.language.number(count)
        )
    return visit.go(f"{HOME}/{endpoint_id}")


# ── the log ─────────────────────────────────────────────────────────────────────────────────────────────────


async def one(visit: Visit) -> web.Response:
    """One endpoint and its deliveries."""
    return await _one(visit, visit.id_in_path(), None, {})


async def _one(
    visit: Visit, endpoint_id: UUID, told: Mapping[str, Any] | None, problems: Mapping[str, str],
    secret: str | None = None,
) -> web.Response:  # fmt: skip
    asked = visit.asked("estado")
    state = asked if asked in endpoints.STATES else None
    async with visit.tx() as tx:
        row = await endpoints.one(tx, endpoint_id)
        rows = await endpoints.log(tx, endpoint_id, state=state, after=id_asked(visit, "apos"), limit=SIZE + 1)
    if row is None:
        raise Problem(404)
    page = part(visit, rows)
    shown = [{**each, "why": event_words.said(visit.language, each["problem"], each["status"])} for each in page.rows]
    return visit.render(
        "settings_endpoint.html", status=400 if problems else 200, row=_shown(visit, row), part=page, rows=shown,
        state=state, filters=[(key, visit.language.gettext(name)) for key, name in event_words.STATE_FILTERS.items()],
        told=told or row, problems=problems, secret=secret, kinds=KINDS, most=10_000, **_words(),
    )  # fmt: skip


async def _delivery(visit: Visit) -> dict[str, Any]:
    """The delivery that the path names, when it is of the endpoint that the path names."""
    try:
        delivery_id = UUID(visit.request.match_info["delivery"])
    except ValueError:
        raise Problem(404) from None
    async with visit.tx() as tx:
        row = await endpoints.delivery(tx, delivery_id)
    if row is None or row["endpoint_id"] != visit.id_in_path():
        raise Problem(404)
    return row


async def delivery(visit: Visit) -> web.Response:
    """What was sent, and every attempt with its answer."""
    row = await _delivery(visit)
    async with visit.tx() as tx:
        tried = await endpoints.attempts(tx, row["id"])
    shown = [{**each, "why": event_words.said(visit.language, each["problem"], each["status"])} for each in tried]
    return visit.render(
        "settings_delivery.html", row=row, tried=shown, host=decide.host_of(row["url"]),
        message=decide.message_id(row["event_id"]),
        body=json.dumps(json.loads(row["body"]), ensure_ascii=False, indent=2), attempts=decide.ATTEMPTS, **_words(),
    )  # fmt: skip


async def replay(visit: Visit) -> web.Response:
    """Send one again, with the same id."""
    row = await _delivery(visit)
    try:
        await flow.replay(visit.rt, visit.seller_id, row["id"])
        await Courier(visit.rt).send_now(visit.seller_id, row["endpoint_id"], row["id"])
    except EventRefused as refusal:
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
    else:
        visit.say("ok", N_("Enviado de novo, com o mesmo id: veja a resposta abaixo."))
    return visit.go(f"{HOME}/{row['endpoint_id']}/entregas/{row['id']}")

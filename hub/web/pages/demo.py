"""The demonstration: opened from the first steps or the menu, thrown away whole."""

from dataclasses import replace
from uuid import UUID

from aiohttp import web

from hub.store import people
from hub.web import auth
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.keys import STAND
from jobs.connect import Refused
from jobs.demo import flow

HOME = "/demonstracao"


async def _mine(visit: Visit) -> list[dict[str, object]]:
    async with visit.rt.db.dispatch() as tx:
        return await people.memberships(tx, visit.person.user_id)


def _look(visit: Visit) -> None:
    if stand := visit.request.app.get(STAND):
        stand.look()


async def open_(visit: Visit) -> web.Response:
    """Open the demonstration, or go into the one that this person has open."""
    known = next((row["seller_id"] for row in await _mine(visit) if row["demo"]), None)
    if isinstance(known, UUID):
        visit.session = replace(visit.session, seller_id=known)
        return visit.go("/")
    try:
        made = await flow.open_(visit.rt, visit.person.user_id, visit.language.locale)
    except Refused:
        visit.say("bad", N_("Já há uma demonstração aberta nesta instalação, de outra pessoa: uma de cada vez."))
        return visit.go("/")
    visit.session = replace(visit.session, seller_id=made)
    _look(visit)
    visit.say("ok", N_("A demonstração está sendo montada: em meio minuto os canais estão ligados e chegam pedidos."))
    return visit.go("/")


async def throw_away(visit: Visit) -> web.Response:
    """All of it, for good; back to a shop of one's own."""
    if not visit.person.demo:
        raise Problem(403)
    if visit.form.get("sure") != "yes":
        visit.say("bad", N_("Marque que tem certeza antes de jogar fora."))
        return visit.go("/")
    if stand := visit.request.app.get(STAND):
        await stand.leave()
    await flow.throw_away(visit.rt, visit.seller_id)
    _look(visit)
    own = next((row["seller_id"] for row in await _mine(visit) if not row["demo"]), None)
    if not isinstance(own, UUID):
        visit.session = auth.visitor(visit.now)
        return visit.go("/entrar")
    visit.session = replace(visit.session, seller_id=own)
    visit.say("ok", N_("A demonstração foi jogada fora, inteira."))
    return visit.go("/")

"""Coming in and going out: sign-in, sign-out, the language and the seller."""

from dataclasses import replace
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web

from hub.store import people, sessions
from hub.web import auth, beginning, devices, i18n
from hub.web.edge import DOOR, Problem, Visit
from hub.web.i18n import N_
from hub.web.pages import security
from jobs import two_factor
from jobs.runtime import log

WRONG = N_("E-mail ou senha não conferem.")
NO_SELLER = N_("Este acesso não pertence a nenhuma loja: peça a quem instalou o hub.")
WAIT = N_("Muitas tentativas seguidas: espere %(minutes)s min e tente de novo.")


async def sign_in_form(visit: Visit) -> web.Response:
    """The sign-in page; who is in already goes on, and where nobody is yet the first user is made."""
    if await visit.request.app[beginning.FOUNDING].awaited(visit.rt):
        return visit.go(beginning.HOME)
    onward = auth.safe_next(visit.asked("next"))
    if visit.signed_in:
        return visit.go(onward)
    return visit.render("sign_in.html", onward=onward, email="", problem=None)


async def sign_in(visit: Visit) -> web.Response:
    """Check e-mail and password; what was wrong with them is never told apart."""
    email, onward = visit.form.get("email", "").strip(), auth.safe_next(visit.form.get("next"))
    door, keys = visit.request.app[DOOR], auth.keys_of(email, auth.address_of(visit.request))
    if wait := door.wait(keys, visit.now):
        minutes = max(1, -(-int(wait.total_seconds()) // 60))
        answer = _again(visit, email, onward, visit.language.gettext(WAIT, minutes=minutes), 429)
        answer.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)
        return answer
    door.note(keys, visit.now)
    async with visit.rt.db.people() as tx:
        user = await people.user_by_email(tx, email)
    password = visit.form.get("password", "")
    if not await auth.matches(door.gate, user.password_hash if user else None, password) or user is None:
        log.info("sign-in refused", address=auth.address_of(visit.request))
        return _again(visit, email, onward, visit.language.gettext(WRONG), 403)
    door.forgive(keys)
    async with visit.rt.db.dispatch() as tx:
        sellers = await people.memberships(tx, user.id)
    if not sellers:
        return _again(visit, email, onward, visit.language.gettext(NO_SELLER), 403)
    await _strengthen(visit, user, password)
    if await two_factor.is_on(visit.rt, user.id):
        visit.session = auth.half_in(visit.now, user.id, user.session_epoch)
        return visit.go("/entrar/codigo" if onward == "/" else f"/entrar/codigo?{urlencode({'next': onward})}")
    return await enter(visit, user, sellers[0]["seller_id"], onward)


async def enter(visit: Visit, user: people.User, seller_id: UUID, onward: str) -> web.Response:
    """A session of its own for this browser."""
    device = devices.device_of(visit.request.headers.get("User-Agent", ""))
    async with visit.rt.db.people() as tx:
        made = await sessions.begin(
            tx, user.id, user.session_epoch, device, auth.address_of(visit.request), visit.now
        )  # fmt: skip
    visit.session = auth.signed_in(visit.now, user.id, seller_id, user.session_epoch, made)
    return visit.go(onward)


async def code_form(visit: Visit) -> web.Response:
    """The page that asks for the second factor; back to the door for who has not shown the first."""
    if auth.awaited(visit.session, visit.now) is None:
        return visit.go("/entrar")
    return visit.render("sign_in_code.html", onward=auth.safe_next(visit.asked("next")), problem=None)


async def code(visit: Visit) -> web.Response:
    """Check the code; only then is anybody in."""
    half = auth.awaited(visit.session, visit.now)
    if half is None:
        return visit.go("/entrar")
    onward = auth.safe_next(visit.form.get("next"))
    if problem := await security.passes(visit, half[0], visit.form.get("code", "")):
        return visit.render("sign_in_code.html", status=403, onward=onward, problem=problem)
    async with visit.rt.db.people() as tx:
        user = await people.user_by_id(tx, half[0])
    async with visit.rt.db.dispatch() as tx:
        sellers = await people.memberships(tx, half[0])
    if user is None or user.session_epoch != half[1] or not sellers:
        visit.session = auth.visitor(visit.now)
        return visit.go("/entrar")
    return await enter(visit, user, sellers[0]["seller_id"], onward)


def _again(visit: Visit, email: str, onward: str, problem: str, status: int) -> web.Response:
    return visit.render("sign_in.html", status=status, onward=onward, email=email[:200], problem=problem)


async def _strengthen(visit: Visit, user: people.User, password: str) -> None:
    if stronger := await auth.rehashed(user.password_hash, password):
        async with visit.rt.db.people() as tx:
            await people.set_password(tx, user.id, stronger)


async def sign_out(visit: Visit) -> web.Response:
    """End this browser's session."""
    if visit.signed_in and visit.session.session_id:
        async with visit.rt.db.people() as tx:
            await sessions.end(tx, visit.person.user_id, visit.session.session_id, visit.now)
    visit.session = auth.visitor(visit.now)
    return visit.go("/entrar")


async def sign_out_everywhere(visit: Visit) -> web.Response:
    """End every session of this person, in every browser."""
    async with visit.rt.db.people() as tx:
        await people.sign_out_everywhere(tx, visit.person.user_id)
    return await sign_out(visit)


async def set_language(visit: Visit) -> web.Response:
    """Keep the reader's language."""
    async with visit.rt.db.people() as tx:
        await people.set_locale(tx, visit.person.user_id, i18n.known(visit.form.get("locale")))
    return visit.go(auth.safe_next(visit.form.get("next")))


async def set_seller(visit: Visit) -> web.Response:
    """Work for another seller that this person belongs to."""
    async with visit.rt.db.dispatch() as tx:
        mine = {row["seller_id"] for row in await people.memberships(tx, visit.person.user_id)}
    wanted = _id(visit.form.get("seller", ""))
    if wanted not in mine:
        raise Problem(404)
    visit.session = replace(visit.session, seller_id=wanted)
    return visit.go("/")


def _id(told: str) -> UUID | None:
    try:
        return UUID(told)
    except ValueError:
        return None

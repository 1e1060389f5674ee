"""Segurança: one's second factor, where one is signed in, and what the owner asks of everybody."""

from uuid import UUID

from aiohttp import web
from markupsafe import Markup

from hub import two_factor as codes
from hub.store import sessions, stock
from hub.web import auth, settings_words
from hub.web.edge import DOOR, Visit
from hub.web.i18n import N_
from jobs import two_factor

HOME = "/configuracoes/seguranca"
PER_CODE = 5
WRONG = N_("Este código não vale: use o que o aplicativo mostra agora, cada um vale uma vez.")
WAIT = N_("Muitas tentativas seguidas: espere um quarto de hora e tente de novo.")


async def show(visit: Visit) -> web.Response:
    """Segurança."""
    return await _show(visit)


async def _show(visit: Visit, problem: str | None = None, new: list[str] | None = None) -> web.Response:
    me = visit.person.user_id
    async with visit.rt.db.people() as tx:
        row = await sessions.factor(tx, me)
        rows = await sessions.of(tx, me, visit.now - auth.LASTS)
    secret = two_factor.secret_of(visit.rt, row) if row and row["confirmed_at"] is None else None
    # Markup: the library's own SVG of an address that we made; nothing of a reader's stands in it as it was told.
    image = Markup(codes.picture(codes.address(secret, visit.person.email))) if secret else None  # noqa: S704
    return visit.render(
        "settings_security.html", status=400 if problem else 200, factor=row, secret=secret, image=image, rows=rows,
        here_id=visit.session.session_id, problem=problem, new=new, settings=settings_words,
    )  # fmt: skip


async def passes(visit: Visit, user_id: UUID, code: str) -> str | None:
    """None where a code counts, else the sentence to show. Tries are counted before the code is looked at."""
    door = visit.request.app[DOOR]
    keys = ((f"email:code:{user_id}", PER_CODE), (f"address:{auth.address_of(visit.request)}", auth.PER_ADDRESS))
    if door.wait(keys, visit.now):
        return visit.language.gettext(WAIT)
    door.note(keys, visit.now)
    if not await two_factor.passes(visit.rt, user_id, code[:100]):
        return visit.language.gettext(WRONG)
    door.forgive(keys)
    return None


# ── the second factor ───────────────────────────────────────────────────────────────────────────────────────


async def begin(visit: Visit) -> web.Response:
    """A secret to be scanned; nothing is asked for until a code of it has been given."""
    await two_factor.begin(visit.rt, visit.person.user_id)
    return visit.go(HOME)


async def confirm(visit: Visit) -> web.Response:
    """The app shows the right code: on from now on, and the recovery codes are shown this once."""
    if problem := await passes(visit, visit.person.user_id, visit.form.get("code", "")):
        return await _show(visit, problem)
    new = await two_factor.confirm(visit.rt, visit.person.user_id, visit.session.session_id)
    async with visit.tx() as tx:
        await stock.audit(tx, "factor_on", str(visit.person.user_id))
    return await _show(visit, new=new or None)


async def renew(visit: Visit) -> web.Response:
    """New recovery codes, for somebody who has the app at hand."""
    if problem := await passes(visit, visit.person.user_id, visit.form.get("code", "")):
        return await _show(visit, problem)
    return await _show(visit, new=await two_factor.renew_codes(visit.rt, visit.person.user_id))


async def turn_off(visit: Visit) -> web.Response:
    """No second factor any more; not where the seller asks everybody for one."""
    if visit.person.factor_asked:
        return await _show(
            visit, visit.language.gettext(N_("Esta loja exige dois fatores de todos: só o dono muda isso."))
        )
    if problem := await passes(visit, visit.person.user_id, visit.form.get("code", "")):
        return await _show(visit, problem)
    async with visit.rt.db.people() as tx:
        await sessions.factor_drop(tx, visit.person.user_id)
    async with visit.tx() as tx:
        await stock.audit(tx, "factor_off", str(visit.person.user_id))
    visit.say("ok", N_("Dois fatores desligados: a senha basta para entrar."))
    return visit.go(HOME)


async def require(visit: Visit) -> web.Response:
    """Ask everybody of this seller for a second factor, or no more."""
    on = visit.form.get("on") == "yes"
    if on and not visit.person.factor_on:
        visit.say("bad", N_("Ligue primeiro os seus dois fatores."))
        return visit.go(HOME)
    async with visit.tx() as tx:
        await sessions.require_factor(tx, on=on)
        await stock.audit(tx, "factor_required", str(visit.seller_id), on=on)
    done = N_("A partir de agora todos precisam de dois fatores.") if on else N_("Dois fatores são de cada um.")
    visit.say("ok", done)
    return visit.go(HOME)


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────


async def end(visit: Visit) -> web.Response:
    """End one of one's own sessions."""
    async with visit.rt.db.people() as tx:
        ended = await sessions.end(tx, visit.person.user_id, visit.id_in_path(), visit.now)
    if ended:
        visit.say("ok", N_("Sessão encerrada: aquele aparelho precisa entrar de novo."))
    else:
        visit.say("bad", N_("Esta sessão já tinha acabado."))
    return visit.go(HOME)


async def end_others(visit: Visit) -> web.Response:
    """End all of one's sessions but this one."""
    async with visit.rt.db.people() as tx:
        count = await sessions.end_others(tx, visit.person.user_id, visit.session.session_id, visit.now)
    visit.say("ok", N_("Sessões encerradas: %(count)s."), count=count)
    return visit.go(HOME)

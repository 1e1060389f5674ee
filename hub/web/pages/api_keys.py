"""Chaves: programs that ask this seller's REST API, what each may do, and when it last did."""

from aiohttp import web

from hub.members import ROLES
from hub.secrets import new_token, token_hash
from hub.store import api_keys, stock
from hub.web import settings_words
from hub.web.edge import Visit
from hub.web.i18n import N_
from hub.web.scopes import given_by

HOME = "/configuracoes/chaves"
LONGEST, MOST = 80, 100


async def every(visit: Visit) -> web.Response:
    """Chaves."""
    return await _every(visit)


async def _every(
    visit: Visit, told: str = "", problems: dict[str, str] | None = None, key: str | None = None
) -> web.Response:
    async with visit.tx() as tx:
        rows = await api_keys.every(tx, 2 * MOST)
    return visit.render(
        "settings_keys.html", status=400 if problems else 200, rows=rows, told=told,
        problems=problems or {}, key=key, scopes=given_by(visit.person.role), settings=settings_words,
        makers=[role for role in ROLES if given_by(role)],
    )  # fmt: skip


async def add(visit: Visit) -> web.Response:
    """A new key: the page that answers shows it, and no other ever does."""
    say, name = visit.language.gettext, " ".join(visit.form.get("name", "").split())
    scopes = [scope for scope in given_by(visit.person.role) if visit.form.get(f"scope:{scope}") == "yes"]
    problems = {}
    if not 0 < len(name) <= LONGEST:
        problems["name"] = say(N_("Diga que programa usa a chave, em até %(most)s caracteres."), most=LONGEST)
    if not scopes:
        problems["scopes"] = say(N_("Escolha o que a chave pode."))
    if problems:
        return await _every(visit, name[:LONGEST], problems)
    key = f"balcao_{new_token()}"
    async with visit.tx() as tx:
        in_force = [row for row in await api_keys.every(tx) if row["revoked_at"] is None]
        if len(in_force) < MOST:
            made = await api_keys.add(tx, name, token_hash(key), scopes, visit.person.user_id)
            await stock.audit(tx, "apikey_add", str(made), name=name, scopes=scopes)
    if len(in_force) >= MOST:
        return await _every(visit, name, {"name": say(N_("Há %(most)s chaves em vigor: revogue alguma."), most=MOST)})
    return await _every(visit, key=key)


async def revoke(visit: Visit) -> web.Response:
    """Take a key out of force, at once and for good."""
    key_id = visit.id_in_path()
    async with visit.tx() as tx:
        if done := await api_keys.revoke(tx, key_id):
            await stock.audit(tx, "apikey_revoke", str(key_id))
    if done:
        visit.say("ok", N_("Chave revogada: o programa que a usa já não entra."))
    else:
        visit.say("bad", N_("Esta chave já não estava em vigor."))
    return visit.go(HOME)

"""Configurações: the seller's people, and how somebody becomes one of them."""

import asyncio
import re
from uuid import UUID

from aiohttp import web

from hub import members as decide
from hub.store import members, people
from hub.web import auth, invitations, settings_words, words
from hub.web.edge import DOOR, Problem, Visit
from hub.web.i18n import N_, NN_
from hub.web.scopes import given_by
from jobs import members as flow
from jobs.members import MemberRefused

HOME = "/configuracoes/pessoas"
ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,250}")
LONGEST_NAME = 120


async def home(visit: Visit) -> web.Response:
    """On to the first section that this person may see."""
    return visit.go(next(path for path, _words, least in settings_words.SECTIONS if visit.person.may(least)))


def refused(visit: Visit, refusal: MemberRefused) -> str:
    """A refusal in the reader's language."""
    return visit.language.gettext(settings_words.REFUSAL[refusal.kind], **refusal.params)


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────


async def everybody(visit: Visit) -> web.Response:
    """Pessoas."""
    return await _everybody(visit, {}, {})


async def _everybody(visit: Visit, told: dict[str, str], problems: dict[str, str]) -> web.Response:
    async with visit.tx() as tx:
        rows = await people.members(tx)
        letters = await members.invitations(tx)
    mine = decide.gives(visit.person.role)
    shown = [
        {**row, "address": _address(visit, row["id"]) if row["role"] in mine else None,
         "over": row["expires_at"] <= visit.now}
        for row in letters
    ]  # fmt: skip
    return visit.render(
        "settings_people.html", status=400 if problems else 200, rows=rows, letters=shown, gives=mine,
        roles=decide.ROLES, told=told, problems=problems, settings=settings_words,
    )  # fmt: skip


def _address(visit: Visit, invitation_id: UUID) -> str:
    return invitations.address(visit.rt, visit.seller_id, invitation_id, str(visit.request.url.origin()))


async def invite(visit: Visit) -> web.Response:
    """Ask somebody to come: by mail where the installation sends any and has an address, else by a link to copy."""
    email, role = visit.form.get("email", "").strip().lower(), visit.form.get("role", "")
    told, say = {"email": email[:320], "role": role}, visit.language.gettext
    if not ADDRESS.fullmatch(email):
        return await _everybody(visit, told, {"email": say(N_("Não é um e-mail: escreva como nome@loja.com.br."))})
    if role not in decide.ROLES:
        return await _everybody(visit, told, {"role": say(N_("Escolha um dos papéis."))})
    try:
        made = await flow.invite(visit.rt, visit.seller_id, visit.person.user_id, visit.person.role, email, role)
    except MemberRefused as refusal:
        field = "role" if refusal.kind == "beyond" else "email"
        return await _everybody(visit, told, {field: refused(visit, refusal)})
    letter = invitations.Letter(
        by=visit.person.name, seller=visit.person.seller, to=email, role=role, address=_address(visit, made)
    )
    if await invitations.mail(visit.rt, visit.language, visit.seller_id, made, letter):
        visit.say("ok", N_("Convite enviado para %(email)s: vale 7 dias."), email=email)
    else:
        visit.say("ok", N_("Convite para %(email)s pronto: copie o endereço abaixo e mande a ela ou ele. Vale 7 dias."),
                  email=email)  # fmt: skip
    return visit.go(HOME)


async def withdraw(visit: Visit) -> web.Response:
    """Take an invitation back."""
    try:
        email = await flow.withdraw(visit.rt, visit.seller_id, visit.person.role, visit.id_in_path())
    except MemberRefused as refusal:
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
    else:
        visit.say("ok", N_("Convite para %(email)s retirado: o endereço não vale mais."), email=email)
    return visit.go(HOME)


async def set_role(visit: Visit) -> web.Response:
    """Give somebody another role; it counts from their next click on."""
    role = visit.form.get("role", "")
    if role not in decide.ROLES:
        raise Problem(400)
    return await _change(visit, role, N_("%(name)s agora é %(role)s."))


# What is said of keys after somebody went, or may make none any more.
KEYS_REVOKED = NN_(
    "%(count)s chave da API que ela ou ele fez foi revogada.",
    "%(count)s chaves da API que ela ou ele fez foram revogadas.",
)
KEYS_LEFT = NN_(
    "%(count)s chave da API que ela ou ele fez continua em vigor: veja Chaves da API.",
    "%(count)s chaves da API que ela ou ele fez continuam em vigor: veja Chaves da API.",
)


async def remove(visit: Visit) -> web.Response:
    """Somebody works here no more; what they did stays in the log under their name."""
    if visit.form.get("sure") != "yes":
        visit.say("bad", N_("Marque que tem certeza antes de remover."))
        return visit.go(HOME)
    return await _change(visit, None, N_("%(name)s não tem mais acesso a esta loja."))


async def _change(visit: Visit, becomes: str | None, done: str) -> web.Response:
    user_id = visit.id_in_path()
    try:
        row = await flow.change(
            visit.rt, visit.seller_id, visit.person.role, user_id, becomes,
            revoke_keys=becomes is None and visit.form.get("revoke_keys") == "yes",
        )  # fmt: skip
    except MemberRefused as refusal:
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
    else:
        say, role = visit.language, {"role": visit.language.gettext(words.ROLE[becomes])} if becomes else {}
        told = [say.gettext(done, name=row["name"], **role)]
        if row["revoked"]:
            told.append(say.ngettext(*KEYS_REVOKED, row["revoked"], count=row["revoked"]))
        if row["keys"] and not given_by(becomes or ""):
            told.append(say.ngettext(*KEYS_LEFT, row["keys"], count=row["keys"]))
        visit.say("ok", "%(told)s", told=" ".join(told))
    return visit.go("/configuracoes" if user_id == visit.person.user_id else HOME)


# ── joining ─────────────────────────────────────────────────────────────────────────────────────────────────


async def invited(visit: Visit) -> web.Response:
    """What an invitation is to, and what is asked for to accept it."""
    found = await flow.invited(visit.rt, visit.request.match_info["token"])
    return await _invited(visit, found[1] if found else None, {}, {})


async def _invited(
    visit: Visit, row: dict[str, object] | None, told: dict[str, str], problems: dict[str, str], status: int = 400
) -> web.Response:
    if row is None:
        return visit.render("invite.html", status=404, row=None, known=None, told=told, problems=problems)
    async with visit.rt.db.people() as tx:
        known = await people.user_by_email(tx, str(row["email"]))
    return visit.render(
        "invite.html", status=status if problems else 200, row=row, known=known, told=told, problems=problems,
        settings=settings_words,
    )  # fmt: skip


async def accept(visit: Visit) -> web.Response:
    """Join: with the password that one has, or with a name and a new one; then sign in as always."""
    found = await flow.invited(visit.rt, visit.request.match_info["token"])
    if found is None:
        return await _invited(visit, None, {}, {})
    seller_id, row = found
    email, password = str(row["email"]), visit.form.get("password", "")
    name = " ".join(visit.form.get("name", "").split())[:LONGEST_NAME]
    door, keys, say = (
        visit.request.app[DOOR],
        auth.keys_of(email, auth.address_of(visit.request)),
        visit.language.gettext,
    )
    if door.wait(keys, visit.now):
        problem = {"password": say(N_("Muitas tentativas seguidas: espere um quarto de hora e tente de novo."))}
        return await _invited(visit, row, {"name": name}, problem, 429)
    async with visit.rt.db.people() as tx:
        known = await people.user_by_email(tx, email)
    user_id: UUID | None
    if known:
        door.note(keys, visit.now)
        if not await auth.matches(door.gate, known.password_hash, password):
            return await _invited(visit, row, {}, {"password": say(N_("A senha deste e-mail é outra."))}, 403)
        door.forgive(keys)
        user_id = known.id
    else:
        if problems := _unusable(visit, name, password):
            return await _invited(visit, row, {"name": name}, problems)
        door.note(keys, visit.now)
        hashed = await asyncio.to_thread(auth.hash_password, password)
        async with visit.rt.db.people() as tx:
            user_id = await people.user_add(tx, email, name, hashed, visit.language.locale)
        if user_id is None:
            problem = {"name": say(N_("Este e-mail tem um acesso desligado: peça a quem instalou o hub."))}
            return await _invited(visit, row, {"name": name}, problem)
    try:
        await flow.accept(visit.rt, seller_id, row["id"], user_id)
    except MemberRefused:
        return await _invited(visit, None, {}, {})
    visit.session = auth.visitor(visit.now)
    visit.say(
        "ok", N_("Você agora trabalha em %(seller)s: entre com o seu e-mail e a sua senha."), seller=row["seller"]
    )
    return visit.go("/entrar")


def _unusable(visit: Visit, name: str, password: str) -> dict[str, str]:
    say, problems = visit.language.gettext, {}
    if not name:
        problems["name"] = say(N_("Escreva como você se chama."))
    if len(password) < auth.LEAST_PASSWORD:
        problems["password"] = say(N_("Curta demais: pelo menos %(least)s caracteres."), least=auth.LEAST_PASSWORD)
    elif len(password) > auth.LONGEST_PASSWORD:
        problems["password"] = say(N_("Longa demais: até %(most)s caracteres."), most=auth.LONGEST_PASSWORD)
    elif password != visit.form.get("again", ""):
        problems["again"] = say(N_("As duas senhas não são iguais."))
    return problems

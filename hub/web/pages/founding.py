"""The first page of an empty installation: its first user and first shop; gone once somebody is there."""

import asyncio
from collections.abc import Mapping

from aiohttp import web

from hub import founding as decide
from hub.store import people
from hub.web import auth
from hub.web.beginning import FOUNDING, is_here
from hub.web.edge import DOOR, Problem, Visit
from hub.web.i18n import N_, Language, known
from hub.web.pages.entry import enter
from jobs import founding
from jobs.runtime import log

CODE = "chave"  # not "code": what the log tells under that name is masked
PER_ADDRESS, ALTOGETHER = 20, 100  # tries in a quarter of an hour
ZONES = {
    "America/Sao_Paulo": N_("Brasília (UTC−3)"),
    "America/Manaus": N_("Manaus, Cuiabá (UTC−4)"),
    "America/Rio_Branco": N_("Rio Branco (UTC−5)"),
    "America/Noronha": N_("Fernando de Noronha (UTC−2)"),
}
PROBLEMS = {
    ("name", "missing"): N_("Escreva como você se chama."),
    ("shop", "missing"): N_("Escreva o nome da loja, como os compradores a conhecem."),
    ("warehouse", "missing"): N_("Dê um nome ao lugar de onde saem os pedidos, como Principal."),
    "long": N_("Longo demais: até 120 caracteres."),
    "no_email": N_("Não é um e-mail: escreva como nome@loja.com.br."),
    "short": N_("Curta demais: pelo menos 8 caracteres."),
    "too_long": N_("Longa demais: até 1024 caracteres."),
    "guessable": N_("Fácil de adivinhar: use três ou quatro palavras que só você juntaria."),
    "unequal": N_("As duas senhas não são iguais."),
    "no_cpf": N_("Não é um CPF: confira os 11 dígitos, ou deixe em branco."),
    "no_cnpj": N_("Não é um CNPJ: confira as 14 posições, ou deixe em branco."),
    "no_zone": N_("Escolha um dos fusos."),
    "no_cep": N_("Não é um CEP: escreva oito dígitos, como 01310-100, ou deixe em branco."),
}
WRONG_CODE = N_("Este código não confere: copie o endereço inteiro da última partida do Balcão no registro (log).")
WAIT = N_("Muitas tentativas seguidas: espere um quarto de hora e tente de novo.")
LATE = N_(
    "Outra pessoa acabou de criar o primeiro usuário desta instalação: entre com o acesso dela, ou peça um convite."
)


async def form(visit: Visit) -> web.Response:
    """Create your user, and your shop."""
    if await visit.request.app[FOUNDING].done(visit.rt):
        return visit.go("/")
    told = {"warehouse": visit.language.gettext(N_("Principal")), CODE: visit.asked(CODE) or ""}
    return _form(visit, told, {})


def _form(visit: Visit, told: Mapping[str, str], problems: Mapping[str, str], status: int = 200) -> web.Response:
    return visit.render(
        "founding.html", status=status, told=told, problems=problems, zones=ZONES, least=auth.LEAST_PASSWORD,
        at_home=is_here(visit.request, visit.rt.policy.public_url), code_name=CODE,
    )  # fmt: skip


async def begin(visit: Visit) -> web.Response:
    """Make them, once, for who is at this machine or shows the code; and sign them in."""
    if await visit.request.app[FOUNDING].done(visit.rt):
        raise Problem(404)
    locale = known(visit.form.get("locale") or visit.language.locale)
    visit.language = Language(locale)
    told = {name: value[:400] for name, value in visit.form.items() if name not in ("password", "again", "csrf")}
    door, say = visit.request.app[DOOR], visit.language.gettext
    address = auth.address_of(visit.request)
    keys = ((f"address:founding {address}", PER_ADDRESS), ("address:founding", ALTOGETHER))
    if door.wait(keys, visit.now):
        return _form(visit, told, {CODE: say(WAIT)}, 429)
    door.note(keys, visit.now)
    if not is_here(visit.request, visit.rt.policy.public_url) and not await founding.is_good(
        visit.rt, visit.form.get(CODE, "").strip()
    ):
        log.warning("first user refused: wrong code", address=address)
        return _form(visit, told, {CODE: say(WRONG_CODE)}, 403)
    wanted, problems = decide.read(visit.form, locale)
    if wanted is None:
        return _form(visit, told, {name: say(_sentence(name, why)) for name, why in problems.items()}, 422)
    async with door.gate:
        hashed = await asyncio.to_thread(auth.hash_password, wanted.password)
    made = await founding.found(visit.rt, wanted, hashed)
    if made is None:
        visit.say("bad", LATE)
        return visit.go("/entrar")
    door.forgive(keys)
    log.info("first user made", address=address)
    async with visit.rt.db.people() as tx:
        user = await people.user_by_id(tx, made[0])
    if user is None:
        raise Problem(404)
    return await enter(visit, user, made[1], "/")


def _sentence(name: str, why: str) -> str:
    return PROBLEMS.get((name, why)) or PROBLEMS[why]

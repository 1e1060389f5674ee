"""The edge of every page: who asks, may they, is the form ours; security headers; a sentence for what goes wrong."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import aiohttp_jinja2
import psycopg
from aiohttp import web
from yarl import URL

from hub import members
from hub.context import acting_as, working_for
from hub.secrets import same
from hub.store import StoreError, people, sessions
from hub.web import auth, beginning, i18n
from hub.web.auth import Door, Session
from hub.web.i18n import N_, Language
from hub.web.keys import RUNTIME
from jobs.runtime import Runtime, log

DOOR: web.AppKey[Door] = web.AppKey("door", Door)

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
SAFE = ("GET", "HEAD")
FACTOR = "/configuracoes/seguranca"

# status -> (title, sentence)
PROBLEMS: dict[int, tuple[str, str]] = {
    400: (N_("Pedido sem sentido"), N_("Não entendemos o que este endereço pede.")),
    403: (N_("Sem permissão"), N_("O seu acesso a esta loja não permite fazer isto.")),
    404: (N_("Não encontrado"), N_("Não há nada neste endereço, ou é de outra loja.")),
    405: (N_("Não encontrado"), N_("Este endereço não aceita este tipo de pedido.")),
    413: (N_("Grande demais"), N_("O que foi enviado passa do tamanho que aceitamos.")),
    419: (N_("A página expirou"), N_("Este formulário é de outra sessão: volte, recarregue a página e envie de novo.")),
    429: (N_("Muitas tentativas"), N_("Espere um pouco antes de tentar de novo.")),
    500: (N_("Algo falhou aqui"), N_("A falha foi anotada no registro do servidor; os dados não se perderam.")),
    503: (N_("Banco de dados fora do ar"), N_("O banco de dados não respondeu: tente de novo em instantes.")),
}
GONE_AWAY = 499  # never seen by anybody; as nginx notes it
STATUS_OF = {419: 403}  # our own number for a form that is not ours; 403 on the wire


class Problem(Exception):
    """Stop here and show a small page: `number` is one of PROBLEMS."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is signed in, and for which seller, as the database says now."""

    user_id: UUID
    name: str
    email: str
    seller_id: UUID
    seller: str
    role: str
    epoch: int
    factor_on: bool  # has a second factor
    factor_asked: bool  # the seller asks everybody for one
    demo: bool = False  # the seller is a demonstration

    def may(self, least: str) -> bool:
        """Whether the role reaches what asks for this one; "member" is asked for by what everybody may do."""
        return members.reaches(self.role, least)


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request of a reader: what a page needs to answer it."""

    request: web.Request
    rt: Runtime
    language: Language
    session: Session
    fresh: bool = False  # the browser brought no session that can be read: it is given one
    signed_in: Person | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    sellers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def person(self) -> Person:
        """Who is signed in; only for pages that ask for somebody."""
        if self.signed_in is None:
            raise Problem(403)
        return self.signed_in

    @property
    def seller_id(self) -> UUID:
        """The seller whose rows this visit sees."""
        return self.person.seller_id

    @property
    def now(self) -> datetime:
        """The time."""
        return self.rt.now()

    def tx(self) -> Any:
        """A transaction that sees this seller's rows only."""
        return self.rt.db.seller(self.seller_id)

    def asked(self, name: str) -> str | None:
        """A parameter of the address, trimmed; None when it is empty."""
        return self.request.query.get(name, "").replace("\x00", "").strip()[:200] or None

    def id_in_path(self) -> UUID:
        """The id that the path names; a page of its own for what is no id."""
        try:
            return UUID(self.request.match_info["id"])
        except ValueError:
            raise Problem(404) from None

    def say(self, tone: str, sentence: str, **params: object) -> None:
        """Show a sentence once, on the next page."""
        told = self.language.gettext(sentence, **params)
        self.session = replace(self.session, flash=(tone, told[:600]))

    def go(self, to: str) -> web.Response:
        """On to another page of ours."""
        return web.Response(status=303, headers={"Location": to})

    def render(self, template: str, *, status: int = 200, **context: object) -> web.Response:
        """A page. A sentence that waits to be shown is shown, once."""
        flash, self.session = self.session.flash, replace(self.session, flash=None)
        page = aiohttp_jinja2.get_env(self.request.app).get_template(template)
        body = page.render(
            v=self, t=self.language, _=self.language.gettext, ngettext=self.language.ngettext,
            csrf=self.session.csrf, flash=flash, path=self.request.path, here=self.request.path_qs, **context,
        )  # fmt: skip
        return web.Response(text=body, content_type="text/html", status=status)


Handler = Callable[[Visit], Awaitable[web.StreamResponse]]


def is_secure(rt: Runtime) -> bool:
    """Whether readers come by https."""
    return (rt.policy.public_url or "").startswith("https://")


def page(handler: Handler, least: str | None = "viewer") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """An aiohttp handler of a page. `least`: the role that it asks for; None: everybody, signed in or not."""

    async def answer(request: web.Request) -> web.StreamResponse:
        visit = _visit(request)
        before = visit.session
        try:
            told = await _admitted(visit, handler, least)
        except Exception as trouble:  # noqa: BLE001 - the web's boundary: a sentence, never a traceback
            told = _sentence(visit, trouble)
        if not told.prepared:
            told.headers.update({name: value for name, value in HEADERS.items() if name not in told.headers})
            _give_session(visit, before, told)
        return told

    return answer


def _visit(request: web.Request) -> Visit:
    rt = request.app[RUNTIME]
    told = request.cookies.get(auth.cookie_name(secure=is_secure(rt)))
    session = auth.unseal(rt.vault, told, rt.now())
    wanted = request.query.get("idioma") or i18n.preferred(request.headers.get("Accept-Language", ""))
    language = Language(i18n.known(wanted))
    return Visit(
        request=request, rt=rt, language=language, session=session or auth.visitor(rt.now()), fresh=session is None
    )


def _give_session(visit: Visit, before: Session, told: web.StreamResponse) -> None:
    secure = is_secure(visit.rt)
    if visit.session != before or visit.fresh or before.is_old(visit.now):
        auth.set_cookie(told, visit.rt.vault, visit.session.renewed(visit.now), secure=secure)


async def _admitted(visit: Visit, handler: Handler, least: str | None) -> web.StreamResponse:
    """Who asks, is the form ours, may they: in this order. Then the page itself."""
    await _recognise(visit)
    if least is not None and visit.signed_in is None:
        return await _to_sign_in(visit)
    if visit.request.method not in SAFE:
        visit.form = await _form(visit)
    if least is None:
        return await handler(visit)
    if not visit.person.may(least):
        raise Problem(403)
    if visit.person.factor_asked and not visit.person.factor_on and not _without_factor(visit.request.path):
        return visit.go(FACTOR)
    with working_for(visit.seller_id), acting_as(f"web:{visit.person.user_id}"):
        return await handler(visit)


def _without_factor(path: str) -> bool:
    """What somebody who must set up a second factor may do before: that, and go away."""
    return (
        path == FACTOR or path.startswith(f"{FACTOR}/fator") or path in ("/sair", "/sair-de-tudo", "/idioma", "/loja")
    )


async def _to_sign_in(visit: Visit) -> web.Response:
    if "text/event-stream" in visit.request.headers.get("Accept", ""):
        return web.Response(status=401)
    if await visit.request.app[beginning.FOUNDING].awaited(visit.rt):
        return visit.go(beginning.HOME)
    if visit.request.method in SAFE:
        onward = visit.request.rel_url.raw_path_qs
    else:
        onward = _form_page(visit)
        visit.say("bad", N_("Sua sessão expirou, e o que você enviou não foi guardado: entre e envie de novo."))
    to = visit.request.app.router["entry"].url_for()
    return visit.go(str(to if onward == "/" else to.with_query(next=onward)))


def _form_page(visit: Visit) -> str:
    """The page of ours on which a form stood, as the browser says; the front page where that is not told."""
    try:
        told = URL(visit.request.headers.get("Referer", ""))
        known = {visit.request.host, URL(visit.rt.policy.public_url or "").raw_authority}
    except ValueError:
        return "/"
    return auth.safe_next(told.raw_path_qs) if told.raw_authority in known - {""} else "/"


async def _recognise(visit: Visit) -> None:
    """The person of the session, when they still are who the session says and still belong to the seller."""
    session = visit.session
    if session.user_id is None or session.seller_id is None or session.session_id is None:
        return
    async with visit.rt.db.seller(session.seller_id) as tx:
        row = await people.member(tx, session.user_id, session.session_id)
    if row is None or row["session_epoch"] != session.epoch:
        visit.session = auth.visitor(visit.now)
        return
    visit.signed_in = Person(
        user_id=session.user_id, name=row["name"], email=row["email"], seller_id=session.seller_id,
        seller=row["seller"], role=row["role"], epoch=session.epoch, factor_on=row["factor_on"],
        factor_asked=row["factor_asked"], demo=row["demo"],
    )  # fmt: skip
    if visit.now - row["seen_at"] > auth.RENEWED_AFTER:
        async with visit.rt.db.people() as tx:
            await sessions.seen(tx, session.session_id, auth.address_of(visit.request), visit.now)
    visit.language = Language(i18n.known(row["locale"]), i18n.clock(row["zone"]))
    if "text/event-stream" not in visit.request.headers.get("Accept", ""):
        async with visit.rt.db.dispatch() as tx:
            visit.sellers = await people.memberships(tx, session.user_id)


async def _form(visit: Visit) -> dict[str, str]:
    """The form's fields; Problem(419) when it is not one that we gave to this session."""
    posted = await visit.request.post()
    form = {name: told.replace("\x00", "") for name, told in posted.items() if isinstance(told, str)}
    if not same(form.get("csrf", ""), visit.session.csrf):
        raise Problem(419)
    return form


def _sentence(visit: Visit, trouble: Exception) -> web.Response:
    """The small page of what went wrong."""
    match trouble:
        case ConnectionResetError() if _is_gone(visit.request):
            return web.Response(status=GONE_AWAY)
        case Problem():
            number = trouble.number
        case web.HTTPException():
            number = trouble.status
        case StoreError() | psycopg.OperationalError():
            number = 503
            log.warning("page without a database", path=visit.request.path, reason=str(trouble)[:200])
        case _:
            number = 500
            log.error("page failed", path=visit.request.path, exc_info=trouble)
    title, sentence = PROBLEMS.get(number, PROBLEMS[500])
    status = STATUS_OF.get(number, number)
    try:
        answer = visit.render("problem.html", status=status, title=title, sentence=sentence, number=status)
    except Exception:  # noqa: BLE001 - the template itself may be what is broken
        answer = web.Response(status=status, text=visit.language.gettext(sentence))
    if isinstance(trouble, web.HTTPMethodNotAllowed):
        answer.headers["Allow"] = ",".join(sorted(trouble.allowed_methods))
    return answer


def _is_gone(request: web.Request) -> bool:
    """Whether the reader went away before the answer was whole: nobody's error, and nobody reads a page of it."""
    return request.transport is None or request.transport.is_closing()


async def nowhere(visit: Visit) -> web.StreamResponse:
    """Every address that nobody answers."""
    raise Problem(404)

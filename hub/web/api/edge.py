"""The edge of the API: which key asks, may it; errors as problem+json (RFC 9457), each with a sentence."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from aiohttp import web

from hub.context import working_for
from hub.secrets import same, token_hash
from hub.store import StoreError, api_keys
from hub.store.api_keys import ApiKey
from hub.web import i18n
from hub.web.i18n import N_, Language
from hub.web.keys import RUNTIME
from jobs.runtime import Runtime, log

LONGEST_KEY = 200
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "Authorization, Accept-Language"}

# status -> (name, title, sentence)
PROBLEMS: dict[int, tuple[str, str, str]] = {
    401: (
        "unauthorized",
        N_("Chave ausente ou sem efeito"),
        N_("Envie Authorization: Bearer CHAVE com uma chave em vigor (balcao apikey add)."),
    ),
    403: ("insufficient_scope", N_("Escopo insuficiente"), N_("A chave não tem o escopo %(scope)s.")),
    404: ("not_found", N_("Não encontrado"), N_("Não há nada neste endereço.")),
    405: ("method_not_allowed", N_("Método não aceito"), N_("Este endereço não aceita este método.")),
    500: ("internal", N_("Algo falhou aqui"), N_("A falha foi anotada no registro do servidor.")),
    503: ("unavailable", N_("Banco de dados fora do ar"), N_("Tente de novo em instantes.")),
}


class Refused(Exception):
    """Stop here with a problem; `sentence` in the place of the status's own, to be filled with `params`."""

    def __init__(self, status: int, sentence: str | None = None, **params: object) -> None:
        super().__init__(status)
        self.status, self.sentence, self.params = status, sentence, params


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of a program: for which seller, with which key, in which language."""

    request: web.Request
    rt: Runtime
    language: Language
    seller_id: UUID | None = None
    key: ApiKey | None = None

    @property
    def seller(self) -> UUID:
        """The seller whose rows this call sees."""
        if self.seller_id is None:
            raise Refused(401)
        return self.seller_id

    def named(self, name: str) -> str:
        """A part of the path, without what no name holds."""
        return self.request.match_info[name].replace("\x00", "")


Handler = Callable[[Call], Awaitable[dict[str, Any]]]


def answered(handler: Handler, scope: str | None) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """An aiohttp handler of an API address. `scope`: what the key must have; None: nobody is asked for one."""

    async def answer(request: web.Request) -> web.StreamResponse:
        language = Language(i18n.preferred(request.headers.get("Accept-Language", "")))
        call = Call(request=request, rt=request.app[RUNTIME], language=language)
        try:
            if scope is not None:
                call = await _admitted(call, scope)
            with working_for(call.seller_id):
                told = await handler(call)
        except Exception as trouble:  # noqa: BLE001 - the web's boundary: a problem, never a traceback
            return _problem(call, trouble)
        return _json(call, told)

    return answer


async def _admitted(call: Call, scope: str) -> Call:
    """The call of a key in force that has the scope."""
    kind, _, told = call.request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not 0 < len(told.strip()) <= LONGEST_KEY:
        raise Refused(401)
    hashed = token_hash(told.strip())
    async with call.rt.db.dispatch() as tx:
        found = await api_keys.seller_of(tx, hashed)
    # The index looks for a SHA-256 of 32 random bytes, whose timing helps nobody; the whole is compared evenly as well.
    if found is None or not same(found[1], hashed):
        raise Refused(401)
    seller_id = found[0]
    async with call.rt.db.seller(seller_id) as tx:
        key = await api_keys.used(tx, hashed)
    if key is None:
        raise Refused(401)
    if scope not in key.scopes:
        raise Refused(403, scope=scope)
    return Call(request=call.request, rt=call.rt, language=call.language, seller_id=seller_id, key=key)


def _problem(call: Call, trouble: Exception) -> web.Response:
    match trouble:
        case Refused():
            refused = trouble
        case StoreError() | psycopg.OperationalError():
            refused = Refused(503)
            log.warning("api without a database", path=call.request.path, reason=str(trouble)[:200])
        case _:
            refused = Refused(500)
            log.error("api failed", path=call.request.path, exc_info=trouble)
    name, title, sentence = PROBLEMS[refused.status]
    answer = _json(
        call,
        {
            "type": f"urn:balcao:problem:{name}",
            "title": call.language.gettext(title),
            "status": refused.status,
            "detail": call.language.gettext(refused.sentence or sentence, **refused.params),
            "instance": call.request.path,
        },
        status=refused.status,
        content_type="application/problem+json",
    )
    if refused.status == 401:  # noqa: PLR2004 - HTTP: who are you
        answer.headers["WWW-Authenticate"] = 'Bearer realm="balcao"'
    if refused.status == 403:  # noqa: PLR2004 - HTTP: RFC 6750 asks for the scope
        answer.headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{refused.params["scope"]}"'
    return answer


def _json(
    call: Call, told: dict[str, Any], *, status: int = 200, content_type: str = "application/json"
) -> web.Response:
    body = json.dumps(told, ensure_ascii=False, default=_plain).encode("utf-8", "backslashreplace")
    headers = {**HEADERS, "Content-Language": call.language.tag, "Content-Type": f"{content_type}; charset=utf-8"}
    return web.Response(body=body, status=status, headers=headers)


def _plain(value: object) -> str:
    """Ids as strings, times in UTC ending in Z."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


async def nowhere(call: Call) -> dict[str, Any]:
    """Every address of the API that nobody answers."""
    raise Refused(404)


async def wrong_method(call: Call) -> dict[str, Any]:
    """An address that is answered, asked in another way."""
    raise Refused(405)

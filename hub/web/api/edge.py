"""The edge of the API: which key asks, may it, how often; what it asks, read by its models; problems as answers."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus as H
from typing import Any
from uuid import UUID

import psycopg
from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from hub.context import acting_as, working_for
from hub.model import Limit
from hub.secrets import same, token_hash
from hub.store import StoreError, api_keys
from hub.store.api_keys import ApiKey
from hub.throttle import Allowance
from hub.web import i18n
from hub.web.api import once, problems, refusals
from hub.web.api.operations import Call, Operation, Part, cursor_of
from hub.web.api.problems import Refused, Wrong, refused_input
from hub.web.i18n import N_, Language
from hub.web.keys import RUNTIME
from jobs import connect
from jobs.runtime import Runtime, log

LONGEST_KEY = 200
MINUTE = 60
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "Authorization, Accept-Language"}
JSON = "application/json"
MEANWHILE = N_("Outra pessoa ou outro programa mudou o mesmo ao mesmo tempo: veja como está, e peça de novo.")
Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request before it is known who asks; `headers` go onto the answer, whatever it is."""

    request: web.Request
    rt: Runtime
    language: Language
    headers: dict[str, str]


def answered(operations: Mapping[str, Operation]) -> Route:
    """An aiohttp handler of one path: its operations, by method."""
    allowed = ", ".join(sorted({*operations, *(["HEAD"] if "GET" in operations else [])}))

    async def answer(request: web.Request) -> web.StreamResponse:
        visit = _visit(request)
        operation = operations.get("GET" if request.method == "HEAD" else request.method)
        try:
            if operation is not None:
                return await _told(visit, operation)
        except Exception as trouble:  # noqa: BLE001 - the web's boundary: a problem, never a traceback
            return _problem(visit, trouble)
        visit.headers["Allow"] = allowed
        return _problem(visit, Refused(H.METHOD_NOT_ALLOWED, None, {"allowed": allowed}))

    return answer


async def nowhere(request: web.Request) -> web.StreamResponse:
    """Every address of the API that nobody answers."""
    return _problem(_visit(request), Refused(H.NOT_FOUND))


def _visit(request: web.Request) -> Visit:
    language = Language(i18n.preferred(request.headers.get("Accept-Language", "")))
    headers = {**HEADERS, "Content-Language": language.tag}
    return Visit(request=request, rt=request.app[RUNTIME], language=language, headers=headers)


async def _told(visit: Visit, operation: Operation) -> web.Response:
    """Who asks, how often, may they, what: in this order. Then the operation itself."""
    seller, key = await _admitted(visit)
    await _counted(visit, key)
    if operation.scope not in key.scopes:
        raise Refused(H.FORBIDDEN, None, {"scope": operation.scope})
    raw = await _raw(visit, operation)
    call = Call(
        request=visit.request, rt=visit.rt, language=visit.language, operation=operation, key=key, seller=seller,
        asked=_asked(visit.request, operation, raw),
    )  # fmt: skip
    with working_for(seller), acting_as(f"api:{key.id}"):
        named = once.key_of(call)
        if named is None:
            status, body = await (once.whole(call, _worked) if operation.whole else _worked(call))
        else:
            (status, body), again = await once.once(call, named, raw, _worked)
            visit.headers["Idempotent-Replayed"] = "true" if again else "false"
    if operation.place is not None:
        _link(visit, body)
    return _answer(visit, status, body, JSON if body else None)


# ── who, and how often ──────────────────────────────────────────────────────────────────────────────────────


async def _admitted(visit: Visit) -> tuple[UUID, ApiKey]:
    """The seller of a key in force, and the key."""
    kind, _, told = visit.request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not 0 < len(told.strip()) <= LONGEST_KEY:
        raise Refused(H.UNAUTHORIZED)
    hashed = token_hash(told.strip())
    async with visit.rt.db.dispatch() as tx:
        found = await api_keys.seller_of(tx, hashed)
    # The index looks for a SHA-256 of 32 random bytes, whose timing helps nobody; the whole is compared evenly as well.
    if found is None or not same(found[1], hashed):
        raise Refused(H.UNAUTHORIZED)
    async with visit.rt.db.seller(found[0]) as tx:
        key = await api_keys.used(tx, hashed)
    if key is None:
        raise Refused(H.UNAUTHORIZED)
    return found[0], key


async def _counted(visit: Visit, key: ApiKey) -> None:
    """Count the request: draft-ietf-httpapi-ratelimit-headers. With Valkey away nobody counts."""
    most = visit.rt.policy.api_per_minute
    limit = Limit(burst=most, seconds=MINUTE, per="key")
    left: Allowance | None = await visit.rt.http.throttle.allow(limit, str(key.id))
    if left is None:
        return
    again = math.ceil(left.wait) if left.wait else math.ceil((most - left.left) * MINUTE / most)
    visit.headers["RateLimit-Policy"] = f'"key";q={most};w={MINUTE}'
    visit.headers["RateLimit"] = f'"key";r={left.left};t={again}'
    if left.wait:
        visit.headers["Retry-After"] = str(again)
        raise Refused(H.TOO_MANY_REQUESTS, None, {"seconds": again})


# ── what ────────────────────────────────────────────────────────────────────────────────────────────────────


async def _raw(visit: Visit, operation: Operation) -> bytes:
    """The body as it came; one that is not asked for is not read."""
    if operation.body is None:
        return b""
    if visit.request.content_type != JSON:
        raise Refused(H.UNSUPPORTED_MEDIA_TYPE)
    try:
        return await visit.request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refused(H.REQUEST_ENTITY_TOO_LARGE) from None


def _asked(request: web.Request, operation: Operation, raw: bytes) -> dict[str, BaseModel]:
    """The path, the query and the body, each by its model. What a path cannot name is not there: 404."""
    try:
        path = operation.named.model_validate_strings(dict(request.match_info))
    except ValidationError:
        raise Refused(H.NOT_FOUND) from None
    if twice := [name for name in request.query if len(request.query.getall(name)) > 1]:
        raise Refused(H.UNPROCESSABLE_ENTITY, wrong=[Wrong(twice[0], problems.SENTENCES["twice"], {})])
    try:
        asked: dict[str, BaseModel] = {
            "path": path, "query": operation.query.model_validate_strings(dict(request.query))
        }  # fmt: skip
        if operation.body is not None:
            asked["body"] = operation.body.model_validate_json(_object(raw), strict=True)
    except ValidationError as problem:
        raise refused_input(problem) from None
    return asked


def _object(raw: bytes) -> bytes:
    """The body, when it is a JSON object."""
    try:
        told = from_json(raw, allow_inf_nan=False)
    except ValueError:
        raise Refused(H.BAD_REQUEST) from None
    if not isinstance(told, dict):
        raise Refused(H.BAD_REQUEST)
    return raw


async def _worked(call: Call) -> tuple[int, bytes]:
    """The handler's answer as bytes; TypeError when it is another one than its document says."""
    operation = call.operation
    try:
        told = await operation.handler(call)
    except connect.Refused as refusal:
        raise refusals.told(refusal, call.language) from None
    if isinstance(told, Part) and operation.place is not None:
        onward = None if told.place is None else cursor_of(operation, told.place)
        return operation.status, to_json({"data": [_plain(operation, row) for row in told.rows], "next": onward})
    if operation.place is not None or isinstance(told, Part):
        raise TypeError(f"{operation.name}: a list answers a Part, and nothing else does")
    if told is None and operation.answer is None:
        return operation.status, b""
    return operation.status, to_json(_plain(operation, told))


def _plain(operation: Operation, told: object) -> Any:
    if operation.answer is None or not isinstance(told, operation.answer):
        raise TypeError(f"{operation.name} answers {type(told).__name__}, which its document does not say")
    return told.model_dump(mode="json")


# ── the answer ──────────────────────────────────────────────────────────────────────────────────────────────


def _link(visit: Visit, body: bytes) -> None:
    onward = from_json(body)["next"]
    if onward:
        url = visit.request.rel_url.update_query(cursor=onward)
        visit.headers["Link"] = f'<{url}>; rel="next"'


def _answer(visit: Visit, status: int, body: bytes, kind: str | None) -> web.Response:
    headers = {**visit.headers, **({"Content-Type": f"{kind}; charset=utf-8"} if kind else {})}
    return web.Response(body=body or None, status=status, headers=headers)


def _refusal(visit: Visit, trouble: Exception) -> Refused:
    match trouble:
        case Refused():
            return trouble
        case psycopg.errors.UniqueViolation() | psycopg.errors.ForeignKeyViolation():
            # Not its words: PostgreSQL repeats the row in them.
            log.warning("api lost a race", path=visit.request.path, constraint=trouble.diag.constraint_name)
            return Refused(H.CONFLICT, MEANWHILE)
        case StoreError() | psycopg.OperationalError():
            log.warning("api without a database", path=visit.request.path, reason=str(trouble)[:200])
            return Refused(H.SERVICE_UNAVAILABLE)
        case _:
            log.error("api failed", path=visit.request.path, exc_info=trouble)
            return Refused(H.INTERNAL_SERVER_ERROR)


def _problem(visit: Visit, trouble: Exception) -> web.Response:
    refused = _refusal(visit, trouble)
    if refused.status == H.UNAUTHORIZED:
        visit.headers["WWW-Authenticate"] = 'Bearer realm="balcao"'
    if refused.status == H.FORBIDDEN:  # RFC 6750 asks for the scope
        visit.headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{refused.params["scope"]}"'
    document = problems.told(refused, visit.request.path, visit.language)
    return _answer(visit, refused.status, written(document), "application/problem+json")


def written(document: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """JSON in UTF-8; a path may hold bytes that are no characters."""
    try:
        return to_json(document)
    except PydanticSerializationError:
        return to_json({**document, "instance": "/"} if isinstance(document, Mapping) else document)

"""How the client asks: its key, what is asked again and when, and problems as exceptions."""

import json
import uuid
from collections.abc import Iterator
from http import HTTPStatus as H
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from hub.web.api.shapes import Problem

M = TypeVar("M", bound=BaseModel)
TRIES = 5
LONGEST_WAIT = 60.0  # seconds
AGAIN = (H.TOO_MANY_REQUESTS, H.BAD_GATEWAY, H.SERVICE_UNAVAILABLE, H.GATEWAY_TIMEOUT)
HARMLESS = ("GET", "PUT", "DELETE")  # the same again is the same; a POST is one where it takes an Idempotency-Key


class ApiError(Exception):
    """The API refused: `problem` says what and why, `problem.errors` field by field."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status}: {problem.detail}")
        self.problem = problem

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status


class NoAnswer(Exception):
    """No answer came, or none that the API gives. A POST may have been done: ask what there is before asking again."""


class _Again(Exception):
    """Worth another try, after so many seconds where the server said so."""

    def __init__(self, trouble: Exception, after: float | None) -> None:
        super().__init__(str(trouble))
        self.trouble, self.after = trouble, after


_backoff = wait_exponential_jitter(multiplier=0.5, max=20)


def _wait(state: RetryCallState) -> float:
    trouble = state.outcome.exception() if state.outcome else None
    told = trouble.after if isinstance(trouble, _Again) else None
    return min(LONGEST_WAIT, told) if told is not None else float(_backoff(state))


class Transport:
    """A connection to one hub with one key. `language`: "pt-BR" or "en", of sentences. Close it, or use `with`."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        language: str = "pt-BR",
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": language, "User-Agent": "balcao-client"}
        self._http = httpx.Client(
            base_url=base_url.rstrip("/") + "/api/v1", headers=headers, timeout=timeout, transport=transport
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def ask(
        self,
        answer: type[M],
        method: str,
        path: str,
        *,
        named: dict[str, object] | None = None,
        query: BaseModel | None = None,
        body: BaseModel | None = None,
        once: bool = False,
    ) -> M:
        """One call. ApiError for a refusal, NoAnswer where none came; asked again while that can do no harm."""
        raw = self._tell(method, path, named=named, query=query, body=body, once=once)
        return answer.model_validate_json(raw)

    def do(
        self,
        method: str,
        path: str,
        *,
        named: dict[str, object] | None = None,
        query: BaseModel | None = None,
        body: BaseModel | None = None,
        once: bool = False,
    ) -> None:
        """A call that answers nothing."""
        self._tell(method, path, named=named, query=query, body=body, once=once)

    def rows(self, row: type[M], path: str, *, query: BaseModel | None = None, **named: object) -> Iterator[M]:
        """Every row of a list, page after page as it is read."""
        cursor: str | None = None
        while True:
            told = json.loads(self._tell("GET", path, named=named, query=query, cursor=cursor))
            for each in told["data"]:
                yield row.model_validate_json(json.dumps(each))
            cursor = told["next"]
            if cursor is None:
                return

    def _tell(
        self,
        method: str,
        path: str,
        *,
        named: dict[str, object] | None,
        query: BaseModel | None = None,
        body: BaseModel | None = None,
        once: bool = False,
        cursor: str | None = None,
    ) -> bytes:
        url = path.format(**{name: quote(str(value), safe="") for name, value in (named or {}).items()})
        told = query.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True) if query else {}
        params = {**told, "cursor": cursor} if cursor else told
        headers = {"Idempotency-Key": str(uuid.uuid4())} if once else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = self._http.build_request(
            method, url, params=params, headers=headers,
            content=body.model_dump_json(by_alias=True, exclude_unset=True) if body is not None else None,
        )  # fmt: skip
        tries = TRIES if once or method in HARMLESS else 1
        retrying = Retrying(
            stop=stop_after_attempt(tries), wait=_wait, retry=retry_if_exception_type(_Again), reraise=True
        )
        try:
            return retrying(self._once, request)
        except _Again as last:
            raise last.trouble from None

    def _once(self, request: httpx.Request) -> bytes:
        try:
            reply = self._http.send(request)
        except httpx.HTTPError as problem:
            raise _Again(NoAnswer(f"{request.method} {request.url.path}: {problem}"), None) from None
        if reply.is_success:
            return reply.content
        trouble = _trouble(request, reply)
        if reply.status_code in AGAIN:
            raise _Again(trouble, _seconds(reply.headers.get("Retry-After")))
        raise trouble


def _seconds(told: Any) -> float | None:
    return float(told) if isinstance(told, str) and told.isdigit() else None


def _trouble(request: httpx.Request, reply: httpx.Response) -> Exception:
    try:
        return ApiError(Problem.model_validate_json(reply.content))
    except ValueError:
        return NoAnswer(f"{request.method} {request.url.path}: {reply.status_code}, and no answer of the hub's API")

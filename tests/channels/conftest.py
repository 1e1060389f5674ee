"""A sandbox behind a real socket, and the smallest Api that can talk to it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from yarl import URL

from hub.contract import Adapter, Token
from hub.faults import ChannelError, Fault
from hub.model import Reply, Request, Unsigned
from hub.sandbox import Sandbox

FAULTS_BY_STATUS = {401: Fault.AUTH, 403: Fault.AUTH, 404: Fault.MISSING, 429: Fault.THROTTLED}


class PlainApi:
    """An Api without throttle, retries or breaker: credentials, one token renewal, fault classing."""

    def __init__(
        self,
        adapter: Adapter,
        credentials: Any,
        *,
        facts: Mapping[str, Any] | None = None,
        external_id: str | None = None,
    ) -> None:
        self.adapter, self.credentials = adapter, credentials
        self.facts: Mapping[str, Any] = facts or {}
        self.external_id = external_id
        self.token: Token | None = None
        self.calls: list[Request] = []
        self.session: aiohttp.ClientSession | None = None

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def call(self, request: Request) -> Reply:
        source = self.adapter.token
        static = dict(self.credentials.headers())
        if source is None or static or not request.authenticate:  # static headers: no token is used
            return self._judged(request, await self._send(request, static if request.authenticate else {}))
        if self.token is None:
            await self.renew()
        assert self.token is not None
        reply = await self._send(request, source.headers(self.token))
        if reply.status in source.renew_on or self.adapter.read_error(reply) in source.renew_on:
            await self.renew()
            reply = await self._send(request, source.headers(self.token))
        return self._judged(request, reply)

    async def renew(self) -> None:
        """Ask for a token, with the last one at hand."""
        source = self.adapter.token
        assert source is not None
        request = source.request(self.credentials, self.token)
        self.token = source.read(self._judged(request, await self._send(request, {})), self.now())

    async def _send(self, request: Request, shown: Mapping[str, str]) -> Reply:
        self.calls.append(request)
        self.session = self.session or aiohttp.ClientSession()
        content, kind = _content(request)
        if self.adapter.sign and (request.authenticate or request.signed):
            request = self.adapter.sign(
                Unsigned(
                    request=request,
                    url=self._url(request),
                    content=content,
                    shown=shown,
                    credentials=self.credentials,
                    facts=self.facts,
                    external_id=self.external_id,
                    now=self.now(),
                )
            )
            shown, (content, kind) = {}, _content(request)
        async with self.session.request(
            request.method,
            URL(self._url(request), encoded=True),
            data=content,
            headers={**kind, **shown, **request.headers},
            allow_redirects=False,
        ) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(status=answer.status, headers=headers, body=await answer.read())

    def _url(self, request: Request) -> str:
        url = request.path if "://" in request.path else self.credentials.base_url() + request.path
        query = urlencode(request.params, quote_via=quote, safe="")
        return url + ("&" if "?" in url else "?") * bool(query) + query

    def _judged(self, request: Request, reply: Reply) -> Reply:
        code = self.adapter.read_error(reply)
        if reply.status in request.accept or (reply.status < 400 and code is None):
            return reply
        default = Fault.TRANSIENT if reply.status >= 500 else Fault.REJECTED
        by_status = self.adapter.faults.get(reply.status, FAULTS_BY_STATUS.get(reply.status, default))
        fault = self.adapter.faults.get(code, by_status) if code else by_status
        detail = reply.body[:200].decode("utf-8", "replace")
        raise ChannelError(fault, code or str(reply.status), detail, status=reply.status)

    async def close(self) -> None:
        if self.session:
            await self.session.close()


def _content(request: Request) -> tuple[bytes | None, dict[str, str]]:
    if request.form:
        return urlencode(request.form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if request.json is not None:
        told = json.dumps(request.json, ensure_ascii=False, separators=(",", ":")).encode()
        return told, {"Content-Type": "application/json"}
    if request.xml is not None:
        return request.xml.encode(), {"Content-Type": "text/xml; charset=utf-8"}
    return None, {}


Connect = Callable[..., Awaitable[PlainApi]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """`await connect(adapter, sandbox, **credentials)` serves the sandbox and answers an Api to it."""
    async with AsyncExitStack() as stack:

        async def start(adapter: Adapter, sandbox: Sandbox, **overrides: Any) -> PlainApi:
            server = TestServer(sandbox.app)
            await server.start_server()
            stack.push_async_callback(server.close)
            told = sandbox.credentials(str(server.make_url("")).rstrip("/")) | overrides
            api = PlainApi(adapter, adapter.credentials.model_validate(told))
            stack.push_async_callback(api.close)
            return api

        yield start

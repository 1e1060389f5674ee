"""The one way out: breaker, throttle, authentication, transport, one renewal, fault classing, short retries.

Values come in (limits, faults, a pure `read_error`, headers, a TokenKeeper); a Reply or a ChannelError goes
out. No secret is ever in an error, a log line or a repr.
"""

import asyncio
import json
import logging
import random
import re
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote, urlencode

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from httpx_aiohttp import AiohttpTransport
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, stop_before_delay

from hub.answers import default_fault, sentence_of, wait_told
from hub.breaker import Breaker
from hub.context import refuse_in_transaction
from hub.faults import ChannelError, Fault
from hub.gate import Gate, PrivateAddress
from hub.model import READS, Limit, Reply, Request, Unsigned
from hub.redaction import redact, secrets_of
from hub.throttle import Throttle, scope_of, utc_now

CONNECT_SECONDS = 3.0
DEADLINE_SECONDS = 10.0  # of one request, name to last byte; shorter than any lease on what it writes
CALL_SECONDS = 18.0  # no request leaves later than this, so a call ends within a lease of 30 s
BODY_LIMIT = 20 * 2**20
ATTEMPTS = 3
SHORT_WAIT = 5.0  # a Retry-After up to this is waited out within the call
UNTOLD_WAIT = 2.0  # the pause of a 429 that names none
DETAIL_LENGTH = 200
YIELDED = 0.5  # what an audit leaves to sales and pushes, which come in bursts

OVERRULING = frozenset({Fault.THROTTLED, Fault.AUTH, Fault.TRANSIENT})  # faults that `Request.accept` cannot accept
NOT_DONE = frozenset({408, 425, 501, 503, 505, 521, 522, 523})  # the server says that it did not get to it
LATE = frozenset({None, 502, 504, 520, 524})  # no word of the end: what was sent may still be under way

NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])  # one account's would reach another's calls
_CONNECTING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

ReadError: TypeAlias = Callable[[Reply], str | None]
Until: TypeAlias = Callable[[str, datetime], datetime | None]
Sign: TypeAlias = Callable[[Unsigned], Request]
Observe: TypeAlias = Callable[[str, str | None, int | None, float], None]  # channel, operation, status, seconds


class CallError(ChannelError):
    """A call that failed. `in_doubt`: a write that may have been carried out all the same: read it back."""

    def __init__(
        self,
        fault: Fault,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        retry_at: datetime | None = None,
        in_doubt: bool = False,
    ) -> None:
        super().__init__(fault, code, detail, status=status, retry_at=retry_at)
        self.in_doubt = in_doubt


class TokenKeeper(Protocol):
    """Who keeps an account's token: the headers that show it, and new ones for those that were refused."""

    async def current(self) -> Mapping[str, str]:
        """Headers of a token that should be good."""

    async def renew(self, stale: Mapping[str, str]) -> Mapping[str, str]:
        """Headers of a newer token than the one in `stale`. AUTH when there is none to be had."""


# httpx logs every address at INFO, query strings with consumer keys and all; what is worth saying, we say.
logging.getLogger("httpx").addFilter(lambda record: record.levelno >= logging.WARNING)


# ── Where we may go ────────────────────────────────────────────────────────────────────────────────


class _GatedResolver(AbstractResolver):
    """Looks names up and answers only addresses that the gate admits: what it answers is what is dialled."""

    def __init__(self, gate: Gate) -> None:
        self._gate, self._resolver = gate, ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        refused: PrivateAddress | None = None
        admitted: list[ResolveResult] = []
        for each in found:
            try:
                self._gate.check(host, each["host"])
                admitted.append(each)
            except PrivateAddress as refusal:
                refused = refusal
        if refused and not admitted:
            raise refused
        return admitted

    async def close(self) -> None:
        await self._resolver.close()


# ── The way out ────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Trip:
    """Whether a request has left us; what is not traced has, as far as we know."""

    sent: bool


_trip: ContextVar[_Trip | None] = ContextVar("trip", default=None)


async def _note_sent(_session: object, _context: object, _told: object) -> None:
    if trip := _trip.get():
        trip.sent = True


@dataclass(slots=True)
class _Shared:
    """What all calls of one account have in common within a process."""

    breaker: Breaker
    renewal: tuple[Mapping[str, str], asyncio.Task[Mapping[str, str]]] | None = None


def sharers(channel: str, account_id: object, app_key: str | None) -> dict[str, str]:
    """Who shares a limit of an account, by the limit's `per`."""
    return {"account": f"{channel}:{account_id}", "app": f"{channel}:{app_key or '-'}", "ip": channel}


@cache
def _tls() -> ssl.SSLContext:
    """What certificates are checked with; reading the authorities takes 30 ms, so it is done once."""
    return httpx.create_ssl_context()


class Client:
    """The process's connections and what it remembers of each account. One per process and event loop.

    `allow_private` is BALCAO_ALLOW_PRIVATE_HOSTS. `transport` takes the place of the network in tests of
    adapters, `clock` and `sleep` that of time. Closing it closes the throttle too.
    """

    def __init__(
        self,
        throttle: Throttle,
        *,
        allow_private: str = "",
        observe: Observe | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        deadline: float = DEADLINE_SECONDS,
        body_limit: int = BODY_LIMIT,
    ) -> None:
        self.throttle, self.gate, self.observe = throttle, Gate(allow_private), observe
        self.clock, self.sleep = clock, sleep
        self._deadline, self._body_limit = deadline, body_limit
        self._traced = transport is None
        self._http = httpx.AsyncClient(
            transport=transport or AiohttpTransport(client=self._session, verify=_tls()),
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),  # the rest is the deadline's
            cookies=CookieJar(NO_COOKIES),
            headers={
                "user-agent": "Balcao",
                "accept": "application/json, */*;q=0.5",
                "accept-encoding": "gzip, deflate",
            },
            follow_redirects=False,
            trust_env=False,
        )
        self._accounts: dict[tuple[str, str], _Shared] = {}

    def account(
        self,
        *,
        channel: str,
        account_id: object,
        base_url: str,
        app_key: str | None = None,
        external_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        limits: Sequence[Limit] = (),
        faults: Mapping[int | str, Fault] | None = None,
        read_error: ReadError = lambda _reply: None,
        tokens: TokenKeeper | None = None,
        renew_on: Collection[int | str] = frozenset({401}),
        credentials: Any = None,
        facts: Mapping[str, Any] | None = None,
        sign: Sign | None = None,
        until: Until = lambda _code, _now: None,
        now: Callable[[], datetime] = utc_now,
        inside: tuple[str, int] | None = None,
    ) -> "AccountApi":
        """An account to talk to; cheap to make: all of one `account_id` share breaker, limits and renewals.

        `headers` are those of static authentication; `app_key` names whose calls share limits `per="app"`; `inside` is
        the one address (host, port) that it may call whatever the gate says.
        """
        key = (channel, str(account_id))
        shared = self._accounts.setdefault(key, _Shared(Breaker(self.clock, now)))
        return AccountApi(
            client=self,
            shared=shared,
            channel=channel,
            account_id=str(account_id),
            base_url=base_url.rstrip("/"),
            app_key=app_key,
            external_id=external_id,
            headers=headers or {},
            limits=tuple(limits),
            faults=faults or {},
            read_error=read_error,
            tokens=tokens,
            renew_on=frozenset(renew_on),
            credentials=credentials,
            facts=facts or {},
            sign=sign,
            until=until,
            now=now,
            inside=inside,
        )

    def open_until(self, channel: str, account_id: object) -> datetime | None:
        """Until when this process leaves an account alone that failed again and again; None: it does not."""
        shared = self._accounts.get((channel, str(account_id)))
        return shared.breaker.open_until if shared else None

    async def exchange(
        self, method: str, url: httpx.URL, headers: httpx.Headers, content: bytes | None,
        *, deadline: float | None = None, body_limit: int | None = None,
    ) -> Reply:  # fmt: skip
        """One request on the wire. CallError when no whole answer came within the deadline."""
        seconds, most = deadline or self._deadline, body_limit or self._body_limit
        trip = _Trip(sent=not self._traced)
        before = _trip.set(trip)
        try:
            async with asyncio.timeout(seconds):
                return await self._send(method, url, headers, content, most)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, aiohttp.ClientError) as problem:
            raise self._broken(problem, trip, url.host, seconds, write=method not in READS) from None
        finally:
            _trip.reset(before)

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()
        await self.throttle.close()

    def _session(self) -> aiohttp.ClientSession:
        tracing = aiohttp.TraceConfig()
        tracing.on_request_headers_sent.append(_note_sent)
        connector = aiohttp.TCPConnector(
            resolver=_GatedResolver(self.gate),
            ssl=_tls(),
            limit=256,
            limit_per_host=64,
            keepalive_timeout=15,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[tracing],
            skip_auto_headers=["Content-Type", "User-Agent"],
        )
        # It would send a PUT again when a kept connection breaks, unseen by us.
        session._retry_connection = False  # noqa: SLF001 - aiohttp has no public way to say so
        return session

    async def _send(
        self, method: str, url: httpx.URL, headers: httpx.Headers, content: bytes | None, most: int
    ) -> Reply:
        async with self._http.stream(method, url, headers=headers, content=content) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > most:
                    told = f"the answer is longer than {most // 2**20} MB"
                    raise CallError(
                        Fault.SHAPE,
                        "too_large",
                        told,
                        status=response.status_code,
                        in_doubt=method not in READS,
                    )
            return Reply(status=response.status_code, headers=dict(response.headers.items()), body=bytes(body))

    def _broken(self, problem: BaseException, trip: _Trip, host: str, seconds: float, *, write: bool) -> CallError:
        """The error of a request that got no whole answer."""
        if private := _cause(problem, PrivateAddress):
            return CallError(Fault.AUTH, "private_address", str(private))
        if isinstance(problem, httpx.UnsupportedProtocol | httpx.InvalidURL):
            return CallError(Fault.AUTH, "bad_address", f"{host} is no address that we can call")
        if isinstance(problem, httpx.DecodingError):
            return CallError(Fault.SHAPE, "undecodable", "the answer's compression is broken", in_doubt=write)
        # httpx-aiohttp calls every lost connection a ConnectTimeout: what aiohttp raised tells
        connecting = not self._traced and isinstance(problem, _CONNECTING)
        if connecting or not trip.sent:
            why = "its certificate is not valid" if _cause(problem, aiohttp.ClientSSLError) else "no connection"
            return CallError(Fault.TRANSIENT, "connect", f"{host}: {why}")
        if _cause(problem, TimeoutError) or (not self._traced and isinstance(problem, httpx.TimeoutException)):
            told = f"{host} did not answer within {seconds:g} s"
            return CallError(Fault.TRANSIENT, "timeout", told, in_doubt=write)
        told = f"{host} closed the connection before its answer was complete"
        return CallError(Fault.TRANSIENT, "disconnected", told, in_doubt=write)


def _cause(problem: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    while problem is not None and not isinstance(problem, kind):
        problem = problem.__cause__ or problem.__context__
    return problem


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class AccountApi:
    """One account of a channel: what adapters know as Api. Made by Client.account."""

    client: Client
    shared: _Shared
    channel: str
    account_id: str
    base_url: str
    app_key: str | None
    external_id: str | None
    headers: Mapping[str, str]
    limits: tuple[Limit, ...]
    faults: Mapping[int | str, Fault]
    read_error: ReadError
    tokens: TokenKeeper | None
    renew_on: frozenset[int | str]
    credentials: Any
    facts: Mapping[str, Any]
    sign: Sign | None
    until: Until
    now: Callable[[], datetime]
    inside: tuple[str, int] | None = None  # one address of this machine that it may call, where it is played there
    spare: float = 0.0  # share of each limit's burst that these calls leave to others

    def __repr__(self) -> str:
        return f"<AccountApi {self.channel} {self.account_id}>"

    def yielding(self, spare: float = YIELDED) -> "AccountApi":
        """The same account for work that can wait: its calls leave that share of each limit's burst to others."""
        return replace(self, spare=spare)

    async def admit(self, operation: str | None) -> None:
        """Wait here for the limits that a request of `operation` needs, and spend them: then `call` it `admitted`.

        For a request whose content should be read as late as possible. ChannelError when the breaker is open or the
        wait would be too long.
        """
        self.shared.breaker.check()
        await self._take(operation, self.client.clock() + CALL_SECONDS)

    async def call(self, request: Request, *, admitted: bool = False) -> Reply:
        """The answer, or a ChannelError whose `in_doubt` says whether a write may have been carried out.

        Sent again, at most three times in all: repeatable requests that failed TRANSIENT, or THROTTLED with a
        Retry-After of up to 5 s; but never a write that may still be under way, because it could land last.
        """
        refuse_in_transaction(f"{request.method} to {self.channel}")
        url = self._url(request)
        failures: list[CallError] = []
        until = self.client.clock() + CALL_SECONDS

        async def attempt() -> Reply | CallError:
            told = await self._attempt(request, url, until, admitted=admitted and not failures)
            if isinstance(told, CallError):
                failures.append(told)
            return told

        told: Reply | ChannelError
        try:
            told = await self._retrying(request)(attempt)
        except ChannelError as problem:  # of the throttle, the breaker or the token's keeper
            told = problem
        if isinstance(told, ChannelError):
            raise _with_doubt(told, failures)
        return told

    def _retrying(self, request: Request) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_result(lambda told: isinstance(told, CallError) and self._is_worth_repeating(request, told)),
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(CALL_SECONDS),
            wait=self._pause,
            sleep=self.client.sleep,
            retry_error_callback=_told,
        )

    def _is_worth_repeating(self, request: Request, error: CallError) -> bool:
        soon = error.retry_at is None or self._seconds_to(error.retry_at) <= SHORT_WAIT
        if not request.is_repeatable() or not soon:
            return False
        if error.fault is Fault.THROTTLED:
            return error.retry_at is not None
        late = error.in_doubt and error.status in LATE
        return error.fault is Fault.TRANSIENT and not late and self.shared.breaker.closed

    def _pause(self, state: RetryCallState) -> float:
        error = _told(state)
        told = self._seconds_to(error.retry_at) if isinstance(error, CallError) and error.retry_at else 0.0
        return told + random.uniform(0.25, 0.5) * 3.0 ** (state.attempt_number - 1)

    def _seconds_to(self, at: datetime) -> float:
        return max(0.0, (at - self.now()).total_seconds())

    async def _attempt(self, request: Request, url: httpx.URL, until: float, *, admitted: bool) -> Reply | CallError:
        """One request, and one more with a renewed token when the first was refused for its token."""
        self.shared.breaker.check()
        if not admitted:
            await self._take(request.operation, until)
        authenticate = request.authenticate and self._is_home(url)
        token = await self.tokens.current() if self.tokens and authenticate else None
        static = self.headers if authenticate else {}
        status, told = await self._exchange(request, url, {**static, **(token or {})})
        if token is not None and (status in self.renew_on or _code(told) in self.renew_on):
            token = await self._renewed(token)
            await self._take(request.operation, until)
            status, told = await self._exchange(request, url, {**static, **token})
        if isinstance(told, CallError) and told.fault is Fault.THROTTLED:
            await self.client.throttle.penalize(*self._penalty(told))
        return told

    async def _exchange(
        self, request: Request, url: httpx.URL, shown: Mapping[str, str]
    ) -> tuple[int | None, Reply | CallError]:
        headers, content = self._rendered(request, {} if self._signs(request, url) else shown)
        if self.sign and self._signs(request, url):
            signed = self._signed(self.sign, request, url, shown, content)
            headers, content = self._rendered(signed, {})
            url = self._url(signed)
        probe = self.shared.breaker.begin()
        status, well, began = None, None, self.client.clock()
        told: Reply | CallError
        try:
            try:
                told = reply = await self.client.exchange(request.method, url, headers, content)
                status = reply.status
                told = self._error(request, reply, shown) or reply
            except CallError as problem:
                problem.in_doubt &= not request.is_read()
                told = problem
            failed = isinstance(told, CallError) and told.fault is Fault.TRANSIENT
            well = not failed or (status is not None and 400 <= status < 500)  # noqa: PLR2004 - it is there and talks
        finally:
            self.shared.breaker.settle(well=well, probe=probe)
            if self.client.observe:
                self.client.observe(self.channel, request.operation, status, self.client.clock() - began)
        return status, told

    def _signs(self, request: Request, url: httpx.URL) -> bool:
        return self.sign is not None and (request.authenticate or request.signed) and self._is_home(url)

    def _signed(
        self, sign: Sign, request: Request, url: httpx.URL, shown: Mapping[str, str], content: bytes | None
    ) -> Request:
        return sign(
            Unsigned(
                request=request,
                url=str(url),
                content=content,
                shown=shown,
                credentials=self.credentials,
                facts=self.facts,
                external_id=self.external_id,
                now=self.now(),
            )
        )

    def _error(self, request: Request, reply: Reply, shown: Mapping[str, str]) -> CallError | None:
        """The fault of a reply, None for one that is an answer."""
        write = not request.is_read()
        try:
            code = self.read_error(reply) or None
        except (ChannelError, ValueError, TypeError, LookupError, AttributeError) as problem:
            if reply.status < 400:  # noqa: PLR2004 - an answer should be readable, a proxy's page need not
                told = f"no answer of this channel: {type(problem).__name__}"
                return CallError(Fault.SHAPE, "unreadable", told, status=reply.status, in_doubt=write)
            code = None
        named = self.faults.get(code) if code is not None else None
        if reply.status in request.accept and named not in OVERRULING:
            return None
        fault = named or self.faults.get(reply.status) or default_fault(reply.status, code)
        if fault is None:
            return None
        detail = redact(sentence_of(reply)[:2000], secrets_of(request, shown, self.credentials))
        now, wait = self.now(), wait_told(reply.headers, self.now())
        until = self.until(code or "", now) if wait is None else now + timedelta(seconds=wait)
        undone = reply.status in NOT_DONE or 300 <= reply.status < 400  # noqa: PLR2004 - a redirect did nothing
        return CallError(
            fault,
            redact(code or str(reply.status)),
            detail if len(detail) <= DETAIL_LENGTH else detail[: DETAIL_LENGTH - 1] + "…",
            status=reply.status,
            retry_at=until if fault in _TIMED else None,
            in_doubt=write and fault in _DOUBTFUL and not undone,
        )

    async def _take(self, operation: str | None, until: float) -> None:
        throttle = self.client.throttle
        patience = min(throttle.max_wait, max(0.0, until - self.client.clock()))
        await throttle.take(self.limits, self._names(), operation, max_wait=patience, spare=self.spare)

    def _names(self) -> dict[str, str]:
        return sharers(self.channel, self.account_id, self.app_key)

    def _penalty(self, error: CallError) -> tuple[str, datetime]:
        """Who waits, and until when: the account, or whoever shares the limits that are declared."""
        declared = {limit.per for limit in self.limits}
        names = self._names()
        per = next((per for per in names if per in declared), "account")
        return scope_of(per, names[per]), error.retry_at or self.now() + timedelta(seconds=UNTOLD_WAIT)

    async def _renewed(self, stale: Mapping[str, str]) -> Mapping[str, str]:
        """New token headers, asked for once however many calls found theirs stale."""
        if self.tokens is None:
            return {}
        known = self.shared.renewal
        if known is None or known[0] != stale or (known[1].done() and _failed(known[1])):
            task = asyncio.ensure_future(self.tokens.renew(stale))
            task.add_done_callback(_failed)  # so that nobody complains of an error that nobody waited for
            known = self.shared.renewal = (dict(stale), task)
        return await asyncio.shield(known[1])  # a caller that gives up must not lose a single-use token

    def _rendered(self, request: Request, shown: Mapping[str, str]) -> tuple[httpx.Headers, bytes | None]:
        content, kind = None, None
        if request.form:
            content, kind = urlencode(request.form).encode(), "application/x-www-form-urlencoded"
        elif request.json is not None:
            content = json.dumps(request.json, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
            kind = "application/json"
        elif request.xml is not None:
            content, kind = request.xml.encode(), "text/xml; charset=utf-8"
        told = {"content-type": kind} if kind else {}
        try:
            headers = httpx.Headers(told)
            headers.update(shown)
            headers.update(request.headers)
        except UnicodeError:
            headers = httpx.Headers({"-": "\n"})
        if any(re.search(r"[\r\n\0]", value) for value in headers.values()):
            raise CallError(
                Fault.AUTH,
                "bad_credentials",
                "a key holds characters that no header may hold: type it in again",
            )
        return headers, content

    def _url(self, request: Request) -> httpx.URL:
        """Where a request goes. CallError for an address that must not be called."""
        path = request.path
        absolute = path.lower().startswith(("http://", "https://"))
        if not absolute:
            path = self.base_url + ("" if path.startswith("/") else "/") + path
        if request.params:
            path += ("&" if "?" in path else "?") + urlencode(request.params, quote_via=quote, safe="")
        try:
            url = httpx.URL(path)
        except (httpx.InvalidURL, ValueError):
            url = httpx.URL("")
        if url.scheme not in {"http", "https"} or not url.host or url.userinfo:
            raise CallError(Fault.AUTH, "bad_address", "that is no http or https address that we can call")
        if url.scheme != "https" and not self._is_home(url):
            raise CallError(Fault.REJECTED, "foreign_address", f"{url.host} is another host, and not over https")
        if self.inside == (url.host, url.port):
            return url
        try:
            self.client.gate.check_literal(url.host)
        except PrivateAddress as refusal:
            raise CallError(Fault.AUTH, "private_address", str(refusal)) from None
        return url

    def _is_home(self, url: httpx.URL) -> bool:
        """Whether an address is the channel's own: no other host is shown the account's keys."""
        home = httpx.URL(self.base_url)
        return (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)


_TIMED = frozenset({Fault.THROTTLED, Fault.TRANSIENT})
_DOUBTFUL = frozenset({Fault.TRANSIENT, Fault.SHAPE})


def _told(state: RetryCallState) -> Reply | CallError | None:
    return state.outcome.result() if state.outcome else None


def _code(told: Reply | CallError) -> str | None:
    return told.code if isinstance(told, CallError) else None


def _failed(task: "asyncio.Task[Any]") -> bool:
    return task.cancelled() or task.exception() is not None


def _with_doubt(problem: ChannelError, failures: Sequence[CallError]) -> ChannelError:
    """The last error, in doubt when any attempt before it was."""
    if not any(failure.in_doubt for failure in failures) or getattr(problem, "in_doubt", False):
        return problem
    return CallError(
        problem.fault,
        problem.code,
        problem.detail,
        status=problem.status,
        retry_at=problem.retry_at,
        in_doubt=True,
    )

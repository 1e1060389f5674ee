"""Webhook to inbox: verify, read, keep, ring. No channel is called and nothing is decided here.

Runs in the web process. All requests in flight share one insert: a group commit bears several times the load of
an insert per request.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import psycopg

from hub.contract import WebhookSource
from hub.faults import BadSignature, ChannelError
from hub.model import Knock, Notice, Topic
from hub.secrets import token_hash
from hub.store import StoreError, accounts, inbox
from hub.store.accounts import Route
from hub.store.inbox import Arrival
from jobs.poll import arrival_of
from jobs.runtime import Runtime, log

ROUTES_SECONDS = 5.0
MISS_SECONDS = 0.25  # an unknown token makes us look again, at most this often
GROUP = 500
ANSWER_SECONDS = 8.0  # a sender is told to come again sooner than a database that does not answer lets go of us
GATHER_SECONDS = 0.002  # while notices come in a stream, what comes within this time shares one commit
K = TypeVar("K")
RING_SECONDS = 0.02  # in a stream an account is rung for this often, not with each commit
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer a knock: an HTTP status and, for what was refused, one sentence."""

    status: int
    sentence: str = ""


OK = Answer(200)
FORGED = Answer(401, "the signature does not match")
LATER = Answer(503, "try again later")
UNFIT = Answer(400, "it holds something that cannot be kept")
_AWAY = (psycopg.OperationalError, StoreError, OSError)  # it is the database's trouble, not one row's


@dataclass(slots=True)
class Intake:
    """The door of the web process. `start` it once; `accept` each knock; `counted` says what came."""

    rt: Runtime
    counted: Counter[str] = field(default_factory=Counter)
    _by_token: dict[bytes, Route] = field(default_factory=dict)
    _by_app: dict[bytes, tuple[UUID, str]] = field(default_factory=dict)
    _by_member: dict[tuple[UUID, str], Route] = field(default_factory=dict)
    _secrets: dict[UUID, tuple[float, str]] = field(default_factory=dict)
    _read_at: float = 0.0
    _coming: "asyncio.Task[None] | None" = None  # the next reading of the routes, not begun yet
    _queue: "list[tuple[list[Arrival], asyncio.Future[None]]]" = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _writer: "asyncio.Task[None] | None" = None
    _patience: asyncio.TimerHandle | None = None
    _rung: dict[UUID, float] = field(default_factory=dict)  # when an account was rung for, or will be

    async def start(self) -> None:
        """Read the routes and start the writer."""
        await self._read_routes()
        self._writer = asyncio.create_task(self._write_groups())

    async def close(self) -> None:
        """Write what is in flight, then stop."""
        while self._queue:  # noqa: ASYNC110 - the writer empties it within milliseconds, once
            await asyncio.sleep(0.01)
        if self._writer:
            self._writer.cancel()

    # ── one knock ──────────────────────────────────────────────────────────────────────────────────────────────

    async def accept(self, token: str, knock: Knock, *, app: bool) -> Answer:
        """Take one webhook in. It is answered 200 once it is committed, never before."""
        try:
            answer = await (self._app if app else self._account)(token, knock)
        except _AWAY:
            answer = LATER
        except UnicodeError:  # half a character, escaped: JSON allows it, nothing can store it
            answer = UNFIT
        self.counted[str(answer.status)] += 1
        return answer

    async def _account(self, token: str, knock: Knock) -> Answer:
        route = await self._find(self._by_token, token_hash(token))
        if route is None:
            return Answer(404, "no account has this address")
        webhook = self.rt.adapter(route.channel).webhook
        if webhook is None:
            return Answer(404, "this channel sends no webhooks")
        if webhook.is_ping and webhook.is_ping(knock):
            self.counted["ping"] += 1
            return OK
        try:
            await self._verify(webhook, route, knock)
            notices = webhook.read(knock)
        except BadSignature:
            return FORGED
        except ChannelError as problem:
            return Answer(400, problem.detail)
        return await self._keep([(route, notice) for notice in notices])

    async def _verify(self, webhook: WebhookSource, route: Route, knock: Knock) -> None:
        secret = await self._secret(route)
        if not secret:  # anybody can sign with an empty key
            raise BadSignature("the vendor's secret is not given yet")
        webhook.verify(secret, knock)

    async def _app(self, token: str, knock: Knock) -> Answer:
        found = await self._find(self._by_app, token_hash(token))
        if found is None:
            return Answer(404, "no application has this address")
        app_id, channel = found
        webhook = self.rt.adapter(channel).webhook
        if webhook is None:
            return Answer(404, "this channel sends no webhooks")
        if webhook.is_ping and webhook.is_ping(knock):
            self.counted["ping"] += 1
            return OK
        try:
            if webhook.secret is None:
                webhook.verify("", knock)
            notices = webhook.read(knock)
        except BadSignature:
            return FORGED
        except ChannelError as problem:
            return Answer(400, problem.detail)
        known = []
        for notice in notices:
            route = await self._find(self._by_member, (app_id, notice.account_ref or ""))
            if route is None:
                # A 4xx would make Mercado Livre switch the topic off for every seller of the application.
                self.counted["nobody"] += 1
            else:
                known.append((route, notice))
        if webhook.secret is not None:  # an application's key stands among the credentials of each of its accounts
            try:
                for route in {route.account_id: route for route, _notice in known}.values():
                    await self._verify(webhook, route, knock)
            except BadSignature:
                return FORGED
        return await self._keep(known)

    async def _keep(self, told: Sequence[tuple[Route, Notice]]) -> Answer:
        arrivals = []
        for route, notice in told:
            self.counted[f"topic:{notice.topic}"] += 1
            if notice.topic not in (Topic.PING, Topic.IGNORED):
                arrivals.append(arrival_of(route, notice, "webhook"))
        if not arrivals:
            return OK
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((arrivals, done))
        self._wake.set()
        try:
            await done
        except _AWAY as problem:
            log.error("intake could not write", reason=" ".join(str(problem).split())[:200])
            return LATER
        except (psycopg.Error, ValueError) as problem:
            log.error("intake could not keep a notice", reason=" ".join(str(problem).split())[:200])
            return UNFIT
        return OK

    # ── routes and secrets ─────────────────────────────────────────────────────────────────────────────────────

    async def _find(self, table: dict[K, T], key: K) -> T | None:
        """What a table says; one that says nothing is read again, for who was connected a moment ago is not nobody."""
        if key not in table or time.monotonic() - self._read_at > ROUTES_SECONDS:
            try:
                if self._coming is None:
                    self._coming = asyncio.create_task(self._read_later())
                    self._coming.add_done_callback(lambda done: done.cancelled() or done.exception())
                await asyncio.shield(self._coming)
            except _AWAY as problem:  # those known still hold; of the others we cannot say that they are nobody's
                log.warning("routes not read", reason=" ".join(str(problem).split())[:200])
                if key not in table:
                    raise
        return table.get(key)

    async def _read_later(self) -> None:
        """One reading for all who ask before it begins, not sooner than MISS_SECONDS after the last."""
        await asyncio.sleep(max(0.0, self._read_at + MISS_SECONDS - time.monotonic()))
        self._coming = None
        await self._read_routes()

    async def _read_routes(self) -> None:
        self._read_at = time.monotonic()
        async with self.rt.db.dispatch() as tx:
            routes, apps = await accounts.routes(tx)
        self._by_token.clear()
        self._by_token.update({bytes(route.callback_hash): route for route in routes})
        self._by_app.clear()
        self._by_app.update(apps)
        self._by_member.clear()
        self._by_member.update(
            {(route.app_id, route.external_id): route for route in routes if route.app_id and route.external_id}
        )

    async def _secret(self, route: Route) -> str:
        kept = self._secrets.get(route.account_id)
        if kept and time.monotonic() - kept[0] < ROUTES_SECONDS:
            return kept[1]
        try:
            secret = await self.rt.hook_secret(route.seller_id, route.account_id)
        except _AWAY:
            if kept is None:
                raise
            return kept[1]
        self._secrets[route.account_id] = (time.monotonic(), secret)
        return secret

    # ── the group writer ───────────────────────────────────────────────────────────────────────────────────────

    async def _write_groups(self) -> None:
        loop, wrote = asyncio.get_running_loop(), 0.0
        while True:
            await self._wake.wait()
            self._wake.clear()
            if loop.time() - wrote < 10 * GATHER_SECONDS:
                await asyncio.sleep(GATHER_SECONDS)
            while self._queue:
                group, self._queue[:] = self._queue[:GROUP], self._queue[GROUP:]
                await self._write(group)
            wrote = loop.time()

    async def _write(self, group: "Sequence[tuple[list[Arrival], asyncio.Future[None]]]") -> None:
        kept: list[Arrival] = []
        self._give_up_later(group)
        try:
            arrivals = [arrival for arrivals, _done in group for arrival in arrivals]
            await self._insert(arrivals)
            kept = arrivals
        except _AWAY as problem:  # row by row it would only take as many times as long
            for _arrivals, done in group:
                _fail(done, problem)
        except Exception:  # noqa: BLE001 - whatever it is, the writer must live and every sender be answered
            for arrivals, done in group:  # one bad row must not take the others with it
                try:
                    await self._insert(arrivals)
                    kept += arrivals
                except Exception as problem:  # noqa: BLE001 - as above
                    _fail(done, problem)
        finally:
            if self._patience:
                self._patience.cancel()
        for _arrivals, done in group:
            if not done.done():
                done.set_result(None)
        for account_id in {arrival.account_id for arrival in kept if arrival.state == "due"}:
            self._ring(account_id)

    def _ring(self, account_id: UUID) -> None:
        """Ring now, or as soon as the last ring is RING_SECONDS old; one that is still to come serves as well."""
        loop = asyncio.get_running_loop()
        now, rung = loop.time(), self._rung.get(account_id, 0.0)
        if rung > now:
            return
        self._rung[account_id] = at = max(now, rung + RING_SECONDS)
        if at > now:
            loop.call_at(at, self.rt.ring, "intake", account_id)
        else:
            self.rt.ring("intake", account_id)

    def _give_up_later(self, group: "Sequence[tuple[list[Arrival], asyncio.Future[None]]]") -> None:
        self._patience = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._give_up, group)

    def _give_up(self, group: "Sequence[tuple[list[Arrival], asyncio.Future[None]]]") -> None:
        """Tell everybody who waits to come again. What is under way may be written after all: that harms nothing."""
        problem = StoreError(f"the database did not answer within {ANSWER_SECONDS:g} s")
        for _arrivals, done in [*group, *self._queue]:
            _fail(done, problem)
        self._queue.clear()
        self._give_up_later(group)

    async def _insert(self, arrivals: Sequence[Arrival]) -> None:
        async with self.rt.db.intake() as tx:
            await inbox.add(tx, arrivals)


def _fail(done: "asyncio.Future[None]", problem: Exception) -> None:
    if not done.done():
        done.set_exception(problem)
        done.exception()  # marked as seen: its sender may be gone

"""The lane of events out: each worker sends what is due, some of every endpoint at once, under leases."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import psycopg

from hub import delivery
from hub import events as decide
from hub.answers import wait_told
from hub.context import working_for
from hub.faults import ChannelError
from hub.model import Reply
from hub.redaction import redact
from hub.store import StoreError, alerts, endpoints, events
from hub.store.endpoints import Attempt, Busy, Claimed
from jobs import events as flow
from jobs.runtime import Runtime, log

EACH = 4  # requests under way to one endpoint, over all workers
ALL = 64  # in one worker
FAILING = 16  # of these, to endpoints that did not take the last one: the slow and the dead leave room to the others
PAUSE, LEAST_PAUSE = 1.0, 0.02
LAST_SECONDS = 10.0  # for what is under way when a worker ends; the rest comes again under another lease
ANSWER_LENGTH = 2000
OK = range(200, 300)


@dataclass(slots=True)
class Courier:
    """One process's share of the lane."""

    rt: Runtime
    _out: dict[UUID, set[asyncio.Task[None]]] = field(default_factory=dict)  # under way, by endpoint
    _ill: set[UUID] = field(default_factory=set)
    _landed_one: asyncio.Event = field(default_factory=asyncio.Event)
    _desk: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(3))  # of the pool's connections

    async def run(self, stop: asyncio.Event) -> None:
        """Number and send until `stop`, beside everything else."""
        ended = asyncio.ensure_future(stop.wait())
        while not stop.is_set():
            try:
                await self.round()
            except (psycopg.Error, StoreError, OSError) as problem:
                log.warning("events skipped", reason=" ".join(str(problem).split())[:200])
            except Exception:  # noqa: BLE001 - the lane's boundary: one that ended would leave everything unsent
                log.exception("events failed")
            await asyncio.sleep(LEAST_PAUSE)
            landed = asyncio.ensure_future(self._landed_one.wait())
            pause = PAUSE * (0.75 + random.random() / 2)
            await asyncio.wait({ended, landed}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            landed.cancel()
            self._landed_one.clear()
        await self.close()

    async def close(self) -> None:
        """Let what is under way end, for a while."""
        left = self._under_way()
        if left:
            await asyncio.wait(left, timeout=LAST_SECONDS)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def drain(self) -> int:
        """Number and send until nothing is due and nothing under way. Answers how many were sent or tried."""
        total = 0
        while began := await self.round():
            total += began
            await self._landed()
        return total

    async def _landed(self) -> None:
        while left := self._under_way():
            await asyncio.wait(left)
            for task in left:
                task.result()

    def _under_way(self) -> list[asyncio.Task[None]]:
        return [task for some in self._out.values() for task in some]

    async def round(self) -> int:
        """Hand out what happened, and begin to send what is due and has room. Answers how many were begun."""
        async with self.rt.db.dispatch() as tx:
            sellers = await events.sellers_with_news(tx, self.rt.now())
        for seller_id in sellers:
            await self._sort(seller_id)
        async with self.rt.db.dispatch() as tx:
            found = await endpoints.busy(tx, self.rt.now())
        return sum([await self._begin(endpoint) for endpoint in found])

    async def _sort(self, seller_id: UUID) -> None:
        with working_for(seller_id):
            try:
                await flow.sort(self.rt, seller_id)
            except Exception:  # noqa: BLE001 - one seller's trouble is not another's
                log.exception("events not handed out", seller=str(seller_id))

    def _room(self, endpoint: Busy) -> int:
        """How many more may leave for it now. One that failed last is tried with one, and all of those share a part."""
        mine = len(self._out.get(endpoint.id, ()))
        left = ALL - len(self._under_way())
        if not endpoint.failures:
            return max(0, min(EACH - mine, left))
        ill = sum(len(some) for id_, some in self._out.items() if id_ in self._ill)
        return max(0, min(1 - mine, left, FAILING - ill))

    async def _begin(self, endpoint: Busy) -> int:
        room = self._room(endpoint)
        if not room:
            return 0
        (self._ill.add if endpoint.failures else self._ill.discard)(endpoint.id)
        token, now = uuid4(), self.rt.now()
        most = 1 if endpoint.failures else EACH
        async with self._desk, self.rt.db.seller(endpoint.seller_id) as tx:
            if not await endpoints.turn(tx, endpoint.id):
                return 0  # another claims from it, or notes what became of something: the next round
            claimed = await endpoints.claim(tx, endpoint.id, token, self.rt.worker, now, most)
        self._send_off(endpoint.seller_id, token, claimed)
        return len(claimed)

    def _send_off(self, seller_id: UUID, token: UUID, claimed: Iterable[Claimed]) -> None:
        for each in claimed:
            task = asyncio.create_task(self._one(seller_id, token, each))
            some = self._out.setdefault(each.endpoint_id, set())
            some.add(task)
            task.add_done_callback(self._landed_at(some))

    def _landed_at(self, some: "set[asyncio.Task[None]]") -> Callable[["asyncio.Task[None]"], None]:
        def landed(task: "asyncio.Task[None]") -> None:
            some.discard(task)
            self._landed_one.set()  # there is room for one more

        return landed

    async def send_now(self, seller_id: UUID, endpoint_id: UUID, delivery_id: UUID) -> None:
        """Send one delivery while somebody waits for it, unless a worker has it already."""
        token = uuid4()
        async with self.rt.db.seller(seller_id) as tx:
            claimed = await endpoints.claim(
                tx, endpoint_id, token, self.rt.worker, self.rt.now(), EACH + 1, only=delivery_id
            )
        for each in claimed:
            await self._one(seller_id, token, each)

    async def _one(self, seller_id: UUID, token: UUID, each: Claimed) -> None:
        with working_for(seller_id):
            try:
                attempt, told = await self._try(each)
                async with self._desk:
                    await self._note(seller_id, token, each, attempt, told)
            except Exception:  # noqa: BLE001 - the lane's boundary: its lease runs out, and it comes again
                log.exception(
                    "event not sent", endpoint=str(each.endpoint_id), message=decide.message_id(each.event_id)
                )

    async def _try(self, each: Claimed) -> tuple[Attempt, float | None]:
        """One request, and how long the endpoint asked to be left alone."""
        at, began = self.rt.now(), time.monotonic()
        secrets = self._secrets(each, at)
        signed = decide.headers(secrets, each.event_id, at, each.body)
        told: Reply | ChannelError
        try:
            told = await delivery.post(self.rt.http, each.url, signed, each.body)
        except ChannelError as problem:
            told = problem
        ms = round((time.monotonic() - began) * 1000)
        if isinstance(told, ChannelError):
            return Attempt(at=at, ms=ms, status=None, problem=told.code, answer=redact(told.detail)), None
        refused = None if told.status in OK else "redirect" if 300 <= told.status < 400 else "status"  # noqa: PLR2004 - HTTP
        answer = redact(told.body[: 4 * ANSWER_LENGTH].decode("utf-8", "replace").replace("\x00", ""), secrets)
        wait = wait_told(told.headers, at) if refused and "retry-after" in told.headers else None
        return Attempt(at=at, ms=ms, status=told.status, problem=refused, answer=answer[:ANSWER_LENGTH]), wait

    def _secrets(self, each: Claimed, at: datetime) -> list[str]:
        """The secrets that sign: the endpoint's, and for a while the one that it had before."""
        found = [self.rt.open_sealed(each.endpoint_id, each.sealed)["secret"]]
        if each.old_sealed is not None and each.old_until is not None and at < each.old_until:
            found.append(self.rt.vault.open(each.old_sealed)["secret"])
        return found

    async def _note(self, seller_id: UUID, token: UUID, each: Claimed, attempt: Attempt, wait: float | None) -> None:
        now, taken = self.rt.now(), attempt.problem is None
        again = None if taken else decide.again_at(now, each.attempts + 1, random.random(), wait)
        async with self.rt.db.seller(seller_id) as tx:
            await endpoints.note(tx, token, each, attempt, now, again)
            if taken:
                await endpoints.took(tx, each.endpoint_id, now)
                return
            said = f"{attempt.status}" if attempt.status is not None else str(attempt.problem)
            failures, since = await endpoints.missed(tx, each.endpoint_id, said, now)
            why = "gone" if attempt.status == decide.GONE else "failing" if decide.is_hopeless(since, now) else None
            if why is not None and await endpoints.disable(tx, each.endpoint_id, why, now):
                await alerts.raise_(
                    tx, flow.DISABLED, str(each.endpoint_id), severity="warning", host=decide.host_of(each.url),
                    why=why, said=said,
                )  # fmt: skip
                log.warning("endpoint disabled", endpoint=str(each.endpoint_id), why=why)
            elif until := decide.rest_until(now, failures, random.random(), wait):
                await endpoints.rest(tx, each.endpoint_id, until)


async def prune(rt: Runtime, seller_id: UUID) -> None:
    """Drop the log of events that is older than raw documents are kept."""
    before = rt.now() - timedelta(days=rt.policy.inbox_days)
    while True:
        async with rt.db.seller(seller_id) as tx:
            if not await events.prune(tx, before):
                return

"""The live feed: what reached the hub, which channel answered it, what needs a person at once; server-sent events.

One poller per process reads the tables twice a second for each seller that somebody is looking at.
"""

import asyncio
import contextlib
import itertools
from collections import OrderedDict
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import aiohttp_jinja2
import psycopg
from aiohttp import web

from hub.store import StoreError, Tx, alerts, first_reading, first_run, screens
from hub.web import words
from hub.web.edge import HEADERS, Problem, Visit
from hub.web.i18n import Language
from hub.web.keys import RUNTIME
from jobs.runtime import Runtime, log

Rows: TypeAlias = Sequence[Mapping[str, Any]]

EVERY = 0.5  # an alert is on the page within a second of what it is about
OVERLAP = timedelta(seconds=10)  # a row may be committed so long after the instant that it names
MOST = 50  # rows of one look: in a storm the newest ones
MOST_LISTENERS = 200
HEARTBEAT = 15.0
LONGEST = 300.0  # seconds of one stream; the browser comes back, and is asked again who it is
SHOWN = 20
STEPS_EVERY = 4  # looks between two at how far a first run, and the first reading of an account, is


@dataclass(slots=True)
class _Seen:
    """What one seller's listeners have been told: row ids, oldest first, of the overlap at least."""

    ids: OrderedDict[UUID, datetime] = field(default_factory=OrderedDict)
    listeners: set[asyncio.Queue[Rows | None]] = field(default_factory=set)
    steps: Hashable = None  # how far the seller's first run is, and accounts that are read for the first time
    floor: datetime | None = None  # in a storm: what is older than the newest rows is not shown any more

    def since(self, now: datetime) -> datetime:
        """From when on to look."""
        return max(now - OVERLAP, self.floor) if self.floor else now - OVERLAP

    def remember(self, rows: Rows, since: datetime) -> None:
        """Keep these ids, and let go those that no look can find any more."""
        if len(rows) == MOST:
            self.floor = rows[-1]["answered_at"]
        self.ids.update((row["id"], row["answered_at"]) for row in reversed(rows))
        for id_ in [id_ for id_, at in self.ids.items() if at < since]:
            del self.ids[id_]


@dataclass(slots=True)
class Feed:
    """Sellers somebody is looking at, and the one task that looks into the table for all of them."""

    _sellers: dict[UUID, _Seen] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None
    _closed: bool = False

    @asynccontextmanager
    async def listening(self, rt: Runtime, seller_id: UUID) -> AsyncIterator[asyncio.Queue[Rows | None]]:
        """A queue of new rows, newest first in each lot; None when the server stops."""
        if self._closed or sum(len(seen.listeners) for seen in self._sellers.values()) >= MOST_LISTENERS:
            raise Problem(503)
        queue: asyncio.Queue[Rows | None] = asyncio.Queue(maxsize=100)
        if seller_id not in self._sellers:
            seen = _Seen()
            async with rt.db.seller(seller_id) as tx:
                seen.steps = await _steps(tx)
            seen.remember(await self._rows(rt, seller_id, seen), rt.now() - OVERLAP)
            self._sellers.setdefault(seller_id, seen)
        self._sellers[seller_id].listeners.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(rt))
        try:
            yield queue
        finally:
            seen = self._sellers[seller_id]
            seen.listeners.discard(queue)
            if not seen.listeners:
                del self._sellers[seller_id]

    async def close(self) -> None:
        """Let every listener go."""
        self._closed = True
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for seen in self._sellers.values():
            for queue in seen.listeners:
                _put(queue, None)

    async def _run(self, rt: Runtime) -> None:
        for look in itertools.count():
            if not self._sellers:
                return
            await asyncio.sleep(EVERY)
            for seller_id, seen in list(self._sellers.items()):
                try:
                    rows = await self._rows(rt, seller_id, seen)
                    if look % STEPS_EVERY == 0:
                        await self._step(rt, seller_id, seen)
                except (StoreError, psycopg.Error) as problem:
                    log.warning("feed skipped", reason=str(problem)[:200])
                    continue
                seen.remember(rows, rt.now() - OVERLAP)
                for queue in seen.listeners if rows else ():
                    _put(queue, rows)

    @staticmethod
    async def _step(rt: Runtime, seller_id: UUID, seen: _Seen) -> None:
        """Tell listeners that a step of the first run, or of a reading, was made; what it is stands on the page."""
        async with rt.db.seller(seller_id) as tx:
            now = await _steps(tx)
        if now != seen.steps:
            seen.steps = now
            for queue in seen.listeners:
                _put(queue, [STEP])

    @staticmethod
    async def _rows(rt: Runtime, seller_id: UUID, seen: _Seen) -> Rows:
        async with rt.db.seller(seller_id) as tx:
            since = seen.since(rt.now())
            pushed = await screens.pushes_since(tx, since, seen.ids, MOST)
            raised = await alerts.urgent_since(tx, since, seen.ids, MOST)
        told = [*pushed, *({**row, "answered_at": row["opened_at"]} for row in raised)]
        return sorted(told, key=lambda row: row["answered_at"], reverse=True)[:MOST]


STEP: Mapping[str, Any] = {}


async def _steps(tx: Tx) -> Hashable:
    return await first_run.signature(tx), await first_reading.signature(tx)


def _put(queue: asyncio.Queue[Rows | None], rows: Rows | None) -> None:
    if queue.full():  # a reader that does not read: the oldest lot goes
        queue.get_nowait()
    queue.put_nowait(rows)


FEED: web.AppKey[Feed] = web.AppKey("feed", Feed)


async def close(app: web.Application) -> None:
    """Before the server waits for its open answers to end."""
    await app[FEED].close()


def _event(app: web.Application, language: Language, row: Mapping[str, Any]) -> bytes:
    """One row as the page itself would show it."""
    if row is STEP:
        return b"event: steps\ndata: -\n\n"
    env, tr = aiohttp_jinja2.get_env(app), language.gettext
    if "severity" in row:
        sentence, page = words.alert_sentence(language, row), words.alert_page(row)
        shown = env.get_template("_alert.html").render(row=row, sentence=sentence, page=page, t=language, _=tr)
    else:
        shown = env.get_template("_push.html").render(row=row, t=language, _=tr)
    lines = "".join(f"data: {line}\n" for line in shown.splitlines() if line.strip())
    return f"id: {row['id']}\n{lines}\n".encode()


async def stream(visit: Visit) -> web.StreamResponse:
    """New rows as they come, oldest first. Ends after some minutes; the browser comes back by itself."""
    answer = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    app, loop = visit.request.app, asyncio.get_running_loop()
    until = loop.time() + LONGEST
    async with app[FEED].listening(app[RUNTIME], visit.seller_id) as queue:
        # What happened between the page and this: the page knows which rows it has.
        async with visit.tx() as tx:
            latest = await screens.pushes(tx, SHOWN)
        await answer.prepare(visit.request)
        await answer.write(b"retry: 2000\n\n" + b"".join(_event(app, visit.language, row) for row in reversed(latest)))
        while loop.time() < until:
            try:
                rows = await asyncio.wait_for(queue.get(), HEARTBEAT)
            except TimeoutError:
                await answer.write(b": still here\n\n")
                continue
            if rows is None:
                break
            await answer.write(b"".join(_event(app, visit.language, row) for row in reversed(rows)))
    return answer

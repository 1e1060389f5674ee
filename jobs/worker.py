"""A worker process: RQ jobs are thin shells around one event loop that stays warm for the process's life."""

import asyncio
import os
import signal
import threading
import time
from concurrent.futures import Future

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from config.logging import setup
from hub.redaction import redact_event
from jobs import sweep
from jobs.install import Installation, prepare, runtime
from jobs.runtime import Runtime, log


class _NoAlarm(BaseDeathPenalty):
    """RQ's alarm would break the warm loop; drains have their own deadline."""

    def setup_death_penalty(self) -> None:
        """Nothing."""

    def cancel_death_penalty(self) -> None:
        """Nothing."""


class _Worker(SimpleWorker):
    """RQ's worker without alarms and with short waits for a Redis that is away."""

    death_penalty_class = _NoAlarm
    max_connection_wait_time = 1.0
    stopping = False

    def request_stop(self, signum: int, frame: object) -> None:
        """SIGTERM or SIGINT: end after the drain under way."""
        _Worker.stopping = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call] # rq does not annotate it


class Loop:
    """The event loop thread of a worker, with its Runtime."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flows", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._rt: Runtime | None = None
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Run until `close`; raises what kept it from starting."""
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as problem:  # noqa: BLE001 - handed to the main thread
            self._failure = problem
            self._ready.set()

    async def _main(self) -> None:
        async with runtime(self._installation) as (rt, pulse):
            self._loop, self._stop, self._rt = asyncio.get_running_loop(), asyncio.Event(), rt
            self._ready.set()
            await sweep.run(rt, pulse, self._stop)

    def call(self, lane: str, shard: int) -> int:
        """Drain a lane on the warm loop and wait for it."""
        if self._loop is None or self._rt is None:
            raise RuntimeError("the loop has not started")
        future: Future[int] = asyncio.run_coroutine_threadsafe(sweep.drain(self._rt, lane, shard), self._loop)
        return future.result()

    def close(self) -> None:
        """Let what is under way end."""
        if self._loop and self._stop:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=15)

    @property
    def alive(self) -> bool:
        """Whether the loop still runs."""
        return self._thread.is_alive()


_loop: Loop | None = None


def drain(lane: str, shard: int) -> None:
    """The one RQ job: drain a lane of a shard on this worker's warm loop."""
    if _loop is None:
        raise RuntimeError("drain runs inside a Balcão worker")
    _loop.call(lane, shard)


def lanes_from(first: int) -> list[str]:
    """Every lane, beginning with another one for each worker: none starves, and any worker may die."""
    order = ["intake", "stock", "shipments", "tracking", "catalogue"]
    turn = (0, 1, 2)[first % 3]
    return order[turn:] + order[:turn]


def main(number: int = 0) -> None:
    """Run a worker until SIGTERM or SIGINT. With Redis away it sweeps on, and takes up RQ again when it is back."""
    global _loop  # noqa: PLW0603 - RQ finds its job by dotted name; the loop is the process's
    installation = prepare(migrate=False)
    setup(installation.settings.log_format, installation.settings.log_level, redaction=redact_event)
    _loop = Loop(installation)
    _loop.start()
    signal.signal(signal.SIGTERM, _stop_early)  # until RQ takes the signals over
    log.info("worker started", pid=os.getpid(), lanes=lanes_from(number))
    while not _Worker.stopping and _loop.alive:
        try:
            _serve(installation.redis_url, number)
        except RedisError as problem:
            log.warning("redis is away; sweeping on", reason=str(problem)[:120])
            time.sleep(1)
    _loop.close()


def _stop_early(_signum: int, _frame: object) -> None:
    _Worker.stopping = True


def _serve(redis_url: str, number: int) -> None:
    """Take RQ jobs until asked to stop; RedisError when Redis cannot even be greeted."""
    redis = Redis.from_url(redis_url, socket_connect_timeout=1)
    queues = [Queue(lane, connection=redis, serializer=JSONSerializer) for lane in lanes_from(number)]
    _Worker(queues, connection=redis, serializer=JSONSerializer).work(logging_level="CRITICAL")

"""The faults: each is a context in which something is broken, and whole again afterwards."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import redis

import adapters.correios.sandbox
import adapters.woocommerce.sandbox
from hub.web.keys import RUNTIME
from tests.faults.shop import Shop

SLOW = 0.05  # seconds that each piece sent to the database is held back: some 0.2 s a transaction
SKEW = timedelta(seconds=90)
LANES = {"ingest": ("intake", "inbox"), "push": ("stock", "stock_slot"), "tracking": ("tracking", "shipment")}


@contextlib.asynccontextmanager
async def redis_down(s: Shop, _stage: str) -> AsyncIterator[None]:
    """Valkey is killed."""
    s.place.kill_redis()
    try:
        yield
    finally:
        await asyncio.to_thread(s.place.start)
        bells = (s.rt.bell, s.web.app[RUNTIME].bell)
        for bell in bells:  # a Redis that was away is left alone for two seconds
            while not await asyncio.to_thread(bell.answers):  # noqa: ASYNC110 - it must be asked to be heard
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def database_slow(s: Shop, _stage: str) -> AsyncIterator[None]:
    """Every statement takes its time."""
    s.place.wire.delay = SLOW
    try:
        yield
    finally:
        s.place.wire.delay = 0.0


@contextlib.asynccontextmanager
async def database_down(s: Shop, _stage: str) -> AsyncIterator[None]:
    """PostgreSQL is killed; it recovers from its log afterwards."""
    s.place.kill_postgres()
    try:
        yield
    finally:
        await asyncio.to_thread(s.place.start)
        await s.reconnected()


def knobs(**turned: float) -> Callable[[Shop, str], AbstractAsyncContextManager[None]]:
    """Every channel behaves like this."""

    @contextlib.asynccontextmanager
    async def broken(s: Shop, _stage: str) -> AsyncIterator[None]:
        sandboxes = [store.sandbox for store in (s.one, s.two, s.carrier)]
        before = {name: getattr(sandboxes[0].knobs, name) for name in turned}
        for sandbox in sandboxes:
            sandbox.knobs.turn(turned)
        try:
            yield
        finally:
            for sandbox in sandboxes:
                sandbox.knobs.turn(before)

    return broken


@contextlib.asynccontextmanager
async def bad_token(s: Shop, _stage: str) -> AsyncIterator[None]:
    """The keys were taken back at every channel."""
    with (
        patch.object(adapters.woocommerce.sandbox, "WRITE_SECRET", "cs_" + "00" * 20),
        patch.object(adapters.correios.sandbox, "ACCESS_CODE", "outro"),
        patch.object(s.carrier.sandbox, "token", ""),
    ):
        yield


def clock_off(by: timedelta) -> Callable[[Shop, str], AbstractAsyncContextManager[None]]:
    """The worker's clock is wrong; the database's and the channels' are right."""

    @contextlib.asynccontextmanager
    async def broken(s: Shop, _stage: str) -> AsyncIterator[None]:
        before = s.rt.now
        s.rt.now = lambda: datetime.now(UTC) + by
        try:
            yield
        finally:
            s.rt.now = before

    return broken


@contextlib.asynccontextmanager
async def worker_killed(s: Shop, stage: str) -> AsyncIterator[None]:
    """A real worker process is killed while it waits for a channel's answer; another one is there."""
    process = await start_worker(s)
    try:
        if stage in LANES:
            lane, table = LANES[stage]
            async with knobs(latency=1.5)(s, stage):
                s.rt.bell.ring(lane, 0)
                until = time.monotonic() + 20
                while not s.rows(f"SELECT 1 FROM {table} WHERE lease_by IS NOT NULL AND lease_until > now()"):
                    assert time.monotonic() < until, "the worker took nothing up"
                    s.rt.bell.ring(lane, 0)
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.4)  # its request is on its way
                os.kill(process.pid, signal.SIGKILL)
        else:
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def start_worker(s: Shop) -> asyncio.subprocess.Process:
    """A worker process as `balcao up` starts it."""
    redis.Redis.from_url(s.installation.redis_url).flushdb()
    told = {
        **os.environ,
        "DATABASE_URL": s.place.url(s.database, wired=False),
        "REDIS_URL": s.installation.redis_url,
        "BALCAO_HOME": str(s.place.home),
        "BALCAO_SECRET_KEYS": s.key,
        "BALCAO_ALLOW_PRIVATE_HOSTS": "*",
        "BALCAO_PUBLIC_URL": s.rt.policy.public_url or "",
        "BALCAO_SHARDS": "1",
        "BALCAO_LOG_LEVEL": "error",
    }
    statement = "from jobs.worker import main; main(0)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", statement, env=told)
    until = time.monotonic() + 30
    while not redis.Redis.from_url(s.installation.redis_url).smembers("rq:workers"):
        assert time.monotonic() < until, "the worker does not start"
        await asyncio.sleep(0.05)
    return process


FAULTS: dict[str, Callable[[Shop, str], AbstractAsyncContextManager[None]]] = {
    "Redis down": redis_down,
    "DB slow": database_slow,
    "DB down": database_down,
    "channel slow": knobs(latency=1.2),  # longer than the deadline of a request
    "channel down": knobs(down=True),
    "429 storm": knobs(throttle=1.0),
    "bad token": bad_token,
    "clock 90 s fast": clock_off(SKEW),
    "clock 90 s slow": clock_off(-SKEW),
    "worker killed": worker_killed,
}

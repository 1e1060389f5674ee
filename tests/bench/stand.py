"""Where the bench runs: an own PostgreSQL and Valkey, a database for each part, and the processes that it asks for."""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import psycopg

from config import settings as environment
from hub import embedded
from hub.secrets import new_key
from hub.store import schema
from jobs.install import Installation, prepare


@dataclass(frozen=True, slots=True)
class Stand:
    """The running servers of one bench."""

    home: Path
    services: embedded.Services

    @property
    def postgres(self) -> int:
        """The process number of PostgreSQL's postmaster."""
        told = embedded.status(self.home)
        if told is None or told.postgres is None:
            raise RuntimeError("PostgreSQL does not run")
        return told.postgres

    def server_version(self) -> str:
        """What the server calls itself."""
        with psycopg.connect(self.services.database_url) as conn:
            return str(conn.info.parameter_status("server_version"))

    def part(self, name: str, number: int) -> "Part":
        """A part of the bench with an empty database, a Redis database and a port of its own."""
        with psycopg.connect(self.services.database_url, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE bench_{name}")
        database = urlsplit(self.services.database_url)._replace(path=f"/bench_{name}").geturl()
        schema.migrate(database)
        port = free_port()
        told = {
            "DATABASE_URL": database,
            "REDIS_URL": self.services.redis_url.replace("db=0", f"db={number}"),
            "BALCAO_HOME": str(self.home),
            "BALCAO_SECRET_KEYS": new_key(),
            "BALCAO_HOST": "127.0.0.1",
            "BALCAO_PORT": str(port),
            "BALCAO_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "BALCAO_ALLOW_PRIVATE_HOSTS": "127.0.0.1",
            "BALCAO_WORKERS": "1",
            "BALCAO_LOG_LEVEL": os.environ.get("BALCAO_LOG_LEVEL", "error"),
            "BALCAO_LOG_FORMAT": "json",
        }
        return Part(port, told)


@dataclass(frozen=True, slots=True)
class Part:
    """One part's surroundings."""

    port: int
    environment: Mapping[str, str]

    def installation(self) -> Installation:
        """The installation as its processes see it, for this process."""
        os.environ.update(self.environment)
        environment.load()
        return prepare(migrate=False)

    @contextlib.asynccontextmanager
    async def process(
        self, *argv: str, url: str | None = None, port: int | None = None
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """A process of this part (on a port of its own), ended afterwards; waits until `url` answers."""
        told = {**os.environ, **self.environment, "BALCAO_PORT": str(port or self.port)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, *argv, env=told, stdin=asyncio.subprocess.DEVNULL
        )
        try:
            if url:
                await answers(url, process)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    def web(self) -> contextlib.AbstractAsyncContextManager[asyncio.subprocess.Process]:
        """The hub's own web process."""
        return self.process("-c", "from hub.web.app import main; main()", url=f"http://127.0.0.1:{self.port}/health")

    def worker(self) -> contextlib.AbstractAsyncContextManager[asyncio.subprocess.Process]:
        """One worker process."""
        return self.process("-c", "from jobs.worker import main; main(0)")


@contextlib.contextmanager
def stand() -> Iterator[Stand]:
    """Servers in a folder of their own, removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="balcao-bench-"))
    home.chmod(0o755)
    try:
        yield Stand(home, embedded.start(home))
    finally:
        embedded.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def answers(url: str, process: asyncio.subprocess.Process, seconds: float = 60.0) -> None:
    """Wait until an address answers 200, or below 500."""
    until = time.monotonic() + seconds
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < until and process.returncode is None:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
                    if answer.status < 500:
                        return
            await asyncio.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")


async def output(argv: Sequence[str], told: str) -> str:
    """What a process prints when it is given this input."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(told.encode())
    if process.returncode:
        raise RuntimeError(f"{argv} ended with {process.returncode}")
    return out.decode()

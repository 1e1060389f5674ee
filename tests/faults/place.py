"""A place to break things in: servers of its own that are killed, stopped and started, and a wire that can be slow."""

import asyncio
import contextlib
import os
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psycopg

from hub import embedded
from hub.store import schema
from tests import services

TEMPLATE = "template_faults"


@dataclass(slots=True)
class Wire:
    """A unix socket in front of PostgreSQL's that holds back each piece sent to it for `delay` seconds."""

    real: str
    folder: Path
    delay: float = 0.0
    _server: asyncio.Server | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._serve, self.folder / ".s.PGSQL.5432")

    async def close(self) -> None:
        """Stop, and cut what is open."""
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, on = await asyncio.open_unix_connection(self.real)
        except OSError:
            writer.close()
            return
        for one, other, slow in ((reader, on, True), (back, writer, False)):
            task = asyncio.create_task(self._pass_on(one, other, slow=slow))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(2**16):
                if slow and self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(piece)
                await writer.drain()
        writer.close()


@dataclass(slots=True)
class Place:
    """The servers, and what can be done to them."""

    home: Path
    services: embedded.Services
    wire: Wire

    def url(self, database: str, *, wired: bool) -> str:
        """The address of a database, through the wire or past it."""
        parts = urlsplit(self.services.database_url)
        host = self.wire.folder if wired else parse_qs(parts.query)["host"][0]
        return parts._replace(path=f"/{database}", query=f"host={quote(str(host), safe='')}&port=5432").geturl()

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The name of a fresh, migrated database, dropped afterwards."""
        name = f"f_{uuid.uuid4().hex[:10]}"
        with psycopg.connect(self.services.database_url, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        try:
            yield name
        finally:
            self.start()
            with psycopg.connect(self.services.database_url, autocommit=True) as conn:
                conn.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def start(self) -> None:
        """Start whatever was killed."""
        embedded.start(self.home)

    def kill_postgres(self) -> None:
        """Kill -9 the postmaster."""
        os.kill(self._pids()[0], signal.SIGKILL)

    def kill_redis(self) -> None:
        """Kill -9 Valkey."""
        os.kill(self._pids()[1], signal.SIGKILL)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """PostgreSQL with all its children stopped: it takes connections and never answers."""
        first = self._pids()[0]
        pids = [first, *(int(p) for p in Path(f"/proc/{first}/task/{first}/children").read_text().split())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _pids(self) -> tuple[int, int]:
        told = embedded.status(self.home)
        assert told is not None
        assert told.postgres is not None
        assert told.valkey is not None
        return told.postgres, told.valkey


@contextlib.asynccontextmanager
async def place() -> AsyncIterator[Place]:
    """Servers in a folder of their own."""
    with services.home() as home, tempfile.TemporaryDirectory(prefix="wire-", dir="/tmp") as named:
        folder, servers = Path(named), embedded.start(home)
        with psycopg.connect(servers.database_url, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {TEMPLATE}")
        real = parse_qs(urlsplit(servers.database_url).query)["host"][0]
        made = Place(home, servers, Wire(f"{real}/.s.PGSQL.5432", folder))
        schema.migrate(made.url(TEMPLATE, wired=False))
        await made.wire.open()
        yield made
        await made.wire.close()

"""One PostgreSQL and one Valkey for all tests, from the wheels; one migrated template, cloned per test."""

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from hub import embedded
from hub.store import schema


@dataclass(frozen=True)
class Stack:
    """Where the tests' services are."""

    database_url: str
    redis_url: str
    template: str


def _named(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


MEMORY = Path("/dev/shm")  # noqa: S108 - the system's own folder in memory
ROOM = 4 * 2**30  # bytes; a process with its clones and its log comes to some hundred MB
PREFIX = "balcao-tests-"


def _memory() -> Path | None:
    """A folder in memory, where there is room: a clone takes 30 ms there, half a second on a busy disk."""
    try:
        told = os.statvfs(MEMORY)
        free = int(re.findall(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())[0]) * 1024
    except (OSError, IndexError):
        return None
    roomy = min(told.f_bavail * told.f_frsize, free) >= ROOM
    return MEMORY if roomy and os.access(MEMORY, os.W_OK) and not told.f_flag & os.ST_NOEXEC else None


def _clear_away() -> None:
    """End what tests left behind that were killed: nobody else knows that it is not needed any more."""
    for folder in {MEMORY, Path(tempfile.gettempdir())}:
        for home in folder.glob(f"{PREFIX}[0-9]*-*"):
            pid = home.name.removeprefix(PREFIX).partition("-")[0]
            if pid.isdigit() and not Path("/proc", pid).exists() and os.access(home, os.W_OK):
                embedded.stop(home)
                shutil.rmtree(home, ignore_errors=True)


@contextmanager
def home() -> Iterator[Path]:
    """A folder for services of this process's own, ended and removed afterwards."""
    _clear_away()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_memory()))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@cache
def stack() -> Stack:
    """Start (once per process) the services and the template database. Ended at exit."""
    import atexit

    exits = ExitStack()
    atexit.register(exits.close)
    services = embedded.start(exits.enter_context(home()))
    template = "template_balcao"
    with psycopg.connect(services.database_url, autocommit=True) as conn:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # nothing here outlives the process
            conn.execute(f"ALTER SYSTEM SET {setting} = off")
        conn.execute("SELECT pg_reload_conf()")
        conn.execute(f"CREATE DATABASE {template}")
    schema.migrate(_named(services.database_url, template))
    return Stack(services.database_url, services.redis_url, template)


@contextmanager
def database() -> Iterator[str]:
    """The URL of a fresh, migrated database, dropped afterwards."""
    name = f"t_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    admin = stack().database_url
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE {stack().template} STRATEGY FILE_COPY")
    try:
        yield _named(admin, name)
    finally:
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute(f"DROP DATABASE {name} WITH (FORCE)")

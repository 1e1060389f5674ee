"""One PostgreSQL and one Valkey for all tests, from the wheels; one migrated template, cloned per test."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
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


@cache
def stack() -> Stack:
    """Start (once per process) the services and the template database. Ended at exit."""
    import atexit

    home = Path(tempfile.mkdtemp(prefix="balcao-tests-"))
    home.chmod(0o755)
    services = embedded.start(home)

    def end() -> None:
        embedded.stop(home)
        shutil.rmtree(home, ignore_errors=True)

    atexit.register(end)
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

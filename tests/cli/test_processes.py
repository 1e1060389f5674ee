"""The commands that start things: on a machine where nothing was ever started, and as programs that are told to end."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.demo import Wanted
from tests.cli.conftest import ROOT, Balcao, program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(*words: str, env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from hub.cli import main; main()", *words],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def answers(port: int, seconds: float = 40) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False


def ended(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    """Exit status and what was said, after SIGTERM."""
    process.send_signal(signal.SIGTERM)
    said, _none = process.communicate(timeout=30)
    return process.returncode, said.decode()


@pytest.mark.slow
@pytest.mark.timeout(300)  # makes a cluster, and starts everything
def test_a_fresh_machine(tmp_path: Path) -> None:
    """No URL, no home: everything is embedded, made at first use, and can be stopped."""
    tmp_path.chmod(0o755)
    env = {"BALCAO_HOME": str(tmp_path / "home")}
    assert "No embedded server" in program("down", env=env).good().out
    try:
        assert "there is no seller yet" in program("run", "poll", env=env).sentence(2)
        program("seller", "add", "Loja da Ana", env=env).good()
        assert "No account" in program("run", "poll", env=env).good().out
        assert "newest schema" in program("migrate", env=env).good().out
        doctor = program("doctor", env=env).good().out
        assert "problem" not in doctor
        port = free_port()
        with started("up", env={**env, "BALCAO_PORT": str(port), "BALCAO_WORKERS": "1"}) as up:
            assert answers(port)
            status, said = ended(up)
        assert status == 0, said
    finally:
        assert "stopped" in program("down", env=env).good().out
    assert "No embedded server" in program("down", env=env).good().out


@pytest.mark.parametrize("words", [["worker", "--number", "2"], ["cron"]])
def test_a_process_ends_when_told_to(environment: dict[str, str], words: list[str]) -> None:
    with started(*words, env=environment) as process:
        assert process.stdout is not None
        said = ""
        while "started" not in said and (line := process.stdout.readline()):
            said += line.decode()
        time.sleep(3)  # RQ takes the signals over a moment after that line
        status, rest = ended(process)
    assert status == 0, said + rest
    assert "started" in said
    assert "Traceback" not in said + rest


def test_web_serves(environment: dict[str, str]) -> None:
    port = free_port()
    with started("web", env={**environment, "BALCAO_PORT": str(port)}) as process:
        assert answers(port)
        status, said = ended(process)
    assert status == 0, said


@pytest.mark.parametrize("words", [["web"], ["worker"], ["cron"]])
def test_processes_refuse_a_database_that_is_not_set_up(
    balcao: Balcao, environment: dict[str, str], words: list[str]
) -> None:
    name = environment["DATABASE_URL"].split("@/")[1].split("?")[0]
    empty = environment["DATABASE_URL"].replace(name, "postgres")
    assert "balcao migrate" in balcao(*words, env={"DATABASE_URL": empty}).sentence(1)


def test_the_demo_is_told_what_was_typed(balcao: Balcao, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Wanted] = []

    def run(wanted: Wanted) -> int:
        asked.append(wanted)
        return 1

    monkeypatch.setattr("hub.demo.run", run)
    words = ["--seconds", 5, "--orders-per-second", 2, "--kill-workers-every", 3, "--stop-redis-for", 1, "--port", 8081]
    assert balcao("demo", *words, "--json").status == 1
    assert asked == [
        Wanted(
            seconds=5, orders_per_second=2, kill_workers_every=3, stop_redis_for=1, port=8081, as_json=True
        )
    ]  # fmt: skip


def test_channels_are_described_by_their_adapters(balcao: Balcao) -> None:
    rows = {row["channel"]: row for row in balcao("channel", "list", "--json").good().json}
    assert rows["mercadolivre"]["ack_deadline_ms"] == 500
    assert rows["correios"]["facets"] == ["tracking", "freight"]
    assert rows["woocommerce"]["limits"][0]["assumed"] is True
    fields = {field["name"]: field for field in rows["woocommerce"]["fields"]}
    assert fields["consumer_secret"]["secret"]
    assert not fields["store_url"]["secret"]
    assert "WooCommerce" in balcao("channel", "list").good().out
    assert "consumer_secret" in balcao("channel", "show", "woocommerce").good().out

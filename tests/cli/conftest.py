"""`balcao` as a person runs it: in this process (quick) or as a program, against the tests' services."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner

from hub.cli import app
from hub.embedded import DATABASE
from tests.services import database, stack

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def sentence(self, status: int) -> str:
        """The one line on stderr of a command that left with this status."""
        assert self.status == status, self
        lines = self.err.splitlines()
        assert len(lines) == 1, self
        assert "Traceback" not in self.err + self.out, self
        return lines[0]

    def good(self) -> "Said":
        assert self.status == 0, self
        assert self.err == "", self
        return self


Balcao = Callable[..., Said]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An installation with a fresh, migrated database."""
    with database() as url:
        name = conninfo_to_dict(url)["dbname"]
        yield {
            "DATABASE_URL": stack().database_url.replace(f"/{DATABASE}?", f"/{name}?"),
            "REDIS_URL": stack().redis_url,
            "BALCAO_HOME": str(tmp_path / "home"),
            "BALCAO_ALLOW_PRIVATE_HOSTS": "*",
        }


@pytest.fixture
def quiet_afterwards() -> Iterator[None]:
    """The commands set up logging for themselves; the tests that follow have theirs back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def balcao(environment: dict[str, str], quiet_afterwards: None) -> Balcao:
    """`balcao("stock", "set", "CANECA", 5)`, in this process."""

    def run(*words: object, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None) -> Said:
        cleared = {name: None for name in os.environ if name.startswith("BALCAO_")}
        told = CliRunner().invoke(
            app, [str(word) for word in words], input=stdin, env={**cleared, **environment, **(env or {})}
        )
        if told.exception is not None and not isinstance(told.exception, SystemExit):
            raise told.exception
        return Said(told.exit_code, told.stdout, told.stderr)

    return run


def program(*words: object, env: Mapping[str, str], stdin: bytes = b"") -> Said:
    """The console script itself."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("BALCAO_", "DATABASE", "REDIS"))}
    told = subprocess.run(
        [sys.executable, "-c", "from hub.cli import main; main()", *map(str, words)],
        cwd=ROOT, env={**clean, **env}, input=stdin, capture_output=True, timeout=100, check=False,
    )  # fmt: skip
    return Said(told.returncode, told.stdout.decode(), told.stderr.decode())

"""What a command answers when it cannot do what was asked: one sentence on stderr and an exit status."""

import io
import os
import sys
from collections.abc import Sequence
from typing import Any

from typer import Abort, Exit
from typer.core import TyperGroup

WRONG, FAILED, REFUSED, INTERRUPTED = 2, 1, 3, 130
LONGEST = 600  # characters of a sentence; a driver's may be pages long


class Wrong(Exception):
    """What was typed, or given as a file, cannot be used: exit status 2."""


class Failed(Exception):
    """Something that should have worked did not: exit status 1."""


class Guarded(TyperGroup):
    """The one place where a command's failure becomes a sentence. Never a traceback, never a secret."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 - as above; sentences name what is typed, however it was started
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - as the class above has it
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 - as above
        **extra: Any,
    ) -> Any:
        """Run a command and leave with its status; without `standalone_mode` the status is returned."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a letter shows a mark
                stream.reconfigure(errors="replace")
        try:
            told = super().main(
                args,
                "balcao",
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
            status = told if isinstance(told, int) else 0
            sys.stdout.flush()
        except BrokenPipeError:  # `balcao orders list | head`: whoever read has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = FAILED
        except (Exception, KeyboardInterrupt) as problem:
            status, sentence = judged(problem)
            if os.environ.get("BALCAO_LOG_LEVEL", "").lower() == "debug" and status == FAILED:
                raise
            if sentence:
                tell(sentence)
        if standalone_mode:
            sys.exit(status)
        return status


def tell(sentence: str) -> None:
    """One line on stderr, whatever the terminal can show."""
    line = " ".join(sentence.split())
    line = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    sys.stderr.write(line + "\n")


def judged(problem: BaseException) -> tuple[int, str]:
    """Exit status and sentence of what stopped a command."""
    if isinstance(problem, KeyboardInterrupt | Abort):
        return INTERRUPTED, "Interrupted."
    if isinstance(problem, Exit):
        return problem.exit_code, ""
    if hasattr(problem, "format_message") and hasattr(problem, "exit_code"):
        return _misused(problem)
    if isinstance(problem, Wrong):
        return WRONG, str(problem)
    if isinstance(problem, Failed):
        return FAILED, str(problem)
    return _known(problem) or (FAILED, _unforeseen(problem))


def _misused(problem: Any) -> tuple[int, str]:
    """The command line itself is wrong; where nothing was typed, the help is the answer."""
    context = getattr(problem, "ctx", None)
    message = problem.format_message()
    if type(problem).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(f"{message}\n")
        return WRONG, ""
    way_out = f" See {context.command_path} --help." if context is not None else ""
    return int(problem.exit_code), f"{message.rstrip('.')}.{way_out}"


def _known(problem: BaseException) -> tuple[int, str] | None:
    """Problems that say in their own words what is wrong."""
    import psycopg
    import redis
    from pydantic import ValidationError

    from config.settings import SettingsError
    from hub.embedded import EmbeddedError
    from hub.faults import BadSignature, ChannelError
    from hub.redaction import redact
    from hub.secrets import SecretsError
    from hub.store import StoreError
    from jobs.connect import Refused

    said = str(problem)
    if isinstance(problem, Refused | SettingsError):
        return WRONG, said
    if isinstance(problem, StoreError | EmbeddedError | SecretsError):
        return FAILED, said
    if isinstance(problem, BadSignature):
        return REFUSED, f"The signature is refused: {said} does not match the body under this secret."
    if isinstance(problem, ChannelError):
        return FAILED, redact(problem.detail)
    if isinstance(problem, psycopg.OperationalError):
        return FAILED, f"The database cannot be used: {redact(said)}"
    if isinstance(problem, psycopg.DataError | UnicodeError):
        return WRONG, f"A value cannot be stored: {redact(said)}"
    if isinstance(problem, psycopg.Error):
        return FAILED, f"The database refused: {redact(said)}"
    if isinstance(problem, redis.RedisError):
        return FAILED, f"Redis cannot be used: {redact(said)}"
    if isinstance(problem, ValidationError):
        first = problem.errors(include_url=False, include_input=False)[0]
        return WRONG, f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if isinstance(problem, OSError):
        return (
            FAILED,
            f"The system refused: {problem.strerror or type(problem).__name__} ({problem.filename or '-'})",
        )
    return None


def _unforeseen(problem: BaseException) -> str:
    from hub.redaction import redact

    said = redact(f"{type(problem).__name__}: {problem}")
    return f"A fault of Balcão's own ({said}); BALCAO_LOG_LEVEL=debug shows where."

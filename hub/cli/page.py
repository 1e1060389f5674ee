"""What commands print: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.refusals import Wrong

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="The most rows to print.")]
PIPED_WIDTH = 240  # where no terminal says how wide it is
LARGEST = 64 * 2**20  # bytes of a file


def console(*, stderr: bool = False) -> Console:
    """Where people read. Made anew each time: the streams may have been replaced."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def plain(value: object) -> Any:
    """A value as JSON has it: ids as strings, times in UTC ending in Z, bytes never."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    return str(value)


def write_json(told: object) -> None:
    """One JSON document on stdout, in UTF-8 whatever the terminal's encoding."""
    text = json.dumps(told, ensure_ascii=False, indent=2, default=plain) + "\n"
    # A lone surrogate becomes its JSON escape.
    encoded = text.encode("utf-8", "backslashreplace")
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(encoded.decode())
        return
    sys.stdout.flush()
    buffer.write(encoded)
    buffer.flush()


def word(value: object) -> str:
    """A value as a cell: nothing for null, local time without seconds' fractions, amounts as they are."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(word, value)) or "–"
    # Channels tell titles; a control character in one must not move the cursor.
    return "".join(char if char.isprintable() else " " for char in str(value))


def money(cents: int | None, currency: str | None) -> str:
    """Centavos as an amount."""
    return "–" if cents is None else f"{currency or ''} {cents / 100:,.2f}".strip()


def rows(told: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """Rows as a table of these columns ("key" or "key=Heading"), or as a JSON list of whole rows."""
    found = [dict(row) for row in told]
    if as_json:
        write_json(found)
        return
    if not found:
        line(empty)
        return
    console().print(table(found, columns))


def table(told: Iterable[Mapping[str, Any]], columns: Sequence[str], title: str | None = None) -> Table:
    """A table of these columns."""
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    heads = [name.partition("=") for name in columns]
    for key, _, head in heads:
        shown.add_column(head or key.replace("_", " "), overflow="fold", no_wrap=key in {"id", "sku"})
    for row in told:
        shown.add_row(*(Text(word(row.get(key))) for key, _, _head in heads))
    return shown


def line(sentence: str) -> None:
    """One line for a person."""
    sys.stdout.write(sentence + "\n")


def read_file(path: Path) -> bytes:
    """A file whole, or stdin for "-". Wrong when it cannot be read or is larger than anything we take."""
    try:
        if str(path) == "-":
            body: bytes = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with path.expanduser().open("rb") as file:
                body = file.read(LARGEST + 1)
    except OSError as problem:
        raise Wrong(f"{path} cannot be read: {problem.strerror or problem}.") from None
    if len(body) > LARGEST:
        raise Wrong(f"{path} is larger than {LARGEST // 2**20} MiB.")
    return body


def write_file(path: Path, body: bytes) -> None:
    """A file whole, or stdout for "-". Wrong when it cannot be written."""
    if str(path) == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    try:
        path.expanduser().write_bytes(body)
    except OSError as problem:
        raise Wrong(f"{path} cannot be written: {problem.strerror or problem}.") from None

"""CSV files as spreadsheets in Brazil write and open them. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r")
MARK = "'"  # a spreadsheet shows what follows as text


def cell(value: object) -> str:
    """A cell that a spreadsheet does not take for a formula: channels tell titles. Nothing for null."""
    told = "" if value is None else str(value)
    return f"{MARK}{told}" if told.startswith(FORMULA) and not told[1:].replace(".", "", 1).isdigit() else told


def csv_of(rows: Iterable[Sequence[object]]) -> str:
    """Lines of cells that are safe already."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";").writerows(rows)
    return out.getvalue()


def plain(told: str) -> str:
    """What `cell` wrote, as it was."""
    return told[1:] if told.startswith(MARK) and told[1:].startswith(FORMULA) else told

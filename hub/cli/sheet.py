"""Counts out of a spreadsheet's CSV, as people in Brazil save it. Pure."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hub.cli.refusals import Wrong

NAMES = {
    "sku": {"sku", "codigo", "código", "cod", "code", "produto", "referencia", "referência"},
    "quantity": {"quantity", "quantidade", "qtd", "qtde", "estoque", "saldo", "stock"},
    "warehouse": {"warehouse", "deposito", "depósito", "local", "armazem", "armazém"},
}
MOST = 100_000_000
MOST_ROWS = 500_000
THOUSANDS = re.compile(r"\d{1,3}(\.\d{3})+")
DECIMAL_POINT = re.compile(r"\d+\.(\d{1,2}|\d{4,})")


@dataclass(frozen=True, slots=True)
class Row:
    """One count; `warehouse` None is the first by rank."""

    line: int
    sku: str
    units: int
    warehouse: str | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a line; `message` names the column."""

    line: int
    message: str


def decoded(body: bytes) -> str:
    """UTF-8, with or without its mark, else what Excel writes in Brazil."""
    if b"\0" in body[:4096]:
        raise Wrong("the file is not a CSV: save the sheet as CSV (UTF-8), separated by ; or commas.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def read_rows(body: bytes) -> tuple[list[Row], list[Trouble]]:
    """The counts of a CSV file and what is wrong with it, line by line. Wrong when it is no such file."""
    text = decoded(body)
    head = next((line for line in text.splitlines() if line.strip()), "")
    if not head:
        raise Wrong("the file is empty: it needs a first line with the columns sku and quantity.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=head.count))
    lines = _lines(reader)
    columns = _columns(next(lines)[1])
    told = list(lines)
    if len(told) > MOST_ROWS:
        raise Wrong(f"the file has {len(told)} rows, more than {MOST_ROWS}: split it.")
    has_point = any(DECIMAL_POINT.fullmatch(_cell(cells, columns["quantity"])) for _line, cells in told)
    rows: list[Row] = []
    troubles: list[Trouble] = []
    first: dict[tuple[str, str | None], int] = {}
    for line, cells in told:
        try:
            row = _row(line, cells, columns, has_point=has_point)
        except ValueError as problem:
            troubles.append(Trouble(line, str(problem)))
            continue
        before = first.setdefault((row.sku, row.warehouse), line)
        if before == line:
            rows.append(row)
        else:
            troubles.append(Trouble(line, f"sku: {row.sku!r} stands in line {before} already"))
    return rows, troubles


def _lines(reader: "Iterator[list[str]]") -> Iterator[tuple[int, list[str]]]:
    """Lines that hold something, with their numbers in the file."""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise Wrong(f"line {reader.line_num}: not CSV: {problem}.") from None  # type: ignore[attr-defined] # csv.reader has it
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells  # type: ignore[attr-defined] # as above


def _columns(head: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, cell in enumerate(head):
        for name, words in NAMES.items():
            if cell.strip().casefold() in words:
                if name in found:
                    raise Wrong(f"two columns of the file are the {name}: {head[found[name]]!r} and {cell!r}.")
                found[name] = place
    if missing := [name for name in ("sku", "quantity") if name not in found]:
        seen = ", ".join(repr(cell.strip()) for cell in head[:8])
        raise Wrong(f"the file has no column {missing[0]}: its first line is {seen}.")
    return found


def _cell(cells: list[str], place: int | None) -> str:
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _row(line: int, cells: list[str], columns: dict[str, int], *, has_point: bool) -> Row:
    sku = _cell(cells, columns["sku"])
    if not sku:
        raise ValueError("sku: empty")
    if not sku.isprintable():
        raise ValueError("sku: holds a character that cannot be printed")
    units = quantity(_cell(cells, columns["quantity"]), has_point=has_point)
    return Row(line, sku, units, _cell(cells, columns.get("warehouse")) or None)


def quantity(told: str, *, has_point: bool = False) -> int:
    """Whole units as a Brazilian sheet tells them: "1.234,00" is 1234. ValueError says what is wrong.

    `has_point`: the file writes decimals with a point, so that "1.000" may be one or a thousand.
    """
    bare = told.replace("\u00a0", "").replace(" ", "")
    if not bare:
        raise ValueError("quantity: empty")
    if not bare.isascii() or not re.fullmatch(r"[+-]?[\d.,]*\d[\d.,]*", bare):
        raise ValueError(f"quantity: {told!r} is not a number")
    if bare.startswith("-"):
        raise ValueError(f"quantity: {told!r} is below zero")
    bare = bare.lstrip("+")
    whole, comma, rest = bare.partition(",")
    if comma:
        if "," in rest or "." in rest or not (whole.isdigit() or THOUSANDS.fullmatch(whole)):
            raise ValueError(f"quantity: {told!r} is not a number: write 1234 or 1.234,00")
        whole = whole.replace(".", "")
    elif THOUSANDS.fullmatch(bare):
        if has_point:
            either = f"{bare.replace('.', '')} or {bare.split('.')[0]}"
            raise ValueError(f"quantity: {told!r} may be {either}: leave the point out")
        whole = bare.replace(".", "")
    else:
        whole, _, rest = bare.partition(".")
    if not whole.isdigit() or (rest and not rest.isdigit()):
        raise ValueError(f"quantity: {told!r} is not a number")
    if rest.strip("0"):
        raise ValueError(f"quantity: {told!r} is not a whole number of units")
    if len(whole.lstrip("0")) > len(str(MOST)) or int(whole) > MOST:
        raise ValueError(f"quantity: {told!r} is more than {MOST}")
    return int(whole)

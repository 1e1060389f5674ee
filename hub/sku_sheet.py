"""What people tell of a SKU: name, GTIN, category, cost, grams and millimetres; a field alone, or a CSV file. Pure."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.linking import gtin
from hub.replenishment_sheet import money
from hub.sheets import plain
from hub.stock_sheet import Amiss, Trouble, Unusable, decoded, heading, twice

MOST_ROWS = 5_000
LONGEST_CODE, LONGEST = 120, 200
MOST_GRAMS, MOST_MM, MOST_CENTS = 1_000_000, 100_000, 100_000_000_00
CLEAR = "-"  # in a file: nothing from now on; an empty cell changes nothing


def _words(told: str) -> str:
    if len(told) > LONGEST or not told.isprintable():
        raise Amiss(f"{told[:40]!r} is longer than {LONGEST}, or cannot be printed", "words", most=LONGEST)
    return told


def _gtin(told: str) -> str:
    digits = re.sub(r"[\s.-]", "", told)
    if gtin(digits) is None:
        raise Amiss(f"gtin: {told!r} is no GTIN: 8, 12, 13 or 14 digits, the last one checks the others", "gtin",
                    told=told[:40])  # fmt: skip
    return digits


def _cents(told: str) -> int:
    try:
        cents = money(told)
    except ValueError:
        raise Amiss(f"cost: {told!r} is not an amount: write 1234,50", "cost", told=told[:40]) from None
    if cents > MOST_CENTS:
        raise Amiss(f"cost: {told!r} is too much", "cost", told=told[:40])
    return cents


def _measure(unit: str, most: int) -> Callable[[str], int]:
    def read(told: str) -> int:
        bare = re.sub(rf"\s*{unit}$", "", told.strip())
        bare = bare.replace(".", "") if re.fullmatch(r"\d{1,3}(\.\d{3})+", bare) else re.sub(r",0+$", "", bare)
        if not bare.isascii() or not bare.isdigit() or not 0 < int(bare[:12]) <= most:
            raise Amiss(
                f"{told!r} is not whole {unit} from 1 to {most}", "measure", told=told[:40], unit=unit, most=most
            )
        return int(bare)

    return read


# What can be told, in the order in which it is shown.
READERS: Mapping[str, Callable[[str], Any]] = {
    "title": _words,
    "gtin": _gtin,
    "category": _words,
    "cost_cents": _cents,
    "weight_g": _measure("g", MOST_GRAMS),
    "length_mm": _measure("mm", MOST_MM),
    "width_mm": _measure("mm", MOST_MM),
    "height_mm": _measure("mm", MOST_MM),
}
HEADINGS: Mapping[str, set[str]] = {
    "sku": {"sku", "codigo", "cod", "code", "codigo sku", "codigo do produto", "codigo interno"},
    "title": {"title", "titulo", "nome", "name", "descricao", "produto", "nome do produto"},
    "gtin": {"gtin", "ean", "gtin ean", "codigo de barras", "upc", "barcode", "cod de barras"},
    "category": {"category", "categoria", "grupo", "departamento"},
    "cost_cents": {"cost", "custo", "custo medio", "preco de custo", "custo unitario"},
    "weight_g": {"weight g", "peso g", "gramas", "peso em gramas", "grams", "peso gramas"},
    "length_mm": {"length mm", "comprimento mm", "comprimento em mm", "profundidade mm"},
    "width_mm": {"width mm", "largura mm", "largura em mm"},
    "height_mm": {"height mm", "altura mm", "altura em mm"},
}


def read_code(told: str) -> str:
    """A SKU's code. Amiss says what is wrong."""
    code = told.strip()
    if not code:
        raise Amiss("sku: empty", "sku_empty")
    if not code.isprintable() or len(code) > LONGEST_CODE:
        raise Amiss("sku: too long, or holds a character that cannot be printed", "sku_unprintable")
    return code


def read_fact(name: str, told: str) -> Any:
    """A fact of that name; None for an empty one. Amiss says what is wanted."""
    bare = told.strip()
    if not bare:
        return "" if name == "title" else None
    return READERS[name](bare)


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what is told of a SKU."""

    line: int
    sku: str
    facts: Mapping[str, Any]


def read_rows(body: bytes) -> tuple[list[Row], list[Trouble]]:
    """Facts by SKU out of a CSV file, and what is wrong with it. Unusable when it is no such file."""
    text = decoded(body)
    head = next((line for line in text.splitlines() if line.strip()), "")
    if not head:
        raise Unusable("the file is empty: it needs a first line with the column sku.", "file_empty")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=head.count))
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(each.strip() for each in cells)]
    except csv.Error as problem:
        raise Unusable(f"line {reader.line_num}: not CSV: {problem}.", "file_not_csv") from None
    if len(lines) > MOST_ROWS + 1:
        told = len(lines) - 1
        raise Unusable(f"the file has {told} rows, more than {MOST_ROWS}: split it.", "file_rows", rows=told,
                       most=MOST_ROWS)  # fmt: skip
    columns = _columns(lines[0][1])
    rows: list[Row] = []
    troubles: list[Trouble] = []
    seen: dict[str, int] = {}
    for line, cells in lines[1:]:
        try:
            row = _row(line, cells, columns)
        except ValueError as problem:
            troubles.append(Trouble.of(line, problem))
            continue
        if (before := seen.setdefault(row.sku, line)) == line:
            rows.append(row)
        else:
            troubles.append(Trouble.of(line, twice(row.sku, before)))
    return rows, troubles


def _columns(head: Iterable[str]) -> dict[str, int]:
    told, found = list(head), dict[str, int]()
    for place, each in enumerate(told):
        for name, words in HEADINGS.items():
            if heading(each) not in words:
                continue
            if name in found:
                one = told[found[name]]
                raise Unusable(f"two columns of the file are the {name}: {one!r} and {each!r}: rename one.",
                               "file_two_columns", one=one, other=each)  # fmt: skip
            found[name] = place
    if "sku" not in found or len(found) == 1:
        missing = "sku" if "sku" not in found else "title"
        seen = ", ".join(repr(cell.strip()) for cell in told[:8])
        raise Unusable(f"the file has no column {missing}: its first line is {seen}.", "file_no_column",
                       column=missing, seen=seen)  # fmt: skip
    return found


def _row(line: int, cells: list[str], columns: Mapping[str, int]) -> Row:
    told = {name: plain(cells[place].strip()) if place < len(cells) else "" for name, place in columns.items()}
    code = read_code(told.pop("sku"))
    facts = {}
    for name, text in told.items():
        if text == CLEAR:
            facts[name] = read_fact(name, "")
        elif text:
            facts[name] = read_fact(name, text)
    return Row(line, code, facts)

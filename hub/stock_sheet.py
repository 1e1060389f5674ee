"""Stock in spreadsheets: CSV as people in Brazil save it, read and written. Pure."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.sheets import cell, plain

# Headings without accents, marks and case, the surest first: an ERP's "Produto" is a name beside "Código".
NAMES = {
    "sku": (
        {"sku", "codigo sku", "sku code"},
        {"codigo", "cod", "code", "codigo do produto", "cod produto", "cod do produto", "codigo produto",
         "product code", "codigo interno"},
        {"produto", "referencia", "ref", "item"},
    ),
    "quantity": (
        {"quantity", "quantidade", "qtd", "qtde", "qty", "estoque", "saldo", "stock", "contagem", "contado",
         "unidades", "estoque atual", "saldo atual", "saldo em estoque", "quantidade em estoque", "on hand"},
    ),
    "warehouse": ({"warehouse", "deposito", "armazem", "local", "local de estoque"}, {"loja", "filial"}),
}  # fmt: skip
MOST = 100_000_000
MOST_ROWS = 500_000
THOUSANDS = re.compile(r"\d{1,3}(\.\d{3})+")
DECIMAL_POINT = re.compile(r"[+-]?\d+\.(\d{1,2}|\d{4,})")
BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class Unusable(Exception):
    """The file is no sheet of stock; the message is one sentence that says what it must be.

    `kind` and `params` let a page say it in its reader's language.
    """

    def __init__(self, sentence: str, kind: str = "", **params: object) -> None:
        super().__init__(sentence)
        self.kind, self.params = kind, params


class Amiss(ValueError):
    """What is wrong with a cell: `kind` and `params` as those of Unusable."""

    def __init__(self, sentence: str, kind: str, **params: object) -> None:
        super().__init__(sentence)
        self.kind, self.params = kind, params


@dataclass(frozen=True, slots=True)
class Row:
    """One line: units that stand there, or by which they change; `warehouse` None is the first by rank."""

    line: int
    sku: str
    units: int
    warehouse: str | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a line; `message` names the column. `kind` and `params` as those of Amiss."""

    line: int
    message: str
    kind: str = field(default="", compare=False)
    params: Mapping[str, object] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, line: int, problem: ValueError) -> "Trouble":
        """The trouble that a reader's refusal is."""
        if isinstance(problem, Amiss):
            return cls(line, str(problem), problem.kind, problem.params)
        return cls(line, str(problem))


def decoded(body: bytes) -> str:
    """UTF-8 or UTF-16, with or without a mark, else what Excel writes in Brazil (Windows-1252)."""
    if encoding := next((name for mark, name in BOMS.items() if body.startswith(mark)), None):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            raise Unusable(
                "the file is damaged: it begins as Unicode and does not go on as such.", "file_damaged"
            ) from None
    if b"\0" in body[:4096]:
        return _wide(body)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _wide(body: bytes) -> str:
    """UTF-16 without its mark: every other byte of plain words is 0."""
    head = body[: min(len(body), 400) & ~1]
    even, odd = head[::2].count(0), head[1::2].count(0)
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    if max(even, odd) * 4 >= len(head) and not min(even, odd):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            pass
    raise Unusable("the file is not a CSV: save the sheet as CSV (UTF-8), separated by ; or commas.", "file_not_csv")


def read_rows(body: bytes, mode: Literal["set", "add"] = "set") -> tuple[list[Row], list[Trouble]]:
    """The rows of a CSV file and what is wrong with it, line by line. Unusable when it is no such file.

    `mode` "add": quantities are changes, and may be below zero.
    """
    text = decoded(body)
    head = next((line for line in text.splitlines() if line.strip()), "")
    if not head:
        raise Unusable("the file is empty: it needs a first line with the columns sku and quantity.", "file_empty")
    separator = max(";,\t", key=head.count)
    lines = _lines(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    first_line = next(lines)[1]
    if re.fullmatch(r"sep=[;,\t]?", "".join(first_line).strip(), re.IGNORECASE):  # Excel's own note, not a heading
        lines = _lines(csv.reader(io.StringIO(text, newline=""), delimiter=head.strip()[4:5] or separator))
        next(lines)
        first_line = next(lines, (0, [""]))[1]
    columns = _columns(first_line)
    told = list(lines)
    if len(told) > MOST_ROWS:
        raise Unusable(
            f"the file has {len(told)} rows, more than {MOST_ROWS}: split it.",
            "file_rows",
            rows=len(told),
            most=MOST_ROWS,
        )
    has_point = any(DECIMAL_POINT.fullmatch(_cell(cells, columns["quantity"])) for _line, cells in told)
    rows: list[Row] = []
    troubles: list[Trouble] = []
    first: dict[tuple[str, str | None], int] = {}
    for line, cells in told:
        try:
            row = _row(line, cells, columns, has_point=has_point, signed=mode == "add")
        except ValueError as problem:
            troubles.append(Trouble.of(line, problem))
            continue
        before = first.setdefault((row.sku, row.warehouse), line)
        if before == line:
            rows.append(row)
        else:
            troubles.append(Trouble.of(line, twice(row.sku, before)))
    return rows, troubles


def twice(sku: str, line: int) -> Amiss:
    """A SKU that stands in the file already."""
    return Amiss(f"sku: {sku!r} stands in line {line} already", "sku_twice", sku=sku, line=line)


def _lines(reader: "Iterator[list[str]]") -> Iterator[tuple[int, list[str]]]:
    """Lines that hold something, with their numbers in the file."""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            number = reader.line_num  # type: ignore[attr-defined] # csv.reader has it
            raise Unusable(f"line {number}: not CSV: {problem}.", "file_not_csv") from None
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells  # type: ignore[attr-defined] # as above


def heading(cell: str) -> str:
    """A heading without accents, case and marks: "Cód. do Produto" is "cod do produto"."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", cell) if not unicodedata.combining(char))
    return " ".join(re.sub(r"[^0-9a-z]+", " ", bare.casefold()).split())


def _columns(head: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, tiers in NAMES.items():
        for words in tiers:
            places = [place for place, told in enumerate(head) if heading(told) in words]
            if len(places) > 1:
                raise Unusable(
                    f"two columns of the file are the {name}: {head[places[0]]!r} and {head[places[1]]!r}: rename one.",
                    "file_two_columns", one=head[places[0]], other=head[places[1]],
                )  # fmt: skip
            if places:
                found[name] = places[0]
                break
    if missing := [name for name in ("sku", "quantity") if name not in found]:
        seen = ", ".join(repr(cell.strip()) for cell in head[:8])
        raise Unusable(
            f"the file has no column {missing[0]}: its first line is {seen}.", "file_no_column", column=missing[0],
            seen=seen,
        )  # fmt: skip
    return found


def _cell(cells: list[str], place: int | None) -> str:
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _row(line: int, cells: list[str], columns: dict[str, int], *, has_point: bool, signed: bool) -> Row:
    sku = plain(_cell(cells, columns["sku"]))
    if not sku:
        raise Amiss("sku: empty", "sku_empty")
    if not sku.isprintable():
        raise Amiss("sku: holds a character that cannot be printed", "sku_unprintable")
    units = quantity(plain(_cell(cells, columns["quantity"])), has_point=has_point, signed=signed)
    return Row(line, sku, units, plain(_cell(cells, columns.get("warehouse"))) or None)


def quantity(told: str, *, has_point: bool = False, signed: bool = False) -> int:
    """Whole units as a Brazilian sheet tells them: "1.234,00" is 1234. ValueError says what is wrong.

    `has_point`: the file writes decimals with a point, so that "1.000" may be one or a thousand. `signed`: a
    change, which may be below zero.
    """
    bare = told.replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace("\u2212", "-")
    if not bare:
        raise Amiss("quantity: empty", "quantity_empty")
    if not bare.isascii() or not re.fullmatch(r"[+-]?[\d.,]*\d[\d.,]*", bare):
        raise Amiss(f"quantity: {told!r} is not a number", "quantity_number", told=told)
    if bare.startswith("-") and not signed:
        raise Amiss(f"quantity: {told!r} is below zero", "quantity_negative", told=told)
    sign = -1 if bare.startswith("-") else 1
    return sign * _whole(bare.lstrip("+-"), told, has_point=has_point)


def _whole(bare: str, told: str, *, has_point: bool) -> int:
    whole, comma, rest = bare.partition(",")
    if comma:
        if "," in rest or "." in rest or not (whole.isdigit() or THOUSANDS.fullmatch(whole)):
            raise Amiss(f"quantity: {told!r} is not a number: write 1234 or 1.234,00", "quantity_number", told=told)
        whole = whole.replace(".", "")
    elif THOUSANDS.fullmatch(bare):
        if has_point:
            either = f"{bare.replace('.', '')} or {bare.split('.', maxsplit=1)[0]}"
            raise Amiss(f"quantity: {told!r} may be {either}: leave the point out", "quantity_ambiguous", told=told)
        whole = bare.replace(".", "")
    else:
        whole, _, rest = bare.partition(".")
    if not whole.isdigit() or (rest and not rest.isdigit()):
        raise Amiss(f"quantity: {told!r} is not a number", "quantity_number", told=told)
    if rest.strip("0"):
        raise Amiss(f"quantity: {told!r} is not a whole number of units", "quantity_fraction", told=told)
    if len(whole.lstrip("0")) > len(str(MOST)) or int(whole) > MOST:
        raise Amiss(f"quantity: {told!r} is more than {MOST}", "quantity_most", told=told)
    return int(whole)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────


def written(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str], *, separator: str = ";") -> str:
    """A CSV of these columns (key to heading). Text that a spreadsheet would run as a formula gets a ' before it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(columns.values())
    for row in rows:
        writer.writerow([cell(row.get(key)) for key in columns])
    return out.getvalue()


def decimal(cents: int | None) -> str | None:
    """Centavos as a Brazilian sheet reads an amount: 123450 is "1234,50"."""
    return None if cents is None else f"{'-' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02d}"


def named(columns: Sequence[str]) -> dict[str, str]:
    """Columns whose headings are their keys."""
    return {name: name for name in columns}

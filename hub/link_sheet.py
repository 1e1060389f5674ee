"""Links out of a spreadsheet's CSV, as people in Brazil save it, and into one. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.likeness import Suggestion
from hub.sheets import cell, csv_of, plain
from hub.stock_sheet import Amiss, Trouble, Unusable, decoded

COLUMNS = (
    "account", "listing", "variation", "title", "channel_sku", "gtin", "sku", "multiplier", "suggested_sku",
    "suggested_multiplier", "score", "why", "accept",
)  # fmt: skip
NAMES = {
    "account": {"account", "conta"},
    "listing": {"listing", "anuncio", "anúncio", "ref"},
    "variation": {"variation", "variacao", "variação"},
    "sku": {"sku", "codigo", "código"},
    "multiplier": {"multiplier", "multiplicador", "unidades por venda"},
    "suggested_sku": {"suggested_sku", "sku sugerido"},
    "suggested_multiplier": {"suggested_multiplier", "multiplicador sugerido"},
    "accept": {"accept", "aceitar", "aceito"},
}
YES, NO = {"1", "s", "sim", "x", "y", "yes", "true", "ok"}, {"", "0", "n", "não", "nao", "no", "false"}
UNLINK = "-"
MOST_ROWS, MOST_UNITS = 500_000, 100_000
SHORTENED = re.compile(r"\d+([.,]\d+)?E\+\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one line wants: `sku` None unlinks. `multiplier` None: not told."""

    line: int
    account: str | None
    listing: str
    variation: str | None
    sku: str | None
    multiplier: int


def read_rows(body: bytes) -> tuple[list[Row], list[Trouble], int]:
    """What lines want, what is wrong with them, and how many ask for nothing. Unusable when it is no such file."""
    text = decoded(body)
    head = next((line for line in text.splitlines() if line.strip()), "")
    if not head:
        raise Unusable("the file is empty: it needs a first line with the columns listing and sku.", "file_empty")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=head.count))
    rows: list[Row] = []
    troubles: list[Trouble] = []
    columns: dict[str, int] = {}
    first: dict[tuple[str | None, str, str | None], int] = {}
    silent = 0
    try:
        for cells in reader:
            if not any(each.strip() for each in cells):
                continue
            if not columns:
                columns = _columns(cells)
                continue
            told = {name: plain(cells[place].strip()) if place < len(cells) else "" for name, place in columns.items()}
            try:
                row = _row(reader.line_num, told)
            except ValueError as problem:
                troubles.append(Trouble.of(reader.line_num, problem))
                continue
            if row is None:
                silent += 1
                continue
            before = first.setdefault((row.account, row.listing, row.variation), row.line)
            if before == row.line:
                rows.append(row)
            else:
                twice = f"listing: {row.listing!r} stands in line {before} already"
                troubles.append(Trouble(row.line, twice, "listing_twice", {"one": row.listing, "line": before}))
            if len(rows) > MOST_ROWS:
                raise Unusable(f"the file has more than {MOST_ROWS} rows: split it.", "links_rows", most=MOST_ROWS)
    except csv.Error as problem:
        line = reader.line_num
        raise Unusable(f"line {line}: not CSV: {problem}.", "line_not_csv", line=line) from None
    return rows, troubles, silent


def _columns(head: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, told in enumerate(head):
        for name, words in NAMES.items():
            if told.strip().casefold() in words:
                if name in found:
                    one = head[found[name]]
                    sentence = f"two columns of the file are the {name}: {one!r} and {told!r}."
                    raise Unusable(sentence, "file_two_columns", one=one, other=told)
                found[name] = place
    missing = [name for name in ("listing", "sku") if name not in found]
    if missing and not (missing == ["sku"] and "accept" in found):
        seen = ", ".join(repr(told.strip()) for told in head[:8])
        sentence = f"the file has no column {missing[0]}: its first line is {seen}."
        raise Unusable(sentence, "file_no_column", column=missing[0], seen=seen)
    return found


def _row(line: int, told: Mapping[str, str]) -> Row | None:
    """What a line wants; None for nothing. Amiss names the column."""
    for name in ("listing", "variation"):
        if SHORTENED.fullmatch(told.get(name, "")):
            sentence = f"{name}: the sheet shortened the number to {told[name]!r}: format the column as text"
            raise Amiss(sentence, "sheet_shortened", one=told[name])
    sku, accepts = told.get("sku", ""), told.get("accept", "").casefold()
    if accepts not in YES | NO:
        sentence = f"accept: {told['accept']!r} is neither yes nor no: write x, or leave it empty"
        raise Amiss(sentence, "accept_what", one=told["accept"])
    if not sku and accepts in YES:
        sku = told.get("suggested_sku", "")
        if not sku:
            raise Amiss("accept: there is no suggested_sku in this line: write the sku", "accept_nothing")
    if not sku:
        return None
    if not told.get("listing"):
        raise Amiss("listing: empty", "listing_empty")
    if not sku.isprintable():
        raise Amiss("sku: holds a character that cannot be printed", "sku_unprintable")
    return Row(
        line=line, account=told.get("account") or None, listing=told["listing"],
        variation=told.get("variation") or None, sku=None if sku == UNLINK else sku, multiplier=_multiplier(told),
    )  # fmt: skip


def _multiplier(told: Mapping[str, str]) -> int:
    """Units in a sale; where the file suggests a pack, a person says whether it is one."""
    bare, hint = told.get("multiplier", ""), told.get("suggested_multiplier", "")
    if not bare:
        if hint not in ("", "1"):
            sentence = f"multiplier: empty, and the title speaks of {hint} units: write {hint} or 1"
            raise Amiss(sentence, "multiplier_hint", hint=hint)
        return 1
    if not (bare.isascii() and bare.isdigit() and 1 <= int(bare[:9]) <= MOST_UNITS):
        sentence = f"multiplier: {bare!r} is not a whole number from 1 to {MOST_UNITS}"
        raise Amiss(sentence, "multiplier", one=bare, most=MOST_UNITS)
    return int(bare)


def write_rows(told: Iterable[tuple[Mapping[str, Any], Suggestion | None]], locale: str) -> bytes:
    """Listings with their links and suggestions, as CSV that a spreadsheet opens and `read_rows` reads again."""
    return csv_of([COLUMNS, *lines(told, locale)]).encode("utf-8-sig")


def lines(told: Iterable[tuple[Mapping[str, Any], Suggestion | None]], locale: str) -> Iterable[list[str]]:
    """The cells of COLUMNS for each listing; the multiplier beside a suggested pack is left empty: a person decides."""
    for row, best in told:
        hint = best.multiplier if best else 1
        units = row["multiplier"] if row["sku"] else "" if hint > 1 else 1
        suggested = (best.code, hint, best.score, best.explain(locale)) if best else ("", "", "", "")
        cells = (
            row["account"], row["ref"], row["variation_ref"], row["title"], row["channel_sku"], row["gtin"], row["sku"],
            units, *suggested, "",
        )  # fmt: skip
        yield [cell(each) for each in cells]


def links_only(rows: Iterable[Row]) -> str:
    """Rows as the least CSV that `read_rows` reads as the same."""
    told = ((row.account, row.listing, row.variation, row.sku or UNLINK, row.multiplier) for row in rows)
    return csv_of([("account", "listing", "variation", "sku", "multiplier"), *([cell(c) for c in row] for row in told)])

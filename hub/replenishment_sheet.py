"""Replenishment settings as people type them, in a form, an option or a sheet; purchase orders as sheets. Pure."""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.demand import Handling
from hub.sheets import cell, plain
from hub.stock_sheet import MOST, MOST_ROWS, Trouble, Unusable, decoded, heading

UNSET = "-"  # back to what is computed, or the shop's default
YES = {"sim", "s", "yes", "y", "true", "1", "ativo", "active"}
NO = {"nao", "n", "no", "false", "0", "inativo", "inactive"}
HANDLINGS = {
    "winsorised": Handling.WINSORISED, "winsorized": Handling.WINSORISED, "aparada": Handling.WINSORISED,
    "median": Handling.MEDIAN, "mediana": Handling.MEDIAN,
    "mean": Handling.MEAN, "media": Handling.MEAN, "simples": Handling.MEAN,
}  # fmt: skip


def number(told: str, *, whole: bool, low: float, high: float) -> float:
    """A number as Brazil writes it, "2,5" or "1.234"; ValueError says what is wanted."""
    bare = told.strip().replace(" ", "").replace("\u00a0", "")
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?", bare):
        bare = bare.replace(".", "")
    bare = bare.replace(",", ".")
    wanted = f"{'a whole number' if whole else 'a number'} from {low:g} to {high:.15g}"
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", bare):
        raise ValueError(f"{told!r} is not {wanted}")
    value = float(bare)
    if not math.isfinite(value) or not low <= value <= high or (whole and value != int(value)):
        raise ValueError(f"{told!r} is not {wanted}")
    return int(value) if whole else value


def money(told: str) -> int:
    """Centavos of "1.234,50", "1234.50" or "R$ 12". ValueError says what is wanted."""
    bare = told.replace("R$", "").replace("\u00a0", "").replace(" ", "")
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{3})*,[0-9]{1,2}|[0-9]{1,3}(\.[0-9]{3})+", bare):
        bare = bare.replace(".", "")
    bare = bare.replace(",", ".")
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", bare):
        raise ValueError(f"{told!r} is not an amount: write 1234,50")
    whole, _, rest = bare.partition(".")
    return int(whole) * 100 + int((rest + "00")[:2])


def _service_level(told: str) -> float:
    value = number(told.rstrip("% "), whole=False, low=0, high=100)
    share = value / 100 if value > 1 else value
    if not 0.5 <= share < 1:  # noqa: PLR2004 - half of all cycles without safety stock; all of them needs infinite stock
        raise ValueError(f"{told!r} is not a service level from 50% to below 100%")
    return round(share, 6)


def _yes_or_no(told: str) -> bool:
    word = heading(told)
    if word not in YES | NO:
        raise ValueError(f"{told!r} is neither yes nor no")
    return word in YES


def _handling(told: str) -> str:
    word = heading(told)
    if word not in HANDLINGS:
        raise ValueError(f"{told!r} is none of winsorised, median, mean")
    return HANDLINGS[word].value


def _words(told: str) -> str:
    if not told.isprintable() or len(told) > 200:  # noqa: PLR2004 - longer than any name
        raise ValueError(f"{told[:40]!r} is too long, or holds a character that cannot be printed")
    return told


def _days(low: int, high: int, *, whole: bool = True) -> Callable[[str], float]:
    return lambda told: number(told, whole=whole, low=low, high=high)


# What can be set: how it is read, and whether it may be unset.
READERS: Mapping[str, tuple[Callable[[str], Any], bool]] = {
    "supplier": (_words, True),
    "supplier_code": (_words, True),
    "lead_time_days": (_days(0, 730, whole=False), True),
    "lead_time_deviation": (_days(0, 730, whole=False), True),
    "safety_stock": (_days(0, MOST), True),
    "reorder_point": (_days(0, MOST), True),
    "service_level": (_service_level, True),
    "review_days": (_days(0, 365), True),
    "cover_days": (_days(1, 730), True),
    "order_multiple": (_days(1, 1_000_000), False),
    "order_minimum": (_days(1, MOST), False),
    "handling": (_handling, True),
    "active": (_yes_or_no, False),
    "returns_reduce": (_yes_or_no, False),  # of the shop
}
HEADINGS: Mapping[str, set[str]] = {
    "sku": {"sku", "codigo", "cod", "code", "produto"},
    "supplier": {"supplier", "fornecedor"},
    "supplier_code": {"supplier code", "codigo do fornecedor", "codigo no fornecedor", "referencia do fornecedor"},
    "lead_time_days": {"lead time", "lead time days", "prazo", "prazo de reposicao", "prazo dias", "prazo de entrega"},
    "lead_time_deviation": {"lead time deviation", "desvio do prazo", "desvio"},
    "safety_stock": {"safety stock", "estoque de seguranca", "seguranca"},
    "reorder_point": {"reorder point", "ponto de pedido", "ponto de reposicao", "estoque minimo"},
    "service_level": {"service level", "nivel de servico"},
    "review_days": {"review days", "review period", "periodo de revisao", "dias de revisao"},
    "cover_days": {"cover days", "days of cover", "dias de cobertura", "cobertura"},
    "order_multiple": {"order multiple", "multiple", "multiplo", "multiplo de compra", "embalagem"},
    "order_minimum": {"order minimum", "minimum", "minimo", "compra minima", "lote minimo"},
    "handling": {"handling", "metodo", "demanda"},
    "active": {"active", "ativo", "repor"},
}


def read_setting(name: str, told: str) -> Any:
    """A setting of that name; None where UNSET puts it back. ValueError names the setting and what is wanted."""
    reader, may_unset = READERS[name]
    if told.strip() == UNSET:
        if not may_unset:
            raise ValueError(f"{name}: it cannot be left out: give a value")
        return None
    try:
        return reader(told.strip())
    except ValueError as problem:
        raise ValueError(f"{name}: {problem}") from None


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what changes for a SKU."""

    line: int
    sku: str
    changes: Mapping[str, Any]


def read_rows(body: bytes) -> tuple[list[Row], list[Trouble]]:
    """Settings by SKU out of a CSV file, and what is wrong with it. Empty cells change nothing, "-" unsets.

    Unusable when it is no such file.
    """
    text = decoded(body)
    head = next((line for line in text.splitlines() if line.strip()), "")
    if not head:
        raise Unusable("the file is empty: it needs a first line with the column sku and a setting")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=head.count))
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(each.strip() for each in cells)]
    except csv.Error as problem:
        raise Unusable(f"line {reader.line_num}: not CSV: {problem}") from None
    if len(lines) > MOST_ROWS:
        raise Unusable(f"the file has {len(lines)} rows, more than {MOST_ROWS}: split it")
    columns = _columns(lines[0][1])
    rows: list[Row] = []
    troubles: list[Trouble] = []
    seen: dict[str, int] = {}
    for line, cells in lines[1:]:
        try:
            row = _row(line, cells, columns)
        except ValueError as problem:
            troubles.append(Trouble(line, str(problem)))
            continue
        if (before := seen.setdefault(row.sku, line)) == line:
            rows.append(row)
        else:
            troubles.append(Trouble(line, f"sku: {row.sku!r} stands in line {before} already"))
    return rows, troubles


def _columns(head: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    told = list(head)
    for place, each in enumerate(told):
        for name, words in HEADINGS.items():
            if heading(each) in words:
                if name in found:
                    raise Unusable(f"two columns of the file are the {name}: {told[found[name]]!r} and {each!r}")
                found[name] = place
    if "sku" not in found or len(found) == 1:
        missing = "sku" if "sku" not in found else "of a setting"
        raise Unusable(f"the file has no column {missing}: its first line is {', '.join(map(repr, told[:8]))}")
    return found


def _row(line: int, cells: list[str], columns: Mapping[str, int]) -> Row:
    told = {name: plain(cells[place].strip()) if place < len(cells) else "" for name, place in columns.items()}
    sku = told.pop("sku")
    if not sku or not sku.isprintable():
        raise ValueError("sku: empty, or holds a character that cannot be printed")
    return Row(line, sku, {name: read_setting(name, text) for name, text in told.items() if text})


def purchase_csv(order: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> str:
    """A purchase order as a spreadsheet in Brazil opens it: ; between cells, a comma before centavos, a mark first."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(["pedido", "fornecedor", "sku", "código do fornecedor", "produto", "quantidade", "custo", "total"])
    for line in lines:
        cost = line["cost_cents"]
        total = None if cost is None else cost * line["quantity"]
        told = (order["number"], order["supplier"], line["sku"], line["supplier_code"], line["title"])
        writer.writerow([*map(cell, told), line["quantity"], _amount(cost), _amount(total)])
    return "\ufeff" + out.getvalue()


def _amount(cents: int | None) -> str:
    return "" if cents is None else f"{cents // 100},{cents % 100:02d}"

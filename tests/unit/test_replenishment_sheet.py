"""Settings as people type them, and purchase orders as spreadsheets open them."""

import csv
import io
from typing import Any

import pytest

from hub import replenishment_sheet as sheet
from hub.stock_sheet import Trouble, Unusable


@pytest.mark.parametrize(
    ("name", "told", "value"),
    [
        ("lead_time_days", "12,5", 12.5), ("lead_time_days", "7", 7.0), ("safety_stock", "1.234", 1234),
        ("service_level", "97,5%", 0.975), ("service_level", "0.95", 0.95), ("service_level", "95", 0.95),
        ("order_multiple", "12", 12), ("handling", "Mediana", "median"), ("active", "Não", False),
        ("active", "sim", True),
        ("supplier", " Forja Ltda ", "Forja Ltda"), ("reorder_point", "-", None), ("cover_days", "-", None),
    ],
)  # fmt: skip
def test_a_setting_is_read_as_brazil_writes_it(name: str, told: str, value: Any) -> None:
    assert sheet.read_setting(name, told) == value


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lead_time_days", "-3"), ("lead_time_days", "731"), ("lead_time_days", "soon"), ("safety_stock", "1,5"),
        ("safety_stock", "1e9"), ("safety_stock", "NaN"), ("service_level", "100"), ("service_level", "49"),
        ("service_level", "1"), ("order_multiple", "0"), ("order_multiple", "-"), ("active", "-"), ("active", "maybe"),
        ("handling", "guess"), ("supplier", "x" * 300), ("review_days", "366"), ("cover_days", "0"),
        ("order_minimum", "99999999999999"),
    ],
)  # fmt: skip
def test_what_cannot_be_set_names_the_setting(name: str, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        sheet.read_setting(name, told)


@pytest.mark.parametrize(
    ("told", "cents"),
    [("12,50", 1250), ("12.5", 1250), ("1.234,50", 123450), ("R$ 12", 1200), ("1.234", 123400), ("0", 0)],
)
def test_amounts(told: str, cents: int) -> None:
    assert sheet.money(told) == cents


@pytest.mark.parametrize("told", ["", "-1", "1,234", "12,5,0", "x", "1e5", "١٢"])
def test_what_is_no_amount(told: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        sheet.money(told)


def test_a_sheet_changes_what_its_cells_say() -> None:
    head = "SKU;Fornecedor;Prazo de reposição;Ponto de pedido;Múltiplo"
    body = f"{head}\r\nA;Forja;12,5;-;6\r\nB;;;;\r\nC;x;muito;;\r\nA;;1;;"
    rows, troubles = sheet.read_rows(body.encode("cp1252"))
    assert rows == [
        sheet.Row(2, "A", {"supplier": "Forja", "lead_time_days": 12.5, "reorder_point": None, "order_multiple": 6}),
        sheet.Row(3, "B", {}),
    ]  # fmt: skip
    assert troubles == [
        Trouble(4, "lead_time_days: 'muito' is not a number from 0 to 730"),
        Trouble(5, "sku: 'A' stands in line 2 already"),
    ]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "is empty"), ("\n\n", "is empty"), ("a;b\n1;2", "no column sku"),
        ("sku;cor\n1;2", "no column of a setting"),
        ("sku;prazo;lead time\n1;2;3", "two columns"),
    ],
)  # fmt: skip
def test_what_is_no_such_sheet(body: str, sentence: str) -> None:
    with pytest.raises(Unusable, match=sentence):
        sheet.read_rows(body.encode())


def test_a_purchase_order_opens_in_a_spreadsheet_and_runs_nothing() -> None:
    line = {"sku": "=1+1", "supplier_code": "@X", "title": '+55 "azul"; grande', "quantity": 3, "cost_cents": 123456}
    free = {"sku": "B", "supplier_code": None, "title": "", "quantity": 1, "cost_cents": None}
    text = sheet.purchase_csv({"number": "7", "supplier": "-Loja"}, [line, free])
    assert text.startswith("\ufeff")
    told = list(csv.reader(io.StringIO(text[1:]), delimiter=";"))
    assert told[1] == ["7", "'-Loja", "'=1+1", "'@X", '\'+55 "azul"; grande', "3", "1234,56", "3703,68"]
    assert told[2] == ["7", "'-Loja", "B", "", "", "1", "", ""]

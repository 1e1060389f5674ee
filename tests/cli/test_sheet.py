"""Counts as people in Brazil type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.stock_sheet import Row, Unusable, quantity, read_rows, written


@pytest.mark.parametrize(
    ("told", "units"),
    [
        ("12", 12), ("12,0", 12), ("12,00", 12), ("1.234", 1234), ("1.234,00", 1234), ("1.234.567", 1_234_567),
        ("12.0", 12), ("0", 0), (" 7 ", 7), ("1 234", 1234), ("+5", 5), ("007", 7), ("1.000,", 1000),
    ],
)  # fmt: skip
def test_quantities(told: str, units: int) -> None:
    assert quantity(told) == units


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("", "empty"), ("7,5", "whole"), ("7.5", "whole"), ("-1", "below zero"), ("dez", "not a number"),
        ("1,2,3", "not a number"), ("1.23,4", "not a number"), ("1e3", "not a number"), ("٣", "not a number"),
        ("99999999999999999999", "more than"), (",", "not a number"), ("12.34.5", "not a number"),
        ("NaN", "not a number"),
    ],
)  # fmt: skip
def test_what_is_no_quantity(told: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        quantity(told)


@given(st.text(max_size=12), st.booleans())
def test_any_text_is_a_count_or_refused(told: str, has_point: bool) -> None:
    try:
        assert quantity(told, has_point=has_point) >= 0
    except ValueError as refused:
        assert str(refused).startswith("quantity: ")  # noqa: PT017 - either ending is right


def test_a_point_is_ambiguous_where_the_file_writes_decimals_with_it() -> None:
    rows, troubles = read_rows(b"sku,quantity\nA,10.0\nB,1.000\n")
    assert rows == [Row(2, "A", 10, None)]
    assert "1000 or 1" in troubles[0].message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_separators_and_headings(encoding: str) -> None:
    body = "Código;Depósito;Qtd\r\nAÇÚCAR;São Paulo;1.000\r\n\r\n;;\r\n".encode(encoding)
    assert read_rows(body) == ([Row(2, "AÇÚCAR", 1000, "São Paulo")], [])


def test_troubles_name_their_lines() -> None:
    _rows, troubles = read_rows(b'sku,quantity\n"A\nB",1\n,2\nC,x\nD,1\nD,2\n')
    assert [(each.line, each.message.split(":")[0]) for each in troubles] == [
        (3, "sku"), (4, "sku"), (5, "quantity"), (7, "sku"),
    ]  # fmt: skip


NO_SHEETS = [b"", b"\n\n", b"a;b\n1;2\n", b"PK\x03\x04\x00\x00", b"sku;qtd;estoque\nA;1;2\n"]


@pytest.mark.parametrize("body", [*NO_SHEETS, b'sku;qtd\n"A;1\n' + b"x" * 200_000])
def test_what_is_no_sheet(body: bytes) -> None:
    with pytest.raises(Unusable):
        read_rows(body)


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(body: bytes) -> None:
    try:
        read_rows(b"sku;quantity\n" + body)
    except Unusable as refused:
        assert "\n" not in str(refused)  # noqa: PT017 - as above


@pytest.mark.parametrize(
    "head",
    ["SKU;Saldo;Armazém", "sep=;\nCÓDIGO DO PRODUTO;Qtde.;DEPÓSITO", "Cód.;QUANTIDADE EM ESTOQUE;Local de Estoque"],
)
def test_headings_as_erps_write_them(head: str) -> None:
    rows, troubles = read_rows(f"{head}\nA;1.234,0;SP\n".encode())
    assert ([(row.sku, row.units, row.warehouse) for row in rows], troubles) == ([("A", 1234, "SP")], [])


def test_a_products_name_is_no_code_where_a_code_stands_beside_it() -> None:
    assert read_rows("Produto;Código;Estoque\nCaneca azul;A;3\n".encode())[0] == [Row(2, "A", 3, None)]
    assert read_rows(b"Produto,Estoque\nA,3\n")[0] == [Row(2, "A", 3, None)]


def test_changes_may_be_below_zero_and_counts_may_not() -> None:
    body = b"sku;qtd\nA;-3\nB;+2\nC;-1.000,0\n"
    assert [row.units for row in read_rows(body, "add")[0]] == [-3, 2, -1000]
    assert [trouble.line for trouble in read_rows(body)[1]] == [2, 4]


def test_what_is_written_is_read_again_and_no_cell_is_a_formula() -> None:
    rows = [{"sku": "=1+1", "quantity": 3}, {"sku": "-A", "quantity": 0}, {"sku": 'Ç;"x"', "quantity": 7}]
    text = written(rows, {"sku": "sku", "quantity": "quantidade"})
    assert not [line for line in text.splitlines() if line.startswith(("=", "-"))]
    assert [(row.sku, row.units) for row in read_rows(text.encode("utf-8-sig"))[0]] == [
        ("=1+1", 3), ("-A", 0), ('Ç;"x"', 7),
    ]  # fmt: skip

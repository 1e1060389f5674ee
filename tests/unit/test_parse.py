"""Wire words: what cannot be read is named by its path, what is masked is not told, money is exact."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from hub import parse
from hub.faults import Fault, Unreadable


class Row(BaseModel):
    model_config = ConfigDict(strict=True)

    qty: int


class Doc(BaseModel):
    id: str
    rows: list[Row] = []


def test_a_wire_document_is_read_and_its_unknown_fields_are_left():
    assert parse.wire(Doc, {"id": "1", "rows": [{"qty": 2}], "news": 1}).rows[0].qty == 2


@pytest.mark.parametrize(
    ("raw", "path", "want"),
    [
        ({"rows": []}, "", "id"),
        ({"id": "1", "rows": [{"qty": 1}, {"qty": "x"}]}, "", "rows.1.qty"),
        ({"id": "1", "rows": 3}, "order", "order.rows"),
        ("<html>", "", "document"),
        (None, "order", "order"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_path(raw, path, want):
    with pytest.raises(Unreadable) as refused:
        parse.wire(Doc, raw, path)
    assert (refused.value.fault, refused.value.path) == (Fault.SHAPE, want)


@pytest.mark.parametrize(
    ("told", "want"),
    [
        ("10.50", 1050),
        (10.5, 1050),
        (0.29, 29),  # 0.29 * 100 is 28.999999999999996
        (1.1, 110),
        (7, 700),
        (0, 0),
        ("0", 0),
        ("-3.10", -310),
        (Decimal("1.005"), 100),  # half-even
        ("1.015", 102),
        (None, None),
        ("", None),
    ],
)
def test_money(told, want):
    assert parse.cents(told, "total") == want


@given(st.integers(-(10**12), 10**12))
def test_money_comes_back_as_it_went(centavos):
    exact = Decimal(centavos) / 100
    assert parse.cents(str(exact), "total") == parse.cents(exact, "total") == centavos
    if abs(centavos) < 10**10:
        assert parse.cents(centavos / 100, "total") == centavos


unreadable_money: Any = ["dez", "1.234,56", "NaN", "Infinity", float("nan"), float("inf"), {}, [1]]


@pytest.mark.parametrize("told", unreadable_money)
def test_what_is_no_money(told):
    with pytest.raises(Unreadable, match="total: not an amount"):
        parse.cents(told, "total")


@pytest.mark.parametrize(
    ("told", "want"), [("34,55", 3455), ("1.234,56", 123456), ("12", 1200), ("", None), (None, None)]
)
def test_brazilian_money(told, want):
    assert parse.comma_cents(told, "price") == want


@pytest.mark.parametrize(("told", "want"), [(3, 3), ("3", 3), ("3.0000", 3), (3.0, 3), (0, 0), (-1, -1)])
def test_whole_units(told, want):
    assert parse.quantity(told, "qty") == want


@pytest.mark.parametrize("told", [1.5, "0.25", "", None, "dois", float("nan"), float("inf")])
def test_a_fraction_is_unreadable(told):
    with pytest.raises(Unreadable, match=r"^shape unreadable: qty: not a"):
        parse.quantity(told, "qty")


@pytest.mark.parametrize(
    ("told", "want"),
    [
        ("2026-03-02T12:00:00Z", (12, 0)),
        ("2026-03-02T09:00:00-03:00", (12, 0)),
        ("2026-03-02T09:00:00", (12, 0)),
        ("2026-03-02 09:00:30.500", (12, 0)),
        (1772452800, (12, 0)),
        (" 1772452800 ", (12, 0)),
    ],
)
def test_times_are_utc_and_naive_ones_take_the_zone(told, want):
    read = parse.instant(told, "at", zone=parse.BRASILIA)
    assert read
    assert (read.tzinfo, read.date().isoformat(), (read.hour, read.minute)) == (UTC, "2026-03-02", want)


def test_a_time_is_told_in_utc_and_whole_seconds():
    at = datetime(2026, 11, 21, 22, 30, 5, 999_999, tzinfo=parse.BRASILIA)
    assert parse.zulu(at) == "2026-11-22T01:30:05Z"


def test_old_summer_time_and_no_time():
    summer = parse.instant("2019-01-15T10:00:00", "at", zone=parse.SAO_PAULO)
    assert summer == datetime(2019, 1, 15, 12, tzinfo=UTC)
    assert parse.instant("2026-03-02T12:00:00", "at") == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert parse.instant(None, "at") is parse.instant("", "at") is None
    assert parse.instant(0, "at") == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "told", ["ontem", "02/03/2026", "177245280", "17724528000", "0001-01-01T00:00:00+03:00", 1e20, float("nan")]
)
def test_what_is_no_time(told):
    with pytest.raises(Unreadable, match="at: not a time"):
        parse.instant(told, "at")


@pytest.mark.parametrize(
    ("told", "want"),
    [
        ("  Ana  ", "Ana"),
        (12, "12"),
        (0, "0"),
        ("A*B", "A*B"),
        ("", None),
        ("   ", None),
        (None, None),
        (False, None),
        (True, None),
        ("***", None),
        ("* * .", None),
        (" - ", None),
        ("--", None),
        ("-3", "-3"),
        ("Jo*** S***", None),
        ("XXXXX", None),
        ("XXXX", "XXXX"),
        ("Rua XXXXX 3", "Rua XXXXX 3"),
    ],
)
def test_text_that_is_masked_or_empty_is_not_told(told, want):
    assert parse.text(told) == want


@pytest.mark.parametrize(("told", "want"), [(0, None), ("0", None), ("", None), (None, None), (7, "7"), ("00", "00")])
def test_no_id_is_zero(told, want):
    assert parse.ref(told) == want


@pytest.mark.parametrize("odd", ["a/b", "../x", "", "0", 0, None, True, 1.5, {"id": 1}, ["1"], "9 9"])
def test_an_odd_id_is_none_where_nobody_may_be_refused(odd):
    assert parse.bare_ref(odd) is None
    assert (parse.bare_ref(" 251214B9XAB0ST "), parse.bare_ref(7)) == ("251214B9XAB0ST", "7")


def test_bare_codes():
    assert parse.bare("12.abc.345/01DE-35") == "12ABC34501DE35"
    assert parse.bare("--") is parse.bare("") is parse.bare(None) is None


@pytest.mark.parametrize(
    ("told", "kind", "number", "valid"),
    [
        ("529.982.247-25", "cpf", "52998224725", True),
        ("529.982.247-26", "cpf", "52998224726", False),
        ("111.111.111-11", "cpf", "11111111111", False),  # its check digits are right, and it is nobody's
        ("00.000.000/0000-00", "cnpj", "0" * 14, False),
        ("11.222.333/0001-81", "cnpj", "11222333000181", True),
        ("11.222.333/0001-82", "cnpj", "11222333000182", False),
        ("12.abc.345/01de-35", "cnpj", "12ABC34501DE35", True),  # the example of Receita Federal's note
        ("ABCDEFGHIJK", "cpf", "ABCDEFGHIJK", False),
        ("123", "cpf", "123", False),
        ("123456789012", "cnpj", "123456789012", False),
    ],
)
def test_documents_are_kept_even_when_wrong(told, kind, number, valid):
    read = parse.document(told)
    assert read
    assert (read.kind, read.number, read.valid) == (kind, number, valid)


@pytest.mark.parametrize("told", [None, "", "***.982.247-**", "---"])
def test_no_document(told):
    assert parse.document(told) is None


@pytest.mark.parametrize(
    ("told", "want"),
    [
        ("(11) 99999-8888", "+5511999998888"),
        ("+55 11 99999-8888", "+5511999998888"),
        ("5511999998888", "+5511999998888"),
        ("+1 202 555 0123", "+12025550123"),
        ("123", None),
        ("sem telefone", None),
        ("(11) *****-8888", None),
        ("", None),
        (None, None),
    ],
)
def test_phones(told, want):
    assert parse.phone(told) == want


@pytest.mark.parametrize(
    ("told", "want"),
    [
        ("SP", "SP"),
        ("sp", "SP"),
        ("BR-SP", "SP"),
        ("São Paulo", "SP"),
        ("SAO PAULO", "SP"),
        ("Pará", "PA"),
        ("Paraná", "PR"),
        ("Mato Grosso do Sul", "MS"),
        ("Texas", "Texas"),
        ("", None),
        (None, None),
    ],
)
def test_states(told, want):
    assert parse.state(told) == want


def test_there_are_27_states():
    assert len(set(parse.STATES.values())) == len(parse.STATES) == 27


PLACE = {"street": "Rua A", "city": "Recife", "state": "Pernambuco", "postal_code": "50030-230", "country": "br"}


def test_an_address_is_in_our_words():
    found = parse.address(**PLACE, number=None)
    assert found
    assert found.model_dump(exclude_none=True) == {**PLACE, "state": "PE", "postal_code": "50030230", "country": "BR"}


@pytest.mark.parametrize("key", ["street", "city", "postal_code"])
def test_no_address_without_street_city_and_postal_code(key):
    assert parse.address(**{**PLACE, key: None}) is None


def test_parts_are_joined_with_one_space():
    assert parse.joined(" Ana  Maria ", None, "", "  ", "Sá") == "Ana Maria Sá"
    assert parse.joined(None, " ") is None


def test_a_total_of_nothing_told_is_not_told():
    assert parse.total([None, 3, 0]) == 3
    assert parse.total([0]) == 0
    assert parse.total([None]) is parse.total([]) is None


def test_a_document_has_one_fingerprint():
    assert parse.canonical_bytes({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()
    assert parse.digest({"b": 1, "a": 2}) == parse.digest({"a": 2, "b": 1}) == parse.digest(b'{"a":2,"b":1}')
    assert parse.digest({"a": 2}) != parse.digest({"a": "2"})
    assert len(parse.digest(b"")) == 24


def test_half_a_character_is_kept_and_read_again():
    raw = {"nome": "caf\u00e9 \ud800"}
    assert json.loads(parse.canonical_bytes(raw)) == raw


def test_slots_are_a_product_or_its_variation():
    assert (parse.slot("12"), parse.slot("12:34")) == (("12", None), ("12", "34"))
    for told in ("", "abc", "1:", ":1", "1:2:3", "\u00b2", "1" * 21):
        with pytest.raises(Unreadable, match="slot_ref: not product or product:variation"):
            parse.slot(told)


@pytest.mark.parametrize(
    ("told", "iso", "want", "zone"),
    [
        ("2026-01-05T09:12:00", None, "2026-01-05T12:12:00Z", "America/Sao_Paulo"),
        ("2018-01-05T09:12:00", None, "2018-01-05T11:12:00Z", "America/Sao_Paulo"),  # summer time was in force
        ("05/01/2026 09:12", "2026-01-05T09:12", "2026-01-05T12:12:00Z", "America/Sao_Paulo"),
        ("2026-01-05T09:12:00-02:00", None, "2026-01-05T11:12:00Z", None),
        ("2026-01-05T09:12:00Z", None, "2026-01-05T09:12:00Z", None),
        (1767604320, None, "2026-01-05T09:12:00Z", None),
        ("1767604320", None, "2026-01-05T09:12:00Z", None),
    ],
)
def test_a_scans_time_says_what_it_rests_on(told, iso, want, zone):
    found = parse.moment(told, "at", zone=parse.SAO_PAULO, iso=iso)
    assert (parse.zulu(found.at), found.raw_at, found.zone) == (want, str(told), zone)


@pytest.mark.parametrize(
    ("told", "iso"),
    [
        ("31/12/2026 09:00", "2026-12-31T09:00"),
        (" 31/12/2026  09:00:30 ", "2026-12-31T09:00:30"),
        ("31/12/2026", "2026-12-31"),
        ("2026-12-31 09:00", "2026-12-31 09:00"),
        ("31/12/26", "31/12/26"),
        ("", ""),
    ],
)
def test_a_brazilian_time_has_the_day_first(told, iso):
    assert parse.day_first(told) == iso


@pytest.mark.parametrize("told", [None, "", "ontem", "31/12/2026 09:00"])
def test_a_scan_without_a_time_is_named(told):
    with pytest.raises(Unreadable) as refused:
        parse.moment(told, "eventos.0.at", zone=parse.SAO_PAULO)
    assert refused.value.path == "eventos.0.at"

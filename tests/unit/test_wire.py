"""Wire documents: what stands in a list, times that must not matter, codes of money, bodies of notices."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.faults import Unreadable
from hub.model import Outcome, OutcomeKind, StockWrite
from hub.stages import by_word
from hub.wire import Wire, needed_list, of_body, rows, unboxed


@pytest.mark.parametrize("empty", [None, [], {}, "", False])
def test_lists_of_nothing_as_php_tells_them(empty: Any):
    assert list(rows(empty, "list")) == []


def test_a_php_list_with_a_gap_is_an_object_by_number():
    found = list(rows({"0": {"id": 1}, "2": {"id": 3}}, "list"))
    assert [(row.ref("id"), row.path) for row in found] == [("1", "list.0"), ("3", "list.1")]


@pytest.mark.parametrize("told", ["none", 7, 0, True, {"id": 1}, {"0": {}, "x": {}}])
def test_what_is_no_list_is_named(told: Any):
    with pytest.raises(Unreadable, match="list: not a list"):
        list(rows(told, "list"))


def test_a_row_that_is_no_object_is_named_and_where_others_write_it_is_left_out():
    o = Wire({"list": [1, {"id": 2}, "x"]}, "o")
    with pytest.raises(Unreadable, match=r"o\.list\.0: not an object"):
        o.rows("list")
    assert [(row.ref("id"), row.path) for row in o.objects("list")] == [("2", "o.list.1")]


@pytest.mark.parametrize("silent", [None, "", "-", " "])
def test_a_word_of_a_table_that_need_not_be_told(silent: Any):
    table = by_word((True, "sent shipped"), (None, "packed"))
    assert table == {"sent": True, "shipped": True, "packed": None}
    assert [Wire({"word": word}, "o").maybe_of("word", table) for word in ("shipped", "packed", silent)] == [
        True, None, None,
    ]  # fmt: skip
    with pytest.raises(Unreadable, match=r"o\.word: not told"):
        Wire({"word": silent}, "o").one_of("word", table)
    with pytest.raises(Unreadable, match=r"o\.word: unknown: 'lost'"):
        Wire({"word": "lost"}, "o").maybe_of("word", table)


@pytest.mark.parametrize("told", ["ontem", {"a": 1}, None, "", 1e99])
def test_an_odd_time_loses_no_bell(told: Any):
    assert Wire({"at": told}, "body").clock("at") is None


def test_a_good_time_is_told():
    assert Wire({"at": "2026-03-04T13:16:02"}, "body").clock("at") == datetime(2026, 3, 4, 13, 16, 2, tzinfo=UTC)


@pytest.mark.parametrize(("told", "want"), [(None, "BRL"), ("", "BRL"), ("brl", "BRL"), (" usd ", "USD")])
def test_currency(told: Any, want: str):
    assert Wire({"currency": told}, "order").currency("currency") == want


@pytest.mark.parametrize("told", ["reais", "R$", "BRLX", 986])
def test_what_is_no_currency_is_named(told: Any):
    with pytest.raises(Unreadable, match=r"order\.currency: not a currency code"):
        Wire({"currency": told}, "order").currency("currency")


@pytest.mark.parametrize("body", [b"", b"\xff", b'{"id":', b"[" * 9000, b"[]", b"7"])
def test_a_body_that_is_no_object_is_named(body: bytes):
    with pytest.raises(Unreadable, match="body: not "):
        of_body(body)


def test_outcomes_name_the_slot_of_their_write():
    write = StockWrite(slot_ref="90:93", listing_ref="90", variation_ref="93", quantity=4)
    taken, refused = Outcome.accepted(write, 4), Outcome.refused(write, "gone", "no such row")
    for each in (taken, refused):
        assert (each.slot_ref, each.listing_ref, each.variation_ref) == ("90:93", "90", "93")
    assert (taken.outcome, taken.seen, taken.code) == (OutcomeKind.ACCEPTED, 4, None)
    assert (refused.outcome, refused.seen, refused.code, refused.message) == ("fault", None, "gone", "no such row")


def path_of(read: Any) -> str:
    with pytest.raises(Unreadable) as refused:
        read()
    return refused.value.path


def test_a_line_is_rounded_never_its_units():
    row = Wire({"fee": 1.715, "long": "14.290000000000001"}, "row")
    assert (row.cents("fee", 2), row.cents("fee"), row.cents("long", 2), row.cents("none", 2)) == (343, 172, 2858, None)


@pytest.mark.parametrize("raw", [{"rows": None}, {}])
def test_a_list_that_must_be_told(raw: Any):
    assert Wire({"rows": []}, "search").needed_rows("rows") == []
    assert path_of(lambda: Wire(raw, "search").needed_rows("rows")) == "search.rows"


@pytest.mark.parametrize("odd", [["a", 1], "paid", 7])
def test_a_list_of_strings(odd: Any):
    told = Wire({"tags": ["a", "b"], "odd": odd}, "order")
    assert (told.texts("tags"), told.texts("none")) == (["a", "b"], [])
    assert path_of(lambda: told.texts("odd")) == "order.odd"


@pytest.mark.parametrize("odd", [None, "", -1, 1.5])
def test_silence_is_not_zero(odd: Any):
    told = Wire({"zero": 0, "odd": odd}, "slot")
    assert told.needed_count("zero") == 0
    assert path_of(lambda: told.needed_count("odd")) == "slot.odd"


def test_a_key_of_a_nested_object_and_where_it_stands():
    o = Wire({"total": {"amount": "7.50", "in": {"rows": [{"id": 1}]}}, "plain": 5}, "order")
    assert (o.cents("total.amount"), o.text("none.amount"), o.told("total.in.rows")) == (750, None, [{"id": 1}])
    assert [(row.ref("id"), row.path) for row in o.rows("total.in.rows")] == [("1", "order.total.in.rows.0")]
    assert o.part("total.in").path == "order.total.in"
    assert path_of(lambda: o.units("total.in")) == "order.total.in"
    assert path_of(lambda: o.text("plain.amount")) == "order.plain"


@pytest.mark.parametrize("told", [None, "", False, {}, {"0": 1}, "x"])
def test_nothing_but_a_list_passes_for_one_that_is_needed(told: Any):
    assert needed_list([1], "rows") == [1]
    with pytest.raises(Unreadable, match="rows: not a list"):
        needed_list(told, "rows")


@pytest.mark.parametrize("raw", [{"data": None}, {}])
def test_an_object_that_must_be_told(raw: Any):
    assert not Wire({"data": {}}, "").needed_part("data")
    assert path_of(lambda: Wire(raw, "").needed_part("data")) == "data"


@pytest.mark.parametrize("odd", ["text", 7, ["a"], None])
def test_what_may_be_an_object(odd: Any):
    told = Wire({"data": {"id": 1}, "odd": odd}, "body")
    assert (told.object("data").ref("id"), told.object("data").path) == ("1", "body.data")
    assert not told.object("odd")


def test_ids_of_a_notice():
    told = Wire({"odd": {"id": 1}, "id": "A1", "many": [7, "a/b", None, {"id": 1}, "B2"], "one": 7}, "body")
    assert (told.bare_ref("odd", "none", "id"), told.bare_ref("odd"), told.bare_ref()) == ("A1", None, None)
    assert (told.bare_refs("many"), told.bare_refs("one"), told.bare_refs("none")) == (["7", "B2"], [], [])


def test_an_order_is_found_in_its_envelopes():
    order = {"id": 1, "page": "of a book"}
    for raw in (order, {"page": order}, {"page": [order]}, {"answer": {"page": [order]}}):
        assert unboxed(raw, {"id"}, "page", "answer") == order
    assert unboxed({"page": None}, {"id"}, "page") == {"page": None}
    assert unboxed({"page": [7]}, {"id"}, "page") == 7
    for several in ([], [order, order]):
        assert path_of(lambda several=several: unboxed({"page": several}, {"id"}, "page")) == "order"

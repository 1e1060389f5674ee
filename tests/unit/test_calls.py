"""What channels' answers have in common before anyone reads them."""

from typing import Any

import pytest

from hub.calls import batches, chosen, first, grouped, if_there, listed, number_of, refusal_of, said, told_in, within
from hub.faults import ChannelError, Fault
from hub.model import Reply


@pytest.mark.parametrize(
    ("status", "body", "want"),
    [
        (400, b'{"error": "x"}', {"error": "x"}),
        (200, b'{"error": "x"}', {}),  # no refusal
        (502, b"<html>Bad Gateway</html>", {}),
        (400, b'["x"]', {}),
        (400, b"[" * 100_000, {}),
    ],
)
def test_what_a_refusal_tells(status: int, body: bytes, want: dict[str, str]):
    assert refusal_of(Reply(status=status, headers={}, body=body)) == want


@pytest.mark.parametrize(
    ("body", "want"), [(b'["x"]', ["x"]), (b"0", 0), (b"", None), (b"<html>", None), (b"[" * 100_000, None)]
)
def test_an_answer_that_may_be_anybodys(body: bytes, want: Any):
    assert told_in(Reply(status=200, headers={}, body=body)) == want


@pytest.mark.parametrize("raw", [None, "x", [], {"errors": "x"}, {"errors": {"0": "x"}}, {"errors": None}])
def test_no_rows_where_no_list_stands(raw: Any):
    assert listed(raw, "errors") == []
    assert listed({"in": {"errors": [1, raw]}}, "in", "errors") == [1, raw]


def test_a_document_that_nobody_has_read():
    raw = {"buyer": {"billing_info": {"id": 7}}, "shipping": []}
    assert within(raw, "buyer", "billing_info", "id") == 7
    assert within(raw, "shipping", "id") is None
    assert within(raw, "none", "id") is None
    assert within("x", "id") is None


@pytest.mark.parametrize("ref", ["", "abc", "-1", "1/2", "../1", "1\n", "１２", "²"])
def test_what_is_no_number_is_not_there(ref: str):
    assert number_of("0071") == "0071"
    with pytest.raises(ChannelError) as problem:
        number_of(ref)
    assert problem.value.fault is Fault.MISSING


@pytest.mark.parametrize(
    ("rows", "want"),
    [("", []), ("ab", [("a", "b")]), ("abcd", [("a", "b"), ("c", "d")]), ("abc", [("a", "b"), ("c",)])],
)
def test_two_at_a_time(rows: str, want: list[tuple[str, ...]]):
    assert batches(rows, 2) == want


def test_groups_keep_their_order():
    found = grouped(["b1", "a1", "b2"], lambda row: row[0])
    assert list(found.items()) == [("b", ["b1", "b2"]), ("a", ["a1"])]


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ({"code": " GONE "}, "GONE"),
        ({"code": 30001}, "30001"),
        ({"code": {"id": 1}, "error": "used"}, "used"),
        ({"code": True, "error": ["x"]}, None),
        (["code"], None),
        (None, None),
    ],
)
def test_the_first_word_that_a_refusal_says(raw: Any, want: str | None):
    assert said(raw, "code", "error") == want


async def test_only_what_is_missing_is_not_there():
    async def answer(fault: Fault | None) -> str:
        if fault:
            raise ChannelError(fault, "code", "why")
        return "it"

    assert (await if_there(answer(None)), await if_there(answer(Fault.MISSING))) == ("it", None)
    assert await if_there(answer(Fault.REJECTED), Fault.MISSING, Fault.REJECTED) is None
    for fault, absent in ((Fault.AUTH, ()), (Fault.MISSING, (Fault.REJECTED,))):
        with pytest.raises(ChannelError):
            await if_there(answer(fault), *absent)


def test_a_ref_that_was_answered_with_nothing_is_not_there():
    assert first(["a", "b"], "7") == "a"
    with pytest.raises(ChannelError, match="there is no '7'") as problem:
        first([], "7")
    assert problem.value.fault is Fault.MISSING


@pytest.mark.parametrize(
    ("wanted", "there", "best", "want"),
    [("2", ["1", "2"], "1", "2"), (None, ["1", "2"], "2", "2"), ("", ["1", "2"], None, "1")],
)
def test_the_place_whose_stock_is_written(wanted: str | None, there: list[str], best: str | None, want: str):
    assert chosen("location", wanted, there, best) == want


@pytest.mark.parametrize(
    ("wanted", "there", "words"),
    [("5", ["1", "2"], r"location: there is no active 5 \(there are: 1, 2\)"),
     (None, [], r"location: there is no active one \(there are: none\)")],
)  # fmt: skip
def test_a_place_that_is_not_there(wanted: str | None, there: list[str], words: str):
    with pytest.raises(ChannelError, match=words) as problem:
        chosen("location", wanted, there)
    assert (problem.value.fault, problem.value.code) == (Fault.REJECTED, "no_location")

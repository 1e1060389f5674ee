"""A search whose rows move while they are read: each change told once, none lost, memory bounded."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.contract import Page
from hub.faults import Unreadable
from hub.paging import REMEMBERED, Cursor, Poll, cursor_of, ms, poll_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def page(at: Cursor, *refs: str, total: int | None = None, turns: int = 1) -> Page:
    return at.page([(ref, NOW) for ref in refs], total, 3, turns=turns, reach=2 * HOUR)


def after(told: Page) -> Cursor:
    return cursor_of(told.cursor, NOW)


def test_a_page_begins_with_the_last_row_of_the_one_before():
    first = page(Cursor(since=NOW, top=NOW), "a", "b", "c")
    assert (first.refs, first.more, after(first).offset, after(first).anchor) == (("a", "b", "c"), True, 2, "c")
    second = page(after(first), "c", "d")
    assert (second.refs, second.more) == (("d",), False)


def test_a_row_that_left_is_noticed_and_the_page_before_is_read_again():
    at = Cursor(since=NOW, top=NOW, offset=8, anchor="c")
    back = page(at, "e", "f", "g")
    assert (back.refs, back.more, after(back).offset, after(back).anchor) == ((), True, 6, "c")
    assert (after(page(after(back), "d", "e", "f")).offset, after(page(after(back), "x")).anchor) == (4, "c")
    start = page(at.model_copy(update={"offset": 2}), "e")
    assert (after(start).offset, after(start).anchor) == (0, None)  # from the start, whoever is first


def test_a_total_ends_a_full_page_and_its_lack_a_short_one():
    at = Cursor(since=NOW, top=NOW)
    assert not page(at, "a", "b", "c", total=3).more
    assert page(at, "a", "b", total=9).more
    assert not page(at, "a", "b").more
    assert not page(at, "a", total=9).more  # nothing beyond its anchor can come


def test_each_pass_starts_anew_and_the_last_one_ends_the_poll():
    first = page(Cursor(since=NOW - HOUR, top=NOW - HOUR), "a", turns=2)
    assert (first.more, after(first).turn, after(first).since, after(first).top) == (True, 1, NOW - HOUR, NOW)
    second = page(after(first), "b", turns=2)
    assert (second.refs, second.more) == (("b",), False)
    assert (after(second).turn, after(second).since) == (0, NOW)
    assert page(after(second), "a", "b").refs == ()  # told already


def test_a_later_change_and_a_row_without_a_time_are_told():
    at = Cursor(since=NOW, top=NOW, seen={"a": ms(NOW)})
    found = at.page([("a", NOW + HOUR), ("b", None)], None, 3, turns=1, reach=HOUR)
    assert found.refs == ("a", "b")
    assert after(found).since == NOW + HOUR


def test_a_cursor_remembers_a_bounded_number_and_what_the_next_search_may_show():
    seen = {str(ref): ms(NOW) - ref for ref in range(REMEMBERED + 50)}
    kept = after(page(Cursor(since=NOW, top=NOW, seen=seen))).seen
    assert len(kept) == REMEMBERED
    assert "0" in kept  # the newest stay
    old = {"1": ms(NOW - 3 * HOUR), "2": ms(NOW - HOUR / 2)}
    assert after(page(Cursor(since=NOW, top=NOW, seen=old))).seen.keys() == {"2"}


@pytest.mark.parametrize("told", ["amanhã", "{}", '{"since": 1}', "[]"])
def test_a_strange_cursor_is_refused(told: str):
    with pytest.raises(Unreadable, match="cursor: not a cursor of this channel"):
        cursor_of(told, NOW)


def test_a_poll_goes_on_page_by_page_and_the_next_one_begins_where_it_began():
    later = NOW + 2 * HOUR
    first = poll_of(None, NOW, 24 * HOUR).page(["a", "b"], 2, HOUR)
    assert (first.refs, first.more) == (("a", "b"), True)
    at = poll_of(first.cursor, later, 24 * HOUR)
    assert at == Poll(since=NOW - 24 * HOUR, began=NOW, offset=2)
    last = at.page(["c"], 0, HOUR)
    assert (last.refs, last.more) == (("c",), False)
    assert poll_of(last.cursor, later, 24 * HOUR) == Poll(since=NOW - HOUR, began=later)


@pytest.mark.parametrize("told", ["amanhã", "{}", '{"since": "x"}', "[]", "7"])
def test_a_strange_poll_is_refused(told: str):
    with pytest.raises(Unreadable, match="cursor: not a cursor of this channel"):
        poll_of(told, NOW, HOUR)

"""What carriers' answers have in common."""

from datetime import UTC, datetime, timedelta

from hub.model import TrackedObject, TrackingEvent, TrackingStatus
from hub.tracked import UNHEARD, in_order, is_delayed, oldest_first

S = TrackingStatus
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def scan(code: str, minutes: int, status: S = S.IN_TRANSIT, *, revoked: bool = False) -> TrackingEvent:
    return TrackingEvent(at=NOON + timedelta(minutes=minutes), raw_code=code, status=status, revoked=revoked)


def test_objects_stand_in_the_order_asked_and_are_spelled_as_asked():
    told = [TrackedObject(code=code, carrier="x") for code in ("B2", "A1", "B2")]
    assert [one.code for one in in_order(told, (), "x")] == ["B2", "A1"]
    found = in_order(told, ["a-1", "C3", "B2", "A1"], "x")
    assert [one.code for one in found] == ["a-1", "C3", "B2", "A1"]
    assert [one.error for one in found] == [None, UNHEARD, None, None]


def test_newest_first_is_turned_round_and_equal_times_keep_their_order():
    first, second, third = scan("A", 0), scan("B", 5), scan("C", 5)
    assert oldest_first([third, second, first]) == [first, second, third]
    assert oldest_first([first, second, third]) == [first, second, third]
    assert oldest_first([third, second]) == [second, third]  # of one minute: the later stands above
    assert oldest_first([]) == []


def test_late_until_its_end_and_not_by_a_revoked_scan():
    late, gone = scan("LATE", 0), scan("LATE", 0, revoked=True)
    assert is_delayed([late], {"LATE"})
    assert is_delayed([late, scan("ON", 1)], {"LATE"})
    assert not is_delayed([gone], {"LATE"})
    assert not is_delayed([late], {"OTHER"})
    for end in (S.DELIVERED, S.RETURNED, S.LOST, S.CANCELLED):
        assert not is_delayed([late, scan("END", 1, end)], {"LATE"})
        assert is_delayed([late, scan("END", 1, end, revoked=True)], {"LATE"})

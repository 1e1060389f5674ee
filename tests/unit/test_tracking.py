"""Tracking: a parcel's status is a fact of its scans, not of the order in which they were told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model import News, TrackingEvent, TrackingStatus
from hub.tracking import (
    NEWS,
    OVER,
    PACE,
    STAGES,
    STICKY,
    fresh,
    identity,
    late,
    merge_events,
    never_found,
    news_due,
    news_of,
    next_check,
    settle,
    settle_legs,
    stuck,
)

S = TrackingStatus
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def scan(minute: int, status: TrackingStatus, code: str | None = None, **told: Any) -> TrackingEvent:
    return TrackingEvent(at=NOON + timedelta(minutes=minute), status=status, raw_code=code or status.value, **told)


def revocation(minute: int) -> TrackingEvent:
    return scan(minute, S.UNKNOWN, "EST/01", revokes=True)


def status_of(*statuses: TrackingStatus) -> TrackingStatus | None:
    return settle([scan(minute, status) for minute, status in enumerate(statuses)])[1]


# One identity has one status, as with one mapping table.
scans = st.builds(
    lambda minute, status, place: scan(minute, status, place=place),
    st.integers(0, 3),
    st.sampled_from(list(S)),
    st.sampled_from(("SP", "RJ")),
) | st.builds(revocation, st.integers(0, 3))
histories = st.lists(scans, max_size=8)


@settings(max_examples=500)
@given(histories, st.data())
def test_any_order_of_scans_with_duplicates_settles_alike(events, data):
    again = data.draw(st.lists(st.sampled_from(events), max_size=3)) if events else []
    settled, status = settle(events)
    shuffled, same = settle(data.draw(st.permutations(events + again)))
    assert same == status
    assert sorted(shuffled, key=repr) == sorted(settled, key=repr)
    assert settle(settled) == (settled, status)


@given(histories)
def test_scans_are_listed_once_oldest_first(events):
    settled = settle(events)[0]
    assert all(one.at <= two.at for one, two in pairwise(settled))
    assert {identity(event) for event in settled} == {identity(event) for event in events}
    assert len({identity(event) for event in settled}) == len(settled)


@given(st.lists(scans, max_size=4), st.lists(scans, max_size=4), st.lists(scans, max_size=4))
def test_feeds_in_any_pieces_settle_alike(one, two, three):
    def pieced(*pieces: Sequence[TrackingEvent]) -> TrackingStatus | None:
        known: tuple[TrackingEvent, ...] = ()
        for told in pieces:
            known = merge_events(known, told)
        return settle(known)[1]

    assert pieced(one, two, three) == pieced(three, one, two, one) == settle([*one, *two, *three])[1]


def test_scans_of_one_instant_stay_as_given():
    told = [scan(0, S.IN_TRANSIT, "TRANSFERENCIA"), scan(0, S.IN_TRANSIT, "ENTRADA")]
    assert settle(told)[0] == tuple(told)


def test_of_scans_of_one_instant_the_one_further_on_counts():
    for first, last in ((S.OUT_FOR_DELIVERY, S.DELIVERED), (S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT)):
        told = [scan(0, first), scan(0, last)]
        assert settle(told)[1] is settle(told[::-1])[1] is last


def test_nothing_told_is_no_status():
    assert settle([]) == ((), None)


def test_an_unknown_scan_keeps_the_status():
    assert status_of(S.IN_TRANSIT, S.UNKNOWN) is S.IN_TRANSIT
    assert status_of(S.UNKNOWN, S.UNKNOWN) is S.UNKNOWN
    assert status_of(S.UNKNOWN, S.ACCEPTED) is S.ACCEPTED


@pytest.mark.parametrize("sticky", [S.DELIVERED, S.RETURNED, S.LOST, S.CANCELLED])
@pytest.mark.parametrize("stray", [S.LABEL_CREATED, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.EXCEPTION, S.UNKNOWN])
def test_an_end_is_sticky_against_stray_scans(sticky, stray):
    assert status_of(sticky, stray) is sticky


@pytest.mark.parametrize(
    ("before", "after", "want"),
    [
        (S.DELIVERED, S.RETURNING, S.RETURNING),
        (S.DELIVERED, S.RETURNED, S.RETURNED),
        (S.DELIVERED, S.LOST, S.DELIVERED),
        (S.DELIVERED, S.CANCELLED, S.DELIVERED),
        (S.RETURNED, S.DELIVERED, S.RETURNED),
        (S.LOST, S.DELIVERED, S.DELIVERED),
        (S.LOST, S.RETURNED, S.RETURNED),
        (S.LOST, S.RETURNING, S.LOST),
        (S.CANCELLED, S.DELIVERED, S.CANCELLED),
        (S.DAMAGED, S.DELIVERED, S.DELIVERED),
    ],
)
def test_what_moves_an_end(before, after, want):
    assert status_of(before, after) is want


def test_a_revocation_takes_the_scan_before_it_back_and_both_stay():
    events, status = settle([scan(0, S.OUT_FOR_DELIVERY), scan(1, S.DELIVERED), revocation(2)])
    assert status is S.OUT_FOR_DELIVERY
    assert [event.revoked for event in events] == [False, True, False]
    assert [event.revokes for event in events] == [False, False, True]


def test_two_revocations_take_two_scans_back():
    events, status = settle([scan(0, S.ACCEPTED), scan(1, S.DELIVERED), revocation(2), revocation(3)])
    assert ([event.revoked for event in events], status) == ([True, True, False, False], None)


def test_a_revocation_with_nothing_before_it_does_nothing():
    assert settle([revocation(0), scan(1, S.ACCEPTED)])[1] is S.ACCEPTED


def test_a_revocation_reaches_a_scan_of_its_own_minute_and_is_no_status_itself():
    own = scan(1, S.IN_TRANSIT, "EST/01", revokes=True)
    assert settle([own, scan(1, S.DELIVERED), scan(0, S.ACCEPTED)])[1] is S.ACCEPTED


def test_a_scan_that_comes_late_moves_the_revocation_to_it():
    known = settle([scan(0, S.OUT_FOR_DELIVERY), revocation(5)])[0]
    events, status = settle([*known, scan(3, S.DELIVERED)])
    assert [event.revoked for event in events] == [False, True, False]
    assert status is S.OUT_FOR_DELIVERY


def test_of_two_tellings_of_one_scan_the_mapped_one_counts():
    poor = scan(0, S.UNKNOWN, "BDE/01")
    rich = scan(0, S.DELIVERED, "BDE/01", description="Entregue")
    for told in ([poor, rich], [rich, poor]):
        assert settle(told) == ((rich,), S.DELIVERED)


def test_rewritten_text_is_no_new_scan_and_another_place_is():
    known = (scan(0, S.IN_TRANSIT, description="em trânsito", place="SP"),)
    told = (
        scan(0, S.IN_TRANSIT, description="aguarde", place="SP"),
        scan(0, S.IN_TRANSIT, place="RJ"),
    )
    assert fresh(known, told) == told[1:]
    assert fresh((), (told[0], told[0])) == told[:1]
    assert merge_events(known, told) == told
    assert merge_events(known, ()) == known


def test_every_status_has_its_place_and_its_pace():
    assert sorted(STAGES) == sorted(S)
    assert set(PACE) | OVER == {*S, None}
    assert set(STICKY) <= set(S)


# ── News ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("told", "status", "dispatched", "want"),
    [
        ((), None, False, ()),
        ((), S.LABEL_CREATED, False, ()),
        ((), S.EXCEPTION, False, ()),
        ((), None, True, (News.DISPATCHED,)),
        ((), S.LABEL_CREATED, True, (News.DISPATCHED,)),
        ((), S.ACCEPTED, False, (News.DISPATCHED,)),
        ((), S.IN_TRANSIT, False, (News.DISPATCHED, News.IN_TRANSIT)),
        ((), S.DELIVERED, False, (News.DISPATCHED, News.DELIVERED)),
        ((), S.RETURNED, False, (News.DISPATCHED, News.RETURNED)),
        ((News.DISPATCHED,), S.OUT_FOR_DELIVERY, True, (News.OUT_FOR_DELIVERY,)),
        ((News.DISPATCHED, News.OUT_FOR_DELIVERY), S.IN_TRANSIT, True, ()),  # overtaken
        ((News.DISPATCHED, News.DELIVERED), S.RETURNED, True, (News.RETURNED,)),
        ((News.DISPATCHED, News.DELIVERED), S.DELIVERED, True, ()),
    ],
)
def test_what_a_channel_must_still_hear(told, status, dispatched, want):
    assert news_due(frozenset(told), status, dispatched=dispatched) == want


@given(st.lists(st.tuples(st.sampled_from([None, *S]), st.booleans()), max_size=10))
def test_a_channel_hears_each_news_once_in_order_and_dispatch_first(stages):
    heard: list[News] = []
    for status, dispatched in stages:
        heard += news_due(frozenset(heard), status, dispatched=dispatched)
    assert heard == [news for news in News if news in heard]
    assert not heard or heard[0] is News.DISPATCHED


@pytest.mark.parametrize(
    ("previous", "status", "want"),
    [
        (None, S.LABEL_CREATED, None),
        (None, S.IN_TRANSIT, News.IN_TRANSIT),
        (S.LABEL_CREATED, S.ACCEPTED, News.DISPATCHED),
        (S.ACCEPTED, S.ACCEPTED, None),
        (S.ACCEPTED, S.CUSTOMS, News.IN_TRANSIT),
        (S.IN_TRANSIT, S.ACCEPTED, None),
        (S.IN_TRANSIT, S.DELIVERED, News.DELIVERED),
        (S.DELIVERED, S.RETURNING, None),
        (S.RETURNING, S.RETURNED, News.RETURNED),
    ],
)
def test_the_news_in_a_change(previous, status, want):
    assert news_of(previous, status) is want


def test_every_news_can_be_told():
    assert {news for told in NEWS.values() for news in told} == set(News)


# ── When to ask ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "promised_in", "silent_for", "want"),
    [
        (S.DELIVERED, None, HOUR, None),
        (S.RETURNED, HOUR, HOUR, None),
        (S.CANCELLED, None, HOUR, None),
        (None, None, None, 6 * HOUR),
        (None, HOUR, HOUR, 6 * HOUR),  # not found yet: the promise does not hurry it
        (None, None, 21 * DAY, 24 * HOUR),
        (S.LABEL_CREATED, None, HOUR, 3 * HOUR),
        (S.IN_TRANSIT, None, HOUR, 2 * HOUR),
        (S.IN_TRANSIT, 3 * DAY, HOUR, 2 * HOUR),
        (S.IN_TRANSIT, 20 * HOUR, HOUR, HOUR / 4),
        (S.IN_TRANSIT, -20 * HOUR, HOUR, HOUR / 4),
        (S.IN_TRANSIT, -3 * DAY, HOUR, 2 * HOUR),
        (S.OUT_FOR_DELIVERY, None, HOUR, HOUR / 4),
        (S.OUT_FOR_DELIVERY, None, 2 * DAY, HOUR),
        (S.IN_TRANSIT, None, 8 * DAY, 6 * HOUR),
        (S.LOST, None, 8 * DAY, 24 * HOUR),
        (S.IN_TRANSIT, None, 30 * DAY, 24 * HOUR),
        (S.IN_TRANSIT, None, 90 * DAY, None),
    ],
)
def test_how_soon_to_ask_again(status, promised_in, silent_for, want):
    deliver_by = None if promised_in is None else NOON + promised_in
    last_event_at = None if silent_for is None else NOON - silent_for
    asked = next_check(status, deliver_by, last_event_at, NOON)
    assert asked == (None if want is None else NOON + want)


def test_late_is_past_the_promise_and_still_on_its_way():
    assert late(S.IN_TRANSIT, NOON - HOUR, NOON)
    assert late(None, NOON - HOUR, NOON)
    assert not late(S.IN_TRANSIT, NOON, NOON)
    assert not late(S.IN_TRANSIT, None, NOON)
    for status in (S.DELIVERED, S.RETURNED, S.CANCELLED, S.RETURNING, S.LOST):
        assert not late(status, NOON - HOUR, NOON)


def test_stuck_is_silent_and_unfinished():
    assert stuck(S.IN_TRANSIT, NOON - 5 * DAY, NOON)
    assert not stuck(S.IN_TRANSIT, NOON - 5 * DAY + HOUR, NOON)
    assert stuck(S.IN_TRANSIT, NOON - 2 * DAY, NOON, days=2)
    assert not stuck(S.IN_TRANSIT, None, NOON)
    for status in (S.DELIVERED, S.RETURNED, S.CANCELLED, S.LOST):
        assert not stuck(status, NOON - 50 * DAY, NOON)


# ── several carriers ────────────────────────────────────────────────────────────────────────────────────────────────


legs = st.fixed_dictionaries({"first": histories, "last": histories})


@settings(max_examples=300)
@given(legs, st.data())
def test_carriers_settle_alike_in_any_order_and_each_for_itself(told, data):
    settled, status = settle_legs(told, "last")
    for carrier, events in told.items():
        assert settled[carrier] == settle(events)[0]  # nobody revokes another's scan
    turned = {carrier: data.draw(st.permutations(told[carrier])) for carrier in ("last", "first")}
    assert settle_legs(turned, "last")[1] == status
    assert status in {settle(events)[1] for events in told.values()}


@given(histories)
def test_one_carrier_alone_is_settled_as_ever(events):
    assert settle_legs({"only": events}, "only") == ({"only": settle(events)[0]}, settle(events)[1])


def test_the_carrier_that_speaks_last_by_time_decides():
    first, last = [scan(0, S.ACCEPTED), scan(20, S.IN_TRANSIT)], [scan(10, S.OUT_FOR_DELIVERY)]
    assert settle_legs({"first": first, "last": last}, "last")[1] is S.IN_TRANSIT
    assert settle_legs({"first": first[:1], "last": last}, "last")[1] is S.OUT_FOR_DELIVERY
    assert settle_legs({"first": first, "last": [*last, scan(30, S.UNKNOWN)]}, "last")[1] is S.IN_TRANSIT


def test_what_the_first_carrier_calls_an_end_is_none_once_the_next_speaks():
    first = [scan(0, S.DELIVERED, "handed over")]
    assert settle_legs({"first": first, "last": []}, "last")[1] is S.DELIVERED
    assert settle_legs({"first": first, "last": [scan(5, S.ACCEPTED)]}, "last")[1] is S.ACCEPTED


def test_an_end_of_the_carrier_that_has_it_is_moved_by_no_other():
    last = [scan(5, S.DELIVERED)]
    assert settle_legs({"first": [scan(60, S.IN_TRANSIT)], "last": last}, "last")[1] is S.DELIVERED
    taken_back = [*last, revocation(6)]
    assert settle_legs({"first": [scan(60, S.IN_TRANSIT)], "last": taken_back}, "last")[1] is S.IN_TRANSIT


def test_codes_in_no_table_alone_are_unknown_and_nothing_told_is_nothing():
    assert settle_legs({"first": [scan(0, S.UNKNOWN)], "last": []}, "last")[1] is S.UNKNOWN
    assert settle_legs({"first": [], "last": []}, "last") == ({"first": (), "last": ()}, None)
    assert settle_legs({"first": [scan(0, S.UNKNOWN)], "last": [scan(0, S.ACCEPTED)]}, "first")[1] is S.ACCEPTED


def test_a_carrier_that_tells_by_itself_is_asked_less_often_for_two_days():
    usual = next_check(S.OUT_FOR_DELIVERY, None, NOON, NOON)
    assert usual == NOON + timedelta(minutes=15)
    assert next_check(S.OUT_FOR_DELIVERY, None, NOON, NOON, NOON - 2 * DAY) == NOON + HOUR
    assert next_check(S.OUT_FOR_DELIVERY, None, NOON, NOON, NOON - 2 * DAY - HOUR) == usual
    assert next_check(S.DELIVERED, None, NOON, NOON, NOON) is None


@pytest.mark.parametrize(("days", "want"), [(2.9, False), (3, True), (30, True)])
def test_a_parcel_is_never_found_after_so_many_days(days, want):
    assert never_found(NOON - days * DAY, NOON, 3) is want
    assert not never_found(None, NOON, 3)

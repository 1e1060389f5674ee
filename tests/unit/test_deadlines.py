"""By when an order leaves, at which stage it is, and which parcels need a person."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub import deadlines
from hub.deadlines import (
    LAST_DAYS,
    LATE,
    LOST,
    PICKUP,
    RETURNED,
    STUCK,
    Parcel,
    Policy,
    Rules,
    Stage,
    Waiting,
    judged,
    policy_of,
    ship_by,
    troubles,
)
from hub.model import FulfilledBy, Hold, Status, TrackingStatus

SP, MANAUS = ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/Manaus")
NOW = datetime(2026, 3, 11, 15, tzinfo=UTC)  # a Wednesday, 12:00 in São Paulo
S = TrackingStatus


@pytest.mark.parametrize(
    ("paid", "days", "state", "due"),
    [
        ("2026-03-11 11:59", 0, None, "2026-03-11 18:00"),
        ("2026-03-11 12:00", 0, None, "2026-03-12 18:00"),  # the cut-off itself is too late
        ("2026-03-11 11:59", 2, None, "2026-03-13 18:00"),
        ("2026-03-13 11:59", 1, None, "2026-03-16 18:00"),  # over the weekend
        ("2026-03-14 09:00", 0, None, "2026-03-16 18:00"),  # paid on a Saturday
        ("2026-03-14 23:00", 1, None, "2026-03-17 18:00"),  # after the cut-off of no business day
        ("2026-04-02 13:00", 1, None, "2026-04-07 18:00"),  # Good Friday and a weekend between
        ("2026-07-08 13:00", 0, "SP", "2026-07-10 18:00"),  # 9 July is São Paulo's alone
        ("2026-07-08 13:00", 0, "RJ", "2026-07-09 18:00"),
        ("2026-02-16 13:00", 0, None, "2026-02-17 18:00"),  # Carnival is optional
        ("2026-12-31 13:00", 0, None, "2027-01-04 18:00"),  # holidays of the year after
    ],
)
def test_an_order_leaves_so_many_business_days_after_it_was_paid(paid: str, days: int, state: str | None, due: str):
    told = ship_by(Policy(handling_days=days, state=state), datetime.fromisoformat(paid).replace(tzinfo=SP))
    assert told.astimezone(SP) == datetime.fromisoformat(due).replace(tzinfo=SP)


def test_the_clock_is_the_states():
    policy = Policy(handling_days=0, state="AM", cutoff=time(12))
    paid = datetime(2026, 3, 11, 12, 30, tzinfo=SP)  # 11:30 in Manaus
    assert ship_by(policy, paid) == datetime(2026, 3, 11, 18, tzinfo=MANAUS)


def test_no_policy_was_told_no_promise_is_made():
    assert policy_of({}, "SP") is None
    assert policy_of({"cutoff": "10:00"}, "SP") is None
    assert policy_of({"handling_days": 0, "cutoff": "10:30"}, "SP") == Policy(
        handling_days=0, cutoff=time(10, 30), state="SP"
    )


def waiting(**told: Any) -> Waiting:
    plain: dict[str, Any] = {
        "status": Status.PAID, "hold": None, "fulfilled_by": FulfilledBy.SELLER, "told": NOW + timedelta(hours=6),
        "since": NOW - timedelta(days=1), "posted": False, "relayed": False, "closed": False,
        "alerted": Stage.AHEAD,
    }  # fmt: skip
    return Waiting(**{**plain, **told})


@pytest.mark.parametrize(
    ("left", "stage", "next_in"),
    [
        (timedelta(hours=6), Stage.AHEAD, timedelta(hours=2)),
        (timedelta(hours=4), Stage.SOON, timedelta(hours=3)),
        (timedelta(hours=3), Stage.SOON, timedelta(hours=2)),
        (timedelta(hours=1), Stage.NEXT, timedelta(hours=1)),
        (timedelta(seconds=1), Stage.NEXT, timedelta(seconds=1)),
        (timedelta(), Stage.LATE, None),
        (timedelta(days=-29), Stage.LATE, None),
    ],
)
def test_the_stage_and_the_instant_of_the_next(left: timedelta, stage: Stage, next_in: timedelta | None):
    found = judged(waiting(told=NOW + left), None, NOW)
    assert (found.stage, found.next_at) == (stage, None if next_in is None else NOW + next_in)


@pytest.mark.parametrize(
    "told",
    [
        {"status": Status.PLACED}, {"status": Status.DISPATCHED}, {"status": Status.CANCELLED}, {"posted": True},
        {"relayed": True}, {"closed": True}, {"fulfilled_by": FulfilledBy.MARKETPLACE}, {"hold": Hold.FRAUD},
        {"hold": Hold.FROZEN}, {"hold": Hold.CANCEL_REQUESTED}, {"told": None}, {"told": NOW - timedelta(days=31)},
    ],
    ids=str,
)  # fmt: skip
def test_an_order_whose_clock_does_not_run(told: dict[str, Any]):
    found = judged(waiting(**{"told": NOW - timedelta(hours=1), **told}), None, NOW)
    assert (found.stage, found.next_at) == (Stage.AHEAD, None)


@pytest.mark.parametrize(
    "told", [{"hold": Hold.INVOICE_PENDING}, {"fulfilled_by": None}, {"fulfilled_by": FulfilledBy.MIXED}], ids=str
)
def test_an_order_whose_clock_runs_all_the_same(told: dict[str, Any]):
    assert judged(waiting(told=NOW - timedelta(hours=1), **told), None, NOW).stage is Stage.LATE


def test_what_was_alerted_stays_alerted_however_late_it_gets():
    found = judged(waiting(told=NOW - timedelta(days=200), alerted=Stage.LATE), None, NOW)
    assert found.stage is Stage.LATE


def test_the_channels_word_goes_before_the_policy():
    policy = Policy(handling_days=0)
    assert judged(waiting(), policy, NOW).by_policy is None
    found = judged(waiting(told=None, since=datetime(2026, 3, 11, 11, tzinfo=SP)), policy, NOW)
    assert found.by_policy == datetime(2026, 3, 11, 18, tzinfo=SP)
    assert found.stage is Stage.AHEAD


# ── parcels ─────────────────────────────────────────────────────────────────────────────────────────────────


def parcel(status: TrackingStatus | None = S.IN_TRANSIT, **told: Any) -> Parcel:
    plain: dict[str, Any] = {
        "since": NOW - timedelta(days=1), "scanned": True, "deliver_by": None, "pickup_until": None, "received": False,
    }  # fmt: skip
    return Parcel(status=status, **{**plain, **told})


def kinds(told: Parcel, now: datetime = NOW) -> list[str]:
    return [trouble.kind for trouble in troubles(told, Rules(), now)[0]]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (parcel(), []),
        (parcel(deliver_by=NOW - timedelta(seconds=1)), [LATE]),
        (parcel(deliver_by=NOW + timedelta(seconds=1)), []),
        (parcel(since=NOW - timedelta(days=5)), [STUCK]),
        (parcel(since=NOW - timedelta(days=14)), [STUCK]),
        (parcel(since=NOW - timedelta(days=15)), [LOST]),
        (parcel(since=NOW - timedelta(days=15), deliver_by=NOW - timedelta(days=3)), [LATE, LOST]),
        (parcel(since=NOW - timedelta(days=90)), []),
        (parcel(S.LABEL_CREATED, since=NOW - timedelta(days=20)), [STUCK]),
        (parcel(since=NOW - timedelta(days=6), scanned=False), []),
        (parcel(None, deliver_by=NOW - timedelta(days=1)), []),
        (parcel(S.LOST, since=NOW - timedelta(days=20), deliver_by=NOW - timedelta(days=9)), []),
        (parcel(S.DELIVERED, since=NOW - timedelta(days=20), deliver_by=NOW - timedelta(days=30)), []),
        (parcel(S.RETURNING, deliver_by=NOW - timedelta(days=3)), []),
        (parcel(S.RETURNED), [RETURNED]),
        (parcel(S.RETURNED, received=True), []),
        (parcel(S.RETURNED, since=NOW - timedelta(days=31)), []),
        (parcel(S.AWAITING_PICKUP), [PICKUP]),
        (parcel(S.AWAITING_PICKUP, since=NOW - timedelta(days=6)), [LAST_DAYS]),
        (parcel(S.AWAITING_PICKUP, since=NOW - timedelta(days=6), pickup_until=date(2026, 3, 20)), [PICKUP]),
        (parcel(S.AWAITING_PICKUP, pickup_until=date(2026, 3, 12)), [LAST_DAYS]),
    ],
)
def test_what_about_a_parcel_needs_a_person(told: Parcel, found: list[str]):
    assert kinds(told) == found


@pytest.mark.parametrize(
    "told",
    [
        parcel(deliver_by=NOW + timedelta(hours=5)),
        parcel(),
        parcel(S.AWAITING_PICKUP, pickup_until=date(2026, 3, 20)),
        parcel(since=NOW - timedelta(days=14, hours=23)),
    ],
)
def test_a_parcel_is_looked_at_when_the_next_thing_about_it_becomes_true(told: Parcel):
    before, at = troubles(told, Rules(), NOW)
    assert at is not None
    known = {trouble.kind for trouble in before}
    early = set(kinds(told, at - timedelta(seconds=2)))
    assert early == known
    assert set(kinds(told, at)) != known or at == NOW + timedelta(days=1)


def test_the_last_day_for_pickup_is_whole_and_assumed_only_where_nobody_tells_it():
    told = parcel(S.AWAITING_PICKUP, pickup_until=date(2026, 3, 20))
    assert deadlines.pickup_end(told, Rules()) == (datetime(2026, 3, 21, tzinfo=SP), False)
    end, assumed = deadlines.pickup_end(parcel(S.AWAITING_PICKUP), Rules(pickup_days=3))
    assert (end, assumed) == (datetime(2026, 3, 14, tzinfo=SP), True)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("Disponível para retirada até 20/03/2026", date(2026, 3, 20)),
        ("Aguardando retirada. Prazo: 18/03", date(2026, 3, 18)),
        ("Objeto aguardando retirada no endereço indicado", None),
        ("até 31/02/2026", None),
        ("até 20/03/2031", None),
        (None, None),
    ],
)
def test_the_day_in_a_scans_words(words: str | None, day: date | None):
    assert deadlines.day_in(words, NOW) == day


def test_a_day_told_in_december_may_be_in_january():
    assert deadlines.day_in("até 04/01", datetime(2026, 12, 29, tzinfo=UTC)) == date(2027, 1, 4)

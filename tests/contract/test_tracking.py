"""What every carrier's answer becomes."""

import random
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

import adapters
from hub import normalize, tracking
from hub.contract import TrackingSource
from hub.model import TrackedObject, TrackingEvent, TrackingStatus
from tests.contract.conftest import canonical
from tests.contract.payloads import cases, channels, files, raw_of, twice

EVERY = pytest.mark.parametrize(("channel", "path"), cases("tracking"))
NEVER_POSTED = "ZZ999999999BR"


def source_of(channel: str) -> TrackingSource:
    source = adapters.get(channel).tracking
    assert source
    return source


def objects(channel: str, path: Path) -> list[TrackedObject]:
    """All that a document tells: no codes asked means every object, in the document's order."""
    return source_of(channel).parse(raw_of(path), ())


@EVERY
def test_is_read_as_when_last_looked_at(channel: str, path: Path, snapshot: SnapshotAssertion):
    told = twice(lambda raw: normalize.tracking(adapters.get(channel), raw), raw_of(path))
    assert told == snapshot
    assert told == {"objects": [canonical(one) for one in objects(channel, path)]}


@EVERY
def test_objects_come_in_the_order_asked(channel: str, path: Path):
    told = objects(channel, path)
    assert told, "asked for no code, parse tells every object of the document"
    by_code = {one.code: one for one in told}
    assert len(by_code) == len(told), "one object per code"
    codes = [*reversed(by_code), NEVER_POSTED, *by_code]  # asked twice is told twice
    found = source_of(channel).parse(raw_of(path), codes)
    assert [one.code for one in found] == codes
    for one in found:
        if one.code == NEVER_POSTED:
            assert one.error, "an object that the answer does not tell has an error"
            assert (one.status, one.events) == (None, ())
        else:
            assert one == by_code[one.code]


@EVERY
def test_holds_to_the_rules(channel: str, path: Path):
    for one in objects(channel, path):
        assert one.code.strip()
        assert one.carrier == channel
        if one.error:
            assert (one.status, one.events) == (None, ()), "an object with an error has no status and no events"
            assert one.error.code.strip()
            assert one.error.message.strip()
        for event in one.events:
            assert event.raw_code.strip()
            for words in (event.description, event.place, event.state):
                assert words is None or words.strip()
        times = [event.at for event in one.events]
        assert times == sorted(times), "events stand oldest first"
        seen = [tracking.identity(event) for event in one.events]
        assert len(seen) == len(set(seen)), "events are told once"
        settled, status = tracking.settle(one.events)
        assert one.status is status, "the object's status is what its events add up to"
        assert {event.revoked for event in settled if event.revokes} <= {False}
        assert settled == one.events


@EVERY
def test_an_unmapped_event_changes_no_status(channel: str, path: Path):
    for one in objects(channel, path):
        known = [event for event in one.events if event.status is not TrackingStatus.UNKNOWN or event.revokes]
        if any(not event.revokes for event in known) and not any(event.revokes for event in known):
            assert tracking.settle(known)[1] is one.status
        assert not known or one.status is not TrackingStatus.UNKNOWN or all(event.revokes for event in known)


@EVERY
def test_events_converge_however_they_come(channel: str, path: Path):
    """Told piece by piece, again, and in any order, the events add up to the same."""
    chance = random.Random(path.stem)
    for one in objects(channel, path):
        for _ in range(5):
            known: tuple[TrackingEvent, ...] = ()
            pieces = [*one.events, *one.events[:2]]
            chance.shuffle(pieces)
            while pieces:
                cut = chance.randint(1, len(pieces))
                known = tracking.merge_events(known, pieces[:cut])
                pieces = pieces[cut:]
            assert tracking.settle(known)[1] is one.status
            assert {tracking.identity(event): event for event in known} == {
                tracking.identity(event): event for event in one.events
            }


@pytest.mark.parametrize("channel", channels("tracking"))
def test_payloads_tell_the_story(channel: str):
    told = [one for path in files(channel, "tracking") for one in objects(channel, path)]
    statuses = {one.status for one in told}
    assert TrackingStatus.DELIVERED in statuses, "add a parcel that was delivered"
    assert any(one.error for one in told), "add a parcel that is not found yet"
    assert any(event.status is TrackingStatus.UNKNOWN for one in told for event in one.events), (
        "add an event that is in no table"
    )

"""How every channel is told numbers, and what its answers say."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

import adapters
from hub import normalize
from hub.faults import Unreadable
from hub.model import Outcome, OutcomeKind, Raw, Reply, Request, StockWrite
from tests.contract.conftest import canonical
from tests.contract.payloads import (
    cases,
    channels,
    files,
    known_slots,
    raw_of,
    reply_of,
    sink_of,
    twice,
    writes_asked,
)

EVERY = pytest.mark.parametrize(("channel", "path"), cases("stock"))
SINKS = pytest.mark.parametrize("channel", channels("stock"))


def _moved(ref: str, by: int) -> str:
    """The id with its last number moved on: another slot of the same look."""
    return re.sub(r"\d+(?=\D*$)", lambda found: str(int(found[0]) + by), ref, count=1)


def shifted(write: StockWrite, by: int) -> StockWrite:
    """The slot `by` places further on, under the same listing where it has variations."""
    own = "variation_ref" if write.variation_ref else "listing_ref"
    moved = {"slot_ref": _moved(write.slot_ref, by), own: _moved(getattr(write, own), by)}
    return write.model_copy(update=moved)


def slots(channel: str, count: int) -> list[StockWrite]:
    """So many slots of one kind."""
    first = known_slots(channel)[0]
    made = [shifted(first, by).model_copy(update={"quantity": by % 50}) for by in range(count)]
    assert len({write.slot_ref for write in made}) == count, f"{channel}: slot refs without a number: {first}"
    return made


def numbers(told: Any) -> Iterator[Any]:
    if isinstance(told, dict):
        for each in told.values():
            yield from numbers(each)
    elif isinstance(told, list):
        for each in told:
            yield from numbers(each)
    else:
        yield told


def wire(requests: Sequence[tuple[Request, tuple[StockWrite, ...]]]) -> list[Any]:
    """Every scalar that would be sent."""
    return [
        each for request, _ in requests for each in numbers([request.json, list(request.params), list(request.form)])
    ]


@SINKS
def test_zero_is_a_number(channel: str):
    for slot in known_slots(channel):
        none = wire(sink_of(channel).render([slot.model_copy(update={"quantity": 0})]))
        some = wire(sink_of(channel).render([slot.model_copy(update={"quantity": 7421})]))
        assert len(none) == len(some), "zero is a level, not nothing"
        changed = [(zero, many) for zero, many in zip(none, some, strict=True) if zero != many]
        told = [(int(zero), int(many)) for zero, many in changed if str(zero).isdecimal() and str(many).isdecimal()]
        assert (0, 7421) in told, f"{slot.slot_ref}: 0 is not sent where 7421 is: {changed}"


@SINKS
def test_every_write_is_sent_once_and_in_order(channel: str):
    sink = sink_of(channel)
    for count in range(1, 3 * sink.batch + 2):
        writes = slots(channel, count)
        requests = sink.render(writes)
        assert [write for _, covered in requests for write in covered] == writes
        assert all(1 <= len(covered) <= sink.batch for _, covered in requests)
    assert sink.render(slots(channel, 3)) == sink.render(slots(channel, 3))


@SINKS
def test_slots_of_every_kind_are_sent_together(channel: str):
    """Mixed kinds may be grouped; none is left out, and each group keeps the order."""
    known, sink = known_slots(channel), sink_of(channel)
    writes = [slot.model_copy(update={"quantity": n}) for n, slot in enumerate([*known, *map(_next, known)])]
    writes = list({(write.slot_ref, write.location_ref): write for write in writes}.values())
    covered = [list(batch) for _, batch in sink.render(writes)]
    assert sorted(
        (write.slot_ref, write.location_ref or "", write.quantity) for batch in covered for write in batch
    ) == (sorted((write.slot_ref, write.location_ref or "", write.quantity) for write in writes))
    for batch in covered:
        places = [writes.index(write) for write in batch]
        assert places == sorted(places)


def _next(write: StockWrite) -> StockWrite:
    return shifted(write, 1_000_003)


@SINKS
def test_nothing_to_write_is_no_request(channel: str):
    assert sink_of(channel).render([]) == []


@SINKS
def test_a_request_is_read_back_into_its_writes(channel: str):
    """`asked` is `render` backwards, as far as a request tells: the slot, and the number."""
    for request, covered in sink_of(channel).render(known_slots(channel)):
        asked = sink_of(channel).asked
        assert asked
        told = [(write.slot_ref, write.location_ref, write.variation_ref, write.quantity) for write in asked(request)]
        sent = [(write.slot_ref, write.location_ref, write.variation_ref, write.quantity) for write in covered]
        assert len(told) == len(sent)
        assert [row[1:2] + row[3:] for row in told] == [row[1:2] + row[3:] for row in sent]
        assert sink_of(channel).render(asked(request))[0][0] == replace(request, headers={}), "and back again"


@EVERY
def test_answers_are_read_as_when_last_looked_at(channel: str, path: Path, snapshot: SnapshotAssertion):
    told = raw_of(path)
    assert twice(lambda raw: normalize.stock_response(adapters.get(channel), raw), told) == snapshot
    assert snapshot_of(outcomes(channel, told)) == normalize.stock_response(adapters.get(channel), told)["outcomes"]


def snapshot_of(found: Sequence[Outcome]) -> list[dict[str, object]]:
    return [canonical(one) for one in found]


def outcomes(channel: str, told: Raw) -> list[Outcome]:
    writes = writes_asked(channel, told["request"])
    assert writes, "the recorded request writes nothing"
    return sink_of(channel).read(writes, reply_of(told))


@EVERY
def test_one_outcome_per_write_in_order(channel: str, path: Path):
    told = raw_of(path)
    writes, found = writes_asked(channel, told["request"]), twice(lambda raw: outcomes(channel, raw), told)
    assert [one.slot_ref for one in found] == [write.slot_ref for write in writes]
    assert [one.variation_ref for one in found] == [write.variation_ref for write in writes]
    for one, write in zip(found, writes, strict=True):
        if one.outcome is OutcomeKind.ACCEPTED:
            assert one.seen in (None, write.quantity), "accepted, and yet the channel shows another number"
            assert one.code is None
        if one.outcome is OutcomeKind.FAULT:
            assert one.code, "a fault has the channel's code"
            assert one.message is None or one.message.strip()


@SINKS
def test_payloads_tell_yes_and_no(channel: str):
    told = [one.outcome for path in files(channel, "stock") for one in outcomes(channel, raw_of(path))]
    taken = {OutcomeKind.ACCEPTED, OutcomeKind.PENDING} if sink_of(channel).ask else {OutcomeKind.ACCEPTED}
    assert taken & set(told), "add a stock_response that the channel accepted"
    assert OutcomeKind.FAULT in told, "add a stock_response that the channel refused"


@SINKS
def test_a_row_refused_inside_a_good_answer_is_a_fault(channel: str):
    """Where a channel takes several rows at once, it refuses some of them under a status that says all is well."""
    if sink_of(channel).batch == 1 or sink_of(channel).atomic:
        return
    mixed = [
        kinds
        for path in files(channel, "stock")
        if raw_of(path)["status"] < 300
        and OutcomeKind.FAULT in (kinds := [one.outcome for one in outcomes(channel, raw_of(path))])
    ]
    assert mixed, f"add tests/adapters/{channel}/stock_response/<case>.json: a 200 that refuses one of its rows"


@EVERY
def test_a_page_of_somebody_else_is_never_accepted(channel: str, path: Path):
    """A 200 that is a proxy's page, or an error's, must not pass for a number taken."""
    writes = writes_asked(channel, raw_of(path)["request"])
    for body in (b"<html>ok</html>", b"", b"\xff"):
        with pytest.raises(Unreadable):
            sink_of(channel).read(writes, Reply(status=200, headers={}, body=body))
    for status in (400, 409, 500):
        found = sink_of(channel).read(writes, Reply(status=status, headers={}, body=json.dumps({}).encode()))
        assert all(one.outcome is not OutcomeKind.ACCEPTED for one in found)

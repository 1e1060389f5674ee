"""Sinks of one slot a request, and of numbers that stand later."""

from collections.abc import Sequence
from typing import Any

import pytest

from hub.contract import AVAILABLE, PHYSICAL
from hub.model import Listing, ListingStatus, Outcome, OutcomeKind, Reply, Request, StockWrite
from hub.sinks import by_looking, one_by_one


async def look(_api: Any, writes: Sequence[StockWrite]) -> list[Listing | None]:
    units = {"stands": 4, "waits": 9}
    return [
        Listing(ref=slot, slot_ref=slot, status=ListingStatus.ACTIVE, stock_quantity=units[slot])
        if (slot := write.slot_ref) in units
        else None
        for write in writes
    ]


def wanted(slot: str) -> StockWrite:
    return StockWrite(slot_ref=slot, listing_ref=slot, quantity=4)


def put(write: StockWrite) -> Request:
    return Request(method="PUT", path=f"/{write.slot_ref}", json=write.quantity)


def test_each_slot_has_a_request_and_an_answer_of_its_own():
    sink = one_by_one(
        put,
        lambda write, _reply: Outcome.accepted(write),
        lambda request: wanted(request.path.removeprefix("/")),
        look,
    )
    writes = [wanted("a"), wanted("b")]
    asked = sink.render(writes)
    assert [(request.path, covered) for request, covered in asked] == [("/a", (writes[0],)), ("/b", (writes[1],))]
    assert sink.asked
    assert [sink.asked(request) for request, _ in asked] == [[writes[0]], [writes[1]]]
    reply = Reply(status=200, headers={}, body=b"")
    assert sink.read(writes[:1], reply) == [Outcome.accepted(writes[0])]
    with pytest.raises(ValueError, match="unpack"):
        sink.read(writes, reply)
    assert sink.numbers == AVAILABLE
    assert (
        one_by_one(
            put, lambda write, _reply: Outcome.accepted(write), lambda _request: writes[0], look, numbers=PHYSICAL
        ).numbers
        == PHYSICAL
    )


async def test_an_accepted_number_is_asked_about_by_looking():
    writes = [wanted("stands"), wanted("waits"), wanted("gone")]
    api: Any = None  # what is looked at needs none
    told = await by_looking(look)(api, writes, "R1")
    assert [(one.slot_ref, one.outcome, one.code, one.seen) for one in told] == [
        ("stands", OutcomeKind.ACCEPTED, None, 4),
        ("waits", OutcomeKind.PENDING, "R1", 9),
        ("gone", OutcomeKind.FAULT, "NOT_FOUND", None),
    ]
    assert (await by_looking(look)(api, writes[1:2], ""))[0].code is None

"""What a person says of an order has no version: its channel goes before it later, but for goods that left."""

from datetime import UTC, datetime, timedelta

from hub.model import FulfilledBy, Fulfilment, Order, OrderLine, Payment, Status
from hub.orders import Known, merge
from hub.stranded import Outcome, settled, stays

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def order(*lines: OrderLine, hours: int = 0) -> Order:
    some = Fulfilment.PARTIAL if any(each.dispatched_quantity for each in lines) else Fulfilment.NONE
    at = NOW + timedelta(hours=hours)
    return Order(ref="1", payment=Payment.PAID, fulfilment=some, cancelled=False, changed_at=at, lines=lines)


def line(ref: str, dispatched: int = 0, **more: object) -> OrderLine:
    told = {"ref": ref, "listing_ref": ref, "sku": ref, "title": None, "quantity": 2, "total_cents": 100, **more}
    return OrderLine.model_validate({**told, "dispatched_quantity": dispatched})


def known(*lines: OrderLine) -> Known:
    return merge(None, order(*lines), 1, {})


def test_what_is_cancelled_by_hand_is_open_again_once_its_channel_says_so() -> None:
    before = known(line("a"), line("b"))
    done = settled(before, Outcome.CANCELLED, NOW)
    assert (done.order.status, [each.cancelled_quantity for each in done.order.lines]) == (Status.CANCELLED, [2, 2])
    again = merge(done, order(line("a"), line("b")), 2, {})  # the same document, fetched once more
    assert (again.order.status, [each.cancelled_quantity for each in again.order.lines]) == (Status.PAID, [0, 0])


def test_goods_that_left_by_a_persons_word_stay_gone() -> None:
    before = known(line("a", dispatched=2), line("b"))  # the channel counts what left of each line
    done = settled(before, Outcome.SENT, NOW)
    assert (done.order.status, done.order.changed_at) == (Status.DISPATCHED, NOW)
    again = merge(done, order(line("a", dispatched=2), line("b"), hours=1), 2, {})
    assert [each.dispatched_quantity for each in again.order.lines] == [2, 2]


def test_only_what_is_still_open_and_the_sellers_is_cancelled() -> None:
    part = settled(known(line("a", dispatched=1), line("b")), Outcome.CANCELLED, NOW).order
    assert (part.status, part.cancelled, [each.cancelled_quantity for each in part.lines]) == (
        Status.DISPATCHED, False, [1, 2]
    )  # fmt: skip
    theirs = line("a", fulfilled_by=FulfilledBy.MARKETPLACE)
    mixed = settled(known(theirs, line("b", fulfilled_by=FulfilledBy.SELLER)), Outcome.CANCELLED, NOW).order
    assert (mixed.cancelled, [each.cancelled_quantity for each in mixed.lines]) == (False, [0, 2])


def test_goods_that_may_be_sent_stay_and_what_left_may_always_be_said_to_have_left() -> None:
    for why in ("packed", "labelled", "moving", "followed"):
        assert stays(Outcome.CANCELLED, **{why: True}) == why
        assert stays(Outcome.SENT, **{why: True}) is None
    assert stays(Outcome.CANCELLED) is None

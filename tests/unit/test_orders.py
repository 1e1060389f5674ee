"""Orders converge whatever the order of the tellings; what they hold, send and take back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model import (
    Address,
    Buyer,
    Disposition,
    Document,
    FulfilledBy,
    Fulfilment,
    Hold,
    Invoice,
    LineQuantity,
    Order,
    OrderLine,
    Origin,
    Payment,
    Return,
    ReturnLine,
    Shipment,
    Status,
    TrackingStatus,
)
from hub.orders import (
    NEVER,
    Known,
    Version,
    changed,
    effects,
    holds_stock,
    merge,
    needs_fulfilled_by,
    stock_ref,
)

PARTS = {
    "shipment": frozenset({"shipments", "ship_to", "deliver_by", "fulfilment", "fulfilled_by"}),
    "billing": frozenset({"buyer", "invoices"}),
}
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RANK = list(Fulfilment)


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def line(ref: str = "a", quantity: int = 2, **told: Any) -> OrderLine:
    return OrderLine(**{"listing_ref": "L", "sku": "S", "title": "T", "total_cents": 1000} | told | {"ref": ref, "quantity": quantity})


def order(second: int | None = 0, **told: Any) -> Order:
    """A document of the part "order" alone, unless `clocks` says otherwise."""
    clocks = told.pop("clocks", {"order": None if second is None else at(second)})
    return Order(**{"ref": "1", "clocks": clocks} | told)


def fold(docs: Sequence[tuple[Order, int]]) -> Known:
    known = None
    for told, seq in docs:
        known = merge(known, told, seq, PARTS)
    assert known is not None
    return known


# ── Strategies: documents that agree on nothing ─────────────────────────────────────────────────────────────

maybe = st.sampled_from


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from((None, *values))


lines = st.builds(
    OrderLine,
    ref=st.sampled_from("abc"),
    listing_ref=some("L1", "L2"),
    variation_ref=some("V"),
    sku=some("S1", "S2"),
    title=some("t", "u"),
    quantity=st.integers(1, 4),
    cancelled_quantity=st.integers(0, 1),
    dispatched_quantity=st.integers(0, 2),
    returned_quantity=st.integers(0, 1),
    total_cents=some(100, 200),
    fulfilled_by=some(FulfilledBy.SELLER, FulfilledBy.MARKETPLACE),
)
shipments = st.builds(
    Shipment,
    ref=st.sampled_from(("R", "S")),
    carrier=some("c", "d"),
    tracking_code=some("X", "Y"),
    status=some(TrackingStatus.DELIVERED),
    lines=st.sampled_from(((), (LineQuantity(line_ref="a", quantity=1),))),
)
returns = st.builds(
    Return,
    ref=st.sampled_from(("P", "Q")),
    status=some("open", "closed"),
    lines=st.sampled_from(((), (ReturnLine(line_ref="a", quantity=1),))),
)
invoices = st.builds(Invoice, key=some("k"), number=some("7"), status=some("ok", "void"))
buyers = st.builds(Buyer, name=some("Ana", "Bia"), email=some("a@b.c"), phone=some("+551190000"))
addresses = st.builds(
    Address,
    recipient=some("Ana", "Bia"),
    street=some("Rua A", "Rua B"),
    number=some("1"),
    complement=some("ap 1", "ap 2"),
    city=some("SP"),
    postal_code=some("01001000"),
)


def listed(rows: st.SearchStrategy[Any], key: str) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(rows, max_size=3, unique_by=lambda row: getattr(row, key)).map(tuple)


clocks = st.dictionaries(
    st.sampled_from(("order", "shipment", "billing")),
    st.integers(0, 2).map(at) | st.none(),  # one-second clocks: ties are the rule
    min_size=1,
)
documents = st.builds(
    Order,
    ref=st.just("1"),
    number=some("n1", "n2"),
    payment=some(*Payment),
    fulfilment=some(*Fulfilment),
    cancelled=st.booleans(),
    hold=some(*Hold),
    fulfilled_by=some(*FulfilledBy),
    raw_status=st.dictionaries(st.sampled_from(("order", "shipment", "tag")), some("x", "y")),
    changed_at=some(at(0), at(5)),
    cancelled_at=some(at(1), at(2)),
    total_cents=some(100, 200),
    lines=listed(lines, "ref"),
    buyer=st.none() | buyers,
    ship_to=st.none() | addresses,
    shipments=listed(shipments, "ref"),
    returns=listed(returns, "ref"),
    invoices=listed(invoices, "key"),
    clocks=clocks,
)
tellings = st.lists(documents, min_size=1, max_size=6).map(
    lambda docs: [(told, seq) for seq, told in enumerate(docs)]
)


@settings(max_examples=600, deadline=None)
@given(tellings, st.data())
def test_any_order_of_tellings_with_duplicates_ends_in_the_same_order(docs, data):
    again = data.draw(st.lists(st.sampled_from(docs), max_size=4))
    shuffled = data.draw(st.permutations(docs + again))
    assert fold(shuffled) == fold(docs)

"""Orders converge whatever the order of the tellings; what they hold, send and take back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
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
LEAST = Version(NEVER, -1)


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def line(ref: str = "a", quantity: int = 2, **told: Any) -> OrderLine:
    values: dict[str, Any] = {"listing_ref": "L", "sku": "S", "title": "T", "total_cents": 1000, **told}
    return OrderLine(ref=ref, quantity=quantity, **values)


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
tellings = st.lists(documents, min_size=1, max_size=6).map(lambda docs: [(told, seq) for seq, told in enumerate(docs)])


@settings(max_examples=600, deadline=None)
@given(tellings, st.data())
def test_any_order_of_tellings_with_duplicates_ends_in_the_same_order(docs, data):
    again = data.draw(st.lists(st.sampled_from(docs), max_size=4))
    shuffled = data.draw(st.permutations(docs + again))
    assert fold(shuffled) == fold(docs)


@settings(max_examples=200, deadline=None)
@given(tellings)
def test_every_telling_again_changes_nothing(docs):
    known = fold(docs)
    for told, seq in docs:
        assert merge(known, told, seq, PARTS) == known
        assert changed(known, merge(known, told, seq, PARTS)) == frozenset()


def gone_as_far_as(known: Order) -> int:
    return RANK.index(known.fulfilment or Fulfilment.NONE)


@settings(max_examples=200, deadline=None)
@given(tellings)
def test_goods_never_step_back(docs):
    known = fold(docs[:1])
    for told, seq in docs[1:]:
        before, known = known.order, merge(known, told, seq, PARTS)
        assert gone_as_far_as(known.order) >= gone_as_far_as(before)
        now = {row.ref: row for row in known.order.lines}
        assert all(now[row.ref].returned_quantity >= row.returned_quantity for row in before.lines)


WAYS_ON = {
    Status.PLACED: {Status.PAID, Status.DISPATCHED, Status.DELIVERED, Status.CANCELLED},
    Status.PAID: {Status.DISPATCHED, Status.DELIVERED, Status.CANCELLED},
    Status.DISPATCHED: {Status.DELIVERED},
    Status.DELIVERED: set(),
    Status.CANCELLED: {Status.DISPATCHED, Status.DELIVERED},  # it left all the same
}
WAYS_BACK = {
    (Status.CANCELLED, Status.PLACED),
    (Status.CANCELLED, Status.PAID),
    (Status.PAID, Status.PLACED),
}


@settings(max_examples=300, deadline=None)
@given(tellings)
def test_status_steps_back_only_as_listed_and_only_by_a_newer_version(docs):
    known = fold(docs[:1])
    for told, seq in docs[1:]:
        before, known = known, merge(known, told, seq, PARTS)
        old, new = before.order.status, known.order.status
        if old == new or new in WAYS_ON[old]:
            continue
        assert (old, new) in WAYS_BACK
        deciding = [name for name in ("payment", "cancelled") if name in changed(before, known)]
        assert any(known.versions[name] > before.versions.get(name, LEAST) for name in deciding)


# ── A life of one order ─────────────────────────────────────────────────────────────────────────────────────

LIFE = {
    "created": order(0, payment=Payment.PENDING, lines=(line(),)),
    "edited": order(1, payment=Payment.PENDING, lines=(line(quantity=3, sku=None),)),
    "paid": order(1, payment=Payment.PAID, hold=Hold.FRAUD, lines=(line(quantity=3),)),
    "cancelled": order(2, payment=Payment.VOIDED, cancelled=True, cancelled_at=at(2)),
    "reopened": order(3, payment=Payment.PAID, lines=(line(quantity=3),)),
    "shipped": order(
        clocks={"order": at(4), "shipment": at(0)}, payment=Payment.PAID, fulfilment=Fulfilment.DISPATCHED,
        lines=(line(quantity=3),), shipments=(Shipment(ref="R", tracking_code="X"),),
    ),
}  # fmt: skip
STORY = [(told, seq) for seq, told in enumerate(LIFE.values())]


def test_the_life_of_an_order_step_by_step():
    statuses = [fold(STORY[: n + 1]).order.status for n in range(len(STORY))]
    assert statuses == [
        Status.PLACED, Status.PLACED, Status.PAID, Status.CANCELLED, Status.PAID, Status.DISPATCHED
    ]  # fmt: skip
    end = fold(STORY).order
    assert (end.hold, end.cancelled_at, end.lines[0].sku) == (None, None, "S")
    assert (end.lines[0].quantity, end.lines[0].dispatched_quantity) == (3, 3)
    assert end.changed_at == at(4)


@given(st.permutations(STORY + STORY[1:4]))
def test_the_life_of_an_order_told_in_any_order(told):
    assert fold(told) == fold(STORY)


def test_a_cancel_before_the_order_is_a_tombstone():
    cancelled_first = fold([STORY[3], STORY[0]])
    assert cancelled_first.order.status is Status.CANCELLED
    assert cancelled_first.order.lines[0].quantity == 2
    assert effects(cancelled_first.order, hold_from=Status.PLACED)[0].reserve == 0


# ── One rule at a time ──────────────────────────────────────────────────────────────────────────────────────


def merged(*told: Order) -> Order:
    """Merged in every order of arrival: the answer must not depend on it."""
    docs = [(one, seq) for seq, one in enumerate(told)]
    known = fold(docs)
    assert all(fold(arrived) == known for arrived in permutations(docs))
    return known.order


def test_the_greater_clock_wins_and_seq_breaks_ties():
    assert merged(order(5, number="late"), order(1, number="early")).number == "late"
    assert merged(order(1, number="first"), order(1, number="second")).number == "second"
    assert merged(order(None, number="first"), order(None, number="second")).number == "second"
    assert merged(order(1, number="clocked"), order(None, number="unclocked")).number == "clocked"


def test_null_and_empty_are_not_told():
    both = {"order": at(0), "billing": at(0)}
    later = {"order": at(1), "billing": at(1)}
    told = merged(
        order(clocks=both, number="n", total_cents=100, lines=(line(),), buyer=Buyer(name="Ana", email="a@b.c")),
        order(clocks=later, total_cents=0, lines=(line(title=None, sku="S2"),), buyer=Buyer(name="Bia")),
        order(2),
    )
    assert (told.number, told.total_cents) == ("n", 0)
    assert (told.lines[0].title, told.lines[0].sku) == ("T", "S2")
    assert told.buyer == Buyer(name="Bia", email="a@b.c")


def test_a_null_hold_and_a_null_cancellation_time_are_told():
    released = merged(order(0, hold=Hold.FRAUD, cancelled=True, cancelled_at=at(0)), order(1))
    assert (released.hold, released.cancelled, released.cancelled_at) == (None, False, None)
    assert merged(order(1, hold=Hold.FRAUD), order(0)).hold is Hold.FRAUD


def test_a_part_that_is_not_named_is_not_told():
    shipment = order(clocks={"shipment": at(9)}, payment=Payment.VOIDED, hold=Hold.FROZEN, lines=(line("z"),),
                     deliver_by=at(99), buyer=Buyer(name="Zé"))  # fmt: skip
    placed = order(0, payment=Payment.PAID, fulfilment=Fulfilment.DELIVERED, lines=(line(),))
    told = merged(placed, shipment)
    assert (told.payment, told.hold, told.deliver_by, told.buyer) == (Payment.PAID, None, at(99), None)
    assert (told.fulfilment, told.lines[0].dispatched_quantity) == (None, 0)
    assert [row.ref for row in told.lines] == ["a"]


def test_parts_have_clocks_of_their_own():
    told = merged(
        order(clocks={"order": at(5), "shipment": at(1)}, number="new", deliver_by=at(10)),
        order(clocks={"order": at(1), "shipment": at(5)}, number="old", deliver_by=at(50)),
    )
    assert (told.number, told.deliver_by, told.changed_at) == ("new", at(50), at(5))
    assert merged(order(1, changed_at=at(7)), order(5)).changed_at == at(7)


def test_a_document_without_clocks_tells_the_order_at_its_change():
    told = Order(ref="1", number="new", changed_at=at(3))
    assert merge(merge(None, order(2, number="old"), 9, PARTS), told, 1, PARTS).order.number == "new"


def test_versions_stand_by_field():
    versions = merge(None, order(0, number="n", lines=(line(),)), 7, PARTS).versions
    assert versions["number"] == versions["lines.a.sku"] == Version(at(0), 7)
    assert "total_cents" not in versions


def test_another_orders_document_is_refused():
    with pytest.raises(ValueError, match="order 2 told for order 1"):
        merge(merge(None, order(0), 1, PARTS), Order(ref="2"), 2, PARTS)


def test_the_channels_words_are_united_part_by_part():
    told = merged(
        order(clocks={"order": at(5), "shipment": at(0)}, raw_status={"order": "paid", "shipment": "s0", "t": 1}),
        order(clocks={"order": at(1), "shipment": at(3)}, raw_status={"order": "new", "shipment": "s3"}),
        order(clocks={"shipment": at(2)}, raw_status={"substatus": "x"}),
        order(clocks={"order": at(9)}, raw_status={"t": None}),
    )
    assert told.raw_status == {"order": "paid", "shipment": "s3", "t": 1, "substatus": "x"}


RUA_A = Address(street="Rua A", number="1", complement="ap 9", city="SP", postal_code="01001000")


def lives(second: int, address: Address) -> Order:
    return order(clocks={"shipment": at(second)}, ship_to=address)


def test_an_address_is_filled_but_a_complement_does_not_move_house():
    bare = RUA_A.model_copy(update={"complement": None, "recipient": "Ana"})
    assert merged(lives(0, RUA_A), lives(1, bare)).ship_to == RUA_A.model_copy(update={"recipient": "Ana"})
    rua_b = Address(street="Rua B", number="2", city="SP", postal_code="01001000")
    assert merged(lives(0, RUA_A), lives(1, rua_b)).ship_to == rua_b
    assert fold([(lives(0, RUA_A), 0), (lives(2, bare), 2), (lives(1, rua_b), 1)]).order.ship_to == bare


@pytest.mark.parametrize("masked", ["street", "postal_code"])
def test_a_masked_address_is_not_told(masked):
    hidden = RUA_A.model_copy(update={masked: None, "city": "RJ"})
    assert merged(lives(0, RUA_A), lives(1, hidden)).ship_to == RUA_A
    assert merged(lives(0, hidden)).ship_to is None


def test_fulfilment_goes_by_rank_not_by_clock():
    def stage(second: int, fulfilment: Fulfilment | None) -> Order:
        return order(clocks={"shipment": at(second)}, fulfilment=fulfilment)

    assert merged(stage(0, Fulfilment.DELIVERED), stage(5, Fulfilment.NONE)).fulfilment is Fulfilment.DELIVERED
    assert merged(stage(0, Fulfilment.PARTIAL), stage(1, None)).fulfilment is Fulfilment.PARTIAL
    assert merged(stage(0, None)).fulfilment is None


def test_dispatched_and_returned_go_by_most_cancelled_by_version():
    told = merged(
        order(0, lines=(line(quantity=5, dispatched_quantity=2, returned_quantity=1, cancelled_quantity=3),)),
        order(1, lines=(line(quantity=5, dispatched_quantity=1, cancelled_quantity=1),)),
    ).lines[0]
    assert (told.dispatched_quantity, told.returned_quantity, told.cancelled_quantity) == (2, 1, 1)


def test_a_line_left_out_stays_cancelled_as_far_as_it_has_not_left():
    edited = merged(
        order(0, lines=(line("b", 3, dispatched_quantity=1), line("a"))),
        order(1, lines=(line("c"), line("a"))),
    )
    assert [row.ref for row in edited.lines] == ["c", "a", "b"]
    assert (edited.lines[2].dispatched_quantity, edited.lines[2].cancelled_quantity) == (1, 2)
    emptied = merged(order(0, lines=tuple(line(ref) for ref in "zyxwvu")), order(1, lines=(line("a"),)))
    assert "".join(row.ref for row in emptied.lines) == "auvwxyz"
    back = merged(order(0, lines=(line("a"), line("b"))), order(1, lines=(line("a"),)), order(2, lines=(line("b"),)))
    assert {row.ref: row.cancelled_quantity for row in back.lines} == {"b": 0, "a": 2}


@pytest.mark.parametrize("stage", [Fulfilment.DISPATCHED, Fulfilment.DELIVERED, Fulfilment.RETURNED])
def test_an_order_that_left_took_its_lines_along(stage):
    both = {"order": at(0), "shipment": at(0)}
    rows = (line("a", 3, cancelled_quantity=1), line("b"))
    gone = merged(order(clocks=both, fulfilment=stage, lines=rows))
    assert [row.dispatched_quantity for row in gone.lines] == [2, 2]
    apart = merged(order(0, lines=rows), order(clocks={"shipment": at(0)}, fulfilment=stage))
    assert [row.dispatched_quantity for row in apart.lines] == [2, 2]
    said = merged(order(clocks=both, fulfilment=stage, lines=(line("a", dispatched_quantity=1), line("b"))))
    assert [row.dispatched_quantity for row in said.lines] == [1, 0]


def test_a_line_left_out_did_not_leave_with_the_order():
    edited = order(0, lines=(line("a"), line("b"))), order(1, lines=(line("a"),))
    gone = merged(*edited, order(clocks={"shipment": at(0)}, fulfilment=Fulfilment.DISPATCHED))
    assert [(row.dispatched_quantity, row.cancelled_quantity) for row in gone.lines] == [(2, 0), (0, 2)]


def test_part_of_an_order_that_left_implies_nothing():
    both = {"order": at(0), "shipment": at(0)}
    told = merged(order(clocks=both, fulfilment=Fulfilment.PARTIAL, lines=(line(),)))
    assert told.lines[0].dispatched_quantity == 0


def test_cancelling_what_has_left_brings_nothing_back():
    both = {"order": at(0), "shipment": at(0)}
    left = order(clocks=both, fulfilment=Fulfilment.DISPATCHED, lines=(line(),))
    wholly: dict[str, Any] = {"cancelled": True, "lines": (line(cancelled_quantity=2),)}
    assert merged(left, order(1, **wholly)).lines[0].dispatched_quantity == 2
    assert merged(left, order(1, lines=(line(cancelled_quantity=1),))).lines[0].dispatched_quantity == 2
    told_once = order(clocks=both, fulfilment=Fulfilment.DELIVERED, **wholly)
    assert merged(told_once).lines[0].dispatched_quantity == 2
    apart = merged(order(0, **wholly), order(clocks={"shipment": at(0)}, fulfilment=Fulfilment.DELIVERED))
    assert apart.lines[0].dispatched_quantity == 2


def sent(second: int, *rows: Shipment) -> Order:
    return order(clocks={"shipment": at(second)}, shipments=rows)


def test_shipments_are_the_newest_told_list_filled_from_older_ones():
    r = Shipment(ref="R", tracking_code="X", carrier="c", lines=(LineQuantity(line_ref="a", quantity=1),))
    s = Shipment(ref="S")
    assert merged(sent(0, r, s), sent(1)).shipments == (r, s)
    assert merged(sent(0, r), sent(1, s)).shipments == (s,)
    newer = Shipment(ref="R", carrier="d")
    assert merged(sent(0, r), sent(1, newer)).shipments == (r.model_copy(update={"carrier": "d"}),)
    assert merged(sent(0, r), sent(1, s), sent(2, newer)).shipments == (newer,)
    assert fold([(sent(0, r), 0), (sent(2, newer), 2), (sent(1, s), 1)]).order.shipments == (newer,)


def test_returns_and_invoices_are_joined_the_same_way():
    key = "3" * 44
    told = merged(
        order(clocks={"order": at(0), "billing": at(0)}, returns=(Return(ref="P", status="open"),),
              invoices=(Invoice(key=key, number="7"),)),
        order(clocks={"order": at(1), "billing": at(1)}, returns=(Return(ref="P"), Return(ref="Q")),
              invoices=(Invoice(key=key, status="ok"),)),
    )  # fmt: skip
    assert told.returns == (Return(ref="P", status="open"), Return(ref="Q"))
    assert told.invoices == (Invoice(key=key, number="7", status="ok"),)


def test_a_line_without_its_own_word_is_fulfilled_as_the_order_is():
    untold = order(0, lines=(line("a"), line("b", fulfilled_by=FulfilledBy.SELLER)))

    def by(second: int, keeper: FulfilledBy) -> Order:
        return order(clocks={"shipment": at(second)}, fulfilled_by=keeper)

    assert merged(untold).lines[0].fulfilled_by is None
    full = merged(untold, by(0, FulfilledBy.MARKETPLACE))
    assert [row.fulfilled_by for row in full.lines] == [FulfilledBy.MARKETPLACE, FulfilledBy.SELLER]
    corrected = merged(untold, by(0, FulfilledBy.MARKETPLACE), by(1, FulfilledBy.SELLER))
    assert corrected.lines[0].fulfilled_by is FulfilledBy.SELLER
    assert merged(untold, by(0, FulfilledBy.MIXED)).lines[0].fulfilled_by is None


def test_what_changed_is_named():
    first = merge(None, order(0, payment=Payment.PENDING, lines=(line(),)), 1, PARTS)
    assert changed(None, first) == {"payment", "lines", "changed_at", "status"}
    paid = merge(first, order(1, payment=Payment.PAID), 2, PARTS)
    assert changed(first, paid) == {"payment", "status", "changed_at"}
    assert changed(paid, paid) == frozenset()


def test_what_is_told_again_changes_nothing_but_must_be_stored():
    paid = merge(None, order(None, payment=Payment.PAID), 1, PARTS)
    again = merge(paid, order(None, payment=Payment.PAID), 3, PARTS)
    assert changed(paid, again) == frozenset()
    assert again != paid
    assert merge(again, order(None, payment=Payment.PENDING), 2, PARTS) == again


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────

PLACED, PAID = Status.PLACED, Status.PAID


@pytest.mark.parametrize(
    ("told", "from_placed", "from_paid"),
    [
        ({"payment": Payment.PENDING}, True, False),
        ({"payment": Payment.AUTHORIZED}, True, False),
        ({"payment": Payment.PAID}, True, True),
        ({"payment": Payment.PARTIALLY_REFUNDED}, True, True),
        ({"payment": Payment.PAID, "hold": Hold.FRAUD}, True, True),
        ({"payment": Payment.REFUNDED}, False, False),
        ({"payment": Payment.VOIDED}, False, False),
        ({"payment": Payment.REFUNDED, "fulfilment": Fulfilment.PARTIAL}, True, True),
        ({"payment": Payment.REFUNDED, "lines": (line(dispatched_quantity=1),)}, True, True),
        ({"payment": Payment.PENDING, "fulfilment": Fulfilment.PARTIAL}, True, True),
        ({"payment": Payment.PAID, "cancelled": True}, False, False),
        ({"payment": Payment.PAID, "cancelled": True, "fulfilment": Fulfilment.PARTIAL}, False, False),
        ({"payment": Payment.PAID, "fulfilment": Fulfilment.DELIVERED}, False, False),
        ({"payment": Payment.PAID, "fulfilment": Fulfilment.RETURNED}, False, False),
    ],
)
def test_who_holds_stock(told, from_placed, from_paid):
    one = Order(**{"ref": "1", "lines": (line(),)} | told)
    assert (holds_stock(one, PLACED), holds_stock(one, PAID)) == (from_placed, from_paid)


def test_an_effect_is_a_target_per_line():
    rows = (
        line("a", 5, cancelled_quantity=1, dispatched_quantity=2, fulfilled_by=FulfilledBy.SELLER),
        line("b", 2, fulfilled_by=FulfilledBy.MARKETPLACE),
        line("c", 1, cancelled_quantity=1, dispatched_quantity=1),
    )
    one = Order(ref="1", payment=Payment.PAID, lines=rows)
    got = effects(one, hold_from=PAID)
    assert [(row.line_ref, row.reserve, row.dispatched, row.returned) for row in got] == [
        ("a", 2, 2, {}),
        ("c", 0, 1, {}),
    ]
    assert (got[0].listing_ref, got[0].variation_ref, got[0].sku) == ("L", None, "S")
    cancelled = one.model_copy(update={"cancelled": True})
    assert [(row.reserve, row.dispatched) for row in effects(cancelled, hold_from=PAID)] == [(0, 2), (0, 1)]


def test_lines_of_a_full_order_never_touch_the_sellers_stock():
    full = Order(ref="1", fulfilled_by=FulfilledBy.MARKETPLACE, lines=(line(),))
    assert effects(full, hold_from=PLACED) == ()


def back(*rows: tuple[int, Disposition | None]) -> tuple[Return, ...]:
    return tuple(
        Return(ref=str(n), lines=(ReturnLine(line_ref="a", quantity=units, disposition=kind),))
        for n, (units, kind) in enumerate(rows)
    )


@pytest.mark.parametrize(
    ("returned", "returns", "want"),
    [
        (0, back((1, Disposition.SELLABLE), (1, Disposition.SELLABLE)), {Disposition.SELLABLE: 2}),
        (2, back((1, Disposition.SELLABLE)), {Disposition.SELLABLE: 1, None: 1}),
        (2, (), {None: 2}),
        (
            9,
            back((3, Disposition.SELLABLE), (2, Disposition.DAMAGED), (1, None)),
            {Disposition.DAMAGED: 2, Disposition.SELLABLE: 1},
        ),
        (0, back((9, Disposition.SELLABLE)), {Disposition.SELLABLE: 3}),
    ],
)
def test_units_back_by_disposition_are_at_most_those_that_left(returned, returns, want):
    row = line("a", 3, dispatched_quantity=3, returned_quantity=returned)
    other = Return(ref="z", lines=(ReturnLine(line_ref="b", quantity=1, disposition=Disposition.LOST),))
    one = Order(ref="1", lines=(row,), returns=(*returns, other))
    assert effects(one, hold_from=PAID)[0].returned == want


@given(tellings, st.sampled_from((PLACED, PAID)))
def test_effects_are_never_negative_and_never_return_what_never_left(docs, hold_from):
    one = fold(docs).order
    for row in effects(one, hold_from=hold_from):
        ordered = next(told for told in one.lines if told.ref == row.line_ref)
        assert 0 <= row.reserve <= ordered.quantity
        assert sum(row.returned.values()) <= row.dispatched
        assert not row.reserve or row.reserve + row.dispatched <= ordered.quantity


def test_unknown_fulfilment_asks_first():
    assert needs_fulfilled_by(Order(ref="1", lines=(line(),)))
    assert needs_fulfilled_by(Order(ref="1", fulfilled_by=FulfilledBy.MIXED, lines=(line(),)))
    assert not needs_fulfilled_by(Order(ref="1", fulfilled_by=FulfilledBy.SELLER, lines=(line(),)))
    assert needs_fulfilled_by(Order(ref="1", lines=(line(fulfilled_by=FulfilledBy.MIXED),)))
    told = (line(fulfilled_by=FulfilledBy.MARKETPLACE),)
    assert not needs_fulfilled_by(Order(ref="1", fulfilled_by=FulfilledBy.MIXED, lines=told))


def test_one_origin_has_one_stock_effect():
    relayed = Order(ref="9", origin=Origin(channel="mercadolivre", ref="2000"))
    assert stock_ref(relayed, "bling") == ("mercadolivre", "2000") == stock_ref(Order(ref="2000"), "mercadolivre")


def test_document_of_a_buyer_is_one_thing():
    cpf = Document(kind="cpf", number="52998224725", valid=True)
    old = Document(kind="cpf", number="1", valid=False)

    def pays(second: int, **told: Any) -> Order:
        return order(clocks={"billing": at(second)}, buyer=Buyer(**told))

    assert merged(pays(0, document=old), pays(1, document=cpf), pays(2)).buyer == Buyer(document=cpf)

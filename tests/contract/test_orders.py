"""What every order document becomes: the canonical JSON, with CANONICAL's rules holding on each."""

import itertools
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

import adapters
from hub import normalize, orders
from hub.contract import OrderSource
from hub.model import FulfilledBy, Fulfilment, Order, Payment, Status
from tests.contract.conftest import canonical
from tests.contract.payloads import cases, raw_of, twice

EVERY = pytest.mark.parametrize(("channel", "path"), cases("orders"))
TIMES = re.compile(r"(_at|_by|^at)$")


def source_of(channel: str) -> OrderSource:
    source = adapters.get(channel).orders
    assert source
    return source


def told_by(channel: str, path: Path) -> Order:
    return source_of(channel).parse(raw_of(path))


def leaves(told: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """(path, key, value) of every scalar in a JSON value; the channel's own words are left out."""
    if isinstance(told, dict):
        for key, each in told.items():
            if key != "raw_status":
                yield from leaves(each, f"{path}.{key}")
    elif isinstance(told, list):
        for n, each in enumerate(told):
            yield from leaves(each, f"{path}.{n}")
    else:
        yield path, re.sub(r"\.\d+$", "", path).rpartition(".")[2], told


@EVERY
def test_is_read_as_when_last_looked_at(channel: str, path: Path, snapshot: SnapshotAssertion):
    told = twice(lambda raw: normalize.order(adapters.get(channel), raw), raw_of(path))
    assert told == snapshot
    assert told == canonical(twice(source_of(channel).parse, raw_of(path)))


@EVERY
def test_leaves_are_canonical(channel: str, path: Path):
    for where, key, value in leaves(canonical(told_by(channel, path))):
        assert value != "", f"{where}: not told is null, never an empty string"
        if key.endswith("_cents"):
            assert value is None or type(value) is int, f"{where}: money is integer centavos"
        if key.endswith("quantity"):
            assert type(value) is int, f"{where}: quantities are integers"
        if TIMES.search(key) and key != "fulfilled_by" and value is not None:
            assert value.endswith("Z"), f"{where}: times are UTC, ending in Z"
        if key == "ref" or key.endswith("_ref"):
            assert value is None or isinstance(value, str), f"{where}: ids are strings"
            assert value != "0", f"{where}: no id is null, never 0"


@EVERY
def test_people_and_places_are_bare(channel: str, path: Path):
    order = told_by(channel, path)
    if order.buyer and order.buyer.document:
        document = order.buyer.document
        assert re.fullmatch("[0-9A-Z]+", document.number), "documents are bare characters, upper case"
        assert not document.valid or len(document.number) == {"cpf": 11, "cnpj": 14}[document.kind]
    if order.buyer and order.buyer.phone:
        assert re.fullmatch(r"\+[1-9]\d{6,14}", order.buyer.phone), "phones are E.164"
    if order.ship_to:
        place = order.ship_to
        assert place.street, "ship_to is null unless street, city and postal code are told"
        assert place.city, "as above"
        assert place.postal_code, "as above"
        assert re.fullmatch("[0-9A-Z]+", place.postal_code)
        assert place.country is None or re.fullmatch("[A-Z]{2}", place.country)
        if place.country in (None, "BR"):
            assert place.state is None or re.fullmatch("[A-Z]{2}", place.state), "state is the UF, two letters"
    for invoice in order.invoices:
        assert invoice.key is None or re.fullmatch("[0-9A-Z]{44}", invoice.key)


@EVERY
def test_money_adds_up(channel: str, path: Path, record_property: Any):
    order = told_by(channel, path)
    for line in order.lines:
        if line.total_cents is not None:
            exact = (Decimal(line.total_cents) / line.quantity).to_integral_value(ROUND_HALF_EVEN)
            assert line.unit_price_cents == int(exact), "unit price is the total over the quantity, half-even"
    totals = [line.total_cents for line in order.lines]
    if order.lines and None not in totals and order.items_cents is not None:
        assert order.items_cents == sum(filter(None, totals)), "items are the sum of line totals"
    for name in ("items", "discount", "shipping", "fees", "channel_discount", "total", "refunded"):
        told = getattr(order, f"{name}_cents")
        assert told is None or told >= 0, f"{name}_cents is told positive"
    parts = (order.items_cents, order.shipping_cents, order.other_cents)
    if order.total_cents is not None and order.items_cents is not None:
        reckoned = sum(filter(None, parts)) - (order.discount_cents or 0)
        record_property("difference_cents", order.total_cents - reckoned)  # the channel's total is the truth


# Which status fits, first of the rows: CANONICAL's table, written down a second time.
MOVED = {Fulfilment.PARTIAL, Fulfilment.DISPATCHED, Fulfilment.DELIVERED, Fulfilment.RETURNED}
MONEY_IN = {Payment.PAID, Payment.PARTIALLY_REFUNDED, Payment.REFUNDED}
TABLE = (
    (lambda o: o.cancelled and o.fulfilment not in MOVED, Status.CANCELLED),
    (lambda o: o.fulfilment in (Fulfilment.DELIVERED, Fulfilment.RETURNED), Status.DELIVERED),
    (lambda o: o.fulfilment in (Fulfilment.PARTIAL, Fulfilment.DISPATCHED), Status.DISPATCHED),
    (lambda o: o.payment in MONEY_IN, Status.PAID),
    (lambda _: True, Status.PLACED),
)


@EVERY
def test_status_follows_the_table(channel: str, path: Path):
    order = told_by(channel, path)
    assert order.status is next(status for fits, status in TABLE if fits(order))
    assert order.payment is not None or order.origin, "an order tells how its payment stands"
    assert order.raw_status, "the channel's own words are kept"


@EVERY
def test_lines_say_how_many(channel: str, path: Path):
    order = told_by(channel, path)
    refs = [line.ref for line in order.lines]
    assert len(refs) == len(set(refs)), "line refs are unique within an order"
    for line in order.lines:
        if order.status is Status.CANCELLED:
            assert line.cancelled_quantity == line.quantity, "a wholly cancelled order cancels every unit"
        assert line.cancelled_quantity <= line.quantity
        assert line.dispatched_quantity <= line.quantity
        assert line.returned_quantity <= line.quantity
    keepers = {line.fulfilled_by for line in order.lines}
    if order.fulfilled_by is FulfilledBy.MIXED:
        assert len(keepers) > 1, "mixed only when lines differ"
    assert FulfilledBy.MIXED not in keepers, "a line leaves from one shelf"
    named = {row.line_ref for shipment in order.shipments for row in shipment.lines}
    named |= {row.line_ref for back in order.returns for row in back.lines}
    assert named <= set(refs), "shipments and returns name lines of this order"


@EVERY
def test_says_whether_the_channel_took_the_units(channel: str, path: Path):
    order, takes = told_by(channel, path), source_of(channel).takes_stock
    assert takes(order) in (True, False, None)
    assert takes(order) is takes(order)


@EVERY
def test_clocks_name_the_parts_told(channel: str, path: Path):
    order, source = told_by(channel, path), source_of(channel)
    assert "order" in order.clocks, 'every document tells the part "order": clocks={"order": changed_at}'
    assert set(order.clocks) <= {"order", *source.parts}, "a part that OrderSource.parts does not declare"
    assert all(at is None or at.tzinfo for at in order.clocks.values())
    told = {name for name in Order.model_fields if getattr(order, name) not in (None, ())}
    for part in set(source.parts) - set(order.clocks):
        stray = told & source.parts[part] - {"raw_status"}
        assert not stray, f"part {part!r} was not told, and yet {sorted(stray)} are: who would version them?"


@EVERY
def test_telling_it_again_changes_nothing(channel: str, path: Path):
    told, parts = told_by(channel, path), source_of(channel).parts
    known = orders.merge(None, told, 1, parts)
    assert known.order.status is told.status
    again = orders.merge(known, told, 2, parts)
    assert orders.changed(known, again) == frozenset()


@EVERY
def test_an_older_telling_changes_nothing(channel: str, path: Path):
    told, parts = told_by(channel, path), source_of(channel).parts
    if None in told.clocks.values():
        return  # no clock: then only the order of our fetches says which is newer
    known = orders.merge(None, told, 1, parts)
    older = told.model_copy(
        update={
            "payment": Payment.VOIDED if told.payment is Payment.PAID else Payment.PAID,
            "cancelled": not told.cancelled,
            "total_cents": (told.total_cents or 0) + 100,
            "number": f"{told.number}-before",
            "changed_at": told.changed_at and told.changed_at - timedelta(hours=1),
            "clocks": {part: at and at - timedelta(hours=1) for part, at in told.clocks.items()},
        }
    )
    late = orders.merge(known, older, 2, parts)
    gained = {name for name in ("total_cents", "number") if getattr(told, name) is None}  # said by the older only
    assert orders.changed(known, late) <= gained


@EVERY
def test_parts_may_come_in_any_order(channel: str, path: Path):
    """The document cut into its parts, told in every order, adds up to the document."""
    told, parts = told_by(channel, path), source_of(channel).parts
    if len(told.clocks) == 1:
        return
    whole = orders.merge(None, told, 1, parts).order
    cut = [told.model_copy(update={"clocks": {part: at}}) for part, at in told.clocks.items()]
    for sequence in itertools.permutations(cut):
        known = None
        for seq, part in enumerate(sequence, 1):
            known = orders.merge(known, part, seq, parts)
        assert known
        assert known.order.model_dump() == whole.model_dump()

"""The nouns: closed, frozen, in UTC; what they derive."""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.model import Fulfilment, Order, OrderLine, Payment, Request, Status, StockWrite

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def line(**told: Any) -> OrderLine:
    values: dict[str, Any] = {"quantity": 1, "total_cents": None, **told}
    return OrderLine(ref="a", listing_ref=None, sku=None, title=None, **values)


@given(st.integers(-(10**9), 10**9), st.integers(1, 1000))
def test_a_unit_price_is_total_over_quantity_half_even(total, quantity):
    assert line(total_cents=total, quantity=quantity).unit_price_cents == round(Fraction(total, quantity))


def test_a_unit_price_of_no_total_is_not_told():
    assert line().unit_price_cents is None


@pytest.mark.parametrize(
    ("told", "want"),
    [
        ({}, Status.PLACED),
        ({"payment": Payment.AUTHORIZED}, Status.PLACED),
        ({"payment": Payment.VOIDED}, Status.PLACED),
        ({"payment": Payment.PAID}, Status.PAID),
        ({"payment": Payment.PARTIALLY_REFUNDED}, Status.PAID),
        ({"payment": Payment.REFUNDED}, Status.PAID),
        ({"payment": Payment.PENDING, "fulfilment": Fulfilment.PARTIAL}, Status.DISPATCHED),
        ({"payment": Payment.PAID, "fulfilment": Fulfilment.NONE}, Status.PAID),
        ({"fulfilment": Fulfilment.DISPATCHED}, Status.DISPATCHED),
        ({"fulfilment": Fulfilment.DELIVERED}, Status.DELIVERED),
        ({"fulfilment": Fulfilment.RETURNED}, Status.DELIVERED),
        ({"cancelled": True, "payment": Payment.PAID}, Status.CANCELLED),
        ({"cancelled": True, "fulfilment": Fulfilment.NONE}, Status.CANCELLED),
        ({"cancelled": True, "fulfilment": Fulfilment.PARTIAL}, Status.DISPATCHED),
        ({"cancelled": True, "fulfilment": Fulfilment.RETURNED}, Status.DELIVERED),
    ],
)
def test_the_status_is_the_first_that_fits(told, want):
    assert Order(ref="1", **told).status is want


def test_times_become_utc_and_naive_ones_are_refused():
    brasilia = timezone(timedelta(hours=-3))
    placed = Order(ref="1", placed_at=NOON.astimezone(brasilia)).placed_at
    assert placed == NOON
    assert placed.tzinfo is UTC
    with pytest.raises(ValidationError):
        Order(ref="1", placed_at=NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    "wrong",
    [
        {"ref": 1},
        {"total_cents": 10.0},
        {"total_cents": "10"},
        {"currency": "real"},
        {"payment": "paid"},
        {"unknown": 1},
    ],
)
def test_a_slip_in_a_mapping_is_refused(wrong):
    with pytest.raises(ValidationError):
        Order(**{"ref": "1", **wrong})


@pytest.mark.parametrize("wrong", [{"quantity": 0}, {"quantity": -1}, {"cancelled_quantity": -1}])
def test_a_line_counts_from_one(wrong):
    with pytest.raises(ValidationError):
        line(**wrong)


def test_a_negative_stock_write_cannot_be_made():
    with pytest.raises(ValidationError):
        StockWrite(slot_ref="s", listing_ref="l", quantity=-1)


def test_an_order_is_frozen_and_its_clocks_are_no_part_of_its_json():
    order = Order(ref="1", clocks={"order": NOON})
    with pytest.raises(ValidationError):
        order.ref = "2"  # type: ignore[misc] # the point of the test
    told = order.model_dump(mode="json")
    assert "clocks" not in told
    assert told["status"] == "placed"


@pytest.mark.parametrize(
    ("method", "repeatable", "want"),
    [
        ("GET", None, True),
        ("PUT", None, True),
        ("POST", None, False),
        ("POST", True, True),
        ("PUT", False, False),
    ],
)
def test_what_may_be_sent_twice(method, repeatable, want):
    assert Request(method=method, path="/", repeatable=repeatable).is_repeatable() is want

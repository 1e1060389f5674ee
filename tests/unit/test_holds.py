"""From when an order holds stock, and when an unpaid one ceases to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.holds import Hold, hold_of, until
from hub.model import Fulfilment, Order, Payment, Status

SEEN = datetime(2026, 3, 4, 12, tzinfo=UTC)
PLACED = SEEN - timedelta(hours=1)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, Hold(since=Status.PLACED)),
        ({"hold_from": "paid"}, Hold(since=Status.PAID)),
        ({"hold_from": None, "unpaid_hold_hours": None}, Hold(since=Status.PLACED)),
        ({"unpaid_hold_hours": 48}, Hold(since=Status.PLACED, unpaid_hours=48)),
        ({"unpaid_hold_hours": 0}, Hold(since=Status.PLACED)),
    ],
)
def test_an_accounts_settings_go_before_the_installations(settings: dict[str, Any], found: Hold) -> None:
    assert hold_of(settings, Status.PLACED) == found


@pytest.mark.parametrize(
    ("told", "hold", "ends"),
    [
        ({"placed_at": PLACED}, Hold(since=Status.PLACED, unpaid_hours=2), PLACED + timedelta(hours=2)),
        ({}, Hold(since=Status.PLACED, unpaid_hours=2), SEEN + timedelta(hours=2)),
        ({"payment": Payment.PENDING}, Hold(since=Status.PLACED, unpaid_hours=2), SEEN + timedelta(hours=2)),
        ({}, Hold(since=Status.PLACED), None),
        ({}, Hold(since=Status.PAID, unpaid_hours=2), None),
        ({"payment": Payment.AUTHORIZED}, Hold(since=Status.PLACED, unpaid_hours=2), None),
        ({"payment": Payment.PAID}, Hold(since=Status.PLACED, unpaid_hours=2), None),
        ({"cancelled": True}, Hold(since=Status.PLACED, unpaid_hours=2), None),
        ({"fulfilment": Fulfilment.DISPATCHED}, Hold(since=Status.PLACED, unpaid_hours=2), None),
    ],
)
def test_only_what_waits_for_money_ceases_to_hold(told: dict[str, Any], hold: Hold, ends: datetime | None) -> None:
    assert until(Order(ref="1", **told), hold, SEEN) == ends

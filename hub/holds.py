"""From when an order holds stock, and how long an unpaid one does. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.model import Order, Payment, Status

FROM, HOURS = "hold_from", "unpaid_hold_hours"  # an account's settings
MOST_HOURS = 24 * 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """`since`: PLACED or PAID. `unpaid_hours`: how long an unpaid order holds its units; null: until it is told."""

    since: Status
    unpaid_hours: float | None = None


def hold_of(settings: Mapping[str, Any], default: Status) -> Hold:
    """What holds for an account; `default` where its settings do not say."""
    hours = settings.get(HOURS)
    return Hold(since=Status(settings.get(FROM) or default), unpaid_hours=float(hours) if hours else None)


def until(order: Order, hold: Hold, first_seen_at: datetime) -> datetime | None:
    """When an unpaid order's hold ends; null: it holds nothing, or what it holds does not end by itself.

    An authorized payment is money on its way: such an order waits for as long as the channel lets it.
    """
    waits = order.status is Status.PLACED and not order.cancelled and order.payment is not Payment.AUTHORIZED
    if not waits or hold.since is not Status.PLACED or hold.unpaid_hours is None:
        return None
    return (order.placed_at or first_seen_at) + timedelta(hours=hold.unpaid_hours)

"""Open orders of a disconnected account, whose channel tells of them no more: a person says what became of them. Pure.

What a person says has no version: whatever the channel tells later, the account being connected again, goes before it.
Only goods that left stay gone, as they do wherever they are told.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from hub.model import FulfilledBy, Fulfilment, Order, OrderLine
from hub.orders import NEVER, Known, Version, keeper


class Outcome(StrEnum):
    """What became of an order."""

    CANCELLED = "cancelled"  # it will not be sent: its units are for sale again
    SENT = "sent"  # it left: its units leave the stock
    OPEN = "open"  # it was cancelled by mistake: it stands again as its channel last told it


def stays(
    outcome: Outcome, *, packed: bool = False, labelled: bool = False, moving: bool = False, followed: bool = False
) -> str | None:
    """Why an order's units may not be let go, as a word; None: they may. What left may always be said to have left.

    `labelled`: it has a label of the hub's that lives; `moving`: its parcel was seen by its carrier; `followed`: an
    order of a live account is the same sale, and is not cancelled there.
    """
    if outcome is not Outcome.CANCELLED:
        return None
    told = {"followed": followed, "moving": moving, "labelled": labelled, "packed": packed}
    return next((why for why, holds in told.items() if holds), None)


def settled(known: Known, outcome: Outcome, now: datetime) -> Known:
    """The order once its open units are CANCELLED, or SENT at `now`; lines that a marketplace fulfils stay."""
    order, versions = known.order, dict(known.versions)
    mine = [line for line in order.lines if keeper(order, line) is not FulfilledBy.MARKETPLACE]
    refs = {line.ref for line in mine}
    values: dict[str, Any] = {"changed_at": now}
    if outcome is Outcome.SENT:
        values["fulfilment"] = Fulfilment.DISPATCHED
        # The lowest of versions: whatever is told is later, and goods that moved do not unmove.
        lowest = Version(NEVER, 0)
        versions = {f"lines.{ref}.dispatched_quantity": lowest for ref in refs} | versions
    elif len(mine) == len(order.lines) and not any(line.dispatched_quantity for line in mine):
        values |= {"cancelled": True, "cancelled_at": now}
    values["lines"] = tuple(_line(line, outcome) if line.ref in refs else line for line in order.lines)
    return Known(order.model_copy(update=values), versions)


def open_units(order: Order) -> int:
    """Units of an order that were neither cancelled nor sent."""
    return sum(max(0, line.quantity - line.cancelled_quantity - line.dispatched_quantity) for line in order.lines)


def _line(line: OrderLine, outcome: Outcome) -> OrderLine:
    if outcome is Outcome.SENT:
        left = max(line.dispatched_quantity, line.quantity - line.cancelled_quantity)
        return line.model_copy(update={"dispatched_quantity": left})
    cancelled = max(line.cancelled_quantity, line.quantity - line.dispatched_quantity)
    return line.model_copy(update={"cancelled_quantity": cancelled})

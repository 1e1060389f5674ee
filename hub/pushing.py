"""What becomes of a write between the moment it was planned and the moment it leaves. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

Row = TypeVar("Row")


class Late(StrEnum):
    """What to do with a planned write once its turn has come."""

    GO = "go"  # with the number as it is now
    REST = "rest"  # the channel shows it already, or nothing is to be told
    OVER = "over"  # it is another kind of write now: claim it again


def late(planned: int | None, desired: int | None, expected: int | None) -> Late:
    """How a write planned for `planned` goes on, now that the slot wants `desired` and shows `expected`.

    A number that became zero has not been asked about (a zero may be meaningless), and one that was zero was
    planned without looking at the newest orders: both start over. All others leave as they are now, never as
    they were planned.
    """
    if desired is None or desired == expected:
        return Late.REST
    if (not planned) != (not desired):
        return Late.OVER
    return Late.GO


def halves(rows: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
    """A refused batch in two, until the row that was meant stands alone: 2 log2(n) requests for one in n."""
    middle = len(rows) // 2
    return rows[:middle], rows[middle:]

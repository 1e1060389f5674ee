"""What becomes of a write between the moment it was planned and the moment it leaves. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

PATIENCE = timedelta(minutes=15)  # after which a number that was accepted and never took effect is told again
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


@dataclass(frozen=True, slots=True)
class Submission:
    """A number that a channel accepted to make true later, and under which receipt."""

    units: int
    at: str
    receipt: str

    def kept(self) -> str:
        """As a slot keeps it."""
        return json.dumps(asdict(self))

    def waits(self, desired: int | None, now: datetime) -> bool:
        """Whether it is still what the slot wants, and due to come true: telling it again could undo a sale."""
        return desired == self.units and now - datetime.fromisoformat(self.at) < PATIENCE


def submission(kept: str | None) -> Submission | None:
    """What a slot keeps of its last accepted number; None for none."""
    return Submission(**json.loads(kept)) if kept and kept.startswith("{") else None

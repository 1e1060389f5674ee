"""What a channel's status word says of an order: what status tables are made of. Pure."""

from dataclasses import dataclass
from typing import TypeVar

from hub.model import Fulfilment, Hold, Payment

T = TypeVar("T")
GONE = frozenset({Fulfilment.DISPATCHED, Fulfilment.DELIVERED})


@dataclass(frozen=True, slots=True)
class Stage:
    """What a status means; a payment of None is told elsewhere."""

    payment: Payment | None = Payment.PAID
    fulfilment: Fulfilment = Fulfilment.NONE
    cancelled: bool = False
    hold: Hold | None = None


def by_word(*told: tuple[T, str]) -> dict[str, T]:
    """A table of what each word means, of meanings with their words, which spaces part."""
    return {word: meaning for meaning, words in told for word in words.split()}

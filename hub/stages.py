"""What a channel's status word says of an order: what status tables are made of. Pure."""

from dataclasses import dataclass

from hub.model import Fulfilment, Hold, Payment

GONE = frozenset({Fulfilment.DISPATCHED, Fulfilment.DELIVERED})


@dataclass(frozen=True, slots=True)
class Stage:
    """What a status means; a payment of None is told elsewhere."""

    payment: Payment | None = Payment.PAID
    fulfilment: Fulfilment = Fulfilment.NONE
    cancelled: bool = False
    hold: Hold | None = None

"""Stock sinks that several channels have in the same shape: one slot a request, numbers that stand later."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from hub import parse
from hub.contract import AVAILABLE, Api, StockSink
from hub.model import Listing, Outcome, Reply, Request, StockWrite

Look: TypeAlias = Callable[[Api, Sequence[StockWrite]], Awaitable[list[Listing | None]]]
Ask: TypeAlias = Callable[[Api, Sequence[StockWrite], str], Awaitable[list[Outcome]]]


def one_by_one(
    render: Callable[[StockWrite], Request],
    read: Callable[[StockWrite, Reply], Outcome],
    sent: Callable[[Request], StockWrite],
    look: Look,
    ask: Ask | None = None,
    numbers: str = AVAILABLE,
) -> StockSink:
    """The sink of a channel that takes one slot a request; `sent` is the write that a request asks for."""

    def read_one(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
        (write,) = writes
        return [read(write, reply)]

    return StockSink(
        render=lambda writes: [(render(write), (write,)) for write in writes],
        read=read_one,
        asked=lambda request: [sent(request)],
        look=look,
        ask=ask,
        numbers=numbers,
    )


def by_looking(look: Look) -> Ask:
    """`StockSink.ask` of a channel where accepted numbers stand later and nothing else says when."""

    async def ask(api: Api, writes: Sequence[StockWrite], receipt: str) -> list[Outcome]:
        looked = await look(api, writes)
        return [_stands(write, shown, receipt) for write, shown in zip(writes, looked, strict=True)]

    return ask


def _stands(write: StockWrite, shown: Listing | None, receipt: str) -> Outcome:
    if shown is None:
        return Outcome.refused(write, "NOT_FOUND", "it is not there any more")
    if shown.stock_quantity == write.quantity:
        return Outcome.accepted(write, shown.stock_quantity)
    return Outcome.pending(write, parse.text(receipt), seen=shown.stock_quantity)

"""Transfers between warehouses: planned, under way, arrived in parts."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from hub.store import transfers as store
from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.shapes import Asked, Code, Instant, Paging, Told, Words, once_each
from hub.web.i18n import N_
from jobs import transfers

TAG = "stock"
NO_TRANSFER = N_("Não há esta transferência.")
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
Some = Annotated[int, Field(ge=1, le=10_000_000)]
ByNumber = tuple[int]


class Numbered(Asked):
    """One by its number."""

    number: Number


class TransferRow(Told):
    """A transfer. Units of all its lines."""

    number: int
    from_warehouse: str
    to_warehouse: str
    status: Literal["open", "sent", "received", "cancelled"]
    note: str | None
    created_at: Instant
    sent_at: Instant | None
    closed_at: Instant | None
    quantity: int
    sent: int
    received: int
    lost: int
    under_way: int


class TransferLine(Told):
    """Units of a SKU: planned, gone, arrived, lost, come back, and on the way."""

    sku: str
    quantity: int
    sent: int
    received: int
    lost: int
    returned: int
    under_way: int


class Transfer(Told):
    """A transfer whole."""

    number: int
    from_warehouse: str
    to_warehouse: str
    transit: str
    status: Literal["open", "sent", "received", "cancelled"]
    note: str | None
    with_orders: bool
    created_at: Instant
    sent_at: Instant | None
    closed_at: Instant | None
    lines: list[TransferLine]


class TransferQuery(Paging):
    """Which of them."""

    unfinished: bool = Field(default=False, description=N_("Só as abertas e as a caminho."))


class Moved(Asked):
    """Units of a SKU."""

    sku: Code
    quantity: Some


class NewTransfer(Asked):
    """A transfer to plan; nothing moves until it is sent."""

    from_warehouse: Code = Field(description=N_("O código do depósito de onde sai."))
    to_warehouse: Code = Field(description=N_("O código do depósito para onde vai."))
    lines: Annotated[list[Moved], Field(min_length=1, max_length=500), AfterValidator(once_each)]
    note: Words = ""


class Leaving(Asked):
    """How it leaves."""

    with_orders: bool = Field(default=False, description=N_("Levar também unidades reservadas, com os seus pedidos."))


class Arriving(Asked):
    """What arrives: those named, or (null) all that is under way."""

    lines: Annotated[list[Moved], Field(min_length=1, max_length=500), AfterValidator(once_each)] | None = None
    finish: bool = Field(default=False, description=N_("O que ainda estiver a caminho se perdeu."))


def _ends(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "from_warehouse": row["from"], "to_warehouse": row["to"]}


async def _whole(call: Call, number: int) -> Transfer:
    async with call.tx() as tx:
        found = await store.detail(tx, number)
    if found is None:
        raise missing(NO_TRANSFER)
    return Transfer.model_validate(_ends(found))


async def _there(call: Call) -> int:
    number = call.path(Numbered).number
    await _whole(call, number)
    return number


async def list_transfers(call: Call) -> Answer:
    """Newest first."""
    after = call.after
    async with call.tx() as tx:
        rows: list[dict[str, Any]] = await store.listed(
            tx, unfinished_only=call.query(TransferQuery).unfinished, limit=call.limit, before=after and after[0]
        )
    return call.part(rows, lambda row: TransferRow.model_validate(_ends(row)), "number")


async def get_transfer(call: Call) -> Answer:
    """With its lines."""
    return await _whole(call, call.path(Numbered).number)


async def add_transfer(call: Call) -> Answer:
    """Nothing moves until it is sent."""
    asked = call.body(NewTransfer)
    number = await transfers.open_transfer(
        call.rt, call.seller, asked.from_warehouse, asked.to_warehouse,
        {line.sku: line.quantity for line in asked.lines}, note=asked.note,
    )  # fmt: skip
    return await _whole(call, number)


async def send(call: Call) -> Answer:
    """The units stand in transit from now on."""
    number = await _there(call)
    await transfers.send(call.rt, call.seller, number, with_orders=call.body(Leaving).with_orders)
    return await _whole(call, number)


async def receive(call: Call) -> Answer:
    """In as many parts as it takes."""
    number, asked = await _there(call), call.body(Arriving)
    units = None if asked.lines is None else {line.sku: line.quantity for line in asked.lines}
    await transfers.receive(call.rt, call.seller, number, units, finish=asked.finish)
    return await _whole(call, number)


async def cancel(call: Call) -> Answer:
    """What has not arrived stands where it came from again."""
    number = await _there(call)
    await transfers.cancel(call.rt, call.seller, number)
    return await _whole(call, number)


OPERATIONS = (
    Operation(
        name="list_transfers", method="GET", path="/transfers", handler=list_transfers, scope="stock:read", tag=TAG,
        summary=N_("As transferências entre depósitos"), answer=TransferRow, query=TransferQuery, place=ByNumber,
    ),
    Operation(
        name="get_transfer", method="GET", path="/transfers/{number}", handler=get_transfer, scope="stock:read",
        tag=TAG, summary=N_("Uma transferência, linha por linha"), answer=Transfer, named=Numbered,
    ),
    Operation(
        name="add_transfer", method="POST", path="/transfers", handler=add_transfer, scope="stock:write", tag=TAG,
        summary=N_("Planeja uma transferência"), answer=Transfer, status=201, body=NewTransfer, once="together",
        example={"from_warehouse": "principal", "to_warehouse": "loja", "lines": [{"sku": "CANECA", "quantity": 10}]},
    ),
    Operation(
        name="send_transfer", method="POST", path="/transfers/{number}/send", handler=send, scope="stock:write",
        tag=TAG, summary=N_("As unidades saem"), answer=Transfer, named=Numbered, body=Leaving, once="together",
        example={"with_orders": False},
    ),
    Operation(
        name="receive_transfer", method="POST", path="/transfers/{number}/receipts", handler=receive,
        scope="stock:write", tag=TAG, summary=N_("Unidades chegam"), answer=Transfer, named=Numbered, body=Arriving,
        once="together", example={"lines": [{"sku": "CANECA", "quantity": 6}]},
    ),
    Operation(
        name="cancel_transfer", method="POST", path="/transfers/{number}/cancel", handler=cancel,
        scope="stock:write", tag=TAG, summary=N_("Desiste de uma transferência"), answer=Transfer, named=Numbered,
        once="together",
    ),
)  # fmt: skip

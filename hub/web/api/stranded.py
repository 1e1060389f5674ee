"""Open orders of an account: which hold units, and, once it is disconnected, what became of each."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from hub.store import stranded as store
from hub.stranded import Outcome
from hub.web import stranded_words
from hub.web.api.accounts import known
from hub.web.api.operations import Answer, Call, Operation, conflict
from hub.web.api.operations import ById as LastId
from hub.web.api.problems import wrong
from hub.web.api.shapes import Asked, ById, Instant, Line, Paging, Told
from hub.web.i18n import N_
from jobs import stranded
from jobs.stranded import Stays

TAG = "accounts"
ALSO = "accounts:connect"


class SameSale(Told):
    """The same sale, as a live account tells it."""

    number: str
    account: str
    status: str


class OpenOrder(Told):
    """An order that holds units or waits for some, and where its goods may be."""

    id: UUID
    number: str
    status: str
    hold: str | None
    placed_at: Instant | None
    ship_by: Instant | None
    total_cents: int | None
    currency: str | None
    units: int = Field(description=N_("Unidades que reserva."))
    short: int = Field(description=N_("Unidades que lhe faltam."))
    packed: bool
    labelled: bool = Field(description=N_("Tem etiqueta comprada aqui."))
    moving: bool = Field(description=N_("A transportadora já viu o volume."))
    followed: SameSale | None = Field(description=N_("A mesma venda numa conta ligada, não cancelada lá."))


class Settlement(Asked):
    """What became of them: of the orders named, or of all (up to 500 at one go)."""

    outcome: Literal["cancelled", "sent", "open"] = Field(
        description=N_(
            "cancelled: não sai, as unidades voltam à venda; sent: saiu, elas deixam o estoque; open: desfaz um "
            "cancelled, só dos pedidos ditos em orders."
        )
    )
    reason: Line = Field(description=N_("Por quê; fica no registro."))
    orders: list[UUID] | None = Field(default=None, min_length=1, max_length=stranded.MOST)
    all: Literal[True] | None = Field(default=None, description=N_("Todos; no lugar de orders."))


class Staying(Told):
    """An order left as it is. `why` is one of packed, labelled, moving, followed, nothing, kept, again, gone."""

    number: str
    why: str
    text: str


class OrdersSettled(Told):
    """What was done; `left`: those that are still open."""

    settled: int
    left: int
    stays: list[Staying]


async def list_open(call: Call) -> Answer:
    """The first seen first."""
    account, after = await known(call), call.after
    async with call.tx() as tx:
        rows = await store.listed(tx, account.id, after=after and after[0], limit=call.limit)
        others = await store.followed(tx, [row["id"] for row in rows])
    told = [{**row, "followed": others.get(row["id"])} for row in rows]
    return call.part(told, OpenOrder.model_validate, "id")


async def settle(call: Call) -> Answer:
    """Each order on its own; what may still be sent is left as it is, and said."""
    call.need(ALSO)
    account, asked = await known(call), call.body(Settlement)
    if (asked.orders is None) == (asked.all is None):
        raise wrong("orders", N_("Diga quais pedidos, ou all: true para todos."))
    try:
        done = await stranded.settle(call.rt, account, asked.orders, Outcome(asked.outcome), asked.reason)
    except Stays as refusal:
        if field := {"reason": "reason", "named": "orders"}.get(refusal.why):
            raise wrong(field, stranded_words.STAYS[refusal.why], **refusal.told) from None
        raise conflict(stranded_words.STAYS[refusal.why]) from None
    return OrdersSettled(
        settled=done.settled, left=done.left,
        stays=[
            Staying(number=str(each.told["number"]), why=each.why, text=stranded_words.why(call.language, each))
            for each in done.stays
        ],
    )  # fmt: skip


OPERATIONS = (
    Operation(
        name="list_open_orders", method="GET", path="/accounts/{id}/open-orders", handler=list_open,
        scope="orders:read", tag=TAG, summary=N_("Os pedidos de uma conta que seguram ou esperam unidades"),
        answer=OpenOrder, named=ById, query=Paging, place=LastId,
    ),
    Operation(
        name="settle_open_orders", method="POST", path="/accounts/{id}/open-orders/settle", handler=settle,
        scope="orders:write", tag=TAG, summary=N_("Dizer o que houve com os pedidos abertos de uma conta desligada"),
        answer=OrdersSettled, named=ById, body=Settlement, once="together",
        description=N_(
            "Pede também accounts:connect. Só de uma conta desligada: de uma ligada, o canal conta. Com cancelled, "
            "fica como está o que está embalado, tem etiqueta, está com a transportadora ou é contado por outra conta."
        ),
        example={"outcome": "cancelled", "reason": "loja encerrada", "all": True},
    ),
)  # fmt: skip

"""A SKU's stock: levels, holds, shortages, and why each channel shows its number."""

from typing import Any
from uuid import UUID

from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.shapes import ByCode, Instant, Told
from hub.web.i18n import N_
from jobs import shown

TAG = "stock"
NO_SKU = N_("Não há SKU %(code)s.")


class Component(Told):
    """Units of a SKU in one unit of a kit."""

    sku: str
    quantity: int


class Level(Told):
    """What stands in a warehouse."""

    warehouse: str
    on_hand: int
    reserved: int
    free: int


class Reservation(Told):
    """Units that an order holds."""

    order_id: UUID
    order_number: str
    account: str
    status: str
    line_ref: str
    warehouse: str
    quantity: int
    created_at: Instant


class Short(Told):
    """Units that an order lacks."""

    order_id: UUID
    order_number: str
    account: str
    status: str
    line_ref: str
    quantity: int
    ship_by: Instant | None
    created_at: Instant


class AccountName(Told):
    """Which account."""

    id: UUID
    name: str
    channel: str


class Step(Told):
    """One step from what stands in the warehouses to the number that is shown."""

    kind: str
    text: str
    params: dict[str, int | float | str]


class Slot(Told):
    """What one address of a channel should show, was told, and was seen to show."""

    account: AccountName
    ref: str
    available: int | None
    desired: int | None
    pushed: int | None
    expected: int | None
    seen: int | None
    seen_at: Instant | None
    parked_reason: str | None
    braked: bool
    steps: list[Step]


class Stock(Told):
    """A SKU's stock, explained. Units."""

    sku: str
    title: str
    gtin: str | None
    opened_at: Instant | None
    components: list[Component]
    levels: list[Level]
    reservations: list[Reservation]
    shortages: list[Short]
    slots: list[Slot]


async def show(call: Call) -> Answer:
    """Units; `slots[].steps` lead to `available`, one sentence each."""
    code = call.path(ByCode).code
    told = await shown.sku_stock(call.rt, call.seller, code)
    if told is None:
        raise missing(NO_SKU, code=code)
    facts, answers, names = told
    locale = call.language.tag
    levels = [{**level, "free": max(0, level["on_hand"] - level["reserved"])} for level in facts["levels"]]
    slots = [
        {
            **{name: slot[name] for name in Slot.model_fields if name in slot},
            "account": {"id": slot["account_id"], "name": slot["account"], "channel": slot["channel"]},
            "available": answer.quantity,
            "steps": [
                {
                    "kind": step.kind,
                    "text": step.explain(locale, names),
                    "params": {name: _param(value) for name, value in step.params.items()},
                }
                for step in answer.steps
            ],
        }
        for slot, answer in answers
    ]
    return Stock.model_validate({**facts, "levels": levels, "slots": slots})


def _param(value: Any) -> int | float | str:
    return value if isinstance(value, int | float) else str(value)


OPERATIONS = (
    Operation(
        name="get_stock", method="GET", path="/skus/{code}/stock", handler=show, scope="stock:read", tag=TAG,
        summary=N_("O estoque de um SKU, com o porquê de cada número"),
        description=N_("Níveis por depósito, quem reserva, quem espera, e por canal os passos até o número anunciado."),
        answer=Stock, named=ByCode,
    ),
)  # fmt: skip

"""Buying: purchase orders from draft to receipt, and what is worth buying now."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from hub.store import purchases
from hub.web.api.operations import Answer, ByInstant, Call, Operation, missing
from hub.web.api.shapes import (
    Asked,
    AskedInstant,
    ById,
    Cents,
    Code,
    Instant,
    Line,
    Name,
    Paging,
    Told,
    Units,
    Words,
    once_each,
)
from hub.web.i18n import N_
from jobs import purchase, replenish

TAG = "purchases"
MOST_LINES = 500
Status = Literal["draft", "sent", "partial", "received", "closed", "cancelled"]
OrderUnits = Annotated[int, Field(ge=1, le=10_000_000)]
NO_ORDER = N_("Não há esta ordem de compra.")


# ── purchase orders ─────────────────────────────────────────────────────────────────────────────────────────


class PurchaseRow(Told):
    """A purchase order. Units and centavos in all; `total_cents` is null while no line has a cost."""

    id: UUID
    number: str
    status: Status
    supplier_id: UUID
    supplier: str
    warehouse: str | None
    note: str | None
    created_at: Instant
    sent_at: Instant | None
    expected_at: Instant | None
    closed_at: Instant | None
    lines: int
    units: int
    received: int
    total_cents: int | None


class PurchaseLine(Told):
    """Units of a SKU, what came of them, and what is missing still."""

    sku: str
    title: str
    supplier_code: str | None
    quantity: int
    received_quantity: int
    missing: int
    cost_cents: int | None


class Receipt(Told):
    """What came: once per reference."""

    at: Instant
    ref: str
    warehouse: str
    sku: str
    quantity: int
    cost_cents: int | None


class Purchase(Told):
    """A purchase order whole."""

    order: PurchaseRow
    lines: list[PurchaseLine]
    receipts: list[Receipt]


class PurchaseQuery(Paging):
    """Which orders."""

    status: Status | Literal["open"] | None = Field(default=None, description=N_("open: rascunho, enviada ou parcial."))
    supplier_id: UUID | None = None


class AskedLine(Asked):
    """Units of a SKU at a cost of each; 0 takes the line out of a draft."""

    sku: Code
    quantity: Units
    cost_cents: Cents | None = None


class Lines(Asked):
    """Lines of a draft."""

    lines: Annotated[list[AskedLine], Field(min_length=1, max_length=MOST_LINES), AfterValidator(once_each)]

    def told(self) -> dict[str, tuple[int, int | None]]:
        """As the flows take them."""
        return {line.sku: (line.quantity, line.cost_cents) for line in self.lines}


class NewPurchase(Lines):
    """A draft to make."""

    supplier: Name = Field(description=N_("O nome ou o id do fornecedor."))
    warehouse: Code | None = Field(default=None, description=N_("O código do depósito que recebe."))
    note: Words | None = None


class Sent(Asked):
    """The supplier has it."""

    expected_at: AskedInstant | None = Field(
        default=None, description=N_("Quando deve chegar; sem ele, como dizem os prazos dos SKUs.")
    )


class Arrived(Lines):
    """What came, under a reference of its own: the same again is booked once."""

    ref: Code = Field(description=N_("O número da nota ou outro que seja só deste recebimento."))
    warehouse: Code | None = None
    over: bool = Field(default=False, description=N_("Aceitar mais do que foi pedido."))


class PurchaseReceived(Told):
    """What the receipt did; `again`: it was booked before, and nothing moved."""

    status: Status
    units: int
    again: bool


async def _whole(call: Call, id_: UUID) -> Purchase:
    async with call.tx() as tx:
        order = await purchases.find(tx, str(id_))
        if order is None:
            raise missing(NO_ORDER)
        return Purchase(
            order=PurchaseRow.model_validate(order),
            lines=[PurchaseLine.model_validate(row) for row in await purchases.lines(tx, id_)],
            receipts=[Receipt.model_validate(row) for row in await purchases.receipts(tx, id_)],
        )


async def list_purchases(call: Call) -> Answer:
    """Newest first."""
    asked = call.query(PurchaseQuery)
    async with call.tx() as tx:
        rows = await purchases.listed(
            tx, status=asked.status, supplier_id=asked.supplier_id, after=call.after, limit=call.limit
        )
    return call.part(rows, PurchaseRow.model_validate, "created_at", "id")


async def get_purchase(call: Call) -> Answer:
    """With lines and receipts."""
    return await _whole(call, call.path(ById).id)


async def add_purchase(call: Call) -> Answer:
    """A draft: nothing is incoming before it is sent."""
    asked = call.body(NewPurchase)
    number = await purchase.create(
        call.rt, call.seller, asked.supplier, asked.told(), warehouse=asked.warehouse, note=asked.note
    )
    async with call.tx() as tx:
        made = await purchases.find(tx, number)
    if made is None:
        raise missing(NO_ORDER)
    return await _whole(call, made["id"])


async def put_lines(call: Call) -> Answer:
    """Of a draft; lines that are not named stay."""
    id_ = call.path(ById).id
    await purchase.edit(call.rt, call.seller, id_, call.body(Lines).told())
    return await _whole(call, id_)


async def send(call: Call) -> Answer:
    """Its units are incoming from now on."""
    id_ = call.path(ById).id
    await purchase.send(call.rt, call.seller, id_, expected_at=call.body(Sent).expected_at)
    return await _whole(call, id_)


async def receive(call: Call) -> Answer:
    """Into the ledger at once; shortages are filled first."""
    asked, id_ = call.body(Arrived), call.path(ById).id
    done = await purchase.receive(
        call.rt, call.seller, id_, asked.ref, asked.told(), warehouse=asked.warehouse, over=asked.over
    )
    return PurchaseReceived.model_validate(done)


async def close(call: Call) -> Answer:
    """What is missing will not come."""
    id_ = call.path(ById).id
    await purchase.close_short(call.rt, call.seller, id_)
    return await _whole(call, id_)


async def cancel(call: Call) -> Answer:
    """Refused once something came: it is closed then."""
    id_ = call.path(ById).id
    await purchase.cancel(call.rt, call.seller, id_)
    return await _whole(call, id_)


# ── what to buy ─────────────────────────────────────────────────────────────────────────────────────────────


class Why(Told):
    """One number of the suggestion, and the sentence that leads to it."""

    kind: str
    text: str


class Suggestion(Told):
    """What to do about a SKU: `quantity` is 0 while its position is above the reorder point. Units."""

    id: UUID
    sku: str
    title: str
    supplier: str | None
    abc: str | None
    position: int
    reorder_point: int
    safety_stock: int
    target: int
    quantity: int
    urgent: bool
    days_left: float | None
    stockout_at: Instant | None
    why: list[Why]


class SuggestionQuery(Paging):
    """Which SKUs."""

    show: Literal["low", "urgent", "incoming", "doubtful", "all"] = "low"
    search: Line | None = None


def _suggestion(call: Call, told: replenish.Explained) -> dict[str, Any]:
    row, verdict = told.row, told.verdict
    return {
        **row, "id": row["sku_id"], "sku": row["code"], "abc": row.get("abc"), "position": verdict.position,
        "reorder_point": told.plan.reorder, "safety_stock": told.plan.safety, "target": told.plan.target,
        "quantity": verdict.quantity, "urgent": verdict.urgent, "days_left": verdict.days_left,
        "stockout_at": verdict.stockout.at,
        "why": [{"kind": step.kind, "text": step.explain(call.language.tag)} for step in told.answer.steps],
    }  # fmt: skip


async def list_suggestions(call: Call) -> Answer:
    """Those that run out first come first."""
    asked = call.query(SuggestionQuery)
    async with call.tx() as tx:
        found = await replenish.suggestions(
            tx, call.now, asked.show, search=asked.search, after=call.after, limit=call.limit
        )
    rows = [{**_suggestion(call, each), "at": each.row["days_left"]} for each in found]
    return call.part(rows, Suggestion.model_validate, "at", "sku_id")


ByDays = tuple[float, UUID]
OPERATIONS = (
    Operation(
        name="list_purchases", method="GET", path="/purchases", handler=list_purchases, scope="purchases:read",
        tag=TAG, summary=N_("As ordens de compra, da mais nova à mais antiga"), answer=PurchaseRow,
        query=PurchaseQuery, place=ByInstant,
    ),
    Operation(
        name="get_purchase", method="GET", path="/purchases/{id}", handler=get_purchase, scope="purchases:read",
        tag=TAG, summary=N_("Uma ordem de compra, com itens e recebimentos"), answer=Purchase, named=ById,
    ),
    Operation(
        name="add_purchase", method="POST", path="/purchases", handler=add_purchase, scope="purchases:write", tag=TAG,
        summary=N_("Uma ordem de compra nova, em rascunho"), answer=Purchase, status=201, body=NewPurchase,
        once="together",
        example={"supplier": "Porcelanas do Vale", "lines": [{"sku": "CANECA", "quantity": 48, "cost_cents": 1190}]},
    ),
    Operation(
        name="put_purchase_lines", method="PUT", path="/purchases/{id}/lines", handler=put_lines,
        scope="purchases:write", tag=TAG, summary=N_("Os itens de um rascunho"), answer=Purchase, named=ById,
        body=Lines,
        example={"lines": [{"sku": "CANECA", "quantity": 60}]},
    ),
    Operation(
        name="send_purchase", method="POST", path="/purchases/{id}/send", handler=send, scope="purchases:write",
        tag=TAG, summary=N_("A ordem foi enviada ao fornecedor"), answer=Purchase, named=ById, body=Sent,
        once="together",
        example={"expected_at": "2026-12-04T12:00:00Z"},
    ),
    Operation(
        name="receive_purchase", method="POST", path="/purchases/{id}/receipts", handler=receive,
        scope="purchases:write", tag=TAG, summary=N_("Chegaram unidades"), answer=PurchaseReceived, named=ById,
        body=Arrived, once="together",
        example={"ref": "NF 1042", "lines": [{"sku": "CANECA", "quantity": 48}]},
    ),
    Operation(
        name="close_purchase", method="POST", path="/purchases/{id}/close", handler=close, scope="purchases:write",
        tag=TAG, summary=N_("O que falta não vem mais"), answer=Purchase, named=ById, once="together",
    ),
    Operation(
        name="cancel_purchase", method="POST", path="/purchases/{id}/cancel", handler=cancel,
        scope="purchases:write", tag=TAG, summary=N_("Nada desta ordem vem"), answer=Purchase, named=ById,
        once="together",
    ),
    Operation(
        name="list_suggestions", method="GET", path="/replenishment", handler=list_suggestions,
        scope="purchases:read", tag=TAG, summary=N_("O que comprar, quanto e por quê"), answer=Suggestion,
        query=SuggestionQuery, place=ByDays,
    ),
)  # fmt: skip

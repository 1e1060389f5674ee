"""Returns: what came back or should, and what became of each unit."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from hub.model import Disposition
from hub.store import returns as store
from hub.web.api.operations import Answer, Call, Operation
from hub.web.api.shapes import Asked, Code, Instant, Paging, Told, Units
from hub.web.i18n import N_
from jobs import returns

TAG = "returns"
ByLine = tuple[datetime, UUID, str, str]


class ReturnRow(Told):
    """A line of a return. Units: told by the channel, received here, and still to be looked at."""

    order_id: UUID
    order_number: str
    account: str
    return_ref: str = Field(description=N_("balcao: o canal disse quantas voltaram, sem devolução própria."))
    id: UUID | None
    status: str | None
    line: str
    sku: str | None
    title: str | None
    told: int
    received: int
    pending: int
    since: Instant


class ReturnQuery(Paging):
    """Which of them."""

    every: bool = Field(default=False, description=N_("Também as que não esperam mais nada."))


class Back(Asked):
    """How many units of a line, in all, came back so; the same again changes nothing."""

    named: Code = Field(description=N_("A devolução, por id ou referência do canal, ou o pedido."))
    units: Units
    disposition: Disposition
    line: Code | None = Field(default=None, description=N_("A referência ou o SKU da linha; sem ele, a única."))
    warehouse: Code | None = None


class ReturnReceived(Told):
    """What was noted; `moved`: units that the ledger moved by it."""

    order: str
    return_ref: str
    line: str
    units: int
    disposition: Disposition
    changed: bool
    moved: int


async def list_returns(call: Call) -> Answer:
    """Those that wait longest come first."""
    asked = call.query(ReturnQuery)
    async with call.tx() as tx:
        rows = await store.listed(tx, every=asked.every, limit=call.limit, after=call.after)
    return call.part(rows, ReturnRow.model_validate, "since", "order_id", "return_ref", "line")


async def receive(call: Call) -> Answer:
    """Sellable units go back on the shelf, damaged ones apart, lost ones nowhere."""
    asked = call.body(Back)
    done = await returns.receive(
        call.rt, call.seller, asked.named, units=asked.units, disposition=asked.disposition, line=asked.line,
        warehouse=asked.warehouse,
    )  # fmt: skip
    return ReturnReceived.model_validate(done)


OPERATIONS = (
    Operation(
        name="list_returns", method="GET", path="/returns", handler=list_returns, scope="returns:read", tag=TAG,
        summary=N_("As devoluções, linha por linha"), answer=ReturnRow, query=ReturnQuery, place=ByLine,
    ),
    Operation(
        name="receive_return", method="POST", path="/returns/receipts", handler=receive, scope="returns:write",
        tag=TAG, summary=N_("O que foi feito do que voltou"), answer=ReturnReceived, body=Back, once="together",
        example={"named": "2000003508897196", "units": 1, "disposition": "sellable"},
    ),
)  # fmt: skip

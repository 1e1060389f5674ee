"""Freight: what carriers ask for an order's parcels, the labels bought, and those taken back."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from hub.freight import why
from hub.labels import Layout
from hub.store import labels
from hub.web.api.operations import Answer, Call, Operation, conflict, missing
from hub.web.api.operations import ById as LastId
from hub.web.api.refusals import SAID
from hub.web.api.shapes import Asked, ById, Instant, Line, Paging, Told
from hub.web.i18n import N_
from jobs import freight, freight_buy, freight_labels, freight_leave
from jobs.freight_checks import SECOND, SHORT

TAG = "shipments"
NO_LABEL = N_("Não há esta etiqueta.")
NAMES = N_("Traz nomes e endereços: pede também customers:read.")
Status = Literal["buying", "doubt", "paying", "bought", "refused", "cancelling", "cancelled"]


class Offer(Told):
    """What a carrier asks. Of one that failed `error` says why, and it has no price."""

    account_id: UUID
    account: str
    channel: str
    service: str | None
    name: str | None
    price_cents: int | None
    days: int | None
    deliver_by: Instant | None
    home_delivery: bool | None
    error: str | None


class Taken(Told):
    """What the rule takes of them, and why; null where nothing can be bought."""

    account_id: UUID | None
    service: str | None
    why: str


class Quoted(Told):
    """An order's quote: bought by for half an hour."""

    id: UUID
    at: Instant
    volumes: int
    offers: list[Offer]
    taken: Taken


class Label(Told):
    """A label of one volume. `price_cents` is what the carrier took."""

    id: UUID
    order_id: UUID
    order_number: str
    account_id: UUID
    account: str
    channel: str
    volume: int
    volumes: int
    reference: str
    service: str | None
    status: Status
    tracking_code: str | None
    quoted_cents: int | None
    price_cents: int | None
    expires_at: Instant | None
    printed_at: Instant | None
    bought_at: Instant | None
    cancelled_at: Instant | None
    error: str | None


class LabelQuery(Paging):
    """Which labels."""

    status: Status | None = None


class Buying(Asked):
    """Which offer to buy of the order's fresh quote; without an account the one that the rule takes."""

    account_id: UUID | None = None
    service: Line | None = None
    price_cents: int | None = Field(default=None, ge=0, description=N_("O preço visto: se for outro, nada é comprado."))
    second_label: bool = Field(
        default=False, description=N_("Comprar também do que o canal envia com etiqueta própria, ou já conta enviado.")
    )
    despite_shortage: bool = Field(default=False, description=N_("Comprar mesmo com unidades do pedido em falta."))


class Bought(Told):
    """The order's labels; `again`: they were there already."""

    labels: list[Label]
    again: bool


class Withdrawn(Told):
    """`told`: what the channel had been told of its parcel."""

    label: Label
    told: list[str]


class PrintQuery(Asked):
    """The file's layout."""

    layout: Layout = Layout.A4


class Printed(Told):
    """A label as a PDF in base64."""

    pdf: str = Field(json_schema_extra={"contentEncoding": "base64", "contentMediaType": "application/pdf"})


def _told(row: Mapping[str, Any]) -> Label:
    return Label.model_validate({**row, "order_number": row["number"]})


async def quote(call: Call) -> Answer:
    """Every live carrier is asked at once, each within its own time; the newest quote where it is fresh."""
    told = await freight.latest(call.rt, call.seller, call.path(ById).id)
    choice = told.choice()
    offer = choice.offer
    return Quoted(
        id=told.id, at=told.at, volumes=len(told.consignment.volumes),
        offers=[Offer.model_validate(row) for row in told.rows],
        taken=Taken(
            account_id=UUID(offer.account) if offer else None, service=offer.service if offer else None,
            why=why(choice, call.language.tag),
        ),
    )  # fmt: skip


async def buy(call: Call) -> Answer:
    """Bought once however often it is asked: what is in doubt is looked up at the carrier first.

    Only of a quote of the last half hour (`quote_freight`).
    """
    asked = call.body(Buying)
    done = await freight_buy.buy(
        call.rt, call.seller, call.path(ById).id, account_id=asked.account_id, service=asked.service,
        seen_cents=asked.price_cents, insists=[word for word in (SECOND, SHORT) if getattr(asked, word)],
    )  # fmt: skip
    return Bought(labels=[_told(row) for row in done.labels], again=done.again)


async def list_labels(call: Call) -> Answer:
    """Newest first."""
    after = call.after
    async with call.tx() as tx:
        rows = await labels.listed(tx, status=call.query(LabelQuery).status, after=after and after[0], limit=call.limit)
    return call.part(rows, _told, "id")


async def _label(call: Call) -> Label:
    async with call.tx() as tx:
        found = await labels.some(tx, [call.path(ById).id])
    if not found:
        raise missing(NO_LABEL)
    return _told(found[0])


async def get_label(call: Call) -> Answer:
    """As it stands."""
    return await _label(call)


async def file(call: Call) -> Answer:
    """It names the recipient and where they live."""
    call.need("customers:read")
    label = await _label(call)
    made = await freight_labels.printed(call.rt, call.seller, [label.id], call.query(PrintQuery).layout)
    if made.pdf is None:
        raise conflict(SAID, said=made.failures.get(label.id, ""))
    return Printed(pdf=b64encode(made.pdf).decode())


async def cancel(call: Call) -> Answer:
    """Refused once it left or was scanned."""
    await _label(call)
    told = await freight_leave.cancel(call.rt, call.seller, call.path(ById).id)
    return Withdrawn(label=await _label(call), told=told)


OPERATIONS = (
    Operation(
        name="quote_freight", method="POST", path="/orders/{id}/freight", handler=quote, scope="shipments:write",
        tag=TAG, summary=N_("Cota o frete de um pedido em todas as transportadoras"), answer=Quoted, named=ById,
        once="apart",
    ),
    Operation(
        name="buy_labels", method="POST", path="/orders/{id}/labels", handler=buy, scope="shipments:write", tag=TAG,
        summary=N_("Compra as etiquetas de um pedido"), answer=Bought, status=201, named=ById, body=Buying,
        once="apart", example={},
    ),
    Operation(
        name="list_labels", method="GET", path="/labels", handler=list_labels, scope="shipments:read", tag=TAG,
        summary=N_("As etiquetas"), answer=Label, query=LabelQuery, place=LastId,
    ),
    Operation(
        name="get_label", method="GET", path="/labels/{id}", handler=get_label, scope="shipments:read", tag=TAG,
        summary=N_("Uma etiqueta"), answer=Label, named=ById,
    ),
    Operation(
        name="get_label_file", method="GET", path="/labels/{id}/file", handler=file, scope="shipments:read", tag=TAG,
        summary=N_("Uma etiqueta em PDF"), answer=Printed, named=ById, query=PrintQuery, conflicts=True,
        description=NAMES,
    ),
    Operation(
        name="cancel_label", method="POST", path="/labels/{id}/cancel", handler=cancel, scope="shipments:write",
        tag=TAG, summary=N_("Cancela uma etiqueta na transportadora"), answer=Withdrawn, named=ById, once="apart",
    ),
)  # fmt: skip

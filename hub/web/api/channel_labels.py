"""Labels that channels issue for parcels that travel by them: which wait, and several as one file."""

from base64 import b64encode
from typing import Annotated
from uuid import UUID

from pydantic import Field

from hub.labels import Layout
from hub.store import channel_labels
from hub.web.api.freight import NO_LABEL
from hub.web.api.manifests import Ids
from hub.web.api.operations import Answer, ByInstant, Call, Operation
from hub.web.api.problems import wrong
from hub.web.api.shapes import Asked, Instant, Paging, Told
from hub.web.i18n import N_
from jobs import channel_labels as printing

TAG = "shipments"


class ChannelLabel(Told):
    """The label of one parcel."""

    shipment_id: UUID
    tracking_code: str | None
    service: str
    printed_at: Instant | None


class ToPrint(Told):
    """A paid order whose parcel travels by its channel and is still here; of a pack its most urgent one."""

    order_id: UUID
    order_number: str
    account: str
    channel: str
    ship_by: Instant | None
    hold: str | None
    labels: list[ChannelLabel]


class LabelsQuery(Paging):
    """Which of them."""

    unprinted: bool = Field(default=False, description=N_("Só as que ainda não foram impressas."))


class ChannelSheet(Asked):
    """Labels to print together, in this order."""

    shipments: Annotated[Ids, Field(description=N_("Os envios, como list_channel_labels os diz."))]
    layout: Layout = Layout.A4


class ChannelNotPrinted(Told):
    """A label that is not in the file."""

    shipment_id: UUID
    order_number: str
    why: str


class ChannelSheets(Told):
    """One file; null where nothing could be had."""

    pdf: str | None = Field(json_schema_extra={"contentEncoding": "base64", "contentMediaType": "application/pdf"})
    printed: list[UUID] = Field(description=N_("Os envios cujas etiquetas estão no arquivo, na ordem dele."))
    failures: list[ChannelNotPrinted]


async def every(call: Call) -> Answer:
    """The most urgent first."""
    issuing = printing.issuers()
    async with call.tx() as tx:
        rows = await channel_labels.queue(
            tx, issuing, unprinted=call.query(LabelsQuery).unprinted, after=call.after, limit=call.limit
        )
        known = await channel_labels.of_orders(tx, issuing, [row["id"] for row in rows])
    told = [
        {**row, "order_id": row["id"], "order_number": row["number"],
         "labels": [{**each, "shipment_id": each["id"]} for each in known if each["of_order"] == row["id"]]}
        for row in rows
    ]  # fmt: skip
    return call.part(told, ToPrint.model_validate, "due", "id")


async def print_together(call: Call) -> Answer:
    """It names the recipients and where they live."""
    call.need("customers:read")
    asked = call.body(ChannelSheet)
    async with call.tx() as tx:
        known = {row["id"] for row in await channel_labels.some(tx, asked.shipments)}
    if strange := [id_ for id_ in asked.shipments if id_ not in known]:
        raise wrong(f"shipments.{asked.shipments.index(strange[0])}", NO_LABEL)
    made = await printing.printed(call.rt, call.seller, asked.shipments, asked.layout, locale=call.language.tag)
    return ChannelSheets(
        pdf=None if made.pdf is None else b64encode(made.pdf).decode(),
        printed=[row["id"] for row in made.labels if row["id"] not in made.failures],
        failures=[
            ChannelNotPrinted(shipment_id=row["id"], order_number=row["number"], why=made.failures[row["id"]])
            for row in made.labels
            if row["id"] in made.failures
        ],
    )  # fmt: skip


OPERATIONS = (
    Operation(
        name="list_channel_labels", method="GET", path="/channel-labels", handler=every, scope="shipments:read",
        tag=TAG, summary=N_("As etiquetas que os canais emitem para o que ainda não saiu"), answer=ToPrint,
        query=LabelsQuery, place=ByInstant,
    ),
    Operation(
        name="print_channel_labels", method="POST", path="/channel-labels/print", handler=print_together,
        scope="shipments:write", tag=TAG, summary=N_("Várias etiquetas dos canais num só PDF"), answer=ChannelSheets,
        body=ChannelSheet, example={"shipments": ["019a0000-0000-7000-8000-000000000000"]},
        description=N_("Traz nomes e endereços: pede também customers:read. O que não pôde vir é dito em failures."),
    ),
)  # fmt: skip

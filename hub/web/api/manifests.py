"""What carriers took: labels printed together, and manifests (romaneios), drafted, signed and as files."""

from base64 import b64encode
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from hub.labels import Layout
from hub.store import labels
from hub.web.api.accounts import not_closed
from hub.web.api.freight import NAMES, NO_LABEL
from hub.web.api.operations import Answer, Call, Operation, conflict, missing
from hub.web.api.problems import Refused, wrong
from hub.web.api.shapes import Asked, ById, Instant, Name, Paging, Told
from hub.web.i18n import N_
from jobs import freight_labels, freight_leave

TAG = "shipments"
MOST = 100
TWICE = N_("Uma etiqueta vem mais de uma vez.")
NOT_WAITING = N_("Esta etiqueta não espera por esta transportadora.")
NO_ACCOUNT = N_("Não há esta conta.")
NOTHING = N_("Nada espera esta transportadora.")
ByNumber = tuple[int]


def _once_each(ids: list[UUID]) -> list[UUID]:
    if len(set(ids)) < len(ids):
        raise ValueError(TWICE)
    return ids


Ids = Annotated[list[UUID], Field(min_length=1, max_length=MOST), AfterValidator(_once_each)]


class Sheet(Asked):
    """Labels to print together, in this order."""

    labels: Ids
    layout: Layout = Layout.A4


class NotPrinted(Told):
    """A label that is not in the file."""

    label_id: UUID
    order_number: str
    why: str


class Sheets(Told):
    """One file; null where nothing could be had."""

    pdf: str | None = Field(json_schema_extra={"contentEncoding": "base64", "contentMediaType": "application/pdf"})
    printed: list[UUID] = Field(description=N_("As etiquetas do arquivo, na ordem dele."))
    failures: list[NotPrinted]


class Manifest(Told):
    """What a carrier took at once."""

    id: UUID
    number: int
    day: date
    account_id: UUID
    account: str
    channel: str
    signed_at: Instant
    signed_name: str = Field(description=N_("Quem retirou."))
    parcels: int


class Signature(Asked):
    """A carrier took parcels."""

    account_id: UUID = Field(description=N_("A conta da transportadora."))
    signed_name: Name = Field(description=N_("Quem retirou."))
    labels: Ids | None = Field(
        default=None, description=N_("As etiquetas dos volumes que saíram; sem elas, todos os que a esperam.")
    )


class Format(Asked):
    """What kind of file."""

    format: Literal["pdf", "csv"] = "pdf"


class File(Told):
    """A file in base64."""

    name: str
    file: str = Field(json_schema_extra={"contentEncoding": "base64"})


async def print_together(call: Call) -> Answer:
    """It names the recipients and where they live."""
    call.need("customers:read")
    asked = call.body(Sheet)
    async with call.tx() as tx:
        known = {row["id"] for row in await labels.some(tx, asked.labels)}
    if strange := [id_ for id_ in asked.labels if id_ not in known]:
        raise wrong(f"labels.{asked.labels.index(strange[0])}", NO_LABEL)
    made = await freight_labels.printed(call.rt, call.seller, asked.labels, asked.layout)
    return Sheets(
        pdf=None if made.pdf is None else b64encode(made.pdf).decode(),
        printed=[row["id"] for row in made.labels if row["id"] not in made.failures],
        failures=[
            NotPrinted(label_id=row["id"], order_number=row["number"], why=made.failures[row["id"]])
            for row in made.labels
            if row["id"] in made.failures
        ],
    )  # fmt: skip


async def every(call: Call) -> Answer:
    """Newest first."""
    async with call.tx() as tx:
        rows = await labels.manifests(tx, call.limit, before=call.after[0] if call.after else None)
    return call.part(rows, Manifest.model_validate, "number")


async def _manifest(call: Call, id_: UUID) -> Manifest:
    async with call.tx() as tx:
        row = await labels.manifest(tx, id_)
    if row is None:
        raise missing()
    return Manifest.model_validate(row)


async def sign(call: Call) -> Answer:
    """Their channels are told that they left."""
    asked = call.body(Signature)
    try:
        await not_closed(call, asked.account_id)
    except Refused:
        raise wrong("account_id", NO_ACCOUNT) from None
    if asked.labels is not None:
        async with call.tx() as tx:
            waiting = {row["id"] for row in await labels.leaving(tx, asked.account_id)}
        if strange := [id_ for id_ in asked.labels if id_ not in waiting]:
            raise wrong(f"labels.{asked.labels.index(strange[0])}", NOT_WAITING)
    signed = await freight_leave.sign(call.rt, call.seller, asked.account_id, asked.labels, asked.signed_name)
    return await _manifest(call, signed.id)


async def file(call: Call) -> Answer:
    """It names the recipients."""
    call.need("customers:read")
    found = await _manifest(call, call.path(ById).id)
    body, name = await freight_leave.paper(
        call.rt, call.seller, found.account_id, call.query(Format).format, found.number
    )
    return File(name=name, file=b64encode(body).decode())


async def draft(call: Call) -> Answer:
    """The parcels that wait for this carrier: it names the recipients."""
    call.need("customers:read")
    account = await not_closed(call)
    async with call.tx() as tx:
        if not await labels.leaving(tx, account.id):
            raise conflict(NOTHING)
    body, name = await freight_leave.paper(call.rt, call.seller, account.id, call.query(Format).format)
    return File(name=name, file=b64encode(body).decode())


OPERATIONS = (
    Operation(
        name="print_labels", method="POST", path="/labels/print", handler=print_together, scope="shipments:write",
        tag=TAG, summary=N_("Várias etiquetas num só PDF"), answer=Sheets, body=Sheet,
        example={"labels": ["019a0000-0000-7000-8000-000000000000"]},
        description=N_("Traz nomes e endereços: pede também customers:read. O que não pôde vir é dito em failures."),
    ),
    Operation(
        name="list_manifests", method="GET", path="/manifests", handler=every, scope="shipments:read", tag=TAG,
        summary=N_("Os romaneios assinados"), answer=Manifest, query=Paging, place=ByNumber,
    ),
    Operation(
        name="sign_manifest", method="POST", path="/manifests", handler=sign, scope="shipments:write", tag=TAG,
        summary=N_("A transportadora retirou: assinar o romaneio"), answer=Manifest, status=201, body=Signature,
        once="together",
        description=N_("Os canais são avisados de que os volumes saíram."),
        example={"account_id": "019a0000-0000-7000-8000-000000000000", "signed_name": "João, dos Correios"},
    ),
    Operation(
        name="get_manifest_file", method="GET", path="/manifests/{id}/file", handler=file, scope="shipments:read",
        tag=TAG, summary=N_("Um romaneio, em PDF ou CSV"), answer=File, named=ById, query=Format, description=NAMES,
    ),
    Operation(
        name="get_manifest_draft", method="GET", path="/accounts/{id}/manifest", handler=draft,
        scope="shipments:read", tag=TAG, summary=N_("O que espera uma transportadora, em PDF ou CSV"), answer=File,
        named=ById, query=Format, conflicts=True, description=NAMES,
    ),
)  # fmt: skip

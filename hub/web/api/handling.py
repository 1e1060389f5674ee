"""What people and programs do with an order: notes, marks of the packing table, where it leaves from, its papers."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from hub.allocation import Allocation
from hub.store import lookup, order_desk, orders, stock
from hub.web import order_words
from hub.web.api.operations import Answer, Call, Operation, conflict, missing
from hub.web.api.orders import Held, Lacking
from hub.web.api.shapes import Asked, ById, Code, Instant, Told, Words
from hub.web.i18n import N_
from hub.web.pages.order import shown
from jobs import allocations
from jobs import order_desk as desk

TAG = "orders"
SCOPE = "orders:write"
PAPERS = "documents:read"
EMPTY = N_("Escreva a nota.")
NOT_OURS = N_("Esta nota não é desta chave: quem a fez a remove, ou um gerente, na página do pedido.")


def _written(told: str) -> str:
    if not told.strip():
        raise ValueError(EMPTY)
    return told.strip()


Body = Annotated[Words, AfterValidator(_written)]


class Note(Told):
    """What somebody noted."""

    id: UUID
    author: str
    body: str
    at: Instant


class Notes(Told):
    """Newest first; the last 500."""

    data: list[Note]


class NewNote(Asked):
    """What to note."""

    body: Body


class Handling(Told):
    """When and by whom it was packed and printed."""

    packed_at: Instant | None
    packed_by: str | None
    printed_at: Instant | None
    printed_by: str | None


class Marks(Asked):
    """What changes; what is not given stays."""

    packed: bool | None = Field(default=None, description=N_("Embalado; false: não mais."))
    printed: bool | None = Field(default=None, description=N_("Impresso; false: não mais."))


class Take(Told):
    """Units of a line from a warehouse."""

    line_ref: str
    sku: str
    warehouse: str
    units: int


class Left(Told):
    """Units of a line that are nowhere."""

    line_ref: str
    sku: str
    units: int


class Plan(Told):
    """Where an order would come from, were it placed now."""

    takes: list[Take]
    short: list[Left]
    why: list[str] = Field(description=N_("Os passos até aí, em palavras."))


class Reserved(Told):
    """What it holds and lacks now."""

    changed: bool
    reservations: list[Held]
    shortages: list[Lacking]


class Place(Asked):
    """Where it is to leave from."""

    warehouse: Code = Field(description=N_("O código do depósito."))


class OrderMoved(Reserved):
    """With how many units moved."""

    units: int


class Paper(Told):
    """A document that was kept of an order."""

    name: str = Field(description=N_("O que se pede em document."))
    kind: str = Field(description=N_("part: uma parte do pedido; notice: um aviso que o mudou."))
    at: Instant


class Papers(Told):
    """All that are kept."""

    data: list[Paper]


class WhichPaper(Asked):
    """Which document."""

    document: Code = Field(default="order", description=N_("O name de GET /orders/{id}/documents."))


class PaperText(Told):
    """A document as the channel told it, with what looks like a secret masked."""

    name: str
    at: Instant
    text: str
    cut: bool = Field(description=N_("O fim ficou de fora."))


async def _order(call: Call) -> dict[str, object]:
    async with call.tx() as tx:
        row = await orders.detail(tx, call.path(ById).id)
    if row is None:
        raise missing()
    return row


# ── notes and marks ─────────────────────────────────────────────────────────────────────────────────────────


async def notes(call: Call) -> Answer:
    """Newest first."""
    await _order(call)
    async with call.tx() as tx:
        rows = await order_desk.notes(tx, call.path(ById).id)
    return Notes(data=[Note.model_validate(row) for row in rows])


async def note(call: Call) -> Answer:
    """Under the key's name."""
    id_ = call.path(ById).id
    async with call.tx() as tx:
        made = await order_desk.note(tx, id_, call.key.id, call.key.name, call.body(NewNote).body)
        rows = await order_desk.notes(tx, id_) if made else []
    found = next((row for row in rows if row["id"] == made), None)
    if found is None:
        raise missing()
    return Note.model_validate(found)


async def unnote(call: Call) -> Answer:
    """One that this key made."""
    note_id = call.path(ById).id
    async with call.tx() as tx:
        order_id = await order_desk.noted_on(tx, note_id)
        if order_id is None:
            raise missing()
        if not await order_desk.unnote(tx, order_id, note_id, call.key.id):
            raise conflict(NOT_OURS)
        await stock.audit(tx, "order_note_removed", str(order_id))
    return None


async def _handling(call: Call) -> Handling:
    async with call.tx() as tx:
        return Handling.model_validate(await order_desk.handling(tx, call.path(ById).id))


async def handling(call: Call) -> Answer:
    """What the packing table knows."""
    await _order(call)
    return await _handling(call)


async def mark(call: Call) -> Answer:
    """In the order's story, under the key's name."""
    await _order(call)
    for what, done in call.body(Marks).model_dump(exclude_none=True).items():
        await desk.mark(call.rt, call.seller, [call.path(ById).id], what, call.key.name, done=done)
    return await _handling(call)


# ── where it leaves from ────────────────────────────────────────────────────────────────────────────────────


def _ids(told: Allocation) -> set[UUID]:
    ids = {take.sku_id for take in told.takes} | {take.warehouse_id for take in told.takes}
    ids |= {sku for _line, sku in told.short}
    for step in told.steps:
        for value in step.params.values():
            ids |= {each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, UUID)}
    return ids


async def plan(call: Call) -> Answer:
    """Nothing changes by looking."""
    await _order(call)
    told = await allocations.preview(call.rt, call.seller, call.path(ById).id)
    async with call.tx() as tx:
        names = await lookup.names(tx, _ids(told))
    return Plan(
        takes=[
            Take(line_ref=take.line_ref, sku=names[take.sku_id], warehouse=names[take.warehouse_id], units=take.units)
            for take in told.takes
        ],
        short=[Left(line_ref=line, sku=names[sku], units=units) for (line, sku), units in told.short.items()],
        why=list(told.explain(call.language.tag, names)),
    )  # fmt: skip


async def _held(call: Call) -> dict[str, object]:
    row = await _order(call)
    return {name: row[name] for name in ("reservations", "shortages")}


async def reallocate(call: Call) -> Answer:
    """By today's stock and rules."""
    await _order(call)
    try:
        changed = await desk.allocate_again(call.rt, call.seller, call.path(ById).id, call.key.name)
    except desk.Stays as refusal:
        raise conflict(order_words.STAYS[refusal.why], number=refusal.number) from None
    return Reserved.model_validate({**await _held(call), "changed": changed})


async def place(call: Call) -> Answer:
    """All of it, or nothing moves."""
    await _order(call)
    units = await allocations.place(call.rt, call.seller, call.path(ById).id, call.body(Place).warehouse)
    return OrderMoved.model_validate({**await _held(call), "changed": units > 0, "units": units})


# ── papers ──────────────────────────────────────────────────────────────────────────────────────────────────


async def papers(call: Call) -> Answer:
    """Without what they say."""
    await _order(call)
    id_ = call.path(ById).id
    async with call.tx() as tx:
        parts = await order_desk.parts(tx, id_)
        notices = await order_desk.notices(tx, id_)
    told = [Paper(name=row["part"], kind="part", at=row["fetched_at"]) for row in parts]
    told += [Paper(name=str(row["id"]), kind="notice", at=row["received_at"]) for row in notices if row["has_raw"]]
    return Papers(data=told)


async def paper(call: Call) -> Answer:
    """It names the buyer; who read it is noted."""
    call.need("customers:read")
    id_, name = call.path(ById).id, call.query(WhichPaper).document
    await _order(call)
    async with call.tx() as tx:
        found = await order_desk.document(tx, id_, name)
        if found is None:
            raise missing()
        await stock.audit(tx, "order_document_read", str(id_), document=name)
    text, cut = shown(found[0])
    return PaperText(name=name, at=found[1], text=text, cut=cut)


OPERATIONS = (
    Operation(
        name="list_order_notes", method="GET", path="/orders/{id}/notes", handler=notes, scope="orders:read", tag=TAG,
        summary=N_("As notas de um pedido"), answer=Notes, named=ById,
    ),
    Operation(
        name="add_order_note", method="POST", path="/orders/{id}/notes", handler=note, scope=SCOPE, tag=TAG,
        summary=N_("Anotar algo num pedido"), answer=Note, status=201, named=ById, body=NewNote, once="together",
        example={"body": "Cliente pediu embalagem de presente."},
    ),
    Operation(
        name="remove_order_note", method="DELETE", path="/order-notes/{id}", handler=unnote, scope=SCOPE, tag=TAG,
        summary=N_("Remover uma nota que esta chave fez"), answer=None, status=204, named=ById,
    ),
    Operation(
        name="get_handling", method="GET", path="/orders/{id}/handling", handler=handling, scope="orders:read",
        tag=TAG, summary=N_("Se um pedido foi embalado e impresso"), answer=Handling, named=ById,
    ),
    Operation(
        name="mark_order", method="PATCH", path="/orders/{id}/handling", handler=mark, scope=SCOPE, tag=TAG,
        summary=N_("Marcar um pedido como embalado ou impresso"), answer=Handling, named=ById, body=Marks,
        whole=True, example={"packed": True},
    ),
    Operation(
        name="get_allocation", method="GET", path="/orders/{id}/allocation", handler=plan, scope="orders:read",
        tag=TAG, summary=N_("De que depósitos um pedido sairia, se fosse feito agora, e por quê"), answer=Plan,
        named=ById,
    ),
    Operation(
        name="reallocate_order", method="POST", path="/orders/{id}/reallocate", handler=reallocate, scope=SCOPE,
        tag=TAG, summary=N_("Refazer as reservas de um pedido"), answer=Reserved, named=ById, once="together",
        description=N_("Pelo estoque e pelas regras de hoje; não as de um pedido embalado ou enviado."),
    ),
    Operation(
        name="place_order", method="POST", path="/orders/{id}/allocation", handler=place, scope=SCOPE, tag=TAG,
        summary=N_("Fazer um pedido sair de um depósito"), answer=OrderMoved, named=ById, body=Place, once="together",
        example={"warehouse": "loja"},
        description=N_("O que ele reserva em outros passa para lá; se não cabe tudo, nada muda."),
    ),
    Operation(
        name="list_order_documents", method="GET", path="/orders/{id}/documents", handler=papers, scope=PAPERS,
        tag=TAG, summary=N_("Os documentos guardados de um pedido"), answer=Papers, named=ById,
    ),
    Operation(
        name="get_order_document", method="GET", path="/orders/{id}/document", handler=paper, scope=PAPERS, tag=TAG,
        summary=N_("Um documento de um pedido, como o canal o disse"), answer=PaperText, named=ById, query=WhichPaper,
        description=N_("Traz os dados do comprador: pede também customers:read. Cada leitura fica no registro."),
    ),
)  # fmt: skip

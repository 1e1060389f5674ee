"""Sheets of stock and of SKUs: sent, looked at line by line, written once, and taken back."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from hub import stock_sheet
from hub.store import imports, skus
from hub.web import stock_words
from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.problems import wrong
from hub.web.api.refusals import SAID
from hub.web.api.shapes import Asked, ById, Instant, Line, Paging, Told
from hub.web.i18n import N_
from jobs import imports as stock_files
from jobs import skus as sku_files
from jobs import uploads

TAG = "stock"
READ, WRITE = "stock:read", "stock:write"
SHOWN = 100
ByNumber = tuple[int]
Kind = Literal["stock", "skus"]
Sheet = Annotated[
    str, StringConstraints(min_length=1, max_length=1_000_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")
]
Fact = str | int | None
FIRST = N_("As primeiras 100.")
NO_IMPORT = N_("Não há esta importação.")


class WrongLine(Told):
    """A line that cannot be written, and why."""

    line: int
    sentence: str


class StockLine(Told):
    """What a line of stock would do; `new`: the SKU is made, `opens`: its stock begins to count."""

    line: int
    sku: str
    warehouse: str
    before: int
    after: int
    new: bool
    opens: bool


class SkuLine(Told):
    """What a line of facts would do. Of facts only those that change; `before` null: the SKU is made."""

    line: int
    sku: str
    before: dict[str, Fact] | None
    after: dict[str, Fact]


class Upload(Told):
    """A sheet that waits for a day, and what it would do as things stand now. Nothing of it is written."""

    id: UUID
    kind: Kind
    file_name: str
    at: Instant
    mode: Literal["set", "add"]
    create: bool
    good: int = Field(description=N_("Linhas que podem ser escritas."))
    changed: int = Field(description=N_("As que mudam algo."))
    made: int = Field(description=N_("SKUs novos."))
    opened: int = Field(description=N_("SKUs cujo estoque passa a ser contado."))
    emptied: int = Field(description=N_("Contagens que iriam a zero."))
    wrong: int = Field(description=N_("Linhas erradas."))
    wrong_lines: list[WrongLine] = Field(description=FIRST)
    stock_lines: list[StockLine] = Field(description=FIRST)
    sku_lines: list[SkuLine] = Field(description=FIRST)


class NewUpload(Asked):
    """A sheet to look at."""

    kind: Kind
    csv: Sheet = Field(description=N_("O arquivo CSV inteiro, como texto; colunas como as que a página Importar lê."))
    file_name: Line = ""
    mode: Literal["set", "add"] = Field(
        default="set", description=N_("De estoque. set: é o que há; add: é quanto muda.")
    )
    create: bool = Field(default=False, description=N_("De estoque: criar os SKUs que faltam."))


class Sure(Asked):
    """What is meant so."""

    skip_bad: bool = Field(default=False, description=N_("Escrever só as linhas certas."))
    zeros: bool = Field(default=False, description=N_("É isso mesmo: muitas contagens vão a zero."))


class Written(Told):
    """What was done. `number`: of the import, of stock or of SKUs."""

    kind: Kind
    number: int
    changed: int
    written: int = Field(description=N_("De estoque: linhas."))
    opened: int = Field(description=N_("De estoque: SKUs que passaram a ser contados."))
    left: int = Field(description=N_("De estoque: linhas por escrever."))
    made: int = Field(description=N_("De SKUs: novos."))


class StockImport(Told):
    """A sheet of stock that was written."""

    number: int
    at: Instant
    file_name: str
    mode: Literal["set", "add"]
    rows: int
    left: int = Field(description=N_("Linhas por escrever: resume_import continua."))
    made_by: str
    applied_at: Instant | None
    undone_at: Instant | None


class ImportLine(Told):
    """What a line did."""

    line: int
    sku: str
    warehouse: str
    before: int
    after: int
    opened: bool


class SkuImport(Told):
    """A sheet of SKUs that was written."""

    number: int
    at: Instant
    file_name: str
    made: int
    changed: int
    made_by: str
    undone_at: Instant | None


class Number(Asked):
    """One import."""

    number: int = Field(ge=1, le=2_147_483_647)


class TakenBack(Asked):
    """How far it is taken back."""

    rest: bool = Field(default=False, description=N_("Desfazer as outras, onde alguma linha não pode."))


class LeftLine(Told):
    """A line that stays: counted since, fewer units than would go, or its stock was opened by it and is in use."""

    line: int
    sku: str
    warehouse: str
    why: Literal["counted", "below_zero", "in_use"] = Field(validation_alias="kind")


class ImportUndone(Told):
    """What taking a sheet of stock back did; `shut`: SKUs whose stock is not counted any more."""

    lines: int
    shut: int
    left: list[LeftLine]


class SkusUndone(Told):
    """What taking a sheet of SKUs back did."""

    count: int
    left: list[str] = Field(description=N_("Códigos do que mudou ou tem uso desde então, e fica."))


# ── before it is written ────────────────────────────────────────────────────────────────────────────────────


async def add_upload(call: Call) -> Answer:
    """Nothing is written before it is confirmed."""
    asked = call.body(NewUpload)
    try:
        made = await uploads.upload(
            call.rt, call.seller, asked.kind, asked.file_name, asked.csv.encode(), mode=asked.mode, create=asked.create
        )
    except stock_sheet.Unusable as problem:
        raise wrong("csv", SAID, said=stock_words.refused(call.language, problem)) from None
    return await _upload(call, made)


async def _upload(call: Call, upload_id: UUID) -> Upload:
    kept = await uploads.kept(call.rt, call.seller, upload_id)
    plan = await uploads.plan(call.rt, call.seller, kept)
    shown: dict[str, Any] = {"stock_lines": [], "sku_lines": []}
    if kept["kind"] == "stock":
        shown["stock_lines"] = [
            StockLine(line=each.row.line, sku=each.row.sku, warehouse=each.warehouse, before=each.before,
                      after=each.after, new=each.sku_id is None, opens=each.opens)
            for each in plan.changes[:SHOWN]
        ]  # fmt: skip
    else:
        shown["sku_lines"] = [SkuLine.model_validate(each) for each in plan.changes[:SHOWN]]
    return Upload.model_validate(
        {
            **kept, **kept["options"], **shown, "good": len(plan.good), "changed": len(plan.changes),
            "made": plan.made, "opened": plan.opened, "emptied": plan.emptied, "wrong": len(plan.wrong),
            "wrong_lines": [
                WrongLine(line=each.line, sentence=stock_words.refused(call.language, each))
                for each in plan.wrong[:SHOWN]
            ],
        }
    )  # fmt: skip


async def show_upload(call: Call) -> Answer:
    """What it would do as things stand now."""
    return await _upload(call, call.path(ById).id)


async def confirm_upload(call: Call) -> Answer:
    """Whoever else confirms it, it is written once; what is refused waits as it did."""
    asked = call.body(Sure)
    done = await uploads.confirm(
        call.rt, call.seller, call.path(ById).id, skip_bad=asked.skip_bad, zeros=asked.zeros
    )  # fmt: skip
    return Written.model_validate(done)


async def discard_upload(call: Call) -> Answer:
    """It is not imported."""
    await uploads.kept(call.rt, call.seller, call.path(ById).id, take=True)
    return None


# ── afterwards ──────────────────────────────────────────────────────────────────────────────────────────────


async def list_imports(call: Call) -> Answer:
    """Newest first."""
    async with call.tx() as tx:
        rows = await imports.listed(tx, call.limit, after=call.after[0] if call.after else None)
    return call.part(rows, StockImport.model_validate, "number")


async def _known(call: Call) -> tuple[UUID, int]:
    number = call.path(Number).number
    async with call.tx() as tx:
        made = await imports.get(tx, number)
    if made is None:
        raise missing(NO_IMPORT)
    return made.id, number


async def list_lines(call: Call) -> Answer:
    """Those that are written, in the sheet's order."""
    import_id, _number = await _known(call)
    async with call.tx() as tx:
        rows = await imports.rows_of(tx, import_id, after=call.after[0] if call.after else 0, limit=call.limit)
    return call.part(rows, ImportLine.model_validate, "line")


async def resume_import(call: Call) -> Answer:
    """A line is written once."""
    _id, number = await _known(call)
    did = await stock_files.carry_on(call.rt, call.seller, number)
    return Written(
        kind="stock", number=number, changed=did["changed"], written=did["written"], opened=did["opened"],
        left=did["left"], made=0,
    )  # fmt: skip


async def undo_import(call: Call) -> Answer:
    """By entries against it; a line is taken back once."""
    _id, number = await _known(call)
    done = await stock_files.undo(call.rt, call.seller, number, rest=call.body(TakenBack).rest)
    return ImportUndone(
        lines=done.lines, shut=done.shut, left=[LeftLine.model_validate(each) for each in done.left]
    )  # fmt: skip


async def list_sku_imports(call: Call) -> Answer:
    """Newest first."""
    async with call.tx() as tx:
        rows = await skus.imports(tx, call.limit, after=call.after[0] if call.after else None)
    return call.part(rows, SkuImport.model_validate, "number")


async def undo_sku_import(call: Call) -> Answer:
    """What nobody changed since is as it was; SKUs that nothing speaks of are gone."""
    number = call.path(Number).number
    async with call.tx() as tx:
        if not any(row["number"] == number for row in await skus.imports(tx, 1, after=number + 1)):
            raise missing(NO_IMPORT)
    count, left = await sku_files.undo_file(call.rt, call.seller, number)
    return SkusUndone(count=count, left=left)


OPERATIONS = (
    Operation(
        name="add_upload", method="POST", path="/uploads", handler=add_upload, scope=WRITE, tag=TAG,
        summary=N_("Mandar uma planilha, e ver o que faria"), answer=Upload, body=NewUpload, status=201,
        once="together",
        example={"kind": "stock", "csv": "sku;quantidade\nCANECA-AZUL;12\n", "file_name": "estoque.csv"},
    ),
    Operation(
        name="get_upload", method="GET", path="/uploads/{id}", handler=show_upload, scope=READ, tag=TAG,
        summary=N_("O que uma planilha faria agora"), answer=Upload, named=ById,
    ),
    Operation(
        name="confirm_upload", method="POST", path="/uploads/{id}/confirm", handler=confirm_upload, scope=WRITE,
        tag=TAG, summary=N_("Escrever uma planilha"), answer=Written, named=ById, body=Sure, once="apart",
        example={"skip_bad": False},
    ),
    Operation(
        name="discard_upload", method="DELETE", path="/uploads/{id}", handler=discard_upload, scope=WRITE, tag=TAG,
        summary=N_("Descartar uma planilha"), answer=None, named=ById, status=204,
    ),
    Operation(
        name="list_imports", method="GET", path="/imports", handler=list_imports, scope=READ, tag=TAG,
        summary=N_("Importações de estoque"), answer=StockImport, query=Paging, place=ByNumber,
    ),
    Operation(
        name="list_import_lines", method="GET", path="/imports/{number}/lines", handler=list_lines, scope=READ, tag=TAG,
        summary=N_("O que uma importação de estoque fez"), answer=ImportLine, named=Number, query=Paging,
        place=ByNumber,
    ),
    Operation(
        name="resume_import", method="POST", path="/imports/{number}/resume", handler=resume_import, scope=WRITE,
        tag=TAG, summary=N_("Escrever o que falta de uma importação de estoque"), answer=Written, named=Number,
    ),
    Operation(
        name="undo_import", method="POST", path="/imports/{number}/undo", handler=undo_import, scope=WRITE, tag=TAG,
        summary=N_("Desfazer uma importação de estoque"), answer=ImportUndone, named=Number, body=TakenBack,
        example={"rest": False},
    ),
    Operation(
        name="list_sku_imports", method="GET", path="/sku-imports", handler=list_sku_imports, scope=READ, tag=TAG,
        summary=N_("Importações de SKUs"), answer=SkuImport, query=Paging, place=ByNumber,
    ),
    Operation(
        name="undo_sku_import", method="POST", path="/sku-imports/{number}/undo", handler=undo_sku_import, scope=WRITE,
        tag=TAG, summary=N_("Desfazer uma importação de SKUs"), answer=SkusUndone, named=Number,
    ),
)  # fmt: skip

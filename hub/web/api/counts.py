"""Stock counts: opened, entered, reported, posted."""

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from hub.stock_sheet import Row
from hub.stocktake import Limits, Line
from hub.store import counting
from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.problems import Refused, Wrong
from hub.web.api.refusals import SAID
from hub.web.api.shapes import Asked, AskedInstant, Code, Instant, Name, Paging, Told, Units, Words, once_each
from hub.web.api.transfers import ByNumber, Numbered
from hub.web.i18n import N_
from jobs import stocktake

TAG = "stock"
NO_COUNT = N_("Não há esta contagem.")
State = Literal["open", "posted", "cancelled"]
BySku = tuple[str]


class CountRow(Told):
    """A count: how many SKUs it has, and how many of them were counted."""

    number: int
    state: State
    warehouse: str
    scope: Literal["all", "category", "list"]
    category: str | None
    blind: bool
    note: str | None
    at: Instant
    closed_at: Instant | None
    skus: int
    counted: int


class CountLine(Told):
    """A SKU of a count. `book`, `variance` and `value_cents` are null in an open blind count."""

    sku: str
    title: str
    category: str | None
    units: int | None = Field(description=N_("null enquanto não foi contado."))
    counted_at: Instant | None
    attempts: int
    book: int | None
    variance: int | None
    value_cents: int | None
    flags: list[str] = Field(description=N_("Por que contar de novo."))


class NewCount(Asked):
    """A count to open: of all SKUs, of a category, or of those named."""

    warehouse: Code | None = Field(default=None, description=N_("O código; sem ele, o primeiro em ordem."))
    category: Name | None = None
    skus: list[Code] | None = Field(default=None, min_length=1, max_length=5000)
    blind: bool = Field(default=False, description=N_("Quem conta não vê o que o livro diz."))
    note: Words = ""


class Opened(Told):
    """Its number."""

    number: int


class Entry(Asked):
    """Units of a SKU that stand there, reserved ones included."""

    sku: Code
    quantity: Units


class Entries(Asked):
    """What was counted: all of it is noted, or none."""

    lines: Annotated[list[Entry], Field(min_length=1, max_length=2000), AfterValidator(once_each)]
    counted_at: AskedInstant | None = Field(default=None, description=N_("Quando foi contado; sem ele, agora."))


class Noted(Told):
    """The lines as they stand now."""

    lines: list[CountLine]


class Posting(Asked):
    """What a person has looked at."""

    accept_big: bool = Field(default=False, description=N_("Lançar também diferenças grandes."))
    accept_flagged: bool = Field(default=False, description=N_("Lançar também o que deveria ser contado de novo."))


class Posted(Told):
    """What posting did: SKUs counted, those corrected, and by how many units."""

    counted: int
    corrected: int
    more: int
    less: int
    uncounted: int


def _line(line: Line, *, hidden: bool) -> CountLine:
    return CountLine(
        sku=line.sku, title=line.title, category=line.category, units=line.units, counted_at=line.counted_at,
        attempts=line.attempts, book=None if hidden else line.book, variance=None if hidden else line.variance,
        value_cents=None if hidden else line.value_cents, flags=[] if hidden else [flag.value for flag in line.flags],
    )  # fmt: skip


async def _known(call: Call) -> counting.Count:
    async with call.tx() as tx:
        found = await counting.get(tx, call.path(Numbered).number)
    if found is None:
        raise missing(NO_COUNT)
    return found


async def list_counts(call: Call) -> Answer:
    """Newest first."""
    after = call.after
    async with call.tx() as tx:
        rows = await counting.listed(tx, call.limit, after and after[0])
    return call.part(rows, CountRow.model_validate, "number")


async def get_count(call: Call) -> Answer:
    """How far it is; its lines are a list of their own."""
    number = (await _known(call)).number
    async with call.tx() as tx:
        (row,) = await counting.listed(tx, 1, number + 1)
    return CountRow.model_validate(row)


async def list_lines(call: Call) -> Answer:
    """By SKU; of a posted count the differences as they were booked."""
    after = call.after
    count = await _known(call)
    async with call.tx() as tx:
        skus = await counting.skus_after(tx, count.id, after and after[0], call.limit)
        lines = await counting.lines(tx, count, stocktake.WINDOW, skus)
    hidden = count.blind and count.state == "open"
    return call.part([asdict(line) for line in lines], lambda row: _line(Line(**row), hidden=hidden), "sku")


async def open_count(call: Call) -> Answer:
    """Sales go on meanwhile: each entry is compared with the book of its own moment."""
    asked = call.body(NewCount)
    if asked.category is not None and asked.skus is not None:
        raise Refused(422, wrong=[Wrong("skus", N_("Dê uma categoria ou SKUs, não os dois."), {})])
    number = await stocktake.open_count(
        call.rt, call.seller, warehouse=asked.warehouse, codes=asked.skus, category=asked.category,
        blind=asked.blind, note=asked.note,
    )  # fmt: skip
    return Opened(number=number)


async def enter(call: Call) -> Answer:
    """Counting a SKU again replaces what was said of it."""
    count, asked = await _known(call), call.body(Entries)
    rows = [Row(place, line.sku, line.quantity, None) for place, line in enumerate(asked.lines)]
    lines, wrong = await stocktake.enter(call.rt, call.seller, count.number, rows, counted_at=asked.counted_at)
    if wrong:
        raise Refused(422, wrong=[Wrong(f"lines.{each.line}", SAID, {"said": each.message}) for each in wrong])
    return Noted(lines=[_line(line, hidden=count.blind) for line in lines])


async def post(call: Call) -> Answer:
    """All differences in one transaction; what was not counted stays."""
    count, asked = await _known(call), call.body(Posting)
    done = await stocktake.post(
        call.rt, call.seller, count.number, limits=Limits(), yes=asked.accept_big,
        accept_flagged=asked.accept_flagged,
    )  # fmt: skip
    return Posted.model_validate(done)


async def cancel(call: Call) -> Answer:
    """Nothing of it is booked."""
    count = await _known(call)
    await stocktake.cancel(call.rt, call.seller, count.number)
    return Opened(number=count.number)


OPERATIONS = (
    Operation(
        name="list_counts", method="GET", path="/counts", handler=list_counts, scope="stock:read", tag=TAG,
        summary=N_("Os inventários"), answer=CountRow, query=Paging, place=ByNumber,
    ),
    Operation(
        name="get_count", method="GET", path="/counts/{number}", handler=get_count, scope="stock:read", tag=TAG,
        summary=N_("Um inventário"), answer=CountRow, named=Numbered,
    ),
    Operation(
        name="list_count_lines", method="GET", path="/counts/{number}/lines", handler=list_lines, scope="stock:read",
        tag=TAG, summary=N_("Um inventário, linha por linha"), answer=CountLine, named=Numbered, query=Paging,
        place=BySku,
    ),
    Operation(
        name="open_count", method="POST", path="/counts", handler=open_count, scope="stock:write", tag=TAG,
        summary=N_("Abre um inventário"), answer=Opened, status=201, body=NewCount, once="together",
        example={"warehouse": "principal", "skus": ["CANECA"]},
    ),
    Operation(
        name="enter_count", method="POST", path="/counts/{number}/entries", handler=enter, scope="stock:write",
        tag=TAG, summary=N_("Anota o que foi contado"), answer=Noted, named=Numbered, body=Entries, once="together",
        example={"lines": [{"sku": "CANECA", "quantity": 12}]},
    ),
    Operation(
        name="post_count", method="POST", path="/counts/{number}/post", handler=post, scope="stock:write", tag=TAG,
        summary=N_("Lança as diferenças"), answer=Posted, named=Numbered, body=Posting, once="together",
        example={"accept_big": False},
    ),
    Operation(
        name="cancel_count", method="POST", path="/counts/{number}/cancel", handler=cancel, scope="stock:write",
        tag=TAG, summary=N_("Desiste de um inventário"), answer=Opened, named=Numbered, once="together",
    ),
)  # fmt: skip

"""SKUs and the stock ledger: what they are, what moved, counts and adjustments."""

from uuid import UUID

from pydantic import Field

from hub import linking
from hub.store import lookup, stock, walks
from hub.web.api.operations import Answer, ByInstant, ByText, Call, Operation, missing
from hub.web.api.problems import wrong
from hub.web.api.shapes import MOST_UNITS, Asked, AskedInstant, ByCode, Instant, Line, Name, Paging, Told, Units
from hub.web.api.stock import NO_SKU, TAG, Component
from hub.web.i18n import N_
from jobs import counts, ledger


class Sku(Told):
    """What is sold, by the seller's own code. Units are those of all warehouses together."""

    id: UUID
    code: str
    title: str
    gtin: str | None
    category: str | None
    weight_g: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    cost_cents: int | None
    is_kit: bool
    opened_at: Instant | None = Field(description=N_("Desde quando o estoque é contado; null: nada é enviado."))
    on_hand: int | None
    reserved: int | None


class WholeSku(Sku):
    """A SKU with what it is made of."""

    components: list[Component] = Field(description=N_("De um kit: as unidades de cada SKU."))


class Wanted(Paging):
    """Which SKUs."""

    category: Name | None = None
    gtin: Name | None = None


class Facts(Asked):
    """What a SKU is; what is left out is emptied."""

    title: Line = Field(description=N_("O nome que as pessoas leem."))
    gtin: Line | None = Field(default=None, description=N_("GTIN de 8, 12, 13 ou 14 dígitos, com dígito válido."))
    category: Name | None = None


async def every(call: Call) -> Answer:
    """By code."""
    wanted = call.query(Wanted)
    async with call.tx() as tx:
        rows = await walks.skus(
            tx, after=call.after[0] if call.after else None, limit=call.limit, category=wanted.category,
            gtin=wanted.gtin,
        )  # fmt: skip
    return call.part(rows, Sku.model_validate, "code")


async def _one(call: Call) -> WholeSku:
    code = call.path(ByCode).code
    async with call.tx() as tx:
        row = await walks.sku(tx, code)
        parts = await lookup.components(tx, row["id"]) if row else []
    if row is None:
        raise missing(NO_SKU, code=code)
    return WholeSku.model_validate({**row, "components": parts})


async def one(call: Call) -> Answer:
    """One SKU."""
    return await _one(call)


async def put(call: Call) -> Answer:
    """Make a SKU, or say anew what it is."""
    told, code = call.body(Facts), call.path(ByCode).code
    if told.gtin is not None and linking.gtin(told.gtin) is None:
        raise wrong("gtin", N_("Este GTIN não tem 8, 12, 13 ou 14 dígitos com dígito verificador válido."))
    async with call.tx() as tx:
        await stock.sku_put(tx, code)
        await walks.edit_sku(tx, code, told.title, told.gtin, told.category)
        await stock.audit(tx, "sku_put", code, **told.model_dump())
    return await _one(call)


# ── the ledger ──────────────────────────────────────────────────────────────────────────────────────────────


class Movement(Told):
    """An entry of the ledger."""

    id: UUID
    at: Instant
    warehouse: str
    reason: str
    delta: int
    note: str | None
    source_ref: str
    line_ref: str | None
    made_by: str
    order_id: UUID | None


class Movements(Paging):
    """Which entries."""

    warehouse: Name | None = Field(default=None, description=N_("O código do depósito."))
    since: AskedInstant | None = None


async def movements(call: Call) -> Answer:
    """Newest first."""
    wanted, sku = call.query(Movements), await _one(call)
    async with call.tx() as tx:
        rows = await walks.movements(
            tx, sku_id=sku.id, after=call.after, limit=call.limit, warehouse=wanted.warehouse, since=wanted.since
        )
    return call.part(rows, Movement.model_validate, "at", "id")


class SkuCount(Asked):
    """What stands there."""

    units: Units = Field(description=N_("Unidades físicas, as reservadas também."))
    warehouse: Name | None = Field(default=None, description=N_("O código do depósito; sem ele, o primeiro."))


class Adjustment(Asked):
    """By how much a number is wrong, and why."""

    delta: int = Field(ge=-MOST_UNITS, le=MOST_UNITS, description=N_("Unidades a mais ou a menos; 0 não é aceito."))
    note: Name = Field(description=N_("O motivo."))
    warehouse: Name | None = Field(default=None, description=N_("O código do depósito; sem ele, o primeiro."))
    reference: Name | None = Field(
        default=None, description=N_("O seu nome para este ajuste: dado de novo, em qualquer tempo, nada muda.")
    )


class StockChanged(Told):
    """What a count or an adjustment did."""

    sku: str
    before: int
    delta: int
    after: int
    opened: bool = Field(description=N_("O estoque deste SKU começou aqui."))
    repeated: bool = Field(description=N_("Esta referência já tinha sido dada: nada mudou."))


async def count(call: Call) -> Answer:
    """Physical units, those reserved included."""
    sku, told = await _one(call), call.body(SkuCount)
    (done,) = await counts.set_stock(call.rt, call.seller, [(sku.code, told.units)], warehouse=told.warehouse)
    return StockChanged(
        sku=sku.code, before=done.before, delta=done.after - done.before, after=done.after, opened=done.opened,
        repeated=False,
    )  # fmt: skip


async def adjust(call: Call) -> Answer:
    """More or fewer units, with a reason."""
    sku, told = await _one(call), call.body(Adjustment)
    if not told.delta:
        raise wrong("delta", N_("Dê unidades a mais ou a menos."))
    done = await ledger.adjust(
        call.rt, call.seller, sku.code, told.delta, told.note, warehouse=told.warehouse, ref=told.reference
    )
    if done is None:
        return StockChanged(sku=sku.code, before=0, delta=0, after=0, opened=False, repeated=True)
    return StockChanged(
        sku=sku.code, before=done.before, delta=done.delta, after=done.after, opened=done.opened, repeated=False
    )  # fmt: skip


OPERATIONS = (
    Operation(
        name="list_skus", method="GET", path="/skus", handler=every, scope="stock:read", tag=TAG,
        summary=N_("SKUs, por código"), answer=Sku, query=Wanted, place=ByText,
    ),
    Operation(
        name="get_sku", method="GET", path="/skus/{code}", handler=one, scope="stock:read", tag=TAG,
        summary=N_("Um SKU"), answer=WholeSku, named=ByCode,
    ),
    Operation(
        name="put_sku", method="PUT", path="/skus/{code}", handler=put, scope="stock:write", tag=TAG,
        summary=N_("Fazer um SKU, ou dizer de novo o que ele é"), answer=WholeSku, named=ByCode, body=Facts,
        example={"title": "Caneca azul", "gtin": "7891000315507", "category": "canecas"},
    ),
    Operation(
        name="list_movements", method="GET", path="/skus/{code}/movements", handler=movements, scope="stock:read",
        tag=TAG, summary=N_("O que entrou e saiu de um SKU"), answer=Movement, named=ByCode, query=Movements,
        place=ByInstant,
    ),
    Operation(
        name="count_sku", method="POST", path="/skus/{code}/count", handler=count, scope="stock:write", tag=TAG,
        summary=N_("Contar um SKU"), answer=StockChanged, named=ByCode, body=SkuCount,
        example={"units": 12}, once="together",
        description=N_("A primeira contagem abre o estoque: daí em diante o número vai aos canais."),
    ),
    Operation(
        name="adjust_sku", method="POST", path="/skus/{code}/adjust", handler=adjust, scope="stock:write", tag=TAG,
        summary=N_("Ajustar um SKU"), answer=StockChanged, named=ByCode, body=Adjustment,
        example={"delta": -1, "note": "quebrou na bancada", "reference": "quebra-18"}, once="together",
    ),
)  # fmt: skip

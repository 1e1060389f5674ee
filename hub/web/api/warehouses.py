"""Warehouses: where units stand, what they serve first, and which accounts draw from which."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from hub import parse
from hub.allocation import Area
from hub.store import warehouses
from hub.web.api.accounts import not_closed
from hub.web.api.operations import Answer, ByText, Call, Operation, missing
from hub.web.api.shapes import Asked, ById, Paging, Told
from hub.web.i18n import N_
from jobs import warehouses as flows

TAG = "stock"
SCOPE = "warehouses:write"
MOST_AREAS = 60
STATES = frozenset(parse.STATES.values())
AREA_PROBLEM = N_("Diga uma UF, ou um CEP inicial e um final, com o menor antes.")
NO_STATE = N_("Diga a UF, como SP.")


def _known(state: str) -> str:
    if state not in STATES:
        raise ValueError(NO_STATE)
    return state


HouseCode = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x20/?#\x7f-\xa0]{1,40}$")]
HouseName = Annotated[str, StringConstraints(max_length=120, pattern=r"^[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\xa0]*$")]
Kind = Literal["own", "marketplace", "transit", "damaged"]
Rank = Annotated[int, Field(ge=0, le=1_000_000)]
Cep = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")]
State = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), AfterValidator(_known)]
RANK = N_("Do menor para o maior: de onde se tira primeiro.")
KIND = N_("own: vendas saem dali; marketplace: guardado pelo canal; transit: a caminho; damaged: avariados.")


class Warehouse(Told):
    """Where units stand."""

    id: UUID
    code: str
    name: str
    kind: str = Field(description=KIND)
    rank: int = Field(description=RANK)
    postal_code: str | None
    state: str | None
    skus: int
    on_hand: int
    reserved: int
    draws: list[str] = Field(description=N_("As contas que vendem daqui por escolha; vazio: todas."))


class AreaTold(Told):
    """What goes there is served by this rank instead."""

    rank: int
    state: str | None
    first: str | None = Field(validation_alias="cep_from", description=N_("O CEP inicial, oito dígitos."))
    last: str | None = Field(validation_alias="cep_to", description=N_("O CEP final."))


class WholeWarehouse(Warehouse):
    """With the areas that it serves first, or last."""

    areas: list[AreaTold]


class NewWarehouse(Asked):
    """A warehouse to add."""

    code: HouseCode
    name: HouseName
    kind: Kind = Field(default="own", description=KIND)
    rank: Rank = Field(default=100, description=RANK)
    postal_code: Cep | None = None
    state: State | None = None


class WarehouseChange(Asked):
    """What changes; what is not given stays."""

    name: HouseName | None = None
    kind: Kind | None = Field(default=None, description=KIND)
    rank: Rank | None = Field(default=None, description=RANK)
    postal_code: Cep | None = None
    state: State | None = None


class AskedArea(Asked):
    """A state, or postal codes from one to another, or both."""

    rank: Rank = Field(default=1, description=RANK)
    state: State | None = None
    first: Cep | None = Field(default=None, description=N_("O CEP inicial, oito dígitos."))
    last: Cep | None = Field(default=None, description=N_("O CEP final."))


def _sound(area: AskedArea) -> AskedArea:
    halves = (area.first is None) != (area.last is None)
    if halves or (area.first or "") > (area.last or "") or (area.state is None and area.first is None):
        raise ValueError(AREA_PROBLEM)
    return area


class Areas(Asked):
    """The areas, in place of those it had."""

    areas: Annotated[list[Annotated[AskedArea, AfterValidator(_sound)]], Field(max_length=MOST_AREAS)]


class Drawn(Told):
    """The warehouses that an account draws from."""

    warehouses: list[str] = Field(description=N_("Códigos; vazio: todos os próprios."))


class Draw(Asked):
    """The warehouses to draw from."""

    warehouses: Annotated[list[HouseCode], Field(max_length=200)] = Field(
        description=N_("Códigos; vazio: todos os próprios.")
    )


async def every(call: Call) -> Answer:
    """By code, which no one changes while they are walked; `rank` says in which order sales leave."""
    async with call.tx() as tx:
        rows = await warehouses.by_codes(tx, after=call.after[0] if call.after else None, limit=call.limit)
    return call.part(rows, Warehouse.model_validate, "code")


async def _one(call: Call, warehouse_id: UUID) -> WholeWarehouse:
    async with call.tx() as tx:
        row = await warehouses.one(tx, warehouse_id)
        areas = await warehouses.areas_of(tx, warehouse_id)
    if row is None:
        raise missing()
    return WholeWarehouse.model_validate({**row, "areas": [AreaTold.model_validate(each) for each in areas]})


async def one(call: Call) -> Answer:
    """With its areas."""
    return await _one(call, call.path(ById).id)


async def add(call: Call) -> Answer:
    """A code is a warehouse's once, also of one that was closed."""
    told = call.body(NewWarehouse).model_dump()
    return await _one(call, await flows.add(call.rt, call.seller, told.pop("code"), told.pop("name"), **told))


async def edit(call: Call) -> Answer:
    """Another kind changes what channels show, at once."""
    house = await _one(call, call.path(ById).id)
    await flows.edit(call.rt, call.seller, house.code, **call.body(WarehouseChange).model_dump())
    return await _one(call, house.id)


async def cover(call: Call) -> Answer:
    """They bear on new sales."""
    house = await _one(call, call.path(ById).id)
    await flows.cover(call.rt, call.seller, house.code, [Area(**each.model_dump()) for each in call.body(Areas).areas])
    return await _one(call, house.id)


async def close(call: Call) -> Answer:
    """Refused while anything stands there."""
    house = await _one(call, call.path(ById).id)
    await flows.close(call.rt, call.seller, house.code)
    return None


async def _drawn(call: Call, account_id: UUID) -> Drawn:
    async with call.tx() as tx:
        chosen = (await warehouses.draws(tx)).get(account_id, set())
        return Drawn(warehouses=[row["code"] for row in await warehouses.named(tx) if row["id"] in chosen])


async def drawn(call: Call) -> Answer:
    """None: every own one."""
    return await _drawn(call, (await not_closed(call)).id)


async def draw(call: Call) -> Answer:
    """What it holds stays where it stands; what it shows follows at once."""
    account = await not_closed(call)
    await flows.draw(call.rt, call.seller, account.id, list(dict.fromkeys(call.body(Draw).warehouses)))
    return await _drawn(call, account.id)


OPERATIONS = (
    Operation(
        name="list_warehouses", method="GET", path="/warehouses", handler=every, scope="stock:read", tag=TAG,
        summary=N_("Depósitos, por código, com o que há em cada um"), answer=Warehouse, query=Paging, place=ByText,
    ),
    Operation(
        name="get_warehouse", method="GET", path="/warehouses/{id}", handler=one, scope="stock:read", tag=TAG,
        summary=N_("Um depósito, com as suas áreas"), answer=WholeWarehouse, named=ById,
    ),
    Operation(
        name="add_warehouse", method="POST", path="/warehouses", handler=add, scope=SCOPE, tag=TAG,
        summary=N_("Criar um depósito"), answer=WholeWarehouse, status=201, body=NewWarehouse, once="together",
        example={"code": "loja", "name": "Loja do centro", "rank": 20, "postal_code": "01310100"},
    ),
    Operation(
        name="change_warehouse", method="PATCH", path="/warehouses/{id}", handler=edit, scope=SCOPE, tag=TAG,
        summary=N_("Mudar um depósito"), answer=WholeWarehouse, named=ById, body=WarehouseChange,
        example={"rank": 5}, description=N_("Outro tipo muda na hora o que os canais mostram."),
    ),
    Operation(
        name="put_areas", method="PUT", path="/warehouses/{id}/areas", handler=cover, scope=SCOPE, tag=TAG,
        summary=N_("Dizer que áreas um depósito serve antes, ou depois"), answer=WholeWarehouse, named=ById,
        body=Areas, example={"areas": [{"rank": 1, "state": "SP"}]},
        description=N_("No lugar das que tinha; valem para vendas novas."),
    ),
    Operation(
        name="close_warehouse", method="DELETE", path="/warehouses/{id}", handler=close, scope=SCOPE, tag=TAG,
        summary=N_("Fechar um depósito vazio"), answer=None, status=204, named=ById,
        description=N_("O histórico fica, e o código não volta a servir."),
    ),
    Operation(
        name="get_account_warehouses", method="GET", path="/accounts/{id}/warehouses", handler=drawn,
        scope="stock:read", tag=TAG, summary=N_("De que depósitos uma conta vende"), answer=Drawn, named=ById,
    ),
    Operation(
        name="put_account_warehouses", method="PUT", path="/accounts/{id}/warehouses", handler=draw, scope=SCOPE,
        tag=TAG, summary=N_("Dizer de que depósitos uma conta vende"), answer=Drawn, named=ById, body=Draw,
        example={"warehouses": ["principal"]},
        description=N_("O que ela mostra segue na hora; o que os pedidos dela já reservam fica onde está."),
    ),
)  # fmt: skip

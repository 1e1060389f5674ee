"""Kits: what a SKU is made of."""

from typing import Annotated

from pydantic import AfterValidator, Field

from hub.store import lookup
from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.shapes import Asked, ByCode, Code, Told, once_each
from hub.web.i18n import N_
from jobs import kits

TAG = "stock"
NO_KIT = N_("Não há kit %(code)s.")
PerKit = Annotated[int, Field(ge=1, le=100_000)]


class Part(Told):
    """Units of a SKU in one kit."""

    sku: str
    quantity: int


class Kit(Told):
    """A kit and its components."""

    kit: str
    components: list[Part]


class AskedPart(Asked):
    """Units of a SKU in one kit."""

    sku: Code
    quantity: PerKit


class Recipe(Asked):
    """What the kit is made of from now on."""

    components: Annotated[list[AskedPart], Field(min_length=1, max_length=200), AfterValidator(once_each)]
    create: bool = Field(default=False, description=N_("Criar os SKUs de componentes que não existem."))
    apart: bool | None = Field(
        default=None, description=N_("Se os componentes podem sair de depósitos diferentes; null: como estava.")
    )


class Undone(Told):
    """`orders`: still to be sent, that sold it as a kit."""

    kit: str
    orders: int


async def get_kit(call: Call) -> Answer:
    """Its components, each with its units."""
    code = call.path(ByCode).code
    async with call.tx() as tx:
        found = (await lookup.skus(tx, [code])).get(code)
        if found is None or not found["is_kit"]:
            raise missing(NO_KIT, code=code)
        parts = await lookup.components(tx, found["id"])
    return Kit(kit=code, components=[Part.model_validate(part) for part in parts])


async def put_kit(call: Call) -> Answer:
    """Orders keep the recipe of what has left; those to be sent are settled anew."""
    code, asked = call.path(ByCode).code, call.body(Recipe)
    await kits.set_kit(
        call.rt, call.seller, code, {part.sku: part.quantity for part in asked.components}, create=asked.create,
        loose=asked.apart,
    )  # fmt: skip
    return Kit(kit=code, components=[Part(sku=part.sku, quantity=part.quantity) for part in asked.components])


async def drop_kit(call: Call) -> Answer:
    """A plain SKU again, for sale once it is counted."""
    code = call.path(ByCode).code
    async with call.tx() as tx:
        found = (await lookup.skus(tx, [code])).get(code)
    if found is None or not found["is_kit"]:
        raise missing(NO_KIT, code=code)
    return Undone(kit=code, orders=await kits.unset_kit(call.rt, call.seller, code))


OPERATIONS = (
    Operation(
        name="get_kit", method="GET", path="/skus/{code}/kit", handler=get_kit, scope="stock:read", tag=TAG,
        summary=N_("De que um kit é feito"), answer=Kit, named=ByCode,
    ),
    Operation(
        name="put_kit", method="PUT", path="/skus/{code}/kit", handler=put_kit, scope="stock:write", tag=TAG,
        summary=N_("Faz de um SKU um kit"), answer=Kit, named=ByCode, body=Recipe,
        example={"components": [{"sku": "CANECA", "quantity": 2}]},
    ),
    Operation(
        name="drop_kit", method="DELETE", path="/skus/{code}/kit", handler=drop_kit, scope="stock:write", tag=TAG,
        summary=N_("O kit volta a ser um SKU simples"), answer=Undone, named=ByCode,
    ),
)  # fmt: skip

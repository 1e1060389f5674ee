"""How a SKU is replenished: what is set for it alone. null: computed, or the shop's default (get_policies)."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from hub.store import replenishment, skus, suppliers
from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.problems import wrong
from hub.web.api.shapes import Asked, ByCode, Name, Told
from hub.web.api.stock import NO_SKU
from hub.web.i18n import N_
from jobs import replenish

TAG = "purchases"
MOST = 100_000_000  # as sheets and forms take them
Handling = Literal["winsorised", "median", "mean"]
Days = Annotated[float, Field(ge=0, le=730)]
SOME = ("order_multiple", "order_minimum", "active")  # always something
CODE = N_("Como o fornecedor chama o SKU.")
PERCENT = N_("Em quantos de 100 ciclos não falta.")
COVER = N_("Dias que uma compra cobre, no lugar de review_days.")


class SkuReplenishment(Told):
    """What is set for a SKU. Days and units."""

    sku: str
    supplier: str | None
    supplier_code: str | None = Field(description=CODE)
    lead_time_days: float | None
    lead_time_deviation: float | None = Field(description=N_("Dias."))
    service_level_percent: float | None = Field(description=PERCENT)
    safety_stock: int | None
    reorder_point: int | None
    review_days: int | None
    cover_days: int | None = Field(description=COVER)
    order_multiple: int
    order_minimum: int
    handling: Handling | None
    active: bool = Field(description=N_("false: não é reposto."))


class ReplenishmentOfSku(Asked):
    """What changes; null goes back to what is computed, or to the shop's default; what is not given stays."""

    supplier: Name | None = Field(default=None, description=N_("O nome ou o id do fornecedor."))
    supplier_code: Name | None = Field(default=None, description=CODE)
    lead_time_days: Days | None = None
    lead_time_deviation: Days | None = Field(default=None, description=N_("Dias."))
    service_level_percent: float | None = Field(default=None, ge=50, lt=100, description=PERCENT)
    safety_stock: int | None = Field(default=None, ge=0, le=MOST)
    reorder_point: int | None = Field(default=None, ge=0, le=MOST)
    review_days: int | None = Field(default=None, ge=0, le=365)
    cover_days: int | None = Field(default=None, ge=1, le=730, description=COVER)
    order_multiple: int | None = Field(default=None, ge=1, le=1_000_000)
    order_minimum: int | None = Field(default=None, ge=1, le=MOST)
    handling: Handling | None = None
    active: bool | None = None


async def _sku(call: Call) -> tuple[str, UUID]:
    code = call.path(ByCode).code
    async with call.tx() as tx:
        found = (await skus.facts(tx, [code])).get(code)
        kit = found is not None and bool(await skus.components(tx, found["id"]))
    if found is None:
        raise missing(NO_SKU, code=code)
    if kit:
        raise missing(N_("%(code)s é um kit: o que se repõe são os componentes."), code=code)
    return code, found["id"]


async def _told(call: Call, code: str, sku_id: UUID) -> SkuReplenishment:
    async with call.tx() as tx:
        kept = (await replenishment.settings(tx, [sku_id]))[sku_id]
    level = kept["service_level"]
    percent = None if level is None else round(float(level) * 100, 4)
    return SkuReplenishment.model_validate({**kept, "sku": code, "service_level_percent": percent})


async def get_settings(call: Call) -> Answer:
    """What is set for this SKU alone."""
    return await _told(call, *await _sku(call))


async def change_settings(call: Call) -> Answer:
    """It is planned anew at once."""
    code, sku_id = await _sku(call)
    told: dict[str, Any] = call.body(ReplenishmentOfSku).model_dump(exclude_unset=True)
    for name in SOME:
        if name in told and told[name] is None:
            raise wrong(name, N_("Este campo não pode ficar vazio."))
    if "service_level_percent" in told:
        percent = told.pop("service_level_percent")
        told["service_level"] = None if percent is None else round(percent / 100, 6)
    if told.get("supplier"):
        async with call.tx() as tx:
            if await suppliers.named(tx, told["supplier"]) is None:
                raise wrong("supplier", N_("Não há este fornecedor."))
    if told:
        await replenish.set_settings(call.rt, call.seller, {code: told})
    return await _told(call, code, sku_id)


OPERATIONS = (
    Operation(
        name="get_replenishment", method="GET", path="/skus/{code}/replenishment", handler=get_settings,
        scope="purchases:read", tag=TAG, summary=N_("Como um SKU é reposto"), answer=SkuReplenishment, named=ByCode,
    ),
    Operation(
        name="change_replenishment", method="PATCH", path="/skus/{code}/replenishment", handler=change_settings,
        scope="purchases:write", tag=TAG, summary=N_("Mudar como um SKU é reposto"), answer=SkuReplenishment,
        named=ByCode, body=ReplenishmentOfSku,
        example={"supplier": "Porcelanas do Vale", "lead_time_days": 9, "order_multiple": 6},
    ),
)  # fmt: skip

"""Suppliers: whom the seller buys from."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from hub.store import stock, suppliers
from hub.web.api.operations import Answer, ByText, Call, Operation, conflict, missing
from hub.web.api.shapes import Asked, ById, Name, Paging, Told
from hub.web.i18n import N_

TAG = "purchases"
Days = Annotated[float, Field(ge=0, le=3650)]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^\x00-\x20@\x7f]+@[^\x00-\x20@\x7f]+$")]
NO_SUPPLIER = N_("Não há este fornecedor.")
SAME_NAME = N_("Já há um fornecedor com este nome.")


class Supplier(Told):
    """Whom the seller buys from. Days from sending an order to its arrival; null where it is not told."""

    id: UUID
    name: str
    document: str | None = Field(description=N_("CNPJ ou CPF, sem pontuação."))
    email: str | None
    lead_time_days: float | None
    lead_time_deviation: float


class SupplierRow(Supplier):
    """With how many SKUs it supplies, and how many orders are open."""

    skus: int
    orders: int


class NewSupplier(Asked):
    """A supplier to add."""

    name: Name
    document: str | None = Field(default=None, pattern=r"^(?:[0-9]{11}|[0-9A-Z]{12}[0-9]{2})$")
    email: Email | None = None
    lead_time_days: Days | None = None
    lead_time_deviation: Days | None = None


class SupplierChange(Asked):
    """What changes; what is not given stays."""

    name: Name | None = None
    document: str | None = Field(default=None, pattern=r"^(?:[0-9]{11}|[0-9A-Z]{12}[0-9]{2})$")
    email: Email | None = None
    lead_time_days: Days | None = None
    lead_time_deviation: Days | None = None


async def list_suppliers(call: Call) -> Answer:
    """By name; archived ones are left out."""
    async with call.tx() as tx:
        rows = await suppliers.every(tx, after=call.after[0] if call.after else None, limit=call.limit)
    return call.part(rows, SupplierRow.model_validate, "name")


async def add_supplier(call: Call) -> Answer:
    """A name is a supplier's once."""
    told = call.body(NewSupplier).model_dump()
    async with call.tx() as tx:
        made = await suppliers.add(tx, told.pop("name"), **told)
        if made is None:
            raise conflict(SAME_NAME)
        await stock.audit(tx, "supplier_add", str(made), name=call.body(NewSupplier).name)
        return Supplier.model_validate(await suppliers.named(tx, str(made)))


async def change_supplier(call: Call) -> Answer:
    """Orders that were sent keep what they expect."""
    told = call.body(SupplierChange).model_dump(exclude_none=True)
    async with call.tx() as tx:
        found = await suppliers.named(tx, str(call.path(ById).id))
        if found is None:
            raise missing(NO_SUPPLIER)
        if "name" in told and (other := await suppliers.named(tx, told["name"])) and other["id"] != found["id"]:
            raise conflict(SAME_NAME)
        await suppliers.edit(tx, found["id"], **told)
        await stock.audit(tx, "supplier_edit", str(found["id"]), fields=sorted(told))
        return Supplier.model_validate(await suppliers.named(tx, str(found["id"])))


OPERATIONS = (
    Operation(
        name="list_suppliers", method="GET", path="/suppliers", handler=list_suppliers, scope="purchases:read",
        tag=TAG, summary=N_("Os fornecedores, por nome"), answer=SupplierRow, query=Paging, place=ByText,
    ),
    Operation(
        name="add_supplier", method="POST", path="/suppliers", handler=add_supplier, scope="purchases:write", tag=TAG,
        summary=N_("Um fornecedor novo"), answer=Supplier, status=201, body=NewSupplier, once="together",
        example={"name": "Porcelanas do Vale", "lead_time_days": 12},
    ),
    Operation(
        name="change_supplier", method="PATCH", path="/suppliers/{id}", handler=change_supplier,
        scope="purchases:write", tag=TAG, summary=N_("Muda um fornecedor"), answer=Supplier, named=ById,
        body=SupplierChange,
        example={"lead_time_days": 15},
    ),
)  # fmt: skip

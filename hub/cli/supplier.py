"""Suppliers (fornecedores)."""

from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

app = typer.Typer(help="Suppliers (fornecedores).")
Lead = Annotated[
    float | None, typer.Option("--lead-time", min=0, max=730, help="Days from order to shelf, until it is measured.")
]
Deviation = Annotated[float | None, typer.Option("--deviation", min=0, max=730, help="Of the lead time, in days.")]
Document = Annotated[str | None, typer.Option("--document", help="CNPJ or CPF.")]
Email = Annotated[str | None, typer.Option("--email", help="Where orders go.")]
Words = dict[str, Any]


def facts(document: str | None, email: str | None, lead_time: float | None, deviation: float | None) -> Words:
    """What was told of a supplier."""
    if email is not None and "@" not in email:
        raise Wrong(f"--email: {email!r} is no e-mail address.")
    bare = "".join(char for char in (document or "") if char.isalnum()).upper()
    if document is not None and len(bare) not in {11, 14}:
        raise Wrong(f"--document: {document!r} is neither a CNPJ (14) nor a CPF (11).")
    told = {
        "document": bare or None, "email": email, "lead_time_days": lead_time, "lead_time_deviation": deviation,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


@app.command("add")
def add(
    name: str, *, document: Document = None, email: Email = None, lead_time: Lead = None, deviation: Deviation = None,
    seller: Seller = None, as_json: page.AsJson = False,
) -> None:  # fmt: skip
    """Add a supplier."""
    told = facts(document, email, lead_time, deviation)
    if not name.strip():
        raise Wrong("NAME is empty.")

    async def work(desk: Desk) -> Words:
        from hub.store import stock, suppliers

        async with desk.tx() as tx:
            made = await suppliers.add(tx, name.strip(), **told)
            if made is None:
                raise Wrong(f"there is a supplier {name.strip()!r} already.")
            await stock.audit(tx, "supplier_add", str(made), name=name.strip())
        return {"id": made, "name": name.strip(), **told}

    made = at_desk(seller, work)
    page.write_json(made) if as_json else page.line(f"{made['name']} is a supplier now.")


@app.command("list")
def list_(*, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List the suppliers, with how many SKUs and open orders each has."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import suppliers

        async with desk.tx() as tx:
            return await suppliers.every(tx)

    page.rows(
        at_desk(seller, work),
        [
            "name",
            "document",
            "email",
            "lead_time_days=lead time",
            "lead_time_deviation=deviation",
            "skus=SKUs",
            "orders",
        ],
        as_json=as_json,
        empty="There is no supplier yet: `balcao supplier add` makes one.",
    )


@app.command("edit")
def edit(
    name: str, *, rename: Annotated[str | None, typer.Option(help="Its new name.")] = None, document: Document = None,
    email: Email = None, lead_time: Lead = None, deviation: Deviation = None,
    archive: Annotated[bool, typer.Option("--archive", help="Nothing is bought there any more.")] = False,
    seller: Seller = None, as_json: page.AsJson = False,
) -> None:  # fmt: skip
    """Change what is known of a supplier."""
    told = facts(document, email, lead_time, deviation)
    if rename is not None and not rename.strip():
        raise Wrong("--rename is empty.")
    if not told and not rename and not archive:
        raise Wrong("nothing is changed: give --rename, --document, --email, --lead-time, --deviation or --archive.")

    async def work(desk: Desk) -> Words:
        from hub.store import replenishment, stock, suppliers

        async with desk.tx() as tx:
            known = await suppliers.named(tx, name.strip())
            if known is None:
                raise Wrong(f"there is no supplier {name!r}.")
            if rename and (other := await suppliers.named(tx, rename.strip())) and other["id"] != known["id"]:
                raise Wrong(f"--rename: there is a supplier {rename.strip()!r} already.")
            changes = {**told, **({"name": rename.strip()} if rename else {})}
            if archive:
                changes["archived_at"] = desk.rt.now()
            await suppliers.edit(tx, known["id"], **changes)
            await replenishment.forget_run(tx)
            await stock.audit(tx, "supplier_edit", str(known["id"]), **changes)
        return {"id": known["id"], "name": changes.get("name", known["name"]), **changes}

    made = at_desk(seller, work)
    page.write_json(made) if as_json else page.line(f"{made['name']} is changed.")

"""Kits: SKUs that are made of others."""

from typing import Annotated

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

app = typer.Typer(help="Kits: SKUs that are made of others.")
MOST = 100_000


def components(told: list[str]) -> dict[str, int]:
    """SKU=QTY words; a code may itself hold a "=", the last one counts."""
    found: dict[str, int] = {}
    for word in told:
        sku, equals, units = word.rpartition("=")
        sku = sku.strip()
        if not equals or not sku or not units.strip().isascii() or not units.strip().isdigit():
            raise Wrong(f"{word!r} is not SKU=QTY, as in CANECA=2.")
        if not 0 < int(units[-12:]) <= MOST:
            raise Wrong(f"{word!r}: a kit holds from 1 to {MOST} units of each.")
        if sku in found:
            raise Wrong(f"{sku} is named twice: once, with all its units.")
        found[sku] = int(units)
    return found


@app.command("set")
def set_(
    kit: str,
    parts: Annotated[list[str], typer.Argument(metavar="SKU=QTY ...")],
    *,
    create: Annotated[bool, typer.Option("--create", help="Make component SKUs that are not there.")] = False,
    apart: Annotated[
        bool | None, typer.Option("--apart/--together", help="May its components come from several warehouses?")
    ] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Say what a kit is made of; its availability follows from its components."""
    made_of = components(parts)
    if not kit.strip():
        raise Wrong("KIT is empty: name the kit's SKU.")

    async def work(desk: Desk) -> None:
        from jobs.kits import set_kit

        await set_kit(desk.rt, desk.seller_id, kit.strip(), made_of, create=create, loose=apart)

    at_desk(seller, work)
    if as_json:
        page.write_json({"kit": kit.strip(), "components": made_of})
    else:
        page.line(f"{kit.strip()} is made of {', '.join(f'{units} x {sku}' for sku, units in made_of.items())}.")


@app.command("unset")
def unset(kit: str, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Make a kit a plain SKU again: its orders give its components back, and it is for sale once it is counted."""

    async def work(desk: Desk) -> int:
        from jobs.kits import unset_kit

        return await unset_kit(desk.rt, desk.seller_id, kit.strip())

    settled = at_desk(seller, work)
    if as_json:
        page.write_json({"kit": kit.strip(), "components": {}, "orders": settled})
    else:
        page.line(f"{kit.strip()} is no kit any more; {settled} orders to be sent wait for units of its own.")

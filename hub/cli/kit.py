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
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Say what a kit is made of; its availability follows from its components."""
    made_of = components(parts)
    if not kit.strip():
        raise Wrong("KIT is empty: name the kit's SKU.")

    async def work(desk: Desk) -> None:
        from jobs.counts import set_kit

        await set_kit(desk.rt, desk.seller_id, kit.strip(), made_of, create=create)

    at_desk(seller, work)
    if as_json:
        page.write_json({"kit": kit.strip(), "components": made_of})
    else:
        page.line(f"{kit.strip()} is made of {', '.join(f'{units} x {sku}' for sku, units in made_of.items())}.")

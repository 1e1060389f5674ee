"""Warehouses (depósitos)."""

from typing import Annotated

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

app = typer.Typer(help="Warehouses (depósitos).")


@app.command("add")
def add(
    code: str,
    name: str,
    *,
    rank: Annotated[int, typer.Option(min=0, max=1_000_000, help="Sales leave from the lowest first.")] = 100,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Add a warehouse."""
    if not code.strip() or not name.strip():
        raise Wrong("a warehouse needs a code and a name.")

    async def work(desk: Desk) -> dict[str, object]:
        from hub.store import lookup, stock, warehouses

        async with desk.tx() as tx:
            if code.strip() in {row["code"] for row in await lookup.warehouses(tx)}:
                raise Wrong(f"there is a warehouse {code.strip()!r} already.")
            made = await warehouses.warehouse_add(tx, code.strip(), name.strip(), rank=rank)
            await stock.audit(tx, "warehouse_add", str(made), code=code, rank=rank)
        return {"id": made, "code": code.strip(), "name": name.strip(), "rank": rank}

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
    else:
        page.line(f"{made['code']} ({made['name']}) is a warehouse now.")


@app.command("list")
def list_(*, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List the warehouses, in the order in which sales leave from them."""

    async def work(desk: Desk) -> list[dict[str, object]]:
        from hub.store import lookup

        async with desk.tx() as tx:
            return await lookup.warehouses(tx)

    page.rows(
        at_desk(seller, work),
        ["code", "name", "kind", "rank", "skus=SKUs", "on_hand", "reserved"],
        as_json=as_json,
        empty="There is no warehouse yet: `balcao stock set` makes the first.",
    )

"""Goods that come back: `balcao returns list`, `receive`."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.ledger import MOST

app = typer.Typer(help="Returns: what came back, and what became of it.")


class Fate(StrEnum):
    """What became of returned units."""

    SELLABLE = "sellable"
    DAMAGED = "damaged"
    LOST = "lost"


@app.command("list")
def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also what was received already.")] = False,
    limit: page.Limit = 100,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List returned units that nobody has looked at yet, the longest waiting first."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import returns

        async with desk.tx() as tx:
            return await returns.listed(tx, every=every, limit=limit)

    columns = [
        "return_ref=return", "order_number=order", "account", "status", "line", "sku", "title", "told", "received",
        "pending", "fates=as", "days",
    ]  # fmt: skip
    page.rows(at_desk(seller, work), columns, as_json=as_json, empty="No returned unit waits for anybody.")


@app.command("receive")
def receive(
    named: Annotated[str, typer.Argument(metavar="RETURN", help="A return by its ref, or an order by its number.")],
    *,
    units: Annotated[int, typer.Option(min=0, max=MOST, help="Units of the line that came back so, in all.")],
    fate: Annotated[Fate, typer.Option("--as", help="What became of them.")],
    line: Annotated[str | None, typer.Option(help="Which line, by its ref or SKU; the only one.")] = None,
    warehouse: Annotated[str | None, typer.Option(help="Where they go; else where they left from.")] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Say what became of returned units: sellable go back on the shelf, damaged apart, lost nowhere."""

    async def work(desk: Desk) -> Any:
        from hub.model import Disposition
        from jobs.returns import receive as received

        return await received(
            desk.rt, desk.seller_id, named.strip(), units=units, disposition=Disposition(fate.value), line=line,
            warehouse=warehouse,
        )  # fmt: skip

    done = at_desk(seller, work)
    if as_json:
        page.write_json({
            "order": done.order, "return": done.return_ref, "line": done.line, "units": done.units,
            "as": done.disposition.value, "changed": done.changed, "moved": done.moved,
        })  # fmt: skip
        return
    if not done.changed:
        page.line(f"order {done.order}, line {done.line}: {done.units} {done.disposition.value} was noted before.")
        return
    page.line(f"order {done.order}, line {done.line}: {done.units} {done.disposition.value}; stock {done.moved:+d}")

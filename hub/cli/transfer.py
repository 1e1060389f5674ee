"""Transfers: stock that goes from one warehouse to another."""

from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.kit import components
from hub.cli.refusals import Wrong

app = typer.Typer(help="Transfers: stock that goes from one warehouse to another.")
Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, max=2**31 - 1, help="The transfer's number.")]
Words = dict[str, Any]


@app.command("open")
def open_(
    here: Annotated[str, typer.Argument(metavar="FROM", help="The code of the warehouse it leaves.")],
    there: Annotated[str, typer.Argument(metavar="TO", help="The code of the warehouse it goes to.")],
    units: Annotated[list[str], typer.Argument(metavar="SKU=QTY ...")],
    *,
    note: Annotated[str, typer.Option(help="What people should know of it.")] = "",
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Plan a transfer; nothing moves until it is sent."""
    wanted = components(units)

    async def work(desk: Desk) -> Words:
        from jobs import transfers

        number = await transfers.open_transfer(desk.rt, desk.seller_id, here.strip(), there.strip(), wanted, note=note)
        return await _detail(desk, number)

    _tell(at_desk(seller, work), as_json=as_json)


@app.command("send")
def send(
    number: Number,
    *,
    with_orders: Annotated[
        bool, typer.Option("--with-orders", help="Reserved units too; their reservations move along.")
    ] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """The units leave: they stand in transit until they are received."""

    async def work(desk: Desk) -> Words:
        from jobs import transfers

        await transfers.send(desk.rt, desk.seller_id, number, with_orders=with_orders)
        return await _detail(desk, number)

    _tell(at_desk(seller, work), as_json=as_json)


@app.command("receive")
def receive(
    number: Number,
    units: Annotated[list[str] | None, typer.Argument(metavar="[SKU=QTY ...]")] = None,
    *,
    finish: Annotated[
        bool, typer.Option("--finish", help="No more will come: what has not arrived is lost in transit.")
    ] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Units arrive: those named, or all that are under way. What is lost is named with --finish."""
    arriving = components(units) if units else None

    async def work(desk: Desk) -> Words:
        from jobs import transfers

        await transfers.receive(desk.rt, desk.seller_id, number, arriving, finish=finish)
        return await _detail(desk, number)

    _tell(at_desk(seller, work), as_json=as_json)


@app.command("cancel")
def cancel(number: Number, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Cancel a transfer; what has not arrived stands where it came from again."""

    async def work(desk: Desk) -> Words:
        from jobs import transfers

        await transfers.cancel(desk.rt, desk.seller_id, number)
        return await _detail(desk, number)

    _tell(at_desk(seller, work), as_json=as_json)


@app.command("list")
def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Finished and cancelled ones too.")] = False,
    limit: page.Limit = 50,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List the transfers that are open or under way, newest first."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import transfers

        async with desk.tx() as tx:
            return await transfers.listed(tx, unfinished_only=not every, limit=limit)

    page.rows(
        at_desk(seller, work),
        ["number", "from", "to", "status", "quantity", "sent", "received", "under_way", "lost", "created_at"],
        as_json=as_json,
        empty="No transfer is open or under way." if not every else "There is no transfer yet.",
    )


@app.command("show")
def show(number: Number, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Show a transfer whole: its SKUs, and what moved when."""

    async def work(desk: Desk) -> Words:
        return await _detail(desk, number)

    told = at_desk(seller, work)
    _tell(told, as_json=as_json)
    if not as_json and told["movements"]:
        page.line("")
        page.console().print(page.table(told["movements"], ["at", "sku", "warehouse", "delta", "note"], "Ledger"))


async def _detail(desk: Desk, number: int) -> Words:
    from hub.store import transfers

    async with desk.tx() as tx:
        found = await transfers.detail(tx, number)
    if found is None:
        raise Wrong(f"there is no transfer {number} (`balcao transfer list --all`).")
    return found


def _tell(told: Words, *, as_json: bool) -> None:
    if as_json:
        page.write_json(told)
        return
    page.line(f"Transfer {told['number']}: {told['from']} -> {told['to']}, {told['status']}.")
    if told["note"]:
        page.line(f"  {page.word(told['note'])}")
    columns = ["sku", "quantity", "sent", "received", "under_way"]
    columns += [name for name in ("lost", "returned") if any(line[name] for line in told["lines"])]
    page.console().print(page.table(told["lines"], columns))

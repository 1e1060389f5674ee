"""Purchase orders (pedidos de compra)."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.ledger import instant
from hub.cli.refusals import Wrong

if TYPE_CHECKING:
    from hub.store import Tx

app = typer.Typer(help="Purchase orders (pedidos de compra).")
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The order's number, or its id.")]
Lines = Annotated[list[str], typer.Argument(metavar="SKU=QTY[@COST] ...", help="As in CANECA=12 or CANECA=12@9,90.")]
MOST = 100_000_000
Words = dict[str, Any]


class State(StrEnum):
    """Of a purchase order; open: something may still come of it."""

    OPEN = "open"
    DRAFT = "draft"
    SENT = "sent"
    PARTIAL = "partial"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELLED = "cancelled"


def lines(told: list[str], least: int = 1) -> dict[str, tuple[int, int | None]]:
    """(quantity, centavos) by SKU of words like CANECA=12@9,90. Wrong names the word."""
    from hub.replenishment_sheet import money

    found: dict[str, tuple[int, int | None]] = {}
    for word in told:
        sku, equals, rest = word.rpartition("=")
        units, at, cost = rest.partition("@")
        if not equals or not sku.strip() or not units.strip().isascii() or not units.strip().isdigit():
            raise Wrong(f"{word!r} is not SKU=QTY or SKU=QTY@COST, as in CANECA=12@9,90.")
        if not least <= int(units.strip()[:12]) <= MOST:
            raise Wrong(f"{word!r}: a quantity is from {least} to {MOST}.")
        if sku.strip() in found:
            raise Wrong(f"{sku.strip()} is named twice: once, with all its units.")
        try:
            found[sku.strip()] = (int(units), money(cost) if at else None)
        except ValueError as problem:
            raise Wrong(f"{word!r}: cost: {problem}.") from None
    return found


async def found(tx: "Tx", number: str) -> Words:
    """The purchase order of that number or id; Wrong when there is none."""
    from hub.store import purchases

    order = await purchases.find(tx, number.strip())
    if order is None:
        raise Wrong(f"there is no purchase order {number!r}.")
    return order


async def shown(desk: Desk, number: str) -> Words:
    """A purchase order whole: its lines, and what came."""
    from hub.store import purchases

    async with desk.tx() as tx:
        order = await found(tx, number)
        receipts = await purchases.receipts(tx, order["id"])
        return {**order, "lines": await purchases.lines(tx, order["id"]), "receipts": receipts}


@app.command("list")
def list_(
    *, state: Annotated[State | None, typer.Option(help="Only these.")] = None, limit: page.Limit = 50,
    seller: Seller = None, as_json: page.AsJson = False,
) -> None:  # fmt: skip
    """List purchase orders, the newest first."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import purchases

        async with desk.tx() as tx:
            return await purchases.listed(tx, status=state.value if state else None, limit=limit)

    told = at_desk(seller, work)
    if not as_json:
        for row in told:
            row["total"] = page.money(row["total_cents"], "BRL")
    page.rows(
        told,
        ["number", "supplier", "status", "lines", "units", "received", "total", "sent_at", "expected_at"],
        as_json=as_json,
        empty="There is no purchase order: `balcao replenish order` or `balcao purchase create` makes one.",
    )


@app.command("show")
def show(
    number: Number, *,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write it as a sheet; - is stdout.")] = None,
    seller: Seller = None, as_json: page.AsJson = False,
) -> None:  # fmt: skip
    """Show a purchase order: its lines, and what came of them."""
    told = at_desk(seller, lambda desk: shown(desk, number))
    if csv is not None:
        from hub.replenishment_sheet import purchase_csv

        text = purchase_csv(told, told["lines"])
        try:
            page.line(text.rstrip()) if str(csv) == "-" else csv.write_text(text, encoding="utf-8", newline="")
        except OSError as problem:
            raise Wrong(f"--csv: {csv} cannot be written: {problem.strerror or problem}.") from None
    elif as_json:
        page.write_json(told)
    else:
        _print(told)


def _print(told: Words) -> None:
    page.line(f"{told['number']}  {told['supplier']}  {told['status']}")
    for name in ("sent_at", "expected_at", "closed_at", "note"):
        if told[name]:
            page.line(f"{name.replace('_', ' ')}: {page.word(told[name])}")
    for row in [*told["lines"], *told["receipts"]]:
        row["cost"] = page.money(row["cost_cents"], "BRL")
    columns = ["sku", "title", "supplier_code", "quantity", "received_quantity=received", "cost"]
    page.console().print(page.table(told["lines"], columns))
    if told["receipts"]:
        page.console().print(
            page.table(told["receipts"], ["at", "sku", "quantity", "cost", "warehouse", "ref"], "Receipts")
        )


@app.command("create")
def create(
    supplier: str, told: Lines, *, warehouse: Annotated[str | None, typer.Option(help="Where it shall arrive.")] = None,
    note: Annotated[str | None, typer.Option(help="For the supplier.")] = None, seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:  # fmt: skip
    """Draft a purchase order."""
    wanted = lines(told)

    async def work(desk: Desk) -> Words:
        from jobs import purchase

        number = await purchase.create(
            desk.rt, desk.seller_id, supplier.strip(), wanted, warehouse=warehouse, note=note
        )
        return await shown(desk, number)

    made = at_desk(seller, work)
    page.write_json(made) if as_json else page.line(f"Purchase order {made['number']} is a draft now.")


@app.command("edit")
def edit(number: Number, told: Lines, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Change a draft's lines; SKU=0 takes one out."""
    wanted = lines(told, least=0)

    async def work(desk: Desk) -> Words:
        from jobs import purchase

        async with desk.tx() as tx:
            order = await found(tx, number)
        await purchase.edit(desk.rt, desk.seller_id, order["id"], wanted)
        return await shown(desk, number)

    made = at_desk(seller, work)
    page.write_json(made) if as_json else _print(made)


@app.command("send")
def send(
    number: Number, *,
    expected: Annotated[str | None, typer.Option(help="When it should come, as 2026-03-04.")] = None,
    seller: Seller = None, as_json: page.AsJson = False,
) -> None:  # fmt: skip
    """Say that the supplier has it: its units are incoming from now on."""
    at = instant(expected, "--expected")

    async def work(desk: Desk) -> Words:
        from jobs import purchase

        async with desk.tx() as tx:
            order = await found(tx, number)
        await purchase.send(desk.rt, desk.seller_id, order["id"], expected_at=at)
        return await shown(desk, number)

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
    else:
        page.line(f"Purchase order {made['number']} is sent; expected {page.word(made['expected_at'])}.")


@app.command("receive")
def receive(
    number: Number,
    told: Annotated[
        list[str] | None, typer.Argument(metavar="[SKU=QTY[@COST] ...]", help="What came; with --all nothing here.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that is still missing came.")] = False,
    over: Annotated[bool, typer.Option("--over", help="More than was ordered came indeed.")] = False,
    ref: Annotated[str | None, typer.Option(help="The delivery note: the same again moves nothing.")] = None,
    warehouse: Annotated[str | None, typer.Option(help="Where it arrived.")] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Book what came of a purchase order, whole or in parts."""
    came = lines(told or [])
    if bool(came) == everything:
        raise Wrong("say what came as SKU=QTY words, or --all for everything that is missing.")

    async def work(desk: Desk) -> Words:
        from uuid import uuid4

        from hub.store import purchases
        from jobs import purchase

        async with desk.tx() as tx:
            order = await found(tx, number)
            rows = await purchases.lines(tx, order["id"])
        units = {row["sku"]: (row["missing"], None) for row in rows if row["missing"]} if everything else came
        done = await purchase.receive(
            desk.rt, desk.seller_id, order["id"], ref or f"cli:{uuid4()}", units, warehouse=warehouse, over=over
        )
        return {"number": order["number"], "status": done.status, "units": done.units, "again": done.again}

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
    elif made["again"]:
        page.line(f"{ref} was booked before: nothing is moved.")
    else:
        page.line(f"{made['units']} units of purchase order {made['number']} came; it is {made['status']} now.")


@app.command("close")
def close(number: Number, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Close an order short: what is still missing will not come."""
    _end(number, seller, short=True, as_json=as_json)


@app.command("cancel")
def cancel(number: Number, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Call an order off of which nothing came."""
    _end(number, seller, short=False, as_json=as_json)


def _end(number: str, seller: str | None, *, short: bool, as_json: bool) -> None:
    async def work(desk: Desk) -> Words:
        from jobs import purchase

        async with desk.tx() as tx:
            order = await found(tx, number)
        await (purchase.close_short if short else purchase.cancel)(desk.rt, desk.seller_id, order["id"])
        return await shown(desk, number)

    made = at_desk(seller, work)
    page.write_json(made) if as_json else page.line(f"Purchase order {made['number']} is {made['status']}.")

"""Orders as the hub knows them."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.desk import Desk, NamedAccount, Seller, at_desk
from hub.cli.refusals import Wrong
from hub.cli.stock import Language

app = typer.Typer(help="Orders as the hub knows them.")
Named = Annotated[str, typer.Argument(metavar="ORDER", help="By number, the channel's ref, or id.")]
Words = dict[str, Any]


class Status(StrEnum):
    """As hub.model has it."""

    PLACED = "placed"
    PAID = "paid"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


async def found(desk: Desk, named: str) -> Words:
    """The one order of that number, ref or id."""
    from hub.store import orders

    async with desk.tx() as tx:
        told = [await orders.detail(tx, id_) for id_ in await orders.find(tx, named.strip())]
    rows = [row for row in told if row]
    if not rows:
        raise Wrong(f"there is no order {named!r}.")
    if len(rows) > 1:
        ids = ", ".join(f"{row['id']} ({row['account']})" for row in rows)
        raise Wrong(f"{len(rows)} orders answer to {named!r}: name one by its id: {ids}.")
    return rows[0]


@app.command("list")
def list_(
    *,
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    account: NamedAccount = None,
    search: Annotated[str | None, typer.Option(help="A number, a ref, or a part of the buyer's name.")] = None,
    limit: page.Limit = 50,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List the newest orders."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import orders

        one = await desk.account(account) if account else None
        async with desk.tx() as tx:
            return await orders.listed(
                tx,
                status=status.value if status else None,
                account_id=one.id if one else None,
                search=search,
                limit=limit,
            )

    told = at_desk(seller, work)
    if not as_json:
        for row in told:
            row["total"] = page.money(row["total_cents"], row["currency"])
            row["number"] = row["number"] or row["ref"]
    page.rows(
        told,
        [
            "number",
            "account",
            "status",
            "payment",
            "hold",
            "placed_at",
            "ship_by",
            "buyer_name=buyer",
            "total",
            "short",
        ],
        as_json=as_json,
        empty="There is no such order.",
    )


@app.command("show")
def show(named: Named, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Show an order whole: lines, what is reserved and short, parcels, and what happened when."""

    async def work(desk: Desk) -> Words:
        return await found(desk, named)

    row = at_desk(seller, work)
    if as_json:
        row.pop("versions", None)
        page.write_json(row)
        return
    page.line(f"{row['number'] or row['ref']}  {row['account']} ({row['channel']})  id {row['id']}")
    facts = {
        "status": row["status"],
        "payment": row["payment"],
        "fulfilment": row["fulfilment"],
        "hold": row["hold"],
        "fulfilled by": row["fulfilled_by"],
        "placed": row["placed_at"],
        "ship by": row["ship_by"],
        "buyer": row["buyer_name"],
        "total": page.money(row["total_cents"], row["currency"]),
    }
    for name, value in facts.items():
        if value is not None:
            page.line(f"  {name:13}{page.word(value)}")
    _sections(row)


@app.command("allocation")
def allocation(
    named: Named,
    *,
    lang: Annotated[Language, typer.Option(help="Of the explanation.")] = Language.PT,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show which warehouse each line of an order would come from, were it placed now, and why; nothing changes."""

    async def work(desk: Desk) -> Words:
        from hub.store import lookup
        from jobs import allocations

        row = await found(desk, named)
        told = await allocations.preview(desk.rt, desk.seller_id, row["id"])
        ids = {take.sku_id for take in told.takes} | {sku for _line, sku in told.short}
        ids |= {each for step in told.steps for value in step.params.values() for each in _ids(value)}
        async with desk.tx() as tx:
            names = await lookup.names(tx, ids)
        return {
            "order": row["number"] or row["ref"],
            "takes": [
                {"line": t.line_ref, "sku": names[t.sku_id], "warehouse": names[t.warehouse_id], "units": t.units}
                for t in told.takes
            ],
            "short": [{"line": line, "sku": names[sku], "units": units} for (line, sku), units in told.short.items()],
            "steps": list(told.explain(lang.value, names)),
        }

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    for step in told["steps"]:
        page.line(step)


def _ids(value: object) -> list[UUID]:
    return [each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, UUID)]


@app.command("allocate")
def allocate(
    named: Named,
    *,
    source: Annotated[str, typer.Option("--from", metavar="WAREHOUSE", help="Its code.")],
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Have an order leave from a warehouse: what it holds elsewhere is held there, where all of it is free."""

    async def work(desk: Desk) -> int:
        from jobs import allocations

        row = await found(desk, named)
        return await allocations.place(desk.rt, desk.seller_id, row["id"], source.strip())

    moved = at_desk(seller, work)
    if as_json:
        page.write_json({"order": named.strip(), "warehouse": source.strip(), "moved": moved})
    else:
        page.line(f"{moved} reserved units moved to {source.strip()}." if moved else "It holds nothing elsewhere.")


def _sections(row: Words) -> None:
    for line in row["lines"]:
        line["total"] = page.money(line["total_cents"], row["currency"])
    for event in row["events"]:
        event["what"] = ", ".join(f"{name} {page.word(value)}" for name, value in event["params"].items())
    for title, key, columns in (
        (
            "Lines",
            "lines",
            [
                "ref",
                "title",
                "sku",
                "quantity",
                "cancelled_quantity=cancelled",
                "dispatched_quantity=dispatched",
                "returned_quantity=returned",
                "total",
            ],
        ),
        ("Reserved", "reservations", ["line_ref=line", "sku", "warehouse", "quantity"]),
        ("Short", "shortages", ["line_ref=line", "sku", "quantity"]),
        (
            "Parcels",
            "shipments",
            ["carrier", "service", "tracking_code", "status", "last_event_at", "track_error"],
        ),
        ("Timeline", "events", ["at", "kind", "what"]),
    ):
        if row[key]:
            page.line("")
            page.console().print(page.table(row[key], columns, title))

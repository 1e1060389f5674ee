"""Stock moved by hand, and its history: `balcao stock adjust`, `moves`."""

import re
from datetime import datetime
from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

MOST = 100_000_000
Words = dict[str, Any]
Warehouse = Annotated[str | None, typer.Option("--warehouse", help="Its code; the first by rank when not given.")]


def change(told: str) -> int:
    """Units by which stock changes, as +N or -N. Wrong names what is missing."""
    if not re.fullmatch(r"[+-]\d{1,9}", told) or not 0 < abs(int(told)) <= MOST:
        raise Wrong(f"CHANGE: {told!r} is not +N or -N units, as in +3 or -2.")
    return int(told)


def instant(told: str | None, option: str) -> datetime | None:
    """A time as people type it, in this machine's zone unless it names one. Wrong names the option."""
    if told is None:
        return None
    try:
        return datetime.fromisoformat(told.strip()).astimezone()
    except ValueError:
        raise Wrong(f"{option}: {told!r} is no time: write 2026-03-04T15:30, or 2026-03-04T15:30-03:00.") from None


def adjust(
    sku: str,
    units: Annotated[str, typer.Argument(metavar="CHANGE", help="+N or -N units.")],
    *,
    reason: Annotated[str, typer.Option(help="Why: it stands in the history.")],
    warehouse: Warehouse = None,
    ref: Annotated[str | None, typer.Option(help="Your reference: the same again changes nothing.")] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Change a SKU's units by +N or -N, and say why."""
    delta = change(units)
    if not reason.strip():
        raise Wrong("--reason is empty.")

    async def work(desk: Desk) -> Words | None:
        from jobs.ledger import adjust as adjusted

        done = await adjusted(desk.rt, desk.seller_id, sku.strip(), delta, reason, warehouse=warehouse, ref=ref)
        return {"sku": sku.strip(), "before": done.before, "after": done.after} if done else None

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
    elif told is None:
        page.line(f"{ref} was booked before: nothing is changed.")
    else:
        page.line(f"{told['sku']}: {told['before']} -> {told['after']}")


def moves(
    sku: str,
    *,
    warehouse: Annotated[str | None, typer.Option("--warehouse", help="Only this one, by its code.")] = None,
    since: Annotated[str | None, typer.Option(help="Only from then on, as in 2026-03-04.")] = None,
    limit: page.Limit = 100,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List what moved a SKU's stock, newest first: by how much, to what balance, why, who, for which order."""
    after = instant(since, "--since")

    async def work(desk: Desk) -> list[Words]:
        from hub.store import ledger, lookup
        from jobs.ledger import shelf_named

        async with desk.tx() as tx:
            known = await lookup.sku(tx, sku.strip())
            if known is None:
                raise Wrong(f"there is no SKU {sku.strip()!r}.")
            shelf = await shelf_named(tx, warehouse) if warehouse else None
            return await ledger.history(tx, known["id"], warehouse_id=shelf, since=after, limit=limit)

    page.rows(
        at_desk(seller, work),
        [
            "at",
            "warehouse",
            "reason",
            "delta=change",
            "balance",
            "made_by=who",
            "order_number=order",
            "account",
            "note",
        ],
        as_json=as_json,
        empty="Nothing has moved it.",
    )


def add_to(app: typer.Typer) -> None:
    """The verbs of `balcao stock` that stand here."""
    # "-3" is a change here, not an option.
    app.command("adjust", context_settings={"ignore_unknown_options": True})(adjust)
    app.command("moves")(moves)

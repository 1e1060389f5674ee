"""The inbox: what channels told, kept raw; replayed where it could not be read."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

app = typer.Typer(help="The inbox: what channels told, kept raw.")


class State(StrEnum):
    """Of an inbox row."""

    DUE = "due"
    DONE = "done"
    PARKED = "parked"
    KEPT = "kept"


@app.command("list")
def list_(
    *,
    state: Annotated[State | None, typer.Option(help="Only these.")] = None,
    limit: page.Limit = 50,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List the newest rows, with the reason of those that are parked."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import inbox

        async with desk.tx() as tx:
            return await inbox.listed(tx, state.value if state else None, limit)

    page.rows(
        at_desk(seller, work),
        ["id", "account", "source", "topic", "ref", "state", "received_at", "attempts", "bytes", "error"],
        as_json=as_json,
        empty="Nothing came in yet.",
    )


@app.command("replay")
def replay(
    ids: Annotated[
        list[UUID] | None, typer.Argument(metavar="[ID ...]", help="These rows, whatever their state.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every parked row.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Read rows again: after a mapping was mended, or when a parked one should be tried again."""
    if bool(ids) == every:
        raise Wrong("name the rows by their ids, or say --all for every parked one.")

    async def work(desk: Desk) -> int:
        from hub.store import inbox, lookup, stock

        async with desk.tx() as tx:
            states = ("parked",) if every else ("parked", "done", "kept")
            count = await inbox.replay(tx, ids or None, states)
            await stock.audit(tx, "inbox_replay", "inbox", rows=count)
            waiting = await lookup.inbox_accounts(tx)
        for account_id in waiting:
            desk.rt.ring("intake", account_id)
        return count

    count = at_desk(seller, work)
    if as_json:
        page.write_json({"replayed": count})
    else:
        page.line(f"{count} rows are due again." if count else "No such row is there to be replayed.")
    if ids and count < len(set(ids)):
        raise Wrong(f"{len(set(ids)) - count} of {len(set(ids))} rows are not there, or due already.")

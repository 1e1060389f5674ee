"""Events out: which programs are told what happens, what became of each event, and sending again."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

if TYPE_CHECKING:
    from collections.abc import Awaitable

app = typer.Typer(help="Events out: a seller's own programs are told what happens, signed.")
STATES = ("due", "sent", "failed", "superseded")
Endpoint = Annotated[str, typer.Argument(metavar="ENDPOINT", help="By id, or a part of its address or description.")]
Event = Annotated[list[str] | None, typer.Option("--event", help="A kind to be told; may be given again. All else.")]


async def _endpoint(desk: Desk, named: str) -> dict[str, Any]:
    """The one endpoint that is meant; Wrong names those there are."""
    from hub.store import endpoints

    async with desk.tx() as tx:
        every = await endpoints.every(tx)
    wanted = named.strip().casefold()
    found = [row for row in every if str(row["id"]) == wanted] or [
        row for row in every if wanted and (wanted in row["url"].casefold() or wanted in row["description"].casefold())
    ]
    if len(found) == 1:
        return found[0]
    if not every:
        raise Wrong("there is no endpoint yet: `balcao events add URL` makes one.")
    known = ", ".join(f"{row['id']} ({_host(row)})" for row in found or every)
    raise Wrong(f"{'several endpoints answer' if found else 'no endpoint answers'} to {named!r}; there are: {known}.")


def _host(row: dict[str, Any]) -> str:
    from hub.events import host_of

    return host_of(row["url"])


async def _obeyed(asked: "Awaitable[Any]") -> Any:
    """What a flow answers; Wrong for what it refuses."""
    from jobs.events import EventRefused

    try:
        return await asked
    except EventRefused as refusal:
        raise Wrong(f"{refusal}.") from None


@app.command("kinds")
def kinds(*, as_json: page.AsJson = False) -> None:
    """List the kinds of events, and when there is one."""
    from hub.events import KINDS

    page.rows([{"event": name, "when": kind.when} for name, kind in KINDS.items()], ["event", "when"],
              as_json=as_json, empty="")  # fmt: skip


@app.command("list")
def list_(*, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List the endpoints and how each is doing."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import endpoints

        async with desk.tx() as tx:
            every = await endpoints.every(tx)
        return [{**row, "host": _host(row), "events": row["kinds"] or "all"} for row in every]

    page.rows(
        at_desk(seller, work),
        ["id", "host", "description", "events", "waiting", "failed", "failing_since", "succeeded_at", "disabled_why"],
        as_json=as_json,
        empty="There is no endpoint yet: `balcao events add URL` makes one.",
    )


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to, by https.")],
    *,
    event: Event = None,
    description: Annotated[str, typer.Option(help="Which program listens there.")] = "",
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Add an endpoint. Its secret is printed this once."""

    async def work(desk: Desk) -> dict[str, Any]:
        from jobs import events

        made = await _obeyed(events.add(desk.rt, desk.seller_id, url, events.kinds_of(event or []), description))
        return {"id": made.id, "secret": made.secret}

    _secret(at_desk(seller, work), as_json=as_json)


@app.command("rotate")
def rotate(named: Endpoint, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Give an endpoint a new secret, printed this once; for a day the one before signs too."""

    async def work(desk: Desk) -> dict[str, Any]:
        from jobs import events

        row = await _endpoint(desk, named)
        made = await _obeyed(events.rotate(desk.rt, desk.seller_id, row["id"]))
        return {"id": made.id, "secret": made.secret}

    _secret(at_desk(seller, work), as_json=as_json)


def _secret(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        page.write_json(told)
        return
    page.line(told["secret"])
    page.line(f"Keep it now: it is not shown again. The endpoint's id is {told['id']}.")


@app.command("switch")
def switch(
    named: Endpoint,
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Whether it is sent to from now on.")],
    seller: Seller = None,
) -> None:
    """Turn an endpoint off, or on again. What waits when it is turned off has failed: replay it."""

    async def work(desk: Desk) -> bool:
        from jobs import events

        row = await _endpoint(desk, named)
        return bool(await _obeyed(events.switch(desk.rt, desk.seller_id, row["id"], on=on)))

    done = at_desk(seller, work)
    page.line(f"It is {'on' if on else 'off'}{'' if done else ' already'}.")


@app.command("remove")
def remove(named: Endpoint, *, seller: Seller = None) -> None:
    """Remove an endpoint with its log."""

    async def work(desk: Desk) -> None:
        from jobs import events

        row = await _endpoint(desk, named)
        await _obeyed(events.remove(desk.rt, desk.seller_id, row["id"]))

    at_desk(seller, work)
    page.line("It is removed, and its log with it.")


@app.command("log")
def log(
    named: Endpoint,
    *,
    state: Annotated[str | None, typer.Option(help=f"One of {', '.join(STATES)}.")] = None,
    limit: page.Limit = 50,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List an endpoint's deliveries, the newest first."""
    if state is not None and state not in STATES:
        raise Wrong(f"--state {state!r} is not one of: {', '.join(STATES)}.")

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import endpoints

        row = await _endpoint(desk, named)
        async with desk.tx() as tx:
            return await endpoints.log(tx, row["id"], state=state, limit=limit)

    page.rows(
        at_desk(seller, work),
        ["id", "kind", "state", "reason", "attempts", "status", "problem", "ms", "tried_at", "due_at"],
        as_json=as_json,
        empty="Nothing was to be sent there yet.",
    )


@app.command("replay")
def replay(
    named: Endpoint,
    *,
    delivery: Annotated[UUID | None, typer.Option(metavar="ID", help="This one, as the log tells its id.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="All that failed since then, like 2026-03-04T12:00.")
    ] = None,
    seller: Seller = None,
) -> None:
    """Send again, with the same ids: one delivery, or what failed since a time."""
    from datetime import datetime

    if (delivery is None) == (since is None):
        raise Wrong("give --delivery ID or --since TIME, and not both.")
    try:
        at = datetime.fromisoformat(since).astimezone() if since else None
    except (ValueError, OverflowError):
        raise Wrong(f"--since {since!r} is no time: write it like 2026-03-04T12:00.") from None

    async def work(desk: Desk) -> int:
        from jobs import events

        row = await _endpoint(desk, named)
        if at is not None:
            return int(await _obeyed(events.replay_failed(desk.rt, desk.seller_id, row["id"], at)))
        if delivery is not None:
            await _obeyed(events.replay(desk.rt, desk.seller_id, delivery))
        return 1

    page.line(f"To be sent again: {at_desk(seller, work)}.")


@app.command("test")
def send_test(named: Endpoint, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Send a test event now and print what was answered."""

    async def work(desk: Desk) -> dict[str, Any]:
        from hub.store import endpoints
        from jobs import events
        from jobs.courier import Courier

        row = await _endpoint(desk, named)
        made = await _obeyed(events.test(desk.rt, desk.seller_id, row["id"]))
        await Courier(desk.rt).send_now(desk.seller_id, row["id"], made)
        async with desk.tx() as tx:
            tried = await endpoints.attempts(tx, made)
        return tried[-1] if tried else {"status": None, "problem": "under way", "ms": 0, "answer": ""}

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    answered = told["status"] or told["problem"]
    page.line(f"{'Taken' if told['problem'] is None else 'Not taken'}: {answered} after {told['ms']} ms.")
    if told["problem"] is not None and told["answer"]:
        page.line(page.word(told["answer"]))

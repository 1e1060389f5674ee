"""Where stock begins to count: openings from an account, and the instant that a count was true at."""

from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.ledger import instant
from hub.cli.refusals import Wrong

Words = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the noun `stock`."""
    app.command("open")(open_)
    app.command("since")(since)


def open_(
    *,
    source: Annotated[str, typer.Option("--from", metavar="ACCOUNT", help="By id, name or channel.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be opened, and do nothing.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Take the opening truth from an account: what it shows, plus what its own open orders hold."""

    async def work(desk: Desk) -> list[Words]:
        from jobs.opening import open_from, preview

        account = await desk.account(source)
        if dry_run:
            told = await preview(desk.rt, account)
            return [
                {"sku": row.sku, "shows": row.shows, "held": row.held, "opens_with": row.units, "places": row.places}
                for row in told
            ]
        done = await open_from(desk.rt, account)
        return [{"sku": row.sku, "before": row.before, "after": row.after, "opened": row.opened} for row in done]

    page.rows(
        at_desk(seller, work),
        ["sku", "shows", "held", "opens_with=opens with", "places"] if dry_run else ["sku", "before", "after"],
        as_json=as_json,
        empty="Nothing to open: every linked SKU is open already, or none is linked (`balcao link auto`).",
    )


def since(
    sku: str,
    when: Annotated[str, typer.Argument(metavar="WHEN", help="As in 2026-03-31T18:00; this machine's time zone.")],
    *,
    seller: Seller = None,
) -> None:
    """Say when a SKU's count was true: orders that left before then never move its stock, those after do."""
    at = instant(when, "WHEN")
    if at is None:
        raise Wrong("WHEN is empty: write it as in 2026-03-31T18:00.")

    async def work(desk: Desk) -> int:
        from jobs.opening import set_since

        return await set_since(desk.rt, desk.seller_id, sku.strip(), at)

    changed = at_desk(seller, work)
    page.line(f"{sku.strip()} counts since {page.word(at)}; {changed} orders moved it otherwise than before.")

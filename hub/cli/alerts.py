"""Alerts: what needs a person."""

from typing import Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk

app = typer.Typer(help="Alerts: what needs a person.")


@app.command("list")
def list_(*, limit: page.Limit = 100, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List open alerts, the most urgent first."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import alerts

        async with desk.tx() as tx:
            return await alerts.open_ones(tx, limit)

    told = at_desk(seller, work)
    if not as_json:
        for row in told:
            row["about"] = ", ".join(f"{name} {page.word(value)}" for name, value in row["params"].items())
    page.rows(
        told,
        ["severity", "kind", "about", "opened_at", "due_at"],
        as_json=as_json,
        empty="Nothing needs you.",
    )

"""Shortages: units sold that were not there, why, and what to do."""

from typing import Annotated, Any
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong
from hub.cli.stock import Language

app = typer.Typer(help="Shortages: units sold that were not there, why, and what to do.")
Lang = Annotated[Language, typer.Option("--lang", help="Of the explanation.")]
Words = dict[str, Any]


@app.command("list")
def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Those that were filled or let go, too.")] = False,
    limit: page.Limit = 50,
    lang: Lang = Language.PT,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List the shortages, newest first."""
    from hub.backoffice.oversell import NAMES, Cause

    async def work(desk: Desk) -> list[Words]:
        from hub.store import cases

        async with desk.tx() as tx:
            rows = await cases.every(tx, is_open=None if every else True, limit=limit)
        kept = ("id", "number", "account", "sku", "short", "units", "cause", "ship_by", "opened_at", "ended")
        return [
            {
                **{name: row[name] for name in kept},
                "why": NAMES[lang.value][Cause(row["cause"])] if row["cause"] else None,
            }
            for row in rows
        ]

    page.rows(
        at_desk(seller, work),
        ["id", "number=order", "account", "sku", "short", "why", "ship_by", "opened_at", "ended"],
        as_json=as_json,
        empty="Nothing is short.",
    )


@app.command("show")
def show(
    case_id: Annotated[UUID, typer.Argument(metavar="ID", help="As `balcao shortages list` tells it.")],
    *,
    lang: Lang = Language.PT,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show why a unit was sold that was not there, and the ways out."""

    async def work(desk: Desk) -> Words:
        from dataclasses import asdict

        from hub.backoffice import oversell
        from hub.backoffice import shortages as ways
        from jobs.shortages import one

        told = await one(desk.rt, desk.seller_id, case_id)
        if told is None:
            raise Wrong(f"there is no shortage {case_id}: `balcao shortages list --all` has them.")
        case = {name: value for name, value in told.case.items() if name not in {"evidence", "sku_id", "account_id"}}
        return {
            **case,
            "seconds": oversell.seconds(told.evidence),
            "why": oversell.explain(told.evidence, lang.value),
            "ways": [
                {"way": each.way, **each.params, "text": ways.explain(each, lang.value)} for each in told.remedies
            ],
            "costs": [{**asdict(each), "total": each.total} for each in told.costs],
            "evidence": asdict(told.evidence),
        }

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    state = told["ended"] or f"{told['short']} short"
    page.line(f"{told['number']} ({told['account']})  {told['sku']}: {state}")
    for line in told["why"]:
        page.line(f"  {line}")
    for each in told["ways"]:
        page.line(f"  → {each['text']}")

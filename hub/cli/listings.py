"""Listings: what channels sell, what they show and what they should show."""

from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, NamedAccount, Seller, at_desk

app = typer.Typer(help="Listings: what channels sell and show.")


@app.command("list")
def list_(
    *,
    account: NamedAccount = None,
    search: Annotated[str | None, typer.Option(help="A SKU, a ref, or a part of the title.")] = None,
    unlinked: Annotated[bool, typer.Option("--unlinked", help="Only those without a SKU.")] = False,
    limit: page.Limit = 200,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List listings with the number each shows and should show."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import lookup

        one = await desk.account(account) if account else None
        async with desk.tx() as tx:
            return await lookup.listings(tx, one.id if one else None, search, unlinked=unlinked, limit=limit)

    told = at_desk(seller, work)
    if not as_json:
        for row in told:
            row["price"] = page.money(row["price_cents"], row["currency"])
    page.rows(
        told,
        [
            "account",
            "ref",
            "variation_ref=variation",
            "title",
            "sku",
            "status",
            "price",
            "expected=shows",
            "desired=should show",
            "parked_reason=parked",
        ],
        as_json=as_json,
        empty="There is no listing: `balcao run listings` reads them.",
    )

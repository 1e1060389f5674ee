"""Links from channels' listings to the seller's SKUs."""

from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, NamedAccount, Seller, at_desk
from hub.cli.refusals import Wrong

app = typer.Typer(help="Links from channels' listings to the seller's SKUs.")
Named = Annotated[str, typer.Argument(metavar="LISTING", help='By id, the channel\'s ref, or "ref:variation".')]
Create = Annotated[bool, typer.Option("--create", help="Make SKUs that are not there.")]
COLUMNS = [
    "id",
    "account",
    "ref",
    "variation_ref=variation",
    "title",
    "channel_sku",
    "sku",
    "multiplier=x",
    "linked_by=by",
]


async def found(desk: Desk, named: str) -> dict[str, Any]:
    """The one listing of that name."""
    from hub.store import lookup

    async with desk.tx() as tx:
        rows = await lookup.listing(tx, named.strip())
    if not rows:
        raise Wrong(f"there is no listing {named!r}: `balcao listings list` names them.")
    if len(rows) > 1:
        ids = ", ".join(f"{row['id']} ({row['account']} {row['ref']}:{row['variation_ref'] or ''})" for row in rows[:5])
        raise Wrong(f"{len(rows)} listings answer to {named!r}: name one by its id: {ids}.")
    return rows[0]


@app.command("auto")
def auto(
    *,
    account: NamedAccount = None,
    create: Create = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Link every listing whose SKU code, or GTIN, one SKU has. Never by title."""

    async def work(desk: Desk) -> tuple[int, int]:
        from jobs.linking import autolink

        one = await desk.account(account) if account else None
        return await autolink(desk.rt, desk.seller_id, one.id if one else None, create=create)

    linked, left = at_desk(seller, work)
    if as_json:
        page.write_json({"linked": linked, "unlinked": left})
    else:
        page.line(f"{linked} listings linked, {left} left unlinked.")


@app.command("list")
def list_(
    *,
    unlinked: Annotated[bool, typer.Option("--unlinked", help="Only those without a SKU.")] = False,
    account: NamedAccount = None,
    limit: page.Limit = 200,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List listings with the SKU that each is linked to."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import lookup

        one = await desk.account(account) if account else None
        async with desk.tx() as tx:
            return await lookup.listings(tx, one.id if one else None, None, unlinked=unlinked, limit=limit)

    page.rows(at_desk(seller, work), COLUMNS, as_json=as_json, empty="There is no such listing.")


@app.command("set")
def set_(
    named: Named,
    sku: str,
    *,
    multiplier: Annotated[int, typer.Option(min=1, max=100_000, help="Units in one pack that it sells.")] = 1,
    create: Create = False,
    seller: Seller = None,
) -> None:
    """Link a listing to a SKU; orders that waited for the link are settled."""

    async def work(desk: Desk) -> dict[str, Any]:
        from jobs.linking import link

        row = await found(desk, named)
        await link(desk.rt, desk.seller_id, row["id"], sku.strip(), multiplier, create=create)
        return row

    row = at_desk(seller, work)
    page.line(f"{row['account']} {row['ref']} sells {multiplier} x {sku.strip()}.")


@app.command("unset")
def unset(named: Named, *, seller: Seller = None) -> None:
    """Unlink a listing: its stock is not touched any more."""

    async def work(desk: Desk) -> dict[str, Any]:
        from jobs.linking import link

        row = await found(desk, named)
        await link(desk.rt, desk.seller_id, row["id"], None)
        return row

    row = at_desk(seller, work)
    page.line(f"{row['account']} {row['ref']} is unlinked.")

"""Listings: what channels sell, what they show and what they should show."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, NamedAccount, Seller, at_desk
from hub.cli.refusals import Failed, Wrong

if TYPE_CHECKING:
    from hub.store.held import Wanted

Slot = Annotated[
    str | None, typer.Option("--slot", help="One slot, by its id, or the channel's ref of it or of a listing.")
]
Code = Annotated[
    str | None, typer.Option("--code", help="Only those parked with this code, as `listings parked` tells it.")
]
Every = Annotated[bool, typer.Option("--all", help="Every one.")]
Preview = Annotated[bool, typer.Option("--preview", help="Show what would be sent, and change nothing.")]
HELD = ["account", "ref", "location_ref=location", "sku"]
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


@app.command("parked")
def parked(
    *,
    account: NamedAccount = None,
    slot: Slot = None,
    code: Code = None,
    limit: page.Limit = 200,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List what is not written to because its channel refused it, with the reason and what would be sent."""
    told = at_desk(seller, lambda desk: _held(desk, "parked", account, slot, code, limit))
    page.rows(told, [*HELD, "parked_code=code", "parked_reason=reason", *_SENT], as_json=as_json, empty=NONE_PARKED)


@app.command("braked")
def braked(
    *,
    account: NamedAccount = None,
    slot: Slot = None,
    limit: page.Limit = 200,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List the zeros that the brake holds until somebody has looked at them."""
    told = at_desk(seller, lambda desk: _held(desk, "braked", account, slot, None, limit))
    page.rows(told, [*HELD, "cause", *_SENT], as_json=as_json, empty=NONE_BRAKED)


@app.command("unpark")
def unpark(
    *,
    account: NamedAccount = None,
    slot: Slot = None,
    code: Code = None,
    every: Every = False,
    preview: Preview = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Let parked slots try again: the workers look at each, then write it where it still differs."""
    _chosen(account, slot, code, every=every)

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from jobs.parked import unpark as let_try

        if preview:
            return await _held(desk, "parked", account, slot, code, None)
        return await let_try(desk.rt, desk.seller_id, await _wanted(desk, account, slot, code))

    told = at_desk(seller, work)
    page.rows(told, [*HELD, "parked_code=code", "parked_reason=reason", *_SENT], as_json=as_json, empty=NONE_PARKED)
    if told and not as_json:
        page.line(f"{len(told)} would be tried again." if preview else f"{len(told)} will be tried again.")


@app.command("replay")
def replay(
    *,
    account: NamedAccount = None,
    slot: Slot = None,
    code: Code = None,
    every: Every = False,
    preview: Preview = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Try parked slots again right here, and tell what came of each."""
    _chosen(account, slot, code, every=every)

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from jobs.parked import replay as try_now

        if preview:
            return await _held(desk, "parked", account, slot, code, None)
        return await try_now(desk.rt, desk.seller_id, await _wanted(desk, account, slot, code))

    told = at_desk(seller, work)
    columns = [*HELD, "parked_code=code", *(_SENT if preview else ("shows", "came=came of it", "reason_now=reason"))]
    page.rows(told, columns, as_json=as_json, empty=NONE_PARKED)
    again = [row["ref"] for row in told if row.get("came") == "parked"]
    if again:
        raise Failed(f"{len(again)} of {len(told)} were refused again: {', '.join(again[:5])}.")


@app.command("release")
def release(
    *,
    account: NamedAccount = None,
    slot: Slot = None,
    every: Every = False,
    preview: Preview = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Let braked zeros go out: you have looked at them, and they are meant."""
    if not (account or slot or every):
        raise Wrong("nothing is chosen: name an --account or a --slot, or give --all.")

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from jobs.parked import release as let_go

        if preview:
            return await _held(desk, "braked", account, slot, None, None)
        return await let_go(desk.rt, desk.seller_id, await _wanted(desk, account, slot, None))

    told = at_desk(seller, work)
    page.rows(told, [*HELD, "cause", *_SENT], as_json=as_json, empty=NONE_BRAKED)
    if told and not as_json:
        page.line(f"{len(told)} zeros {'would go' if preview else 'go'} out.")


_SENT = ("shows", "desired=should show", "would_send")
NONE_PARKED = "Nothing is parked."
NONE_BRAKED = "The brake holds nothing."


def _chosen(account: str | None, slot: str | None, code: str | None, *, every: bool) -> None:
    if not (account or slot or code or every):
        raise Wrong("nothing is chosen: name an --account, a --slot or a --code, or give --all.")


async def _wanted(desk: Desk, account: str | None, slot: str | None, code: str | None) -> "Wanted":
    from hub.store.held import Wanted

    one = await desk.account(account) if account else None
    return Wanted(account_id=one.id if one else None, ref=slot, code=code)


async def _held(
    desk: Desk, kind: str, account: str | None, slot: str | None, code: str | None, limit: int | None
) -> list[dict[str, Any]]:
    from jobs.parked import listed

    return await listed(desk.rt, desk.seller_id, kind, await _wanted(desk, account, slot, code), limit)

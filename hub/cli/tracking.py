"""Tracking: who follows a parcel, codes that are in no table, and parcels that nobody knows."""

from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

app = typer.Typer(help="Tracking: who follows a parcel, and what carriers told that is not understood yet.")


@app.command("codes")
def codes(*, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List the carriers' codes that are in no table yet, with counts and an example."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import tracking

        async with desk.tx() as tx:
            return await tracking.unknown_codes(tx)

    page.rows(
        at_desk(seller, work),
        ["carrier", "raw_code=code", "scans", "parcels", "first_at", "last_at", "example", "parcel"],
        as_json=as_json,
        empty="Every code that carriers told is understood.",
    )


@app.command("strays")
def strays(*, limit: page.Limit = 50, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List parcels that carriers told of and no order here has."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import tracking

        async with desk.tx() as tx:
            return await tracking.strays(tx, limit)

    page.rows(
        at_desk(seller, work),
        ["account", "channel", "code", "tellings", "last_at"],
        as_json=as_json,
        empty="Carriers told of no parcel that is not known here.",
    )


@app.command("learn")
def learn(*, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Read again what holds codes that were in no table: after an update of Balcão. Workers do it by themselves."""

    async def work(desk: Desk) -> dict[str, int]:
        from jobs import relearn

        return await relearn.seller(desk.rt, desk.seller_id)

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
    else:
        page.line(f"Understood now: {told['understood']}. Still kept: {told['kept']}.")


@app.command("follow")
def follow(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The parcel's tracking code.")],
    *,
    carrier: Annotated[str, typer.Option(metavar="ACCOUNT", help="The carrier's account, by id, name or channel.")],
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Say which carrier account follows a parcel: where several fit, or the channel named none."""

    async def work(desk: Desk) -> dict[str, Any]:
        from hub.store import tracking
        from jobs import follow as follow_flow

        account = await desk.account(carrier)
        if desk.rt.adapter(account.channel).tracking is None:
            raise Wrong(f"{account.name} ({account.channel}) is no carrier that can be asked about parcels.")
        async with desk.tx() as tx:
            ids = await tracking.coded(tx, code)
            if not ids:
                raise Wrong(f"no parcel under way has the code {code!r}: balcao shipments add says whose it is.")
            await follow_flow.choose(desk.rt, tx, account.id, dict.fromkeys(ids, code))
        desk.rt.ring("tracking", account.id)
        return {"code": code, "account": account.name, "parcels": len(ids)}

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
    else:
        page.line(f"{made['account']} follows {made['code']} from now on.")

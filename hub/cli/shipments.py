"""Shipments: parcels of orders, what carriers tell of them and what channels were told."""

import re
from typing import Annotated, Any
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.orders import Named, found
from hub.cli.refusals import Wrong

app = typer.Typer(help="Shipments: parcels and where they are.")
CODE = re.compile(r"[0-9A-Z][0-9A-Z./-]{4,63}")


@app.command("list")
def list_(
    *,
    status: Annotated[str | None, typer.Option(help="Only these, as in in_transit.")] = None,
    links: Annotated[bool, typer.Option("--links", help="With each parcel's page for its buyer.")] = False,
    limit: page.Limit = 50,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List the newest shipments."""
    from hub.model import TrackingStatus

    if status is not None and status not in set(TrackingStatus):
        raise Wrong(f"--status {status!r} is not one of: {', '.join(TrackingStatus)}.")

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import shipments

        async with desk.tx() as tx:
            told = await shipments.listed(tx, status=status, limit=limit)
        return [{**row, "link": _link(desk, row["id"])} for row in told]

    page.rows(
        at_desk(seller, work),
        [
            "account",
            "carrier",
            "tracking_code=code",
            "status",
            "last_event_at",
            "deliver_by",
            "delayed",
            "news_told=told",
            "news_parked=parked",
            "track_error=problem",
            "left_alone",
            *(["link"] if links else []),
        ],
        as_json=as_json,
        empty="There is no such shipment.",
    )


def _link(desk: Desk, shipment_id: UUID) -> str | None:
    """Its page for its buyer; None where BALCAO_PUBLIC_URL is not set: nobody could reach it."""
    from hub import parcel_link

    return parcel_link.address(desk.rt.policy.public_url, desk.rt.vault, desk.seller_id, shipment_id)


@app.command("show")
def show(
    named: Annotated[str, typer.Argument(metavar="CODE", help="The tracking code, or the shipment's id.")],
    *,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show a parcel: its scans, what its channel was told, and the page that its buyer may look at."""

    async def work(desk: Desk) -> dict[str, Any]:
        from hub.store import deadlines, shipments

        async with desk.tx() as tx:
            rows = await shipments.called(tx, named.strip())
            if not rows:
                raise Wrong(f"there is no shipment {named!r}: `balcao shipments list` shows those that there are.")
            if len(rows) > 1:
                ids = ", ".join(str(row["id"]) for row in rows)
                raise Wrong(f"{len(rows)} shipments have the code {named!r}: name one by its id: {ids}.")
            told = await deadlines.page_of(tx, rows[0]["id"]) or {}
        return {**rows[0], "deliver_by": told["deliver_by"], "link": _link(desk, rows[0]["id"]), "scans": told["scans"]}

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    page.line(f"{told['tracking_code'] or told['ref']}  {told['status'] or 'no word yet'}  ({told['carrier'] or '?'})")
    page.line(f"order     {', '.join(told['orders'] or ['–'])}  ({told['account']})")
    page.line(f"promised  {page.word(told['deliver_by'])}")
    page.line(f"told      {page.word(told['news_told'])}")
    page.line(f"buyer     {told['link'] or 'no page that a buyer could reach: BALCAO_PUBLIC_URL is not set'}")
    page.rows(
        told["scans"], ["at", "status", "place", "state", "description"], as_json=False, empty="No scan so far."
    )  # fmt: skip


@app.command("add")
def add(
    named: Named,
    *,
    carrier: Annotated[str, typer.Option(metavar="ACCOUNT", help="The carrier's account, by id, name or channel.")],
    code: Annotated[str, typer.Option(help="The tracking code.")],
    service: Annotated[str | None, typer.Option(help="As in SEDEX.")] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Say that an order left with a carrier: it is tracked from now on, and its channel is told."""
    bare = re.sub(r"\s", "", code).upper()
    if not CODE.fullmatch(bare):
        raise Wrong(f"--code {code!r} is not a tracking code.")

    async def work(desk: Desk) -> dict[str, Any]:
        from hub.model import Shipment
        from hub.store import orders, shipments, stock

        rt = desk.rt
        account = await desk.account(carrier)
        adapter = rt.adapter(account.channel)
        if adapter.tracking is None:
            raise Wrong(f"{account.name} ({account.channel}) is no carrier that can be asked about parcels.")
        order = await found(desk, named)
        if order["status"] == "cancelled":
            raise Wrong(f"order {order['number'] or order['ref']} is cancelled.")
        # The code is the ref: a channel that tells the same parcel back means this row.
        told = Shipment(ref=bare, carrier=adapter.label, service=service, tracking_code=bare)
        async with desk.tx() as tx:
            made = await shipments.add(tx, order["account_id"], order["id"], told, account.id, rt.now())
            await orders.event(tx, order["id"], "shipment_added", code=bare, carrier=adapter.label)
            await stock.audit(tx, "shipment_add", str(made), order=str(order["id"]), code=bare)
        rt.ring("shipments", order["account_id"])
        rt.ring("tracking", account.id)
        return {"id": made, "order_id": order["id"], "order": order["number"] or order["ref"], "code": bare}

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
    else:
        page.line(f"{made['code']} carries order {made['order']}; its channel will be told.")

"""Shipments: parcels of orders, what carriers tell of them and what channels were told."""

import re
from typing import Annotated, Any

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
            return await shipments.listed(tx, status=status, limit=limit)

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
        ],
        as_json=as_json,
        empty="There is no such shipment.",
    )


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

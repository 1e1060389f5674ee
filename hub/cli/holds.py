"""From when an account's orders hold stock: `balcao account holds`."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk


class Since(StrEnum):
    """From when on."""

    PLACED = "placed"
    PAID = "paid"
    DEFAULT = "default"


def holds(
    named: Annotated[str, typer.Argument(metavar="ACCOUNT", help="By id, name or channel.")],
    *,
    since: Annotated[
        Since | None, typer.Option("--from", help="Orders hold stock once placed, or paid; default: BALCAO_HOLD_FROM.")
    ] = None,
    expire_hours: Annotated[
        int | None, typer.Option(min=0, help="Hours after which an unpaid order holds nothing any more; 0: no end.")
    ] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Say from when an account's orders hold stock, and for how long unpaid ones do; without options, show it."""

    async def work(desk: Desk) -> dict[str, Any]:
        from hub.model import Status
        from jobs.holds import set_holds

        account = await desk.account(named)
        chosen = None if since in (None, Since.DEFAULT) else Status(since.value)
        known, hours, looked = await set_holds(
            desk.rt, account, since=chosen, default=since is Since.DEFAULT, hours=expire_hours
        )
        return {"account": account.name, "hold_from": known.value, "expire_hours": hours, "orders": looked}

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    end = f"; unpaid ones for {told['expire_hours']:g} hours" if told["expire_hours"] else ""
    looked = f" ({told['orders']} unpaid orders looked at)" if told["orders"] else ""
    page.line(f"{told['account']}: orders hold stock once {told['hold_from']}{end}{looked}")


def add_to(app: typer.Typer) -> None:
    """The verb of `balcao account` that stands here."""
    app.command("holds")(holds)

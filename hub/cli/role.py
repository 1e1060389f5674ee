"""What an account is to the stock, and its end."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.account import Named
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import tell

Words = dict[str, Any]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")]


class Role(StrEnum):
    """What an account is to the stock."""

    TARGET = "target"
    SOURCE = "source"
    NONE = "none"


class Told(StrEnum):
    """How a source comes to know what other channels sold."""

    DECREMENT = "decrement"
    ORDERS = "orders"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the noun `account`."""
    app.command("role")(role)
    app.command("close")(close)


def role(
    named: Named,
    wanted: Annotated[Role, typer.Argument(metavar="ROLE", help="target, source or none.")],
    *,
    told: Annotated[
        Told | None,
        typer.Option(
            help="Of a source, how it knows of sales elsewhere: decrement (the hub writes it what is free; the "
            "default) or orders (it imports them itself, and is never written to; an ERP's default)."
        ),
    ] = None,
    yes: Yes = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show what another role in the stock would change, and give it with --yes.

    A target is told the hub's numbers; the source's numbers are the truth, and there is one at most; none: neither.
    """

    async def work(desk: Desk) -> tuple[str, str, list[Words]]:
        from jobs import roles

        account = await desk.account(named)
        rows: list[Words] = []
        if wanted is Role.SOURCE:
            rows = [
                {"sku": row.sku, "shows": row.shows, "held": row.held, "on_hand": row.on_hand, "becomes": row.units}
                for row in await roles.rehearse_source(desk.rt, account)
                if row.units != row.on_hand or not row.opened
            ]
        elif wanted is Role.TARGET:
            _counts, told_ = await roles.rehearse_target(desk.rt, account)
            rows = [
                {name: row[name] for name in ("change", "ref", "sku", "shows", "desired")}
                for row in told_
                if row["change"] != "same"
            ]
        if yes:
            await roles.switch(desk.rt, account, wanted.value, told.value if told else None)
        return account.name, account.stock_role, rows

    name, before, rows = at_desk(seller, work)
    if as_json:
        page.write_json({"account": name, "before": before, "role": wanted.value, "done": yes, "changes": rows})
        return
    columns = {
        Role.SOURCE: ["sku", "shows", "held", "on_hand=on hand", "becomes"],
        Role.TARGET: ["change", "ref", "sku", "shows", "desired=would get"],
        Role.NONE: [],
    }[wanted]
    page.rows(rows, columns, as_json=False, empty="No number would change.")
    if yes:
        page.line(f"{name} is {wanted.value}.")
    else:
        page.line(f"{name} is {before}; with --yes it becomes {wanted.value}. Nothing is changed.")


def close(named: Named, *, yes: Yes = False, seller: Seller = None) -> None:
    """Disconnect an account for good: webhooks unregistered, credentials deleted, history kept."""

    async def work(desk: Desk) -> tuple[str, UUID, Any]:
        from jobs import roles

        account = await desk.account(named)
        return account.name, account.id, await roles.close(desk.rt, account) if yes else None

    name, account_id, done = at_desk(seller, work)
    if done is None:
        page.line(f"{name} would be closed: nothing is read or written there any more, its credentials are deleted.")
        page.line("Its orders, listings and numbers stay for their history. With --yes it is done.")
        return
    if done.problem:
        tell(f"its webhooks could not be unregistered ({done.problem}): remove them in the channel's own panel")
    page.line(f"{name} is closed; {len(done.unsubscribed)} webhooks unregistered.")
    if done.open_orders:
        page.line(f"{done.open_orders} open orders keep their units: nobody tells of them any more.")
        page.line(f"Say what became of them with `balcao account settle-orders {account_id}`.")

"""Open orders of a disconnected account, and what became of them."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.account import Named
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong, tell

if TYPE_CHECKING:
    from hub.store.accounts import Account

Words = dict[str, Any]
PIECE = 500


class Became(StrEnum):
    """As hub.stranded.Outcome has it."""

    CANCELLED = "cancelled"
    SENT = "sent"
    OPEN = "open"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the noun `account`."""
    app.command("open-orders")(open_orders)
    app.command("settle-orders")(settle_orders)


async def _named(desk: Desk, named: str) -> "Account":
    """The account of that id or name, disconnected ones among them."""
    from hub.store import accounts

    wanted = named.strip().casefold()
    async with desk.tx() as tx:
        every = await accounts.every(tx)
    for told in (lambda a: str(a.id), lambda a: a.name.casefold()):
        found = [each for each in every if told(each) == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            raise Wrong(f"{len(found)} accounts are called {named!r}: name one by its id: "
                        f"{', '.join(f'{each.id} ({each.channel}, {each.status})' for each in found)}.")  # fmt: skip
    return await desk.account(named)


def open_orders(named: Named, *, limit: page.Limit = 200, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List an account's orders that hold units or wait for some, and where their goods may be."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import stranded

        account = await _named(desk, named)
        async with desk.tx() as tx:
            rows = await stranded.listed(tx, account.id, limit=limit)
            others = await stranded.followed(tx, [row["id"] for row in rows])
        told = []
        for row in rows:
            other = others.get(row["id"])
            hands = [name for name in ("packed", "labelled", "moving") if row[name]]
            same = [f"{other['account']} {other['number']} ({other['status']})"] if other else []
            told.append({**row, "goods": hands + same})
        return told

    rows = at_desk(seller, work)
    page.rows(rows, ["id", "number", "status", "placed_at=placed", "units", "short", "goods=where its goods may be"],
              as_json=as_json, empty="No order of it holds a unit or waits for one.")  # fmt: skip


def settle_orders(
    named: Named,
    orders: Annotated[list[str] | None, typer.Argument(metavar="[ORDER ...]", help="By number, ref, or id.")] = None,
    *,
    became: Annotated[
        Became,
        typer.Option(
            help="cancelled: not sent, units are for sale again; sent: units leave the stock; open: undoes cancelled."
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")],
    everything: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")] = False,
    seller: Seller = None,
) -> None:
    """Say what became of a disconnected account's open orders, whose channel tells of them no more.

    With `--became cancelled`, what is packed, labelled, under way or told by a live account stays as it is.
    """
    if everything == bool(orders):
        raise Wrong("name the orders, or say --all.")

    async def work(desk: Desk) -> tuple[int, list[str], int]:
        from hub.stranded import Outcome
        from jobs import stranded

        account = await _named(desk, named)
        ids: list[UUID] | None = None if everything else [await _order(desk, account, each) for each in orders or ()]
        outcome = Outcome(became.value)
        if not yes:
            return await _would(desk, account, ids, outcome)
        settled, stays = 0, list[str]()
        while True:
            done = await stranded.settle(desk.rt, account, ids, outcome, reason)
            settled, stays = settled + done.settled, [str(each) for each in done.stays]
            if ids is not None or done.settled < stranded.MOST:
                return settled, stays, done.left

    settled, stays, left = at_desk(seller, work)
    for each in stays:
        tell(each)
    if yes:
        page.line(f"{settled} orders: {became.value}. {left} are still open.")
    else:
        page.line(f"{settled} orders would be {became.value}, {len(stays)} stay. With --yes it is done.")


async def _order(desk: Desk, account: "Account", named: str) -> UUID:
    """The account's order of that number, ref or id: other accounts may have one of that number too."""
    from hub.store import orders

    async with desk.tx() as tx:
        told = [await orders.detail(tx, id_) for id_ in await orders.find(tx, named.strip())]
    ids = [row["id"] for row in told if row and row["account_id"] == account.id]
    if len(ids) != 1:
        raise Wrong(f"{len(ids)} orders of {account.name} answer to {named!r}: `balcao account open-orders` shows ids.")
    found: UUID = ids[0]
    return found


async def _would(desk: Desk, account: "Account", ids: list[UUID] | None, outcome: Any) -> tuple[int, list[str], int]:
    from hub.store import stranded
    from jobs.stranded import Stays, stays_of

    going, stays, after = 0, list[str](), None
    async with desk.tx() as tx:
        if not await stranded.is_closed(tx, account.id):
            raise Stays("live")
        while rows := await stranded.listed(tx, account.id, after=after, only=ids, limit=PIECE):
            others = await stranded.followed(tx, [row["id"] for row in rows])
            refusals = [stays_of(row, outcome, others.get(row["id"])) for row in rows]
            stays += [str(each) for each in refusals if each]
            going, after = going + refusals.count(None), rows[-1]["id"]
    return going, stays, 0

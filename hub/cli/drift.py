"""Differences between what channels show and what the hub reckons."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.desk import Desk, NamedAccount, Seller, at_desk
from hub.cli.refusals import Wrong
from hub.drift import Drift, State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

app = typer.Typer(help="Differences between what channels show and what the hub reckons.")
Ids = Annotated[list[UUID] | None, typer.Argument(metavar="ID...", help="Which, as `drift list` names them.")]
Every = Annotated[bool, typer.Option("--all", help="Every proposal.")]
COLUMNS = [
    "id", "account", "ref", "title", "class", "direction", "seen", "expected", "desired", "suggested_sku=names",
    "state", "count=times", "first_seen_at=since",
]  # fmt: skip


@app.command("list")
def list_(
    *,
    state: Annotated[State | None, typer.Option("--state", help="Only these; else every open one.")] = None,
    class_: Annotated[Drift | None, typer.Option("--class", help="Only this class, like external_edit.")] = None,
    account: NamedAccount = None,
    limit: page.Limit = 100,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List open differences, the newest first."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import drift

        one = await desk.account(account) if account else None
        async with desk.tx() as tx:
            return await drift.listed(
                tx, state=state, account_id=one.id if one else None, class_=class_, limit=limit
            )  # fmt: skip

    page.rows(at_desk(seller, work), COLUMNS, as_json=as_json, empty="Nothing differs.")


@app.command("accept")
def accept(
    ids: Ids = None,
    *,
    every: Every = False,
    account: NamedAccount = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Put differences right: write the hub's number, or link the listing to the SKU that it names."""
    from jobs import proposals

    _decide(ids or [], proposals.accept, every, account, seller, as_json=as_json, word="accepted")


@app.command("dismiss")
def dismiss(
    ids: Ids = None,
    *,
    every: Every = False,
    account: NamedAccount = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Leave differences as they are, until they are others: the number stands until the hub computes another one."""
    from jobs import proposals

    _decide(ids or [], proposals.dismiss, every, account, seller, as_json=as_json, word="dismissed")


def _decide(
    ids: Sequence[UUID],
    deed: "Callable[..., Awaitable[dict[str, Any]]]",
    every: bool,  # noqa: FBT001 - the option, handed on
    account: str | None,
    seller: str | None,
    *,
    as_json: bool,
    word: str,
) -> None:
    if bool(ids) == every:
        raise Wrong("name differences by their ids, or all proposals with --all.")

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import drift

        one = await desk.account(account) if account else None
        chosen = list(ids)
        if every:
            async with desk.tx() as tx:
                chosen = await drift.proposed(tx, one.id if one else None)
        return [await deed(desk.rt, desk.seller_id, id_) for id_ in chosen]

    done = at_desk(seller, work)
    if as_json:
        page.write_json([{"id": row["id"], "class": row["class"], "ref": row["ref"], "done": word} for row in done])
        return
    for row in done:
        page.line(f"{row['account']} {row['ref']}: {row['class']} {word}.")
    if not done:
        page.line("Nothing is proposed.")


@app.command("policy")
def policy(
    class_: Annotated[str | None, typer.Argument(metavar="CLASS", help="Of which class.")] = None,
    wanted: Annotated[str | None, typer.Argument(metavar="POLICY", help="repair, propose or ignore.")] = None,
    *,
    account: NamedAccount = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show what accounts do about each class of difference, or set it."""
    if class_ and not wanted:
        raise Wrong(f"give a policy too: balcao drift policy {class_} repair, propose or ignore.")

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.drift import policies_of
        from jobs import proposals

        told = []
        for one in await desk.chosen(account):
            if class_ and wanted:
                held = await proposals.set_policy(desk.rt, one, class_, wanted)
            else:
                held = policies_of(one.settings)
            told.append({"account": one.name, "account_id": one.id, "policies": held})
        return told

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    for row in told:
        page.line(f"{row['account']}: " + ", ".join(f"{name} {policy}" for name, policy in row["policies"].items()))

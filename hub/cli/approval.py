"""What an account would get, slot by slot and why; and which slots a person lets be written."""

import csv
import io
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from hub.approval import EVERYTHING, Change, Scope, scope
from hub.cli import page
from hub.cli.account import Named
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong
from hub.sheets import cell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Words = dict[str, Any]
Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help="all (when not given), no-decrease, category:NAME, sku:CODE[,CODE] or listing:REF[,REF]; repeat it.",
    ),
]
SHEET = (
    "change", "ref", "variation_ref", "title", "channel_sku", "sku", "multiplier", "category", "shows", "desired",
    "approved_at", "status", "managed_by", "twins", "shares", "why",
)  # fmt: skip


class Wanted(StrEnum):
    """Which rows of a preview."""

    ZERO = "zero"
    LESS = "less"
    MORE = "more"
    UNOPENED = "unopened"
    UNLINKED = "unlinked"
    MARKETPLACE = "marketplace"
    SAME = "same"
    DUPLICATE = "duplicate"


class Language(StrEnum):
    """Of the explanation."""

    PT = "pt-BR"
    EN = "en"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the noun `account`."""
    app.command("preview")(preview)
    app.command("approve")(approve)
    app.command("revoke")(revoke)


def _scopes(told: list[str] | None) -> list[Scope]:
    try:
        return [scope(word) for word in told or ["all"]]
    except ValueError as problem:
        raise Wrong(str(problem)) from None


def preview(
    named: Named,
    *,
    only: Annotated[Wanted | None, typer.Option("--only", help="Only slots of this change.")] = None,
    after: Annotated[UUID | None, typer.Option("--after", help="Go on after the slot of this id.")] = None,
    limit: page.Limit = 100,
    why: Annotated[bool, typer.Option("--why", help="Say for each slot how its number comes about.")] = False,
    lang: Annotated[Language, typer.Option(help="Of the explanation.")] = Language.PT,
    file: Annotated[Path | None, typer.Option("--csv", help="Write every slot to this CSV file; - is stdout.")] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show what an account shows now and what it would get once it is approved; zeros come first."""
    if file is not None and (after is not None or as_json):
        raise Wrong("--csv writes every slot: give it without --after and --json.")
    change = only.value if only else None

    async def work(desk: Desk) -> tuple[dict[str, int], list[Words]]:
        from hub.store import approvals
        from jobs import approval

        account = await desk.account(named)
        async with desk.tx() as tx:
            counts = await approvals.counts(tx, account.id)
        if file is not None:
            told = approval.whole_preview(desk.rt, account, change, lang.value)
            return counts, [{"written": await _write_sheet(file, told)}]
        shown = await approval.preview(desk.rt, account, change=change, after=after, limit=limit, locale=lang.value)
        return counts, shown

    counts, shown = at_desk(seller, work)
    if as_json:
        page.write_json(shown)
    elif file is None:
        _tell(counts, shown, limit, why=why)
    elif str(file) != "-":
        page.line(f"{shown[0]['written']} slots written to {file}.")


def _tell(counts: dict[str, int], shown: list[Words], limit: int, *, why: bool) -> None:
    if not sum(counts.values()):
        page.line("No listing of this account is known yet: `balcao run listings` reads them.")
        return
    page.line(", ".join(f"{change}: {counts.get(change, 0)}" for change in (*Change, "duplicate", "approved")))
    heads = ("change", "ref", "variation_ref=variation", "title", "channel_sku", "sku", "shows", "desired=would get")
    page.rows(shown, (*heads, "twins", "approved_at=approved"), as_json=False, empty="No slot is of this kind.")
    for row in shown if why else ():
        page.line(f"{row['ref']}{':' + row['variation_ref'] if row['variation_ref'] else ''}")
        for sentence in row["why"]:
            page.line(f"    {sentence}")
    if len(shown) == limit:
        page.line(f"More with --after {shown[-1]['id']}")


async def _write_sheet(file: Path, told: "AsyncIterator[Words]") -> int:
    """Every row of a preview as CSV, as spreadsheets in Brazil open it: UTF-8 with its mark, semicolons."""
    text, count = io.StringIO(newline=""), 0
    out = csv.writer(text, delimiter=";")
    out.writerow(SHEET)
    async for row in told:
        out.writerow([_cell(row[name]) for name in SHEET])
        count += 1
    page.write_file(file, text.getvalue().encode("utf-8-sig"))
    return count


def _cell(value: object) -> str:
    return cell(" ".join(map(str, value)) if isinstance(value, list) else value)


def approve(
    named: Named, *, scopes: Scopes = None, seller: Seller = None, as_json: page.AsJson = False
) -> None:  # fmt: skip
    """Let the hub write to an account, or to some of its slots: their stock numbers go out from now on.

    Approved as a whole, what is listed there later is approved with it; else it waits for you.
    """
    chosen = _scopes(scopes)

    async def work(desk: Desk) -> Words:
        from hub.store import approvals
        from jobs import approval

        account = await desk.account(named)
        fell_due = await approval.approve(desk.rt, account, chosen)
        async with desk.tx() as tx:
            counts = await approvals.counts(tx, account.id)
        total = sum(counts.get(change, 0) for change in Change)
        return {
            "id": account.id, "name": account.name, "due": fell_due, "approved": counts["approved"], "slots": total,
        }  # fmt: skip

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
    else:
        page.line(
            f"{told['name']} is live; {told['approved']} of {told['slots']} slots are approved, "
            f"{told['due']} stock numbers fall due."
        )


def revoke(named: Named, *, scopes: Scopes = None, seller: Seller = None) -> None:
    """Take an approval back: these slots are written no more. All of them: the account is in preview again."""
    chosen = _scopes(scopes)

    async def work(desk: Desk) -> tuple[str, int]:
        from jobs import approval

        account = await desk.account(named)
        return account.name, await approval.revoke(desk.rt, account, chosen)

    name, count = at_desk(seller, work)
    back = "; it is in preview again" if EVERYTHING in chosen else ""
    page.line(f"{name}: {count} slots are written no more{back}.")

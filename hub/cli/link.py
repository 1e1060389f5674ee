"""Links from channels' listings to the seller's SKUs."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.approval import Language
from hub.cli.desk import Desk, NamedAccount, Seller, at_desk
from hub.cli.refusals import Failed, Wrong, tell

if TYPE_CHECKING:
    from hub.stock_sheet import Trouble
    from jobs.linking import Linked
    from jobs.linking_file import Plan

app = typer.Typer(help="Links from channels' listings to the seller's SKUs.")
Named = Annotated[str, typer.Argument(metavar="LISTING", help='By id, the channel\'s ref, or "ref:variation".')]
Create = Annotated[bool, typer.Option("--create", help="Make SKUs that are not there.")]
Lang = Annotated[Language, typer.Option(help="Of the reasons.")]
Words = dict[str, Any]
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
    """Link every listing whose SKU code, or valid GTIN, one SKU has. Never by title."""

    async def work(desk: Desk) -> "Linked":
        from jobs.linking import autolink

        one = await desk.account(account) if account else None
        return await autolink(desk.rt, desk.seller_id, one.id if one else None, create=create)

    done = at_desk(seller, work)
    if as_json:
        page.write_json({"linked": done.linked, "unlinked": done.left, "refused": done.refused})
        return
    for sentence in done.refused:
        tell(sentence)
    page.line(f"{done.linked} listings linked, {done.left} left unlinked.")
    if done.left:
        page.line("Likely SKUs for the rest: balcao link suggest, or balcao link export FILE.")


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


# ── suggestions ─────────────────────────────────────────────────────────────────────────────────────────────


@app.command("suggest")
def suggest(
    named: Annotated[str | None, typer.Argument(metavar="LISTING", help="One listing; all unlinked when none.")] = None,
    *,
    account: NamedAccount = None,
    after: Annotated[UUID | None, typer.Option("--after", help="Go on after the listing of this id.")] = None,
    limit: page.Limit = 50,
    lang: Lang = Language.PT,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show for unlinked listings which SKUs they may be, how likely and why. Nothing is linked."""

    async def work(desk: Desk) -> list[Words]:
        from jobs import linking

        one = await desk.account(account) if account else None
        row = await found(desk, named) if named else None
        if row is not None and row["sku_id"] is not None:
            raise Wrong(f"{row['account']} {row['ref']} is linked already: `balcao link unset` unlinks it.")
        told = await linking.suggest(
            desk.rt, desk.seller_id, one.id if one else None, after=after, limit=limit,
            listing_id=row["id"] if row else None,
        )  # fmt: skip
        return [
            {
                **listing,
                "suggestions": [
                    {"sku": s.code, "score": s.score, "multiplier": s.multiplier, "why": s.explain(lang.value)}
                    for s in likely
                ],
            }
            for listing, likely in told
        ]

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    for row in told:
        page.line(f"{row['account']} {_called(row)}  {page.word(row['title'])}  [{page.word(row['channel_sku'])}]")
        for one in row["suggestions"]:
            units = f" x {one['multiplier']}?" if one["multiplier"] > 1 else ""
            page.line(f"    {one['score']:>3}  {one['sku']}{units}  {page.word(one['why'])}")
        if not row["suggestions"]:
            page.line("      –  nothing is like it")
    if not told:
        page.line("Every listing is linked.")
    elif len(told) == limit:
        page.line(f"More with --after {told[-1]['id']}")


def _called(row: Words) -> str:
    return f"{row['ref']}:{row['variation_ref']}" if row["variation_ref"] else str(row["ref"])


@app.command("accept")
def accept(
    named: Named,
    *,
    sku: Annotated[str | None, typer.Option(help="One of the suggested; the likeliest when not given.")] = None,
    multiplier: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Asked for where the title speaks of a pack.")
    ] = None,
    seller: Seller = None,
) -> None:
    """Link a listing to the SKU that is suggested for it."""

    async def work(desk: Desk) -> tuple[Words, str, int]:
        from jobs import linking

        row = await found(desk, named)
        told = await linking.suggest(desk.rt, desk.seller_id, listing_id=row["id"], most=10)
        likely = [one for one in (told[0][1] if told else []) if sku in (None, one.code)]
        if not likely:
            raise Wrong(f"{sku or 'no SKU'} is suggested for {row['ref']}: link it with `balcao link set`.")
        best = likely[0]
        if multiplier is None and best.multiplier > 1:
            raise Wrong(f"{best.reasons[-1].explain('en')}: give --multiplier {best.multiplier}, or --multiplier 1.")
        await linking.link(desk.rt, desk.seller_id, row["id"], best.code, multiplier or 1)
        return row, best.code, multiplier or 1

    row, code, units = at_desk(seller, work)
    page.line(f"{row['account']} {row['ref']} sells {units} x {code}.")


@app.command("duplicates")
def duplicates(*, limit: page.Limit = 200, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Show what is there twice: codes in two cases, GTINs on two SKUs, listings that share or repeat a code."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import links

        async with desk.tx() as tx:
            return await links.duplicates(tx, limit)

    page.rows(at_desk(seller, work), ["kind", "name", "places"], as_json=as_json, empty="Nothing is there twice.")


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="CSV to write; - is stdout.")],
    *,
    unlinked: Annotated[bool, typer.Option("--unlinked", help="Only those without a SKU.")] = False,
    account: NamedAccount = None,
    lang: Lang = Language.PT,
    seller: Seller = None,
) -> None:
    """Write every listing with its link, or the likeliest SKU, to a CSV file, for a person to fill in."""
    from hub.link_sheet import write_rows

    async def work(desk: Desk) -> list[Any]:
        from jobs import linking

        one = await desk.account(account) if account else None
        told = linking.sheet(desk.rt, desk.seller_id, one.id if one else None, unlinked_only=unlinked)
        return [row async for row in told]

    told = at_desk(seller, work)
    page.write_file(file, write_rows(told, lang.value))
    if str(file) != "-":
        page.line(f"{len(told)} listings written to {file}.")


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV with columns listing and sku, as `link export` writes; - is stdin.")
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    create: Create = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Write the good rows though others are wrong.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Link, relink and unlink from a CSV file. If any row is wrong nothing is written, unless --skip-bad."""
    from hub.link_sheet import read_rows
    from hub.stock_sheet import Unusable

    try:
        rows, troubles, silent = read_rows(page.read_file(file))
    except Unusable as problem:
        raise Wrong(str(problem)) from None

    async def work(desk: Desk) -> "tuple[Plan, int]":
        from jobs import linking_file

        asked = [linking_file.Asked(**asdict(row)) for row in rows]
        plan = await linking_file.plan(desk.rt, desk.seller_id, asked, create=create)
        wrong = bool(troubles or plan.wrong)
        if dry_run or (wrong and not skip_bad):
            return plan, 0
        return plan, await linking_file.carry_out(desk.rt, desk.seller_id, plan)

    plan, done = at_desk(seller, work)
    from hub.stock_sheet import Trouble

    wrong = sorted([*troubles, *(Trouble(line, said) for line, said in plan.wrong.items())], key=lambda t: t.line)
    _report(plan, wrong, done, silent, as_json=as_json)
    if wrong and not skip_bad:
        raise Wrong(f"{len(wrong)} of {len(rows) + len(troubles)} rows are wrong: nothing is written.")
    if plan.refused:
        raise Failed(f"{len(plan.refused)} links were refused while they were written.")
    if not as_json:
        page.line("Nothing is written, as --dry-run asks." if dry_run else f"{done} links written.")


def _report(plan: "Plan", wrong: "list[Trouble]", done: int, silent: int, *, as_json: bool) -> None:
    counts = {kind: len(rows) for kind, rows in plan.by_kind().items()}
    if as_json:
        errors = [{"line": each.line, "message": each.message} for each in wrong]
        page.write_json({**counts, "silent": silent, "written": done, "errors": errors, "refused": plan.refused})
        return
    for each in wrong:
        tell(f"line {each.line}: {each.message}")
    for sentence in plan.refused:
        tell(sentence)
    page.line(", ".join(f"{kind}: {count}" for kind, count in counts.items()) + f", nothing asked: {silent}")

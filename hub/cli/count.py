"""Counting a warehouse (inventário): `balcao count open`, `enter`, `import`, `report`, `post`, `cancel`, `list`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.ledger import MOST, instant
from hub.cli.refusals import Wrong, tell
from hub.cli.stock_files import save

if TYPE_CHECKING:
    from hub.stocktake import Line
    from hub.store.counting import Count

app = typer.Typer(help="Counting a warehouse: opened, entered, reported, posted.")
Words = dict[str, Any]
Number = Annotated[int, typer.Argument(min=1, metavar="COUNT", help="Its number, as `count list` shows it.")]
CountedAt = Annotated[
    str | None, typer.Option("--counted-at", help="When it was counted, as in 2026-03-04T15:30; now when not given.")
]
Minutes = Annotated[
    int,
    typer.Option("--window", min=0, max=1440, help="Minutes around the counting when nothing should move."),
]


@app.command("open")
def open_(
    *,
    warehouse: Annotated[str | None, typer.Option(help="Its code; the first by rank when not given.")] = None,
    category: Annotated[str | None, typer.Option(help="Only SKUs of this category.")] = None,
    sku: Annotated[list[str] | None, typer.Option(help="Only this SKU; repeat it.")] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Whoever counts is not told what the book says.")] = False,
    note: Annotated[str, typer.Option(help="What it is for; it stands in the history.")] = "",
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Open a count of a warehouse: of all SKUs, of a category, or of those named."""
    if category is not None and sku:
        raise Wrong("--category and --sku: give one of them.")

    async def work(desk: Desk) -> int:
        from jobs.stocktake import open_count

        codes = [code.strip() for code in sku] if sku else None
        return await open_count(
            desk.rt, desk.seller_id, warehouse=warehouse, codes=codes, category=category, blind=blind, note=note
        )

    number = at_desk(seller, work)
    if as_json:
        page.write_json({"count": number})
    else:
        page.line(f"count {number} is open: balcao count enter {number} SKU N, or balcao count import {number} FILE")


@app.command("enter")
def enter(
    number: Number,
    sku: str,
    units: Annotated[int, typer.Argument(metavar="N", min=0, max=MOST, help="Units that stand there.")],
    *,
    counted_at: CountedAt = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Note what was counted of a SKU, reserved units included; again replaces what was said before."""
    at = instant(counted_at, "--counted-at")

    async def work(desk: Desk) -> Words:
        from hub.stock_sheet import Row
        from jobs.stocktake import enter as entered
        from jobs.stocktake import report as reported

        lines, wrong = await entered(desk.rt, desk.seller_id, number, [Row(1, sku.strip(), units, None)], counted_at=at)
        if wrong:
            raise Wrong(f"{wrong[0].message}.")
        count, _lines = await reported(desk.rt, desk.seller_id, number)
        return row_of(lines[0], hidden=count.blind)

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    book = "" if told["book"] is None else f" (book {told['book']}, {told['variance']:+d})"
    page.line(f"{told['sku']}: {told['units']} noted{book}")


@app.command("import")
def import_(
    number: Number,
    file: Annotated[Path, typer.Argument(help="CSV with columns sku and quantity; - is stdin.")],
    *,
    counted_at: CountedAt = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Note what was counted from a CSV file. If any row is wrong nothing is noted."""
    from hub.stock_sheet import Unusable, read_rows

    at = instant(counted_at, "--counted-at")
    try:
        rows, troubles = read_rows(page.read_file(file))
    except Unusable as problem:
        raise Wrong(str(problem)) from None

    async def work(desk: Desk) -> tuple[int, list[Words]]:
        from jobs.stocktake import enter as entered

        good, wrong = ([], []) if troubles else await entered(desk.rt, desk.seller_id, number, rows, counted_at=at)
        return len(good), [{"line": each.line, "message": each.message} for each in [*troubles, *wrong]]

    noted, errors = at_desk(seller, work)
    if as_json:
        page.write_json({"count": number, "noted": noted, "errors": errors})
    for each in () if as_json else errors:
        tell(f"line {each['line']}: {each['message']}")
    if errors:
        raise Wrong(f"{len(errors)} of {len(rows) + len(troubles)} rows are wrong: nothing is noted.")
    if not as_json:
        page.line(f"count {number}: {noted} SKUs noted.")


def row_of(line: "Line", *, hidden: bool = False) -> Words:
    """A line as a row; `hidden` keeps the book and the difference from whoever counts."""
    told = {
        "sku": line.sku, "title": line.title, "category": line.category, "units": line.units,
        "counted_at": line.counted_at, "attempts": line.attempts,
    }  # fmt: skip
    if hidden:
        return {**told, "book": None, "variance": None, "percent": None, "value_cents": None, "flags": []}
    return {
        **told, "book": line.book, "variance": line.variance, "percent": line.percent,
        "value_cents": line.value_cents, "flags": [flag.value for flag in line.flags],
    }  # fmt: skip


@app.command("report")
def report(
    number: Number,
    *,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write every line to this CSV file; - is stdout.")] = None,
    differences: Annotated[bool, typer.Option("--differences", help="Only lines that differ or are flagged.")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the book of an open blind count.")] = False,
    window: Minutes = 30,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show how a count differs from the book: units, percent and value at cost, by SKU, category and in all."""

    async def work(desk: Desk) -> "tuple[Count, list[Line]]":
        from jobs.stocktake import report as reported

        return await reported(desk.rt, desk.seller_id, number, timedelta(minutes=window))

    count, lines = at_desk(seller, work)
    hidden = count.blind and count.state == "open" and not reveal
    shown = [line for line in lines if not differences or line.variance or line.flags]
    rows = [row_of(line, hidden=hidden) for line in (lines if hidden else shown)]
    if csv is not None:
        _write_csv(rows, csv)
    elif as_json:
        about = {name: getattr(count, name) for name in ("number", "state", "warehouse", "scope", "category", "blind")}
        page.write_json({**about, "lines": rows, "totals": [] if hidden else _totals(lines)})
    else:
        _print(count, rows, [] if hidden else _totals(lines), hidden=hidden)


def _totals(lines: "Sequence[Line]") -> list[Words]:
    from hub.stocktake import by_category, total

    sums = [*by_category(lines), total(lines)]
    return [{**asdict(each), "accuracy": each.accuracy} for each in sums]


def _write_csv(rows: list[Words], file: Path) -> None:
    from hub.stock_sheet import decimal, written

    columns = {
        "sku": "sku", "title": "titulo", "category": "categoria", "units": "quantidade", "book": "saldo do sistema",
        "variance": "diferenca", "percent": "diferenca %", "value": "diferenca em custo", "counted": "contado em",
        "why": "recontar",
    }  # fmt: skip
    told = [
        {
            **row, "value": decimal(row["value_cents"]), "why": ", ".join(row["flags"]),
            "percent": None if row["percent"] is None else str(row["percent"]).replace(".", ","),
            "counted": page.word(row["counted_at"]) if row["counted_at"] else None,
        }
        for row in rows
    ]  # fmt: skip
    save(written(told, columns).encode("utf-8-sig"), None if str(file) == "-" else file)
    if str(file) != "-":
        page.line(f"{len(rows)} lines written to {file}.")


def _print(count: "Count", rows: list[Words], totals: list[Words], *, hidden: bool) -> None:
    page.line(f"count {count.number} of {count.warehouse}, {count.state}{', blind' if count.blind else ''}")
    columns = ["sku", "title", "units=counted"]
    if not hidden:
        columns += ["book", "variance", "percent=%", "value", "flags=count again"]
    money = [
        {**row, "value": None if row["value_cents"] is None else page.money(row["value_cents"], None)} for row in rows
    ]
    page.console().print(page.table(money, columns))
    if hidden:
        page.line("The book is hidden while a blind count is open; --reveal shows it.")
    if not totals:
        return
    page.line("")
    named = [
        {**row, "category": "all" if row["category"] is None else row["category"] or "–",
         "value": page.money(row["value_cents"], None)}
        for row in totals
    ]  # fmt: skip
    page.console().print(
        page.table(named, ["category", "lines", "different", "accuracy=right %", "more", "less", "value"])
    )


@app.command("post")
def post(
    number: Number,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Also big differences: they were looked at.")] = False,
    accept_flagged: Annotated[
        bool, typer.Option("--accept-flagged", help="Also SKUs that should be counted again.")
    ] = False,
    big_units: Annotated[int, typer.Option(min=1, help="A difference of so many units is big …")] = 5,
    big_percent: Annotated[float, typer.Option(min=0, help="… where it is so large a share of the book.")] = 20,
    big_value: Annotated[float, typer.Option(min=0, help="A difference of so much at cost is big.")] = 500,
    window: Minutes = 30,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Correct the book by a count's differences, all at once. Big ones ask for --yes."""

    async def work(desk: Desk) -> Any:
        from hub.stocktake import Limits
        from jobs.stocktake import post as posted

        limits = Limits(units=big_units, percent=big_percent, value_cents=round(big_value * 100))
        return await posted(
            desk.rt, desk.seller_id, number, limits=limits, yes=yes, accept_flagged=accept_flagged,
            window=timedelta(minutes=window),
        )  # fmt: skip

    done = at_desk(seller, work)
    if as_json:
        page.write_json({"count": number, **asdict(done)})
        return
    left = f"; {done.uncounted} not counted stay as they are" if done.uncounted else ""
    page.line(
        f"count {number} is posted: {done.counted} SKUs, {done.corrected} corrected (+{done.more}, -{done.less}){left}."
    )


@app.command("cancel")
def cancel(number: Number, *, seller: Seller = None) -> None:
    """Give a count up: nothing of it is booked."""

    async def work(desk: Desk) -> None:
        from jobs.stocktake import cancel as cancelled

        await cancelled(desk.rt, desk.seller_id, number)

    at_desk(seller, work)
    page.line(f"count {number} is cancelled.")


@app.command("list")
def list_(*, limit: page.Limit = 20, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List counts, newest first, and how far each is."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import counting

        async with desk.tx() as tx:
            return await counting.listed(tx, limit)

    columns = [
        "number", "state", "warehouse", "scope", "category", "skus", "counted", "at=opened", "made_by=by",
        "closed_at=closed",
    ]  # fmt: skip
    page.rows(at_desk(seller, work), columns, as_json=as_json, empty="No count yet: open one with `balcao count open`.")

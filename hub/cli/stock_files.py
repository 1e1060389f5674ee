"""Stock in spreadsheets: `balcao stock import`, `imports`, `undo`, `export`."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Failed, Wrong, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.stock_sheet import Trouble
    from jobs.imports import Planned

Words = dict[str, Any]
Number = Annotated[int, typer.Argument(min=1, metavar="NUMBER", help="The import's, as `stock imports` lists them.")]
SHOWN = 50  # lines of a preview that a terminal shows


class Mode(StrEnum):
    """What a quantity is."""

    SET = "set"
    ADD = "add"


class Encoding(StrEnum):
    """Of a written file; Excel in Brazil reads the first."""

    UTF8_SIG = "utf-8-sig"
    UTF8 = "utf-8"
    CP1252 = "cp1252"


@contextmanager
def progressing(total: int, what: str) -> Iterator["Callable[[int], None]"]:
    """A bar on stderr while something long goes on."""
    from rich.progress import Progress

    with Progress(console=page.console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=total)

        def advance(rows: int) -> None:
            bar.advance(task, rows)

        yield advance


def import_(
    file: Annotated[
        Path | None, typer.Argument(help="CSV with columns sku, quantity and, if you like, warehouse; - is stdin.")
    ] = None,
    *,
    mode: Annotated[
        Mode, typer.Option(help="set: units that stand there. add: units by which they change.")
    ] = Mode.SET,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show before, after and change; write nothing.")] = False,
    create: Annotated[bool, typer.Option("--create", help="Make SKUs that are not there.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Write the good rows though others are wrong.")] = False,
    zeros: Annotated[bool, typer.Option("--zeros", help="Go on though a large share of all counts becomes 0.")] = False,
    resume: Annotated[
        int | None, typer.Option(min=1, metavar="NUMBER", help="Go on with an import that was interrupted.")
    ] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Set or change many SKUs from a CSV file. If any row is wrong nothing is written, unless --skip-bad."""
    if resume is not None:
        _tell_written(at_desk(seller, lambda desk: _carried_on(desk, resume)), [], as_json=as_json)
        return
    if file is None:
        raise Wrong("FILE is missing: name a CSV, or - for stdin.")
    from hub.stock_sheet import Unusable, read_rows

    body = page.read_file(file)
    try:
        found, troubles = read_rows(body, mode.value)
    except Unusable as problem:
        raise Wrong(str(problem)) from None

    async def work(desk: Desk) -> "tuple[list[Planned], list[Trouble], Words | None]":
        from jobs.imports import begin, plan

        good, bad = await plan(desk.rt, desk.seller_id, found, mode.value, create=create)
        wrong = sorted([*troubles, *bad], key=lambda each: each.line)
        if dry_run or (wrong and not skip_bad) or not good:
            return good, wrong, None
        made = await begin(desk.rt, desk.seller_id, good, mode.value, file_name=file.name, zeros=zeros)
        return good, wrong, await _carried_on(desk, made.number, total=len(good))

    good, wrong, done = at_desk(seller, work)
    if not as_json:
        for each in wrong:
            tell(f"line {each.line}: {each.message}")
    if done is not None:
        _tell_written(done, wrong, as_json=as_json)
        return
    _tell_planned(good, wrong, dry_run=dry_run, as_json=as_json)
    if wrong and not skip_bad:
        raise Wrong(f"{len(wrong)} of {len(good) + len(wrong)} rows are wrong: nothing is written.")
    if not good:
        raise Wrong("the file has no row that can be written.")


async def _carried_on(desk: Desk, number: int, total: int = 0) -> Words:
    """Write what is left of an import; one that stops says how to go on."""
    from hub.store import imports
    from jobs.connect import Refused
    from jobs.imports import carry_on

    with progressing(total, f"import {number}") as advance:
        try:
            did = await carry_on(desk.rt, desk.seller_id, number, advance)
        except Refused:
            raise
        except Exception as problem:
            way_out = f"`balcao stock import --resume {number}` goes on, `balcao stock undo {number}` takes it back"
            raise Failed(f"import {number} stopped ({type(problem).__name__}): {way_out}.") from problem
    async with desk.tx() as tx:
        made = await imports.get(tx, number)
        written = await imports.rows_of(tx, made.id) if made else []
    return {"import": number, **did, "rows": written}


def _row(planned: "Planned") -> Words:
    told = {"line": planned.row.line, "sku": planned.row.sku, "warehouse": planned.warehouse}
    return {
        **told, "before": planned.before, "after": planned.after, "delta": planned.after - planned.before,
        "opened": planned.opens,
    }  # fmt: skip


def _errors(wrong: "Sequence[Trouble]") -> list[Words]:
    return [{"line": each.line, "message": each.message} for each in wrong]


def _tell_planned(good: "list[Planned]", wrong: "list[Trouble]", *, dry_run: bool, as_json: bool) -> None:
    rows = [_row(each) for each in good]
    if as_json:
        told = {"read": len(good) + len(wrong), "good": len(good), "dry_run": dry_run, "plan": rows, "written": []}
        page.write_json({**told, "errors": _errors(wrong)})
        return
    if not dry_run or not good:
        return
    changed = [row for row in rows if row["delta"] or row["opened"]]
    if changed:
        columns = ["line", "sku", "warehouse", "before", "after", "delta=change", "opened=opens"]
        page.console().print(page.table(changed[:SHOWN], columns))
    if len(changed) > SHOWN:
        page.line(f"… and {len(changed) - SHOWN} more (--json lists all)")
    left = f"; {len(wrong)} left out" if wrong else ""
    page.line(f"{len(good)} rows are good{left}, {len(changed)} would change; nothing is written, as --dry-run asks.")


def _tell_written(done: Words, wrong: "list[Trouble]", *, as_json: bool) -> None:
    if as_json:
        told = {"read": len(done["rows"]) + len(wrong), "good": len(done["rows"]), "dry_run": False}
        page.write_json({**told, "import": done["import"], "written": done["rows"], "errors": _errors(wrong)})
        return
    left = f"; {len(wrong)} left out" if wrong else ""
    page.line(
        f"import {done['import']}: {done['written']} counts written, {done['changed']} of them changed, "
        f"{done['opened']} opened{left}."
    )


def imports_(*, limit: page.Limit = 20, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List the files of stock that were imported, newest first."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import imports

        async with desk.tx() as tx:
            return await imports.listed(tx, limit)

    columns = ["number", "at", "file_name=file", "mode", "rows", "left=to write", "made_by=who", "undone_at=undone"]
    page.rows(at_desk(seller, work), columns, as_json=as_json, empty="No file was imported yet.")


def undo(
    number: Number,
    *,
    rest: Annotated[bool, typer.Option("--rest", help="Undo what can be undone, though some lines cannot.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Take an import back by counter-entries. Lines that were counted since stop it, unless --rest."""

    async def work(desk: Desk) -> Any:
        from jobs.imports import undo as undone

        with progressing(0, f"undo {number}") as advance:
            return await undone(desk.rt, desk.seller_id, number, rest=rest, progress=advance)

    done = at_desk(seller, work)
    left = [{"line": row["line"], "sku": row["sku"], "warehouse": row["warehouse"], "why": row["why"]}
            for row in done.left]  # fmt: skip
    if as_json:
        page.write_json({"import": number, "undone": done.lines, "shut": done.shut, "left": left})
        return
    for row in left:
        tell(f"line {row['line']}: {row['sku']} ({row['warehouse']}) is left: {row['why']}")
    shut = f", {done.shut} SKUs are not open any more" if done.shut else ""
    page.line(f"import {number}: {done.lines} lines undone{shut}.")


def export(
    file: Annotated[Path | None, typer.Argument(help="Where to write; stdout when not given.")] = None,
    *,
    warehouse: Annotated[str | None, typer.Option("--warehouse", help="Only this one, by its code.")] = None,
    separator: Annotated[str, typer.Option(help="Between columns.")] = ";",
    encoding: Annotated[Encoding, typer.Option(help="Of the file.")] = Encoding.UTF8_SIG,
    seller: Seller = None,
) -> None:
    """Write the stock as CSV: what stands, is held and is free, by SKU and warehouse. `stock import` reads it."""
    from hub.stock_sheet import decimal, written

    if separator not in {";", ",", "\\t", "\t"}:
        raise Wrong(f"--separator: {separator!r} is not ; or , or \\t.")

    async def work(desk: Desk) -> list[Words]:
        from hub.store import ledger
        from jobs.ledger import shelf_named

        async with desk.tx() as tx:
            return await ledger.exported(tx, await shelf_named(tx, warehouse) if warehouse else None)

    rows = [{**row, "cost": decimal(row["cost_cents"])} for row in at_desk(seller, work)]
    columns = {
        "sku": "sku", "title": "titulo", "category": "categoria", "warehouse": "deposito", "on_hand": "quantidade",
        "reserved": "reservado", "free": "livre", "cost": "custo",
    }  # fmt: skip
    text = written(rows, columns, separator=separator.replace("\\t", "\t"))
    save(text.encode(encoding.value, "replace"), file)
    if file is not None:
        page.line(f"{len(rows)} rows written to {file}.")


def save(body: bytes, file: Path | None) -> None:
    """A document into a file, or as it is on stdout. Wrong when the file cannot be written."""
    if file is None:
        sys.stdout.flush()
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is None:
            sys.stdout.write(body.decode("utf-8", "replace"))
        else:
            buffer.write(body)
            buffer.flush()
        return
    try:
        file.expanduser().write_bytes(body)
    except OSError as problem:
        raise Wrong(f"{file} cannot be written: {problem.strerror or problem}.") from None


def add_to(app: typer.Typer) -> None:
    """The verbs of `balcao stock` that stand here."""
    app.command("import")(import_)
    app.command("imports")(imports_)
    app.command("undo")(undo)
    app.command("export")(export)

"""Replenishment: what to buy, how much, and why."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong, tell
from hub.cli.stock import Language

app = typer.Typer(help="Replenishment: what to buy, how much, and why.")
Words = dict[str, Any]
UNSETS = '; "-" unsets it.'


class Shown(StrEnum):
    """Which SKUs."""

    LOW = "low"
    URGENT = "urgent"
    INCOMING = "incoming"
    DOUBTFUL = "doubtful"
    ALL = "all"


def setting(name: str, told: str) -> Any:
    """A setting read as everywhere else; Wrong names the option."""
    from hub.replenishment_sheet import read_setting

    try:
        return read_setting(name, told)
    except ValueError as problem:
        raise Wrong(f"--{name.replace('_', '-')}: {str(problem).partition(': ')[2]}.") from None


@app.command("settings")
def settings(
    sku: str,
    *,
    supplier: Annotated[str | None, typer.Option(help=f"Who sells it to you{UNSETS}")] = None,
    supplier_code: Annotated[str | None, typer.Option(help=f"What they call it{UNSETS}")] = None,
    lead_time_days: Annotated[str | None, typer.Option(help=f"Days from order to shelf{UNSETS}")] = None,
    lead_time_deviation: Annotated[str | None, typer.Option(help=f"Of the lead time, in days{UNSETS}")] = None,
    safety_stock: Annotated[str | None, typer.Option(help=f"Units kept for the unforeseen{UNSETS}")] = None,
    reorder_point: Annotated[str | None, typer.Option(help=f"Units at which to buy{UNSETS}")] = None,
    service_level: Annotated[str | None, typer.Option(help=f"Share of cycles without stockout, as 95%{UNSETS}")] = None,
    review_days: Annotated[str | None, typer.Option(help=f"Days between two purchases{UNSETS}")] = None,
    cover_days: Annotated[str | None, typer.Option(help=f"Buy for so many days of sales instead{UNSETS}")] = None,
    order_multiple: Annotated[str | None, typer.Option(help="Sold to you in packs of so many.")] = None,
    order_minimum: Annotated[str | None, typer.Option(help="The least that can be bought.")] = None,
    handling: Annotated[str | None, typer.Option(help=f"Of peaks: winsorised, median or mean{UNSETS}")] = None,
    active: Annotated[str | None, typer.Option(help="Whether it is replenished: yes or no.")] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show, or change, how a SKU is replenished."""
    told = {
        "supplier": supplier, "supplier_code": supplier_code, "lead_time_days": lead_time_days,
        "lead_time_deviation": lead_time_deviation, "safety_stock": safety_stock, "reorder_point": reorder_point,
        "service_level": service_level, "review_days": review_days, "cover_days": cover_days,
        "order_multiple": order_multiple, "order_minimum": order_minimum, "handling": handling, "active": active,
    }  # fmt: skip
    changes = {name: setting(name, value) for name, value in told.items() if value is not None}
    code = sku.strip()

    async def work(desk: Desk) -> Words:
        from hub.store import replenishment
        from jobs import replenish

        if changes:
            await replenish.set_settings(desk.rt, desk.seller_id, {code: changes})
        async with desk.tx() as tx:
            ids = await replenish.skus_named(tx, [code])
            kept = (await replenishment.settings(tx, [ids[code]]))[ids[code]]
        return {"sku": code, **{name: kept[name] for name in told}}

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
        return
    for name, value in made.items():
        page.line(f"{name.replace('_', ' '):20} {page.word(value)}")


@app.command("defaults")
def defaults(
    *,
    lead_time_days: Annotated[float | None, typer.Option(min=0, max=730, help="Where nobody says better.")] = None,
    service_level: Annotated[str | None, typer.Option(help="Share of cycles without stockout, as 95%.")] = None,
    review_days: Annotated[int | None, typer.Option(min=0, max=365, help="Days between two purchases.")] = None,
    window_days: Annotated[int | None, typer.Option(min=14, max=365, help="Days of sales that are read.")] = None,
    handling: Annotated[str | None, typer.Option(help="Of peaks: winsorised, median or mean.")] = None,
    returns_reduce: Annotated[str | None, typer.Option(help="Whether returns reduce demand: yes or no.")] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show, or change, what counts for every SKU that has nothing set of its own."""
    told = {
        "lead_time_days": lead_time_days,
        "service_level": None if service_level is None else setting("service_level", service_level),
        "review_days": review_days, "window_days": window_days,
        "handling": None if handling is None else setting("handling", handling),
        "returns_reduce": None if returns_reduce is None else setting("returns_reduce", returns_reduce),
    }  # fmt: skip
    changes = {name: value for name, value in told.items() if value is not None}

    async def work(desk: Desk) -> Words:
        from dataclasses import asdict

        from hub.store import replenishment
        from jobs import replenish

        if changes:
            return asdict(await replenish.set_defaults(desk.rt, desk.seller_id, changes))
        async with desk.tx() as tx:
            return asdict(await replenishment.defaults(tx))

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
        return
    for name, value in made.items():
        page.line(f"{name.replace('_', ' '):20} {page.word(value)}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with the column sku and one for each setting; - is stdin.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Change the settings of many SKUs from a CSV file. If any row is wrong nothing is written."""
    from hub.replenishment_sheet import read_rows
    from hub.stock_sheet import Trouble, Unusable

    try:
        rows, troubles = read_rows(page.read_file(file))
    except Unusable as problem:
        raise Wrong(f"{str(problem).rstrip('.')}.") from None

    async def work(desk: Desk) -> list[Trouble]:
        from jobs import replenish

        wrong = [*troubles, *await _unknown(desk, rows)]
        if not wrong and not dry_run:
            await replenish.set_settings(desk.rt, desk.seller_id, {row.sku: row.changes for row in rows})
        return sorted(wrong, key=lambda each: each.line)

    wrong = at_desk(seller, work)
    if as_json:
        errors = [{"line": each.line, "message": each.message} for each in wrong]
        page.write_json({"read": len(rows) + len(troubles), "dry_run": dry_run, "errors": errors})
    for each in () if as_json else wrong:
        tell(f"line {each.line}: {each.message}")
    if wrong:
        raise Wrong(f"{len(wrong)} of {len(rows) + len(troubles)} rows are wrong: nothing is written.")
    if not as_json:
        page.line(f"{len(rows)} SKUs are {'good; nothing is written, as --dry-run asks' if dry_run else 'set'}.")


async def _unknown(desk: Desk, rows: list[Any]) -> list[Any]:
    """What is wrong with rows that can be read: SKUs and suppliers that are not there."""
    from hub.stock_sheet import Trouble
    from hub.store import lookup, suppliers

    async with desk.tx() as tx:
        known = await lookup.skus(tx, [row.sku for row in rows])
        names = {row["name"].casefold() for row in await suppliers.every(tx)}
    bad = []
    for row in rows:
        supplier = row.changes.get("supplier")
        if row.sku not in known:
            bad.append(Trouble(row.line, f"sku: there is no {row.sku!r}"))
        elif known[row.sku]["is_kit"]:
            bad.append(Trouble(row.line, f"sku: {row.sku!r} is a kit: it is replenished by its components"))
        elif supplier and supplier.casefold() not in names:
            bad.append(Trouble(row.line, f"supplier: there is no {supplier!r}: `balcao supplier add` makes one"))
    return bad


@app.command("run")
def run(*, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Read the days again, plan every SKU and look at all positions, now instead of tonight."""

    async def work(desk: Desk) -> Words:
        from jobs import replenish

        done = await replenish.refresh(desk.rt, desk.seller_id)
        async with desk.tx() as tx:
            seen = await replenish.check(tx, desk.rt.now())
        told = {"skus": done.skus, "days_changed": done.days, "ms": done.ms}
        return {**told, "alerts_raised": seen.raised, "alerts_resolved": seen.resolved, "urgent": seen.urgent}

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
    else:
        page.line(
            f"{made['skus']} SKUs planned in {made['ms']} ms; {made['alerts_raised']} alerts raised, "
            f"{made['alerts_resolved']} resolved, {made['urgent']} urgent."
        )


@app.command("suggest")
def suggest(
    *,
    shown: Annotated[Shown, typer.Option("--show", help="Which SKUs.")] = Shown.LOW,
    supplier: Annotated[str | None, typer.Option(help="Only what this one sells.")] = None,
    abc: Annotated[str | None, typer.Option(help="Only this class: A, B or C.")] = None,
    search: Annotated[str | None, typer.Option(help="A part of the code or title.")] = None,
    limit: page.Limit = 100,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List what to buy, the soonest to run out first."""
    if abc is not None and abc.upper() not in {"A", "B", "C"}:
        raise Wrong(f"--abc: {abc!r} is none of A, B, C.")

    async def work(desk: Desk) -> list[Words]:
        from hub.store import suppliers
        from jobs import replenish

        async with desk.tx() as tx:
            known = await suppliers.named(tx, supplier.strip()) if supplier else None
            if supplier and known is None:
                raise Wrong(f"--supplier: there is no supplier {supplier!r}.")
            told = await replenish.suggestions(
                tx, desk.rt.now(), shown.value, supplier_id=known["id"] if known else None,
                abc=abc.upper() if abc else None, search=search, limit=limit,
            )  # fmt: skip
        return [_row(each) for each in told]

    page.rows(
        at_desk(seller, work),
        ["sku", "supplier", "abc=ABC", "urgent", "days_left", "position", "reorder_point", "incoming", "quantity=buy",
         "doubt"],
        as_json=as_json,
        empty="Nothing to buy now.",
    )  # fmt: skip


def _row(told: Any) -> Words:
    """What `suggest` prints of a SKU."""
    verdict, plan = told.verdict, told.plan
    return {
        "sku": told.row["code"], "title": told.row["title"], "supplier": told.row["supplier"], "abc": told.row["abc"],
        "urgent": verdict.urgent, "days_left": None if verdict.days_left is None else round(verdict.days_left, 1),
        "stockout_at": verdict.stockout.at, "stockout_early": verdict.stockout.early,
        "stockout_late": verdict.stockout.late, "position": verdict.position, "incoming": told.row["incoming"],
        "safety_stock": plan.safety, "reorder_point": plan.reorder, "target": plan.target,
        "demand_per_day": round(plan.demand.per_day, 3), "quantity": verdict.quantity, "doubt": plan.demand.doubt,
    }  # fmt: skip


@app.command("explain")
def explain(
    sku: str,
    *,
    lang: Annotated[Language, typer.Option(help="Of the explanation.")] = Language.PT,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Explain each number behind a SKU's suggestion."""

    async def work(desk: Desk) -> Words:
        from jobs import replenish

        async with desk.tx() as tx:
            ids = await replenish.skus_named(tx, [sku.strip()])
            told = await replenish.explain(tx, desk.rt.now(), ids[sku.strip()])
        if told is None:
            raise Wrong(f"{sku} is not replenished: count its stock first, or set --active yes.")
        return {**_row(told), "steps": list(told.answer.explain(lang.value))}

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
        return
    page.line(f"{made['sku']}  {page.word(made['title'])}".rstrip())
    for step in made["steps"]:
        page.line(f"  {step}")


@app.command("order")
def order(
    skus: Annotated[
        list[str] | None, typer.Argument(metavar="[SKU=QTY ...]", help="These; all suggested else.")
    ] = None,
    *,
    supplier: Annotated[str | None, typer.Option(help="Only what this one sells.")] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Put what is suggested into a draft purchase order for each supplier."""
    from hub.cli.purchase import lines

    wanted = {code: units for code, (units, _cost) in lines(skus or []).items()}

    async def work(desk: Desk) -> Words:
        from hub.store import suppliers
        from jobs import purchase

        async with desk.tx() as tx:
            known = await suppliers.named(tx, supplier.strip()) if supplier else None
        if supplier and known is None:
            raise Wrong(f"--supplier: there is no supplier {supplier!r}.")
        made, left = await purchase.order_suggested(
            desk.rt, desk.seller_id, skus=wanted or None, supplier_id=known["id"] if known else None
        )
        return {
            "drafts": [{"number": each.number, "supplier": each.supplier, "lines": each.lines} for each in made],
            "left": [{"sku": each.sku, "draft": each.draft} for each in left],
        }

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    for each in told["drafts"]:
        page.line(f"Purchase order {each['number']} for {each['supplier']}: {each['lines']} lines drafted.")
    for each in told["left"]:
        why = f"stands in draft {each['draft']} already" if each["draft"] else "has no supplier: set one first"
        page.line(f"{each['sku']} {why}.")
    if not told["drafts"] and not told["left"]:
        page.line("Nothing to buy now.")

"""Stock: counts, openings, and why a channel shows the number it shows."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from hub.cli import ledger, page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Failed, Wrong, tell

app = typer.Typer(help="Stock: counts, openings, and why a channel shows the number it shows.")
ledger.add_to(app)
MOST = 100_000_000
Create = Annotated[bool, typer.Option("--create", help="Make SKUs that are not there.")]
Words = dict[str, Any]


class Language(StrEnum):
    """Of the explanation."""

    PT = "pt-BR"
    EN = "en"


@app.command("set")
def set_(
    sku: str,
    units: Annotated[int, typer.Argument(metavar="N", min=0, max=MOST, help="Units that stand there.")],
    *,
    warehouse: Annotated[str | None, typer.Option(help="Its code; the first by rank when not given.")] = None,
    create: Create = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Count a SKU: physical units, those reserved for orders included."""
    if not sku.strip():
        raise Wrong("SKU is empty.")

    async def work(desk: Desk) -> list[Words]:
        from jobs.counts import set_stock

        done = await set_stock(desk.rt, desk.seller_id, [(sku.strip(), units)], warehouse=warehouse, create=create)
        return [counted(each) for each in done]

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    for row in told:
        page.line(f"{row['sku']}: {row['before']} -> {row['after']}{' (opened)' if row['opened'] else ''}")


def counted(done: Any) -> Words:
    """What a count did, as a row."""
    return {"sku": done.sku, "before": done.before, "after": done.after, "opened": done.opened}


@app.command("open")
def open_(
    *,
    source: Annotated[str, typer.Option("--from", metavar="ACCOUNT", help="By id, name or channel.")],
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Take the opening truth from an account: what it shows, plus what its own open orders hold."""

    async def work(desk: Desk) -> list[Words]:
        from jobs.opening import open_from

        return [counted(each) for each in await open_from(desk.rt, await desk.account(source))]

    page.rows(
        at_desk(seller, work),
        ["sku", "before", "after"],
        as_json=as_json,
        empty="Nothing to open: every linked SKU is open already, or none is linked (`balcao link auto`).",
    )


# ── show ────────────────────────────────────────────────────────────────────────────────────────────────

HEADS = {
    Language.PT: {
        "levels": "Depósitos",
        "kit": "Componentes",
        "reservations": "Reservas",
        "shortages": "Faltas",
        "why": "Por que este número",
        "none": "Nenhum anúncio vende este SKU.",
        "unopened": "Estoque não aberto.",
        "parked": "parado: {}",
        "shows": "mostra {}",
        "wants": "deve mostrar {}",
    },
    Language.EN: {
        "levels": "Warehouses",
        "kit": "Components",
        "reservations": "Reservations",
        "shortages": "Shortages",
        "why": "Why this number",
        "none": "No listing sells this SKU.",
        "unopened": "Stock not opened.",
        "parked": "parked: {}",
        "shows": "shows {}",
        "wants": "should show {}",
    },
}


@app.command("show")
def show(
    sku: str,
    *,
    lang: Annotated[Language, typer.Option(help="Of the explanation.")] = Language.PT,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show a SKU's units by warehouse, who holds them, who waits, and why each channel shows its number."""

    async def work(desk: Desk) -> Words:
        return await shown(desk, sku.strip(), lang)

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
    else:
        _print(told, HEADS[lang])


async def shown(desk: Desk, code: str, lang: Language) -> Words:
    """All that is known of a SKU's stock, with the explanation in words."""
    from hub.store import lookup, stock
    from jobs.counts import explain

    async with desk.tx() as tx:
        known = await lookup.sku(tx, code)
        if known is None:
            raise Wrong(f"there is no SKU {code!r}.")
        levels = await stock.levels_of(tx, known["id"])
        reservations, shortages = await lookup.holds(tx, known["id"])
        parts = await lookup.components(tx, known["id"])
    answers = await explain(desk.rt, desk.seller_id, code)
    ids = {value for _slot, answer in answers for step in answer.steps for value in step.params.values()}
    async with desk.tx() as tx:
        names = await lookup.names(tx, [value for value in ids if isinstance(value, UUID)])
    why = [
        {**slot, "available": answer.quantity, "steps": list(answer.explain(lang.value, names))}
        for slot, answer in answers
    ]
    levels = [{"warehouse": row["code"], "on_hand": row["on_hand"], "reserved": row["reserved"]} for row in levels]
    return {
        "sku": known["code"],
        "title": known["title"],
        "gtin": known["gtin"],
        "opened_at": known["opened_at"],
        "components": parts,
        "levels": levels,
        "reservations": reservations,
        "shortages": shortages,
        "why": why,
    }


def _print(told: Words, head: dict[str, str]) -> None:
    page.line(f"{told['sku']}  {page.word(told['title'])}".rstrip())
    if told["opened_at"] is None and not told["components"]:
        page.line(head["unopened"])
    order = ["order_number=order", "account", "line_ref=line", "quantity"]
    sections = (
        ("kit", "components", ["sku", "quantity"]),
        ("levels", "levels", ["warehouse", "on_hand", "reserved"]),
        ("reservations", "reservations", [*order, "warehouse"]),
        ("shortages", "shortages", [*order, "ship_by"]),
    )
    for title, key, columns in sections:
        if told[key]:
            page.line("")
            page.console().print(page.table(told[key], columns, head[title]))
    page.line(f"\n{head['why']}")
    for slot in told["why"]:
        state = [
            head["shows"].format(page.word(slot.get("expected"))),
            head["wants"].format(page.word(slot.get("desired"))),
        ]
        if slot.get("parked_reason"):
            state.append(head["parked"].format(page.word(slot["parked_reason"])))
        page.line(f"  {slot.get('account')} ({slot.get('channel')}) {slot.get('ref')}: {', '.join(state)}")
        for step in slot["steps"]:
            page.line(f"    {step}")
    if not told["why"]:
        page.line(f"  {head['none']}")


# ── import ──────────────────────────────────────────────────────────────────────────────────────────────


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV with columns sku, quantity and, if you like, warehouse; - is stdin.")
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    create: Create = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Write the good rows though others are wrong.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Count many SKUs from a CSV file. If any row is wrong nothing is written, unless --skip-bad."""
    from hub.cli.sheet import Row, Trouble, read_rows

    found, troubles = read_rows(page.read_file(file))

    async def work(desk: Desk) -> tuple[list[Row], list[Trouble], list[Words]]:
        good, bad = await _checked(desk, found, create=create)
        wrong = sorted([*troubles, *bad], key=lambda each: each.line)
        if dry_run or (wrong and not skip_bad) or not good:
            return good, wrong, []
        return good, wrong, await _write(desk, good, create=create)

    good, wrong, done = at_desk(seller, work)
    if as_json:
        told = {"read": len(good) + len(wrong), "good": len(good), "dry_run": dry_run, "written": done}
        page.write_json({**told, "errors": [{"line": each.line, "message": each.message} for each in wrong]})
    for each in () if as_json else wrong:
        tell(f"line {each.line}: {each.message}")
    _close(good, wrong, done, dry_run=dry_run, skip_bad=skip_bad, as_json=as_json)


def _close(
    good: list[Any], wrong: list[Any], done: list[Words], *, dry_run: bool, skip_bad: bool, as_json: bool
) -> None:
    if wrong and not skip_bad:
        raise Wrong(f"{len(wrong)} of {len(good) + len(wrong)} rows are wrong: nothing is written.")
    if not good:
        raise Wrong("the file has no row that can be written.")
    if as_json:
        return
    left = f"; {len(wrong)} left out" if wrong else ""
    if dry_run:
        page.line(f"{len(good)} rows are good{left}; nothing is written, as --dry-run asks.")
        return
    changed = sum(row["before"] != row["after"] for row in done)
    opened = sum(row["opened"] for row in done)
    page.line(f"{len(done)} counts written, {changed} of them changed, {opened} opened{left}.")


async def _checked(desk: Desk, rows: list[Any], *, create: bool) -> tuple[list[Any], list[Any]]:
    """Rows whose SKU and warehouse are there, and what is wrong with the others."""
    from hub.cli.sheet import Trouble
    from hub.store import lookup

    async with desk.tx() as tx:
        known = await lookup.skus(tx, [row.sku for row in rows])
        houses = {row["code"] for row in await lookup.warehouses(tx)}
    good, bad = [], []
    for row in rows:
        sku = known.get(row.sku)
        if row.warehouse is not None and row.warehouse not in houses:
            bad.append(
                Trouble(
                    row.line,
                    f"warehouse: there is no {row.warehouse!r} (there are: {', '.join(sorted(houses))})",
                )
            )
        elif sku is None and not create:
            bad.append(Trouble(row.line, f"sku: there is no {row.sku!r}; --create makes it"))
        elif sku is not None and sku["is_kit"]:
            bad.append(Trouble(row.line, f"sku: {row.sku!r} is a kit, which follows from its components"))
        else:
            good.append(row)
    return good, bad


async def _write(desk: Desk, rows: list[Any], *, create: bool) -> list[Words]:
    """One transaction for each warehouse."""
    from jobs.connect import Refused
    from jobs.counts import set_stock

    by_house: dict[str | None, list[tuple[str, int]]] = {}
    for row in rows:
        by_house.setdefault(row.warehouse, []).append((row.sku, row.units))
    done: list[Words] = []
    with page.console(stderr=True).status(f"{len(rows)} counts …"):
        for house, counts in by_house.items():
            try:
                made = await set_stock(desk.rt, desk.seller_id, counts, warehouse=house, reason="count", create=create)
            except Refused as problem:
                raise Failed(f"{problem} ({len(done)} counts of other warehouses are written).") from None
            done += [{**counted(each), "warehouse": house} for each in made]
    return done

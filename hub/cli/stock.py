"""Stock: counts, openings, and why a channel shows the number it shows."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.cli import ledger, page, stock_files
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

app = typer.Typer(help="Stock: counts, openings, and why a channel shows the number it shows.")
ledger.add_to(app)
stock_files.add_to(app)
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
    from jobs.shown import sku_stock

    told = await sku_stock(desk.rt, desk.seller_id, code)
    if told is None:
        raise Wrong(f"there is no SKU {code!r}.")
    facts, answers, names = told
    why = [
        {**slot, "available": answer.quantity, "steps": list(answer.explain(lang.value, names))}
        for slot, answer in answers
    ]
    return {**facts, "why": why}


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

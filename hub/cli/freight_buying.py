"""What labels would cost, looked at before money is spent, and their purchase."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.approval import Language
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.freight import Chosen, Several, Words, chosen, orders_named, rule_of, show_labels
from hub.cli.refusals import Wrong

if TYPE_CHECKING:
    from hub.freight import Rule


def add_to(app: typer.Typer) -> None:
    """Hang these verbs under `freight`."""
    app.command("preview")(preview)
    app.command("buy")(buy)


def preview(
    named: Several, *, rule: Chosen = None,
    lang: Annotated[Language, typer.Option(help="Of the explanation.")] = Language.PT, seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:  # fmt: skip
    """Show what would be bought for these orders, and why; nothing is bought."""

    async def work(desk: Desk) -> list[Words]:
        return (await _planned(desk, named, rule=rule_of(rule), lang=lang.value))[0]

    _show_plan(at_desk(seller, work), as_json=as_json)


async def _planned(
    desk: Desk, named: list[str], *, rule: "Rule | None", lang: str, offer: tuple[UUID, str] | None = None,
    insists: list[str] | None = None,
) -> tuple[list[Words], list[Words]]:  # fmt: skip
    """What would be bought, order by order (why: or why not), and what each carrier gets."""
    from hub.freight import why
    from jobs import freight_plan

    rows = await orders_named(desk, named)
    ids = [row["id"] for row in rows]
    told = await freight_plan.plan(
        desk.rt,
        desk.seller_id,
        ids,
        chosen=dict.fromkeys(ids, offer) if offer else None,
        rule=rule,
        insists=insists or (),
    )
    shown: list[Words] = []
    for row, each in zip(rows, told, strict=True):
        number = {"id": row["id"], "order": row["number"] or row["ref"]}
        if each.refusal or each.quoted is None or each.offer is None:
            sentence = each.refusal.told(lang) if each.refusal else ""
            shown.append({**number, "why": sentence, "price_cents": None})
            continue
        taken = {name: each.offer[name] for name in ("account_id", "account", "service", "name", "deliver_by")}
        choice = {} if offer else chosen(each.quoted, rule, lang)
        reason = "the service named" if offer else why(each.quoted.choice(rule), lang)
        cents, volumes = each.offer["price_cents"], len(each.quoted.consignment.parcels)
        shown.append({**number, **choice, **taken, "price_cents": cents, "volumes": volumes, "why": reason})
    return shown, [{"account": t.account, "labels": t.labels, "cents": t.cents} for t in freight_plan.totals(told)]


def _show_plan(told: list[Words], *, as_json: bool) -> None:
    for row in told:
        row["price"] = page.money(row["price_cents"], "BRL")
    page.rows(
        told, ["order", "account", "name=service", "price", "deliver_by", "volumes", "why"], as_json=as_json,
        empty="No order is named.",
    )  # fmt: skip


def buy(
    named: Several, *,
    carrier: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Of this carrier's account.")] = None,
    service: Annotated[str | None, typer.Option(help="This service of it, by its code.")] = None,
    second: Annotated[
        bool, typer.Option("--second-label", help="Of one order whose channel gives its own label: a second one, paid.")
    ] = False,
    short: Annotated[
        bool, typer.Option("--despite-shortage", help="Of one order: although units of it are short.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Buy; without this it is quoted and shown only.")] = False,
    rule: Chosen = None, seller: Seller = None, as_json: page.AsJson = False,
) -> None:  # fmt: skip
    """Show what labels of these orders cost, in all too; --yes buys them, each once, of a fresh quote."""
    if (carrier is None) != (service is None):
        raise Wrong("--carrier and --service go together: name both, or neither.")
    insists = [word for word, told in (("second_label", second), ("despite_shortage", short)) if told]
    if insists and len(set(named)) > 1:
        raise Wrong("--second-label and --despite-shortage are for one order alone: name no other.")
    if not yes:
        _show(named, carrier, service, insists, rule_of(rule), seller, as_json=as_json)
        return

    async def work(desk: Desk) -> list[Words]:
        from hub.cli.stock_files import progressing
        from jobs import freight, freight_buy

        rows = await orders_named(desk, named)
        account_id = (await desk.account(carrier)).id if carrier else None
        told: list[Words] = []
        with progressing(len(rows), "labels") as advance:
            for row in rows:
                try:
                    bought = await freight_buy.buy(
                        desk.rt, desk.seller_id, row["id"], account_id=account_id, service=service,
                        rule=rule_of(rule), insists=insists,
                    )  # fmt: skip
                    told += [{**label, "again": bought.again} for label in bought.labels]
                except freight.FreightRefused as refusal:
                    told.append({"number": row["number"] or row["ref"], "status": "not bought", "error": str(refusal)})
                advance(1)
        return told

    show_labels(at_desk(seller, work), as_json=as_json)


def _show(
    named: list[str], carrier: str | None, service: str | None, insists: list[str], rule: "Rule | None",
    seller: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """What would be bought, and what each carrier gets."""

    async def work(desk: Desk) -> tuple[list[Words], list[Words]]:
        offer = ((await desk.account(carrier)).id, service) if carrier and service else None
        return await _planned(desk, named, rule=rule, lang="en", offer=offer, insists=insists)

    told, sums = at_desk(seller, work)
    _show_plan(told, as_json=as_json)
    if as_json:
        return
    for row in sums:
        page.line(f"{row['account']}: labels: {row['labels']}, {page.money(row['cents'], 'BRL')}")
    total = page.money(sum(row["cents"] for row in sums), "BRL")
    page.line(f"labels in all: {sum(row['labels'] for row in sums)}, {total}. Nothing was bought: --yes buys them.")

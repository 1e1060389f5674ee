"""Freight: measures, policy, quotes side by side, labels bought and taken back."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.approval import Language
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.orders import Named, found
from hub.cli.refusals import Wrong

if TYPE_CHECKING:
    from hub.freight import Rule
    from hub.packing import Volume
    from jobs.freight import Quoted

app = typer.Typer(help="Freight: quotes, labels and manifests.")
Words = dict[str, Any]
Several = Annotated[list[str], typer.Argument(metavar="ORDER ...", help="By number, the channel's ref, or id.")]
MOST = 1000


class Choose(StrEnum):
    """As hub.freight.Rule has it."""

    CHEAPEST = "cheapest"
    FASTEST = "fastest"
    PROMISE = "promise"


Chosen = Annotated[Choose | None, typer.Option("--rule", help="Choose by this instead of the policy's rule.")]


def rule_of(told: Choose | None) -> "Rule | None":
    """The rule named."""
    from hub.freight import Rule

    return Rule(told.value) if told else None


async def orders_named(desk: Desk, told: list[str]) -> list[Words]:
    """The orders of these names, each once, in the order named."""
    if len(told) > MOST:
        raise Wrong(f"{len(told)} orders are named: {MOST} at once are the most.")
    rows = {row["id"]: row for row in [await found(desk, named) for named in told]}
    return list(rows.values())


# ── Measures and policy ─────────────────────────────────────────────────────────────────────────────────────


@app.command("measure")
def measure(
    told: Annotated[list[str], typer.Argument(metavar="SKU=GRAMS,LxWxH ...", help="As in CANECA=350,120x100x90: mm.")],
    *, seller: Seller = None, as_json: page.AsJson = False,
) -> None:  # fmt: skip
    """Note what a unit of each SKU weighs (grams) and measures (millimetres), packed as it is sent."""
    wanted = [_measured(word) for word in told]

    async def work(desk: Desk) -> list[Words]:
        from hub.store import freight, stock

        rows = []
        async with desk.tx() as tx:
            for sku, grams, sides in wanted:
                if not await freight.measure(tx, sku, grams, sides):
                    raise Wrong(f"there is no SKU {sku!r}.")
                await stock.audit(tx, "sku_measure", sku, grams=grams, sides_mm=sides)
                rows.append({"sku": sku, "grams": grams, "sides_mm": list(sides)})
        return rows

    page.rows(at_desk(seller, work), ["sku", "grams", "sides_mm=sides (mm)"], as_json=as_json, empty="Nothing.")


def _measured(word: str) -> tuple[str, int, tuple[int, int, int]]:
    sku, equals, rest = word.rpartition("=")
    grams, _, sides = rest.partition(",")
    numbers = [grams, *sides.lower().split("x")]
    if not equals or not sku or len(numbers) != 4 or not all(n.isascii() and n.isdigit() for n in numbers):  # noqa: PLR2004 - grams and three sides
        raise Wrong(f"{word!r} is not SKU=GRAMS,LxWxH, as in CANECA=350,120x100x90.")
    weight, long, wide, high = (int(number[:9]) for number in numbers)
    if not (0 < weight <= 1_000_000 and all(0 < side <= 10_000 for side in (long, wide, high))):  # noqa: PLR2004 - a tonne, ten metres
        raise Wrong(f"{word!r}: grams are from 1 to 1000000, sides from 1 to 10000 mm.")
    return sku, weight, (long, wide, high)


@app.command("missing")
def missing(*, limit: page.Limit = 50, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List SKUs whose weight or measures are missing, those in open orders first."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import freight

        async with desk.tx() as tx:
            return await freight.unmeasured(tx, limit)

    columns = ["sku", "title", "weight_g=grams", "length_mm", "width_mm", "height_mm", "open_lines=in open orders"]
    page.rows(at_desk(seller, work), columns, as_json=as_json, empty="Every SKU is measured.")


@app.command("policy")
def policy(
    *,
    account: Annotated[str | None, typer.Option(help="Of one channel account; the seller's when not given.")] = None,
    rule: Chosen = None,
    sender: Annotated[
        Path | None, typer.Option(help="Who sends: a JSON file with name, document, phone, address; - is stdin.")
    ] = None,
    declares: Annotated[
        bool | None, typer.Option("--declares/--needs-invoice", help="Whether an order without NF-e may leave.")
    ] = None,
    most_g: Annotated[int | None, typer.Option("--most-g", min=1, help="The most grams of a volume.")] = None,
    side_mm: Annotated[int | None, typer.Option("--side-mm", min=1, help="The longest side of a volume.")] = None,
    sum_mm: Annotated[int | None, typer.Option("--sum-mm", min=1, help="The most of its three sides added.")] = None,
    tare_g: Annotated[int | None, typer.Option("--tare-g", min=0, help="What an empty box weighs.")] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show how freight is chosen and from where it leaves; options change it."""
    told: Words = {
        "rule": rule.value if rule else None, "sender": _sender(sender), "declares": declares, "most_g": most_g,
        "side_mm": side_mm, "sum_mm": sum_mm, "tare_g": tare_g,
    }  # fmt: skip
    changes = {name: value for name, value in told.items() if value is not None}

    async def work(desk: Desk) -> Words:
        from hub.store import freight, stock

        one = (await desk.account(account)).id if account else None
        async with desk.tx() as tx:
            if changes:
                await freight.set_policy(tx, one, changes)
                await stock.audit(tx, "freight_policy", str(one or desk.seller_id), changed=sorted(changes))
            return await freight.policy(tx, one)

    row = at_desk(seller, work)
    if as_json:
        page.write_json(row)
        return
    place = (row["sender"] or {}).get("address") or {}
    facts = {
        "rule": row["rule"] or "promise (not told)",
        "sender": " ".join(filter(None, [(row["sender"] or {}).get("name"), place.get("postal_code")])) or None,
        "without NF-e": {True: "may leave", False: "waits", None: "may leave when the sender is a person"}[
            row["declares"]
        ],
        "volume": f"up to {row['most_g'] or 30000} g, {row['side_mm'] or 1000} mm a side, "
        f"{row['sum_mm'] or 2000} mm in all; its box weighs {row['tare_g'] or 0} g",
    }
    for name, value in facts.items():
        page.line(f"{name:14}{page.word(value)}")


def _sender(file: Path | None) -> Words | None:
    if file is None:
        return None
    from pydantic import ValidationError

    from hub.model import Party

    try:
        told = json.loads(page.read_file(file))
        return Party.model_validate(told).model_dump()
    except ValueError as problem:
        if isinstance(problem, ValidationError):
            first = problem.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the document"
            raise Wrong(f"--sender: {where}: {first['msg']}.") from None
        raise Wrong(f"--sender: {file} is no JSON.") from None


# ── Quotes ──────────────────────────────────────────────────────────────────────────────────────────────────


@app.command("quote")
def quote(
    named: Named, *, rule: Chosen = None,
    lang: Annotated[Language, typer.Option(help="Of the explanation.")] = Language.PT, seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:  # fmt: skip
    """Ask every carrier at once what it takes to send an order, and show what the rule would choose."""

    async def work(desk: Desk) -> "Quoted":
        from jobs import freight

        return await freight.quote(desk.rt, desk.seller_id, (await found(desk, named))["id"])

    quoted = at_desk(seller, work)
    row = chosen(quoted, rule_of(rule), lang.value)
    if as_json:
        page.write_json({"id": quoted.id, "at": quoted.at, **quoted.consignment.asked(), **row, "offers": quoted.rows})
        return
    for place, volume in enumerate(quoted.consignment.volumes, 1):
        page.line(f"volume {place}: {_measures(volume)}")
    shown = [
        {
            **offer,
            "price": page.money(offer["price_cents"], "BRL"),
            "taken": "←" if (str(offer["account_id"]), offer["service"]) == (row["account_id"], row["service"]) else "",
            "service": offer["name"] or offer["service"] or "–",
        }
        for offer in quoted.rows
    ]
    columns = ["account", "service", "price", "days", "deliver_by", "cubic_g=cubic g", "error", "taken= "]
    page.console().print(page.table(shown, columns))
    page.line(f"{row['why'][:1].upper()}{row['why'][1:]}.")


def _measures(volume: "Volume") -> str:
    units = ", ".join(f"{count} x {sku}" for sku, count in volume.units.items())
    return f"{'x'.join(map(str, volume.sides_cm()))} cm, {volume.grams} g: {units}"


def chosen(quoted: "Quoted", rule: "Rule | None", lang: str) -> Words:
    """What the rule takes of a quote, and why."""
    from hub.freight import why

    choice = quoted.choice(rule)
    offer = choice.offer
    return {
        "rule": choice.rule, "account_id": offer.account if offer else None,
        "service": offer.service if offer else None, "price_cents": offer.price_cents if offer else None,
        "kept": choice.kept, "why": why(choice, lang),
    }  # fmt: skip


# ── Labels bought and taken back ────────────────────────────────────────────────────────────────────────────


def show_labels(told: list[Words], *, as_json: bool) -> None:
    """A table of labels; exits 1 where one was not bought."""
    for row in told:
        row.pop("posting", None)
        row["price"] = page.money(row.get("price_cents") or row.get("quoted_cents"), "BRL")
    columns = [
        "number=order", "volume", "account", "name=service", "price", "status", "tracking_code=code", "expires_at",
        "error", "reference",
    ]  # fmt: skip
    page.rows(told, columns, as_json=as_json, empty="There is no such label.")
    if any(row["status"] in ("not bought", "refused") for row in told):
        raise typer.Exit(1)


@app.command("list")
def list_(
    *, status: Annotated[str | None, typer.Option(help="Only these, as in bought or doubt.")] = None,
    limit: page.Limit = 50, seller: Seller = None, as_json: page.AsJson = False,
) -> None:  # fmt: skip
    """List labels, the newest first."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import labels

        if status is not None and status not in labels.STATUSES:
            raise Wrong(f"--status {status!r} is not one of: {', '.join(labels.STATUSES)}.")
        async with desk.tx() as tx:
            return await labels.listed(tx, status=status, limit=limit)

    told = at_desk(seller, work)
    for row in told:
        row.pop("posting")
        row["price"] = page.money(row["price_cents"] or row["quoted_cents"], "BRL")
    page.rows(
        told,
        ["number=order", "volume", "account", "name=service", "price", "status", "tracking_code=code", "bought_at",
         "error", "reference"],
        as_json=as_json, empty="There is no such label.",
    )  # fmt: skip


async def labels_of(desk: Desk, told: list[str], volume: int | None = None) -> list[Words]:
    """The living labels of these orders, by order and volume."""
    from hub.store import labels

    shown = []
    for row in await orders_named(desk, told):
        async with desk.tx() as tx:
            alive = await labels.alive(tx, row["id"])
        mine = [label for label in alive if volume in (None, label["volume"])]
        if not mine:
            raise Wrong(f"order {row['number'] or row['ref']} has no such label.")
        shown += mine
    return shown


Volumed = Annotated[int | None, typer.Option(min=1, help="Only this volume's label.")]


@app.command("cancel")
def cancel(
    named: Named, *, volume: Volumed = None, seller: Seller = None, as_json: page.AsJson = False
) -> None:  # fmt: skip
    """Take an order's labels back: their carrier is told. The channel is not, unless the parcel had left."""

    async def work(desk: Desk) -> list[Words]:
        from jobs import freight_leave

        rows = []
        for label in await labels_of(desk, [named], volume):
            told = await freight_leave.cancel(desk.rt, desk.seller_id, label["id"])
            code = label["tracking_code"] or label["ref"]
            rows.append({"order": label["number"], "volume": label["volume"], "code": code, "channel_knew": told})
        return rows

    page.rows(
        at_desk(seller, work), ["order", "volume", "code", "channel_knew=channel was told"], as_json=as_json, empty="",
    )  # fmt: skip


@app.command("settle")
def settle(
    reference: Annotated[str, typer.Argument(help="The label's reference, as `freight list` and its alert show it.")],
    *,
    ref: Annotated[str | None, typer.Option(help="It was bought: the carrier's id of it.")] = None,
    code: Annotated[str | None, typer.Option(help="It was bought: its tracking code.")] = None,
    not_bought: Annotated[bool, typer.Option("--not-bought", help="It was not bought.")] = False,
    seller: Seller = None,
) -> None:
    """Say what became of a purchase in doubt, at a carrier that cannot be asked by a reference."""
    if not_bought == (ref is not None):
        raise Wrong("say --ref with the carrier's id where it was bought, or --not-bought.")

    async def work(desk: Desk) -> None:
        from hub.store import labels
        from jobs import freight_buy

        async with desk.tx() as tx:
            id_: UUID | None = await labels.by_reference(tx, reference.strip())
        if id_ is None:
            raise Wrong(f"there is no label {reference!r}.")
        await freight_buy.resolve(desk.rt, desk.seller_id, id_, ref=ref, tracking_code=code)

    at_desk(seller, work)
    page.line(f"{reference} {'was not bought' if not_bought else 'was bought'}: noted.")

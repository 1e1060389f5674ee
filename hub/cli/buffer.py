"""Buffers: units kept away from a channel, and units set apart for one."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

if TYPE_CHECKING:
    from jobs.buffers import Changed

app = typer.Typer(help="Buffers: units kept away from a channel, and units set apart for one.")
ZONE = ZoneInfo("America/Sao_Paulo")


class Kind(StrEnum):
    """Of a buffer."""

    UNITS = "units"
    PERCENT = "percent"
    AUTO = "auto"
    LEAST = "least"
    MOST = "most"
    FIXED_POOL = "fixed_pool"


KindOf = Annotated[
    Kind,
    typer.Argument(
        help="units or percent: hold back so much. auto: hold back what other channels sell until this one is told. "
        "least: show none with fewer left. most: never show more. fixed_pool: set so many apart for the account.",
    ),
]
Value = Annotated[int, typer.Argument(metavar="N", help="Units; percent for percent; for auto the factor in percent.")]
Account = Annotated[str | None, typer.Option("--account", help="The channel account, by id, name or channel.")]
Category = Annotated[str | None, typer.Option("--category", help="Every SKU of this category.")]
Sku = Annotated[str | None, typer.Option("--sku", help="One SKU, by its code.")]
Listing = Annotated[str | None, typer.Option("--listing", help="One listing: its id, ref, or ref:variation.")]
Starts = Annotated[str | None, typer.Option("--starts", metavar="TIME", help="2026-11-27 or 2026-11-27T18:00.")]
Ends = Annotated[str | None, typer.Option("--ends", metavar="TIME", help="From that instant on it holds no more.")]
Until = Annotated[
    int | None, typer.Option("--until-stock", metavar="N", help="It holds only while more than N are free.")
]
Cap = Annotated[int | None, typer.Option("--cap", metavar="N", help="The most that an automatic one holds back.")]
Words = dict[str, Any]


@app.command("set")
def set_(
    kind: KindOf,
    value: Value,
    *,
    account: Account = None,
    category: Category = None,
    sku: Sku = None,
    listing: Listing = None,
    starts: Starts = None,
    ends: Ends = None,
    until_stock: Until = None,
    cap: Cap = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Set a buffer for an account, a category, a SKU or a listing: the most particular one counts.

    One of the same kind for the same thing is replaced. Every number that changes is computed at once.
    """
    said = (kind, value, account, category, sku, listing, starts, ends, until_stock, cap)
    _done(at_desk(seller, lambda desk: _set(desk, *said, dry=False)), as_json=as_json, dry=False)


@app.command("preview")
def preview(
    kind: KindOf,
    value: Value,
    *,
    account: Account = None,
    category: Category = None,
    sku: Sku = None,
    listing: Listing = None,
    starts: Starts = None,
    ends: Ends = None,
    until_stock: Until = None,
    cap: Cap = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Say which listings would show another number under such a buffer; nothing is written."""
    said = (kind, value, account, category, sku, listing, starts, ends, until_stock, cap)
    _done(at_desk(seller, lambda desk: _set(desk, *said, dry=True)), as_json=as_json, dry=True)


@app.command("remove")
def remove(
    buffer_id: Annotated[UUID, typer.Argument(metavar="ID", help="As `balcao buffer list` tells it.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and do nothing.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Remove a buffer; what it held back is shown again."""

    async def work(desk: Desk) -> "Changed":
        from jobs.buffers import remove_rule

        return await remove_rule(desk.rt, desk.seller_id, buffer_id, dry=dry_run)

    _done(at_desk(seller, work), as_json=as_json, dry=dry_run)


@app.command("list")
def list_(*, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List every buffer, the most particular first."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import buffers

        async with desk.tx() as tx:
            return [_told(row, desk) for row in await buffers.every(tx)]

    page.rows(
        at_desk(seller, work),
        ["id", "scope", "for", "account", "kind", "value", "held=Held now", "until_stock", "starts_at", "ends_at",
         "state"],
        as_json=as_json,
        empty="There is no buffer: every channel shows all that is free.",
    )  # fmt: skip


def _told(row: Words, desk: Desk) -> Words:
    now = desk.rt.now()
    waits, over = row["starts_at"] and row["starts_at"] > now, row["ends_at"] and row["ends_at"] <= now
    return {
        "id": row["id"], "scope": row["scope"], "for": None if row["scope"] == "channel" else row["scope_ref"],
        "account": row["account"], "kind": row["kind"], "value": row["value"], "cap": row["cap"],
        "held": row["measured"], "until_stock": row["until_stock"], "starts_at": row["starts_at"],
        "ends_at": row["ends_at"], "state": "waits" if waits else "over" if over else "in force",
    }  # fmt: skip


# ── what was asked for ──────────────────────────────────────────────────────────────────────────────────


async def _set(
    desk: Desk, kind: Kind, value: int, account: str | None, category: str | None, sku: str | None,
    listing: str | None, starts: str | None, ends: str | None, until_stock: int | None, cap: int | None, *, dry: bool,
) -> "Changed":  # fmt: skip
    from hub.buffers import BufferKind
    from hub.store.buffers import Rule
    from jobs.buffers import set_rule

    scope, ref, account_id = await _scope(desk, account, category, sku, listing)
    rule = Rule(
        scope=scope, scope_ref=ref, account_id=account_id, kind=BufferKind(kind.value), value=value,
        until_stock=until_stock, cap=cap, starts_at=instant("--starts", starts), ends_at=instant("--ends", ends),
    )  # fmt: skip
    return await set_rule(desk.rt, desk.seller_id, rule, dry=dry)


async def _scope(
    desk: Desk, account: str | None, category: str | None, sku: str | None, listing: str | None
) -> tuple[str, str, UUID | None]:
    """What a rule is for: its scope, what names it there, and the one account that it is for."""
    told = [name for name, said in (("--category", category), ("--sku", sku), ("--listing", listing)) if said]
    if len(told) > 1:
        raise Wrong(f"{' and '.join(told)}: a buffer is for one of them; set one each.")
    account_id = (await desk.account(account)).id if account else None
    if listing:
        return await _listing(desk, listing.strip(), account_id)
    if category:
        return "category", category.strip(), account_id
    if sku:
        return "sku", sku.strip(), account_id
    if account_id is None:
        raise Wrong("what is it for? Name an --account, a --category, a --sku or a --listing.")
    return "channel", str(account_id), account_id


async def _listing(desk: Desk, named: str, account_id: UUID | None) -> tuple[str, str, UUID]:
    from hub.store import buffers, lookup

    async with desk.tx() as tx:
        found = await lookup.listing(tx, named)
        slots = await buffers.slots_of_listings(tx, [row["id"] for row in found])
    slots = [slot for slot in slots if account_id in (None, slot["account_id"])]
    refs = {(slot["account_id"], slot["ref"]) for slot in slots}
    if not refs:
        raise Wrong(f"--listing: there is no listing {named!r}: `balcao listings list` has them.")
    if len(refs) > 1:
        raise Wrong(f"--listing: {len(refs)} listings answer to {named!r}: add the --account, or name one by its id.")
    ((owner, ref),) = refs
    return "listing", ref, owner


def instant(option: str, told: str | None) -> datetime | None:
    """A time as typed: without an offset it is São Paulo's; a day is its first instant."""
    if told is None:
        return None
    try:
        at = datetime.fromisoformat(told.strip())
    except ValueError:
        raise Wrong(f"{option}: {told!r} is no time: write 2026-11-27 or 2026-11-27T18:00.") from None
    return at if at.tzinfo else at.replace(tzinfo=ZONE)


def _done(changed: "Changed", *, as_json: bool, dry: bool) -> None:
    rows = [
        {"account": c.account, "sku": c.sku, "listing": c.listing, "variation": c.variation, "before": c.before,
         "after": c.after}
        for c in changed.changes
    ]  # fmt: skip
    zeros = [{"account": name, "to_zero": zero, "showing": showing} for name, zero, showing in changed.zeros]
    if as_json:
        page.write_json({"id": changed.buffer_id, "dry_run": dry, "changes": rows, "to_zero": zeros})
        return
    if rows:
        page.console().print(page.table(rows, ["account", "sku=SKU", "listing", "variation", "before", "after"]))
    for zero in zeros:
        page.line(f"{zero['account']}: {zero['to_zero']} of {zero['showing']} listings on show go to zero.")
    verb = "would show" if dry else "show"
    page.line(f"{len(rows)} listings {verb} another number{'; nothing is written' if dry else ''}.")

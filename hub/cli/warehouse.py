"""Warehouses (depósitos)."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

if TYPE_CHECKING:
    from hub.allocation import Area

app = typer.Typer(help="Warehouses (depósitos): what sales leave from, and in which order.")
MOST = 1_000_000
Code = Annotated[str, typer.Argument(metavar="CODE", help="The warehouse's code.")]
Rank = typer.Option(min=0, max=MOST, help="Sales leave from the lowest first.")
Cep = typer.Option("--cep", help="Its postal code, as in 01310-100.")
State = typer.Option("--state", help="Its UF, as in SP.")


class Kind(StrEnum):
    """What stands there. Sales leave from own ones; a marketplace's is shown, never drawn from nor written to."""

    OWN = "own"
    MARKETPLACE = "marketplace"
    TRANSIT = "transit"
    DAMAGED = "damaged"


class Policy(StrEnum):
    """How far an order may be divided: not at all, by line, within a line (whole sold units)."""

    ORDER = "order"
    LINE = "line"
    UNITS = "units"
    INHERIT = "inherit"


def postal_code(told: str | None) -> str | None:
    """Eight digits of a CEP."""
    if told is None:
        return None
    bare = re.sub(r"[\s.-]", "", told)
    if not re.fullmatch(r"[0-9]{8}", bare):
        raise Wrong(f"cep: {told!r} is not eight digits, as in 01310-100.")
    return bare


def uf(told: str | None) -> str | None:
    """A state's two letters."""
    if told is None:
        return None
    from hub import parse

    bare = parse.state(told)
    if bare not in parse.STATES.values():
        raise Wrong(f"state: {told!r} is not a UF, as in SP.")
    return bare


@app.command("add")
def add(
    code: Code,
    name: str,
    *,
    rank: Annotated[int, Rank] = 100,
    kind: Annotated[Kind, typer.Option(help="What stands there.")] = Kind.OWN,
    cep: Annotated[str | None, Cep] = None,
    state: Annotated[str | None, State] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Add a warehouse."""
    if not code.strip() or not name.strip():
        raise Wrong("a warehouse needs a code and a name.")
    where = {"postal_code": postal_code(cep), "state": uf(state)}

    async def work(desk: Desk) -> dict[str, object]:
        from hub.store import stock, warehouses

        async with desk.tx() as tx:
            known = await warehouses.by_code(tx, code.strip())
            if known is not None:
                raise Wrong(f"there is a warehouse {code.strip()!r} already{' (closed)' * bool(known['closed_at'])}.")
            made = await warehouses.warehouse_add(tx, code.strip(), name.strip(), rank=rank, kind=kind.value, **where)
            await stock.audit(tx, "warehouse_add", str(made), code=code, rank=rank, kind=kind.value)
        return {"id": made, "code": code.strip(), "name": name.strip(), "rank": rank, "kind": kind.value, **where}

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
    else:
        page.line(f"{made['code']} ({made['name']}) is a warehouse now.")


@app.command("list")
def list_(*, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List the warehouses, in the order in which sales leave from them."""

    async def work(desk: Desk) -> list[dict[str, object]]:
        from hub.store import warehouses

        async with desk.tx() as tx:
            return await warehouses.every(tx)

    page.rows(
        at_desk(seller, work),
        [
            "code",
            "name",
            "kind",
            "rank",
            "state",
            "postal_code=CEP",
            "areas",
            "draws=drawn by",
            "skus=SKUs",
            "on_hand",
            "reserved",
        ],
        as_json=as_json,
        empty="There is no warehouse yet: `balcao stock set` makes the first.",
    )


@app.command("edit")
def edit(
    code: Code,
    *,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="What stands there.")] = None,
    rank: Annotated[int | None, Rank] = None,
    cep: Annotated[str | None, Cep] = None,
    state: Annotated[str | None, State] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Change a warehouse. Another kind changes what every channel shows, at once."""
    if name is not None and not name.strip():
        raise Wrong("name: a warehouse needs one.")
    told = {"postal_code": postal_code(cep), "state": uf(state)}

    async def work(desk: Desk) -> None:
        from jobs import warehouses

        await warehouses.edit(
            desk.rt, desk.seller_id, code.strip(), name=name, kind=kind.value if kind else None, rank=rank, **told
        )

    at_desk(seller, work)
    _done(f"{code.strip()} is changed.", {"code": code.strip(), "edited": True}, as_json=as_json)


@app.command("close")
def close(code: Code, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Close an empty warehouse; its history stays."""

    async def work(desk: Desk) -> None:
        from jobs import warehouses

        await warehouses.close(desk.rt, desk.seller_id, code.strip())

    at_desk(seller, work)
    _done(f"{code.strip()} is closed.", {"code": code.strip(), "closed": True}, as_json=as_json)


@app.command("draws")
def draws(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="By id, name or channel.")],
    *,
    source: Annotated[str | None, typer.Option("--from", help="Codes, as in loja,galpao.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every own one, as at the beginning.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Say which warehouses a channel draws from; units in transit count for it where it draws from transit."""
    codes = list(dict.fromkeys(code.strip() for code in (source or "").split(",") if code.strip()))
    if every == bool(codes):
        raise Wrong("from: name warehouses, as in --from loja,galpao, or say --all.")

    async def work(desk: Desk) -> None:
        from jobs import warehouses

        named = await desk.account(account)
        await warehouses.draw(desk.rt, desk.seller_id, named.id, codes)

    at_desk(seller, work)
    told = ", ".join(codes) or "every own warehouse"
    _done(f"{account} draws from {told}.", {"account": account, "draws": codes or None}, as_json=as_json)


@app.command("area")
def area(
    code: Code,
    *,
    state: Annotated[str | None, typer.Option("--state", help="UFs, as in SP,RJ.")] = None,
    cep: Annotated[list[str] | None, typer.Option("--cep", help="A range, as in 01000000-19999999.")] = None,
    rank: Annotated[int, Rank] = 1,
    clear: Annotated[bool, typer.Option("--clear", help="No areas any more.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Give a warehouse another rank for what goes to some states or postal codes, in place of what it had."""
    from hub.allocation import Area

    states = [uf(each) for each in (state or "").split(",") if each.strip()]
    areas = [Area(rank=rank, state=each) for each in states] + [_range(each, rank) for each in cep or ()]
    if clear == bool(areas):
        raise Wrong("area: name states (--state SP,RJ) or a range (--cep 01000000-19999999), or say --clear.")

    async def work(desk: Desk) -> None:
        from jobs import warehouses

        await warehouses.cover(desk.rt, desk.seller_id, code.strip(), areas)

    at_desk(seller, work)
    told = f"has rank {rank} for {', '.join([state or '', *(cep or [])]).strip(', ')}" if areas else "has no areas"
    _done(f"{code.strip()} {told}.", {"code": code.strip(), "areas": len(areas)}, as_json=as_json)


def _range(told: str, rank: int) -> "Area":
    from hub.allocation import Area

    first, dash, last = told.replace(" ", "").rpartition("-")
    # A range of CEPs written with their own dashes has three: 01000-000-19999-999.
    if told.count("-") > 1:
        first, dash, last = told[: len(told) // 2], "-", told[len(told) // 2 + 1 :]
    if not dash or not first:
        raise Wrong(f"cep: {told!r} is not a range, as in 01000000-19999999.")
    start, end = postal_code(first), postal_code(last)
    if start is None or end is None or start > end:
        raise Wrong(f"cep: {told!r} ends before it begins.")
    return Area(rank=rank, first=start, last=end)


@app.command("split")
def split(
    policy: Annotated[Policy, typer.Argument(help="How far an order may be divided.")],
    *,
    account: Annotated[str | None, typer.Option(help="Only what this account sells.")] = None,
    sku: Annotated[str | None, typer.Option(help="Only this SKU.")] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Say how far orders may be divided among warehouses: a SKU's word first, then its account's, then yours."""
    if account and sku:
        raise Wrong("name an account or a SKU, not both.")

    async def work(desk: Desk) -> None:
        from jobs import warehouses

        named = await desk.account(account) if account else None
        word = None if policy is Policy.INHERIT else policy.value
        await warehouses.split(desk.rt, desk.seller_id, word, account_id=named.id if named else None, sku=sku)

    at_desk(seller, work)
    told = {"policy": policy.value, "account": account, "sku": sku}
    _done(f"Orders are divided by: {policy.value} ({sku or account or 'all'}).", told, as_json=as_json)


def _done(sentence: str, told: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        page.write_json(told)
    else:
        page.line(sentence)

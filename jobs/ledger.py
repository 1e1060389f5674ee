"""Writing to the ledger: many SKUs at once, under one order of locks, with everything that follows from it."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar
from uuid import UUID, uuid4

import psycopg

from hub.store import Tx, kits, ledger, lookup, stock, warehouses
from hub.store.ledger import Entry, Known
from jobs.availability import Ripple, raised, recompute
from jobs.connect import Refused
from jobs.resettle import opened as settle_opened
from jobs.runtime import Runtime

Mode: TypeAlias = Literal["set", "add"]
T = TypeVar("T")
ATTEMPTS = 8


class Collided(Exception):
    """An order that somebody works on turned out to concern us: begin again, and wait for it first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Units that stand on a shelf (mode "set"), or by which it changes (mode "add")."""

    sku_id: UUID
    warehouse_id: UUID
    units: int
    line_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What telling did to one shelf."""

    told: Told
    before: int
    delta: int
    opened: bool

    @property
    def after(self) -> int:
        """Units on hand afterwards."""
        return self.before + self.delta


async def transact(rt: Runtime, seller_id: UUID, work: Callable[[Tx, Ripple], Awaitable[T]]) -> T:
    """Do ledger work in one transaction and ring for what follows; begin again when it collides with a sale."""
    for attempt in range(1, ATTEMPTS + 1):
        ripple = Ripple()
        try:
            async with rt.db.seller(seller_id) as tx:
                done = await work(tx, ripple)
        except (Collided, psycopg.errors.DeadlockDetected):
            if attempt == ATTEMPTS:
                raise
            continue
        for account_id in ripple.accounts:
            rt.ring("stock", account_id)
        return done
    raise RuntimeError("unreachable")


async def write(
    rt: Runtime, tx: Tx, told: Sequence[Told], *, mode: Mode, reason: str, source_ref: str, ripple: Ripple,
    note: str | None = None, opens: bool = True, cause: str = "count",
) -> list[Done]:  # fmt: skip
    """Book what is told, fill what waited for it, and compute what channels show. One row per shelf.

    Locks, in the order of ADR 0004: orders that an opening concerns, SKUs to open, levels, slots, each in
    id order. `opens`: a
    SKU whose stock was not open opens with it. Raises Collided when it must be begun again (see `transact`).
    """
    ids = {row.sku_id for row in told}
    shut = ids - (await stock.opened(tx, ids)).keys() if opens else set()
    mine = await _orders_of(tx, shut)
    await ledger.lock_orders(tx, mine, wait=True)
    await ledger.lock_openings(tx, shut)
    places = [(row.sku_id, row.warehouse_id) for row in told]
    await ledger.make_levels(tx, places)
    await stock.lock_around(tx, ids)
    levels = await stock.lock_levels(tx, ids)
    now = rt.now()  # under the locks: whoever counted before us has an earlier one
    opened = await ledger.open_skus(tx, shut, now) if shut else set()
    done = [_done(row, levels[row.sku_id, row.warehouse_id].on_hand, mode, row.sku_id in opened) for row in told]
    entries = [
        Entry(
            sku_id=row.told.sku_id, warehouse_id=row.told.warehouse_id, delta=row.delta,
            reason="opening" if row.opened else reason, line_ref=row.told.line_ref,
        )
        for row in done
    ]  # fmt: skip
    booked = await ledger.book(tx, entries, source_ref, note)
    done = [row if (row.told.sku_id, row.told.line_ref) in booked else replace(row, delta=0) for row in done]
    if mode == "set":
        await ledger.mark_counted(tx, places, [now] * len(places))
    if opened:
        await _settle_opened(rt, tx, opened, set(mine), ripple)
    await follow(rt, tx, ids, ripple, cause)
    return done


def _done(row: Told, on_hand: int, mode: Mode, opened: bool) -> Done:  # noqa: FBT001 - a fact about the row
    delta = row.units - on_hand if mode == "set" else row.units
    return Done(told=row, before=on_hand, delta=delta, opened=opened)


async def follow(rt: Runtime, tx: Tx, ids: Collection[UUID], ripple: Ripple, cause: str) -> None:
    """What follows from moved units: promises that are not there are taken back, shortages filled, slots computed."""
    levels = await stock.lock_levels(tx, ids)
    picture = stock.picture(levels)
    await raised(tx, ids, levels, await warehouses.shelves(tx))
    await ledger.write_reserved(tx, picture, levels)
    await recompute(tx, ids, rt.now(), ripple, cause)


async def _orders_of(tx: Tx, sku_ids: Collection[UUID]) -> list[UUID]:
    return await stock.open_orders_with(tx, await kits.with_kits_of(tx, sku_ids)) if sku_ids else []


async def _settle_opened(rt: Runtime, tx: Tx, opened: Collection[UUID], mine: set[UUID], ripple: Ripple) -> None:
    """Orders that came in between our first look and our locks are locked too, or all begins again."""
    late = set(await _orders_of(tx, opened)) - mine
    if late and await ledger.lock_orders(tx, late, wait=False) != late:
        raise Collided
    await settle_opened(rt, tx, opened, ripple, rt.now())


# ── what people tell ────────────────────────────────────────────────────────────────────────────────────────


async def adjust(
    rt: Runtime, seller_id: UUID, code: str, delta: int, note: str, *, warehouse: str | None = None,
    ref: str | None = None,
) -> Done | None:  # fmt: skip
    """Change a SKU's units by `delta` and say why. The same `ref` again changes nothing: None.

    Raises Refused for an unknown or unopened SKU, a kit, an unknown warehouse, or more units than stand there.
    """
    if not delta or not note.strip():
        raise Refused("nothing to adjust: give +N or -N units, and a reason", "nothing")
    source = f"adjust:{ref or uuid4()}"

    async def work(tx: Tx, ripple: Ripple) -> Done | None:
        sku = single(await ledger.known(tx, [code]), code)
        if not sku.is_open:
            raise Refused(f"stock of {code} is not open: count it first (`balcao stock set`)", "not_open", sku=code)
        shelf = await shelf_named(tx, warehouse)
        if ref is not None and await lookup.is_booked(tx, "adjustment", source):
            return None
        told = Told(sku_id=sku.id, warehouse_id=shelf, units=delta)
        (done,) = await write(
            rt, tx, [told], mode="add", reason="adjustment", source_ref=source, ripple=ripple, note=note.strip(),
            opens=False,
        )  # fmt: skip
        if not done.delta:  # the same reference, booked while we waited for the level
            return None
        if done.after < 0:
            raise Refused(
                f"{code}: {done.before} stand there, {delta} would leave {done.after}", "below_zero", sku=code,
                there=done.before, units=-delta,
            )  # fmt: skip
        await stock.audit(tx, "stock_adjust", code, delta=delta, note=note.strip(), warehouse=warehouse)
        return done

    return await transact(rt, seller_id, work)


def single(known: dict[str, Known], code: str) -> Known:
    """The SKU of a code, whose units can be told; Refused where there is none, or it is a kit."""
    sku = known.get(code)
    if sku is None:
        raise Refused(f"there is no SKU {code!r}: link a listing to it first, or import it", "no_sku", sku=code)
    if sku.is_kit:
        raise Refused(f"{code} is a kit: count its components, the kit follows from them", "kit", sku=code)
    return sku


async def shelf_named(tx: Tx, code: str | None) -> UUID:
    """The warehouse of a code, else the first by rank; Refused where there is none."""
    try:
        return await warehouses.warehouse(tx, code)
    except LookupError as problem:
        raise Refused(str(problem.args[0]), "warehouse", code=code) from None

"""Purchase orders: drafts out of suggestions, sending, receiving in parts, closing short, calling off."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.replenishment import moving_average
from hub.store import Tx, lookup, purchases, replenishment, stock, suppliers, warehouses
from jobs.availability import Ripple, raised, recompute
from jobs.connect import Refused
from jobs.replenish import check, skus_named, suggestions
from jobs.runtime import Runtime

MOST_UNITS = 100_000_000
MOST_LINES = 2000


@dataclass(frozen=True, slots=True)
class Ordered:
    """A draft and how many lines were put into it."""

    id: UUID
    number: str
    supplier: str
    lines: int


@dataclass(frozen=True, slots=True)
class Left:
    """A suggestion that became no line, and why: no_supplier, or the number of the draft it stands in."""

    sku: str
    draft: str | None


@dataclass(frozen=True, slots=True)
class Received:
    """What a receipt did. `again`: it was booked before, and nothing moved."""

    status: str
    units: int
    again: bool


class PurchaseRefused(Refused):
    """A refusal that pages tell in their reader's language: `kind`, and what its sentence names."""

    def __init__(self, kind: str, sentence: str, **params: object) -> None:
        super().__init__(sentence)
        self.kind, self.params = kind, params


async def locked(tx: Tx, order_id: UUID, *statuses: str) -> dict[str, Any]:
    """A purchase order in one of these states, locked. Refused says what it is instead."""
    order = await purchases.lock(tx, order_id)
    if order is None:
        raise PurchaseRefused("unknown", "there is no such purchase order")
    if order["status"] not in statuses:
        wanted = " or ".join(statuses)
        raise PurchaseRefused(
            "state",
            f"purchase order {order['number']} is {order['status']}: this can be done while it is {wanted}",
            number=order["number"],
        )
    return order


# ── Drafts ──────────────────────────────────────────────────────────────────────────────────────────────────


async def order_suggested(
    rt: Runtime, seller_id: UUID, *, skus: Mapping[str, int] | None = None, supplier_id: UUID | None = None
) -> tuple[list[Ordered], list[Left]]:
    """Put what is suggested (of these SKUs, by code, in these units) into each supplier's draft.

    What stands in a draft already is left alone: ordering twice must not buy twice. Refused for a SKU that is
    not replenished.
    """
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        wanted = await _wanted(tx, now, skus, supplier_id)
        drafted = await purchases.in_drafts(tx)
        left = [Left(row["code"], drafted.get(row["sku_id"])) for row, _units in wanted if row["sku_id"] in drafted]
        left += [
            Left(row["code"], None) for row, _u in wanted if row["supplier_id"] is None and row["sku_id"] not in drafted
        ]
        groups: dict[UUID, dict[UUID, tuple[int, int | None]]] = {}
        for row, units in wanted:
            if row["supplier_id"] is not None and row["sku_id"] not in drafted:
                groups.setdefault(row["supplier_id"], {})[row["sku_id"]] = (units, row["cost_cents"])
        made = []
        for supplier, lines in groups.items():
            order_id = await purchases.open_draft(tx, supplier) or await purchases.add(tx, supplier)
            await purchases.put_lines(tx, order_id, lines)
            order = await locked(tx, order_id, "draft")
            made.append(Ordered(order_id, order["number"], order["supplier"], len(lines)))
            await stock.audit(tx, "purchase_drafted", str(order_id), number=order["number"], lines=len(lines))
    return made, left


async def _wanted(
    tx: Tx, now: datetime, skus: Mapping[str, int] | None, supplier_id: UUID | None
) -> list[tuple[Mapping[str, Any], int]]:
    if skus is None:
        told = await suggestions(tx, now, "low", supplier_id=supplier_id, limit=MOST_LINES)
        return [(each.row, each.verdict.quantity) for each in told if each.verdict.quantity]
    found: list[tuple[Mapping[str, Any], int]] = []
    for code, sku_id in (await skus_named(tx, list(skus))).items():
        row = await replenishment.standing(tx, sku_id)
        if row is None:
            raise PurchaseRefused(
                "unplanned",
                f"{code} is not replenished: count its stock first, or switch its replenishment on",
                sku=code,
            )
        if not 0 < skus[code] <= MOST_UNITS:
            raise PurchaseRefused(
                "quantity", f"quantity of {code}: {skus[code]} is not from 1 to {MOST_UNITS}", sku=code
            )
        found.append((row, skus[code]))
    return found


async def create(
    rt: Runtime, seller_id: UUID, supplier: str, lines: Mapping[str, tuple[int, int | None]], *,
    warehouse: str | None = None, note: str | None = None,
) -> str:  # fmt: skip
    """A draft of (quantity, cost in centavos) by SKU code; answers its number. Refused for an unknown name."""
    async with rt.db.seller(seller_id) as tx:
        known = await suppliers.named(tx, supplier)
        if known is None:
            raise PurchaseRefused(
                "supplier", f"there is no supplier {supplier!r}: `balcao supplier add` makes one", name=supplier
            )
        shelf = await _warehouse(tx, warehouse) if warehouse else None
        order_id = await purchases.add(tx, known["id"], warehouse_id=shelf, note=note)
        await _put(tx, order_id, lines)
        order = await locked(tx, order_id, "draft")
        await stock.audit(tx, "purchase_drafted", str(order_id), number=order["number"], lines=len(lines))
    number: str = order["number"]
    return number


async def edit(
    rt: Runtime, seller_id: UUID, order_id: UUID, lines: Mapping[str, tuple[int, int | None]]
) -> None:  # fmt: skip
    """Change a draft's lines; a quantity of 0 takes one out."""
    async with rt.db.seller(seller_id) as tx:
        await locked(tx, order_id, "draft")
        await _put(tx, order_id, lines)


async def _put(tx: Tx, order_id: UUID, lines: Mapping[str, tuple[int, int | None]]) -> None:
    ids = await skus_named(tx, list(lines))
    for code, (units, cost) in lines.items():
        if not 0 <= units <= MOST_UNITS:
            raise PurchaseRefused("quantity", f"quantity of {code}: {units} is not from 0 to {MOST_UNITS}", sku=code)
        if cost is not None and cost < 0:
            raise PurchaseRefused("cost", f"cost of {code}: {cost} is below zero", sku=code)
    await purchases.put_lines(tx, order_id, {ids[code]: told for code, told in lines.items()})


async def send(rt: Runtime, seller_id: UUID, order_id: UUID, *, expected_at: datetime | None = None) -> None:
    """The supplier has it: its units are incoming from now on, expected as its SKUs' lead times say if not told."""
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        order = await locked(tx, order_id, "draft")
        lines = await purchases.lines(tx, order_id)
        if not lines:
            raise PurchaseRefused(
                "empty", f"purchase order {order['number']} has no lines: add one, or cancel it", number=order["number"]
            )
        if expected_at is not None and expected_at < now:
            raise PurchaseRefused("past", f"expected at: {expected_at:%Y-%m-%d} lies in the past")
        days = await replenishment.longest_lead(tx, [line["sku_id"] for line in lines])
        if days is None:
            days = (await replenishment.defaults(tx)).lead_time_days
        expected = expected_at or now + timedelta(days=days)
        await purchases.set_status(tx, order_id, "sent", sent_at=now, expected_at=expected)
        await check(tx, now, [line["sku_id"] for line in lines])
        await stock.audit(tx, "purchase_sent", str(order_id), number=order["number"])


async def cancel(rt: Runtime, seller_id: UUID, order_id: UUID) -> None:
    """Nothing of it will come. Refused once something came: it is closed short then."""
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        order = await locked(tx, order_id, "draft", "sent", "partial")
        if order["status"] == "partial":
            sentence = f"part of purchase order {order['number']} came already: close it short instead"
            raise PurchaseRefused("partly_came", sentence, number=order["number"])
        await _end(tx, order, "cancelled", now)


async def close_short(rt: Runtime, seller_id: UUID, order_id: UUID) -> None:
    """What is still missing will not come."""
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        order = await locked(tx, order_id, "sent", "partial")
        if order["status"] == "sent":
            sentence = f"nothing of purchase order {order['number']} came yet: cancel it instead"
            raise PurchaseRefused("nothing_came", sentence, number=order["number"])
        await _end(tx, order, "closed", now)


async def _end(tx: Tx, order: Mapping[str, Any], status: str, now: datetime) -> None:
    await purchases.set_status(tx, order["id"], status, closed_at=now)
    await check(tx, now, [line["sku_id"] for line in await purchases.lines(tx, order["id"])])
    await stock.audit(tx, f"purchase_{status}", str(order["id"]), number=order["number"])


# ── Receiving ───────────────────────────────────────────────────────────────────────────────────────────────


async def receive(
    rt: Runtime, seller_id: UUID, order_id: UUID, ref: str, came: Mapping[str, tuple[int, int | None]], *,
    warehouse: str | None = None, over: bool = False,
) -> Received:  # fmt: skip
    """Units that came, as (quantity, cost in centavos where it differs) by SKU code, into the ledger at once.

    Shortages are filled before anything shows as available. The same `ref` moves nothing twice. Refused for more
    than was ordered (unless `over`), a SKU that is not in the order, or one whose stock was never counted: then
    nothing is written.
    """
    now, ripple = rt.now(), Ripple()
    async with rt.db.seller(seller_id) as tx:
        order = await locked(tx, order_id, "sent", "partial", "received", "closed")
        lines = {line["sku"]: line for line in await purchases.lines(tx, order_id)}
        shelf = await _warehouse(tx, warehouse or order["warehouse"])
        wanted = {code: told for code, told in came.items() if told[0]}
        receipt = await purchases.receipt_add(tx, order_id, ref, shelf, now)
        if receipt is None:
            return Received(order["status"], 0, again=True)
        _refuse_open_ends(order, lines, wanted, over=over)
        ids = [lines[code]["sku_id"] for code in wanted]
        await _book(tx, order_id, receipt, ref, shelf, {lines[code]["sku_id"]: told for code, told in wanted.items()})
        await recompute(tx, ids, now, ripple, "receipt")
        status = await _settled(tx, order_id, now)
        await check(tx, now, ids)
        units = sum(quantity for quantity, _cost in wanted.values())
        await stock.audit(tx, "purchase_received", str(order_id), number=order["number"], ref=ref, units=units)
    for account_id in ripple.accounts:
        rt.ring("stock", account_id)
    return Received(status, units, again=False)


def _refuse_open_ends(
    order: Mapping[str, Any], lines: Mapping[str, Mapping[str, Any]], came: Mapping[str, tuple[int, int | None]], *,
    over: bool,
) -> None:  # fmt: skip
    number = order["number"]
    if order["status"] in ("received", "closed") and not over:
        raise PurchaseRefused(
            "done", f"purchase order {number} is {order['status']}: confirm that more of it came", number=number
        )
    if not came:
        sentence = f"no units of purchase order {number} are told: say how many came of at least one SKU"
        raise PurchaseRefused("none_told", sentence)
    for code, (quantity, cost) in came.items():
        line = lines.get(code)
        if line is None:
            sentence = f"{code} is not in purchase order {number}: its SKUs are {', '.join(lines)}"
            raise PurchaseRefused("not_in", sentence, sku=code, number=number)
        if not 0 < quantity <= MOST_UNITS:
            raise PurchaseRefused("quantity", f"quantity of {code}: {quantity} is not from 1 to {MOST_UNITS}", sku=code)
        if cost is not None and cost < 0:
            raise PurchaseRefused("cost", f"cost of {code}: {cost} is below zero", sku=code)
        if line["opened_at"] is None:
            sentence = f"the stock of {code} was never counted: count what stood there before this came (0 if none)"
            raise PurchaseRefused("uncounted", sentence, sku=code)
        if line["received_quantity"] + quantity > line["quantity"] and not over:
            total = line["received_quantity"] + quantity
            sentence = f"{code}: {total} would have come of {line['quantity']} ordered: confirm that more came"
            raise PurchaseRefused("over", sentence, sku=code, total=total, ordered=line["quantity"])


async def _book(
    tx: Tx, order_id: UUID, receipt: UUID, ref: str, shelf: UUID, came: Mapping[UUID, tuple[int, int | None]]
) -> None:
    """Ledger, levels, costs and shortages, under the locks that counts take, in their order."""
    ids = sorted(came)
    await stock.make_levels(tx, ids, [shelf])
    await stock.lock_around(tx, ids)
    levels = await stock.lock_levels(tx, ids)
    picture = stock.picture(levels)
    ordered = {line["sku_id"]: line["cost_cents"] for line in await purchases.lines(tx, order_id)}
    costs = await purchases.costs(tx, ids)
    for sku in ids:
        quantity, told = came[sku]
        paid = ordered[sku] if told is None else told
        there = sum(level.on_hand for (each, _shelf), level in levels.items() if each == sku)
        cost = moving_average(there, costs[sku], quantity, paid)
        await stock.move(tx, sku, shelf, quantity, "receipt", f"purchase:{order_id}:{ref}")
        await purchases.receive_line(tx, order_id, receipt, sku, quantity, paid)
        if cost is not None and cost != costs[sku]:
            await purchases.set_cost(tx, sku, cost)
        levels[sku, shelf].on_hand += quantity
    await raised(tx, ids, levels, await warehouses.shelves(tx))
    await stock.write_levels(tx, picture, levels)


async def _settled(tx: Tx, order_id: UUID, now: datetime) -> str:
    lines = await purchases.lines(tx, order_id)
    if any(line["missing"] for line in lines):
        order = await purchases.lock(tx, order_id)
        if order is not None and order["status"] == "closed":
            return "closed"
        await purchases.set_status(tx, order_id, "partial")
        return "partial"
    await purchases.set_status(tx, order_id, "received", closed_at=now)
    return "received"


async def _warehouse(tx: Tx, code: str | None) -> UUID:
    try:
        found = await warehouses.warehouse(tx, code)
    except LookupError as problem:
        raise Refused(str(problem.args[0])) from None
    kinds = {row["id"]: row["kind"] for row in await lookup.warehouses(tx)}
    if kinds.get(found) != "own":
        raise Refused(f"warehouse {code!r} is not one of your own: purchases are received where you keep stock")
    return found

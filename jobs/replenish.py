"""Replenishment kept going: days and plans once a day, positions and alerts every few minutes and at each receipt."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hub.demand import Day, Demand, Handling, demand
from hub.replenishment import Defaults, Lead, LeadSource, Plan, Verdict, abc, judge, lead_time, plan
from hub.replenishment_why import Answer, suggestion
from hub.store import Tx, alerts, lookup, people, replenishment, stock, stock_days, suppliers
from jobs.connect import Refused
from jobs.runtime import Runtime, log

ZONE = ZoneInfo("America/Sao_Paulo")
MEASURED_OVER = timedelta(days=365)  # older receipts say little of how long a supplier takes now
CANCELLED_WITHIN = timedelta(days=30)  # an order placed so long before the window may still give units back within it
AT_ONCE = 1000  # SKUs of a transaction


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A daily run: rows of days that changed, SKUs planned, and how long it took."""

    days: int
    skus: int
    ms: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at all positions did to alerts."""

    raised: int
    resolved: int
    urgent: int


def midnight(at: datetime) -> datetime:
    """When the day of São Paulo began."""
    return at.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)


async def keep(rt: Runtime) -> None:
    """Every seller: the daily run where today's is missing, then the look at positions."""
    async with rt.db.dispatch() as tx:
        sellers = [row["seller_id"] for row in await people.sellers(tx)]
    for seller_id in sellers:
        try:
            await keep_seller(rt, seller_id)
        except Exception:  # noqa: BLE001 - one seller's trouble is not another's
            log.exception("replenishment failed", seller=str(seller_id))


async def keep_seller(rt: Runtime, seller_id: UUID) -> Checked:
    """The daily run where it is missing, then the look at positions."""
    yesterday = midnight(rt.now()).date() - timedelta(days=1)
    async with rt.db.seller(seller_id) as tx:
        run = await replenishment.last_run(tx)
    if run is None or run["day"] < yesterday:
        await refresh(rt, seller_id)
    async with rt.db.seller(seller_id) as tx:
        return await check(tx, rt.now())


# ── The daily run ───────────────────────────────────────────────────────────────────────────────────────────


async def refresh(rt: Runtime, seller_id: UUID) -> Refreshed:
    """Rebuild the days of the whole window from orders and the ledger, and plan every SKU. Safe to do again."""
    started, now = time.monotonic(), rt.now()
    today = midnight(now)
    async with rt.db.seller(seller_id) as tx:
        chosen = await replenishment.defaults(tx)
        since = today - timedelta(days=chosen.window_days)
        bounds = (since - CANCELLED_WITHIN, since, today, now)
        unpaid = rt.policy.hold_from.value == "placed"
        days = await stock_days.refresh(tx, since.date(), today.date(), bounds, ZONE.key, unpaid=unpaid)
    after, skus = None, 0
    while True:
        async with rt.db.seller(seller_id) as tx:
            done = await replan(tx, now, chosen, after=after)
        skus += len(done)
        if len(done) < AT_ONCE:
            break
        after = done[-1]
    ms = int((time.monotonic() - started) * 1000)
    async with rt.db.seller(seller_id) as tx:
        await replenishment.drop_plans(tx, now)
        await replenishment.put_classes(tx, abc(await replenishment.values(tx)))
        await replenishment.stray_alerts(tx)
        await replenishment.note_run(tx, today.date() - timedelta(days=1), skus, ms, now)
    log.info("replenishment planned", seller=str(seller_id), skus=skus, days=days, ms=ms)
    return Refreshed(days, skus, ms)


async def replan(
    tx: Tx, now: datetime, chosen: Defaults, *, after: UUID | None = None, only: Sequence[UUID] | None = None
) -> list[UUID]:
    """Plan the next SKUs in id order (of `only`); answers them."""
    today = midnight(now).date()
    rows = await replenishment.materials(
        tx, today, chosen.window_days, ZONE.key, after=after, only=only, limit=AT_ONCE if only is None else len(only)
    )
    by_supplier, by_sku = await suppliers.leads(tx, now - MEASURED_OVER)
    plans = {}
    for row in rows:
        lead = lead_time(_leads(row, by_supplier, by_sku, chosen))
        made = plan(_demand(row, chosen), lead, replenishment.read_rules(row, chosen))
        plans[row["id"]] = (made, row["elsewhere"])
    await replenishment.put_plans(tx, plans, now)
    return [row["id"] for row in rows]


def _demand(row: Mapping[str, Any], chosen: Defaults) -> Demand:
    back = row["returned"] if chosen.returns_reduce else (0,) * len(row["ago"] or ())
    days = [
        Day(ago, max(0, sold - returned), out)
        for ago, sold, returned, out in zip(
            row["ago"] or (), row["sold"] or (), back or (), row["minutes_out"] or (), strict=True
        )
    ]
    return demand(days, row["known_days"], Handling(row["handling"] or chosen.handling))


def _leads(
    row: Mapping[str, Any], by_supplier: Mapping[UUID, Lead], by_sku: Mapping[tuple[UUID, UUID], Lead], chosen: Defaults
) -> list[Lead | None]:
    supplier: UUID | None = row["supplier_id"]
    told: list[Lead | None] = [Lead(chosen.lead_time_days, 0.0, LeadSource.DEFAULT)]
    if supplier is not None:
        told += [by_sku.get((supplier, row["id"])), by_supplier.get(supplier)]
        if row["supplier_lead"] is not None:
            told.append(Lead(row["supplier_lead"], row["supplier_deviation"], LeadSource.SUPPLIER))
    if row["lead_time_days"] is not None:
        told.append(Lead(row["lead_time_days"], row["lead_time_deviation"] or 0.0, LeadSource.SKU))
    return told


# ── Positions and alerts ────────────────────────────────────────────────────────────────────────────────────


async def check(tx: Tx, now: datetime, only: Sequence[UUID] | None = None) -> Checked:
    """Compare every position (of `only`) with its reorder point: one alert where it is crossed, none until over it.

    An open alert follows the SKU: more or less urgent, other numbers, never a second one.
    """
    chosen = await replenishment.defaults(tx)
    rows = await replenishment.low(tx, only)
    coming = await replenishment.incoming(tx, [row["sku_id"] for row in rows])
    known = await replenishment.open_alerts(tx, [row["sku_id"] for row in rows])
    raised = resolved = urgent = 0
    for row in rows:
        made = replenishment.read_plan(row, chosen)
        verdict = judge(made, replenishment.read_position(row, coming), now)
        subject, told = str(row["sku_id"]), _evidence(row, made, verdict)
        severity = "urgent" if verdict.urgent else "warning"
        urgent += verdict.urgent
        if verdict.needed and row["severity"] is None:
            raised += await alerts.raise_(tx, "low_stock", subject, severity=severity, **told)
        elif verdict.needed:
            if known.get(row["sku_id"]) != (severity, told):
                await replenishment.grade_alert(tx, row["sku_id"], severity, told)
        elif row["severity"] is not None and verdict.recovered:
            resolved += await alerts.resolve(tx, "low_stock", subject)
    return Checked(raised, resolved, urgent)


def _evidence(row: Mapping[str, Any], made: Plan, verdict: Verdict) -> dict[str, Any]:
    """What an alert stands on; days, not instants, so that it only changes when something does."""
    at = verdict.stockout.at
    return {
        "sku": row["code"], "position": verdict.position, "reorder": made.reorder, "quantity": verdict.quantity,
        "supplier": row["supplier"], "stockout": at.astimezone(ZONE).date().isoformat() if at else None,
        "doubt": made.demand.doubt,
    }  # fmt: skip


# ── Answers for people ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One SKU's row (plan, position, settings), what to do, and why."""

    row: Mapping[str, Any]
    plan: Plan
    verdict: Verdict
    answer: Answer


async def suggestions(tx: Tx, now: datetime, chosen: str = "low", **asked: Any) -> list[Explained]:
    """SKUs by days left; `chosen` and the rest as `replenishment.listed` takes them."""
    own = await replenishment.defaults(tx)
    rows = await replenishment.listed(tx, chosen, **asked)
    return await _explained(tx, rows, own, now)


async def explain(tx: Tx, now: datetime, sku_id: UUID) -> Explained | None:
    """Why so much of one SKU, planned now where it was not yet; None where it is not replenished."""
    own = await replenishment.defaults(tx)
    row = await replenishment.standing(tx, sku_id)
    if row is None and await replan(tx, now, own, only=[sku_id]):
        row = await replenishment.standing(tx, sku_id)
    return (await _explained(tx, [row], own, now))[0] if row else None


async def _explained(tx: Tx, rows: Sequence[Mapping[str, Any]], own: Defaults, now: datetime) -> list[Explained]:
    coming = await replenishment.incoming(tx, [row["sku_id"] for row in rows])
    found = []
    for row in rows:
        made, position = replenishment.read_plan(row, own), replenishment.read_position(row, coming)
        verdict = judge(made, position, now)
        answer = suggestion(made, position, verdict, row["units_elsewhere"])
        found.append(Explained(row=row, plan=made, verdict=verdict, answer=answer))
    return found


async def set_settings(rt: Runtime, seller_id: UUID, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Change how SKUs (by code) are replenished, plan them anew and look at their positions.

    Changes are those of `replenishment.SETTINGS`, or `supplier` by name. Raises Refused for an unknown SKU or
    supplier, or a kit: then nothing is written.
    """
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        ids = await skus_named(tx, list(changes))
        known = await _suppliers(tx, [told["supplier"] for told in changes.values() if told.get("supplier")])
        await replenishment.set_settings(tx, {ids[code]: _with_id(told, known) for code, told in changes.items()})
        chosen = await replenishment.defaults(tx)
        for start in range(0, len(ids), AT_ONCE):
            part = list(ids.values())[start : start + AT_ONCE]
            planned = await replan(tx, now, chosen, only=part)
            await replenishment.drop_plans(tx, now, sorted(set(part) - set(planned)))
        await replenishment.stray_alerts(tx)
        await check(tx, now, list(ids.values()))
        told_of = {code: dict(told) for code, told in list(changes.items())[:50]}
        await stock.audit(tx, "replenishment_set", "sku", skus=told_of)


async def _suppliers(tx: Tx, names: Sequence[str]) -> dict[str, UUID]:
    known: dict[str, UUID] = {}
    for name in dict.fromkeys(names):
        found = await suppliers.named(tx, name)
        if found is None:
            raise Refused(f"there is no supplier {name!r}: add it first")
        known[name] = found["id"]
    return known


def _with_id(told: Mapping[str, Any], known: Mapping[str, UUID]) -> dict[str, Any]:
    """The supplier's id in the place of its name."""
    changes = {name: value for name, value in told.items() if name != "supplier"}
    if "supplier" in told:
        changes["supplier_id"] = known[told["supplier"]] if told["supplier"] else None
    return changes


async def set_defaults(rt: Runtime, seller_id: UUID, changes: Mapping[str, Any]) -> Defaults:
    """Change the shop's own defaults; the daily run plans by them, and is made anew at the next look."""
    async with rt.db.seller(seller_id) as tx:
        chosen = replace(await replenishment.defaults(tx), **changes)
        await replenishment.set_defaults(tx, chosen)
        await replenishment.forget_run(tx)
        await stock.audit(tx, "replenishment_defaults", "seller", **changes)
    return chosen


async def skus_named(tx: Tx, codes: Sequence[str]) -> dict[str, UUID]:
    """Ids of plain SKUs by code. Refused for one that is not there, or is a kit."""
    rows = await lookup.skus(tx, codes)
    for code in codes:
        if code not in rows:
            raise Refused(f"there is no SKU {code!r}: link a listing to it first, or import it")
        if rows[code]["is_kit"]:
            raise Refused(f"{code} is a kit: it is bought and replenished by its components")
    return {code: rows[code]["id"] for code in codes}

"""Deadlines kept: orders and parcels are looked at when an instant that matters to them has come, and never before."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from hub import deadlines as decide
from hub.buyer_mail import QUIET, quiet_of
from hub.context import working_for
from hub.deadlines import Policy, Stage, Trouble, Waiting
from hub.model import FulfilledBy, Hold, Status
from hub.store import Tx, accounts, alerts, deadlines, stock
from hub.store.accounts import Account
from jobs import mails
from jobs.connect import Refused
from jobs.runtime import Runtime, log

BATCH = 200


async def turn(rt: Runtime) -> int:
    """Look at what is due, some of every seller's. Answers how many were looked at."""
    async with rt.db.dispatch() as tx:
        sellers = await deadlines.due_sellers(tx, rt.now())
    count = 0
    for seller_id in sellers:
        with working_for(seller_id):
            try:
                count += await _orders(rt, seller_id) + await _parcels(rt, seller_id)
            except Exception:  # noqa: BLE001 - the worker's boundary: one seller's trouble is not another's
                log.exception("deadlines not looked at", seller=str(seller_id))
    return count


async def _orders(rt: Runtime, seller_id: UUID) -> int:
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        due = await deadlines.due_orders(tx, now, BATCH)
        state = (await deadlines.shipping(tx))["state"] if due else None
        for row in due:
            before = Stage(row["ship_stage"])
            order = Waiting(
                status=Status(row["status"]), hold=Hold(row["hold"]) if row["hold"] else None,
                fulfilled_by=FulfilledBy(row["fulfilled_by"]) if row["fulfilled_by"] else None, told=row["told"],
                since=row["since"], posted=row["posted"], relayed=row["relayed"],
                closed=row["closed"], alerted=before,
            )  # fmt: skip
            found = decide.judged(order, decide.policy_of(row["settings"], state), now)
            await deadlines.order_looked_at(tx, row["id"], order.told, found.by_policy, found.stage, found.next_at)
            if found.stage is not before:
                await _crossed(tx, row, found.stage, order.told or found.by_policy)
        if left := [row["id"] for row in due if row["status"] in ("dispatched", "delivered")]:
            await deadlines.look_at_parcels_of(tx, left, now)
    return len(due)


async def _crossed(tx: Tx, row: dict[str, Any], stage: Stage, due: datetime | None) -> None:
    """One alert for the stage that an order has reached, in place of the one before."""
    subject, kind = str(row["id"]), decide.SHIP_KINDS.get(stage)
    await deadlines.resolve(tx, subject, set(decide.SHIP_KINDS.values()) - {kind})
    if kind:
        await alerts.raise_(
            tx, kind, subject, severity=decide.SHIP_SEVERITY[stage], due_at=due,
            order=row["number"], account=row["account"], channel=row["channel"], ship_by=due,
            by="channel" if row["told"] else "policy",
        )  # fmt: skip


async def _parcels(rt: Runtime, seller_id: UUID) -> int:
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        due = await deadlines.due_parcels(tx, now, BATCH)
        shipping = await deadlines.shipping(tx) if due else {"state": None}
        rules = decide.rules_of(shipping)
        for row in due:
            found, next_at = decide.troubles(decide.parcel_of(row), rules, now)
            await _tell(tx, row, found)
            await mails.want(tx, row, shipping, now)
            await deadlines.parcel_looked_at(tx, row["id"], next_at)
            if row["status"] in deadlines.POSTED and row["orders"]:
                await deadlines.orders_posted(tx, row["orders"], now)
    return len(due)


async def _tell(tx: Tx, row: dict[str, Any], found: tuple[Trouble, ...]) -> None:
    """Alerts with the evidence; those that hold no more are resolved."""
    subject = str(row["id"])
    await deadlines.resolve(tx, subject, set(decide.PARCEL_KINDS) - {trouble.kind for trouble in found})
    where = ", ".join(filter(None, [row["place"], row["state"]])) or None
    for trouble in found:
        await alerts.raise_(
            tx, trouble.kind, subject, severity=trouble.severity, due_at=trouble.due_at,
            code=row["tracking_code"] or row["ref"], carrier=row["carrier"], order=row["number"],
            account=row["account"], status=row["status"], promised=row["deliver_by"], last_at=row["last_event_at"],
            words=row["description"], where=where, days=trouble.days, until=trouble.due_at, assumed=trouble.assumed,
        )  # fmt: skip


# ── what a seller sets ──────────────────────────────────────────────────────────────────────────────────────


async def set_policy(
    rt: Runtime, account: Account, *, none: bool = False, handling_days: int | None = None,
    cutoff: time | None = None, leaves_at: time | None = None,
) -> tuple[Policy | None, int]:  # fmt: skip
    """Change an account's ship-by policy (`none`: take it away); its open orders are looked at again at once.

    Answers what holds now, and how many orders that concerns. Refused for a cut-off after the parcels have left.
    """
    times = {decide.CUTOFF: cutoff, decide.LEAVES: leaves_at}
    changes: dict[str, Any] = {name: told.isoformat("minutes") for name, told in times.items() if told is not None}
    if handling_days is not None:
        changes[decide.DAYS] = handling_days
    if none:
        changes = dict.fromkeys((decide.DAYS, decide.CUTOFF, decide.LEAVES))
    async with rt.db.seller(account.seller_id) as tx:
        told = (await accounts.get(tx, account.id)).settings
        state = (await deadlines.shipping(tx))["state"]
        policy = decide.policy_of({**told, **changes}, state)
        if changes and policy is None and not none:
            raise Refused("handling days: give them too (--handling-days): without them there is no policy")
        if policy and policy.handling_days == 0 and policy.cutoff >= policy.leaves_at:
            raise Refused(
                f"cutoff: parcels of the day leave at {policy.leaves_at:%H:%M}, so what is paid by "
                f"{policy.cutoff:%H:%M} cannot: give an earlier cut-off, a later hour, or a handling day"
            )
        if not changes:
            return policy, 0
        await accounts.settle_settings(tx, account.id, **changes)
        await stock.audit(tx, "account_ship_by", str(account.id), **changes)
        return policy, await deadlines.look_at_orders(tx, rt.now(), account.id)


async def set_shipping(
    rt: Runtime, seller_id: UUID, *, state: str | None = None, quiet: str | None = None, **days: int | None
) -> dict[str, Any]:
    """Change where a seller ships from ("none": as its first warehouse says), its patience with parcels and its quiet
    hours (HH:MM-HH:MM; both the same: none).

    Answers what holds now. Refused for a state or hours that are none, or a loss before a parcel is stuck.
    """
    changes: dict[str, Any] = {name: told for name, told in days.items() if told is not None}
    if state is not None:
        wanted = state.strip().upper()
        if wanted not in {*decide.STATES, "NONE"}:
            raise Refused(f"state: {state!r} is no Brazilian state: give its two letters, like SP, or none")
        changes["state"] = None if wanted == "NONE" else wanted
    if quiet is not None:
        try:
            quiet_of(quiet)
        except ValueError:
            raise Refused(f"quiet hours: {quiet!r} is not like 21:00-08:00 (00:00-00:00 for none)") from None
        changes["quiet"] = quiet
    async with rt.db.seller(seller_id) as tx:
        if changes:
            await deadlines.set_shipping(tx, changes)
            await stock.audit(tx, "seller_shipping", str(seller_id), **changes)
        told = await deadlines.shipping(tx)
        rules = decide.rules_of(told)
        if rules.loss_days <= rules.stuck_days:
            raise Refused(
                f"loss days: {rules.loss_days} is not more than the {rules.stuck_days} after which a parcel is stuck"
            )
        if changes:
            await deadlines.look_at_orders(tx, rt.now(), None)
            await deadlines.look_at_parcels(tx, rt.now())
    return {
        "name": told["name"], "state": told["state"], "zone": str(decide.zone_of(told["state"])),
        **{name: getattr(rules, name) for name in decide.RULES}, "quiet": told.get("quiet") or QUIET,
    }  # fmt: skip

"""Buffers set, removed, begun, ended and measured: each change computes every slot that it touches, at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub import buffers as decide
from hub import stock as kitted
from hub.buffers import BufferKind, Measure
from hub.context import working_for
from hub.store import Tx, buffers, held, kits, lookup, stock
from hub.store.buffers import Rule
from jobs.availability import Ripple, recompute
from jobs.connect import Refused
from jobs.runtime import Runtime, log

MEASURED_EVERY = timedelta(minutes=5)
MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a slot should show before and after; null: nothing is sent."""

    account: str
    listing: str
    variation: str | None
    sku: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A rule's id, the slots that change, and per account (name, slots to zero, slots showing something)."""

    buffer_id: UUID | None
    changes: tuple[Change, ...]
    zeros: tuple[tuple[str, int, int], ...]


async def set_rule(rt: Runtime, seller_id: UUID, rule: Rule, *, dry: bool = False) -> Changed:
    """Keep a rule and compute every slot that it touches, in one transaction; `dry` only says what would change.

    Raises Refused, one sentence that names the field, for a rule that makes no sense or names what is not there.
    """
    _refuse(rule, rt.now())

    async def act(tx: Tx, now: datetime) -> tuple[UUID, set[UUID]]:
        await _refuse_unknown(tx, rule)
        turns_at = now if rule.kind is BufferKind.AUTO else decide.next_turn(now, rule.starts_at, rule.ends_at)
        kept = await buffers.put(tx, rule, turns_at, now)
        touched = {sku for _rule, _account, sku in await buffers.made_for(tx, [kept])}
        if rule.kind is BufferKind.AUTO:
            await _measure(tx, kept, rule.value, rule.cap, now)
            await buffers.turned(tx, kept, now + MEASURED_EVERY)
        told = {"scope": rule.scope, "ref": rule.scope_ref, "kind": rule.kind.value, "value": rule.value}
        await stock.audit(tx, "buffer_set", str(kept), **told, until_stock=rule.until_stock, ends_at=rule.ends_at)
        return kept, touched

    return await _change(rt, seller_id, act, dry=dry)


async def remove_rule(rt: Runtime, seller_id: UUID, buffer_id: UUID, *, dry: bool = False) -> Changed:
    """Drop a rule and compute every slot that it held back. Raises Refused when there is none of that id."""

    async def act(tx: Tx, now: datetime) -> tuple[UUID, set[UUID]]:
        del now
        touched = {sku for _rule, _account, sku in await buffers.made_for(tx, [buffer_id])}
        if not await buffers.remove(tx, buffer_id):
            raise Refused(f"there is no buffer {buffer_id}: `balcao buffer list` has the ids", "no_buffer")
        await stock.audit(tx, "buffer_remove", str(buffer_id))
        return buffer_id, touched

    return await _change(rt, seller_id, act, dry=dry)


async def _change(
    rt: Runtime, seller_id: UUID, act: Callable[[Tx, datetime], Awaitable[tuple[UUID, set[UUID]]]], *, dry: bool
) -> Changed:
    now, ripple = rt.now(), Ripple()
    async with rt.db.seller(seller_id) as tx, tx.trial(dry):
        kept, skus = await act(tx, now)
        touched = await stock.lock_around(tx, skus)
        before = await buffers.shown(tx, touched)
        await recompute(tx, skus, now, ripple, "buffer")
        after = await buffers.shown(tx, touched)
        zeros = await _zeros(tx, after.values())
    changes = tuple(
        Change(
            account=row["account"], listing=row["listing"], variation=row["variation"], sku=row["sku"],
            before=before[slot]["desired"], after=row["desired"],
        )
        for slot, row in after.items() if row["desired"] != before[slot]["desired"]
    )  # fmt: skip
    for account_id in () if dry else ripple.accounts:
        rt.ring("stock", account_id)
    return Changed(buffer_id=None if dry else kept, changes=changes, zeros=zeros)


async def _zeros(tx: Tx, shown: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, int, int], ...]:
    """Per touched account what the brake on mass zeros will count."""
    names = {row["account_id"]: row["account"] for row in shown}
    counted = [(name, *await held.would_zero(tx, account_id)) for account_id, name in names.items()]
    return tuple((name, to_zero, showing) for name, showing, to_zero in counted if to_zero)


# ── What makes no sense ─────────────────────────────────────────────────────────────────────────────────────


def _refuse(rule: Rule, now: datetime) -> None:
    if not 0 <= rule.value <= MOST:
        raise Refused(f"value: {rule.value} is not between 0 and {MOST}", "buffer_value", value=rule.value, most=MOST)
    if rule.kind is BufferKind.PERCENT and rule.value > 100:  # noqa: PLR2004 - all of it
        sentence = f"value: {rule.value} is more than 100 %: nothing would ever be shown"
        raise Refused(sentence, "buffer_percent", value=rule.value)
    if rule.kind is BufferKind.FIXED_POOL and rule.account_id is None:
        raise Refused("account: a pool is set apart for one channel: name it", "buffer_pool")
    if rule.cap is not None and rule.kind is not BufferKind.AUTO:
        raise Refused("cap: only an automatic buffer has one", "buffer_cap_kind")
    if rule.cap is not None and rule.cap < 0:
        raise Refused(f"cap: {rule.cap} is below zero", "buffer_cap")
    if rule.until_stock is not None and rule.until_stock < 0:
        raise Refused(f"until-stock: {rule.until_stock} is below zero", "buffer_until")
    if rule.ends_at is not None and rule.ends_at <= now:
        raise Refused("ends: that time has passed: give a later one, or remove the buffer", "buffer_ended")
    if rule.starts_at is not None and rule.ends_at is not None and rule.ends_at <= rule.starts_at:
        raise Refused("ends: it must be later than starts", "buffer_order")


async def _refuse_unknown(tx: Tx, rule: Rule) -> None:
    if rule.scope == "sku":
        known = (await lookup.skus(tx, [rule.scope_ref])).get(rule.scope_ref)
        if known is None:
            raise Refused(f"sku: there is no SKU {rule.scope_ref!r}", "buffer_sku", sku=rule.scope_ref)
        if known["is_kit"] and rule.kind is BufferKind.FIXED_POOL:
            sentence = f"sku: {rule.scope_ref} is a kit: set apart units of its components"
            raise Refused(sentence, "buffer_kit", sku=rule.scope_ref)
    if rule.scope == "category" and not await buffers.category_is_known(tx, rule.scope_ref):
        sentence = f"category: no SKU has the category {rule.scope_ref!r}"
        raise Refused(sentence, "buffer_category", category=rule.scope_ref)
    if rule.scope == "listing" and rule.kind is BufferKind.FIXED_POOL and await buffers.sells_kit(tx, rule):
        raise Refused("listing: it sells a kit: set apart units of its components", "buffer_listing_kit")


# ── Beginning, ending, measuring ────────────────────────────────────────────────────────────────────────────


async def turn(rt: Runtime) -> int:
    """Compute the slots of every rule that began or ended, and measure automatic ones. Answers how many rules."""
    async with rt.db.dispatch() as tx:
        sellers = await buffers.due_sellers(tx, rt.now())
    count = 0
    for seller_id in sellers:
        with working_for(seller_id):
            try:
                count += await _turn_one(rt, seller_id)
            except Exception:  # noqa: BLE001 - the worker's boundary: one seller's trouble is not another's
                log.exception("buffers not turned", seller=str(seller_id))
    return count


async def _turn_one(rt: Runtime, seller_id: UUID) -> int:
    now, ripple = rt.now(), Ripple()
    async with rt.db.seller(seller_id) as tx:
        rules = await buffers.due(tx, now)
        touched: set[UUID] = set()
        for rule in rules:
            if rule["kind"] == "auto":
                touched |= await _measure(tx, rule["id"], rule["value"], rule["cap"], now)
            else:
                touched |= {sku for _rule, _account, sku in await buffers.made_for(tx, [rule["id"]])}
            turns_at = decide.next_turn(now, rule["starts_at"], rule["ends_at"])
            if rule["kind"] == "auto":
                turns_at = min(filter(None, (turns_at, now + MEASURED_EVERY)))
            await buffers.turned(tx, rule["id"], turns_at)
        if touched:
            await stock.lock_around(tx, touched)
            await recompute(tx, touched, now, ripple, "buffer")
    for account_id in ripple.accounts:
        rt.ring("stock", account_id)
    return len(rules)


async def _measure(tx: Tx, buffer_id: UUID, factor: int, cap: int | None, now: datetime) -> set[UUID]:
    """Measure an automatic rule for every slot it is made for. Answers the SKUs that hold back another number."""
    made_for = [(account, sku) for _rule, account, sku in await buffers.made_for(tx, [buffer_id])]
    since = now - timedelta(hours=decide.WINDOW_HOURS)
    speeds = await _elsewhere(tx, made_for, since, now)
    lags = await buffers.lags(tx, {account for account, _sku in made_for}, since)
    before = {(row["account_id"], row["sku_id"]): row["units"] for row in await buffers.measured(tx, [buffer_id])}
    changed = set()
    for account, sku in sorted(made_for):
        lag = decide.lag_of(lags.get((account, sku)), lags.get((account, None)))
        if lag is None:
            continue  # never told anything yet: the step says so
        speed = speeds[account, sku]
        units = decide.automatic(before.get((account, sku), 0), decide.needed(speed, lag.seconds, factor), cap)
        measure = Measure(per_hour=speed, lag_seconds=lag.seconds, factor_percent=factor)
        await buffers.measure_put(tx, buffer_id, account, sku, units, measure, lag.pushes, now)
        if units != before.get((account, sku), 0):
            changed.add(sku)
    return changed


async def _elsewhere(
    tx: Tx, made_for: Sequence[tuple[UUID, UUID]], since: datetime, now: datetime
) -> dict[tuple[UUID, UUID], float]:
    """Units per hour that other accounts sell of each (account, SKU): of a kit, by its fastest component."""
    wanted = {sku for _account, sku in made_for}
    made_of = await kits.kits(tx, wanted)
    flat = {sku: kitted.flatten_kit(sku, made_of) for sku in wanted}
    sellers = await kits.with_kits_of(tx, {part.sku_id for parts in flat.values() for part in parts})
    holders = await kits.kits(tx, sellers)
    speeds: dict[tuple[UUID, UUID], float] = {}  # by (component, account)
    for sku, by_account in (await buffers.sold(tx, sellers, since, now)).items():
        for part in kitted.flatten_kit(sku, holders):
            for account, told in by_account.items():
                key = (part.sku_id, account)
                speeds[key] = speeds.get(key, 0.0) + part.quantity * decide.per_hour(told)
    return {
        (here, sku): max(
            sum(speed for (part, account), speed in speeds.items() if part == each.sku_id and account != here)
            / each.quantity
            for each in flat[sku]
        )
        for here, sku in made_for
    }

"""Buffers set, removed, begun, ended and measured: each change computes every slot that it touches."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub import buffers as decide
from hub import stock as kitted
from hub.buffers import BufferKind, Lag, Measure
from hub.context import working_for
from hub.store import Tx, buffers, held, kits, lookup, stock
from hub.store.buffers import Rule
from jobs.availability import numbers
from jobs.connect import Refused
from jobs.runtime import Runtime, log

MEASURED_EVERY = timedelta(minutes=5)
MOST = 1_000_000
AT_ONCE = 200  # SKUs that are locked and computed together
RELEASED = 5_000  # slots that fall due in one transaction
UNFINISHED = timedelta(minutes=5)  # after which a change that broke off is begun again


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a rule is made for, what an automatic one is measured by, and the account whose slots alone it changes.

    A pool's units are kept from the others: then no account.
    """

    buffer_id: UUID
    made_for: Sequence[tuple[UUID, UUID]]  # (account, SKU)
    account_id: UUID | None
    auto: tuple[int, int | None] | None  # factor in percent, cap
    lags: Mapping[tuple[UUID, UUID | None], Lag]
    only_measured: bool = False  # nothing changes but where another number was measured


async def set_rule(rt: Runtime, seller_id: UUID, rule: Rule, *, dry: bool = False) -> Changed:
    """Keep a rule and compute every slot that it touches; `dry` only says what would change.

    Raises Refused, one sentence that names the field, for a rule that makes no sense or names what is not there.
    """
    _refuse(rule, rt.now())

    async def act(tx: Tx, now: datetime) -> Reach:
        await _refuse_unknown(tx, rule)
        kept = await buffers.put(tx, rule, now + UNFINISHED, now)
        told = {"scope": rule.scope, "ref": rule.scope_ref, "kind": rule.kind.value, "value": rule.value}
        await stock.audit(tx, "buffer_set", str(kept), **told, until_stock=rule.until_stock, ends_at=rule.ends_at)
        return await _reach(tx, kept, rule.kind, rule.account_id, rule.value, rule.cap, now)

    async def end(tx: Tx, reach: Reach, now: datetime) -> None:
        await buffers.turned(tx, reach.buffer_id, _next(rule.kind, rule.starts_at, rule.ends_at, now))

    return await _change(rt, seller_id, act, end, dry=dry)


async def remove_rule(rt: Runtime, seller_id: UUID, buffer_id: UUID, *, dry: bool = False) -> Changed:
    """Drop a rule and compute every slot that it held back. Raises Refused when there is none of that id."""

    async def act(tx: Tx, now: datetime) -> Reach:
        row = await buffers.close(tx, buffer_id, now, now + UNFINISHED)
        if row is None:
            raise Refused(f"there is no buffer {buffer_id}: `balcao buffer list` has the ids", "no_buffer")
        await stock.audit(tx, "buffer_remove", str(buffer_id))
        return replace(await _reach_of(tx, row, now), auto=None)

    async def end(tx: Tx, reach: Reach, now: datetime) -> None:
        del now
        await buffers.remove(tx, reach.buffer_id)

    return await _change(rt, seller_id, act, end, dry=dry)


async def _reach(
    tx: Tx, buffer_id: UUID, kind: BufferKind, account_id: UUID | None, factor: int, cap: int | None, now: datetime
) -> Reach:
    made_for = [(account, sku) for _rule, account, sku in await buffers.made_for(tx, [buffer_id])]
    is_auto = kind is BufferKind.AUTO
    since = now - timedelta(hours=decide.WINDOW_HOURS)
    return Reach(
        buffer_id=buffer_id, made_for=made_for, account_id=None if kind is BufferKind.FIXED_POOL else account_id,
        auto=(factor, cap) if is_auto else None,
        lags=await buffers.lags(tx, {account for account, _sku in made_for}, since) if is_auto else {},
    )  # fmt: skip


async def _reach_of(tx: Tx, row: Mapping[str, Any], now: datetime) -> Reach:
    return await _reach(tx, row["id"], BufferKind(row["kind"]), row["account_id"], row["value"], row["cap"], now)


def _next(kind: BufferKind, starts_at: datetime | None, ends_at: datetime | None, now: datetime) -> datetime | None:
    """When a rule is looked at again."""
    turns_at = decide.next_turn(now, starts_at, ends_at)
    if kind is not BufferKind.AUTO or (ends_at is not None and ends_at <= now):
        return turns_at
    return min(filter(None, (turns_at, now + MEASURED_EVERY)))


# ── Every slot that it touches ──────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Slot:
    """A slot as it was (hub.store.buffers.shown), and what it should show now."""

    was: Mapping[str, Any]
    desired: int | None


async def _change(
    rt: Runtime, seller_id: UUID, act: Callable[[Tx, datetime], Awaitable[Reach]],
    end: Callable[[Tx, Reach, datetime], Awaitable[None]], *, dry: bool,
) -> Changed:  # fmt: skip
    now = rt.now()
    found: dict[UUID, _Slot] = {}
    if dry:
        async with rt.db.seller(seller_id) as tx, tx.trial(dry):
            reach = await act(tx, now)
            for skus in _parts(reach):
                _add(found, await _look(tx, reach, skus, now))
            zeros = await _zeros(tx, found, dry=dry)
        return Changed(buffer_id=None, changes=_changes(found), zeros=zeros)
    async with rt.db.seller(seller_id) as tx:
        reach = await act(tx, now)
    accounts = await _apply(rt, seller_id, reach, found, now)
    async with rt.db.seller(seller_id) as tx:
        await end(tx, reach, now)
        zeros = await _zeros(tx, found, dry=dry)
    await _let_go(rt, seller_id, found, accounts)
    return Changed(buffer_id=reach.buffer_id, changes=_changes(found), zeros=zeros)


def _parts(reach: Reach) -> Iterable[list[UUID]]:
    """Its SKUs, some at a time: a sale of one waits no longer than these take."""
    skus = sorted({sku for _account, sku in reach.made_for})
    return (skus[start : start + AT_ONCE] for start in range(0, len(skus), AT_ONCE))


async def _apply(rt: Runtime, seller_id: UUID, reach: Reach, found: dict[UUID, _Slot], now: datetime) -> set[UUID]:
    """Write the numbers of everything that a rule reaches, part by part. Answers the accounts with something to push.

    None of them leaves before all are written: the brake on mass zeros has to see them together. What breaks off is
    begun again by `turn`, since the rule is due UNFINISHED from now; so are the numbers, if that does not come.
    """
    accounts: set[UUID] = set()
    for skus in _parts(reach):
        async with rt.db.seller(seller_id) as tx:
            touched = await stock.lock_around(tx, await _measured(tx, reach, skus, now))
            if not touched:
                continue
            slots = await _look(tx, replace(reach, auto=None), touched, now)
            answers = {slot: each.desired for slot, each in slots.items()}
            if answers:
                accounts |= await stock.desire(tx, answers, now, "buffer", not_before=now + UNFINISHED)
            _add(found, slots)
    return accounts


async def _look(tx: Tx, reach: Reach, skus: Iterable[UUID], now: datetime) -> dict[UUID, _Slot]:
    """The slots of these SKUs and of kits of them, as they are and as they should be."""
    touched = await kits.with_kits_of(tx, await _measured(tx, reach, skus, now))
    answers = await numbers(tx, touched, now, account_id=reach.account_id)
    was = await buffers.shown(tx, touched, reach.account_id)
    return {slot: _Slot(row, answers[slot]) for slot, row in was.items() if slot in answers}


def _add(found: dict[UUID, _Slot], slots: Mapping[UUID, _Slot]) -> None:
    """A kit may come with each of its components: it was what it was at first."""
    for slot, each in slots.items():
        found[slot] = _Slot(found[slot].was if slot in found else each.was, each.desired)


async def _let_go(rt: Runtime, seller_id: UUID, found: Mapping[UUID, _Slot], accounts: Iterable[UUID]) -> None:
    changed = [slot for slot, each in found.items() if each.desired != each.was["desired"]]
    for start in range(0, len(changed), RELEASED):
        async with rt.db.seller(seller_id) as tx:
            await stock.fall_due(tx, changed[start : start + RELEASED])
    for account_id in accounts:
        rt.ring("stock", account_id)


def _changes(found: Mapping[UUID, _Slot]) -> tuple[Change, ...]:
    changed = [each for each in found.values() if each.desired != each.was["desired"]]
    changed.sort(key=lambda each: (each.was["account"], each.was["sku"], each.was["listing"]))
    return tuple(
        Change(
            account=each.was["account"], listing=each.was["listing"], variation=each.was["variation"],
            sku=each.was["sku"], before=each.was["desired"], after=each.desired,
        )
        for each in changed
    )  # fmt: skip


async def _zeros(tx: Tx, found: Mapping[UUID, _Slot], *, dry: bool) -> tuple[tuple[str, int, int], ...]:
    """Per touched account what the brake on mass zeros will count; `dry`: with what is not written."""
    names = {each.was["account_id"]: each.was["account"] for each in found.values()}
    told = []
    for account_id, name in names.items():
        showing, to_zero = await held.would_zero(tx, account_id)
        if dry:
            to_zero += sum(
                (each.desired == 0) - (each.was["desired"] == 0 and each.was["cause"] not in held.UNBRAKED)
                for each in found.values()
                if each.was["account_id"] == account_id and each.was["counts"] and each.desired != each.was["desired"]
            )
        if to_zero:
            told.append((name, to_zero, showing))
    return tuple(told)


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
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        rules = await buffers.due(tx, now)
        for rule in rules:
            await buffers.turned(tx, rule["id"], now + UNFINISHED)
    for rule in rules:
        found: dict[UUID, _Slot] = {}
        async with rt.db.seller(seller_id) as tx:
            bounded = rule["starts_at"] is not None or rule["ends_at"] is not None  # it may have begun or ended
            reach = replace(await _reach_of(tx, rule, now), only_measured=rule["kind"] == "auto" and not bounded)
        accounts = await _apply(rt, seller_id, reach, found, now)
        async with rt.db.seller(seller_id) as tx:
            turns_at = _next(BufferKind(rule["kind"]), rule["starts_at"], rule["ends_at"], now)
            await buffers.turned(tx, rule["id"], turns_at)
        await _let_go(rt, seller_id, found, accounts)
    return len(rules)


async def _measured(tx: Tx, reach: Reach, skus: Iterable[UUID], now: datetime) -> set[UUID]:
    """Measure an automatic rule for these SKUs. Answers those whose numbers may be others now."""
    wanted = set(skus)
    if reach.auto is None:
        return wanted
    factor, cap = reach.auto
    made_for = [(account, sku) for account, sku in reach.made_for if sku in wanted]
    speeds = await _elsewhere(tx, made_for, now - timedelta(hours=decide.WINDOW_HOURS), now)
    known = await buffers.measured(tx, [reach.buffer_id], wanted)
    before = {(row["account_id"], row["sku_id"]): row["units"] for row in known}
    changed, rows = set(), []
    for account, sku in sorted(made_for):
        lag = decide.lag_of(reach.lags.get((account, sku)), reach.lags.get((account, None)))
        if lag is None:
            continue  # never told anything yet: the step says so
        speed = speeds[account, sku]
        units = decide.automatic(before.get((account, sku), 0), decide.needed(speed, lag.seconds, factor), cap)
        measure = Measure(per_hour=speed, lag_seconds=lag.seconds, factor_percent=factor)
        rows.append((account, sku, units, measure, lag.pushes))
        if units != before.get((account, sku), 0):
            changed.add(sku)
    await buffers.measure_put(tx, reach.buffer_id, rows, now)
    return changed if reach.only_measured else wanted


async def _elsewhere(
    tx: Tx, made_for: Sequence[tuple[UUID, UUID]], since: datetime, now: datetime
) -> dict[tuple[UUID, UUID], float]:
    """Units per hour that other accounts sell of each (account, SKU): of a kit, by its fastest component."""
    wanted = {sku for _account, sku in made_for}
    made_of = await kits.kits(tx, wanted)
    flat = {sku: kitted.flatten_kit(sku, made_of) for sku in wanted}
    sellers = await kits.with_kits_of(tx, {part.sku_id for parts in flat.values() for part in parts})
    holders = await kits.kits(tx, sellers)
    speeds: dict[UUID, dict[UUID, float]] = defaultdict(lambda: defaultdict(float))  # by component, by account
    for sku, by_account in (await buffers.sold(tx, sellers, since, now)).items():
        for part in kitted.flatten_kit(sku, holders):
            for account, told in by_account.items():
                speeds[part.sku_id][account] += part.quantity * decide.per_hour(told)
    return {
        (here, sku): max(
            sum(speed for account, speed in speeds[each.sku_id].items() if account != here) / each.quantity
            for each in flat[sku]
        )
        for here, sku in made_for
    }

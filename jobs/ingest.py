"""Inbox to order: fetch, keep raw, parse, decide, write, ring. In that order, once."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import adapters
from hub import orders as decide
from hub import parse
from hub.context import working_for
from hub.contract import Adapter, Kind, ListingSource, OrderSource
from hub.faults import POLICIES, ChannelError, Fault
from hub.http import AccountApi
from hub.model import Order, Raw, Topic
from hub.orders import Known
from hub.store import Tx, alerts, inbox, listings, orders, shipments
from hub.store.accounts import Account
from hub.store.inbox import Arrival, Entry
from jobs import follow, reconcile, told
from jobs.availability import Ripple
from jobs.runtime import Runtime, log
from jobs.settle import Takes, settle_order

BATCH = 64
AT_ONCE = 8
DEBOUNCE = timedelta(seconds=5)  # a known order told again within this time is fetched once; sales wait for nothing
ASK_AGAIN = timedelta(seconds=1)  # while who fulfils an order is not told
ORDER_TOPICS = {Topic.ORDER, Topic.SHIPMENT}
LISTING_TOPICS = {Topic.LISTING, Topic.STOCK}


@dataclass(frozen=True, slots=True)
class _Told:
    """A document with the number that orders it: drawn before it was fetched or, of one that was sent to us, when it
    came, so that among documents of one instant the number does not tell which is the later.
    """

    seq: int
    raw: Raw
    order: Order
    sent: bool = False


async def drain(
    rt: Runtime, account: Account, until: float | None = None, topics: Collection[str] | None = None
) -> int:
    """Work off an account's due inbox (of these topics). Answers how many rows were accounted for."""
    deadline = until or time.monotonic() + rt.policy.drain_seconds
    wanted = sorted(topics) if topics is not None else None
    api = await rt.api(account)
    count = 0
    with working_for(account.seller_id, account.id):
        while time.monotonic() < deadline:
            token = uuid4()
            async with rt.db.seller(account.seller_id) as tx:
                entries = await inbox.claim(tx, account.id, token, rt.worker, rt.now(), BATCH, wanted)
            if not entries:
                break
            await _work_off(rt, account, api, token, entries)
            count += len(entries)
    return count


async def _work_off(rt: Runtime, account: Account, api: AccountApi, token: UUID, entries: Sequence[Entry]) -> None:
    groups: dict[tuple[str, str | None], list[Entry]] = defaultdict(list)
    for entry in entries:
        kind = _kind(entry.topic)
        # Listings are read in the channel's own batches, orders one by one.
        groups[kind, None if kind == "listing" else entry.ref].append(entry)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(kind: str, ref: str | None, rows: list[Entry]) -> None:
        async with gate:
            try:
                await _STEPS[kind](rt, account, api, token, ref, rows)
            except ChannelError as problem:
                await failed(rt, account, token, rows, problem)
            except Exception as problem:  # noqa: BLE001 - the worker's boundary: nothing may stay leased in silence
                log.exception("ingest failed", channel=account.channel, ref=ref)
                fault = ChannelError(Fault.TRANSIENT, type(problem).__name__, str(problem)[:200])
                await failed(rt, account, token, rows, fault)

    await asyncio.gather(*(one(kind, ref, rows) for (kind, ref), rows in groups.items()))


def _kind(topic: str) -> str:
    if topic in ORDER_TOPICS:
        return topic
    if topic == Topic.TRACKING:
        return topic
    return "listing" if topic in LISTING_TOPICS else "other"


async def failed(rt: Runtime, account: Account, token: UUID, rows: Sequence[Entry], problem: ChannelError) -> None:
    """Give rows back for another attempt, or park them with the reason."""
    policy = POLICIES[problem.fault]
    if policy.holds_account:
        await rt.hold(account, problem)
    due_at = rt.pause(problem, max(row.attempts for row in rows))
    async with rt.db.seller(account.seller_id) as tx:
        for row in rows:
            if due_at is None:
                await inbox.park(tx, row.id, token, str(problem))
            else:
                await inbox.later(tx, row.id, token, due_at, str(problem))
        if due_at is None and policy.alerts:
            await alerts.raise_(
                tx, "inbox_parked", f"{account.id}/{rows[0].topic}/{rows[0].ref}", account=account.name,
                channel=account.channel, ref=rows[0].ref, detail=problem.detail,
            )  # fmt: skip


# ── orders ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _order(
    rt: Runtime, account: Account, api: AccountApi, token: UUID, ref: str | None, rows: Sequence[Entry]
) -> None:
    """One order's rows: fat ones are read as they came, thin ones share one fetch."""
    adapter = rt.adapter(account.channel)
    if adapter.orders is None or ref is None:
        await _finish(rt, account, token, rows)
        return
    told: list[_Told] = []
    for row in rows:
        if row.raw is not None:
            raw = json.loads(row.raw)
            told.append(_Told(row.seq, raw, adapter.orders.parse(raw), sent=row.source != "poll"))
    thin = [row for row in rows if row.raw is None]
    if thin and not told and (known := await _orders_with(rt, account, adapter.orders, ref)):
        await _hand_on(rt, account, token, known, rows)
        return
    seq, last = await _before_fetch(rt, account, ref) if thin else (0, None)
    if thin and not (last and last.seq > max(row.claimed for row in thin)):
        if last and not told and rt.now() - last.at < DEBOUNCE:
            await _wait(rt, account, token, rows, last.at + DEBOUNCE)
            return
        have = last.have if last else frozenset()
        fetched = await _fetch(rt, account, api, adapter, ref, rows, have, seq)
        if fetched is None and (found := await _orders_there(api, adapter.orders, ref)):
            await _hand_on(rt, account, token, found, rows)
            return
        if fetched is None:
            told.append(_Told(rows[-1].seq, None, _gone(rt, ref)))
        else:
            told.append(fetched)
    if told:
        await _write_order(rt, account, adapter, token, ref, rows, sorted(told, key=lambda each: each.seq))
    else:
        await _finish(rt, account, token, rows)


def _ring(account: Account, ref: str) -> Arrival:
    """An order that is to be fetched."""
    return Arrival(
        seller_id=account.seller_id, account_id=account.id, source="webhook", topic=Topic.ORDER, ref=ref,
        dedupe_key=f"order:{ref}", told_at=None, raw=None,
    )  # fmt: skip


async def _orders_with(rt: Runtime, account: Account, source: OrderSource, ref: str) -> list[str]:
    """Orders whose shipment a notice named as if it were an order, as far as we know them."""
    if not source.shipments_as_orders:
        return []
    async with rt.db.seller(account.seller_id) as tx:
        return await shipments.order_refs(tx, account.id, ref)


async def _orders_there(api: AccountApi, source: OrderSource, ref: str) -> list[str]:
    """The same, asked of the channel; none where it has no such shipment either."""
    if not source.shipments_as_orders or source.orders_of_shipment is None:
        return []
    try:
        return await source.orders_of_shipment(api, ref)
    except ChannelError as problem:
        if problem.fault is Fault.MISSING:
            return []
        raise


async def _before_fetch(rt: Runtime, account: Account, ref: str) -> tuple[int, orders.Fetched | None]:
    """The seq of a fetch that leaves now, and when the newest document was fetched.

    What was told before that fetch left is told by it: a notice that joined a waiting one keeps that one's seq, so it
    is when they were claimed that counts.
    """
    async with rt.db.seller(account.seller_id) as tx:
        return await inbox.next_seq(tx), await orders.fetched(tx, account.id, ref)


async def _wait(rt: Runtime, account: Account, token: UUID, rows: Sequence[Entry], until: datetime) -> None:
    """Channels tell one change many times within seconds: the first at once, the others together."""
    async with rt.db.seller(account.seller_id) as tx:
        for row in rows:
            await inbox.later(tx, row.id, token, until, inbox.TOGETHER, counts=False)


async def _fetch(
    rt: Runtime,
    account: Account,
    api: AccountApi,
    adapter: Adapter,
    ref: str,
    rows: Sequence[Entry],
    have: frozenset[str],
    seq: int,
) -> _Told | None:
    """Fetch an order and keep it raw before reading it. None: the channel does not have it (any more)."""
    source = adapter.orders
    if source is None:
        raise RuntimeError("an order without a source")
    try:
        raw = await (source.refetch(api, ref, have) if source.refetch and have else source.fetch(api, ref))
    except ChannelError as problem:
        if problem.fault is Fault.MISSING:
            return None
        raise
    async with rt.db.seller(account.seller_id) as tx:
        await inbox.keep_raw(tx, rows[-1].id, parse.canonical_bytes(raw))
    return _Told(seq, raw, source.parse(raw))


def _gone(rt: Runtime, ref: str) -> Order:
    """What a channel tells by not having an order: it is cancelled, now. A tombstone where we never knew it."""
    now = rt.now()
    return Order(ref=ref, cancelled=True, cancelled_at=now, clocks={"order": now})


async def stock_key(tx: Tx, account: Account, kind: Kind, order: Order) -> str:
    """The identity under which an order moves stock: its origin's where it is relayed, else its own.

    Marketplaces number orders for the whole world; storefronts each from one, so theirs is named with the account.
    """
    if order.origin is None:
        return f"{account.channel}:{order.ref}" if kind is Kind.MARKETPLACE else f"{account.id}:{order.ref}"
    born = adapters.get(order.origin.channel).kind if order.origin.channel in adapters.names() else None
    if born is not None and born is not Kind.MARKETPLACE:
        found = await orders.ref_at(tx, order.origin.channel, order.origin.ref)
        if found:
            return f"{found[0]}:{found[1]}"
    return f"{order.origin.channel}:{order.origin.ref}"


async def _write_order(
    rt: Runtime, account: Account, adapter: Adapter, token: UUID, ref: str, rows: Sequence[Entry],
    told: Sequence[_Told],
) -> None:  # fmt: skip
    if adapter.orders is None:
        raise RuntimeError("an order without a source")
    ripple, parts = Ripple(), adapter.orders.parts
    since = min(row.received_at for row in rows)
    async with rt.db.seller(account.seller_id) as tx:
        stored = await orders.lock(tx, account.id, ref)
        if stored is None:
            first = await stock_key(tx, account, adapter.kind, told[0].order)
            stored = await orders.add(tx, account.id, ref, first)
        before = known = stored.known if stored.known and stored.known.versions else None
        unsure = False
        for each in told:
            earlier, known = known, decide.merge(known, each.order, each.seq, parts)
            unsure |= each.sent and earlier is not None and decide.is_tied(earlier, each.order, known)
            if each.raw is not None:
                bytes_ = parse.canonical_bytes(each.raw)
                clocks = each.order.clocks or {"order": each.order.changed_at}
                await orders.put_part(tx, stored.id, clocks.items(), each.seq, parse.digest(bytes_), bytes_)
        if known is None:
            raise RuntimeError("nothing was told")
        key = await stock_key(tx, account, adapter.kind, known.order)  # not every telling names the origin
        if stored.stock_key != key:
            await orders.set_stock_key(tx, stored.id, key)
            stored = await orders.lock(tx, account.id, ref) or stored
        complete = await apply(rt, tx, account, stored, before, known, rows[-1].id, since, ripple)
        if complete:
            await inbox.done(tx, [row.id for row in rows], token)
        else:
            await inbox.done(tx, [row.id for row in rows[:-1]], token)
            await _ask_again(rt, tx, token, rows[-1])
        if unsure:
            await inbox.add(tx, [_ring(account, ref)])
    if unsure:
        rt.ring("intake", account.id)
    for account_id in ripple.accounts:
        rt.ring("stock", account_id)
    for account_id in ripple.trackers:
        rt.ring("tracking", account_id)


async def _ask_again(rt: Runtime, tx: Tx, token: UUID, row: Entry) -> None:
    """Who fulfils is not known yet: fetch the whole order again soon."""
    await inbox.keep_raw(tx, row.id, None)
    await inbox.later(tx, row.id, token, rt.now() + ASK_AGAIN, inbox.UNTOLD, counts=False)


async def apply(
    rt: Runtime, tx: Tx, account: Account, stored: orders.Stored, before: Known | None, known: Known,
    inbox_id: UUID | None, since: datetime, ripple: Ripple,
) -> bool:  # fmt: skip
    """Write an order as known and everything that follows from it. False: who fulfils it is not known yet."""
    waiting = stored.waits_until
    if before == known and waiting is None:
        return True
    await orders.put(tx, stored.id, known)  # also when only versions moved: a later one must win later, too
    changed = decide.changed(before, known)
    if not changed and waiting is None:
        return True
    links = await orders.links(tx, account.id, known.order)
    await orders.put_lines(tx, stored.id, known.order, links, is_new=stored.known is None)
    await _timeline(tx, stored.id, before, known, changed, inbox_id)
    await _unlinked(tx, account, stored, known.order, links)
    await _unnamed(tx, account, known.order)
    parcels = await shipments.put(tx, account.id, stored.id, known.order)
    if parcels:
        ripple.trackers |= await follow.follow(rt, tx, parcels)
    return await settle_order(
        tx, stored, before.order if before else None, known.order, links, hold_from=rt.policy.hold_from,
        now=rt.now(), since=since, ripple=ripple, takes=_takes(rt, account),
    )  # fmt: skip


async def _unnamed(tx: Tx, account: Account, order: Order) -> None:
    """A relay that does not name a channel of ours: should that one be connected too, its sales would count twice."""
    if order.origin and order.origin.channel not in adapters.names():
        await alerts.raise_(
            tx, "origin_unnamed", f"{account.id}/{order.origin.channel}", account=account.name,
            origin=order.origin.channel, order=order.number or order.ref,
        )  # fmt: skip


def _takes(rt: Runtime, account: Account) -> Takes:
    source = rt.adapter(account.channel).orders
    if source is None:
        raise RuntimeError("an order without a source")
    return source.takes_stock


async def _timeline(
    tx: Tx, order_id: UUID, before: Known | None, known: Known, changed: frozenset[str], inbox_id: UUID | None
) -> None:
    if before is None:
        await orders.event(tx, order_id, "created", inbox_id, status=known.order.status)
        return
    if "status" in changed:
        await orders.event(tx, order_id, "status", inbox_id, before=before.order.status, after=known.order.status)
    if told := sorted(changed - {"status", "changed_at", "raw_status"}):
        await orders.event(tx, order_id, "changed", inbox_id, fields=told)


async def _unlinked(
    tx: Tx, account: Account, stored: orders.Stored, order: Order, links: dict[str, tuple[UUID, int]]
) -> None:
    """Lines that no SKU is known for are sold all the same: a person must link them."""
    missing = [line.sku or line.listing_ref for line in order.lines if line.ref not in links]
    subject = str(stored.id)
    if missing:
        await alerts.raise_(
            tx,
            "line_unlinked",
            subject,
            account=account.name,
            order=order.number or order.ref,
            lines=missing[:5],
        )
    elif stored.known is not None:
        await alerts.resolve(tx, "line_unlinked", subject)


async def _shipment(
    rt: Runtime, account: Account, api: AccountApi, token: UUID, ref: str | None, rows: Sequence[Entry]
) -> None:
    """A shipment's news: fetch every order it serves."""
    source = rt.adapter(account.channel).orders
    async with rt.db.seller(account.seller_id) as tx:
        refs = await shipments.order_refs(tx, account.id, ref or "")
    if not refs and source and source.orders_of_shipment and ref:
        refs = await source.orders_of_shipment(api, ref)
    await _hand_on(rt, account, token, refs, rows)


async def _hand_on(rt: Runtime, account: Account, token: UUID, refs: Sequence[str], rows: Sequence[Entry]) -> None:
    """Orders to be fetched in place of what named them."""
    arrivals = [_ring(account, order_ref) for order_ref in refs]
    async with rt.db.seller(account.seller_id) as tx:
        if arrivals:
            await inbox.add(tx, arrivals)
        await inbox.done(tx, [row.id for row in rows], token)


# ── listings and the rest ──────────────────────────────────────────────────────────────────────────────────────


async def _listings(
    rt: Runtime, account: Account, api: AccountApi, token: UUID, ref: str | None, rows: Sequence[Entry]
) -> None:
    """News of listings: read them afresh, our own echoes left out, and compare."""
    del ref
    source = rt.adapter(account.channel).listings
    by_ref: dict[str, list[Entry]] = defaultdict(list)
    for row in rows:
        by_ref[row.ref or ""].append(row)
    echoes = [
        told for told, same in by_ref.items() if source is None or not told or await _is_echo(rt, account, source, same)
    ]
    await _finish(rt, account, token, [row for told in echoes for row in by_ref.pop(told)])
    refs = list(by_ref)
    while source and refs:
        some, refs = refs[: source.batch], refs[source.batch :]
        try:
            await reconcile.read_again(rt, account, api, source, some)
        except ChannelError as problem:
            await failed(rt, account, token, [row for each in some for row in by_ref[each]], problem)
        else:
            await _finish(rt, account, token, [row for each in some for row in by_ref[each]])


async def _is_echo(rt: Runtime, account: Account, source: ListingSource, rows: Sequence[Entry]) -> bool:
    """Whether there is nothing to read: a fat notice that repeats what we reckon with, a thin one read since."""
    newest = rows[-1]
    if newest.raw is None:
        async with rt.db.seller(account.seller_id) as tx:
            return await listings.read_since(tx, account.id, newest.ref or "", newest.received_at)
    told = source.parse(json.loads(newest.raw))
    if sink := rt.adapter(account.channel).stock:
        told = [sink.as_shown(listing) for listing in told]
    async with rt.db.seller(account.seller_id) as tx:
        return bool(told) and all([await listings.is_known(tx, account.id, listing) for listing in told])


async def _finish(rt: Runtime, account: Account, token: UUID, rows: Sequence[Entry]) -> None:
    async with rt.db.seller(account.seller_id) as tx:
        await inbox.done(tx, [row.id for row in rows], token)


async def _other(
    rt: Runtime, account: Account, api: AccountApi, token: UUID, ref: str | None, rows: Sequence[Entry]
) -> None:
    del api, ref
    await _finish(rt, account, token, rows)


_STEPS = {
    Topic.TRACKING: told.notices,
    Topic.ORDER: _order,
    Topic.SHIPMENT: _shipment,
    "listing": _listings,
    "other": _other,
}

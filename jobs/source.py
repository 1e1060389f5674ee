"""The account whose numbers are the truth: what changes there moves the ledger, and every other channel follows."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from hub.contract import PHYSICAL, Kind
from hub.faults import ChannelError, Fault
from hub.http import AccountApi
from hub.model import Listing, ManagedBy
from hub.source import Adoption, Reading, Verdict, adoption, spread
from hub.store import Tx, due, inbox, sources, stock, warehouses
from hub.store.accounts import Account
from jobs.availability import Ripple, recompute
from jobs.counts import set_stock
from jobs.ledger import Told, transact, write
from jobs.runtime import Runtime

CHUNK = 100
PAUSE = timedelta(seconds=30)  # until the task looks again by itself: doubts, and what was left
LATER = timedelta(seconds=2.5)  # longer than what cannot be told apart lasts
ORDERS_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A slot's number as just read."""

    slot_id: UUID
    sku_id: UUID
    seen: int
    physical: int | None
    version: str | None


async def adopt(rt: Runtime, account: Account, api: AccountApi, task: due.Task, token: UUID, until: float) -> None:
    """Read what is flagged afresh, then the account's newest orders, and book what those do not explain."""
    left, after = False, None
    while account.stock_role == "source" and time.monotonic() < until:
        async with rt.db.seller(account.seller_id) as tx:
            rows = await sources.flagged(tx, account.id, rt.now(), after, CHUNK)
        if not rows:
            break
        after = rows[-1]["id"]
        began = rt.now()
        seen = await _read(rt, account, api, rows)
        answered = rt.now()
        await _orders(rt, account, api)  # a sale that the reading shows must be known before it is called an edit
        left |= await _adopt(rt, account, seen, began, answered)
    async with rt.db.seller(account.seller_id) as tx:
        at = rt.now() + (LATER if left else PAUSE)
        await due.task_done(tx, account.id, task.kind, token, at, None)


async def _read(rt: Runtime, account: Account, api: AccountApi, rows: Sequence[Mapping[str, Any]]) -> list[_Seen]:
    adapter = rt.adapter(account.channel)
    source, sink = adapter.listings, adapter.stock
    if source is None:
        return []
    refs = sorted({row["listing_ref"] for row in rows})
    told: list[Listing] = []
    for start in range(0, len(refs), source.batch):
        some = refs[start : start + source.batch]
        raws = await source.fetch_many(api, some) if source.fetch_many else []
        for ref in () if source.fetch_many else some:
            try:
                raws.append(await source.fetch(api, ref))
            except ChannelError as problem:
                if problem.fault is not Fault.MISSING:
                    raise
        told += [listing for raw in raws for listing in source.parse(raw)]
    by_slot = {(one.slot_ref, one.location_ref): one for one in told if one.managed_by is ManagedBy.SELLER}
    found = []
    for row in rows:
        listing = by_slot.get((row["ref"], row["location_ref"]))
        shown = None if listing is None else (sink.shown(listing) if sink else listing.stock_quantity)
        if listing is None or shown is None:
            continue  # the audit closes what is gone, and tells what is not counted there
        physical = listing.stock_quantity if sink and sink.numbers == PHYSICAL else None
        found.append(
            _Seen(slot_id=row["id"], sku_id=row["sku_id"], seen=shown, physical=physical, version=listing.version)
        )
    return found


async def _orders(rt: Runtime, account: Account, api: AccountApi) -> None:
    from jobs import ingest, poll  # they record listings too

    rt.looked.pop(account.id, None)  # a look from before the reading does not tell what the reading shows
    await poll.newest(rt, account, api)
    await ingest.drain(rt, account, time.monotonic() + ORDERS_SECONDS, ingest.ORDER_TOPICS)


async def _adopt(rt: Runtime, account: Account, seen: Sequence[_Seen], began: datetime, answered: datetime) -> bool:
    """Adopt readings. Answers whether some must be read again."""
    async with rt.db.seller(account.seller_id) as tx:
        if await inbox.under_way(tx, account.id, rt.now()) is not None:
            return True  # another worker is still writing an order
        told = await sources.facts(tx, [one.slot_id for one in seen], rt.now())
        shut = [one for one in seen if one.slot_id in told and not told[one.slot_id]["opened"]]
        shut = [one for one in shut if not told[one.slot_id]["is_kit"]]
        held = await own_held(rt, tx, account, {one.sku_id for one in shut})
    left = await _open(rt, account, shut, told, held, began, answered)
    others = [one for one in seen if one not in shut]
    if others:
        left |= await transact(
            rt, account.seller_id, partial(_book, rt, account=account, seen=others, began=began, answered=answered)
        )
    return left


async def _open(
    rt: Runtime, account: Account, shut: Sequence[_Seen], told: Mapping[UUID, Mapping[str, Any]],
    held: Mapping[UUID, int], began: datetime, answered: datetime,
) -> bool:  # fmt: skip
    """SKUs whose stock nobody counted yet begin with what the source tells."""
    left, units, done = False, {}, []
    for one in shut:
        row = told[one.slot_id]
        verdict = _judge(rt, account, one, {**row, "on_hand": 0, "adopted_at": None}, held, began)
        left |= verdict.verdict is Verdict.LATER
        if verdict.verdict is Verdict.ADOPT:
            units[row["code"]] = max(0, verdict.units)
            done.append((one.slot_id, one.seen, one.version))
    if units:
        await set_stock(rt, account.seller_id, list(units.items()), reason="opening")
        async with rt.db.seller(account.seller_id) as tx:
            await stock.lock_around(tx, (), sorted(slot_id for slot_id, *_ in done))
            await sources.settled(tx, done, began, answered)
        await transact(rt, account.seller_id, partial(_compute, rt, skus={one.sku_id for one in shut}))
    return left


async def _compute(rt: Runtime, tx: Tx, ripple: Ripple, *, skus: Collection[UUID]) -> None:
    await stock.lock_around(tx, skus)
    await recompute(tx, skus, rt.now(), ripple, "count")


async def _book(
    rt: Runtime, tx: Tx, ripple: Ripple, *, account: Account, seen: Sequence[_Seen], began: datetime, answered: datetime
) -> bool:
    """Differences of opened SKUs into the ledger, under the locks of all that they move."""
    skus = {one.sku_id for one in seen}
    await stock.lock_around(tx, skus, sorted(one.slot_id for one in seen))
    told = await sources.facts(tx, [one.slot_id for one in seen], rt.now())
    held = await own_held(rt, tx, account, {told[one.slot_id]["sku_id"] for one in seen if one.slot_id in told})
    shelves = (await warehouses.shelves(tx)).of(account.id)
    levels = await stock.lock_levels(tx, skus)
    left, rows, done = False, [], []
    for one in seen:
        row = told.get(one.slot_id)
        verdict = Adoption(Verdict.LATER) if row is None else _judge(rt, account, one, row, held, began)
        if row is None or verdict.verdict is Verdict.LATER:
            left = True
            continue
        done.append((one.slot_id, one.seen, one.version))
        free = [(w, levels[one.sku_id, w].free if (one.sku_id, w) in levels else 0) for w in shelves]
        if not row["is_kit"] and row["opened"]:
            rows += [
                Told(sku_id=one.sku_id, warehouse_id=shelf, units=units, line_ref=str(one.slot_id))
                for shelf, units in spread(verdict.units, free)
            ]
    await sources.settled(tx, done, began, answered)
    if rows:
        await write(
            rt, tx, rows, mode="add", reason="adjustment", source_ref=f"source:{account.id}:{answered.isoformat()}",
            ripple=ripple, note=f"{account.name}", opens=False,
        )  # fmt: skip
    await recompute(tx, skus, rt.now(), ripple, "count")
    return left


def _judge(
    rt: Runtime, account: Account, one: _Seen, row: Mapping[str, Any], held: Mapping[UUID, int], began: datetime
) -> Adoption:
    under_way = row["synced_to"] is None and row["doubt_until"] is not None and row["doubt_until"] > began
    reading = Reading(
        seen=one.seen, expected=row["expected"], desired=row["desired"], multiplier=row["multiplier"],
        base=row["adopted_at"] is not None, in_doubt=row["doubt_until"] is not None,
        under_way=under_way or (row["synced_to"] is not None and row["synced_to"] > began), began=began,
        order_at=row["order_at"], on_hand=row["on_hand"], own_held=held.get(one.sku_id, 0), physical=one.physical,
    )  # fmt: skip
    now, kind = rt.now(), rt.adapter(account.channel).kind
    return adoption(reading, flagged_at=row["adopt_since"] or now, now=now, orders_lag=kind is Kind.MARKETPLACE)


async def own_held(rt: Runtime, tx: Tx, account: Account, sku_ids: Collection[UUID]) -> dict[UUID, int]:
    """Units of each SKU that the account's own undispatched orders hold, which its channel took off its number."""
    source = rt.adapter(account.channel).orders
    found: dict[UUID, int] = {}
    for row in await sources.open_lines(tx, account.id, sku_ids) if source and sku_ids else ():
        if source and source.takes_stock(row["told"]) is False:
            continue
        found[row["sku_id"]] = found.get(row["sku_id"], 0) + row["units"]
    return found


async def unread(rt: Runtime, account: Account) -> list[str]:
    """What of a new account was not read to its end yet: its orders (poll), its listings."""
    adapter = rt.adapter(account.channel)
    async with rt.db.seller(account.seller_id) as tx:
        missing = await sources.unread(tx, account.id)
    there = {"poll": adapter.orders is not None, "listings": adapter.listings is not None}
    return [kind for kind in missing if there[kind]]

"""The sweep: rings whatever is due and unrung, frees what dead workers held, and drains by itself with Redis away."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from uuid import uuid4

import psycopg

from hub.store import StoreError, api_answers, cases, due, inbox, people
from hub.store.accounts import Account
from hub.store.due import LANES, Work
from hub.store.pulse import Pulse
from jobs import (
    buffers,
    catalogue,
    courier,
    deadlines,
    freight_buy,
    freight_labels,
    holds,
    ingest,
    mails,
    notices,
    processes,
    push_shipment,
    push_stock,
    relearn,
    replenish,
    shortages,
    track,
)
from jobs.prove import Prover
from jobs.runtime import Runtime, log

SWEEP_SECONDS = 1.0
PRUNE_SECONDS = 3600.0
RELEARN_SECONDS = 60.0  # after a start, which may be that of a newer version: its tables may know more codes
LAPSE_SECONDS = 60.0  # unpaid holds end by the hour: a minute late is in time
PROVE_SECONDS = 60.0  # how often it is asked whose proof is due
RESTOCK_SECONDS = 180.0
MAIL_SECONDS = 5.0
LAST_MAIL_SECONDS = 10.0
ACCOUNTS_AT_ONCE = 16
SWEEPER, DRAINER = 1, 100  # duties; one drainer per lane


async def _catalogue(rt: Runtime, account: Account) -> int:
    token = uuid4()
    async with rt.db.seller(account.seller_id) as tx:
        tasks = await due.claim_tasks(tx, account.id, token, rt.worker, rt.now())
    if tasks:
        await catalogue.run_tasks(rt, account, token, tasks)
    return len(tasks)


DRAINS: Mapping[str, Callable[[Runtime, Account], Awaitable[int]]] = {
    "intake": ingest.drain,
    "stock": push_stock.drain,
    "shipments": push_shipment.drain,
    "tracking": track.drain,
    "catalogue": _catalogue,
}


async def due_accounts(rt: Runtime, lane: str, shard: int | None = None) -> list[Work]:
    """Accounts with something due in a lane (of one shard)."""
    async with rt.db.dispatch() as tx:
        found = await due.accounts(tx, lane, rt.now())
    return [work for work in found if shard is None or rt.bell.shard_of(work.account_id) == shard]


async def drain(rt: Runtime, lane: str, shard: int | None = None) -> int:
    """Drain a lane until nothing is due there or its time is up. Answers how much was done."""
    loop = asyncio.get_running_loop()
    until = loop.time() + rt.policy.drain_seconds
    if shard is not None:
        await loop.run_in_executor(None, rt.bell.unring, lane, shard)
    total = 0
    while loop.time() < until:
        works = await due_accounts(rt, lane, shard)
        gate = asyncio.Semaphore(ACCOUNTS_AT_ONCE)
        done = sum(await asyncio.gather(*(_one(rt, lane, work, gate) for work in works)))
        total += done
        if not done:
            return total
    if shard is not None and await due_accounts(rt, lane, shard):
        await rt.bell.ring_now(lane, shard)
    return total


async def _one(rt: Runtime, lane: str, work: Work, gate: asyncio.Semaphore) -> int:
    async with gate:
        try:
            return await DRAINS[lane](rt, await rt.account(work.seller_id, work.account_id))
        except Exception:  # noqa: BLE001 - the worker's boundary: one account's trouble is not another's
            log.exception("drain failed", lane=lane, account=str(work.account_id))
            return 0


async def run(rt: Runtime, pulse: Pulse, stop: asyncio.Event, *, drains: bool = True) -> None:
    """Sweep until `stop`. With Redis away and `drains`, the work is done right here."""
    clock = asyncio.get_running_loop().time
    proved = lapsed = clock()
    pruned = clock() - PRUNE_SECONDS + RELEARN_SECONDS
    prover = Prover(rt)
    restocked, aside, settling = clock() - RESTOCK_SECONDS, None, None
    mailed, mailing = clock(), None
    events_out = asyncio.create_task(courier.Courier(rt).run(stop)) if drains else None
    while not stop.is_set():
        try:
            sweeper = await _round(rt, pulse, drains=drains)
            if sweeper and clock() - pruned > PRUNE_SECONDS:
                pruned = clock()
                await prune(rt)
                await relearn.everybody(rt)
            if sweeper and clock() - lapsed > LAPSE_SECONDS:
                lapsed = clock()
                await holds.lapse(rt)
            if sweeper and clock() - proved > PROVE_SECONDS:
                proved = clock()
                prover.go()
            if sweeper and (settling is None or settling.done()):
                settling = asyncio.create_task(settle_labels(rt))
            if sweeper and clock() - restocked >= RESTOCK_SECONDS and (aside is None or aside.done()):
                restocked = clock()
                aside = asyncio.create_task(restock(rt))  # a daily run takes a while, and rings must go on
            if sweeper and clock() - mailed >= MAIL_SECONDS and (mailing is None or mailing.done()):
                mailed = clock()
                mailing = asyncio.create_task(mail(rt, stop))  # a server may take its time
        except (psycopg.Error, StoreError, OSError) as problem:
            log.warning("sweep skipped", reason=" ".join(str(problem).split())[:200])
        except Exception:  # noqa: BLE001 - a sweep that ended would leave everything unrung
            log.exception("sweep failed")
        try:
            await asyncio.wait_for(stop.wait(), SWEEP_SECONDS * (0.75 + random.random() / 2))
        except TimeoutError:
            continue
    await prover.close()
    if mailing is not None:
        await asyncio.wait({mailing}, timeout=LAST_MAIL_SECONDS)  # cut short, its message would be in doubt
    if events_out is not None:
        await events_out
    under_way = [task for task in (aside, settling, mailing) if task is not None]
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)


async def _round(rt: Runtime, pulse: Pulse, *, drains: bool) -> bool:
    """One sweep. Answers whether this process is the one that sweeps."""
    sweeper = await pulse.on_duty(SWEEPER)
    if sweeper:
        await free_dead(rt, pulse)
        await buffers.turn(rt)
        await shortages.look_into(rt)
        await deadlines.turn(rt)
        await processes.turn(rt)
    for number, lane in enumerate(LANES):
        if not sweeper and not drains:
            return False
        shards = {rt.bell.shard_of(work.account_id) for work in await due_accounts(rt, lane)} if sweeper else {0}
        heard = all([await rt.bell.ring_now(lane, shard) for shard in shards]) if sweeper else await _redis_up(rt)
        if not heard and drains and await pulse.on_duty(DRAINER + number):
            await drain(rt, lane)
    return sweeper


async def _redis_up(rt: Runtime) -> bool:
    return await asyncio.get_running_loop().run_in_executor(None, rt.bell.answers)


async def free_dead(rt: Runtime, pulse: Pulse) -> None:
    """Let go at once what killed workers held; a lease alone would keep it for half a minute."""
    async with rt.db.dispatch() as tx:
        holders = await due.lease_holders(tx)
    for worker in holders:
        if await pulse.is_dead(worker):
            async with rt.db.dispatch() as tx:
                count = await due.free_dead(tx, worker)
            log.info("freed leases of a dead worker", worker=worker, leases=count)


async def prune(rt: Runtime) -> None:
    """Drop raw inbox rows that were accounted for longer ago than the setting keeps them, old failures and labels."""
    await freight_labels.prune(rt)
    async with rt.db.dispatch() as tx:
        sellers = [row["seller_id"] for row in await people.sellers(tx)]
    before = rt.now() - timedelta(days=rt.policy.inbox_days)
    for seller_id in sellers:
        async with rt.db.seller(seller_id) as tx:
            await cases.prune_failures(tx, before)
            await api_answers.prune(tx, rt.now() - api_answers.KEPT)
        await notices.prune(rt, seller_id)
        await courier.prune(rt, seller_id)
        while True:
            async with rt.db.seller(seller_id) as tx:
                if not await inbox.prune(tx, before):
                    break


async def settle_labels(rt: Runtime) -> None:
    """Look up the purchases of labels that a crash or a lost answer left in doubt."""
    try:
        await freight_buy.settle_left(rt)
    except (psycopg.Error, StoreError, OSError) as problem:
        log.warning("labels unsettled", reason=" ".join(str(problem).split())[:200])


async def restock(rt: Runtime) -> None:
    """Look at every seller's positions, after the daily run where it is due."""
    try:
        await replenish.keep(rt)
    except (psycopg.Error, StoreError, OSError) as problem:
        log.warning("replenishment skipped", reason=" ".join(str(problem).split())[:200])


async def mail(rt: Runtime, stop: asyncio.Event) -> None:
    """Send buyers' e-mail that is due, and tell people of alerts."""
    for problem in await asyncio.gather(mails.run(rt, stop), notices.run(rt, stop), return_exceptions=True):
        if isinstance(problem, psycopg.Error | StoreError | OSError):
            log.warning("e-mail skipped", reason=" ".join(str(problem).split())[:200])
        elif isinstance(problem, BaseException):
            raise problem

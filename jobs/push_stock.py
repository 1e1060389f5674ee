"""Availability to channels: what is true now, never what was true when it was queued."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from hub.context import working_for
from hub.contract import StockSink
from hub.faults import POLICIES, ChannelError, Fault
from hub.http import AccountApi, CallError
from hub.model import Outcome, OutcomeKind, Request, StockWrite
from hub.stock import zero_brake
from hub.store import Tx, accounts, alerts, inbox, slots
from hub.store.accounts import Account
from hub.store.slots import Due
from jobs import ingest, poll
from jobs.runtime import Runtime, log

BATCH = 200
AT_ONCE = 8
FEW = 5  # so many zeros at once are not worth asking about
DEADLINE = timedelta(seconds=12)  # no write lands later than this after it left
TIMED_OUT = timedelta(seconds=2)  # what is left of it when a request was given up after 10 s
LANDED = timedelta(seconds=30)  # a call may wait, and send again, for 18 s: whatever it sent has landed by then
STOOD_STILL = timedelta(seconds=2)  # a worker that took longer from noting a write to sending it does not send it


async def drain(rt: Runtime, account: Account, only: Sequence[UUID] | None = None) -> int:
    """Push an account's due slots until none is due or the time is up. Answers how many were settled."""
    sink = rt.adapter(account.channel).stock
    if sink is None or not account.writes:
        return 0
    until = time.monotonic() + rt.policy.drain_seconds
    count = 0
    with working_for(account.seller_id, account.id):
        api = await rt.api(account)
        while time.monotonic() < until:
            token = uuid4()
            async with rt.db.seller(account.seller_id) as tx:
                claimed = await slots.claim(tx, account.id, token, rt.worker, rt.now(), BATCH, only)
            if not claimed:
                break
            try:
                await _push(rt, account, api, sink, token, claimed)
            except ChannelError as problem:
                await _failed(rt, account, token, claimed, problem)
            except Exception as problem:  # noqa: BLE001 - the worker's boundary: nothing may stay leased in silence
                log.exception("push failed", channel=account.channel)
                fault = CallError(Fault.TRANSIENT, type(problem).__name__, str(problem)[:200], in_doubt=True)
                await _failed(rt, account, token, claimed, fault, over=False)
            count += len(claimed)
    return count


async def _push(
    rt: Runtime, account: Account, api: AccountApi, sink: StockSink, token: UUID, claimed: Sequence[Due]
) -> None:
    """Drain what that account sold, look where in doubt, then write what still differs."""
    if any(slot.desired and not sink.compare_and_set(slot.write()) for slot in claimed):
        # An absolute write computed before an unknown sale would put the unit back; a write of 0 cannot.
        await poll.newest(rt, account, api)
        await ingest.drain(rt, account, time.monotonic() + 5, ingest.ORDER_TOPICS)
        await _others_done(rt, account)
    async with rt.db.seller(account.seller_id) as tx:
        claimed = await slots.again(tx, token)
    doubtful = [slot for slot in claimed if slot.doubt_until is not None or slot.pending]
    conditional = [slot for slot in claimed if sink.compare_and_set(slot.write()) and slot not in doubtful]
    if looked_at := [*doubtful, *conditional]:
        await _look(rt, account, api, sink, token, looked_at)
        async with rt.db.seller(account.seller_id) as tx:
            claimed = await slots.again(tx, token)
    resting = [slot.id for slot in claimed if slot.expected == slot.desired or slot.desired is None]
    if resting:
        async with rt.db.seller(account.seller_id) as tx:
            await slots.release(tx, token, resting, None)
    await _write(rt, account, api, sink, token, [slot for slot in claimed if slot.id not in set(resting)])


async def _others_done(rt: Runtime, account: Account) -> None:
    """Wait for what other workers were ingesting of this account when we asked; not for what came later."""
    until, before = time.monotonic() + 2, None
    while time.monotonic() < until:
        async with rt.db.seller(account.seller_id) as tx:
            greatest = await inbox.under_way(tx, account.id, rt.now(), before)
        if greatest is None:
            return
        before = before or greatest
        await asyncio.sleep(0.02)


async def _look(
    rt: Runtime, account: Account, api: AccountApi, sink: StockSink, token: UUID, doubtful: Sequence[Due]
) -> None:
    """Read slots back: from here on, what the channel shows is what we reckon with."""
    for start in range(0, len(doubtful), sink.batch):
        some = doubtful[start : start + sink.batch]
        began = rt.now()
        seen = await sink.look(api, [slot.write() for slot in some])
        async with rt.db.seller(account.seller_id) as tx:
            await slots.lock(tx, [slot.id for slot in some])
            for slot, listing in zip(some, seen, strict=True):
                if listing is None:
                    await slots.park(tx, token, slot.id, "missing", "o canal não tem mais este anúncio")
                elif listing.stock_quantity is None:
                    await slots.park(tx, token, slot.id, "unmanaged", "o canal não controla o estoque deste anúncio")
                else:
                    await slots.looked(tx, token, slot.id, listing.stock_quantity, listing.version, began, rt.now())


async def _write(
    rt: Runtime, account: Account, api: AccountApi, sink: StockSink, token: UUID, claimed: Sequence[Due]
) -> None:
    claimed = await _brake(rt, account, token, claimed)
    by_write = {_key(slot.write()): slot for slot in claimed}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(request: Request, covered: Sequence[StockWrite]) -> None:
        async with gate:
            await _send(rt, account, api, sink, token, request, [by_write[_key(write)] for write in covered])

    # Requests leave in the order of urgency that the claim gave; at most AT_ONCE wait for answers.
    await asyncio.gather(*(one(request, covered) for request, covered in sink.render([s.write() for s in claimed])))


def _key(write: StockWrite) -> tuple[str, str | None]:
    return write.slot_ref, write.location_ref


async def _brake(rt: Runtime, account: Account, token: UUID, claimed: Sequence[Due]) -> Sequence[Due]:
    """A run that would zero a large share of an account stops and asks; a few zeros, as sales make, go out."""
    zeros = [slot.id for slot in claimed if slot.desired == 0 and slot.cause not in slots.UNBRAKED]
    if account.settings.get("zero_brake") == "off" or not zeros:
        return claimed
    async with rt.db.seller(account.seller_id) as tx:
        showing, to_zero = await slots.would_zero(tx, account.id)
        if to_zero < FEW or not zero_brake(showing, to_zero, rt.policy.zero_brake_share):
            return claimed
        await slots.release(tx, token, zeros, rt.now())
        count = await slots.brake(tx, account.id)
        await accounts.set_braked(tx, account.id, rt.now())
        await alerts.raise_(
            tx,
            "zero_brake",
            str(account.id),
            severity="urgent",
            account=account.name,
            slots=count,
            showing=showing,
        )
    log.warning("zero brake", account=account.name, slots=count, showing=showing)
    return [slot for slot in claimed if slot.id not in set(zeros)]


async def _send(
    rt: Runtime,
    account: Account,
    api: AccountApi,
    sink: StockSink,
    token: UUID,
    request: Request,
    covered: Sequence[Due],
) -> None:
    """One write: noted as in doubt before it leaves, its outcome recorded under the same lease."""
    async with rt.db.seller(account.seller_id) as tx:
        began = rt.now()
        mine = await slots.begin(tx, token, [slot.id for slot in covered], began, LANDED)
    if len(mine) < len(covered):
        return  # the lease was lost: whoever has it now starts over
    if rt.now() - began > STOOD_STILL:
        await _failed(rt, account, token, covered, CallError(Fault.TRANSIENT, "late", "the worker stood still"))
        return
    try:
        reply = await api.call(request)
        outcomes = sink.read([slot.write() for slot in covered], reply)
    except ChannelError as problem:
        await _failed(rt, account, token, covered, problem)
        return
    answered = rt.now()
    async with rt.db.seller(account.seller_id) as tx:
        await slots.lock(tx, [slot.id for slot in covered])
        for slot, outcome in zip(covered, outcomes, strict=True):
            await _RECORD[outcome.outcome](rt, tx, account, token, slot, outcome)
            if outcome.outcome is OutcomeKind.ACCEPTED:
                await slots.accepted(tx, token, slot, outcome, began, answered, LANDED)
        await slots.log(tx, account.id, list(zip(covered, outcomes, strict=True)), began, answered)


async def _accepted(rt: Runtime, tx: Tx, account: Account, token: UUID, slot: Due, outcome: Outcome) -> None:
    del rt, token, outcome
    if slot.attempts:
        await alerts.resolve(tx, "slot_parked", f"{account.id}/{slot.ref}")


async def _pending(rt: Runtime, tx: Tx, account: Account, token: UUID, slot: Due, outcome: Outcome) -> None:
    del account
    await slots.pend(tx, token, slot.id, outcome.message or slot.ref, rt.now() + timedelta(seconds=30))


async def _stale(rt: Runtime, tx: Tx, account: Account, token: UUID, slot: Due, outcome: Outcome) -> None:
    del account, outcome  # somebody else wrote first: read again, at once, with a fresh version
    await slots.retry(tx, token, [slot.id], rt.now(), in_doubt=False)


async def _fault(rt: Runtime, tx: Tx, account: Account, token: UUID, slot: Due, outcome: Outcome) -> None:
    """One row was refused: only that one is parked, or tried again; the rest went through."""
    faults = rt.adapter(account.channel).faults
    fault = faults.get(outcome.code or "", Fault.REJECTED)
    problem = ChannelError(fault, outcome.code or "refused", outcome.message or "the channel refused this row")
    await _give_back(rt, tx, account, token, slot, problem)


_RECORD = {
    OutcomeKind.ACCEPTED: _accepted,
    OutcomeKind.PENDING: _pending,
    OutcomeKind.STALE: _stale,
    OutcomeKind.FAULT: _fault,
}


async def _failed(
    rt: Runtime, account: Account, token: UUID, covered: Sequence[Due], problem: ChannelError, *, over: bool = True
) -> None:
    """A whole request failed. In doubt: wait out the deadline, then read back. A refused batch goes row by row.

    `over`: no call is under way any more.
    """
    if POLICIES[problem.fault].holds_account:
        await rt.hold(account, problem)
    if POLICIES[problem.fault].parks and len(covered) > 1:
        await _one_by_one(rt, account, token, covered)
        return
    async with rt.db.seller(account.seller_id) as tx:
        await slots.lock(tx, [slot.id for slot in covered])
        for slot in covered:
            await _give_back(rt, tx, account, token, slot, problem, over=over)


async def _give_back(
    rt: Runtime, tx: Tx, account: Account, token: UUID, slot: Due, problem: ChannelError, *, over: bool = True
) -> None:
    due_at = rt.pause(problem, slot.attempts)
    if due_at is not None:
        in_doubt = isinstance(problem, CallError) and problem.in_doubt
        landed = rt.now() + (TIMED_OUT if problem.code == "timeout" else DEADLINE) if over else None
        await slots.retry(tx, token, [slot.id], due_at, in_doubt=in_doubt, landed=landed)
        return
    if await slots.park(tx, token, slot.id, problem.code, problem.detail) and POLICIES[problem.fault].alerts:
        await alerts.raise_(
            tx, "slot_parked", f"{account.id}/{slot.ref}", account=account.name, channel=account.channel, ref=slot.ref,
            code=problem.code, detail=problem.detail,
        )  # fmt: skip


async def _one_by_one(rt: Runtime, account: Account, token: UUID, covered: Sequence[Due]) -> None:
    """The whole batch was refused: send each row alone, so that one bad listing never blocks the rest."""
    sink = rt.adapter(account.channel).stock
    api = await rt.api(account)
    if sink is None:
        raise RuntimeError("a write without a sink")
    for slot in covered:
        for request, _writes in sink.render([slot.write()]):
            await _send(rt, account, api, sink, token, request, [slot])

"""Availability to channels: what is true now, never what was true when it was queued."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from hub.contract import PHYSICAL, StockSink
from hub.faults import POLICIES, ChannelError, Fault
from hub.http import AccountApi, CallError
from hub.model import Outcome, OutcomeKind, Request, StockWrite
from hub.pushing import Late, Submission, halves, late, submission
from hub.stock import zero_brake
from hub.store import Tx, accounts, alerts, cases, held, inbox, policies, slots, sources
from hub.store.accounts import Account
from hub.store.slots import Due
from jobs import ingest, lane, poll
from jobs.runtime import Runtime, log

BATCH = 200
AT_ONCE = 8
FEW = 5  # so many zeros at once are not worth asking about
ROUND = 5.0  # seconds after which what has not left yet is claimed again: something more urgent may be due
DEADLINE = timedelta(seconds=12)  # no write lands later than this after it left
TIMED_OUT = timedelta(seconds=2)  # what is left of it when a request was given up after 10 s
TAKES_EFFECT = timedelta(seconds=30)  # before what a channel only accepted is read back
LANDED = timedelta(seconds=30)  # a call may wait, and send again, for 18 s: whatever it sent has landed by then
STOOD_STILL = timedelta(seconds=2)  # a worker that took longer from noting a write to sending it does not send it
READ_BACK = timedelta(seconds=1)  # a physical number moves reservations there by being written (VTEX drops them)


@dataclass(slots=True, kw_only=True)
class _Push:
    """What one claim is worked off with."""

    rt: Runtime
    account: Account
    api: AccountApi
    sink: StockSink
    token: UUID
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # who waits for a limit, in the order of urgency
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    until: float = 0.0


async def drain(rt: Runtime, account: Account, only: Sequence[UUID] | None = None) -> int:
    """Push an account's due slots until none is due or the time is up. Answers how many were settled."""
    sink = rt.adapter(account.channel).stock
    if sink is None or not account.writes:
        return 0

    async def claim(tx: Tx, token: UUID) -> list[Due]:
        return await slots.claim(tx, account.id, token, rt.worker, rt.now(), BATCH, only)

    async def work(api: AccountApi, token: UUID, claimed: Sequence[Due]) -> None:
        push = _Push(rt=rt, account=account, api=api, sink=sink, token=token)
        await lane.guarded(account, "push", lambda: _push(push, claimed), lambda why: _put_off(push, claimed, why))

    return await lane.drain(rt, account, claim, work)


async def _push(push: _Push, claimed: Sequence[Due]) -> None:
    """Drain what that account sold, look where in doubt, then write what still differs."""
    rt, sink, token = push.rt, push.sink, push.token
    if any(slot.pending for slot in claimed):
        await asyncio.gather(*(_follow(push, slot) for slot in claimed))
        claimed = await _again(push)
    drained = any(_needs_drain(sink, slot) for slot in claimed)
    if drained:
        # An absolute write computed before an unknown sale would put the unit back; a write of 0 cannot.
        await _read_orders(push)
    claimed = await _again(push)
    doubtful = [slot for slot in claimed if slot.doubt_until is not None or slot.pending]
    conditional = [slot for slot in claimed if sink.compare_and_set(slot.write()) and slot not in doubtful]
    # A source is read before every write: what was edited there is adopted, never overwritten.
    if looked_at := list(claimed) if push.account.stock_role == "source" else [*doubtful, *conditional]:
        reckoned = {slot.id: slot.expected for slot in looked_at}
        await _look(push, looked_at)
        claimed = await _again(push)
        if not drained and any(slot.desired and slot.expected != reckoned.get(slot.id) for slot in claimed):
            # Another number than we reckoned with: a sale that nobody told us of, which a write would put back.
            rt.looked.pop(push.account.id, None)  # what was read before this look may not know it
            await _read_orders(push)
            claimed = await _again(push)
    resting = [slot.id for slot in claimed if slot.expected == slot.desired or slot.desired is None]
    undrained = [slot.id for slot in claimed if not drained and _needs_drain(sink, slot)]
    if left := {*resting, *undrained}:
        async with rt.db.seller(push.account.seller_id) as tx:
            await slots.lock(tx, left)
            await slots.release(tx, token, resting, None)
            await slots.hand_back(tx, token, undrained)
    await _write(push, [slot for slot in claimed if slot.id not in left])


async def _read_orders(push: _Push) -> None:
    """Learn what that account sold up to now."""
    await poll.newest(push.rt, push.account, push.api)
    await ingest.drain(push.rt, push.account, time.monotonic() + 5, ingest.ORDER_TOPICS)
    await _others_done(push.rt, push.account)


def _needs_drain(sink: StockSink, slot: Due) -> bool:
    """An absolute number other than zero: it would put back what an unknown sale took."""
    return bool(slot.desired) and not sink.compare_and_set(slot.write())


async def _follow(push: _Push, slot: Due) -> None:
    """Ask about a number that was accepted and is still wanted; one that has not come true waits on, untold."""
    told, began = submission(slot.pending), push.rt.now()
    if told is None or push.sink.ask is None or not told.waits(slot.desired, began):
        return
    async with push.gate:
        (outcome,) = await push.sink.ask(push.api, [slot.write()], told.receipt)
    async with push.rt.db.seller(push.account.seller_id) as tx:
        await slots.lock(tx, [slot.id])
        if outcome.outcome is OutcomeKind.PENDING:
            await slots.pend(tx, push.token, slot.id, told.kept(), push.rt.now() + TAKES_EFFECT)
        elif outcome.outcome is OutcomeKind.ACCEPTED:
            seen = told.units if outcome.seen is None else outcome.seen
            await slots.looked(tx, push.token, slot.id, seen, None, began, push.rt.now())
            await slots.release(tx, push.token, [slot.id], None)
        else:
            await _RECORD[outcome.outcome](push, tx, slot, outcome)


async def _again(push: _Push) -> list[Due]:
    async with push.rt.db.seller(push.account.seller_id) as tx:
        return await slots.again(tx, push.token)


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


async def _look(push: _Push, rows: Sequence[Due]) -> datetime:
    """Read slots back: from here on, what the channel shows is what we reckon with. Answers when the reading began."""
    first = push.rt.now()
    for start in range(0, len(rows), push.sink.batch):
        await _look_at(push, rows[start : start + push.sink.batch])
    return first


async def _look_at(push: _Push, rows: Sequence[Due]) -> None:
    began = push.rt.now()
    try:
        seen = await push.sink.look(push.api, [slot.write() for slot in rows])
    except ChannelError as problem:
        if not POLICIES[problem.fault].parks:
            raise
        if len(rows) == 1:
            async with push.rt.db.seller(push.account.seller_id) as tx:
                await _give_back(push, tx, rows[0], problem)
            return
        for half in halves(rows):  # one listing that cannot be read never blocks the rest
            await _look_at(push, half)
        return
    async with push.rt.db.seller(push.account.seller_id) as tx:
        await slots.lock(tx, [slot.id for slot in rows])
        for slot, listing in zip(rows, seen, strict=True):
            shown = None if listing is None else push.sink.shown(listing)
            if listing is None:
                await slots.park(tx, push.token, slot.id, "missing", "o canal não tem mais este anúncio")
            elif shown is None:
                await slots.park(tx, push.token, slot.id, "unmanaged", "o canal não controla o estoque deste anúncio")
            elif push.account.stock_role == "source" and (slot.doubt_until or shown != slot.expected):
                await sources.hand_over(tx, push.token, slot.id, push.account.id, push.rt.now())
            else:
                reserved = push.sink.reserved(listing)
                await slots.looked(
                    tx, push.token, slot.id, shown, listing.version, began, push.rt.now(), reserved=reserved
                )


async def _write(push: _Push, rows: Sequence[Due]) -> None:
    rows = await _brake(push.rt, push.account, push.token, rows)
    push.until = time.monotonic() + ROUND

    async def one(request: Request, covered: Sequence[Due]) -> None:
        async with push.gate:
            await _send(push, request.operation, covered)

    # Requests leave in the order of urgency that the claim gave; at most AT_ONCE wait for answers.
    await asyncio.gather(*(one(*each) for each in await _rendered(push, rows)))


async def _rendered(push: _Push, rows: Sequence[Due]) -> list[tuple[Request, list[Due]]]:
    """The requests that write these slots. One that cannot be put into words is parked, and blocks nobody."""
    by_write = {_key(slot.write()): slot for slot in rows}
    try:
        rendered = push.sink.render([slot.write() for slot in rows])
    except ChannelError as problem:
        if len(rows) > 1:
            return [each for half in halves(rows) for each in await _rendered(push, half)]
        async with push.rt.db.seller(push.account.seller_id) as tx:
            await _give_back(push, tx, rows[0], problem)
        return []
    return [(request, [by_write[_key(write)] for write in covered]) for request, covered in rendered]


def _key(write: StockWrite) -> tuple[str, str | None]:
    return write.slot_ref, write.location_ref


async def _brake(rt: Runtime, account: Account, token: UUID, claimed: Sequence[Due]) -> Sequence[Due]:
    """A run that would zero a large share of an account stops and asks; a few zeros, as sales make, go out."""
    zeros = [slot.id for slot in claimed if slot.desired == 0 and slot.cause not in held.UNBRAKED]
    if account.settings.get("zero_brake") == "off" or not zeros:
        return claimed
    async with rt.db.seller(account.seller_id) as tx:
        showing, to_zero = await held.would_zero(tx, account.id)
        share = await policies.brake_share(tx, rt.policy.zero_brake_share)
        if to_zero < FEW or not zero_brake(showing, to_zero, share):
            return claimed
        count = await held.brake(tx, account.id)  # locks them all
        await slots.hand_back(tx, token, zeros)
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


async def _send(push: _Push, operation: str | None, planned: Sequence[Due], *, part: bool = False) -> None:
    """One request: its number read as late as can be, noted as in doubt before it leaves, its outcome recorded.

    `part` of a request that was begun already: that one is brought to its end, however late it is.
    """
    try:
        async with push.turn:
            begun = await _begin(push, operation, planned, part=part)
    except ChannelError as problem:
        await _failed(push, operation, planned, problem)
        return
    if begun is None:
        return
    request, covered, began, rest = begun
    if push.rt.now() - began > STOOD_STILL:
        stood_still = CallError(Fault.TRANSIENT, "late", "the worker stood still")
        await _failed(push, operation, covered, stood_still)
    else:
        await _call(push, request, covered, began)
    if rest:  # what had one request when it was planned has more now
        await _send(push, operation, rest, part=True)


async def _begin(
    push: _Push, operation: str | None, planned: Sequence[Due], *, part: bool
) -> tuple[Request, Sequence[Due], datetime, Sequence[Due]] | None:
    """Wait for the limits, then read what the slots want now and note that it leaves.

    Answers the request, what it covers, when that was read, and what is left over; None when nothing is to be sent.
    """
    ids, since = [slot.id for slot in planned], None
    if time.monotonic() > push.until and not part:
        async with push.rt.db.seller(push.account.seller_id) as tx:
            await slots.hand_back(tx, push.token, ids)
        return None
    await push.api.admit(operation)
    if push.sink.numbers == PHYSICAL:  # what it holds reserved is read right before the number is told
        since = await _look(push, planned)
    numbers = {slot.id: slot.desired for slot in planned}
    async with push.rt.db.seller(push.account.seller_id) as tx:
        began = push.rt.now()
        mine = await slots.again(tx, push.token, ids)  # those whose lease was lost start over with who has it now
        ways = {row.id: late(numbers[row.id], row.desired, row.expected) for row in mine}
        await slots.release(tx, push.token, [id_ for id_, way in ways.items() if way is Late.REST], None)
        await slots.hand_back(tx, push.token, [id_ for id_, way in ways.items() if way is Late.OVER])
        going = {_key(row.write()): row for row in mine if ways[row.id] is Late.GO}
        if not going:
            return None
        request, writes = push.sink.render([row.write() for row in going.values()])[0]
        covered = [going.pop(_key(write)) for write in writes]
        await slots.begin(tx, push.token, [row.id for row in covered], began, LANDED, since=since)
    return request, covered, began, list(going.values())


async def _call(push: _Push, request: Request, covered: Sequence[Due], began: datetime) -> None:
    try:
        reply = await push.api.call(request, admitted=True)
        outcomes = push.sink.read([slot.write() for slot in covered], reply)
        if reply.status >= 400 and len(covered) > 1:  # noqa: PLR2004 - HTTP: the batch was refused, not its rows
            _refuse_whole(push, outcomes)
    except ChannelError as problem:
        await _failed(push, request.operation, covered, problem)
        return
    answered = push.rt.now()
    read_back = READ_BACK if push.sink.numbers == PHYSICAL else None
    async with push.rt.db.seller(push.account.seller_id) as tx:
        await slots.lock(tx, [slot.id for slot in covered])
        for slot, outcome in zip(covered, outcomes, strict=True):
            if outcome.outcome is OutcomeKind.ACCEPTED:
                await slots.accepted(tx, push.token, slot, outcome, began, answered, LANDED, read_back=read_back)
            else:
                await _RECORD[outcome.outcome](push, tx, slot, outcome)
        await slots.log(tx, push.account.id, list(zip(covered, outcomes, strict=True)), began, answered)


def _refuse_whole(push: _Push, outcomes: Sequence[Outcome]) -> None:
    """Raise the refusal that every row of an error answer was given: which row was meant is found out by halves."""
    codes = {outcome.code for outcome in outcomes if outcome.outcome is OutcomeKind.FAULT}
    if len(codes) == 1 and all(outcome.outcome is OutcomeKind.FAULT for outcome in outcomes):
        raise _problem(push, outcomes[0])


def _problem(push: _Push, outcome: Outcome) -> ChannelError:
    fault = push.rt.adapter(push.account.channel).faults.get(outcome.code or "", Fault.REJECTED)
    return ChannelError(fault, outcome.code or "refused", outcome.message or "the channel refused this row")


async def _pending(push: _Push, tx: Tx, slot: Due, outcome: Outcome) -> None:
    at = push.rt.now()
    told = Submission(slot.desired or 0, at.isoformat(), outcome.code or "")
    await slots.pend(tx, push.token, slot.id, told.kept(), at + TAKES_EFFECT)


async def _stale(push: _Push, tx: Tx, slot: Due, outcome: Outcome) -> None:
    del outcome  # somebody else wrote first: read again, at once, with a fresh version
    await slots.retry(tx, push.token, [slot.id], push.rt.now(), in_doubt=False)


async def _fault(push: _Push, tx: Tx, slot: Due, outcome: Outcome) -> None:
    """One row was refused: only that one is parked, or tried again; the rest went through."""
    await _give_back(push, tx, slot, _problem(push, outcome))


_RECORD = {
    OutcomeKind.PENDING: _pending,
    OutcomeKind.STALE: _stale,
    OutcomeKind.FAULT: _fault,
}


async def _failed(push: _Push, operation: str | None, covered: Sequence[Due], problem: ChannelError) -> None:
    """A whole request failed. In doubt: wait out the deadline, then read back. A refused batch is sent by halves."""
    if POLICIES[problem.fault].holds_account:
        await push.rt.hold(push.account, problem)
    if POLICIES[problem.fault].parks and len(covered) > 1:
        for half in halves(covered):
            await _send(push, operation, half, part=True)
        return
    async with push.rt.db.seller(push.account.seller_id) as tx:
        await slots.lock(tx, [slot.id for slot in covered])
        await cases.failed(tx, [slot.id for slot in covered], problem.fault, problem.code, push.rt.now())
        for slot in covered:
            await _give_back(push, tx, slot, problem)


async def _put_off(push: _Push, claimed: Sequence[Due], problem: ChannelError) -> None:
    """What had to be done first failed (newest orders, reading back), or we did: all of it comes again, none is parked.

    Calls may still be under way: what they wrote to stays in doubt for as long as `begin` said.
    """
    if POLICIES[problem.fault].holds_account:
        await push.rt.hold(push.account, problem)
    in_doubt = isinstance(problem, CallError) and problem.in_doubt
    async with push.rt.db.seller(push.account.seller_id) as tx:
        await slots.lock(tx, [slot.id for slot in claimed])
        await cases.failed(tx, [slot.id for slot in claimed], problem.fault, problem.code, push.rt.now())
        for slot in claimed:
            again = ChannelError(Fault.TRANSIENT, problem.code, problem.detail)
            due_at = push.rt.pause(problem, slot.attempts) or push.rt.pause(again, slot.attempts)
            await slots.retry(tx, push.token, [slot.id], due_at or push.rt.now(), in_doubt=in_doubt)


async def _give_back(push: _Push, tx: Tx, slot: Due, problem: ChannelError) -> None:
    due_at = push.rt.pause(problem, slot.attempts)
    if due_at is not None:
        in_doubt = isinstance(problem, CallError) and problem.in_doubt
        landed = push.rt.now() + (TIMED_OUT if problem.code == "timeout" else DEADLINE)
        await slots.retry(tx, push.token, [slot.id], due_at, in_doubt=in_doubt, landed=landed)
        return
    if await slots.park(tx, push.token, slot.id, problem.code, problem.detail) and POLICIES[problem.fault].alerts:
        await alerts.raise_(
            tx, "slot_parked", f"{push.account.id}/{slot.ref}", account=push.account.name,
            channel=push.account.channel, ref=slot.ref, code=problem.code, detail=problem.detail,
        )  # fmt: skip

"""How one account's work of one lane is drained: claim, work off, claim again; and where its failures stop."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID, uuid4

from hub.context import working_for
from hub.faults import ChannelError, Fault
from hub.http import AccountApi, CallError
from hub.store import Tx
from hub.store.accounts import Account
from jobs.runtime import Runtime, log

Row = TypeVar("Row")


async def drain(
    rt: Runtime,
    account: Account,
    claim: Callable[[Tx, UUID], Awaitable[Sequence[Row]]],
    work: Callable[[AccountApi, UUID, Sequence[Row]], Awaitable[object]],
) -> int:
    """Work off what `claim` takes under a new lease, until it takes nothing or the time is up. Answers how many."""
    until = time.monotonic() + rt.policy.drain_seconds
    count = 0
    with working_for(account.seller_id, account.id):
        api = await rt.api(account)
        while time.monotonic() < until:
            token = uuid4()
            async with rt.db.seller(account.seller_id) as tx:
                claimed = await claim(tx, token)
            if not claimed:
                break
            await work(api, token, claimed)
            count += len(claimed)
    return count


async def guarded(
    account: Account,
    what: str,
    work: Callable[[], Awaitable[object]],
    failed: Callable[[ChannelError], Awaitable[object]],
) -> None:
    """Do the work; whatever it raises goes to `failed`, so that nothing stays leased in silence.

    A fault of our own is logged as "`what` failed" and told as a CallError in doubt: nobody knows how far it got.
    """
    try:
        await work()
    except ChannelError as problem:
        await failed(problem)
    except Exception as problem:  # noqa: BLE001 - the worker's boundary: the work comes again
        log.exception(f"{what} failed", channel=account.channel)
        await failed(CallError(Fault.TRANSIENT, type(problem).__name__, str(problem)[:200], in_doubt=True))

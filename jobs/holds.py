"""Unpaid orders whose hold is over: their units are free again; the order stays, and takes units when it is paid."""

from uuid import UUID

from hub.holds import FROM, HOURS, MOST_HOURS, hold_of
from hub.model import Status
from hub.store import Tx, accounts, orders, people, stock
from hub.store.accounts import Account
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import transact
from jobs.runtime import Runtime
from jobs.settle import settle_order

AT_ONCE = 200


async def lapse(rt: Runtime) -> int:
    """Settle every order whose unpaid hold is over by now. Answers how many."""
    async with rt.db.dispatch() as tx:
        sellers = [row["seller_id"] for row in await people.sellers(tx)]
    count = 0
    for seller_id in sellers:
        while True:
            async with rt.db.seller(seller_id) as tx:
                due = await orders.holds_over(tx, rt.now(), AT_ONCE)
            for order_id in due:
                await _settle(rt, seller_id, order_id)
            count += len(due)
            if len(due) < AT_ONCE:
                break
    return count


async def set_holds(
    rt: Runtime, account: Account, *, since: Status | None = None, default: bool = False, hours: int | None = None
) -> tuple[Status, float | None, int]:
    """From when an account's orders hold stock (`default`: as the installation has it), and for how many hours an
    unpaid one does (0: until it is told). Its unpaid orders are settled by it at once.

    Answers what holds now and how many orders were looked at.
    """
    if hours is not None and not 0 <= hours <= MOST_HOURS:
        raise Refused(f"hours: {hours} is not from 0 (no end) to {MOST_HOURS}")
    changes: dict[str, str | int | None] = {}
    if default or since is not None:
        changes[FROM] = None if since is None else since.value
    if hours is not None:
        changes[HOURS] = hours or None
    async with rt.db.seller(account.seller_id) as tx:
        if changes:
            await accounts.settle_settings(tx, account.id, **changes)
            await stock.audit(tx, "account_holds", str(account.id), **changes)
        known = hold_of((await accounts.get(tx, account.id)).settings, rt.policy.hold_from)
        waiting = await orders.unpaid(tx, account.id) if changes else []
    for order_id in waiting:
        await _settle(rt, account.seller_id, order_id)
    return known.since, known.unpaid_hours, len(waiting)


async def _settle(rt: Runtime, seller_id: UUID, order_id: UUID) -> None:
    async def work(tx: Tx, ripple: Ripple) -> None:
        stored = await orders.lock_id(tx, order_id)
        if stored is None or stored.known is None:
            return
        order = stored.known.order
        links = await orders.links(tx, stored.account_id, order)
        now = rt.now()
        await settle_order(
            tx, stored, order, order, links, hold_from=rt.policy.hold_from, now=now, since=now, ripple=ripple
        )

    await transact(rt, seller_id, work)

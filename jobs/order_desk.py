"""What people do to many orders at once: marks of the packing table, and reservations made afresh."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from hub.model import Status
from hub.store import Tx, order_desk, orders, stock
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import transact
from jobs.runtime import Runtime
from jobs.settle import settle_order

_UNDONE = {"packed": "unpacked", "printed": "unprinted"}


async def mark(
    rt: Runtime, seller_id: UUID, order_ids: Sequence[UUID], what: str, who: str, *, done: bool = True
) -> int:
    """Note that orders are packed or printed (`done` False: not after all). Answers for how many that was new."""
    at: datetime | None = rt.now() if done else None
    async with rt.db.seller(seller_id) as tx:
        changed = await order_desk.mark(tx, order_ids, what, who, at)
        for order_id in changed:
            await orders.event(tx, order_id, what if done else _UNDONE[what], by=who)
        if changed:
            await stock.audit(tx, "orders_marked", what, done=done, orders=changed)
    return len(changed)


class Stays(Refused):
    """An order whose reservations are left where they are: `why` is a word of hub.web.order_words.STAYS."""

    def __init__(self, number: str, why: str) -> None:
        super().__init__(f"order {number} stays as it is: {why}")
        self.number, self.why = number, why


async def allocate_again(rt: Runtime, seller_id: UUID, order_id: UUID, who: str) -> bool:
    """Reserve an order afresh, by today's stock and rules. False: it holds what it held before.

    Raises Stays where its goods may lie on the packing table or be on their way already, or it holds no stock.
    """

    async def work(tx: Tx, ripple: Ripple) -> bool:
        stored = await orders.lock_id(tx, order_id)
        if stored is None or stored.known is None:
            raise Stays(str(order_id), "gone")
        order = stored.known.order
        number = order.number or order.ref
        if order.status not in (Status.PLACED, Status.PAID):
            raise Stays(number, "closed")
        if order.shipments or any(line.dispatched_quantity for line in order.lines):
            raise Stays(number, "sent")
        if (await order_desk.handling(tx, order_id))["packed_at"]:
            raise Stays(number, "packed")
        before = await _held(tx, order_id)
        now = rt.now()
        links = await orders.links(tx, stored.account_id, order)
        await settle_order(
            tx, stored, order, order, links, hold_from=rt.policy.hold_from, now=now, since=now, ripple=ripple,
            afresh=True,
        )  # fmt: skip
        if await _held(tx, order_id) == before:
            return False
        await orders.event(tx, order_id, "reallocated", by=who)
        await stock.audit(tx, "order_reallocate", str(order_id))
        return True

    return await transact(rt, seller_id, work)


async def _held(tx: Tx, order_id: UUID) -> dict[tuple[str, UUID], tuple[dict[UUID, int], int]]:
    return {key: (dict(have.reserved), have.short) for key, have in (await stock.held_by(tx, order_id)).items()}

"""What a person says became of the open orders of a disconnected account: nobody else tells of them any more."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub import stranded as decide
from hub.model import Topic
from hub.orders import Known, merge
from hub.store import Tx, inbox, orders, stock, stranded
from hub.store.accounts import Account
from hub.store.inbox import Arrival
from hub.stranded import Outcome
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import transact
from jobs.runtime import Runtime
from jobs.settle import settle_order

CHUNK, MOST, LONGEST_REASON = 100, 500, 200
WHY = {
    "live": "the account is connected: its channel tells what becomes of its orders",
    "gone": "order {number} is not one of this account",
    "nothing": "order {number} holds no unit and waits for none",
    "again": "order {number}: its channel did not tell who sends it yet; try again in two minutes",
    "packed": "order {number} is packed: unpack it first, or say that it was sent",
    "labelled": "order {number} has a label: cancel it first, or say that it was sent",
    "moving": "order {number}: its carrier has the parcel; say that it was sent",
    "followed": "order {number} is order {other} of {account} too: cancel it there, or say that it was sent",
    "named": "name the orders that are to be open again",
    "kept": "order {number} was not cancelled by hand: nothing of it can be open again",
    "reason": "reason: say why, in up to {most} characters",
}


class Stays(Refused):
    """An order that stays as it is: `why` is a word of WHY, `told` what its sentence names."""

    def __init__(self, why: str, **told: object) -> None:
        super().__init__(WHY[why].format(**told))
        self.why, self.told = why, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What settling did. `stays`: orders that were left as they are, each with why; `left`: those still open."""

    settled: int
    stays: Sequence[Stays]
    left: int


def stays_of(row: Mapping[str, Any], outcome: Outcome, other: Mapping[str, Any] | None) -> Stays | None:
    """Why a row of stranded.listed would stay; `other`: the same sale at a live account."""
    hands = {name: row[name] for name in ("packed", "labelled", "moving")}
    why = decide.stays(outcome, followed=other is not None, **hands)
    if why is None:
        return None
    named = {"other": other["number"], "account": other["account"]} if other and why == "followed" else {}
    return Stays(why, number=row["number"], id=row["id"], **named)


async def settle(
    rt: Runtime, account: Account, order_ids: Sequence[UUID] | None, outcome: Outcome, reason: str
) -> Done:
    """Settle these orders of a disconnected account (None: all of them, up to MOST at one go), each on its own.

    Cancelled: their units are for sale again. Sent: they leave the stock, and are not brought back by anything but a
    count or a return. Open: what was cancelled so takes its units again, or waits for them. Stays ("live", "reason",
    "named") where nothing may be done at all.
    """
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= LONGEST_REASON:
        raise Stays("reason", most=LONGEST_REASON)
    if outcome is Outcome.OPEN and order_ids is None:
        raise Stays("named")
    async with rt.db.seller(account.seller_id) as tx:
        if not await stranded.is_closed(tx, account.id):
            raise Stays("live")
    count, kept, after = 0, list[Stays](), None
    while order_ids is None or order_ids:
        async with rt.db.seller(account.seller_id) as tx:
            if order_ids is None:
                size = min(CHUNK, MOST - count)
                some = [row["id"] for row in await stranded.listed(tx, account.id, after=after, limit=size)]
            else:
                some, order_ids = list(order_ids[:CHUNK]), order_ids[CHUNK:]
            others = await stranded.followed(tx, some)
        if not some:
            break
        for order_id in some:
            try:
                await _settle(rt, account, order_id, outcome, reason, others.get(order_id))
            except Stays as refusal:
                kept.append(refusal)
            else:
                count += 1
        after = some[-1]
        if count >= MOST:
            break
    async with rt.db.seller(account.seller_id) as tx:
        left = (await stranded.counted(tx, account.id))["orders"]
    return Done(settled=count, stays=kept, left=left)


async def _settle(
    rt: Runtime, account: Account, order_id: UUID, outcome: Outcome, reason: str, other: Mapping[str, Any] | None
) -> None:
    async def work(tx: Tx, ripple: Ripple) -> None:
        if not await stranded.is_closed(tx, account.id):
            raise Stays("live")
        stored = await orders.lock_id(tx, order_id)
        if stored is None or stored.known is None or stored.account_id != account.id:
            raise Stays("gone", number=order_id)
        before = stored.known.order
        number = before.number or before.ref
        units, short = await stranded.units(tx, order_id)
        if outcome is not Outcome.OPEN and not units + short:
            raise Stays("nothing", number=number, id=order_id)
        row = {"id": order_id, "number": number, **await stranded.in_hand(tx, order_id)}
        if refusal := stays_of(row, outcome, other):
            raise refusal
        now = rt.now()
        if outcome is Outcome.OPEN:
            known = await _as_told(rt, tx, account, order_id, stored.known)
            units = decide.open_units(known.order) - decide.open_units(before)
            if units <= 0:
                raise Stays("kept", number=number, id=order_id)
        else:
            known = decide.settled(stored.known, outcome, now)
        await orders.put(tx, order_id, known)
        links = await orders.links(tx, account.id, known.order)
        await orders.put_lines(tx, order_id, known.order, links)
        if known.order.status is not before.status:
            await orders.event(tx, order_id, "status", before=before.status, after=known.order.status)
        await orders.event(tx, order_id, "settled", outcome=outcome, reason=reason, units=units)
        # No word about its own shelf: the channel took nothing from it, and gave nothing back.
        if not await settle_order(
            tx, stored, before, known.order, links, hold_from=rt.policy.hold_from, now=now, since=now, ripple=ripple,
            takes=lambda _order: None,
        ):  # fmt: skip
            raise Stays("again", number=number, id=order_id)
        await stock.audit(
            tx, "order_settle", str(order_id), outcome=outcome, reason=reason, account=account.name, order=number,
            units=units,
        )  # fmt: skip

    await transact(rt, account.seller_id, work)


async def _as_told(rt: Runtime, tx: Tx, account: Account, order_id: UUID, known: Known) -> Known:
    """An order as its channel last told it, from the documents that are kept; goods that left stay gone."""
    source = rt.adapter(account.channel).orders
    for raw in await stranded.documents(tx, order_id) if source else ():
        if source:
            told = source.parse(json.loads(raw))
            known = merge(known, told, await inbox.next_seq(tx), source.parts)
    return known


async def ask_again(tx: Tx, account: Account) -> None:
    """Have an account that is connected again asked about the orders that were cancelled here without its word."""
    arrivals = [
        Arrival(
            seller_id=account.seller_id, account_id=account.id, source="manual", topic=Topic.ORDER, ref=ref,
            dedupe_key=f"order:{ref}", told_at=None, raw=None,
        )
        for ref in await stranded.settled(tx, account.id)
    ]  # fmt: skip
    if arrivals:
        await inbox.add(tx, arrivals)

"""Codes that a table learnt since: what was kept of them is settled again, and what nobody came to know is dropped."""

from datetime import timedelta
from uuid import UUID

from hub.store import people, tracking
from jobs import parcels
from jobs.parcels import Rings
from jobs.runtime import Runtime


async def seller(rt: Runtime, seller_id: UUID) -> dict[str, int]:
    """Read again what a seller's carriers told in codes unknown then. Answers documents understood, and kept on."""
    async with rt.db.seller(seller_id) as tx:
        holding = await tracking.accounts_with_kept(tx)
    understood = kept = 0
    for account_id in holding:
        rings = Rings()
        account = await rt.account(seller_id, account_id)
        done, left = await parcels.learn(rt, account, rings)
        understood, kept = understood + done, kept + left
        rings.ring(rt)
    return {"understood": understood, "kept": kept}


async def everybody(rt: Runtime) -> None:
    """The same for every seller; documents about parcels that nobody came to know go after the inbox's days."""
    async with rt.db.dispatch() as tx:
        sellers = [row["seller_id"] for row in await people.sellers(tx)]
    before = rt.now() - timedelta(days=rt.policy.inbox_days)
    for seller_id in sellers:
        await seller(rt, seller_id)
        async with rt.db.seller(seller_id) as tx:
            await tracking.prune(tx, before)

"""The demonstration: a shop of its own that anybody may look around in, opened and thrown away whole."""

import asyncio
from uuid import UUID

import psycopg

from hub.context import working_for
from hub.store import demos, first_run, new_id, people, stock, warehouses
from jobs.connect import Refused
from jobs.runtime import Runtime, log

NAME = {"pt_BR": "Loja de demonstração", "en": "Demonstration shop"}
LOOKS, TRIES = 100, 5


async def the_one(rt: Runtime) -> UUID | None:
    """The demonstration that is open."""
    async with rt.db.dispatch() as tx:
        return await demos.the_one(tx)


async def open_(rt: Runtime, user_id: UUID, locale: str) -> UUID:
    """A new demonstration, its seller empty still, this person its owner. Refused while another one is open."""
    seller_id = new_id()
    with working_for(seller_id):
        async with rt.db.seller(seller_id) as tx:
            if not await demos.seller_add(tx, NAME[locale]):
                raise Refused("a demonstration is open already in this installation: one at a time")
            await people.member_put(tx, user_id, "owner")
            await warehouses.warehouse_add(tx, "principal", "Principal", rank=10, postal_code="01310100", state="SP")
            await first_run.put_away(tx, user_id, rt.now())
            await stock.audit(tx, "demo_open", str(user_id))
    return seller_id


async def throw_away(rt: Runtime, seller_id: UUID) -> None:
    """All that it has, for good. LookupError for a seller that is none: nothing is touched then."""
    await clear(rt, seller_id, whole=True)
    log.info("demonstration thrown away", seller=str(seller_id))


async def clear(rt: Runtime, seller_id: UUID, *, whole: bool) -> None:
    """Forget its rows; `whole` with itself. Workers are let finish what they are at."""
    with working_for(seller_id):
        async with rt.db.seller(seller_id) as tx:
            if not await demos.is_demo(tx):
                raise LookupError(f"seller {seller_id} is no demonstration")
            await demos.close_accounts(tx)
        for _look in range(LOOKS):
            if not await _is_busy(rt, seller_id):
                break
            await asyncio.sleep(0.1)
        for left in range(TRIES - 1, -1, -1):
            try:
                async with rt.db.seller(seller_id) as tx:
                    await demos.forget(tx, whole=whole)
            except (psycopg.errors.ForeignKeyViolation, psycopg.errors.DeadlockDetected):
                if not left:
                    raise
                await asyncio.sleep(0.5)  # a worker wrote meanwhile: it meets closed accounts at its next look
            else:
                return


async def _is_busy(rt: Runtime, seller_id: UUID) -> bool:
    async with rt.db.seller(seller_id) as tx:
        return await demos.is_busy(tx, rt.now())

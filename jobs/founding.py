"""Making an installation's first user and first shop, and the code that lets somebody do it from elsewhere."""

from uuid import UUID

from hub.context import working_for
from hub.founding import Wanted
from hub.secrets import new_token, same, token_hash
from hub.store import founding, new_id
from jobs.runtime import Runtime


async def anybody(rt: Runtime) -> bool:
    """Whether the installation has a user."""
    async with rt.db.people() as tx:
        return await founding.anybody(tx)


async def new_code(rt: Runtime) -> str | None:
    """A code for whoever starts this installation, kept as its hash alone; None once there is a user."""
    code = new_token()
    async with rt.db.people() as tx:
        if await founding.anybody(tx):
            return None
        await founding.add_code(tx, token_hash(code))
    return code


async def is_good(rt: Runtime, code: str) -> bool:
    """Whether it is one of the codes that were told; every one is compared, each in the same time."""
    told = token_hash(code)
    async with rt.db.people() as tx:
        kept = await founding.codes(tx)
    return sum(same(told, each) for each in kept) > 0


async def found(rt: Runtime, wanted: Wanted, password_hash: str) -> tuple[UUID, UUID] | None:
    """(user, seller), made together; None where somebody else was first: then nothing of this is made."""
    seller_id = new_id()
    with working_for(seller_id):
        async with rt.db.seller(seller_id) as tx:
            user_id = await founding.found(tx, wanted, password_hash)
    return (user_id, seller_id) if user_id else None

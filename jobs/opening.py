"""Where stock begins to count: the opening that an account tells."""

from hub.store import listings
from hub.store.accounts import Account
from jobs.counts import Counted, set_stock
from jobs.runtime import Runtime


async def open_from(rt: Runtime, account: Account) -> list[Counted]:
    """Opening truth from an account: what it shows, plus units held by its own undispatched orders."""
    async with rt.db.seller(account.seller_id) as tx:
        counts = await listings.opening_numbers(tx, account.id)
    return await set_stock(rt, account.seller_id, counts) if counts else []

"""Carriers that tell by themselves only of the parcels that they were asked to watch."""

from datetime import timedelta

from hub.http import AccountApi
from hub.store import watches
from hub.store.accounts import Account
from jobs.runtime import Runtime

AT_ONCE = 1000
AHEAD = timedelta(days=1)  # asked again so long before a watch ends
NOT_TAKEN = timedelta(days=1)  # a code that was not taken is tried again after so long; it is asked about all the same


async def watch(rt: Runtime, account: Account, api: AccountApi, url: str, secret: str) -> int:
    """Have a carrier tell of every parcel under way, where it must be asked to for each. Answers how many it took.

    Safe to repeat: a crash asks once more.
    """
    source = rt.adapter(account.channel).tracking
    if source is None or source.watch is None:
        return 0
    count = 0
    while True:
        async with rt.db.seller(account.seller_id) as tx:
            codes = await watches.unwatched(tx, account.id, rt.now(), AT_ONCE)
        if not codes:
            return count
        taken, now = {*await source.watch(api, codes, url, secret)}, rt.now()
        count += len(taken)
        until = {code: now + (source.watched_for - AHEAD if code in taken else NOT_TAKEN) for code in codes}
        async with rt.db.seller(account.seller_id) as tx:
            await watches.watched(tx, account.id, until)

"""Sealing everything anew under the first key, so that the keys behind it can be taken away."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from hub.store import Tx, sealed
from hub.store.sealed import Column
from jobs.runtime import Runtime


async def rotate(rt: Runtime) -> dict[str, int]:
    """Seal all that is sealed anew. Answers how many rows of each column. SecretsError for one that no key opens.

    Batch by batch: what was done stays done, and may be done again.
    """
    async with rt.db.people() as tx:
        columns = await sealed.columns(tx)
    async with rt.db.dispatch() as tx:
        sellers = await sealed.sellers(tx)
    count: dict[str, int] = {}
    for column in columns:
        name = f"{column.table}.{column.name}"
        if column.by_seller:
            count[name] = sum([await _all(rt, column, seller) for seller in sellers])
        else:
            count[name] = await _all(rt, column, None)
    return count


async def _all(rt: Runtime, column: Column, seller: Any) -> int:
    count, after = 0, None
    while True:
        begin: AbstractAsyncContextManager[Tx] = rt.db.seller(seller) if seller else rt.db.people()
        async with begin as tx:
            rows = await sealed.some(tx, column, after)
            for key, told in rows:
                await sealed.put(tx, column, key, rt.vault.rotate(told))
        count += len(rows)
        if len(rows) < sealed.BATCH:
            return count
        after = rows[-1][0]

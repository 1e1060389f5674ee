"""Proof by schedule: each seller's invariants, piece by piece, beside the work and never in its way."""

import asyncio
from datetime import timedelta
from functools import partial

from hub.backoffice import invariants
from hub.store import drift, metrics
from hub.store import invariants as kept
from jobs.runtime import Runtime, log

EVERY = timedelta(minutes=10)
KEPT_DAYS = 30  # of results
DRIFT_DAYS = 180  # of differences that went away


class Prover:
    """Proves in a task of its own: a sweep goes on meanwhile."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._task: asyncio.Task[None] | None = None

    def go(self) -> None:
        """Prove what is due, unless that is under way."""
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Stop: what was not kept is proved by the next one."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            await prove(self._rt)
        except Exception:  # noqa: BLE001 - the sweep's boundary: it asks again in a minute
            log.exception("proof failed")


async def prove(rt: Runtime) -> int:
    """Check every seller whose last check is EVERY ago, the longest ago first. Answers how many were checked.

    What is broken becomes an alert and stands on the health page.
    """
    async with rt.db.dispatch() as tx:
        told = await metrics.proofs(tx)
    due = [row["seller_id"] for row in told if row["at"] is None or row["at"] < rt.now() - EVERY]
    for seller_id in due:
        broken = await invariants.check_in_pieces(partial(rt.db.seller, seller_id))
        if broken:
            log.error("invariants broken", seller=str(seller_id), names=list(broken))
        async with rt.db.seller(seller_id) as tx:
            await kept.prune(tx, KEPT_DAYS)
            await drift.forget(tx, rt.now() - timedelta(days=DRIFT_DAYS))
    return len(due)

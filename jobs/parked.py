"""Slots held back, and how a person lets them go on: parked ones after a refusal, braked ones before a zero."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hub.store import accounts, alerts, held, slots, stock
from hub.store.held import Wanted
from jobs import push_stock
from jobs.runtime import Runtime


async def listed(rt: Runtime, seller_id: UUID, kind: str, wanted: Wanted, limit: int | None = None) -> list[Any]:
    """Slots "parked" or "braked", each with why and with what would be sent once it is let go."""
    async with rt.db.seller(seller_id) as tx:
        return await held.held(tx, kind, wanted, limit)


async def unpark(rt: Runtime, seller_id: UUID, wanted: Wanted) -> list[dict[str, Any]]:
    """Let parked slots try again: each is looked at, then written where it still differs. Answers what they were."""
    async with rt.db.seller(seller_id) as tx:
        before = {row["id"]: row for row in await held.held(tx, "parked", wanted)}
        freed = await held.unpark(tx, wanted)
        rows = [before[id_] for id_ in freed if id_ in before]
        await stock.audit(tx, "slots_unpark", "stock", slots=[row["ref"] for row in rows][:50], count=len(freed))
    for account_id in {row["account_id"] for row in rows}:
        rt.ring("stock", account_id)
    return rows


async def replay(rt: Runtime, seller_id: UUID, wanted: Wanted) -> list[dict[str, Any]]:
    """As `unpark`, and sent right here. Answers each slot as it was, with `came` of it: shown, parked or waiting."""
    rows = await unpark(rt, seller_id, wanted)
    by_account: dict[UUID, list[UUID]] = defaultdict(list)
    for row in rows:
        by_account[row["account_id"]].append(row["id"])
    for account_id, ids in by_account.items():
        await push_stock.drain(rt, await rt.account(seller_id, account_id), ids)
    return [{**row, **await _came(rt, seller_id, row["id"])} for row in rows]


async def _came(rt: Runtime, seller_id: UUID, slot_id: UUID) -> dict[str, Any]:
    async with rt.db.seller(seller_id) as tx:
        now = await slots.state(tx, slot_id)
    if now["parked_reason"] is not None:
        return {"came": "parked", "reason_now": now["parked_reason"], "shows": now["expected"]}
    came = "waiting" if now["due_at"] is not None else "shown"
    return {"came": came, "reason_now": None, "shows": now["expected"]}


async def release(rt: Runtime, seller_id: UUID, wanted: Wanted) -> list[dict[str, Any]]:
    """Let braked zeros go: a person saw them. Where none is left braked the account's alert is settled."""
    async with rt.db.seller(seller_id) as tx:
        rows = await held.held(tx, "braked", wanted)
        for account_id in sorted({row["account_id"] for row in rows}):
            await held.let_go(tx, account_id, _ids(rows, account_id))
            if not await held.held(tx, "braked", Wanted(account_id=account_id), 1):
                await accounts.set_braked(tx, account_id, None)
                await alerts.resolve(tx, "zero_brake", str(account_id))
            await stock.audit(tx, "slots_release", str(account_id), slots=[row["ref"] for row in rows][:50])
    for account_id in {row["account_id"] for row in rows}:
        rt.ring("stock", account_id)
    return rows


def _ids(rows: Sequence[dict[str, Any]], account_id: UUID) -> list[UUID]:
    return [row["id"] for row in rows if row["account_id"] == account_id]

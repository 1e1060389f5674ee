"""What is due, across sellers: seen with the dispatch role, which may read due and lease columns and free leases."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.store import Tx


@dataclass(frozen=True, slots=True)
class Work:
    """An account that has something due in a lane."""

    seller_id: UUID
    account_id: UUID


_DUE = {
    "intake": """SELECT 1 FROM inbox i WHERE i.seller_id = a.seller_id AND i.account_id = a.id AND i.state = 'due'
        AND i.due_at <= %(now)s AND (i.lease_until IS NULL OR i.lease_until <= %(now)s)""",
    "stock": """SELECT 1 FROM stock_slot s WHERE s.seller_id = a.seller_id AND s.account_id = a.id
        AND s.due_at <= %(now)s AND NOT s.withheld AND s.approved_at IS NOT NULL
        AND (s.lease_until IS NULL OR s.lease_until <= %(now)s)""",
    "shipments": """SELECT 1 FROM shipment h WHERE h.seller_id = a.seller_id AND h.account_id = a.id
        AND h.news_due_at <= %(now)s AND (h.lease_until IS NULL OR h.lease_until <= %(now)s)""",
    "tracking": """SELECT 1 FROM shipment h WHERE h.seller_id = a.seller_id AND h.carrier_account_id = a.id
        AND h.track_due_at <= %(now)s AND (h.lease_until IS NULL OR h.lease_until <= %(now)s)""",
    "catalogue": """SELECT 1 FROM task t WHERE t.seller_id = a.seller_id AND t.account_id = a.id
        AND t.due_at <= %(now)s AND (t.lease_until IS NULL OR t.lease_until <= %(now)s)""",
}
LANES = tuple(_DUE)
# Only an approved account is written to; a held one keeps its work, and its intake goes on once it is resumed.
_STATUSES = {"stock": ("live",), "shipments": ("live",)}


async def accounts(tx: Tx, lane: str, now: datetime) -> list[Work]:
    """Accounts with something due in this lane; one whose channel has not told yet who it is has to wait."""
    sql: Any = f"""
        SELECT a.seller_id, a.id FROM account a
        WHERE a.status = ANY(%(statuses)s) AND a.external_id IS NOT NULL AND EXISTS ({_DUE[lane]})"""
    rows = await tx.all(sql, {"now": now, "statuses": list(_STATUSES.get(lane, ("preview", "live")))})
    return [Work(row["seller_id"], row["id"]) for row in rows]


_DEPTH = {
    "intake": ("inbox", "i.due_at", "i.state = 'due' AND i.due_at <= %(now)s", "account_id"),
    "stock": (
        "stock_slot",
        "i.due_at",
        "i.due_at <= %(now)s AND NOT i.withheld AND i.approved_at IS NOT NULL",
        "account_id",
    ),
    "shipments": ("shipment", "i.news_due_at", "i.news_due_at <= %(now)s", "account_id"),
    "tracking": ("shipment", "i.track_due_at", "i.track_due_at <= %(now)s", "carrier_account_id"),
    "catalogue": ("task", "i.due_at", "i.due_at <= %(now)s", "account_id"),
}


async def depth(tx: Tx, lane: str, now: datetime, account_id: UUID | None = None) -> dict[str, Any]:
    """How much is due in a lane that nobody holds, and since when: (count, oldest). What accounts keep is left out."""
    table, due_at, where, owner = _DEPTH[lane]
    sql: Any = f"""
        SELECT count(*)::int AS count, min({due_at}) AS oldest FROM {table} i
        JOIN account a ON a.seller_id = i.seller_id AND a.id = i.{owner}
        WHERE {where} AND (i.lease_until IS NULL OR i.lease_until <= %(now)s) AND a.status = ANY(%(statuses)s)
          AND a.external_id IS NOT NULL AND (%(account)s::uuid IS NULL OR a.id = %(account)s)"""
    statuses = list(_STATUSES.get(lane, ("preview", "live")))
    row = await tx.one(sql, {"now": now, "statuses": statuses, "account": account_id})
    return row or {"count": 0, "oldest": None}


_LEASED = ("task", "inbox", "stock_slot", "shipment", "event_delivery")


async def free_dead(tx: Tx, worker: int) -> int:
    """Let go every lease of a worker that is gone. Answers how many."""
    count = 0
    for table in _LEASED:
        sql: Any = f"UPDATE {table} SET lease_until = now() WHERE lease_by = %s AND lease_until > now()"
        count += await tx.run(sql, [worker])
    return count


async def lease_holders(tx: Tx) -> set[int]:
    """Workers that hold a lease now."""
    found: set[int] = set()
    for table in _LEASED:
        sql: Any = f"SELECT DISTINCT lease_by FROM {table} WHERE lease_by IS NOT NULL AND lease_until > now()"
        found |= {row["lease_by"] for row in await tx.all(sql)}
    return found


TASK_LEASE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A claimed recurring task of an account."""

    kind: str
    cursor: str | None
    attempts: int
    due_at: datetime
    succeeded_at: datetime | None


async def claim_tasks(
    tx: Tx,
    account_id: UUID,
    token: UUID,
    worker: int,
    now: datetime,
    kinds: list[str] | None = None,
    *,
    early: bool = False,
) -> list[Task]:
    """Take an account's due tasks (of these kinds; `early`: also those not due yet). App role."""
    sql = """
        UPDATE task SET lease_token = %(token)s, lease_until = %(until)s, lease_by = %(worker)s
        WHERE account_id = %(account)s AND (due_at <= %(now)s OR %(early)s)
          AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s))
          AND (lease_until IS NULL OR lease_until <= %(now)s)
        RETURNING kind, cursor, attempts, due_at, succeeded_at"""
    params = {
        "token": token, "until": now + TASK_LEASE, "worker": worker, "account": account_id, "now": now,
        "kinds": kinds, "early": early,
    }  # fmt: skip
    return [Task(**row) for row in await tx.all(sql, params)]


async def task_done(
    tx: Tx,
    account_id: UUID,
    kind: str,
    token: UUID,
    due_at: datetime,
    cursor: str | None,
    *,
    more: bool = False,
) -> None:
    """Done for now; goes on from `cursor` at `due_at`. `more`: in the middle of a walk."""
    sql = """
        UPDATE task SET due_at = %s, cursor = %s, attempts = 0, error = NULL, lease_token = NULL, lease_until = NULL,
            lease_by = NULL, succeeded_at = CASE WHEN %s THEN succeeded_at ELSE now() END
        WHERE account_id = %s AND kind = %s AND lease_token = %s"""
    await tx.run(sql, [due_at, cursor, more, account_id, kind, token])


async def task_cursor(tx: Tx, account_id: UUID, kind: str, token: UUID, cursor: str | None, now: datetime) -> bool:
    """Keep the cursor in the middle of a walk and renew the lease; False when it was lost."""
    sql = "UPDATE task SET cursor = %s, lease_until = %s WHERE account_id = %s AND kind = %s AND lease_token = %s"
    return await tx.run(sql, [cursor, now + TASK_LEASE, account_id, kind, token]) == 1


async def task_later(tx: Tx, account_id: UUID, kind: str, token: UUID, due_at: datetime, error: str) -> None:
    """It failed: again at `due_at`."""
    sql = """
        UPDATE task SET due_at = %s, attempts = attempts + 1, error = %s, lease_token = NULL, lease_until = NULL,
            lease_by = NULL WHERE account_id = %s AND kind = %s AND lease_token = %s"""
    await tx.run(sql, [due_at, error[:500], account_id, kind, token])


async def tasks(tx: Tx, account_id: UUID) -> list[dict[str, Any]]:
    """An account's recurring tasks."""
    return await tx.all(
        "SELECT kind, due_at, attempts, error, succeeded_at, cursor FROM task WHERE account_id = %s", [account_id]
    )


async def task_soon(tx: Tx, account_id: UUID, kinds: list[str], now: datetime) -> None:
    """Make tasks due."""
    await tx.run("UPDATE task SET due_at = %s WHERE account_id = %s AND kind = ANY(%s)", [now, account_id, kinds])

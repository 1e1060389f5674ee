"""Answers kept under the Idempotency-Key that they were asked with: sealed, as they may tell what no other does."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.store import Tx

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was asked, since when, and the answer; a `status` of None: no answer is known (yet).

    `body`: the answer of a hub that did not seal it yet, for the day that it is kept.
    """

    request_hash: bytes
    started_at: datetime
    status: int | None
    body: bytes | None
    sealed: bytes | None


async def turn(tx: Tx, key: str) -> bool:
    """Whether nobody else works on this key until this transaction ends."""
    sql = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 20261122))"
    return bool(await tx.value(sql, [f"{tx.seller}:{key}"]))


async def kept(tx: Tx, key: str, since: datetime) -> Kept | None:
    """What stands under the key, unless it is older than `since`: that is forgotten."""
    await tx.run("DELETE FROM api_answer WHERE key = %s AND started_at < %s", [key, since])
    row = await tx.one("SELECT request_hash, started_at, status, body, sealed FROM api_answer WHERE key = %s", [key])
    if row is None:
        return None
    held = {name: bytes(row[name]) if row[name] is not None else None for name in ("body", "sealed")}
    return Kept(
        request_hash=bytes(row["request_hash"]), started_at=row["started_at"], status=row["status"], **held
    )  # fmt: skip


async def start(tx: Tx, key: str, request_hash: bytes, now: datetime) -> None:
    """Note that it is being worked on."""
    sql = "INSERT INTO api_answer (seller_id, key, request_hash, started_at) VALUES (%s, %s, %s, %s)"
    await tx.run(sql, [tx.seller, key, request_hash, now])


async def finish(tx: Tx, key: str, status: int, sealed: bytes) -> None:
    """Keep the answer."""
    await tx.run("UPDATE api_answer SET status = %s, sealed = %s WHERE key = %s", [status, sealed, key])


async def forget(tx: Tx, key: str) -> None:
    """It was refused, with nothing done: it may be asked again."""
    await tx.run("DELETE FROM api_answer WHERE key = %s AND status IS NULL", [key])


async def prune(tx: Tx, before: datetime) -> int:
    """Forget what was asked before then; answers how many."""
    return await tx.run("DELETE FROM api_answer WHERE started_at < %s", [before])

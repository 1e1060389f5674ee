"""What channels told us: kept raw, claimed by lease, done or parked with a reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from hub.store import Tx, new_id

LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A notice or a polled document on its way into the inbox. `raw` is JSON bytes, None when it only rang."""

    seller_id: UUID
    account_id: UUID
    source: str
    topic: str
    ref: str | None
    dedupe_key: str
    told_at: datetime | None
    raw: bytes | None
    state: str = "due"
    seq: int | None = None
    wait: float = 0.0  # seconds until it is due: what is only worth reading once it has calmed down


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A claimed inbox row. `claimed` is a number drawn when it was claimed: all that joined it came before."""

    id: UUID
    seq: int
    claimed: int
    source: str
    topic: str
    ref: str | None
    raw: bytes | None
    received_at: datetime
    attempts: int


_INSERT = """
    INSERT INTO inbox (seller_id, id, account_id, source, topic, ref, dedupe_key, told_at, raw, state, seq, due_at)
    SELECT seller_id, id, account_id, source, topic, ref, dedupe_key, told_at, raw, state,
        coalesce(seq, nextval('fetch_seq')), now() + wait * interval '1 second'
    FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::text[],
        %b::timestamptz[], %b::bytea[], %b::text[], %b::bigint[], %b::float8[])
        AS told(seller_id, id, account_id, source, topic, ref, dedupe_key, told_at, raw, state, seq, wait)
    ON CONFLICT DO NOTHING"""


async def add(tx: Tx, arrivals: Sequence[Arrival]) -> None:
    """Keep them all in one statement; one that is waiting already, unclaimed, is not kept twice."""
    columns = list(
        zip(
            *(
                (
                    a.seller_id,
                    new_id(),
                    a.account_id,
                    a.source,
                    a.topic,
                    a.ref,
                    a.dedupe_key,
                    a.told_at,
                    a.raw,
                    a.state,
                    a.seq,
                    a.wait,
                )
                for a in arrivals
            ),
            strict=True,
        )
    )
    await tx.run(_INSERT, [list(column) for column in columns])


async def next_seq(tx: Tx) -> int:
    """A number that orders documents, to draw before a fetch leaves."""
    seq: int = await tx.value("SELECT nextval('fetch_seq')")
    return seq


async def claim(
    tx: Tx,
    account_id: UUID,
    token: UUID,
    worker: int,
    now: datetime,
    limit: int,
    topics: Sequence[str] | None = None,
) -> list[Entry]:
    """Take up to `limit` due rows of an account (of these topics), oldest first."""
    sql = """
        WITH due AS (
            SELECT seller_id, id FROM inbox
            WHERE account_id = %s AND state = 'due' AND due_at <= %s AND (lease_until IS NULL OR lease_until <= %s)
              AND (%s::text[] IS NULL OR topic = ANY(%s))
            ORDER BY due_at, seq LIMIT %s FOR UPDATE SKIP LOCKED
        )
        UPDATE inbox i SET lease_token = %s, lease_until = %s, lease_by = %s FROM due
        WHERE i.seller_id = due.seller_id AND i.id = due.id
        RETURNING i.id, i.seq, nextval('fetch_seq') AS claimed, i.source, i.topic, i.ref, i.raw, i.received_at,
            i.attempts"""
    wanted = list(topics) if topics is not None else None
    rows = await tx.all(sql, [account_id, now, now, wanted, wanted, limit, token, now + LEASE, worker])
    return sorted((Entry(**row) for row in rows), key=lambda entry: entry.seq)


async def under_way(tx: Tx, account_id: UUID, now: datetime, before: int | None = None) -> int | None:
    """The greatest seq of this account's orders that somebody is working on right now (of those up to `before`)."""
    sql = """
        SELECT max(seq) FROM inbox WHERE account_id = %s AND state = 'due' AND lease_until > %s
            AND topic IN ('order', 'shipment') AND (%s::bigint IS NULL OR seq <= %s)"""
    greatest: int | None = await tx.value(sql, [account_id, now, before, before])
    return greatest


async def done(tx: Tx, ids: Iterable[UUID], token: UUID) -> None:
    """These rows are accounted for."""
    sql = """
        UPDATE inbox SET state = 'done', done_at = now(), lease_token = NULL, lease_until = NULL, lease_by = NULL,
            error = NULL
        WHERE id = ANY(%s) AND lease_token = %s"""
    await tx.run(sql, [list(ids), token])


async def set_aside(tx: Tx, ids: Iterable[UUID], token: UUID, why: str) -> None:
    """These rows are no work as things stand; they are kept and shown, with the reason."""
    sql = """
        UPDATE inbox SET state = 'kept', done_at = now(), error = %s, lease_token = NULL, lease_until = NULL,
            lease_by = NULL
        WHERE id = ANY(%s) AND lease_token = %s"""
    await tx.run(sql, [why, list(ids), token])


async def keep_raw(tx: Tx, entry_id: UUID, raw: bytes | None) -> None:
    """Keep a fetched document before anything is read from it (None: it is to be fetched again).

    From then on the row answers for this document alone: what is told meanwhile must not join it and be taken for read.
    """
    sql = """
        UPDATE inbox SET raw = %(raw)s,
            dedupe_key = CASE WHEN %(raw)s::bytea IS NULL OR dedupe_key LIKE '%%:' || id THEN dedupe_key
                              ELSE dedupe_key || ':' || id END
        WHERE id = %(id)s"""
    await tx.run(sql, {"raw": raw, "id": entry_id})


# Why a row that failed nowhere waits: no trouble of anybody's.
TOGETHER = "together with what else is told"
UNTOLD = "who fulfils it is not told yet"
WAITS = (TOGETHER, UNTOLD)


async def later(tx: Tx, entry_id: UUID, token: UUID, due_at: datetime, error: str, *, counts: bool = True) -> None:
    """Try again at `due_at`. Where a twin has been waiting unclaimed meanwhile, the twin serves."""
    sql = """
        UPDATE inbox SET due_at = %s, error = %s, attempts = attempts + %s, lease_token = NULL, lease_until = NULL,
            lease_by = NULL
        WHERE id = %s AND lease_token = %s"""
    try:
        async with tx.conn.transaction():
            await tx.run(sql, [due_at, error[:500], int(counts), entry_id, token])
    except psycopg.errors.UniqueViolation:
        await done(tx, [entry_id], token)


async def park(tx: Tx, entry_id: UUID, token: UUID, error: str) -> None:
    """Stop trying until it is replayed; the reason is shown."""
    sql = """
        UPDATE inbox SET state = 'parked', error = %s, lease_token = NULL, lease_until = NULL, lease_by = NULL
        WHERE id = %s AND lease_token = %s"""
    await tx.run(sql, [error[:500], entry_id, token])


async def replay(tx: Tx, ids: Sequence[UUID] | None, states: Sequence[str] = ("parked",)) -> int:
    """Make rows due again: those named, else every parked one. Answers how many."""
    rows = await tx.all(
        "SELECT id FROM inbox WHERE (%s::uuid[] IS NULL OR id = ANY(%s)) AND state = ANY(%s) ORDER BY seq",
        [list(ids) if ids is not None else None, list(ids or ()), list(states)],
    )
    count = 0
    for row in rows:
        try:
            async with tx.conn.transaction():
                count += await tx.run(
                    "UPDATE inbox SET state = 'due', due_at = now(), attempts = 0, error = NULL WHERE id = %s",
                    [row["id"]],
                )
        except psycopg.errors.UniqueViolation:
            await tx.run("UPDATE inbox SET state = 'done', done_at = now() WHERE id = %s", [row["id"]])
    return count


async def listed(tx: Tx, state: str | None, limit: int) -> list[dict[str, Any]]:
    """Newest rows, without their raw bodies."""
    return await tx.all(
        """SELECT i.id, a.channel, a.name AS account, i.source, i.topic, i.ref, i.state, i.received_at, i.attempts,
                  i.error, octet_length(i.raw) AS bytes
           FROM inbox i JOIN account a ON a.seller_id = i.seller_id AND a.id = i.account_id
           WHERE %s::text IS NULL OR i.state = %s ORDER BY i.seq DESC LIMIT %s""",
        [state, state, limit],
    )


async def prune(tx: Tx, before: datetime, limit: int = 5000) -> int:
    """Drop accounted rows older than the setting keeps them."""
    sql = """
        DELETE FROM inbox WHERE id IN
            (SELECT id FROM inbox WHERE state IN ('done', 'kept') AND done_at < %s LIMIT %s)"""
    return await tx.run(sql, [before, limit])

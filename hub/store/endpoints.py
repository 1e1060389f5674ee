"""Where events go: a seller's endpoints, what is to be sent to each, who sends it, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.store import Tx, new_id

LEASE = timedelta(seconds=45)  # longer than one request and the note of its end
STATES = ("due", "sent", "failed", "superseded")


# ── endpoints ───────────────────────────────────────────────────────────────────────────────────────────────


async def add(tx: Tx, url: str, kinds: Sequence[str] | None, description: str, sealed: bytes) -> UUID:
    """A new endpoint; `kinds` None: all."""
    endpoint_id = new_id()
    await tx.run(
        "INSERT INTO event_endpoint (seller_id, id, url, kinds, description, sealed) VALUES (%s, %s, %s, %s, %s, %s)",
        [tx.seller, endpoint_id, url, kinds if kinds is None else list(kinds), description, sealed],
    )
    return endpoint_id


_SHOWN = """
    SELECT e.id, e.url, e.description, e.kinds, e.created_at, e.disabled_at, e.disabled_why, e.failures,
           e.failing_since, e.rest_until, e.succeeded_at, e.failed_at, e.problem, e.old_until,
           (SELECT count(*)::int FROM (SELECT FROM event_delivery d WHERE d.seller_id = e.seller_id
               AND d.endpoint_id = e.id AND d.due_at IS NOT NULL LIMIT 10001) few) AS waiting,
           (SELECT count(*)::int FROM (SELECT FROM event_delivery d WHERE d.seller_id = e.seller_id
               AND d.endpoint_id = e.id AND d.state = 'failed' LIMIT 10001) few) AS failed
    FROM event_endpoint e"""


async def every(tx: Tx) -> list[dict[str, Any]]:
    """Every endpoint without its secret, the oldest first, with how much waits and failed (up to 10001)."""
    return await tx.all(f"{_SHOWN} ORDER BY e.id")


async def one(tx: Tx, endpoint_id: UUID) -> dict[str, Any] | None:
    """An endpoint as `every` shows it."""
    return await tx.one(f"{_SHOWN} WHERE e.id = %s", [endpoint_id])


async def locked(tx: Tx, endpoint_id: UUID) -> dict[str, Any] | None:
    """What may be edited of an endpoint: url, kinds, description. Nobody else changes it until the transaction ends."""
    sql = "SELECT url, kinds, description FROM event_endpoint WHERE id = %s FOR UPDATE"
    return await tx.one(sql, [endpoint_id])


async def edit(tx: Tx, endpoint_id: UUID, url: str, kinds: Sequence[str] | None, description: str) -> bool:
    """Change an endpoint; False: there is none. Another address begins with a clean sheet."""
    sql = """
        UPDATE event_endpoint SET url = %(url)s, kinds = %(kinds)s, description = %(description)s,
            failures = CASE WHEN url = %(url)s THEN failures ELSE 0 END,
            failing_since = CASE WHEN url = %(url)s THEN failing_since END,
            rest_until = CASE WHEN url = %(url)s THEN rest_until END
        WHERE id = %(id)s"""
    params = {"url": url, "kinds": kinds if kinds is None else list(kinds), "description": description}
    return await tx.run(sql, {**params, "id": endpoint_id}) == 1


async def disable(tx: Tx, endpoint_id: UUID, why: str, now: datetime) -> bool:
    """Send nothing there any more; what waits has failed. False: it was disabled already, or is not there."""
    sql = "UPDATE event_endpoint SET disabled_at = %s, disabled_why = %s WHERE id = %s AND disabled_at IS NULL"
    if await tx.run(sql, [now, why, endpoint_id]) != 1:
        return False
    await tx.run(
        """UPDATE event_delivery SET state = 'failed', reason = %s, due_at = NULL, finished_at = %s
           WHERE endpoint_id = %s AND due_at IS NOT NULL""",
        ["gone" if why == "gone" else "disabled", now, endpoint_id],
    )
    return True


async def enable(tx: Tx, endpoint_id: UUID) -> bool:
    """Send there again from now on. False: it was not disabled, or is not there."""
    sql = """
        UPDATE event_endpoint SET disabled_at = NULL, disabled_why = NULL, failures = 0, failing_since = NULL,
            rest_until = NULL WHERE id = %s AND disabled_at IS NOT NULL"""
    return await tx.run(sql, [endpoint_id]) == 1


async def rotate(tx: Tx, endpoint_id: UUID, sealed: bytes, until: datetime) -> bool:
    """A new secret; the one before signs too until then. False: there is no such endpoint."""
    sql = "UPDATE event_endpoint SET old_sealed = sealed, old_until = %s, sealed = %s WHERE id = %s"
    return await tx.run(sql, [until, sealed, endpoint_id]) == 1


async def remove(tx: Tx, endpoint_id: UUID) -> bool:
    """Take an endpoint away with its log. False: there is none."""
    return await tx.run("DELETE FROM event_endpoint WHERE id = %s", [endpoint_id]) == 1


# ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Busy:
    """An endpoint that something is to be sent to."""

    seller_id: UUID
    id: UUID
    failures: int


async def busy(tx: Tx, now: datetime) -> list[Busy]:
    """Endpoints that something is due for and that are not resting, well ones first. Dispatch role."""
    rows = await tx.all(
        """SELECT e.seller_id, e.id, e.failures FROM event_endpoint e
           WHERE e.disabled_at IS NULL AND (e.rest_until IS NULL OR e.rest_until <= %(now)s) AND EXISTS (
               SELECT FROM event_delivery d WHERE d.seller_id = e.seller_id AND d.endpoint_id = e.id
                 AND d.due_at <= %(now)s AND (d.lease_until IS NULL OR d.lease_until <= %(now)s))
           ORDER BY e.failures, e.id""",
        {"now": now},
    )
    return [Busy(**row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Claimed:
    """A delivery under our lease, with what is sent and where to."""

    id: UUID
    event_id: UUID
    kind: str
    attempts: int
    body: str
    endpoint_id: UUID
    url: str
    sealed: bytes
    old_sealed: bytes | None
    old_until: datetime | None


async def turn(tx: Tx, endpoint_id: UUID) -> bool:
    """Whether it is ours to claim from this endpoint, until this transaction ends: two at once would count too few."""
    sql = "SELECT 1 FROM event_endpoint WHERE id = %s AND disabled_at IS NULL FOR NO KEY UPDATE SKIP LOCKED"
    return await tx.one(sql, [endpoint_id]) is not None


async def claim(
    tx: Tx, endpoint_id: UUID, token: UUID, worker: int, now: datetime, most: int, only: UUID | None = None
) -> list[Claimed]:
    """Take due deliveries of an endpoint, those due for longest first, so that at most `most` are under way at once.

    Under `turn`, where that must be so.
    """
    rows = await tx.all(
        """WITH c AS MATERIALIZED (  -- as a subquery it could be run again for each row of a join, past its limit
               SELECT seller_id, id FROM event_delivery
               WHERE endpoint_id = %(endpoint)s AND due_at <= %(now)s
                 AND (lease_until IS NULL OR lease_until <= %(now)s) AND (%(only)s::uuid IS NULL OR id = %(only)s)
               ORDER BY due_at, id
               LIMIT greatest(0, %(most)s - (SELECT count(*) FROM event_delivery
                   WHERE endpoint_id = %(endpoint)s AND lease_token IS NOT NULL
                     AND lease_until > %(now)s)) FOR UPDATE SKIP LOCKED
           )
           UPDATE event_delivery d SET lease_token = %(token)s, lease_until = %(until)s,
               lease_by = nullif(%(worker)s::bigint, 0)
           FROM c, event v, event_endpoint e
           WHERE d.seller_id = c.seller_id AND d.id = c.id AND v.seller_id = d.seller_id AND v.id = d.event_id
             AND e.seller_id = d.seller_id AND e.id = d.endpoint_id AND e.disabled_at IS NULL
           RETURNING d.id, d.event_id, d.kind, d.attempts, v.body, d.endpoint_id, e.url, e.sealed, e.old_sealed,
                     e.old_until, d.due_at""",
        {
            "token": token, "until": now + LEASE, "worker": worker, "endpoint": endpoint_id, "now": now, "only": only,
            "most": most,
        },
    )  # fmt: skip
    rows.sort(key=lambda row: (row.pop("due_at"), row["id"]))
    return [Claimed(**row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one request came to. `problem` None: it was taken."""

    at: datetime
    ms: int
    status: int | None
    problem: str | None
    answer: str


async def note(
    tx: Tx, token: UUID, delivery: Claimed, attempt: Attempt, now: datetime, again_at: datetime | None
) -> bool:
    """Note an attempt and what follows: sent, again at `again_at`, or failed. False: another has this delivery by now;
    that it was tried is noted all the same.
    """
    await tx.run(
        """INSERT INTO event_attempt (seller_id, id, delivery_id, at, ms, status, problem, answer)
           SELECT %s, %s, id, %s, %s, %s, %s, %s FROM event_delivery WHERE id = %s""",
        [tx.seller, new_id(), attempt.at, attempt.ms, attempt.status, attempt.problem, attempt.answer, delivery.id],
    )
    state = "sent" if attempt.problem is None else "due" if again_at else "failed"
    return await tx.run(
        """UPDATE event_delivery SET state = %(state)s, due_at = %(due)s, attempts = attempts + 1,
               reason = CASE %(state)s WHEN 'failed' THEN 'attempts' END,
               finished_at = CASE %(state)s WHEN 'due' THEN NULL ELSE %(now)s END,
               lease_token = NULL, lease_until = NULL, lease_by = NULL
           WHERE id = %(id)s AND lease_token = %(token)s AND due_at IS NOT NULL""",
        {"state": state, "due": again_at if state == "due" else None, "now": now, "id": delivery.id, "token": token},
    ) == 1  # fmt: skip


async def took(tx: Tx, endpoint_id: UUID, now: datetime) -> None:
    """It took something: noted every few seconds, and at once where it had failed."""
    await tx.run(
        """UPDATE event_endpoint SET succeeded_at = %(now)s, failures = 0, failing_since = NULL, rest_until = NULL,
               problem = NULL
           WHERE id = %(id)s AND (failures > 0 OR succeeded_at IS NULL OR succeeded_at < %(now)s - interval '5 s')""",
        {"now": now, "id": endpoint_id},
    )


async def missed(tx: Tx, endpoint_id: UUID, problem: str, now: datetime) -> tuple[int, datetime]:
    """It did not. Answers how often in a row by now, and since when."""
    row = await tx.one(
        """UPDATE event_endpoint SET failures = failures + 1, failing_since = coalesce(failing_since, %(now)s),
               failed_at = %(now)s, problem = %(problem)s WHERE id = %(id)s RETURNING failures, failing_since""",
        {"now": now, "id": endpoint_id, "problem": problem},
    )
    return (row["failures"], row["failing_since"]) if row else (0, now)


async def rest(tx: Tx, endpoint_id: UUID, until: datetime) -> None:
    """Send nothing there before that; a longer rest stays."""
    sql = "UPDATE event_endpoint SET rest_until = greatest(rest_until, %s) WHERE id = %s"
    await tx.run(sql, [until, endpoint_id])


# ── log and replay ──────────────────────────────────────────────────────────────────────────────────────────


async def log(
    tx: Tx, endpoint_id: UUID, *, state: str | None = None, after: UUID | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Deliveries of an endpoint, the newest first, with the last attempt of each."""
    where, params = ["d.endpoint_id = %s"], [endpoint_id]
    told: list[tuple[Any, Any]] = [("d.state = %s", state), ("d.id < %s", after)]
    for sql, value in told:
        if value is not None:
            where.append(sql)
            params.append(value)
    clauses: Any = " AND ".join(where)
    return await tx.all(
        f"""SELECT d.id, d.event_id, d.kind, d.subject, d.state, d.reason, d.attempts, d.due_at, d.created_at,
                   d.finished_at, a.at AS tried_at, a.status, a.problem, a.ms
            FROM event_delivery d
            LEFT JOIN LATERAL (SELECT at, status, problem, ms FROM event_attempt a WHERE a.seller_id = d.seller_id
                AND a.delivery_id = d.id ORDER BY a.id DESC LIMIT 1) a ON true
            WHERE {clauses} ORDER BY d.id DESC LIMIT %s""",
        [*params, limit],
    )


async def delivery(tx: Tx, delivery_id: UUID) -> dict[str, Any] | None:
    """One delivery with what was sent."""
    return await tx.one(
        """SELECT d.id, d.endpoint_id, d.event_id, d.kind, d.subject, d.state, d.reason, d.attempts, d.due_at,
                  d.created_at, d.finished_at, v.number, v.at, v.body, e.url, e.disabled_at
           FROM event_delivery d JOIN event v ON v.seller_id = d.seller_id AND v.id = d.event_id
           JOIN event_endpoint e ON e.seller_id = d.seller_id AND e.id = d.endpoint_id WHERE d.id = %s""",
        [delivery_id],
    )


async def delivery_of(tx: Tx, event_id: UUID) -> UUID | None:
    """The delivery of an event that went to one endpoint only."""
    found: UUID | None = await tx.value("SELECT id FROM event_delivery WHERE event_id = %s", [event_id])
    return found


async def attempts(tx: Tx, delivery_id: UUID) -> list[dict[str, Any]]:
    """Every attempt of a delivery, the first one first."""
    return await tx.all(
        "SELECT id, at, ms, status, problem, answer FROM event_attempt WHERE delivery_id = %s ORDER BY id",
        [delivery_id],
    )


_AGAIN = """
    UPDATE event_delivery SET state = 'due', due_at = %(now)s, attempts = 0, reason = NULL, finished_at = NULL
    WHERE (lease_until IS NULL OR lease_until <= %(now)s) AND """


async def replay(tx: Tx, delivery_id: UUID, now: datetime) -> bool:
    """Send one again as if for the first time. False: it is under way, or not there."""
    return await tx.run(f"{_AGAIN} id = %(id)s", {"now": now, "id": delivery_id}) == 1


async def replay_failed(tx: Tx, endpoint_id: UUID, since: datetime, now: datetime, limit: int) -> int:
    """Send what failed since then again, the oldest first. Answers how many; `limit` of them: there may be more."""
    return await tx.run(
        f"""{_AGAIN} (seller_id, id) IN (SELECT seller_id, id FROM event_delivery WHERE endpoint_id = %(endpoint)s
                AND state = 'failed' AND created_at >= %(since)s ORDER BY id LIMIT %(limit)s)""",
        {"now": now, "endpoint": endpoint_id, "since": since, "limit": limit},
    )

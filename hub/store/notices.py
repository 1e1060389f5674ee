"""How people are told of alerts: their ways, the outbox, and the log of what left."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx, new_id

LEASE = timedelta(seconds=120)  # longer than one message may take

# ── ways ────────────────────────────────────────────────────────────────────────────────────────────────────

_WAY: LiteralString = """
    SELECT w.id, w.user_id, w.format, w.name, w.sealed, w.least, w.scope, w.kinds, w.handed, w.quiet, w.digest_at,
           w.digest_on, w.sent_at, w.failures, w.off_at, w.off_reason, w.look_at, m.role, u.email, u.name AS person,
           u.locale,
           u.disabled_at IS NOT NULL AS disabled, s.name AS store
    FROM notice_way w JOIN membership m ON m.seller_id = w.seller_id AND m.user_id = w.user_id
    JOIN app_user u ON u.id = w.user_id JOIN seller s ON s.seller_id = w.seller_id"""


async def of(tx: Tx, user_id: UUID) -> list[dict[str, Any]]:
    """A person's ways, the oldest first."""
    sql: Any = f"{_WAY} WHERE w.user_id = %s ORDER BY w.id"
    return await tx.all(sql, [user_id])


async def one(tx: Tx, way_id: UUID, user_id: UUID) -> dict[str, Any] | None:
    """One of a person's own ways."""
    sql: Any = f"{_WAY} WHERE w.id = %s AND w.user_id = %s"
    return await tx.one(sql, [way_id, user_id])


async def everybodys(tx: Tx) -> list[dict[str, Any]]:
    """Every way of everybody, by person, the oldest first."""
    sql: Any = f"{_WAY} ORDER BY u.name, u.id, w.id"
    return await tx.all(sql)


async def every(tx: Tx) -> list[dict[str, Any]]:
    """Every way that is on, of people who may sign in."""
    sql: Any = f"{_WAY} WHERE w.off_at IS NULL AND u.disabled_at IS NULL ORDER BY w.id"
    return await tx.all(sql)


async def without(tx: Tx, roles: Collection[str]) -> list[str]:
    """Names of people of these roles who have no way that is on."""
    rows = await tx.all(
        """SELECT u.name FROM membership m JOIN app_user u ON u.id = m.user_id
           WHERE m.seller_id = %s AND m.role = ANY(%s) AND u.disabled_at IS NULL
             AND NOT EXISTS (SELECT FROM notice_way w WHERE w.seller_id = m.seller_id AND w.user_id = m.user_id
                 AND w.off_at IS NULL) ORDER BY u.name LIMIT 50""",
        [tx.seller, list(roles)],
    )
    return [row["name"] for row in rows]


async def add(
    tx: Tx, user_id: UUID, format_: str, sealed: bytes | None, told: Mapping[str, Any], now: datetime
) -> UUID | None:
    """A new way; None where the person has their e-mail already."""
    sql = """
        INSERT INTO notice_way (seller_id, id, user_id, format, name, sealed, least, scope, kinds, handed, quiet,
            digest_at, look_at)
        VALUES (%(seller)s, %(id)s, %(user)s, %(format)s, %(name)s, %(sealed)s, %(least)s, %(scope)s, %(kinds)s,
            %(handed)s, %(quiet)s, %(digest_at)s, %(now)s)
        ON CONFLICT DO NOTHING RETURNING id"""
    ours = {"seller": tx.seller, "id": new_id(), "user": user_id, "format": format_, "sealed": sealed, "now": now}
    made: UUID | None = await tx.value(sql, {**told, **ours})
    return made


async def change(tx: Tx, way_id: UUID, told: Mapping[str, Any], now: datetime) -> None:
    """What a person wants through a way; it is looked at again."""
    await tx.run(
        """UPDATE notice_way SET name = %(name)s, least = %(least)s, scope = %(scope)s, kinds = %(kinds)s,
               handed = %(handed)s, quiet = %(quiet)s, digest_at = %(digest_at)s, look_at = %(now)s
           WHERE id = %(id)s""",
        {**told, "id": way_id, "now": now},
    )


async def turn(tx: Tx, way_id: UUID, now: datetime, *, on: bool, reason: str | None = None) -> None:
    """On, with failures forgotten; or off, and what waited is not told."""
    await tx.run(
        """UPDATE notice_way SET off_at = %s, off_reason = %s, failures = CASE WHEN %s THEN 0 ELSE failures END,
               look_at = %s WHERE id = %s""",
        [None if on else now, None if on else reason, on, now, way_id],
    )
    if not on:
        await skip(tx, way_id)


async def skip(tx: Tx, way_id: UUID) -> None:
    """What waits to be told through a way is not told any more."""
    await tx.run("UPDATE notice SET state = 'skipped', due_at = NULL WHERE way_id = %s AND state = 'due'", [way_id])


async def drop(tx: Tx, way_id: UUID) -> None:
    """A way is no more, and its log with it."""
    await tx.run("DELETE FROM notice_way WHERE id = %s", [way_id])


# ── news, spread over the ways ──────────────────────────────────────────────────────────────────────────────


async def sellers_with_news(tx: Tx) -> list[UUID]:
    """Sellers of whose alerts there is news. Dispatch role."""
    return [row["seller_id"] for row in await tx.all("SELECT DISTINCT seller_id FROM alert_news")]


async def take_news(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """The oldest news, taken out, with the alert as it stands: those that are over are not in it."""
    return await tx.all(
        """WITH d AS (SELECT seller_id, id FROM alert_news ORDER BY at, id LIMIT %s FOR UPDATE SKIP LOCKED),
           taken AS (DELETE FROM alert_news n USING d WHERE n.seller_id = d.seller_id AND n.id = d.id
                          RETURNING n.seller_id, n.alert_id, n.occasion, n.user_id, n.at, n.id)
           SELECT t.alert_id, t.occasion, t.user_id, a.kind, a.subject, a.severity, a.owner_id, a.owner_role
           FROM taken t JOIN alert a ON a.seller_id = t.seller_id AND a.id = t.alert_id
           WHERE a.resolved_at IS NULL ORDER BY t.at, t.id""",
        [limit],
    )


async def want(tx: Tx, way_id: UUID, news: Mapping[str, Any], now: datetime, due_at: datetime, since: datetime) -> bool:
    """Have it told through a way, once; False where it was, or where the same kind came about the same subject after
    `since`.
    """
    new = await tx.run(
        """INSERT INTO notice (seller_id, way_id, alert_id, occasion, at, due_at)
           SELECT %(seller)s, %(way)s, %(alert)s, %(occasion)s, %(at)s, %(due)s
           WHERE %(occasion)s <> 'opened' OR NOT EXISTS (SELECT FROM notice n JOIN alert a ON a.seller_id = n.seller_id
               AND a.id = n.alert_id WHERE n.way_id = %(way)s AND n.occasion = 'opened' AND a.subject = %(subject)s
               AND a.kind = %(kind)s AND n.at > %(since)s::timestamptz AND n.state IN ('due', 'sending', 'sent'))
           ON CONFLICT DO NOTHING""",
        {
            "seller": tx.seller, "way": way_id, "alert": news["alert_id"], "occasion": news["occasion"],
            "at": now, "due": due_at, "subject": news["subject"], "kind": news["kind"], "since": since,
        },
    )  # fmt: skip
    if new:
        await tx.run("UPDATE notice_way SET look_at = least(look_at, %s) WHERE id = %s", [due_at, way_id])
    return bool(new)


# ── what leaves ─────────────────────────────────────────────────────────────────────────────────────────────


async def due_sellers(tx: Tx, now: datetime) -> list[UUID]:
    """Sellers with a way to look at. Dispatch role."""
    sql = "SELECT DISTINCT seller_id FROM notice_way WHERE look_at <= %s AND (lease_until IS NULL OR lease_until <= %s)"
    return [row["seller_id"] for row in await tx.all(sql, [now, now])]


async def claim(tx: Tx, token: UUID, now: datetime, limit: int, only: UUID | None = None) -> list[dict[str, Any]]:
    """Take ways that are to be looked at (`only`: that one, whatever its time)."""
    rows = await tx.all(
        """WITH d AS (SELECT seller_id, id FROM notice_way WHERE (look_at <= %(now)s OR id = %(only)s)
                   AND (%(only)s::uuid IS NULL OR id = %(only)s) AND (lease_until IS NULL OR lease_until <= %(now)s)
                 ORDER BY look_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
           UPDATE notice_way w SET lease_token = %(token)s, lease_until = %(until)s FROM d
           WHERE w.seller_id = d.seller_id AND w.id = d.id RETURNING w.id""",
        {"token": token, "until": now + LEASE, "now": now, "only": only, "limit": limit},
    )
    sql: Any = f"{_WAY} WHERE w.id = ANY(%s) ORDER BY w.id"
    ids = [row["id"] for row in rows]
    await tx.run(
        "UPDATE notice SET state = 'doubt' WHERE message_id IN (SELECT id FROM notice_message WHERE way_id = ANY(%s) "
        "AND state = 'sending') AND state = 'sending'", [ids],
    )  # fmt: skip
    await tx.run(
        "UPDATE notice_message SET state = 'doubt', answer = 'stopped' WHERE way_id = ANY(%s) AND state = 'sending'",
        [ids],
    )
    return await tx.all(sql, [ids])


async def let_go(tx: Tx, token: UUID, way_id: UUID, look_at: datetime | None) -> None:
    """Done with a way until then, or until news of it comes."""
    await tx.run(
        """UPDATE notice_way w SET lease_token = NULL, lease_until = NULL, look_at = least(%s, (SELECT min(n.due_at)
               FROM notice n WHERE n.seller_id = w.seller_id AND n.way_id = w.id AND n.due_at IS NOT NULL))
           WHERE id = %s AND lease_token = %s""",
        [look_at, way_id, token],
    )


async def waiting(tx: Tx, way_id: UUID, now: datetime, limit: int) -> list[dict[str, Any]]:
    """What is due through a way, of alerts that are open still, the most urgent first; the rest is not told."""
    await tx.run(
        """UPDATE notice n SET state = 'skipped', due_at = NULL FROM alert a
           WHERE n.way_id = %s AND n.due_at IS NOT NULL AND a.seller_id = n.seller_id AND a.id = n.alert_id
             AND a.resolved_at IS NOT NULL""",
        [way_id],
    )
    return await tx.all(
        """SELECT a.id, n.occasion, n.at, a.kind, a.severity, a.params, a.due_at, b.title
           FROM notice n JOIN alert a ON a.seller_id = n.seller_id AND a.id = n.alert_id
           LEFT JOIN playbook b ON b.seller_id = a.seller_id AND b.kind = a.kind
           WHERE n.way_id = %s AND n.due_at <= %s
           ORDER BY a.urgency, coalesce(a.due_at, 'infinity'), a.id, n.occasion LIMIT %s""",
        [way_id, now, limit],
    )


_THESE: LiteralString = "way_id = %s AND (alert_id, occasion) IN (SELECT * FROM unnest(%s::uuid[], %s::text[]))"


def _these(way_id: UUID, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [way_id, [row["id"] for row in rows], [row["occasion"] for row in rows]]


async def put_off(tx: Tx, way_id: UUID, rows: Sequence[Mapping[str, Any]], until: datetime) -> None:
    """These wait until then."""
    sql: Any = f"UPDATE notice SET due_at = %s WHERE {_THESE} AND state = 'due'"
    await tx.run(sql, [until, *_these(way_id, rows)])


async def leaving(
    tx: Tx, way_id: UUID, kind: str, headline: str, rows: Sequence[Mapping[str, Any]], now: datetime
) -> UUID:
    """A message is about to leave; committed before it does."""
    made = new_id()
    await tx.run(
        "INSERT INTO notice_message (seller_id, id, way_id, kind, state, headline, alerts, at) "
        "VALUES (%s, %s, %s, %s, 'sending', %s, %s, %s)",
        [tx.seller, made, way_id, kind, headline, len(rows), now],
    )
    sql: Any = f"UPDATE notice SET state = 'sending', due_at = NULL, message_id = %s WHERE {_THESE}"
    await tx.run(sql, [made, *_these(way_id, rows)])
    return made


async def settle(
    tx: Tx, way_id: UUID, message_id: UUID, state: str, answer: str | None, *, again_at: datetime | None = None,
    since: datetime | None = None,
) -> None:  # fmt: skip
    """What became of a message: sent, doubt or failed; `again_at`: its alerts are told again then, unless news of
    them came before `since`.
    """
    await tx.run("UPDATE notice_message SET state = %s, answer = %s WHERE id = %s", [state, answer, message_id])
    await tx.run(
        """UPDATE notice SET state = CASE WHEN at > %(since)s::timestamptz THEN 'due' ELSE %(state)s END,
               due_at = CASE WHEN at > %(since)s::timestamptz THEN %(again)s::timestamptz END
           WHERE message_id = %(id)s AND state = 'sending'""",
        {"again": again_at, "since": since if again_at else None, "state": state, "id": message_id},
    )
    await tx.run(
        """UPDATE notice_way SET sent_at = CASE WHEN %(state)s = 'sent'
                   THEN (SELECT at FROM notice_message WHERE id = %(id)s) ELSE sent_at END,
               failures = CASE WHEN %(state)s = 'failed' THEN failures + 1 ELSE 0 END
           WHERE id = %(way)s""",
        {"state": state, "id": message_id, "way": way_id},
    )


async def digest_told(tx: Tx, way_id: UUID, day: date | None) -> None:
    """The day's summary was told, or there was nothing to tell; None: it did not leave after all."""
    await tx.run("UPDATE notice_way SET digest_on = %s WHERE id = %s", [day, way_id])


async def for_today(
    tx: Tx, user_id: UUID, role: str, scope: str, now: datetime, until: datetime, limit: int
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Open alerts that are late or due before `until`, soonest first, then urgent ones that are due later or at no
    time, as far as `limit`; and how many open ones are late, due today, urgent beyond that, and left for later, of the
    1000 that are due soonest.
    """
    where: LiteralString = """a.resolved_at IS NULL AND (a.snoozed_until IS NULL OR a.snoozed_until <= %(now)s)
        AND (%(scope)s = 'all' OR a.owner_id = %(me)s OR a.owner_id IS NULL AND a.owner_role = %(role)s)"""
    told = {"now": now, "until": until, "scope": scope, "me": user_id, "role": role, "limit": limit}
    rows: Any = f"""SELECT a.id, a.kind, a.severity, a.params, a.due_at, b.title FROM alert a
        LEFT JOIN playbook b ON b.seller_id = a.seller_id AND b.kind = a.kind
        WHERE {where} AND (a.due_at < %(until)s OR a.severity = 'urgent')
        ORDER BY a.due_at NULLS LAST, a.urgency, a.id LIMIT %(limit)s"""
    count: Any = f"""SELECT count(*) FILTER (WHERE due_at <= %(now)s) AS late,
            count(*) FILTER (WHERE due_at > %(now)s AND due_at < %(until)s) AS today,
            count(*) FILTER (WHERE severity = 'urgent' AND coalesce(due_at >= %(until)s, true)) AS urgent,
            count(*) FILTER (WHERE severity <> 'urgent' AND coalesce(due_at >= %(until)s, true)) AS later
        FROM (SELECT a.due_at, a.severity FROM alert a WHERE {where} ORDER BY a.due_at NULLS LAST LIMIT 1000) n"""
    return await tx.all(rows, told), dict(await tx.one(count, told) or {})


# ── the log ─────────────────────────────────────────────────────────────────────────────────────────────────


async def log_of(tx: Tx, user_id: UUID, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Messages to a person, the newest first: id, way, format, kind, state, headline, alerts, answer, at."""
    return await tx.all(
        """SELECT m.id, w.name AS way, w.format, m.kind, m.state, m.headline, m.alerts, m.answer, m.at
           FROM notice_message m JOIN notice_way w ON w.seller_id = m.seller_id AND w.id = m.way_id
           WHERE w.user_id = %(me)s AND (%(after)s::uuid IS NULL OR m.id < %(after)s)
           ORDER BY m.id DESC LIMIT %(limit)s""",
        {"me": user_id, "after": after, "limit": limit},
    )


async def last_test(tx: Tx, way_id: UUID) -> datetime | None:
    """When a way was last tried by hand."""
    found: datetime | None = await tx.value(
        "SELECT at FROM notice_message WHERE way_id = %s AND kind = 'test' ORDER BY id DESC LIMIT 1", [way_id]
    )
    return found


async def prune(tx: Tx, before: datetime) -> None:
    """Forget what left before then."""
    await tx.run("DELETE FROM notice WHERE at < %s AND due_at IS NULL", [before])
    await tx.run("DELETE FROM notice_message WHERE at < %s", [before])
    await tx.run("DELETE FROM alert_news WHERE at < %s", [before])

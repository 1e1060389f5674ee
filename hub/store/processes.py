"""Alerts as work: whose they are, what was done about them, playbooks by kind, and who is away."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub import playbooks
from hub.duty import Absence, Look, Open
from hub.store import Tx, new_id

# ── whose it is ─────────────────────────────────────────────────────────────────────────────────────────────


async def due_sellers(tx: Tx, now: datetime) -> list[UUID]:
    """Sellers with an alert or an absence to look at. Dispatch role."""
    rows = await tx.all(
        "SELECT seller_id FROM alert WHERE look_at <= %(now)s AND resolved_at IS NULL "
        "UNION SELECT seller_id FROM absence WHERE look_at <= %(now)s",
        {"now": now},
    )
    return [row["seller_id"] for row in rows]


async def begin_absences(tx: Tx, now: datetime) -> int:
    """Have everything that is open with those who went away looked at. Answers how many alerts that is."""
    rows = await tx.all(
        "UPDATE absence SET look_at = NULL WHERE look_at <= %s RETURNING user_id, from_at, until_at", [now]
    )
    people = [row["user_id"] for row in rows if row["from_at"] <= now < row["until_at"]]
    return await tx.run("UPDATE alert SET look_at = %s WHERE owner_id = ANY(%s) AND resolved_at IS NULL", [now, people])


async def due(tx: Tx, now: datetime, limit: int) -> list[tuple[UUID, Open]]:
    """Alerts to look at, locked; those that another has locked wait for the next look."""
    rows = await tx.all(
        """SELECT a.id, a.kind, a.owner_id, a.owner_role, a.due_at, a.snoozed_until, a.escalated_at, b.escalate_role,
                  b.escalate_id, b.id IS NOT NULL AS own
           FROM alert a LEFT JOIN playbook b ON b.seller_id = a.seller_id AND b.kind = a.kind
           WHERE a.look_at <= %s AND a.resolved_at IS NULL ORDER BY a.look_at LIMIT %s
           FOR NO KEY UPDATE OF a SKIP LOCKED""",
        [now, limit],
    )
    return [(row["id"], _open(row)) for row in rows]


def _open(row: Mapping[str, Any]) -> Open:
    return Open(
        owner_id=row["owner_id"], owner_role=row["owner_role"], due_at=row["due_at"],
        snoozed_until=row["snoozed_until"], escalated_at=row["escalated_at"], escalate_id=row["escalate_id"],
        escalate_role=row["escalate_role"] if row["own"] else playbooks.rule(row["kind"]).escalate_role,
    )  # fmt: skip


async def looked_at(tx: Tx, alert_id: UUID, found: Look, now: datetime) -> None:
    """Keep what a look found."""
    await tx.run(
        """UPDATE alert SET taken_at = CASE WHEN owner_id IS NOT DISTINCT FROM %(owner)s::uuid THEN taken_at END,
               owner_id = %(owner)s, owner_role = %(role)s, snoozed_until = %(snoozed)s, escalated_at = %(escalated)s,
               look_at = %(next)s WHERE id = %(id)s""",
        {
            "owner": found.owner_id, "role": found.owner_role, "snoozed": found.snoozed_until,
            "escalated": found.escalated_at, "next": found.next_at, "id": alert_id,
        },
    )  # fmt: skip
    for kind, params in found.events:
        await event(tx, alert_id, kind, None, now, **params)


async def staff(tx: Tx) -> list[dict[str, Any]]:
    """Who may work alerts: (user_id, name, role), by name."""
    return await tx.all(
        """SELECT u.id AS user_id, u.name, m.role FROM membership m JOIN app_user u ON u.id = m.user_id
           WHERE m.seller_id = %s AND m.role = ANY(%s) AND u.disabled_at IS NULL ORDER BY u.name, u.email""",
        [tx.seller, list(playbooks.ROLES)],
    )


# ── an alert ────────────────────────────────────────────────────────────────────────────────────────────────

_ALERT: LiteralString = """
    SELECT a.id, a.kind, a.subject, a.severity, a.urgency, a.params, a.due_at, a.opened_at, a.resolved_at, a.owner_id,
           a.owner_role, a.taken_at, a.snoozed_until, a.escalated_at, a.ticked, a.times, a.closed_by, a.note,
           o.name AS owner, c.name AS closer
    FROM alert a LEFT JOIN app_user o ON o.id = a.owner_id LEFT JOIN app_user c ON c.id = a.closed_by"""
_VIEWS: dict[str, LiteralString] = {
    "now": "a.resolved_at IS NULL AND (a.snoozed_until IS NULL OR a.snoozed_until <= %(now)s)",
    "mine": "a.resolved_at IS NULL AND (a.snoozed_until IS NULL OR a.snoozed_until <= %(now)s) "
    "AND (a.owner_id = %(me)s OR a.owner_id IS NULL AND a.owner_role = %(role)s)",
    "untaken": "a.resolved_at IS NULL AND a.taken_at IS NULL "
    "AND (a.snoozed_until IS NULL OR a.snoozed_until <= %(now)s)",
    "late": "a.resolved_at IS NULL AND a.due_at <= %(now)s",
    "snoozed": "a.resolved_at IS NULL AND a.snoozed_until > %(now)s",
}
VIEWS = (*_VIEWS, "done")
Place = tuple[int, str, UUID]


async def every(
    tx: Tx, view: str, now: datetime, *, me: UUID | None = None, role: str | None = None, kind: str | None = None,
    after: Place | None = None, limit: int = 50,
) -> list[dict[str, Any]]:  # fmt: skip
    """Open alerts of a view, the most urgent and soonest due first; keyset by (urgency, due, id)."""
    where: list[LiteralString] = [_VIEWS[view]]
    if kind:
        where.append("a.kind = %(kind)s")
    if after:
        where.append("(a.urgency, coalesce(a.due_at, 'infinity'), a.id) > (%(u)s, %(due)s::timestamptz, %(id)s)")
    urgency, due_at, id_ = after or (None, None, None)
    sql: Any = f"""{_ALERT} WHERE {" AND ".join(where)}
        ORDER BY a.urgency, coalesce(a.due_at, 'infinity'), a.id LIMIT %(limit)s"""
    return await tx.all(
        sql,
        {"now": now, "me": me, "role": role, "kind": kind, "u": urgency, "due": due_at, "id": id_, "limit": limit},
    )


async def done(
    tx: Tx, *, kind: str | None = None, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Alerts that are over, newest first; keyset by (resolved_at, id)."""
    where: list[LiteralString] = ["a.resolved_at IS NOT NULL"]
    if kind:
        where.append("a.kind = %(kind)s")
    if after:
        where.append("a.resolved_at <= %(at)s AND (a.resolved_at < %(at)s OR a.id > %(id)s)")
    at, id_ = after or (None, None)
    sql: Any = f"{_ALERT} WHERE {' AND '.join(where)} ORDER BY a.resolved_at DESC, a.id LIMIT %(limit)s"
    return await tx.all(sql, {"kind": kind, "at": at, "id": id_, "limit": limit})


async def counts(tx: Tx, now: datetime, me: UUID, role: str, most: int) -> dict[str, int]:
    """How many each view of open alerts has, counted as far as `most`."""
    told: dict[str, int] = {}
    for view, where in _VIEWS.items():
        sql: Any = f"SELECT count(*) FROM (SELECT FROM alert a WHERE {where} LIMIT %(most)s) n"
        told[view] = await tx.value(sql, {"now": now, "me": me, "role": role, "most": most})
    return told


async def one(tx: Tx, alert_id: UUID) -> dict[str, Any] | None:
    """One alert, whatever its state."""
    sql: Any = f"{_ALERT} WHERE a.id = %s"
    return await tx.one(sql, [alert_id])


async def lock(tx: Tx, alert_id: UUID) -> dict[str, Any] | None:
    """One alert, locked until the transaction ends."""
    sql: Any = f"{_ALERT} WHERE a.id = %s FOR NO KEY UPDATE OF a"
    return await tx.one(sql, [alert_id])


async def history(tx: Tx, kind: str, subject: str) -> list[dict[str, Any]]:
    """What happened to this kind about this subject, each time it came, oldest first.

    Rows: alert_id, at, kind, params, who (None: the hub), to_name and from_name of people that params name.
    """
    return await tx.all(
        """SELECT e.alert_id, e.at, e.kind, e.params, u.name AS who, t.name AS to_name, f.name AS from_name
           FROM alert_event e JOIN alert a ON a.seller_id = e.seller_id AND a.id = e.alert_id
           LEFT JOIN app_user u ON u.id = e.user_id
           LEFT JOIN app_user t ON t.id::text = e.params->>'to'
           LEFT JOIN app_user f ON f.id::text = e.params->>'from'
           WHERE a.subject = %s AND a.kind = %s ORDER BY e.at DESC, e.id DESC LIMIT 200""",
        [subject, kind],
    )


async def episodes(tx: Tx, kind: str, subject: str) -> list[dict[str, Any]]:
    """Each time this kind came about this subject, newest first, twenty at most."""
    sql: Any = f"{_ALERT} WHERE a.subject = %s AND a.kind = %s ORDER BY a.opened_at DESC LIMIT 20"
    return await tx.all(sql, [subject, kind])


async def event(tx: Tx, alert_id: UUID, kind: str, user_id: UUID | None, at: datetime, **params: object) -> None:
    """One line of an alert's history."""
    await tx.run(
        "INSERT INTO alert_event (seller_id, id, alert_id, at, kind, user_id, params) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [tx.seller, new_id(), alert_id, at, kind, user_id, json.dumps(params, default=str)],
    )


async def give(tx: Tx, alert_id: UUID, owner_id: UUID | None, role: str, taken_at: datetime | None) -> None:
    """Whose it is from now on."""
    await tx.run(
        "UPDATE alert SET owner_id = %s, owner_role = %s, taken_at = %s, look_at = now() WHERE id = %s",
        [owner_id, role, taken_at, alert_id],
    )


async def tick(tx: Tx, alert_id: UUID, step: str, *, on: bool) -> None:
    """A step is done, or not."""
    change: Any = "array_append(array_remove(ticked, %(step)s), %(step)s)" if on else "array_remove(ticked, %(step)s)"
    await tx.run(f"UPDATE alert SET ticked = {change} WHERE id = %(id)s", {"step": step, "id": alert_id})


async def snooze(tx: Tx, alert_id: UUID, until: datetime | None) -> None:
    """Put off until then; None: back at once."""
    await tx.run("UPDATE alert SET snoozed_until = %s, look_at = now() WHERE id = %s", [until, alert_id])


async def close(tx: Tx, alert_id: UUID, user_id: UUID | None, note: str, now: datetime) -> None:
    """A person says it is over."""
    await tx.run(
        "UPDATE alert SET resolved_at = %s, closed_by = %s, note = %s, snoozed_until = NULL WHERE id = %s",
        [now, user_id, note, alert_id],
    )


async def reopen(tx: Tx, alert_id: UUID) -> bool:
    """Open it again; False where another of its kind is open about the same subject."""
    return bool(
        await tx.run(
            """UPDATE alert a SET resolved_at = NULL, closed_by = NULL, note = NULL, look_at = now() WHERE a.id = %s
               AND NOT EXISTS (SELECT FROM alert b WHERE b.kind = a.kind AND b.subject = a.subject
                   AND b.resolved_at IS NULL)""",
            [alert_id],
        )
    )


# ── playbooks ───────────────────────────────────────────────────────────────────────────────────────────────


async def playbooks_of(tx: Tx) -> dict[str, dict[str, Any]]:
    """The seller's own playbooks by kind."""
    rows = await tx.all(
        """SELECT b.kind, b.title, b.body, b.owner_id, b.owner_role, b.due_minutes, b.escalate_role, b.escalate_id,
                  b.updated_at, u.name AS updated_by
           FROM playbook b LEFT JOIN app_user u ON u.id = b.updated_by"""
    )
    return {row["kind"]: row for row in rows}


async def open_by_kind(tx: Tx) -> dict[str, int]:
    """How many alerts are open of each kind."""
    rows = await tx.all("SELECT kind, count(*)::int AS n FROM alert WHERE resolved_at IS NULL GROUP BY kind")
    return {row["kind"]: row["n"] for row in rows}


async def put_playbook(tx: Tx, kind: str, told: Mapping[str, Any], user_id: UUID | None) -> None:
    """Keep a seller's own playbook; its open alerts are looked at again."""
    await tx.run(
        """INSERT INTO playbook (seller_id, id, kind, title, body, owner_id, owner_role, due_minutes, escalate_role,
               escalate_id, updated_by)
           VALUES (%(seller)s, %(new)s, %(kind)s, %(title)s, %(body)s, %(owner_id)s, %(owner_role)s, %(due_minutes)s,
               %(escalate_role)s, %(escalate_id)s, %(user)s)
           ON CONFLICT (seller_id, kind) DO UPDATE SET title = excluded.title, body = excluded.body,
               owner_id = excluded.owner_id, owner_role = excluded.owner_role, due_minutes = excluded.due_minutes,
               escalate_role = excluded.escalate_role, escalate_id = excluded.escalate_id,
               updated_by = excluded.updated_by, updated_at = now()""",
        {"seller": tx.seller, "new": new_id(), "kind": kind, "user": user_id, **told},
    )
    await _look_again(tx, kind)


async def drop_playbook(tx: Tx, kind: str) -> bool:
    """Back to the hub's own; False where there was none of the seller's."""
    gone = await tx.run("DELETE FROM playbook WHERE kind = %s", [kind]) == 1
    await _look_again(tx, kind)
    return gone


async def _look_again(tx: Tx, kind: str) -> None:
    await tx.run("UPDATE alert SET look_at = now() WHERE kind = %s AND resolved_at IS NULL", [kind])


# ── who is away ─────────────────────────────────────────────────────────────────────────────────────────────


async def absences(tx: Tx, since: datetime) -> list[dict[str, Any]]:
    """Absences that end after an instant, soonest first, with names and what is open with the person."""
    return await tx.all(
        """SELECT a.id, a.user_id, a.from_at, a.until_at, a.stand_in, u.name, s.name AS stand_in_name
           FROM absence a JOIN app_user u ON u.id = a.user_id JOIN app_user s ON s.id = a.stand_in
           WHERE a.until_at > %s ORDER BY a.from_at, a.id LIMIT 200""",
        [since],
    )


def read(rows: list[dict[str, Any]]) -> list[Absence]:
    """Rows of `absences` as decisions take them."""
    return [
        Absence(user_id=row["user_id"], from_at=row["from_at"], until_at=row["until_at"], stand_in=row["stand_in"])
        for row in rows
    ]


async def add_absence(
    tx: Tx, user_id: UUID, from_at: datetime, until_at: datetime, stand_in: UUID, by: UUID | None
) -> UUID:
    """Somebody will be away; what they have open is handed over when that begins."""
    made = new_id()
    await tx.run(
        "INSERT INTO absence (seller_id, id, user_id, from_at, until_at, stand_in, look_at, created_by) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [tx.seller, made, user_id, from_at, until_at, stand_in, from_at, by],
    )
    return made


async def drop_absence(tx: Tx, absence_id: UUID, now: datetime) -> None:
    """It is over now, or never began."""
    await tx.run("DELETE FROM absence WHERE id = %s AND from_at >= %s", [absence_id, now])
    await tx.run("UPDATE absence SET until_at = %s, look_at = NULL WHERE id = %s", [now, absence_id])

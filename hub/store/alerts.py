"""Alerts: what needs a person, once per subject until it is resolved."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from hub import playbooks
from hub.store import Tx, new_id

# Whoever had this kind about this subject has it again, and whoever had what it takes the place of in this transaction.
_RAISE = """
    INSERT INTO alert (seller_id, id, kind, subject, severity, params, due_at, owner_id, taken_at, owner_role, times,
        look_at)
    SELECT %(seller)s, %(id)s, %(kind)s, %(subject)s, %(severity)s, %(told)s,
        least(%(due)s::timestamptz, now() + make_interval(mins =>
            CASE WHEN b.id IS NULL THEN %(minutes)s::int ELSE b.due_minutes END)),
        coalesce(p.owner_id, b.owner_id), CASE WHEN p.resolved_at = now() THEN p.taken_at END,
        coalesce(b.owner_role, %(role)s), e.before + 1, now()
    FROM (VALUES (true)) one
    LEFT JOIN playbook b ON b.kind = %(kind)s
    LEFT JOIN LATERAL (SELECT owner_id, taken_at, resolved_at FROM alert a WHERE a.subject = %(subject)s
        AND a.taken_at IS NOT NULL AND (a.kind = %(kind)s OR a.resolved_at = now())
        ORDER BY a.opened_at DESC LIMIT 1) p ON true
    CROSS JOIN LATERAL (SELECT count(*) AS before FROM alert a WHERE a.subject = %(subject)s AND a.kind = %(kind)s
        AND a.resolved_at IS NOT NULL) e
    ON CONFLICT (seller_id, kind, subject) WHERE resolved_at IS NULL DO UPDATE SET params = excluded.params
    RETURNING (xmax = 0) AS is_new"""


async def raise_(
    tx: Tx,
    kind: str,
    subject: str,
    *,
    severity: str = "warning",
    due_at: datetime | None = None,
    **params: object,
) -> bool:
    """Open an alert; False when this one is open already (its params are brought up to date).

    Whose it is and by when is as the playbook of its kind says; `due_at` holds where it is sooner.
    """
    rule = playbooks.rule(kind)
    row = await tx.one(
        _RAISE,
        {
            "seller": tx.seller, "id": new_id(), "kind": kind, "subject": subject, "severity": severity,
            "told": json.dumps(params, default=str), "due": due_at, "minutes": rule.due_minutes,
            "role": rule.owner_role,
        },
    )  # fmt: skip
    return bool(row and row["is_new"])


async def resolve(tx: Tx, kind: str, subject: str) -> bool:
    """Close an open alert."""
    sql = "UPDATE alert SET resolved_at = now() WHERE kind = %s AND subject = %s AND resolved_at IS NULL"
    return await tx.run(sql, [kind, subject]) == 1


async def open_ones(tx: Tx, limit: int = 100) -> list[dict[str, Any]]:
    """Open alerts, most urgent first."""
    return await tx.all(
        """SELECT id, kind, subject, severity, params, due_at, opened_at FROM alert WHERE resolved_at IS NULL
           ORDER BY urgency, coalesce(due_at, 'infinity'), id LIMIT %s""",
        [limit],
    )


async def open_of(tx: Tx, kind: str) -> list[dict[str, Any]]:
    """Open alerts of one kind."""
    return await tx.all("SELECT id, subject, params FROM alert WHERE kind = %s AND resolved_at IS NULL", [kind])


async def urgent_since(tx: Tx, since: datetime, known: Iterable[UUID], limit: int) -> list[dict[str, Any]]:
    """Urgent alerts opened since an instant that are not among the known ones, newest first."""
    return await tx.all(
        """SELECT id, kind, subject, severity, params, due_at, opened_at FROM alert
           WHERE severity = 'urgent' AND resolved_at IS NULL AND opened_at >= %s AND NOT id = ANY(%s)
           ORDER BY opened_at DESC, id DESC LIMIT %s""",
        [since, list(known), limit],
    )

"""Alerts: what needs a person, once per subject until it is resolved."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.store import Tx, new_id


async def raise_(
    tx: Tx,
    kind: str,
    subject: str,
    *,
    severity: str = "warning",
    due_at: datetime | None = None,
    **params: object,
) -> bool:
    """Open an alert; False when this one is open already (its params are brought up to date)."""
    sql = """
        INSERT INTO alert (seller_id, id, kind, subject, severity, params, due_at) VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (seller_id, kind, subject) WHERE resolved_at IS NULL DO UPDATE SET params = excluded.params
        RETURNING (xmax = 0) AS is_new"""
    told = json.dumps(params, default=str)
    row = await tx.one(sql, [tx.seller, new_id(), kind, subject, severity, told, due_at])
    return bool(row and row["is_new"])


async def resolve(tx: Tx, kind: str, subject: str) -> bool:
    """Close an open alert."""
    sql = "UPDATE alert SET resolved_at = now() WHERE kind = %s AND subject = %s AND resolved_at IS NULL"
    return await tx.run(sql, [kind, subject]) == 1


async def open_ones(tx: Tx, limit: int = 100) -> list[dict[str, Any]]:
    """Open alerts, most urgent first."""
    return await tx.all(
        """SELECT id, kind, subject, severity, params, due_at, opened_at FROM alert WHERE resolved_at IS NULL
           ORDER BY array_position(ARRAY['urgent', 'warning', 'info'], severity), opened_at LIMIT %s""",
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

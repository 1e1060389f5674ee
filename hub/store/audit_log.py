"""The audit log, read: who did what, and when."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.store import Tx

SKEW = timedelta(minutes=10)  # between the clocks that give ids and those that say when


async def listed(
    tx: Tx, *, actor: str | None = None, action: str | None = None, since: datetime | None = None,
    after: UUID | None = None, limit: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """Entries, the newest first: id, at, actor, action, subject, params, and a person's name and e-mail."""
    where, params = ["l.seller_id = %s"], [tx.seller]
    told: list[tuple[Any, object]] = [
        ("l.actor = %s", actor), ("l.action = %s", action), ("l.at >= %s", since), ("l.id >= %s", _first_id(since)),
        ("l.id < %s", after),
    ]  # fmt: skip
    for sql, value in told:
        if value is not None:
            where.append(sql)
            params.append(value)  # type: ignore[arg-type] # ids, texts and instants alike
    clauses: Any = " AND ".join(where)
    return await tx.all(
        f"""SELECT l.id, l.at, l.actor, l.action, l.subject, l.params, u.name, u.email
            FROM (SELECT l.id, l.at, l.actor, l.action, l.subject, l.params FROM audit_log l
                  WHERE {clauses} ORDER BY l.id DESC LIMIT %s) l
            LEFT JOIN app_user u ON l.actor LIKE 'web:%%' AND u.id::text = substr(l.actor, 5)
            ORDER BY l.id DESC""",
        [*params, limit],
    )


def _first_id(since: datetime | None) -> UUID | None:
    """An id before all that were made since then: ids are UUIDv7, so that the primary key bounds the look."""
    return UUID(int=int((since - SKEW).timestamp() * 1000) << 80) if since else None

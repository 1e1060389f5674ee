"""What people do to orders and say about them: marks of the packing table, notes, saved views; and their documents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx, new_id

MOST_NOTES = 500
_MARKS: dict[str, LiteralString] = {"packed": "packed", "printed": "printed"}
MARKS = tuple(_MARKS)


async def mark(tx: Tx, order_ids: Sequence[UUID], what: str, who: str, at: datetime | None) -> list[UUID]:
    """Note that these orders are packed or printed (`at` None: not after all). Answers those for which that is new."""
    name = _MARKS[what]
    sql: Any = f"""
        UPDATE order_handling SET {name}_at = NULL, {name}_by = NULL
        WHERE order_id = ANY(%(ids)s) AND {name}_at IS NOT NULL RETURNING order_id"""
    if at is not None:
        sql = f"""
        INSERT INTO order_handling AS h (seller_id, order_id, {name}_at, {name}_by)
        SELECT o.seller_id, o.id, %(at)s, %(who)s FROM orders o WHERE o.id = ANY(%(ids)s) ORDER BY o.id
        ON CONFLICT (seller_id, order_id) DO UPDATE SET {name}_at = excluded.{name}_at, {name}_by = excluded.{name}_by
        WHERE h.{name}_at IS NULL RETURNING order_id"""
    rows = await tx.all(sql, {"ids": list(order_ids), "who": who, "at": at})
    return [row["order_id"] for row in rows]


async def handling(tx: Tx, order_id: UUID) -> dict[str, Any]:
    """When and by whom an order was packed and printed."""
    row = await tx.one(
        "SELECT packed_at, packed_by, printed_at, printed_by FROM order_handling WHERE order_id = %s", [order_id]
    )
    return row or dict.fromkeys(("packed_at", "packed_by", "printed_at", "printed_by"))


# ── notes and messages ──────────────────────────────────────────────────────────────────────────────────────


async def note(tx: Tx, order_id: UUID, user_id: UUID, author: str, body: str) -> UUID | None:
    """Add a note of a person, or of an API key (by its id); None for an order that is not there."""
    told: UUID | None = await tx.value(
        """INSERT INTO order_note (seller_id, id, order_id, user_id, author, body)
           SELECT seller_id, %s, id, %s, %s, %s FROM orders WHERE id = %s RETURNING id""",
        [new_id(), user_id, author, body, order_id],
    )
    return told


async def unnote(tx: Tx, order_id: UUID, note_id: UUID, user_id: UUID | None) -> bool:
    """Take a note away; `user_id`: only one of theirs."""
    sql = """DELETE FROM order_note WHERE order_id = %s AND id = %s AND (%s::uuid IS NULL OR user_id = %s)"""
    return await tx.run(sql, [order_id, note_id, user_id, user_id]) == 1


async def noted_on(tx: Tx, note_id: UUID) -> UUID | None:
    """The order that a note is of; None for no note of this seller's."""
    told: UUID | None = await tx.value("SELECT order_id FROM order_note WHERE id = %s", [note_id])
    return told


async def notes(tx: Tx, order_id: UUID) -> list[dict[str, Any]]:
    """What people noted, newest first."""
    return await tx.all(
        "SELECT id, user_id, author, body, at FROM order_note WHERE order_id = %s ORDER BY at DESC, id DESC LIMIT %s",
        [order_id, MOST_NOTES],
    )


async def messages(tx: Tx, order_id: UUID) -> list[dict[str, Any]]:
    """What the buyer and the seller wrote to each other about an order, oldest first."""
    return await tx.all(
        "SELECT direction, body, at FROM message WHERE order_id = %s ORDER BY at, id LIMIT %s", [order_id, MOST_NOTES]
    )


# ── saved views ─────────────────────────────────────────────────────────────────────────────────────────────


async def views(tx: Tx, user_id: UUID) -> list[dict[str, Any]]:
    """A person's own views and those that others share, by name."""
    return await tx.all(
        """SELECT id, user_id, name, query, shared, user_id = %s AS mine FROM order_view
           WHERE user_id = %s OR shared ORDER BY lower(name), id LIMIT 100""",
        [user_id, user_id],
    )


async def save_view(tx: Tx, user_id: UUID, name: str, query: str, *, shared: bool) -> None:
    """Keep a view under a name; one of that name of theirs is replaced."""
    await tx.run(
        """INSERT INTO order_view (seller_id, id, user_id, name, query, shared) VALUES (%s, %s, %s, %s, %s, %s)
           ON CONFLICT (seller_id, user_id, name) DO UPDATE SET query = excluded.query, shared = excluded.shared""",
        [tx.seller, new_id(), user_id, name, query, shared],
    )


async def drop_view(tx: Tx, view_id: UUID, user_id: UUID, *, others: bool) -> str | None:
    """Forget a view of theirs (`others`: or one that somebody shares). Its name; None where there is none such."""
    name: str | None = await tx.value(
        "DELETE FROM order_view WHERE id = %s AND (user_id = %s OR (%s AND shared)) RETURNING name",
        [view_id, user_id, others],
    )
    return name


# ── where it all came from ──────────────────────────────────────────────────────────────────────────────────


async def parts(tx: Tx, order_id: UUID) -> list[dict[str, Any]]:
    """The documents kept of an order, without their bytes."""
    return await tx.all(
        "SELECT part, clock, fetched_at, octet_length(raw) AS bytes FROM order_part WHERE order_id = %s ORDER BY part",
        [order_id],
    )


async def notices(tx: Tx, order_id: UUID) -> list[dict[str, Any]]:
    """What was told that changed an order, as long as it is kept: from notice to done."""
    return await tx.all(
        """SELECT i.id, i.source, i.topic, i.told_at, i.received_at, i.done_at, i.raw IS NOT NULL AS has_raw
           FROM inbox i WHERE i.id = ANY(ARRAY(SELECT DISTINCT e.inbox_id FROM order_event e
               WHERE e.order_id = %s AND e.inbox_id IS NOT NULL)) ORDER BY i.received_at LIMIT 200""",
        [order_id],
    )


async def document(tx: Tx, order_id: UUID, what: str) -> tuple[bytes, datetime] | None:
    """A document of an order: a part's name, or the id of a notice that changed it. Its bytes and when we had it."""
    row = await tx.one(
        """SELECT raw, fetched_at AS at FROM order_part WHERE order_id = %(order)s AND part = %(what)s
           UNION ALL SELECT i.raw, i.received_at FROM order_event e
               JOIN inbox i ON i.seller_id = e.seller_id AND i.id = e.inbox_id
               WHERE e.order_id = %(order)s AND e.inbox_id::text = %(what)s AND i.raw IS NOT NULL LIMIT 1""",
        {"order": order_id, "what": what},
    )
    return (bytes(row["raw"]), row["at"]) if row else None


async def mails(tx: Tx, order_id: UUID) -> list[dict[str, Any]]:
    """E-mails to the buyer about an order."""
    return await tx.all(
        "SELECT event, state, reason, sent_at, created_at FROM buyer_mail WHERE order_id = %s ORDER BY created_at",
        [order_id],
    )


async def movements(tx: Tx, order_id: UUID) -> list[dict[str, Any]]:
    """What an order moved in the ledger, oldest first."""
    return await tx.all(
        """SELECT m.at, m.reason, m.delta AS units, k.code AS sku, w.code AS warehouse FROM stock_movement m
           JOIN sku k ON k.seller_id = m.seller_id AND k.id = m.sku_id
           JOIN warehouse w ON w.seller_id = m.seller_id AND w.id = m.warehouse_id
           WHERE m.order_id = %s ORDER BY m.at, m.id LIMIT 200""",
        [order_id],
    )


async def listings(tx: Tx, order_id: UUID) -> dict[str, dict[str, Any]]:
    """The listing that each line sold, by line ref: its address at the channel, and what it is called there."""
    rows = await tx.all(
        """SELECT n.ref AS line_ref, l.url, l.title, l.ref, l.variation_ref FROM order_line n
           JOIN orders o ON o.seller_id = n.seller_id AND o.id = n.order_id
           JOIN listing l ON l.seller_id = n.seller_id AND l.account_id = o.account_id AND l.ref = n.listing_ref
               AND l.variation_ref IS NOT DISTINCT FROM n.variation_ref
           WHERE n.order_id = %s""",
        [order_id],
    )
    return {row["line_ref"]: row for row in rows}

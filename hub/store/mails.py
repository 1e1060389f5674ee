"""Buyers' e-mail: what is to be sent, what was, and a seller's own words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.buyer_mail import Template, overtakers
from hub.store import Tx, new_id

LEASE = timedelta(seconds=120)  # longer than one message may take


async def want(tx: Tx, order_ids: Iterable[UUID], shipment_id: UUID, event: str, due_at: datetime) -> int:
    """Have an event told to the buyers of these orders, once each whatever is asked again. Answers how many are new.

    An event that a later one has overtaken is not told, and those that this one overtakes are not told any more.
    An order that another connected account relays, or that a marketplace sends, is left to them.
    """
    new = 0
    for order_id in order_ids:
        new += await tx.run(
            """INSERT INTO buyer_mail (seller_id, id, order_id, event, shipment_id, due_at)
               SELECT o.seller_id, %(id)s, o.id, %(event)s, %(shipment)s, %(due)s FROM orders o
               WHERE o.id = %(order)s AND o.status <> 'cancelled' AND o.fulfilled_by IS DISTINCT FROM 'marketplace'
                 AND NOT EXISTS (SELECT FROM account b WHERE b.seller_id = o.seller_id
                     AND b.channel = o.origin_channel AND b.id <> o.account_id AND b.status <> 'closed')
                 AND NOT EXISTS (SELECT FROM buyer_mail m WHERE m.seller_id = o.seller_id AND m.order_id = o.id
                     AND m.event = ANY(%(later)s))
               ON CONFLICT DO NOTHING""",
            {
                "id": new_id(), "event": event, "shipment": shipment_id, "due": due_at, "order": order_id,
                "later": list(overtakers(event)),
            },
        )  # fmt: skip
        await tx.run(
            """UPDATE buyer_mail m SET state = 'skipped', reason = 'overtaken', due_at = NULL
               WHERE order_id = %s AND state = 'due' AND EXISTS (SELECT FROM buyer_mail l
                   WHERE l.seller_id = m.seller_id AND l.order_id = m.order_id AND l.event = %s)
                 AND NOT event = %s AND NOT event = ANY(%s)""",
            [order_id, event, event, list(overtakers(event))],
        )
    return new


async def due_sellers(tx: Tx, now: datetime) -> list[UUID]:
    """Sellers with an e-mail to send. Dispatch role."""
    rows = await tx.all("SELECT DISTINCT seller_id FROM buyer_mail WHERE due_at <= %s", [now])
    return [row["seller_id"] for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A claimed e-mail, with what its words are made of."""

    id: UUID
    order_id: UUID
    shipment_id: UUID
    event: str
    attempts: int
    created_at: datetime


async def claim(tx: Tx, token: UUID, now: datetime, limit: int) -> list[Due]:
    """Take e-mails that are due, the longest due first."""
    rows = await tx.all(
        """WITH d AS (SELECT seller_id, id FROM buyer_mail WHERE due_at <= %s AND state = 'due'
                 ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
           UPDATE buyer_mail m SET lease_token = %s, due_at = %s FROM d
           WHERE m.seller_id = d.seller_id AND m.id = d.id
           RETURNING m.id, m.order_id, m.shipment_id, m.event, m.attempts, m.created_at""",
        [now, limit, token, now + LEASE],
    )
    return [Due(**row) for row in rows]


async def leaving(tx: Tx, token: UUID, mail_id: UUID, now: datetime) -> bool:
    """Note that it is about to leave; committed before it does. False: another has it by now."""
    sql = "UPDATE buyer_mail SET state = 'sending', due_at = %s WHERE id = %s AND lease_token = %s AND state = 'due'"
    return await tx.run(sql, [now + LEASE, mail_id, token]) == 1


async def settle(tx: Tx, token: UUID, mail_id: UUID, state: str, reason: str | None, now: datetime) -> bool:
    """What became of it: sent, doubt, skipped or failed."""
    sql = """
        UPDATE buyer_mail SET state = %s, reason = %s, due_at = NULL, lease_token = NULL,
            sent_at = CASE WHEN %s = 'sent' THEN %s END WHERE id = %s AND lease_token = %s"""
    return await tx.run(sql, [state, reason, state, now, mail_id, token]) == 1


async def later(tx: Tx, token: UUID, mail_id: UUID, due_at: datetime, reason: str | None, *, counts: bool) -> None:
    """It did not leave, certainly: again at `due_at`. `counts`: as a failure."""
    sql = """
        UPDATE buyer_mail SET state = 'due', due_at = %s, reason = %s, attempts = attempts + %s, lease_token = NULL
        WHERE id = %s AND lease_token = %s"""
    await tx.run(sql, [due_at, reason, int(counts), mail_id, token])


async def left_behind(tx: Tx, now: datetime) -> list[dict[str, Any]]:
    """E-mails that were leaving when whoever sent them stopped: in doubt from now on, never sent again unasked."""
    return await tx.all(
        """UPDATE buyer_mail m SET state = 'doubt', reason = 'stopped', due_at = NULL, lease_token = NULL
           FROM orders o WHERE m.due_at <= %s AND m.state = 'sending' AND o.seller_id = m.seller_id
             AND o.id = m.order_id RETURNING m.id, m.order_id, m.event, coalesce(o.number, o.ref) AS number""",
        [now],
    )


async def facts(tx: Tx, order_id: UUID, shipment_id: UUID) -> dict[str, Any] | None:
    """What an e-mail about an order's parcel says, and to whom: `email` as the order knows it now."""
    return await tx.one(
        """SELECT coalesce(o.number, o.ref) AS number, o.told->'buyer'->>'email' AS email,
                  o.told->'buyer'->>'name' AS name, o.status AS order_status, a.settings, s.carrier, s.tracking_code,
                  s.status, coalesce(s.deliver_by, o.deliver_by) AS deliver_by, s.last_event_at, s.created_at,
                  e.at AS last_at, e.description, e.place, e.state
           FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
           JOIN shipment s ON s.seller_id = o.seller_id AND s.id = %s
           LEFT JOIN LATERAL (SELECT at, description, place, state FROM tracking_event t
               WHERE t.seller_id = s.seller_id AND t.shipment_id = s.id AND NOT t.revoked AND NOT t.revokes
               ORDER BY at DESC, position DESC LIMIT 1) e ON true
           WHERE o.id = %s""",
        [shipment_id, order_id],
    )


async def parcel_of_order(tx: Tx, order_id: UUID) -> UUID | None:
    """An order's newest parcel."""
    found: UUID | None = await tx.value(
        "SELECT shipment_id FROM shipment_line WHERE order_id = %s ORDER BY shipment_id DESC LIMIT 1", [order_id]
    )
    return found


async def listed(tx: Tx, *, state: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """E-mails, newest first, without addresses."""
    return await tx.all(
        """SELECT m.id, a.name AS account, coalesce(o.number, o.ref) AS "order", m.event, m.state, m.reason, m.due_at,
                  m.attempts, m.sent_at, m.created_at
           FROM buyer_mail m JOIN orders o ON o.seller_id = m.seller_id AND o.id = m.order_id
           JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
           WHERE %(state)s::text IS NULL OR m.state = %(state)s ORDER BY m.id DESC LIMIT %(limit)s""",
        {"state": state, "limit": limit},
    )


async def retry(tx: Tx, mail_id: UUID, now: datetime) -> bool:
    """Send one that is in doubt or failed (once more): a person says so. False: there is none such."""
    sql = """
        UPDATE buyer_mail SET state = 'due', due_at = %s, created_at = %s, attempts = 0, reason = NULL
        WHERE id = %s AND state IN ('doubt', 'failed')"""
    return await tx.run(sql, [now, now, mail_id]) == 1


async def leave(tx: Tx, mail_id: UUID) -> bool:
    """Leave one that is in doubt or failed as it is. False: there is none such."""
    sql = "UPDATE buyer_mail SET state = 'skipped', reason = 'left' WHERE id = %s AND state IN ('doubt', 'failed')"
    return await tx.run(sql, [mail_id]) == 1


async def resolve(tx: Tx, kind: str, order_id: UUID) -> int:
    """Close the open alerts of a kind about an order's e-mails."""
    sql = """
        UPDATE alert SET resolved_at = now() WHERE kind = %s AND resolved_at IS NULL
            AND subject = ANY(ARRAY(SELECT id::text FROM buyer_mail WHERE order_id = %s))"""
    return await tx.run(sql, [kind, order_id])


async def templates(tx: Tx) -> dict[tuple[str, str], Template]:
    """The seller's own words by (event, locale)."""
    rows = await tx.all("SELECT event, locale, subject, body FROM mail_template")
    return {(row["event"], row["locale"]): Template(row["subject"], row["body"]) for row in rows}


async def put_template(tx: Tx, event: str, locale: str, template: Template | None) -> None:
    """Keep a seller's words; None: back to the hub's."""
    if template is None:
        await tx.run("DELETE FROM mail_template WHERE event = %s AND locale = %s", [event, locale])
        return
    await tx.run(
        """INSERT INTO mail_template (seller_id, event, locale, subject, body) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (seller_id, event, locale) DO UPDATE SET subject = excluded.subject, body = excluded.body,
               updated_at = now()""",
        [tx.seller, event, locale, template.subject, template.body],
    )

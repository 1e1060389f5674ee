"""Labels of parcels: bought once, found again after a crash, kept sealed, cancelled, and left with a manifest."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx, new_id
from hub.store.channel_labels import FRESH

LEASE = timedelta(seconds=60)
STATUSES = ("buying", "doubt", "paying", "bought", "refused", "cancelling", "cancelled")
NUMBERING = 7312  # class of the advisory lock under which manifests are numbered

_LABEL: LiteralString = """
    SELECT l.id, l.order_id, l.account_id, a.name AS account, a.channel, coalesce(o.number, o.ref) AS number,
           l.volume, l.volumes, l.reference, l.service, l.name, l.quoted_cents, l.price_cents, l.posting, l.status,
           l.ref, l.tracking_code, l.expires_at, l.shipment_id, l.error, l.tried_at, l.pdf IS NOT NULL AS has_pdf,
           l.printed_at, l.manifest_id, l.lease_until, l.lease_token, l.bought_at, l.cancelled_at,
           s.status AS parcel_status, o.status AS order_status, o.buyer_name, o.told -> 'ship_to' ->> 'city' AS city,
           o.told -> 'ship_to' ->> 'state' AS state, o.told -> 'ship_to' ->> 'postal_code' AS postal_code
    FROM freight_label l JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id
    JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
    LEFT JOIN shipment s ON s.seller_id = l.seller_id AND s.id = l.shipment_id"""
ALIVE: LiteralString = "l.status NOT IN ('refused', 'cancelled')"


async def add(
    tx: Tx, order_id: UUID, offer: Mapping[str, Any], postings: Mapping[int, Mapping[str, Any]], volumes: int,
    number: str, until: datetime,
) -> tuple[UUID, list[UUID]] | None:  # fmt: skip
    """A label to buy for each of these volumes, held by the token answered; None where one of them has one already.

    `offer` names account_id, service, name and the price of all volumes together.
    """
    token, ids = new_id(), []
    for volume, posting in postings.items():
        id_ = new_id()
        cents = offer["price_cents"] // volumes + (volume <= offer["price_cents"] % volumes)
        made = await tx.run(
            """INSERT INTO freight_label (seller_id, id, order_id, account_id, volume, volumes, reference, service,
                   name, quoted_cents, posting, lease_until, lease_token)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
               ON CONFLICT (seller_id, order_id, volume) WHERE status NOT IN ('refused', 'cancelled') DO NOTHING""",
            [
                tx.seller, id_, order_id, offer["account_id"], volume, volumes,
                f"{number[:20]}-{volume}-{id_.hex[-8:]}", offer["service"], offer["name"], cents, json.dumps(posting),
                until, token,
            ],
        )  # fmt: skip
        if not made:
            return None
        ids.append(id_)
    return token, ids


async def alive(tx: Tx, order_id: UUID) -> list[dict[str, Any]]:
    """An order's labels that were not refused or cancelled, by volume."""
    return await tx.all(f"{_LABEL} WHERE l.order_id = %s AND {ALIVE} ORDER BY l.volume", [order_id])


async def of_orders(tx: Tx, order_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Every label of these orders, the living first."""
    return await tx.all(
        f"{_LABEL} WHERE l.order_id = ANY(%s) ORDER BY l.order_id, NOT ({ALIVE}), l.volume, l.created_at DESC",
        [list(order_ids)],
    )


async def some(tx: Tx, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """These labels, in the order named."""
    told = {"ids": list(ids)}
    return await tx.all(f"{_LABEL} WHERE l.id = ANY(%(ids)s) ORDER BY array_position(%(ids)s, l.id)", told)


async def listed(
    tx: Tx, *, status: str | None = None, after: UUID | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Labels, the newest first, keyset by id."""
    return await tx.all(
        f"""{_LABEL} WHERE (%(status)s::text IS NULL OR l.status = %(status)s)
            AND (%(after)s::uuid IS NULL OR l.id < %(after)s) ORDER BY l.id DESC LIMIT %(limit)s""",
        {"status": status, "after": after, "limit": limit},
    )


async def by_reference(tx: Tx, reference: str) -> UUID | None:
    """The label of a reference."""
    known: UUID | None = await tx.value("SELECT id FROM freight_label WHERE reference = %s", [reference])
    return known


async def lease(tx: Tx, id_: UUID, now: datetime) -> UUID | None:
    """Take a label that nobody works on; answers the token, None while somebody does."""
    token = new_id()
    sql = """UPDATE freight_label SET lease_token = %s, lease_until = %s
             WHERE id = %s AND (lease_until IS NULL OR lease_until <= %s)"""
    return token if await tx.run(sql, [token, now + LEASE, id_, now]) else None


async def release(tx: Tx, id_: UUID, token: UUID) -> None:
    """Let a label go."""
    sql = "UPDATE freight_label SET lease_token = NULL, lease_until = NULL WHERE id = %s AND lease_token = %s"
    await tx.run(sql, [id_, token])


async def hold_until(tx: Tx, id_: UUID, token: UUID, until: datetime, error: str) -> None:
    """Nobody looks at a label before an instant; then it is looked up."""
    sql = "UPDATE freight_label SET lease_until = %s, error = %s WHERE id = %s AND lease_token = %s"
    await tx.run(sql, [until, error[:300], id_, token])


async def trying(tx: Tx, id_: UUID, token: UUID, now: datetime) -> bool:
    """Right before a carrier is asked to sell: from now on it may have. False when the lease was lost."""
    sql = """UPDATE freight_label SET tried_at = coalesce(tried_at, %s), lease_until = %s
             WHERE id = %s AND lease_token = %s AND status = 'buying'"""
    return await tx.run(sql, [now, now + LEASE, id_, token]) == 1


async def known(
    tx: Tx, id_: UUID, status: str, ref: str, *, tracking_code: str | None, price_cents: int | None,
    expires_at: datetime | None, pdf: bytes | None, now: datetime,
) -> bool:  # fmt: skip
    """The carrier sold it: `paying` while its purchase goes on there, else `bought`."""
    sql = """UPDATE freight_label SET status = %(status)s, ref = %(ref)s,
                 tracking_code = coalesce(%(code)s, tracking_code), price_cents = coalesce(%(price)s, price_cents),
                 expires_at = coalesce(%(expires)s, expires_at), pdf = coalesce(%(pdf)s, pdf), error = NULL,
                 pdf_at = CASE WHEN %(pdf)s::bytea IS NULL THEN pdf_at ELSE %(now)s END,
                 bought_at = CASE WHEN %(status)s = 'bought' THEN %(now)s END
             WHERE id = %(id)s AND status IN ('buying', 'doubt', 'paying')"""
    told = {
        "status": status, "ref": ref, "code": tracking_code, "price": price_cents, "expires": expires_at, "pdf": pdf,
        "now": now, "id": id_,
    }  # fmt: skip
    return await tx.run(sql, told) == 1


async def shipped_as(tx: Tx, id_: UUID, shipment_id: UUID) -> None:
    """The parcel of a label; its channel is told once it left, not because a label was bought."""
    await tx.run("UPDATE freight_label SET shipment_id = %s WHERE id = %s", [shipment_id, id_])
    await tx.run("UPDATE shipment SET news_due_at = NULL, news_dirty_at = NULL WHERE id = %s", [shipment_id])


async def set_status(tx: Tx, id_: UUID, status: str, error: str | None = None, *, at: datetime | None = None) -> None:
    """Move a label on; `at` is when it was cancelled."""
    await tx.run(
        "UPDATE freight_label SET status = %s, error = %s, cancelled_at = coalesce(%s, cancelled_at) WHERE id = %s",
        [status, error and error[:300], at, id_],
    )


async def left_behind(tx: Tx, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """(seller, label) of purchases and cancellations that nobody works on any more. Dispatch role."""
    rows = await tx.all(
        """SELECT seller_id, id FROM freight_label WHERE status IN ('buying', 'paying', 'cancelling')
           AND lease_until <= %s ORDER BY lease_until LIMIT %s""",
        [now, limit],
    )
    return [(row["seller_id"], row["id"]) for row in rows]


# ── Prints ──────────────────────────────────────────────────────────────────────────────────────────────────


async def pdf(tx: Tx, id_: UUID) -> bytes | None:
    """A label as it was sealed; None where none is kept."""
    kept: bytes | None = await tx.value("SELECT pdf FROM freight_label WHERE id = %s", [id_])
    return bytes(kept) if kept is not None else None


async def keep_pdf(tx: Tx, id_: UUID, sealed: bytes, now: datetime) -> None:
    """Keep a sealed label."""
    await tx.run("UPDATE freight_label SET pdf = %s, pdf_at = %s WHERE id = %s", [sealed, now, id_])


async def drop_pdfs(tx: Tx, before: datetime) -> int:
    """Let go of labels kept since before an instant."""
    return await tx.run("UPDATE freight_label SET pdf = NULL WHERE pdf IS NOT NULL AND pdf_at < %s", [before])


async def printed(tx: Tx, ids: Sequence[UUID], now: datetime) -> None:
    """These labels were handed out as a file."""
    await tx.run("UPDATE freight_label SET printed_at = coalesce(printed_at, %s) WHERE id = ANY(%s)", [now, list(ids)])


async def print_add(tx: Tx, ids: Sequence[UUID], layout: str) -> UUID:
    """Labels to be printed together."""
    made = new_id()
    await tx.run(
        "INSERT INTO freight_print (seller_id, id, labels, layout) VALUES (%s, %s, %s, %s)",
        [tx.seller, made, list(ids), layout],
    )
    return made


async def print_of(tx: Tx, id_: UUID) -> dict[str, Any] | None:
    """What is to be printed together, and how far it is: labels, layout, failures by label, `ready` of them.

    `of_channel`: its labels are those that channels issue, by their shipments; else bought ones.
    """
    return await tx.one(
        """SELECT p.id, p.labels, p.layout, p.failures, p.created_at,
                  EXISTS (SELECT FROM shipment s WHERE s.seller_id = p.seller_id AND s.id = p.labels[1]) AS of_channel,
                  (SELECT array_agg(l.id) FROM (
                      SELECT id FROM freight_label WHERE id = ANY(p.labels) AND pdf IS NOT NULL
                      UNION ALL SELECT shipment_id FROM channel_label
                      WHERE shipment_id = ANY(p.labels) AND pdf_sealed IS NOT NULL
                        AND pdf_at >= p.created_at - %s) l) AS ready
           FROM freight_print p WHERE p.id = %s""",
        [FRESH, id_],
    )


async def print_failed(tx: Tx, id_: UUID, failures: Mapping[UUID, str]) -> None:
    """Sentences by label of what cannot be printed."""
    told = json.dumps({str(key): words for key, words in failures.items()})
    await tx.run("UPDATE freight_print SET failures = failures || %s WHERE id = %s", [told, id_])


# ── Manifests ───────────────────────────────────────────────────────────────────────────────────────────────


async def leaving(tx: Tx, account_id: UUID | None = None) -> list[dict[str, Any]]:
    """Bought and on no manifest yet, by carrier, oldest first."""
    return await tx.all(
        f"""{_LABEL} WHERE l.status = 'bought' AND l.manifest_id IS NULL
            AND (%(account)s::uuid IS NULL OR l.account_id = %(account)s)
            ORDER BY a.name, l.account_id, l.bought_at, l.id""",
        {"account": account_id},
    )


async def sign(
    tx: Tx, account_id: UUID, ids: Sequence[UUID], day: date, name: str, by: str, now: datetime
) -> tuple[UUID, int]:
    """A manifest of these labels, numbered; its parcels left, and their channels are due to be told."""
    await tx.run("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [NUMBERING, str(tx.seller)])
    number = await tx.value("SELECT coalesce(max(number), 0) + 1 FROM freight_manifest")
    made = new_id()
    await tx.run(
        """INSERT INTO freight_manifest (seller_id, id, account_id, number, day, signed_at, signed_by, signed_name)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        [tx.seller, made, account_id, number, day, now, by, name],
    )
    await tx.run(
        "UPDATE freight_label SET manifest_id = %s WHERE id = ANY(%s) AND account_id = %s AND status = 'bought' "
        "AND manifest_id IS NULL",
        [made, list(ids), account_id],
    )
    await tx.run(
        """UPDATE shipment SET news_due_at = coalesce(news_due_at, %s), news_dirty_at = coalesce(news_dirty_at, %s)
           WHERE id IN (SELECT shipment_id FROM freight_label WHERE manifest_id = %s)
             AND NOT 'dispatched' = ANY(news_told)""",
        [now, now, made],
    )
    return made, number


async def numbered(tx: Tx, account_id: UUID, number: int) -> dict[str, Any] | None:
    """A carrier's signed manifest: id, number, day, who signed and when."""
    return await tx.one(
        "SELECT id, number, day, signed_at, signed_by, signed_name FROM freight_manifest "
        "WHERE account_id = %s AND number = %s",
        [account_id, number],
    )


_MANIFEST: LiteralString = """
    SELECT m.id, m.number, m.day, m.account_id, a.name AS account, a.channel, m.signed_at, m.signed_name,
           (SELECT count(*)::int FROM freight_label l WHERE l.seller_id = m.seller_id AND l.manifest_id = m.id)
           AS parcels
    FROM freight_manifest m JOIN account a ON a.seller_id = m.seller_id AND a.id = m.account_id"""


async def manifests(tx: Tx, limit: int = 50, *, before: int | None = None) -> list[dict[str, Any]]:
    """Signed manifests, the newest first, with how many parcels each; `before`: of lower numbers only."""
    return await tx.all(
        f"{_MANIFEST} WHERE %(before)s::int IS NULL OR m.number < %(before)s ORDER BY m.number DESC LIMIT %(limit)s",
        {"before": before, "limit": limit},
    )


async def manifest(tx: Tx, id_: UUID) -> dict[str, Any] | None:
    """One of them."""
    return await tx.one(f"{_MANIFEST} WHERE m.id = %s", [id_])


async def on_manifest(tx: Tx, id_: UUID) -> list[dict[str, Any]]:
    """Labels of a manifest, in the order in which they were bought."""
    return await tx.all(f"{_LABEL} WHERE l.manifest_id = %s ORDER BY l.bought_at, l.id", [id_])


# ── Cancelling ──────────────────────────────────────────────────────────────────────────────────────────────


async def parcel_cancelled(tx: Tx, shipment_id: UUID) -> list[str]:
    """The parcel of a cancelled label: followed no more. Answers what its channel had been told of it."""
    row = await tx.one(
        """UPDATE shipment SET status = 'cancelled', track_due_at = NULL, news_due_at = NULL WHERE id = %s
           RETURNING news_told""",
        [shipment_id],
    )
    return list(row["news_told"]) if row else []

"""Slots that are held back: parked after a refusal, or braked before a zero that a person should see first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx, alerts, slots

UNBRAKED = ("sale", "allowed")  # causes of zeros that always go out: they sold out, or a person saw them


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which held slots are meant; every part that is given narrows. `ref`: as the channel names listing or slot."""

    account_id: UUID | None = None
    ref: str | None = None
    code: str | None = None
    ids: Sequence[UUID] | None = None

    def params(self) -> dict[str, Any]:
        """For `_WANTED`."""
        ids = None if self.ids is None else list(self.ids)
        return {"account": self.account_id, "ref": self.ref, "code": self.code, "ids": ids}


_WANTED: LiteralString = """
    (%(account)s::uuid IS NULL OR s.account_id = %(account)s)
    AND (%(code)s::text IS NULL OR s.parked_code = %(code)s)
    AND (%(ids)s::uuid[] IS NULL OR s.id = ANY(%(ids)s::uuid[]))
    AND (%(ref)s::text IS NULL OR %(ref)s IN (s.id::text, s.ref, s.listing_ref, s.listing_ref || ':' || s.variation_ref)
         OR EXISTS (SELECT FROM listing l WHERE l.seller_id = s.seller_id AND l.slot_id = s.id AND l.ref = %(ref)s))"""
_THERE: LiteralString = "s.managed_by = 'seller' AND s.status <> 'closed' AND s.seen_at IS NOT NULL"
_KINDS: dict[str, LiteralString] = {"parked": "s.parked_code IS NOT NULL", "braked": "s.braked"}


async def held(tx: Tx, kind: str, wanted: Wanted, limit: int | None = None) -> list[dict[str, Any]]:
    """Slots "parked" or "braked", with why, what they show and what would be sent: null where nothing would be."""
    sql = f"""
        SELECT s.id, s.account_id, a.name AS account, a.channel, a.status AS account_status, s.ref, s.location_ref,
               s.listing_ref, s.variation_ref, k.code AS sku, s.parked_code, s.parked_reason, s.braked, s.cause,
               s.expected AS shows, s.seen, s.seen_at, s.desired,
               CASE WHEN {_THERE} AND s.desired IS DISTINCT FROM s.expected THEN s.desired + s.reserved_there
                    END AS would_send,
               s.status, s.managed_by
        FROM stock_slot s JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
        LEFT JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
        WHERE {_KINDS[kind]} AND {_WANTED} ORDER BY a.name, s.ref, s.location_ref LIMIT %(limit)s"""
    return await tx.all(sql, {**wanted.params(), "limit": limit})


async def unpark(tx: Tx, wanted: Wanted) -> list[UUID]:
    """Let parked slots try again; their alerts are settled. They are looked at before anything is sent.

    Answers their ids, in id order.
    """
    sql = f"""
        WITH parked AS (
            SELECT s.seller_id, s.id FROM stock_slot s WHERE s.parked_code IS NOT NULL AND {_WANTED}
            ORDER BY s.id FOR UPDATE
        )
        UPDATE stock_slot s SET parked_code = NULL, parked_reason = NULL, doubt_until = now(), attempts = 0,
            due_at = CASE WHEN {_THERE} AND NOT s.braked THEN now() END
        FROM parked WHERE s.seller_id = parked.seller_id AND s.id = parked.id RETURNING s.id, s.account_id, s.ref"""
    rows = await tx.all(sql, wanted.params())
    for row in rows:
        await alerts.resolve(tx, "slot_parked", f"{row['account_id']}/{row['ref']}")
    return sorted(row["id"] for row in rows)


async def would_zero(tx: Tx, account_id: UUID) -> tuple[int, int]:
    """(slots that show something, of those how many would go to zero for another cause than sales) for the brake."""
    row = await tx.one(
        """SELECT count(*) FILTER (WHERE expected > 0) AS showing,
                  count(*) FILTER (WHERE expected > 0 AND desired = 0 AND NOT cause = ANY(%s)) AS to_zero
           FROM stock_slot WHERE account_id = %s AND managed_by = 'seller' AND status <> 'closed'""",
        [list(UNBRAKED), account_id],
    )
    return (row["showing"], row["to_zero"]) if row else (0, 0)


async def brake(tx: Tx, account_id: UUID) -> int:
    """Hold the slots of an account that would go to zero."""
    await slots.lock_account(tx, account_id)
    sql = """
        UPDATE stock_slot SET braked = true, due_at = NULL
        WHERE account_id = %s AND desired = 0 AND expected IS DISTINCT FROM 0 AND NOT cause = ANY(%s)"""
    return await tx.run(sql, [account_id, list(UNBRAKED)])


async def let_go(tx: Tx, account_id: UUID, slot_ids: Sequence[UUID] | None = None) -> int:
    """Let the braked zeros (of these slots) go: a person saw them, and they are not asked about again."""
    await slots.lock_account(tx, account_id)
    sql = f"""
        UPDATE stock_slot s SET braked = false, cause = 'allowed',
            due_at = CASE WHEN {_THERE} AND s.parked_code IS NULL THEN now() END
        WHERE account_id = %(account)s AND braked AND (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s::uuid[]))"""
    return await tx.run(sql, {"account": account_id, "ids": None if slot_ids is None else list(slot_ids)})

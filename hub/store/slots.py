"""Stock slots: what falls due for a push, who holds it, and what became of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from hub.model import Outcome, StockWrite
from hub.settlement import Reckoning, reckon
from hub.store import Tx, new_id

LEASE = timedelta(seconds=30)
UNBRAKED = ("sale", "allowed")  # causes of zeros that always go out: they sold out, or a person saw them

# What a channel did to its own shelf: listing_ref, variation_ref, units the shelf lost (negative: got back, 0: both,
# by an unknown number), and between when and when that happened there.
OwnChange: TypeAlias = tuple[str, str | None, int, datetime | None, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A claimed slot. `expected` is what the channel shows by our reckoning, None when in doubt or never seen."""

    id: UUID
    ref: str
    location_ref: str | None
    listing_ref: str
    variation_ref: str | None
    sku_id: UUID | None
    desired: int | None
    expected: int | None
    pushed: int | None
    version: str | None
    generation: int
    attempts: int
    dirty_at: datetime | None
    doubt_until: datetime | None
    pending: str | None
    cause: str

    def write(self, *, version: str | None = None, expected: int | None = None) -> StockWrite:
        """The write that makes the channel show what is desired (0 where only an address is needed)."""
        return StockWrite(
            slot_ref=self.ref,
            location_ref=self.location_ref,
            listing_ref=self.listing_ref,
            variation_ref=self.variation_ref,
            quantity=self.desired or 0,
            version=version or self.version,
            expected=self.expected if expected is None else expected,
        )


_COLUMNS = """s.id, s.ref, s.location_ref, s.listing_ref, s.variation_ref, s.sku_id, s.desired, s.expected, s.pushed,
    s.version, s.generation, s.attempts, s.dirty_at, s.doubt_until, s.pending, s.cause"""


async def claim(
    tx: Tx,
    account_id: UUID,
    token: UUID,
    worker: int,
    now: datetime,
    limit: int,
    only: Sequence[UUID] | None = None,
) -> list[Due]:
    """Take up to `limit` due slots of an account: decreases first, then the lowest availability.

    A slot is not raised while a sale of it waits to learn who fulfils it: the write would put the unit back.
    """
    sql = f"""
        WITH due AS (
            SELECT seller_id, id FROM stock_slot
            WHERE account_id = %(account)s AND due_at <= %(now)s AND parked_code IS NULL AND NOT braked
              AND managed_by = 'seller' AND status <> 'closed' AND (lease_until IS NULL OR lease_until <= %(now)s)
              AND (doubt_until IS NULL OR doubt_until <= %(now)s)
              AND NOT (desired > coalesce(expected, 0) AND EXISTS (  -- a sale whose fulfiller is not told yet
                  SELECT FROM orders o JOIN order_line l ON l.seller_id = o.seller_id AND l.order_id = o.id
                  WHERE o.seller_id = stock_slot.seller_id AND o.account_id = stock_slot.account_id
                    AND o.fulfilled_by_due IS NOT NULL AND l.listing_ref = stock_slot.listing_ref
                    AND l.variation_ref IS NOT DISTINCT FROM stock_slot.variation_ref))
              AND (%(only)s::uuid[] IS NULL OR id = ANY(%(only)s::uuid[]))
            ORDER BY (desired >= coalesce(expected, 0)), desired, due_at
            LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE stock_slot s SET lease_token = %(token)s, lease_until = %(until)s, lease_by = %(worker)s
        FROM due WHERE s.seller_id = due.seller_id AND s.id = due.id
        RETURNING {_COLUMNS}"""
    params = {
        "account": account_id, "now": now, "limit": limit, "token": token, "until": now + LEASE, "worker": worker,
        "only": list(only) if only is not None else None,
    }  # fmt: skip
    rows = await tx.all(sql, params)
    return sorted((Due(**row) for row in rows), key=lambda d: ((d.desired or 0) >= (d.expected or 0), d.desired or 0))


async def again(tx: Tx, token: UUID) -> list[Due]:
    """The claimed slots as they stand now (desired may have moved since the claim)."""
    rows = await tx.all(f"SELECT {_COLUMNS} FROM stock_slot s WHERE lease_token = %s", [token])
    return [Due(**row) for row in rows]


async def lock(tx: Tx, slot_ids: Iterable[UUID]) -> list[UUID]:
    """Lock slots in id order, as everybody does who changes several in one transaction. Answers the order."""
    ids = sorted(slot_ids)
    await tx.run("SELECT 1 FROM stock_slot WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [ids])
    return ids


async def begin(tx: Tx, token: UUID, slot_ids: Iterable[UUID], now: datetime, deadline: timedelta) -> set[UUID]:
    """Note that a write leaves: from here until its outcome is recorded the slots are in doubt.

    Should the worker be killed, nobody looks before `deadline`: until then the write may still land.
    """
    sql = """
        UPDATE stock_slot SET pushed = NULL, synced_from = %(now)s, synced_to = NULL, doubt_until = %(until)s,
            due_at = %(until)s, lease_until = %(lease)s
        WHERE lease_token = %(token)s AND id = ANY(%(ids)s) RETURNING id"""
    ids = await lock(tx, slot_ids)
    params = {"now": now, "until": now + deadline, "lease": now + LEASE, "token": token, "ids": ids}
    return {row["id"] for row in await tx.all(sql, params)}


async def release(tx: Tx, token: UUID, slot_ids: Iterable[UUID], due_at: datetime | None) -> None:
    """Give claimed slots back, due again at `due_at`, or at rest (None) where nothing moved meanwhile."""
    sql = """
        UPDATE stock_slot SET lease_token = NULL, lease_until = NULL, lease_by = NULL, attempts = 0,
            due_at = CASE WHEN %(due)s::timestamptz IS NULL AND doubt_until IS NULL
                          AND (desired IS NULL OR expected = desired) THEN NULL ELSE coalesce(%(due)s, now()) END
        WHERE lease_token = %(token)s AND id = ANY(%(ids)s)"""
    await tx.run(sql, {"due": due_at, "token": token, "ids": await lock(tx, slot_ids)})


async def accepted(
    tx: Tx, token: UUID, slot: Due, outcome: Outcome, began: datetime, answered: datetime, deadline: timedelta
) -> bool:
    """Record a write that the channel took. False when the lease was lost: then it stays in doubt.

    Where a sale was ingested while the write was under way (`own_sales` moved the doubt_until that `begin` set), it
    is to be read back; where the desired number moved on, the slot stays due.
    """
    sql = """
        UPDATE stock_slot SET
            pushed = %(quantity)s, expected = %(quantity)s, seen = coalesce(%(seen)s, seen), attempts = 0,
            version = NULL, synced_to = %(answered)s, last_pushed_at = %(answered)s, pending = NULL,
            pending_until = NULL, lease_token = NULL, lease_until = NULL, lease_by = NULL,
            doubt_until = CASE WHEN doubt_until <> %(noted)s THEN %(answered)s::timestamptz END,
            due_at = CASE WHEN doubt_until <> %(noted)s THEN %(answered)s::timestamptz
                          WHEN desired IS DISTINCT FROM %(quantity)s
                              THEN %(answered)s::timestamptz + interval '1 second'
                     END
        WHERE id = %(id)s AND lease_token = %(token)s RETURNING id"""
    params = {
        "id": slot.id, "token": token, "quantity": slot.desired, "seen": outcome.seen, "answered": answered,
        "noted": began + deadline,
    }  # fmt: skip
    return await tx.one(sql, params) is not None


async def looked(
    tx: Tx,
    token: UUID | None,
    slot_id: UUID,
    seen: int,
    version: str | None,
    began: datetime,
    answered: datetime,
) -> dict[str, Any] | None:
    """Record a read-back: what the channel shows is what we expect from here on. Answers the row as it was.

    A slot that somebody else is writing to, or whose last write may still land, is left alone (None).
    """
    sql = """
        UPDATE stock_slot s SET seen = %(seen)s, seen_at = %(answered)s, expected = %(seen)s,
            version = coalesce(%(version)s, s.version), synced_from = %(began)s, synced_to = %(answered)s,
            doubt_until = CASE WHEN s.doubt_until > %(began)s THEN s.doubt_until END,  -- a sale was heard of meanwhile
            dirty_at = CASE WHEN s.due_at IS NULL THEN %(answered)s ELSE s.dirty_at END,
            pushed = CASE WHEN s.desired = %(seen)s THEN %(seen)s END,
            due_at = CASE WHEN s.desired IS NULL OR s.parked_code IS NOT NULL THEN NULL
                          WHEN s.desired = %(seen)s AND s.lease_token IS NULL THEN NULL
                          ELSE coalesce(s.due_at, now()) END
        FROM (SELECT * FROM stock_slot WHERE id = %(id)s FOR UPDATE) was
        WHERE s.id = was.id AND s.lease_token IS NOT DISTINCT FROM %(token)s
            AND (s.lease_token IS NOT NULL OR s.doubt_until IS NULL OR s.doubt_until <= %(began)s)
            AND (s.lease_token IS NOT NULL OR s.synced_to IS NULL OR s.synced_to <= %(began)s)
        RETURNING was.expected AS expected, was.desired AS desired, was.seen AS seen, was.doubt_until,
            was.due_at AS due_at,
            s.due_at AS due_now, was.synced_from, was.status"""
    params = {
        "id": slot_id,
        "seen": seen,
        "version": version,
        "began": began,
        "answered": answered,
        "token": token,
    }
    return await tx.one(sql, params)


async def pend(tx: Tx, token: UUID, slot_id: UUID, ask: str, until: datetime) -> None:
    """The channel took the write to finish it later: ask about it by `until`."""
    sql = """
        UPDATE stock_slot SET pending = %s, pending_until = %s, due_at = %s, doubt_until = %s, lease_token = NULL,
            lease_until = NULL, lease_by = NULL
        WHERE id = %s AND lease_token = %s"""
    await tx.run(sql, [ask, until, until, until, slot_id, token])


async def retry(
    tx: Tx, token: UUID, slot_ids: Iterable[UUID], due_at: datetime, *, in_doubt: bool, landed: datetime | None = None
) -> None:
    """Give slots back after a failure. Not in doubt: the write certainly did not happen, so `expected` still holds.

    In doubt: not before `landed`, by when the write has landed if it ever does (None: by when `begin` said).
    """
    if in_doubt:
        sql = """
            UPDATE stock_slot SET attempts = attempts + 1,
                due_at = greatest(%(due)s, coalesce(%(landed)s, doubt_until)),
                doubt_until = coalesce(%(landed)s, doubt_until, now()), lease_token = NULL, lease_until = NULL,
                lease_by = NULL
            WHERE lease_token = %(token)s AND id = ANY(%(ids)s)"""
    else:  # a doubt from before, of a sale that is to be read back, stays one
        sql = """
            UPDATE stock_slot SET attempts = attempts + 1, due_at = %(due)s, lease_token = NULL, lease_until = NULL,
                lease_by = NULL, version = NULL,
                doubt_until = CASE WHEN synced_to IS NULL THEN now() ELSE doubt_until END
            WHERE lease_token = %(token)s AND id = ANY(%(ids)s)"""
    params = {"due": due_at, "landed": landed, "token": token, "ids": await lock(tx, slot_ids)}
    await tx.run(sql, params)


async def park(tx: Tx, token: UUID, slot_id: UUID, code: str, reason: str) -> bool:
    """Stop pushing to a slot until a person replays it; the reason is shown. False when the lease was lost."""
    sql = """
        UPDATE stock_slot SET parked_code = %s, parked_reason = %s, due_at = NULL, lease_token = NULL,
            lease_until = NULL, lease_by = NULL, attempts = 0, doubt_until = NULL
        WHERE id = %s AND lease_token = %s"""
    return await tx.run(sql, [code, reason[:500], slot_id, token]) == 1


async def unpark(tx: Tx, account_id: UUID | None = None) -> int:
    """Let parked slots try again (of one account, or all)."""
    sql = """
        UPDATE stock_slot SET parked_code = NULL, parked_reason = NULL, due_at = now(),
            doubt_until = now(), attempts = 1
        WHERE parked_code IS NOT NULL AND (%s::uuid IS NULL OR account_id = %s)"""
    return await tx.run(sql, [account_id, account_id])


async def log(
    tx: Tx, account_id: UUID, rows: Sequence[tuple[Due, Outcome]], sent: datetime, answered: datetime
) -> None:
    """Remember what was written, for the propagation feed and for attribution."""
    sql = """
        INSERT INTO push_log (seller_id, id, account_id, slot_id, sku_id, quantity, previous, outcome, code, message,
            dirty_at, sent_at, answered_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
    await tx.many(
        sql,
        [
            (tx.seller, new_id(), account_id, d.id, d.sku_id, d.desired, d.expected, o.outcome.value, o.code,
             (o.message or "")[:500] or None, d.dirty_at, sent, answered)
            for d, o in rows
        ],
    )  # fmt: skip


async def own_sales(tx: Tx, account_id: UUID, changes: Iterable[OwnChange]) -> None:
    """Account for what the selling channel did to its own shelf.

    A slot whose number cannot be decided is to be read back now. So is one that should have got units back: not
    every channel puts what is cancelled on its shelf again.
    """
    for listing_ref, variation_ref, units, since, until in changes:
        slot = await tx.one(
            """SELECT s.id, s.expected, s.synced_from, s.synced_to FROM stock_slot s
               JOIN listing l ON l.seller_id = s.seller_id AND l.slot_id = s.id
               WHERE l.account_id = %s AND l.ref = %s AND l.variation_ref IS NOT DISTINCT FROM %s
                 AND s.managed_by = 'seller'
               FOR UPDATE OF s LIMIT 1""",
            [account_id, listing_ref, variation_ref],
        )
        if slot is None:
            continue
        verdict = reckon(since, until, slot["synced_from"], slot["synced_to"])
        if verdict is Reckoning.OVERWRITTEN:
            continue
        if verdict is Reckoning.APPLIES and units > 0 and (slot["expected"] or 0) >= units:
            await tx.run("UPDATE stock_slot SET expected = expected - %s WHERE id = %s", [units, slot["id"]])
            continue
        await tx.run(
            # A write that may still land is waited out, and told by the moved time that something was sold meanwhile.
            """UPDATE stock_slot SET
                   doubt_until = CASE WHEN synced_to IS NULL AND doubt_until > now()
                                      THEN doubt_until + interval '1 millisecond' ELSE now() END,
                   due_at = coalesce(due_at, now()),
                   dirty_at = CASE WHEN due_at IS NULL OR lease_token IS NOT NULL THEN now() ELSE dirty_at END
               WHERE id = %s""",
            [slot["id"]],
        )


async def make_due(tx: Tx, account_id: UUID, now: datetime) -> int:
    """Every slot of an account whose channel does not show the desired number falls due."""
    sql = """
        UPDATE stock_slot SET due_at = greatest(%s, doubt_until), dirty_at = %s
        WHERE account_id = %s AND desired IS NOT NULL AND parked_code IS NULL AND managed_by = 'seller'
          AND (expected IS DISTINCT FROM desired OR doubt_until IS NOT NULL)"""
    return await tx.run(sql, [now, now, account_id])


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
    sql = """
        UPDATE stock_slot SET braked = true, due_at = NULL
        WHERE account_id = %s AND desired = 0 AND expected IS DISTINCT FROM 0 AND NOT cause = ANY(%s)"""
    return await tx.run(sql, [account_id, list(UNBRAKED)])


async def let_go(tx: Tx, account_id: UUID) -> int:
    """Let the held zeros go: a person saw them, and they are not asked about again."""
    return await tx.run(
        "UPDATE stock_slot SET braked = false, cause = 'allowed' WHERE account_id = %s AND braked", [account_id]
    )


async def state(tx: Tx, slot_id: UUID) -> dict[str, Any]:
    """What a slot should show, was told and was seen to show, with its account."""
    row = await tx.one(
        """SELECT a.channel, a.name AS account, s.ref, s.desired, s.pushed, s.expected, s.seen, s.seen_at,
                  s.parked_reason, s.braked, s.due_at
           FROM stock_slot s JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id WHERE s.id = %s""",
        [slot_id],
    )
    return row or {}

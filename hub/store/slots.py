"""Stock slots: what falls due for a push, who holds it, and what became of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString, TypeAlias
from uuid import UUID

from hub.model import Outcome, StockWrite
from hub.settlement import Reckoning, reckon
from hub.store import Tx, new_id

LEASE = timedelta(seconds=30)

# What a channel did to its own shelf: listing_ref, variation_ref, units the shelf lost (negative: got back, 0: both,
# by an unknown number), and between when and when that happened there.
OwnChange: TypeAlias = tuple[str, str | None, int, datetime | None, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A claimed slot. `expected` is what the channel shows by our reckoning, None when in doubt or never seen.

    `reserved_there`: units that the channel takes off by itself, 0 where it is told availability.
    """

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
    reserved_there: int

    def write(self, *, version: str | None = None, expected: int | None = None) -> StockWrite:
        """The write that makes the channel show what is desired (0 where only an address is needed)."""
        return StockWrite(
            slot_ref=self.ref,
            location_ref=self.location_ref,
            listing_ref=self.listing_ref,
            variation_ref=self.variation_ref,
            quantity=(self.desired or 0) + self.reserved_there,
            version=version or self.version,
            expected=self.expected if expected is None else expected,
        )


_COLUMNS = """s.id, s.ref, s.location_ref, s.listing_ref, s.variation_ref, s.sku_id, s.desired, s.expected, s.pushed,
    s.version, s.generation, s.attempts, s.dirty_at, s.doubt_until, s.pending, s.cause, s.reserved_there"""

# A slot that may be written to: nobody parked or braked it, its stock is the seller's, its channel has told that it is
# there and has not told that it is gone.
OPEN: LiteralString = """
    s.parked_code IS NULL AND NOT s.braked AND s.managed_by = 'seller' AND s.status <> 'closed'
    AND s.seen_at IS NOT NULL AND s.approved_at IS NOT NULL"""


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
            SELECT seller_id, id FROM stock_slot s
            WHERE account_id = %(account)s AND due_at <= %(now)s AND {OPEN} AND NOT s.withheld
              AND (lease_until IS NULL OR lease_until <= %(now)s)
              AND (doubt_until IS NULL OR doubt_until <= %(now)s)
              AND NOT (desired > coalesce(expected, 0) AND EXISTS (  -- a sale whose fulfiller is not told yet
                  SELECT FROM orders o JOIN order_line l ON l.seller_id = o.seller_id AND l.order_id = o.id
                  WHERE o.seller_id = s.seller_id AND o.account_id = s.account_id
                    AND o.fulfilled_by_due IS NOT NULL AND l.listing_ref = s.listing_ref
                    AND l.variation_ref IS NOT DISTINCT FROM s.variation_ref))
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
    return by_urgency([Due(**row) for row in rows])


def by_urgency(rows: Iterable[Due]) -> list[Due]:
    """Decreases first, then the lowest availability: a scarce limit goes to the slots about to sell out."""
    return sorted(rows, key=lambda d: ((d.desired or 0) >= (d.expected or 0), d.desired or 0))


async def again(tx: Tx, token: UUID, slot_ids: Iterable[UUID] | None = None) -> list[Due]:
    """The claimed slots (of these) as they stand now, locked: desired may have moved since the claim."""
    sql = f"""
        SELECT {_COLUMNS} FROM stock_slot s
        WHERE lease_token = %(token)s AND (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s::uuid[]))
        ORDER BY id FOR UPDATE"""
    ids = None if slot_ids is None else list(slot_ids)
    return by_urgency([Due(**row) for row in await tx.all(sql, {"token": token, "ids": ids})])


async def lock(tx: Tx, slot_ids: Iterable[UUID]) -> list[UUID]:
    """Lock slots in id order, as everybody does who changes several in one transaction. Answers the order."""
    ids = sorted(slot_ids)
    await tx.run("SELECT 1 FROM stock_slot WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [ids])
    return ids


async def lock_account(tx: Tx, account_id: UUID) -> None:
    """Lock every slot of an account in id order, before many of them are changed at once."""
    await tx.run("SELECT 1 FROM stock_slot WHERE account_id = %s ORDER BY id FOR UPDATE", [account_id])


async def begin(
    tx: Tx, token: UUID, slot_ids: Iterable[UUID], now: datetime, deadline: timedelta, *, since: datetime | None = None
) -> None:
    """Note that a write leaves: from here until its outcome is recorded the slots are in doubt. `again` locked them.

    Should the worker be killed, nobody looks before `deadline`: until then the write may still land. `since`: when
    what the write was made of was read there, if that was before `now`.
    """
    sql = """
        UPDATE stock_slot SET pushed = NULL, synced_from = %(since)s, synced_to = NULL, doubt_until = %(until)s,
            due_at = %(until)s, lease_until = %(lease)s
        WHERE lease_token = %(token)s AND id = ANY(%(ids)s)"""
    params = {
        "since": since or now, "until": now + deadline, "lease": now + LEASE, "token": token, "ids": list(slot_ids),
    }  # fmt: skip
    await tx.run(sql, params)


async def hand_back(tx: Tx, token: UUID, slot_ids: Iterable[UUID]) -> None:
    """Give claimed slots back untouched: as due as they were, and as often tried."""
    sql = """
        UPDATE stock_slot SET lease_token = NULL, lease_until = NULL, lease_by = NULL
        WHERE lease_token = %s AND id = ANY(%s)"""
    await tx.run(sql, [token, await lock(tx, slot_ids)])


async def release(tx: Tx, token: UUID, slot_ids: Iterable[UUID], due_at: datetime | None) -> None:
    """Give claimed slots back, due again at `due_at`, or at rest (None) where nothing moved meanwhile."""
    sql = """
        UPDATE stock_slot SET lease_token = NULL, lease_until = NULL, lease_by = NULL, attempts = 0,
            due_at = CASE WHEN %(due)s::timestamptz IS NULL AND doubt_until IS NULL
                          AND (desired IS NULL OR expected = desired) THEN NULL ELSE coalesce(%(due)s, now()) END
        WHERE lease_token = %(token)s AND id = ANY(%(ids)s)"""
    await tx.run(sql, {"due": due_at, "token": token, "ids": await lock(tx, slot_ids)})


async def accepted(
    tx: Tx, token: UUID, slot: Due, outcome: Outcome, began: datetime, answered: datetime, deadline: timedelta,
    *, read_back: timedelta | None = None,
) -> bool:  # fmt: skip
    """Record a write that the channel took. False when the lease was lost: then it stays in doubt.

    Where a sale was ingested while the write was under way (`own_sales` moved the doubt_until that `begin` set), it
    is to be read back; where the desired number moved on, the slot stays due. `read_back`: in any case, so much later.
    """
    sql = """
        UPDATE stock_slot SET
            pushed = %(quantity)s, expected = %(quantity)s, seen = coalesce(%(seen)s, seen), attempts = 0,
            version = NULL, held = NULL, held_desired = NULL, synced_to = %(answered)s,
            last_pushed_at = %(answered)s, pending = NULL, pending_until = NULL, lease_token = NULL,
            lease_until = NULL, lease_by = NULL,
            doubt_until = CASE WHEN doubt_until <> %(noted)s THEN %(answered)s::timestamptz
                               ELSE %(read_back)s::timestamptz END,
            due_at = CASE WHEN doubt_until <> %(noted)s THEN %(answered)s::timestamptz
                          WHEN %(read_back)s::timestamptz IS NOT NULL THEN %(read_back)s::timestamptz
                          WHEN desired IS DISTINCT FROM %(quantity)s
                              THEN %(answered)s::timestamptz + interval '1 second'
                     END
        WHERE id = %(id)s AND lease_token = %(token)s RETURNING id"""
    params = {
        "id": slot.id, "token": token, "quantity": slot.desired, "answered": answered, "noted": began + deadline,
        "seen": None if outcome.seen is None else outcome.seen - slot.reserved_there,
        "read_back": None if read_back is None else answered + read_back,
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
    *,
    reserved: int = 0,
) -> dict[str, Any] | None:
    """Record a read-back: what the channel shows is what we expect from here on. Answers the row as it was.

    `seen` compares with what is desired; `reserved` is what the channel takes off what it is told to show that.
    A slot that somebody else is writing to, or whose last write may still land, is left alone (None).
    """
    sql = f"""
        UPDATE stock_slot s SET seen = %(seen)s, seen_at = %(answered)s, expected = %(seen)s,
            reserved_there = %(reserved)s,
            version = coalesce(%(version)s, s.version), synced_from = %(began)s, synced_to = %(answered)s,
            doubt_until = CASE WHEN s.doubt_until > %(began)s THEN s.doubt_until END,  -- a sale was heard of meanwhile
            dirty_at = CASE WHEN s.due_at IS NULL THEN %(answered)s ELSE s.dirty_at END,
            pushed = CASE WHEN s.desired = %(seen)s THEN %(seen)s END,
            -- Who holds it lets it rest: should its worker die first, another comes and does.
            due_at = CASE WHEN NOT ({OPEN}) THEN NULL
                          WHEN (s.desired IS NULL OR s.desired = %(seen)s) AND %(token)s::uuid IS NULL THEN NULL
                          ELSE coalesce(s.due_at, now()) END,
            attempts = CASE WHEN s.desired = %(seen)s THEN 0 ELSE s.attempts END, pending = NULL, pending_until = NULL
        FROM (SELECT * FROM stock_slot WHERE id = %(id)s FOR UPDATE) was
        WHERE s.id = was.id AND (s.lease_token IS NOT DISTINCT FROM %(token)s
                -- a killed worker's lease: it ended, and nobody has taken it over yet
                OR %(token)s::uuid IS NULL AND s.lease_until <= %(began)s)
            AND (%(token)s::uuid IS NOT NULL OR s.doubt_until IS NULL OR s.doubt_until <= %(began)s)
            AND (%(token)s::uuid IS NOT NULL OR s.synced_to IS NULL OR s.synced_to <= %(began)s)
        RETURNING was.expected AS expected, was.desired AS desired, was.seen AS seen, was.doubt_until,
            was.due_at AS due_at,
            s.due_at AS due_now, was.synced_from, was.status"""
    params = {
        "id": slot_id,
        "seen": seen,
        "reserved": reserved,
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


async def of_changes(tx: Tx, account_id: UUID, changes: Iterable[OwnChange]) -> list[UUID]:
    """The slots that these changes are about, in id order."""
    named = sorted({(listing_ref, variation_ref or "") for listing_ref, variation_ref, *_more in changes})
    if not named:
        return []
    rows = await tx.all(
        """SELECT DISTINCT s.id FROM unnest(%s::text[], %s::text[]) AS told(ref, variation)
           JOIN listing l ON l.account_id = %s AND l.ref = told.ref AND coalesce(l.variation_ref, '') = told.variation
           JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id AND s.managed_by = 'seller'""",
        [[ref for ref, _ in named], [variation for _, variation in named], account_id],
    )
    return sorted(row["id"] for row in rows)


async def own_sales(tx: Tx, account_id: UUID, changes: Sequence[OwnChange]) -> None:
    """Account for what the selling channel did to its own shelf.

    A slot whose number cannot be decided is to be read back now. So is one that should have got units back: not
    every channel puts what is cancelled on its shelf again.
    """
    await lock(tx, await of_changes(tx, account_id, changes))
    for listing_ref, variation_ref, units, since, until in changes:
        slot = await tx.one(
            """SELECT s.id, s.expected, s.synced_from, s.synced_to FROM stock_slot s
               JOIN listing l ON l.seller_id = s.seller_id AND l.slot_id = s.id
               WHERE l.account_id = %s AND l.ref = %s AND l.variation_ref IS NOT DISTINCT FROM %s
                 AND s.managed_by = 'seller' ORDER BY s.id LIMIT 1""",
            [account_id, listing_ref, variation_ref],
        )
        if slot is not None:
            await _own_sale(tx, slot, units, reckon(since, until, slot["synced_from"], slot["synced_to"]))


async def _own_sale(tx: Tx, slot: Mapping[str, Any], units: int, verdict: Reckoning) -> None:
    if verdict is Reckoning.OVERWRITTEN:
        return
    if verdict is Reckoning.APPLIES and units > 0 and (slot["expected"] or 0) >= units:
        await tx.run("UPDATE stock_slot SET expected = expected - %s WHERE id = %s", [units, slot["id"]])
        return
    # A write that may still land is waited out, and told by the moved time that something was sold meanwhile.
    sql = f"""
        UPDATE stock_slot s SET
            doubt_until = CASE WHEN synced_to IS NULL AND doubt_until > now()
                               THEN doubt_until + interval '1 millisecond' ELSE now() END,
            due_at = CASE WHEN {OPEN} THEN coalesce(due_at, now()) END,
            dirty_at = CASE WHEN due_at IS NULL OR lease_token IS NOT NULL THEN now() ELSE dirty_at END
        WHERE id = %s"""
    await tx.run(sql, [slot["id"]])


async def make_due(tx: Tx, account_id: UUID, now: datetime) -> int:
    """Every slot of an account whose channel does not show the desired number falls due."""
    await lock_account(tx, account_id)
    sql = f"""
        UPDATE stock_slot s SET due_at = greatest(%s, doubt_until), dirty_at = %s
        WHERE account_id = %s AND desired IS NOT NULL AND {OPEN}
          AND (expected IS DISTINCT FROM desired OR doubt_until IS NOT NULL)"""
    return await tx.run(sql, [now, now, account_id])


async def state(tx: Tx, slot_id: UUID) -> dict[str, Any]:
    """What a slot should show, was told and was seen to show, with its account."""
    row = await tx.one(
        """SELECT a.id AS account_id, a.channel, a.name AS account, s.ref, s.desired, s.pushed, s.expected, s.seen,
                  s.seen_at, s.parked_reason, s.braked, s.due_at, s.reserved_there
           FROM stock_slot s JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id WHERE s.id = %s""",
        [slot_id],
    )
    return row or {}

"""Episodes of difference: what a channel showed against what the hub reckoned, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from hub.drift import GRACE, SKEW, Action, Drift, Episode, Finding, Push, State, look_again_at
from hub.store import Tx, new_id

LATE_ORDER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """A finding at one look, with what was decided."""

    slot_id: UUID
    listing_id: UUID | None
    finding: Finding
    action: Action
    seen: int | None
    desired: int | None
    suggested_sku_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An open episode and its row."""

    id: UUID
    slot_id: UUID
    episode: Episode


async def open_of(tx: Tx, slot_ids: Sequence[UUID]) -> list[Open]:
    """Open episodes of these slots: at most one about the number and one about the link of each."""
    rows = await tx.all(
        """SELECT id, slot_id, class, state, seen, expected, desired, first_seen_at, suggested_sku_id FROM drift
           WHERE slot_id = ANY(%s) AND closed_at IS NULL""",
        [list(slot_ids)],
    )
    return [
        Open(
            id=row["id"], slot_id=row["slot_id"], episode=Episode(
                class_=Drift(row["class"]), state=State(row["state"]), seen=row["seen"], expected=row["expected"],
                desired=row["desired"],
                first_seen_at=row["first_seen_at"], suggested=row["suggested_sku_id"],
            ),
        )
        for row in rows
    ]  # fmt: skip


async def last_pushes(tx: Tx, slot_ids: Sequence[UUID]) -> dict[UUID, Push]:
    """The last answered write to each of these slots."""
    rows = await tx.all(
        """SELECT s.id, p.quantity, p.previous, p.outcome, p.answered_at FROM unnest(%s::uuid[]) AS s(id)
           CROSS JOIN LATERAL (SELECT quantity, previous, outcome, answered_at FROM push_log
               WHERE slot_id = s.id ORDER BY answered_at DESC LIMIT 1) p""",
        [list(slot_ids)],
    )
    return {row.pop("id"): Push(**row) for row in rows}


@dataclass(frozen=True, slots=True)
class OrderSigns:
    """What orders may have to do with a slot's number."""

    unread: bool
    moved: bool


async def order_signs(tx: Tx, account_id: UUID, slot_ids: Sequence[UUID]) -> dict[UUID, OrderSigns]:
    """Whether an order notice of the account, since each slot's last write, waits or cannot be read; and whether an
    order of the slot's listings changed since then.

    A notice that came long after the difference was first seen cannot explain it.
    """
    rows = await tx.all(
        """SELECT s.id,
                  EXISTS (SELECT FROM inbox i WHERE i.seller_id = s.seller_id AND i.account_id = s.account_id
                      AND i.state IN ('due', 'parked') AND i.topic IN ('order', 'shipment')
                      AND i.received_at >= coalesce(d.first_seen_at, s.synced_from) - %(grace)s
                      AND (d.id IS NULL OR i.received_at <= d.first_seen_at + %(grace)s)) AS unread,
                  EXISTS (SELECT FROM order_line l JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
                      WHERE l.seller_id = s.seller_id AND l.sku_id = s.sku_id AND l.listing_ref = s.listing_ref
                        AND l.variation_ref IS NOT DISTINCT FROM s.variation_ref AND o.account_id = s.account_id
                        AND o.updated_at >= coalesce(d.first_seen_at, s.synced_from) - %(skew)s) AS moved
           FROM stock_slot s LEFT JOIN drift d ON d.seller_id = s.seller_id AND d.slot_id = s.id
                AND d.class <> 'wrong_link' AND d.closed_at IS NULL
           WHERE s.id = ANY(%(ids)s)""",
        {"ids": list(slot_ids), "grace": GRACE, "skew": SKEW},
    )
    return {row["id"]: OrderSigns(row["unread"], row["moved"]) for row in rows}


_OPEN = """
    INSERT INTO drift (seller_id, id, account_id, slot_id, listing_id, class, direction, why, state, seen, expected,
        desired, suggested_sku_id, first_seen_at, last_seen_at, check_at)
    VALUES (%(seller)s, %(id)s, %(account)s, %(slot_id)s, %(listing_id)s, %(class)s, %(direction)s, %(why)s, %(state)s,
        %(seen)s, %(expected)s, %(desired)s, %(suggested)s, %(now)s, %(now)s, %(check_at)s)"""
_TOUCH = """
    UPDATE drift SET class = %(class)s, direction = %(direction)s, why = %(why)s, state = %(state)s, seen = %(seen)s,
        expected = %(expected)s, desired = %(desired)s, suggested_sku_id = %(suggested)s, last_seen_at = %(now)s,
        count = count + 1, check_at = %(check_at)s
    WHERE id = %(id)s"""


async def keep(tx: Tx, account_id: UUID, met: Sequence[Met], known: Sequence[Open], now: datetime) -> datetime | None:
    """Write what a page met: new episodes, those seen again, and the end of those that were not met.

    `known`: open episodes of the slots that were looked at. Answers when to look again soonest.
    """
    had = {(each.slot_id, each.episode.class_ is Drift.WRONG_LINK): each for each in known}
    new: list[dict[str, Any]] = []
    again: list[dict[str, Any]] = []
    for each in met:
        old = had.pop((each.slot_id, each.finding.class_ is Drift.WRONG_LINK), None)
        first = old.episode.first_seen_at if old else now
        waits = each.action.state in (State.WAITING, State.REPAIRING)
        row = {
            "seller": tx.seller, "account": account_id, "slot_id": each.slot_id, "listing_id": each.listing_id,
            "class": each.finding.class_, "direction": each.finding.direction, "why": each.finding.why,
            "state": each.action.state, "seen": each.seen, "expected": each.finding.expected, "desired": each.desired,
            "suggested": each.suggested_sku_id, "now": now, "id": old.id if old else new_id(),
            "check_at": look_again_at(first, now) if waits else None,
        }  # fmt: skip
        (again if old else new).append(row)
    await tx.many(_OPEN, new)
    await tx.many(_TOUCH, again)
    await close(tx, [each.id for each in had.values()], now)
    return min((row["check_at"] for row in [*new, *again] if row["check_at"]), default=None)


async def close(tx: Tx, ids: Sequence[UUID], now: datetime) -> None:
    """End episodes: repaired, where that was under way; explained, where the loss had an order; else it went away.

    A sale whose order came a little later is no difference worth remembering.
    """
    if not ids:
        return
    await tx.run(
        "DELETE FROM drift WHERE id = ANY(%s) AND class = 'unknown_sale' AND first_seen_at > %s",
        [list(ids), now - LATE_ORDER],
    )
    await tx.run(
        """UPDATE drift SET state = 'closed', closed_at = %s, check_at = NULL, ended = CASE state
             WHEN 'repairing' THEN 'repaired' ELSE CASE class WHEN 'unknown_sale' THEN 'explained'
             ELSE 'went_away' END END WHERE id = ANY(%s)""",
        [now, list(ids)],
    )


async def gone(tx: Tx, account_id: UUID, refs: Sequence[str], state: State, now: datetime) -> None:
    """Note that listings are gone, one episode a slot, in place of what was open there."""
    rows = await tx.all(
        """SELECT DISTINCT ON (s.id) s.id AS slot_id, l.id AS listing_id, s.seen, s.expected, s.desired FROM listing l
           JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id AND s.status = 'closed'
           WHERE l.account_id = %s AND l.ref = ANY(%s) AND s.sku_id IS NOT NULL AND s.desired IS NOT NULL""",
        [account_id, list(refs)],
    )
    known = await open_of(tx, [row["slot_id"] for row in rows])
    met = [
        Met(
            slot_id=row["slot_id"], listing_id=row["listing_id"], seen=row["seen"], desired=row["desired"],
            finding=Finding(class_=Drift.GONE, direction=None, expected=row["expected"], why="not_met"),
            action=Action(state, None),
        )
        for row in rows
    ]  # fmt: skip
    await keep(tx, account_id, met, known, now)


async def recheck_at(tx: Tx, account_id: UUID, at: datetime) -> None:
    """The account's rechecks fall due by then."""
    await tx.run(
        """INSERT INTO task (seller_id, account_id, kind, due_at) VALUES (%s, %s, 'recheck', %s)
           ON CONFLICT (seller_id, account_id, kind) DO UPDATE SET due_at = least(task.due_at, excluded.due_at)""",
        [tx.seller, account_id, at],
    )


async def close_settled(tx: Tx, account_id: UUID, now: datetime) -> None:
    """Close what was being repaired and is to be looked at now, where the channel answered the right number since."""
    rows = await tx.all(
        """SELECT d.id FROM drift d JOIN stock_slot s ON s.seller_id = d.seller_id AND s.id = d.slot_id
           WHERE d.account_id = %s AND d.check_at <= %s AND d.state = 'repairing' AND s.expected = s.desired
             AND s.doubt_until IS NULL""",
        [account_id, now],
    )
    await close(tx, [row["id"] for row in rows], now)


async def to_recheck(tx: Tx, account_id: UUID, now: datetime, limit: int) -> list[str]:
    """Refs of listings that are to be looked at again now."""
    rows = await tx.all(
        """SELECT DISTINCT l.ref FROM drift d JOIN listing l ON l.seller_id = d.seller_id AND l.slot_id = d.slot_id
               AND l.gone_at IS NULL
           WHERE d.account_id = %s AND d.check_at <= %s ORDER BY l.ref LIMIT %s""",
        [account_id, now, limit],
    )
    return [row["ref"] for row in rows]


async def next_check(tx: Tx, account_id: UUID) -> datetime | None:
    """When the account's next recheck is due."""
    found: datetime | None = await tx.value(
        "SELECT min(check_at) FROM drift WHERE account_id = %s AND check_at IS NOT NULL", [account_id]
    )
    return found


async def give_up_checks(tx: Tx, account_id: UUID, now: datetime) -> None:
    """Close what waits for a look at listings that are not there any more."""
    rows = await tx.all(
        """SELECT d.id FROM drift d WHERE d.account_id = %s AND d.check_at <= %s AND NOT EXISTS (SELECT FROM listing l
               WHERE l.seller_id = d.seller_id AND l.slot_id = d.slot_id AND l.gone_at IS NULL)""",
        [account_id, now],
    )
    await close(tx, [row["id"] for row in rows], now)


# ── what people see ─────────────────────────────────────────────────────────────────────────────────────────

_SHOWN = """
    SELECT d.id, d.account_id, a.name AS account, a.channel, d.slot_id, d.class, d.direction, d.why, d.state, d.seen,
           d.expected, d.desired, d.count, d.first_seen_at, d.last_seen_at, d.closed_at, d.ended, d.decided_by,
           d.decided_at, u.name AS decider, l.id AS shown_listing_id, l.ref, l.variation_ref, l.title, l.multiplier,
           k.code AS sku, n.code AS suggested_sku, d.listing_id, s.seen_at
    FROM drift d JOIN account a ON a.seller_id = d.seller_id AND a.id = d.account_id
    JOIN stock_slot s ON s.seller_id = d.seller_id AND s.id = d.slot_id
    LEFT JOIN LATERAL (SELECT id, ref, variation_ref, title, multiplier FROM listing l WHERE l.seller_id = d.seller_id
        AND l.slot_id = d.slot_id AND (d.listing_id IS NULL OR l.id = d.listing_id) LIMIT 1) l ON true
    LEFT JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
    LEFT JOIN sku n ON n.seller_id = d.seller_id AND n.id = d.suggested_sku_id
    LEFT JOIN app_user u ON d.decided_by LIKE 'web:%%' AND u.id::text = substr(d.decided_by, 5)"""


async def listed(
    tx: Tx,
    *,
    state: str | None = None,
    account_id: UUID | None = None,
    class_: str | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Episodes, the newest first; keyset by id. `state`: one of hub.drift.State; None: every open one."""
    where: list[LiteralString] = ["d.closed_at IS NOT NULL" if state == State.CLOSED else "d.closed_at IS NULL"]
    if state is not None:
        where.append("d.state = %(state)s")
    if account_id is not None:
        where.append("d.account_id = %(account)s")
    if class_ is not None:
        where.append("d.class = %(class)s")
    if after is not None:
        where.append("d.id < %(after)s")
    sql: Any = f"{_SHOWN} WHERE {' AND '.join(where)} ORDER BY d.id DESC LIMIT %(limit)s"
    return await tx.all(sql, {"state": state, "account": account_id, "class": class_, "after": after, "limit": limit})


async def one(tx: Tx, id_: UUID) -> dict[str, Any] | None:
    """An episode, locked; None when there is none of that id."""
    if await tx.one("SELECT id FROM drift WHERE id = %s FOR UPDATE", [id_]) is None:
        return None
    return await tx.one(f"{_SHOWN} WHERE d.id = %s", [id_])


async def decide(tx: Tx, id_: UUID, state: State, now: datetime) -> None:
    """Keep what was decided about an episode, and by whom (balcao.actor)."""
    await tx.run(
        """UPDATE drift SET state = %(state)s, decided_at = %(now)s,
               check_at = CASE WHEN %(state)s = 'repairing' THEN %(now)s + %(grace)s END,
               decided_by = coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow'),
               closed_at = CASE WHEN %(state)s = 'closed' THEN %(now)s END,
               ended = CASE WHEN %(state)s = 'closed' THEN 'accepted' END
           WHERE id = %(id)s""",
        {"state": state, "now": now, "id": id_, "grace": GRACE},
    )


async def proposed(tx: Tx, account_id: UUID | None) -> list[UUID]:
    """Episodes that wait for a person's word, oldest first."""
    rows = await tx.all(
        "SELECT id FROM drift WHERE state = 'proposed' AND (%s::uuid IS NULL OR account_id = %s) ORDER BY id",
        [account_id, account_id],
    )
    return [row["id"] for row in rows]


async def figures(tx: Tx, account_id: UUID | None = None) -> list[dict[str, Any]]:
    """Open episodes by account, class and state: (account_id, class, direction, state, count, oldest)."""
    return await tx.all(
        """SELECT account_id, class, direction, state, count(*)::int AS count, min(first_seen_at) AS oldest FROM drift
           WHERE closed_at IS NULL AND (%s::uuid IS NULL OR account_id = %s)
           GROUP BY account_id, class, direction, state ORDER BY account_id, class, direction, state""",
        [account_id, account_id],
    )


async def met_since(tx: Tx, account_id: UUID, since: datetime) -> Mapping[str, int]:
    """Episodes about numbers and links that looks since then met, by class; those only noted left out."""
    rows = await tx.all(
        """SELECT class, count(*)::int AS count FROM drift WHERE account_id = %s AND last_seen_at >= %s
             AND class = ANY('{external_edit,lost_push,unknown_sale,wrong_link,unmanaged}') GROUP BY class""",
        [account_id, since],
    )
    return {row["class"]: row["count"] for row in rows}


async def forget(tx: Tx, before: datetime) -> int:
    """Drop episodes that were over before then."""
    return await tx.run("DELETE FROM drift WHERE closed_at < %s", [before])

"""The account whose numbers are the truth: its role, what its slots were read to show, and what of that is adopted."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.model import Order
from hub.store import Tx


async def other_source(tx: Tx, account_id: UUID) -> str | None:
    """The name of another account that is the source, if there is one."""
    name: str | None = await tx.value(
        "SELECT name FROM account WHERE stock_role = 'source' AND status <> 'closed' AND id <> %s", [account_id]
    )
    return name


async def begin(tx: Tx, account_id: UUID, now: datetime) -> None:
    """Every linked slot is to be read, and its number adopted; the task that does it is due."""
    await tx.run(
        """UPDATE stock_slot SET adopt_since = CASE WHEN sku_id IS NOT NULL AND managed_by = 'seller'
               AND status <> 'closed' THEN %s::timestamptz END, adopted_at = NULL, held = NULL, held_desired = NULL
           WHERE account_id = %s""",
        [now, account_id],
    )
    await tx.run(
        """INSERT INTO task (seller_id, account_id, kind, due_at) VALUES (%s, %s, 'source', %s)
           ON CONFLICT (seller_id, account_id, kind) DO UPDATE SET due_at = excluded.due_at""",
        [tx.seller, account_id, now],
    )


async def end(tx: Tx, account_id: UUID) -> None:
    """Nothing of it is adopted any more."""
    await tx.run("UPDATE stock_slot SET adopt_since = NULL, adopted_at = NULL WHERE account_id = %s", [account_id])
    await tx.run("DELETE FROM task WHERE account_id = %s AND kind = 'source'", [account_id])


async def forget_desired(tx: Tx, account_id: UUID) -> None:
    """Its slots get no number from us; what was claimed is not written."""
    await tx.run(
        """UPDATE stock_slot SET desired = NULL, due_at = NULL, braked = false, lease_token = NULL, lease_until = NULL,
               lease_by = NULL
           WHERE account_id = %s""",
        [account_id],
    )


async def skus_of(tx: Tx, account_id: UUID) -> list[UUID]:
    """The SKUs that an account's slots sell, in id order."""
    rows = await tx.all(
        "SELECT DISTINCT sku_id FROM stock_slot WHERE account_id = %s AND sku_id IS NOT NULL ORDER BY sku_id",
        [account_id],
    )
    return [row["sku_id"] for row in rows]


async def doubles(tx: Tx, account_id: UUID) -> list[dict[str, Any]]:
    """SKUs that an account tells in more than one place: {code, places}."""
    return await tx.all(
        """SELECT k.code, array_agg(concat_ws(':', s.listing_ref, s.variation_ref) ORDER BY s.id) AS places
           FROM stock_slot s JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
           WHERE s.account_id = %s AND s.status <> 'closed' AND s.managed_by = 'seller'
           GROUP BY k.seller_id, k.id HAVING count(*) > 1 ORDER BY k.code LIMIT 20""",
        [account_id],
    )


async def note(
    tx: Tx, account_id: UUID, readings: Mapping[UUID, tuple[int, str | None]], began: datetime, answered: datetime
) -> int:
    """Record readings of a source, {slot: (number, version)}. Those that differ are flagged, and stay as reckoned:
    the difference is what is adopted. Answers how many; the slots must be locked.
    """
    ids = list(readings)
    params = {
        "account": account_id, "began": began, "answered": answered, "ids": ids,
        "seen": [readings[id_][0] for id_ in ids], "versions": [readings[id_][1] for id_ in ids],
    }  # fmt: skip
    await tx.run(
        """UPDATE stock_slot s SET seen = told.seen, seen_at = %(answered)s,
               version = coalesce(told.version, s.version),
               expected = CASE WHEN s.sku_id IS NULL THEN told.seen ELSE s.expected END,
               synced_from = CASE WHEN told.same THEN %(began)s ELSE s.synced_from END,
               synced_to = CASE WHEN told.same THEN %(answered)s ELSE s.synced_to END
           FROM (SELECT t.id, t.seen, t.version,
                        o.sku_id IS NULL OR (o.expected = t.seen AND o.adopted_at IS NOT NULL) AS same
                 FROM unnest(%(ids)s::uuid[], %(seen)s::int[], %(versions)s::text[]) AS t(id, seen, version)
                 JOIN stock_slot o ON o.id = t.id) told
           WHERE s.id = told.id AND s.lease_token IS NULL AND s.doubt_until IS NULL
             AND (s.synced_to IS NULL OR s.synced_to <= %(began)s)""",
        params,
    )
    count = await tx.run(
        """UPDATE stock_slot s SET adopt_since = coalesce(s.adopt_since, %(answered)s)
           FROM unnest(%(ids)s::uuid[], %(seen)s::int[]) AS told(id, seen)
           WHERE s.id = told.id AND s.sku_id IS NOT NULL AND s.managed_by = 'seller'
             AND (s.expected IS DISTINCT FROM told.seen OR s.adopted_at IS NULL)""",
        params,
    )
    if count:
        await soon(tx, account_id, answered)
    return count


async def soon(tx: Tx, account_id: UUID, now: datetime) -> None:
    """What is flagged is adopted now."""
    await tx.run("UPDATE task SET due_at = %s WHERE account_id = %s AND kind = 'source'", [now, account_id])


async def hand_over(tx: Tx, token: UUID, slot_id: UUID, account_id: UUID, now: datetime) -> None:
    """A claimed slot that shows another number than reckoned: that is adopted before anything is written."""
    await tx.run(
        """UPDATE stock_slot SET adopt_since = coalesce(adopt_since, %s), due_at = NULL, lease_token = NULL,
               lease_until = NULL, lease_by = NULL
           WHERE id = %s AND lease_token = %s""",
        [now, slot_id, token],
    )
    await soon(tx, account_id, now)


async def flagged(tx: Tx, account_id: UUID, now: datetime, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Slots whose number is to be read again and adopted, by id: those flagged, and those in doubt."""
    return await tx.all(
        """SELECT s.id, s.ref, s.location_ref, s.listing_ref, s.variation_ref, s.sku_id, s.adopt_since
           FROM stock_slot s
           WHERE s.account_id = %(account)s AND s.sku_id IS NOT NULL AND s.managed_by = 'seller'
             AND s.status <> 'closed' AND (s.adopt_since IS NOT NULL OR s.doubt_until <= %(now)s)
             AND (s.lease_until IS NULL OR s.lease_until <= %(now)s)
             AND (%(after)s::uuid IS NULL OR s.id > %(after)s)
           ORDER BY s.id LIMIT %(limit)s""",
        {"account": account_id, "now": now, "after": after, "limit": limit},
    )


async def facts(tx: Tx, slot_ids: Collection[UUID], now: datetime) -> dict[UUID, dict[str, Any]]:
    """What bears on a reading of these slots, by slot; nothing of those that somebody is writing to."""
    rows = await tx.all(
        """SELECT s.id, s.sku_id, k.code, s.multiplier, s.expected, s.desired, s.adopted_at, s.adopt_since,
                  s.doubt_until, s.synced_from, s.synced_to, k.opened_at IS NOT NULL AS opened,
                  EXISTS (SELECT FROM kit_component c WHERE c.seller_id = k.seller_id AND c.kit_id = k.id) AS is_kit,
                  coalesce((SELECT sum(v.on_hand) FROM stock_level v JOIN warehouse w
                     ON w.seller_id = v.seller_id AND w.id = v.warehouse_id AND w.kind IN ('own', 'marketplace')
                     WHERE v.seller_id = k.seller_id AND v.sku_id = k.id), 0)::int AS on_hand,
                  (SELECT max(greatest(o.placed_at, o.changed_at)) FROM listing l
                   JOIN order_line n ON n.seller_id = l.seller_id AND n.listing_ref = l.ref
                     AND n.variation_ref IS NOT DISTINCT FROM l.variation_ref
                   JOIN orders o ON o.seller_id = n.seller_id AND o.id = n.order_id AND o.account_id = l.account_id
                   WHERE l.slot_id = s.id AND l.gone_at IS NULL) AS order_at
           FROM stock_slot s JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
           WHERE s.id = ANY(%(ids)s) AND (s.lease_until IS NULL OR s.lease_until <= %(now)s)""",
        {"ids": list(slot_ids), "now": now},
    )
    return {row["id"]: row for row in rows}


async def settled(
    tx: Tx, readings: Sequence[tuple[UUID, int, str | None]], began: datetime, answered: datetime
) -> None:
    """These readings, (slot, number, version), are adopted: from here on only differences from them count."""
    await tx.many(
        """UPDATE stock_slot SET seen = %s, expected = %s, version = coalesce(%s, version), seen_at = %s,
               synced_from = %s, synced_to = %s, doubt_until = NULL, adopt_since = NULL, adopted_at = %s,
               pushed = CASE WHEN desired = %s THEN %s END,
               due_at = CASE WHEN desired IS NULL OR desired = %s THEN NULL ELSE due_at END
           WHERE id = %s""",
        [
            (seen, seen, version, answered, began, answered, answered, seen, seen, seen, slot_id)
            for slot_id, seen, version in readings
        ],
    )


async def open_lines(tx: Tx, account_id: UUID, sku_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """Lines of an account's own orders that sell these SKUs and have not left whole: units, and the order as told."""
    rows = await tx.all(
        """SELECT l.sku_id, (l.quantity - l.cancelled_quantity - l.dispatched_quantity) * l.multiplier AS units, o.told
           FROM order_line l JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
           WHERE o.account_id = %s AND l.sku_id = ANY(%s) AND o.status NOT IN ('cancelled', 'delivered')
             AND coalesce(l.fulfilled_by, '') <> 'marketplace'
             AND l.quantity - l.cancelled_quantity - l.dispatched_quantity > 0""",
        [account_id, list(sku_ids)],
    )
    return [{**row, "told": Order.model_validate_json(json.dumps(row["told"]))} for row in rows]


async def tells(tx: Tx, account_id: UUID, *, unopened_only: bool = False) -> list[dict[str, Any]]:
    """What an account tells of each plain SKU that it sells: the number shown there, in units of the SKU, and where.

    `physical` is that number with what the channel holds reserved. Of several places the lowest counts.
    """
    return await tx.all(
        """SELECT k.id AS sku_id, k.code, k.title, k.opened_at IS NOT NULL AS opened,
                  min(coalesce(s.expected, s.seen) * s.multiplier)::int AS shows,
                  min((coalesce(s.expected, s.seen) + s.reserved_there) * s.multiplier)::int AS physical,
                  bool_or(s.doubt_until IS NOT NULL) AS in_doubt,
                  array_agg(concat_ws(':', s.listing_ref, s.variation_ref) ORDER BY s.id) AS places,
                  coalesce((SELECT sum(v.on_hand) FROM stock_level v JOIN warehouse w
                     ON w.seller_id = v.seller_id AND w.id = v.warehouse_id AND w.kind IN ('own', 'marketplace')
                     WHERE v.seller_id = k.seller_id AND v.sku_id = k.id), 0)::int AS on_hand
           FROM stock_slot s JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
           WHERE s.account_id = %(account)s AND coalesce(s.expected, s.seen) IS NOT NULL AND s.managed_by = 'seller'
             AND s.status <> 'closed' AND (NOT %(unopened)s OR k.opened_at IS NULL)
             AND NOT EXISTS (SELECT FROM kit_component c WHERE c.seller_id = k.seller_id AND c.kit_id = k.id)
           GROUP BY k.seller_id, k.id ORDER BY k.code""",
        {"account": account_id, "unopened": unopened_only},
    )


async def doubtful(tx: Tx, account_id: UUID) -> list[str]:
    """Listings of an account whose number nobody knows: sold within the second of a reading, a write without answer."""
    rows = await tx.all(
        """SELECT DISTINCT listing_ref FROM stock_slot WHERE account_id = %s AND sku_id IS NOT NULL
             AND doubt_until <= now() AND status <> 'closed' AND managed_by = 'seller' ORDER BY 1""",
        [account_id],
    )
    return [row["listing_ref"] for row in rows]


async def unread(tx: Tx, account_id: UUID) -> list[str]:
    """Of an account's first readings, orders (poll) and listings, those that never came to their end."""
    rows = await tx.all(
        "SELECT kind FROM task WHERE account_id = %s AND kind IN ('poll', 'listings') AND succeeded_at IS NULL",
        [account_id],
    )
    return sorted(row["kind"] for row in rows)


async def set_reserved(tx: Tx, account_id: UUID, told: Mapping[str, int]) -> None:
    """What a channel takes off by itself, by slot ref; slots that somebody is writing to are left alone."""
    await tx.run(
        """UPDATE stock_slot s SET reserved_there = t.units FROM unnest(%s::text[], %s::int[]) AS t(ref, units)
           WHERE s.account_id = %s AND s.ref = t.ref AND s.lease_token IS NULL AND s.reserved_there <> t.units""",
        [list(told), list(told.values()), account_id],
    )

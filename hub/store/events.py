"""Events out: written by triggers in the transaction of the change (0004_events.sql), numbered and handed out here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub import stock as decide
from hub.events import STOCK, TEST
from hub.store import Tx, kits, new_id, stock, warehouses


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An event that nobody has numbered yet."""

    id: UUID
    kind: str
    subject: str
    at: datetime
    facts: dict[str, Any]


async def sellers_with_news(tx: Tx, now: datetime) -> list[UUID]:
    """Sellers with an event to number, or a SKU whose availability is to be looked at. Dispatch role."""
    rows = await tx.all(
        """SELECT i.seller_id FROM event_interest i
           WHERE EXISTS (SELECT FROM event e WHERE e.seller_id = i.seller_id AND e.number IS NULL)
              OR EXISTS (SELECT FROM sku_news n WHERE n.seller_id = i.seller_id AND n.due_at <= %s)""",
        [now],
    )
    return [row["seller_id"] for row in rows]


async def turn(tx: Tx) -> int | None:
    """The last number given, locked until this transaction ends; None: another is numbering this seller's events."""
    found: int | None = await tx.value("SELECT last_number FROM event_interest FOR UPDATE SKIP LOCKED")
    return found


async def pending(tx: Tx, limit: int) -> list[Pending]:
    """Events to be numbered, as they happened."""
    rows = await tx.all(
        "SELECT id, kind, subject, at, facts FROM event WHERE number IS NULL ORDER BY seq LIMIT %s", [limit]
    )
    return [Pending(**row) for row in rows]


async def names(tx: Tx, found: Iterable[Pending]) -> list[dict[str, Any]]:
    """The facts of each with what only their ids tell: the account's channel, a SKU's code, a parcel's orders."""
    rows = list(found)
    accounts = {row.facts["account_id"] for row in rows if "account_id" in row.facts}
    skus = {row.facts["sku_id"] for row in rows if row.kind != STOCK and row.facts.get("sku_id")}
    parcels = {row.facts["shipment_id"] for row in rows if "shipment_id" in row.facts}
    channels = await _map(tx, "SELECT id::text AS key, channel AS told FROM account WHERE id = ANY(%s)", accounts)
    codes = await _map(tx, "SELECT id::text AS key, code AS told FROM sku WHERE id = ANY(%s)", skus)
    orders = await _map(
        tx,
        """SELECT shipment_id::text AS key, array_agg(DISTINCT order_id ORDER BY order_id) AS told FROM shipment_line
           WHERE shipment_id = ANY(%s) GROUP BY shipment_id""",
        parcels,
    )
    made = []
    for row in rows:
        facts = dict(row.facts)
        if "account_id" in facts:
            facts["channel"] = channels[facts["account_id"]]
        if row.kind != STOCK and "sku_id" in facts:
            facts["sku"] = codes.get(facts.pop("sku_id"))
        if "shipment_id" in facts:
            facts["order_ids"] = orders.get(facts["shipment_id"], [])
        made.append(facts)
    return made


async def _map(tx: Tx, sql: Any, keys: Iterable[str]) -> dict[str, Any]:
    wanted = [UUID(key) for key in keys]
    return {row["key"]: row["told"] for row in await tx.all(sql, [wanted])} if wanted else {}


async def number(tx: Tx, told: Sequence[tuple[UUID, int, str]]) -> None:
    """Give events their numbers and bodies: (id, number, body). Under `turn`."""
    await tx.many("UPDATE event SET number = %s, body = %s WHERE id = %s", [(n, body, id_) for id_, n, body in told])
    await tx.run("UPDATE event_interest SET last_number = %s", [max(n for _id, n, _body in told)])


async def hand_out(tx: Tx, told: Sequence[Pending], now: datetime) -> int:
    """A delivery of each event for every endpoint that takes its kind. Answers how many.

    How a SKU stood before is not sent any more where it was not sent yet.
    """
    endpoints = await tx.all("SELECT id, kinds FROM event_endpoint WHERE disabled_at IS NULL")
    rows = [
        (tx.seller, new_id(), endpoint["id"], event.id, event.kind, event.subject, now)
        for event in told
        for endpoint in endpoints
        if _takes(endpoint, event)
    ]
    if skus := [each.subject for each in told if each.kind == STOCK]:
        await tx.run(
            """UPDATE event_delivery SET state = 'superseded', due_at = NULL, finished_at = %s
               WHERE endpoint_id = ANY(%s) AND subject = ANY(%s) AND kind = 'stock.changed' AND due_at IS NOT NULL
                 AND (lease_until IS NULL OR lease_until <= %s)""",
            [now, [each["id"] for each in endpoints], skus, now],
        )
    await tx.many(
        """INSERT INTO event_delivery (seller_id, id, endpoint_id, event_id, kind, subject, due_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        rows,
    )
    return len(rows)


def _takes(endpoint: Mapping[str, Any], event: Pending) -> bool:
    if event.kind == TEST:
        return str(endpoint["id"]) == event.subject
    return endpoint["kinds"] is None or event.kind in endpoint["kinds"]


async def add(tx: Tx, kind: str, subject: str, facts: str) -> UUID:
    """An event of our own, as the triggers write them; `facts` is JSON."""
    made: UUID = await tx.value(
        "INSERT INTO event (seller_id, kind, subject, facts) VALUES (%s, %s, %s, %s) RETURNING id",
        [tx.seller, kind, subject, facts],
    )
    return made


# ── availability ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A SKU, and what of it can be sold now; null: never counted."""

    sku_id: UUID
    sku: str
    available: int | None


async def moved_skus(tx: Tx, now: datetime, limit: int) -> list[Moved]:
    """SKUs and kits whose availability is another than told last, noted as told. What moved and came back is none."""
    rows = await tx.all(
        "SELECT sku_id FROM sku_news WHERE due_at <= %s ORDER BY due_at, sku_id LIMIT %s FOR UPDATE SKIP LOCKED",
        [now, limit],
    )
    marked = [row["sku_id"] for row in rows]
    if not marked:
        return []
    touched = sorted(await kits.with_kits_of(tx, marked))
    answers = await available(tx, touched)
    changed = await tx.all(
        """INSERT INTO sku_news AS n (seller_id, sku_id, available, told_at)
           SELECT %(seller)s, t.sku_id, t.available, %(now)s FROM unnest(%(skus)s::uuid[], %(told)s::int[])
               AS t(sku_id, available) ORDER BY t.sku_id
           ON CONFLICT (seller_id, sku_id) DO UPDATE SET available = excluded.available, told_at = excluded.told_at,
               due_at = NULL
           WHERE n.available IS DISTINCT FROM excluded.available
           RETURNING n.sku_id, n.available, (SELECT code FROM sku k WHERE k.id = n.sku_id) AS sku""",
        {"seller": tx.seller, "now": now, "skus": touched, "told": [answers[sku] for sku in touched]},
    )
    await tx.run("UPDATE sku_news SET due_at = NULL WHERE sku_id = ANY(%s)", [marked])
    found = {row["sku_id"]: Moved(**row) for row in changed}
    return [found[sku] for sku in touched if sku in found and (found[sku].available is not None or sku in marked)]


async def available(tx: Tx, sku_ids: Sequence[UUID]) -> dict[UUID, int | None]:
    """What of each SKU can be sold from the seller's own warehouses, before any buffer; null where uncounted."""
    made_of = await kits.kits(tx, sku_ids)
    parts = {sku: decide.flatten_kit(sku, made_of) for sku in sku_ids}
    components = {part.sku_id for flat in parts.values() for part in flat}
    levels: dict[UUID, list[decide.Level]] = defaultdict(list)
    for row in await tx.all(
        "SELECT sku_id, warehouse_id, on_hand, reserved FROM stock_level WHERE sku_id = ANY(%s)", [list(components)]
    ):
        levels[row["sku_id"]].append(decide.Level(**row))
    opened = await stock.opened(tx, components)
    own = tuple(place.id for place in (await warehouses.shelves(tx)).own)
    return {
        sku: decide.available(
            decide.SlotInputs(
                slot_id=sku, components=flat, warehouses=own, opened=all(part.sku_id in opened for part in flat),
                levels=tuple(level for part in flat for level in levels[part.sku_id]),
            )
        ).quantity
        for sku, flat in parts.items()
    }  # fmt: skip


# ── read ────────────────────────────────────────────────────────────────────────────────────────────────────


async def feed(tx: Tx, after: int, kinds: Sequence[str] | None, limit: int) -> list[dict[str, Any]]:
    """Events by number, the oldest after `after` first: id, number, kind, at, body."""
    return await tx.all(
        """SELECT id, number, kind, at, body FROM event
           WHERE number > %s AND (%s::text[] IS NULL OR kind = ANY(%s)) AND kind <> 'test' ORDER BY number LIMIT %s""",
        [after, kinds, kinds, limit],
    )


async def newest(tx: Tx) -> int:
    """The number given last; 0 for none."""
    found: int | None = await tx.value("SELECT last_number FROM event_interest")
    return found or 0


async def prune(tx: Tx, before: datetime, limit: int = 2000) -> int:
    """Drop events of longer ago with their deliveries and attempts, unless one is still to be sent. How many."""
    return await tx.run(
        """DELETE FROM event WHERE (seller_id, id) IN (
               SELECT e.seller_id, e.id FROM event e WHERE e.number IS NOT NULL AND e.at < %s
                 AND NOT EXISTS (SELECT FROM event_delivery d WHERE d.seller_id = e.seller_id AND d.event_id = e.id
                     AND d.due_at IS NOT NULL)
               ORDER BY e.number LIMIT %s)""",
        [before, limit],
    )

"""Orders as known, their lines, parts, timeline, returns and invoices."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.model import Order
from hub.orders import Known, Version
from hub.store import Tx, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An order row, locked: what we know and under which id. `known` is None where the row was made just now.

    `waits_until`: how long who fulfils it may stay unknown; None where it is known, or counted.
    """

    id: UUID
    known: Known | None
    stock_key: str
    account_id: UUID
    settings: Mapping[str, Any]  # the account's
    first_seen_at: datetime
    waits_until: datetime | None = None
    hold_until: datetime | None = None


def _load(told: Mapping[str, Any], versions: Mapping[str, Any]) -> Known:
    order = Order.model_validate_json(json.dumps(told))
    return Known(
        order=order,
        versions={name: Version(datetime.fromisoformat(clock), seq) for name, (clock, seq) in versions.items()},
    )


def _dump(order: Order) -> str:
    return order.model_dump_json(exclude={"status": True, "lines": {"__all__": {"unit_price_cents"}}})


def _dump_versions(known: Known) -> str:
    return json.dumps({name: [v.clock.isoformat(), v.seq] for name, v in known.versions.items()})


async def lock(tx: Tx, account_id: UUID, ref: str) -> Stored | None:
    """The order of that ref, locked until the transaction ends."""
    # NO KEY: others may refer to the order meanwhile, as whoever fills its shortage with the levels in hand does.
    sql = """
        SELECT o.id, o.told, o.versions, o.stock_key, o.fulfilled_by_due, o.first_seen_at, o.hold_until, a.settings
        FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
        WHERE o.account_id = %s AND o.ref = %s FOR NO KEY UPDATE OF o"""
    row = await tx.one(sql, [account_id, ref])
    if row is None:
        return None
    return Stored(
        id=row["id"],
        known=_load(row["told"], row["versions"]),
        stock_key=row["stock_key"],
        account_id=account_id,
        settings=row["settings"],
        first_seen_at=row["first_seen_at"],
        waits_until=row["fulfilled_by_due"],
        hold_until=row["hold_until"],
    )


async def lock_id(tx: Tx, order_id: UUID) -> Stored | None:
    """The order of that id, locked."""
    row = await tx.one("SELECT account_id, ref FROM orders WHERE id = %s", [order_id])
    return await lock(tx, row["account_id"], row["ref"]) if row else None


async def add(tx: Tx, account_id: UUID, ref: str, stock_key: str) -> Stored:
    """A new order row, locked; the one that another worker made meanwhile when it came first."""
    sql = """
        INSERT INTO orders (seller_id, id, account_id, ref, stock_key, status, told, versions)
        VALUES (%s, %s, %s, %s, %s, 'placed', %s, '{}') ON CONFLICT (seller_id, account_id, ref) DO NOTHING
        RETURNING first_seen_at, (SELECT a.settings FROM account a WHERE a.id = account_id) AS settings"""
    order_id = new_id()
    empty = json.dumps({"ref": ref})
    if made := await tx.one(sql, [tx.seller, order_id, account_id, ref, stock_key, empty]):
        return Stored(id=order_id, known=None, stock_key=stock_key, account_id=account_id, **made)
    stored = await lock(tx, account_id, ref)
    if stored is None:
        raise RuntimeError("an order vanished while it was being added")
    return stored


async def put(tx: Tx, order_id: UUID, known: Known) -> None:
    """Write an order as known."""
    o = known.order
    sql = """
        UPDATE orders SET number = %s, group_ref = %s, origin_channel = %s, origin_ref = %s, status = %s, payment = %s,
            fulfilment = %s, hold = %s, fulfilled_by = %s, currency = %s, total_cents = %s, placed_at = %s,
            changed_at = %s, ship_by = coalesce(%s, ship_by_policy), deliver_by = %s, buyer_name = %s,
            buyer_document = %s, told = %s, versions = %s, updated_at = now(),
            deadline_at = CASE WHEN %s = 'paid' OR ship_stage > 0 OR status <> %s THEN now() ELSE deadline_at END
        WHERE id = %s"""
    document = o.buyer.document.number if o.buyer and o.buyer.document else None
    params = [
        o.number, o.group_ref, o.origin.channel if o.origin else None, o.origin.ref if o.origin else None,
        o.status.value, o.payment, o.fulfilment, o.hold, o.fulfilled_by, o.currency, o.total_cents, o.placed_at,
        o.changed_at, o.ship_by, o.deliver_by, o.buyer.name if o.buyer else None, document, _dump(o),
        _dump_versions(known), o.status.value, o.status.value, order_id,
    ]  # fmt: skip
    await tx.run(sql, params)
    await _put_returns(tx, order_id, o)
    await _put_invoices(tx, order_id, o)


async def _put_returns(tx: Tx, order_id: UUID, order: Order) -> None:
    await tx.many(
        """INSERT INTO order_return (seller_id, id, order_id, ref, status, lines) VALUES (%s, %s, %s, %s, %s, %s)
           ON CONFLICT (seller_id, order_id, ref) DO UPDATE SET status = excluded.status, lines = excluded.lines""",
        [
            (
                tx.seller,
                new_id(),
                order_id,
                r.ref,
                r.status,
                json.dumps([x.model_dump(mode="json") for x in r.lines]),
            )
            for r in order.returns
        ],
    )


async def _put_invoices(tx: Tx, order_id: UUID, order: Order) -> None:
    await tx.many(
        """INSERT INTO invoice (seller_id, id, order_id, key, number, series, issued_at, total_cents, status)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (seller_id, order_id, key, number, series) DO UPDATE SET status = excluded.status""",
        [
            (tx.seller, new_id(), order_id, i.key, i.number, i.series, i.issued_at, i.total_cents, i.status)
            for i in order.invoices
        ],
    )


async def put_lines(
    tx: Tx, order_id: UUID, order: Order, links: Mapping[str, tuple[UUID, int]], *, is_new: bool = False
) -> None:
    """The order's lines; `links` gives (sku, multiplier) by line ref. A line no longer told goes."""
    if not is_new:
        refs = [line.ref for line in order.lines]
        await tx.run("DELETE FROM order_line WHERE order_id = %s AND NOT ref = ANY(%s)", [order_id, refs])
    sql = """
        INSERT INTO order_line (seller_id, order_id, ref, listing_ref, variation_ref, channel_sku, sku_id, multiplier,
            title, quantity, cancelled_quantity, dispatched_quantity, returned_quantity, total_cents, fulfilled_by)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (seller_id, order_id, ref) DO UPDATE SET sku_id = excluded.sku_id,
            multiplier = excluded.multiplier, quantity = excluded.quantity,
            cancelled_quantity = excluded.cancelled_quantity, dispatched_quantity = excluded.dispatched_quantity,
            returned_quantity = excluded.returned_quantity, total_cents = excluded.total_cents,
            fulfilled_by = excluded.fulfilled_by, title = excluded.title, channel_sku = excluded.channel_sku"""
    rows = []
    for line in order.lines:
        sku_id, multiplier = links.get(line.ref, (None, 1))
        rows.append(
            (tx.seller, order_id, line.ref, line.listing_ref, line.variation_ref, line.sku, sku_id, multiplier,
             line.title, line.quantity, line.cancelled_quantity, line.dispatched_quantity, line.returned_quantity,
             line.total_cents, line.fulfilled_by)
        )  # fmt: skip
    await tx.many(sql, rows)


async def links(tx: Tx, account_id: UUID, order: Order) -> dict[str, tuple[UUID, int]]:
    """(sku, multiplier) by line ref, by the listing's link, else an equal SKU code; unlinked lines are left out."""
    sql = """
        SELECT t.line_ref, coalesce(l.sku_id, k.id) AS sku_id,
               CASE WHEN l.sku_id IS NULL THEN 1 ELSE l.multiplier END AS multiplier
        FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS t(line_ref, listing_ref, variation_ref, code)
        LEFT JOIN listing l ON l.account_id = %s AND l.ref = t.listing_ref
            AND l.variation_ref IS NOT DISTINCT FROM t.variation_ref
        LEFT JOIN sku k ON k.code = t.code
        WHERE coalesce(l.sku_id, k.id) IS NOT NULL"""
    columns = [
        [line.ref for line in order.lines],
        [line.listing_ref for line in order.lines],
        [line.variation_ref for line in order.lines],
        [line.sku for line in order.lines],
    ]
    rows = await tx.all(sql, [*columns, account_id])
    return {row["line_ref"]: (row["sku_id"], row["multiplier"]) for row in rows}


async def put_part(
    tx: Tx, order_id: UUID, parts: Iterable[tuple[str, datetime | None]], seq: int, digest: str, raw: bytes
) -> None:
    """Keep the raw document that told these parts, unless a later one is kept already."""
    sql = """
        INSERT INTO order_part (seller_id, order_id, part, clock, fetch_seq, digest, raw)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (seller_id, order_id, part) DO UPDATE SET clock = excluded.clock, fetch_seq = excluded.fetch_seq,
            digest = excluded.digest, raw = excluded.raw, fetched_at = now()
        WHERE order_part.fetch_seq <= excluded.fetch_seq"""
    await tx.many(sql, [(tx.seller, order_id, part, clock, seq, digest, raw) for part, clock in parts])


async def digests(tx: Tx, account_id: UUID, refs: Sequence[str]) -> dict[str, str]:
    """Fingerprint of the last document kept for each order ref."""
    sql = """
        SELECT o.ref, p.digest FROM orders o
        JOIN order_part p ON p.seller_id = o.seller_id AND p.order_id = o.id AND p.part = 'order'
        WHERE o.account_id = %s AND o.ref = ANY(%s)"""
    return {row["ref"]: row["digest"] for row in await tx.all(sql, [account_id, list(refs)])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An order's newest document: its fetch_seq, when we had it, and which parts need not be fetched again."""

    seq: int
    at: datetime
    have: frozenset[str]


async def fetched(tx: Tx, account_id: UUID, ref: str) -> Fetched | None:
    """What is known of an order's fetches; None when there was none, or when it must be fetched whole again."""
    sql = """
        SELECT max(p.fetch_seq) AS seq, max(p.fetched_at) AS at, bool_or(o.buyer_document IS NOT NULL) AS billed
        FROM order_part p JOIN orders o ON o.seller_id = p.seller_id AND o.id = p.order_id
        WHERE o.account_id = %s AND o.ref = %s AND o.fulfilled_by_due IS NULL"""
    row = await tx.one(sql, [account_id, ref])
    if row is None or row["seq"] is None:
        return None
    return Fetched(seq=row["seq"], at=row["at"], have=frozenset({"billing"} if row["billed"] else ()))


async def own_effect(tx: Tx, stock_key: str, order_id: UUID) -> bool:
    """Whether this order owns the stock effect of its origin (the first to claim it does).

    A relay may know it by its pack (which stands for all the pack's orders) or by its number, where we know its ref.
    """
    aliases = await _aliases(tx, order_id)
    if await _owner(tx, stock_key) == order_id:
        return not await _relayed(tx, order_id, stock_key, aliases)
    locks = sorted({stock_key, *aliases})  # a relay and what it relays may come at once
    await tx.run(
        "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) key",
        [[f"{tx.seller}{key}" for key in locks]],
    )
    if await _relayed(tx, order_id, stock_key, aliases):
        return False
    claimed = await tx.run(
        "INSERT INTO stock_effect (seller_id, stock_key, order_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [tx.seller, stock_key, order_id],
    )
    return bool(claimed) or await _owner(tx, stock_key) == order_id


async def _owner(tx: Tx, stock_key: str) -> UUID | None:
    owner: UUID | None = await tx.value("SELECT order_id FROM stock_effect WHERE stock_key = %s", [stock_key])
    return owner


async def _aliases(tx: Tx, order_id: UUID) -> list[str]:
    """Under which other keys a relay may have claimed this order's effect."""
    row = await tx.one(
        """SELECT o.account_id, o.ref, o.number, o.group_ref, a.channel FROM orders o
           JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id WHERE o.id = %s""",
        [order_id],
    )
    if row is None:
        return []
    numbered = [f"{row['account_id']}:{row['number']}"] if row["number"] not in (None, row["ref"]) else []
    return ([f"{row['channel']}:{row['group_ref']}"] if row["group_ref"] else []) + numbered


async def _relayed(tx: Tx, order_id: UUID, stock_key: str, aliases: Sequence[str]) -> bool:
    """Whether a relay moves stock for this order, or an order of the pack that this relay names does."""
    sql = """
        SELECT EXISTS (SELECT FROM stock_effect WHERE stock_key = ANY(%(aliases)s) AND order_id <> %(id)s)
            OR EXISTS (SELECT FROM orders relay
                JOIN account a ON a.seller_id = relay.seller_id AND a.channel = relay.origin_channel
                JOIN orders o ON o.seller_id = a.seller_id AND o.account_id = a.id AND o.group_ref = relay.origin_ref
                JOIN stock_effect e ON e.seller_id = o.seller_id AND e.stock_key = o.stock_key AND e.order_id = o.id
                WHERE relay.id = %(id)s AND o.id <> %(id)s)"""
    found: bool = await tx.value(sql, {"id": order_id, "aliases": list(aliases)})
    return found


async def ref_at(tx: Tx, channel: str, ref: str) -> tuple[UUID, str] | None:
    """Account and ref of an order that a relay names by ref or number; None where several accounts may be meant."""
    rows = await tx.all("SELECT id FROM account WHERE channel = %s AND status <> 'closed' LIMIT 2", [channel])
    if len(rows) != 1:
        return None
    account_id: UUID = rows[0]["id"]
    known = await tx.value(
        "SELECT ref FROM orders WHERE account_id = %s AND (ref = %s OR number = %s) ORDER BY ref <> %s LIMIT 1",
        [account_id, ref, ref, ref],
    )
    return account_id, known or ref


async def set_stock_key(tx: Tx, order_id: UUID, stock_key: str) -> None:
    """The identity under which this order moves stock, once its origin is known."""
    await tx.run("UPDATE orders SET stock_key = %s WHERE id = %s", [stock_key, order_id])
    await tx.run("DELETE FROM stock_effect WHERE order_id = %s AND stock_key <> %s", [order_id, stock_key])


async def event(tx: Tx, order_id: UUID, kind: str, inbox_id: UUID | None = None, **params: object) -> None:
    """One line of an order's timeline."""
    sql = "INSERT INTO order_event (seller_id, id, order_id, kind, params, inbox_id) VALUES (%s, %s, %s, %s, %s, %s)"
    await tx.run(sql, [tx.seller, new_id(), order_id, kind, json.dumps(params, default=str), inbox_id])


async def has_event(tx: Tx, order_id: UUID, kind: str) -> bool:
    """Whether an order's timeline has an event of that kind."""
    found: bool = await tx.value(
        "SELECT EXISTS (SELECT FROM order_event WHERE order_id = %s AND kind = %s)", [order_id, kind]
    )
    return found


async def wait_for_fulfiller(tx: Tx, order_id: UUID, due_at: datetime | None) -> None:
    """Until when who fulfils may stay unknown; None: it is known, or counted."""
    await tx.run("UPDATE orders SET fulfilled_by_due = %s WHERE id = %s", [due_at, order_id])


async def listed(
    tx: Tx, *, status: str | None = None, account_id: UUID | None = None, search: str | None = None,
    before: tuple[datetime, UUID] | None = None, limit: int = 50,
) -> list[dict[str, Any]]:  # fmt: skip
    """Newest first, keyset by (placed_at, id)."""
    sql = """
        SELECT o.id, o.ref, o.number, o.status, o.payment, o.fulfilment, o.hold, o.total_cents, o.currency, o.placed_at,
               o.ship_by, o.buyer_name, a.channel, a.name AS account,
               (SELECT coalesce(sum(quantity), 0) FROM shortage s
                WHERE s.seller_id = o.seller_id AND s.order_id = o.id)::int AS short
        FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
        WHERE (%(status)s::text IS NULL OR o.status = %(status)s)
          AND (%(account)s::uuid IS NULL OR o.account_id = %(account)s)
          AND (%(search)s::text IS NULL OR o.number = %(search)s OR o.ref = %(search)s
               OR o.buyer_name ILIKE '%%' || %(search)s || '%%')
          AND (%(at)s::timestamptz IS NULL OR (o.placed_at, o.id) < (%(at)s, %(id)s))
        ORDER BY o.placed_at DESC NULLS LAST, o.id DESC LIMIT %(limit)s"""
    at, id_ = before or (None, None)
    params = {"status": status, "account": account_id, "search": search, "at": at, "id": id_, "limit": limit}
    return await tx.all(sql, params)


async def detail(tx: Tx, order_id: UUID) -> dict[str, Any] | None:
    """One order whole: its row, lines, reservations, shortages, shipments and timeline."""
    row = await tx.one(
        """SELECT o.*, a.channel, a.name AS account, a.status AS account_status FROM orders o
           JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id WHERE o.id = %s""",
        [order_id],
    )
    if row is None:
        return None
    row["lines"] = await tx.all(
        "SELECT l.*, k.code AS sku FROM order_line l LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id "
        "WHERE l.order_id = %s ORDER BY l.ref",
        [order_id],
    )
    row["reservations"] = await tx.all(
        "SELECT r.line_ref, k.code AS sku, w.code AS warehouse, r.quantity FROM reservation r "
        "JOIN sku k ON k.seller_id = r.seller_id AND k.id = r.sku_id "
        "JOIN warehouse w ON w.seller_id = r.seller_id AND w.id = r.warehouse_id WHERE r.order_id = %s",
        [order_id],
    )
    row["shortages"] = await tx.all(
        "SELECT s.line_ref, k.code AS sku, s.quantity FROM shortage s "
        "JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id WHERE s.order_id = %s",
        [order_id],
    )
    row["shipments"] = await tx.all(
        "SELECT DISTINCT s.* FROM shipment s "
        "JOIN shipment_line l ON l.seller_id = s.seller_id AND l.shipment_id = s.id "
        "WHERE l.order_id = %s",
        [order_id],
    )
    row["events"] = await tx.all("SELECT * FROM order_event WHERE order_id = %s ORDER BY at, id", [order_id])
    return row


async def find(tx: Tx, ref: str) -> list[UUID]:
    """Orders whose id, channel ref or number is `ref`."""
    rows = await tx.all(
        "SELECT id FROM orders WHERE ref = %s OR number = %s OR id::text = %s LIMIT 10", [ref, ref, ref]
    )
    return [row["id"] for row in rows]


async def skus_of_lines(tx: Tx, order_id: UUID) -> dict[str, str]:
    """Codes of the linked SKUs, by line ref."""
    rows = await tx.all(
        """SELECT l.ref, k.code FROM order_line l JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.order_id = %s""",
        [order_id],
    )
    return {row["ref"]: row["code"] for row in rows}


async def hold_until(tx: Tx, order_id: UUID, at: datetime | None) -> None:
    """When this unpaid order's hold ends; None: it does not."""
    await tx.run("UPDATE orders SET hold_until = %s WHERE id = %s", [at, order_id])


async def holds_over(tx: Tx, now: datetime, limit: int) -> list[UUID]:
    """Orders whose unpaid hold is over, those for longest first."""
    rows = await tx.all("SELECT id FROM orders WHERE hold_until <= %s ORDER BY hold_until, id LIMIT %s", [now, limit])
    return [row["id"] for row in rows]


async def unpaid(tx: Tx, account_id: UUID) -> list[UUID]:
    """An account's orders that are placed and neither paid, sent nor cancelled."""
    rows = await tx.all("SELECT id FROM orders WHERE account_id = %s AND status = 'placed' ORDER BY id", [account_id])
    return [row["id"] for row in rows]

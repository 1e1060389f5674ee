"""Freight: how a seller chooses it, what an order measures, what carriers were asked and answered."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx, new_id, unbuyable

WORDS = ("rule", "sender", "declares", "most_g", "side_mm", "sum_mm", "tare_g")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRow:
    """What one carrier's account answered for one service; service "" is the carrier as a whole."""

    account_id: UUID
    service: str
    name: str | None = None
    price_cents: int | None = None
    days: int | None = None
    deliver_by: datetime | None = None
    home_delivery: bool | None = None
    cubic_g: int | None = None
    error_code: str | None = None
    error: str | None = None
    ms: int


async def policy(tx: Tx, account_id: UUID | None) -> dict[str, Any]:
    """The policy of an account: its own words, else the seller's (None: the seller's alone). Not told is None."""
    rows = await tx.all(
        """SELECT account_id, rule, sender, declares, most_g, side_mm, sum_mm, tare_g FROM freight_policy
           WHERE account_id IS NULL OR account_id = %s ORDER BY account_id NULLS FIRST""",
        [account_id],
    )
    told: dict[str, Any] = dict.fromkeys(WORDS)
    for row in rows:
        told |= {name: row[name] for name in WORDS if row[name] is not None}
    return told


async def set_policy(tx: Tx, account_id: UUID | None, told: Mapping[str, Any]) -> None:
    """Change these words of a policy (keys of WORDS); None takes one back."""
    known = await tx.one("SELECT * FROM freight_policy WHERE account_id IS NOT DISTINCT FROM %s", [account_id])
    words = {name: told.get(name, known[name] if known else None) for name in WORDS}
    words["sender"] = json.dumps(words["sender"]) if words["sender"] is not None else None
    await tx.run(
        """INSERT INTO freight_policy (seller_id, id, account_id, rule, sender, declares, most_g, side_mm, sum_mm,
               tare_g)
           VALUES (%(seller)s, %(id)s, %(account)s, %(rule)s, %(sender)s, %(declares)s, %(most_g)s, %(side_mm)s,
                   %(sum_mm)s, %(tare_g)s)
           ON CONFLICT (seller_id, account_id) DO UPDATE SET rule = excluded.rule, sender = excluded.sender,
               declares = excluded.declares, most_g = excluded.most_g, side_mm = excluded.side_mm,
               sum_mm = excluded.sum_mm, tare_g = excluded.tare_g""",
        {**words, "seller": tx.seller, "id": new_id(), "account": account_id},
    )


async def measure(tx: Tx, sku: str, grams: int, sides_mm: tuple[int, int, int]) -> bool:
    """Note what a unit weighs and measures; False for an unknown SKU."""
    long, wide, high = sorted(sides_mm, reverse=True)
    sql = "UPDATE sku SET weight_g = %s, length_mm = %s, width_mm = %s, height_mm = %s WHERE code = %s"
    return await tx.run(sql, [grams, long, wide, high, sku]) == 1


async def unmeasured(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """SKUs that are no kits and lack a measure, those in open orders first."""
    return await tx.all(
        """SELECT k.code AS sku, k.title, k.weight_g, k.length_mm, k.width_mm, k.height_mm,
                  (SELECT count(*)::int FROM order_line l
                   JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
                   WHERE l.seller_id = k.seller_id AND l.sku_id = k.id AND o.status IN ('placed', 'paid')) AS open_lines
           FROM sku k
           WHERE (k.weight_g IS NULL OR k.length_mm IS NULL OR k.width_mm IS NULL OR k.height_mm IS NULL)
             AND NOT EXISTS (SELECT FROM kit_component c WHERE c.seller_id = k.seller_id AND c.kit_id = k.id)
           ORDER BY open_lines DESC, k.code LIMIT %s""",
        [limit],
    )


async def lines(tx: Tx, order_id: UUID) -> list[dict[str, Any]]:
    """What an order still has to send, line by line, with its SKU's measures; `parts` are a kit's, for one of it."""
    return await tx.all(
        """SELECT l.ref, l.title, l.quantity, l.total_cents, l.multiplier, l.fulfilled_by,
                  greatest(0, l.quantity - l.cancelled_quantity - l.dispatched_quantity) AS left,
                  k.code AS sku, k.weight_g, k.length_mm, k.width_mm, k.height_mm,
                  (SELECT jsonb_agg(jsonb_build_object('sku', p.code, 'quantity', c.quantity, 'weight_g', p.weight_g,
                      'length_mm', p.length_mm, 'width_mm', p.width_mm, 'height_mm', p.height_mm) ORDER BY p.code)
                   FROM kit_component c JOIN sku p ON p.seller_id = c.seller_id AND p.id = c.sku_id
                   WHERE c.seller_id = l.seller_id AND c.kit_id = l.sku_id) AS parts
           FROM order_line l LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.order_id = %s ORDER BY l.ref""",
        [order_id],
    )


async def order(tx: Tx, order_id: UUID, *, lock: bool = False) -> dict[str, Any] | None:
    """What freight needs to know of an order: who gets it, by when, whether it may leave, its NF-e keys."""
    if lock:
        await tx.run("SELECT FROM orders WHERE id = %s FOR UPDATE", [order_id])
    return await tx.one(
        """SELECT o.id, o.ref, o.number, o.account_id, o.status, o.hold, o.fulfilled_by, o.ship_by, o.deliver_by,
                  o.told, o.total_cents,
                  (SELECT array_agg(i.key ORDER BY i.issued_at DESC NULLS LAST, i.id DESC) FROM invoice i
                   WHERE i.seller_id = o.seller_id AND i.order_id = o.id AND i.key IS NOT NULL) AS keys
           FROM orders o WHERE o.id = %s""",
        [order_id],
    )


async def keep(tx: Tx, order_id: UUID, at: datetime, asked: Mapping[str, Any], offers: Sequence[OfferRow]) -> UUID:
    """Write what was asked and what each carrier answered."""
    quote_id = new_id()
    await tx.run(
        "INSERT INTO freight_quote (seller_id, id, order_id, at, asked) VALUES (%s, %s, %s, %s, %s)",
        [tx.seller, quote_id, order_id, at, json.dumps(asked, default=str)],
    )
    await tx.many(
        """INSERT INTO freight_offer (seller_id, quote_id, account_id, service, name, price_cents, days, deliver_by,
               home_delivery, cubic_g, error_code, error, ms)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            (
                tx.seller, quote_id, row.account_id, row.service, row.name, row.price_cents, row.days, row.deliver_by,
                row.home_delivery, row.cubic_g, row.error_code, row.error and row.error[:300], row.ms,
            )
            for row in offers
        ],
    )  # fmt: skip
    return quote_id


async def latest(tx: Tx, order_id: UUID) -> dict[str, Any] | None:
    """An order's newest quote: id, at, asked."""
    return await tx.one(
        "SELECT id, at, asked FROM freight_quote WHERE order_id = %s ORDER BY at DESC, id DESC LIMIT 1", [order_id]
    )


async def offers(tx: Tx, quote_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What was answered, the cheapest first, failures last; with the account's name and channel."""
    return await tx.all(
        """SELECT f.quote_id, f.account_id, a.name AS account, a.channel, f.service, f.name, f.price_cents, f.days,
                  f.deliver_by, f.home_delivery, f.cubic_g, f.error_code, f.error, f.ms
           FROM freight_offer f JOIN account a ON a.seller_id = f.seller_id AND a.id = f.account_id
           WHERE f.quote_id = ANY(%s)
           ORDER BY f.quote_id, f.price_cents IS NULL OR f.error IS NOT NULL, f.price_cents, f.deliver_by, a.name,
                    f.service""",
        [list(quote_ids)],
    )


async def carriers(tx: Tx, channels: Sequence[str]) -> list[UUID]:
    """The seller's live accounts of these carriers, by name."""
    rows = await tx.all(
        "SELECT id FROM account WHERE status = 'live' AND channel = ANY(%s) ORDER BY name, id", [list(channels)]
    )
    return [row["id"] for row in rows]


QUEUES = ("to_buy", "to_print", "to_leave", "left")
_DUE: LiteralString = "coalesce(o.ship_by, o.placed_at, o.first_seen_at)"  # as the index orders_to_send has it
_BOUGHT: LiteralString = """o.id IN (SELECT l.order_id FROM freight_label l
    WHERE l.status = 'bought' AND l.manifest_id IS NULL AND l.printed_at"""
# queue -> (which orders, the instant that they are listed by, onward from a place); what left is listed newest first
_QUEUES: dict[str, tuple[LiteralString, LiteralString, LiteralString, LiteralString]] = {
    "to_buy": (
        """o.status = 'paid' AND coalesce(o.fulfilled_by, 'seller') <> 'marketplace'
        AND coalesce((SELECT count(*) FILTER (WHERE l.status = 'bought') < max(l.volumes) FROM freight_label l
            WHERE l.seller_id = o.seller_id AND l.order_id = o.id
              AND l.status NOT IN ('refused', 'cancelled')), true)""",
        _DUE, "", ">",
    ),
    "to_print": (f"{_BOUGHT} IS NULL)", _DUE, "", ">"),
    "to_leave": (f"{_BOUGHT} IS NOT NULL)", _DUE, "", ">"),
    "left": (
        """o.placed_at IS NOT NULL AND EXISTS (SELECT FROM freight_label l WHERE l.seller_id = o.seller_id
            AND l.order_id = o.id AND l.status NOT IN ('refused', 'cancelled') AND l.manifest_id IS NOT NULL)""",
        "o.placed_at", "DESC", "<",
    ),
}  # fmt: skip


_WORKED_ON: LiteralString = """EXISTS (SELECT FROM freight_label l WHERE l.seller_id = o.seller_id
    AND l.order_id = o.id AND l.status NOT IN ('refused', 'cancelled'))"""


async def queue(
    tx: Tx, which: str, own: Mapping[str, str], *, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Orders by what is to be done next, the most urgent first; keyset by (due, id), due being ship_by or placed_at.

    `to_buy` lack a label that is theirs to buy (`own` is as unbuyable has it; `short`: units that are not there),
    `to_print` one that was never printed, `to_leave` one that was and is on no manifest yet, `left` are on one: the
    newest first.
    """
    where, by, down, past = _QUEUES[which]
    if which == "to_buy":
        where = f"{where} AND ({unbuyable.ORDINARY} OR {_WORKED_ON})"
    at, id_ = after or (None, None)
    onward = f"AND ({by}, o.id) {past} (%(at)s, %(id)s)" if after else ""
    return await tx.all(
        f"""WITH shown AS (
            SELECT o.seller_id, o.id, coalesce(o.number, o.ref) AS number, a.name AS account, o.status, o.hold,
                   o.ship_by, o.deliver_by, o.total_cents, o.buyer_name, {by} AS due,
                   o.told -> 'ship_to' ->> 'city' AS city, o.told -> 'ship_to' ->> 'state' AS state,
                   {unbuyable.SHORT} AS short
            FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
            WHERE {where} {onward} ORDER BY {by} {down}, o.id {down} LIMIT %(limit)s)
        SELECT s.*, q.id AS quote_id, q.at AS quoted_at FROM shown s
        LEFT JOIN LATERAL (SELECT f.id, f.at FROM freight_quote f WHERE f.seller_id = s.seller_id AND f.order_id = s.id
            ORDER BY f.at DESC, f.id DESC LIMIT 1) q ON true ORDER BY s.due {down}, s.id {down}""",
        {"at": at, "id": id_, "limit": limit, "own": unbuyable.paths(own)},
    )

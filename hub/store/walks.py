"""What programs walk through by cursor: orders as they change, SKUs, the ledger; each along an index of its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx
from hub.store.order_list import STATUS

_ORDER: LiteralString = """
    SELECT o.id, o.account_id, a.channel, a.name AS account, o.status, o.told, o.placed_at, o.updated_at, o.ship_by,
           o.first_seen_at, o.ship_state, o.currency,
           (SELECT coalesce(sum(quantity), 0) FROM shortage s
            WHERE s.seller_id = o.seller_id AND s.order_id = o.id)::int AS short
    FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id"""
_NAMED: LiteralString = """o.id = ANY(ARRAY(SELECT id FROM orders WHERE number = %(number)s
    UNION SELECT id FROM orders WHERE account_id = ANY(ARRAY(SELECT id FROM account)) AND ref = %(number)s))"""


async def orders(
    tx: Tx, *, by: str, after: tuple[datetime, UUID] | None, limit: int, until: datetime, now: datetime,
    since: datetime | None = None, status: str | None = None, account_id: UUID | None = None,
    number: str | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Orders whole. `by` "placed": newest first, those whose time was told; "updated": in the order of their changes.

    Both keyset by (instant, id). `since`: changed then or later; `until`: changed before that, where `by` is "updated".
    """
    where: list[LiteralString] = ["true"]
    if by == "updated":
        where.append("o.updated_at < %(until)s")
        order: LiteralString = "o.updated_at, o.id"
        onward: LiteralString = "o.updated_at >= %(at)s AND (o.updated_at > %(at)s OR o.id > %(id)s)"
    else:
        where.append("o.placed_at IS NOT NULL")
        order = "o.placed_at DESC, o.id"
        onward = "o.placed_at <= %(at)s AND (o.placed_at < %(at)s OR o.id > %(id)s)"
    where += [onward] if after else []
    where += ["o.updated_at >= %(since)s"] if since else []
    where += [STATUS[status]] if status else []
    where += ["o.account_id = %(account)s"] if account_id else []
    where += [_NAMED] if number else []
    at, id_ = after or (None, None)
    params = {"at": at, "id": id_, "limit": limit, "until": until, "now": now, "since": since, "account": account_id,
              "number": number}  # fmt: skip
    return await tx.all(f"{_ORDER} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT %(limit)s", params)


async def linked_lines(tx: Tx, order_ids: Sequence[UUID]) -> dict[tuple[UUID, str], tuple[str | None, int]]:
    """The SKU and the units of it in one unit sold, by (order, line ref)."""
    rows = await tx.all(
        """SELECT l.order_id, l.ref, k.code, l.multiplier FROM order_line l
           LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id WHERE l.order_id = ANY(%s)""",
        [list(order_ids)],
    )
    return {(row["order_id"], row["ref"]): (row["code"], row["multiplier"]) for row in rows}


# ── SKUs and the ledger ─────────────────────────────────────────────────────────────────────────────────────

_SKU: LiteralString = """
    SELECT k.id, k.code, k.title, k.gtin, k.category, k.weight_g, k.length_mm, k.width_mm, k.height_mm, k.cost_cents,
           k.opened_at, l.on_hand, l.reserved,
           EXISTS (SELECT FROM kit_component c WHERE c.seller_id = k.seller_id AND c.kit_id = k.id) AS is_kit
    FROM sku k LEFT JOIN LATERAL (SELECT sum(on_hand)::int AS on_hand, sum(reserved)::int AS reserved FROM stock_level v
        WHERE v.seller_id = k.seller_id AND v.sku_id = k.id) l ON true"""


async def skus(
    tx: Tx, *, after: str | None, limit: int, category: str | None = None, gtin: str | None = None
) -> list[dict[str, Any]]:
    """SKUs by code, with what stands and is held of each in all warehouses together."""
    where: list[LiteralString] = ["true"]
    where += ["k.code > %(after)s"] if after is not None else []
    where += ["k.category = %(category)s"] if category else []
    where += ["k.gtin = %(gtin)s"] if gtin else []
    params = {"after": after, "limit": limit, "category": category, "gtin": gtin}
    return await tx.all(f"{_SKU} WHERE {' AND '.join(where)} ORDER BY k.code LIMIT %(limit)s", params)


async def sku(tx: Tx, code: str) -> dict[str, Any] | None:
    """One SKU as `skus` tells it."""
    return await tx.one(f"{_SKU} WHERE k.code = %s", [code])


async def edit_sku(tx: Tx, code: str, title: str, gtin: str | None, category: str | None) -> None:
    """What a SKU is called and belongs to, in the place of what was told before."""
    sql = "UPDATE sku SET title = %s, gtin = %s, category = %s WHERE code = %s"
    await tx.run(sql, [title, gtin, category, code])


async def movements(
    tx: Tx, *, sku_id: UUID, after: tuple[datetime, UUID] | None, limit: int, warehouse: str | None = None,
    since: datetime | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Entries of a SKU in the ledger, newest first; keyset by (at, id)."""
    where: list[LiteralString] = ["m.sku_id = %(sku)s"]
    where += ["m.at <= %(at)s AND (m.at < %(at)s OR m.id < %(id)s)"] if after else []
    where += ["w.code = %(warehouse)s"] if warehouse else []
    where += ["m.at >= %(since)s"] if since else []
    at, id_ = after or (None, None)
    return await tx.all(
        f"""SELECT m.id, m.at, w.code AS warehouse, m.reason, m.delta, m.note, m.source_ref, m.line_ref, m.made_by,
                   m.order_id
            FROM stock_movement m JOIN warehouse w ON w.seller_id = m.seller_id AND w.id = m.warehouse_id
            WHERE {" AND ".join(where)} ORDER BY m.at DESC, m.id DESC LIMIT %(limit)s""",
        {"sku": sku_id, "at": at, "id": id_, "limit": limit, "warehouse": warehouse, "since": since},
    )

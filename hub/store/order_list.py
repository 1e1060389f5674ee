"""The list of orders: filtered, searched and paged newest first, each filter along an index of its own.

Whatever a reader types stands in comparisons only: row-level security keeps every other operator out of an index.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx
from hub.store.words import Words

FOUND = 200  # a search looks at so many orders of each kind of hit, those that the hub met last
NAMES = Words("order_word", "order_id")

# Literals, so that the planner sees the partial indexes.
STATUS: dict[str, LiteralString] = {
    "open": "o.status IN ('placed', 'paid')",
    "late": "o.status IN ('placed', 'paid') AND o.status = 'paid' AND o.ship_by < %(now)s",
    "short": "EXISTS (SELECT FROM shortage s WHERE s.seller_id = o.seller_id AND s.order_id = o.id)",
    "placed": "o.status IN ('placed', 'paid') AND o.status = 'placed'",
    "paid": "o.status IN ('placed', 'paid') AND o.status = 'paid'",
    "dispatched": "o.status = 'dispatched'",
    "delivered": "o.status = 'delivered'",
    "cancelled": "o.status = 'cancelled'",
}
PAYMENT: dict[str, LiteralString] = {
    "pending": "o.payment = 'pending'",
    "authorized": "o.payment = 'authorized'",
    "paid": "o.payment = 'paid'",
    "partially_refunded": "o.payment = 'partially_refunded'",
    "refunded": "o.payment = 'refunded'",
    "voided": "o.payment = 'voided'",
}
FULFILMENT: dict[str, LiteralString] = {
    "none": "o.fulfilment = 'none'",
    "partial": "o.fulfilment = 'partial'",
    "dispatched": "o.fulfilment = 'dispatched'",
    "delivered": "o.fulfilment = 'delivered'",
    "returned": "o.fulfilment = 'returned'",
}
HOLD: dict[str, LiteralString] = {
    "any": "o.hold IS NOT NULL",
    "fraud": "o.hold IS NOT NULL AND o.hold = 'fraud'",
    "frozen": "o.hold IS NOT NULL AND o.hold = 'frozen'",
    "cancel_requested": "o.hold IS NOT NULL AND o.hold = 'cancel_requested'",
    "invoice_pending": "o.hold IS NOT NULL AND o.hold = 'invoice_pending'",
}
_PACKED: LiteralString = """EXISTS (SELECT FROM order_handling h WHERE h.seller_id = o.seller_id AND h.order_id = o.id
    AND h.packed_at IS NOT NULL)"""
PACKING: dict[str, LiteralString] = {
    "todo": f"{STATUS['paid']} AND NOT {_PACKED}",
    "done": f"{STATUS['paid']} AND {_PACKED}",
}
STATES = (
    "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA", "PB", "PE", "PI", "PR", "RJ",
    "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which orders to list: words of the tables above, instants (`until` itself left out), centavos (both ends in)."""

    status: str | None = None
    payment: str | None = None
    fulfilment: str | None = None
    hold: str | None = None
    packing: str | None = None
    account_id: UUID | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    least_cents: int | None = None
    most_cents: int | None = None
    search: str | None = None
    by_document: bool = False  # whether a search may tell whose a CPF or CNPJ is
    ids: Sequence[UUID] | None = None


_ORDER: LiteralString = """
    SELECT o.id, o.ref, o.number, o.status, o.payment, o.fulfilment, o.hold, o.total_cents, o.currency, o.placed_at,
           o.ship_by, o.buyer_name, o.fulfilled_by, o.ship_state, a.channel, a.name AS account,
           h.packed_at, h.printed_at,
           (SELECT coalesce(sum(quantity), 0) FROM shortage s
            WHERE s.seller_id = o.seller_id AND s.order_id = o.id)::int AS short,
           (SELECT coalesce(sum(quantity - cancelled_quantity), 0) FROM order_line l
            WHERE l.seller_id = o.seller_id AND l.order_id = o.id)::int AS units"""
_MORE: LiteralString = """,
           o.told, (SELECT string_agg(DISTINCT s.tracking_code, ', ') FROM shipment_line l
            JOIN shipment s ON s.seller_id = l.seller_id AND s.id = l.shipment_id
            WHERE l.seller_id = o.seller_id AND l.order_id = o.id) AS tracking_codes,
           (SELECT string_agg(DISTINCT coalesce(k.code, l.channel_sku), ', ') FROM order_line l
            LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
            WHERE l.seller_id = o.seller_id AND l.order_id = o.id) AS skus"""
_FROM: LiteralString = """
    FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
    LEFT JOIN order_handling h ON h.seller_id = o.seller_id AND h.order_id = o.id"""

_TABLES: dict[str, dict[str, LiteralString]] = {
    "status": STATUS, "payment": PAYMENT, "fulfilment": FULFILMENT, "hold": HOLD, "packing": PACKING,
}  # fmt: skip
_COMPARED: dict[str, LiteralString] = {
    "account_id": "o.account_id = %(account_id)s",
    "state": "o.ship_state = %(state)s",
    "since": "o.placed_at >= %(since)s",
    "until": "o.placed_at < %(until)s",
    "least_cents": "o.total_cents >= %(least_cents)s",
    "most_cents": "o.total_cents <= %(most_cents)s",
    "ids": "o.id = ANY(%(ids)s)",
}


async def page(
    tx: Tx, wanted: Wanted, now: datetime, *, after: tuple[datetime, UUID] | None = None, limit: int = 50,
    whole: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Newest first, keyset by (placed_at, id). `whole`: with what an export tells beside.

    Orders that no channel told the time of (a cancellation before its order) are found by search alone, and last.
    """
    if wanted.search:
        ids = await _found(tx, wanted.search, limit=FOUND, by_document=wanted.by_document)
        wanted = replace(wanted, ids=[*ids] if wanted.ids is None else [id_ for id_ in wanted.ids if id_ in ids])
    where: list[LiteralString] = [] if wanted.ids is not None else ["o.placed_at IS NOT NULL"]
    where += [table[key] for name, table in _TABLES.items() if (key := getattr(wanted, name)) in table]
    where += [sql for name, sql in _COMPARED.items() if getattr(wanted, name) is not None]
    if after:
        where.append("o.placed_at <= %(at)s AND (o.placed_at < %(at)s OR o.id > %(id)s)")
    at, id_ = after or (None, None)
    sql: Any = f"""{_ORDER}{_MORE if whole else ""}{_FROM}
        WHERE {" AND ".join(where) or "true"} ORDER BY o.placed_at DESC NULLS LAST, o.id LIMIT %(limit)s"""
    if wanted.ids is None:
        sql = sql.replace("DESC NULLS LAST", "DESC")  # as the indexes have it: none is null here
    params = {name: getattr(wanted, name) for name in _COMPARED} | {"now": now, "at": at, "id": id_, "limit": limit}
    return await tx.all(sql, params)


# ── search ──────────────────────────────────────────────────────────────────────────────────────────────────


def document_in(search: str) -> str | None:
    """The bare CPF or CNPJ that was typed; None where it is none."""
    bare = re.sub(r"[.\-/\s]", "", search).upper()
    return bare if re.fullmatch(r"\d{11}|[0-9A-Z]{12}\d{2}", bare) else None


async def _found(tx: Tx, search: str, *, limit: int, by_document: bool) -> set[UUID]:
    """Orders of that number, ref, tracking code, SKU or buyer's document, and those of buyers so named."""
    told = search.strip().removeprefix("#")
    document = document_in(told) if by_document else None
    params = {"exact": told, "upper": told.upper(), "document": document, "limit": limit}
    rows = await tx.all(
        """SELECT id FROM orders WHERE number = %(exact)s
           UNION SELECT id FROM orders WHERE account_id = ANY(ARRAY(SELECT id FROM account)) AND ref = %(exact)s
           UNION SELECT l.order_id FROM shipment s JOIN shipment_line l ON l.seller_id = s.seller_id
               AND l.shipment_id = s.id WHERE s.tracking_code IN (%(exact)s, %(upper)s)
           UNION SELECT id FROM orders WHERE buyer_document = %(document)s
           UNION SELECT l.order_id FROM sku k CROSS JOIN LATERAL (SELECT order_id FROM order_line
               WHERE sku_id = k.id ORDER BY order_id DESC LIMIT %(limit)s) l WHERE k.code IN (%(exact)s, %(upper)s)
           UNION (SELECT order_id FROM order_line WHERE sku_id IS NULL AND channel_sku = %(exact)s
               ORDER BY order_id DESC LIMIT %(limit)s)""",
        params,
    )
    return {row["id"] for row in rows} | await NAMES.find(tx, told, limit)

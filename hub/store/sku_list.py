"""The list of SKUs: filtered, searched and sorted, a page at a time; no page adds up what stands on all shelves."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, LiteralString
from uuid import UUID

from hub import stock
from hub.linking import gtin_forms
from hub.store import Tx, kits
from hub.store.warehouses import Shelves
from hub.store.words import Words

FOUND = 500  # a search looks at so many SKUs
WORDS = Words("sku_word", "sku_id", newest=False)
NEVER = 1e9  # days left of what does not sell

_KIT: LiteralString = "EXISTS (SELECT FROM kit_component c WHERE c.seller_id = k.seller_id AND c.kit_id = k.id)"
_LINKED: LiteralString = """EXISTS (SELECT FROM listing l WHERE l.seller_id = k.seller_id AND l.sku_id = k.id
    AND l.gone_at IS NULL)"""
FILTERS: dict[str, LiteralString] = {
    "low": "k.id = ANY(ARRAY(SELECT subject::uuid FROM alert WHERE kind = 'low_stock' AND resolved_at IS NULL))",
    "out": """k.opened_at IS NOT NULL AND EXISTS (SELECT FROM sku_standing o WHERE o.seller_id = k.seller_id
        AND o.sku_id = k.id AND o.free <= 0)""",
    "uncounted": f"k.opened_at IS NULL AND NOT {_KIT}",
    "kit": _KIT,
    "unlinked": f"NOT {_LINKED}",
}
_DAYS: LiteralString = f"""(CASE WHEN s.free <= 0 THEN 0 WHEN q.per_day > 0 THEN s.free / q.per_day
    ELSE {NEVER} END)::float8"""
_SOURCE: dict[str, LiteralString] = {
    "code": "sku k",
    "free": "sku_standing s JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id",
    "days": """replenishment_plan q JOIN sku_standing s ON s.seller_id = q.seller_id AND s.sku_id = q.sku_id
        JOIN sku k ON k.seller_id = q.seller_id AND k.id = q.sku_id""",
}
_BY: dict[str, LiteralString] = {"code": "k.code", "free": "s.free", "days": _DAYS}
SORTS = tuple(_BY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which SKUs to list, and in which order: words of the tables above. `warehouse_id`: what stands there alone."""

    chosen: str | None = None
    category: str | None = None
    warehouse_id: UUID | None = None
    search: str | None = None
    sort: str = "code"
    ids: tuple[UUID, ...] | None = None


async def page(
    tx: Tx, wanted: Wanted, *, after: tuple[Any, UUID] | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """By code, by free units or by days left (both: only what is counted), keyset by (that, id).

    Each with what stands in the seller's own warehouses (or the one asked for), what is short, comes, is listed.
    """
    if wanted.search:
        wanted = replace(wanted, ids=tuple(await _found(tx, wanted.search)))
    by = _BY[wanted.sort]
    where: list[LiteralString] = ["true"]
    if wanted.chosen in FILTERS:
        where.append(FILTERS[wanted.chosen])
    if wanted.sort != "code":
        where.append("k.opened_at IS NOT NULL")
    if wanted.category is not None:
        where.append("k.category = %(category)s")
    if wanted.ids is not None:
        where.append("k.id = ANY(%(ids)s)")
    if wanted.warehouse_id is not None:
        where.append("""EXISTS (SELECT FROM stock_level h WHERE h.seller_id = k.seller_id AND h.sku_id = k.id
            AND h.warehouse_id = %(warehouse)s AND (h.on_hand <> 0 OR h.reserved <> 0))""")
    if after:
        # A code is one SKU's, so that no id is needed beside it, and the index alone knows where to go on.
        where.append("k.code > %(place)s" if wanted.sort == "code" else f"({by}, k.id) > (%(place)s, %(id)s)")
    place, id_ = after or (None, None)
    sql: Any = f"""
        WITH page AS MATERIALIZED (
            SELECT k.seller_id, k.id, {by} AS place FROM {_SOURCE[wanted.sort]} WHERE {" AND ".join(where)}
            ORDER BY {"k.code" if wanted.sort == "code" else f"{by}, k.id"} LIMIT %(limit)s)
        {_ONE if wanted.warehouse_id is not None else _ALL} {_MORE} ORDER BY p.place, p.id"""
    return await tx.all(
        sql,
        {"category": wanted.category, "ids": None if wanted.ids is None else list(wanted.ids), "place": place,
         "id": id_, "warehouse": wanted.warehouse_id, "limit": limit},
    )  # fmt: skip


_COLUMNS: LiteralString = """
    SELECT p.id, p.place, k.code, k.category, k.gtin, k.cost_cents, k.opened_at, q.per_day, q.reorder,
           coalesce(s.on_hand, 0) AS on_hand, coalesce(s.reserved, 0) AS reserved, coalesce(s.free, 0) AS free,"""
_ALL: LiteralString = f"""{_COLUMNS}
           (SELECT coalesce(sum(greatest(0, t.on_hand - t.reserved)), 0)::int FROM stock_level t
            JOIN warehouse w ON w.seller_id = t.seller_id AND w.id = t.warehouse_id AND w.kind = 'transit'
            WHERE t.seller_id = p.seller_id AND t.sku_id = p.id) AS moving,"""
_ONE: LiteralString = f"""{_COLUMNS} 0 AS moving,"""
_MORE: LiteralString = f"""
           coalesce(nullif(k.title, ''), (SELECT l.title FROM listing l WHERE l.seller_id = p.seller_id
               AND l.sku_id = p.id AND l.gone_at IS NULL AND l.title <> '' LIMIT 1), '') AS title,
           (SELECT coalesce(sum(h.quantity), 0)::int FROM shortage h WHERE h.seller_id = p.seller_id
            AND h.sku_id = p.id) AS short,
           (SELECT coalesce(sum(greatest(0, n.quantity - n.received_quantity)), 0)::int FROM purchase_order_line n
            JOIN purchase_order o ON o.seller_id = n.seller_id AND o.id = n.purchase_order_id
            WHERE n.seller_id = p.seller_id AND n.sku_id = p.id AND o.status IN ('sent', 'partial')) AS incoming,
           (SELECT count(*)::int FROM listing l WHERE l.seller_id = p.seller_id AND l.sku_id = p.id
            AND l.gone_at IS NULL) AS listings,
           EXISTS (SELECT FROM alert a WHERE a.seller_id = p.seller_id AND a.kind = 'low_stock'
                   AND a.subject = p.id::text AND a.resolved_at IS NULL) AS low, {_KIT} AS is_kit
    FROM page p JOIN sku k ON k.seller_id = p.seller_id AND k.id = p.id
    LEFT JOIN replenishment_plan q ON q.seller_id = p.seller_id AND q.sku_id = p.id
    LEFT JOIN LATERAL (
        SELECT n.on_hand, n.reserved, n.free FROM sku_standing n
        WHERE n.seller_id = p.seller_id AND n.sku_id = p.id AND %(warehouse)s::uuid IS NULL
        UNION ALL SELECT l.on_hand, l.reserved, greatest(0, l.on_hand - l.reserved) FROM stock_level l
        WHERE l.seller_id = p.seller_id AND l.sku_id = p.id AND l.warehouse_id = %(warehouse)s) s ON true"""


async def categories(tx: Tx, most: int = 500) -> list[str]:
    """Every category that a SKU has, along its index from one to the next."""
    rows = await tx.all(
        """WITH RECURSIVE each AS (
               (SELECT category FROM sku WHERE category IS NOT NULL ORDER BY category LIMIT 1)
               UNION ALL
               SELECT (SELECT k.category FROM sku k WHERE k.category > each.category ORDER BY k.category LIMIT 1)
               FROM each WHERE each.category IS NOT NULL)
           SELECT category FROM each WHERE category IS NOT NULL LIMIT %s""",
        [most],
    )
    return [row["category"] for row in rows]


# ── search ──────────────────────────────────────────────────────────────────────────────────────────────────


async def named(tx: Tx, told: str) -> dict[str, Any] | None:
    """The one SKU that a person or a scanner means: its code as it is or in capitals, else a GTIN that one SKU has."""
    rows = await tx.all(
        """SELECT k.id, k.code, k.title, k.gtin, k.opened_at FROM sku k WHERE k.code = ANY(%(codes)s)
           ORDER BY k.code <> %(told)s LIMIT 1""",
        {"codes": list({told, told.upper()}), "told": told},
    )
    if not rows and (forms := gtin_forms(told)):
        rows = await tx.all("SELECT id, code, title, gtin, opened_at FROM sku WHERE gtin = ANY(%s) LIMIT 2", [forms])
    return rows[0] if len(rows) == 1 else None


async def _found(tx: Tx, search: str) -> set[UUID]:
    """SKUs of that code or GTIN, and those with words in code or name that begin with each of the words told."""
    rows = await tx.all(
        "SELECT id FROM sku WHERE code = ANY(%s) UNION SELECT id FROM sku WHERE gtin = ANY(%s)",
        [list({search, search.upper()}), [search, *gtin_forms(search)]],
    )
    return {row["id"] for row in rows} | await WORDS.find(tx, search, FOUND)


# ── kits ────────────────────────────────────────────────────────────────────────────────────────────────────


async def kit_inputs(tx: Tx, kit_ids: Iterable[UUID], shelves: Shelves) -> dict[UUID, stock.SlotInputs]:
    """What decides how many of each kit the seller's own warehouses make, before any channel's rules."""
    wanted = list(kit_ids)
    made_of = await kits.kits(tx, wanted)
    parts = {kit: stock.flatten_kit(kit, made_of) for kit in wanted if kit in made_of}
    components = list({part.sku_id for flat in parts.values() for part in flat})
    levels = await tx.all(
        "SELECT sku_id, warehouse_id, on_hand, reserved FROM stock_level WHERE sku_id = ANY(%s)", [components]
    )
    shut = {row["id"] for row in await tx.all("SELECT id FROM sku WHERE id = ANY(%s) AND opened_at IS NULL",
                                              [components])}  # fmt: skip
    ways = await tx.all(
        """SELECT k.id, k.split_allowed, coalesce(k.split, e.split) <> 'units' AS one_parcel FROM sku k
           JOIN seller e ON e.seller_id = k.seller_id WHERE k.id = ANY(%s)""",
        [list(parts)],
    )
    return {
        row["id"]: stock.SlotInputs(
            slot_id=row["id"],
            components=parts[row["id"]],
            warehouses=tuple(place.id for place in sorted(shelves.own, key=lambda one: (one.rank, one.code))),
            levels=tuple(stock.Level(**level) for level in levels
                         if level["sku_id"] in {part.sku_id for part in parts[row["id"]]}),
            opened=not any(part.sku_id in shut for part in parts[row["id"]]),
            split_allowed=row["split_allowed"],
            one_parcel=row["one_parcel"],
        )
        for row in ways
    }  # fmt: skip

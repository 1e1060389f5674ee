"""The list of listings: filtered, searched and paged by slot, each filter along an index of its own.

Whatever a reader types stands in comparisons only: row-level security keeps every other operator out of an index.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString
from uuid import UUID

from hub.linking import gtin_forms
from hub.store import Tx
from hub.store.words import Words

FOUND = 500  # a search looks at so many listings of each kind of hit
TITLES = Words("listing_word", "listing_id")

# As hub.web.words.slot_state decides, in the same order of precedence. Literals, so that the planner sees the partial
# indexes: what is said of a slot twice names the index's own predicate.
_OURS: LiteralString = "l.managed_by = 'seller' AND l.sku_id IS NOT NULL"
_OPEN: LiteralString = """EXISTS (SELECT FROM drift d WHERE d.seller_id = s.seller_id AND d.slot_id = s.id
    AND d.closed_at IS NULL AND d.state <> 'noted')"""
_GOING: LiteralString = f"{_OURS} AND s.parked_code IS NULL AND NOT s.braked AND NOT s.withheld AND NOT {_OPEN}"
_SURE: LiteralString = f"{_GOING} AND s.desired IS NOT NULL AND s.doubt_until IS NULL"
STATES: dict[str, LiteralString] = {
    "linked": "l.sku_id IS NOT NULL",
    "unlinked": "l.managed_by = 'seller' AND l.sku_id IS NULL",
    "even": f"{_SURE} AND s.expected = s.desired",
    "pending": f"{_SURE} AND s.unsettled",
    "different": f"""{_OURS} AND s.parked_code IS NULL AND NOT s.braked AND s.id = ANY(ARRAY(
        SELECT d.slot_id FROM drift d WHERE d.closed_at IS NULL AND d.state <> 'noted'))""",
    "doubt": f"{_GOING} AND s.desired IS NOT NULL AND s.sku_id IS NOT NULL AND s.doubt_until IS NOT NULL",
    "parked": f"{_OURS} AND s.parked_code IS NOT NULL",
    "braked": f"{_OURS} AND s.parked_code IS NULL AND s.braked",
    "uncounted": f"{_GOING} AND s.sku_id IS NOT NULL AND s.desired IS NULL",
    "paused": "l.status = 'paused'",
    "theirs": "l.managed_by = 'marketplace'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which listings to list. `state`: one of STATES; `search`: a SKU, ref, GTIN, or words of the title."""

    state: str | None = None
    account_id: UUID | None = None
    search: str | None = None
    ids: Sequence[UUID] | None = None


COLUMNS: LiteralString = """l.id, l.slot_id, a.id AS account_id, a.channel, a.name AS account,
    a.status AS account_status, l.ref, l.variation_ref, l.title, l.url, l.channel_sku, l.gtin, k.code AS sku,
    l.multiplier, l.linked_by, l.status, l.managed_by, l.price_cents, coalesce(l.currency, 'BRL') AS currency,
    s.desired, s.pushed, s.expected, s.seen, s.seen_at, s.last_pushed_at, s.due_at, s.parked_code, s.parked_reason,
    s.braked, s.withheld, s.doubt_until, s.approved_at, d.id IS NOT NULL AS differs"""
JOINS: LiteralString = """
    FROM listing l JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id
    JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id
    LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
    LEFT JOIN LATERAL (SELECT d.id FROM drift d WHERE d.seller_id = s.seller_id AND d.slot_id = s.id
        AND d.closed_at IS NULL AND d.state <> 'noted' LIMIT 1) d ON true"""


async def page(
    tx: Tx, wanted: Wanted, *, after: tuple[UUID, UUID] | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Listings with what their slot should show, was told and was seen to show; keyset by (slot, listing)."""
    if wanted.search:
        found = await _found(tx, wanted.search, limit=FOUND)
        wanted = replace(wanted, ids=[*found] if wanted.ids is None else [id_ for id_ in wanted.ids if id_ in found])
    where: list[LiteralString] = ["l.gone_at IS NULL"]
    if wanted.state in STATES:
        where.append(STATES[wanted.state])
    if wanted.account_id:
        where.append("l.account_id = %(account)s")
    if wanted.ids is not None:
        where.append("l.id = ANY(%(ids)s)")
    if after:
        where.append("l.slot_id >= %(slot)s AND s.id >= %(slot)s AND (l.slot_id > %(slot)s OR l.id > %(id)s)")
    slot, id_ = after or (None, None)
    sql: Any = f"""SELECT {COLUMNS}{JOINS} WHERE {" AND ".join(where)} ORDER BY l.slot_id, l.id LIMIT %(limit)s"""
    ids = None if wanted.ids is None else list(wanted.ids)
    return await tx.all(sql, {"account": wanted.account_id, "ids": ids, "slot": slot, "id": id_, "limit": limit})


async def _found(tx: Tx, search: str, *, limit: int) -> set[UUID]:
    """Listings of that ref, GTIN or SKU (the channel's word or ours), and those with such words in their title."""
    told = search.strip()
    ref, _, variation = told.partition(":")
    params = {
        "exact": told, "upper": told.upper(), "ref": ref, "variation": variation, "gtins": [told, *gtin_forms(told)],
        "limit": limit,
    }  # fmt: skip
    rows = await tx.all(
        """(SELECT id FROM listing WHERE channel_sku IN (%(exact)s, %(upper)s) LIMIT %(limit)s)
           UNION (SELECT id FROM listing WHERE account_id = ANY(ARRAY(SELECT id FROM account)) AND ref = %(exact)s
               LIMIT %(limit)s)
           UNION (SELECT id FROM listing WHERE account_id = ANY(ARRAY(SELECT id FROM account)) AND ref = %(ref)s
               AND variation_ref = %(variation)s LIMIT %(limit)s)
           UNION (SELECT id FROM listing WHERE gtin = ANY(%(gtins)s) LIMIT %(limit)s)
           UNION (SELECT id FROM listing WHERE sku_id IN (SELECT id FROM sku WHERE code IN (%(exact)s, %(upper)s))
               LIMIT %(limit)s)""",
        params,
    )
    return {row["id"] for row in rows} | await TITLES.find(tx, told, limit)

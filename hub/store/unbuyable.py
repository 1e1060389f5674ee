"""Orders whose labels are not simply bought: what the channel sends with a label of its own, and what is not there."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx

# Over orders o and its account a, with `own`: channel -> JSON path (OrderSource.own_label). A relay tells nothing of
# what the marketplace says of an order's shipping.
OWN_LABEL: LiteralString = """coalesce(CASE WHEN o.origin_channel IS NULL THEN o.told ELSE '{}'::jsonb END
    @@ (%(own)s::jsonb ->> coalesce(o.origin_channel, a.channel))::jsonpath, false)"""
# Another connected account has the same sale: its parcel is that one's.
RELAYED: LiteralString = """o.origin_channel IS NOT NULL AND EXISTS (SELECT FROM account b
        WHERE b.seller_id = o.seller_id AND b.channel = o.origin_channel AND b.id <> o.account_id
          AND b.status <> 'closed' OFFSET 0)"""
_CODE: LiteralString = "jsonb_path_query_first(o.told, '$.shipments[*].tracking_code ? (@ != null)') #>> '{}'"
ORDINARY: LiteralString = f"NOT {OWN_LABEL} AND ({_CODE}) IS NULL AND NOT ({RELAYED})"
SHORT: LiteralString = """(SELECT string_agg(h.quantity || ' x ' || k.code, ', ' ORDER BY k.code) FROM shortage h
    JOIN sku k ON k.seller_id = h.seller_id AND k.id = h.sku_id
    WHERE h.seller_id = o.seller_id AND h.order_id = o.id)"""


def paths(own: Mapping[str, str]) -> str:
    """The parameter `own` of the fragments above."""
    return json.dumps(dict(own))


async def reasons(tx: Tx, order_ids: Sequence[UUID], own: Mapping[str, str]) -> dict[UUID, dict[str, Any]]:
    """By order: number, channel (whose words tell of the shipping), own_label, service, code, short (None: nothing)."""
    rows = await tx.all(
        f"""SELECT o.id, coalesce(o.number, o.ref) AS number, coalesce(o.origin_channel, a.channel) AS channel,
                {OWN_LABEL} AS own_label, {_CODE} AS code, {SHORT} AS short,
                CASE WHEN o.origin_channel IS NULL THEN
                    jsonb_path_query_first(o.told, '$.shipments[*].service ? (@ != null)') #>> '{{}}' END AS service
            FROM orders o JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
            WHERE o.id = ANY(%(ids)s)""",
        {"ids": list(order_ids), "own": paths(own)},
    )
    return {row["id"]: row for row in rows}


async def contents(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """What each order's parcel holds, line by line: units, sku (None while unlinked), title."""
    rows = await tx.all(
        """SELECT l.order_id, (l.quantity - l.cancelled_quantity) * l.multiplier AS units,
                  coalesce(k.code, l.channel_sku) AS sku, coalesce(nullif(k.title, ''), l.title) AS title
           FROM order_line l LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.order_id = ANY(%s) AND l.quantity > l.cancelled_quantity
             AND l.fulfilled_by IS DISTINCT FROM 'marketplace'
           ORDER BY l.order_id, l.ref""",
        [list(order_ids)],
    )
    told: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        told.setdefault(row["order_id"], []).append(row)
    return told

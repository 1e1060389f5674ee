"""What each SKU sold on each day, and for how long it had nothing to sell: rebuilt from orders and the ledger."""

from datetime import date, datetime
from typing import LiteralString

from hub.store import Tx

REBUILDING = 7312  # class of the advisory lock under which a seller's days are rebuilt

# Every SKU down to the plain SKUs it is made of; each sale in the window once per origin, in units of those.
_SALES: LiteralString = """
    WITH RECURSIVE made AS (
        SELECT id AS root, id AS part, 1 AS units FROM sku
        UNION ALL
        SELECT m.root, k.sku_id, m.units * k.quantity FROM made m JOIN kit_component k ON k.kit_id = m.part
    ), parts AS (
        SELECT m.root, m.part, sum(m.units)::int AS units FROM made m
        WHERE NOT EXISTS (SELECT FROM kit_component k WHERE k.kit_id = m.part) GROUP BY m.root, m.part
    ), told AS (
        SELECT o.*, row_number() OVER (
            PARTITION BY o.stock_key ORDER BY (e.order_id IS NOT DISTINCT FROM o.id) DESC, o.id) AS rank
        FROM orders o LEFT JOIN stock_effect e ON e.seller_id = o.seller_id AND e.stock_key = o.stock_key
        WHERE o.placed_at >= %(far)s AND o.placed_at < %(now)s AND (o.status <> 'placed' OR %(unpaid)s)
    ), sale AS MATERIALIZED (
        SELECT p.part AS sku_id, o.placed_at AS at,
               l.multiplier * p.units * l.quantity AS asked,
               l.multiplier * p.units * (l.quantity - least(l.quantity, l.cancelled_quantity)) AS units,
               l.multiplier * p.units * l.returned_quantity AS returned,
               coalesce(l.fulfilled_by, o.fulfilled_by, '') = 'marketplace' AS elsewhere,
               o.status = 'cancelled'
                   OR (o.payment IN ('refunded', 'voided') AND coalesce(o.fulfilment, 'none') = 'none') AS undone,
               coalesce((o.told->>'cancelled_at')::timestamptz, o.changed_at, o.updated_at) AS undone_at
        FROM told o
        JOIN order_line l ON l.seller_id = o.seller_id AND l.order_id = o.id
        JOIN parts p ON p.root = l.sku_id
        JOIN sku k ON k.seller_id = o.seller_id AND k.id = p.part AND k.opened_at IS NOT NULL
        WHERE o.rank = 1
    )
"""
# Free units are walked back from what is free now. A sale takes its units when it is placed (whatever the day on which
# they leave), a cancellation gives them back; everything else in the ledger moves them as it says. What was sold
# before the opening only moves what came before it, which nobody asks about.
_OUT: LiteralString = """
    , shift AS (
        SELECT m.sku_id, m.at, m.delta FROM stock_movement m
        JOIN warehouse w ON w.seller_id = m.seller_id AND w.id = m.warehouse_id AND w.kind IN ('own', 'transit')
        WHERE m.at >= %(since)s AND m.at < %(now)s AND m.reason <> 'dispatch'
        UNION ALL
        SELECT sku_id, at, -units FROM sale WHERE NOT elsewhere AND NOT undone
        UNION ALL
        SELECT s.sku_id, v.at, v.sign * s.asked FROM sale s,
            LATERAL (VALUES (s.at, -1), (s.undone_at, 1)) v(at, sign)
        WHERE NOT s.elsewhere AND s.undone AND s.undone_at > s.at
    ), step AS (
        SELECT sku_id, at, sum(delta) AS delta FROM shift WHERE at >= %(since)s AND at < %(now)s GROUP BY sku_id, at
    ), free AS (
        SELECT k.id AS sku_id, k.opened_at, coalesce(l.units, 0) - coalesce(h.units, 0) AS units FROM sku k
        LEFT JOIN (SELECT l.sku_id, sum(l.on_hand - l.reserved) AS units FROM stock_level l
                   JOIN warehouse w ON w.seller_id = l.seller_id AND w.id = l.warehouse_id
                       AND w.kind IN ('own', 'transit')
                   GROUP BY l.sku_id) l ON l.sku_id = k.id
        LEFT JOIN (SELECT sku_id, sum(quantity) AS units FROM shortage GROUP BY sku_id) h ON h.sku_id = k.id
        WHERE k.opened_at IS NOT NULL AND NOT EXISTS (SELECT FROM kit_component c WHERE c.kit_id = k.id)
    ), stretch AS (
        SELECT f.sku_id, f.opened_at, f.units - coalesce(t.delta, 0) AS units, %(since)s AS since,
               coalesce(t.first, %(now)s) AS until
        FROM free f
        LEFT JOIN (SELECT sku_id, sum(delta) AS delta, min(at) AS first FROM step GROUP BY sku_id) t USING (sku_id)
        UNION ALL
        SELECT f.sku_id, f.opened_at,
               f.units - coalesce(sum(s.delta) OVER (PARTITION BY s.sku_id ORDER BY s.at
                                  ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0),
               s.at, lead(s.at, 1, %(now)s) OVER (PARTITION BY s.sku_id ORDER BY s.at)
        FROM step s JOIN free f USING (sku_id)
    ), gap AS (
        SELECT sku_id, greatest(since, opened_at) AT TIME ZONE %(zone)s AS since,
               least(until, %(until)s) AT TIME ZONE %(zone)s AS until
        FROM stretch WHERE units <= 0 AND least(until, %(until)s) > greatest(since, opened_at)
        UNION ALL  -- the day of the opening counts from its hour on
        SELECT sku_id, date_trunc('day', opened_at AT TIME ZONE %(zone)s), opened_at AT TIME ZONE %(zone)s
        FROM free WHERE opened_at >= %(since)s AND opened_at < %(until)s
    ), out AS (
        SELECT g.sku_id, d.day::date AS day,
               least(1440, floor(sum(extract(epoch FROM least(g.until, d.day + interval '1 day')
                                             - greatest(g.since, d.day))) / 60))::int AS minutes
        FROM gap g, generate_series(date_trunc('day', g.since), g.until, interval '1 day') AS d(day)
        WHERE least(g.until, d.day + interval '1 day') > greatest(g.since, d.day)
        GROUP BY g.sku_id, d.day
    )
"""
_WRITE: LiteralString = """
    , sold AS (
        SELECT sku_id, (at AT TIME ZONE %(zone)s)::date AS day,
               coalesce(sum(units) FILTER (WHERE NOT elsewhere), 0)::int AS sold,
               coalesce(sum(returned) FILTER (WHERE NOT elsewhere), 0)::int AS returned,
               coalesce(sum(units) FILTER (WHERE elsewhere), 0)::int AS elsewhere
        FROM sale WHERE at >= %(since)s AND at < %(until)s AND NOT undone AND units > 0 GROUP BY 1, 2
    ), told_day AS MATERIALIZED (
        SELECT sku_id, day, coalesce(s.sold, 0) AS sold, coalesce(s.returned, 0) AS returned,
               coalesce(s.elsewhere, 0) AS elsewhere, coalesce(o.minutes, 0) AS minutes
        FROM sold s FULL JOIN out o USING (sku_id, day)
        WHERE s.sku_id IS NOT NULL OR o.minutes > 0
    ), gone AS (
        DELETE FROM stock_day d WHERE d.day >= %(first)s AND d.day < %(today)s
          AND NOT EXISTS (SELECT FROM told_day t WHERE t.sku_id = d.sku_id AND t.day = d.day)
    )
    INSERT INTO stock_day AS d (seller_id, sku_id, day, sold, returned, sold_elsewhere, minutes_out)
    SELECT %(seller)s, sku_id, day, sold, returned, elsewhere, minutes FROM told_day
    ON CONFLICT (seller_id, sku_id, day) DO UPDATE SET sold = excluded.sold, returned = excluded.returned,
        sold_elsewhere = excluded.sold_elsewhere, minutes_out = excluded.minutes_out
    WHERE (d.sold, d.returned, d.sold_elsewhere, d.minutes_out)
        IS DISTINCT FROM (excluded.sold, excluded.returned, excluded.sold_elsewhere, excluded.minutes_out)"""


async def refresh(
    tx: Tx, first: date, today: date, bounds: tuple[datetime, datetime, datetime, datetime], zone: str, *, unpaid: bool
) -> int:
    """Bring the days from `first` up to (without) `today` up to what orders and the ledger say. Rows that changed.

    `bounds`: an instant before which no order that matters was placed, those where `first` and `today` begin, and
    now. `unpaid`: whether an order holds stock before it is paid. Doing it again changes nothing.
    """
    far, since, until, now = bounds
    await tx.run("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [REBUILDING, str(tx.seller)])
    # One seller's whole window is sorted at once; the default of 4 MB would spill it to disk.
    await tx.run("SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)")
    params = {
        "far": far, "since": since, "until": until, "now": now, "zone": zone, "unpaid": unpaid, "first": first,
        "today": today, "seller": tx.seller,
    }  # fmt: skip
    return await tx.run(_SALES + _OUT + _WRITE, params)

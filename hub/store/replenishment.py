"""Replenishment: what people set, the plans that follow, positions, and who is low."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.demand import Demand, Doubt, Handling
from hub.replenishment import Defaults, Incoming, Lead, LeadSource, Plan, Position, Rules
from hub.store import Tx

# ── What people set ─────────────────────────────────────────────────────────────────────────────────────────

SETTINGS = (
    "active", "supplier_id", "supplier_code", "lead_time_days", "lead_time_deviation", "safety_stock", "reorder_point",
    "service_level", "review_days", "cover_days", "order_multiple", "order_minimum", "handling",
)  # fmt: skip


async def defaults(tx: Tx) -> Defaults:
    """The seller's own defaults; what was never set is as Defaults says."""
    told = await tx.value("SELECT settings->'replenishment' FROM seller") or {}
    known = {field.name for field in fields(Defaults)}
    return Defaults(**{name: value for name, value in told.items() if name in known})


async def set_defaults(tx: Tx, chosen: Defaults) -> None:
    """Keep the seller's defaults."""
    sql = "UPDATE seller SET settings = jsonb_set(settings, '{replenishment}', %s::jsonb)"
    await tx.run(sql, [json.dumps(asdict(chosen))])


async def sku(tx: Tx, sku_id: UUID) -> dict[str, Any] | None:
    """What a SKU is: code, title, cost, whether its stock is open and whether it is a kit."""
    return await tx.one(
        """SELECT k.id, k.code, k.title, k.cost_cents, k.opened_at, EXISTS (SELECT FROM kit_component c
                  WHERE c.seller_id = k.seller_id AND c.kit_id = k.id) AS is_kit
           FROM sku k WHERE k.id = %s""",
        [sku_id],
    )


async def settings(tx: Tx, sku_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What is set for each of these SKUs, with its supplier's name; all empty where nothing is."""
    empty = {**dict.fromkeys(SETTINGS), "active": True, "order_multiple": 1, "order_minimum": 1, "supplier": None}
    rows = await tx.all(
        """SELECT r.*, s.name AS supplier FROM sku_replenishment r
           LEFT JOIN supplier s ON s.seller_id = r.seller_id AND s.id = r.supplier_id WHERE r.sku_id = ANY(%s)""",
        [list(sku_ids)],
    )
    known = {row["sku_id"]: {name: row[name] for name in (*SETTINGS, "supplier")} for row in rows}
    return {sku_id: known.get(sku_id, dict(empty)) for sku_id in sku_ids}


async def set_settings(tx: Tx, changes: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Change settings by name, of each SKU; names that are not told stay as they are."""
    kept = await settings(tx, list(changes))
    names = ", ".join(SETTINGS)
    same = ", ".join(f"{name} = excluded.{name}" for name in SETTINGS)
    sql: Any = f"""
        INSERT INTO sku_replenishment (seller_id, sku_id, {names}) VALUES (%s, %s{", %s" * len(SETTINGS)})
        ON CONFLICT (seller_id, sku_id) DO UPDATE SET {same}, updated_at = now()"""
    await tx.many(
        sql,
        [
            (tx.seller, sku_id, *(told.get(name, kept[sku_id][name]) for name in SETTINGS))
            for sku_id, told in changes.items()
        ],
    )


# ── Plans ───────────────────────────────────────────────────────────────────────────────────────────────────

_PLAN = (
    "per_day", "deviation", "days", "known_days", "units", "units_elsewhere", "handling", "fence", "cut", "doubt",
    "lead_days", "lead_deviation", "lead_source", "lead_receipts", "safety", "reorder", "target", "recovers_at",
)  # fmt: skip


async def materials(
    tx: Tx, today: date, window: int, zone: str, *, after: UUID | None = None, only: Sequence[UUID] | None = None,
    limit: int = 2000,
) -> list[dict[str, Any]]:  # fmt: skip
    """What the plans of the next SKUs in id order are made from: settings, supplier, and their days as arrays.

    Only plain SKUs whose stock is open and that are replenished. `days` counts those known within the window.
    """
    sql = """
        SELECT k.id, k.code, k.cost_cents, least(%(window)s, greatest(0,
                   %(today)s - (k.opened_at AT TIME ZONE %(zone)s)::date)) AS known_days,
               r.supplier_id, r.lead_time_days, r.lead_time_deviation, r.safety_stock, r.reorder_point, r.service_level,
               r.review_days, r.cover_days, coalesce(r.order_multiple, 1) AS order_multiple,
               coalesce(r.order_minimum, 1) AS order_minimum, r.handling,
               s.lead_time_days AS supplier_lead, s.lead_time_deviation AS supplier_deviation,
               d.ago, d.sold, d.returned, d.minutes_out, coalesce(d.elsewhere, 0)::int AS elsewhere
        FROM sku k
        LEFT JOIN sku_replenishment r ON r.seller_id = k.seller_id AND r.sku_id = k.id
        LEFT JOIN supplier s ON s.seller_id = r.seller_id AND s.id = r.supplier_id
        LEFT JOIN LATERAL (
            SELECT array_agg(%(today)s - day) AS ago, array_agg(sold) AS sold, array_agg(returned) AS returned,
                   array_agg(minutes_out) AS minutes_out, sum(sold_elsewhere) AS elsewhere
            FROM stock_day d WHERE d.seller_id = k.seller_id AND d.sku_id = k.id
              AND d.day >= %(today)s - %(window)s AND d.day < %(today)s) d ON true
        WHERE k.opened_at IS NOT NULL AND coalesce(r.active, true)
          AND NOT EXISTS (SELECT FROM kit_component c WHERE c.seller_id = k.seller_id AND c.kit_id = k.id)
          AND (%(after)s::uuid IS NULL OR k.id > %(after)s) AND (%(only)s::uuid[] IS NULL OR k.id = ANY(%(only)s))
        ORDER BY k.id LIMIT %(limit)s"""
    params = {"today": today, "window": window, "zone": zone, "after": after, "limit": limit}
    return await tx.all(sql, {**params, "only": None if only is None else list(only)})


async def put_plans(tx: Tx, plans: Mapping[UUID, tuple[Plan, int]], at: datetime) -> None:
    """Keep plans by SKU, each with the units that marketplaces sold of it from their own stock."""
    names = ", ".join(_PLAN)
    same = ", ".join(f"{name} = excluded.{name}" for name in _PLAN)
    sql: Any = f"""
        INSERT INTO replenishment_plan (seller_id, sku_id, computed_at, {names})
        VALUES (%s, %s, %s{", %s" * len(_PLAN)})
        ON CONFLICT (seller_id, sku_id) DO UPDATE SET computed_at = excluded.computed_at, {same}"""
    await tx.many(
        sql, [(tx.seller, sku_id, at, *_columns(plan, elsewhere)) for sku_id, (plan, elsewhere) in plans.items()]
    )


def _columns(plan: Plan, elsewhere: int) -> tuple[Any, ...]:
    d, lead = plan.demand, plan.lead
    return (
        d.per_day, d.deviation, d.days, d.known_days, d.units, elsewhere, d.handling, d.fence, d.cut, d.doubt,
        lead.days, lead.deviation, lead.source, lead.receipts, plan.safety, plan.reorder, plan.target, plan.recovers_at,
    )  # fmt: skip


async def longest_lead(tx: Tx, sku_ids: Sequence[UUID]) -> float | None:
    """The longest lead time, in days, of those of these SKUs that have a plan."""
    days: float | None = await tx.value(
        "SELECT max(lead_days) FROM replenishment_plan WHERE sku_id = ANY(%s)", [list(sku_ids)]
    )
    return days


async def drop_plans(tx: Tx, before: datetime, only: Sequence[UUID] | None = None) -> None:
    """Plans that no run since then made: kits by now, or not replenished any more."""
    await tx.run(
        "DELETE FROM replenishment_plan WHERE computed_at < %s AND (%s::uuid[] IS NULL OR sku_id = ANY(%s))",
        [before, only, only],
    )


async def values(tx: Tx) -> dict[UUID, float]:
    """What SKUs of a known cost sell a day, in centavos of cost."""
    rows = await tx.all(
        """SELECT p.sku_id, p.per_day * k.cost_cents AS value FROM replenishment_plan p
           JOIN sku k ON k.seller_id = p.seller_id AND k.id = p.sku_id WHERE k.cost_cents IS NOT NULL"""
    )
    return {row["sku_id"]: float(row["value"]) for row in rows}


async def put_classes(tx: Tx, classes: Mapping[UUID, str]) -> None:
    """Keep A, B and C; none for SKUs that are not told."""
    await tx.run(
        """UPDATE replenishment_plan p SET abc = told.abc
           FROM replenishment_plan q LEFT JOIN unnest(%s::uuid[], %s::text[]) AS told(id, abc) ON told.id = q.sku_id
           WHERE p.sku_id = q.sku_id AND p.abc IS DISTINCT FROM told.abc""",
        [list(classes), list(classes.values())],
    )


async def last_run(tx: Tx) -> dict[str, Any] | None:
    """The last daily run: day, skus, ms, at."""
    return await tx.one("SELECT day, skus, ms, at FROM replenishment_run")


async def note_run(tx: Tx, day: date, skus: int, ms: int, at: datetime) -> None:
    """A daily run is done."""
    await tx.run(
        """INSERT INTO replenishment_run (seller_id, day, skus, ms, at) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (seller_id) DO UPDATE SET day = excluded.day, skus = excluded.skus, ms = excluded.ms,
               at = excluded.at""",
        [tx.seller, day, skus, ms, at],
    )


async def forget_run(tx: Tx) -> None:
    """The daily run is due again."""
    await tx.run("DELETE FROM replenishment_run")


# ── Positions ───────────────────────────────────────────────────────────────────────────────────────────────

# Each unit counts once: on the shelf, or ordered and neither received nor called off. A draft is not ordered yet.
STANDING: LiteralString = """
    WITH held AS (
        SELECT l.sku_id, sum(l.on_hand)::int AS on_hand, sum(l.reserved)::int AS reserved FROM stock_level l
        JOIN warehouse w ON w.seller_id = l.seller_id AND w.id = l.warehouse_id AND w.kind IN ('own', 'transit')
        GROUP BY l.sku_id
    ), owed AS (
        SELECT sku_id, sum(quantity)::int AS short FROM shortage GROUP BY sku_id
    ), coming AS (
        SELECT l.sku_id, sum(greatest(0, l.quantity - l.received_quantity))::int AS incoming
        FROM purchase_order o JOIN purchase_order_line l ON l.seller_id = o.seller_id AND l.purchase_order_id = o.id
        WHERE o.status IN ('sent', 'partial') GROUP BY l.sku_id
    ), counted AS (
        SELECT p.*, coalesce(h.on_hand, 0) AS on_hand, coalesce(h.reserved, 0) AS reserved,
               coalesce(w.short, 0) AS short, coalesce(c.incoming, 0) AS incoming,
               coalesce(h.on_hand, 0) - coalesce(h.reserved, 0) - coalesce(w.short, 0) AS free,
               coalesce(h.on_hand, 0) - coalesce(h.reserved, 0) - coalesce(w.short, 0) + coalesce(c.incoming, 0)
                   AS position,
               (SELECT a.severity FROM alert a WHERE a.seller_id = p.seller_id AND a.kind = 'low_stock'
                  AND a.subject = p.sku_id::text AND a.resolved_at IS NULL) AS severity
        FROM replenishment_plan p LEFT JOIN held h USING (sku_id) LEFT JOIN owed w USING (sku_id)
        LEFT JOIN coming c USING (sku_id)
    ), standing AS (
        SELECT c.*, CASE WHEN c.free <= 0 THEN 0 WHEN c.per_day > 0 THEN c.free / c.per_day ELSE 1e9 END::float8
            AS days_left FROM counted c
    )
"""
LOW: LiteralString = "(s.position <= s.reorder AND (s.reorder > 0 OR s.position < 0))"
_ROW: LiteralString = """
    SELECT s.*, k.code, k.title, k.cost_cents, r.supplier_id, v.name AS supplier, r.supplier_code,
           coalesce(r.order_multiple, 1) AS order_multiple, coalesce(r.order_minimum, 1) AS order_minimum,
           r.safety_stock, r.reorder_point, r.service_level, r.review_days, r.cover_days
    FROM standing s JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
    LEFT JOIN sku_replenishment r ON r.seller_id = s.seller_id AND r.sku_id = s.sku_id
    LEFT JOIN supplier v ON v.seller_id = r.seller_id AND v.id = r.supplier_id
"""


async def _hashed(tx: Tx, sql: LiteralString, params: Any) -> list[dict[str, Any]]:
    """Rows of a query over all SKUs, joined by hash.

    Until a new table has statistics the planner takes it for one row and loops: measured, a minute for 40,000
    SKUs instead of half a second.
    """
    await tx.run("SELECT set_config('enable_nestloop', 'off', true)")
    rows = await tx.all(sql, params)
    await tx.run("SELECT set_config('enable_nestloop', 'on', true)")
    return rows


async def low(tx: Tx, only: Sequence[UUID] | None = None) -> list[dict[str, Any]]:
    """SKUs at their reorder point or with an open alert (of `only`), each with plan, position and settings."""
    sql = f"{STANDING} {_ROW} WHERE ({LOW} OR s.severity IS NOT NULL) AND (%s::uuid[] IS NULL OR s.sku_id = ANY(%s))"
    wanted = None if only is None else list(only)
    return await _hashed(tx, sql, [wanted, wanted])


async def standing(tx: Tx, sku_id: UUID) -> dict[str, Any] | None:
    """One SKU's plan, position and settings; None where it has no plan."""
    return await tx.one(f"{STANDING} {_ROW} WHERE s.sku_id = %s", [sku_id])


FILTERS: dict[str, LiteralString] = {
    "low": LOW,
    "urgent": "s.severity = 'urgent'",
    "incoming": "s.incoming > 0",
    "doubtful": "s.doubt IS NOT NULL",
    "all": "true",
}


async def listed(
    tx: Tx, chosen: str, *, supplier_id: UUID | None = None, abc: str | None = None, search: str | None = None,
    after: tuple[float, UUID] | None = None, limit: int = 50,
) -> list[dict[str, Any]]:  # fmt: skip
    """SKUs by days left (those that never run out come last), keyset by (days_left, sku_id); `chosen` of FILTERS."""
    sql = f"""
        {STANDING} {_ROW} WHERE {FILTERS[chosen]} AND (%(supplier)s::uuid IS NULL OR r.supplier_id = %(supplier)s)
          AND (%(abc)s::text IS NULL OR s.abc = %(abc)s)
          AND (%(search)s::text IS NULL OR strpos(lower(k.code || ' ' || k.title), lower(%(search)s)) > 0)
          AND (%(days)s::float8 IS NULL OR (s.days_left, s.sku_id) > (%(days)s, %(id)s))
        ORDER BY s.days_left, s.sku_id LIMIT %(limit)s"""
    days, id_ = after or (None, None)
    told = {"supplier": supplier_id, "abc": abc, "search": search, "days": days, "id": id_, "limit": limit}
    return await _hashed(tx, sql, told)


async def incoming(tx: Tx, sku_ids: Iterable[UUID]) -> dict[UUID, tuple[Incoming, ...]]:
    """What is on its way to each of these SKUs, with when it is expected."""
    rows = await tx.all(
        """SELECT l.sku_id, l.quantity - l.received_quantity AS units, o.expected_at FROM purchase_order_line l
           JOIN purchase_order o ON o.seller_id = l.seller_id AND o.id = l.purchase_order_id
           WHERE l.sku_id = ANY(%s) AND o.status IN ('sent', 'partial') AND l.quantity > l.received_quantity""",
        [list(sku_ids)],
    )
    found: dict[UUID, list[Incoming]] = {}
    for row in rows:
        found.setdefault(row["sku_id"], []).append(Incoming(row["units"], row["expected_at"]))
    return {sku_id: tuple(told) for sku_id, told in found.items()}


def read_plan(row: Mapping[str, Any], chosen: Defaults) -> Plan:
    """The plan that a row of `low`, `listed` or `standing` holds."""
    demand = Demand(
        per_day=row["per_day"], deviation=row["deviation"], days=row["days"], known_days=row["known_days"],
        units=row["units"], handling=Handling(row["handling"]), fence=row["fence"], cut=row["cut"],
        doubt=Doubt(row["doubt"]) if row["doubt"] else None,
    )  # fmt: skip
    lead = Lead(row["lead_days"], row["lead_deviation"], LeadSource(row["lead_source"]), row["lead_receipts"])
    rules = read_rules(row, chosen)
    return Plan(
        demand=demand, lead=lead, rules=rules, safety=row["safety"], reorder=row["reorder"], target=row["target"]
    )


def read_rules(row: Mapping[str, Any], chosen: Defaults) -> Rules:
    """How a SKU is replenished, its own settings before the seller's."""
    return Rules(
        service_level=chosen.service_level if row["service_level"] is None else row["service_level"],
        review_days=chosen.review_days if row["review_days"] is None else row["review_days"],
        safety_stock=row["safety_stock"], reorder_point=row["reorder_point"], cover_days=row["cover_days"],
        multiple=row["order_multiple"], minimum=row["order_minimum"],
    )  # fmt: skip


def read_position(row: Mapping[str, Any], coming: Mapping[UUID, tuple[Incoming, ...]]) -> Position:
    """The position that such a row holds."""
    return Position(
        on_hand=row["on_hand"], reserved=row["reserved"], short=row["short"], incoming=coming.get(row["sku_id"], ())
    )


# ── Alerts ──────────────────────────────────────────────────────────────────────────────────────────────────


async def open_alerts(tx: Tx, sku_ids: Sequence[UUID]) -> dict[UUID, tuple[str, dict[str, Any]]]:
    """(severity, evidence) of the open alerts of these SKUs."""
    rows = await tx.all(
        "SELECT subject, severity, params FROM alert WHERE kind = 'low_stock' AND resolved_at IS NULL "
        "AND subject = ANY(%s)",
        [[str(sku_id) for sku_id in sku_ids]],
    )
    return {UUID(row["subject"]): (row["severity"], row["params"]) for row in rows}


async def grade_alert(tx: Tx, sku_id: UUID, severity: str, told: Mapping[str, Any]) -> None:
    """Bring the open alert of a SKU up to date: the same alert, more or less urgent by now."""
    await tx.run(
        "UPDATE alert SET severity = %s, params = %s WHERE kind = 'low_stock' AND subject = %s AND resolved_at IS NULL",
        [severity, json.dumps(told, default=str), str(sku_id)],
    )


async def stray_alerts(tx: Tx) -> int:
    """Close alerts of SKUs that are not planned any more."""
    return await tx.run(
        """UPDATE alert SET resolved_at = now() WHERE kind = 'low_stock' AND resolved_at IS NULL
           AND NOT EXISTS (SELECT FROM replenishment_plan p WHERE p.sku_id::text = alert.subject)"""
    )

"""Buffers as kept: which rules hold for which slots, what pools hold back, and when rules begin and end."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from hub.buffers import Buffer, BufferKind, BufferSource, Lag, Measure, Pool, apart, shares
from hub.stock import SlotInputs
from hub.store import Tx, new_id
from hub.store.warehouses import Shelves

_COLUMNS = """b.id, b.scope, b.scope_ref, b.account_id, b.kind, b.value, b.until_stock, b.cap, b.starts_at, b.ends_at,
    b.created_at"""
_IN_FORCE = "(b.starts_at IS NULL OR b.starts_at <= %(now)s) AND (b.ends_at IS NULL OR b.ends_at > %(now)s)"


def source_of(row: Mapping[str, Any]) -> BufferSource:
    """How particular a rule is: its scope, and whether it is for one channel alone."""
    here = "_here" if row["account_id"] is not None and row["scope"] in ("sku", "category") else ""
    return BufferSource(row["scope"] + here)


# ── Rules of slots ──────────────────────────────────────────────────────────────────────────────────────────


async def in_force(tx: Tx, slots: Sequence[Mapping[str, Any]], now: datetime) -> dict[UUID, tuple[Buffer, ...]]:
    """The rules in force for each slot: rows of id, account_id, ref, sku_id, multiplier, code and category.

    Read by what these slots are: a seller may have a rule for each of many thousand SKUs.
    """
    keys = {key for slot in slots for key in _keys(slot)}
    rules = await tx.all(
        f"""SELECT {_COLUMNS} FROM unnest(%(scopes)s::text[], %(refs)s::text[]) AS told(scope, ref)
            JOIN buffer b ON b.scope = told.scope AND b.scope_ref = told.ref
            WHERE b.kind <> 'fixed_pool' AND {_IN_FORCE}""",
        {"scopes": [scope for scope, _ref in keys], "refs": [ref for _scope, ref in keys], "now": now},
    )
    by_key: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for rule in rules:
        by_key[rule["scope"], rule["scope_ref"]].append(rule)
    autos = [rule["id"] for rule in rules if rule["kind"] == "auto"]
    measures = {
        (row["buffer_id"], row["account_id"], row["sku_id"]): row
        for row in (await measured(tx, autos, {slot["sku_id"] for slot in slots}) if autos else ())
    }
    return {
        slot["id"]: tuple(
            _as_it_is(rule, slot, measures)
            for key in _keys(slot)
            for rule in by_key.get(key, ())
            if rule["account_id"] in (None, slot["account_id"])
        )
        for slot in slots
    }


def _keys(slot: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(scope, scope_ref) of the rules that are for a slot."""
    told = (("channel", str(slot["account_id"])), ("sku", slot["code"]), ("listing", slot["ref"]))
    return told if slot["category"] is None else (*told, ("category", slot["category"]))


def _as_it_is(row: Mapping[str, Any], slot: Mapping[str, Any], measures: Mapping[Any, Mapping[str, Any]]) -> Buffer:
    value, measure = row["value"], None
    if row["kind"] == "auto":
        found = measures.get((row["id"], slot["account_id"], slot["sku_id"]))
        value = -(-found["units"] // slot["multiplier"]) if found else 0
        if found:
            measure = Measure(per_hour=found["per_hour"], lag_seconds=found["lag_seconds"], factor_percent=row["value"])
    return Buffer(
        kind=BufferKind(row["kind"]), value=value, source=source_of(row), until=row["until_stock"], measure=measure
    )


# ── Pools ───────────────────────────────────────────────────────────────────────────────────────────────────


async def set_apart(
    tx: Tx, inputs: Sequence[SlotInputs], account_of: Mapping[UUID, UUID], shelves: Shelves, now: datetime
) -> list[SlotInputs]:
    """The same inputs with the units that pools keep for others taken out of their levels, and said so."""
    levels = {(level.sku_id, level.warehouse_id): level.free for slot in inputs for level in slot.levels}
    pools = await _pools(tx, {sku for sku, _shelf in levels}, shelves, now)
    if not pools:
        return list(inputs)
    standing, told = shares(pools, levels), []
    for slot in inputs:
        views = {
            part.sku_id: apart(standing, part.sku_id, account_of[slot.slot_id], slot.slot_id)
            for part in slot.components
        }
        told.append(
            replace(
                slot,
                levels=tuple(
                    replace(level, apart=views[level.sku_id].units(level.warehouse_id, level.free))
                    for level in slot.levels
                ),
                notes=tuple(step for view in views.values() for step in view.steps()),
            )
        )
    return told


async def _pools(tx: Tx, sku_ids: Iterable[UUID], shelves: Shelves, now: datetime) -> list[Pool]:
    """The pools in force of these SKUs, oldest first: of each listing's own, and of each account the nearest."""
    rows = await tx.all(
        f"""SELECT {_COLUMNS}, a.name, s.sku_id, CASE b.scope WHEN 'listing' THEN min(s.id::text)::uuid END AS slot_id
            FROM stock_slot s JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
            JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id AND a.status <> 'closed'
            CROSS JOIN LATERAL (VALUES ('channel', s.account_id::text), ('category', k.category), ('sku', k.code),
                ('listing', s.ref)) AS told(scope, ref)
            JOIN buffer b ON b.seller_id = s.seller_id AND b.scope = told.scope AND b.scope_ref = told.ref
                AND b.account_id = s.account_id AND b.kind = 'fixed_pool'
            WHERE s.sku_id = ANY(%(skus)s) AND s.managed_by = 'seller' AND s.status <> 'closed' AND {_IN_FORCE}
            GROUP BY b.seller_id, b.id, a.name, s.sku_id ORDER BY b.created_at, b.id, s.sku_id""",
        {"skus": list(sku_ids), "now": now},
    )
    order = {source: rank for rank, source in enumerate(BufferSource)}
    nearest: dict[Any, dict[str, Any]] = {}
    for row in rows:
        holder = (row["sku_id"], row["account_id"], row["slot_id"])
        if holder not in nearest or order[source_of(row)] < order[source_of(nearest[holder])]:
            nearest[holder] = row
    chosen = [row for row in rows if row in nearest.values()]
    own_slots = [row["slot_id"] for row in chosen if row["slot_id"] is not None]
    return [
        Pool(
            sku_id=row["sku_id"], account_id=row["account_id"], account=row["name"], slot_id=row["slot_id"],
            value=row["value"], sold=await _sold(tx, row, own_slots), source=source_of(row),
            warehouses=shelves.of(row["account_id"]), until=row["until_stock"],
        )
        for row in chosen
    ]  # fmt: skip


async def _sold(tx: Tx, pool: Mapping[str, Any], own_slots: Sequence[UUID]) -> int:
    """Units of the SKU that the pool's channel (or its listing) sold since the pool began; cancelled ones not."""
    sql = """
        SELECT coalesce(sum(taken.units), 0)::int FROM (
            SELECT seller_id, order_id, line_ref, quantity AS units FROM reservation WHERE sku_id = %(sku)s
            UNION ALL SELECT seller_id, order_id, line_ref, quantity FROM shortage WHERE sku_id = %(sku)s
            UNION ALL SELECT seller_id, order_id, line_ref, -delta FROM stock_movement
                WHERE sku_id = %(sku)s AND reason = 'dispatch' AND order_id IS NOT NULL
        ) taken
        JOIN orders o ON o.seller_id = taken.seller_id AND o.id = taken.order_id AND o.account_id = %(account)s
            AND coalesce(o.placed_at, o.first_seen_at) >= date_trunc('second', %(since)s::timestamptz)
        JOIN order_line l ON l.seller_id = o.seller_id AND l.order_id = o.id AND l.ref = taken.line_ref
        LEFT JOIN listing g ON g.seller_id = o.seller_id AND g.account_id = o.account_id AND g.ref = l.listing_ref
            AND g.variation_ref IS NOT DISTINCT FROM l.variation_ref
        WHERE CASE WHEN %(slot)s::uuid IS NULL THEN g.slot_id IS NULL OR NOT g.slot_id = ANY(%(others)s)
              ELSE g.slot_id = %(slot)s END"""
    since = max(pool["created_at"], pool["starts_at"] or pool["created_at"])
    params = {
        "sku": pool["sku_id"], "account": pool["account_id"], "since": since, "slot": pool["slot_id"],
        "others": list(own_slots),
    }  # fmt: skip
    sold: int = await tx.value(sql, params)
    return sold


# ── Rules as rows ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as a person sets it. `scope_ref`: account id, category, SKU code or slot ref, by `scope`."""

    scope: str
    scope_ref: str
    account_id: UUID | None
    kind: BufferKind
    value: int
    until_stock: int | None = None
    cap: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


async def put(tx: Tx, rule: Rule, turns_at: datetime | None, now: datetime) -> UUID:
    """Keep a rule, in the place of the one of the same kind for the same thing. A pool begins anew."""
    sql = """
        INSERT INTO buffer (seller_id, id, scope, scope_ref, account_id, kind, value, until_stock, cap, starts_at,
            ends_at, turns_at, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (seller_id, scope, scope_ref, account_id, kind) DO UPDATE SET value = excluded.value,
            until_stock = excluded.until_stock, cap = excluded.cap, starts_at = excluded.starts_at,
            ends_at = excluded.ends_at, turns_at = excluded.turns_at, created_at = excluded.created_at
        RETURNING id"""
    kept: UUID = await tx.value(
        sql,
        [
            tx.seller, new_id(), rule.scope, rule.scope_ref, rule.account_id, rule.kind.value, rule.value,
            rule.until_stock, rule.cap, rule.starts_at, rule.ends_at, turns_at, now,
        ],
    )  # fmt: skip
    return kept


async def close(tx: Tx, buffer_id: UUID, now: datetime, turns_at: datetime) -> dict[str, Any] | None:
    """A rule holds nothing from now on; None when there is none of that id."""
    sql = f"""UPDATE buffer b SET starts_at = NULL, ends_at = %s, turns_at = %s WHERE id = %s RETURNING {_COLUMNS}"""
    return await tx.one(sql, [now, turns_at, buffer_id])


async def remove(tx: Tx, buffer_id: UUID) -> bool:
    """Drop a rule; False when there is none of that id."""
    return await tx.run("DELETE FROM buffer WHERE id = %s", [buffer_id]) == 1


Scope = Literal["listing", "sku", "category", "channel"]
SCOPES: tuple[Scope, ...] = ("listing", "sku", "category", "channel")
# A rule's place among all: its scope, what it is for, its account (ALL_ACCOUNTS: every one), its kind.
Place = tuple[Scope, str, UUID, str]
ALL_ACCOUNTS = UUID(int=2**128 - 1)


async def every(
    tx: Tx, *, after: Place | None = None, search: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Rules with the name of their account: the most particular scope first, in it by what they are for, and of the
    same thing those of one account before those of all. Keyset by (scope, scope_ref, place_account, kind), along the
    key of the table, scope by scope. `search`: what a SKU's code, a listing or a category has in it.
    """
    known = SCOPES[:-1] if search else SCOPES  # what the channel's rule is for is an account's id
    scopes = known[known.index(after[0]) :] if after and after[0] in known else known
    _scope, ref, account, kind = after or (None, None, None, None)
    onward = """AND scope_ref >= %(ref)s
        AND (scope_ref, coalesce(account_id, %(all)s), kind) > (%(ref)s, %(account)s, %(kind)s)"""
    walks = " UNION ALL ".join(
        f"""(SELECT * FROM buffer WHERE scope = '{scope}' {onward if after and scope == after[0] else ""}
             {"AND strpos(lower(scope_ref), lower(%(search)s)) > 0" if search else ""}
             ORDER BY scope_ref, account_id, kind LIMIT %(limit)s)"""
        for scope in scopes
    )
    order = f"array_position(ARRAY{list(SCOPES)}, b.scope), b.scope_ref, b.account_id, b.kind"
    sql: Any = f"""
        SELECT {_COLUMNS}, coalesce(b.account_id, %(all)s) AS place_account, a.name AS account,
               (SELECT max(m.units) FROM buffer_measure m
                WHERE m.seller_id = b.seller_id AND m.buffer_id = b.id) AS measured
        FROM (SELECT * FROM ({walks}) b ORDER BY {order} LIMIT %(limit)s) b
        LEFT JOIN account a ON a.seller_id = b.seller_id AND a.id = b.account_id ORDER BY {order}"""
    params = {
        "ref": ref, "account": account, "kind": kind, "all": ALL_ACCOUNTS, "limit": limit,
        "search": search,
    }  # fmt: skip
    return await tx.all(sql, params)


async def made_for(tx: Tx, buffer_ids: Sequence[UUID]) -> set[tuple[UUID, UUID, UUID]]:
    """(rule, account, SKU) of the slots for which these rules are made."""
    sql = """
        SELECT DISTINCT b.id, s.account_id, s.sku_id FROM buffer b JOIN stock_slot s ON s.seller_id = b.seller_id
            AND (b.account_id IS NULL OR s.account_id = b.account_id)
        JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
        WHERE b.id = ANY(%s) AND b.scope_ref = CASE b.scope WHEN 'channel' THEN s.account_id::text
            WHEN 'category' THEN k.category WHEN 'sku' THEN k.code ELSE s.ref END"""
    return {(row["id"], row["account_id"], row["sku_id"]) for row in await tx.all(sql, [list(buffer_ids)])}


async def category_is_known(tx: Tx, category: str) -> bool:
    """Whether any SKU has it."""
    found: bool = await tx.value("SELECT EXISTS (SELECT FROM sku WHERE category = %s)", [category])
    return found


async def sells_kit(tx: Tx, rule: Rule) -> bool:
    """Whether the listing's slot that a rule names sells a kit."""
    sql = """
        SELECT EXISTS (
            SELECT FROM stock_slot s JOIN kit_component c ON c.seller_id = s.seller_id AND c.kit_id = s.sku_id
            WHERE s.account_id = %s AND s.ref = %s)"""
    found: bool = await tx.value(sql, [rule.account_id, rule.scope_ref])
    return found


async def slots_of_listings(tx: Tx, listing_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What writes to these listings address: account_id, ref."""
    return await tx.all(
        """SELECT DISTINCT s.account_id, s.ref FROM listing l
           JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id WHERE l.id = ANY(%s)""",
        [list(listing_ids)],
    )


async def shown(tx: Tx, sku_ids: Iterable[UUID], account_id: UUID | None = None) -> dict[UUID, dict[str, Any]]:
    """What slots of these SKUs (at one account) should show, by slot: account, its id, listing, variation, sku,
    desired, cause, and whether it `counts` as one that shows something.
    """
    rows = await tx.all(
        """SELECT s.id, a.name AS account, a.id AS account_id, s.listing_ref AS listing, s.variation_ref AS variation,
                  k.code AS sku, s.desired, s.cause,
                  s.expected > 0 AND s.managed_by = 'seller' AND s.status <> 'closed' AS counts
           FROM stock_slot s JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id
           JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
           WHERE s.sku_id = ANY(%(skus)s) AND (%(account)s::uuid IS NULL OR s.account_id = %(account)s)
           ORDER BY a.name, k.code, s.id""",
        {"skus": list(sku_ids), "account": account_id},
    )
    return {row.pop("id"): row for row in rows}


# ── Beginning, ending, measuring ────────────────────────────────────────────────────────────────────────────


async def due_sellers(tx: Tx, now: datetime) -> list[UUID]:
    """Sellers with a rule that begins, ends or is to be measured. Dispatch role."""
    rows = await tx.all("SELECT DISTINCT seller_id FROM buffer WHERE turns_at <= %s", [now])
    return [row["seller_id"] for row in rows]


async def due(tx: Tx, now: datetime) -> list[dict[str, Any]]:
    """Rules that are due, locked; those that another worker is at are left to it."""
    sql = f"SELECT {_COLUMNS} FROM buffer b WHERE b.turns_at <= %s ORDER BY b.id FOR UPDATE SKIP LOCKED"
    return await tx.all(sql, [now])


async def turned(tx: Tx, buffer_id: UUID, turns_at: datetime | None) -> None:
    """When a rule is to be looked at next."""
    await tx.run("UPDATE buffer SET turns_at = %s WHERE id = %s", [turns_at, buffer_id])


async def measured(tx: Tx, buffer_ids: Sequence[UUID], sku_ids: Iterable[UUID] | None = None) -> list[dict[str, Any]]:
    """What automatic rules hold back now, by rule, account and SKU, with the numbers behind it; None: of all SKUs."""
    return await tx.all(
        "SELECT buffer_id, account_id, sku_id, units, per_hour, lag_seconds FROM buffer_measure "
        "WHERE buffer_id = ANY(%(ids)s) AND (%(skus)s::uuid[] IS NULL OR sku_id = ANY(%(skus)s))",
        {"ids": list(buffer_ids), "skus": None if sku_ids is None else list(sku_ids)},
    )


async def measure_put(
    tx: Tx, buffer_id: UUID, rows: Sequence[tuple[UUID, UUID, int, Measure, int]], now: datetime
) -> None:
    """Keep what was measured: (account, SKU, units, measure, pushes behind it)."""
    await tx.many(
        """INSERT INTO buffer_measure (seller_id, buffer_id, account_id, sku_id, units, per_hour, lag_seconds, pushes,
               measured_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (seller_id, buffer_id, account_id, sku_id) DO UPDATE SET units = excluded.units,
               per_hour = excluded.per_hour, lag_seconds = excluded.lag_seconds, pushes = excluded.pushes,
               measured_at = excluded.measured_at""",
        [
            (tx.seller, buffer_id, account, sku, units, measure.per_hour, measure.lag_seconds, pushes, now)
            for account, sku, units, measure, pushes in rows
        ],
    )


async def sold(
    tx: Tx, sku_ids: Iterable[UUID], since: datetime, now: datetime
) -> dict[UUID, dict[UUID, list[tuple[float, int]]]]:
    """Units sold since then, by SKU as the lines name it and by account: (hours ago, units), by the hour."""
    rows = await tx.all(
        """SELECT l.sku_id, o.account_id,
                  floor(extract(epoch FROM %(now)s - coalesce(o.placed_at, o.first_seen_at)) / 3600)::float AS ago,
                  sum((l.quantity - l.cancelled_quantity) * l.multiplier)::int AS units
           FROM order_line l JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
           WHERE l.sku_id = ANY(%(skus)s) AND coalesce(o.placed_at, o.first_seen_at) > %(since)s
             AND o.status <> 'cancelled' GROUP BY 1, 2, 3""",
        {"skus": list(sku_ids), "since": since, "now": now},
    )
    found: dict[UUID, dict[UUID, list[tuple[float, int]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row["sku_id"]][row["account_id"]].append((row["ago"], row["units"]))
    return found


async def lags(tx: Tx, account_ids: Iterable[UUID], since: datetime) -> dict[tuple[UUID, UUID | None], Lag]:
    """How long changes took to reach channels since then (p95): by (account, SKU), and (account, None) for all."""
    rows = await tx.all(
        """SELECT account_id, sku_id, count(*)::int AS pushes, percentile_cont(0.95) WITHIN GROUP
                  (ORDER BY extract(epoch FROM answered_at - dirty_at))::float AS seconds
           FROM push_log WHERE account_id = ANY(%s) AND answered_at > %s AND outcome = 'accepted'
             AND dirty_at IS NOT NULL AND sku_id IS NOT NULL
           GROUP BY GROUPING SETS ((account_id, sku_id), (account_id))""",
        [list(account_ids), since],
    )
    return {
        (row["account_id"], row["sku_id"]): Lag(seconds=max(0.0, row["seconds"]), pushes=row["pushes"]) for row in rows
    }


async def categories(tx: Tx, limit: int = 200) -> list[str]:
    """Categories that SKUs have."""
    rows = await tx.all("SELECT DISTINCT category FROM sku WHERE category <> '' ORDER BY category LIMIT %s", [limit])
    return [row["category"] for row in rows]

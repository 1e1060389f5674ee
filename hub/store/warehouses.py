"""Warehouses: which there are, who draws from which, and in which order."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString
from uuid import UUID

from hub.allocation import Area, Destination, Place, Split, ranked
from hub.store import Tx, new_id

KINDS = ("own", "marketplace", "transit", "damaged")
DRAWN = ("own", "transit")  # a marketplace's own shelves are shown, never drawn from; what is damaged is not sold


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """The warehouses that sales leave from: all own ones, and those of each account that says which it draws from."""

    own: tuple[Place, ...]
    by_account: Mapping[UUID, tuple[Place, ...]] = field(default_factory=dict)

    def of(self, account_id: UUID, destination: Destination | None = None) -> tuple[UUID, ...]:
        """The warehouses this account draws from, best first for that destination."""
        return ranked(self.by_account.get(account_id, self.own), destination)

    @property
    def has_areas(self) -> bool:
        """Whether it matters for any warehouse where an order goes."""
        return any(place.areas for some in (self.own, *self.by_account.values()) for place in some)


async def shelves(tx: Tx) -> Shelves:
    """Which warehouses there are and who draws from which. Units in transit count only where an account says so."""
    areas: dict[UUID, list[Area]] = defaultdict(list)
    for row in await tx.all("SELECT warehouse_id, rank, state, cep_from, cep_to FROM warehouse_area"):
        area = Area(rank=row["rank"], state=row["state"], first=row["cep_from"], last=row["cep_to"])
        areas[row["warehouse_id"]].append(area)
    rows = await tx.all(
        """SELECT w.id, w.code, w.rank, w.kind, array_remove(array_agg(a.account_id), NULL) AS accounts
           FROM warehouse w
           LEFT JOIN account_warehouse a ON a.seller_id = w.seller_id AND a.warehouse_id = w.id
           WHERE w.closed_at IS NULL GROUP BY w.seller_id, w.id"""
    )
    places = {
        row["id"]: Place(id=row["id"], code=row["code"], rank=row["rank"], areas=tuple(areas[row["id"]]))
        for row in rows
        if row["kind"] in DRAWN
    }
    chosen: dict[UUID, list[Place]] = defaultdict(list)
    for row in rows:
        for account_id in row["accounts"]:
            chosen[account_id] += [places[row["id"]]] if row["id"] in places else []
    return Shelves(
        own=tuple(places[row["id"]] for row in rows if row["kind"] == "own"),
        by_account={account_id: tuple(some) for account_id, some in chosen.items()},
    )


async def warehouse(tx: Tx, code: str | None) -> UUID:
    """The open warehouse of that code, else the best-ranked own one ("principal" is made when there is none)."""
    if code:
        # Locked against being closed meanwhile: whoever closes it waits, and sees what was put there.
        row = await tx.one("SELECT id, closed_at FROM warehouse WHERE code = %s FOR KEY SHARE", [code])
        if row is None:
            raise LookupError(f"there is no warehouse {code!r}")
        if row["closed_at"] is not None:
            raise LookupError(f"warehouse {code!r} is closed")
        found: UUID = row["id"]
        return found
    first = await tx.value(
        "SELECT id FROM warehouse WHERE kind = 'own' AND closed_at IS NULL ORDER BY rank, code LIMIT 1"
    )
    return first or await warehouse_add(tx, "principal", "Principal", rank=10)


async def warehouse_add(
    tx: Tx, code: str, name: str, *, rank: int = 100, kind: str = "own", postal_code: str | None = None,
    state: str | None = None,
) -> UUID:  # fmt: skip
    """A warehouse; the one of that code when it is there already."""
    sql = """
        INSERT INTO warehouse (seller_id, id, code, name, rank, kind, postal_code, state)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (seller_id, code) DO UPDATE SET name = excluded.name RETURNING id"""
    params = [tx.seller, new_id(), code, name, rank, kind, postal_code, state]
    added: UUID = await tx.value(sql, params)
    return added


async def transit(tx: Tx) -> UUID:
    """Where transferred units stand on the way: the first transit warehouse, made when there is none."""
    found: UUID | None = await tx.value(
        "SELECT id FROM warehouse WHERE kind = 'transit' AND closed_at IS NULL ORDER BY rank, code LIMIT 1"
    )
    if found is not None:
        return found
    code = "transito"
    while await tx.value("SELECT EXISTS (SELECT FROM warehouse WHERE code = %s)", [code]):
        code += "-2"
    return await warehouse_add(tx, code, "Em trânsito", rank=1000, kind="transit")


async def every(tx: Tx, *, after: tuple[int, str] | None = None, limit: int | None = None) -> list[dict[str, Any]]:
    """Open warehouses by rank: what each is, where, who draws from it, its areas, and what stands there.

    Keyset by (rank, code); no index has the rank: what is put in order is the few words of each warehouse alone.
    """
    rank, code = after or (None, None)
    onward: LiteralString = "AND (rank, code) > (%(rank)s, %(code)s)" if after else ""
    return await _shown(tx, onward, "rank, code", {"rank": rank, "code": code, "limit": limit})


async def by_codes(tx: Tx, *, after: str | None, limit: int) -> list[dict[str, Any]]:
    """Open warehouses as `every` shows them, by code, which no one changes; keyset by it."""
    onward: LiteralString = "AND code > %(after)s" if after is not None else ""
    return await _shown(tx, onward, "code", {"after": after, "limit": limit})


async def one(tx: Tx, warehouse_id: UUID) -> dict[str, Any] | None:
    """An open warehouse as `every` shows it."""
    return next(iter(await _shown(tx, "AND id = %(id)s", "id", {"id": warehouse_id, "limit": 1})), None)


async def _shown(
    tx: Tx, onward: LiteralString, order: LiteralString, params: Mapping[str, Any]
) -> list[dict[str, Any]]:  # fmt: skip
    return await tx.all(
        f"""SELECT w.id, w.code, w.name, w.kind, w.rank, w.postal_code, w.state,
                  l.skus, l.on_hand, l.reserved,
                  ARRAY(SELECT a.name FROM account_warehouse d
                        JOIN account a ON a.seller_id = d.seller_id AND a.id = d.account_id
                        WHERE d.seller_id = w.seller_id AND d.warehouse_id = w.id ORDER BY a.name) AS draws,
                  ARRAY(SELECT concat_ws(' ', r.state, r.cep_from || '-' || r.cep_to, '=', r.rank)
                        FROM warehouse_area r WHERE r.seller_id = w.seller_id AND r.warehouse_id = w.id
                        ORDER BY r.rank, r.state, r.cep_from) AS areas
           FROM (SELECT * FROM warehouse WHERE closed_at IS NULL {onward} ORDER BY {order} LIMIT %(limit)s) w
           LEFT JOIN LATERAL (
               SELECT count(*) FILTER (WHERE l.on_hand <> 0 OR l.reserved <> 0)::int AS skus,
                      coalesce(sum(l.on_hand), 0)::int AS on_hand, coalesce(sum(l.reserved), 0)::int AS reserved
               FROM stock_level l WHERE l.seller_id = w.seller_id AND l.warehouse_id = w.id) l ON true
           ORDER BY {order}""",
        params,
    )


async def named(tx: Tx) -> list[dict[str, Any]]:
    """Every open warehouse by rank: id, code, name, kind, rank."""
    return await tx.all("SELECT id, code, name, kind, rank FROM warehouse WHERE closed_at IS NULL ORDER BY rank, code")


async def names(tx: Tx) -> dict[str, str]:
    """What people call each warehouse, closed ones too, by its code."""
    return {row["code"]: row["name"] for row in await tx.all("SELECT code, name FROM warehouse")}


async def by_code(tx: Tx, code: str) -> dict[str, Any] | None:
    """The warehouse of that code, locked: id, kind, rank, name, closed_at."""
    return await tx.one(
        "SELECT id, code, name, kind, rank, postal_code, state, closed_at FROM warehouse WHERE code = %s FOR UPDATE",
        [code],
    )


async def kind(tx: Tx, warehouse_id: UUID) -> str:
    """What kind of warehouse it is."""
    told: str = await tx.value("SELECT kind FROM warehouse WHERE id = %s", [warehouse_id])
    return told


async def edit(tx: Tx, warehouse_id: UUID, **told: str | int | None) -> None:
    """Set what is told of name, kind, rank, postal_code and state."""
    await tx.run(
        """UPDATE warehouse SET name = coalesce(%(name)s, name), kind = coalesce(%(kind)s, kind),
               rank = coalesce(%(rank)s, rank), postal_code = coalesce(%(postal_code)s, postal_code),
               state = coalesce(%(state)s, state) WHERE id = %(id)s""",
        {"name": None, "kind": None, "rank": None, "postal_code": None, "state": None, **told, "id": warehouse_id},
    )


async def close(tx: Tx, warehouse_id: UUID) -> None:
    """Nobody draws from it any more, and nothing can be counted or sent there; its ledger stays."""
    await tx.run("DELETE FROM account_warehouse WHERE warehouse_id = %s", [warehouse_id])
    await tx.run("UPDATE warehouse SET closed_at = now() WHERE id = %s", [warehouse_id])


async def put_areas(tx: Tx, warehouse_id: UUID, areas: Iterable[Area]) -> None:
    """The areas of a warehouse, in place of those it had."""
    await tx.run("DELETE FROM warehouse_area WHERE warehouse_id = %s", [warehouse_id])
    await tx.many(
        """INSERT INTO warehouse_area (seller_id, id, warehouse_id, rank, state, cep_from, cep_to)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        [(tx.seller, new_id(), warehouse_id, a.rank, a.state, a.first, a.last) for a in areas],
    )


async def put_draws(tx: Tx, account_id: UUID, warehouse_ids: Iterable[UUID]) -> None:
    """The warehouses an account draws from, in place of those it had; none: every own one."""
    await tx.run("DELETE FROM account_warehouse WHERE account_id = %s", [account_id])
    await tx.many(
        "INSERT INTO account_warehouse (seller_id, account_id, warehouse_id) VALUES (%s, %s, %s)",
        [(tx.seller, account_id, warehouse_id) for warehouse_id in warehouse_ids],
    )


async def areas_of(tx: Tx, warehouse_id: UUID) -> list[dict[str, Any]]:
    """The areas of a warehouse: rank, state, cep_from, cep_to."""
    return await tx.all(
        """SELECT rank, state, cep_from, cep_to FROM warehouse_area WHERE warehouse_id = %s
           ORDER BY rank, state, cep_from""",
        [warehouse_id],
    )


async def draws(tx: Tx) -> dict[UUID, set[UUID]]:
    """The warehouses that each account says it draws from; an account that says nothing draws from every own one."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for row in await tx.all("SELECT account_id, warehouse_id FROM account_warehouse"):
        found[row["account_id"]].add(row["warehouse_id"])
    return found


async def stands_in(tx: Tx, warehouse_id: UUID) -> list[dict[str, Any]]:
    """SKUs that stand in a warehouse or are reserved there: sku (code), sku_id, on_hand, reserved."""
    return await tx.all(
        """SELECT k.code AS sku, k.id AS sku_id, l.on_hand, l.reserved FROM stock_level l
           JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.warehouse_id = %s AND (l.on_hand <> 0 OR l.reserved <> 0) ORDER BY k.code""",
        [warehouse_id],
    )


async def drawing_only(tx: Tx, warehouse_id: UUID) -> list[str]:
    """Names of the accounts that say they draw from this warehouse and from no other."""
    rows = await tx.all(
        """SELECT a.name FROM account_warehouse d JOIN account a ON a.seller_id = d.seller_id AND a.id = d.account_id
           GROUP BY a.seller_id, a.id HAVING array_agg(d.warehouse_id) = ARRAY[%s::uuid] ORDER BY a.name""",
        [warehouse_id],
    )
    return [row["name"] for row in rows]


async def sold_by(tx: Tx, account_id: UUID | None) -> set[UUID]:
    """SKUs that the slots of an account (None: of any) sell."""
    rows = await tx.all(
        """SELECT DISTINCT sku_id FROM stock_slot
           WHERE (%(account)s::uuid IS NULL OR account_id = %(account)s) AND sku_id IS NOT NULL""",
        {"account": account_id},
    )
    return {row["sku_id"] for row in rows}


# ── how far an order may be divided ─────────────────────────────────────────────────────────────────────────


async def splits(tx: Tx, account_id: UUID, sku_ids: Iterable[UUID]) -> dict[UUID, tuple[Split, bool]]:
    """How lines that sell these SKUs through an account may be divided, and whether their kits may be taken apart."""
    rows = await tx.all(
        """SELECT k.id, coalesce(k.split, a.split, s.split) AS split, k.split_allowed FROM sku k
           JOIN seller s ON s.seller_id = k.seller_id
           LEFT JOIN account a ON a.seller_id = k.seller_id AND a.id = %s WHERE k.id = ANY(%s)""",
        [account_id, list(sku_ids)],
    )
    return {row["id"]: (Split(row["split"]), row["split_allowed"]) for row in rows}


async def set_split(tx: Tx, split: str | None, *, account_id: UUID | None = None, sku_id: UUID | None = None) -> None:
    """How far orders may be divided: of one SKU, of one account, or of the seller. None: as the wider one says."""
    if sku_id is not None:
        await tx.run("UPDATE sku SET split = %s WHERE id = %s", [split, sku_id])
    elif account_id is not None:
        await tx.run("UPDATE account SET split = %s WHERE id = %s", [split, account_id])
    else:
        await tx.run("UPDATE seller SET split = coalesce(%s, 'units') WHERE seller_id = %s", [split, tx.seller])


async def allow_loose(tx: Tx, sku_id: UUID, *, allowed: bool) -> None:
    """Whether a kit's components may come from several warehouses."""
    await tx.run("UPDATE sku SET split_allowed = %s WHERE id = %s", [allowed, sku_id])

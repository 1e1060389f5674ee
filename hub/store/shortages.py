"""Shortages: units sold that could not be reserved, and who gets what comes free."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from hub import settlement
from hub.allocation import Destination, Line, Split, Take
from hub.settlement import Levels, Waiting
from hub.store import Tx, alerts, cases, orders
from hub.store.warehouses import Shelves


async def fill_shortages(tx: Tx, sku_ids: Iterable[UUID], levels: Levels, shelves: Shelves) -> list[tuple[UUID, Take]]:
    """Give what came free to the orders that wait for it (by ship_by, placed_at). `levels` is changed in place.

    First what was promised and is not there is taken back: it may be had from another warehouse. Answers what each
    order (by id) was given.
    """
    shortened = await _take_back(tx, levels)
    filled = settlement.fill(await waiting(tx, sku_ids, shelves), levels)
    await tx.many(
        """INSERT INTO reservation (seller_id, order_id, line_ref, sku_id, warehouse_id, quantity)
           VALUES (%s, %s, %s, %s, %s, %s)
           ON CONFLICT (seller_id, order_id, line_ref, sku_id, warehouse_id)
           DO UPDATE SET quantity = reservation.quantity + excluded.quantity""",
        [(tx.seller, order_id, t.line_ref, t.sku_id, t.warehouse_id, t.units) for order_id, t in filled],
    )
    given: dict[tuple[UUID, str, UUID], int] = defaultdict(int)
    for order_id, take in filled:
        given[order_id, take.line_ref, take.sku_id] += take.units
    where = "WHERE order_id = %s AND line_ref = %s AND sku_id = %s"
    # The whole of it first: a shortage of nothing is refused.
    await tx.many(f"DELETE FROM shortage {where} AND quantity = %s", [(*key, units) for key, units in given.items()])
    await tx.many(
        f"UPDATE shortage SET quantity = quantity - %s {where}", [(units, *key) for key, units in given.items()]
    )
    if touched := {order_id for order_id, _take in filled} | shortened:
        await cases.sync(tx, touched)
    return filled


async def waiting(tx: Tx, sku_ids: Iterable[UUID], shelves: Shelves) -> list[Waiting]:
    """The orders that wait for one of these SKUs, whole: soonest to ship first, then longest waiting."""
    rows = await tx.all(
        """SELECT s.order_id, s.line_ref, s.sku_id, s.quantity, o.account_id,
                  o.told->'ship_to'->>'state' AS state, o.told->'ship_to'->>'postal_code' AS postal_code
           FROM shortage s JOIN orders o ON o.seller_id = s.seller_id AND o.id = s.order_id
           WHERE s.sku_id = ANY(%s) ORDER BY o.ship_by NULLS LAST, o.placed_at NULLS LAST, s.order_id, s.line_ref""",
        [list(sku_ids)],
    )
    missing: dict[UUID, dict[str, dict[UUID, int]]] = defaultdict(lambda: defaultdict(dict))
    ranks = {}
    for row in rows:
        missing[row["order_id"]][row["line_ref"]][row["sku_id"]] = row["quantity"]
        destination = Destination(state=row["state"], postal_code=row["postal_code"])
        ranks[row["order_id"]] = shelves.of(row["account_id"], destination)
    held = await holding(tx, missing)
    terms = await _terms(tx, missing)
    return [
        Waiting(
            order_id=order_id,
            lines=tuple(
                _line(ref, lacks.get(ref, {}), held[order_id].get(ref, {}), terms.get((order_id, ref)))
                for ref in sorted({*lacks, *held[order_id]})
            ),
            warehouses=ranks[order_id],
        )
        for order_id, lacks in missing.items()
    ]


def _line(ref: str, missing: Mapping[UUID, int], held: Mapping[tuple[UUID, UUID], int], terms: "Terms | None") -> Line:
    each = dict.fromkeys([*missing, *(sku for sku, _shelf in held)], 1)  # a line of an older hub: no recipe noted
    if terms is None:
        return Line(ref=ref, each=each, missing=missing, held=held)
    return Line(ref=ref, each=each | terms.each, missing=missing, held=held, split=terms.split, loose=terms.loose)


async def holding(tx: Tx, order_ids: Iterable[UUID]) -> dict[UUID, dict[str, dict[tuple[UUID, UUID], int]]]:
    """What these orders hold: by order and line, units by (component, warehouse)."""
    held: dict[UUID, dict[str, dict[tuple[UUID, UUID], int]]] = defaultdict(lambda: defaultdict(dict))
    sql = "SELECT order_id, line_ref, sku_id, warehouse_id, quantity FROM reservation WHERE order_id = ANY(%s)"
    for row in await tx.all(sql, [list(order_ids)]):
        held[row["order_id"]][row["line_ref"]][row["sku_id"], row["warehouse_id"]] = row["quantity"]
    return held


@dataclass(frozen=True, slots=True)
class Terms:
    """What one unit of a line takes, and how far the line may be divided."""

    each: dict[UUID, int]
    split: Split
    loose: bool


async def _terms(tx: Tx, order_ids: Iterable[UUID]) -> dict[tuple[UUID, str], Terms]:
    found: dict[tuple[UUID, str], Terms] = {}
    rows = await tx.all(
        """SELECT p.order_id, p.line_ref, p.sku_id, p.units, coalesce(k.split, a.split, e.split) AS split,
                  k.split_allowed
           FROM order_line_part p JOIN orders o ON o.seller_id = p.seller_id AND o.id = p.order_id
           JOIN account a ON a.seller_id = o.seller_id AND a.id = o.account_id
           JOIN seller e ON e.seller_id = p.seller_id
           JOIN sku k ON k.seller_id = p.seller_id AND k.id = p.sold_sku_id
           WHERE p.order_id = ANY(%s)""",
        [list(order_ids)],
    )
    for row in rows:
        key = row["order_id"], row["line_ref"]
        terms = found.setdefault(key, Terms({}, Split(row["split"]), row["split_allowed"]))
        terms.each[row["sku_id"]] = row["units"]
    return found


async def _take_back(tx: Tx, levels: Levels) -> set[UUID]:
    """Turn reservations of units that are not there into shortages, from the order that can wait longest on.

    Answers the orders that lost some.
    """
    shortened: set[UUID] = set()
    for (sku, shelf), units in sorted(settlement.overdrawn(levels).items()):
        left = units
        rows = await tx.all(
            """SELECT r.order_id, r.line_ref, r.quantity, o.ship_by, coalesce(o.number, o.ref) AS number
               FROM reservation r JOIN orders o ON o.seller_id = r.seller_id AND o.id = r.order_id
               WHERE r.sku_id = %s AND r.warehouse_id = %s
               ORDER BY o.ship_by DESC NULLS FIRST, o.placed_at DESC NULLS FIRST, r.order_id DESC, r.line_ref DESC""",
            [sku, shelf],
        )
        for row in rows:
            taken = min(left, row["quantity"])
            if not taken:
                break
            left -= taken
            shortened.add(row["order_id"])
            await _shorten(tx, row["order_id"], row["line_ref"], sku, shelf, row["quantity"] - taken, taken)
            await orders.event(tx, row["order_id"], "shortage", units=taken)
            await alerts.raise_(
                tx, "shortage", str(row["order_id"]), severity="urgent", due_at=row["ship_by"], order=row["number"],
                units=taken,
            )  # fmt: skip
        levels[sku, shelf].reserved -= units - left
    return shortened


async def _shorten(tx: Tx, order_id: UUID, line_ref: str, sku: UUID, shelf: UUID, kept: int, short: int) -> None:
    """One reservation keeps `kept` units, and `short` more are missing."""
    key = [order_id, line_ref, sku]
    where = "WHERE order_id = %s AND line_ref = %s AND sku_id = %s AND warehouse_id = %s"
    if kept:
        await tx.run(f"UPDATE reservation SET quantity = %s {where}", [kept, *key, shelf])
    else:
        await tx.run(f"DELETE FROM reservation {where}", [*key, shelf])
    await tx.run(
        """INSERT INTO shortage (seller_id, order_id, line_ref, sku_id, quantity) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (seller_id, order_id, line_ref, sku_id)
           DO UPDATE SET quantity = shortage.quantity + excluded.quantity""",
        [tx.seller, *key, short],
    )


async def is_short(tx: Tx, order_id: UUID) -> bool:
    """Whether an order still waits for units."""
    found: bool = await tx.value("SELECT EXISTS (SELECT FROM shortage WHERE order_id = %s)", [order_id])
    return found

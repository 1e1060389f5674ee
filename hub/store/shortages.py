"""Shortages: units sold that could not be reserved, and who gets what comes free."""

from collections.abc import Iterable
from uuid import UUID

from hub import settlement
from hub.settlement import Levels, Short
from hub.store import Tx, alerts, orders
from hub.store.warehouses import Shelves


async def fill_shortages(tx: Tx, sku_ids: Iterable[UUID], levels: Levels, shelves: Shelves) -> list[Short]:
    """Give what came free to the orders that wait for it (by ship_by, placed_at). `levels` is changed in place.

    First what was promised and is not there is taken back: it may be had from another warehouse.
    """
    await _take_back(tx, levels)
    sql = """
        SELECT s.order_id, s.line_ref, s.sku_id, s.quantity, o.account_id FROM shortage s
        JOIN orders o ON o.seller_id = s.seller_id AND o.id = s.order_id
        WHERE s.sku_id = ANY(%s) ORDER BY o.ship_by NULLS LAST, o.placed_at NULLS LAST, s.order_id, s.line_ref"""
    waiting = [
        Short(
            order_id=row["order_id"],
            line_ref=row["line_ref"],
            sku_id=row["sku_id"],
            units=row["quantity"],
            warehouses=shelves.of(row["account_id"]),
        )
        for row in await tx.all(sql, [list(sku_ids)])
    ]
    filled = settlement.fill(waiting, levels)
    await tx.many(
        """INSERT INTO reservation (seller_id, order_id, line_ref, sku_id, warehouse_id, quantity)
           VALUES (%s, %s, %s, %s, %s, %s)
           ON CONFLICT (seller_id, order_id, line_ref, sku_id, warehouse_id)
           DO UPDATE SET quantity = reservation.quantity + excluded.quantity""",
        [(tx.seller, s.order_id, s.line_ref, s.sku_id, shelf, units) for s, shelf, units in filled],
    )
    left: dict[tuple[UUID, str, UUID], int] = {(s.order_id, s.line_ref, s.sku_id): s.units for s in waiting}
    for short, _shelf, units in filled:
        left[short.order_id, short.line_ref, short.sku_id] -= units
    touched = {(s.order_id, s.line_ref, s.sku_id) for s, _shelf, _units in filled}
    where = "WHERE order_id = %s AND line_ref = %s AND sku_id = %s"
    await tx.many(f"UPDATE shortage SET quantity = %s {where}", [(left[k], *k) for k in touched if left[k]])
    await tx.many(f"DELETE FROM shortage {where}", [k for k in touched if not left[k]])
    return [short for short, _shelf, _units in filled]


async def _take_back(tx: Tx, levels: Levels) -> None:
    """Turn reservations of units that are not there into shortages, from the order that can wait longest on."""
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
            await _shorten(tx, row["order_id"], row["line_ref"], sku, shelf, row["quantity"] - taken, taken)
            await orders.event(tx, row["order_id"], "shortage", units=taken)
            await alerts.raise_(
                tx, "shortage", str(row["order_id"]), severity="urgent", due_at=row["ship_by"], order=row["number"],
                units=taken,
            )  # fmt: skip
        levels[sku, shelf].reserved -= units - left


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

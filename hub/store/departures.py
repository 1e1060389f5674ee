"""What had left and come back of each order line, and since when: for stock whose count begins at some instant."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from hub.store import Tx

# (instant, units dispatched by then, sellable units back by then) in units of the line
History: TypeAlias = Sequence[tuple[datetime, int, int]]


async def note(tx: Tx, order_id: UUID, rows: Sequence[tuple[str, int, int]], told_at: datetime | None) -> None:
    """(line_ref, dispatched, returned) as told at that instant, at the latest now; what is known stays as it is."""
    gone = [row for row in rows if row[1] or row[2]]
    if not gone:
        return
    await tx.run(
        """INSERT INTO line_departure (seller_id, order_id, line_ref, dispatched, returned, at)
           SELECT %s, %s, t.line_ref, t.dispatched, t.returned, least(%s::timestamptz, now())
           FROM unnest(%s::text[], %s::int[], %s::int[]) AS t(line_ref, dispatched, returned) ON CONFLICT DO NOTHING""",
        [tx.seller, order_id, told_at, [row[0] for row in gone], [row[1] for row in gone], [row[2] for row in gone]],
    )


async def of(tx: Tx, order_id: UUID) -> dict[str, History]:
    """The history of each line of an order."""
    found: dict[str, list[tuple[datetime, int, int]]] = defaultdict(list)
    for row in await tx.all(
        "SELECT line_ref, at, dispatched, returned FROM line_departure WHERE order_id = %s", [order_id]
    ):
        found[row["line_ref"]].append((row["at"], row["dispatched"], row["returned"]))
    return dict(found)


def before(told: Mapping[str, History], line_ref: str, since: datetime) -> tuple[int, int]:
    """Units of a line that had left, and that were back, before `since`."""
    rows = [row for row in told.get(line_ref, ()) if row[0] < since]
    return max((row[1] for row in rows), default=0), max((row[2] for row in rows), default=0)


async def rebase(tx: Tx, order_id: UUID, rows: Sequence[tuple[str, UUID, int, int]]) -> None:
    """(line_ref, component, dispatched, returned) that never move this order's components, in place of all before."""
    await tx.run("DELETE FROM stock_base WHERE order_id = %s", [order_id])
    await tx.many(
        """INSERT INTO stock_base (seller_id, order_id, line_ref, sku_id, dispatched, returned)
           VALUES (%s, %s, %s, %s, %s, %s)""",
        [(tx.seller, order_id, *row) for row in rows if row[2] or row[3]],
    )

"""A seller's history as rows: orders placed and movements booked on given days, without a channel."""

import json
from datetime import datetime, timedelta
from uuid import UUID

from hub.store import Tx, new_id, stock, warehouses
from jobs import replenish
from tests.world import World


class History:
    """Writes what happened. Days are counted back from today; instants are hours of that day in São Paulo."""

    def __init__(self, w: World) -> None:
        self.w = w
        self.account = new_id()
        self.today = replenish.midnight(w.rt.now())

    def at(self, ago: int, hour: float = 12) -> datetime:
        return self.today - timedelta(days=ago) + timedelta(hours=hour)

    async def begin(self) -> None:
        async with self.w.rt.db.seller(self.w.seller_id) as tx:
            await tx.run(
                "INSERT INTO account (seller_id, id, channel, name, callback_hash, status) "
                "VALUES (%s, %s, 'woocommerce', 'Loja', %s, 'paused')",
                [tx.seller, self.account, self.account.bytes],
            )

    async def sku(self, code: str, units: int, *, ago: int = 100, hour: float = 0, **facts: int) -> UUID:
        """A SKU opened with so many units."""
        async with self.w.rt.db.seller(self.w.seller_id) as tx:
            sku_id = await stock.sku_put(tx, code, code.title(), **facts)
            await tx.run("UPDATE sku SET opened_at = %(at)s, stock_since = %(at)s WHERE id = %(id)s",
                         {"at": self.at(ago, hour), "id": sku_id})  # fmt: skip
            shelf = await warehouses.warehouse(tx, None)
            await tx.run(
                "INSERT INTO stock_level (seller_id, sku_id, warehouse_id) VALUES (%s, %s, %s)",
                [tx.seller, sku_id, shelf],
            )
            if units:
                await self._move(tx, sku_id, units, "opening", self.at(ago, hour))
        return sku_id

    async def _move(self, tx: Tx, sku_id: UUID, delta: int, reason: str, at: datetime) -> None:
        shelf = await warehouses.warehouse(tx, None)
        await tx.run(
            "INSERT INTO stock_movement (seller_id, id, sku_id, warehouse_id, delta, reason, source_ref, at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [tx.seller, new_id(), sku_id, shelf, delta, reason, str(new_id()), at],
        )
        await tx.run(
            "UPDATE stock_level SET on_hand = on_hand + %s WHERE sku_id = %s AND warehouse_id = %s",
            [delta, sku_id, shelf],
        )

    async def move(self, sku_id: UUID, delta: int, *, ago: int, hour: float = 12, reason: str = "count") -> None:
        """A movement in the ledger."""
        async with self.w.rt.db.seller(self.w.seller_id) as tx:
            await self._move(tx, sku_id, delta, reason, self.at(ago, hour))

    async def sale(
        self, sku_id: UUID, units: int, *, ago: int, hour: float = 12, status: str = "delivered", multiplier: int = 1,
        fulfilled_by: str = "seller", returned: int = 0, cancelled: int = 0, cancelled_ago: int | None = None,
        key: str | None = None, own: bool = True, moves: bool = True,
    ) -> UUID:  # fmt: skip
        """An order of one line; a delivered one left the shelf five days after it was placed, or just now."""
        order_id = new_id()
        told = {"cancelled_at": self.at(cancelled_ago).isoformat()} if cancelled_ago is not None else {}
        placed = self.at(ago, hour)
        async with self.w.rt.db.seller(self.w.seller_id) as tx:
            await tx.run(
                "INSERT INTO orders (seller_id, id, account_id, ref, stock_key, status, payment, fulfilment, placed_at,"
                " changed_at, told, versions) VALUES (%s, %s, %s, %s, %s, %s, 'paid', 'none', %s, %s, %s, '{}')",
                [tx.seller, order_id, self.account, str(order_id), key or str(order_id), status, placed, placed,
                 json.dumps(told)],
            )  # fmt: skip
            if own:
                await tx.run("INSERT INTO stock_effect (seller_id, stock_key, order_id) VALUES (%s, %s, %s)",
                             [tx.seller, key or str(order_id), order_id])  # fmt: skip
            await tx.run(
                "INSERT INTO order_line (seller_id, order_id, ref, sku_id, multiplier, quantity, cancelled_quantity,"
                " returned_quantity, fulfilled_by) VALUES (%s, %s, '1', %s, %s, %s, %s, %s, %s)",
                [tx.seller, order_id, sku_id, multiplier, units, cancelled, returned, fulfilled_by],
            )
            if moves and status == "delivered" and fulfilled_by == "seller":
                left = min(self.w.rt.now(), placed + timedelta(days=5))
                await self._move(tx, sku_id, -(units - cancelled) * multiplier, "dispatch", left)
        return order_id

    async def days(self, sku_id: UUID) -> dict[int, tuple[int, int]]:
        """(sold, minutes without stock) by days ago, after a run."""
        await replenish.refresh(self.w.rt, self.w.seller_id)
        rows = await self.w.rows("SELECT day, sold, minutes_out FROM stock_day WHERE sku_id = %s ORDER BY day", sku_id)
        return {(self.today.date() - row["day"]).days: (row["sold"], row["minutes_out"]) for row in rows}


async def history(w: World) -> History:
    made = History(w)
    await made.begin()
    return made

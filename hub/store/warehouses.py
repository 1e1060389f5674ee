"""Warehouses: which there are, who draws from which, and in which order."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from hub.store import Tx, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """Warehouses by rank: all own ones, and those of each account that draws from fewer."""

    own: tuple[UUID, ...]
    by_account: Mapping[UUID, tuple[UUID, ...]]

    def of(self, account_id: UUID) -> tuple[UUID, ...]:
        """The warehouses this account draws from, best first."""
        return self.by_account.get(account_id, self.own)


async def shelves(tx: Tx) -> Shelves:
    """Which warehouses there are and who draws from which."""
    rows = await tx.all("SELECT id FROM warehouse WHERE kind = 'own' ORDER BY rank, code")
    own = tuple(row["id"] for row in rows)
    chosen: dict[UUID, set[UUID]] = defaultdict(set)
    for row in await tx.all("SELECT account_id, warehouse_id FROM account_warehouse"):
        chosen[row["account_id"]].add(row["warehouse_id"])
    by_account = {account_id: tuple(w for w in own if w in some) for account_id, some in chosen.items()}
    return Shelves(own=own, by_account=by_account)


async def warehouse(tx: Tx, code: str | None) -> UUID:
    """The warehouse of that code, else the best-ranked own one (made as "principal" when there is none)."""
    if code:
        found: UUID | None = await tx.value("SELECT id FROM warehouse WHERE code = %s", [code])
        if found is None:
            raise LookupError(f"there is no warehouse {code!r}")
        return found
    found = await tx.value("SELECT id FROM warehouse WHERE kind = 'own' ORDER BY rank, code LIMIT 1")
    return found or await warehouse_add(tx, "principal", "Principal", rank=10)


async def warehouse_add(tx: Tx, code: str, name: str, *, rank: int = 100, kind: str = "own") -> UUID:
    """A warehouse; the one of that code when it is there already."""
    sql = """
        INSERT INTO warehouse (seller_id, id, code, name, rank, kind) VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (seller_id, code) DO UPDATE SET name = excluded.name RETURNING id"""
    added: UUID = await tx.value(sql, [tx.seller, new_id(), code, name, rank, kind])
    return added

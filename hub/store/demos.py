"""Demonstrations: the seller that is one, where its channels answer, and forgetting all of it."""

from collections.abc import Sequence
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID

from psycopg import sql

from hub.store import Tx

KEPT = ("seller", "membership", "first_run")  # when it begins anew


async def the_one(tx: Tx) -> UUID | None:
    """The seller that is a demonstration; None where none is open. Dispatch role."""
    found: UUID | None = await tx.value("SELECT seller_id FROM seller WHERE demo")
    return found


async def seller_add(tx: Tx, name: str) -> bool:
    """This transaction's new seller, a demonstration. False where another one is open: then nothing is made."""
    made: bool | None = await tx.value(
        "INSERT INTO seller (seller_id, name, demo) VALUES (%s, %s, true) "
        "ON CONFLICT (demo) WHERE demo DO NOTHING RETURNING true",
        [tx.seller, name],
    )
    return bool(made)


async def is_demo(tx: Tx) -> bool:
    """Whether this transaction's seller is a demonstration."""
    return bool(await tx.value("SELECT demo FROM seller WHERE seller_id = %s", [tx.seller]))


# ── where its channels answer ───────────────────────────────────────────────────────────────────────────────


async def place(tx: Tx, account_id: UUID, port: int) -> None:
    """One of its accounts is played on this port of this machine. LookupError for a seller that is none."""
    made = await tx.run(
        "INSERT INTO demo_place (seller_id, account_id, port) SELECT seller_id, %s, %s FROM seller "
        "WHERE seller_id = %s AND demo",
        [account_id, port, tx.seller],
    )
    if not made:
        raise LookupError(f"seller {tx.seller} is no demonstration")


async def port(tx: Tx, account_id: UUID) -> int | None:
    """The port on which an account is played; None for every account of a real seller."""
    found: int | None = await tx.value(
        "SELECT p.port FROM demo_place p JOIN seller s ON s.seller_id = p.seller_id AND s.demo WHERE p.account_id = %s",
        [account_id],
    )
    return found


async def displace(tx: Tx) -> None:
    """Nothing is played any more: no private address may be called."""
    await tx.run("DELETE FROM demo_place WHERE seller_id = %s", [tx.seller])


# ── forgetting ──────────────────────────────────────────────────────────────────────────────────────────────


async def close_accounts(tx: Tx) -> None:
    """No worker begins anything with its accounts any more."""
    await tx.run("UPDATE account SET status = 'closed' WHERE status <> 'closed'")


async def is_busy(tx: Tx, now: datetime) -> bool:
    """Whether a worker is at something still."""
    found: bool = await tx.value(
        """SELECT EXISTS (SELECT FROM task WHERE lease_until > %(now)s)
               OR EXISTS (SELECT FROM inbox WHERE lease_until > %(now)s)
               OR EXISTS (SELECT FROM stock_slot WHERE lease_until > %(now)s)
               OR EXISTS (SELECT FROM shipment WHERE lease_until > %(now)s)""",
        {"now": now},
    )
    return found


_TABLES = """
    SELECT c.relname AS name, has_table_privilege(c.oid, 'DELETE') AS ours,
           ARRAY(SELECT DISTINCT t.relname::text FROM pg_constraint k JOIN pg_class t ON t.oid = k.confrelid
                 WHERE k.contype = 'f' AND k.conrelid = c.oid AND t.oid <> c.oid) AS refers
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'seller_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname"""


async def forget(tx: Tx, *, whole: bool) -> None:
    """Delete all that this demonstration has, `whole` with the seller and its people. LookupError for a real seller."""
    if not await is_demo(tx):
        raise LookupError(f"seller {tx.seller} is no demonstration")
    rows: Sequence[dict[str, Any]] = await tx.all(_TABLES)
    before = {row["name"]: [each["name"] for each in rows if row["name"] in each["refers"]] for row in rows}
    ours = {row["name"] for row in rows if row["ours"]} - (set() if whole else set(KEPT))
    for table in TopologicalSorter(before).static_order():
        if table in ours:
            statement = sql.SQL("DELETE FROM {} WHERE seller_id = %s").format(sql.Identifier(table))
            await tx.conn.execute(statement, [tx.seller])


# ── while it is set up ──────────────────────────────────────────────────────────────────────────────────────


async def unread(tx: Tx) -> bool:
    """Whether an account's orders or listings were not read to their end yet."""
    found: bool = await tx.value(
        "SELECT EXISTS (SELECT FROM task WHERE kind IN ('poll', 'listings') AND succeeded_at IS NULL)"
    )
    return found


async def order_id(tx: Tx, account_id: UUID, ref: str) -> UUID | None:
    """Our id of a channel's order; None while it has not come in."""
    found: UUID | None = await tx.value("SELECT id FROM orders WHERE account_id = %s AND ref = %s", [account_id, ref])
    return found

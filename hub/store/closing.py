"""An account's end: what is deleted, and what stays for its history."""

from uuid import UUID

from hub.store import Tx


async def close(tx: Tx, account_id: UUID) -> None:
    """Delete its credentials and recurring work; what came in and was not worked off is kept as it is."""
    await tx.run("DELETE FROM credential WHERE account_id = %s", [account_id])
    await tx.run("DELETE FROM task WHERE account_id = %s", [account_id])
    await tx.run(
        "UPDATE inbox SET state = 'kept', lease_token = NULL, lease_until = NULL, lease_by = NULL, error = 'closed', "
        "done_at = now() WHERE account_id = %s AND state IN ('due', 'parked')",
        [account_id],
    )
    await tx.run(
        "UPDATE shipment SET news_due_at = NULL WHERE account_id = %s AND news_due_at IS NOT NULL", [account_id]
    )
    await tx.run(
        "UPDATE orders SET deadline_at = now() WHERE account_id = %s AND (deadline_at IS NOT NULL OR ship_stage > 0)",
        [account_id],
    )
    await tx.run(
        "UPDATE alert SET resolved_at = now() WHERE resolved_at IS NULL AND (subject = %s OR subject LIKE %s)",
        [str(account_id), f"{account_id}/%"],
    )


async def open_orders(tx: Tx, account_id: UUID) -> int:
    """Orders of an account that hold units and have not left."""
    count: int = await tx.value(
        """SELECT count(DISTINCT o.id) FROM orders o JOIN reservation r
             ON r.seller_id = o.seller_id AND r.order_id = o.id
           WHERE o.account_id = %s""",
        [account_id],
    )
    return count

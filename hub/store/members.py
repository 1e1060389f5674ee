"""A seller's people: their roles, and the invitations that are out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from hub.store import Tx, new_id

OPEN = "accepted_at IS NULL AND withdrawn_at IS NULL"


async def lock(tx: Tx) -> None:
    """Let nobody else change this seller's people until the end: two owners must not remove one another."""
    await tx.run("SELECT FROM seller WHERE seller_id = %s FOR UPDATE", [tx.seller])


async def role_of(tx: Tx, user_id: UUID) -> dict[str, Any] | None:
    """A member's role, name and email, switched off or not; None for nobody of this seller."""
    return await tx.one(
        "SELECT m.role, u.name, u.email FROM membership m JOIN app_user u ON u.id = m.user_id "
        "WHERE m.seller_id = %s AND m.user_id = %s",
        [tx.seller, user_id],
    )


async def standing(tx: Tx, user_id: UUID) -> tuple[str, str] | None:
    """The role and the name of a member who may sign in; None for anybody else."""
    row = await tx.one(
        "SELECT m.role, u.name FROM membership m JOIN app_user u ON u.id = m.user_id "
        "WHERE m.seller_id = %s AND m.user_id = %s AND u.disabled_at IS NULL",
        [tx.seller, user_id],
    )
    return (row["role"], row["name"]) if row else None


async def owners(tx: Tx) -> int:
    """How many owners may sign in."""
    count: int = await tx.value(
        "SELECT count(*) FROM membership m JOIN app_user u ON u.id = m.user_id "
        "WHERE m.seller_id = %s AND m.role = 'owner' AND u.disabled_at IS NULL",
        [tx.seller],
    )
    return count


async def set_role(tx: Tx, user_id: UUID, role: str) -> None:
    """Another role for a member."""
    await tx.run("UPDATE membership SET role = %s WHERE user_id = %s", [role, user_id])


async def remove(tx: Tx, user_id: UUID) -> None:
    """Somebody works for this seller no more."""
    await tx.run("DELETE FROM membership WHERE user_id = %s", [user_id])


async def is_member(tx: Tx, email: str) -> bool:
    """Whether the person of that e-mail works for this seller."""
    sql = (
        "SELECT 1 FROM membership m JOIN app_user u ON u.id = m.user_id WHERE m.seller_id = %s AND u.email = lower(%s)"
    )
    return await tx.value(sql, [tx.seller, email]) is not None


# ── invitations ─────────────────────────────────────────────────────────────────────────────────────────────


async def invite(tx: Tx, email: str, role: str, by: UUID | None, now: datetime, expires_at: datetime) -> UUID:
    """A new invitation; one that is out to the same address counts no more."""
    await tx.run(f"UPDATE invitation SET withdrawn_at = %s WHERE email = lower(%s) AND {OPEN}", [now, email])
    made = new_id()
    await tx.run(
        "INSERT INTO invitation (seller_id, id, email, role, invited_by, created_at, expires_at) "
        "VALUES (%s, %s, lower(%s), %s, %s, %s, %s)",
        [tx.seller, made, email, role, by, now, expires_at],
    )
    return made


async def invitations(tx: Tx) -> list[dict[str, Any]]:
    """Those that are out, the newest first, with who invited."""
    return await tx.all(
        f"""SELECT i.id, i.email, i.role, i.created_at, i.expires_at, i.mailed_at, u.name AS by_name
            FROM invitation i LEFT JOIN app_user u ON u.id = i.invited_by
            WHERE i.seller_id = %s AND {OPEN} ORDER BY i.id DESC""",
        [tx.seller],
    )


async def invitation(tx: Tx, invitation_id: UUID, now: datetime) -> dict[str, Any] | None:
    """One that may be accepted still, locked: id, email, role, and the seller's name."""
    return await tx.one(
        f"""SELECT i.id, i.email, i.role, s.name AS seller FROM invitation i JOIN seller s USING (seller_id)
            WHERE i.seller_id = %s AND i.id = %s AND i.expires_at > %s AND {OPEN} FOR UPDATE OF i""",
        [tx.seller, invitation_id, now],
    )


async def mailed(tx: Tx, invitation_id: UUID, now: datetime) -> None:
    """Note that the letter has left."""
    await tx.run("UPDATE invitation SET mailed_at = %s WHERE id = %s", [now, invitation_id])


async def accept(tx: Tx, invitation_id: UUID, user_id: UUID, role: str, now: datetime) -> None:
    """Let them in; who is a member already keeps the role that they have."""
    await tx.run("UPDATE invitation SET accepted_at = %s WHERE id = %s", [now, invitation_id])
    await tx.run(
        "INSERT INTO membership (seller_id, user_id, role) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [tx.seller, user_id, role],
    )


async def withdraw(tx: Tx, invitation_id: UUID, now: datetime) -> dict[str, Any] | None:
    """Take one back: its email and role; None where none such is out."""
    return await tx.one(
        f"UPDATE invitation SET withdrawn_at = %s WHERE id = %s AND {OPEN} RETURNING email, role", [now, invitation_id]
    )


async def withdraw_of(tx: Tx, user_id: UUID, beyond: tuple[str, ...], now: datetime) -> int:
    """Take back what somebody has out, except for roles that they may still give."""
    sql = f"UPDATE invitation SET withdrawn_at = %s WHERE invited_by = %s AND NOT role = ANY(%s) AND {OPEN}"
    return await tx.run(sql, [now, user_id, list(beyond)])

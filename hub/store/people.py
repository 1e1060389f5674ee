"""Sellers, users and who may do what for whom."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.store import Tx, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who signs in."""

    id: UUID
    email: str
    name: str
    password_hash: str
    locale: str
    session_epoch: int


async def seller_add(tx: Tx, name: str) -> UUID:
    """A new seller; `tx` must be a transaction of that seller's id (see Database.seller)."""
    await tx.run("INSERT INTO seller (seller_id, name) VALUES (%s, %s)", [tx.seller, name])
    return tx.seller


async def sellers(tx: Tx) -> list[dict[str, Any]]:
    """Every seller's id and name. Dispatch role."""
    return await tx.all("SELECT seller_id, name FROM seller ORDER BY seller_id")


async def seller_name(tx: Tx) -> str:
    """What the seller is called."""
    told: str = await tx.value("SELECT name FROM seller WHERE seller_id = %s", [tx.seller])
    return told


async def user_put(tx: Tx, email: str, name: str, password_hash: str, locale: str) -> UUID:
    """A user, or a new password for the one with that e-mail (which signs them out everywhere)."""
    sql = """
        INSERT INTO app_user (id, email, name, password_hash, locale) VALUES (%s, lower(%s), %s, %s, %s)
        ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash, name = excluded.name,
            session_epoch = app_user.session_epoch + 1 RETURNING id"""
    made: UUID = await tx.value(sql, [new_id(), email, name, password_hash, locale])
    return made


async def user_add(tx: Tx, email: str, name: str, password_hash: str, locale: str) -> UUID | None:
    """A new user; None where somebody has that e-mail: nothing of theirs is touched."""
    sql = """
        INSERT INTO app_user (id, email, name, password_hash, locale) VALUES (%s, lower(%s), %s, %s, %s)
        ON CONFLICT (email) DO NOTHING RETURNING id"""
    made: UUID | None = await tx.value(sql, [new_id(), email, name, password_hash, locale])
    return made


async def member_put(tx: Tx, user_id: UUID, role: str) -> None:
    """Let a user work for this seller."""
    await tx.run(
        "INSERT INTO membership (seller_id, user_id, role) VALUES (%s, %s, %s) "
        "ON CONFLICT (seller_id, user_id) DO UPDATE SET role = excluded.role",
        [tx.seller, user_id, role],
    )


async def user_by_email(tx: Tx, email: str) -> User | None:
    """The active user with that e-mail."""
    return await _user(tx, "email = lower(%s)", email)


async def user_by_id(tx: Tx, user_id: UUID) -> User | None:
    """The active user of that id."""
    return await _user(tx, "id = %s", user_id)


async def _user(tx: Tx, where: Any, value: object) -> User | None:
    columns = "id, email, name, password_hash, locale, session_epoch"
    row = await tx.one(f"SELECT {columns} FROM app_user WHERE disabled_at IS NULL AND {where}", [value])
    return User(**row) if row else None


async def set_locale(tx: Tx, user_id: UUID, locale: str) -> None:
    """A user's language."""
    await tx.run("UPDATE app_user SET locale = %s WHERE id = %s", [locale, user_id])


async def set_password(tx: Tx, user_id: UUID, password_hash: str) -> None:
    """A stronger hash of the same password."""
    await tx.run("UPDATE app_user SET password_hash = %s WHERE id = %s", [password_hash, user_id])


async def sign_out_everywhere(tx: Tx, user_id: UUID) -> None:
    """End every session of a user."""
    await tx.run("UPDATE user_session SET ended_at = now() WHERE user_id = %s AND ended_at IS NULL", [user_id])
    await tx.run("UPDATE app_user SET session_epoch = session_epoch + 1 WHERE id = %s", [user_id])


async def memberships(tx: Tx, user_id: UUID) -> list[dict[str, Any]]:
    """(seller_id, name, role, demo) of a user, real shops first. Dispatch role."""
    return await tx.all(
        "SELECT m.seller_id, s.name, m.role, s.demo FROM membership m JOIN seller s USING (seller_id) "
        "WHERE m.user_id = %s ORDER BY s.demo, s.name",
        [user_id],
    )


async def member(tx: Tx, user_id: UUID, session_id: UUID) -> dict[str, Any] | None:
    """An active user as a member of this transaction's seller, in a session that has not been ended: name, email,
    locale, session_epoch, role, seller, seen_at, whether they have a second factor, and whether the seller asks for it.
    """
    return await tx.one(
        """SELECT u.name, u.email, u.locale, u.session_epoch, m.role, s.name AS seller, z.seen_at,
                  s.settings->>'zone' AS zone, s.demo,
                  coalesce((s.settings->>'two_factor')::boolean, false) AS factor_asked,
                  EXISTS (SELECT FROM user_factor f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS factor_on
           FROM membership m JOIN app_user u ON u.id = m.user_id JOIN seller s ON s.seller_id = m.seller_id
           JOIN user_session z ON z.id = %s AND z.user_id = u.id AND z.ended_at IS NULL
           WHERE m.seller_id = %s AND m.user_id = %s AND u.disabled_at IS NULL""",
        [session_id, tx.seller, user_id],
    )


async def members(tx: Tx) -> list[dict[str, Any]]:
    """Everybody who may work for this transaction's seller: email, name, role, since when, whether switched off, and
    how many keys in force they made.
    """
    return await tx.all(
        """SELECT u.id AS user_id, u.email, u.name, m.role, m.created_at, u.disabled_at IS NULL AS active,
                  (SELECT count(*) FROM api_key k WHERE k.seller_id = m.seller_id AND k.made_by = m.user_id
                      AND k.revoked_at IS NULL) AS keys
           FROM membership m JOIN app_user u ON u.id = m.user_id WHERE m.seller_id = %s ORDER BY u.email""",
        [tx.seller],
    )

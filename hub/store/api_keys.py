"""API keys: who may ask a seller's REST API for what. Only hashes are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.store import Tx, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key that is in force. `made_by`: the person who made it; null: the terminal."""

    id: UUID
    name: str
    scopes: frozenset[str]
    made_by: UUID | None = None


async def add(tx: Tx, name: str, key_hash: bytes, scopes: Sequence[str], made_by: UUID | None = None) -> UUID:
    """Keep a key by its hash; `made_by` null: it is made at the terminal."""
    key_id = new_id()
    await tx.run(
        "INSERT INTO api_key (seller_id, id, name, key_hash, scopes, made_by) VALUES (%s, %s, %s, %s, %s, %s)",
        [tx.seller, key_id, name, key_hash, list(scopes), made_by],
    )
    return key_id


async def every(tx: Tx, limit: int | None = None) -> list[dict[str, Any]]:
    """Keys without their hash, those in force first, each the newest first, with who made it (`made_by` null: not
    known, or the terminal).

    `maker_role` null: who made it works here no more, or may not sign in.
    """
    return await tx.all(
        """SELECT k.id, k.name, k.scopes, k.created_at, k.last_used_at, k.revoked_at, k.made_by, u.name AS maker,
                  CASE WHEN u.disabled_at IS NULL THEN m.role END AS maker_role
           FROM api_key k LEFT JOIN app_user u ON u.id = k.made_by
               LEFT JOIN membership m ON m.seller_id = k.seller_id AND m.user_id = k.made_by
           WHERE k.seller_id = %s ORDER BY k.revoked_at IS NOT NULL, k.created_at DESC, k.id LIMIT %s""",
        [tx.seller, limit],
    )


async def in_force_of(tx: Tx, user_id: UUID) -> list[dict[str, Any]]:
    """The keys in force that somebody made: id and name, oldest first."""
    sql = "SELECT id, name FROM api_key WHERE made_by = %s AND revoked_at IS NULL ORDER BY created_at, id"
    return await tx.all(sql, [user_id])


async def revoke(tx: Tx, key_id: UUID) -> bool:
    """Take a key out of force for good; False when no key in force has that id."""
    return await tx.run("UPDATE api_key SET revoked_at = now() WHERE id = %s AND revoked_at IS NULL", [key_id]) == 1


async def seller_of(tx: Tx, key_hash: bytes) -> tuple[UUID, bytes] | None:
    """The seller whose key in force has that hash, and the hash as kept. Dispatch role."""
    row = await tx.one("SELECT seller_id, key_hash FROM api_key WHERE key_hash = %s AND revoked_at IS NULL", [key_hash])
    return (row["seller_id"], bytes(row["key_hash"])) if row else None


async def used(tx: Tx, key_hash: bytes) -> ApiKey | None:
    """The seller's own key of that hash; that it was used is noted once a minute."""
    sql = "SELECT id, name, scopes, made_by FROM api_key WHERE key_hash = %s AND revoked_at IS NULL"
    row = await tx.one(sql, [key_hash])
    if row is None:
        return None
    await tx.run(
        "UPDATE api_key SET last_used_at = now() WHERE id = %s "
        "AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')",
        [row["id"]],
    )
    return ApiKey(id=row["id"], name=row["name"], scopes=frozenset(row["scopes"]), made_by=row["made_by"])

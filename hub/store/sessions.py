"""Where a person is signed in, and the second factor that they sign in with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.store import Tx, new_id

MOST = 100
KEPT = "30 days"


async def begin(tx: Tx, user_id: UUID, epoch: int, device: str, address: str, now: datetime) -> UUID:
    """A person has signed in; what ended long ago is forgotten."""
    await tx.run(
        f"DELETE FROM user_session WHERE user_id = %s AND seen_at < %s - interval '{KEPT}'", [user_id, now]
    )  # fmt: skip
    made = new_id()
    await tx.run(
        "INSERT INTO user_session (id, user_id, epoch, device, address, created_at, seen_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [made, user_id, epoch, device, address, now, now],
    )
    return made


async def seen(tx: Tx, session_id: UUID, address: str, now: datetime) -> None:
    """It is in use, from this address."""
    await tx.run("UPDATE user_session SET seen_at = %s, address = %s WHERE id = %s", [now, address, session_id])


async def of(tx: Tx, user_id: UUID, since: datetime) -> list[dict[str, Any]]:
    """A person's sessions that are in force, the last used first: id, device, address, created_at, seen_at."""
    return await tx.all(
        """SELECT z.id, z.device, z.address, z.created_at, z.seen_at FROM user_session z
           JOIN app_user u ON u.id = z.user_id AND u.session_epoch = z.epoch
           WHERE z.user_id = %s AND z.ended_at IS NULL AND z.seen_at > %s ORDER BY z.seen_at DESC LIMIT %s""",
        [user_id, since, MOST],
    )


async def end(tx: Tx, user_id: UUID, session_id: UUID, now: datetime) -> bool:
    """End one of a person's own sessions; False where they have none such."""
    sql = "UPDATE user_session SET ended_at = %s WHERE id = %s AND user_id = %s AND ended_at IS NULL"
    return await tx.run(sql, [now, session_id, user_id]) == 1


async def end_others(tx: Tx, user_id: UUID, keep: UUID | None, now: datetime) -> int:
    """End all of a person's sessions but this one."""
    sql = "UPDATE user_session SET ended_at = %s WHERE user_id = %s AND id IS DISTINCT FROM %s AND ended_at IS NULL"
    return await tx.run(sql, [now, user_id, keep])


# ── the second factor ───────────────────────────────────────────────────────────────────────────────────────


async def factor(tx: Tx, user_id: UUID) -> dict[str, Any] | None:
    """sealed, confirmed_at, last_step, and how many recovery codes are left."""
    return await tx.one(
        """SELECT f.sealed, f.confirmed_at, f.last_step,
                  (SELECT count(*) FROM recovery_code r WHERE r.user_id = f.user_id AND r.used_at IS NULL) AS codes_left
           FROM user_factor f WHERE f.user_id = %s""",
        [user_id],
    )


async def factor_begin(tx: Tx, user_id: UUID, sealed: bytes, now: datetime) -> None:
    """A secret that is not confirmed yet; one that is confirmed stays."""
    await tx.run(
        """INSERT INTO user_factor (user_id, sealed, created_at) VALUES (%s, %s, %s)
           ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at
           WHERE user_factor.confirmed_at IS NULL""",
        [user_id, sealed, now],
    )


async def factor_confirm(tx: Tx, user_id: UUID, now: datetime) -> bool:
    """It is asked for from now on; False where it was already, or there is none."""
    sql = "UPDATE user_factor SET confirmed_at = %s WHERE user_id = %s AND confirmed_at IS NULL"
    return await tx.run(sql, [now, user_id]) == 1


async def step_used(tx: Tx, user_id: UUID, step: int) -> bool:
    """Note that the code of this step was given; False where it or a later one was given before."""
    sql = "UPDATE user_factor SET last_step = %s WHERE user_id = %s AND last_step < %s"
    return await tx.run(sql, [step, user_id, step]) == 1


async def codes_put(tx: Tx, user_id: UUID, hashes: Sequence[bytes]) -> None:
    """New recovery codes in the place of all that there were."""
    await tx.run("DELETE FROM recovery_code WHERE user_id = %s", [user_id])
    await tx.run(
        "INSERT INTO recovery_code (user_id, code_hash) SELECT %s, unnest(%s::bytea[])", [user_id, list(hashes)]
    )


async def code_used(tx: Tx, user_id: UUID, code_hash: bytes, now: datetime) -> bool:
    """Use a recovery code up; False for one that is none, or was used."""
    sql = "UPDATE recovery_code SET used_at = %s WHERE user_id = %s AND code_hash = %s AND used_at IS NULL"
    return await tx.run(sql, [now, user_id, code_hash]) == 1


async def factor_drop(tx: Tx, user_id: UUID) -> bool:
    """No second factor any more; False where there was none."""
    await tx.run("DELETE FROM recovery_code WHERE user_id = %s", [user_id])
    return await tx.run("DELETE FROM user_factor WHERE user_id = %s", [user_id]) == 1


async def require_factor(tx: Tx, *, on: bool) -> None:
    """Whether everybody of this seller must have a second factor."""
    await tx.run(
        "UPDATE seller SET settings = jsonb_set(settings, '{two_factor}', to_jsonb(%s::boolean)) WHERE seller_id = %s",
        [on, tx.seller],
    )

"""The second factor: begun, confirmed, asked for, turned off."""

from typing import Any
from uuid import UUID

from hub import two_factor
from hub.store import people, sessions, stock
from jobs.runtime import Runtime


async def is_on(rt: Runtime, user_id: UUID) -> bool:
    """Whether somebody has a second factor that is asked for."""
    async with rt.db.people() as tx:
        row = await sessions.factor(tx, user_id)
    return row is not None and row["confirmed_at"] is not None


async def begin(rt: Runtime, user_id: UUID) -> None:
    """A new secret, sealed; it is asked for once a code of it has been given."""
    sealed = rt.vault.seal({"is": "totp", "secret": two_factor.new_secret()})
    async with rt.db.people() as tx:
        await sessions.factor_begin(tx, user_id, sealed, rt.now())


def secret_of(rt: Runtime, row: dict[str, Any]) -> str:
    """The secret of a row of sessions.factor."""
    return rt.vault.open(bytes(row["sealed"]))["secret"]


async def passes(rt: Runtime, user_id: UUID, code: str) -> bool:
    """Whether this is a code of the app, or a recovery code: each counts once."""
    told = "".join(code.split())
    async with rt.db.people() as tx:
        row = await sessions.factor(tx, user_id)
        if row is None:
            return False
        if (step := two_factor.step_of(secret_of(rt, row), told, rt.now())) is not None:
            return await sessions.step_used(tx, user_id, step)
        return row["confirmed_at"] is not None and await sessions.code_used(
            tx, user_id, two_factor.code_hash(told), rt.now()
        )


async def confirm(rt: Runtime, user_id: UUID, keep: UUID | None) -> list[str]:
    """Ask for it from now on; every other session of theirs ends. Answers the recovery codes, once."""
    async with rt.db.people() as tx:
        if not await sessions.factor_confirm(tx, user_id, rt.now()):
            return []
        await sessions.end_others(tx, user_id, keep, rt.now())
        codes = two_factor.new_codes()
        await sessions.codes_put(tx, user_id, [two_factor.code_hash(code) for code in codes])
    return codes


async def renew_codes(rt: Runtime, user_id: UUID) -> list[str]:
    """Ten new recovery codes; the old ones count no more."""
    codes = two_factor.new_codes()
    async with rt.db.people() as tx:
        await sessions.codes_put(tx, user_id, [two_factor.code_hash(code) for code in codes])
    return codes


async def reset(rt: Runtime, seller_id: UUID, user_id: UUID) -> bool:
    """Take the second factor of a seller's person away, and end their sessions; False where they have none."""
    async with rt.db.people() as tx:
        if not await sessions.factor_drop(tx, user_id):
            return False
        await people.sign_out_everywhere(tx, user_id)
    async with rt.db.seller(seller_id) as tx:
        await stock.audit(tx, "factor_reset", str(user_id))
    return True

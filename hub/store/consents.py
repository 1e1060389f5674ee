"""Authorizations on their way, and the applications that they name. What is secret is sealed before it comes here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hub.store import Tx

KEPT = timedelta(days=1)  # one that ended or was used is told apart from one that never was for so long


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """An authorization asked for: by whom, in which session (None: a program), and where the vendor comes back to."""

    id: UUID
    channel: str
    account_id: UUID | None
    user_id: UUID | None
    session_id: UUID | None
    state_hash: bytes
    sealed: bytes | None
    redirect_uri: str
    expires_at: datetime
    used_at: datetime | None


async def add(tx: Tx, told: Consent, now: datetime) -> None:
    """Remember it until its answer comes; those that ended long ago are forgotten."""
    await tx.run("DELETE FROM consent WHERE expires_at < %s", [now - KEPT])
    await tx.run(
        """INSERT INTO consent (seller_id, id, channel, account_id, user_id, session_id, state_hash, sealed,
               redirect_uri, expires_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            tx.seller, told.id, told.channel, told.account_id, told.user_id, told.session_id, told.state_hash,
            told.sealed, told.redirect_uri, told.expires_at,
        ],
    )  # fmt: skip


async def get(tx: Tx, consent_id: UUID) -> Consent | None:
    """An authorization of this seller's, used or not."""
    row = await tx.one(
        """SELECT id, channel, account_id, user_id, session_id, state_hash, sealed, redirect_uri, expires_at, used_at
           FROM consent WHERE id = %s""",
        [consent_id],
    )
    return Consent(**row) if row else None


async def use(tx: Tx, consent_id: UUID, now: datetime) -> bool:
    """Take it for its one use: what was sealed in it goes. False when it was used meanwhile."""
    sql = "UPDATE consent SET used_at = %s, sealed = NULL WHERE id = %s AND used_at IS NULL"
    return await tx.run(sql, [now, consent_id]) == 1


async def app(tx: Tx, channel: str) -> bytes | None:
    """A seller's application at a channel, sealed."""
    sealed: bytes | None = await tx.value("SELECT sealed FROM consent_app WHERE channel = %s", [channel])
    return sealed


async def keep_app(tx: Tx, channel: str, sealed: bytes) -> None:
    """Remember a seller's application, so that it is typed once."""
    await tx.run(
        """INSERT INTO consent_app (seller_id, channel, sealed) VALUES (%s, %s, %s)
           ON CONFLICT (seller_id, channel) DO UPDATE SET sealed = excluded.sealed, updated_at = now()""",
        [tx.seller, channel, sealed],
    )


async def newest(tx: Tx, channel: str) -> Sequence[bytes]:
    """The sealed credentials of a seller's newest account of a channel; empty when there is none."""
    rows = await tx.all(
        """SELECT c.sealed FROM account a
           JOIN credential c ON c.seller_id = a.seller_id AND c.account_id = a.id
           WHERE a.channel = %s AND a.status <> 'closed' ORDER BY a.id DESC LIMIT 1""",
        [channel],
    )
    return [row["sealed"] for row in rows]

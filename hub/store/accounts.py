"""Accounts, their credentials and tokens, OAuth applications, and the routes that webhooks take."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from hub.store import StoreError, Tx, new_id


class Taken(StoreError):
    """Another active account of this installation is the same one at the channel."""


TASKS = ("poll", "missed", "listings", "reconcile", "subscribe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A seller's connection to a channel."""

    seller_id: UUID
    id: UUID
    channel: str
    name: str
    external_id: str | None
    app_id: UUID | None
    app_key: str | None
    status: str
    held_reason: str | None
    stock_role: str
    settings: Mapping[str, Any]
    facts: Mapping[str, Any]
    braked_at: datetime | None

    @property
    def reads(self) -> bool:
        """Whether the hub talks to it at all."""
        return self.status in ("preview", "live")

    @property
    def writes(self) -> bool:
        """Whether the hub may change anything there."""
        return self.status == "live"


_COLUMNS = """a.seller_id, a.id, a.channel, a.name, a.external_id, a.app_id, p.app_key, a.status, a.held_reason,
    a.stock_role, a.settings, a.facts, a.braked_at"""
_FROM = "FROM account a LEFT JOIN channel_app p ON p.id = a.app_id"


async def get(tx: Tx, account_id: UUID) -> Account:
    """An account; LookupError when there is none of that id."""
    row = await tx.one(f"SELECT {_COLUMNS} {_FROM} WHERE a.id = %s", [account_id])
    if row is None:
        raise LookupError(f"there is no account {account_id}")
    return Account(**row)


async def every(tx: Tx) -> list[Account]:
    """A seller's accounts, oldest first."""
    return [Account(**row) for row in await tx.all(f"SELECT {_COLUMNS} {_FROM} ORDER BY a.id")]


async def add(
    tx: Tx,
    *,
    channel: str,
    name: str,
    callback_hash: bytes,
    sealed: bytes,
    app_id: UUID | None,
    status: str = "preview",
    account_id: UUID | None = None,
) -> UUID:
    """A new account with its sealed credentials and its recurring tasks, all due."""
    account_id = account_id or new_id()
    await tx.run(
        "INSERT INTO account (seller_id, id, channel, name, app_id, callback_hash, status) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [tx.seller, account_id, channel, name, app_id, callback_hash, status],
    )
    await _begin(tx, account_id, sealed)
    return account_id


async def reopen(
    tx: Tx, account_id: UUID, *, callback_hash: bytes, sealed: bytes, app_id: UUID | None, status: str, role: str
) -> None:
    """A closed account begins again, with its history: fresh credentials and tasks, nothing approved.

    Taken when somebody opened it meanwhile.
    """
    opened = await tx.run(
        "UPDATE account SET status = %s, stock_role = %s, callback_hash = %s, app_id = %s, held_reason = NULL, "
        "resume_status = NULL, approved_at = NULL, braked_at = NULL WHERE id = %s AND status = 'closed'",
        [status, role, callback_hash, app_id, account_id],
    )
    if not opened:
        raise Taken("it is connected again already")
    await _begin(tx, account_id, sealed)


async def _begin(tx: Tx, account_id: UUID, sealed: bytes) -> None:
    """Its credentials, and its recurring tasks, all due."""
    await tx.run(
        "INSERT INTO credential (seller_id, account_id, sealed) VALUES (%s, %s, %s)",
        [tx.seller, account_id, sealed],
    )
    await tx.many(
        "INSERT INTO task (seller_id, account_id, kind, due_at) VALUES (%s, %s, %s, now() + %s * interval '1 hour')",
        [(tx.seller, account_id, kind, 6 if kind == "reconcile" else 0) for kind in TASKS],
    )


async def known_as(tx: Tx, channel: str, external_id: str) -> tuple[Account | None, Account | None]:
    """A seller's accounts that are this one at the channel: the active one, and the one closed last."""
    rows = await tx.all(
        f"SELECT {_COLUMNS} {_FROM} WHERE a.channel = %s AND a.external_id = %s ORDER BY a.id DESC",
        [channel, external_id],
    )
    found = [Account(**row) for row in rows]
    active = next((each for each in found if each.status != "closed"), None)
    return active, next((each for each in found if each.status == "closed"), None)


async def rename(tx: Tx, account_id: UUID, name: str) -> None:
    """Another name for people."""
    await tx.run("UPDATE account SET name = %s WHERE id = %s", [name, account_id])


async def identify(tx: Tx, account_id: UUID, external_id: str, facts: Mapping[str, Any]) -> None:
    """Who the account is at the channel. StoreError when another active account is the same one."""
    try:
        async with tx.conn.transaction():
            await tx.run(
                """UPDATE account SET external_id = %s, facts = facts || %s, checked_at = now(),
                       held_reason = CASE WHEN status IN ('held', 'paused') THEN held_reason END WHERE id = %s""",
                [external_id, json.dumps(dict(facts)), account_id],
            )
    except psycopg.errors.UniqueViolation:
        raise Taken(f"{external_id} is connected already, in this installation, under another account") from None


async def unanswered(tx: Tx, account_id: UUID, reason: str) -> None:
    """Why an account that never was connected could not be asked who it is; gone once it says so."""
    sql = "UPDATE account SET held_reason = %s WHERE id = %s AND external_id IS NULL AND status = 'preview'"
    await tx.run(sql, [reason[:500], account_id])


async def set_status(tx: Tx, account_id: UUID, status: str, reason: str | None = None) -> None:
    """Move an account; a hold remembers what to go back to."""
    sql = """
        UPDATE account SET resume_status = CASE WHEN status IN ('preview', 'live') THEN status ELSE resume_status END,
            status = %s, held_reason = %s, approved_at = CASE WHEN %s = 'live' THEN coalesce(approved_at, now())
            ELSE approved_at END
        WHERE id = %s"""
    await tx.run(sql, [status, reason, status, account_id])


async def resume(tx: Tx, account_id: UUID) -> str:
    """Back to what it was before the hold; answers the status. Its work falls due at once."""
    sql = """
        UPDATE account SET status = coalesce(resume_status, 'preview'), held_reason = NULL, braked_at = NULL
        WHERE id = %s AND status IN ('held', 'paused') RETURNING status"""
    status: str | None = await tx.value(sql, [account_id])
    await tx.run("UPDATE task SET due_at = now(), attempts = 0 WHERE account_id = %s", [account_id])
    return status or (await get(tx, account_id)).status


async def settle_facts(tx: Tx, account_id: UUID, **facts: Any) -> None:
    """Remember something learnt about the account at its channel."""
    await tx.run("UPDATE account SET facts = facts || %s WHERE id = %s", [json.dumps(facts), account_id])


async def settle_settings(tx: Tx, account_id: UUID, **settings: Any) -> None:
    """Change an account's settings."""
    await tx.run("UPDATE account SET settings = settings || %s WHERE id = %s", [json.dumps(settings), account_id])


async def set_stock_role(tx: Tx, account_id: UUID, role: str) -> None:
    """source, target or none."""
    await tx.run("UPDATE account SET stock_role = %s WHERE id = %s", [role, account_id])


async def set_braked(tx: Tx, account_id: UUID, at: datetime | None) -> None:
    """Since when the zero brake holds this account's zeros."""
    await tx.run("UPDATE account SET braked_at = %s WHERE id = %s", [at, account_id])


# ── credentials and tokens ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Sealed credentials and the current token, sealed, with its generation."""

    sealed: bytes
    token_sealed: bytes | None
    token_expires_at: datetime | None
    token_generation: int


async def credential(tx: Tx, account_id: UUID) -> Credential:
    """The account's credential row."""
    row = await tx.one(
        "SELECT sealed, token_sealed, token_expires_at, token_generation FROM credential WHERE account_id = %s",
        [account_id],
    )
    if row is None:
        raise LookupError(f"account {account_id} has no credentials")
    return Credential(**row)


async def reseal(tx: Tx, account_id: UUID, sealed: bytes, *, keep_token: bool = False) -> None:
    """New credentials; the token that belonged to the old ones goes, unless they grant the same."""
    if keep_token:
        await tx.run(
            "UPDATE credential SET sealed = %s, updated_at = now() WHERE account_id = %s", [sealed, account_id]
        )
        return
    await tx.run(
        "UPDATE credential SET sealed = %s, token_sealed = NULL, token_expires_at = NULL, "
        "token_generation = token_generation + 1, updated_at = now() WHERE account_id = %s",
        [sealed, account_id],
    )


async def set_app(tx: Tx, account_id: UUID, app_id: UUID | None) -> None:
    """Which OAuth application the account is of."""
    await tx.run("UPDATE account SET app_id = %s WHERE id = %s", [app_id, account_id])


async def first_token(tx: Tx, account_id: UUID, sealed: bytes, expires_at: datetime | None) -> None:
    """The token that a consent granted, or that was got while the credentials were tried."""
    await tx.run(
        "UPDATE credential SET token_sealed = %s, token_expires_at = %s, token_generation = token_generation + 1, "
        "lease_token = NULL, lease_until = NULL, updated_at = now() WHERE account_id = %s",
        [sealed, expires_at, account_id],
    )


async def lease_token(tx: Tx, account_id: UUID, lease: UUID, now: datetime, generation: int) -> bool:
    """Single flight: take the right to renew the token of this generation. False: somebody else has it, or did it."""
    sql = """
        UPDATE credential SET lease_token = %s, lease_until = %s
        WHERE account_id = %s AND token_generation = %s AND (lease_until IS NULL OR lease_until <= %s)"""
    return await tx.run(sql, [lease, now + timedelta(seconds=20), account_id, generation, now]) == 1


async def put_token(tx: Tx, account_id: UUID, lease: UUID, sealed: bytes, expires_at: datetime | None) -> bool:
    """Commit a renewed token, before anybody uses it. False when the lease was lost."""
    sql = """
        UPDATE credential SET token_sealed = %s, token_expires_at = %s, token_generation = token_generation + 1,
            lease_token = NULL, lease_until = NULL, updated_at = now()
        WHERE account_id = %s AND lease_token = %s"""
    return await tx.run(sql, [sealed, expires_at, account_id, lease]) == 1


async def drop_token_lease(tx: Tx, account_id: UUID, lease: UUID) -> None:
    """Give the right to renew back."""
    await tx.run(
        "UPDATE credential SET lease_token = NULL, lease_until = NULL WHERE account_id = %s AND lease_token = %s",
        [account_id, lease],
    )


async def app_put(
    tx: Tx, channel: str, app_key: str, callback_hash: bytes, callback_sealed: bytes
) -> tuple[UUID, bytes]:
    """The OAuth application of that key, made when it is new; answers (id, its sealed callback token)."""
    sql = """
        INSERT INTO channel_app (id, channel, app_key, callback_hash, callback_sealed) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (channel, app_key) DO UPDATE SET channel = excluded.channel RETURNING id, callback_sealed"""
    row = await tx.one(sql, [new_id(), channel, app_key, callback_hash, callback_sealed])
    if row is None:
        raise RuntimeError("an upsert answered nothing")
    return row["id"], row["callback_sealed"]


async def app_callback(tx: Tx, app_id: UUID) -> bytes:
    """The sealed callback token of an application."""
    sealed: bytes = await tx.value("SELECT callback_sealed FROM channel_app WHERE id = %s", [app_id])
    return sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a webhook goes: an account, by its callback hash or by (app, external_id)."""

    seller_id: UUID
    account_id: UUID
    channel: str
    external_id: str | None
    app_id: UUID | None
    status: str
    callback_hash: bytes


async def routes(tx: Tx) -> tuple[list[Route], dict[bytes, tuple[UUID, str]]]:
    """Every active account's route, and each application's callback hash -> (app id, channel). Dispatch role."""
    rows = await tx.all(
        "SELECT seller_id, id AS account_id, channel, external_id, app_id, status, callback_hash FROM account "
        "WHERE status <> 'closed'"
    )
    apps = await tx.all("SELECT id, channel, callback_hash FROM channel_app")
    return [Route(**row) for row in rows], {bytes(row["callback_hash"]): (row["id"], row["channel"]) for row in apps}

"""Every SQL statement, by noun. Functions take a Tx; only Database makes one."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, Self
from uuid import UUID

import psycopg
import uuid6
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from hub import context

ROLES = ("balcao_app", "balcao_intake", "balcao_dispatch")
LEAST_SERVER = 150000  # UNIQUE NULLS NOT DISTINCT


class StoreError(Exception):
    """The database cannot be used; the message is one sentence for a person."""


def new_id() -> UUID:
    """A UUIDv7: ordered by time of making."""
    return UUID(int=uuid6.uuid7().int)


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction of one seller. Rows are dicts."""

    conn: AsyncConnection[DictRow]
    seller_id: UUID | None

    async def run(self, sql: LiteralString, params: Mapping[str, Any] | Sequence[Any] = ()) -> int:
        """Rows touched."""
        return (await self.conn.execute(sql, params)).rowcount

    async def all(self, sql: LiteralString, params: Mapping[str, Any] | Sequence[Any] = ()) -> list[DictRow]:
        """Every row."""
        return await (await self.conn.execute(sql, params)).fetchall()

    async def one(self, sql: LiteralString, params: Mapping[str, Any] | Sequence[Any] = ()) -> DictRow | None:
        """The first row, or None."""
        return await (await self.conn.execute(sql, params)).fetchone()

    async def value(self, sql: LiteralString, params: Mapping[str, Any] | Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        row = await self.one(sql, params)
        return next(iter(row.values())) if row else None

    async def many(self, sql: LiteralString, rows: Sequence[Mapping[str, Any] | Sequence[Any]]) -> None:
        """One statement for each of the rows, in one round trip."""
        if rows:
            async with self.conn.cursor() as cursor:
                await cursor.executemany(sql, rows)

    @asynccontextmanager
    async def trial(self, dry: bool) -> AsyncIterator[None]:  # noqa: FBT001 - the whole question
        """What is done inside is undone at its end, when `dry`."""
        async with self.conn.transaction(force_rollback=dry):
            yield

    @property
    def seller(self) -> UUID:
        """The seller this transaction works for."""
        if self.seller_id is None:
            raise RuntimeError("this transaction has no seller")
        return self.seller_id


def url_as(url: str, role: str) -> str:
    """`url` signing in as the same login, acting as `role` from the first statement on."""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    options = " ".join(filter(None, [str(parts.get("options") or ""), f"-c role={role}"]))
    return psycopg.conninfo.make_conninfo(url, options=options)


class Database:
    """Pools by role. Made once per process and event loop; `async with` opens and closes it."""

    def __init__(self, url: str, *, size: int = 10, roles: Sequence[str] = ROLES) -> None:
        self._url = url
        self._stack = AsyncExitStack()
        self._pools = {
            role: AsyncConnectionPool(
                url_as(url, role),
                open=False,
                min_size=1 if role == "balcao_app" else 0,
                max_size=size if role == "balcao_app" else 2,
                timeout=10,
                max_idle=60,
                kwargs={"row_factory": dict_row, "autocommit": True},
                check=AsyncConnectionPool.check_connection,
                connection_class=AsyncConnection[DictRow],
            )
            for role in roles
        }

    async def __aenter__(self) -> Self:
        for pool in self._pools.values():
            await self._stack.enter_async_context(pool)
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def _begin(self, role: str, seller_id: UUID | None) -> AsyncIterator[Tx]:
        try:
            async with self._pools[role].connection() as conn, conn.transaction():
                if seller_id is not None:
                    await conn.execute(
                        "SELECT set_config('balcao.seller', %s, true), set_config('balcao.actor', %s, true)",
                        [str(seller_id), context.actor.get()],
                    )
                with context.inside_transaction():
                    yield Tx(conn, seller_id)
        except PoolTimeout as problem:
            raise StoreError(
                "the database did not give a connection within 10 s: is it up, and below its limit?"
            ) from problem

    def seller(self, seller_id: UUID) -> AbstractAsyncContextManager[Tx]:
        """A transaction that sees this seller's rows only."""
        return self._begin("balcao_app", seller_id)

    def people(self) -> AbstractAsyncContextManager[Tx]:
        """A transaction on the installation's own tables (people, OAuth applications): no seller's rows."""
        return self._begin("balcao_app", None)

    def dispatch(self) -> AbstractAsyncContextManager[Tx]:
        """A transaction that sees due and lease columns across sellers."""
        return self._begin("balcao_dispatch", None)

    def intake(self) -> AbstractAsyncContextManager[Tx]:
        """A transaction that may add inbox rows and nothing else."""
        return self._begin("balcao_intake", None)

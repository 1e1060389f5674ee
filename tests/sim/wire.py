"""The way to the database while the world stands still: one statement after the other, nobody kept waiting."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import psycopg
from psycopg import pq
from psycopg.rows import dict_row

from hub.store import url_as


class Wire:
    """A session of one role with the face of an asynchronous connection, as far as the store knows it.

    An event loop would take four times as long per statement (measured), and its clock does not move meanwhile.
    """

    def __init__(self, url: str, role: str) -> None:
        self._conn = psycopg.connect(url_as(url, role), autocommit=True, row_factory=dict_row, prepare_threshold=1)
        self._conn.prepared_max = 2000
        self._cursor = self._conn.cursor()
        self.statements = 0

    @asynccontextmanager
    async def begun(self, now: datetime, seller_id: UUID | None) -> AsyncIterator[Self]:
        """One transaction at that time of the world, for that seller."""
        told = (
            f"set_config('sim.now', '{now.isoformat()}', true), set_config('balcao.seller', '{seller_id or ''}', true)"
        )
        self._say(f"BEGIN; SELECT {told}".encode(), b"SELECT")
        try:
            yield self
        except BaseException:
            self._say(b"ROLLBACK", b"ROLLBACK")
            raise
        self._say(b"COMMIT", b"COMMIT")

    def _say(self, sql: bytes, answer: bytes) -> None:
        result = self._conn.pgconn.exec_(sql)
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            raise psycopg.DatabaseError(result.get_error_message())
        if not (result.command_status or b"").startswith(answer):
            raise psycopg.DatabaseError(f"{sql!r} was answered by {result.command_status!r}")

    # ── what the store asks of a connection ────────────────────────────────────────────────────────────────────

    async def execute(self, sql: Any, params: Any = ()) -> Self:
        """Run it; its rows are there at once."""
        self.statements += 1
        self._cursor.execute(sql, params)
        return self

    @property
    def rowcount(self) -> int:
        """Rows touched."""
        return self._cursor.rowcount

    async def fetchall(self) -> list[dict[str, Any]]:
        """Every row."""
        return self._cursor.fetchall()

    async def fetchone(self) -> dict[str, Any] | None:
        """The first row that is left."""
        return self._cursor.fetchone()

    async def executemany(self, sql: Any, rows: Sequence[Any]) -> None:
        """One by one: for the few rows of one order cheaper than a pipeline."""
        for row in rows:
            await self.execute(sql, row)

    @asynccontextmanager
    async def cursor(self) -> AsyncIterator[Self]:
        """Only for `executemany`."""
        yield self

    @asynccontextmanager
    async def transaction(self, *, force_rollback: bool = False) -> AsyncIterator[None]:
        """A savepoint."""
        with self._conn.transaction(force_rollback=force_rollback):
            yield

    def close(self) -> None:
        """End the session."""
        self._conn.close()

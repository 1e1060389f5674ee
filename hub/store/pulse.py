"""Session advisory locks: who is alive, and who sweeps. They end with the connection, however that ends."""

from types import TracebackType
from typing import Self

import psycopg
from psycopg import AsyncConnection

from hub.store import url_as

ALIVE, DUTY = 7301, 7302  # classes of our advisory locks


class Pulse:
    """One connection that holds a worker's locks for as long as the worker lives."""

    def __init__(self, url: str, worker: int) -> None:
        self._url, self.worker = url_as(url, "balcao_dispatch"), worker
        self._conn: AsyncConnection[tuple[object, ...]] | None = None
        self._duties: set[int] = set()

    async def __aenter__(self) -> Self:
        await self.beat()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._conn:
            await self._conn.close()

    async def beat(self) -> AsyncConnection[tuple[object, ...]]:
        """The connection, made anew (and the worker's own lock taken again) when it was lost."""
        if self._conn is not None and not self._conn.closed:
            try:
                await self._conn.execute("SELECT 1")
            except psycopg.OperationalError:
                await self._conn.close()
            else:
                return self._conn
        self._duties.clear()
        self._conn = await AsyncConnection.connect(self._url, autocommit=True, connect_timeout=5)
        await self._conn.execute("SELECT pg_advisory_lock(%s, %s)", [ALIVE, self.worker])
        return self._conn

    async def on_duty(self, duty: int) -> bool:
        """Whether this worker holds the duty; takes it when nobody does."""
        conn = await self.beat()
        if duty in self._duties:
            return True
        if await self._try(conn, DUTY, duty):
            self._duties.add(duty)
        return duty in self._duties

    async def is_dead(self, worker: int) -> bool:
        """Whether no living worker has that number."""
        if worker == self.worker:
            return False
        conn = await self.beat()
        free = await self._try(conn, ALIVE, worker)
        if free:
            await conn.execute("SELECT pg_advisory_unlock(%s, %s)", [ALIVE, worker])
        return free

    @staticmethod
    async def _try(conn: "AsyncConnection[tuple[object, ...]]", class_: int, number: int) -> bool:
        row = await (await conn.execute("SELECT pg_try_advisory_lock(%s, %s)", [class_, number])).fetchone()
        return bool(row and row[0])

"""The way to the database while the world stands still: one statement after the other, nobody kept waiting."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

import psycopg
from psycopg import pq
from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer

from hub.store import url_as

_OK = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
_SMALL, _MIDDLE = 2**15, 2**31  # as psycopg does: the smallest integer that holds a number
_INTEGERS, _INTEGER_ARRAYS = (21, 23, 20), (1005, 1007, 1016)


def _size(number: int) -> int:
    return 0 if -_SMALL <= number < _SMALL else 1 if -_MIDDLE <= number < _MIDDLE else 2


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# By type: the OID that psycopg gives it, that of its array, and its words.
_WORDS: Mapping[type, tuple[int, int, Callable[[Any], str]]] = {
    str: (0, 0, str.__str__),  # unknown: the statement says what it is
    UUID: (2950, 2951, str),
    bool: (16, 1000, lambda told: "t" if told else "f"),
    float: (701, 1022, repr),
    bytes: (17, 1001, lambda told: "\\x" + told.hex()),
    datetime: (1184, 1185, datetime.isoformat),
    timedelta: (1186, 1187, lambda told: f"{told.days} days {told.seconds} seconds {told.microseconds} microseconds"),
}


def _of(kind: type) -> tuple[int, int, Callable[[Any], str]]:
    return next(_WORDS[each] for each in kind.__mro__ if each in _WORDS)  # an enumeration of words is a word


def _worded(value: Any) -> tuple[int, bytes | None]:
    """OID and text of a parameter; StopIteration for a type that the store does not use."""
    if value is None:
        return 0, None
    kind = type(value)
    if kind is int:
        return _INTEGERS[_size(value)], b"%d" % value
    if kind is list:
        return _array(value)
    oid, _array_oid, words = _of(kind)
    return oid, words(value).encode()


def _array(values: Sequence[Any]) -> tuple[int, bytes]:
    kind = next((type(value) for value in values if value is not None), None)
    if kind is None:
        return 0, ("{" + ",".join(["NULL"] * len(values)) + "}").encode()
    if kind is int:
        size = max(_size(value) for value in values if value is not None)
        told = ["NULL" if value is None else str(value) for value in values]
        return _INTEGER_ARRAYS[size], ("{" + ",".join(told) + "}").encode()
    _oid, oid, words = _of(kind)
    plain = kind in (UUID, bool, float)
    told = ["NULL" if v is None else words(v) if plain else _quoted(words(v)) for v in values]
    return oid, ("{" + ",".join(told) + "}").encode()


class Wire:
    """A session of one role with the face of an asynchronous connection, as far as the store knows it.

    Statements are prepared once and run by libpq's blocking calls. An event loop takes six times as long for each
    (measured), and its clock does not move meanwhile.
    """

    def __init__(self, url: str, role: str) -> None:
        self._conn = psycopg.connect(url_as(url, role), autocommit=True)
        self._pg = self._conn.pgconn
        self._parsed: dict[str, tuple[bytes, list[str] | None]] = {}
        self._prepared: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._rows: Any = Transformer(self._conn)
        self._result: Any = None
        self.statements = 0

    @asynccontextmanager
    async def begun(self, now: datetime, seller_id: UUID | None) -> AsyncIterator[Self]:
        """One transaction at that time of the world, for that seller."""
        settings = {"sim.now": now.isoformat(), "balcao.seller": str(seller_id or "")}
        told = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())
        self._say(f"BEGIN; SELECT {told}".encode(), b"SELECT")
        try:
            yield self
        except BaseException:
            self._say(b"ROLLBACK", b"ROLLBACK")
            raise
        self._say(b"COMMIT", b"COMMIT")

    def _say(self, sql: bytes, answer: bytes) -> None:
        result = self._checked(self._pg.exec_(sql))
        if not (result.command_status or b"").startswith(answer):
            raise psycopg.DatabaseError(f"{sql!r} was answered by {result.command_status!r}")

    def _checked(self, result: Any) -> Any:
        if result.status not in _OK:
            raise psycopg.errors.error_from_result(result, encoding="utf-8")
        return result

    # ── what the store asks of a connection ────────────────────────────────────────────────────────────────────

    async def execute(self, sql: Any, params: Any = ()) -> Self:
        """Run it; its rows are there at once."""
        self.statements += 1
        if sql not in self._parsed:
            query = PostgresQuery(Transformer(self._conn))
            query.convert(sql, params)
            self._parsed[sql] = (query.query, (query._order or []) if isinstance(params, Mapping) else None)
        _query, order = self._parsed[sql]
        told = [_worded(value) for value in (params if order is None else [params[name] for name in order])]
        oids = tuple(oid for oid, _word in told)
        name = self._prepared.get((sql, oids)) or self._prepare(sql, oids)
        words: list[Any] = [word for _oid, word in told]
        self._result = self._checked(self._pg.exec_prepared(name, words))
        return self

    def _prepare(self, sql: str, oids: tuple[int, ...]) -> bytes:
        name = b"s%d" % len(self._prepared)
        self._checked(self._pg.prepare(name, self._parsed[sql][0], oids))
        self._prepared[sql, oids] = name
        return name

    @property
    def rowcount(self) -> int:
        """Rows touched."""
        return self._result.command_tuples or 0

    async def fetchall(self) -> list[dict[str, Any]]:
        """Every row."""
        return self._dicts(self._result.ntuples)

    async def fetchone(self) -> dict[str, Any] | None:
        """The first row."""
        return next(iter(self._dicts(min(1, self._result.ntuples))), None)

    def _dicts(self, count: int) -> list[dict[str, Any]]:
        if not count:
            return []
        names = [self._result.fname(column).decode() for column in range(self._result.nfields)]
        self._rows.set_pgresult(self._result, set_loaders=True, format=psycopg.pq.Format.TEXT)
        rows: list[dict[str, Any]] = self._rows.load_rows(0, count, lambda row: dict(zip(names, row, strict=True)))
        return rows

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

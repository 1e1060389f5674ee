"""How many rows the statements of a list look at, in a database filled once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg.rows import dict_row

from hub.store import Tx
from tests.services import database


class Watched:
    """Takes a Tx's place; counts the rows that its statements look at in the tables that grow."""

    def __init__(self, tx: Tx, grow: Collection[str]) -> None:
        self.tx, self.grow, self.looked, self.ms = tx, grow, 0, 0.0
        self.seller = tx.seller

    async def all(self, statement: Any, params: Any = ()) -> list[Any]:
        (row,) = await self.tx.all("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement, params)
        self.ms += row["QUERY PLAN"][0]["Execution Time"]
        self._count(row["QUERY PLAN"][0]["Plan"])
        return await self.tx.all(statement, params)

    async def value(self, statement: Any, params: Any = ()) -> Any:
        return await self.tx.value(statement, params)

    def _count(self, node: dict[str, Any]) -> None:
        if node.get("Relation Name") in self.grow:
            per_loop = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            self.looked += int(per_loop * node["Actual Loops"])
        for each in node.get("Plans", ()):
            self._count(each)


@contextmanager
def filled_by(statements: Sequence[str], told: Mapping[str, Any]) -> Iterator[str]:
    """The URL of a database with these rows."""
    with database() as url:
        with psycopg.connect(url, autocommit=True, row_factory=dict_row) as conn:
            for statement in statements:
                conn.execute(cast("Any", statement), told)
            conn.execute("ANALYZE")
        yield url

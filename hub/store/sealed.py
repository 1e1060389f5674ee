"""What is sealed in the database, found by its columns' names: so that all of it can be sealed anew."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier

from hub.store import Tx

BATCH = 200
NAMED_OTHERWISE = (("freight_label", "pdf"),)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of sealed bytes, and the key of its table."""

    table: str
    name: str
    key: tuple[str, ...]

    @property
    def by_seller(self) -> bool:
        """Whether its rows are a seller's; else the installation's."""
        return self.key[0] == "seller_id"


async def columns(tx: Tx) -> list[Column]:
    """Every column of bytes called `sealed` or `..._sealed`, and those that are called otherwise."""
    rows = await tx.all(
        """SELECT c.relname AS table, a.attname AS name,
                  array_agg(k.attname::text ORDER BY array_position(i.indkey::int2[], k.attnum)) AS key
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_index i ON i.indrelid = c.oid
               AND i.indisprimary JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = ANY(i.indkey::int2[])
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.atttypid = 'bytea'::regtype
               AND NOT a.attisdropped
               AND (a.attname = 'sealed' OR right(a.attname, 7) = '_sealed' OR c.relname || '.' || a.attname = ANY(%s))
           GROUP BY c.relname, a.attname ORDER BY c.relname, a.attname""",
        [[f"{table}.{name}" for table, name in NAMED_OTHERWISE]],
    )
    return [Column(row["table"], row["name"], tuple(row["key"])) for row in rows]


def _key(column: Column) -> Composed:
    return SQL(", ").join(map(Identifier, column.key))


async def some(tx: Tx, column: Column, after: tuple[Any, ...] | None) -> list[tuple[tuple[Any, ...], bytes]]:
    """The next rows that hold something, locked: (key, sealed), in the key's order."""
    begin = SQL("AND ({}) > ({})").format(_key(column), SQL(", ").join([SQL("%s")] * len(column.key)))
    sql = SQL("SELECT {}, {} AS told FROM {} WHERE {} IS NOT NULL {} ORDER BY {} LIMIT {} FOR NO KEY UPDATE").format(
        _key(column), Identifier(column.name), Identifier(column.table), Identifier(column.name),
        begin if after else SQL(""), _key(column), BATCH,
    )  # fmt: skip
    rows = await (await tx.conn.execute(sql, list(after or ()))).fetchall()
    return [(tuple(row[name] for name in column.key), bytes(row["told"])) for row in rows]


async def put(tx: Tx, column: Column, key: tuple[Any, ...], sealed: bytes) -> None:
    """The same, sealed anew."""
    where = SQL(" AND ").join(SQL("{} = %s").format(Identifier(name)) for name in column.key)
    sql = SQL("UPDATE {} SET {} = %s WHERE {}").format(Identifier(column.table), Identifier(column.name), where)
    await tx.conn.execute(sql, [sealed, *key])


async def sellers(tx: Tx) -> list[UUID]:
    """Every seller. Dispatch role."""
    return [row["seller_id"] for row in await tx.all("SELECT seller_id FROM seller ORDER BY seller_id")]

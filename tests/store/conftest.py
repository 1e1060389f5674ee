"""One migrated database with a row of two sellers in every table, read and never changed for good."""

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from hub.store import url_as
from tests.services import database

# What a column's type alone does not tell.
WORDS = {
    ("company", "cnpj"): "12345678000195",
    ("app_user", "email"): "pessoa@loja.example",
    ("invitation", "email"): "pessoa@loja.example",
    ("absence", "until_at"): "2026-03-09T12:00:00Z",
    ("buyer_mail", "due_at"): "2026-03-04T12:00:00Z",
    ("notice", "due_at"): "2026-03-04T12:00:00Z",
    ("event_delivery", "due_at"): "2026-03-04T12:00:00Z",
}
VALUES: Mapping[str, Any] = {
    "integer": 1,
    "bigint": 1,
    "double precision": 1.0,
    "boolean": False,
    "jsonb": "{}",
    "text[]": [],
    "uuid[]": [],
    "timestamp with time zone": "2026-03-04T12:00:00Z",
    "date": "2026-03-04",
}
COLUMNS = """
    SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
           a.attnotnull AND NOT a.atthasdef AS needed,
           (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
            WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum] LIMIT 1) AS allowed
    FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attgenerated = '' ORDER BY a.attnum"""


@dataclass
class Catalogue:
    """A database, and who may ask it."""

    url: str
    sellers: tuple[uuid.UUID, uuid.UUID] = field(default_factory=lambda: (uuid.uuid4(), uuid.uuid4()))

    def all(self, statement: str, params: Any = ()) -> list[dict[str, Any]]:
        """Rows, as the administrator sees them."""
        with psycopg.connect(self.url, row_factory=dict_row) as conn:
            return conn.execute(statement, params).fetchall()

    def tables(self) -> list[str]:
        rows = self.all(
            "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relkind IN ('r', 'p') ORDER BY 1"
        )
        return [row["name"] for row in rows]

    @contextmanager
    def acting(self, role: str, seller_id: uuid.UUID | None = None) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """A transaction of a role (and seller), rolled back."""
        with psycopg.connect(url_as(self.url, role), row_factory=dict_row) as conn:
            if seller_id:
                conn.execute("SELECT set_config('balcao.seller', %s, true)", [str(seller_id)])
            yield conn
            conn.rollback()

    def row(self, table: str, seller_id: uuid.UUID, **given: Any) -> dict[str, Any]:
        """The least that a row of this table must hold."""
        told: dict[str, Any] = {}
        for column in self.all(COLUMNS, [table]):
            name = column["name"]
            if name == "seller_id":
                told[name] = seller_id
            elif name in given:
                told[name] = given[name]
            elif column["needed"] or (table, name) in WORDS:
                told[name] = _value(table, name, column["type"], column["allowed"] or "")
        return told


def _value(table: str, name: str, kind: str, allowed: str) -> Any:
    if (table, name) in WORDS:
        return WORDS[table, name]
    if kind == "text":
        listed = re.search(r"ARRAY\['([^']+)'", allowed)
        return listed[1] if listed else f"{name}-{uuid.uuid4().hex[:8]}"
    if kind == "uuid":
        return uuid.uuid4()
    return uuid.uuid4().bytes if kind == "bytea" else VALUES[kind]


def inserted(table: str, row: Mapping[str, Any]) -> sql.Composed:
    """INSERT of a row, its values as parameters by name."""
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Placeholder, row)),
    )


@pytest.fixture(scope="session")
def catalogue() -> Iterator[Catalogue]:
    with database() as url:
        found = Catalogue(url)
        with psycopg.connect(url) as conn:
            conn.execute("SET session_replication_role = replica")  # rows alone: nothing they refer to is there
            for table in found.tables():
                if table == "alembic_version":
                    continue
                for seller_id in found.sellers[: 1 if table == "app_user" else 2]:
                    row = found.row(table, seller_id)
                    conn.execute(inserted(table, row), row)
        yield found

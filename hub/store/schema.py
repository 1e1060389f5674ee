"""Making and checking the schema: roles, revisions, and the refusal to run where sellers are not kept apart."""

from datetime import datetime
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool
from sqlalchemy.engine import Connection

from hub.redaction import redact
from hub.store import LEAST_SERVER, ROLES, StoreError, url_as

OWNER = "balcao_owner"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    try:
        return psycopg.connect(url, connect_timeout=10, autocommit=True)
    except psycopg.OperationalError as problem:
        reason = redact(" ".join(str(problem).split()))
        raise StoreError(f"cannot reach the database that DATABASE_URL names: {reason}") from None
    except psycopg.Error:  # libpq repeats an address that it cannot read, password and all
        raise StoreError(
            "DATABASE_URL is no PostgreSQL address: give one like postgresql://user:password@host/database"
        ) from None


def about(url: str) -> tuple[int, datetime]:
    """The server's version number (180003) and its clock."""
    with _connect(url) as conn:
        row = conn.execute("SELECT clock_timestamp()").fetchone()
        at = row[0] if row else None
        if not isinstance(at, datetime):
            raise StoreError("the database that DATABASE_URL names does not tell its time")
        return conn.info.server_version, at


def make_roles(url: str) -> None:
    """Create the four roles where they are missing and let this login act as them."""
    with _connect(url) as conn:
        if conn.info.server_version < LEAST_SERVER:
            raise StoreError(
                f"PostgreSQL 15 or newer is needed; DATABASE_URL names {conn.info.server_version // 10000}"
            )
        conn.execute("SELECT pg_advisory_lock(hashtext('balcao.roles'))")  # ends with the connection
        for role in (OWNER, *ROLES):
            _make_role(conn, role)
        try:
            conn.execute(f"GRANT ALL ON SCHEMA public TO {OWNER}")
            conn.execute(f"GRANT USAGE ON SCHEMA public TO {', '.join(ROLES)}")
        except psycopg.errors.InsufficientPrivilege:
            raise StoreError(
                "this login may not grant on schema public: let the database's owner run `balcao migrate`"
            ) from None


def _make_role(conn: "psycopg.Connection[tuple[object, ...]]", role: str) -> None:
    """One role, made where it is missing, that this login may act as."""
    try:
        conn.execute(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
            f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS; END IF; "
            f"EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        row = conn.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [role]).fetchone()
        if not (row and row[0]):
            conn.execute(f"GRANT {role} TO CURRENT_USER")
    except psycopg.errors.InsufficientPrivilege:
        raise StoreError(
            f"this login may not create or take the role {role}: let an administrator do it once "
            f"(CREATE ROLE {role} NOLOGIN NOBYPASSRLS; GRANT {role} TO <login>)"
        ) from None
    except psycopg.errors.InternalError_:
        return  # two processes granting at once: the other one did it


def _upgrade(connection: Connection, to: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def migrate(url: str, to: str = "head") -> None:
    """Bring the schema to that revision, the newest unless told. One process at a time; others wait."""
    make_roles(url)
    owner_url = url_as(url, OWNER)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner_url), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('balcao.migrate'))")
        connection.commit()
        _upgrade(connection, to)
        connection.commit()
    engine.dispose()


def is_current(url: str) -> bool:
    """Whether the schema stands at the newest revision."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url_as(url, OWNER)), poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def refuse_bypass(url: str) -> None:
    """Refuse to start where an application role could see other sellers' rows, or the schema is not current."""
    with _connect(url) as conn:
        rows = conn.execute(
            "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)]
        ).fetchall()
        loose = conn.execute(
            "SELECT c.relname FROM pg_class c "
            "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') "
            "AND c.relname <> 'alembic_version' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
        ).fetchall()
    if len(rows) < len(ROLES):
        raise StoreError("the database is not set up yet: run `balcao migrate`")
    if bypassing := [str(name) for name, bypasses in rows if bypasses]:
        raise StoreError(
            f"role {bypassing[0]} is a superuser or may bypass row security: ALTER ROLE it NOSUPERUSER NOBYPASSRLS"
        )
    if loose:
        raise StoreError(f"table {loose[0][0]} does not force row-level security: run `balcao migrate`")
    if not is_current(url):
        raise StoreError("the database schema is not the newest: run `balcao migrate`")

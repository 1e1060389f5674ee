"""Whom a key answers for; words of the names of orders that 0003 did not see."""

from hub.store.migrations.plain import run_sql

revision = "0005"
down_revision = "0004"

PARTS: tuple[str, ...] = ("words", "keys", "answers")


def upgrade() -> None:
    """Add each part, then keep sellers apart in whatever tables it made."""
    for part in PARTS:
        run_sql(f"0005_{part}.sql")
    run_sql("0003_z_sellers_apart.sql")


def downgrade() -> None:
    """What a seller wrote down is not thrown away."""
    raise NotImplementedError("restore a backup instead")

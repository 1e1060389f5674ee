"""What earlier revisions left undone, and indexes that were found wanting."""

from hub.store.migrations.plain import run_sql

revision = "0005"
down_revision = "0004"

PARTS: tuple[str, ...] = ("words",)


def upgrade() -> None:
    """Mend each part, then keep sellers apart in whatever tables it added."""
    for part in PARTS:
        run_sql(f"0005_{part}.sql")
    run_sql("0003_z_sellers_apart.sql")


def downgrade() -> None:
    """What a seller wrote down is not thrown away."""
    raise NotImplementedError("restore a backup instead")

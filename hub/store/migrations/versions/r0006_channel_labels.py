"""Labels that channels issue themselves."""

from hub.store.migrations.plain import run_sql

revision = "0006"
down_revision = "0005"

PARTS: tuple[str, ...] = ("channel_labels",)


def upgrade() -> None:
    """Add each part, then keep sellers apart in whatever tables it made."""
    for part in PARTS:
        run_sql(f"0006_{part}.sql")
    run_sql("0003_z_sellers_apart.sql")


def downgrade() -> None:
    """What a seller wrote down is not thrown away."""
    raise NotImplementedError("restore a backup instead")

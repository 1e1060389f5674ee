"""The back office: what the pages and the API keep beside the orders and the stock."""

from hub.store.migrations.plain import run_sql

revision = "0004"
down_revision = "0003"

PARTS: tuple[str, ...] = (
    "lookups",
    "primeira",
    "api",
    "canais",
    "anuncios",
    "politicas",
    "events",
    "estoque",
    "quality",
)


def upgrade() -> None:
    """Add each part's tables and columns, then keep sellers apart in them."""
    for part in PARTS:
        run_sql(f"0004_{part}.sql")
    run_sql("0003_z_sellers_apart.sql")


def downgrade() -> None:
    """What a seller wrote down is not thrown away."""
    raise NotImplementedError("restore a backup instead")

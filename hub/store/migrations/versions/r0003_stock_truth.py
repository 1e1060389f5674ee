"""Stock truth: warehouses and areas, buffers, counts, shortages, pushing, drift, linking, replenishment."""

from hub.store.migrations.plain import run_sql

revision = "0003"
down_revision = "0001"

PARTS = (
    "weborders",
    "settings",
    "warehouses", "buffers", "ledger", "shortages", "pushing", "drift", "linking", "replenishment", "freight",
    "deadlines", "tracking", "watching", "processes", "letters",
)  # fmt: skip


def upgrade() -> None:
    """Add each part's tables and columns, then keep sellers apart in them."""
    for part in PARTS:
        run_sql(f"0003_{part}.sql")
    run_sql("0003_z_sellers_apart.sql")


def downgrade() -> None:
    """A ledger that has been written to is not taken apart again."""
    raise NotImplementedError("restore a backup instead")

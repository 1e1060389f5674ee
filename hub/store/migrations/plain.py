"""Plain SQL files as Alembic revisions."""

from pathlib import Path

from alembic import op


def run_sql(name: str) -> None:
    """Run every statement of versions/`name` as it stands."""
    text = (Path(__file__).parent / "versions" / name).read_text()
    # Through the driver's cursor: no parameter syntax, many statements at once.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None, "a live connection"  # noqa: S101 - narrows the type
    connection.execute(text)

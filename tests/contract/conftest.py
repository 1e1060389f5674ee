"""Snapshots as files: __snapshots__/<channel>/<folder>/<case>.json, one per payload, so that channels never meet."""

import json
from pathlib import Path

import pytest
from pydantic import BaseModel
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex


def pytest_configure(config: pytest.Config) -> None:
    """Our snapshots are named for payloads, not for tests; syrupy finds that odd whenever it writes one."""
    config.addinivalue_line("filterwarnings", r"ignore:\s*Can not relate snapshot:UserWarning")


class PayloadSnapshot(JSONSnapshotExtension):
    """The canonical JSON of one payload, beside those of its channel."""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        path = _payload(test_location)
        if path is None:  # the report asks this of every test, also of those that take no snapshot
            return super().dirname(test_location=test_location)
        kept = Path(test_location.filepath).parent / "__snapshots__"
        return str(kept / path.parent.parent.name / path.parent.name)

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        path = _payload(test_location)
        return path.stem if path else super().get_snapshot_name(test_location=test_location, index=index)


def _payload(location: PyTestLocation) -> Path | None:
    callspec = getattr(location.item, "callspec", None)
    path = callspec.params.get("path") if callspec else None
    return path if isinstance(path, Path) else None


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """What a payload was read as when somebody last looked; `--snapshot-update` writes it anew."""
    return snapshot.use_extension(PayloadSnapshot)


def canonical(told: BaseModel) -> dict[str, object]:
    """The canonical JSON value of a noun."""
    found: dict[str, object] = json.loads(told.model_dump_json())
    return found

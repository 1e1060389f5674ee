"""A carrier's payload files, as they are and as its parcels."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.model import Raw, TrackedObject

ADAPTERS = Path(__file__).parent.parent / "adapters"


class Cases:
    """The files under tests/adapters/CHANNEL; `parse` is the carrier's own."""

    def __init__(self, channel: str, parse: Callable[[Raw, Sequence[str]], list[TrackedObject]]) -> None:
        self._folder, self._parse = ADAPTERS / channel, parse

    def payload(self, case: str, facet: str = "tracking") -> Any:
        """The document of a file."""
        return json.loads((self._folder / facet / f"{case}.json").read_text())

    def tracked(self, case: str) -> list[TrackedObject]:
        """Every parcel of a tracking answer."""
        return self._parse(self.payload(case), [])

    def the_only(self, case: str) -> TrackedObject:
        """The parcel of an answer that tells of one."""
        [told] = self.tracked(case)
        return told


def z(moment: str) -> datetime:
    """An instant written in UTC."""
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)

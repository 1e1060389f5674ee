"""Pages by keyset: one row more than is shown tells whether there are more; its place stands in the address."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.web.edge import Visit

SIZE = 50
PLACE = "apos"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The rows to show, and where their next and first page are."""

    rows: Sequence[Mapping[str, Any]]
    onward: str | None
    first: str | None


def id_asked(visit: Visit, name: str) -> UUID | None:
    """An id in the address; None for none, or for something that is no id."""
    try:
        return UUID(visit.asked(name) or "")
    except ValueError:
        return None


def place_asked(visit: Visit) -> tuple[datetime, UUID] | None:
    """The (instant, id) that an address of `part` names."""
    at, _, id_ = (visit.asked("apos") or "").partition("~")
    try:
        instant = datetime.fromisoformat(at)
        return (instant, UUID(id_)) if instant.tzinfo else None
    except ValueError:
        return None


def part(
    visit: Visit, rows: Sequence[Mapping[str, Any]], by: str | None = None, size: int = SIZE,
    place_of: Callable[[Mapping[str, Any]], str] | None = None, name: str = PLACE, home: str | None = None,
) -> Part:  # fmt: skip
    """Cut a page of `size` + 1 rows; `by` names the instant that rows are ordered by before their id.

    `place_of` tells a row's place where it is another one; `name` where the address has it, on a page of two lists;
    `home` the list's own path, where what was sent is answered by it too.
    """
    shown, onward = rows[:size], None
    if len(rows) > size:
        last = shown[-1]
        own = place_of(last) if place_of else str(last["id"])
        place = f"{last[by].isoformat()}~{last['id']}" if by else own
        onward = address(visit, place, name, home)
    return Part(rows=shown, onward=onward, first=address(visit, None, name, home) if visit.asked(name) else None)


def address(visit: Visit, place: str | None, name: str = PLACE, home: str | None = None) -> str:
    """This very page, from that place on."""
    kept = {key: told for key, told in visit.request.query.items() if key != name and told}
    here = visit.request.rel_url if home is None else visit.request.rel_url.with_path(home)
    return str(here.with_query({**kept, **({name: place} if place else {})}))

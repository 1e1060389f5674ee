"""Pages by keyset: one row more than is shown tells whether there are more; its place stands in the address."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.web.edge import Visit

SIZE = 50


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
    place_of: Callable[[Mapping[str, Any]], str] | None = None,
) -> Part:  # fmt: skip
    """Cut a page of `size` + 1 rows; `by` names the instant that rows are ordered by before their id.

    `place_of` tells a row's place where it is another one.
    """
    shown, onward = rows[:size], None
    if len(rows) > size:
        last = shown[-1]
        own = place_of(last) if place_of else str(last["id"])
        place = f"{last[by].isoformat()}~{last['id']}" if by else own
        onward = address(visit, place)
    return Part(rows=shown, onward=onward, first=address(visit, None) if visit.asked("apos") else None)


def address(visit: Visit, place: str | None) -> str:
    """This very page, from that place on."""
    kept = {name: told for name, told in visit.request.query.items() if name != "apos" and told}
    return str(visit.request.rel_url.with_query({**kept, **({"apos": place} if place else {})}))

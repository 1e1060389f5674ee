"""Where a search for changed orders stands, from page to page and from poll to poll. Pure.

For searches by time of change whose pages are counted from the start: rows that change leave the results while they
are read, and a filter that is coarse shows rows again that were told.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, Field, ValidationError

from hub.contract import Page
from hub.faults import Unreadable

REMEMBERED = 4000  # refs kept in a cursor


class Poll(BaseModel):
    """A search for what changed `since` then, where it tells no times: the next one begins where this one `began`."""

    since: datetime
    began: datetime
    offset: int = Field(default=0, ge=0)  # rows or pages, as the channel counts them

    def page(self, refs: Sequence[str], step: int, overlap: timedelta) -> Page:
        """Refs and the place `step` further on; at the end of the poll (0) the next one's start, `overlap` earlier."""
        if step:
            onward = self.model_copy(update={"offset": self.offset + step})
            return Page(refs=tuple(refs), cursor=onward.model_dump_json(), more=True)
        return Page(refs=tuple(refs), cursor=json.dumps({"since": (self.began - overlap).isoformat()}))


def poll_of(told: str | None, now: datetime, look_back: timedelta) -> Poll:
    """A poll where its cursor left it, or a new one."""
    try:
        kept = json.loads(told) if told else {"since": now - look_back}
        return Poll.model_validate({"began": now, **kept})
    except (TypeError, ValueError):
        raise Unreadable("cursor", "not a cursor of this channel") from None


class Cursor(BaseModel):
    """A poll is one or more passes over what changed `since` then; `top` is the newest change that it saw.

    `anchor` is the last ref of the page before: the next page starts with it, so that rows that left are noticed.
    `seen` are the changes already told, in milliseconds.
    """

    since: datetime
    top: datetime
    turn: int = Field(default=0, ge=0)
    offset: int = Field(default=0, ge=0)
    anchor: str | None = None
    seen: dict[str, int] = {}

    def page(
        self, rows: Sequence[tuple[str, datetime | None]], total: int | None, size: int, *, turns: int, reach: timedelta
    ) -> Page:
        """Refs of rows (ref, time of change) not told yet, and where to go on, `turns` passes being a poll.

        `total` is how many rows the search has, where it tells; `reach` how far before `since` the next one may show.
        """
        refs = [ref for ref, _ in rows]
        if self.anchor and self.anchor not in refs:
            offset = max(0, self.offset - size + 1)
            return _onward(self.model_copy(update={"offset": offset, "anchor": self.anchor if offset else None}))
        times = {ref: ms(at) for ref, at in rows if at}
        fresh = tuple(ref for ref in refs if ref not in times or self.seen.get(ref) != times[ref])
        seen, top = self.seen | times, max([self.top, *(at for _, at in rows if at)])
        last = len(refs) < size if total is None else self.offset + len(refs) >= total
        if last or len(refs) < 2:  # noqa: PLR2004 - a page that holds nothing beyond its anchor is the last
            return _turned(self.model_copy(update={"seen": seen, "top": top}), fresh, turns, reach)
        onward = {"offset": self.offset + len(refs) - 1, "anchor": refs[-1], "seen": newest(seen), "top": top}
        return _onward(self.model_copy(update=onward), fresh)


def cursor_of(told: str | None, start: datetime) -> Cursor:
    """A cursor as `page` told it, or a new one."""
    if told is None:
        return Cursor(since=start, top=start)
    try:
        return Cursor.model_validate_json(told)
    except ValidationError:
        raise Unreadable("cursor", "not a cursor of this channel") from None


def newest(seen: dict[str, int], start: int = 0) -> dict[str, int]:
    """The last changes from `start` on, at most REMEMBERED."""
    kept = sorted((at, ref) for ref, at in seen.items() if at >= start)[-REMEMBERED:]
    return {ref: at for at, ref in kept}


def ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def _onward(after: Cursor, fresh: tuple[str, ...] = ()) -> Page:
    return Page(refs=fresh, cursor=after.model_dump_json(), more=True)


def _turned(at: Cursor, fresh: tuple[str, ...], turns: int, reach: timedelta) -> Page:
    """The next pass, or the end of the poll."""
    if at.turn + 1 < turns:
        return _onward(at.model_copy(update={"turn": at.turn + 1, "offset": 0, "anchor": None}), fresh)
    after = Cursor(since=at.top, top=at.top, seen=newest(at.seen, ms(at.top - reach)))
    return Page(refs=fresh, cursor=after.model_dump_json())

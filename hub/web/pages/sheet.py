"""Sheets as spreadsheets in Brazil open them, sent as they are read."""

from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

from aiohttp import web

from hub.sheets import csv_of
from hub.web.edge import HEADERS, Visit

PART = 500  # rows that are read at once
Lines = Sequence[Sequence[object]]
Row = TypeVar("Row")


async def stream(visit: Visit, name: str, heads: Sequence[str], parts: AsyncIterator[Lines]) -> web.StreamResponse:
    """The file NAME-DATE.csv: its heads, and each part once it is read; the first before anything is answered."""
    first: Lines = await anext(parts, [])
    day = visit.now.astimezone(visit.language.zone)
    answer = web.StreamResponse(
        headers={**HEADERS, "Content-Type": "text/csv; charset=utf-8",
                 "Content-Disposition": f'attachment; filename="{name}-{day:%Y-%m-%d}.csv"'},
    )  # fmt: skip
    await answer.prepare(visit.request)
    await answer.write(csv_of([heads, *first]).encode("utf-8-sig"))
    async for lines in parts:
        await answer.write(csv_of(lines).encode())
    await answer.write_eof()
    return answer


async def in_parts(rows: AsyncIterator[Row]) -> AsyncIterator[list[Row]]:
    """Rows that come one by one, PART together."""
    some: list[Row] = []
    async for row in rows:
        some.append(row)
        if len(some) == PART:
            yield some
            some = []
    if some:
        yield some

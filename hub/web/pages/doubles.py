"""Repetidos: codes, GTINs and stocks that are there twice, so that nothing is linked by them; where each is mended."""

import json

from aiohttp import web

from hub.store import links
from hub.web import link_words
from hub.web.edge import Visit
from hub.web.pages.keyset import part

SIZE, MOST = 25, 12


async def every(visit: Visit) -> web.Response:
    """What is there twice, kind by kind."""
    told = visit.asked("tipo")
    kind = told if told in link_words.DOUBLE else None
    async with visit.tx() as tx:
        rows = await links.duplicates(tx, SIZE + 1, kind=kind, after=_place(visit.asked("apos")), most=MOST)
    shown = [{**row, "places": list(zip(row["ids"], row["places"], strict=True))} for row in rows]
    return visit.render(
        "link_doubles.html", kind=kind, link=link_words,
        part=part(visit, shown, size=SIZE, place_of=lambda row: json.dumps([row["kind"], row["name"], row["key"]])),
    )  # fmt: skip


def _place(told: str | None) -> tuple[str, str, str] | None:
    """The (kind, name, key) that an address names; None for none, or for something else."""
    try:
        kind, name, key = json.loads(told or "")
    except (ValueError, TypeError):
        return None
    return (kind, name, key) if all(isinstance(each, str) for each in (kind, name, key)) else None

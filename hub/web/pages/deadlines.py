"""Shipments and deadlines: what must leave first, and the parcels that need a person."""

from aiohttp import web

from hub.store import deadline_screens
from hub.web import deadline_words
from hub.web.edge import Visit
from hub.web.pages.keyset import SIZE, part, place_asked

HOME = "/prazos"


async def every(visit: Visit) -> web.Response:
    """Envios e prazos."""
    told = visit.asked("ver")
    chosen = told if told in deadline_words.VIEWS else None
    async with visit.tx() as tx:
        counts = await deadline_screens.counts(tx)
        if chosen is None:
            rows = await deadline_screens.to_ship(tx, place_asked(visit), SIZE + 1)
        else:
            rows = await deadline_screens.parcels(tx, deadline_words.VIEWS[chosen][1], place_asked(visit), SIZE + 1)
    page = part(visit, rows, "ship_by" if chosen is None else "since")
    shown = [{**row, "facts": deadline_words.facts(visit.language, row)} for row in page.rows] if chosen else page.rows
    views = {key: (name, sum(counts.get(kind, 0) for kind in kinds)) for key, (name, kinds) in _views()}
    return visit.render(
        "deadlines.html", part=page, rows=shown, chosen=chosen, views=views, to_ship=counts["to_ship"],
        deadlines=deadline_words, now=visit.now,
    )  # fmt: skip


def _views() -> list[tuple[str, tuple[str, tuple[str, ...]]]]:
    return list(deadline_words.VIEWS.items())

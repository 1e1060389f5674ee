"""Shipments and deadlines: what must leave first, and the parcels that need a person."""

from aiohttp import web

from hub.store import deadline_screens
from hub.web import deadline_words
from hub.web.edge import Visit
from hub.web.pages.keyset import SIZE, Part, part, place_asked
from hub.web.pages.picking import plain, undoable

HOME = "/prazos"
UNDATED = "sem-prazo"
COUNTED = 1000


async def every(visit: Visit) -> web.Response:
    """Envios e prazos."""
    told, place = visit.asked("ver"), place_asked(visit)
    chosen = told if told == UNDATED or told in deadline_words.VIEWS else None
    async with visit.tx() as tx:
        counts = await deadline_screens.counts(tx)
        undated = await deadline_screens.undated_count(tx, COUNTED + 1)
        if chosen is None:
            rows = await deadline_screens.to_ship(tx, place, SIZE + 1)
        elif chosen == UNDATED:
            rows = await deadline_screens.undated(tx, place, SIZE + 1)
        else:
            rows = await deadline_screens.parcels(tx, deadline_words.VIEWS[chosen][1], place, SIZE + 1)
    page = part(visit, rows, "ship_by" if chosen is None else "since")
    page = Part(rows=page.rows, onward=plain(page.onward), first=plain(page.first))
    orders = chosen in (None, UNDATED)
    shown = page.rows if orders else [{**row, "facts": deadline_words.facts(visit.language, row)} for row in page.rows]
    views = {key: (name, sum(counts.get(kind, 0) for kind in kinds)) for key, (name, kinds) in _views()}
    return visit.render(
        "deadlines.html", part=page, rows=shown, chosen=chosen, views=views, to_ship=counts["to_ship"],
        deadlines=deadline_words, now=visit.now, orders=orders, undated=undated, most=COUNTED, undo=undoable(visit),
        untold=sorted({(row["account"], row["account_id"]) for row in page.rows}) if chosen == UNDATED else [],
        works=visit.person.may("warehouse"), reads=visit.person.may("viewer"),
    )  # fmt: skip


def _views() -> list[tuple[str, tuple[str, tuple[str, ...]]]]:
    return list(deadline_words.VIEWS.items())

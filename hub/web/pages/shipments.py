"""Shipments: every parcel, what its carrier says and what its channel was told."""

from aiohttp import web

from hub.store import screens
from hub.web.edge import Visit
from hub.web.pages.keyset import SIZE, id_asked, part


async def every(visit: Visit) -> web.Response:
    """Envios."""
    told, search = visit.asked("estado"), visit.asked("busca")
    state = told if told in screens.PARCEL_FILTERS else None
    async with visit.tx() as tx:
        rows = await screens.shipments(
            tx, state=state, search=search.upper() if search else None, before=id_asked(visit, "apos"), limit=SIZE + 1
        )
    return visit.render("shipments.html", part=part(visit, rows), state=state, search=search)

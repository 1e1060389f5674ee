"""Shipments: every parcel, what its carrier says and what its channel was told."""

from aiohttp import web

from hub import parcel_link
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
    shown = part(visit, rows)
    links = {row["id"]: f"/r/{parcel_link.token_of(visit.rt.vault, visit.seller_id, row['id'])}" for row in shown.rows}
    return visit.render("shipments.html", part=shown, state=state, search=search, links=links)

"""Listings: what each should show, what we reckon it shows, what was last read there, and in which state it is."""

from aiohttp import web

from hub.store import accounts, screens
from hub.web import words
from hub.web.edge import Visit
from hub.web.pages.accounts import adapter_of
from hub.web.pages.keyset import SIZE, id_asked, part


async def every(visit: Visit) -> web.Response:
    """Anúncios."""
    told, search, account_id = visit.asked("estado"), visit.asked("busca"), id_asked(visit, "conta")
    state = told if told in screens.STATES else None
    async with visit.tx() as tx:
        known = await accounts.every(tx)
        rows = await screens.listings(
            tx, state=state, account_id=account_id, search=search, after=id_asked(visit, "apos"), limit=SIZE + 1
        )
    page = part(visit, rows)
    shown = [
        {**row, "state": (key := words.slot_state(row)), "reason": words.slot_reason(row, key)} for row in page.rows
    ]
    return visit.render(
        "listings.html", part=page, rows=shown, state=state, search=search, account_id=account_id,
        accounts=[account for account in known if (adapter := adapter_of(account.channel)) and adapter.listings],
    )  # fmt: skip

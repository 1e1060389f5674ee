"""The front page: what needs a person, how the accounts are, today's sales, and the live feed."""

from datetime import datetime, timedelta

from aiohttp import web

from hub.store import alerts, screens
from hub.web import words
from hub.web.edge import Visit
from hub.web.feed import SHOWN
from hub.web.i18n import ZONE

LATELY = timedelta(minutes=15)
ALERTS = 100


async def show(visit: Visit) -> web.Response:
    """Painel; who works in the warehouse begins with the labels instead: it tells of money."""
    if not visit.person.may("viewer"):
        return visit.go("/etiquetas")
    midnight = datetime.combine(visit.now.astimezone(ZONE).date(), datetime.min.time(), ZONE)
    async with visit.tx() as tx:
        figures = await screens.figures(tx, midnight, midnight + timedelta(days=1), visit.now, visit.now - LATELY)
        open_alerts = await alerts.open_ones(tx, ALERTS)
        accounts = await screens.accounts(tx, visit.now, visit.now - timedelta(days=1))
        pushes = await screens.pushes(tx, SHOWN)
    told = [
        {**row, "sentence": words.alert_sentence(visit.language, row), "page": words.alert_page(row)}
        for row in open_alerts
    ]
    return visit.render(
        "panel.html", figures=figures, alerts=told, pushes=pushes,
        accounts=[{**row, "health": words.account_health(row, visit.now)} for row in accounts],
    )  # fmt: skip

"""The front page: what needs a person, how the accounts are, today's sales and stock-outs, and the live feed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from hub.store import deadline_screens, processes, screens, today
from hub.web import charts, words
from hub.web.edge import Visit
from hub.web.feed import SHOWN
from hub.web.pages import first_run
from hub.web.pages.alerts import MOST_COUNTED, shown

LATELY = timedelta(minutes=15)
ALERTS = 30
RAN_OUT = 8
UNDATED = 1000  # orders without a ship-by that are counted
SPAN = 15  # minutes of one bar of propagation
SPANS = 12
HOURS = 24
DAY = timedelta(days=1)


async def show(visit: Visit) -> web.Response:
    """Painel; who works in the warehouse begins with what is to be packed: it tells of money."""
    if not visit.person.may("viewer"):
        return visit.go("/separacao")
    zone = visit.language.zone
    midnight = datetime.combine(visit.now.astimezone(zone).date(), datetime.min.time(), zone)
    first = _span(visit.now) - timedelta(minutes=SPAN * (SPANS - 1))
    me = visit.person
    async with visit.tx() as tx:
        figures = await screens.figures(tx, midnight, midnight + DAY, visit.now, visit.now - LATELY)
        undated = await deadline_screens.undated_count(tx, UNDATED + 1)
        waiting = await processes.every(tx, "now", visit.now, limit=ALERTS)
        counts = await processes.counts(tx, visit.now, me.user_id, me.role, MOST_COUNTED)
        accounts = await screens.accounts(tx, visit.now, visit.now - DAY)
        pushes = await screens.pushes(tx, SHOWN)
        sales = await today.sales(tx, midnight, midnight + DAY, zone.key)
        before = await today.sales(tx, midnight - DAY, visit.now - DAY, zone.key)
        gone, ran_out = await today.ran_out(tx, midnight, RAN_OUT)
        lag = await today.lag(tx, first, SPAN)
        steps = await first_run.told(visit, tx)
    return visit.render(
        "panel.html", figures=figures, alerts=[shown(visit, row) for row in waiting], counts=counts,
        most=MOST_COUNTED, pushes=pushes, gone=gone, ran_out=ran_out, lag=lag, sales=sales,
        undated=undated, most_undated=UNDATED, steps=steps,
        yesterday=sum(row["cents"] for row in before), chart=charts, sales_bars=_sales(visit, sales),
        lag_bars=_lag(visit, lag, first),
        accounts=[{**row, "health": words.account_health(row, visit.now)} for row in accounts],
    )  # fmt: skip


def _span(at: datetime) -> datetime:
    """When the span of an instant began."""
    return at.replace(minute=at.minute // SPAN * SPAN, second=0, microsecond=0)


def _sales(visit: Visit, rows: Sequence[dict[str, Any]]) -> list[charts.Bar]:
    by_hour = {row["hour"]: row["cents"] for row in rows}
    told = [(hour, by_hour.get(hour, 0)) for hour in range(HOURS)]
    return charts.bars([(f"{hour} h: {visit.language.money(cents)}", cents, cents) for hour, cents in told])


def _lag(visit: Visit, rows: Sequence[dict[str, Any]], first: datetime) -> list[charts.Bar]:
    by_span = {row["at"]: row for row in rows}
    told = []
    for n in range(SPANS):
        at = first + timedelta(minutes=SPAN * n)
        row = by_span.get(at) or {"p50": 0, "p99": 0}
        p50, p99 = visit.language.milliseconds(row["p50"]), visit.language.milliseconds(row["p99"])
        told.append((f"{at.astimezone(visit.language.zone):%H:%M}: p50 {p50}, p99 {p99}", row["p99"], row["p50"]))
    return charts.bars(told)

"""Movements: the ledger by SKU, warehouse, reason, who and day, with what each entry follows from; and as a sheet."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from hub.sheets import cell
from hub.store import movements, people, sku_list, stock, warehouses
from hub.store.movements import Wanted
from hub.web import stock_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_, ZONE
from hub.web.pages.keyset import SIZE, id_asked, part, place_asked
from hub.web.pages.sheet import PART, stream

NAMES = ("sku", "deposito", "motivo", "quem", "de", "ate")
DAY = N_("Diga um dia, como 31/12/2026.")


def _day(told: str | None) -> date | None:
    if told is None:
        return None
    return date.fromisoformat(told) if told[4:5] == "-" else datetime.strptime(told, "%d/%m/%Y").date()  # noqa: DTZ007 - a day has no zone


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)


async def _wanted(visit: Visit) -> tuple[dict[str, str], Wanted, dict[str, str]]:
    """What the address asks for, and what is wrong with it by parameter."""
    told = {name: value for name in NAMES if (value := visit.asked(name))}
    problems: dict[str, str] = {}
    days: dict[str, date | None] = {}
    for name in ("de", "ate"):
        try:
            days[name] = _day(told.get(name))
            if day := days[name]:
                _midnight(day + timedelta(days=1))
        except (ValueError, OverflowError):
            problems[name] = DAY
            days[name] = None
    sku = None
    if code := told.get("sku"):
        async with visit.tx() as tx:
            sku = await sku_list.named(tx, code)
        if sku is None:
            problems["sku"] = N_("Nenhum SKU tem este código.")
    since, until = days["de"], days["ate"]
    who = told.get("quem", "")
    person = id_asked(visit, "quem")
    wanted = Wanted(
        sku_id=sku["id"] if sku else None, warehouse_id=id_asked(visit, "deposito"),
        reason=told.get("motivo") if told.get("motivo") in movements.REASONS else None,
        made_by=movements.HUB if who == "hub" else f"web:{person}" if person else None,
        since=_midnight(since) if since else None, until=_midnight(until + timedelta(days=1)) if until else None,
    )  # fmt: skip
    return told, wanted, problems


async def every(visit: Visit) -> web.Response:
    """Movimentos."""
    told, wanted, problems = await _wanted(visit)
    async with visit.tx() as tx:
        rows = [] if problems else await movements.page(tx, wanted, after=place_asked(visit), limit=SIZE + 1)
        orders = await movements.purchases_of(tx, _refs(rows))
        houses = await warehouses.named(tx)
        known = await people.members(tx)
    return visit.render(
        "movements.html", status=400 if problems else 200, part=part(visit, rows, "at"),
        told=dict.fromkeys(NAMES) | told,
        problems=dict.fromkeys(NAMES) | problems, refused=bool(problems), narrowed=bool(told),
        query=urlencode(told), houses=houses, people=known, orders=orders, stock=stock_words,
    )  # fmt: skip


def _refs(rows: list[dict[str, Any]]) -> list[str]:
    return [row["source_ref"] for row in rows if row["reason"] == "receipt"]


async def sheet(visit: Visit) -> web.StreamResponse:
    """All that is filtered, sent as it is read."""
    told, wanted, problems = await _wanted(visit)
    if problems:
        raise Problem(400)
    async with visit.tx() as tx:
        await stock.audit(tx, "movements_exported", str(visit.person.user_id), query=urlencode(told))

    async def lines() -> AsyncIterator[list[list[str]]]:
        after = None
        while True:
            async with visit.tx() as tx:
                rows = await movements.page(tx, wanted, after=after, limit=PART)
                orders = await movements.purchases_of(tx, _refs(rows))
            if rows:
                yield [_cells(visit, row, orders) for row in rows]
            if len(rows) < PART:
                return
            after = (rows[-1]["at"], rows[-1]["id"])

    heads = [visit.language.gettext(head) for head in stock_words.LEDGER_SHEET.values()]
    return await stream(visit, "movimentos", heads, lines())


def _cells(visit: Visit, row: Mapping[str, Any], orders: Mapping[str, Any]) -> list[str]:
    words, _page = stock_words.reference(row)
    reference = visit.language.gettext(words, number=stock_words.number_of(row)) if words else ""
    if purchase := orders.get(row["source_ref"]):
        reference = visit.language.gettext(N_("compra %(number)s"), number=purchase[1])
    reason = stock_words.REASON[row["reason"]]
    more = {
        "at": f"{row['at'].astimezone(ZONE):%d/%m/%Y %H:%M:%S}", "who": stock_words.who(visit.language, row),
        "reason": visit.language.gettext(reason), "reference": reference,
    }  # fmt: skip
    return [cell(more.get(name, row.get(name))) for name in stock_words.LEDGER_SHEET]

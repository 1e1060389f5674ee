"""SKUs: the list with its filters, search and orders, the sheet, and a new one."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web

from hub.sheets import cell
from hub.sku_sheet import read_code, read_fact
from hub.stock_sheet import Amiss, quantity
from hub.store import sku_list, warehouses
from hub.store.sku_list import Wanted
from hub.web import stock_words
from hub.web.edge import Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE, id_asked
from hub.web.pages.sheet import PART, stream
from jobs import counts, shown
from jobs import skus as flows
from jobs.connect import Refused

HOME = "/estoque"
NAMES = ("filtro", "categoria", "deposito", "busca", "ordem")


def _told(visit: Visit) -> dict[str, str]:
    return {name: told for name in NAMES if (told := visit.asked(name))}


def _wanted(visit: Visit) -> Wanted:
    chosen, sort = visit.asked("filtro"), visit.asked("ordem")
    return Wanted(
        chosen=chosen if chosen in sku_list.FILTERS else None,
        category=visit.asked("categoria"),
        warehouse_id=id_asked(visit, "deposito"),
        search=visit.asked("busca"),
        sort=sort if sort in sku_list.SORTS else "code",
    )


def _place(visit: Visit, wanted: Wanted) -> tuple[Any, UUID] | None:
    """Where the page goes on from; a place that is none is the beginning."""
    place, _, id_ = (visit.request.query.get("apos") or "").replace("\x00", "")[:300].rpartition("~")
    readers = {"code": str, "free": int, "days": float}
    try:
        return (readers[wanted.sort](place), UUID(id_)) if place else None
    except ValueError:
        return None


def days_left(row: Mapping[str, Any]) -> float | None:
    """Days until the free units are sold as they sell now; None where nothing says."""
    if row["is_kit"] or row["opened_at"] is None or not row["per_day"]:
        return None
    return max(0.0, float(row["free"]) / float(row["per_day"]))


async def _rows(visit: Visit, wanted: Wanted, after: tuple[Any, UUID] | None, limit: int) -> list[dict[str, Any]]:
    async with visit.tx() as tx:
        rows = await sku_list.page(tx, wanted, after=after, limit=limit)
    made = await shown.kits_made(visit.rt, visit.seller_id, [row["id"] for row in rows if row["is_kit"]])
    return [
        {**row, "days": days_left(row), "free": made[row["id"]].quantity if row["id"] in made else row["free"],
         "page": stock_words.page_of(row["code"], row["id"])}
        for row in rows
    ]  # fmt: skip


async def every(visit: Visit) -> web.Response:
    """Estoque."""
    told, wanted = _told(visit), _wanted(visit)
    rows = await _rows(visit, wanted, _place(visit, wanted), SIZE + 1)
    async with visit.tx() as tx:
        categories = await sku_list.categories(tx)
        houses = await warehouses.named(tx)
    page, onward = rows[:SIZE], None
    if len(rows) > SIZE:
        onward = f"{HOME}?" + urlencode({**told, "apos": f"{_at(wanted, page[-1])}~{page[-1]['id']}"})
    return visit.render(
        "skus.html", rows=page, told=dict.fromkeys(NAMES) | told, wanted=wanted, query=urlencode(told),
        narrowed={name: value for name, value in told.items() if name != "filtro"},
        part={"onward": onward, "first": f"{HOME}?{urlencode(told)}" if visit.asked("apos") else None},
        categories=categories, houses=houses, stock=stock_words, found=sku_list.FOUND,
    )  # fmt: skip


def _at(wanted: Wanted, row: Mapping[str, Any]) -> str:
    return repr(row["place"]) if wanted.sort == "days" else str(row["place"])


# ── the sheet ───────────────────────────────────────────────────────────────────────────────────────────────


async def _parts(visit: Visit, wanted: Wanted) -> AsyncIterator[list[dict[str, Any]]]:
    after: tuple[Any, UUID] | None = None
    while True:
        rows = await _rows(visit, wanted, after, PART)
        if rows:
            yield rows
        if len(rows) < PART:
            return
        after = (rows[-1]["place"], rows[-1]["id"])


async def sheet(visit: Visit) -> web.StreamResponse:
    """All that is filtered, as spreadsheets in Brazil open it."""

    async def lines() -> AsyncIterator[list[list[str]]]:
        async for rows in _parts(visit, _wanted(visit)):
            yield [[cell(_shown(visit, row, name)) for name in stock_words.SHEET] for row in rows]

    heads = [visit.language.gettext(head) for head in stock_words.SHEET.values()]
    return await stream(visit, "estoque", heads, lines())


def _shown(visit: Visit, row: Mapping[str, Any], name: str) -> object:
    if name in ("on_hand", "reserved", "free") and not row["is_kit"] and row["opened_at"] is None:
        return None
    if name in ("on_hand", "reserved") and row["is_kit"]:
        return None
    if name == "incoming":
        return row["incoming"] + row["moving"]
    if name == "days":
        return None if row["days"] is None else str(round(row["days"], 1)).replace(".", ",")
    return row[name]


# ── a new one ───────────────────────────────────────────────────────────────────────────────────────────────


def facts_told(visit: Visit, problems: dict[str, str], *, partly: bool = False) -> dict[str, Any]:
    """The facts of a form, read; what is wrong goes into `problems` by field. `partly`: only what the form has."""
    found: dict[str, Any] = {}
    for name in stock_words.FACTS:
        if partly and name not in visit.form:
            continue
        try:
            found[name] = read_fact(name, visit.form.get(name, ""))
        except Amiss as problem:
            problems[name] = stock_words.refused(visit.language, problem)
    return found


async def new_form(visit: Visit) -> web.Response:
    """The form of a new SKU."""
    code = visit.asked("codigo")
    return await _new(visit, {"code": code} if code else {}, {})


async def _new(visit: Visit, told: Mapping[str, str], problems: Mapping[str, str]) -> web.Response:
    async with visit.tx() as tx:
        categories = await sku_list.categories(tx)
        houses = [house for house in await warehouses.named(tx) if house["kind"] == "own"]
    return visit.render(
        "sku_new.html", status=400 if problems else 200, told=told, problems=problems, categories=categories,
        houses=houses, stock=stock_words,
    )  # fmt: skip


async def create(visit: Visit) -> web.Response:
    """A new SKU, with its first count where one is told."""
    problems: dict[str, str] = {}
    facts, code, units = facts_told(visit, problems), "", None
    try:
        code = read_code(visit.form.get("code", ""))
    except Amiss as problem:
        problems["code"] = stock_words.refused(visit.language, problem)
    if code.split("/")[0] in stock_words.TAKEN:
        problems["code"] = stock_words.sentence(visit.language, "sku_there", sku=code)
    try:
        units = quantity(visit.form["units"].strip()) if visit.form.get("units", "").strip() else None
    except Amiss as problem:
        problems["units"] = stock_words.refused(visit.language, problem)
    house = await _house(visit, problems)
    if not problems:
        try:
            made = await flows.add(visit.rt, visit.seller_id, code, facts)
            if units is not None:
                await counts.set_stock(visit.rt, visit.seller_id, [(code, units)], warehouse=house)
        except Refused as refusal:
            problems["code"] = stock_words.refused(visit.language, refusal)
        else:
            visit.say("ok", N_("SKU %(sku)s criado."), sku=code)
            return visit.go(stock_words.page_of(code, made))
    return await _new(visit, visit.form, problems)


async def _house(visit: Visit, problems: dict[str, str]) -> str | None:
    """The warehouse that the form names, looked at before anything is made."""
    told = visit.form.get("warehouse") or None
    async with visit.tx() as tx:
        known = {house["code"] for house in await warehouses.named(tx)}
    if told is not None and told not in known:
        problems["units"] = stock_words.sentence(visit.language, "warehouse", code=told)
    return told

"""Warehouses (depósitos): what they are, who draws from which, in which order, and where an order would come from."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aiohttp import web

from hub import parse
from hub.allocation import Allocation, Area, Destination
from hub.stock_sheet import Amiss, quantity
from hub.store import accounts, screens, sku_list, warehouses
from hub.web import stock_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.accounts import adapter_of
from hub.web.pages.keyset import SIZE, part
from jobs import allocations
from jobs import warehouses as flows
from jobs.connect import Refused

HOME = "/depositos"
MOST_RANK = 1_000_000
AREAS, LINES = 60, 6
AREA_PROBLEM = N_("Diga uma UF, ou um CEP inicial e um final, com o menor antes.")
STATES = tuple(sorted(set(parse.STATES.values())))


async def every(visit: Visit) -> web.Response:
    """Depósitos."""
    return await _every(visit, {}, {})


def _place(visit: Visit) -> tuple[int, str] | None:
    rank, _, code = (visit.asked("apos") or "").partition("~")
    return (int(rank), code) if re.fullmatch(r"[0-9]{1,7}", rank) else None


async def _every(visit: Visit, told: Mapping[str, str], problems: Mapping[str, str]) -> web.Response:
    async with visit.tx() as tx:
        rows = await warehouses.every(tx, after=_place(visit), limit=SIZE + 1)
        houses = await warehouses.named(tx)
        drawn = await warehouses.draws(tx)
        known = [each for each in await accounts.every(tx) if each.status != "closed"]
    sellers = [each for each in known if (adapter := adapter_of(each.channel)) and adapter.stock]
    return visit.render(
        "depots.html", status=400 if problems else 200, drawn=drawn, sellers=sellers, told=told, houses=houses,
        part=part(visit, rows, place_of=lambda row: f"{row['rank']}~{row['code']}"), problems=problems,
        stock=stock_words, states=STATES,
    )  # fmt: skip


def _cep(told: str) -> str | None:
    bare = re.sub(r"[\s.-]", "", told)
    if bare and not re.fullmatch(r"[0-9]{8}", bare):
        raise ValueError
    return bare or None


def _rank(told: str) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", told) or int(told) > MOST_RANK:
        raise ValueError
    return int(told)


def _state(told: str) -> str | None:
    if told and told.upper() not in STATES:
        raise ValueError
    return told.upper() or None


def _name(told: str) -> str:
    if not told or len(told) > 120 or not told.isprintable():  # noqa: PLR2004 - as its sentence says
        raise ValueError
    return told


def _code(told: str) -> str:
    if not re.fullmatch(r"[^\s/?#]{1,40}", told) or not told.isprintable():
        raise ValueError
    return told


def _kind(told: str) -> str:
    if told not in warehouses.KINDS:
        raise ValueError
    return told


READERS = {"name": _name, "kind": _kind, "rank": _rank, "postal_code": _cep, "state": _state}


def _read(visit: Visit, readers: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the form says of a warehouse, and what is wrong by field."""
    found: dict[str, Any] = {}
    problems = {}
    for name, read in readers.items():
        try:
            found[name] = read(visit.form.get(name, "").strip())
        except ValueError:
            sentence = stock_words.HOUSE_PROBLEM[name]
            problems[name] = visit.language.gettext(sentence)
    return found, problems


async def add(visit: Visit) -> web.Response:
    """A new warehouse."""
    found, problems = _read(visit, {"code": _code, **READERS})
    if not problems:
        try:
            await flows.add(visit.rt, visit.seller_id, found.pop("code"), found.pop("name"), **found)
        except Refused as refusal:
            problems["code"] = stock_words.refused(visit.language, refusal)
    if problems:
        return await _every(visit, visit.form, problems)
    visit.say("ok", N_("Depósito criado."))
    return visit.go(HOME)


async def _known(visit: Visit) -> dict[str, Any]:
    async with visit.tx() as tx:
        row = await warehouses.one(tx, visit.id_in_path())
    if row is None:
        raise Problem(404)
    return row


async def one(visit: Visit) -> web.Response:
    """One warehouse, and what may be changed of it."""
    return await _one(visit, {}, {})


async def _one(visit: Visit, told: Mapping[str, str], problems: Mapping[str, str], form: str = "") -> web.Response:
    row = await _known(visit)
    async with visit.tx() as tx:
        areas = await warehouses.areas_of(tx, row["id"])
    return visit.render(
        "depot.html", status=400 if problems else 200, house=row, areas=areas, told=told, problems=problems, form=form,
        stock=stock_words, states=STATES, most=AREAS,
    )  # fmt: skip


async def edit(visit: Visit) -> web.Response:
    """Change a warehouse; another kind changes what channels show, at once."""
    row = await _known(visit)
    found, problems = _read(visit, READERS)
    if not problems:
        try:
            await flows.edit(visit.rt, visit.seller_id, row["code"], **found)
        except Refused as refusal:
            problems["kind"] = stock_words.refused(visit.language, refusal)
    if problems:
        return await _one(visit, visit.form, problems, "edit")
    visit.say("ok", N_("%(name)s: mudança guardada."), name=found["name"])
    return visit.go(f"{HOME}/{row['id']}")


async def cover(visit: Visit) -> web.Response:
    """Another rank for what goes to some states or postal codes."""
    row = await _known(visit)
    areas: list[Area] = []
    problems: dict[str, str] = {}
    for n in range(AREAS):
        told = {name: visit.form.get(f"{name}-{n}", "").strip() for name in ("state", "first", "last", "rank")}
        if not told["state"] and not told["first"] and not told["last"]:
            continue
        try:
            first, last = _cep(told["first"]), _cep(told["last"])
            if (first is None) != (last is None) or (first or "") > (last or ""):
                raise ValueError  # noqa: TRY301 - one sentence for all that may be wrong with a line
            areas.append(Area(rank=_rank(told["rank"] or "1"), state=_state(told["state"]), first=first, last=last))
        except ValueError:
            problems[str(n)] = visit.language.gettext(AREA_PROBLEM)
    if problems:
        return await _one(visit, visit.form, problems, "areas")
    await flows.cover(visit.rt, visit.seller_id, row["code"], areas)
    visit.say("ok", N_("%(name)s: áreas guardadas. Valem para vendas novas."), name=row["name"])
    return visit.go(f"{HOME}/{row['id']}")


async def close(visit: Visit) -> web.Response:
    """Close an empty warehouse."""
    row = await _known(visit)
    if visit.form.get("sure") != "yes":
        visit.say("bad", N_("Confirme que é isso mesmo."))
        return visit.go(f"{HOME}/{row['id']}")
    try:
        await flows.close(visit.rt, visit.seller_id, row["code"])
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=stock_words.refused(visit.language, refusal))
        return visit.go(f"{HOME}/{row['id']}")
    visit.say("ok", N_("%(name)s fechado. O histórico fica."), name=row["name"])
    return visit.go(HOME)


async def draw(visit: Visit) -> web.Response:
    """Which warehouses an account draws from; none ticked: every own one."""
    account_id = visit.id_in_path()
    try:
        account = await visit.rt.account(visit.seller_id, account_id)
    except LookupError:
        raise Problem(404) from None
    async with visit.tx() as tx:
        codes = [row["code"] for row in await warehouses.named(tx) if visit.form.get(f"w:{row['id']}") == "yes"]
    try:
        await flows.draw(visit.rt, visit.seller_id, account_id, codes)
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=stock_words.refused(visit.language, refusal))
    else:
        visit.say("ok", N_("%(name)s: de onde vende foi guardado, e o que mostra já segue."), name=account.name)
    return visit.go(HOME)


# ── where an order would come from ──────────────────────────────────────────────────────────────────────────


async def preview(visit: Visit) -> web.Response:
    """Where some SKUs for a postal code would come from. Changes nothing."""
    told = {name: value for name, value in visit.request.query.items() if len(value) <= 200}  # noqa: PLR2004 - a field
    problems: dict[str, str] = {}
    units: dict[str, int] = {}
    for n in range(LINES):
        code = told.get(f"sku-{n}", "").replace("\x00", "").strip()
        if not code:
            continue
        async with visit.tx() as tx:
            known = await sku_list.named(tx, code)
        try:
            if known is None:
                raise Amiss("unknown", "no_sku", sku=code)  # noqa: TRY301 - told as the others
            units[known["code"]] = units.get(known["code"], 0) + (
                quantity(told.get(f"units-{n}", "").strip() or "1") or 1
            )
        except Amiss as problem:
            problems[str(n)] = stock_words.refused(visit.language, problem)
    place: dict[str, str | None] = {"postal_code": None, "state": None}
    for name, read in (("postal_code", _cep), ("state", _state)):
        try:
            place[name] = read(told.get(name, "").replace("\x00", "").strip())
        except ValueError:
            sentence = stock_words.HOUSE_PROBLEM[name]
            problems[name] = visit.language.gettext(sentence)
    async with visit.tx() as tx:
        known_accounts = [each for each in await accounts.every(tx) if each.status != "closed"]
    sellers = [each for each in known_accounts if (adapter := adapter_of(each.channel)) and adapter.stock]
    chosen = next((each.id for each in sellers if str(each.id) == told.get("conta")), None)
    found = None
    if units and not problems:
        answer, shut = await allocations.try_out(visit.rt, visit.seller_id, units, Destination(**place), chosen)
        found = {**await _words(visit, answer), "shut": shut}
    return visit.render(
        "depot_preview.html", status=400 if problems else 200, told=told, problems=problems, sellers=sellers,
        states=STATES, lines=LINES, found=found, chosen=chosen,
    )  # fmt: skip


async def _words(visit: Visit, answer: Allocation) -> dict[str, Any]:
    ids = {take.sku_id for take in answer.takes} | {take.warehouse_id for take in answer.takes}
    ids |= {sku for _line, sku in answer.short}
    for step in answer.steps:
        for value in step.params.values():
            ids |= {each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, UUID)}
    async with visit.tx() as tx:
        names = await screens.names(tx, ids)
    return {
        "takes": [(take.line_ref, names[take.sku_id], names[take.warehouse_id], take.units) for take in answer.takes],
        "short": [(line, names[sku], units) for (line, sku), units in answer.short.items()],
        "steps": list(answer.explain(visit.language.tag, names)),
    }

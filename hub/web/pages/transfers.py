"""Transfers between warehouses: planned, sent, received in parts, and what is lost on the way named."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from hub.stock_sheet import Amiss, quantity
from hub.store import sku_list, transfers, warehouses
from hub.web import stock_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE
from jobs import transfers as flows
from jobs.connect import Refused

HOME = "/transferencias"
LINES = 10
STATES = {"todas": N_("Todas")}


def number_asked(visit: Visit, name: str = "apos") -> int | None:
    """A number in the address; None for none."""
    told = visit.asked(name) or ""
    return int(told) if told.isascii() and told.isdigit() and len(told) <= 9 else None  # noqa: PLR2004 - fits 32 bits


async def every(visit: Visit) -> web.Response:
    """Transferências."""
    chosen = "todas" if visit.asked("situacao") == "todas" else None
    async with visit.tx() as tx:
        rows = await transfers.listed(tx, unfinished_only=chosen is None, limit=SIZE + 1, before=number_asked(visit))
        houses = await warehouses.names(tx)
    keep = {"situacao": chosen} if chosen else {}
    onward = f"{HOME}?{urlencode({**keep, 'apos': rows[SIZE - 1]['number']})}" if len(rows) > SIZE else None
    first = f"{HOME}?{urlencode(keep)}" if visit.asked("apos") else None
    return visit.render(
        "transfers.html", rows=rows[:SIZE], houses=houses, part={"onward": onward, "first": first}, chosen=chosen,
        states=STATES, stock=stock_words,
    )  # fmt: skip


async def new_form(visit: Visit) -> web.Response:
    """The form of a transfer."""
    code = visit.asked("sku")
    return await _new(visit, {"sku-0": code} if code else {}, {})


async def _new(visit: Visit, told: Mapping[str, str], problems: Mapping[str, str]) -> web.Response:
    async with visit.tx() as tx:
        ends = [house for house in await warehouses.named(tx) if house["kind"] in ("own", "damaged")]
    return visit.render(
        "transfer_new.html", status=400 if problems else 200, told=told, problems=problems, ends=ends, lines=LINES
    )


async def lines_told(visit: Visit, many: int, problems: dict[str, str]) -> dict[str, int]:
    """Units by SKU code of a form's lines; codes may be GTINs. What is wrong goes into `problems` by line."""
    units: dict[str, int] = {}
    for n in range(many):
        code, told = visit.form.get(f"sku-{n}", "").strip(), visit.form.get(f"units-{n}", "").strip()
        if not code:
            continue
        async with visit.tx() as tx:
            known = await sku_list.named(tx, code)
        if known is None:
            problems[str(n)] = stock_words.sentence(visit.language, "no_sku", sku=code)
            continue
        try:
            units[known["code"]] = units.get(known["code"], 0) + quantity(told or "1")
        except Amiss as problem:
            problems[str(n)] = stock_words.refused(visit.language, problem)
    return units


async def create(visit: Visit) -> web.Response:
    """Plan a transfer, and send it where that is ticked."""
    problems: dict[str, str] = {}
    units = await lines_told(visit, LINES, problems)
    if not problems:
        try:
            number = await flows.open_transfer(
                visit.rt, visit.seller_id, visit.form.get("from", ""), visit.form.get("to", ""), units,
                note=visit.form.get("note", "")[:200],
            )  # fmt: skip
        except Refused as refusal:
            problems["all"] = stock_words.refused(visit.language, refusal)
        else:
            visit.say("ok", N_("Transferência %(number)s planejada: nada se move até ser enviada."), number=number)
            return visit.go(f"{HOME}/{number}")
    return await _new(visit, visit.form, problems)


# ── one ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _known(visit: Visit) -> dict[str, Any]:
    async with visit.tx() as tx:
        found = await transfers.detail(tx, int(visit.request.match_info["number"]))
    if found is None:
        raise Problem(404)
    return found


async def one(visit: Visit) -> web.Response:
    """One transfer whole, and what can be done with it now."""
    return await _one(visit, {}, {})


async def _one(visit: Visit, told: Mapping[str, str], problems: Mapping[str, str]) -> web.Response:
    found = await _known(visit)
    async with visit.tx() as tx:
        houses = await warehouses.names(tx)
    return visit.render(
        "transfer.html", houses=houses, status=400 if problems else 200, transfer=found, told=told, problems=problems,
        stock=stock_words,
    )  # fmt: skip


async def send(visit: Visit) -> web.Response:
    """The units leave."""
    found = await _known(visit)
    along = visit.form.get("with_orders") == "yes"
    try:
        await flows.send(visit.rt, visit.seller_id, found["number"], with_orders=along)
    except Refused as refusal:
        return await _one(visit, visit.form, {"send": stock_words.refused(visit.language, refusal)})
    visit.say("ok", N_("Transferência %(number)s enviada: as unidades estão em trânsito."), number=found["number"])
    return visit.go(f"{HOME}/{found['number']}")


async def receive(visit: Visit) -> web.Response:
    """Units arrive, in parts; where no more will come, what is missing is lost."""
    found = await _known(visit)
    finish = visit.form.get("finish") == "yes"
    problems: dict[str, str] = {}
    units: dict[str, int] = {}
    for line in found["lines"]:
        told = visit.form.get(f"q:{line['sku']}", "").strip()
        try:
            if told and (arrived := quantity(told)):
                units[line["sku"]] = arrived
        except Amiss as problem:
            problems[line["sku"]] = stock_words.refused(visit.language, problem)
    receipts = visit.form.get("receipts", "")
    after = int(receipts) if receipts.isascii() and receipts.isdigit() and len(receipts) <= 9 else None  # noqa: PLR2004 - fits 32 bits
    if not problems:
        try:
            await flows.receive(visit.rt, visit.seller_id, found["number"], units, finish=finish, after=after)
        except Refused as refusal:
            problems["all"] = stock_words.refused(visit.language, refusal)
    if problems:
        return await _one(visit, visit.form, problems)
    visit.say("ok", N_("Unidades recebidas: %(units)s."), units=sum(units.values()))
    return visit.go(f"{HOME}/{found['number']}")


async def cancel(visit: Visit) -> web.Response:
    """Forget it; what has not arrived stands where it came from again."""
    found = await _known(visit)
    try:
        await flows.cancel(visit.rt, visit.seller_id, found["number"])
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=stock_words.refused(visit.language, refusal))
    else:
        visit.say("ok", N_("Transferência %(number)s cancelada: o que não chegou voltou à origem."),
                  number=found["number"])  # fmt: skip
    return visit.go(f"{HOME}/{found['number']}")

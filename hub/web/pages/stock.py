"""One SKU: what stands where, who holds it, what it is, every step to what each listing shows, and what moves it."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web

from hub.stock_sheet import Amiss, quantity
from hub.store import lookup, movements, screens, sku_list, skus, stock, warehouses
from hub.web import stock_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.skus import facts_told
from hub.why import Answer
from jobs import counts, kits, ledger, shown
from jobs import skus as flows
from jobs.connect import Refused

HOLDS = 50
MOVES = 10
PARTS = 40  # components that a form of a kit may name
MOST_UNITS = 100_000
NOTE = 200


async def why(visit: Visit) -> web.Response:
    """One SKU by its code, which may hold slashes."""
    code = visit.request.match_info["sku"].replace("\x00", "")
    async with visit.tx() as tx:
        sku_id = await stock.sku_id(tx, code)
    if sku_id is None:
        raise Problem(404)
    return await _page(visit, sku_id)


async def by_id(visit: Visit) -> web.Response:
    """One SKU by its id: for a code that a browser would take for another address."""
    return await _page(visit, visit.id_in_path())


async def _page(
    visit: Visit, sku_id: UUID, *, told: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None,
    form: str = "",
) -> web.Response:  # fmt: skip
    """`form`: which one was refused, with what was typed into it and what is wrong by field."""
    async with visit.tx() as tx:
        sku = await skus.by_id(tx, sku_id)
        if sku is None:
            raise Problem(404)
        parts, holders = await skus.components(tx, sku_id), await skus.holders(tx, sku_id)
        (row,) = await sku_list.page(tx, sku_list.Wanted(ids=(sku_id,)), limit=1)
        levels = await skus.levels(tx, [sku_id, *(part["id"] for part in parts)])
        held, short = await lookup.holds(tx, sku_id, HOLDS)
        moves = await movements.page(tx, movements.Wanted(sku_id=sku_id), limit=MOVES)
        houses = [house for house in await warehouses.named(tx) if house["kind"] in ("own", "damaged")]
        called = await warehouses.names(tx)
        categories = await sku_list.categories(tx) if visit.person.may("operator") else []
    made = (await shown.kits_made(visit.rt, visit.seller_id, [sku_id])).get(sku_id)
    answers = await counts.explain(visit.rt, visit.seller_id, sku["code"])
    async with visit.tx() as tx:
        names = await screens.names(tx, _named([answer for _slot, answer in answers] + ([made] if made else [])))
    tag = visit.language.tag
    return visit.render(
        "stock.html", status=400 if form else 200, sku=sku, row=row, parts=parts, holders=holders, levels=levels,
        held=held, short=short, moves=moves, houses=houses, called=called, categories=categories, stock=stock_words,
        form=form, told=told or {}, problems=problems or {}, ref=str(uuid4()),
        made=made.quantity if made else None, made_steps=made.explain(tag, names)[:-1] if made else (),
        slots=[{**slot, "answer": answer.quantity, "steps": answer.explain(tag, names)} for slot, answer in answers],
    )  # fmt: skip


def _named(answers: Iterable[Answer]) -> set[UUID]:
    told = [value for answer in answers for step in answer.steps for value in step.params.values()]
    return {value for value in told if isinstance(value, UUID)}


async def _known(visit: Visit) -> dict[str, Any]:
    async with visit.tx() as tx:
        sku = await skus.by_id(tx, visit.id_in_path())
    if sku is None:
        raise Problem(404)
    return sku


def _back(visit: Visit, sku: Mapping[str, Any]) -> web.Response:
    return visit.go(stock_words.page_of(sku["code"], sku["id"]))


# ── facts ───────────────────────────────────────────────────────────────────────────────────────────────────


async def edit(visit: Visit) -> web.Response:
    """Change what is known of a SKU; an empty field is nothing from now on."""
    sku = await _known(visit)
    problems: dict[str, str] = {}
    facts = facts_told(visit, problems, partly=True)
    if problems:
        return await _page(visit, sku["id"], told=visit.form, problems=problems, form="facts")
    changed = await flows.edit(visit.rt, visit.seller_id, sku["id"], facts)
    visit.say("ok", N_("%(sku)s: dados guardados.") if changed else N_("%(sku)s: nada mudou."), sku=sku["code"])
    return _back(visit, sku)


# ── moving by hand ──────────────────────────────────────────────────────────────────────────────────────────


async def adjust(visit: Visit) -> web.Response:
    """Count, find, lose or set aside units of one SKU in one warehouse, and say why."""
    sku = await _known(visit)
    way, note = visit.form.get("way", ""), visit.form.get("note", "").strip()[:NOTE]
    if way not in stock_words.ADJUST:
        raise Problem(400)
    problems: dict[str, str] = {}
    units, before, after = 0, None, None
    try:
        units = quantity(visit.form.get("units", ""))
    except Amiss as problem:
        problems["units"] = stock_words.refused(visit.language, problem)
    if not problems and not units and way != "contar":
        problems["units"] = stock_words.sentence(visit.language, "nothing")
    said = visit.language.gettext(stock_words.ADJUST[way][1])
    if not problems:
        try:
            before, after = await _moved(visit, sku["code"], way, units, f"{said}: {note}" if note else said)
        except Refused as refusal:
            field = "warehouse" if refusal.kind in ("warehouse", "aside_kind") else "units"
            problems[field] = stock_words.refused(visit.language, refusal)
    if problems:
        return await _page(visit, sku["id"], told=visit.form, problems=problems, form="adjust")
    if before is None:
        visit.say("ok", N_("%(sku)s: isto já estava registrado, nada foi somado de novo."), sku=sku["code"])
    else:
        visit.say("ok", N_("%(sku)s: de %(before)s para %(after)s."), sku=sku["code"], before=before, after=after)
    return _back(visit, sku)


async def _moved(visit: Visit, code: str, way: str, units: int, note: str) -> tuple[int | None, int | None]:
    """(before, after) of the shelf; None where the same form was sent before."""
    house, ref = visit.form.get("warehouse") or None, visit.form.get("ref", "").strip()[:100] or None
    if way == "contar":
        (counted,) = await counts.set_stock(visit.rt, visit.seller_id, [(code, units)], warehouse=house, note=note)
        return counted.before, counted.after
    if way == "avariar":
        done = await flows.set_aside(visit.rt, visit.seller_id, code, units, note, warehouse=house, ref=ref)
    else:
        delta = units if way == "achar" else -units
        done = await ledger.adjust(visit.rt, visit.seller_id, code, delta, note, warehouse=house, ref=ref)
    return (done.before, done.after) if done else (None, None)


# ── kits ────────────────────────────────────────────────────────────────────────────────────────────────────


async def set_kit(visit: Visit) -> web.Response:
    """Say what a SKU is made of."""
    sku = await _known(visit)
    problems: dict[str, str] = {}
    parts: dict[str, int] = {}
    for n in range(PARTS):
        code, told = visit.form.get(f"part-{n}", "").strip(), visit.form.get(f"units-{n}", "").strip()
        if not code:
            continue
        try:
            units = quantity(told or "1")
        except Amiss as problem:
            problems[str(n)] = stock_words.refused(visit.language, problem)
            continue
        if not 0 < units <= MOST_UNITS:
            problems[str(n)] = visit.language.gettext(N_("De 1 a 100.000 unidades de cada."))
        parts[code] = parts.get(code, 0) + units
    if not parts and not problems:
        problems["0"] = visit.language.gettext(N_("Diga pelo menos um componente."))
    if not problems:
        try:
            await kits.set_kit(visit.rt, visit.seller_id, sku["code"], parts, loose=visit.form.get("loose") == "yes")
        except Refused as refusal:
            problems["kit"] = stock_words.refused(visit.language, refusal)
    if problems:
        return await _page(visit, sku["id"], told=visit.form, problems=problems, form="kit")
    visit.say("ok", N_("%(sku)s é um kit: os canais seguem dos componentes."), sku=sku["code"])
    return _back(visit, sku)


async def unset_kit(visit: Visit) -> web.Response:
    """Make a kit a plain SKU again."""
    sku = await _known(visit)
    if visit.form.get("sure") != "yes":
        visit.say("bad", N_("Confirme que é isso mesmo."))
        return _back(visit, sku)
    try:
        settled = await kits.unset_kit(visit.rt, visit.seller_id, sku["code"])
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=stock_words.refused(visit.language, refusal))
    else:
        visit.say("ok", N_("%(sku)s não é mais kit. Pedidos por enviar que esperam unidades dele: %(count)s."),
                  sku=sku["code"], count=settled)  # fmt: skip
    return _back(visit, sku)

"""Replenishment: what to buy and why, and how each SKU is replenished."""

from typing import Any
from uuid import UUID

from aiohttp import web

from hub.replenishment_sheet import READERS, UNSET, read_setting
from hub.store import replenishment, suppliers
from hub.web import restock_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE
from jobs import purchase, replenish
from jobs.connect import Refused

HOME = "/reposicao"
MOST = 100_000_000


async def every(visit: Visit) -> web.Response:
    """Reposição."""
    told, abc = visit.asked("filtro"), (visit.asked("classe") or "").upper()
    chosen = told if told in restock_words.FILTERS else "low"
    async with visit.tx() as tx:
        asked = visit.asked("fornecedor")  # a name as it is typed, or an id
        supplier = await suppliers.named(tx, asked) if asked else None
        rows = [] if asked and not supplier else await replenish.suggestions(
            tx, visit.now, chosen, supplier_id=supplier["id"] if supplier else None,
            abc=abc if abc in ("A", "B", "C") else None, search=visit.asked("busca"), after=_place(visit),
            limit=SIZE + 1,
        )  # fmt: skip
        known = await suppliers.names(tx)
        run = await replenishment.last_run(tx)
    shown, onward = rows[:SIZE], None
    if len(rows) > SIZE:
        last = shown[-1].row
        onward = _address(visit, f"{last['days_left']!r}~{last['sku_id']}")
    return visit.render(
        "restock.html", rows=shown, chosen=chosen, abc=abc, search=visit.asked("busca"),
        supplier=supplier["name"] if supplier else asked, unknown=bool(asked and not supplier),
        suppliers=known, run=run, restock=restock_words,
        part={"onward": onward, "first": _address(visit, None) if visit.asked("apos") else None},
    )  # fmt: skip


def _place(visit: Visit) -> tuple[float, UUID] | None:
    days, _, id_ = (visit.asked("apos") or "").partition("~")
    try:
        return float(days), UUID(id_)
    except ValueError:
        return None


def _address(visit: Visit, place: str | None) -> str:
    kept = {name: told for name, told in visit.request.query.items() if name != "apos" and told}
    return str(visit.request.rel_url.with_query({**kept, **({"apos": place} if place else {})}))


async def one(visit: Visit) -> web.Response:
    """One SKU: each number explained, and its settings."""
    return await _one(visit, {}, {})


async def _one(visit: Visit, told: dict[str, str], problems: dict[str, str]) -> web.Response:
    sku_id = visit.id_in_path()
    async with visit.tx() as tx:
        sku = await replenishment.sku(tx, sku_id)
        if sku is None:
            raise Problem(404)
        found = await replenish.explain(tx, visit.now, sku_id)
        kept = (await replenishment.settings(tx, [sku_id]))[sku_id]
        known = await suppliers.names(tx)
    steps = found.answer.explain(visit.language.tag) if found else ()
    fields = [
        {"name": name, "label": label, "hint": hint, "value": told.get(name, _shown(visit, name, kept[name])),
         "problem": problems.get(name)}
        for name, label, hint in restock_words.FIELDS
    ]  # fmt: skip
    return visit.render(
        "restock_sku.html", status=400 if problems else 200, sku=sku, found=found, steps=steps, fields=fields,
        kept=kept, suppliers=known, restock=restock_words,
    )  # fmt: skip


def _shown(visit: Visit, name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "service_level":
        return f"{visit.language.number(round(value * 100, 4))}%"
    return str(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


async def set_sku(visit: Visit) -> web.Response:
    """Change how a SKU is replenished; an empty field goes back to the default."""
    sku_id = visit.id_in_path()
    async with visit.tx() as tx:
        sku = await replenishment.sku(tx, sku_id)
    if sku is None:
        raise Problem(404)
    told = {name: visit.form.get(name, "").strip() for name, _label, _hint in restock_words.FIELDS}
    changes: dict[str, Any] = {"active": visit.form.get("active") == "yes"}
    problems: dict[str, str] = {}
    for name, text in {**told, "handling": visit.form.get("handling", "")}.items():
        may_unset = READERS[name][1]
        try:
            changes[name] = read_setting(name, text or (UNSET if may_unset else "1"))
        except ValueError:
            problems[name] = visit.language.gettext(N_("Não pode ser usado."))
    if problems:
        return await _one(visit, told, problems)
    try:
        await replenish.set_settings(visit.rt, visit.seller_id, {sku["code"]: changes})
    except Refused as refusal:
        return await _one(visit, told, {"supplier": refused(visit, refusal)})
    visit.say("ok", N_("Reposição de %(sku)s: mudança guardada."), sku=sku["code"])
    return visit.go(f"{HOME}/{sku_id}")


async def order(visit: Visit) -> web.Response:
    """Put the chosen SKUs, in the units told, into each supplier's draft."""
    wanted: dict[str, int] = {}
    for name in visit.form:
        if name.startswith("sku:"):
            code = name[4:]
            units = visit.form.get(f"q:{code}", "").strip()
            if not units.isascii() or not units.isdigit() or not 0 < int(units[:12]) <= MOST:
                visit.say("bad", restock_words.REFUSAL["quantity"], sku=code)
                return visit.go(_home(visit))
            wanted[code] = int(units)
    if not wanted:
        visit.say("bad", N_("Escolha pelo menos um SKU para comprar."))
        return visit.go(_home(visit))
    try:
        made, left = await purchase.order_suggested(visit.rt, visit.seller_id, skus=wanted)
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
        return visit.go(_home(visit))
    said = [
        visit.language.gettext(N_("Rascunho %(number)s para %(supplier)s: itens %(lines)s."), number=each.number,
                               supplier=each.supplier, lines=each.lines) for each in made
    ]  # fmt: skip
    said += [
        visit.language.gettext(N_("%(sku)s já está no rascunho %(draft)s."), sku=each.sku, draft=each.draft)
        if each.draft
        else visit.language.gettext(N_("%(sku)s não tem fornecedor: defina um antes."), sku=each.sku)
        for each in left
    ]
    visit.say("ok" if made else "bad", "%(said)s", said=" ".join(said))
    return visit.go("/compras" if made else _home(visit))


def _home(visit: Visit) -> str:
    onward = visit.form.get("next", HOME)
    return onward if onward.startswith((f"{HOME}?", f"{HOME}/")) else HOME


def refused(visit: Visit, refusal: Refused) -> str:
    """A refusal in the reader's language."""
    if isinstance(refusal, purchase.PurchaseRefused) and refusal.kind in restock_words.REFUSAL:
        return visit.language.gettext(restock_words.REFUSAL[refusal.kind], **refusal.params)
    return visit.language.gettext(restock_words.REFUSAL_OTHER, why=str(refusal))

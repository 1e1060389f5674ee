"""Sheets of stock and of SKUs: uploaded, looked at line by line, confirmed, and taken back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from hub import sku_sheet
from hub.stock_sheet import Trouble, Unusable, read_rows
from hub.store import imports, skus, warehouses
from hub.web import stock_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.transfers import number_asked
from jobs import imports as stock_files
from jobs import skus as sku_files
from jobs.connect import Refused
from jobs.ledger import Mode

HOME = "/estoque/importar"
SHOWN, LISTED, NAMED = 100, 20, 5
KINDS = {"stock": N_("Estoque: quantas unidades há"), "skus": N_("SKUs: nome, GTIN, categoria, custo e medidas")}


async def every(visit: Visit) -> web.Response:
    """Importar."""
    return await _every(visit, {}, "")


async def _every(visit: Visit, told: Any, problem: str) -> web.Response:
    async with visit.tx() as tx:
        stocks = await imports.listed(tx, LISTED)
        facts = await skus.imports(tx, LISTED)
    return visit.render(
        "imports.html", status=400 if problem else 200, stocks=stocks, facts=facts, told=told, problem=problem,
        kinds=KINDS, limit=visit.request.client_max_size, most=sku_sheet.MOST_ROWS, stock=stock_words,
    )  # fmt: skip


async def upload(visit: Visit) -> web.Response:
    """Take a file in, to be looked at before anything is written."""
    kind = visit.form.get("kind", "")
    if kind not in KINDS:
        raise Problem(400)
    posted = await visit.request.post()
    sent = posted.get("file")
    body = sent.file.read() if isinstance(sent, web.FileField) else b""
    name = sent.filename.replace("\x00", "")[:120] if isinstance(sent, web.FileField) else ""
    mode: Mode = "add" if visit.form.get("mode") == "add" else "set"
    options = {"mode": mode, "create": visit.form.get("create") == "yes"}
    try:
        read_rows(body, mode) if kind == "stock" else sku_sheet.read_rows(body)
    except Unusable as problem:
        return await _every(visit, visit.form, stock_words.refused(visit.language, problem))
    async with visit.tx() as tx:
        made = await skus.upload(tx, kind, name, body, options)
    return visit.go(f"{HOME}/previa/{made}")


# ── looking at it ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Plan:
    """What a file would do: its rows as they would be written, what changes, and what is wrong."""

    good: Sequence[Any]
    wrong: list[Trouble]
    changes: list[Any] = field(default_factory=list)
    rows: Sequence[Any] = ()


async def _plan(visit: Visit, kept: dict[str, Any]) -> Plan:
    if kept["kind"] == "skus":
        rows, wrong = sku_sheet.read_rows(bytes(kept["body"]))
        planned = await sku_files.plan(visit.rt, visit.seller_id, rows)
        return Plan(planned, wrong, [each for each in planned if each.after or each.sku_id is None], rows)
    mode = _mode(kept)
    told, troubles = read_rows(bytes(kept["body"]), mode)
    good, bad = await stock_files.plan(visit.rt, visit.seller_id, told, mode, create=kept["options"]["create"])
    wrong = sorted([*troubles, *bad], key=lambda each: each.line)
    return Plan(good, wrong, [each for each in good if each.before != each.after or each.opens])


def _mode(kept: dict[str, Any]) -> Mode:
    return "add" if kept["options"]["mode"] == "add" else "set"


async def _kept(visit: Visit, *, take: bool = False) -> dict[str, Any]:
    """The file that waits; `take`: nobody else may write it after that."""
    async with visit.tx() as tx:
        kept = await skus.uploaded(tx, visit.id_in_path(), lock=take)
        if kept is None or (take and not await skus.forget_upload(tx, kept["id"])):
            raise Problem(404)
    return kept


async def preview(visit: Visit) -> web.Response:
    """What the file would do, line by line, as things stand now."""
    kept = await _kept(visit)
    plan = await _plan(visit, kept)
    async with visit.tx() as tx:
        houses = await warehouses.names(tx)
    return visit.render(
        "import_preview.html", houses=houses, kept=kept, plan=plan, changes=plan.changes[:SHOWN], stock=stock_words,
        kinds=KINDS, wrong=[(each.line, stock_words.refused(visit.language, each)) for each in plan.wrong[:SHOWN]],
        made=sum(each.sku_id is None for each in plan.changes),
        opened=sum(getattr(each, "opens", False) for each in plan.good),
        emptied=sum(getattr(each, "after", 0) == 0 and getattr(each, "before", 0) != 0 for each in plan.good)
        if kept["kind"] == "stock" else 0,
        few=stock_files.FEW,
    )  # fmt: skip


async def discard(visit: Visit) -> web.Response:
    """Do not import it."""
    await _kept(visit, take=True)
    visit.say("ok", N_("Planilha descartada: nada foi escrito."))
    return visit.go(HOME)


async def confirm(visit: Visit) -> web.Response:
    """Write the file. Whoever confirms it twice writes it once."""
    kept = await _kept(visit, take=True)
    plan = await _plan(visit, kept)
    if plan.wrong and visit.form.get("skip_bad") != "yes":
        return await _again(visit, kept, visit.language.gettext(
            N_("Há linhas erradas: corrija a planilha, ou marque que só as certas entrem.")))  # fmt: skip
    try:
        if kept["kind"] == "skus":
            number, made, changed = await sku_files.write_file(visit.rt, visit.seller_id, plan.rows, kept["file_name"])
            visit.say("ok", N_("Planilha %(number)s: SKUs criados %(made)s, mudados %(changed)s."), number=number,
                      made=made, changed=changed)  # fmt: skip
            return visit.go(HOME)
        if not plan.good:
            return await _again(visit, kept, visit.language.gettext(N_("Nenhuma linha pode ser escrita.")))
        begun = await stock_files.begin(
            visit.rt, visit.seller_id, plan.good, _mode(kept), file_name=kept["file_name"],
            zeros=visit.form.get("zeros") == "yes",
        )  # fmt: skip
    except Refused as refusal:
        return await _again(visit, kept, stock_words.refused(visit.language, refusal))
    return await _written(visit, begun.number)


async def _again(visit: Visit, kept: dict[str, Any], why: str) -> web.Response:
    """It is not written, and waits as it did."""
    async with visit.tx() as tx:
        made = await skus.upload(tx, kept["kind"], kept["file_name"], bytes(kept["body"]), kept["options"])
    visit.say("bad", "%(why)s", why=why)
    return visit.go(f"{HOME}/previa/{made}")


async def _written(visit: Visit, number: int) -> web.Response:
    did = await stock_files.carry_on(visit.rt, visit.seller_id, number)
    visit.say("ok", N_("Importação %(number)s: escritas %(written)s, mudaram %(changed)s, abertas %(opened)s."),
              number=number, written=did["written"], changed=did["changed"], opened=did["opened"])  # fmt: skip
    return visit.go(f"{HOME}/{number}")


# ── afterwards ──────────────────────────────────────────────────────────────────────────────────────────────


async def one(visit: Visit) -> web.Response:
    """What an import of stock did, and taking it back."""
    return await _one(visit, "")


async def _one(visit: Visit, problem: str, left: Sequence[Any] = ()) -> web.Response:
    number = int(visit.request.match_info["number"])
    async with visit.tx() as tx:
        made = await imports.get(tx, number)
        if made is None:
            raise Problem(404)
        told = await imports.summary(tx, made.id)
        rows = await imports.rows_of(tx, made.id, after=number_asked(visit) or 0, limit=SHOWN + 1)
        houses = await warehouses.names(tx)
    onward = f"{HOME}/{number}?apos={rows[SHOWN - 1]['line']}" if len(rows) > SHOWN else None
    return visit.render(
        "import.html", status=400 if problem else 200, made=made, told=told, rows=rows[:SHOWN], problem=problem,
        left=left, part={"onward": onward, "first": f"{HOME}/{number}" if visit.asked("apos") else None},
        stock=stock_words, houses=houses,
    )  # fmt: skip


async def resume(visit: Visit) -> web.Response:
    """Write what is left of an import that stopped."""
    try:
        return await _written(visit, int(visit.request.match_info["number"]))
    except Refused:
        raise Problem(404) from None


async def undo(visit: Visit) -> web.Response:
    """Take an import of stock back, by entries against it."""
    number = int(visit.request.match_info["number"])
    try:
        done = await stock_files.undo(visit.rt, visit.seller_id, number, rest=visit.form.get("rest") == "yes")
    except Refused as refusal:
        if refusal.kind == "no_import":
            raise Problem(404) from None
        return await _one(visit, stock_words.refused(visit.language, refusal))
    visit.say("ok", N_("Importação %(number)s: linhas desfeitas %(lines)s, ficaram %(left)s."), number=number,
              lines=done.lines, left=len(done.left))  # fmt: skip
    return visit.go(f"{HOME}/{number}")


async def undo_facts(visit: Visit) -> web.Response:
    """Take a sheet of facts back: what nobody changed since is as it was."""
    number = int(visit.request.match_info["number"])
    try:
        count, left = await sku_files.undo_file(visit.rt, visit.seller_id, number)
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=stock_words.refused(visit.language, refusal))
        return visit.go(HOME)
    if left:
        named = ", ".join(left[:NAMED]) + (f" (+{len(left) - NAMED})" if len(left) > NAMED else "")
        sentence = N_(
            "Planilha desfeita. SKUs como antes: %(count)s. Mudaram ou têm uso desde então, e ficam: %(left)s."
        )
        visit.say("ok", sentence, count=count, left=named)
    else:
        visit.say("ok", N_("Planilha desfeita. SKUs como antes: %(count)s."), count=count)
    return visit.go(HOME)

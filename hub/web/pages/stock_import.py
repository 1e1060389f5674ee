"""Sheets of stock and of SKUs: uploaded, looked at line by line, confirmed, and taken back."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from hub import sku_sheet
from hub.stock_sheet import Unusable
from hub.store import imports, skus, warehouses
from hub.web import stock_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.transfers import number_asked
from jobs import imports as stock_files
from jobs import skus as sku_files
from jobs import uploads
from jobs.connect import Refused
from jobs.ledger import Mode

HOME = "/estoque/importar"
SHOWN, LISTED, NAMED = 100, 20, 5
WRITTEN = N_("Importação %(number)s: escritas %(written)s, mudaram %(changed)s, abertas %(opened)s.")
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
    create = visit.form.get("create") == "yes"
    try:
        made = await uploads.upload(visit.rt, visit.seller_id, kind, name, body, mode=mode, create=create)
    except Unusable as problem:
        return await _every(visit, visit.form, stock_words.refused(visit.language, problem))
    return visit.go(f"{HOME}/previa/{made}")


# ── looking at it ───────────────────────────────────────────────────────────────────────────────────────────


async def _kept(visit: Visit, *, take: bool = False) -> uploads.Kept:
    """The file that waits; `take`: nobody else may write it after that."""
    try:
        return await uploads.kept(visit.rt, visit.seller_id, visit.id_in_path(), take=take)
    except Refused:
        raise Problem(404) from None


async def preview(visit: Visit) -> web.Response:
    """What the file would do, line by line, as things stand now."""
    kept = await _kept(visit)
    plan = await uploads.plan(visit.rt, visit.seller_id, kept)
    async with visit.tx() as tx:
        houses = await warehouses.names(tx)
    return visit.render(
        "import_preview.html", houses=houses, kept=kept, plan=plan, changes=plan.changes[:SHOWN], stock=stock_words,
        kinds=KINDS, wrong=[(each.line, stock_words.refused(visit.language, each)) for each in plan.wrong[:SHOWN]],
        made=plan.made, opened=plan.opened, emptied=plan.emptied,
        few=stock_files.FEW,
    )  # fmt: skip


async def discard(visit: Visit) -> web.Response:
    """Do not import it."""
    await _kept(visit, take=True)
    visit.say("ok", N_("Planilha descartada: nada foi escrito."))
    return visit.go(HOME)


async def confirm(visit: Visit) -> web.Response:
    """Write the file. Whoever confirms it twice writes it once."""
    upload_id = visit.id_in_path()
    try:
        done = await uploads.confirm(
            visit.rt, visit.seller_id, upload_id, skip_bad=visit.form.get("skip_bad") == "yes",
            zeros=visit.form.get("zeros") == "yes",
        )  # fmt: skip
    except Refused as refusal:
        if refusal.kind == "no_upload":
            raise Problem(404) from None
        visit.say("bad", "%(why)s", why=stock_words.refused(visit.language, refusal))
        return visit.go(f"{HOME}/previa/{upload_id}")
    if done.kind == "skus":
        visit.say("ok", N_("Planilha %(number)s: SKUs criados %(made)s, mudados %(changed)s."), number=done.number,
                  made=done.made, changed=done.changed)  # fmt: skip
        return visit.go(HOME)
    visit.say("ok", WRITTEN, number=done.number, written=done.written, changed=done.changed, opened=done.opened)
    return visit.go(f"{HOME}/{done.number}")


async def _written(visit: Visit, number: int) -> web.Response:
    did = await stock_files.carry_on(visit.rt, visit.seller_id, number)
    visit.say("ok", WRITTEN, number=number, written=did["written"], changed=did["changed"], opened=did["opened"])
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

"""Stock counts (inventário): opened, counted by keyboard or scanner, compared with the book, posted; CSV in and out."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from hub.sheets import cell
from hub.stock_sheet import Amiss, Row, Trouble, Unusable, decimal, quantity, read_rows
from hub.stocktake import Limits, Line, by_category, is_big, total
from hub.store import counting, sku_list, warehouses
from hub.store.counting import Count
from hub.web import stock_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE
from hub.web.pages.sheet import stream
from hub.web.pages.transfers import number_asked
from jobs import stocktake as flows
from jobs.connect import Refused

HOME = "/inventario"
NOTED, WRONG, SHOWN = 15, 50, 200
LIMITS = Limits()


async def every(visit: Visit) -> web.Response:
    """Inventário."""
    return await _every(visit, {}, "")


async def _every(visit: Visit, told: Any, problem: str) -> web.Response:
    async with visit.tx() as tx:
        rows = await counting.listed(tx, SIZE + 1, number_asked(visit))
        houses = [house for house in await warehouses.named(tx) if house["kind"] in ("own", "damaged")]
        categories, called = await sku_list.categories(tx), await warehouses.names(tx)
    onward = f"{HOME}?{urlencode({'apos': rows[SIZE - 1]['number']})}" if len(rows) > SIZE else None
    return visit.render(
        "counts.html", status=400 if problem else 200, rows=rows[:SIZE], houses=houses, called=called,
        categories=categories, part={"onward": onward, "first": HOME if visit.asked("apos") else None}, told=told,
        problem=problem, stock=stock_words,
    )  # fmt: skip


async def begin(visit: Visit) -> web.Response:
    """Open a count."""
    try:
        number = await flows.open_count(
            visit.rt, visit.seller_id, warehouse=visit.form.get("warehouse") or None,
            category=visit.form.get("category") or None, blind=visit.form.get("blind") == "yes",
            note=visit.form.get("note", "").strip()[:200],
        )  # fmt: skip
    except Refused as refusal:
        return await _every(visit, visit.form, stock_words.refused(visit.language, refusal))
    return visit.go(f"{HOME}/{number}")


# ── counting ────────────────────────────────────────────────────────────────────────────────────────────────


async def _count(visit: Visit) -> Count:
    async with visit.tx() as tx:
        found = await counting.get(tx, int(visit.request.match_info["number"]))
    if found is None:
        raise Problem(404)
    return found


def hidden(visit: Visit, count: Count) -> bool:
    """Whether the book is kept from this reader: of a blind count, from those who count, until it is posted."""
    return count.blind and count.state == "open" and not visit.person.may("operator")


async def one(visit: Visit) -> web.Response:
    """A count: what was read or typed last, and what is left."""
    return await _one(visit, {}, "")


async def _one(
    visit: Visit, told: dict[str, str], problem: str, wrong: Sequence[Trouble] = (), status: int = 200
) -> web.Response:
    count = await _count(visit)
    code = told.get("code") or visit.asked("codigo") or ""
    more = visit.asked("ver") == "faltam"
    async with visit.tx() as tx:
        skus, counted = await counting.progress(tx, count.id)
        noted = await counting.entries(tx, count.id, NOTED)
        left = await counting.waiting(tx, count.id, visit.asked("apos"), SIZE + 1) if more else []
        asked = await sku_list.named(tx, code) if code and not problem else None
        called = await warehouses.names(tx)
    onward = None
    if len(left) > SIZE:
        onward = f"{HOME}/{count.number}?" + urlencode({"ver": "faltam", "apos": left[SIZE - 1]["sku"]})
    return visit.render(
        "count.html", status=400 if problem or wrong else status, count=count, called=called, skus=skus,
        counted=counted, noted=noted, left=left[:SIZE], more=more, part={"onward": onward, "first": None},
        told=told, code=code, asked=asked, problem=problem, stock=stock_words, wrong_count=len(wrong),
        wrong=[(each.line, stock_words.refused(visit.language, each)) for each in wrong[:WRONG]],
        adding=(told.get("mode") or visit.asked("modo")) == "somar", limit=visit.request.client_max_size,
    )  # fmt: skip


async def note(visit: Visit) -> web.Response:
    """What was typed or scanned: a code, with a quantity or without one.

    Without: one more of it where each reading counts as one, else the page asks how many.
    """
    count = await _count(visit)
    code, told = visit.form.get("code", "").strip(), visit.form.get("units", "").strip()
    adding = visit.form.get("mode") == "somar"
    async with visit.tx() as tx:
        known = await sku_list.named(tx, code)
    if known is None:
        why = stock_words.sentence(visit.language, "no_sku" if code else "sku_empty", sku=code)
        return await _one(visit, dict(visit.form), why)
    keep = {"modo": "somar"} if adding else {}
    if not told and not adding:
        return visit.go(f"{HOME}/{count.number}?{urlencode({**keep, 'codigo': known['code']})}")
    try:
        rows = [Row(1, known["code"], quantity(told or "1"), None)]
        lines, wrong = await flows.enter(visit.rt, visit.seller_id, count.number, rows, add=adding)
    except Amiss as problem:
        return await _one(visit, dict(visit.form), stock_words.refused(visit.language, problem))
    except Refused as refusal:
        return await _one(visit, dict(visit.form), stock_words.refused(visit.language, refusal))
    if wrong:
        return await _one(visit, dict(visit.form), stock_words.refused(visit.language, wrong[0]))
    (line,) = lines
    if hidden(visit, count):
        visit.say("ok", N_("%(sku)s: %(units)s"), sku=line.sku, units=line.units)
    else:
        visit.say("ok", N_("%(sku)s: %(units)s (o sistema diz %(book)s)"), sku=line.sku, units=line.units,
                  book=line.book)  # fmt: skip
    return visit.go(f"{HOME}/{count.number}{'?' if keep else ''}{urlencode(keep)}")


async def file(visit: Visit) -> web.Response:
    """Note what was counted from a CSV file: all of it, or nothing."""
    count = await _count(visit)
    posted = await visit.request.post()
    sent = posted.get("file")
    body = sent.file.read() if isinstance(sent, web.FileField) else b""
    try:
        rows, troubles = read_rows(body)
        lines, wrong = ([], troubles) if troubles else await flows.enter(visit.rt, visit.seller_id, count.number, rows)
    except (Unusable, Refused) as refusal:
        return await _one(visit, {}, stock_words.refused(visit.language, refusal))
    if wrong:
        return await _one(visit, {}, "", wrong)
    visit.say("ok", N_("SKUs anotados da planilha: %(count)s."), count=len(lines))
    return visit.go(f"{HOME}/{count.number}")


# ── the report ──────────────────────────────────────────────────────────────────────────────────────────────


async def report(visit: Visit) -> web.Response:
    """How the count differs from the book, and what posting it would book."""
    return await _report(visit, "", set())


async def _report(visit: Visit, problem: str, asks: set[str]) -> web.Response:
    count = await _count(visit)
    if hidden(visit, count):
        raise Problem(403)
    _count_again, lines = await flows.report(visit.rt, visit.seller_id, count.number)
    differs = [line for line in lines if line.variance or line.flags]
    differs.sort(key=lambda line: (-abs(line.value_cents or 0), -abs(line.variance or 0), line.sku))
    if any(line.flags for line in differs):
        asks = asks | {"flagged"}
    big = {line.sku for line in differs if is_big(line, LIMITS)}
    return visit.render(
        "count_report.html", status=400 if problem else 200, count=count, lines=differs[:SHOWN], found=len(differs),
        total=total(lines), sums=by_category(lines), uncounted=sum(line.units is None for line in lines), big=big,
        asks=asks | ({"big"} if big else set()), problem=problem, stock=stock_words,
    )  # fmt: skip


async def post(visit: Visit) -> web.Response:
    """Correct the book by the differences, all at once."""
    count = await _count(visit)
    if hidden(visit, count):
        raise Problem(403)
    try:
        done = await flows.post(
            visit.rt, visit.seller_id, count.number, limits=LIMITS, yes=visit.form.get("big") == "yes",
            accept_flagged=visit.form.get("flagged") == "yes",
        )  # fmt: skip
    except Refused as refusal:
        return await _report(visit, stock_words.refused(visit.language, refusal), set())
    visit.say("ok", N_("Inventário %(number)s lançado: corrigidos %(corrected)s de %(counted)s (+%(more)s −%(less)s)."),
              number=count.number, corrected=done.corrected, counted=done.counted, more=done.more,
              less=done.less)  # fmt: skip
    return visit.go(f"{HOME}/{count.number}/diferencas")


async def cancel(visit: Visit) -> web.Response:
    """Give it up: nothing is booked."""
    count = await _count(visit)
    try:
        await flows.cancel(visit.rt, visit.seller_id, count.number)
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=stock_words.refused(visit.language, refusal))
    else:
        visit.say("ok", N_("Inventário %(number)s cancelado: nada foi lançado."), number=count.number)
    return visit.go(HOME)


async def sheet(visit: Visit) -> web.StreamResponse:
    """Every line as CSV: to be counted on paper and read in again, or the differences."""
    count = await _count(visit)
    _same, lines = await flows.report(visit.rt, visit.seller_id, count.number)
    left_out = {"book", "variance", "value", "flags"} if hidden(visit, count) else set()
    if not visit.person.may("viewer"):
        left_out.add("value")
    names = [name for name in stock_words.COUNT_SHEET if name not in left_out]
    heads = []
    for name in names:
        head = stock_words.COUNT_SHEET[name]
        heads.append(visit.language.gettext(head))

    async def parts() -> AsyncIterator[list[list[str]]]:
        yield [[_cell(visit, line, name) for name in names] for line in lines]

    return await stream(visit, f"inventario-{count.number}", heads, parts())


def _cell(visit: Visit, line: Line, name: str) -> str:
    if name == "value":
        return decimal(line.value_cents) or ""  # our own number: a minus before it is no formula
    if name == "flags":
        words = [stock_words.FLAG[flag.value] for flag in line.flags]
        return ", ".join(map(visit.language.gettext, words))
    return cell(getattr(line, name))

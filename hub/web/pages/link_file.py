"""Links as a sheet: every listing with what it is or may be, and the filled sheet back, looked at before it is done."""

from collections.abc import AsyncIterator
from dataclasses import asdict

from aiohttp import web
from aiohttp.web_request import FileField

from hub.link_sheet import lines, links_only, read_rows
from hub.stock_sheet import Trouble, Unusable
from hub.web import link_words, refusal_words
from hub.web.edge import Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import id_asked
from hub.web.pages.linking import HOME
from hub.web.pages.sheet import in_parts, stream
from jobs import linking, linking_file
from jobs.linking_file import Asked, Plan

SHOWN = 200


async def sheet(visit: Visit) -> web.StreamResponse:
    """Listings with their links, or the likeliest SKU, for a person to fill in; sent as it is read."""
    told = linking.sheet(visit.rt, visit.seller_id, id_asked(visit, "conta"), unlinked_only=visit.asked("tudo") is None)

    async def parts() -> AsyncIterator[list[list[str]]]:
        async for some in in_parts(told):
            yield list(lines(some, visit.language.tag))

    return await stream(visit, "vinculos", [visit.language.gettext(name) for name in link_words.FILE], parts())


async def look(visit: Visit) -> web.Response:
    """What a filled sheet would do, line by line; nothing is written."""
    told = (await visit.request.post()).get("file")
    if not isinstance(told, FileField) or not told.filename:
        visit.say("bad", N_("Escolha o arquivo CSV."))
        return visit.go(HOME)
    return await _look(visit, told.file.read())


async def _look(visit: Visit, body: bytes) -> web.Response:
    create = visit.form.get("create") == "yes"
    try:
        rows, troubles, silent = read_rows(body)
    except Unusable as problem:
        visit.say("bad", "%(why)s", why=refusal_words.told(visit.language, problem))
        return visit.go(HOME)
    made = await linking_file.plan(visit.rt, visit.seller_id, [Asked(**asdict(row)) for row in rows], create=create)
    wrong = sorted(
        [*troubles, *(Trouble(line, said, said.kind, said.params) for line, said in made.wrong.items())],
        key=lambda one: one.line,
    )
    changing = [row for row in rows if row.line in made.good and made.good[row.line][0] != "same"]
    return visit.render(
        "link_file.html", counts={kind: len(found) for kind, found in made.by_kind().items()}, silent=silent,
        wrong=[(one.line, refusal_words.told(visit.language, one)) for one in wrong], shown=SHOWN,
        rows=[(row, made.good[row.line][0]) for row in changing[:SHOWN]], total=len(changing),
        made=sorted(made.new), text=links_only(changing), create=create, link=link_words,
    )  # fmt: skip


async def write(visit: Visit) -> web.Response:
    """Make the links that the look showed; what became wrong meanwhile is left out, and said."""
    try:
        rows, _troubles, _silent = read_rows(visit.form.get("rows", "").encode())
    except Unusable as problem:
        visit.say("bad", "%(why)s", why=refusal_words.told(visit.language, problem))
        return visit.go(HOME)
    create = visit.form.get("create") == "yes"
    made: Plan = await linking_file.plan(
        visit.rt, visit.seller_id, [Asked(**asdict(row)) for row in rows], create=create
    )  # fmt: skip
    done = await linking_file.carry_out(visit.rt, visit.seller_id, made)
    left = [*made.wrong.values(), *made.refused]
    told = [visit.language.gettext(N_("Vínculos gravados: %(count)s."), count=visit.language.number(done))]
    told += [refusal_words.told(visit.language, each) for each in left[:3]]
    visit.say("bad" if left else "ok", "%(said)s", said=" ".join(told))
    return visit.go(HOME)

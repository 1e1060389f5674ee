"""Separação: what goes into each box, soonest to leave first; the list on paper, and packing code by code."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web
from yarl import URL

from hub import deadlines, picking
from hub.picking import Said
from hub.store import picking as store
from hub.web import deadline_words, picking_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE, Part, id_asked, part
from jobs import order_desk as desk

HOME = "/separacao"
CHECK = f"{HOME}/conferir"
MOST = 100  # orders in one go
FIRST = (20, 50, 100)  # how many orders a list takes, where none are chosen
COUNTED = 1000
FOUND = 20
UNDO = "desfazer"  # the orders just marked, in the address


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────


def _place(visit: Visit) -> store.Place | None:
    kind, _, rest = (visit.asked("apos") or "").partition("~")
    at, _, id_ = rest.partition("~")
    try:
        instant = datetime.fromisoformat(at)
        return (kind == "p", instant, UUID(id_)) if instant.tzinfo and kind in ("p", "s") else None
    except ValueError:
        return None


def _place_of(row: Mapping[str, Any]) -> str:
    return f"{'p' if row['ship_by'] else 's'}~{row['due'].isoformat()}~{row['id']}"


def plain(href: str | None) -> str | None:
    """An address of ours without what could be undone there."""
    return str(URL(href).without_query_params(UNDO)) if href else None


def _first(visit: Visit) -> int:
    told = visit.asked("n")
    return next((each for each in FIRST if told == str(each)), FIRST[1])


def _stage(visit: Visit, row: Mapping[str, Any]) -> tuple[str, str] | None:
    return deadline_words.STAGE[deadlines.clock(row["ship_by"], visit.now)[0]] if row["ship_by"] else None


def _by_order(rows: Sequence[Mapping[str, Any]]) -> dict[UUID, list[Mapping[str, Any]]]:
    found: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["order_id"]].append(row)
    return found


async def every(visit: Visit) -> web.Response:
    """What is to be packed now, order by order or SKU by SKU."""
    told, house = visit.asked("fila"), id_asked(visit, "deposito")
    chosen = told if told in picking_words.QUEUES else next(iter(picking_words.QUEUES))
    queue, first = picking_words.QUEUES[chosen][0], _first(visit)
    by_sku = visit.asked("ver") == "sku" and queue == "todo"
    async with visit.tx() as tx:
        houses = await store.houses(tx)
        house = house if any(row["id"] == house for row in houses) else None
        counts = await store.counts(tx, house, COUNTED + 1)
        if by_sku:
            page = Part(rows=await store.queue(tx, queue, house=house, limit=first), onward=None, first=None)
        else:
            rows = await store.queue(tx, queue, house=house, after=_place(visit), limit=SIZE + 1)
            page = part(visit, rows, place_of=_place_of)
            page = Part(rows=page.rows, onward=plain(page.onward), first=plain(page.first))
        ids = [row["id"] for row in page.rows]
        items = await store.items(tx, ids, house)
        also = await store.elsewhere(tx, ids, house) if house else {}
    shown = [{**row, "stage": _stage(visit, row), "also": also.get(row["id"])} for row in page.rows]
    keep = {"deposito": str(house)} if house else {}
    return visit.render(
        "picking.html", part=page, rows=shown, chosen=chosen, queue=queue, counts=counts, most=COUNTED, by_sku=by_sku,
        items=_by_order(items), fetch=picking.to_fetch(items) if by_sku else [], houses=houses, house=house,
        first=first, firsts=FIRST, keep=keep, works=visit.person.may("warehouse"), undo=undoable(visit),
        numbers={row["id"]: row["number"] for row in page.rows}, picking_words=picking_words,
    )  # fmt: skip


# ── on paper ────────────────────────────────────────────────────────────────────────────────────────────────


async def paper(visit: Visit) -> web.Response:
    """The first orders to be packed, on paper."""
    house, first = id_asked(visit, "deposito"), _first(visit)
    async with visit.tx() as tx:
        rows = await store.queue(tx, "todo", house=house, limit=first)
    return await _paper(visit, rows, house)


async def paper_of_chosen(visit: Visit) -> web.Response:
    """The chosen orders that may be packed, on paper."""
    ids = _ids(visit)
    if not _few(visit, ids):
        return visit.go(home(visit))
    async with visit.tx() as tx:
        rows = await store.some(tx, ids)
    try:
        house = UUID(visit.form["deposito"]) if visit.form.get("deposito") else None
    except ValueError:
        raise Problem(400) from None
    return await _paper(visit, rows, house)


async def _paper(visit: Visit, rows: Sequence[Mapping[str, Any]], house: UUID | None) -> web.Response:
    fine = [row for row in rows if row["why"] is None]
    ids = [row["id"] for row in fine]
    async with visit.tx() as tx:
        items = await store.items(tx, ids, house)
        also = await store.elsewhere(tx, ids, house) if house else {}
        names = {row["id"]: row["name"] for row in await store.houses(tx)}
    return visit.render(
        "picking_list.html", rows=[{**row, "also": also.get(row["id"])} for row in fine], items=_by_order(items),
        fetch=picking.to_fetch(items), house=names.get(house) if house else None,
        units=sum(row["units"] for row in items), left=[row for row in rows if row["why"] is not None],
        picking_words=picking_words,
    )  # fmt: skip


# ── marking ─────────────────────────────────────────────────────────────────────────────────────────────────


def home(visit: Visit) -> str:
    """Where a form of these pages goes back to; what could be undone before is forgotten."""
    onward = visit.form.get("next", HOME)
    ours = onward in (HOME, "/prazos") or onward.startswith((f"{HOME}?", f"{HOME}/", "/prazos?"))
    return plain(onward if ours else HOME) or HOME


def undoable(visit: Visit) -> list[UUID]:
    """The orders that the address says were just marked; none where it says nonsense."""
    try:
        return [UUID(each) for each in visit.request.query.get(UNDO, "").split(",") if each][:MOST]
    except ValueError:
        return []


def _ids(visit: Visit) -> list[UUID]:
    """The ids of the ticked boxes, in the order shown. Problem(400) for what is no id."""
    try:
        return [UUID(name.removeprefix("o:")) for name in visit.form if name.startswith("o:")]
    except ValueError:
        raise Problem(400) from None


def _few(visit: Visit, ids: Sequence[UUID]) -> bool:
    if not ids:
        visit.say("bad", N_("Escolha pelo menos um pedido."))
    elif len(ids) > MOST:
        visit.say("bad", N_("Escolha no máximo %(most)s pedidos de uma vez."), most=MOST)
    return 0 < len(ids) <= MOST


async def pack(visit: Visit) -> web.Response:
    """Mark the chosen orders as packed; those that must not be packed are named, with the reason."""
    ids, onward = _ids(visit), home(visit)
    if not _few(visit, ids):
        return visit.go(onward)
    async with visit.tx() as tx:
        known = await store.some(tx, ids)
    fine = [row["id"] for row in known if row["why"] is None and row["packed_at"] is None]
    left = [_refused(visit, row) for row in known if row["why"]]
    count = await desk.mark(visit.rt, visit.seller_id, fine, "packed", visit.person.name)
    told = [visit.language.gettext(N_("Marcados como embalados: %(count)s."), count=count), *left[:3]]
    if len(left) > len(told) - 1:
        told.append(visit.language.gettext(N_("E mais %(more)s."), more=len(left) - len(told) + 1))
    visit.say("bad" if left else "ok", "%(said)s", said=" ".join(told))
    return visit.go(_with_undo(onward, fine))


def _refused(visit: Visit, row: Mapping[str, Any]) -> str:
    sentence = picking_words.REFUSED[row["why"]]
    return visit.language.gettext(sentence, number=row["number"])


def _with_undo(onward: str, ids: Sequence[UUID]) -> str:
    return str(URL(onward).update_query({UNDO: ",".join(map(str, ids))})) if ids else onward


async def unpack(visit: Visit) -> web.Response:
    """The chosen orders are not packed after all."""
    ids = _ids(visit)
    if _few(visit, ids):
        count = await desk.mark(visit.rt, visit.seller_id, ids, "packed", visit.person.name, done=False)
        visit.say("ok", N_("Não estão mais como embalados: %(count)s."), count=count)
    return visit.go(home(visit))


# ── code by code ────────────────────────────────────────────────────────────────────────────────────────────


async def find(visit: Visit) -> web.Response:
    """The order of a code that was typed or read."""
    code = (visit.asked("codigo") or "").removeprefix("#")
    rows: list[dict[str, Any]] = []
    if code:
        async with visit.tx() as tx:
            ids = await store.by_code(tx, code, FOUND)
            rows = await store.some(tx, ids) if ids else []
    alive = [row for row in rows if row["why"] is None] or rows
    if len(alive) == 1 and alive[0]["why"] is None:
        return visit.go(f"{CHECK}/{alive[0]['id']}")
    problem = None
    if code and not alive:
        problem = visit.language.gettext(picking_words.NOWHERE, code=code)
    elif len(alive) == 1:
        problem = _refused(visit, alive[0])
    return visit.render(
        "picking_find.html", problem=problem, rows=alive if len(alive) > 1 else [], undo=undoable(visit),
        picking_words=picking_words, status=400 if problem else 200,
    )  # fmt: skip


async def check(visit: Visit) -> web.Response:
    """One order's items, to be read one by one."""
    row, items = await _order(visit)
    return _shown(visit, row, items, {})


async def _order(visit: Visit) -> tuple[dict[str, Any], list[picking.Item]]:
    async with visit.tx() as tx:
        rows = await store.some(tx, [visit.id_in_path()])
        if not rows:
            raise Problem(404)
        return rows[0], picking.to_check(await store.items(tx, [rows[0]["id"]]))


def _shown(
    visit: Visit, row: Mapping[str, Any], items: Sequence[picking.Item], done: Mapping[str, int], *,
    said: tuple[bool, str] | None = None,
) -> web.Response:  # fmt: skip
    why = _refused(visit, row) if row["why"] else None
    return visit.render(
        "picking_check.html", order=row, items=items, done=done, said=said, why=why, stage=_stage(visit, row),
        left=sum(item.units - done.get(item.name, 0) for item in items), status=200 if said is None or said[0] else 400,
    )  # fmt: skip


async def read(visit: Visit) -> web.Response:
    """Count one item that was read; with the last one the order is packed."""
    row, items = await _order(visit)
    done = {item.name: _counted(visit.form.get(f"d:{item.name}", ""), item.units) for item in items}
    code = visit.form.get("lido", "").strip()[:200]
    if row["why"] or row["packed_at"] or not code:
        return _shown(visit, row, items, done)
    said, item = picking.read(items, done, code)
    if said is Said.COUNTED and item:
        done[item.name] += 1
    if picking.is_whole(items, done):
        await desk.mark(visit.rt, visit.seller_id, [row["id"]], "packed", visit.person.name)
        visit.say("ok", N_("Pedido %(number)s conferido e embalado."), number=row["number"])
        return visit.go(_with_undo(CHECK, [row["id"]]))
    left = item.units - done[item.name] if item else 0
    sentence = visit.language.gettext(
        picking_words.SAID[said], item=item.name if item else "", left=left, code=code
    )  # fmt: skip
    return _shown(visit, row, items, done, said=(said is Said.COUNTED, sentence))


def _counted(told: str, most: int) -> int:
    return min(int(told), most) if told.isascii() and told.isdigit() and len(told) < 7 else 0  # noqa: PLR2004 - no order has a million of one thing

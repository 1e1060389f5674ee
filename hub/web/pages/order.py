"""One order whole: lines, money, buyer, reservations, parcels, notes, its story, and the documents behind it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from aiohttp import web

from hub import parcel_link
from hub.redaction import redact
from hub.store import channel_labels, labels, lookup, order_desk, orders, screens, stock, warehouses
from hub.web import label_words, order_words, stock_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.order_story import story
from hub.web.privacy import buyer_for
from jobs import allocations
from jobs.channel_labels import issuers
from jobs.connect import Refused

LONGEST_NOTE = 2000
LONGEST_DOCUMENT = 300_000  # characters of a document that a page shows

MONEY = ("items_cents", "discount_cents", "shipping_cents", "other_cents")
AFTER_TOTAL = ("fees_cents", "channel_discount_cents", "refunded_cents")


async def one(visit: Visit) -> web.Response:
    """Lines, money, buyer, what is reserved and what is short, parcels, notes, story."""
    return await _render(visit)


async def _render(visit: Visit, *, status: int = 200, note: str = "", problem: str | None = None) -> web.Response:
    async with visit.tx() as tx:
        order = await orders.detail(tx, visit.id_in_path())
        if order is None:
            raise Problem(404)
        id_ = order["id"]
        parcels = [shipment["id"] for shipment in order["shipments"]]
        scans = await screens.scans(tx, parcels)
        papers = await screens.papers(tx, id_)
        bought = await labels.of_orders(tx, [id_])
        issued = await channel_labels.of_orders(tx, issuers(), [id_]) if order["status"] == "paid" else []
        known = {
            "notes": await order_desk.notes(tx, id_), "messages": await order_desk.messages(tx, id_),
            "handling": await order_desk.handling(tx, id_), "listings": await order_desk.listings(tx, id_),
            "parts": await order_desk.parts(tx, id_),
        }  # fmt: skip
        houses = await warehouses.names(tx)
        told = story(
            visit.language, events=order["events"], notices=await order_desk.notices(tx, id_), scans=scans,
            movements=[{**row, "warehouse": houses[row["warehouse"]]}
                       for row in await order_desk.movements(tx, id_)],
            mails=await order_desk.mails(tx, id_),
        )  # fmt: skip
    works = visit.person.may("operator")
    links = {each: f"/r/{parcel_link.token_of(visit.rt.vault, visit.seller_id, each)}" for each in parcels}
    return visit.render(
        "order.html", status=status, order=order, scans=_by("shipment_id", scans), labels=bought, links=links,
        channel_labels=issued,
        held=_by("line_ref", order["reservations"]), short=_by("line_ref", order["shortages"]), works=works,
        units_short=sum(row["quantity"] for row in order["shortages"]), buyer=buyer_for(order["told"], whole=works),
        money=money_of(order["told"]), difference=difference_of(order["told"], order["total_cents"]),
        invoices=papers["invoices"], returns=papers["returns"], story=told, note=note, problem=problem,
        names=order_words.PART, houses=houses, label_chips=label_words.STATUS,
        may_read=visit.person.may("manager"), **known,
    )  # fmt: skip


def _by(name: str, rows: Iterable[dict[str, Any]]) -> Mapping[object, list[dict[str, Any]]]:
    found: dict[object, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[name]].append(row)
    return found


def money_of(told: Mapping[str, Any]) -> dict[str, int]:
    """The parts of an order's money that its channel told and that are not nothing."""
    return {name: told[name] for name in (*MONEY, *AFTER_TOTAL) if told.get(name)}


def difference_of(told: Mapping[str, Any], total_cents: int | None) -> int | None:
    """Centavos by which the total differs from its parts; None where it does not, or cannot be said."""
    parts = [told.get(name) for name in MONEY]
    if total_cents is None or parts[0] is None:
        return None
    items, discount, shipping, other = (part or 0 for part in parts)
    return (total_cents - (items - discount + shipping + other)) or None


# ── notes ───────────────────────────────────────────────────────────────────────────────────────────────────


async def note(visit: Visit) -> web.Response:
    """Note something about an order."""
    body = visit.form.get("body", "").strip()
    problem = None
    if not body:
        problem = N_("Escreva a nota.")
    elif len(body) > LONGEST_NOTE:
        problem = N_("Nota longa demais: no máximo 2.000 letras.")
    if problem:
        return await _render(visit, status=400, note=body, problem=visit.language.gettext(problem))
    async with visit.tx() as tx:
        made = await order_desk.note(tx, visit.id_in_path(), visit.person.user_id, visit.person.name, body)
    if made is None:
        raise Problem(404)
    return visit.go(f"/pedidos/{visit.id_in_path()}#notas")


async def unnote(visit: Visit) -> web.Response:
    """Take a note away: one's own, or as a manager anybody's."""
    try:
        note_id = UUID(visit.request.match_info["note"])
    except ValueError:
        raise Problem(404) from None
    own = None if visit.person.may("manager") else visit.person.user_id
    async with visit.tx() as tx:
        if not await order_desk.unnote(tx, visit.id_in_path(), note_id, own):
            raise Problem(404)
        await stock.audit(tx, "order_note_removed", str(visit.id_in_path()))
    visit.say("ok", N_("Nota removida."))
    return visit.go(f"/pedidos/{visit.id_in_path()}#notas")


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────


def shown(raw: bytes) -> tuple[str, bool]:
    """A document as people read it, without its secrets; and whether its end is left out."""
    text = raw.decode("utf-8", "replace")
    with suppress(ValueError):  # some channels tell XML or text: it is shown as it came
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return redact(text)[:LONGEST_DOCUMENT], len(text) > LONGEST_DOCUMENT


async def document(visit: Visit) -> web.Response:
    """What a channel told, as it told it. Who looked is noted."""
    what = visit.request.match_info["what"]
    async with visit.tx() as tx:
        order = await orders.detail(tx, visit.id_in_path())
        found = await order_desk.document(tx, visit.id_in_path(), what)
        if order is None or found is None:
            raise Problem(404)
        await stock.audit(tx, "order_document_read", str(order["id"]), document=what)
    text, cut = shown(found[0])
    return visit.render(
        "order_document.html", order=order, text=text, cut=cut, at=found[1], name=order_words.PART.get(what)
    )


# ── where it leaves from ────────────────────────────────────────────────────────────────────────────────────


async def allocation(visit: Visit) -> web.Response:
    """Which warehouse each line would come from, were it placed now, and why; what it holds now beside it."""
    async with visit.tx() as tx:
        order = await orders.detail(tx, visit.id_in_path())
        shelves = [row for row in await lookup.warehouses(tx) if row["kind"] in warehouses.DRAWN]
    if order is None:
        raise Problem(404)
    try:
        told = await allocations.preview(visit.rt, visit.seller_id, order["id"])
    except Refused:
        raise Problem(404) from None
    ids = {take.sku_id for take in told.takes} | {sku for _line, sku in told.short}
    ids |= {each for step in told.steps for value in step.params.values() for each in _ids(value)}
    async with visit.tx() as tx:
        names, houses = await screens.names(tx, ids), await warehouses.names(tx)
    titles = {line["ref"]: line["title"] or line["ref"] for line in order["lines"]}
    return visit.render(
        "order_allocation.html", order=order, steps=list(told.explain(visit.language.tag, names)), shelves=shelves,
        held=order["reservations"], short=order["shortages"], titles=titles, houses=houses,
        takes=[(titles.get(take.line_ref, take.line_ref), names[take.sku_id], names[take.warehouse_id], take.units)
               for take in told.takes],
    )  # fmt: skip


def _ids(value: object) -> Sequence[UUID]:
    return [each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, UUID)]


async def place(visit: Visit) -> web.Response:
    """Have an order leave from the warehouse chosen."""
    id_ = visit.id_in_path()
    try:
        moved = await allocations.place(visit.rt, visit.seller_id, id_, visit.form.get("warehouse", "").strip()[:80])
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=stock_words.refused(visit.language, refusal))
    else:
        visit.say("ok", N_("Unidades que mudaram de depósito: %(moved)s."), moved=moved)
    return visit.go(f"/pedidos/{id_}/alocacao")

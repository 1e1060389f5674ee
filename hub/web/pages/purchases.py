"""Purchase orders: the list, one whole with its forms, and as a sheet or on paper."""

from datetime import datetime, time
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web

from hub.replenishment_sheet import money, number, purchase_csv
from hub.store import purchases, stock, suppliers, warehouses
from hub.web import restock_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE, part, place_asked
from hub.web.pages.restock import MOST, refused
from jobs import purchase
from jobs.connect import Refused

HOME = "/compras"
AFTER = "fornecedores_apos"


async def every(visit: Visit) -> web.Response:
    """Compras."""
    told = visit.asked("situacao")
    status = told if told in restock_words.PURCHASE_FILTERS else None
    async with visit.tx() as tx:
        rows = await purchases.listed(tx, status=status, after=place_asked(visit), limit=SIZE + 1)
        known = await suppliers.every(tx, after=visit.asked(AFTER), limit=SIZE + 1)
    return visit.render(
        "purchases.html", part=part(visit, rows, "created_at"), chosen=status, restock=restock_words,
        suppliers=part(visit, known, place_of=lambda row: str(row["name"]), name=AFTER),
    )  # fmt: skip


async def _found(visit: Visit) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    order_id = visit.id_in_path()
    async with visit.tx() as tx:
        order = await purchases.find(tx, str(order_id))
        if order is None:
            raise Problem(404)
        return order, await purchases.lines(tx, order_id)


async def one(visit: Visit) -> web.Response:
    """One order: its lines, what came, and what can be done now."""
    return await _one(visit, {}, str(uuid4()))


async def _one(visit: Visit, told: dict[str, str], ref: str, *, asks_over: bool = False) -> web.Response:
    order, lines = await _found(visit)
    async with visit.tx() as tx:
        came = await purchases.receipts(tx, order["id"])
        shelves = [row for row in await warehouses.named(tx) if row["kind"] == "own"]
        houses = await warehouses.names(tx)
    return visit.render(
        "purchase.html", houses=houses, order=order, lines=lines, came=came, told=told, ref=ref, asks_over=asks_over,
        shelves=shelves, restock=restock_words,
    )  # fmt: skip


async def sheet(visit: Visit) -> web.Response:
    """The order as a spreadsheet opens it."""
    order, lines = await _found(visit)
    named = f'attachment; filename="pedido-de-compra-{order["number"]}.csv"'
    body = purchase_csv(order, lines).encode()
    return web.Response(body=body, content_type="text/csv", charset="utf-8", headers={"Content-Disposition": named})


async def printed(visit: Visit) -> web.Response:
    """The order as it goes to the supplier, on paper."""
    order, lines = await _found(visit)
    return visit.render("purchase_print.html", order=order, lines=lines)


# ── actions ─────────────────────────────────────────────────────────────────────────────────────────────────


def _back(visit: Visit, order_id: UUID) -> web.Response:
    return visit.go(f"{HOME}/{order_id}")


def _read(visit: Visit, lines: list[dict[str, Any]]) -> dict[str, tuple[int, int | None]]:
    """(quantity, cost) by SKU of a form's q: and c: fields. Refused for what is no number."""
    found: dict[str, tuple[int, int | None]] = {}
    codes = [line["sku"] for line in lines]
    extra = visit.form.get("new", "").strip()
    for code in [*codes, *([extra] if extra else [])]:
        key = code if code in codes else "new"
        units, cost = visit.form.get(f"q:{key}", "").strip(), visit.form.get(f"c:{key}", "").strip()
        if not units:
            continue
        try:
            quantity = int(number(units, whole=True, low=0, high=MOST))
        except ValueError as problem:
            raise purchase.PurchaseRefused("quantity", f"quantity of {code}: {problem}", sku=code) from None
        try:
            found[code] = (quantity, money(cost) if cost else None)
        except ValueError as problem:
            raise purchase.PurchaseRefused("cost", f"cost of {code}: {problem}", sku=code) from None
    return found


async def edit(visit: Visit) -> web.Response:
    """Change a draft's lines."""
    order, lines = await _found(visit)
    try:
        await purchase.edit(visit.rt, visit.seller_id, order["id"], _read(visit, lines))
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
    else:
        visit.say("ok", N_("Pedido de compra %(number)s: itens guardados."), number=order["number"])
    return _back(visit, order["id"])


async def send(visit: Visit) -> web.Response:
    """The supplier has it."""
    order, _lines = await _found(visit)
    try:
        told = visit.form.get("expected", "").strip()
        expected = (
            datetime.combine(datetime.fromisoformat(told).date(), time(23, 59), visit.language.zone) if told else None
        )
        await purchase.send(visit.rt, visit.seller_id, order["id"], expected_at=expected)
    except ValueError:
        visit.say("bad", N_("A data prevista não pode ser lida."))
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
    else:
        visit.say("ok", N_("Pedido de compra %(number)s enviado: as unidades contam como a caminho."),
                  number=order["number"])  # fmt: skip
    return _back(visit, order["id"])


async def receive(visit: Visit) -> web.Response:
    """Book what came. The form carries its reference, so that sending it twice moves stock once."""
    order, lines = await _found(visit)
    ref = visit.form.get("ref", "").strip()[:100] or str(uuid4())
    try:
        done = await purchase.receive(
            visit.rt, visit.seller_id, order["id"], ref, _read(visit, lines),
            warehouse=visit.form.get("warehouse") or None, over=visit.form.get("over") == "yes",
        )  # fmt: skip
    except Refused as refusal:
        asks = isinstance(refusal, purchase.PurchaseRefused) and refusal.kind in ("over", "done")
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
        return await _one(visit, dict(visit.form), ref, asks_over=asks)
    if done.again:
        visit.say("ok", N_("Este recebimento já estava registrado: nada foi somado de novo."))
    else:
        visit.say("ok", N_("Unidades recebidas: %(units)s. Faltas de pedidos foram supridas primeiro."),
                  units=done.units)  # fmt: skip
    return _back(visit, order["id"])


async def close_short(visit: Visit) -> web.Response:
    """What is missing will not come."""
    return await _end(visit, short=True)


async def cancel(visit: Visit) -> web.Response:
    """Call it off."""
    return await _end(visit, short=False)


async def _end(visit: Visit, *, short: bool) -> web.Response:
    order, _lines = await _found(visit)
    try:
        await (purchase.close_short if short else purchase.cancel)(visit.rt, visit.seller_id, order["id"])
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=refused(visit, refusal))
    else:
        done = N_("Pedido de compra %(number)s encerrado.") if short else N_("Pedido de compra %(number)s cancelado.")
        visit.say("ok", done, number=order["number"])
    return _back(visit, order["id"])


async def add_supplier(visit: Visit) -> web.Response:
    """A supplier by name, with its lead time."""
    name, days = visit.form.get("name", "").strip()[:200], visit.form.get("lead_time_days", "").strip()
    try:
        lead = number(days, whole=False, low=0, high=730) if days else None
    except ValueError:
        visit.say("bad", N_("Prazo de reposição: diga um número de dias de 0 a 730."))
        return visit.go(HOME)
    if not name or not name.isprintable():
        visit.say("bad", N_("Diga o nome do fornecedor."))
        return visit.go(HOME)
    async with visit.tx() as tx:
        made = await suppliers.add(tx, name, lead_time_days=lead, email=visit.form.get("email", "").strip() or None)
        if made is not None:
            await stock.audit(tx, "supplier_add", str(made), name=name)
    if made is None:
        visit.say("bad", N_("Já há um fornecedor %(name)s."), name=name)
    else:
        visit.say("ok", N_("Fornecedor %(name)s incluído."), name=name)
    return visit.go(HOME)

"""Orders: the list with its filters, search and saved views, what is done to many at once, and the sheet."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from aiohttp import web

from hub.replenishment_sheet import money
from hub.sheets import cell
from hub.stock_sheet import decimal
from hub.store import accounts, order_desk, order_list, stock
from hub.store.order_list import Wanted
from hub.web import order_words, words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_, ZONE
from hub.web.pages.accounts import adapter_of
from hub.web.pages.keyset import SIZE, part, place_asked
from hub.web.pages.sheet import PART, stream
from hub.web.privacy import document_for
from jobs import order_desk as desk

HOME = "/pedidos"
MOST = 200  # orders in one go
VIEW_NAME = 60
# parameter of the address -> (field of Wanted, the words it may have)
CHOICES = {
    "situacao": ("status", order_list.STATUS),
    "pagamento": ("payment", order_list.PAYMENT),
    "envio": ("fulfilment", order_list.FULFILMENT),
    "retencao": ("hold", order_list.HOLD),
    "separacao": ("packing", order_list.PACKING),
}
NAMES = (*CHOICES, "conta", "uf", "de", "ate", "minimo", "maximo", "busca")
OPTIONS = {
    "pagamento": (N_("Pagamento"), words.PAYMENT),
    "envio": (N_("Envio"), order_words.FULFILMENT),
    "retencao": (N_("Retenção"), order_words.HOLD),
    "separacao": (N_("Separação"), order_words.PACKING),
}


# ── what is asked for ───────────────────────────────────────────────────────────────────────────────────────


def _day(told: str) -> date:
    """A day as a browser or a person writes it. ValueError for what is none."""
    return date.fromisoformat(told) if told[4:5] == "-" else datetime.strptime(told, "%d/%m/%Y").date()  # noqa: DTZ007 - a day has no zone


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def asked(told: Mapping[str, str], *, by_document: bool, zone: ZoneInfo = ZONE) -> tuple[Wanted, dict[str, str]]:
    """What an address asks for, and what is wrong with it by parameter."""
    fields: dict[str, Any] = {"by_document": by_document, "search": told.get("busca")}
    fields |= {field: told[name] for name, (field, _table) in CHOICES.items() if name in told}
    choices = {**{name: table for name, (_field, table) in CHOICES.items()}, "uf": order_list.STATES}
    odd = [name for name, known in choices.items() if name in told and told[name] not in known]
    problems = dict.fromkeys(odd, order_words.NO_CHOICE)
    fields["state"] = told.get("uf")
    readers: dict[str, tuple[str, Any]] = {
        "conta": ("account_id", UUID),
        "de": ("since", lambda day: _midnight(_day(day), zone)),
        "ate": ("until", lambda day: _midnight(_day(day) + timedelta(days=1), zone)),
        "minimo": ("least_cents", money),
        "maximo": ("most_cents", money),
    }
    for name, (field, read) in readers.items():
        try:
            if text := told.get(name):
                fields[field] = read(text)
        except (ValueError, OverflowError):
            problems[name] = order_words.PROBLEMS.get(name, order_words.NO_CHOICE)
    return Wanted(**fields), problems


def _told(visit: Visit) -> dict[str, str]:
    return {name: told for name in NAMES if (told := visit.asked(name))}


def _wanted(visit: Visit) -> tuple[dict[str, str], Wanted, dict[str, str]]:
    told = _told(visit)
    return told, *asked(told, by_document=visit.person.may("operator"), zone=visit.language.zone)


async def every(visit: Visit) -> web.Response:
    """Pedidos."""
    told, wanted, problems = _wanted(visit)
    async with visit.tx() as tx:
        known = await accounts.every(tx)
        rows = [] if problems else await order_list.page(
            tx, wanted, visit.now, after=place_asked(visit), limit=SIZE + 1
        )  # fmt: skip
        views = await order_desk.views(tx, visit.person.user_id)
    narrowed = {name: value for name, value in told.items() if name != "situacao"}
    untimed = any(
        row["placed_at"] is None for row in rows[:SIZE]
    )  # a search's last ones: they have no place to go on from
    return visit.render(
        "orders.html", status=400 if problems else 200, problems=problems, told=dict.fromkeys(NAMES) | told,
        narrowed=narrowed,
        part=part(visit, rows[:SIZE] if untimed else rows, "placed_at"), filters=order_words.STATUS, options=OPTIONS,
        states=order_list.STATES, views=views, query=urlencode(told), found=order_list.FOUND,
        no_choice=order_words.NO_CHOICE, narrow=len(set(narrowed) - {"busca", "conta"}),
        accounts=[account for account in known if (adapter := adapter_of(account.channel)) and adapter.orders],
    )  # fmt: skip


# ── saved views ─────────────────────────────────────────────────────────────────────────────────────────────


def _query(told: str) -> str:
    """The query of a list as it may be kept: our own parameters only."""
    return urlencode([(name, value[:200]) for name, value in parse_qsl(told[:2000]) if name in NAMES])


async def save_view(visit: Visit) -> web.Response:
    """Keep the filters under a name, for oneself or for everybody."""
    name, query = visit.form.get("name", "").strip()[:VIEW_NAME], _query(visit.form.get("query", ""))
    shared = visit.form.get("shared") == "yes"
    if shared and not visit.person.may("operator"):
        raise Problem(403)
    if not name or not query:
        visit.say("bad", N_("Dê um nome à visão, e filtre algo antes de guardá-la."))
    else:
        async with visit.tx() as tx:
            await order_desk.save_view(tx, visit.person.user_id, name, query, shared=shared)
        visit.say("ok", N_("Visão “%(name)s” guardada."), name=name)
    return visit.go(f"{HOME}?{query}" if query else HOME)


async def drop_view(visit: Visit) -> web.Response:
    """Forget a view: one's own, or as a manager a shared one."""
    async with visit.tx() as tx:
        name = await order_desk.drop_view(
            tx, visit.id_in_path(), visit.person.user_id, others=visit.person.may("manager")
        )
    if name is None:
        raise Problem(404)
    visit.say("ok", N_("Visão “%(name)s” esquecida."), name=name)
    return visit.go(HOME)


# ── many at once ────────────────────────────────────────────────────────────────────────────────────────────

DEEDS: dict[str, tuple[str, bool, str]] = {  # what the form names -> (mark, done, what is said)
    "embalado": ("packed", True, N_("Marcados como embalados: %(count)s.")),
    "nao-embalado": ("packed", False, N_("Não estão mais como embalados: %(count)s.")),
    "impresso": ("printed", True, N_("Marcados como impressos: %(count)s.")),
    "nao-impresso": ("printed", False, N_("Não estão mais como impressos: %(count)s.")),
}


def home(visit: Visit) -> str:
    """Where a form of these pages goes back to."""
    onward = visit.form.get("next", HOME)
    return onward if onward == HOME or onward.startswith((f"{HOME}?", f"{HOME}/")) else HOME


def _chosen(visit: Visit) -> list[UUID]:
    """The ids of the ticked boxes, in the order shown. Problem(400) for what is no id."""
    try:
        return [UUID(name.removeprefix("o:")) for name in visit.form if name.startswith("o:")]
    except ValueError:
        raise Problem(400) from None


def _few(visit: Visit, ids: list[UUID]) -> bool:
    if not ids:
        visit.say("bad", N_("Escolha pelo menos um pedido."))
    elif len(ids) > MOST:
        visit.say("bad", N_("Escolha no máximo %(most)s pedidos de uma vez."), most=MOST)
    return 0 < len(ids) <= MOST


async def mark(visit: Visit) -> web.Response:
    """Note that the chosen orders are packed or printed, or are not after all."""
    ids = _chosen(visit)
    if visit.form.get("como") not in DEEDS:
        raise Problem(400)
    what, done, said = DEEDS[visit.form["como"]]
    if _few(visit, ids):
        count = await desk.mark(visit.rt, visit.seller_id, ids, what, visit.person.name, done=done)
        visit.say("ok", said, count=count)
    return visit.go(home(visit))


async def reallocate(visit: Visit) -> web.Response:
    """Reserve the chosen orders afresh."""
    ids, moved, same, stay = _chosen(visit), 0, 0, []
    if not _few(visit, ids):
        return visit.go(home(visit))
    for order_id in ids:
        try:
            if await desk.allocate_again(visit.rt, visit.seller_id, order_id, visit.person.name):
                moved += 1
            else:
                same += 1
        except desk.Stays as refusal:
            stay.append(visit.language.gettext(order_words.STAYS[refusal.why], number=refusal.number))
    told = [visit.language.gettext(N_("Reservas refeitas: %(moved)s; já estavam no melhor lugar: %(same)s."),
                                   moved=moved, same=same), *stay[:3]]  # fmt: skip
    if len(stay) > len(told) - 1:
        told.append(visit.language.gettext(N_("E mais %(more)s."), more=len(stay) - len(told) + 1))
    visit.say("bad" if stay else "ok", "%(said)s", said=" ".join(told))
    return visit.go(home(visit))


# ── the sheet ───────────────────────────────────────────────────────────────────────────────────────────────

_MONEY = ("items_cents", "discount_cents", "shipping_cents", "other_cents", "fees_cents", "refunded_cents")
_WORDS = {"payment": words.PAYMENT, "fulfilment": order_words.FULFILMENT, "hold": words.HOLD}


def _cells(visit: Visit, row: Mapping[str, Any]) -> list[str]:
    told, tr = row["told"], visit.language.gettext
    more = {
        "status": tr(words.ORDER[row["status"]][1]),
        "document": document_for(told, whole=visit.person.may("operator")),
        "city": (told.get("ship_to") or {}).get("city"),
        **{name: decimal(told.get(name)) for name in _MONEY},
        "total_cents": decimal(row["total_cents"]),
        **{name: tr(table[row[name]]) if row[name] in table else row[name] for name, table in _WORDS.items()},
        **{name: row[name] and f"{row[name].astimezone(visit.language.zone):%d/%m/%Y %H:%M}"
           for name in ("placed_at", "ship_by", "packed_at")},
    }  # fmt: skip
    return [cell(more[name] if name in more else row[name]) for name in order_words.SHEET]


async def _parts(visit: Visit, wanted: Wanted) -> AsyncIterator[list[dict[str, Any]]]:
    """Everything wanted, some hundreds at a time, each in a transaction of its own."""
    after = None
    while True:
        async with visit.tx() as tx:
            rows = await order_list.page(tx, wanted, visit.now, after=after, limit=PART, whole=True)
        if rows:
            yield rows
        if len(rows) < PART or rows[-1]["placed_at"] is None:
            return
        after = (rows[-1]["placed_at"], rows[-1]["id"])


async def _stream(visit: Visit, wanted: Wanted) -> web.StreamResponse:
    async with visit.tx() as tx:
        await stock.audit(tx, "orders_exported", str(visit.person.user_id), query=urlencode(_told(visit)))
    heads = [visit.language.gettext(heading) for heading in order_words.SHEET.values()]
    return await stream(visit, "pedidos", heads, _lines(visit, wanted))


async def _lines(visit: Visit, wanted: Wanted) -> AsyncIterator[list[list[str]]]:
    async for rows in _parts(visit, wanted):
        yield [_cells(visit, row) for row in rows]


async def sheet(visit: Visit) -> web.StreamResponse:
    """All that is filtered, as spreadsheets in Brazil open it, sent as it is read."""
    _, wanted, problems = _wanted(visit)
    if problems:
        raise Problem(400)
    return await _stream(visit, wanted)


async def sheet_of_chosen(visit: Visit) -> web.StreamResponse:
    """The chosen orders as the same sheet."""
    ids = _chosen(visit)
    if not _few(visit, ids):
        return visit.go(home(visit))
    return await _stream(visit, Wanted(ids=ids))

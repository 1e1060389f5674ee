"""Shortages: units sold that were not there; why each arose, and what can be done about it."""

from datetime import datetime
from typing import Any

from aiohttp import web

from hub.backoffice import oversell
from hub.backoffice import shortages as ways
from hub.backoffice.oversell import Cause
from hub.store import cases
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE, id_asked, part, place_asked
from jobs import shortages

STATES = {"abertas": N_("Em aberto"), "encerradas": N_("Encerradas")}
ENDED = {"filled": ("ok", N_("suprida")), "released": ("mute", N_("pedido cancelado ou alterado"))}


async def every(visit: Visit) -> web.Response:
    """Faltas."""
    told = visit.asked("estado")
    state = told if told in STATES else None
    is_open = None if state is None else state == "abertas"
    async with visit.tx() as tx:
        rows = await cases.every(
            tx, is_open=is_open, order_id=id_asked(visit, "pedido"), after=place_asked(visit), limit=SIZE + 1
        )
    names = oversell.NAMES[visit.language.tag]
    shown = [{**row, "why": names[Cause(row["cause"])] if row["cause"] else None} for row in rows]
    return visit.render("shortages.html", part=part(visit, shown, "opened_at"), state=state, states=STATES, ended=ENDED)


async def one(visit: Visit) -> web.Response:
    """One shortage: what happened, step by step, and the ways out."""
    told = await shortages.one(visit.rt, visit.seller_id, visit.id_in_path())
    if told is None:
        raise Problem(404)
    tag, found = visit.language.tag, told.evidence
    *steps, verdict = oversell.explain(found, tag)
    return visit.render(
        "shortage.html", case=told.case, cause=oversell.NAMES[tag][Cause(told.case["cause"])], steps=steps,
        verdict=verdict, ways=[ways.explain(each, tag) for each in told.remedies], costs=told.costs, ended=ENDED,
        moments=_moments(found),
    )  # fmt: skip


def _moments(found: oversell.Evidence) -> list[tuple[str, datetime, dict[str, Any]]]:
    """What happened when, oldest first: (words, instant, their parameters)."""
    told: list[tuple[str, datetime | None, dict[str, Any]]] = [
        (N_("%(account)s passou a mostrar %(units)s"), found.shown_at,
         {"account": found.sold.account, "units": found.shown}),
        (N_("Venda em %(account)s: pedido %(order)s"), found.sold.placed_at,
         {"account": found.sold.account, "order": found.sold.order}),
        (N_("O hub soube do pedido %(order)s"), found.sold.heard_at, {"order": found.sold.order}),
        (N_("Falta registrada"), found.opened_at, {}),
    ]  # fmt: skip
    if took := found.taker:
        told += [
            (N_("Venda em %(account)s: pedido %(order)s"), took.placed_at,
             {"account": took.account, "order": took.order}),
            (N_("O hub soube do pedido %(order)s"), took.heard_at, {"order": took.order}),
        ]  # fmt: skip
    if found.lowered and found.lowered.at == found.gone_at:
        told.append((N_("Estoque baixado em %(units)s un."), found.lowered.at, {"units": found.lowered.units}))
    for push in found.pushes:
        words = N_("Canal avisado: %(units)s") if push.outcome == "accepted" else N_("Aviso de %(units)s falhou")
        told.append((words, push.answered_at, {"units": push.quantity}))
    return sorted(((w, at, params) for w, at, params in told if at is not None), key=lambda each: each[1])

"""The audit's page: what differs between channels and the hub, and a person's word about it."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from hub.drift import ACTIONABLE
from hub.store import accounts, drift
from hub.web import audit_words
from hub.web.edge import Visit
from hub.web.i18n import N_
from hub.web.pages.accounts import adapter_of
from hub.web.pages.keyset import SIZE, id_asked, part
from jobs import proposals
from jobs.connect import Refused

HOME = "/conferencia"


async def every(visit: Visit) -> web.Response:
    """Conferência."""
    told, account_id = visit.asked("estado"), id_asked(visit, "conta")
    state = told if told in audit_words.STATE_FILTERS else None
    async with visit.tx() as tx:
        known = await accounts.every(tx)
        rows = await drift.listed(
            tx, state=state, account_id=account_id, after=id_asked(visit, "apos"), limit=SIZE + 1
        )  # fmt: skip
    page = part(visit, rows)
    shown = [
        {
            **row, "sentence": audit_words.sentence(visit.language, row),
            "reason": audit_words.WHY.get(row["why"] or ""),
            "decidable": row["state"] in proposals.DECIDABLE, "actionable": row["class"] in ACTIONABLE,
        }
        for row in page.rows
    ]  # fmt: skip
    return visit.render(
        "audit.html", part=page, rows=shown, state=state, account_id=account_id, audit=audit_words,
        accounts=[account for account in known if (adapter := adapter_of(account.channel)) and adapter.listings],
    )  # fmt: skip


async def accept(visit: Visit) -> web.Response:
    """Put a difference right."""
    return await _decide(visit, proposals.accept, N_("%(ref)s: o hub corrige agora."))


async def dismiss(visit: Visit) -> web.Response:
    """Leave a difference as it is."""
    return await _decide(visit, proposals.dismiss, N_("%(ref)s fica como está até o hub calcular outro número."))


async def _decide(visit: Visit, deed: Callable[..., Awaitable[dict[str, Any]]], done: str) -> web.Response:
    try:
        row = await deed(visit.rt, visit.seller_id, visit.id_in_path())
    except Refused as refusal:
        visit.say("bad", N_("Não foi feito: %(why)s"), why=str(refusal))
    else:
        visit.say("ok", done, ref=row["title"] or row["ref"])
    onward = visit.form.get("next", HOME)
    return visit.go(onward if onward.startswith(HOME) else HOME)

"""Before the first write: what each slot would get and why, as a page and as a file; and the approval."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiohttp import web

from hub.approval import NAMED, Change, Scope, is_whole, scope
from hub.sheets import cell
from hub.store import approvals
from hub.store.accounts import Account
from hub.web import words
from hub.web.edge import Visit
from hub.web.i18n import N_
from hub.web.pages.accounts import account_in_path, label_of
from hub.web.pages.keyset import id_asked, part
from hub.web.pages.sheet import in_parts, stream
from jobs import approval
from jobs.connect import Refused

SIZE = 100
SHEET = {
    "change": N_("Mudança"), "ref": N_("Anúncio"), "variation_ref": N_("Variação"), "title": N_("Título"),
    "channel_sku": N_("SKU no canal"), "sku": "SKU", "multiplier": N_("Unidades por venda"),
    "category": N_("Categoria"), "shows": N_("Mostra"), "desired": N_("Deve mostrar"),
    "approved_at": N_("Aprovado em"), "why": N_("Por quê"),
}  # fmt: skip


def _wanted(visit: Visit) -> str | None:
    told = visit.asked("mudanca")
    return told if told in words.CHANGES else None


async def preview(visit: Visit) -> web.Response:
    """Every slot with what is seen there and what it would get; nothing is written before the approval."""
    account = await account_in_path(visit)
    async with visit.tx() as tx:
        counts = await approvals.counts(tx, account.id)
        kind = await approvals.approval(tx, account.id)
    first = next((change.value for change in Change if counts.get(change)), "zero")
    change = _wanted(visit) or first
    rows = await approval.preview(
        visit.rt, account, change=change, after=id_asked(visit, "apos"), limit=SIZE + 1, locale=visit.language.tag
    )
    return visit.render(
        "preview.html", account=account, label=label_of(account.channel), counts=counts, change=change,
        part=part(visit, rows, size=SIZE), total=sum(counts.get(each, 0) for each in Change), approval=kind,
    )  # fmt: skip


async def sheet(visit: Visit) -> web.StreamResponse:
    """The whole preview."""
    account = await account_in_path(visit)

    async def parts() -> AsyncIterator[list[list[str]]]:
        told = approval.whole_preview(visit.rt, account, _wanted(visit), visit.language.tag)
        async for rows in in_parts(told):
            yield [_cells(visit, row) for row in rows]

    heads = [visit.language.gettext(heading) for heading in SHEET.values()]
    return await stream(visit, f"previa-{account.id}", heads, parts())


def _cells(visit: Visit, row: Mapping[str, Any]) -> list[str]:
    heading, at = words.CHANGES[row["change"]], row["approved_at"]
    more = {
        "change": visit.language.gettext(heading), "why": " ".join(row["why"]),
        "approved_at": at and f"{at.astimezone(visit.language.zone):%d/%m/%Y %H:%M}",
    }  # fmt: skip
    return [cell(more[name] if name in more else row[name]) for name in SHEET]


def _back(visit: Visit, account: Account) -> web.Response:
    return visit.go(f"/contas/{account.id}/previa")


def _chosen(visit: Visit) -> Scope:
    """The scope that the form names; ValueError says what is wrong with it."""
    told, names = visit.form.get("scope", "all"), visit.form.get("names", "").replace(";", ",").replace("\n", ",")
    return scope(f"{told}:{names}" if told in NAMED else told)


async def approve(visit: Visit) -> web.Response:
    """Let the hub write to the account, or to some of its slots, after a person has seen what that changes."""
    account = await account_in_path(visit)
    if visit.form.get("seen") != "yes":
        visit.say("bad", N_("Confirme que você conferiu a prévia."))
        return _back(visit, account)
    try:
        chosen = _chosen(visit)
    except ValueError:
        visit.say("bad", N_("Escreva o que aprovar: uma categoria, SKUs ou anúncios, separados por vírgula."))
        return _back(visit, account)
    if account.status not in {"preview", "live"}:
        visit.say("bad", N_("Retome a conta antes de aprovar."))
        return _back(visit, account)
    try:
        count = await approval.approve(visit.rt, account, [chosen])
    except Refused:
        visit.say("bad", N_("Nada a aprovar: nenhum anúncio desta conta responde a isso, ou já estão aprovados."))
        return _back(visit, account)
    visit.say("ok", N_("%(name)s aprovada. Anúncios a escrever: %(count)s."), name=account.name, count=count)
    return visit.go(f"/contas/{account.id}") if is_whole([chosen]) else _back(visit, account)


async def revoke(visit: Visit) -> web.Response:
    """Take the whole approval back: nothing is written any more, the account is in preview again."""
    account = await account_in_path(visit)
    count = await approval.revoke(visit.rt, account)
    visit.say("ok", N_("Aprovação retirada. Anúncios que deixam de ser escritos: %(count)s."), count=count)
    return _back(visit, account)

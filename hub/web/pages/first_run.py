"""The first steps of a seller: where one stands, on the Painel and on a page; some are done right there."""

from typing import Any
from uuid import UUID

from aiohttp import web

import adapters
from hub import first_run as decide
from hub.contract import Kind
from hub.store import Tx, accounts, first_run
from hub.store.accounts import Account
from hub.web import first_run_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import id_asked
from jobs import linking, opening
from jobs.connect import Refused

HOME = "/primeiros-passos"
SHOWN = 200


def carriers() -> list[str]:
    """Channels that sell nothing."""
    return [name for name in adapters.names() if adapters.get(name).kind is Kind.CARRIER]


async def told(visit: Visit, tx: Tx) -> dict[str, Any] | None:
    """What the Painel shows of the steps; None once they are put away, or over for a day."""
    if not visit.person.may("viewer") or await first_run.is_put_away(tx):
        return None
    facts = await first_run.facts(tx, carriers())
    steps = decide.steps(facts)
    if not decide.is_shown(facts, steps, visit.now):
        await first_run.put_away(tx, None, visit.now)
        return None
    return _told(facts, steps)


def _told(facts: decide.Facts, steps: tuple[decide.Step, ...]) -> dict[str, Any]:
    done = sum(step.state is decide.State.DONE for step in steps)
    return {
        "facts": facts, "all": steps, "next": decide.next_of(steps), "over": decide.is_over(steps), "done": done,
        "words": first_run_words, "most": decide.MOST,
    }  # fmt: skip


async def show(visit: Visit) -> web.Response:
    """Primeiros passos, put away or not."""
    async with visit.tx() as tx:
        facts = await first_run.facts(tx, carriers())
    return visit.render("first_run.html", steps=_told(facts, decide.steps(facts)))


async def put_away(visit: Visit) -> web.Response:
    """The Painel shows them no more."""
    async with visit.tx() as tx:
        await first_run.put_away(tx, visit.person.user_id, visit.now)
    visit.say("ok", N_("Primeiros passos guardados: você os encontra no menu com o seu nome."))
    return visit.go("/")


async def bring_back(visit: Visit) -> web.Response:
    """The Painel shows them again."""
    async with visit.tx() as tx:
        await first_run.bring_back(tx)
    return visit.go("/")


async def link(visit: Visit) -> web.Response:
    """Make SKUs of the codes that listings tell, and link all that is certain."""
    done = await linking.autolink(visit.rt, visit.seller_id, create=True)
    if done.linked:
        visit.say(
            "ok", N_("Anúncios vinculados: %(linked)s. Sem SKU ainda: %(left)s."), linked=done.linked, left=done.left
        )
    elif done.left:
        visit.say("bad", N_("Nada a vincular por código: os anúncios que restam (%(left)s) não trazem SKU no canal."),
                  left=done.left)  # fmt: skip
    else:
        visit.say("ok", N_("Todos os anúncios já estão vinculados."))
    return visit.go(HOME)


# ── opening stock, as a channel shows it ────────────────────────────────────────────────────────────────────


async def stock(visit: Visit) -> web.Response:
    """What each SKU would begin with, as one account tells it."""
    chosen = id_asked(visit, "conta")
    known = await _accounts(visit)
    if chosen is None and len(known) == 1:
        chosen = known[0].id
    account = next((row for row in known if row.id == chosen), None)
    rows, unread = [], False
    if account:
        try:
            rows = await opening.preview(visit.rt, account)
        except Refused:
            unread = True
    return visit.render(
        "first_run_stock.html", accounts=known, account=account, rows=rows[:SHOWN], count=len(rows), unread=unread,
        units=sum(row.units or 0 for row in rows), doubtful=sum(row.units is None for row in rows),
    )  # fmt: skip


async def _accounts(visit: Visit) -> list[Account]:
    """Selling accounts that are read."""
    sells_nothing = carriers()
    async with visit.tx() as tx:
        rows = await accounts.every(tx)
    return [row for row in rows if row.channel not in sells_nothing and row.reads]


async def open_stock(visit: Visit) -> web.Response:
    """Begin the SKUs' stock with what the account tells."""
    account_id = _id(visit.form.get("account", ""))
    account = next((row for row in await _accounts(visit) if row.id == account_id), None)
    if account is None:
        raise Problem(400)
    if visit.form.get("seen") != "yes":
        visit.say("bad", N_("Confirme que você conferiu os números."))
        return visit.go(f"{HOME}/estoque?conta={account_id}")
    try:
        done = await opening.open_from(visit.rt, account)
    except Refused:
        visit.say(
            "bad", N_("%(name)s ainda não foi lida até o fim: espere um pouco e tente de novo."), name=account.name
        )
        return visit.go(f"{HOME}/estoque?conta={account_id}")
    visit.say("ok", N_("Estoque inicial anotado, como %(name)s mostra. SKUs: %(count)s."), count=len(done),
              name=account.name)  # fmt: skip
    return visit.go(HOME)


def _id(told: str) -> UUID:
    try:
        return UUID(told)
    except ValueError:
        raise Problem(400) from None

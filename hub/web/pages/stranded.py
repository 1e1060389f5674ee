"""Open orders of a disconnected account: what they hold, and what a person says became of them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.store import orders, stranded
from hub.store.accounts import Account
from hub.stranded import Outcome
from hub.web import stranded_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.accounts import account_in_path, label_of
from hub.web.pages.keyset import SIZE, id_asked, part
from jobs import stranded as flow
from jobs.stranded import Stays

SHOWN = 100  # of what is about to be done


async def every(visit: Visit) -> web.Response:
    """The orders that still hold units or wait for some."""
    return await _every(visit, await _closed(visit))


async def _closed(visit: Visit) -> Account:
    account = await account_in_path(visit)
    if account.status != "closed":
        raise Problem(404)
    return account


def _home(account: Account) -> str:
    return f"/contas/{account.id}/abertos"


async def _every(
    visit: Visit, account: Account, typed: Mapping[str, str] | None = None, problem: tuple[str, str] | None = None
) -> web.Response:
    """The list; `problem`: the field that is wrong, and what is wrong with it."""
    async with visit.tx() as tx:
        rows = await stranded.listed(tx, account.id, after=id_asked(visit, "apos"), limit=SIZE + 1)
        counts = await stranded.counted(tx, account.id)
        others = await stranded.followed(tx, [row["id"] for row in rows])
    return visit.render(
        "account_open.html", status=400 if problem else 200, account=account, label=label_of(account.channel),
        part=part(visit, rows), counts=counts, others=others, typed=typed or {}, problem=problem,
        stranded=stranded_words, longest=flow.LONGEST_REASON,
    )  # fmt: skip


def _asked(visit: Visit) -> tuple[Outcome | None, str, list[UUID] | None]:
    """What became of them, why, and which ones (None: all). Problem(400) for what is no id."""
    told, reason = visit.form.get("outcome", ""), " ".join(visit.form.get("reason", "").split())
    outcome = Outcome(told) if told in stranded_words.OUTCOME else None
    if visit.form.get("which") == "all":
        return outcome, reason, None
    try:
        return outcome, reason, [UUID(name.removeprefix("o:")) for name in visit.form if name.startswith("o:")]
    except ValueError:
        raise Problem(400) from None


async def settle(visit: Visit) -> web.Response:
    """Say what became of the ticked orders, or of all: first shown, then done."""
    account = await _closed(visit)
    outcome, reason, chosen = _asked(visit)
    say = visit.language.gettext
    problem = None
    if outcome is None:
        problem = "outcome", say(N_("Diga o que houve com eles."))
    elif not 0 < len(reason) <= flow.LONGEST_REASON:
        problem = "reason", say(stranded_words.STAYS["reason"], most=flow.LONGEST_REASON)
    elif chosen is not None and not 0 < len(chosen) <= flow.MOST:
        problem = "which", say(N_("Marque pelo menos um pedido, ou escolha todos."))
    if outcome is None or problem:
        return await _every(visit, account, visit.form, problem)
    if visit.form.get("sure") != "yes":
        return await _sure(visit, account, outcome, reason, chosen)
    try:
        done = await flow.settle(visit.rt, account, chosen, outcome, reason)
    except Stays as refusal:
        visit.say("bad", "%(why)s", why=stranded_words.why(visit.language, refusal))
        return visit.go(f"/contas/{account.id}")
    told = [say(N_("Pedidos acertados: %(count)s."), count=visit.language.number(done.settled))]
    told += [stranded_words.why(visit.language, each) for each in done.stays[:3]]
    if len(done.stays) > 3:  # noqa: PLR2004 - as many as were just told
        told.append(say(N_("E mais %(more)s."), more=len(done.stays) - 3))
    visit.say("wait" if done.stays else "ok", "%(said)s", said=" ".join(told))
    return visit.go(_home(account) if done.left else f"/contas/{account.id}")


async def reopen(visit: Visit) -> web.Response:
    """Take back that an order will not be sent: it stands as its channel last told it."""
    async with visit.tx() as tx:
        row = await orders.detail(tx, visit.id_in_path())
    if row is None:
        raise Problem(404)
    account = await visit.rt.account(visit.seller_id, row["account_id"])
    reason = visit.language.gettext(N_("desfeito na página do pedido"))
    try:
        done = await flow.settle(visit.rt, account, [row["id"]], Outcome.OPEN, reason)
    except Stays as refusal:
        stays = [refusal]
    else:
        stays = list(done.stays)
    if stays:
        visit.say("bad", "%(why)s", why=stranded_words.why(visit.language, stays[0]))
    else:
        visit.say("ok", N_("O pedido está aberto de novo, e segura as unidades dele."))
    return visit.go(f"/pedidos/{row['id']}")


async def _sure(
    visit: Visit, account: Account, outcome: Outcome, reason: str, chosen: list[UUID] | None
) -> web.Response:
    """What would be done with each of them."""
    async with visit.tx() as tx:
        rows = await stranded.listed(tx, account.id, only=chosen, limit=flow.MOST)
        others = await stranded.followed(tx, [row["id"] for row in rows])
        counts = await stranded.counted(tx, account.id)
    told: list[dict[str, Any]] = []
    for row in rows:
        refusal = flow.stays_of(row, outcome, others.get(row["id"]))
        told.append({**row, "stays": refusal and stranded_words.why(visit.language, refusal)})
    going = [row for row in told if not row["stays"]]
    return visit.render(
        "account_open_sure.html", account=account, label=label_of(account.channel), outcome=outcome, reason=reason,
        chosen=chosen, rows=sorted(told, key=lambda row: not row["stays"])[:SHOWN], total=len(told), going=len(going),
        units=sum(row["units"] for row in going), unpaid=sum(row["status"] == "placed" for row in going),
        more=counts["orders"] - len(told) if chosen is None else 0, stranded=stranded_words, home=_home(account),
    )  # fmt: skip

"""Accounts: their health, what stands still and why, and what a person can do about them."""

from datetime import timedelta
from uuid import UUID

from aiohttp import web

import adapters
from hub.contract import Adapter
from hub.faults import Fault
from hub.secrets import SecretsError
from hub.store import due, screens
from hub.store.accounts import Account
from hub.web import words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_, Language
from jobs import connect, poll

PARKED = 50
HEADS = {
    Fault.AUTH: N_("%(label)s recusou o acesso: %(detail)s"),
    Fault.TRANSIENT: N_("%(label)s não respondeu: %(detail)s"),
    Fault.THROTTLED: N_("%(label)s pede para esperar: %(detail)s"),
    Fault.REJECTED: N_("%(label)s recusou o pedido: %(detail)s"),
    Fault.MISSING: N_("%(label)s não responde neste endereço: %(detail)s"),
    Fault.SHAPE: N_("%(label)s respondeu algo que não conseguimos ler: %(detail)s"),
}


def adapter_of(channel: str | None) -> Adapter | None:
    """The adapter of a channel; None when it is not installed (any more)."""
    return adapters.get(channel) if channel in adapters.names() else None


def label_of(channel: str) -> str:
    """A channel's name for people."""
    adapter = adapter_of(channel)
    return adapter.label if adapter else channel


def check_sentence(language: Language, label: str, problem: str) -> str:
    """What the live check said, in the reader's language; the channel's own words stay as they are."""
    for fault, told in connect.SENTENCES.items():
        head = told.partition("{detail}")[0].format(label=label)
        if problem.startswith(head):
            return language.gettext(HEADS[fault], label=label, detail=problem[len(head) :])
    return problem


async def every(visit: Visit) -> web.Response:
    """Contas."""
    async with visit.tx() as tx:
        rows = await screens.accounts(tx, visit.now, visit.now - timedelta(days=1))
    told = [{**row, "health": words.account_health(row, visit.now), "label": label_of(row["channel"])} for row in rows]
    return visit.render("accounts.html", accounts=told)


async def account_in_path(visit: Visit) -> Account:
    """The account that the address names."""
    try:
        return await visit.rt.account(visit.seller_id, visit.id_in_path())
    except LookupError:
        raise Problem(404) from None


async def one(visit: Visit) -> web.Response:
    """One account whole."""
    account = await account_in_path(visit)
    async with visit.tx() as tx:
        rows = await screens.accounts(tx, visit.now, visit.now - timedelta(days=1))
        tasks = await due.tasks(tx, account.id)
        parked = await screens.parked(tx, account.id, PARKED)
    row = next((row for row in rows if row["id"] == account.id), None)
    if row is None:
        raise Problem(404)
    adapter = adapter_of(account.channel)
    order = list(words.TASK)
    return visit.render(
        "account.html",
        account={**row, "health": words.account_health(row, visit.now), "label": label_of(row["channel"])},
        tasks=sorted(tasks, key=lambda task: order.index(task["kind"])), parked=parked, adapter=adapter,
        hook=await _hook(visit, account),
    )  # fmt: skip


async def _hook(visit: Visit, account: Account) -> str | None:
    """Where the channel sends its notices: a secret address, for those who connect accounts."""
    adapter = adapter_of(account.channel)
    if adapter is None or adapter.webhook is None or not visit.person.may("manager"):
        return None
    try:
        return await poll.webhook_url(visit.rt, account)
    except (SecretsError, LookupError):
        return None


# ── actions ─────────────────────────────────────────────────────────────────────────────────────────────────


def _back(visit: Visit, account_id: UUID) -> web.Response:
    return visit.go(f"/contas/{account_id}")


async def check(visit: Visit) -> web.Response:
    """Ask the channel who we are there."""
    account = await account_in_path(visit)
    await tell_check(visit, account)
    return _back(visit, account.id)


async def tell_check(visit: Visit, account: Account) -> None:
    """Run the live check and say what came of it, in words."""
    label = label_of(account.channel)
    try:
        identity, problem = await connect.account_check(visit.rt, account)
    except SecretsError as trouble:
        identity, problem = None, str(trouble)
    if identity is not None:
        visit.say("ok", N_("%(label)s respondeu: a conta é %(name)s."), label=label, name=identity.name)
    else:
        visit.say("bad", "%(problem)s", problem=check_sentence(visit.language, label, problem or ""))


async def pause(visit: Visit) -> web.Response:
    """Stop talking to the account; its work is kept."""
    account = await account_in_path(visit)
    if account.reads:
        await connect.pause(visit.rt, account, visit.form.get("reason", "").strip()[:200] or visit.person.name)
        visit.say("ok", N_("%(name)s está pausada: o trabalho dela fica guardado até você retomar."), name=account.name)
    return _back(visit, account.id)


async def resume(visit: Visit) -> web.Response:
    """Go on with an account that was held, paused or braked."""
    account = await account_in_path(visit)
    if not account.reads or account.braked_at:
        await connect.resume(visit.rt, account)
        visit.say("ok", N_("%(name)s foi retomada."), name=account.name)
    return _back(visit, account.id)

"""Accounts: their health, what stands still and why, and what a person can do about them."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from aiohttp import web

import adapters
from hub.contract import Adapter
from hub.secrets import SecretsError
from hub.store import Tx, accounts, due, first_reading, screens, stranded
from hub.store.accounts import Account
from hub.web import account_words, fault_words, words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_, Language
from jobs import connect, poll

PARKED = 50


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
            return account_words.fault(language, label, fault, problem[len(head) :])
    return problem


def kind_of(channel: str) -> str | None:
    """What sort of channel it is; None when it is not installed (any more)."""
    adapter = adapter_of(channel)
    return adapter.kind.value if adapter else None


async def counted(tx: Tx) -> Counter[str]:
    """How many accounts of each channel are connected."""
    return Counter(each.channel for each in await accounts.every(tx) if each.status != "closed")


async def every(visit: Visit) -> web.Response:
    """Contas."""
    async with visit.tx() as tx:
        rows = await screens.accounts(tx, visit.now, visit.now - timedelta(days=1))
        closed = [account for account in await accounts.every(tx) if account.status == "closed"]
    told = [
        {
            **row, "health": words.account_health(row, visit.now), "label": label_of(row["channel"]),
            "kind": kind_of(row["channel"]),
        }
        for row in rows
    ]  # fmt: skip
    counts, kind = Counter(row["kind"] for row in told), visit.asked("tipo")
    kind = kind if kind in account_words.KINDS else None
    tones = Counter(row["health"][0] for row in told)
    return visit.render(
        "accounts.html", accounts=[row for row in told if kind in (None, row["kind"])], kind=kind, counts=counts,
        kinds=account_words.KINDS, tones=[(tone, tones[tone]) for tone in account_words.TONES if tones[tone]],
        tone_words=account_words.TONES, closed=[(each, label_of(each.channel)) for each in closed],
    )  # fmt: skip


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
        reading = await first_reading.progress(tx, account.id)
    adapter = adapter_of(account.channel)
    row = next((row for row in rows if row["id"] == account.id), None)
    if row is None:
        async with visit.tx() as tx:
            waiting = await stranded.counted(tx, account.id)
        return visit.render(
            "account_closed.html", account=account, label=label_of(account.channel), adapter=adapter, waiting=waiting
        )
    order = list(words.TASK)
    return visit.render(
        "account.html",
        account={
            **row, "health": words.account_health(row, visit.now), "label": label_of(row["channel"]),
            "kind": kind_of(row["channel"]),
        },
        subscribe_task=next((task for task in tasks if task["kind"] == "subscribe"), None),
        tasks=sorted(tasks, key=lambda task: order.index(task["kind"])), parked=parked, adapter=adapter,
        unanswered=_unanswered(visit, account), hook=await _hook(visit, account),
        reading=_reading(adapter, account, reading),
        registered=_registered(account),
        sells=adapter is not None and adapter.orders is not None and account.status != "closed",
    )  # fmt: skip


def _unanswered(visit: Visit, account: Account) -> tuple[str, str] | None:
    """Why an account was never connected, and the way out; None for one that was."""
    if account.external_id is not None:
        return None
    fault, _code, detail = fault_words.failure(account.held_reason)
    if fault is None:
        return account.held_reason or "", visit.language.gettext(account_words.UNANSWERED_OTHER)
    told = account_words.fault(visit.language, label_of(account.channel), fault, detail)
    return told, visit.language.gettext(account_words.UNANSWERED.get(fault, account_words.UNANSWERED_OTHER))


def _reading(adapter: Adapter | None, account: Account, told: Mapping[str, Any]) -> dict[str, Any] | None:
    """How far the first reading is, of what the channel has; None once nobody waits for it."""
    if adapter is None or account.external_id is None or not account.reads:
        return None
    parts = [part for part in ("listings", "orders") if getattr(adapter, part) is not None]
    done = all(told[f"{part}_read"] for part in parts)
    if not parts or (done and account.status == "live"):
        return None
    return {**told, "parts": parts, "done": done, "most": first_reading.MOST}


def _registered(account: Account) -> dict[str, Any]:
    """What was registered at the channel, and when, as far as it is remembered."""
    at, done = account.facts.get("subscribed_at"), account.facts.get("subscribed")
    return {"at": datetime.fromisoformat(at) if at else None, "done": list(done or ())}


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
    if account.status != "closed":
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
    if account.status != "closed" and (not account.reads or account.braked_at):
        await connect.resume(visit.rt, account)
        visit.say("ok", N_("%(name)s foi retomada."), name=account.name)
    return _back(visit, account.id)

"""An account that exists: connected again, named otherwise, its webhooks registered again, disconnected."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from hub import consent
from hub.contract import Adapter
from hub.faults import ChannelError
from hub.secrets import SecretsError
from hub.store import first_reading
from hub.store.accounts import Account
from hub.web import account_words, refusal_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages import accounts, connecting
from jobs import admission, connect, consents, hooks, roles
from jobs.admission import Turned


async def form(visit: Visit) -> web.Response:
    """Connect an account again, by authorization or by keys."""
    account = await accounts.account_in_path(visit)
    return await render(visit, account, _adapter(account))


def _adapter(account: Account) -> Adapter:
    adapter = accounts.adapter_of(account.channel)
    if adapter is None:
        raise Problem(404)
    return adapter


async def render(
    visit: Visit, account: Account, adapter: Adapter, *, typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None, by_keys: bool = False, status: int = 200,
) -> web.Response:  # fmt: skip
    """The page of a reconnection: what is kept stays unless it is typed again, and secrets are never shown."""
    known = await _known(visit, account)
    problems, typed = problems or {}, typed or {}
    keys = connecting.fields(
        visit, adapter.credentials, typed if by_keys else {}, problems if by_keys else {}, kept=known
    )
    asked: list[connecting.Field] = []
    base = consent.home(visit.rt.policy.public_url, connecting.origin(visit))
    if adapter.oauth is not None:
        model, shared = consent.draft(adapter.credentials, adapter.oauth), known
        if closed := account.status == "closed":
            shared = await consents.known(visit.rt, visit.seller_id, account.channel)
        first = {connecting.PREFIX + name for name in (*adapter.oauth.app, *adapter.oauth.asks)}
        told, wrong = ({}, {}) if by_keys else (typed, problems)
        every = connecting.fields(visit, model, told, wrong, kept=shared, but=adapter.oauth.untyped())
        asked = [each for each in every if each.name in first or each.problem or (closed and each.value)]
    return visit.render(
        "account_again.html", status=status, account=account, adapter=adapter, keys=keys, asked=asked,
        back=consent.return_address(base, account.channel) if base and adapter.oauth else None,
        problem=problems.get(""), by_keys=by_keys,
    )  # fmt: skip


async def _known(visit: Visit, account: Account) -> dict[str, Any]:
    try:
        return await admission.kept_fields(visit.rt, account)
    except SecretsError:  # sealed under a key that is gone: everything is typed again
        return {}


async def again(visit: Visit) -> web.Response:
    """New keys for an account; those left empty stay."""
    account = await accounts.account_in_path(visit)
    adapter, typed = _adapter(account), connecting.typed_in(visit.form)
    told = connect.merged(adapter.credentials, await _known(visit, account), typed)
    problems = connecting.wrong(visit, adapter.credentials, told)
    if not problems:
        try:
            made = await admission.readmit(visit.rt, account, connect.read_credentials(adapter, told))
        except Turned as refusal:
            problems = {"": account_words.turned(visit.language, refusal)}
        except connect.Refused as refusal:
            problems = {"": refusal_words.told(visit.language, refusal)}
        else:
            return connecting.welcome(visit, made)
    return await render(visit, account, adapter, typed=typed, problems=problems, by_keys=True, status=422)


async def rename(visit: Visit) -> web.Response:
    """Call an account otherwise."""
    account = await accounts.account_in_path(visit)
    name = visit.form.get("name", "").strip()[: connecting.LONGEST_NAME]
    if not name:
        visit.say("bad", N_("Escreva um nome para a conta."))
    elif name != account.name:
        try:
            await admission.rename(visit.rt, account, name)
            visit.say("ok", N_("A conta agora se chama %(name)s."), name=name)
        except Turned as refusal:
            visit.say("bad", "%(problem)s", problem=account_words.turned(visit.language, refusal))
    return visit.go(f"/contas/{account.id}")


async def register(visit: Visit) -> web.Response:
    """Register an account's webhooks at its channel again."""
    account = await accounts.account_in_path(visit)
    label = accounts.label_of(account.channel)
    try:
        done = await hooks.register(visit.rt, account)
    except hooks.Unregistered as refusal:
        visit.say("bad", account_words.UNREGISTERED[refusal.why], label=label, name=account.name)
    except ChannelError as problem:
        told = account_words.fault(visit.language, label, problem.fault, problem.detail)
        visit.say("bad", "%(problem)s", problem=told)
    else:
        visit.say(
            "ok",
            N_("%(label)s: registros feitos ou consertados: %(count)s.") if done
            else N_("%(label)s: o registro dos avisos já estava certo."),
            label=label, count=len(done),
        )  # fmt: skip
    return visit.go(f"/contas/{account.id}")


async def ask_end(visit: Visit) -> web.Response:
    """What disconnecting an account ends, and what stays."""
    account = await accounts.account_in_path(visit)
    if account.status == "closed":
        return visit.go(f"/contas/{account.id}")
    adapter = accounts.adapter_of(account.channel)
    hook = adapter.webhook if adapter else None
    async with visit.tx() as tx:
        hanging = await first_reading.hanging(tx, account.id)
    return visit.render(
        "account_end.html", account=account, label=accounts.label_of(account.channel), hanging=hanging,
        stocks=adapter is not None and adapter.stock is not None, hooks=hook is not None,
        unsubscribes=hook is not None and hook.unsubscribe is not None,
    )  # fmt: skip


async def end(visit: Visit) -> web.Response:
    """Disconnect an account."""
    account = await accounts.account_in_path(visit)
    if account.status != "closed":
        done = await roles.close(visit.rt, account)
        if done.problem:
            visit.say(
                "wait",
                N_("%(name)s foi desligada, mas os avisos não puderam ser retirados (%(detail)s): apague-os no canal."),
                name=account.name, detail=done.problem,
            )  # fmt: skip
        else:
            visit.say(
                "ok", N_("%(name)s foi desligada. A história dela fica; as chaves foram apagadas."), name=account.name
            )
    return visit.go(f"/contas/{account.id}")

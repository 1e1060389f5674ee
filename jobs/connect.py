"""Connecting channels: credentials in, a live check in words, the first read-only sync, approval."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr, ValidationError

import adapters
from hub.contract import Adapter, Credentials, Identity
from hub.faults import ChannelError, Fault
from hub.secrets import new_token, token_hash
from hub.store import StoreError, accounts, alerts, held, new_id, people, slots, stock, tracking, warehouses
from hub.store.accounts import Account
from jobs import follow
from jobs.poll import webhook_url
from jobs.runtime import Runtime


class Refused(Exception):
    """What a person asked for cannot be done; the message is one sentence that names the field and the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A new account: its id, where its channel must send webhooks, and what the live check said."""

    account_id: UUID
    webhook_url: str
    identity: Identity | None
    problem: str | None


def adapter_named(channel: str) -> Adapter:
    """The adapter of a channel; Refused names those there are."""
    try:
        return adapters.get(channel)
    except KeyError as problem:
        raise Refused(str(problem.args[0])) from None


def read_credentials(adapter: Adapter, told: Mapping[str, str]) -> Credentials:
    """Credentials of what a person typed; Refused names the field that is missing or wrong."""
    try:
        return adapter.credentials.model_validate(dict(told))
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "credentials"
        known = ", ".join(adapter.credentials.model_fields)
        raise Refused(f"{adapter.label}: {field}: {first['msg']} (fields: {known})") from None


def sealable(credentials: Credentials) -> str:
    """Credentials as JSON with their secrets in clear: only ever to be sealed."""
    told = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in credentials.model_dump(mode="python").items()
    }
    return json.dumps(told, default=str)


async def seller_add(rt: Runtime, name: str) -> UUID:
    """A new seller."""
    seller_id = new_id()
    async with rt.db.seller(seller_id) as tx:
        await people.seller_add(tx, name)
        await warehouses.warehouse_add(tx, "principal", "Principal", rank=10)
    return seller_id


async def account_add(
    rt: Runtime,
    seller_id: UUID,
    channel: str,
    told: Mapping[str, str],
    *,
    name: str | None = None,
    check: bool = True,
) -> Connected:
    """Connect an account, in preview: everything is read, nothing is written there until it is approved."""
    adapter = adapter_named(channel)
    credentials = read_credentials(adapter, told)
    callback, secret = new_token(), new_token()
    sealed = rt.vault.seal({"credentials": sealable(credentials), "callback": callback, "hook_secret": secret})
    app_id = await _app(rt, adapter, channel, credentials)
    # A carrier has no stock, and nothing to preview: it is live at once.
    status = "live" if adapter.stock is None else "preview"
    async with rt.db.seller(seller_id) as tx:
        account_id = await accounts.add(
            tx, channel=channel, name=name or adapter.label, callback_hash=token_hash(callback), sealed=sealed,
            app_id=app_id, status=status,
        )  # fmt: skip
        await stock.audit(tx, "account_add", str(account_id), channel=channel)
        if adapter.stock is None:
            await accounts.set_stock_role(tx, account_id, "none")
        account = await accounts.get(tx, account_id)
    identity, problem = await account_check(rt, account) if check else (None, None)
    return Connected(
        account_id=account_id, webhook_url=await webhook_url(rt, account), identity=identity, problem=problem
    )


async def _app(rt: Runtime, adapter: Adapter, channel: str, credentials: Credentials) -> UUID | None:
    """The OAuth application of these credentials: one callback address for all its accounts."""
    if adapter.webhook is None or adapter.webhook.per != "app":
        return None
    app_key = str(getattr(credentials, "client_id", channel))
    callback = new_token()
    async with rt.db.people() as tx:
        sealed = rt.vault.seal({"callback": callback})
        app_id, _kept = await accounts.app_put(tx, channel, app_key, token_hash(callback), sealed)
    return app_id


async def account_check(rt: Runtime, account: Account) -> tuple[Identity | None, str | None]:
    """Ask the channel who we are there. Answers (identity, None), or (None, what is wrong, in one sentence)."""
    adapter = rt.adapter(account.channel)
    try:
        identity = await adapter.check(await rt.api(account))
    except ChannelError as problem:
        return None, SENTENCES[problem.fault].format(label=adapter.label, detail=problem.detail)
    try:
        async with rt.db.seller(account.seller_id) as tx:
            await accounts.identify(tx, account.id, identity.external_id, identity.facts)
            if adapter.tracking is not None:
                await follow.follow(rt, tx, None)
                if adapter.tracking.feed is not None:
                    await tracking.listen(tx, account.id, rt.now())
    except StoreError as problem:
        return None, str(problem)
    if account.reads:
        rt.ring("catalogue", account.id)
        if adapter.tracking is not None:
            rt.ring("tracking", account.id)
    return identity, None


async def account_reseal(rt: Runtime, account: Account, told: Mapping[str, str]) -> None:
    """Replace some of an account's credentials; its address and webhook secret stay. Refused names a wrong field."""
    adapter = adapter_named(account.channel)
    async with rt.db.seller(account.seller_id) as tx:
        kept = await accounts.credential(tx, account.id)
    opened = dict(rt.vault.open(kept.sealed))
    before = {name: value for name, value in json.loads(opened["credentials"]).items() if value is not None}
    credentials = read_credentials(adapter, {**before, **told})
    opened["credentials"] = sealable(credentials)
    async with rt.db.seller(account.seller_id) as tx:
        await accounts.reseal(tx, account.id, rt.vault.seal(opened))
        await stock.audit(tx, "account_reseal", str(account.id), fields=sorted(told))


SENTENCES = {
    Fault.AUTH: "{label} refused the credentials: {detail}",
    Fault.TRANSIENT: "{label} could not be reached: {detail}",
    Fault.THROTTLED: "{label} asks us to wait: {detail}",
    Fault.REJECTED: "{label} refused the request: {detail}",
    Fault.MISSING: "{label} does not answer at this address: {detail}",
    Fault.SHAPE: "{label} answered something that we cannot read: {detail}",
}


async def pause(rt: Runtime, account: Account, reason: str) -> None:
    """Stop talking to this account until it is resumed; its work is kept."""
    async with rt.db.seller(account.seller_id) as tx:
        await accounts.set_status(tx, account.id, "paused", reason)
        await stock.audit(tx, "account_hold", str(account.id), reason=reason)


async def resume(rt: Runtime, account: Account) -> str:
    """Go on with an account. A zero brake that held it is let go: the seller saw it. Answers its status."""
    async with rt.db.seller(account.seller_id) as tx:
        status = await accounts.resume(tx, account.id)
        await held.let_go(tx, account.id)
        await held.unpark(tx, held.Wanted(account_id=account.id))
        await accounts.set_braked(tx, account.id, None)
        await slots.make_due(tx, account.id, rt.now())
        for kind in ("account_held", "zero_brake"):
            await alerts.resolve(tx, kind, str(account.id))
        await stock.audit(tx, "account_resume", str(account.id))
    for lane in ("intake", "stock", "catalogue", "tracking", "shipments"):
        rt.ring(lane, account.id)
    return status

"""Connecting channels: credentials in, a live check in words, the first read-only sync, approval."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, SecretStr, ValidationError

import adapters
from hub.addresses import store_ref
from hub.contract import Adapter, Credentials, Identity
from hub.faults import ChannelError, Fault
from hub.refusal import Refusal
from hub.secrets import new_token, token_hash
from hub.store import StoreError, Tx, accounts, alerts, demos, held, new_id, people, slots, stock, tracking, warehouses
from hub.store.accounts import Account
from jobs import follow
from jobs.poll import webhook_url
from jobs.runtime import Runtime


class Refused(Exception):
    """What a person asked for cannot be done; the message is one sentence that names the field and the way out.

    `kind` and `params` let a page say it in its reader's language; "" where nobody translates it.
    """

    def __init__(self, sentence: str, kind: str = "", **params: object) -> None:
        super().__init__(sentence)
        self.kind, self.params = kind, params

    @classmethod
    def of(cls, refusal: Refusal) -> Self:
        """A refusal that a store or a file found, raised."""
        return cls(refusal, refusal.kind, **refusal.params)


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


def secrets_of(model: type[BaseModel]) -> frozenset[str]:
    """Fields of a model that are never shown."""
    return frozenset(name for name, about in model.model_json_schema()["properties"].items() if is_secret(about))


def kinds_of(about: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a field of a JSON schema may be."""
    return [about, *about.get("anyOf", ())]


def is_secret(about: Mapping[str, Any]) -> bool:
    """Whether a field of a JSON schema is never shown."""
    return any(each.get("format") == "password" or each.get("writeOnly") for each in kinds_of(about))


def merged(model: type[BaseModel], kept: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """What was typed over what is kept: an empty secret stays as it was, another empty field is taken back.

    Where an address is typed that was not theirs, no secret stays: it would be sent there.
    """
    secret, moved = secrets_of(model), _is_moved(model, kept, typed)
    left = {
        name: value for name, value in kept.items() if (not moved if name in secret else name not in typed)
    }  # fmt: skip
    return {**left, **{name: value for name, value in typed.items() if value}}


ADDRESSES = ("url", "endpoint", "address")  # what a field's name ends in that says where requests go


def _is_moved(model: type[BaseModel], kept: Mapping[str, Any], typed: Mapping[str, str]) -> bool:
    known = {name: kept.get(name) or about.get_default() for name, about in model.model_fields.items()}
    return any(
        value and name.endswith(ADDRESSES) and _place(value) != _place(str(known.get(name) or ""))
        for name, value in typed.items()
    )


def _place(address: str) -> tuple[bool, str]:
    told = address.strip()
    told = told if "://" in told else f"https://{told}"
    return told.lower().startswith("https://"), store_ref(told)


def amiss(model: type[BaseModel], told: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with each field, in pydantic's word for it; "" for the credentials as a whole."""
    try:
        model.model_validate(dict(told))
    except ValidationError as refusal:
        found: dict[str, str] = {}
        for error in refusal.errors(include_url=False, include_input=False):
            found.setdefault(str(error["loc"][0]) if error["loc"] else "", error["type"])
        return found
    return {}


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
    played_on: int | None = None,
) -> Connected:
    """Connect an account, in preview: everything is read, nothing is written there until it is approved.

    `played_on`: the port of this machine on which a demonstration's channel answers. A demonstration has no other.
    """
    adapter = adapter_named(channel)
    door = await new_door(rt, channel, read_credentials(adapter, told))
    async with rt.db.seller(seller_id) as tx:
        account_id = await put_account(tx, adapter, channel, name or adapter.label, door, played_on=played_on)
        account = await accounts.get(tx, account_id)
    identity, problem = await account_check(rt, account) if check else (None, None)
    return Connected(
        account_id=account_id, webhook_url=await webhook_url(rt, account), identity=identity, problem=problem
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """An account's credentials, sealed with its secrets, and where its webhooks knock."""

    callback_hash: bytes
    sealed: bytes
    app_id: UUID | None


async def new_door(rt: Runtime, channel: str, credentials: Credentials) -> Door:
    """Credentials sealed with a fresh callback address and webhook secret; the application made when it is new."""
    callback, secret = new_token(), new_token()
    sealed = rt.vault.seal({"credentials": sealable(credentials), "callback": callback, "hook_secret": secret})
    app_id = await app_of(rt, channel, credentials)
    return Door(callback_hash=token_hash(callback), sealed=sealed, app_id=app_id)


async def put_account(
    tx: Tx, adapter: Adapter, channel: str, name: str, door: Door, account_id: UUID | None = None, *,
    played_on: int | None = None,
) -> UUID:  # fmt: skip
    """A new account: in preview, or live at once where there is no stock and so nothing to preview (a carrier).

    Refused for a demonstration, whose only accounts are those `played_on` a port of this machine.
    """
    if played_on is None and await demos.is_demo(tx):
        raise Refused("a demonstration connects no real channel: connect it in your own shop", "demo_real")
    made = await accounts.add(
        tx, channel=channel, name=name, callback_hash=door.callback_hash, sealed=door.sealed, app_id=door.app_id,
        status=first_status(adapter), account_id=account_id,
    )  # fmt: skip
    await stock.audit(tx, "account_add", str(made), channel=channel)
    if played_on is not None:
        await demos.place(tx, made, played_on)
    if adapter.stock is None:
        await accounts.set_stock_role(tx, made, "none")
    return made


def first_status(adapter: Adapter) -> str:
    """What a connected account begins as."""
    return "live" if adapter.stock is None else "preview"


def app_key_of(adapter: Adapter, channel: str, credentials: Credentials) -> str | None:
    """Which OAuth application these credentials are of; None where each account is on its own."""
    if adapter.webhook is None or adapter.webhook.per != "app":
        return None
    return str(getattr(credentials, "client_id", channel))


async def app_of(rt: Runtime, channel: str, credentials: Credentials) -> UUID | None:
    """The OAuth application of these credentials: one callback address for all its accounts."""
    app_key = app_key_of(rt.adapter(channel), channel, credentials)
    if app_key is None:
        return None
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
        async with rt.db.seller(account.seller_id) as tx:
            await accounts.unanswered(tx, account.id, str(problem))
        return None, SENTENCES[problem.fault].format(label=adapter.label, detail=problem.detail)
    if account.external_id not in (None, identity.external_id):
        return None, OTHER.format(
            name=account.name, known=account.external_id, there=identity.name, told=identity.external_id
        )
    try:
        async with rt.db.seller(account.seller_id) as tx:
            await identified(rt, tx, account, identity)
    except StoreError as problem:
        return None, str(problem)
    wake(rt, account)
    return identity, None


async def identified(rt: Runtime, tx: Tx, account: Account, identity: Identity) -> None:
    """Note who the account is at the channel. StoreError when another active account is the same one."""
    adapter = rt.adapter(account.channel)
    await accounts.identify(tx, account.id, identity.external_id, identity.facts)
    if adapter.tracking is not None:
        await follow.follow(rt, tx, None)
        if adapter.tracking.feed is not None:
            await tracking.listen(tx, account.id, rt.now())


def wake(rt: Runtime, account: Account) -> None:
    """Ring for the work of an account that was identified, where the hub talks to it."""
    if account.reads:
        rt.ring("catalogue", account.id)
        if rt.adapter(account.channel).tracking is not None:
            rt.ring("tracking", account.id)


async def account_reseal(rt: Runtime, account: Account, told: Mapping[str, str]) -> None:
    """Replace some of an account's credentials; its address and webhook secret stay. Refused names a wrong field."""
    adapter = adapter_named(account.channel)
    async with rt.db.seller(account.seller_id) as tx:
        kept = await accounts.credential(tx, account.id)
    opened = dict(rt.vault.open(kept.sealed))
    before = {name: value for name, value in json.loads(opened["credentials"]).items() if value is not None}
    credentials = read_credentials(adapter, {**before, **told})
    opened["credentials"] = sealable(credentials)
    same = same_grant(adapter, before, told)
    async with rt.db.seller(account.seller_id) as tx:
        await accounts.reseal(tx, account.id, rt.vault.seal(opened), keep_token=same)
        await stock.audit(tx, "account_reseal", str(account.id), fields=sorted(told))


def same_grant(adapter: Adapter, before: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Whether changed credentials are of the same consent: the token that it gave, and that rotates, stays good."""
    if adapter.token is None or adapter.oauth is None:
        return False
    decisive = {*adapter.oauth.app, *adapter.oauth.asks, *adapter.oauth.untyped(), "endpoint"}
    return all(before.get(name) == value for name, value in told.items() if name in decisive)


OTHER = "these credentials are of {there} ({told}), and {name} is {known}: connect that shop as an account of its own"
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

"""Letting an account in: who it is at its channel is asked before anything of it is kept or replaced."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.approval import EVERYTHING
from hub.contract import Adapter, Credentials, Identity, Token, TokenSource
from hub.faults import ChannelError, Fault
from hub.http import AccountApi
from hub.store import Tx, accounts, approvals, new_id, stock
from hub.store.accounts import Account, Taken
from jobs import connect, stranded
from jobs.connect import Refused
from jobs.runtime import Runtime, sealable_token

AWAY = frozenset({Fault.TRANSIENT, Fault.THROTTLED})  # says nothing about the credentials


class Turned(Refused):
    """An account is not let in; nothing was kept. `why` is a word of WHY, `told` what its sentence names."""

    def __init__(self, why: str, **told: object) -> None:
        super().__init__(WHY[why].format(**told))
        self.why, self.told = why, told


WHY = {
    "refused": "{label} refused: {detail}",
    "away": "{label} could not be asked ({detail}): nothing was changed, try again",
    "twice": "{there} ({ref}) is connected already, as {name}: reconnect that account instead",
    "elsewhere": "{there} ({ref}) is connected already by another seller of this installation",
    "other_shop": "these credentials are of {there} ({ref}), and {name} is {known}: connect that shop on its own",
    "name_taken": "there is an account called {name} already: choose another name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """An account that was let in. `identity` None: it could not be asked who it is, `problem` says why."""

    account: Account
    identity: Identity | None
    problem: ChannelError | None = None
    reopened: bool = False


class Trial:
    """A token that nobody keeps until it is known whose it is. Other than a keeper's, it is this one call's alone."""

    def __init__(self, rt: Runtime, source: TokenSource, credentials: Credentials, token: Token | None) -> None:
        self.rt, self.source, self.credentials, self.token = rt, source, credentials, token
        self.api: AccountApi | None = None
        self.turn = asyncio.Lock()

    async def current(self) -> Mapping[str, str]:
        """Headers of the token, got when there is none yet."""
        async with self.turn:
            return self.source.headers(self.token or await self._ask())

    async def renew(self, stale: Mapping[str, str]) -> Mapping[str, str]:
        """Headers of a newer token."""
        async with self.turn:
            is_newer = self.token is not None and self.source.headers(self.token) != stale
            return self.source.headers(self.token if self.token and is_newer else await self._ask())

    async def _ask(self) -> Token:
        if self.api is None:
            raise RuntimeError("a trial without its api")
        new = self.source.read(await self.api.call(self.source.request(self.credentials, self.token)), self.rt.now())
        kept = new.refresh or (self.token.refresh if self.token else None)
        self.token = Token(access=new.access, expires_at=new.expires_at, refresh=kept, account_ref=new.account_ref)
        return self.token


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of a trial: who the credentials are of, or why that is not known; and the token that was got."""

    identity: Identity | None
    problem: ChannelError | None
    token: Token | None


async def look(
    rt: Runtime, channel: str, account_id: UUID, credentials: Credentials, token: Token | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Found:  # fmt: skip
    """Ask a channel whose these credentials are. Nothing is kept."""
    adapter, shown = rt.adapter(channel), credentials.headers()
    trial = Trial(rt, adapter.token, credentials, token) if adapter.token and not shown else None
    api = rt.talk(
        channel, account_id, credentials, app_key=connect.app_key_of(adapter, channel, credentials),
        external_id=None, headers=shown, tokens=trial, facts=facts or {},
    )  # fmt: skip
    if trial:
        trial.api = api
    identity, problem = await _asked(adapter, api)
    return Found(identity=identity, problem=problem, token=trial.token if trial else None)


async def _asked(adapter: Adapter, api: AccountApi) -> tuple[Identity | None, ChannelError | None]:
    try:
        return await adapter.check(api), None
    except ChannelError as problem:
        return None, problem


async def admit(
    rt: Runtime, seller_id: UUID, channel: str, credentials: Credentials, *, token: Token | None = None,
    name: str | None = None,
) -> Admitted:  # fmt: skip
    """Connect a shop, in preview. One that was disconnected before is opened again, with its history.

    Turned when the channel refuses the credentials, or when the shop is connected already. A channel that is away,
    or a token that was granted and may not do what it should, is no reason to throw the credentials away: the account
    is kept, and does nothing until its check succeeds.
    """
    adapter, account_id = rt.adapter(channel), new_id()
    await _refuse_name(rt, seller_id, name)
    found = await look(rt, channel, account_id, credentials, token)
    if found.problem and found.problem.fault not in AWAY and found.token is None:
        raise Turned("refused", label=adapter.label, detail=found.problem.detail, fault=found.problem.fault)
    door, reopened = await connect.new_door(rt, channel, credentials), False
    try:
        async with rt.db.seller(seller_id) as tx:
            closed = await _closed_before(tx, channel, found.identity) if found.identity else None
            if closed is not None:
                account_id, reopened = closed.id, True
                await _reopen(rt, tx, closed, door)
            else:
                chosen = name or await _free_name(tx, adapter.label, found.identity)
                await connect.put_account(tx, adapter, channel, chosen, door, account_id)
            await _settle(rt, tx, account_id, found)
            account = await accounts.get(tx, account_id)
    except Taken:
        raise _turned(found, "elsewhere") from None
    connect.wake(rt, account)
    return Admitted(account=account, identity=found.identity, problem=found.problem, reopened=reopened)


async def readmit(rt: Runtime, account: Account, credentials: Credentials, *, token: Token | None = None) -> Admitted:
    """Connect an account again: new credentials, the same shop. Its webhook address and its history stay.

    Turned, and nothing changed, when the channel refuses them, cannot be asked, or says that they are of another
    shop. What held the account because of the old credentials is let go; a person's pause stays.
    """
    adapter, was = rt.adapter(account.channel), account.status
    label, same = adapter.label, token is None and await _is_same_grant(rt, account, credentials)
    if same:  # its token stays, and is renewed by whoever keeps it
        identity, problem = await _asked(adapter, rt.talking(account, credentials, credentials.headers()))
        found = Found(identity=identity, problem=problem, token=None)
    else:
        found = await look(rt, account.channel, account.id, credentials, token, account.facts)
    if found.problem is not None:
        why = "away" if found.problem.fault in AWAY else "refused"
        raise Turned(why, label=label, detail=found.problem.detail, fault=found.problem.fault)
    identity = found.identity
    if identity and account.external_id not in (None, identity.external_id):
        raise _turned(found, "other_shop", name=account.name, known=account.external_id)
    try:
        if was == "closed":
            door = await connect.new_door(rt, account.channel, credentials)
            async with rt.db.seller(account.seller_id) as tx:
                await _refuse_twice(tx, account.channel, found, account.id)
                await _reopen(rt, tx, account, door)
                await _settle(rt, tx, account.id, found)
        else:
            app_id = await connect.app_of(rt, account.channel, credentials)
            async with rt.db.seller(account.seller_id) as tx:
                await _refuse_twice(tx, account.channel, found, account.id)
                await _reseal(rt, tx, account, credentials, keep_token=same)
                await accounts.set_app(tx, account.id, app_id)
                await _settle(rt, tx, account.id, found)
    except Taken:
        raise _turned(found, "elsewhere") from None
    if was == "held" and account.braked_at is None:
        await connect.resume(rt, account)
    account = await rt.account(account.seller_id, account.id)
    connect.wake(rt, account)
    return Admitted(account=account, identity=identity, reopened=was == "closed")


def _turned(found: Found, why: str, **told: object) -> Turned:
    identity = found.identity
    return Turned(why, there=identity.name if identity else "", ref=identity.external_id if identity else "", **told)


async def _refuse_name(rt: Runtime, seller_id: UUID, name: str | None, but: UUID | None = None) -> None:
    if name is None:
        return
    async with rt.db.seller(seller_id) as tx:
        known = [each for each in await accounts.every(tx) if each.status != "closed" and each.id != but]
    if name.casefold() in {each.name.casefold() for each in known}:
        raise Turned("name_taken", name=name)


async def rename(rt: Runtime, account: Account, name: str) -> None:
    """Call an account otherwise. Turned when another one is called so."""
    await _refuse_name(rt, account.seller_id, name, account.id)
    async with rt.db.seller(account.seller_id) as tx:
        await accounts.rename(tx, account.id, name)
        await stock.audit(tx, "account_rename", str(account.id), before=account.name, name=name)


async def _free_name(tx: Tx, label: str, identity: Identity | None) -> str:
    """The channel's name, with the shop's where another account is called so already."""
    taken = {each.name.casefold() for each in await accounts.every(tx) if each.status != "closed"}
    wanted = [label, *([f"{label} · {identity.name}"] if identity else [])]
    wanted += [f"{label} {number}" for number in range(2, len(taken) + 3)]
    return next(each for each in wanted if each.casefold() not in taken)[:80]


async def _closed_before(tx: Tx, channel: str, identity: Identity) -> Account | None:
    active, closed = await accounts.known_as(tx, channel, identity.external_id)
    if active is not None:
        raise Turned("twice", there=identity.name, ref=identity.external_id, name=active.name, id=active.id)
    return closed


async def _refuse_twice(tx: Tx, channel: str, found: Found, account_id: UUID) -> None:
    if found.identity is None:
        return
    active, _closed = await accounts.known_as(tx, channel, found.identity.external_id)
    if active is not None and active.id != account_id:
        raise _turned(found, "twice", name=active.name, id=active.id)


async def _reopen(rt: Runtime, tx: Tx, account: Account, door: connect.Door) -> None:
    adapter = rt.adapter(account.channel)
    await accounts.reopen(
        tx, account.id, callback_hash=door.callback_hash, sealed=door.sealed, app_id=door.app_id,
        status=connect.first_status(adapter), role="none" if adapter.stock is None else "target",
    )  # fmt: skip
    await approvals.revoke(tx, account.id, (EVERYTHING,))
    await approvals.set_approval(tx, account.id, "none")
    await stranded.ask_again(tx, account)
    await stock.audit(tx, "account_reopen", str(account.id), channel=account.channel)


async def _is_same_grant(rt: Runtime, account: Account, credentials: Credentials) -> bool:
    if account.status == "closed":
        return False
    told = json.loads(connect.sealable(credentials))
    return connect.same_grant(rt.adapter(account.channel), await kept_fields(rt, account), told)


async def kept_fields(rt: Runtime, account: Account) -> dict[str, Any]:
    """An account's credentials in clear, those that were given; empty for one that was closed."""
    if account.status == "closed":
        return {}
    async with rt.db.seller(account.seller_id) as tx:
        kept = await accounts.credential(tx, account.id)
    told = json.loads(rt.vault.open(kept.sealed)["credentials"])
    return {name: value for name, value in told.items() if value is not None}


async def _reseal(rt: Runtime, tx: Tx, account: Account, credentials: Credentials, *, keep_token: bool) -> None:
    kept = rt.vault.open((await accounts.credential(tx, account.id)).sealed)
    before, told = json.loads(kept["credentials"]), json.loads(connect.sealable(credentials))
    await accounts.reseal(
        tx, account.id, rt.vault.seal({**kept, "credentials": json.dumps(told)}), keep_token=keep_token
    )
    changed = sorted(name for name, value in told.items() if before.get(name) != value)
    await stock.audit(tx, "account_reseal", str(account.id), fields=changed)


async def _settle(rt: Runtime, tx: Tx, account_id: UUID, found: Found) -> None:
    """The token that was got, and who the account is: all in the transaction that keeps its credentials."""
    if found.token is not None:
        await accounts.first_token(tx, account_id, rt.vault.seal(sealable_token(found.token)), found.token.expires_at)
    if found.identity is not None:
        await connect.identified(rt, tx, await accounts.get(tx, account_id), found.identity)
    elif found.problem is not None:
        await accounts.unanswered(tx, account_id, str(found.problem))

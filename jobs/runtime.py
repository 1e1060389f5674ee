"""What a flow needs from the world. Made once per process and event loop; tests make their own."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from pydantic import SecretStr

import adapters
from hub.bell import Bell
from hub.contract import Adapter, Credentials, Token, TokenSource
from hub.faults import ChannelError, Fault, pause_after
from hub.http import AccountApi, Client, TokenKeeper
from hub.model import Reply, Status
from hub.secrets import Vault
from hub.smtp import Server
from hub.store import Database, accounts, alerts, demos
from hub.store.accounts import Account
from hub.throttle import Throttle

log = structlog.get_logger("balcao")

EARLY = timedelta(minutes=2)  # a token is renewed this long before it ends
PLAYED_ON = "127.0.0.1"  # where demonstrations' channels answer
RENEWAL_WAIT = 15.0  # seconds to wait for another worker's renewal


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Settings that flows read. Times are seconds."""

    hold_from: Status = Status.PLACED
    zero_brake_share: float = 0.3
    poll_seconds: float = 15.0
    reconcile_seconds: float = 6 * 3600.0
    inbox_days: int = 30
    not_found_days: int = 3
    public_url: str | None = None
    api_per_minute: int = 600  # requests of one API key
    smtp: Server | None = None  # None: no e-mail leaves
    drain_seconds: float = 20.0


@dataclass(slots=True, kw_only=True)
class Runtime:
    """One process's pool, HTTP clients, tokens and bell, kept warm."""

    db: Database
    http: Client
    vault: Vault
    bell: Bell
    policy: Policy = field(default_factory=Policy)
    worker: int = 0  # who holds our leases; 0 outside workers
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    looked: dict[UUID, float] = field(default_factory=dict)  # when an account's newest orders were looked at
    _sealed: dict[UUID, tuple[bytes, Mapping[str, str]]] = field(default_factory=dict)

    def adapter(self, channel: str) -> Adapter:
        """The adapter of a channel."""
        return adapters.get(channel)

    def ring(self, lane: str, account_id: UUID) -> None:
        """Wake a drain; nobody waits for it, and a lost ring is found by the sweep."""
        self.bell.ring_soon(lane, account_id)

    def open_sealed(self, account_id: UUID, sealed: bytes) -> Mapping[str, str]:
        """Opened credentials, remembered while the sealed bytes stay the same."""
        kept = self._sealed.get(account_id)
        if kept is None or kept[0] != sealed:
            kept = (sealed, self.vault.open(sealed))
            self._sealed[account_id] = kept
        return kept[1]

    async def account(self, seller_id: UUID, account_id: UUID) -> Account:
        """An account as it stands."""
        async with self.db.seller(seller_id) as tx:
            return await accounts.get(tx, account_id)

    async def api(self, account: Account) -> AccountApi:
        """A way to call an account's channel."""
        adapter = self.adapter(account.channel)
        async with self.db.seller(account.seller_id) as tx:
            credential = await accounts.credential(tx, account.id)
        opened = self.open_sealed(account.id, credential.sealed)
        credentials = adapter.credentials.model_validate(json.loads(opened["credentials"]))
        shown = credentials.headers()  # a static key needs no token, also where others need one
        return self.talking(account, credentials, shown, await self._inside(account, credentials.base_url()))

    def talking(
        self, account: Account, credentials: Credentials, shown: Mapping[str, str],
        inside: tuple[str, int] | None = None,
    ) -> AccountApi:  # fmt: skip
        """A way to call an account's channel with these credentials, by the token that the account has."""
        adapter = self.adapter(account.channel)
        tokens = _Keeper(self, account, adapter.token, credentials) if adapter.token and not shown else None
        api = self.talk(
            account.channel, account.id, credentials, app_key=account.app_key, external_id=account.external_id,
            headers=shown, tokens=tokens, facts={**account.facts, "settings": dict(account.settings)},
            inside=inside,
        )  # fmt: skip
        if tokens:
            tokens.api = api
        return api

    def talk(
        self, channel: str, account_id: UUID, credentials: Credentials, *, app_key: str | None,
        external_id: str | None, headers: Mapping[str, str], tokens: TokenKeeper | None, facts: Mapping[str, Any],
        inside: tuple[str, int] | None = None,
    ) -> AccountApi:  # fmt: skip
        """A way to call a channel with these credentials, whether they are an account's already or only typed."""
        adapter = self.adapter(channel)
        return self.http.account(
            channel=channel, account_id=account_id, base_url=credentials.base_url(), app_key=app_key,
            external_id=external_id, headers=headers, limits=adapter.limits, faults=adapter.faults,
            read_error=adapter.read_error, tokens=tokens, renew_on=adapter.token.renew_on if adapter.token else (),
            credentials=credentials, facts=facts, sign=adapter.sign, until=adapter.until, now=self.now,
            inside=inside,
        )  # fmt: skip

    async def _inside(self, account: Account, base_url: str) -> tuple[str, int] | None:
        """The one address of this machine that an account may call: where a demonstration's own channel is played.

        BALCAO_ALLOW_PRIVATE_HOSTS is another matter: that is the installation's, for every account.
        """
        if not base_url.startswith(f"http://{PLAYED_ON}:"):
            return None
        async with self.db.seller(account.seller_id) as tx:
            port = await demos.port(tx, account.id)
        return (PLAYED_ON, port) if port else None

    async def hook_secret(self, seller_id: UUID, account_id: UUID) -> str:
        """The secret under which an account's webhooks are signed; empty while the vendor's own is not given."""
        async with self.db.seller(seller_id) as tx:
            account, credential = await accounts.get(tx, account_id), await accounts.credential(tx, account_id)
        opened, adapter = self.open_sealed(account_id, credential.sealed), self.adapter(account.channel)
        if adapter.webhook is None or adapter.webhook.secret is None:
            return opened["hook_secret"]
        return adapter.webhook.secret(adapter.credentials.model_validate(json.loads(opened["credentials"]))) or ""

    def pause(self, problem: ChannelError, attempts: int) -> datetime | None:
        """When to try again after the given number of earlier failures; None: park it."""
        wait = pause_after(problem.fault, attempts + 1)
        if wait is None:
            return None
        at = self.now() + timedelta(seconds=wait)
        return (
            max(at, problem.retry_at)
            if problem.retry_at and problem.fault is Fault.THROTTLED
            else (problem.retry_at or at)
        )

    async def hold(self, account: Account, problem: ChannelError) -> None:
        """The channel refuses our credentials: hold the account, keep its work, tell the seller."""
        async with self.db.seller(account.seller_id) as tx:
            await accounts.set_status(tx, account.id, "held", problem.detail)
            await alerts.raise_(
                tx, "account_held", str(account.id), severity="urgent", account=account.name, channel=account.channel,
                detail=problem.detail,
            )  # fmt: skip
        log.warning("account held", channel=account.channel, account=account.name, code=problem.code)


class _Keeper:
    """An account's token: single flight through a database lease, the new one committed before it is used.

    It lives as long as one drain, and remembers the token meanwhile: a refused one is looked up again.
    """

    def __init__(self, rt: Runtime, account: Account, source: TokenSource, credentials: Any) -> None:
        self.rt, self.account, self.source, self.credentials = rt, account, source, credentials
        self.api: AccountApi | None = None
        self.token: Token | None = None
        self.turn = asyncio.Lock()  # the drain's calls ask the store one at a time

    async def current(self) -> Mapping[str, str]:
        """Headers of a token that should be good."""
        async with self.turn:
            if self.token is None or not self._is_fresh(self.token):
                token, generation = await self._stored()
                self.token = token if token and self._is_fresh(token) else await self._renewed(token, generation)
            return self.source.headers(self.token)

    async def renew(self, stale: Mapping[str, str]) -> Mapping[str, str]:
        """Headers of a newer token than the stale one."""
        async with self.turn:
            if self.token is None or self.source.headers(self.token) == stale:
                token, generation = await self._stored()
                # Another worker may have renewed it meanwhile.
                is_newer = token is not None and self.source.headers(token) != stale
                self.token = token if token and is_newer else await self._renewed(token, generation)
            return self.source.headers(self.token)

    def _is_fresh(self, token: Token) -> bool:
        return token.expires_at is None or token.expires_at - EARLY > self.rt.now()

    async def _stored(self) -> tuple[Token | None, int]:
        async with self.rt.db.seller(self.account.seller_id) as tx:
            kept = await accounts.credential(tx, self.account.id)
        if kept.token_sealed is None:
            return None, kept.token_generation
        return _unseal(self.rt.vault.open(kept.token_sealed), kept.token_expires_at), kept.token_generation

    async def _renewed(self, token: Token | None, generation: int) -> Token:
        deadline = asyncio.get_running_loop().time() + RENEWAL_WAIT
        while True:
            lease = uuid4()
            async with self.rt.db.seller(self.account.seller_id) as tx:
                mine = await accounts.lease_token(tx, self.account.id, lease, self.rt.now(), generation)
            if mine:
                return await self._exchange(token, lease)
            await asyncio.sleep(0.1)
            stored, now_generation = await self._stored()
            if stored and now_generation != generation:
                return stored
            if asyncio.get_running_loop().time() > deadline:
                raise ChannelError(Fault.TRANSIENT, "renewal", "another worker is still renewing the token")

    async def _exchange(self, token: Token | None, lease: UUID) -> Token:
        if self.api is None:
            raise RuntimeError("a token keeper without its api")
        try:
            reply: Reply = await self.api.call(self.source.request(self.credentials, token))
            new = self.source.read(reply, self.rt.now())
            sealed = self.rt.vault.seal(sealable_token(new, token))
            async with self.rt.db.seller(self.account.seller_id) as tx:
                kept = await accounts.put_token(tx, self.account.id, lease, sealed, new.expires_at)
        except BaseException:
            async with self.rt.db.seller(self.account.seller_id) as tx:
                await accounts.drop_token_lease(tx, self.account.id, lease)
            raise
        if not kept:  # ours came too late: whoever has the lease now has a newer one
            raise ChannelError(Fault.TRANSIENT, "renewal", "the token was renewed by another worker meanwhile")
        return new


def sealable_token(new: Token, old: Token | None = None) -> dict[str, str]:
    """A token in clear, with the refresh token of the one before where it brought none: only ever to be sealed."""
    refresh = new.refresh or (old.refresh if old else None)
    told = {"access": new.access.get_secret_value()}
    if refresh:
        told["refresh"] = refresh.get_secret_value()
    if new.account_ref:
        told["account_ref"] = new.account_ref
    return told


def _unseal(told: Mapping[str, str], expires_at: datetime | None) -> Token:
    return Token(
        access=SecretStr(told["access"]),
        expires_at=expires_at,
        refresh=SecretStr(told["refresh"]) if "refresh" in told else None,
        account_ref=told.get("account_ref"),
    )


@asynccontextmanager
async def running(
    *, database_url: str, redis_url: str, vault: Vault, policy: Policy, allow_private: str, shards: int, workers: int,
    worker: int = 0, pool: int = 10,
) -> AsyncIterator[Runtime]:  # fmt: skip
    """A Runtime whose pool, clients and bell are open."""
    throttle = Throttle(redis_url, workers=workers)
    client = Client(throttle, allow_private=allow_private)
    bell = Bell(redis_url, shards)
    try:
        async with Database(database_url, size=pool) as db:
            yield Runtime(db=db, http=client, vault=vault, bell=bell, policy=policy, worker=worker)
    finally:
        bell.close()
        await client.close()

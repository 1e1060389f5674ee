"""A channel's sandbox behind a real socket, the hub's own HTTP client before it, and somebody who hears webhooks."""

import asyncio
import importlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

import adapters
from hub.contract import Adapter, Credentials, Identity, Token
from hub.faults import ChannelError
from hub.http import AccountApi, Client
from hub.model import Knock, Limit, Notice
from hub.sandbox import Product, Sandbox
from hub.throttle import Throttle

SECRET = "hook-secret"
SHIRTS = [
    Product(sku=f"CAM-{size}", title=size, quantity=40, price_cents=5900, parent="Camiseta", gtin="7891000315507")
    for size in ("P", "M", "G")
]
PRODUCTS = [
    *(Product(sku=f"SKU-{n:03}", title=f"Produto {n}", quantity=40, price_cents=1990 + n) for n in range(130)),
    *SHIRTS,
]


class Clock:
    """Real time, and what was slept on top of it: nobody waits for a limit or a pause."""

    def __init__(self) -> None:
        self.slept = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.slept

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        await asyncio.sleep(0)


class Patient(Throttle):
    """Waits for a limit however long it takes, which is no time at all: one of them is a call a minute."""

    async def take(
        self, limits: Sequence[Limit], names: Mapping[str, str], operation: str | None = None, **told: Any
    ) -> None:
        await super().take(limits, names, operation, **told | {"max_wait": 3600.0})


class Keeper:
    """An account's token, kept in memory."""

    def __init__(self, adapter: Adapter, credentials: Credentials) -> None:
        self.source, self.credentials = adapter.token, credentials
        self.token: Token | None = None
        self.api: AccountApi | None = None

    async def current(self) -> Mapping[str, str]:
        return await self.renew({}) if self.token is None else self._shown()

    async def renew(self, stale: Mapping[str, str]) -> Mapping[str, str]:
        assert self.source
        assert self.api
        reply = await self.api.call(self.source.request(self.credentials, self.token))
        self.token = self.source.read(reply, self.api.now())
        return self._shown()

    def _shown(self) -> Mapping[str, str]:
        assert self.source
        assert self.token
        return self.source.headers(self.token)


@dataclass
class Ear:
    """Somebody who listens at a callback address."""

    url: str
    heard: list[Knock] = field(default_factory=list)

    async def hear(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append(Knock(headers=headers, body=await request.read(), url=str(request.url)))
        return web.Response()


@dataclass
class Shop:
    """A running sandbox. `api` is a fresh account that knows who it is, as the hub's own is."""

    channel: str
    adapter: Adapter
    sandbox: Sandbox
    url: str
    ear: Ear
    client: Client
    clock: Clock
    identity: Identity | None = None

    def typed(self) -> dict[str, str]:
        return self.sandbox.credentials(self.url)

    def stranger(self, **changed: str) -> AccountApi:
        """An account with these credentials, before anything is known of it."""
        credentials = self.adapter.credentials.model_validate(self.typed() | changed)
        shown = credentials.headers()
        keeper = Keeper(self.adapter, credentials) if self.adapter.token and not shown else None
        identity = self.identity
        api = self.client.account(
            channel=self.channel,
            account_id=uuid4(),
            base_url=credentials.base_url(),
            external_id=identity.external_id if identity else None,
            facts=identity.facts if identity else None,
            headers=shown,
            limits=self.adapter.limits,
            faults=self.adapter.faults,
            read_error=self.adapter.read_error,
            sign=self.adapter.sign,
            until=self.adapter.until,
            tokens=keeper,
            renew_on=self.adapter.token.renew_on if self.adapter.token else (),
            credentials=credentials,
            now=self.clock.now,
        )
        if keeper:
            keeper.api = api
        return api

    async def api(self) -> AccountApi:
        """An account that was checked: its token is warm, and it knows its own id and facts."""
        self.identity = None
        first = self.stranger()
        self.identity = await self.adapter.check(first)
        api = self.stranger()
        if first.tokens and api.tokens:  # a refresh token may be good for one use only
            assert isinstance(first.tokens, Keeper)
            assert isinstance(api.tokens, Keeper)
            api.tokens.token = first.tokens.token
        return api

    def secrets(self) -> list[str]:
        """Names of the secret fields that this sandbox's seller types in."""
        credentials = self.adapter.credentials.model_validate(self.typed())
        return [name for name, told in credentials if isinstance(told, SecretStr)]

    async def buy(self, sku: str, quantity: int = 1, **more: Any) -> str:
        told = await self.sandbox.act("buy", {"lines": [{"sku": sku, "quantity": quantity}], **more})
        return str(told["order_ref"])

    async def listen(self, api: AccountApi) -> list[str]:
        """Have webhooks sent to our ear, as the hub would or as the seller does by hand; what was done."""
        webhook = self.adapter.webhook
        assert webhook
        if webhook.subscribe is None:
            await self.sandbox.act("callback", {"url": self.ear.url, "secret": SECRET})
            return []
        return await webhook.subscribe(api, self.ear.url, SECRET)

    def secret(self) -> str:
        """What its webhooks are signed with: the vendor's key among the credentials, or ours."""
        webhook = self.adapter.webhook
        if webhook is None or webhook.secret is None:
            return SECRET
        return webhook.secret(self.adapter.credentials.model_validate(self.typed())) or ""

    async def quiet(self) -> None:
        """Until no webhook is under way."""
        async with asyncio.timeout(20):
            while self.sandbox.courier.under_way:
                await asyncio.wait(self.sandbox.courier.under_way)

    def notices(self) -> list[Notice]:
        """What was heard, each verified and read."""
        webhook = self.adapter.webhook
        assert webhook
        found = []
        for knock in self.ear.heard:
            if not (webhook.is_ping and webhook.is_ping(knock)):
                webhook.verify(self.secret(), knock)
            found += webhook.read(knock)
        return found


@asynccontextmanager
async def opened(channel: str, products: list[Product] | None = None) -> AsyncIterator[Shop]:
    """A shop that sells PRODUCTS."""
    module = importlib.import_module(f"adapters.{channel}.sandbox")
    sandbox: Sandbox = module.create(PRODUCTS if products is None else products)
    clock, ear = Clock(), Ear("")
    throttle = Patient(None, clock=clock, sleep=clock.sleep, now=clock.now)
    client = Client(throttle, allow_private="*", clock=clock, sleep=clock.sleep)
    listening = web.Application()
    listening.router.add_post("/{tail:.*}", ear.hear)
    async with TestServer(sandbox.app) as server, TestServer(listening) as hearing:
        ear.url = str(hearing.make_url("/in/t0ken"))
        url = str(server.make_url("")).rstrip("/")
        try:
            yield Shop(channel, adapters.get(channel), sandbox, url, ear, client, clock)
        finally:
            await client.close()


async def failure(awaited: Any) -> ChannelError:
    """The channel's error that something ends in; whatever else happens is a failure of the test."""
    try:
        told = await awaited
    except ChannelError as problem:
        return problem
    raise AssertionError(f"no error, but {told!r}"[:300])

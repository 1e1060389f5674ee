"""A seller with channels on real sockets, for flow tests: sandboxes, webhooks into a real web app, real services."""

import asyncio
import importlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from aiohttp import web
from aiohttp.test_utils import TestServer

from hub.sandbox import Product, Sandbox
from hub.secrets import Vault, new_key
from hub.store.accounts import Account
from hub.store.due import LANES
from hub.store.pulse import Pulse
from hub.web import webhooks
from jobs import connect, counts, sweep
from jobs.intake import Intake
from jobs.runtime import Policy, Runtime, running
from tests.services import database, stack


@dataclass
class Channel:
    """One connected sandbox."""

    sandbox: Sandbox
    server: TestServer
    account: Account

    async def act(self, verb: str, **wanted: Any) -> dict[str, Any]:
        """Do something there, as a buyer, seller or carrier."""
        return await self.sandbox.act(verb, wanted)

    async def buy(self, sku: str, quantity: int = 1, **more: Any) -> str:
        """Buy one thing; answers the order's ref."""
        told = await self.act("buy", lines=[{"sku": sku, "quantity": quantity}], **more)
        return str(told["order_ref"])


@dataclass
class World:
    """A runtime, a seller and its channels. Work is done only when a test says so (`settle`)."""

    rt: Runtime
    seller_id: UUID
    web: TestServer
    intake: Intake
    stack: AsyncExitStack
    pulse: Pulse
    channels: list[Channel] = field(default_factory=list)

    async def connect(
        self, channel: str, products: Sequence[Product], *, approve: bool = True, name: str | None = None, **options: Any
    ) -> Channel:
        """Start a sandbox, connect it, import its listings; approve it unless told otherwise."""
        sandbox: Sandbox = importlib.import_module(f"adapters.{channel}.sandbox").create(products, **options)
        server = await self.stack.enter_async_context(TestServer(sandbox.app))
        told = sandbox.credentials(str(server.make_url("")).rstrip("/"))
        made = await connect.account_add(self.rt, self.seller_id, channel, told, name=name)
        assert made.problem is None, made.problem
        if "/in/app/" in made.webhook_url:
            await sandbox.act("callback", {"url": made.webhook_url})
        account = await self.rt.account(self.seller_id, made.account_id)
        self.channels.append(Channel(sandbox, server, account))
        await self.settle()
        if approve:
            await connect.approve(self.rt, account)
            await self.settle()
        self.channels[-1].account = await self.rt.account(self.seller_id, made.account_id)
        return self.channels[-1]

    async def open_stock(self, **units: int) -> None:
        """Count SKUs in the main warehouse."""
        await counts.set_stock(self.rt, self.seller_id, list(units.items()), create=True)
        await self.settle()

    async def settle(self, rounds: int = 60) -> None:
        """Drain every lane until nothing is due and no webhook is under way."""
        quiet = 0
        for _ in range(rounds):
            done = 0
            for lane in LANES:
                done += await sweep.drain(self.rt, lane)
            under_way = sum(len(channel.sandbox.courier.under_way) for channel in self.channels)
            pending = await self.pending()
            quiet = 0 if done or under_way or pending else quiet + 1
            if quiet > 1:
                return
            await asyncio.sleep(0.05 if not pending else 0.2)
        raise AssertionError(f"the hub does not come to rest: {await self.pending()} slots pending")

    async def pending(self) -> int:
        """Slots of live accounts that will fall due soon."""
        async with self.rt.db.seller(self.seller_id) as tx:
            count: int = await tx.value(
                """SELECT count(*) FROM stock_slot s JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id
                   WHERE a.status = 'live' AND s.due_at < now() + interval '13 seconds' AND s.parked_code IS NULL
                     AND NOT s.braked"""
            )
        return count

    async def rows(self, sql: Any, *params: object) -> list[dict[str, Any]]:
        """What the seller's own rows say."""
        async with self.rt.db.seller(self.seller_id) as tx:
            return await tx.all(sql, list(params))

    async def row(self, sql: Any, *params: object) -> dict[str, Any]:
        """The only row."""
        (row,) = await self.rows(sql, *params)
        return row


@asynccontextmanager
async def world(**policy: Any) -> AsyncIterator[World]:
    """A fresh seller on a fresh database; webhooks reach a real web app."""
    random_worker = random.randrange(1, 2**31 - 1)
    async with AsyncExitStack() as exits:
        url = exits.enter_context(database())
        pulse = await exits.enter_async_context(Pulse(url, random_worker))
        rt = await exits.enter_async_context(
            running(
                database_url=url, redis_url=stack().redis_url, vault=Vault([new_key()]), policy=Policy(),
                allow_private="*", shards=1, workers=1, worker=random_worker, pool=8,
            )  # fmt: skip
        )
        app = web.Application(client_max_size=2**20)
        app[webhooks.INTAKE] = intake = Intake(rt)
        app.add_routes(webhooks.routes)
        server = await exits.enter_async_context(TestServer(app))
        public = str(server.make_url("")).rstrip("/")
        rt.policy = replace(rt.policy, **{"public_url": public, "poll_seconds": 3600.0, **policy})
        await intake.start()
        exits.push_async_callback(intake.close)
        seller_id = await connect.seller_add(rt, "Loja de Teste")
        yield World(rt, seller_id, server, intake, exits, pulse)

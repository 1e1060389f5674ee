"""A world with its pages on a real socket, people who may sign in, and a browser of few words."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from redis.asyncio import Redis

import adapters
from hub.http import sharers
from hub.sandbox import Product
from hub.store import people
from hub.store.accounts import Account
from hub.web import api, auth, pages
from hub.web.keys import RUNTIME
from jobs import connect
from tests.services import stack
from tests.world import Channel, World, world

PASSWORD = "uma senha comprida"
HASH = auth.hash_password(PASSWORD)


@dataclass
class Answer:
    """What came back, read whole."""

    status: int
    text: str
    headers: Any
    url: str

    @property
    def csrf(self) -> str:
        """The token of the page's forms."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.text)
        assert found, self.text[:400]
        return found[1]


@dataclass
class Reader:
    """A browser without script: cookies, forms, and no redirect followed unless told."""

    base: str
    session: aiohttp.ClientSession
    csrf: str = ""

    async def get(self, path: str, **more: Any) -> Answer:
        async with self.session.get(self.base + path, allow_redirects=False, **more) as answer:
            text = await answer.text()
            if found := re.search(r'name="csrf" value="([^"]+)"', text):
                self.csrf = found[1]
            return Answer(answer.status, text, answer.headers, str(answer.url))

    async def post(self, path: str, **fields: Any) -> Answer:
        told = {"csrf": self.csrf, **fields}
        async with self.session.post(self.base + path, data=told, allow_redirects=False) as answer:
            return Answer(answer.status, await answer.text(), answer.headers, str(answer.url))

    async def sign_in(self, email: str, password: str = PASSWORD, onward: str = "/") -> Answer:
        await self.get("/entrar")
        answer = await self.post("/entrar", email=email, password=password, next=onward)
        if answer.status == 303:
            await self.get("/")
        return answer

    @property
    def cookie(self) -> Any:
        """The session cookie."""
        (morsel,) = [c for c in self.session.cookie_jar if c.key.endswith("balcao")]
        return morsel


@dataclass
class Site:
    """The pages of a world."""

    w: World
    server: TestServer
    base: str
    _readers: list[aiohttp.ClientSession] = field(default_factory=list)

    def reader(self) -> Reader:
        """A browser that nobody has signed in with."""
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._readers.append(session)
        return Reader(self.base, session)

    async def person(
        self,
        email: str,
        role: str = "owner",
        *,
        seller_id: UUID | None = None,
        name: str = "Ana Lima",
        locale: str = "pt_BR",
    ) -> UUID:
        """Somebody who may sign in."""
        async with self.w.rt.db.people() as tx:
            user_id = await people.user_put(tx, email, name, HASH, locale)
        async with self.w.rt.db.seller(seller_id or self.w.seller_id) as tx:
            await people.member_put(tx, user_id, role)
        return user_id

    async def signed_in(self, email: str = "ana@loja.example", role: str = "owner", **more: Any) -> Reader:
        """A browser of somebody who is in."""
        await self.person(email, role, **more)
        reader = self.reader()
        answer = await reader.sign_in(email)
        assert answer.status == 303, answer.text
        return reader

    async def other_seller(self, name: str = "Outra Loja") -> UUID:
        """A second seller in the same installation."""
        return await connect.seller_add(self.w.rt, name)

    async def connect(self, channel: str, products: Sequence[Product] = (), **options: Any) -> Channel:
        """Connect a sandbox; its webhooks are known from the first one on (the intake looks for new ones rarely)."""
        made = await self.w.connect(channel, products, **options)
        await self.w.intake._read_routes()
        return made

    async def leave_tokens(self, account: Account, tokens: float) -> None:
        """So many tokens are left in every bucket of an account: its world's calls take none."""
        limits = adapters.get(account.channel).limits
        names = sharers(account.channel, account.id, account.app_key)
        async with Redis.from_url(stack().redis_url) as valkey:
            seconds, micros = await valkey.time()
            at = str(seconds * 1000 + micros / 1000)
            for each in limits:
                key = f"tb:{each.per}:{names[each.per]}:{each.operation or '*'}:{each.burst}/{each.seconds:g}"
                await valkey.hset(key, mapping={"tokens": str(tokens), "at": at})

    async def until(self, sql: str, *params: object) -> list[dict[str, Any]]:
        """What the database says once it says something: a webhook may still be on its way."""
        for _ in range(60):
            await self.w.settle()
            if rows := await self.w.rows(sql, *params):
                return rows
            await asyncio.sleep(0.1)
        raise AssertionError(f"nothing came: {sql}")

    async def close(self) -> None:
        for each in self._readers:
            await each.close()


@asynccontextmanager
async def site(**policy: Any) -> AsyncIterator[Site]:
    """A world with its pages."""
    async with world(**policy) as w:
        app = web.Application(client_max_size=2**20)
        app[RUNTIME] = w.rt
        api.setup(app)
        pages.setup(app)
        server = TestServer(app)
        async with server:
            made = Site(w, server, str(server.make_url("")).rstrip("/"))
            try:
                yield made
            finally:
                await made.close()

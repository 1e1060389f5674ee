"""What every channel's sandbox shares: fault knobs, webhook delivery and the control routes that a demo drives.

A sandbox is an aiohttp app that behaves as the channel's documentation says; what stands under /_sandbox is ours.
"""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler as Handler  # noqa: PLC0414 - the sandboxes take it from here
from aiohttp.typedefs import Middleware
from yarl import URL


@dataclass(slots=True)
class Knobs:
    """How badly the channel behaves: chances from 0 to 1, times in seconds."""

    latency: float = 0.0
    throttle: float = 0.0  # 429 with Retry-After
    fail: float = 0.0  # 503 before anything is done
    hang: float = 0.0  # the request is carried out, then the connection closes without an answer
    hang_seconds: float = 1.0
    webhook_drop: float = 0.0
    webhook_duplicate: float = 0.0
    webhook_delay: float = 0.0  # each delivery waits a random time up to this: reorders
    down: bool = False  # 503 for everything

    def turn(self, wanted: Mapping[str, Any]) -> None:
        """Set the named knobs; an unknown name is a ValueError."""
        known = {f.name for f in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise ValueError(f"no knob named {name!r}; there are: {', '.join(sorted(known))}")
            setattr(self, name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One sellable thing seeded into a sandbox. Those with one `parent` are its variations."""

    sku: str
    title: str
    quantity: int
    price_cents: int
    gtin: str | None = None
    parent: str | None = None
    managed_by: str = "seller"


@dataclass(slots=True)
class Delivery:
    """A webhook on its way: `retries` are the pauses between attempts, empty where the vendor never retries."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    timeout: float = 5.0
    retries: tuple[float, ...] = ()
    done: Callable[[int], None] | None = None  # told each attempt's HTTP status, 0 when none came


@dataclass(slots=True)
class Courier:
    """Delivers webhooks as badly as the knobs say, and knows when nothing is under way."""

    knobs: Knobs
    chance: random.Random
    session: aiohttp.ClientSession | None = None
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    sent: int = 0
    refused: int = 0

    def send(self, delivery: Delivery) -> None:
        """Start delivering; returns at once."""
        if self.chance.random() < self.knobs.webhook_drop:
            return
        copies = 2 if self.chance.random() < self.knobs.webhook_duplicate else 1
        for _ in range(copies):
            task = asyncio.get_running_loop().create_task(self._deliver(delivery))
            self.under_way.add(task)
            task.add_done_callback(self.under_way.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        if self.knobs.webhook_delay:
            await asyncio.sleep(self.chance.random() * self.knobs.webhook_delay)
        for pause in (0.0, *delivery.retries):
            if pause:
                await asyncio.sleep(pause)
            status = await self._attempt(delivery)
            if delivery.done:
                delivery.done(status)
            if 200 <= status < 300:
                return
            self.refused += 1

    async def _attempt(self, delivery: Delivery) -> int:
        if self.session is None:
            self.session = aiohttp.ClientSession()
        self.sent += 1
        try:
            async with self.session.post(
                delivery.url,
                data=delivery.body,
                headers=delivery.headers,
                timeout=aiohttp.ClientTimeout(total=delivery.timeout),
                allow_redirects=False,
            ) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def close(self, _app: web.Application) -> None:
        """Stop what is under way and the session."""
        for task in list(self.under_way):
            task.cancel()
        if self.session:
            await self.session.close()


@dataclass(slots=True)
class Consents:
    """A consent page whose seller says yes at once (no, with `refuses`), and the codes that it gave out.

    `back` is the address that stands in the application, for vendors whose request names none.
    """

    back: str = ""
    refuses: bool = False
    codes: set[str] = field(default_factory=set)

    def answer(self, state: str, *, back: str = "", name: str = "code", **told: str) -> URL:
        """Where the browser goes on to: the application, with a code under this name and what else is told."""
        if self.refuses:
            told = {"error": "access_denied", "error_description": "The seller said no."}
        else:
            code = secrets.token_hex(12)
            self.codes.add(code)
            told = {name: code, **told}
        return URL(back or self.back).update_query({**told, "state": state} if state else told)

    def take(self, code: object) -> bool:
        """Whether this code is good; once."""
        good = code in self.codes
        self.codes.discard(str(code))
        return good


class Sandbox(Protocol):
    """What a channel's sandbox offers the demo and the tests, beside the channel's own API."""

    app: web.Application
    knobs: Knobs
    courier: Courier

    def credentials(self, base_url: str) -> dict[str, str]:
        """What to type into the connect form so that the hub talks to this sandbox."""

    def shelf(self) -> dict[str, int]:
        """What a buyer can buy right now, by SKU (marketplace-fulfilled listings left out)."""

    def orders(self) -> dict[str, str]:
        """Every order's ref and the channel's own status word."""

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a buyer, a seller or a carrier does there.

        Stores: buy {lines: [{sku, quantity}], pay: bool = true} -> {order_ref} (LookupError "sold_out" when the
        shelf does not hold it), pay/cancel/return {order_ref}, callback {url}. Carriers: post {code?} -> {code},
        advance {code?} (one scan further; all parcels when no code is given).
        """


def _chaos(knobs: Knobs, chance: random.Random) -> Middleware:
    @web.middleware
    async def misbehave(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_sandbox"):
            return await handler(request)
        resource = request.match_info.route.resource
        app_calls(request.app)[f"{request.method} {resource.canonical if resource else request.path}"] += 1
        if knobs.latency:
            await asyncio.sleep(knobs.latency)
        if knobs.down or chance.random() < knobs.fail:
            return web.json_response({"message": "service unavailable"}, status=503)
        if chance.random() < knobs.throttle:
            return web.json_response({"message": "too many requests"}, status=429, headers={"Retry-After": "1"})
        answer = await handler(request)
        if chance.random() < knobs.hang:
            await asyncio.sleep(knobs.hang_seconds)
            if request.transport is not None:
                request.transport.close()
        return answer

    return misbehave


CALLS: web.AppKey[Counter[str]] = web.AppKey("calls", Counter)


def app_calls(app: web.Application) -> Counter[str]:
    """How often each of the channel's routes was called."""
    return app[CALLS]


def make_app(knobs: Knobs, courier: Courier, chance: random.Random) -> web.Application:
    """An application with the knobs applied; the sandbox adds its own routes and then `add_controls`."""
    app = web.Application(middlewares=[_chaos(knobs, chance)])
    app[CALLS] = Counter()
    app.on_cleanup.append(courier.close)
    return app


def add_controls(sandbox: Sandbox) -> None:
    """The routes under /_sandbox: knobs, shelf, orders, quiet, credentials, act/{verb}."""

    async def knobs(request: web.Request) -> web.Response:
        if request.method == "POST":
            sandbox.knobs.turn(await request.json())
        return web.json_response(asdict(sandbox.knobs))

    async def shelf(_request: web.Request) -> web.Response:
        return web.json_response(sandbox.shelf())

    async def orders(_request: web.Request) -> web.Response:
        return web.json_response(sandbox.orders())

    async def quiet(_request: web.Request) -> web.Response:
        courier = sandbox.courier
        told = {
            "under_way": len(courier.under_way), "sent": courier.sent, "refused": courier.refused,
            "calls": dict(app_calls(sandbox.app)),
        }  # fmt: skip
        return web.json_response(told)

    async def credentials(request: web.Request) -> web.Response:
        return web.json_response(sandbox.credentials((await request.json())["base_url"]))

    async def act(request: web.Request) -> web.Response:
        wanted = await request.json() if request.can_read_body else {}
        try:
            return web.json_response(await sandbox.act(request.match_info["verb"], wanted))
        except LookupError as refusal:
            return web.json_response({"error": str(refusal.args[0])}, status=409)

    sandbox.app.router.add_route("*", "/_sandbox/knobs", knobs)
    sandbox.app.router.add_get("/_sandbox/shelf", shelf)
    sandbox.app.router.add_get("/_sandbox/orders", orders)
    sandbox.app.router.add_get("/_sandbox/quiet", quiet)
    sandbox.app.router.add_post("/_sandbox/credentials", credentials)
    sandbox.app.router.add_post("/_sandbox/act/{verb}", act)

"""Starting the demo, letting it live, bringing it to rest and checking every promise."""

import asyncio
import json
import os
import random
import secrets
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import argon2
import psycopg
from rich.console import Console
from rich.live import Live

import adapters
from hub import embedded
from hub.backoffice import invariants
from hub.demo import faults, figures, parcels, places, shop
from hub.demo.people import People, Shelf
from hub.store import kits, schema, stock, warehouses
from hub.store import people as persons
from jobs import approval, connect, counts
from jobs.install import Installation, home_folder, prepare, runtime
from jobs.runtime import Runtime
from jobs.supervise import Supervisor, start_all

DATABASE, REDIS_DB = "balcao_demo", 1
EMAIL = "demo@balcao.local"
REST_SECONDS = {"some": 120.0, "all": 600.0}  # some vendors take a call a minute, some a few a second
START_SECONDS = {"some": 120.0, "all": 900.0}
SKUS = {"some": 200, "all": 30}  # products, unless told
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to do: `seconds` None runs until Ctrl-C. Faults are off unless given."""

    seconds: float | None = None
    orders_per_second: float = 3.0
    as_json: bool = False
    kill_workers_every: float | None = None
    flush_redis_every: float | None = None
    stop_redis_for: float | None = None
    port: int | None = None
    channels: str = "some"
    skus: int | None = None
    workers: int = 3
    seed: int = SEED
    parcels: int = 0  # so many are tracked at once, before anybody buys


def free_ports(count: int) -> int:
    """The first of so many consecutive free ports."""
    for _attempt in range(200):
        first = 20_000 + secrets.randbelow(30_000)
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise OSError("no free ports on 127.0.0.1")


def run(wanted: Wanted) -> int:
    """Run the demo. Answers the exit status: 0 when every promise was kept."""
    out = Console(stderr=wanted.as_json)
    home = (home_folder() / "demo").resolve()
    began = time.monotonic()
    out.print("[bold]Balcão[/bold]: starting PostgreSQL and Valkey …")
    services = embedded.start(home)
    try:
        told = asyncio.run(_Demo(wanted, out, home, services, began).whole())
    except KeyboardInterrupt:
        return 0
    finally:
        embedded.stop(home)
    if wanted.as_json:
        sys.stdout.write(json.dumps(told, indent=2, default=str) + "\n")
    return 0 if told["ok"] else 1


def fresh_database(url: str) -> str:
    """The demo's own database, empty."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        conn.execute(f"CREATE DATABASE {DATABASE}")
    return urlsplit(url)._replace(path=f"/{DATABASE}").geturl()


class _Demo:
    def __init__(self, wanted: Wanted, out: Console, home: Path, services: embedded.Services, began: float) -> None:
        self.wanted, self.out, self.home, self.began = wanted, out, home, began
        self.places = places.places(wanted.channels)
        self.port = wanted.port or free_ports(len(self.places) + 2)
        self.skus = wanted.skus or SKUS[wanted.channels]
        self.shop = shop.make(self.skus, wanted.seed)
        self.password = secrets.token_urlsafe(9)
        self.redis_url = services.redis_url.replace("db=0", f"db={REDIS_DB}")
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "DATABASE_URL": fresh_database(services.database_url),
            "REDIS_URL": self.redis_url,
            "BALCAO_HOME": str(home),
            "BALCAO_HOST": "127.0.0.1",
            "BALCAO_PORT": str(self.port),
            "BALCAO_PUBLIC_URL": self.url,
            "BALCAO_ALLOW_PRIVATE_HOSTS": "127.0.0.1",
            "BALCAO_WORKERS": str(wanted.workers),
            "BALCAO_LOG_LEVEL": os.environ.get("BALCAO_LOG_LEVEL", "error"),
            "BALCAO_LOG_FORMAT": "json",
        }

    async def whole(self) -> dict[str, Any]:
        """From nothing to figures."""
        async with AsyncExitStack() as exits:
            session = await exits.enter_async_context(aiohttp.ClientSession())
            supervisor = Supervisor(self.environment)
            exits.push_async_callback(supervisor.stop)
            installation = await asyncio.to_thread(self._prepare)
            argv = [
                sys.executable,
                "-m",
                "hub.demo.channels",
                *map(str, (self.port + 1, self.skus, self.wanted.seed, self.wanted.channels)),
            ]
            supervisor.start("channels", argv)
            start_all(supervisor, self.wanted.workers)
            rt, _pulse = await exits.enter_async_context(runtime(installation, pool=6))
            await _answers(session, f"{self.url}/health")
            people = await self._seed(rt, session)
            self.out.print(
                f"Everything is up after {time.monotonic() - self.began:.0f} s. Panel: [bold]{self.url}[/bold]  "
                f"user: {EMAIL}  password: {self.password}"
            )
            tracked = await self._parcels(rt, people)
            return {**await self._live(rt, people, supervisor), **tracked}

    async def _parcels(self, rt: Runtime, people: People) -> dict[str, Any]:
        """Many parcels tracked at once, where that was asked for."""
        if not self.wanted.parcels:
            return {}

        async def requests() -> int:
            calls = await _calls(people.session, people.carrier)
            return sum(count for route, count in calls.items() if "/srorastro/" in route)

        told = await parcels.track_many(
            rt, people.seller_id, people.stores[0], people.carrier, self.wanted.parcels, people.act, requests
        )
        for each in told["rounds"]:
            self.out.print(
                f"{each['parcels']:,} parcels asked about in {each['seconds']} s by {each['requests']} requests; "
                f"the least possible is {each['least']}."
            )
        return {"parcels": told}

    def _prepare(self) -> Installation:
        os.environ.update(self.environment)
        schema.migrate(self.environment["DATABASE_URL"])
        return prepare(migrate=False)

    # ── a seller with several channels ──────────────────────────────────────────────────────────────────────────

    async def _seed(self, rt: Runtime, session: aiohttp.ClientSession) -> People:
        seller_id = await connect.seller_add(rt, "Loja Demonstração")
        await self._person(rt, seller_id)
        await self._stock(rt, seller_id)
        shelves = [
            await self._connect(rt, session, seller_id, number, channel, name)
            for number, (channel, name, _options) in enumerate(self.places, start=1)
        ]
        await self._wait_for_listings(rt, seller_id, len(shelves) - 1)
        for shelf in shelves[:-1]:
            await approval.approve(rt, await rt.account(seller_id, shelf.account_id))
        await self._wait_for_hooks(rt, seller_id, shelves)
        return People(
            rt=rt, seller_id=seller_id, shop=self.shop, stores=shelves[:-1], carrier=shelves[-1],
            rate=self.wanted.orders_per_second, chance=random.Random(self.wanted.seed), session=session,
        )  # fmt: skip

    async def _person(self, rt: Runtime, seller_id: UUID) -> None:
        hashed = await asyncio.to_thread(argon2.PasswordHasher().hash, self.password)
        async with rt.db.people() as tx:
            user_id = await persons.user_put(tx, EMAIL, "Demonstração", hashed, "pt_BR")
        async with rt.db.seller(seller_id) as tx:
            await persons.member_put(tx, user_id, "owner")

    async def _stock(self, rt: Runtime, seller_id: UUID) -> None:
        async with rt.db.seller(seller_id) as tx:
            await warehouses.warehouse_add(tx, "reserva", "Depósito reserva", rank=20)
            ids = {sku: await stock.sku_put(tx, sku, title) for sku, title in self.shop.titles.items()}
            for kit, parts in self.shop.kits.items():
                await kits.kit_put(tx, ids[kit], {ids[part]: quantity for part, quantity in parts.items()})
        for number, code in enumerate(("principal", "reserva")):
            units = [(sku, held[number]) for sku, held in self.shop.units.items()]
            await counts.set_stock(rt, seller_id, units, warehouse=code)

    async def _connect(
        self,
        rt: Runtime,
        session: aiohttp.ClientSession,
        seller_id: UUID,
        number: int,
        channel: str,
        name: str,
    ) -> Shelf:
        url = f"http://127.0.0.1:{self.port + number}"
        await _answers(session, f"{url}/_sandbox/quiet")
        async with session.post(f"{url}/_sandbox/credentials", json={"base_url": url}) as answer:
            told = await answer.json()
        made = await connect.account_add(rt, seller_id, channel, told, name=name)
        if made.problem:
            raise RuntimeError(made.problem)
        shelf = Shelf(channel, name, url, made.account_id)
        adapter = adapters.get(channel)
        if "/in/app/" in made.webhook_url or (adapter.webhook and not adapter.registers()):  # registered by hand there
            async with session.post(f"{url}/_sandbox/act/callback", json={"url": made.webhook_url}) as answer:
                answer.raise_for_status()
        return shelf

    async def _wait_for_listings(self, rt: Runtime, seller_id: UUID, stores: int) -> None:
        wanted = stores * len(self.shop.titles)
        await _until(
            lambda: _count(rt, seller_id, "SELECT count(*)::int FROM listing WHERE sku_id IS NOT NULL"),
            wanted,
            START_SECONDS[self.wanted.channels],
        )
        read = """SELECT (count(*) FILTER (WHERE succeeded_at IS NULL) = 0)::int FROM task
                  WHERE kind IN ('poll', 'listings')"""
        await _until(lambda: _count(rt, seller_id, read), 1, START_SECONDS[self.wanted.channels])

    async def _wait_for_hooks(self, rt: Runtime, seller_id: UUID, shelves: list[Shelf]) -> None:
        """Webhooks are registered by the hub itself, once an account is live."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            account = await rt.account(seller_id, shelves[0].account_id)
            if account.facts.get("subscribed"):
                return
            await asyncio.sleep(0.2)

    # ── life ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _live(self, rt: Runtime, people: People, supervisor: Supervisor) -> dict[str, Any]:
        began, since = time.monotonic(), rt.now()
        breaking = self._break(supervisor)
        buying = asyncio.create_task(people.run())
        first: float | None = None
        with Live(console=self.out, refresh_per_second=2, transient=self.wanted.as_json) as live:
            while self.wanted.seconds is None or time.monotonic() - began < self.wanted.seconds:
                await asyncio.sleep(0.5)
                told = await self._figures(rt, people, supervisor, since)
                if first is None and told["propagation_p50_ms"] is not None:
                    first = time.monotonic() - self.began
                live.update(figures.table(told, self.url, time.monotonic() - began))
            people.buying.set()
            await buying
            for task in breaking:
                task.cancel()
            embedded.start(self.home)  # where a fault had stopped it
            rested = await self._rest(rt, people, live, supervisor, since, began)
        told = await self._figures(rt, people, supervisor, since)
        return await self._judge(
            rt, people, {**told, "rested": rested, "first_propagated_sale_seconds": first and round(first, 1)}
        )

    def _break(self, supervisor: Supervisor) -> list[asyncio.Task[None]]:
        wanted, tasks = self.wanted, []
        if wanted.kill_workers_every:
            tasks.append(
                asyncio.create_task(faults.kill_workers(supervisor, wanted.kill_workers_every, wanted.workers))
            )
        if wanted.flush_redis_every:
            tasks.append(asyncio.create_task(faults.flush_redis(self.redis_url, wanted.flush_redis_every)))
        if wanted.stop_redis_for:
            tasks.append(asyncio.create_task(faults.stop_redis(self.home, 10, wanted.stop_redis_for)))
        return tasks

    async def _figures(self, rt: Runtime, people: People, supervisor: Supervisor, since: Any) -> dict[str, Any]:
        told = await figures.gather(rt, people.seller_id, since)
        return {**told, **people.told, "restarts": supervisor.restarts}

    async def _rest(
        self,
        rt: Runtime,
        people: People,
        live: Live,
        supervisor: Supervisor,
        since: Any,
        began: float,
    ) -> bool:
        """Wait until nothing is due and no webhook is under way. False when it does not come to rest."""
        until, quiet = time.monotonic() + REST_SECONDS[self.wanted.channels], 0
        while time.monotonic() < until:
            told = await self._figures(rt, people, supervisor, since)
            live.update(figures.table(told, self.url, time.monotonic() - began))
            under_way = sum([await _under_way(people.session, shelf) for shelf in people.stores])
            busy = told["inbox_due"] or told["slots_due"] or under_way
            quiet = 0 if busy else quiet + 1
            if quiet >= 4:  # noqa: PLR2004 - two seconds of silence
                return True
            await asyncio.sleep(0.5)
        return False

    async def _judge(self, rt: Runtime, people: People, told: dict[str, Any]) -> dict[str, Any]:
        """Every invariant, every order, every shelf."""
        async with rt.db.seller(people.seller_id) as tx:
            broken = await invariants.check(tx, at_rest=True)
        told["broken"] = {name: rows[:5] for name, rows in broken.items()}
        told["missing_orders"] = await _missing_orders(rt, people)
        told["shelf_differences"] = await _shelf_differences(rt, people)
        told["arithmetic_differences"] = await _arithmetic(rt, people)
        told["calls"] = {shelf.name: await _calls(people.session, shelf) for shelf in [*people.stores, people.carrier]}
        wrong = ("broken", "missing_orders", "shelf_differences", "arithmetic_differences")
        told["ok"] = bool(told["rested"]) and not any(told[name] for name in wrong)
        self._say(told)
        return told

    def _say(self, told: Mapping[str, Any]) -> None:
        if told["ok"]:
            self.out.print(
                "[green]Every promise was kept:[/green] all orders in, all channels equal, no invariant broken."
            )
            return
        for name in ("rested", "broken", "missing_orders", "shelf_differences", "arithmetic_differences"):
            self.out.print(f"{name}: {told[name]}", style="red")


async def _answers(session: aiohttp.ClientSession, url: str, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
                if answer.status == 200:  # noqa: PLR2004
                    return
        except (aiohttp.ClientError, TimeoutError):
            pass
        if time.monotonic() > until:
            raise RuntimeError(f"{url} does not answer within {seconds:.0f} s")
        await asyncio.sleep(0.1)


async def _count(rt: Runtime, seller_id: UUID, sql: Any) -> int:
    async with rt.db.seller(seller_id) as tx:
        found: int = await tx.value(sql)
    return found


async def _until(ask: Any, wanted: int, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while (found := await ask()) < wanted:
        if time.monotonic() > until:
            raise RuntimeError(f"only {found} of {wanted} after {seconds:.0f} s")
        await asyncio.sleep(0.3)


async def _under_way(session: aiohttp.ClientSession, shelf: Shelf) -> int:
    async with session.get(f"{shelf.url}/_sandbox/quiet") as answer:
        told = await answer.json()
    return int(told["under_way"])


async def _calls(session: aiohttp.ClientSession, shelf: Shelf) -> dict[str, int]:
    async with session.get(f"{shelf.url}/_sandbox/quiet") as answer:
        told: dict[str, int] = (await answer.json())["calls"]
    return told


async def _missing_orders(rt: Runtime, people: People) -> list[str]:
    """Orders that a channel has and the hub does not."""
    missing = []
    for store in people.stores:
        async with people.session.get(f"{store.url}/_sandbox/orders") as answer:
            refs = list(await answer.json())
        async with rt.db.seller(people.seller_id) as tx:
            rows = await tx.all("SELECT ref FROM orders WHERE account_id = %s", [store.account_id])
        missing += [f"{store.name}/{ref}" for ref in set(refs) - {row["ref"] for row in rows}]
    return sorted(missing)


async def _arithmetic(rt: Runtime, people: People) -> list[str]:
    """Where what the hub has free, less what it is short of, is not what was there less what was sold."""
    async with rt.db.seller(people.seller_id) as tx:
        rows = await tx.all(
            """SELECT k.code, sum(l.on_hand - l.reserved)::int - coalesce((SELECT sum(s.quantity) FROM shortage s
                    WHERE s.seller_id = k.seller_id AND s.sku_id = k.id), 0)::int AS free
               FROM sku k JOIN stock_level l ON l.seller_id = k.seller_id AND l.sku_id = k.id
               GROUP BY k.seller_id, k.id"""
        )
    free = {row["code"]: row["free"] for row in rows}
    left = people.shop.left(people.sold)
    return [
        f"{sku}: {free.get(sku)} in the hub, {units} by count" for sku, units in left.items() if free.get(sku) != units
    ]


async def _shelf_differences(rt: Runtime, people: People) -> list[str]:
    """Where a channel's buyers see another number than the hub computes."""
    found = []
    for store in people.stores:
        async with people.session.get(f"{store.url}/_sandbox/shelf") as answer:
            shown = await answer.json()
        async with rt.db.seller(people.seller_id) as tx:
            rows = await tx.all(
                "SELECT k.code, s.desired FROM stock_slot s "
                "JOIN sku k ON k.seller_id = s.seller_id AND k.id = s.sku_id "
                "WHERE s.account_id = %s",
                [store.account_id],
            )
        found += [
            f"{store.name}/{row['code']}: shown {shown.get(row['code'], 0)}, computed {row['desired']}"
            for row in rows
            if shown.get(row["code"], 0) != row["desired"]
        ]
    return sorted(found)

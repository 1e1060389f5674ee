"""Pages with a million orders beside the same with ten thousand: the ratio of their times, and what is read whole."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any

import aiohttp
import psycopg

from hub.store import order_list, people
from hub.web import auth
from jobs import connect, events, notices
from jobs.install import runtime
from tests.bench import many_orders
from tests.bench.many_orders import Shelf
from tests.bench.stand import Part, Stand
from tests.browser import walk

Say = Callable[[str], None]
CHAT = "https://hooks.slack.com/services/T0/B0/nobody"
WISHES = {
    "least": "urgent", "scope": "all", "kinds": None, "handed": True, "quiet": None, "digest_at": None,
}  # fmt: skip
EMAIL, PASSWORD = "ana@loja.example", "uma senha comprida"
LATEST = "SELECT {} FROM orders WHERE status = 'delivered' ORDER BY placed_at DESC OFFSET 500"
# As tests.browser.walk has them: what an address needs of the orders made here.
ROWS = {
    **walk.ROWS,
    "number": LATEST.format("number"),
    "document": LATEST.format("buyer_document"),
    "place": LATEST.format("replace(placed_at::text, ' ', 'T') || ':00~' || id"),
    "half": "SELECT replace(placed_at::text, ' ', 'T') || ':00~' || id FROM orders "
    "ORDER BY placed_at OFFSET (SELECT count(*) / 2 FROM orders)",
    "code": "SELECT tracking_code FROM shipment ORDER BY id DESC OFFSET 900",
    "day": "SELECT (now() - interval '30 days')::date",
    "days_after": "SELECT (now() - interval '23 days')::date",
    "listing": "SELECT id FROM listing WHERE ref = 'L-CAN-01' ORDER BY id",
    "print": "SELECT id FROM freight_print WHERE cardinality(labels) = 40 ORDER BY id",
    "delivery": "SELECT id FROM event_delivery ORDER BY id DESC OFFSET 500",
}
FILTERS = (
    *(("situacao", key) for key in order_list.STATUS),
    *(("pagamento", key) for key in order_list.PAYMENT),
    *(("envio", key) for key in order_list.FULFILMENT),
    *(("retencao", key) for key in order_list.HOLD),
    *(("separacao", key) for key in order_list.PACKING),
)
MORE = (
    *(walk.Spot(f"pedidos {name}={key}", f"/pedidos?{name}={key}") for name, key in FILTERS),
    walk.Spot("pedidos page 11", "/pedidos?apos={place}"),
    walk.Spot("pedidos half-way", "/pedidos?apos={half}"),
    walk.Spot("pedidos account", "/pedidos?conta={market}"),
    walk.Spot("pedidos account, page", "/pedidos?conta={market}&apos={half}"),
    walk.Spot("pedidos UF=AM", "/pedidos?uf=AM"),
    walk.Spot("pedidos UF, delivered", "/pedidos?uf=SP&situacao=delivered"),
    walk.Spot("pedidos week", "/pedidos?de={day}&ate={days_after}"),
    walk.Spot("pedidos value", "/pedidos?minimo=100&maximo=110"),
    walk.Spot("pedidos dear", "/pedidos?minimo=1000"),
    walk.Spot("pedidos search number", "/pedidos?busca={number}"),
    walk.Spot("pedidos search name", "/pedidos?busca=silva+ana"),
    walk.Spot("pedidos search word", "/pedidos?busca=ana"),
    walk.Spot("pedidos search beginnings", "/pedidos?busca=ca+al"),
    walk.Spot("pedidos search CPF", "/pedidos?busca={document}"),
    walk.Spot("pedidos search code", "/pedidos?busca={code}"),
    walk.Spot("pedidos search SKU", "/pedidos?busca=CAN-01"),
    walk.Spot("envios moving", "/envios?estado=moving"),
    walk.Spot("envios trouble", "/envios?estado=trouble"),
    walk.Spot("envios delivered", "/envios?estado=delivered"),
    walk.Spot("envios silent", "/envios?estado=silent"),
    walk.Spot("envios code", "/envios?busca={code}"),
    *(walk.Spot(f"prazos {key}", f"/prazos?ver={key}") for key in ("atrasados", "retirada", "problemas")),
    *(walk.Spot(f"etiquetas {key}", f"/etiquetas?fila={key}") for key in ("channel", "to_print", "to_leave", "left")),
    walk.Spot("alertas late", "/alertas?ver=late"),
    walk.Spot("alertas kind", "/alertas?tipo=ship_late"),
)
BIG = (
    "orders", "order_line", "order_part", "order_event", "order_word", "shipment", "shipment_line", "tracking_event",
    "stock_movement", "stock_effect", "freight_label",
)  # fmt: skip
SCANS = "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY(%s)"
FLUSH = 1.1  # seconds after which a server process tells its counts at the end of its next transaction
SHELF = Shelf()
LIMIT = 1.5  # times the page with few orders
TOO_LITTLE = 1.0  # ms: below that a difference is the clock's


@dataclass
class Hall:
    """A hub with so many orders, its web process, and somebody signed in."""

    part: Part
    orders: int
    base: str
    session: aiohttp.ClientSession
    database: psycopg.AsyncConnection
    rows: dict[str, str]

    async def ask(self, path: str) -> tuple[float, int]:
        """Milliseconds that a page took, read whole, and its size in bytes. RuntimeError for one that is not there."""
        began = time.perf_counter()
        async with self.session.get(self.base + path, allow_redirects=False) as answer:
            body = await answer.read()
            took = (time.perf_counter() - began) * 1000
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status} with {self.orders:,} orders")
        return took, len(body)

    async def scans(self) -> dict[str, int]:
        """How often each big table was read whole so far."""
        return {name: count async for name, count in await self.database.execute(SCANS, [list(BIG)])}


async def measure(stand: Stand, *, quick: bool, say: Say) -> dict[str, Any]:
    """Each page in turn at either hub, warm; p50, ratio, and tables read whole with the many orders."""
    few, many = (10_000, 50_000) if quick else (10_000, 1_000_000)
    rounds = 11 if quick else 25
    async with AsyncExitStack() as exits:
        halls = [await hall_of(stand, exits, n, count, say) for n, count in enumerate((few, many))]
        told = await every_page(halls, rounds, say)
    ratios = [row["ratio"] for row in told.values()]
    worst = max(told, key=lambda name: float(told[name]["ratio"]))
    return {
        "orders": [few, many], "pages": told, "count": len(told), "median_ratio": median(ratios),
        "worst_page": worst, "worst_ratio": told[worst]["ratio"],
        "read_whole": sum(bool(row["read_whole"]) for row in told.values()),
    }  # fmt: skip


async def every_page(halls: list[Hall], rounds: int, say: Say) -> dict[str, dict[str, Any]]:
    """Each page of the walk, and MORE of the list of orders and its like, at both hubs."""
    told = {}
    for spot in (*(each for each in walk.PAGES if not each.outside and each.status == 200), *MORE):
        try:
            paths = [spot.path.format(**hall.rows) for hall in halls]
        except KeyError as missing:
            say(f"pages: {spot.name} is left out: no row for {missing}")
            continue
        told[spot.name] = await _page(halls, paths, rounds)
        if told[spot.name]["ratio"] > LIMIT:  # the page, or a burst of something else: the median of three tells
            tries = [told[spot.name], *[await _page(halls, paths, rounds) for _ in range(2)]]
            told[spot.name] = sorted(tries, key=lambda row: float(row["ratio"]))[1]
    return told


async def hall_of(
    stand: Stand, exits: AsyncExitStack, number: int, orders: int, say: Say, shelf: Shelf = SHELF
) -> Hall:
    """A hub with so many orders and such a shelf, its web process, and somebody signed in."""
    part = stand.part(f"pages_{shelf.skus}_{orders}", 5 + number)
    async with runtime(part.installation()) as (rt, _pulse):
        seller = await connect.seller_add(rt, "Bench")
        async with rt.db.people() as tx:
            user = await people.user_put(tx, EMAIL, "Ana Lima", auth.hash_password(PASSWORD), "pt_BR")
        async with rt.db.seller(seller) as tx:
            await people.member_put(tx, user, "owner")
        await events.add(rt, seller, "https://127.0.0.1:9/eventos", None, "ERP")
        await notices.add(rt, seller, user, "slack", "Operação", {"url": CHAT}, WISHES)
        keys = {"store_url": "https://loja.example", "consumer_key": "ck", "consumer_secret": "cs"}
        sealed = rt.vault.seal({"credentials": json.dumps(keys), "callback": "c", "hook_secret": "s"})
    began = time.perf_counter()
    await asyncio.to_thread(many_orders.fill, part.environment["DATABASE_URL"], orders, sealed, say, shelf)
    say(f"pages: {orders:,} orders made in {time.perf_counter() - began:.0f} s")
    await exits.enter_async_context(part.web())
    session = await exits.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
    database = await exits.enter_async_context(
        await psycopg.AsyncConnection.connect(part.environment["DATABASE_URL"], autocommit=True)
    )
    hall = Hall(part, orders, f"http://127.0.0.1:{part.port}", session, database, dict(await _rows(part)))
    await _sign_in(hall)
    return hall


async def _rows(part: Part) -> dict[str, str]:
    found = {}
    async with await psycopg.AsyncConnection.connect(part.environment["DATABASE_URL"]) as conn:
        for name, sql in ROWS.items():
            row = await (await conn.execute(f"{sql} LIMIT 1")).fetchone()
            if row is not None:
                found[name] = str(row[0])
    return found


async def _sign_in(hall: Hall) -> None:
    async with hall.session.get(f"{hall.base}/entrar") as answer:
        token = re.search(r'name="csrf" value="([^"]+)"', await answer.text())
    told = {"csrf": token[1] if token else "", "email": EMAIL, "password": PASSWORD, "next": "/"}
    async with hall.session.post(f"{hall.base}/entrar", data=told) as answer:
        if answer.status != 200:
            raise RuntimeError(f"signing in answered {answer.status}")


async def _page(halls: list[Hall], paths: list[str], rounds: int) -> dict[str, Any]:
    """Alternating, so that whatever else the machine does falls on both; the first rounds warm up and do not count.

    A statement is planned anew five times, then once for all: the counted ones run as in a hub that is up for long.
    """
    many = halls[1]
    before = await many.scans()
    took: list[list[float]] = [[], []]
    sizes = [0, 0]
    for n in range(rounds + 11):
        for which, (hall, path) in enumerate(zip(halls, paths, strict=True)):
            ms, sizes[which] = await hall.ask(path)
            if n > 10:
                took[which].append(ms)
    await asyncio.sleep(FLUSH)
    await many.ask(paths[1])
    after = await many.scans()
    p50 = [median(times) for times in took]
    return {
        "p50_ms": [round(ms, 1) for ms in p50],
        "ratio": round(p50[1] / max(p50[0], TOO_LITTLE), 2),
        "kilobytes": [round(size / 1000, 1) for size in sizes],
        "read_whole": sorted(name for name, count in after.items() if count > before.get(name, 0)),
    }


def table(told: dict[str, Any], of: str) -> Iterator[tuple[str, str, str, str]]:
    """The pages, the worst ratio first: name, p50 with few and with many, ratio and tables read whole."""
    few, many = told[of]
    for name, row in sorted(told["pages"].items(), key=lambda item: -float(item[1]["ratio"])):
        times = f"{row['p50_ms'][0]:,} → {row['p50_ms'][1]:,}"
        yield name, times, f"ms p50, {few:,} → {many:,}", f"{row['ratio']} x {', '.join(row['read_whole'])}"
